//! A long register: a start from the cache of its fold knows what a start without it knows, believes no cache that
//! could be somebody else's, and does not know less of a damaged entry for long.
//!
//! Batches, names and signatures of the register are synthetic.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::needless_pass_by_value,
    reason = "tests"
)]

#[path = "../benches/register/lives.rs"]
mod lives;
mod support;

use std::{
    fs,
    os::unix::fs::FileExt,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use batchward::{
    adapters::{
        journal::{Journal, Log},
        keystore::KeyStore,
        root_key::RootKeySource,
    },
    domain::{checkpoint::RegisterKey, entry::Entry},
};
use lives::Lives;
use support::{People, Site, done, provider};

/// Batches whose life is over, and after them those that stay loaded.
const CLOSED: u64 = 2_000;
const LOADED: u64 = 60;

/// A site whose register is long enough for its fold to be kept.
fn long(people: &People) -> Site<'_> {
    let site = Site::in_memory(people);
    drop(provider::Provider::arrange(&site.dir));
    let path = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("socket:")).collect();
    fs::write(&path, format!("{}\nsocket: run/control.sock\n", text.join("\n"))).unwrap();
    site.init();
    append(&site, CLOSED, CLOSED + LOADED);
    site
}

/// Appends lives of batches to a site that has none.
fn append(site: &Site<'_>, loaded_from: u64, count: u64) {
    let key = register_key(site);
    let mut journal = Journal::open(&site.dir.join("state/journal.db"), "taoyuan-dwcd").unwrap();
    let size = journal.size(Log::Register).unwrap();
    let first = Entry::from_bytes(&journal.entry(Log::Register, 0).unwrap()).unwrap();
    let lives = Lives::new(size, first.at).loaded_from(loaded_from);
    let entries: Vec<_> = lives
        .take(usize::try_from(count).unwrap())
        .flatten()
        .map(|bytes| (Log::Register, bytes))
        .collect();
    journal.append(&key, &entries).unwrap();
}

fn register_key(site: &Site<'_>) -> RegisterKey {
    let root = RootKeySource::File(site.dir.join("root.key")).read().unwrap();
    let keys = KeyStore::open(&site.dir.join("state/keys"), &root).unwrap();
    let seed = keys.get("register").unwrap().unwrap();
    RegisterKey::from_secret(&seed, &Log::Register.origin("taoyuan-dwcd")).unwrap()
}

fn cache(site: &Site<'_>) -> PathBuf {
    site.dir.join("state/fold.cache")
}

/// What the site says of everything, at one time.
fn said(site: &Site<'_>) -> Vec<String> {
    let time = site.time();
    let form = site.dir.join("../tmp/form.json");
    let form = form.to_str().unwrap();
    let commands: [&[&str]; 6] = [
        &["status", "--json"],
        &["batch", "list", "--json"],
        &["batch", "show", "b-00000777", "--json"],
        &["destroy", "list", "--json"],
        &["copy", "list", "--all", "--json"],
        &["register", "export", "--format", "json", "-o", form, "--batch", "b-00000777"],
    ];
    let texts = commands.map(|words| site.run_at(&time, words, &[], b"").ok().text().to_owned());
    let form = fs::read_to_string(form).unwrap();
    let _ = fs::remove_file(site.dir.join("../tmp/form.json"));
    texts.into_iter().chain([form]).map(|text| timeless(&text)).collect()
}

/// An answer without the moment at which it was given, and without what it says of disks and slots.
fn timeless(text: &str) -> String {
    let told = |line: &&str| {
        !["\"at\": ", "\"made_at\": ", "\"live\": ", "bytes\": ", "free_"]
            .iter()
            .any(|word| line.contains(word))
    };
    text.lines().filter(told).collect::<Vec<_>>().join("\n")
}

/// Whether two answers are the same; what they say is too long to be shown whole.
#[track_caller]
fn same(found: &str, expected: &str, of: &str) {
    let differs = found.lines().zip(expected.lines()).find(|(one, other)| one != other);
    assert!(differs.is_none(), "{of}: {differs:?}");
    assert_eq!(found.lines().count(), expected.lines().count(), "{of}");
}

/// Runs the agent that stays until it ends by itself, or for as long as `wanted` holds; gives whether it ended.
fn stays(site: &Site<'_>, mut wanted: impl FnMut() -> bool) -> Option<i32> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_batchward"))
        .arg("--config")
        .arg(site.dir.join("agent.yaml"))
        .args(["--test-clock", &site.time(), "run"])
        .env_clear()
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(begun.elapsed() < Duration::from_secs(300), "the agent neither ends nor answers");
        if !wanted() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    None
}

