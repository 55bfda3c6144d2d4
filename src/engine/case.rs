//! The record of a batch in the erasable store: everything about it that names people or could.
//!
//! It is encrypted under the batch's case key and goes with the batch; the register keeps only what may stand for
//! ever.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{
    Engine, StepError,
    ports::{CopySize, PortError},
    slots,
};
use crate::domain::{
    digest::Digest,
    entry,
    findings::Position,
    ids::{BatchId, CopyId},
    judge::{Document, Entry, EntryKind, Facts},
    manifest::{AsOf, FileEntry, Kind, Manifest},
    time::Timestamp,
};

/// The record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRecord {
    /// Version of this form, 1.
    pub v: u32,
    /// Name of the delivery folder, as the filesystem has it.
    #[serde(with = "base64_bytes")]
    pub delivery: Vec<u8>,
    /// Which folder it was, for the port that clears it.
    pub folder: String,
    /// The claimed files.
    pub files: Vec<CaseFile>,
    /// What lay in the folder.
    pub entries: Vec<CaseEntry>,
    /// There was more than a delivery may have.
    pub cut: bool,
    /// `manifest.yaml`.
    pub manifest: CaseDocument,
    /// `manifest.yaml.sig`.
    pub signature: CaseDocument,
    /// Documents of the form that the link names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub control: Vec<CaseControl>,
    /// The manifest that the verdict made of a delivery without one of ours. It is loaded by this one, whatever is
    /// configured by then; a record of before has none, and it is made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<CaseManifest>,
    /// Odd fields by position; no contents.
    pub positions: Vec<Position>,
}

/// A control file, a list of digests, or a bag's own file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseControl {
    #[serde(with = "base64_bytes")]
    name: Vec<u8>,
    document: CaseDocument,
}

/// A claimed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// The copy.
    pub copy: CopyId,
    /// Its name in the delivery.
    #[serde(with = "base64_bytes")]
    pub name: Vec<u8>,
}

/// A thing that lay in the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseEntry {
    #[serde(with = "base64_bytes")]
    name: Vec<u8>,
    kind: String,
    bytes: u64,
    #[serde(with = "base64_bytes")]
    head: Vec<u8>,
    sha256: Option<Digest>,
}

/// A manifest that was made of what is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseManifest {
    batch: String,
    link: String,
    table_no: String,
    delta: bool,
    sequence: u64,
    notified_at: Timestamp,
    basis_doc_no: String,
    purpose: String,
    applied: Option<u64>,
    as_of: Option<Timestamp>,
    replaces: Option<String>,
    records: u64,
    files: Vec<CaseListed>,
    each: bool,
}

/// A file of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseListed {
    name: String,
    bytes: u64,
    sha256: Digest,
    records: u64,
    plaintext_sha256: Option<Digest>,
}

impl CaseManifest {
    /// What is kept of a manifest, as of a moment where it says so: what a letter announces names no day alone.
    #[must_use]
    pub fn of(made: &Manifest) -> Option<Self> {
        let as_of = match made.as_of {
            Some(AsOf::Day(_)) => return None,
            Some(AsOf::Moment(at)) => Some(at),
            None => None,
        };
        let listed = |file: &FileEntry| CaseListed {
            name: file.name.clone(),
            bytes: file.bytes,
            sha256: file.sha256,
            records: file.records,
            plaintext_sha256: file.plaintext_sha256,
        };
        Some(Self {
            batch: made.batch.clone(),
            link: made.link.clone(),
            table_no: made.table_no.clone(),
            delta: made.kind == Kind::Delta,
            sequence: made.sequence,
            notified_at: made.notified_at,
            basis_doc_no: made.basis_doc_no.clone(),
            purpose: made.purpose.clone(),
            applied: made.applied,
            as_of,
            replaces: made.replaces.clone(),
            records: made.records,
            files: made.files.iter().map(listed).collect(),
            each: made.each,
        })
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        let listed = |file: &CaseListed| FileEntry {
            name: file.name.clone(),
            bytes: file.bytes,
            sha256: file.sha256,
            records: file.records,
            plaintext_sha256: file.plaintext_sha256,
        };
        Manifest {
            batch: self.batch.clone(),
            link: self.link.clone(),
            table_no: self.table_no.clone(),
            kind: if self.delta { Kind::Delta } else { Kind::Full },
            sequence: self.sequence,
            notified_at: self.notified_at,
            basis_doc_no: self.basis_doc_no.clone(),
            purpose: self.purpose.clone(),
            applied: self.applied,
            as_of: self.as_of.map(AsOf::Moment),
            replaces: self.replaces.clone(),
            records: self.records,
            files: self.files.iter().map(listed).collect(),
            each: self.each,
        }
    }
}

