//! Approvals in a certificate that were recorded from signed documents: what was typed, by whom, and that it is proven.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Certificate, paper::Proof};
use crate::domain::{
    digest::Digest,
    entry::{Body, Entry},
    merkle,
    on_paper::{Ruling, Subject},
    time::Timestamp,
};

/// An approval on paper. The entry that confirmed it is among the approvals of the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperApproval {
    /// Who approved, by the document.
    pub by: String,
    /// Number of the document.
    pub doc_no: String,
    /// Its day.
    pub on: Timestamp,
    /// SHA-256 of its scan.
    pub sha256: Digest,
    /// The code that was typed from the slip.
    pub code: String,
    /// Who entered it.
    pub entered_by: String,
    /// Who confirmed it.
    pub confirmed_by: String,
    /// Proof of what was entered.
    pub entered: Proof,
}

impl Certificate {
    /// Whether a confirmation is that of a decision on paper which is told of here, about what was requested.
    pub(super) fn confirms(&self, entry: &Entry, by: &str) -> bool {
        let Body::DecisionConfirmed(confirmed) = &entry.body else { return false };
        let told = |paper: &&PaperApproval| {
            paper.entered.seq == confirmed.proposal
                && paper.by == by
                && paper.confirmed_by == entry.by
        };
        confirmed.subject == Subject::Order(self.order)
            && self.on_paper.iter().find(told).is_some_and(|paper| self.typed(paper))
    }

    fn typed(&self, paper: &PaperApproval) -> bool {
        let Ok(entry) = Entry::from_bytes(paper.entered.entry.as_bytes()) else { return false };
        let Body::DecisionEntered(what) = &entry.body else { return false };
        what.subject == Subject::Order(self.order)
            && what.ruling == Ruling::Approved
            && what.approver == paper.by
            && (&what.doc_no, what.on) == (&paper.doc_no, paper.on)
            && (what.sha256, &what.code) == (paper.sha256, &paper.code)
            && what.object_digest == merkle::leaf_hash(self.request.entry.as_bytes())
            && entry.by == paper.entered_by
            && paper.entered_by != paper.confirmed_by
            && ![&paper.by, &paper.entered_by, &paper.confirmed_by].contains(&&self.requested_by)
    }

    /// Whether each of them is that of one of the approvals, by a paper of its own: none is told of that made nothing count,
    /// and one seal on one paper is not two people's.
    pub(super) fn paper_is_used(&self) -> bool {
        let further = self.further_approvals.iter().map(|one| &one.proof);
        let confirmed: Vec<u64> = [&self.approval]
            .into_iter()
            .chain(further)
            .filter_map(|proof| Entry::from_bytes(proof.entry.as_bytes()).ok())
            .filter_map(|entry| match entry.body {
                Body::DecisionConfirmed(confirmed) => Some(confirmed.proposal),
                _ => None,
            })
            .collect();
        let papers: BTreeSet<&[u8]> =
            self.on_paper.iter().map(|paper| paper.sha256.as_bytes().as_slice()).collect();
        papers.len() == self.on_paper.len()
            && confirmed.len() == self.on_paper.len()
            && self.on_paper.iter().all(|paper| confirmed.contains(&paper.entered.seq))
    }
}
