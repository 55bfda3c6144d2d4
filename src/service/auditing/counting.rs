//! How often each source was used, counted from the lines of the access log as they come: no subject is kept, and of
//! accounts and cases only how many there are.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::Sources;
use crate::{
    domain::{access::Operation, audits::ReportKind, digest::Digest, entry::UseRow, ids::GrantId},
    service::{
        forms::Source, inspecting::AccessLine, reading::Rows, show::AccountLine, show::GrantLine,
    },
};

/// A report of use, or statistics.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UseSheet {
    /// Which of them.
    pub kind: ReportKind,
    /// Of which period.
    pub period: String,
    /// The one link that it is about.
    pub link: Option<String>,
    /// The one unit that it is about.
    pub unit: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// By source, and by unit where units are told apart.
    pub rows: Vec<UseRow>,
    /// All of them together; an account or a case of several rows counts once.
    pub total: UseRow,
}

/// Which unit somebody asked for.
#[derive(Debug, Default)]
pub struct Units {
    grants: BTreeMap<GrantId, String>,
    accounts: BTreeMap<String, String>,
}

impl Units {
    /// By these accounts and grants: the unit that a grant is for comes first, then that of the account.
    #[must_use]
    pub fn of(accounts: &[AccountLine], grants: &[GrantLine]) -> Self {
        let grants = grants.iter().filter_map(|grant| Some((grant.id, grant.terms.unit.clone()?)));
        let accounts =
            accounts.iter().filter_map(|one| Some((one.name.clone(), one.unit.clone()?)));
        Self { grants: grants.collect(), accounts: accounts.collect() }
    }

    fn of_line(&self, line: &AccessLine) -> Option<&str> {
        let granted = line.grant.as_ref().and_then(|grant| self.grants.get(grant));
        let of_account = || self.accounts.get(line.account.as_ref()?);
        granted.or_else(of_account).map(String::as_str)
    }
}

#[derive(Debug, Default)]
struct Counting {
    row: UseRow,
    accounts: BTreeSet<String>,
    /// The first eight bytes of the SHA-256 of each case number.
    cases: HashSet<u64>,
}

impl Counting {
    fn take(&mut self, line: &AccessLine) {
        if line.operation.is_none() {
            self.row.unreadable += 1;
            return;
        }
        self.row.queries += 1;
        self.row.refused += u64::from(line.state == "refused");
        self.row.rows += line.rows.unwrap_or_default();
        if let Some(account) = &line.account {
            self.accounts.insert(account.clone());
        }
        if let Some(case) = line.case_no.as_deref().map(str::trim).filter(|case| !case.is_empty()) {
            let digest = Digest::of(case.as_bytes());
            let first = digest.as_bytes().iter().take(8);
            self.cases.insert(first.fold(0, |n, byte| (n << 8) | u64::from(*byte)));
        }
    }

    fn row(self) -> UseRow {
        let (accounts, cases) = (self.accounts.len() as u64, self.cases.len() as u64);
        UseRow { accounts, cases, ..self.row }
    }
}

/// Counts lines of the access log.
#[derive(Debug)]
pub struct UseCounter {
    units: Units,
    by_unit: bool,
    only: Option<String>,
    counts: BTreeMap<(String, Option<String>), Counting>,
    total: Counting,
}

impl UseCounter {
    /// One for these sources, all of which have a row; by unit, or by source alone; of one unit, where one is named.
    #[must_use]
    pub fn new(sources: &Sources, units: Units, kind: ReportKind, only: Option<String>) -> Self {
        let by_unit = kind == ReportKind::Use;
        let mut counts = BTreeMap::new();
        for (link, using) in &sources.links {
            let using: Vec<Option<String>> =
                if by_unit { using.iter().cloned().map(Some).collect() } else { vec![None] };
            for unit in using.into_iter().filter(|unit| only.is_none() || *unit == only) {
                counts.insert((link.clone(), unit), Counting::default());
            }
        }
        Self { units, by_unit, only, counts, total: Counting::default() }
    }

    /// Takes a line.
    pub fn take(&mut self, line: &AccessLine) {
        let reads = |word: &str| Operation::READS.iter().any(|read| read.word() == word);
        let counts = line.operation.as_deref().is_none_or(reads);
        // A part of a list belongs to its asking, which was counted; a look at the log reads no record.
        if !counts || line.part.is_some() {
            return;
        }
        let unit = self.units.of_line(line).map(str::to_owned);
        if self.only.is_some() && self.only != unit {
            return;
        }
        let unit = unit.filter(|_| self.by_unit);
        self.counts.entry((line.link.clone(), unit)).or_default().take(line);
        self.total.take(line);
    }

