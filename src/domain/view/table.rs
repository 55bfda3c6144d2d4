//! Rows by id, kept close together, and those that nothing happens to any more packed away.
//!
//! Ids count up and are never reused, so rows come at the end and leave, if at all, one by one. A page holds the rows
//! of [`PAGE`] neighbouring ids in order and full: a balanced tree of single rows would stand half empty after such
//! growth. It answers what a `BTreeMap` answers, in the same order.
//!
//! A long register is mostly about what is over. A page all of whose rows are settled is kept as deflated JSON
//! ([`super::packed`]), a quarter of its size, and read back for whoever asks for one of them; whoever changes one has
//! its page unpacked first. Nothing else tells the two apart.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::{Bound, Deref, RangeBounds},
    sync::{Arc, Mutex},
};

use serde::{Serialize, de::DeserializeOwned};

use super::packed::{self, Packed, Packer};
use crate::domain::ids::Id;

/// Ids of a page.
pub(super) const PAGE: u64 = 32;

/// What rows can be packed.
pub trait Stored: Serialize + DeserializeOwned {}

impl<V: Serialize + DeserializeOwned> Stored for V {}

/// Rows by id.
pub struct Table<K, V> {
    pages: BTreeMap<u64, Page<K, V>>,
    /// Pages that are not packed.
    loose: BTreeSet<u64>,
    /// The packed page that was read last: rows are asked for in company.
    recent: Mutex<Option<(u64, Unpacked<V>)>>,
}

/// The rows of a packed page.
type Unpacked<V> = Arc<Vec<V>>;

#[derive(Clone)]
enum Page<K, V> {
    Loose(Vec<(Id<K>, V)>),
    Packed(Packed),
}

/// A row that was looked up.
pub struct Row<'a, V>(Place<'a, V>);

enum Place<'a, V> {
    Loose(&'a V),
    Packed(Unpacked<V>, usize),
}

impl<V> Clone for Row<'_, V> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Place::Loose(row) => Place::Loose(row),
            Place::Packed(rows, at) => Place::Packed(Arc::clone(rows), *at),
        })
    }
}

impl<V> Deref for Row<'_, V> {
    type Target = V;

    fn deref(&self) -> &V {
        match &self.0 {
            Place::Loose(row) => row,
            Place::Packed(rows, at) => &rows[*at],
        }
    }
}

impl<V: fmt::Debug> fmt::Debug for Row<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<V: PartialEq> PartialEq for Row<'_, V> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<K: Clone, V: Clone> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        Self { pages: self.pages.clone(), loose: self.loose.clone(), recent: Mutex::new(None) }
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { pages: BTreeMap::new(), loose: BTreeSet::new(), recent: Mutex::new(None) }
    }
}

