//! The lists of the page: links, what is due, what ends, orders and holds.

use std::collections::BTreeMap;

use super::{
    DueLine, Ending, EndingLine, Given, LastBatch, LinkLine, OpenOrder, StandingHold, WorkLine,
    tasks,
};
use crate::{
    domain::{
        ids::{BatchId, OrderId},
        lifecycle::{BatchState, GrantState},
        link::{Link, LinkStatus},
        time::Timestamp,
        view::{Batch, Row},
    },
    engine::jobs::Progress,
};

pub(super) fn links(given: &Given<'_>) -> Vec<LinkLine> {
    let mut open: BTreeMap<String, u64> = BTreeMap::new();
    for (_, row) in given.view.open_batches() {
        *open.entry(row.link.clone()).or_default() += 1;
    }
    let mut waiting: BTreeMap<&str, u64> = BTreeMap::new();
    for row in given.waiting {
        *waiting.entry(&row.link).or_default() += 1;
    }
    let line = |link: &Link| LinkLine {
        link: link.name.clone(),
        title: link.title.clone(),
        state: link_state(link, given.now).to_owned(),
        last: given.view.last_of(&link.name).map(|(id, row)| LastBatch {
            id,
            number: row.number.clone(),
            at: row.times.get("claimed").copied().unwrap_or(given.now),
            state: row.state,
            reason: (given.reason)(&row),
        }),
        waiting: waiting.get(link.name.as_str()).copied().unwrap_or(0),
        open: open.get(&link.name).copied().unwrap_or(0),
        approved_until: link.approved_until,
        days: given.days_to(link.approved_until),
    };
    given.rules.links.values().map(line).collect()
}

fn link_state(link: &Link, now: Timestamp) -> &'static str {
    match link.status {
        LinkStatus::Active if link.approved_until < now => "expired",
        LinkStatus::Active => "active",
        LinkStatus::Suspended => "suspended",
        LinkStatus::Terminated => "terminated",
    }
}

pub(super) fn due(given: &Given<'_>) -> Vec<DueLine> {
    let mut orders: BTreeMap<BatchId, OrderId> = BTreeMap::new();
    for (id, order) in given.view.orders.loose().filter(|(_, o)| tasks::is_open(o.state)) {
        orders.extend(order.copies.iter().map(|copy| (copy.batch, id)));
    }
    let line = |(id, row): (BatchId, Row<'_, Batch>)| {
        let whole = matches!(row.state, BatchState::Due | BatchState::Condemned);
        let files = row.state == BatchState::Loaded && tasks::files_are_due(given, id, &row);
        if !whole && !files {
            return None;
        }
        let deadline = row.due.filter(|(_, of)| *of == whole).map(|(deadline, _)| deadline);
        let policy = given.rules.policy_for(&row.link, &row.facts.policy);
        let clause = policy.filter(|_| deadline.is_some()).map(|policy| {
            let rule = (&policy.use_rule.retention, &policy.raw_file.retention);
            if whole { rule.0.clause.clone() } else { rule.1.clause.clone() }
        });
        Some(DueLine {
            batch: id,
            number: row.number.clone(),
            link: row.link.clone(),
            whole,
            deadline,
            days: deadline.map(|deadline| given.days_to(deadline)),
            // The day of the deadline is the last one on which it can be kept: many policies say "at once".
            overdue: deadline.is_some_and(|deadline| given.days_to(deadline) < 0),
            clause,
            order: orders.get(&id).copied(),
            hold: given.view.hold_on(id),
        })
    };
    let mut lines: Vec<DueLine> = given.view.open_batches().filter_map(line).collect();
    lines.sort_by_key(|line| (line.deadline.is_none(), line.deadline, line.batch));
    lines
}

pub(super) fn ending(given: &Given<'_>) -> Vec<EndingLine> {
    let line = |what, object: String, link: &str, until| EndingLine {
        what,
        object,
        link: link.to_owned(),
        until,
        days: given.days_to(until),
    };
    let soon = |until: &Timestamp| given.is_soon(*until);
    let links = given.rules.links.values();
    let links = links.filter(|l| l.status == LinkStatus::Active && soon(&l.approved_until));
    let grants = given.view.grants.loose();
    let grants = grants.filter(|(_, g)| g.state == GrantState::Open && soon(&g.terms.until));
    let uses = given.view.batches_in(BatchState::Loaded).filter_map(|(id, row)| {
        let until = row.times.get("use-until").copied().filter(|until| soon(until))?;
        Some(line(Ending::Use, id.to_string(), &row.link, until))
    });
    let mut lines: Vec<EndingLine> = links
        .map(|l| line(Ending::Link, l.name.clone(), &l.name, l.approved_until))
        .chain(
            grants.map(|(id, g)| line(Ending::Grant, id.to_string(), &g.terms.link, g.terms.until)),
        )
        .chain(uses)
        .collect();
    lines.sort_by(|a, b| (a.until, a.what, &a.object).cmp(&(b.until, b.what, &b.object)));
    lines
}

pub(super) fn orders(given: &Given<'_>) -> Vec<OpenOrder> {
    let open = given.view.orders.loose().filter(|(_, order)| tasks::is_open(order.state));
    open.map(|(id, order)| OpenOrder {
        id,
        state: order.state,
        by: order.by.clone(),
        copies: order.copies.len() as u64,
        wiped: order.gone() as u64,
        expires: order.expires,
        hold: order.copies.iter().find_map(|copy| given.view.hold_on(copy.batch)),
    })
    .collect()
}

pub(super) fn holds(given: &Given<'_>) -> Vec<StandingHold> {
    let standing = given.view.holds.iter().filter(|(_, hold)| !hold.lifted);
    let mut lines: Vec<StandingHold> = standing
        .map(|(id, hold)| StandingHold {
            id: *id,
            scope: hold.scope.clone(),
            by: hold.by.clone(),
            doc_no: hold.doc_no.clone(),
            review: hold.review,
            days: given.days_to(hold.review),
        })
        .collect();
    lines.sort_by_key(|hold| (hold.review, hold.id));
    lines
}

impl WorkLine {
    pub(super) fn of(work: &Progress) -> Self {
        Self {
            step: work.step.to_owned(),
            batch: work.batch,
            order: work.order,
            done: work.done,
            total: work.total,
            since: work.since,
        }
    }
}
