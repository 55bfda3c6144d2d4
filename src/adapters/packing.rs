//! The writer of packages: age files, the manifest over them, and its signature, as an intake takes them.
//!
//! A package is made in `.NAME.part` beside its place and gets its name when every file in it is synced. Its signature
//! comes last, by one rename: a watched drop folder holds nothing complete before that. Plaintext passes through memory
//! only; what a stop leaves is ciphertext, and [`discard`] or the next [`Package::begin`] removes it.
//!
//! The key of a package is written elsewhere, and never beside it: [`apart`].

mod key;

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, FlockOperation, Mode, OFlags, RenameFlags, chmodat, flock, open, renameat_with},
    io::Errno,
};

pub use self::key::{Beside, apart, drop_key, put_key};
use super::{
    age_files::{Sealer, To},
    fault,
    files::{self, FileError},
    wipe,
};
use crate::domain::{
    digest::Hasher,
    limits::{DELIVERY_FILES_MAX, MANIFEST_BYTES_MAX, SIGNATURE_BYTES_MAX},
    manifest::{
        FileEntry, MANIFEST_NAME, MANIFEST_NAMESPACE, Manifest, ManifestFault, SIGNATURE_NAME,
    },
    packing::{Announced, Counter, ShapeFault},
    sshsig::{self, KeyFault, SigningKey},
};

/// Bytes that are written at once.
const BUFFER: usize = 256 << 10;
/// Group members may read ciphertext: the agent often is another user.
const FILE_MODE: Mode = Mode::from_raw_mode(0o640);
const DIR_MODE: Mode = Mode::from_raw_mode(0o750);

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// What is being packed is not what its layout says.
    #[error(transparent)]
    Shape(#[from] ShapeFault),
    /// What is said of it makes no manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestFault),
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] KeyFault),
    /// Somebody else makes a package of this name.
    #[error("a package of this name is being made in '{}'", path.display())]
    Busy {
        /// Where it is made.
        path: PathBuf,
    },
    /// The files.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A package that is being made. Dropped without [`Package::close`] it leaves its temporaries, as a stop does.
pub struct Package {
    target: PathBuf,
    part: PathBuf,
    /// Holds the lock that says that somebody is at it.
    _lock: std::os::fd::OwnedFd,
    files: Vec<FileEntry>,
}

