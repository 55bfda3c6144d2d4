//! systemd's own reading of a unit with its drop-ins.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::support::{done, root};

pub(super) const SERVICES: [&str; 2] = ["batchward.service", "batchward-once.service"];
/// What root runs beside them, where it is wanted.
pub(super) const DEVICE: &str = "batchward-device.service";

/// A folder with the units as they are installed, and drop-ins.
pub(super) struct Units {
    dir: tempfile::TempDir,
}

impl Units {
    pub(super) fn shipped() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in SERVICES.iter().chain(&["batchward-once.timer", DEVICE]) {
            fs::copy(root().join("systemd").join(name), dir.path().join(name)).unwrap();
        }
        Self { dir }
    }

    /// A drop-in for a unit.
    pub(super) fn add(&self, unit: &str, text: &str) {
        let folder = self.dir.path().join(format!("{unit}.d"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("paths.conf"), text).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What the manager holds of a unit after reading it, as it shows it itself: `Name: value` in lines.
    ///
    /// It runs as an ordinary user with the units in a folder of their own, in the mode that starts nothing.
    pub(super) fn read(&self, unit: &str) -> Reading {
        let mut manager = machine();
        manager.args(["--unshare-user", "--uid", "1000", "--gid", "1000", "--proc", "/proc"]);
        manager.args(["--dir", "/tmp/run"]).arg("--ro-bind").arg(self.dir.path());
        manager.arg("/tmp/units").args([
            "--clearenv",
            "--setenv",
            "SYSTEMD_UNIT_PATH",
            "/tmp/units:",
        ]);
        manager.args(["--setenv", "XDG_RUNTIME_DIR", "/tmp/run", "--setenv", "HOME", "/tmp/run"]);
        manager.args(["--setenv", "SYSTEMD_LOG_TARGET", "console"]);
        manager.args(["/lib/systemd/systemd", "--test", "--user", "--no-pager"]);
        let text = String::from_utf8(done(manager.arg(format!("--unit={unit}")))).unwrap();
        let start = text.find(&format!("-> Unit {unit}:")).expect("the manager shows the unit");
        let rest = &text[start..];
        let end = rest[1..].find("\t-> Unit ").map_or(rest.len(), |at| at + 1);
        Reading { text: rest[..end].to_owned() }
    }
}

/// `bwrap` with the machine's tree, read-only, and a temporary folder of its own.
pub(super) fn machine() -> Command {
    let mut command = Command::new("bwrap");
    command.args(["--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--tmpfs", "/tmp"]);
    command
}

/// `bwrap` arguments by which the program is where the units say it is installed.
pub(super) fn installed(command: &mut Command) {
    command.args(["--tmpfs", "/usr/local/bin", "--ro-bind", env!("CARGO_BIN_EXE_batchward")]);
    command.arg("/usr/local/bin/batchward");
}

/// One unit, as the manager read it.
pub(super) struct Reading {
    text: String,
}

impl Reading {
    /// The values of a property, one for each line that shows it.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let of = |line| str::trim_start(line).strip_prefix(name)?.strip_prefix(": ");
        self.text.lines().filter_map(of).map(str::trim).collect()
    }

    /// The value of a property that is shown once.
    #[track_caller]
    pub(super) fn one(&self, name: &str) -> &str {
        let found = self.all(name);
        assert_eq!(found.len(), 1, "'{name}' in {}", self.text);
        found[0]
    }

    /// Whether the drop-in was read.
    #[track_caller]
    pub(super) fn has_drop_in(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap().to_str().unwrap();
        self.all("DropIn Path").iter().any(|shown| shown.ends_with(name))
    }
}
