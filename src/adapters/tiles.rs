//! A log as files: tiles, bundles of entries, verifier key, and the checkpoint last (C2SP tlog-tiles).
//!
//! The files are made from the journal and can be made again. At a start the stored checkpoint is compared with
//! the journal: one that the journal does not begin with stops the agent, for somebody may have relied on it.

use std::path::{Path, PathBuf};

use super::{
    files::{self, FileError},
    journal::{Journal, JournalError, Log},
};
use crate::domain::{
    checkpoint::VerifierKey,
    merkle::{self, TILE_WIDTH},
};

/// Why the files of a log cannot be made or trusted.
#[derive(Debug, thiserror::Error)]
pub enum TilesError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The published checkpoint is not signed by the register key.
    #[error("'{path}' is not signed by this site's register key")]
    Foreign {
        /// The checkpoint.
        path: PathBuf,
    },
    /// The journal is behind what was published, or another history.
    #[error(
        "'{path}' says {published} entries, and the journal does not begin with them (it has {journal})"
    )]
    Fork {
        /// The checkpoint.
        path: PathBuf,
        /// Entries that were published.
        published: u64,
        /// Entries in the journal.
        journal: u64,
    },
}

/// The bytes of a checkpoint file are far below this.
const NOTE_BYTES_MAX: u64 = 1 << 16;

/// Compares the published checkpoint with the journal. Returns the published size.
///
/// # Errors
/// It is foreign, ahead, or of another history.
pub fn reconcile(
    dir: &Path,
    journal: &Journal,
    log: Log,
    key: &VerifierKey,
) -> Result<u64, TilesError> {
    let path = dir.join("checkpoint");
    let bytes = match files::read(&path, NOTE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing() => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    let note = String::from_utf8(bytes).unwrap_or_default();
    let Ok(checkpoint) = key.open(&note) else { return Err(TilesError::Foreign { path }) };
    let size = journal.size(log)?;
    let same = checkpoint.size <= size && journal.root_at(log, checkpoint.size)? == checkpoint.root;
    if same {
        Ok(checkpoint.size)
    } else {
        Err(TilesError::Fork { path, published: checkpoint.size, journal: size })
    }
}

/// Writes what is new since `published` entries; the checkpoint last. Returns the size that is published now.
///
/// # Errors
/// A file cannot be written; what was there before is untouched.
pub fn publish(
    dir: &Path,
    journal: &Journal,
    log: Log,
    vkey: &str,
    published: u64,
) -> Result<u64, TilesError> {
    files::create_dir(dir)?;
    let key_file = dir.join("vkey");
    files::create_idempotent(&key_file, format!("{vkey}\n").as_bytes(), "vkey")?;
    let size = journal.size(log)?;
    let Some(note) = journal.checkpoint(log)? else { return Ok(0) };
    bundles(dir, journal, log, published, size)?;
    let (mut level, mut old, mut new) = (0_u8, published, size);
    while new > 0 {
        hash_tiles(dir, journal, log, level, (old, new))?;
        level += 1;
        old /= TILE_WIDTH;
        new /= TILE_WIDTH;
    }
    files::replace(&dir.join("checkpoint"), note.as_bytes(), "checkpoint")?;
    Ok(size)
}

fn bundles(dir: &Path, journal: &Journal, log: Log, old: u64, new: u64) -> Result<(), TilesError> {
    for index in old / TILE_WIDTH..new.div_ceil(TILE_WIDTH) {
        let first = index * TILE_WIDTH;
        let width = TILE_WIDTH.min(new - first);
        let mut bundle = Vec::new();
        for seq in first..first + width {
            let entry = journal.entry(log, seq)?;
            let length =
                u16::try_from(entry.len()).map_err(|_| JournalError::TooLong(entry.len()))?;
            bundle.extend_from_slice(&length.to_be_bytes());
            bundle.extend_from_slice(&entry);
        }
        tile(dir, &merkle::bundle_path(index, width), &bundle)?;
    }
    Ok(())
}

fn hash_tiles(
    dir: &Path,
    journal: &Journal,
    log: Log,
    level: u8,
    (old, new): (u64, u64),
) -> Result<(), TilesError> {
    for index in old / TILE_WIDTH..new.div_ceil(TILE_WIDTH) {
        let first = index * TILE_WIDTH;
        let width = TILE_WIDTH.min(new - first);
        let mut hashes = Vec::new();
        for n in first..first + width {
            hashes.extend_from_slice(journal.node(log, level * 8, n)?.as_bytes());
        }
        tile(dir, &merkle::tile_path(level, index, width), &hashes)?;
    }
    Ok(())
}

fn tile(dir: &Path, path: &str, bytes: &[u8]) -> Result<(), TilesError> {
    let mut parent = dir.to_owned();
    let names: Vec<&str> = path.split('/').collect();
    let (file, folders) = names.split_last().unwrap_or((&path, &[]));
    for folder in folders {
        parent.push(folder);
        if !parent.is_dir() {
            files::create_dir(&parent)?;
        }
    }
    files::create_idempotent(&parent.join(file), bytes, "tile")?;
    Ok(())
}
