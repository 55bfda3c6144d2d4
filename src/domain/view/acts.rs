//! Folding what people and due dates did.

use super::{Account, FoldError, Grant, Hold, KeyState, Mark, Order, Proposal, Site, View};
use crate::domain::{
    entry::{AccountFacts, Body, Entry, Signed},
    ids::{BatchId, GrantId, OrderId},
    lifecycle::{self, BatchEvent, CopyEvent, GrantEvent, OrderEvent},
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
                    let account =
                        Account { facts: Some(facts.clone()), disabled: false, proposal: None };
                    self.accounts.insert(facts.name.clone(), account);
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
            Body::NonceSpent { nonce } => {
                if self.nonces.insert(nonce) {
                    Ok(())
                } else {
                    Err(FoldError::Transition(mark.seq))
                }
            }
            Body::ActRefused { .. } => Ok(()),
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
            Body::ConfigConfirmed { config, .. } => {
                self.config_proposal = None;
                self.config = Some(*config);
            }
            Body::AccountProposed { account, .. } => {
                let row = self.accounts.entry(account.name.clone()).or_insert_with(|| Account {
                    facts: None,
                    disabled: false,
                    proposal: None,
                });
                row.proposal = Some(Proposal { mark, by, what: account.clone() });
            }
            Body::AccountConfirmed { name, .. } => {
                let row = self.accounts.get_mut(name).ok_or(FoldError::Unknown(mark.seq))?;
                let proposal = row.proposal.take().ok_or(FoldError::Transition(mark.seq))?;
                row.facts = Some(proposal.what);
                row.disabled = false;
            }
            Body::AccountDisabled { name, .. } => {
                let row = self.accounts.get_mut(name).ok_or(FoldError::Unknown(mark.seq))?;
                row.disabled = true;
                row.proposal = None;
            }
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
                row.manifest = None;
                self.move_batch(mark, *batch, BatchEvent::Released)
            }
            Body::BatchRejected { batch, .. } => {
                let row = self.batch(mark, *batch)?;
                row.rejected = true;
                self.move_batch(mark, *batch, BatchEvent::Rejected)
            }
            Body::BatchRetried { batch, .. } => {
                self.batch(mark, *batch)?.trouble = None;
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
                };
                self.grants.insert(*grant, row);
                Ok(())
            }
            Body::GrantApproved { grant, .. } => {
                self.move_grant(mark, *grant, GrantEvent::Approved)?;
                if let Some(row) = self.grants.get_mut(grant) {
                    row.approved = Some(mark);
                }
                Ok(())
            }
            Body::GrantDenied { grant, .. } => self.move_grant(mark, *grant, GrantEvent::Denied),
            Body::GrantRevoked { grant, .. } => self.move_grant(mark, *grant, GrantEvent::Revoked),
            Body::GrantExpired { grant } => self.move_grant(mark, *grant, GrantEvent::Expired),
            Body::UseCompleted { grant, .. } => {
                self.move_grant(mark, *grant, GrantEvent::Completed)
            }
            Body::NoNeed { batch, .. } => {
                self.batch(mark, *batch)?.no_need = Some(mark.at);
                Ok(())
            }
            _ => self.end(mark, entry),
        }
    }

    fn end(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::CameDue { batch, clock, whole, deadline, .. } => {
                let row = self.batch(mark, *batch)?;
                row.clocks.push(clock.clone());
                row.due = Some((*deadline, *whole));
                if *whole { self.move_batch(mark, *batch, BatchEvent::UseEnded) } else { Ok(()) }
            }
            Body::OrderRequested { order, copies, reason, policy, expires, .. } => {
                let row = Order {
                    copies: copies.clone(),
                    state: lifecycle::OrderState::Requested,
                    reason: reason.clone(),
                    policy: *policy,
                    expires: *expires,
                    by: entry.by.clone(),
                    requested: mark,
                    approved: None,
                    wiped: Vec::new(),
                    certificate: None,
                };
                self.orders.insert(*order, row);
                Ok(())
            }
            Body::OrderApproved { order, .. } => self.approve_order(mark, *order, &entry.by),
            Body::OrderDenied { order, .. } => self.move_order(mark, *order, OrderEvent::Denied),
            Body::OrderVoided { order, .. } => self.void_order(mark, *order),
            Body::BatchClosed { batch } => self.move_batch(mark, *batch, BatchEvent::Completed),
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
            _ => Err(FoldError::Transition(mark.seq)),
        }
    }

    fn approve_order(&mut self, mark: Mark, id: OrderId, by: &str) -> Result<(), FoldError> {
        self.move_order(mark, id, OrderEvent::Approved)?;
        let row = self.orders.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
        row.approved = Some((by.to_owned(), mark));
        let copies: Vec<_> = row.copies.iter().map(|c| (c.copy, c.batch)).collect();
        for (copy, _) in &copies {
            self.move_copy(mark, *copy, CopyEvent::Condemned)?;
        }
        let mut batches: Vec<BatchId> = copies.iter().map(|(_, batch)| *batch).collect();
        batches.dedup();
        for batch in batches {
            let covered = self.copies_of(batch).all(|(copy, row)| {
                row.state == lifecycle::CopyState::Destroyed
                    || copies.iter().any(|(one, _)| *one == copy)
            });
            let row = self.batch(mark, batch)?;
            // An order over a loaded batch's transfer files leaves the batch where it is (NT-4.4).
            if row.state == lifecycle::BatchState::Due && covered {
                row.order = Some(id);
                self.move_batch(mark, batch, BatchEvent::OrderApproved)?;
            }
        }
        Ok(())
    }

    fn void_order(&mut self, mark: Mark, id: OrderId) -> Result<(), FoldError> {
        self.move_order(mark, id, OrderEvent::Voided)?;
        let row = self.orders.get(&id).ok_or(FoldError::Unknown(mark.seq))?;
        let copies: Vec<_> = row.copies.iter().map(|c| c.copy).collect();
        for copy in copies {
            let condemned =
                self.copies.get(&copy).is_some_and(|c| c.state == lifecycle::CopyState::Condemned);
            if condemned {
                self.move_copy(mark, copy, CopyEvent::Spared)?;
            }
        }
        for batch in self.condemned_by(id) {
            self.batch(mark, batch)?.order = None;
            self.move_batch(mark, batch, BatchEvent::OrderVoided)?;
        }
        Ok(())
    }

    fn move_grant(&mut self, mark: Mark, id: GrantId, on: GrantEvent) -> Result<(), FoldError> {
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
        self.keys.values().filter(|key| key.state == KeyState::Live).count()
    }
}

