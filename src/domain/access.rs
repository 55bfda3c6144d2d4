//! Access log entries (DESIGN 7): who read what, for which case, and why.
//!
//! The payload is sealed to an age key pair of its link and month and dies with it; what stands in the open is when,
//! which link, which month. The log of hashes stays and still verifies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    digest::Digest,
    ids::{BatchId, GrantId},
    time::Timestamp,
};

/// One entry, as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessEntry {
    /// Version of this form, 1.
    pub v: u32,
    /// When.
    pub at: Timestamp,
    /// The link.
    pub link: String,
    /// `2026-11`: with the link, which key seals the payload.
    pub month: String,
    /// Base64 of an age file that holds the canonical JSON of a [`Payload`].
    pub sealed: String,
}

/// What is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Payload {
    /// Committed before the first row is shown: the seven fields of NT-4.2.5.
    Asked {
        /// 查詢者帳號.
        who: String,
        /// 查詢日期、時間.
        at: Timestamp,
        /// 查詢作業代號.
        operation: Operation,
        /// 被查詢者查詢條件.
        subject: Subject,
        /// 查詢案號.
        case_no: String,
        /// 查詢事由.
        reason: String,
        /// The grant that it goes by; an auditor's look at this log goes by none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<GrantId>,
        /// The one batch that was asked, where it was not the link's current view.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        batch: Option<BatchId>,
        /// Where the rows go: `screen`, `pipe` or `file`.
        to: String,
        /// Why it was refused, where it was.
        refused: Option<String>,
    },
    /// A part of the list of a `match`, before the entry that refers to it.
    List {
        /// SHA-256 of the whole list.
        list: Digest,
        /// Part, from 0.
        part: u32,
        /// The values.
        values: Vec<String>,
    },
    /// What was shown.
    Served {
        /// Entry of the asking.
        asked: u64,
        /// Rows.
        rows: u64,
        /// Why it ended before its end, where it did: `row-cap`, `expired`, `revoked`.
        ended: Option<String>,
    },
}

/// 查詢作業代號: the closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// `query`.
    Query,
    /// `match`.
    Match,
}

/// Whom it was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Subject {
    /// Everyone that these conditions hold for; everyone, where there is none.
    Where(BTreeMap<String, String>),
    /// Everyone on a list, kept in parts before this entry.
    List {
        /// Field.
        on: String,
        /// SHA-256 of the whole list.
        list: Digest,
        /// Values.
        count: u64,
    },
}
