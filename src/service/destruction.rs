//! Destruction: requested by one person, approved by another, held by a third.

use super::{Actor, Reply, Result, Service, administration::second_person, stated};
use crate::{
    domain::{
        calendar,
        entry::{Body, HoldScope, OrderedCopy},
        ids::{BatchId, HoldId, OrderId},
        lifecycle::{BatchState, CopyState, OrderState},
        manifest::Kind,
        time::{Period, Timestamp},
        view::{CopyKind, Order},
    },
    error::{Error, Exit},
};

/// How long a request waits for its approval before it is void: a month.
const REQUEST_STANDS: Period = Period { months: 1, days: 0, seconds: 0 };

impl Service {
    fn order(&self, order: OrderId) -> Result<&Order> {
        self.engine.view.orders.get(&order).ok_or_else(|| {
            Error::usage(format!("there is no order '{order}'"))
                .hint("'batchward destroy list' shows the orders")
        })
    }

    /// What an order over a batch covers: everything of a batch that is due, or the transfer files that are.
    fn scope(&self, batch: BatchId) -> Result<Vec<OrderedCopy>> {
        let row = self.row(batch)?;
        let files_only = match (row.state, row.due) {
            (BatchState::Due, _) => false,
            (BatchState::Loaded, Some((_, false))) => true,
            _ => {
                return Err(Error::usage(format!("'{batch}' is {}: nothing of it is due", row.state)).hint(
                    "a loaded batch comes due by 'use complete' and 'use no-need'; a quarantined one by 'batch reject'",
                ));
            }
        };
        if !files_only {
            self.undepended(batch)?;
        }
        let mut copies: Vec<(CopyKind, OrderedCopy)> = self
            .engine
            .view
            .copies_of(batch)
            .filter(|(_, c)| {
                c.state == CopyState::Kept && (!files_only || c.kind == CopyKind::Transfer)
            })
            .map(|(copy, c)| {
                (c.kind, OrderedCopy { copy, batch, digest: c.sha256, bytes: c.bytes })
            })
            .collect();
        // The loaded data first, the record that names the files last.
        copies.sort_by_key(|(kind, copy)| {
            let rank = match kind {
                CopyKind::Vault => 0,
                CopyKind::Transfer => 1,
                CopyKind::Case => 2,
            };
            (rank, copy.copy)
        });
        if copies.is_empty() {
            return Err(Error::usage(format!("no copy of '{batch}' is left to destroy")));
        }
        Ok(copies.into_iter().map(|(_, copy)| copy).collect())
    }

    /// A full file carries the change files after it: while one of them is in use, it stays.
    fn undepended(&self, batch: BatchId) -> Result<()> {
        let row = self.row(batch)?;
        let Some(manifest) =
            row.manifest.as_ref().filter(|m| m.kind == Kind::Full && row.ever_loaded())
        else {
            return Ok(());
        };
        let newer_full = self.engine.view.batches_of(&row.link).any(|(id, other)| {
            id != batch
                && other.ever_loaded()
                && other.manifest.as_ref().is_some_and(|m| {
                    m.kind == Kind::Full && (m.as_of, id) > (manifest.as_of, batch)
                })
        });
        if newer_full {
            return Ok(());
        }
        let dependents: Vec<String> = self
            .engine
            .view
            .batches_of(&row.link)
            .filter(|(_, other)| other.state == BatchState::Loaded)
            .filter(|(id, other)| {
                *id > batch && other.manifest.as_ref().is_some_and(|m| m.kind == Kind::Delta)
            })
            .map(|(id, _)| id.to_string())
            .collect();
        if dependents.is_empty() {
            return Ok(());
        }
        Err(Error::refused(format!(
            "change files in use depend on '{batch}': {}",
            dependents.join(", ")
        ))
        .hint("state that they are no longer needed too, then request the destruction again"))
    }

    pub(super) fn destroy_request(
        &mut self,
        actor: &Actor,
        batch: BatchId,
        reason: String,
    ) -> Result<Reply> {
        stated("the reason", &reason)?;
        let copies = self.scope(batch)?;
        self.unheld(copies.iter().map(|c| c.batch))?;
        let asked = self.engine.view.orders.iter().find(|(_, order)| {
            matches!(order.state, OrderState::Requested | OrderState::Approved)
                && order.copies == copies
        });
        if let Some((id, _)) = asked {
            return Err(Error::usage(format!("'{id}' asks for this already")));
        }
        let order = self.engine.view.next_order();
        let now = self.engine.ports.clock.now();
        let count = copies.len();
        let body = Body::OrderRequested {
            order,
            copies,
            reason,
            policy: self.engine.rules.policies_digest,
            expires: REQUEST_STANDS.after(now, self.engine.rules.zone),
            signed: actor.signed.clone(),
        };
        self.record(actor, body)?;
        let message = format!("'{order}' covers {count} copies and waits for a supervisor");
        Ok(Reply::new(&order, message)
            .next(format!("a supervisor runs 'batchward destroy approve {order}'")))
    }

