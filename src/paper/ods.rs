//! A form as an OpenDocument spreadsheet (ODF 1.3), the form of file that editable documents of the administration have
//! (ODF-CNS 15251).
//!
//! Every cell is text, so nothing is ever calculated; each table is a sheet, landscape on A4, whose head repeats on
//! every page and whose foot has page numbers and the register that it comes from.

use std::fmt::Write as _;

use zip::result::ZipError;

use super::{
    Column, Form, Seat, Table,
    form::{Cover, struck},
    html::escaped,
    odf::{HEAD, Package, SPACES},
};

/// Millimetres that a table may be wide: A4 landscape without its margins.
const WIDTH_MM: f64 = 273.0;

/// Characters of the heads that a line has room for, by what a full-width one takes.
const HEAD_ROOM: f32 = 82.0;

/// Rows that are put on one page, where a form is to stand on one; what has more goes on, so that it can be read.
const ONE_PAGE_ROWS: usize = 45;

pub(super) const MIME: &str = "application/vnd.oasis.opendocument.spreadsheet";

/// The file.
///
/// # Errors
/// It is larger than a ZIP file may be.
pub fn write(form: &Form) -> Result<Vec<u8>, ZipError> {
    let title = form.full_title();
    let (styles, content) = (styles(form), content(form));
    Package { mime: MIME, title: &title, made_at: &form.made_at, styles, content }.write()
}

/// The page: A4 landscape, the form's foot and page numbers beneath.
fn styles(form: &Form) -> String {
    let rows = form.tables.iter().map(|table| table.rows.len()).max().unwrap_or_default();
    let tall = u8::from(form.one_page && rows <= ONE_PAGE_ROWS);
    format!(
        "{HEAD}<office:document-styles {SPACES}><office:styles>\
         <style:default-style style:family=\"table-cell\"><style:paragraph-properties style:line-break=\"strict\" \
         style:punctuation-wrap=\"hanging\"/><style:text-properties fo:font-family=\"標楷體\" \
         style:font-family-asian=\"標楷體\" fo:font-size=\"9pt\" \
         style:font-size-asian=\"9pt\" fo:language=\"en\" fo:country=\"US\" style:language-asian=\"zh\" \
         style:country-asian=\"TW\"/></style:default-style>\
         <style:style style:name=\"Default\" style:family=\"table-cell\"/></office:styles>\
         <office:automatic-styles><style:style style:name=\"foot\" style:family=\"paragraph\"><style:paragraph-properties \
         fo:text-align=\"center\"/><style:text-properties fo:font-size=\"7pt\" style:font-size-asian=\"7pt\"/></style:style>\
         <style:page-layout style:name=\"page\"><style:page-layout-properties \
         fo:page-width=\"297mm\" fo:page-height=\"210mm\" style:print-orientation=\"landscape\" \
         fo:margin-top=\"12mm\" fo:margin-bottom=\"8mm\" fo:margin-left=\"12mm\" fo:margin-right=\"12mm\" \
         style:scale-to-X=\"1\" style:scale-to-Y=\"{tall}\" style:table-centering=\"horizontal\"/><style:footer-style>\
         <style:header-footer-properties fo:min-height=\"10mm\" fo:margin-top=\"2mm\"/></style:footer-style>\
         </style:page-layout></office:automatic-styles><office:master-styles>\
         <style:master-page style:name=\"Default\" style:page-layout-name=\"page\"><style:footer>\
         <text:p text:style-name=\"foot\">{}</text:p><text:p text:style-name=\"foot\">{}　第 <text:page-number>1</text:page-number> 頁，共 \
         <text:page-count>1</text:page-count> 頁</text:p></style:footer></style:master-page></office:master-styles></office:document-styles>",
        escaped(&form.foot),
        escaped(&form.title),
    )
}