impl<K: fmt::Debug, V: Stored + fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K, V: Stored> Table<K, V> {
    /// The row.
    #[must_use]
    pub fn get(&self, id: &Id<K>) -> Option<Row<'_, V>> {
        let number = id.number() / PAGE;
        Some(Row(match self.pages.get(&number)? {
            Page::Loose(rows) => Place::Loose(&rows[at(rows, id).ok()?].1),
            Page::Packed(packed) => {
                let place = packed.place(id.number())?;
                Place::Packed(self.unpacked(number, packed), place)
            }
        }))
    }

    /// Whether there is one.
    #[must_use]
    pub fn contains_key(&self, id: &Id<K>) -> bool {
        match self.pages.get(&(id.number() / PAGE)) {
            Some(Page::Loose(rows)) => at(rows, id).is_ok(),
            Some(Page::Packed(packed)) => packed.place(id.number()).is_some(),
            None => false,
        }
    }

    /// The row, to be changed.
    pub fn get_mut(&mut self, id: &Id<K>) -> Option<&mut V> {
        if !self.contains_key(id) {
            return None;
        }
        let rows = self.loosen(id.number() / PAGE)?;
        let at = at(rows, id).ok()?;
        Some(&mut rows[at].1)
    }

    /// Puts a row; gives the one that was there.
    pub fn insert(&mut self, id: Id<K>, row: V) -> Option<V> {
        let number = id.number() / PAGE;
        self.pages.entry(number).or_insert_with(|| {
            self.loose.insert(number);
            Page::Loose(Vec::new())
        });
        let rows = self.loosen(number)?;
        match at(rows, &id) {
            Ok(at) => Some(std::mem::replace(&mut rows[at].1, row)),
            Err(at) => {
                rows.insert(at, (id, row));
                None
            }
        }
    }

    /// Takes a row out.
    pub fn remove(&mut self, id: &Id<K>) -> Option<V> {
        if !self.contains_key(id) {
            return None;
        }
        let number = id.number() / PAGE;
        let rows = self.loosen(number)?;
        let (_, row) = rows.remove(at(rows, id).ok()?);
        if rows.is_empty() {
            self.pages.remove(&number);
            self.loose.remove(&number);
        }
        Some(row)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pages.values().map(Page::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Rows with their ids, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Id<K>, Row<'_, V>)> {
        self.pages.iter().flat_map(|(number, page)| self.rows_of(*number, page))
    }

    /// The ids, in order; nothing is unpacked for them.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = Id<K>> {
        self.pages.iter().flat_map(|(number, page)| page.ids(*number))
    }

    /// The ids after one, in order; nothing is unpacked for them.
    pub fn keys_after(&self, after: Option<Id<K>>) -> impl Iterator<Item = Id<K>> {
        let first = after.map_or(0, |id| id.number() / PAGE);
        let ids = self.pages.range(first..).flat_map(|(number, page)| page.ids(*number));
        ids.skip_while(move |id| after.is_some_and(|after| id.number() <= after.number()))
    }

    /// The rows, in the order of their ids.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = Row<'_, V>> {
        self.iter().map(|(_, row)| row)
    }

    /// The rows that are not packed, with their ids, in order: every one that is not settled, and some that are.
    /// For whoever looks for what is still going on.
    pub fn loose(&self) -> impl DoubleEndedIterator<Item = (Id<K>, Row<'_, V>)> {
        let page = |number: &u64| Some((*number, self.pages.get(number)?));
        let pages = self.loose.iter().filter_map(page);
        pages.flat_map(|(number, page)| self.rows_of(number, page))
    }

    /// Rows whose ids are within bounds, in order.
    pub fn range(&self, ids: impl RangeBounds<Id<K>>) -> impl Iterator<Item = (Id<K>, Row<'_, V>)> {
        let first = match ids.start_bound() {
            Bound::Included(id) | Bound::Excluded(id) => id.number() / PAGE,
            Bound::Unbounded => 0,
        };
        let number = |bound: Bound<&Id<K>>| bound.map(|id| id.number());
        let within = (number(ids.start_bound()), number(ids.end_bound()));
        let later = self.pages.range(first..).flat_map(|(n, page)| self.rows_of(*n, page));
        later
            .skip_while(move |(id, _)| !(within.0, Bound::Unbounded).contains(&id.number()))
            .take_while(move |(id, _)| (Bound::Unbounded, within.1).contains(&id.number()))
    }

    /// Packs the pages all of whose rows are settled. The newest page stays: its next rows are still to come.
    pub(super) fn settle(&mut self, packer: &mut Packer, settled: impl Fn(Id<K>, &V) -> bool) {
        let newest = self.pages.keys().next_back().copied();
        let over = |number: &u64| match self.pages.get(number) {
            Some(Page::Loose(rows)) => rows.iter().all(|(id, row)| settled(*id, row)),
            _ => false,
        };
        let candidates = self.loose.iter().filter(|number| Some(**number) != newest);
        let over: Vec<u64> = candidates.filter(|number| over(number)).copied().collect();
        for number in over {
            let Some(Page::Loose(rows)) = self.pages.get(&number) else { continue };
            let Some(packed) = packer.pack(rows) else { continue };
            self.pages.insert(number, Page::Packed(packed));
            self.loose.remove(&number);
        }
    }

    /// Every page as it is kept, in order, with its number; one that is not packed is packed for it, and said to be
    /// loose.
    pub(super) fn pages(&self) -> impl Iterator<Item = Option<(u64, bool, Packed)>> {
        let mut packer = Packer::default();
        self.pages.iter().map(move |(number, page)| match page {
            Page::Loose(rows) => Some((*number, true, packer.pack(rows)?)),
            Page::Packed(packed) => Some((*number, false, packed.clone())),
        })
    }

    /// Puts a page as [`Table::pages`] gave it; nothing where its rows cannot be read.
    pub(super) fn restore(&mut self, number: u64, loose: bool, packed: Packed) -> Option<()> {
        let page = if loose {
            self.loose.insert(number);
            Page::Loose(packed.ids(number).zip(packed::unpack(&packed)?).collect())
        } else {
            Page::Packed(packed)
        };
        self.pages.insert(number, page);
        Some(())
    }

    /// The rows of a page that is not packed, to be changed.
    pub(super) fn loose_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.pages.values_mut().filter_map(Page::loose_mut).flatten().map(|(_, row)| row)
    }

    fn loosen(&mut self, number: u64) -> Option<&mut Vec<(Id<K>, V)>> {
        let page = self.pages.get_mut(&number)?;
        if let Page::Packed(packed) = page {
            let rows = packed.ids(number).zip(packed.rows()).collect();
            *page = Page::Loose(rows);
            self.loose.insert(number);
            *self.recent.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        }
        page.loose_mut()
    }

    fn unpacked(&self, number: u64, packed: &Packed) -> Unpacked<V> {
        let mut recent = self.recent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((known, rows)) = &*recent
            && *known == number
        {
            return Arc::clone(rows);
        }
        let rows = Arc::new(packed.rows());
        *recent = Some((number, Arc::clone(&rows)));
        rows
    }

    fn rows_of<'a>(
        &'a self,
        number: u64,
        page: &'a Page<K, V>,
    ) -> impl DoubleEndedIterator<Item = (Id<K>, Row<'a, V>)> {
        let (loose, packed) = match page {
            Page::Loose(rows) => (Some(rows), None),
            Page::Packed(packed) => (None, Some((packed, self.unpacked(number, packed)))),
        };
        let loose = loose.into_iter().flatten().map(|(id, row)| (*id, Row(Place::Loose(row))));
        let packed = packed.into_iter().flat_map(move |(packed, rows)| {
            let row = move |(at, id)| (id, Row(Place::Packed(Arc::clone(&rows), at)));
            packed.ids(number).collect::<Vec<_>>().into_iter().enumerate().map(row)
        });
        loose.chain(packed)
    }
}

