//! Serial numbers of the printed register: which row of a batch has which, as the register tells it.
//!
//! A batch has a row for each unit that may use it. Rows get their numbers when they are opened: when the delivery is
//! claimed, in the order in which the link names its units; when it is loaded for a unit that the link did not name then;
//! and when a unit that comes later is granted its use. Each register (one a policy) counts its own rows of each ROC year,
//! without a gap. Nothing takes a number back: a rejected delivery keeps its row.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{FoldError, Mark, View, kept};
use crate::domain::{
    ids::{BatchId, GrantId},
    lifecycle::BatchState,
    serial::{Serial, roc_year},
    time::Timestamp,
};

/// The last number that was given, by register and year.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Serials {
    #[serde(with = "kept::pairs")]
    last: BTreeMap<(String, u16), u32>,
}

/// A row of the printed register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedRow {
    /// The unit that uses the batch; none where nothing names one.
    pub unit: Option<Arc<str>>,
    /// Its number.
    pub serial: Serial,
}

impl Serials {
    /// The next number of a register.
    pub(super) fn next(&mut self, register: &str, at: Timestamp) -> Serial {
        let year = roc_year(at);
        let last = self.last.entry((register.to_owned(), year)).or_default();
        *last += 1;
        Serial { year, number: *last }
    }

    /// The registers that ever gave a number, each once.
    pub fn registers(&self) -> impl Iterator<Item = &str> {
        let mut before = None;
        let names = self.last.keys().map(|(name, _)| name.as_str());
        names.filter(move |name| before.replace(*name) != Some(*name))
    }

    /// The last number that a register gave in a year, 0 where it gave none.
    #[must_use]
    pub fn last_of(&self, register: &str, year: u16) -> u32 {
        self.last.get(&(register.to_owned(), year)).copied().unwrap_or_default()
    }
}

impl View {
    /// The rows of a delivery that is claimed, one for each unit, and one where there is none.
    pub(super) fn open_rows(
        &mut self,
        register: &str,
        units: &[String],
        at: Timestamp,
    ) -> Vec<OpenedRow> {
        let mut rows: Vec<OpenedRow> = Vec::new();
        for unit in units {
            if rows.iter().any(|row| row.unit.as_deref() == Some(unit)) {
                continue;
            }
            let serial = self.serials.next(register, at);
            rows.push(OpenedRow { unit: Some(self.alike.word(unit)), serial });
        }
        if rows.is_empty() {
            rows.push(OpenedRow { unit: None, serial: self.serials.next(register, at) });
        }
        rows
    }

    /// A row for each of these units that has none of this batch yet.
    pub(super) fn further_rows(
        &mut self,
        mark: Mark,
        batch: BatchId,
        units: &[String],
    ) -> Result<(), FoldError> {
        let row = self.batch(mark, batch)?;
        let known = |unit: &&String| {
            row.rows.iter().any(|opened| opened.unit.as_deref() == Some(unit.as_str()))
        };
        let new: Vec<String> = units.iter().filter(|unit| !known(unit)).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let register = row.facts.policy.clone();
        let mut opened = self.open_rows(&register, &new, mark.at);
        self.batch(mark, batch)?.rows.append(&mut opened);
        Ok(())
    }

