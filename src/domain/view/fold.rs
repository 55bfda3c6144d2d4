//! Folding steps: intents, outcomes and failures into the view.
//!
//! It is over 500 lines because what every step may come to is read side by side.

use super::{AccessKey, Batch, CopyKind, CopyRow, KeyRow, KeyState, Mark, Seen, Trouble, View};
use super::{passphrases::opened_strength, remotes::End};
use crate::domain::{
    digest::Digest,
    entry::{Body, CopyFacts, Entry, Failure, LoadFacts, ManifestFacts, Verdict},
    ids::{BatchId, CopyId, DeliveryId, KeyId, OrderId},
    lifecycle::{self, BatchEvent, BatchState, CopyEvent, CopyState, OrderEvent, OrderState},
    manifest::Kind,
    reason::Reason,
    receipt::Judgement,
    step::{Outcome, Plan},
};

/// After so many entries, what is over is packed.
const SETTLE_EVERY: u64 = 1024;

/// An entry that cannot follow the entries before it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// Not the next one.
    #[error("entry {found} follows entry {expected} of the register")]
    Order {
        /// Entries folded.
        expected: u64,
        /// The entry's place.
        found: u64,
    },
    /// Its time is before the last one's.
    #[error("entry {0} is older than the entry before it")]
    Time(u64),
    /// It names something that is not there.
    #[error("entry {0} names something that the register does not have")]
    Unknown(u64),
    /// The tables have no such row.
    #[error("entry {0} moves a state in a way that no table has")]
    Transition(u64),
}

impl View {
    /// Takes the next entry. `leaf` is its leaf hash.
    ///
    /// # Errors
    /// The entry cannot follow; the view is then not to be used any more.
    pub fn apply(&mut self, seq: u64, entry: &Entry, leaf: Digest) -> Result<(), FoldError> {
        if seq != self.size {
            return Err(FoldError::Order { expected: self.size, found: seq });
        }
        if self.last_at.is_some_and(|last| entry.at < last) {
            return Err(FoldError::Time(seq));
        }
        let mark = Mark { seq, digest: leaf, at: entry.at };
        if let Some(signed) = entry.body.signed() {
            self.spend_nonce(mark, signed)?;
        }
        self.deputised(mark, entry)?;
        self.seated(mark, entry);
        match &entry.body {
            Body::Intent { plan } => self.intend(mark, &entry.by, plan)?,
            Body::Outcome { intent, outcome } => self.finish(mark, *intent, outcome)?,
            Body::Failed { intent, failure, code } => self.fail(mark, *intent, *failure, code)?,
            Body::DeliverySeen { delivery, link, name_mac, opens } => {
                self.next.delivery = self.next.delivery.max(delivery.number());
                let seen = Seen { link: link.clone(), name_mac: *name_mac, since: entry.at };
                self.deliveries.insert(*delivery, seen);
                self.index.delivery(*delivery, link, *name_mac);
                self.seen_early(mark, *delivery, (link, *name_mac), opens.as_deref());
            }
            Body::DeliveryGone { delivery } => {
                self.delivery_over(*delivery);
                self.gone_early(mark, *delivery);
            }
            Body::StraySeen { link, name_mac, .. } => {
                self.strays.insert((link.clone(), *name_mac), entry.at);
            }
            Body::RemoteTaken(taken) => self.remote_taken(mark, taken),
            Body::RemoteForgotten(gone) => self.remote_forgotten(mark, gone)?,
            Body::RemoteSettled(settled) => self.remote_ends(mark, settled.remote, End::Settled)?,
            _ => self.act(mark, entry)?,
        }
        self.people.seen(&entry.by, entry.at);
        self.first_at.get_or_insert(entry.at);
        (self.size, self.last_at) = (seq + 1, Some(entry.at));
        if self.size.is_multiple_of(SETTLE_EVERY) {
            self.settle();
        }
        Ok(())
    }

