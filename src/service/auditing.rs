//! Reports, audits and requests for evidence: made or recorded by an auditor, signed by another person, and immutable
//! from then on (NTP-7.2, 9.1, 10.2, 11; TPE-6.3, 10.1, 11.2, 12.2; TY-5; NT-5.3, 5.4; TPH-5.9, 5.10).

mod act;
pub mod assessment;
pub mod counting;
mod pages;
pub mod reconciling;

pub use act::{AuditAct, ReportFacts};
pub use pages::{AuditAsked, AuditLine, AuditPage, DayLine, ReportLine, RequestLine, Sources};

use super::{Actor, Reply, Result, Service, administration::second_person, clean, stated};
use crate::{
    domain::{
        audits::{AuditKind, AuditResult, ReportKind},
        calendar,
        digest::Digest,
        duty::CalendarPeriod,
        entry::{
            AuditPlanned, AuditRecorded, AuditSigned, AuditTerms, Body, EvidenceAnswered,
            EvidenceAsked, Member, ReportMade, ReportSent, ReportSigned,
        },
        ids::{AuditId, ReportId, RequestId},
        limits,
        link::LinkStatus,
        policy::Policy,
        time::{Period, Timestamp},
    },
    error::Error,
};

const MONTH: Period = Period { months: 1, days: 0, seconds: 0 };

/// What an audit may be of where it is of everything.
pub const ALL: &str = "all";

impl Service {
    pub(super) fn audit(&mut self, actor: &Actor, act: AuditAct) -> Result<Reply> {
        match act {
            AuditAct::Report { facts } => self.report_made(actor, facts),
            AuditAct::SignReport { report, doc_no } => self.report_sign(actor, report, doc_no),
            AuditAct::Sent { report, office, letter, on } => {
                self.report_sent(actor, report, (office, letter, on))
            }
            AuditAct::Plan { terms, on, doc_no } => self.audit_plan(actor, terms, on, doc_no),
            AuditAct::Record { terms, on, result, doc_no, evidence } => {
                self.audit_record(actor, terms, (on, result), (doc_no, evidence))
            }
            AuditAct::SignAudit { audit } => self.audit_sign(actor, audit),
            AuditAct::Ask { account, what, due } => self.evidence_ask(actor, account, what, due),
            AuditAct::Answer { request, doc_no, evidence } => {
                self.evidence_answer(actor, request, doc_no, evidence)
            }
            AuditAct::Day { month } => self.audit_day(actor, &month),
        }
    }

    fn report_made(&mut self, actor: &Actor, facts: ReportFacts) -> Result<Reply> {
        let ReportFacts { kind, period, link, unit, form, rows, counts } = facts;
        if kind.is_signed_off() {
            let of = period_of(&period)?;
            let zone = self.engine.rules.zone;
            if of.end(zone) >= self.now() {
                return Err(Error::usage(format!("'{period}' is not over yet"))
                    .hint("what is reported is a whole period"));
            }
        }
        clean(&period)?;
        link.as_deref().map_or(Ok(()), clean)?;
        unit.as_deref().map_or(Ok(()), clean)?;
        for row in &rows {
            row.unit.as_deref().map_or(Ok(()), clean)?;
            clean(&row.link)?;
        }
        counts.keys().try_for_each(|code| clean(code))?;
        let audits = &self.engine.view.audits;
        let signed_off = audits.reports.iter().find(|(_, row)| {
            row.is_as(kind, &period, link.as_deref(), unit.as_deref()) && row.signed.is_some()
        });
        if let Some((id, _)) = signed_off {
            return Err(Error::refused(format!("'{id}' is signed off: it is not made again"))
                .hint("'batchward audit list' shows it with its digest"));
        }
        let report = audits.next_report();
        let signed = actor.signed.clone();
        let made = ReportMade { report, kind, period, link, unit, form, rows, counts, signed };
        if entry_bytes(&made) > limits::ENTRY_BYTES_MAX - 1_000 {
            return Err(Error::usage(
                "the report has more rows than an entry of the register takes",
            )
            .hint("make one for each source: --link NAME"));
        }
        self.record(actor, Body::ReportMade(made))?;
        let reply = Reply::new(&report, "recorded with the digest of its file");
        if !kind.is_signed_off() {
            return Ok(reply);
        }
        Ok(reply.next(format!(
            "the head or a delegate runs 'batchward audit sign {report} --doc-no NO'"
        )))
    }

