//! `audit`: words to commands, reports to files, and what was audited to the screen.

use std::path::Path;

use super::{
    acts::{act, digest_of, done, time},
    args::{
        AuditKindWord, AuditPack, AuditPackWord, AuditRecordArgs, AuditResultWord, AuditsWord, Cli,
        FormFile, FormFormat, PlanArgs, ReconcileArgs, UseArgs,
    },
    audit_pack,
    client::Client,
    forms,
    identity::Identity,
    lists, print, speech,
    words::id,
};
use crate::{
    adapters::files,
    domain::{
        access::LogFilter,
        audits::{AuditKind, AuditResult, ReportKind},
        calendar,
        digest::Digest,
        duty::CalendarPeriod,
        entry::{AuditTerms, Member},
        time::Timestamp,
    },
    error::{Error, Exit},
    paper,
    service::{
        Command, Query, Result,
        auditing::{
            AuditAct, AuditAsked, AuditPage, ReportFacts, Sources,
            assessment::Assessment,
            counting::{Units, UseCounter, UseSheet},
            reconciling::{CaseCheck, List, Reconciliation, against_staff},
        },
        inspecting::Inspection,
        show::{AccountLine, GrantLine},
    },
    wiring::Hooks,
};

/// Bytes of a list of staff or cases.
const LIST_BYTES_MAX: u64 = 256 << 20;

/// Runs one word.
pub(super) fn run(cli: &Cli, hooks: &Hooks, word: &AuditsWord) -> Result<()> {
    if let AuditsWord::Pack(AuditPack { word: Some(AuditPackWord::Verify { file, key }), .. }) =
        word
    {
        return audit_pack::verify(file, key.as_deref(), cli.json);
    }
    let identity = &Identity::read(cli.as_name.as_deref(), cli.sign_with.as_deref())?;
    let client = &mut Client::open(&cli.config, identity, hooks)?;
    match word {
        AuditsWord::Report(asked) => used(cli, (client, identity), asked, ReportKind::Use),
        AuditsWord::Statistics(asked) => {
            used(cli, (client, identity), asked, ReportKind::Statistics)
        }
        AuditsWord::Pack(AuditPack { output: Some(output), .. }) => {
            audit_pack::make(cli, (client, identity), output)
        }
        AuditsWord::Reconcile(asked) => reconcile(cli, (client, identity), asked),
        AuditsWord::SelfAssessment { on, file } => assess(client, on.as_deref(), file),
        AuditsWord::List => list(client, cli.json),
        _ => act(cli, client, identity),
    }
}

pub(super) fn command_of(word: &AuditsWord, client: &mut Client) -> Result<Command> {
    let act = match word {
        AuditsWord::Sign { id: text, doc_no } => match (id(text), doc_no) {
            (Ok(audit), None) => AuditAct::SignAudit { audit },
            (Ok(_), Some(_)) => {
                return Err(Error::usage("the record of an audit has a number of its own")
                    .hint("leave --doc-no out"));
            }
            (Err(_), doc_no) => {
                let doc_no = doc_no.clone().ok_or_else(|| {
                    Error::usage("the document number is missing")
                        .hint("--doc-no NO names the document by which it is signed off")
                })?;
                AuditAct::SignReport { report: id(text)?, doc_no }
            }
        },
        AuditsWord::Sent { id: report, office, letter, on } => AuditAct::Sent {
            report: id(report)?,
            office: office.clone(),
            letter: letter.clone(),
            on: day(client, on.as_deref())?,
        },
        AuditsWord::Plan(PlanArgs { kind, period: of_period, of, by, on, doc_no }) => {
            AuditAct::Plan {
                terms: terms(*kind, of_period, of, by)?,
                on: on.as_deref().map(|on| time(client, on)).transpose()?,
                doc_no: doc_no.clone(),
            }
        }
        AuditsWord::Record(asked) => {
            let AuditRecordArgs { kind, period, of, by, on, result, doc_no, evidence } = asked;
            AuditAct::Record {
                terms: terms(*kind, period, of, by)?,
                on: day(client, on.as_deref())?,
                result: match result {
                    AuditResultWord::Ok => AuditResult::Ok,
                    AuditResultWord::Findings => AuditResult::Findings,
                },
                doc_no: doc_no.clone(),
                evidence: evidence.iter().map(|file| digest_of(file)).collect::<Result<_>>()?,
            }
        }
        AuditsWord::Day { month } => AuditAct::Day { month: period(month)?.name },
        AuditsWord::Ask { account, what, by } => {
            AuditAct::Ask { account: account.clone(), what: what.clone(), due: time(client, by)? }
        }
        AuditsWord::Answer { id: request, doc_no, evidence } => AuditAct::Answer {
            request: id(request)?,
            doc_no: doc_no.clone(),
            evidence: evidence.iter().map(|file| digest_of(file)).collect::<Result<_>>()?,
        },
        AuditsWord::Report(_)
        | AuditsWord::Statistics(_)
        | AuditsWord::SelfAssessment { .. }
        | AuditsWord::Reconcile(_)
        | AuditsWord::Pack(_)
        | AuditsWord::List => {
            return Err(Error::usage("this word takes no command"));
        }
    };
    Ok(Command::Audit { act: Box::new(act) })
}

