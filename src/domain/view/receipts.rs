//! Receipts in the view: which verdict of a batch was told its provider, and which is still owed.

use serde::{Deserialize, Serialize};

use super::{Batch, FoldError, Mark, Row, Trouble, View};
use crate::domain::{
    digest::Digest, entry::Failure, ids::BatchId, lifecycle::BatchState, receipt::Judgement,
    time::Timestamp,
};

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// What came of it.
    pub verdict: Judgement,
    /// Its entry.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
}

/// A receipt that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipted {
    /// The entry of the verdict that it tells.
    pub of: u64,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Whether it is to be left for the provider.
    pub leave: bool,
    /// When it was.
    pub left: Option<Timestamp>,
}

/// What a batch's provider is still owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// A receipt of this verdict.
    Made(Judged),
    /// The receipt of this digest, which is kept, in the link's folder.
    Left(Digest),
}

impl Batch {
    /// What its provider is still owed.
    #[must_use]
    pub fn owed(&self) -> Option<Owed> {
        let judged = self.judged?;
        match self.receipt {
            Some(receipt) if receipt.of == judged.seq => {
                (receipt.leave && receipt.left.is_none()).then_some(Owed::Left(receipt.sha256))
            }
            // What is ordered or gone was told about while it was here, or came from before there were receipts.
            _ => match self.state {
                BatchState::Condemned | BatchState::Destroyed | BatchState::Closed => None,
                _ => Some(Owed::Made(judged)),
            },
        }
    }
}

impl View {
    /// The batches whose provider is still owed something.
    pub fn owing(&self) -> impl Iterator<Item = (BatchId, Row<'_, Batch>)> {
        self.rows(self.index.owing().iter().copied())
    }

    pub(super) fn judged(
        &mut self,
        mark: Mark,
        batch: BatchId,
        verdict: Judgement,
    ) -> Result<(), FoldError> {
        let row = self.batch(mark, batch)?;
        row.judged = Some(Judged { verdict, seq: mark.seq, at: mark.at });
        row.receipt_trouble = None;
        self.owes_receipt(batch);
        Ok(())
    }

    pub(super) fn receipt_made(
        &mut self,
        mark: Mark,
        batch: BatchId,
        (of, sha256, leave): (u64, Digest, bool),
    ) -> Result<(), FoldError> {
        let row = self.batch(mark, batch)?;
        row.receipt = Some(Receipted { of, sha256, leave, left: None });
        row.receipt_trouble = None;
        self.owes_receipt(batch);
        Ok(())
    }

    pub(super) fn receipt_left(&mut self, mark: Mark, batch: BatchId) -> Result<(), FoldError> {
        let row = self.batch(mark, batch)?;
        let receipt = row.receipt.as_mut().ok_or(FoldError::Transition(mark.seq))?;
        receipt.left = Some(mark.at);
        row.receipt_trouble = None;
        self.owes_receipt(batch);
        Ok(())
    }

    pub(super) fn receipt_failed(
        &mut self,
        batch: BatchId,
        failure: Failure,
        code: &str,
        at: Timestamp,
    ) {
        if let Some(row) = self.batches.get_mut(&batch) {
            let times = row.receipt_trouble.as_ref().map_or(0, |trouble| trouble.times) + 1;
            row.receipt_trouble = Some(Trouble { failure, code: code.to_owned(), times, at });
        }
    }

    pub(super) fn owes_receipt(&mut self, batch: BatchId) {
        let owes = self.batches.get(&batch).is_some_and(|row| row.owed().is_some());
        self.index.owes(batch, owes);
    }
}
