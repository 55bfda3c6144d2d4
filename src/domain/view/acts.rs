//! Folding what people and due dates did.

use super::{
    Account, CameDue, Cosigned, FoldError, Grant, Hold, KeyState, Mark, Proposal, Site, View,
};
use crate::domain::{
    entry::{
        AccessApproved, AccessDenied, AccessRequested, AccountEditConfirmed, AccountEditProposed,
        AccountFacts, AccountsReviewConfirmed, AccountsReviewed, AgreementRecorded,
        AmendmentConfirmed, AnnouncementConfirmed, AnnouncementWithdrawn, AppointmentConfirmed,
        AppointmentProposed, AuditPlanned, AuditRecorded, AuditSigned, BackupReviewed,
        BatchCompared, BatchConfirmed, BatchSealed, Body, ChangeTold, CopyApproved, CopyDeclared,
        CopyDenied, CopyMoved, CopyRequested, CopyWithdrawn, CustodyHandedOver, DecisionConfirmed,
        DecisionEntered, DeliveryAnnounced, EndConfirmed, EndRecorded, Entry, EvidenceAnswered,
        EvidenceAsked, Exception, FactAmended, Filed, FindingAdded, FindingCorrected,
        FindingJudged, FindingTold, HandoverApproved, HandoverDenied, HandoverReceived,
        HandoverRequested, HandoverReturned, IncidentClosed, IncidentInvestigated,
        IncidentRemedied, IncidentReported, IncidentTold, InvestigationConfirmed, LeavingRecorded,
        LinkApplied, LinkCountersigned, LinkRefused, LinkResumeProposed, LinkResumed, LinkReviewed,
        LinkStopped, LinkTested, MediaArriving, MismatchAccepted, NeedStated, NoteAdded,
        NoticeGiven, NoticeJoined, OrderCancelled, PaperKept, PapersConfirmed, PapersRecorded,
        PassphraseConfirmed, PassphraseEnded, RemoteSettled, ReportMade, ReportSent, ReportSigned,
        ReviewConfirmed, SampleDrawn, SampleReviewed, SharedUserAcknowledged, SharedUserConfirmed,
        Signed, StandingConfirmed, StandingEnded, StandingProposed, TimestampKept,
        TrainingRecorded, UnitCompleted, UseWithdrawn, WithdrawalConfirmed,
    },
    ids::GrantId,
    lifecycle::{self, BatchEvent, GrantEvent},
    receipt::Judgement,
    signed,
    step::Plan,
};

