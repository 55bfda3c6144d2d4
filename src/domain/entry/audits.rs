//! Entries about reports, audits and requests for evidence. Wire forms, as `entry.rs` says.
//!
//! They name accounts, offices and documents, and count; nobody who was looked up stands in them, and no case.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{
    audits::{AuditKind, AuditResult, ReportKind},
    digest::Digest,
    ids::{AuditId, ReportId, RequestId},
    time::Timestamp,
};

/// How often a source was used: counts alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UseRow {
    /// 使用單位; none where it is not told apart, or nobody knows it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The link: the source.
    pub link: String,
    /// Askings, refused ones too.
    pub queries: u64,
    /// Of these, refused.
    pub refused: u64,
    /// Accounts that asked.
    pub accounts: u64,
    /// Case numbers that were given.
    pub cases: u64,
    /// Rows that were shown.
    pub rows: u64,
    /// Entries of the access log that nobody can open any more.
    pub unreadable: u64,
}

/// A report was made, and handed to whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportMade {
    /// Its id.
    pub report: ReportId,
    /// What it is.
    pub kind: ReportKind,
    /// Of which period of the calendar; of which day, where it is of one.
    pub period: String,
    /// The one link that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The one unit that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// SHA-256 of its file; of its list of sums, where it is a pack.
    pub form: Digest,
    /// How often each source was used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<UseRow>,
    /// What else was counted, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// It was signed off (核閱).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportSigned {
    /// The report.
    pub report: ReportId,
    /// Number of the document.
    pub doc_no: String,
    /// The signed decision.
    pub signed: Signed,
}

/// It was sent on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportSent {
    /// The report.
    pub report: ReportId,
    /// The office.
    pub office: String,
    /// Number of the letter.
    pub letter: String,
    /// The day.
    pub on: Timestamp,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// Somebody who audits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The account.
    pub account: String,
    /// The office that sends it, where a team of several is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
}

/// What is audited, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuditTerms {
    /// What kind it is.
    pub kind: AuditKind,
    /// The period of the calendar that it is owed for.
    pub period: String,
    /// A unit, a vendor or a link; `all` for everything.
    pub of: String,
    /// Who audits.
    pub by: Vec<Member>,
}

/// An audit is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditPlanned {
    /// Its id.
    pub audit: AuditId,
    /// What, and by whom.
    pub terms: AuditTerms,
    /// The day, where it is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Timestamp>,
    /// Number of the plan's document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_no: Option<String>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// An audit took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRecorded {
    /// Its id.
    pub audit: AuditId,
    /// What, and by whom.
    pub terms: AuditTerms,
    /// The day.
    pub on: Timestamp,
    /// What it came to.
    pub result: AuditResult,
    /// Number of the record's document.
    pub doc_no: String,
    /// SHA-256 of what is filed with it; the files stay in the office.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Digest>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A second person signed the record of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSigned {
    /// The audit.
    pub audit: AuditId,
    /// The signed decision.
    pub signed: Signed,
}

/// Somebody is asked for evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceAsked {
    /// Its id.
    pub request: RequestId,
    /// Who is asked.
    pub account: String,
    /// For what.
    pub what: String,
    /// By when.
    pub due: Timestamp,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// Evidence was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceAnswered {
    /// The request.
    pub request: RequestId,
    /// Number of the answer's document.
    pub doc_no: String,
    /// SHA-256 of what was handed in; the files stay in the office.
    pub evidence: Vec<Digest>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// The day of a month on which an audit comes without notice is drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditDayDrawn {
    /// The month.
    pub month: String,
    /// SHA-256 of `batchward audit day MONTH DAY NONCE`.
    pub seal: Digest,
}

/// It is told: its audit took place, or its month is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditDayTold {
    /// The month.
    pub month: String,
    /// The day.
    pub day: String,
    /// What the seal was made with.
    pub nonce: Digest,
}
