//! Reports, audits, requests for evidence and the pack for an inspection, as each regulation asks for them.

use super::*;

/// The page of `audit list`.
fn page(site: &Site<'_>) -> Value {
    site.run(&["audit", "list", "--json"]).ok().json()
}

/// Makes a report into a file, and gives its id.
#[track_caller]
fn made(site: &Site<'_>, words: &[&str], format: &str, file: &str) -> (String, std::path::PathBuf) {
    let path = site.temporary().join(file);
    let _ = fs::remove_file(&path);
    let to = ["--format", format, "-o", path.to_str().unwrap()];
    let id = site.run_as("audrey", &[words, &to].concat()).ok().id('u');
    (id, path)
}

/// A site with a loaded batch that henry looked into in November, on the first days of December.
fn used<'p>(people: &'p People, policy: &str) -> Site<'p> {
    let site = under(people, policy);
    // TPE-6: nothing is granted before a manager is appointed.
    let post = ["appointment", "add", "ada", "--post", "manager", "--from", "2026-11-21"];
    let post = [post.as_slice(), &["--doc-no", DOC]].concat();
    if policy == "taipei-data-platform" {
        let manager = site.run_as("sue", &post).ok().id('p');
        site.run_as("ben", &["appointment", "confirm", &manager]).ok();
    }
    let batch = loaded(&site);
    if policy == "taipei-health" {
        provided(&site, &batch);
    }
    let grant = site.grant(LINK);
    site.query(&grant, &["--format", "json"]).ok();
    site.query(&grant, &["--where", "id=-", "--format", "json"]);
    later(&site, 12);
    site
}

#[test]
fn taoyuan_dwcd_has_its_monthly_report_signed_off_by_another_person_and_never_changed() {
    let people = People::new();
    let site = used(&people, "taoyuan-dwcd");
    let report = ["audit", "report", "--period", "115-11"];
    let (id, path) = made(&site, &report, "json", "november.json");
    let sheet: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let row = sheet["rows"].as_array().unwrap().iter().find(|row| row["unit"] == UNIT).unwrap();
    assert!(row["queries"].as_u64().unwrap() >= 1, "{sheet:#}");
    assert_eq!((&row["accounts"], &row["cases"]), (&1.into(), &1.into()));
    // Nobody who was looked up stands in it, and nobody's name who asked.
    let text = sheet.to_string();
    assert!(!text.contains("henry") && !text.contains("115-001"), "{text}");
    // The register holds the digest of the very file, and the counts.
    let rows = page(&site)["reports"].clone();
    let sum = batchward::domain::digest::Digest::of(&fs::read(&path).unwrap()).to_string();
    assert_eq!((&rows[0]["form"], &rows[0]["rows"]), (&sum.into(), &sheet["rows"]));
    // The reading of the log is logged itself.
    let log = site.run_as("audrey", &["access", "show", "--json"]).ok().text().to_owned();
    assert!(log.contains("report 2026-11"), "{log}");
    // A period that runs is none; and no other role makes one.
    let early = ["audit", "report", "--period", "2026-12", "--format", "ods", "-o", "x.ods"];
    site.run_as("audrey", &early).exits(64);
    let henry = ["audit", "report", "--period", "2026-11", "--format", "ods", "-o", "y.ods"];
    site.run_as("henry", &henry).exits(77);
    // Signed off by a supervisor, with a number; never by whoever made it; then immutable.
    site.run_as("sue", &["audit", "sign", &id]).exits(64);
    site.run_as("audrey", &["audit", "sign", &id, "--doc-no", DOC]).exits(77);
    site.run_as("sue", &["audit", "sign", &id, "--doc-no", DOC]).ok();
    let again = site.temporary().join("again.ods");
    let words = ["--format", "ods", "-o", again.to_str().unwrap()];
    let ran = site.run_as("audrey", &[report.as_slice(), &words].concat()).exits(77);
    assert!(ran.stderr.contains("is signed off") && !again.exists(), "{}", ran.stderr);
    site.verify();
}

#[test]
fn taipei_data_platform_sends_the_report_to_the_head_and_the_ethics_office() {
    let people = People::new();
    let site = used(&people, "taipei-data-platform");
    let (id, _) = made(&site, &["audit", "report", "--period", "2026-11"], "ods", "november.ods");
    let letter = ["audit", "sent", &id, "--office", "head", "--letter", DOC];
    site.run_as("audrey", &letter).exits(77);
    let ran = site.run_as("sue", &["audit", "sign", &id, "--doc-no", DOC]).ok();
    assert!(ran.text().contains("--office ethics-office") && ran.text().contains("--office head"));
    site.run_as("audrey", &letter).ok();
    let other = ["audit", "sent", &id, "--office", "ethics-office", "--letter", DOC];
    site.run_as("audrey", &other).ok();
    assert_eq!(page(&site)["reports"][0]["sent"].as_array().unwrap().len(), 2);
}

