//! Deputies (職務代理人): somebody acts for an office with the own key, for the days of the appointment, and the entry says so.
//!
//! The role comes by the appointment and is never part of the account: after the last day nobody has to take it away. Who was
//! asked, and who may not decide on his own, goes by the person and not by the office, so that standing in for somebody makes
//! nobody two people.

use super::{Actor, Command, Service, command::Declared, handing::HandoverAct};
use crate::domain::{
    accounts::Act,
    entry::{HoldScope, Statement},
    ids::{AccessOrderId, BatchId, CopyId, GrantId, OrderId},
    on_paper::Subject,
    view::View,
};

impl Service {
    /// What somebody may do at this moment, also for whom he stands in, and whether it is for him that he does this.
    pub(super) fn standing_in(&self, mut actor: Actor, act: Act, links: &[String]) -> Actor {
        let (view, now) = (&self.engine.view, self.now());
        let own = &actor.facts.roles;
        let office = view.deputyships(&actor.facts.name, now).find(|(_, row)| {
            let role = row.terms.post.role();
            row.stands_in(links) && act.roles().contains(&role) && !own.contains(&role)
        });
        // Where the role of his own would do he acts for himself; unless a policy names which of the roles it is.
        let needed = !act.allowed_to(own) || act.is_of_an_office();
        actor.deputy = office.map(|(id, _)| id).filter(|_| needed);
        actor.facts.roles = view.roles_at(&actor.facts, links, now);
        actor
    }
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
