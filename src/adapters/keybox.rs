//! A link's key directory: the key channel's folder.
//!
//! A key is `<batch>.key` or `<batch>.pass`, and is complete when it has a name without a leading dot. What is read is
//! a small regular file with one link, opened beneath a handle of the folder and never through a link. Wiping a key
//! once it is in the key store is the caller's step, with [`Keybox::wipe`]; nothing here stores or tries a key.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    fs::File,
    io::{self, Read},
    os::fd::{AsFd, OwnedFd},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use rustix::fs::{Dir, FileType, Mode, OFlags, ResolveFlags, fstat, open, openat2};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::{
    age_files::{DeliveryKey, KeyFault},
    wipe::{self, Expect, Origin, WipeError, Wiped},
};
use crate::domain::{
    limits::{INBOX_ENTRIES_MAX, KEY_BYTES_MAX},
    manifest::is_batch_number,
    secret::Secret,
};

/// What a key file holds, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyForm {
    /// `.key`: an age identity file.
    Identity,
    /// `.pass`: a passphrase.
    Passphrase,
}

/// A key file that is complete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyFile {
    /// The provider's number of the batch that it is for.
    pub number: String,
    /// What it holds.
    pub form: KeyForm,
}

impl KeyFile {
    /// Its name in the keybox.
    #[must_use]
    pub fn name(&self) -> OsString {
        let ending = match self.form {
            KeyForm::Identity => "key",
            KeyForm::Passphrase => "pass",
        };
        format!("{}.{ending}", self.number).into()
    }

    fn of(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?;
        let (number, form) = match name.rsplit_once('.')? {
            (number, "key") => (number, KeyForm::Identity),
            (number, "pass") => (number, KeyForm::Passphrase),
            _ => return None,
        };
        is_batch_number(number).then(|| Self { number: number.to_owned(), form })
    }
}

/// What lies in a keybox.
#[derive(Clone, Debug, Default)]
pub struct KeyScan {
    /// Complete keys, sorted by batch number; an identity goes before a passphrase of the same batch.
    pub keys: Vec<KeyFile>,
    /// Other things: no such name. Names with a leading dot are unfinished and not counted.
    pub strays: usize,
    /// Key files that a wipe has begun with and could not end, by the names that it gave them.
    pub left: Vec<OsString>,
}

/// Trouble with a keybox. Key files are named by their batch.
#[derive(Debug, thiserror::Error)]
pub enum KeyboxError {
    /// The keybox cannot be used.
    #[error("cannot {doing} the keybox '{}'", path.display())]
    Keybox {
        /// The act.
        doing: &'static str,
        /// The keybox.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The key file cannot be read.
    #[error("cannot {doing} the key file '{}'", path.display())]
    File {
        /// The act.
        doing: &'static str,
        /// The key file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A link, a file with a second link, or no regular file: it is not opened.
    #[error("'{}' is no regular file with one link", path.display())]
    Unsafe {
        /// The key file.
        path: PathBuf,
    },
    /// It cannot be wiped.
    #[error("cannot wipe the key file '{}'", path.display())]
    Wipe {
        /// The key file.
        path: PathBuf,
        /// Why.
        #[source]
        source: WipeError,
    },
}

/// Device and number of a file.
type Identity = (u64, u64);

/// A key as it was read: not yet parsed, so that one that is no key can be told apart from one that cannot be read.
pub struct ReadKey {
    form: KeyForm,
    bytes: Secret,
    /// Longer than a key may be; `bytes` is cut.
    too_long: bool,
}

impl ReadKey {
    /// The bytes as they lay there; empty, and so no key, where they were too long to be one.
    #[must_use]
    pub fn into_bytes(self) -> Secret {
        if self.too_long { Secret::new(Vec::new()) } else { self.bytes }
    }

    /// The key.
    ///
    /// # Errors
    /// [`KeyFault`] where the file holds none of its form.
    pub fn parse(&self) -> Result<DeliveryKey, KeyFault> {
        if self.too_long {
            return Err(KeyFault::TooLong);
        }
        match self.form {
            KeyForm::Identity => DeliveryKey::parse_identity(&self.bytes),
            KeyForm::Passphrase => DeliveryKey::parse_passphrase(&self.bytes),
        }
    }
}

impl fmt::Debug for ReadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadKey({:?})", self.form)
    }
}

/// An open keybox.
#[derive(Debug)]
pub struct Keybox {
    dir: OwnedFd,
    path: PathBuf,
}

