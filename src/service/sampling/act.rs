//! What people do about samples and findings, as plain data.

use serde::{Deserialize, Serialize};

use crate::domain::{
    accounts::Act,
    digest::Digest,
    ids::{FindingId, SampleId},
    time::Timestamp,
};

/// What a reviewer found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    /// In a few words.
    pub code: String,
    /// By when it has to be corrected; as the policy says, where no day is said.
    pub correct_by: Option<Timestamp>,
}

/// An act about samples and findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SampleAct {
    /// `audit sample`.
    Draw {
        /// The period, such as `2026-11`.
        period: String,
        /// The link; every one where none is named.
        link: Option<String>,
        /// How many, where it is to be more than the policy asks for.
        size: Option<u64>,
    },
    /// `audit review`.
    Review {
        /// The sample.
        sample: SampleId,
        /// Places in the access log; all that are left where none is named.
        on: Vec<u64>,
        /// What was found, where something was.
        finding: Option<Noted>,
        /// The account that looked as well.
        with: Option<String>,
    },
    /// `audit confirm` of a review.
    Confirm {
        /// The sample.
        sample: SampleId,
    },
    /// `audit finding add`.
    Add {
        /// The link.
        link: String,
        /// What.
        noted: Noted,
        /// Number of the document that it stands in.
        doc_no: String,
    },
    /// `audit finding correct`.
    Correct {
        /// The finding.
        finding: FindingId,
        /// In a few words.
        action: String,
        /// Number of the document.
        doc_no: String,
        /// SHA-256 of what shows it.
        evidence: Vec<Digest>,
        /// The day.
        on: Timestamp,
    },
    /// `audit finding told`.
    Tell {
        /// The finding.
        finding: FindingId,
        /// The office.
        office: String,
        /// Number of the letter.
        letter: String,
        /// The day.
        on: Timestamp,
    },
    /// `audit finding close` and `audit finding return`.
    Judge {
        /// The finding.
        finding: FindingId,
        /// Why it has to be corrected again; closed where nothing is said.
        back: Option<String>,
    },
}

impl SampleAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Draw { .. } => "audit sample",
            Self::Review { .. } => "audit review",
            Self::Confirm { .. } => "audit confirm",
            Self::Add { .. } => "audit finding add",
            Self::Correct { .. } => "audit finding correct",
            Self::Tell { .. } => "audit finding told",
            Self::Judge { back: None, .. } => "audit finding close",
            Self::Judge { back: Some(_), .. } => "audit finding return",
        }
    }

    /// Whether it decides on something.
    #[must_use]
    pub const fn decides(&self) -> bool {
        matches!(self, Self::Confirm { .. } | Self::Judge { .. })
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Draw { .. } | Self::Review { .. } | Self::Confirm { .. } | Self::Add { .. } => {
                Act::Audit
            }
            Self::Correct { .. } => Act::Correct,
            Self::Tell { .. } => Act::Tell,
            Self::Judge { .. } => Act::Judge,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::Draw { link, .. } => link.clone().unwrap_or_else(|| "all".to_owned()),
            Self::Review { sample, .. } | Self::Confirm { sample } => sample.to_string(),
            Self::Add { link, .. } => link.clone(),
            Self::Correct { finding, .. }
            | Self::Tell { finding, .. }
            | Self::Judge { finding, .. } => finding.to_string(),
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Draw { period, .. } => period,
            Self::Review { finding: Some(noted), .. } | Self::Add { noted, .. } => &noted.code,
            Self::Correct { action, .. } => action,
            Self::Tell { letter, .. } => letter,
            Self::Judge { back, .. } => back.as_deref().unwrap_or_default(),
            Self::Review { finding: None, .. } | Self::Confirm { .. } => "",
        }
    }
}
