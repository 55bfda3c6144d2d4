//! What an office files beside the register: the volume of a year, drafts of letters, the history of a batch, what is to be
//! done today. LibreOffice reads what it would be opened with.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use batchward::paper;

use super::{People, Site, TEN, done, export, says, site, text_of};

/// The facts of the register, row by row.
fn rows(site: &Site<'_>, more: &[&str]) -> Vec<Value> {
    let sheet: Value =
        serde_json::from_slice(&fs::read(export(site, "json", more)).unwrap()).unwrap();
    sheet["rows"].as_array().unwrap().clone()
}

fn serials(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["serial"].as_str().unwrap()).collect()
}

/// The text of a file of an office program, without spaces, as LibreOffice prints it.
fn printed(file: &Path, out: &Path) -> String {
    fs::create_dir_all(out).unwrap();
    let profile = format!("-env:UserInstallation=file://{}", out.join("profile").display());
    let mut soffice = Command::new("soffice");
    soffice.args([&profile, "--headless", "--convert-to", "pdf", "--outdir"]);
    done(soffice.arg(out).arg(file).env("HOME", out));
    text_of(&out.join(file.file_stem().unwrap()).with_extension("pdf"), "-raw")
}

/// Destroys a batch, as its people would.
fn destroy(site: &Site<'_>, batch: &str) -> String {
    let grant = site.run(&["grant", "list", "--json"]).ok().json()[0]["id"].clone();
    site.run_as("henry", &["use", "complete", grant.as_str().unwrap()]).ok();
    site.run_as("henry", &["use", "no-need", batch]).ok();
    let words = ["destroy", "request", batch, "--reason", "使用完竣"];
    site.run_as("alice", &words).ok().id('o')
}

#[test]
fn rows_have_their_numbers_for_ever_and_a_refused_delivery_keeps_its_own() {
    let people = People::new();
    let site = site(&people);
    let first = rows(&site, &[]);
    assert_eq!(serials(&first), ["115-0001", "115-0002"]);
    assert_eq!(first[0]["unit"], "幼兒托育科");
    let batch = site.row_numbered("MOCA-1151102-0006");
    let order = destroy(&site, &batch);
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    let after = rows(&site, &[]);
    assert_eq!(serials(&after), ["115-0001", "115-0002"]);
    let numbers =
        |rows: &[Value]| -> Vec<Value> { rows.iter().map(|row| row["batch"].clone()).collect() };
    assert_eq!(numbers(&first), numbers(&after));
    let one = rows(&site, &["--batch", &batch]);
    assert_eq!(one.len(), 1);
    assert!(one[0]["closed_at"].is_string(), "{one:#?}");
}

#[test]
fn the_volume_of_a_year_has_a_cover_a_closing_sheet_and_what_stays_open() {
    let people = People::new();
    let site = site(&people);
    let pdf = export(&site, "pdf", &["--year", "115"]);
    let text = text_of(&pdf, "-raw");
    says(
        &text,
        &[
            "中華民國115年度",
            "起訖序號：115-0001至115-0002",
            "中華民國115年度結算表",
            "未結移入下年度",
            "本年度尚未終了",
        ],
    );
    says(&text, &TEN);
    // What is open goes over: it stands in the next year's volume before that year's own rows.
    let next = text_of(&export(&site, "pdf", &["--year", "116"]), "-raw");
    says(&next, &["中華民國116年度", "本年度無登記", "上年度未結移入", "115-0002"]);
    assert_eq!(rows(&site, &["--year", "116"]).len(), 2);
    assert_eq!(rows(&site, &["--year", "114"]).len(), 0);
    let ods = export(&site, "ods", &["--year", "115"]);
    let office = printed(&ods, &site.temporary().join("volume"));
    says(
        &office,
        &[
            "中華民國115年度",
            "起訖序號：115-0001至115-0002",
            "中華民國115年度結算表",
            "根雜湊",
            "第1頁，共",
        ],
    );
    let out = site.temporary().join("no.pdf");
    let words = ["register", "export", "--format", "pdf", "-o", out.to_str().unwrap(), "--year"];
    site.run(&[&words[..], &["2026"]].concat()).exits(64);
    site.run(&[&words[..], &["115", "--from", "115/01/01"]].concat()).exits(64);
}

