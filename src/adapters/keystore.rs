//! The key store: fixed slots in two generation files, `keys/slots.a` and `keys/slots.b` (docs/keystore.md).
//!
//! A secret is there whole or not at all, a destroyed slot keeps a tombstone with its order's id for ever, and torn
//! never looks like destroyed or absent. Each change writes the cell that does not count, syncs, wipes the cell
//! that did, syncs; opening finishes what a stop cut off. Slot 0 holds the key-encryption key, wrapped by the root
//! key; every other secret is sealed under the key-encryption key.
//!
//! It decides nothing about who may destroy what, locks nothing (the state's lock does), and keeps no secret but
//! the key-encryption keys in memory. An older copy of both files put back is not seen here, only by the register.

mod cell;
mod error;
mod label;
mod pair;
mod rotation;
mod store;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use aws_lc_rs::constant_time::verify_slices_are_equal;

use self::cell::{Body, KEY_BYTES, Place, SealingKey};
pub use self::error::KeyStoreError;
use self::label::Label;
use self::pair::{Side, Verdict};
pub use self::rotation::Rotation;
use self::store::Store;
use super::entropy::{self, Fill, Kernel};
use crate::domain::{limits::SECRET_BYTES_MAX, secret::Secret};

/// The name of slot 0.
const KEK: &str = "kek";

/// What a slot is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// Never put.
    Absent,
    /// Holds a secret.
    Live,
    /// Destroyed.
    Destroyed {
        /// The id of the order it was destroyed under.
        order: String,
    },
}

/// What [`KeyStore::destroy`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Destruction {
    /// The secret was there and is gone now.
    Done,
    /// It was destroyed before, under this order, which stays.
    Already {
        /// The order of the first time.
        order: String,
    },
    /// There never was such a slot; nothing was written.
    Absent,
}

/// What is known of a used slot.
#[derive(Debug)]
struct Slot {
    /// `None`: damaged past knowing whose it was.
    name: Option<Label>,
    kind: Kind,
    /// The cell that counts; of a damaged slot, the one that a tombstone goes to.
    side: Side,
    generation: u64,
}

#[derive(Debug)]
enum Kind {
    Live { key_generation: u64 },
    Destroyed { order: Label },
    Damaged,
}

/// An open key store.
pub struct KeyStore {
    store: Store,
    /// The root key, which seals the key-encryption key: a new one is made at each destruction.
    wrapping: SealingKey,
    /// The key-encryption keys, newest last; two only while survivors are being rewrapped.
    keys: Vec<SealingKey>,
    /// Slot `i` of the files is entry `i`; entry 0 is the newest key-encryption key.
    slots: Vec<Slot>,
    by_name: BTreeMap<Label, usize>,
    /// Slots whose secret does not open, as the last rotation found them.
    altered: BTreeSet<usize>,
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyStore").field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}

impl KeyStore {
    /// Makes a key store with a fresh key-encryption key in the folder `dir`, which must be there. A making that
    /// was cut off is made again.
    ///
    /// # Errors
    /// [`KeyStoreError::Exists`] where there is one.
    pub fn create(dir: &Path, root: &Secret, fill: &dyn Fill) -> Result<Self, KeyStoreError> {
        let wrapping = SealingKey::new(0, root).ok_or(KeyStoreError::RootKeyLength)?;
        let mut bytes = zeroize::Zeroizing::new(vec![0; KEY_BYTES]);
        fill.fill(&mut bytes)?;
        let kek = Secret::new(std::mem::take(&mut *bytes));
        let place = Place { slot: 0, generation: 1, name: KEK };
        let live = cell::live(place, &kek, &wrapping, fill)?;
        Store::create(dir, &live, &cell::free(place))?;
        Self::open(dir, root)
    }

    /// Opens the store and finishes whatever a stop cut off.
    ///
    /// # Errors
    /// [`KeyStoreError::Missing`], [`KeyStoreError::WrongRootKey`]; [`KeyStoreError::Torn`] where the slot of the
    /// key-encryption key itself is damaged. Other damaged slots refuse only what touches them; see
    /// [`Self::damaged`].
    pub fn open(dir: &Path, root: &Secret) -> Result<Self, KeyStoreError> {
        let wrapping = SealingKey::new(0, root).ok_or(KeyStoreError::RootKeyLength)?;
        let store = Store::open(dir)?;
        let (keys, slots, by_name) = (Vec::new(), Vec::new(), BTreeMap::new());
        let altered = BTreeSet::new();
        let mut this = Self { store, wrapping, keys, slots, by_name, altered };
        let kek_settled = this.read_keys()?;
        let unsettled = this.read_slots()?;
        for index in unsettled {
            this.settle(index)?;
        }
        if !kek_settled {
            // Where it is held, both key-encryption keys stay, so that everything else can be used and destroyed.
            let _ = this.finish_rotation()?;
        }
        Ok(this)
    }

