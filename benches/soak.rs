//! A long life in fast motion: `cargo bench --bench soak`.
//!
//! One resident agent, the release binary, first takes 200 small deliveries one by one: from the rename that drops each
//! to its verdict. Then it takes 100,000 deliveries of ten synthetic records, a few hundred at a time,
//! as fast as it can. Every so often its memory, its descriptors and the files of its state are counted and printed.
//! At the end every delivery must be loaded, nothing may be left over, and the register must verify. What must hold is
//! asserted; the rest is printed.
//!
//! `--deliveries N` (100000), `--step N` (a tenth of them: how often it counts), `--dir DIR` (where the site lies; a
//! folder below the build's own by default).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    unreachable_pub,
    dead_code,
    reason = "a measuring program: whatever does not work ends it"
)]

#[path = "../tests/support/provider.rs"]
mod provider;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use batchward::{
    domain::ids::BatchId,
    protocol::Remote,
    service::query::{Answer, Query},
};
use provider::Provider;

/// Deliveries that wait for the agent at most: a provider that never runs out, and does not bury it.
const AHEAD: u64 = 300;
/// Deliveries that come one by one, before the many.
const ONE_BY_ONE: u64 = 200;
/// Records of a delivery.
const RECORDS: u64 = 10;
/// What an agent may take for one delivery, when it is slow.
const PATIENCE: Duration = Duration::from_secs(120);

struct Options {
    deliveries: u64,
    step: u64,
    dir: PathBuf,
}

fn options() -> Options {
    let mut options =
        Options { deliveries: 100_000, step: 0, dir: PathBuf::from(env!("CARGO_TARGET_TMPDIR")) };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("'{word}' needs a value"));
        match word.as_str() {
            // Cargo says so itself.
            "--bench" => {}
            "--deliveries" => options.deliveries = value().parse().unwrap(),
            "--step" => options.step = value().parse().unwrap(),
            "--dir" => options.dir = PathBuf::from(value()),
            other => panic!("'{other}' is no option; they stand at the top of this program"),
        }
    }
    if options.step == 0 {
        options.step = (options.deliveries / 10).max(1);
    }
    options
}

/// A site with one link, and its agent.
struct Soak {
    dir: PathBuf,
    agent: Child,
}

/// What an agent holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// Memory of its own, in KiB (proc(5): `RssAnon`).
    memory: u64,
    descriptors: u64,
    spool: u64,
    vaults: u64,
    cases: u64,
}

