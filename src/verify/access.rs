//! The access log beside the register: whole under its own checkpoint, and each checkpoint of it that the register holds is
//! one of these entries.
//!
//! The agent's key signs both logs, so that who has it can write the access log anew. The register says once a day what
//! the access log was, and others keep the register: what was looked up cannot be taken back from under that.

use std::path::Path;

use super::{
    Report,
    journal::{Source, Stored},
    read,
};
use crate::domain::{checkpoint::VerifierKey, digest::Digest};

/// Checks the folder of the access log, and the journal where there is one, against what the register's entries tell of it.
pub(super) fn check(dir: &Path, journal: Option<&Path>, key: &VerifierKey, report: &mut Report) {
    let mut told = std::mem::take(&mut report.access);
    told.sort_by_key(|(_, size, _)| *size);
    let key = key.named(&format!("{}/access", key.name()));
    let source = || journal.map(|path| Source { path, key: &key, log: Stored::Access });
    let bare = !dir.join("checkpoint").exists();
    if told.is_empty() && bare && (journal.is_some() || dir.join("vkey").exists()) {
        // Nothing was looked up yet, or nothing of it was published.
        return;
    }
    let mut found = Report::default();
    let read = read(dir, &key, source(), &mut found);
    found.absorb(read.journal);
    for problem in found.close().problems {
        report.problem(format!("the access log: {problem}"));
    }
    let (mut roots, published) = (read.tree.roots(), read.tree.size());
    let count = told.len();
    for (seq, size, root) in told {
        let kept = || source().and_then(|source| source.root_at(size));
        // Files may be behind the journal after a stop.
        match roots.at(size).or_else(kept) {
            Some(found) if found == root => {}
            found => differs(seq, size, published, found, report),
        }
    }
    report.notes.push(format!(
        "the access log has {published} entries; checkpoints of it in the register: {count}"
    ));
}

fn differs(seq: u64, size: u64, have: u64, found: Option<Digest>, report: &mut Report) {
    report.problem(match found {
        Some(_) => format!("entry {seq} tells of {size} other entries of the access log"),
        None => format!(
            "entry {seq} tells of {size} entries of the access log, and {have} are here: its end was cut off"
        ),
    });
}
