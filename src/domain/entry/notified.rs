//! Entries about deliveries before they are batches: notices, and what a letter announced. Wire forms, as `entry.rs`
//! says. A pattern of file names is what a custodian typed; the names that came are in no entry.

use serde::{Deserialize, Serialize};

use super::{LinkFacts, Signed, facts::kind_word};
use crate::domain::{
    digest::Digest,
    ids::{BatchId, NoticeId},
    manifest::Kind,
    notified::{NoticeChannel, NoticeStage},
    time::Timestamp,
};

/// One notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoticeFacts {
    /// Who told whom.
    pub stage: NoticeStage,
    /// How.
    pub channel: NoticeChannel,
    /// When.
    pub at: Timestamp,
    /// Number of the letter; none where nothing was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_no: Option<String>,
}

impl NoticeFacts {
    /// Whether two people say the same: who told whom, when, and by which letter.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (self.stage, self.at, &self.doc_no) == (other.stage, other.at, &other.doc_no)
    }
}

/// A notice was given: it opens a row, or goes on with one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeGiven {
    /// The row.
    pub notice: NoticeId,
    /// The link.
    pub link: String,
    /// The batch whose row it is from now on, where that is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    /// The notice.
    pub facts: NoticeFacts,
    /// What the link says, where this opens rows of the printed register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<Box<LinkFacts>>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// What a letter says of a delivery that has no manifest of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncedFacts {
    /// Number of the letter.
    pub doc_no: String,
    /// Its date: 提供機關通知時間.
    pub notified_at: Timestamp,
    /// The number that the batch gets.
    pub number: String,
    /// Full file or delta.
    #[serde(with = "kind_word")]
    pub kind: Kind,
    /// Number of a delta.
    pub sequence: u64,
    /// Records over all files.
    pub records: u64,
    /// 申請筆數.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<u64>,
    /// The time that the data stand for, where it is not that of the letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// The batch that it corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Which names are its files: see [`crate::domain::notified::is_meant`].
    pub files: String,
    /// SHA-256 of its files as delivered, in no order; none where the letter states none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sha256: Vec<Digest>,
}

/// A letter was typed. It counts once a second person has read it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryAnnounced {
    /// The row.
    pub notice: NoticeId,
    /// The link.
    pub link: String,
    /// What it says.
    pub facts: AnnouncedFacts,
    /// What the link says, where this opens rows of the printed register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<Box<LinkFacts>>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A second person confirmed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncementConfirmed {
    /// The row.
    pub notice: NoticeId,
    /// The entry that is confirmed.
    pub announcement: u64,
    /// The signed decision.
    pub signed: Signed,
}

/// An announcement that no delivery came of was taken back, or a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncementWithdrawn {
    /// The row.
    pub notice: NoticeId,
    /// Why.
    pub reason: String,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A person said which batch a row is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeJoined {
    /// The row.
    pub notice: NoticeId,
    /// The batch.
    pub batch: BatchId,
    /// The signed command.
    pub signed: Option<Signed>,
}
