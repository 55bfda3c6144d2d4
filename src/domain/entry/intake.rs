//! Entries about a batch between its arrival and its use. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{
    ids::BatchId,
    intake::{Compared, Seal},
};

/// Somebody put his seal to the form by which a batch is provided (TPH-6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchSealed {
    /// The batch.
    pub batch: BatchId,
    /// Whose seal.
    pub seal: Seal,
    /// Number of the document by which it was asked for; of the first seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_no: Option<String>,
    /// The signed decision.
    pub signed: Signed,
}

/// A custodian found a batch whole (TY-4.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchConfirmed {
    /// The batch.
    pub batch: BatchId,
    /// The signed decision.
    pub signed: Signed,
}

/// A handler compared what was applied for with what came (TPH-6.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchCompared {
    /// The batch.
    pub batch: BatchId,
    /// 申請筆數.
    pub applied: u64,
    /// 實收筆數.
    pub received: u64,
    /// 匯入筆數.
    pub loaded: u64,
    /// 剔退筆數.
    pub rejected: u64,
    /// What it came to.
    pub result: Compared,
    /// What there is to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A supervisor lets a batch be handed on whose counts did not match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MismatchAccepted {
    /// The batch.
    pub batch: BatchId,
    /// The comparison's entry.
    pub comparison: u64,
    /// Why.
    pub reason: String,
    /// The signed decision.
    pub signed: Signed,
}
