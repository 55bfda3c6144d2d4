//! Corrections as they are looked at: what a batch replaces, and what replaced it.

use serde::{Deserialize, Serialize};

use super::Service;
use crate::domain::{
    ids::BatchId,
    lifecycle::BatchState,
    view::{Batch, View},
};

/// What a batch says it replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Correction {
    /// The number, as its manifest has it.
    pub number: String,
    /// The batch of that number; null where this link has none that was verified.
    pub batch: Option<BatchId>,
    /// Whether that batch is out of use because of it, or was before: due, or gone.
    pub over: bool,
}

impl Service {
    pub(super) fn correction(&self, id: BatchId, row: &Batch) -> Option<Correction> {
        let number = row.manifest.as_ref()?.replaces.clone()?;
        let found = self.engine.view.replaced(id, row);
        let over = found.as_ref().is_some_and(|(_, batch)| {
            !matches!(
                batch.state,
                BatchState::Received
                    | BatchState::Verified
                    | BatchState::Loaded
                    | BatchState::Quarantined
            )
        });
        Some(Correction { number, batch: found.map(|(batch, _)| batch), over })
    }
}

/// The batch that replaced this one.
pub(super) fn replaced_by(view: &View, id: BatchId, row: &Batch) -> Option<BatchId> {
    view.replaced_by(id, row).map(|(newer, _)| newer)
}
