//! A long register: `cargo bench --bench register`.
//!
//! First the journal alone, on the disk of `--dir`: what one synced write takes there, one entry to its signed durable
//! checkpoint, and many entries in one commit. Then a site whose register holds 10,000,000 synthetic entries, written
//! by the journal's own code in large commits and published: lives of batches from the first sight to the end (26
//! entries each), the last 2,000 of them loaded. Measured are the first start of the release binary until it answers, and
//! the second, which finds what the first one left in the state folder to be quicker; its memory, `status`, and
//! `register verify` with its memory. Targets stand beside the figures; what the machine does not reach is printed, not
//! asserted.
//!
//! `--entries N` (10000000), `--dir DIR` (where the site lies; a folder below the build's own by default; ten million
//! entries need 8 GB there), `--only journal` (nothing but the journal alone). Keys, names and signatures are synthetic; no
//! signature of them is ever asked for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::needless_pass_by_value,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    unreachable_pub,
    dead_code,
    reason = "a measuring program: whatever does not work ends it"
)]

#[path = "register/lives.rs"]
mod lives;
#[path = "../tests/support/provider.rs"]
mod provider;

use std::{
    fs,
    io::Write,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use batchward::{
    adapters::{
        journal::{Journal, Log},
        keystore::KeyStore,
        root_key::RootKeySource,
        tiles,
    },
    domain::{checkpoint::RegisterKey, entry::Entry, time::Timestamp},
    protocol::Remote,
    service::query::{Answer, Query},
};
use lives::Lives;
use provider::Provider;

/// The site.
const SITE: &str = "taoyuan-dwcd";
/// Entries of one commit while the long register is written.
const BULK: usize = 20_000;
/// Batches that are loaded at the end; all others are closed.
const OPEN: u64 = 2_000;
/// Commits of which the middle and the slowest are told.
const COMMITS: usize = 500;
/// What a start may take before the measurement gives up.
const PATIENCE: Duration = Duration::from_secs(3600);

struct Options {
    entries: u64,
    dir: PathBuf,
    /// The journal alone.
    alone: bool,
}

fn options() -> Options {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut options = Options { entries: 10_000_000, dir, alone: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("'{word}' needs a value"));
        match word.as_str() {
            // Cargo says so itself.
            "--bench" => {}
            "--entries" => options.entries = value().parse().unwrap(),
            "--only" => options.alone = value() == "journal",
            "--dir" => options.dir = PathBuf::from(value()),
            other => panic!("'{other}' is no option; they stand at the top of this program"),
        }
    }
    options
}

fn main() {
    let options = options();
    let work = tempfile::tempdir_in(&options.dir).unwrap();
    appends(work.path());
    if options.alone {
        return;
    }
    let site = Site::lay(&work.path().join("site"));
    let began = Instant::now();
    let size = site.fill(options.entries);
    let took = began.elapsed().as_secs_f64();
    println!("\nwritten: {size} entries in {took:.0} s, {:.0}/s", size as f64 / took);
    let began = Instant::now();
    site.publish();
    println!("published: in {:.0} s", began.elapsed().as_secs_f64());
    site.starts(size);
    site.verify(size);
}

/// The middle and the 99th of a hundred, in milliseconds.
fn shown(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)] * 1000.0;
    format!("p50 {:.2} ms, p99 {:.2} ms", at(50), at(99))
}

fn timed(count: usize, mut what: impl FnMut(usize)) -> Vec<f64> {
    (0..count)
        .map(|n| {
            let began = Instant::now();
            what(n);
            began.elapsed().as_secs_f64()
        })
        .collect()
}

/// The disk's own synced write; one entry to its durable checkpoint; many entries in one commit.
fn appends(dir: &Path) {
    let mut file = fs::File::create(dir.join("synced")).unwrap();
    file.write_all(&[0; 4096]).unwrap();
    let synced = timed(COMMITS, |n| {
        file.write_all_at(&[n as u8; 4096], 0).unwrap();
        file.sync_data().unwrap();
    });
    let synced = shown(synced);
    println!("the disk's own write and fsync of 4 KiB: {synced}");
    let key = batchward::domain::secret::Secret::new(vec![9; 32]);
    let key = RegisterKey::from_secret(&key, &Log::Register.origin(SITE)).unwrap();
    let mut journal = Journal::create(&dir.join("alone.db"), SITE).unwrap();
    let mut entries = Lives::new(0, Timestamp::from_millis(0)).flat_map(|life| life.into_iter());
    let mut group = |size: usize| -> Vec<(Log, Vec<u8>)> {
        entries.by_ref().take(size).map(|bytes| (Log::Register, bytes)).collect()
    };
    let one: Vec<_> = (0..COMMITS).map(|_| group(1)).collect();
    let times = timed(COMMITS, |n| drop(journal.append(&key, &one[n]).unwrap()));
    println!(
        "one entry to its signed durable checkpoint: {} (target: p50 under 5 ms where the disk's fsync takes 1 ms)",
        shown(times)
    );
    for size in [16, 64, 256] {
        let groups: Vec<_> = (0..40).map(|_| group(size)).collect();
        let took: f64 =
            timed(groups.len(), |n| drop(journal.append(&key, &groups[n]).unwrap())).iter().sum();
        println!(
            "commits of {size} entries: {:.0} entries/s, {:.2} ms each (target of group commit: 5,000/s; the disk's own fsync: {synced})",
            (groups.len() * size) as f64 / took,
            took * 1000.0 / groups.len() as f64
        );
    }
}

/// A site with one link.
struct Site {
    dir: PathBuf,
}

