//! The journal: what it commits, what it refuses, full disks, damage. All entries are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use tempfile::TempDir;

use super::*;
use crate::{
    adapters::small_disk::SmallDisk,
    domain::{checkpoint::VerifierKey, secret::Secret},
};

const SITE: &str = "test";

fn key() -> RegisterKey {
    RegisterKey::from_secret(&Secret::new(vec![7; 32]), &Log::Register.origin(SITE)).unwrap()
}

fn entry(n: u64) -> Vec<u8> {
    format!("{{\"synthetic\":{n}}}").into_bytes()
}

fn register(from: u64, to: u64) -> Vec<(Log, Vec<u8>)> {
    (from..to).map(|n| (Log::Register, entry(n))).collect()
}

fn journal() -> (TempDir, PathBuf, Journal) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let journal = Journal::create(&path, SITE).unwrap();
    (dir, path, journal)
}

fn read(journal: &Journal, log: Log, from: u64) -> Result<Vec<(u64, Vec<u8>)>, JournalError> {
    let mut found = Vec::new();
    journal.for_each::<JournalError>(log, from, &mut |seq, bytes| {
        found.push((seq, bytes.to_vec()));
        Ok(())
    })?;
    Ok(found)
}

#[test]
fn both_logs_grow_in_one_commit_and_each_has_its_own_checkpoint() {
    let (_dir, path, mut journal) = journal();
    let new = [(Log::Register, entry(0)), (Log::Access, entry(1)), (Log::Register, entry(2))];
    assert_eq!(journal.append(&key(), &new).unwrap(), [0, 0, 1]);
    drop(journal);
    let journal = Journal::open(&path, SITE).unwrap();
    for (log, size) in [(Log::Register, 2), (Log::Access, 1)] {
        let verifier = VerifierKey::parse(&key().vkey_of(&journal.origin(log))).unwrap();
        let head = verifier.open(&journal.checkpoint(log).unwrap().unwrap()).unwrap();
        assert_eq!((head.size, head.root), (size, journal.root_at(log, size).unwrap()));
        assert_eq!(head.origin, log.origin(SITE));
    }
    assert_eq!(read(&journal, Log::Register, 1).unwrap(), [(1, entry(2))]);
}

#[test]
fn making_it_twice_is_done_and_opening_what_is_not_there_is_an_error() {
    let (dir, path, mut journal) = journal();
    journal.append(&key(), &register(0, 3)).unwrap();
    drop(journal);
    assert_eq!(Journal::create(&path, SITE).unwrap().size(Log::Register).unwrap(), 3);
    assert!(Journal::open(&dir.path().join("none.db"), SITE).is_err());
    assert!(!dir.path().join("none.db").exists());
}

#[test]
fn every_signed_checkpoint_is_kept_and_proves_what_it_covers() {
    let (_dir, _path, mut journal) = journal();
    let verifier = VerifierKey::parse(&key().vkey()).unwrap();
    for n in 0..40 {
        journal.append(&key(), &register(n, n + 1)).unwrap();
    }
    for size in 1..=40 {
        let note = journal.note_at(Log::Register, size, &key()).unwrap();
        let head = verifier.open(&note).unwrap();
        // Signed again, it has the same bytes.
        assert_eq!(key().sign(&head), note);
        for seq in 0..size {
            let proof = journal.inclusion(Log::Register, seq, size).unwrap();
            let leaf = merkle::leaf_hash(&entry(seq));
            assert!(merkle::verify_inclusion(leaf, seq, size, &proof, head.root));
        }
    }
    assert!(journal.inclusion(Log::Register, 40, 40).is_err());
    assert!(journal.inclusion(Log::Register, 0, 41).is_err());
    assert!(journal.entry(Log::Register, 40).is_err());
}

#[test]
fn an_entry_that_is_too_long_is_refused_with_all_that_came_with_it() {
    let (_dir, _path, mut journal) = journal();
    let longest = vec![b'x'; limits::ENTRY_BYTES_MAX];
    journal.append(&key(), &[(Log::Register, longest.clone())]).unwrap();
    let mut new = register(0, 2);
    new.push((Log::Access, [longest.as_slice(), b"x"].concat()));
    assert!(matches!(journal.append(&key(), &new), Err(JournalError::TooLong(65_536))));
    assert_eq!(journal.size(Log::Register).unwrap(), 1);
    assert_eq!(journal.size(Log::Access).unwrap(), 0);
    journal.append(&key(), &register(0, 1)).unwrap();
}

