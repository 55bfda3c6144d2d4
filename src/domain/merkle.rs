//! The Merkle tree of the logs: RFC 6962 hashing, proofs, and the tiles of C2SP tlog-tiles.
//!
//! A tree of `n` entries is held by the hashes of its complete subtrees: the node `(level, index)` covers the
//! entries `index << level .. (index + 1) << level`. Everything here works on those and on nothing else. A leaf and
//! a node never hash alike (0x00 and 0x01 come first), so that no entry passes for a subtree. Proofs are checked by
//! RFC 9162's algorithms, which share nothing with their making. Nothing is read or written here.

use super::digest::{Digest, Hasher};

/// A hash of the tree.
pub type Hash = Digest;

/// Hashes in a full tile: the tile height is 8 (C2SP tlog-tiles).
pub const TILE_WIDTH: u64 = 256;

/// SHA-256(0x00 || entry) (RFC 6962, section 2.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut hasher = Hasher::new();
    hasher.update(&[0]);
    hasher.update(entry);
    hasher.finish()
}

/// SHA-256(0x01 || left || right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Hasher::new();
    hasher.update(&[1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    hasher.finish()
}

/// The root of the empty tree: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Digest::of(&[])
}

/// Where hashes of complete subtrees come from.
pub trait HashReader {
    /// Why one cannot be had.
    type Error;
    /// The node `(level, index)`.
    ///
    /// # Errors
    /// It cannot be read.
    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// The right edge of a tree that grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees that the size is made of, largest first, with their levels.
    peaks: Vec<(u8, Hash)>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of the tree of `size` whose nodes `reader` has.
    ///
    /// # Errors
    /// A node cannot be read.
    pub fn read<R: HashReader>(size: u64, reader: &R) -> Result<Self, R::Error> {
        let mut peaks = Vec::new();
        for (level, index) in peaks_of(0, size) {
            peaks.push((level, reader.node(level, index)?));
        }
        Ok(Self { size, peaks })
    }

    /// Adds a leaf; returns the nodes that became complete, as `(level, index, hash)`, the leaf itself first.
    pub fn append(&mut self, leaf: Hash) -> Vec<(u8, u64, Hash)> {
        self.graft(0, leaf)
    }

    /// Adds a complete subtree of 2^`level` leaves by its root; returns the nodes that became complete, itself first. The
    /// size is a multiple of 2^`level`: what is added elsewhere makes another tree.
    pub fn graft(&mut self, level: u8, root: Hash) -> Vec<(u8, u64, Hash)> {
        debug_assert!(self.size.trailing_zeros() >= u32::from(level), "a subtree has its place");
        let mut complete = vec![(level, self.size >> level, root)];
        let (mut level, mut hash, width) = (level, root, 1 << level);
        while let Some((_, left)) = self.peaks.pop_if(|(peak, _)| *peak == level) {
            hash = node_hash(&left, &hash);
            level += 1;
            complete.push((level, self.size >> level, hash));
        }
        self.peaks.push((level, hash));
        self.size += width;
        complete
    }

    /// Entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut hashes = self.peaks.iter().rev().map(|(_, hash)| *hash);
        let Some(last) = hashes.next() else { return empty_root() };
        hashes.fold(last, |right, left| node_hash(&left, &right))
    }
}

/// The complete subtrees that the entries `from..to` are made of, largest first where `from` is aligned.
fn peaks_of(mut from: u64, to: u64) -> Vec<(u8, u64)> {
    let mut peaks = Vec::new();
    while from < to {
        let room = (to - from).ilog2();
        let align = if from == 0 { 63 } else { from.trailing_zeros() };
        let level = room.min(align);
        // A tree has fewer than 2^63 entries, so a level fits a byte.
        peaks.push((u8::try_from(level).unwrap_or(u8::MAX), from >> level));
        from += 1 << level;
    }
    peaks
}

/// Root of the entries `from..to` (RFC 6962's MTH).
fn range_root<R: HashReader>(from: u64, to: u64, reader: &R) -> Result<Hash, R::Error> {
    let mut hashes = Vec::new();
    for (level, index) in peaks_of(from, to) {
        hashes.push(reader.node(level, index)?);
    }
    let mut hashes = hashes.into_iter().rev();
    let Some(last) = hashes.next() else { return Ok(empty_root()) };
    Ok(hashes.fold(last, |right, left| node_hash(&left, &right)))
}

