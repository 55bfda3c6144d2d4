//! What batches ask for between their arrival and their use, and at the end of that, so that nobody stalls them.

use crate::{
    domain::{
        accounts::Act,
        duty::{Duty, DutyCode},
        ids::BatchId,
        intake::{ConfirmAt, Seal},
        lifecycle::BatchState,
        policy::{Policy, Rule, layers::OWN},
        time::{Period, Timestamp},
        view::{Batch, Completions, View},
    },
    engine::rules::Rules,
};

/// How long each of these may take: a week, a rule of ours.
const WITHIN: Period = Period { months: 0, days: 7, seconds: 0 };

/// Every duty of this part.
pub(in crate::service) fn duties(
    view: &View,
    rules: &Rules,
    now: Timestamp,
    _until: Timestamp,
    into: &mut Vec<Duty>,
) {
    let completions = view.completions();
    for (id, row) in view.open_batches() {
        let Some(policy) = rules.policy_for(&row.link, &row.facts.policy) else { continue };
        let asked = Asked { view, rules, policy, id, row: &row };
        asked.confirmation(into);
        asked.seals(into);
        asked.comparison(into);
        asked.needs(&completions, now, into);
    }
}

/// A batch, and what its policy asks for.
struct Asked<'a> {
    view: &'a View,
    rules: &'a Rules,
    policy: &'a Policy,
    id: BatchId,
    row: &'a Batch,
}

impl Asked<'_> {
    fn duty(&self, code: DutyCode, object: String, start: Timestamp) -> Duty {
        let end = WITHIN.after(start, self.rules.zone);
        let due = Timestamp::end_of_day(end.date_in(self.rules.zone), self.rules.zone);
        Duty::of(code, object, start, due).on(Some(&self.row.link))
    }

    fn by<T>(&self, duty: Duty, rule: Option<&Rule<T>>) -> Duty {
        duty.by(rule.map_or(OWN, |rule| &rule.clause), Some(&self.policy.name))
    }

    fn loaded(&self) -> Option<Timestamp> {
        self.row.times.get(BatchState::Loaded.word()).copied()
    }

    fn confirmation(&self, into: &mut Vec<Duty>) {
        let rule = self.policy.further.intake.confirm.as_ref();
        let before = self.row.times.get(BatchState::Verified.word()).copied();
        let start = match rule.map(|rule| rule.value) {
            Some(ConfirmAt::BeforeLoad) => before,
            _ => self
                .row
                .load
                .as_ref()
                .and_then(|load| load.gate.as_ref())
                .and_then(|gate| if gate.confirm { self.loaded() } else { None }),
        };
        let done = self.view.intake_of(self.id).and_then(|done| done.confirmed.as_ref());
        let done = done.map(|(_, at)| *at);
        let Some(start) = start.filter(|_| done.is_some() || self.is_in_use()) else { return };
        let (id, code) = (self.id, DutyCode::ConfirmBatch);
        let duty = self.by(self.duty(code, id.to_string(), start), rule);
        into.push(duty.to(Act::Keep, format!("batch confirm {id}")).done(done));
    }

    /// What is over or was refused asks for nothing any more.
    fn is_in_use(&self) -> bool {
        matches!(self.row.state, BatchState::Verified | BatchState::Loaded)
    }

    fn seals(&self, into: &mut Vec<Duty>) {
        let gate = self.row.load.as_ref().and_then(|load| load.gate.as_deref());
        let asked = gate.map(|gate| gate.provide.as_slice()).unwrap_or_default();
        let Some(loaded) = self.loaded() else { return };
        let done = self.view.intake_of(self.id).map(|done| done.seals.as_slice());
        let rule = self.policy.further.intake.provide.as_ref();
        let mut start = loaded;
        for seal in asked {
            let sealed = done.unwrap_or_default().iter().find(|one| one.seal == *seal);
            let sealed = sealed.map(|one| one.mark.at);
            if sealed.is_none() && !self.is_in_use() {
                return;
            }
            let (id, object) = (self.id, format!("{} {seal}", self.id));
            let command = match seal {
                Seal::Handler => format!("batch provide {id} --doc-no NO"),
                Seal::Custodian | Seal::Supervisor => format!("batch provide {id}"),
            };
            let duty = self.by(self.duty(DutyCode::ProvideBatch, object, start), rule);
            into.push(duty.for_roles(&[seal.role()], command).done(sealed));
            // Whose turn has not come owes nothing yet.
            let Some(at) = sealed else { return };
            start = at;
        }
    }

    fn comparison(&self, into: &mut Vec<Duty>) {
        let Some(rule) = self.policy.further.intake.compare.as_ref() else { return };
        let Some(start) = self.view.provided(self.id, self.row) else { return };
        let made = self.view.intake_of(self.id).and_then(|done| done.compared.as_ref());
        if made.is_none() && !self.is_in_use() {
            return;
        }
        let id = self.id;
        let duty = self.by(self.duty(DutyCode::CompareBatch, id.to_string(), start), Some(rule));
        let done = made.map(|made| made.mark.at);
        into.push(duty.to(Act::Use, format!("batch compare {id}")).done(done));
    }

    /// Each unit says whether there is need to keep, a week after it completed its use, and again when its need is over.
    fn needs(&self, completions: &Completions, now: Timestamp, into: &mut Vec<Duty>) {
        if self.row.state != BatchState::Loaded {
            return;
        }
        let id = self.id;
        for stand in self.view.stands_of(id, self.row, completions) {
            let unit = stand.unit.as_deref();
            let object = unit.map_or_else(|| id.to_string(), |unit| format!("{id} {unit}"));
            let words = unit.map(|unit| format!(" --unit {unit}")).unwrap_or_default();
            let duty = match (&stand.keep, stand.completed) {
                // The end of a need is its own day.
                (Some(keep), _) => {
                    Duty::of(DutyCode::StateNeed, object, keep.at.min(now), keep.until)
                        .on(Some(&self.row.link))
                }
                (None, Some(completed)) => self.duty(DutyCode::StateNeed, object, completed),
                (None, None) => continue,
            };
            let clause = &self.policy.use_rule.retention.clause;
            let duty = duty.by(clause, Some(&self.policy.name)).done(stand.no_need);
            into.push(duty.to(Act::Use, format!("use no-need {id}{words}")));
        }
    }
}