/// A day that is given, to its end but not beyond now; now, where none is.
fn day(client: &mut Client, on: Option<&str>) -> Result<Timestamp> {
    let now = client.now();
    match on {
        None => Ok(now),
        Some(on) => {
            let zone = client.zone()?;
            let at = time(client, on)?;
            Ok(if at.date_in(zone) == now.date_in(zone) { now } else { at })
        }
    }
}

fn terms(kind: AuditKindWord, of_period: &str, of: &str, by: &[String]) -> Result<AuditTerms> {
    let member = |text: &String| match text.split_once('=') {
        None => Member { account: text.clone(), office: None },
        Some((account, office)) => {
            Member { account: account.to_owned(), office: Some(office.to_owned()) }
        }
    };
    Ok(AuditTerms {
        kind: match kind {
            AuditKindWord::Internal => AuditKind::Internal,
            AuditKindWord::External => AuditKind::External,
            AuditKindWord::Vendor => AuditKind::Vendor,
            AuditKindWord::Files => AuditKind::Files,
            AuditKindWord::Unannounced => AuditKind::Unannounced,
        },
        period: period(of_period)?.name,
        of: of.to_owned(),
        by: by.iter().map(member).collect(),
    })
}

/// A period of the calendar, in either calendar.
pub(super) fn period(text: &str) -> Result<CalendarPeriod> {
    let (year, part) = text.split_once('-').map_or((text, None), |(y, part)| (y, Some(part)));
    let common = match year.parse::<i32>() {
        Ok(roc) if (1..=999).contains(&roc) => (roc + 1911).to_string(),
        _ => year.to_owned(),
    };
    let name = part.map_or(common.clone(), |part| format!("{common}-{part}"));
    CalendarPeriod::parse(&name).ok_or_else(|| {
        Error::usage(format!("'{text}' is no period"))
            .hint("2026-11 or 115-11 for a month; 2026-Q4, 115-H2 or 2026 for more")
    })
}

/// Reads the part of the access log that a report is of, which is logged, and hands each line on.
pub(super) fn walk(
    (client, identity): (&mut Client, &Identity),
    (of, link): (&CalendarPeriod, Option<&str>),
    reason: &str,
    rows: &mut dyn crate::service::reading::Rows,
) -> Result<()> {
    let zone = client.zone()?;
    let end = of.end(zone);
    if end >= client.now() {
        return Err(Error::usage(format!("'{}' is not over yet", of.name))
            .hint("what is reported is a whole period"));
    }
    let filter = LogFilter {
        link: link.map(str::to_owned),
        from: Some(Timestamp::start_of_day(of.first, zone)),
        until: Some(end),
        ..LogFilter::default()
    };
    let (case_no, reason) = (String::new(), reason.to_owned());
    let inspection = Inspection { filter, export: true, case_no, reason, to: "file".to_owned() };
    client.inspect(identity, &inspection, rows).map(|_| ())
}

