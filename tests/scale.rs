//! Many deliveries and many people at once, and an agent that is killed again and again.
//!
//! What is timed here has bounds that hold on a busy machine; `benches/` prints the figures themselves.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use batchward::adapters::{
    keystore::SlotState,
    vault::{Vault, Window},
};
use batchward::{
    domain::ids::BatchId,
    protocol::Remote,
    service::query::{Answer, Query},
};
use serde_json::Value;
use support::{
    People, Site,
    picture::{entries, key_store},
    provider::{LINK, Provider},
};

/// How long an agent may take for what a test waits for.
const PATIENCE: Duration = Duration::from_secs(300);

/// A resident agent of a site, killed when it goes out of scope.
struct Agent {
    child: Child,
    socket: PathBuf,
    log: PathBuf,
}

impl Agent {
    /// Starts it and waits until it answers.
    fn start(site: &Site<'_>) -> Self {
        Self::start_with(site, &[])
    }

    fn start_with(site: &Site<'_>, flags: &[&str]) -> Self {
        let mut agent = Self::spawn(site, flags);
        let begun = Instant::now();
        while agent.remote().is_none() {
            if let Some(status) = agent.child.try_wait().unwrap() {
                panic!("{status}: {}", fs::read_to_string(&agent.log).unwrap_or_default());
            }
            assert!(begun.elapsed() < PATIENCE, "the agent does not answer");
            thread::sleep(Duration::from_millis(10));
        }
        agent
    }

    fn spawn(site: &Site<'_>, flags: &[&str]) -> Self {
        let log = site.temporary().join("agent.log");
        let stderr = fs::File::options().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
        command.arg("--config").arg(site.dir.join("agent.yaml"));
        command
            .args(["--test-clock", &site.time()])
            .args(flags)
            .arg("run")
            .env_clear()
            .env("LANG", "C.UTF-8");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        Self { child: command.spawn().unwrap(), socket: socket(site), log }
    }

    fn remote(&self) -> Option<Remote> {
        let owner = rustix::process::getuid().as_raw();
        Remote::connect(&self.socket, Some(owner)).ok().flatten()
    }

    /// Waits until this many batches are in a state.
    fn wait_for(&self, count: usize, state: &str) {
        let begun = Instant::now();
        loop {
            let page = status(&mut self.remote().expect("the agent answers"));
            if page["batches"][state] == count {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{page:#}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Anonymous memory that it holds, in KiB.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Tells it to end, and waits.
    fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(
            status.success(),
            "{status}: {}",
            fs::read_to_string(&self.log).unwrap_or_default()
        );
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn socket(site: &Site<'_>) -> PathBuf {
    site.dir.join("run/control.sock")
}

/// A site with the provider's link and a socket of its own, scanning this often.
fn arranged<'p>(people: &'p People, scan_every: &str) -> (Site<'p>, Provider) {
    let site = Site::in_memory(people);
    let provider = Provider::arrange(&site.dir);
    let path = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let text: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("socket:") && !line.starts_with("scan_every:"))
        .collect();
    let own = format!("{}\nsocket: run/control.sock\nscan_every: {scan_every}\n", text.join("\n"));
    fs::write(path, own).unwrap();
    site.init();
    (site, provider)
}

/// The page of `status`.
fn status(remote: &mut Remote) -> Value {
    match remote.ask(&Query::Status).unwrap() {
        Answer::Status(page) => serde_json::to_value(page).unwrap(),
        _ => panic!("another answer than was asked for"),
    }
}

/// The value below which this share of the values lies.
fn quantile(mut values: Vec<Duration>, share: f64) -> Duration {
    values.sort();
    let last = values.len() - 1;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a short list"
    )]
    let place = (last as f64 * share).ceil() as usize;
    values[place]
}

#[test]
fn a_thousand_deliveries_at_once_are_loaded_while_forty_people_ask() {
    const DELIVERIES: u64 = 1000;
    const PEOPLE: usize = 40;
    let people = People::new();
    let (site, provider) = arranged(&people, "30s");
    let packed: Vec<PathBuf> = (0..DELIVERIES).map(|n| provider.pack(n, 10)).collect();
    let agent = Agent::start(&site);
    let before = (agent.memory(), agent.descriptors());
    for delivery in &packed {
        provider.release(delivery);
    }
    let (over, answers) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..PEOPLE {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    let asked = Instant::now();
                    let mut remote = agent.remote().expect("a seat for forty people");
                    let page = status(&mut remote);
                    assert!(page.is_object(), "{page:#}");
                    answers.lock().unwrap().push(asked.elapsed());
                    thread::sleep(Duration::from_millis(500));
                }
            });
        }
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            agent.wait_for(usize::try_from(DELIVERIES).unwrap(), "loaded");
        }));
        over.store(true, Ordering::SeqCst);
        done.unwrap();
    });
    let answers = answers.into_inner().unwrap();
    let (count, p99) = (answers.len(), quantile(answers, 0.99));
    let after = (agent.memory(), agent.descriptors());
    eprintln!(
        "{DELIVERIES} deliveries in {:?}; {count} answers, p99 {p99:?}; {before:?} -> {after:?} KiB, descriptors",
        begun.elapsed()
    );
    assert!(p99 < Duration::from_secs(1), "p99 of {count} answers: {p99:?}");
    assert!(after.0 < before.0 + (64 << 10), "{} KiB became {} KiB", before.0, after.0);
    assert!(after.1 < before.1 + 16, "descriptors: {} became {}", before.1, after.1);
    agent.end();
    assert!(site.files("drop/small").is_empty() && site.files("keys/small").is_empty());
    site.verify();
}

