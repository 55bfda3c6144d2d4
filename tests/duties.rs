//! The list of duties through the real binary: what is owed, by whom and until when, as the days go by; who sees it; and what a
//! calendar program gets.
//!
//! The records are synthetic, the keys throw-away keys.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use support::{People, Site};

const UNIT: &str = "幼兒托育科";

/// The lines of a list.
#[track_caller]
fn duties(site: &Site<'_>, words: &[&str]) -> Vec<Value> {
    let words = [&["duties", "--json"], words].concat();
    site.run(&words).ok().json()["duties"].as_array().unwrap().clone()
}

fn of<'a>(lines: &'a [Value], code: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["code"] == code).collect()
}

/// A loaded batch and a grant that somebody has.
fn in_use<'p>(people: &'p People) -> (Site<'p>, String, String) {
    let site = Site::in_memory(people);
    site.init();
    site.accounts(UNIT);
    site.install(&[], &["small-20"]);
    site.once();
    let batch = site.batches()[0]["id"].as_str().unwrap().to_owned();
    let apply = ["grant", "apply", "--link", "moca-full", "--until", "2026-12-31"];
    let terms = ["--purpose", "育兒津貼資格審查", "--basis", "府民戶字第1150001234號"];
    let grant = site.run_as("henry", &[apply.as_slice(), &terms].concat()).ok().id('g');
    site.run_as("sue", &["grant", "approve", &grant]).ok();
    (site, batch, grant)
}

#[test]
fn what_ends_a_use_is_owed_by_its_holder_and_what_is_due_by_whoever_may_request_it() {
    let people = People::new();
    let (site, batch, grant) = in_use(&people);
    let far = ["--until", "2028-06-30"];
    let open = duties(&site, &far);
    let ending = of(&open, "end-grant");
    assert_eq!(ending.len(), 1, "{open:?}");
    assert_eq!(ending[0]["object"], grant.as_str());
    assert_eq!(ending[0]["account"], "henry");
    assert_eq!(ending[0]["state"], "open");
    assert_eq!(ending[0]["command"], format!("use complete {grant}"));
    // The link is approved until 2027-12-31: until then at the latest.
    let destroyed = of(&open, "destroy");
    assert_eq!(destroyed.len(), 1, "{open:?}");
    assert_eq!(destroyed[0]["object"], batch.as_str());
    assert_eq!(destroyed[0]["due"].as_str().unwrap().get(..10), Some("2027-12-31"));
    assert_eq!(destroyed[0]["clause"], "TY-4.3.1");
    // What is far is not in the list that nobody asked for.
    assert!(of(&duties(&site, &[]), "destroy").is_empty());
    // Of an account: its own, and what one of its roles may do.
    assert_eq!(of(&duties(&site, &["--account", "henry"]), "end-grant").len(), 1);
    assert!(of(&duties(&site, &["--account", "alice"]), "end-grant").is_empty());
    // As it will be: the use not completed, and late.
    let later = duties(&site, &["--overdue", "--on", "116/01/02"]);
    assert_eq!(of(&later, "end-grant")[0]["state"], "overdue");
    assert_eq!(of(&later, "end-grant")[0]["days"], -2);
    assert!(of(&duties(&site, &["--overdue"]), "end-grant").is_empty());
    // Completed, and no need to keep it: destruction is owed at once, and by a request.
    site.run_as("henry", &["use", "complete", &grant]).ok();
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    site.once();
    let open = duties(&site, &[]);
    assert!(of(&open, "end-grant").is_empty());
    let destroyed = of(&open, "destroy");
    assert!(destroyed[0]["command"].as_str().unwrap().starts_with("destroy request"), "{open:?}");
    let order = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("henry", &order).ok().id('o');
    let open = duties(&site, &[]);
    assert_eq!(of(&open, "destroy")[0]["command"], format!("destroy approve {order}"));
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    assert!(of(&duties(&site, &[]), "destroy").is_empty());
    let all = duties(&site, &["--all", "--link", "moca-full"]);
    assert!(of(&all, "destroy").iter().all(|line| line["state"] == "done"), "{all:?}");
    assert!(!of(&all, "destroy").is_empty());
    // As it was this morning: nothing of it was done, nor owed.
    assert!(of(&duties(&site, &["--on", "2026-11-20"]), "destroy").is_empty());
}

