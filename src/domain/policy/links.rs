//! What a policy says about applications, reviews and validity of links, and about what is kept for inspection.

use super::{Further, Rule, length::Length};
use crate::domain::{application::Office, papers::PaperKind, time::Period};

/// What a policy says about links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinksRule {
    /// The offices that sign an application; the head last.
    pub route: Option<Rule<Vec<Office>>>,
    /// By when an application is decided on, and an approved link tested.
    pub answer_within: Option<Rule<Length>>,
    /// Whether a link is tested before it is active (TPH-4).
    pub test: Option<Rule<bool>>,
    /// How often a link is reviewed.
    pub review: Option<Rule<Period>>,
    /// How long an approval holds.
    pub valid_for: Option<Rule<Period>>,
    /// Papers that are kept for inspection.
    pub papers: Vec<Rule<PaperKind>>,
    /// By when they are, after the policy came into force.
    pub papers_within: Option<Rule<Length>>,
    /// How often what backups hold is looked at.
    pub backup: Option<Rule<Period>>,
}

impl Further {
    /// The clause that asks for the offices of an application; `own` where the policy names none.
    #[must_use]
    pub fn route_clause(&self) -> &str {
        self.links.route.as_ref().map_or("own", |rule| &rule.clause)
    }
}
