//! Folding reports, audits and requests for evidence: made by one person, signed by another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FoldError, Mark, View};
use crate::domain::{
    audits::{AuditKind, AuditState, ReportKind, ReportState, RequestState},
    digest::Digest,
    entry::{
        AuditDayTold, AuditPlanned, AuditRecorded, AuditTerms, Body, Entry, EvidenceAnswered,
        EvidenceAsked, ReportMade, ReportSent, UseRow,
    },
    ids::{AuditId, ReportId, RequestId},
    time::Timestamp,
};

/// Reports, audits and requests for evidence.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Audits {
    /// Reports.
    pub reports: BTreeMap<ReportId, Report>,
    /// Audits.
    pub audits: BTreeMap<AuditId, Audit>,
    /// Requests for evidence.
    pub requests: BTreeMap<RequestId, EvidenceRequest>,
    /// Days that nobody expects an audit on, by month.
    pub days: BTreeMap<String, AuditDay>,
}

/// A report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What it is.
    pub kind: ReportKind,
    /// Of which period, or of which day.
    pub period: String,
    /// The one link that it is about.
    pub link: Option<String>,
    /// The one unit that it is about.
    pub unit: Option<String>,
    /// SHA-256 of its file.
    pub form: Digest,
    /// How often each source was used.
    pub rows: Vec<UseRow>,
    /// What else was counted.
    pub counts: BTreeMap<String, u64>,
    /// Who made it.
    pub by: String,
    /// When.
    pub made: Mark,
    /// Who signed it off, when, and the document.
    pub signed: Option<(String, Mark, String)>,
    /// Where it was sent: office, number of the letter, the day.
    pub sent: Vec<(String, String, Timestamp)>,
}

impl Report {
    /// How it stands.
    #[must_use]
    pub const fn state(&self) -> ReportState {
        if self.signed.is_some() { ReportState::Signed } else { ReportState::Made }
    }

    /// Whether it is of the same thing and period as another.
    #[must_use]
    pub fn is_as(
        &self,
        kind: ReportKind,
        period: &str,
        link: Option<&str>,
        unit: Option<&str>,
    ) -> bool {
        self.kind == kind
            && self.period == period
            && self.link.as_deref() == link
            && self.unit.as_deref() == unit
    }
}

/// What the record of an audit says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditRecord {
    /// What it was, as it took place.
    pub facts: AuditRecorded,
    /// Who recorded it.
    pub by: String,
    /// When.
    pub mark: Mark,
}

/// An audit: planned, recorded, signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Audit {
    /// What, and by whom.
    pub terms: AuditTerms,
    /// When it was planned, and by whom; none where it took place without a plan.
    pub planned: Option<(String, Mark)>,
    /// The day that was planned.
    pub on: Option<Timestamp>,
    /// Number of the plan's document.
    pub doc_no: Option<String>,
    /// What took place.
    pub record: Option<AuditRecord>,
    /// Who signed the record, and when.
    pub signed: Option<(String, Mark)>,
}

impl Audit {
    /// How it stands.
    #[must_use]
    pub const fn state(&self) -> AuditState {
        match (&self.record, &self.signed) {
            (None, _) => AuditState::Planned,
            (Some(_), None) => AuditState::Recorded,
            (Some(_), Some(_)) => AuditState::Signed,
        }
    }
}

/// A request for evidence.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvidenceRequest {
    /// What is asked of whom.
    pub asked: EvidenceAsked,
    /// Who asked.
    pub by: String,
    /// When.
    pub mark: Mark,
    /// What was handed in, and when.
    pub answer: Option<(EvidenceAnswered, Mark)>,
}

impl EvidenceRequest {
    /// How it stands.
    #[must_use]
    pub const fn state(&self) -> RequestState {
        if self.answer.is_some() { RequestState::Answered } else { RequestState::Asked }
    }
}

/// The day of a month on which an audit comes without notice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditDay {
    /// What the register holds of it.
    pub seal: Digest,
    /// When it was drawn.
    pub drawn: Mark,
    /// The day, once it is told.
    pub told: Option<AuditDayTold>,
}

