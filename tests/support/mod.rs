//! A site that tests play on: laid out by the samples' own `install.sh`, run through the real binary, with the
//! people of the samples as accounts.
//!
//! Time comes from the hidden clock of the test build: every command starts a minute after the one before, so
//! that no test depends on the day it runs. All keys here are throw-away keys of the samples, or made on the spot.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests; each test file uses a part of this"
)]

pub(crate) mod normal;
pub(crate) mod office;
#[cfg(feature = "test-hooks")]
pub(crate) mod picture;
pub(crate) mod postgres;
pub(crate) mod provider;
pub(crate) mod search;

use std::{
    cell::{Cell, RefCell},
    fs,
    io::Write,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// 2026-11-21 10:00 in Taipei, in seconds: where each site's clock starts.
const MORNING: i64 = 1_795_226_400;

/// The package.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The samples.
pub(crate) fn samples() -> PathBuf {
    root().join("tests/samples")
}

/// A folder in memory where the machine has room there, else an ordinary one: for tests that start the program
/// thousands of times. They stop processes and not machines, so nothing is lost by a sync that costs nothing.
pub(crate) fn memory() -> tempfile::TempDir {
    const ROOM_BYTES_MIN: u64 = 256 << 20;
    let room = rustix::fs::statvfs("/dev/shm").map_or(0, |about| about.f_bavail * about.f_frsize);
    let made =
        if room < ROOM_BYTES_MIN { tempfile::tempdir() } else { tempfile::tempdir_in("/dev/shm") };
    made.or_else(|_| tempfile::tempdir()).unwrap()
}

/// The unix user that runs the tests.
pub(crate) fn myself() -> String {
    String::from_utf8(done(Command::new("id").arg("-un"))).unwrap().trim().to_owned()
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The words that were typed.
    pub(crate) words: String,
    /// Exit code; nothing when a signal ended it.
    pub(crate) status: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    /// It must have worked.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    /// It must have ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.status, Some(code), "{}", self.account());
        self
    }

    /// Standard output as text.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout)
            .unwrap_or_else(|_| panic!("not UTF-8: {}", self.account()))
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.account()))
    }

    /// The first id of this kind that the reply names.
    #[track_caller]
    pub(crate) fn id(&self, letter: char) -> String {
        let is_id = |word: &&str| {
            let digits = word.strip_prefix(letter).and_then(|rest| rest.strip_prefix('-'));
            digits.is_some_and(|d| d.len() >= 8 && d.bytes().all(|b| b.is_ascii_digit()))
        };
        let mut words = self.text().split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        words
            .find(is_id)
            .unwrap_or_else(|| panic!("no id '{letter}-…': {}", self.account()))
            .to_owned()
    }

    fn account(&self) -> String {
        let out = String::from_utf8_lossy(&self.stdout);
        let Self { words, status, signal, stderr, .. } = self;
        format!(
            "'{words}' ended with {status:?} (signal {signal:?})\nstdout: {out}\nstderr: {stderr}"
        )
    }
}

/// Keys of people: private halves of the samples' accounts, and two founders made on the spot.
pub(crate) struct People {
    dir: tempfile::TempDir,
}

impl People {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let people = Self { dir };
        let mut tar = Command::new("tar");
        tar.arg("-xzf")
            .arg(samples().join("keys/test-keys.tar.gz"))
            .arg("-C")
            .arg(people.dir.path());
        done(&mut tar);
        for name in ["alice", "henry", "sue", "audrey"] {
            let key = people.key(name);
            fs::copy(people.dir.path().join("keys/accounts").join(name), &key).unwrap();
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
            let public = samples().join("keys/accounts").join(format!("{name}.pub"));
            fs::copy(public, people.public(name)).unwrap();
        }
        for name in ["ada", "ben"] {
            people.new_key(name);
        }
        people
    }

    /// A new key pair under this name.
    pub(crate) fn new_key(&self, name: &str) {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(self.key(name));
        done(&mut keygen);
    }

    /// The private key.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The public key.
    pub(crate) fn public(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("{name}.pub"))
    }

    /// The key of a batch, as the provider sends it.
    pub(crate) fn batch_key(&self, file: &str) -> PathBuf {
        self.dir.path().join("keys/batches").join(file)
    }
}

/// A site.
pub(crate) struct Site<'p> {
    pub(crate) people: &'p People,
    /// The folder that holds `agent.yaml`.
    pub(crate) dir: PathBuf,
    minute: Cell<i64>,
    log: RefCell<Vec<u8>>,
    _owned: Option<tempfile::TempDir>,
}

impl<'p> Site<'p> {
    /// A folder without anything in it.
    pub(crate) fn bare(people: &'p People) -> Self {
        Self::within(people, tempfile::tempdir().unwrap())
    }

