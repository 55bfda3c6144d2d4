//! The copy inventory: copies that people make and keep, from the wish to make one to the word of two people that it is
//! gone (DESIGN 2, invariant 4; TY-4.2.3, TY-4.2.4, TY-4.3.3, TPH-5.7).
//!
//! What exists is always taken down, also where nobody approved it: it is told as that, and stays until it is gone.

use super::{Actor, Reply, Result, Service, administration::second_person, stated};
use crate::{
    domain::{
        calendar,
        entry::{
            Body, CopyApproved, CopyDeclared, CopyDenied, CopyMoved, CopyWithdrawn, EndConfirmed,
            EndFacts, EndRecorded, Filed, HeldFacts, KeptAt, Signed,
        },
        ids::{BatchId, CopyId, OrderId},
        inventory::{self, HeldKind, Medium},
        lifecycle::{BatchState, CopyState, OrderState},
        policy::{ClockStart, CopyApproval},
        time::Timestamp,
        view::{CopyKind, CopyRow, Held, Row},
    },
    error::{Error, Exit},
    service::command::Declared,
};

/// A copy that somebody asks to make.
pub(super) struct Wish {
    pub(super) batch: BatchId,
    pub(super) kind: HeldKind,
    pub(super) medium: Medium,
    pub(super) reason: String,
    pub(super) delete_by: Option<Timestamp>,
    /// Who will keep it and where, of a file that the agent writes.
    pub(super) kept: Option<KeptAt>,
}

impl Service {
    /// A copy that people keep.
    pub(super) fn held(&self, copy: CopyId) -> Result<(Row<'_, CopyRow>, Held)> {
        let row = self.engine.view.copies.get(&copy).ok_or_else(|| {
            Error::usage(format!("there is no copy '{copy}'"))
                .hint("'batchward copy list' shows the copies")
        })?;
        let held = row.held.as_deref().cloned().ok_or_else(|| {
            Error::usage(format!("'{copy}' is kept by the agent"))
                .hint("it goes with its batch: 'batchward destroy request'")
        })?;
        Ok((row, held))
    }

    fn copy_rule(&self, batch: BatchId) -> Result<(CopyApproval, String)> {
        let row = self.row(batch)?;
        let name = &row.facts.policy;
        let policy = self.engine.rules.policy_for(&row.link, name).ok_or_else(|| {
            Error::new(Exit::Config, format!("the policy '{name}' is not there any more"))
        })?;
        Ok((policy.copy.approval.value, policy.copy.approval.clause.clone()))
    }

    pub(super) fn copy_request(&mut self, actor: &Actor, wish: Wish) -> Result<Reply> {
        let clause = self.copy_wanted(actor, &wish)?;
        let signed = actor.signed.clone();
        let copy = self.copy_asked(actor, wish, clause.is_none(), signed)?;
        Ok(match clause {
            None => Reply::new(&copy, format!("'{copy}' may be made")).next(format!(
                "'batchward copy declare {copy} --place TEXT --holder NAME' once it is there"
            )),
            Some(clause) => Reply::new(&copy, format!("'{copy}' waits for the office's approval ({clause})")).next(
                format!("a supervisor runs 'batchward copy approve {copy} --doc-no NO' with the number of the office's document"),
            ),
        })
    }

    /// Whether a copy may be asked for, and the clause by which somebody has to agree to it; none where nobody has to.
    pub(super) fn copy_wanted(&self, actor: &Actor, wish: &Wish) -> Result<Option<String>> {
        let (batch, kind) = (wish.batch, wish.kind);
        stated("the reason", &wish.reason)?;
        lies_on(kind, wish.medium)?;
        if !kind.is_made() {
            return Err(Error::usage(format!("a '{kind}' is not asked for")).hint(format!(
                "'batchward copy declare {batch} --kind {kind}' makes known that it is there"
            )));
        }
        let state = self.row(batch)?.state;
        if state != BatchState::Loaded {
            return Err(Error::usage(format!("'{batch}' is {state}, not loaded"))
                .hint("only of data in use is a copy made"));
        }
        self.later(wish.delete_by)?;
        let (approval, clause) = self.copy_rule(batch)?;
        if approval == CopyApproval::Forbidden {
            return Err(Error::refused(format!("no copy of '{batch}' may be made ({clause})"))
                .hint("look at the data under a grant: 'batchward query'"));
        }
        if kind == HeldKind::Media {
            self.may_leave(actor, &self.row(batch)?.link)?;
        }
        Ok((approval != CopyApproval::None).then_some(clause))
    }