#[test]
fn nothing_to_append_changes_nothing() {
    let (_dir, _path, mut journal) = journal();
    assert!(journal.append(&key(), &[]).unwrap().is_empty());
    assert_eq!(journal.checkpoint(Log::Register).unwrap(), None);
}

#[test]
fn a_commit_is_durable_without_a_folder_being_synced() {
    let (_dir, _path, journal) = journal();
    let ask = |pragma: &str| -> String {
        journal
            .connection
            .query_row(&format!("PRAGMA {pragma}"), [], |row| {
                row.get_ref(0).map(|v| match v {
                    rusqlite::types::ValueRef::Integer(n) => n.to_string(),
                    other => other.as_str().unwrap().to_owned(),
                })
            })
            .unwrap()
    };
    // 2 is FULL.
    assert_eq!((ask("journal_mode").as_str(), ask("synchronous").as_str()), ("truncate", "2"));
}

#[test]
fn a_full_disk_leaves_nothing_half_and_the_journal_goes_on_afterwards() {
    let disk = SmallDisk::mount(512);
    let path = disk.path().join("journal.db");
    let mut journal = Journal::create(&path, SITE).unwrap();
    journal.append(&key(), &register(0, 3)).unwrap();
    let note = journal.checkpoint(Log::Register).unwrap();
    // Over the room that is left: with some room, and with none at all.
    for filled in [false, true] {
        if filled {
            disk.fill();
        }
        let big: Vec<_> = (0..20).map(|_| (Log::Register, vec![b'x'; 60_000])).collect();
        let error = journal.append(&key(), &big).unwrap_err();
        assert!(matches!(error, JournalError::Full { .. }), "{error}");
        assert!(error.to_string().contains("journal.db"), "{error}");
        assert_eq!(journal.size(Log::Register).unwrap(), 3);
        assert_eq!(journal.checkpoint(Log::Register).unwrap(), note);
        assert_eq!(read(&journal, Log::Register, 0).unwrap().len(), 3);
    }
    // With nothing left even one entry is refused, and so it is by a journal that is opened now.
    assert!(matches!(journal.append(&key(), &register(3, 4)), Err(JournalError::Full { .. })));
    disk.free();
    assert_eq!(journal.append(&key(), &register(3, 4)).unwrap(), [3]);
    drop(journal);
    let journal = Journal::open(&path, SITE).unwrap();
    assert_eq!(read(&journal, Log::Register, 0).unwrap().len(), 4);
}

/// What no disk offers on demand: a limit in the database itself.
#[test]
fn a_database_that_may_not_grow_is_full() {
    let (_dir, _path, mut journal) = journal();
    journal.append(&key(), &register(0, 3)).unwrap();
    let pages: i64 =
        journal.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let limit = |pages: i64| format!("PRAGMA max_page_count = {pages}");
    journal.connection.query_row(&limit(pages), [], |_| Ok(())).unwrap();
    let big = [(Log::Access, vec![b'x'; 60_000])];
    assert!(matches!(journal.append(&key(), &big), Err(JournalError::Full { .. })));
    journal.connection.query_row(&limit(1 << 30), [], |_| Ok(())).unwrap();
    assert_eq!(journal.append(&key(), &big).unwrap(), [0]);
    assert_eq!(journal.size(Log::Register).unwrap(), 3);
}

#[test]
fn after_an_error_of_unknown_outcome_nothing_more_is_written() {
    let (_dir, path, mut journal) = journal();
    journal.append(&key(), &register(0, 3)).unwrap();
    journal.connection.execute_batch("ALTER TABLE node RENAME TO gone").unwrap();
    journal.connection.execute_batch("CREATE VIEW node AS SELECT * FROM gone").unwrap();
    assert!(matches!(journal.append(&key(), &register(3, 4)), Err(JournalError::Sqlite { .. })));
    journal.connection.execute_batch("DROP VIEW node; ALTER TABLE gone RENAME TO node").unwrap();
    let refused = journal.append(&key(), &register(3, 4)).unwrap_err();
    assert!(matches!(refused, JournalError::Uncertain { .. }), "{refused}");
    drop(journal);
    let mut journal = Journal::open(&path, SITE).unwrap();
    assert_eq!(journal.append(&key(), &register(3, 4)).unwrap(), [3]);
}

