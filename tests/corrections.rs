//! Corrections: a batch that says `replaces` takes the place of an earlier one of its link, which then goes to
//! destruction by the way of every other.
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

/// Packs a full file of one person, whose name tells the batches apart, and its key unless it is to come later.
fn deliver(site: &Site<'_>, number: &str, name: &str, more: &[&str], with_key: bool) {
    let signer = site.people.key("keys/signers/nantou");
    fs::set_permissions(&signer, fs::Permissions::from_mode(0o600)).unwrap();
    let folder = site.dir.with_file_name("provider");
    fs::create_dir_all(&folder).unwrap();
    let plain = folder.join("people.csv");
    let text = format!("national_id,name,birth_date,indigenous\r\nA123456789,{name},0800101,0\r\n");
    fs::write(&plain, text).unwrap();
    let layout = site.dir.join("layouts/nt-verify-04.yaml");
    let box_of = if with_key { site.dir.join("keys/nantou-verify") } else { folder.clone() };
    let key = box_of.join(format!("{number}.key"));
    let drop = site.dir.join("drop/nantou-verify");
    let paths = [&plain, &layout, &signer, &key, &drop].map(|path| path.to_str().unwrap());
    let [plain, layout, signer, key, drop] = paths;
    let mut words = vec!["pack", plain, "--layout", layout, "--sign-with", signer, "-o", drop];
    words.extend(["--fresh-key", key, "--link", "nantou-verify", "--number", number]);
    words.extend(["--table-no", "NT-VERIFY-04", "--kind", "full"]);
    words.extend(["--basis", "府民戶字第1150004321號", "--purpose", "驗證機制平臺身分驗證"]);
    words.extend(more);
    site.run(&words).ok();
}

fn page(site: &Site<'_>, number: &str) -> Value {
    site.show(&site.row_numbered(number))
}

#[test]
fn a_correction_takes_the_place_of_its_batch_which_goes_to_destruction() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    deliver(&site, "N-1", "王小明", &[], true);
    site.once();
    assert_eq!(page(&site, "N-1")["state"], "loaded");
    deliver(&site, "N-2", "王大明", &["--replaces", "N-1"], false);
    site.once();
    // It waits for its key: nothing is replaced before it is loaded.
    assert_eq!(page(&site, "N-1")["state"], "loaded");
    let key = site.dir.with_file_name("provider").join("N-2.key");
    let newer = site.row_numbered("N-2");
    let words = ["key", "submit", &newer, "--file", key.to_str().unwrap(), "--channel", "letter"];
    site.run_as("alice", &words).ok();
    site.once();
    let (old, new) = (page(&site, "N-1"), page(&site, "N-2"));
    assert_eq!((&old["state"], &old["replaced_by"]), (&json!("due"), &json!(newer)), "{old:#}");
    assert_eq!(new["state"], "loaded");
    let told = json!({ "number": "N-1", "batch": old["id"], "over": true });
    assert_eq!(new["replaces"], told, "{new:#}");
    assert_eq!(new["differences"], json!([]));
    let entries = site.run(&["register", "show", "--json"]).ok().json();
    let due =
        entries.as_array().unwrap().iter().find(|e| e["body"]["clock"] == "replaced").unwrap();
    assert_eq!((&due["body"]["type"], &due["body"]["batch"]), (&json!("came-due"), &old["id"]));
    // Destruction is requested and approved by two people, as always.
    let id = old["id"].as_str().unwrap();
    let order = site.run_as("alice", &["destroy", "request", id, "--reason", "更正"]).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    assert_eq!(page(&site, "N-1")["state"], "closed");
    site.verify();
}

#[test]
fn what_is_unknown_elsewhere_or_over_already_is_told_and_touches_nothing() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    site.once();
    deliver(&site, "N-1", "王小明", &[], true);
    site.once();
    // A number that nobody knows, and one of another link: loaded, and shown as a difference.
    for (number, name, replaces) in
        [("N-2", "王二明", "N-0"), ("N-3", "王三明", "MOCA-1151102-0006")]
    {
        deliver(&site, number, name, &["--replaces", replaces], true);
        site.once();
        let page = page(&site, number);
        assert_eq!(page["state"], "loaded", "{page:#}");
        assert_eq!(page["replaces"], json!({ "number": replaces, "batch": null, "over": false }));
        assert_eq!(page["differences"], json!(["replaces"]));
    }
    assert_eq!(page(&site, "MOCA-1151102-0006")["state"], "loaded");
    assert_eq!(page(&site, "N-1")["state"], "loaded");
    // The second correction of one batch finds it replaced: one clock ran, by the first.
    deliver(&site, "N-4", "王四明", &["--replaces", "N-1"], true);
    site.once();
    deliver(&site, "N-5", "王五明", &["--replaces", "N-1"], true);
    site.once();
    let (old, first) = (page(&site, "N-1"), site.row_numbered("N-4"));
    assert_eq!((&old["state"], &old["replaced_by"]), (&json!("due"), &json!(first)));
    assert_eq!(page(&site, "N-5")["replaces"]["over"], true);
    let entries = site.run(&["register", "show", "--json"]).ok().json();
    let due = entries.as_array().unwrap().iter().filter(|e| e["body"]["clock"] == "replaced");
    assert_eq!(due.count(), 1);
}

#[test]
fn what_was_replaced_before_its_key_came_is_never_loaded() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    deliver(&site, "N-1", "王小明", &[], false);
    site.once();
    assert_eq!(page(&site, "N-1")["state"], "verified");
    deliver(&site, "N-2", "王大明", &["--replaces", "N-1"], true);
    site.once();
    let late = site.dir.with_file_name("provider").join("N-1.key");
    let old = site.row_numbered("N-1");
    let words = ["key", "submit", &old, "--file", late.to_str().unwrap(), "--channel", "letter"];
    site.run_as("alice", &words);
    site.once();
    let page = page(&site, "N-1");
    assert_eq!(
        (&page["state"], &page["reason"]),
        (&json!("quarantined"), &json!("policy-refused"))
    );
    assert_eq!(page["replaced_by"], json!(site.row_numbered("N-2")));
}
