//! Verification of the published files: each entry against its hash, each tile against what it is made of, all
//! against the signed root; and the tiles of earlier sizes against the present ones.
//!
//! Every file that the checkpoint stands on is read whole, once; a tile that is missing is taken from a wider one of
//! the same place, as the format allows. Files that the checkpoint does not speak of are not looked at.

use std::{
    fs::{self, File},
    io::Read,
    ops::Range,
    path::Path,
};

use super::{
    Report,
    form::{Form, Times},
    tree::{self, Tree},
};
use crate::domain::{
    checkpoint::Checkpoint,
    digest::Digest,
    limits,
    merkle::{self, TILE_WIDTH},
};

/// Bytes of a checkpoint or verifier key file: far above any real one.
const TEXT_BYTES_MAX: usize = 1 << 16;
/// Bytes of a full bundle of the longest entries.
const BUNDLE_BYTES_MAX: usize = 256 * (limits::ENTRY_BYTES_MAX + 2);

/// A small text file.
pub(super) fn text(path: &Path) -> Option<String> {
    String::from_utf8(read(path, TEXT_BYTES_MAX)?).ok()
}

/// A regular file of at most `max` bytes; never a link, a pipe or a device.
fn read(path: &Path, max: usize) -> Option<Vec<u8>> {
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(max as u64 + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= max).then_some(bytes)
}

/// A small file of any bytes.
pub(super) fn bytes(path: &Path, max: u64) -> Option<Vec<u8>> {
    read(path, usize::try_from(max).ok()?)
}

/// The hashes of a tile file; nothing for what is none.
pub(super) fn hashes(path: &Path) -> Option<Vec<Digest>> {
    let bytes = read(path, TILE_BYTES_MAX)?;
    (bytes.len() % 32 == 0).then(|| hashes_of(&bytes))
}

/// Entry `at` of a bundle file.
pub(super) fn entry(path: &Path, at: usize) -> Option<Vec<u8>> {
    let bytes = read(path, BUNDLE_BYTES_MAX)?;
    cut(&bytes).0.get(at).map(|entry| entry.to_vec())
}

/// Leaf hashes beyond the checkpoint, as far as tiles of level 0 hold them; at most `max`.
pub(super) fn beyond(dir: &Path, size: u64, max: usize) -> Vec<Digest> {
    let mut found = Vec::new();
    for index in size / TILE_WIDTH.. {
        let widths = (1..=TILE_WIDTH).rev();
        let tile = widths
            .filter_map(|width| read(&dir.join(merkle::tile_path(0, index, width)), TILE_BYTES_MAX))
            .next();
        let hashes = hashes_of(&tile.unwrap_or_default());
        let known = if index == size / TILE_WIDTH { size % TILE_WIDTH } else { 0 };
        found.extend(hashes.iter().skip(usize::try_from(known).unwrap_or(0)));
        if hashes.len() < 256 || found.len() >= max {
            break;
        }
    }
    found.truncate(max);
    found
}

/// A folder under its checkpoint.
pub(super) struct Folder<'a> {
    dir: &'a Path,
    /// Entries that the checkpoint says.
    pub(super) size: u64,
    form: Form,
}

/// What one bundle and its tile of level 0 hold.
#[derive(Default)]
pub(super) struct Piece {
    bundle: Vec<u8>,
    /// Where each entry stands in the bundle.
    places: Vec<Range<usize>>,
    /// Leaves of the entries; nothing for one that is missing.
    pub(super) leaves: Vec<Option<Digest>>,
    pub(super) times: Times,
}

impl Piece {
    /// The `n`th entry and its leaf.
    pub(super) fn entry(&self, n: u64) -> Option<(&[u8], Digest)> {
        let n = usize::try_from(n).ok()?;
        let entry = self.bundle.get(self.places.get(n)?.clone())?;
        Some((entry, self.leaves.get(n).copied()??))
    }
}

impl<'a> Folder<'a> {
    pub(super) fn of(dir: &'a Path, checkpoint: &Checkpoint) -> Self {
        Self { dir, size: checkpoint.size, form: Form::of(&checkpoint.origin) }
    }

