//! What waits about people: appointments and reviews for a second person, custody for who takes it over.

use super::{
    AlarmCode, Given,
    alarms::Found,
    tasks::{Task, TaskCode},
};
use crate::domain::{accounts::Act, view::Mark};

/// Rights that should have ended, and stand because nobody else could give any.
pub(super) fn alarms(given: &Given<'_>, found: &mut Found) {
    let view = given.view;
    for (uid, since) in shared(given) {
        found.add(AlarmCode::SharedUser, None, Some(since.at), Some(format!("uid-{uid}")));
    }
    for row in view.people.changes.values().filter(|row| row.carried.is_none()) {
        if row.on < given.now && view.account(&row.name).is_some() && view.admins() < 2 {
            found.add(AlarmCode::RightsStand, None, Some(row.on), Some(row.name.clone()));
        }
    }
}

/// System users that sign with several people's keys, where the configuration does not say why.
fn shared<'g>(given: &Given<'g>) -> impl Iterator<Item = (u32, Mark)> + 'g {
    let (seats, named) = (given.view.seats.iter(), &given.rules.shared_users);
    let seats = seats.filter(|(uid, _)| !named.contains_key(uid));
    seats.filter_map(|(uid, _)| Some((uid, given.view.seat(uid)?.shared()?)))
}

/// Every act that is missing.
pub(super) fn of(given: &Given<'_>) -> Vec<Task> {
    let (people, now) = (&given.view.people, given.now);
    let mut tasks = Vec::new();
    let open = people.appointments.iter().filter(|(_, row)| !row.is_over(now));
    for (id, row) in open {
        let link = row.terms.link.clone();
        match &row.confirmed {
            None => {
                let words = [format!("appointment confirm {id}")];
                let act = Act::ConfirmAdministration;
                let task = Task::of(TaskCode::ConfirmAppointment, act, id).by(&words);
                let (except, since) = (Some(row.by.clone()), Some(row.proposed.at));
                tasks.push(Task { except, since, link, ..task });
            }
            Some((_, confirmed)) if row.begins().is_none() => {
                let named = link.clone().unwrap_or_else(|| "all".to_owned());
                let to = &row.terms.name;
                let words = [format!("appointment hand-over --link {named} --to {to}")];
                let task = Task::of(TaskCode::TakeCustody, Act::Look, id).by(&words);
                let (account, since) = (Some(to.clone()), Some(confirmed.at));
                tasks.push(Task { account, since, link, ..task });
            }
            Some(_) => {}
        }
    }
    if let Some(review) = people.reviews.values().next_back().filter(|r| r.confirmed.is_none()) {
        let words = ["account review --confirm".to_owned()];
        let task = Task::of(TaskCode::ConfirmReview, Act::ReviewAccounts, &"accounts").by(&words);
        let (except, since) = (Some(review.by.clone()), Some(review.mark.at));
        tasks.push(Task { except, since, ..task });
    }
    for (uid, since) in shared(given) {
        let waits = given.view.seats.get(uid).and_then(|seat| seat.proposal.as_ref());
        let task = match waits {
            None => Task::of(TaskCode::AcknowledgeSharedUser, Act::Anchor, &uid)
                .by(&[format!("account acknowledge {uid} --reason TEXT")]),
            Some(_) => Task::of(TaskCode::ConfirmSharedUser, Act::ConfirmAnchor, &uid)
                .by(&[format!("account acknowledge {uid} --confirm")]),
        };
        let except = waits.map(|waits| waits.by.clone());
        tasks.push(Task { except, since: Some(since.at), ..task });
    }
    tasks
}
