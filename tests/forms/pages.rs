//! Every form and letter as LibreOffice prints it and as the agent's own PDF: titles, boxes, pages, glyphs, and the people by
//! name. The office has names, titles, units, appointments and a deputy; all of them are synthetic.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use batchward::paper::{self, Form};

use super::{People, Site, UNIT, done, long};

const DOC: &str = "府社人字第1150001234號";
const SMALL: &str = "MOCA-1151102-0006";
const FULL: &str = "MOCA-1151102-0001";
const AGENCY: &str = "桃園市政府婦幼發展局";

/// A site as an office has it: several batches, people with names and posts, everything may be decided on paper.
fn office(people: &People) -> Site<'_> {
    let cases = ["small-20", "full-1000", "two-files", "armored", "checksum-mismatch", "no-key"];
    let site = Site::laid_out(people, &cases);
    let policy = site.dir.join("policies/taoyuan-dwcd.yaml");
    let text = fs::read_to_string(&policy).unwrap();
    let (from, to) = ("paper: { value: [destroy]", "paper: { value: [destroy, grant, copy]");
    assert!(text.contains(from), "{text}");
    fs::write(&policy, text.replace(from, to)).unwrap();
    let agent = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&agent).unwrap();
    fs::write(&agent, format!("{text}agency: {AGENCY}\n")).unwrap();
    site.init();
    for (name, role, unit, display, title) in [
        ("alice", "custodian", "資訊室", "林資訊", "資訊技士"),
        ("henry", "handler", UNIT, "陳承辦", "社會工作師"),
        ("sue", "supervisor", UNIT, "王主管", "科長"),
        ("audrey", "auditor", "政風處", "吳稽核", "專員"),
        ("dora", "handler", UNIT, "李代理", "股長"),
    ] {
        if name == "dora" {
            people.new_key(name);
        }
        let key = people.public(name);
        let add = ["account", "add", name, "--role", role, "--unit", unit, "--display", display];
        let more = ["--title", title, "--sign-key", key.to_str().unwrap()];
        site.run_as("ada", &[&add[..], &more].concat()).ok();
        site.run_as("ben", &["account", "confirm", name]).ok();
    }
    let appoint = |name: &str, post: &str, more: &[&str]| {
        let add = ["appointment", "add", name, "--post", post, "--from", "115/11/21", "--link"];
        let add = [&add[..], &["moca-full", "--doc-no", DOC], more].concat();
        let id = site.run_as("ada", &add).ok().id('p');
        site.run_as("ben", &["appointment", "confirm", &id]).ok();
        id
    };
    appoint("alice", "custodian", &[]);
    appoint("henry", "handler", &[]);
    let sue = appoint("sue", "supervisor", &[]);
    appoint("dora", "supervisor", &["--until", "115/11/30", "--deputy-for", &sue]);
    site.once();
    site
}

/// A printed file: its text page by page, line by line.
struct Printed {
    name: String,
    file: PathBuf,
    pages: Vec<String>,
}

impl Printed {
    fn of(pdf: &Path) -> Self {
        let text = done(Command::new("pdftotext").arg("-raw").arg(pdf).arg("-"));
        let text = String::from_utf8(text).unwrap();
        let pages = text.trim_end_matches('\u{c}').split('\u{c}').map(str::to_owned).collect();
        let name = pdf.file_name().unwrap().to_str().unwrap().to_owned();
        Self { name, file: pdf.to_owned(), pages }
    }

    /// All of it without spaces: a text may be broken over lines.
    fn joined(&self) -> String {
        self.pages.concat().split_whitespace().collect()
    }

    #[track_caller]
    fn says(&self, what: &[&str]) -> &Self {
        let all = self.joined();
        for one in what {
            assert!(all.contains(one), "{}: '{one}' in {all}", self.name);
        }
        self
    }