/// Root of the tree of `size`.
///
/// # Errors
/// A node cannot be read.
pub fn root_at<R: HashReader>(size: u64, reader: &R) -> Result<Hash, R::Error> {
    range_root(0, size, reader)
}

/// The largest power of two below `size` (RFC 6962).
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// `PATH(index, D[size])` of RFC 6962, section 2.1.1. Nothing where `index` is not in the tree.
///
/// # Errors
/// A node cannot be read.
pub fn inclusion_proof<R: HashReader>(
    index: u64,
    size: u64,
    reader: &R,
) -> Result<Vec<Hash>, R::Error> {
    let mut proof = Vec::new();
    let (mut from, mut to) = (0, size);
    while index < size && to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            proof.push(range_root(middle, to, reader)?);
            to = middle;
        } else {
            proof.push(range_root(from, middle, reader)?);
            from = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Whether `proof` shows that `leaf` is entry `index` of the tree of `size` with this root (RFC 9162, 2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// `PROOF(old, D[size])` of RFC 6962, section 2.1.2.
///
/// # Errors
/// A node cannot be read.
pub fn consistency_proof<R: HashReader>(
    old: u64,
    size: u64,
    reader: &R,
) -> Result<Vec<Hash>, R::Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= size {
        return Ok(proof);
    }
    let (mut from, mut to) = (0, size);
    let mut whole = true;
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            proof.push(range_root(middle, to, reader)?);
            to = middle;
        } else {
            proof.push(range_root(from, middle, reader)?);
            from = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(range_root(from, to, reader)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether `proof` shows that the tree of `size` begins with the tree of `old` (RFC 9162, 2.1.4.2).
#[must_use]
pub fn verify_consistency(old: u64, old_root: Hash, size: u64, root: Hash, proof: &[Hash]) -> bool {
    if old == size {
        return proof.is_empty() && old_root == root;
    }
    if old > size {
        return false;
    }
    if old == 0 {
        return proof.is_empty() && old_root == empty_root();
    }
    let mut path = proof.iter();
    let first = if old.is_power_of_two() { Some(&old_root) } else { path.next() };
    let Some(first) = first else { return false };
    let (mut node, mut last) = (old - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut from, mut to) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            from = node_hash(sibling, &from);
            to = node_hash(sibling, &to);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            to = node_hash(&to, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && from == old_root && to == root
}

/// The path of a tile's number: groups of three digits, all but the last with an `x` (C2SP tlog-tiles).
#[must_use]
pub fn tile_number(mut index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    while index >= 1000 {
        index /= 1000;
        path = format!("x{:03}/{path}", index % 1000);
    }
    path
}

/// The path of a hash tile, below the log's folder; `width` is 256 for a full one.
#[must_use]
pub fn tile_path(level: u8, index: u64, width: u64) -> String {
    partial(format!("tile/{level}/{}", tile_number(index)), width)
}

/// The path of a bundle of entries.
#[must_use]
pub fn bundle_path(index: u64, width: u64) -> String {
    partial(format!("tile/entries/{}", tile_number(index)), width)
}

fn partial(path: String, width: u64) -> String {
    if width == TILE_WIDTH { path } else { format!("{path}.p/{width}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::{cell::RefCell, collections::BTreeMap, convert::Infallible};

    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Nodes(RefCell<BTreeMap<(u8, u64), Hash>>);

    impl HashReader for Nodes {
        type Error = Infallible;
        fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
            Ok(self.0.borrow()[&(level, index)])
        }
    }

    fn leaves(size: u64) -> Vec<Hash> {
        (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    fn tree(size: u64) -> (Frontier, Nodes) {
        let (mut frontier, nodes) = (Frontier::new(), Nodes::default());
        for leaf in leaves(size) {
            for (level, index, hash) in frontier.append(leaf) {
                nodes.0.borrow_mut().insert((level, index), hash);
            }
        }
        (frontier, nodes)
    }

    /// RFC 6962's definition, word for word.
    fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) =
                    leaves.split_at(usize::try_from(split(leaves.len() as u64)).unwrap());
                node_hash(&naive(left), &naive(right))
            }
        }
    }

    /// PATH of RFC 6962, 2.1.1, word for word.
    fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let k = usize::try_from(split(leaves.len() as u64)).unwrap();
        let (left, right) = leaves.split_at(k);
        let (mut path, other) =
            if m < k { (naive_path(m, left), right) } else { (naive_path(m - k, right), left) };
        path.push(naive(other));
        path
    }

    /// SUBPROOF of RFC 6962, 2.1.2, word for word.
    fn naive_subproof(m: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
        if m == leaves.len() {
            return if known { Vec::new() } else { vec![naive(leaves)] };
        }
        let k = usize::try_from(split(leaves.len() as u64)).unwrap();
        let (left, right) = leaves.split_at(k);
        let (mut path, other) = if m <= k {
            (naive_subproof(m, left, known), right)
        } else {
            (naive_subproof(m - k, right, false), left)
        };
        path.push(naive(other));
        path
    }

    /// The eight entries and the roots after each of them that the implementations of certificate transparency test
    /// themselves with.
    #[test]
    fn the_vectors_of_the_certificate_transparency_reference() {
        let entries: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut edge = Frontier::new();
        assert_eq!(
            edge.root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for (entry, root) in entries.iter().zip(roots) {
            edge.append(leaf_hash(entry));
            assert_eq!(edge.root().to_string(), root);
        }
    }

    #[test]
    fn every_proof_of_small_trees_is_the_one_of_the_text() {
        for size in 1..=40 {
            let (frontier, nodes) = tree(size);
            let leaves = leaves(size);
            for index in 0..size {
                let at = usize::try_from(index).unwrap();
                let proof = inclusion_proof(index, size, &nodes).unwrap();
                assert_eq!(proof, naive_path(at, &leaves));
                assert!(verify_inclusion(leaves[at], index, size, &proof, frontier.root()));
                let proof = consistency_proof(index + 1, size, &nodes).unwrap();
                assert_eq!(proof, naive_subproof(at + 1, &leaves, true));
                let old = naive(&leaves[..=at]);
                assert!(verify_consistency(index + 1, old, size, frontier.root(), &proof));
            }
        }
    }

    #[test]
    fn tile_paths_have_groups_of_three_digits() {
        assert_eq!(tile_path(0, 0, 256), "tile/0/000");
        assert_eq!(tile_path(1, 1_234_067, 3), "tile/1/x001/x234/067.p/3");
        assert_eq!(bundle_path(999, 256), "tile/entries/999");
        assert_eq!(bundle_path(1000, 12), "tile/entries/x001/000.p/12");
    }

    proptest! {
        #[test]
        fn every_proof_verifies_and_no_other_does(size in 1_u64..600, a in any::<u64>(), b in any::<u64>(), flip in any::<usize>()) {
            let (frontier, nodes) = tree(size);
            let leaves = leaves(size);
            prop_assert_eq!(frontier.root(), naive(&leaves));
            prop_assert_eq!(Frontier::read(size, &nodes).unwrap(), frontier.clone());
            let index = a % size;
            let leaf = leaves[usize::try_from(index).unwrap()];
            let mut proof = inclusion_proof(index, size, &nodes).unwrap();
            prop_assert!(verify_inclusion(leaf, index, size, &proof, frontier.root()));
            prop_assert!(!verify_inclusion(leaf_hash(b"other"), index, size, &proof, frontier.root()));
            prop_assert!(!verify_inclusion(leaf, (index + 1) % size, size, &proof, frontier.root()) || size == 1);
            let old = b % (size + 1);
            let old_root = naive(&leaves[..usize::try_from(old).unwrap()]);
            let consistency = consistency_proof(old, size, &nodes).unwrap();
            prop_assert!(verify_consistency(old, old_root, size, frontier.root(), &consistency));
            prop_assert!(!verify_consistency(old, leaf_hash(b"other"), size, frontier.root(), &consistency));
            for (proof, inclusion) in [(&proof, true), (&consistency, false)] {
                let holds = |path: &[Hash]| if inclusion {
                    verify_inclusion(leaf, index, size, path, frontier.root())
                } else {
                    verify_consistency(old, old_root, size, frontier.root(), path)
                };
                let longer: Vec<_> = proof.iter().copied().chain([leaf]).collect();
                prop_assert!(!holds(&longer));
                prop_assert!(proof.is_empty() || !holds(&proof[1..]));
                prop_assert!(proof.is_empty() || !holds(&proof[..proof.len() - 1]));
            }
            if !proof.is_empty() {
                let at = flip % proof.len();
                proof[at] = leaf_hash(b"other");
                prop_assert!(!verify_inclusion(leaf, index, size, &proof, frontier.root()));
            }
        }
    }
}
