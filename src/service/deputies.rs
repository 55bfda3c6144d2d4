//! Deputies (職務代理人): somebody acts for an office with the own key, for the days of the appointment, and the entry says so.
//!
//! The role comes by the appointment and is never part of the account: after the last day nobody has to take it away. Who was
//! asked, and who may not decide on his own, goes by the person and not by the office, so that standing in for somebody makes
//! nobody two people.

use super::{
    Actor, Command, Result, Service, amending::RegisterAct, command::Declared,
    handing::HandoverAct, intake::IntakeAct,
};
use crate::{
    domain::{
        accounts::{Act, Role},
        entry::{HoldScope, Statement},
        ids::{AccessOrderId, BatchId, CopyId, GrantId, OrderId},
        on_paper::Subject,
        view::{Decided, View},
    },
    error::Error,
};

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
        // Where the role of his own would do he acts for himself; unless a policy names which of the roles it is.
        let needed = !own.iter().any(|role| wanted.contains(role)) || act.is_of_an_office();
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

    /// Nobody decides for somebody who asked for it, or who has decided on it already: an office is one.
    pub(super) fn not_for_a_party(&self, actor: &Actor, command: &Command) -> Result<()> {
        let view = &self.engine.view;
        let Some(decided) = decided_by(command) else { return Ok(()) };
        let of =
            actor.deputy.and_then(|id| view.principal(id)).filter(|of| view.party(decided, of));
        // Neither does who comes back, after his deputy has.
        let again = || view.stood_in_for(decided, actor.name()).then(|| actor.name());
        let Some(name) = of.or_else(again) else { return Ok(()) };
        Err(Error::refused(format!(
            "this was asked for or decided by '{name}', or for them, and is not decided for them again"
        ))
        .hint("nobody decides alone; ask somebody who stands in for neither"))
    }
}

/// What a command decides on, where who has a part in it may not.
fn decided_by(command: &Command) -> Option<Decided> {
    Some(match command {
        Command::DestroyApprove { order } | Command::DestroyDeny { order, .. } => {
            Decided::On(Subject::Order(*order))
        }
        Command::GrantApprove { grant } | Command::GrantDeny { grant, .. } => {
            Decided::On(Subject::Grant(*grant))
        }
        Command::CopyApprove { copy, .. } | Command::CopyDeny { copy, .. } => {
            Decided::On(Subject::Copy(*copy))
        }
        Command::Intake { act } => match **act {
            IntakeAct::Provide { batch, .. } => Decided::Seal(batch),
            _ => return None,
        },
        _ => return None,
    })
}

/// The links that a command concerns; none where that is not known, and then no deputy for one link may do it.
pub(super) fn links_of(view: &View, command: &Command) -> Vec<String> {
    let link = match command {
        Command::Link { act } => Some(act.link().to_owned()),
        Command::Baseline { link, .. }
        | Command::BaselineConfirm { link }
        | Command::AccessRequest { link, .. }
        | Command::GrantApply { link, .. }
        | Command::HoldPlace { scope: HoldScope::Link(link), .. } => Some(link.clone()),
        Command::HoldPlace { scope: HoldScope::Batch(batch), .. } => of_batch(view, *batch),
        Command::GrantApprove { grant }
        | Command::CopyOut { grant, .. }
        | Command::GrantDeny { grant, .. }
        | Command::GrantRevoke { grant }
        | Command::UseComplete { grant } => of_grant(view, *grant),
        Command::AccessApprove { order } | Command::AccessDeny { order, .. } => {
            of_access(view, *order)
        }
        Command::DestroyApprove { order }
        | Command::DestroyDeny { order, .. }
        | Command::DestroyCancel { order, .. }
        | Command::DestroyExcept { order, .. }
        | Command::DestroyClose { order, .. }
        | Command::DestroyConfirm { order } => return of_order(view, *order),
        Command::KeySubmit { batch, .. }
        | Command::BatchRetry { batch }
        | Command::BatchRelease { batch, .. }
        | Command::BatchReject { batch, .. }
        | Command::UseFiled { batch, .. }
        | Command::CopyRequest { batch, .. }
        | Command::CopyDeclare { of: Declared::Batch(batch), .. }
        | Command::DestroyRequest { batch, .. } => of_batch(view, *batch),
        Command::CopyApprove { copy, .. }
        | Command::CopyDeny { copy, .. }
        | Command::CopyWithdraw { copy, .. }
        | Command::CopyDeclare { of: Declared::Copy(copy), .. }
        | Command::CopyMove { copy, .. }
        | Command::MediaRecord { copy, .. }
        | Command::MediaConfirm { copy } => of_copy(view, *copy),
        Command::Handover { act } => of_handover(view, act),
        Command::Intake { act } => of_batch(view, act.batch()),
        Command::EndUse { act } => match act.statement() {
            Statement::Grant(grant) => of_grant(view, grant),
            Statement::Batch { batch, .. } => of_batch(view, batch),
        },
        Command::OnPaper { act } => match act.subject() {
            Subject::Order(order) => return of_order(view, order),
            Subject::Grant(grant) => of_grant(view, grant),
            Subject::Copy(copy) => of_copy(view, copy),
        },
        _ => None,
    };
    link.into_iter().collect()
}

/// The link of a grant.
pub(super) fn of_grant(view: &View, grant: GrantId) -> Option<String> {
    view.grants.get(&grant).map(|row| row.terms.link.clone())
}

fn of_batch(view: &View, batch: BatchId) -> Option<String> {
    view.batches.get(&batch).map(|row| row.link.to_string())
}

fn of_copy(view: &View, copy: CopyId) -> Option<String> {
    let batch = view.copies.get(&copy)?.batch;
    of_batch(view, batch)
}

fn of_access(view: &View, order: AccessOrderId) -> Option<String> {
    view.access_orders.get(&order).map(|row| row.link.clone())
}

fn of_handover(view: &View, act: &HandoverAct) -> Option<String> {
    let handover = act.handover()?;
    view.handovers.get(&handover).map(|row| row.terms.link.clone())
}

/// Every link that an order destroys something of.
fn of_order(view: &View, order: OrderId) -> Vec<String> {
    let Some(row) = view.orders.get(&order) else { return Vec::new() };
    let mut links: Vec<String> =
        row.copies.iter().filter_map(|copy| of_batch(view, copy.batch)).collect();
    links.sort_unstable();
    links.dedup();
    links
}
