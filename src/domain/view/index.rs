//! Where to find rows by what they are asked for, so that a long register stays fast.
//!
//! An index only narrows the search: whoever asks looks at the row itself and decides by it. Nothing here is a fact,
//! and everything here can be made anew from the rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
};

use serde::{Deserialize, Serialize};

use super::{Batch as Row, kept::pairs};
use crate::domain::{
    digest::Digest,
    ids::{Batch, BatchId, CopyId, DeliveryId, Id, Key, KeyId},
    lifecycle::BatchState,
    time::Timestamp,
};

/// The index of all rows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Index {
    links: BTreeMap<String, LinkIndex>,
    /// Copies of batches that are not born yet: the claim has begun.
    unborn: BTreeMap<BatchId, Vec<CopyId>>,
    /// Batches that are not closed.
    states: BTreeMap<BatchState, BTreeSet<BatchId>>,
    closed: usize,
    uncleared: BTreeSet<BatchId>,
    troubled: BTreeSet<BatchId>,
    receipts: BTreeSet<BatchId>,
    keys: BTreeSet<KeyId>,
    #[serde(with = "pairs")]
    deliveries: BTreeMap<(String, Digest), DeliveryId>,
}

/// What is asked of one link.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct LinkIndex {
    /// The newest batch.
    last: Option<BatchId>,
    numbers: Marked<Batch>,
    files: Marked<Batch>,
    contents: Marked<Batch>,
    deltas: BTreeSet<(u64, BatchId)>,
    /// Batches under the number that they say they replace.
    replacing: Marked<Batch>,
    received: BTreeSet<BatchId>,
    /// Keys by the number that they came for, until its batch is closed and knows its own.
    keys: Marked<Key>,
    /// Every change file up to this one is loaded.
    reached: u64,
    /// The full files that were ever loaded: the time that each stands for, its place in the order of loading.
    fulls: BTreeSet<(Timestamp, u64, BatchId)>,
}

/// Bits of an id in a [`Marked`]: 17,000,000,000 batches.
const ID_BITS: u32 = 34;

/// Ids under a mark of 30 bits, the beginning of a digest: both in eight bytes, for there is one of them for every batch
/// that ever was. Two things may have one mark, by chance or by somebody's effort; then the search is a little less
/// narrow.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Marked<K>(BTreeSet<u64>, #[serde(skip)] PhantomData<K>);

impl<K> Default for Marked<K> {
    fn default() -> Self {
        Self(BTreeSet::new(), PhantomData)
    }
}

impl<K> Marked<K> {
    fn insert(&mut self, mark: u64, id: Id<K>) {
        self.0.insert(mark | id.number());
    }

    fn remove(&mut self, mark: u64, id: Id<K>) {
        self.0.remove(&(mark | id.number()));
    }

    /// The ids under a mark, in order.
    fn under(&self, mark: u64) -> impl DoubleEndedIterator<Item = Id<K>> + use<'_, K> {
        let ids = (1 << ID_BITS) - 1;
        self.0.range(mark..=mark | ids).map(move |both| Id::new(both & ids))
    }
}

fn mark_of(digest: &Digest) -> u64 {
    let [a, b, c, d, ..] = *digest.as_bytes();
    u64::from(u32::from_be_bytes([a, b, c, d]) >> 2) << ID_BITS
}

fn mark_of_text(text: &str) -> u64 {
    mark_of(&Digest::of(text.as_bytes()))
}

/// The ids under a mark of a link, in order.
fn marked<K>(
    set: Option<&Marked<K>>,
    mark: u64,
) -> impl DoubleEndedIterator<Item = Id<K>> + use<'_, K> {
    set.map(|set| set.under(mark)).into_iter().flatten()
}

impl Index {
    fn link(&mut self, link: &str) -> &mut LinkIndex {
        self.links.entry(link.to_owned()).or_default()
    }

    pub(super) fn born(&mut self, id: BatchId, row: &Row) {
        let link = self.link(&row.link);
        link.last = Some(id);
        link.received.insert(id);
        for sha256 in row.files.iter().filter_map(|file| file.sha256) {
            link.files.insert(mark_of(&sha256), id);
        }
        self.states.entry(row.state).or_default().insert(id);
        self.uncleared.insert(id);
    }

    pub(super) fn moved(&mut self, id: BatchId, link: &str, from: BatchState, to: BatchState) {
        if let Some(left) = self.states.get_mut(&from) {
            left.remove(&id);
        }
        if to == BatchState::Closed {
            self.closed += 1;
        } else {
            self.states.entry(to).or_default().insert(id);
        }
        self.troubled.remove(&id);
        let received = &mut self.link(link).received;
        if to == BatchState::Received {
            received.insert(id);
        } else {
            received.remove(&id);
        }
    }

    pub(super) fn cleared(&mut self, id: BatchId) {
        self.uncleared.remove(&id);
        self.troubled.remove(&id);
    }

    pub(super) fn troubled(&mut self, id: BatchId, is: bool) {
        if is {
            self.troubled.insert(id);
        } else {
            self.troubled.remove(&id);
        }
    }

    pub(super) fn owes(&mut self, id: BatchId, owes: bool) {
        if owes {
            self.receipts.insert(id);
        } else {
            self.receipts.remove(&id);
        }
    }

    pub(super) const fn owing(&self) -> &BTreeSet<BatchId> {
        &self.receipts
    }

    pub(super) fn numbered(&mut self, id: BatchId, link: &str, number: &str) {
        self.link(link).numbers.insert(mark_of_text(number), id);
    }

    pub(super) fn delta(&mut self, id: BatchId, link: &str, sequence: u64) {
        self.link(link).deltas.insert((sequence, id));
    }

