//! Timestamps of an authority beside the published register: `timestamps/<size>-<digest>.tsr`, and the checkpoint that
//! each is over.
//!
//! Nothing here is ever overwritten; the same answer twice is the same file.

use std::path::Path;

use super::files::{self, FileError};
use crate::domain::digest::Digest;

/// Folder below that of the register.
pub const FOLDER: &str = "timestamps";

/// Name of the file of an answer.
#[must_use]
pub fn name(size: u64, answer: Digest) -> String {
    let digest = answer.to_string();
    format!("{size}-{}.tsr", digest.get(..16).unwrap_or(&digest))
}

/// Keeps an answer and the checkpoint that it is over; the answer last, so that where it is, its checkpoint is too.
///
/// # Errors
/// A file cannot be written, or is there with other bytes.
pub fn keep(register: &Path, size: u64, note: &str, answer: &[u8]) -> Result<(), FileError> {
    let dir = register.join(FOLDER);
    files::create_dir(&dir)?;
    // A stop between the two leaves a checkpoint that nothing is said of; the next answer over it finds it there.
    let checkpoint = dir.join(format!("{size}.checkpoint"));
    files::create_idempotent(&checkpoint, note.as_bytes(), "timestamp-checkpoint")?;
    files::create_idempotent(&dir.join(name(size, Digest::of(answer))), answer, "timestamp")
}
