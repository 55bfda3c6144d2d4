//! A list that somebody brings to `match`: which of its columns is meant, and its values as the layout writes them.
//!
//! Full-width letters and digits are folded for numbers and codes only, never within names. Nothing is guessed: where the
//! heads do not tell the column, the person says it; and what looks wrong is told with its count, never with its value.

use serde::{Deserialize, Serialize};

use super::layout::{Field, FieldKind};

/// A cell as it stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// Whether the file has it as a number: zeros in front are lost then.
    pub number: bool,
    /// Whether it was calculated: what it last showed is taken.
    pub formula: bool,
}

/// The field that the values are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sought {
    /// Its name.
    pub name: String,
    /// Heads that mean it: its title, its aliases, and for the number of persons what offices call it.
    pub heads: Vec<String>,
    /// Whether its values are numbers or codes, which are folded.
    pub folded: bool,
    /// Whether letters in it are capitals.
    pub capitals: bool,
    /// Characters of a value, where the layout gives a number of digits.
    pub width: Option<usize>,
}

/// What offices call the number of a person.
const NATIONAL_ID: [&str; 14] = [
    "統一編號",
    "身分證統一編號",
    "國民身分證統一編號",
    "身分證字號",
    "國民身分證字號",
    "身份證字號",
    "身分證號",
    "身分證號碼",
    "身份證號碼",
    "身分證",
    "身份證統一編號",
    "身分證統編",
    "個人統一編號",
    "ID",
];

impl Sought {
    /// The field of a layout.
    #[must_use]
    pub fn of(field: &Field) -> Self {
        let person = matches!(field.kind, FieldKind::NationalId);
        let mut heads = vec![field.name.clone(), field.title.clone()];
        heads.extend(field.aliases.iter().cloned());
        if person && field.key {
            heads.extend(NATIONAL_ID.map(str::to_owned));
        }
        let digits =
            matches!(field.kind, FieldKind::Code | FieldKind::Integer | FieldKind::RocDate);
        Self {
            name: field.name.clone(),
            heads,
            folded: person || digits,
            capitals: person,
            width: Some(field.bytes).filter(|bytes| digits && *bytes > 0),
        }
    }

    /// A field of which nothing is known but its name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let heads = vec![name.to_owned()];
        Self { name: name.to_owned(), heads, folded: false, capitals: false, width: None }
    }

    /// Whether a head means this field.
    #[must_use]
    pub fn is_meant_by(&self, head: &str) -> bool {
        let head = bare(head);
        !head.is_empty() && self.heads.iter().any(|own| bare(own) == head)
    }

    /// A value as the layout writes it.
    #[must_use]
    pub fn value(&self, text: &str) -> String {
        let trimmed = text.trim_matches([' ', '\u{3000}', '\t', '\r', '\n', '\u{a0}', '\u{feff}']);
        if !self.folded {
            return trimmed.to_owned();
        }
        let folded: String = trimmed.chars().map(half_width).collect();
        if self.capitals { folded.to_ascii_uppercase() } else { folded }
    }
}

/// A character at half width, where it is a letter, a digit or a sign that has one.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    }
}

/// A head without what does not tell heads apart.
fn bare(head: &str) -> String {
    let folded = head.chars().map(half_width).filter(|c| !c.is_whitespace() && *c != '\u{feff}');
    folded.collect::<String>().to_ascii_uppercase()
}

/// What was read of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// The values in the order of the file, each once.
    pub values: Vec<String>,
    /// The head of the column that was taken.
    pub head: Option<String>,
    /// Values that stood more than once.
    pub doubled: u64,
    /// Values that were written at full width or in small letters.
    pub folded: u64,
    /// Cells that the file has as numbers.
    pub numbers: u64,
    /// Of those, values shorter than the field's: zeros in front were lost.
    pub shortened: u64,
    /// Cells that were calculated.
    pub formulas: u64,
    /// Rows without a value.
    pub blank: u64,
}

/// Why no column is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoColumn {
    /// The file has no row.
    Empty,
    /// No head tells it; the heads that are there.
    Unknown(usize),
    /// Several heads mean it.
    Several(usize),
    /// The column that was named is not there.
    Missing,
}

/// Takes the values of one column: the one that `column` names by its head or its number from 1, else the one whose head
/// means the field, else the only one.
///
/// # Errors
/// It is not told which one.
pub fn taken(
    rows: &[Vec<Cell>],
    sought: &Sought,
    column: Option<&str>,
) -> Result<Brought, NoColumn> {
    let filled = |row: &&Vec<Cell>| row.iter().any(|cell| !cell.text.trim().is_empty());
    let rows: Vec<&Vec<Cell>> = rows.iter().filter(filled).collect();
    let first = rows.first().ok_or(NoColumn::Empty)?;
    let width = rows.iter().map(|row| row.len()).max().unwrap_or_default();
    let meant: Vec<usize> = (0..first.len())
        .filter(|at| first.get(*at).is_some_and(|cell| sought.is_meant_by(&cell.text)))
        .collect();
    let (at, headed) = match (column, meant.as_slice()) {
        (Some(column), _) => named(first, sought, column, width).ok_or(NoColumn::Missing)?,
        (None, &[at]) => (at, true),
        (None, []) if width == 1 => (0, false),
        (None, []) => return Err(NoColumn::Unknown(width)),
        (None, several) => return Err(NoColumn::Several(several.len())),
    };
    let mut brought = Brought {
        head: first.get(at).filter(|_| headed).map(|cell| cell.text.trim().to_owned()),
        ..Brought::default()
    };
    let mut known = std::collections::BTreeSet::new();
    for row in rows.iter().skip(usize::from(headed)) {
        let Some(cell) = row.get(at).filter(|cell| !cell.text.trim().is_empty()) else {
            brought.blank += 1;
            continue;
        };
        let value = sought.value(&cell.text);
        brought.folded += u64::from(value != cell.text.trim());
        brought.numbers += u64::from(cell.number);
        let short = sought.width.is_some_and(|width| value.chars().count() < width);
        brought.shortened += u64::from(cell.number && short);
        brought.formulas += u64::from(cell.formula);
        if known.insert(value.clone()) {
            brought.values.push(value);
        } else {
            brought.doubled += 1;
        }
    }
    Ok(brought)
}

