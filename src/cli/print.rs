//! The only place that prints.
#![expect(clippy::print_stderr, reason = "the surface's own output")]

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::{
    args::RowFormat,
    speech,
    table::{self, Flow, Screen, Tone},
};
use crate::{
    error::{Error, Exit},
    service::{Result, reading::Rows},
};

/// Prints a line to standard output, in the language of this process. A closed pipe is no fault of the command.
pub(super) fn line(text: &str) -> Result<()> {
    raw(&speech::say(text))
}

/// Prints a line that is made of names and of words that are translated already.
pub(super) fn raw(text: &str) -> Result<()> {
    let shown = if io::stdout().is_terminal() { shown(text) } else { text.to_owned() };
    bytes(format!("{shown}\n").as_bytes())
}

/// A text of lines as a terminal may have it.
fn shown(text: &str) -> String {
    text.split('\n').map(table::clean).collect::<Vec<_>>().join("\n")
}

/// Prints bytes as they are.
pub(super) fn bytes(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(Exit::Failed, format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a value as indented JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
    bytes(format!("{}\n", escaped(&text)).as_bytes())
}

/// JSON in which whatever a terminal would obey is an escape: the same value, for every reader.
pub(super) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || table::is_harmless(c) {
            text.push(c);
        } else {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        }
    }
    text
}

/// Prints an error to standard error.
pub(super) fn error(error: &Error) {
    eprintln!("{}{}", speech::label("error"), shown(&speech::say(&error.what)));
    if let Some(hint) = &error.hint {
        eprintln!("{}{}", speech::label("hint"), shown(&speech::say(hint)));
    }
}

/// Prints help or the version: to standard output where it was asked for, else to standard error.
pub(super) fn parser(error: &clap::Error) {
    if !speech::is_chinese() {
        let _ = error.print();
    } else if error.use_stderr() {
        eprint!("{}", speech::help(error));
    } else {
        let _ = bytes(speech::help(error).as_bytes());
    }
}

/// Prints a note to standard error.
pub(super) fn note(text: &str) {
    eprintln!("{}{}", speech::label("note"), shown(&speech::say(text)));
}

/// Columns whose cells are words of closed lists, and are translated; other cells are names.
const WORDS: [&str; 19] = [
    "state", "reason", "roles", "standing", "verdict", "ends", "", "what", "deadline", "order",
    "wiped", "why", "covers", "review", "step", "done", "change", "gone", "remarks",
];

/// Columns that line up by display width, cut to the terminal's.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> Result<()> {
    columns(head, rows, Screen::here())
}

/// The same, with nothing cut: what must be there to the last letter.
pub(super) fn whole_table(head: &[&str], rows: &[Vec<String>]) -> Result<()> {
    columns(head, rows, Screen { width: None, ..Screen::here() })
}

fn columns(head: &[&str], rows: &[Vec<String>], screen: Screen) -> Result<()> {
    let tones: Vec<Vec<Option<Tone>>> =
        rows.iter().map(|row| row.iter().map(|cell| Tone::of(cell)).collect()).collect();
    let spoken = |(head, cell): (&&str, &String)| {
        if WORDS.contains(head) {
            speech::say(cell).into_owned()
        } else {
            speech::name(cell).into_owned()
        }
    };
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| head.iter().zip(row).map(spoken).collect()).collect();
    let head: Vec<_> = head.iter().map(|head| speech::word(head)).collect();
    let head: Vec<&str> = head.iter().map(|head| &**head).collect();
    for row in table::lines(&head, &rows, &tones, screen) {
        bytes(format!("{row}\n").as_bytes())?;
    }
    Ok(())
}

/// Prints a sentence after a label in a tone: how grave it is.
pub(super) fn toned(tone: Tone, label: &str, text: &str) -> Result<()> {
    let label = Screen::here().toned(Some(tone), &speech::label(label));
    bytes(format!("{label}{}\n", table::clean(&speech::say(text))).as_bytes())
}

/// Where the rows of this process go.
pub(super) fn destination() -> &'static str {
    if io::stdout().is_terminal() { "screen" } else { "pipe" }
}

/// A row of CSV for standard output: bare of whatever a terminal would obey, where that is one.
pub(super) fn csv_shown(values: &[String]) -> String {
    let row = csv(values);
    if io::stdout().is_terminal() { shown(&row) } else { row }
}

/// A row of CSV after RFC 4180.
pub(super) fn csv(values: &[String]) -> String {
    let mut text = String::new();
    for (n, value) in values.iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        if value.contains([',', '"', '\r', '\n']) {
            text.push('"');
            text.push_str(&value.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(value);
        }
    }
    text.push('\n');
    text
}

/// Rows of personal data on their way to the screen or a pipe; they are kept nowhere.
pub(super) struct Printed {
    format: RowFormat,
    fields: Vec<String>,
    flow: Flow,
    rows: u64,
}

impl Printed {
    pub(super) fn new(format: RowFormat) -> Self {
        Self { format, fields: Vec::new(), flow: Flow::default(), rows: 0 }
    }

    /// Shows what was held back, and closes what [`Rows::begin`] opened unless the reading was cut: a part of an answer
    /// must not look like one.
    pub(super) fn end(&mut self, cut: bool) -> Result<()> {
        let rest = self.flow.rest();
        if !rest.is_empty() {
            return bytes(joined(&rest).as_bytes());
        }
        if cut || self.format != RowFormat::Json || self.fields.is_empty() {
            return Ok(());
        }
        raw(if self.rows == 0 { "]" } else { "\n]" })
    }

    fn write(text: &str) -> io::Result<()> {
        io::stdout().lock().write_all(text.as_bytes())
    }
}

/// Lines, each with its end.
fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

impl Rows for Printed {
    fn begin(&mut self, fields: &[String]) -> io::Result<()> {
        self.fields = fields.to_vec();
        match self.format {
            RowFormat::Csv => Self::write(&csv_shown(fields)),
            RowFormat::Table => Self::write(&joined(&self.flow.row(fields))),
            RowFormat::Json => Self::write("["),
        }
    }

    fn row(&mut self, values: &[String]) -> io::Result<()> {
        let text = match self.format {
            RowFormat::Csv => csv_shown(values),
            RowFormat::Table => joined(&self.flow.row(values)),
            RowFormat::Json => {
                let pairs = self.fields.iter().cloned().zip(values.iter().cloned().map(Into::into));
                let object: serde_json::Map<String, serde_json::Value> = pairs.collect();
                let comma = if self.rows == 0 { "\n" } else { ",\n" };
                format!("{comma}{}", escaped(&serde_json::Value::Object(object).to_string()))
            }
        };
        self.rows += 1;
        Self::write(&text)
    }
}
