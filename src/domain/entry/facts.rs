//! The facts that entries are made of: accounts, terms, copies, counts, verdicts. Wire forms, as `entry.rs` says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    accounts::Role,
    certificate::Assurance,
    digest::Digest,
    findings::Findings,
    ids::{BatchId, CopyId, KeyId},
    intake::Gate,
    manifest::{Kind, Manifest},
    reason::Reason,
    time::Timestamp,
    wipe::{Limit, WipeReport},
};

/// A signed text as it stands in the register: verifies with stock `ssh-keygen -Y verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// The canonical JSON that was signed, byte for byte.
    pub text: String,
    /// The armored SSHSIG.
    pub signature: String,
    /// `SHA256:…` of the key.
    pub key: String,
}

/// What an account is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountFacts {
    /// Name of the account.
    pub name: String,
    /// 姓名.
    pub display: Option<String>,
    /// 職稱.
    pub title: Option<String>,
    /// 單位.
    pub unit: Option<String>,
    /// Roles.
    pub roles: Vec<Role>,
    /// The OpenSSH public key, one line without comment.
    pub key: Option<String>,
    /// The unix user and its number.
    pub unix: Option<UnixUser>,
}

/// A unix user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnixUser {
    /// Name.
    pub name: String,
    /// Number.
    pub uid: u32,
}

/// One difference between the configuration in force and the one that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfigChange {
    /// Name of the file below the configuration folder.
    pub file: String,
    /// What changed, a code such as `items-added`.
    pub code: String,
    /// Whether it tightens, and so is in force at once.
    pub tightens: bool,
}

/// What a link said when a delivery was claimed: the printed register's columns that come from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkFacts {
    /// 提供機關.
    pub provider: String,
    /// Title.
    pub title: String,
    /// 資料表號.
    pub table_no: String,
    /// 使用目的.
    pub purpose: String,
    /// 依據公文文號.
    pub basis_doc_no: String,
    /// 業務單位.
    pub units: Vec<String>,
    /// Policy and its digest.
    pub policy: String,
    /// Layout.
    pub layout: String,
}

/// What is asked for in a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GrantTerms {
    /// The link.
    pub link: String,
    /// Whose: the account that applied, or the service that it applied for.
    pub holder: String,
    /// The unit, where it is a unit's.
    pub unit: Option<String>,
    /// The fields, in the link's order.
    pub fields: Vec<String>,
    /// 使用目的.
    pub purpose: String,
    /// Case basis (document number).
    pub basis: String,
    /// Absolute end.
    pub until: Timestamp,
    /// Rows that one query may show.
    pub row_cap: u64,
    /// What a service may ask, where it is a service's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceTerms>,
}

/// How much a service may ask under a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ServiceTerms {
    /// Questions within any 60 seconds.
    pub rate: u32,
    /// Questions until the grant ends.
    pub budget: u64,
}

/// What a hold covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HoldScope {
    /// One batch.
    Batch(BatchId),
    /// Every batch of a link.
    Link(String),
    /// Everything.
    All,
}

/// A copy as an order names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderedCopy {
    /// The copy.
    pub copy: CopyId,
    /// Its batch.
    pub batch: BatchId,
    /// Its digest, where one is known.
    pub digest: Option<Digest>,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A copy as it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyFacts {
    /// Its id.
    pub copy: CopyId,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of what it holds: for a transfer file, of the file as delivered. None where that is in plain: a few
    /// records can be guessed from the digest of them.
    pub sha256: Option<Digest>,
    /// Of a transfer file that came in plain, the HMAC of its SHA-256 under the link's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Digest>,
}

impl CopyFacts {
    /// A copy whose digest says nothing, or must not be known.
    #[must_use]
    pub const fn new(copy: CopyId, bytes: u64) -> Self {
        Self { copy, bytes, sha256: None, mac: None }
    }
}

