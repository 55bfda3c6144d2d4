//! What stands on a form, before it is laid out.

/// A form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// 機關, above the title.
    pub agency: String,
    /// The title.
    pub title: String,
    /// Lines under the title: a label and what it says.
    pub heads: Vec<(String, String)>,
    /// Its tables, each on a sheet or page of its own.
    pub tables: Vec<Table>,
    /// Where people sign off, at the end.
    pub seats: Vec<Seat>,
    /// What there is to say beneath the tables.
    pub notes: Vec<String>,
    /// The register that it comes from, line by line as it was signed, and how to check it.
    pub proof: Vec<String>,
    /// The same in one line, at the foot of each page.
    pub foot: String,
    /// When it was made, as RFC 3339: the date of the file.
    pub made_at: String,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Name of its sheet, and its caption where there are several.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, with a cell for each column; lines of a cell are parted by line feeds.
    pub rows: Vec<Vec<String>>,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Title.
    pub title: &'static str,
    /// Its share of the width, beside those of the others.
    pub share: u16,
    /// Whether its cells are centred: short ones, such as numbers and days.
    pub centred: bool,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn text(title: &'static str, share: u16) -> Self {
        Self { title, share, centred: false }
    }

    /// A column of short, centred cells.
    #[must_use]
    pub const fn short(title: &'static str, share: u16) -> Self {
        Self { title, share, centred: true }
    }
}

/// A box to sign off in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Whose: 單位主管.
    pub office: &'static str,
    /// What is recorded of it; blank for ink where nothing is.
    pub signed: Option<String>,
}

impl Form {
    /// The title with the agency before it.
    #[must_use]
    pub fn full_title(&self) -> String {
        format!("{}　{}", self.agency, self.title)
    }
}
