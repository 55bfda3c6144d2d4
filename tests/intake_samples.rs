//! Every sample delivery, from its drop directory to the point where its records would be decoded: claimed, judged,
//! and opened with its key. The samples were made with other tools; their verdicts stand in `expected.yaml`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests"
)]

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

use batchward::{
    adapters::{
        age_files::{self, DeliveryKey, OpenError, SpoolWriter, is_damage},
        inbox::Inbox,
        keybox::Keybox,
    },
    domain::{
        calendar,
        digest::Digest,
        judge::{Facts, Ledger, Look, Place, Question, Stage, judge},
        link::{Container, KeyMode, Link, LinkStatus},
        manifest::{Kind, Manifest},
        secret::Secret,
        signers::AllowedSigners,
        time::Timestamp,
    },
};
use serde::Deserialize;

const ZONE: chrono_tz::Tz = chrono_tz::Asia::Taipei;

#[derive(Deserialize)]
struct Expected {
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    link: String,
    delivery: String,
    batch: String,
    after: Vec<String>,
    verdict: String,
    state: Option<String>,
    reason: Option<String>,
    then: Option<serde::de::IgnoredAny>,
}

/// Reasons that are found only behind the key.
const LATER: &[&str] = &[
    "awaiting-key",
    "wrong-key",
    "decrypt-failed",
    "plaintext-mismatch",
    "layout-error",
    "unapproved-column",
    "count-mismatch",
];

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

#[derive(Default)]
struct Seen {
    numbers: Vec<String>,
    files: Vec<Digest>,
    deltas: Vec<u64>,
}

impl Ledger for Seen {
    fn is_spent(&self, number: &str) -> bool {
        self.numbers.iter().any(|seen| seen == number)
    }

    fn is_loaded(&self, file: &Digest) -> bool {
        self.files.contains(file)
    }

    fn place(&self, sequence: u64) -> Place {
        if self.deltas.contains(&sequence) {
            Place::Taken
        } else if (1..sequence).all(|before| self.deltas.contains(&before)) {
            Place::Next
        } else {
            Place::Ahead
        }
    }
}

impl Seen {
    fn load(&mut self, manifest: &Manifest) {
        self.numbers.push(manifest.batch.clone());
        self.files.extend(manifest.files.iter().map(|file| file.sha256));
        if manifest.kind == Kind::Delta {
            self.deltas.push(manifest.sequence);
        }
    }
}

struct Site {
    samples: PathBuf,
    dir: tempfile::TempDir,
    spool_identity: Secret,
}

