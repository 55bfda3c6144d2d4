//! The state of everything: a fold of the register and nothing else.
//!
//! `View::apply` is the only way in, for a new entry and for replay alike; whatever is kept elsewhere is a cache.
//! An entry that the tables of [`super::lifecycle`] do not allow is an error: the register is then not one that
//! this program wrote.
//!
//! It is over 500 lines because every part of the state is named in one place.

mod access;
mod acts;
mod alike;
mod amending;
mod applications;
mod audits;
mod corrections;
mod decisions;
mod destruction;
mod early;
mod expected;
mod fold;
mod handover;
mod incidents;
mod index;
mod intake;
mod inventory;
mod kept;
mod links;
mod nonces;
mod notified;
mod on_paper;
mod packed;
mod papers;
mod passphrases;
mod people;
mod persons;
mod posts;
mod receipts;
pub mod remotes;
mod rows;
mod samples;
mod seats;
mod serials;
mod table;
#[cfg(test)]
mod tests;
mod uses;

use std::collections::{BTreeMap, BTreeSet};

pub use access::{AccessKey, AccessOrder};
pub use amending::{Amendment, Noted};
pub use applications::{Allowed, Application, LinkHistory, Reviewed, Stop};
pub use audits::{Audit, AuditDay, AuditRecord, Audits, EvidenceRequest, Report};
pub use decisions::{Grant, Hold, Order, Standing};
pub use early::{Early, EarlyEnd, EarlyRows, OpenedBy};
pub use expected::{Expected, ExpectedRule};
pub use fold::FoldError;
pub use handover::{Arrival, Handover};
pub use incidents::{Incident, Investigation};
pub use intake::{Comparison, Intake, Sealed, Shut};
pub use inventory::Held;
pub use kept::KeptError;
pub use links::LinkLedger;
pub use nonces::Nonces;
pub use notified::{Announcement, Given as GivenNotice, Notices, Notified};
pub use papers::{BackupLook, Paper};
pub use people::People;
pub use persons::Decided;
pub use posts::{AccountLedger, Agreement, Appointment, Change, Review, Training};
pub use receipts::{Judged, Owed, Receipted};
pub use remotes::Unput;
pub use rows::{
    Account, Batch, CameDue, ConfigProposal, CopyKind, CopyRow, Cosigned, KeyRow, KeyState, Loaded,
    Mark, Proposal, Seen, Site, Times, Trouble, Witness,
};
pub use samples::{Finding, Sample, SampleKey, Samples};
pub use seats::{Seat, Seats};
pub use serials::{OpenedRow, Serials};
pub use table::{Row, Table};
pub use uses::{Completions, Keep, Stand, UnitUse};

use serde::{Deserialize, Serialize};

use super::{
    digest::Digest,
    entry::{DecisionEntered, HoldScope, ManifestFacts, STANDING_NUMBER, UseWithdrawn},
    ids::{
        self, AccessOrderId, ApplicationId, BatchId, CopyId, DeliveryId, DocumentId, GrantId,
        HandoverId, HoldId, KeyId, OrderId, StandingId,
    },
    lifecycle::{BatchState, CopyState},
    manifest::Kind,
    on_paper::Subject,
    step::Plan,
    time::Timestamp,
};

