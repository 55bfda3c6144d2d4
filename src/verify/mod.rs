//! Verification of a register by code separate from the writer: it reads the published files and, for a live state
//! folder, the journal, computes every hash again, and names the first entry that is bad.
//!
//! It trusts a verifier key that the auditor brings; without one it uses the folder's own `vkey` and says so, for
//! then only accidents and outsiders are found, not a rewrite with the agent's own key. It changes nothing and
//! needs no agent.

mod journal;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::domain::{
    checkpoint::{Checkpoint, VerifierKey},
    digest::Digest,
    entry::Entry,
    merkle::{self, Frontier, TILE_WIDTH},
    time::Timestamp,
};

/// What verification found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether everything is as it was signed.
    pub ok: bool,
    /// Entries that the checkpoint says.
    pub size: u64,
    /// Root that the checkpoint says.
    pub root: Option<Digest>,
    /// The first entry that is bad.
    pub first_bad: Option<u64>,
    /// Whether the checkpoint is signed by the verifier key.
    pub checkpoint_signed: bool,
    /// Cosignatures that were demanded and found; none in this version.
    pub witnesses: Vec<String>,
    /// `given`, or `folder` where the folder's own key was trusted.
    pub key_source: &'static str,
    /// What is wrong, for people.
    pub problems: Vec<String>,
}

impl Report {
    fn new(key_source: &'static str) -> Self {
        Self {
            ok: false,
            size: 0,
            root: None,
            first_bad: None,
            checkpoint_signed: false,
            witnesses: Vec::new(),
            key_source,
            problems: Vec::new(),
        }
    }

    fn bad(&mut self, seq: u64, problem: impl Into<String>) {
        self.first_bad = Some(self.first_bad.map_or(seq, |known| known.min(seq)));
        self.problems.push(problem.into());
    }

    fn close(mut self) -> Self {
        self.ok = self.checkpoint_signed && self.first_bad.is_none() && self.problems.is_empty();
        self
    }
}

/// Verifies a register folder, copied or live.
#[must_use]
pub fn verify_dir(dir: &Path, key: Option<&VerifierKey>) -> Report {
    verify(dir, None, key)
}

/// Verifies a live state: the folder, and the journal that it was made from.
#[must_use]
pub fn verify_state(dir: &Path, journal: &Path, key: Option<&VerifierKey>) -> Report {
    verify(dir, Some(journal), key)
}

fn verify(dir: &Path, journal: Option<&Path>, key: Option<&VerifierKey>) -> Report {
    let mut report = Report::new(if key.is_some() { "given" } else { "folder" });
    let own =
        fs::read_to_string(dir.join("vkey")).ok().and_then(|text| VerifierKey::parse(&text).ok());
    let Some(key) = key.cloned().or(own) else {
        report.problems.push(format!("'{}' holds no verifier key", dir.join("vkey").display()));
        return report;
    };
    let note = fs::read_to_string(dir.join("checkpoint")).unwrap_or_default();
    let checkpoint = match key.open(&note) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            report.problems.push(format!("'{}': {error}", dir.join("checkpoint").display()));
            return report;
        }
    };
    report.checkpoint_signed = true;
    report.size = checkpoint.size;
    report.root = Some(checkpoint.root);
    let files = Files { dir: dir.to_owned(), size: checkpoint.size };
    let leaves = files.check(&checkpoint, &mut report);
    if let Some(journal) = journal {
        journal::check(journal, &key, &checkpoint, &leaves, &mut report);
    }
    report.close()
}

/// The published files of a log.
struct Files {
    dir: PathBuf,
    size: u64,
}

