//! The restrictions of the units, put on a process by `bwrap` where systemd does not run the machine.
//!
//! What they are comes from systemd's own reading of the unit and its drop-in: the list of system calls, the folders,
//! the limits. What `bwrap` cannot do is left out and therefore not shown here: folders without execution, devices by
//! control group, the firewall. Exact forms of what it can do are systemd's, in `unit/filter.py`.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::json;

use super::{
    manager::{Reading, Units, installed, machine},
    support::{Ran, Site, fed, root},
};

/// A sandbox like that of one unit, for one site.
pub(super) struct Sandbox<'s> {
    site: &'s Site<'s>,
    reading: Reading,
    filter: PathBuf,
    _dir: tempfile::TempDir,
}

impl<'s> Sandbox<'s> {
    /// The sandbox of `unit` with the drop-in that `init` made for the site.
    pub(super) fn of(site: &'s Site<'s>, unit: &str) -> Self {
        Self::lacking(site, unit, &[])
    }

    /// The same, and these calls are refused besides.
    pub(super) fn lacking(site: &'s Site<'s>, unit: &str, calls: &[&str]) -> Self {
        let units = Units::shipped();
        let drop_in = site.dir.join("batchward.service.d/paths.conf");
        units.add(unit, &fs::read_to_string(drop_in).unwrap());
        let reading = units.read(unit);
        let dir = tempfile::tempdir().unwrap();
        let filter = dir.path().join("filter");
        fs::write(&filter, bpf(&reading, unit, calls)).unwrap();
        Self { site, reading, filter, _dir: dir }
    }

    /// The agent with these words, as the site's next command.
    pub(super) fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, &[])
    }

    /// The same, signed.
    pub(super) fn run_as(&self, name: &str, words: &[&str]) -> Ran {
        let key = self.site.people.key(name);
        self.run_with(words, &["--as", name, "--sign-with", key.to_str().unwrap()])
    }

    pub(super) fn run_with(&self, words: &[&str], global: &[&str]) -> Ran {
        let config = self.site.dir.join("agent.yaml");
        let clock = self.site.time();
        self.site.wait_minutes(1);
        let mut line = vec!["/usr/local/bin/batchward", "--config", config.to_str().unwrap()];
        line.extend(["--test-clock", &clock]);
        line.extend(global);
        line.extend(words);
        let output = self.command(&line).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let (status, signal) = (output.status.code(), output.status.signal());
        Ran { words: words.join(" "), status, signal, stdout: output.stdout, stderr }
    }

    /// What the planted program came to, by name.
    pub(super) fn probe(&self, outside: &Path) -> BTreeMap<String, String> {
        let mut command = self.command(&["/usr/bin/python3", "/tmp/probes/probe.py"]);
        probed(&command.args(told(self.site, outside)).output().unwrap())
    }

    /// Any command line in the sandbox.
    pub(super) fn command(&self, line: &[&str]) -> Command {
        // The shell sets what a service manager sets before it executes: mask, limits, the filter's descriptor.
        let mut command = Command::new("sh");
        let script = "umask \"$1\"; filter=$2; shift 2; exec \"$@\" 9<\"$filter\"";
        command.args(["-c", script, "sh", self.reading.one("UMask")]).arg(&self.filter);
        let files = self.reading.one("LimitNOFILE");
        command.args(["prlimit", &format!("--core={}", self.reading.one("LimitCORE"))]);
        command.arg(format!("--nofile={files}"));
        let boxed = self.bubble();
        command.arg(boxed.get_program()).args(boxed.get_args());
        command.args(["--seccomp", "9", "--"]).args(line);
        command
    }

    /// `bwrap` with its arguments, but for the filter and what is run.
    fn bubble(&self) -> Command {
        let mut bubble = machine();
        let yes = |name| self.reading.one(name) == "yes";
        bubble.args(["--unshare-user", "--uid", "990", "--gid", "990", "--unshare-pid"]);
        bubble.args(["--unshare-ipc", "--unshare-uts", "--new-session", "--clearenv"]);
        bubble.args(["--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LANG", "C.UTF-8"]);
        assert_eq!(self.reading.one("CapabilityBoundingSet"), "", "a capability is kept");
        bubble.args(["--cap-drop", "ALL"]);
        if yes("PrivateNetwork") {
            bubble.arg("--unshare-net");
        }
        bubble.args(["--proc", "/proc"]);
        if self.reading.one("ProcSubset") == "pid" {
            only_processes(&mut bubble);
        }
        assert!(yes("PrivateTmp") && self.reading.one("ProtectSystem") == "strict");
        bubble.args(["--tmpfs", "/var/tmp"]);
        assert_ne!(self.reading.one("ProtectHome"), "no");
        for home in ["/home", "/root"] {
            bubble.args(["--tmpfs", home]);
        }
        installed(&mut bubble);
        for (name, option) in [
            ("BindReadOnlyPaths", "--ro-bind-try"),
            ("BindPaths", "--bind-try"),
            ("ReadWritePaths", "--bind-try"),
        ] {
            for path in self.paths(name) {
                bubble.arg(option).arg(&path).arg(&path);
            }
        }
        // The people's keys, which commands are signed with; and where the tests' own programs lie.
        let keys = self.site.people.key("");
        bubble.arg("--ro-bind").arg(&keys).arg(&keys);
        bubble.arg("--ro-bind").arg(root().join("tests/unit")).args([
            "/tmp/probes",
            "--chdir",
            "/",
        ]);
        bubble
    }

    /// The folders of a directive; the names of the tests' own folders hold no spaces or colons.
    fn paths(&self, name: &str) -> Vec<PathBuf> {
        let shown = self.reading.all(name).join(" ");
        let plain = |word: &str| {
            let word = word.split(':').next().unwrap_or_default();
            PathBuf::from(word.trim_start_matches('-').trim_end_matches('\\'))
        };
        shown.split_whitespace().map(plain).collect()
    }
}

