//! A form as an OpenDocument spreadsheet (ODF 1.3), the form of file that editable documents of the administration have
//! (ODF-CNS 15251).
//!
//! Every cell is text, so nothing is ever calculated; each table is a sheet, landscape on A4, whose head repeats on
//! every page and whose foot has page numbers and the register that it comes from.

use std::fmt::Write as _;

use zip::result::ZipError;

use super::{
    Form, Table,
    form::{Cover, struck},
    html::escaped,
    odf::{HEAD, Package, SPACES},
};

/// Millimetres that a table may be wide: A4 landscape without its margins.
const WIDTH_MM: f64 = 273.0;

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
    format!(
        "{HEAD}<office:document-styles {SPACES}><office:styles>\
         <style:default-style style:family=\"table-cell\"><style:text-properties fo:font-family=\"Times New Roman\" \
         style:font-family-asian=\"標楷體\" fo:font-size=\"9pt\" \
         style:font-size-asian=\"9pt\" fo:language=\"zh\" fo:country=\"TW\" style:language-asian=\"zh\" \
         style:country-asian=\"TW\"/></style:default-style>\
         <style:style style:name=\"Default\" style:family=\"table-cell\"/></office:styles>\
         <office:automatic-styles><style:page-layout style:name=\"page\"><style:page-layout-properties \
         fo:page-width=\"297mm\" fo:page-height=\"210mm\" style:print-orientation=\"landscape\" \
         fo:margin-top=\"12mm\" fo:margin-bottom=\"8mm\" fo:margin-left=\"12mm\" fo:margin-right=\"12mm\" \
         style:scale-to-X=\"1\" style:scale-to-Y=\"0\" style:table-centering=\"horizontal\"/><style:footer-style>\
         <style:header-footer-properties fo:min-height=\"10mm\" fo:margin-top=\"2mm\"/></style:footer-style>\
         </style:page-layout></office:automatic-styles><office:master-styles>\
         <style:master-page style:name=\"Default\" style:page-layout-name=\"page\"><style:footer>\
         <text:p>{}</text:p><text:p>{}　第 <text:page-number>1</text:page-number> 頁，共 \
         <text:page-count>1</text:page-count> 頁</text:p></style:footer></style:master-page></office:master-styles></office:document-styles>",
        escaped(&form.foot),
        escaped(&form.title),
    )
}

fn content(form: &Form) -> String {
    let mut text = format!("{HEAD}<office:document-content {SPACES}><office:automatic-styles>");
    text.push_str("<style:style style:name=\"sheet\" style:family=\"table\" style:master-page-name=\"Default\"><style:table-properties table:display=\"true\"/></style:style>");
    text.push_str("<style:style style:name=\"row\" style:family=\"table-row\"><style:table-row-properties style:use-optimal-row-height=\"true\"/></style:style>");
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
             <style:paragraph-properties fo:text-align=\"{align}\"/><style:text-properties{more}/></style:style>"
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
    let heads: Vec<String> =
        form.heads.iter().map(|(label, value)| format!("{label}：{value}")).collect();
    wide(text, "said", &heads.join("　　"), width);
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
        end(text, form, width);
    }
    text.push_str("</table:table>");
}

/// What stands beneath the last table: boxes to sign off in, remarks, and the register that it comes from.
fn end(text: &mut String, form: &Form, width: usize) {
    wide(text, "said", "", width);
    if !form.seats.is_empty() {
        let (each, left) = (width / form.seats.len(), width % form.seats.len());
        for (style, kind) in [("head", "row"), ("short", "tall")] {
            let _ = write!(text, "<table:table-row table:style-name=\"{kind}\">");
            for (n, seat) in form.seats.iter().enumerate() {
                let said = if style == "head" { seat.office.to_string() } else { seat.said() };
                let blank = style != "head" && seat.signed.is_none();
                let style = if blank { "text" } else { style };
                cell(text, style, &said, each.max(1) + usize::from(n < left));
            }
            text.push_str("</table:table-row>");
        }
        wide(text, "said", "", width);
    }
    for said in form.notes.iter().chain(&form.proof) {
        wide(text, "said", said, width);
    }
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