#[test]
fn a_start_from_the_cache_knows_what_a_start_without_it_knows_and_believes_no_other() {
    let people = People::new();
    let site = long(&people);
    // The first command keeps the fold; what it says itself was folded from every entry.
    let plain = said(&site);
    let kept = fs::read(cache(&site)).expect("the fold of a long register is kept");
    for (n, (found, expected)) in said(&site).iter().zip(&plain).enumerate() {
        same(found, expected, &format!("answer {n}"));
    }
    assert!(plain[2].contains("b-00000777") && plain[2].contains("closed"), "{}", plain[2]);
    // The same where the cache is gone, cut, changed anywhere, or another site's.
    let time = site.time();
    let status = || timeless(site.run_at(&time, &["status", "--json"], &[], b"").ok().text());
    for at in [0, 35, 60, 5_000, kept.len() / 2, kept.len() - 1] {
        let file = fs::File::options().write(true).open(cache(&site)).unwrap();
        file.write_all_at(&[kept[at] ^ 1], at as u64).unwrap();
        same(&status(), &plain[0], &format!("byte {at} is another"));
        // It was not believed: the command has kept a new one, without the fault.
        assert_ne!(fs::read(cache(&site)).unwrap()[at], kept[at] ^ 1, "byte {at} is another");
    }
    for length in [0, 71, 103, 104, kept.len() / 2, kept.len() - 1] {
        fs::write(cache(&site), &kept[..length]).unwrap();
        same(&status(), &plain[0], &format!("{length} bytes are left"));
    }
    fs::remove_file(cache(&site)).unwrap();
    same(&status(), &plain[0], "the cache is gone");
}

#[test]
fn what_came_after_the_cache_is_read_and_a_cache_of_another_register_is_not_believed() {
    let people = People::new();
    let site = long(&people);
    let before = site.run(&["status", "--json"]).ok();
    assert!(cache(&site).exists());
    // The register goes on behind the cache.
    site.accounts("幼兒托育科");
    assert!(site.run(&["account", "list"]).ok().text().contains("audrey"));
    // The same state with another register behind it: the first batches again, from an older copy.
    let copy = Site::in_memory(&people);
    fs::remove_dir_all(&copy.dir).unwrap();
    done(Command::new("cp").arg("-a").arg(&site.dir).arg(&copy.dir));
    drop(before);
    let kept = fs::read(cache(&copy)).unwrap();
    let journal = copy.dir.join("state/journal.db");
    let connection = rusqlite::Connection::open(&journal).unwrap();
    let cut = "DELETE FROM entry WHERE log = 0 AND seq >= 40000; DELETE FROM checkpoint WHERE log = 0 AND size > 40000;
               DELETE FROM node WHERE log = 0 AND (idx + 1) * (1 << level) > 40000;";
    connection.execute_batch(cut).unwrap();
    drop(connection);
    let report = copy.run(&["status", "--json"]);
    // However it is refused, it is not what the cache said.
    assert!(report.status != Some(0) || !report.text().contains("audrey"));
    assert_eq!(fs::read(cache(&copy)).unwrap().len(), kept.len());
}

#[test]
fn a_damaged_entry_behind_the_cache_ends_the_agent_that_stays() {
    let people = People::new();
    let site = long(&people);
    site.run(&["status"]).ok();
    let connection = rusqlite::Connection::open(site.dir.join("state/journal.db")).unwrap();
    connection
        .execute_batch(
            "UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), 'agent', 'agenT') AS BLOB)
             WHERE log = 0 AND seq = 777",
        )
        .unwrap();
    drop(connection);
    // A command takes the cache and has no time to read what is behind it.
    site.run(&["status"]).ok();
    assert_eq!(stays(&site, || true), Some(1), "it reads it, and does not go on");
    // Without the cache nobody gets that far.
    fs::remove_file(cache(&site)).unwrap();
    site.run(&["status"]).exits(1);
}

#[test]
fn an_agent_that_ends_keeps_the_fold_for_the_next_one() {
    let people = People::new();
    let site = long(&people);
    let socket = site.dir.join("run/control.sock");
    assert_eq!(stays(&site, || !socket.exists()), None);
    assert!(cache(&site).exists());
    site.run(&["status"]).ok();
}

#[test]
fn a_stop_at_any_write_of_the_cache_leaves_a_site_that_knows_the_same() {
    let people = People::new();
    let site = long(&people);
    let time = site.time();
    let status = |flags: &[&str]| site.run_at(&time, &["status", "--json"], flags, b"");
    let count = site.dir.join("../tmp/writes");
    // The first one publishes the register too.
    status(&[]).ok();
    fs::remove_file(cache(&site)).unwrap();
    let plain = status(&["--test-count-writes", count.to_str().unwrap()]).ok();
    let plain = timeless(plain.text());
    let writes: u64 = fs::read_to_string(&count).unwrap().trim().parse().unwrap();
    // Its own file, and the rename of it.
    assert!((2..20).contains(&writes), "{writes} writes");
    for write in 1..=writes {
        // After one is before the next.
        let last = ["before", "middle", "after"];
        for moment in last.into_iter().take(if write == writes { 3 } else { 2 }) {
            fs::remove_file(cache(&site)).unwrap();
            let stopped = status(&["--test-crash", &format!("{write}:{moment}")]);
            assert!(stopped.signal.is_some(), "{write}:{moment}");
            same(&timeless(status(&[]).ok().text()), &plain, &format!("{write}:{moment}"));
            assert!(cache(&site).exists(), "{write}:{moment}");
        }
    }
}
