//! The wipe primitive: the only code that removes governed data.
//!
//! A file is overwritten in place once, synced, renamed to a neutral name, truncated, unlinked, and its folder is
//! synced. Only a regular file with one link is overwritten, through a descriptor that was checked after it was
//! opened: links, pipes and second links are unlinked and never written to. Everything happens beneath a folder
//! handle, so a folder that is swapped meanwhile changes nothing.
//!
//! It states no more than it proved: L1 where it overwrote, L0 where it only unlinked. It asks nobody whether it
//! may; holds, approvals and policy are read by the caller, right before. An I/O error is an error, never a success.

mod tree;

use std::{fs::File, io, os::fd::BorrowedFd, os::unix::fs::FileExt};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat, fstat, fstatfs, fsync,
    ftruncate, openat2, renameat, renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

pub use self::tree::{TreeReport, wipe_tree};
use super::{entropy, fault};
use crate::domain::{certificate::Assurance, digest::Digest};

/// Bytes that are overwritten at once.
const CHUNK: usize = 1 << 20;

/// What the caller knows of the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expect {
    /// Its length in bytes. A file of another length is not the one that was meant, and is not touched.
    pub len: Option<u64>,
    /// An earlier wipe of this name may have been cut off after its rename: then the neutral name is looked for as
    /// well. Only for folders that nobody else can write.
    pub resume: bool,
}

/// What happened to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Overwritten, synced, unlinked.
    Overwritten,
    /// Unlinked only, for the reason in [`WipeReport::note`].
    Unlinked,
    /// Not there; whether that is good, the caller knows.
    Missing,
}

/// Why a file was not overwritten, or why less is stated of it.
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
}

/// The report of one wipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct WipeReport {
    /// What happened.
    pub outcome: Outcome,
    /// Bytes overwritten.
    pub bytes: u64,
    /// The filesystem, by its magic number (statfs(2)).
    pub filesystem: &'static str,
    /// What is proven by this wipe alone.
    pub assurance: Assurance,
    /// Why it is no more.
    pub note: Option<Note>,
}

/// Why a file could not be wiped. It may still be there, whole or overwritten in part; a repeat is safe.
#[derive(Debug, thiserror::Error)]
pub enum WipeError {
    /// The name is empty, a path, `.` or `..`.
    #[error("a wipe takes the name of one file in its folder")]
    BadName,
    /// A folder has this name: see [`wipe_tree`].
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
    fn of(doing: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::Io { doing, source: errno.into() }
    }
}

/// Wipes the file `name` of the folder `dir`; its end is durable on return.
///
/// # Errors
/// [`WipeError`]. A missing file is no error: [`Outcome::Missing`].
pub fn wipe_file(
    dir: BorrowedFd<'_>,
    name: &std::ffi::OsStr,
    expect: Expect,
) -> Result<WipeReport, WipeError> {
    check_name(name)?;
    let filesystem = filesystem_of(dir)?;
    let neutral = neutral_name(name);
    let report = |outcome, bytes, note| {
        let overwritten = outcome == Outcome::Overwritten && note != Some(Note::Grew);
        let assurance = if overwritten { Assurance::L1 } else { Assurance::L0 };
        WipeReport { outcome, bytes, filesystem, assurance, note }
    };
    let Some(found) = stat(dir, name)? else {
        if expect.resume && stat(dir, neutral.as_ref())?.is_some() {
            let bytes = finish(dir, &neutral, expect)?;
            return Ok(report(Outcome::Overwritten, bytes, Some(Note::Resumed)));
        }
        // The name may have gone just before a power cut.
        fsync(dir).map_err(WipeError::of("sync the folder of"))?;
        return Ok(report(Outcome::Missing, 0, None));
    };
    let file = match open_for_overwrite(dir, name, &found)? {
        Ok(file) => file,
        Err(note) => {
            unlink(dir, name)?;
            return Ok(report(Outcome::Unlinked, 0, Some(note)));
        }
    };
    let len = length(&found);
    if let Some(expected) = expect.len.filter(|expected| *expected != len) {
        return Err(WipeError::OtherLength { expected, found: len });
    }
    let note = match overwrite(&file, len)? {
        Overwrite::Whole => None,
        Overwrite::Grew => Some(Note::Grew),
        Overwrite::NoSpace => {
            unlink(dir, name)?;
            return Ok(report(Outcome::Unlinked, 0, Some(Note::NoSpace)));
        }
    };
    // A stop before the rename repeats the overwrite; after it, the neutral name says that it was synced.
    rename_to_neutral(dir, name, &neutral, &found)?;
    remove_neutral(dir, &file, &neutral)?;
    Ok(report(Outcome::Overwritten, len, note))
}

