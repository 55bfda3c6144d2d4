//! Entries about incidents. Wire forms, as `entry.rs` says. No personal data: how many records, never whose.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{
    ids::{BatchId, IncidentId},
    incidents::IncidentKind,
    time::Timestamp,
};

/// What is known of an incident at first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IncidentFacts {
    /// What happened.
    pub kind: IncidentKind,
    /// When it became known.
    pub known: Timestamp,
    /// The link that it concerns.
    pub link: String,
    /// The batch, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    /// Records that it concerns; not known, where none are said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Whether they were encrypted, with their key elsewhere.
    pub encrypted: bool,
    /// In a few words.
    pub summary: String,
}

/// An incident became known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentReported {
    /// Its id.
    pub incident: IncidentId,
    /// What is known.
    pub facts: IncidentFacts,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// It was looked into; it counts once the other one agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentInvestigated {
    /// The incident.
    pub incident: IncidentId,
    /// Number of the record of the investigation.
    pub doc_no: String,
    /// Records that it concerns, as far as that is known now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// The account that looked into it as well.
    pub with: String,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// The other one agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvestigationConfirmed {
    /// The incident.
    pub incident: IncidentId,
    /// The entry of the investigation.
    pub investigation: u64,
    /// The signed decision.
    pub signed: Signed,
}

/// An office was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentTold {
    /// The incident.
    pub incident: IncidentId,
    /// The office.
    pub office: String,
    /// Number of the letter.
    pub letter: String,
    /// When.
    pub on: Timestamp,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// What was done about it, and against its coming again (TPE-15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentRemedied {
    /// The incident.
    pub incident: IncidentId,
    /// 補救措施.
    pub remedy: String,
    /// 防範措施.
    pub prevention: String,
    /// Number of the document.
    pub doc_no: String,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A second person closed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentClosed {
    /// The incident.
    pub incident: IncidentId,
    /// The signed decision.
    pub signed: Signed,
}