    fn report_sign(&mut self, actor: &Actor, report: ReportId, doc_no: String) -> Result<Reply> {
        let row = self.engine.view.audits.reports.get(&report).ok_or_else(|| no_report(report))?;
        stated("the document number", &doc_no)?;
        if row.by == actor.name() {
            return Err(second_person("sign this report off"));
        }
        if !row.kind.is_signed_off() {
            return Err(Error::usage(format!(
                "'{report}' is handed out as it is: nobody signs it"
            )));
        }
        if row.signed.is_some() {
            return Err(Error::usage(format!("'{report}' is signed off already")));
        }
        let later = self.engine.view.audits.reports.iter().rfind(|(_, other)| {
            other.is_as(row.kind, &row.period, row.link.as_deref(), row.unit.as_deref())
        });
        if let Some((newer, _)) = later.filter(|(newer, _)| **newer != report) {
            return Err(Error::usage(format!("'{report}' was made anew: sign '{newer}'")));
        }
        let offices = self.offices_of(report);
        let signed = actor.decision()?;
        self.record(actor, Body::ReportSigned(ReportSigned { report, doc_no, signed }))?;
        let reply =
            Reply::new(&report, format!("'{report}' is signed off, and does not change any more"));
        let words: Vec<String> = offices
            .iter()
            .map(|office| format!("'batchward audit sent {report} --office {office} --letter NO'"))
            .collect();
        Ok(if words.is_empty() { reply } else { reply.next(words.join(", ")) })
    }

    /// The offices that a report goes to by the policies that are in force, and has not gone to.
    fn offices_of(&self, report: ReportId) -> Vec<String> {
        let Some(row) = self.engine.view.audits.reports.get(&report) else { return Vec::new() };
        if row.kind != ReportKind::Use {
            return Vec::new();
        }
        let mut offices: Vec<String> = self
            .policies_of(row.link.as_deref().unwrap_or(ALL))
            .into_iter()
            .filter_map(|policy| policy.further.audits.report_to.as_ref())
            .flat_map(|rule| rule.value.clone())
            .filter(|office| row.sent.iter().all(|(sent, _, _)| sent != office))
            .collect();
        offices.sort_unstable();
        offices.dedup();
        offices
    }

    fn report_sent(
        &mut self,
        actor: &Actor,
        report: ReportId,
        (office, letter, on): (String, String, Timestamp),
    ) -> Result<Reply> {
        let row = self.engine.view.audits.reports.get(&report).ok_or_else(|| no_report(report))?;
        stated("the office", &office)?;
        stated("the letter", &letter)?;
        if row.kind.is_signed_off() && row.signed.is_none() {
            return Err(Error::refused(format!("'{report}' is not signed off"))
                .hint(format!("'batchward audit sign {report} --doc-no NO' comes first")));
        }
        self.is_past(on)?;
        let signed = actor.signed.clone();
        let message = format!("'{report}' was sent to '{office}'");
        self.record(actor, Body::ReportSent(ReportSent { report, office, letter, on, signed }))?;
        Ok(Reply::new(&report, message))
    }

    /// The policies that bind what is audited: that of a link, or those of every link that is not terminated.
    fn policies_of(&self, of: &str) -> Vec<&Policy> {
        let rules = &self.engine.rules;
        match rules.links.get(of) {
            Some(link) => rules.policy_of(link).into_iter().collect(),
            None => {
                let links = rules.links.values();
                let owing = links.filter(|link| link.status != LinkStatus::Terminated);
                owing.filter_map(|link| rules.policy_of(link)).collect()
            }
        }
    }

    /// What is to be audited, held against accounts and policies.
    fn may_audit(&self, terms: &AuditTerms) -> Result<()> {
        period_of(&terms.period)?;
        stated("what is audited", &terms.of)?;
        if terms.by.is_empty() {
            return Err(Error::usage("nobody audits").hint("--by ACCOUNT names who does"));
        }
        let mut names = std::collections::BTreeSet::new();
        for Member { account, office } in &terms.by {
            office.as_deref().map_or(Ok(()), |office| stated("the office", office))?;
            let facts =
                self.engine.view.account(account).ok_or_else(|| {
                    Error::usage(format!("there is no active account '{account}'"))
                })?;
            if !names.insert(account) {
                return Err(Error::usage(format!("'{account}' is named twice")));
            }
            self.is_not_of(&terms.of, account, facts.unit.as_deref())?;
        }
        for policy in self.policies_of(&terms.of) {
            let Some(team) = &policy.further.audits.team else { continue };
            let sent = |office: &&String| {
                terms.by.iter().all(|member| member.office.as_ref() != Some(*office))
            };
            if let Some(office) = team.value.iter().find(sent) {
                return Err(Error::refused(format!(
                    "the team has nobody of '{office}' ({})",
                    team.clause
                ))
                .hint(format!("--by ACCOUNT={office} names somebody whom it sends")));
            }
        }
        Ok(())
    }