enum Overwrite {
    Whole,
    Grew,
    NoSpace,
}

/// The name under which an overwritten file waits for its unlink. It follows from the name alone, so that a repeat
/// finds it, and tells nothing.
fn neutral_name(name: &std::ffi::OsStr) -> String {
    let digest = Digest::of(name.as_encoded_bytes()).to_string();
    format!(".wiped-{}", &digest[..16])
}

/// Opens a regular file with one link for writing, or says why it is not to be overwritten.
fn open_for_overwrite(
    dir: BorrowedFd<'_>,
    name: &std::ffi::OsStr,
    found: &Stat,
) -> Result<Result<File, Note>, WipeError> {
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Err(WipeError::Folder),
        _ => return Ok(Err(Note::NotRegular)),
    }
    if found.st_nlink != 1 {
        return Ok(Err(Note::Linked));
    }
    let flags =
        OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    // A file can be a mount of another one that lies elsewhere: opening across it is refused, and so is the wipe.
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let file = match openat2(dir, name, flags, Mode::empty(), resolve) {
        Ok(fd) => File::from(fd),
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::TXTBSY) => {
            return Ok(Err(Note::NotWritable));
        }
        Err(errno) => return Err(WipeError::of("open")(errno)),
    };
    // Whatever took the name after the first look is judged by its descriptor.
    let opened = fstat(&file).map_err(WipeError::of("inspect"))?;
    if !same_file(&opened, found) || opened.st_nlink != 1 || opened.st_size != found.st_size {
        return Err(WipeError::Swapped);
    }
    Ok(Ok(file))
}

/// One pass of random bytes over the whole length, synced. They are random so that neither compression nor
/// deduplication below can leave the old blocks where they are.
fn overwrite(file: &File, len: u64) -> Result<Overwrite, WipeError> {
    let write = fault::Write::begin("wipe overwrite");
    let chunk = usize::try_from(len).unwrap_or(usize::MAX).min(CHUNK);
    let mut noise = vec![0; chunk];
    let mut done = 0;
    while done < len {
        let count = chunk.min(usize::try_from(len - done).unwrap_or(chunk));
        entropy::noise(&mut noise[..count]).map_err(|error| WipeError::Io {
            doing: "overwrite",
            source: io::Error::other(error),
        })?;
        if let Err(source) = file.write_all_at(&noise[..count], done) {
            return match Errno::from_io_error(&source) {
                Some(Errno::NOSPC | Errno::DQUOT) => Ok(Overwrite::NoSpace),
                _ => Err(WipeError::Io { doing: "overwrite", source }),
            };
        }
        if done == 0 {
            write.middle();
        }
        done += count as u64;
    }
    fsync(file).map_err(WipeError::of("sync"))?;
    write.end();
    let after = fstat(file).map_err(WipeError::of("inspect"))?;
    Ok(if length(&after) > len { Overwrite::Grew } else { Overwrite::Whole })
}

