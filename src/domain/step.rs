//! Steps: what is planned, and what came of it.
//!
//! A plan fixes everything undetermined (ids, absolute times, what is covered) and stands in the register before
//! anything is done. After that line nothing may consult clock, randomness or policy again; `apply` may run twice,
//! or after half of itself. Random secrets are the one thing a plan only names: their slot is in the plan, and a
//! slot that is already live is used as it is.

use serde::{Deserialize, Serialize};

use super::{
    digest::Digest,
    entry::{
        CopyFacts, KeyFacts, KeyForm, LinkFacts, LoadFacts, ManifestFacts, PackageFacts,
        PackagePart, Signed, Verdict, WipeFacts,
    },
    ids::{
        AccessOrderId, BatchId, CopyId, DeliveryId, HandoverId, KeyId, NoticeId, OrderId, RemoteId,
        StandingId,
    },
    reason::Reason,
    source::RemoteEnd,
    time::Timestamp,
    wipe::Limit,
};

/// What will be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Plan {
    /// Copy a delivery whole into files of our own.
    Claim {
        /// The batch to be.
        batch: BatchId,
        /// The delivery.
        delivery: DeliveryId,
        /// The link.
        link: String,
        /// What the link said.
        facts: LinkFacts,
        /// The record of the batch in the erasable store.
        case: CopyId,
        /// One copy for each file that will be taken.
        files: Vec<CopyId>,
        /// Why it is claimed although it is not complete, or refused before it was copied.
        reason: Option<Reason>,
        /// The row whose announcement it rests on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<NoticeId>,
    },
    /// Wipe the originals of a claimed delivery.
    Clear {
        /// The batch.
        batch: BatchId,
    },
    /// Wipe what a copy from a medium left in an inbox that broke off: it may be in plain, and is no delivery.
    DiscardMedia {
        /// The link.
        link: String,
        /// HMAC of the name that the delivery was to have.
        name_mac: Digest,
        /// Files that lie there.
        files: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// Judge what was claimed.
    Verify {
        /// The batch.
        batch: BatchId,
    },
    /// Take a key that came into the key store, and wipe what brought it.
    TakeKey {
        /// Its id.
        key: KeyId,
        /// The link.
        link: String,
        /// The batch number that it was sent for.
        number: String,
        /// The form that it is in.
        form: KeyForm,
        /// `keybox`, or the channel that a person named.
        channel: String,
        /// Whether it lay in the keybox (and is wiped there).
        keybox: bool,
        /// Whether it is not to be kept: its batch is already loaded or rejected.
        wipe: bool,
        /// The signed command, where a person submitted it.
        signed: Option<Signed>,
    },
    /// Decrypt, decode and load as one stream.
    Load {
        /// The batch.
        batch: BatchId,
        /// The vault.
        vault: CopyId,
        /// The key, or none for the standing one.
        key: Option<KeyId>,
        /// End of this batch's approved use, if it loads.
        use_until: Timestamp,
        /// Why it is refused before it is opened: its link lost its standing meanwhile.
        refuse: Option<Reason>,
        /// The document by which its rows may lie in plain in a database, from the first one on; not there where they
        /// are encrypted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plain: Option<String>,
    },
    /// Destroy a key's slot.
    DropKey {
        /// The key.
        key: KeyId,
    },
    /// Wipe one copy.
    WipeCopy {
        /// The order.
        order: OrderId,
        /// The copy.
        copy: CopyId,
        /// The standing approval under which it goes, where it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        standing: Option<StandingId>,
    },
    /// Issue the certificate.
    Certify {
        /// The order.
        order: OrderId,
        /// Size of the register that the certificate's proofs are made for.
        tree_size: u64,
        /// When it is dated.
        at: Timestamp,
        /// Backups of the agent's state, as they are stated then; nothing where nothing is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backups: Option<Vec<BackupFacts>>,
    },
    /// Make the package of a hand-over.
    MakePackage {
        /// The hand-over.
        handover: HandoverId,
        /// The batches that it is made of, the base first, each with its vault and the package as a copy of it.
        parts: Vec<PackagePart>,
        /// When it is dated.
        at: Timestamp,
    },
    /// Make and keep the receipt of a verdict.
    MakeReceipt {
        /// The batch.
        batch: BatchId,
        /// The verdict's entry.
        verdict: u64,
        /// Size of the register that its proof is made for.
        tree_size: u64,
        /// When it is dated.
        at: Timestamp,
        /// Whether it is then left for the provider.
        leave: bool,
    },
    /// Leave a receipt in the link's folder of receipts.
    LeaveReceipt {
        /// The batch.
        batch: BatchId,
        /// SHA-256 of the receipt.
        receipt: Digest,
    },
    /// Make the key that seals a link's access entries of one month.
    MakeAccessKey {
        /// The link.
        link: String,
        /// `2026-11`.
        month: String,
    },
    /// Destroy that key's slot: what it sealed can no longer be opened.
    DropAccessKey {
        /// The order.
        order: AccessOrderId,
        /// The link.
        link: String,
        /// `2026-11`.
        month: String,
    },
    /// Do at the server what the link says is done with a delivery whose batch is verified and durable.
    ReleaseRemote {
        /// The remote delivery.
        remote: RemoteId,
        /// The link.
        link: String,
        /// `delete`, `move` or `rename`.
        act: String,
    },
    /// Put a file of ours, a receipt or a certificate, into the server's folder for it.
    PutRemote {
        /// The batch that it is about.
        batch: BatchId,
        /// The link.
        link: String,
        /// Its name, which is one of ours.
        name: String,
        /// Its bytes.
        bytes: u64,
        /// Their SHA-256.
        sha256: Digest,
    },
    /// Put a package that is made into the folder of its recipient's server.
    PushPackage {
        /// The hand-over.
        handover: HandoverId,
        /// The recipient.
        recipient: String,
    },
}

