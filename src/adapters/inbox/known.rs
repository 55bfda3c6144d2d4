//! What a claim has seen of a delivery folder, so that clearing it removes that and nothing else.
//!
//! A sender may add a file, or put another one in the place of one that was copied, until the folder is gone. Such a
//! thing was never copied nor judged, and is not wiped: the folder goes back to the inbox with it.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::Read,
    os::{
        fd::BorrowedFd,
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, openat2, statat};
use serde::{Deserialize, Serialize};

use super::{FolderId, beneath, look::PAYLOAD};
use crate::{adapters::wipe, domain::digest::Digest};

/// How a claimed delivery lay in the inbox. The link's file may say something else by the time that it is cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lay {
    /// In a folder of its own.
    #[default]
    Folder,
    /// In a folder of its own, the payload one folder deeper: that one was looked into as well.
    Bag,
    /// As plain files directly in the inbox.
    Flat,
}

impl Lay {
    fn is_folder(&self) -> bool {
        *self == Self::Folder
    }
}

/// A claimed folder: which it is, and what was seen in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedFolder {
    /// Which folder.
    #[serde(flatten)]
    pub id: FolderId,
    /// How it lay there.
    #[serde(default, skip_serializing_if = "Lay::is_folder")]
    pub lay: Lay,
    /// What lay in it; nothing where the delivery was over its limits, or was claimed before this was kept: then an order
    /// covers all that lies there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Vec<Mark>>,
    /// Whether what lies in folders within was seen as well. Where that was more than a delivery may have, and of claims of
    /// before this was kept, it goes with its folder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deep: bool,
}

impl From<FolderId> for ClaimedFolder {
    fn from(id: FolderId) -> Self {
        Self { id, lay: Lay::default(), seen: None, deep: false }
    }
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its name, Base64.
    name: String,
    inode: u64,
    bytes: i64,
    /// When its inode changed last, in nanoseconds.
    changed: i64,
    /// When its bytes changed last, in nanoseconds; of marks of before this was kept it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written: Option<i64>,
    /// What was copied of it.
    sha256: Option<Digest>,
}

impl Mark {
    /// Looks at a thing; none where it is gone.
    pub(super) fn of(folder: BorrowedFd<'_>, name: &OsStr) -> Option<Self> {
        let found = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(Self {
            name: BASE64.encode(name.as_bytes()),
            inode: found.st_ino,
            bytes: found.st_size,
            changed: changed(&found),
            written: Some(written(&found)),
            sha256: None,
        })
    }

    fn path(&self) -> PathBuf {
        OsString::from_vec(BASE64.decode(self.name.as_bytes()).unwrap_or_default()).into()
    }

    /// Where it lies under the name that a clearing gives what it is about to remove.
    fn neutral(&self) -> PathBuf {
        let path = self.path();
        path.with_file_name(wipe::neutral_name(path.file_name().unwrap_or_default()))
    }

    pub(super) fn is(&self, name: &[u8]) -> bool {
        self.name == BASE64.encode(name)
    }

    pub(super) fn copied(&mut self, sha256: Option<Digest>) {
        self.sha256 = sha256;
    }
}

fn changed(found: &Stat) -> i64 {
    let nanos = i64::try_from(found.st_ctime_nsec).unwrap_or(0);
    found.st_ctime.saturating_mul(1_000_000_000).saturating_add(nanos)
}

fn written(found: &Stat) -> i64 {
    let nanos = i64::try_from(found.st_mtime_nsec).unwrap_or(0);
    found.st_mtime.saturating_mul(1_000_000_000).saturating_add(nanos)
}

impl ClaimedFolder {
    /// The names of what was seen, and those under which an earlier clearing was about to remove it. What lies in a folder
    /// goes with the folder, and is asked about there.
    pub(super) fn names(&self) -> Vec<OsString> {
        let both = |mark: &Mark| [mark.neutral().into_os_string(), mark.path().into_os_string()];
        let outer = |mark: &&Mark| mark.path().components().count() == 1;
        self.seen.iter().flatten().filter(outer).flat_map(both).collect()
    }

    /// Whether a thing is one that was seen: the same unchanged, or one that holds what was copied. `path` is its own
    /// from the claimed folder.
    pub(super) fn knows(&self, folder: BorrowedFd<'_>, path: &Path, found: &Stat) -> bool {
        let Some(seen) = &self.seen else { return true };
        let (Some(within), Some(name)) = (path.parent(), path.file_name()) else { return false };
        let payload = self.lay == Lay::Bag && within == Path::new(PAYLOAD);
        if !self.deep && !within.as_os_str().is_empty() && !payload {
            return true;
        }
        let kind = FileType::from_raw_mode(found.st_mode);
        let Some(mark) = seen.iter().find(|mark| mark.is(path.as_os_str().as_bytes())) else {
            // What an earlier clearing was about to remove.
            return kind == FileType::RegularFile
                && name.as_bytes().starts_with(wipe::NEUTRAL.as_bytes())
                && seen.iter().any(|mark| mark.neutral() == path);
        };
        match kind {
            FileType::RegularFile => {
                // Of what was not copied nobody can say what it held: that it has other rights or another owner by now
                // makes it no other file, and it would stay for ever.
                let unwritten = mark.sha256.is_none() && mark.written == Some(written(found));
                let same = (mark.inode, mark.bytes) == (found.st_ino, found.st_size)
                    && (mark.changed == changed(found) || unwritten);
                // One of another length is another file, and is not read: it may be of any length.
                let again = || digest(folder, name, mark.bytes);
                same || mark.bytes == found.st_size
                    && mark.sha256.is_some_and(|sha256| again() == Some(sha256))
            }
            FileType::Directory => mark.inode == found.st_ino,
            // Links and pipes hold nothing.
            _ => true,
        }
    }
}

/// Of a file of `bytes` bytes. One that has grown meanwhile is read one byte further and no more: it is another.
fn digest(folder: BorrowedFd<'_>, name: &OsStr, bytes: i64) -> Option<Digest> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat2(folder, name, flags, Mode::empty(), beneath()).ok()?);
    Digest::of_reader(file.take(u64::try_from(bytes).ok()?.checked_add(1)?)).ok()
}