#[test]
fn taipei_health_keeps_the_statistics_when_the_log_can_no_longer_be_opened() {
    let people = People::new();
    let site = used(&people, "taipei-health");
    let words = ["audit", "statistics", "--period", "2026-11"];
    let (_, path) = made(&site, &words, "pdf", "statistics.pdf");
    assert!(fs::read(path).unwrap().starts_with(b"%PDF"));
    let row = page(&site)["reports"][0]["rows"][0].clone();
    assert_eq!(row["link"], LINK);
    assert!(row["queries"].as_u64().unwrap() >= 1 && row.get("unit").is_none(), "{row}");
    later(&site, 365 * 6);
    site.run_as(
        "alice",
        &["access", "destroy", "--link", LINK, "--month", "2026-11", "--reason", "保存期滿"],
    )
    .ok();
    site.run_as("sue", &["access", "destroy-approve", "a-00000001"]).ok();
    site.once();
    assert_eq!(page(&site)["reports"][0]["rows"][0], row);
    let (_, path) = made(&site, &words, "json", "later.json");
    let sheet: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(sheet["rows"][0]["queries"], 0);
    assert!(sheet["rows"][0]["unreadable"].as_u64().unwrap() >= 1, "{sheet:#}");
}

#[test]
fn taipei_health_audits_without_notice_with_a_team_of_two_offices_on_a_day_that_no_auditee_sees() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    site.once();
    // This month's and the next one's are drawn; what the register holds of them says no day.
    let days = page(&site)["days"].as_array().unwrap().clone();
    let months: Vec<&str> = days.iter().map(|row| row["month"].as_str().unwrap()).collect();
    assert_eq!(months, ["2026-11", "2026-12"]);
    assert!(days.iter().all(|row| row["day"].is_null()), "{days:?}");
    let shown = site.run_as("audrey", &["audit", "day", "115-12"]).ok();
    assert!(shown.text().contains("2026-12-"), "{}", shown.text());
    // Sue is a supervisor of the unit that is audited; henry audits nothing.
    site.run_as("sue", &["audit", "day", "2026-12"]).exits(77);
    site.run_as("henry", &["audit", "day", "2026-12"]).exits(77);
    let at = shown.text().find("2026-12-").unwrap();
    let day = shown.text()[at..at + 10].to_owned();
    let record = |by: &[&str], on: &str| {
        let words = ["audit", "record", "unannounced", "--period", "2026-12", "--of", "all"];
        let more = ["--result", "ok", "--doc-no", DOC, "--on", on];
        site.run_as("audrey", &[words.as_slice(), by, &more].concat())
    };
    samples::account(&site, "erin", "supervisor", "政風處");
    // The day after the one that was drawn: from 21 November on.
    let days: i64 = day[8..].parse().unwrap();
    later(&site, 9 + days + 1);
    let alone = record(&["--by", "audrey=ethics-office"], &day).exits(77);
    assert!(alone.stderr.contains("TPH-5.9"), "{}", alone.stderr);
    let team = ["--by", "audrey=ethics-office", "--by", "alice=it-office"];
    // On another day than the one that was drawn it is none.
    let other = record(&team, if days == 1 { "2026-12-02" } else { "2026-12-01" }).exits(77);
    assert!(other.stderr.contains("the day that was drawn"), "{}", other.stderr);
    let id = record(&team, &day).ok().id('v');
    // It is told now, and the seal holds it.
    let days = page(&site)["days"].as_array().unwrap().clone();
    let told = days.iter().find(|row| row["month"] == "2026-12").unwrap();
    let text = format!(
        "batchward audit day 2026-12 {} {}",
        told["day"].as_str().unwrap(),
        told["nonce"].as_str().unwrap()
    );
    let seal = batchward::domain::digest::Digest::of(text.as_bytes());
    assert_eq!(told["seal"], seal.to_string());
    let past = days.iter().find(|row| row["month"] == "2026-11").unwrap();
    assert!(past["day"].is_string(), "a month that is over is told: {past}");
    site.run_as("audrey", &["audit", "sign", &id]).exits(77);
    // Sue's unit is among what was audited.
    let own = site.run_as("sue", &["audit", "sign", &id]).exits(77);
    assert!(own.stderr.contains("own acts"), "{}", own.stderr);
    site.run_as("erin", &["audit", "sign", &id]).ok();
    assert_eq!(page(&site)["audits"][0]["state"], "signed");
    site.verify();
}