    /// A unit that was granted the use of a link has a row of every batch of it that is loaded.
    pub(super) fn granted_rows(&mut self, mark: Mark, grant: GrantId) -> Result<(), FoldError> {
        let terms = self.grants.get(&grant).map(|row| row.terms.clone());
        let Some((link, unit)) = terms.and_then(|terms| Some((terms.link, terms.unit?))) else {
            return Ok(());
        };
        let loaded: Vec<BatchId> = self
            .batches_in(BatchState::Loaded)
            .filter(|(_, row)| row.link == link)
            .map(|(id, _)| id)
            .collect();
        let units = [unit];
        loaded.into_iter().try_for_each(|batch| self.further_rows(mark, batch, &units))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::domain::{
        digest::Digest,
        entry::{
            Body, CopyFacts, DecisionConfirmed, DecisionEntered, Entry, GrantTerms, LinkFacts,
            Signed,
        },
        ids::DeliveryId,
        on_paper::{Ruling, Subject},
        signed::SignedText,
        step::{Outcome, Plan},
    };

    /// A register that grows by hand.
    struct Grown {
        view: View,
        at: Timestamp,
    }

    impl Grown {
        fn new(at: Timestamp) -> Self {
            Self { view: View::default(), at }
        }

        fn record(&mut self, body: Body) {
            self.record_by("person-1", body);
        }

        fn record_by(&mut self, by: &str, body: Body) {
            let entry =
                Entry { v: 1, at: self.at, by: by.to_owned(), deputy: None, uid: None, body };
            self.view.apply(self.view.size, &entry, Digest::of(b"synthetic")).unwrap();
        }

        fn claim(&mut self, policy: &str, units: &[&str]) -> Vec<String> {
            let (batch, case) = (self.view.next_batch(), self.view.next_copy(0));
            let facts = LinkFacts {
                provider: String::new(),
                title: String::new(),
                table_no: String::new(),
                purpose: String::new(),
                basis_doc_no: String::new(),
                units: units.iter().map(|unit| (*unit).to_owned()).collect(),
                policy: policy.to_owned(),
                layout: String::new(),
            };
            let delivery = DeliveryId::new(batch.number());
            let link = "moca".to_owned();
            let plan = Plan::Claim {
                batch,
                delivery,
                link,
                facts,
                case,
                files: vec![],
                reason: None,
                notice: None,
            };
            let intent = self.view.size;
            self.record(Body::Intent { plan });
            let case = CopyFacts::new(case, 1);
            let outcome = Outcome::Claimed { case, files: vec![], whole: true };
            self.record(Body::Outcome { intent, outcome });
            self.serials(batch)
        }

        fn applied(&mut self, unit: &str) -> GrantId {
            let terms = GrantTerms {
                link: "moca".to_owned(),
                holder: "henry".to_owned(),
                unit: Some(unit.to_owned()),
                fields: Vec::new(),
                purpose: String::new(),
                basis: String::new(),
                until: self.at,
                row_cap: 1,
                service: None,
            };
            let grant = self.view.next_grant();
            self.record(Body::GrantApplied { grant, terms, signed: None });
            grant
        }

        fn serials(&self, batch: BatchId) -> Vec<String> {
            let row = self.view.batches.get(&batch).unwrap();
            row.rows.iter().map(|opened| opened.serial.to_string()).collect()
        }
    }

    fn signed(grant: GrantId) -> Signed {
        let at = at("2026-11-21T10:00:00+08:00");
        let text = SignedText {
            at,
            batchward: 1,
            command: "grant approve".to_owned(),
            expires: at.plus_seconds(300),
            nonce: format!("{:032x}", 7),
            object: grant.to_string(),
            object_digest: None,
            origin: "batchward/test".to_owned(),
            text: String::new(),
        };
        let (signature, key) = ("synthetic".to_owned(), String::new());
        Signed { text: text.canonical(), signature, key }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn each_register_counts_its_own_rows_of_each_year_without_a_gap() {
        let mut grown = Grown::new(at("2026-11-21T10:00:00+08:00"));
        assert_eq!(grown.claim("a", &["one", "two", "one"]), ["115-0001", "115-0002"]);
        assert_eq!(grown.claim("b", &["one"]), ["115-0001"]);
        assert_eq!(grown.claim("a", &[]), ["115-0003"]);
        // The year is Taiwan's, whatever zone a site shows.
        grown.at = at("2026-12-31T15:59:59Z");
        assert_eq!(grown.claim("a", &["one"]), ["115-0004"]);
        grown.at = at("2026-12-31T16:00:00Z");
        assert_eq!(grown.claim("a", &["one"]), ["116-0001"]);
        assert_eq!(grown.view.serials.last_of("a", 115), 4);
        assert_eq!(grown.view.serials.registers().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_unit_that_comes_later_takes_the_next_number_once() {
        let mut grown = Grown::new(at("2026-11-21T10:00:00+08:00"));
        grown.claim("a", &["one"]);
        grown.claim("a", &["one"]);
        let mark = Mark { seq: grown.view.size, digest: Digest::of(b"x"), at: grown.at };
        let (batch, units) = (BatchId::new(1), ["one".to_owned(), "two".to_owned()]);
        for _ in 0..2 {
            grown.view.further_rows(mark, batch, &units).unwrap();
            assert_eq!(grown.serials(batch), ["115-0001", "115-0003"]);
        }
        // A batch that is not loaded has no row for who is granted the link's use.
        let grant = grown.applied("three");
        grown.record(Body::GrantApproved { grant, signed: signed(grant) });
        assert_eq!(grown.serials(batch), ["115-0001", "115-0003"]);
    }

    #[test]
    fn a_grant_opens_the_same_rows_by_a_signature_and_by_a_document() {
        let rows_of = |on_paper: bool| {
            let mut grown = Grown::new(at("2026-11-21T10:00:00+08:00"));
            grown.claim("a", &["one"]);
            let batch = BatchId::new(1);
            let row = grown.view.batches.get_mut(&batch).unwrap();
            let (from, link) = (row.state, row.link.clone());
            row.state = BatchState::Loaded;
            grown.view.index.moved(batch, &link, from, BatchState::Loaded);
            let grant = grown.applied("two");
            if on_paper {
                let typed = DecisionEntered {
                    subject: Subject::Grant(grant),
                    ruling: Ruling::Approved,
                    approver: "person-2".to_owned(),
                    doc_no: "synthetic".to_owned(),
                    on: grown.at,
                    document: grown.view.next_document(),
                    sha256: Digest::of(b"synthetic"),
                    object_digest: Digest::of(b"synthetic"),
                    code: String::new(),
                    reason: None,
                    signed: None,
                };
                let proposal = grown.view.size;
                grown.record_by("person-3", Body::DecisionEntered(typed));
                let (subject, signed) = (Subject::Grant(grant), signed(grant));
                let confirmed = DecisionConfirmed { subject, proposal, not_before: None, signed };
                grown.record_by("person-4", Body::DecisionConfirmed(confirmed));
            } else {
                grown.record_by("person-2", Body::GrantApproved { grant, signed: signed(grant) });
            }
            assert!(grown.view.grants.get(&grant).unwrap().approved.is_some());
            grown.serials(batch)
        };
        assert_eq!(rows_of(false), ["115-0001", "115-0002"]);
        assert_eq!(rows_of(true), rows_of(false));
    }
}
