//! Access log entries (DESIGN 7): who read what, for which case, and why.
//!
//! The payload is sealed to an age key pair of its link and month and dies with it; what stands in the open is when,
//! which link, which month. The log of hashes stays and still verifies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    digest::Digest,
    ids::{BatchId, GrantId, SampleId},
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
#[allow(clippy::large_enum_variant, reason = "one at a time, on its way to or from the log")]
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

/// 查詢作業代號: the closed list (docs/operations.md has it for people).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// `query`: records that conditions hold for.
    Query,
    /// `match`: records of a list.
    Match,
    /// A service asks whether there is such a person: `rows` of what was shown is 1 for yes and 0 for no.
    Verify,
    /// `access show`: an auditor looks at this log.
    AccessShow,
    /// `access export`: an auditor takes a part of this log away.
    AccessExport,
}

impl Operation {
    /// Every code.
    pub const ALL: &'static [Self] =
        &[Self::Query, Self::Match, Self::Verify, Self::AccessShow, Self::AccessExport];

    /// Those that look people up; the others look at this log.
    pub const READS: &'static [Self] = &[Self::Query, Self::Match, Self::Verify];

    /// The code as it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Match => "match",
            Self::Verify => "verify",
            Self::AccessShow => "access-show",
            Self::AccessExport => "access-export",
        }
    }
}

/// What an auditor looks for in this log; all that is given holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogFilter {
    /// The link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The first moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The last moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// 查詢者帳號.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// 查詢案號.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_no: Option<String>,
    /// A value that was looked for, by itself or in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The sample: what was drawn, and what was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleId>,
}

impl LogFilter {
    /// Whether it looks into what is sealed.
    #[must_use]
    pub const fn reads_payloads(&self) -> bool {
        self.account.is_some()
            || self.grant.is_some()
            || self.case_no.is_some()
            || self.subject.is_some()
    }
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
    /// Whomever the entries of this log are about that an auditor looked for.
    Log(LogFilter),
}
