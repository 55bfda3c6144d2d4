//! The end of the use of a batch (使用完竣且確認無保存必要), unit by unit: what each said, and when it was over for all.
//!
//! A unit uses a batch that has a grant on its link which was ever approved, or that said something of the batch. It has
//! completed its use when each of its grants is completed, or when it said so of this batch alone. That there is no need to
//! keep it is said by each of them, or by somebody who belongs to no unit for all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Batch, FoldError, Mark, Proposal, View};
use crate::domain::{
    entry::{Body, BudgetDrawn, Entry, NeedStated, Statement},
    ids::BatchId,
    lifecycle::{BatchEvent, BatchState, GrantEvent, GrantState},
    time::Timestamp,
};

/// What a unit said of a batch; under an empty name, what was said for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitUse {
    /// When its use was completed.
    pub completed: Option<Timestamp>,
    /// When it had no need any more.
    pub no_need: Option<Timestamp>,
    /// Until when it needs it.
    pub keep: Option<Keep>,
}

/// A need to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// How the use of a batch by a unit stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// The unit; nobody's, of accounts that belong to none.
    pub unit: Option<String>,
    /// When the use was completed.
    pub completed: Option<Timestamp>,
    /// When there was no need any more.
    pub no_need: Option<Timestamp>,
    /// The need that stands.
    pub keep: Option<Keep>,
}

/// When the units with grants on each link had completed them all; nothing of one that has not.
pub type Completions = BTreeMap<String, BTreeMap<Option<String>, Option<Timestamp>>>;

impl View {
    /// Budgets only shrink, and not below nothing.
    pub(super) fn budget_drawn(
        &mut self,
        mark: Mark,
        drawn: &BudgetDrawn,
    ) -> Result<(), FoldError> {
        let row = self.grants.get_mut(&drawn.grant).ok_or(FoldError::Unknown(mark.seq))?;
        let budget = row.terms.service.map_or(0, |terms| terms.budget);
        if drawn.drawn <= row.drawn || drawn.drawn > budget {
            return Err(FoldError::Transition(mark.seq));
        }
        row.drawn = drawn.drawn;
        Ok(())
    }

    /// How far the grants of all links are completed. One look serves every batch.
    #[must_use]
    pub fn completions(&self) -> Completions {
        let mut found = Completions::new();
        for grant in self.grants.values().filter(|grant| grant.approved.is_some()) {
            let completed = grant.completed.map(|(at, _)| at);
            let unit = grant.terms.unit.clone();
            let of_link = found.entry(grant.terms.link.clone()).or_default();
            let last = of_link.entry(unit).or_insert(completed);
            *last = last.zip(completed).map(|(last, completed)| last.max(completed));
        }
        found
    }

    /// How the use of a batch stands, unit by unit.
    #[must_use]
    pub fn stands_of(&self, id: BatchId, row: &Batch, completions: &Completions) -> Vec<Stand> {
        let nothing = BTreeMap::new();
        let said = self.uses.get(&id).unwrap_or(&nothing);
        let for_all = said.get("");
        let keep_all = for_all.and_then(|all| all.keep.clone());
        let grants = completions.get(&row.link);
        let mut units: BTreeMap<Option<String>, Option<Timestamp>> =
            grants.cloned().unwrap_or_default();
        for (unit, one) in said.iter().filter(|(unit, _)| !unit.is_empty()) {
            // Without a grant there was no use: it is over since it was said so.
            let first = one.completed.or(one.no_need);
            units.entry(Some(unit.clone())).or_insert(first);
        }
        if units.is_empty() && (row.no_need.is_some() || keep_all.is_some()) {
            units.insert(None, row.no_need);
        }
        // Somebody without a unit is content with what any unit says.
        let any = said.values().filter_map(|one| one.no_need).max();
        let stand = |(unit, granted): (Option<String>, Option<Timestamp>)| {
            let own = unit.as_ref().and_then(|unit| said.get(unit));
            let no_need = match &unit {
                Some(_) => own.and_then(|own| own.no_need),
                None => any,
            };
            Stand {
                completed: own.and_then(|own| own.completed).or(granted),
                no_need: no_need.or(row.no_need),
                keep: own.and_then(|own| own.keep.clone()).or_else(|| keep_all.clone()),
                unit,
            }
        };
        units.into_iter().map(stand).collect()
    }

    /// When the use of a batch was over: the last word of all units that use it; nothing while one of them has not completed
    /// it, has not said that there is no need to keep it, or needs it.
    #[must_use]
    pub fn use_ended(&self, id: BatchId, row: &Batch) -> Option<Timestamp> {
        // Nobody has said anything yet: most batches, most of the time.
        if row.no_need.is_none() && !self.uses.contains_key(&id) {
            return None;
        }
        let stands = self.stands_of(id, row, &self.completions());
        let over = |stand: &Stand| match &stand.keep {
            Some(_) => None,
            None => Some(stand.completed?.max(stand.no_need?)),
        };
        let ends: Option<Vec<Timestamp>> = stands.iter().map(over).collect();
        ends?.into_iter().max()
    }

