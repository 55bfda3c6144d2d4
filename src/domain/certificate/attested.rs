//! Copies that people keep, in a certificate: what two of them said of its end, and that the register says the same.

use serde::{Deserialize, Serialize};

use super::{InBoth, Proof};
use crate::domain::{
    digest::Digest,
    entry::{Body, EndFacts, Entry, HeldFacts},
    ids::{BatchId, CopyId, OrderId},
    inventory::{self, Sanitization},
    time::Timestamp,
};

/// One copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestedCopy {
    /// Its id.
    pub copy: CopyId,
    /// Its batch.
    pub batch: BatchId,
    /// What was known of it: kind, medium, model, serial and property number, where it was kept and by whom.
    pub facts: HeldFacts,
    /// How it was destroyed: method, tool, place, performer, time, evidence.
    pub end: EndFacts,
    /// What that comes to (NIST SP 800-88).
    pub sanitization: Sanitization,
    /// Who recorded it.
    pub recorded_by: String,
    /// Who vouched for it (會同監毀).
    pub witness: String,
    /// When.
    pub witnessed_at: Timestamp,
    /// What is stated, in words.
    pub in_words: InBoth,
    /// Proof that it was known.
    pub declared: Proof,
    /// Proof of the record.
    pub record: Proof,
    /// Proof of the second person's word.
    pub confirmation: Proof,
}

impl AttestedCopy {
    /// Its proofs.
    pub(super) fn proofs(&self) -> [&Proof; 3] {
        [&self.declared, &self.record, &self.confirmation]
    }

    /// Digest of the photographs and papers.
    #[must_use]
    pub fn evidence(&self) -> &[Digest] {
        &self.end.evidence
    }

    /// Whether it says what the proven entries say, and another person vouched for it than recorded it.
    pub(super) fn agrees(&self, order: OrderId) -> bool {
        let entries = self.proofs().map(|proof| Entry::from_bytes(proof.entry.as_bytes()));
        let [Ok(declared), Ok(record), Ok(confirmation)] = entries else { return false };
        let known = matches!(&declared.body, Body::CopyDeclared(one)
            if one.copy == self.copy && one.batch == self.batch && one.facts == self.facts);
        let recorded = record.by == self.recorded_by
            && matches!(&record.body, Body::EndRecorded(one)
                if one.order == order && one.copy == self.copy && one.end == self.end);
        let confirmed = confirmation.by == self.witness
            && confirmation.at == self.witnessed_at
            && matches!(&confirmation.body, Body::EndConfirmed(one)
                if one.order == order
                    && one.copy == self.copy
                    && one.proposal == self.record.seq);
        let does = inventory::does(self.end.method, self.facts.medium);
        known
            && recorded
            && confirmed
            && self.recorded_by != self.witness
            && does == Some(self.sanitization)
            && self.in_words == InBoth::attested()
    }
}
