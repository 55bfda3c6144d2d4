//! The files beside the checkpoint that `ssh-keygen` takes: the SSHSIG of its text, and the line that names its signer.
//!
//! The agent writes the SSHSIG just before the checkpoint. A stop between the two, or a look at that moment, finds one
//! that is ahead; that is told and no fault, when it is of entries whose hashes are published already.

use std::path::Path;

use super::{Report, files, tree::Tree};
use crate::domain::checkpoint::{Checkpoint, VerifierKey};

/// Entries that one publishing may be ahead by and still be recognised.
const AHEAD_MAX: usize = 1 << 12;

/// Checks both files of a folder; adds to the report.
pub(super) fn check(
    dir: &Path,
    key: &VerifierKey,
    checkpoint: &Checkpoint,
    tree: &Tree<'_>,
    report: &mut Report,
) {
    let path = dir.join("allowed_signers");
    if files::text(&path).is_none_or(|text| text != key.allowed_signer()) {
        report.problem(format!("'{}' does not name the verifier key", path.display()));
    }
    let path = dir.join("checkpoint.sig");
    let Some(armored) = files::text(&path) else {
        return report.problem(format!("'{}' cannot be read", path.display()));
    };
    let Err(fault) = key.check_sshsig(armored.as_bytes(), checkpoint) else { return };
    match ahead(dir, key, checkpoint, tree, &armored) {
        Some(size) => report.notes.push(format!(
            "'checkpoint.sig' is that of {size} entries already: the agent was about to publish them, and does so when \
             it starts"
        )),
        None => report.problem(format!("'{}': {fault}", path.display())),
    }
}

/// The size that a signature is of, where it is of more entries than the checkpoint.
fn ahead(
    dir: &Path,
    key: &VerifierKey,
    checkpoint: &Checkpoint,
    tree: &Tree<'_>,
    armored: &str,
) -> Option<u64> {
    let mut edge = tree.roots().edge(checkpoint.size)?;
    if edge.root() != checkpoint.root {
        return None;
    }
    let origin = &checkpoint.origin;
    files::beyond(dir, checkpoint.size, AHEAD_MAX).into_iter().find_map(|leaf| {
        edge.append(leaf);
        let (size, root) = (edge.size(), edge.root());
        let later = Checkpoint { origin: origin.clone(), size, root };
        key.check_sshsig(armored.as_bytes(), &later).ok().map(|()| size)
    })
}
