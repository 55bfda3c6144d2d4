//! Every sample delivery gets the verdict of `samples/expected.yaml`, through the real binary.
//!
//! Each case plays on a site of its own: laid out by `install.sh`, founded, run, looked at with the commands that
//! people use, queried under a grant of two people. What is compared comes from the samples alone; nothing here
//! knows how a verdict is reached.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use support::{People, Site, samples};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    version: u32,
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "about")]
    _about: String,
    link: String,
    delivery: String,
    batch: String,
    after: Vec<String>,
    #[serde(rename = "keys")]
    _keys: Vec<String>,
    edit: BTreeMap<String, BTreeMap<String, String>>,
    verdict: String,
    state: Option<String>,
    reason: Option<String>,
    counts: BTreeMap<String, Option<u64>>,
    then: Option<Then>,
    findings: Option<Value>,
    table: Option<Table>,
    #[serde(default)]
    records: Vec<BTreeMap<String, Value>>,
    #[serde(rename = "note")]
    _note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Then {
    verdict: String,
    committed: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    columns: Vec<String>,
    rows: usize,
    sha256: String,
}

fn expected() -> Expected {
    let text = std::fs::read_to_string(samples().join("expected.yaml")).unwrap();
    let expected: Expected = serde_yaml::from_str(&text).unwrap();
    assert_eq!(expected.version, 1);
    expected
}

/// The unit that the link was approved for: henry's.
fn unit_of(link: &str) -> &'static str {
    if link == "moca-full" { "幼兒托育科" } else { "資訊科" }
}

fn check(name: &str) {
    let expected = expected();
    let case = &expected.cases[name];
    let people = People::new();
    // An edit belongs to the configuration as the site finds it; other deliveries come to a site that is there.
    let early: &[&str] = if case.edit.is_empty() { &[] } else { &[name] };
    let site = Site::founded(&people, early, unit_of(&case.link));
    for before in &case.after {
        site.install(&[], &[before]);
        site.once();
        assert_eq!(site.row(&expected.cases[before].delivery)["state"], "loaded", "{before}");
    }
    if early.is_empty() {
        site.install(&[], &[name]);
    }
    site.once();
    verdict(&site, case);
    traces(&site, name, case, &expected);
    if case.verdict == "loaded" {
        table(&site, case);
    }
    site.verify();
    if let Some(then) = &case.then {
        afterwards(&site, name, case, then);
    }
}

/// State, reason, counts and findings.
fn verdict(site: &Site<'_>, case: &Case) {
    let row = site.row(&case.delivery);
    assert_eq!(row["link"], case.link.as_str());
    assert_eq!(row["reason"], json!(case.reason), "{row}");
    let Some(state) = &case.state else {
        assert_eq!((&row["id"], &row["state"]), (&Value::Null, &json!("waiting")));
        assert_eq!(case.verdict, "waiting");
        return;
    };
    assert_eq!(row["state"], state.as_str(), "{row}");
    let page = site.show(row["id"].as_str().expect("a batch has an id"));
    for field in ["id", "delivery", "number", "link", "state", "reason"] {
        assert_eq!(page[field], row[field], "{field} of {page:#}");
    }
    for (name, count) in &case.counts {
        if let Some(count) = count {
            assert_eq!(page["counts"][name], *count, "{name} of {page:#}");
        }
    }
    if let Some(findings) = &case.findings {
        assert_eq!(&page["findings"], findings);
    }
    if case.verdict == "loaded" || state == "verified" {
        assert_eq!((&page["number"], &page["strength"]), (&json!(case.batch), &json!("signed")));
    }
}

/// What is left in the folders of the provider, and in the vault.
fn traces(site: &Site<'_>, name: &str, case: &Case, expected: &Expected) {
    let delivery = site.dir.join("drop").join(&case.link).join(&case.delivery);
    assert_eq!(delivery.exists(), case.state.is_none(), "a delivery is claimed when it is a batch");
    let keybox = site.files(&format!("keys/{}", case.link));
    assert!(keybox.is_empty(), "a key does not stay in its box: {keybox:?}");
    let loaded = case.after.iter().filter(|name| expected.cases[*name].verdict == "loaded").count();
    let loaded = loaded + usize::from(case.verdict == "loaded");
    assert_eq!(site.files("state/vault").len(), loaded, "{:?}", site.files("state/vault"));
    // What a link leads to is the sender's, and stays as it was.
    let outside = site.files(&format!("outside/{name}"));
    for file in &outside {
        let now = std::fs::read(site.dir.join("outside").join(name).join(file)).unwrap();
        let sent = samples().join("deliveries").join(name).join("delivery/residents.dat.age");
        assert_eq!(now, std::fs::read(sent).unwrap(), "{file}");
    }
    assert!(!name.ends_with("linked-file") || outside.len() == 1, "{outside:?}");
}

/// The loaded table, read by henry under a grant that sue approved.
fn table(site: &Site<'_>, case: &Case) {
    let table = case.table.as_ref().expect("a loaded case has a table");
    let id = site.row(&case.delivery)["id"].as_str().unwrap().to_owned();
    let grant = site.grant(&case.link);
    let csv = site.query(&grant, &["--batch", &id, "--format", "csv"]).ok();
    let lines = parse_csv(csv.text());
    assert_eq!(lines[0], table.columns);
    assert_eq!(lines.len() - 1, table.rows);
    for record in &case.records {
        let row = usize::try_from(record["row"].as_u64().unwrap()).unwrap();
        for (column, value) in lines[0].iter().zip(&lines[row]) {
            assert_eq!(record[column], value.as_str(), "{column} of row {row}");
        }
    }
    assert_eq!(batchward::domain::digest::Digest::of(&csv.stdout).to_string(), table.sha256);
    if let Some(record) = case.records.first() {
        look_up(site, &grant, &id, record);
    }
}

