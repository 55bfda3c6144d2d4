//! Proofs from a folder of published files, and the verification of a single proof file. Neither needs an agent: an
//! auditor who has a copy of the register hands on one entry of it, and whoever gets it needs the verifier key alone.
//!
//! What is made here is verified before it is handed out, so that a damaged folder gives no bad proof. What is
//! verified is taken for hostile.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Proved, Report, files,
    form::{Form, Times},
    witnesses,
};
use crate::domain::{
    checkpoint::{Checkpoint, NoteError, VerifierKey},
    cosignature::CosignerKey,
    merkle::{self, Hash, HashReader, TILE_WIDTH},
    proof::{Growth, Inclusion},
};

/// Why no proof can be made.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// A file is missing or has not its form.
    #[error("'{path}' is missing, or has not its form", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
    },
    /// The checkpoint is not signed by the folder's key.
    #[error("'{path}': {fault}", path = path.display())]
    Note {
        /// The checkpoint.
        path: PathBuf,
        /// What is wrong with it.
        fault: NoteError,
    },
    /// The log is shorter.
    #[error("the log has {size} entries, numbered from 0")]
    Absent {
        /// Entries.
        size: u64,
    },
    /// The files do not make the root that was signed.
    #[error("the files are not what was signed")]
    Unsound,
}

/// Proof of entry `index` in the tree of a folder's checkpoint.
///
/// # Errors
/// [`ProveError`].
pub fn inclusion(dir: &Path, index: u64) -> Result<Inclusion, ProveError> {
    let (note, checkpoint) = signed(dir)?;
    let size = checkpoint.size;
    if index >= size {
        return Err(ProveError::Absent { size });
    }
    let tiles = Tiles::of(dir, size);
    let entry = tiles.entry(index)?;
    let hashes = merkle::inclusion_proof(index, size, &tiles)?;
    let leaf = merkle::leaf_hash(&entry);
    if !merkle::verify_inclusion(leaf, index, size, &hashes, checkpoint.root) {
        return Err(ProveError::Unsound);
    }
    Ok(Inclusion { entry: Some(entry), index, hashes, note })
}

/// Proof that the folder's checkpoint begins with the log of `old` entries.
///
/// # Errors
/// [`ProveError`].
pub fn growth(dir: &Path, old: u64) -> Result<Growth, ProveError> {
    let (note, checkpoint) = signed(dir)?;
    let size = checkpoint.size;
    if old > size {
        return Err(ProveError::Absent { size });
    }
    let tiles = Tiles::of(dir, size);
    let hashes = merkle::consistency_proof(old, size, &tiles)?;
    let old_root = merkle::root_at(old, &tiles)?;
    if !merkle::verify_consistency(old, old_root, size, checkpoint.root, &hashes) {
        return Err(ProveError::Unsound);
    }
    Ok(Growth { old, hashes, note })
}

/// Entries that the folder's checkpoint says.
///
/// # Errors
/// [`ProveError`].
pub(super) fn log_size(dir: &Path) -> Result<u64, ProveError> {
    Ok(signed(dir)?.1.size)
}

/// The checkpoint of a folder, under the folder's own key.
fn signed(dir: &Path) -> Result<(String, Checkpoint), ProveError> {
    let text = |name: &str| {
        let path = dir.join(name);
        files::text(&path).ok_or(ProveError::File { path })
    };
    let key = VerifierKey::parse(&text("vkey")?)
        .map_err(|_| ProveError::File { path: dir.join("vkey") })?;
    let note = text("checkpoint")?;
    let path = dir.join("checkpoint");
    let checkpoint = key.open(&note).map_err(|fault| ProveError::Note { path, fault })?;
    Ok((note, checkpoint))
}

/// The nodes of a tree, from its tiles.
pub(super) struct Tiles<'a> {
    dir: &'a Path,
    size: u64,
    read: RefCell<BTreeMap<(u8, u64), Vec<Hash>>>,
}

impl<'a> Tiles<'a> {
    pub(super) const fn of(dir: &'a Path, size: u64) -> Self {
        Self { dir, size, read: RefCell::new(BTreeMap::new()) }
    }

    /// The hashes of a tile: of its width at this size, or of a wider one of the same place.
    fn tile(&self, level: u8, index: u64) -> Result<Vec<Hash>, ProveError> {
        if let Some(hashes) = self.read.borrow().get(&(level, index)) {
            return Ok(hashes.clone());
        }
        let width = self.width(index, self.size >> (u32::from(level) * 8));
        let path = |width| self.dir.join(merkle::tile_path(level, index, width));
        let hashes = (width..=TILE_WIDTH)
            .find_map(|width| files::hashes(&path(width)))
            .ok_or_else(|| ProveError::File { path: path(width) })?;
        self.read.borrow_mut().insert((level, index), hashes.clone());
        Ok(hashes)
    }