#[test]
fn nantou_verification_records_its_audits_by_two_people_and_nobody_audits_their_own_unit() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    let plan = ["audit", "plan", "--kind", "vendor", "--period", "2026", "--of", "dingyue"];
    let id = site.run_as("audrey", &[plan.as_slice(), &["--by", "audrey"]].concat()).ok().id('v');
    // Neither the unit, nor a link that it uses, nor everything.
    for of in [UNIT, LINK, "all"] {
        let own = ["audit", "plan", "--kind", "internal", "--period", "2026", "--of", of];
        let ran = site.run_as("audrey", &[own.as_slice(), &["--by", "henry"]].concat()).exits(77);
        assert!(ran.stderr.contains("own acts"), "{}", ran.stderr);
    }
    let minutes = site.temporary().join("minutes.pdf");
    fs::write(&minutes, b"synthetic").unwrap();
    let words =
        ["audit", "record", "vendor", "--period", "115", "--of", "dingyue", "--by", "audrey"];
    let more = ["--result", "findings", "--doc-no", DOC, "--evidence", minutes.to_str().unwrap()];
    // The record belongs to the plan.
    let ran = site.run_as("audrey", &[words.as_slice(), &more].concat()).ok();
    assert_eq!(ran.id('v'), id);
    site.run_as("sue", &["audit", "sign", &id]).ok();
    let row = page(&site)["audits"][0].clone();
    assert_eq!((&row["state"], &row["result"]), (&"signed".into(), &"findings".into()));
    assert_eq!(row["evidence"].as_array().unwrap().len(), 1);
}

#[test]
fn new_taipei_cloud_documents_asks_a_user_for_evidence_who_answers_alone() {
    let people = People::new();
    let site = under(&people, "new-taipei-cloud-documents");
    let ask = ["audit", "ask", "henry", "--what", "本月查詢案件影本", "--by", "115/12/15"];
    let id = site.run_as("audrey", &ask).ok().id('q');
    let answer = ["audit", "answer", &id, "--doc-no", DOC];
    site.run_as("alice", &answer).exits(77);
    site.run_as("henry", &answer).ok();
    site.run_as("henry", &answer).exits(64);
    assert_eq!(page(&site)["requests"][0]["state"], "answered");
    let asked = ["audit", "ask", "henry", "--what", "A123456789", "--by", "115/12/15"];
    site.run_as("audrey", &asked).exits(65);
}

/// The text of a spreadsheet's sheets, by LibreOffice.
fn office(site: &Site<'_>, ods: &std::path::Path) -> String {
    let out = site.temporary().join("office");
    fs::create_dir_all(&out).unwrap();
    let mut soffice = std::process::Command::new("soffice");
    soffice.arg(format!("-env:UserInstallation=file://{}", out.join("profile").display()));
    soffice.args(["--headless", "--convert-to"]);
    soffice.arg("csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1");
    support::done(soffice.arg("--outdir").arg(&out).arg(ods).env("HOME", &out));
    let mut files: Vec<_> =
        fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "csv"));
    files.sort();
    files.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn taoyuan_dwcd_assesses_itself_by_every_item_of_the_form_and_only_by_what_is_proven() {
    let people = People::new();
    let site = used(&people, "taoyuan-dwcd");
    let plan = ["audit", "plan", "--kind", "vendor", "--period", "2026-H2", "--of", "dingyue"];
    site.run_as("audrey", &[plan.as_slice(), &["--by", "audrey"]].concat()).ok();
    let assess = |format: &str| {
        let path = site.temporary().join(format!("assessment.{format}"));
        let words = ["audit", "self-assessment", "--format", format, "-o", path.to_str().unwrap()];
        site.run(&words).ok();
        path
    };
    let facts: Value = serde_json::from_slice(&fs::read(assess("json")).unwrap()).unwrap();
    let items = facts["items"].as_array().unwrap().clone();
    let item = |wanted: &str| items.iter().find(|row| row["item"] == wanted).unwrap().clone();
    // What the program does not let be otherwise is ticked; what nobody recorded is not.
    assert_eq!(item("2.8")["verdict"], "conforms");
    assert_eq!(item("2.4")["verdict"], "not-applicable");
    assert_eq!(item("4.1")["verdict"], "conforms");
    for left in ["1.1", "6.3", "6.4", "6.5"] {
        assert!(item(left)["verdict"].is_null(), "{left}: {}", item(left));
    }
    assert!(item("2.12")["boxes"] == false && items.iter().all(|row| row["item"] != "4.5"));
    assert_eq!(facts["plans"][0]["of"], "dingyue");
    let sheets = office(&site, &assess("ods"));
    for said in [
        "連結機關應用戶役政資訊連結作業稽核自我評審表",
        "(6) 應用親等關聯資料者",
        "■符合",
        "近二年稽核計畫",
        "dingyue",
        "自評日期",
    ] {
        assert!(sheets.contains(said), "'{said}' in {sheets}");
    }
    // A half-year that is over without an audit is a failing, with its clause.
    later(&site, 90);
    let facts: Value = serde_json::from_slice(&fs::read(assess("json")).unwrap()).unwrap();
    let row = facts["items"].as_array().unwrap().iter().find(|row| row["item"] == "6.5").unwrap();
    assert_eq!(row["verdict"], "fails");
    assert!(row["evidence"].as_str().unwrap().contains("2026-H2（TYA2-6.5）"), "{row}");
}

