//! A site whose link fetches from a server, what lies on both sides of it, and how much memory it took.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    servers::{AsyncSsh, Keys, OpenSsh, user},
    support::{self, People, Site, provider::Provider},
};

/// The folder of deliveries on a server, below what it serves.
const OUTGOING: &str = "outgoing";
/// How often memory is read; the high-water mark only rises.
const LOOK_EVERY: Duration = Duration::from_millis(3);

/// Before the site is founded: the server can be started, whose port stands in the link.
pub(crate) struct Ground<'p> {
    pub(crate) site: Site<'p>,
    pub(crate) provider: Provider,
    pub(crate) keys: Keys,
    /// What the server serves.
    pub(crate) remote: PathBuf,
}

impl<'p> Ground<'p> {
    /// In memory.
    pub(crate) fn new(people: &'p People) -> Self {
        Self::over(Site::in_memory(people))
    }

    /// On a disk, for what is large.
    pub(crate) fn on_disk(people: &'p People) -> Self {
        Self::over(Site::laid_out(people, &[]))
    }

    fn over(site: Site<'p>) -> Self {
        let provider = Provider::arrange(&site.dir);
        let keys = Keys::new(site.dir.parent().unwrap().join("server-keys"));
        let remote = site.dir.parent().unwrap().join("remote");
        for folder in [OUTGOING, "done", "receipts"] {
            fs::create_dir_all(remote.join(folder)).unwrap();
        }
        Self { site, provider, keys, remote }
    }

    /// Puts a delivery that was packed onto the server.
    pub(crate) fn offer(&self, packed: &Path) -> String {
        let name = packed.file_name().unwrap().to_str().unwrap().to_owned();
        support::done(Command::new("cp").arg("-r").arg(packed).arg(self.outgoing(&name)));
        support::done(Command::new("rm").arg("-r").arg(packed));
        name
    }

    /// A delivery as it lies on the server.
    pub(crate) fn outgoing(&self, name: &str) -> PathBuf {
        self.remote.join(OUTGOING).join(name)
    }

    /// A delivery that was released.
    pub(crate) fn done(&self, name: &str) -> PathBuf {
        self.remote.join("done").join(name)
    }

    /// The asyncssh server over what is offered.
    pub(crate) fn asyncssh(&self, words: &[&str]) -> AsyncSsh {
        AsyncSsh::start(&self.keys, &self.remote, words)
    }

    /// OpenSSH's server; what it serves has its whole name.
    pub(crate) fn openssh(&self) -> OpenSsh {
        OpenSsh::start(&self.keys)
    }

    /// Founds the site with a link that fetches from this port; `below` is the server's name of what it serves.
    pub(crate) fn found(&self, port: u16, below: &str) {
        self.found_every("1m", port, below, &format!("{{ move: {below}/done }}"));
    }

