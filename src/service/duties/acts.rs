//! What the life of batches, grants, approvals and logs asks for by a day.

use crate::{
    domain::{
        accounts::Act,
        duty::{Duty, DutyCode},
        entry::AGENT,
        lifecycle::{CopyState, GrantState, OrderState},
        policy::layers::OWN,
        time::{Period, Timestamp},
        view::{Batch, CopyRow, Held, View},
    },
    engine::{
        rules::Rules,
        standing::{missing_papers, papers_due, policies_of},
    },
    service::plan::{self, PlanLine},
};

/// How long the keys of a month of the access log may stay once they need not be kept any longer: a month, a rule of ours.
const LOG_GRACE: Period = Period { months: 1, days: 0, seconds: 0 };

/// Every duty of this part.
pub(in crate::service) fn duties(
    view: &View,
    rules: &Rules,
    now: Timestamp,
    until: Timestamp,
    into: &mut Vec<Duty>,
) {
    destructions(view, rules, (now, until), into);
    papers(view, rules, into);
    copies(view, rules, into);
    standings(view, rules, into);
    grants(view, into);
    holds(view, into);
    anchoring(view, rules, now, into);
    access_logs(view, rules, now, into);
}

/// A deadline is kept on its day, as everywhere else.
fn day_of(at: Timestamp, rules: &Rules) -> Timestamp {
    Timestamp::end_of_day(at.date_in(rules.zone), rules.zone)
}

fn destructions(
    view: &View,
    rules: &Rules,
    (now, until): (Timestamp, Timestamp),
    into: &mut Vec<Duty>,
) {
    for line in plan::lines(view, rules, now) {
        // What a hold forbids nobody owes; the hold's own review is owed.
        if line.state == "held" || (line.deadline > until && line.state == "expected") {
            continue;
        }
        let Some(row) = view.batches.get(&line.batch) else { continue };
        into.push(destruction(rules, &line, &row));
    }
}

fn destruction(rules: &Rules, line: &PlanLine, row: &Batch) -> Duty {
    let (act, command) = match (line.state.as_str(), line.order) {
        ("requested", Some(order)) => (Act::DecideDestruction, format!("destroy approve {order}")),
        ("approved", _) => (Act::Keep, "run --once".to_owned()),
        ("expected", _) => (Act::Use, format!("use no-need {}", line.batch)),
        _ => (Act::RequestDestruction, format!("destroy request {} --reason TEXT", line.batch)),
    };
    let loaded = row.times.get("loaded").or_else(|| row.times.get("claimed")).copied();
    let whole = row.times.get("due").copied().filter(|_| line.whole && line.state != "expected");
    let start = whole.or(loaded).unwrap_or(line.deadline);
    let object = if line.whole { line.batch.to_string() } else { format!("{} files", line.batch) };
    let due = day_of(line.deadline, rules);
    Duty::of(DutyCode::Destroy, object, start, due)
        .by(&line.clause, Some(&row.facts.policy))
        .on(Some(&line.link))
        .to(act, command)
        .done(line.happened)
}

/// Letters and evidence without which an order stays open.
fn papers(view: &View, rules: &Rules, into: &mut Vec<Duty>) {
    for (id, order) in view.orders.loose() {
        let Some((_, issued)) = order.certificate else { continue };
        let Some(due) = papers_due(view, rules, &order) else { continue };
        if missing_papers(view, rules, &order).is_empty() {
            continue;
        }
        let policy = policies_of(view, rules, &order).find(|p| !p.destroy.papers.value.is_empty());
        let (act, command) = if order.paper_proposal.is_some() {
            (Act::ConfirmPapers, format!("destroy confirm {id}"))
        } else {
            (Act::Keep, format!("destroy close {id} --letter NO --evidence FILE"))
        };
        let clause = policy.map_or(OWN, |policy| &policy.destroy.papers.clause);
        let duty = Duty::of(DutyCode::ClosePapers, id.to_string(), issued, day_of(due, rules));
        into.push(duty.by(clause, policy.map(|policy| policy.name.as_str())).to(act, command));
    }
}

/// Copies that people keep, with a day of their own.
fn copies(view: &View, rules: &Rules, into: &mut Vec<Duty>) {
    for (id, row) in view.held() {
        let Some(held) = row.held.as_deref() else { continue };
        let Some(due) = held.delete_by.filter(|_| row.state.is_there()) else { continue };
        if view.hold_on(row.batch).is_none() {
            into.push(copy(view, rules, (&id.to_string(), &row), held, due));
        }
    }
}