    /// The request of a copy that is still to be decided on, by another person than asked.
    pub(super) fn wished(&self, actor: &Actor, copy: CopyId) -> Result<()> {
        let (row, held) = self.held(copy)?;
        if held.by == actor.name() {
            return Err(second_person("decide on this copy"));
        }
        if row.state != CopyState::Requested {
            return Err(Error::usage(format!("'{copy}' is {}", row.stands()))
                .hint("'batchward copy list' shows what waits for a decision"));
        }
        Ok(())
    }

    pub(super) fn copy_approve(
        &mut self,
        actor: &Actor,
        copy: CopyId,
        doc_no: String,
    ) -> Result<Reply> {
        self.copyable(actor, copy)?;
        stated("the document number", &doc_no)?;
        let signed = actor.decision()?;
        self.record(actor, Body::CopyApproved(CopyApproved { copy, doc_no, signed }))?;
        Ok(may_be_made(copy))
    }

    /// Whether somebody may approve a copy now, by a signature or on paper.
    pub(super) fn copyable(&self, actor: &Actor, copy: CopyId) -> Result<()> {
        self.wished(actor, copy)?;
        let batch = self.held(copy)?.0.batch;
        let state = self.row(batch)?.state;
        if state != BatchState::Loaded {
            return Err(Error::refused(format!("'{batch}' is {state}: no copy is made of it"))
                .hint(format!("'batchward copy deny {copy} --reason TEXT' ends the request")));
        }
        Ok(())
    }

    pub(super) fn copy_deny(
        &mut self,
        actor: &Actor,
        copy: CopyId,
        reason: String,
    ) -> Result<Reply> {
        self.wished(actor, copy)?;
        stated("the reason", &reason)?;
        let signed = actor.decision()?;
        self.record(actor, Body::CopyDenied(CopyDenied { copy, reason, signed }))?;
        Ok(Reply::new(&copy, format!("'{copy}' is denied")))
    }

    pub(super) fn copy_withdraw(
        &mut self,
        actor: &Actor,
        copy: CopyId,
        reason: String,
    ) -> Result<Reply> {
        stated("the reason", &reason)?;
        self.not_handed_on(copy)?;
        let (row, held) = self.held(copy)?;
        if !matches!(row.state, CopyState::Requested | CopyState::Planned) {
            return Err(Error::usage(format!("'{copy}' is {}", row.stands()))
                .hint("what is there goes by 'batchward destroy request'"));
        }
        // Its rows may be in the file already: that there is none is not the word of one person.
        let may_be_there = row.state == CopyState::Planned && held.will_be.is_some();
        if may_be_there && held.by == actor.name() {
            return Err(second_person("say that this file was never written"));
        }
        let signed = actor.signed.clone();
        self.record(actor, Body::CopyWithdrawn(CopyWithdrawn { copy, reason, signed }))?;
        Ok(Reply::new(&copy, format!("'{copy}' is not made")))
    }

