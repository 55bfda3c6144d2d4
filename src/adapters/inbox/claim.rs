//! The claim: everything in a delivery folder copied into our own spool while it is hashed.
//!
//! A repeat starts from nothing and ends in the same files. Nothing in the folder is changed; clearing it is another
//! step, after the claim is recorded.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read},
    os::fd::{AsFd, BorrowedFd},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, openat2, statx};
use zeroize::Zeroizing;

use super::{
    ClaimedFolder, Inbox, InboxError, Lay, beneath, folder_id,
    known::Mark,
    look::{PAYLOAD, Thing, length},
};
use crate::adapters::{
    age_files::{SpoolError, SpoolWriter},
    ahead::{Hashing, Piece},
    files::{self, FileError},
};
use crate::domain::{
    control::{DeliveryShape, ManifestForm},
    digest::Digest,
    judge::{Document, Entry, EntryKind, Facts, HEAD_BYTES},
    limits::{DELIVERY_FILES_MAX, FREE_BYTES_MIN},
    manifest::{MANIFEST_NAME, SIGNATURE_NAME},
};

/// What a claim makes: which names of a delivery go into which spool files. `None` leaves a file uncopied; such a file
/// has no digest, and a listed one does not pass the judgement then.
pub type SpoolFactory<'a> = dyn FnMut(&[u8]) -> Result<Option<SpoolWriter>, SpoolError> + 'a;

/// A claimed delivery. Its copies stand in the spool under the names that the factory gave.
#[derive(Debug)]
pub struct Claim {
    /// What was copied, with digests, and the two documents: what the judgement goes by.
    pub facts: Facts,
    /// Which folder it was: what [`Inbox::clear`] clears.
    pub folder: ClaimedFolder,
}