/// `audit report`, `audit statistics`.
fn used(
    cli: &Cli,
    (client, identity): (&mut Client, &Identity),
    asked: &UseArgs,
    kind: ReportKind,
) -> Result<()> {
    let of = period(&asked.period)?;
    let sources: Box<Sources> = client.ask(Query::Audit { asked: AuditAsked::Sources })?;
    let accounts: Vec<AccountLine> = client.ask(Query::Accounts)?;
    let grants: Vec<GrantLine> = client.ask(Query::Grants)?;
    let units = Units::of(&accounts, &grants);
    let mut counter = UseCounter::new(&sources, units, kind, asked.unit.clone());
    let reason = format!("report {}", of.name);
    walk((client, identity), (&of, asked.link.as_deref()), &reason, &mut counter)?;
    let (rows, total) = counter.rows(asked.link.as_deref());
    let (link, unit) = (asked.link.clone(), asked.unit.clone());
    let sheet = UseSheet { kind, period: of.name, link, unit, source: sources.source, rows, total };
    let bytes = match asked.file.format {
        FormFormat::Json => forms::json(&sheet)?,
        _ => forms::bytes(asked.file.format, &paper::use_report::form(&sheet))?,
    };
    let facts = ReportFacts {
        kind,
        period: sheet.period,
        link: sheet.link,
        unit: sheet.unit,
        form: Digest::of(&bytes),
        rows: sheet.rows,
        counts: Default::default(),
    };
    hand(cli, (client, identity), facts, (&asked.file.output, &bytes))
}

/// Writes a report, and records it with the digest of its file. Where it is not recorded, there is no report.
pub(super) fn hand(
    cli: &Cli,
    (client, identity): (&mut Client, &Identity),
    facts: ReportFacts,
    (output, bytes): (&Path, &[u8]),
) -> Result<()> {
    if output == Path::new("-") {
        return Err(Error::usage("a report is a file: its digest is recorded").hint("-o FILE"));
    }
    if output.exists() {
        return Err(Error::new(Exit::Usage, format!("'{}' is there already", output.display())));
    }
    forms::put_bytes(output, bytes)?;
    let command = Command::Audit { act: Box::new(AuditAct::Report { facts }) };
    let recorded = done(cli, client, identity, command);
    if recorded.is_err() {
        // What nobody recorded is no report.
        let _ = files::remove(output, "form");
    }
    recorded
}

/// `audit reconcile`.
fn reconcile(
    cli: &Cli,
    (client, identity): (&mut Client, &Identity),
    asked: &ReconcileArgs,
) -> Result<()> {
    let of = period(&asked.period)?;
    let sources: Box<Sources> = client.ask(Query::Audit { asked: AuditAsked::Sources })?;
    let read = |path: &Path| {
        let bytes = files::read(path, LIST_BYTES_MAX).map_err(|error| {
            Error::new(Exit::Unavailable, format!("'{}': {error}", path.display()))
        })?;
        List::parse(&bytes)
    };
    let (kind, (counts, rows)) = match (&asked.staff, &asked.cases) {
        (Some(staff), _) => {
            let accounts: Vec<AccountLine> = client.ask(Query::Accounts)?;
            (ReportKind::Staff, against_staff(&read(staff)?, &accounts, of.last)?)
        }
        (None, cases) => {
            let list = read(cases.as_deref().unwrap_or(Path::new("")))?;
            let mut check = CaseCheck::new(&list)?;
            let reason = format!("reconciliation {}", of.name);
            walk((client, identity), (&of, None), &reason, &mut check)?;
            (ReportKind::Cases, check.differences())
        }
    };
    let (period, source) = (of.name, sources.source);
    let found = Reconciliation { kind, period, source, counts, rows };
    let bytes = match asked.file.format {
        FormFormat::Json => forms::json(&found)?,
        _ => forms::bytes(asked.file.format, &paper::reconciliation::form(&found))?,
    };
    let facts = ReportFacts {
        kind,
        period: found.period,
        link: None,
        unit: None,
        form: Digest::of(&bytes),
        rows: Vec::new(),
        counts: found.counts.clone(),
    };
    hand(cli, (client, identity), facts, (&asked.file.output, &bytes))?;
    if cli.json {
        return Ok(());
    }
    let rows: Vec<Vec<String>> = found
        .counts
        .iter()
        .map(|(code, count)| vec![speech::word(code).into_owned(), count.to_string()])
        .collect();
    print::whole_table(&["what", "how many"], &rows)
}

