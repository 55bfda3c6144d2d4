//! What copies that people keep wait for, and what is wrong with them.

use super::{
    Given,
    alarms::{AlarmCode, Found},
    handovers,
    tasks::{Task, TaskCode},
};
use crate::domain::{
    accounts::Act,
    ids::{CopyId, OrderId},
    lifecycle::{BatchState, CopyState, OrderState},
    time::Timestamp,
    view::{CopyRow, Held},
};

/// Every act that is missing about them.
pub(super) fn tasks(given: &Given<'_>) -> Vec<Task> {
    let view = given.view;
    view.held().filter_map(|(id, row)| task(given, id, &row, row.held.as_deref()?)).collect()
}

fn task(given: &Given<'_>, id: CopyId, row: &CopyRow, held: &Held) -> Option<Task> {
    let of = |code, act, words: &[String]| {
        let batch = given.view.batches.get(&row.batch);
        let number = batch.as_ref().and_then(|batch| batch.number.clone());
        let link = batch.map(|batch| batch.link.clone());
        Task { number, link, since: Some(held.mark.at), ..Task::of(code, act, &id).by(words) }
    };
    match row.state {
        CopyState::Requested => {
            let words =
                [format!("copy approve {id} --doc-no NO"), format!("copy deny {id} --reason TEXT")];
            let task = of(TaskCode::DecideCopy, Act::DecideCopy, &words);
            Some(Task { except: Some(held.by.clone()), ..task })
        }
        // The agent makes it, or has made it.
        CopyState::Planned if given.view.handover_of(id).is_some() => None,
        CopyState::Planned => {
            let words = [
                format!("copy declare {id} --place TEXT --holder NAME"),
                format!("copy withdraw {id} --reason TEXT"),
            ];
            Some(of(TaskCode::DeclareCopy, Act::KeepCopies, &words))
        }
        CopyState::Condemned => ending(given, id, held, of),
        CopyState::Kept | CopyState::Unreadable => {
            let left = is_left_behind(given, row);
            let near = |date: &Timestamp| left || *date < given.now || given.is_soon(*date);
            let date = held.delete_by.filter(near);
            let asked = given.view.orders.loose().any(|(_, order)| {
                order.state == OrderState::Requested
                    && order.copies.iter().any(|copy| copy.copy == id)
            });
            if asked || row.exception.is_some() || (date.is_none() && !left) {
                return None;
            }
            let words = [format!("destroy request {} --copy {id} --reason TEXT", row.batch)];
            let task = of(TaskCode::RequestCopyDestruction, Act::RequestDestruction, &words);
            Some(Task { since: date.or(task.since), ..task })
        }
        CopyState::Destroyed => None,
    }
}

/// A copy whose order is approved: it is to be destroyed and recorded, and then to be vouched for.
fn ending(
    given: &Given<'_>,
    id: CopyId,
    held: &Held,
    of: impl Fn(TaskCode, Act, &[String]) -> Task,
) -> Option<Task> {
    if let Some(end) = &held.end {
        let task = of(TaskCode::ConfirmEnd, Act::Vouch, &[format!("media confirm {id}")]);
        return Some(Task { except: Some(end.by.clone()), since: Some(end.mark.at), ..task });
    }
    let mut orders = given.view.orders.loose().map(|(_, order)| order);
    let order =
        orders.find(|order| order.state == OrderState::Approved && order.is_open_over(id))?;
    if order.not_before.is_some_and(|from| from > given.now) {
        return None;
    }
    let words = handovers::returned(given, id).unwrap_or_else(|| {
        format!("media record {id} --method METHOD --place TEXT --performer NAME")
    });
    let words = [words];
    let task = of(TaskCode::DestroyCopy, Act::KeepCopies, &words);
    Some(Task { since: order.approved.as_ref().map(|(_, mark)| mark.at), ..task })
}

/// Whether a copy is still there although its batch is not.
fn is_left_behind(given: &Given<'_>, row: &CopyRow) -> bool {
    let state = given.view.batches.get(&row.batch).map(|batch| batch.state);
    matches!(state, Some(BatchState::Destroyed | BatchState::Closed))
}

/// What is wrong with them.
pub(super) fn alarms(given: &Given<'_>, found: &mut Found) {
    for (id, row) in given.view.held() {
        let Some(held) = row.held.as_deref() else { continue };
        if matches!(row.state, CopyState::Requested | CopyState::Planned | CopyState::Destroyed) {
            continue;
        }
        let name = || Some(id.to_string());
        if held.unapproved {
            found.add(AlarmCode::CopyUnapproved, None, Some(held.mark.at), name());
        }
        if is_left_behind(given, &row) {
            found.add(AlarmCode::CopyLeftBehind, None, Some(held.mark.at), name());
        }
        let late = held.delete_by.filter(|date| *date < given.now);
        if late.is_some() && row.exception.is_none() {
            found.add(AlarmCode::CopyOverdue, None, late, name());
        }
    }
}

/// Orders over chosen copies that lack papers: no batch waits for them, so that they are named themselves.
pub(super) fn papers(given: &Given<'_>) -> Vec<Task> {
    use crate::engine::standing::missing_papers;
    let view = given.view;
    let certified = view.orders.loose().filter(|(_, order)| order.state == OrderState::Certified);
    let own = |id: OrderId| {
        let state = |batch: &crate::domain::view::Batch| {
            batch.order == Some(id) && batch.state == BatchState::Destroyed
        };
        view.orders.get(&id).is_some_and(|order| {
            order
                .copies
                .iter()
                .any(|copy| view.batches.get(&copy.batch).is_some_and(|row| state(&row)))
        })
    };
    let lacking = certified
        .filter(|(id, order)| !own(*id) && !missing_papers(view, given.rules, order).is_empty());
    lacking
        .map(|(id, order)| match &order.paper_proposal {
            Some(proposal) => {
                let words = [format!("destroy confirm {id}")];
                let task = Task::of(TaskCode::ConfirmPapers, Act::ConfirmPapers, &id).by(&words);
                let since = Some(proposal.mark.at);
                Task { except: Some(proposal.by.clone()), since, ..task }
            }
            None => {
                let words = [format!("destroy close {id} --letter NO --evidence FILE")];
                let task = Task::of(TaskCode::ClosingPapers, Act::Keep, &id).by(&words);
                Task { since: order.certificate.map(|(_, at)| at), ..task }
            }
        })
        .collect()
}
