//! Printed forms through the real binary, read by programs that are not ours: LibreOffice the spreadsheet, poppler the
//! PDF, Python the CSV. All people and records are the samples', which are synthetic.
#![cfg(feature = "test-hooks")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

#[path = "forms/office.rs"]
mod office;
#[path = "forms/pages.rs"]
mod pages;
mod support;

use std::{fs, path::Path, process::Command};

use batchward::{
    adapters::{fonts, machine::Machine},
    config,
    paper::{self, Column, Form, Seat, Table},
};
use support::{People, Site, done};

const UNIT: &str = "幼兒托育科";

/// The ten columns of TPH-5.5, in its order.
const TEN: [&str; 10] = [
    "提供機關通知時間",
    "資料筆數",
    "使用目的",
    "依據公文文號",
    "業務單位承辦人",
    "業務單位承辦人取得資料方式",
    "資訊室承辦人",
    "比對狀況",
    "業務單位主管",
    "銷毀日期",
];

/// A batch of a link that was loaded, used and not yet destroyed, and one that was refused.
fn site(people: &People) -> Site<'_> {
    let site = Site::founded(people, &["small-20", "checksum-mismatch"], UNIT);
    site.once();
    site.grant("moca-full");
    site
}

/// Exports, and gives the file's path.
fn export(site: &Site<'_>, format: &str, more: &[&str]) -> std::path::PathBuf {
    let file = site.temporary().join(format!("form.{format}"));
    let words = ["register", "export", "--format", format, "-o", file.to_str().unwrap()];
    site.run(&[&words, more].concat()).ok();
    file
}

/// What the spreadsheet's sheets hold, by LibreOffice, one CSV file a sheet.
fn sheets(ods: &Path, out: &Path) -> Vec<String> {
    fs::create_dir_all(out).unwrap();
    let profile = format!("-env:UserInstallation=file://{}", out.join("profile").display());
    let mut soffice = Command::new("soffice");
    soffice.args([&profile, "--headless", "--convert-to"]);
    // UTF-8, every sheet in a file of its own.
    soffice.arg("csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1");
    let said = done(soffice.arg("--outdir").arg(out).arg(ods).env("HOME", out));
    assert!(String::from_utf8_lossy(&said).contains("convert "), "{said:?}");
    let mut files: Vec<_> = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "csv"));
    files.sort();
    files.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// The text of a PDF without its spaces and line feeds: a title may be broken over lines.
fn text_of(pdf: &Path, layout: &str) -> String {
    let text = done(Command::new("pdftotext").args([layout]).arg(pdf).arg("-"));
    String::from_utf8(text).unwrap().split_whitespace().collect()
}

#[test]
fn libreoffice_and_poppler_find_the_ten_columns_and_a_row() {
    let people = People::new();
    let site = site(&people);
    let ods = export(&site, "ods", &[]);
    let sheets = sheets(&ods, &site.temporary().join("office"));
    assert_eq!(sheets.len(), 3, "{sheets:#?}");
    let main = sheets.iter().find(|sheet| sheet.contains("比對狀況")).unwrap();
    assert!(main.contains(&format!("序號,{},備註", TEN.join(","))), "{main}");
    for cell in [
        "育兒津貼資格審查",
        "府民戶字第1150001234號",
        "henry",
        "sue",
        "通知20、實收20、匯入20",
        "檔案雜湊值不符",
    ] {
        assert!(main.contains(cell), "'{cell}' in {main}");
    }
    let pdf = export(&site, "pdf", &[]);
    // A cell's own lines lie together in the order of the content.
    let text = text_of(&pdf, "-raw");
    for cell in TEN.iter().chain(&[
        "戶役政資料查調刪除紀錄表",
        "MOCA-1151102-0006",
        "henry",
        "115/11/21",
        "第1頁，共",
    ]) {
        assert!(text.contains(cell), "'{cell}' in {text}");
    }
    let fonts = String::from_utf8(done(Command::new("pdffonts").arg(&pdf))).unwrap();
    // Embedded, a subset, with a map to Unicode.
    let rows: Vec<&str> = fonts.lines().skip(2).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.contains("yes yes yes")), "{fonts}");
    let bytes = fs::read(&pdf).unwrap();
    let claims = |what: &str| bytes.windows(what.len()).any(|window| window == what.as_bytes());
    assert!(
        claims("<pdfaid:part>2</pdfaid:part>") && claims("<pdfaid:conformance>U<"),
        "no PDF/A-2u"
    );
}

