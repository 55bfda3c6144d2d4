//! Verification of a pack for an inspection: one file, no agent, no network.
//!
//! Nothing in it is only stated: the register is there whole and leads to the signed checkpoint, and an entry that came
//! after it names the index, which names each other file with its sum. So whoever packs it anew is found out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::frame::{self, Files};
use crate::domain::{
    audits::ReportKind,
    checkpoint::VerifierKey,
    digest::Digest,
    entry::{Body, Entry},
    merkle::{self, Frontier},
    proof::Inclusion,
    time::Timestamp,
};

/// Name of the index.
pub const INDEX: &str = "index.json";
/// Name of the proof that the index is in the register.
pub const PROOF: &str = "index.tlog-proof";
/// Name of the register's entries, one a line.
pub const ENTRIES: &str = "register/entries.jsonl";
/// Name of the signed checkpoint over them.
pub const CHECKPOINT: &str = "register/checkpoint";

/// The index: where the pack comes from, and the sum of each of its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Version of this form, 1.
    pub batchward: u32,
    /// Origin of the register.
    pub origin: String,
    /// When it was made: the time of the register's last entry then.
    pub made_at: Timestamp,
    /// Entries of the register.
    pub size: u64,
    /// Root over them.
    pub root: Digest,
    /// Verifier key of the register.
    pub vkey: String,
    /// SHA-256 of each file, by name.
    pub files: BTreeMap<String, Digest>,
}

/// What verification found.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PackReport {
    /// Whether everything holds.
    pub ok: bool,
    /// Origin of the register.
    pub origin: Option<String>,
    /// Entries of the register that are in it: all there were.
    pub size: u64,
    /// Files that the index names.
    pub files: u64,
    /// The entry that names the index.
    pub entry: Option<u64>,
    /// `given`, or `pack` where its own verifier key was trusted.
    pub key_source: &'static str,
    /// What does not hold.
    pub problems: Vec<String>,
}

/// Verifies a pack; without a key, under its own.
#[must_use]
pub fn verify(pack: &[u8], key: Option<&VerifierKey>) -> PackReport {
    let key_source = if key.is_some() { "given" } else { "pack" };
    let mut report = PackReport { key_source, ..PackReport::default() };
    if let Err(problem) = frame::files(pack).and_then(|files| check(&files, key, &mut report)) {
        report.problems.push(problem);
    }
    report.ok = report.problems.is_empty();
    report
}

fn check(files: &Files, key: Option<&VerifierKey>, report: &mut PackReport) -> Result<(), String> {
    let file = |name: &str| files.get(name).ok_or_else(|| format!("'{name}' is not there"));
    let raw = file(INDEX)?;
    let index: Index = serde_json::from_slice(raw).map_err(|e| format!("'{INDEX}': {e}"))?;
    let own = VerifierKey::parse(&index.vkey).map_err(|e| format!("'{INDEX}': {e}"))?;
    let key = key.cloned().unwrap_or_else(|| own.clone());
    if own != key || key.name() != index.origin {
        return Err(format!("'{INDEX}' is of another register"));
    }
    report.origin = Some(index.origin.clone());
    sums(files, &index, report);
    register(files, &index, &key)?;
    report.size = index.size;
    report.entry = Some(named(file(PROOF)?, Digest::of(raw), &index, &key)?);
    Ok(())
}

/// Each file is the one that the index names, and there is no other.
fn sums(files: &Files, index: &Index, report: &mut PackReport) {
    for (name, sum) in &index.files {
        match files.get(name) {
            Some(bytes) if Digest::of(bytes) == *sum => report.files += 1,
            Some(_) => report.problems.push(format!("'{name}' is not what the index names")),
            None => report.problems.push(format!("'{name}' is not there")),
        }
    }
    let around = [INDEX, PROOF, "SHA256SUMS"];
    let more = files.keys().filter(|name| !index.files.contains_key(*name));
    for name in more.filter(|name| !around.contains(&name.as_str())) {
        report.problems.push(format!("the index does not name '{name}'"));
    }
}

/// The entries are those of the signed checkpoint: none is missing, and none was changed.
fn register(files: &Files, index: &Index, key: &VerifierKey) -> Result<(), String> {
    let note = files.get(CHECKPOINT).ok_or_else(|| format!("'{CHECKPOINT}' is not there"))?;
    let checkpoint = key
        .open(&String::from_utf8_lossy(note))
        .map_err(|error| format!("'{CHECKPOINT}': {error}"))?;
    let entries = files.get(ENTRIES).ok_or_else(|| format!("'{ENTRIES}' is not there"))?;
    let mut tree = Frontier::new();
    for line in entries.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        tree.append(merkle::leaf_hash(line));
    }
    let same = tree.size() == checkpoint.size && tree.root() == checkpoint.root;
    if !same || (index.size, index.root) != (checkpoint.size, checkpoint.root) {
        return Err(format!("'{ENTRIES}' is not the register of the checkpoint"));
    }
    Ok(())
}

/// The place of the entry that names the index.
fn named(proof: &[u8], sum: Digest, index: &Index, key: &VerifierKey) -> Result<u64, String> {
    let text = String::from_utf8_lossy(proof);
    let proof = Inclusion::parse(&text).map_err(|error| format!("'{PROOF}': {error}"))?;
    let entry = proof.entry.as_deref().ok_or_else(|| format!("'{PROOF}' carries no entry"))?;
    let checkpoint = key.open(&proof.note).map_err(|error| format!("'{PROOF}': {error}"))?;
    let leaf = merkle::leaf_hash(entry);
    if proof.index < index.size
        || !merkle::verify_inclusion(
            leaf,
            proof.index,
            checkpoint.size,
            &proof.hashes,
            checkpoint.root,
        )
    {
        return Err(format!("'{PROOF}': the entry is not in the register"));
    }
    let read = Entry::from_bytes(entry).map_err(|error| format!("'{PROOF}': {error}"))?;
    match read.body {
        Body::ReportMade(made) if made.kind == ReportKind::Pack && made.form == sum => {
            Ok(proof.index)
        }
        _ => Err(format!("'{PROOF}' is about something else than '{INDEX}'")),
    }
}