impl Files {
    /// Checks entries against their hashes, the tiles against each other, and all against the checkpoint. Returns
    /// the leaf hashes as far as they could be computed.
    fn check(&self, checkpoint: &Checkpoint, report: &mut Report) -> Vec<Option<Digest>> {
        let mut leaves = Vec::new();
        let mut last: Option<Timestamp> = None;
        for bundle in 0..self.size.div_ceil(TILE_WIDTH) {
            let first = bundle * TILE_WIDTH;
            let width = TILE_WIDTH.min(self.size - first);
            let tile = self.read(&merkle::tile_path(0, bundle, width));
            let entries = self.read(&merkle::bundle_path(bundle, width)).map(|bytes| cut(&bytes));
            let entries = entries.unwrap_or_default();
            for n in 0..width {
                let seq = first + n;
                let hashed = tile.as_ref().and_then(|tile| hash_at(tile, n));
                let entry = usize::try_from(n).ok().and_then(|n| entries.get(n));
                let leaf = entry.map(|entry| merkle::leaf_hash(entry));
                match (leaf, hashed) {
                    (Some(leaf), Some(hashed)) if leaf == hashed => {}
                    (None, _) => report.bad(seq, format!("entry {seq} is missing from its bundle")),
                    (_, None) => {
                        report.bad(seq, format!("the hash of entry {seq} is missing from its tile"))
                    }
                    _ => report.bad(seq, format!("entry {seq} is not the one that was hashed")),
                }
                if let Some(entry) = entry {
                    form(seq, entry, &mut last, report);
                }
                leaves.push(leaf);
            }
            if entries.len() as u64 > width {
                report.bad(
                    first + width,
                    format!("bundle {bundle} holds more entries than the checkpoint says"),
                );
            }
        }
        self.check_root(checkpoint, &leaves, report);
        leaves
    }

    fn check_root(&self, checkpoint: &Checkpoint, leaves: &[Option<Digest>], report: &mut Report) {
        let mut frontier = Frontier::new();
        for (seq, leaf) in (0..).zip(leaves) {
            let Some(leaf) = leaf else { return };
            for (level, index, hash) in frontier.append(*leaf) {
                if level > 0 && level % 8 == 0 && self.upper(level / 8, index) != Some(hash) {
                    report.bad(
                        (index << level).min(seq),
                        format!("tile {}/{index} is not made of its entries", level / 8),
                    );
                }
            }
        }
        if frontier.root() != checkpoint.root && report.first_bad.is_none() {
            // Entries and tiles agree with each other: which entry was changed, only the journal's older
            // checkpoints can tell.
            report.problems.push("the entries do not make the root that was signed".to_owned());
        }
    }

    fn upper(&self, level: u8, index: u64) -> Option<Digest> {
        let total = self.size >> (u32::from(level) * 8);
        let width = TILE_WIDTH.min(total - index / TILE_WIDTH * TILE_WIDTH);
        let tile = self.read(&merkle::tile_path(level, index / TILE_WIDTH, width))?;
        hash_at(&tile, index % TILE_WIDTH)
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.dir.join(path)).ok()
    }
}

/// An entry must be canonical, and its time not before the one before.
fn form(seq: u64, bytes: &[u8], last: &mut Option<Timestamp>, report: &mut Report) {
    let Ok(entry) = Entry::from_bytes(bytes) else {
        report.bad(seq, format!("entry {seq} is no register entry"));
        return;
    };
    if entry.to_bytes().ok().as_deref() != Some(bytes) {
        report.bad(seq, format!("entry {seq} is not in its canonical form"));
    }
    if last.is_some_and(|last| entry.at < last) {
        report.bad(seq, format!("entry {seq} is older than the entry before it"));
    }
    *last = Some(entry.at);
}

/// Cuts a bundle into entries, as far as it goes.
fn cut(mut bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bundle.split_first_chunk::<2>() {
        let Some((entry, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        else {
            break;
        };
        entries.push(entry.to_vec());
        bundle = rest;
    }
    entries
}

fn hash_at(tile: &[u8], n: u64) -> Option<Digest> {
    let start = usize::try_from(n).ok()? * 32;
    let bytes = tile.get(start..start + 32)?;
    Some(Digest::from_bytes(bytes.try_into().ok()?))
}