/// Why a claim was not made. Copies that were already finished are overwritten by the next try.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Manifest or signature changed, or something was added, while the files were copied: the sender is not done.
    #[error("the delivery changed during the claim")]
    Changed,
    /// The copies would leave less free space than must stay.
    #[error("no space left in '{}': a delivery needs {needed} bytes, {free} are free", spool.display())]
    NoSpace {
        /// The spool.
        spool: PathBuf,
        /// Bytes needed, with what must stay free.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The inbox.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The spool; see [`FileError::Full`].
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl From<FileError> for ClaimError {
    fn from(error: FileError) -> Self {
        Self::Spool(error.into())
    }
}

impl Inbox {
    /// Copies the delivery folder `name`. What is over the limits of a delivery is not copied at all: its facts come
    /// back without digests, and the judgement says so.
    ///
    /// # Errors
    /// [`ClaimError`]; nothing in the folder was changed.
    pub fn claim(
        &self,
        name: &OsStr,
        spool_dir: &Path,
        spool: &mut SpoolFactory<'_>,
    ) -> Result<Claim, ClaimError> {
        let folder = self.folder(name)?;
        let id =
            statx(&folder, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS | StatxFlags::BTIME)
                .map_err(self.delivery("inspect"))?;
        let (manifest, signature) = self.ours(folder.as_fd())?;
        let (names, cut) = self.names(folder.as_fd(), name)?;
        let control = self.control(folder.as_fd(), &names, cut)?;
        let mut facts = Facts { entries: Vec::new(), cut, manifest, signature, control };
        // Before anything is copied: what changes from here on is told from what was copied.
        let mut seen: Vec<Mark> =
            names.iter().filter_map(|name| Mark::of(folder.as_fd(), name)).collect();
        let lay = match (self.profile.shape, self.profile.form) {
            (DeliveryShape::Flat, _) => Lay::Flat,
            (DeliveryShape::Folder, ManifestForm::Bag) => Lay::Bag,
            (DeliveryShape::Folder, _) => Lay::Folder,
        };
        if lay == Lay::Bag {
            seen.extend(Mark::of(folder.as_fd(), OsStr::new(PAYLOAD)));
        }
        let deep = if cut { None } else { self.nested(folder.as_fd(), &names)? };
        if !cut {
            for name in &names {
                if let Some(entry) = self.entry(folder.as_fd(), name)? {
                    facts.entries.push(entry);
                }
            }
        }
        if !facts.is_over_limit() {
            check_space(spool_dir, &facts)?;
            for entry in &mut facts.entries {
                self.copy(folder.as_fd(), entry, spool)?;
            }
        }
        self.check_unchanged(folder.as_fd(), &facts, &names)?;
        self.check_nothing_added((folder.as_fd(), name), &names, cut)?;
        let is_deep = deep.is_some() && !facts.is_over_limit();
        seen.extend(deep.into_iter().flatten());
        let mut seen = (!facts.is_over_limit()).then_some(seen);
        for mark in seen.iter_mut().flatten() {
            mark.copied(copied(&facts, mark));
        }
        let folder = ClaimedFolder { id: folder_id(&id), lay, deep: is_deep, seen };
        Ok(Claim { facts, folder })
    }

    /// What lies in folders within a delivery, at any depth. None of it is copied, and the originals stay until an order
    /// covers the batch; what comes there later is not what that covers. None where it is more than a delivery may have.
    fn nested(
        &self,
        folder: BorrowedFd<'_>,
        names: &[OsString],
    ) -> Result<Option<Vec<Mark>>, InboxError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (mut marks, mut paths) = (Vec::new(), names.to_vec());
        while let Some(path) = paths.pop() {
            // What is no folder, or another filesystem, has nothing within.
            let Ok(inner) = openat2(folder, &path, flags, Mode::empty(), beneath()) else {
                continue;
            };
            let (inside, more) = self.listed(inner.as_fd(), DELIVERY_FILES_MAX)?;
            if more || marks.len() + inside.len() > DELIVERY_FILES_MAX {
                return Ok(None);
            }
            for name in inside {
                let path = Path::new(&path).join(name).into_os_string();
                marks.extend(Mark::of(folder, &path));
                paths.push(path);
            }
        }
        Ok(Some(marks))
    }

    /// An entry of the claim before its copy; none for a document, which is held in memory.
    fn entry(&self, folder: BorrowedFd<'_>, name: &OsStr) -> Result<Option<Entry>, InboxError> {
        let (kind, bytes) = match self.thing(folder, name)? {
            None => return Ok(None),
            Some(Thing::File(..)) if self.is_document(name) => return Ok(None),
            Some(Thing::File(_, stat)) => (EntryKind::File, length(&stat)),
            Some(Thing::Unsafe(kind)) => (kind, 0),
        };
        let name = name.as_bytes().to_vec();
        Ok(Some(Entry { name, kind, bytes, head: Zeroizing::default(), sha256: None }))
    }

    /// Copies one file. It is judged by what it is now that it is open: what it was before, or becomes later, counts
    /// for nothing.
    fn copy(
        &self,
        folder: BorrowedFd<'_>,
        entry: &mut Entry,
        spool: &mut SpoolFactory<'_>,
    ) -> Result<(), ClaimError> {
        if entry.kind != EntryKind::File {
            return Ok(());
        }
        let (file, planned) = match self.thing(folder, OsStr::from_bytes(&entry.name))? {
            Some(Thing::File(file, _)) => (file, entry.bytes),
            Some(Thing::Unsafe(kind)) => {
                entry.kind = kind;
                entry.bytes = 0;
                return Ok(());
            }
            // Listed, it is missing now; unlisted, it still counts as having been there.
            None => {
                entry.bytes = 0;
                return Ok(());
            }
        };
        let Some(mut writer) = spool(&entry.name)? else { return Ok(()) };
        // One byte more than there was shows that it grew; space was checked for no more.
        match self.pour(file.take(planned.saturating_add(1)), entry, &mut writer) {
            Ok(()) => {
                writer.finish()?;
                Ok(())
            }
            Err(error) => {
                // The error that led here is the one to tell.
                let _ = writer.abandon();
                Err(error)
            }
        }
    }

    fn pour(
        &self,
        mut file: io::Take<File>,
        entry: &mut Entry,
        writer: &mut SpoolWriter,
    ) -> Result<(), ClaimError> {
        // Hashed on a thread of its own: sealing and writing take as long.
        let read = |source| {
            ClaimError::from(InboxError::Delivery {
                doing: "read",
                path: self.path.clone(),
                source,
            })
        };
        let mut hashing = Hashing::new(entry.bytes).map_err(read)?;
        let mut piece = Piece::new();
        entry.bytes = 0;
        loop {
            piece.fill(&mut file).map_err(read)?;
            let bytes = piece.bytes();
            if bytes.is_empty() {
                break;
            }
            let room = HEAD_BYTES.saturating_sub(entry.head.len()).min(bytes.len());
            entry.head.extend_from_slice(&bytes[..room]);
            writer.write(bytes)?;
            entry.bytes += bytes.len() as u64;
            piece = hashing.take(piece);
        }
        entry.sha256 = Some(hashing.finish().map_err(read)?);
        Ok(())
    }

    /// What was added meanwhile was not copied, and must not go with the originals.
    fn check_nothing_added(
        &self,
        (folder, name): (BorrowedFd<'_>, &OsStr),
        before: &[OsString],
        cut: bool,
    ) -> Result<(), ClaimError> {
        let (now, more) = self.names(folder, name)?;
        let added = |name: &OsString| before.binary_search(name).is_err();
        if cut || (!more && !now.iter().any(added)) { Ok(()) } else { Err(ClaimError::Changed) }
    }

    /// The documents must still be the bytes that were read first. A swap that is undone in time is none: what was
    /// read first is what is judged.
    fn check_unchanged(
        &self,
        folder: BorrowedFd<'_>,
        facts: &Facts,
        names: &[OsString],
    ) -> Result<(), ClaimError> {
        let (manifest, signature) = self.ours(folder)?;
        let control = self.control(folder, names, facts.cut)?;
        if manifest == facts.manifest && signature == facts.signature && control == facts.control {
            Ok(())
        } else {
            Err(ClaimError::Changed)
        }
    }
}

/// The digest of what was taken of a thing: of a copy, or of a document that was read.
fn copied(facts: &Facts, mark: &Mark) -> Option<Digest> {
    let documents = [(MANIFEST_NAME, &facts.manifest), (SIGNATURE_NAME, &facts.signature)];
    let ours = documents.into_iter().find(|(name, _)| mark.is(name.as_bytes()));
    let control = || facts.control.iter().find(|(name, _)| mark.is(name));
    match ours.map(|(_, one)| one).or_else(|| control().map(|(_, one)| one)) {
        Some(Document::Bytes(bytes)) => Some(Digest::of(bytes)),
        _ => facts.entries.iter().find(|entry| mark.is(&entry.name))?.sha256,
    }
}

/// The copies are a little longer than what they hold: 16 bytes for each 64 KiB, and a header.
fn check_space(spool_dir: &Path, facts: &Facts) -> Result<(), ClaimError> {
    let overhead = |bytes: u64| bytes / 2048 + (4 << 10);
    let needed = facts.entries.iter().fold(FREE_BYTES_MIN, |sum, entry| {
        sum.saturating_add(entry.bytes).saturating_add(overhead(entry.bytes))
    });
    let free = files::free_bytes(spool_dir)?;
    if needed > free {
        return Err(ClaimError::NoSpace { spool: spool_dir.to_owned(), needed, free });
    }
    Ok(())
}
