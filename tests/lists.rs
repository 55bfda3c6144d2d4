//! Lists that people bring to `match`: real spreadsheets of LibreOffice, CSV in code page 950, Chinese heads and full-width
//! digits, through the real binary.
//!
//! The records are the samples', which are synthetic; so are the lists.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use support::{People, Ran, Site, done};

const LINK: &str = "moca-full";
const UNIT: &str = "幼兒托育科";

/// A site with a loaded batch, its grant, and the ID numbers of three of its people.
fn loaded(people: &People) -> (Site<'_>, String, Vec<String>) {
    let site = Site::founded(people, &["small-20"], UNIT);
    site.once();
    let grant = site.grant(LINK);
    let rows = site.query(&grant, &["--format", "json"]).ok().json();
    let ids = rows.as_array().unwrap().iter().map(|row| row["national_id"].as_str().unwrap());
    let ids: Vec<String> = ids.take(3).map(str::to_owned).collect();
    assert_eq!(ids.len(), 3);
    (site, grant, ids)
}

fn matched(site: &Site<'_>, grant: &str, list: &Path, more: &[&str]) -> Ran {
    let words = ["match", "--grant", grant, "--case", "115-001", "--reason", "資格審查"];
    let list = ["--input", list.to_str().unwrap(), "--on", "national_id", "--format", "json"];
    site.run_as("henry", &[words.as_slice(), &list, more].concat())
}

