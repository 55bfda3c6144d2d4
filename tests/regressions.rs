//! Faults that were found once, each as the claim that must hold since.
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

use std::fs;

use support::{People, Site};

const UNIT: &str = "幼兒托育科";

#[test]
fn an_order_over_files_alone_does_not_destroy_a_batch_that_came_due_meanwhile() {
    let people = People::new();
    let site = Site::founded(&people, &["csv-500"], "資訊科");
    site.once();
    let id = site.row("ntvp-1151102-0004")["id"].as_str().unwrap().to_owned();
    let request = ["destroy", "request", &id, "--reason", "匯入完成"];
    let files_only = site.run_as("alice", &request).ok().id('o');
    site.run_as("henry", &["use", "no-need", &id]).ok();
    assert_eq!(site.show(&id)["state"], "due");
    site.run_as("sue", &["destroy", "approve", &files_only]).exits(77);
    let whole = site.run_as("alice", &request).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &whole]).ok();
    let page = site.show(&id);
    assert_eq!(page["state"], "closed");
    let copies = page["copies"].as_array().unwrap();
    assert!(copies.iter().all(|copy| copy["state"] == "destroyed"), "{page:#}");
    assert!(site.files("state/vault").is_empty() && site.files("state/spool").is_empty());
}

#[test]
fn people_whom_a_change_file_removed_do_not_come_back_when_it_goes() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    site.once();
    site.install(&[], &["delta-1"]);
    site.once();
    let delta = site.row("moca-1151102-0007")["id"].as_str().unwrap().to_owned();
    site.run_as("henry", &["use", "no-need", &delta]).ok();
    assert_eq!(site.show(&delta)["state"], "due");
    let grant = site.grant("moca-full");
    let ran = site.query(&grant, &["--format", "csv"]).exits(77);
    assert!(ran.stderr.contains(&delta) && ran.stderr.contains("--batch"), "{}", ran.stderr);
    site.query(&grant, &["--batch", "MOCA-1151102-0006", "--format", "csv"]).ok();
}

#[test]
fn what_was_not_copied_is_not_wiped_before_an_order_covers_it() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let nested = site.dir.join("drop/moca-full/moca-1151102-0006/more");
    fs::create_dir(&nested).unwrap();
    fs::write(nested.join("precious.age"), b"synthetic").unwrap();
    site.once();
    let row = site.row("moca-1151102-0006");
    assert_eq!((&row["state"], &row["reason"]), (&"quarantined".into(), &"unsafe-file".into()));
    let id = row["id"].as_str().unwrap().to_owned();
    let place = [
        "hold",
        "place",
        "--all",
        "--authority",
        "法院",
        "--doc-no",
        "115-9",
        "--review",
        "2027-01-01",
    ];
    let hold = site.run_as("sue", &place).ok().id('h');
    site.run_as("alice", &["batch", "reject", &id, "--reason", "退件"]).ok();
    site.once();
    assert_eq!(site.files("drop").len(), 4, "a hold stands, and nobody has approved anything");
    assert_eq!(site.batches().len(), 1, "it is not claimed again");
    site.run_as("audrey", &["hold", "lift", &hold]).ok();
    let order = site.run_as("alice", &["destroy", "request", &id, "--reason", "退件"]).ok().id('o');
    assert_eq!(site.files("drop").len(), 4);
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    assert!(site.files("drop").is_empty());
    assert_eq!(site.show(&id)["state"], "closed");
    site.verify();
}

#[test]
fn the_times_of_agent_yaml_wait_for_a_second_person() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let path = site.dir.join("agent.yaml");
    let agent = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{agent}timezone: Etc/GMT+12\nstart_gap_max: 9999d\n")).unwrap();
    let show = site.run(&["config", "show", "--json"]).ok().json();
    assert!(show.as_array().unwrap().iter().any(|row| row["file"] == "agent.yaml"), "{show:#}");
    // 23:00Z on the last approved day: past its end in Taipei, not yet in the zone that one person wrote.
    let until = ["grant", "apply", "--link", "moca-full", "--until", "2027-12-31T23:00:00Z"];
    let words = [until.as_slice(), &["--purpose", "資格審查", "--basis", "115-001"]].concat();
    site.run_as("henry", &words).exits(77);
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ada", &["config", "confirm"]).exits(77);
    site.run_as("henry", &words).exits(77);
    site.run_as("ben", &["config", "confirm"]).ok();
    site.run_as("henry", &words).ok();
}

#[test]
fn a_link_that_is_terminated_while_a_load_was_cut_off_loads_nothing() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    // The load's first writes after its intent. Few of them at a time, so that no run gets from before it past its end.
    let mut stopped = false;
    for turn in 0..120 {
        let spec = format!("{}:before", 6 + turn / 5);
        let ran = site.run_with(&["run", "--once"], &["--test-crash", &spec], b"");
        let register = fs::read(site.dir.join("state/journal.db")).unwrap();
        let says = |text: &str| register.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(
            ran.signal.is_some() && !says("\"result\":\"loaded\""),
            "the load ran to its end before it was cut off"
        );
        if says("\"step\":\"load\"") {
            stopped = true;
            break;
        }
    }
    assert!(stopped);
    let path = site.dir.join("links/moca-full.yaml");
    let link = fs::read_to_string(&path).unwrap();
    fs::write(&path, link.replace("status: active", "status: terminated")).unwrap();
    site.once();
    let row = site.row("moca-1151102-0006");
    assert_eq!((&row["state"], &row["reason"]), (&"quarantined".into(), &"link-inactive".into()));
}

/// Makes a file that even its owner cannot change, or an ordinary one again.
fn immutable(file: &std::path::Path, is: bool) {
    let mut chattr = std::process::Command::new("chattr");
    let status = chattr.arg(if is { "+i" } else { "-i" }).arg(file).status().unwrap();
    assert!(status.success(), "chattr on '{}'", file.display());
}

#[test]
fn nothing_is_certified_as_destroyed_while_its_originals_lie_in_the_inbox() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let nested = site.dir.join("drop/moca-full/moca-1151102-0006/more");
    fs::create_dir(&nested).unwrap();
    let original = nested.join("precious.age");
    fs::write(&original, b"synthetic").unwrap();
    site.once();
    let id = site.row("moca-1151102-0006")["id"].as_str().unwrap().to_owned();
    site.run_as("alice", &["batch", "reject", &id, "--reason", "退件"]).ok();
    let order = site.run_as("alice", &["destroy", "request", &id, "--reason", "退件"]).ok().id('o');
    immutable(&original, true);
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    let state = site.show(&id)["state"].clone();
    let left = walk(&site.dir.join("drop"));
    let left: Vec<_> = left.into_iter().filter(|path| path.is_file()).collect();
    left.iter().for_each(|file| immutable(file, false));
    assert_eq!((state, left.len()), ("condemned".into(), 1), "{left:?}");
    site.once();
    assert_eq!(site.show(&id)["state"], "closed");
    assert!(site.files("drop").is_empty());
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        }
        found.push(path);
    }
    found
}
