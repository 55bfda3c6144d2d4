//! What entries say of expected deliveries. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use crate::domain::{
    expected::{ExpectationEnd, WhenOff},
    ids::BatchId,
    time::Timestamp,
};

/// A rule of a link's `expect:`, as it is written there with nothing left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedTerms {
    /// When: `monday 09:00`.
    pub every: String,
    /// What becomes of a day off.
    pub when_off: WhenOff,
    /// The kind of batch, where only one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The first day, where one is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How long before its time a delivery counts, ISO 8601.
    pub early: String,
    /// Late after, ISO 8601.
    pub late_after: String,
    /// Missing after, ISO 8601.
    pub missing_after: String,
}

/// From this entry on deliveries are expected by a rule. Its place names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectationBegun {
    /// The link.
    pub link: String,
    /// The rule.
    pub terms: ExpectedTerms,
}

/// From this entry on they are not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectationEnded {
    /// The entry that began it.
    pub expectation: u64,
    /// Why.
    pub why: ExpectationEnd,
}

/// An expected delivery has not come, and counts as missing from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryMissed {
    /// The link.
    pub link: String,
    /// The entry that began its rule.
    pub expectation: u64,
    /// Its time.
    pub due: Timestamp,
}

/// An expected delivery came, and its batch is loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryCame {
    /// The link.
    pub link: String,
    /// The entry that began its rule.
    pub expectation: u64,
    /// Its time.
    pub due: Timestamp,
    /// The batch.
    pub batch: BatchId,
}
