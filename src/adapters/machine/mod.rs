//! What a doctor asks the machine: read from /proc, /sys and /etc, and of the kernel itself. Nothing is changed and no
//! other program is run.
//!
//! Every path is taken below a root that is `/` but in tests, so that machines which no test runs on can be laid out
//! as files. What cannot be read is unknown, never well.

mod kernel;
mod mounts;
#[cfg(test)]
mod tests;

use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags, openat2},
    process::{Resource, getrlimit},
};

pub use kernel::{landlock_version, secret_memory, synchronised};

use super::process;
use crate::doctor::facts::{Cores, Filesystem, Kernel, Memory, Swap};

/// Files and folders that are looked at in one place at most, so that no odd folder keeps the doctor.
const LOOKED_AT_MAX: usize = 20_000;
/// What the names of fonts with Traditional Chinese characters begin with, in lower case.
const FONTS: [&str; 20] = [
    "notosanscjk",
    "notoserifcjk",
    "notosanstc",
    "notoseriftc",
    "notosanshk",
    "notosansmonocjk",
    "sourcehansans",
    "sourcehanserif",
    "tw-kai",
    "tw-sung",
    "twkai",
    "twsung",
    "edukai",
    "kaiu",
    "mingliu",
    "pmingliu",
    "msjh",
    "uming",
    "ukai",
    "droidsansfallback",
];
/// Where fontconfig looks (fonts.conf).
const FONT_FOLDERS: [&str; 3] = ["usr/share/fonts", "usr/local/share/fonts", "var/lib/fonts"];
/// Tools that copy whole folders, and where their configuration lies.
const TOOLS: [(&str, &str); 16] = [
    ("borgmatic", "etc/borgmatic/config.yaml"),
    ("borgmatic", "etc/borgmatic.d"),
    ("restic", "etc/restic"),
    ("restic", "etc/restic.env"),
    ("resticprofile", "etc/resticprofile"),
    ("timeshift", "etc/timeshift/timeshift.json"),
    ("timeshift", "etc/timeshift.json"),
    ("snapper", "etc/snapper/configs/root"),
    ("rsnapshot", "etc/rsnapshot.conf"),
    ("backupninja", "etc/backup.d"),
    ("bacula", "etc/bacula/bacula-fd.conf"),
    ("bareos", "etc/bareos/bareos-fd.d"),
    ("amanda", "etc/amanda-client.conf"),
    ("btrbk", "etc/btrbk/btrbk.conf"),
    ("sanoid", "etc/sanoid/sanoid.conf"),
    ("Veeam", "etc/veeam/veeam.ini"),
];

/// A machine as it is seen below a root.
#[derive(Clone, Debug)]
pub struct Machine {
    root: PathBuf,
}

impl Default for Machine {
    fn default() -> Self {
        Self::below(Path::new("/"))
    }
}

impl Machine {
    /// A machine whose files are laid out below a folder.
    #[must_use]
    pub fn below(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }

    /// The filesystem that holds a folder.
    #[must_use]
    pub fn filesystem(&self, path: &Path) -> Option<Filesystem> {
        mounts::of(&self.root, path)
    }

    /// The stick, card or disc that holds a folder, where it is one that is carried away.
    #[must_use]
    pub fn removable_disk(&self, path: &Path) -> Option<PathBuf> {
        mounts::removable_disk(&self.root, path)
    }

    /// The serial number of the disk that holds a folder: its own, or that of the stick that it is.
    #[must_use]
    pub fn serial(&self, path: &Path) -> Option<String> {
        mounts::serial(&self.root, path)
    }

    /// Swap areas that are on.
    #[must_use]
    pub fn swaps(&self) -> Vec<Swap> {
        let text = self.text("proc/swaps").unwrap_or_default();
        let areas = text.lines().skip(1).filter_map(|line| line.split_whitespace().next());
        areas.map(|area| self.swap(&PathBuf::from(mounts::unescaped(area)))).collect()
    }

