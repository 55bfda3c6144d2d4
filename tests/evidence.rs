//! Evidence bundles through the real binary: the stock commands of their own VERIFY.md are run, and whatever is changed is
//! found or was named as covered by nobody's signature. All people and records are the samples', which are synthetic.
#![cfg(feature = "test-hooks")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use batchward::{paper::bundle, verify::evidence};
use serde_json::Value;
use support::{People, Site, done};

const UNIT: &str = "幼兒托育科";
const NUMBER: &str = "MOCA-1151102-0006";

/// A site whose batch was loaded and read.
fn site(people: &People) -> Site<'_> {
    let site = Site::founded(people, &["small-20"], UNIT);
    site.once();
    let grant = site.grant("moca-full");
    site.query(&grant, &["--format", "json"]).ok();
    site
}

fn make(site: &Site<'_>, name: &str) -> PathBuf {
    let file = site.temporary().join(name);
    site.run(&["evidence", NUMBER, "-o", file.to_str().unwrap()]).ok();
    file
}

/// Unpacks a bundle as somebody without us does.
fn unpacked(file: &Path) -> PathBuf {
    let dir = file.with_extension("d");
    done(Command::new("unzip").arg("-q").arg(file).arg("-d").arg(&dir));
    dir
}

/// The stock commands of the page in the bundle.
fn blocks(dir: &Path) -> Vec<String> {
    let page = fs::read_to_string(dir.join("VERIFY.md")).unwrap();
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let blocks: Vec<String> = blocks.map(str::to_owned).collect();
    assert_eq!(blocks.len(), 6, "{page}");
    blocks
}

fn works(block: &str, dir: &Path) -> bool {
    let mut sh = Command::new("sh");
    sh.args(["-euc", block]).current_dir(dir).output().unwrap().status.success()
}

/// The stock commands must all work.
#[track_caller]
fn stock(dir: &Path) {
    for block in blocks(dir) {
        done(Command::new("sh").args(["-euc", &block]).current_dir(dir));
    }
}

/// Use ends, the batch is destroyed.
fn destroy(site: &Site<'_>) {
    let batch = site.row_numbered(NUMBER);
    let grants = site.run(&["grant", "list", "--json"]).ok().json();
    site.run_as("henry", &["use", "complete", grants[0]["id"].as_str().unwrap()]).ok();
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    let words = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("alice", &words).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
}

#[test]
fn stock_commands_verify_a_bundle_before_and_after_the_destruction() {
    let people = People::new();
    let site = site(&people);
    let before = make(&site, "before.zip");
    let dir = unpacked(&before);
    stock(&dir);
    assert!(dir.join("manifest.yaml").exists(), "the manifest, while the batch lives");
    let used = fs::read_to_string(dir.join("use.json")).unwrap();
    assert!(used.contains("\"queries\": 1") && used.contains("\"rows\": 20"), "{used}");
    destroy(&site);
    let after = make(&site, "after.zip");
    let dir = unpacked(&after);
    stock(&dir);
    assert!(!dir.join("manifest.yaml").exists(), "the manifest went with the batch");
    let head: Value =
        serde_json::from_slice(&fs::read(dir.join("evidence.json")).unwrap()).unwrap();
    assert_eq!(head["manifest"], false, "and the bundle says so");
    let key = fs::read_to_string(site.dir.join("state/register/vkey")).unwrap();
    let words = ["evidence", "verify", after.to_str().unwrap(), "--key", key.trim(), "--json"];
    let report = site.run(&words).ok().json();
    assert_eq!((&report["ok"], &report["key_source"]), (&true.into(), &"given".into()));
    assert_eq!(report["certificates"], 1);
    assert!(report["signatures"].as_u64().unwrap() >= 12, "{report:#}");
    assert_eq!(fs::read(&after).unwrap(), fs::read(make(&site, "again.zip")).unwrap());
}

#[test]
fn a_bundle_has_the_entries_of_its_batch_and_no_other() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20", "full-1000"], UNIT);
    site.once();
    let dir = unpacked(&make(&site, "own.zip"));
    let (mut own, mut steps) = (0, Vec::new());
    for (name, bytes) in files(&dir) {
        if !name.starts_with("entries/") || !name.ends_with(".json") {
            continue;
        }
        own += 1;
        let entry: Value = serde_json::from_slice(&bytes).unwrap();
        let plan = &entry["body"]["plan"];
        steps.extend(plan["step"].as_str().map(str::to_owned));
        let batch = &plan["batch"];
        assert!(batch.is_null() || *batch == *site.row_numbered(NUMBER), "{name}: {entry}");
    }
    steps.sort();
    let told = ["make-receipt", "make-receipt"];
    let life = ["claim", "clear", "drop-key", "load", told[0], told[1], "take-key", "verify"];
    assert_eq!(steps, life, "{own}");
}

#[test]
fn a_bundle_names_nobody_who_was_looked_up_and_no_file_outside_its_manifest() {
    let people = People::new();
    let site = site(&people);
    let dir = unpacked(&make(&site, "names.zip"));
    let page = fs::read_to_string(dir.join("use.json")).unwrap();
    assert!(!page.contains("115-001"), "{page}");
    let values = support::search::Values::of(&people, &["small-20"]);
    assert!(values.count() > 20);
    for (name, bytes) in files(&dir) {
        for value in values.each() {
            let found = bytes.windows(value.len()).any(|window| window == value);
            assert!(!found, "'{name}' holds {}", String::from_utf8_lossy(value));
        }
        let text = String::from_utf8_lossy(&bytes);
        let is_manifest = name.starts_with("manifest.yaml");
        assert!(is_manifest || !text.contains("residents.dat"), "'{name}' names a file");
    }
}

