//! Receipts: made of the register and of nothing else once a verdict stands in it, kept, and left for the provider.
//!
//! Two steps, because the provider's folder may be out of reach for days: what is kept is signed and final, and leaving
//! it is tried again until it is done or a person is told.

use crate::{
    domain::{
        certificate::Proof,
        digest::Digest,
        entry::AGENT,
        ids::BatchId,
        lifecycle::BatchState,
        limits, plain,
        receipt::{NAMESPACE, Receipt, ReceivedFile, in_words},
        step::{Outcome, Plan},
        time::Timestamp,
        view::{Batch, Judged, Owed},
    },
    engine::{
        Engine, EngineError, StepError,
        ports::{Log, PortError},
    },
};

impl Engine {
    /// Makes or leaves one receipt that is owed. Each is tried once until the next sweep.
    pub(in crate::engine) fn receipt_one(&mut self) -> Result<bool, EngineError> {
        while let Some(batch) = self.next_receipt() {
            let Some(plan) = self.receipt_plan(batch) else { continue };
            self.run(AGENT, plan)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn receipt_plan(&self, batch: BatchId) -> Option<Plan> {
        let row = self.view.batches.get(&batch)?;
        let link = self.rules.links.get(&row.link)?;
        let rests = row.receipt_trouble.as_ref().is_some_and(|trouble| self.rests(trouble));
        // What goes on by itself is told when it has ended: the key of a verified batch may be here already.
        if rests || (row.state == BatchState::Verified && self.is_awaited(batch)) {
            return None;
        }
        match row.owed()? {
            Owed::Made(judged) => Some(Plan::MakeReceipt {
                batch,
                verdict: judged.seq,
                tree_size: self.view.size,
                at: self.ports.clock.now(),
                leave: link.receipts.is_some(),
            }),
            Owed::Left(receipt) => {
                link.receipts.as_ref().map(|_| Plan::LeaveReceipt { batch, receipt })
            }
        }
    }

    pub(in crate::engine) fn apply_make_receipt(
        &mut self,
        batch: BatchId,
        verdict: u64,
        tree_size: u64,
        at: Timestamp,
    ) -> Result<Outcome, StepError> {
        let row = self.view.batches.get(&batch).ok_or(StepError::Stuck("no-batch"))?;
        // Judged again since the intent: the newer verdict has a receipt of its own.
        let judged = row.judged.filter(|judged| judged.seq == verdict);
        let judged = judged.ok_or(StepError::Later("receipt-stale"))?;
        let receipt = self.receipt(batch, &row, judged, tree_size, at)?;
        let bytes = receipt.to_bytes().map_err(|_| StepError::Stuck("receipt-form"))?;
        let signature = self.ports.signer.sign(NAMESPACE, &bytes)?;
        self.ports.receipts.put(batch, &bytes, &signature)?;
        Ok(Outcome::ReceiptMade { receipt: Digest::of(&bytes) })
    }

    pub(in crate::engine) fn apply_leave_receipt(
        &mut self,
        batch: BatchId,
        receipt: Digest,
    ) -> Result<Outcome, StepError> {
        let row = self.view.batches.get(&batch).ok_or(StepError::Stuck("no-batch"))?;
        let link = self.rules.links.get(&row.link).ok_or(StepError::Stuck("no-link"))?;
        let folder = link.receipts.clone().ok_or(StepError::Later("receipts-folder"))?;
        let (bytes, signature) =
            self.ports.receipts.take(batch)?.ok_or(StepError::Stuck("receipt-lost"))?;
        if Digest::of(&bytes) != receipt {
            return Err(StepError::Stuck("receipt-lost"));
        }
        self.ports.receipts.leave(&folder, batch, &bytes, &signature)?;
        Ok(Outcome::ReceiptLeft)
    }

    fn receipt(
        &self,
        id: BatchId,
        row: &Batch,
        judged: Judged,
        tree_size: u64,
        at: Timestamp,
    ) -> Result<Receipt, StepError> {
        let site = self.view.site.as_ref().ok_or(StepError::Stuck("no-site"))?;
        let reason =
            row.reason.filter(|_| judged.verdict != crate::domain::receipt::Judgement::Loaded);
        let file = |bytes, sha256| ReceivedFile { bytes, sha256 };
        let entry = self.ports.journal.entry(Log::Register, judged.seq)?;
        let entry = String::from_utf8(entry).map_err(|_| StepError::Stuck("register"))?;
        Ok(Receipt {
            batchward: 1,
            site: site.name.clone(),
            vkey: site.vkey.clone(),
            register_key: site.ssh_key.clone(),
            batch: id,
            number: row.number.clone(),
            link: row.link.clone(),
            provider: row.facts.provider.clone(),
            table_no: row.facts.table_no.clone(),
            received_at: row.times.get("claimed").copied().ok_or(StepError::Stuck("no-time"))?,
            files: row.files.iter().map(|one| file(one.bytes, one.sha256)).collect(),
            verdict: judged.verdict,
            reason,
            in_words: in_words(judged.verdict, reason),
            to_do: reason
                .filter(|_| !judged.verdict.is_good())
                .map(|reason| plain::of(reason).next),
            verdict_at: judged.at,
            counts: row.counts,
            strength: row.strength.as_deref().map(str::to_owned),
            signer: row.signer.as_deref().map(str::to_owned),
            replaces: row.manifest.as_ref().and_then(|manifest| manifest.replaces.clone()),
            at,
            proof: Proof {
                seq: judged.seq,
                entry,
                hashes: self.ports.journal.inclusion(Log::Register, judged.seq, tree_size)?,
            },
            checkpoint: self.ports.journal.note_at(Log::Register, tree_size)?,
        })
    }

    /// The receipt of a batch, its signature beside it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn kept_receipt(&self, batch: BatchId) -> Result<Option<(Vec<u8>, String)>, PortError> {
        self.ports.receipts.take(batch)
    }
}

/// Whether a provider waits for a receipt that goes on failing.
#[must_use]
pub fn is_untold(row: &Batch) -> bool {
    row.receipt_trouble.as_ref().is_some_and(|trouble| {
        trouble.is_for_a_person() || trouble.times >= limits::RECEIPT_TRIES_TOLD
    })
}