    /// Reads and judges one bundle and its tile of level 0. Nothing where nothing of them is there.
    pub(super) fn piece(&self, index: u64, report: &mut Report) -> Option<Piece> {
        let first = index * TILE_WIDTH;
        let width = TILE_WIDTH.min(self.size - first);
        let bundle = self.find(|width| merkle::bundle_path(index, width), width, BUNDLE_BYTES_MAX);
        let tile = self.find(|width| merkle::tile_path(0, index, width), width, TILE_BYTES_MAX);
        if bundle.is_none() && tile.is_none() {
            report.bad(first, format!("the entries from {first} on are missing"));
            return None;
        }
        let (bundle, tile) = (bundle.unwrap_or_default(), tile.unwrap_or_default());
        let mut piece = Piece::default();
        let (entries, torn) = cut(&bundle.bytes);
        for n in 0..width {
            let seq = first + n;
            let entry = usize::try_from(n).ok().and_then(|n| entries.get(n));
            let leaf = entry.map(|entry| merkle::leaf_hash(entry));
            match (leaf, hash_at(&tile.bytes, n)) {
                (Some(leaf), Some(hashed)) if leaf == hashed => {}
                (None, _) => report.bad(seq, format!("entry {seq} is missing from its bundle")),
                (_, None) => {
                    report.bad(seq, format!("the hash of entry {seq} is missing from its tile"));
                }
                _ => report.bad(seq, format!("entry {seq} is not the one that was hashed")),
            }
            if let Some(entry) = entry {
                self.form.check(seq, entry, &mut piece.times, report);
            }
            piece.leaves.push(leaf);
        }
        let after = first + width;
        if bundle.width == width && entries.len() as u64 > width {
            report
                .bad(after, format!("bundle {index} holds more entries than the checkpoint says"));
        } else if torn && entries.len() as u64 >= width {
            report.problem(format!("bundle {index} does not end with an entry"));
        }
        if tile.bytes.len() as u64 > tile.width * 32 {
            report.problem(format!("tile 0/{index} is longer than its hashes"));
        }
        self.earlier(index, &piece.leaves, report);
        let mut at = 0;
        for entry in entries {
            piece.places.push(at + 2..at + 2 + entry.len());
            at += 2 + entry.len();
        }
        piece.bundle = bundle.bytes;
        Some(piece)
    }

    /// The narrower files of the same place, kept for earlier checkpoints: each is the beginning of the present one.
    fn earlier(&self, index: u64, leaves: &[Option<Digest>], report: &mut Report) {
        let first = index * TILE_WIDTH;
        let leaf = |n: u64| usize::try_from(n).ok().and_then(|n| leaves.get(n)).copied().flatten();
        let folders = [merkle::bundle_path(index, 1), merkle::tile_path(0, index, 1)];
        if !folders.iter().any(|path| self.dir.join(path).parent().is_some_and(Path::is_dir)) {
            return;
        }
        for narrow in 1..leaves.len() as u64 {
            let bundle = self.read(&merkle::bundle_path(index, narrow), BUNDLE_BYTES_MAX);
            let hashes: Option<Vec<_>> = bundle.map(|bytes| {
                let (entries, torn) = cut(&bytes);
                if torn {
                    report.problem(format!(
                        "bundle {index} of width {narrow} does not end with an entry"
                    ));
                }
                entries.iter().map(|entry| merkle::leaf_hash(entry)).collect()
            });
            let tile = self.read(&merkle::tile_path(0, index, narrow), TILE_BYTES_MAX);
            let tile = tile.map(|bytes| hashes_of(&bytes));
            for (kind, found) in [("bundle", hashes), ("tile 0 /", tile)] {
                let Some(found) = found else { continue };
                let now = (0..narrow).map(leaf);
                let differs = now.zip(
                    (0..narrow)
                        .map(|n| usize::try_from(n).ok().and_then(|n| found.get(n)).copied()),
                );
                if let Some((seq, _)) = (first..).zip(differs).find(|(_, (now, old))| now != old) {
                    let problem = format!(
                        "{kind} {index} of width {narrow} differs from the present one at entry {seq}"
                    );
                    report.bad(seq, problem);
                } else if found.len() as u64 > narrow {
                    report.problem(format!("{kind} {index} of width {narrow} is longer than that"));
                }
            }
        }
    }

