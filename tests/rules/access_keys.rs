//! The end of a key of link and month: due when its retention is over, requested by one person, approved by another, no
//! hold standing; then nothing that is left opens what it sealed, and the log still verifies.

use std::{fs, io::Read};

use super::{
    access::{each_sealed, opened},
    reading::{meanwhile, slow},
    *,
};
use batchward::adapters::{age_files::unseal, keystore::SlotState};
use support::picture::key_store;

/// Taoyuan keeps the access log for three years; a little more of them, in minutes.
const YEARS: i64 = 60 * 24 * (365 * 3 + 45);

/// A site that was used, so many minutes later, when somebody has confirmed the time.
fn used_and_later(people: &People, minutes: i64) -> Site<'_> {
    let site = with_mallory(people, &["small-20"]);
    let grant = site.grant(LINK);
    site.run_as("henry", &query(&grant, &[])).ok();
    later(&site, minutes);
    site
}

fn later(site: &Site<'_>, minutes: i64) {
    site.wait_minutes(minutes);
    site.once();
    site.run_as("alice", &["clock", "confirm"]).ok();
    site.once();
}

/// How many entries of the access log some secret that is left in the key store opens.
fn entries_that_open(site: &Site<'_>) -> usize {
    let store = key_store(&site.dir).expect("the site has its root key");
    let names: Vec<String> = store.names().collect();
    let secrets: Vec<_> = names.iter().filter_map(|name| store.get(name).unwrap()).collect();
    assert!(secrets.len() > 3, "the key store holds other secrets");
    let mut open = 0;
    each_sealed(site, |_, sealed, _| {
        open += usize::from(secrets.iter().any(|secret| unseal(secret, sealed).is_ok()));
    });
    open
}

/// The only line of `access keys`.
fn key(site: &Site<'_>) -> Value {
    let keys = site.run(&["access", "keys", "--json"]).ok().json();
    let [key] = keys.as_array().unwrap().as_slice() else { panic!("{keys:#}") };
    key.clone()
}

fn tasks(site: &Site<'_>) -> Vec<String> {
    let ran = site.run(&["status", "--json"]);
    let page = ran.json();
    let tasks = page["tasks"]["rows"].as_array().unwrap().iter();
    tasks.map(|task| task["code"].as_str().unwrap().to_owned()).collect()
}

/// Both logs verify.
fn verify_both(site: &Site<'_>) {
    site.verify();
    let dir = site.dir.join("state/access");
    site.run(&["register", "verify", "--dir", dir.to_str().unwrap()]).ok();
}

const REQUEST: &[&str] = &["access", "destroy", "--link", LINK, "--reason", "保存期滿"];

#[test]
fn a_key_that_was_destroyed_opens_nothing_and_both_logs_still_verify() {
    let people = People::new();
    let site = used_and_later(&people, YEARS);
    assert_eq!(key(&site)["state"], "due");
    assert_eq!(key(&site)["clause"], "TY-4.2.5");
    assert!(tasks(&site).contains(&"request-access-destruction".to_owned()));
    let before = opened(&site).len();
    assert_eq!(entries_that_open(&site), before, "the search for what opens them finds the key");
    let order = site.run_as("alice", REQUEST).ok().id('a');
    assert_eq!(key(&site)["state"], "requested");
    assert!(tasks(&site).contains(&"decide-access-order".to_owned()));
    site.run_as("alice", REQUEST).exits(64);
    site.run_as("sue", &["access", "destroy-approve", &order]).ok();
    assert_eq!(key(&site)["state"], "destroyed");
    assert_eq!(key(&site)["order"], order);
    assert_eq!(entries_that_open(&site), 0);
    let store = key_store(&site.dir).unwrap();
    let slot = store.state("access:moca-full:2026-11").unwrap();
    assert_eq!(slot, SlotState::Destroyed { order });
    drop(store);
    let entries = register(&site);
    let dropped = entries.iter().find(|e| e["body"]["outcome"]["result"] == "access-key-dropped");
    let outcome = &dropped.expect("the register says so")["body"]["outcome"];
    assert_eq!((&outcome["link"], &outcome["month"]), (&LINK.into(), &"2026-11".into()));
    // What is known against the key being gone for good stands there too: the samples' root key is a file.
    let limits = outcome["limits"].as_array().expect("the outcome has them");
    assert!(limits.contains(&"root-key-file".into()), "{outcome}");
    verify_both(&site);
    // What is left is when and under which link; this month's entries are under a key of their own.
    let words = ["access", "show", "--json", "--to", "2026-12-31"];
    let lines = site.run_as("audrey", &words).ok().json();
    let lines = lines.as_array().unwrap();
    assert_eq!(lines.len(), before);
    assert!(lines.iter().all(|line| line["state"] == "destroyed" && line["account"].is_null()));
    assert!(entries_that_open(&site) > 0);
    verify_both(&site);
}