impl View {
    pub(super) fn act(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::SiteCreated { site, vkey, ssh_key, recipient, founders, config, .. } => {
                let site = Site {
                    name: site.clone(),
                    vkey: vkey.clone(),
                    ssh_key: ssh_key.clone(),
                    recipient: recipient.clone(),
                };
                self.site = Some(site);
                self.config = Some(*config);
                for facts in founders {
                    self.accounts.insert(facts.name.clone(), Account::founder(facts.clone()));
                    self.people.of(&facts.name).begun(mark.at);
                    self.known_as(mark, facts);
                }
                Ok(())
            }
            Body::Started { config, .. }
            | Body::Reloaded { config, .. }
            | Body::ConfigTightened { config, .. } => {
                self.config = Some(*config);
                Ok(())
            }
            Body::AccessCheckpoint { size, .. } => {
                self.access_checkpoint = Some((mark.at, *size));
                Ok(())
            }
            Body::TimeDoubted { .. } => {
                self.time_doubted = true;
                Ok(())
            }
            Body::TimeConfirmed { .. } => {
                self.time_doubted = false;
                Ok(())
            }
            Body::NonceSpent { nonce } => match self.nonces.insert(nonce) {
                true => Ok(()),
                false => Err(FoldError::Transition(mark.seq)),
            },
            Body::ExpectationBegun(begun) => {
                self.expectation_begun(mark, begun);
                Ok(())
            }
            Body::ExpectationEnded(ended) => self.expectation_ended(mark, ended),
            Body::DeliveryMissed(missed) => self.delivery_missed(mark, missed),
            Body::DeliveryCame(came) => self.delivery_came(mark, came),
            Body::ReportMade(_)
            | Body::ReportSigned(_)
            | Body::ReportSent(_)
            | Body::AuditPlanned(_)
            | Body::AuditRecorded(_)
            | Body::AuditSigned(_)
            | Body::EvidenceAsked(_)
            | Body::EvidenceAnswered(_)
            | Body::AuditDayDrawn(_)
            | Body::AuditDayTold(_) => self.audit(mark, entry),
            Body::ActRefused { .. } | Body::TimestampKept(_) => Ok(()),
            _ if self.link_act(mark, entry)?
                || self.paper_act(mark, entry)
                || self.on_paper(mark, entry)?
                || self.amend(mark, entry)? =>
            {
                Ok(())
            }
            _ => self.administer(mark, entry),
        }
    }

    /// A nonce counts once: the fold itself refuses a replay, whatever wrote the entry.
    pub(super) fn spend_nonce(&mut self, mark: Mark, signed: &Signed) -> Result<(), FoldError> {
        let text =
            signed::SignedText::parse(&signed.text).map_err(|_| FoldError::Unknown(mark.seq))?;
        let nonce = text.nonce;
        if self.nonces.insert(&nonce) { Ok(()) } else { Err(FoldError::Transition(mark.seq)) }
    }

    fn administer(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        let by = entry.by.clone();
        match &entry.body {
            Body::ConfigProposed { config, changes, .. } => {
                self.config_proposal =
                    Some(Proposal { mark, by, what: (*config, changes.clone()) });
            }
            Body::ConfigConfirmed { config, apply, .. } => {
                self.must_apply(apply);
                if let Some(proposal) = self.config_proposal.take() {
                    self.links_changed(mark, &proposal.what.1);
                }
                self.config = Some(*config);
            }
            Body::AccountProposed { account, .. } => {
                let row = self.accounts.entry(account.name.clone()).or_insert_with(|| Account {
                    facts: None,
                    disabled: false,
                    proposal: None,
                    edit: None,
                });
                row.settle();
                row.proposal = Some(Proposal { mark, by, what: account.clone() });
                self.people.of(&account.name).asked(mark.at);
            }
            Body::AccountConfirmed { name, .. } => {
                let row = self.accounts.get_mut(name).ok_or(FoldError::Unknown(mark.seq))?;
                let proposal = row.proposal.take().ok_or(FoldError::Transition(mark.seq))?;
                row.facts = Some(proposal.what.clone());
                row.disabled = false;
                self.known_as(mark, &proposal.what);
                self.people.of(name).begun(mark.at);
            }
            Body::AccountDisabled { name, .. } => {
                let row = self.accounts.get_mut(name).ok_or(FoldError::Unknown(mark.seq))?;
                row.disabled = true;
                row.settle();
                self.people.of(name).over(mark.at, None, false);
            }
            Body::AccountEditProposed(asked) => self.edit_proposed(mark, by, asked)?,
            Body::AccountEditConfirmed(edit) => self.edit_confirmed(mark, &by, edit)?,
            Body::BaselineProposed { link, sequence, .. } => {
                let row = self.links.entry(link.clone()).or_default();
                row.proposal = Some(Proposal { mark, by, what: *sequence });
            }
            Body::BaselineConfirmed { link, .. } => {
                let row = self.links.get_mut(link).ok_or(FoldError::Unknown(mark.seq))?;
                let proposal = row.proposal.take().ok_or(FoldError::Transition(mark.seq))?;
                row.baseline = proposal.what;
                self.index.reached(link, 0);
            }
            _ => return self.witness(mark, entry),
        }
        Ok(())
    }

    fn witness(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        let by = entry.by.clone();
        match &entry.body {
            Body::WitnessProposed { name, vkey, .. } => {
                let row = self.witnesses.entry(name.clone()).or_default();
                row.proposal = Some(Proposal { mark, by, what: vkey.clone() });
            }
            Body::WitnessConfirmed { name, .. } => {
                let row = self.witnesses.get_mut(name).ok_or(FoldError::Unknown(mark.seq))?;
                let proposal = row.proposal.take().ok_or(FoldError::Transition(mark.seq))?;
                row.vkey = Some(proposal.what);
            }
            Body::CheckpointCosigned { witness, size, cosigned_at, line, .. } => {
                let row = self.witnesses.get_mut(witness).ok_or(FoldError::Unknown(mark.seq))?;
                let at = (*cosigned_at).min(mark.at);
                let behind =
                    row.last.as_ref().is_some_and(|last| *size < last.size || at < last.at);
                if behind || *size > mark.seq {
                    return Err(FoldError::Transition(mark.seq));
                }
                row.last = Some(Cosigned { size: *size, at, line: line.clone() });
            }
            Body::OverdueAcknowledged { reason, .. } => {
                self.acknowledgement = Some(Proposal { mark, by, what: reason.clone() });
            }
            Body::OverdueConfirmed { .. } => {
                self.acknowledgement.take().ok_or(FoldError::Transition(mark.seq))?;
                self.acknowledged = Some(mark.at);
            }
            _ => return self.decide(mark, entry),
        }
        Ok(())
    }

    fn decide(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::BatchReleased { batch, .. } => {
                let row = self.batch(mark, *batch)?;
                row.reason = None;
                row.wrong_keys = 0;
                row.standing_wrong = None;
                row.manifest = None;
                row.judged = None;
                // It is looked at anew, and so is whether it is whole.
                if let Some(intake) = self.intake.get_mut(batch) {
                    intake.confirmed = None;
                }
                self.move_batch(mark, *batch, BatchEvent::Released)
            }
            Body::BatchRejected { batch, reason, .. } => {
                let row = self.batch(mark, *batch)?;
                row.rejected = true;
                self.intake.entry(*batch).or_default().rejected = Some(reason.clone());
                self.move_batch(mark, *batch, BatchEvent::Rejected)?;
                self.judged(mark, *batch, Judgement::Rejected)
            }
            Body::BatchRetried { batch, .. } => {
                let row = self.batch(mark, *batch)?;
                row.trouble = None;
                row.receipt_trouble = None;
                for copy in row.copies.clone() {
                    if let Some(row) = self.copies.get_mut(&copy) {
                        row.trouble = None;
                    }
                }
                self.index.troubled(*batch, false);
                Ok(())
            }
            Body::GrantApplied { grant, terms, .. } => {
                let row = Grant {
                    terms: terms.clone(),
                    state: lifecycle::GrantState::Applied,
                    by: entry.by.clone(),
                    applied: mark,
                    approved: None,
                    on_paper: None,
                    completed: None,
                    drawn: 0,
                };
                self.grants.insert(*grant, row);
                Ok(())
            }
            Body::GrantApproved { grant, .. } => self.grant_approved(mark, *grant),
            Body::BudgetDrawn(drawn) => self.budget_drawn(mark, drawn),
            Body::GrantDenied { grant, .. } => self.move_grant(mark, *grant, GrantEvent::Denied),
            Body::GrantRevoked { grant, .. } => self.move_grant(mark, *grant, GrantEvent::Revoked),
            Body::GrantExpired { grant } => self.move_grant(mark, *grant, GrantEvent::Expired),
            Body::UseCompleted { .. }
            | Body::NoNeed { .. }
            | Body::UnitCompleted(_)
            | Body::NeedStated(_)
            | Body::UseWithdrawn(_)
            | Body::WithdrawalConfirmed(_) => self.end_of_use(mark, entry),
            Body::BatchSealed(_)
            | Body::BatchConfirmed(_)
            | Body::BatchCompared(_)
            | Body::MismatchAccepted(_) => self.taken_in(mark, entry),
            Body::Filed(filed) => {
                self.batch(mark, filed.batch)?.filed = Some(mark.at);
                Ok(())
            }
            _ => self.end(mark, entry),
        }
    }

    fn end(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::CameDue { batch, clock, whole, deadline, clause } => {
                let row = self.batch(mark, *batch)?;
                row.clocks.push(clock.clone());
                row.due = Some((*deadline, *whole));
                let (clock, clause) = (clock.clone(), clause.clone());
                row.came_due.push(CameDue { clock, clause, deadline: *deadline, whole: *whole });
                // What a person rejected is due already; its clock only says by when.
                if *whole && row.state != lifecycle::BatchState::Due {
                    self.move_batch(mark, *batch, BatchEvent::UseEnded)
                } else {
                    Ok(())
                }
            }
            Body::BatchClosed { batch } => {
                let row = self.batches.get(batch).ok_or(FoldError::Unknown(mark.seq))?;
                let (key, of) = (self.newest_key(&row).map(|(id, _)| id), row.number.clone());
                let link = row.link.clone();
                drop(row);
                self.batch(mark, *batch)?.key = key;
                self.move_batch(mark, *batch, BatchEvent::Completed)?;
                if let Some(number) = of {
                    self.keys_over(&link, &number);
                }
                Ok(())
            }
            Body::HoldPlaced { hold, scope, authority, doc_no, review, .. } => {
                let row = Hold {
                    scope: scope.clone(),
                    by: entry.by.clone(),
                    authority: authority.clone(),
                    doc_no: doc_no.clone(),
                    review: *review,
                    placed: mark,
                    lifted: false,
                };
                self.holds.insert(*hold, row);
                Ok(())
            }
            Body::HoldLifted { hold, .. } => {
                self.holds.get_mut(hold).ok_or(FoldError::Unknown(mark.seq))?.lifted = true;
                Ok(())
            }
            Body::AccessOrderRequested(_)
            | Body::AccessOrderApproved(_)
            | Body::AccessOrderDenied(_)
            | Body::AccessOrderVoided(_) => self.order_access(mark, &entry.by, &entry.body),
            _ => self.destruction(mark, entry),
        }
    }

    /// A grant counts: by a signature or by a document, it opens the same rows.
    pub(super) fn grant_approved(&mut self, mark: Mark, id: GrantId) -> Result<(), FoldError> {
        self.move_grant(mark, id, GrantEvent::Approved)?;
        self.grants.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?.approved = Some(mark);
        self.granted_rows(mark, id)
    }

    pub(super) fn move_grant(
        &mut self,
        mark: Mark,
        id: GrantId,
        on: GrantEvent,
    ) -> Result<(), FoldError> {
        let row = self.grants.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
        let (to, _) = lifecycle::next(lifecycle::GRANT, row.state, on)
            .ok_or(FoldError::Transition(mark.seq))?;
        row.state = to;
        Ok(())
    }

    /// The active account with this name.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<&AccountFacts> {
        self.accounts.get(name)?.active()
    }

    /// The active account of a unix user.
    #[must_use]
    pub fn account_of_uid(&self, uid: u32) -> Option<&AccountFacts> {
        self.accounts
            .values()
            .filter_map(Account::active)
            .find(|facts| facts.unix.as_ref().is_some_and(|unix| unix.uid == uid))
    }

    /// Keys in the key store that are still live, by id, for `batch show` and the hand-over list.
    #[must_use]
    pub fn live_keys(&self) -> usize {
        self.keys.loose().filter(|(_, key)| key.state == KeyState::Live).count()
    }
}

