//! Entries about copies that people keep. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{
    digest::Digest,
    ids::{BatchId, CopyId, OrderId},
    inventory::{HeldKind, Medium, Method},
    time::Timestamp,
};

/// What is known of a copy that people keep. Typed by people: no personal data, which is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HeldFacts {
    /// What it is.
    pub kind: HeldKind,
    /// What it lies on.
    pub medium: Medium,
    /// Who keeps it: an account, or an office.
    pub holder: String,
    /// Where it is kept.
    pub place: String,
    /// How it is locked away (TY-4.2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Serial number of the medium.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its maker and model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The office's own number of it (財產編號).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_no: Option<String>,
    /// Pieces or sheets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pieces: Option<u64>,
    /// By when it is to be destroyed, where that is before the batch is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_by: Option<Timestamp>,
    /// SHA-256 of its file, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// Bytes of its file, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// Who keeps a copy, and where. Typed by people: no personal data, which is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptAt {
    /// Who: an account, or an office.
    pub holder: String,
    /// Where.
    pub place: String,
}

/// Somebody asks to make a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyRequested {
    /// Its id.
    pub copy: CopyId,
    /// The batch.
    pub batch: BatchId,
    /// What it will be.
    pub kind: HeldKind,
    /// What it will lie on.
    pub medium: Medium,
    /// Why.
    pub reason: String,
    /// By when it will be destroyed, where that is before the batch is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_by: Option<Timestamp>,
    /// Who will keep it and where, of a file that the agent writes: known before its first byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptAt>,
    /// Whether the policy asks nobody: it is agreed to with this entry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub free: bool,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// An office agreed to a copy (TY-4.2.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyApproved {
    /// The copy.
    pub copy: CopyId,
    /// Number of the office's document.
    pub doc_no: String,
    /// The signed decision.
    pub signed: Signed,
}

/// A copy was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyDenied {
    /// The copy.
    pub copy: CopyId,
    /// Why.
    pub reason: String,
    /// The signed decision.
    pub signed: Signed,
}

/// A copy is not made after all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyWithdrawn {
    /// The copy.
    pub copy: CopyId,
    /// Why.
    pub reason: String,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A copy that people keep is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyDeclared {
    /// The copy: one that was asked for, or a new one.
    pub copy: CopyId,
    /// The batch.
    pub batch: BatchId,
    /// What is known of it.
    pub facts: HeldFacts,
    /// Whether the policy wanted it approved and it was not: it is there all the same, and told as that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unapproved: bool,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A copy that people keep has another place or holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyMoved {
    /// The copy.
    pub copy: CopyId,
    /// Who keeps it now.
    pub holder: String,
    /// Where it is kept now.
    pub place: String,
    /// How it is locked away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// How a copy that people keep was destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndFacts {
    /// How.
    pub method: Method,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub place: String,
    /// Who did it: an account, or the firm and its person.
    pub performer: String,
    /// With what: the shredder, the degausser, the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// SHA-256 of the photographs or the firm's certificate; the files stay in the office.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Digest>,
    /// The document that allows the medium to stay in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse_doc_no: Option<String>,
}

/// A copy that people keep was destroyed, as one of them says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndRecorded {
    /// The order that covers it.
    pub order: OrderId,
    /// The copy.
    pub copy: CopyId,
    /// How.
    pub end: EndFacts,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A second person, who was there (會同監毀), vouches for that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndConfirmed {
    /// The order.
    pub order: OrderId,
    /// The copy.
    pub copy: CopyId,
    /// The record's entry.
    pub proposal: u64,
    /// The signed decision.
    pub signed: Signed,
}

/// What was needed of a batch is printed and filed with its case (列印隨案附卷, TPH-5.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filed {
    /// The batch.
    pub batch: BatchId,
    /// Number of the document that it is filed with.
    pub doc_no: String,
    /// The signed decision.
    pub signed: Signed,
}
