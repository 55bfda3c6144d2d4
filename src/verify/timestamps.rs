//! Timestamps of an authority beside a register: that each is over a checkpoint of these entries. Whose it is, the
//! authority's certificate says, with `openssl ts -verify`.

use std::{collections::BTreeMap, fs, path::Path};

use super::{Report, files, tree::Tree};
use crate::domain::{
    checkpoint::Checkpoint,
    digest::Digest,
    time::Timestamp,
    timestamp::{ANSWER_BYTES_MAX, Answer, size_of},
};

/// Files that are looked at.
const FILES_MAX: usize = 100_000;

/// Names what is there; adds to the report.
pub(super) fn check(dir: &Path, origin: &str, tree: &Tree<'_>, report: &mut Report) {
    let mut told = std::mem::take(&mut report.stamped);
    let Ok(folder) = fs::read_dir(dir.join("timestamps")) else {
        return missing(&told, report);
    };
    let mut found: BTreeMap<(u64, String), Option<Answer>> = BTreeMap::new();
    for entry in folder.flatten().take(FILES_MAX) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".tsr") {
            continue;
        }
        let bytes = files::bytes(&entry.path(), ANSWER_BYTES_MAX).unwrap_or_default();
        told.remove(&Digest::of(&bytes));
        let answer = Answer::parse(&bytes).ok();
        found.insert((answer.map_or(0, |answer| size_of(answer.nonce)), name), answer);
    }
    let mut roots = tree.roots();
    for ((size, name), answer) in found {
        let root = roots.at(size);
        let checkpoint = root.map(|root| Checkpoint { origin: origin.to_owned(), size, root });
        match answer.zip(checkpoint) {
            Some((answer, checkpoint)) if answer.is_over(&checkpoint) => {
                report.notes.push(format!(
                    "'timestamps/{name}' stamps {size} of {} entries at {}; 'openssl ts -verify' says whose it is",
                    report.size, answer.at
                ));
            }
            _ => report
                .problem(format!("'timestamps/{name}' is over no checkpoint of these entries")),
        }
    }
    missing(&told, report);
}

/// Those that entries tell of and the folder lacks: a copy may have been made without them.
fn missing(told: &BTreeMap<Digest, (u64, Timestamp)>, report: &mut Report) {
    for (size, at) in told.values() {
        report.notes.push(format!("the timestamp of {size} entries at {at} is not in this folder"));
    }
}
