//! Witnesses, through the real binary: what they cosign and what they refuse, what the agent takes in, the alarm when
//! nothing comes and what ends it, and that an older state, a cut, a fork and a rewrite are found by a witness and not
//! without one.
//!
//! The deliveries are the samples' synthetic ones; the keys are throw-away keys, made on the spot.
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
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use support::{People, Ran, Site, done};

const UNIT: &str = "幼兒托育科";
const NAME: &str = "audit-office";

/// A site with a witness in force, whose folder lies beside it.
struct Scene<'p> {
    site: Site<'p>,
    key: String,
}

impl<'p> Scene<'p> {
    fn new(people: &'p People) -> Self {
        let site = Site::founded(people, &[], UNIT);
        let dir = site.temporary().join("witness");
        let said = site.run(&["witness", "new", dir.to_str().unwrap(), "--name", NAME]).ok();
        let key = key_of(&said);
        site.run_as("ada", &["witness", "add", NAME, "--key", &key]).ok();
        site.run_as("ada", &["witness", "confirm", NAME]).exits(77);
        site.run_as("ben", &["witness", "confirm", NAME]).ok();
        Self { site, key }
    }

    fn file(&self, name: &str) -> String {
        self.site.temporary().join(name).to_str().unwrap().to_owned()
    }

    fn vkey(&self) -> String {
        fs::read_to_string(self.site.dir.join("state/register/vkey")).unwrap().trim().to_owned()
    }

    fn request(&self) -> String {
        let file = self.file("request");
        self.site.run(&["witness", "request", NAME, "-o", &file]).ok();
        file
    }

    /// What the witness says to a request.
    fn cosign(&self, request: &str) -> Ran {
        let (dir, out, log) = (self.file("witness"), self.file("cosigned"), self.vkey());
        let words = ["witness", "cosign", request, "--dir", &dir, "-o", &out, "--log", &log];
        self.site.run(&words)
    }

    fn take(&self) -> Ran {
        self.site.run_as("alice", &["witness", "take", &self.file("cosigned")])
    }

    /// Request, cosignature, and back.
    fn round(&self) {
        self.cosign(&self.request()).ok();
        self.take().ok();
    }

    fn row(&self) -> Value {
        self.site.run(&["witness", "list", "--json"]).ok().json()[0].clone()
    }

    fn verify(&self, more: &[&str]) -> Value {
        let words = ["register", "verify", "--json", "--key", &self.vkey()];
        self.site.run(&[words.as_slice(), more].concat()).json()
    }

    fn overdue(&self) -> bool {
        let page = self.site.run(&["status", "--json"]).json();
        page["alarms"].as_array().unwrap().iter().any(|a| a["code"] == "anchoring-overdue")
    }

    /// Sets `anchoring` in agent.yaml.
    fn anchor(&self, more: &str) {
        let path = self.site.dir.join("agent.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let line = format!(
            "{text}anchoring: {{ witnesses: [{NAME}], at_least: 1, overdue_after: 24h{more} }}\n"
        );
        fs::write(path, line).unwrap();
    }

    fn copy_state(&self, to: &str) -> PathBuf {
        let to = self.site.temporary().join(to);
        done(Command::new("cp").arg("-a").arg(self.site.dir.join("state")).arg(&to));
        to
    }

    fn put_state(&self, from: &Path) {
        fs::remove_dir_all(self.site.dir.join("state")).unwrap();
        done(Command::new("cp").arg("-a").arg(from).arg(self.site.dir.join("state")));
    }
}

/// The key that `witness new` says.
fn key_of(said: &Ran) -> String {
    let line = said.text().lines().last().unwrap();
    line.split("--key ").nth(1).unwrap().trim_end_matches('\'').to_owned()
}

#[test]
fn a_witness_cosigns_what_grew_and_the_register_says_so() {
    let people = People::new();
    let scene = Scene::new(&people);
    assert_eq!(scene.row()["state"], "active");
    assert_eq!(scene.row()["size"], Value::Null);
    assert_eq!(scene.verify(&["--witness", &scene.key])["ok"], false);
    for round in 0..3 {
        scene.round();
        let (row, report) = (scene.row(), scene.verify(&["--witness", &scene.key]));
        assert_eq!(report["ok"], true, "{report:#}");
        assert_eq!(report["witnesses"][0], NAME);
        assert!(row["size"].as_u64().unwrap() < report["size"].as_u64().unwrap());
        if round == 1 {
            scene.site.once();
        }
    }
    // The same cosignature again is no news, and a bent one is none.
    scene.take().exits(65);
    let file = scene.file("cosigned");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, good.replacen("— audit-office ", "— audit-office A", 1)).unwrap();
    scene.take().exits(65);
    // Who holds the newest cosigned checkpoint proves an entry with the witness's word under it.
    let kept = scene.file("kept");
    scene.site.run(&["register", "checkpoint", "--cosigned", "-o", &kept]).ok();
    assert!(fs::read_to_string(&kept).unwrap().contains("— audit-office "));
    assert_eq!(scene.verify(&["--against", &kept])["ok"], true);
}