    const fn width(&self, index: u64, hashes: u64) -> u64 {
        let left = hashes.saturating_sub(index * TILE_WIDTH);
        if left < TILE_WIDTH { left } else { TILE_WIDTH }
    }

    pub(super) fn entry(&self, seq: u64) -> Result<Vec<u8>, ProveError> {
        let index = seq / TILE_WIDTH;
        let width = self.width(index, self.size);
        let path = |width| self.dir.join(merkle::bundle_path(index, width));
        let at = usize::try_from(seq % TILE_WIDTH).unwrap_or(usize::MAX);
        (width..=TILE_WIDTH)
            .find_map(|width| files::entry(&path(width), at))
            .ok_or_else(|| ProveError::File { path: path(width) })
    }
}

impl HashReader for Tiles<'_> {
    type Error = ProveError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, ProveError> {
        let (tile_level, height) = (level / 8, level % 8);
        let first = index << height;
        let hashes = self.tile(tile_level, first / TILE_WIDTH)?;
        let start = usize::try_from(first % TILE_WIDTH).unwrap_or(usize::MAX);
        let row = hashes.get(start..start.saturating_add(1 << height));
        let mut row = row.ok_or(ProveError::Unsound)?.to_vec();
        while row.len() > 1 {
            row = row.chunks_exact(2).map(|pair| merkle::node_hash(&pair[0], &pair[1])).collect();
        }
        row.first().copied().ok_or(ProveError::Unsound)
    }
}

/// Verifies one proof file under the verifier key that an auditor brings: of an entry, or, with the checkpoint that
/// was kept, of growth since.
#[must_use]
pub fn verify_proof(
    text: &str,
    key: &VerifierKey,
    kept: &[(String, String)],
    demanded: &[CosignerKey],
) -> Report {
    let mut report = Report::new("given");
    let note = if text.starts_with("old ") {
        Growth::parse(text).map(|proof| {
            grown(&proof, key, kept, &mut report);
            proof.note
        })
    } else {
        Inclusion::parse(text).map(|proof| {
            included(&proof, key, &mut report);
            proof.note
        })
    };
    match note {
        Ok(note) => {
            for witness in demanded {
                let found = witness.find(&note).ok().map(|(seconds, _)| (report.size, seconds));
                witnesses::tell(witness, found, &mut report);
            }
        }
        Err(fault) => report.problem(fault.to_string()),
    }
    report.close()
}

/// The checkpoint that a proof leads to.
fn led_to(note: &str, key: &VerifierKey, report: &mut Report) -> Option<Checkpoint> {
    match key.open(note) {
        Ok(checkpoint) => {
            report.checkpoint_signed = true;
            report.size = checkpoint.size;
            report.root = Some(checkpoint.root);
            Some(checkpoint)
        }
        Err(fault) => {
            report.problem(fault.to_string());
            None
        }
    }
}

fn included(proof: &Inclusion, key: &VerifierKey, report: &mut Report) {
    let Some(checkpoint) = led_to(&proof.note, key, report) else { return };
    let Some(entry) = &proof.entry else {
        return report.problem("the proof does not carry its entry");
    };
    let leaf = merkle::leaf_hash(entry);
    let (size, root) = (checkpoint.size, checkpoint.root);
    if !merkle::verify_inclusion(leaf, proof.index, size, &proof.hashes, root) {
        return report
            .bad(proof.index, "the proof does not lead from the entry to the signed root");
    }
    Form::of(&checkpoint.origin).check(proof.index, entry, &mut Times::default(), report);
    let entry = serde_json::from_slice(entry).unwrap_or_default();
    report.proved = Some(Proved { index: proof.index, entry });
}

fn grown(proof: &Growth, key: &VerifierKey, kept: &[(String, String)], report: &mut Report) {
    let Some(checkpoint) = led_to(&proof.note, key, report) else { return };
    if kept.is_empty() {
        report.problem("a proof of growth says nothing without the checkpoint that was kept");
    }
    for (name, note) in kept {
        match key.open(note) {
            Err(fault) => report.problem(format!("'{name}': {fault}")),
            Ok(old) if old.size != proof.old => report.problem(format!(
                "the proof is of growth since {} entries, and '{name}' has {}",
                proof.old, old.size
            )),
            Ok(old) => {
                let (size, root) = (checkpoint.size, checkpoint.root);
                if !merkle::verify_consistency(old.size, old.root, size, root, &proof.hashes) {
                    report.problem(format!("the log did not grow from '{name}': two histories"));
                }
            }
        }
    }
}
