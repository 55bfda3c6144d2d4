//! The register as an auditor meets it: what is whole is found whole, and each way of tampering is found, with the
//! first bad entry named. All entries are synthetic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

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
    Entry { v: 1, at, by: entry::AGENT.to_owned(), body }.to_bytes().unwrap()
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
        tiles::publish(&dir, &journal, log, &key().vkey(), published).unwrap();
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

#[test]
fn a_whole_register_is_good_at_every_size() {
    let state = State::new(&[1, 1, 1]);
    for step in [1, 2, 200, 51, 1, 300, 7] {
        state.grow(step);
        state.publish();
        for report in [state.of_dir(), state.of_state()] {
            assert!(report.ok, "{:#?}", report.problems);
            assert!(report.checkpoint_signed && report.first_bad.is_none());
            assert!(report.notes.is_empty(), "{:?}", report.notes);
            assert_eq!(report.key_source, "given");
        }
    }
    assert_eq!(state.of_dir().size, 565);
    let own = verify_dir(&state.dir(), None);
    assert!(own.ok && own.key_source == "folder");
}

/// A stop between commit and publishing, or an agent that is about to publish, is no tampering.
#[test]
fn files_behind_the_journal_are_told_and_are_good() {
    let state = State::new(&[3]);
    state.grow(2);
    let report = state.of_state();
    assert!(report.ok, "{:#?}", report.problems);
    assert_eq!((report.size, report.notes.len()), (3, 1));
    state.publish();
    assert_eq!(state.of_state().size, 5);
}

#[test]
fn a_flipped_byte_in_any_file_is_found_and_in_a_bundle_its_entry_named() {
    let state = State::new(&[1, 2, 2]);
    for path in files(&state.dir()) {
        let good = fs::read(&path).unwrap();
        let name = path.strip_prefix(state.dir()).unwrap().to_str().unwrap().to_owned();
        let mut ends = Vec::new();
        for n in 0..5 {
            ends.push(ends.last().unwrap_or(&0) + 2 + entry(n).len());
        }
        for at in 0..good.len() {
            let mut bent = good.clone();
            bent[at] ^= 0x10;
            fs::write(&path, bent).unwrap();
            let report = verify_dir(&state.dir(), None);
            assert!(!report.ok, "{name} at {at}");
            if name.contains("entries") {
                let seq = ends.iter().position(|end| at < *end).unwrap() as u64;
                assert_eq!(report.first_bad, Some(seq), "{name} at {at}: {:?}", report.problems);
            } else if name.starts_with("tile/0") {
                assert_eq!(report.first_bad, Some(at as u64 / 32), "{name} at {at}");
            }
        }
        fs::write(&path, good).unwrap();
    }
    assert!(state.of_state().ok);
}

#[test]
fn a_flipped_byte_in_a_large_register_names_its_entry() {
    let state = State::new(&[600, 1, 10]);
    for (name, first, width) in [("000", 0, 256), ("001", 256, 256), ("002.p/99", 512, 99)] {
        let name = format!("tile/entries/{name}");
        let mut start = 0;
        for n in 0..width {
            if n % 50 == 3 {
                state.change(&name, |bytes| bytes[start + 12] ^= 1);
                bad_at(&state.of_dir(), first + n);
                bad_at(&state.of_state(), first + n);
                state.change(&name, |bytes| bytes[start + 12] ^= 1);
            }
            start += 2 + entry(first + n).len();
        }
    }
    state.change("tile/1/000.p/2", |bytes| bytes[40] ^= 1);
    bad_at(&state.of_dir(), 256);
}