#[test]
fn a_witness_refuses_what_does_not_fit_what_it_saw() {
    let people = People::new();
    let scene = Scene::new(&people);
    let (dir, out) = (scene.file("witness"), scene.file("cosigned"));
    let request = scene.file("first");
    fs::copy(scene.request(), &request).unwrap();
    // The first time it is told the register's key by somebody whom it trusts.
    scene.site.run(&["witness", "cosign", &request, "--dir", &dir, "-o", &out]).exits(64);
    let older = scene.copy_state("older");
    scene.site.once();
    let later = scene.request();
    let shown = fs::read_to_string(&later).unwrap();
    scene.cosign(&later).ok();
    // From now on it knows it.
    scene.site.run(&["witness", "cosign", &later, "--dir", &dir, "-o", &out]).ok();
    scene.cosign(&request).exits(77);
    // A cosignature that was lost on its way is given again; one of the past is not.
    scene.cosign(&later).ok();
    // A request since another size is told which, and is then made so.
    scene.take().ok();
    let since = scene.file("since");
    scene.site.run(&["witness", "request", NAME, "--since", "3", "-o", &since]).ok();
    let said = scene.cosign(&since).exits(77);
    assert!(said.stderr.contains("--since "), "{}", said.stderr);
    // Bent in any line: no request, or no growth.
    for (n, line) in shown.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let mut lines: Vec<String> = shown.lines().map(str::to_owned).collect();
        lines[n] = format!("x{line}");
        fs::write(&later, lines.join("\n") + "\n").unwrap();
        assert_ne!(scene.cosign(&later).status, Some(0), "{line}");
    }
    // An older state put back, which then grew another way: shorter first, then a fork.
    let newer = scene.copy_state("newer");
    scene.put_state(&older);
    let back = scene.request();
    assert!(scene.cosign(&back).exits(77).stderr.contains("an older state was put back"));
    for _ in 0..12 {
        scene.site.once();
    }
    let seen = shown.lines().skip_while(|line| !line.is_empty()).nth(2).unwrap().to_owned();
    let fork = scene.file("fork");
    scene.site.run(&["witness", "request", NAME, "--since", &seen, "-o", &fork]).ok();
    assert!(scene.cosign(&fork).exits(77).stderr.contains("two histories"));
    // And without the witness nothing of it is found.
    assert_eq!(scene.verify(&[])["ok"], true);
    assert_eq!(scene.verify(&["--witness", &scene.key])["ok"], false);
    // What the witness signed of the true register is not taken in by the other one.
    let said = scene.take().exits(65);
    assert!(said.stderr.contains("two histories"), "{}", said.stderr);
    scene.put_state(&newer);
    assert_eq!(scene.verify(&["--witness", &scene.key])["ok"], true);
}

#[test]
fn another_key_a_log_key_and_a_key_twice_make_no_witness() {
    let people = People::new();
    let scene = Scene::new(&people);
    let site = &scene.site;
    site.run_as("ada", &["witness", "add", NAME, "--key", &scene.vkey()]).exits(64);
    site.run_as("ada", &["witness", "add", "other", "--key", &scene.key]).exits(64);
    let dir = scene.file("second");
    let said = site.run(&["witness", "new", &dir, "--name", "second"]).ok();
    let key = key_of(&said);
    site.run_as("alice", &["witness", "add", "second", "--key", &key]).exits(77);
    site.run_as("ada", &["witness", "add", "second", "--key", &key]).ok();
    site.run(&["witness", "new", &dir, "--name", "second"]).exits(64);
    // Not in force: its cosignature is not taken.
    let (request, out) = (scene.request(), scene.file("cosigned"));
    let words = ["witness", "cosign", &request, "--dir", &dir, "-o", &out, "--log", &scene.vkey()];
    site.run(&words).ok();
    scene.take().exits(65);
    site.run_as("ben", &["witness", "confirm", "second"]).ok();
    scene.take().ok();
}

