//! `destroy plan`: what is due by a day, why and by which clause; once the day is past, what became of it.

use serde::{Deserialize, Serialize};

use super::{Result, Service};
use crate::{
    domain::{
        ids::{BatchId, HoldId, OrderId},
        lifecycle::{BatchState, CopyState, OrderState},
        time::Timestamp,
        view::{Batch, CameDue, Order, View},
    },
    engine::{intake::least, rules::Rules},
};

/// What the state of a line can be.
pub const STATES: &[&str] =
    &["expected", "to-request", "requested", "approved", "held", "in-time", "late", "overdue"];

/// A line of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlanLine {
    /// Batch.
    pub batch: BatchId,
    /// Provider's number.
    pub number: Option<String>,
    /// Link.
    pub link: String,
    /// Whether all of it is due, or its transfer files only.
    pub whole: bool,
    /// The clock: `use-ended`, `use-period-ended`, `import-committed`, …
    pub clock: String,
    /// The clause that sets the deadline.
    pub clause: String,
    /// When destruction must have happened.
    pub deadline: Timestamp,
    /// `expected`: its clock has not run out yet; `to-request`, `requested`, `approved`, `held`: it is on its way;
    /// `in-time`, `late`: it happened; `overdue`: it did not, and the deadline is past.
    pub state: String,
    /// When the last copy was gone.
    pub happened: Option<Timestamp>,
    /// The order that covers or covered it.
    pub order: Option<OrderId>,
    /// The hold that forbids it.
    pub hold: Option<HoldId>,
}

impl Service {
    /// What must be destroyed by a time, the earliest deadline first.
    ///
    /// # Errors
    /// None today; the form is that of all readings.
    pub fn plan(&self, on: Timestamp) -> Result<Vec<PlanLine>> {
        let mut lines = lines(&self.engine.view, &self.engine.rules, self.now());
        lines.retain(|line| line.deadline <= on);
        lines.sort_by_key(|line| (line.deadline, line.batch));
        Ok(lines)
    }
}

/// Every line that there is, in the order of batches.
pub(super) fn lines(view: &View, rules: &Rules, now: Timestamp) -> Vec<PlanLine> {
    let mut lines = Vec::new();
    for (id, row) in view.batches.iter() {
        let due = row.came_due.iter().map(|due| line(view, rules, now, (id, &row), due));
        lines.extend(due);
        if row.came_due.iter().all(|due| !due.whole) {
            lines.extend(expected(view, rules, id, &row));
        }
    }
    lines
}

fn line(
    view: &View,
    rules: &Rules,
    now: Timestamp,
    (id, row): (BatchId, &Batch),
    due: &CameDue,
) -> PlanLine {
    let copies = || view.copies_of(id).filter(|(_, c)| row.due_covers(due.whole, c.kind));
    // What was given up while it was made, as a load with a wrong passphrase, is gone at no time and is not there.
    let gone = copies().all(|(_, copy)| copy.gone.is_some() || copy.state == CopyState::Destroyed);
    let happened = copies().filter_map(|(_, copy)| copy.gone).max().filter(|_| gone);
    let covers = |order: &Order| {
        let mut wanted = copies();
        order.state != OrderState::Denied
            && wanted.any(|(copy, _)| order.copies.iter().any(|one| one.copy == copy))
    };
    let order = view.orders_of(id).rev().find(|(_, order)| covers(order));
    let order = order.map(|(id, order)| (id, order.state));
    let hold = view.hold_on(id).filter(|_| !gone);
    // As everywhere else, a deadline is kept on its day.
    let late = |at: Timestamp| at.date_in(rules.zone) > due.deadline.date_in(rules.zone);
    let state = match (happened, order.map(|(_, state)| state)) {
        (Some(at), _) if late(at) => "late",
        (Some(_), _) => "in-time",
        _ if hold.is_some() => "held",
        _ if late(now) => "overdue",
        (None, Some(OrderState::Requested)) => "requested",
        (None, Some(OrderState::Approved)) => "approved",
        (None, _) => "to-request",
    };
    PlanLine {
        batch: id,
        number: row.number.clone(),
        link: row.link.clone(),
        whole: due.whole,
        clock: due.clock.clone(),
        clause: due.clause.clone(),
        deadline: due.deadline,
        state: state.to_owned(),
        happened,
        order: order.map(|(id, _)| id),
        hold,
    }
}

/// What will come due when the approved use of a loaded batch ends, if nobody ends it earlier.
fn expected(view: &View, rules: &Rules, id: BatchId, row: &Batch) -> Option<PlanLine> {
    if row.state != BatchState::Loaded {
        return None;
    }
    let policy = rules.policy_for(&row.link, &row.facts.policy)?;
    let rule = &policy.use_rule.retention;
    let end = row.times.get("use-until").copied()?;
    let deadline = policy.further.calendar.destroy_by(rule.value, end, rules.zone);
    let (deadline, clause) = match least(policy, row, rules.zone) {
        Some((least, clause)) if least > deadline => (least, clause),
        _ => (deadline, rule.clause.clone()),
    };
    Some(PlanLine {
        batch: id,
        number: row.number.clone(),
        link: row.link.clone(),
        whole: true,
        clock: "use-period-ended".to_owned(),
        clause,
        deadline,
        state: "expected".to_owned(),
        happened: None,
        order: None,
        hold: view.hold_on(id),
    })
}