    /// So many pages, each of which says which it is; every character is there, and no line begins with a mark that closes.
    #[track_caller]
    fn has_pages(&self, count: usize) -> &Self {
        assert_eq!(self.pages.len(), count, "{}: {:#?}", self.name, self.pages);
        for (n, page) in self.pages.iter().enumerate() {
            let joined: String = page.split_whitespace().collect();
            let number = format!("第{}頁，共{count}頁", n + 1);
            assert!(joined.contains(&number), "{}: '{number}' in {page}", self.name);
            assert!(!page.contains('\u{fffd}') && !page.contains("[U+"), "{}: {page}", self.name);
            let closes = page.lines().find(|line| line.starts_with(['，', '。', '」', '、', '）']));
            assert_eq!(closes, None, "{}: a line begins with a mark", self.name);
        }
        self
    }

    /// The words of the page with their boxes: text, left, right, height, in points.
    fn words(&self) -> Vec<(String, f64, f64, f64)> {
        let text = done(Command::new("pdftotext").arg("-bbox").arg(&self.file).arg("-"));
        let text = String::from_utf8(text).unwrap();
        let number = |line: &str, name: &str| -> f64 {
            let from = line.split_once(&format!("{name}=\"")).unwrap().1;
            from.split_once('"').unwrap().0.parse().unwrap()
        };
        let words = text.lines().filter(|line| line.contains("<word "));
        let word = |line: &str| {
            let said = line.split_once('>').unwrap().1.split("</word>").next().unwrap().to_owned();
            let tall = number(line, "yMax") - number(line, "yMin");
            (said, number(line, "xMin"), number(line, "xMax"), tall)
        };
        words.map(word).collect()
    }

    /// The title has its size: nothing is wider than the page, so that all of it would be made smaller; nothing is cut.
    #[track_caller]
    fn is_whole(&self, title: &str, wide: f64) -> &Self {
        let words = self.words();
        let found = words.iter().find(|(said, ..)| said.ends_with(title));
        let (_, _, _, tall) = found.unwrap_or_else(|| panic!("{}: no '{title}'", self.name));
        assert!(*tall > 13.0, "{}: the title is {tall} points tall", self.name);
        for (said, left, right, _) in &words {
            assert!(*left >= 10.0 && *right <= wide - 10.0, "{}: '{said}' is cut", self.name);
        }
        self
    }

    /// Boxes to sign off in stand side by side at about the same distance.
    #[track_caller]
    fn boxes(&self, offices: [&str; 2], apart_min: f64) {
        let words = self.words();
        let middle = |office: &str| {
            let found = words.iter().rev().find(|(said, ..)| said == office);
            let (_, left, right, _) = found.unwrap_or_else(|| panic!("{}: {office}", self.name));
            (left + right) / 2.0
        };
        let apart = (middle(offices[0]) - middle(offices[1])).abs();
        assert!(apart > apart_min, "{}: {offices:?} are {apart} points apart", self.name);
    }
}

/// A4, in points.
const LANDSCAPE: f64 = 842.0;
const UPRIGHT: f64 = 595.3;

/// Files that are written for a site, and printed by LibreOffice in one go.
struct Papers<'s, 'p> {
    site: &'s Site<'p>,
    dir: PathBuf,
}

impl<'s, 'p> Papers<'s, 'p> {
    fn new(site: &'s Site<'p>) -> Self {
        let dir = site.temporary().join("papers");
        fs::create_dir_all(&dir).unwrap();
        Self { site, dir }
    }

    /// A form as a spreadsheet and as PDF.
    fn form(&self, name: &str, words: &[&str]) {
        for format in ["ods", "pdf"] {
            let file = self.dir.join(format!("{name}.{format}"));
            let to = ["--format", format, "-o", file.to_str().unwrap()];
            self.site.run_as("alice", &[words, &to].concat()).ok();
        }
    }

    fn letter(&self, name: &str, words: &[&str]) {
        let file = self.dir.join(format!("{name}.odt"));
        self.site.run_as("alice", &[words, &["-o", file.to_str().unwrap()]].concat()).ok();
    }

