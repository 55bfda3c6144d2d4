//! `audit reconcile`: accounts held against a list of staff, and queries held against a list of cases (NTP-11, TPE-12.2,
//! TPH-5.10). The lists come from other systems as CSV; what differs is a form of the auditor's own, and the register gets
//! its digest and how much of each kind there was.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        access::Operation,
        audits::ReportKind,
        calendar,
        cp950::{self, Tally},
        layout::Eudc,
    },
    error::{Error, Exit},
    service::{Result, forms::Source, inspecting::AccessLine, reading::Rows, show::AccountLine},
};

/// Rows of a list, at most.
const ROWS_MAX: usize = 1_000_000;

/// What is counted, and what may differ.
pub const CODES: &[&str] = &[
    "accounts",
    "staff",
    "queries",
    "cases",
    "account-without-staff",
    "left-but-active",
    "other-unit",
    "query-without-case",
    "outside-the-case",
    "case-without-query",
    "unreadable",
];

/// What was held against what, and what differs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reconciliation {
    /// Against staff or against cases.
    pub kind: ReportKind,
    /// Of which period.
    pub period: String,
    /// Where it comes from.
    pub source: Source,
    /// How much of each kind there was, by code.
    pub counts: BTreeMap<String, u64>,
    /// What differs, in an order of its own.
    pub rows: Vec<Difference>,
}

/// Something that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Difference {
    /// `account-without-staff`, `left-but-active`, `other-unit`; `query-without-case`, `outside-the-case`,
    /// `case-without-query`.
    pub code: String,
    /// The account or the case number.
    pub name: String,
    /// The units or the days that differ; how many queries there were.
    pub detail: String,
}

/// A list from another system: a head, and rows.
#[derive(Debug)]
pub struct List {
    head: Vec<String>,
    /// With the number of the line that each stands on.
    rows: Vec<(usize, Vec<String>)>,
}

impl List {
    /// Reads a list: CSV in UTF-8 or CP950, with a head in Chinese or English.
    ///
    /// # Errors
    /// It has no head or too many rows.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
            Err(_) => cp950::decode(bytes, Eudc::MsPua, &mut Tally::default()),
        };
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let mut lines = lines.map(|(at, line)| (at + 1, cells(line)));
        let (_, head) = lines.next().ok_or_else(|| bad("the list is empty"))?;
        let head = head.iter().map(|cell| cell.trim().to_lowercase()).collect();
        let rows: Vec<(usize, Vec<String>)> = lines.take(ROWS_MAX + 1).collect();
        if rows.len() > ROWS_MAX {
            return Err(bad("the list has too many rows"));
        }
        Ok(Self { head, rows })
    }

    fn column(&self, names: &[&str]) -> Option<usize> {
        self.head.iter().position(|cell| names.contains(&cell.as_str()))
    }

    fn needed(&self, names: &[&str]) -> Result<usize> {
        self.column(names).ok_or_else(|| {
            bad("the list lacks a column").hint(format!("one of: {}", names.join(", ")))
        })
    }
}

fn bad(what: &str) -> Error {
    Error::new(Exit::Data, what)
}

/// The cells of a line; a quoted cell may hold commas and doubled quotes.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

fn of(row: &[String], at: Option<usize>) -> Option<&str> {
    at.and_then(|at| row.get(at)).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
}

/// The day in a cell. One that cannot be read is no day that is missing: everything would lie within it.
fn day(number: usize, row: &[String], at: Option<usize>) -> Result<Option<NaiveDate>> {
    let Some(text) = of(row, at) else { return Ok(None) };
    let day = calendar::parse_date(text);
    day.map(Some).ok_or_else(|| bad(&format!("row {number} of the list has a date that is none")))
}

fn differs(code: &str, name: &str, detail: String) -> Difference {
    Difference { code: code.to_owned(), name: name.to_owned(), detail }
}

fn counted(counts: &mut BTreeMap<String, u64>, rows: &[Difference]) {
    for row in rows {
        *counts.entry(row.code.clone()).or_default() += 1;
    }
}

