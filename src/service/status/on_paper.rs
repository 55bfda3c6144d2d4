//! What decisions on paper wait for.

use super::{
    Given,
    tasks::{Task, TaskCode},
};
use crate::domain::{accounts::Act, on_paper::Subject};

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
