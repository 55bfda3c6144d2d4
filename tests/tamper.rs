//! Tampering with a real site's register and certificate, through the real binary: the first bad entry is named, and
//! the exit code is 65. What the register and the certificate carry verifies with stock tools.
//!
//! The deliveries are the samples' synthetic ones; the keys are throw-away keys.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rusqlite::Connection;
use serde_json::Value;
use support::{People, Site, done};

const UNIT: &str = "幼兒托育科";
const DELIVERY: &str = "moca-1151102-0006";

/// A site whose only batch has lived its whole life, and its order.
fn lived(people: &People) -> (Site<'_>, String) {
    let site = Site::founded(people, &["small-20"], UNIT);
    site.once();
    let id = site.row(DELIVERY)["id"].as_str().unwrap().to_owned();
    site.run_as("henry", &["use", "no-need", &id]).ok();
    let order = site.run_as("alice", &["destroy", "request", &id, "--reason", "用畢"]).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    (site, order)
}

/// `register verify` with these words finds the first bad entry, and says so in words too.
#[track_caller]
fn bad(site: &Site<'_>, words: &[&str], first: Option<u64>) {
    let all = [&["register", "verify"], words].concat();
    let report = site.run(&[all.as_slice(), &["--json"]].concat()).exits(65).json();
    assert_eq!(report["ok"], false);
    assert_eq!(report["first_bad"].as_u64(), first, "{report:#}");
    if let Some(first) = first {
        let ran = site.run(&all).exits(65);
        let said = format!("the first bad entry is {first}");
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    }
}

/// The widest file of a folder of tiles.
fn widest(dir: &Path) -> PathBuf {
    let width = |path: &Path| path.file_name().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    files.max_by_key(|path| width(path)).unwrap()
}

fn entries(mut bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some((length, rest)) = bundle.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        all.push(entry.to_vec());
        bundle = rest;
    }
    all
}

fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    let with_length = |entry: &Vec<u8>| {
        [&u16::try_from(entry.len()).unwrap().to_be_bytes(), entry.as_slice()].concat()
    };
    entries.iter().flat_map(with_length).collect()
}

#[test]
fn a_byte_flipped_in_any_entry_is_named_wherever_it_was_flipped() {
    let people = People::new();
    let (site, _) = lived(&people);
    let register = site.dir.join("state/register");
    let file = widest(&register.join("tile/entries/000.p"));
    let good = fs::read(&file).unwrap();
    let tile = widest(&register.join("tile/0/000.p"));
    let hashes = fs::read(&tile).unwrap();
    let journal = site.dir.join("state/journal.db");
    let whole = fs::read(&journal).unwrap();
    let all = entries(&good);
    assert!(all.len() > 30);
    let mut start = 2;
    for (n, entry) in all.iter().enumerate() {
        let seq = n as u64;
        let mut bent = good.clone();
        bent[start + (n * 7) % entry.len()] ^= 1 << (n % 8);
        fs::write(&file, bent).unwrap();
        bad(&site, &[], Some(seq));
        fs::write(&file, &good).unwrap();
        start += entry.len() + 2;
        if n % 3 == 0 {
            let mut bent = hashes.clone();
            bent[n * 32 + n % 32] ^= 1 << (n % 8);
            fs::write(&tile, bent).unwrap();
            bad(&site, &[], Some(seq));
            fs::write(&tile, &hashes).unwrap();
            let mut other = entry.clone();
            other[n % entry.len()] ^= 1;
            let base = Connection::open(&journal).unwrap();
            base.execute(
                "UPDATE entry SET bytes = ?1 WHERE log = 0 AND seq = ?2",
                rusqlite::params![other, i64::try_from(n).unwrap()],
            )
            .unwrap();
            drop(base);
            bad(&site, &[], Some(seq));
            fs::write(&journal, &whole).unwrap();
        }
    }
    site.verify();
}