impl Body {
    /// The signature that an entry carries.
    #[must_use]
    #[allow(clippy::too_many_lines, reason = "a table: each entry beside its signature")]
    pub const fn signed(&self) -> Option<&Signed> {
        match self {
            Self::ConfigProposed { signed, .. }
            | Self::AccountProposed { signed, .. }
            | Self::AccountEditProposed(AccountEditProposed { signed, .. })
            | Self::AccountDisabled { signed, .. }
            | Self::BaselineProposed { signed, .. }
            | Self::BatchRetried { signed, .. }
            | Self::TimeConfirmed { signed, .. }
            | Self::WitnessProposed { signed, .. }
            | Self::CheckpointCosigned { signed, .. }
            | Self::GrantApplied { signed, .. }
            | Self::OrderRequested { signed, .. }
            | Self::AccessOrderRequested(AccessRequested { signed, .. })
            | Self::OrderCancelled(OrderCancelled { signed, .. })
            | Self::CopyExcepted(Exception { signed, .. })
            | Self::CopyRequested(CopyRequested { signed, .. })
            | Self::CopyWithdrawn(CopyWithdrawn { signed, .. })
            | Self::CopyDeclared(CopyDeclared { signed, .. })
            | Self::CopyMoved(CopyMoved { signed, .. })
            | Self::EndRecorded(EndRecorded { signed, .. })
            | Self::HandoverRequested(HandoverRequested { signed, .. })
            | Self::HandoverReceived(HandoverReceived { signed, .. })
            | Self::HandoverReturned(HandoverReturned { signed, .. })
            | Self::MediaArriving(MediaArriving { signed, .. })
            | Self::SampleDrawn(SampleDrawn { signed, .. })
            | Self::SampleReviewed(SampleReviewed { signed, .. })
            | Self::FindingAdded(FindingAdded { signed, .. })
            | Self::FindingCorrected(FindingCorrected { signed, .. })
            | Self::FindingTold(FindingTold { signed, .. })
            | Self::IncidentReported(IncidentReported { signed, .. })
            | Self::IncidentInvestigated(IncidentInvestigated { signed, .. })
            | Self::IncidentTold(IncidentTold { signed, .. })
            | Self::IncidentRemedied(IncidentRemedied { signed, .. })
            | Self::NoticeGiven(NoticeGiven { signed, .. })
            | Self::DeliveryAnnounced(DeliveryAnnounced { signed, .. })
            | Self::AnnouncementWithdrawn(AnnouncementWithdrawn { signed, .. })
            | Self::NoticeJoined(NoticeJoined { signed, .. })
            | Self::StandingProposed(StandingProposed { signed, .. })
            | Self::StandingEnded(StandingEnded { signed, .. })
            | Self::PapersRecorded(PapersRecorded { signed, .. })
            | Self::LinkApplied(LinkApplied { signed, .. })
            | Self::PassphraseEnded(PassphraseEnded { signed, .. })
            | Self::PaperKept(PaperKept { signed, .. })
            | Self::DecisionEntered(DecisionEntered { signed, .. })
            | Self::FactAmended(FactAmended { signed, .. })
            | Self::NoteAdded(NoteAdded { signed, .. })
            | Self::BackupReviewed(BackupReviewed { signed, .. })
            | Self::LinkTested(LinkTested { signed, .. })
            | Self::LinkReviewed(LinkReviewed { signed, .. })
            | Self::LinkStopped(LinkStopped { signed, .. })
            | Self::LinkResumeProposed(LinkResumeProposed { signed, .. })
            | Self::TimestampKept(TimestampKept { signed, .. })
            | Self::AppointmentProposed(AppointmentProposed { signed, .. })
            | Self::LeavingRecorded(LeavingRecorded { signed, .. })
            | Self::ChangeTold(ChangeTold { signed, .. })
            | Self::TrainingRecorded(TrainingRecorded { signed, .. })
            | Self::AgreementRecorded(AgreementRecorded { signed, .. })
            | Self::ReportMade(ReportMade { signed, .. })
            | Self::ReportSent(ReportSent { signed, .. })
            | Self::AuditPlanned(AuditPlanned { signed, .. })
            | Self::AuditRecorded(AuditRecorded { signed, .. })
            | Self::EvidenceAsked(EvidenceAsked { signed, .. })
            | Self::EvidenceAnswered(EvidenceAnswered { signed, .. })
            | Self::BatchCompared(BatchCompared { signed, .. })
            | Self::Intent { plan: Plan::TakeKey { signed, .. } } => signed.as_ref(),
            Self::ConfigConfirmed { signed, .. }
            | Self::PassphraseConfirmed(PassphraseConfirmed { signed, .. })
            | Self::AccountConfirmed { signed, .. }
            | Self::AccountEditConfirmed(AccountEditConfirmed { signed, .. })
            | Self::BaselineConfirmed { signed, .. }
            | Self::WitnessConfirmed { signed, .. }
            | Self::OverdueAcknowledged { signed, .. }
            | Self::OverdueConfirmed { signed, .. }
            | Self::BatchReleased { signed, .. }
            | Self::BatchRejected { signed, .. }
            | Self::GrantApproved { signed, .. }
            | Self::GrantDenied { signed, .. }
            | Self::GrantRevoked { signed, .. }
            | Self::UseCompleted { signed, .. }
            | Self::NoNeed { signed, .. }
            | Self::UnitCompleted(UnitCompleted { signed, .. })
            | Self::NeedStated(NeedStated { signed, .. })
            | Self::UseWithdrawn(UseWithdrawn { signed, .. })
            | Self::WithdrawalConfirmed(WithdrawalConfirmed { signed, .. })
            | Self::BatchSealed(BatchSealed { signed, .. })
            | Self::BatchConfirmed(BatchConfirmed { signed, .. })
            | Self::MismatchAccepted(MismatchAccepted { signed, .. })
            | Self::AccessOrderApproved(AccessApproved { signed, .. })
            | Self::AccessOrderDenied(AccessDenied { signed, .. })
            | Self::CopyApproved(CopyApproved { signed, .. })
            | Self::CopyDenied(CopyDenied { signed, .. })
            | Self::EndConfirmed(EndConfirmed { signed, .. })
            | Self::Filed(Filed { signed, .. })
            | Self::HandoverApproved(HandoverApproved { signed, .. })
            | Self::HandoverDenied(HandoverDenied { signed, .. })
            | Self::ReviewConfirmed(ReviewConfirmed { signed, .. })
            | Self::FindingJudged(FindingJudged { signed, .. })
            | Self::InvestigationConfirmed(InvestigationConfirmed { signed, .. })
            | Self::IncidentClosed(IncidentClosed { signed, .. })
            | Self::AnnouncementConfirmed(AnnouncementConfirmed { signed, .. })
            | Self::OrderApproved { signed, .. }
            | Self::OrderDenied { signed, .. }
            | Self::StandingConfirmed(StandingConfirmed { signed, .. })
            | Self::PapersConfirmed(PapersConfirmed { signed, .. })
            | Self::DecisionConfirmed(DecisionConfirmed { signed, .. })
            | Self::AmendmentConfirmed(AmendmentConfirmed { signed, .. })
            | Self::LinkCountersigned(LinkCountersigned { signed, .. })
            | Self::LinkRefused(LinkRefused { signed, .. })
            | Self::LinkResumed(LinkResumed { signed, .. })
            | Self::HoldPlaced { signed, .. }
            | Self::HoldLifted { signed, .. }
            | Self::RemoteSettled(RemoteSettled { signed, .. })
            | Self::AppointmentConfirmed(AppointmentConfirmed { signed, .. })
            | Self::CustodyHandedOver(CustodyHandedOver { signed, .. })
            | Self::AccountsReviewed(AccountsReviewed { signed, .. })
            | Self::AccountsReviewConfirmed(AccountsReviewConfirmed { signed, .. })
            | Self::SharedUserAcknowledged(SharedUserAcknowledged { signed, .. })
            | Self::SharedUserConfirmed(SharedUserConfirmed { signed, .. })
            | Self::ReportSigned(ReportSigned { signed, .. })
            | Self::AuditSigned(AuditSigned { signed, .. }) => Some(signed),
            _ => None,
        }
    }
}
