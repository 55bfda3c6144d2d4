//! The agent that stays, with a source: nobody waits for a silent server, a dead courier is replaced, and the end of
//! the agent is the end of both.

use std::{
    fs,
    time::{Duration, Instant},
};

use super::{
    agent::{Agent, replaced},
    scene::{Ground, children_of, kill},
    support::{People, provider::Provider},
};

const WITHIN: Duration = Duration::from_secs(90);

fn with_socket(ground: &Ground<'_>) {
    let path = ground.site.dir.join("agent.yaml");
    replaced(&path, "scan_every: 30s", "scan_every: 10s\nsocket: run/control.sock");
}

#[track_caller]
fn until(what: &str, agent: &Agent<'_, '_>, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < WITHIN, "no '{what}' in time:\n{}", agent.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_silent_server_keeps_neither_local_deliveries_nor_people_waiting() {
    let people = People::new();
    let ground = Ground::new(&people);
    with_socket(&ground);
    let server = ground.asyncssh(&["--behaviour", "silent-listing"]);
    ground.found_every("2s", server.port, "", "{ move: /done }");
    let agent = Agent::start(&ground.site);
    until("courier", &agent, || !children_of(agent.child.id()).is_empty());
    let began = Instant::now();
    ground.site.install(&[], &["small-20"]);
    until("loading", &agent, || agent.has_loaded(1));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let asked = Instant::now();
    agent.run(&["batch", "list"]).ok();
    assert!(asked.elapsed() < Duration::from_secs(5));
    agent.stop();
}

/// A confined agent starts no other program: it cannot have another courier, and must say so.
#[test]
fn a_courier_that_dies_is_told_and_comes_back_with_the_agent_and_none_is_left_behind() {
    let people = People::new();
    let ground = Ground::new(&people);
    with_socket(&ground);
    let server = ground.asyncssh(&[]);
    ground.found_every("2s", server.port, "", "{ move: /done }");
    let first = ground.offer(&ground.provider.pack(1, 3));
    let agent = Agent::start(&ground.site);
    until("first release", &agent, || ground.done(&first).exists());
    let old = children_of(agent.child.id());
    assert_eq!(old.len(), 1, "one courier");
    old.iter().for_each(|pid| kill(*pid));
    until("alarm", &agent, || {
        let status = agent.run(&["status", "--json"]).json();
        let alarms = status["alarms"].as_array().unwrap();
        alarms.iter().any(|alarm| alarm["level"] == "alarm" && alarm["about"] == "small")
    });
    let second = ground.offer(&ground.provider.pack(2, 3));
    agent.stop();
    let agent = Agent::start(&ground.site);
    until("second release", &agent, || ground.done(&second).exists());
    let new = children_of(agent.child.id());
    assert_eq!(new.len(), 1, "one courier");
    agent.stop();
    for pid in new {
        let began = Instant::now();
        while fs::read_link(format!("/proc/{pid}/exe")).is_ok() {
            assert!(began.elapsed() < Duration::from_secs(20), "process {pid} is left");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    for n in [1, 2] {
        ground.assert_loaded_once(&Provider::number(n));
    }
    assert_eq!((server.moved(&first), server.moved(&second)), (1, 1));
}
