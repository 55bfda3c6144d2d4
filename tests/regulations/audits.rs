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
    loaded(&site);
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
    let record = |by: &[&str]| {
        let words = ["audit", "record", "unannounced", "--period", "2026-12", "--of", "all"];
        let more = ["--result", "ok", "--doc-no", DOC];
        site.run_as("audrey", &[words.as_slice(), by, &more].concat())
    };
    later(&site, 14);
    let alone = record(&["--by", "audrey=ethics-office"]).exits(77);
    assert!(alone.stderr.contains("TPH-5.9"), "{}", alone.stderr);
    let team = ["--by", "audrey=ethics-office", "--by", "alice=it-office"];
    let id = record(&team).ok().id('v');
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
    site.run_as("sue", &["audit", "sign", &id]).ok();
    assert_eq!(page(&site)["audits"][0]["state"], "signed");
    site.verify();
}

#[test]
fn nantou_verification_records_its_audits_by_two_people_and_nobody_audits_their_own_unit() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    let plan = ["audit", "plan", "--kind", "vendor", "--period", "2026", "--of", "dingyue"];
    let id = site.run_as("audrey", &[plan.as_slice(), &["--by", "audrey"]].concat()).ok().id('v');
    let own = ["audit", "plan", "--kind", "internal", "--period", "2026", "--of", UNIT];
    let ran = site.run_as("audrey", &[own.as_slice(), &["--by", "henry"]].concat()).exits(77);
    assert!(ran.stderr.contains("own acts"), "{}", ran.stderr);
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