fn rename_to_neutral(
    dir: BorrowedFd<'_>,
    name: &std::ffi::OsStr,
    neutral: &str,
    found: &Stat,
) -> Result<(), WipeError> {
    let write = fault::Write::begin("wipe rename");
    renameat(dir, name, dir, neutral).map_err(WipeError::of("rename"))?;
    write.middle();
    let moved = stat(dir, neutral.as_ref())?;
    if !moved.is_some_and(|moved| same_file(&moved, found)) {
        // The folder's other writers put something else there. It is theirs and was not judged: put it back.
        let _ = renameat_with(dir, neutral, dir, name, RenameFlags::NOREPLACE);
        return Err(WipeError::Swapped);
    }
    fsync(dir).map_err(WipeError::of("sync the folder of"))?;
    write.end();
    Ok(())
}

fn remove_neutral(dir: BorrowedFd<'_>, file: &File, neutral: &str) -> Result<(), WipeError> {
    let write = fault::Write::begin("wipe unlink");
    ftruncate(file, 0).map_err(WipeError::of("truncate"))?;
    write.middle();
    unlink_synced(dir, neutral.as_ref())?;
    write.end();
    Ok(())
}

/// Ends a wipe that was cut off after its rename. What is left is overwritten once more, which costs little and
/// trusts nothing.
fn finish(dir: BorrowedFd<'_>, neutral: &str, expect: Expect) -> Result<u64, WipeError> {
    let name = neutral.as_ref();
    let found = stat(dir, name)?.ok_or(WipeError::Swapped)?;
    let file = open_for_overwrite(dir, name, &found)?.map_err(|_| WipeError::Swapped)?;
    let _ = overwrite(&file, length(&found))?;
    remove_neutral(dir, &file, neutral)?;
    Ok(expect.len.unwrap_or(length(&found)))
}

fn unlink(dir: BorrowedFd<'_>, name: &std::ffi::OsStr) -> Result<(), WipeError> {
    let write = fault::Write::begin("wipe unlink");
    unlink_synced(dir, name)?;
    write.end();
    Ok(())
}

fn unlink_synced(dir: BorrowedFd<'_>, name: &std::ffi::OsStr) -> Result<(), WipeError> {
    match unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(WipeError::of("unlink")(errno)),
    }
    fsync(dir).map_err(WipeError::of("sync the folder of"))
}

fn stat(dir: BorrowedFd<'_>, name: &std::ffi::OsStr) -> Result<Option<Stat>, WipeError> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(WipeError::of("inspect")(errno)),
    }
}

fn check_name(name: &std::ffi::OsStr) -> Result<(), WipeError> {
    let bytes = name.as_encoded_bytes();
    let plain = !bytes.is_empty() && bytes != b"." && bytes != b"..";
    if plain && !bytes.iter().any(|b| matches!(b, b'/' | 0)) {
        Ok(())
    } else {
        Err(WipeError::BadName)
    }
}

const fn same_file(one: &Stat, other: &Stat) -> bool {
    one.st_dev == other.st_dev && one.st_ino == other.st_ino
}

fn length(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

fn filesystem_of(dir: BorrowedFd<'_>) -> Result<&'static str, WipeError> {
    let magic = fstatfs(dir).map_err(WipeError::of("inspect the filesystem of"))?.f_type;
    // Magic numbers are 32 bits wide, whatever width and sign the field has here.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "32-bit magics")]
    let magic = magic as u32;
    Ok(match magic {
        0xEF53 => "ext4", // ext2, ext3 and ext4 share it
        0x5846_5342 => "xfs",
        0x9123_683E => "btrfs",
        0x0102_1994 => "tmpfs",
        0x794C_7630 => "overlayfs",
        0x2FC1_2FC1 => "zfs",
        0x6969 => "nfs",
        0xFF53_4D42 | 0xFE53_4D42 => "cifs",
        0x6573_5546 => "fuse",
        0xF2F5_2010 => "f2fs",
        0xCA45_1A4E => "bcachefs",
        0x4D44 => "vfat",
        0x2011_BAB0 => "exfat",
        _ => "unknown",
    })
}

#[cfg(test)]
mod tests;
