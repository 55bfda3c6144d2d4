//! Rows by id, kept close together.
//!
//! Ids count up and are never reused, so rows come at the end and leave, if at all, one by one. A page holds the rows
//! of [`PAGE`] neighbouring ids in order and full: a balanced tree of single rows would stand half empty after such
//! growth. It answers what a `BTreeMap` answers, in the same order.

use std::{
    collections::BTreeMap,
    fmt,
    ops::{Bound, RangeBounds},
};

use crate::domain::ids::Id;

/// Ids of a page.
const PAGE: u64 = 32;

/// Rows by id.
#[derive(Clone)]
pub struct Table<K, V> {
    pages: BTreeMap<u64, Vec<(Id<K>, V)>>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { pages: BTreeMap::new() }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K, V> Table<K, V> {
    /// The row.
    #[must_use]
    pub fn get(&self, id: &Id<K>) -> Option<&V> {
        let page = self.pages.get(&(id.number() / PAGE))?;
        let at = page.binary_search_by_key(&id.number(), |(id, _)| id.number()).ok()?;
        Some(&page[at].1)
    }

    /// Whether there is one.
    #[must_use]
    pub fn contains_key(&self, id: &Id<K>) -> bool {
        self.get(id).is_some()
    }

    /// The row, to be changed.
    pub fn get_mut(&mut self, id: &Id<K>) -> Option<&mut V> {
        let page = self.pages.get_mut(&(id.number() / PAGE))?;
        let at = page.binary_search_by_key(&id.number(), |(id, _)| id.number()).ok()?;
        Some(&mut page[at].1)
    }

    /// Puts a row; gives the one that was there.
    pub fn insert(&mut self, id: Id<K>, row: V) -> Option<V> {
        let page = self.pages.entry(id.number() / PAGE).or_default();
        match page.binary_search_by_key(&id.number(), |(id, _)| id.number()) {
            Ok(at) => Some(std::mem::replace(&mut page[at].1, row)),
            Err(at) => {
                page.insert(at, (id, row));
                None
            }
        }
    }

    /// Takes a row out.
    pub fn remove(&mut self, id: &Id<K>) -> Option<V> {
        let number = id.number() / PAGE;
        let page = self.pages.get_mut(&number)?;
        let at = page.binary_search_by_key(&id.number(), |(id, _)| id.number()).ok()?;
        let (_, row) = page.remove(at);
        if page.is_empty() {
            self.pages.remove(&number);
        }
        Some(row)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pages.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Rows with their ids, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Id<K>, &V)> {
        self.pages.values().flatten().map(|(id, row)| (id, row))
    }

    /// The ids, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Id<K>> {
        self.iter().map(|(id, _)| id)
    }

    /// The rows, in the order of their ids.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, row)| row)
    }

    /// Rows whose ids are within bounds, in order.
    pub fn range(&self, ids: impl RangeBounds<Id<K>>) -> impl Iterator<Item = (&Id<K>, &V)> {
        let first = match ids.start_bound() {
            Bound::Included(id) | Bound::Excluded(id) => id.number() / PAGE,
            Bound::Unbounded => 0,
        };
        let number = |bound: Bound<&Id<K>>| bound.map(|id| id.number());
        let within = (number(ids.start_bound()), number(ids.end_bound()));
        let later = self.pages.range(first..).flat_map(|(_, page)| page);
        later
            .skip_while(move |(id, _)| !(within.0, Bound::Unbounded).contains(&id.number()))
            .take_while(move |(id, _)| (Bound::Unbounded, within.1).contains(&id.number()))
            .map(|(id, row)| (id, row))
    }
}

impl<'a, K, V> IntoIterator for &'a Table<K, V> {
    type Item = (&'a Id<K>, &'a V);
    type IntoIter = Box<dyn DoubleEndedIterator<Item = Self::Item> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::{Batch, BatchId};

    proptest! {
        #[test]
        fn a_table_answers_as_a_map_does(
            acts in prop::collection::vec((0_u64..200, any::<bool>(), any::<u8>()), 0..300),
            bounds in (0_u64..220, 0_u64..220),
        ) {
            let (mut table, mut map) = (Table::<Batch, u8>::default(), BTreeMap::new());
            for (id, puts, row) in acts {
                let id = BatchId::new(id);
                if puts {
                    prop_assert_eq!(table.insert(id, row), map.insert(id, row));
                } else {
                    prop_assert_eq!(table.remove(&id), map.remove(&id));
                }
                prop_assert_eq!(table.get(&id), map.get(&id));
                prop_assert_eq!(table.get_mut(&id), map.get_mut(&id));
                prop_assert_eq!(table.contains_key(&id), map.contains_key(&id));
            }
            prop_assert_eq!((table.len(), table.is_empty()), (map.len(), map.is_empty()));
            prop_assert!(table.iter().eq(map.iter()));
            prop_assert!(table.iter().rev().eq(map.iter().rev()));
            let (from, to) = (BatchId::new(bounds.0.min(bounds.1)), BatchId::new(bounds.1.max(bounds.0)));
            prop_assert!(table.range(from..=to).eq(map.range(from..=to)));
            let after = (Bound::Excluded(from), Bound::Unbounded);
            prop_assert!(table.range(after).eq(map.range(after)));
        }
    }
}
