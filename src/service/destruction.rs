//! Destruction: requested by one person, approved by another, held by a third.
//!
//! It is over 500 lines because the whole life of an order is one part.

use super::{Actor, Reply, Result, Service, administration::second_person, stated};
use crate::{
    domain::{
        accounts::Role,
        calendar,
        entry::{Body, Exception, OrderCancelled, OrderedCopy},
        ids::{BatchId, CopyId, OrderId},
        lifecycle::{BatchState, CopyState, OrderState},
        manifest::Kind,
        policy::Destroy,
        time::{Period, Timestamp},
        view::{CopyKind, Order, Row},
    },
    engine::standing::{ORDER_STANDS, policies_of},
    error::{Error, Exit},
};

/// A copy that an order leaves out.
pub(super) struct Left {
    pub(super) copy: CopyId,
    pub(super) owner: String,
    pub(super) until: Timestamp,
    pub(super) reason: String,
}

/// An order that this cannot be done with, in the state that it is in.
fn in_state(id: OrderId, state: OrderState) -> Error {
    let hint = match state {
        OrderState::Requested => format!(
            "a supervisor runs 'batchward destroy approve {id}' or 'batchward destroy deny {id} --reason TEXT'"
        ),
        OrderState::Approved => {
            "the agent carries it out; 'batchward destroy list' tells how far it is".to_owned()
        }
        OrderState::Denied | OrderState::Voided | OrderState::Stopped => {
            "what is left of it needs a new order: 'batchward destroy request'".to_owned()
        }
        OrderState::Executed => {
            "the agent makes its certificate; 'batchward status' tells what it waits for".to_owned()
        }
        OrderState::Certified => format!("'batchward certificate show {id}' prints the proof"),
    };
    Error::usage(format!("'{id}' is {state}")).hint(hint)
}

