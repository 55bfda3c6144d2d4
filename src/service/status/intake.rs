//! What batches wait for between their arrival and their use, and at the end of that.

use super::{
    Given,
    tasks::{Task, TaskCode},
};
use crate::domain::{
    accounts::Act,
    entry::Statement,
    ids::BatchId,
    intake::Seal,
    lifecycle::BatchState,
    view::{Batch, Completions, Shut},
};

/// Every act that is missing before a use.
pub(super) fn tasks(given: &Given<'_>) -> Vec<Task> {
    let view = given.view;
    let mut tasks = Vec::new();
    for (id, row) in view.batches_in(BatchState::Verified) {
        let policy = given.rules.policy_for(&row.link, &row.facts.policy);
        let asked = policy.is_some_and(|policy| policy.further.intake.confirms_before_load());
        if asked && !view.is_confirmed(id) {
            tasks.push(confirm(id, &row));
        }
    }
    for (id, row) in view.batches_in(BatchState::Loaded) {
        tasks.extend(match view.shut(id, &row) {
            Some(Shut::Confirmation) => Some(confirm(id, &row)),
            Some(Shut::Seal(seal)) => Some(provide(given, (id, &row), seal)),
            None => compare(given, id, &row),
        });
    }
    for proposal in &view.withdrawals {
        let (object, unit) = match &proposal.what.of {
            Statement::Grant(grant) => (grant.to_string(), String::new()),
            Statement::Batch { batch, unit } => {
                let unit = unit.as_ref().map(|unit| format!(" --unit {unit}"));
                (batch.to_string(), unit.unwrap_or_default())
            }
        };
        let words = [format!("use confirm {object}{unit}")];
        let task = Task::of(TaskCode::ConfirmWithdrawal, Act::DecideUse, &object).by(&words);
        let (except, since) = (Some(proposal.by.clone()), Some(proposal.mark.at));
        tasks.push(Task { except, since, ..task });
    }
    tasks
}

fn confirm(id: BatchId, row: &Batch) -> Task {
    Task::batch(TaskCode::ConfirmBatch, Act::Keep, id, row).by(&[format!("batch confirm {id}")])
}

fn provide(given: &Given<'_>, (id, row): (BatchId, &Batch), seal: Seal) -> Task {
    let seals = given.view.intake_of(id).map(|done| done.seals.as_slice()).unwrap_or_default();
    let words = if seals.is_empty() {
        format!("batch provide {id} --doc-no NO")
    } else {
        format!("batch provide {id}")
    };
    let task = Task::batch(TaskCode::ProvideBatch, Act::Provide, id, row).by(&[words]);
    let before: Vec<&str> = seals.iter().map(|one| one.by.as_str()).collect();
    let except = Some(before.join(", ")).filter(|names| !names.is_empty());
    Task { roles: vec![seal.role()], except, ..task }
}

/// A comparison that the policy asks for, or one that did not match.
fn compare(given: &Given<'_>, id: BatchId, row: &Batch) -> Option<Task> {
    let policy = given.rules.policy_for(&row.link, &row.facts.policy);
    let asked = policy.is_some_and(|policy| policy.further.intake.compare.is_some());
    match given.view.intake_of(id).and_then(|done| done.compared.as_ref()) {
        Some(made) if made.passes() => None,
        Some(made) => {
            let words = [
                format!("batch accept {id} --reason TEXT"),
                format!("batch compare {id} --applied N --result match"),
            ];
            let task = Task::batch(TaskCode::DecideMismatch, Act::DecideUse, id, row).by(&words);
            Some(Task { except: Some(made.by.clone()), since: Some(made.mark.at), ..task })
        }
        None => asked.then(|| {
            let words = [format!("batch compare {id}")];
            Task::batch(TaskCode::CompareBatch, Act::Use, id, row).by(&words)
        }),
    }
}

/// Units that have completed their use of a batch and said nothing of the need to keep it, or whose need is over.
pub(super) fn needs(
    given: &Given<'_>,
    (id, row): (BatchId, &Batch),
    completions: &Completions,
) -> Vec<Task> {
    let stands = given.view.stands_of(id, row, completions);
    let asked = |stand: &&crate::domain::view::Stand| match &stand.keep {
        Some(keep) => keep.until < given.now,
        None => stand.completed.is_some() && stand.no_need.is_none(),
    };
    let task = |stand: &crate::domain::view::Stand| {
        let unit = stand.unit.as_ref().map(|unit| format!(" --unit {unit}")).unwrap_or_default();
        let words = [
            format!("use no-need {id}{unit}"),
            format!("use keep {id}{unit} --reason TEXT --until DATE"),
        ];
        Task::batch(TaskCode::StateNoNeed, Act::Use, id, row).by(&words)
    };
    stands.iter().filter(asked).map(task).collect()
}