/// The column that a person named, and whether the first row is heads.
fn named(first: &[Cell], sought: &Sought, column: &str, width: usize) -> Option<(usize, bool)> {
    let by_head = first.iter().position(|cell| bare(&cell.text) == bare(column));
    if let Some(at) = by_head.filter(|_| !bare(column).is_empty()) {
        return Some((at, true));
    }
    let at = column.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < width)?;
    // The first row is heads where this one is known, or nothing in it has a digit: every number of a person has some.
    let head = first.get(at).is_some_and(|cell| sought.is_meant_by(&cell.text));
    let wordy = sought.folded
        && !first.iter().any(|cell| cell.text.chars().map(half_width).any(|c| c.is_ascii_digit()));
    Some((at, head || wordy))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn sought() -> Sought {
        Sought::of(&Field {
            name: "national_id".to_owned(),
            title: "統一編號".to_owned(),
            aliases: vec!["申請人編號".to_owned()],
            bytes: 10,
            kind: FieldKind::NationalId,
            key: true,
            required: false,
        })
    }

    fn rows(lines: &[&[&str]]) -> Vec<Vec<Cell>> {
        let cell = |text: &&str| Cell { text: (*text).to_owned(), ..Cell::default() };
        lines.iter().map(|line| line.iter().map(cell).collect()).collect()
    }

    #[test]
    fn a_column_is_known_by_what_offices_write_over_it() {
        for head in [
            "統一編號",
            "身分證字號",
            "國民身分證統一編號",
            "身份證字號",
            " 身分證 統一編號 ",
            "ＩＤ",
            "national_id",
            "申請人編號",
            "\u{feff}統一編號",
        ] {
            let table = rows(&[&["姓名", head], &["王小明", "A123456789"]]);
            let brought = taken(&table, &sought(), None).unwrap();
            assert_eq!(brought.values, ["A123456789"], "{head}");
        }
    }

    #[test]
    fn values_are_folded_told_and_asked_once() {
        let table = rows(&[
            &["身分證字號"],
            &["Ａ１２３４５６７８９"],
            &["a123456789"],
            &["\u{3000}B100000001 "],
            &[""],
        ]);
        let brought = taken(&table, &sought(), None).unwrap();
        assert_eq!(brought.values, ["A123456789", "B100000001"]);
        assert_eq!((brought.folded, brought.doubled), (2, 1));
        // Names are nobody's to fold.
        let mut name = sought();
        (name.folded, name.capitals, name.width) = (false, false, None);
        assert_eq!(name.value(" Ａ王 "), "Ａ王");
    }

    #[test]
    fn a_number_that_lost_its_zeros_is_told() {
        let mut code = sought();
        (code.capitals, code.width, code.heads) = (false, Some(8), vec!["戶號".to_owned()]);
        let cell = |text: &str, number| Cell { text: text.to_owned(), number, formula: false };
        let table = vec![
            vec![cell("戶號", false)],
            vec![cell("123456", true)],
            vec![cell("00123456", false)],
        ];
        let brought = taken(&table, &code, None).unwrap();
        assert_eq!((brought.numbers, brought.shortened), (1, 1));
    }

    #[test]
    fn a_column_that_nothing_tells_is_asked_for() {
        let two = rows(&[&["甲", "乙"], &["1", "A123456789"]]);
        assert_eq!(taken(&two, &sought(), None), Err(NoColumn::Unknown(2)));
        assert_eq!(taken(&two, &sought(), Some("丙")), Err(NoColumn::Missing));
        assert_eq!(taken(&two, &sought(), Some("3")), Err(NoColumn::Missing));
        assert_eq!(taken(&two, &sought(), Some("乙")).unwrap().values, ["A123456789"]);
        assert_eq!(taken(&two, &sought(), Some("2")).unwrap().values, ["A123456789"]);
        let both = rows(&[&["統一編號", "身分證字號"], &["A123456789", "B100000001"]]);
        assert_eq!(taken(&both, &sought(), None), Err(NoColumn::Several(2)));
        assert_eq!(taken(&[], &sought(), None), Err(NoColumn::Empty));
        // One value a line, as ever: nothing is taken for a head that is none.
        let plain = rows(&[&["A123456789"], &["B100000001"]]);
        assert_eq!(taken(&plain, &sought(), None).unwrap().values.len(), 2);
    }
}
