//! Destruction: a hold beats any approval until the last byte is gone, and whatever an approval was given under must
//! still stand when the wipe begins.

use super::*;
use batchward::adapters::journal::{Journal, Log};

/// A batch that is due, with an order that waits for its approval.
fn requested(site: &Site<'_>) -> (String, String) {
    let batch = no_need(site, SMALL);
    let words = ["destroy", "request", &batch, "--reason", "no need"];
    let order = site.run_as("alice", &words).ok().id('o');
    (batch, order)
}

fn place(site: &Site<'_>, batch: &str) -> String {
    let words = ["hold", "place", batch, "--authority", "地檢署", "--doc-no", "115-1"];
    site.run_as("audrey", &[words.as_slice(), &["--review", "2027-01-31"]].concat()).ok().id('h')
}

/// Everything that is kept of the batches.
fn kept(site: &Site<'_>) -> Vec<Vec<String>> {
    ["state/vault", "state/spool", "state/cases"].map(|folder| site.files(folder)).to_vec()
}

/// The last entry of the register, read without starting anything.
pub(super) fn last(site: &Site<'_>) -> Value {
    let journal = Journal::open(&site.dir.join("state/journal.db"), "taoyuan-dwcd").unwrap();
    let size = journal.size(Log::Register).unwrap();
    serde_json::from_slice(&journal.entry(Log::Register, size - 1).unwrap()).unwrap()
}

/// Sue approves, and the process dies at the first write after the register holds an entry like this.
fn stopped_after(site: &Site<'_>, order: &str, there: impl Fn(&Value) -> bool) {
    let key = site.people.key("sue");
    for write in 1..60 {
        let crash = format!("{write}:after");
        let global = ["--as", "sue", "--sign-with", key.to_str().unwrap(), "--test-crash", &crash];
        let ran = site.run_with(&["destroy", "approve", order], &global, b"");
        assert!(ran.status.is_none(), "'{}' came to its end: {}", ran.words, ran.stderr);
        if there(&last(site)["body"]) {
            return;
        }
        assert_ne!(last(site)["body"]["type"], "intent", "stopped too late");
    }
    panic!("the approval is never recorded");
}

fn approved(body: &Value) -> bool {
    body["type"] == "order-approved"
}

/// The order is void, and nothing of the batch is gone.
#[track_caller]
fn spared(site: &Site<'_>, files: &[Vec<String>], code: &str) {
    site.once();
    let voided = of_type(site, "order-voided");
    assert_eq!(voided.len(), 1, "{voided:#?}");
    assert_eq!(voided[0]["body"]["code"], code);
    assert_eq!(kept(site), files);
    assert_eq!(stands(site, SMALL).0, "due");
    site.verify();
}

#[test]
fn an_approved_order_destroys_and_certifies() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let (_, order) = requested(&site);
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    assert!(kept(&site).iter().all(Vec::is_empty), "{:?}", kept(&site));
    assert_eq!(first_state(&site), "closed");
    site.run(&["certificate", "show", &order]).ok();
    // The same approval again is none.
    site.run_as("sue", &["destroy", "approve", &order]).exits(64);
}

fn first_state(site: &Site<'_>) -> String {
    site.batches()[0]["state"].as_str().unwrap().to_owned()
}

#[test]
fn nothing_is_requested_under_a_hold() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let batch = no_need(&site, SMALL);
    let hold = place(&site, &batch);
    refused(&site, "alice", &["destroy", "request", &batch, "--reason", "no need"]);
    refused(&site, "audrey", &["hold", "lift", &hold]);
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    site.run_as("alice", &["destroy", "request", &batch, "--reason", "no need"]).ok();
}

#[test]
fn a_hold_after_the_request_forbids_the_approval() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let (batch, order) = requested(&site);
    let files = kept(&site);
    place(&site, &batch);
    refused(&site, "sue", &["destroy", "approve", &order]);
    site.once();
    assert_eq!(kept(&site), files);
}

#[test]
fn a_hold_on_the_link_or_on_everything_holds_too() {
    let people = People::new();
    for scope in [&["--link", LINK][..], &["--all"]] {
        let site = Site::founded(&people, &["small-20"], UNIT);
        site.once();
        let (_, order) = requested(&site);
        let words = ["--authority", "地檢署", "--doc-no", "115-1", "--review", "2027-01-31"];
        site.run_as("audrey", &[&["hold", "place"], scope, &words].concat()).ok();
        refused(&site, "sue", &["destroy", "approve", &order]);
    }
}

