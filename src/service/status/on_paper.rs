//! What was typed from paper and waits for a second person who has seen it: decisions, and letters that announce deliveries.

use super::{
    Given,
    tasks::{Task, TaskCode},
};
use crate::domain::{accounts::Act, notified::NotifiedState, on_paper::Subject};

/// Decisions that somebody entered from paper.
pub(super) fn tasks(given: &Given<'_>) -> Vec<Task> {
    let view = given.view;
    let open = view.typed_decisions.keys().filter_map(|subject| {
        let typed = view.typed_decision(*subject)?;
        let (word, by) = match subject {
            Subject::Order(id) => ("destroy", view.orders.get(id)?.by.clone()),
            Subject::Grant(id) => ("grant", view.grants.get(id)?.by.clone()),
            Subject::Copy(id) => ("copy", view.copies.get(id)?.held.as_ref()?.by.clone()),
        };
        let words = [format!("{word} confirm {subject}")];
        let task = Task::of(TaskCode::ConfirmDecision, Act::ConfirmDecision, subject).by(&words);
        let mut except = vec![typed.by.clone(), by];
        except.dedup();
        Some(Task { except: Some(except.join(", ")), since: Some(typed.mark.at), ..task })
    });
    open.collect()
}

/// Letters that one person typed, and that a second one has not compared yet.
pub(super) fn announced(given: &Given<'_>) -> Vec<Task> {
    let rows = given.view.notices.rows.iter();
    let waiting = rows.filter(|(_, row)| row.state() == NotifiedState::Announced);
    waiting
        .filter_map(|(id, row)| {
            let typed = row.announcement.as_ref()?;
            Some(Task {
                except: Some(typed.by.clone()),
                number: Some(typed.facts.number.clone()),
                link: Some(row.link.clone()),
                since: Some(typed.mark.at),
                ..Task::of(TaskCode::ConfirmAnnouncement, Act::ConfirmAnnouncement, id)
                    .by(&[format!("batch announce-confirm {id}")])
            })
        })
        .collect()
}
