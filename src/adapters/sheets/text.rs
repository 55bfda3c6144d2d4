//! CSV and plain lists: which encoding it is, and its cells.

use super::{SheetFault, Table, put};
use crate::domain::{
    brought::Cell,
    cp950::{self, Tally},
    layout::Eudc,
};

/// An encoding that a person may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextCode {
    /// Code page 950 (Big5).
    Cp950,
    /// UTF-8.
    Utf8,
}

pub(super) fn read(
    bytes: &[u8],
    code: Option<TextCode>,
    is_head: &dyn Fn(&str) -> bool,
) -> Result<Vec<Vec<Cell>>, SheetFault> {
    cells(&decoded(bytes, code, is_head)?)
}

fn decoded(
    bytes: &[u8],
    code: Option<TextCode>,
    is_head: &dyn Fn(&str) -> bool,
) -> Result<String, SheetFault> {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return utf8(rest).ok_or(SheetFault::Encoding("UTF-8"));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        return utf16(rest, u16::from_be_bytes);
    }
    match code {
        Some(TextCode::Utf8) => utf8(bytes).ok_or(SheetFault::Encoding("UTF-8")),
        Some(TextCode::Cp950) => cp950(bytes).ok_or(SheetFault::Encoding("CP950")),
        None if bytes.is_ascii() => utf8(bytes).ok_or(SheetFault::Encoding("UTF-8")),
        None => match (utf8(bytes), cp950(bytes)) {
            (Some(one), None) | (None, Some(one)) => Ok(one),
            (None, None) => Err(SheetFault::Encoding("UTF-8 or CP950")),
            // What is text in both is told apart by a head that is known in one of them.
            (Some(one), Some(other)) => match (headed(&one, is_head), headed(&other, is_head)) {
                (true, false) => Ok(one),
                (false, true) => Ok(other),
                _ => Err(SheetFault::Ambiguous),
            },
        },
    }
}

fn headed(text: &str, is_head: &dyn Fn(&str) -> bool) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    first.split([',', ';', '\t']).any(|cell| is_head(cell.trim_matches('"')))
}

fn utf8(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// CP950, where every byte of it has a character.
fn cp950(bytes: &[u8]) -> Option<String> {
    let (mut text, mut tally) = (String::new(), Tally::default());
    cp950::decode_into(bytes, Eudc::MsPua, &mut text, &mut tally);
    (tally.replaced == 0).then_some(text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, SheetFault> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> =
        char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    text.ok().filter(|_| rest.is_empty()).ok_or(SheetFault::Encoding("UTF-16"))
}

/// The cells of a text: quoted as RFC 4180 has it, parted by what its first line has most of.
fn cells(text: &str) -> Result<Vec<Vec<Cell>>, SheetFault> {
    let first = text.lines().next().unwrap_or_default();
    // What stands within quotes parts nothing.
    let bare: String = first.split('"').step_by(2).collect();
    let count = |sign: char| bare.chars().filter(|c| *c == sign).count();
    let mut delimiter = ',';
    for sign in ['\t', ';'] {
        if count(sign) > count(delimiter) {
            delimiter = sign;
        }
    }
    let (mut table, mut row, mut cell) = (Table::default(), Vec::new(), String::new());
    let (mut line, mut opened, mut quoted) = (1, 1, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => (quoted, opened) = (true, line),
            '\n' if !quoted => {
                put(&mut row, plain(&mut cell))?;
                table.row(std::mem::take(&mut row), 1)?;
            }
            '\r' if !quoted && chars.peek().is_none_or(|next| *next == '\n') => {}
            _ if c == delimiter && !quoted => put(&mut row, plain(&mut cell))?,
            _ => cell.push(c),
        }
        line += usize::from(c == '\n');
    }
    if quoted {
        return Err(SheetFault::Quote(opened));
    }
    put(&mut row, plain(&mut cell))?;
    table.row(row, 1)?;
    Ok(table.rows)
}

fn plain(cell: &mut String) -> Cell {
    Cell { text: std::mem::take(cell), ..Cell::default() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn texts(rows: &[Vec<Cell>]) -> Vec<Vec<&str>> {
        rows.iter().map(|row| row.iter().map(|cell| cell.text.as_str()).collect()).collect()
    }

    #[test]
    fn quotes_ends_and_delimiters_are_read() {
        for text in ["a,\"b,\"\"c\"\r\nd,e\r\n", "a\t\"b,\"\"c\"\nd\te", "a;\"b,\"\"c\"\n\n\nd;e\n"]
        {
            let rows = cells(text).unwrap();
            let rows: Vec<_> = rows.into_iter().filter(|row| !row.is_empty()).collect();
            assert_eq!(texts(&rows), [["a", "b,\"c"], ["d", "e"]], "{text:?}");
        }
        assert!(matches!(cells("a\n\"b\nc"), Err(SheetFault::Quote(2))));
    }

    #[test]
    fn encodings_are_told_apart_and_never_guessed() {
        let is_head = |text: &str| text == "統一編號";
        // 統一編號 and 姓名 in code page 950.
        let big5 = b"\xb2\xce\xa4\x40\xbd\x73\xb8\xb9,\xa9\x6d\xa6\x57\r\nA123456789,\xa4\xfd\r\n";
        for (bytes, code) in [
            (big5.as_slice(), None),
            (big5.as_slice(), Some(TextCode::Cp950)),
            ("統一編號,姓名\r\nA123456789,王\r\n".as_bytes(), None),
            ("\u{feff}統一編號,姓名\nA123456789,王\n".as_bytes(), None),
            ("\u{feff}統一編號,姓名\nA123456789,王\n".as_bytes(), Some(TextCode::Cp950)),
        ] {
            let rows = read(bytes, code, &is_head).unwrap();
            assert_eq!(texts(&rows)[..2], [["統一編號", "姓名"], ["A123456789", "王"]]);
        }
        let wide: Vec<u8> =
            "\u{feff}統一編號\tx\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(texts(&read(&wide, None, &is_head).unwrap())[0], ["統一編號", "x"]);
        // Bytes that are text in both, without a head that is known.
        let both = b"\xc3\xa9,x\n";
        assert!(matches!(read(both, None, &is_head), Err(SheetFault::Ambiguous)));
        assert!(read(both, Some(TextCode::Utf8), &is_head).is_ok());
        assert!(matches!(read(b"\xff\xff\xff", None, &is_head), Err(SheetFault::Encoding(_))));
        assert!(read(big5, Some(TextCode::Utf8), &is_head).is_err());
    }

    #[test]
    fn a_line_of_delimiters_and_a_cell_without_end_are_refused_within_their_limits() {
        let commas = ",".repeat(3_000_000);
        assert_eq!(texts(&cells(&format!("a{commas}\nb")).unwrap()), [["a"], ["b"]]);
        assert!(matches!(cells(&format!("{commas}b")), Err(SheetFault::TooMuch(_))));
        let long = "x".repeat(crate::domain::limits::LIST_CELL_BYTES_MAX + 1);
        assert!(matches!(cells(&long), Err(SheetFault::TooMuch(_))));
    }
}
