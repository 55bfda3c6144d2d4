//! What people do about hand-overs, as plain data.

use serde::{Deserialize, Serialize};

use crate::domain::{
    accounts::Act,
    entry::{Custody, EndFacts, HeldFacts},
    ids::{BatchId, HandoverId},
    time::Timestamp,
};

/// What is handed on: a batch, or a link's current view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handed {
    /// One batch.
    Batch(BatchId),
    /// The current view of a link.
    Link(String),
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// What.
    pub of: Handed,
    /// To whom.
    pub recipient: String,
    /// The fields; all of the link's where empty.
    pub fields: Vec<String>,
    /// 使用目的.
    pub purpose: String,
    /// Case basis.
    pub basis: String,
    /// The channel of the data.
    pub channel: String,
    /// The channel of the key.
    pub key_channel: Option<String>,
    /// When the recipient's use ends.
    pub until: Timestamp,
}

/// An act about what is handed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum HandoverAct {
    /// `handover request`.
    Request {
        /// What is asked for.
        asked: Asked,
    },
    /// `handover approve`.
    Approve {
        /// The hand-over.
        handover: HandoverId,
        /// Number of the provider's document.
        doc_no: Option<String>,
        /// Number of the document that allows that data leave the premises.
        exception: Option<String>,
    },
    /// `handover deny`.
    Deny {
        /// The hand-over.
        handover: HandoverId,
        /// Why.
        reason: String,
    },
    /// `handover make`.
    Make {
        /// The hand-over.
        handover: HandoverId,
    },
    /// `handover confirm`.
    Confirm {
        /// The hand-over.
        handover: HandoverId,
        /// Number of the recipient's document.
        doc_no: String,
        /// The day.
        on: Timestamp,
    },
    /// `media export`.
    Export {
        /// The hand-over.
        handover: HandoverId,
        /// What is known of the medium.
        facts: HeldFacts,
        /// Its way from here.
        custody: Custody,
    },
    /// `media import`.
    Import {
        /// The link.
        link: String,
        /// The folder's name in the inbox: one of our own.
        folder: String,
        /// What is known of the medium.
        facts: HeldFacts,
        /// Its way here.
        custody: Custody,
    },
    /// `handover returned`.
    Returned {
        /// The hand-over.
        handover: HandoverId,
        /// Number of the recipient's letter.
        letter: String,
        /// How it was destroyed.
        end: EndFacts,
        /// Certificates that the recipient's own Batchward issued.
        certificates: Vec<String>,
    },
}

impl HandoverAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Request { .. } => "handover request",
            Self::Approve { .. } => "handover approve",
            Self::Deny { .. } => "handover deny",
            Self::Make { .. } => "handover make",
            Self::Confirm { .. } => "handover confirm",
            Self::Export { .. } => "media export",
            Self::Import { .. } => "media import",
            Self::Returned { .. } => "handover returned",
        }
    }

    /// Whether it decides on something.
    #[must_use]
    pub const fn decides(&self) -> bool {
        matches!(self, Self::Approve { .. } | Self::Deny { .. })
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Request { .. } => Act::Use,
            Self::Approve { .. } | Self::Deny { .. } => Act::DecideCopy,
            Self::Make { .. }
            | Self::Confirm { .. }
            | Self::Export { .. }
            | Self::Import { .. }
            | Self::Returned { .. } => Act::KeepCopies,
        }
    }

    /// The hand-over that it is about; none of one that is asked for.
    #[must_use]
    pub const fn handover(&self) -> Option<HandoverId> {
        match self {
            Self::Request { .. } | Self::Import { .. } => None,
            Self::Approve { handover, .. }
            | Self::Deny { handover, .. }
            | Self::Make { handover }
            | Self::Confirm { handover, .. }
            | Self::Export { handover, .. }
            | Self::Returned { handover, .. } => Some(*handover),
        }
    }

    /// What it is about.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::Request { asked } => match &asked.of {
                Handed::Batch(batch) => batch.to_string(),
                Handed::Link(link) => link.clone(),
            },
            Self::Import { link, .. } => link.clone(),
            other => other.handover().map(|id| id.to_string()).unwrap_or_default(),
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Request { asked } => &asked.purpose,
            Self::Approve { doc_no, .. } => doc_no.as_deref().unwrap_or_default(),
            Self::Deny { reason, .. } => reason,
            Self::Confirm { doc_no, .. } => doc_no,
            Self::Returned { letter, .. } => letter,
            Self::Make { .. } | Self::Export { .. } | Self::Import { .. } => "",
        }
    }
}
