//! Timestamps of an authority, through the real binary: OpenSSL is the authority, with throw-away keys made on the spot,
//! and OpenSSL verifies what was kept.
#![cfg(feature = "test-hooks")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use support::{People, Ran, Site, done};

const UNIT: &str = "幼兒托育科";

/// Answers are stamped by the real clock: the site's must not be behind it.
const LATER: &str = "2090-01-01T00:00:00Z";

/// A throw-away authority: a root, and the key that stamps.
struct Authority(PathBuf);

impl Authority {
    fn new(dir: &Path) -> Self {
        fs::create_dir(dir).unwrap();
        let authority = Self(dir.to_owned());
        let conf = "
            [tsa]\ndefault_tsa = main\n
            [main]\nserial = serial\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\n
            digests = sha256\naccuracy = secs:1\nordering = yes\ntsa_name = yes\ness_cert_id_chain = no\n
            [ext]\nextendedKeyUsage = critical,timeStamping\n
            [ca]\nbasicConstraints = critical,CA:TRUE\n";
        fs::write(dir.join("tsa.cnf"), conf.replace("            ", "")).unwrap();
        fs::write(dir.join("serial"), "01\n").unwrap();
        let key = "ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        authority.openssl(&format!(
            "req -x509 -newkey {key} -keyout ca.key -out ca.pem -days 3 -subj /CN=throw-away-root"
        ));
        authority.openssl(&format!(
            "req -newkey {key} -keyout tsa.key -out tsa.csr -subj /CN=throw-away-authority"
        ));
        authority.openssl(
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out tsa.pem -days 2 \
             -extfile tsa.cnf -extensions ext",
        );
        authority
    }

    fn command(&self, words: &str) -> Command {
        let mut openssl = Command::new("openssl");
        openssl.args(words.split_whitespace()).current_dir(&self.0);
        openssl
    }

    fn openssl(&self, words: &str) {
        done(&mut self.command(words));
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn answer(&self, query: &str, to: &str) -> String {
        self.openssl(&format!(
            "ts -reply -config tsa.cnf -queryfile {query} -inkey tsa.key -signer tsa.pem -out {to}"
        ));
        self.file(to)
    }
}

struct Scene<'p> {
    site: Site<'p>,
    authority: Authority,
}

impl<'p> Scene<'p> {
    fn new(people: &'p People) -> Self {
        let site = Site::founded(people, &[], UNIT);
        let authority = Authority::new(&site.temporary().join("authority"));
        Self { site, authority }
    }

    fn ask(&self, name: &str) -> String {
        let file = self.authority.file(name);
        self.site.run(&["witness", "timestamp-request", "-o", &file]).ok();
        file
    }

    fn take(&self, answer: &str) -> Ran {
        let key = self.site.people.key("alice");
        let global = ["--as", "alice", "--sign-with", key.to_str().unwrap()];
        self.site.run_at(LATER, &["witness", "timestamp", answer], &global, b"")
    }

    fn kept(&self) -> Vec<PathBuf> {
        let dir = self.site.dir.join("state/register/timestamps");
        let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end == "tsr"));
        paths.sort();
        paths
    }

    fn report(&self) -> Value {
        self.site.run(&["register", "verify", "--json"]).json()
    }

    fn noted(&self, what: &str) -> bool {
        let report = self.report();
        assert_eq!(report["ok"], true, "{report:#}");
        report["notes"].as_array().unwrap().iter().any(|n| n.as_str().unwrap().contains(what))
    }
}

#[test]
fn openssl_answers_a_query_and_verifies_the_timestamp_that_was_kept() {
    let people = People::new();
    let scene = Scene::new(&people);
    let query = scene.ask("first.tsq");
    let shown = done(&mut scene.authority.command("ts -query -in first.tsq -text"));
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.contains("Hash Algorithm: sha256") && shown.contains("Certificate required: yes")
    );
    let answer = scene.authority.answer(&query, "first.tsr");
    // The register goes on meanwhile: the answer is still over what was asked.
    scene.site.run_as("alice", &["clock", "confirm"]);
    scene.take(&answer).ok();
    let kept = scene.kept();
    assert_eq!(kept.len(), 1);
    let size = kept[0].file_name().unwrap().to_str().unwrap().split('-').next().unwrap().to_owned();
    let note = kept[0].with_file_name(format!("{size}.checkpoint"));
    let body: String = fs::read_to_string(note).unwrap().split_inclusive('\n').take(3).collect();
    fs::write(scene.authority.0.join("body"), body).unwrap();
    let verify = |file: &Path| {
        let words = format!("ts -verify -data body -in {} -CAfile ca.pem", file.display());
        scene.authority.command(&words).output().unwrap().status.success()
    };
    assert!(verify(&kept[0]));
    scene.authority.openssl(&format!(
        "ts -verify -queryfile first.tsq -in {} -CAfile ca.pem",
        kept[0].display()
    ));
    let mut bent = fs::read(&kept[0]).unwrap();
    let at = bent.len() - 3;
    bent[at] ^= 1;
    fs::write(scene.authority.0.join("bent.tsr"), bent).unwrap();
    assert!(!verify(&scene.authority.0.join("bent.tsr")));
    assert!(scene.noted("stamps"), "register verify names it");
    let rows = scene.site.run(&["register", "show", "--json"]).ok().json();
    let last = rows.as_array().unwrap().iter().rfind(|row| row["body"]["type"] == "timestamp-kept");
    assert_eq!(last.unwrap()["body"]["size"].to_string(), size);
    // A copy without the file is told of, and no fault; another authority's stands beside it.
    fs::remove_file(&kept[0]).unwrap();
    assert!(scene.noted("is not in this folder"));
    scene.take(&answer).ok();
    let again = scene.authority.answer(&query, "second.tsr");
    scene.take(&again).ok();
    assert_eq!(scene.kept().len(), 2);
}