#[test]
fn an_overdue_alarm_ends_by_a_cosignature_or_by_two_people_and_by_nothing_else() {
    let people = People::new();
    let scene = Scene::new(&people);
    let site = &scene.site;
    scene.anchor("");
    site.once();
    assert!(!scene.overdue());
    let early = ["witness", "acknowledge", "--reason", "放假"];
    site.run_as("alice", &early).exits(64);
    site.wait_minutes(24 * 60);
    assert!(scene.overdue());
    site.once();
    assert!(scene.overdue());
    scene.round();
    assert!(!scene.overdue());
    // A cosignature that was made long ago is as old as it is.
    scene.cosign(&scene.request()).ok();
    site.wait_minutes(30 * 60);
    scene.take().ok();
    assert!(scene.overdue());
    // One person is none; and the two are two.
    site.run(&early).exits(77);
    site.walt_and_dora("資訊室");
    site.run_as("walt", &early).ok();
    assert!(scene.overdue());
    // Neither he, nor who stands in for him.
    site.neither_walt_nor_dora(&["witness", "acknowledge", "--confirm"]);
    site.run_as("alice", &["witness", "acknowledge", "--confirm"]).exits(77);
    assert!(scene.overdue());
    site.run_as("audrey", &["witness", "acknowledge", "--confirm"]).ok();
    assert!(!scene.overdue());
    let rows = site.run(&["register", "show", "--json"]).ok().json();
    let kinds: Vec<&str> =
        rows.as_array().unwrap().iter().map(|r| r["body"]["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"overdue-acknowledged") && kinds.contains(&"overdue-confirmed"));
    // It rests for one period.
    site.wait_minutes(24 * 60);
    assert!(scene.overdue());
    // Asking for less waits for a second person.
    let path = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("overdue_after: 24h", "overdue_after: 9000h")).unwrap();
    site.once();
    assert!(scene.overdue());
    fs::write(&path, text.split("anchoring:").next().unwrap()).unwrap();
    site.once();
    assert!(scene.overdue());
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    assert!(!scene.overdue());
}

#[test]
fn a_cosignature_from_the_future_is_not_taken() {
    let people = People::new();
    let scene = Scene::new(&people);
    let request = scene.request();
    scene.site.wait_minutes(60);
    scene.cosign(&request).ok();
    scene.site.wait_minutes(-60);
    scene.take().exits(65);
    scene.site.wait_minutes(60);
    scene.take().ok();
}

#[test]
fn where_it_is_set_nothing_is_claimed_while_cosignatures_are_overdue() {
    let people = People::new();
    let scene = Scene::new(&people);
    scene.anchor(", stop_intake: true");
    scene.site.once();
    scene.site.wait_minutes(25 * 60);
    scene.site.install(&[], &["small-20"]);
    scene.site.once();
    assert_eq!(scene.site.row("moca-1151102-0006")["id"], Value::Null);
    scene.round();
    scene.site.once();
    assert_eq!(scene.site.row("moca-1151102-0006")["state"], "loaded");
}

/// A stop at each write of a cosignature, at the witness and at the agent: the same cosignature is given or taken again,
/// and no second history is vouched for.
#[test]
fn a_stop_at_any_write_of_a_cosignature_is_mended_by_the_same_again() {
    let people = People::new();
    let scene = Scene::new(&people);
    scene.round();
    scene.site.once();
    let request = scene.request();
    let (dir, out, log) = (scene.file("witness"), scene.file("cosigned"), scene.vkey());
    let aside = scene.file("aside");
    done(Command::new("cp").arg("-a").arg(&dir).arg(&aside));
    let cosign = ["witness", "cosign", &request, "--dir", &dir, "-o", &out, "--log", &log];
    let count = scene.file("count");
    let writes = |words: &[&str], who: &str| -> usize {
        let key = people.key(who);
        let mut global = vec!["--test-count-writes", &count];
        if !who.is_empty() {
            global.extend(["--as", who, "--sign-with", key.to_str().unwrap()]);
        }
        scene.site.run_with(words, &global, b"").ok();
        fs::read_to_string(&count).unwrap().trim().parse().unwrap()
    };
    let all = writes(&cosign, "");
    assert!(all > 0);
    for (write, moment) in (1..=all).flat_map(|w| ["before", "middle", "after"].map(|m| (w, m))) {
        fs::remove_dir_all(&dir).unwrap();
        done(Command::new("cp").arg("-a").arg(&aside).arg(&dir));
        let stop = format!("{write}:{moment}");
        let ran = scene.site.run_with(&cosign, &["--test-crash", &stop], b"");
        assert_eq!(ran.signal, Some(6), "{stop}");
        scene.site.run(&cosign).ok();
    }
    let state = scene.copy_state("before");
    let take = ["witness", "take", &out];
    let all = writes(&take, "alice");
    assert!(all > 1);
    let key = people.key("alice");
    for (write, moment) in (1..=all).flat_map(|w| ["before", "middle", "after"].map(|m| (w, m))) {
        scene.put_state(&state);
        let stop = format!("{write}:{moment}");
        let global = ["--test-crash", &stop, "--as", "alice", "--sign-with", key.to_str().unwrap()];
        let ran = scene.site.run_with(&take, &global, b"");
        assert_eq!(ran.signal, Some(6), "{stop}: {ran:?}");
        scene.site.once();
        // Taken, or taken now; never twice.
        let again = scene.take();
        let rows = scene.site.run(&["register", "show", "--json"]).ok().json();
        let of = |row: &&Value| row["body"]["type"] == "checkpoint-cosigned";
        assert_eq!(rows.as_array().unwrap().iter().filter(of).count(), 2, "{stop}: {again:?}");
        let report = scene.verify(&["--witness", &scene.key]);
        assert_eq!(report["ok"], true, "{stop}: {report:#}");
    }
}
