//! What a register cannot tell of itself: an older one put back, its end cut off at a checkpoint, a fork, a rewrite of
//! all of it with the agent's own key. Each is whole and signed, so that verification alone finds nothing; a checkpoint
//! that was kept elsewhere finds it. And the window in which the agent has signed and not yet told.

use super::*;
use batchward::verify::{self, Brought};

/// The state's folder, with nothing else and with these checkpoints from elsewhere.
fn both(state: &State, kept: &str) -> (Report, Report) {
    let key = Some(verifier(Log::Register));
    let alone = Brought { key: key.clone(), ..Brought::default() };
    let brought =
        Brought { key, kept: vec![("kept".to_owned(), kept.to_owned())], ..Brought::default() };
    let journal = state.journal();
    for journal in [None, Some(journal.as_path())] {
        let alone = verify::verify(&state.dir(), journal, &alone);
        let with = verify::verify(&state.dir(), journal, &brought);
        if journal.is_some() {
            return (alone, with);
        }
        assert_eq!((alone.ok, with.ok), (true, false), "{:#?}", with.problems);
    }
    unreachable!()
}

#[track_caller]
fn found_only_with_a_kept_checkpoint(state: &State, kept: &str, how: &str) {
    let (alone, with) = both(state, kept);
    assert!(alone.ok, "{:#?}", alone.problems);
    assert!(!with.ok && with.problems.iter().any(|p| p.contains(how)), "{:#?}", with.problems);
}

fn note(state: &State) -> String {
    fs::read_to_string(state.dir().join("checkpoint")).unwrap()
}

/// A register of the same site and key with other entries from `from` on.
fn rewritten(from: u64, size: u64) -> State {
    let state = State(tempfile::tempdir().unwrap());
    let mut journal = Journal::create(&state.journal(), SITE).unwrap();
    for n in 0..size {
        let mut changed = Entry::from_bytes(&entry(n)).unwrap();
        if n >= from {
            changed.by = "another".to_owned();
        }
        journal.append(&key(), &[(Log::Register, changed.to_bytes().unwrap())]).unwrap();
    }
    drop(journal);
    state.publish();
    state
}

#[test]
fn an_older_state_put_back_is_found_with_a_kept_checkpoint_and_not_without() {
    let later = State::new(&[3, 300]);
    let older = State::new(&[3, 250]);
    found_only_with_a_kept_checkpoint(&older, &note(&later), "an older state was put back");
}

#[test]
fn a_cut_at_a_checkpoint_is_found_with_a_kept_checkpoint_and_not_without() {
    let state = State::new(&[4, 4, 4]);
    let kept = note(&state);
    state.sql("DELETE FROM entry WHERE seq >= 8; DELETE FROM checkpoint WHERE size > 8");
    state.sql("DELETE FROM node WHERE (idx + 1) * (1 << level) > 8");
    fs::remove_dir_all(state.dir()).unwrap();
    state.publish();
    found_only_with_a_kept_checkpoint(&state, &kept, "the end cut off");
}

#[test]
fn a_fork_is_found_with_a_kept_checkpoint_and_not_without() {
    let kept = note(&State::new(&[5, 4]));
    found_only_with_a_kept_checkpoint(&rewritten(5, 12), &kept, "this is another history");
}

#[test]
fn a_rewrite_with_the_agents_own_key_is_found_with_a_kept_checkpoint_and_not_without() {
    let kept = note(&State::new(&[9]));
    found_only_with_a_kept_checkpoint(&rewritten(0, 9), &kept, "this is another history");
}

#[test]
fn kept_checkpoints_of_every_size_hold_for_a_register_that_only_grew() {
    let state = State::new(&[1, 2, 250, 4]);
    let mut brought = Brought {
        key: Some(verifier(Log::Register)),
        kept: vec![("now".to_owned(), note(&state))],
        ..Brought::default()
    };
    let journal = Journal::open(&state.journal(), SITE).unwrap();
    for size in [1, 3, 253, 200] {
        let note = journal.note_at(Log::Register, size, &key()).unwrap();
        brought.kept.push((size.to_string(), note));
    }
    let report = verify::verify(&state.dir(), None, &brought);
    assert!(report.ok && report.notes.len() == 5, "{report:#?}");
    brought.kept[1].1 = brought.kept[1].1.replace("\n1\n", "\n2\n");
    assert!(!verify::verify(&state.dir(), None, &brought).ok);
}

