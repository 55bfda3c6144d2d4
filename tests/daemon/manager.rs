//! What the service manager hears, and what it stops hearing when the agent hangs.

use std::{fs, os::unix::net::UnixDatagram, time::Duration};

use rustix::process::Signal;

use super::*;
use crate::agent::FakeManager;

#[test]
fn the_manager_hears_of_readiness_status_reloading_life_and_the_end() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    let manager = FakeManager::listen(site.temporary().join("notify"));
    let mut agent = Agent::start_with(&site, &[], Some(&manager.path));
    manager.hears("READY=1");
    manager.hears("WATCHDOG=1");
    provider.deliver(0..1, 10);
    agent.until("loaded", |agent| agent.has_loaded(1));
    let status = manager.hears("STATUS=1 loaded");
    assert!(status.iter().all(|line| !line.contains("SMALL")), "{status:?}");
    agent.signal(Signal::HUP);
    let heard = manager.hears("READY=1");
    let place = |start: &str| heard.iter().position(|line| line.starts_with(start));
    assert!(place("RELOADING=1").is_some(), "{heard:?}");
    assert!(place("MONOTONIC_USEC=") < place("READY=1"), "{heard:?}");
    agent.signal(Signal::TERM);
    manager.hears("STOPPING=1");
    assert_eq!(agent.exit(), Some(0));
}

#[test]
fn a_hanging_engine_loses_the_watchdog() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let manager = FakeManager::listen(site.temporary().join("notify"));
    let hang = site.temporary().join("hang");
    let flags = ["--test-hang", hang.to_str().unwrap()];
    let mut agent = Agent::start_with(&site, &flags, Some(&manager.path));
    manager.hears("WATCHDOG=1");
    fs::write(&hang, b"").unwrap();
    // What was under way may still be told; then nothing more.
    let _ = manager.heard(Duration::from_secs(7));
    let heard = manager.heard(Duration::from_secs(4));
    assert!(!heard.iter().any(|line| line == "WATCHDOG=1"), "{heard:?}");
    fs::remove_file(&hang).unwrap();
    manager.hears("WATCHDOG=1");
    fs::write(&hang, b"").unwrap();
    std::thread::sleep(Duration::from_secs(6));
    // A second signal does not wait for what hangs.
    agent.signal(Signal::TERM);
    manager.hears("STOPPING=1");
    agent.signal(Signal::TERM);
    assert_eq!(agent.exit(), Some(1), "{}", agent.log());
    fs::remove_file(&hang).unwrap();
}

#[test]
fn a_manager_that_does_not_read_keeps_nobody_waiting() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let manager = FakeManager::listen(site.temporary().join("notify"));
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(b"FILLED=1", &manager.path).is_ok() {}
    let agent = Agent::start_with(&site, &[], Some(&manager.path));
    agent.run(&["status"]).ok();
    std::thread::sleep(Duration::from_secs(3));
    agent.run(&["status"]).ok();
    // It hears of everything but the signs of life once it reads.
    let heard = manager.hears("WATCHDOG=1");
    assert!(heard.iter().any(|line| line == "READY=1"), "{heard:?}");
    assert!(heard.iter().any(|line| line.starts_with("STATUS=")), "{heard:?}");
    agent.stop();
}