/// Accounts against a list of staff, as it is on a day.
///
/// # Errors
/// The list lacks the column of accounts.
pub fn against_staff(
    list: &List,
    accounts: &[AccountLine],
    on: NaiveDate,
) -> Result<(BTreeMap<String, u64>, Vec<Difference>)> {
    let name = list.needed(&["帳號", "account", "name"])?;
    let unit = list.column(&["單位", "unit"]);
    let left = list.column(&["離職日", "異動日", "left", "until"]);
    let mut staff: BTreeMap<&str, (&Vec<String>, Option<NaiveDate>)> = BTreeMap::new();
    for (number, row) in &list.rows {
        let left = day(*number, row, left)?;
        if let Some(name) = of(row, Some(name)) {
            staff.insert(name, (row, left));
        }
    }
    let mut rows = Vec::new();
    let active = || accounts.iter().filter(|account| account.state == "active");
    for account in active() {
        let Some((row, left)) = staff.get(account.name.as_str()) else {
            rows.push(differs("account-without-staff", &account.name, String::new()));
            continue;
        };
        if let Some(day) = left.filter(|day| *day < on) {
            rows.push(differs("left-but-active", &account.name, day.to_string()));
        }
        let (theirs, ours) = (of(row, unit), account.unit.as_deref());
        if theirs.is_some() && theirs != ours {
            let detail = format!("{} / {}", ours.unwrap_or("-"), theirs.unwrap_or("-"));
            rows.push(differs("other-unit", &account.name, detail));
        }
    }
    let mut counts = BTreeMap::from([
        ("accounts".to_owned(), active().count() as u64),
        ("staff".to_owned(), staff.len() as u64),
    ]);
    counted(&mut counts, &rows);
    Ok((counts, rows))
}

#[derive(Debug, Default)]
struct Case {
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
    queries: u64,
    outside: u64,
}

/// Queries against a list of cases, line by line as they come.
#[derive(Debug)]
pub struct CaseCheck {
    listed: BTreeMap<String, Case>,
    unlisted: BTreeMap<String, u64>,
    queries: u64,
    /// Entries whose key was destroyed: nobody knows whether they were queries.
    unreadable: u64,
}

impl CaseCheck {
    /// Against this list.
    ///
    /// # Errors
    /// It lacks the column of case numbers, or a day in it cannot be read.
    pub fn new(list: &List) -> Result<Self> {
        let number = list.needed(&["案號", "案件編號", "文號", "case", "case_no"])?;
        let from = list.column(&["受理日", "收件日", "起日", "from", "start"]);
        let until = list.column(&["結案日", "迄日", "until", "end"]);
        let mut listed = BTreeMap::new();
        for (at, row) in &list.rows {
            let (from, until) = (day(*at, row, from)?, day(*at, row, until)?);
            if let Some(case) = of(row, Some(number)) {
                listed.insert(case.to_owned(), Case { from, until, ..Case::default() });
            }
        }
        Ok(Self { listed, unlisted: BTreeMap::new(), queries: 0, unreadable: 0 })
    }

    fn take(&mut self, line: &AccessLine) {
        if line.operation.is_none() {
            self.unreadable += 1;
            return;
        }
        let reads = |word: &str| Operation::READS.iter().any(|read| read.word() == word);
        let counts = line.operation.as_deref().is_some_and(reads);
        if !counts || line.part.is_some() {
            return;
        }
        self.queries += 1;
        let case = line.case_no.as_deref().unwrap_or_default().trim();
        let Some(known) = self.listed.get_mut(case) else {
            *self.unlisted.entry(case.to_owned()).or_default() += 1;
            return;
        };
        known.queries += 1;
        let day = calendar::parse_date(&line.date);
        let before = day.zip(known.from).is_some_and(|(day, from)| day < from);
        let after = day.zip(known.until).is_some_and(|(day, until)| day > until);
        known.outside += u64::from(before || after);
    }

    /// What differs.
    #[must_use]
    pub fn differences(self) -> (BTreeMap<String, u64>, Vec<Difference>) {
        let mut rows = Vec::new();
        let mut counts = BTreeMap::from([
            ("queries".to_owned(), self.queries),
            ("cases".to_owned(), self.listed.len() as u64),
        ]);
        if self.unreadable > 0 {
            counts.insert("unreadable".to_owned(), self.unreadable);
        }
        for (case, queries) in &self.unlisted {
            rows.push(differs("query-without-case", case, queries.to_string()));
        }
        for (number, case) in &self.listed {
            if case.queries == 0 {
                rows.push(differs("case-without-query", number, String::new()));
            }
            if case.outside > 0 {
                rows.push(differs("outside-the-case", number, case.outside.to_string()));
            }
        }
        counted(&mut counts, &rows);
        (counts, rows)
    }
}

