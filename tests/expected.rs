//! Expected deliveries through the real binary: what comes early, in time, late, not at all and after all; what counts and what
//! does not; and what the register keeps of it.
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

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};
use support::{People, Site};

const UNIT: &str = "資訊科";
const LINK: &str = "nantou-verify";
const WEEKLY: &str =
    "expect: [{every: monday 09:00, early: P2D, late_after: PT4H, missing_after: P3D}]";

/// A site whose link expects this.
fn site<'p>(people: &'p People, expect: &str) -> Site<'p> {
    let site = Site::laid_out(people, &[]);
    edit(&site, "status: active", &format!("status: active\n{expect}"));
    site.init();
    site.accounts(UNIT);
    site
}

fn edit(site: &Site<'_>, from: &str, to: &str) {
    let path = site.dir.join(format!("links/{LINK}.yaml"));
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "'{from}' in {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// The clock stands at this day and time of November 2026; December's days go on from 31.
#[track_caller]
fn at(site: &Site<'_>, text: &str) {
    let (day, time) = text.split_once('T').unwrap();
    let (hours, minutes) = time.split_once(':').unwrap();
    let number = |text: &str| text.parse::<i64>().unwrap();
    // The clock of a site starts on the 21st at ten.
    let minute = (number(day) - 21) * 1440 + (number(hours) - 10) * 60 + number(minutes);
    assert!(minute >= site.minute(), "{text} is over");
    site.wait_minutes(minute - site.minute());
}

/// Packs a file of one person, a full one where nothing else is said, whose name tells the batches apart.
fn deliver(site: &Site<'_>, number: &str, name: &str, more: &[&str]) {
    let signer = site.people.key("keys/signers/nantou");
    fs::set_permissions(&signer, fs::Permissions::from_mode(0o600)).unwrap();
    let folder = site.dir.with_file_name("provider");
    fs::create_dir_all(&folder).unwrap();
    let plain = folder.join("people.csv");
    let text = format!("national_id,name,birth_date,indigenous\r\nA123456789,{name},0800101,0\r\n");
    fs::write(&plain, text).unwrap();
    let layout = site.dir.join("layouts/nt-verify-04.yaml");
    let key = site.dir.join(format!("keys/{LINK}/{number}.key"));
    let drop = site.dir.join(format!("drop/{LINK}"));
    let paths = [&plain, &layout, &signer, &key, &drop].map(|path| path.to_str().unwrap());
    let [plain, layout, signer, key, drop] = paths;
    let mut words = vec!["pack", plain, "--layout", layout, "--sign-with", signer, "-o", drop];
    words.extend(["--fresh-key", key, "--link", LINK, "--number", number]);
    words.extend(["--table-no", "NT-VERIFY-04"]);
    if !more.contains(&"--kind") {
        words.extend(["--kind", "full"]);
    }
    words.extend(["--basis", "府民戶字第1150004321號", "--purpose", "驗證機制平臺身分驗證"]);
    words.extend(more);
    site.run(&words).ok();
}

/// `link expected` of the link.
fn page(site: &Site<'_>) -> Value {
    let pages = site.run(&["link", "expected", LINK, "--json"]).ok().json();
    pages[0].clone()
}

/// Day, state and number of each slot.
fn slots(site: &Site<'_>) -> Vec<(String, String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let row = |slot: &Value| {
        let day = text(&slot["due"]).unwrap()[5..10].to_owned();
        (day, text(&slot["state"]).unwrap(), text(&slot["batch"]["number"]))
    };
    page(site)["slots"].as_array().unwrap().iter().map(row).collect()
}

/// The slot of a day.
#[track_caller]
fn slot(site: &Site<'_>, day: &str) -> (String, Option<String>) {
    let slots = slots(site);
    let found = slots.iter().find(|slot| slot.0 == day);
    let (_, state, number) = found.unwrap_or_else(|| panic!("no {day} in {slots:?}")).clone();
    (state, number)
}

