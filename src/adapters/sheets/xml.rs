//! The XML of spreadsheets: events only, no tree and no entities but those of XML itself. What is kept of it has its
//! limits, whatever the file promises and however often it says that something repeats.

use std::collections::BTreeMap;

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{COLUMNS, LONG, SheetFault, TEXTS, Table, write};
use crate::domain::{brought::Cell, limits};

const BROKEN: SheetFault = SheetFault::Broken("its XML is damaged");

/// Calls `each` with every event to the end.
fn walk(
    bytes: &[u8],
    mut each: impl FnMut(Event<'_>) -> Result<(), SheetFault>,
) -> Result<(), SheetFault> {
    let mut reader = Reader::from_reader(bytes);
    reader.config_mut().expand_empty_elements = true;
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event().map_err(|_| BROKEN)?;
        let length = match &event {
            Event::Eof => return Ok(()),
            Event::DocType(_) => return Err(SheetFault::Broken("it declares entities")),
            Event::Start(start) => {
                depth += 1;
                start.len()
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                0
            }
            Event::Text(text) => text.len(),
            _ => 0,
        };
        if depth > limits::LIST_DEPTH_MAX {
            return Err(SheetFault::Broken("its XML is nested deeper than that of a spreadsheet"));
        }
        if length > limits::LIST_PIECE_BYTES_MAX {
            return Err(LONG);
        }
        each(event)?;
    }
}

/// An attribute, by its name with its prefix.
fn attribute(of: &BytesStart<'_>, name: &[u8]) -> Option<String> {
    // Looking for the same name twice would take the square of what a hostile tag has.
    let found =
        of.attributes().with_checks(false).flatten().find(|one| one.key.as_ref() == name)?;
    found.unescape_value().ok().map(std::borrow::Cow::into_owned)
}

fn times(of: &BytesStart<'_>, name: &[u8]) -> usize {
    attribute(of, name).and_then(|text| text.parse().ok()).filter(|n| *n > 0).unwrap_or(1)
}

/// A number as it would be typed: a whole one without a point.
#[allow(clippy::cast_possible_truncation, reason = "within 2^53, as is checked")]
fn number(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(value) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => {
            format!("{}", value as i64)
        }
        _ => text.to_owned(),
    }
}

/// What is known of an ODS cell while it is read.
#[derive(Default)]
struct Open {
    cell: Cell,
    times: usize,
    /// A number or a day, as the file keeps it and not as it shows it.
    value: Option<String>,
    paragraphs: usize,
}

/// The first sheet of an ODS file.
pub(super) fn open_document(bytes: &[u8]) -> Result<Vec<Vec<Cell>>, SheetFault> {
    let mut table = Table::default();
    let (mut sheet, mut row, mut repeat) = (0_u32, Vec::new(), 1);
    let mut open: Option<Open> = None;
    // Within a remark, or in text of a paragraph.
    let (mut remarks, mut paragraph) = (0_u32, false);
    walk(bytes, |event| {
        match event {
            Event::Start(start) => match start.name().as_ref() {
                b"table:table" => sheet += 1,
                _ if sheet != 1 => {}
                b"table:table-row" => {
                    repeat = times(&start, b"table:number-rows-repeated");
                    row.clear();
                }
                b"table:table-cell" | b"table:covered-table-cell" => open = Some(opened(&start)),
                b"office:annotation" => remarks += 1,
                b"text:p" if remarks == 0 => {
                    paragraph = true;
                    if let Some(open) = &mut open {
                        if open.paragraphs > 0 {
                            write(&mut open.cell.text, "\n")?;
                        }
                        open.paragraphs += 1;
                    }
                }
                b"text:s" if paragraph => {
                    let spaces = times(&start, b"text:c").min(limits::ASKED_VALUE_BYTES_MAX);
                    if let Some(open) = &mut open {
                        write(&mut open.cell.text, &" ".repeat(spaces))?;
                    }
                }
                _ => {}
            },
            Event::Text(text) if paragraph && remarks == 0 && sheet == 1 => {
                if let Some(open) = &mut open {
                    write(&mut open.cell.text, &text.unescape().map_err(|_| BROKEN)?)?;
                }
            }
            Event::End(end) => match end.name().as_ref() {
                // Of several sheets the first is read.
                b"table:table" | b"office:spreadsheet" => {}
                _ if sheet != 1 => {}
                b"office:annotation" => remarks = remarks.saturating_sub(1),
                b"text:p" if remarks == 0 => paragraph = false,
                b"table:table-cell" | b"table:covered-table-cell" => {
                    if let Some(open) = open.take() {
                        closed(open, &mut row)?;
                    }
                }
                b"table:table-row" => table.row(std::mem::take(&mut row), repeat)?,
                _ => {}
            },
            _ => {}
        }
        Ok(())
    })?;
    Ok(table.rows)
}

