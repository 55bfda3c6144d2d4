//! Clearing a delivery folder: every file in it through the wipe primitive, then the folders.
//!
//! The folder belongs to whoever delivers. No link is followed, no mount is entered, no file is trusted to stay
//! what it was; what cannot be removed is counted and left, and the rest is removed all the same. What its caller does
//! not know in the folder is left as it is: nothing is wiped unseen.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fsync, openat2, unlinkat,
};
use rustix::io::Errno;

use super::{
    Note, Origin, Outcome, Place, WipeError, Wiped,
    batch::{self, Buffers, Judged},
    below, check_name, stat,
};
use crate::adapters::fault;
use crate::domain::{
    certificate::Assurance,
    limits::{CLEAR_DEPTH_MAX, INBOX_ENTRIES_MAX},
    wipe::WipeReport,
};

/// Second looks, over a whole clearing, at folders that things were added to meanwhile. Counted for the clearing and
/// not for each folder: who adds at every depth would else multiply the work.
const EXTRA_PASSES_MAX: usize = 64;

/// What is known of a thing, by the open folder that it lies in, its path from the folder that is cleared, and what it
/// is: only what this says yes to is wiped, and only in folders that it says yes to.
pub(super) type Known<'k> = dyn Fn(BorrowedFd<'_>, &Path, &Stat) -> bool + 'k;

/// The report of one clearing.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Things that were not known, or became others after they were looked at, and are left as they are.
    pub unknown: u64,
    /// What was odd, with counts.
    pub notes: BTreeMap<&'static str, u64>,
    /// The lowest of all that was wiped.
    pub assurance: Assurance,
    /// What was found, done and proved.
    pub report: WipeReport,
}

/// Wipes everything known beneath the folder `name` of `dir`, and the folder. A plain file of that name is wiped as well.
///
/// # Errors
/// [`WipeError`] where `name` itself cannot be looked at. Refusals inside count in [`TreeReport::left`].
pub fn wipe_tree(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    known: &Known<'_>,
) -> Result<TreeReport, WipeError> {
    check_name(name)?;
    let found = stat(dir, name)?;
    let mut clearing = Clearing::begin(dir, found.is_some(), known)?;
    match found {
        None => {}
        Some(found) if is_folder(&found) => {
            clearing.folder(dir, name, Path::new(""), 0);
        }
        Some(found) => clearing.report.unknown += clearing.files(dir, &[(name.to_owned(), found)]),
    }
    Ok(clearing.end())
}

/// Wipes those of these files of `dir` that are known; the others stay.
///
/// # Errors
/// [`WipeError`] where `dir` cannot be looked at. Refusals of files count in [`TreeReport::left`].
pub fn wipe_files(
    dir: BorrowedFd<'_>,
    names: Vec<OsString>,
    known: &Known<'_>,
) -> Result<TreeReport, WipeError> {
    names.iter().try_for_each(|name| check_name(name))?;
    let mut clearing = Clearing::begin(dir, true, known)?;
    clearing.things(dir, names, Path::new(""), 0);
    Ok(clearing.end())
}

struct Clearing<'k> {
    report: TreeReport,
    buffers: Buffers,
    /// Second looks that are left.
    extra: usize,
    known: &'k Known<'k>,
}

impl<'k> Clearing<'k> {
    fn begin(dir: BorrowedFd<'_>, found: bool, known: &'k Known<'k>) -> Result<Self, WipeError> {
        Ok(Self {
            report: TreeReport {
                found,
                overwritten: 0,
                unlinked: 0,
                bytes: 0,
                left: 0,
                unknown: 0,
                notes: BTreeMap::new(),
                assurance: Assurance::L0,
                report: WipeReport::new(below(dir)?.ground),
            },
            buffers: Buffers::new(),
            extra: EXTRA_PASSES_MAX,
            known,
        })
    }

    fn end(self) -> TreeReport {
        let mut report = self.report;
        // A link or pipe held no bytes of its own that could have been overwritten.
        if report.found && report.left == 0 {
            report.assurance = report.report.assurance();
        }
        report
    }

    /// A folder and everything known in it; `false` where something in it was not known and stays, and the folder with
    /// it. `path` is its own, from the folder that is cleared.
    fn folder(&mut self, parent: BorrowedFd<'_>, name: &OsStr, path: &Path, depth: usize) -> bool {
        let Some(folder) = open_folder(parent, name).filter(|_| depth < CLEAR_DEPTH_MAX) else {
            self.report.left += 1;
            return true;
        };
        let left_before = self.report.left;
        while let Ok(names) = names_in(&folder) {
            if !self.things(folder.as_fd(), names, path, depth) {
                return false;
            }
            match remove_folder(parent, name) {
                Ok(()) => return true,
                // Everything seen is gone: something was added since, or there was more than one look takes.
                Err(Errno::NOTEMPTY | Errno::EXIST)
                    if self.report.left == left_before && self.extra > 0 =>
                {
                    self.extra -= 1;
                }
                Err(_) => break,
            }
        }
        self.report.left += 1;
        true
    }

    /// Everything in a folder; `false` where something in it, at whatever depth, was not known and stays.
    fn things(
        &mut self,
        folder: BorrowedFd<'_>,
        names: Vec<OsString>,
        within: &Path,
        depth: usize,
    ) -> bool {
        let mut files = Vec::new();
        let (mut unknown, mut whole) = (0, true);
        for name in names {
            let path: PathBuf = within.join(&name);
            match stat(folder, &name) {
                Ok(None) => {}
                Ok(Some(found)) if !(self.known)(folder, &path, &found) => unknown += 1,
                Ok(Some(found)) if is_folder(&found) => {
                    whole &= self.folder(folder, &name, &path, depth + 1);
                }
                Ok(Some(found)) => files.push((name, found)),
                Err(_) => self.report.left += 1,
            }
        }
        let swapped = self.files(folder, &files);
        if depth == 0 {
            unknown += swapped;
        }
        // What took a place deeper down is met by the next look at the folder, and asked about then.
        self.report.unknown += unknown;
        whole && unknown == 0
    }

    /// Wipes files that were judged; how many of them are others by now and stay.
    fn files(&mut self, folder: BorrowedFd<'_>, files: &[Judged]) -> u64 {
        if files.is_empty() {
            return 0;
        }
        let Ok(below) = below(folder) else {
            self.report.left += files.len() as u64;
            return 0;
        };
        let mut swapped = 0;
        let place = Place { dir: folder, below, origin: Origin::Others, raw: None };
        for files in files.chunks(batch::FILES) {
            for ended in batch::wipe(&place, files, &mut self.buffers) {
                match ended {
                    Ok(wiped) => self.count(&wiped),
                    Err(WipeError::Swapped) => swapped += 1,
                    Err(_) => self.report.left += 1,
                }
            }
        }
        swapped
    }

    fn count(&mut self, wiped: &Wiped) {
        let report = &mut self.report;
        match wiped.outcome {
            Outcome::Overwritten => report.overwritten += 1,
            Outcome::Unlinked => report.unlinked += 1,
            Outcome::Missing => return,
        }
        report.bytes += wiped.bytes;
        if let Some(note) = wiped.note {
            *report.notes.entry(note.meaning()).or_default() += 1;
        }
        if wiped.note != Some(Note::NotRegular) {
            report.report.join(&wiped.report);
        }
    }
}

fn is_folder(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode) == FileType::Directory
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
