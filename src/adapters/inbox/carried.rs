//! Folders of an inbox into which a delivery is copied from a medium, until it is whole.
//!
//! Who copies holds a lock on the folder, which ends with his process: one that nobody holds was left by a copy that broke
//! off. What lies there may be in plain, and nobody comes for it. Whether it is wiped decides who calls this.

use std::{
    ffi::{OsStr, OsString},
    os::{
        fd::OwnedFd,
        unix::ffi::{OsStrExt, OsStringExt},
    },
};

use rustix::{
    fs::{AtFlags, FlockOperation, Mode, OFlags, flock, fstat, openat2, statat},
    io::Errno,
};
use walkdir::WalkDir;

use super::{Inbox, InboxError, beneath};
use crate::{
    adapters::wipe::{self, TreeReport},
    domain::limits::INBOX_ENTRIES_MAX,
};

/// What stands before the name that a delivery gets once it is whole.
pub const CARRYING: &str = ".batchward-carrying-";

/// The name that the delivery in a folder of ours gets; none of any other.
pub fn name_of(folder: &OsStr) -> Option<OsString> {
    let name = folder.as_bytes().strip_prefix(CARRYING.as_bytes())?;
    (!name.is_empty()).then(|| OsString::from_vec(name.to_vec()))
}

/// How a folder lies there.
enum Left {
    /// It does not any more.
    Gone,
    /// Somebody copies into it, or is about to.
    Held,
    /// Nobody holds it; its lock is ours now.
    Free(OwnedFd),
}

impl Inbox {
    /// Files and bytes of what a copy left that broke off. None where it is under way, or gone.
    ///
    /// # Errors
    /// [`InboxError::Delivery`].
    pub fn broken_off(&self, folder: &OsStr) -> Result<Option<(u64, u64)>, InboxError> {
        let Left::Free(_held) = self.left(folder)? else { return Ok(None) };
        let walk = WalkDir::new(self.path.join(folder)).follow_links(false).into_iter();
        let found = walk.flatten().take(INBOX_ENTRIES_MAX);
        let files = found.filter(|entry| entry.file_type().is_file());
        let bytes = files.map(|entry| entry.metadata().map_or(0, |about| about.len()));
        Ok(Some(
            bytes.fold((0, 0_u64), |(files, sum), bytes| (files + 1, sum.saturating_add(bytes))),
        ))
    }

    /// Wipes what a copy left that broke off. None where it is gone: that is done, and a name that nobody holds is not
    /// wiped, because a copy may begin under it at any moment.
    ///
    /// # Errors
    /// [`InboxError::Held`], and what cannot be looked at.
    pub fn discard(&self, folder: &OsStr) -> Result<Option<TreeReport>, InboxError> {
        // Held to the end: whoever began meanwhile under that name would lose what he copies.
        let _held = match self.left(folder)? {
            Left::Gone => return Ok(None),
            Left::Held => return Err(InboxError::Held { path: self.path.clone() }),
            Left::Free(held) => held,
        };
        wipe::wipe_tree(self.as_fd(), folder, &|_, _, _| true)
            .map(Some)
            .map_err(|source| InboxError::Clear { path: self.path.clone(), source })
    }

    /// Looks at a folder, and takes its lock where nobody has it.
    fn left(&self, folder: &OsStr) -> Result<Left, InboxError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = match openat2(self.as_fd(), folder, flags, Mode::empty(), beneath()) {
            Ok(opened) => opened,
            Err(Errno::NOENT) => return Ok(Left::Gone),
            Err(errno) => return Err(self.delivery("open")(errno)),
        };
        match flock(&opened, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(Left::Held),
            Err(errno) => return Err(self.delivery("lock")(errno)),
        }
        // Whoever held it may have given it its own name meanwhile, and another may have begun under this one.
        let ours = fstat(&opened).map_err(self.delivery("inspect"))?;
        match statat(self.as_fd(), folder, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino) => {
                Ok(Left::Free(opened))
            }
            Ok(_) => Ok(Left::Held),
            Err(Errno::NOENT) => Ok(Left::Gone),
            Err(errno) => Err(self.delivery("inspect")(errno)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]
    use std::fs;

    use super::*;

    #[test]
    fn what_is_being_copied_is_left_alone_and_what_broke_off_is_wiped_whole() {
        let dir = tempfile::tempdir().unwrap();
        let folder = OsString::from(format!("{CARRYING}medium-1"));
        let path = dir.path().join(&folder);
        fs::create_dir_all(path.join("data")).unwrap();
        fs::write(path.join("a.csv"), "synthetic").unwrap();
        fs::write(path.join("data/b.csv"), "synthetic").unwrap();
        let inbox = Inbox::open(dir.path()).unwrap();
        let scan = inbox.scan().unwrap();
        assert_eq!(scan.carried, std::slice::from_ref(&folder));
        assert!(scan.folders.is_empty() && scan.strays.is_empty());
        let Left::Free(held) = inbox.left(&folder).unwrap() else { panic!("nobody holds it") };
        assert_eq!(inbox.broken_off(&folder).unwrap(), None);
        // Asked to wipe it all the same, it wipes nothing.
        assert!(matches!(inbox.discard(&folder), Err(InboxError::Held { .. })));
        assert!(path.join("a.csv").exists() && path.join("data/b.csv").exists());
        drop(held);
        assert_eq!(inbox.broken_off(&folder).unwrap(), Some((2, 18)));
        let report = inbox.discard(&folder).unwrap().unwrap();
        assert_eq!((report.overwritten, report.left), (2, 0));
        assert!(!path.exists());
        assert_eq!(inbox.broken_off(&folder).unwrap(), None);
        assert!(inbox.discard(&folder).unwrap().is_none());
        // Only the prefix makes no such folder, and a file of that name is a stray.
        fs::write(&path, "").unwrap();
        let scan = inbox.scan().unwrap();
        assert_eq!((scan.carried.len(), scan.strays.len()), (0, 1));
        assert_eq!(name_of(OsStr::new(CARRYING)), None);
    }
}
