//! The journal beside the published files: tampered with, damaged, ahead, cut off.

use super::*;

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

/// Pieces are read by several threads: what one alone shows is named in its place, and so is what only their joint shows.
#[test]
fn tampering_anywhere_in_a_journal_of_many_pieces_names_the_entry() {
    let bent = "CAST(replace(CAST(bytes AS TEXT), 'agent', 'aGent') AS BLOB)";
    let state = State::new(&[700, 1, 1, 598]);
    let good = fs::read(state.journal()).unwrap();
    assert!(state.of_state().ok, "{:#?}", state.of_state().problems);
    let of_entry = |seq: u64| {
        // What is left of the entries under a checkpoint when its tail is cut away is under none.
        let under = [702, 701, 700, 0].into_iter().find(|size| *size <= seq).unwrap();
        [
            (format!("UPDATE entry SET bytes = {bent} WHERE log = 0 AND seq = {seq}"), seq),
            (format!("DELETE FROM entry WHERE log = 0 AND seq = {seq}"), seq),
            (format!("DELETE FROM entry WHERE log = 0 AND seq >= {seq}"), under),
            (format!("DELETE FROM node WHERE log = 0 AND level = 0 AND idx = {seq}"), seq),
        ]
    };
    // The last entry under each node of the levels at and above a piece.
    let of_node = [(8, 0, 255), (8, 3, 1023), (9, 0, 511), (9, 1, 1023), (10, 0, 1023)].map(
        |(level, idx, seq)| {
            let place = format!("log = 0 AND level = {level} AND idx = {idx}");
            (format!("UPDATE node SET hash = zeroblob(32) WHERE {place}"), seq)
        },
    );
    let swap = "UPDATE entry SET seq = -2 WHERE log = 0 AND seq = 5;
                UPDATE entry SET seq = 5 WHERE log = 0 AND seq = 1100;
                UPDATE entry SET seq = 1100 WHERE seq = -2";
    let all = [0, 255, 256, 511, 700, 1024, 1298].into_iter().flat_map(of_entry);
    for (sql, seq) in all.chain(of_node).chain([(swap.to_owned(), 5)]) {
        state.sql(&sql);
        let report = state.of_state();
        assert_eq!(
            (report.ok, report.first_bad),
            (false, Some(seq)),
            "{sql}: {:?}",
            report.problems
        );
        fs::write(state.journal(), &good).unwrap();
    }
    for size in [700, 701, 702, 1300] {
        for sql in [
            format!(
                "UPDATE checkpoint SET note = replace(note, 'test', 'tost') WHERE log = 0 AND size = {size}"
            ),
            format!("UPDATE checkpoint SET note = note || 'x' WHERE log = 0 AND size = {size}"),
        ] {
            state.sql(&sql);
            assert!(!state.of_state().ok, "{sql}");
            fs::write(state.journal(), &good).unwrap();
        }
    }
    // Without the files beside it the journal says the same of itself.
    fs::remove_file(state.dir().join("checkpoint")).unwrap();
    state.sql(&format!("UPDATE entry SET bytes = {bent} WHERE log = 0 AND seq = 900"));
    bad_at(&state.of_state(), 900);
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
    tiles::publish(&forged.dir(), &journal, Log::Register, &other, 0).unwrap();
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

/// A stop in the middle of a commit, and an auditor who comes before the next start.
#[test]
fn a_commit_that_was_cut_off_is_no_tampering() {
    let state = State::new(&[5]);
    let base = Connection::open(state.journal()).unwrap();
    base.execute_batch(
        "PRAGMA journal_mode = TRUNCATE; BEGIN IMMEDIATE; INSERT INTO entry VALUES (0, 5, x'7b7d')",
    )
    .unwrap();
    let stopped = state.0.path().join("stopped?#%41.db");
    let side = state.0.path().join("stopped?#%41.db-journal");
    fs::copy(state.journal(), &stopped).unwrap();
    fs::copy(state.0.path().join("journal.db-journal"), &side).unwrap();
    let verify = || verify_state(&state.dir(), &stopped, Some(&verifier(Log::Register)));
    let report = verify();
    assert!(report.ok, "{:#?}", report.problems);
    // With a synced header (SQLite file format, section 3) pages may have been written: what counts is settled by
    // the agent's next start, and it is said so.
    let mut header = fs::read(&side).unwrap();
    header[..12].copy_from_slice(&[0xd9, 0xd5, 5, 0xf9, 0x20, 0xa1, 0x63, 0xd7, 0, 0, 0, 1]);
    fs::write(&side, &header).unwrap();
    let report = verify();
    assert!(!report.ok && report.first_bad.is_none());
    assert!(report.problems[0].contains("start it once"), "{:?}", report.problems);
    // Nothing was written by looking.
    assert_eq!(fs::read(&side).unwrap(), header);
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
