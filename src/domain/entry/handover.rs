//! Entries about what is handed on. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::{HeldFacts, Signed};
use crate::domain::{
    digest::Digest,
    handover::{Premises, RecipientKind},
    ids::{BatchId, CopyId, HandoverId},
    time::Timestamp,
};

/// What is to be handed on, and how. Typed by people: no personal data, which is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HandoverTerms {
    /// The link.
    pub link: String,
    /// One batch of it; the link's current view where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    /// The recipient's name.
    pub recipient: String,
    /// Its title.
    pub title: String,
    /// What it is.
    pub kind: RecipientKind,
    /// On whose premises the data will lie.
    pub premises: Premises,
    /// The fields.
    pub fields: Vec<String>,
    /// 使用目的.
    pub purpose: String,
    /// Case basis.
    pub basis: String,
    /// The channel of the data.
    pub channel: String,
    /// The channel of the key; none where the recipient has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_channel: Option<String>,
    /// The recipient's age key, where it is sealed to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_key: Option<String>,
    /// When the recipient's use ends.
    pub until: Timestamp,
    /// By when the recipient has to have destroyed it.
    pub destroy_by: Timestamp,
    /// The clause that says so.
    pub clause: String,
}

/// Somebody asks to hand data on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverRequested {
    /// Its id.
    pub handover: HandoverId,
    /// What, to whom and how.
    pub terms: HandoverTerms,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A second person agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverApproved {
    /// The hand-over.
    pub handover: HandoverId,
    /// Number of the provider's document (TY-4.2.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_no: Option<String>,
    /// Number of the document that allows that data leave the premises (TY-4.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// The signed decision.
    pub signed: Signed,
}

/// It is not made, or not made after all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverDenied {
    /// The hand-over.
    pub handover: HandoverId,
    /// Why.
    pub reason: String,
    /// The signed decision.
    pub signed: Signed,
}

/// The recipient confirmed that it has the package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverReceived {
    /// The hand-over.
    pub handover: HandoverId,
    /// Number of its document.
    pub doc_no: String,
    /// The day.
    pub on: Timestamp,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// The recipient wrote that it has destroyed what it got; the ends of the copies follow, each an entry of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverReturned {
    /// The hand-over.
    pub handover: HandoverId,
    /// Number of its letter.
    pub letter: String,
    /// SHA-256 of what it sent along; the files stay in the office.
    pub evidence: Vec<Digest>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// One batch that a package is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackagePart {
    /// The batch.
    pub batch: BatchId,
    /// Its vault.
    pub vault: CopyId,
    /// The package, as a copy of this batch.
    pub copy: CopyId,
}

/// What a package is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PackageFacts {
    /// Records in it.
    pub records: u64,
    /// Bytes of its data file.
    pub bytes: u64,
    /// SHA-256 of that.
    pub sha256: Digest,
    /// SHA-256 of its manifest.
    pub manifest: Digest,
    /// Fingerprint of the key that goes by the other channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Digest>,
}

/// From whose hand a medium came, and by whose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Custody {
    /// Who gave it.
    pub from: String,
    /// Who carried it.
    pub carrier: String,
    /// The day.
    pub on: Timestamp,
}

/// A delivery is about to come from a medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaArriving {
    /// The link.
    pub link: String,
    /// HMAC of the folder's name under the link's key.
    pub name_mac: Digest,
    /// What is known of the medium.
    pub facts: HeldFacts,
    /// Its way here.
    pub custody: Custody,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A package is carried away on a medium, which the entries before declare as a copy of each batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaCarried {
    /// The hand-over.
    pub handover: HandoverId,
    /// The copies.
    pub copies: Vec<CopyId>,
    /// Its way from here.
    pub custody: Custody,
}
