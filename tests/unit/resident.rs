//! The resident agent under the restrictions of its unit: it tells the service manager that it is ready, works, answers
//! on its socket, and ends in order.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::PathBuf,
    process::{Child, Stdio},
    sync::mpsc::{self, Receiver},
    thread::{sleep, spawn},
    time::{Duration, Instant},
};

use chrono::{DateTime, FixedOffset};
use rustix::process::{Pid, Signal, kill_process};

use super::{
    manager::SERVICES,
    sandbox::Sandbox,
    support::{People, Ran, Site},
};

const UNIT: &str = "幼兒托育科";
const NUMBER: &str = "MOCA-1151102-0006";
const PATIENCE: Duration = Duration::from_secs(60);

/// A site whose socket lies in a folder of its own, as the unit's runtime folder would.
fn with_socket(people: &People) -> Site<'_> {
    let site = Site::laid_out(people, &[]);
    let path = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}socket: run/control.sock\n")).unwrap();
    fs::create_dir(site.dir.join("run")).unwrap();
    fs::set_permissions(site.dir.join("run"), fs::Permissions::from_mode(0o750)).unwrap();
    site.init();
    site.accounts(UNIT);
    site
}

/// An agent in its sandbox. Whatever it said is in a file.
struct Agent {
    bubble: Child,
    said: PathBuf,
    /// What the service manager was told.
    heard: Receiver<String>,
    /// Its clock runs from the site's time on.
    clock: (DateTime<FixedOffset>, Instant),
}

impl Agent {
    fn start(site: &Site<'_>, sandbox: &Sandbox<'_>) -> Self {
        let heard = site.dir.join("run/manager");
        let _ = fs::remove_file(&heard);
        let manager = UnixDatagram::bind(&heard).unwrap();
        let (tell, told) = mpsc::channel();
        // As a service manager does, it listens all the time: who is told waits while nobody does.
        spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = manager.recv(&mut buffer) {
                if tell.send(String::from_utf8_lossy(&buffer[..length]).into_owned()).is_err() {
                    return;
                }
            }
        });
        let config = site.dir.join("agent.yaml");
        let line = ["/usr/bin/env", &format!("NOTIFY_SOCKET={}", heard.display())];
        let line = [&line[..], &["WATCHDOG_USEC=10000000", "/usr/local/bin/batchward"]].concat();
        let clock = site.time();
        let words = ["--config", config.to_str().unwrap(), "--test-clock", &clock, "run"];
        let said = site.temporary().join("said");
        let log = File::create(&said).unwrap();
        let mut command = sandbox.command(&[&line[..], &words].concat());
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let clock = (DateTime::parse_from_rfc3339(&clock).unwrap(), Instant::now());
        Self { bubble: command.spawn().unwrap(), said, heard: told, clock }
    }

    /// A command at the agent's own time, over its socket.
    fn ask(&self, site: &Site<'_>, name: Option<&str>, words: &[&str]) -> Ran {
        let time = (self.clock.0 + self.clock.1.elapsed()).to_rfc3339();
        let key = name.map(|name| site.people.key(name));
        let signed = name.zip(key.as_ref().and_then(|key| key.to_str()));
        let global = signed.map_or(vec![], |(name, key)| vec!["--as", name, "--sign-with", key]);
        site.run_at(&time, words, &global, b"").ok()
    }

    /// Waits until the service manager was told this, since the last time that something was waited for.
    fn tells(&self, wanted: &str) {
        let start = Instant::now();
        let mut all = Vec::new();
        while let Some(left) = PATIENCE.checked_sub(start.elapsed()) {
            let Ok(text) = self.heard.recv_timeout(left) else { break };
            if text.lines().any(|line| line.starts_with(wanted)) {
                return;
            }
            all.push(text);
        }
        let said = fs::read_to_string(&self.said).unwrap();
        panic!("the manager was never told '{wanted}', but {all:?}; the agent said: {said}");
    }

    /// The agent itself, below `bwrap`.
    fn pid(&self) -> u32 {
        let mut line = vec![self.bubble.id()];
        while let Some(pid) = line.pop() {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if name.trim() == "batchward" {
                return pid;
            }
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            line.extend(
                children.unwrap_or_default().split_whitespace().map(|p| p.parse::<u32>().unwrap()),
            );
        }
        panic!("no agent runs");
    }

    /// The restrictions of every thread of the agent.
    fn restrictions(&self) -> Vec<BTreeMap<String, String>> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        let facts = |path: PathBuf| {
            let text = fs::read_to_string(path.join("status")).unwrap_or_default();
            let pair = |line: &str| {
                let (name, value) = line.split_once(":\t")?;
                Some((name.to_owned(), value.trim().to_owned()))
            };
            text.lines().filter_map(pair).collect::<BTreeMap<_, _>>()
        };
        let all = threads.map(|thread| facts(thread.unwrap().path()));
        all.filter(|facts| !facts.is_empty()).collect()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end, and gives the exit code.
    fn ended(&mut self) -> Option<i32> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.bubble.try_wait().unwrap() {
                return status.code();
            }
            sleep(Duration::from_millis(20));
        }
        panic!("it did not end: {}", fs::read_to_string(&self.said).unwrap());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.bubble.kill();
        let _ = self.bubble.wait();
    }
}

