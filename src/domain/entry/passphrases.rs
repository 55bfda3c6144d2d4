//! Entries about passphrases that a provider uses for long. Wire forms, as `entry.rs` says. That one came is told like the
//! coming of every key (`take-key`), under [`STANDING_NUMBER`] in place of a batch number.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::ids::KeyId;

/// What stands in place of a batch number: no batch can have it.
pub const STANDING_NUMBER: &str = "*";

/// A second person put a standing passphrase in force; the one before it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassphraseConfirmed {
    /// The link.
    pub link: String,
    /// The passphrase.
    pub key: KeyId,
    /// The signed decision.
    pub signed: Signed,
}

/// A standing passphrase is over, and so is one that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassphraseEnded {
    /// The link.
    pub link: String,
    /// Why.
    pub reason: String,
    /// The signed command.
    pub signed: Option<Signed>,
}