impl<K, V> Page<K, V> {
    fn len(&self) -> usize {
        match self {
            Self::Loose(rows) => rows.len(),
            Self::Packed(packed) => packed.len(),
        }
    }

    const fn loose_mut(&mut self) -> Option<&mut Vec<(Id<K>, V)>> {
        match self {
            Self::Loose(rows) => Some(rows),
            Self::Packed(_) => None,
        }
    }

    fn ids(&self, number: u64) -> impl DoubleEndedIterator<Item = Id<K>> + use<'_, K, V> {
        let (loose, packed) = match self {
            Self::Loose(rows) => (Some(rows), None),
            Self::Packed(packed) => (None, Some(packed)),
        };
        let loose = loose.into_iter().flatten().map(|(id, _)| *id);
        loose.chain(packed.into_iter().flat_map(move |packed| packed.ids(number)))
    }
}

/// Where a row is in its page, or where it would be.
fn at<K, V>(rows: &[(Id<K>, V)], id: &Id<K>) -> Result<usize, usize> {
    rows.binary_search_by_key(&id.number(), |(id, _)| id.number())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::{Batch, BatchId};

    proptest! {
        #[test]
        fn a_table_answers_as_a_map_does_packed_or_not(
            acts in prop::collection::vec((0_u64..200, 0_u8..8, any::<u8>()), 0..300),
            bounds in (0_u64..220, 0_u64..220),
        ) {
            let (mut table, mut map) = (Table::<Batch, u8>::default(), BTreeMap::new());
            for (id, act, row) in acts {
                let id = BatchId::new(id);
                match act {
                    // Odd rows are over.
                    0 => table.settle(&mut Packer::default(), |_, row| row % 2 == 1),
                    1..=5 => prop_assert_eq!(table.insert(id, row | 1), map.insert(id, row | 1)),
                    6 => prop_assert_eq!(table.insert(id, row), map.insert(id, row)),
                    _ => prop_assert_eq!(table.remove(&id), map.remove(&id)),
                }
                prop_assert_eq!(table.get(&id).map(|row| *row), map.get(&id).copied());
                prop_assert_eq!(table.contains_key(&id), map.contains_key(&id));
                if act == 3 {
                    prop_assert_eq!(table.get_mut(&id).copied(), map.get_mut(&id).copied());
                }
            }
            table.settle(&mut Packer::default(), |_, row| row % 2 == 1);
            prop_assert_eq!((table.len(), table.is_empty()), (map.len(), map.is_empty()));
            let rows: Vec<_> = table.iter().map(|(id, row)| (id, *row)).collect();
            let expected: Vec<_> = map.iter().map(|(id, row)| (*id, *row)).collect();
            prop_assert_eq!(&rows, &expected);
            let mut back: Vec<_> = table.iter().rev().map(|(id, row)| (id, *row)).collect();
            back.reverse();
            prop_assert_eq!(&back, &expected);
            prop_assert!(table.keys().eq(map.keys().copied()));
            // Whatever is not over is among the loose.
            let loose: BTreeSet<_> = table.loose().map(|(id, _)| id).collect();
            prop_assert!(map.iter().all(|(id, row)| row % 2 == 1 || loose.contains(id)));
            let (from, to) = (BatchId::new(bounds.0.min(bounds.1)), BatchId::new(bounds.0.max(bounds.1)));
            let within: Vec<_> = table.range(from..=to).map(|(id, row)| (id, *row)).collect();
            prop_assert!(within.iter().map(|(id, row)| (id, row)).eq(map.range(from..=to)));
            let after = (Bound::Excluded(from), Bound::Unbounded);
            let beyond: Vec<_> = table.range(after).map(|(id, row)| (id, *row)).collect();
            prop_assert!(beyond.iter().map(|(id, row)| (id, row)).eq(map.range(after)));
        }
    }
}
