//! Rows that are over, kept small: the JSON of a page, deflated.
//!
//! Rows of neighbours repeat each other, so that a page of them takes little more than its digests. JSON, because its
//! form of every row's parts is pinned by the register's own entries; deflate, because documents are written with it
//! anyway and this needs no library of its own.

use std::{fmt, io::Read};

use flate2::{Compress, Compression, FlushCompress, Status, read::DeflateDecoder};
use serde::{Serialize, de::DeserializeOwned};

use super::table::PAGE;
use crate::domain::ids::Id;

/// A page of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// A bit for each id of the page that has a row.
    pub(super) present: u32,
    /// Their rows.
    pub(super) bytes: Box<[u8]>,
}

/// Packs pages one after the other, with memory of its own: what is made anew for each would lie between the pages.
pub(super) struct Packer {
    deflate: Compress,
    json: Vec<u8>,
    again: Vec<u8>,
    packed: Vec<u8>,
}

impl Clone for Packer {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer")
    }
}

impl Default for Packer {
    fn default() -> Self {
        let deflate = Compress::new(Compression::new(6), false);
        Self { deflate, json: Vec::new(), again: Vec::new(), packed: Vec::new() }
    }
}

impl Packer {
    /// Packs the rows of one page; nothing where they would not come back as they are.
    pub(super) fn pack<K, V: Serialize + DeserializeOwned>(
        &mut self,
        rows: &[(Id<K>, V)],
    ) -> Option<Packed> {
        let mut present = 0_u32;
        for (id, _) in rows {
            present |= 1 << (id.number() % PAGE);
        }
        written(&mut self.json, rows.iter().map(|(_, row)| row))?;
        let again: Vec<V> = serde_json::from_slice(&self.json).ok()?;
        written(&mut self.again, again.iter())?;
        if self.again != self.json {
            return None;
        }
        self.deflate.reset();
        self.packed.clear();
        // Deflate never adds more than this to what it cannot shorten (RFC 1951, 3.2.4).
        self.packed.reserve(self.json.len() + self.json.len() / 1000 + 64);
        let done = self.deflate.compress_vec(&self.json, &mut self.packed, FlushCompress::Finish);
        if !matches!(done, Ok(Status::StreamEnd)) {
            return None;
        }
        Some(Packed { present, bytes: self.packed.as_slice().into() })
    }
}

fn written<'a, V: Serialize + 'a>(
    json: &mut Vec<u8>,
    rows: impl Iterator<Item = &'a V>,
) -> Option<()> {
    json.clear();
    serde_json::to_writer(json, &rows.collect::<Vec<_>>()).ok()
}

/// The rows of a page; nothing where its bytes are not what [`Packer::pack`] made.
pub(super) fn unpack<V: DeserializeOwned>(packed: &Packed) -> Option<Vec<V>> {
    let mut json = Vec::new();
    DeflateDecoder::new(&*packed.bytes).read_to_end(&mut json).ok()?;
    let rows: Vec<V> = serde_json::from_slice(&json).ok()?;
    (rows.len() == packed.len()).then_some(rows)
}

impl Packed {
    /// How many rows there are.
    pub(super) const fn len(&self) -> usize {
        self.present.count_ones() as usize
    }

    /// Where the row of an id of this page stands among the rows.
    pub(super) const fn place(&self, id: u64) -> Option<usize> {
        let bit = 1_u32 << (id % PAGE);
        if self.present & bit == 0 {
            return None;
        }
        Some((self.present & (bit - 1)).count_ones() as usize)
    }

    /// The ids that have a row, in order.
    pub(super) fn ids<K>(&self, page: u64) -> impl DoubleEndedIterator<Item = Id<K>> + use<K> {
        let present = self.present;
        let has = move |at: &u64| present & (1 << at) != 0;
        (0..PAGE).filter(has).map(move |at| Id::new(page * PAGE + at))
    }

    /// The rows.
    #[allow(
        clippy::panic,
        reason = "these bytes were read back when they were made, and a cache of them is used only when its code \
                  is right: if they do not come back now, memory has failed, and nothing may go on without its rows"
    )]
    pub(super) fn rows<V: DeserializeOwned>(&self) -> Vec<V> {
        match unpack(self) {
            Some(rows) => rows,
            None => panic!("rows of the fold that were packed cannot be read back"),
        }
    }
}
