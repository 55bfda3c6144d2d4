//! Receipts as the engine's port.

use std::path::Path;

use crate::{
    adapters::{
        files::FileError,
        receipts::{self, Receipts as Kept},
    },
    domain::ids::BatchId,
    engine::ports::{PortError, Receipts, Result},
};

/// Receipts that are kept, and told to providers.
pub(super) struct Told(pub(super) Kept);

impl Receipts for Told {
    fn put(&mut self, batch: BatchId, receipt: &[u8], signature: &str) -> Result<()> {
        self.0.put(batch, receipt, signature).map_err(|e| super::file(&e))
    }

    fn take(&self, batch: BatchId) -> Result<Option<(Vec<u8>, String)>> {
        self.0.take(batch).map_err(|e| super::file(&e))
    }

    fn leave(
        &mut self,
        folder: &Path,
        batch: BatchId,
        receipt: &[u8],
        signature: &str,
    ) -> Result<()> {
        receipts::leave(folder, batch, receipt, signature).map_err(|error| match error {
            FileError::Full { .. } => super::file(&error),
            // A share that is not mounted, a provider who changed the folder: it may be mended any time.
            _ => PortError::Later { code: "receipts-folder", message: super::described(&error) },
        })
    }
}
