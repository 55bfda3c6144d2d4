//! Commands go to the agent that runs: signed by an account, or by the unix user at the other end.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use super::*;
use crate::support::done;

#[test]
fn the_life_of_a_batch_goes_through_the_socket() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    let mut agent = Agent::start(&site);
    provider.deliver(0..1, 10);
    agent.until("loaded", |agent| agent.has_loaded(1));
    people.new_key("hans");
    let (key, unit) = (people.public("hans"), unit(&site));
    let add = ["account", "add", "hans", "--role", "handler", "--unit", &unit, "--sign-key"];
    agent.run_as("ada", &[add.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
    agent.run_as("ben", &["account", "confirm", "hans"]).ok();
    let apply = ["grant", "apply", "--link", "small", "--until", "2027-06-30", "--unit", &unit];
    let more = ["--purpose", "資格審查", "--basis", "府社婦字第1150009999號"];
    let grant = agent.run_as("hans", &[apply.as_slice(), &more].concat()).ok().id('g');
    agent.run_as("hans", &["grant", "approve", &grant]).exits(77);
    agent.run_as("sue", &["grant", "approve", &grant]).ok();
    let query = [
        "query",
        "--grant",
        &grant,
        "--case",
        "115-001",
        "--reason",
        "資格審查",
        "--format",
        "json",
    ];
    let rows = agent.run_as("hans", &query).ok().json();
    assert_eq!(rows.as_array().unwrap().len(), 10, "every record of the batch comes back");
    agent.run(&query).exits(77);
    let lines = agent.run_as("audrey", &["access", "show", "--account", "hans", "--json"]).ok();
    let line = &lines.json()[0];
    assert_eq!((&line["state"], &line["rows"]), (&"shown".into(), &10.into()), "{line:#}");
    agent.run_as("hans", &["access", "show"]).exits(77);
    agent.stop();
    site.verify();
}

#[test]
fn the_right_key_after_a_wrong_one_is_not_answered_with_the_verdict_on_that() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    let packed = provider.pack(0, 10);
    let (right, wrong) = (site.temporary().join("right"), site.temporary().join("wrong"));
    let boxed = site.dir.join("keys/small").join(site.files("keys/small").remove(0));
    fs::rename(boxed, &right).unwrap();
    provider.pack(1, 10);
    let other = site.dir.join("keys/small").join(site.files("keys/small").remove(0));
    fs::rename(other, &wrong).unwrap();
    provider.release(&packed);
    let mut agent = Agent::start(&site);
    let stands = |agent: &Agent<'_, '_>, field: &str, word: &str| {
        agent.batches().first().is_some_and(|row| row[field] == word)
    };
    agent.until("verified", |agent| stands(agent, "state", "verified"));
    let submit = |agent: &Agent<'_, '_>, key: &Path| {
        let file = key.to_str().unwrap();
        let line = ["key", "submit", "b-00000001", "--channel", "letter", "--file", file];
        agent.run_as("alice", &line)
    };
    // Whoever submits a key hears what came of it, though a worker tries it.
    for _ in 0..2 {
        let said = submit(&agent, &wrong).exits(65);
        assert!(said.stderr.contains("the key does not open 'b-00000001'"), "{}", said.stderr);
    }
    let said = submit(&agent, &right).ok();
    assert!(said.text().contains("'b-00000001' is loaded"), "{}", said.text());
    assert!(agent.has_loaded(1));
    agent.stop();
    site.verify();
}

#[test]
fn whoever_has_no_account_fills_no_register_by_knocking() {
    let root = rustix::process::geteuid().is_root();
    assert!(root, "only root can be another user: run the tests as root");
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let (run, above) = (site.dir.join("run"), site.dir.parent().unwrap());
    for path in [above, &site.dir, &run] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(run.join("control.sock"), fs::Permissions::from_mode(0o666)).unwrap();
    for _ in 0..20 {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        command.arg(env!("CARGO_BIN_EXE_batchward")).arg("--config");
        command.arg(site.dir.join("agent.yaml")).args(["--test-clock", &agent.time()]);
        let output = command.args(["clock", "confirm"]).output().unwrap();
        assert_eq!(output.status.code(), Some(77), "each time it is refused");
    }
    let rows = agent.run(&["register", "show", "--json"]).ok().json();
    let refused = rows.as_array().unwrap().iter();
    let refused = refused.filter(|row| row["body"]["type"] == "act-refused").count();
    assert_eq!(refused, 1, "one entry a minute, the rest is counted");
    agent.stop();
}