/// The codes of the alarms that stand, but for destructions: what is loaded here is due at once.
fn alarms(site: &Site<'_>) -> Vec<String> {
    let ran = site.run(&["status", "--json"]);
    let page = ran.json();
    let list = page["alarms"].as_array().unwrap().iter().filter(|one| one["level"] == "alarm");
    let codes: Vec<String> = list.map(|one| one["code"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ran.status, Some(i32::from(!codes.is_empty())));
    codes.into_iter().filter(|code| code != "destruction-overdue").collect()
}

/// The entries of a kind.
fn entries(site: &Site<'_>, kind: &str) -> Vec<Value> {
    let all = site.run(&["register", "show", "--json"]).ok().json();
    let all = all.as_array().unwrap().iter().filter(|entry| entry["body"]["type"] == kind);
    all.map(|entry| entry["body"].clone()).collect()
}

fn some(state: &str, number: &str) -> (String, Option<String>) {
    (state.to_owned(), Some(number.to_owned()))
}

fn none(state: &str) -> (String, Option<String>) {
    (state.to_owned(), None)
}

#[test]
fn early_in_time_late_missing_and_after_all() {
    let people = People::new();
    let site = site(&people, WEEKLY);
    site.once();
    // Two days before its time one counts as that of Monday.
    deliver(&site, "N-1", "王一明", &[]);
    site.once();
    assert_eq!(slot(&site, "11-23"), some("early", "N-1"));
    at(&site, "30T09:10");
    deliver(&site, "N-2", "王二明", &[]);
    site.once();
    assert_eq!(slot(&site, "11-30"), some("on-time", "N-2"));
    at(&site, "37T09:10");
    site.once();
    assert_eq!((slot(&site, "12-07"), alarms(&site)), (none("due"), vec![]));
    at(&site, "37T13:10");
    site.once();
    assert_eq!(slot(&site, "12-07"), none("late"));
    assert_eq!(alarms(&site), ["delivery-late"]);
    deliver(&site, "N-3", "王三明", &[]);
    site.once();
    assert_eq!((slot(&site, "12-07"), alarms(&site)), (some("came-late", "N-3"), vec![]));
    assert_eq!(entries(&site, "delivery-missed"), [Value::Null; 0]);
    // One that does not come; nothing but the clock says so, and the register keeps it.
    at(&site, "44T12:00");
    site.once();
    at(&site, "47T09:10");
    assert_eq!(alarms(&site), ["delivery-missing"], "before the agent has recorded it");
    site.once();
    site.once();
    assert_eq!(slot(&site, "12-14"), none("missing"));
    assert_eq!(alarms(&site), ["delivery-missing"]);
    let missed = entries(&site, "delivery-missed");
    assert_eq!(missed.len(), 1, "never twice: {missed:#?}");
    assert_eq!(missed[0]["due"], "2026-12-14T01:00:00.000Z");
    deliver(&site, "N-4", "王四明", &[]);
    site.once();
    assert_eq!((slot(&site, "12-14"), alarms(&site)), (some("came-late", "N-4"), vec![]));
    let came = entries(&site, "delivery-came");
    let told: Vec<&Value> = came.iter().map(|entry| &entry["due"]).collect();
    assert_eq!(told.len(), 4, "{came:#?}");
    assert_eq!((&came[3]["due"], &came[3]["link"]), (&missed[0]["due"], &json!(LINK)));
    // What people read: the states, and what the register keeps of them.
    let said = site.run(&["link", "expected"]).ok();
    for part in ["nantou-verify", "monday 09:00", "came-late", "recorded as missing", "upcoming"] {
        assert!(said.text().contains(part), "'{part}' is not in {}", said.text());
    }
    let register = site.run(&["register", "show"]).ok();
    for part in [
        "deliveries on nantou-verify are expected: monday 09:00",
        "the delivery on nantou-verify that was due 2026-12-14 (ROC 115-12-14) 09:00 +08:00 is missing",
    ] {
        assert!(register.text().contains(part), "'{part}' is not in {}", register.text());
    }
    site.verify();
}

#[test]
fn one_that_never_comes_is_told_until_the_next_one_has_come() {
    let people = People::new();
    let site = site(&people, WEEKLY);
    site.once();
    at(&site, "27T10:00");
    site.once();
    assert_eq!(alarms(&site), ["delivery-missing"]);
    let status = site.run(&["status"]).exits(1);
    for part in ["EXPECTED DELIVERIES", "an expected delivery is missing (nantou-verify)"] {
        assert!(status.text().contains(part), "'{part}' is not in {}", status.text());
    }
    at(&site, "30T09:10");
    deliver(&site, "N-2", "王二明", &[]);
    site.once();
    assert_eq!(slot(&site, "11-23"), none("missing"), "what was left out for good stays missing");
    assert_eq!((slot(&site, "11-30"), alarms(&site)), (some("on-time", "N-2"), vec![]));
    // What a rule recorded is shown also when another stands in its place.
    edit(&site, "monday 09:00", "monday 10:00");
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    site.once();
    assert_eq!(slot(&site, "11-23"), none("missing"));
    assert_eq!(slot(&site, "11-30"), some("on-time", "N-2"));
    assert_eq!(slot(&site, "12-07"), none("upcoming"));
}

#[test]
fn what_is_quarantined_of_another_kind_or_a_correction_is_not_what_was_expected() {
    let people = People::new();
    let full = WEEKLY.replace("every:", "kind: full, every:");
    let site = site(&people, &full);
    site.once();
    at(&site, "23T09:10");
    deliver(&site, "N-1", "王一明", &["--kind", "delta", "--sequence", "1"]);
    site.once();
    assert_eq!(slot(&site, "11-23"), none("due"), "a change file");
    deliver(&site, "N-1", "王二明", &[]);
    site.once();
    let found = page(&site)["slots"][0].clone();
    assert_eq!(found["state"], "due", "{found:#}");
    let away = &found["turned_away"][0];
    assert_eq!(
        (&away["state"], &away["reason"]),
        (&json!("quarantined"), &json!("duplicate-batch"))
    );
    deliver(&site, "N-2", "王二明", &[]);
    site.once();
    assert_eq!(slot(&site, "11-23"), some("on-time", "N-2"));
    // A correction stands for what it corrects, and is shown with it; the next one is still to come.
    at(&site, "29T09:10");
    deliver(&site, "N-3", "王三明", &["--replaces", "N-2"]);
    site.once();
    assert_eq!(slot(&site, "11-30"), none("upcoming"));
    let found = page(&site)["slots"][0].clone();
    assert_eq!(found["batch"]["replaced_by"], json!(site.row_numbered("N-3")));
    assert_eq!(found["batch"]["state"], "due", "the old one goes to destruction");
}

#[test]
fn a_delivery_that_is_not_whole_is_shown_and_waited_for() {
    let people = People::new();
    let site = site(&people, WEEKLY);
    site.once();
    let folder = site.dir.join(format!("drop/{LINK}/N-1"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("people.csv.age"), b"synthetic").unwrap();
    at(&site, "23T09:10");
    site.once();
    let found = page(&site)["slots"][0].clone();
    assert_eq!((&found["state"], &found["waits"]), (&json!("due"), &json!("incomplete")));
}

#[test]
fn a_suspended_link_expects_nothing_and_begins_anew() {
    let people = People::new();
    let site = site(&people, WEEKLY);
    site.once();
    at(&site, "22T10:00");
    edit(&site, "status: active", "status: suspended");
    site.once();
    let ended = entries(&site, "expectation-ended");
    assert_eq!((ended.len(), &ended[0]["why"]), (1, &json!("link-inactive")));
    at(&site, "33T10:00");
    site.once();
    assert_eq!((slots(&site), alarms(&site)), (vec![], vec![]));
    assert_eq!(page(&site)["stopped"], "link-inactive");
    assert_eq!(entries(&site, "delivery-missed"), [Value::Null; 0]);
    edit(&site, "status: suspended", "status: active");
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    site.once();
    assert_eq!(slots(&site)[0], ("12-07".to_owned(), "upcoming".to_owned(), None));
    assert_eq!(entries(&site, "expectation-begun").len(), 2);
}

#[test]
fn what_is_expected_from_today_was_not_missing_yesterday_and_loosening_waits() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    site.once();
    at(&site, "36T10:00");
    // More that is expected is in force at once; less, or anything else, waits for a second person.
    edit(&site, "status: active", &format!("status: active\n{WEEKLY}"));
    site.once();
    let days: Vec<String> = slots(&site).into_iter().map(|slot| slot.0).collect();
    assert_eq!(days, ["12-07", "12-14"]);
    edit(&site, "missing_after: P3D", "missing_after: P5D");
    site.once();
    let pending = site.run(&["config", "show", "--json"]).ok().json();
    let file = format!("links/{LINK}.yaml");
    assert_eq!(pending, json!([{ "file": file, "code": "expect", "tightens": false }]));
    assert_eq!(page(&site)["slots"][0]["missing_after"], "2026-12-10T01:00:00.000Z");
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    site.once();
    assert_eq!(page(&site)["slots"][0]["missing_after"], "2026-12-12T01:00:00.000Z");
    let why = entries(&site, "expectation-ended");
    assert_eq!(why[0]["why"], "changed");
}

#[test]
fn a_missing_calendar_is_a_fault_and_an_alarm_and_nothing_is_guessed() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    edit(&site, "status: active", "status: active\nexpect: [{every: working day 09:00}]");
    let calendars = site.dir.join("policies/calendars");
    for entry in fs::read_dir(&calendars).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() == "114.csv" {
            fs::rename(&path, calendars.join("another name.csv")).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
    site.init();
    site.accounts(UNIT);
    site.once();
    let check = site.run(&["check"]).exits(78);
    let hint = "put the government's calendar (政府行政機關辦公日曆表, data.gov.tw/dataset/14718) at \
                'calendars/115.csv' in the folder of policies";
    for part in ["there is no calendar of the working days of 2026 (ROC 115)", hint] {
        assert!(check.text().contains(part), "'{part}' is not in {}", check.text());
    }
    at(&site, "26T10:00");
    site.once();
    assert_eq!((slots(&site), alarms(&site)), (vec![], vec!["calendar-missing".to_owned()]));
    assert_eq!(page(&site)["missing_calendar"], 2026);
    let shipped = support::root().join("policies/calendars");
    fs::copy(shipped.join("115.csv"), calendars.join("115.csv")).unwrap();
    // The next year's is asked for from October on.
    let check = site.run(&["check"]).ok();
    assert!(check.text().contains("2027 (ROC 116)"), "{}", check.text());
    fs::copy(shipped.join("116.csv"), calendars.join("116.csv")).unwrap();
    let check = site.run(&["check"]).ok();
    assert!(!check.text().contains("calendar"), "{}", check.text());
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    site.once();
    assert_eq!(slot(&site, "11-26"), none("due"), "it was in force since the rule began");
    at(&site, "27T10:00");
    assert_eq!(slot(&site, "11-23"), none("missing"));
}

#[test]
fn a_missing_change_file_is_named() {
    let people = People::new();
    let site = Site::laid_out(&people, &["delta-3"]);
    site.init();
    site.accounts("幼兒托育科");
    site.once();
    let pages = site.run(&["link", "expected", "moca-full", "--json"]).ok().json();
    let gap = &pages[0]["gap"];
    assert_eq!((&gap["missing"], gap["waiting"].as_array().unwrap().len()), (&json!([1, 2]), 1));
    let said = site.run(&["link", "expected", "moca-full"]).ok();
    assert!(said.text().contains("change files missing: 1, 2; since "), "{}", said.text());
    site.run(&["link", "expected", "nobody"]).exits(64);
    let said = site.run(&["link", "expected"]).ok();
    assert!(said.text().contains("no link says when"), "{}", said.text());
}
