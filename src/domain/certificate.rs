//! Destruction as it is stated: the levels of assurance.
//!
//! A level is what was proven, never what is likely; the level of several copies is the lowest among them. This
//! file does not decide which level a wipe reached: the one wipe primitive does.

use std::fmt;

mod attested;
mod decided;
mod paper;
mod words;

pub use attested::{AttestedCopy, MovedTo};
pub use decided::PaperApproval;
pub use paper::{
    Certificate, CertificateFault, CertifiedCopy, FurtherApproval, LeftOut, NAMESPACE, Person,
    Proof, StandingPaper, Stopped, sign,
};
use serde::{Deserialize, Serialize};
pub use words::{InBoth, Why, limit_zh, why};

/// How far it is proven that nothing of a copy can be read again (DESIGN 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Assurance {
    /// Deleted only.
    L0,
    /// Overwritten; that the overwrite hit the same place on the medium is not provable.
    L1,
    /// Overwritten in the same extents, and read back.
    L2,
    /// Only ciphertext was ever on the medium, and its key is destroyed.
    L3,
    /// L3, L2 and trim.
    L4,
}

impl Assurance {
    /// The level in words, for people.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::L0 => "deleted only",
            Self::L1 => "overwritten, place not provable",
            Self::L2 => "overwritten in the same extents, read back",
            Self::L3 => "only ciphertext was on the medium, key destroyed",
            Self::L4 => "only ciphertext was on the medium, key destroyed, overwritten, trimmed",
        }
    }

    /// Whether "cannot be recovered" may be printed.
    #[must_use]
    pub const fn is_unrecoverable(self) -> bool {
        matches!(self, Self::L3 | Self::L4)
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn levels_are_ordered_and_written_by_their_names() {
        let levels = [Assurance::L0, Assurance::L1, Assurance::L2, Assurance::L3, Assurance::L4];
        assert!(levels.is_sorted());
        for (number, level) in levels.into_iter().enumerate() {
            assert_eq!(serde_json::to_string(&level).unwrap(), format!("\"L{number}\""));
            assert_eq!(level.to_string(), format!("L{number}"));
            assert_eq!(level.is_unrecoverable(), number >= 3);
        }
    }
}