    fn print(&self) {
        let out = self.dir.join("office");
        let profile =
            format!("-env:UserInstallation=file://{}", self.dir.join("profile").display());
        let files = fs::read_dir(&self.dir).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|file| file.extension().is_some_and(|end| end != "pdf"));
        let mut soffice = Command::new("soffice");
        soffice.args([&profile, "--headless", "--convert-to", "pdf", "--outdir"]);
        done(soffice.arg(&out).args(files).env("HOME", &self.dir));
    }

    /// As LibreOffice prints it.
    fn office(&self, name: &str) -> Printed {
        Printed::of(&self.dir.join("office").join(format!("{name}.pdf")))
    }

    /// As the agent prints it.
    fn own(&self, name: &str) -> Printed {
        Printed::of(&self.dir.join(format!("{name}.pdf")))
    }
}

/// What is asked for, decided on paper and carried out, with the papers of each step. Gives batches, order and copy.
fn lived_through(site: &Site<'_>, papers: &Papers<'_, '_>) -> (String, String, String) {
    let (small, full) = (site.row_numbered(SMALL), site.row_numbered(FULL));
    let apply = ["grant", "apply", "--link", "moca-full", "--until", "2027-06-30", "--purpose"];
    let apply = [&apply[..], &["育兒津貼資格審查", "--basis", "府社婦字第1150009999號"]].concat();
    let waits = site.run_as("henry", &apply).ok().id('g');
    papers.form("grant-slip", &["grant", "slip", &waits]);
    site.run_as("sue", &["grant", "deny", &waits, "--reason", "改以現有核准使用案"]).ok();
    let grant = site.grant("moca-full");
    let ask = ["copy", "request", &full, "--kind", "paper", "--reason", "開庭提示"];
    let copy = site.run_as("henry", &ask).ok().id('c');
    papers.form("copy-slip", &["copy", "slip", &copy]);
    site.run_as("henry", &["use", "complete", &grant]).ok();
    site.run_as("henry", &["use", "no-need", &small]).ok();
    let ask = ["destroy", "request", &small, "--reason", "使用完竣"];
    let order = site.run_as("alice", &ask).ok().id('o');
    papers.form("destroy-slip", &["destroy", "slip", &order]);
    papers.letter("request", &["destroy", "letter", &order, "--kind", "request"]);
    let slip = site.run(&["destroy", "slip", &order, "--format", "json", "-o", "-"]).ok().json();
    let scan = site.temporary().join("scan.pdf");
    fs::write(&scan, "synthetic scan of a sealed slip").unwrap();
    let code = slip["code"].as_str().unwrap();
    let typed = ["destroy", "approve", &order, "--paper", "--doc-no", DOC, "--approver", "sue"];
    let more = ["--date", "115/11/21", "--code", code, "--scan", scan.to_str().unwrap()];
    site.run_as("henry", &[&typed[..], &more].concat()).ok();
    who_is_sent_to_confirm(site);
    site.run_as("dora", &["destroy", "confirm", &order]).ok();
    site.once();
    (small, full, order)
}

/// Who typed the decision and who asked for it are not sent to confirm it; who stands in for the supervisor is.
fn who_is_sent_to_confirm(site: &Site<'_>) {
    let task = |name: &str| {
        let page = site.run(&["today", "--account", name, "--json"]).ok().json();
        let tasks = page["tasks"].as_array().unwrap().clone();
        tasks.into_iter().find(|task| task["code"] == "confirm-decision")
    };
    assert!(task("henry").is_none() && task("alice").is_none());
    assert!(task("dora").is_some());
    let page = site.run(&["today", "--account", "dora", "--json"]).ok().json();
    let tasks = page["tasks"].as_array().unwrap();
    let copy = tasks.iter().find(|task| task["code"] == "decide-copy");
    assert_eq!(copy.unwrap()["people"][0]["display"], "王主管", "a deputy sees the office's");
}