    /// Packs what nothing happens to any more: see [`super::table`].
    fn settle(&mut self) {
        let (index, packer) = (&self.index, &mut self.packer);
        self.batches.settle(packer, |_, row| row.state == BatchState::Closed);
        self.copies.settle(packer, |_, row| {
            row.state == CopyState::Destroyed && !index.is_open(row.batch)
        });
        self.keys.settle(packer, |_, row| row.state == KeyState::Gone);
        self.grants.settle(packer, |_, row| row.is_over());
        self.orders.settle(packer, |_, row| {
            let over = match row.state {
                OrderState::Denied | OrderState::Voided => true,
                // A batch closes only when no order over it lacks papers; one over chosen copies may come later.
                OrderState::Certified => !row.chosen,
                _ => false,
            };
            over && row.paper_proposal.is_none()
                && !row.copies.iter().any(|copy| index.is_open(copy.batch))
        });
    }

    fn intend(&mut self, mark: Mark, by: &str, plan: &Plan) -> Result<(), FoldError> {
        match plan {
            Plan::Claim { batch, case, files, .. } => {
                self.next.batch = self.next.batch.max(batch.number());
                self.plan_copy(*case, *batch, CopyKind::Case);
                for file in files {
                    self.plan_copy(*file, *batch, CopyKind::Transfer);
                }
            }
            Plan::Load { batch, vault, plain, .. } => self.plan_vault(*vault, *batch, plain),
            Plan::TakeKey { key, link, number, form, channel, .. } => {
                self.next.key = self.next.key.max(key.number());
                let row = KeyRow {
                    link: self.alike.word(link),
                    number: number.as_str().into(),
                    state: KeyState::Planned,
                    form: *form,
                    fingerprint: None,
                    channel: self.alike.word(channel),
                    by: self.alike.word(by),
                    at: mark.at,
                };
                self.keys.insert(*key, row);
                self.index.key(*key, link, number);
            }
            Plan::Clear { batch } | Plan::Verify { batch } => {
                self.batch(mark, *batch)?;
            }
            Plan::WipeCopy { copy, .. } => {
                if let Some(row) = self.copies.get_mut(copy) {
                    row.wipe_begun = true;
                }
            }
            Plan::MakePackage { handover, parts, .. } => {
                self.package_planned(mark, *handover, parts)?;
            }
            Plan::DropKey { .. }
            | Plan::DiscardMedia { .. }
            | Plan::Certify { .. }
            | Plan::MakeReceipt { .. }
            | Plan::LeaveReceipt { .. }
            | Plan::MakeAccessKey { .. }
            | Plan::DropAccessKey { .. }
            | Plan::ReleaseRemote { .. }
            | Plan::PutRemote { .. }
            | Plan::PushPackage { .. } => {}
        }
        self.open.insert(mark.seq, plan.clone());
        Ok(())
    }

    pub(super) fn plan_copy(&mut self, copy: CopyId, batch: BatchId, kind: CopyKind) {
        self.new_copy(copy, batch, kind, CopyState::Planned);
    }

    pub(super) fn new_copy(
        &mut self,
        copy: CopyId,
        batch: BatchId,
        kind: CopyKind,
        state: CopyState,
    ) {
        self.next.copy = self.next.copy.max(copy.number());
        let row = CopyRow {
            batch,
            kind,
            state,
            bytes: 0,
            sha256: None,
            assurance: None,
            gone: None,
            wipe_begun: false,
            trouble: None,
            failures: 0,
            exception: None,
            held: None,
            plain: None,
            in_database: false,
        };
        self.copies.insert(copy, row);
        match self.batches.get_mut(&batch) {
            Some(row) => row.copies.push(copy),
            None => self.index.unborn(batch, copy),
        }
    }

    fn delivery_over(&mut self, delivery: DeliveryId) {
        if let Some(seen) = self.deliveries.remove(&delivery) {
            self.index.delivery_over(delivery, &seen.link, seen.name_mac);
        }
    }