fn opened(start: &BytesStart<'_>) -> Open {
    let kind = attribute(start, b"office:value-type");
    let value = match kind.as_deref() {
        Some("float" | "currency" | "percentage") => {
            attribute(start, b"office:value").map(|text| number(&text))
        }
        Some("date") => attribute(start, b"office:date-value"),
        _ => None,
    };
    let numeric = matches!(kind.as_deref(), Some("float" | "currency" | "percentage"));
    let formula = attribute(start, b"table:formula").is_some();
    let cell = Cell { text: String::new(), number: numeric, formula };
    Open { cell, times: times(start, b"table:number-columns-repeated"), value, paragraphs: 0 }
}

fn closed(open: Open, row: &mut Vec<Cell>) -> Result<(), SheetFault> {
    let Open { mut cell, times, value, .. } = open;
    if let Some(value) = value {
        cell.text = value;
    }
    // Empty cells to the end of a row are thousands, and none.
    if cell.text.is_empty() {
        let room = (limits::LIST_COLUMNS_MAX + 1).saturating_sub(row.len());
        row.extend(std::iter::repeat_n(Cell::default(), times.min(room)));
        return Ok(());
    }
    if row.len().saturating_add(times) > limits::LIST_COLUMNS_MAX {
        return Err(COLUMNS);
    }
    row.extend(std::iter::repeat_n(cell, times));
    Ok(())
}

/// The path of the first sheet of a workbook.
pub(super) fn first_sheet(workbook: &[u8], relations: &[u8]) -> Result<Option<String>, SheetFault> {
    let mut id = None;
    walk(workbook, |event| {
        if let Event::Start(start) = &event
            && start.local_name().as_ref() == b"sheet"
            && id.is_none()
        {
            id = attribute(start, b"r:id");
        }
        Ok(())
    })?;
    let mut targets = BTreeMap::new();
    walk(relations, |event| {
        if let Event::Start(start) = &event
            && start.local_name().as_ref() == b"Relationship"
            && attribute(start, b"TargetMode").as_deref() != Some("External")
            && let (Some(id), Some(target)) = (attribute(start, b"Id"), attribute(start, b"Target"))
        {
            targets.insert(id, target);
        }
        Ok(())
    })?;
    let target = id.and_then(|id| targets.remove(&id));
    Ok(target.map(|target| match target.strip_prefix('/') {
        Some(whole) => whole.to_owned(),
        None => format!("xl/{target}"),
    }))
}

