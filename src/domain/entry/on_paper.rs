//! Entries about decisions on paper. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{
    digest::Digest,
    ids::DocumentId,
    on_paper::{Ruling, Subject},
    time::Timestamp,
};

/// Somebody typed a decision from a signed document; it does not count before another one confirmed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionEntered {
    /// What is decided on.
    pub subject: Subject,
    /// What was decided.
    pub ruling: Ruling,
    /// Who decided, by the document: an account.
    pub approver: String,
    /// Number of the document.
    pub doc_no: String,
    /// Its day.
    pub on: Timestamp,
    /// The scan of it, among the papers that are kept.
    pub document: DocumentId,
    /// SHA-256 of the scan.
    pub sha256: Digest,
    /// Digest of what was decided on, from which the code on the slip is made.
    pub object_digest: Digest,
    /// The code, as it stands on the slip.
    pub code: String,
    /// Why it was denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A second person has seen the document: the decision counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionConfirmed {
    /// What is decided on.
    pub subject: Subject,
    /// The entry of what was typed.
    pub proposal: u64,
    /// Nothing is wiped before this, where the policy gives time to think again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The signed decision.
    pub signed: Signed,
}
