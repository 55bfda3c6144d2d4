//! Cosignatures: those that the register holds as entries, against the tree that they are said to be of.
//!
//! A witness that cosigned is demanded by its key. Whoever writes the register anew with the agent's own key cannot make
//! its cosignature; what was cosigned, and when, is told.

use super::{Report, tree::Tree};
use crate::domain::{checkpoint::Checkpoint, cosignature::CosignerKey, time::Timestamp};

/// Finds the newest cosignature of each witness; adds to the report.
pub(super) fn check(wanted: &[CosignerKey], origin: &str, tree: &Tree<'_>, report: &mut Report) {
    if wanted.is_empty() {
        return;
    }
    let mut cosigned = std::mem::take(&mut report.cosigned);
    cosigned.sort_by_key(|(size, _)| *size);
    let mut found: Vec<Option<(u64, u64)>> = vec![None; wanted.len()];
    let mut roots = tree.roots();
    for (size, line) in &cosigned {
        let Some(root) = roots.at(*size) else { continue };
        let checkpoint = Checkpoint { origin: origin.to_owned(), size: *size, root };
        let note = format!("{}\n{line}", checkpoint.body());
        for (witness, found) in wanted.iter().zip(&mut found) {
            if let Ok((seconds, _)) = witness.find(&note) {
                *found = Some((*size, seconds));
            }
        }
    }
    for (witness, found) in wanted.iter().zip(found) {
        tell(witness, found, report);
    }
}

/// Says what a witness vouched for.
pub(super) fn tell(witness: &CosignerKey, found: Option<(u64, u64)>, report: &mut Report) {
    let name = witness.name();
    let Some((size, seconds)) = found else {
        return report.problem(format!("no cosignature of the witness '{name}' holds"));
    };
    let at = i64::try_from(seconds).ok().and_then(|s| s.checked_mul(1000)).unwrap_or(i64::MAX);
    report.witnesses.push(name.to_owned());
    report.notes.push(format!(
        "the witness '{name}' vouched for {size} of {} entries at {}",
        report.size,
        Timestamp::from_millis(at)
    ));
}