    pub(super) fn copy_declare(
        &mut self,
        actor: &Actor,
        of: &Declared,
        facts: HeldFacts,
    ) -> Result<Reply> {
        lies_on(facts.kind, facts.medium)?;
        typed(&facts)?;
        let (copy, batch, unapproved) = match of {
            Declared::Copy(copy) => {
                self.not_handed_on(*copy)?;
                let (row, held) = self.held(*copy)?;
                // A file may be cut by the end of its own day: it is there, and is made known as what was agreed to.
                if held.delete_by.is_none() || held.delete_by != facts.delete_by {
                    self.later(facts.delete_by)?;
                }
                if row.state != CopyState::Planned {
                    return Err(Error::usage(format!("'{copy}' is {}", row.stands()))
                        .hint("what was approved and is not made yet is declared by its id"));
                }
                if row.kind != CopyKind::Held(facts.kind) || held.medium != facts.medium {
                    let asked = (row.kind.word(), held.medium);
                    return Err(Error::refused(format!(
                        "'{copy}' was asked for as '{}' on '{}'",
                        asked.0, asked.1
                    ))
                    .hint("another kind or medium is another copy: withdraw this one and ask for that"));
                }
                let longer = |agreed: &Timestamp| facts.delete_by.is_some_and(|by| by > *agreed);
                if let Some(agreed) = held.delete_by.filter(longer) {
                    return Err(self.agreed_until(*copy, agreed));
                }
                (*copy, row.batch, false)
            }
            Declared::Batch(batch) => {
                self.later(facts.delete_by)?;
                self.row(*batch)?;
                let asks = self.copy_rule(*batch)?.0 != CopyApproval::None;
                (self.engine.view.next_copy(0), *batch, facts.kind.is_made() && asks)
            }
        };
        self.one_more(batch)?;
        let late = self.row(batch)?.state;
        let signed = actor.signed.clone();
        let declared = CopyDeclared { copy, batch, facts, unapproved, signed };
        self.record(actor, Body::CopyDeclared(declared))?;
        let message = if unapproved {
            format!(
                "'{copy}' of '{batch}' is in the inventory; nobody approved it, and an alarm stands until it is gone"
            )
        } else {
            format!("'{copy}' of '{batch}' is in the inventory")
        };
        let reply = Reply::new(&copy, message);
        Ok(match late {
            // An order that stood over the whole batch is void now: nobody approved the end of this.
            BatchState::Due | BatchState::Condemned => reply.next(format!(
                "'batchward destroy request {batch} --reason TEXT': an order over the whole batch does not cover this, and counts no more"
            )),
            BatchState::Destroyed | BatchState::Closed => {
                reply.next(format!("'batchward destroy request {batch} --copy {copy} --reason TEXT': the batch is {late}, and this has to go too"))
            }
            _ => reply,
        })
    }

    pub(super) fn copy_move(
        &mut self,
        actor: &Actor,
        copy: CopyId,
        holder: String,
        place: String,
        lock: Option<String>,
    ) -> Result<Reply> {
        let (row, _) = self.held(copy)?;
        if !matches!(row.state, CopyState::Kept | CopyState::Condemned | CopyState::Unreadable) {
            return Err(Error::usage(format!("'{copy}' is {}", row.stands()))
                .hint("only what is there has another place"));
        }
        stated("the holder", &holder)?;
        stated("the place", &place)?;
        lock.as_deref().map_or(Ok(()), |lock| stated("the lock", lock))?;
        let message = format!("'{copy}' is at '{place}', kept by '{holder}'");
        let signed = actor.signed.clone();
        self.record(actor, Body::CopyMoved(CopyMoved { copy, holder, place, lock, signed }))?;
        Ok(Reply::new(&copy, message))
    }

    /// The approved order under which a copy is to be destroyed now.
    fn order_over(&self, copy: CopyId) -> Result<OrderId> {
        let (row, _) = self.held(copy)?;
        let batch = row.batch;
        let orders = &self.engine.view.orders;
        let order = orders
            .loose()
            .find(|(_, order)| order.state == OrderState::Approved && order.is_open_over(copy));
        if row.state == CopyState::Destroyed {
            return Err(Error::usage(format!("'{copy}' is {}", row.stands()))
                .hint("'batchward copy list --all' shows what became of it"));
        }
        let order = order.map(|(id, _)| id).filter(|_| row.state == CopyState::Condemned);
        let order = order.ok_or_else(|| {
            Error::refused(format!("no approved order covers '{copy}'")).hint(format!(
                "'batchward destroy request {batch} --copy {copy} --reason TEXT', and an approval, come first"
            ))
        })?;
        if let Some(code) = self.engine.objection(order) {
            return Err(Error::refused(format!("'{order}' has lost its force: {code}")));
        }
        let from = self.order(order)?.not_before;
        if let Some(from) = from.filter(|from| *from > self.now()) {
            let from = calendar::time(from, self.engine.rules.zone);
            return Err(Error::refused(format!("nothing of '{order}' is destroyed before {from}")));
        }
        Ok(order)
    }

