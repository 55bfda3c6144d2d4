//! Deputies (職務代理人): somebody acts for an office with the own key, for the days of the appointment, and the entry says so.
//!
//! The role comes by the appointment and is never part of the account: after the last day nobody has to take it away. Who was
//! asked, and who may not decide on his own, goes by the person and not by the office, so that standing in for somebody makes
//! nobody two people (`separation.rs` holds that).

mod links;

use super::{
    Actor, Command, Service, amending::RegisterAct, applications::LinkAct, intake::IntakeAct,
};
use crate::domain::{
    accounts::{Act, Role},
    on_paper::Subject,
};

pub(super) use links::links_of;

impl Service {
    /// What somebody may do at this moment, also for whom he stands in, and whether it is for him that he does this.
    pub(super) fn standing_in(
        &self,
        mut actor: Actor,
        act: Act,
        wanted: &[Role],
        links: &[String],
    ) -> Actor {
        let (view, now) = (&self.engine.view, self.now());
        let own = &actor.facts.roles;
        let office = view.deputyships(&actor.facts.name, now).find(|(_, row)| {
            let role = row.terms.post.role();
            row.stands_in(links) && wanted.contains(&role) && !own.contains(&role)
        });
        // Where the role of his own would do he acts for himself; unless a policy names which of the roles it is, and nothing
        // said it before.
        let open = act.is_of_an_office() && wanted == act.roles();
        let needed = open || !own.iter().any(|role| wanted.contains(role));
        // No role is lent to an act whose entry would not say by which appointment.
        if let Some((id, row)) = office.filter(|_| needed) {
            actor.facts.roles.push(row.terms.post.role());
            actor.deputy = Some(id);
        }
        actor
    }

    /// The roles of which one is needed for a command by somebody: those of its act, unless what it is about says which.
    pub(super) fn roles_for(&self, command: &Command, name: &str) -> Vec<Role> {
        let view = &self.engine.view;
        let narrowed = match command {
            Command::Intake { act } => match **act {
                IntakeAct::Provide { batch, .. } => {
                    let row = view.batches.get(&batch);
                    let seal = row.and_then(|row| view.next_seal(batch, &row));
                    seal.map(|seal| vec![seal.role()])
                }
                _ => None,
            },
            Command::Link { act } => match &**act {
                // Who signs for an office is of that office, by his own role or by standing in for somebody of it.
                LinkAct::Countersign { office, .. } => Some(office.roles().to_vec()),
                LinkAct::Refuse { link, .. } => {
                    let row = view.waiting_application(link);
                    let missing = row.map(|(_, row)| row.missing()).unwrap_or_default();
                    let roles = missing.iter().flat_map(|office| office.roles()).copied();
                    Some(roles.collect::<Vec<_>>()).filter(|roles| !roles.is_empty())
                }
                _ => None,
            },
            Command::DestroyCancel { order, .. } => {
                let others = view.orders.get(order).is_some_and(|row| row.by != name);
                others.then(|| vec![Role::Supervisor])
            }
            // Closing papers are a supervisor's, and what was typed of a decision is not.
            Command::DestroyConfirm { order } => self
                .typed(Subject::Order(*order))
                .is_none()
                .then(|| Act::ConfirmPapers.roles().to_vec()),
            Command::Register { act } => match **act {
                RegisterAct::Confirm { amendment } => {
                    let row = view.amendments.get(&amendment);
                    let decided = row.and_then(|row| view.decided_on(&row.what));
                    decided.map(|(act, _)| act.roles().to_vec())
                }
                _ => None,
            },
            _ => None,
        };
        narrowed.unwrap_or_else(|| command.act().roles().to_vec())
    }
}
