//! The end of use (使用完竣且確認無保存必要): completed and without need, unit by unit; the clock starts with the last word. And
//! the other starts of clocks: the end of the period, of the link, and what is printed and filed.

use super::*;

const UNITS: [(&str, &str); 3] =
    [("henry", UNIT), ("hanna", "健康管理科"), ("hugo", "新住民事務科")];

/// A site whose link three units use, each with a grant; with the grants and the batch.
fn three<'p>(people: &'p People) -> (Site<'p>, String, Vec<String>) {
    let site = Site::in_memory(people);
    let units = UNITS.map(|(_, unit)| unit).join(", ");
    edit(&site, "links/moca-full.yaml", "units: [幼兒托育科]", &format!("units: [{units}]"));
    site.init();
    site.accounts(UNIT);
    for (name, unit) in &UNITS[1..] {
        people.new_key(name);
        let key = people.public(name);
        let key = key.to_str().unwrap();
        let words =
            ["account", "add", name, "--role", "handler", "--unit", unit, "--sign-key", key];
        site.run_as("ada", &words).ok();
        site.run_as("ben", &["account", "confirm", name]).ok();
    }
    let batch = loaded(&site);
    let grants = UNITS.iter().map(|(name, _)| grant(&site, name)).collect();
    (site, batch, grants)
}

fn grant(site: &Site<'_>, name: &str) -> String {
    let apply =
        ["grant", "apply", "--link", LINK, "--until", "2027-06-30", "--purpose", "資格審查"];
    let words = [apply.as_slice(), &["--basis", DOC]].concat();
    let grant = site.run_as(name, &words).ok().id('g');
    site.run_as("sue", &["grant", "approve", &grant]).ok();
    grant
}

fn state(site: &Site<'_>, batch: &str) -> String {
    site.show(batch)["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_batch_is_due_when_the_last_of_three_units_has_no_need_any_more() {
    let people = People::new();
    let (site, batch, grants) = three(&people);
    let no_need = ["use", "no-need", batch.as_str()];
    // One unit after the other, days apart; a grant of another unit stays open for other batches.
    site.run_as("henry", &["use", "complete", &grants[0]]).ok();
    assert!(codes(&site, "tasks").contains(&"state-no-need".to_owned()));
    site.run_as("henry", &no_need).ok();
    site.run_as("henry", &no_need).exits(64);
    later(&site, 3);
    let query = |name: &str, grant: &str| {
        let words = ["query", "--grant", grant, "--case", "115-001", "--reason", "資格審查"];
        site.run_as(name, &[words.as_slice(), &["--batch", &batch]].concat())
    };
    query("hanna", &grants[1]).ok();
    let complete = ["use", "complete", "--batch", batch.as_str()];
    site.run_as("hanna", &[complete.as_slice(), &["--unit", UNIT]].concat()).exits(77);
    site.run_as("hanna", &complete).ok();
    // What a unit has completed it reads no more; its grant is for the next batch.
    query("hanna", &grants[1]).exits(77);
    query("hugo", &grants[2]).ok();
    site.run_as("hanna", &no_need).ok();
    assert_eq!(state(&site, &batch), "loaded");
    // A mistaken word is taken back: it counts as never said.
    let withdraw = ["use", "withdraw", batch.as_str(), "--reason", "誤植批次"];
    site.run_as("sue", &withdraw).exits(77);
    site.run_as("hanna", &withdraw).ok();
    query("hanna", &grants[1]).ok();
    later(&site, 2);
    site.run_as("hugo", &["use", "complete", &grants[2]]).ok();
    site.run_as("hugo", &no_need).ok();
    assert_eq!(state(&site, &batch), "loaded", "hanna's unit still uses it");
    // It needs the batch until a day; that day is owed.
    let keep = ["use", "keep", batch.as_str(), "--reason", "申復中", "--until"];
    site.run_as("hanna", &[keep.as_slice(), &["2028-06-30"]].concat()).exits(77);
    site.run_as("hanna", &[keep.as_slice(), &["2026-12-31"]].concat()).ok();
    site.run_as("hanna", &complete).ok();
    assert_eq!(state(&site, &batch), "loaded");
    let owed = site.run(&["duties", "--json"]).json();
    let owed = owed["duties"].as_array().unwrap().clone();
    let owed = owed.iter().find(|one| one["code"] == "state-need").unwrap();
    assert_eq!(owed["due"].as_str().unwrap().get(..10), Some("2026-12-31"));
    later(&site, 10);
    let last = site.time();
    site.run_as("hanna", &no_need).ok();
    assert_eq!(state(&site, &batch), "due");
    let due = plan(&site, "2027-12-31");
    let due = due.iter().find(|row| row["clock"] == "use-ended").unwrap();
    assert_eq!(due["deadline"].as_str().unwrap().get(..10), last.get(..10), "of the last word");
    site.verify();
}

#[test]
fn the_clock_starts_with_the_completion_where_that_comes_after_the_need() {
    let people = People::new();
    let site = under(&people, "taoyuan-dwcd");
    let batch = loaded(&site);
    let grant = site.grant(LINK);
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    assert_eq!(state(&site, &batch), "loaded");
    later(&site, 5);
    let last = site.time();
    site.run_as("henry", &["use", "complete", &grant]).ok();
    let due = plan(&site, "2027-12-31");
    let due = due.iter().find(|row| row["clock"] == "use-ended").unwrap();
    assert_eq!(due["deadline"].as_str().unwrap().get(..10), last.get(..10));
}

#[test]
fn what_an_order_rests_on_is_taken_back_by_two_people_and_not_once_it_is_approved() {
    let people = People::new();
    let site = under(&people, "taoyuan-dwcd");
    let batch = loaded(&site);
    let grant = site.grant(LINK);
    site.run_as("henry", &["use", "complete", &grant]).ok();
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    // Before anybody asked for its destruction: at once, and the batch is in use again.
    let back = ["use", "withdraw", &grant, "--reason", "尚在使用"];
    site.run_as("henry", &back).ok();
    assert_eq!(state(&site, &batch), "loaded");
    site.query(&grant, &[]).ok();
    site.run_as("henry", &["use", "complete", &grant]).ok();
    assert_eq!(state(&site, &batch), "due");
    let ask = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("alice", &ask).ok().id('o');
    let back = ["use", "withdraw", &batch, "--reason", "申復中仍需保存"];
    site.run_as("henry", &back).ok();
    assert_eq!(state(&site, &batch), "due", "it waits for a second person");
    assert!(codes(&site, "tasks").contains(&"confirm-withdrawal".to_owned()));
    let confirm = ["use", "confirm", &batch, "--unit", UNIT];
    site.run_as("henry", &confirm).exits(77);
    site.run_as("sue", &confirm).ok();
    assert_eq!(state(&site, &batch), "loaded");
    site.run_as("sue", &["destroy", "approve", &order]).exits(64);
    // Approved by two people, it is no longer one's to take back.
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    let order = site.run_as("alice", &ask).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    let ran = site.run_as("henry", &back);
    assert_eq!(ran.status, Some(77), "{}", ran.stderr);
    site.verify();
}

#[test]
fn the_end_of_the_period_and_of_the_link_start_the_clock_whatever_was_said() {
    let people = People::new();
    let site = Site::in_memory(&people);
    edit(&site, "links/moca-full.yaml", "units:", "use_period: P10D\nunits:");
    site.init();
    site.accounts(UNIT);
    let batch = loaded(&site);
    let keep = ["use", "keep", &batch, "--reason", "申復中", "--until", "2026-11-30"];
    site.run_as("henry", &keep).ok();
    later(&site, 12);
    assert_eq!(state(&site, &batch), "due");
    let of = |site: &Site<'_>, clock: &str| {
        plan(site, "2028-12-31").iter().any(|row| row["clock"] == clock)
    };
    assert!(of(&site, "use-period-ended"));
    // What time ended nobody takes back.
    site.run_as("henry", &["use", "withdraw", &batch, "--reason", "誤植"]).ok();
    assert_eq!(state(&site, &batch), "due");

    let site = under(&people, "taoyuan-dwcd");
    let batch = loaded(&site);
    edit(&site, "links/moca-full.yaml", "status: active", "status: terminated");
    site.once();
    assert_eq!(state(&site, &batch), "due");
    assert!(of(&site, "link-terminated"));
    site.verify();
}