#[test]
fn drafts_of_letters_are_filled_in_and_invent_nothing() {
    let people = People::new();
    let site = site(&people);
    let batch = site.row_numbered("MOCA-1151102-0006");
    let order = destroy(&site, &batch);
    let draft = |name: &str, words: &[&str]| {
        let file = site.temporary().join(format!("{name}.odt"));
        site.run(&[words, &["-o", file.to_str().unwrap()]].concat()).ok();
        printed(&file, &site.temporary().join("letters"))
    };
    let request = draft("request", &["destroy", "letter", &order, "--kind", "request"]);
    says(
        &request,
        &[
            "簽（稿）",
            "主旨：為銷毀戶役政資料1批",
            &order,
            "說明：",
            "擬辦：",
            "115-0001",
            "使用完竣",
            "TY-4.3.1",
            "未經核定發文，不生效力",
        ],
    );
    let early = draft("early", &["destroy", "letter", &order, "--kind", "report"]);
    says(&early, &["函（稿）", "尚無銷毀紀錄", "受文者：", "發文字號："]);
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    let kind = ["destroy", "letter", &order, "--kind", "report", "--to", "桃園市政府婦幼發展局"];
    let report = draft("report", &kind);
    says(
        &report,
        &["受文者：桃園市政府婦幼發展局", "匯入資料於中華民國115年11月21日銷毀", "SHA-256"],
    );
    let bad = site.batches().into_iter().find(|row| row["state"] == "quarantined").unwrap();
    let bad = bad["id"].as_str().unwrap();
    let returned = draft("return", &["batch", "letter", bad, "--kind", "return"]);
    says(&returned, &["檔案雜湊值不符", "受文者：桃園市政府民政局", "重新提供", "115-0002"]);
    let receipt = draft("receipt", &["batch", "letter", &batch, "--kind", "receipt"]);
    says(&receipt, &["業已收訖", "實收筆數20筆"]);
    // The boxes stand with what closes the letter, never alone on a page.
    for (name, last) in [("request", "敬陳"), ("report", "正本"), ("receipt", "副本")] {
        let pdf = site.temporary().join("letters").join(format!("{name}.pdf"));
        let text = done(Command::new("pdftotext").args(["-raw"]).arg(&pdf).arg("-"));
        let text = String::from_utf8(text).unwrap();
        let page =
            text.split('\u{c}').find(|page| page.contains("決行") && page.contains("會辦單位"));
        assert!(page.is_some_and(|page| page.contains(last)), "{name}: {text}");
    }
    let out = site.temporary().join("none.odt");
    let out = out.to_str().unwrap();
    // Nothing is wrong with it; and there is nothing of that name.
    site.run(&["batch", "letter", &batch, "--kind", "return", "-o", out]).exits(1);
    site.run(&["destroy", "letter", "o-00000099", "--kind", "request", "-o", out]).exits(64);
    site.run(&["appointment", "letter", "nobody", "-o", out]).exits(64);
    let words = ["appointment", "add", "audrey", "--post", "auditor", "--from", "2026-12-01"];
    let appointed = site.run_as("ada", &[&words[..], &["--doc-no", "115-人-7"]].concat()).ok();
    let id = appointed.id('p');
    let change = draft("change", &["appointment", "letter", &id, "--to", "桃園市政府民政局"]);
    says(&change, &["人員異動", "115-人-7", "機關稽核人", "條次TY-3.3"]);
}