#[test]
fn entries_dropped_swapped_or_cut_and_missing_files_are_named_in_a_copied_folder_too() {
    let people = People::new();
    let (site, _) = lived(&people);
    let copy = site.temporary().join("copy");
    done(Command::new("cp").arg("-a").arg(site.dir.join("state/register")).arg(&copy));
    let dir = copy.to_str().unwrap();
    let key = fs::read_to_string(copy.join("vkey")).unwrap().trim().to_owned();
    site.run(&["register", "verify", "--dir", dir, "--key", &key]).ok();
    let ran = site.run(&["register", "verify", "--dir", dir]).ok();
    assert!(ran.stderr.contains("own verifier key was trusted"), "{}", ran.stderr);

    let file = widest(&copy.join("tile/entries/000.p"));
    let good = fs::read(&file).unwrap();
    let all = entries(&good);
    let last = all.len() as u64 - 1;
    let mut dropped = all.clone();
    dropped.remove(7);
    let mut swapped = all.clone();
    swapped.swap(3, 9);
    for (found, first) in [
        (bundle(&dropped), 7),
        (bundle(&swapped), 3),
        (bundle(&all[..5]), 5),
        (good[..good.len() - 1].to_vec(), last),
        (bundle(&[all.clone(), vec![all[2].clone()]].concat()), last + 1),
    ] {
        fs::write(&file, found).unwrap();
        bad(&site, &["--dir", dir], Some(first));
        bad(&site, &["--dir", dir, "--key", &key], Some(first));
    }
    fs::write(&file, &good).unwrap();
    // A tail behind the checkpoint: the files of the newest size are gone.
    let tile = widest(&copy.join("tile/0/000.p"));
    let hashes = fs::read(&tile).unwrap();
    fs::remove_file(&file).unwrap();
    fs::remove_file(&tile).unwrap();
    let report = site.run(&["register", "verify", "--dir", dir, "--json"]).exits(65).json();
    let first = report["first_bad"].as_u64().unwrap();
    assert!(first > 0 && first <= last, "{report:#}");
    fs::write(&file, &good).unwrap();
    fs::write(&tile, hashes).unwrap();
    for name in ["checkpoint", "vkey"] {
        let kept = fs::read(copy.join(name)).unwrap();
        fs::remove_file(copy.join(name)).unwrap();
        bad(&site, &["--dir", dir], None);
        fs::write(copy.join(name), kept).unwrap();
    }
    bad(&site, &["--dir", site.temporary().join("none").to_str().unwrap()], None);
    site.run(&["register", "verify", "--dir", dir]).ok();
}

#[test]
fn the_key_of_another_site_is_refused() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let other = Site::founded(&people, &[], UNIT);
    let key = fs::read_to_string(other.dir.join("state/register/vkey")).unwrap();
    let key = key.trim();
    let report = site.run(&["register", "verify", "--json", "--key", key]).exits(65).json();
    assert_eq!((&report["ok"], &report["checkpoint_signed"]), (&false.into(), &false.into()));
    site.run(&["register", "verify", "--key", "no key"]).exits(64);
}

/// Every way to change one value of a JSON tree.
fn changes(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(map) => {
            let mut all = Vec::new();
            for (name, inner) in map {
                let mut gone = map.clone();
                gone.remove(name);
                all.push(Value::Object(gone));
                for changed in changes(inner) {
                    let mut other = map.clone();
                    other.insert(name.clone(), changed);
                    all.push(Value::Object(other));
                }
            }
            let mut more = map.clone();
            more.insert("extra".to_owned(), Value::Null);
            all.push(Value::Object(more));
            all
        }
        Value::Array(list) => {
            let mut all = Vec::new();
            for (n, inner) in list.iter().enumerate() {
                for changed in changes(inner) {
                    let mut other = list.clone();
                    other[n] = changed;
                    all.push(Value::Array(other));
                }
            }
            if let Some(first) = list.first() {
                all.push(Value::Array(list[1..].to_vec()));
                all.push(Value::Array([list.as_slice(), std::slice::from_ref(first)].concat()));
            }
            all
        }
        Value::String(text) => vec![Value::String(format!("{text}x")), Value::Null],
        Value::Number(n) => vec![Value::from(n.as_u64().unwrap() + 1)],
        Value::Bool(b) => vec![Value::Bool(!b)],
        Value::Null => vec![Value::from("x"), Value::from(1)],
    }
}

