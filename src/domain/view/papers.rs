//! Folding papers that are kept for inspection.

use serde::{Deserialize, Serialize};

use super::{Mark, View};
use crate::domain::{
    entry::{Body, Entry, PaperKept},
    ids::DocumentId,
    papers::BackupResult,
    time::Timestamp,
};

/// A paper that is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Paper {
    /// What it is.
    pub what: PaperKept,
    /// Who entered it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A look at what backups hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BackupLook {
    /// When.
    pub at: Timestamp,
    /// What it came to.
    pub result: BackupResult,
    /// Number of the document.
    pub doc_no: String,
    /// Who.
    pub by: String,
}

impl View {
    /// The number that the next paper gets.
    #[must_use]
    pub fn next_document(&self) -> DocumentId {
        DocumentId::new(self.papers.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// An entry about papers; `false` where it is none.
    pub(super) fn paper_act(&mut self, mark: Mark, entry: &Entry) -> bool {
        let (at, by) = (mark.at, entry.by.clone());
        match &entry.body {
            Body::PaperKept(what) => {
                self.papers.insert(what.document, Paper { what: what.clone(), by, at });
            }
            Body::BackupReviewed(look) => {
                let (result, doc_no) = (look.result, look.doc_no.clone());
                self.backup_looks.push(BackupLook { at, result, doc_no, by });
            }
            _ => return false,
        }
        true
    }
}
