//! The tree of the entries that were read, as much of it as is asked for later: the root of every full tile, 32 bytes for
//! 256 entries, and the leaves of what comes after the last of them.
//!
//! A root of an earlier size needs the leaves of one tile besides. They are read again, and are taken for those that were
//! read before only where they make the same root.

use std::path::Path;

use super::files;
use crate::domain::{
    digest::Digest,
    merkle::{self, Frontier, TILE_WIDTH},
};

/// Level of the root of a full tile.
pub(super) const FULL: u8 = 8;

/// The nodes over the leaves of one tile, by level, the leaves first: those that are complete.
pub(super) fn rows(leaves: Vec<Digest>) -> Vec<Vec<Digest>> {
    let mut rows = vec![leaves];
    while let Some(below) = rows.last().filter(|row| row.len() > 1) {
        let row = below
            .chunks_exact(2)
            .filter_map(|pair| Some(merkle::node_hash(pair.first()?, pair.last()?)));
        let row = row.collect();
        rows.push(row);
    }
    rows
}

/// The leading entries of a folder.
pub(super) struct Tree<'a> {
    dir: &'a Path,
    /// Roots of full tiles.
    tiles: Vec<Digest>,
    /// Leaves after them.
    tail: Vec<Digest>,
    /// An entry is missing: what comes after it has no place.
    torn: bool,
}

impl<'a> Tree<'a> {
    pub(super) const fn of(dir: &'a Path) -> Self {
        Self { dir, tiles: Vec::new(), tail: Vec::new(), torn: false }
    }

    /// Adds the leaves of the next tile.
    pub(super) fn add(&mut self, rows: &[Vec<Digest>], leaves: &[Option<Digest>]) {
        if self.torn {
            return;
        }
        match rows.get(usize::from(FULL)).and_then(|row| row.first()) {
            Some(root) => self.tiles.push(*root),
            None => {
                self.tail = leaves.iter().map_while(|leaf| *leaf).collect();
                self.torn = true;
            }
        }
    }

    /// Roots of full tiles.
    pub(super) fn tiles(&self) -> &[Digest] {
        &self.tiles
    }

    /// Entries from the first on, without a gap.
    pub(super) fn size(&self) -> u64 {
        self.tiles.len() as u64 * TILE_WIDTH + self.tail.len() as u64
    }

    /// Roots of sizes that only grow.
    pub(super) fn roots(&self) -> Roots<'_> {
        Roots { tree: self, edge: Frontier::new() }
    }
}

/// Roots of a tree at sizes that only grow.
pub(super) struct Roots<'a> {
    tree: &'a Tree<'a>,
    edge: Frontier,
}

impl Roots<'_> {
    /// The root at `size`; nothing where an entry before it is missing.
    pub(super) fn at(&mut self, size: u64) -> Option<Digest> {
        self.edge(size).map(|edge| edge.root())
    }

    /// The edge at `size`.
    pub(super) fn edge(&mut self, size: u64) -> Option<Frontier> {
        if size < self.edge.size() || size > self.tree.size() {
            return None;
        }
        let tiles = usize::try_from(size / TILE_WIDTH).ok()?;
        let known = usize::try_from(self.edge.size() / TILE_WIDTH).ok()?;
        for root in self.tree.tiles.get(known..tiles)? {
            self.edge.graft(FULL, *root);
        }
        let mut edge = self.edge.clone();
        let more = usize::try_from(size % TILE_WIDTH).ok()?;
        if more > 0 {
            for leaf in self.leaves(tiles)?.get(..more)? {
                edge.append(*leaf);
            }
        }
        Some(edge)
    }

    fn leaves(&self, tile: usize) -> Option<Vec<Digest>> {
        let Some(root) = self.tree.tiles.get(tile) else { return Some(self.tree.tail.clone()) };
        let path = merkle::tile_path(0, tile as u64, TILE_WIDTH);
        let leaves = files::hashes(&self.tree.dir.join(path))?;
        let rows = rows(leaves.clone());
        (leaves.len() as u64 == TILE_WIDTH && rows.last()?.first()? == root).then_some(leaves)
    }
}
