//! The end of use (使用完竣且確認無保存必要), unit by unit: each says that it has completed its use, then that there is no need
//! to keep the batch, or until when there is. The last word of all starts the clock.
//!
//! A mistaken word can be taken back until its destruction is approved; once an order rests on it, two people do that, and
//! from the first where it is not one's own: what another person said of a need, or what was said for all or for a unit that
//! is not one's.

mod act;

pub use act::UseAct;

use serde::{Deserialize, Serialize};

use super::{Actor, Reply, Result, Service, administration::second_person, stated};
use crate::{
    domain::{
        calendar,
        digest::Digest,
        entry::{
            AGENT, Body, NeedStated, Statement, UnitCompleted, UseWithdrawn, WithdrawalConfirmed,
        },
        ids::{BatchId, OrderId},
        lifecycle::{BatchState, GrantState, OrderState},
        time::Timestamp,
        view::{Batch, Keep, Stand, View},
    },
    error::Error,
};

/// Why an order is void whose ground was taken back.
const WITHDRAWN: &str = "use-withdrawn";

/// How the use of a batch by a unit stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UseLine {
    /// The unit; null for accounts that belong to none.
    pub unit: Option<String>,
    /// When its use was completed.
    pub completed: Option<Timestamp>,
    /// When it had no need any more.
    pub no_need: Option<Timestamp>,
    /// Until when it needs the batch.
    pub keep_until: Option<Timestamp>,
    /// Why.
    pub keep_reason: Option<String>,
}

impl UseLine {
    fn of(stand: Stand) -> Self {
        let Stand { unit, completed, no_need, keep } = stand;
        let keep_until = keep.as_ref().map(|keep| keep.until);
        Self { unit, completed, no_need, keep_until, keep_reason: keep.map(|keep| keep.reason) }
    }
}

/// The entry that a statement about the end of a use decides on.
pub(super) fn decided(view: &View, act: &UseAct) -> Option<Digest> {
    let of_batch = |batch: &BatchId| Some(view.batches.get(batch)?.decide?.digest);
    match act {
        UseAct::Complete { batch, .. }
        | UseAct::NoNeed { batch, .. }
        | UseAct::Keep { batch, .. } => of_batch(batch),
        UseAct::Withdraw { of: Statement::Batch { batch, .. }, .. } => of_batch(batch),
        UseAct::Withdraw { of: Statement::Grant(grant), .. } => {
            Some(view.grants.get(grant)?.approved?.digest)
        }
        UseAct::Confirm { of } => {
            Some(view.withdrawals.iter().find(|one| one.what.of == *of)?.mark.digest)
        }
    }
}

impl Service {
    pub(super) fn end_of_use(&mut self, actor: &Actor, act: UseAct) -> Result<Reply> {
        match act {
            UseAct::Complete { batch, unit } => self.unit_complete(actor, batch, unit),
            UseAct::NoNeed { batch, unit } => self.use_no_need(actor, batch, unit),
            UseAct::Keep { batch, unit, reason, until } => {
                self.use_keep(actor, batch, unit, (reason, until))
            }
            UseAct::Withdraw { of, reason } => self.use_withdraw(actor, of, reason),
            UseAct::Confirm { of } => self.withdrawal_confirm(actor, &of),
        }
    }

    /// How the use of a batch stands.
    pub(super) fn use_lines(&self, id: BatchId, row: &Batch) -> Vec<UseLine> {
        if !row.ever_loaded() {
            return Vec::new();
        }
        let view = &self.engine.view;
        let stands = view.stands_of(id, row, &view.completions());
        stands.into_iter().map(UseLine::of).collect()
    }

