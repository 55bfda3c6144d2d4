//! Keys that come odd, releases and rejections, sequences, and the view that they make.

use std::fs;

use super::*;

const NO_KEY: &str = "moca-1151102-0013";

fn submit(site: &Site<'_>, batch: &str, file: &str) -> Ran {
    let path = site.people.batch_key(file);
    let words = ["key", "submit", batch, "--file", path.to_str().unwrap(), "--channel", "letter"];
    site.run_as("alice", &words)
}

/// What lies in the keyboxes.
fn key_files(site: &Site<'_>) -> Vec<String> {
    site.files("keys")
}

#[test]
fn the_fifth_wrong_key_quarantines() {
    let people = People::new();
    let site = with_mallory(&people, &["no-key"]);
    let batch = id_of(&site, NO_KEY);
    for _ in 1..5 {
        submit(&site, &batch, "MOCA-1151102-0001.key").exits(65);
        assert_eq!(stands(&site, NO_KEY), ("verified".to_owned(), "wrong-key".into()));
    }
    submit(&site, &batch, "MOCA-1151102-0001.key").exits(65);
    assert_eq!(stands(&site, NO_KEY), ("quarantined".to_owned(), "wrong-key".into()));
    // A release counts from the start again, and the right key then opens it.
    site.run_as("alice", &["batch", "release", &batch, "--reason", "typed wrongly"]).ok();
    assert_eq!(stands(&site, NO_KEY).0, "verified");
    submit(&site, &batch, "MOCA-1151102-0013.key").ok();
    assert_eq!(stands(&site, NO_KEY).0, "loaded");
    site.verify();
}

#[test]
fn a_key_for_a_loaded_batch_is_wiped_and_recorded() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let batch = id_of(&site, SMALL);
    site.bring_key(LINK, "MOCA-1151102-0006.key");
    site.once();
    assert!(key_files(&site).is_empty());
    let last = of_type(&site, "outcome");
    assert!(last.iter().any(|e| e["body"]["outcome"]["code"] == "spent"), "{last:#?}");
    submit(&site, &batch, "MOCA-1151102-0006.key").exits(77);
}

#[test]
fn a_key_may_come_before_its_batch() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    site.install(&["--keys-only"], &["small-20"]);
    site.once();
    assert!(key_files(&site).is_empty(), "taken from its box at once");
    site.install(&["--no-keys"], &["small-20"]);
    site.once();
    assert_eq!(stands(&site, SMALL).0, "loaded");
}

#[test]
fn a_baseline_starts_a_link_at_a_number_when_two_people_say_so() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    site.install(&[], &["delta-3"]);
    site.once();
    let delta = "moca-1151102-0009";
    assert_eq!(stands(&site, delta), ("verified".to_owned(), "sequence-gap".into()));
    site.run_as("alice", &["link", "baseline", LINK, "2"]).ok();
    site.once();
    assert_eq!(stands(&site, delta).1, "sequence-gap", "proposed is not in force");
    site.run_as("sue", &["link", "confirm", LINK]).ok();
    site.once();
    assert_eq!(stands(&site, delta).0, "loaded");
    // Numbers that were taken are not taken again.
    site.run_as("alice", &["link", "baseline", LINK, "1"]).exits(64);
    site.install(&[], &["delta-1"]);
    site.once();
    let (state, reason) = stands(&site, "moca-1151102-0007");
    assert_eq!(state, "quarantined", "{reason}");
}

#[test]
fn a_release_judges_again_and_never_overrides() {
    let people = People::new();
    let site = with_mallory(&people, &["checksum-mismatch"]);
    let batch = site.batches()[0]["id"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        site.run_as("alice", &["batch", "release", &batch, "--reason", "please"]).ok();
        let page = site.show(&batch);
        assert_eq!(
            (&page["state"], &page["reason"]),
            (&"quarantined".into(), &"checksum-mismatch".into())
        );
    }
    site.run(&["batch", "release", &batch, "--reason", "please"]).exits(77);
    site.run_as("alice", &["batch", "release", &batch, "--reason", " "]).exits(64);
}

