//! What entries say of the end of keys that seal the access log. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{digest::Digest, ids::AccessOrderId, time::Timestamp};

/// Somebody requests the end of keys whose retention is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRequested {
    /// Its id.
    pub order: AccessOrderId,
    /// The link.
    pub link: String,
    /// The months, such as `2026-11`.
    pub months: Vec<String>,
    /// Until when the last of them had to be kept.
    pub kept_until: Timestamp,
    /// The policy's clause.
    pub clause: String,
    /// Why.
    pub reason: String,
    /// Digest of the policies in force.
    pub policy: Digest,
    /// It is void after this.
    pub expires: Timestamp,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// The second person agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessApproved {
    /// The order.
    pub order: AccessOrderId,
    /// The signed decision.
    pub signed: Signed,
}

/// The second person refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessDenied {
    /// The order.
    pub order: AccessOrderId,
    /// Why.
    pub reason: String,
    /// The signed decision.
    pub signed: Signed,
}

/// It lost its force: `hold`, `expired`, `policy-changed`, `retention`, `approver-disabled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessVoided {
    /// The order.
    pub order: AccessOrderId,
    /// Why.
    pub code: String,
}
