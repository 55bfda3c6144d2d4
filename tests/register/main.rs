//! The register as an auditor meets it: what is whole is found whole, and each way of tampering is found, with the
//! first bad entry named. All entries are synthetic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod access;
mod elsewhere;
mod files;
mod journal;
mod vectors;

use std::{
    fs,
    path::{Path, PathBuf},
};

use batchward::{
    adapters::{
        journal::{Journal, Log},
        tiles,
    },
    domain::{
        access::AccessEntry,
        checkpoint::{Checkpoint, RegisterKey, VerifierKey},
        digest::Digest,
        entry::{self, Body, Entry},
        merkle,
        secret::Secret,
        time::Timestamp,
    },
    verify::{Report, verify_dir, verify_state},
};
use rusqlite::Connection;

const SITE: &str = "test";

fn key() -> RegisterKey {
    RegisterKey::from_secret(&Secret::new(vec![7; 32]), &Log::Register.origin(SITE)).unwrap()
}

fn verifier(log: Log) -> VerifierKey {
    VerifierKey::parse(&key().vkey_of(&log.origin(SITE))).unwrap()
}

fn entry(n: u64) -> Vec<u8> {
    let at = Timestamp::from_millis(1_800_000_000_000 + n.cast_signed());
    let body = Body::AccessCheckpoint { size: n, root: Digest::of(&n.to_be_bytes()) };
    Entry { v: 1, at, by: entry::AGENT.to_owned(), deputy: None, uid: None, body }
        .to_bytes()
        .unwrap()
}

struct State(tempfile::TempDir);

impl State {
    /// A state whose register grew by these steps, each a commit that was published.
    fn new(steps: &[u64]) -> Self {
        let state = Self(tempfile::tempdir().unwrap());
        Journal::create(&state.journal(), SITE).unwrap();
        for step in steps {
            state.grow(*step);
            state.publish();
        }
        state
    }

    fn grow(&self, entries: u64) {
        let mut journal = Journal::open(&self.journal(), SITE).unwrap();
        let size = journal.size(Log::Register).unwrap();
        let new: Vec<_> = (size..size + entries).map(|n| (Log::Register, entry(n))).collect();
        journal.append(&key(), &new).unwrap();
    }

    fn publish(&self) {
        let journal = Journal::open(&self.journal(), SITE).unwrap();
        let (dir, log) = (self.dir(), Log::Register);
        let published = tiles::reconcile(&dir, &journal, log, &verifier(log)).unwrap();
        tiles::publish(&dir, &journal, log, &key(), published).unwrap();
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("register")
    }

    fn journal(&self) -> PathBuf {
        self.0.path().join("journal.db")
    }

    fn sql(&self, sql: &str) {
        Connection::open(self.journal()).unwrap().execute_batch(sql).unwrap();
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.dir().join(name);
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
    }

    fn of_dir(&self) -> Report {
        verify_dir(&self.dir(), Some(&verifier(Log::Register)))
    }

    fn of_state(&self) -> Report {
        verify_state(&self.dir(), &self.journal(), Some(&verifier(Log::Register)))
    }
}

#[track_caller]
fn bad_at(report: &Report, seq: u64) {
    assert!(!report.ok);
    assert_eq!(report.first_bad, Some(seq), "{:#?}", report.problems);
}

fn bundle(entries: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(&u16::try_from(entry.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(&entry);
    }
    bytes
}

fn files(dir: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(dir)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap)
        .filter(|found| found.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}
