//! Folding decisions on paper: typed by one person, confirmed by another, and then as good as a signature.

use super::{FoldError, Mark, Proposal, View};
use crate::domain::{
    entry::{Body, DecisionConfirmed, DecisionEntered, Entry},
    lifecycle::{CopyEvent, GrantEvent, GrantState, OrderEvent, OrderState},
    on_paper::{OnPaper, Ruling, Subject},
};

impl View {
    /// An entry about decisions on paper; `false` where it is none.
    pub(super) fn on_paper(&mut self, mark: Mark, entry: &Entry) -> Result<bool, FoldError> {
        match &entry.body {
            Body::DecisionEntered(what) => {
                // The fold itself refuses the requester's own decision, typed by him or as his.
                let requester = self.requester(mark, what.subject)?;
                if requester == what.approver || requester == entry.by {
                    return Err(FoldError::Transition(mark.seq));
                }
                let proposal = Proposal { mark, by: entry.by.clone(), what: what.clone() };
                self.typed_decisions.insert(what.subject, proposal);
            }
            Body::DecisionConfirmed(confirmed) => self.confirmed(mark, &entry.by, confirmed)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Who asked for what is decided on.
    fn requester(&self, mark: Mark, subject: Subject) -> Result<String, FoldError> {
        let by = match subject {
            Subject::Order(id) => self.orders.get(&id).map(|row| row.by.clone()),
            Subject::Grant(id) => self.grants.get(&id).map(|row| row.by.clone()),
            Subject::Copy(id) => {
                self.copies.get(&id).and_then(|row| Some(row.held.as_ref()?.by.clone()))
            }
        };
        by.ok_or(FoldError::Unknown(mark.seq))
    }

    fn confirmed(
        &mut self,
        mark: Mark,
        by: &str,
        confirmed: &DecisionConfirmed,
    ) -> Result<(), FoldError> {
        let subject = confirmed.subject;
        let typed = self.typed_decisions.remove(&subject).ok_or(FoldError::Unknown(mark.seq))?;
        if typed.by == by
            || typed.mark.seq != confirmed.proposal
            || self.requester(mark, subject)? == by
        {
            return Err(FoldError::Transition(mark.seq));
        }
        let what = typed.what;
        let paper = OnPaper {
            ruling: what.ruling,
            approver: what.approver.clone(),
            doc_no: what.doc_no.clone(),
            on: what.on,
            document: what.document,
            code: what.code.clone(),
            entered_by: typed.by,
            confirmed_by: by.to_owned(),
            entered: typed.mark.seq,
            confirmed: mark.seq,
        };
        match subject {
            Subject::Order(id) => {
                let row = self.ordered(mark, id)?;
                // One seal on one paper is not two people's.
                if row.on_paper.iter().any(|one| one.document == paper.document) {
                    return Err(FoldError::Transition(mark.seq));
                }
                row.on_paper.push(paper);
                if what.ruling == Ruling::Denied {
                    return self.move_order(mark, id, OrderEvent::Denied);
                }
                self.approved_by(mark, id, &what.approver, confirmed.not_before)
            }
            Subject::Grant(id) => {
                if what.ruling == Ruling::Approved {
                    self.grant_approved(mark, id)?;
                } else {
                    self.move_grant(mark, id, GrantEvent::Denied)?;
                }
                let row = self.grants.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
                row.on_paper = Some(paper);
                Ok(())
            }
            Subject::Copy(id) => self.copy_decided(mark, id, &what, paper),
        }
    }

    fn copy_decided(
        &mut self,
        mark: Mark,
        id: crate::domain::ids::CopyId,
        what: &DecisionEntered,
        paper: OnPaper,
    ) -> Result<(), FoldError> {
        let held = self.held_mut(mark, id)?;
        held.on_paper = Some(paper);
        if what.ruling == Ruling::Denied {
            return self.move_copy(mark, id, CopyEvent::Abandoned);
        }
        held.approved = Some((what.doc_no.clone(), what.approver.clone(), mark));
        self.move_copy(mark, id, CopyEvent::Approved)
    }

    /// What was typed of a decision and waits for a second person, while it can still be decided.
    #[must_use]
    pub fn typed_decision(&self, subject: Subject) -> Option<&Proposal<DecisionEntered>> {
        let open = match subject {
            Subject::Order(id) => {
                self.orders.get(&id).is_some_and(|row| row.state == OrderState::Requested)
            }
            Subject::Grant(id) => {
                self.grants.get(&id).is_some_and(|row| row.state == GrantState::Applied)
            }
            Subject::Copy(id) => self
                .copies
                .get(&id)
                .is_some_and(|row| row.state == crate::domain::lifecycle::CopyState::Requested),
        };
        self.typed_decisions.get(&subject).filter(|_| open)
    }
}
