//! Verification of a log by code separate from the writer: it reads the published files and, for a live state
//! folder, the journal, computes every hash again, and names the first entry that is bad.
//!
//! It trusts a verifier key that the auditor brings; without one it uses the folder's own `vkey` and says so, for
//! then only accidents and outsiders are found, not a rewrite with the agent's own key. It changes nothing, needs no
//! agent, and takes what it reads for hostile: sizes are bounded, and nothing but regular files is opened.
//!
//! Files that are behind the journal are no tampering: a stop between commit and publishing leaves them so, and the
//! next start mends it. They are told in `notes`. Entries behind the last signed checkpoint are tampering.

mod access;
mod canonical;
pub mod evidence;
mod files;
mod form;
mod frame;
mod journal;
pub mod pack;
mod pieces;
mod prove;
pub mod sample;
mod seal;
mod timestamps;
mod tree;
mod walk;
mod witnesses;

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};

use files::Folder;
use journal::{Source, Stored};
pub use prove::{ProveError, growth, inclusion, verify_proof};
use tree::Tree;
use walk::Log;

use serde::Serialize;

use crate::domain::{
    checkpoint::{Checkpoint, VerifierKey},
    cosignature::CosignerKey,
    digest::Digest,
    time::Timestamp,
};

/// Problems that are told one by one; what goes beyond is counted.
const PROBLEMS_MAX: usize = 100;

/// What verification found.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// Witnesses whose cosignature was demanded and found.
    pub witnesses: Vec<String>,
    /// `given`, or `folder` where the folder's own key was trusted.
    pub key_source: &'static str,
    /// What is wrong, for people: at most 100, and a line that counts the rest.
    pub problems: Vec<String>,
    /// What is worth knowing and not wrong.
    pub notes: Vec<String>,
    /// The entry that a proof file is about, where one was verified.
    pub proved: Option<Proved>,
    #[serde(skip)]
    untold: usize,
    /// Cosignatures among the entries: size, and line.
    #[serde(skip)]
    cosigned: Vec<(u64, String)>,
    /// Timestamps among the entries, by their digest: size, and time.
    #[serde(skip)]
    stamped: BTreeMap<Digest, (u64, Timestamp)>,
    /// Checkpoints of the access log among the entries: place, size, root.
    #[serde(skip)]
    access: Vec<(u64, u64, Digest)>,
    /// Runs of entries of which one at least is bad.
    #[serde(skip)]
    suspects: Vec<Range<u64>>,
}

/// The entry that a proof file is about.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Proved {
    /// Its place in the log.
    pub index: u64,
    /// The entry, where it is JSON.
    pub entry: serde_json::Value,
}

/// What an auditor brings to a verification. Nothing of it is needed; the more, the more is found.
#[derive(Clone, Debug, Default)]
pub struct Brought {
    /// The verifier key; without it the folder's own is trusted.
    pub key: Option<VerifierKey>,
    /// Checkpoints that were kept elsewhere: what they are called, and the note.
    pub kept: Vec<(String, String)>,
    /// Witnesses that must have cosigned.
    pub witnesses: Vec<CosignerKey>,
    /// The folder of the access log, against which the checkpoints of it are held that the register has.
    pub access: Option<PathBuf>,
}

impl Report {
    fn new(key_source: &'static str) -> Self {
        Self { key_source, ..Self::default() }
    }

    /// Adds what was found in a part.
    fn absorb(&mut self, part: Self) {
        if let Some(seq) = part.first_bad {
            self.first_bad = Some(self.first_bad.map_or(seq, |known| known.min(seq)));
        }
        for problem in part.problems {
            self.problem(problem);
        }
        self.untold += part.untold;
        self.suspects.extend(part.suspects);
        self.notes.extend(part.notes);
        self.cosigned.extend(part.cosigned);
        self.access.extend(part.access);
        self.stamped.extend(part.stamped);
    }

    /// Something is wrong at an entry.
    fn bad(&mut self, seq: u64, problem: impl Into<String>) {
        self.first_bad = Some(self.first_bad.map_or(seq, |known| known.min(seq)));
        self.problem(problem);
    }

    /// One of these entries is bad. The first of them is named, unless another check knows which it is.
    fn suspect(&mut self, entries: Range<u64>, problem: impl Into<String>) {
        self.suspects.push(entries);
        self.problem(problem);
    }

    /// Something is wrong, and no entry can be named for it.
    fn problem(&mut self, problem: impl Into<String>) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem.into());
        } else {
            self.untold += 1;
        }
    }

    fn close(mut self) -> Self {
        for entries in std::mem::take(&mut self.suspects) {
            if self.first_bad.is_none_or(|known| known >= entries.end) {
                self.first_bad = Some(entries.start);
            }
        }
        self.ok = self.checkpoint_signed && self.first_bad.is_none() && self.problems.is_empty();
        if self.untold > 0 {
            self.problems.push(format!("and {} more", self.untold));
        }
        self
    }
}