/// Waits until the delivery is in this state; every look goes over the socket.
fn becomes(site: &Site<'_>, agent: &Agent, state: &str) -> String {
    let start = Instant::now();
    loop {
        let rows = agent.ask(site, None, &["batch", "list", "--json"]).json();
        let rows = rows.as_array().unwrap();
        let row = rows.iter().find(|row| row["number"] == NUMBER);
        if let Some(row) = row.filter(|row| row["state"] == state) {
            return row["id"].as_str().unwrap().to_owned();
        }
        let said = || fs::read_to_string(&agent.said).unwrap();
        assert!(start.elapsed() < PATIENCE, "never {state}: {rows:?}; the agent said: {}", said());
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_resident_agent_lives_under_the_restrictions_of_its_unit() {
    let people = People::new();
    let site = with_socket(&people);
    let sandbox = Sandbox::of(&site, SERVICES[0]);
    let mut agent = Agent::start(&site, &sandbox);
    agent.tells("READY=1");
    agent.tells("WATCHDOG=1");
    for facts in agent.restrictions() {
        let fact = |name: &str| facts[name].as_str();
        assert_eq!((fact("Seccomp"), fact("NoNewPrivs")), ("2", "1"), "{facts:?}");
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(fact(set), "0000000000000000", "{facts:?}");
        }
    }
    site.install(&[], &["small-20"]);
    let id = becomes(&site, &agent, "loaded");
    let mode = fs::metadata(site.dir.join("run/control.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o660);
    let by = |name: &str, words: &[&str]| agent.ask(&site, Some(name), words);
    let words =
        ["grant", "apply", "--link", "moca-full", "--until", "2027-06-30", "--purpose", "x"];
    let grant = by("henry", &[words.as_slice(), &["--basis", "y"]].concat()).id('g');
    by("sue", &["grant", "approve", &grant]);
    let words = ["query", "--grant", &grant, "--case", "115-001", "--reason", "資格審查"];
    let rows = by("henry", &[words.as_slice(), &["--format", "json"]].concat()).json();
    assert_eq!(rows.as_array().unwrap().len(), 20);
    by("henry", &["use", "complete", &grant]);
    by("henry", &["use", "no-need", &id]);
    let order = by("alice", &["destroy", "request", &id, "--reason", "使用完竣"]).id('o');
    by("sue", &["destroy", "approve", &order]);
    becomes(&site, &agent, "closed");
    agent.signal(Signal::HUP);
    agent.tells("RELOADING=1");
    agent.tells("READY=1");
    agent.signal(Signal::TERM);
    agent.tells("STOPPING=1");
    assert_eq!(agent.ended(), Some(0), "{}", fs::read_to_string(&agent.said).unwrap());
    assert!(!site.dir.join("run/control.sock").exists());
    site.verify();
}

#[test]
fn a_link_that_came_after_the_start_is_told_as_out_of_reach_until_the_next() {
    let people = People::new();
    let site = with_socket(&people);
    let sandbox = Sandbox::of(&site, SERVICES[0]);
    let mut agent = Agent::start(&site, &sandbox);
    agent.tells("READY=1");
    let path = site.dir.join("links/moca-full.yaml");
    let text = fs::read_to_string(&path).unwrap();
    for folder in ["drop/late", "keys/late"] {
        fs::create_dir(site.dir.join(folder)).unwrap();
        fs::set_permissions(site.dir.join(folder), fs::Permissions::from_mode(0o700)).unwrap();
    }
    let late = text
        .replace("link: moca-full", "link: late")
        .replace("../drop/moca-full", "../drop/late")
        .replace("../keys/moca-full", "../keys/late");
    fs::write(site.dir.join("links/late.yaml"), late).unwrap();
    agent.signal(Signal::HUP);
    agent.tells("RELOADING=1");
    agent.tells("READY=1");
    let said = || fs::read_to_string(site.temporary().join("said")).unwrap();
    let start = Instant::now();
    while !said().lines().any(|line| line.contains("late") && line.contains("out of reach")) {
        assert!(start.elapsed() < PATIENCE, "{}", said());
        sleep(Duration::from_millis(50));
    }
    agent.ask(&site, None, &["status"]);
    agent.signal(Signal::TERM);
    assert_eq!(agent.ended(), Some(0));
}
