//! Trouble with what is to be destroyed: files that resist, disks that fail, things swapped under us. Each ends in a
//! code that says what to mend, nothing is recorded as destroyed that is not, and the same order goes on afterwards.

use serde_json::Value;

use super::*;

/// A small batch that is due, and an order over all its copies that waits for its approval.
fn requested(site: &Site<'_>) -> (String, String) {
    site.once();
    let batch = site.row(DELIVERY)["id"].as_str().unwrap().to_owned();
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    let words = ["destroy", "request", &batch, "--reason", "使用完竣"];
    (batch.clone(), site.run_as("alice", &words).ok().id('o'))
}

/// The one file below a folder of the state.
#[track_caller]
fn only(site: &Site<'_>, folder: &str) -> PathBuf {
    let mut files = site.files(folder);
    assert_eq!(files.len(), 1, "{files:?}");
    site.dir.join(folder).join(files.remove(0))
}

/// The state of the copy of this kind, and how its last wipe failed.
#[track_caller]
fn copy(site: &Site<'_>, batch: &str, kind: &str) -> (String, Value) {
    let page = site.show(batch);
    let copies = page["copies"].as_array().unwrap();
    let one = copies.iter().find(|copy| copy["kind"] == kind).unwrap();
    (one["state"].as_str().unwrap().to_owned(), one["trouble"]["code"].clone())
}

fn alarms(site: &Site<'_>) -> Vec<String> {
    let told = site.run(&["status", "--json"]).json();
    let codes = told["alarms"].as_array().unwrap().iter();
    codes.map(|alarm| alarm["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_proof_outlives_the_failure_that_follows_it() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let (batch, order) = requested(&site);
    let vault = only(&site, "state/vault");
    // The process dies when the file is gone, proven, and nothing is recorded of it.
    let key = site.people.key("sue");
    let mut write = 1;
    while vault.exists() {
        let crash = format!("{write}:after");
        let global = ["--as", "sue", "--sign-with", key.to_str().unwrap(), "--test-crash", &crash];
        let words = ["destroy", "approve", &order];
        let ran = site.run_with(&words, &global, b"");
        if ran.status.is_some() {
            // It was approved before it died: the agent goes on.
            let ran = site.run_with(&["run", "--once"], &["--test-crash", &crash], b"");
            assert!(ran.status.is_none(), "{}", ran.stderr);
        }
        write += 1;
        assert!(write < 200);
    }
    // The next try fails, and that is recorded.
    let (folder, aside) = (site.dir.join("state/vault"), site.dir.join("vault-aside"));
    fs::rename(&folder, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &folder).unwrap();
    for _ in 0..2 {
        site.run(&["run", "--once"]);
        assert_ne!(copy(&site, &batch, "vault").0, "destroyed");
    }
    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    site.run_as("alice", &["batch", "retry", &batch]);
    site.once();
    assert_eq!(copy(&site, &batch, "vault").0, "destroyed");
    assert_eq!(site.show(&batch)["state"], "closed");
    site.run(&["certificate", "show", &order]).ok();
    site.verify();
}

#[test]
fn what_a_wipe_left_in_a_keybox_is_ended_by_the_next_look_and_told_until_then() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    site.once();
    let left = site.dir.join("keys/moca-full/.wiped-0123456789abcdef");
    fs::write(&left, b"synthetic remains of a key").unwrap();
    let chattr = |flag: &str| {
        let done = Command::new("chattr").arg(flag).arg(&left).output();
        done.is_ok_and(|output| output.status.success())
    };
    if chattr("+i") {
        let ran = site.run(&["run", "--once"]);
        let told = alarms(&site);
        assert!(chattr("-i"));
        assert!(told.contains(&"inbox-unreadable".to_owned()), "{told:?} {ran:?}");
        assert!(left.exists());
    } else {
        let _ = writeln!(std::io::stderr(), "skipped: an immutable file");
    }
    site.once();
    assert!(!left.exists(), "the next look ends it");
    assert!(!alarms(&site).contains(&"inbox-unreadable".to_owned()));
}
