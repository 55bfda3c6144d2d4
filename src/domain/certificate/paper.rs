//! The certificate of destruction (DESIGN 9): the fields of NIST SP 800-88, and proof that the register says the
//! same. It is self-contained: whoever holds the verifier key checks it without an agent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Assurance, AttestedCopy, InBoth, PaperApproval, Why, why};
use crate::domain::{
    checkpoint::VerifierKey,
    digest::Digest,
    entry,
    ids::{BatchId, CopyId, OrderId, StandingId},
    inventory::Sanitization,
    merkle,
    person::StandsFor,
    secret::Secret,
    sshsig,
    step::BackupFacts,
    time::Timestamp,
    wipe::WipeReport,
};

/// SSHSIG namespace of certificates (DESIGN 5).
pub const NAMESPACE: &str = "batchward-certificate";

/// What is certified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Version of this form, 1.
    pub batchward: u32,
    /// Site.
    pub site: String,
    /// Register key in OpenSSH form, which signed this.
    pub register_key: String,
    /// Verifier key of the register.
    pub vkey: String,
    /// The order.
    pub order: OrderId,
    /// Its batches.
    pub batches: Vec<BatchId>,
    /// Why it was requested.
    pub reason: String,
    /// Requester.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// Approver.
    pub approved_by: String,
    /// When.
    pub approved_at: Timestamp,
    /// Performer.
    pub executed_by: String,
    /// Tool and version.
    pub tool: String,
    /// Place.
    pub place: String,
    /// Date of this certificate.
    pub at: Timestamp,
    /// Steps that failed and were repeated.
    pub retries: u64,
    /// The copies that the agent kept, wiped by it.
    pub copies: Vec<CertifiedCopy>,
    /// The copies that people kept, destroyed by them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attested: Vec<AttestedCopy>,
    /// Who is named above, as their accounts say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// Backups and snapshots that hold the agent's state, as its administrator states them; nothing where nothing is
    /// stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backups: Option<Vec<BackupFacts>>,
    /// What this does not cover.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<InBoth>,
    /// Proof of the request, which names every copy that the order covers.
    pub request: Proof,
    /// Proof of the approval.
    pub approval: Proof,
    /// Approvals before the one that made the order count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_approvals: Vec<FurtherApproval>,
    /// Of these approvals, those that were recorded from signed documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_paper: Vec<PaperApproval>,
    /// The standing approval that the order rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<StandingPaper>,
    /// Why and when it was stopped before its end, and what it left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// Copies that it left out because nobody could reach them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// Records of batches, which stay with what was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records_left: Vec<CopyId>,
    /// The signed checkpoint that the proofs are for.
    pub checkpoint: String,
}

/// Somebody who is named in it (NIST SP 800-88: name, title).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The account.
    pub account: String,
    /// 姓名.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// 職稱.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// 單位.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// For whom he acted as a deputy in what is certified (職務代理).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy: Option<StandsFor>,
}

/// An approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FurtherApproval {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Proof.
    pub proof: Proof,
}

/// A standing approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingPaper {
    /// Its id.
    pub standing: StandingId,
    /// Document number.
    pub doc_no: String,
    /// Its end.
    pub until: Timestamp,
    /// Proof of what was proposed.
    pub proposal: Proof,
    /// Proof that a supervisor confirmed it.
    pub confirmation: Proof,
}

/// The end of an order before its last copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stopped {
    /// Why: `hold`, `cancelled`, `expired`, …
    pub code: String,
    /// When.
    pub at: Timestamp,
    /// Copies that it left.
    pub left: Vec<CopyId>,
    /// Proof.
    pub proof: Proof,
}

/// A copy that an order left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The copy.
    pub copy: CopyId,
    /// Who answers for it.
    pub owner: String,
    /// By when it is to be brought back.
    pub until: Timestamp,
    /// Proof.
    pub proof: Proof,
}

/// One copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertifiedCopy {
    /// Its id.
    pub copy: CopyId,
    /// Its batch.
    pub batch: BatchId,
    /// Kind.
    pub kind: String,
    /// Medium: the filesystem that it lay on.
    pub medium: String,
    /// Bytes.
    pub bytes: u64,
    /// Its digest, where one is known.
    pub sha256: Option<Digest>,
    /// Method.
    pub method: String,
    /// Verification.
    pub verification: String,
    /// What is proven.
    pub assurance: Assurance,
    /// The same in words.
    pub meaning: String,
    /// The same in both languages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_words: Option<InBoth>,
    /// Why it is not more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<Why>,
    /// What it comes to (NIST SP 800-88); nothing for a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sanitization: Option<Sanitization>,
    /// What the wipe found, did and proved: filesystem, extents, passes, errors, retries, time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<WipeReport>>,
    /// Files that were wiped.
    pub files: u64,
    /// Errors and oddities, with counts.
    pub notes: BTreeMap<String, u64>,
    /// When it was wiped.
    pub at: Timestamp,
    /// Proof of the outcome.
    pub proof: Proof,
}

