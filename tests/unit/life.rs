//! The agent lives under the restrictions of its units, and they hold: the same sandbox stops what a captured agent
//! would try.

use std::{collections::BTreeMap, fs};

use super::{
    manager::SERVICES,
    sandbox::{Sandbox, at_large},
    support::{People, Site},
};

const UNIT: &str = "幼兒托育科";
const DELIVERY: &str = "moca-1151102-0006";

/// From the drop to the certificate.
fn whole_life(site: &Site<'_>, sandbox: &Sandbox<'_>) {
    sandbox.run(&["check"]).ok();
    sandbox.run(&["run", "--once"]).ok();
    let row = site.row(DELIVERY);
    assert_eq!((&row["state"], &row["reason"]), (&"loaded".into(), &serde_json::Value::Null));
    assert!(site.files("drop/moca-full").is_empty() && site.files("keys/moca-full").is_empty());
    let id = row["id"].as_str().unwrap().to_owned();
    let words =
        ["grant", "apply", "--link", "moca-full", "--until", "2027-06-30", "--purpose", "x"];
    let grant =
        sandbox.run_as("henry", &[words.as_slice(), &["--basis", "y"]].concat()).ok().id('g');
    sandbox.run_as("sue", &["grant", "approve", &grant]).ok();
    let words = ["query", "--grant", &grant, "--case", "115-001", "--reason", "資格審查"];
    let rows = [words.as_slice(), &["--format", "json"]].concat();
    assert_eq!(sandbox.run_as("henry", &rows).ok().json().as_array().unwrap().len(), 20);
    sandbox.run_as("henry", &["use", "complete", &grant]).ok();
    sandbox.run_as("henry", &["use", "no-need", &id]).ok();
    let words = ["destroy", "request", &id, "--reason", "使用完竣"];
    let order = sandbox.run_as("alice", &words).ok().id('o');
    sandbox.run_as("sue", &["destroy", "approve", &order]).ok();
    sandbox.run(&["run", "--once"]).ok();
    assert_eq!(site.show(&id)["state"], "closed");
    assert!(site.files("state/vault").is_empty() && site.files("state/spool").is_empty());
    sandbox.run(&["certificate", "show", &order]).ok();
    sandbox.run(&["register", "verify"]).ok();
    site.verify();
}

#[test]
fn a_whole_life_under_the_restrictions_of_each_unit() {
    let people = People::new();
    for unit in SERVICES {
        let site = Site::founded(&people, &["small-20"], UNIT);
        whole_life(&site, &Sandbox::of(&site, unit));
    }
}

#[test]
fn what_a_captured_agent_would_try_is_refused() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let elsewhere = tempfile::tempdir().unwrap();
    let outside = elsewhere.path().join("other");
    fs::write(&outside, "synthetic").unwrap();
    let free = at_large(&site, &outside);
    for unit in SERVICES {
        let came = Sandbox::of(&site, unit).probe(&outside);
        let expected = [
            ("network", "EAFNOSUPPORT"),
            ("netlink", "EAFNOSUPPORT"),
            ("code in memory", "EPERM"),
            ("trace", "EPERM"),
            ("new namespace", "EPERM"),
            ("personality", "EPERM"),
            ("keyring", "EPERM"),
            ("shared memory", "EPERM"),
            ("asynchronous ring", "EPERM"),
            ("give a file away", "EPERM"),
            ("configuration", "EROFS"),
            ("outside", "ENOENT"),
            ("mount", "EPERM"),
            ("become root", "EPERM"),
            ("system", "EROFS"),
            ("state", "done"),
            ("temporary", "done"),
            ("local socket", "done"),
            ("CapEff", "0000000000000000"),
            ("CapBnd", "0000000000000000"),
            ("CapAmb", "0000000000000000"),
            ("NoNewPrivs", "1"),
            ("Seccomp", "2"),
            ("umask", "0077"),
        ];
        let expected: BTreeMap<_, _> =
            expected.map(|(name, came)| (name.to_owned(), came.to_owned())).into();
        let processes: u32 = came["processes"].parse().unwrap();
        assert!(processes <= 3, "other processes are seen: {came:?}");
        let mut came = came;
        came.remove("processes");
        assert_eq!(came, expected, "{unit}");
        // Everything that needs no privilege works without the sandbox: it is the sandbox that refuses.
        for (name, _) in came.iter().filter(|(_, came)| came.starts_with('E')) {
            let needs_privilege = ["mount", "become root", "system"].contains(&name.as_str());
            let without = free.get(name).map_or("not tried", String::as_str);
            assert_eq!(without, if needs_privilege { "not tried" } else { "done" }, "{name}");
        }
    }
}

#[test]
fn a_call_that_the_unit_does_not_allow_fails_the_agent() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    // The same sandbox without the call by which deliveries are opened beneath the inbox: nothing is taken over.
    Sandbox::lacking(&site, SERVICES[0], &["openat2"]).run(&["run", "--once"]);
    assert!(site.batches().iter().all(|row| row["id"].is_null()), "{:?}", site.batches());
    // And without the one by which everything is made durable, nothing runs.
    let ran = Sandbox::lacking(&site, SERVICES[0], &["fsync", "fdatasync"]).run(&["run", "--once"]);
    assert_ne!(ran.status, Some(0), "{ran:?}");
    Sandbox::of(&site, SERVICES[0]).run(&["run", "--once"]).ok();
    assert_eq!(site.row(DELIVERY)["state"], "loaded");
}

#[test]
fn the_confined_agent_cannot_read_outside_of_its_folders() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let elsewhere = tempfile::tempdir().unwrap();
    let outside = elsewhere.path().join("other");
    fs::write(&outside, "synthetic").unwrap();
    let within = site.dir.join("agent.yaml");
    let link = site.dir.join("links/link");
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    let global: Vec<String> = [&outside, &link, &within, &"/etc/passwd".into()]
        .into_iter()
        .flat_map(|path| ["--test-open".to_owned(), path.to_str().unwrap().to_owned()])
        .collect();
    let global: Vec<&str> = global.iter().map(String::as_str).collect();
    assert_eq!(fs::read_to_string(&link).unwrap(), "synthetic", "this test could read it");
    let ran = site.run_with(&["run", "--once"], &global, b"").ok();
    let told = |path: &std::path::Path| {
        let name = format!("test: '{}'", path.display());
        ran.stderr.lines().find(|line| line.contains(&name)).unwrap_or_else(|| panic!("{ran:?}"))
    };
    assert!(told(&within).contains("Ok("), "{}", told(&within));
    for path in [outside.as_path(), &link, "/etc/passwd".as_ref()] {
        assert!(told(path).contains("PermissionDenied"), "{}", told(path));
    }
    assert_eq!(site.row(DELIVERY)["state"], "loaded", "and it does its work");
}
