//! Receipts (DESIGN 5): what arrived, and what came of it, signed by the register key for whoever sent it.
//!
//! A receipt is made of the register and of nothing else, so that making it twice gives the same bytes. It tells numbers,
//! sizes and digests of what was delivered; no names that came with the delivery, nothing of its content. It proves the
//! entry of the verdict; for the rest the signature vouches.

mod words;

use serde::{Deserialize, Serialize};

pub use self::words::{in_words, why};
use super::{
    certificate::{InBoth, Proof},
    checkpoint::VerifierKey,
    digest::Digest,
    entry::{Body, Counts, Entry},
    ids::BatchId,
    merkle,
    reason::Reason,
    signers::AllowedSigners,
    sshsig,
    step::Outcome,
    time::Timestamp,
    words::words,
};

/// The SSHSIG namespace of receipts.
pub const NAMESPACE: &str = "batchward-receipt";
/// Bytes of a receipt: one entry of the register, its proof, a checkpoint, and a line for each file of a delivery.
pub const RECEIPT_BYTES_MAX: u64 = 1 << 19;

words! {
    /// What came of a delivery.
    Judgement {
        /// Everything before the key has passed; it waits for its key, or for the change file before it.
        Verified = "verified",
        /// Committed, and the counts add up.
        Loaded = "loaded",
        /// A check failed, and a person decides.
        Quarantined = "quarantined",
        /// A person turned it down: it will be destroyed, and may be sent again corrected.
        Rejected = "rejected",
    }
}

impl Judgement {
    /// Whether the delivery was taken, as far as it was judged.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Verified | Self::Loaded)
    }
}

/// A file as it was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReceivedFile {
    /// Bytes.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: Option<Digest>,
}

/// A receipt. A newer one of the same batch takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Version of this form, 1.
    pub batchward: u32,
    /// The receiver's site.
    pub site: String,
    /// Verifier key of its register.
    pub vkey: String,
    /// The same key in OpenSSH form, which signs the receipt.
    pub register_key: String,
    /// The receiver's id of the batch.
    pub batch: BatchId,
    /// The provider's number, where a signed manifest gave one.
    pub number: Option<String>,
    /// The link that it came under.
    pub link: String,
    /// 提供機關.
    pub provider: String,
    /// 資料表號.
    pub table_no: String,
    /// When it was taken over.
    pub received_at: Timestamp,
    /// The files, in the order of the register.
    pub files: Vec<ReceivedFile>,
    /// What came of it.
    pub verdict: Judgement,
    /// Why, where it is not loaded.
    pub reason: Option<Reason>,
    /// Both in words.
    pub in_words: InBoth,
    /// When.
    pub verdict_at: Timestamp,
    /// What was counted.
    pub counts: Counts,
    /// How sure its origin is, where that was found good.
    pub strength: Option<String>,
    /// `SHA256:…` of the key that signed the manifest, where it was found good.
    pub signer: Option<String>,
    /// The number of the batch that it corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// What the sender and the receiver do next, of a delivery that was not taken. Signed like the rest; it may be worded
    /// otherwise by another version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_do: Option<InBoth>,
    /// When the receipt was made.
    pub at: Timestamp,
    /// Proof of the verdict's entry.
    pub proof: Proof,
    /// The checkpoint that it leads to.
    pub checkpoint: String,
}

/// Why a receipt does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// Not a receipt.
    #[error("not a receipt of this form")]
    Form,
    /// Not signed by the register key that it names, or not by one that counts.
    #[error("the signature is not that of the register key")]
    Signature,
    /// The list of signers does not have the key for receipts.
    #[error("the list of signers does not have this key for receipts")]
    Signer,
    /// The checkpoint is not signed by the verifier key.
    #[error("the checkpoint in it is not signed by the verifier key")]
    Checkpoint,
    /// The entry is not in the register.
    #[error("the entry in it is not proven by the checkpoint")]
    Proof,
    /// It says something else than the register.
    #[error("it says something else than the register's entry in it")]
    Differs,
}

/// Whom a reader believes.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'k> {
    /// The receipt's own key: then it only agrees with itself.
    Own,
    /// The verifier key that the reader holds.
    Key(&'k VerifierKey),
    /// The keys that a list of signers has for receipts.
    Signers(&'k AllowedSigners),
}

impl Receipt {
    /// The file: what is signed, byte for byte.
    ///
    /// # Errors
    /// JSON cannot hold it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(&serde_json::to_value(self)?)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads and verifies a file and its signature.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(file: &[u8], signature: &[u8], trust: Trust<'_>) -> Result<Self, ReceiptFault> {
        let signer =
            sshsig::verify(signature, file, NAMESPACE).map_err(|_| ReceiptFault::Signature)?;
        let receipt: Self = serde_json::from_slice(file).map_err(|_| ReceiptFault::Form)?;
        let own = VerifierKey::parse(&receipt.vkey).map_err(|_| ReceiptFault::Form)?;
        let key = match trust {
            Trust::Key(key) => key,
            Trust::Own | Trust::Signers(_) => &own,
        };
        // One key does both: the SSH form must be the verifier key's own, else a stranger could have signed.
        if signer.text() != receipt.register_key || key.ssh_key() != receipt.register_key {
            return Err(ReceiptFault::Signature);
        }
        if let Trust::Signers(list) = trust
            && list.judge(&signer, NAMESPACE, receipt.at).is_none()
        {
            return Err(ReceiptFault::Signer);
        }
        let checkpoint = key.open(&receipt.checkpoint).map_err(|_| ReceiptFault::Checkpoint)?;
        let Proof { seq, entry, hashes } = &receipt.proof;
        let leaf = merkle::leaf_hash(entry.as_bytes());
        if !merkle::verify_inclusion(leaf, *seq, checkpoint.size, hashes, checkpoint.root) {
            return Err(ReceiptFault::Proof);
        }
        if receipt.agrees() { Ok(receipt) } else { Err(ReceiptFault::Differs) }
    }

    /// Whether the proven entry is one of this verdict, and says the same of it.
    fn agrees(&self) -> bool {
        let Ok(entry) = Entry::from_bytes(self.proof.entry.as_bytes()) else { return false };
        let same = match (self.verdict, &entry.body) {
            (
                Judgement::Verified,
                Body::Outcome { outcome: Outcome::Verified { manifest, .. }, .. },
            ) => {
                self.number.as_ref() == Some(&manifest.number)
                    && self.counts.declared == Some(manifest.records)
            }
            (Judgement::Loaded, Body::Outcome { outcome: Outcome::Loaded { facts }, .. }) => {
                facts.counts == self.counts
            }
            (
                Judgement::Quarantined,
                Body::Outcome { outcome: Outcome::Refused { verdict }, .. },
            ) => self.reason == Some(verdict.reason),
            (Judgement::Rejected, Body::BatchRejected { batch, .. }) => *batch == self.batch,
            _ => false,
        };
        same && entry.at == self.verdict_at && self.in_words == in_words(self.verdict, self.reason)
    }
}
