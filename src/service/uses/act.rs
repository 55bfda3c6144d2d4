//! What people say of the end of their use, as plain data.

use serde::{Deserialize, Serialize};

use crate::domain::{accounts::Act, entry::Statement, ids::BatchId, time::Timestamp};

/// A statement about the end of a use, or the end of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum UseAct {
    /// `use complete --batch`.
    Complete {
        /// The batch.
        batch: BatchId,
        /// The unit; the account's own, where none is named.
        unit: Option<String>,
    },
    /// `use no-need`.
    NoNeed {
        /// The batch.
        batch: BatchId,
        /// The unit; the account's own, where none is named.
        unit: Option<String>,
    },
    /// `use keep`.
    Keep {
        /// The batch.
        batch: BatchId,
        /// The unit; the account's own, where none is named.
        unit: Option<String>,
        /// Why.
        reason: String,
        /// Until when.
        until: Timestamp,
    },
    /// `use withdraw`.
    Withdraw {
        /// What.
        of: Statement,
        /// Why.
        reason: String,
    },
    /// `use confirm`.
    Confirm {
        /// The same statement.
        of: Statement,
    },
}

impl UseAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Complete { .. } => "use complete",
            Self::NoNeed { .. } => "use no-need",
            Self::Keep { .. } => "use keep",
            Self::Withdraw { .. } => "use withdraw",
            Self::Confirm { .. } => "use confirm",
        }
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Confirm { .. } => Act::DecideUse,
            _ => Act::Use,
        }
    }

    /// What it states, or what it takes back.
    #[must_use]
    pub fn statement(&self) -> Statement {
        match self {
            Self::Complete { batch, unit }
            | Self::NoNeed { batch, unit }
            | Self::Keep { batch, unit, .. } => {
                Statement::Batch { batch: *batch, unit: unit.clone() }
            }
            Self::Withdraw { of, .. } | Self::Confirm { of } => of.clone(),
        }
    }

    /// What it is about.
    #[must_use]
    pub fn object(&self) -> String {
        match self.statement() {
            Statement::Grant(grant) => grant.to_string(),
            Statement::Batch { batch, .. } => batch.to_string(),
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Keep { reason, .. } | Self::Withdraw { reason, .. } => reason,
            Self::Complete { .. } | Self::NoNeed { .. } | Self::Confirm { .. } => "",
        }
    }
}