/// A unit that may use what the small deliveries hold.
fn unit(site: &Site<'_>) -> String {
    let link = fs::read_to_string(site.dir.join("links/small.yaml")).unwrap();
    let units = link.lines().find_map(|line| line.strip_prefix("units: [")).unwrap();
    units.trim_end_matches(']').split(',').next().unwrap().trim().to_owned()
}

#[test]
fn a_signed_account_may_look_and_the_owner_of_the_state_too() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    for words in [
        ["status", "--json"].as_slice(),
        &["batch", "list"],
        &["account", "list"],
        &["grant", "list"],
        &["destroy", "list"],
        &["hold", "list"],
        &["config", "show"],
        &["register", "show"],
    ] {
        agent.run(words).ok();
        agent.run_as("audrey", words).ok();
    }
    agent.run(&["batch", "show", "b-00000099"]).exits(64);
    agent.stop();
}

#[test]
fn forty_people_are_answered_while_deliveries_are_processed() {
    let people = People::new();
    let (site, provider) = laid_out(&people);
    let mut agent = Agent::start(&site);
    provider.deliver(0..40, 10);
    let (config, time) = (site.dir.join("agent.yaml"), agent.time());
    let listed = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
        command.arg("--config").arg(&config).args(["--test-clock", &time, "batch", "list"]);
        done(&mut command)
    };
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..40).map(|_| scope.spawn(listed)).collect();
        assert!(asked.into_iter().all(|asked| !asked.join().unwrap().is_empty()));
    });
    agent.until("all loaded", |agent| agent.has_loaded(40));
    agent.stop();
    site.verify();
}

#[test]
fn another_user_is_the_account_that_is_mapped_or_nobody() {
    let root = rustix::process::geteuid().is_root();
    assert!(root, "only root can be another user: run the tests as root");
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let above = site.dir.parent().unwrap();
    // The folder of the socket is closed to others as it is made.
    let as_nobody = |words: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        command
            .arg(env!("CARGO_BIN_EXE_batchward"))
            .arg("--config")
            .arg(site.dir.join("agent.yaml"));
        command.args(["--test-clock", &agent.time()]).args(words);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for path in [above, &site.dir] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let (code, said) = as_nobody(&["status"]);
    assert_eq!(code, Some(77), "{said}");
    assert!(said.contains("is not open to you"), "{said}");
    let run = site.dir.join("run");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(run.join("control.sock"), fs::Permissions::from_mode(0o666)).unwrap();
    for words in [["status"].as_slice(), &["clock", "confirm"], &["batch", "list"]] {
        let (code, said) = as_nobody(words);
        assert_eq!(code, Some(77), "{said}");
        assert!(said.contains("the user with number 65534 has no account here"), "{said}");
    }
    let add = ["account", "add", "nora", "--role", "custodian", "--unix-user", "nobody"];
    agent.run_as("ada", &add).ok();
    assert_eq!(as_nobody(&["status"]).0, Some(77), "a proposal is no account");
    agent.run_as("ben", &["account", "confirm", "nora"]).ok();
    let (code, said) = as_nobody(&["status"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = as_nobody(&["clock", "confirm"]);
    assert_eq!(code, Some(64), "a custodian may, and the clock is right: {said}");
    let (code, said) = as_nobody(&["account", "disable", "sue"]);
    assert_eq!(code, Some(77), "a custodian may not: {said}");
    agent.run_as("ben", &["account", "disable", "nora"]).ok();
    assert_eq!(as_nobody(&["status"]).0, Some(77), "a disabled account is nobody");
    agent.stop();
}