#[test]
fn every_form_and_letter_has_its_pages_its_boxes_and_its_people() {
    let people = People::new();
    let site = office(&people);
    let papers = Papers::new(&site);
    let (small, full, order) = lived_through(&site, &papers);
    let to = ["destroy", "letter", &order, "--kind", "report", "--to", AGENCY];
    papers.letter("report", &to);
    let bad = site.batches().into_iter().find(|row| row["state"] == "quarantined").unwrap();
    papers.letter("return", &["batch", "letter", bad["id"].as_str().unwrap(), "--kind", "return"]);
    papers.letter("receipt", &["batch", "letter", &full, "--kind", "receipt"]);
    let add = ["appointment", "add", "audrey", "--post", "auditor", "--from", "2026-12-01"];
    let id = site.run_as("ada", &[&add[..], &["--doc-no", "115-人-7"]].concat()).ok().id('p');
    papers.letter("change", &["appointment", "letter", &id, "--to", "桃園市政府民政局"]);
    papers.form("today", &["today", "--account", "alice"]);
    papers.form("history", &["batch", "history", &small]);
    papers.form("record", &["destroy", "record", &small]);
    papers.form("certificate", &["certificate", "show", &order]);
    papers.form("roster", &["account", "roster"]);
    papers.form("owed", &["duties", "report"]);
    papers.form("handover", &["duties", "list"]);
    papers.form("register", &["register", "export"]);
    papers.form("volume", &["register", "export", "--year", "115"]);
    papers.print();
    slips(&papers);
    letters(&papers);
    lists(&papers);
    register(&papers);
}

fn slips(papers: &Papers<'_, '_>) {
    let supervisors = ["科長王主管", "股長李代理(代)", "□同意", "職稱及姓名", "公文文號", "核對碼"];
    for (name, title, offices) in [
        ("destroy-slip", "戶役政資料銷毀核定單", ["簽報人", "會辦單位意見"]),
        ("grant-slip", "戶役政資料使用核定單", ["申請人", "會辦單位意見"]),
        ("copy-slip", "戶役政資料複製核定單", ["申請人", "會辦單位意見"]),
    ] {
        for printed in [papers.office(name), papers.own(name)] {
            printed.has_pages(1).says(&supervisors).is_whole(title, LANDSCAPE);
            printed.boxes(offices, 120.0);
        }
    }
    papers.office("destroy-slip").says(&["資訊技士林資訊", "使用完竣", "案內複本數：3"]);
    papers.office("grant-slip").says(&["社會工作師陳承辦", "府社婦字第1150009999號", "使用期限"]);
}

fn letters(papers: &Papers<'_, '_>) {
    for (name, kind, pages) in [
        ("request", "簽（稿）", 2),
        ("report", "函（稿）", 2),
        ("return", "函（稿）", 2),
        ("receipt", "函（稿）", 2),
        ("change", "函（稿）", 1),
    ] {
        let printed = papers.office(name);
        printed.has_pages(pages).says(&[kind, AGENCY]).is_whole("（稿）", UPRIGHT);
        let all = printed.joined();
        let places: Vec<usize> = ["主旨：", "說明：", "會辦單位", "決行"]
            .iter()
            .map(|part| all.find(part).unwrap_or_else(|| panic!("{name}: {part} in {all}")))
            .collect();
        assert!(places.is_sorted(), "{name}: {places:?} in {all}");
        // The boxes stand whole on the last page, never alone.
        let last: String = printed.pages.last().unwrap().split_whitespace().collect();
        let closes = if kind.starts_with('簽') { "敬陳" } else { "副本" };
        assert!(last.contains(closes) && last.contains("單位主管決行"), "{name}: {last}");
        if name != "change" {
            printed.says(&["科長王主管", "股長李代理(代)"]);
        }
    }
    let request = papers.office("request").joined();
    assert!(request.find("說明：") < request.find("擬辦："), "{request}");
    // Who asked for it drafts it.
    papers.office("request").says(&["資訊技士林資訊"]);
    for name in ["report", "return", "receipt"] {
        papers.office(name).says(&["承辦人：社會工作師陳承辦"]);
    }
}