    fn finish(&mut self, mark: Mark, intent: u64, outcome: &Outcome) -> Result<(), FoldError> {
        let plan = self.open.remove(&intent).ok_or(FoldError::Unknown(mark.seq))?;
        match (plan, outcome) {
            (plan @ Plan::Claim { .. }, Outcome::Claimed { case, files, whole }) => {
                self.claimed(mark, plan, case, (files, *whole))
            }
            (Plan::Clear { batch }, Outcome::Cleared { .. }) => {
                let row = self.batch(mark, batch)?;
                row.cleared = true;
                row.trouble = None;
                self.index.cleared(batch);
                Ok(())
            }
            (Plan::Verify { batch }, Outcome::Verified { manifest, strength, signer, notice }) => {
                self.notice_comes(mark, *notice, batch);
                self.verified(mark, batch, manifest, (strength, signer))
            }
            (Plan::Verify { batch }, Outcome::Refused { verdict }) => {
                self.refuse(mark, batch, verdict)
            }
            (Plan::TakeKey { key, .. }, Outcome::KeyTaken { facts }) => self.took(mark, key, facts),
            (Plan::TakeKey { key, .. }, Outcome::KeyWiped { .. })
            | (Plan::DropKey { key }, Outcome::KeyDropped) => {
                self.key_state(mark, key, KeyState::Gone)
            }
            (Plan::Load { batch, vault, key, .. }, Outcome::Loaded { facts }) => {
                self.opened(mark, batch, key)?;
                self.loaded(mark, batch, vault, facts)
            }
            (Plan::Load { batch, vault, key, .. }, Outcome::Refused { verdict }) => {
                self.move_copy(mark, vault, CopyEvent::Abandoned)?;
                if let (Reason::WrongKey, Some(key)) = (verdict.reason, key) {
                    self.key_was_wrong(mark, batch, key)?;
                }
                self.refuse(mark, batch, verdict)
            }
            (Plan::Load { batch, vault, .. }, Outcome::KeyWrong { key }) => {
                self.move_copy(mark, vault, CopyEvent::Abandoned)?;
                self.key_was_wrong(mark, batch, *key)?;
                let row = self.batch(mark, batch)?;
                row.wrong_keys += 1;
                row.reason = Some(Reason::WrongKey);
                Ok(())
            }
            (plan, outcome) => self.finish_later(mark, plan, outcome),
        }
    }

    /// Steps beside and after the life of a batch in the vault.
    fn finish_later(&mut self, mark: Mark, plan: Plan, outcome: &Outcome) -> Result<(), FoldError> {
        match (plan, outcome) {
            (Plan::DiscardMedia { link, name_mac, .. }, Outcome::MediaDiscarded { .. }) => {
                self.arrivals.retain(|one| one.batch.is_some() || !one.is(&link, name_mac));
                Ok(())
            }
            (Plan::WipeCopy { order, copy, .. }, Outcome::CopyWiped { wiped }) => {
                self.copy_wiped(mark, order, copy, wiped.assurance)
            }
            (Plan::Certify { order, .. }, Outcome::Certified { certificate }) => {
                self.certified(mark, order, *certificate)
            }
            (Plan::MakeReceipt { batch, verdict, leave, .. }, Outcome::ReceiptMade { receipt }) => {
                self.receipt_made(mark, batch, (verdict, *receipt, leave))
            }
            (Plan::LeaveReceipt { batch, .. }, Outcome::ReceiptLeft) => {
                self.receipt_left(mark, batch)
            }
            (Plan::MakeAccessKey { link, month }, Outcome::AccessKeyMade { recipient }) => {
                let key = AccessKey { recipient: recipient.clone(), destroyed: None };
                self.access_keys.insert((link, month), key);
                Ok(())
            }
            (Plan::MakePackage { handover, .. }, Outcome::PackageMade { facts }) => {
                self.package_made(mark, handover, facts)
            }
            (Plan::DropAccessKey { order, link, month }, Outcome::AccessKeyDropped { .. }) => {
                self.access_key_dropped(mark, order, &link, month)
            }
            (plan, outcome) if plan.is_remote() => self.remote_step(mark, &plan, outcome),
            _ => Err(FoldError::Transition(mark.seq)),
        }
    }