fn found(ran: &Ran) -> Vec<String> {
    let rows = ran.json();
    let ids = rows.as_array().unwrap().iter().map(|row| row["national_id"].as_str().unwrap());
    let mut ids: Vec<String> = ids.map(str::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The list as it is typed: heads in Chinese, one number at full width, one twice, one of nobody.
fn typed(ids: &[String]) -> String {
    let wide: String =
        ids[1].chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
    format!(
        "姓名,國民身分證統一編號,備註\r\n合成甲,{},\r\n合成乙,{wide},\r\n合成丙,{},\"a,b\"\r\n合成甲,{},重複\r\n無此人,Z299999999,\r\n",
        ids[0],
        ids[2].to_lowercase(),
        ids[0]
    )
}

/// The list as LibreOffice writes it.
fn converted(site: &Site<'_>, text: &str, kind: &str) -> PathBuf {
    let folder = site.temporary();
    fs::write(folder.join("list.csv"), text).unwrap();
    let profile = format!("-env:UserInstallation=file://{}", folder.join("office").display());
    let mut soffice = Command::new("soffice");
    soffice.args([&profile, "--headless", "--infilter=CSV:44,34,76,1", "--convert-to", kind]);
    soffice.arg("--outdir").arg(&folder).arg(folder.join("list.csv")).env("HOME", &folder);
    done(&mut soffice);
    folder.join(format!("list.{kind}"))
}

#[test]
fn a_list_is_matched_from_every_kind_of_file_that_an_office_has() {
    let people = People::new();
    let (site, grant, mut ids) = loaded(&people);
    let text = typed(&ids);
    ids.sort_unstable();
    let mut lists = vec![converted(&site, &text, "ods"), converted(&site, &text, "xlsx")];
    // UTF-8 with and without a mark, and code page 950 as Python has it.
    let folder = site.temporary();
    for (name, mark) in [("plain.csv", ""), ("marked.csv", "\u{feff}")] {
        fs::write(folder.join(name), format!("{mark}{text}")).unwrap();
        lists.push(folder.join(name));
    }
    let big5 = folder.join("big5.csv");
    let script = "import sys; t=open(sys.argv[1],encoding='utf-8',newline='').read(); \
                  open(sys.argv[2],'w',encoding='cp950',newline='').write(t)";
    let mut python = Command::new("python3");
    done(python.args(["-c", script]).arg(folder.join("plain.csv")).arg(&big5));
    lists.push(big5.clone());
    for list in &lists {
        let ran = matched(&site, &grant, list, &[]).ok();
        assert_eq!(found(&ran), ids, "{}", list.display());
        assert!(
            ran.stderr.contains("1 values of the list are there more than once"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("2 values were at full width"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("Z299999999"), "{}", ran.stderr);
    }
    matched(&site, &grant, &big5, &["--encoding", "cp950"]).ok();
    matched(&site, &grant, &big5, &["--encoding", "utf-8"]).exits(65);
    // One value a line, as ever.
    let plain = folder.join("plain.txt");
    fs::write(&plain, ids.join("\n")).unwrap();
    assert_eq!(found(&matched(&site, &grant, &plain, &[]).ok()), ids);
    site.verify();
}

#[test]
fn what_cannot_be_told_or_read_is_refused_and_asks_for_what_is_missing() {
    let people = People::new();
    let (site, grant, ids) = loaded(&people);
    let folder = site.temporary();
    let list = folder.join("list.csv");
    fs::write(&list, format!("甲,乙\n1,{}\n", ids[0])).unwrap();
    let ran = matched(&site, &grant, &list, &[]).exits(65);
    assert!(ran.stderr.contains("--column"), "{}", ran.stderr);
    let ran = matched(&site, &grant, &list, &["--column", "乙"]).ok();
    assert_eq!(found(&ran), [ids[0].clone()]);
    assert_eq!(found(&matched(&site, &grant, &list, &["--column", "2"]).ok()), [ids[0].clone()]);
    matched(&site, &grant, &list, &["--column", "9"]).exits(64);
    for (bytes, hint) in [
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1rest".as_slice(), "ODS or XLSX"),
        (b"PK\x03\x04rest".as_slice(), "save it again"),
        (b"\xff\xff\xff".as_slice(), "UTF-8"),
        (b"\xc3\xa9,x\n".as_slice(), "--encoding"),
        (b"\"open\n".as_slice(), "save the list again"),
        (b"".as_slice(), ""),
    ] {
        fs::write(&list, bytes).unwrap();
        let ran = matched(&site, &grant, &list, &[]).exits(65);
        assert!(ran.stderr.contains(hint), "{hint}: {}", ran.stderr);
    }
    matched(&site, &grant, &folder.join("missing.csv"), &[]).exits(69);
    // A spreadsheet that unpacks to thousands of times its size.
    let bomb = folder.join("bomb.ods");
    let script = "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1],'w',zipfile.ZIP_DEFLATED)\n\
                  z.writestr('content.xml',b' '*(64<<20))\nz.close()";
    let mut python = Command::new("python3");
    done(python.args(["-c", script]).arg(&bomb));
    let ran = matched(&site, &grant, &bomb, &[]).exits(65);
    assert!(ran.stderr.contains("unpacked"), "{}", ran.stderr);
    site.verify();
}

/// A request to have a match in a file.
fn in_file(site: &Site<'_>, grant: &str, list: &Path, file: &Path, more: &[&str]) -> Ran {
    let to =
        ["--copy-to", file.to_str().unwrap(), "--holder", "合成保管人", "--delete-by", "115/12/31"];
    let words = ["match", "--grant", grant, "--case", "115-001", "--reason", "資格審查"];
    let list = ["--input", list.to_str().unwrap(), "--on", "national_id"];
    site.run_as("henry", &[words.as_slice(), &list, &to, more].concat())
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story from its beginning to its end")]
fn a_file_of_rows_is_a_copy_from_its_request_to_its_confirmed_deletion() {
    let people = People::new();
    let (site, grant, ids) = loaded(&people);
    let batch = site.batches()[0]["id"].as_str().unwrap().to_owned();
    let folder = site.temporary();
    let (list, file) = (folder.join("list.csv"), folder.join("found.ods"));
    fs::write(&list, typed(&ids)).unwrap();
    // 桃園市: the office agrees before a copy is made (TY-4.2.4); nothing is written before.
    let ran = in_file(&site, &grant, &list, &file, &[]).exits(75);
    assert!(ran.stderr.contains("waits for the office's approval"), "{}", ran.stderr);
    assert!(!file.exists());
    let copies = site.run(&["copy", "list", &batch, "--json"]).ok().json();
    let copies = copies.as_array().unwrap().clone();
    let asked: Vec<_> = copies.iter().filter(|row| row["kind"] == "export").collect();
    assert_eq!((asked.len(), &asked[0]["state"]), (1, &"requested".into()));
    let copy = asked[0]["id"].as_str().unwrap().to_owned();
    in_file(&site, &grant, &list, &file, &["--copy", &copy]).exits(75);
    site.run_as("sue", &["copy", "approve", &copy, "--doc-no", "府民戶字第1150001234號"]).ok();
    // Its holder, its place and its day are in the register now, and are what was agreed to; one person alone does not end it.
    let to = ["copy", "declare", &copy, "--holder", "甲"];
    let late = ["--place", "辦公室", "--delete-by", "116/6/30"];
    site.run_as("henry", &[to.as_slice(), &late].concat()).exits(77);
    let elsewhere = folder.join("elsewhere.ods");
    let ran = in_file(&site, &grant, &list, &elsewhere, &["--copy", &copy]).exits(77);
    assert!(ran.stderr.contains("was agreed to at"), "{}", ran.stderr);
    assert!(!elsewhere.exists());
    site.run_as("henry", &["copy", "withdraw", &copy, "--reason", "誤植"]).exits(77);
    in_file(&site, &grant, &list, &file, &["--copy", &copy]).ok();
    // It is nobody's but its owner's to read, holds what was found as text, and what was not on a sheet of its own.
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&file).unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
    let content = std::io::read_to_string(archive.by_name("content.xml").unwrap()).unwrap();
    assert!(
        content.contains(&ids[0]) && content.contains("查無資料") && content.contains("Z299999999")
    );
    let profile = format!("-env:UserInstallation=file://{}", folder.join("office").display());
    let mut soffice = Command::new("soffice");
    soffice.args([&profile, "--headless", "--convert-to", "csv", "--outdir"]).arg(&folder);
    done(soffice.arg(&file).env("HOME", &folder));
    assert!(fs::read_to_string(folder.join("found.csv")).unwrap().contains(&ids[0]));
    // A file that is there is never written over.
    in_file(&site, &grant, &list, &file, &["--copy", &copy]).exits(64);
    let row = site.run(&["copy", "list", &batch, "--json"]).ok().json();
    let row =
        row.as_array().unwrap().iter().find(|row| row["id"] == copy.as_str()).unwrap().clone();
    assert_eq!(row["state"], "kept");
    assert_eq!(row["facts"]["holder"], "合成保管人");
    assert_eq!(row["facts"]["place"], file.canonicalize().unwrap().to_str().unwrap());
    assert_eq!(row["facts"]["bytes"], bytes.len());
    let duties = site.run(&["duties", "--all", "--until", "2027-12-31"]).ok();
    assert!(duties.text().contains(&copy), "{}", duties.text());
    // Its end is the word of two people, and the batch is not closed before.
    let request = ["destroy", "request", &batch, "--copy", &copy, "--reason", "使用完竣"];
    let order = site.run_as("henry", &request).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    fs::remove_file(&file).unwrap();
    let evidence = folder.join("evidence.txt");
    fs::write(&evidence, "synthetic evidence").unwrap();
    let record = [
        "media",
        "record",
        &copy,
        "--method",
        "erased",
        "--place",
        "辦公室",
        "--performer",
        "henry",
    ];
    let record =
        [record.as_slice(), &["--tool", "shred", "--evidence", evidence.to_str().unwrap()]]
            .concat();
    site.run_as("henry", &record).ok();
    site.run_as("henry", &["media", "confirm", &copy]).exits(77);
    site.run_as("audrey", &["media", "confirm", &copy]).ok();
    site.once();
    let row = site.run(&["copy", "list", &batch, "--all", "--json"]).ok().json();
    let row =
        row.as_array().unwrap().iter().find(|row| row["id"] == copy.as_str()).unwrap().clone();
    assert_eq!(row["state"], "destroyed");
    site.verify();
}

#[test]
fn no_file_of_rows_is_outside_the_inventory() {
    let people = People::new();
    let (site, grant, ids) = loaded(&people);
    let folder = site.temporary();
    let (list, file) = (folder.join("list.csv"), folder.join("found.csv"));
    fs::write(&list, typed(&ids)).unwrap();
    // Whose copy it is not, what it is not, and a day after the use ends.
    let other = ["--copy", "c-00000001"];
    in_file(&site, &grant, &list, &file, &other).exits(75);
    in_file(&site, &grant, &list, &folder.join("found.txt"), &[]).exits(64);
    let words = ["query", "--grant", &grant, "--case", "115-001", "--reason", "資格審查"];
    let late = ["--copy-to", file.to_str().unwrap(), "--holder", "甲", "--delete-by", "119/12/31"];
    let ran = site.run_as("henry", &[words.as_slice(), &late].concat()).exits(77);
    assert!(ran.stderr.contains("the use ends"), "{}", ran.stderr);
    let half = ["--copy-to", file.to_str().unwrap()];
    site.run_as("henry", &[words.as_slice(), &half].concat()).exits(64);
    assert!(!file.exists());
    site.verify();
}