impl Service {
    pub(super) fn order(&self, order: OrderId) -> Result<Row<'_, Order>> {
        self.engine.view.orders.get(&order).ok_or_else(|| {
            Error::usage(format!("there is no order '{order}'"))
                .hint("'batchward destroy list' shows the orders")
        })
    }

    /// What an order over a batch covers: everything of a batch that is due, or the transfer files that are.
    fn scope(&self, batch: BatchId) -> Result<Vec<OrderedCopy>> {
        let row = self.row(batch)?;
        let files_only = match (row.state, row.due) {
            (BatchState::Due, _) => false,
            (BatchState::Loaded, Some((_, false))) => true,
            _ => {
                return Err(Error::usage(format!("'{batch}' is {}: nothing of it is due", row.state)).hint(
                    "a loaded batch comes due by 'use complete' and 'use no-need'; a quarantined one by 'batch reject'",
                ));
            }
        };
        if !files_only {
            self.undepended(batch)?;
        }
        self.none_in_the_making(batch)?;
        if !files_only {
            self.none_under_another_order(batch)?;
        }
        let mut copies: Vec<(CopyKind, OrderedCopy)> = self
            .engine
            .view
            .copies_of(batch)
            .filter(|(_, c)| c.state.is_there() && row.due_covers(!files_only, c.kind))
            .map(|(copy, c)| {
                (c.kind, OrderedCopy { copy, batch, digest: c.sha256, bytes: c.bytes })
            })
            .collect();
        // The loaded data first, the record that names the files last.
        copies.sort_by_key(|(kind, copy)| {
            let rank = match kind {
                CopyKind::Vault => 0,
                CopyKind::Transfer => 1,
                CopyKind::Held(_) => 2,
                CopyKind::Case => 3,
            };
            (rank, copy.copy)
        });
        if copies.is_empty() {
            return Err(Error::usage(format!("no copy of '{batch}' is left to destroy")));
        }
        Ok(copies.into_iter().map(|(_, copy)| copy).collect())
    }

    /// A copy that somebody may be making right now would outlive the order.
    fn none_in_the_making(&self, batch: BatchId) -> Result<()> {
        let asked = self.engine.view.copies_of(batch).find(|(_, row)| {
            let unmade = matches!(row.state, CopyState::Requested | CopyState::Planned);
            row.kind.is_held() && unmade
        });
        let Some((copy, row)) = asked else { return Ok(()) };
        let error = Error::usage(format!("'{copy}' of '{batch}' is {}", row.stands()));
        Err(if row.state == CopyState::Requested {
            error.hint(format!(
                "'batchward copy deny {copy} --reason TEXT' or 'batchward copy withdraw {copy} --reason TEXT' ends the wish to make it"
            ))
        } else {
            error.hint(format!(
                "'batchward copy declare {copy}' makes known that it is there, 'batchward copy withdraw {copy}' that it is not made"
            ))
        })
    }

    /// An order over the whole names every copy that is left: one that another order covers would be nobody's, and the
    /// batch would never be destroyed.
    fn none_under_another_order(&self, batch: BatchId) -> Result<()> {
        let view = &self.engine.view;
        let taken = view.copies_of(batch).find(|(_, row)| row.state == CopyState::Condemned);
        let Some((copy, _)) = taken else { return Ok(()) };
        let mut orders = view.orders.loose().filter(|(_, one)| one.state == OrderState::Approved);
        let order = orders.find(|(_, one)| one.is_open_over(copy)).map(|(id, _)| id);
        let Some(order) = order else { return Ok(()) };
        Err(Error::usage(format!("'{copy}' of '{batch}' goes under '{order}', which is not carried out yet"))
            .hint(format!("request it when that is done, or stop that one: 'batchward destroy cancel {order} --reason TEXT'")))
    }

    /// Copies that somebody chose: those that people keep, of any batch in any state.
    fn chosen(&self, batch: BatchId, copies: &[CopyId]) -> Result<Vec<OrderedCopy>> {
        let mut chosen = Vec::with_capacity(copies.len());
        for id in copies {
            let row = self.engine.view.copies.get(id).filter(|row| row.batch == batch);
            let row = row.ok_or_else(|| {
                Error::usage(format!("'{id}' is no copy of '{batch}'"))
                    .hint(format!("'batchward copy list {batch}' shows them"))
            })?;
            if !row.kind.is_held() {
                return Err(Error::usage(format!("'{id}' is kept by the agent"))
                    .hint("it goes with its batch; only what people keep can be chosen"));
            }
            if !row.state.is_there() {
                return Err(Error::usage(format!("'{id}' is {}", row.state)));
            }
            chosen.push(OrderedCopy { copy: *id, batch, digest: row.sha256, bytes: row.bytes });
        }
        chosen.sort_by_key(|copy| copy.copy);
        chosen.dedup_by_key(|copy| copy.copy);
        Ok(chosen)
    }

    /// A full file carries the change files after it: while one of them is in use, it stays.
    fn undepended(&self, batch: BatchId) -> Result<()> {
        let row = self.row(batch)?;
        let full = row.manifest.as_ref().is_some_and(|manifest| manifest.kind == Kind::Full);
        if !full || !row.ever_loaded() {
            return Ok(());
        }
        // A newer one that waits for its seals carries nothing yet.
        let view = &self.engine.view;
        let bases = [view.newest_full(&row.link), view.newest_open_full(&row.link)];
        if !bases.contains(&Some(batch)) {
            return Ok(());
        }
        let dependents: Vec<String> = self
            .engine
            .view
            .batches_in(BatchState::Loaded)
            .filter(|(_, other)| other.link == row.link)
            .filter(|(id, other)| {
                *id > batch && other.manifest.as_ref().is_some_and(|m| m.kind == Kind::Delta)
            })
            .map(|(id, _)| id.to_string())
            .collect();
        if dependents.is_empty() {
            return Ok(());
        }
        Err(Error::refused(format!(
            "change files in use depend on '{batch}': {}",
            dependents.join(", ")
        ))
        .hint("state that they are no longer needed too, then request the destruction again"))
    }

    pub(super) fn destroy_request(
        &mut self,
        actor: &Actor,
        batch: BatchId,
        copies: &[CopyId],
        reason: String,
    ) -> Result<Reply> {
        stated("the reason", &reason)?;
        let chosen = !copies.is_empty();
        let copies = if chosen { self.chosen(batch, copies)? } else { self.scope(batch)? };
        self.kept_long_enough(&copies)?;
        self.unheld(copies.iter().map(|c| c.batch))?;
        let approvers =
            self.rule_for(&copies, "request", actor, |rules| &rules.requesters.value)?;
        let asked = self.engine.view.orders.loose().find(|(_, order)| {
            matches!(order.state, OrderState::Requested | OrderState::Approved)
                && order.copies == copies
        });
        if let Some((id, _)) = asked {
            return Err(Error::usage(format!("'{id}' asks for this already")));
        }
        let order = self.engine.view.next_order();
        let now = self.engine.ports.clock.now();
        let count = copies.len();
        let body = Body::OrderRequested {
            order,
            copies,
            reason,
            policy: self.engine.rules.policies_digest,
            expires: ORDER_STANDS.after(now, self.engine.rules.zone),
            approvers: Some(approvers).filter(|count| *count > 1),
            standing: None,
            chosen,
            signed: actor.signed.clone(),
        };
        self.record(actor, body)?;
        let message = if approvers > 1 {
            format!("'{order}' covers {count} copies and waits for two approvals")
        } else {
            format!("'{order}' covers {count} copies and waits for a supervisor")
        };
        Ok(Reply::new(&order, message)
            .next(format!("a supervisor runs 'batchward destroy approve {order}'")))
    }

    /// Whether the policies of all batches let one of the actor's roles do this; how many must approve.
    pub(super) fn rule_for(
        &self,
        copies: &[OrderedCopy],
        act: &str,
        actor: &Actor,
        roles: impl Fn(&Destroy) -> &Vec<Role>,
    ) -> Result<u32> {
        let mut approvers = 1;
        for copy in copies {
            let row = self.row(copy.batch)?;
            let policy = &row.facts.policy;
            let policy = self.engine.rules.policy_for(&row.link, policy).ok_or_else(|| {
                Error::new(Exit::Config, format!("the policy '{policy}' is not there any more"))
            })?;
            let allowed = roles(&policy.destroy);
            if !actor.facts.roles.iter().any(|role| allowed.contains(role)) {
                let words: Vec<_> = allowed.iter().map(|role| role.word()).collect();
                return Err(Error::refused(format!(
                    "'{}' may not {act} a destruction under '{}'",
                    actor.name(),
                    policy.name
                ))
                .hint(format!("this needs one of the roles: {}", words.join(", "))));
            }
            approvers = approvers.max(policy.destroy.approvers.value);
        }
        Ok(approvers)
    }

    /// Whether loaded data were kept for as long as their policy asks for at least; transfer files are none, and what was
    /// never loaded has no such time.
    fn kept_long_enough(&self, copies: &[OrderedCopy]) -> Result<()> {
        let view = &self.engine.view;
        let vault = |copy: &&OrderedCopy| {
            view.copies.get(&copy.copy).is_some_and(|row| row.kind == CopyKind::Vault)
        };
        for copy in copies.iter().filter(vault) {
            let row = self.row(copy.batch)?;
            let Some((until, clause)) = self.engine.kept_at_least(&row) else { continue };
            if self.now() <= until {
                let (batch, end) = (copy.batch, calendar::end(until, self.engine.rules.zone));
                return Err(Error::refused(format!("'{batch}' is kept until {end} at least ({clause})"))
                    .hint("'data.min_keep' of its policy says so; only an exception with a document shortens it"));
            }
        }
        Ok(())
    }

    fn unheld(&self, batches: impl Iterator<Item = BatchId>) -> Result<()> {
        for batch in batches {
            if let Some(hold) = self.engine.view.hold_on(batch) {
                return Err(Error::refused(format!(
                    "the hold '{hold}' forbids destroying '{batch}'"
                )));
            }
        }
        Ok(())
    }

    pub(super) fn destroy_approve(&mut self, actor: &Actor, id: OrderId) -> Result<Reply> {
        self.approvable(actor, id)?;
        let not_before = self.cooled_by_one_more(id)?;
        let signed = actor.decision()?;
        self.record(actor, Body::OrderApproved { order: id, not_before, signed })?;
        self.approved(id)
    }

    /// Before when nothing is wiped, where one more approval makes the order count.
    pub(super) fn cooled_by_one_more(&self, id: OrderId) -> Result<Option<Timestamp>> {
        let order = self.order(id)?;
        let last = order.approvals.len() + 1 >= order.approvers as usize;
        Ok(if last { self.cooled(&order) } else { None })
    }

    /// Whether somebody may approve an order now, by a signature or on paper.
    pub(super) fn approvable(&self, actor: &Actor, id: OrderId) -> Result<()> {
        let order = self.order(id)?;
        if order.by == actor.name() {
            return Err(second_person("approve this order"));
        }
        if order.state != OrderState::Requested {
            return Err(in_state(id, order.state));
        }
        if order.approvals.iter().any(|(by, _)| by == actor.name()) {
            return Err(second_person("approve this order as well"));
        }
        if self.engine.ports.clock.now() > order.expires {
            return Err(Error::refused(format!(
                "'{id}' expired {}",
                calendar::end(order.expires, self.engine.rules.zone)
            )));
        }
        self.rule_for(&order.copies, "approve", actor, |rules| &rules.approver_roles.value)?;
        self.unheld(order.copies.iter().map(|c| c.batch))?;
        self.unchanged(id, &order)?;
        self.kept_long_enough(&order.copies)
    }

    /// What is approved is what was requested: a copy that came or went since, or another policy, voids it.
    pub(super) fn unchanged(&self, id: OrderId, order: &Order) -> Result<()> {
        let same = order.copies.iter().all(|c| {
            self.engine.view.copies.get(&c.copy).is_some_and(|row| {
                row.state.is_there() && row.sha256 == c.digest && row.bytes == c.bytes
            })
        });
        // A batch that came due meanwhile has more that must go: an order over its files alone is not the one it needs.
        let mut batches: Vec<BatchId> = order.copies.iter().map(|c| c.batch).collect();
        batches.dedup();
        let mut scope = Vec::new();
        if !order.chosen {
            for batch in batches {
                scope.extend(self.scope(batch)?);
            }
        }
        let whole = order.chosen || scope == order.copies;
        if same && whole && order.policy == self.engine.rules.policies_digest {
            return Ok(());
        }
        Err(Error::refused(format!("what '{id}' covers has changed since it was requested"))
            .hint("deny it and request the destruction again"))
    }

    /// Before when nothing is wiped, where the policies give time to think again.
    fn cooled(&self, order: &Order) -> Option<Timestamp> {
        let (view, rules) = (&self.engine.view, &self.engine.rules);
        let now = self.engine.ports.clock.now();
        let periods = policies_of(view, rules, order).map(|p| p.destroy.cooling_off.value);
        let periods = periods.filter(|period| *period != Period::ZERO);
        periods.map(|period| period.after(now, rules.zone)).max()
    }

    /// Whether a copy of an order waits for the people who keep it.
    fn by_people(&self, order: OrderId, copy: CopyId) -> bool {
        let open = self.order(order).is_ok_and(|order| order.is_open_over(copy));
        open && self.engine.view.copies.get(&copy).is_some_and(|row| row.kind.is_held())
    }

    pub(super) fn approved(&self, id: OrderId) -> Result<Reply> {
        let order = self.order(id)?;
        let zone = self.engine.rules.zone;
        Ok(match order.state {
            OrderState::Certified => Reply::new(&id, format!("'{id}' is carried out"))
                .next(format!("'batchward certificate show {id}' prints the proof")),
            OrderState::Requested => {
                Reply::new(&id, format!("'{id}' has one approval and needs another"))
                    .next(format!("another supervisor runs 'batchward destroy approve {id}'"))
            }
            _ if let Some(from) = order.not_before.filter(|at| *at > self.now()) => {
                let from = calendar::time(from, zone);
                let message = format!("'{id}' is approved; nothing is wiped before {from}");
                Reply::new(&id, message).next(format!(
                    "until then 'batchward destroy cancel {id} --reason TEXT' stops it"
                ))
            }
            _ if order.copies.iter().any(|one| self.by_people(id, one.copy)) => {
                let message = format!("'{id}' is approved; people destroy what they keep of it");
                Reply::new(&id, message).next("'batchward copy list' shows what is left; who destroys one runs 'batchward media record COPY --method METHOD --place TEXT --performer NAME'")
            }
            state => {
                let notes = self.engine.notes.join("; ");
                let message = format!("'{id}' is {state}; the agent goes on with it: {notes}");
                Reply::new(&id, message)
                    .next("'batchward destroy list' tells how far it is, 'batchward status' what it waits for")
            }
        })
    }

    pub(super) fn destroy_deny(
        &mut self,
        actor: &Actor,
        id: OrderId,
        reason: String,
    ) -> Result<Reply> {
        self.deniable(actor, id)?;
        stated("the reason", &reason)?;
        self.record(actor, Body::OrderDenied { order: id, reason, signed: actor.decision()? })?;
        Ok(Reply::new(&id, format!("'{id}' is denied")))
    }

    /// Whether somebody may deny an order now, by a signature or on paper.
    pub(super) fn deniable(&self, actor: &Actor, id: OrderId) -> Result<()> {
        let order = self.order(id)?;
        if order.by == actor.name() {
            return Err(second_person("decide on this order"));
        }
        if order.state != OrderState::Requested {
            return Err(in_state(id, order.state));
        }
        self.rule_for(&order.copies, "decide on", actor, |rules| &rules.approver_roles.value)?;
        Ok(())
    }

    /// Stops an order. What was wiped under it gets its certificate; the rest stays.
    pub(super) fn destroy_cancel(
        &mut self,
        actor: &Actor,
        id: OrderId,
        reason: String,
    ) -> Result<Reply> {
        stated("the reason", &reason)?;
        let order = self.order(id)?;
        if !matches!(order.state, OrderState::Requested | OrderState::Approved) {
            return Err(in_state(id, order.state));
        }
        if order.by != actor.name() && !actor.facts.roles.contains(&Role::Supervisor) {
            return Err(Error::refused(format!("'{id}' is another person's request"))
                .hint("who requested it takes it back, or a supervisor cancels it"));
        }
        if self.engine.progress().iter().any(|job| job.order == Some(id)) {
            return Err(Error::new(Exit::Later, format!("a copy of '{id}' is being overwritten"))
                .hint("try again in a moment; a hold stops it before the next copy"));
        }
        let unreadable = self.engine.left_unreadable(id)?;
        let signed = actor.signed.clone();
        let stop = OrderCancelled { order: id, reason, unreadable, signed };
        self.record(actor, Body::OrderCancelled(stop))?;
        let order = self.order(id)?;
        let left = order.open_copies();
        let message = if order.gone() == 0 {
            format!("'{id}' is cancelled, nothing was wiped")
        } else {
            format!("'{id}' is stopped: {} copies are gone, {left} stay", order.gone())
        };
        Ok(Reply::new(&id, message))
    }

    /// Leaves a copy out that nobody can reach; the batch stays open for it.
    pub(super) fn destroy_except(
        &mut self,
        actor: &Actor,
        id: OrderId,
        left: Left,
    ) -> Result<Reply> {
        let Left { copy, owner, until, reason } = left;
        stated("the reason", &reason)?;
        let order = self.order(id)?;
        if order.state != OrderState::Approved {
            return Err(Error::usage(format!("'{id}' is {}", order.state))
                .hint("a copy is left out of an order that is approved and not carried out yet"));
        }
        self.rule_for(&order.copies, "decide on", actor, |rules| &rules.approver_roles.value)?;
        if order.by == actor.name() {
            return Err(second_person("leave a copy out of this order"));
        }
        let row = self.engine.view.copies.get(&copy);
        let open = row.as_ref().is_some_and(|row| row.state == CopyState::Condemned);
        if !open || !order.is_open_over(copy) {
            return Err(Error::usage(format!("'{copy}' is no open copy of '{id}'")));
        }
        if row.is_some_and(|row| row.kind == CopyKind::Case) {
            return Err(Error::usage(format!("'{copy}' is the record of its batch"))
                .hint("it goes last by itself, and stays while anything else is left"));
        }
        if self.engine.view.account(&owner).is_none() {
            return Err(Error::usage(format!("there is no active account '{owner}'")));
        }
        if until <= self.now() {
            return Err(Error::usage("the date is past"));
        }
        if self.engine.progress().iter().any(|job| job.order == Some(id)) {
            return Err(Error::new(Exit::Later, format!("a copy of '{id}' is being overwritten"))
                .hint("try again in a moment"));
        }
        let signed = actor.signed.clone();
        let exception = Exception { order: id, copy, owner: owner.clone(), until, reason, signed };
        self.record(actor, Body::CopyExcepted(exception))?;
        let by = calendar::end(until, self.engine.rules.zone);
        let message = format!("'{copy}' is left out of '{id}'; '{owner}' brings it back by {by}");
        Ok(Reply::new(&copy, message).next(
            "the batch stays due; once the copy is back, 'batchward destroy request' covers it",
        ))
    }
}
