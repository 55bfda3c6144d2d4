//! What people do about applications and the life of links, as plain data.

use serde::{Deserialize, Serialize};

use crate::domain::{
    accounts::Act,
    application::{Office, ReviewResult},
    digest::Digest,
    view::View,
};

/// An act about a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LinkAct {
    /// `link apply`.
    Apply {
        /// The link.
        link: String,
        /// 使用目的, as its file says it.
        purpose: Option<String>,
        /// 依據公文文號, as its file says it.
        basis: Option<String>,
        /// Why the data are needed.
        necessity: String,
        /// Number of the agency's own electronic form.
        external_form: Option<String>,
        /// Findings that were corrected.
        refers: Vec<String>,
    },
    /// `link countersign`.
    Countersign {
        /// The link.
        link: String,
        /// The office.
        office: Office,
        /// Number of its document.
        doc_no: Option<String>,
    },
    /// `link refuse`.
    Refuse {
        /// The link.
        link: String,
        /// Why.
        reason: String,
    },
    /// `link tested`.
    Tested {
        /// The link.
        link: String,
        /// Number of the document about it.
        doc_no: Option<String>,
        /// SHA-256 of its protocol.
        evidence: Vec<Digest>,
    },
    /// `link review`.
    Review {
        /// The link.
        link: String,
        /// What it came to.
        result: ReviewResult,
        /// Number of the document about it.
        doc_no: String,
    },
    /// `link suspend`.
    Suspend {
        /// The link.
        link: String,
        /// Why.
        reason: String,
    },
    /// `link terminate`.
    Terminate {
        /// The link.
        link: String,
        /// Why.
        reason: String,
        /// Number of the letter by which its end was asked for.
        doc_no: String,
    },
    /// `link resume`.
    Resume {
        /// The link.
        link: String,
        /// Why.
        reason: String,
    },
    /// `link resume --confirm`.
    ResumeConfirm {
        /// The link.
        link: String,
    },
}

impl LinkAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Apply { .. } => "link apply",
            Self::Countersign { .. } => "link countersign",
            Self::Refuse { .. } => "link refuse",
            Self::Tested { .. } => "link tested",
            Self::Review { .. } => "link review",
            Self::Suspend { .. } => "link suspend",
            Self::Terminate { .. } => "link terminate",
            Self::Resume { .. } => "link resume",
            Self::ResumeConfirm { .. } => "link resume --confirm",
        }
    }

    /// Whether it decides on something.
    #[must_use]
    pub const fn decides(&self) -> bool {
        matches!(self, Self::Countersign { .. } | Self::Refuse { .. } | Self::ResumeConfirm { .. })
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Apply { .. } | Self::Tested { .. } => Act::ApplyForLink,
            Self::Countersign { .. } | Self::Refuse { .. } => Act::DecideLink,
            Self::Review { .. }
            | Self::Suspend { .. }
            | Self::Terminate { .. }
            | Self::Resume { .. } => Act::KeepLink,
            Self::ResumeConfirm { .. } => Act::ConfirmAdministration,
        }
    }

    /// The link.
    #[must_use]
    pub fn link(&self) -> &str {
        match self {
            Self::Apply { link, .. }
            | Self::Countersign { link, .. }
            | Self::Refuse { link, .. }
            | Self::Tested { link, .. }
            | Self::Review { link, .. }
            | Self::Suspend { link, .. }
            | Self::Terminate { link, .. }
            | Self::Resume { link, .. }
            | Self::ResumeConfirm { link } => link,
        }
    }

    /// What it is about: who signs for an office signs that too.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::Countersign { link, office, .. } => format!("{link} {office}"),
            Self::Review { link, result, .. } => format!("{link} {result}"),
            other => other.link().to_owned(),
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Apply { necessity, .. } => necessity,
            Self::Countersign { doc_no, .. } | Self::Tested { doc_no, .. } => {
                doc_no.as_deref().unwrap_or_default()
            }
            Self::Review { doc_no, .. } => doc_no,
            Self::Refuse { reason, .. }
            | Self::Suspend { reason, .. }
            | Self::Terminate { reason, .. }
            | Self::Resume { reason, .. } => reason,
            Self::ResumeConfirm { .. } => "",
        }
    }

    /// The hash of the entry that it decides on.
    #[must_use]
    pub fn decided(&self, view: &View) -> Option<Digest> {
        match self {
            Self::Countersign { link, .. } | Self::Refuse { link, .. } => {
                Some(view.waiting_application(link)?.1.mark.digest)
            }
            Self::ResumeConfirm { link } => Some(view.history(link)?.resume.as_ref()?.mark.digest),
            _ => None,
        }
    }
}