#[test]
fn the_history_of_a_batch_and_what_is_to_be_done_today_are_one_page_each() {
    let people = People::new();
    let site = site(&people);
    let batch = site.row_numbered("MOCA-1151102-0006");
    let screen = site.run(&["batch", "history", &batch]).ok();
    says(screen.text(), &["115-0001", "MOCA-1151102-0006", "loaded"]);
    let facts = site.run(&["batch", "history", &batch, "--json"]).ok().json();
    assert!(facts["events"].as_array().unwrap().len() > 3, "{facts:#?}");
    let file = site.temporary().join("history.pdf");
    let words = ["batch", "history", &batch, "--format", "pdf", "-o", file.to_str().unwrap()];
    site.run(&words).ok();
    says(
        &text_of(&file, "-raw"),
        &["批次履歷表", "核准使用", "115-0001（幼兒托育科）", "代理程式", "登記序號"],
    );
    let mine = site.run_as("alice", &["today"]).ok();
    says(mine.text(), &["to be done by 'alice'", "batch release"]);
    // Who may not decide on it is not sent there.
    let other = site.run_as("henry", &["today", "--json"]).ok().json();
    assert_eq!(other["account"], "henry");
    let tasks = other["tasks"].as_array().unwrap();
    assert!(tasks.iter().all(|task| task["code"] != "decide-quarantine"), "{tasks:#?}");
    let file = site.temporary().join("today.ods");
    let words = ["today", "--account", "alice", "--format", "ods", "-o", file.to_str().unwrap()];
    site.run(&words).ok();
    let text = printed(&file, &site.temporary().join("today"));
    says(&text, &["今日待辦事項", "帳號：alice", "隔離批次之解除或退件", "□"]);
    site.run(&["today", "--account", "nobody"]).exits(64);
}

#[test]
fn libreoffice_opens_every_other_form_with_its_title_its_boxes_and_its_pages() {
    let people = People::new();
    let site = site(&people);
    let batch = site.row_numbered("MOCA-1151102-0006");
    let order = destroy(&site, &batch);
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    let history = ["batch", "history", &batch];
    let record = ["destroy", "record", &batch];
    let forms: [(&str, &[&str], &[&str]); 5] = [
        ("history", &history, &["批次履歷表", "製表人", "單位主管", "第1頁，共1頁"]),
        ("record", &record, &["戶役政資料銷毀紀錄", "核定人及日期", "第1頁，共"]),
        ("roster", &["account", "roster"], &["名冊", "第1頁，共"]),
        ("handover", &["duties", "list"], &["移交清冊", "移交人", "接收人", "監交人", "第1頁，共"]),
        ("owed", &["duties", "report"], &["清冊", "第1頁，共"]),
    ];
    for (name, words, wanted) in forms {
        let file = site.temporary().join(format!("{name}.ods"));
        let to = ["--format", "ods", "-o", file.to_str().unwrap()];
        site.run_as("alice", &[words, &to].concat()).ok();
        says(&printed(&file, &site.temporary().join("forms")), wanted);
    }
}

/// The cells of the only row of the main sheet.
fn cells(site: &Site<'_>, stage: &str) -> Vec<String> {
    let html = fs::read_to_string(export(site, "html", &[])).unwrap();
    let row = html.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    assert_eq!(row.matches("<tr").count(), 1, "{stage}: {row}");
    let cells: Vec<String> = row
        .split("</td>")
        .filter(|cell| cell.contains("<td"))
        .filter_map(|cell| Some(cell.rsplit_once('>')?.1.to_owned()))
        .collect();
    assert_eq!(cells.len(), 12, "{stage}: {row}");
    cells
}

/// A cell's lines begin with these texts, as many as there are.
fn lines(cell: &str, wanted: &[&str]) {
    let lines: Vec<&str> = cell.lines().collect();
    let fits = |(n, what): (usize, &&str)| lines.get(n).is_some_and(|line| line.contains(*what));
    assert!(wanted.iter().enumerate().all(fits), "{wanted:?} in {lines:#?}");
}

