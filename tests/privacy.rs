//! Register and access log as they lie on the disk, published files included, hold no value of the deliveries' plaintext
//! and no name of a delivered file: not as it is, not in hexadecimal or Base64, not as a plain digest that a guess could
//! be compared with. What the erasable store knew of names goes with the batch.
//!
//! Planted values prove that the search would find them. The deliveries are the samples' synthetic ones.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::{collections::BTreeSet, fs};

use aws_lc_rs::{digest, hmac};
use batchward::adapters::journal::{Journal, JournalError, Log};
use data_encoding::{BASE64, HEXLOWER};
use support::{
    People, Site,
    picture::{entries, key_store},
    samples,
    search::{Found, Values},
};

const LINK: &str = "moca-full";
/// Loaded ones, a refused one and one that was delivered in plain.
const CASES: &[&str] = &["full-1000", "small-20", "csv-500", "checksum-mismatch", "not-age"];
/// Where not every value has to be looked for.
const FEW: &[&str] = &["small-20", "checksum-mismatch"];

/// Names of the files that these deliveries hold, and of their folders.
fn names(cases: &[&str]) -> (Vec<String>, Vec<String>) {
    let (mut files, mut folders) = (BTreeSet::new(), BTreeSet::new());
    let expected = fs::read_to_string(samples().join("cases.tsv")).unwrap();
    for case in cases {
        for entry in fs::read_dir(samples().join("deliveries").join(case).join("delivery")).unwrap()
        {
            files.insert(entry.unwrap().file_name().into_string().unwrap());
        }
        let row = expected.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let row = row.into_iter().find(|row| row.first() == Some(case)).expect("a known case");
        folders.insert(row[2].to_owned());
    }
    (files.into_iter().collect(), folders.into_iter().collect())
}

/// A value in every form that gives it away: itself, hexadecimal, Base64 at each of three places, plain SHA-256.
fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let sha = digest::digest(&digest::SHA256, value);
    let mut forms = vec![value.to_vec(), HEXLOWER.encode(value).into_bytes()];
    forms.push(HEXLOWER.encode(sha.as_ref()).into_bytes());
    forms.push(BASE64.encode(sha.as_ref()).into_bytes());
    // A shorter one stands in sealed payloads by chance.
    for lead in if value.len() < 9 { 0..0 } else { 0..3 } {
        let text = BASE64.encode(&[&vec![0; lead], value].concat());
        // Characters at either end that also hold bits of a neighbour are left out.
        let inner = &text.trim_end_matches('=')[(lead * 8).div_ceil(6)..];
        forms.push(inner.as_bytes()[..inner.len().saturating_sub(1)].to_vec());
    }
    forms
}

/// Everything that must not be found.
fn forbidden(people: &People, cases: &[&str]) -> Values {
    let values = Values::of(people, cases);
    let (files, _) = names(cases);
    let all: Vec<Vec<u8>> = values
        .each()
        .map(<[u8]>::to_vec)
        .chain(files.into_iter().map(String::into_bytes))
        .flat_map(|value| forms(&value))
        .collect();
    Values::default().with(all)
}

/// Looks through both logs: the database as it lies there, each entry whole, and the published files.
fn search(site: &Site<'_>, values: &Values) -> Vec<Found> {
    let state = site.dir.join("state");
    let mut found = values.search("journal.db", &fs::read(state.join("journal.db")).unwrap());
    let journal = Journal::open(&state.join("journal.db"), "taoyuan-dwcd").unwrap();
    for log in [Log::Register, Log::Access] {
        let mut looked = 0;
        journal
            .for_each::<JournalError>(log, 0, &mut |seq, bytes| {
                looked += 1;
                found.extend(values.search(&format!("{log:?} {seq}"), bytes));
                Ok(())
            })
            .unwrap();
        assert!(looked > 2, "{log:?} has entries");
    }
    for folder in ["register", "access", "certificates"] {
        let below = values.search_below(&state.join(folder));
        found.extend(below.into_iter().filter(|found| !found.place.starts_with("name of")));
    }
    found
}

#[track_caller]
fn assert_private(site: &Site<'_>, values: &Values, when: &str) {
    let found = search(site, values);
    assert!(
        found.is_empty(),
        "{when}: {} found, first {:#?}",
        found.len(),
        &found[..found.len().min(5)]
    );
}

/// A site whose batches were loaded, queried, matched and looked at.
fn used<'p>(people: &'p People, cases: &[&str]) -> Site<'p> {
    let site = Site::founded(people, cases, "幼兒托育科");
    site.once();
    let grant = site.grant(LINK);
    let rows = site.query(&grant, &["--format", "csv"]).ok();
    let text = rows.text().to_owned();
    let numbers: String = text.lines().skip(1).map(|line| format!("{}\n", &line[..10])).collect();
    let base = ["--grant", &grant, "--case", "115-002", "--reason", "資格審查"];
    let words = [&["match"], &base[..], &["--input", "-", "--on", "national_id"]].concat();
    site.run_as_with("henry", &words, numbers.as_bytes()).ok();
    let words = [&["query"], &base[..], &["--where", "national_id=-"]].concat();
    site.run_as_with("henry", &words, numbers.as_bytes()).ok();
    site.run_as_with("sue", &words, numbers.as_bytes()).exits(77);
    site.run_as_with("audrey", &["access", "show", "--subject", "-"], numbers.as_bytes()).ok();
    site.run_as("henry", &["use", "complete", &grant]).ok();
    site
}

