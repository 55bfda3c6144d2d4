//! Folding destruction: orders from their request to their papers, and standing approvals.

use super::{Decided, FoldError, Mark, Order, Proposal, Standing, Trouble, View};
use crate::domain::view::CopyKind;
use crate::domain::{
    certificate::Assurance,
    digest::Digest,
    entry::{Body, Entry, Exception},
    ids::{BatchId, CopyId, OrderId},
    lifecycle::{BatchEvent, BatchState, CopyEvent, CopyState, OrderEvent, OrderState},
    on_paper::Subject,
    time::Timestamp,
};

impl View {
    #[allow(clippy::too_many_lines, reason = "a table: each entry beside what folds it")]
    pub(super) fn destruction(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::OrderRequested { .. } => self.order_requested(mark, entry),
            Body::OrderApproved { order, not_before, .. } => {
                self.approved_by(mark, *order, &entry.by, *not_before)
            }
            Body::OrderDenied { order, .. } => self.move_order(mark, *order, OrderEvent::Denied),
            Body::OrderVoided { order, code, unreadable } => {
                self.void_order(mark, *order, code, unreadable)
            }
            Body::OrderCancelled(stop) => {
                self.void_order(mark, stop.order, "cancelled", &stop.unreadable)
            }
            Body::CopyExcepted(exception) => self.except(mark, exception),
            Body::CopyRequested(_)
            | Body::CopyApproved(_)
            | Body::CopyDenied(_)
            | Body::CopyWithdrawn(_)
            | Body::CopyDeclared(_)
            | Body::CopyMoved(_)
            | Body::EndRecorded(_)
            | Body::EndConfirmed(_) => self.keep_copy(mark, entry),
            Body::PassphraseConfirmed(_) | Body::PassphraseEnded(_) => self.passphrase(mark, entry),
            Body::HandoverRequested(_)
            | Body::HandoverApproved(_)
            | Body::HandoverDenied(_)
            | Body::HandoverReceived(_)
            | Body::HandoverReturned(_)
            | Body::MediaArriving(_)
            | Body::MediaCarried(_) => self.hand_over(mark, entry),
            Body::AppointmentProposed(_)
            | Body::AppointmentConfirmed(_)
            | Body::LeavingRecorded(_)
            | Body::RightsEnded(_)
            | Body::TermEnded(_)
            | Body::CustodyHandedOver(_)
            | Body::ChangeTold(_)
            | Body::TrainingRecorded(_)
            | Body::AgreementRecorded(_)
            | Body::AccountsReviewed(_)
            | Body::AccountsReviewConfirmed(_)
            | Body::AccountSuspended(_)
            | Body::AccountUsed {} => self.fold_people(mark, entry),
            Body::SharedUserAcknowledged(_) | Body::SharedUserConfirmed(_) => {
                self.fold_seats(mark, entry)
            }
            Body::SampleSealed(_)
            | Body::SampleDrawn(_)
            | Body::SampleListed(_)
            | Body::SampleReviewed(_)
            | Body::ReviewConfirmed(_)
            | Body::FindingAdded(_)
            | Body::FindingCorrected(_)
            | Body::FindingTold(_)
            | Body::FindingJudged(_) => self.sampled(mark, entry),
            Body::IncidentReported(_)
            | Body::IncidentInvestigated(_)
            | Body::InvestigationConfirmed(_)
            | Body::IncidentTold(_)
            | Body::IncidentRemedied(_)
            | Body::IncidentClosed(_) => self.happened(mark, entry),
            Body::NoticeGiven(_)
            | Body::DeliveryAnnounced(_)
            | Body::AnnouncementConfirmed(_)
            | Body::AnnouncementWithdrawn(_)
            | Body::NoticeJoined(_) => self.notified(mark, entry),
            _ => self.standing_or_papers(mark, entry),
        }
    }

    /// One of the people who must approve an order did.
    pub(super) fn approved_by(
        &mut self,
        mark: Mark,
        order: OrderId,
        by: &str,
        not_before: Option<Timestamp>,
    ) -> Result<(), FoldError> {
        let for_him = self.stood_in_for(Decided::On(Subject::Order(order)), by);
        let row = self.ordered(mark, order)?;
        // The fold itself refuses who decides twice, himself or by a deputy, or on what is his own.
        if for_him || row.by == by || row.approvals.iter().any(|(other, _)| other == by) {
            return Err(FoldError::Transition(mark.seq));
        }
        row.approvals.push((by.to_owned(), mark));
        if row.state != OrderState::Requested {
            return Err(FoldError::Transition(mark.seq));
        }
        if row.approvals.len() < row.approvers as usize {
            return Ok(());
        }
        row.not_before = not_before;
        self.approve_order(mark, order, by)
    }

    pub(super) fn ordered(&mut self, mark: Mark, id: OrderId) -> Result<&mut Order, FoldError> {
        self.orders.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))
    }

    fn order_requested(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        let Body::OrderRequested {
            order,
            copies,
            reason,
            policy,
            expires,
            approvers,
            standing,
            chosen,
            ..
        } = &entry.body
        else {
            return Err(FoldError::Transition(mark.seq));
        };
        let row = Order {
            copies: copies.clone(),
            state: OrderState::Requested,
            reason: reason.clone(),
            policy: *policy,
            expires: *expires,
            by: entry.by.clone(),
            requested: mark,
            approvers: approvers.unwrap_or(1),
            approvals: Vec::new(),
            approved: None,
            standing: *standing,
            chosen: *chosen,
            not_before: None,
            wiped: Vec::new(),
            attested: Vec::new(),
            excepted: Vec::new(),
            voided: None,
            certificate: None,
            paper_proposal: None,
            papers: Vec::new(),
            on_paper: Vec::new(),
        };
        let mut batches: Vec<BatchId> = copies.iter().map(|copy| copy.batch).collect();
        batches.sort_unstable();
        batches.dedup();
        for batch in batches {
            if let Some(row) = self.batches.get_mut(&batch) {
                row.orders.push(*order);
            }
        }
        self.orders.insert(*order, row);
        let Some(standing) = standing else { return Ok(()) };
        // One entry requests and approves: there is no moment at which a stop could leave the one without the other.
        let confirmed = self.standings.get(standing).and_then(|s| s.confirmed.clone());
        let (by, _) = confirmed.ok_or(FoldError::Unknown(mark.seq))?;
        self.approve_order(mark, *order, &by)
    }

    fn approve_order(&mut self, mark: Mark, id: OrderId, by: &str) -> Result<(), FoldError> {
        self.move_order(mark, id, OrderEvent::Approved)?;
        let row = self.ordered(mark, id)?;
        row.approved = Some((by.to_owned(), mark));
        let copies: Vec<_> = row.copies.iter().map(|c| (c.copy, c.batch)).collect();
        for (copy, _) in &copies {
            self.move_copy(mark, *copy, CopyEvent::Condemned)?;
            if let Some(row) = self.copies.get_mut(copy) {
                row.exception = None;
                // What somebody said under an order that lost its force says nothing under this one.
                if let Some(held) = &mut row.held {
                    held.said_gone = held.end.take().map(|end| end.what.at).or(held.said_gone);
                }
            }
        }
        let mut batches: Vec<BatchId> = copies.iter().map(|(_, batch)| *batch).collect();
        batches.sort_unstable();
        batches.dedup();
        for batch in batches {
            let covered = self.copies_of(batch).all(|(copy, row)| {
                row.state == CopyState::Destroyed || copies.iter().any(|(one, _)| *one == copy)
            });
            let row = self.batch(mark, batch)?;
            // An order over a loaded batch's transfer files leaves the batch where it is (NT-4.4).
            if row.state == BatchState::Due && covered {
                row.order = Some(id);
                self.move_batch(mark, batch, BatchEvent::OrderApproved)?;
            }
        }
        Ok(())
    }

    /// What was wiped stays wiped, and gets its certificate; what was not is spared; what was cut short in its wipe is
    /// there and unreadable.
    fn void_order(
        &mut self,
        mark: Mark,
        id: OrderId,
        code: &str,
        unreadable: &[CopyId],
    ) -> Result<(), FoldError> {
        let row = self.ordered(mark, id)?;
        row.voided = Some((code.to_owned(), mark));
        let stopped = row.gone() > 0;
        let covered = row.copies.iter().map(|c| c.copy);
        let copies: Vec<_> = covered.filter(|copy| row.is_open_over(*copy)).collect();
        self.move_order(mark, id, if stopped { OrderEvent::Stopped } else { OrderEvent::Voided })?;
        for copy in copies {
            if self.copies.get(&copy).is_some_and(|c| c.state == CopyState::Condemned) {
                let cut = unreadable.contains(&copy);
                self.move_copy(mark, copy, if cut { CopyEvent::Cut } else { CopyEvent::Spared })?;
            }
        }
        for batch in self.condemned_by(id) {
            self.spare_batch(mark, batch)?;
        }
        Ok(())
    }

    fn spare_batch(&mut self, mark: Mark, batch: BatchId) -> Result<(), FoldError> {
        self.batch(mark, batch)?.order = None;
        self.move_batch(mark, batch, BatchEvent::OrderVoided)
    }

    /// The copy stays, with the record that says what it is; so its batch is not destroyed by this order.
    fn except(&mut self, mark: Mark, exception: &Exception) -> Result<(), FoldError> {
        let Exception { order, copy, owner, until, .. } = exception;
        let batch = self.copies.get(copy).ok_or(FoldError::Unknown(mark.seq))?.batch;
        let condemned = |row: &super::CopyRow| row.state == CopyState::Condemned;
        let record = |row: &super::CopyRow| row.kind == CopyKind::Case && condemned(row);
        let records: Vec<CopyId> =
            self.copies_of(batch).filter(|(_, row)| record(row)).map(|(id, _)| id).collect();
        for left in records.into_iter().chain([*copy]) {
            let row = self.ordered(mark, *order)?;
            let covered = row.copies.iter().any(|one| one.copy == left);
            if !covered || row.excepted.iter().any(|(one, _)| *one == left) {
                continue;
            }
            row.excepted.push((left, mark.seq));
            self.move_copy(mark, left, CopyEvent::Spared)?;
        }
        if let Some(row) = self.copies.get_mut(copy) {
            row.exception = Some((owner.clone(), *until));
        }
        if self.condemned_by(*order).contains(&batch) {
            self.spare_batch(mark, batch)?;
        }
        self.end_order(mark, *order)
    }

    /// An order whose last copy has gone, or was left out, is carried out. One under which nothing was wiped is void.
    pub(super) fn end_order(&mut self, mark: Mark, id: OrderId) -> Result<(), FoldError> {
        let row = self.ordered(mark, id)?;
        if row.open_copies() > 0 {
            return Ok(());
        }
        if row.gone() == 0 {
            row.voided = Some(("out-of-reach".to_owned(), mark));
            return self.move_order(mark, id, OrderEvent::Voided);
        }
        self.move_order(mark, id, OrderEvent::Executed)
    }

    pub(super) fn copy_wiped(
        &mut self,
        mark: Mark,
        order: OrderId,
        copy: CopyId,
        assurance: Assurance,
    ) -> Result<(), FoldError> {
        // A copy that the order left out is another order's now.
        if !self.ordered(mark, order)?.is_open_over(copy) {
            return Err(FoldError::Transition(mark.seq));
        }
        self.move_copy(mark, copy, CopyEvent::Wiped)?;
        let batch = self.copies.get_mut(&copy).map(|row| {
            row.assurance = Some(assurance);
            row.gone = Some(mark.at);
            row.trouble = None;
            row.batch
        });
        let still = |(_, row): (CopyId, super::Row<'_, super::CopyRow>)| row.trouble.is_some();
        if let Some(batch) = batch
            && self.batches.get(&batch).is_some_and(|row| row.trouble.is_some())
            && !self.copies_of(batch).any(still)
        {
            self.batch(mark, batch)?.trouble = None;
            self.index.troubled(batch, false);
        }
        self.ordered(mark, order)?.wiped.push((copy, mark.seq));
        self.end_order(mark, order)
    }

    /// Accounts for a wipe that failed, by copy; its batch is told too.
    pub(super) fn wipe_failed(&mut self, copy: CopyId, first: Trouble) -> Option<BatchId> {
        let row = self.copies.get_mut(&copy)?;
        row.failures += 1;
        let times = row.trouble.as_ref().map_or(0, |t| t.times) + 1;
        row.trouble = Some(Trouble { times, ..first });
        Some(row.batch)
    }

    pub(super) fn certified(
        &mut self,
        mark: Mark,
        order: OrderId,
        certificate: Digest,
    ) -> Result<(), FoldError> {
        self.move_order(mark, order, OrderEvent::Certified)?;
        self.ordered(mark, order)?.certificate = Some((certificate, mark.at));
        for batch in self.condemned_by(order) {
            self.move_batch(mark, batch, BatchEvent::Certified)?;
        }
        let batch = self.ordered(mark, order)?.copies.first().map(|copy| copy.batch);
        if let Some(row) = batch.and_then(|batch| self.batches.get(&batch)) {
            let link = row.link.clone();
            self.remotes.unreported.entry(link).or_default().insert(order);
        }
        Ok(())
    }

    /// The batches that an order condemned whole.
    fn condemned_by(&self, order: OrderId) -> Vec<BatchId> {
        let condemned = self.batches_in(BatchState::Condemned);
        condemned.filter(|(_, b)| b.order == Some(order)).map(|(id, _)| id).collect()
    }

    fn standing_or_papers(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::StandingProposed(asked) => {
                let row = Standing {
                    policy: asked.policy.clone(),
                    link: asked.link.clone(),
                    doc_no: asked.doc_no.clone(),
                    until: asked.until,
                    by: entry.by.clone(),
                    proposed: mark,
                    confirmed: None,
                    ended: false,
                };
                self.standings.insert(asked.standing, row);
            }
            Body::StandingConfirmed(confirmed) => {
                let row = self.standings.get_mut(&confirmed.standing);
                let row = row.ok_or(FoldError::Unknown(mark.seq))?;
                if row.by == entry.by || row.ended || row.confirmed.is_some() {
                    return Err(FoldError::Transition(mark.seq));
                }
                row.confirmed = Some((entry.by.clone(), mark));
            }
            Body::StandingEnded(ended) => {
                let row = self.standings.get_mut(&ended.standing);
                row.ok_or(FoldError::Unknown(mark.seq))?.ended = true;
            }
            Body::PapersRecorded(papers) => {
                let what = papers.papers.clone();
                self.ordered(mark, papers.order)?.paper_proposal =
                    Some(Proposal { mark, by: entry.by.clone(), what });
            }
            Body::PapersConfirmed(confirmed) => {
                let row = self.ordered(mark, confirmed.order)?;
                let proposal = row.paper_proposal.take().ok_or(FoldError::Transition(mark.seq))?;
                if proposal.by == entry.by {
                    return Err(FoldError::Transition(mark.seq));
                }
                row.papers.extend(proposal.what);
            }
            _ => return Err(FoldError::Transition(mark.seq)),
        }
        Ok(())
    }
}