fn lists(papers: &Papers<'_, '_>) {
    // Four sheets, a page each; on paper of ours all on one page.
    let today = papers.office("today");
    today.has_pages(4).says(&["帳號：資訊室資訊技士林資訊（alice）", "辦理人員", "□"]);
    for (page, part) in
        today.pages.iter().zip(["一、警示", "二、待辦理", "三、屆期", "四、應到資料"])
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    papers.own("today").has_pages(1).says(&["一、警示", "二、待辦理", "三、屆期", "四、應到資料"]);
    let decided = "決定人科長王主管，依紙本府社人字第1150001234號；登錄陳承辦、確認李代理";
    for printed in [papers.office("history"), papers.own("history")] {
        printed.has_pages(1).says(&["批次履歷表", "幼兒托育科社會工作師陳承辦", decided]);
        printed.boxes(["製表人", "單位主管"], 250.0);
    }
    papers.own("record").has_pages(1).says(&["戶役政資料銷毀紀錄", "登錄陳承辦、確認李代理"]);
    papers.office("record").has_pages(2).says(&["簽報人", "會同（監毀）人", "函報文號"]);
    let certificate =
        ["科長王主管", "登錄社會工作師陳承辦、確認股長李代理", "代理程式（batchward）"];
    papers.own("certificate").says(&certificate);
    papers.office("certificate").says(&certificate).is_whole("銷毀紀錄證明", LANDSCAPE);
    papers.office("roster").has_pages(4).says(&[
        "一、單位",
        "四、單位資訊室",
        "單位主管(代)moca-full",
    ]);
    papers.own("roster").says(&["使用人名冊", "帳號管理人"]);
    let owed = ["社會工作師陳承辦", "帳號管理專人", "稽核程序", "教育訓練時數不足"];
    papers.office("owed").says(&owed).boxes(["製表人", "單位主管"], 250.0);
    papers.own("owed").says(&owed);
    papers.office("handover").has_pages(5).says(&["移交人", "接收人", "監交人", "資訊技士林資訊"]);
}

fn register(papers: &Papers<'_, '_>) {
    let seats = ["社會工作師陳承辦", "資訊技士林資訊", "科長王主管", "股長李代理(代)"];
    for name in ["register", "volume"] {
        let pages = if name == "register" { 3 } else { 6 };
        papers.own(name).has_pages(pages).says(&seats);
        let printed = papers.office(name);
        printed.has_pages(pages).says(&seats).is_whole("戶役政資料查調刪除紀錄表", LANDSCAPE);
        printed.boxes(["業務單位承辦人", "資訊室承辦人"], 100.0);
        // No number, day or time of a narrow column is broken.
        let all = printed.pages.concat();
        for whole in ["115-0001", "115-0006", "115/11/21", "1150001234號"] {
            assert!(all.contains(whole), "{name}: {whole} in {all}");
        }
    }
    let volume = papers.office("volume");
    for (page, part) in volume.pages.iter().zip([
        "起訖序號：115-0001至115-0006",
        "比對狀況",
        "附表一",
        "附表二",
        "未結移入下年度",
        "中華民國115年度結算表",
    ]) {
        assert!(page.contains(part), "'{part}' in {page}");
    }
}

#[test]
fn what_is_to_stand_on_one_page_is_made_smaller_or_says_that_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let print = |form: &Form, name: &str| {
        let file = dir.path().join(name);
        fs::write(&file, super::pdf(form)).unwrap();
        Printed::of(&file)
    };
    let rows = |count: usize| {
        let mut form = Form { one_page: true, ..long(1) };
        let row: Vec<String> = form.tables[0].columns.iter().map(|_| "相符".to_owned()).collect();
        form.tables[0].rows = vec![row; count];
        form
    };
    print(&rows(5), "few.pdf").has_pages(1);
    print(&Form { one_page: false, ..rows(26) }, "as-is.pdf").has_pages(2);
    print(&rows(26), "smaller.pdf").has_pages(1);
    let on = print(&rows(60), "on.pdf");
    on.has_pages(on.pages.len());
    let (last, before) = on.pages.split_last().unwrap();
    assert!(!before.is_empty() && !last.contains("接次頁"), "{last}");
    assert!(before.iter().all(|page| page.contains("（接次頁）")), "{before:#?}");
    // A spreadsheet is put on one page too, where it can still be read.
    let scaled = |form: &Form| {
        let file = dir.path().join("one.ods");
        fs::write(&file, paper::ods::write(form).unwrap()).unwrap();
        let styles = done(Command::new("unzip").args(["-p"]).arg(&file).arg("styles.xml"));
        String::from_utf8(styles).unwrap().contains("style:scale-to-Y=\"1\"")
    };
    assert!(scaled(&rows(26)) && !scaled(&rows(60)) && !scaled(&long(5)));
}