/// A backup that holds the agent's state, as its administrator states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupFacts {
    /// What makes it.
    pub name: String,
    /// Where it lies.
    pub place: String,
    /// How long it is kept.
    pub keeps: String,
}

/// What came of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    /// Claimed: the batch is received.
    Claimed {
        /// The record in the erasable store.
        case: CopyFacts,
        /// The files.
        files: Vec<CopyFacts>,
        /// Whether everything in the folder that holds data was copied. Where not, the originals stay until an
        /// approved order covers the batch.
        whole: bool,
    },
    /// The originals are gone, or what is left is counted.
    Cleared {
        /// What was wiped.
        wiped: WipeFacts,
    },
    /// What a copy from a medium left is gone.
    MediaDiscarded {
        /// What was wiped.
        wiped: WipeFacts,
    },
    /// Every check before the key has passed.
    Verified {
        /// What the manifest says.
        manifest: ManifestFacts,
        /// How sure the origin is: `signed`, …
        strength: String,
        /// Principal of the signer.
        signer: String,
        /// The row whose document it names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<NoticeId>,
    },
    /// A check failed.
    Refused {
        /// Which, and what was counted.
        verdict: Verdict,
    },
    /// A key is kept.
    KeyTaken {
        /// What is known of it.
        facts: KeyFacts,
    },
    /// A key was wiped and not kept: `spent`, `malformed`, `lost`.
    KeyWiped {
        /// Why.
        code: String,
    },
    /// The vault is committed.
    Loaded {
        /// What it came to.
        facts: Box<LoadFacts>,
    },
    /// The key does not open the batch.
    KeyWrong {
        /// The key.
        key: KeyId,
    },
    /// A key's slot holds a tombstone.
    KeyDropped,
    /// A copy is gone.
    CopyWiped {
        /// What was wiped.
        wiped: WipeFacts,
    },
    /// The certificate is issued.
    Certified {
        /// SHA-256 of its bytes.
        certificate: Digest,
    },
    /// The package lies in its recipient's outbox.
    PackageMade {
        /// What it is.
        facts: PackageFacts,
    },
    /// The receipt is kept.
    ReceiptMade {
        /// SHA-256 of its bytes.
        receipt: Digest,
    },
    /// It lies where the provider takes it.
    ReceiptLeft,
    /// The key is there.
    AccessKeyMade {
        /// Its age recipient.
        recipient: String,
    },
    /// Its slot holds a tombstone.
    AccessKeyDropped {
        /// The link.
        link: String,
        /// `2026-11`.
        month: String,
        /// What is known against the key being gone for good, in the words of a wipe's report: where there is nothing,
        /// the end of the key reaches L3. None in entries of before this was recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limits: Option<Vec<Limit>>,
    },
    /// The remote delivery is not where it lay any more.
    RemoteReleased {
        /// What became of it.
        end: RemoteEnd,
    },
    /// The file lies at the server under its name, and was read back.
    RemotePut,
}

impl Plan {
    /// Whether it is done at a server.
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        matches!(
            self,
            Self::ReleaseRemote { .. } | Self::PutRemote { .. } | Self::PushPackage { .. }
        )
    }

    /// The step's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Claim { .. } => "claim",
            Self::Clear { .. } => "clear",
            Self::DiscardMedia { .. } => "discard-media",
            Self::Verify { .. } => "verify",
            Self::TakeKey { .. } => "take-key",
            Self::Load { .. } => "load",
            Self::DropKey { .. } => "drop-key",
            Self::WipeCopy { .. } => "wipe-copy",
            Self::Certify { .. } => "certify",
            Self::MakePackage { .. } => "make-package",
            Self::MakeReceipt { .. } => "make-receipt",
            Self::LeaveReceipt { .. } => "leave-receipt",
            Self::MakeAccessKey { .. } => "make-access-key",
            Self::DropAccessKey { .. } => "drop-access-key",
            Self::ReleaseRemote { .. } => "release-remote",
            Self::PutRemote { .. } => "put-remote",
            Self::PushPackage { .. } => "push-package",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn an_outcome_of_before_limits_were_recorded_is_read_and_written_as_it_was() {
        let old = r#"{"result":"access-key-dropped","link":"moca-full","month":"2026-11"}"#;
        let read: Outcome = serde_json::from_str(old).unwrap();
        assert!(matches!(&read, Outcome::AccessKeyDropped { limits: None, .. }));
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
    }
}