#[test]
fn the_ten_columns_at_notice_at_load_and_at_end() {
    const LETTER: &str = "府民戶字第1150009999號";
    const SAMPLE: &str = "MOCA-1151102-0006";
    let people = People::new();
    let site = Site::in_memory(&people);
    let link = site.dir.join("links/moca-full.yaml");
    let text = fs::read_to_string(&link).unwrap();
    // TPH-6.2: the seals of three people before anybody reads.
    let seals = "provide: { value: [handler, custodian, supervisor], clause: own }";
    let own = format!("policy: taoyuan-dwcd\noverride:\n  intake:\n    {seals}");
    fs::write(&link, text.replace("policy: taoyuan-dwcd", &own)).unwrap();
    site.init();
    site.accounts(super::UNIT);

    // The provider's letter: the row is there, with what is known.
    let told = ["batch", "notice", "--link", "moca-full", "--stage", "provider", "--channel"];
    let told = [told.as_slice(), &["letter", "--at", "115/11/19", "--doc-no", LETTER]].concat();
    let notice = site.run_as("henry", &told).ok().id('t');
    let at_notice = cells(&site, "notice");
    assert_eq!(at_notice[0], "115-0001");
    assert!(at_notice[1].starts_with("115/11/19"), "{at_notice:#?}");
    assert_eq!((&*at_notice[2], &*at_notice[3]), ("", "育兒津貼資格審查"));
    assert_eq!(at_notice[4], "府民戶字第1150001234號");
    assert!(at_notice[5..=10].iter().all(String::is_empty), "{at_notice:#?}");
    assert_eq!(at_notice[11], "已獲通知，尚未收檔");
    let fact = &rows(&site, &[])[0];
    assert_eq!((&fact["state"], &fact["batch"]), (&"told".into(), &Value::Null));

    // What the letter announces, typed and confirmed; then the file, and its key by telephone.
    let announce = ["batch", "announce", "--link", "moca-full", "--doc-no", LETTER, "--notified"];
    let more = ["115/11/19", "--records", "20", "--files", "*.age"];
    let row = site.run_as("alice", &[announce.as_slice(), &more].concat()).ok().id('t');
    assert_eq!(row, notice);
    site.run_as("henry", &["batch", "announce-confirm", &notice]).ok();
    let confirmed = cells(&site, "announced");
    assert_eq!((&*confirmed[0], &*confirmed[2]), ("115-0001", "20\n（通知）"));
    site.install(&["--no-keys"], &["small-20"]);
    let folder = site.dir.join("drop/moca-full/moca-1151102-0006");
    for name in ["manifest.yaml", "manifest.yaml.sig"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    site.once();
    let batch = site.row("moca-1151102-0006")["id"].as_str().unwrap().to_owned();
    let key = people.batch_key(&format!("{SAMPLE}.key"));
    let submit = ["key", "submit", &batch, "--channel", "telephone", "--file"];
    site.run_as("alice", &[submit.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
    site.once();
    let doc = ["--doc-no", "北市衛字第1150000001號"];
    site.run_as("henry", &[&["batch", "provide", &batch], doc.as_slice()].concat()).ok();
    for by in ["alice", "sue"] {
        site.run_as(by, &["batch", "provide", &batch]).ok();
    }
    let compare = ["batch", "compare", &batch, "--applied", "20", "--result", "match"];
    site.run_as("henry", &compare).ok();
    site.grant("moca-full");
    let at_load = cells(&site, "load");
    assert_eq!(at_load[..2], at_notice[..2], "the same row goes on");
    assert_eq!((&*at_load[2], &*at_load[3]), ("20", "育兒津貼資格審查"));
    assert_eq!(at_load[4], "府民戶字第1150001234號");
    lines(&at_load[5], &["henry", "115/11/21", "SHA256:"]);
    lines(&at_load[6], &["檔案傳輸"]);
    lines(&at_load[7], &["alice", "115/11/21"]);
    lines(&at_load[8], &["相符", "申請20、實收20、匯入20", "henry", "115/11/21"]);
    lines(&at_load[9], &["sue", "115/11/21", "SHA256:"]);
    assert_eq!(at_load[10], "");
    assert!(at_load[11].starts_with("已匯入"), "{at_load:#?}");

    let order = destroy(&site, &batch);
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    let at_end = cells(&site, "end");
    // What stood there stands there still.
    assert_eq!(at_end[..10], at_load[..10]);
    assert_eq!(at_end[10], "115/11/21");
    assert!(at_end[11].starts_with("已銷毀") || at_end[11].starts_with("結案"), "{at_end:#?}");
    site.verify();
}

#[test]
fn what_was_only_told_of_or_seen_has_a_row_and_what_is_turned_down_keeps_its_own() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    site.init();
    site.accounts(super::UNIT);
    let told = ["batch", "notice", "--link", "moca-full", "--stage", "provider", "--channel"];
    let told = [told.as_slice(), &["phone", "--at", "115/11/19"]].concat();
    site.run_as("henry", &told).ok();
    // What comes next is what was told of: no second number.
    site.install(&[], &["checksum-mismatch"]);
    site.once();
    let bad = rows(&site, &[]);
    assert_eq!(serials(&bad), ["115-0001"]);
    let batch = bad[0]["batch"].as_str().unwrap();
    site.run_as("alice", &["batch", "reject", batch, "--reason", "請提供機關重送"]).ok();
    assert!(cells(&site, "rejected")[11].contains("退件原因：其他：請提供機關重送"));
    // What never becomes complete has its row from first sight.
    site.install(&["--no-keys"], &["no-manifest"]);
    site.once();
    let seen = rows(&site, &[]);
    assert_eq!(serials(&seen), ["115-0001", "115-0002"]);
    assert_eq!((&seen[1]["state"], &seen[1]["batch"]), (&"seen".into(), &Value::Null));
    fs::remove_dir_all(site.dir.join("drop/moca-full/moca-1151102-0030")).unwrap();
    site.once();
    let gone = rows(&site, &[]);
    assert_eq!(serials(&gone), ["115-0001", "115-0002"]);
    assert_eq!(gone[1]["state"], "gone");
    let text = text_of(&export(&site, "pdf", &[]), "-raw");
    says(&text, &["115-0002", "檔案於收檔前移除"]);
    site.verify();
}

#[test]
fn a_former_value_stands_struck_through_above_the_new_one() {
    let mut form = super::long(1);
    form.tables[0].rows[0][3] = format!("{}舊目的\n新目的", paper::form::STRUCK);
    let html = String::from_utf8(paper::html::write(&form)).unwrap();
    assert!(html.contains("<s>舊目的</s>\n新目的"), "{html}");
    let csv = String::from_utf8(paper::csv::write(&form)).unwrap();
    assert!(csv.contains("（更正前：舊目的）\n新目的"), "{csv}");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("struck.ods");
    fs::write(&file, paper::ods::write(&form).unwrap()).unwrap();
    says(&printed(&file, dir.path()), &["舊目的新目的"]);
    fs::write(dir.path().join("struck.pdf"), super::pdf(&form)).unwrap();
    says(&text_of(&dir.path().join("struck.pdf"), "-raw"), &["舊目的新目的"]);
}

#[test]
fn who_sealed_stands_in_the_row_of_the_unit_where_he_was_then() {
    let people = People::new();
    let site = Site::in_memory(&people);
    let link = site.dir.join("links/moca-full.yaml");
    let text = fs::read_to_string(&link).unwrap();
    let own = "policy: taoyuan-dwcd\noverride:\n  intake:\n    provide: { value: [handler, custodian, supervisor], clause: own }";
    let two = text.replace("policy: taoyuan-dwcd", own);
    let two = two.replace("units: [幼兒托育科]", "units: [幼兒托育科, 社會救助科]");
    assert!(two.contains("社會救助科"), "{two}");
    fs::write(&link, two).unwrap();
    site.init();
    site.accounts(super::UNIT);
    site.install(&[], &["small-20"]);
    site.once();
    let batch = site.row("moca-1151102-0006")["id"].as_str().unwrap().to_owned();
    let doc = ["--doc-no", "北市衛字第1150000001號"];
    site.run_as("henry", &[&["batch", "provide", &batch], doc.as_slice()].concat()).ok();
    let sealed = || -> Vec<(Value, Vec<Value>)> {
        let of = |row: &Value| {
            let seals = row["handlers"].as_array().unwrap().iter();
            (row["unit"].clone(), seals.map(|seal| seal["account"].clone()).collect())
        };
        rows(&site, &[]).iter().map(of).collect()
    };
    let before = sealed();
    assert_eq!(before[0], ("幼兒托育科".into(), vec!["henry".into()]));
    assert_eq!(before[1], ("社會救助科".into(), vec![]));
    site.run_as("ada", &["account", "edit", "henry", "--unit", "社會救助科"]).ok();
    site.run_as("ben", &["account", "confirm", "henry"]).ok();
    assert_eq!(sealed(), before, "he moved after he sealed it");
    site.verify();
}