    fn within(people: &'p People, owned: tempfile::TempDir) -> Self {
        let dir = owned.path().join("site");
        fs::create_dir_all(owned.path().join("tmp")).unwrap();
        Self { people, dir, minute: Cell::new(0), log: RefCell::default(), _owned: Some(owned) }
    }

    /// As [`Site::laid_out`] without deliveries, in memory.
    pub(crate) fn in_memory(people: &'p People) -> Self {
        let site = Self::within(people, memory());
        let policies = root().join("policies");
        site.install(&["--policies", policies.to_str().unwrap()], &[]);
        site
    }

    /// The samples' site as it is delivered, with these cases in the drop; not yet a site of ours.
    pub(crate) fn laid_out(people: &'p People, cases: &[&str]) -> Self {
        let site = Self::bare(people);
        let policies = root().join("policies");
        site.install(&["--policies", policies.to_str().unwrap()], cases);
        site
    }

    /// A laid-out site with state, two founders and the four people of the samples. `unit` is henry's.
    pub(crate) fn founded(people: &'p People, cases: &[&str], unit: &str) -> Self {
        let site = Self::laid_out(people, cases);
        site.init();
        site.accounts(unit);
        site
    }

    /// The site of another test's folder, at its minute.
    pub(crate) fn at(people: &'p People, dir: PathBuf, minute: i64) -> Self {
        fs::create_dir_all(dir.parent().unwrap().join("tmp")).unwrap();
        Self { people, dir, minute: Cell::new(minute), log: RefCell::default(), _owned: None }
    }

    /// `init` with two founders.
    pub(crate) fn init(&self) {
        let words = self.init_words();
        self.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok();
    }

    /// The words of `init` with two founders.
    pub(crate) fn init_words(&self) -> Vec<String> {
        let founder = |name: &str| format!("{name}={}", self.people.public(name).display());
        let dir = self.dir.to_str().unwrap();
        let words = ["init", dir, "--site", "taoyuan-dwcd", "--founder"];
        let mut words: Vec<String> = words.map(str::to_owned).to_vec();
        words.extend([founder("ada"), "--founder".to_owned(), founder("ben")]);
        words
    }

    /// Adds and confirms alice, henry, sue and audrey.
    pub(crate) fn accounts(&self, unit: &str) {
        let people = [
            ("alice", "custodian", "資訊室"),
            ("henry", "handler", unit),
            ("sue", "supervisor", unit),
            ("audrey", "auditor", "政風處"),
        ];
        for (name, role, unit) in people {
            let key = self.people.public(name);
            let key = key.to_str().unwrap();
            let words = ["account", "add", name, "--role", role, "--unit", unit, "--sign-key", key];
            self.run_as("ada", &words).ok();
            self.run_as("ben", &["account", "confirm", name]).ok();
        }
    }

    /// The samples' `install.sh`.
    pub(crate) fn install(&self, options: &[&str], cases: &[&str]) {
        let mut sh = Command::new("sh");
        sh.args(["-c", "umask 022; exec sh \"$0\" \"$@\""]).arg(samples().join("install.sh"));
        done(sh.args(options).arg(&self.dir).args(cases));
        // One system user plays everybody here, and the configuration says so.
        let file = self.dir.join("agent.yaml");
        let text = fs::read_to_string(&file).unwrap();
        if !text.contains("shared_users:") {
            let uid = rustix::process::getuid().as_raw();
            let line = format!(
                "shared_users: [{{ uid: {uid}, reason: one system user plays everybody }}]\n"
            );
            fs::write(&file, text + &line).unwrap();
        }
    }

    /// The key of a batch into the keybox, by one rename.
    pub(crate) fn bring_key(&self, link: &str, file: &str) {
        let keybox = self.dir.join("keys").join(link);
        let part = keybox.join(format!(".{file}.part"));
        fs::copy(self.people.batch_key(file), &part).unwrap();
        fs::set_permissions(&part, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(part, keybox.join(file)).unwrap();
    }

    /// One command, unsigned.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, &[], b"")
    }

    /// One command, signed by an account.
    pub(crate) fn run_as(&self, name: &str, words: &[&str]) -> Ran {
        self.run_as_with(name, words, b"")
    }

    /// One command, signed, with something on standard input.
    pub(crate) fn run_as_with(&self, name: &str, words: &[&str], input: &[u8]) -> Ran {
        let key = self.people.key(name);
        self.run_with(words, &["--as", name, "--sign-with", key.to_str().unwrap()], input)
    }

    /// One command with further global flags. Rows of `query` and `match` are kept out of the log: they are
    /// what was asked for.
    pub(crate) fn run_with(&self, words: &[&str], global: &[&str], input: &[u8]) -> Ran {
        let clock = self.time();
        self.minute.set(self.minute.get() + 1);
        self.run_at(&clock, words, global, input)
    }

