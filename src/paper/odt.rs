//! A draft of a letter as an OpenDocument text (ODF 1.3): A4 upright, in the regular script, with the parts in the places where
//! the handbook of official documents has them. That it is a draft stands in its title and at the foot of every page.

use std::fmt::Write as _;

use zip::result::ZipError;

use super::{
    html::escaped,
    letter::{Letter, LetterKind, NO_DAY},
    odf::{HEAD, Package, SPACES},
    words,
};

const MIME: &str = "application/vnd.oasis.opendocument.text";

/// Millimetres that the boxes are wide together: A4 upright without its margins.
const SEATS_MM: f64 = 160.0;

/// The file.
///
/// # Errors
/// It is larger than a ZIP file may be.
pub fn write(letter: &Letter) -> Result<Vec<u8>, ZipError> {
    let title = letter.title();
    let (styles, content) = (styles(letter), content(letter));
    Package { mime: MIME, title: &title, made_at: &letter.made_at, styles, content }.write()
}

fn styles(letter: &Letter) -> String {
    format!(
        "{HEAD}<office:document-styles {SPACES}><office:styles>\
         <style:default-style style:family=\"paragraph\"><style:paragraph-properties fo:line-height=\"125%\" \
         style:text-autospace=\"ideograph-alpha\" style:punctuation-wrap=\"hanging\" style:line-break=\"strict\"/>\
         <style:text-properties fo:font-family=\"Times New Roman\" \
         style:font-family-asian=\"標楷體\" fo:font-size=\"16pt\" style:font-size-asian=\"16pt\" fo:language=\"en\" \
         fo:country=\"US\" style:language-asian=\"zh\" style:country-asian=\"TW\"/></style:default-style>\
         <style:style style:name=\"Standard\" style:family=\"paragraph\"/></office:styles>\
         <office:automatic-styles><style:style style:name=\"foot\" style:family=\"paragraph\">\
         <style:paragraph-properties fo:text-align=\"center\" fo:line-height=\"120%\"/><style:text-properties \
         fo:font-size=\"8pt\" style:font-size-asian=\"8pt\"/></style:style><style:page-layout style:name=\"page\">\
         <style:page-layout-properties fo:page-width=\"210mm\" fo:page-height=\"297mm\" \
         style:print-orientation=\"portrait\" fo:margin-top=\"20mm\" fo:margin-bottom=\"12mm\" \
         fo:margin-left=\"25mm\" fo:margin-right=\"25mm\"/><style:footer-style><style:header-footer-properties \
         fo:min-height=\"14mm\" fo:margin-top=\"4mm\"/></style:footer-style></style:page-layout>\
         </office:automatic-styles><office:master-styles><style:master-page style:name=\"Standard\" \
         style:page-layout-name=\"page\"><style:footer><text:p text:style-name=\"foot\">稿　未經核定發文，不生效力　第 \
         <text:page-number text:select-page=\"current\">1</text:page-number> 頁，共 <text:page-count>1</text:page-count> \
         頁</text:p><text:p text:style-name=\"foot\">{}</text:p></style:footer></style:master-page>\
         </office:master-styles></office:document-styles>",
        escaped(&letter.foot),
    )
}

/// A style of paragraphs: its name, size, alignment, and what else there is to say of it.
fn style(text: &mut String, name: &str, size: u8, align: &str, more: &str) {
    let _ = write!(
        text,
        "<style:style style:name=\"{name}\" style:family=\"paragraph\" style:parent-style-name=\"Standard\">\
         <style:paragraph-properties fo:text-align=\"{align}\"{more}/><style:text-properties \
         fo:font-size=\"{size}pt\" style:font-size-asian=\"{size}pt\"/></style:style>"
    );
}

/// A paragraph whose lines after the first begin `hang` points further in, which itself begins at `left`.
fn hanging(left: u16, hang: u16) -> String {
    format!(" fo:margin-left=\"{}pt\" fo:text-indent=\"-{hang}pt\"", left + hang)
}