impl Keybox {
    /// Opens the folder at `path`, which comes from configuration.
    ///
    /// # Errors
    /// [`KeyboxError::Keybox`].
    pub fn open(path: &Path) -> Result<Self, KeyboxError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = open(path, flags, Mode::empty()).map_err(|errno| KeyboxError::Keybox {
            doing: "open",
            path: path.to_owned(),
            source: errno.into(),
        })?;
        Ok(Self { dir, path: path.to_owned() })
    }

    /// Lists the complete keys, by name alone.
    ///
    /// # Errors
    /// [`KeyboxError::Keybox`].
    pub fn scan(&self) -> Result<KeyScan, KeyboxError> {
        let failed = |errno: Errno| KeyboxError::Keybox {
            doing: "list",
            path: self.path.clone(),
            source: errno.into(),
        };
        let mut scan = KeyScan::default();
        for entry in Dir::read_from(&self.dir).map_err(failed)?.take(INBOX_ENTRIES_MAX) {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            match KeyFile::of(OsStr::from_bytes(name)) {
                Some(key) => scan.keys.push(key),
                None if wipe::is_neutral(OsStr::from_bytes(name)) => {
                    scan.left.push(OsStr::from_bytes(name).to_owned());
                }
                None if name.starts_with(b".") => {}
                None => scan.strays += 1,
            }
        }
        scan.keys.sort();
        Ok(scan)
    }

    /// Reads a key file; none where it went away since the scan.
    ///
    /// # Errors
    /// [`KeyboxError::Unsafe`], which is never opened, and [`KeyboxError::File`].
    pub fn read(&self, key: &KeyFile) -> Result<Option<ReadKey>, KeyboxError> {
        Ok(self.opened(key)?.map(|(read, _)| read))
    }

    /// The bytes of a key file, and which file it is.
    fn opened(&self, key: &KeyFile) -> Result<Option<(ReadKey, Identity)>, KeyboxError> {
        let path = self.path.join(key.name());
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH
            | ResolveFlags::NO_SYMLINKS
            | ResolveFlags::NO_MAGICLINKS
            | ResolveFlags::NO_XDEV;
        let fd = match openat2(&self.dir, key.name(), flags, Mode::empty(), resolve) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::XDEV | Errno::NXIO) => {
                return Err(KeyboxError::Unsafe { path });
            }
            Err(errno) => {
                return Err(KeyboxError::File { doing: "open", path, source: errno.into() });
            }
        };
        let found = fstat(&fd).map_err(|errno| KeyboxError::File {
            doing: "inspect",
            path: path.clone(),
            source: errno.into(),
        })?;
        let regular = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
        if !regular || found.st_nlink > 1 {
            return Err(KeyboxError::Unsafe { path });
        }
        // Room for all of it from the start: a vector that grows leaves copies of the key behind.
        let room = usize::try_from(KEY_BYTES_MAX + 1).unwrap_or(usize::MAX);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        File::from(fd)
            .take(KEY_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| KeyboxError::File { doing: "read", path, source })?;
        let too_long = bytes.len() as u64 > KEY_BYTES_MAX;
        let bytes = Secret::new(bytes.as_slice().to_vec());
        let read = ReadKey { form: key.form, bytes, too_long };
        Ok(Some((read, (found.st_dev, found.st_ino))))
    }

    /// Ends a wipe that could not be ended, of a file that [`KeyScan::left`] names. Its own name is gone, so nothing else
    /// would come back to it.
    ///
    /// # Errors
    /// [`KeyboxError::Wipe`].
    pub fn finish(&self, left: &OsStr) -> Result<(), KeyboxError> {
        wipe::finish_left(self.dir.as_fd(), left)
            .map_err(|source| KeyboxError::Wipe { path: self.path.join(left), source })
    }

    /// Wipes a key file that holds what was `read` of it; one that holds something else by now is another key, and is
    /// left (`None`). A missing one is no error.
    ///
    /// # Errors
    /// [`KeyboxError::Wipe`].
    pub fn wipe(&self, key: &KeyFile, read: &Secret) -> Result<Option<Wiped>, KeyboxError> {
        let wipe = |source| KeyboxError::Wipe { path: self.path.join(key.name()), source };
        // What an earlier wipe left under its neutral name is ours, whatever has the name by now.
        wipe::finish(self.dir.as_fd(), &key.name()).map_err(wipe)?;
        let identity = match self.opened(key) {
            // What takes the name from now on is not what was read.
            Ok(None) => (0, 0),
            Ok(Some((held, identity))) => {
                let same = verify_slices_are_equal(held.into_bytes().expose(), read.expose());
                if same.is_err() {
                    return Ok(None);
                }
                identity
            }
            Err(KeyboxError::Unsafe { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        // Resuming is safe here: what an earlier wipe left under its neutral name is ours, and who else may write in a
        // keybox could only have an overwritten file of that name removed.
        let expect =
            Expect { origin: Origin::Others, len: None, identity: Some(identity), resume: true };
        match wipe::wipe_file(self.dir.as_fd(), &key.name(), expect) {
            // Another key took the name between the reading and the wipe.
            Err(WipeError::Swapped) => Ok(None),
            other => other.map(Some).map_err(wipe),
        }
    }
}

#[cfg(test)]
mod tests;
