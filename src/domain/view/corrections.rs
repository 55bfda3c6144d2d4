//! Corrections in the view: which batch a newer one stands for (`replaces` in its manifest), on the same link.

use super::{Batch, Row, View};
use crate::domain::ids::BatchId;

impl View {
    /// The first loaded batch that says that it replaces this one. A number means a batch of its own link only.
    #[must_use]
    pub fn replaced_by(&self, id: BatchId, row: &Batch) -> Option<(BatchId, Row<'_, Batch>)> {
        let number = row.number.as_deref()?;
        let newer = self.rows(self.index.replacing(&row.link, number));
        newer
            .filter(|(other, batch)| *other > id && batch.ever_loaded())
            .find(|(_, batch)| replaces(batch) == Some(number))
    }

    /// The batch that this one says it replaces, where its link has one that was not turned down. Of several the newest.
    #[must_use]
    pub fn replaced(&self, id: BatchId, row: &Batch) -> Option<(BatchId, Row<'_, Batch>)> {
        let number = replaces(row)?;
        let before = self.numbered(&row.link, number).filter(|(other, _)| *other < id);
        let (found, _) = before.filter(|(_, batch)| batch.manifest.is_some()).last()?;
        Some((found, self.batches.get(&found)?))
    }
}

/// The number that a batch says it replaces.
fn replaces(batch: &Batch) -> Option<&str> {
    batch.manifest.as_ref()?.replaces.as_deref()
}
