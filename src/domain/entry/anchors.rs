//! What entries say of timestamps that came from outside. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{digest::Digest, time::Timestamp};

/// An authority's timestamp over a checkpoint of this register is kept (RFC 3161).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimestampKept {
    /// Entries of the checkpoint.
    pub size: u64,
    /// Their root.
    pub root: Digest,
    /// When it was stamped, by the authority's clock.
    pub stamped_at: Timestamp,
    /// SHA-256 of the answer's file.
    pub answer: Digest,
    /// The signed command.
    pub signed: Option<Signed>,
}
