//! What a standing approval lets the agent request by itself, and which closing papers are missing.

use std::collections::BTreeSet;

use super::{Engine, EngineError, rules::Rules};
use crate::domain::{
    entry::{AGENT, Body, OrderedCopy},
    ids::{BatchId, StandingId},
    lifecycle::{BatchState, OrderState},
    policy::{Approval, Policy, length::Length},
    time::{Period, Timestamp},
    view::{Batch, CopyKind, Order, Row, View},
};

/// How long an order stands: a month.
pub(crate) const ORDER_STANDS: Period = Period { months: 1, days: 0, seconds: 0 };

impl Engine {
    /// Orders the transfer files that are due and that a standing approval covers (NT-4.4), of one batch or of all.
    /// Each order names the approval; a stop before its entry leaves the files due, and the next look orders them.
    pub(super) fn order_by_standing(
        &mut self,
        only: Option<&BTreeSet<BatchId>>,
    ) -> Result<bool, EngineError> {
        let now = self.ports.clock.now();
        if !self.view.standings.values().any(|standing| standing.stands(now)) {
            return Ok(false);
        }
        let due: Vec<(BatchId, StandingId)> = self
            .view
            .batches_in(BatchState::Loaded)
            .filter(|(id, _)| only.is_none_or(|wanted| wanted.contains(id)))
            .filter_map(|(id, row)| Some((id, self.standing_for(id, &row, now)?)))
            .collect();
        for (batch, standing) in &due {
            let copies = self.files_to_order(*batch);
            let body = Body::OrderRequested {
                order: self.view.next_order(),
                copies,
                reason: "import-committed".to_owned(),
                policy: self.rules.policies_digest,
                expires: ORDER_STANDS.after(now, self.rules.zone),
                approvers: None,
                standing: Some(*standing),
                chosen: false,
                signed: None,
            };
            self.record(AGENT, body)?;
            self.todo.orders();
        }
        Ok(!due.is_empty())
    }

    /// The standing approval under which a batch's files go now.
    fn standing_for(&self, id: BatchId, row: &Batch, now: Timestamp) -> Option<StandingId> {
        let policy = self.rules.policy_for(&row.link, &row.facts.policy)?;
        let due = matches!(row.due, Some((_, false)));
        if !due || policy.destroy.approval.value != Approval::Standing {
            return None;
        }
        if self.view.hold_on(id).is_some() || self.files_to_order(id).is_empty() {
            return None;
        }
        let covers = |link: &Option<String>| link.as_ref().is_none_or(|link| *link == row.link);
        let mut standing = self.view.standings.iter();
        standing
            .find(|(_, one)| one.stands(now) && one.policy == row.facts.policy && covers(&one.link))
            .map(|(id, _)| *id)
    }

    /// The transfer files of a batch that no order covers; none while an order over some of them waits.
    fn files_to_order(&self, batch: BatchId) -> Vec<OrderedCopy> {
        // An order over what people keep of it does not keep its files.
        let asked = self.view.orders.loose().any(|(_, order)| {
            matches!(order.state, OrderState::Requested | OrderState::Approved)
                && !order.chosen
                && order.copies.iter().any(|copy| copy.batch == batch)
        });
        if asked {
            return Vec::new();
        }
        let files = self.view.copies_of(batch);
        files
            .filter(|(_, row)| row.kind == CopyKind::Transfer && row.state.is_there())
            .map(|(copy, row)| OrderedCopy { copy, batch, digest: row.sha256, bytes: row.bytes })
            .collect()
    }
}

/// The batches over which an order was carried out that lacks papers.
#[must_use]
pub fn lacking_papers(view: &View, rules: &Rules) -> BTreeSet<BatchId> {
    // One whose certificate is not issued yet lacks its papers all the more.
    let done = [OrderState::Executed, OrderState::Stopped, OrderState::Certified];
    let orders = view.orders.loose().filter(|(_, order)| done.contains(&order.state));
    let lacking = orders.filter(|(_, order)| !missing_papers(view, rules, order).is_empty());
    let batches = |(_, order): (_, Row<'_, Order>)| order.copies.iter().map(|c| c.batch).collect();
    lacking.flat_map(|order| -> Vec<BatchId> { batches(order) }).collect()
}

/// The papers that an order still needs.
#[must_use]
pub fn missing_papers(view: &View, rules: &Rules, order: &Order) -> Vec<String> {
    let media = |copy: &OrderedCopy| {
        let kind = view.copies.get(&copy.copy).map(|row| row.kind);
        matches!(kind, Some(CopyKind::Held(kind)) if kind.is_media())
    };
    let media = order.copies.iter().any(media);
    let mut wanted: Vec<String> = Vec::new();
    for policy in policies_of(view, rules, order) {
        for paper in policy.papers_of(media) {
            if !wanted.iter().any(|one| one == paper) {
                wanted.push(paper.to_owned());
            }
        }
    }
    wanted.retain(|paper| !order.papers.iter().any(|there| there.kind == *paper));
    wanted
}

/// When the papers of an order must be there, where its policies say.
#[must_use]
pub fn papers_due(view: &View, rules: &Rules, order: &Order) -> Option<Timestamp> {
    let (_, issued) = order.certificate?;
    let within = policies_of(view, rules, order).filter_map(|policy| {
        let period = policy.destroy.papers_within.value;
        let counted = policy.further.calendar;
        let by = |period| {
            counted.notice_by(issued, Length::Calendar(period), rules.zone, &rules.working)
        };
        (period != Period::ZERO).then(|| by(period))
    });
    within.min()
}

/// The policies of the batches that an order covers.
pub fn policies_of<'a>(
    view: &'a View,
    rules: &'a Rules,
    order: &Order,
) -> impl Iterator<Item = &'a Policy> {
    let batches: BTreeSet<BatchId> = order.copies.iter().map(|copy| copy.batch).collect();
    let rows = batches.into_iter().filter_map(|batch| view.batches.get(&batch));
    let names: BTreeSet<(String, String)> =
        rows.map(|row| (row.link.clone(), row.facts.policy.clone())).collect();
    names.into_iter().filter_map(|(link, name)| rules.policy_for(&link, &name))
}
