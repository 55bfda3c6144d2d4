//! Looking into one delivery folder: what is there, and the two documents read once.
//!
//! What is no plain file is never opened, and what was opened is looked at again through its descriptor.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::Read,
    os::fd::{AsFd, BorrowedFd},
    os::unix::ffi::OsStrExt,
    path::Path,
};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat2, statat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::{Inbox, InboxError, beneath};
use crate::domain::{
    control::{self, DeliveryShape, ManifestForm},
    judge::{Document, Entry, EntryKind, Facts, HEAD_BYTES, is_document},
    limits::{
        CONTROL_BYTES_MAX, CONTROL_FILES_MAX, DELIVERY_FILES_MAX, INBOX_ENTRIES_MAX,
        MANIFEST_BYTES_MAX, SIGNATURE_BYTES_MAX,
    },
    manifest::{MANIFEST_NAME, SIGNATURE_NAME},
};

impl Inbox {
    /// What is in the delivery folder `name`: sizes and first bytes, manifest and signature. Nothing is hashed.
    ///
    /// # Errors
    /// [`InboxError::Delivery`] where the folder cannot be listed or a plain file in it cannot be read.
    pub fn look(&self, name: &OsStr) -> Result<Facts, InboxError> {
        let folder = self.folder(name)?;
        let (names, cut) = self.names(folder.as_fd(), name)?;
        self.look_over(folder.as_fd(), &names, cut)
    }

