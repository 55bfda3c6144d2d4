//! Receipts: kept in the state, and left in folders that a provider may write as well.
//!
//! A folder that others may write is worked in beneath its own handle: the temporary is made anew, never opened where it
//! was there, and everything that is done to it is done through its descriptor. Nothing of the folder is read.

use std::{
    fs::File,
    io::Write as _,
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, fchmod, fsync, openat, renameat, unlinkat},
    io::Errno,
};

use super::{
    fault,
    files::{self, FileError},
};
use crate::domain::{ids::BatchId, receipt::RECEIPT_BYTES_MAX};

/// Bytes of a signature.
const SIGNATURE_BYTES_MAX: u64 = 4 << 10;
/// Everybody who may enter the folder may read it.
const FILE_MODE: Mode = Mode::from_raw_mode(0o644);

/// The receipts that are kept.
pub struct Receipts(PathBuf);

impl Receipts {
    /// Those in this folder, which is made when the first one comes.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Keeps a receipt, over the one before; durable when it returns.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn put(&self, batch: BatchId, receipt: &[u8], signature: &str) -> Result<(), FileError> {
        if !self.0.is_dir() {
            files::create_dir(&self.0)?;
        }
        let [receipt_name, signature_name] = names(batch);
        // A stop between the two: the step is done again, and both are written anew.
        files::replace(&self.0.join(signature_name), signature.as_bytes(), "receipt")?;
        files::replace(&self.0.join(receipt_name), receipt, "receipt")
    }

    /// The receipt of a batch with its signature, where there is one.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn take(&self, batch: BatchId) -> Result<Option<(Vec<u8>, String)>, FileError> {
        let [receipt, signature] = names(batch);
        let receipt = files::read(&self.0.join(receipt), RECEIPT_BYTES_MAX);
        let signature = files::read(&self.0.join(signature), SIGNATURE_BYTES_MAX);
        match (receipt, signature) {
            (Ok(receipt), Ok(signature)) => {
                Ok(Some((receipt, String::from_utf8_lossy(&signature).into_owned())))
            }
            (Err(error), _) | (_, Err(error)) if error.is_missing() => Ok(None),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }
}

/// Leaves a receipt in a folder of others, over an earlier one of the same batch; durable when it returns. The signature
/// comes first, so that whoever waits for the receipt has both.
///
/// # Errors
/// [`FileError`]; done again, it is finished.
pub fn leave(
    folder: &Path,
    batch: BatchId,
    receipt: &[u8],
    signature: &str,
) -> Result<(), FileError> {
    let dir = files::open_dir(folder)?;
    let [receipt_name, signature_name] = names(batch);
    put_beneath(dir.as_fd(), folder, &signature_name, signature.as_bytes())?;
    put_beneath(dir.as_fd(), folder, &receipt_name, receipt)
}

/// The names of a receipt and of its signature.
#[must_use]
pub fn names(batch: BatchId) -> [String; 2] {
    [format!("{batch}.json"), format!("{batch}.json.sig")]
}

fn put_beneath(
    dir: BorrowedFd<'_>,
    folder: &Path,
    name: &str,
    bytes: &[u8],
) -> Result<(), FileError> {
    let (part, path) = (format!(".{name}.part"), folder.join(name));
    let write = fault::Write::begin("receipt-left");
    // What a stop left, or somebody put there: its name goes, nothing of it is opened.
    match unlinkat(dir, &part, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(FileError::of("remove", &path)(errno)),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = openat(dir, &part, flags, Mode::from_raw_mode(0o600))
        .map_err(FileError::of("create", &path))?;
    let mut file = File::from(fd);
    file.write_all(bytes).map_err(FileError::of_io("write", &path))?;
    fchmod(&file, FILE_MODE).map_err(FileError::of("open", &path))?;
    file.sync_all().map_err(FileError::of_io("write", &path))?;
    write.middle();
    renameat(dir, &part, dir, name).map_err(FileError::of("rename", &path))?;
    fsync(dir).map_err(FileError::of("sync", folder))?;
    write.end();
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    #[test]
    fn a_receipt_is_kept_and_a_newer_one_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let receipts = Receipts::new(dir.path().join("receipts"));
        let batch = BatchId::new(7);
        assert_eq!(receipts.take(batch).unwrap(), None);
        receipts.put(batch, b"one", "sig one").unwrap();
        receipts.put(batch, b"two", "sig two").unwrap();
        assert_eq!(receipts.take(batch).unwrap(), Some((b"two".to_vec(), "sig two".to_owned())));
        assert_eq!(fs::read_dir(dir.path().join("receipts")).unwrap().count(), 2);
    }

    #[test]
    fn a_provider_who_puts_links_in_the_way_has_nothing_of_ours_written_or_opened_to_him() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, ours) = (dir.path().join("folder"), dir.path().join("ours"));
        fs::create_dir(&folder).unwrap();
        fs::write(&ours, "secret").unwrap();
        fs::set_permissions(&ours, fs::Permissions::from_mode(0o600)).unwrap();
        for name in [".b-00000007.json.part", ".b-00000007.json.sig.part", "b-00000007.json"] {
            symlink(&ours, folder.join(name)).unwrap();
        }
        fs::hard_link(&ours, folder.join("b-00000007.json.sig")).unwrap();
        leave(&folder, BatchId::new(7), b"receipt", "signature").unwrap();
        assert_eq!(fs::read(&ours).unwrap(), b"secret");
        assert_eq!(fs::metadata(&ours).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(folder.join("b-00000007.json")).unwrap(), b"receipt");
        assert_eq!(fs::read(folder.join("b-00000007.json.sig")).unwrap(), b"signature");
        let mode = fs::metadata(folder.join("b-00000007.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_that_is_a_link_or_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        symlink(dir.path(), dir.path().join("link")).unwrap();
        for name in ["link", "none"] {
            assert!(leave(&dir.path().join(name), BatchId::new(1), b"r", "s").is_err());
        }
    }
}
