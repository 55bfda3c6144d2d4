//! After loads, refusals, queries and destruction no value of the deliveries' plaintext is found anywhere: not under
//! state, drop, keybox or the temporary folder, not in what commands printed, not in the pages of a vault.
//!
//! Planted values prove that the search would find them. What is left on the medium below is searched for on loop images,
//! unmounted, of every kind of filesystem; that needs root, as the gate has it.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

#[path = "residue/image.rs"]
mod image;
#[path = "residue/life.rs"]
mod life;
#[path = "residue/matrix.rs"]
mod matrix;

use support::{People, Site, search::Values};

/// Good ones, ones that fail after records were read, and one that was delivered in plain.
const CASES: &[&str] = &[
    "full-1000",
    "csv-500",
    "delta-1",
    "count-short",
    "record-too-long",
    "plaintext-sha-mismatch",
    "truncated-age",
    "csv-open-quote",
    "not-age",
];

fn assert_clean(site: &Site<'_>, values: &Values, when: &str) {
    let mut found = Vec::new();
    for folder in ["state", "drop", "keys"] {
        found.extend(values.search_below(&site.dir.join(folder)));
    }
    found.extend(values.search_below(&site.temporary()));
    found.extend(values.search("printed by commands", &site.log()));
    let first = &found[..found.len().min(5)];
    assert!(found.is_empty(), "{when}: {} values found, the first: {first:#?}", found.len());
}

#[test]
fn no_value_is_left_anywhere() {
    let people = People::new();
    let values = Values::of(&people, CASES);
    let site = Site::founded(&people, &[], "幼兒托育科");
    site.install(&["--no-keys"], CASES);
    site.once();
    assert_clean(&site, &values, "claimed, without keys");
    site.install(&["--keys-only"], CASES);
    site.once();
    for (delivery, state) in [
        ("moca-1151102-0001", "loaded"),
        ("ntvp-1151102-0004", "loaded"),
        ("moca-1151102-0015", "quarantined"),
        ("moca-1151102-0024", "quarantined"),
    ] {
        assert_eq!(site.row(delivery)["state"], state, "{delivery}");
    }
    assert_clean(&site, &values, "loaded");
    let grant = site.grant("moca-full");
    let rows = site.query(&grant, &["--format", "csv"]).ok();
    assert!(!values.search("query", &rows.stdout).is_empty(), "the rows themselves hold values");
    refused_query(&site, &grant, &rows.stdout);
    assert_clean(&site, &values, "queried and matched");
    destroy(&site, &grant, 7);
    assert_clean(&site, &values, "destroyed");
    site.verify();
}

/// A match over names from standard input, and a query that is refused.
fn refused_query(site: &Site<'_>, grant: &str, csv: &[u8]) {
    let text = std::str::from_utf8(csv).unwrap();
    let numbers: String = text.lines().skip(1).map(|line| format!("{}\n", &line[..10])).collect();
    let base = ["--grant", grant, "--case", "115-002", "--reason", "資格審查"];
    let words = [&["match"], base.as_slice(), &["--input", "-", "--on", "national_id"]].concat();
    let matched = site.run_as_with("henry", &words, numbers.as_bytes()).ok();
    assert!(matched.stdout.len() > 10_000, "the match shows rows");
    let words = [&["query"], base.as_slice(), &["--where", "national_id=-"]].concat();
    site.run_as_with("sue", &words, numbers.as_bytes()).exits(77);
}

/// The whole end of life of everything that was loaded over the link of full-1000: at least so many batches.
fn destroy(site: &Site<'_>, grant: &str, batches: usize) {
    site.run_as("henry", &["use", "complete", grant]).ok();
    for row in site.batches() {
        let Some(id) = row["id"].as_str() else { continue };
        match (row["link"].as_str(), row["state"].as_str()) {
            (Some("moca-full"), Some("loaded")) => {
                site.run_as("henry", &["use", "no-need", id]).ok();
            }
            (_, Some("quarantined")) => {
                site.run_as("alice", &["batch", "reject", id, "--reason", "退件重送"]).ok();
            }
            _ => {}
        }
    }
    site.wait_minutes(60 * 24);
    site.once();
    let due: Vec<String> = site
        .batches()
        .iter()
        .filter(|row| row["state"] == "due")
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(due.len() >= batches, "only {due:?} came due");
    for id in due {
        if site.show(&id)["state"] != "due" {
            // It was in the order of a batch that it depends on.
            continue;
        }
        let order = site.run_as("alice", &["destroy", "request", &id, "--reason", "使用完竣"]).ok();
        site.run_as("sue", &["destroy", "approve", &order.id('o')]).ok();
        site.once();
        let state = site.show(&id)["state"].clone();
        assert!(state == "destroyed" || state == "closed", "{id} is {state}");
    }
}

#[test]
fn the_search_finds_what_is_planted() {
    let people = People::new();
    let values = Values::of(&people, &["small-20"]);
    let folder = tempfile::tempdir().unwrap();
    let record = b"xx\xb3\xaf\xabT\xb3\xc7C240180484 \x00\x01";
    std::fs::write(folder.path().join("harmless"), b"nothing of a person here").unwrap();
    assert_eq!(values.search_below(folder.path()), []);
    std::fs::write(folder.path().join("number"), record).unwrap();
    assert_eq!(values.search_below(folder.path()).len(), 1, "an ID number");
    // 阿穆伊‧古拉斯: a name of the sample, in UTF-8 and in CP950.
    let name = "阿穆伊‧古拉斯";
    let raw = batchward::domain::cp950::encode(name).unwrap();
    for bytes in [name.as_bytes(), &raw] {
        let mut page = vec![0; 4096];
        page.splice(2001..2001, bytes.iter().copied());
        assert_eq!(values.search("page", &page)[0].at, 2001);
        page[2003] ^= 1;
        assert!(values.search("page", &page).iter().all(|found| found.at != 2001));
    }
    std::fs::write(folder.path().join("C240180484"), b"").unwrap();
    assert_eq!(values.search_below(folder.path()).len(), 2, "names of files are looked at too");
}

#[test]
fn digits_within_a_digest_are_no_value() {
    let people = People::new();
    let values = Values::of(&people, &["small-20"]);
    let digest = format!("{:0>20}0730827{}", "a", "b".repeat(40));
    assert!(values.search("digest", digest.as_bytes()).is_empty());
    assert_eq!(values.search("text", b"born 0730827.").len(), 1);
}