    /// The unit for which somebody speaks: the account's own. One that belongs to none speaks for the unit that it names, or
    /// for all.
    fn speaks_for(
        &self,
        actor: &Actor,
        batch: BatchId,
        unit: Option<String>,
    ) -> Result<Option<String>> {
        self.loaded_row(batch)?;
        let row = self.row(batch)?;
        let own = actor.facts.unit.as_ref();
        if let (Some(own), Some(named)) = (own, &unit)
            && own != named
        {
            return Err(Error::refused(format!("'{}' does not speak for '{named}'", actor.name()))
                .hint(format!("an account of '{named}' does")));
        }
        let unit = unit.or_else(|| own.cloned());
        if unit.as_ref().is_some_and(|unit| !row.facts.units.contains(unit)) {
            return Err(if own.is_some() {
                Error::refused("your unit is not among those that use this batch")
            } else {
                Error::refused("that unit is not among those that use this batch")
            });
        }
        Ok(unit)
    }

    /// Who belongs to no unit does not end the need that somebody of a unit stated, before its day.
    fn overrules_nobody(&self, actor: &Actor, batch: BatchId, unit: Option<&str>) -> Result<()> {
        let said = self.engine.view.uses.get(&batch).zip(unit);
        let keep = said.and_then(|(said, unit)| said.get(unit)?.keep.as_ref());
        let stands = |keep: &&Keep| {
            actor.facts.unit.is_none() && keep.by != actor.name() && keep.until > self.now()
        };
        let Some(keep) = keep.filter(stands) else { return Ok(()) };
        let end = calendar::end(keep.until, self.engine.rules.zone);
        Err(Error::refused(format!("'{}' stated a need of '{batch}' until {end}", keep.by)).hint(
            format!("'batchward use withdraw {batch} --reason TEXT' takes it back, by two people"),
        ))
    }

    /// What a unit said last of a batch.
    fn stand(&self, batch: BatchId, unit: Option<&String>) -> Option<Stand> {
        let view = &self.engine.view;
        let row = view.batches.get(&batch)?;
        let stands = view.stands_of(batch, &row, &view.completions());
        stands.into_iter().find(|stand| stand.unit.as_ref() == unit)
    }

    fn unit_complete(
        &mut self,
        actor: &Actor,
        batch: BatchId,
        unit: Option<String>,
    ) -> Result<Reply> {
        let unit = self.speaks_for(actor, batch, unit)?.ok_or_else(|| {
            Error::usage("the unit is missing")
                .hint("--unit UNIT names the unit that has completed its use")
        })?;
        if self.engine.view.is_over_for(batch, Some(&unit)) {
            return Err(Error::usage(format!(
                "'{unit}' has completed its use of '{batch}' already"
            )));
        }
        let message = format!("the use of '{batch}' by '{unit}' is completed: it reads it no more");
        let signed = actor.decision()?;
        self.record(actor, Body::UnitCompleted(UnitCompleted { batch, unit, signed }))?;
        let reply = Reply::new(&batch, message);
        if self.row(batch)?.state == BatchState::Due {
            return self.with_next(batch, reply);
        }
        Ok(reply.next(format!(
            "a handler of the unit runs 'batchward use no-need {batch}' once there is no need to keep it"
        )))
    }

    fn use_no_need(
        &mut self,
        actor: &Actor,
        batch: BatchId,
        unit: Option<String>,
    ) -> Result<Reply> {
        let unit = self.speaks_for(actor, batch, unit)?;
        self.overrules_nobody(actor, batch, unit.as_deref())?;
        let again = match &unit {
            Some(_) => self.stand(batch, unit.as_ref()).is_some_and(|one| one.no_need.is_some()),
            None => self.row(batch)?.no_need.is_some(),
        };
        if again {
            return Err(Error::usage(format!("no need to keep '{batch}' was stated already")));
        }
        let signed = actor.decision()?;
        self.record(actor, Body::NoNeed { batch, unit, signed })?;
        let row = self.row(batch)?;
        if row.state == BatchState::Due {
            let message = format!("no need to keep '{batch}' is stated; it is due");
            return self.with_next(batch, Reply::new(&batch, message));
        }
        let view = &self.engine.view;
        let stands = view.stands_of(batch, &row, &view.completions());
        let message = if stands.iter().all(|one| one.completed.is_some()) {
            format!(
                "no need to keep '{batch}' is stated; it comes due when every unit that uses it has stated it"
            )
        } else {
            format!(
                "no need to keep '{batch}' is stated; it comes due when every grant on its link is completed"
            )
        };
        Ok(Reply::new(&batch, message))
    }

