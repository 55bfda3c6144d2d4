//! Holds: destruction is forbidden, by an authority and its document, until another person lifts it.

use super::{Actor, Reply, Result, Service, administration::second_person, stated};
use crate::{
    domain::{
        calendar,
        entry::{Body, HoldScope},
        ids::{BatchId, HoldId},
        lifecycle::OrderState,
        time::Timestamp,
    },
    error::Error,
};

impl Service {
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
        // What is being overwritten at this moment is past saving: whoever places the hold is told.
        let being_wiped = self.being_wiped(&scope);
        self.record(actor, Body::HoldPlaced { hold, scope, authority, doc_no, review, signed })?;
        let review = calendar::end(review, self.engine.rules.zone);
        let mut message = format!("'{hold}' stands, to be reviewed by {review}");
        if let Some(batches) = being_wiped {
            message = format!(
                "{message}; a copy of {batches} was being overwritten already and cannot be kept"
            );
        }
        Ok(Reply::new(&hold, message).next(format!(
            "when its reason is gone, another supervisor or auditor runs 'batchward hold lift {hold}'"
        )))
    }

    /// The batches of a scope of which a copy is being overwritten now.
    fn being_wiped(&self, scope: &HoldScope) -> Option<String> {
        let view = &self.engine.view;
        let within = |batch: &BatchId| match scope {
            HoldScope::Batch(held) => held == batch,
            HoldScope::Link(held) => view.batches.get(batch).is_some_and(|row| row.link == *held),
            HoldScope::All => true,
        };
        let running = self.engine.progress().into_iter().filter_map(|job| job.order);
        let mut batches: Vec<String> = running
            .filter_map(|order| view.orders.get(&order))
            .filter(|order| order.state == OrderState::Approved)
            .flat_map(|order| order.copies.iter().map(|copy| copy.batch).collect::<Vec<_>>())
            .filter(within)
            .map(|batch| batch.to_string())
            .collect();
        batches.dedup();
        (!batches.is_empty()).then(|| batches.join(", "))
    }

    pub(super) fn hold_lift(&mut self, actor: &Actor, id: HoldId) -> Result<Reply> {
        let hold = self.engine.view.holds.get(&id).ok_or_else(|| {
            Error::usage(format!("there is no hold '{id}'"))
                .hint("'batchward hold list' shows the holds")
        })?;
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
