//! What the wipe primitive is told, and what it tells.

use std::{fs::File, io};

use rustix::io::Errno;

use crate::{
    adapters::entropy::Noise,
    domain::{certificate::Assurance, wipe::WipeReport},
};

/// Who can look past the filesystem at the device itself, which takes rights that the agent does not have.
pub trait RawDevice {
    /// Whether the device holds this noise in all places of a file of `len` bytes, synced; nothing where it cannot be
    /// told.
    fn compare(&self, file: &File, noise: &Noise, len: u64) -> Option<bool>;
}

/// Whose file it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Ours alone, in a folder that nobody else can write: it was written once, and never copied. Whatever keeps it
    /// from being overwritten is an error.
    #[default]
    Own,
    /// Others wrote it. What cannot be overwritten is unlinked, and nothing is stated beyond the overwrite itself.
    Others,
}

/// What the caller knows of the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expect {
    /// Whose it is.
    pub origin: Origin,
    /// Its length in bytes. A file of another length is not the one that was meant, and is not touched.
    pub len: Option<u64>,
    /// Its device and number, where the caller has looked at it. Another file of its name is not touched.
    pub identity: Option<(u64, u64)>,
    /// An earlier wipe of this name may have been cut off after its rename: then the neutral name is looked for as
    /// well. Only for folders that nobody else can write.
    pub resume: bool,
}

/// What happened to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Overwritten, synced, unlinked.
    Overwritten,
    /// Unlinked only, for the reason in [`Wiped::note`].
    Unlinked,
    /// Not there; whether that is good, the caller knows.
    Missing,
}

/// Why a file was not overwritten, or what was odd about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A link, a pipe, a socket or a device.
    NotRegular,
    /// It has more names than this one; overwriting would hit what they name.
    Linked,
    /// It cannot be opened for writing.
    NotWritable,
    /// The filesystem had no room for the overwrite (sparse file, or copy on write).
    NoSpace,
    /// It grew while it was overwritten: somebody has it open.
    Grew,
    /// An earlier wipe had been cut off after its rename; this one finished it.
    Resumed,
}

impl Note {
    /// The note in words, for certificates.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NotRegular => "not a regular file, unlinked only",
            Self::Linked => "has further links, unlinked only",
            Self::NotWritable => "not writable, unlinked only",
            Self::NoSpace => "no space to overwrite, unlinked only",
            Self::Grew => "grew while it was overwritten",
            Self::Resumed => "finished after an interruption",
        }
    }

    /// The note in words, where it is why nothing was done.
    pub(super) const fn refusal(self) -> &'static str {
        match self {
            Self::NotRegular => "it is no regular file",
            Self::Linked => "it has further links",
            Self::NotWritable => "it cannot be written (read-only mount, or an immutable file)",
            Self::NoSpace => "the filesystem has no room to overwrite it",
            Self::Grew => "it grew while it was overwritten",
            Self::Resumed => "an earlier wipe of it was cut off",
        }
    }
}

/// What one wipe came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Wiped {
    /// What happened.
    pub outcome: Outcome,
    /// Bytes overwritten.
    pub bytes: u64,
    /// What was odd.
    pub note: Option<Note>,
    /// What was found, done and proved.
    pub report: WipeReport,
}

impl Wiped {
    /// What is proven by this wipe alone.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        if self.outcome == Outcome::Missing { Assurance::L0 } else { self.report.assurance() }
    }
}

/// Why a file could not be wiped. It may still be there, whole or overwritten in part; a repeat is safe.
#[derive(Debug, thiserror::Error)]
pub enum WipeError {
    /// The name is empty, a path, `.` or `..`.
    #[error("a wipe takes the name of one file in its folder")]
    BadName,
    /// A folder has this name: see [`super::wipe_tree`].
    #[error("a folder cannot be wiped as a file")]
    Folder,
    /// Not the file that was meant; it was not touched.
    #[error("expected a file of {expected} bytes, found {found}")]
    OtherLength {
        /// The length that the caller gave, in bytes.
        expected: u64,
        /// The length found, in bytes.
        found: u64,
    },
    /// Another file took the name while this one was overwritten; that other file was left in place.
    #[error("another file took the name during the wipe")]
    Swapped,
    /// A file of ours that cannot be overwritten. It is still there.
    #[error("a file that is to be wiped was left as it is: {}", _0.refusal())]
    Refused(Note),
    /// What was read back is not what was written, twice. The file is still there.
    #[error("a file that was overwritten does not read back as it was written")]
    NotReadBack,
    /// The proof of the overwrite could not be kept. The file is still there, overwritten.
    #[error("the proof of an overwrite cannot be kept")]
    Unproven(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The system refused one of the steps. No name is told: it may be one that a provider gave.
    #[error("cannot {doing} a file that is to be wiped")]
    Io {
        /// The step.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl WipeError {
    pub(super) fn of(doing: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::Io { doing, source: errno.into() }
    }
}