#[test]
fn the_file_says_where_it_comes_from_and_names_what_may_still_be_named() {
    let people = People::new();
    let site = site(&people);
    let html = fs::read_to_string(export(&site, "html", &[])).unwrap();
    let checkpoint = fs::read_to_string(site.dir.join("state/register/checkpoint")).unwrap();
    for line in checkpoint.lines() {
        assert!(html.contains(line), "'{line}' of the checkpoint in {html}");
    }
    let rows = site.batches();
    let delivery = rows[0]["delivery"].as_str().unwrap();
    assert!(html.contains(delivery), "{html}");
    assert!(!html.contains("<script") && !html.contains("http://") && !html.contains("https://"));
}

#[test]
fn csv_is_for_spreadsheets_and_the_filters_hold() {
    let people = People::new();
    let site = site(&people);
    let csv = fs::read(export(&site, "csv", &[])).unwrap();
    assert!(csv.starts_with(b"\xef\xbb\xbf"), "a byte-order mark");
    let rows = |more: &[&str]| {
        let file = export(&site, "json", more);
        let sheet: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        sheet["rows"].as_array().unwrap().len()
    };
    assert_eq!(rows(&[]), 2);
    assert_eq!(rows(&["--from", "115/11/21", "--to", "115-11-21"]), 2);
    assert_eq!(rows(&["--to", "2026-11-20"]), 0);
    assert_eq!(rows(&["--from", "115/11/22"]), 0);
    assert_eq!(rows(&["--batch", "MOCA-1151102-0006"]), 1);
    assert_eq!(rows(&["--link", "moca-full"]), 2);
    let out = site.temporary().join("x.csv");
    let words = ["register", "export", "--format", "csv", "-o", out.to_str().unwrap()];
    site.run(&[&words[..], &["--link", "no-such"]].concat()).exits(64);
    site.run(&[&words[..], &["--from", "yesterday"]].concat()).exits(64);
    site.run(&[&words[..], &["--from", "115/11/22", "--to", "115/11/21"]].concat()).exits(64);
    // An empty period is a form too: nothing came.
    site.run(&[&words[..], &["--to", "2026-11-20"]].concat()).ok();
}

/// A form of many rows whose cells are long, with characters that no font has.
fn long(rows: usize) -> Form {
    let cell = |n: usize, c: usize| match c {
        0 => n.to_string(),
        3 => "育兒津貼資格審查，依據「社會救助法」及其施行細則辦理之資格複審。".repeat(1 + n % 3),
        7 => "SHA256:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ".to_owned(),
        11 => "罕用字\u{f268}與\u{10fffe}以編號代之".to_owned(),
        _ => "相符\n通知20、實收20".to_owned(),
    };
    let form = config::shipped_forms().remove("register").unwrap();
    let columns: Vec<Column> =
        form.main.columns.iter().map(|column| Column::text("", column.share)).collect();
    let columns: Vec<Column> = columns
        .into_iter()
        .zip(&form.main.columns)
        .map(|(made, column)| Column { title: column.heading.clone().into(), ..made })
        .collect();
    Form {
        agency: "桃園市政府婦幼發展局".to_owned(),
        title: "戶役政資料查調刪除紀錄表".to_owned(),
        heads: vec![("期間".to_owned(), "全部".to_owned())],
        cover: None,
        tables: vec![Table {
            name: "登記表".to_owned(),
            rows: (1..=rows).map(|n| (0..columns.len()).map(|c| cell(n, c)).collect()).collect(),
            columns,
        }],
        seats: vec![Seat::blank("單位主管")],
        notes: Vec::new(),
        proof: vec!["batchward/test".to_owned()],
        foot: "batchward/test".to_owned(),
        made_at: "2026-11-21T02:00:00.000Z".to_owned(),
        one_page: false,
    }
}

