//! `--json` is what `docs/json` says: every answer of the real binary fits its schema, and so does every example of
//! `docs/json.md`. All people and records are the samples', which are synthetic.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "json/schema.rs"]
mod schema;
mod support;

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::{Value, json};
use support::{People, Ran, Site, root};

fn schema_of(name: &str) -> Value {
    let path = root().join("docs/json").join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn fits(name: &str, value: &Value) {
    let faults = schema::faults(&schema_of(name), value);
    assert!(faults.is_empty(), "{name}: {faults:?}\n{value:#}");
}

/// Answers that fit, by name.
#[derive(Default)]
struct Seen(BTreeSet<&'static str>);

impl Seen {
    #[track_caller]
    fn see(&mut self, name: &'static str, ran: &Ran) -> Value {
        let value = ran.json();
        fits(name, &value);
        self.0.insert(name);
        value
    }
}

#[test]
fn every_answer_of_the_binary_fits_its_schema() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20", "checksum-mismatch"], "幼兒托育科");
    let mut seen = Seen::default();
    let add = ["account", "add", "carol", "--role", "handler", "--unix-user", "root", "--json"];
    let reply = seen.see("reply", &site.run_as("ada", &add).ok());
    assert_eq!(
        reply["next"],
        "another admin or a supervisor runs 'batchward account confirm carol'"
    );
    for _ in 0..2 {
        seen.see("run-once", &site.run(&["run", "--once", "--json"]).ok());
        site.wait_minutes(30);
    }
    let rows = seen.see("batch-list", &site.run(&["batch", "list", "--json"]).ok());
    for row in rows.as_array().unwrap() {
        if let Some(id) = row["id"].as_str() {
            seen.see("batch-show", &site.run(&["batch", "show", id, "--json"]).ok());
        }
    }
    assert!(seen.0.contains("batch-show"), "{rows:#}");
    readings(&site, &mut seen);
    posts(&site, &mut seen);
    seen.see("reasons", &site.run(&["reasons", "--json"]).ok());
    packed(&site, &mut seen);
    receipts(&site, &mut seen);
    certificate(&site, &mut seen);
    let all: BTreeSet<String> = fs::read_dir(root().join("docs/json"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let without: Vec<&String> = all.iter().filter(|name| !seen.0.contains(name.as_str())).collect();
    assert!(without.is_empty(), "no answer was seen of {without:?}");
}

/// A package that is made for another agency.
fn handed_on(site: &Site<'_>) {
    for folder in ["recipients", "handed", "handed-keys"] {
        fs::create_dir(site.dir.join(folder)).unwrap();
    }
    let text = "recipient: office\ntitle: 合成受領單位\nkind: agency\npremises: own\nlink: from-us\n\
        outbox: ../handed\nkey: separate\nkeys: ../handed-keys\nchannels: [courier, letter]\nuntil: 2027-06-30\n";
    fs::write(site.dir.join("recipients/office.yaml"), text).unwrap();
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    let words = ["handover", "request", "b-00000001", "--to", "office", "--purpose", "通知"];
    let more = ["--basis", "府社婦字第1150009999號", "--until", "2027-03-31"];
    let ways = ["--channel", "courier", "--key-channel", "letter"];
    site.run_as("henry", &[words.as_slice(), &more, &ways].concat()).ok();
    let doc = ["--doc-no", "府民戶字第1150001234號"];
    site.run_as("sue", &[["handover", "approve", "l-00000001"].as_slice(), &doc].concat()).ok();
    site.run_as("alice", &["handover", "make", "l-00000001"]).ok();
}

/// An application of the link, and a paper.
fn kept(site: &Site<'_>, seen: &mut Seen) {
    site.run_as("henry", &["link", "apply", "moca-full", "--necessity", "審查資格所需"]).ok();
    let paper = site.temporary().join("plan.txt");
    fs::write(&paper, "合成之稽核計畫\n").unwrap();
    let words = ["audit", "document", "add", "--kind", "audit-plan", "--doc-no", "府婦字第1號"];
    let more = ["--sent-to", "民政局=府婦字第2號", "--file", paper.to_str().unwrap()];
    site.run_as("audrey", &[words.as_slice(), &more].concat()).ok();
    for (schema, words) in [
        ("link-list", vec!["link", "list", "--json"]),
        ("link-show", vec!["link", "show", "moca-full", "--json"]),
        ("audit-document-list", vec!["audit", "document", "list", "--json"]),
        ("audit-document-show", vec!["audit", "document", "show", "j-00000001", "--json"]),
    ] {
        seen.see(schema, &site.run(&words).ok());
    }
}

fn posts(site: &Site<'_>, seen: &mut Seen) {
    let add = ["appointment", "add", "henry", "--post", "handler", "--from", "2026-11-21"];
    site.run_as("sue", &[add.as_slice(), &["--doc-no", "府社人字第1150001234號"]].concat()).ok();
    let end = ["appointment", "end", "audrey", "--on", "2027-12-31", "--reason", "retired"];
    site.run_as("audrey", &end).ok();
    for (schema, words) in [
        ("account-review", vec!["account", "review", "--json"]),
        ("account-roster", vec!["account", "roster", "--format", "json", "-o", "-"]),
        ("appointment-list", vec!["appointment", "list", "--json"]),
    ] {
        seen.see(schema, &site.run(&words).ok());
    }
}

#[allow(clippy::too_many_lines, reason = "a table: each schema beside the words that answer in it")]
fn readings(site: &Site<'_>, seen: &mut Seen) {
    let letter = ["copy", "declare", "b-00000001", "--kind", "key-carrier", "--medium", "paper"];
    let place = ["--place", "safe", "--holder", "alice"];
    let copy = site.run_as("alice", &[letter.as_slice(), &place].concat()).ok().id('c');
    let ask = ["destroy", "request", "b-00000001", "--copy", &copy, "--reason", "使用完竣"];
    let order = site.run_as("alice", &ask).ok().id('o');
    let slip = ["destroy", "slip", &order, "--format", "json", "-o", "-"];
    seen.see("destroy-slip", &site.run(&slip).ok());
    site.run_as("alice", &["destroy", "cancel", &order, "--reason", "次日再簽"]).ok();
    handed_on(site);
    kept(site, seen);
    let (name, other) = ("taoyuan-dwcd", "nantou-verification");
    let policy = root().join(format!("policies/{name}.yaml"));
    site.run_as(
        "sue",
        &[
            "hold",
            "place",
            "--all",
            "--authority",
            "法院",
            "--doc-no",
            "1",
            "--review",
            "116/01/31",
        ],
    )
    .ok();
    for (schema, words) in [
        ("access-keys", vec!["access", "keys"]),
        ("account-list", vec!["account", "list"]),
        ("audit-list", vec!["audit", "list"]),
        ("audit-self-assessment", vec!["audit", "self-assessment", "--format", "json", "-o", "-"]),
        ("config-show", vec!["config", "show"]),
        ("copy-list", vec!["copy", "list", "--all"]),
        ("link-expected", vec!["link", "expected", "moca-full"]),
        ("duties", vec!["duties"]),
        ("media-methods", vec!["media", "methods"]),
        ("handover-list", vec!["handover", "list"]),
        ("handover-show", vec!["handover", "show", "l-00000001"]),
        ("destroy-list", vec!["destroy", "list"]),
        ("destroy-plan", vec!["destroy", "plan", "--on", "120/12/31"]),
        ("audit-finding-list", vec!["audit", "finding", "list"]),
        ("audit-sample-list", vec!["audit", "sample", "list"]),
        ("incident-list", vec!["incident", "list"]),
        ("batch-notices", vec!["batch", "notices"]),
        ("standing-list", vec!["standing", "list"]),
        ("duties-list", vec!["duties", "list", "--format", "json", "-o", "-"]),
        ("duties-report", vec!["duties", "report", "--format", "json", "-o", "-"]),
        ("destroy-record", vec!["destroy", "record", "b-00000001", "--format", "json", "-o", "-"]),
        ("grant-list", vec!["grant", "list"]),
        ("hold-list", vec!["hold", "list"]),
        ("policy-check", vec!["policy", "check", policy.to_str().unwrap()]),
        ("policy-diff", vec!["policy", "diff", name, other]),
        ("policy-explain", vec!["policy", "explain", name]),
        ("policy-explain", vec!["policy", "explain", name, "TY-4.3.2"]),
        ("policy-list", vec!["policy", "list"]),
        ("register-export", vec!["register", "export", "--format", "json", "-o", "-"]),
        ("register-checkpoint", vec!["register", "checkpoint"]),
        ("register-prove", vec!["register", "prove", "1"]),
        ("register-prove", vec!["register", "consistency", "--since", "1"]),
        ("register-show", vec!["register", "show"]),
        ("register-verify", vec!["register", "verify"]),
        ("check", vec!["check"]),
        ("witness-list", vec!["witness", "list"]),
        ("batch-history", vec!["batch", "history", "b-00000001"]),
        ("today", vec!["today"]),
        ("status", vec!["status"]),
    ] {
        let ran = site.run(&[&words[..], &["--json"]].concat());
        seen.see(schema, &ran);
    }
    link_tested(site, seen);
    let pack = site.temporary().join("inspection.zip");
    site.run_as("audrey", &["audit", "pack", "-o", pack.to_str().unwrap()]).ok();
    let ran = site.run(&["audit", "pack", "verify", pack.to_str().unwrap(), "--json"]).ok();
    assert_eq!(seen.see("audit-pack-verify", &ran)["ok"], true);
    let grant = site.grant("moca-full");
    site.query(&grant, &[]).ok();
    let ran = site.run_as("audrey", &["access", "show", "--json"]).ok();
    assert_eq!(seen.see("access-show", &ran)[0]["account"], "henry");
    let file = site.temporary().join("access.jsonl");
    let export = ["access", "export", "-o", file.to_str().unwrap(), "--json"];
    seen.see("access-export", &site.run_as("audrey", &export).ok());
    let keys = site.run(&["access", "keys", "--json"]).ok();
    assert_eq!(seen.see("access-keys", &keys)[0]["state"], "kept");
    let proof = site.temporary().join("sample.json");
    fs::write(&proof, "{}").unwrap();
    let vkey = fs::read_to_string(site.dir.join("state/register/vkey")).unwrap();
    let words = ["audit", "verify", proof.to_str().unwrap(), "--key", vkey.trim(), "--json"];
    assert_eq!(seen.see("audit-verify", &site.run(&words).exits(65))["ok"], false);
    let bad = site.temporary().join("bad.yaml");
    fs::write(&bad, "name: x\n").unwrap();
    let ran = site.run(&["policy", "check", bad.to_str().unwrap(), "--json"]).exits(78);
    assert_eq!(seen.see("policy-check", &ran)["ok"], false);
}

/// A look at a server, whose files are not there.
fn link_tested(site: &Site<'_>, seen: &mut Seen) {
    let link = site.dir.join("links/moca-full.yaml");
    let text = fs::read_to_string(&link).unwrap();
    let source = "source: {sftp: {host: 127.0.0.1, port: 9, user: synthetic, identity: ../none, known_hosts: ../none, path: /}}";
    fs::write(&link, format!("{text}\n{source}\n")).unwrap();
    let ran = site.run(&["link", "test", "moca-full", "--json"]).exits(1);
    assert_eq!(seen.see("link-test", &ran)["trouble"], "own-files");
    fs::write(&link, text).unwrap();
    notice_tested(site, seen);
}

/// A notice to a server that nobody may be told by, since its password is not there.
fn notice_tested(site: &Site<'_>, seen: &mut Seen) {
    let agent = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&agent).unwrap();
    let notices = "notices: {mail: {host: localhost, port: 9, user: synthetic, password: 'file:none', from: a@a.example}, \
                   to: {alice: alice@a.example}}";
    fs::write(&agent, format!("{text}\n{notices}\n")).unwrap();
    let ran = site.run(&["notices", "test", "alice", "--json"]).exits(1);
    assert_eq!(seen.see("notices-test", &ran)["trouble"], "own-files");
    fs::write(&agent, text).unwrap();
}

/// What a provider packs, of synthetic people.
fn packed(site: &Site<'_>, seen: &mut Seen) {
    let plain = site.temporary().join("people.csv");
    fs::write(&plain, "national_id,name,birth_date,indigenous\r\nA1,王,0800101,0\r\n").unwrap();
    let (layout, out) = (site.dir.join("layouts/nt-verify-04.yaml"), site.temporary().join("out"));
    fs::create_dir(&out).unwrap();
    let key = site.people.key("ada");
    let phrase = site.dir.join("N-1.pass");
    let paths = [&plain, &layout, &out, &key, &phrase].map(|path| path.to_str().unwrap());
    let [plain, layout, out, key, phrase] = paths;
    let mut words = vec!["pack", plain, "--layout", layout, "-o", out, "--sign-with", key];
    words.extend(["--link", "l", "--number", "N-1", "--table-no", "T", "--kind", "full"]);
    words.extend(["--basis", "D", "--purpose", "P", "--passphrase-out", phrase, "--json"]);
    assert_eq!(seen.see("pack", &site.run(&words).ok())["records"], 1);
}

/// What the provider of a batch was told.
fn receipts(site: &Site<'_>, seen: &mut Seen) {
    let file = site.temporary().join("receipt.json");
    let words = ["receipt", "show", "b-00000001", "-o", file.to_str().unwrap(), "--json"];
    seen.see("receipt-show", &site.run(&words).ok());
    let words = ["receipt", "verify", file.to_str().unwrap(), "--json"];
    assert_eq!(seen.see("receipt-verify", &site.run(&words).ok())["key_source"], "receipt");
}

/// The certificate of the demo's batch.
fn certificate(site: &Site<'_>, seen: &mut Seen) {
    let dir = site.temporary().join("demo");
    let config = dir.join("agent.yaml");
    let demo = ["demo", "--dir", dir.to_str().unwrap(), "--records", "20"];
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
        let output = command.arg("--config").arg(&config).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    run(&demo);
    let orders: Value = serde_json::from_slice(&run(&["destroy", "list", "--json"])).unwrap();
    fits("destroy-list", &orders);
    let grants: Value = serde_json::from_slice(&run(&["grant", "list", "--json"])).unwrap();
    fits("grant-list", &grants);
    let file = site.temporary().join("certificate.json");
    let order = orders[0]["id"].as_str().unwrap();
    fs::write(&file, run(&["certificate", "show", order])).unwrap();
    let bundle = site.temporary().join("evidence.zip");
    run(&["evidence", "b-00000001", "-o", bundle.to_str().unwrap()]);
    let words = ["evidence", "verify", bundle.to_str().unwrap(), "--json"];
    assert_eq!(seen.see("evidence-verify", &site.run(&words).ok())["ok"], true);
    let words = ["certificate", "verify", file.to_str().unwrap(), "--json"];
    let verified = seen.see("certificate-verify", &site.run(&words).ok());
    assert_eq!(verified["key_source"], "certificate");
}

#[test]
fn a_wrong_value_and_an_unknown_field_do_not_fit() {
    let schema = schema_of("batch-list");
    let row = json!({"id": "b-00000001", "delivery": null, "number": null, "link": "l", "state": "loaded", "reason": null});
    assert_eq!(schema::faults(&schema, &json!([row])), Vec::<String>::new());
    for (field, value) in [
        ("id", json!("x")),
        ("link", json!(1)),
        ("reason", json!("no-such-reason")),
        ("further", json!(true)),
    ] {
        let mut wrong = row.clone();
        wrong[field] = value;
        assert!(!schema::faults(&schema, &json!([wrong])).is_empty(), "{field}");
    }
    let mut missing = row;
    missing.as_object_mut().unwrap().remove("state");
    assert!(!schema::faults(&schema, &json!([missing])).is_empty());
}

#[test]
fn every_example_of_the_page_fits_and_every_schema_has_one() {
    let page = fs::read_to_string(root().join("docs/json.md")).unwrap();
    let mut shown = BTreeSet::new();
    for section in page.split("\n## ").skip(1) {
        let Some((_, rest)) = section.split_once("](json/") else { continue };
        let name = rest.split(".json)").next().unwrap();
        let example = section.split("```json\n").nth(1).and_then(|text| text.split("```").next());
        let example = example.unwrap_or_else(|| panic!("no example of '{name}'"));
        fits(name, &serde_json::from_str(example).unwrap_or_else(|e| panic!("{name}: {e}")));
        shown.insert(format!("{name}.json"));
    }
    let all: BTreeSet<String> = fs::read_dir(root().join("docs/json"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(shown, all, "a section with a link and an example for each schema");
}
