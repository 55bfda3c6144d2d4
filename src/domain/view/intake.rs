//! Folding what people do with a batch between its arrival and its use: seals, confirmation, comparison.

use serde::{Deserialize, Serialize};

use super::{Batch, FoldError, Mark, View};
use crate::domain::{
    entry::{BatchCompared, BatchSealed, Body, Entry},
    ids::BatchId,
    intake::{Compared, Seal},
    lifecycle::BatchState,
    time::Timestamp,
};

/// What people did with a batch before its use.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Intake {
    /// The seals, in the order in which they came.
    pub seals: Vec<Sealed>,
    /// Who confirmed it, and when.
    pub confirmed: Option<(String, Timestamp)>,
    /// The last comparison.
    pub compared: Option<Comparison>,
    /// Why a person turned it down.
    pub rejected: Option<String>,
}

/// A seal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sealed {
    /// Whose.
    pub seal: Seal,
    /// The account.
    pub by: String,
    /// Its entry.
    pub mark: Mark,
    /// Number of the document by which the batch was asked for.
    pub doc_no: Option<String>,
}

/// A comparison.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// 申請筆數.
    pub applied: u64,
    /// 實收筆數.
    pub received: u64,
    /// 匯入筆數.
    pub loaded: u64,
    /// 剔退筆數.
    pub rejected: u64,
    /// What it came to.
    pub result: Compared,
    /// What was said about it.
    pub note: Option<String>,
    /// Who made it.
    pub by: String,
    /// Its entry.
    pub mark: Mark,
    /// Who let the batch be handed on all the same, when, and why.
    pub accepted: Option<(String, Timestamp, String)>,
}

impl Comparison {
    /// Whether it lets the batch be handed on.
    #[must_use]
    pub const fn passes(&self) -> bool {
        matches!(self.result, Compared::Match) || self.accepted.is_some()
    }
}

/// What a loaded batch still waits for before anybody reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shut {
    /// This seal, the next one.
    Seal(Seal),
    /// A custodian's confirmation.
    Confirmation,
}

impl View {
    /// What people did with a batch before its use.
    #[must_use]
    pub fn intake_of(&self, batch: BatchId) -> Option<&Intake> {
        self.intake.get(&batch)
    }

    /// What a loaded batch still waits for before anybody reads it. What was asked for is fixed by its load: a policy that
    /// became stricter later shuts nothing that was open.
    #[must_use]
    pub fn shut(&self, id: BatchId, row: &Batch) -> Option<Shut> {
        let gate = row.load.as_ref()?.gate.as_deref()?;
        let intake = self.intake.get(&id);
        if gate.confirm && intake.is_none_or(|intake| intake.confirmed.is_none()) {
            return Some(Shut::Confirmation);
        }
        self.next_seal(id, row).map(Shut::Seal)
    }

    /// The seal that comes next, where one is missing.
    #[must_use]
    pub fn next_seal(&self, id: BatchId, row: &Batch) -> Option<Seal> {
        let gate = row.load.as_ref()?.gate.as_deref()?;
        let seals = self.intake.get(&id).map(|intake| intake.seals.as_slice()).unwrap_or_default();
        let there = |seal: &Seal| seals.iter().any(|one| one.seal == *seal);
        gate.provide.iter().copied().find(|seal| !there(seal))
    }

    /// When a batch was provided (提供): with its last seal, or with its load where none is asked for.
    #[must_use]
    pub fn provided(&self, id: BatchId, row: &Batch) -> Option<Timestamp> {
        let load = row.load.as_ref()?;
        if load.gate.as_deref().is_none_or(|gate| gate.provide.is_empty()) {
            return row.times.get(BatchState::Loaded.word()).copied();
        }
        if self.next_seal(id, row).is_some() {
            return None;
        }
        self.intake.get(&id)?.seals.iter().map(|one| one.mark.at).max()
    }

    /// Whether a batch is in use that was provided by seals.
    #[must_use]
    pub fn is_sealed(&self, id: BatchId, row: &Batch) -> bool {
        let gate = row.load.as_ref().and_then(|load| load.gate.as_deref());
        let asked = gate.is_some_and(|gate| !gate.provide.is_empty());
        asked && row.state == BatchState::Loaded && self.next_seal(id, row).is_none()
    }

    /// Whether a custodian confirmed a batch.
    #[must_use]
    pub fn is_confirmed(&self, id: BatchId) -> bool {
        self.intake.get(&id).is_some_and(|intake| intake.confirmed.is_some())
    }

    pub(super) fn taken_in(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        let by = entry.by.clone();
        let batch = match &entry.body {
            Body::BatchSealed(sealed) => return self.sealed(mark, by, sealed),
            Body::BatchCompared(compared) => return self.compared(mark, by, compared),
            Body::BatchConfirmed(confirmed) => confirmed.batch,
            Body::MismatchAccepted(accepted) => accepted.batch,
            _ => return Err(FoldError::Transition(mark.seq)),
        };
        self.batch(mark, batch)?;
        let row = self.intake.entry(batch).or_default();
        match &entry.body {
            Body::BatchConfirmed(_) if row.confirmed.is_none() => {
                row.confirmed = Some((by, mark.at));
            }
            Body::MismatchAccepted(accepted) => {
                let compared = row.compared.as_mut();
                let compared = compared.filter(|one| one.mark.seq == accepted.comparison);
                let compared = compared.ok_or(FoldError::Unknown(mark.seq))?;
                // The fold itself refuses who accepts what he compared.
                if compared.by == by || compared.passes() {
                    return Err(FoldError::Transition(mark.seq));
                }
                compared.accepted = Some((by, mark.at, accepted.reason.clone()));
            }
            _ => return Err(FoldError::Transition(mark.seq)),
        }
        Ok(())
    }

    fn sealed(&mut self, mark: Mark, by: String, sealed: &BatchSealed) -> Result<(), FoldError> {
        let batch = sealed.batch;
        let row = self.batches.get(&batch).ok_or(FoldError::Unknown(mark.seq))?;
        let next = self.next_seal(batch, &row);
        drop(row);
        let intake = self.intake.entry(batch).or_default();
        // The fold itself refuses a seal out of turn, and a second one by the same account.
        if next != Some(sealed.seal) || intake.seals.iter().any(|one| one.by == by) {
            return Err(FoldError::Transition(mark.seq));
        }
        let doc_no = sealed.doc_no.clone();
        intake.seals.push(Sealed { seal: sealed.seal, by, mark, doc_no });
        Ok(())
    }

    fn compared(&mut self, mark: Mark, by: String, made: &BatchCompared) -> Result<(), FoldError> {
        self.batch(mark, made.batch)?;
        self.intake.entry(made.batch).or_default().compared = Some(Comparison {
            applied: made.applied,
            received: made.received,
            loaded: made.loaded,
            rejected: made.rejected,
            result: made.result,
            note: made.note.clone(),
            by,
            mark,
            accepted: None,
        });
        Ok(())
    }
}
