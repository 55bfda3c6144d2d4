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
    judge::Facts,
};

/// The record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRecord {
    /// Version of this form, 1.
    pub v: u32,
    /// Name of the delivery folder.
    pub delivery: String,
    /// The claimed files.
    pub files: Vec<CaseFile>,
    /// What lay in the folder, manifest and signature bytes included.
    pub facts: Facts,
    /// Odd fields by position; no contents.
    pub positions: Vec<Position>,
}

/// A claimed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// The copy.
    pub copy: CopyId,
    /// Its name in the delivery.
    pub name: String,
    /// SHA-256 as delivered.
    pub sha256: Digest,
}

/// Bytes as Base64 in JSON, for manifest and signature.
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
    pub(super) fn put_case(&mut self, batch: BatchId, record: &CaseRecord) -> Result<CopySize, StepError> {
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
