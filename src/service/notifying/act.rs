//! What people do about deliveries before they are batches, as plain data.

use serde::{Deserialize, Serialize};

use crate::domain::{
    accounts::Act,
    digest::Digest,
    entry::{AnnouncedFacts, NoticeFacts},
    ids::{BatchId, NoticeId},
    view::View,
};

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeOf {
    /// A delivery of this link that has not come: the row whose document it is, or a new one.
    Link(String),
    /// A row.
    Row(NoticeId),
    /// A batch.
    Batch(BatchId),
}

/// What a letter says, as it is typed. The row's own id is the number of a batch whose letter names none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    /// The link.
    pub link: String,
    /// The row that it goes on with, where one is named.
    pub row: Option<NoticeId>,
    /// Whether the letter names a number.
    pub numbered: bool,
    /// What it says.
    pub facts: AnnouncedFacts,
}

/// An act about a delivery before it is a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NoticeAct {
    /// `batch notice`.
    Give {
        /// What it is about.
        of: NoticeOf,
        /// The notice.
        facts: NoticeFacts,
    },
    /// `batch announce`.
    Announce {
        /// What was typed.
        typed: Box<Typed>,
    },
    /// `batch announce-confirm`.
    Confirm {
        /// The row.
        notice: NoticeId,
    },
    /// `batch announce-withdraw`, of a letter or of a notice.
    Withdraw {
        /// The row.
        notice: NoticeId,
        /// Why.
        reason: String,
    },
    /// `batch join`.
    Join {
        /// The row.
        notice: NoticeId,
        /// The batch.
        batch: BatchId,
    },
}

impl NoticeAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Give { .. } => "batch notice",
            Self::Announce { .. } => "batch announce",
            Self::Confirm { .. } => "batch announce-confirm",
            Self::Withdraw { .. } => "batch announce-withdraw",
            Self::Join { .. } => "batch join",
        }
    }

    /// Whether it decides on something.
    #[must_use]
    pub const fn decides(&self) -> bool {
        matches!(self, Self::Confirm { .. })
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Give { .. } => Act::GiveNotice,
            Self::Announce { .. } | Self::Withdraw { .. } | Self::Join { .. } => Act::Keep,
            Self::Confirm { .. } => Act::ConfirmAnnouncement,
        }
    }

    /// The entry that is decided on.
    #[must_use]
    pub fn decided(&self, view: &View) -> Option<Digest> {
        let Self::Confirm { notice } = self else { return None };
        Some(view.notices.rows.get(notice)?.announcement.as_ref()?.mark.digest)
    }

    /// What it is about.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::Give { of: NoticeOf::Link(link), .. } => link.clone(),
            Self::Give { of: NoticeOf::Batch(batch), .. } => batch.to_string(),
            Self::Give { of: NoticeOf::Row(notice), .. }
            | Self::Confirm { notice }
            | Self::Withdraw { notice, .. }
            | Self::Join { notice, .. } => notice.to_string(),
            Self::Announce { typed } => typed.link.clone(),
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Give { facts, .. } => facts.doc_no.as_deref().unwrap_or_default(),
            Self::Announce { typed } => &typed.facts.doc_no,
            Self::Withdraw { reason, .. } => reason,
            Self::Confirm { .. } | Self::Join { .. } => "",
        }
    }
}
