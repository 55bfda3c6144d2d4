//! A list of values over opened vaults: read in the order in which things lie, told in the order of the list.
//!
//! A vault that is asked value by value opens the same pages again for each. Here the list is put in order and walked
//! along the keys once, and records are fetched in their own order, so many at a time; rules, order and rows are those
//! of one value after the other.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

use zeroize::Zeroizing;

use super::{Sets, is_blank, removals};
use crate::{
    adapters::{
        firsts::Firsts,
        vault::{Vault, VaultError},
    },
    domain::limits::{LISTED_ROWS_AT_ONCE, LISTED_VALUES_AT_ONCE},
};

/// A record of the list. Its order is that of the rows: place in the list, vault, record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    listed: usize,
    vault: usize,
    number: u64,
}

/// A row that may be shown.
struct Found {
    /// Its place among those that are fetched together.
    at: usize,
    number: u64,
    key: Zeroizing<String>,
    values: Zeroizing<Vec<String>>,
}

/// A list over vaults.
pub(super) struct List<'a> {
    sets: &'a Sets<'a>,
    on: &'a str,
    /// Places that are held at once.
    most: usize,
    /// The removals of each vault, once they are asked for.
    removals: Vec<OnceCell<BTreeSet<(String, u64)>>>,
}

impl<'a> List<'a> {
    pub(super) fn new(sets: &'a Sets<'a>, on: &'a str, most: usize) -> Self {
        let removals = sets.vaults.iter().map(|_| OnceCell::new()).collect();
        Self { sets, on, most, removals }
    }

    /// Calls `each` with the rows; `each` returns whether to go on.
    pub(super) fn read(&self, each: &mut dyn FnMut(&[String]) -> bool) -> Result<(), VaultError> {
        for part in self.sets.sets.chunks(LISTED_VALUES_AT_ONCE) {
            let values: Vec<&str> = part.iter().flatten().map(|(_, v)| v.as_str()).collect();
            let (places, cut) = self.places(&values)?;
            for piece in places.chunks(LISTED_ROWS_AT_ONCE) {
                if !self.rows(piece)?.iter().flatten().all(|row| each(row)) {
                    return Ok(());
                }
            }
            // Who takes the rows wanted more than were kept: what is left out is never left out in silence.
            if cut {
                return Err(VaultError::TooMany);
            }
        }
        Ok(())
    }

    /// Where the records of these values are, and whether there are more. A value that stands twice is two places, as it
    /// would be asked twice. Those that come first in the order of the list are kept, in bounded memory.
    fn places(&self, values: &[&str]) -> Result<(Vec<Place>, bool), VaultError> {
        let mut sorted: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, value) in values.iter().enumerate() {
            sorted.entry(value).or_default().push(place);
        }
        let (sorted, listed): (Vec<&str>, Vec<Vec<usize>>) = sorted.into_iter().unzip();
        let mut places = Firsts::new(self.most);
        for (n, vault) in self.sets.vaults.iter().enumerate() {
            vault.places(self.on, &sorted, &mut |at, number| {
                for listed in listed.get(at).into_iter().flatten() {
                    places.push(Place { listed: *listed, vault: n, number });
                }
            })?;
        }
        Ok(places.in_order())
    }

    /// The rows of these places, those left out that are not to be shown.
    fn rows(&self, places: &[Place]) -> Result<Vec<Option<Zeroizing<Vec<String>>>>, VaultError> {
        let mut rows: Vec<Option<Zeroizing<Vec<String>>>> = places.iter().map(|_| None).collect();
        for (n, vault) in self.sets.vaults.iter().enumerate() {
            let of =
                |(at, place): (usize, &Place)| (place.vault == n).then_some((place.number, at));
            let mut numbers: Vec<(u64, usize)> = places.iter().enumerate().filter_map(of).collect();
            if numbers.is_empty() {
                continue;
            }
            numbers.sort_unstable();
            for found in self.current(n, self.fetched(vault, &numbers)?)? {
                if let Some(row) = rows.get_mut(found.at) {
                    *row = Some(found.values);
                }
            }
        }
        Ok(rows)
    }

    /// The records of these numbers, in their order; without those that remove, unless one batch is shown as it is.
    fn fetched(&self, vault: &Vault, numbers: &[(u64, usize)]) -> Result<Vec<Found>, VaultError> {
        let mut columns = self.sets.columns.to_vec();
        columns.extend(self.sets.merged_by().map(str::to_owned));
        let mut found = Vec::with_capacity(numbers.len());
        let wanted: Vec<u64> = numbers.iter().map(|(number, _)| *number).collect();
        vault.rows_of(&columns, &wanted, &mut |n, removed, values| {
            let Some((number, at)) = numbers.get(n).filter(|_| !removed || self.sets.single) else {
                return;
            };
            let (shown, key) = values.split_at(self.sets.columns.len());
            let key = Zeroizing::new(key.first().cloned().unwrap_or_default());
            let values = Zeroizing::new(shown.to_vec());
            found.push(Found { at: *at, number: *number, key, values });
        })?;
        Ok(found)
    }

    /// Those of them that the current view has.
    fn current(&self, n: usize, mut found: Vec<Found>) -> Result<Vec<Found>, VaultError> {
        let Some(key) = self.sets.merged_by() else { return Ok(found) };
        let Some((vault, newer)) = self.sets.vaults.get(n..).and_then(<[Vault]>::split_first)
        else {
            return Ok(found);
        };
        let removals = self.removals(n, vault, key)?;
        if let Some(removals) = removals.filter(|removals| !removals.is_empty()) {
            found.retain(|one| {
                let mut later = removals.range((one.key.to_string(), one.number)..);
                is_blank(&one.key) || later.next().is_none_or(|(removed, _)| *removed != *one.key)
            });
        }
        let mut shadowed = vec![false; found.len()];
        let mut by_key: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, one) in found.iter().enumerate().filter(|(_, one)| !is_blank(&one.key)) {
            by_key.entry(one.key.as_str()).or_default().push(at);
        }
        let (keys, owners): (Vec<&str>, Vec<Vec<usize>>) = by_key.into_iter().unzip();
        for vault in newer {
            vault.places(key, &keys, &mut |at, _| {
                for owner in owners.get(at).into_iter().flatten() {
                    if let Some(one) = shadowed.get_mut(*owner) {
                        *one = true;
                    }
                }
            })?;
        }
        let mut shadowed = shadowed.into_iter();
        found.retain(|_| !shadowed.next().unwrap_or_default());
        Ok(found)
    }

    /// Read once for each vault, however long the list is.
    fn removals(
        &self,
        n: usize,
        vault: &Vault,
        key: &str,
    ) -> Result<Option<&BTreeSet<(String, u64)>>, VaultError> {
        let Some(cell) = self.removals.get(n) else { return Ok(None) };
        if cell.get().is_none() {
            // Nobody else fills it: it is this reading's alone.
            let _ = cell.set(removals(vault, key)?);
        }
        Ok(cell.get())
    }
}
