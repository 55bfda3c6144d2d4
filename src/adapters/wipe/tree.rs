//! Clearing a delivery folder: every file in it through the wipe primitive, then the folders.
//!
//! The folder belongs to whoever delivers. No link is followed, no mount is entered, no file is trusted to stay
//! what it was; what cannot be removed is counted and left, and the rest is removed all the same.

use std::{
    ffi::{OsStr, OsString},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    os::unix::ffi::OsStrExt,
};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, fsync, openat2, unlinkat};
use rustix::io::Errno;

use super::{Expect, Note, Outcome, WipeError, check_name, filesystem_of, stat, wipe_file};
use crate::adapters::fault;
use crate::domain::{
    certificate::Assurance,
    limits::{CLEAR_DEPTH_MAX, INBOX_ENTRIES_MAX},
};

/// Second looks, over a whole clearing, at folders that things were added to meanwhile. Counted for the clearing and
/// not for each folder: who adds at every depth would else multiply the work.
const EXTRA_PASSES_MAX: usize = 64;

/// The report of one clearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct TreeReport {
    /// There was something of that name.
    pub found: bool,
    /// Files overwritten and unlinked.
    pub overwritten: u64,
    /// Files, links and pipes unlinked only.
    pub unlinked: u64,
    /// Bytes overwritten.
    pub bytes: u64,
    /// Things that are still there: mounts, folders nested too deep, what the system refused to remove.
    pub left: u64,
    /// The filesystem.
    pub filesystem: &'static str,
    /// The lowest of all that was wiped.
    pub assurance: Assurance,
}

/// Wipes everything beneath the folder `name` of `dir`, and the folder. A plain file of that name is wiped as well.
///
/// # Errors
/// [`WipeError`] where `name` itself cannot be looked at. Refusals inside count in [`TreeReport::left`].
pub fn wipe_tree(dir: BorrowedFd<'_>, name: &OsStr) -> Result<TreeReport, WipeError> {
    check_name(name)?;
    let mut report = TreeReport {
        found: stat(dir, name)?.is_some(),
        overwritten: 0,
        unlinked: 0,
        bytes: 0,
        left: 0,
        filesystem: filesystem_of(dir)?,
        assurance: Assurance::L1,
    };
    if report.found {
        let mut extra_passes = EXTRA_PASSES_MAX;
        report.clear(dir, name, 0, &mut extra_passes);
    }
    if report.left > 0 || !report.found {
        report.assurance = Assurance::L0;
    }
    Ok(report)
}

impl TreeReport {
    fn clear(&mut self, parent: BorrowedFd<'_>, name: &OsStr, depth: usize, extra: &mut usize) {
        match stat(parent, name) {
            Ok(None) => {}
            Ok(Some(found)) if FileType::from_raw_mode(found.st_mode) == FileType::Directory => {
                self.clear_folder(parent, name, depth, extra);
            }
            Ok(Some(_)) => self.clear_file(parent, name),
            Err(_) => self.left += 1,
        }
    }

    fn clear_file(&mut self, parent: BorrowedFd<'_>, name: &OsStr) {
        match wipe_file(parent, name, Expect::default()) {
            Ok(wiped) => {
                match wiped.outcome {
                    Outcome::Overwritten => self.overwritten += 1,
                    Outcome::Unlinked => self.unlinked += 1,
                    Outcome::Missing => return,
                }
                self.bytes += wiped.bytes;
                // A link or pipe held no bytes of its own that could have been overwritten.
                if wiped.note != Some(Note::NotRegular) {
                    self.assurance = self.assurance.min(wiped.assurance);
                }
            }
            Err(_) => self.left += 1,
        }
    }

    fn clear_folder(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        depth: usize,
        extra: &mut usize,
    ) {
        let Some(folder) = open_folder(parent, name).filter(|_| depth < CLEAR_DEPTH_MAX) else {
            self.left += 1;
            return;
        };
        let left_before = self.left;
        while let Ok(names) = names_in(&folder) {
            for inner in names {
                self.clear(folder.as_fd(), &inner, depth + 1, extra);
            }
            match remove_folder(parent, name) {
                Ok(()) => return,
                // Everything seen is gone: something was added since, or there was more than one look takes.
                Err(Errno::NOTEMPTY | Errno::EXIST) if self.left == left_before && *extra > 0 => {
                    *extra -= 1;
                }
                Err(_) => break,
            }
        }
        self.left += 1;
    }
}

/// Opens a folder, unless it is a mount (a bind mount too) or has become a link meanwhile.
fn open_folder(parent: BorrowedFd<'_>, name: &OsStr) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    openat2(parent, name, flags, Mode::empty(), resolve).ok()
}

fn names_in(folder: &OwnedFd) -> Result<Vec<OsString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)?.take(INBOX_ENTRIES_MAX) {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}

fn remove_folder(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    let write = fault::Write::begin("wipe folder");
    match unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno),
    }
    write.middle();
    fsync(parent)?;
    write.end();
    Ok(())
}