    /// The tiles above level 0, and the root, where no entry is missing.
    pub(super) fn root(&self, tree: &Tree<'_>, root: Digest, report: &mut Report) {
        if tree.size() < self.size {
            return;
        }
        let mut hashes = tree.tiles().to_vec();
        for level in 1.. {
            if hashes.is_empty() {
                break;
            }
            self.check_upper(level, &hashes, report);
            let above = hashes.chunks_exact(256).filter_map(|tile| {
                let rows = tree::rows(tile.to_vec());
                rows.last().and_then(|row| row.first()).copied()
            });
            hashes = above.collect();
        }
        let whole = report.first_bad.is_none() && report.suspects.is_empty();
        if tree.roots().at(self.size) != Some(root) && whole {
            // Entries and tiles agree with each other: which entry was changed, only the journal's older
            // checkpoints can tell.
            report.problem("the entries do not make the root that was signed");
        }
    }

    /// The tiles of one level above 0, against the hashes that the entries make.
    fn check_upper(&self, level: u8, hashes: &[Digest], report: &mut Report) {
        let below = 1_u64 << (u32::from(level) * 8);
        for (index, made) in (0_u64..).zip(hashes.chunks(256)) {
            let full = made.len() as u64;
            let path = |width| merkle::tile_path(level, index, width);
            let Some(found) = self.find(path, full, TILE_BYTES_MAX) else {
                report.problem(format!("tile {level}/{index} is missing"));
                continue;
            };
            let widths = (1..full).filter_map(|width| {
                Some((Found { bytes: self.read(&path(width), TILE_BYTES_MAX)?, width }, width))
            });
            for (tile, needed) in [(found, full)].into_iter().chain(widths) {
                let differs = (0..needed)
                    .zip(made)
                    .find(|(n, hash)| hash_at(&tile.bytes, *n) != Some(**hash));
                if let Some((n, _)) = differs {
                    let first = (index * TILE_WIDTH + n) * below;
                    report.suspect(
                        first..first + below,
                        format!("tile {level}/{index} is not made of the entries from {first} on"),
                    );
                } else if tile.bytes.len() as u64 > tile.width * 32 {
                    report.problem(format!("tile {level}/{index} is longer than its hashes"));
                }
            }
        }
    }

    /// A file at its width; where it is missing, a wider one of the same place; else the widest that is there, for
    /// then something is missing, and it is told from where on.
    fn find(&self, path: impl Fn(u64) -> String, width: u64, max: usize) -> Option<Found> {
        let wider = [TILE_WIDTH].into_iter().chain(width + 1..TILE_WIDTH);
        let narrower = (1..width).rev();
        [width]
            .into_iter()
            .chain(wider)
            .chain(narrower)
            .find_map(|width| Some(Found { bytes: self.read(&path(width), max)?, width }))
    }

    fn read(&self, path: &str, max: usize) -> Option<Vec<u8>> {
        read(&self.dir.join(path), max)
    }
}

/// Bytes that are read of a tile: a full one, and one byte that shows that it is longer.
const TILE_BYTES_MAX: usize = 256 * 32 + 1;

/// A file that was found, and the width in its name.
#[derive(Default)]
struct Found {
    bytes: Vec<u8>,
    width: u64,
}

/// Cuts a bundle into entries, as far as it goes, and tells whether something was left over.
fn cut(mut bundle: &[u8]) -> (Vec<&[u8]>, bool) {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bundle.split_first_chunk::<2>() {
        let Some((entry, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        else {
            break;
        };
        entries.push(entry);
        bundle = rest;
    }
    (entries, !bundle.is_empty())
}

fn hash_at(tile: &[u8], n: u64) -> Option<Digest> {
    let start = usize::try_from(n).ok()? * 32;
    let bytes = tile.get(start..start + 32)?;
    Some(Digest::from_bytes(bytes.try_into().ok()?))
}

fn hashes_of(tile: &[u8]) -> Vec<Digest> {
    (0..(tile.len() / 32) as u64).filter_map(|n| hash_at(tile, n)).collect()
}