    fn claimed(
        &mut self,
        mark: Mark,
        plan: Plan,
        case: &CopyFacts,
        (files, whole): (&[CopyFacts], bool),
    ) -> Result<(), FoldError> {
        let Plan::Claim { batch, delivery, link, facts, reason, notice, .. } = plan else {
            return Err(FoldError::Transition(mark.seq));
        };
        for made in files.iter().chain([case]) {
            self.move_copy(mark, made.copy, CopyEvent::Made)?;
            if let Some(row) = self.copies.get_mut(&made.copy) {
                row.bytes = made.bytes;
                row.sha256 = made.sha256;
            }
        }
        if let Some(name_mac) = self.deliveries.get(&delivery).map(|seen| seen.name_mac) {
            self.remote_claimed(&link, name_mac, batch);
        }
        self.arrived(delivery, batch);
        self.expected.came(&link, batch, mark.at);
        self.delivery_over(delivery);
        let facts = self.alike.facts(&link, facts);
        let copies = self.index.take_unborn(batch);
        let born = Batch::born(mark, link, delivery, facts, reason, files);
        let row = Batch { whole, copies, ..born };
        self.index.born(batch, &row);
        self.batches.insert(batch, row);
        self.notice_comes(mark, notice, batch);
        self.claimed_early(mark, delivery, batch)
    }

    fn verified(
        &mut self,
        mark: Mark,
        batch: BatchId,
        manifest: &ManifestFacts,
        (strength, signer): (&str, &str),
    ) -> Result<(), FoldError> {
        let (strength, signer) = (self.alike.word(strength), self.alike.word(signer));
        let row = self.batch(mark, batch)?;
        row.number = Some(manifest.number.clone());
        row.counts.declared = Some(manifest.records);
        row.manifest = Some(manifest.clone());
        row.strength = Some(strength);
        row.signer = Some(signer);
        row.reason = None;
        let link = row.link.clone();
        self.index.numbered(batch, &link, &manifest.number);
        if let Some(number) = &manifest.replaces {
            self.index.replaces(batch, &link, number);
        }
        if manifest.kind == Kind::Delta {
            self.index.delta(batch, &link, manifest.sequence);
        }
        self.has_rows(mark, batch)?;
        self.move_batch(mark, batch, BatchEvent::Accepted)?;
        self.judged(mark, batch, Judgement::Verified)
    }

    /// A batch was opened with a key: how sure it is, is that key's.
    fn opened(&mut self, mark: Mark, batch: BatchId, key: Option<KeyId>) -> Result<(), FoldError> {
        let standing = key.map(|key| self.is_standing(key));
        if key.is_some() {
            self.batch(mark, batch)?.opened_by = key;
        }
        let before = self.batch(mark, batch)?.strength.clone();
        let Some(before) = before else { return Ok(()) };
        let strength = self.alike.word(opened_strength(&before, standing));
        self.batch(mark, batch)?.strength = Some(strength);
        Ok(())
    }

    fn loaded(
        &mut self,
        mark: Mark,
        batch: BatchId,
        vault: CopyId,
        facts: &LoadFacts,
    ) -> Result<(), FoldError> {
        self.move_copy(mark, vault, CopyEvent::Made)?;
        if let Some(row) = self.copies.get_mut(&vault) {
            row.lies(facts);
        }
        let link = self.batch(mark, batch)?.link.clone();
        let load = Box::new(self.alike.load(&link, facts));
        let row = self.batch(mark, batch)?;
        row.counts = facts.counts;
        row.load = Some(load);
        row.reason = None;
        row.decide = Some(mark);
        row.times.insert("use-until", facts.use_until);
        let full = row.manifest.as_ref().filter(|manifest| manifest.kind == Kind::Full);
        if let Some(as_of) = full.map(|manifest| manifest.as_of) {
            self.index.full(batch, &link, (as_of, mark.seq));
        }
        self.index.content(batch, &link, facts.content);
        self.index.reached(&link, self.next_sequence(&link) - 1);
        self.further_rows(mark, batch, &facts.units)?;
        self.move_batch(mark, batch, BatchEvent::Loaded)?;
        self.judged(mark, batch, Judgement::Loaded)
    }

    fn refuse(&mut self, mark: Mark, batch: BatchId, verdict: &Verdict) -> Result<(), FoldError> {
        let row = self.batch(mark, batch)?;
        row.reason = Some(verdict.reason);
        row.decide = Some(mark);
        if verdict.number.is_some() {
            row.number.clone_from(&verdict.number);
        }
        let named = row.number.clone().map(|number| (row.link.clone(), number));
        row.counts.declared = verdict.counts.declared.or(row.counts.declared);
        row.counts.parsed = verdict.counts.parsed;
        row.counts.accepted = verdict.counts.accepted;
        row.counts.rejected = verdict.counts.rejected;
        row.counts.committed = Some(0);
        if let Some((link, number)) = named {
            self.index.numbered(batch, &link, &number);
        }
        self.has_rows(mark, batch)?;
        self.move_batch(mark, batch, BatchEvent::Refused)?;
        self.judged(mark, batch, Judgement::Quarantined)
    }