    fn swap(&self, path: &Path) -> Swap {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let zram = name.starts_with("zram");
        let backing = self.text(&format!("sys/block/{name}/backing_dev"));
        let backed = backing.is_some_and(|text| !matches!(text.trim(), "" | "none"));
        let encrypted = if path.starts_with("/dev") {
            mounts::encrypted(&self.root, &self.root.join("sys/class/block").join(&*name))
        } else {
            // A file is as encrypted as the filesystem that it lies on.
            self.filesystem(path).and_then(|fs| fs.encrypted)
        };
        Swap {
            path: path.to_owned(),
            in_memory: zram && !backed,
            encrypted: encrypted == Some(true),
        }
    }

    /// Core dumps: those of this process are forbidden first.
    #[must_use]
    pub fn cores(&self) -> Cores {
        let pattern = self.text("proc/sys/kernel/core_pattern").unwrap_or_default();
        Cores { forbidden: process::harden().no_core_dumps, pattern: pattern.trim().to_owned() }
    }

    /// The time zone that `/etc/localtime` or `/etc/timezone` names.
    #[must_use]
    pub fn zone(&self) -> Option<String> {
        let link = fs::read_link(self.root.join("etc/localtime")).ok();
        let named = link.and_then(|target| {
            let target = target.to_string_lossy().into_owned();
            target.split_once("zoneinfo/").map(|(_, zone)| zone.to_owned())
        });
        named.or_else(|| {
            Some(self.text("etc/timezone")?.trim().to_owned()).filter(|z| !z.is_empty())
        })
    }

    /// Files of fonts with Traditional Chinese characters.
    #[must_use]
    pub fn fonts(&self) -> Vec<PathBuf> {
        let folders = FONT_FOLDERS.iter().map(|folder| self.root.join(folder));
        let files = folders.flat_map(|folder| walkdir::WalkDir::new(folder).max_depth(6));
        let known = |name: &str| {
            let name = name.to_lowercase();
            let font = [".ttf", ".ttc", ".otf", ".otc"].iter().any(|end| name.ends_with(end));
            font && FONTS.iter().any(|start| name.starts_with(start))
        };
        files
            .take(LOOKED_AT_MAX)
            .filter_map(Result::ok)
            .filter(|entry| known(&entry.file_name().to_string_lossy()))
            .map(walkdir::DirEntry::into_path)
            .collect()
    }

    /// Configuration of backup tools.
    #[must_use]
    pub fn backup_tools(&self) -> Vec<(String, PathBuf)> {
        let there = |(tool, path): &(&str, &str)| {
            let path = self.root.join(path);
            path.exists().then(|| ((*tool).to_owned(), path))
        };
        TOOLS.iter().filter_map(there).collect()
    }

    /// Whether the machine has a group of this name.
    #[must_use]
    pub fn has_group(&self, name: &str) -> bool {
        let text = self.text("etc/group").unwrap_or_default();
        text.lines().any(|line| line.split(':').next() == Some(name))
    }
}

/// What this process may do with its memory.
#[must_use]
pub fn memory() -> Memory {
    Memory {
        may_lock: process::may_lock_all(),
        limit: getrlimit(Resource::Memlock).current,
        secret: secret_memory(),
    }
}

/// What the kernel can, by trying it.
#[must_use]
pub fn kernel() -> Kernel {
    let beneath =
        openat2(CWD, "/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    Kernel { openat2: beneath.is_ok(), landlock: landlock_version() }
}

/// Whether a file or folder has an access control list besides its mode, or hands one down.
#[must_use]
pub fn has_access_list(path: &Path) -> bool {
    ["system.posix_acl_access", "system.posix_acl_default"]
        .iter()
        .any(|name| rustix::fs::getxattr_query(path, *name).is_ok_and(|bytes| bytes > 0))
}

/// Whether somebody answers at a socket.
#[must_use]
pub fn answers(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}