/// Everything in /proc that is not about a process is emptied, as `ProcSubset=pid` takes it away.
fn only_processes(bubble: &mut Command) {
    for entry in fs::read_dir("/proc").unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let name = entry.file_name().into_string().unwrap();
        let about_process = name.bytes().all(|b| b.is_ascii_digit());
        if about_process || kind.is_symlink() {
            continue;
        }
        match kind.is_dir() {
            true => bubble.args(["--tmpfs", &format!("/proc/{name}")]),
            false => bubble.args(["--ro-bind", "/dev/null", &format!("/proc/{name}")]),
        };
    }
}

/// The filter of a unit, made by libseccomp.
pub(super) fn bpf(reading: &Reading, unit: &str, without: &[&str]) -> Vec<u8> {
    let text = fs::read_to_string(root().join("systemd").join(unit)).unwrap();
    let stated = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().to_owned()
    };
    let calls: Vec<&str> = reading.one("SystemCallFilter").split(' ').collect();
    let facts = json!({
        "SystemCallFilter": calls,
        "SystemCallErrorNumber": reading.one("SystemCallErrorNumber"),
        "RestrictAddressFamilies": stated("RestrictAddressFamilies"),
        "RestrictNamespaces": stated("RestrictNamespaces") == "yes",
        "RestrictSUIDSGID": reading.one("RestrictSUIDSGID") == "yes",
        "MemoryDenyWriteExecute": reading.one("MemoryDenyWriteExecute") == "yes",
        "without": without,
    });
    assert_eq!(stated("NoNewPrivileges"), "yes", "bwrap sets it in any case");
    let mut python = Command::new("/usr/bin/python3");
    python.arg(root().join("tests/unit/filter.py"));
    fed(&mut python, facts.to_string().as_bytes())
}

/// The folders that the planted program is told.
fn told(site: &Site<'_>, outside: &Path) -> [PathBuf; 3] {
    [site.dir.clone(), site.dir.join("state"), outside.to_owned()]
}

/// The same program without the restrictions: what it can do then is what they take away. It still sees a read-only
/// tree of its own, holds no privilege and tries none, whoever runs the tests.
pub(super) fn at_large(site: &Site<'_>, outside: &Path) -> BTreeMap<String, String> {
    let mut command = machine();
    command.args(["--unshare-user", "--uid", "990", "--gid", "990", "--cap-drop", "ALL"]);
    command.args(["--proc", "/proc", "--bind"]).args([&site.dir, &site.dir]);
    let folder = outside.parent().unwrap();
    command.arg("--ro-bind").args([folder, folder]);
    command.arg("--ro-bind").arg(root().join("tests/unit")).arg("/tmp/probes");
    command.args(["/usr/bin/python3", "/tmp/probes/probe.py"]).args(told(site, outside));
    probed(&command.arg("harmless").output().unwrap())
}

fn probed(output: &Output) -> BTreeMap<String, String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {stderr}"))
}