#[test]
fn entries_dropped_swapped_added_or_cut_off_in_the_files_are_named() {
    let name = "tile/entries/000.p/9";
    let all = || (0..9).map(entry).collect::<Vec<_>>();
    let mut dropped = all();
    dropped.remove(4);
    let mut swapped = all();
    swapped.swap(2, 6);
    let mut added = all();
    added.push(entry(9));
    let mut inserted = all();
    inserted.insert(3, entry(100));
    for (entries, seq) in [
        (dropped, 4),
        (swapped, 2),
        (added, 9),
        (inserted, 3),
        (all()[..7].to_vec(), 7),
        (Vec::new(), 0),
    ] {
        let state = State::new(&[9]);
        state.change(name, |bytes| *bytes = bundle(entries));
        bad_at(&state.of_dir(), seq);
        bad_at(&state.of_state(), seq);
    }
    let state = State::new(&[9]);
    state.change(name, |bytes| bytes.push(0));
    assert!(!state.of_dir().ok);
    state.change(name, |bytes| bytes.truncate(bytes.len() - 2));
    bad_at(&state.of_dir(), 8);
}

/// The tail of files of an earlier size under a checkpoint of a later one.
#[test]
fn a_tail_behind_the_checkpoint_is_named() {
    let state = State::new(&[5, 4]);
    for name in ["tile/entries/000.p/9", "tile/0/000.p/9"] {
        fs::remove_file(state.dir().join(name)).unwrap();
    }
    bad_at(&state.of_dir(), 5);
    bad_at(&state.of_state(), 5);
    let state = State::new(&[256, 256, 5]);
    fs::remove_dir_all(state.dir().join("tile/entries/002.p")).unwrap();
    fs::remove_dir_all(state.dir().join("tile/0/002.p")).unwrap();
    bad_at(&state.of_dir(), 512);
}

#[test]
fn a_wider_tile_stands_in_for_a_narrower_one() {
    let state = State::new(&[200]);
    let early = fs::read(state.dir().join("checkpoint")).unwrap();
    state.grow(100);
    state.publish();
    fs::write(state.dir().join("checkpoint"), early).unwrap();
    let report = state.of_dir();
    assert!(report.ok, "{:#?}", report.problems);
    assert_eq!(report.size, 200);
}

#[test]
fn missing_files_are_told_and_never_a_panic() {
    let state = State::new(&[300]);
    let given = verifier(Log::Register);
    for path in files(&state.dir()) {
        let good = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let report = verify_dir(&state.dir(), None);
        assert!(!report.ok && !report.problems.is_empty(), "{}", path.display());
        // A pipe in its place is not waited for.
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(!verify_dir(&state.dir(), None).ok);
        }
        let _ = fs::remove_file(&path);
        fs::write(&path, good).unwrap();
    }
    assert!(!verify_dir(&state.0.path().join("none"), None).ok);
    assert!(!verify_dir(&state.0.path().join("none"), Some(&given)).ok);
    assert!(!verify_state(&state.dir(), &state.0.path().join("none.db"), Some(&given)).ok);
}

#[test]
fn another_key_and_another_log_are_refused() {
    let state = State::new(&[3]);
    let stranger = RegisterKey::from_secret(
        &Secret::new(vec![8; 32]),
        key().vkey().split('+').next().unwrap(),
    );
    let stranger = VerifierKey::parse(&stranger.unwrap().vkey()).unwrap();
    let report = verify_dir(&state.dir(), Some(&stranger));
    assert!(!report.ok && !report.checkpoint_signed);

    // The access log verifies under its own name, and does not stand in for the register.
    let access = state.0.path().join("access");
    let mut journal = Journal::open(&state.journal(), SITE).unwrap();
    for n in 0..3 {
        let sealed = AccessEntry {
            v: 1,
            at: Timestamp::from_millis(n),
            link: "synthetic".to_owned(),
            month: "1970-01".to_owned(),
            sealed: "AAAA".to_owned(),
        };
        journal.append(&key(), &[(Log::Access, entry::canonical(&sealed).unwrap())]).unwrap();
    }
    let vkey = verifier(Log::Access).to_string();
    tiles::publish(&access, &journal, Log::Access, &vkey, 0).unwrap();
    let report = verify_dir(&access, Some(&verifier(Log::Access)));
    assert!(report.ok, "{:#?}", report.problems);
    assert!(verify_dir(&access, None).ok);
    assert!(!verify_dir(&access, Some(&verifier(Log::Register))).ok);
    assert!(!verify_state(&access, &state.journal(), None).ok);
}