    /// What was counted, of one link where one is named.
    #[must_use]
    pub fn rows(self, link: Option<&str>) -> (Vec<UseRow>, UseRow) {
        let rows =
            self.counts.into_iter().filter(|((of, _), _)| link.is_none_or(|link| link == of));
        let rows = rows.map(|((link, unit), counting)| UseRow { unit, link, ..counting.row() });
        (rows.collect(), self.total.row())
    }
}

impl Rows for UseCounter {
    fn begin(&mut self, _: &[String]) -> std::io::Result<()> {
        Ok(())
    }

    fn row(&mut self, values: &[String]) -> std::io::Result<()> {
        let line = AccessLine::of_cells(values)
            .ok_or_else(|| std::io::Error::other("this is no line of the access log"))?;
        self.take(&line);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::domain::{digest::Digest, time::Timestamp};

    fn sources() -> Sources {
        let source = Source {
            agency: "合成機關".to_owned(),
            origin: "batchward/x".to_owned(),
            zone: "Asia/Taipei".to_owned(),
            made_at: Timestamp::from_millis(0),
            size: 1,
            root: Digest::of(b""),
            vkey: String::new(),
            checkpoint: String::new(),
        };
        let links = [("a".to_owned(), vec!["甲科".to_owned(), "乙科".to_owned()])];
        Sources { source, links: links.into() }
    }

    fn line(account: &str, case: &str, operation: &str, state: &str) -> AccessLine {
        let mut cells = vec![String::new(); AccessLine::FIELDS.len()];
        cells[0] = "1".to_owned();
        for (at, text) in
            [(4, account), (5, operation), (7, case), (9, "a"), (13, state), (16, "2")]
        {
            cells[at] = text.to_owned();
        }
        AccessLine::of_cells(&cells).unwrap()
    }

    fn units() -> Units {
        let accounts = [("henry", "甲科"), ("helen", "乙科")];
        Units {
            grants: BTreeMap::new(),
            accounts: accounts.map(|(a, u)| (a.to_owned(), u.to_owned())).into(),
        }
    }

    fn lines() -> Vec<AccessLine> {
        vec![
            line("henry", "115-1", "query", "shown"),
            line("henry", "115-1", "match", "shown"),
            line("henry", "115-2", "query", "refused"),
            line("helen", "115-1", "query", "open"),
            line("audrey", "", "access-show", "shown"),
            AccessLine { part: Some(0), ..line("henry", "115-1", "match", "shown") },
            line("", "", "", "destroyed"),
        ]
    }

    #[test]
    fn each_unit_and_source_has_its_counts_and_a_case_of_two_units_counts_once_in_all() {
        let mut counter = UseCounter::new(&sources(), units(), ReportKind::Use, None);
        lines().iter().for_each(|line| counter.take(line));
        let (rows, total) = counter.rows(None);
        let of = |unit: Option<&str>| {
            let row = rows.iter().find(|row| row.unit.as_deref() == unit).unwrap();
            [row.queries, row.refused, row.accounts, row.cases, row.unreadable]
        };
        assert_eq!(of(Some("甲科")), [3, 1, 1, 2, 0]);
        assert_eq!(of(Some("乙科")), [1, 0, 1, 1, 0]);
        assert_eq!(of(None), [0, 0, 0, 0, 1]);
        assert_eq!((total.queries, total.accounts, total.cases), (4, 2, 2));
    }

    #[test]
    fn statistics_are_by_source_alone_and_one_unit_can_be_asked_for() {
        let mut counter = UseCounter::new(&sources(), units(), ReportKind::Statistics, None);
        lines().iter().for_each(|line| counter.take(line));
        let (rows, _) = counter.rows(None);
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].queries, rows[0].cases, rows[0].unreadable), (4, 2, 1));
        let only = Some("乙科".to_owned());
        let mut counter = UseCounter::new(&sources(), units(), ReportKind::Use, only);
        lines().iter().for_each(|line| counter.take(line));
        let (rows, total) = counter.rows(None);
        assert_eq!((rows.len(), total.queries), (1, 1));
    }

    #[test]
    fn a_source_that_nobody_used_has_a_row_of_noughts() {
        let counter = UseCounter::new(&sources(), units(), ReportKind::Use, None);
        let (rows, _) = counter.rows(None);
        assert!(rows.len() == 2 && rows.iter().all(|row| row.queries == 0));
    }
}