fn content(form: &Form) -> String {
    let mut text = format!("{HEAD}<office:document-content {SPACES}><office:automatic-styles>");
    text.push_str("<style:style style:name=\"sheet\" style:family=\"table\" style:master-page-name=\"Default\"><style:table-properties table:display=\"true\"/></style:style>");
    text.push_str("<style:style style:name=\"row\" style:family=\"table-row\"><style:table-row-properties style:use-optimal-row-height=\"true\"/></style:style>");
    // Of a cover; a box to sign off in is as tall as what stands in it.
    text.push_str("<style:style style:name=\"tall\" style:family=\"table-row\"><style:table-row-properties style:row-height=\"18mm\" style:use-optimal-row-height=\"false\"/></style:style>");
    for (name, lined, align, more) in [
        ("title", false, "center", " fo:font-size=\"16pt\" style:font-size-asian=\"16pt\""),
        ("said", false, "start", ""),
        ("centre", false, "center", " fo:font-size=\"12pt\" style:font-size-asian=\"12pt\""),
        ("head", true, "center", " fo:font-weight=\"bold\" style:font-weight-asian=\"bold\""),
        ("text", true, "start", ""),
        ("short", true, "center", ""),
    ] {
        let line =
            if lined { " fo:border=\"0.5pt solid #000000\" fo:padding=\"0.6mm\"" } else { "" };
        let grey = if name == "head" { " fo:background-color=\"#eeeeee\"" } else { "" };
        let middle = if align == "center" { "middle" } else { "top" };
        let _ = write!(
            text,
            "<style:style style:name=\"{name}\" style:family=\"table-cell\" style:parent-style-name=\"Default\">\
             <style:table-cell-properties fo:wrap-option=\"wrap\" style:vertical-align=\"{middle}\"{line}{grey}/>\
             <style:paragraph-properties fo:text-align=\"{align}\" style:line-break=\"strict\"/><style:text-properties{more}/></style:style>"
        );
    }
    for (t, table) in form.tables.iter().enumerate() {
        let shares: u32 = table.columns.iter().map(|column| u32::from(column.share)).sum();
        for (c, column) in table.columns.iter().enumerate() {
            let width = WIDTH_MM * f64::from(column.share) / f64::from(shares.max(1));
            let _ = write!(
                text,
                "<style:style style:name=\"t{t}c{c}\" style:family=\"table-column\">\
                 <style:table-column-properties style:column-width=\"{width:.2}mm\"/></style:style>"
            );
        }
    }
    text.push_str(
        "<style:style style:name=\"struck\" style:family=\"text\"><style:text-properties \
         style:text-line-through-style=\"solid\" style:text-line-through-type=\"single\"/></style:style>\
         <style:style style:name=\"cover\" style:family=\"table-column\"><style:table-column-properties \
         style:column-width=\"91mm\"/></style:style>",
    );
    text.push_str("</office:automatic-styles><office:body><office:spreadsheet>");
    if let Some(first) = &form.cover {
        cover(&mut text, form, first);
    }
    for (t, table) in form.tables.iter().enumerate() {
        sheet(&mut text, form, t, table);
    }
    text + "</office:spreadsheet></office:body></office:document-content>"
}

/// The cover, a sheet of its own.
fn cover(text: &mut String, form: &Form, cover: &Cover) {
    const COLUMNS: usize = 3;
    text.push_str("<table:table table:name=\"封面\" table:style-name=\"sheet\">");
    for _ in 0..COLUMNS {
        text.push_str("<table:table-column table:style-name=\"cover\"/>");
    }
    for said in ["", "", &form.agency, &form.title, &cover.volume, "", ""] {
        text.push_str("<table:table-row table:style-name=\"tall\">");
        cell(text, "title", said, COLUMNS);
        text.push_str("</table:table-row>");
    }
    for (label, value) in &cover.lines {
        wide(text, "centre", &format!("{label}：{value}"), COLUMNS);
    }
    text.push_str("</table:table>");
}

fn sheet(text: &mut String, form: &Form, t: usize, table: &Table) {
    let width = table.columns.len();
    let last = t + 1 == form.tables.len();
    let _ = write!(
        text,
        "<table:table table:name=\"{}\" table:style-name=\"sheet\">",
        escaped(&table.name.replace(['/', '\\', '?', '*', '[', ']', ':', '\''], "／"))
    );
    for c in 0..width {
        let _ = write!(text, "<table:table-column table:style-name=\"t{t}c{c}\"/>");
    }
    text.push_str("<table:table-header-rows>");
    wide(text, "title", &form.full_title(), width);
    wide(text, "said", &form.head_lines(HEAD_ROOM, room).join("\n"), width);
    if form.tables.len() > 1 {
        wide(text, "said", &table.name, width);
    }
    row(text, "row", table.columns.iter().map(|column| ("head", column.title.as_ref())));
    text.push_str("</table:table-header-rows>");
    for cells in &table.rows {
        let styles = table.columns.iter().map(|c| if c.centred { "short" } else { "text" });
        row(text, "row", styles.zip(cells.iter().map(String::as_str)));
    }
    if last {
        end(text, form, &table.columns);
    }
    text.push_str("</table:table>");
}

/// What stands beneath the last table: boxes to sign off in, remarks, and the register that it comes from.
fn end(text: &mut String, form: &Form, columns: &[Column]) {
    let width = columns.len();
    wide(text, "said", "", width);
    let shares: Vec<u16> = columns.iter().map(|column| column.share).collect();
    for seats in form.seats.chunks(in_a_row(&shares, form.seats.len())) {
        boxes(text, seats, &spans(&shares, seats.len()));
        wide(text, "said", "", width);
    }
    for said in form.notes.iter().chain(&form.proof) {
        wide(text, "said", said, width);
    }
}

/// Boxes side by side: whose each is, and what stands in it.
fn boxes(text: &mut String, seats: &[Seat], spans: &[usize]) {
    for head in [true, false] {
        text.push_str("<table:table-row table:style-name=\"row\">");
        for (seat, span) in seats.iter().zip(spans) {
            if head {
                cell(text, "head", &seat.office, *span);
            } else if seat.signed.is_some() {
                cell(text, "short", &seat.said(), *span);
            } else {
                // Room for ink between the lines.
                cell(text, "text", &format!("{}\n", seat.said().replace('\n', "\n\n")), *span);
            }
        }
        text.push_str("</table:table-row>");
    }
}

