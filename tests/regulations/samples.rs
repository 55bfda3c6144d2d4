//! Samples of the access log and findings under each regulation: how much, by whom, and to which end; and incidents.

use std::{path::Path, process::Command};

use super::*;

/// An account of a unit.
pub(crate) fn account(site: &Site<'_>, name: &str, roles: &str, unit: &str) {
    site.people.new_key(name);
    let key = site.people.public(name);
    let add = ["account", "add", name, "--role", roles, "--unit", unit, "--sign-key"];
    site.run_as("ada", &[add.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
    site.run_as("ben", &["account", "confirm", name]).ok();
}

/// So many queries, each for one of these cases in turn.
fn queries(site: &Site<'_>, count: usize, cases: &[&str]) {
    let grant = site.grant(LINK);
    for case in cases.iter().cycle().take(count) {
        let words = ["query", "--grant", &grant, "--case", case, "--reason", "資格審查"];
        site.run_as("henry", &[words.as_slice(), &["--format", "json"]].concat()).ok();
    }
    // Somebody without the grant asks, and is refused: that is in every sample.
    let words = ["query", "--grant", &grant, "--case", "x", "--reason", "x", "--format", "json"];
    site.run_as("sue", &words).exits(77);
}

/// The samples, as they are listed.
fn listed(site: &Site<'_>) -> Vec<Value> {
    let rows = site.run(&["audit", "sample", "list", "--json"]).ok().json();
    rows.as_array().unwrap().clone()
}

fn findings(site: &Site<'_>) -> Vec<Value> {
    let rows = site.run(&["audit", "finding", "list", "--json"]).ok().json();
    rows.as_array().unwrap().clone()
}

fn places(row: &Value, field: &str) -> Vec<u64> {
    row[field].as_array().unwrap().iter().map(|place| place.as_u64().unwrap()).collect()
}

/// Draws a period, and holds its proof: by the binary, and drawn again by code that shares nothing with it.
fn drawn(site: &Site<'_>, period: &str) -> Value {
    let file = site.temporary().join(format!("{period}.json"));
    let path = file.to_str().unwrap();
    let words = ["audit", "sample", "--period", period, "--link", LINK, "-o", path];
    let ran = site.run_as("audrey", &words).ok();
    assert!(ran.text().contains("refused"), "{}", ran.text());
    let row = listed(site).pop().unwrap();
    let key = fs::read_to_string(site.dir.join("state/register/vkey")).unwrap();
    let verify = ["audit", "verify", path, "--key", key.trim(), "--json"];
    let report = site.run(&verify).ok().json();
    assert_eq!((&report["ok"], &report["size"]), (&true.into(), &row["terms"]["size"]));
    assert_eq!(report["drawn"], row["drawn"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regulations/redraw.py");
    let again = Command::new("python3").arg(script).arg(&file).output().unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let text = String::from_utf8(again.stdout).unwrap();
    let again: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(again, places(&row, "drawn"));
    // What is shown is what was drawn and what was refused, and the look itself is logged.
    let id = row["id"].as_str().unwrap();
    let shown = site.run_as("audrey", &["audit", "sample", "show", id, "--json"]).ok().json();
    let shown: Vec<u64> =
        shown.as_array().unwrap().iter().map(|line| line["entry"].as_u64().unwrap()).collect();
    let mut all = [places(&row, "drawn"), places(&row, "refused")].concat();
    all.sort_unstable();
    assert_eq!(shown, all);
    row
}

/// Whatever is changed in a proof, it does not hold; as it is, it holds against the published access log too.
fn a_changed_proof_does_not_hold(site: &Site<'_>, period: &str) {
    let key = fs::read_to_string(site.dir.join("state/register/vkey")).unwrap();
    let file = site.temporary().join(format!("{period}.json"));
    let verify = |path: &Path| {
        let words = ["audit", "verify", path.to_str().unwrap(), "--key", key.trim()];
        let access = site.dir.join("state/access");
        site.run(&[words.as_slice(), &["--access", access.to_str().unwrap(), "--json"]].concat())
    };
    assert_eq!(verify(&file).ok().json()["access_checked"], true);
    let good: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let bent = site.temporary().join("bent.json");
    for change in ["drop", "swap", "sealed", "listed"] {
        let mut proof = good.clone();
        match change {
            // An asking is left out of what was counted.
            "drop" => drop(proof["population"].as_array_mut().unwrap().pop()),
            "swap" => proof["population"].as_array_mut().unwrap().swap(0, 1),
            // The seed's entry is another one.
            "sealed" => proof["sealed"] = proof["drawn"].clone(),
            _ => proof["listed"] = serde_json::json!([]),
        }
        fs::write(&bent, proof.to_string()).unwrap();
        assert_eq!(verify(&bent).exits(65).json()["ok"], false, "{change}");
    }
}

#[test]
fn taoyuan_draws_three_percent_of_half_a_year_once_it_is_over_and_once() {
    let people = People::new();
    let site = under(&people, "taoyuan-dwcd");
    loaded(&site);
    queries(&site, 11, &["115-001", "115-002"]);
    let draw = ["audit", "sample", "--period", "2026-H2", "--link", LINK];
    refused(&site, "audrey", &draw, "is not over");
    // The period of the rule, and no other.
    let month = ["audit", "sample", "--period", "2026-11", "--link", LINK];
    let ran = site.run_as("audrey", &month).exits(77);
    assert!(ran.stderr.contains("2026-H2"), "{}", ran.stderr);
    later(&site, 45);
    refused(&site, "henry", &draw, "may not");
    let fewer = [draw.as_slice(), &["--size", "0"]].concat();
    refused(&site, "audrey", &fewer, "TY-5.1b");
    let row = drawn(&site, "2026-H2");
    // TY-5.1b: 3 % of 11 is one; fewer than ten would all be looked at.
    assert_eq!((&row["terms"]["counted"], &row["terms"]["size"]), (&11.into(), &1.into()));
    assert_eq!(row["refused"].as_array().unwrap().len(), 1);
    assert_eq!(row["bound_late"], Value::Null);
    refused(&site, "audrey", &draw, "drawn already");
    a_changed_proof_does_not_hold(&site, "2026-H2");
    // TY-5.2: kept for three years from the end of the look through it.
    let id = row["id"].as_str().unwrap();
    site.run_as("audrey", &["audit", "review", id, "--result", "ok"]).ok();
    let kept = listed(&site)[0]["kept_until"].as_str().unwrap()[..4].to_owned();
    assert_eq!(kept, "2030");
    site.verify();
}

#[test]
fn taoyuan_looks_into_what_was_found_with_both_offices_and_its_reviewers_take_turns() {
    let people = People::new();
    let site = under(&people, "taoyuan-dwcd");
    account(&site, "ivan", "auditor", "資訊室");
    account(&site, "erin", "auditor", "政風室");
    loaded(&site);
    queries(&site, 3, &["115-001"]);
    later(&site, 45);
    let row = drawn(&site, "2026-H2");
    // Fewer than ten: every one.
    assert_eq!(row["terms"]["size"], 3);
    let (id, place) = (row["id"].as_str().unwrap(), places(&row, "drawn")[0].to_string());
    let found = ["audit", "review", id, "--finding", "查詢事由不符", "--on", &place];
    refused(&site, "ivan", &found, "TY-5.2");
    let of_one = [found.as_slice(), &["--with", "erin"]].concat();
    refused(&site, "audrey", &of_one, "it-office");
    let both = [found.as_slice(), &["--with", "erin"]].concat();
    site.run_as("ivan", &both).ok();
    assert!(findings(&site).is_empty());
    refused(&site, "audrey", &["audit", "confirm", id], "erin");
    site.run_as("erin", &["audit", "confirm", id]).ok();
    let finding = findings(&site)[0].clone();
    assert_eq!((&finding["state"], &finding["sample"]), (&"open".into(), &id.into()));
    site.run_as("audrey", &["audit", "review", id, "--result", "ok"]).ok();
    assert_eq!(listed(&site)[0]["open"], serde_json::json!([]));
    // TYA2-6.2, 6.4: in the next half-year others look at what the same account asked.
    queries(&site, 1, &["116-001"]);
    later(&site, 190);
    let row = drawn(&site, "2027-H1");
    let next = row["id"].as_str().unwrap();
    assert_eq!(places(&row, "drawn").len(), 1);
    // All three reviewed it the last time: where nobody else is there, one of them has to.
    account(&site, "jean", "auditor", "資訊室");
    refused(&site, "audrey", &["audit", "review", next, "--result", "ok"], "TYA2-6.4");
    site.run_as("jean", &["audit", "review", next, "--result", "ok"]).ok();
    site.verify();
}

#[test]
fn taoyuan_draws_seventy_percent_of_kinship_queries_each_month() {
    let people = People::new();
    let site = Site::in_memory(&people);
    edit(&site, "links/moca-full.yaml", "status: active", "status: active\nkinship: true");
    site.init();
    site.accounts(UNIT);
    loaded(&site);
    queries(&site, 4, &["115-001"]);
    later(&site, 12);
    let row = drawn(&site, "2026-11");
    assert_eq!(row["terms"]["class"], "kinship");
    assert_eq!((&row["terms"]["clause"], &row["terms"]["size"]), (&"TYA2-4.6".into(), &3.into()));
    // The rule of every link holds for it as well.
    later(&site, 30);
    assert_eq!(drawn(&site, "2026-H2")["terms"]["size"], 4);
}

#[track_caller]
fn five_percent_of_cases(policy: &str, clause: &str, offices: &[&str], told: &str) {
    let people = People::new();
    let site = under(&people, policy);
    loaded(&site);
    // Manager and deputy are there, before anything is granted.
    let post = ["appointment", "add", "ada", "--post", "manager", "--from", "2026-11-21"];
    let manager = site.run_as("sue", &[post.as_slice(), &["--doc-no", DOC]].concat()).ok().id('p');
    site.run_as("ben", &["appointment", "confirm", &manager]).ok();
    let mut deputy = [post.as_slice(), &["--doc-no", DOC, "--deputy-for", &manager]].concat();
    deputy[2] = "ben";
    let deputy = site.run_as("sue", &deputy).ok().id('p');
    site.run_as("ada", &["appointment", "confirm", &deputy]).ok();
    // Six queries for three cases: cases are counted, and a drawn one brings all its queries.
    queries(&site, 6, &["115-001", "115-002", "115-003"]);
    later(&site, 12);
    let row = drawn(&site, "2026-11");
    assert_eq!((&row["terms"]["counted"], &row["terms"]["size"]), (&3.into(), &1.into()));
    assert_eq!((&row["terms"]["unit"], &row["terms"]["clause"]), (&"cases".into(), &clause.into()));
    assert_eq!(places(&row, "drawn").len(), 2);
    let (id, place) = (row["id"].as_str().unwrap(), places(&row, "drawn")[0].to_string());
    let found = ["audit", "review", id, "--finding", "無案可稽", "--on", &place];
    let found = [found.as_slice(), &["--correct-by", "2026-12-20"]].concat();
    site.run_as("audrey", &found).ok();
    let finding = findings(&site)[0]["id"].as_str().unwrap().to_owned();
    // Corrected with evidence, told to every office of the policy, closed by a second person.
    let paper = site.temporary().join("minutes.txt");
    fs::write(&paper, "synthetic").unwrap();
    site.run_as("sue", &["audit", "finding", "close", &finding]).exits(64);
    let words = ["audit", "finding", "correct", &finding, "--action", "停權並重新訓練", "--doc-no"];
    let words = [words.as_slice(), &[DOC, "--evidence", paper.to_str().unwrap()]].concat();
    site.run_as("sue", &words).ok();
    site.run_as("sue", &["audit", "finding", "close", &finding]).exits(77);
    refused(&site, "audrey", &["audit", "finding", "close", &finding], told);
    for office in offices {
        let told = ["audit", "finding", "told", &finding, "--office", office, "--letter", DOC];
        site.run_as("audrey", &told).ok();
    }
    site.run_as("audrey", &["audit", "finding", "close", &finding]).ok();
    assert_eq!(findings(&site)[0]["state"], "closed");
    site.verify();
}

#[test]
fn new_taipei_draws_five_percent_of_the_cases_of_a_month_and_tells_who_has_to_know() {
    let offices = ["ethics-office", "ethics-department", "research-commission", "provider"];
    five_percent_of_cases("new-taipei-cloud-documents", "NTP-9.3", &offices, "NTP-9.2");
}

#[test]
fn taipei_draws_five_percent_of_the_cases_of_a_month_and_tells_who_has_to_know() {
    let offices = ["head", "ethics-office", "ethics-department", "provider"];
    five_percent_of_cases("taipei-data-platform", "TPE-10.3", &offices, "TPE-10.2");
}

#[test]
fn nantou_draws_ten_at_least_each_month_and_never_the_same_reviewer_twice_running() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    account(&site, "ivan", "auditor,handler", "資訊室");
    loaded(&site);
    queries(&site, 12, &["115-001"]);
    later(&site, 12);
    let row = drawn(&site, "2026-11");
    assert_eq!((&row["terms"]["counted"], &row["terms"]["size"]), (&12.into(), &10.into()));
    let id = row["id"].as_str().unwrap();
    site.run_as("audrey", &["audit", "review", id, "--result", "ok"]).ok();
    queries(&site, 1, &["115-002"]);
    later(&site, 31);
    let row = drawn(&site, "2026-12");
    let id = row["id"].as_str().unwrap();
    refused(&site, "audrey", &["audit", "review", id, "--result", "ok"], "NT-5.2");
    site.run_as("ivan", &["audit", "review", id, "--result", "ok"]).ok();
    assert_eq!(listed(&site)[1]["kept_until"].as_str().unwrap().get(..4), Some("2032"));
    site.verify();
}

#[test]
fn nobody_audits_their_own_acts() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    account(&site, "ivan", "auditor,handler", UNIT);
    loaded(&site);
    queries(&site, 1, &["115-001"]);
    let until = ["grant", "apply", "--link", LINK, "--until", "2027-06-30", "--purpose", "審查"];
    let until = [until.as_slice(), &["--basis", DOC]].concat();
    let grant = site.run_as("ivan", &until).ok().id('g');
    site.run_as("sue", &["grant", "approve", &grant]).ok();
    let words =
        ["query", "--grant", &grant, "--case", "115-9", "--reason", "x", "--format", "json"];
    site.run_as("ivan", &words).ok();
    later(&site, 12);
    let row = drawn(&site, "2026-11");
    let id = row["id"].as_str().unwrap();
    let mine = places(&row, "drawn")[1].to_string();
    refused(&site, "ivan", &["audit", "review", id, "--result", "ok"], "their own acts");
    let own = ["audit", "review", id, "--result", "ok", "--on", &mine];
    refused(&site, "ivan", &own, "their own acts");
    site.run_as("audrey", &own).ok();
    site.run_as("ivan", &["audit", "review", id, "--result", "ok"]).ok();
    assert_eq!(listed(&site)[0]["open"], serde_json::json!([]));
}

#[test]
fn taipei_health_has_both_offices_at_every_review_and_tells_its_head() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    account(&site, "ivan", "auditor", "資訊室");
    account(&site, "erin", "auditor,supervisor", "政風室");
    loaded(&site);
    // TPH-5.10a has no sample by percentage; a finding comes from an audit.
    let add = ["audit", "finding", "add", "--link", LINK, "--code", "名冊未更新", "--doc-no", DOC];
    let add = [add.as_slice(), &["--correct-by", "2026-12-01"]].concat();
    let finding = site.run_as("audrey", &add).ok().id('f');
    later(&site, 15);
    assert_eq!(findings(&site)[0]["overdue"], true);
    let words = ["audit", "finding", "correct", &finding, "--action", "更新名冊", "--doc-no", DOC];
    // The letter tells how it ended: there is none before that, and none that still holds when it is returned.
    let told = ["audit", "finding", "told", &finding, "--office", "head", "--letter", DOC];
    site.run_as("audrey", &told).exits(64);
    site.run_as("sue", &words).ok();
    site.run_as("audrey", &[told.as_slice(), &["--on", "2026-12-01"]].concat()).exits(64);
    site.run_as("audrey", &told).ok();
    site.run_as("erin", &["audit", "finding", "return", &finding, "--reason", "未附清冊"]).ok();
    assert_eq!(findings(&site)[0]["state"], "open");
    site.run_as("sue", &words).ok();
    refused(&site, "erin", &["audit", "finding", "close", &finding], "head");
    site.run_as("audrey", &told).ok();
    site.run_as("erin", &["audit", "finding", "close", &finding]).ok();
    site.verify();
}

#[test]
fn an_incident_is_looked_into_by_two_told_in_time_and_closed_by_a_second_person() {
    let people = People::new();
    let site = under(&people, "taoyuan-dwcd");
    account(&site, "ivan", "auditor", "資訊室");
    account(&site, "erin", "auditor,supervisor", "政風室");
    let batch = loaded(&site);
    let report = ["incident", "report", "--kind", "loss", "--at", "2026-11-21T10:00:00+08:00"];
    let report = [report.as_slice(), &["--batch", &batch, "--records", "unknown"]].concat();
    let report = [report.as_slice(), &["--encrypted", "no", "--summary", "隨身碟遺失"]].concat();
    let ran = site.run_as("henry", &report).ok();
    // 72 hours from when it became known.
    assert!(ran.text().contains("2026-11-24"), "{}", ran.text());
    let id = ran.id('i');
    let look = ["incident", "investigate", &id, "--doc-no", DOC, "--records", "20", "--with"];
    refused(&site, "ivan", &[look.as_slice(), &["sue"]].concat(), "TY-5.2");
    site.run_as("ivan", &[look.as_slice(), &["erin"]].concat()).ok();
    let remedy = ["incident", "remedy", &id, "--remedy", "銷毀金鑰", "--prevention", "二人攜帶"];
    let remedy = [remedy.as_slice(), &["--doc-no", DOC]].concat();
    site.run_as("sue", &remedy).exits(64);
    refused(&site, "sue", &["incident", "confirm", &id], "erin");
    site.run_as("erin", &["incident", "confirm", &id]).ok();
    site.run_as("sue", &remedy).ok();
    refused(&site, "erin", &["incident", "close", &id], "were not told");
    for office in ["it-office", "ethics-office"] {
        let told = ["incident", "notify", &id, "--office", office, "--letter", DOC];
        site.run_as("alice", &told).ok();
    }
    refused(&site, "sue", &["incident", "close", &id], "second person");
    site.run_as("erin", &["incident", "close", &id]).ok();
    let rows = site.run(&["incident", "list", "--json"]).ok().json();
    assert_eq!((&rows[0]["state"], &rows[0]["facts"]["records"]), (&"closed".into(), &20.into()));
    // Nothing that looks like a person stands in it.
    let person = ["incident", "report", "--kind", "loss", "--at", "2026-11-21", "--link", LINK];
    let person = [person.as_slice(), &["--records", "1", "--encrypted", "yes"]].concat();
    let person = [person.as_slice(), &["--summary", "A123456789 的資料"]].concat();
    site.run_as("henry", &person).exits(65);
    site.verify();
}

/// The duties of a code that are not fulfilled.
fn owed(site: &Site<'_>, code: &str) -> Vec<Value> {
    let words = ["duties", "--link", LINK, "--until", "2027-12-31", "--json"];
    let page = site.run(&words).ok().json();
    let rows = page["duties"].as_array().unwrap().iter().filter(|row| row["code"] == code);
    rows.cloned().collect()
}

#[test]
fn each_period_is_owed_by_itself_until_it_is_drawn_and_looked_through() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    loaded(&site);
    queries(&site, 2, &["115-001"]);
    assert!(owed(&site, "draw-sample").is_empty());
    later(&site, 45);
    // November by the end of December, which is past; December by the end of January.
    let rows = owed(&site, "draw-sample");
    let again = site.run(&["duties", "--overdue", "--json"]).json();
    assert!(again["duties"].as_array().unwrap().iter().all(|row| row["state"] == "overdue"));
    let told: Vec<(&str, &str, &str)> = rows
        .iter()
        .map(|row| {
            let text = |field: &str| row[field].as_str().unwrap();
            (text("object"), text("state"), text("due").get(..10).unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [("2026-11 ordinary", "overdue", "2026-12-31"), ("2026-12 ordinary", "open", "2027-01-31"),]
    );
    assert_eq!((&rows[0]["clause"], &rows[0]["link"]), (&"NT-5.1".into(), &LINK.into()));
    drawn(&site, "2026-11");
    assert_eq!(owed(&site, "draw-sample").len(), 1);
    let review = owed(&site, "review-sample");
    assert_eq!(review[0]["command"], "audit review m-00000001");
    site.run_as("audrey", &["audit", "review", "m-00000001", "--result", "ok"]).ok();
    assert!(owed(&site, "review-sample").is_empty());
}

#[test]
fn a_finding_that_is_not_corrected_in_time_is_owed_as_the_end_of_its_link() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    let add = ["audit", "finding", "add", "--link", LINK, "--code", "名冊未更新", "--doc-no", DOC];
    let finding = site.run_as("audrey", &add).ok().id('f');
    let rows = owed(&site, "correct-finding");
    // No day was said: the policy's month.
    assert_eq!(rows[0]["due"].as_str().unwrap().get(..10), Some("2026-12-21"));
    assert!(owed(&site, "propose-termination").is_empty());
    later(&site, 32);
    let rows = owed(&site, "propose-termination");
    assert_eq!((&rows[0]["object"], &rows[0]["link"]), (&finding.as_str().into(), &LINK.into()));
    assert_eq!(owed(&site, "correct-finding")[0]["state"], "overdue");
    let words = ["audit", "finding", "correct", &finding, "--action", "更新名冊", "--doc-no", DOC];
    site.run_as("sue", &words).ok();
    assert!(owed(&site, "propose-termination").is_empty());
    // What was done waits for a second person, by a day as well.
    assert_eq!(owed(&site, "correct-finding")[0]["object"], format!("{finding} closed"));
}

#[test]
fn a_team_of_two_offices_reviews_together() {
    let people = People::new();
    let site = Site::in_memory(&people);
    edit(
        &site,
        "links/moca-full.yaml",
        "policy: taoyuan-dwcd",
        "policy: taipei-health\noverride:\n  sampling:\n    period: { value: P1M, clause: own }\n    rate: { value: 50, clause: own }\n    counted: { value: records, clause: own }",
    );
    site.init();
    site.accounts(UNIT);
    account(&site, "ivan", "auditor", "資訊室");
    let batch = loaded(&site);
    provided(&site, &batch);
    queries(&site, 2, &["115-001"]);
    later(&site, 12);
    let row = drawn(&site, "2026-11");
    // Records: twenty of each asking, half of all.
    assert_eq!((&row["terms"]["counted"], &row["terms"]["size"]), (&40.into(), &20.into()));
    let review = ["audit", "review", "m-00000001", "--result", "ok"];
    refused(&site, "audrey", &review, "TPH-5.9");
    let with = [review.as_slice(), &["--with", "audrey"]].concat();
    refused(&site, "audrey", &with, "second person");
    let with = [review.as_slice(), &["--with", "ivan"]].concat();
    site.run_as("audrey", &with).ok();
    assert_eq!(owed(&site, "review-sample")[0]["account"], "ivan");
    // Ivan does not agree, and looks through it himself: what waited for him keeps nobody waiting.
    let other = [review.as_slice(), &["--with", "audrey"]].concat();
    site.run_as("ivan", &other).ok();
    refused(&site, "ivan", &["audit", "confirm", "m-00000001"], "audrey");
    site.run_as("audrey", &["audit", "confirm", "m-00000001"]).ok();
    assert!(owed(&site, "review-sample").is_empty());
    site.verify();
}

#[test]
fn which_incidents_are_told_within_the_time_of_the_policy() {
    let people = People::new();
    let site = Site::in_memory(&people);
    edit(
        &site,
        "links/moca-full.yaml",
        "policy: taoyuan-dwcd",
        "policy: taoyuan-dwcd\noverride:\n  incident:\n    records_over: { value: 50, clause: own }",
    );
    site.init();
    site.accounts(UNIT);
    loaded(&site);
    for (records, by) in [("unknown", true), ("51", true), ("50", false)] {
        let report = ["incident", "report", "--kind", "disclosure", "--at", "2026-11-21"];
        let report = [report.as_slice(), &["--link", LINK, "--records", records]].concat();
        let report = [report.as_slice(), &["--encrypted", "yes", "--summary", "誤寄"]].concat();
        let id = site.run_as("henry", &report).ok().id('i');
        let rows = site.run(&["incident", "list", "--json"]).ok().json();
        let row = rows.as_array().unwrap().iter().find(|row| row["id"] == id.as_str()).unwrap();
        assert_eq!(row["report_by"].is_string(), by, "{records}");
    }
    // One duty for each office, and one for the end of each.
    assert_eq!(owed(&site, "report-incident").len(), 6);
    assert_eq!(owed(&site, "end-incident").len(), 3);
}
