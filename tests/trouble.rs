//! Trouble of the machine and of people: clocks, disks, a second agent, broken and open files. Each ends in a clear
//! message with the path and the fix; nothing is lost, and nothing is half visible.
//!
//! The deliveries are the samples' synthetic ones; the keys are throw-away keys.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

#[path = "trouble/clock.rs"]
mod clock;
#[path = "trouble/disk.rs"]
mod disk;
#[path = "trouble/reach.rs"]
mod reach;
#[path = "trouble/state.rs"]
mod state;
#[path = "trouble/wipes.rs"]
mod wipes;

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use support::{People, Site};

const UNIT: &str = "幼兒托育科";
const DELIVERY: &str = "moca-1151102-0006";
const DAY: i64 = 24 * 60;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_clock_that_steps_back_writes_nothing() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let size = site.verify()["size"].clone();
    site.wait_minutes(-60);
    let ran = site.run(&["run", "--once"]).exits(75);
    assert!(
        ran.stderr.contains("the clock is") && ran.stderr.contains("hint: set the clock"),
        "{}",
        ran.stderr
    );
    assert_eq!(site.verify()["size"], size);
    site.wait_minutes(120);
    site.once();
    assert_eq!(site.row(DELIVERY)["state"], "loaded");
}

#[test]
fn after_a_leap_of_the_clock_nothing_irreversible_runs_until_a_person_confirms_the_time() {
    let people = People::new();
    let site = Site::founded(&people, &["checksum-mismatch"], UNIT);
    site.once();
    site.run_as("alice", &["batch", "reject", "b-00000001", "--reason", "退件"]).ok();
    let request = ["destroy", "request", "b-00000001", "--reason", "退件"];
    let order = site.run_as("alice", &request).ok().id('o');
    // Longer than what is believed here, shorter than the month in which a request stands.
    let path = site.dir.join("agent.yaml");
    let agent = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{agent}start_gap_max: 1d\n")).unwrap();
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    site.wait_minutes(2 * DAY);
    let approved = site.run_as("sue", &["destroy", "approve", &order]).ok();
    assert!(approved.stderr.contains("the clock is in doubt"), "{}", approved.stderr);
    assert!(!site.files("state/spool").is_empty(), "nothing was wiped");
    site.once();
    assert_eq!(site.show("b-00000001")["state"], "condemned");
    site.run_as("henry", &["clock", "confirm"]).exits(77);
    site.run_as("alice", &["clock", "confirm"]).ok();
    assert_eq!(site.show("b-00000001")["state"], "closed");
    assert!(site.files("state/spool").is_empty());
    site.verify();
}

#[test]
fn a_second_agent_on_the_state_is_refused_at_once() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let lock = File::open(site.dir.join("state/lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let ran = site.run(&["run", "--once"]).exits(69);
    assert!(
        ran.stderr.contains("another agent holds") && ran.stderr.contains("hint:"),
        "{}",
        ran.stderr
    );
    drop(lock);
    site.once();
}

#[test]
fn without_a_state_folder_every_command_says_init_and_none_makes_a_new_site() {
    let people = People::new();
    let site = Site::laid_out(&people, &["small-20"]);
    for words in [
        &["run", "--once"][..],
        &["batch", "list"],
        &["status"],
        &["register", "verify"],
        &["register", "show"],
    ] {
        let ran = site.run(words).exits(78);
        assert!(ran.stderr.contains("init"), "{words:?}: {}", ran.stderr);
    }
    assert!(!site.dir.join("state").exists());
    assert_eq!(site.files("drop").len(), 3, "the delivery lies as it lay");
}

#[test]
fn a_second_init_changes_nothing() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let before = site.verify();
    site.init();
    assert_eq!(site.verify()["root"], before["root"]);
}

#[test]
fn a_lost_or_foreign_root_key_is_named_and_never_replaced() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let path = site.dir.join("root.key");
    let kept = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let ran = site.run(&["run", "--once"]).exits(78);
    assert!(ran.stderr.contains("root.key"), "{}", ran.stderr);
    let words = site.init_words();
    site.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).exits(78);
    assert!(!path.exists(), "a new key would make every stored one useless");
    fs::write(&path, format!("{}\n", "ab".repeat(32))).unwrap();
    mode(&path, 0o600);
    let ran = site.run(&["run", "--once"]);
    assert_ne!(ran.status, Some(0));
    assert!(ran.stderr.contains("root key"), "{}", ran.stderr);
    fs::write(&path, kept).unwrap();
    site.once();
}

#[test]
fn what_others_can_write_or_read_is_refused_with_the_command_that_mends_it() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let cases = [
        ("links/moca-full.yaml", 0o666, 0o644, "chmod go-w"),
        ("links/moca.allowed_signers", 0o664, 0o644, "chmod go-w"),
        ("policies/taoyuan-dwcd.yaml", 0o666, 0o644, "chmod go-w"),
        ("links", 0o777, 0o755, "chmod go-w"),
        ("agent.yaml", 0o666, 0o644, "chmod go-w"),
        ("root.key", 0o644, 0o600, "chmod 600"),
        ("state", 0o755, 0o700, "chmod 700"),
        ("keys/moca-full", 0o777, 0o700, "chmod o-rwx,g-w"),
        ("drop/moca-full", 0o777, 0o755, "chmod o-w"),
    ];
    for (name, open, closed, fix) in cases {
        let path = site.dir.join(name);
        mode(&path, open);
        for words in [&["check"][..], &["run", "--once"]] {
            let ran = site.run(words).exits(78);
            let said = format!("{}{}", ran.text(), ran.stderr);
            assert!(said.contains(path.to_str().unwrap()) && said.contains(fix), "{name}: {said}");
        }
        mode(&path, closed);
    }
    site.run(&["check"]).ok();
    site.once();
    assert_eq!(site.row(DELIVERY)["state"], "loaded");
}

#[test]
fn all_faults_of_a_file_are_shown_at_once_with_their_places() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let path = site.dir.join("links/moca-full.yaml");
    let good = fs::read_to_string(&path).unwrap();
    let bad = good
        .replace("status: active", "status: aktive")
        .replace("approved_until: 2027-12-31", "approved_until: 2027-13-41")
        .replace("purpose:", "purpos:")
        .replace("policy: taoyuan-dwcd", "policy: nowhere");
    fs::write(&path, bad).unwrap();
    let ran = site.run(&["check"]).exits(78);
    let said = ran.text().to_owned();
    for part in [
        "'status' is 'aktive'",
        "'approved_until' is '2027-13-41'",
        "'purpos' is unknown",
        "did you mean 'purpose'?",
        "'purpose' is missing",
    ] {
        assert!(said.contains(part), "'{part}' is not in {said}");
    }
    let line = good.lines().position(|l| l.starts_with("status:")).unwrap() + 1;
    assert!(said.contains(&format!("moca-full.yaml:{line}:")), "{said}");
    fs::write(&path, good).unwrap();
    site.run(&["check"]).ok();
}

#[test]
fn a_keybox_within_an_inbox_is_refused() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    let path = site.dir.join("links/moca-full.yaml");
    let good = fs::read_to_string(&path).unwrap();
    for keybox in ["../drop/moca-full/keys", "../drop", "../drop/moca-full"] {
        fs::create_dir_all(site.dir.join("links").join(keybox)).unwrap();
        fs::write(&path, good.replace("../keys/moca-full", keybox)).unwrap();
        let ran = site.run(&["check"]).exits(78);
        assert!(
            ran.text().contains("the keybox lies inside, above or at the inbox"),
            "{}",
            ran.text()
        );
    }
}
