//! The manifest of a delivery (DESIGN 6): parsed whole or refused, never half believed.
//!
//! YAML or JSON of at most 1 MiB, without anchors, aliases or tags, without doubled or unknown fields. Its bytes are
//! parsed only after the signature over them was checked (see [`super::judge`]).

use std::collections::BTreeSet;

use saphyr_parser::{Event, Parser};
use serde::{Deserialize, Serialize};

use super::{digest::Digest, limits, national_id, reason::Reason, time::Timestamp};

/// Name of the manifest in a delivery.
pub const MANIFEST: &str = "manifest.yaml";
/// Name of its signature.
pub const SIGNATURE: &str = "manifest.yaml.sig";
/// SSHSIG namespace of manifests.
pub const NAMESPACE: &str = "batchward-manifest";

/// Whether a delivery is everything, or what changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 全檔.
    Full,
    /// 異動檔.
    Delta,
}

/// A parsed manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Provider's number.
    pub number: String,
    /// Link that it says it is for.
    pub link: String,
    /// 資料表號.
    pub table_no: String,
    /// Full or delta.
    pub kind: Kind,
    /// Number of a delta; a full file's is free.
    pub sequence: u64,
    /// 提供機關通知時間.
    pub notified_at: Timestamp,
    /// 依據公文文號.
    pub basis_doc_no: String,
    /// 使用目的.
    pub purpose: String,
    /// 申請筆數.
    pub applied: Option<u64>,
    /// The time that the data stand for: `as_of`, else `notified_at`.
    pub as_of: Timestamp,
    /// The batch that it corrects.
    pub replaces: Option<String>,
    /// Records over all files.
    pub records: u64,
    /// The files.
    pub files: Vec<ListedFile>,
}

/// A file that a manifest lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Name, directly in the delivery.
    pub name: String,
    /// Bytes as delivered.
    pub bytes: u64,
    /// SHA-256 as delivered.
    pub sha256: Digest,
    /// Records.
    pub records: u64,
    /// SHA-256 of the decrypted bytes.
    pub plaintext_sha256: Option<Digest>,
}

/// Why a manifest is refused. No contents are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFault {
    /// Over 1 MiB.
    #[error("the manifest is over 1 MiB")]
    TooLarge,
    /// Not UTF-8.
    #[error("the manifest is not UTF-8")]
    Encoding,
    /// Anchors, aliases, tags, several documents, or no YAML.
    #[error("the manifest is not plain YAML or JSON")]
    Syntax,
    /// A field is unknown, missing, doubled or of another kind.
    #[error("the manifest's fields are not those of the contract")]
    Fields,
    /// A value is out of its range.
    #[error("a value of the manifest is out of its range: {0}")]
    Range(&'static str),
    /// The sums do not agree.
    #[error("the manifest's records do not add up")]
    Sums,
    /// A listed name is no plain file name.
    #[error("a listed name is no plain file name")]
    Name,
}

impl ManifestFault {
    /// The reason code.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Name => Reason::UnsafeName,
            _ => Reason::ManifestInvalid,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    batchward: u64,
    batch: String,
    link: String,
    table_no: String,
    kind: Kind,
    sequence: Option<u64>,
    notified_at: String,
    basis_doc_no: String,
    purpose: String,
    applied: Option<u64>,
    as_of: Option<String>,
    replaces: Option<String>,
    records: u64,
    files: Vec<WireFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFile {
    name: String,
    bytes: u64,
    sha256: String,
    records: u64,
    plaintext_sha256: Option<String>,
}

/// Whether a text can be a batch number (DESIGN 6).
#[must_use]
pub fn is_number(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
        && text.len() <= 64
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && national_id::shape(text).is_none()
}

impl Manifest {
    /// Reads a manifest. Dates without a time end at the end of that day in `zone`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(bytes: &[u8], zone: chrono_tz::Tz) -> Result<Self, ManifestFault> {
        if bytes.len() as u64 > limits::MANIFEST_BYTES_MAX {
            return Err(ManifestFault::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ManifestFault::Encoding)?;
        plain(text)?;
        let wire: Wire = serde_yaml::from_str(text).map_err(|_| ManifestFault::Fields)?;
        Self::from_wire(wire, zone)
    }

