//! Where to find rows by what they are asked for, so that a long register stays fast.
//!
//! An index only narrows the search: whoever asks looks at the row itself and decides by it. Nothing here is a fact,
//! and everything here can be made anew from the rows.

use std::collections::{BTreeMap, BTreeSet};

use super::Batch as Row;
use crate::domain::{
    digest::Digest,
    ids::{Batch, BatchId, CopyId, DeliveryId, Id, Key, KeyId},
    lifecycle::BatchState,
};

/// The index of all rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    links: BTreeMap<String, LinkIndex>,
    copies: BTreeSet<(BatchId, CopyId)>,
    states: BTreeMap<BatchState, BTreeSet<BatchId>>,
    uncleared: BTreeSet<BatchId>,
    troubled: BTreeSet<BatchId>,
    receipts: BTreeSet<BatchId>,
    keys: BTreeSet<KeyId>,
    held: BTreeSet<CopyId>,
    deliveries: BTreeMap<(String, Digest), DeliveryId>,
}

/// What is asked of one link.
#[derive(Clone, Debug, Default)]
struct LinkIndex {
    batches: BTreeSet<BatchId>,
    numbers: Marked<Batch>,
    files: Marked<Batch>,
    contents: Marked<Batch>,
    deltas: Marked<Batch>,
    /// Batches under the number that they say they replace.
    replacing: Marked<Batch>,
    received: BTreeSet<BatchId>,
    keys: Marked<Key>,
    /// Every change file up to this one is loaded.
    reached: u64,
}

/// Ids under a mark of 64 bits: a number, or the beginning of a digest. Two things may have one mark, by chance or by
/// somebody's effort; then the search is a little less narrow.
type Marked<K> = BTreeSet<(u64, Id<K>)>;

fn mark_of(digest: &Digest) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn mark_of_text(text: &str) -> u64 {
    mark_of(&Digest::of(text.as_bytes()))
}

/// The ids under a mark, in order.
fn marked<K: Ord>(
    set: Option<&Marked<K>>,
    mark: u64,
) -> impl DoubleEndedIterator<Item = Id<K>> + use<'_, K> {
    let range = (mark, Id::new(0))..=(mark, Id::new(u64::MAX));
    set.map(|set| set.range(range)).into_iter().flatten().map(|(_, id)| *id)
}

impl Index {
    fn link(&mut self, link: &str) -> &mut LinkIndex {
        self.links.entry(link.to_owned()).or_default()
    }

    pub(super) fn born(&mut self, id: BatchId, row: &Row) {
        let link = self.link(&row.link);
        link.batches.insert(id);
        link.received.insert(id);
        for sha256 in row.files.iter().filter_map(|file| file.sha256) {
            link.files.insert((mark_of(&sha256), id));
        }
        self.states.entry(row.state).or_default().insert(id);
        self.uncleared.insert(id);
    }

    pub(super) fn moved(&mut self, id: BatchId, link: &str, from: BatchState, to: BatchState) {
        if let Some(left) = self.states.get_mut(&from) {
            left.remove(&id);
        }
        self.states.entry(to).or_default().insert(id);
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
        self.link(link).numbers.insert((mark_of_text(number), id));
    }

    pub(super) fn delta(&mut self, id: BatchId, link: &str, sequence: u64) {
        self.link(link).deltas.insert((sequence, id));
    }

    pub(super) fn replaces(&mut self, id: BatchId, link: &str, number: &str) {
        self.link(link).replacing.insert((mark_of_text(number), id));
    }

    pub(super) fn replacing(&self, link: &str, number: &str) -> impl Iterator<Item = BatchId> {
        marked(self.links.get(link).map(|link| &link.replacing), mark_of_text(number))
    }

    pub(super) fn content(&mut self, id: BatchId, link: &str, content: Digest) {
        self.link(link).contents.insert((mark_of(&content), id));
    }

    pub(super) fn reached(&mut self, link: &str, sequence: u64) {
        self.link(link).reached = sequence;
    }

    pub(super) fn copy(&mut self, batch: BatchId, copy: CopyId, held: bool) {
        self.copies.insert((batch, copy));
        if held {
            self.held.insert(copy);
        }
    }

    /// Copies that people keep, or kept.
    pub(super) const fn held(&self) -> &BTreeSet<CopyId> {
        &self.held
    }

    pub(super) fn key(&mut self, id: KeyId, link: &str, number: &str) {
        self.link(link).keys.insert((mark_of_text(number), id));
        self.keys.insert(id);
    }

    pub(super) fn key_gone(&mut self, id: KeyId, link: &str, number: &str) {
        self.keys.remove(&id);
        self.link(link).keys.remove(&(mark_of_text(number), id));
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

    pub(super) fn batches_of(&self, link: &str) -> impl Iterator<Item = BatchId> {
        self.links.get(link).into_iter().flat_map(|link| &link.batches).copied()
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
        marked(self.links.get(link).map(|link| &link.deltas), sequence)
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

    pub(super) fn copies_of(&self, batch: BatchId) -> impl Iterator<Item = CopyId> {
        let range = (batch, CopyId::new(0))..=(batch, CopyId::new(u64::MAX));
        self.copies.range(range).map(|(_, copy)| *copy)
    }

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