#[test]
fn tampering_with_the_journal_names_the_entry() {
    let swap = "UPDATE entry SET seq = -2 WHERE log = 0 AND seq = 3;
                UPDATE entry SET seq = 3 WHERE log = 0 AND seq = 6;
                UPDATE entry SET seq = 6 WHERE seq = -2";
    for (sql, seq) in [
        (
            "UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), 'agent', 'aGent') AS BLOB) WHERE log = 0 AND seq = 4",
            4,
        ),
        ("UPDATE entry SET bytes = 'a text' WHERE log = 0 AND seq = 4", 4),
        ("DELETE FROM entry WHERE log = 0 AND seq = 4", 4),
        ("DELETE FROM entry WHERE log = 0 AND seq = 0", 0),
        (swap, 3),
        ("UPDATE node SET hash = zeroblob(32) WHERE log = 0 AND level = 0 AND idx = 4", 4),
        // A tail that nobody signed.
        ("INSERT INTO entry SELECT 0, 9, bytes FROM entry WHERE log = 0 AND seq = 8", 9),
        // A tail cut away, with and without its checkpoints.
        ("DELETE FROM entry WHERE log = 0 AND seq >= 7", 7),
        (
            "DELETE FROM entry WHERE log = 0 AND seq >= 7; DELETE FROM checkpoint WHERE log = 0 AND size > 7",
            7,
        ),
        ("DELETE FROM entry", 0),
    ] {
        let state = State::new(&[1; 9]);
        state.sql(sql);
        bad_at(&state.of_state(), seq);
        assert!(state.of_dir().ok);
    }
    for sql in [
        "UPDATE checkpoint SET note = replace(note, 'test', 'tost') WHERE log = 0 AND size = 4",
        "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE log = 0 AND size = 3) WHERE log = 0 AND size = 4",
        "UPDATE node SET hash = zeroblob(32) WHERE log = 0 AND level = 2 AND idx = 0",
        "DROP TABLE checkpoint",
        "DROP TABLE entry",
        "DROP TABLE node",
    ] {
        let state = State::new(&[1; 9]);
        state.sql(sql);
        let report = state.of_state();
        assert!(!report.ok && !report.problems.is_empty(), "{sql}");
    }
}

/// Entry, leaves, tree, every tile: all made anew around a changed entry, but for the signatures.
#[test]
fn a_consistent_rewrite_without_the_key_is_named_by_the_kept_checkpoints() {
    let good = State::new(&[2; 6]);
    let forged = State(tempfile::tempdir().unwrap());
    let other = RegisterKey::from_secret(&Secret::new(vec![9; 32]), &Log::Register.origin(SITE));
    let other = other.unwrap();
    let mut journal = Journal::create(&forged.journal(), SITE).unwrap();
    for first in (0..12).step_by(2) {
        let pair = [first, first + 1].map(|n| {
            let mut changed = Entry::from_bytes(&entry(n)).unwrap();
            if n == 7 {
                changed.by = "another".to_owned();
            }
            (Log::Register, changed.to_bytes().unwrap())
        });
        journal.append(&other, &pair).unwrap();
    }
    tiles::publish(&forged.dir(), &journal, Log::Register, &other.vkey(), 0).unwrap();
    drop(journal);
    // The true signatures are at hand.
    forged.sql(&format!(
        "ATTACH '{}' AS good; DELETE FROM checkpoint; INSERT INTO checkpoint SELECT * FROM good.checkpoint",
        good.journal().display()
    ));
    fs::copy(good.dir().join("checkpoint"), forged.dir().join("checkpoint")).unwrap();
    let report = forged.of_dir();
    assert!(!report.ok && report.checkpoint_signed);
    // 6 and 7 were signed together.
    bad_at(&forged.of_state(), 6);
    // With the true files beside it, or the true journal, the entry itself is named.
    let key = verifier(Log::Register);
    bad_at(&verify_state(&good.dir(), &forged.journal(), Some(&key)), 7);
    bad_at(&verify_state(&forged.dir(), &good.journal(), Some(&key)), 7);
}