/// Verifies a log's folder, copied or live: the register, or the access log, under the key of its own name.
#[must_use]
pub fn verify_dir(dir: &Path, key: Option<&VerifierKey>) -> Report {
    verify(dir, None, &Brought { key: key.cloned(), ..Brought::default() })
}

/// Verifies the register of a live state: the folder, and the journal that it was made from.
#[must_use]
pub fn verify_state(dir: &Path, journal: &Path, key: Option<&VerifierKey>) -> Report {
    verify(dir, Some(journal), &Brought { key: key.cloned(), ..Brought::default() })
}

/// Verifies a folder, and the journal beside it where one is given, against everything that an auditor brings.
#[must_use]
pub fn verify(dir: &Path, journal: Option<&Path>, brought: &Brought) -> Report {
    let mut report = Report::new(if brought.key.is_some() { "given" } else { "folder" });
    let own = files::text(&dir.join("vkey")).and_then(|text| VerifierKey::parse(&text).ok());
    let Some(key) = brought.key.clone().or(own) else {
        report.problem(format!("'{}' holds no verifier key", dir.join("vkey").display()));
        return report.close();
    };
    let source = journal.map(|path| Source { path, key: &key, log: Stored::Register });
    let Read { checkpoint, tree, journal: in_journal } = read(dir, &key, source, &mut report);
    if let Some(checkpoint) = &checkpoint {
        report.checkpoint_signed = true;
        report.size = checkpoint.size;
        report.root = Some(checkpoint.root);
    }
    kept(&brought.kept, &key, &tree, &mut report);
    witnesses::check(&brought.witnesses, key.name(), &tree, &mut report);
    if checkpoint.is_some() {
        timestamps::check(dir, key.name(), &tree, &mut report);
    }
    report.absorb(in_journal);
    if let Some(folder) = &brought.access {
        access::check(folder, journal, &key, &mut report);
    }
    report.close()
}

/// What was read of a log.
struct Read<'a> {
    /// The published checkpoint, where it is signed.
    checkpoint: Option<Checkpoint>,
    /// The tree of the published entries.
    tree: Tree<'a>,
    /// What was found in the journal.
    journal: Report,
}

/// Reads and judges a folder under its key, and the journal beside it; adds to the report what is found in the folder.
fn read<'a>(
    dir: &'a Path,
    key: &VerifierKey,
    journal: Option<Source<'_>>,
    report: &mut Report,
) -> Read<'a> {
    let path = dir.join("checkpoint");
    let checkpoint = match files::text(&path).map(|note| key.open(&note)) {
        Some(Ok(checkpoint)) => Some(checkpoint),
        Some(Err(error)) => {
            report.problem(format!("'{}': {error}", path.display()));
            None
        }
        None => {
            report.problem(format!("'{}' cannot be read", path.display()));
            None
        }
    };
    let folder = checkpoint.as_ref().map(|checkpoint| Folder::of(dir, checkpoint));
    // Also where the published checkpoint is bad: the journal keeps signed checkpoints of its own.
    let log = Log { folder, journal, checkpoint: checkpoint.as_ref() };
    let (tree, [mut found, journal]) = log.walk(Tree::of(dir));
    if let (Some(folder), Some(checkpoint)) = (&log.folder, &checkpoint) {
        folder.root(&tree, checkpoint.root, &mut found);
        report.absorb(found);
        seal::check(dir, key, checkpoint, &tree, report);
    }
    Read { checkpoint, tree, journal }
}

/// Checkpoints that were kept elsewhere, each against the entries that it was signed over. This finds what the folder
/// cannot tell of itself: an older state put back, a cut at a checkpoint, another history under the same key.
fn kept(notes: &[(String, String)], key: &VerifierKey, tree: &Tree<'_>, report: &mut Report) {
    let mut known: Vec<(&str, Checkpoint)> = Vec::new();
    for (name, note) in notes {
        match key.open(note) {
            Ok(checkpoint) => known.push((name, checkpoint)),
            Err(error) => report.problem(format!("'{name}': {error}")),
        }
    }
    known.sort_by_key(|(_, checkpoint)| checkpoint.size);
    let mut roots = tree.roots();
    for (name, checkpoint) in known {
        let size = checkpoint.size;
        let root = roots.at(size);
        if root.is_none() {
            let have = report.size.min(tree.size());
            report.problem(format!(
                "'{name}' was signed over {size} entries, and {have} are here: an older state was put back, or the end cut off"
            ));
        } else if root == Some(checkpoint.root) {
            report.notes.push(format!("'{name}': these are its {size} entries"));
        } else {
            report.problem(format!(
                "'{name}' was signed over {size} other entries: this is another history"
            ));
        }
    }
}