#[test]
fn a_look_at_the_log_that_runs_stops_when_a_key_is_destroyed() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = site.grant(LINK);
    // Lines enough that the reading waits for its reader.
    let list = site.temporary().join("list");
    let values: Vec<String> = (0..20_000).map(|n| format!("Z{n:09}")).collect();
    fs::write(&list, values.join("\n")).unwrap();
    let words = ["match", "--grant", &grant, "--case", "115-001", "--reason", "資格審查"];
    let more = ["--input", list.to_str().unwrap(), "--on", "national_id"];
    site.run_as("henry", &[&words[..], &more].concat()).ok();
    later(&site, YEARS);
    let order = site.run_as("alice", REQUEST).ok().id('a');
    let (mut child, mut shown) =
        slow(&site, "audrey", &["access", "show", "--json", "--to", "2026-12-31"]);
    meanwhile(&site, "sue", &["access", "destroy-approve", &order]);
    child.stdout.take().unwrap().read_to_end(&mut shown).unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(77), "{told}");
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("Z000000000") && !shown.contains("Z000019999"), "{}", shown.len());
    let keys = site.run(&["access", "keys", "--json"]).ok().json();
    let of_month = keys.as_array().unwrap().iter().find(|key| key["month"] == "2026-11");
    assert_eq!(of_month.unwrap()["state"], "destroyed");
    site.wait_minutes(1);
    verify_both(&site);
}

#[test]
fn nobody_ends_the_access_log_early_alone_or_against_a_hold() {
    let people = People::new();
    // Three years after that month, not after that day.
    let site = used_and_later(&people, 60 * 24 * 365 * 3);
    assert_eq!(key(&site)["state"], "kept");
    let early = refused(&site, "alice", REQUEST_OF_MONTH);
    assert!(early.stderr.contains("TY-4.2.5"), "{}", early.stderr);
    site.run_as("alice", REQUEST).exits(64);
    later(&site, 60 * 24 * 45);
    assert_eq!(key(&site)["state"], "due");
    for who in ["sue", "audrey", "ada"] {
        refused(&site, who, REQUEST);
    }
    let hold = ["hold", "place", "--link", LINK, "--authority", "地檢署", "--doc-no", "偵1"];
    let hold = site.run_as("audrey", &[&hold[..], &["--review", "2030-06-30"]].concat());
    let hold = hold.ok().id('h');
    refused(&site, "alice", REQUEST);
    assert!(!tasks(&site).contains(&"request-access-destruction".to_owned()));
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    // Mallory has every role, and is one person.
    let order = site.run_as("mallory", REQUEST).ok().id('a');
    let approve = ["access", "destroy-approve", order.as_str()];
    for who in ["mallory", "alice", "audrey"] {
        refused(&site, who, &approve);
    }
    site.run(&approve).exits(77);
    // A hold over one batch of the link is enough.
    let batch = id_of(&site, SMALL);
    let hold = ["hold", "place", &batch, "--authority", "地檢署", "--doc-no", "偵2"];
    let hold = site.run_as("audrey", &[&hold[..], &["--review", "2030-06-30"]].concat());
    let hold = hold.ok().id('h');
    refused(&site, "sue", &approve);
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    site.run_as("sue", &["access", "destroy-deny", &order, "--reason", "再議"]).ok();
    site.run_as("sue", &approve).exits(64);
    // What nobody approves within a month is void.
    let order = site.run_as("alice", REQUEST).ok().id('a');
    later(&site, 60 * 24 * 40);
    assert_eq!(key(&site)["state"], "due");
    site.run_as("sue", &["access", "destroy-approve", &order]).exits(64);
    assert_eq!(entries_that_open(&site), opened(&site).len(), "nothing was destroyed");
    verify_both(&site);
}

const REQUEST_OF_MONTH: &[&str] =
    &["access", "destroy", "--link", LINK, "--month", "115-11", "--reason", "保存期滿"];

/// The approval is there, the time is in doubt, and a hold comes before the time is confirmed.
#[test]
fn a_hold_after_the_approval_voids_it_before_the_key_goes() {
    let people = People::new();
    let site = used_and_later(&people, YEARS);
    let order = site.run_as("alice", REQUEST).ok().id('a');
    // The clock leaps by more than 30 days, and less than the month that a request stands.
    site.wait_minutes(60 * 24 * 30 + 60 * 12);
    site.run_as("sue", &["access", "destroy-approve", &order]).ok();
    assert_eq!(
        key(&site)["state"],
        "approved",
        "nothing irreversible runs while the time is in doubt"
    );
    let hold = ["hold", "place", "--all", "--authority", "地檢署", "--doc-no", "偵1"];
    site.run_as("audrey", &[&hold[..], &["--review", "2030-06-30"]].concat()).ok();
    site.run_as("alice", &["clock", "confirm"]).ok();
    site.once();
    assert_eq!(key(&site)["state"], "due");
    assert_eq!(of_type(&site, "access-order-voided").len(), 1);
    assert_eq!(entries_that_open(&site), opened(&site).len());
}
