//! What a policy says of a batch between its arrival and its use, and of the least time for which data are kept.

use super::{Rule, build::Held};
use crate::domain::{
    intake::{CompareRule, ConfirmAt, Gate, Seal},
    time::Period,
};

/// Rules of intake, as far as a policy has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntakeRule {
    /// Whose seals a batch needs before it is provided (TPH-6.2).
    pub provide: Option<Rule<Vec<Seal>>>,
    /// When a custodian confirms it (TY-4.2.1).
    pub confirm: Option<Rule<ConfirmAt>>,
    /// When its counts may be called the same (TPH-6.3); where it is there, nothing is handed on without a comparison.
    pub compare: Option<Rule<CompareRule>>,
    /// How long loaded data are kept at least (TPH-5.5c, as it is read by whoever put it in force).
    pub min_keep: Option<Rule<Period>>,
}

impl IntakeRule {
    pub(super) fn of(held: &Held) -> Self {
        Self {
            provide: held.words("intake.provide", Seal::parse),
            confirm: held.word("intake.confirm", ConfirmAt::parse),
            compare: held.word("intake.compare_rule", CompareRule::parse),
            min_keep: held.period("data.min_keep"),
        }
    }

    /// Whether nothing loads before a custodian has confirmed it.
    #[must_use]
    pub fn confirms_before_load(&self) -> bool {
        self.confirm.as_ref().is_some_and(|rule| rule.value == ConfirmAt::BeforeLoad)
    }

    /// What a batch that is loaded now waits for; the seals in the order of the form, whatever that of the file.
    #[must_use]
    pub fn gate(&self) -> Option<Gate> {
        let asked = |seal: &&Seal| self.provide.iter().any(|rule| rule.value.contains(seal));
        let provide = Seal::ALL.iter().filter(asked).copied().collect();
        let confirm = self.confirm.as_ref().is_some_and(|rule| rule.value == ConfirmAt::AfterLoad);
        let gate = Gate { provide, confirm };
        (!gate.is_open()).then_some(gate)
    }
}