/// `audit self-assessment`.
fn assess(client: &mut Client, on: Option<&str>, file: &FormFile) -> Result<()> {
    let on = match on {
        None => None,
        Some(on) => Some(day(client, Some(on))?),
    };
    let asked = AuditAsked::Assessment { on };
    let assessment: Box<Assessment> = client.ask(Query::Audit { asked })?;
    let bytes = match file.format {
        FormFormat::Json => forms::json(&assessment)?,
        _ => forms::bytes(file.format, &paper::assessment::form(&assessment))?,
    };
    forms::put_bytes(&file.output, &bytes)
}

/// `audit list`.
fn list(client: &mut Client, json: bool) -> Result<()> {
    let page: Box<AuditPage> = client.ask(Query::Audit { asked: AuditAsked::List })?;
    if json {
        return print::json(&page);
    }
    let zone = client.zone()?;
    let day = |at: Option<Timestamp>| at.map(|at| calendar::date(at.date_in(zone)));
    let head = ["id", "report", "state", "period", "of", "made by", "signed by", "document"];
    lists::listing(false, &page.reports, &head, |row| {
        let of = [row.link.clone(), row.unit.clone()].into_iter().flatten();
        vec![
            row.id.to_string(),
            speech::word(row.kind.word()).into_owned(),
            speech::word(row.state.word()).into_owned(),
            row.period.clone(),
            of.collect::<Vec<_>>().join(", "),
            row.by.clone(),
            row.signed_by.clone().unwrap_or_default(),
            row.doc_no.clone().unwrap_or_default(),
        ]
    })?;
    let head = ["id", "audit", "state", "period", "of", "by", "on", "result", "document"];
    lists::listing(false, &page.audits, &head, |row| {
        let by: Vec<&str> = row.terms.by.iter().map(|one| one.account.as_str()).collect();
        let result = row.result.map(|result| speech::word(result.word()).into_owned());
        vec![
            row.id.to_string(),
            speech::word(row.terms.kind.word()).into_owned(),
            speech::word(row.state.word()).into_owned(),
            row.terms.period.clone(),
            row.terms.of.clone(),
            by.join(", "),
            day(row.on).unwrap_or_default(),
            result.unwrap_or_default(),
            row.doc_no.clone().or_else(|| row.plan_doc_no.clone()).unwrap_or_default(),
        ]
    })?;
    let head = ["id", "state", "account", "what", "by when", "document"];
    lists::listing(false, &page.requests, &head, |row| {
        vec![
            row.id.to_string(),
            speech::word(row.state.word()).into_owned(),
            row.account.clone(),
            row.what.clone(),
            calendar::end(row.due, zone),
            row.doc_no.clone().unwrap_or_default(),
        ]
    })?;
    let told: Vec<_> = page.days.iter().filter(|row| row.day.is_some()).collect();
    if told.is_empty() {
        return Ok(());
    }
    lists::listing(false, &told, &["month", "day without notice"], |row| {
        vec![row.month.clone(), row.day.clone().unwrap_or_default()]
    })
}
