//! Papers kept for inspection as the engine's port: one file each in the state, under its digest.

use std::path::PathBuf;

use crate::{
    adapters::files,
    domain::{digest::Digest, limits},
    engine::ports::{Papers, Result},
};

/// The folder; it is made with the first paper, for a site of an earlier version has none.
pub(super) struct PaperFiles(pub(super) PathBuf);

impl Papers for PaperFiles {
    fn put(&mut self, sha256: Digest, bytes: &[u8]) -> Result<()> {
        if !self.0.is_dir() {
            files::create_dir(&self.0).map_err(|e| super::file(&e))?;
        }
        let path = self.0.join(sha256.to_string());
        files::create_idempotent(&path, bytes, "paper").map_err(|e| super::file(&e))
    }

    fn take(&self, sha256: Digest) -> Result<Option<Vec<u8>>> {
        match files::read(&self.0.join(sha256.to_string()), limits::PAPER_BYTES_MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(super::file(&error)),
        }
    }
}
