//! A link's drop directory, which belongs to the attacker.
//!
//! Everything is opened beneath a handle of the directory, never through a link and never across a mount, and only
//! what is a regular file with one link when it is open. What is judged is what was copied: a claim copies into files
//! of our own while it hashes, so that a sender with open descriptors changes nothing afterwards. A folder is cleared
//! by what it is, not by its name. Nothing here judges, and nothing of it is ever executed or taken as configuration;
//! modification times decide nothing.

mod carried;
mod claim;
mod known;
mod look;

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::fs::{
    AtFlags, Mode, OFlags, RenameFlags, ResolveFlags, Stat, StatxFlags, fsync, open, openat2,
    renameat, renameat_with, statx,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

pub use self::{
    carried::{CARRYING, name_of as carried_name},
    claim::{Claim, ClaimError, SpoolFactory},
    known::{ClaimedFolder, Lay, Mark},
    look::PAYLOAD,
};
use super::{
    fault,
    wipe::{self, TreeReport, WipeError},
};
use crate::domain::{
    control::{DeliveryShape, Profile},
    judge::is_key_name,
    limits::INBOX_ENTRIES_MAX,
};

/// What a folder that is being cleared is called, so that its old name is free again for the sender.
const CLEARED: &str = ".batchward-clearing-";
/// What a folder is called into which a delivery is fetched, until it is whole.
pub(super) const FETCHING: &str = ".batchward-fetching-";
/// What is put behind the name of a folder whose own name was taken, when it goes back to the inbox.
const LATE: &str = ".late";
/// Names that are tried for it: NAME.late, NAME.late-2, and so on.
const LATE_NAMES_MAX: usize = 64;

/// Trouble with an inbox. Names of deliveries are a provider's and stand in no message.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The inbox cannot be used.
    #[error("cannot {doing} the inbox '{}'", path.display())]
    Inbox {
        /// The act.
        doing: &'static str,
        /// The inbox.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Something in a delivery cannot be used now: it went away, or may not be read.
    #[error("cannot {doing} a delivery in the inbox '{}'", path.display())]
    Delivery {
        /// The act.
        doing: &'static str,
        /// The inbox.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another folder has the name of the one that was claimed. It was left alone.
    #[error("another folder has the name of a claimed delivery in the inbox '{}'", path.display())]
    OtherFolder {
        /// The inbox.
        path: PathBuf,
    },
    /// A copy from a medium is under way. It was left alone.
    #[error("a delivery is being copied from a medium into the inbox '{}'", path.display())]
    Held {
        /// The inbox.
        path: PathBuf,
    },
    /// The wipe of a claimed folder could not start.
    #[error("cannot clear a delivery in the inbox '{}'", path.display())]
    Clear {
        /// The inbox.
        path: PathBuf,
        /// Why.
        #[source]
        source: WipeError,
    },
}

impl InboxError {
    /// Whether a delivery was asked for that is not there.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Delivery { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// What a folder is, whatever it is called: a name may be given to another folder at any time, and an inode number to
/// a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderId {
    /// Device, major and minor.
    pub device: (u32, u32),
    /// Inode number.
    pub inode: u64,
    /// When it was made, in nanoseconds; 0 where the filesystem does not say.
    pub born: i64,
}

/// What lies in an inbox, by name alone.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Folders: each is a delivery, or will be one.
    pub folders: Vec<OsString>,
    /// Everything else: never followed, never opened.
    pub strays: Vec<Stray>,
    /// The names of each flat delivery, as they were listed: what lies side by side with those of all others is listed
    /// once, and not again for each.
    pub names: BTreeMap<OsString, Vec<OsString>>,
    /// Folders into which a delivery is copied from a medium, or was: see [`Inbox::broken_off`].
    pub carried: Vec<OsString>,
    /// There is more than [`INBOX_ENTRIES_MAX`], and the rest was not listed.
    pub cut: bool,
}

/// A thing in an inbox that is no delivery folder.
#[derive(Clone, PartialEq, Eq)]
pub struct Stray {
    /// Its name.
    pub name: OsString,
    /// By its name it is a key: a finding at once.
    pub key: bool,
}

impl std::fmt::Debug for Stray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.key { "Stray(key)" } else { "Stray" })
    }
}

/// An open inbox.
#[derive(Debug)]
pub struct Inbox {
    dir: OwnedFd,
    path: PathBuf,
    profile: Profile,
}

