//! Wipe: one copy of an approved order. The hold, the approval and the policy are read again before every copy.

use crate::{
    domain::{
        entry::{AGENT, Body},
        ids::{BatchId, CopyId, OrderId},
        lifecycle::{CopyState, OrderState},
        step::{Outcome, Plan},
        view::{CopyKind, CopyRow},
    },
    engine::{Engine, EngineError, Ran, StepError, slots},
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
            if !pending {
                continue;
            }
            if let Some(code) = self.objection(id) {
                self.record(AGENT, Body::OrderVoided { order: id, code: code.to_owned() })?;
                return Ok(true);
            }
            if let Ran::Failed(..) = self.run(AGENT, Plan::WipeCopy { order: id, copy })? {
                return Ok(any);
            }
            any = true;
        }
        if self.view.orders.get(&id).is_some_and(|o| o.state == OrderState::Executed) {
            // A certificate that cannot be written is tried again by the next cycle, not by this one for ever.
            any |= matches!(self.certify(id)?, Ran::Done(_));
        }
        Ok(any)
    }

    fn is_last_file(&self, batch: BatchId, copy: CopyId) -> bool {
        let alive =
            |row: &CopyRow| row.kind == CopyKind::Transfer && row.state != CopyState::Destroyed;
        !self.view.copies_of(batch).any(|(id, row)| id != copy && alive(row))
    }

    pub(in crate::engine) fn apply_wipe(
        &mut self,
        order: OrderId,
        copy: CopyId,
    ) -> Result<Outcome, StepError> {
        let row = self.view.copies.get(&copy).ok_or(StepError::Stuck("no-copy"))?;
        let (batch, kind) = (row.batch, row.kind);
        // Read once more: a stop may lie between the plan and this line, and a person may have used it.
        if let Some(code) = self.objection(order) {
            return Err(StepError::Later(code));
        }
        let why = order.to_string();
        // The key first: after it only ciphertext is left, whatever happens to the file.
        let wiped = match kind {
            CopyKind::Transfer => {
                // The files of a batch share a key. It goes with the last of them: a hold that comes between two
                // must find what is still there readable.
                if self.is_last_file(batch, copy) {
                    self.ports.keys.destroy(&slots::spool(batch), &why)?;
                }
                self.ports.spool.wipe(copy)?
            }
            CopyKind::Vault => {
                self.ports.keys.destroy(&slots::vault(copy), &why)?;
                self.ports.vaults.wipe(copy)?
            }
            CopyKind::Case => {
                self.ports.keys.destroy(&slots::case(batch), &why)?;
                self.ports.cases.wipe(batch)?
            }
        };
        Ok(Outcome::CopyWiped { wiped })
    }
}
