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
    /// What was made known of it: kind, medium, model, serial and property number, where it was kept and by whom.
    pub facts: HeldFacts,
    /// Where it was kept in the end, where that was another place or holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<MovedTo>,
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

/// Where a copy was kept in the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovedTo {
    /// By whom.
    pub holder: String,
    /// Where.
    pub place: String,
    /// How it was locked away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Proof.
    pub proof: Proof,
}

impl AttestedCopy {
    /// Its proofs.
    pub(super) fn proofs(&self) -> impl Iterator<Item = &Proof> {
        let moved = self.moved.as_ref().map(|moved| &moved.proof);
        [&self.declared, &self.record, &self.confirmation].into_iter().chain(moved)
    }

    /// Digest of the photographs and papers.
    #[must_use]
    pub fn evidence(&self) -> &[Digest] {
        &self.end.evidence
    }

    /// Whether it says what the proven entries say, and another person vouched for it than recorded it.
    pub(super) fn agrees(&self, order: OrderId) -> bool {
        let entries = [&self.declared, &self.record, &self.confirmation]
            .map(|proof| Entry::from_bytes(proof.entry.as_bytes()));
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
        let moved = self.moved.as_ref().is_none_or(|moved| {
            let entry = Entry::from_bytes(moved.proof.entry.as_bytes());
            entry.is_ok_and(|entry| {
                matches!(entry.body, Body::CopyMoved(to)
                    if to.copy == self.copy
                        && to.holder == moved.holder
                        && to.place == moved.place
                        && to.lock == moved.lock)
            })
        });
        let does = inventory::does(self.end.method, self.facts.medium);
        known
            && moved
            && recorded
            && confirmed
            && self.recorded_by != self.witness
            && self.end.performer != self.witness
            && does == Some(self.sanitization)
            && self.in_words == InBoth::attested()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::domain::{
        entry::{CopyDeclared, EndConfirmed, EndRecorded, Signed},
        inventory::{HeldKind, Medium, Method},
    };

    const AT: Timestamp = Timestamp::from_millis(1_795_226_400_000);

    fn proof(seq: u64, by: &str, body: Body) -> Proof {
        let entry = Entry { v: 1, at: AT, by: by.to_owned(), deputy: None, uid: None, body };
        let entry = String::from_utf8(entry.to_bytes().unwrap()).unwrap();
        Proof { seq, entry, hashes: Vec::new() }
    }

    /// A stick that alice shredded while audrey looked on, and what the register says of it.
    fn honest() -> AttestedCopy {
        let (copy, batch, order) = (CopyId::new(4), BatchId::new(1), OrderId::new(1));
        let facts = HeldFacts {
            kind: HeldKind::Carrier,
            medium: Medium::Flash,
            holder: "alice".to_owned(),
            place: "synthetic".to_owned(),
            lock: None,
            serial: Some("1".to_owned()),
            model: None,
            property_no: None,
            pieces: None,
            delete_by: None,
            sha256: None,
            bytes: None,
        };
        let end = EndFacts {
            method: Method::Shredded,
            at: AT,
            place: "synthetic".to_owned(),
            performer: "alice".to_owned(),
            tool: None,
            evidence: vec![Digest::of(b"synthetic")],
            reuse_doc_no: None,
        };
        let signed = Signed { text: String::new(), signature: String::new(), key: String::new() };
        let declared =
            CopyDeclared { copy, batch, facts: facts.clone(), unapproved: false, signed: None };
        let record = EndRecorded { order, copy, end: end.clone(), signed: None };
        let confirmed = EndConfirmed { order, copy, proposal: 8, signed };
        AttestedCopy {
            copy,
            batch,
            facts,
            moved: None,
            end,
            sanitization: Sanitization::Destroy,
            recorded_by: "alice".to_owned(),
            witness: "audrey".to_owned(),
            witnessed_at: AT,
            in_words: InBoth::attested(),
            declared: proof(7, "alice", Body::CopyDeclared(declared)),
            record: proof(8, "alice", Body::EndRecorded(record)),
            confirmation: proof(9, "audrey", Body::EndConfirmed(confirmed)),
        }
    }

    #[test]
    fn a_certificate_says_of_what_people_destroyed_what_the_register_says_and_nothing_else() {
        assert!(honest().agrees(OrderId::new(1)));
        assert!(!honest().agrees(OrderId::new(2)), "under that order");
        type Lie = fn(&mut AttestedCopy);
        let lies: &[(&str, Lie)] = &[
            ("the copy", |c| c.copy = CopyId::new(5)),
            ("the batch", |c| c.batch = BatchId::new(2)),
            ("the serial number", |c| c.facts.serial = Some("2".to_owned())),
            ("the method", |c| c.end.method = Method::Incinerated),
            ("the photographs", |c| c.end.evidence.clear()),
            ("what it comes to", |c| c.sanitization = Sanitization::Purge),
            ("who recorded it", |c| c.recorded_by = "henry".to_owned()),
            ("who vouched", |c| c.witness = "henry".to_owned()),
            ("when", |c| c.witnessed_at = AT.plus_seconds(1)),
            ("the words", |c| c.in_words.en = "cannot be recovered".to_owned()),
            ("another record", |c| c.record.seq = 3),
            ("no word of a second person", |c| c.confirmation = c.record.clone()),
        ];
        for (what, lie) in lies {
            let mut copy = honest();
            lie(&mut copy);
            assert!(!copy.agrees(OrderId::new(1)), "{what}");
        }
    }

    #[test]
    fn nobody_vouches_for_what_he_recorded_himself() {
        let mut copy = honest();
        copy.confirmation.entry = copy.confirmation.entry.replace("audrey", "alice");
        copy.witness = "alice".to_owned();
        assert!(!copy.agrees(OrderId::new(1)));
    }
}
