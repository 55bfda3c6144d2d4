//! Samples and findings, as they are shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Result, Service};
use crate::domain::{
    digest::Digest,
    entry::{FindingFacts, SampleTerms},
    ids::{FindingId, SampleId},
    time::Timestamp,
    view::{Finding, Sample},
};

/// A sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SampleLine {
    /// Id.
    pub id: SampleId,
    /// Of what, by which rule, and how much.
    pub terms: SampleTerms,
    /// Who drew it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// When the agent was bound to the seed, where that was only after the period.
    pub bound_late: Option<Timestamp>,
    /// Places in the access log that were drawn.
    pub drawn: Vec<u64>,
    /// Places of what was refused: each is in the sample.
    pub refused: Vec<u64>,
    /// Places that nobody has looked at yet.
    pub open: Vec<u64>,
    /// Who looked through what.
    pub reviews: Vec<ReviewLine>,
    /// When nothing was left to look at.
    pub done: Option<Timestamp>,
    /// Until when it is kept at least.
    pub kept_until: Option<Timestamp>,
}

/// A look through a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReviewLine {
    /// Who.
    pub by: String,
    /// With whom.
    pub with: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Places in the access log.
    pub on: Vec<u64>,
    /// What was found, where something was.
    pub finding: Option<FindingId>,
    /// Whether it counts: the other one agreed, where there is one.
    pub counts: bool,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingLine {
    /// Id.
    pub id: FindingId,
    /// `open`, `corrected` or `closed`.
    pub state: String,
    /// Whether it should be corrected, and is not.
    pub overdue: bool,
    /// What.
    pub facts: FindingFacts,
    /// The sample that it was found in.
    pub sample: Option<SampleId>,
    /// Places in the access log.
    pub on: Vec<u64>,
    /// Number of the document that it stands in.
    pub doc_no: Option<String>,
    /// Who found it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What was done about it.
    pub action: Option<String>,
    /// Number of the document about that.
    pub action_doc_no: Option<String>,
    /// SHA-256 of what shows it.
    pub evidence: Vec<Digest>,
    /// Who did it.
    pub corrected_by: Option<String>,
    /// Letters, by the office that got each.
    pub told: BTreeMap<String, String>,
    /// Offices that are still to be told.
    pub to_be_told: Vec<String>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// When.
    pub closed: Option<Timestamp>,
}

impl Service {
    /// `audit sample list`.
    pub(in crate::service) fn samples(&self) -> Vec<SampleLine> {
        self.engine.view.samples.rows.iter().map(|(id, row)| self.sample_line(*id, row)).collect()
    }

    /// One sample.
    ///
    /// # Errors
    /// There is none of this id.
    pub(in crate::service) fn sample_page(&self, id: SampleId) -> Result<SampleLine> {
        Ok(self.sample_line(id, self.sample_row(id)?))
    }

    fn sample_line(&self, id: SampleId, row: &Sample) -> SampleLine {
        let places = |of: &crate::domain::sampling::ByAccount| {
            let mut places: Vec<u64> = of.values().flatten().copied().collect();
            places.sort_unstable();
            places
        };
        let since = row.done.unwrap_or(row.drawn.at);
        SampleLine {
            id,
            terms: row.terms.clone(),
            by: row.by.clone(),
            at: row.drawn.at,
            bound_late: self.bound_late(&row.key(), &row.terms),
            drawn: places(&row.chosen),
            refused: places(&row.refused),
            open: row.open.iter().copied().collect(),
            reviews: row
                .reviews
                .iter()
                .map(|review| ReviewLine {
                    by: review.by.clone(),
                    with: review.with.clone(),
                    at: review.mark.at,
                    on: review.on.clone(),
                    finding: review.finding.as_ref().map(|facts| facts.finding),
                    counts: review.counts,
                })
                .collect(),
            done: row.done,
            kept_until: self.kept_until(&row.terms.link, &row.terms.policy, since),
        }
    }

    /// `audit finding list`.
    pub(in crate::service) fn findings(&self) -> Vec<FindingLine> {
        let all = self.engine.view.samples.findings.iter();
        all.map(|(id, row)| self.finding_line(*id, row)).collect()
    }

    fn finding_line(&self, id: FindingId, row: &Finding) -> FindingLine {
        let state = match (&row.closed, &row.corrected) {
            (Some(_), _) => "closed",
            (None, Some(_)) => "corrected",
            (None, None) => "open",
        };
        let corrected = row.corrected.as_ref();
        FindingLine {
            id,
            state: state.to_owned(),
            overdue: state == "open" && row.facts.correct_by < self.now(),
            facts: row.facts.clone(),
            sample: row.sample.as_ref().map(|(sample, _)| *sample),
            on: row.sample.as_ref().map(|(_, on)| on.clone()).unwrap_or_default(),
            doc_no: row.doc_no.clone(),
            by: row.by.clone(),
            at: row.added.at,
            action: corrected.map(|(_, _, action, ..)| action.clone()),
            action_doc_no: corrected.map(|(_, _, _, doc_no, _)| doc_no.clone()),
            evidence: corrected.map(|(.., evidence)| evidence.clone()).unwrap_or_default(),
            corrected_by: corrected.map(|(by, ..)| by.clone()),
            told: row.told.iter().map(|(o, (letter, _))| (o.clone(), letter.clone())).collect(),
            to_be_told: if row.closed.is_some() { Vec::new() } else { self.lacking_letters(row) },
            closed_by: row.closed.as_ref().map(|(by, _)| by.clone()),
            closed: row.closed.as_ref().map(|(_, at)| *at),
        }
    }
}