/// Entry and leaf tile changed together, under a tile of the second level that still tells.
#[test]
fn a_rewritten_pair_of_files_is_named_by_its_tile_and_by_the_journal_exactly() {
    let state = State::new(&[600]);
    let mut changed = Entry::from_bytes(&entry(300)).unwrap();
    changed.by = "another".to_owned();
    let changed = changed.to_bytes().unwrap();
    let leaf = merkle::leaf_hash(&changed);
    let entries = (256..512).map(|n| if n == 300 { changed.clone() } else { entry(n) });
    state.change("tile/entries/001", |bytes| *bytes = bundle(entries));
    state.change("tile/0/001", |bytes| {
        bytes[44 * 32..45 * 32].copy_from_slice(leaf.as_bytes());
    });
    bad_at(&state.of_dir(), 256);
    bad_at(&state.of_state(), 300);
}

/// Whatever happens to the database: no panic, and no good report over entries that are not the ones signed.
#[test]
fn a_damaged_database_is_never_good_and_never_a_panic() {
    let state = State::new(&[1, 2, 1]);
    let good = fs::read(state.journal()).unwrap();
    let copy = state.0.path().join("copy.db");
    let key = verifier(Log::Register);
    let read = |path: &Path| -> rusqlite::Result<Vec<(i64, Vec<u8>)>> {
        let base = Connection::open(path)?;
        let mut rows = base.prepare("SELECT seq, bytes FROM entry WHERE log = 0 ORDER BY seq")?;
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let whole = read(&state.journal()).unwrap();
    let mut found = 0;
    for at in (0..good.len()).step_by(29) {
        let mut bent = good.clone();
        bent[at] ^= 0x21;
        fs::write(&copy, bent).unwrap();
        let report = verify_state(&state.dir(), &copy, Some(&key));
        assert!(report.ok || !report.problems.is_empty());
        if !read(&copy).is_ok_and(|rows| rows == whole) {
            assert!(!report.ok, "byte {at}");
            found += 1;
        }
    }
    assert!(found > 0);
    for cut in (0..good.len()).step_by(1000) {
        fs::write(&copy, &good[..cut]).unwrap();
        assert!(!verify_state(&state.dir(), &copy, Some(&key)).ok, "cut at {cut}");
    }
    fs::write(&copy, b"not a database at all, and long enough to be looked at").unwrap();
    assert!(!verify_state(&state.dir(), &copy, Some(&key)).ok);
}

/// A checkpoint over more entries than any disk holds does not keep the auditor busy.
#[test]
fn an_absurd_size_ends_at_the_first_missing_entry() {
    let state = State::new(&[3]);
    let note = key().sign(&Checkpoint {
        origin: Log::Register.origin(SITE),
        size: u64::MAX,
        root: merkle::empty_root(),
    });
    fs::write(state.dir().join("checkpoint"), note).unwrap();
    bad_at(&state.of_dir(), 3);
    assert!(state.of_dir().problems.len() <= 101);
}

#[test]
fn an_entry_that_is_no_entry_is_found_though_it_was_signed() {
    let later = entry(9);
    let loose = [b" ", entry(0).as_slice()].concat();
    for bad in [b"{}".to_vec(), Vec::new(), loose, later] {
        let state = State::new(&[3]);
        let mut journal = Journal::open(&state.journal(), SITE).unwrap();
        journal.append(&key(), &[(Log::Register, bad), (Log::Register, entry(4))]).unwrap();
        drop(journal);
        state.publish();
        let report = state.of_dir();
        assert!(!report.ok);
        assert!(matches!(report.first_bad, Some(3 | 4)), "{:?}", report.problems);
    }
}

/// The agent's own start refuses what the verifier refuses.
#[test]
fn an_older_journal_behind_published_files_is_named() {
    let state = State::new(&[4]);
    let older = fs::read(state.journal()).unwrap();
    state.grow(3);
    state.publish();
    fs::write(state.journal(), older).unwrap();
    bad_at(&state.of_state(), 4);
    let journal = Journal::open(&state.journal(), SITE).unwrap();
    assert!(
        tiles::reconcile(&state.dir(), &journal, Log::Register, &verifier(Log::Register)).is_err()
    );
}