impl Rows for CaseCheck {
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

    fn codes(rows: &[Difference]) -> Vec<(&str, &str)> {
        rows.iter().map(|row| (row.code.as_str(), row.name.as_str())).collect()
    }

    fn account(name: &str, unit: &str, state: &str) -> AccountLine {
        AccountLine {
            name: name.to_owned(),
            state: state.to_owned(),
            unit: Some(unit.to_owned()),
            ..serde_json::from_value(serde_json::json!({
                "name": "", "state": "", "roles": [], "display": null, "unit": null, "waits": false
            }))
            .unwrap()
        }
    }

    #[test]
    fn accounts_are_held_against_a_list_in_either_encoding_and_language() {
        let text =
            "帳號,單位,離職日\r\nhenry,甲科,\r\nhelen,乙科,115/10/31\r\n\"ida\",\"丙科\",\r\n";
        let accounts = [
            account("henry", "甲科", "active"),
            account("helen", "乙科", "active"),
            account("ida", "甲科", "active"),
            account("zoe", "甲科", "active"),
            account("old", "甲科", "disabled"),
        ];
        let on = calendar::parse_date("2026-11-30").unwrap();
        let cp950 = cp950::encode(text).unwrap();
        for bytes in [text.as_bytes().to_vec(), cp950] {
            let list = List::parse(&bytes).unwrap();
            let (counts, rows) = against_staff(&list, &accounts, on).unwrap();
            assert_eq!(
                codes(&rows),
                [
                    ("left-but-active", "helen"),
                    ("other-unit", "ida"),
                    ("account-without-staff", "zoe")
                ]
            );
            assert_eq!((counts["accounts"], counts["staff"]), (4, 3));
        }
        let english = List::parse(b"account,unit\nhenry,x\n").unwrap();
        assert!(against_staff(&english, &accounts, on).is_ok());
        assert!(List::parse(b"").is_err());
        assert!(against_staff(&List::parse(b"x,y\n1,2\n").unwrap(), &accounts, on).is_err());
    }

    fn line(case: &str, date: &str, operation: &str) -> AccessLine {
        let mut cells = vec![String::new(); AccessLine::FIELDS.len()];
        for (at, text) in [(0, "1"), (2, date), (4, "henry"), (5, operation), (7, case), (9, "a")] {
            cells[at] = text.to_owned();
        }
        AccessLine::of_cells(&cells).unwrap()
    }

    #[test]
    fn queries_are_held_against_cases_and_their_days() {
        let list = "案號,受理日,結案日\n115-1,115/11/01,115/11/20\n115-2,115/11/01,\n115-3,,\n";
        let mut check = CaseCheck::new(&List::parse(list.as_bytes()).unwrap()).unwrap();
        for line in [
            line("115-1", "2026-11-10", "query"),
            line("115-1", "2026-11-25", "query"),
            line("115-2", "2026-11-02", "match"),
            line("115-9", "2026-11-02", "query"),
            line("", "2026-11-02", "access-show"),
            // Its key was destroyed.
            line("", "2026-11-02", ""),
        ] {
            check.take(&line);
        }
        let (counts, rows) = check.differences();
        assert_eq!(
            codes(&rows),
            [
                ("query-without-case", "115-9"),
                ("outside-the-case", "115-1"),
                ("case-without-query", "115-3")
            ]
        );
        assert_eq!((counts["queries"], counts["cases"], counts["unreadable"]), (4, 3, 1));
    }

    #[test]
    fn a_day_that_cannot_be_read_is_told_with_its_row_and_never_taken_for_none() {
        let list = "案號,受理日,結案日\n115-1,115/11/01,\n\n115-2,115/11/01,115/13/40\n";
        let list = List::parse(list.as_bytes()).unwrap();
        let error = CaseCheck::new(&list).unwrap_err();
        assert!(error.to_string().contains("row 4"), "{error}");
        let list = List::parse("account,left\nhenry,soon\n".as_bytes()).unwrap();
        let on = calendar::parse_date("2026-11-30").unwrap();
        let accounts = [account("henry", "甲科", "active")];
        let error = against_staff(&list, &accounts, on).unwrap_err();
        assert!(error.to_string().contains("row 2"), "{error}");
    }
}