#[test]
fn a_hold_between_approval_and_wipe_stops_the_wipe() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let (batch, order) = requested(&site);
    let files = kept(&site);
    stopped_after(&site, &order, approved);
    place(&site, &batch);
    spared(&site, &files, "hold");
    // After the hold, the old approval is worth nothing: it must be asked for again.
    let hold = of_type(&site, "hold-placed")[0]["body"]["hold"].as_str().unwrap().to_owned();
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    site.once();
    assert_eq!(kept(&site), files);
    site.run_as("sue", &["destroy", "approve", &order]).exits(64);
}

#[test]
fn a_hold_stops_a_wipe_that_was_about_to_begin() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let (batch, order) = requested(&site);
    let files = kept(&site);
    stopped_after(&site, &order, approved);
    // The agent starts, records that it will wipe, and dies before it has.
    let mut write = 1;
    while last(&site)["body"]["plan"]["step"] != "wipe-copy" {
        let crash = format!("{write}:after");
        let ran = site.run_with(&["run", "--once"], &["--test-crash", &crash], b"");
        assert!(ran.status.is_none(), "{}", ran.stderr);
        write += 1;
        assert!(write < 40, "{}", last(&site));
    }
    assert_eq!(kept(&site), files);
    place(&site, &batch);
    spared(&site, &files, "hold");
    // What was spared goes by a new order, once the hold is lifted.
    let hold = of_type(&site, "hold-placed")[0]["body"]["hold"].as_str().unwrap().to_owned();
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    let words = ["destroy", "request", &batch, "--reason", "no need"];
    let order = site.run_as("alice", &words).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    assert!(kept(&site).iter().all(Vec::is_empty));
}

#[test]
fn a_policy_that_changed_after_the_approval_stops_the_wipe() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let (_, order) = requested(&site);
    let files = kept(&site);
    edit(&site, "policies/taoyuan-dwcd.yaml", "value: 10000", "value: 9999");
    site.run_as("ada", &["config", "propose"]).ok();
    stopped_after(&site, &order, approved);
    site.run_as("ben", &["config", "confirm"]).ok();
    spared(&site, &files, "policy-changed");
}

#[test]
fn an_approver_who_was_disabled_since_stops_the_wipe() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let (_, order) = requested(&site);
    let files = kept(&site);
    stopped_after(&site, &order, approved);
    site.run_as("ada", &["account", "disable", "sue"]).ok();
    spared(&site, &files, "approver-disabled");
}

#[test]
fn a_request_that_waits_too_long_is_void() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let (_, order) = requested(&site);
    site.wait_minutes(29 * 24 * 60);
    site.once();
    site.wait_minutes(3 * 24 * 60);
    site.run_as("sue", &["destroy", "approve", &order]).exits(77);
    site.once();
    assert_eq!(of_type(&site, "order-voided")[0]["body"]["code"], "expired");
}

#[test]
fn a_batch_in_use_is_not_due() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = site.grant(LINK);
    let batch = id_of(&site, SMALL);
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    assert_eq!(stands(&site, SMALL).0, "loaded");
    site.run_as("alice", &["destroy", "request", &batch, "--reason", "early"]).exits(64);
    site.run_as("mallory", &["use", "complete", &grant]).exits(77);
    site.run_as("henry", &["use", "complete", &grant]).ok();
    assert_eq!(stands(&site, SMALL).0, "due");
    assert!(site.query(&grant, &[]).exits(77).stdout.is_empty());
}

/// What becomes true together is durable together: one signature and one sync for all of it.
#[test]
fn what_ends_at_the_same_time_is_one_commit() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    for _ in 0..3 {
        let apply = ["grant", "apply", "--link", LINK, "--until", "2026-12-10"];
        let why = ["--purpose", "資格審查", "--basis", "府社婦字第1150009999號"];
        let grant = site.run_as("henry", &[apply.as_slice(), &why].concat()).ok().id('g');
        site.run_as("sue", &["grant", "approve", &grant]).ok();
    }
    site.wait_minutes(25 * 24 * 60);
    site.once();
    let ended = of_type(&site, "grant-expired");
    let places: Vec<u64> = ended.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert_eq!(places.len(), 3);
    assert_eq!(places[2], places[0] + 2);
    let journal = rusqlite::Connection::open(site.dir.join("state/journal.db")).unwrap();
    let signed = |size: u64| -> u64 {
        let count = "SELECT COUNT(*) FROM checkpoint WHERE log = 0 AND size = ?1";
        journal
            .query_row(count, [size.cast_signed()], |row| row.get::<_, i64>(0))
            .unwrap()
            .cast_unsigned()
    };
    let sizes = [places[0], places[1], places[2], places[2] + 1];
    assert_eq!(sizes.map(signed), [1, 0, 0, 1]);
    site.verify();
}
