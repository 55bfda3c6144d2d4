//! Where to find rows by what they are asked for, so that a long register stays fast.
//!
//! An index only narrows the search: whoever asks looks at the row itself and decides by it. Nothing here is a fact,
//! and everything here can be made anew from the rows.

use std::collections::{BTreeMap, BTreeSet};

use super::Batch;
use crate::domain::{
    digest::Digest,
    ids::{BatchId, CopyId, DeliveryId, KeyId},
    lifecycle::BatchState,
};

/// The index of all rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    links: BTreeMap<String, LinkIndex>,
    copies: BTreeMap<BatchId, Vec<CopyId>>,
    states: BTreeMap<BatchState, BTreeSet<BatchId>>,
    uncleared: BTreeSet<BatchId>,
    troubled: BTreeSet<BatchId>,
    keys: BTreeSet<KeyId>,
    deliveries: BTreeMap<(String, Digest), DeliveryId>,
}

/// What is asked of one link.
#[derive(Clone, Debug, Default)]
struct LinkIndex {
    batches: BTreeSet<BatchId>,
    numbers: BTreeMap<String, BTreeSet<BatchId>>,
    files: BTreeMap<Digest, BTreeSet<BatchId>>,
    contents: BTreeMap<Digest, BTreeSet<BatchId>>,
    deltas: BTreeMap<u64, BTreeSet<BatchId>>,
    received: BTreeSet<BatchId>,
    keys: BTreeMap<String, BTreeSet<KeyId>>,
    /// Every change file up to this one is loaded.
    reached: u64,
}

fn listed<'a, K: Ord + ?Sized, Q: Ord + std::borrow::Borrow<K>, T>(
    map: Option<&'a BTreeMap<Q, BTreeSet<T>>>,
    key: &K,
) -> impl DoubleEndedIterator<Item = &'a T> + use<'a, K, Q, T> {
    map.and_then(|map| map.get(key)).into_iter().flatten()
}

impl Index {
    fn link(&mut self, link: &str) -> &mut LinkIndex {
        self.links.entry(link.to_owned()).or_default()
    }

    pub(super) fn born(&mut self, id: BatchId, row: &Batch) {
        let link = self.link(&row.link);
        link.batches.insert(id);
        link.received.insert(id);
        for sha256 in row.files.iter().filter_map(|file| file.sha256) {
            link.files.entry(sha256).or_default().insert(id);
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

    pub(super) fn numbered(&mut self, id: BatchId, link: &str, number: &str) {
        self.link(link).numbers.entry(number.to_owned()).or_default().insert(id);
    }

    pub(super) fn delta(&mut self, id: BatchId, link: &str, sequence: u64) {
        self.link(link).deltas.entry(sequence).or_default().insert(id);
    }

    pub(super) fn content(&mut self, id: BatchId, link: &str, content: Digest) {
        self.link(link).contents.entry(content).or_default().insert(id);
    }

    pub(super) fn reached(&mut self, link: &str, sequence: u64) {
        self.link(link).reached = sequence;
    }

    pub(super) fn copy(&mut self, batch: BatchId, copy: CopyId) {
        let copies = self.copies.entry(batch).or_default();
        if let Err(place) = copies.binary_search(&copy) {
            copies.insert(place, copy);
        }
    }

    pub(super) fn key(&mut self, id: KeyId, link: &str, number: &str) {
        self.link(link).keys.entry(number.to_owned()).or_default().insert(id);
        self.keys.insert(id);
    }

    pub(super) fn key_gone(&mut self, id: KeyId, link: &str, number: &str) {
        self.keys.remove(&id);
        let keys = &mut self.link(link).keys;
        if let Some(left) = keys.get_mut(number) {
            left.remove(&id);
            if left.is_empty() {
                keys.remove(number);
            }
        }
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
        listed(self.links.get(link).map(|link| &link.numbers), number).copied()
    }

    pub(super) fn with_file(&self, link: &str, sha256: Digest) -> impl Iterator<Item = BatchId> {
        listed(self.links.get(link).map(|link| &link.files), &sha256).copied()
    }

    pub(super) fn with_content(
        &self,
        link: &str,
        content: Digest,
    ) -> impl Iterator<Item = BatchId> {
        listed(self.links.get(link).map(|link| &link.contents), &content).copied()
    }

    pub(super) fn deltas_at(&self, link: &str, sequence: u64) -> impl Iterator<Item = BatchId> {
        listed(self.links.get(link).map(|link| &link.deltas), &sequence).copied()
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
        listed(self.links.get(link).map(|link| &link.keys), number).copied()
    }

    /// Keys whose slot may still be live.
    pub(super) const fn keys(&self) -> &BTreeSet<KeyId> {
        &self.keys
    }

    pub(super) fn copies_of(&self, batch: BatchId) -> &[CopyId] {
        self.copies.get(&batch).map_or(&[], Vec::as_slice)
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
