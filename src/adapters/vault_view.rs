//! The current view over opened vaults, as a stream: for each key the newest records, a removed key not at all.
//!
//! A vault shadows the older ones for every key that it names. Several records of one key in one file all stay, a
//! removal takes the earlier ones of its own file with it, and blank keys never merge.

use std::collections::BTreeSet;

use super::vault::{Vault, VaultError};
use crate::domain::limits::LISTED_PLACES_MAX;

mod list;

/// Sets of conditions, one after the other.
pub struct Sets<'a> {
    /// The vaults, oldest first.
    pub vaults: &'a [Vault],
    /// The key column, as [`View::key`].
    pub key: Option<&'a str>,
    /// Columns wanted.
    pub columns: &'a [String],
    /// The sets; all conditions of a set hold.
    pub sets: &'a [Vec<(String, String)>],
    /// Whether every record stands for itself.
    pub single: bool,
}

impl Sets<'_> {
    /// Calls `each` with the rows of one set after the other; `each` returns whether to go on.
    ///
    /// # Errors
    /// A vault cannot be read.
    pub fn read(&self, each: &mut dyn FnMut(&[String]) -> bool) -> Result<(), VaultError> {
        if let Some(on) = self.listed() {
            return list::List::new(self, on, LISTED_PLACES_MAX).read(each);
        }
        let (vaults, key, columns, single) = (self.vaults, self.key, self.columns, self.single);
        let mut on = true;
        for conditions in self.sets {
            View { vaults, key, columns, conditions, single }.read(&mut |values| {
                on = each(values);
                on
            })?;
            if !on {
                break;
            }
        }
        Ok(())
    }

    /// The column that a list is about, where the sets are one: each the same column and one value.
    fn listed(&self) -> Option<&str> {
        let ([(column, _)], [_, _, ..]) = (self.sets.first()?.as_slice(), self.sets) else {
            return None;
        };
        let same =
            |set: &Vec<(String, String)>| matches!(set.as_slice(), [(one, _)] if one == column);
        self.sets.iter().all(same).then_some(column)
    }

    /// The key by which records replace others, where they do.
    fn merged_by(&self) -> Option<&str> {
        self.key.filter(|_| !self.single)
    }
}

/// Blank keys never merge: U+0020 and U+3000 are what records are filled with.
fn is_blank(key: &str) -> bool {
    key.trim_matches([' ', '\u{3000}']).is_empty()
}

/// What is read.
pub struct View<'a> {
    /// The vaults, oldest first.
    pub vaults: &'a [Vault],
    /// The key column; none where the layout has none, and then every record stands for itself.
    pub key: Option<&'a str>,
    /// Columns wanted.
    pub columns: &'a [String],
    /// Conditions, all of which hold.
    pub conditions: &'a [(String, String)],
    /// Whether every record stands for itself.
    pub single: bool,
}

impl View<'_> {
    /// Calls `each` with the rows, oldest file first, in record order; `each` returns whether to go on.
    ///
    /// # Errors
    /// A vault cannot be read.
    pub fn read(&self, each: &mut dyn FnMut(&[String]) -> bool) -> Result<(), VaultError> {
        let mut on = true;
        for (n, vault) in self.vaults.iter().enumerate() {
            if !on {
                break;
            }
            let newer = self.vaults.get(n + 1..).unwrap_or_default();
            match self.key.filter(|_| !self.single) {
                None => vault.rows(self.columns, self.conditions, &mut |_, removed, values| {
                    on = (removed && !self.single) || each(values);
                    on
                })?,
                Some(key) => self.merged(vault, newer, key, &mut |values| {
                    on = each(values);
                    on
                })?,
            }
        }
        Ok(())
    }

    fn merged(
        &self,
        vault: &Vault,
        newer: &[Vault],
        key: &str,
        each: &mut dyn FnMut(&[String]) -> bool,
    ) -> Result<(), VaultError> {
        // The key is read beside what was asked for, as the last column.
        let mut columns = self.columns.to_vec();
        columns.push(key.to_owned());
        let removals = removals(vault, key)?;
        let mut failed = None;
        vault.rows(&columns, self.conditions, &mut |number, removed, values| {
            let Some((value, shown)) = values.split_last() else { return true };
            if removed {
                return true;
            }
            if !is_blank(value) {
                let taken = removals
                    .range((value.clone(), number)..)
                    .next()
                    .is_some_and(|(k, _)| k == value);
                match taken
                    || shadowed(newer, key, value).unwrap_or_else(|error| {
                        failed = Some(error);
                        true
                    }) {
                    true if failed.is_some() => return false,
                    true => return true,
                    false => {}
                }
            }
            each(shown)
        })?;
        failed.map_or(Ok(()), Err)
    }
}

/// The removals of one file: key and record number.
fn removals(vault: &Vault, key: &str) -> Result<BTreeSet<(String, u64)>, VaultError> {
    let mut found = BTreeSet::new();
    vault.removed(key, &mut |number, value| {
        found.insert((value.to_owned(), number));
    })?;
    Ok(found)
}

fn shadowed(newer: &[Vault], key: &str, value: &str) -> Result<bool, VaultError> {
    for vault in newer {
        if vault.has(key, value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
