//! `audit list`: reports, audits, requests for evidence, and days of audits without notice that are told; and where the
//! rows of a report come from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        audits::{AuditResult, AuditState, ReportKind, ReportState, RequestState},
        digest::Digest,
        entry::{AuditTerms, UseRow},
        ids::{AuditId, ReportId, RequestId},
        time::Timestamp,
        view::{Audit, EvidenceRequest, Report},
    },
    service::{Answer, Result, Service, forms::Source},
};

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AuditAsked {
    /// `audit list`.
    List,
    /// Where a report comes from.
    Sources,
    /// `audit self-assessment`.
    Assessment {
        /// 自評日期; now, where none is said.
        on: Option<Timestamp>,
    },
}

/// Where a report comes from, and of which sources it has rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sources {
    /// The register.
    pub source: Source,
    /// Links, with the units that may use each.
    pub links: BTreeMap<String, Vec<String>>,
}

/// `audit list`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditPage {
    /// Reports, oldest first.
    pub reports: Vec<ReportLine>,
    /// Audits, oldest first.
    pub audits: Vec<AuditLine>,
    /// Requests for evidence, oldest first.
    pub requests: Vec<RequestLine>,
    /// Days of audits without notice, by month.
    pub days: Vec<DayLine>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReportLine {
    /// Its id.
    pub id: ReportId,
    /// What it is.
    pub kind: ReportKind,
    /// How it stands.
    pub state: ReportState,
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
    /// What else was counted, by code.
    pub counts: BTreeMap<String, u64>,
    /// Who made it.
    pub by: String,
    /// When.
    pub made_at: Timestamp,
    /// Its place in the register.
    pub entry: u64,
    /// Who signed it off.
    pub signed_by: Option<String>,
    /// When.
    pub signed_at: Option<Timestamp>,
    /// Number of the document.
    pub doc_no: Option<String>,
    /// Where it was sent.
    pub sent: Vec<SentLine>,
}

/// Where a report was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SentLine {
    /// The office.
    pub office: String,
    /// Number of the letter.
    pub letter: String,
    /// The day.
    pub on: Timestamp,
}

/// An audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditLine {
    /// Its id.
    pub id: AuditId,
    /// How it stands.
    pub state: AuditState,
    /// What, and by whom: as it took place, or as it is planned.
    #[serde(flatten)]
    pub terms: AuditTerms,
    /// Who planned it; none where it took place without a plan.
    pub planned_by: Option<String>,
    /// Number of the plan's document.
    pub plan_doc_no: Option<String>,
    /// The day: as it took place, or as it is planned.
    pub on: Option<Timestamp>,
    /// What it came to.
    pub result: Option<AuditResult>,
    /// Number of the record's document.
    pub doc_no: Option<String>,
    /// SHA-256 of what is filed with it.
    pub evidence: Vec<Digest>,
    /// Who recorded it.
    pub recorded_by: Option<String>,
    /// Who signed the record.
    pub signed_by: Option<String>,
    /// Its place in the register: the record's, or the plan's.
    pub entry: Option<u64>,
}

/// A request for evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RequestLine {
    /// Its id.
    pub id: RequestId,
    /// How it stands.
    pub state: RequestState,
    /// Who is asked.
    pub account: String,
    /// For what.
    pub what: String,
    /// By when.
    pub due: Timestamp,
    /// Who asked.
    pub by: String,
    /// Number of the answer's document.
    pub doc_no: Option<String>,
    /// SHA-256 of what was handed in.
    pub evidence: Vec<Digest>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
}

/// The day of a month on which an audit comes without notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DayLine {
    /// The month.
    pub month: String,
    /// What the register holds of it from the draw on.
    pub seal: Digest,
    /// When it was drawn.
    pub drawn_at: Timestamp,
    /// The day, once it is told.
    pub day: Option<String>,
    /// What the seal was made with, once it is told.
    pub nonce: Option<Digest>,
}

impl Service {
    pub(in crate::service) fn audit_answer(&self, asked: &AuditAsked) -> Result<Answer> {
        Ok(match asked {
            AuditAsked::List => Box::new(self.audits()).into(),
            AuditAsked::Assessment { on } => Box::new(self.assessment(*on)?).into(),
            AuditAsked::Sources => {
                let links = self.engine.rules.links.values();
                let links = links.map(|link| (link.name.clone(), link.units.clone())).collect();
                Box::new(Sources { source: self.source()?, links }).into()
            }
        })
    }

    /// Every report, audit and request, oldest first.
    pub(in crate::service) fn audits(&self) -> AuditPage {
        let audits = &self.engine.view.audits;
        let days = audits.days.iter().map(|(month, row)| DayLine {
            month: month.clone(),
            seal: row.seal,
            drawn_at: row.drawn.at,
            day: row.told.as_ref().map(|told| told.day.clone()),
            nonce: row.told.as_ref().map(|told| told.nonce),
        });
        AuditPage {
            reports: audits.reports.iter().map(|(id, row)| report_line(*id, row)).collect(),
            audits: audits.audits.iter().map(|(id, row)| audit_line(*id, row)).collect(),
            requests: audits.requests.iter().map(|(id, row)| request_line(*id, row)).collect(),
            days: days.collect(),
        }
    }
}

fn report_line(id: ReportId, row: &Report) -> ReportLine {
    let sent = row.sent.iter().cloned();
    ReportLine {
        id,
        kind: row.kind,
        state: row.state(),
        period: row.period.clone(),
        link: row.link.clone(),
        unit: row.unit.clone(),
        form: row.form,
        rows: row.rows.clone(),
        counts: row.counts.clone(),
        by: row.by.clone(),
        made_at: row.made.at,
        entry: row.made.seq,
        signed_by: row.signed.as_ref().map(|(by, _, _)| by.clone()),
        signed_at: row.signed.as_ref().map(|(_, mark, _)| mark.at),
        doc_no: row.signed.as_ref().map(|(_, _, no)| no.clone()),
        sent: sent.map(|(office, letter, on)| SentLine { office, letter, on }).collect(),
    }
}

fn audit_line(id: AuditId, row: &Audit) -> AuditLine {
    let facts = row.record.as_ref().map(|record| &record.facts);
    let planned = row.planned.as_ref().map(|(_, mark)| mark.seq);
    AuditLine {
        id,
        state: row.state(),
        terms: facts.map_or_else(|| row.terms.clone(), |facts| facts.terms.clone()),
        planned_by: row.planned.as_ref().map(|(by, _)| by.clone()),
        plan_doc_no: row.doc_no.clone(),
        on: facts.map(|facts| facts.on).or(row.on),
        result: facts.map(|facts| facts.result),
        doc_no: facts.map(|facts| facts.doc_no.clone()),
        evidence: facts.map(|facts| facts.evidence.clone()).unwrap_or_default(),
        recorded_by: row.record.as_ref().map(|record| record.by.clone()),
        signed_by: row.signed.as_ref().map(|(by, _)| by.clone()),
        entry: row.record.as_ref().map(|record| record.mark.seq).or(planned),
    }
}

fn request_line(id: RequestId, row: &EvidenceRequest) -> RequestLine {
    let answer = row.answer.as_ref();
    RequestLine {
        id,
        state: row.state(),
        account: row.asked.account.clone(),
        what: row.asked.what.clone(),
        due: row.asked.due,
        by: row.by.clone(),
        doc_no: answer.map(|(answer, _)| answer.doc_no.clone()),
        evidence: answer.map(|(answer, _)| answer.evidence.clone()).unwrap_or_default(),
        answered_at: answer.map(|(_, mark)| mark.at),
    }
}
