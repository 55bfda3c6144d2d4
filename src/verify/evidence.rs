//! Verification of an evidence bundle: one file, no agent, no network, and nothing that is in it is believed unsaid.
//!
//! What is proven is told apart from what is only stated: entries by proofs that lead to the signed checkpoint, decisions
//! by signatures of the keys that proven entries give to accounts, certificates by the register key, the manifest by its
//! signature and by what the register says of it. The rest is held to the list of sums alone, and named.
//!
//! A bundle proves that what is in it is in the register. That nothing is missing from it, the whole register shows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::frame::{self, Files};
use crate::domain::{
    certificate::Certificate,
    checkpoint::{Checkpoint, VerifierKey},
    digest::Digest,
    entry::{AccountFacts, Body, Entry, Signed},
    ids::BatchId,
    manifest::{MANIFEST_NAMESPACE, Manifest},
    merkle,
    proof::Inclusion,
    signed::{COMMAND_NAMESPACE, DECISION_NAMESPACE, SignedText},
    sshsig,
    step::{Outcome, Plan},
};

pub use super::frame::BUNDLE_BYTES_MAX;

/// Head of a bundle: `evidence.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Version of this form, 1.
    pub batchward: u32,
    /// Origin of the register.
    pub origin: String,
    /// The batch.
    pub batch: BatchId,
    /// Provider's number.
    pub number: Option<String>,
    /// Entries of the register that the proofs are for.
    pub size: u64,
    /// Verifier key of the register.
    pub vkey: String,
    /// Whether the manifest is here; it goes with the record of the batch.
    pub manifest: bool,
}

/// What verification found.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EvidenceReport {
    /// Whether everything holds.
    pub ok: bool,
    /// The batch.
    pub batch: Option<BatchId>,
    /// Origin of the register.
    pub origin: Option<String>,
    /// Entries that the checkpoint says.
    pub size: u64,
    /// `given`, or `bundle` where its own verifier key was trusted.
    pub key_source: &'static str,
    /// Entries that are proven.
    pub entries: u64,
    /// Signed decisions and commands that are proven.
    pub signatures: u64,
    /// Decisions among the entries that were recorded from signed documents: two people signed for each that they saw it.
    pub from_paper: u64,
    /// Certificates that hold.
    pub certificates: u64,
    /// Fingerprint of the key that signed the manifest, for comparison with the provider's; null where the manifest is
    /// not here, or was never found good.
    pub manifest_key: Option<String>,
    /// What is wrong, for people.
    pub problems: Vec<String>,
    /// Files that nobody signed: statements, held to the list of sums alone.
    pub stated: Vec<String>,
}

/// Verifies a bundle, under the verifier key that the reader holds or else the bundle's own.
#[must_use]
pub fn verify(bundle: &[u8], key: Option<&VerifierKey>) -> EvidenceReport {
    let source = if key.is_some() { "given" } else { "bundle" };
    let mut report = EvidenceReport { key_source: source, ..EvidenceReport::default() };
    match frame::files(bundle) {
        Err(problem) => report.problems.push(problem),
        Ok(files) => match Case::new(&files, key) {
            Err(problem) => report.problems.push(problem),
            Ok(mut case) => {
                case.check();
                case.tell(&mut report);
            }
        },
    }
    report.ok = report.problems.is_empty();
    report
}

/// A proven entry.
struct Known {
    entry: Entry,
    leaf: Digest,
}

struct Case<'f> {
    files: &'f Files,
    head: Head,
    key: VerifierKey,
    checkpoint: Checkpoint,
    entries: BTreeMap<u64, Known>,
    proven: BTreeSet<String>,
    signatures: u64,
    certificates: u64,
    manifest_key: Option<String>,
    problems: Vec<String>,
}