#[test]
fn what_a_hold_forbids_is_not_owed_but_the_holds_review_is() {
    let people = People::new();
    let (site, batch, _) = in_use(&people);
    let hold =
        ["hold", "place", &batch, "--authority", "地方檢察署", "--doc-no", "桃檢字第1150000001號"];
    let hold = site.run_as("audrey", &[hold.as_slice(), &["--review", "2026-12-20"]].concat());
    let hold = hold.ok().id('h');
    let open = duties(&site, &["--until", "2028-06-30"]);
    let review = of(&open, "review-hold");
    assert_eq!(review[0]["object"], hold.as_str());
    assert_eq!(review[0]["due"].as_str().unwrap().get(..10), Some("2026-12-20"));
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    let open = duties(&site, &["--until", "2028-06-30"]);
    assert!(of(&open, "review-hold").is_empty());
    assert_eq!(of(&open, "destroy").len(), 1);
}

#[test]
fn a_calendar_program_gets_an_event_on_the_last_day_and_the_same_one_the_next_time() {
    let people = People::new();
    let (site, _, grant) = in_use(&people);
    let text =
        String::from_utf8(site.run(&["duties", "--calendar", "-"]).ok().stdout.clone()).unwrap();
    assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"), "{text}");
    assert!(text.contains("DTSTART;VALUE=DATE:20261231\r\n"), "{text}");
    assert!(
        text.replace("\r\n ", "").contains(&format!("batchward use complete {grant}")),
        "{text}"
    );
    // RFC 5545 3.1: a line is 75 octets at most.
    assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
    let uids = |text: &str| -> Vec<String> {
        let lines = text.replace("\r\n ", "");
        lines.lines().filter(|line| line.starts_with("UID:")).map(str::to_owned).collect()
    };
    let chinese = String::from_utf8(
        site.run(&["duties", "--lang", "zh-TW", "--calendar", "-"]).ok().stdout.clone(),
    )
    .unwrap();
    assert_eq!(uids(&text), uids(&chinese));
    assert!(!uids(&text).is_empty());
    // A file of one's own: nobody else reads it.
    let file = site.temporary().join("duties.ics");
    site.run(&["duties", "--calendar", file.to_str().unwrap()]).ok();
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o077, 0);
}

#[test]
fn a_day_that_is_none_and_words_that_exclude_each_other_are_refused() {
    let people = People::new();
    let site = Site::in_memory(&people);
    site.init();
    site.run(&["duties", "--on", "2026-02-30"]).exits(64);
    site.run(&["duties", "--due", "--overdue"]).exits(64);
    // Of a day before the site was, nothing is owed.
    let before = site.run(&["duties", "--on", "2020-01-01"]).ok().stdout;
    assert!(String::from_utf8_lossy(&before).contains("nothing is owed"));
}

#[test]
fn the_list_of_what_is_late_is_a_form_with_who_owes_it() {
    let people = People::new();
    let (site, _, grant) = in_use(&people);
    let late = ["duties", "report", "--overdue", "--on", "116/01/02"];
    let csv = site.run(&[late.as_slice(), &["--format", "csv", "-o", "-"]].concat()).ok();
    let text = String::from_utf8(csv.stdout).unwrap();
    let row = text.lines().find(|line| line.contains("核准使用期限將屆")).unwrap();
    assert!(row.contains(&grant) || text.contains(&grant), "{text}");
    for cell in ["henry", "逾期 2 日未辦", "115/12/31"] {
        assert!(text.contains(cell), "'{cell}' in {text}");
    }
    assert!(text.contains("逾期未辦事項清冊") && !text.contains("未屆期"), "{text}");
    let file = site.temporary().join("late.ods");
    site.run(&[late.as_slice(), &["--format", "ods", "-o", file.to_str().unwrap()]].concat()).ok();
    assert!(std::fs::metadata(&file).unwrap().len() > 1000);
    let json = site.run(&["duties", "report", "--all", "--format", "json", "-o", "-"]).ok().json();
    assert_eq!(json["wanted"]["which"], "all");
    assert!(json["source"]["checkpoint"].as_str().unwrap().starts_with("batchward/"));
}
