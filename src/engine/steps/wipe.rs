//! Wipe: one copy of an approved order. The hold, the approval and the policy are read again before every copy.

use std::sync::Arc;

use crate::{
    domain::{
        digest::Digest,
        entry::{AGENT, Body, WipeFacts},
        ids::{BatchId, CopyId, OrderId},
        lifecycle::{CopyState, OrderState},
        step::{Outcome, Plan},
        view::{CopyKind, CopyRow, Mark, Order, Row},
        wipe::Limit,
    },
    engine::{
        Engine, EngineError, Ran, StepError,
        jobs::{Begun, Effect},
        ports::PortError,
        slots,
    },
};

impl Engine {
    /// Why an approved order may not go on, where it may not: a hold beats any approval until the last byte is
    /// gone, and whatever the approval was given under must still stand.
    #[must_use]
    pub fn objection(&self, id: OrderId) -> Option<&'static str> {
        let order = self.view.orders.get(&id)?;
        if order.copies.iter().any(|copy| self.view.hold_on(copy.batch).is_some()) {
            return Some("hold");
        }
        if order.voided.is_some() {
            return Some("voided");
        }
        let now = self.ports.clock.now();
        if now > order.expires {
            return Some("expired");
        }
        if order.policy != self.rules.policies_digest {
            return Some("policy-changed");
        }
        if self.has_grown(id, &order) {
            return Some("copy-came");
        }
        match order.standing.and_then(|standing| self.view.standings.get(&standing)) {
            // It rests on a document, not on who confirmed it; the document is ended by `standing end`.
            Some(standing) if !standing.stands(now) => Some("standing-ended"),
            Some(_) => None,
            None => {
                let gone = |(by, _): &(String, Mark)| self.view.account(by).is_none();
                if order.approvals.iter().any(gone) { Some("approver-disabled") } else { None }
            }
        }
    }

    /// Whether a batch that the order destroys whole has a copy that nobody approved the destruction of.
    fn has_grown(&self, id: OrderId, order: &Order) -> bool {
        let covered = |copy: CopyId| order.copies.iter().any(|one| one.copy == copy);
        let mut batches: Vec<BatchId> = order.copies.iter().map(|copy| copy.batch).collect();
        batches.dedup();
        batches.retain(|b| self.view.batches.get(b).is_some_and(|row| row.order == Some(id)));
        batches.into_iter().any(|batch| {
            let alive = |row: &CopyRow| row.state != CopyState::Destroyed;
            self.view.copies_of(batch).any(|(copy, row)| alive(&row) && !covered(copy))
        })
    }

    /// Runs an approved order as far as it goes.
    ///
    /// # Errors
    /// The register cannot be written.
    pub(in crate::engine) fn execute(&mut self, id: OrderId) -> Result<bool, EngineError> {
        let Some(order) = self.view.orders.get(&id) else { return Ok(false) };
        let (standing, not_before) = (order.standing, order.not_before);
        let (mut any, mut tried) = (false, Vec::new());
        if order.state == OrderState::Approved {
            if let Some(code) = self.objection(id) {
                self.void(id, code)?;
                return Ok(true);
            }
            if not_before.is_some_and(|from| self.ports.clock.now() < from) {
                return Ok(false);
            }
            while let Some(copy) = self.wipeable(id, &tried) {
                tried.push(copy);
                // Each copy has its own hold, approval and policy to be read: something may have come between two.
                if let Some(code) = self.objection(id) {
                    self.void(id, code)?;
                    return Ok(true);
                }
                match self.run(AGENT, Plan::WipeCopy { order: id, copy, standing })? {
                    Ran::Done(_) => any = true,
                    // The next copy comes after this one: a hold may come between.
                    Ran::Running => return Ok(true),
                    // One copy that resists does not keep the others: it is accounted for, and tried again.
                    Ran::Failed(..) => {}
                }
            }
        }
        let state = self.view.orders.get(&id).map(|order| order.state);
        if matches!(state, Some(OrderState::Executed | OrderState::Stopped)) {
            // A certificate that cannot be written is tried again by the next cycle, not by this one for ever.
            any |= matches!(self.certify(id)?, Ran::Done(_));
        }
        Ok(any)
    }

    /// The next copy of an order that the agent can wipe now and has not tried just yet.
    fn wipeable(&self, id: OrderId, tried: &[CopyId]) -> Option<CopyId> {
        let order = self.view.orders.get(&id).filter(|one| one.state == OrderState::Approved)?;
        let now = |copy: &CopyId| {
            let Some(row) = self.view.copies.get(copy) else { return false };
            let rests = row.trouble.as_ref().is_some_and(|trouble| self.rests(trouble));
            let waits = (self.is_resident() && rests) || self.is_last_trace_of_originals(*copy);
            row.state == CopyState::Condemned
                && !row.kind.is_held()
                && !tried.contains(copy)
                && !waits
        };
        order.copies.iter().map(|one| one.copy).filter(|copy| order.is_open_over(*copy)).find(now)
    }

    /// Voids an order: what was not wiped is spared. What a wipe had begun on and left unreadable is told as that.
    fn void(&mut self, order: OrderId, code: &str) -> Result<(), EngineError> {
        let unreadable = self.left_unreadable(order)?;
        self.record(AGENT, Body::OrderVoided { order, code: code.to_owned(), unreadable })?;
        Ok(())
    }

    /// The copies of an order whose wipe had begun, is not recorded as done, and has left nothing that can be read.
    ///
    /// # Errors
    /// The key store cannot be read.
    pub(crate) fn left_unreadable(&self, order: OrderId) -> Result<Vec<CopyId>, EngineError> {
        let mut unreadable = Vec::new();
        let Some(order) = self.view.orders.get(&order) else { return Ok(unreadable) };
        let open = order.copies.iter().filter(|one| order.is_open_over(one.copy));
        for one in open {
            let Some(row) = self.view.copies.get(&one.copy) else { continue };
            let begun = row.wipe_begun || row.held.as_ref().is_some_and(|held| held.end.is_some());
            if row.state == CopyState::Condemned && begun && !self.is_readable(one.copy, &row)? {
                unreadable.push(one.copy);
            }
        }
        Ok(unreadable)
    }

    /// Vault and record lose their key before anything else. The files of a batch share theirs until the last one: a
    /// file is read through.
    fn is_readable(&self, copy: CopyId, row: &CopyRow) -> Result<bool, EngineError> {
        let slot = match row.kind {
            CopyKind::Vault => slots::vault(copy),
            CopyKind::Case => slots::case(row.batch),
            CopyKind::Transfer => slots::spool(row.batch),
            // Somebody says that it is destroyed already, and nobody vouched for that.
            CopyKind::Held(_) => return Ok(false),
        };
        let Some(key) = self.ports.keys.live(&slot)? else { return Ok(false) };
        if row.kind != CopyKind::Transfer {
            return Ok(true);
        }
        let Ok(file) = self.ports.spool.open(copy, &key) else { return Ok(false) };
        let read = Digest::of_reader(file);
        Ok(read.is_ok_and(|found| row.sha256.is_none_or(|whole| found == whole)))
    }

    /// Whether a copy is the record of a batch of which something else is left: only the record knows which folder the
    /// originals lie in, and where a copy is that the agent cannot reach.
    fn is_last_trace_of_originals(&self, copy: CopyId) -> bool {
        let row = self.view.copies.get(&copy).filter(|row| row.kind == CopyKind::Case);
        let Some(batch) = row.map(|row| row.batch) else { return false };
        let other = |(one, row): (CopyId, Row<'_, CopyRow>)| {
            one != copy && row.state != CopyState::Destroyed
        };
        self.view.batches.get(&batch).is_some_and(|row| !row.cleared)
            || self.view.copies_of(batch).any(other)
    }

    fn is_last_file(&self, batch: BatchId, copy: CopyId) -> bool {
        let alive =
            |row: &CopyRow| row.kind == CopyKind::Transfer && row.state != CopyState::Destroyed;
        !self.view.copies_of(batch).any(|(id, row)| id != copy && alive(&row))
    }

    pub(in crate::engine) fn begin_wipe(
        &mut self,
        order: OrderId,
        copy: CopyId,
    ) -> Result<Begun, StepError> {
        let row = self.view.copies.get(&copy).ok_or(StepError::Stuck("no-copy"))?;
        let (batch, kind, bytes, plain) = (row.batch, row.kind, row.bytes, row.plain.clone());
        // Read once more: a stop may lie between the plan and this line, and a person may have used it.
        if let Some(code) = self.objection(order) {
            return Err(StepError::Later(code));
        }
        let open = |row: &Order| row.state == OrderState::Approved && row.is_open_over(copy);
        if !self.view.orders.get(&order).is_some_and(|row| open(&row)) {
            return Err(StepError::Stuck("no-copy"));
        }
        let why = order.to_string();
        // The key first: after it only ciphertext is left, whatever happens to the file.
        match kind {
            CopyKind::Transfer => {
                // The files of a batch share a key. It goes with the last of them: a hold that comes between two
                // must find what is still there readable.
                let mut limits = vec![Limit::SenderHoldsKey];
                if self.is_last_file(batch, copy) {
                    limits.extend(self.ports.keys.erase(&slots::spool(batch), &why)?);
                }
                let spool = Arc::clone(&self.ports.spool);
                Ok(Begun::long(bytes, move |_| Effect::Wiped(keyed(spool.wipe(copy), &limits))))
            }
            CopyKind::Vault => {
                let limits = self.ports.keys.erase(&slots::vault(copy), &why)?;
                let vaults = Arc::clone(&self.ports.vaults);
                let wipe = move || {
                    let mut wiped = keyed(vaults.wipe(copy), &limits)?;
                    // The certificate names what let it lie there in plain.
                    if let Some(document) = &plain {
                        wiped.notes.insert(format!("plain by exception {document}"), 1);
                    }
                    Ok(wiped)
                };
                Ok(Begun::long(bytes, move |_| Effect::Wiped(wipe())))
            }
            CopyKind::Case => {
                let limits = self.ports.keys.erase(&slots::case(batch), &why)?;
                let wiped = keyed(self.ports.cases.wipe(batch), &limits)?;
                Self::end_wipe(wiped).map(Begun::Done)
            }
            // People destroy it, and two of them say so.
            CopyKind::Held(_) => Err(StepError::Stuck("no-copy")),
        }
    }

    /// A copy that was there is gone. One that was not there is no copy destroyed: it is somewhere else, or was removed
    /// by somebody, and a person has to say which.
    pub(in crate::engine) fn end_wipe(wiped: WipeFacts) -> Result<Outcome, StepError> {
        if wiped.files == 0 {
            return Err(StepError::Stuck("copy-missing"));
        }
        Ok(Outcome::CopyWiped { wiped })
    }
}

fn keyed(wiped: Result<WipeFacts, PortError>, limits: &[Limit]) -> Result<WipeFacts, PortError> {
    wiped.map(|facts| facts.keyed(limits))
}
