//! The keys of a vault: put in order in memory while it is built, written as packed blocks, found again in them.
//!
//! SQLite would build an index by sorting through temporary files, in plain, or through a list in memory that costs
//! several times what the rows themselves do. Here the keys are sorted many at a time while the rows are written,
//! kept packed, and merged at the end; what is kept is overwritten when dropped. Where a vault has more keys than
//! memory is given to, it gets several parts, each in order in itself.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, binary_heap::PeekMut},
};

use zeroize::Zeroizing;

use crate::domain::limits::SORT_BYTES_MAX;

/// Keys that are sorted at once.
const SORTED_AT_ONCE: usize = if cfg!(test) { 1 << 9 } else { 1 << 17 };
/// Bytes of keys that are sorted at once; a longer key is sorted alone.
const TEXT_AT_ONCE: usize = 1 << 21;
/// Bytes of a block: several fit a page, and few keys are looked at in vain.
const BLOCK_BYTES: usize = 4 << 10;
/// Bytes of packed keys of which a part is made. Tests make many small ones.
const PART_BYTES: usize = if cfg!(test) { 1 << 15 } else { SORT_BYTES_MAX };
/// Bytes that a length or a number takes at most (LEB128).
const VARINT_BYTES_MAX: usize = 10;

/// Keys in order, with the numbers of their records.
pub(super) struct Block {
    pub(super) first: Zeroizing<String>,
    pub(super) last: Zeroizing<String>,
    /// For each key its length, its bytes, the number of its record.
    pub(super) packed: Zeroizing<Vec<u8>>,
    pub(super) count: u64,
}

impl Block {
    fn new(first: &str) -> Self {
        Self {
            first: Zeroizing::new(first.to_owned()),
            last: Zeroizing::default(),
            packed: Zeroizing::new(Vec::with_capacity(BLOCK_BYTES.max(first.len()) + 32)),
            count: 0,
        }
    }
}

/// Calls `each` with the number of every record of a packed block that has this key.
pub(super) fn find(packed: &[u8], value: &str, each: &mut dyn FnMut(u64)) {
    let mut rest = packed;
    while let Some((key, number, tail)) = unpack(rest) {
        match key.cmp(value.as_bytes()) {
            Ordering::Less => {}
            Ordering::Equal => each(number),
            Ordering::Greater => return,
        }
        rest = tail;
    }
}

/// The same for many values, in order: `each` gets the place of the value too.
pub(super) fn find_all(packed: &[u8], values: &[&str], each: &mut dyn FnMut(usize, u64)) {
    let (mut rest, mut at) = (packed, 0);
    while let Some((key, number, tail)) = unpack(rest) {
        while values.get(at).is_some_and(|value| value.as_bytes() < key) {
            at += 1;
        }
        let Some(value) = values.get(at) else { return };
        if value.as_bytes() == key {
            each(at, number);
        }
        rest = tail;
    }
}

/// A key before it is sorted.
struct Entry {
    /// The first eight bytes, so that most comparisons need no more.
    prefix: u64,
    number: u64,
    at: usize,
    length: usize,
}

/// Keys on their way into order.
pub(super) struct Keys {
    text: Zeroizing<Vec<u8>>,
    entries: Vec<Entry>,
    /// Sorted, packed.
    runs: Vec<Zeroizing<Vec<u8>>>,
    packed: usize,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self { text: Zeroizing::new(Vec::new()), entries: Vec::new(), runs: Vec::new(), packed: 0 }
    }

    /// Adds the key of a record.
    pub(super) fn push(&mut self, value: &str, number: u64) {
        let bytes = value.as_bytes();
        if self.entries.len() == SORTED_AT_ONCE || self.text.len() + bytes.len() > TEXT_AT_ONCE {
            self.seal();
        }
        // The text never grows beyond what it has: a vector that moves leaves what it held behind.
        if self.text.capacity() < bytes.len().max(TEXT_AT_ONCE) {
            self.text = Zeroizing::new(Vec::with_capacity(bytes.len().max(TEXT_AT_ONCE)));
        }
        let at = self.text.len();
        self.text.extend_from_slice(bytes);
        self.entries.push(Entry { prefix: prefix(bytes), number, at, length: bytes.len() });
    }

    /// Whether memory has no room for more: what is here is to be taken out, in order.
    pub(super) const fn is_full(&self) -> bool {
        self.packed >= PART_BYTES
    }

    /// Takes all keys out, in blocks, in order.
    pub(super) fn drain<E>(
        &mut self,
        each: &mut dyn FnMut(Block) -> Result<(), E>,
    ) -> Result<(), E> {
        self.seal();
        self.packed = 0;
        merge(&std::mem::take(&mut self.runs), each)
    }

    /// Sorts what has come since the last time, and packs it.
    fn seal(&mut self) {
        if self.entries.is_empty() {
            return;
        }
        let text = &self.text;
        let of = |entry: &Entry| text.get(entry.at..entry.at + entry.length).unwrap_or_default();
        self.entries.sort_unstable_by(|one, other| {
            let same = one.prefix.cmp(&other.prefix);
            let same = if same == Ordering::Equal { of(one).cmp(of(other)) } else { same };
            same.then(one.number.cmp(&other.number))
        });
        let most = text.len() + self.entries.len() * 2 * VARINT_BYTES_MAX;
        let mut run = Zeroizing::new(Vec::with_capacity(most));
        for entry in &self.entries {
            pack(&mut run, of(entry), entry.number);
        }
        self.entries.clear();
        self.text.clear();
        // Only as much as it takes is kept; a copy, so that nothing is left where it was.
        let run = Zeroizing::new(run.to_vec());
        self.packed += run.len();
        self.runs.push(run);
    }
}

