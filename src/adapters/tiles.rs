//! A log as files: tiles, bundles of entries, verifier key, and the checkpoint last (C2SP tlog-tiles); beside it the same
//! text signed for `ssh-keygen -Y verify` (`checkpoint.sig`, `allowed_signers`).
//!
//! The files are made from the journal and can be made again: the same journal gives the same files, whether they
//! were published entry by entry or all at once. A tile that is not full stands once for each size at which a
//! checkpoint was signed, until the full one is there (C2SP: a log serves these, and may delete them then). At a
//! start the stored checkpoint is compared with the journal: one that the journal does not begin with stops the
//! agent, for somebody may have relied on it. A file that is there is never overwritten, but for the checkpoint.

use std::path::{Path, PathBuf};

use super::{
    files::{self, FileError},
    journal::{Journal, JournalError, Log},
};
use crate::domain::{
    checkpoint::{Checkpoint, NoteError, RegisterKey, VerifierKey},
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
    /// The register key signs nothing, or not what the journal holds.
    #[error("the checkpoint of {size} entries cannot be signed for ssh-keygen")]
    Unsigned {
        /// Entries.
        size: u64,
    },
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

/// Compares the published checkpoint with the journal. Returns the published size; 0 where nothing is published.
/// The key may bear the name of either log.
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
        Err(FileError::TooLong { .. } | FileError::NotRegular { .. }) => {
            return Err(TilesError::Foreign { path });
        }
        Err(error) => return Err(error.into()),
    };
    let note = String::from_utf8(bytes).unwrap_or_default();
    let Ok(checkpoint) = key.named(&journal.origin(log)).open(&note) else {
        return Err(TilesError::Foreign { path });
    };
    let size = journal.size(log)?;
    let same = checkpoint.size <= size && journal.root_at(log, checkpoint.size)? == checkpoint.root;
    if same {
        Ok(checkpoint.size)
    } else {
        Err(TilesError::Fork { path, published: checkpoint.size, journal: size })
    }
}

/// Writes what is new since `published` entries (0: everything that is missing); the checkpoint last. Returns the
/// size that is published now. Repeating it, also after a stop anywhere in it, leads to the same files.
///
/// # Errors
/// A file cannot be written, or is there with other bytes; the published checkpoint stands then.
pub fn publish(
    dir: &Path,
    journal: &Journal,
    log: Log,
    key: &RegisterKey,
    published: u64,
) -> Result<u64, TilesError> {
    files::create_dir(dir)?;
    let verifier = key.verifier_of(&journal.origin(log));
    keep(&dir.join("vkey"), &format!("{verifier}\n"), "vkey")?;
    keep(&dir.join("allowed_signers"), &verifier.allowed_signer(), "allowed-signers")?;
    let size = journal.size(log)?;
    let Some(note) = journal.checkpoint(log)? else { return Ok(0) };
    let logged = Logged { dir, journal, log };
    logged.level(None, published, size)?;
    let mut level = 0_u8;
    while size >> (u32::from(level) * 8) > 0 {
        logged.level(Some(level), published, size)?;
        level += 1;
    }
    // A stop between these two: the signature is of entries that are published, and the checkpoint is not yet. The
    // next publishing begins at the checkpoint and writes both.
    let armored = seal(&verifier, key, &note).ok_or(TilesError::Unsigned { size })?;
    files::replace(&dir.join("checkpoint.sig"), armored.as_bytes(), "checkpoint-sig")?;
    files::replace(&dir.join("checkpoint"), note.as_bytes(), "checkpoint")?;
    Ok(size)
}

/// A file that never changes. Where it is there nothing is written: the checkpoint's rename syncs the same folder.
fn keep(path: &Path, text: &str, site: &'static str) -> Result<(), FileError> {
    match files::read(path, NOTE_BYTES_MAX) {
        Ok(found) if found == text.as_bytes() => Ok(()),
        _ => files::create_idempotent(path, text.as_bytes(), site),
    }
}

/// The SSHSIG of the text that a note signs.
fn seal(verifier: &VerifierKey, key: &RegisterKey, note: &str) -> Option<String> {
    let checkpoint: Result<Checkpoint, NoteError> = verifier.open(note);
    key.sshsig(&checkpoint.ok()?).ok()
}

/// One log on its way to its folder.
struct Logged<'a> {
    dir: &'a Path,
    journal: &'a Journal,
    log: Log,
}

impl Logged<'_> {
    /// Brings the tiles of one level up to `size`; without a level, the bundles of entries.
    fn level(&self, level: Option<u8>, published: u64, size: u64) -> Result<(), TilesError> {
        let unit = 1_u64 << (u32::from(level.unwrap_or(0)) * 8);
        let (old, new) = (published / unit, size / unit);
        let path = |index, width| match level {
            Some(level) => merkle::tile_path(level, index, width),
            None => merkle::bundle_path(index, width),
        };
        for index in old / TILE_WIDTH..new / TILE_WIDTH {
            let (bytes, _) = self.content(level, index, TILE_WIDTH)?;
            self.write(&path(index, TILE_WIDTH), &bytes)?;
            // Only now may what it grew from go; before the checkpoint, so that a stop here is mended by the next.
            files::remove_flat_folder(&self.dir.join(partials(&path(index, 1))), "partial-tiles")?;
        }
        let (index, width) = (new / TILE_WIDTH, new % TILE_WIDTH);
        if width == 0 {
            return Ok(());
        }
        let (bytes, ends) = self.content(level, index, width)?;
        let since = published.max((index * TILE_WIDTH * unit).saturating_sub(1));
        for hashes in self.journal.signed_sizes(self.log, since, size, unit)? {
            let width = hashes.saturating_sub(index * TILE_WIDTH);
            let end = usize::try_from(width).ok().filter(|n| *n > 0).and_then(|n| ends.get(n - 1));
            if let Some(end) = end {
                self.write(&path(index, width), &bytes[..*end])?;
            }
        }
        Ok(())
    }

    /// The first `width` hashes of a tile, or entries of a bundle; and where each of them ends.
    fn content(
        &self,
        level: Option<u8>,
        index: u64,
        width: u64,
    ) -> Result<(Vec<u8>, Vec<usize>), TilesError> {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for n in index * TILE_WIDTH..index * TILE_WIDTH + width {
            if let Some(level) = level {
                let hash = self.journal.node(self.log, level * 8, n)?;
                bytes.extend_from_slice(hash.as_bytes());
            } else {
                let entry = self.journal.entry(self.log, n)?;
                let length =
                    u16::try_from(entry.len()).map_err(|_| JournalError::TooLong(entry.len()))?;
                bytes.extend_from_slice(&length.to_be_bytes());
                bytes.extend_from_slice(&entry);
            }
            ends.push(bytes.len());
        }
        Ok((bytes, ends))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), TilesError> {
        let mut parent = self.dir.to_owned();
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
}

/// The folder that holds a partial tile: its path without the width.
fn partials(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(folder, _)| folder)
}

#[cfg(test)]
mod tests;