impl Site {
    fn lay(dir: &Path) -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(dir).unwrap();
        let mut install = Command::new("sh");
        install.arg(package.join("tests/samples/install.sh")).arg("--policies");
        works(install.arg(package.join("policies")).arg(dir));
        drop(Provider::arrange(dir));
        let path = dir.join("agent.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("socket:")).collect();
        fs::write(&path, format!("{}\nsocket: run/control.sock\n", text.join("\n"))).unwrap();
        let site = Self { dir: dir.to_owned() };
        works(site.batchward().args(["init", dir.to_str().unwrap(), "--site", SITE]));
        site
    }

    fn batchward(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
        command.arg("--config").arg(self.dir.join("agent.yaml"));
        command
    }

    /// The register key and the journal of the site, which no agent has now.
    fn journal(&self) -> (RegisterKey, Journal) {
        let root = RootKeySource::File(self.dir.join("root.key")).read().unwrap();
        let keys = KeyStore::open(&self.dir.join("state/keys"), &root).unwrap();
        let seed = keys.get("register").unwrap().unwrap();
        let key = RegisterKey::from_secret(&seed, &Log::Register.origin(SITE)).unwrap();
        (key, Journal::open(&self.dir.join("state/journal.db"), SITE).unwrap())
    }

    /// Writes lives of batches until the register has about so many entries, while a second thread makes the next ones.
    /// Gives how many it has.
    fn fill(&self, entries: u64) -> u64 {
        let (key, mut journal) = self.journal();
        let mut size = journal.size(Log::Register).unwrap();
        let batches = entries / 26;
        let first = Entry::from_bytes(&journal.entry(Log::Register, 0).unwrap()).unwrap();
        let lives = Lives::new(size, first.at).loaded_from(batches.saturating_sub(OPEN));
        let (to, from) = mpsc::sync_channel(2);
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut entries = lives.flatten().map(|bytes| (Log::Register, bytes));
                // Until nobody takes more.
                while to.send(entries.by_ref().take(BULK).collect::<Vec<_>>()).is_ok() {}
            });
            while size < entries {
                let mut bulk = from.recv().unwrap();
                bulk.truncate(usize::try_from(entries - size).unwrap());
                size += journal.append(&key, &bulk).unwrap().len() as u64;
            }
            drop(from);
        });
        size
    }

    /// Makes the files of the register, as an agent that starts does.
    fn publish(&self) {
        let (key, journal) = self.journal();
        let dir = self.dir.join("state/register");
        let verifier = key.verifier_of(&Log::Register.origin(SITE));
        let known = tiles::reconcile(&dir, &journal, Log::Register, &verifier).unwrap();
        tiles::publish(&dir, &journal, Log::Register, &key, known).unwrap();
    }

    /// Starts the agent three times: the first start publishes the files, the second has the cache of the fold, from
    /// the third it was taken away.
    fn starts(&self, size: u64) {
        let (agent, took, _) = self.start();
        agent.stop();
        println!("first start, which publishes the files: {took:.1} s");
        let cache = self.dir.join("state/fold.cache");
        println!("the cache: {} MiB", fs::metadata(&cache).unwrap().len() >> 20);
        for (what, target) in [("with the cache", 5), ("without a cache", 60)] {
            let (agent, took, mut remote) = self.start();
            println!(
                "start {what}: {took:.1} s, {:.0} entries/s (target for 10,000,000: under {target} s)",
                size as f64 / took
            );
            let times = timed(20, |_| drop(remote.ask(&Query::Status).unwrap()));
            println!("status: {}", shown(times));
            println!(
                "memory of the agent: {} (target for 10,000,000: under 300 MiB)",
                agent.memory()
            );
            agent.stop();
            // The last one has written it again.
            fs::remove_file(&cache).unwrap();
        }
    }

    /// `register verify` of the live state.
    fn verify(&self, size: u64) {
        let began = Instant::now();
        let mut command = self.batchward();
        command.args(["register", "verify"]).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (mut most, id) = (0, child.id());
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            most = most.max(resident(id, "VmHWM:").unwrap_or(0));
            thread::sleep(Duration::from_millis(5));
        };
        let took = began.elapsed().as_secs_f64();
        assert!(status.success(), "the register is good");
        println!(
            "verify: {took:.1} s, {:.0} entries/s, {} MiB at most (target: 300,000/s)",
            size as f64 / took,
            most / 1024
        );
    }

    /// Starts the agent; gives how long it took until it answered.
    fn start(&self) -> (Agent, f64, Remote) {
        let began = Instant::now();
        let child = self.batchward().arg("run").stderr(Stdio::null()).spawn().unwrap();
        let mut agent = Agent(child);
        loop {
            assert!(
                agent.0.try_wait().unwrap().is_none(),
                "the agent has ended: 'batchward status' says why"
            );
            let remote = Remote::connect(&self.dir.join("run/control.sock"), None).ok().flatten();
            if let Some(mut remote) = remote
                && let Ok(Answer::Status(_)) = remote.ask(&Query::Status)
            {
                return (agent, began.elapsed().as_secs_f64(), remote);
            }
            assert!(began.elapsed() < PATIENCE, "the agent does not answer");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// An agent that runs.
struct Agent(Child);

impl Agent {
    fn memory(&self) -> String {
        let [own, most] =
            ["RssAnon:", "VmHWM:"].map(|name| resident(self.0.id(), name).unwrap() / 1024);
        format!("{own} MiB of its own, {most} MiB at most")
    }

    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.0.wait().unwrap().success(), "it ends in order");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A line of proc(5) `status`, in KiB; nothing of a process that has ended.
fn resident(process: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn works(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}