impl<'f> Case<'f> {
    fn new(files: &'f Files, key: Option<&VerifierKey>) -> Result<Self, String> {
        let file = |name: &str| files.get(name).ok_or(format!("'{name}' is missing"));
        let text = file("evidence.json")?;
        let head: Head =
            serde_json::from_slice(text).map_err(|error| format!("'evidence.json': {error}"))?;
        let written = serde_json::to_vec_pretty(&head).unwrap_or_default();
        if text.strip_suffix(b"\n") != Some(written.as_slice()) || head.batchward != 1 {
            return Err("'evidence.json' is of another version".to_owned());
        }
        let own = VerifierKey::parse(&head.vkey).map_err(|e| format!("'evidence.json': {e}"))?;
        let key = key.cloned().unwrap_or_else(|| own.clone());
        let note = String::from_utf8_lossy(file("checkpoint")?);
        let checkpoint = key.open(&note).map_err(|error| format!("'checkpoint': {error}"))?;
        let sig = file("checkpoint.body.sig")?;
        key.check_sshsig(sig, &checkpoint)
            .map_err(|error| format!("'checkpoint.body.sig': {error}"))?;
        if !sshsig::is_as_written(sig) {
            return Err("'checkpoint.body.sig' has another form than it was written in".to_owned());
        }
        for (name, due) in
            [("checkpoint.body", checkpoint.body()), ("allowed_signers", key.allowed_signer())]
        {
            if file(name)? != due.as_bytes() {
                return Err(format!("'{name}' is not what the checkpoint and its key say"));
            }
        }
        if checkpoint.size != head.size || key.name() != head.origin || own != key {
            return Err("'evidence.json' is about another checkpoint".to_owned());
        }
        let proven = ["SHA256SUMS", "checkpoint", "checkpoint.body", "checkpoint.body.sig"];
        let proven = proven.into_iter().chain(["allowed_signers", "evidence.json"]);
        Ok(Self {
            files,
            head,
            key,
            checkpoint,
            entries: BTreeMap::new(),
            proven: proven.map(str::to_owned).collect(),
            signatures: 0,
            certificates: 0,
            manifest_key: None,
            problems: Vec::new(),
        })
    }

    fn tell(self, report: &mut EvidenceReport) {
        report.batch = Some(self.head.batch);
        report.origin = Some(self.head.origin);
        report.size = self.checkpoint.size;
        report.entries = self.entries.len() as u64;
        let confirmed = self
            .entries
            .values()
            .filter(|known| matches!(known.entry.body, Body::DecisionConfirmed(_)));
        report.from_paper = confirmed.count() as u64;
        report.signatures = self.signatures;
        report.certificates = self.certificates;
        report.manifest_key = self.manifest_key;
        report.problems.extend(self.problems);
        let all = self.files.keys();
        report.stated = all.filter(|name| !self.proven.contains(*name)).cloned().collect();
    }

    fn check(&mut self) {
        for (name, bytes) in self.files {
            let Some(stem) = name.strip_suffix(".tlog-proof") else { continue };
            match self.entry(bytes) {
                Ok((seq, known, text)) => {
                    let plain = format!("{stem}.json");
                    if stem != format!("entries/{seq:08}") {
                        self.problems.push(format!("'{name}' is the proof of entry {seq}"));
                    } else if self.files.get(&plain) == Some(&text) {
                        self.proven.extend([name.clone(), plain]);
                    } else {
                        self.problems.push(format!("'{plain}' is not the entry of its proof"));
                    }
                    self.entries.insert(seq, known);
                }
                Err(problem) => self.problems.push(format!("'{name}': {problem}")),
            }
        }
        self.story();
        self.signed();
        self.certificates();
        self.manifest();
    }