#[test]
fn an_unsigned_delivery_waits_and_is_then_quarantined() {
    let people = People::new();
    let site = with_mallory(&people, &["unsigned"]);
    let row = &site.batches()[0];
    assert_eq!((&row["state"], &row["reason"]), (&"waiting".into(), &"unsigned".into()));
    site.wait_minutes(3 * 60);
    site.once();
    assert_eq!(site.batches()[0]["state"], "waiting");
    site.wait_minutes(61);
    site.once();
    let row = &site.batches()[0];
    assert_eq!((&row["state"], &row["reason"]), (&"quarantined".into(), &"unsigned".into()));
}

#[test]
fn a_rejected_number_may_be_sent_again() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    // The same delivery, while the link is suspended: claimed, verified by nobody, rejected.
    edit(&site, "links/moca-full.yaml", "status: active", "status: suspended");
    site.install(&[], &["small-20"]);
    site.once();
    let first = id_of(&site, SMALL);
    assert_eq!(stands(&site, SMALL).0, "quarantined");
    site.run_as("alice", &["batch", "reject", &first, "--reason", "not agreed"]).ok();
    assert_eq!(site.show(&first)["state"], "due");
    edit(&site, "links/moca-full.yaml", "status: suspended", "status: active");
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    site.install(&[], &["small-20"]);
    site.once();
    let rows = site.batches();
    assert!(rows.iter().any(|row| row["state"] == "loaded"), "{rows:#?}");
}

/// The records of one batch, by ID number.
fn records(site: &Site<'_>, grant: &str, more: &[&str]) -> Vec<Value> {
    let words = query(grant, &[more, &["--format", "json"]].concat()).into_iter();
    let ran = site.run_as("henry", &words.collect::<Vec<_>>()).ok();
    ran.json().as_array().unwrap().clone()
}

#[test]
fn the_current_view_is_the_full_file_and_the_change_files_after_it() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    site.once();
    for case in ["delta-1", "delta-2", "delta-3"] {
        site.install(&[], &[case]);
        site.once();
    }
    let grant = site.grant(LINK);
    let id = |delivery: &str| id_of(&site, delivery);
    let key = |row: &Value| row["national_id"].as_str().unwrap().to_owned();
    let mut wanted: std::collections::BTreeMap<String, Vec<Value>> = Default::default();
    for row in records(&site, &grant, &["--batch", &id(SMALL)]) {
        wanted.entry(key(&row)).or_default().push(row);
    }
    let mut deltas = std::collections::BTreeSet::new();
    for delivery in ["moca-1151102-0007", "moca-1151102-0008", "moca-1151102-0009"] {
        let rows = records(&site, &grant, &["--batch", &id(delivery)]);
        deltas.extend(rows.iter().map(key));
        let named: std::collections::BTreeSet<String> = rows.iter().map(key).collect();
        named.iter().for_each(|id| drop(wanted.remove(id)));
        for row in rows {
            wanted.entry(key(&row)).or_default().push(row);
        }
    }
    let view = records(&site, &grant, &[]);
    let mut found: std::collections::BTreeMap<String, Vec<Value>> = Default::default();
    for row in view {
        found.entry(key(&row)).or_default().push(row);
    }
    for (id, rows) in &found {
        assert_eq!(Some(rows), wanted.get(id), "{id} is as its newest file says");
    }
    // Whoever is missing was removed by a change file.
    let missing: Vec<&String> = wanted.keys().filter(|id| !found.contains_key(*id)).collect();
    assert!(missing.iter().all(|id| deltas.contains(*id)), "{missing:?}");
    assert!(!missing.is_empty() && !found.is_empty());
}

#[test]
fn two_names_of_one_file_in_a_delivery_are_not_wiped_one_by_the_other() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    site.install(&[], &["small-20"]);
    let inbox = site.dir.join("drop").join(LINK).join(SMALL);
    let mut files = fs::read_dir(&inbox).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|e| e == "age")).unwrap();
    fs::hard_link(&file, inbox.join("again.age")).unwrap();
    let before = fs::read(&file).unwrap();
    site.once();
    assert_eq!(stands(&site, SMALL).1, "unsafe-file");
    // Neither was copied: what is there is all that there is, and stays until an order covers it.
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(fs::read(inbox.join("again.age")).unwrap(), before);
    site.verify();
}
