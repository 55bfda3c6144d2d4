//! Rows of a reading as an OpenDocument spreadsheet: every cell is text, so that no zero in front is lost and nothing is
//! calculated; one sheet after the other. It is no form, and has nothing on it but the rows.

use std::fmt::Write as _;

use zip::result::ZipError;

use super::{
    html::escaped,
    odf::{HEAD, Package, SPACES},
    ods::MIME,
};

/// A sheet.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// Its first row.
    pub head: Vec<String>,
    /// The others.
    pub rows: Vec<Vec<String>>,
}

/// The file, made at a time (RFC 3339).
///
/// # Errors
/// It is larger than a ZIP file may be.
pub fn ods(sheets: &[Sheet], made_at: &str) -> Result<Vec<u8>, ZipError> {
    let mut text =
        format!("{HEAD}<office:document-content {SPACES}><office:body><office:spreadsheet>");
    for sheet in sheets {
        let _ = write!(text, "<table:table table:name=\"{}\">", escaped(&sheet.name));
        row(&mut text, &sheet.head);
        for cells in &sheet.rows {
            row(&mut text, cells);
        }
        text.push_str("</table:table>");
    }
    text.push_str("</office:spreadsheet></office:body></office:document-content>");
    let styles = format!("{HEAD}<office:document-styles {SPACES}/>");
    Package { mime: MIME, title: "", made_at, styles, content: text }.write()
}

fn row(text: &mut String, cells: &[String]) {
    text.push_str("<table:table-row>");
    for cell in cells {
        text.push_str("<table:table-cell office:value-type=\"string\">");
        for line in cell.split('\n') {
            // Spaces that XML would take for one are kept.
            let line = escaped(line).replace("  ", " <text:s/>");
            let _ = write!(text, "<text:p>{line}</text:p>");
        }
        text.push_str("</table:table-cell>");
    }
    text.push_str("</table:table-row>");
}