    /// What the slot `name` is.
    ///
    /// # Errors
    /// [`KeyStoreError::Torn`].
    pub fn state(&self, name: &str) -> Result<SlotState, KeyStoreError> {
        Ok(match self.find(name)? {
            None => SlotState::Absent,
            Some((_, Slot { kind: Kind::Destroyed { order }, .. })) => {
                SlotState::Destroyed { order: order.text() }
            }
            Some(_) => SlotState::Live,
        })
    }

    /// The secret of the slot, or `None` where it is absent or destroyed.
    ///
    /// # Errors
    /// [`KeyStoreError::Torn`], [`KeyStoreError::Altered`].
    pub fn get(&self, name: &str) -> Result<Option<Secret>, KeyStoreError> {
        match self.find(name)? {
            Some((index, Slot { kind: Kind::Live { key_generation }, side, .. })) => {
                self.unseal(index, *side, *key_generation, name).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Makes the slot hold `secret`; durable on return. The same secret again is done; another one replaces it.
    ///
    /// # Errors
    /// [`KeyStoreError::Destroyed`], [`KeyStoreError::Torn`], [`KeyStoreError::Full`], and the other write errors:
    /// after any of them the slot holds the old secret or the new one, whole.
    pub fn put(&mut self, name: &str, secret: &Secret) -> Result<(), KeyStoreError> {
        self.check(name)?;
        let len = secret.expose().len();
        if !(1..=SECRET_BYTES_MAX).contains(&len) {
            return Err(KeyStoreError::Length { name: name.to_owned(), len });
        }
        match self.find(name)? {
            None => self.add(name, secret),
            Some((_, Slot { kind: Kind::Destroyed { order }, .. })) => {
                Err(KeyStoreError::Destroyed { name: name.to_owned(), order: order.text() })
            }
            Some((index, _)) => {
                let held = self.get(name)?;
                let same = held.is_some_and(|held| {
                    verify_slices_are_equal(held.expose(), secret.expose()).is_ok()
                });
                if same { Ok(()) } else { self.replace(index, secret) }
            }
        }
    }

    /// Puts `len` random bytes unless the slot is live already.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn ensure_random(&mut self, name: &str, len: usize) -> Result<(), KeyStoreError> {
        match self.state(name)? {
            SlotState::Live => Ok(()),
            SlotState::Absent | SlotState::Destroyed { .. } => {
                let secret = entropy::random_secret(len)?;
                self.put(name, &secret)
            }
        }
    }

    /// Destroys the slot under an order: a tombstone first, then the sealed secret is overwritten. May be repeated.
    /// A damaged slot whose name is known is destroyed as well.
    ///
    /// # Errors
    /// As [`Self::put`]; after a write error the slot is live or destroyed, and a repeat finds out which.
    pub fn destroy(&mut self, name: &str, order: &str) -> Result<Destruction, KeyStoreError> {
        self.check(name)?;
        if !cell::is_name(order) {
            return Err(KeyStoreError::BadName);
        }
        let Some(index) = self.by_name.get(&Label::of(name)).copied() else {
            return self.find(name).map(|_| Destruction::Absent);
        };
        let slot = &self.slots[index];
        let over = match &slot.kind {
            Kind::Destroyed { order } => return Ok(Destruction::Already { order: order.text() }),
            Kind::Live { .. } => slot.side.other(),
            Kind::Damaged => slot.side,
        };
        let place = Place { slot: index as u64, generation: slot.generation + 1, name };
        self.store.write(over, index, &cell::tombstone(place, order), "key slot")?;
        // A stop here leaves the tombstone beside the sealed secret: the tombstone counts, opening wipes the rest.
        let slot = &mut self.slots[index];
        slot.kind = Kind::Destroyed { order: Label::of(order) };
        (slot.side, slot.generation) = (over, slot.generation + 1);
        self.settle(index)?;
        Ok(Destruction::Done)
    }

    /// The names of all slots that are live, destroyed or damaged, in order; not slot 0.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let names: BTreeSet<String> = self.by_name.keys().map(Label::text).collect();
        names.into_iter()
    }

    /// Damaged slots: their names, or `None` for one that lost even that. While there is a nameless one, nothing new
    /// is put, because the name could be the lost one.
    pub fn damaged(&self) -> impl Iterator<Item = Option<String>> {
        let damaged = self.slots.iter().filter(|slot| matches!(slot.kind, Kind::Damaged));
        damaged.map(|slot| slot.name.as_ref().map(Label::text))
    }

    /// How many slots are live, destroyed and damaged; slot 0 is not counted. A secret that does not open is damaged.
    #[must_use]
    pub fn counts(&self) -> (u64, u64, u64) {
        let slots = self.slots.iter().enumerate().skip(1);
        slots.fold((0, 0, 0), |(live, destroyed, damaged), (index, slot)| match slot.kind {
            Kind::Live { .. } if self.altered.contains(&index) => (live, destroyed, damaged + 1),
            Kind::Live { .. } => (live + 1, destroyed, damaged),
            Kind::Destroyed { .. } => (live, destroyed + 1, damaged),
            Kind::Damaged => (live, destroyed, damaged + 1),
        })
    }

    /// Reads slot 0; false where its old cell is not wiped yet.
    fn read_keys(&mut self) -> Result<bool, KeyStoreError> {
        let cells = [self.store.read(Side::A, 0)?, self.store.read(Side::B, 0)?];
        let read = |at: usize| cell::read(&cells[at], 0);
        let verdict = self.store.judge(read(0), read(1))?;
        let Verdict::Stands { side, header, settled } = verdict else {
            return Err(KeyStoreError::Torn { name: KEK.to_owned() });
        };
        if header.name != KEK || !matches!(header.body, Body::Live { key_generation: 0 }) {
            return Err(KeyStoreError::Torn { name: KEK.to_owned() });
        }
        let at = |side| if side == Side::A { 0 } else { 1 };
        for (side, found) in [(side.other(), read(at(side.other()))), (side, read(at(side)))] {
            let cell::Cell::Written(cell::Header { generation, body: Body::Live { .. }, .. }) =
                found
            else {
                continue;
            };
            let kek = cell::unseal(&cells[at(side)], &self.wrapping)
                .ok_or(KeyStoreError::WrongRootKey)?;
            self.keys.extend(SealingKey::new(generation, &kek));
        }
        self.slots.push(Slot {
            name: Some(Label::of(&header.name)),
            kind: Kind::Live { key_generation: 0 },
            side,
            generation: header.generation,
        });
        Ok(settled)
    }

    /// Reads all other slots; gives those whose other cell is to be wiped.
    fn read_slots(&mut self) -> Result<Vec<usize>, KeyStoreError> {
        let mut unsettled = Vec::new();
        // Slots that nothing was put into. They are the end of the files, or a loss.
        let mut unused = 0_usize;
        let mut slots = Vec::new();
        self.store.for_each(|index, a, b| {
            let slot = match pair::judge(a, b) {
                Verdict::Unused | Verdict::Unborn => {
                    unused += 1;
                    return;
                }
                Verdict::Stands { side, header, settled } => {
                    if !settled {
                        unsettled.push(index);
                    }
                    Slot::standing(side, header)
                }
                Verdict::Damaged { name, generation, over } => {
                    let name = name.as_deref().map(Label::of);
                    Slot { name, kind: Kind::Damaged, side: over, generation }
                }
            };
            for _ in 0..std::mem::take(&mut unused) {
                slots.push(Slot::lost());
            }
            slots.push(slot);
        })?;
        for slot in slots {
            self.learn(slot);
        }
        unsettled.retain(|index| !matches!(self.slots[*index].kind, Kind::Damaged));
        Ok(unsettled)
    }

    /// Takes up a slot that was read. Two slots of one name, or one that names slot 0, are damage.
    fn learn(&mut self, mut slot: Slot) {
        let index = self.slots.len();
        match &slot.name {
            Some(name) if *name == Label::of(KEK) => slot = Slot::lost(),
            Some(name) => {
                if let Some(first) = self.by_name.insert(name.clone(), index) {
                    self.slots[first].kind = Kind::Damaged;
                    slot.kind = Kind::Damaged;
                }
            }
            None => {}
        }
        self.slots.push(slot);
    }

    fn check(&self, name: &str) -> Result<(), KeyStoreError> {
        self.store.check()?;
        if cell::is_name(name) && name != KEK { Ok(()) } else { Err(KeyStoreError::BadName) }
    }

    /// The slot of this name, if it is not damaged.
    fn find(&self, name: &str) -> Result<Option<(usize, &Slot)>, KeyStoreError> {
        let torn = || KeyStoreError::Torn { name: name.to_owned() };
        match self.by_name.get(&Label::of(name)) {
            Some(&index) => match &self.slots[index] {
                Slot { kind: Kind::Damaged, .. } => Err(torn()),
                slot => Ok(Some((index, slot))),
            },
            None if self.damaged().any(|name| name.is_none()) => Err(torn()),
            None => Ok(None),
        }
    }

    fn unseal(
        &self,
        index: usize,
        side: Side,
        key_generation: u64,
        name: &str,
    ) -> Result<Secret, KeyStoreError> {
        let bytes = self.store.read(side, index)?;
        let altered = || KeyStoreError::Altered { name: name.to_owned() };
        let cell::Cell::Written(header) = cell::read(&bytes, index as u64) else {
            return Err(KeyStoreError::Torn { name: name.to_owned() });
        };
        if header.name != name || header.body != (Body::Live { key_generation }) {
            return Err(altered());
        }
        let key = self.keys.iter().find(|key| key.generation == key_generation);
        key.and_then(|key| cell::unseal(&bytes, key)).ok_or_else(altered)
    }

    fn add(&mut self, name: &str, secret: &Secret) -> Result<(), KeyStoreError> {
        let index = self.slots.len();
        let place = Place { slot: index as u64, generation: 1, name };
        let key = self.newest()?;
        let bytes = cell::live(place, secret, key, &Kernel)?;
        let kind = Kind::Live { key_generation: key.generation };
        self.store.make_room(index)?;
        self.store.write(Side::A, index, &bytes, "key slot")?;
        self.slots.push(Slot { name: Some(Label::of(name)), kind, side: Side::A, generation: 1 });
        self.by_name.insert(Label::of(name), index);
        // Until the other cell says so, a damaged first cell could pass for one that was cut off.
        self.settle(index)
    }

    fn replace(&mut self, index: usize, secret: &Secret) -> Result<(), KeyStoreError> {
        let slot = &self.slots[index];
        let (over, generation) = (slot.side.other(), slot.generation + 1);
        let name = slot.name.as_ref().map(Label::text).unwrap_or_default();
        let key = self.newest()?;
        let place = Place { slot: index as u64, generation, name: &name };
        let bytes = cell::live(place, secret, key, &Kernel)?;
        let kind = Kind::Live { key_generation: key.generation };
        self.store.write(over, index, &bytes, "key slot")?;
        let slot = &mut self.slots[index];
        (slot.side, slot.generation, slot.kind) = (over, generation, kind);
        self.settle(index)
    }

    /// Wipes the cell that does not count; what it says then is that the other one is durable.
    fn settle(&mut self, index: usize) -> Result<(), KeyStoreError> {
        let slot = &self.slots[index];
        let name = slot.name.as_ref().map(Label::text).unwrap_or_default();
        let place = Place { slot: index as u64, generation: slot.generation, name: &name };
        self.store.write(slot.side.other(), index, &cell::free(place), "key slot wiped")
    }

    fn newest(&self) -> Result<&SealingKey, KeyStoreError> {
        self.keys.last().ok_or(KeyStoreError::Cipher)
    }
}

impl Slot {
    fn standing(side: Side, header: cell::Header) -> Self {
        let kind = match header.body {
            Body::Live { key_generation } => Kind::Live { key_generation },
            Body::Tombstone { order } => Kind::Destroyed { order: Label::of(&order) },
            Body::Free => Kind::Damaged, // a free cell never counts
        };
        Self { name: Some(Label::of(&header.name)), kind, side, generation: header.generation }
    }

    const fn lost() -> Self {
        Self { name: None, kind: Kind::Damaged, side: Side::A, generation: 0 }
    }
}