    /// The same, looked at this often, with this done in the end.
    pub(crate) fn found_every(&self, every: &str, port: u16, below: &str, release: &str) {
        let ssh = self.site.dir.join("ssh");
        fs::create_dir_all(&ssh).unwrap();
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o700)).unwrap();
        fs::copy(self.keys.file("user"), ssh.join("small")).unwrap();
        fs::set_permissions(ssh.join("small"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(ssh.join("known_hosts"), self.keys.known("host", port)).unwrap();
        let link = self.site.dir.join("links/small.yaml");
        let text = fs::read_to_string(&link).unwrap();
        let source = format!(
            "source:\n  sftp:\n    host: 127.0.0.1\n    port: {port}\n    user: {}\n    identity: ../ssh/small\n    \
             known_hosts: ../ssh/known_hosts\n    path: {below}/{OUTGOING}\n    every: {every}\n    \
             release: {release}\n",
            user()
        );
        fs::write(&link, text + &source).unwrap();
        self.site.init();
    }

    /// `run --once` with a clock that is past the next turn of the source.
    pub(crate) fn once(&self) -> support::Ran {
        self.site.wait_minutes(5);
        self.site.run(&["run", "--once"])
    }

    /// The same until the delivery has been released, at most so many times; how many it took.
    #[track_caller]
    pub(crate) fn until_released(&self, name: &str, most: usize) -> usize {
        for turn in 1..=most {
            let ran = self.once();
            if self.done(name).exists() {
                return turn;
            }
            assert!(
                turn < most,
                "'{name}' is not released after {turn} turns: {ran:?}\n{}",
                self.account()
            );
        }
        unreachable!()
    }

    /// What the site says of itself, for messages.
    pub(crate) fn account(&self) -> String {
        let status = self.site.run(&["status", "--json"]).json();
        let (alarms, sources) = (&status["alarms"], &status["sources"]);
        format!("batches: {:?}\nsources: {sources}\nalarms: {alarms}", self.site.batches())
    }

    /// The alarms that stand, as they are told; not what a site of tests has by nature.
    pub(crate) fn alarms(&self) -> Vec<Value> {
        let status = self.site.run(&["status", "--json"]).json();
        let mut alarms = status["alarms"].as_array().unwrap().clone();
        alarms.retain(|alarm| alarm["level"] == "alarm");
        alarms
    }

    /// The delivery's batch has been loaded, exactly once.
    #[track_caller]
    pub(crate) fn assert_loaded_once(&self, number: &str) {
        let rows = self.rows(number);
        let states: Vec<_> = rows.iter().map(|row| row["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["loaded"], "{}", self.account());
    }

    /// Nothing is left where deliveries come in.
    #[track_caller]
    pub(crate) fn assert_inbox_empty(&self) {
        let left = self.site.files("drop/small");
        assert!(left.is_empty(), "left in the inbox: {left:?}");
    }

    /// Bytes below the site.
    pub(crate) fn bytes(&self) -> u64 {
        let walk = walkdir::WalkDir::new(&self.site.dir).into_iter();
        let sizes = walk.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len()));
        sizes.sum()
    }

    /// Rows of this number, all of them.
    pub(crate) fn rows(&self, number: &str) -> Vec<Value> {
        self.site.batches().into_iter().filter(|row| row["number"] == number).collect()
    }

    /// Everything that lies around and in the site but its state, what it holds and what it was offered.
    pub(crate) fn outside(&self) -> Vec<String> {
        let top = self.site.dir.parent().unwrap();
        let kept = ["site/state", "site/drop/small", "site/keys", "site/run", "tmp", "server-keys"];
        let mut found: Vec<String> = walkdir::WalkDir::new(top)
            .into_iter()
            .map(|entry| entry.unwrap().path().strip_prefix(top).unwrap().display().to_string())
            .filter(|path| !kept.iter().any(|kept| path.starts_with(kept)))
            .collect();
        found.sort();
        found
    }

    /// Starts `run --once` without waiting for it.
    pub(crate) fn start(&self, flags: &[&str]) -> Running {
        self.site.wait_minutes(5);
        let clock = self.site.time();
        let log = self.site.temporary().join(format!("run-{}.log", self.site.minute()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
        command.arg("--config").arg(self.site.dir.join("agent.yaml"));
        command.args(["--test-clock", &clock]).args(flags).args(["run", "--once"]);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8");
        command.env("TMPDIR", self.site.temporary()).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        let child = command.spawn().unwrap();
        self.site.wait_minutes(5);
        Running { child, log, peaks: Vec::new() }
    }
}

/// A `run --once` that is watched.
pub(crate) struct Running {
    pub(crate) child: Child,
    log: PathBuf,
    /// High-water marks of its processes, in KiB, by process.
    peaks: Vec<(u32, u64)>,
}

impl Drop for Running {
    fn drop(&mut self) {
        for pid in self.children() {
            kill(pid);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Processes that it started, and that those started, the eldest first.
    pub(crate) fn children(&self) -> Vec<u32> {
        let mut found = children_of(self.child.id());
        let mut at = 0;
        while let Some(pid) = found.get(at) {
            found.extend(children_of(*pid));
            at += 1;
        }
        found
    }

    /// Waits for its end, at most so long; its exit code, and nothing when a signal ended it.
    #[track_caller]
    pub(crate) fn end(&mut self, within: Duration) -> Option<i32> {
        let began = Instant::now();
        loop {
            self.look();
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(
                    status.signal().is_none_or(|signal| signal == 9 || signal == 6),
                    "{status}: {}",
                    self.log()
                );
                return status.code();
            }
            assert!(began.elapsed() < within, "no end within {within:?}:\n{}", self.log());
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Whether it has ended.
    pub(crate) fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// What it wrote.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The highest of the high-water marks of its processes, in MiB.
    pub(crate) fn peak_mib(&self) -> u64 {
        self.peaks.iter().map(|(_, kib)| kib >> 10).max().unwrap_or(0)
    }

    /// Processes that were seen, itself among them.
    pub(crate) fn processes(&self) -> usize {
        self.peaks.len()
    }

    fn look(&mut self) {
        let mut pids = self.children();
        pids.push(self.child.id());
        for pid in pids {
            let Some(kib) = high_water(pid) else { continue };
            match self.peaks.iter_mut().find(|(known, _)| *known == pid) {
                Some((_, peak)) => *peak = kib.max(*peak),
                None => self.peaks.push((pid, kib)),
            }
        }
    }
}

fn high_water(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Processes that a process started.
pub(crate) fn children_of(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let lists =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let numbers = |list: String| list.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    lists.flat_map(|list| -> Vec<u32> { numbers(list) }).collect()
}

/// `kill -9`.
pub(crate) fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}
