//! The published files: whole, tampered with, missing.

use super::*;

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
    tiles::publish(&access, &journal, Log::Access, &key(), 0).unwrap();
    let report = verify_dir(&access, Some(&verifier(Log::Access)));
    assert!(report.ok, "{:#?}", report.problems);
    assert!(verify_dir(&access, None).ok);
    assert!(!verify_dir(&access, Some(&verifier(Log::Register))).ok);
    assert!(!verify_state(&access, &state.journal(), None).ok);
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
