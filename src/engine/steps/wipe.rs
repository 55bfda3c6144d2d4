//! Wipe: one copy of an approved order. The hold, the approval and the policy are read again before every copy.

use std::sync::Arc;

use crate::{
    domain::{
        entry::{AGENT, Body, WipeFacts},
        ids::{BatchId, CopyId, OrderId},
        lifecycle::{CopyState, OrderState},
        step::{Outcome, Plan},
        view::{CopyKind, CopyRow},
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
        if self.ports.clock.now() > order.expires {
            return Some("expired");
        }
        if order.policy != self.rules.policies_digest {
            return Some("policy-changed");
        }
        match &order.approved {
            Some((by, _)) if self.view.account(by).is_none() => Some("approver-disabled"),
            _ => None,
        }
    }

    /// Runs an approved order as far as it goes.
    ///
    /// # Errors
    /// The register cannot be written.
    pub(in crate::engine) fn execute(&mut self, id: OrderId) -> Result<bool, EngineError> {
        let Some(order) = self.view.orders.get(&id) else { return Ok(false) };
        let copies: Vec<CopyId> = order.copies.iter().map(|c| c.copy).collect();
        let mut any = false;
        for copy in copies {
            let pending =
                self.view.copies.get(&copy).is_some_and(|c| c.state == CopyState::Condemned);
            if !pending || self.is_last_trace_of_originals(copy) {
                continue;
            }
            if let Some(code) = self.objection(id) {
                self.record(AGENT, Body::OrderVoided { order: id, code: code.to_owned() })?;
                return Ok(true);
            }
            match self.run(AGENT, Plan::WipeCopy { order: id, copy })? {
                Ran::Done(_) => any = true,
                // The next copy comes after this one: a hold may come between.
                Ran::Running => return Ok(true),
                Ran::Failed(..) => return Ok(any),
            }
        }
        if self.view.orders.get(&id).is_some_and(|o| o.state == OrderState::Executed) {
            // A certificate that cannot be written is tried again by the next cycle, not by this one for ever.
            any |= matches!(self.certify(id)?, Ran::Done(_));
        }
        Ok(any)
    }

    /// Whether a copy is the record of a batch whose originals still lie in the inbox: only the record knows which
    /// folder they are, and nothing is certified as destroyed while they are there.
    fn is_last_trace_of_originals(&self, copy: CopyId) -> bool {
        let row = self.view.copies.get(&copy).filter(|row| row.kind == CopyKind::Case);
        row.and_then(|row| self.view.batches.get(&row.batch)).is_some_and(|batch| !batch.cleared)
    }

    fn is_last_file(&self, batch: BatchId, copy: CopyId) -> bool {
        let alive =
            |row: &CopyRow| row.kind == CopyKind::Transfer && row.state != CopyState::Destroyed;
        !self.view.copies_of(batch).any(|(id, row)| id != copy && alive(row))
    }

    pub(in crate::engine) fn begin_wipe(
        &mut self,
        order: OrderId,
        copy: CopyId,
    ) -> Result<Begun, StepError> {
        let row = self.view.copies.get(&copy).ok_or(StepError::Stuck("no-copy"))?;
        let (batch, kind, bytes) = (row.batch, row.kind, row.bytes);
        // Read once more: a stop may lie between the plan and this line, and a person may have used it.
        if let Some(code) = self.objection(order) {
            return Err(StepError::Later(code));
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
                Ok(Begun::long(bytes, move |_| Effect::Wiped(keyed(vaults.wipe(copy), &limits))))
            }
            CopyKind::Case => {
                let limits = self.ports.keys.erase(&slots::case(batch), &why)?;
                let wiped = keyed(self.ports.cases.wipe(batch), &limits)?;
                Self::end_wipe(wiped).map(Begun::Done)
            }
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
