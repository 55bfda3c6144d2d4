//! A small filesystem of its own, for tests of a full disk. It needs root to mount: without, the test fails and says so.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path, process::Command};

/// A mounted tmpfs, unmounted when dropped.
pub(super) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// A disk of `kib` KiB.
    pub(super) fn mount(kib: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={kib}k,mode=0700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(dir.path())
            .output()
            .is_ok_and(|output| output.status.success());
        assert!(mounted, "a full disk needs the right to mount a tmpfs: run the tests as root");
        Self(dir)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all room that is left.
    pub(super) fn fill(&self) {
        let filled = fs::write(self.path().join("ballast"), vec![1; 64 << 20]);
        assert!(filled.is_err());
    }

    /// Gives it back.
    pub(super) fn free(&self) {
        fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}
