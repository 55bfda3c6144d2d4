//! What arrives is noticed at once where the filesystem tells of it, and by the scan where it does not.

use std::{fs, path::Path};

use rustix::process::Signal;

use super::*;

#[test]
fn a_delivery_is_loaded_by_events_long_before_the_scan() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    let mut agent = Agent::start(&site);
    provider.deliver(0..1, 10);
    agent.until("loaded", |agent| agent.has_loaded(1));
    slowly(&site, &provider.pack(1, 10));
    agent.until("loaded file by file", |agent| agent.has_loaded(2));
    agent.stop();
}

/// A delivery whose folder is there first, and whose files come one by one, the signature last.
fn slowly(site: &Site<'_>, packed: &Path) {
    let folder = site.dir.join("drop/small").join(packed.file_name().unwrap());
    fs::create_dir(&folder).unwrap();
    for name in ["people.csv.age", "manifest.yaml", "manifest.yaml.sig"] {
        std::thread::sleep(std::time::Duration::from_millis(300));
        fs::copy(packed.join(name), folder.join(format!(".{name}.part"))).unwrap();
        fs::rename(folder.join(format!(".{name}.part")), folder.join(name)).unwrap();
    }
}

#[test]
fn without_events_the_scan_finds_it_and_the_log_says_so_once() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    replaced(&site.dir.join("agent.yaml"), "scan_every: 1h", "scan_every: 1s");
    let mut agent = Agent::start_with(&site, &["--test-no-events"], None);
    provider.deliver(0..2, 10);
    agent.until("loaded", |agent| agent.has_loaded(2));
    let said = agent.log().matches("tells of no events").filter(|_| true).count();
    let folders = 2 * fs::read_dir(site.dir.join("links"))
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "yaml"))
        .count();
    assert_eq!(said, folders, "{}", agent.log());
    agent.stop();
}

#[test]
fn events_that_were_lost_make_everything_be_scanned() {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    let can = "sysctl fs.inotify.max_queued_events=16384";
    assert!(limit <= 100_000, "{limit} events fit into the queue here, too many to fill: {can}");
    let people = People::new();
    let (site, provider) = laid_out(&people);
    let packed = provider.pack(0, 10);
    let mut agent = Agent::start(&site);
    agent.signal(Signal::STOP);
    let elsewhere = site.dir.join("drop/moca-full");
    let (one, two) = (elsewhere.join("x-one"), elsewhere.join("x-two"));
    fs::write(&one, b"").unwrap();
    // Twice as many as fit: a thread of the agent that stops a moment later takes some of them.
    for _ in 0..=limit {
        fs::rename(&one, &two).unwrap();
        fs::rename(&two, &one).unwrap();
    }
    // The queue is full: this is told by no event.
    provider.release(&packed);
    agent.signal(Signal::CONT);
    agent.until("said so", |agent| agent.log().contains("events of the filesystem were lost"));
    agent.until("loaded", |agent| agent.has_loaded(1));
    agent.stop();
}

/// Removes the inbox of the small deliveries, and makes it again once the agent has noticed.
fn made_anew(site: &Site<'_>, agent: &mut Agent<'_, '_>) {
    let inbox = site.dir.join("drop/small");
    fs::remove_dir_all(&inbox).unwrap();
    agent.until("gone", |agent| agent.log().contains("a watched folder is gone"));
    fs::create_dir(&inbox).unwrap();
}

/// The agent confines itself: a folder that came later is out of its reach.
#[track_caller]
fn confines_itself(agent: &Agent<'_, '_>) {
    let confined = !agent.log().contains("could not confine itself");
    assert!(confined, "run the tests on a kernel with Landlock (5.13 or later, in 'lsm=')");
}

#[test]
fn an_inbox_that_vanishes_and_comes_back_is_watched_again() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    let mut agent = Agent::start(&site);
    made_anew(&site, &mut agent);
    agent.until("back", |agent| agent.log().contains("a folder is watched again"));
    provider.deliver(0..1, 10);
    agent.until("noticed", |agent| agent.log().contains("delivery-seen"));
    confines_itself(&agent);
    agent.until("said so", |agent| agent.log().contains("out of reach"));
    agent.stop();
    agent = Agent::start(&site);
    agent.until("loaded", |agent| agent.has_loaded(1));
    agent.stop();
}

#[test]
fn under_a_service_manager_an_inbox_out_of_reach_has_the_agent_started_again() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let manager = agent::FakeManager::listen(site.temporary().join("notify"));
    let mut agent = Agent::start_with(&site, &[], Some(&manager.path));
    confines_itself(&agent);
    made_anew(&site, &mut agent);
    assert_eq!(agent.exit(), Some(75), "{}", agent.log());
}

#[test]
fn the_log_holds_no_value_and_no_name_of_a_delivery() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    let mut agent = Agent::start(&site);
    provider.deliver(0..3, 10);
    agent.until("loaded", |agent| agent.has_loaded(3));
    let broken = provider.pack(3, 10);
    fs::write(broken.join("surplus-王小明.txt"), b"x").unwrap();
    provider.release(&broken);
    agent.until("quarantined", |agent| agent.log().contains("quarantined"));
    let _ = agent.run_as("alice", &["grant", "approve", "g-00000099"]);
    let log = agent.log();
    for word in ["王小明", "people.csv", "small-0000", "SMALL-0000", "AGE-SECRET", "surplus", "A1"]
    {
        assert!(!log.contains(word), "'{word}' is logged:\n{log}");
    }
    assert_eq!(log.matches("result=\"loaded\"").count(), 3, "each load is logged once:\n{log}");
    agent.stop();
}
