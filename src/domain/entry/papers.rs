//! Entries about papers that are kept for inspection. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{
    digest::Digest,
    ids::DocumentId,
    papers::{BackupResult, PaperKind},
    time::Timestamp,
};

/// Where a paper was sent, and by which letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SentTo {
    /// The office.
    pub office: String,
    /// Number of the letter.
    pub letter: String,
}

/// A paper is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperKept {
    /// Its id.
    pub document: DocumentId,
    /// What it is.
    pub kind: PaperKind,
    /// Its number.
    pub doc_no: String,
    /// Its day.
    pub on: Timestamp,
    /// SHA-256 of the file, under which it lies in the state.
    pub sha256: Digest,
    /// Its size in bytes.
    pub bytes: u64,
    /// Where it was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent_to: Vec<SentTo>,
    /// Until when it is in force, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// Somebody looked at what backups hold (NTP-4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupReviewed {
    /// What it came to.
    pub result: BackupResult,
    /// Number of the document about it.
    pub doc_no: String,
    /// The signed command.
    pub signed: Option<Signed>,
}