    /// One command whose clock starts at this time; the site's own minute stands.
    pub(crate) fn run_at(&self, clock: &str, words: &[&str], global: &[&str], input: &[u8]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
        command.arg("--config").arg(self.dir.join("agent.yaml")).args(["--test-clock", clock]);
        command.args(global).args(words);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8");
        command.env("TMPDIR", self.temporary()).current_dir(self.dir.parent().unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        // A command that does not read its input closes the pipe: no fault.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let rows = matches!(words.first(), Some(&"query" | &"match"));
        let mut log = self.log.borrow_mut();
        log.extend_from_slice(if rows { b"" } else { &output.stdout });
        log.extend_from_slice(&output.stderr);
        Ran {
            words: words.join(" "),
            status: output.status.code(),
            signal: output.status.signal(),
            stdout: output.stdout,
            stderr,
        }
    }

    /// All that can be done now.
    pub(crate) fn once(&self) -> Ran {
        self.run(&["run", "--once"]).ok()
    }

    /// `batch list --json`.
    pub(crate) fn batches(&self) -> Vec<Value> {
        let list = self.run(&["batch", "list", "--json"]).ok().json();
        list.as_array().expect("batch list is an array").clone()
    }

    /// The row of a delivery in `batch list`.
    #[track_caller]
    pub(crate) fn row(&self, delivery: &str) -> Value {
        let rows = self.batches();
        let mut found = rows.iter().filter(|row| row["delivery"] == delivery);
        let row = found.next().unwrap_or_else(|| panic!("'{delivery}' is not in {rows:#?}"));
        assert!(found.next().is_none(), "'{delivery}' is there twice: {rows:#?}");
        row.clone()
    }

    /// The id of the batch with a provider's number.
    #[track_caller]
    pub(crate) fn row_numbered(&self, number: &str) -> String {
        let rows = self.batches();
        let row = rows.iter().find(|row| row["number"] == number);
        let row = row.unwrap_or_else(|| panic!("no '{number}' in {rows:#?}"));
        row["id"].as_str().unwrap().to_owned()
    }

    /// `batch show ID --json`.
    pub(crate) fn show(&self, id: &str) -> Value {
        self.run(&["batch", "show", id, "--json"]).ok().json()
    }

    /// A grant over all fields of a link: henry applies, sue approves.
    pub(crate) fn grant(&self, link: &str) -> String {
        let apply =
            ["grant", "apply", "--link", link, "--until", "2027-06-30", "--purpose", "資格審查"];
        let words = [apply.as_slice(), &["--basis", "府社婦字第1150009999號"]].concat();
        let grant = self.run_as("henry", &words).ok().id('g');
        self.run_as("sue", &["grant", "approve", &grant]).ok();
        grant
    }

    /// `query` of henry, with these further words.
    pub(crate) fn query(&self, grant: &str, more: &[&str]) -> Ran {
        let words = ["query", "--grant", grant, "--case", "115-001", "--reason", "資格審查"];
        self.run_as("henry", &[words.as_slice(), more].concat())
    }

    /// `register verify --json` says that all is well.
    pub(crate) fn verify(&self) -> Value {
        let ran = self.run(&["register", "verify", "--json"]);
        let report = ran.json();
        assert_eq!(report["ok"], true, "{report:#}");
        ran.ok();
        report
    }

    /// The time at which the next command starts.
    pub(crate) fn time(&self) -> String {
        let seconds = MORNING + 60 * self.minute.get();
        chrono::DateTime::from_timestamp(seconds, 0).unwrap().to_rfc3339()
    }

    /// The minute of the next command.
    pub(crate) fn minute(&self) -> i64 {
        self.minute.get()
    }

    /// Lets time pass.
    pub(crate) fn wait_minutes(&self, minutes: i64) {
        self.minute.set(self.minute.get() + minutes);
    }

    /// The temporary folder of the commands.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.dir.parent().unwrap().join("tmp")
    }

    /// Everything that commands have printed, but for rows of queries.
    pub(crate) fn log(&self) -> Vec<u8> {
        self.log.borrow().clone()
    }

    /// Files below a folder of the site, by path below it, sorted.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        let top = self.dir.join(below);
        let mut found = Vec::new();
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                if fs::symlink_metadata(&path).unwrap().is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&top).unwrap().to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    }
}

/// Whether somebody reads a vault of a site: SQLite holds a lock of the kernel on a file that it reads.
pub(crate) fn vault_is_read(site: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let vaults = fs::read_dir(site.join("state/vault")).unwrap();
    let inodes: Vec<String> =
        vaults.map(|entry| format!(":{}", entry.unwrap().metadata().unwrap().ino())).collect();
    let locks = fs::read_to_string("/proc/locks").unwrap();
    let mut files = locks.lines().filter_map(|line| line.split_whitespace().nth(5));
    files.any(|file| inodes.iter().any(|inode| file.ends_with(inode.as_str())))
}

/// Runs a stock tool that must work, with something on its standard input.
pub(crate) fn fed(command: &mut Command, input: &[u8]) -> Vec<u8> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Runs a stock tool that must work.
pub(crate) fn done(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
