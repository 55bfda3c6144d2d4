//! The end of a key that seals the access log: one slot of an approved order. Hold, approval, policy and retention are
//! read again before every slot. The entries stay, and their hashes: what they hold can no longer be opened.

use crate::{
    domain::{
        entry::{AGENT, AccessVoided, Body},
        ids::AccessOrderId,
        lifecycle::OrderState,
        step::{Outcome, Plan},
    },
    engine::{Engine, EngineError, Ran, StepError, slots},
};

impl Engine {
    /// Why an order over keys of the access log may not go on, where it may not.
    #[must_use]
    pub fn access_objection(&self, id: AccessOrderId) -> Option<&'static str> {
        let order = self.view.access_orders.get(&id)?;
        let now = self.ports.clock.now();
        if !matches!(order.state, OrderState::Requested | OrderState::Approved) {
            return Some("voided");
        }
        if self.view.hold_on_access(&order.link).is_some() {
            return Some("hold");
        }
        if now > order.expires {
            return Some("expired");
        }
        if order.policy != self.rules.policies_digest {
            return Some("policy-changed");
        }
        // A link may have come under another policy: the log is kept for as long as the one in force says.
        let over = |month: &String| {
            self.rules.access_kept_until(&order.link, month).is_some_and(|(end, _)| end < now)
        };
        if !order.months.iter().all(over) {
            return Some("retention");
        }
        match &order.approved {
            Some((by, _)) if self.view.account(by).is_none() => Some("approver-disabled"),
            _ => None,
        }
    }

    /// Voids what nobody approved in time, and runs what is approved as far as it goes.
    ///
    /// # Errors
    /// The register cannot be written.
    pub(in crate::engine) fn end_access_keys(&mut self) -> Result<bool, EngineError> {
        let now = self.ports.clock.now();
        let mut any = false;
        let late = |state, expires| state == OrderState::Requested && expires < now;
        let orders: Vec<(AccessOrderId, bool)> = self
            .view
            .access_orders
            .iter()
            .filter(|(_, o)| o.state == OrderState::Approved || late(o.state, o.expires))
            .map(|(id, order)| (*id, order.state == OrderState::Approved))
            .collect();
        for (order, approved) in orders {
            if approved {
                any |= self.execute_access(order)?;
            } else {
                let code = "expired".to_owned();
                self.record(AGENT, Body::AccessOrderVoided(AccessVoided { order, code }))?;
                any = true;
            }
        }
        Ok(any)
    }

    fn execute_access(&mut self, id: AccessOrderId) -> Result<bool, EngineError> {
        let Some(order) = self.view.access_orders.get(&id) else { return Ok(false) };
        let (link, months) = (order.link.clone(), order.months.clone());
        let mut any = false;
        for month in months {
            let key = self.view.access_keys.get(&(link.clone(), month.clone()));
            if key.is_none_or(|key| key.destroyed.is_some()) {
                continue;
            }
            // An intent that was cut off is taken up as it stands, and never planned a second time.
            let planned = |plan: &Plan| matches!(plan, Plan::DropAccessKey { link: l, month: m, .. } if *l == link && *m == month);
            if self.view.open.values().any(planned) {
                continue;
            }
            if let Some(code) = self.access_objection(id) {
                let code = code.to_owned();
                self.record(AGENT, Body::AccessOrderVoided(AccessVoided { order: id, code }))?;
                return Ok(true);
            }
            let plan = Plan::DropAccessKey { order: id, link: link.clone(), month };
            match self.run(AGENT, plan)? {
                Ran::Done(_) => any = true,
                Ran::Failed(..) | Ran::Running => break,
            }
        }
        Ok(any)
    }

    pub(in crate::engine) fn apply_drop_access_key(
        &mut self,
        order: AccessOrderId,
        link: &str,
        month: &str,
    ) -> Result<Outcome, StepError> {
        let slot = slots::access(link, month);
        // Read once more: a stop may lie between the plan and this line, and a person may have used it. A slot that is
        // gone already is gone, whatever was said since.
        if self.ports.keys.live(&slot)?.is_some()
            && let Some(code) = self.access_objection(order)
        {
            return Err(StepError::Later(code));
        }
        // A stop here: the tombstone stands alone, and the next start finds it and records the outcome.
        let mut limits = self.ports.keys.erase(&slot, &order.to_string())?;
        limits.sort_unstable();
        limits.dedup();
        let (link, month) = (link.to_owned(), month.to_owned());
        Ok(Outcome::AccessKeyDropped { link, month, limits: Some(limits) })
    }
}
