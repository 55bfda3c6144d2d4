//! Told to end, it ends in order; told to read its files again, what tightens counts at once.

use std::fs;

use rustix::process::Signal;

use super::*;

#[test]
fn an_end_in_the_middle_of_the_work_loses_nothing() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    let mut agent = Agent::start(&site);
    provider.deliver(0..30, 50);
    agent.until("some work", |agent| agent.log().contains("a step ended"));
    agent.stop();
    site.verify();
    let mut agent = Agent::start(&site);
    agent.until("all loaded", |agent| agent.has_loaded(30));
    agent.stop();
    site.verify();
    assert_eq!(site.batches().len(), 30, "each delivery is one batch");
    assert_eq!(site.files("spool").iter().filter(|name| name.contains(".part")).count(), 0);
}

#[test]
fn a_kill_in_the_middle_of_the_work_loses_nothing() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    provider.deliver(0..20, 10);
    for pause in [10, 60, 150, 400] {
        let mut agent = Agent::start(&site);
        std::thread::sleep(std::time::Duration::from_millis(pause));
        agent.signal(Signal::KILL);
        assert_eq!(agent.exit(), None);
    }
    let mut agent = Agent::start(&site);
    agent.until("all loaded", |agent| agent.has_loaded(20));
    agent.stop();
    site.verify();
    assert_eq!(site.batches().len(), 20);
}

#[test]
fn what_tightens_counts_at_once_and_what_loosens_waits_for_a_second_person() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    let link = site.dir.join("links/small.yaml");
    let text = fs::read_to_string(&link).unwrap();
    let until = text.lines().find(|line| line.starts_with("approved_until")).unwrap().to_owned();
    let mut agent = Agent::start(&site);
    fs::write(&link, text.replace("status: active", "status: suspended")).unwrap();
    agent.signal(Signal::HUP);
    agent.until("tightened", |agent| agent.log().contains("the configuration tightened"));
    provider.deliver(0..1, 10);
    agent.until("refused", |agent| {
        agent.batches().iter().any(|row| row["reason"] == "link-inactive")
    });
    let later = text.replace(&until, "approved_until: 2028-12-31");
    fs::write(&link, later).unwrap();
    agent.signal(Signal::HUP);
    agent.until("waits", |agent| {
        let shown = agent.run(&["config", "show", "--json"]).ok();
        shown.text().contains("approved-until-later") && shown.text().contains("\"status\"")
    });
    agent.run_as("ada", &["config", "propose"]).ok();
    agent.run_as("ada", &["config", "confirm"]).exits(77);
    agent.run_as("ben", &["config", "confirm"]).ok();
    provider.deliver(1..2, 10);
    agent.until("loaded", |agent| agent.has_loaded(1));
    let types: Vec<_> = agent
        .run(&["register", "show", "--json"])
        .ok()
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["body"]["type"].as_str().unwrap().to_owned())
        .collect();
    for kind in ["config-tightened", "reloaded", "config-confirmed"] {
        assert!(types.iter().any(|seen| seen == kind), "no '{kind}' in {types:?}");
    }
    agent.stop();
    site.verify();
}

#[test]
fn broken_files_keep_what_is_in_force_and_the_log_says_where() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    let mut agent = Agent::start(&site);
    let link = site.dir.join("links/small.yaml");
    replaced(&link, "status: active", "statsu: active");
    agent.signal(Signal::HUP);
    agent.until("said so", |agent| agent.log().contains("could not be read"));
    assert!(agent.log().contains("small.yaml:"), "{}", agent.log());
    provider.deliver(0..1, 10);
    agent.until("loaded", |agent| agent.has_loaded(1));
    agent.stop();
}