/// The state of everything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct View {
    /// Entries folded.
    pub size: u64,
    /// Time of the first entry.
    pub first_at: Option<Timestamp>,
    /// Time of the last entry.
    pub last_at: Option<Timestamp>,
    /// The site, once it is created.
    pub site: Option<Site>,
    /// Digest of the configuration in force.
    pub config: Option<Digest>,
    /// What an admin proposed and nobody confirmed yet.
    pub config_proposal: Option<ConfigProposal>,
    /// Accounts by name.
    pub accounts: BTreeMap<String, Account>,
    /// Nonces that counted.
    pub nonces: Nonces,
    /// Deliveries that were seen and are not batches.
    pub deliveries: BTreeMap<DeliveryId, Seen>,
    /// Things in inboxes that are no delivery, by link and name.
    #[serde(with = "kept::pairs")]
    pub strays: BTreeMap<(String, Digest), Timestamp>,
    /// Intents without an outcome, by entry.
    pub open: BTreeMap<u64, Plan>,
    /// Batches.
    #[serde(skip)]
    pub batches: Table<ids::Batch, Batch>,
    /// Copies.
    #[serde(skip)]
    pub copies: Table<ids::Copied, CopyRow>,
    /// Keys that came.
    #[serde(skip)]
    pub keys: Table<ids::Key, KeyRow>,
    /// Grants.
    #[serde(skip)]
    pub grants: Table<ids::Grant, Grant>,
    /// Orders.
    #[serde(skip)]
    pub orders: Table<ids::Order, Order>,
    /// Standing approvals.
    pub standings: BTreeMap<StandingId, Standing>,
    /// Media whose deliveries are on their way into an inbox.
    pub arrivals: Vec<Arrival>,
    /// Hand-overs.
    pub handovers: BTreeMap<HandoverId, Handover>,
    /// Holds.
    pub holds: BTreeMap<HoldId, Hold>,
    /// What is known of links beyond their files.
    pub links: BTreeMap<String, LinkLedger>,
    /// Applications of links.
    pub applications: BTreeMap<ApplicationId, Application>,
    /// Papers kept for inspection.
    pub papers: BTreeMap<DocumentId, Paper>,
    /// Amendments, by the entry that proposes each.
    pub amendments: BTreeMap<u64, Amendment>,
    /// Notes about entries, the oldest first.
    pub entry_notes: Vec<Noted>,
    /// Decisions on paper that one person typed, until another one confirms them.
    #[serde(with = "kept::pairs")]
    pub typed_decisions: BTreeMap<Subject, Proposal<DecisionEntered>>,
    /// Looks at what backups hold, oldest first.
    pub backup_looks: Vec<BackupLook>,
    /// How many entries there were when what is decided about links last changed.
    pub links_changed_at: u64,
    /// Keys of the access log, by link and month.
    #[serde(with = "kept::pairs")]
    pub access_keys: BTreeMap<(String, String), AccessKey>,
    /// Orders over them.
    pub access_orders: BTreeMap<AccessOrderId, AccessOrder>,
    /// Last access checkpoint that was entered: when and at which size.
    pub access_checkpoint: Option<(Timestamp, u64)>,
    /// Witnesses by name.
    pub witnesses: BTreeMap<String, Witness>,
    /// When two people last acknowledged that cosignatures are overdue.
    pub acknowledged: Option<Timestamp>,
    /// An acknowledgement that waits for the second of them: its reason.
    pub acknowledgement: Option<Proposal<String>>,
    /// Deliveries that were fetched from servers.
    pub remotes: remotes::Remotes,
    /// Deliveries that are expected.
    pub expected: Expected,
    /// What is known of deliveries before they are batches.
    pub notices: Notices,
    /// What is known of people beyond their accounts.
    pub people: People,
    /// Samples of the access log, and what was found.
    pub samples: Samples,
    /// Incidents.
    pub incidents: BTreeMap<ids::IncidentId, Incident>,
    /// Reports, audits and requests for evidence.
    pub audits: Audits,
    /// What people did with batches before their use.
    pub intake: BTreeMap<BatchId, Intake>,
    /// What units said of the end of their use, by batch and unit.
    pub uses: BTreeMap<BatchId, BTreeMap<String, UnitUse>>,
    /// Statements that are to be taken back, and wait for a second person.
    pub withdrawals: Vec<Proposal<UseWithdrawn>>,
    /// From which system users accounts are used.
    pub seats: Seats,
    /// Numbers of the printed register.
    pub serials: Serials,
    /// Rows of the printed register that no batch has.
    pub early: EarlyRows,
    /// Whether nothing irreversible may run by itself, until a person confirms the time.
    pub time_doubted: bool,
    next: rows::Next,
    index: index::Index,
    #[serde(skip)]
    alike: alike::Alike,
    #[serde(skip)]
    packer: packed::Packer,
}

impl View {
    /// The number that the next batch gets.
    #[must_use]
    pub fn next_batch(&self) -> BatchId {
        BatchId::new(self.next.batch + 1)
    }

    /// The `n`-th next number of a copy, from 0.
    #[must_use]
    pub fn next_copy(&self, n: u64) -> CopyId {
        CopyId::new(self.next.copy + 1 + n)
    }

    /// The number that the next delivery gets.
    #[must_use]
    pub fn next_delivery(&self) -> DeliveryId {
        DeliveryId::new(self.next.delivery + 1)
    }

    /// The number that the next key gets.
    #[must_use]
    pub fn next_key(&self) -> KeyId {
        KeyId::new(self.next.key + 1)
    }