fn prefix(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    let count = bytes.len().min(8);
    first[..count].copy_from_slice(&bytes[..count]);
    u64::from_be_bytes(first)
}

fn pack(run: &mut Vec<u8>, key: &[u8], number: u64) {
    put_varint(run, key.len() as u64);
    run.extend_from_slice(key);
    put_varint(run, number);
}

/// The first key of a run with its number, and what follows it.
fn unpack(run: &[u8]) -> Option<(&[u8], u64, &[u8])> {
    let (length, rest) = varint(run)?;
    let (key, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let (number, rest) = varint(rest)?;
    Some((key, number, rest))
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut shift) = (0_u64, 0);
    for (n, byte) in bytes.iter().enumerate().take(VARINT_BYTES_MAX) {
        value |= u64::from(byte & 0x7F) << shift;
        if *byte < 0x80 {
            return Some((value, bytes.get(n + 1..)?));
        }
        shift += 7;
    }
    None
}

fn merge<E>(
    runs: &[Zeroizing<Vec<u8>>],
    each: &mut dyn FnMut(Block) -> Result<(), E>,
) -> Result<(), E> {
    let mut first: BinaryHeap<_> = runs.iter().filter_map(|run| unpack(run)).map(Reverse).collect();
    let mut block: Option<Block> = None;
    let mut last: &[u8] = &[];
    while let Some(mut top) = first.peek_mut() {
        let Reverse((key, number, rest)) = *top;
        if let Some(full) =
            block.take_if(|b| b.packed.len() + key.len() + 2 * VARINT_BYTES_MAX > BLOCK_BYTES)
        {
            each(closed(full, last))?;
        }
        let open = block.get_or_insert_with(|| Block::new(text(key)));
        pack(&mut open.packed, key, number);
        open.count += 1;
        last = key;
        match unpack(rest) {
            Some(next) => *top = Reverse(next),
            None => drop(PeekMut::pop(top)),
        }
    }
    block.map_or(Ok(()), |block| each(closed(block, last)))
}

fn closed(block: Block, last: &[u8]) -> Block {
    Block { last: Zeroizing::new(text(last).to_owned()), ..block }
}

/// It was text when it was packed.
fn text(key: &[u8]) -> &str {
    std::str::from_utf8(key).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    fn blocks(keys: &[String]) -> Vec<Block> {
        let mut sorter = Keys::new();
        for (number, key) in (1..).zip(keys) {
            sorter.push(key, number);
        }
        let mut all = Vec::new();
        sorter
            .drain(&mut |block| {
                all.push(block);
                Ok::<(), ()>(())
            })
            .unwrap();
        assert!(sorter.runs.is_empty() && !sorter.is_full(), "everything was taken");
        all
    }

    fn sorted(keys: &[String]) -> Vec<(String, u64)> {
        let mut all = Vec::new();
        for block in blocks(keys) {
            let before = all.len();
            let mut rest = block.packed.as_slice();
            while let Some((key, number, tail)) = unpack(rest) {
                all.push((text(key).to_owned(), number));
                rest = tail;
            }
            assert!(rest.is_empty());
            assert_eq!(block.count, (all.len() - before) as u64);
            assert_eq!((&all[before].0, &all.last().unwrap().0), (&*block.first, &*block.last));
        }
        all
    }

    fn expected(keys: &[String]) -> Vec<(String, u64)> {
        let mut all: Vec<_> = keys.iter().cloned().zip(1..).collect();
        all.sort();
        all
    }

    proptest! {
        #[test]
        fn keys_come_out_in_order_and_none_is_lost(keys in prop::collection::vec("[AB\u{0}陳]{0,12}", 0..200)) {
            prop_assert_eq!(sorted(&keys), expected(&keys));
        }

        #[test]
        fn what_was_packed_is_found_and_nothing_else(keys in prop::collection::vec("[AB]{0,3}", 0..100), key in "[AB]{0,3}") {
            let mut found = Vec::new();
            for block in blocks(&keys) {
                find(&block.packed, &key, &mut |number| found.push(number));
            }
            let same = (1..).zip(&keys).filter(|(_, k)| **k == key).map(|(n, _)| n);
            prop_assert_eq!(found, same.collect::<Vec<u64>>());
        }

        #[test]
        fn a_number_is_what_it_was_before_it_was_packed(number: u64) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number);
            bytes.push(7);
            prop_assert_eq!(varint(&bytes), Some((number, [7_u8].as_slice())));
        }
    }

    #[test]
    fn many_runs_are_merged_into_one_order() {
        let count = 2 * SORTED_AT_ONCE as u64 + 17;
        let spread = |n: u64| format!("A{:09}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 100_000);
        let keys: Vec<String> = (0..count).map(spread).collect();
        assert_eq!(sorted(&keys), expected(&keys));
    }

    #[test]
    fn a_key_longer_than_what_is_sorted_at_once_is_kept_whole() {
        let keys = ["B".to_owned(), "A".repeat(TEXT_AT_ONCE + 1), "A".repeat(TEXT_AT_ONCE)];
        assert_eq!(sorted(&keys), expected(&keys));
    }
}
