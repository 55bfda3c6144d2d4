//! Verification of the proof of a sample: the entries that it rests on are the register's, and drawn again it is the same.
//!
//! With the published access log, also that the root is that of the log at the end of the period, and not at a size that
//! somebody chose.

use std::path::Path;

use serde::Serialize;

use super::prove::{self, Tiles};
use crate::domain::{
    access::AccessEntry,
    checkpoint::VerifierKey,
    digest::Digest,
    entry::{Body, Entry},
    ids::SampleId,
    merkle,
    sample_proof::{Entries, SAMPLE_PROOF, SampleProof},
    sampling::{Counted, SampleClass},
    time::Timestamp,
};

/// What verification found.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SampleReport {
    /// Whether it holds.
    pub ok: bool,
    /// The sample.
    pub sample: Option<SampleId>,
    /// The register.
    pub origin: Option<String>,
    /// The link.
    pub link: Option<String>,
    /// By which rule.
    pub class: Option<SampleClass>,
    /// The period.
    pub period: Option<String>,
    /// What was counted.
    pub unit: Option<Counted>,
    /// How many there are.
    pub counted: u64,
    /// How many were drawn.
    pub size: u64,
    /// Places in the access log that were drawn.
    pub drawn: Vec<u64>,
    /// Entries of the access log at the end of the period.
    pub tree_size: u64,
    /// Its root then.
    pub root: Option<Digest>,
    /// Whether that was held against a copy of the access log.
    pub access_checked: bool,
    /// When the agent was bound to the seed.
    pub bound: Option<Timestamp>,
    /// What is wrong.
    pub problems: Vec<String>,
    /// What is worth knowing and not wrong.
    pub notes: Vec<String>,
}

/// Verifies the proof of a sample under the verifier key of its register.
#[must_use]
pub fn verify(bytes: &[u8], key: &VerifierKey, access: Option<&Path>) -> SampleReport {
    let mut report = SampleReport::default();
    let proof: SampleProof = match serde_json::from_slice(bytes) {
        Ok(proof) => proof,
        Err(error) => {
            report.problems.push(format!("this is no proof of a sample: {error}"));
            return report;
        }
    };
    if proof.r#type != SAMPLE_PROOF || proof.v != 1 {
        report.problems.push("this is no proof of a sample in a form that is known".to_owned());
        return report;
    }
    (report.sample, report.origin) = (Some(proof.sample), Some(proof.origin.clone()));
    if let Some((entries, bound)) = entries(&proof, key, &mut report) {
        let terms = &entries.drawn.terms;
        report.problems.extend(proof.problems(&entries).into_iter().map(str::to_owned));
        (report.link, report.period) = (Some(terms.link.clone()), Some(terms.period.clone()));
        (report.class, report.unit) = (Some(terms.class), Some(terms.unit));
        (report.counted, report.size) = (terms.counted, terms.size);
        (report.tree_size, report.root) = (terms.tree_size, Some(terms.root));
        report.bound = Some(bound);
        if bound > terms.until {
            report.notes.push(
                "the agent was bound to the seed only after the period: it knew the root then"
                    .to_owned(),
            );
        }
        for month in &terms.unread {
            report.notes.push(format!("nothing of {month} was counted: its key was destroyed"));
        }
        let drawn = entries.listed.iter().flat_map(|(_, part)| part.drawn.values().flatten());
        report.drawn = drawn.copied().collect();
        report.drawn.sort_unstable();
        match access {
            Some(dir) => held_against(dir, &entries, &mut report),
            None => report.notes.push(
                "whether the root is that of the period's end was not looked at: --access names a copy of the access log"
                    .to_owned(),
            ),
        }
    }
    report.ok = report.problems.is_empty();
    report
}

/// The entries of a proof, where each is in the register.
fn entries(
    proof: &SampleProof,
    key: &VerifierKey,
    report: &mut SampleReport,
) -> Option<(Entries, Timestamp)> {
    let (sealed_at, sealed) = entry(&proof.sealed, key, report)?;
    let (drawn_at, drawn) = entry(&proof.drawn, key, report)?;
    let bound = sealed.at;
    let mut listed = Vec::with_capacity(proof.listed.len());
    for text in &proof.listed {
        let (at, part) = entry(text, key, report)?;
        let Body::SampleListed(part) = part.body else {
            report.problems.push(format!("entry {at} lists no sample"));
            return None;
        };
        listed.push((at, part));
    }
    match (sealed.body, drawn.body) {
        (Body::SampleSealed(sealed), Body::SampleDrawn(drawn)) => {
            Some((Entries { sealed, sealed_at, drawn, drawn_at, listed }, bound))
        }
        _ => {
            report.problems.push("the entries are not those of a sample".to_owned());
            None
        }
    }
}

fn entry(text: &str, key: &VerifierKey, report: &mut SampleReport) -> Option<(u64, Entry)> {
    let held = prove::verify_proof(text, key, &[], &[]);
    report.problems.extend(held.problems);
    let proved = held.proved.filter(|_| held.ok);
    let found = proved.and_then(|proved| {
        let entry: Entry = serde_json::from_value(proved.entry).ok()?;
        Some((proved.index, entry))
    });
    if found.is_none() && report.problems.is_empty() {
        report.problems.push("an entry of the proof cannot be read".to_owned());
    }
    found
}

/// The access log had this root at the end of the period, and no other size was its end.
fn held_against(dir: &Path, entries: &Entries, report: &mut SampleReport) {
    let terms = &entries.drawn.terms;
    let log = match prove::log_size(dir) {
        Ok(size) => size,
        Err(error) => return report.problems.push(format!("the access log: {error}")),
    };
    if log < terms.tree_size {
        return report.problems.push(format!(
            "the access log has {log} entries, and {} at the end of the period",
            terms.tree_size
        ));
    }
    let tiles = Tiles::of(dir, log);
    match merkle::root_at(terms.tree_size, &tiles) {
        Ok(root) if root == terms.root => report.access_checked = true,
        Ok(_) => report.problems.push("the access log had another root then".to_owned()),
        Err(error) => report.problems.push(format!("the access log: {error}")),
    }
    let at = |seq: u64| -> Option<Timestamp> {
        let bytes = tiles.entry(seq).ok()?;
        serde_json::from_slice::<AccessEntry>(&bytes).ok().map(|entry| entry.at)
    };
    let last = terms.tree_size.checked_sub(1).map(at);
    let next = (terms.tree_size < log).then(|| at(terms.tree_size));
    let ends = last.is_none_or(|at| at.is_some_and(|at| at <= terms.until))
        && next.is_none_or(|at| at.is_some_and(|at| at > terms.until));
    if !ends {
        report
            .problems
            .push("the end of the period was at another size of the access log".to_owned());
    }
}
