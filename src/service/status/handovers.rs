//! What hand-overs wait for.

use super::{
    Given,
    tasks::{Task, TaskCode},
};
use crate::domain::{
    accounts::Act,
    ids::{CopyId, HandoverId},
    lifecycle::{BatchState, HandoverState},
    view::Handover,
};

/// Every act that is missing about them.
pub(super) fn tasks(given: &Given<'_>) -> Vec<Task> {
    given.view.handovers.iter().filter_map(|(id, row)| task(given, *id, row)).collect()
}

fn task(given: &Given<'_>, id: HandoverId, row: &Handover) -> Option<Task> {
    let of = |code, act, words: &[String]| Task {
        link: Some(row.terms.link.clone()),
        ..Task::of(code, act, &id).by(words)
    };
    // What is not in use any more is not handed on.
    let in_use = || {
        row.terms.until >= given.now
            && row.terms.batch.is_none_or(|batch| {
                given.view.batches.get(&batch).is_some_and(|row| row.state == BatchState::Loaded)
            })
    };
    let deny = format!("handover deny {id} --reason TEXT");
    match row.state {
        HandoverState::Requested => {
            let words = [format!("handover approve {id}"), deny];
            let task = of(TaskCode::DecideHandover, Act::DecideCopy, &words);
            Some(Task { except: Some(row.by.clone()), since: Some(row.requested.at), ..task })
        }
        HandoverState::Approved => {
            let words =
                if in_use() { [format!("handover make {id}"), deny] } else { [deny.clone(), deny] };
            let act = if in_use() { Act::KeepCopies } else { Act::DecideCopy };
            let mut words = words.to_vec();
            words.dedup();
            let task = of(TaskCode::MakeHandover, act, &words);
            Some(Task { since: row.approved.as_ref().map(|(_, mark)| mark.at), ..task })
        }
        HandoverState::Made if row.returned.is_none() => {
            let words = [format!("handover confirm {id} --doc-no NO")];
            let task = of(TaskCode::ConfirmHandover, Act::KeepCopies, &words);
            Some(Task { since: row.made, ..task })
        }
        HandoverState::Made
        | HandoverState::Received
        | HandoverState::Denied
        | HandoverState::Closed => None,
    }
}

/// The command that records the end of a copy which was handed on.
pub(super) fn returned(given: &Given<'_>, copy: CopyId) -> Option<String> {
    let id = given.view.handover_of(copy)?;
    Some(format!("handover returned {id} --letter NO --certificate FILE"))
}