fn pdf(form: &Form) -> Vec<u8> {
    let files = fonts::found(&Machine::default());
    paper::pdf::write(form, &mut fonts::bytes(files)).unwrap()
}

#[test]
fn hundreds_of_rows_run_over_pages_whose_head_comes_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("long.pdf");
    let bytes = pdf(&long(400));
    fs::write(&file, &bytes).unwrap();
    let text =
        String::from_utf8(done(Command::new("pdftotext").arg("-raw").arg(&file).arg("-"))).unwrap();
    let pages: Vec<&str> = text.trim_end_matches('\u{c}').split('\u{c}').collect();
    assert!(pages.len() > 20, "{} pages", pages.len());
    for (n, page) in pages.iter().enumerate() {
        let joined: String = page.split_whitespace().collect();
        assert!(joined.contains(&format!("第{}頁，共{}頁", n + 1, pages.len())), "{joined}");
        if n + 1 < pages.len() {
            assert!(joined.contains("比對狀況"), "page {n} has no head: {joined}");
        }
    }
    let all: String = text.split_whitespace().collect();
    assert!(all.contains("[U+F268]") && all.contains("[U+10FFFE]"), "private characters by number");
    // No line begins with a mark that closes.
    assert!(
        !text.lines().any(|line| line.starts_with(['，', '。', '」', '、'])),
        "a line begins with a mark"
    );
    assert_eq!(bytes, pdf(&long(400)), "the same facts and fonts give the same bytes");
}

#[test]
fn without_a_font_there_is_no_pdf_and_the_error_says_which_to_install() {
    let fault = paper::pdf::write(&long(1), &mut std::iter::empty()).unwrap_err();
    assert!(fault.to_string().contains("font"), "{fault}");
    let broken = vec![b"no font".to_vec()].into_iter();
    assert!(paper::pdf::write(&long(1), &mut { broken }).is_err());
}

/// The file of a form, and its text without spaces.
fn pdf_text(site: &Site<'_>, words: &[&str]) -> String {
    let file = site.temporary().join("other.pdf");
    site.run(&[words, &["--format", "pdf", "-o", file.to_str().unwrap()]].concat()).ok();
    text_of(&file, "-raw")
}

#[track_caller]
fn says(text: &str, what: &[&str]) {
    for one in what {
        assert!(text.contains(one), "'{one}' in {text}");
    }
}

#[test]
fn the_record_of_a_destruction_names_who_decided_and_what_was_proved() {
    let people = People::new();
    let site = site(&people);
    let batch = site.row_numbered("MOCA-1151102-0006");
    let grant = site.run(&["grant", "list", "--json"]).ok().json()[0]["id"].clone();
    let before = pdf_text(&site, &["destroy", "record", &batch]);
    says(&before, &["戶役政資料銷毀紀錄", "MOCA-1151102-0006", "保存中", "會同（監毀）人"]);
    site.run_as("henry", &["use", "complete", grant.as_str().unwrap()]).ok();
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    let words = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("alice", &words).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    let after = pdf_text(&site, &["destroy", "record", &batch]);
    says(&after, &["使用完竣", "alice", "sue", "SHA256:", "匯入資料", "結案", &order]);
    // What the levels allow to be said, and no more.
    let may = ["確認無法復原", "未排除復原可能"].map(|what| format!("無法復原確認：{what}"));
    assert!(after.contains(&may[0]) != after.contains(&may[1]), "{after}");
    let certificate = pdf_text(&site, &["certificate", "show", &order]);
    says(&certificate, &["銷毀紀錄證明", &order, &batch, "執行人", "certificateverify"]);
    let signed = site.run(&["certificate", "show", &order]).ok();
    assert!(signed.json()["signature"].is_string(), "without a format it is the signed file");
}

#[test]
fn the_list_that_is_handed_over_has_batches_keys_and_duties() {
    let people = People::new();
    let site = site(&people);
    let text = pdf_text(&site, &["duties", "list"]);
    says(
        &text,
        &["移交清冊", "MOCA-1151102-0006", "隔離批次之解除或退件", "移交人", "接收人", "監交人"],
    );
}
