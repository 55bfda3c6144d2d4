//! What only the agent has for an evidence bundle: proofs, the manifest's bytes, and how often a batch could be read.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        access::{AccessEntry, Operation, Payload},
        ids::BatchId,
        limits,
        proof::Inclusion,
        secret::Secret,
        time::Timestamp,
        view::CopyKind,
    },
    engine::{case::CaseDocument, ports::Log, slots},
    error::{Error, Exit},
    service::{Result, Service},
};

/// The proof that an entry is in the register, as its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryProof {
    /// C2SP tlog-proof with the entry in it.
    pub text: String,
}

/// The manifest and its signature as they were delivered, while the erasable store has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestBytes {
    /// Base64 of `manifest.yaml`.
    pub manifest: Option<String>,
    /// Base64 of `manifest.yaml.sig`.
    pub signature: Option<String>,
}

/// How often a link was read in a month: no names, no subjects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthOfUse {
    /// `query`.
    pub queries: u64,
    /// `match`.
    pub matches: u64,
    /// Of these, refused.
    pub refused: u64,
    /// Rows that were shown.
    pub rows: u64,
    /// Entries that nobody can open any more: their key is destroyed.
    pub destroyed: u64,
}

impl MonthOfUse {
    /// With what another part counted.
    pub const fn add(&mut self, more: Self) {
        self.queries += more.queries;
        self.matches += more.matches;
        self.refused += more.refused;
        self.rows += more.rows;
        self.destroyed += more.destroyed;
    }
}

/// A part of the statistics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsePart {
    /// By month, `2026-11`.
    pub months: BTreeMap<String, MonthOfUse>,
    /// Where the next part begins; none where this is the last.
    pub next: Option<u64>,
}

impl Service {
    /// The proof of one entry in the tree of `size`.
    ///
    /// # Errors
    /// It is not there.
    pub fn entry_proof(&self, seq: u64, size: u64) -> Result<EntryProof> {
        if seq >= size || size > self.engine.view.size {
            return Err(Error::usage(format!("entry {seq} is none of {size} entries")));
        }
        let journal = &self.engine.ports.journal;
        let proof = Inclusion {
            entry: Some(journal.entry(Log::Register, seq)?),
            index: seq,
            hashes: journal.inclusion(Log::Register, seq, size)?,
            note: journal.note_at(Log::Register, size)?,
        };
        Ok(EntryProof { text: proof.to_text() })
    }

    /// The manifest of a batch.
    ///
    /// # Errors
    /// The erasable store cannot be read.
    pub fn manifest_bytes(&self, batch: BatchId) -> Result<ManifestBytes> {
        let case = self.engine.case(batch)?;
        let text = |document: &CaseDocument| match document {
            CaseDocument::Bytes(bytes) => Some(BASE64.encode(bytes)),
            CaseDocument::Missing | CaseDocument::TooLong => None,
        };
        Ok(ManifestBytes {
            manifest: case.as_ref().and_then(|case| text(&case.manifest)),
            signature: case.as_ref().and_then(|case| text(&case.signature)),
        })
    }

    /// A part of the statistics of a batch's link, over the time in which the batch was there to be read. Payloads are
    /// opened here, counted and forgotten.
    ///
    /// # Errors
    /// There is no such batch, or the access log cannot be read.
    pub fn use_part(&self, batch: BatchId, from: Option<u64>) -> Result<UsePart> {
        let row = self.row(batch)?;
        let Some((loaded, gone)) = self.readable(batch) else { return Ok(UsePart::default()) };
        let size = self.engine.ports.journal.size(Log::Access)?;
        let begin = match from {
            Some(from) => from,
            None => self.first_since(loaded, size)?,
        };
        let end = begin.saturating_add(limits::PART_ENTRIES_MAX as u64).min(size);
        let mut part = UsePart { next: (end < size).then_some(end), ..UsePart::default() };
        let mut keys: BTreeMap<String, Option<Secret>> = BTreeMap::new();
        for seq in begin..end {
            let entry = self.access_entry(seq)?;
            if gone.is_some_and(|gone| entry.at > gone) {
                part.next = None;
                break;
            }
            if entry.link != row.link {
                continue;
            }
            if !keys.contains_key(&entry.month) {
                let key = self.engine.ports.keys.live(&slots::access(&row.link, &entry.month))?;
                keys.insert(entry.month.clone(), key);
            }
            let key = keys.get(&entry.month).and_then(Option::as_ref);
            let month = part.months.entry(entry.month.clone()).or_default();
            match key.and_then(|key| self.opened(&entry, key)) {
                None => month.destroyed += 1,
                Some(Payload::List { .. }) => {}
                Some(Payload::Served { rows, .. }) => month.rows += rows,
                Some(Payload::Asked { operation, refused, .. }) => {
                    let looked = match operation {
                        Operation::Query | Operation::Verify => &mut month.queries,
                        Operation::Match => &mut month.matches,
                        // An auditor's look at the log reads no record.
                        Operation::AccessShow | Operation::AccessExport => continue,
                    };
                    *looked += 1;
                    month.refused += u64::from(refused.is_some());
                }
            }
        }
        Ok(part)
    }

    /// From when on a batch could be read, and until when.
    fn readable(&self, batch: BatchId) -> Option<(Timestamp, Option<Timestamp>)> {
        let row = self.engine.view.batches.get(&batch)?;
        let loaded = row.times.get("loaded").copied()?;
        let mut vaults =
            self.engine.view.copies_of(batch).filter(|(_, copy)| copy.kind == CopyKind::Vault);
        Some((loaded, vaults.find_map(|(_, copy)| copy.gone)))
    }

    /// The first entry of the access log that is not before a time: times never go back.
    fn first_since(&self, since: Timestamp, size: u64) -> Result<u64> {
        let (mut low, mut high) = (0, size);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.access_entry(middle)?.at < since {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn access_entry(&self, seq: u64) -> Result<AccessEntry> {
        let bytes = self.engine.ports.journal.entry(Log::Access, seq)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::new(Exit::Failed, format!("the access log: {error}")))
    }

    fn opened(&self, entry: &AccessEntry, key: &Secret) -> Option<Payload> {
        let sealed = BASE64.decode(entry.sealed.as_bytes()).ok()?;
        serde_json::from_slice(&self.engine.ports.opener.unseal(key, &sealed)?).ok()
    }
}