/// The texts that cells of a workbook point to; how to read Chinese characters aloud is none of them.
pub(super) fn shared_strings(bytes: &[u8]) -> Result<Vec<String>, SheetFault> {
    let (mut all, mut one) = (Vec::new(), String::new());
    let (mut within, mut aloud, mut kept) = (false, false, 0_usize);
    walk(bytes, |event| {
        match event {
            Event::Start(start) => match start.local_name().as_ref() {
                b"si" => one.clear(),
                b"rPh" => aloud = true,
                b"t" => within = true,
                _ => {}
            },
            Event::Text(text) if within && !aloud => {
                write(&mut one, &text.unescape().map_err(|_| BROKEN)?)?;
            }
            Event::End(end) => match end.local_name().as_ref() {
                b"rPh" => aloud = false,
                b"t" => within = false,
                b"si" => {
                    kept = kept.saturating_add(one.len());
                    if kept > limits::LIST_TEXT_BYTES_MAX {
                        return Err(TEXTS);
                    }
                    if all.len() >= limits::LIST_CELLS_MAX {
                        return Err(SheetFault::TooMuch("it has more cells than a list may"));
                    }
                    all.push(std::mem::take(&mut one));
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    })?;
    Ok(all)
}

/// The column that a cell's reference names, from 0: `AB12` is 27.
fn column(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_uppercase);
    let at = letters.fold(0_usize, |at, letter| {
        at.saturating_mul(26).saturating_add(usize::from(letter - b'A') + 1)
    });
    at.checked_sub(1)
}

/// The cells of a sheet.
pub(super) fn excel_sheet(bytes: &[u8], shared: &[String]) -> Result<Vec<Vec<Cell>>, SheetFault> {
    let (mut table, mut row) = (Table::default(), Vec::<Cell>::new());
    let (mut cell, mut kind, mut at) = (Cell::default(), String::new(), 0_usize);
    let (mut within, mut aloud) = (false, false);
    walk(bytes, |event| {
        match event {
            Event::Start(start) => match start.local_name().as_ref() {
                b"row" => row.clear(),
                b"c" => {
                    cell = Cell::default();
                    kind = attribute(&start, b"t").unwrap_or_else(|| "n".to_owned());
                    let named = attribute(&start, b"r").and_then(|text| column(&text));
                    at = named.unwrap_or(row.len());
                }
                b"f" => cell.formula = true,
                b"rPh" => aloud = true,
                b"v" | b"t" => within = true,
                _ => {}
            },
            Event::Text(text) if within && !aloud => {
                write(&mut cell.text, &text.unescape().map_err(|_| BROKEN)?)?;
            }
            Event::End(end) => match end.local_name().as_ref() {
                b"rPh" => aloud = false,
                b"v" | b"t" => within = false,
                b"c" => {
                    if at >= limits::LIST_COLUMNS_MAX {
                        return Err(COLUMNS);
                    }
                    let cell = finished(std::mem::take(&mut cell), &kind, shared)?;
                    if row.len() <= at {
                        row.resize(at + 1, Cell::default());
                    }
                    if let Some(place) = row.get_mut(at) {
                        *place = cell;
                    }
                }
                b"row" => table.row(std::mem::take(&mut row), 1)?,
                _ => {}
            },
            _ => {}
        }
        Ok(())
    })?;
    Ok(table.rows)
}

fn finished(cell: Cell, kind: &str, shared: &[String]) -> Result<Cell, SheetFault> {
    let Cell { text, formula, .. } = cell;
    Ok(match kind {
        "s" => {
            let place = text.trim().parse::<usize>().ok().and_then(|at| shared.get(at));
            let text = place.ok_or(SheetFault::Broken("a cell points to no text"))?.clone();
            Cell { text, number: false, formula }
        }
        "n" if !text.is_empty() => Cell { text: number(&text), number: true, formula },
        _ => Cell { text, number: false, formula },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn texts(rows: &[Vec<Cell>]) -> Vec<Vec<&str>> {
        rows.iter().map(|row| row.iter().map(|cell| cell.text.as_str()).collect()).collect()
    }

    fn ods(rows: &str) -> String {
        format!(
            "<office:document-content><office:body><office:spreadsheet><table:table>{rows}</table:table>\
             <table:table><table:table-row><table:table-cell><text:p>second</text:p></table:table-cell>\
             </table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
        )
    }

    #[test]
    fn cells_that_repeat_numbers_remarks_and_formulas_are_what_they_are() {
        let text = ods(
            "<table:table-row><table:table-cell office:value-type=\"string\"><office:annotation><text:p>remark</text:p>\
             </office:annotation><text:p>a<text:s text:c=\"2\"/>&amp;</text:p><text:p>b</text:p></table:table-cell>\
             <table:table-cell table:number-columns-repeated=\"2\"/>\
             <table:table-cell office:value-type=\"float\" office:value=\"12\" table:formula=\"of:=A1\"><text:p>12.00</text:p>\
             </table:table-cell><table:table-cell table:number-columns-repeated=\"16380\"/></table:table-row>\
             <table:table-row table:number-rows-repeated=\"1048574\"><table:table-cell table:number-columns-repeated=\"16384\"/>\
             </table:table-row>",
        );
        let rows = open_document(text.as_bytes()).unwrap();
        assert_eq!(texts(&rows)[0], ["a  &\nb", "", "", "12"]);
        assert!(rows[0][3].number && rows[0][3].formula);
        assert!(rows[1..].iter().all(Vec::is_empty));
    }

    #[test]
    fn what_repeats_without_end_is_refused() {
        for row in [
            "<table:table-row table:number-rows-repeated=\"999999999\"><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>",
            "<table:table-row><table:table-cell table:number-columns-repeated=\"999999999\"><text:p>x</text:p></table:table-cell></table:table-row>",
        ] {
            assert!(matches!(open_document(ods(row).as_bytes()), Err(SheetFault::TooMuch(_))));
        }
        let entity = "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>";
        assert!(matches!(open_document(entity.as_bytes()), Err(SheetFault::Broken(_))));
    }

    #[test]
    fn a_workbook_s_cells_stand_where_they_say() {
        let shared = shared_strings(
            "<sst><si><t>統一</t><rPh><t>ㄊㄨㄥ</t></rPh><r><t>編號</t></r></si><si><t>x</t></si></sst>".as_bytes(),
        )
        .unwrap();
        assert_eq!(shared, ["統一編號", "x"]);
        let sheet = "<worksheet><sheetData><row><c r=\"B1\" t=\"s\"><v>0</v></c></row><row>\
            <c r=\"A2\"><v>1.0E2</v></c><c r=\"B2\" t=\"inlineStr\"><is><t>A</t></is></c>\
            <c r=\"C2\" t=\"str\"><f>B2</f><v>A</v></c></row></sheetData></worksheet>";
        let rows = excel_sheet(sheet.as_bytes(), &shared).unwrap();
        assert_eq!(texts(&rows), [vec!["", "統一編號"], vec!["100", "A", "A"]]);
        assert!(rows[1][0].number && rows[1][2].formula);
        let wrong = "<row><c r=\"A1\" t=\"s\"><v>7</v></c></row>";
        assert!(excel_sheet(wrong.as_bytes(), &shared).is_err());
        let far = "<row><c r=\"ZZZZZZ1\"><v>7</v></c></row>";
        assert!(matches!(excel_sheet(far.as_bytes(), &[]), Err(SheetFault::TooMuch(_))));
    }

    fn too_much(read: &Result<Vec<Vec<Cell>>, SheetFault>) -> bool {
        matches!(read, Err(SheetFault::TooMuch(_)))
    }

    #[test]
    fn a_text_that_is_small_in_the_file_and_large_in_memory_is_refused() {
        let long = "x".repeat(limits::LIST_CELL_BYTES_MAX);
        // One cell.
        let cell = format!(
            "<table:table-row><table:table-cell><text:p>{long}</text:p><text:p>y</text:p></table:table-cell></table:table-row>"
        );
        assert!(too_much(&open_document(ods(&cell).as_bytes())));
        let spaces = "<text:s text:c=\"999999999\"/>".repeat(200);
        let cell = format!(
            "<table:table-row><table:table-cell><text:p>{spaces}</text:p></table:table-cell></table:table-row>"
        );
        assert!(too_much(&open_document(ods(&cell).as_bytes())));
        assert!(too_much(&excel_sheet(
            format!("<row><c t=\"str\"><v>{long}x</v></c></row>").as_bytes(),
            &[]
        )));
        // A long one, again and again: rows, columns, and cells that point to it.
        for again in
            ["<table:table-row table:number-rows-repeated=\"1000\"><table:table-cell>", ROW_OF_250]
        {
            let cell =
                format!("{again}<text:p>{long}</text:p></table:table-cell></table:table-row>");
            assert!(too_much(&open_document(ods(&cell.repeat(3)).as_bytes())));
        }
        let shared = [long.clone()];
        let rows = "<row><c t=\"s\"><v>0</v></c></row>".repeat(1_000);
        assert!(too_much(&excel_sheet(
            format!("<sheetData>{rows}</sheetData>").as_bytes(),
            &shared
        )));
        // The table of texts itself.
        let all = format!("<si><t>{long}</t></si>").repeat(600);
        let all = shared_strings(format!("<sst>{all}</sst>").as_bytes());
        assert!(matches!(all, Err(SheetFault::TooMuch(_))));
        // As much as a spreadsheet's cell may have is read.
        let cell = format!("<row><c t=\"str\"><v>{long}</v></c></row>");
        assert!(excel_sheet(cell.as_bytes(), &[]).is_ok());
    }

    const ROW_OF_250: &str =
        "<table:table-row><table:table-cell table:number-columns-repeated=\"250\">";

    #[test]
    fn xml_that_is_deep_or_has_endless_tags_is_refused_at_once() {
        let deep = "<a>".repeat(2_000_000);
        assert!(matches!(open_document(deep.as_bytes()), Err(SheetFault::Broken(_))));
        assert!(matches!(excel_sheet(deep.as_bytes(), &[]), Err(SheetFault::Broken(_))));
        let attributes: String = (0..150_000).map(|at| format!(" a{at}=\"\"")).collect();
        let tag = format!("<table:table-row{attributes}>");
        assert!(matches!(open_document(ods(&tag).as_bytes()), Err(SheetFault::TooMuch(_))));
        // Within the limit it is read, and in no time: no attribute is compared with each other one.
        let attributes: String = (0..60_000).map(|at| format!(" a{at}=\"\"")).collect();
        let row = format!("<table:table-row{attributes}></table:table-row>").repeat(20);
        assert!(open_document(ods(&row).as_bytes()).is_ok());
    }
}
