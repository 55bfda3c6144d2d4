//! Entries about the end of the use of a batch, unit by unit. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{
    ids::{BatchId, GrantId},
    time::Timestamp,
};

/// A unit has completed its use of one batch (使用完竣), whatever grants it has for others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitCompleted {
    /// The batch.
    pub batch: BatchId,
    /// The unit.
    pub unit: String,
    /// The signed decision.
    pub signed: Signed,
}

/// A unit needs a batch to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeedStated {
    /// The batch.
    pub batch: BatchId,
    /// The unit; everybody, where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
    /// The signed decision.
    pub signed: Signed,
}

/// What a statement was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Statement {
    /// That the use under a grant is completed.
    Grant(GrantId),
    /// What a unit, or everybody, said of a batch.
    Batch {
        /// The batch.
        batch: BatchId,
        /// The unit; everybody, where none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
    },
}

/// A mistaken statement is to be taken back. Where an order rests on it, it waits for a second person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseWithdrawn {
    /// Which.
    pub of: Statement,
    /// Why.
    pub reason: String,
    /// Whether a second person has to confirm it first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// The signed decision.
    pub signed: Signed,
}

/// A second person confirmed that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalConfirmed {
    /// The proposal's entry.
    pub proposal: u64,
    /// The signed decision.
    pub signed: Signed,
}

/// Questions are taken out of a service's budget before they are answered, many at a time: what a stop leaves of them is
/// lost and never asked twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetDrawn {
    /// The grant.
    pub grant: GrantId,
    /// All that were taken out since it was approved, these among them.
    pub drawn: u64,
}
