//! The folder that a delivery is fetched into: ours, beneath the inbox, so that one rename makes it a drop. The scan does
//! not see it. Its files are numbered; they get the names that the server gave them when it is put in its place.
//!
//! The inbox may be a stranger's to write in as well: everything is opened beneath its handle and through no link, and what
//! a stranger changes here, the signature and the digests of the manifest tell.

use std::{
    ffi::OsStr,
    fs::File,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use rustix::{
    fs::{
        AtFlags, FileType, Mode, OFlags, RenameFlags, fsync, mkdirat, open, openat, renameat_with,
        statat, syncfs,
    },
    io::Errno,
};

use super::notes;
use crate::{
    adapters::{courier::CourierError, fault, files, inbox::FETCHING, wipe},
    domain::{
        digest::Digest,
        limits::FREE_BYTES_MIN,
        source::{SourceCode, is_delivery_name, is_file_name},
    },
};

/// Files above which all are synced at once.
const SYNCED_EACH: usize = 8;

type Result<T> = std::result::Result<T, CourierError>;

/// Where a fetched delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landed {
    /// It was put into the inbox now.
    Now,
    /// It lies there.
    There,
    /// Something else has its name.
    Waits,
    /// It is nowhere.
    Gone,
}

/// An open folder of ours.
pub(super) struct Landing {
    folder: OwnedFd,
}

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn trouble(doing: &str) -> impl Fn(Errno) -> CourierError + '_ {
    move |errno| {
        let full = matches!(errno, Errno::NOSPC | Errno::DQUOT);
        let code = if full { SourceCode::DiskFull } else { SourceCode::Inbox };
        CourierError::new(code, format!("cannot {doing}: {errno}"))
    }
}

fn folder_name(mac: Digest) -> String {
    let hex = mac.to_string();
    format!("{FETCHING}{}", &hex[..32])
}

fn inbox_at(inbox: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    open(inbox, flags, Mode::empty()).map_err(trouble("open the inbox"))
}

/// The name of the `n`-th file while it is fetched.
fn numbered(n: usize) -> String {
    format!("{n:04}.part")
}

impl Landing {
    /// Makes the folder, or opens it again.
    pub(super) fn open(inbox: &Path, mac: Digest) -> Result<Self> {
        let at = inbox_at(inbox)?;
        let name = folder_name(mac);
        match mkdirat(&at, name.as_str(), Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(trouble("make a folder in the inbox")(errno)),
        }
        let folder = openat(&at, name.as_str(), FOLDER, Mode::empty());
        Ok(Self { folder: folder.map_err(trouble("open a folder in the inbox"))? })
    }

    /// Whether so many more bytes have room.
    pub(super) fn has_room(inbox: &Path, bytes: u64) -> Result<()> {
        let free = files::free_bytes(inbox)
            .map_err(|error| CourierError::new(SourceCode::Inbox, error.to_string()))?;
        if free < bytes.saturating_add(FREE_BYTES_MIN) {
            return Err(CourierError::new(SourceCode::DiskFull, "the inbox has no room for it"));
        }
        Ok(())
    }

    /// The `n`-th file.
    pub(super) fn file(&self, n: usize) -> Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = openat(&self.folder, numbered(n), flags, mode);
        Ok(File::from(file.map_err(trouble("make a file in the inbox"))?))
    }

    /// Makes everything in it durable.
    pub(super) fn sync(&self, files: usize) -> Result<()> {
        if files > SYNCED_EACH {
            // One sync of the filesystem costs less than one of each file.
            syncfs(&self.folder).map_err(trouble("sync the inbox"))?;
        } else {
            for n in 0..files {
                self.file(n)?.sync_all().map_err(|error| {
                    CourierError::new(SourceCode::Inbox, format!("cannot sync a file: {error}"))
                })?;
            }
        }
        fsync(&self.folder).map_err(trouble("sync a folder in the inbox"))
    }
}

/// Wipes what was begun of a delivery that the server has no more. What cannot be wiped stays, and is tried again.
pub(super) fn discard(inbox: &Path, mac: Digest) -> bool {
    let Ok(at) = inbox_at(inbox) else { return false };
    let report = wipe::wipe_tree(at.as_fd(), OsStr::new(&folder_name(mac)), &|_, _, _| true);
    report.is_ok_and(|report| report.left == 0 && report.unknown == 0)
}

/// Gives a fetched delivery its names, its own last; over nothing that is there.
///
/// # Errors
/// The inbox cannot be written.
pub fn place(inbox: &Path, noted: &Path, mac: Digest) -> Result<Landed> {
    let at = inbox_at(inbox)?;
    let own = folder_name(mac);
    let Some((name, files)) = notes::names(noted, mac) else { return Ok(Landed::Gone) };
    // What was noted is ours; the rule is held once more where names become names of files.
    if !is_delivery_name(&name) || !files.iter().all(|name| is_file_name(name)) {
        return Ok(Landed::Gone);
    }
    let name = OsStr::from_bytes(&name);
    let folder = match openat(&at, own.as_str(), FOLDER, Mode::empty()) {
        Ok(folder) => folder,
        Err(Errno::NOENT) => {
            let there = statat(&at, name, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|found| FileType::from_raw_mode(found.st_mode).is_dir());
            return Ok(if there { Landed::There } else { Landed::Gone });
        }
        Err(errno) => return Err(trouble("open a folder in the inbox")(errno)),
    };
    let write = fault::Write::begin("source place");
    for (n, file) in files.iter().enumerate() {
        let to = OsStr::from_bytes(file);
        match renameat_with(&folder, numbered(n), &folder, to, RenameFlags::NOREPLACE) {
            // An earlier try came so far.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(trouble("rename a fetched file")(errno)),
        }
    }
    fsync(folder.as_fd()).map_err(trouble("sync a folder in the inbox"))?;
    write.middle();
    match renameat_with(&at, own.as_str(), &at, name, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(Errno::EXIST | Errno::NOTEMPTY) => return Ok(Landed::Waits),
        Err(errno) => return Err(trouble("put a delivery into the inbox")(errno)),
    }
    fsync(at.as_fd()).map_err(trouble("sync the inbox"))?;
    write.end();
    Ok(Landed::Now)
}

/// Forgets what was noted of a delivery.
pub fn forget(noted: &Path, mac: Digest) {
    notes::forget(noted, mac);
}