/// A stop between `checkpoint.sig` and `checkpoint`.
#[test]
fn a_signature_that_is_ahead_of_its_checkpoint_is_told_and_is_good() {
    for (first, more) in [(3, 2), (250, 20), (500, 300)] {
        let state = State::new(&[first]);
        let early = note(&state);
        state.grow(more);
        state.publish();
        fs::write(state.dir().join("checkpoint"), &early).unwrap();
        let report = state.of_dir();
        assert!(report.ok, "{:#?}", report.problems);
        assert!(report.notes.iter().any(|note| note.contains("about to publish")), "{first}");
        // Of a register that is not here it is no such thing.
        let other = rewritten(0, first + more);
        fs::copy(other.dir().join("checkpoint.sig"), state.dir().join("checkpoint.sig")).unwrap();
        assert!(!state.of_dir().ok);
    }
}

/// Proofs from a copied folder, at sizes on both sides of a tile; bent ones and another log's are refused.
#[test]
fn proofs_from_a_folder_hold_and_bent_ones_do_not() {
    for size in [1, 255, 256, 257, 600] {
        let state = State::new(&[size]);
        for index in [0, size / 2, size - 1] {
            let proof = verify::inclusion(&state.dir(), index).unwrap();
            let text = proof.to_text();
            let report = verify::verify_proof(&text, &verifier(Log::Register), &[], &[]);
            assert!(report.ok, "{:#?}", report.problems);
            let proved = report.proved.unwrap();
            assert_eq!(proved.index, index);
            assert_eq!(entry::canonical(&proved.entry).unwrap(), entry(index));
            assert!(!verify::verify_proof(&text, &verifier(Log::Access), &[], &[]).ok);
            for (n, _) in text.lines().enumerate() {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                let line = lines[n].pop();
                lines[n].push(if line == Some('B') { 'C' } else { 'B' });
                let bent = lines.join("\n") + "\n";
                assert!(
                    !verify::verify_proof(&bent, &verifier(Log::Register), &[], &[]).ok,
                    "{bent}"
                );
            }
        }
        let old = size.div_ceil(3);
        let growth = verify::growth(&state.dir(), old).unwrap().to_text();
        let kept = State::new(&[old]);
        let kept = [("kept".to_owned(), note(&kept))];
        let good = verify::verify_proof(&growth, &verifier(Log::Register), &kept, &[]);
        assert!(good.ok, "{:#?}", good.problems);
        assert!(!verify::verify_proof(&growth, &verifier(Log::Register), &[], &[]).ok);
        let forked = [("kept".to_owned(), note(&rewritten(0, old)))];
        assert!(!verify::verify_proof(&growth, &verifier(Log::Register), &forked, &[]).ok);
        assert!(verify::inclusion(&state.dir(), size).is_err());
        assert!(verify::growth(&state.dir(), size + 1).is_err());
    }
}

#[test]
fn a_damaged_folder_gives_no_proof() {
    let state = State::new(&[300]);
    for name in ["checkpoint", "vkey", "tile/0/000", "tile/1/000.p/1", "tile/0/001.p/44"] {
        let path = state.dir().join(name);
        let good = fs::read(&path).unwrap();
        let mut bent = good.clone();
        bent[20] ^= 1;
        for bytes in [bent, Vec::new()] {
            fs::write(&path, bytes).unwrap();
            let made = (0..300).filter_map(|n| verify::inclusion(&state.dir(), n).ok());
            for proof in made {
                let report =
                    verify::verify_proof(&proof.to_text(), &verifier(Log::Register), &[], &[]);
                assert!(report.ok, "{name}: {:?}", report.problems);
            }
        }
        fs::write(&path, good).unwrap();
    }
}