/// Proof that an entry is in the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Its place.
    pub seq: u64,
    /// Its canonical bytes.
    pub entry: String,
    /// Inclusion proof in the tree of the checkpoint.
    pub hashes: Vec<Digest>,
}

/// The file: what is certified, and the signature over its canonical bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    certificate: Certificate,
    signature: String,
}

/// Why a certificate does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// Not a certificate.
    #[error("not a certificate of this form")]
    Form,
    /// Not signed by the register key that it names.
    #[error("the signature is not that of the register key")]
    Signature,
    /// The checkpoint is not signed by the verifier key.
    #[error("the checkpoint in it is not signed by the verifier key")]
    Checkpoint,
    /// An entry is not in the register.
    #[error("an entry in it is not proven by the checkpoint")]
    Proof,
    /// It says something else than the register.
    #[error("it says something else than the register's entries in it")]
    Differs,
}

impl Certificate {
    /// The bytes that are signed.
    ///
    /// # Errors
    /// JSON cannot hold it.
    pub fn canonical(&self) -> Result<Vec<u8>, serde_json::Error> {
        entry::canonical(self)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// JSON cannot hold it.
    pub fn file(&self, signature: &str) -> Result<Vec<u8>, serde_json::Error> {
        let envelope = Envelope { certificate: self.clone(), signature: signature.to_owned() };
        let mut bytes = serde_json::to_vec_pretty(&serde_json::to_value(envelope)?)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads and verifies a file, under the verifier key that the reader holds or else the certificate's own.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(file: &[u8], key: Option<&VerifierKey>) -> Result<Self, CertificateFault> {
        let Envelope { certificate, signature } =
            serde_json::from_slice(file).map_err(|_| CertificateFault::Form)?;
        let signed = certificate.canonical().map_err(|_| CertificateFault::Form)?;
        // One certificate has one form: white space or the order of fields would carry what nobody signed.
        if certificate.file(&signature).ok().as_deref() != Some(file) {
            return Err(CertificateFault::Form);
        }
        let signer = sshsig::verify(signature.as_bytes(), &signed, NAMESPACE)
            .map_err(|_| CertificateFault::Signature)?;
        let own = VerifierKey::parse(&certificate.vkey).map_err(|_| CertificateFault::Form)?;
        let key = key.unwrap_or(&own);
        // One key does both: the SSH form must be the verifier key's own, else a stranger could have signed.
        if signer.text() != certificate.register_key || key.ssh_key() != certificate.register_key {
            return Err(CertificateFault::Signature);
        }
        let checkpoint =
            key.open(&certificate.checkpoint).map_err(|_| CertificateFault::Checkpoint)?;
        for proof in certificate.proofs() {
            let leaf = merkle::leaf_hash(proof.entry.as_bytes());
            if !merkle::verify_inclusion(
                leaf,
                proof.seq,
                checkpoint.size,
                &proof.hashes,
                checkpoint.root,
            ) {
                return Err(CertificateFault::Proof);
            }
        }
        if certificate.agrees() { Ok(certificate) } else { Err(CertificateFault::Differs) }
    }

    /// Every proof in it.
    fn proofs(&self) -> impl Iterator<Item = &Proof> {
        let copies = self.copies.iter().map(|copy| &copy.proof);
        let further = self.further_approvals.iter().map(|approval| &approval.proof);
        let standing = self.standing.iter().flat_map(|s| [&s.proposal, &s.confirmation]);
        let stopped = self.stopped.iter().map(|stopped| &stopped.proof);
        let left = self.left_out.iter().map(|left| &left.proof);
        let attested = self.attested.iter().flat_map(AttestedCopy::proofs);
        let copies = copies.chain(attested);
        copies
            .chain([&self.request, &self.approval])
            .chain(further)
            .chain(self.on_paper.iter().map(|paper| &paper.entered))
            .chain(standing)
            .chain(stopped)
            .chain(left)
    }

    /// Whether what it says of copies and approval is what the proven entries say.
    fn agrees(&self) -> bool {
        let copies = self.copies.iter().all(|copy| {
            let Ok(entry) = entry::Entry::from_bytes(copy.proof.entry.as_bytes()) else {
                return false;
            };
            match entry.body {
                entry::Body::Outcome {
                    outcome: crate::domain::step::Outcome::CopyWiped { wiped },
                    ..
                } => {
                    wiped.assurance == copy.assurance
                        && (wiped.files, wiped.bytes) == (copy.files, copy.bytes)
                        && wiped.filesystem == copy.medium
                        && wiped.notes == copy.notes
                        && copy.meaning == copy.assurance.meaning()
                        && copy.words_agree(wiped.report.as_deref())
                        && entry.at == copy.at
                }
                _ => false,
            }
        });
        let attested = self.attested.iter().all(|copy| copy.agrees(self.order));
        copies && attested && self.request_agrees() && self.approvals_agree() && self.ends_agree()
    }

    /// Whether it tells of every copy that was ordered, once, and of no other; and whether as many people approved as the
    /// request asks for.
    fn request_agrees(&self) -> bool {
        let Ok(entry) = entry::Entry::from_bytes(self.request.entry.as_bytes()) else {
            return false;
        };
        let entry::Body::OrderRequested { order, copies, reason, approvers, .. } = &entry.body
        else {
            return false;
        };
        let told = self.order == *order
            && self.reason == *reason
            && self.requested_by == entry.by
            && self.requested_at == entry.at;
        let approved = self.further_approvals.len() as u64 + 1;
        let enough = self.standing.is_some() || approved >= u64::from(approvers.unwrap_or(1));
        let stopped = self.stopped.iter().flat_map(|stopped| &stopped.left).copied();
        let mut ends: Vec<CopyId> = self.copies.iter().map(|copy| copy.copy).collect();
        ends.extend(self.attested.iter().map(|copy| copy.copy));
        ends.extend(self.left_out.iter().map(|copy| copy.copy));
        ends.extend(stopped.chain(self.records_left.iter().copied()));
        ends.sort_unstable();
        let mut ordered: Vec<CopyId> = copies.iter().map(|copy| copy.copy).collect();
        ordered.sort_unstable();
        let same = |copy: &CertifiedCopy| {
            copies.iter().any(|one| {
                (one.copy, one.batch, one.digest) == (copy.copy, copy.batch, copy.sha256)
            })
        };
        told && enough && ends == ordered && self.copies.iter().all(same)
    }

    /// The approvals: of people, each another one, or the standing one with its document.
    fn approvals_agree(&self) -> bool {
        let Ok(entry) = entry::Entry::from_bytes(self.approval.entry.as_bytes()) else {
            return false;
        };
        let is_approval = |proof: &Proof, by: &str, at: Timestamp| {
            entry::Entry::from_bytes(proof.entry.as_bytes()).is_ok_and(|entry| {
                let signed = matches!(entry.body, entry::Body::OrderApproved { order, .. } if order == self.order);
                (signed && entry.by == by || self.confirms(&entry, by)) && entry.at == at
            })
        };
        let Some(paper) = &self.standing else {
            return is_approval(&self.approval, &self.approved_by, self.approved_at)
                && self.further_approvals.iter().all(|a| is_approval(&a.proof, &a.by, a.at))
                && self.paper_is_used();
        };
        let requested = matches!(
            &entry.body,
            entry::Body::OrderRequested { order, standing: Some(standing), .. }
                if *order == self.order && *standing == paper.standing
        );
        let proposed = entry::Entry::from_bytes(paper.proposal.entry.as_bytes());
        let proposed = proposed.is_ok_and(|entry| {
            matches!(&entry.body, entry::Body::StandingProposed(asked)
                if asked.standing == paper.standing
                    && asked.doc_no == paper.doc_no
                    && asked.until == paper.until)
        });
        let confirmed = entry::Entry::from_bytes(paper.confirmation.entry.as_bytes());
        let confirmed = confirmed.is_ok_and(|entry| {
            entry.by == self.approved_by
                && matches!(&entry.body, entry::Body::StandingConfirmed(confirmed)
                    if confirmed.standing == paper.standing)
        });
        requested && entry.at == self.approved_at && proposed && confirmed
    }

    /// Its end: what was left out, and why it was stopped.
    fn ends_agree(&self) -> bool {
        let left = self.left_out.iter().all(|left| {
            entry::Entry::from_bytes(left.proof.entry.as_bytes()).is_ok_and(|entry| {
                matches!(&entry.body, entry::Body::CopyExcepted(exception)
                    if exception.order == self.order
                        && exception.copy == left.copy
                        && exception.owner == left.owner
                        && exception.until == left.until)
            })
        });
        let stopped = self.stopped.as_ref().is_none_or(|stopped| {
            entry::Entry::from_bytes(stopped.proof.entry.as_bytes()).is_ok_and(|entry| {
                let same = match &entry.body {
                    entry::Body::OrderVoided { order, code, .. } => {
                        *order == self.order && *code == stopped.code
                    }
                    entry::Body::OrderCancelled(stop) => {
                        stop.order == self.order && stopped.code == "cancelled"
                    }
                    _ => false,
                };
                same && entry.at == stopped.at
            })
        });
        left && stopped
    }
}

impl CertifiedCopy {
    /// Whether its words and its report follow from the level and the report that the register has. Certificates of
    /// before there were such words have none.
    fn words_agree(&self, report: Option<&WipeReport>) -> bool {
        let Some(words) = &self.in_words else {
            return self.report.is_none() && self.why.is_empty() && self.sanitization.is_none();
        };
        *words == self.assurance.in_words()
            && self.sanitization == self.assurance.sanitization()
            && self.report.as_deref() == report
            && self.why == report.map(why).unwrap_or_default()
    }
}

/// The register key as an SSH signing key, for certificates. The same 32 bytes sign checkpoints.
///
/// # Errors
/// The bytes are no key.
pub fn sign(seed: &Secret, namespace: &str, message: &[u8]) -> Result<String, sshsig::KeyFault> {
    sshsig::SigningKey::from_seed(seed)?.sign(namespace, message)
}