fn content(letter: &Letter) -> String {
    let mut text = format!("{HEAD}<office:document-content {SPACES}><office:automatic-styles>");
    style(&mut text, "title", 20, "center", " fo:margin-bottom=\"8pt\"");
    style(&mut text, "aside", 12, "start", " fo:margin-left=\"95mm\" fo:line-height=\"120%\"");
    style(&mut text, "to", 16, "start", " fo:margin-top=\"8pt\"");
    style(&mut text, "fact", 12, "start", " fo:line-height=\"125%\"");
    style(&mut text, "head", 16, "start", &hanging(0, 48));
    style(&mut text, "point", 16, "start", &hanging(16, 32));
    style(&mut text, "within", 16, "start", &hanging(48, 48));
    // What closes a letter stays with its boxes: they never stand alone on a page.
    let closing = |hang| format!("{} fo:keep-with-next=\"always\"", hanging(0, hang));
    style(&mut text, "copies", 12, "start", &format!("{} fo:margin-top=\"8pt\"", closing(36)));
    style(&mut text, "close", 16, "start", &closing(48));
    let last = format!("{} fo:keep-with-next=\"always\"", hanging(16, 32));
    style(&mut text, "last", 16, "start", &last);
    let _ = write!(
        text,
        "<style:style style:name=\"column\" style:family=\"table-column\"><style:table-column-properties \
         style:column-width=\"{:.2}mm\"/></style:style>",
        SEATS_MM / f64::from(u32::try_from(letter.seats.len().max(1)).unwrap_or(1))
    );
    style(&mut text, "cell", 12, "center", " fo:line-height=\"120%\"");
    style(&mut text, "name", 11, "center", " fo:line-height=\"120%\"");
    text.push_str(
        "<style:style style:name=\"seats\" style:family=\"table\"><style:table-properties style:width=\"160mm\" \
         table:align=\"center\" fo:margin-top=\"14pt\" style:may-break-between-rows=\"false\"/></style:style>\
         <style:style style:name=\"seat\" style:family=\"table-cell\"><style:table-cell-properties \
         fo:border=\"0.5pt solid #000000\" fo:padding=\"1mm\" style:vertical-align=\"middle\"/></style:style>\
         <style:style style:name=\"tall\" style:family=\"table-row\"><style:table-row-properties \
         style:min-row-height=\"24mm\" fo:keep-together=\"always\"/></style:style>",
    );
    text.push_str("</office:automatic-styles><office:body><office:text>");
    match letter.kind {
        LetterKind::Letter => addressed(&mut text, letter),
        LetterKind::Memorandum => within(&mut text, letter),
    }
    paragraph(&mut text, "head", &format!("主旨：{}", letter.subject));
    points(&mut text, "說明：", &letter.explained);
    if !letter.proposed.is_empty() {
        points(&mut text, "擬辦：", &letter.proposed);
    }
    match letter.kind {
        LetterKind::Letter => {
            let to = letter.to.as_deref().unwrap_or("　");
            paragraph(&mut text, "copies", &format!("正本：{to}"));
            paragraph(&mut text, "copies", &format!("副本：{}", letter.copies.join("、")));
        }
        LetterKind::Memorandum => paragraph(&mut text, "close", "敬陳"),
    }
    seats(&mut text, letter);
    text + "</office:text></office:body></office:document-content>"
}

/// The head of a 函.
fn addressed(text: &mut String, letter: &Letter) {
    for said in ["檔　　號：", "保存年限："] {
        paragraph(text, "aside", said);
    }
    paragraph(text, "title", &letter.title());
    let handler = format!("承 辦 人：{}", letter.handler.as_deref().unwrap_or_default());
    for said in ["機關地址：", &handler, "電　　話：", "電子郵件："] {
        paragraph(text, "aside", said);
    }
    paragraph(text, "to", &format!("受文者：{}", letter.to.as_deref().unwrap_or_default()));
    for said in [
        format!("發文日期：{NO_DAY}"),
        "發文字號：　　　　字第　　　　　　　　　　號".to_owned(),
        "速別：".to_owned(),
        "密等及解密條件或保密期限：".to_owned(),
        format!("附件：{}", letter.attached.as_deref().unwrap_or_default()),
    ] {
        paragraph(text, "fact", &said);
    }
    paragraph(text, "fact", "");
}

/// The head of a 簽.
fn within(text: &mut String, letter: &Letter) {
    paragraph(text, "title", &letter.title());
    paragraph(text, "fact", &format!("{NO_DAY}　於　　　　　　（單位）"));
    paragraph(text, "fact", "");
}

/// A part of several points; one alone has no number.
fn points(text: &mut String, head: &str, points: &[String]) {
    if let [only] = points {
        paragraph(text, "head", &format!("{head}{only}"));
        return;
    }
    paragraph(text, "head", head);
    for (n, point) in points.iter().enumerate() {
        let number = words::numeral(n + 1);
        for (line, said) in point.split('\n').enumerate() {
            if line == 0 {
                let style = if n + 1 == points.len() { "last" } else { "point" };
                paragraph(text, style, &format!("{number}、{said}"));
            } else {
                paragraph(text, "within", said);
            }
        }
    }
}

/// Where people sign off, side by side.
fn seats(text: &mut String, letter: &Letter) {
    let _ = write!(
        text,
        "<table:table table:name=\"seats\" table:style-name=\"seats\"><table:table-column \
         table:style-name=\"column\" table:number-columns-repeated=\"{}\"/>",
        letter.seats.len().max(1)
    );
    for row in ["", " table:style-name=\"tall\""] {
        let _ = write!(text, "<table:table-row{row}>");
        for (seat, held_by) in &letter.seats {
            text.push_str(
                "<table:table-cell table:style-name=\"seat\" office:value-type=\"string\">",
            );
            if row.is_empty() {
                paragraph(text, "cell", seat);
            } else {
                paragraphs(text, held_by);
            }
            text.push_str("</table:table-cell>");
        }
        text.push_str("</table:table-row>");
    }
    text.push_str("</table:table>");
}

/// Names in a box, with room for ink beneath; an empty one where nobody is known.
fn paragraphs(text: &mut String, names: &[String]) {
    names.iter().for_each(|name| paragraph(text, "name", name));
    paragraph(text, "cell", "");
}

fn paragraph(text: &mut String, style: &str, said: &str) {
    let _ = write!(text, "<text:p text:style-name=\"{style}\">{}</text:p>", escaped(said));
}
