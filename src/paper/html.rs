//! A form as one HTML file: nothing is fetched, nothing runs, every text is escaped. It prints on A4, landscape.

use std::fmt::Write as _;

use super::{Form, Seat, Table, form::struck};

const STYLE: &str = "@page{size:A4 landscape;margin:12mm 12mm 16mm}\
body{font-family:'TW-Kai','DFKai-SB','BiauKai','Noto Serif CJK TC',serif;font-size:9pt;color:#000;background:#fff}\
h1{font-size:16pt;text-align:center;margin:.2em}h2{font-size:11pt;margin:1.2em 0 .3em}\
p.agency{font-size:12pt;text-align:center;margin:0}p.heads span{margin-right:2em}\
table{border-collapse:collapse;width:100%;table-layout:fixed}\
th,td{border:.5pt solid #000;padding:2pt 3pt;vertical-align:top;white-space:pre-line;overflow-wrap:anywhere}\
th{background:#eee;text-align:center;vertical-align:middle}td.c{text-align:center}\
section.cover{break-after:page;text-align:center;padding-top:35mm}section.cover h1{font-size:26pt}\
section.cover p{font-size:13pt}table.seats td.blank{text-align:left}s{text-decoration:line-through}\
footer{border-top:.5pt solid #000;font-size:8pt;margin-top:1em;overflow-wrap:anywhere}\
thead{display:table-header-group}tr{break-inside:avoid}table.seats td{height:18mm}\
pre{font-size:8pt;white-space:pre-wrap;overflow-wrap:anywhere}";

/// The file.
#[must_use]
pub fn write(form: &Form) -> Vec<u8> {
    let mut text = String::from(
        "<!DOCTYPE html>\n<html lang=\"zh-Hant-TW\">\n<head>\n<meta charset=\"utf-8\">\n",
    );
    // No script, no frame, nothing from elsewhere: also for a browser that finds a fault in this file.
    text.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    let _ = writeln!(
        text,
        "<title>{}</title>\n<style>{STYLE}{}</style>\n</head>\n<body>",
        escaped(&form.full_title()),
        margins(form),
    );
    if let Some(cover) = &form.cover {
        let _ = write!(
            text,
            "<section class=\"cover\">\n<p>{}</p>\n<h1>{}</h1>\n<h1>{}</h1>\n",
            escaped(&form.agency),
            escaped(&form.title),
            escaped(&cover.volume)
        );
        for (label, value) in &cover.lines {
            let _ = writeln!(text, "<p>{}：{}</p>", escaped(label), escaped(value));
        }
        text.push_str("</section>\n");
    }
    let _ = writeln!(
        text,
        "<p class=\"agency\">{}</p>\n<h1>{}</h1>",
        escaped(&form.agency),
        escaped(&form.title)
    );
    text.push_str("<p class=\"heads\">");
    for (label, value) in &form.heads {
        let _ = write!(text, "<span>{}：{}</span>", escaped(label), escaped(value));
    }
    text.push_str("</p>\n");
    for table in &form.tables {
        push(&mut text, table, form.tables.len() > 1);
    }
    if !form.seats.is_empty() {
        text.push_str("<table class=\"seats\">\n<tr>");
        form.seats.iter().for_each(|seat| cell(&mut text, "th", "", &seat.office));
        text.push_str("</tr>\n<tr>");
        let class =
            |seat: &Seat| if seat.signed.is_some() { " class=\"c\"" } else { " class=\"blank\"" };
        form.seats.iter().for_each(|seat| cell(&mut text, "td", class(seat), &seat.said()));
        text.push_str("</tr>\n</table>\n");
    }
    for note in &form.notes {
        let _ = writeln!(text, "<p>{}</p>", escaped(note));
    }
    let _ = writeln!(text, "<pre>{}</pre>", escaped(&form.proof.join("\n")));
    let _ = writeln!(text, "<footer>{}</footer>\n</body>\n</html>", escaped(&form.foot));
    text.into_bytes()
}

/// What stands in the margins of each printed page. Of the foot only what a string of a style sheet holds as it is.
fn margins(form: &Form) -> String {
    let harmless = |c: &char| !matches!(c, '"' | '\\' | '<' | '&' | '\'' | '>') && !c.is_control();
    let foot: String = form.foot.chars().filter(harmless).collect();
    format!(
        "@page{{@bottom-left{{font-size:7pt;content:\"{foot}\"}}@bottom-right{{font-size:8pt;\
         content:\"第 \" counter(page) \" 頁，共 \" counter(pages) \" 頁\"}}}}"
    )
}

fn push(text: &mut String, table: &Table, named: bool) {
    if named {
        let _ = writeln!(text, "<h2>{}</h2>", escaped(&table.name));
    }
    let shares: u32 = table.columns.iter().map(|column| u32::from(column.share)).sum();
    text.push_str("<table>\n<colgroup>");
    for column in &table.columns {
        let width = f64::from(column.share) * 100.0 / f64::from(shares.max(1));
        let _ = write!(text, "<col style=\"width:{width:.2}%\">");
    }
    text.push_str("</colgroup>\n<thead><tr>");
    table.columns.iter().for_each(|column| cell(text, "th", "", &column.title));
    text.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        text.push_str("<tr>");
        for (value, column) in row.iter().zip(&table.columns) {
            cell(text, "td", if column.centred { " class=\"c\"" } else { "" }, value);
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table>\n");
}

fn cell(text: &mut String, tag: &str, class: &str, value: &str) {
    let _ = write!(text, "<{tag}{class}>");
    for (n, line) in value.split('\n').enumerate() {
        let feed = if n > 0 { "\n" } else { "" };
        let _ = match struck(line) {
            (line, false) => write!(text, "{feed}{}", escaped(line)),
            (line, true) => write!(text, "{feed}<s>{}</s>", escaped(line)),
        };
    }
    let _ = write!(text, "</{tag}>");
}

/// Text as HTML has it. A control character has no place on paper.
pub(super) fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            '\n' => text.push('\n'),
            c if c.is_control() || !is_xml(c) => text.push(char::REPLACEMENT_CHARACTER),
            c => text.push(c),
        }
    }
    text
}

/// Whether XML 1.0 has the character.
const fn is_xml(c: char) -> bool {
    !matches!(c, '\u{fffe}' | '\u{ffff}')
}
