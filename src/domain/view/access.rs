//! The keys that seal the access log, by link and month, and the orders that end them: folded like everything else.

use serde::{Deserialize, Serialize};

use super::{FoldError, Mark, View};
use crate::domain::{
    digest::Digest,
    entry::{AccessRequested, Body, HoldScope},
    ids::{AccessOrderId, HoldId},
    lifecycle::{self, OrderEvent, OrderState},
    time::Timestamp,
};

/// The key of a link and month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Its age recipient.
    pub recipient: String,
    /// When its slot was destroyed, and under which order.
    pub destroyed: Option<(Timestamp, AccessOrderId)>,
}

/// An order over keys of the access log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessOrder {
    /// The link.
    pub link: String,
    /// The months, in order.
    pub months: Vec<String>,
    /// State.
    pub state: OrderState,
    /// Why.
    pub reason: String,
    /// Digest of the policies in force when it was requested.
    pub policy: Digest,
    /// It is void after this.
    pub expires: Timestamp,
    /// Who requested.
    pub by: String,
    /// The request.
    pub requested: Mark,
    /// Who approved, and the entry.
    pub approved: Option<(String, Mark)>,
}

impl View {
    /// The number that the next order over keys of the access log gets.
    #[must_use]
    pub fn next_access_order(&self) -> AccessOrderId {
        AccessOrderId::new(self.access_orders.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// The hold that forbids destroying what the access log says of a link: one over the link, over any batch of it,
    /// or over everything.
    #[must_use]
    pub fn hold_on_access(&self, link: &str) -> Option<HoldId> {
        let covers = |scope: &HoldScope| match scope {
            HoldScope::Batch(batch) => self.batches.get(batch).is_some_and(|row| row.link == link),
            HoldScope::Link(held) => held == link,
            HoldScope::All => true,
        };
        let mut holds = self.holds.iter();
        holds.find(|(_, hold)| !hold.lifted && covers(&hold.scope)).map(|(id, _)| *id)
    }

    /// The order that covers a key and is not over.
    #[must_use]
    pub fn access_order_on(&self, link: &str, month: &str) -> Option<AccessOrderId> {
        let open = |order: &AccessOrder| {
            matches!(order.state, OrderState::Requested | OrderState::Approved)
                && order.link == link
                && order.months.iter().any(|one| one == month)
        };
        self.access_orders.iter().find(|(_, order)| open(order)).map(|(id, _)| *id)
    }

    pub(super) fn order_access(
        &mut self,
        mark: Mark,
        by: &str,
        body: &Body,
    ) -> Result<(), FoldError> {
        match body {
            Body::AccessOrderRequested(asked) => {
                let AccessRequested { order, link, months, reason, policy, expires, .. } = asked;
                let known = |month: &String| {
                    let key = self.access_keys.get(&(link.clone(), month.clone()));
                    key.is_some_and(|key| key.destroyed.is_none())
                };
                if months.is_empty() || !months.iter().all(known) {
                    return Err(FoldError::Unknown(mark.seq));
                }
                let row = AccessOrder {
                    link: link.clone(),
                    months: months.clone(),
                    state: OrderState::Requested,
                    reason: reason.clone(),
                    policy: *policy,
                    expires: *expires,
                    by: by.to_owned(),
                    requested: mark,
                    approved: None,
                };
                self.access_orders.insert(*order, row);
                Ok(())
            }
            Body::AccessOrderApproved(decided) => {
                let row = self.move_access_order(mark, decided.order, OrderEvent::Approved)?;
                row.approved = Some((by.to_owned(), mark));
                Ok(())
            }
            Body::AccessOrderDenied(decided) => {
                self.move_access_order(mark, decided.order, OrderEvent::Denied).map(|_| ())
            }
            Body::AccessOrderVoided(decided) => {
                self.move_access_order(mark, decided.order, OrderEvent::Voided).map(|_| ())
            }
            _ => Err(FoldError::Transition(mark.seq)),
        }
    }

    pub(super) fn access_key_dropped(
        &mut self,
        mark: Mark,
        id: AccessOrderId,
        link: &str,
        month: String,
    ) -> Result<(), FoldError> {
        let key = self.access_keys.get_mut(&(link.to_owned(), month));
        let key = key.ok_or(FoldError::Unknown(mark.seq))?;
        if key.destroyed.is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        key.destroyed = Some((mark.at, id));
        let order = self.access_orders.get(&id).ok_or(FoldError::Unknown(mark.seq))?;
        let gone = |month: &String| {
            let key = self.access_keys.get(&(link.to_owned(), month.clone()));
            key.is_some_and(|key| key.destroyed.is_some())
        };
        if order.state == OrderState::Approved && order.months.iter().all(gone) {
            self.move_access_order(mark, id, OrderEvent::Executed)?;
        }
        Ok(())
    }

    fn move_access_order(
        &mut self,
        mark: Mark,
        id: AccessOrderId,
        on: OrderEvent,
    ) -> Result<&mut AccessOrder, FoldError> {
        let row = self.access_orders.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
        let (to, _) = lifecycle::next(lifecycle::ORDER, row.state, on)
            .ok_or(FoldError::Transition(mark.seq))?;
        row.state = to;
        Ok(row)
    }
}
