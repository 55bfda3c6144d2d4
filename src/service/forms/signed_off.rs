//! Who stands in the columns of 附件一: who filled in, sealed, entered the key, compared, applied and approved.

use super::{Seal, register::ComparedRow};
use crate::{
    domain::{
        entry::AGENT,
        ids::BatchId,
        intake,
        lifecycle::BatchState,
        view::{Batch, Comparison, Grant},
    },
    service::{Result, Service},
};

/// The seals of a row, each account once in a column, the first time.
#[derive(Default)]
pub(super) struct People {
    /// 業務單位承辦人.
    pub(super) handlers: Vec<Seal>,
    /// 資訊室承辦人.
    pub(super) it_handlers: Vec<Seal>,
    /// 業務單位主管.
    pub(super) supervisors: Vec<Seal>,
}

impl Service {
    /// The seals of a batch's row of a unit.
    pub(super) fn people_of(&self, id: BatchId, row: &Batch, unit: Option<&str>) -> Result<People> {
        let mut people = People::default();
        if let Some((Some(seal), _)) = self.key_of(row) {
            once(&mut people.it_handlers, seal);
        }
        if let Some(intake) = self.engine.view.intake_of(id) {
            if let Some((by, at)) = &intake.confirmed {
                once(&mut people.it_handlers, self.sealed(by, *at, None));
            }
            for one in &intake.seals {
                let column = match one.seal {
                    // Who fills it in does so for his own unit, where the batch has a row of that.
                    intake::Seal::Handler
                        if !self.stands_in(row, None, (&one.by, one.mark.seq), unit) =>
                    {
                        continue;
                    }
                    intake::Seal::Handler => &mut people.handlers,
                    intake::Seal::Custodian => &mut people.it_handlers,
                    intake::Seal::Supervisor => &mut people.supervisors,
                };
                once(column, self.seal(one.mark)?);
            }
        }
        self.users_of(row, unit, &mut people)?;
        Ok(people)
    }

    /// What a handler compared of a batch, with who did so.
    pub(super) fn compared_row(&self, id: BatchId) -> Result<Option<ComparedRow>> {
        let intake = self.engine.view.intake_of(id);
        let Some(one) = intake.and_then(|intake| intake.compared.as_ref()) else { return Ok(None) };
        let Comparison { applied, received, loaded, rejected, result, ref note, .. } = *one;
        let accepted = one.accepted.as_ref();
        Ok(Some(ComparedRow {
            result,
            applied,
            received,
            loaded,
            rejected,
            note: note.clone(),
            by: self.seal(one.mark)?,
            accepted: accepted.map(|(by, at, _)| self.sealed(by, *at, None)),
            accepted_because: accepted.map(|(_, _, reason)| reason.clone()),
        }))
    }

    /// Who applied for the use of a batch, and who approved it: everyone of a unit whose grant was open while it was loaded.
    fn users_of(&self, row: &Batch, unit: Option<&str>, people: &mut People) -> Result<()> {
        let Some(from) = row.times.get(BatchState::Loaded.word()).copied() else { return Ok(()) };
        let to = [BatchState::Due, BatchState::Condemned, BatchState::Destroyed]
            .into_iter()
            .find_map(|state| row.times.get(state.word()).copied());
        let to = to.unwrap_or_else(|| self.now());
        let grants = self.engine.view.grants.iter();
        for (_, grant) in grants.filter(|(_, grant)| grant.terms.link == row.link) {
            let Some(approved) = grant.approved else { continue };
            if !self.is_of(row, &grant, unit) {
                continue;
            }
            if approved.at <= to && grant.terms.until >= from {
                once(&mut people.handlers, self.seal(grant.applied)?);
                once(&mut people.supervisors, self.seal(approved)?);
            }
        }
        Ok(())
    }

    /// Whether a grant stands in the row of a unit.
    fn is_of(&self, row: &Batch, grant: &Grant, unit: Option<&str>) -> bool {
        let holder = (grant.terms.holder.as_str(), grant.applied.seq);
        self.stands_in(row, grant.terms.unit.as_ref(), holder, unit)
    }

    /// Whether what is a unit's, or else what somebody did in an entry, stands in the row of a unit: it is that unit's, or he
    /// was there then. What neither says a unit of the batch of stands in all of its rows.
    fn stands_in(
        &self,
        row: &Batch,
        own: Option<&String>,
        (by, entry): (&str, u64),
        unit: Option<&str>,
    ) -> bool {
        let at = self.engine.view.person(by, entry).was.unit;
        let has = |unit: &&String| row.rows.iter().any(|one| one.unit.as_deref() == Some(unit));
        let of = own.filter(has).or(at.as_ref().filter(has));
        of.is_none_or(|of| unit == Some(of.as_str()))
    }

    /// Who brought the key that opened a batch, where a person did, and how it came.
    pub(super) fn key_of(&self, row: &Batch) -> Option<(Option<Seal>, String)> {
        let (_, key) = self.engine.view.key_of(row)?;
        let person = (*key.by != *AGENT).then(|| self.sealed(&key.by, key.at, None));
        Some((person, key.channel.to_string()))
    }
}

/// One seal for each account: the first time counts.
fn once(seals: &mut Vec<Seal>, seal: Seal) {
    if seals.iter().all(|one| one.account != seal.account) {
        seals.push(seal);
    }
}