#[test]
fn a_second_writer_waits_and_is_told() {
    let (_dir, path, mut journal) = journal();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    journal.connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    assert!(matches!(journal.append(&key(), &register(0, 1)), Err(JournalError::Busy { .. })));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(journal.append(&key(), &register(0, 1)).unwrap(), [0]);
}

#[test]
fn damage_is_found_when_the_log_is_read_from_its_beginning() {
    let tamper = [
        ("UPDATE entry SET bytes = x'7b7d' WHERE log = 0 AND seq = 4", Some(4)),
        ("DELETE FROM entry WHERE log = 0 AND seq = 4", Some(4)),
        (
            "UPDATE entry SET seq = CASE seq WHEN 4 THEN -1 ELSE 4 END WHERE log = 0 AND seq IN (4, 6);
             UPDATE entry SET seq = 6 WHERE seq = -1",
            Some(4),
        ),
        ("UPDATE node SET hash = zeroblob(32) WHERE log = 0 AND level = 0 AND idx = 4", Some(4)),
        // Entry and leaf changed together: only the root tells.
        ("UPDATE node SET hash = zeroblob(32) WHERE log = 0 AND level = 3", Some(0)),
        ("DELETE FROM node WHERE log = 0 AND level = 0 AND idx = 4", Some(4)),
        ("UPDATE entry SET bytes = x'7b7d' WHERE log = 1", None),
    ];
    for (sql, at) in tamper {
        let (_dir, path, mut journal) = journal();
        journal.append(&key(), &register(0, 10)).unwrap();
        journal.append(&key(), &[(Log::Access, entry(0))]).unwrap();
        drop(journal);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let journal = Journal::open(&path, SITE).unwrap();
        match (read(&journal, Log::Register, 0), at) {
            (Ok(all), None) => assert_eq!(all.len(), 10),
            (Err(JournalError::Damaged { at, .. }), Some(expected)) => {
                assert_eq!(at, expected, "{sql}");
            }
            (other, _) => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn a_tail_that_no_checkpoint_covers_is_not_opened_and_neither_is_a_cut() {
    for (sql, expected) in [
        ("DELETE FROM checkpoint WHERE log = 0 AND size = 10", 8),
        ("DELETE FROM entry WHERE log = 0 AND seq >= 9", 9),
        ("INSERT INTO entry VALUES (0, 10, x'7b7d')", 10),
    ] {
        let (_dir, path, mut journal) = journal();
        journal.append(&key(), &register(0, 8)).unwrap();
        journal.append(&key(), &register(8, 10)).unwrap();
        drop(journal);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        match Journal::open(&path, SITE) {
            Err(JournalError::Damaged { at, .. }) => assert_eq!(at, expected, "{sql}"),
            other => panic!("{sql}: {:?}", other.err()),
        }
    }
}

/// An entry and its leaf that were changed together, behind the place from which somebody reads on.
#[test]
fn damage_is_found_by_the_root_also_where_the_log_is_read_from_its_middle() {
    let (_dir, path, mut journal) = journal();
    journal.append(&key(), &register(0, 10)).unwrap();
    drop(journal);
    let other = Connection::open(&path).unwrap();
    let leaf = merkle::leaf_hash(b"{}");
    other.execute("UPDATE entry SET bytes = x'7b7d' WHERE log = 0 AND seq = 8", []).unwrap();
    let at = "UPDATE node SET hash = ?1 WHERE log = 0 AND level = 0 AND idx = 8";
    other.execute(at, [leaf.as_bytes()]).unwrap();
    drop(other);
    let journal = Journal::open(&path, SITE).unwrap();
    assert!(matches!(read(&journal, Log::Register, 4), Err(JournalError::Damaged { .. })));
    let apart = journal.for_each_apart::<_, JournalError>(
        Log::Register,
        4,
        &|bytes: &[u8]| bytes.len(),
        &mut |_, _, _| Ok(()),
    );
    assert!(matches!(apart, Err(JournalError::Damaged { .. })), "{apart:?}");
}
