//! The current view over opened vaults, as a stream: for each key the newest records, a removed key not at all.
//!
//! A vault shadows the older ones for every key that it names. Several records of one key in one file all stay, a
//! removal takes the earlier ones of its own file with it, and blank keys never merge.

use std::collections::BTreeSet;

use super::vault::{Vault, VaultError};

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
            let blank = value.trim_matches([' ', '\u{3000}']).is_empty();
            if !blank {
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