fn copy(
    view: &View,
    rules: &Rules,
    (id, row): (&str, &CopyRow),
    held: &Held,
    due: Timestamp,
) -> Duty {
    let batch = view.batches.get(&row.batch);
    let link = batch.as_ref().map(|batch| batch.link.as_str());
    let policy = batch.as_ref().and_then(|b| rules.policy_for(&b.link, &b.facts.policy));
    let (act, command) = if row.state == CopyState::Condemned {
        (Act::KeepCopies, format!("media record {id} --method WORD --place TEXT --at TIME"))
    } else {
        let words = format!("destroy request {} --copy {id} --reason TEXT", row.batch);
        (Act::RequestDestruction, words)
    };
    let clause = policy.map_or(OWN, |policy| &policy.copy.approval.clause);
    Duty::of(DutyCode::DestroyCopy, id, held.mark.at, day_of(due, rules))
        .by(clause, policy.map(|policy| policy.name.as_str()))
        .on(link)
        .to(act, command)
}

/// Standing approvals end; another one of the same scope that lasts longer takes their place.
fn standings(view: &View, rules: &Rules, into: &mut Vec<Duty>) {
    for (id, row) in view.standings.iter().filter(|(_, row)| !row.ended) {
        let Some((_, confirmed)) = &row.confirmed else { continue };
        let after = view.standings.values().filter(|other| {
            let scope =
                other.policy == row.policy && (other.link.is_none() || other.link == row.link);
            scope && !other.ended && other.until > row.until
        });
        let done =
            after.filter_map(|other| other.confirmed.as_ref().map(|(_, mark)| mark.at)).min();
        let policy = rules.policies.get(&row.policy);
        let clause = policy.map_or(OWN, |policy| &policy.destroy.approval.clause);
        let command = format!("standing add --policy {} --doc-no NO --until DATE", row.policy);
        let duty = Duty::of(DutyCode::RenewStanding, id.to_string(), confirmed.at, row.until)
            .by(clause, Some(&row.policy))
            .on(row.link.as_deref())
            .to(Act::Keep, command)
            .done(done);
        into.push(duty);
    }
}

/// A grant's use is to be reported as completed when it ends: until then the clock of its batches does not start.
fn grants(view: &View, into: &mut Vec<Duty>) {
    for (id, row) in view.grants.loose() {
        let Some(approved) = row.approved else { continue };
        if row.state == GrantState::Completed {
            continue;
        }
        let duty = Duty::of(DutyCode::EndGrant, id.to_string(), approved.at, row.terms.until)
            .on(Some(&row.terms.link))
            .to(Act::Use, format!("use complete {id}"))
            .named(Some(row.answerable()).filter(|name| *name != AGENT));
        into.push(duty);
    }
}

fn holds(view: &View, into: &mut Vec<Duty>) {
    for (id, row) in view.holds.iter().filter(|(_, row)| !row.lifted) {
        let duty = Duty::of(DutyCode::ReviewHold, id.to_string(), row.placed.at, row.review);
        into.push(duty.to(Act::Hold, format!("hold lift {id}")));
    }
}

fn anchoring(view: &View, rules: &Rules, now: Timestamp, into: &mut Vec<Duty>) {
    let Some(anchoring) = &rules.anchoring else { return };
    let since = anchoring.standing(view, now, rules.zone).since;
    let due = anchoring.overdue_after.after(since, rules.zone);
    let command =
        format!("witness request {}", anchoring.witnesses.first().map_or("NAME", String::as_str));
    into.push(Duty::of(DutyCode::Anchor, "register", since, due).to(Act::Anchor, command));
}

/// What queries said of people need not be kept any longer: the keys of those months are to go.
fn access_logs(view: &View, rules: &Rules, now: Timestamp, into: &mut Vec<Duty>) {
    for ((link, month), key) in &view.access_keys {
        let Some((kept, clause)) = rules.access_kept_until(link, month) else { continue };
        if kept > now || view.hold_on_access(link).is_some() {
            continue;
        }
        let asked = view.access_order_on(link, month);
        let open = asked.and_then(|id| Some((id, view.access_orders.get(&id)?.state)));
        let (act, command) = match open {
            Some((id, OrderState::Requested)) => {
                (Act::DecideAccess, format!("access destroy-approve {id}"))
            }
            _ => (Act::RequestDestruction, format!("access destroy --link {link} --reason TEXT")),
        };
        let due = LOG_GRACE.after(kept, rules.zone);
        let duty = Duty::of(DutyCode::EndAccessLog, month, kept, due)
            .by(&clause, None)
            .on(Some(link))
            .to(act, command)
            .done(key.destroyed.as_ref().map(|(at, _)| *at));
        into.push(duty);
    }
}