impl Inbox {
    /// Opens the folder at `path`, which comes from configuration.
    ///
    /// # Errors
    /// [`InboxError::Inbox`].
    pub fn open(path: &Path) -> Result<Self, InboxError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = open(path, flags, Mode::empty()).map_err(|errno| InboxError::Inbox {
            doing: "open",
            path: path.to_owned(),
            source: errno.into(),
        })?;
        Ok(Self { dir, path: path.to_owned(), profile: Profile::default() })
    }

    /// The same inbox, with deliveries of another form.
    #[must_use]
    pub fn of_form(self, profile: &Profile) -> Self {
        Self { profile: profile.clone(), ..self }
    }

    /// Lists the inbox, sorted by name. What a stopped [`Inbox::clear`] left is not
    /// listed: its repeat finds it.
    ///
    /// # Errors
    /// [`InboxError::Inbox`].
    pub fn scan(&self) -> Result<Scan, InboxError> {
        let mut scan = Scan::default();
        let (mut stems, mut listed) = (BTreeSet::new(), 0);
        let walk = WalkDir::new(&self.path).min_depth(1).max_depth(1).follow_links(false);
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                // A thing that went away between listing and looking.
                Err(error) if error.depth() > 0 => continue,
                Err(error) => return Err(self.inbox("list")(error.into())),
            };
            let name = entry.file_name();
            if is_clearing(name) {
                continue;
            }
            if listed == INBOX_ENTRIES_MAX {
                scan.cut = true;
                break;
            }
            listed += 1;
            if carried::name_of(name).is_some() && entry.file_type().is_dir() {
                scan.carried.push(name.to_owned());
                continue;
            }
            if let Some(stem) = self.flat_stem(name) {
                scan.names.entry(stem.to_owned()).or_default().push(name.to_owned());
            }
            let stem = self.profile.stem(name.as_bytes()).filter(|_| entry.file_type().is_file());
            if let Some(stem) = stem.filter(|_| !is_key_name(name.as_bytes())) {
                stems.insert(OsStr::from_bytes(stem).to_owned());
            } else if entry.file_type().is_dir() && self.profile.shape == DeliveryShape::Folder {
                scan.folders.push(name.to_owned());
            } else {
                let key = is_key_name(name.as_encoded_bytes());
                scan.strays.push(Stray { name: name.to_owned(), key });
            }
        }
        // A key or a folder alone makes no delivery, and refuses the one whose name it has.
        scan.names.retain(|stem, _| stems.contains(stem));
        scan.names.values_mut().for_each(|names| names.sort());
        scan.folders.extend(stems);
        scan.folders.sort();
        scan.strays.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(scan)
    }

    /// Clears a claimed folder: everything that was seen in it through the wipe primitive. It is renamed first, so that
    /// what is wiped is the folder that was claimed and nothing that took its name. One that is gone is done; one that
    /// an earlier try left half cleared is finished. One with things in it that came later gets a name back, to be
    /// looked at anew.
    ///
    /// # Errors
    /// [`InboxError::OtherFolder`] where the name is another folder's, and whatever the system refuses.
    pub fn clear(&self, name: &OsStr, claimed: &ClaimedFolder) -> Result<TreeReport, InboxError> {
        if claimed.lay == Lay::Flat {
            return self.clear_files(name, claimed);
        }
        let folder = claimed.id;
        let neutral = OsString::from(format!("{CLEARED}{:x}-{:x}", folder.inode, folder.born));
        let set_aside = match self.id_of(&neutral)? {
            Some(found) if found == folder => true,
            _ => match self.id_of(name)? {
                // Gone: nothing has the neutral name either, and the report says that nothing was found.
                None => true,
                Some(found) if found == folder => self.set_aside(name, &neutral, folder)?,
                Some(_) => return Err(InboxError::OtherFolder { path: self.path.clone() }),
            },
        };
        let cleared = if set_aside { &neutral } else { name };
        let known =
            |inside: BorrowedFd<'_>, path: &Path, found: &Stat| claimed.knows(inside, path, found);
        let report = wipe::wipe_tree(self.dir.as_fd(), cleared, &known)
            .map_err(|source| InboxError::Clear { path: self.path.clone(), source })?;
        if report.unknown > 0 && set_aside {
            self.put_back(&neutral, name, folder)?;
        }
        Ok(report)
    }

    /// Clears the files of a flat delivery, each that was seen and is the same; what took the place of one is another
    /// delivery. Where nothing is known one by one, everything goes that has the delivery's name, and it is not cleared
    /// while something is left of that.
    fn clear_files(&self, name: &OsStr, claimed: &ClaimedFolder) -> Result<TreeReport, InboxError> {
        let known =
            |inside: BorrowedFd<'_>, path: &Path, found: &Stat| claimed.knows(inside, path, found);
        let mut names = claimed.names();
        if claimed.seen.is_none() {
            // What an earlier clearing was about to remove has another name by now.
            let of_name = self.flat_names(name)?.0;
            let neutral = |name: &OsString| OsString::from(wipe::neutral_name(name));
            names = of_name.iter().map(neutral).chain(of_name.iter().cloned()).collect();
        }
        let mut report = wipe::wipe_files(self.dir.as_fd(), names, &known)
            .map_err(|source| InboxError::Clear { path: self.path.clone(), source })?;
        let (remaining, more) = self.flat_names(name)?;
        let remaining = remaining.len() as u64 + u64::from(more);
        match &claimed.seen {
            // More came than one listing takes, or it cannot be removed: the next try goes on.
            None => report.left = report.left.max(remaining),
            // What is left came later, and is looked at anew.
            Some(_) => report.unknown = report.unknown.max(remaining.saturating_sub(report.left)),
        }
        Ok(report)
    }

    /// Gives a folder back to the inbox that holds what nobody has seen: under its old name, or beside whatever took
    /// that. A name that is too long for an ending, and one of which every ending is taken, leave a name made of what
    /// the folder is.
    fn put_back(&self, neutral: &OsStr, name: &OsStr, id: FolderId) -> Result<(), InboxError> {
        let beside = (1..=LATE_NAMES_MAX).map(|number| {
            let mut beside = name.to_owned();
            beside.push(LATE);
            if number > 1 {
                beside.push(format!("-{number}"));
            }
            beside
        });
        let last = OsString::from(format!("delivery-{:x}-{:x}{LATE}", id.inode, id.born));
        let write = fault::Write::begin("inbox rename");
        let mut renamed = self.rename(neutral, name);
        for free in beside.chain([last]) {
            if !matches!(renamed, Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NAMETOOLONG)) {
                break;
            }
            renamed = self.rename(neutral, &free);
        }
        renamed.map_err(self.delivery("rename"))?;
        write.middle();
        fsync(&self.dir).map_err(self.delivery("sync the folder of"))?;
        write.end();
        Ok(())
    }

    /// The handle, for preflight checks.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Gives a claimed folder its neutral name; `false` where the inbox does not let us, so that only what is in the
    /// folder can be wiped, under the name that it has.
    fn set_aside(&self, name: &OsStr, neutral: &OsStr, id: FolderId) -> Result<bool, InboxError> {
        let write = fault::Write::begin("inbox rename");
        match self.rename(name, neutral) {
            Ok(()) => {}
            Err(Errno::ACCESS | Errno::PERM) => return Ok(false),
            Err(errno) => return Err(self.delivery("rename")(errno)),
        }
        write.middle();
        if self.id_of(neutral)? != Some(id) {
            // Swapped between the look and the rename: it goes back to whoever put it there.
            self.rename(neutral, name).map_err(self.delivery("rename"))?;
            return Err(InboxError::OtherFolder { path: self.path.clone() });
        }
        fsync(&self.dir).map_err(self.delivery("sync the folder of"))?;
        write.end();
        Ok(true)
    }

    /// Renames within the inbox, over nothing that is there.
    fn rename(&self, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        match renameat_with(&self.dir, from, &self.dir, to, RenameFlags::NOREPLACE) {
            // Network filesystems that cannot refuse replace nothing but an empty folder.
            Err(Errno::INVAL | Errno::NOSYS) => renameat(&self.dir, from, &self.dir, to),
            other => other,
        }
    }

    /// What the thing of this name is; none where there is nothing.
    fn id_of(&self, name: &OsStr) -> Result<Option<FolderId>, InboxError> {
        let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        match statx(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW, mask) {
            Ok(found) => Ok(Some(folder_id(&found))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.delivery("inspect")(errno)),
        }
    }

    /// Opens a delivery folder itself; the inbox, where its deliveries are plain files in it.
    fn folder(&self, name: &OsStr) -> Result<OwnedFd, InboxError> {
        if self.profile.shape == DeliveryShape::Flat {
            return self.dir.try_clone().map_err(|source| InboxError::Delivery {
                doing: "open",
                path: self.path.clone(),
                source,
            });
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat2(&self.dir, name, flags, Mode::empty(), beneath()).map_err(self.delivery("open"))
    }

    fn inbox(&self, doing: &'static str) -> impl FnOnce(io::Error) -> InboxError {
        let path = self.path.clone();
        move |source| InboxError::Inbox { doing, path, source }
    }

    fn delivery(&self, doing: &'static str) -> impl Fn(Errno) -> InboxError + use<> {
        let path = self.path.clone();
        move |errno| InboxError::Delivery { doing, path: path.clone(), source: errno.into() }
    }
}

/// Beneath the handle, through no link of any kind, over no mount.
fn beneath() -> ResolveFlags {
    ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV
}

fn folder_id(found: &rustix::fs::Statx) -> FolderId {
    let known = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::BTIME);
    let birth = found.stx_btime;
    let nanos = birth.tv_sec.saturating_mul(1_000_000_000).saturating_add(birth.tv_nsec.into());
    FolderId {
        device: (found.stx_dev_major, found.stx_dev_minor),
        inode: found.stx_ino,
        born: if known { nanos } else { 0 },
    }
}

fn is_clearing(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(CLEARED.as_bytes()) || name.starts_with(FETCHING.as_bytes())
}

#[cfg(test)]
mod tests;
