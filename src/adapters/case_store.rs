//! The erasable store: one record of each batch, `cases/<batch id>`, sealed under that batch's case key.
//!
//! What may be known of a batch only while it lives (names, salts, manifest bytes, findings by position) is here
//! and nowhere else. A record is replaced whole or not at all. Destroying one is the destruction of its key slot and
//! the wipe of its file, in that order, and is not done here; what a replacement takes away is wiped at once.
//!
//! Form: `BWCASE`, version 1 as two bytes, 12 bytes of nonce, AES-256-GCM ciphertext and tag; associated data: the
//! eight bytes before the nonce and the batch id.

use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::entropy::{self, EntropyError};
use super::files::{self, FileError};
use super::wipe;
use crate::domain::{ids::BatchId, secret::Secret};

/// Bytes of a case key.
pub const CASE_KEY_BYTES: usize = 32;

const HEAD: &[u8; 8] = b"BWCASE\x00\x01";
/// A bound against reading something absurd; a record holds a manifest, a signature and 10,000 positions.
const CASE_BYTES_MAX: u64 = 64 << 20;

/// The folder of the records.
#[derive(Clone, Debug)]
pub struct CaseStore {
    dir: PathBuf,
}

/// Why a record was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not a record, or sealed under another key or for another batch, or changed.
    #[error("case record '{}' does not open under its key", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// More than a record may hold; nothing was written.
    #[error("a case record holds at most {CASE_BYTES_MAX} bytes, not {len}")]
    TooLong {
        /// The length refused, in bytes.
        len: usize,
    },
    /// A key that is not 32 bytes.
    #[error("a case key has 32 bytes")]
    KeyLength,
    /// No randomness for a nonce.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl CaseStore {
    /// The store in the folder `dir`, which must be there.
    #[must_use]
    pub const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The folder, for the wipe.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The name of the record of `batch` in the folder.
    #[must_use]
    pub fn name(batch: BatchId) -> String {
        batch.to_string()
    }

    /// Whether there is a record.
    #[must_use]
    pub fn exists(&self, batch: BatchId) -> bool {
        self.path(batch).symlink_metadata().is_ok()
    }

    /// Writes the record, in place of the one before; durable on return.
    ///
    /// # Errors
    /// [`CaseError`]; the old record stands then.
    pub fn put(&self, batch: BatchId, plain: &[u8], key: &Secret) -> Result<(), CaseError> {
        let key = sealing(key)?;
        if plain.len() as u64 > CASE_BYTES_MAX - 64 {
            return Err(CaseError::TooLong { len: plain.len() });
        }
        let mut nonce = [0; NONCE_LEN];
        entropy::fill(&mut nonce)?;
        let mut sealed = Zeroizing::new(plain.to_vec());
        let tag = key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context(batch)),
                &mut sealed,
            )
            .map_err(|_| CaseError::TooLong { len: plain.len() })?;
        let bytes = [&HEAD[..], &nonce, &sealed, tag.as_ref()].concat();
        self.replace(&Self::name(batch), &bytes)
    }

    /// The record, or `None` where there is none.
    ///
    /// # Errors
    /// [`CaseError::Altered`] where there is one that this key does not open.
    pub fn get(
        &self,
        batch: BatchId,
        key: &Secret,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, CaseError> {
        let key = sealing(key)?;
        let path = self.path(batch);
        let bytes = match files::read(&path, CASE_BYTES_MAX) {
            Err(error) if error.is_missing() => return Ok(None),
            other => other?,
        };
        let open = || {
            let (nonce, sealed) = bytes.strip_prefix(HEAD)?.split_at_checked(NONCE_LEN)?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut plain = Zeroizing::new(sealed.to_vec());
            let len = key.open_in_place(nonce, Aad::from(context(batch)), &mut plain).ok()?.len();
            plain.truncate(len);
            Some(plain)
        };
        open().map(Some).ok_or(CaseError::Altered { path })
    }

    /// Puts a record in the place of the one before, which is wiped: no version of it outlasts the batch.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), CaseError> {
        let path = self.dir.join(name);
        let aside = files::part_of(&path);
        // A stop left a version that was set aside, or one that was not finished.
        wipe::discard(&aside)?;
        files::write_aside(&path, bytes, "case record")?;
        files::exchange(&path, "case record")?;
        // A stop here: the new one stands, and the old one is wiped with the next change, or with the batch.
        Ok(wipe::discard(&aside)?)
    }

    /// The name under which a version lies that is being replaced.
    #[must_use]
    pub fn aside(&self, batch: BatchId) -> PathBuf {
        files::part_of(&self.path(batch))
    }

    fn path(&self, batch: BatchId) -> PathBuf {
        self.dir.join(Self::name(batch))
    }
}

fn sealing(key: &Secret) -> Result<LessSafeKey, CaseError> {
    let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| CaseError::KeyLength)?;
    Ok(LessSafeKey::new(key))
}

fn context(batch: BatchId) -> Vec<u8> {
    [HEAD, batch.to_string().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::fs;

    use super::*;

    const BATCH: BatchId = BatchId::new(1);

    fn store() -> (tempfile::TempDir, CaseStore, Secret) {
        let dir = tempfile::tempdir().unwrap();
        let store = CaseStore::new(dir.path().to_owned());
        (dir, store, Secret::new(vec![5; CASE_KEY_BYTES]))
    }

    #[test]
    fn a_record_comes_back_as_it_was_put_and_is_replaced_whole() {
        let (dir, store, key) = store();
        assert!(!store.exists(BATCH));
        assert!(store.get(BATCH, &key).unwrap().is_none());
        for plain in [&b"first and longer"[..], b"second", b""] {
            store.put(BATCH, plain, &key).unwrap();
            assert_eq!(*store.get(BATCH, &key).unwrap().unwrap(), plain);
        }
        assert!(store.exists(BATCH));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_plain_bytes_are_not_in_the_file_and_no_two_files_are_alike() {
        let (dir, store, key) = store();
        let path = dir.path().join("b-00000001");
        store.put(BATCH, b"synthetic delivery name", &key).unwrap();
        let one = fs::read(&path).unwrap();
        store.put(BATCH, b"synthetic delivery name", &key).unwrap();
        assert!(!one.windows(9).any(|w| w == b"synthetic"));
        assert_ne!(one, fs::read(&path).unwrap());
    }

    #[test]
    fn another_key_another_batch_and_any_changed_byte_are_found() {
        let (dir, store, key) = store();
        store.put(BATCH, b"plain", &key).unwrap();
        let path = dir.path().join("b-00000001");
        let other = Secret::new(vec![6; CASE_KEY_BYTES]);
        assert!(matches!(store.get(BATCH, &other), Err(CaseError::Altered { .. })));
        let short = Secret::new(vec![6; 31]);
        assert!(matches!(store.get(BATCH, &short), Err(CaseError::KeyLength)));
        fs::copy(&path, dir.path().join("b-00000002")).unwrap();
        assert!(matches!(store.get(BatchId::new(2), &key), Err(CaseError::Altered { .. })));
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, bad).unwrap();
            assert!(matches!(store.get(BATCH, &key), Err(CaseError::Altered { .. })), "{at}");
        }
        for len in 0..good.len() {
            fs::write(&path, &good[..len]).unwrap();
            assert!(matches!(store.get(BATCH, &key), Err(CaseError::Altered { .. })), "{len}");
        }
    }
}
