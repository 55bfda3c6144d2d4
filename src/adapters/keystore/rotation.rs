//! Replacing the key-encryption key: what was sealed under the old one and destroyed opens no more.
//!
//! What each slot comes to: a live secret is sealed again under the new key; a tombstone, and a slot that is damaged past
//! reading, seal nothing and stay as they are; a secret whose cell is whole and does not open (somebody altered it) is
//! left out, and keeps the old key with it. Then nothing more is destroyed than its own cell, and that is what is stated:
//! a destruction neither stops half-way for another batch's slot nor takes from it what may still be looked into.
//!
//! There is one rotation for each destroyed key and not one for each order. The outcome of a copy states its level, and
//! may state L3 only when the rotation that makes it true is durable; so a rotation for the whole order would have to
//! come before its first outcome, and then every key of the order would be gone before the first copy is. A hold that
//! comes between two copies must find the later ones readable.

use std::collections::BTreeSet;

use super::{
    KEK, KeyStore, KeyStoreError, Kind, Slot,
    cell::{self, KEY_BYTES, Place, SealingKey},
    label::Label,
};
use crate::adapters::entropy::{self, Kernel};

/// What [`KeyStore::rotate`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Rotation {
    /// Nothing is left of the older key: what was sealed under it and destroyed opens no more.
    Whole,
    /// A secret that does not open could not be carried over, and holds the older key: see
    /// [`KeyStore::counts`]. What was destroyed is destroyed, and no more than its own cell proves that.
    Held,
}

impl KeyStore {
    /// Replaces the key-encryption key: a new one beside the old, every live secret sealed again under the new one,
    /// then everything old wiped. A stop anywhere is finished by the next opening. What each slot comes to:
    /// docs/keystore.md.
    ///
    /// # Errors
    /// Reading and writing. A repeat goes on.
    pub fn rotate(&mut self) -> Result<Rotation, KeyStoreError> {
        self.store.check()?;
        // An earlier one that is not at its end has taken the only free cell of slot 0.
        if self.keys.len() > 1 && self.finish_rotation()? == Rotation::Held {
            return Ok(Rotation::Held);
        }
        let (side, generation) = (self.slots[0].side, self.slots[0].generation + 1);
        if self.keys.len() == 1 {
            let kek = entropy::random_secret(KEY_BYTES)?;
            let place = Place { slot: 0, generation, name: KEK };
            let bytes = cell::live(place, &kek, &self.wrapping, &Kernel)?;
            self.store.write(side.other(), 0, &bytes, "key-encryption key")?;
            self.keys.extend(SealingKey::new(generation, &kek));
            (self.slots[0].side, self.slots[0].generation) = (side.other(), generation);
        }
        self.finish_rotation()
    }

    /// Carries every live secret over to the newest key-encryption key, then wipes what was sealed under the old one,
    /// and the old one: two syncs, however many there are.
    pub(super) fn finish_rotation(&mut self) -> Result<Rotation, KeyStoreError> {
        let newest = self.newest()?;
        let (mut renewed, mut altered) = (Vec::new(), BTreeSet::new());
        for (index, slot) in self.slots.iter().enumerate().skip(1) {
            let Slot { name: Some(name), kind: Kind::Live { key_generation }, side, generation } =
                slot
            else {
                continue;
            };
            if *key_generation != newest.generation {
                let name = name.text();
                let secret = match self.unseal(index, *side, *key_generation, &name) {
                    Ok(secret) => secret,
                    // It stays as it lies, and so does the key that it may still open under: what somebody did to it
                    // can be looked into, and nothing of it is lost by a destruction that does not name it.
                    Err(KeyStoreError::Altered { .. } | KeyStoreError::Torn { .. }) => {
                        altered.insert(index);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                let place = Place { slot: index as u64, generation: generation + 1, name: &name };
                let bytes = cell::live(place, &secret, newest, &Kernel)?;
                renewed.push((side.other(), index, bytes));
            }
        }
        let newest = newest.generation;
        // A stop here: each slot holds its old cell, or both, of which the new one counts; both keys are there.
        self.store.write_many(&renewed, "key slots")?;
        let mut free = Vec::with_capacity(renewed.len() + 1);
        let held = !altered.is_empty();
        self.altered = altered;
        let old_key = (!held).then_some(0);
        for index in renewed.into_iter().map(|(_, index, _)| index).chain(old_key) {
            let slot = &mut self.slots[index];
            if index > 0 {
                (slot.side, slot.generation) = (slot.side.other(), slot.generation + 1);
                slot.kind = Kind::Live { key_generation: newest };
            }
            let name = slot.name.as_ref().map(Label::text).unwrap_or_default();
            let place = Place { slot: index as u64, generation: slot.generation, name: &name };
            free.push((slot.side.other(), index, cell::free(place)));
        }
        // A stop here: everything is sealed under the new key already; opening wipes the rest.
        self.store.write_many(&free, "key slots wiped")?;
        if held {
            return Ok(Rotation::Held);
        }
        self.keys.retain(|key| key.generation == newest);
        Ok(Rotation::Whole)
    }
}