/// How many boxes stand side by side: as many as the columns part about evenly.
fn in_a_row(shares: &[u16], seats: usize) -> usize {
    let even = |n: &usize| {
        let whole: u16 = shares.iter().sum();
        let mut from = 0;
        spans(shares, *n).into_iter().all(|span| {
            let wide: u16 = shares.iter().skip(from).take(span).sum();
            from += span;
            // Three fifths of an even part, and a fifth of the sheet.
            u64::from(wide) * (*n as u64) * 5 >= u64::from(whole) * 3
                && u64::from(wide) * 6 >= u64::from(whole)
        })
    };
    let most = (2..=seats.min(shares.len())).rev().find(even).unwrap_or(1);
    // As many in each row, where that parts evenly too.
    let alike = seats.div_ceil(seats.div_ceil(most).max(1));
    if alike > 1 && even(&alike) { alike } else { most }
}

/// Over how many columns each of so many boxes goes: the border of a column is each time the one nearest to an even part.
fn spans(shares: &[u16], seats: usize) -> Vec<usize> {
    let whole: u64 = shares.iter().map(|share| u64::from(*share)).sum();
    let before = |n: usize| -> u64 { shares.iter().take(n).map(|share| u64::from(*share)).sum() };
    let (mut spans, mut from) = (Vec::with_capacity(seats), 0);
    for seat in 1..=seats {
        let left = seats - seat;
        let last = shares.len().saturating_sub(left).max(from + 1);
        let to = match left {
            0 => shares.len().max(from + 1),
            _ => (from + 1..=last)
                .min_by_key(|n| (before(*n) * seats as u64).abs_diff(whole * seat as u64))
                .unwrap_or(last),
        };
        spans.push(to - from);
        from = to;
    }
    spans
}

/// What a text takes of a line, in full-width characters.
fn room(text: &str) -> f32 {
    text.chars().map(|c| if c.is_ascii() { 0.55 } else { 1.0 }).sum()
}

/// A row of one cell over all columns.
fn wide(text: &mut String, style: &str, said: &str, width: usize) {
    text.push_str("<table:table-row table:style-name=\"row\">");
    cell(text, style, said, width);
    text.push_str("</table:table-row>");
}

fn row<'c>(text: &mut String, kind: &str, cells: impl Iterator<Item = (&'c str, &'c str)>) {
    let _ = write!(text, "<table:table-row table:style-name=\"{kind}\">");
    for (style, said) in cells {
        cell(text, style, said, 1);
    }
    text.push_str("</table:table-row>");
}

fn cell(text: &mut String, style: &str, said: &str, width: usize) {
    let span = if width > 1 {
        format!(" table:number-columns-spanned=\"{width}\" table:number-rows-spanned=\"1\"")
    } else {
        String::new()
    };
    let _ = write!(
        text,
        "<table:table-cell table:style-name=\"{style}\" office:value-type=\"string\"{span}>"
    );
    for line in said.split('\n') {
        let _ = match struck(line) {
            (line, false) => write!(text, "<text:p>{}</text:p>", escaped(line)),
            (line, true) => {
                let line = escaped(line);
                write!(
                    text,
                    "<text:p><text:span text:style-name=\"struck\">{line}</text:span></text:p>"
                )
            }
        };
    }
    text.push_str("</table:table-cell>");
    if width > 1 {
        let _ = write!(
            text,
            "<table:covered-table-cell table:number-columns-repeated=\"{}\"/>",
            width - 1
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_go_over_columns_as_evenly_as_these_allow() {
        // The copies of a slip, the terms of a grant, the history of a batch, the closing sheet.
        assert_eq!(in_a_row(&[4, 16, 12, 10, 9, 10, 30], 5), 3, "three and two, not four and one");
        assert_eq!(spans(&[4, 16, 12, 10, 9, 10, 30], 3), [3, 3, 1]);
        assert_eq!((in_a_row(&[14, 36, 14, 36], 5), spans(&[14, 36, 14, 36], 2)), (2, vec![2, 2]));
        assert_eq!(in_a_row(&[7, 12, 23, 58], 2), 2);
        assert_eq!((in_a_row(&[30, 20, 30, 20], 4), spans(&[30, 20, 30, 20], 4)), (4, vec![1; 4]));
        // A table of one column, and more boxes than columns.
        assert_eq!((in_a_row(&[100], 3), spans(&[100], 1)), (1, vec![1]));
        for seats in 1..=5 {
            assert_eq!(
                spans(&[6, 9, 12, 10, 10, 11, 6, 8, 8, 8, 9, 7], seats).iter().sum::<usize>(),
                12
            );
        }
    }
}
