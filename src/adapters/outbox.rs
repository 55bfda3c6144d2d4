//! Outboxes: packages that are handed on, as delivery folders, and the keys that open them, in another folder.
//!
//! A package is written as `.NUMBER.part` in its outbox and gets its name when it is whole; the key is left as
//! `NUMBER.key` in the folder of keys. Both are for the folder's group to take away. Nothing here sees plaintext.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, Mode, chmodat};

use super::{
    age_files::{SpoolError, SpoolWriter},
    files::{self, FileError},
    wipe,
};
use crate::domain::{
    handover::DATA_NAME,
    limits,
    manifest::{MANIFEST_NAME, SIGNATURE_NAME},
};

const FILE_MODE: Mode = Mode::from_raw_mode(0o640);
const DIR_MODE: Mode = Mode::from_raw_mode(0o750);

/// Why a package is not there.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// Something of that name lies in the outbox.
    #[error("'{}' is there already", path.display())]
    Exists {
        /// What lies there.
        path: PathBuf,
    },
    /// The folder of keys is the outbox, or one of them lies in the other.
    #[error("the key would lie beside the data: '{}'", path.display())]
    Beside {
        /// The folder of keys.
        path: PathBuf,
    },
    /// The data file.
    #[error(transparent)]
    Seal(#[from] SpoolError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The places of one package.
pub struct Outbox<'a> {
    /// Its number.
    pub number: &'a str,
    /// The outbox.
    pub outbox: &'a Path,
    /// The folder of keys.
    pub keys: Option<&'a Path>,
    /// Where notes lie.
    pub notes: &'a Path,
}

impl Outbox<'_> {
    fn folder(&self) -> PathBuf {
        self.outbox.join(self.number)
    }

    fn part(&self) -> PathBuf {
        files::part_of(&self.folder())
    }

    fn key(&self) -> Option<PathBuf> {
        Some(self.keys?.join(format!("{}.key", self.number)))
    }

    fn note(&self) -> PathBuf {
        note(self.notes, self.number)
    }

    /// Begins the data file, from nothing.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn begin(&self, recipient: &str) -> Result<SpoolWriter, OutboxError> {
        if let Some(keys) = self.keys.filter(|keys| overlap(keys, self.outbox)) {
            return Err(OutboxError::Beside { path: keys.to_owned() });
        }
        if self.folder().symlink_metadata().is_ok() {
            return Err(OutboxError::Exists { path: self.folder() });
        }
        // What a stop left of an earlier try: ciphertext.
        if self.part().symlink_metadata().is_ok() {
            files::remove_flat_folder(&self.part(), "package")?;
        }
        files::create_dir(&self.part())?;
        Ok(SpoolWriter::create(&self.part(), DATA_NAME, recipient)?)
    }

    /// The note, where there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn noted(&self) -> Result<Option<Vec<u8>>, OutboxError> {
        match files::read(&self.note(), limits::ENTRY_BYTES_MAX as u64) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes manifest, signature, key and note, in this order.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn end(
        &self,
        manifest: &[u8],
        signature: &str,
        key: Option<&[u8]>,
        note: &[u8],
    ) -> Result<(), OutboxError> {
        let part = self.part();
        files::replace(&part.join(SIGNATURE_NAME), signature.as_bytes(), "package")?;
        files::replace(&part.join(MANIFEST_NAME), manifest, "package")?;
        for name in [DATA_NAME, SIGNATURE_NAME, MANIFEST_NAME] {
            open_to_group(&part.join(name), FILE_MODE)?;
        }
        open_to_group(&part, DIR_MODE)?;
        if let (Some(path), Some(key)) = (self.key(), key) {
            // One that an earlier try left opens nothing.
            wipe::discard(&path)?;
            files::create_new(&path, key, "package-key")?;
            open_to_group(&path, FILE_MODE)?;
        }
        files::create_dir(self.notes)?;
        files::replace(&self.note(), note, "package-note")?;
        Ok(())
    }

    /// Gives the package its name.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn put(&self) -> Result<(), OutboxError> {
        if self.part().symlink_metadata().is_err() {
            return Ok(files::sync_dir(self.outbox)?);
        }
        if self.folder().symlink_metadata().is_ok() {
            return Err(OutboxError::Exists { path: self.folder() });
        }
        Ok(files::rename(&self.part(), &self.folder(), "package")?)
    }

    /// Removes a package that was taken to where it goes; its key stays, which goes another way.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn taken(&self) -> Result<(), OutboxError> {
        files::remove_flat_folder(&self.folder(), "package-taken")?;
        // That it was about to get its name at the server.
        remove_note(&self.notes.join(format!("{}.sent", self.number)))
    }

    /// Removes what there is of it. What has its name and is not ours, as our note would say, is left where it is.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn abandon(&self) -> Result<(), OutboxError> {
        let part = self.part().symlink_metadata().is_ok();
        files::remove_flat_folder(&self.part(), "package")?;
        if !part && self.noted()?.is_some() {
            files::remove_flat_folder(&self.folder(), "package")?;
        }
        if let Some(key) = self.key() {
            wipe::discard(&key)?;
        }
        forget(self.notes, self.number)
    }
}

