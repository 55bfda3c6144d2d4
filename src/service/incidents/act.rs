//! What people do about incidents, as plain data.

use serde::{Deserialize, Serialize};

use crate::domain::{accounts::Act, entry::IncidentFacts, ids::IncidentId, time::Timestamp};

/// An act about an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum IncidentAct {
    /// `incident report`.
    Report {
        /// What is known.
        facts: IncidentFacts,
    },
    /// `incident investigate`.
    Investigate {
        /// The incident.
        incident: IncidentId,
        /// Number of the record.
        doc_no: String,
        /// Records that it concerns, where that is known now.
        records: Option<u64>,
        /// The account that looks into it as well.
        with: String,
    },
    /// `incident confirm`.
    Confirm {
        /// The incident.
        incident: IncidentId,
    },
    /// `incident notify`.
    Tell {
        /// The incident.
        incident: IncidentId,
        /// The office.
        office: String,
        /// Number of the letter.
        letter: String,
        /// When.
        on: Timestamp,
    },
    /// `incident remedy`.
    Remedy {
        /// The incident.
        incident: IncidentId,
        /// What was done about it.
        remedy: String,
        /// What is done against its coming again.
        prevention: String,
        /// Number of the document.
        doc_no: String,
    },
    /// `incident close`.
    Close {
        /// The incident.
        incident: IncidentId,
    },
}

impl IncidentAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Report { .. } => "incident report",
            Self::Investigate { .. } => "incident investigate",
            Self::Confirm { .. } => "incident confirm",
            Self::Tell { .. } => "incident notify",
            Self::Remedy { .. } => "incident remedy",
            Self::Close { .. } => "incident close",
        }
    }

    /// Whether it decides on something.
    #[must_use]
    pub const fn decides(&self) -> bool {
        matches!(self, Self::Confirm { .. } | Self::Close { .. })
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Report { .. } => Act::Report,
            Self::Investigate { .. } | Self::Confirm { .. } | Self::Close { .. } => Act::Judge,
            Self::Tell { .. } => Act::Tell,
            Self::Remedy { .. } => Act::Correct,
        }
    }

    /// The incident; none of one that is reported.
    #[must_use]
    pub const fn incident(&self) -> Option<IncidentId> {
        match self {
            Self::Report { .. } => None,
            Self::Investigate { incident, .. }
            | Self::Confirm { incident }
            | Self::Tell { incident, .. }
            | Self::Remedy { incident, .. }
            | Self::Close { incident } => Some(*incident),
        }
    }

    /// What it is about.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::Report { facts } => facts.link.clone(),
            other => other.incident().map(|id| id.to_string()).unwrap_or_default(),
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Report { facts } => &facts.summary,
            Self::Investigate { doc_no, .. } => doc_no,
            Self::Tell { letter, .. } => letter,
            Self::Remedy { remedy, .. } => remedy,
            Self::Confirm { .. } | Self::Close { .. } => "",
        }
    }
}
