//! Tables that people bring in files: CSV, OpenDocument spreadsheets and those of Excel (XLSX), read within limits.
//!
//! The file is the person's own and untrusted all the same: nothing is written anywhere, no formula is calculated, no macro
//! or link is looked at, no entity is expanded; of a spreadsheet the first sheet is read, and what it says is only text.

mod text;
mod xml;
mod zipped;

use crate::domain::{brought::Cell, limits};

pub use text::TextCode;

/// Why a file is no table.
#[derive(Debug, thiserror::Error)]
pub enum SheetFault {
    /// Over a limit.
    #[error("{0}")]
    TooMuch(&'static str),
    /// An old or a locked workbook.
    #[error("it is an Excel workbook of before 2007, or one with a password")]
    Workbook,
    /// It could be both encodings.
    #[error("its text may be CP950 or UTF-8, and nothing in it tells which")]
    Ambiguous,
    /// It is neither.
    #[error("its text is not {0}")]
    Encoding(&'static str),
    /// A quote that does not end.
    #[error("a quote that opens on line {0} does not close")]
    Quote(usize),
    /// A spreadsheet that cannot be read.
    #[error("it is no spreadsheet that can be read: {0}")]
    Broken(&'static str),
}

impl SheetFault {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::TooMuch(_) => "bring the list in parts, with the column that is asked for alone",
            Self::Workbook => "save it as ODS or XLSX, without a password",
            Self::Ambiguous => "--encoding cp950 or --encoding utf-8 says it",
            Self::Encoding(_) => "save it as UTF-8, or say what it is: --encoding cp950",
            Self::Quote(_) => "save the list again from the spreadsheet",
            Self::Broken(_) => "open and save it again, as ODS, XLSX or CSV",
        }
    }
}

/// Reads a file: rows of cells. `is_head` says whether a text is a head that is known, which tells encodings apart.
///
/// # Errors
/// It is none, or over a limit.
pub fn read(
    bytes: &[u8],
    code: Option<TextCode>,
    is_head: &dyn Fn(&str) -> bool,
) -> Result<Vec<Vec<Cell>>, SheetFault> {
    if bytes.len() as u64 > limits::LIST_BYTES_MAX {
        return Err(SheetFault::TooMuch("it is longer than a list may be"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return zipped::read(bytes);
    }
    if bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(SheetFault::Workbook);
    }
    text::read(bytes, code, is_head)
}

/// Takes cells into a table, within its limits.
#[derive(Default)]
struct Table {
    rows: Vec<Vec<Cell>>,
    cells: usize,
    bytes: usize,
}

const COLUMNS: SheetFault = SheetFault::TooMuch("it has more columns than a list may");
const LONG: SheetFault = SheetFault::TooMuch("a cell of it has more text than a list may");
const TEXTS: SheetFault = SheetFault::TooMuch("it has more text than a list may");

/// Adds to the text of a cell, within what one may have.
fn write(text: &mut String, more: &str) -> Result<(), SheetFault> {
    if text.len().saturating_add(more.len()) > limits::LIST_CELL_BYTES_MAX {
        return Err(LONG);
    }
    text.push_str(more);
    Ok(())
}

/// Adds a cell to a row that is being read. Empty ones beyond the last column are none, and take no place.
fn put(row: &mut Vec<Cell>, cell: Cell) -> Result<(), SheetFault> {
    if row.len() < limits::LIST_COLUMNS_MAX {
        row.push(cell);
        return Ok(());
    }
    if cell.text.is_empty() { Ok(()) } else { Err(COLUMNS) }
}

impl Table {
    /// Adds a row, `times` over; empty cells at its end are none.
    fn row(&mut self, mut row: Vec<Cell>, times: usize) -> Result<(), SheetFault> {
        while row.last().is_some_and(|cell| cell.text.is_empty()) {
            row.pop();
        }
        if row.len() > limits::LIST_COLUMNS_MAX {
            return Err(COLUMNS);
        }
        if row.iter().any(|cell| cell.text.len() > limits::LIST_CELL_BYTES_MAX) {
            return Err(LONG);
        }
        // Empty rows are what a spreadsheet has to its end.
        let times = if row.is_empty() { 1 } else { times };
        self.cells = self.cells.saturating_add(row.len().saturating_mul(times));
        if self.rows.len().saturating_add(times) > limits::LIST_ROWS_MAX {
            return Err(SheetFault::TooMuch("it has more rows than a list may"));
        }
        if self.cells > limits::LIST_CELLS_MAX {
            return Err(SheetFault::TooMuch("it has more cells than a list may"));
        }
        // A text counts as often as it is kept: one that repeats is small in the file and large here.
        let bytes: usize = row.iter().map(|cell| cell.text.len()).sum();
        self.bytes = self.bytes.saturating_add(bytes.saturating_mul(times));
        if self.bytes > limits::LIST_TEXT_BYTES_MAX {
            return Err(TEXTS);
        }
        if row.is_empty() && self.rows.last().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        for _ in 1..times {
            self.rows.push(row.clone());
        }
        self.rows.push(row);
        Ok(())
    }
}
