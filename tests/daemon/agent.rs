//! An agent that stays, as a child of the test.

use std::{
    fs::{self, File},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{People, Provider, Ran, Site, UNIT};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(90);

/// A founded site with a provider of small deliveries, whose agent would scan once an hour.
pub(crate) fn laid_out(people: &People) -> (Site<'_>, Provider) {
    laid_out_for(people, UNIT, |_| ())
}

/// The same with the people of another unit, and with files edited before the site is founded.
pub(crate) fn laid_out_for<'p>(
    people: &'p People,
    unit: &str,
    edit: impl Fn(&Site<'p>),
) -> (Site<'p>, Provider) {
    let site = Site::in_memory(people);
    let provider = Provider::arrange(&site.dir);
    replaced(
        &site.dir.join("agent.yaml"),
        "scan_every: 30s",
        "scan_every: 1h\nsocket: run/control.sock",
    );
    edit(&site);
    site.init();
    site.accounts(unit);
    (site, provider)
}

/// Replaces a text in a file that people write.
#[track_caller]
pub(crate) fn replaced(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "'{from}' is not in {}", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

/// The agent, ended with the test.
pub(crate) struct Agent<'s, 'p> {
    pub(crate) site: &'s Site<'p>,
    pub(crate) child: Child,
    start: chrono::DateTime<chrono::FixedOffset>,
    began: Instant,
    log: PathBuf,
}

impl Drop for Agent<'_, '_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What runs at the site next runs later.
        self.site.wait_minutes(10);
    }
}

impl<'s, 'p> Agent<'s, 'p> {
    /// Starts it and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(site: &'s Site<'p>) -> Self {
        Self::start_with(site, &[], None)
    }

    #[track_caller]
    pub(crate) fn start_with(site: &'s Site<'p>, flags: &[&str], notify: Option<&Path>) -> Self {
        let mut agent = Self::spawn(site, flags, notify);
        agent.until("ready", |agent| agent.log().contains(" ready"));
        agent
    }

    /// Starts it.
    pub(crate) fn spawn(site: &'s Site<'p>, flags: &[&str], notify: Option<&Path>) -> Self {
        let clock = site.time();
        let log = site.temporary().join(format!("agent-{}.log", site.minute()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
        command.arg("--config").arg(site.dir.join("agent.yaml")).args(["--test-clock", &clock]);
        command.args(flags).arg("run");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8");
        if let Some(notify) = notify {
            command.env("NOTIFY_SOCKET", notify).env("WATCHDOG_USEC", "3000000");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let start = chrono::DateTime::parse_from_rfc3339(&clock).unwrap();
        let began = Instant::now();
        Self { site, child: command.spawn().unwrap(), start, began, log }
    }

    /// The agent's time.
    pub(crate) fn time(&self) -> String {
        (self.start + self.began.elapsed()).to_rfc3339()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// One command, unsigned.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.site.run_at(&self.time(), words, &[], b"")
    }

    /// One command, signed.
    pub(crate) fn run_as(&self, name: &str, words: &[&str]) -> Ran {
        let key = self.site.people.key(name);
        let global = ["--as", name, "--sign-with", key.to_str().unwrap()];
        self.site.run_at(&self.time(), words, &global, b"")
    }

    /// Rows of `batch list`.
    pub(crate) fn batches(&self) -> Vec<Value> {
        self.run(&["batch", "list", "--json"]).ok().json().as_array().unwrap().clone()
    }

    /// Whether this many batches are loaded.
    pub(crate) fn has_loaded(&self, count: usize) -> bool {
        self.batches().iter().filter(|row| row["state"] == "loaded").count() == count
    }

    /// Waits until something holds.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the agent ended ({status}) before '{what}':\n{}", self.log());
            }
            assert!(begun.elapsed() < PATIENCE, "no '{what}' in time:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal)
            .unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn exit(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it in order.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.signal(rustix::process::Signal::TERM);
        let code = self.exit();
        assert_eq!(code, Some(0), "{}", self.log());
    }
}

/// A service manager's socket, and what came to it.
pub(crate) struct FakeManager {
    pub(crate) path: PathBuf,
    socket: UnixDatagram,
}

impl FakeManager {
    pub(crate) fn listen(path: PathBuf) -> Self {
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Self { path, socket }
    }

    /// Everything that came since this was last asked, and within the time.
    pub(crate) fn heard(&self, within: Duration) -> Vec<String> {
        let begun = Instant::now();
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while begun.elapsed() < within {
            if let Ok(length) = self.socket.recv(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                all.extend(text.lines().map(str::to_owned));
            }
        }
        all
    }

    /// Waits until a line with this start has come.
    #[track_caller]
    pub(crate) fn hears(&self, start: &str) -> Vec<String> {
        let begun = Instant::now();
        let mut all = Vec::new();
        while !all.iter().any(|line: &String| line.starts_with(start)) {
            assert!(begun.elapsed() < PATIENCE, "no '{start}' in {all:?}");
            all.extend(self.heard(Duration::from_millis(100)));
        }
        all
    }
}
