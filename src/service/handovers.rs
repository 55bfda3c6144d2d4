//! `handover list` and `handover show`: what was handed on, how it stands, and by when it has to be gone.

use serde::{Deserialize, Serialize};

use super::{Result, Service};
use crate::domain::{
    digest::Digest,
    entry::{HandoverTerms, PackageFacts},
    ids::{CopyId, HandoverId},
    lifecycle::HandoverState,
    time::Timestamp,
    view::Handover,
};

/// A hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HandoverLine {
    /// Id, which is the number of its package.
    pub id: HandoverId,
    /// State.
    pub state: HandoverState,
    /// What, to whom and how.
    pub terms: HandoverTerms,
    /// Who asked for it.
    pub by: String,
    /// Who agreed.
    pub approved_by: Option<String>,
    /// Number of the provider's document.
    pub doc_no: Option<String>,
    /// Number of the document that allows that data leave the premises.
    pub exception: Option<String>,
    /// Whether its package is being made.
    pub making: bool,
    /// What the package is.
    pub package: Option<PackageFacts>,
    /// When it was made.
    pub made: Option<Timestamp>,
    /// When it was proven to lie whole at the recipient's server, where it is put there.
    pub pushed: Option<Timestamp>,
    /// What keeps it from being put there.
    pub push_trouble: Option<String>,
    /// The package, as a copy of each batch that it is made of.
    pub copies: Vec<CopyId>,
    /// Number of the recipient's document about its receipt.
    pub receipt: Option<String>,
    /// The day of that.
    pub received: Option<Timestamp>,
    /// Number of the recipient's letter about the end.
    pub letter: Option<String>,
    /// SHA-256 of what it sent along.
    pub evidence: Vec<Digest>,
    /// Whether it should be gone, and is not.
    pub overdue: bool,
    /// What the recipient puts into its list of signers, one line: the key that signs the manifest.
    pub signer: String,
}

impl Service {
    /// Every hand-over, oldest first.
    pub(super) fn handovers(&self) -> Vec<HandoverLine> {
        self.engine.view.handovers.iter().map(|(id, row)| self.handover_line(*id, row)).collect()
    }

    /// One hand-over.
    ///
    /// # Errors
    /// There is none of this id.
    pub(super) fn handover_page(&self, id: HandoverId) -> Result<HandoverLine> {
        Ok(self.handover_line(id, self.handover(id)?))
    }

    fn handover_line(&self, id: HandoverId, row: &Handover) -> HandoverLine {
        let site = self.engine.view.site.as_ref();
        let signer = site.map(|site| {
            format!("{} namespaces=\"batchward-manifest\" {}", site.name, site.ssh_key)
        });
        let alive = matches!(row.state, HandoverState::Made | HandoverState::Received);
        HandoverLine {
            id,
            state: row.state,
            terms: row.terms.clone(),
            by: row.by.clone(),
            approved_by: row.approved.as_ref().map(|(by, _)| by.clone()),
            doc_no: row.doc_no.clone(),
            exception: row.exception.clone(),
            making: self.engine.is_packing(id),
            package: row.package.clone(),
            made: row.made,
            pushed: row.pushed,
            push_trouble: row.push_trouble.as_ref().map(|trouble| trouble.code.clone()),
            copies: row.copies.clone(),
            receipt: row.received.as_ref().map(|(doc_no, _)| doc_no.clone()),
            received: row.received.as_ref().map(|(_, on)| *on),
            letter: row.returned.as_ref().map(|(letter, _)| letter.clone()),
            evidence: row.returned.as_ref().map(|(_, all)| all.clone()).unwrap_or_default(),
            overdue: alive && row.terms.destroy_by < self.now(),
            signer: signer.unwrap_or_default(),
        }
    }
}
