//! Entries about applications, reviews and the end of links. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{
    application::{LinkScope, Office, ReviewResult},
    digest::Digest,
    ids::ApplicationId,
};

/// A link was in force before its policy asked for an application: it goes on as it was, and no further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkAsFound {
    /// The link.
    pub link: String,
    /// How far it went.
    pub scope: LinkScope,
}

/// Somebody applies for a link, or for a change of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkApplied {
    /// Its id.
    pub application: ApplicationId,
    /// The link.
    pub link: String,
    /// How far it is to go: what its file said then.
    pub scope: LinkScope,
    /// Why the data are needed (TPH-5.1).
    pub necessity: String,
    /// The offices that have to sign.
    pub route: Vec<Office>,
    /// The clause that asks for them.
    pub clause: String,
    /// Number of the agency's own electronic form (NTP-8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_form: Option<String>,
    /// Findings that were corrected (NT-5.6).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refers: Vec<String>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// An office agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkCountersigned {
    /// The application.
    pub application: ApplicationId,
    /// The office.
    pub office: Office,
    /// Number of its document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_no: Option<String>,
    /// The signed decision.
    pub signed: Signed,
}

/// An office refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkRefused {
    /// The application.
    pub application: ApplicationId,
    /// Why.
    pub reason: String,
    /// The signed decision.
    pub signed: Signed,
}

/// A link was tested (連結測試通過, TPH-4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkTested {
    /// The link.
    pub link: String,
    /// Number of the document about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_no: Option<String>,
    /// SHA-256 of its protocol; the file stays in the office.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Digest>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A link was reviewed (TY-4.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkReviewed {
    /// The link.
    pub link: String,
    /// What it came to.
    pub result: ReviewResult,
    /// Number of the document about it.
    pub doc_no: String,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A link is stopped at once, whatever its file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkStopped {
    /// The link.
    pub link: String,
    /// Whether it is over: what is held comes due.
    pub terminated: bool,
    /// Why.
    pub reason: String,
    /// Number of the letter by which its end was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_no: Option<String>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// Somebody proposes to take up a suspended link again; not in force before it is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkResumeProposed {
    /// The link.
    pub link: String,
    /// Why.
    pub reason: String,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A second person confirmed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkResumed {
    /// The link.
    pub link: String,
    /// The proposal's entry.
    pub proposal: u64,
    /// The signed decision.
    pub signed: Signed,
}