/// Manifest or signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseDocument {
    /// Not there.
    Missing,
    /// Over its limit.
    TooLong,
    /// The bytes.
    Bytes(#[serde(with = "base64_bytes")] Vec<u8>),
}

const KINDS: [(EntryKind, &str); 4] = [
    (EntryKind::File, "file"),
    (EntryKind::Linked, "linked"),
    (EntryKind::Link, "link"),
    (EntryKind::Other, "other"),
];

impl CaseRecord {
    /// The record of a claim.
    #[must_use]
    pub fn new(delivery: Vec<u8>, folder: String, facts: &Facts, files: Vec<CaseFile>) -> Self {
        let entry = |entry: &Entry| CaseEntry {
            name: entry.name.clone(),
            kind: KINDS
                .iter()
                .find(|(kind, _)| *kind == entry.kind)
                .map_or("other", |(_, word)| word)
                .to_owned(),
            bytes: entry.bytes,
            head: entry.head.to_vec(),
            sha256: entry.sha256,
        };
        let document = |document: &Document| match document {
            Document::Missing => CaseDocument::Missing,
            Document::TooLong => CaseDocument::TooLong,
            Document::Bytes(bytes) => CaseDocument::Bytes(bytes.clone()),
        };
        Self {
            v: 1,
            delivery,
            folder,
            files,
            entries: facts.entries.iter().map(entry).collect(),
            cut: facts.cut,
            manifest: document(&facts.manifest),
            signature: document(&facts.signature),
            control: facts
                .control
                .iter()
                .map(|(name, one)| CaseControl { name: name.clone(), document: document(one) })
                .collect(),
            made: None,
            positions: Vec::new(),
        }
    }

    /// What is judged.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let entry = |entry: &CaseEntry| Entry {
            name: entry.name.clone(),
            kind: KINDS
                .iter()
                .find(|(_, word)| *word == entry.kind)
                .map_or(EntryKind::Other, |(kind, _)| *kind),
            bytes: entry.bytes,
            head: zeroize::Zeroizing::new(entry.head.clone()),
            sha256: entry.sha256,
        };
        let document = |document: &CaseDocument| match document {
            CaseDocument::Missing => Document::Missing,
            CaseDocument::TooLong => Document::TooLong,
            CaseDocument::Bytes(bytes) => Document::Bytes(bytes.clone()),
        };
        Facts {
            entries: self.entries.iter().map(entry).collect(),
            cut: self.cut,
            manifest: document(&self.manifest),
            signature: document(&self.signature),
            control: self
                .control
                .iter()
                .map(|one| (one.name.clone(), document(&one.document)))
                .collect(),
        }
    }

    /// The name of the delivery, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        shown(&self.delivery)
    }
}

/// A name from outside, for people: what is no text is replaced.
#[must_use]
pub fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name)
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// Bytes as Base64 in JSON.
pub mod base64_bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::BASE64;

    /// Writes.
    ///
    /// # Errors
    /// The serialiser's.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    /// Reads.
    ///
    /// # Errors
    /// Not Base64.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}

impl Engine {
    /// Writes a batch's record.
    pub(super) fn put_case(
        &mut self,
        batch: BatchId,
        record: &CaseRecord,
    ) -> Result<CopySize, StepError> {
        let key = self.ports.keys.ensure_random(&slots::case(batch))?;
        let bytes = entry::canonical(record).map_err(|_| StepError::Stuck("case-form"))?;
        Ok(self.ports.cases.put(batch, &bytes, &key)?)
    }

    /// Reads a batch's record, where it still exists.
    ///
    /// # Errors
    /// It is damaged, or its key is gone while the file is not.
    pub fn case(&self, batch: BatchId) -> Result<Option<CaseRecord>, PortError> {
        let Some(key) = self.ports.keys.live(&slots::case(batch))? else { return Ok(None) };
        let Some(bytes) = self.ports.cases.take(batch, &key)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| PortError::Stuck {
            code: "case-form",
            message: format!("the record of {batch} in the erasable store cannot be read: {error}"),
        })
    }
}