/// One person by ID number from standard input; the form is JSON.
fn look_up(site: &Site<'_>, grant: &str, id: &str, record: &BTreeMap<String, Value>) {
    let number = record["national_id"].as_str().unwrap();
    let base =
        ["query", "--grant", grant, "--case", "115-001", "--reason", "資格審查", "--batch", id];
    let words = [base.as_slice(), &["--where", "national_id=-", "--format", "json"]].concat();
    let found = site.run_as_with("henry", &words, format!("{number}\n").as_bytes()).ok().json();
    let mut wanted = json!(record);
    wanted.as_object_mut().unwrap().remove("row");
    assert!(found.as_array().unwrap().contains(&wanted), "{found:#} holds no {wanted:#}");
    assert!(found.as_array().unwrap().iter().all(|row| row["national_id"] == number));
}

/// The rest of the delivery, or its key, comes.
fn afterwards(site: &Site<'_>, name: &str, case: &Case, then: &Then) {
    if samples().join("deliveries").join(name).join("rest").exists() {
        site.install(&["--rest"], &[name]);
    } else {
        site.bring_key(&case.link, &format!("{}.key", case.batch));
    }
    site.once();
    let row = site.row(&case.delivery);
    assert_eq!((&row["state"], &row["reason"]), (&json!(then.verdict), &Value::Null), "{row}");
    let page = site.show(row["id"].as_str().unwrap());
    for count in ["declared", "parsed", "accepted", "committed"] {
        assert_eq!(page["counts"][count], then.committed, "{count} of {page:#}");
    }
    let grant = site.grant(&case.link);
    let csv = site.query(&grant, &["--format", "csv"]).ok();
    assert_eq!(parse_csv(csv.text()).len() as u64 - 1, then.committed);
    site.verify();
}

/// The canonical CSV of samples/README.md.
fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let mut lines = vec![vec![String::new()]];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let line = lines.last_mut().unwrap();
        let cell = line.last_mut().unwrap();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(String::new()),
            '\n' if !quoted => lines.push(vec![String::new()]),
            _ => cell.push(c),
        }
    }
    assert_eq!(lines.pop().unwrap(), [""], "every line ends in a line feed");
    lines
}

macro_rules! cases {
    ($($test:ident $case:literal)*) => {
        const LISTED: &[&str] = &[$($case,)*];

        mod gets_its_verdict {
            $(#[test]
            fn $test() {
                super::check($case);
            })*
        }
    };
}

cases! {
    full_1000 "full-1000"
    two_files "two-files"
    armored "armored"
    csv_500 "csv-500"
    json_manifest "json-manifest"
    small_20 "small-20"
    delta_1 "delta-1"
    delta_2 "delta-2"
    delta_3 "delta-3"
    delta_gap "delta-gap"
    delta_repeat "delta-repeat"
    delta_empty "delta-empty"
    no_key "no-key"
    half_character "half-character"
    count_short "count-short"
    count_over "count-over"
    empty_file "empty-file"
    zero_records "zero-records"
    manifest_sum "manifest-sum"
    checksum_mismatch "checksum-mismatch"
    truncated_age "truncated-age"
    truncated_age_counted "truncated-age-counted"
    plaintext_sha_mismatch "plaintext-sha-mismatch"
    not_age "not-age"
    wrong_key "wrong-key"
    work_factor "work-factor"
    size_long "size-long"
    size_short "size-short"
    missing_file "missing-file"
    no_manifest "no-manifest"
    unsigned "unsigned"
    signature_garbage "signature-garbage"
    signed_by_stranger "signed-by-stranger"
    signed_by_retired_key "signed-by-retired-key"
    signature_over_other_bytes "signature-over-other-bytes"
    wrong_namespace "wrong-namespace"
    manifest_unknown_field "manifest-unknown-field"
    manifest_missing_field "manifest-missing-field"
    manifest_duplicate_key "manifest-duplicate-key"
    manifest_yaml_bomb "manifest-yaml-bomb"
    manifest_alias "manifest-alias"
    manifest_tag "manifest-tag"
    manifest_not_utf8 "manifest-not-utf8"
    manifest_bad_version "manifest-bad-version"
    manifest_bad_number "manifest-bad-number"
    manifest_too_large "manifest-too-large"
    duplicate_file_entry "duplicate-file-entry"
    name_with_path "name-with-path"
    absolute_name "absolute-name"
    wrong_link "wrong-link"
    wrong_table_no "wrong-table-no"
    unlisted_file "unlisted-file"
    symlinked_file "symlinked-file"
    hardlinked_file "hardlinked-file"
    key_with_data "key-with-data"
    passphrase_with_data "passphrase-with-data"
    replay "replay"
    renumbered_replay "renumbered-replay"
    same_number_other_bytes "same-number-other-bytes"
    record_too_short "record-too-short"
    record_too_long "record-too-long"
    unapproved_column "unapproved-column"
    missing_column "missing-column"
    csv_not_utf8 "csv-not-utf8"
    csv_open_quote "csv-open-quote"
    link_suspended "link-suspended"
    use_expired "use-expired"
}

#[test]
fn every_case_of_the_samples_is_tested() {
    let listed: std::collections::BTreeSet<&str> = LISTED.iter().copied().collect();
    assert_eq!(listed.len(), LISTED.len());
    let expected = expected();
    assert_eq!(listed, expected.cases.keys().map(String::as_str).collect());
    let text = std::fs::read_to_string(samples().join("cases.tsv")).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(listed, rows.map(|line| line.split('\t').next().unwrap()).collect());
}