#[test]
fn an_answer_that_is_not_ours_is_refused_and_nothing_is_kept() {
    let people = People::new();
    let scene = Scene::new(&people);
    let other = Scene::new(&people);
    let query = scene.ask("own.tsq");
    let foreign = scene.authority.answer(&other.ask("other.tsq"), "foreign.tsr");
    scene.authority.openssl("ts -query -data tsa.cnf -sha256 -out any.tsq");
    let any = scene.authority.answer("any.tsq", "any.tsr");
    let mut bytes = fs::read(&query).unwrap();
    // Another digest than SHA-256: the authority refuses, and says so in its answer.
    bytes[12] ^= 0x10;
    fs::write(scene.authority.0.join("odd.tsq"), bytes).unwrap();
    let odd = scene.authority.answer("odd.tsq", "odd.tsr");
    for answer in [foreign, any, odd, query] {
        scene.take(&answer).exits(65);
    }
    assert_eq!(scene.kept().len(), 0);
    let rows = scene.site.run(&["register", "show", "--json"]).ok().json();
    let of = |row: &&Value| row["body"]["type"] == "timestamp-kept";
    assert_eq!(rows.as_array().unwrap().iter().filter(of).count(), 0);
}

#[test]
fn a_timestamp_that_was_changed_beside_the_register_is_found() {
    let people = People::new();
    let scene = Scene::new(&people);
    let answer = scene.authority.answer(&scene.ask("own.tsq"), "own.tsr");
    scene.take(&answer).ok();
    let path = &scene.kept()[0];
    let whole = fs::read(path).unwrap();
    // The imprint stands in the answer as it stood in the query.
    let query = fs::read(scene.authority.file("own.tsq")).unwrap();
    let at = whole.windows(20).position(|window| query.windows(20).any(|q| q == window));
    let at = at.unwrap() + 20;
    let mut bent = whole.clone();
    bent[at] ^= 1;
    fs::write(path, bent).unwrap();
    let report = scene.report();
    assert_eq!(report["ok"], false, "{report:#}");
    fs::write(path, whole).unwrap();
    assert_eq!(scene.report()["ok"], true);
}

#[test]
fn a_stop_at_any_write_of_keeping_a_timestamp_leaves_it_kept_or_to_be_kept_again() {
    let people = People::new();
    let scene = Scene::new(&people);
    let answer = scene.authority.answer(&scene.ask("own.tsq"), "own.tsr");
    let state = scene.site.temporary().join("state");
    done(Command::new("cp").arg("-a").arg(scene.site.dir.join("state")).arg(&state));
    let count = scene.site.temporary().join("writes");
    let key = people.key("alice");
    let by = ["--as", "alice", "--sign-with", key.to_str().unwrap()];
    let words = ["witness", "timestamp", &answer];
    let counted = [&by[..], &["--test-count-writes", count.to_str().unwrap()]].concat();
    scene.site.run_at(LATER, &words, &counted, b"").ok();
    let all: u32 = fs::read_to_string(&count).unwrap().trim().parse().unwrap();
    assert!(all > 4, "{all}");
    for (write, moment) in (1..=all).flat_map(|w| ["before", "middle", "after"].map(|m| (w, m))) {
        fs::remove_dir_all(scene.site.dir.join("state")).unwrap();
        done(Command::new("cp").arg("-a").arg(&state).arg(scene.site.dir.join("state")));
        let stop = format!("{write}:{moment}");
        let global = [&by[..], &["--test-crash", &stop]].concat();
        let ran = scene.site.run_at(LATER, &words, &global, b"");
        assert_eq!(ran.signal, Some(6), "{stop}: {ran:?}");
        scene.take(&answer).ok();
        assert!(scene.noted("stamps"), "{stop}");
        assert_eq!(scene.kept().len(), 1, "{stop}");
    }
}
