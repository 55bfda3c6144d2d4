//! What was announced of a batch beside what came, for `batch show` and for the letter of return; and what there is to do.
//!
//! Only of what was refused or waits: what is loaded has its counts. It is judged anew of what the claim recorded, so that
//! nothing of it has to be kept, and it goes with the record of the batch.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        ids::BatchId,
        judge::{AnnouncedBy, FileBeside, FileFinding, Question, Stage, beside},
        lifecycle::BatchState,
        reason::Reason,
        view::Batch,
    },
    engine::{
        case::{CaseRecord, shown},
        steps::LinkLedger,
    },
    service::Service,
};

/// What was announced beside what came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AnnouncedPage {
    /// What announced it.
    pub by: AnnouncedBy,
    /// Whether somebody stands behind that: a signature that counts today, or two people. Nothing of it is told otherwise.
    pub verified: bool,
    /// Records that were announced.
    pub records: Option<u64>,
    /// Records that were read, where it came so far.
    pub records_read: Option<u64>,
    /// The files.
    pub files: Vec<AnnouncedFile>,
}

/// A file, as it was announced and as it came. Digests are compared, and not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AnnouncedFile {
    /// Its name; none of a file of which a letter has a digest alone.
    pub name: Option<String>,
    /// Bytes that were announced.
    pub announced_bytes: Option<u64>,
    /// Records that were announced.
    pub announced_records: Option<u64>,
    /// Bytes that came.
    pub bytes: Option<u64>,
    /// Whether the SHA-256 is the announced one; null where none was.
    pub digest_agrees: Option<bool>,
    /// What that comes to.
    pub finding: FileFinding,
}

impl From<FileBeside> for AnnouncedFile {
    fn from(file: FileBeside) -> Self {
        Self {
            name: file.name.as_deref().map(shown),
            announced_bytes: file.announced_bytes,
            announced_records: file.announced_records,
            bytes: file.bytes,
            digest_agrees: file.digest_agrees,
            finding: file.finding,
        }
    }
}

impl Service {
    /// What was announced of a batch that was refused or waits.
    pub(in crate::service) fn announced_page(
        &self,
        id: BatchId,
        row: &Batch,
        case: &CaseRecord,
    ) -> Option<AnnouncedPage> {
        if !matches!(row.state, BatchState::Quarantined | BatchState::Verified) {
            return None;
        }
        let view = &self.engine.view;
        let link = self.engine.rules.links.get(&row.link)?;
        let found = beside(&Question {
            facts: &case.facts(),
            link,
            ledger: &LinkLedger { view, link: &link.name, except: Some(id) },
            stage: Stage::Claimed,
            received_at: row.times.get("claimed").copied()?,
            now: self.now(),
            announced: view.notices.of(id).and_then(|(_, row)| row.standing()),
        })?;
        Some(AnnouncedPage {
            by: found.by,
            verified: found.vouched,
            records: found.records,
            records_read: row.counts.parsed,
            files: found.files.into_iter().map(AnnouncedFile::from).collect(),
        })
    }

    /// The commands by which it goes on: the draft to the provider first, for it binds nobody.
    pub(in crate::service) fn ways_on(&self, id: BatchId, row: &Batch) -> Vec<String> {
        match row.state {
            BatchState::Quarantined => vec![
                format!("batchward batch letter {id} --kind return -o FILE"),
                format!("batchward batch release {id} --reason TEXT"),
                format!("batchward batch reject {id} --reason TEXT"),
            ],
            BatchState::Verified
                if matches!(
                    self.engine.reason(row),
                    Some(Reason::AwaitingKey | Reason::WrongKey)
                ) =>
            {
                vec![
                    format!("batchward key submit {id} --file FILE --channel TEXT"),
                    format!("batchward key submit {id} --passphrase-stdin --channel TEXT"),
                ]
            }
            _ => Vec::new(),
        }
    }
}
