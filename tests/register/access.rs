//! The access log against what the register says of it: written anew with the agent's own key, cut off, changed, missing.

use super::*;
use batchward::verify::{self, Brought};

fn looked_up(n: u64, link: &str) -> Vec<u8> {
    let sealed = AccessEntry {
        v: 1,
        at: Timestamp::from_millis(n.cast_signed()),
        link: link.to_owned(),
        month: "1970-01".to_owned(),
        sealed: "AAAA".to_owned(),
    };
    entry::canonical(&sealed).unwrap()
}

/// A state whose access log grew by these steps; the register tells of it after each.
fn told(steps: &[u64]) -> State {
    let state = State(tempfile::tempdir().unwrap());
    Journal::create(&state.journal(), SITE).unwrap();
    for (n, step) in (0..).zip(steps) {
        look_up(&state, *step, "synthetic");
        let mut journal = Journal::open(&state.journal(), SITE).unwrap();
        let size = journal.size(Log::Access).unwrap();
        let root = journal.root_at(Log::Access, size).unwrap();
        let body = Body::AccessCheckpoint { size, root };
        let at = Timestamp::from_millis(1_800_000_000_000 + n);
        let entry = Entry { v: 1, at, by: entry::AGENT.to_owned(), deputy: None, uid: None, body };
        journal.append(&key(), &[(Log::Register, entry.to_bytes().unwrap())]).unwrap();
    }
    state.publish();
    publish(&state);
    state
}

fn look_up(state: &State, entries: u64, link: &str) {
    let mut journal = Journal::open(&state.journal(), SITE).unwrap();
    let size = journal.size(Log::Access).unwrap();
    let new: Vec<_> = (size..size + entries).map(|n| (Log::Access, looked_up(n, link))).collect();
    journal.append(&key(), &new).unwrap();
}

fn folder(state: &State) -> PathBuf {
    state.0.path().join("access")
}

fn publish(state: &State) {
    let journal = Journal::open(&state.journal(), SITE).unwrap();
    tiles::publish(&folder(state), &journal, Log::Access, &key(), 0).unwrap();
}

/// The register, held against an access log: a copy, or with the journal beside it.
fn held_against(state: &State, access: &Path, live: bool) -> Report {
    let brought = Brought {
        key: Some(verifier(Log::Register)),
        access: Some(access.to_owned()),
        ..Brought::default()
    };
    let journal = state.journal();
    verify::verify(&state.dir(), live.then_some(journal.as_path()), &brought)
}

#[track_caller]
fn found(report: &Report, how: &str) {
    assert!(!report.ok && report.first_bad.is_none(), "{report:#?}");
    assert!(report.problems.iter().any(|problem| problem.contains(how)), "{report:#?}");
}

#[test]
fn an_access_log_that_only_grew_fits_what_the_register_says_and_it_is_said() {
    let state = told(&[3, 300, 1]);
    look_up(&state, 5, "synthetic");
    for live in [true, false] {
        let report = held_against(&state, &folder(&state), live);
        assert!(report.ok, "{:#?}", report.problems);
        assert!(report.notes.iter().any(|note| {
            note == "the access log has 304 entries; checkpoints of it in the register: 3"
        }));
    }
    // Files behind the journal, as a stop leaves them, and none at all while nothing was looked up.
    let early = told(&[3]);
    look_up(&early, 300, "synthetic");
    let mut journal = Journal::open(&early.journal(), SITE).unwrap();
    let root = journal.root_at(Log::Access, 303).unwrap();
    let body = Body::AccessCheckpoint { size: 303, root };
    let at = Timestamp::from_millis(1_900_000_000_000);
    let entry = Entry { v: 1, at, by: entry::AGENT.to_owned(), deputy: None, uid: None, body };
    journal.append(&key(), &[(Log::Register, entry.to_bytes().unwrap())]).unwrap();
    drop(journal);
    early.publish();
    assert!(held_against(&early, &folder(&early), true).ok);
    found(&held_against(&early, &folder(&early), false), "its end was cut off");
    fs::remove_dir_all(folder(&early)).unwrap();
    found(&held_against(&early, &folder(&early), true), "cannot be read");
    let none = State(tempfile::tempdir().unwrap());
    let mut journal = Journal::create(&none.journal(), SITE).unwrap();
    journal.append(&key(), &[(Log::Register, quiet())]).unwrap();
    none.publish();
    let report = held_against(&none, &folder(&none), true);
    assert!(report.ok && report.notes.is_empty(), "{report:#?}");
}

/// An entry that says nothing of the access log.
fn quiet() -> Vec<u8> {
    let body = Body::BatchClosed { batch: batchward::domain::ids::BatchId::new(1) };
    let at = Timestamp::from_millis(0);
    Entry { v: 1, at, by: entry::AGENT.to_owned(), deputy: None, uid: None, body }
        .to_bytes()
        .unwrap()
}

#[test]
fn an_access_log_written_anew_with_the_agents_own_key_is_found_by_the_register_and_not_without() {
    let state = told(&[3, 300]);
    let other = told(&[2, 301]);
    for kept in [&state, &other] {
        assert!(verify_dir(&folder(kept), Some(&verifier(Log::Access))).ok);
    }
    // The same entries in the same number, signed at other sizes: nothing is wrong with them.
    assert!(held_against(&state, &folder(&other), false).ok);
    let forged = State(tempfile::tempdir().unwrap());
    Journal::create(&forged.journal(), SITE).unwrap();
    look_up(&forged, 3, "synthetic");
    look_up(&forged, 300, "another");
    publish(&forged);
    assert!(verify_dir(&folder(&forged), Some(&verifier(Log::Access))).ok);
    found(&held_against(&state, &folder(&forged), false), "tells of 303 other entries");
    // Also in the journal, behind files that are as they were.
    state.sql(&format!(
        "ATTACH '{}' AS other; DELETE FROM entry WHERE log = 1; DELETE FROM node WHERE log = 1;
         DELETE FROM checkpoint WHERE log = 1; INSERT INTO entry SELECT * FROM other.entry;
         INSERT INTO node SELECT * FROM other.node; INSERT INTO checkpoint SELECT * FROM other.checkpoint",
        forged.journal().display()
    ));
    assert!(state.of_state().ok, "the register alone does not tell");
    found(&held_against(&state, &folder(&state), true), "the access log: ");
}

#[test]
fn an_access_log_cut_off_changed_or_missing_is_found() {
    let state = told(&[3, 300]);
    let short = told(&[3]);
    found(&held_against(&state, &folder(&short), false), "its end was cut off");
    let bundle = folder(&state).join("tile/entries/000");
    let good = fs::read(&bundle).unwrap();
    let mut bent = good.clone();
    bent[10] ^= 1;
    fs::write(&bundle, bent).unwrap();
    for live in [true, false] {
        found(&held_against(&state, &folder(&state), live), "the access log: entry 0");
    }
    fs::write(&bundle, good).unwrap();
    state.sql("DELETE FROM entry WHERE log = 1 AND seq = 7");
    found(&held_against(&state, &folder(&state), true), "entry 7 is missing from the journal");
    assert!(held_against(&state, &folder(&state), false).ok);
    found(&held_against(&state, &state.0.path().join("none"), false), "cannot be read");
    // The register's own folder is no access log.
    found(&held_against(&state, &state.dir(), false), "the access log: ");
}
