//! The only place that prints.
#![expect(clippy::print_stderr, reason = "the surface's own output")]

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::{
    args::RowFormat,
    table::{self, Screen, Tone},
};
use crate::{
    error::{Error, Exit},
    service::{Result, reading::Rows},
};

/// Prints a line to standard output. A closed pipe is no fault of the command.
pub(super) fn line(text: &str) -> Result<()> {
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
    eprintln!("{}", shown(&error.to_string()));
}

/// Prints a note to standard error.
pub(super) fn note(text: &str) {
    eprintln!("note: {}", shown(text));
}

/// Columns that line up by display width.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let tones: Vec<Vec<Option<Tone>>> =
        rows.iter().map(|row| row.iter().map(|cell| Tone::of(cell)).collect()).collect();
    for row in table::lines(head, rows, &tones, Screen::here()) {
        bytes(format!("{row}\n").as_bytes())?;
    }
    Ok(())
}

/// Prints a line that begins with a word in a tone.
pub(super) fn toned(tone: Tone, word: &str, rest: &str) -> Result<()> {
    let word = Screen::here().toned(Some(tone), &table::clean(word));
    bytes(format!("{word}{}\n", table::clean(rest)).as_bytes())
}

/// Where the rows of this process go.
pub(super) fn destination() -> &'static str {
    if io::stdout().is_terminal() { "screen" } else { "pipe" }
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
    rows: u64,
}

impl Printed {
    pub(super) const fn new(format: RowFormat) -> Self {
        Self { format, fields: Vec::new(), rows: 0 }
    }

    /// Closes what [`Rows::begin`] opened.
    pub(super) fn end(&self) -> Result<()> {
        if self.format != RowFormat::Json || self.fields.is_empty() {
            return Ok(());
        }
        line(if self.rows == 0 { "]" } else { "\n]" })
    }

    fn write(text: &str) -> io::Result<()> {
        io::stdout().lock().write_all(text.as_bytes())
    }
}

impl Rows for Printed {
    fn begin(&mut self, fields: &[String]) -> io::Result<()> {
        self.fields = fields.to_vec();
        match self.format {
            RowFormat::Csv => Self::write(&csv(fields)),
            RowFormat::Table => Self::write(&format!("{}\n", fields.join("  "))),
            RowFormat::Json => Self::write("["),
        }
    }

    fn row(&mut self, values: &[String]) -> io::Result<()> {
        let text = match self.format {
            RowFormat::Csv if io::stdout().is_terminal() => shown(&csv(values)),
            RowFormat::Csv => csv(values),
            // Control characters in a name must not reach a terminal as such.
            RowFormat::Table => {
                format!("{}\n", table::clean(&values.join("  ")))
            }
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
