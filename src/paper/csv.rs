//! A form as CSV, for spreadsheets: UTF-8 with a byte-order mark, RFC 4180.
//!
//! One table after the other, each under its name. A cell that a spreadsheet would take for a formula begins with an
//! apostrophe, which it shows as text: nobody's purpose or document number is calculated.

use super::{Form, form::struck};

/// What spreadsheets take for the start of a formula, full-width forms included, or drop before one.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// The file.
#[must_use]
pub fn write(form: &Form) -> Vec<u8> {
    let mut text = String::from('\u{feff}');
    line(&mut text, [form.full_title().as_str()]);
    for (label, value) in form.cover.iter().flat_map(|cover| &cover.lines).chain(&form.heads) {
        line(&mut text, [label.as_str(), value]);
    }
    for table in &form.tables {
        text.push_str("\r\n");
        line(&mut text, [table.name.as_str()]);
        line(&mut text, table.columns.iter().map(|column| column.title.as_ref()));
        for row in &table.rows {
            let cells: Vec<String> = row.iter().map(|cell| told(cell)).collect();
            line(&mut text, cells.iter().map(String::as_str));
        }
    }
    if !form.seats.is_empty() {
        text.push_str("\r\n");
        line(&mut text, form.seats.iter().map(|seat| seat.office.as_ref()));
        line(&mut text, form.seats.iter().map(|seat| seat.signed.as_deref().unwrap_or_default()));
    }
    text.push_str("\r\n");
    for said in form.notes.iter().chain(&form.proof) {
        line(&mut text, [said.as_str()]);
    }
    text.into_bytes()
}

/// A cell whose former values are named as such: nothing is struck through here.
fn told(cell: &str) -> String {
    let lines = cell.split('\n').map(|line| match struck(line) {
        (line, true) => format!("（更正前：{line}）"),
        (line, false) => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn line<'c>(text: &mut String, cells: impl IntoIterator<Item = &'c str>) {
    for (n, cell) in cells.into_iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        let cell = harmless(cell);
        if cell.contains([',', '"', '\r', '\n']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
}

/// A cell that no spreadsheet calculates.
fn harmless(cell: &str) -> String {
    let first = cell.trim_start().chars().next();
    if cell.starts_with(FORMULA) || first.is_some_and(|c| FORMULA.contains(&c)) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::{Column, Table};

    #[test]
    fn no_cell_is_a_formula_and_every_cell_comes_back() {
        let cells =
            ["=1+1", "+886", "-2", "@SUM(A1)", " =1", "\t=1", "＝1", "a,b", "a\"b", "a\nb", "-"];
        let columns = vec![Column::text("欄", 1); cells.len()];
        let table =
            Table {
                name: "表".to_owned(), columns, rows: vec![cells.map(str::to_owned).to_vec()]
            };
        let form = Form {
            agency: "機關".to_owned(),
            title: "題".to_owned(),
            heads: Vec::new(),
            cover: None,
            tables: vec![table],
            seats: Vec::new(),
            notes: Vec::new(),
            proof: Vec::new(),
            foot: String::new(),
            made_at: String::new(),
            one_page: false,
        };
        let bytes = write(&form);
        assert!(bytes.starts_with(b"\xef\xbb\xbf"));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let row = "'=1+1,'+886,'-2,'@SUM(A1),' =1,'\t=1,'＝1,\"a,b\",\"a\"\"b\",\"a\nb\",'-\r\n";
        assert!(text.contains(row), "{text}");
    }
}