    fn fail(
        &mut self,
        mark: Mark,
        intent: u64,
        failure: Failure,
        code: &str,
    ) -> Result<(), FoldError> {
        let plan = self.open.remove(&intent).ok_or(FoldError::Unknown(mark.seq))?;
        let batch = match &plan {
            Plan::Claim { case, files, .. } => {
                for copy in files.iter().chain([case]) {
                    self.move_copy(mark, *copy, CopyEvent::Abandoned)?;
                }
                None
            }
            Plan::Load { batch, vault, .. } => {
                self.move_copy(mark, *vault, CopyEvent::Abandoned)?;
                Some(*batch)
            }
            Plan::Clear { batch } | Plan::Verify { batch } => Some(*batch),
            Plan::DiscardMedia { link, name_mac, .. } => {
                let first = Trouble::first(failure, code, mark.at);
                self.discard_failed(link, *name_mac, &first);
                None
            }
            Plan::WipeCopy { copy, .. } => {
                self.wipe_failed(*copy, Trouble::first(failure, code, mark.at))
            }
            Plan::TakeKey { key, .. } => {
                self.key_state(mark, *key, KeyState::Gone)?;
                None
            }
            Plan::MakePackage { handover, parts, .. } => {
                self.package_failed(mark, *handover, parts)?;
                None
            }
            Plan::ReleaseRemote { .. } | Plan::PutRemote { .. } | Plan::PushPackage { .. } => {
                self.remote_failed(mark, &plan, failure, code);
                None
            }
            Plan::MakeReceipt { batch, .. } | Plan::LeaveReceipt { batch, .. } => {
                self.receipt_failed(*batch, failure, code, mark.at);
                None
            }
            Plan::DropKey { .. }
            | Plan::Certify { .. }
            | Plan::MakeAccessKey { .. }
            | Plan::DropAccessKey { .. } => None,
        };
        let row = batch.and_then(|id| Some((id, self.batches.get_mut(&id)?)));
        if let Some((id, row)) = row {
            self.index.troubled(id, true);
            let times = row.trouble.as_ref().map_or(0, |t| t.times) + 1;
            row.trouble = Some(Trouble { failure, code: code.to_owned(), times, at: mark.at });
        }
        Ok(())
    }

    pub(super) fn batch(&mut self, mark: Mark, id: BatchId) -> Result<&mut Batch, FoldError> {
        self.batches.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))
    }

    pub(super) fn move_batch(
        &mut self,
        mark: Mark,
        id: BatchId,
        on: BatchEvent,
    ) -> Result<(), FoldError> {
        let row = self.batch(mark, id)?;
        let (to, _) = lifecycle::next(lifecycle::BATCH, row.state, on)
            .ok_or(FoldError::Transition(mark.seq))?;
        let from = std::mem::replace(&mut row.state, to);
        row.trouble = None;
        row.times.insert(to.word(), mark.at);
        let link = row.link.clone();
        self.index.moved(id, &link, from, to);
        self.owes_receipt(id);
        Ok(())
    }

    pub(super) fn move_copy(
        &mut self,
        mark: Mark,
        id: CopyId,
        on: CopyEvent,
    ) -> Result<(), FoldError> {
        let row = self.copies.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
        let (to, _) = lifecycle::next(lifecycle::COPY, row.state, on)
            .ok_or(FoldError::Transition(mark.seq))?;
        row.state = to;
        Ok(())
    }

    pub(super) fn move_order(
        &mut self,
        mark: Mark,
        id: OrderId,
        on: OrderEvent,
    ) -> Result<(), FoldError> {
        let row = self.orders.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
        let (to, _) = lifecycle::next(lifecycle::ORDER, row.state, on)
            .ok_or(FoldError::Transition(mark.seq))?;
        row.state = to;
        Ok(())
    }
}
