//! What people do about reports, audits and requests for evidence, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    accounts::Act,
    audits::{AuditResult, ReportKind},
    digest::Digest,
    entry::{AuditTerms, UseRow},
    ids::{AuditId, ReportId, RequestId},
    time::Timestamp,
    view::View,
};

/// A report that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportFacts {
    /// What it is.
    pub kind: ReportKind,
    /// Of which period, or of which day.
    pub period: String,
    /// The one link that it is about.
    pub link: Option<String>,
    /// The one unit that it is about.
    pub unit: Option<String>,
    /// SHA-256 of its file.
    pub form: Digest,
    /// How often each source was used.
    pub rows: Vec<UseRow>,
    /// What else was counted.
    pub counts: BTreeMap<String, u64>,
}

/// An act about reports, audits and requests for evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AuditAct {
    /// `audit report`, `audit statistics`, `audit reconcile`, `audit self-assessment`, `audit pack`.
    Report {
        /// What was made.
        facts: ReportFacts,
    },
    /// `audit sign` of a report.
    SignReport {
        /// The report.
        report: ReportId,
        /// Number of the document.
        doc_no: String,
    },
    /// `audit sent`.
    Sent {
        /// The report.
        report: ReportId,
        /// The office.
        office: String,
        /// Number of the letter.
        letter: String,
        /// The day.
        on: Timestamp,
    },
    /// `audit plan`.
    Plan {
        /// What, and by whom.
        terms: AuditTerms,
        /// The day.
        on: Option<Timestamp>,
        /// Number of the plan's document.
        doc_no: Option<String>,
    },
    /// `audit record`.
    Record {
        /// What, and by whom.
        terms: AuditTerms,
        /// The day.
        on: Timestamp,
        /// What it came to.
        result: AuditResult,
        /// Number of the record's document.
        doc_no: String,
        /// SHA-256 of what is filed with it.
        evidence: Vec<Digest>,
    },
    /// `audit sign` of an audit.
    SignAudit {
        /// The audit.
        audit: AuditId,
    },
    /// `audit ask`.
    Ask {
        /// Who is asked.
        account: String,
        /// For what.
        what: String,
        /// By when.
        due: Timestamp,
    },
    /// `audit answer`.
    Answer {
        /// The request.
        request: RequestId,
        /// Number of the answer's document.
        doc_no: String,
        /// SHA-256 of what is handed in.
        evidence: Vec<Digest>,
    },
    /// `audit day`: the day that was drawn for a month is shown, and nothing changes.
    Day {
        /// The month.
        month: String,
    },
}

impl AuditAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Report { facts } => match facts.kind {
                ReportKind::Use => "audit report",
                ReportKind::Statistics => "audit statistics",
                ReportKind::Staff | ReportKind::Cases => "audit reconcile",
                ReportKind::Pack => "audit pack",
            },
            Self::SignReport { .. } | Self::SignAudit { .. } => "audit sign",
            Self::Sent { .. } => "audit sent",
            Self::Plan { .. } => "audit plan",
            Self::Record { .. } => "audit record",
            Self::Ask { .. } => "audit ask",
            Self::Answer { .. } => "audit answer",
            Self::Day { .. } => "audit day",
        }
    }

    /// Whether it decides on something.
    #[must_use]
    pub const fn decides(&self) -> bool {
        matches!(self, Self::SignReport { .. } | Self::SignAudit { .. })
    }

    /// The entry that it decides on.
    #[must_use]
    pub fn decided(&self, view: &View) -> Option<Digest> {
        match self {
            Self::SignReport { report, .. } => Some(view.audits.reports.get(report)?.made.digest),
            Self::SignAudit { audit } => {
                Some(view.audits.audits.get(audit)?.record.as_ref()?.mark.digest)
            }
            _ => None,
        }
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::SignReport { .. } => Act::SignReport,
            Self::SignAudit { .. } | Self::Day { .. } => Act::SignAudit,
            Self::Answer { .. } => Act::Look,
            Self::Report { .. }
            | Self::Sent { .. }
            | Self::Plan { .. }
            | Self::Record { .. }
            | Self::Ask { .. } => Act::Audit,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::Report { facts } => facts.period.clone(),
            Self::SignReport { report, .. } | Self::Sent { report, .. } => report.to_string(),
            Self::Plan { terms, .. } | Self::Record { terms, .. } => terms.period.clone(),
            Self::SignAudit { audit } => audit.to_string(),
            Self::Ask { account, .. } => account.clone(),
            Self::Answer { request, .. } => request.to_string(),
            Self::Day { month } => month.clone(),
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::SignReport { doc_no, .. }
            | Self::Record { doc_no, .. }
            | Self::Answer { doc_no, .. } => doc_no,
            Self::Sent { letter, .. } => letter,
            Self::Plan { doc_no, .. } => doc_no.as_deref().unwrap_or_default(),
            Self::Ask { what, .. } => what,
            Self::Report { .. } | Self::SignAudit { .. } | Self::Day { .. } => "",
        }
    }
}