impl Package {
    /// Begins the package at `target`, which must not be there. What a stop left of it is removed.
    ///
    /// # Errors
    /// [`FileError::Exists`], [`PackError::Busy`], [`FileError`].
    pub fn begin(target: &Path) -> Result<Self, PackError> {
        if target.symlink_metadata().is_ok() {
            return Err(FileError::Exists { path: target.to_owned() }.into());
        }
        let part = files::part_of(target);
        files::create_dir(&part)?;
        let lock = files::open_dir(&part)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(PackError::Busy { path: part }),
            // Some network filesystems know no such lock: then whoever makes one name twice is on his own.
            Err(_) => {}
        }
        empty(&part)?;
        Ok(Self { target: target.to_owned(), part, _lock: lock, files: Vec::new() })
    }

    /// Begins a file of the package; `name` is what the manifest will list. With `counter`, what is written is held
    /// against its layout and counted.
    ///
    /// # Errors
    /// [`ManifestFault`] for a name or a number of files that no intake takes; [`FileError`].
    pub fn file<'p>(
        &'p mut self,
        name: &str,
        to: &To,
        counter: Option<&'p mut Counter>,
    ) -> Result<PackageFile<'p>, PackError> {
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Err(ManifestFault::UnsafeName.into());
        }
        if self.files.iter().any(|file| file.name == name) {
            return Err(ManifestFault::DoubledFile.into());
        }
        // Manifest and signature are things in the folder, too.
        if self.files.len() + 2 >= DELIVERY_FILES_MAX {
            return Err(ManifestFault::OutOfRange("files").into());
        }
        let path = self.part.join(name);
        let write = fault::Write::begin("package");
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = open(&path, flags, FILE_MODE).map_err(FileError::of("create", &path))?;
        let file = Told {
            file: BufWriter::with_capacity(BUFFER, files::regular(fd, &path)?),
            hasher: Hasher::new(),
            bytes: 0,
        };
        let sealer = to.seal(file).map_err(FileError::of_io("write", &path))?;
        Ok(PackageFile {
            files: &mut self.files,
            name: name.to_owned(),
            path,
            sealer,
            plain: Hasher::new(),
            counter,
            write,
        })
    }

    /// Writes and signs the manifest of what was written, syncs it, and gives all of it its name; the signature last.
    ///
    /// # Errors
    /// [`PackError`]. Before the package has its name, nothing but temporaries is there.
    pub fn close(self, announced: &Announced, key: &SigningKey) -> Result<Manifest, PackError> {
        self.seal(announced, key)?.publish()
    }

    /// As [`Package::close`], but before the package has its name: whoever makes the key known does it between.
    ///
    /// # Errors
    /// [`PackError`]; what was made is removed.
    pub fn seal(mut self, announced: &Announced, key: &SigningKey) -> Result<Whole, PackError> {
        let manifest = announced.manifest(std::mem::take(&mut self.files));
        match self.sign(&manifest, key) {
            Ok(()) => Ok(Whole { package: self, manifest }),
            Err(error) => {
                // Why it was given up is told; what cannot be removed now, the next try removes.
                let _ = self.abandon();
                Err(error)
            }
        }
    }

    fn sign(&self, manifest: &Manifest, key: &SigningKey) -> Result<(), PackError> {
        let text = manifest.to_yaml()?;
        let signature = key.sign(MANIFEST_NAMESPACE, text.as_bytes())?;
        let path = self.part.join(MANIFEST_NAME);
        files::create_new(&path, text.as_bytes(), "package-manifest")?;
        mode(&path, FILE_MODE)?;
        let beside = signature_beside(&self.target);
        wipe::discard(&beside)?;
        files::create_new(&beside, signature.as_bytes(), "package-signature")?;
        mode(&beside, FILE_MODE)?;
        mode(&self.part, DIR_MODE)?;
        files::sync_dir(&self.part)?;
        Ok(())
    }

    /// Gives up, and removes what was made.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn abandon(self) -> Result<(), FileError> {
        discard(&self.target).map(|_| ())
    }
}

/// A package that is whole, synced, and has no name yet.
#[must_use]
pub struct Whole {
    package: Package,
    manifest: Manifest,
}

impl Whole {
    /// What the manifest says.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Gives it its name. A stop between the two renames leaves an unsigned package, which no intake takes and
    /// [`discard`] removes.
    ///
    /// # Errors
    /// [`FileError::Exists`] where something took the name meanwhile; [`FileError`]. What was made is removed.
    pub fn publish(self) -> Result<Manifest, PackError> {
        match self.give_name() {
            Ok(()) => Ok(self.manifest),
            Err(error) => {
                let _ = self.package.abandon();
                Err(error)
            }
        }
    }

    fn give_name(&self) -> Result<(), PackError> {
        let Package { target, part, .. } = &self.package;
        let write = fault::Write::begin("package");
        match renameat_with(CWD, part, CWD, target, RenameFlags::NOREPLACE) {
            // Sticks and some network filesystems know no such rename; an empty folder is all that it replaces.
            Err(Errno::INVAL | Errno::NOSYS) => rustix::fs::rename(part, target),
            other => other,
        }
        .map_err(|errno| match errno {
            Errno::EXIST | Errno::NOTEMPTY => FileError::Exists { path: target.clone() },
            errno => FileError::of("rename", target)(errno),
        })?;
        write.middle();
        files::sync_dir(parent_of(target))?;
        write.end();
        files::rename(&signature_beside(target), &target.join(SIGNATURE_NAME), "package")?;
        Ok(())
    }

    /// Gives up, and removes what was made.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn abandon(self) -> Result<(), FileError> {
        self.package.abandon()
    }
}

