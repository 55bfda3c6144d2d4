//! The end of keys that seal the access log: which are due, requested by one person, approved by another.

use serde::{Deserialize, Serialize};

use super::{Actor, Reply, Result, Service, administration::second_person, stated};
use crate::{
    domain::{
        calendar,
        entry::{AccessApproved, AccessDenied, AccessRequested, Body},
        ids::{AccessOrderId, HoldId},
        lifecycle::OrderState,
        time::{Period, Timestamp},
        view::AccessOrder,
    },
    engine::rules::Rules,
    error::Error,
};

/// How long a request waits for its approval before it is void: a month.
const REQUEST_STANDS: Period = Period { months: 1, days: 0, seconds: 0 };

/// A key of the access log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AccessKeyLine {
    /// The link.
    pub link: String,
    /// The month, such as `2026-11`.
    pub month: String,
    /// `kept`, `due`, `requested`, `approved` or `destroyed`.
    pub state: String,
    /// What the month's entries say is kept until then at least.
    pub kept_until: Option<Timestamp>,
    /// The clause that sets it.
    pub clause: Option<String>,
    /// The order that covers it, or destroyed it.
    pub order: Option<AccessOrderId>,
    /// The hold that forbids destroying it.
    pub hold: Option<HoldId>,
    /// When it was destroyed.
    pub destroyed: Option<Timestamp>,
}

/// Months of a link whose retention is over, that no order covers and no hold forbids to destroy.
pub(super) fn due_months(
    view: &crate::domain::view::View,
    rules: &Rules,
    now: Timestamp,
) -> Vec<(String, Vec<String>)> {
    let mut due: Vec<(String, Vec<String>)> = Vec::new();
    for ((link, month), key) in &view.access_keys {
        let over = rules.access_kept_until(link, month).is_some_and(|(end, _)| end < now);
        let free = view.hold_on_access(link).is_none();
        if key.destroyed.is_some() || !over || !free || view.access_order_on(link, month).is_some()
        {
            continue;
        }
        match due.last_mut() {
            Some((last, months)) if last == link => months.push(month.clone()),
            _ => due.push((link.clone(), vec![month.clone()])),
        }
    }
    due
}

impl Service {
    /// `access keys`.
    pub(super) fn access_keys(&self) -> Vec<AccessKeyLine> {
        let (view, rules) = (&self.engine.view, &self.engine.rules);
        let now = self.engine.ports.clock.now();
        let line = |((link, month), key): (&(String, String), &crate::domain::view::AccessKey)| {
            let kept = rules.access_kept_until(link, month);
            let open = view.access_order_on(link, month);
            let state = match (&key.destroyed, open.and_then(|id| view.access_orders.get(&id))) {
                (Some(_), _) => "destroyed".to_owned(),
                (None, Some(order)) => order.state.to_string(),
                (None, None) if kept.as_ref().is_some_and(|(end, _)| *end < now) => {
                    "due".to_owned()
                }
                (None, None) => "kept".to_owned(),
            };
            AccessKeyLine {
                link: link.clone(),
                month: month.clone(),
                state,
                kept_until: kept.as_ref().map(|(end, _)| *end),
                clause: kept.map(|(_, clause)| clause),
                order: key.destroyed.map(|(_, order)| order).or(open),
                hold: view.hold_on_access(link).filter(|_| key.destroyed.is_none()),
                destroyed: key.destroyed.map(|(at, _)| at),
            }
        };
        view.access_keys.iter().map(line).collect()
    }

    fn access_order(&self, order: AccessOrderId) -> Result<&AccessOrder> {
        self.engine.view.access_orders.get(&order).ok_or_else(|| {
            Error::usage(format!("there is no order '{order}'"))
                .hint("'batchward access keys' shows the orders over keys of the access log")
        })
    }