    /// Whether the end of a copy may be recorded like this, and the order that it is recorded under.
    pub(super) fn may_record(
        &self,
        actor: &Actor,
        copy: CopyId,
        end: &EndFacts,
    ) -> Result<OrderId> {
        let order = self.order_over(copy)?;
        let copies = &self.order(order)?.copies;
        self.rule_for(copies, "carry out", actor, |rules| &rules.performers.value)?;
        let medium = self.held(copy)?.1.medium;
        fits(end, medium)?;
        let (zone, now) = (self.engine.rules.zone, self.now());
        let covering = self.order(order)?;
        let handed = self.engine.view.handover_of(copy);
        let handed = handed.and_then(|id| self.engine.view.handovers.get(&id)?.made);
        // What was handed on ends by the recipient's own clock, which was agreed to when it was: it may be gone before
        // anybody here asked for it.
        let approved = handed.or_else(|| covering.approved.as_ref().map(|(_, mark)| mark.at));
        let early = covering.not_before.is_some_and(|from| handed.is_none() && end.at < from);
        // What was destroyed under an order that a hold then stopped, was destroyed on that day.
        let said = self.held(copy)?.1.said_gone.map(|at| at.date_in(zone));
        let said = said == Some(end.at.date_in(zone));
        if end.at.date_in(zone) > now.date_in(zone) {
            return Err(Error::usage("the destruction is dated in the future"));
        }
        let before = approved.is_some_and(|at| end.at.date_in(zone) < at.date_in(zone));
        if (early || before) && !said {
            return Err(Error::refused(format!(
                "nothing of '{order}' could be destroyed on that day yet"
            ))
            .hint(
                "what was destroyed before its approval is told to the supervisor and the auditor",
            ));
        }
        stated("the place", &end.place)?;
        stated("the performer", &end.performer)?;
        end.tool.as_deref().map_or(Ok(()), |tool| stated("the tool", tool))?;
        Ok(order)
    }

    /// Records the end of a copy; the signature that a command carries stands in one entry only.
    pub(super) fn record_end(
        &mut self,
        actor: &Actor,
        copy: CopyId,
        end: EndFacts,
        signed: Option<Signed>,
    ) -> Result<()> {
        let order = self.may_record(actor, copy, &end)?;
        self.record(actor, Body::EndRecorded(EndRecorded { order, copy, end, signed }))?;
        Ok(())
    }

    pub(super) fn media_record(
        &mut self,
        actor: &Actor,
        copy: CopyId,
        end: EndFacts,
    ) -> Result<Reply> {
        self.not_handed_on(copy)?;
        let before = self.held(copy)?.1.end.as_ref().map(|end| end.by.clone());
        self.record_end(actor, copy, end, actor.signed.clone())?;
        let message = match before {
            Some(by) => format!(
                "the end of '{copy}' is recorded anew, in place of what '{by}' said; a witness has to confirm it"
            ),
            None => format!("the end of '{copy}' is recorded; a witness has to confirm it"),
        };
        Ok(Reply::new(&copy, message).next(format!(
            "'batchward copy list' shows what is recorded; who was there and did neither runs 'batchward media confirm {copy}'"
        )))
    }

    pub(super) fn media_confirm(&mut self, actor: &Actor, copy: CopyId) -> Result<Reply> {
        let order = self.order_over(copy)?;
        let end = self.held(copy)?.1.end.ok_or_else(|| {
            Error::usage(format!("no end of '{copy}' is recorded")).hint(format!(
                "'batchward media record {copy} --method METHOD --place TEXT' comes first"
            ))
        })?;
        if end.by == actor.name() || end.what.performer == actor.name() {
            return Err(second_person("vouch for this"));
        }
        let proposal = end.mark.seq;
        let copies = &self.order(order)?.copies;
        self.rule_for(copies, "vouch for", actor, |rules| &rules.witnesses.value)?;
        let signed = actor.decision()?;
        self.record(actor, Body::EndConfirmed(EndConfirmed { order, copy, proposal, signed }))?;
        let order = self.order(order)?;
        let message = match order.open_copies() {
            0 => format!("'{copy}' is destroyed, and with it everything of its order"),
            left => format!("'{copy}' is destroyed; {left} copies of its order are left"),
        };
        Ok(Reply::new(&copy, message))
    }