fn note(notes: &Path, number: &str) -> PathBuf {
    notes.join(format!("{number}.json"))
}

/// Forgets a note; a missing one is done.
///
/// # Errors
/// [`OutboxError`].
pub fn forget(notes: &Path, number: &str) -> Result<(), OutboxError> {
    remove_note(&note(notes, number))
}

/// Removes a note; a missing one is done.
fn remove_note(path: &Path) -> Result<(), OutboxError> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Ok(files::remove(path, "package-note")?)
}

fn open_to_group(path: &Path, mode: Mode) -> Result<(), FileError> {
    chmodat(CWD, path, mode, AtFlags::empty()).map_err(FileError::of("open", path))
}

/// Whether one of two folders is the other, or lies in it, by whatever names.
fn overlap(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let within = |inner: &Path, outer: &Path| {
        let outer_is = fs::metadata(outer).map(|facts| (facts.dev(), facts.ino())).ok();
        inner.starts_with(outer)
            || inner.ancestors().any(|above| {
                let is = fs::metadata(above).map(|facts| (facts.dev(), facts.ino())).ok();
                is.is_some() && is == outer_is
            })
    };
    let (one, other) = (real(one), real(other));
    within(&one, &other) || within(&other, &one)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
    use super::*;
    use crate::adapters::age_files;

    struct Made {
        dir: tempfile::TempDir,
    }

    impl Made {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            for name in ["out", "keys"] {
                fs::create_dir(dir.path().join(name)).unwrap();
            }
            Self { dir }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn with<T>(&self, act: impl FnOnce(&Outbox<'_>) -> T) -> T {
            let (outbox, keys, notes) = (self.at("out"), self.at("keys"), self.at("notes"));
            act(&Outbox { number: "l-00000001", outbox: &outbox, keys: Some(&keys), notes: &notes })
        }
    }

    fn data(outbox: &Outbox<'_>) {
        let identity = age_files::new_identity();
        let recipient = age_files::recipient_of(&identity).unwrap();
        let mut writer = outbox.begin(&recipient).unwrap();
        writer.write(b"synthetic").unwrap();
        writer.finish().unwrap();
    }

    #[test]
    fn a_package_has_its_name_only_when_it_is_whole_and_its_key_lies_elsewhere() {
        let made = Made::new();
        made.with(|outbox| {
            data(outbox);
            data(outbox);
            assert!(!made.at("out/l-00000001").exists());
            outbox.end(b"{}", "sig", Some(b"key"), b"note").unwrap();
            assert_eq!(outbox.noted().unwrap().as_deref(), Some(b"note".as_slice()));
            outbox.put().unwrap();
            outbox.put().unwrap();
            assert!(made.at("out/l-00000001/manifest.yaml").exists());
            assert_eq!(fs::read(made.at("keys/l-00000001.key")).unwrap(), b"key");
            assert!(matches!(outbox.begin("age1"), Err(OutboxError::Exists { .. })));
            outbox.abandon().unwrap();
            assert_eq!(fs::read_dir(made.at("out")).unwrap().count(), 0);
            assert_eq!(fs::read_dir(made.at("keys")).unwrap().count(), 0);
            assert_eq!(outbox.noted().unwrap(), None);
        });
    }

    #[test]
    fn what_is_not_ours_is_left_where_it_lies() {
        let made = Made::new();
        fs::create_dir(made.at("out/l-00000001")).unwrap();
        fs::write(made.at("out/l-00000001/other"), "synthetic").unwrap();
        made.with(|outbox| outbox.abandon().unwrap());
        assert!(made.at("out/l-00000001/other").exists());
    }

    #[test]
    fn a_key_beside_its_data_is_refused_by_whatever_name_the_folder_has() {
        let made = Made::new();
        fs::create_dir(made.at("out/keys")).unwrap();
        std::os::unix::fs::symlink(made.at("out/keys"), made.at("alias")).unwrap();
        for keys in ["out", "out/keys", "alias", "."] {
            let (outbox, keys, notes) = (made.at("out"), made.at(keys), made.at("notes"));
            let one =
                Outbox { number: "l-00000001", outbox: &outbox, keys: Some(&keys), notes: &notes };
            assert!(matches!(one.begin("age1"), Err(OutboxError::Beside { .. })), "{keys:?}");
        }
    }
}