#[test]
fn what_another_person_said_of_a_need_is_taken_back_by_two_people() {
    let people = People::new();
    let (site, batch, _) = three(&people);
    people.new_key("olga");
    let key = people.public("olga");
    let add = ["account", "add", "olga", "--role", "handler", "--sign-key", key.to_str().unwrap()];
    site.run_as("ada", &add).ok();
    site.run_as("ben", &["account", "confirm", "olga"]).ok();
    let kept = |unit: Option<&str>| {
        let page = site.show(&batch);
        let uses = page["intake"]["uses"].as_array().unwrap().clone();
        let line = uses.into_iter().find(|one| one["unit"].as_str() == unit);
        line.is_some_and(|one| one["keep_until"].is_string())
    };
    let until = ["--reason", "申復中", "--until", "2026-12-31"];
    let keep = [["use", "keep", batch.as_str()].as_slice(), &until].concat();
    let back = ["use", "withdraw", batch.as_str(), "--reason", "誤植"];
    // For all: no unit alone ends it.
    site.run_as("olga", &keep).ok();
    let ran = site.run_as("hanna", &back).ok();
    assert!(ran.text().contains("waits for a second person"), "{}", ran.text());
    assert!(kept(Some(UNIT)));
    site.run_as("hanna", &["use", "confirm", &batch]).exits(77);
    site.run_as("sue", &["use", "confirm", &batch]).ok();
    assert!(!kept(Some(UNIT)));
    // Who stated it takes it back alone.
    site.run_as("olga", &keep).ok();
    site.run_as("olga", &back).ok();
    assert!(!kept(Some(UNIT)));
    // A unit's: who belongs to none neither takes it back alone nor says the contrary.
    site.run_as("henry", &keep).ok();
    let of_unit = ["--unit", UNIT];
    site.run_as("olga", &[back.as_slice(), &of_unit].concat()).ok();
    site.run_as("olga", &["use", "no-need", &batch, "--unit", UNIT]).exits(77);
    assert!(kept(Some(UNIT)));
    site.run_as("sue", &["use", "confirm", &batch, "--unit", UNIT]).ok();
    assert!(!kept(Some(UNIT)));
    site.verify();
}