/// Removes what a stop left of the package at `target`: its temporaries, and a folder that never got its signature.
/// Whether a package is there, whole, and was left as it is.
///
/// # Errors
/// [`FileError`].
pub fn discard(target: &Path) -> Result<bool, FileError> {
    let part = files::part_of(target);
    if part.symlink_metadata().is_ok() {
        empty(&part)?;
        files::remove_flat_folder(&part, "package")?;
    }
    let beside = signature_beside(target);
    if is_unsigned(target, &beside) {
        empty(target)?;
        files::remove_flat_folder(target, "package")?;
    }
    wipe::discard(&beside)?;
    Ok(target.symlink_metadata().is_ok())
}

/// Whether the folder is one of ours that a stop left without its signature: what waits beside it is the signature of
/// its manifest.
fn is_unsigned(target: &Path, beside: &Path) -> bool {
    let read = |path: &Path, max| files::read(path, max).ok();
    let signature = read(beside, SIGNATURE_BYTES_MAX);
    let manifest = read(&target.join(MANIFEST_NAME), MANIFEST_BYTES_MAX);
    let (Some(signature), Some(manifest)) = (signature, manifest) else { return false };
    target.join(SIGNATURE_NAME).symlink_metadata().is_err()
        && sshsig::verify(&signature, &manifest, MANIFEST_NAMESPACE).is_ok()
}

/// A file of a package that is being written: plaintext in, ciphertext out.
pub struct PackageFile<'p> {
    files: &'p mut Vec<FileEntry>,
    name: String,
    path: PathBuf,
    sealer: Sealer<Told>,
    plain: Hasher,
    counter: Option<&'p mut Counter>,
    write: fault::Write,
}

impl PackageFile<'_> {
    /// Adds plaintext.
    ///
    /// # Errors
    /// [`ShapeFault`], [`FileError`].
    pub fn write(&mut self, plain: &[u8]) -> Result<(), PackError> {
        if let Some(counter) = &mut self.counter {
            counter.push(plain)?;
        }
        self.plain.update(plain);
        self.sealer.write_all(plain).map_err(FileError::of_io("write", &self.path))?;
        Ok(())
    }

    /// Ends the file: counted, sealed, synced. Its entry stands in the manifest that [`Package::close`] writes.
    ///
    /// # Errors
    /// [`ShapeFault`], [`FileError`].
    pub fn finish(mut self) -> Result<u64, PackError> {
        let counter = self.counter.take();
        let records = counter.map_or(Ok(0), Counter::end_of_file)?;
        self.end(records)
    }

    /// Ends a file whose records its writer counted.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn finish_counted(self, records: u64) -> Result<u64, PackError> {
        self.end(records)
    }

    fn end(self, records: u64) -> Result<u64, PackError> {
        let Self { files, name, path, sealer, plain, write, .. } = self;
        let failed = |source| FileError::of_io("write", &path)(source);
        let Told { file, hasher, bytes } = sealer.finish().map_err(failed)?;
        write.middle();
        let synced = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| {
            file.sync_all()?;
            Ok(file)
        });
        synced.map_err(failed)?;
        // Against an own umask that is tighter.
        mode(&path, FILE_MODE)?;
        write.end();
        files.push(FileEntry {
            name,
            bytes,
            sha256: hasher.finish(),
            records,
            plaintext_sha256: Some(plain.finish()),
        });
        Ok(records)
    }
}

/// Hashes and counts what is written.
struct Told {
    file: BufWriter<File>,
    hasher: Hasher,
    bytes: u64,
}

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Where the signature waits until the package has its name.
fn signature_beside(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".sig");
    files::part_of(&target.with_file_name(name))
}

/// Removes what lies in a folder of temporaries; all of it is ciphertext and what is signed over it.
fn empty(folder: &Path) -> Result<(), FileError> {
    let listed = std::fs::read_dir(folder).map_err(FileError::of_io("read the folder", folder))?;
    for entry in listed {
        let path = entry.map_err(FileError::of_io("read the folder", folder))?.path();
        wipe::discard(&path)?;
    }
    Ok(())
}

/// Filesystems of sticks keep no modes: what cannot be given is as they have it.
fn mode(path: &Path, mode: Mode) -> Result<(), FileError> {
    match chmodat(CWD, path, mode, rustix::fs::AtFlags::empty()) {
        Ok(()) | Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(errno) => Err(FileError::of("open", path)(errno)),
    }
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