/// What a manifest said, as far as the register keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFacts {
    /// Provider's number.
    pub number: String,
    /// Full or delta.
    #[serde(with = "kind_word")]
    pub kind: Kind,
    /// Number of a delta.
    pub sequence: u64,
    /// 提供機關通知時間, its own statement.
    pub notified_at: Timestamp,
    /// The time that the data stand for.
    pub as_of: Timestamp,
    /// 依據公文文號, where it is not the link's.
    pub basis_differs: bool,
    /// 使用目的, where it is not the link's.
    pub purpose_differs: bool,
    /// 申請筆數.
    pub applied: Option<u64>,
    /// The batch that it corrects.
    pub replaces: Option<String>,
    /// Declared records.
    pub records: u64,
}

impl ManifestFacts {
    /// Whether it is this manifest that was verified: what its load and its place among others go by.
    #[must_use]
    pub fn is_of(&self, made: &Manifest) -> bool {
        (&self.number, self.kind, self.sequence, &self.replaces, self.records)
            == (&made.batch, made.kind, made.sequence, &made.replaces, made.records)
    }
}

/// The five counts (REGULATIONS 2a), those of them that are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// By the manifest.
    pub declared: Option<u64>,
    /// Read from the files.
    pub parsed: Option<u64>,
    /// Taken.
    pub accepted: Option<u64>,
    /// Rejected by a layout rule.
    pub rejected: Option<u64>,
    /// In the vault.
    pub committed: Option<u64>,
}

/// What a load came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadFacts {
    /// The counts; they add up.
    pub counts: Counts,
    /// What was counted and reported.
    pub findings: Findings,
    /// HMAC of the whole plaintext under the link's key.
    pub content: Digest,
    /// The vault.
    pub vault: CopyFacts,
    /// End of this batch's approved use.
    pub use_until: Timestamp,
    /// Columns stored.
    pub items: Vec<String>,
    /// Units that may apply.
    pub units: Vec<String>,
    /// The document by which they lie in plain in a database; not there where they are encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<String>,
    /// The database that they lie in, as host or folder, port and name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What has to be done before anybody reads it; not there where nothing has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
}

/// What a wipe came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WipeFacts {
    /// Files that were wiped.
    pub files: u64,
    /// Bytes overwritten.
    pub bytes: u64,
    /// The lowest assurance among them.
    pub assurance: Assurance,
    /// The filesystem.
    pub filesystem: String,
    /// What is left and why, as codes with counts.
    pub notes: BTreeMap<String, u64>,
    /// What was found, done and proved; not in entries of before there were such reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<WipeReport>>,
}

impl WipeFacts {
    /// The facts of a wipe whose key was destroyed, or not: `limits` say what keeps that from being stated as L3.
    #[must_use]
    pub fn keyed(mut self, limits: &[Limit]) -> Self {
        if let Some(report) = &mut self.report {
            report.keyed(limits);
            self.assurance = report.assurance();
        }
        self
    }
}

/// A refusal by judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The code.
    pub reason: Reason,
    /// What was counted before.
    pub counts: Counts,
    /// The provider's number, where a signed manifest gave one.
    pub number: Option<String>,
}

/// A key as the register knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFacts {
    /// Its id.
    pub key: KeyId,
    /// `identity` or `passphrase`.
    pub form: KeyForm,
    /// SHA-256 of an identity's recipient; nothing for a passphrase.
    pub fingerprint: Option<Digest>,
}

/// The two forms of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KeyForm {
    /// An age X25519 identity.
    Identity,
    /// A passphrase.
    Passphrase,
}

/// A kind as the manifest writes it.
pub(super) mod kind_word {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::manifest::Kind;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
    pub(in crate::domain::entry) fn serialize<S: Serializer>(
        kind: &Kind,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind.word())
    }

    pub(in crate::domain::entry) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Kind, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "full" => Ok(Kind::Full),
            "delta" => Ok(Kind::Delta),
            _ => Err(serde::de::Error::custom("expected 'full' or 'delta'")),
        }
    }
}