/// The files of a bundle, to be packed again with right sums.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found.remove(bundle::SUMS);
    found
}

#[test]
fn whatever_is_changed_in_a_bundle_with_right_sums_is_found_or_was_named_as_stated() {
    let people = People::new();
    let site = site(&people);
    changed_and_found(&files(&unpacked(&make(&site, "living.zip"))));
    destroy(&site);
    let file = make(&site, "whole.zip");
    let whole = files(&unpacked(&file));
    changed_and_found(&whole);
    for name in ["checkpoint", "signers", "evidence.json", "allowed_signers"] {
        let mut files = whole.clone();
        files.remove(name).unwrap();
        assert!(!evidence::verify(&bundle::write(files).unwrap(), None).ok, "without '{name}'");
    }
    // A file that nobody asked for is named.
    let mut files = whole.clone();
    files.insert("more.txt".to_owned(), b"x".to_vec());
    let report = evidence::verify(&bundle::write(files).unwrap(), None);
    assert!(report.stated.contains(&"more.txt".to_owned()));
    // Another register's key: nothing of it holds.
    let other = Site::founded(&people, &[], UNIT);
    let key = fs::read_to_string(other.dir.join("state/register/vkey")).unwrap();
    site.run(&["evidence", "verify", file.to_str().unwrap(), "--key", key.trim()]).exits(65);
}

/// Every file that is not named as stated: three of its bytes, and one more.
fn changed_and_found(whole: &BTreeMap<String, Vec<u8>>) {
    let good = evidence::verify(&bundle::write(whole.clone()).unwrap(), None);
    assert!(good.ok, "{good:?}");
    let due = ["VERIFY.md", "batch.json", "grants.json", "record.html", "record.json", "use.json"];
    assert_eq!(good.stated, due, "nothing else is taken on trust");
    for (name, bytes) in whole.iter().filter(|(name, _)| !good.stated.contains(name)) {
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut files = whole.clone();
            files.get_mut(name).unwrap()[at] ^= 1;
            let report = evidence::verify(&bundle::write(files).unwrap(), None);
            let told = !report.ok || report.stated.contains(name);
            assert!(told, "byte {at} of '{name}' was changed, and {report:?}");
        }
        let mut files = whole.clone();
        files.get_mut(name).unwrap().push(b'\n');
        let report = evidence::verify(&bundle::write(files).unwrap(), None);
        let told = !report.ok || report.stated.contains(name);
        assert!(told, "'{name}' and more, and {report:?}");
    }
}

#[test]
fn any_byte_of_a_bundle_that_is_flipped_is_found() {
    let people = People::new();
    let site = site(&people);
    let file = make(&site, "flip.zip");
    let bytes = fs::read(&file).unwrap();
    for at in (0..bytes.len()).step_by(97).chain(bytes.len() - 500..bytes.len()) {
        let mut bent = bytes.clone();
        bent[at] ^= 1;
        assert!(!evidence::verify(&bent, None).ok, "byte {at} of {}", bytes.len());
    }
    assert!(!evidence::verify(b"no bundle", None).ok);
    let mut bent = bytes.clone();
    let at = bytes.len() / 2;
    bent[at] ^= 1;
    fs::write(&file, bent).unwrap();
    site.run(&["evidence", "verify", file.to_str().unwrap()]).exits(65);
}

#[test]
fn the_stock_commands_find_what_was_changed() {
    let people = People::new();
    let site = site(&people);
    let dir = unpacked(&make(&site, "stock.zip"));
    let pages = blocks(&dir);
    let first = |folder: &str, end: &str| {
        let names = files(&dir).into_keys().filter(|name| name.starts_with(folder));
        names.into_iter().rfind(|name| name.ends_with(end)).unwrap()
    };
    for (block, name) in [
        (0, "use.json".to_owned()),
        (1, "checkpoint.body".to_owned()),
        (2, first("signed/", ".txt")),
        (4, "manifest.yaml".to_owned()),
        (5, first("entries/", ".json")),
    ] {
        assert!(works(&pages[block], &dir), "{block}");
        let path = dir.join(&name);
        let whole = fs::read(&path).unwrap();
        let mut bent = whole.clone();
        bent[whole.len() / 2] ^= 1;
        fs::write(&path, bent).unwrap();
        assert!(!works(&pages[block], &dir), "'{name}' was changed");
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn a_key_that_nobody_confirmed_is_not_among_the_signers() {
    let people = People::new();
    let site = site(&people);
    let mut keygen = Command::new("ssh-keygen");
    done(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(people.key("mallory")));
    let key = people.public("mallory");
    let add = ["account", "add", "mallory", "--role", "custodian", "--sign-key"];
    site.run_as("ada", &[add.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
    let dir = unpacked(&make(&site, "one.zip"));
    let signers = fs::read_to_string(dir.join("signers")).unwrap();
    assert!(signers.contains("henry ") && !signers.contains("mallory "), "{signers}");
}