    fn use_keep(
        &mut self,
        actor: &Actor,
        batch: BatchId,
        unit: Option<String>,
        (reason, until): (String, Timestamp),
    ) -> Result<Reply> {
        stated("the reason", &reason)?;
        let unit = self.speaks_for(actor, batch, unit)?;
        self.overrules_nobody(actor, batch, unit.as_deref())?;
        if until <= self.now() {
            return Err(Error::usage("the end of the need has passed"));
        }
        let zone = self.engine.rules.zone;
        let last = self.row(batch)?.times.get("use-until").copied();
        if let Some(last) = last.filter(|last| until > *last) {
            return Err(Error::refused(format!(
                "the approved use of '{batch}' ends {}: it is not kept beyond that",
                calendar::end(last, zone)
            )));
        }
        let signed = actor.decision()?;
        self.record(actor, Body::NeedStated(NeedStated { batch, unit, reason, until, signed }))?;
        let end = calendar::end(until, zone);
        let message = format!("'{batch}' is kept; whether there is need is asked again by {end}");
        Ok(Reply::new(&batch, message))
    }

    /// The orders that rest on the end of the use of these batches: those that were requested, unless one is approved.
    fn resting(&self, batches: &[BatchId]) -> Result<Vec<OrderId>> {
        let mut resting = Vec::new();
        for batch in batches {
            let row = self.row(*batch)?;
            if matches!(
                row.state,
                BatchState::Condemned | BatchState::Destroyed | BatchState::Closed
            ) {
                return Err(Error::refused(format!("the destruction of '{batch}' is approved"))
                    .hint("what is decided by two people is stopped by 'batchward destroy cancel', or by a hold"));
            }
            let open = self.engine.view.orders_of(*batch);
            let open =
                open.filter(|(_, order)| order.state == OrderState::Requested && !order.chosen);
            resting.extend(open.map(|(id, _)| id));
        }
        resting.sort_unstable();
        resting.dedup();
        Ok(resting)
    }

    /// The batches that are due because a use was over, by a statement.
    fn rested_on(&self, of: &Statement) -> Result<Vec<BatchId>> {
        Ok(match of {
            Statement::Batch { batch, .. } => vec![*batch],
            Statement::Grant(grant) => {
                let link = self.grant(*grant)?.terms.link.clone();
                let by_use = |row: &Batch| {
                    row.came_due.last().is_some_and(|due| due.whole && due.clock == "use-ended")
                };
                let view = &self.engine.view;
                let ended = [BatchState::Due, BatchState::Condemned].into_iter();
                let ended = ended.flat_map(|state| view.batches_in(state));
                ended.filter(|(_, row)| row.link == link && by_use(row)).map(|(id, _)| id).collect()
            }
        })
    }

    /// Whether there is such a statement, and it is this person's to take back.
    fn is_said(&self, actor: &Actor, of: &Statement) -> Result<()> {
        match of {
            Statement::Grant(id) => {
                let grant = self.grant(*id)?;
                if grant.answerable() != actor.name() {
                    return Err(Error::refused(format!("'{id}' is not your grant")));
                }
                if grant.state != GrantState::Completed {
                    return Err(Error::usage(format!("'{id}' is {}, not completed", grant.state)));
                }
            }
            Statement::Batch { batch, unit } => {
                let row = self.row(*batch)?;
                let own = actor.facts.unit.as_ref();
                // What was said for all, a unit that uses the batch may take back: it is in use again then, and no less.
                let others = match (own, unit) {
                    (None, _) => false,
                    (Some(own), Some(unit)) => own != unit,
                    (Some(own), None) => !row.facts.units.contains(own),
                };
                if others {
                    return Err(Error::refused("this was not said by your unit"));
                }
                let said = self.engine.view.uses.get(batch);
                let said =
                    said.is_some_and(|said| said.contains_key(unit.as_deref().unwrap_or("")));
                if !(said || unit.is_none() && row.no_need.is_some()) {
                    return Err(Error::usage(format!(
                        "nothing was said of the end of the use of '{batch}'"
                    ))
                    .hint(format!("'batchward batch show {batch}' tells how it stands")));
                }
            }
        }
        Ok(())
    }