impl Audits {
    /// The number that the next report gets.
    #[must_use]
    pub fn next_report(&self) -> ReportId {
        ReportId::new(self.reports.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// The number that the next audit gets.
    #[must_use]
    pub fn next_audit(&self) -> AuditId {
        AuditId::new(self.audits.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// The number that the next request for evidence gets.
    #[must_use]
    pub fn next_request(&self) -> RequestId {
        RequestId::new(self.requests.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// The oldest plan that an audit of this kind, period and thing fulfils.
    #[must_use]
    pub fn plan_for(&self, kind: AuditKind, period: &str, of: &str) -> Option<AuditId> {
        let is = |row: &Audit| {
            row.record.is_none()
                && (row.terms.kind, row.terms.period.as_str(), row.terms.of.as_str())
                    == (kind, period, of)
        };
        self.audits.iter().find(|(_, row)| is(row)).map(|(id, _)| *id)
    }
}

impl View {
    pub(super) fn audit(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        let refused = Err(FoldError::Transition(mark.seq));
        match &entry.body {
            Body::ReportMade(made) => self.report_made(mark, &entry.by, made),
            Body::ReportSigned(signed) => {
                let row = self.audits.reports.get_mut(&signed.report);
                let row = row.ok_or(FoldError::Unknown(mark.seq))?;
                // The fold itself refuses who signs off what is his own, and a second signature.
                if row.by == entry.by || row.signed.is_some() {
                    return refused;
                }
                row.signed = Some((entry.by.clone(), mark, signed.doc_no.clone()));
                Ok(())
            }
            Body::ReportSent(ReportSent { report, office, letter, on, .. }) => {
                let row = self.audits.reports.get_mut(report);
                let row = row.ok_or(FoldError::Unknown(mark.seq))?;
                row.sent.push((office.clone(), letter.clone(), *on));
                Ok(())
            }
            Body::AuditPlanned(planned) => self.audit_planned(mark, &entry.by, planned),
            Body::AuditRecorded(facts) => self.audit_recorded(mark, &entry.by, facts),
            Body::AuditSigned(signed) => {
                let row = self.audits.audits.get_mut(&signed.audit);
                let row = row.ok_or(FoldError::Unknown(mark.seq))?;
                let by = row.record.as_ref().map(|record| record.by.as_str());
                if by.is_none_or(|by| by == entry.by) || row.signed.is_some() {
                    return refused;
                }
                row.signed = Some((entry.by.clone(), mark));
                Ok(())
            }
            Body::EvidenceAsked(asked) => {
                let by = entry.by.clone();
                let row = EvidenceRequest { asked: asked.clone(), by, mark, answer: None };
                match self.audits.requests.insert(asked.request, row) {
                    None => Ok(()),
                    Some(_) => refused,
                }
            }
            Body::EvidenceAnswered(answer) => {
                let row = self.audits.requests.get_mut(&answer.request);
                let row = row.ok_or(FoldError::Unknown(mark.seq))?;
                if row.answer.is_some() {
                    return refused;
                }
                row.answer = Some((answer.clone(), mark));
                Ok(())
            }
            Body::AuditDayDrawn(drawn) => {
                let row = AuditDay { seal: drawn.seal, drawn: mark, told: None };
                match self.audits.days.insert(drawn.month.clone(), row) {
                    None => Ok(()),
                    Some(_) => refused,
                }
            }
            Body::AuditDayTold(told) => {
                let row = self.audits.days.get_mut(&told.month);
                let row = row.ok_or(FoldError::Unknown(mark.seq))?;
                row.told = Some(told.clone());
                Ok(())
            }
            _ => refused,
        }
    }

    fn report_made(&mut self, mark: Mark, by: &str, made: &ReportMade) -> Result<(), FoldError> {
        let (link, unit) = (made.link.as_deref(), made.unit.as_deref());
        let same = |row: &Report| row.is_as(made.kind, &made.period, link, unit);
        // What was signed off is not made again.
        let over = |row: &Report| same(row) && row.signed.is_some();
        if self.audits.reports.contains_key(&made.report) || self.audits.reports.values().any(over)
        {
            return Err(FoldError::Transition(mark.seq));
        }
        let row = Report {
            kind: made.kind,
            period: made.period.clone(),
            link: made.link.clone(),
            unit: made.unit.clone(),
            form: made.form,
            rows: made.rows.clone(),
            counts: made.counts.clone(),
            by: by.to_owned(),
            made: mark,
            signed: None,
            sent: Vec::new(),
        };
        self.audits.reports.insert(made.report, row);
        Ok(())
    }

    fn audit_planned(
        &mut self,
        mark: Mark,
        by: &str,
        planned: &AuditPlanned,
    ) -> Result<(), FoldError> {
        let row = Audit {
            terms: planned.terms.clone(),
            planned: Some((by.to_owned(), mark)),
            on: planned.on,
            doc_no: planned.doc_no.clone(),
            record: None,
            signed: None,
        };
        match self.audits.audits.insert(planned.audit, row) {
            None => Ok(()),
            Some(_) => Err(FoldError::Transition(mark.seq)),
        }
    }

    fn audit_recorded(
        &mut self,
        mark: Mark,
        by: &str,
        facts: &AuditRecorded,
    ) -> Result<(), FoldError> {
        let record = AuditRecord { facts: facts.clone(), by: by.to_owned(), mark };
        let row = self.audits.audits.entry(facts.audit).or_insert_with(|| Audit {
            terms: facts.terms.clone(),
            planned: None,
            on: None,
            doc_no: None,
            record: None,
            signed: None,
        });
        if row.record.is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        row.record = Some(record);
        Ok(())
    }
}
