//! The only place that prints.
#![expect(clippy::print_stderr, reason = "the surface's own output")]

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::{args::RowFormat, speech};
use crate::{
    error::{Error, Exit},
    service::{Result, reading::Rows},
};

/// Prints a line to standard output, in the language of this process. A closed pipe is no fault of the command.
pub(super) fn line(text: &str) -> Result<()> {
    raw(&speech::say(text))
}

/// Prints a line as it is: JSON, and what is made of names and of words that are translated already.
pub(super) fn raw(text: &str) -> Result<()> {
    bytes(format!("{text}\n").as_bytes())
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
    raw(&text)
}

/// Prints an error to standard error.
pub(super) fn error(error: &Error) {
    eprintln!("{}{}", speech::label("error"), speech::say(&error.what));
    if let Some(hint) = &error.hint {
        eprintln!("{}{}", speech::label("hint"), speech::say(hint));
    }
}

/// Prints what the parser of the command line says: help to standard output, what is wrong to standard error.
pub(super) fn parser(error: &clap::Error) {
    if !speech::is_chinese() {
        let _ = error.print();
    } else if error.use_stderr() {
        eprint!("{}", speech::parser_says(error));
    } else {
        let _ = bytes(speech::parser_says(error).as_bytes());
    }
}

/// Prints a note to standard error.
pub(super) fn note(text: &str) {
    eprintln!("{}{}", speech::label("note"), speech::say(text));
}

/// Columns whose cells are words of closed lists, and are translated; other cells are names.
const WORDS: [&str; 15] = [
    "state", "reason", "roles", "standing", "verdict", "ends", "", "what", "deadline", "order",
    "wiped", "covers", "review", "step", "done",
];

/// Columns that line up by display width.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let spoken =
        |cells: &[String]| -> Vec<String> {
            let cells = head.iter().zip(cells);
            cells
                .map(|(head, cell)| {
                    if WORDS.contains(head) { speech::say(cell).into_owned() } else { cell.clone() }
                })
                .collect()
        };
    let rows: &[Vec<String>] = &rows.iter().map(|row| spoken(row)).collect::<Vec<_>>();
    let head: Vec<_> = head.iter().map(|head| speech::word(head)).collect();
    let head: Vec<&str> = head.iter().map(|head| &**head).collect();
    let head = head.as_slice();
    let mut widths: Vec<usize> = head.iter().map(|h| width(h)).collect();
    for row in rows {
        for (w, cell) in widths.iter_mut().zip(row) {
            *w = (*w).max(width(cell));
        }
    }
    let head: Vec<String> = head.iter().map(|h| (*h).to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let mut text = String::new();
        for (cell, w) in row.iter().zip(&widths) {
            text.push_str(cell);
            text.push_str(&" ".repeat(w.saturating_sub(width(cell)) + 2));
        }
        raw(text.trim_end())?;
    }
    Ok(())
}

/// Cells that a text takes on a terminal: two for East Asian wide characters.
fn width(text: &str) -> usize {
    text.chars().map(|c| if matches!(u32::from(c), 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xE000..=0xFAFF | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x20000..=0x3FFFD | 0xF0000..=0x10_FFFD) { 2 } else { 1 }).sum()
}

/// Where the rows of this process go.
pub(super) fn destination() -> &'static str {
    if io::stdout().is_terminal() { "screen" } else { "pipe" }
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
        raw(if self.rows == 0 { "]" } else { "\n]" })
    }

    fn csv(values: &[String]) -> String {
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

    fn write(text: &str) -> io::Result<()> {
        io::stdout().lock().write_all(text.as_bytes())
    }
}

impl Rows for Printed {
    fn begin(&mut self, fields: &[String]) -> io::Result<()> {
        self.fields = fields.to_vec();
        match self.format {
            RowFormat::Csv => Self::write(&Self::csv(fields)),
            RowFormat::Table => Self::write(&format!("{}\n", fields.join("  "))),
            RowFormat::Json => Self::write("["),
        }
    }

    fn row(&mut self, values: &[String]) -> io::Result<()> {
        let text = match self.format {
            RowFormat::Csv => Self::csv(values),
            // Control characters in a name must not reach a terminal as such.
            RowFormat::Table => {
                let clean: String = values
                    .join("  ")
                    .chars()
                    .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
                    .collect();
                format!("{clean}\n")
            }
            RowFormat::Json => {
                let pairs = self.fields.iter().cloned().zip(values.iter().cloned().map(Into::into));
                let object: serde_json::Map<String, serde_json::Value> = pairs.collect();
                let comma = if self.rows == 0 { "\n" } else { ",\n" };
                format!("{comma}{}", serde_json::Value::Object(object))
            }
        };
        self.rows += 1;
        Self::write(&text)
    }
}