    /// The number that the next grant gets.
    #[must_use]
    pub fn next_grant(&self) -> GrantId {
        GrantId::new(self.grants.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// The number that the next order gets.
    #[must_use]
    pub fn next_order(&self) -> OrderId {
        OrderId::new(self.orders.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// The number that the next standing approval gets.
    #[must_use]
    pub fn next_standing(&self) -> StandingId {
        StandingId::new(self.standings.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// The number that the next hold gets.
    #[must_use]
    pub fn next_hold(&self) -> HoldId {
        HoldId::new(self.holds.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// The copies of a batch, oldest first.
    pub fn copies_of(&self, batch: BatchId) -> impl Iterator<Item = (CopyId, Row<'_, CopyRow>)> {
        let ids = match self.batches.get(&batch) {
            Some(row) => row.copies.clone(),
            None => self.index.unborn_of(batch).to_vec(),
        };
        ids.into_iter().filter_map(|id| Some((id, self.copies.get(&id)?)))
    }

    /// The orders that were ever requested over copies of a batch, oldest first.
    pub fn orders_of(
        &self,
        batch: BatchId,
    ) -> impl DoubleEndedIterator<Item = (OrderId, Row<'_, Order>)> {
        let ids = self.batches.get(&batch).map(|row| row.orders.clone()).unwrap_or_default();
        ids.into_iter().filter_map(|id| Some((id, self.orders.get(&id)?)))
    }

    /// Whether no copy of a batch is alive.
    #[must_use]
    pub fn all_gone(&self, batch: BatchId) -> bool {
        self.copies_of(batch).all(|(_, row)| row.state == CopyState::Destroyed)
    }

    /// The batches in a state, oldest first. Closed ones are looked for among all, which takes long.
    pub fn batches_in(&self, state: BatchState) -> impl Iterator<Item = (BatchId, Row<'_, Batch>)> {
        let closed = (state == BatchState::Closed).then(|| self.batches.iter());
        let closed = closed.into_iter().flatten().filter(move |(_, row)| row.state == state);
        self.rows(self.index.in_state(state).into_iter().flatten().copied()).chain(closed)
    }

    /// How many batches are in a state.
    #[must_use]
    pub fn count_in(&self, state: BatchState) -> usize {
        match state {
            BatchState::Closed => self.index.closed(),
            _ => self.index.in_state(state).map_or(0, BTreeSet::len),
        }
    }

    /// The batches that are not closed, oldest first.
    pub fn open_batches(&self) -> impl Iterator<Item = (BatchId, Row<'_, Batch>)> {
        self.batches.loose().filter(|(_, row)| row.state != BatchState::Closed)
    }

    /// The batches whose originals still lie in their inbox.
    pub fn uncleared(&self) -> impl Iterator<Item = (BatchId, Row<'_, Batch>)> {
        self.rows(self.index.uncleared().iter().copied())
    }

    /// The batches whose last step failed.
    pub fn troubled(&self) -> impl Iterator<Item = (BatchId, Row<'_, Batch>)> {
        self.rows(self.index.with_trouble().iter().copied())
    }

    /// The newest batch of a link.
    #[must_use]
    pub fn last_of(&self, link: &str) -> Option<(BatchId, Row<'_, Batch>)> {
        let id = self.index.last_of(link)?;
        Some((id, self.batches.get(&id)?))
    }

    /// The batches that have a provider's number, on any link.
    pub fn named(&self, number: &str) -> impl Iterator<Item = BatchId> {
        let batches = self.rows(self.index.named(number));
        batches.filter(move |(_, row)| row.number.as_deref() == Some(number)).map(|(id, _)| id)
    }

    /// The newest full file of a link that was ever loaded: see [`super::current_view`].
    #[must_use]
    pub fn newest_full(&self, link: &str) -> Option<BatchId> {
        self.index.fulls_of(link).next()
    }

    /// The newest full file of a link that somebody may read or could once: what still waits for a seal or a
    /// confirmation is not the base of its current view yet.
    #[must_use]
    pub fn newest_open_full(&self, link: &str) -> Option<BatchId> {
        let mut fulls = self.rows(self.index.fulls_of(link));
        fulls.find(|(id, row)| self.shut(*id, row).is_none()).map(|(id, _)| id)
    }

    /// What the current view of a link can be made of: its full files, down to the newest that does not wait for a seal
    /// or a confirmation, and its change files, as far as they were ever loaded.
    pub fn candidates_of(&self, link: &str) -> impl Iterator<Item = (BatchId, Row<'_, Batch>)> {
        let open = self.newest_open_full(link);
        let mut below = false;
        let fulls = self.index.fulls_of(link).take_while(move |id| {
            let there = !below;
            below |= Some(*id) == open;
            there
        });
        self.rows(fulls.chain(self.index.deltas_of(link))).filter(|(_, row)| row.ever_loaded())
    }

    /// What the current view of a link is made of: its newest full file and its change files, as far as they were
    /// ever loaded.
    pub fn currents_of(&self, link: &str) -> impl Iterator<Item = (BatchId, Row<'_, Batch>)> {
        let ids = self.newest_full(link).into_iter().chain(self.index.deltas_of(link));
        self.rows(ids).filter(|(_, row)| row.ever_loaded())
    }

    /// The newest key that came for the number of a batch, live or not.
    #[must_use]
    pub fn newest_key(&self, batch: &Batch) -> Option<(KeyId, Row<'_, KeyRow>)> {
        let number = batch.number.as_deref()?;
        let ids = self.index.keys_for(&batch.link, number).rev().chain(batch.key);
        let mut rows = ids.filter_map(|id| Some((id, self.keys.get(&id)?)));
        rows.find(|(_, key)| *key.link == *batch.link && *key.number == *number)
    }

    /// The key that opened a batch; before one did, the newest that came for its number.
    #[must_use]
    pub fn key_of(&self, batch: &Batch) -> Option<(KeyId, Row<'_, KeyRow>)> {
        let opened = batch.opened_by.and_then(|id| Some((id, self.keys.get(&id)?)));
        opened.or_else(|| self.newest_key(batch))
    }

    /// The last batch of a number is closed, and knows the key that is its own: the index need not have them any more.
    fn keys_over(&mut self, link: &str, number: &str) {
        if self.numbered(link, number).any(|(_, row)| row.state != BatchState::Closed) {
            return;
        }
        let over = |id: &KeyId| {
            let row = self.keys.get(id);
            row.is_some_and(|key| *key.number == *number && key.state == KeyState::Gone)
        };
        let over: Vec<KeyId> = self.index.keys_for(link, number).filter(over).collect();
        for id in over {
            self.index.key_over(id, link, number);
        }
    }

    /// The batches of a link that have a provider's number.
    pub fn numbered<'a>(
        &'a self,
        link: &str,
        number: &'a str,
    ) -> impl Iterator<Item = (BatchId, Row<'a, Batch>)> {
        let named = self.rows(self.index.numbered_as(link, number));
        named.filter(move |(_, b)| b.number.as_deref() == Some(number))
    }

    /// The delivery that has this name in a link's inbox.
    #[must_use]
    pub fn delivery_named(&self, link: &str, name_mac: Digest) -> Option<(DeliveryId, &Seen)> {
        let id = self.index.delivery_named(link, name_mac)?;
        Some((id, self.deliveries.get(&id)?))
    }

    fn rows(
        &self,
        ids: impl Iterator<Item = BatchId>,
    ) -> impl Iterator<Item = (BatchId, Row<'_, Batch>)> {
        ids.filter_map(|id| Some((id, self.batches.get(&id)?)))
    }

    /// The hold that forbids destroying a batch, where there is one.
    #[must_use]
    pub fn hold_on(&self, batch: BatchId) -> Option<HoldId> {
        let row = self.batches.get(&batch)?;
        let link = &row.link;
        self.holds
            .iter()
            .find(|(_, hold)| {
                !hold.lifted
                    && match &hold.scope {
                        HoldScope::Batch(held) => *held == batch,
                        HoldScope::Link(held) => held == link,
                        HoldScope::All => true,
                    }
            })
            .map(|(id, _)| *id)
    }

    /// The key that a batch would be opened with: the newest live one that came for its number.
    #[must_use]
    pub fn key_for(&self, batch: &Batch) -> Option<KeyId> {
        let number = batch.number.as_deref()?;
        let live = |id: &KeyId| {
            let row = self.keys.get(id);
            row.is_some_and(|key| *key.number == *number && key.state == KeyState::Live)
        };
        self.index.keys_for(&batch.link, number).rev().find(live)
    }

    /// Whether a load that is under way, or is done again after a stop, opens its batch with this key.
    #[must_use]
    pub fn is_opening(&self, key: KeyId) -> bool {
        self.open
            .values()
            .any(|plan| matches!(plan, Plan::Load { key: Some(of), .. } if *of == key))
    }

    /// Keys whose slot must be destroyed: wrong ones, those of loaded or rejected batches, and passphrases that another
    /// one came for. None that a load has in use.
    #[must_use]
    pub fn keys_to_drop(&self) -> Vec<KeyId> {
        let spent = |key: &KeyRow| {
            let (mut waits, mut over, mut quarantined, mut loaded) = (false, false, false, false);
            for (_, batch) in self.numbered(&key.link, &key.number) {
                // The number of a loaded batch is spent: one that is quarantined under it can never use the key.
                let held = batch.state == BatchState::Quarantined;
                waits |= batch.wants_key() && !held;
                quarantined |= batch.wants_key() && held;
                loaded |= batch.ever_loaded();
                over |= batch.ever_loaded() || (batch.rejected && !self.awaits_verdict(&key.link));
            }
            over && !waits && (loaded || !quarantined)
        };
        let due = |id: KeyId, key: &KeyRow| match key.state {
            KeyState::Wrong => true,
            KeyState::Live if *key.number == *STANDING_NUMBER => self.is_left(id, &key.link),
            KeyState::Live => spent(key),
            KeyState::Planned | KeyState::Gone => false,
        };
        let keys = self.index.keys().iter().copied();
        keys.filter(|id| self.keys.get(id).is_some_and(|row| due(*id, &row)))
            .filter(|id| !self.is_opening(*id))
            .collect()
    }

    /// Whether a key that comes now for this number is not to be kept: its batch is loaded or rejected already.
    #[must_use]
    pub fn number_is_over(&self, link: &str, number: &str) -> bool {
        let named = || self.numbered(link, number);
        let verified = |b: &Batch| matches!(b.state, BatchState::Received | BatchState::Verified);
        if named().any(|(_, b)| verified(&b)) {
            return false;
        }
        let rejected = named().any(|(_, b)| b.rejected) && !named().any(|(_, b)| b.wants_key());
        named().any(|(_, b)| b.ever_loaded()) || (rejected && !self.awaits_verdict(link))
    }

    /// Whether a claimed batch of a link has no number yet: it may be a rejected one that was sent again, and the
    /// key that came with it must not be taken for the old one's.
    fn awaits_verdict(&self, link: &str) -> bool {
        self.index.received_of(link)
    }

    /// Whether a batch number is spent: a batch under it was verified and no person rejected it.
    #[must_use]
    pub fn number_is_spent(&self, link: &str, number: &str, except: Option<BatchId>) -> bool {
        self.numbered(link, number)
            .any(|(id, b)| Some(id) != except && b.manifest.is_some() && !b.rejected)
    }

    /// Whether a file of this digest was loaded before on the link.
    #[must_use]
    pub fn digest_is_loaded(&self, link: &str, sha256: Digest, except: Option<BatchId>) -> bool {
        self.rows(self.index.with_file(link, sha256)).any(|(id, b)| {
            let holds = b.files.iter().any(|file| file.sha256 == Some(sha256));
            holds && Some(id) != except && b.ever_loaded()
        })
    }

    /// Whether this plaintext was loaded before on the link. Empty deltas are exempt.
    #[must_use]
    pub fn content_is_loaded(&self, link: &str, content: Digest, except: BatchId) -> bool {
        self.rows(self.index.with_content(link, content)).any(|(id, b)| {
            id != except
                && b.load
                    .as_ref()
                    .is_some_and(|l| l.content == content && b.counts.parsed != Some(0))
        })
    }

    /// Whether a change file of this number was there already.
    #[must_use]
    pub fn sequence_is_spent(&self, link: &str, sequence: u64, except: Option<BatchId>) -> bool {
        let baseline = self.links.get(link).map_or(0, |l| l.baseline);
        sequence <= baseline || self.deltas_at(link, sequence).any(|(id, _)| Some(id) != except)
    }

    /// The number of the change file that the link takes next.
    #[must_use]
    pub fn next_sequence(&self, link: &str) -> u64 {
        let baseline = self.links.get(link).map_or(0, |l| l.baseline);
        let mut next = baseline.max(self.index.reached_of(link)) + 1;
        while self.deltas_at(link, next).any(|(_, b)| b.ever_loaded()) {
            next += 1;
        }
        next
    }

    /// The batches that carry the change file which the link takes next.
    pub fn deltas_next(&self, link: &str) -> impl Iterator<Item = BatchId> {
        self.deltas_at(link, self.next_sequence(link)).map(|(id, _)| id)
    }

    fn deltas_at<'a>(
        &'a self,
        link: &str,
        sequence: u64,
    ) -> impl Iterator<Item = (BatchId, Row<'a, Batch>)> {
        self.rows(self.index.deltas_at(link, sequence)).filter(move |(_, b)| {
            let delta = |m: &ManifestFacts| m.kind == Kind::Delta && m.sequence == sequence;
            !b.rejected && b.manifest.as_ref().is_some_and(delta)
        })
    }

    /// The open intent for which `wanted` holds.
    pub fn open_plan(&self, wanted: impl Fn(&Plan) -> bool) -> Option<(u64, &Plan)> {
        self.open.iter().find(|(_, plan)| wanted(plan)).map(|(seq, plan)| (*seq, plan))
    }
}