    pub(super) fn replaces(&mut self, id: BatchId, link: &str, number: &str) {
        self.link(link).replacing.insert(mark_of_text(number), id);
    }

    pub(super) fn replacing(&self, link: &str, number: &str) -> impl Iterator<Item = BatchId> {
        marked(self.links.get(link).map(|link| &link.replacing), mark_of_text(number))
    }

    pub(super) fn content(&mut self, id: BatchId, link: &str, content: Digest) {
        self.link(link).contents.insert(mark_of(&content), id);
    }

    pub(super) fn full(&mut self, id: BatchId, link: &str, age: (Timestamp, u64)) {
        self.link(link).fulls.insert((age.0, age.1, id));
    }

    /// The full files of a link that were ever loaded, newest first.
    pub(super) fn fulls_of(&self, link: &str) -> impl Iterator<Item = BatchId> {
        let fulls = self.links.get(link).into_iter().flat_map(|link| link.fulls.iter().rev());
        fulls.map(|(.., id)| *id)
    }

    pub(super) fn deltas_of(&self, link: &str) -> impl Iterator<Item = BatchId> {
        self.links.get(link).into_iter().flat_map(|link| &link.deltas).map(|(_, id)| *id)
    }

    pub(super) fn last_of(&self, link: &str) -> Option<BatchId> {
        self.links.get(link)?.last
    }

    pub(super) fn named(&self, number: &str) -> impl Iterator<Item = BatchId> {
        let mark = mark_of_text(number);
        self.links.values().flat_map(move |link| marked(Some(&link.numbers), mark))
    }

    pub(super) fn reached(&mut self, link: &str, sequence: u64) {
        self.link(link).reached = sequence;
    }

    pub(super) fn unborn(&mut self, batch: BatchId, copy: CopyId) {
        self.unborn.entry(batch).or_default().push(copy);
    }

    /// The copies that were planned for a batch before it was born; they are its own from now on.
    pub(super) fn take_unborn(&mut self, batch: BatchId) -> Vec<CopyId> {
        self.unborn.remove(&batch).unwrap_or_default()
    }

    /// Whether a batch is there and not closed.
    pub(super) fn is_open(&self, batch: BatchId) -> bool {
        self.states.values().any(|ids| ids.contains(&batch))
    }

    pub(super) fn key(&mut self, id: KeyId, link: &str, number: &str) {
        self.link(link).keys.insert(mark_of_text(number), id);
        self.keys.insert(id);
    }

    pub(super) fn key_over(&mut self, id: KeyId, link: &str, number: &str) {
        self.link(link).keys.remove(mark_of_text(number), id);
    }

    pub(super) fn key_gone(&mut self, id: KeyId) {
        self.keys.remove(&id);
    }

    pub(super) fn delivery(&mut self, id: DeliveryId, link: &str, name_mac: Digest) {
        self.deliveries.insert((link.to_owned(), name_mac), id);
    }

    pub(super) fn delivery_over(&mut self, id: DeliveryId, link: &str, name_mac: Digest) {
        let key = (link.to_owned(), name_mac);
        if self.deliveries.get(&key) == Some(&id) {
            self.deliveries.remove(&key);
        }
    }

    pub(super) fn received_of(&self, link: &str) -> bool {
        self.links.get(link).is_some_and(|link| !link.received.is_empty())
    }

    pub(super) fn numbered_as(&self, link: &str, number: &str) -> impl Iterator<Item = BatchId> {
        marked(self.links.get(link).map(|link| &link.numbers), mark_of_text(number))
    }

    pub(super) fn with_file(&self, link: &str, sha256: Digest) -> impl Iterator<Item = BatchId> {
        marked(self.links.get(link).map(|link| &link.files), mark_of(&sha256))
    }

    pub(super) fn with_content(
        &self,
        link: &str,
        content: Digest,
    ) -> impl Iterator<Item = BatchId> {
        marked(self.links.get(link).map(|link| &link.contents), mark_of(&content))
    }

    pub(super) fn deltas_at(&self, link: &str, sequence: u64) -> impl Iterator<Item = BatchId> {
        let range = (sequence, BatchId::new(0))..=(sequence, BatchId::new(u64::MAX));
        self.links
            .get(link)
            .into_iter()
            .flat_map(move |l| l.deltas.range(range.clone()))
            .map(|d| d.1)
    }

    pub(super) fn reached_of(&self, link: &str) -> u64 {
        self.links.get(link).map_or(0, |link| link.reached)
    }

    /// Newest last.
    pub(super) fn keys_for(
        &self,
        link: &str,
        number: &str,
    ) -> impl DoubleEndedIterator<Item = KeyId> {
        marked(self.links.get(link).map(|link| &link.keys), mark_of_text(number))
    }

    /// Keys whose slot may still be live.
    pub(super) const fn keys(&self) -> &BTreeSet<KeyId> {
        &self.keys
    }

    pub(super) fn unborn_of(&self, batch: BatchId) -> &[CopyId] {
        self.unborn.get(&batch).map_or(&[], Vec::as_slice)
    }

    /// How many batches are closed.
    pub(super) const fn closed(&self) -> usize {
        self.closed
    }

    /// Not the closed ones, which are counted only.
    pub(super) fn in_state(&self, state: BatchState) -> Option<&BTreeSet<BatchId>> {
        self.states.get(&state)
    }

    pub(super) const fn uncleared(&self) -> &BTreeSet<BatchId> {
        &self.uncleared
    }

    pub(super) const fn with_trouble(&self) -> &BTreeSet<BatchId> {
        &self.troubled
    }

    pub(super) fn delivery_named(&self, link: &str, name_mac: Digest) -> Option<DeliveryId> {
        self.deliveries.get(&(link.to_owned(), name_mac)).copied()
    }
}