    /// Whether a statement is this person's alone to take back: that there is need of a batch goes with who said so, and
    /// anything else with who speaks for the unit, or for all.
    fn is_ones_own(&self, actor: &Actor, of: &Statement) -> bool {
        let Statement::Batch { batch, unit } = of else { return true };
        let said = self.engine.view.uses.get(batch);
        let said = said.and_then(|said| said.get(unit.as_deref().unwrap_or("")));
        match said.and_then(|said| said.keep.as_ref()) {
            Some(keep) => keep.by == actor.name(),
            None => *unit == actor.facts.unit,
        }
    }

    fn use_withdraw(&mut self, actor: &Actor, of: Statement, reason: String) -> Result<Reply> {
        stated("the reason", &reason)?;
        let of = match of {
            // Whoever belongs to a unit takes back what that unit said, or else what was said for all.
            Statement::Batch { batch, unit: None } => {
                let said = self.engine.view.uses.get(&batch);
                let own = actor.facts.unit.clone();
                let unit = own.filter(|own| said.is_some_and(|said| said.contains_key(own)));
                Statement::Batch { batch, unit }
            }
            other => other,
        };
        self.is_said(actor, &of)?;
        if self.engine.view.withdrawals.iter().any(|one| one.what.of == of) {
            return Err(Error::usage("this waits for a second person already")
                .hint("a supervisor runs 'batchward use confirm'"));
        }
        let rests = !self.resting(&self.rested_on(&of)?)?.is_empty();
        let waits = rests || !self.is_ones_own(actor, &of);
        let object = UseAct::Confirm { of: of.clone() }.object();
        let unit = match &of {
            Statement::Batch { unit: Some(unit), .. } => format!(" --unit {unit}"),
            _ => String::new(),
        };
        let signed = actor.decision()?;
        self.record(actor, Body::UseWithdrawn(UseWithdrawn { of, reason, waits, signed }))?;
        if waits {
            let message = if rests {
                format!(
                    "an order rests on what was said of '{object}': it waits for a second person"
                )
            } else {
                format!(
                    "what was said of '{object}' was not said by you: it waits for a second person"
                )
            };
            return Ok(Reply::new(&object, message)
                .next(format!("a supervisor runs 'batchward use confirm {object}{unit}'")));
        }
        Ok(Reply::new(&object, format!("what was said of '{object}' is taken back")))
    }

    /// A second person agrees: the orders that rest on it are void first, so that nobody approves them any more.
    fn withdrawal_confirm(&mut self, actor: &Actor, of: &Statement) -> Result<Reply> {
        let asked = self.engine.view.withdrawals.iter().find(|one| one.what.of == *of);
        let (proposal, by) = asked
            .map(|one| (one.mark.seq, one.by.clone()))
            .ok_or_else(|| Error::usage("nothing of it waits to be taken back"))?;
        if by == actor.name() {
            return Err(second_person("take this back"));
        }
        let signed = actor.decision()?;
        for order in self.resting(&self.rested_on(of)?)? {
            let code = WITHDRAWN.to_owned();
            self.engine.record(AGENT, Body::OrderVoided { order, code, unreadable: Vec::new() })?;
        }
        let body = WithdrawalConfirmed { proposal, signed };
        self.record(actor, Body::WithdrawalConfirmed(body))?;
        let object = UseAct::Confirm { of: of.clone() }.object();
        Ok(Reply::new(&object, format!("what was said of '{object}' is taken back")))
    }
}
