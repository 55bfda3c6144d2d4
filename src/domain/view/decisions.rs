//! The rows of what people decide: grants, orders, standing approvals, holds.

use serde::{Deserialize, Serialize};

use super::{Mark, Proposal};
use crate::domain::{
    digest::Digest,
    entry::{GrantTerms, HoldScope, OrderedCopy, PaperFacts},
    ids::{CopyId, StandingId},
    lifecycle::{GrantState, OrderState},
    on_paper::OnPaper,
    time::Timestamp,
};

/// A grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// What for.
    pub terms: GrantTerms,
    /// State.
    pub state: GrantState,
    /// Who applied.
    pub by: String,
    /// The application.
    pub applied: Mark,
    /// The approval.
    pub approved: Option<Mark>,
    /// The decision, where it was recorded from a signed document.
    pub on_paper: Option<OnPaper>,
    /// When its use was completed, and whether it had been taken back before.
    pub completed: Option<(Timestamp, bool)>,
    /// Questions of its budget that a service's agent has taken out to answer.
    #[serde(default)]
    pub drawn: u64,
}

impl Grant {
    /// Who answers for its use: its holder, or who applied for a service.
    #[must_use]
    pub fn answerable(&self) -> &str {
        if self.terms.service.is_some() { &self.by } else { &self.terms.holder }
    }

    /// Whether nobody owes anything by it: what was approved and is not completed is owed still, after its end too.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        match self.state {
            GrantState::Applied | GrantState::Open => false,
            GrantState::Expired | GrantState::Revoked => self.approved.is_none(),
            GrantState::Denied | GrantState::Completed => true,
        }
    }
}

/// An order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// What it covers.
    pub copies: Vec<OrderedCopy>,
    /// State.
    pub state: OrderState,
    /// Why.
    pub reason: String,
    /// Policies in force at the request.
    pub policy: Digest,
    /// Void after this.
    pub expires: Timestamp,
    /// Who requested.
    pub by: String,
    /// The request.
    pub requested: Mark,
    /// How many people must approve.
    pub approvers: u32,
    /// Who approved, and the entries.
    pub approvals: Vec<(String, Mark)>,
    /// The approval that made it count, once one did.
    pub approved: Option<(String, Mark)>,
    /// The standing approval that it rests on.
    pub standing: Option<StandingId>,
    /// Whether somebody chose its copies one by one: it is not over all that is due.
    pub chosen: bool,
    /// Nothing is wiped before this.
    pub not_before: Option<Timestamp>,
    /// Copies that were wiped under it, with the entries of their outcomes, in their order.
    pub wiped: Vec<(CopyId, u64)>,
    /// Copies that people keep and destroyed, with the entries of the record and of the second person's word for it.
    pub attested: Vec<(CopyId, u64, u64)>,
    /// Copies that it leaves out, with the entry that says so.
    pub excepted: Vec<(CopyId, u64)>,
    /// Why it was voided, and the entry.
    pub voided: Option<(String, Mark)>,
    /// Digest of its certificate, and when it was issued.
    pub certificate: Option<(Digest, Timestamp)>,
    /// Papers that wait for a supervisor.
    pub paper_proposal: Option<Proposal<Vec<PaperFacts>>>,
    /// Papers that count.
    pub papers: Vec<PaperFacts>,
    /// Decisions on it that were recorded from signed documents.
    pub on_paper: Vec<OnPaper>,
}

impl Order {
    /// How many copies are gone under it.
    #[must_use]
    pub const fn gone(&self) -> usize {
        self.wiped.len() + self.attested.len()
    }

    /// Whether it covers a copy that is neither gone under it nor left out: only such a one may go under it.
    #[must_use]
    pub fn is_open_over(&self, copy: CopyId) -> bool {
        self.copies.iter().any(|one| one.copy == copy)
            && !self.wiped.iter().any(|(one, _)| *one == copy)
            && !self.attested.iter().any(|(one, ..)| *one == copy)
            && !self.excepted.iter().any(|(one, _)| *one == copy)
    }

    /// How many copies it covers that are neither gone under it nor left out.
    #[must_use]
    pub fn open_copies(&self) -> usize {
        self.copies.iter().filter(|one| self.is_open_over(one.copy)).count()
    }
}

/// A standing approval.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// The policy whose batches it is for.
    pub policy: String,
    /// The link, where it is for one alone.
    pub link: Option<String>,
    /// Document number.
    pub doc_no: String,
    /// It counts for nothing after this.
    pub until: Timestamp,
    /// Who proposed.
    pub by: String,
    /// The proposal.
    pub proposed: Mark,
    /// Who confirmed, and the entry.
    pub confirmed: Option<(String, Mark)>,
    /// Whether it was ended.
    pub ended: bool,
}

impl Standing {
    /// Whether it counts at a time.
    #[must_use]
    pub fn stands(&self, now: Timestamp) -> bool {
        self.confirmed.is_some() && !self.ended && now <= self.until
    }
}

/// A hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hold {
    /// What it covers.
    pub scope: HoldScope,
    /// Who placed it.
    pub by: String,
    /// Authority.
    pub authority: String,
    /// Document number.
    pub doc_no: String,
    /// Review date.
    pub review: Timestamp,
    /// The placing.
    pub placed: Mark,
    /// Whether it was lifted.
    pub lifted: bool,
}