    /// The same of a flat delivery whose `names` a [`Scan`](super::Scan) has listed. A claim lists them itself.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub fn look_among(&self, names: &[OsString]) -> Result<Facts, InboxError> {
        self.look_over(self.dir.as_fd(), names, names.len() > DELIVERY_FILES_MAX)
    }

    fn look_over(
        &self,
        folder: BorrowedFd<'_>,
        names: &[OsString],
        cut: bool,
    ) -> Result<Facts, InboxError> {
        let mut entries = Vec::new();
        for name in names.iter().filter(|_| !cut) {
            let Some(found) = self.thing(folder, name)? else { continue };
            let (kind, bytes, file) = match found {
                Thing::File(file, stat) => (EntryKind::File, length(&stat), Some(file)),
                Thing::Unsafe(kind) => (kind, 0, None),
            };
            // A document that is a link or has a second one is a thing in the folder like any other.
            if file.is_some() && self.is_document(name) {
                continue;
            }
            let head = match file {
                Some(file) => Zeroizing::new(self.read(file, HEAD_BYTES as u64)?),
                None => Zeroizing::default(),
            };
            entries.push(Entry { name: name.as_bytes().to_vec(), kind, bytes, head, sha256: None });
        }
        let (manifest, signature) = self.ours(folder)?;
        Ok(Facts { entries, cut, manifest, signature, control: self.control(folder, names, cut)? })
    }

    /// Whether a name is one of a document, ours or of the inbox's form.
    pub(super) fn is_document(&self, name: &OsStr) -> bool {
        let ours = self.profile.shape == DeliveryShape::Folder && is_document(name.as_bytes());
        ours || control::is_document(self.profile.form, name.as_bytes())
    }

    /// Our own manifest and its signature. Where the files of many deliveries lie side by side there is none: one name
    /// cannot be a document of each of them.
    pub(super) fn ours(&self, folder: BorrowedFd<'_>) -> Result<(Document, Document), InboxError> {
        if self.profile.shape == DeliveryShape::Flat {
            return Ok((Document::Missing, Document::Missing));
        }
        Ok((
            self.document(folder, MANIFEST_NAME, MANIFEST_BYTES_MAX)?,
            self.document(folder, SIGNATURE_NAME, SIGNATURE_BYTES_MAX)?,
        ))
    }

    /// The documents of the inbox's form, each read once. What is a link is no document, and refused as what it is.
    /// Nothing is read of a delivery that is over the limits anyway, and what would go over the bound of all of them
    /// together is too long.
    pub(super) fn control(
        &self,
        folder: BorrowedFd<'_>,
        names: &[OsString],
        cut: bool,
    ) -> Result<Vec<(Vec<u8>, Document)>, InboxError> {
        let of_form = |name: &&OsString| control::is_document(self.profile.form, name.as_bytes());
        let (mut documents, mut room) = (Vec::new(), CONTROL_BYTES_MAX);
        for name in names.iter().filter(of_form).filter(|_| !cut) {
            let Some(Thing::File(file, _)) = self.thing(folder, name)? else { continue };
            if documents.len() == CONTROL_FILES_MAX {
                documents.push((name.as_bytes().to_vec(), Document::TooLong));
                break;
            }
            let max = MANIFEST_BYTES_MAX.min(room);
            let bytes = self.read(file, max + 1)?;
            let document = match bytes.len() as u64 > max {
                true => Document::TooLong,
                false => {
                    room -= bytes.len() as u64;
                    Document::Bytes(bytes)
                }
            };
            documents.push((name.as_bytes().to_vec(), document));
        }
        Ok(documents)
    }

    /// The names in a folder, sorted; and whether there are more than a delivery may have.
    pub(super) fn names(
        &self,
        folder: BorrowedFd<'_>,
        delivery: &OsStr,
    ) -> Result<(Vec<OsString>, bool), InboxError> {
        if self.profile.shape == DeliveryShape::Flat {
            let (names, cut) = self.flat_names(delivery)?;
            let more = names.len() > DELIVERY_FILES_MAX;
            return Ok((names, cut || more));
        }
        let (mut names, mut cut) = self.listed(folder, DELIVERY_FILES_MAX)?;
        // A bag's payload lies one folder deeper, and is named so.
        let payload = OsStr::new(PAYLOAD);
        if self.profile.form == ManifestForm::Bag && names.iter().any(|name| name == payload) {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            if let Ok(inner) = openat2(folder, payload, flags, Mode::empty(), beneath()) {
                let (inside, more) = self.listed(inner.as_fd(), DELIVERY_FILES_MAX)?;
                cut |= more;
                names.retain(|name| name != payload);
                names.extend(inside.iter().map(|name| Path::new(payload).join(name).into()));
            }
        }
        cut |= names.len() > DELIVERY_FILES_MAX;
        names.sort();
        Ok((names, cut))
    }

    /// The flat delivery that a name belongs to, where the inbox has such.
    pub(super) fn flat_stem<'n>(&self, name: &'n OsStr) -> Option<&'n OsStr> {
        flat_stem(name).filter(|_| self.profile.shape == DeliveryShape::Flat)
    }

    /// The names of a flat delivery, sorted; and whether there were more in the inbox than are looked at.
    pub(super) fn flat_names(&self, delivery: &OsStr) -> Result<(Vec<OsString>, bool), InboxError> {
        let (mut names, cut) = self.listed(self.dir.as_fd(), INBOX_ENTRIES_MAX)?;
        names.retain(|name| flat_stem(name) == Some(delivery));
        names.sort();
        Ok((names, cut))
    }

    /// The names in one folder, in no order, and whether there are more than `max`.
    pub(super) fn listed(
        &self,
        folder: BorrowedFd<'_>,
        max: usize,
    ) -> Result<(Vec<OsString>, bool), InboxError> {
        let mut names = Vec::new();
        for entry in Dir::read_from(folder).map_err(self.delivery("list"))? {
            let entry = entry.map_err(self.delivery("list"))?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if names.len() == max {
                return Ok((names, true));
            }
            names.push(OsStr::from_bytes(name).to_owned());
        }
        Ok((names, false))
    }

    /// What a name in a folder is, with the open file where it may be opened. None where it went away.
    pub(super) fn thing(
        &self,
        folder: BorrowedFd<'_>,
        name: &OsStr,
    ) -> Result<Option<Thing>, InboxError> {
        let found = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(self.delivery("inspect")(errno)),
        };
        // What is no plain file is never opened: opening alone can block, or act on a device.
        if let Some(kind) = unsafe_kind(&found) {
            return Ok(Some(Thing::Unsafe(kind)));
        }
        // The sender may have put a pipe there since: without blocking its opening returns at once, and what was
        // opened is looked at again.
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match openat2(folder, name, flags, Mode::empty(), beneath()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Ok(Some(Thing::Unsafe(EntryKind::Link))),
            Err(Errno::XDEV | Errno::NXIO | Errno::NODEV) => {
                return Ok(Some(Thing::Unsafe(EntryKind::Other)));
            }
            Err(errno) => return Err(self.delivery("open")(errno)),
        };
        let opened = fstat(&file).map_err(self.delivery("inspect"))?;
        Ok(Some(match unsafe_kind(&opened) {
            Some(kind) => Thing::Unsafe(kind),
            None => Thing::File(File::from(file), opened),
        }))
    }

    /// A document, read once and whole.
    pub(super) fn document(
        &self,
        folder: BorrowedFd<'_>,
        name: &str,
        max: u64,
    ) -> Result<Document, InboxError> {
        let Some(Thing::File(file, _)) = self.thing(folder, name.as_ref())? else {
            return Ok(Document::Missing);
        };
        let bytes = self.read(file, max + 1)?;
        Ok(if bytes.len() as u64 > max { Document::TooLong } else { Document::Bytes(bytes) })
    }

    fn read(&self, file: File, max: u64) -> Result<Vec<u8>, InboxError> {
        let mut bytes = Vec::new();
        file.take(max).read_to_end(&mut bytes).map_err(|source| InboxError::Delivery {
            doing: "read",
            path: self.path.clone(),
            source,
        })?;
        Ok(bytes)
    }
}

/// The flat delivery that a name belongs to, whatever it is: a key, or what is no plain file, refuses it. Our own
/// manifest belongs to none, and what is hidden neither.
fn flat_stem(name: &OsStr) -> Option<&OsStr> {
    let stem = name.as_bytes().split(|b| *b == b'.').next()?;
    (!stem.is_empty() && !is_document(name.as_bytes())).then(|| OsStr::from_bytes(stem))
}

/// Where a bag's payload lies.
pub const PAYLOAD: &str = "data";

/// A thing in a delivery folder.
pub(super) enum Thing {
    /// A regular file with one link, open, as it was when it was opened.
    File(File, Stat),
    /// Anything else, unopened.
    Unsafe(EntryKind),
}

fn unsafe_kind(found: &Stat) -> Option<EntryKind> {
    match FileType::from_raw_mode(found.st_mode) {
        // No link at all: it was unlinked after it was opened, and is not there any more.
        FileType::RegularFile if found.st_nlink <= 1 => None,
        FileType::RegularFile => Some(EntryKind::Linked),
        FileType::Symlink => Some(EntryKind::Link),
        _ => Some(EntryKind::Other),
    }
}

pub(super) fn length(found: &Stat) -> u64 {
    u64::try_from(found.st_size).unwrap_or(0)
}