    pub(super) fn access_request(
        &mut self,
        actor: &Actor,
        link: &str,
        months: Vec<String>,
        reason: String,
    ) -> Result<Reply> {
        stated("the reason", &reason)?;
        if let Some(hold) = self.engine.view.hold_on_access(link) {
            return Err(Error::refused(format!(
                "the hold '{hold}' forbids destroying what the access log says of '{link}'"
            )));
        }
        let now = self.engine.ports.clock.now();
        let all = due_months(&self.engine.view, &self.engine.rules, now);
        let due = all.into_iter().find(|(of, _)| of.as_str() == link).map(|(_, months)| months);
        let due = due.unwrap_or_default();
        let months = if months.is_empty() { due.clone() } else { months };
        if let Some(early) = months.iter().find(|month| !due.contains(month)) {
            return Err(self.not_due(link, early));
        }
        if months.is_empty() {
            return Err(Error::usage(format!("no key of the access log of '{link}' is due"))
                .hint("'batchward access keys' shows until when each is kept"));
        }
        let mut months = months;
        months.sort();
        months.dedup();
        let kept = months.last().and_then(|m| self.engine.rules.access_kept_until(link, m));
        let (kept_until, clause) = kept.ok_or_else(|| Error::usage("no month is given"))?;
        let order = self.engine.view.next_access_order();
        let body = Body::AccessOrderRequested(AccessRequested {
            order,
            link: link.to_owned(),
            months: months.clone(),
            kept_until,
            clause,
            reason,
            policy: self.engine.rules.policies_digest,
            expires: REQUEST_STANDS.after(now, self.engine.rules.zone),
            signed: actor.signed.clone(),
        });
        self.record(actor, body)?;
        let message = format!(
            "'{order}' covers the access log of '{link}' in {} and waits for a supervisor",
            months.join(", ")
        );
        Ok(Reply::new(&order, message)
            .next(format!("a supervisor runs 'batchward access destroy-approve {order}'")))
    }

    fn not_due(&self, link: &str, month: &str) -> Error {
        let view = &self.engine.view;
        let key = view.access_keys.get(&(link.to_owned(), month.to_owned()));
        if key.is_none_or(|key| key.destroyed.is_some()) {
            let what = crate::domain::national_id::masked(month);
            return Error::usage(format!("the access log of '{link}' has no key of '{what}'"))
                .hint("'batchward access keys' shows link and month of each");
        }
        if let Some(order) = view.access_order_on(link, month) {
            return Error::usage(format!("'{order}' asks for this already"));
        }
        match self.engine.rules.access_kept_until(link, month) {
            Some((end, clause)) => Error::refused(format!(
                "the access log of '{link}' in {month} is kept until {} ({clause})",
                calendar::end(end, self.engine.rules.zone)
            )),
            None => Error::refused("no policy says how long the access log is kept"),
        }
    }

    pub(super) fn access_approve(&mut self, actor: &Actor, id: AccessOrderId) -> Result<Reply> {
        let order = self.access_order(id)?;
        if order.by == actor.name() {
            return Err(second_person("approve this order"));
        }
        if order.state != OrderState::Requested {
            return Err(Error::usage(format!("'{id}' is {}", order.state))
                .hint("'batchward access keys' shows the keys with their orders"));
        }
        if let Some(code) = self.engine.access_objection(id) {
            return Err(Error::refused(format!("'{id}' may not go on: {code}")).hint(
                "deny it, and request the destruction again when nothing stands against it",
            ));
        }
        self.record(
            actor,
            Body::AccessOrderApproved(AccessApproved { order: id, signed: actor.decision()? }),
        )?;
        let order = self.access_order(id)?;
        let message = if order.state == OrderState::Executed {
            format!(
                "'{id}' is carried out: the keys of the access log of '{}' in {} are destroyed",
                order.link,
                order.months.join(", ")
            )
        } else {
            format!("'{id}' is {}; the agent goes on with it", order.state)
        };
        Ok(Reply::new(&id, message)
            .next("'batchward register verify' shows that the log itself is whole"))
    }

    pub(super) fn access_deny(
        &mut self,
        actor: &Actor,
        id: AccessOrderId,
        reason: String,
    ) -> Result<Reply> {
        let order = self.access_order(id)?;
        if order.by == actor.name() {
            return Err(second_person("decide on this order"));
        }
        if order.state != OrderState::Requested {
            return Err(Error::usage(format!("'{id}' is {}", order.state))
                .hint("'batchward access keys' shows the keys with their orders"));
        }
        stated("the reason", &reason)?;
        let signed = actor.decision()?;
        self.record(actor, Body::AccessOrderDenied(AccessDenied { order: id, reason, signed }))?;
        Ok(Reply::new(&id, format!("'{id}' is denied")))
    }
}