#[test]
fn fifty_kills_lead_to_the_same_register_and_the_same_world() {
    fifty_times(|site, moment| {
        let agent = Agent::spawn(site, &[]);
        thread::sleep(moment);
        drop(agent);
    });
}

#[test]
fn fifty_ends_lead_to_the_same_register_and_the_same_world() {
    fifty_times(|site, moment| {
        let agent = Agent::start(site);
        thread::sleep(moment);
        agent.end();
        // The next one starts with the clock of the test, and that must not have gone back.
        site.wait_minutes(1);
    });
}

/// Agents that come to an end at many moments leave what one that stays leaves.
fn fifty_times(life: fn(&Site<'_>, Duration)) {
    const DELIVERIES: u64 = 60;
    const LIVES: u32 = 50;
    let people = People::new();
    let pictures = [None, Some(life)].map(|life| {
        let (site, provider) = arranged(&people, "1s");
        // Packed with the same names for both, and with keys of their own.
        let packed: Vec<PathBuf> = (0..DELIVERIES).map(|n| provider.pack(n, 10)).collect();
        let mut packed = packed.iter();
        if let Some(life) = life {
            // Between none and a few hundred milliseconds: from before the lock to the midst of the work.
            for n in 0..LIVES {
                packed.by_ref().take(1).for_each(|delivery| provider.release(delivery));
                life(&site, Duration::from_millis(u64::from(n * 7919 % 400)));
            }
        }
        packed.for_each(|delivery| provider.release(delivery));
        let agent = Agent::start(&site);
        agent.wait_for(usize::try_from(DELIVERIES).unwrap(), "loaded");
        agent.end();
        site.verify();
        assert!(site.files("drop/small").is_empty() && site.files("keys/small").is_empty());
        (lives(&site), world(&site))
    });
    assert_eq!(pictures[0].0.len() as u64, 2 * DELIVERIES);
    assert_eq!(pictures[0].1.1.len() as u64, DELIVERIES * 10);
    assert!(pictures[0] == pictures[1], "{:#?}\n{:#?}", pictures[0].1.0, pictures[1].1.0);
    assert_eq!(pictures[0].0, pictures[1].0);
}

/// What the register tells of each delivery and what is in the world of it, by the provider's number: the agent does
/// several at once, and an order among them means nothing.
fn lives(site: &Site<'_>) -> BTreeMap<String, Vec<String>> {
    let entries = entries(site);
    let mut plans = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    let mut lives: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut told: Vec<(String, String)> = Vec::new();
    for whole in &entries {
        let entry = &whole["body"];
        if let Some(plan) = entry.get("plan") {
            plans.insert(whole["seq"].as_u64().unwrap(), plan.clone());
        }
        let plan = entry["intent"].as_u64().map(|seq| plans[&seq].clone());
        let about = plan.as_ref().unwrap_or(entry);
        let (step, result) = (&about["step"], &entry["outcome"]["result"]);
        if let Some(number) = entry["outcome"]["manifest"]["number"].as_str() {
            numbers.insert(about["batch"].to_string(), number.to_owned());
        }
        if step == "take-key" {
            numbers.insert(about["key"].to_string(), about["number"].as_str().unwrap().to_owned());
        }
        let subject = if about["batch"].is_null() { &about["key"] } else { &about["batch"] };
        // Of a verdict that another one follows at once there may be no receipt.
        let receipt = step == "make-receipt" || step == "leave-receipt";
        let finished = (!result.is_null() && !receipt) || entry["type"] == "came-due";
        if finished && !subject.is_null() {
            told.push((
                subject.to_string(),
                format!("{step} {result} {}", entry["outcome"]["facts"]["counts"]),
            ));
        }
    }
    for (subject, what) in told {
        // A key may come before its delivery is judged, or after: each has a life of its own.
        let kind = &subject[..2];
        lives.entry(format!("{} {kind}", numbers[&subject])).or_default().push(what);
    }
    lives
}

/// How many there are of each kind of file and slot, and every row of every vault.
fn world(site: &Site<'_>) -> (BTreeMap<String, usize>, Vec<Vec<String>>) {
    let mut counts = BTreeMap::new();
    for folder in ["spool", "vault", "cases", "wipes", "receipts"] {
        counts.insert(folder.to_owned(), site.files(&format!("state/{folder}")).len());
    }
    let store = key_store(&site.dir).unwrap();
    for name in store.names() {
        let state = match store.state(&name).unwrap() {
            SlotState::Absent => "absent",
            SlotState::Live => "live",
            SlotState::Destroyed { .. } => "destroyed",
        };
        let kind = name.split(':').next().unwrap();
        *counts.entry(format!("{kind} {state}")).or_default() += 1;
    }
    let columns = ["national_id", "name", "birth_date", "indigenous"].map(str::to_owned);
    let mut rows = Vec::new();
    for file in site.files("state/vault") {
        let id = file.strip_suffix(".db").unwrap();
        let key = store.get(&format!("vault:{id}")).unwrap().expect("a vault has its key");
        let vault =
            Vault::open(&site.dir.join("state/vault"), id.parse().unwrap(), &key, Window::OWN)
                .unwrap();
        vault
            .rows(&columns, &[], &mut |_, _, values| {
                rows.push(values.to_vec());
                true
            })
            .unwrap();
    }
    rows.sort();
    (counts, rows)
}

/// Drops small deliveries one by one; how long each took from its rename until it was loaded.
fn latencies(site: &Site<'_>, agent: &Agent, provider: &Provider, count: u64) -> Vec<Duration> {
    let mut remote = agent.remote().expect("the agent answers");
    let mut is_loaded = |n: u64| {
        let after = (n > 0).then(|| BatchId::new(n));
        match remote.ask(&Query::Batches { after }).unwrap() {
            Answer::Batches(part) => part.rows.iter().any(|row| row.state == "loaded"),
            _ => panic!("another answer than was asked for"),
        }
    };
    let time = |n| {
        let packed = provider.pack(n, 10);
        // The key was noticed by now: what is timed is the delivery.
        thread::sleep(Duration::from_millis(50));
        let dropped = Instant::now();
        provider.release(&packed);
        while !is_loaded(n) {
            assert!(dropped.elapsed() < PATIENCE, "delivery {n} is not loaded");
            thread::sleep(Duration::from_millis(2));
        }
        dropped.elapsed()
    };
    let times = (0..count).map(time).collect();
    assert!(fs::read_dir(site.dir.join("drop").join(LINK)).unwrap().next().is_none());
    times
}

#[test]
fn a_small_delivery_is_loaded_at_once_with_events() {
    let people = People::new();
    let (site, provider) = arranged(&people, "600s");
    let agent = Agent::start(&site);
    let p99 = quantile(latencies(&site, &agent, &provider, 20), 0.99);
    eprintln!("with events: {p99:?}");
    // Ten times what is promised on a machine that does nothing else; a scan would take minutes.
    assert!(p99 < Duration::from_secs(3), "{p99:?}");
    agent.end();
}

#[test]
fn a_small_delivery_is_loaded_by_the_next_scan_where_no_event_comes() {
    let people = People::new();
    let (site, provider) = arranged(&people, "2s");
    let agent = Agent::start_with(&site, &["--test-no-events"]);
    let times = latencies(&site, &agent, &provider, 6);
    eprintln!("without events, scanning every 2 s: {times:?}");
    let longest = *times.iter().max().unwrap();
    assert!(longest < Duration::from_secs(3 + 3), "{longest:?}");
    // An agent that got events after all would be at once.
    assert!(longest > Duration::from_millis(200), "{longest:?}");
    agent.end();
}

/// `run --once` on a terminal, by the script(1) of Debian; what it printed.
fn on_a_terminal(site: &Site<'_>) -> String {
    let line = format!(
        "{} --config {} --test-clock {} run --once",
        env!("CARGO_BIN_EXE_batchward"),
        site.dir.join("agent.yaml").display(),
        site.time()
    );
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env("COLUMNS", "100");
    let output = script.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_long_step_has_a_bar_on_a_terminal_and_a_short_one_has_none() {
    let people = People::new();
    let (site, provider) = arranged(&people, "30s");
    provider.deliver(0..1, 10);
    assert!(!on_a_terminal(&site).contains("B/s"));
    provider.deliver(1..2, 400_000);
    let shown = on_a_terminal(&site);
    assert!(shown.contains("load  b-00000002"), "{shown}");
    assert!(shown.contains("iB/s"), "{shown}");
    assert!(shown.contains("loaded"), "{shown}");
}
