//! The five regulations, each played through the real binary under the policy that is shipped for it, as far as the acts
//! exist today: what is named `not-yet` in docs/clauses.md is not here.
//!
//! Time is the hidden clock of the test build; nothing sleeps. All people, letters and records are synthetic.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

#[path = "regulations/acts.rs"]
mod acts;
#[path = "regulations/audits.rs"]
mod audits;
#[path = "regulations/intake.rs"]
mod intake;
#[path = "regulations/links.rs"]
mod links;
#[path = "regulations/nantou.rs"]
mod nantou;
#[path = "regulations/new_taipei_and_taipei.rs"]
mod new_taipei_and_taipei;
#[path = "regulations/people.rs"]
mod people;
#[path = "regulations/samples.rs"]
mod samples;
#[path = "regulations/taipei_health.rs"]
mod taipei_health;
#[path = "regulations/taoyuan.rs"]
mod taoyuan;
#[path = "regulations/uses.rs"]
mod uses;
#[path = "regulations/words.rs"]
mod words;

use std::fs;

use serde_json::Value;
use support::{People, Ran, Site};

const LINK: &str = "moca-full";
const UNIT: &str = "幼兒托育科";
const DOC: &str = "府民戶字第1150001234號";

/// Minutes of so many days.
const fn days(days: i64) -> i64 {
    days * 24 * 60
}

/// Changes one place of a file of the site.
#[track_caller]
fn edit(site: &Site<'_>, name: &str, from: &str, to: &str) {
    let path = site.dir.join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "'{from}' in {name}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// A site whose link is under a policy, with its people.
fn under<'p>(people: &'p People, policy: &str) -> Site<'p> {
    let site = Site::in_memory(people);
    edit(&site, "links/moca-full.yaml", "policy: taoyuan-dwcd", &format!("policy: {policy}"));
    site.init();
    site.accounts(UNIT);
    site
}

/// So many days later, when somebody has confirmed the time.
fn later(site: &Site<'_>, wait: i64) {
    site.wait_minutes(days(wait));
    site.once();
    site.run_as("alice", &["clock", "confirm"]);
    site.once();
}

/// What is due or was due by the end of a day.
fn plan(site: &Site<'_>, on: &str) -> Vec<Value> {
    let rows = site.run(&["destroy", "plan", "--on", on, "--json"]).ok().json();
    rows.as_array().unwrap().clone()
}

/// The id of the site's only batch, which is loaded.
fn loaded(site: &Site<'_>) -> String {
    site.install(&[], &["small-20"]);
    site.once();
    let id = site.batches()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(site.show(&id)["state"], "loaded");
    id
}

/// The three seals of the form by which a batch is provided (TPH-6.2).
fn provided(site: &Site<'_>, batch: &str) {
    site.run_as("henry", &["batch", "provide", batch, "--doc-no", DOC]).ok();
    site.run_as("alice", &["batch", "provide", batch]).ok();
    site.run_as("sue", &["batch", "provide", batch]).ok();
}

/// Refused, with the clause that forbids it.
#[track_caller]
fn refused(site: &Site<'_>, name: &str, words: &[&str], clause: &str) -> Ran {
    let ran = site.run_as(name, words).exits(77);
    assert!(ran.stderr.contains(clause), "{clause}: {}", ran.stderr);
    ran
}

fn codes(site: &Site<'_>, part: &str) -> Vec<String> {
    let page = site.run(&["status", "--json"]).json();
    let rows = if part == "tasks" { &page["tasks"]["rows"] } else { &page["alarms"] };
    rows.as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap().to_owned()).collect()
}

/// The states of a batch's copies of a kind.
fn copies(site: &Site<'_>, batch: &str, kind: &str) -> Vec<String> {
    let page = site.show(batch);
    let rows = page["copies"].as_array().unwrap().iter().filter(|row| row["kind"] == kind);
    rows.map(|row| row["state"].as_str().unwrap().to_owned()).collect()
}

/// Puts a recipient on the list.
fn recipient(site: &Site<'_>, name: &str, kind: &str, premises: &str) {
    for folder in ["recipients", &format!("handed/{name}"), &format!("handed-keys/{name}")] {
        fs::create_dir_all(site.dir.join(folder)).unwrap();
    }
    let text = format!(
        "recipient: {name}\ntitle: 合成受領單位\nkind: {kind}\npremises: {premises}\nlink: from-agency\n\
         outbox: ../handed/{name}\nkey: separate\nkeys: ../handed-keys/{name}\n\
         channels: [courier, registered-letter]\nuntil: 2027-06-30\n"
    );
    fs::write(site.dir.join(format!("recipients/{name}.yaml")), text).unwrap();
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
}

/// The words of a request to hand a batch on, its use ending on 2027-03-31.
fn request<'a>(batch: &'a str, to: &'a str, channels: [&'a str; 2]) -> Vec<&'a str> {
    let words = ["handover", "request", batch, "--to", to, "--purpose", "寄發通知", "--basis"];
    let more = ["府社婦字第1150009999號", "--until", "2027-03-31"];
    let channels = ["--channel", channels[0], "--key-channel", channels[1]];
    [words.as_slice(), &more, &channels].concat()
}

const APART: [&str; 2] = ["courier", "registered-letter"];

fn handover(site: &Site<'_>, id: &str) -> Value {
    site.run(&["handover", "show", id, "--json"]).ok().json()
}