impl Body {
    /// The signature that an entry carries.
    #[must_use]
    pub const fn signed(&self) -> Option<&Signed> {
        match self {
            Self::ConfigProposed { signed, .. }
            | Self::AccountProposed { signed, .. }
            | Self::AccountDisabled { signed, .. }
            | Self::BaselineProposed { signed, .. }
            | Self::BatchRetried { signed, .. }
            | Self::TimeConfirmed { signed, .. }
            | Self::GrantApplied { signed, .. }
            | Self::OrderRequested { signed, .. }
            | Self::Intent { plan: Plan::TakeKey { signed, .. } } => signed.as_ref(),
            Self::ConfigConfirmed { signed, .. }
            | Self::AccountConfirmed { signed, .. }
            | Self::BaselineConfirmed { signed, .. }
            | Self::BatchReleased { signed, .. }
            | Self::BatchRejected { signed, .. }
            | Self::GrantApproved { signed, .. }
            | Self::GrantDenied { signed, .. }
            | Self::GrantRevoked { signed, .. }
            | Self::UseCompleted { signed, .. }
            | Self::NoNeed { signed, .. }
            | Self::OrderApproved { signed, .. }
            | Self::OrderDenied { signed, .. }
            | Self::HoldPlaced { signed, .. }
            | Self::HoldLifted { signed, .. } => Some(signed),
            _ => None,
        }
    }
}