impl Site {
    fn new(samples: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("spool")).unwrap();
        let spool_identity = age_files::new_identity();
        Self { samples: samples.to_owned(), dir, spool_identity }
    }

    fn install(&self, arguments: &[&str], case: &str) {
        let mut command = Command::new("sh");
        command.arg(self.samples.join("install.sh")).args(arguments);
        let run = command.arg(self.dir.path().join("site")).arg(case).output().unwrap();
        assert!(run.status.success(), "{case}: {}", String::from_utf8_lossy(&run.stderr));
    }

    fn path(&self, kind: &str, link: &str) -> PathBuf {
        self.dir.path().join("site").join(kind).join(link)
    }

    /// The link, from the few fields that a judgement needs.
    fn link(&self, name: &str) -> Link {
        let text = fs::read_to_string(self.path("links", &format!("{name}.yaml"))).unwrap();
        let field = |field: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{field}: ")));
            line.unwrap().to_owned()
        };
        let signers = fs::read_to_string(self.path("links", &field("signers"))).unwrap();
        Link {
            expect: Vec::new(),
            name: field("link"),
            title: field("title"),
            provider: field("provider"),
            signers: AllowedSigners::parse(&signers, ZONE).unwrap(),
            inbox: self.path("drop", name),
            keybox: self.path("keys", name),
            policy: field("policy"),
            layout: field("layout"),
            table_no: field("table_no"),
            items: vec![],
            purpose: field("purpose"),
            basis_doc_no: field("basis_doc_no"),
            approved_until: calendar::parse_end(&field("approved_until"), ZONE).unwrap(),
            use_period: None,
            units: vec![],
            status: match field("status").as_str() {
                "active" => LinkStatus::Active,
                _ => LinkStatus::Suspended,
            },
            container: Container::Age,
            key: KeyMode::Separate,
            max_rejected: 0,
            kinship: false,
            source: None,
            receipts: None,
            overrides: BTreeMap::new(),
            profile: Box::default(),
            abandon_after: None,
        }
    }

    fn judge(&self, facts: &Facts, link: &Link, ledger: &Seen, stage: Stage) -> Look {
        let now = Timestamp::parse("2026-11-21T12:00:00+08:00").unwrap();
        let received_at = now;
        judge(&Question { facts, link, ledger, stage, received_at, now, announced: None })
    }

    fn spool(&self, name: &[u8]) -> String {
        format!("{}.age", Digest::of(name))
    }

    /// Looks, claims and judges the copies; clears the folder, too.
    fn verdict(&self, case: &Case, ledger: &Seen) -> Look {
        let link = self.link(&case.link);
        let inbox = Inbox::open(&link.inbox).unwrap();
        let name = case.delivery.as_ref();
        let facts = inbox.look(name).unwrap();
        if let Look::Wait(reason) = self.judge(&facts, &link, ledger, Stage::Looking) {
            return Look::Wait(reason);
        }
        let recipient = age_files::recipient_of(&self.spool_identity).unwrap();
        let spool = self.dir.path().join("spool");
        let mut make =
            |name: &[u8]| SpoolWriter::create(&spool, &self.spool(name), &recipient).map(Some);
        let claim = inbox.claim(name, &spool, &mut make).unwrap();
        assert_eq!(inbox.clear(name, &claim.folder).unwrap().left, 0);
        assert!(!inbox.scan().unwrap().folders.iter().any(|folder| folder == name));
        self.judge(&claim.facts, &link, ledger, Stage::Claimed)
    }

    /// What the key that came makes of the copies.
    fn open(&self, case: &Case, manifest: &Manifest) -> &'static str {
        let keybox = Keybox::open(&self.path("keys", &case.link)).unwrap();
        let keys = keybox.scan().unwrap().keys;
        let Some(file) = keys.iter().find(|key| key.number == manifest.batch) else {
            return "awaiting-key";
        };
        let key = keybox.read(file).unwrap().unwrap().parse().unwrap();
        for listed in &manifest.files {
            let copy = self.dir.path().join("spool").join(self.spool(listed.name.as_bytes()));
            match self.decrypt(&copy, &key) {
                Ok(plain)
                    if listed.plaintext_sha256.is_some_and(|sum| sum != Digest::of(&plain)) =>
                {
                    return "plaintext-mismatch";
                }
                Ok(_) => {}
                Err(reason) => return reason,
            }
        }
        "opened"
    }

    fn decrypt(&self, copy: &Path, key: &DeliveryKey) -> Result<Vec<u8>, &'static str> {
        let spool = age_files::open_spool(copy, &self.spool_identity).unwrap();
        let mut plain = Vec::new();
        match age_files::open_delivery(spool, key) {
            Err(OpenError::WrongKey) => Err("wrong-key"),
            Err(OpenError::Damaged | OpenError::TooMuchWork { .. }) => Err("decrypt-failed"),
            Err(error) => panic!("{error:?}"),
            Ok(mut reader) => match reader.read_to_end(&mut plain) {
                Ok(_) => Ok(plain),
                Err(error) if is_damage(&error) => Err("decrypt-failed"),
                Err(error) => panic!("{error:?}"),
            },
        }
    }
}

fn check(samples: &Path, cases: &BTreeMap<String, Case>, name: &str) {
    let case = &cases[name];
    let site = Site::new(samples);
    let mut ledger = Seen::default();
    for before in &case.after {
        site.install(&[], before);
        let Look::Complete(accepted) = site.verdict(&cases[before], &ledger) else {
            panic!("{name}: {before}");
        };
        ledger.load(accepted.manifest());
    }
    site.install(&[], name);
    let look = site.verdict(case, &ledger);
    let reason = case.reason.as_deref();
    match &look {
        Look::Wait(found) => {
            assert_eq!((Some(found.code()), case.state.as_deref()), (reason, None), "{name}");
            if case.then.is_some() {
                site.install(&["--rest"], name);
                let look = site.verdict(case, &ledger);
                assert!(matches!(look, Look::Complete(_)), "{name}: {look:?}");
            }
        }
        Look::Refuse(refusal) => {
            assert_eq!(
                (Some(refusal.reason.code()), &*case.verdict),
                (reason, "quarantined"),
                "{name}"
            );
        }
        Look::Complete(accepted) => {
            assert!(
                reason.is_none_or(|r| LATER.contains(&r) || accepted.waits_for_delta()),
                "{name}: expected {reason:?}"
            );
            let repeat = ["renumbered-replay", "same-number-other-bytes"].contains(&name);
            assert!(repeat || accepted.manifest().batch == case.batch);
            let opened = site.open(case, accepted.manifest());
            let early = ["awaiting-key", "wrong-key", "decrypt-failed", "plaintext-mismatch"];
            let expected = reason.filter(|reason| early.contains(reason)).unwrap_or("opened");
            assert_eq!(opened, expected, "{name}");
        }
    }
}

#[test]
fn every_sample_gets_its_verdict_up_to_its_plaintext() {
    let samples = samples();
    let text = fs::read_to_string(samples.join("expected.yaml")).unwrap();
    let expected: Expected = serde_yaml::from_str(&text).unwrap();
    assert!(expected.cases.len() >= 60);
    for name in expected.cases.keys() {
        check(&samples, &expected.cases, name);
    }
}
