//! Handing data on: who is on no list gets nothing, data and key go two ways, a package is one that another Batchward
//! takes in, and the recipient's certificate closes it.
//!
//! All people, keys, recipients and records are synthetic.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

#[path = "handover/media.rs"]
mod media;
#[path = "handover/refusals.rs"]
mod refusals;
#[path = "handover/story.rs"]
mod story;

use std::fs;

use serde_json::Value;
use support::{People, Ran, Site};

const LINK: &str = "moca-full";
const UNIT: &str = "幼兒托育科";
const DOC: &str = "府民戶字第1150001234號";
const EXCEPTION: &str = "府社婦字第1150004321號";

/// A recipient's file.
pub(crate) fn recipient(name: &str, kind: &str, premises: &str) -> String {
    format!(
        "recipient: {name}\ntitle: 合成受領單位\nkind: {kind}\npremises: {premises}\nlink: from-taoyuan\n\
         outbox: ../handed/{name}\nkey: separate\nkeys: ../handed-keys/{name}\n\
         channels: [courier, registered-letter]\nuntil: 2027-06-30\n"
    )
}

/// Puts a recipient on the list: a file, its folders, and two people.
pub(crate) fn list(site: &Site<'_>, name: &str, text: &str) {
    write_recipient(site, name, text);
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
}

pub(crate) fn write_recipient(site: &Site<'_>, name: &str, text: &str) {
    for folder in ["recipients", &format!("handed/{name}"), &format!("handed-keys/{name}")] {
        fs::create_dir_all(site.dir.join(folder)).unwrap();
    }
    fs::write(site.dir.join(format!("recipients/{name}.yaml")), text).unwrap();
}

/// A site with a loaded batch and a vendor on the list; the batch's id.
pub(crate) fn agency<'p>(people: &'p People) -> (Site<'p>, String) {
    let site = Site::in_memory(people);
    site.init();
    site.accounts(UNIT);
    site.install(&[], &["small-20"]);
    site.once();
    list(&site, "dingyue", &recipient("dingyue", "vendor", "vendor"));
    let id = site.batches()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(site.show(&id)["state"], "loaded");
    (site, id)
}

/// The words of a request, with these further ones.
pub(crate) fn request<'a>(of: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = ["handover", "request", of, "--to", "dingyue", "--purpose", "寄發通知"];
    let basis = ["--basis", "府社婦字第1150009999號", "--until", "2027-03-31"];
    let channels = ["--channel", "courier", "--key-channel", "registered-letter"];
    [words.as_slice(), &basis, &channels, more].concat()
}

/// Asked for, approved, made.
#[track_caller]
pub(crate) fn handed(site: &Site<'_>, batch: &str, more: &[&str]) -> String {
    let id = site.run_as("henry", &request(batch, more)).ok().id('l');
    approve(site, &id);
    site.run_as("alice", &["handover", "make", &id]).ok();
    assert_eq!(show(site, &id)["state"], "made");
    id
}

#[track_caller]
pub(crate) fn approve(site: &Site<'_>, id: &str) {
    let words = ["handover", "approve", id, "--doc-no", DOC, "--exception", EXCEPTION];
    site.run_as("sue", &words).ok();
}

pub(crate) fn show(site: &Site<'_>, id: &str) -> Value {
    site.run(&["handover", "show", id, "--json"]).ok().json()
}

/// An act that is refused, which the register says, with the clause that forbids it.
#[track_caller]
pub(crate) fn refused(site: &Site<'_>, name: &str, words: &[&str], clause: &str) -> Ran {
    let ran = site.run_as(name, words).exits(77);
    assert!(ran.stderr.contains(clause), "{clause}: {}", ran.stderr);
    let shown = site.run(&["register", "show", "--json"]).ok().json();
    let last = shown.as_array().unwrap().iter().rev();
    let mut refusals = last.filter(|entry| entry["body"]["type"] == "act-refused");
    let body = &refusals.next().expect("a refusal leaves an entry")["body"];
    assert!(ran.words.starts_with(body["command"].as_str().unwrap()), "{body}");
    ran
}

/// Codes of the tasks or alarms that stand.
pub(crate) fn codes(site: &Site<'_>, part: &str) -> Vec<String> {
    let page = site.run(&["status", "--json"]).json();
    let rows = if part == "tasks" { &page["tasks"]["rows"] } else { &page["alarms"] };
    rows.as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
pub(crate) fn stands(site: &Site<'_>, part: &str, code: &str) {
    let all = codes(site, part);
    assert!(all.iter().any(|one| one == code), "{code} is not in {all:?}");
}