#[test]
fn taoyuan_dwcd_answers_an_inspection_with_one_file_that_proves_itself() {
    let people = People::new();
    let site = used(&people, "taoyuan-dwcd");
    made(&site, &["audit", "report", "--period", "2026-11"], "ods", "november.ods");
    let pack = site.temporary().join("inspection.zip");
    let words = ["audit", "pack", "-o", pack.to_str().unwrap()];
    site.run_as("henry", &words).exits(77);
    assert!(!pack.exists());
    site.run_as("audrey", &words).ok();
    let check = ["audit", "pack", "verify", pack.to_str().unwrap(), "--json"];
    let report = site.run(&check).ok().json();
    assert_eq!(report["ok"], true, "{report:#}");
    // The roster, the register whole and as a form, the assessment and the audits are in it, under the index.
    let bytes = fs::read(&pack).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for name in [
        "roster.ods",
        "register/register.ods",
        "register/entries.jsonl",
        "self-assessment.ods",
        "audits.json",
        "statistics.json",
        "index.json",
    ] {
        assert!(has(name), "{name}");
    }
    // No name of a delivery, and nobody who was looked up.
    let delivery = site.batches()[0]["delivery"].as_str().unwrap().to_owned();
    assert!(!has(&format!("\"delivery\": \"{delivery}\"")));
    assert!(!has("AGE-SECRET-KEY") && !has("115-001"));
    // One byte of it changed is found out, wherever it is.
    for at in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 30] {
        let mut other = bytes.clone();
        other[at] ^= 1;
        let path = site.temporary().join("other.zip");
        fs::write(&path, other).unwrap();
        site.run(&["audit", "pack", "verify", path.to_str().unwrap()]).exits(65);
    }
    site.verify();
}

#[test]
fn taipei_health_holds_queries_against_cases_each_half_year() {
    let people = People::new();
    let site = used(&people, "taipei-health");
    later(&site, 35);
    let owed = || {
        let page = site.run(&["duties", "--json"]).ok().json();
        let rows = page["duties"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["code"] == "reconcile").map(|row| row["object"].clone())
    };
    assert_eq!(owed(), Some("2026-H2".into()));
    let list = site.temporary().join("cases.csv");
    fs::write(&list, "案號,受理日,結案日\n115-777,115/11/01,\n").unwrap();
    let words = ["audit", "reconcile", "--period", "115-H2", "--cases", list.to_str().unwrap()];
    let (_, path) = made(&site, &words, "json", "cases.json");
    let found: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(found["counts"]["case-without-query"], 1, "{found:#}");
    assert_eq!(found["counts"]["query-without-case"], 1, "{found:#}");
    // The register has how much there was, and no case number.
    let row = page(&site)["reports"][0].clone();
    assert_eq!(row["counts"], found["counts"]);
    assert!(!site.run(&["register", "show", "--json"]).ok().text().contains("115-777"));
    assert_ne!(owed(), Some("2026-H2".into()));
    let staff = site.temporary().join("staff.csv");
    fs::write(&staff, "account,unit\nhenry,elsewhere\n").unwrap();
    let words = ["audit", "reconcile", "--period", "2026-12", "--staff", staff.to_str().unwrap()];
    let (_, path) = made(&site, &words, "ods", "staff.ods");
    let sheets = office(&site, &path);
    assert!(sheets.contains("單位不符") && sheets.contains("elsewhere"), "{sheets}");
}
