//! `audit self-assessment`: 附件二 with every item in its own order and wording, and filled in as far as the register
//! proves something. What it does not prove is left to whoever assesses: nothing is guessed.

mod evidence;

use std::collections::BTreeSet;

use chrono::Datelike;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        audits::{AuditState, Verdict},
        duty::Duty,
        time::Timestamp,
        view::View,
    },
    engine::rules::Rules,
    service::{Result, Service, duties, forms::Source},
};

/// The form as it was published.
const FORM: &str = include_str!("../../../forms/tya2.tsv");
/// Years of plans that item 8 asks for.
const PLAN_YEARS: i32 = 2;

/// 附件二, filled in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Assessment {
    /// Where it comes from.
    pub source: Source,
    /// 自評日期.
    pub on: Timestamp,
    /// The items, in the order of the form.
    pub items: Vec<Item>,
    /// The plans of audits of the last two years.
    pub plans: Vec<PlanRow>,
}

/// A row of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Item {
    /// Its number, such as `2.12`.
    pub item: String,
    /// The group that the form has it in.
    pub group: Option<String>,
    /// Its wording.
    pub wording: String,
    /// Whether it is a heading.
    pub heading: bool,
    /// Whether the form has boxes for it.
    pub boxes: bool,
    /// How it is answered, where the register proves it.
    pub verdict: Option<Verdict>,
    /// 佐證資料: what the register has on it.
    pub evidence: Option<String>,
}

/// An audit of the last two years, planned or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlanRow {
    /// Its id.
    pub audit: String,
    /// What kind.
    pub kind: crate::domain::audits::AuditKind,
    /// Of which period.
    pub period: String,
    /// What is audited.
    pub of: String,
    /// Who audits.
    pub by: Vec<String>,
    /// How it stands.
    pub state: AuditState,
    /// The day, as it took place or as it is planned.
    pub on: Option<Timestamp>,
    /// Number of the document.
    pub doc_no: Option<String>,
    /// Its place in the register.
    pub entry: Option<u64>,
}

/// What the register has on an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Proven {
    verdict: Option<Verdict>,
    evidence: Option<String>,
}

impl Proven {
    /// It proves this answer.
    fn of(verdict: Verdict, evidence: impl Into<String>) -> Self {
        Self { verdict: Some(verdict), evidence: Some(evidence.into()) }
    }

    /// It has something on it, and the answer is the assessor's.
    fn stated(evidence: impl Into<String>) -> Self {
        Self { verdict: None, evidence: Some(evidence.into()) }
    }
}

/// What items are held against.
struct Given<'a> {
    view: &'a View,
    rules: &'a Rules,
    on: Timestamp,
    /// Duties whose cause is past, as they were then.
    duties: Vec<Duty>,
}

impl Service {
    /// 附件二 as it is at the end of a day; now, where none is said.
    ///
    /// # Errors
    /// There is no site.
    pub(in crate::service) fn assessment(&self, on: Option<Timestamp>) -> Result<Assessment> {
        let now = self.now();
        let on = on.unwrap_or(now);
        let (view, rules) = (&self.engine.view, &self.engine.rules);
        let duties = duties::as_of(duties::all(view, rules, now, on), on);
        let given = Given { view, rules, on, duties };
        let items = rows().map(|row| filled(row, &given)).collect();
        Ok(Assessment { source: self.source()?, on, items, plans: self.plans(on) })
    }

    fn plans(&self, on: Timestamp) -> Vec<PlanRow> {
        let zone = self.engine.rules.zone;
        let year = on.date_in(zone).year();
        let recent: BTreeSet<String> =
            (0..=PLAN_YEARS).map(|back| (year - back).to_string()).collect();
        let page = self.audits();
        let of_years = page
            .audits
            .into_iter()
            .filter(|row| recent.contains(row.terms.period.get(..4).unwrap_or("")));
        of_years
            .map(|row| PlanRow {
                audit: row.id.to_string(),
                kind: row.terms.kind,
                period: row.terms.period,
                of: row.terms.of,
                by: row.terms.by.into_iter().map(|member| member.account).collect(),
                state: row.state,
                on: row.on,
                doc_no: row.doc_no.or(row.plan_doc_no),
                entry: row.entry,
            })
            .collect()
    }
}

/// The rows of the form: number, group, form, wording.
fn rows() -> impl Iterator<Item = [&'static str; 4]> {
    let lines = FORM.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.filter_map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        cells.try_into().ok()
    })
}

fn filled([item, group, form, wording]: [&'static str; 4], given: &Given<'_>) -> Item {
    let proven = evidence::EVIDENCE.iter().find(|(of, _)| *of == item);
    let proven = proven.map(|(_, prove)| prove(given)).unwrap_or_default();
    let boxes = form == "i";
    Item {
        item: item.to_owned(),
        group: Some(group.to_owned()).filter(|group| !group.is_empty()),
        wording: wording.to_owned(),
        heading: form == "h",
        boxes,
        verdict: proven.verdict.filter(|_| boxes),
        evidence: proven.evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_has_every_item_of_the_text_and_its_defects() {
        let items: Vec<&str> = rows().map(|[item, ..]| item).collect();
        let of = |group: &str| items.iter().filter(|item| item.starts_with(group)).count();
        assert_eq!(["1.", "2.", "3.", "4.", "5.", "6.", "7."].map(of), [5, 13, 2, 5, 5, 6, 1]);
        assert!(!items.contains(&"4.5"));
        let wording = |wanted: &str| rows().find(|[item, ..]| *item == wanted).map(|row| row[3]);
        let bare = |item| wording(item).map(|text| text.split_once(") ").map(|(_, text)| text));
        assert_eq!(bare("2.8"), bare("2.10"));
        let form = |wanted: &str| rows().find(|[item, ..]| *item == wanted).map(|row| row[2]);
        assert_eq!(form("2.12"), Some("n"));
    }

    #[test]
    fn what_proves_an_item_names_an_item_of_the_form_once() {
        let items: Vec<&str> = rows().map(|[item, ..]| item).collect();
        let mut seen = BTreeSet::new();
        for (item, _) in evidence::EVIDENCE {
            assert!(items.contains(item) && seen.insert(item), "{item}");
        }
    }
}
