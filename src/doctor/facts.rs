//! What a doctor is told of a site and its machine: plain values, each as it was found or as unknown.

use std::path::PathBuf;

use crate::domain::time::Timestamp;

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The folders of the site and what they lie on: the state first.
    pub places: Vec<Place>,
    /// Swap areas that are on.
    pub swaps: Vec<Swap>,
    /// Memory.
    pub memory: Memory,
    /// Core dumps.
    pub cores: Cores,
    /// The clock.
    pub clock: Clock,
    /// What the kernel can.
    pub kernel: Kernel,
    /// Files of fonts with Traditional Chinese characters.
    pub fonts: Vec<PathBuf>,
    /// Backups.
    pub backups: Backups,
    /// The control socket.
    pub socket: Socket,
    /// The device helper's socket, where one is named, and whether it answers.
    pub device_helper: Option<(PathBuf, bool)>,
    /// Files and folders of ours that have an access control list besides their mode.
    pub access_lists: Vec<PathBuf>,
    /// Whether the root key is a plain file.
    pub root_key_in_file: bool,
}

/// What a folder is to the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// The state folder.
    #[default]
    State,
    /// The inbox of a link.
    Inbox(String),
}

/// A folder and what it lies on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// What it is.
    pub role: Role,
    /// Where.
    pub path: PathBuf,
    /// The filesystem; nothing where it was not found.
    pub filesystem: Option<Filesystem>,
    /// Bytes and inodes free.
    pub room: Option<(u64, Option<u64>)>,
}

/// A filesystem as it is mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filesystem {
    /// `ext4`, `xfs`, `nfs4`, …
    pub kind: String,
    /// What is mounted.
    pub source: String,
    /// Where.
    pub mount: PathBuf,
    /// Options of the mount and of the filesystem itself.
    pub options: Vec<String>,
    /// Whether the contents of files pass through its journal.
    pub journals_data: bool,
    /// Whether files may share extents; unknown where it could not be tried.
    pub reflinks: Option<bool>,
    /// Whether a disk below encrypts; unknown where there is no disk.
    pub encrypted: Option<bool>,
    /// Whether a disk below turns.
    pub rotational: Option<bool>,
    /// Snapshots that were found on it.
    pub snapshots: Vec<String>,
}

/// A swap area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swap {
    /// The device or file.
    pub path: PathBuf,
    /// Whether it lies in memory, compressed.
    pub in_memory: bool,
    /// Whether what is written to it is encrypted.
    pub encrypted: bool,
}

/// Memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Whether the process may keep all its memory out of swap.
    pub may_lock: bool,
    /// Bytes that it may lock; nothing where there is no limit.
    pub limit: Option<u64>,
    /// Whether the kernel has memory that even it cannot read (`memfd_secret`).
    pub secret: bool,
}

/// Core dumps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cores {
    /// Whether this process forbade its own.
    pub forbidden: bool,
    /// Where the kernel puts those of others.
    pub pattern: String,
}

/// The clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Now.
    pub now: Option<Timestamp>,
    /// Whether the kernel believes it to be right; unknown where it could not be asked.
    pub synchronised: Option<bool>,
    /// Time of the last entry of the register.
    pub last_entry: Option<Timestamp>,
    /// Seconds without an entry after which the time is doubted at a start.
    pub gap_max_seconds: i64,
    /// Time zone of the machine.
    pub zone: Option<String>,
    /// Time zone of the site.
    pub site_zone: String,
}

/// What the kernel can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kernel {
    /// Opening beneath a folder without following links.
    pub openat2: bool,
    /// Version of Landlock; 0 where there is none.
    pub landlock: u8,
}

/// Backups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backups {
    /// What agent.yaml states: nothing, or the backups by name, place and how long they are kept.
    pub stated: Option<Vec<[String; 3]>>,
    /// Configuration of backup tools that was found: tool and file.
    pub tools: Vec<(String, PathBuf)>,
}

/// The control socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Socket {
    /// Where.
    pub path: PathBuf,
    /// Mode of its folder; nothing where that is not there.
    pub folder_mode: Option<u32>,
    /// Whether the machine has the group that may use it.
    pub group: bool,
    /// Whether something lies there.
    pub there: bool,
    /// Whether an agent answers.
    pub answers: bool,
    /// Whether an agent holds the state folder.
    pub held: bool,
}