#[test]
fn a_certificate_with_any_field_or_byte_changed_is_refused() {
    use batchward::domain::certificate::Certificate;

    let people = People::new();
    let (site, order) = lived(&people);
    let file = site.temporary().join("certificate.json");
    let path = file.to_str().unwrap();
    let good = site.run(&["certificate", "show", &order]).ok().stdout;
    fs::write(&file, &good).unwrap();
    let key = fs::read_to_string(site.dir.join("state/register/vkey")).unwrap().trim().to_owned();
    site.run(&["certificate", "verify", path, "--key", &key]).ok();
    site.run(&["certificate", "verify", path]).ok();
    let whole: Value = serde_json::from_slice(&good).unwrap();
    let changed = changes(&whole);
    assert!(changed.len() > 100);
    for (n, changed) in changed.iter().enumerate() {
        let bytes = serde_json::to_vec_pretty(changed).unwrap();
        assert!(Certificate::verify(&bytes, None).is_err(), "{changed:#}");
        if n % 40 == 0 {
            fs::write(&file, bytes).unwrap();
            site.run(&["certificate", "verify", path]).exits(65);
        }
    }
    let mut accepted = Vec::new();
    for at in 0..good.len() {
        let mut bent = good.clone();
        bent[at] ^= 1;
        if Certificate::verify(&bent, None).is_ok() {
            accepted.push(at);
        }
    }
    assert!(accepted.is_empty(), "bytes that change nothing: {accepted:?}");
    for bent in [good[..good.len() - 1].to_vec(), [good.as_slice(), b"\n"].concat()] {
        assert!(Certificate::verify(&bent, None).is_err());
    }
    // Another site's key does not vouch for it.
    let other = Site::founded(&people, &[], UNIT);
    let stranger = fs::read_to_string(other.dir.join("state/register/vkey")).unwrap();
    fs::write(&file, &good).unwrap();
    site.run(&["certificate", "verify", path, "--key", stranger.trim()]).exits(65);
}

/// `ssh-keygen -Y verify` of a text.
fn stock(site: &Site<'_>, key: &str, namespace: &str, text: &[u8], signature: &str) -> bool {
    let signers = site.temporary().join("allowed");
    fs::write(&signers, format!("who namespaces=\"{namespace}\" {key}\n")).unwrap();
    let armor = site.temporary().join("armor");
    fs::write(&armor, signature).unwrap();
    let mut verify = Command::new("ssh-keygen");
    verify.args(["-Y", "verify", "-I", "who", "-n", namespace, "-f"]).arg(&signers);
    verify.arg("-s").arg(&armor).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = verify.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    child.wait().unwrap().success()
}

/// An auditor gets the signed text of a certificate with stock tools alone: `jq -jcS .certificate FILE` prints it
/// (sorted keys, no white space, no line feed), and `jq -j .signature FILE` the signature. Below, `serde_json` does
/// what `jq` does, and `jq` is asked too where it is there.
#[test]
fn a_certificate_verifies_with_stock_tools() {
    let people = People::new();
    let (site, order) = lived(&people);
    let good = site.run(&["certificate", "show", &order]).ok().stdout;
    let whole: Value = serde_json::from_slice(&good).unwrap();
    let text = serde_json::to_vec(&whole["certificate"]).unwrap();
    let key = whole["certificate"]["register_key"].as_str().unwrap();
    let signature = whole["signature"].as_str().unwrap();
    assert!(stock(&site, key, "batchward-certificate", &text, signature));
    assert!(!stock(&site, key, "batchward-receipt", &text, signature));
    assert!(!stock(&site, key, "batchward-certificate", &text[1..], signature));
    // The key is the one that the register's first entry names.
    let rows = site.run(&["register", "show", "--json"]).ok().json();
    assert_eq!(rows[0]["body"]["ssh_key"], key);
    let file = site.temporary().join("certificate.json");
    fs::write(&file, &good).unwrap();
    if let Ok(output) = Command::new("jq").args(["-jcS", ".certificate"]).arg(&file).output() {
        assert_eq!(output.stdout, text);
    }
}

#[test]
fn every_signature_in_the_register_verifies_with_stock_tools() {
    let people = People::new();
    let (site, _) = lived(&people);
    let rows = site.run(&["register", "show", "--json"]).ok().json();
    let mut seen = 0;
    for row in rows.as_array().unwrap() {
        let (by, signed) = (row["by"].as_str().unwrap(), &row["body"]["signed"]);
        let Some(text) = signed["text"].as_str() else { continue };
        let signature = signed["signature"].as_str().unwrap();
        let key = fs::read_to_string(people.public(by)).unwrap();
        let fits = |namespace| stock(&site, key.trim(), namespace, text.as_bytes(), signature);
        assert!(fits("batchward-decision") != fits("batchward-command"), "{row:#}");
        seen += 1;
    }
    assert!(seen >= 11, "{seen}");
}
