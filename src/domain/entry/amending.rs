//! Entries that amend what an older one says, or note something about it. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::amending::AmendField;

/// Somebody proposes to amend what an entry says; the old value stays where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactAmended {
    /// The entry.
    pub entry: u64,
    /// Its kind.
    pub kind: String,
    /// Id of what it is about.
    pub object: String,
    /// What is amended.
    pub field: AmendField,
    /// What it says, as it was last amended.
    pub from: String,
    /// What it should say.
    pub to: String,
    /// Why.
    pub reason: String,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A second person confirmed an amendment: it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmendmentConfirmed {
    /// The entry of the amendment.
    pub amendment: u64,
    /// The signed decision.
    pub signed: Signed,
}

/// Somebody noted something about an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteAdded {
    /// The entry.
    pub entry: u64,
    /// The note.
    pub text: String,
    /// The signed command.
    pub signed: Option<Signed>,
}
