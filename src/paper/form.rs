//! What stands on a form, before it is laid out.

use std::borrow::Cow;

/// A form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// 機關, above the title.
    pub agency: String,
    /// The title.
    pub title: String,
    /// Lines under the title: a label and what it says.
    pub heads: Vec<(String, String)>,
    /// Its cover, where it is a volume.
    pub cover: Option<Cover>,
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
    /// Whether it is to stand on one page: its type is made smaller for that, down to what can be read. What is longer says at
    /// the foot of each page but the last that it goes on.
    pub one_page: bool,
}

/// The cover of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// What it is: 中華民國115年度.
    pub volume: String,
    /// Lines under it: a label and what it says.
    pub lines: Vec<(String, String)>,
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

impl Table {
    /// A list under its caption; one without any rows says so.
    #[must_use]
    pub fn listed(name: &str, columns: &[Column], mut rows: Vec<Vec<String>>) -> Self {
        if rows.is_empty() {
            let mut none = vec![String::new(); columns.len()];
            if let Some(cell) = none.get_mut(1) {
                "（無）".clone_into(cell);
            }
            rows.push(none);
        }
        Self { name: name.to_owned(), columns: columns.to_vec(), rows }
    }
}

/// Before a line of a cell: the line is a former value, which a correction took the place of, and stands struck through.
/// No text of the register holds it: the forms take control characters out of what people typed.
pub const STRUCK: char = '\u{18}';

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Title.
    pub title: Cow<'static, str>,
    /// Its share of the width, beside those of the others.
    pub share: u16,
    /// Whether its cells are centred: short ones, such as numbers and days.
    pub centred: bool,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn text(title: &'static str, share: u16) -> Self {
        Self { title: Cow::Borrowed(title), share, centred: false }
    }

    /// A column of short, centred cells.
    #[must_use]
    pub const fn short(title: &'static str, share: u16) -> Self {
        Self { title: Cow::Borrowed(title), share, centred: true }
    }
}

/// A box to sign off in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Whose: 單位主管.
    pub office: Cow<'static, str>,
    /// What is recorded of it; blank for ink where nothing is.
    pub signed: Option<String>,
    /// Who has the office now, title and name, a deputy among them; nobody where that is not known.
    pub held_by: Vec<String>,
}

impl Seat {
    /// A box for ink.
    #[must_use]
    pub const fn blank(office: &'static str) -> Self {
        Self { office: Cow::Borrowed(office), signed: None, held_by: Vec::new() }
    }

    /// A box in which this is recorded.
    #[must_use]
    pub const fn signed(office: &'static str, signed: String) -> Self {
        Self { office: Cow::Borrowed(office), signed: Some(signed), held_by: Vec::new() }
    }

    /// The box of an office of which is known who has it.
    #[must_use]
    pub fn of(office: impl Into<Cow<'static, str>>, held_by: Vec<String>) -> Self {
        Self { office: office.into(), signed: None, held_by }
    }

    /// What stands in the box: what is recorded, or what ink has to fill in.
    #[must_use]
    pub fn said(&self) -> String {
        match &self.signed {
            Some(signed) => signed.clone(),
            // The number of a letter is nobody's seal.
            None if self.office.ends_with("文號") => String::new(),
            None if self.office.starts_with("核定意見") => {
                format!("□同意　　□不同意\n說明\n{DATED}")
            }
            None if self.office.ends_with("意見") => format!("意見\n職稱及姓名\n{DATED}"),
            None if self.held_by.is_empty() => format!("職稱\n姓名\n{DATED}"),
            None => format!("{}\n簽章\n{DATED}", self.held_by.join("\n")),
        }
    }
}

/// The day that ink fills in.
const DATED: &str = "日期　　　年　　月　　日";

/// A line of a cell, and whether it is a former value.
#[must_use]
pub fn struck(line: &str) -> (&str, bool) {
    line.strip_prefix(STRUCK).map_or((line, false), |former| (former, true))
}

impl Form {
    /// The title with the agency before it.
    #[must_use]
    pub fn full_title(&self) -> String {
        format!("{}　{}", self.agency, self.title)
    }

    /// The heads in lines of at most `room`, by what each takes of it: a label is never parted from what it says.
    pub fn head_lines(&self, room: f32, mut width: impl FnMut(&str) -> f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for (label, value) in &self.heads {
            let item = format!("{label}：{value}");
            match lines.last_mut() {
                Some(line) if width(&format!("{line}　　{item}")) <= room => {
                    line.push_str("　　");
                    line.push_str(&item);
                }
                _ => lines.push(item),
            }
        }
        lines
    }
}