    /// Nobody audits their own acts: neither the person, nor the unit, nor a link that the unit uses.
    fn is_not_of(&self, of: &str, account: &str, unit: Option<&str>) -> Result<()> {
        let mut links =
            self.engine.rules.links.values().filter(|link| of == ALL || link.name == of);
        let uses = |unit: &str| links.any(|link| link.units.iter().any(|one| one == unit));
        if account != of && unit != Some(of) && !unit.is_some_and(uses) {
            return Ok(());
        }
        Err(Error::refused(format!(
            "'{account}' belongs to what is audited: nobody audits their own acts"
        )))
    }

    fn audit_plan(
        &mut self,
        actor: &Actor,
        terms: AuditTerms,
        on: Option<Timestamp>,
        doc_no: Option<String>,
    ) -> Result<Reply> {
        self.may_audit(&terms)?;
        doc_no.as_deref().map_or(Ok(()), |no| stated("the document number", no))?;
        if terms.kind == AuditKind::Unannounced {
            return Err(Error::usage("an audit without notice is not announced by a plan")
                .hint("'batchward audit day MONTH' shows auditors the day that was drawn"));
        }
        let audit = self.engine.view.audits.next_audit();
        let message = format!("planned for {}", terms.period);
        let signed = actor.signed.clone();
        self.record(actor, Body::AuditPlanned(AuditPlanned { audit, terms, on, doc_no, signed }))?;
        Ok(Reply::new(&audit, message))
    }

    fn audit_record(
        &mut self,
        actor: &Actor,
        terms: AuditTerms,
        (on, result): (Timestamp, AuditResult),
        (doc_no, evidence): (String, Vec<Digest>),
    ) -> Result<Reply> {
        self.may_audit(&terms)?;
        stated("the document number", &doc_no)?;
        self.is_past(on)?;
        let period = period_of(&terms.period)?;
        let zone = self.engine.rules.zone;
        if on.date_in(zone) < period.first {
            return Err(Error::usage(format!("the day lies before {}", terms.period)));
        }
        let audits = &self.engine.view.audits;
        let planned = audits.plan_for(terms.kind, &terms.period, &terms.of);
        let audit = planned.unwrap_or_else(|| audits.next_audit());
        let tell = match terms.kind {
            AuditKind::Unannounced => self.on_the_day_that_was_drawn(on)?,
            _ => None,
        };
        let signed = actor.signed.clone();
        let facts = AuditRecorded { audit, terms, on, result, doc_no, evidence, signed };
        self.record(actor, Body::AuditRecorded(facts))?;
        if let Some(month) = tell {
            self.engine.tell_audit_day(&month)?;
        }
        let message = match result {
            AuditResult::Ok => "recorded".to_owned(),
            AuditResult::Findings => {
                "recorded; each of its findings is to be entered with what mends it".to_owned()
            }
        };
        Ok(Reply::new(&audit, message)
            .next(format!("a second person runs 'batchward audit sign {audit}'")))
    }

    /// The month whose drawn day can be told now that its audit took place: that day is past. Where one was drawn for the
    /// month of an audit without notice, that is its day, and no other.
    fn on_the_day_that_was_drawn(&self, on: Timestamp) -> Result<Option<CalendarPeriod>> {
        let zone = self.engine.rules.zone;
        let Some(month) = CalendarPeriod::of(on.date_in(zone), MONTH) else { return Ok(None) };
        let Some(drawn) = self.engine.audit_day(&month)? else { return Ok(None) };
        if drawn.day != on.date_in(zone) {
            return Err(Error::refused(
                "an audit without notice takes place on the day that was drawn",
            )
            .hint("'batchward audit day MONTH' shows auditors the day that was drawn"));
        }
        Ok((drawn.day < self.now().date_in(zone)).then_some(month))
    }