    fn from_wire(wire: Wire, zone: chrono_tz::Tz) -> Result<Self, ManifestFault> {
        let range = |good: bool, what| if good { Ok(()) } else { Err(ManifestFault::Range(what)) };
        range(wire.batchward == 1, "batchward")?;
        range(is_number(&wire.batch), "batch")?;
        range(wire.replaces.as_deref().is_none_or(is_number), "replaces")?;
        range(wire.kind == Kind::Full || wire.sequence.is_some_and(|n| n > 0), "sequence")?;
        for text in [&wire.link, &wire.table_no, &wire.basis_doc_no, &wire.purpose] {
            range(!text.is_empty() && text.chars().count() <= limits::TEXT_CHARS_MAX, "text")?;
        }
        let notified_at = Timestamp::parse(&wire.notified_at).ok_or(ManifestFault::Range("notified_at"))?;
        let as_of = match &wire.as_of {
            Some(text) => Timestamp::parse_end(text, zone).ok_or(ManifestFault::Range("as_of"))?,
            None => notified_at,
        };
        range(!wire.files.is_empty() && wire.files.len() < limits::DELIVERY_FILES_MAX, "files")?;
        range(wire.records <= limits::RECORDS_MAX, "records")?;
        let files = wire.files.into_iter().map(ListedFile::from_wire).collect::<Result<Vec<_>, _>>()?;
        let names: BTreeSet<&str> = files.iter().map(|f| f.name.as_str()).collect();
        range(names.len() == files.len(), "files")?;
        let sum = files.iter().try_fold(0_u64, |sum, f| sum.checked_add(f.records));
        if sum != Some(wire.records) {
            return Err(ManifestFault::Sums);
        }
        range(wire.kind == Kind::Delta || wire.records > 0, "records")?;
        // Last, because another reason comes of it, and that one goes after all of these.
        if files.iter().any(|f| !is_plain_name(&f.name)) {
            return Err(ManifestFault::Name);
        }
        Ok(Self {
            number: wire.batch,
            link: wire.link,
            table_no: wire.table_no,
            kind: wire.kind,
            sequence: wire.sequence.unwrap_or(0),
            notified_at,
            basis_doc_no: wire.basis_doc_no,
            purpose: wire.purpose,
            applied: wire.applied,
            as_of,
            replaces: wire.replaces,
            records: wire.records,
            files,
        })
    }
}

impl ListedFile {
    fn from_wire(wire: WireFile) -> Result<Self, ManifestFault> {
        let digest = |text: &str| Digest::from_hex(text).ok_or(ManifestFault::Range("sha256"));
        if wire.bytes > limits::DELIVERY_BYTES_MAX {
            return Err(ManifestFault::Range("bytes"));
        }
        Ok(Self {
            name: wire.name,
            bytes: wire.bytes,
            sha256: digest(&wire.sha256)?,
            records: wire.records,
            plaintext_sha256: wire.plaintext_sha256.as_deref().map(digest).transpose()?,
        })
    }
}

/// Whether a listed name is the name of a file directly in the delivery.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control)
        && !matches!(name, "." | ".." | MANIFEST | SIGNATURE)
}

/// Nothing but plain nodes: no anchors, aliases or tags, and one document. Events are looked at one by one, so that
/// nothing is ever expanded.
fn plain(text: &str) -> Result<(), ManifestFault> {
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|_| ManifestFault::Syntax)?;
        let (anchor, tag) = match &event {
            Event::Alias(_) => return Err(ManifestFault::Syntax),
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(anchor, tag)
            | Event::MappingStart(anchor, tag) => (*anchor, tag.is_some()),
            Event::DocumentStart(_) => {
                documents += 1;
                continue;
            }
            _ => continue,
        };
        if anchor != 0 || tag {
            return Err(ManifestFault::Syntax);
        }
    }
    if documents == 1 { Ok(()) } else { Err(ManifestFault::Syntax) }
}
