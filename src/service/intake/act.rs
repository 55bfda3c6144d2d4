//! What people do with a batch between its arrival and its use, as plain data.

use serde::{Deserialize, Serialize};

use crate::domain::{accounts::Act, ids::BatchId, intake::Compared};

/// An act about a batch before its use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum IntakeAct {
    /// `batch provide`.
    Provide {
        /// The batch.
        batch: BatchId,
        /// Number of the document by which it is asked for.
        doc_no: Option<String>,
    },
    /// `batch confirm`.
    Confirm {
        /// The batch.
        batch: BatchId,
    },
    /// `batch compare`.
    Compare {
        /// The batch.
        batch: BatchId,
        /// 申請筆數; what the provider stated, where nothing is said.
        applied: Option<u64>,
        /// What it came to.
        result: Compared,
        /// What there is to say about it.
        note: Option<String>,
    },
    /// `batch accept`.
    Accept {
        /// The batch.
        batch: BatchId,
        /// Why.
        reason: String,
    },
}

impl IntakeAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Provide { .. } => "batch provide",
            Self::Confirm { .. } => "batch confirm",
            Self::Compare { .. } => "batch compare",
            Self::Accept { .. } => "batch accept",
        }
    }

    /// Whether it decides on something.
    #[must_use]
    pub const fn decides(&self) -> bool {
        !matches!(self, Self::Compare { .. })
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Provide { .. } => Act::Provide,
            Self::Confirm { .. } => Act::Keep,
            Self::Compare { .. } => Act::Use,
            Self::Accept { .. } => Act::DecideUse,
        }
    }

    /// The batch.
    #[must_use]
    pub const fn batch(&self) -> BatchId {
        match self {
            Self::Provide { batch, .. }
            | Self::Confirm { batch }
            | Self::Compare { batch, .. }
            | Self::Accept { batch, .. } => *batch,
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Provide { doc_no, .. } => doc_no.as_deref().unwrap_or_default(),
            Self::Confirm { .. } => "",
            Self::Compare { note, .. } => note.as_deref().unwrap_or_default(),
            Self::Accept { reason, .. } => reason,
        }
    }
}
