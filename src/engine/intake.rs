//! What keeps a batch from its load and from its readers, and how long data are kept at least.

use super::Engine;
use crate::domain::{
    ids::BatchId,
    intake::Gate,
    lifecycle::BatchState,
    policy::{IntakeRule, Policy},
    time::{Period, Timestamp},
    view::Batch,
};

impl Engine {
    /// What the policy of a batch says of its intake.
    #[must_use]
    pub fn intake_rule(&self, row: &Batch) -> Option<&IntakeRule> {
        let policy = self.rules.policy_for(&row.link, &row.facts.policy)?;
        Some(&policy.further.intake)
    }

    /// Whether nothing loads of a verified batch before a custodian has confirmed it (TY-4.2.1).
    #[must_use]
    pub fn awaits_confirmation(&self, id: BatchId, row: &Batch) -> bool {
        row.state == BatchState::Verified
            && self.intake_rule(row).is_some_and(IntakeRule::confirms_before_load)
            && !self.view.is_confirmed(id)
    }

    /// What a batch that is loaded now waits for before anybody reads it.
    pub(super) fn gate_of(&self, id: BatchId) -> Option<Gate> {
        let row = self.view.batches.get(&id)?;
        self.intake_rule(&row)?.gate()
    }

    /// Until when a loaded batch is kept at least, and the clause; nothing where no policy asks for it.
    #[must_use]
    pub fn kept_at_least(&self, row: &Batch) -> Option<(Timestamp, String)> {
        let policy = self.rules.policy_for(&row.link, &row.facts.policy)?;
        least(policy, row, self.rules.zone)
    }
}

/// Until when a loaded batch is kept at least by a policy.
#[must_use]
pub fn least(policy: &Policy, row: &Batch, zone: chrono_tz::Tz) -> Option<(Timestamp, String)> {
    let rule = policy.further.intake.min_keep.as_ref().filter(|rule| rule.value != Period::ZERO)?;
    let loaded = row.times.get(BatchState::Loaded.word()).copied()?;
    Some((rule.value.after(loaded, zone), rule.clause.clone()))
}