    pub(super) fn use_filed(
        &mut self,
        actor: &Actor,
        batch: BatchId,
        doc_no: String,
    ) -> Result<Reply> {
        stated("the document number", &doc_no)?;
        let row = self.row(batch)?;
        if row.state != BatchState::Loaded {
            return Err(Error::usage(format!("'{batch}' is {}, not loaded", row.state)));
        }
        if row.filed.is_some() {
            return Err(Error::usage(format!("'{batch}' is printed and filed already")));
        }
        let unit = actor.facts.unit.as_ref();
        if unit.is_some_and(|unit| !row.facts.units.contains(unit)) {
            return Err(Error::refused("your unit is not among those that use this batch"));
        }
        let policy = self.engine.rules.policy_for(&row.link, &row.facts.policy);
        let start = policy.map(|policy| policy.raw_file.start.value);
        if start != Some(ClockStart::PrintedAndFiled) {
            return Err(Error::usage(format!("the policy '{}' does not wait for this", row.facts.policy))
                .hint("only 'raw_file.start_event: printed-and-filed' does: 'batchward policy explain' shows it"));
        }
        let signed = actor.decision()?;
        self.record(actor, Body::Filed(Filed { batch, doc_no, signed }))?;
        let due = self.row(batch)?.due;
        let message = format!("what was needed of '{batch}' is printed and filed");
        Ok(match due {
            Some((deadline, _)) => {
                let deadline = calendar::end(deadline, self.engine.rules.zone);
                let message =
                    format!("{message}; its transfer files and media are due by {deadline}");
                Reply::new(&batch, message)
                    .next(format!("'batchward destroy request {batch} --reason TEXT'"))
            }
            None => Reply::new(&batch, message),
        })
    }

    pub(super) fn later(&self, date: Option<Timestamp>) -> Result<()> {
        if date.is_some_and(|date| date <= self.now()) {
            return Err(Error::usage("the date is past"));
        }
        Ok(())
    }
}

/// Whether a kind of copy can lie on a medium.
pub(super) fn lies_on(kind: HeldKind, medium: Medium) -> Result<()> {
    if kind.media().contains(&medium) {
        return Ok(());
    }
    let words: Vec<&str> = kind.media().iter().map(|medium| medium.word()).collect();
    Err(Error::usage(format!("a '{kind}' does not lie on '{medium}'"))
        .hint(format!("its media: {}", words.join(", "))))
}

/// Whether what people typed may stand in the register.
pub(super) fn typed(facts: &HeldFacts) -> Result<()> {
    stated("the holder", &facts.holder)?;
    stated("the place", &facts.place)?;
    let optional = [
        ("the lock", &facts.lock),
        ("the serial number", &facts.serial),
        ("the model", &facts.model),
        ("the property number", &facts.property_no),
    ];
    optional.into_iter().try_for_each(|(what, text)| match text {
        Some(text) => stated(what, text),
        None => Ok(()),
    })?;
    // A medium without a number is one among many: nobody could say later that this is it.
    if facts.kind.is_media() && facts.kind != HeldKind::Paper && facts.serial.is_none() {
        return Err(Error::usage("the serial number of the medium is missing")
            .hint("--serial NO; where it has none, the number that the office put on it"));
    }
    Ok(())
}

/// Whether a method ends what is on a medium, and whether the medium may stay in use.
fn fits(end: &EndFacts, medium: Medium) -> Result<()> {
    let method = end.method;
    if inventory::does(method, medium).is_none() {
        let words: Vec<&str> =
            inventory::methods_for(medium).iter().map(|(method, _)| method.word()).collect();
        return Err(Error::refused(format!("'{method}' does not end what is on '{medium}'"))
            .hint(format!("what does: {}", words.join(", "))));
    }
    match &end.reuse_doc_no {
        Some(doc_no) => stated("the document number", doc_no),
        None if inventory::is_reuse(method, medium) => Err(Error::refused(
            "a medium that stays in use is an exception (TY-4.3.3, TPH-5.7)",
        )
        .hint("--reuse-doc-no NO names the document that allows it; 'batchward media methods' shows what else there is")),
        None => Ok(()),
    }
}

pub(super) fn may_be_made(copy: CopyId) -> Reply {
    Reply::new(&copy, format!("'{copy}' may be made")).next(format!(
        "'batchward copy declare {copy} --place TEXT --holder NAME' once it is there"
    ))
}