    fn unheld(&self, batches: impl Iterator<Item = BatchId>) -> Result<()> {
        for batch in batches {
            if let Some(hold) = self.engine.view.hold_on(batch) {
                return Err(Error::refused(format!(
                    "the hold '{hold}' forbids destroying '{batch}'"
                )));
            }
        }
        Ok(())
    }

    pub(super) fn destroy_approve(&mut self, actor: &Actor, id: OrderId) -> Result<Reply> {
        let order = self.order(id)?;
        if order.by == actor.name() {
            return Err(second_person("approve this order"));
        }
        if order.state != OrderState::Requested {
            return Err(Error::usage(format!("'{id}' is {}", order.state)));
        }
        if self.engine.ports.clock.now() > order.expires {
            return Err(Error::refused(format!(
                "'{id}' expired {}",
                calendar::end(order.expires, self.engine.rules.zone)
            )));
        }
        self.unheld(order.copies.iter().map(|c| c.batch))?;
        // What is approved is what was requested: a copy that came or went since, or another policy, voids it.
        let same = order.copies.iter().all(|c| {
            self.engine.view.copies.get(&c.copy).is_some_and(|row| {
                row.state == CopyState::Kept && row.sha256 == c.digest && row.bytes == c.bytes
            })
        });
        // A batch that came due meanwhile has more that must go: an order over its files alone is not the one it needs.
        let mut batches: Vec<BatchId> = order.copies.iter().map(|c| c.batch).collect();
        batches.dedup();
        let mut scope = Vec::new();
        for batch in batches {
            scope.extend(self.scope(batch)?);
        }
        let same = same && scope == order.copies;
        if !same || order.policy != self.engine.rules.policies_digest {
            return Err(Error::refused(format!(
                "what '{id}' covers has changed since it was requested"
            ))
            .hint("deny it and request the destruction again"));
        }
        self.record(actor, Body::OrderApproved { order: id, signed: actor.decision()? })?;
        let order = self.order(id)?;
        Ok(match order.state {
            OrderState::Certified => Reply::new(&id, format!("'{id}' is carried out"))
                .next(format!("'batchward certificate show {id}' prints the proof")),
            state => {
                let notes = self.engine.notes.join("; ");
                let message = format!("'{id}' is {state}; the agent goes on with it: {notes}");
                Reply::new(&id, message)
                    .next("'batchward destroy list' tells how far it is, 'batchward status' what it waits for")
            }
        })
    }

    pub(super) fn destroy_deny(
        &mut self,
        actor: &Actor,
        id: OrderId,
        reason: String,
    ) -> Result<Reply> {
        let order = self.order(id)?;
        if order.by == actor.name() {
            return Err(second_person("decide on this order"));
        }
        if order.state != OrderState::Requested {
            return Err(Error::usage(format!("'{id}' is {}", order.state)));
        }
        stated("the reason", &reason)?;
        self.record(actor, Body::OrderDenied { order: id, reason, signed: actor.decision()? })?;
        Ok(Reply::new(&id, format!("'{id}' is denied")))
    }

    pub(super) fn hold_place(
        &mut self,
        actor: &Actor,
        scope: HoldScope,
        authority: String,
        doc_no: String,
        review: Timestamp,
    ) -> Result<Reply> {
        stated("the authority", &authority)?;
        stated("the document number", &doc_no)?;
        match &scope {
            HoldScope::Batch(batch) => {
                self.row(*batch)?;
            }
            HoldScope::Link(link) => {
                self.link(link)?;
            }
            HoldScope::All => {}
        }
        let hold = self.engine.view.next_hold();
        let signed = actor.decision()?;
        self.record(actor, Body::HoldPlaced { hold, scope, authority, doc_no, review, signed })?;
        let review = calendar::end(review, self.engine.rules.zone);
        let message = format!("'{hold}' stands, to be reviewed by {review}");
        Ok(Reply::new(&hold, message).next(format!(
            "when its reason is gone, another supervisor or auditor runs 'batchward hold lift {hold}'"
        )))
    }

    pub(super) fn hold_lift(&mut self, actor: &Actor, id: HoldId) -> Result<Reply> {
        let hold = self
            .engine
            .view
            .holds
            .get(&id)
            .ok_or_else(|| Error::new(Exit::Usage, format!("there is no hold '{id}'")))?;
        if hold.by == actor.name() {
            return Err(second_person("lift this hold"));
        }
        if hold.lifted {
            return Err(Error::usage(format!("'{id}' was lifted already")));
        }
        self.record(actor, Body::HoldLifted { hold: id, signed: actor.decision()? })?;
        Ok(Reply::new(&id, format!("'{id}' is lifted")))
    }
}