impl Soak {
    fn start(dir: &Path) -> (Self, Provider) {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut install = Command::new("sh");
        install.arg(package.join("tests/samples/install.sh")).arg("--policies");
        works(install.arg(package.join("policies")).arg(dir));
        let provider = Provider::arrange(dir);
        let path = dir.join("agent.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("socket:")).collect();
        fs::write(&path, format!("{}\nsocket: run/control.sock\n", text.join("\n"))).unwrap();
        let init = ["init", dir.to_str().unwrap(), "--site", "taoyuan-dwcd"];
        works(batchward(dir).args(init));
        let agent = batchward(dir).arg("run").stderr(Stdio::null()).spawn().unwrap();
        (Self { dir: dir.to_owned(), agent }, provider)
    }

    /// How many batches are loaded; none before it answers.
    fn loaded(&self) -> Option<u64> {
        let mut remote =
            Remote::connect(&self.dir.join("run/control.sock"), None).ok().flatten()?;
        let Answer::Status(page) = remote.ask(&Query::Status).ok()? else { return None };
        Some(page.batches.iter().find(|(state, _)| *state == "loaded").map_or(0, |(_, n)| *n))
    }

    /// Drops deliveries one by one, and prints how long each took from its rename until it was loaded.
    fn latency(&self, provider: &Provider, count: u64) {
        while self.loaded().is_none() {
            thread::sleep(Duration::from_millis(10));
        }
        let socket = self.dir.join("run/control.sock");
        let mut remote = Remote::connect(&socket, None).unwrap().unwrap();
        let mut times: Vec<f64> = (0..count)
            .map(|n| {
                let packed = provider.pack(n, RECORDS);
                // The key was noticed by then.
                thread::sleep(Duration::from_millis(50));
                let dropped = Instant::now();
                provider.release(&packed);
                let after = (n > 0).then(|| BatchId::new(n));
                loop {
                    let answer = remote.ask(&Query::Batches { after }).unwrap();
                    let Answer::Batches(part) = answer else { panic!("another answer") };
                    if part.rows.iter().any(|row| row.state == "loaded") {
                        return dropped.elapsed().as_secs_f64() * 1000.0;
                    }
                    assert!(dropped.elapsed() < PATIENCE, "delivery {n} is not loaded");
                    thread::sleep(Duration::from_millis(1));
                }
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
        println!(
            "{count} deliveries one by one, from the rename to loaded: median {:.0} ms, p99 {:.0} ms, longest {:.0} ms (p99 must be under 300)",
            at(50),
            at(99),
            at(100)
        );
    }

    fn held(&self) -> Held {
        let status = fs::read_to_string(format!("/proc/{}/status", self.agent.id())).unwrap();
        let anon = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        let count = |folder: PathBuf| fs::read_dir(folder).unwrap().count() as u64;
        let state = |name: &str| count(self.dir.join("state").join(name));
        Held {
            memory: anon.trim().trim_end_matches(" kB").parse().unwrap(),
            descriptors: count(PathBuf::from(format!("/proc/{}/fd", self.agent.id()))),
            spool: state("spool"),
            vaults: state("vault"),
            cases: state("cases"),
        }
    }
}

impl Drop for Soak {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

fn batchward(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
    command.arg("--config").arg(dir.join("agent.yaml"));
    command
}

fn works(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

fn main() {
    let options = options();
    let work = tempfile::tempdir_in(&options.dir).unwrap();
    let (mut soak, provider) = Soak::start(work.path());
    soak.latency(&provider, ONE_BY_ONE);
    let began = Instant::now();
    let (mut dropped, mut loaded) = (ONE_BY_ONE, ONE_BY_ONE);
    let mut told: Vec<Held> = Vec::new();
    let mut changed = Instant::now();
    println!("deliveries  seconds  per second  memory KiB  descriptors  spool  vaults  cases");
    while loaded < options.deliveries {
        while dropped < options.deliveries && dropped < loaded + AHEAD {
            provider.deliver(dropped..dropped + 1, RECORDS);
            dropped += 1;
        }
        thread::sleep(Duration::from_millis(200));
        let now = soak.loaded().unwrap_or(loaded);
        if now > loaded {
            changed = Instant::now();
        }
        assert!(changed.elapsed() < PATIENCE, "nothing was loaded for long: {loaded} are");
        loaded = now;
        if loaded / options.step > told.len() as u64 || loaded == options.deliveries {
            let (held, seconds) = (soak.held(), began.elapsed().as_secs_f64());
            println!(
                "{loaded:>10}  {seconds:>7.0}  {:>10.1}  {:>10}  {:>11}  {:>5}  {:>6}  {:>5}",
                (loaded - ONE_BY_ONE) as f64 / seconds,
                held.memory,
                held.descriptors,
                held.spool,
                held.vaults,
                held.cases
            );
            told.push(held);
        }
    }
    let last = told.last().unwrap();
    assert_eq!(
        (last.spool, last.vaults, last.cases),
        (options.deliveries, options.deliveries, options.deliveries),
        "one file of each kind for each batch, and no other"
    );
    assert!(last.descriptors < told[0].descriptors + 8, "descriptors are given back");
    let pid = rustix::process::Pid::from_child(&soak.agent);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(soak.agent.wait().unwrap().success(), "it ends in order");
    let began = Instant::now();
    let said = works(batchward(work.path()).args(["register", "verify"]));
    print!("{}", String::from_utf8(said.stdout).unwrap());
    println!("verified in {:.1} s", began.elapsed().as_secs_f64());
}