    fn audit_sign(&mut self, actor: &Actor, audit: AuditId) -> Result<Reply> {
        let row = self.engine.view.audits.audits.get(&audit).ok_or_else(|| {
            Error::usage(format!("there is no audit '{audit}'"))
                .hint("'batchward audit list' shows the audits")
        })?;
        let Some(record) = &row.record else {
            return Err(Error::usage(format!("'{audit}' has not taken place"))
                .hint("'batchward audit record' comes first"));
        };
        if record.by == actor.name() {
            return Err(second_person("sign this record"));
        }
        if row.signed.is_some() {
            return Err(Error::usage(format!("'{audit}' is signed already")));
        }
        let of = &record.facts.terms.of;
        self.is_not_of(of, actor.name(), actor.facts.unit.as_deref())?;
        let signed = actor.decision()?;
        self.record(actor, Body::AuditSigned(AuditSigned { audit, signed }))?;
        Ok(Reply::new(&audit, "signed by two people"))
    }

    fn evidence_ask(
        &mut self,
        actor: &Actor,
        account: String,
        what: String,
        due: Timestamp,
    ) -> Result<Reply> {
        stated("what is asked for", &what)?;
        if self.engine.view.account(&account).is_none() {
            return Err(Error::usage(format!("there is no active account '{account}'"))
                .hint("'batchward account list' shows the accounts"));
        }
        if due <= self.now() {
            return Err(Error::usage("the day by which it is asked for has passed"));
        }
        let request = self.engine.view.audits.next_request();
        let by = calendar::end(due, self.engine.rules.zone);
        let message = format!("'{account}' is to answer by {by}");
        let signed = actor.signed.clone();
        let asked = EvidenceAsked { request, account, what, due, signed };
        self.record(actor, Body::EvidenceAsked(asked))?;
        Ok(Reply::new(&request, message)
            .next(format!("'batchward audit answer {request} --doc-no NO --evidence FILE'")))
    }

    fn evidence_answer(
        &mut self,
        actor: &Actor,
        request: RequestId,
        doc_no: String,
        evidence: Vec<Digest>,
    ) -> Result<Reply> {
        let row = self.engine.view.audits.requests.get(&request).ok_or_else(|| {
            Error::usage(format!("there is no request '{request}'"))
                .hint("'batchward audit list' shows the requests for evidence")
        })?;
        if row.asked.account != actor.name() {
            return Err(Error::refused(format!("'{}' is asked, and answers", row.asked.account)));
        }
        if row.answer.is_some() {
            return Err(Error::usage(format!("'{request}' is answered already")));
        }
        stated("the document number", &doc_no)?;
        let signed = actor.signed.clone();
        let answer = EvidenceAnswered { request, doc_no, evidence, signed };
        self.record(actor, Body::EvidenceAnswered(answer))?;
        Ok(Reply::new(&request, "answered"))
    }

    /// The day that was drawn for a month, for those who audit. Nothing changes.
    fn audit_day(&self, actor: &Actor, month: &str) -> Result<Reply> {
        let period = period_of(month)?;
        let audited =
            |unit: &String| self.engine.rules.links.values().any(|link| link.units.contains(unit));
        if actor.facts.unit.as_ref().is_some_and(audited) {
            return Err(Error::refused(format!(
                "'{}' belongs to a unit that is audited: it is not told before",
                actor.name()
            )));
        }
        match self.engine.audit_day(&period)? {
            Some(drawn) => Ok(Reply::new(&month, calendar::date(drawn.day))
                .next("only auditors and supervisors are shown it; nobody else is told before it is over")),
            None => Err(Error::usage(format!("no day is drawn for '{month}'"))
                .hint("a day is drawn for this month and the next one, under a policy that asks for audits without notice")),
        }
    }

    fn is_past(&self, on: Timestamp) -> Result<()> {
        let zone = self.engine.rules.zone;
        if on.date_in(zone) > self.now().date_in(zone) {
            return Err(Error::usage("the day lies in the future"));
        }
        Ok(())
    }
}

/// A period of the calendar, as it is written in the register.
fn period_of(text: &str) -> Result<CalendarPeriod> {
    CalendarPeriod::parse(text).ok_or_else(|| {
        Error::usage(format!("'{text}' is no period")).hint("2026-11, 2026-Q4, 2026-H2 or 2026")
    })
}

fn no_report(report: ReportId) -> Error {
    Error::usage(format!("there is no report '{report}'"))
        .hint("'batchward audit list' shows the reports")
}

fn entry_bytes(made: &ReportMade) -> usize {
    serde_json::to_vec(made).map_or(usize::MAX, |bytes| bytes.len())
}