    fn entry(&self, bytes: &[u8]) -> Result<(u64, Known, Vec<u8>), String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "no text".to_owned())?;
        let proof = Inclusion::parse(text).map_err(|error| error.to_string())?;
        let entry = proof.entry.ok_or("it carries no entry")?;
        // Byte for byte the bundle's checkpoint: nothing stands below a proof that nobody looks at.
        if self.files.get("checkpoint").map(Vec::as_slice) != Some(proof.note.as_bytes()) {
            return Err("it leads to another checkpoint".to_owned());
        }
        let leaf = merkle::leaf_hash(&entry);
        let (size, root) = (self.checkpoint.size, self.checkpoint.root);
        if !merkle::verify_inclusion(leaf, proof.index, size, &proof.hashes, root) {
            return Err("the entry is not in the register".to_owned());
        }
        let read = Entry::from_bytes(&entry).map_err(|error| error.to_string())?;
        Ok((proof.index, Known { entry: read, leaf }, entry))
    }

    /// The entries are about the batch: its claim is there, and the number that the head says.
    fn story(&mut self) {
        let bodies = || self.entries.values().map(|known| &known.entry.body);
        let claim = |body: &Body| matches!(body, Body::Intent { plan: Plan::Claim { batch, .. } } if *batch == self.head.batch);
        let claimed = bodies().any(claim);
        let numbered = |body: &Body| match body {
            Body::Outcome { outcome: Outcome::Verified { manifest, .. }, .. } => {
                Some(manifest.number.clone())
            }
            Body::Outcome { outcome: Outcome::Refused { verdict }, .. } => verdict.number.clone(),
            _ => None,
        };
        let number = bodies().filter_map(numbered).next_back();
        if !claimed {
            self.problems.push(format!("the claim of {} is not proven", self.head.batch));
        }
        if number != self.head.number {
            self.problems.push("'evidence.json' says another number than the entries".to_owned());
        }
    }

    /// Every signed text of a proven entry is there as a file, about what the entry says, under the key that the
    /// account had by the entries before it.
    fn signed(&mut self) {
        let (mut keys, mut proposed) = (BTreeMap::new(), BTreeMap::new());
        let mut signers = String::new();
        let leaves: BTreeSet<Digest> = self.entries.values().map(|known| known.leaf).collect();
        for (seq, Known { entry, .. }) in &self.entries {
            if let Some(signed) = entry.body.signed() {
                let (text, sig) =
                    (format!("signed/{seq:08}.txt"), format!("signed/{seq:08}.txt.sig"));
                let is = |name: &String, due: &str| {
                    self.files.get(name).map(Vec::as_slice) == Some(due.as_bytes())
                };
                if !is(&text, &signed.text) || !is(&sig, &signed.signature) {
                    self.problems.push(format!("'{text}' is not what entry {seq} holds"));
                } else if let Err(problem) = self.counts(entry, signed, &keys, &leaves) {
                    self.problems.push(format!("entry {seq}: {problem}"));
                } else {
                    self.proven.extend([text, sig]);
                    self.signatures += 1;
                }
            }
            let mut add = |facts: &AccountFacts| {
                let Some(key) = &facts.key else { return };
                let spaces = format!("{DECISION_NAMESPACE},{COMMAND_NAMESPACE}");
                signers.push_str(&format!("{} namespaces=\"{spaces}\" {key}\n", facts.name));
            };
            match &entry.body {
                Body::SiteCreated { founders, .. } => {
                    founders.iter().for_each(&mut add);
                    keys.extend(founders.iter().map(|f| (f.name.clone(), f.key.clone())));
                }
                Body::AccountProposed { account, .. } => {
                    proposed.insert(account.name.clone(), account.clone());
                }
                // In force is what a second person confirmed.
                Body::AccountConfirmed { name, .. } => {
                    if let Some(facts) = proposed.remove(name) {
                        add(&facts);
                        keys.insert(name.clone(), facts.key);
                    }
                }
                Body::AccountDisabled { name, .. } => drop(keys.remove(name)),
                _ => {}
            }
        }
        if self.files.get("signers").map(Vec::as_slice) == Some(signers.as_bytes()) {
            self.proven.insert("signers".to_owned());
        } else {
            self.problems.push("'signers' are not the accounts of the entries".to_owned());
        }
    }

    fn counts(
        &self,
        entry: &Entry,
        signed: &Signed,
        keys: &BTreeMap<String, Option<String>>,
        leaves: &BTreeSet<Digest>,
    ) -> Result<(), String> {
        let text = SignedText::parse(&signed.text).map_err(|fault| fault.to_string())?;
        let good = |namespace: &'static str| {
            let by = sshsig::verify(signed.signature.as_bytes(), signed.text.as_bytes(), namespace);
            by.ok().map(|by| (by, namespace))
        };
        let (by, namespace) = good(DECISION_NAMESPACE)
            .or_else(|| good(COMMAND_NAMESPACE))
            .ok_or("the signature is not good")?;
        if keys.get(&entry.by) != Some(&Some(by.text())) || by.fingerprint() != signed.key {
            return Err(format!("it is not signed by '{}'", entry.by));
        }
        // What begins something decides on no entry.
        let begins = matches!(entry.body, Body::HoldPlaced { .. });
        let on = text.object_digest.is_some_and(|digest| leaves.contains(&digest));
        if text.origin != self.head.origin || (namespace == DECISION_NAMESPACE && !begins && !on) {
            return Err("what was signed is about something else".to_owned());
        }
        Ok(())
    }

    fn certificates(&mut self) {
        for (name, bytes) in self.files {
            let stem = name.strip_prefix("certificates/").and_then(|n| n.strip_suffix(".json"));
            let Some(stem) = stem else { continue };
            let certificate = match Certificate::verify(bytes, Some(&self.key)) {
                Ok(certificate) => certificate,
                Err(fault) => {
                    self.problems.push(format!("'{name}': {fault}"));
                    continue;
                }
            };
            let issued = |known: &Known| matches!(&known.entry.body, Body::Outcome { outcome: Outcome::Certified { certificate }, .. } if *certificate == Digest::of(bytes));
            if !certificate.batches.contains(&self.head.batch)
                || certificate.order.to_string() != stem
                || !self.entries.values().any(issued)
            {
                self.problems.push(format!("'{name}' is not a certificate of these entries"));
                continue;
            }
            // What stock tools verify is taken from the file that was verified here.
            let text = format!("certificates/{stem}.txt");
            let sig = format!("{text}.sig");
            let signature = serde_json::from_slice::<serde_json::Value>(bytes).ok();
            let signature = signature.as_ref().and_then(|file| file["signature"].as_str());
            let signed = self.files.get(&sig).map(Vec::as_slice);
            if self.files.get(&text) != certificate.canonical().ok().as_ref()
                || signed != signature.map(str::as_bytes)
                || !signed.is_some_and(sshsig::is_as_written)
            {
                self.problems.push(format!("'{text}' is not what '{name}' certifies"));
                continue;
            }
            self.proven.extend([text, sig, name.clone()]);
            self.certificates += 1;
        }
    }

    /// The manifest is the one that the register says was verified, under the signature that came with it. Of a batch
    /// that was never verified it is a statement: its signature may be what was wrong.
    fn manifest(&mut self) {
        let [name, sig] = ["manifest.yaml", "manifest.yaml.sig"];
        let (bytes, signature) = (self.files.get(name), self.files.get(sig));
        if bytes.is_some() != self.head.manifest {
            self.problems.push(format!("'evidence.json' says otherwise whether '{name}' is here"));
        }
        let verified = |known: &Known| match &known.entry.body {
            Body::Outcome { outcome: Outcome::Verified { manifest, .. }, .. } => {
                Some(manifest.clone())
            }
            _ => None,
        };
        let told = self.entries.values().filter_map(verified).next_back();
        let (Some(told), Some(bytes)) = (told, bytes) else { return };
        let by = signature.and_then(|sig| sshsig::verify(sig, bytes, MANIFEST_NAMESPACE).ok());
        let Some(by) = by else {
            self.problems.push("the manifest's signature is not good".to_owned());
            return;
        };
        let same = Manifest::parse(bytes).is_ok_and(|read| {
            read.batch == told.number
                && (read.kind, read.sequence) == (told.kind, told.sequence)
                && read.notified_at == told.notified_at
                && (read.records, read.applied) == (told.records, told.applied)
                && self.has_files(&read)
        });
        if !same {
            self.problems.push(format!("'{name}' is not the one that the entries tell of"));
            return;
        }
        self.proven.insert(name.to_owned());
        // A provider's tool may break lines otherwise: white space that its signature does not cover.
        if signature.is_some_and(|sig| sshsig::is_as_written(sig)) {
            self.proven.insert(sig.to_owned());
        }
        self.manifest_key = Some(by.fingerprint());
    }

    /// Whether the files that the manifest names are those that the claim took.
    fn has_files(&self, manifest: &Manifest) -> bool {
        let claimed = |known: &Known| match &known.entry.body {
            Body::Outcome { outcome: Outcome::Claimed { files, .. }, .. } => Some(files.clone()),
            _ => None,
        };
        let files = self.entries.values().find_map(claimed).unwrap_or_default();
        manifest.files.iter().all(|due| {
            files.iter().any(|file| file.sha256 == Some(due.sha256) && file.bytes == due.bytes)
        })
    }
}