#[test]
fn no_value_and_no_file_name_stands_in_either_log() {
    let people = People::new();
    let values = forbidden(&people, CASES);
    assert!(values.count() > 1_000, "{}", values.count());
    let site = used(&people, CASES);
    assert_private(&site, &values, "used");
    // Once more when the tail of the access log is under a checkpoint of another day, and a batch is gone.
    site.wait_minutes(60 * 24);
    destroy(&site, "moca-1151102-0006");
    assert_private(&site, &values, "destroyed");
    site.verify();
}

fn destroy(site: &Site<'_>, delivery: &str) -> String {
    let id = site.row(delivery)["id"].as_str().unwrap().to_owned();
    site.run_as("henry", &["use", "no-need", &id]).ok();
    let order = site.run_as("alice", &["destroy", "request", &id, "--reason", "用畢"]).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    id
}

/// Texts of 64 hexadecimal digits in the register.
fn digests(site: &Site<'_>) -> BTreeSet<String> {
    let text = serde_json::to_string(&entries(site)).unwrap();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter(|w| w.len() == 64 && w.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(str::to_owned)
        .collect()
}

/// Names of which the register holds an HMAC under a secret that is left in the key store.
fn confirmed(site: &Site<'_>, names: &[String]) -> Vec<String> {
    let store = key_store(&site.dir).expect("the site has its root key");
    let slots: Vec<String> = store.names().collect();
    let secrets: Vec<_> = slots.iter().filter_map(|slot| store.get(slot).unwrap()).collect();
    let digests = digests(site);
    assert!(secrets.len() > 3 && digests.len() > 10);
    let told = |name: &&String| {
        secrets.iter().any(|secret| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
            digests.contains(&HEXLOWER.encode(hmac::sign(&key, name.as_bytes()).as_ref()))
        })
    };
    names.iter().filter(told).cloned().collect()
}

#[test]
fn after_destruction_the_register_verifies_and_no_file_name_can_be_had_or_confirmed() {
    let people = People::new();
    let site = used(&people, FEW);
    let id = site.row("moca-1151102-0006")["id"].as_str().unwrap().to_owned();
    let (files, folders) = names(&["small-20"]);
    // While the batch is there the erasable store knows its names.
    let shown = site.show(&id)["files"].to_string();
    let data: Vec<&String> = files.iter().filter(|name| name.ends_with(".age")).collect();
    assert!(!data.is_empty() && data.iter().all(|name| shown.contains(name.as_str())), "{shown}");
    assert_eq!(destroy(&site, "moca-1151102-0006"), id);
    let page = site.show(&id);
    assert!(page["delivery"].is_null(), "{page:#}");
    assert!(
        page["files"].as_array().unwrap().iter().all(|file| file["name"].is_null()),
        "{page:#}"
    );
    assert_eq!(confirmed(&site, &files), Vec::<String>::new());
    let values = Values::default().with(files.iter().flat_map(|name| forms(name.as_bytes())));
    for place in ["state", "drop", "keys"] {
        // Other deliveries have a manifest too.
        let mut found = values.search_below(&site.dir.join(place));
        found.retain(|found| data.iter().any(|name| found.value == **name) && place == "state");
        assert_eq!(found, [], "in {place}");
    }
    site.verify();
    // The check can fail: a folder's name is told apart by an HMAC under the key of its link, which stays.
    assert_eq!(confirmed(&site, &folders), folders);
}

#[test]
fn the_search_finds_a_planted_value_in_every_form() {
    let people = People::new();
    let values = forbidden(&people, FEW);
    let site = used(&people, FEW);
    let path = site.dir.join("state/register/checkpoint");
    let whole = fs::read(&path).unwrap();
    let value = Values::of(&people, &["small-20"]).each().max_by_key(|v| v.len()).unwrap().to_vec();
    for (planted, what) in [
        (value.clone(), "a value"),
        (HEXLOWER.encode(&value).into_bytes(), "hexadecimal"),
        (BASE64.encode(&value).into_bytes(), "Base64"),
        (BASE64.encode(&[b"x", &value[..]].concat()).into_bytes(), "Base64 behind a byte"),
        (
            HEXLOWER.encode(digest::digest(&digest::SHA256, &value).as_ref()).into_bytes(),
            "a digest",
        ),
        (names(&["small-20"]).0.remove(0).into_bytes(), "a name"),
    ] {
        fs::write(&path, [&whole[..], &planted].concat()).unwrap();
        assert!(!search(&site, &values).is_empty(), "{what} is found");
    }
    fs::write(&path, &whole).unwrap();
    assert_private(&site, &values, "without what was planted");
}
