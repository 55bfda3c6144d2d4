//! What the rules forbid is refused, through the real binary: one person alone gets nowhere, a signature counts for
//! one act, access ends at its time, a hold beats an approval.
//!
//! Each test is a claim. `mallory` is an account with every role and with the unix user that runs the tests: all
//! the rights that one account can have. All people, keys and records are synthetic.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

#[path = "rules/access.rs"]
mod access;
#[path = "rules/access_keys.rs"]
mod access_keys;
#[path = "rules/alone.rs"]
mod alone;
#[path = "rules/amending.rs"]
mod amending;
#[path = "rules/configuration.rs"]
mod configuration;
#[path = "rules/deliveries.rs"]
mod deliveries;
#[path = "rules/destruction.rs"]
mod destruction;
#[path = "rules/first_steps.rs"]
mod first_steps;
#[path = "rules/inventory.rs"]
mod inventory;
#[path = "rules/left_out.rs"]
mod left_out;
#[path = "rules/on_paper.rs"]
mod on_paper;
#[path = "rules/orders.rs"]
mod orders;
#[path = "rules/reading.rs"]
mod reading;
#[path = "rules/reasons.rs"]
mod reasons;
#[path = "rules/signatures.rs"]
mod signatures;

use std::process::Command;

use serde_json::Value;
use support::{People, Ran, Site, done, myself};

const LINK: &str = "moca-full";
const UNIT: &str = "幼兒托育科";
const SMALL: &str = "moca-1151102-0006";
const ALL_ROLES: &str = "custodian,handler,supervisor,auditor,admin,vendor";

/// A founded site with mallory, and these cases loaded.
fn with_mallory<'p>(people: &'p People, cases: &[&str]) -> Site<'p> {
    let site = Site::founded(people, cases, UNIT);
    mallory(&site);
    site.once();
    site
}

/// Ada proposes mallory, ben confirms: every role, a key and the unix user of this process.
fn mallory(site: &Site<'_>) {
    site.people.new_key("mallory");
    let (key, user) = (site.people.public("mallory"), myself());
    let words = ["account", "add", "mallory", "--role", ALL_ROLES, "--unit", UNIT];
    let more = ["--sign-key", key.to_str().unwrap(), "--unix-user", &user];
    site.run_as("ada", &[words.as_slice(), &more].concat()).ok();
    site.run_as("ben", &["account", "confirm", "mallory"]).ok();
}

/// Every entry of the register.
fn register(site: &Site<'_>) -> Vec<Value> {
    let rows = site.run(&["register", "show", "--json"]).ok().json();
    rows.as_array().unwrap().clone()
}

/// The entries of one type.
fn of_type(site: &Site<'_>, kind: &str) -> Vec<Value> {
    let mut rows = register(site);
    rows.retain(|row| row["body"]["type"] == kind);
    rows
}

/// The command is refused, and the register says that it was.
#[track_caller]
fn refused(site: &Site<'_>, name: &str, words: &[&str]) -> Ran {
    let before = of_type(site, "act-refused").len();
    let ran = site.run_as(name, words).exits(77);
    let entries = of_type(site, "act-refused");
    assert_eq!(entries.len(), before + 1, "'{}' leaves its refusal in the register", ran.words);
    let body = &entries.last().unwrap()["body"];
    assert!(ran.words.starts_with(body["command"].as_str().unwrap()), "{body}");
    ran
}

/// Id of the batch of a delivery.
#[track_caller]
fn id_of(site: &Site<'_>, delivery: &str) -> String {
    site.row(delivery)["id"].as_str().expect("it is a batch").to_owned()
}

/// State and reason of a delivery.
#[track_caller]
fn stands(site: &Site<'_>, delivery: &str) -> (String, Value) {
    let row = site.row(delivery);
    (row["state"].as_str().unwrap().to_owned(), row["reason"].clone())
}

/// Somebody applies for a grant.
fn apply(site: &Site<'_>, name: &str, until: &str, more: &[&str]) -> Ran {
    let words = ["grant", "apply", "--link", LINK, "--until", until, "--purpose", "資格審查"];
    site.run_as(name, &[words.as_slice(), &["--basis", "府社婦字第1150009999號"], more].concat())
}

/// Walt is a handler and a supervisor; dave, an auditor, stands in for him as the one, dora, a handler, as the other.
fn an_office(site: &Site<'_>) {
    for (name, roles) in [("walt", "handler,supervisor"), ("dave", "auditor"), ("dora", "handler")]
    {
        site.people.new_key(name);
        let key = site.people.public(name);
        let add = ["account", "add", name, "--role", roles, "--unit", UNIT, "--sign-key"];
        site.run_as("ada", &[add.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
        site.run_as("ben", &["account", "confirm", name]).ok();
    }
    for (post, deputy) in [("handler", "dave"), ("supervisor", "dora")] {
        let appoint = |name: &str, more: &[&str]| {
            let add = ["appointment", "add", name, "--post", post, "--from", "115/11/21"];
            let add = [&add[..], &["--doc-no", "府社人字第1150001234號"], more].concat();
            let id = site.run_as("ada", &add).ok().id('p');
            site.run_as("ben", &["appointment", "confirm", &id]).ok();
            id
        };
        let held = appoint("walt", &[]);
        appoint(deputy, &["--until", "115/11/30", "--deputy-for", &held]);
    }
}

/// The words of a query, without its conditions.
fn query<'a>(grant: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = ["query", "--grant", grant, "--case", "115-001", "--reason", "資格審查"];
    [words.as_slice(), more].concat()
}

/// A loaded batch comes due: henry states that there is no need to keep it.
fn no_need(site: &Site<'_>, delivery: &str) -> String {
    let id = id_of(site, delivery);
    site.run_as("henry", &["use", "no-need", &id]).ok();
    assert_eq!(stands(site, delivery).0, "due");
    id
}

/// Changes a file of the site's configuration.
#[track_caller]
fn edit(site: &Site<'_>, file: &str, from: &str, to: &str) {
    let path = site.dir.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "'{from}' is not in {file}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}