    /// Whether a unit has said that it is done with a batch.
    #[must_use]
    pub fn is_over_for(&self, batch: BatchId, unit: Option<&str>) -> bool {
        let said = self.uses.get(&batch).zip(unit).and_then(|(said, unit)| said.get(unit));
        said.is_some_and(|one| one.completed.is_some())
    }

    pub(super) fn end_of_use(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::UseCompleted { grant, .. } => {
                let row = self.grants.get(grant);
                let revoked = row.is_some_and(|row| row.state == GrantState::Revoked);
                self.move_grant(mark, *grant, GrantEvent::Completed)?;
                if let Some(row) = self.grants.get_mut(grant) {
                    row.completed = Some((mark.at, revoked));
                }
                Ok(())
            }
            Body::NoNeed { batch, unit, .. } => {
                let row = self.batch(mark, *batch)?;
                if unit.is_none() {
                    row.no_need = Some(mark.at);
                }
                let (unit, no_need) = (unit.as_deref(), Some(mark.at));
                // Before there were units in it, the entry said nothing that is kept here.
                if unit.is_some() || self.uses.contains_key(batch) {
                    let said = self.said(*batch, unit);
                    (said.no_need, said.keep) = (no_need, None);
                }
                Ok(())
            }
            Body::UnitCompleted(completed) => {
                self.batch(mark, completed.batch)?;
                self.said(completed.batch, Some(&completed.unit)).completed = Some(mark.at);
                Ok(())
            }
            Body::NeedStated(stated) => self.need_stated(mark, &entry.by, stated),
            Body::UseWithdrawn(withdrawn) if withdrawn.waits => {
                let (by, what) = (entry.by.clone(), withdrawn.clone());
                self.withdrawals.push(Proposal { mark, by, what });
                Ok(())
            }
            Body::UseWithdrawn(withdrawn) => self.withdrawn(mark, &withdrawn.of),
            Body::WithdrawalConfirmed(confirmed) => {
                let at = self
                    .withdrawals
                    .iter()
                    .position(|one| one.mark.seq == confirmed.proposal)
                    .ok_or(FoldError::Unknown(mark.seq))?;
                let proposal = self.withdrawals.remove(at);
                // The fold itself refuses who confirms what he asked for.
                if proposal.by == entry.by {
                    return Err(FoldError::Transition(mark.seq));
                }
                self.withdrawn(mark, &proposal.what.of)
            }
            _ => Err(FoldError::Transition(mark.seq)),
        }
    }

    fn said(&mut self, batch: BatchId, unit: Option<&str>) -> &mut UnitUse {
        let of = self.uses.entry(batch).or_default();
        of.entry(unit.unwrap_or_default().to_owned()).or_default()
    }

    fn need_stated(&mut self, mark: Mark, by: &str, made: &NeedStated) -> Result<(), FoldError> {
        let row = self.batch(mark, made.batch)?;
        if made.unit.is_none() {
            row.no_need = None;
        }
        let keep =
            Keep { by: by.to_owned(), at: mark.at, until: made.until, reason: made.reason.clone() };
        let said = self.said(made.batch, made.unit.as_deref());
        (said.no_need, said.keep) = (None, Some(keep));
        Ok(())
    }

    /// What was said was never so: the batch is in use again, if it came due by it.
    fn withdrawn(&mut self, mark: Mark, of: &Statement) -> Result<(), FoldError> {
        let batches = match of {
            Statement::Grant(grant) => {
                let row = self.grants.get_mut(grant).ok_or(FoldError::Unknown(mark.seq))?;
                let revoked = row.completed.take().is_some_and(|(_, revoked)| revoked);
                let link = row.terms.link.clone();
                let event = if revoked { GrantEvent::Restored } else { GrantEvent::Reopened };
                self.move_grant(mark, *grant, event)?;
                let due = self.batches_in(BatchState::Due);
                due.filter(|(_, row)| row.link == link).map(|(id, _)| id).collect()
            }
            Statement::Batch { batch, unit } => {
                let row = self.batch(mark, *batch)?;
                if unit.is_none() {
                    row.no_need = None;
                }
                if let Some(of) = self.uses.get_mut(batch) {
                    of.remove(unit.as_deref().unwrap_or_default());
                }
                vec![*batch]
            }
        };
        for id in batches {
            self.in_use_again(mark, id)?;
        }
        Ok(())
    }

    /// A batch that came due because its use was over is in use again; one whose period or link ended stays due.
    fn in_use_again(&mut self, mark: Mark, id: BatchId) -> Result<(), FoldError> {
        let row = self.batch(mark, id)?;
        let by_use = row.came_due.last().is_some_and(|due| due.whole && due.clock == "use-ended");
        if row.state != BatchState::Due || !by_use {
            return Ok(());
        }
        row.came_due.pop();
        row.clocks.retain(|clock| clock != "use-ended");
        row.due = row.came_due.last().map(|due| (due.deadline, due.whole));
        self.move_batch(mark, id, BatchEvent::UseResumed)
    }
}
