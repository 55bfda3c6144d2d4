//! `audit`: samples of the access log and findings, words to commands and to the screen.

use std::path::{Path, PathBuf};

use super::{
    access,
    acts::{digest_of, done, time},
    args::{AccessFilter, AuditWord, Cli, FindingWord, RowFormat, SampleArgs, SampleWord},
    client::Client,
    identity::Identity,
    incidents::when,
    lists::listing,
    print, speech,
    verify::verifier,
    words::{id, made},
};
use crate::{
    adapters::files,
    domain::{calendar, ids::SampleId, sample_proof::SAMPLE_PROOF_BYTES_MAX},
    error::{Error, Exit},
    service::{
        Command, Query, Result,
        sampling::{FindingLine, Noted, SampleAct, SampleLine, SampleProofText},
    },
    verify::sample::{self, SampleReport},
};

/// Runs one word.
pub(super) fn run(
    cli: &Cli,
    word: &AuditWord,
    client: &mut Client,
    identity: &Identity,
) -> Result<()> {
    match word {
        AuditWord::Sample(SampleArgs { word: Some(word), .. }) => look(cli, word, client, identity),
        AuditWord::Sample(asked) => draw(cli, asked, client, identity),
        AuditWord::Finding(FindingWord::List) => findings(client, cli.json),
        word => {
            let command = command_of(word, client)?;
            done(cli, client, identity, command)
        }
    }
}

fn look(cli: &Cli, word: &SampleWord, client: &mut Client, identity: &Identity) -> Result<()> {
    match word {
        SampleWord::List => list(client, cli.json),
        SampleWord::Show { id: sample, audit_no, reason, format } => {
            let row: Box<SampleLine> = client.ask(Query::Sample { id: id(sample)? })?;
            let format = if cli.json { RowFormat::Json } else { *format };
            shown(client, identity, &row, (audit_no.clone(), reason.clone()), format)
        }
        SampleWord::Prove { id: sample, output } => {
            let file: SampleProofText = client.ask(Query::SampleProof { id: id(sample)? })?;
            made(cli, None, output.as_ref()).hand(&file.text, &format!("the proof of '{sample}'"))
        }
    }
}

/// What is in a sample, as any look at the access log: declared before its first line.
fn shown(
    client: &mut Client,
    identity: &Identity,
    row: &SampleLine,
    (audit_no, reason): (Option<String>, String),
    format: RowFormat,
) -> Result<()> {
    let filter = AccessFilter {
        link: Some(row.terms.link.clone()),
        month: None,
        from: Some(row.terms.from.to_string()),
        to: Some(row.terms.until.to_string()),
        account: None,
        grant: None,
        case: None,
        subject: None,
        sample: Some(row.id.to_string()),
        audit_no,
        reason,
    };
    access::show(client, identity, &filter, format)
}

/// A period as it is named, from either calendar.
fn period(text: &str) -> String {
    let (year, rest) = text.split_once('-').map_or((text, None), |(year, rest)| (year, Some(rest)));
    match (year.parse::<u32>(), rest) {
        (Ok(roc), Some(rest)) if year.len() <= 3 => format!("{}-{rest}", roc + 1911),
        (Ok(roc), None) if year.len() <= 3 => (roc + 1911).to_string(),
        _ => text.to_owned(),
    }
}

fn draw(cli: &Cli, asked: &SampleArgs, client: &mut Client, identity: &Identity) -> Result<()> {
    if let Some(path) = asked.output.as_ref().filter(|path| path.exists()) {
        return Err(Error::usage(format!("'{}' is there already", path.display())));
    }
    let known: Vec<SampleLine> = client.ask(Query::Samples)?;
    let known: Vec<SampleId> = known.into_iter().map(|row| row.id).collect();
    let act = SampleAct::Draw {
        period: period(asked.period.as_deref().unwrap_or_default()),
        link: asked.link.clone(),
        size: asked.size,
    };
    done(cli, client, identity, Command::Sample { act: Box::new(act) })?;
    if asked.all {
        return Ok(());
    }
    let rows: Vec<SampleLine> = client.ask(Query::Samples)?;
    for row in rows.iter().filter(|row| !known.contains(&row.id)) {
        if let Some(path) = &asked.output {
            proof_to(client, row, path)?;
        }
        if !cli.json {
            let why = (None, "audit".to_owned());
            shown(client, identity, row, why, RowFormat::Table)?;
        }
    }
    Ok(())
}

/// Where a period was drawn by two rules, the second proof lies beside the first.
fn proof_to(client: &mut Client, row: &SampleLine, path: &Path) -> Result<()> {
    let file: SampleProofText = client.ask(Query::SampleProof { id: row.id })?;
    let path = if path.exists() {
        PathBuf::from(format!("{}.{}", path.display(), row.id))
    } else {
        path.to_owned()
    };
    files::create_new(&path, file.text.as_bytes(), "sample-proof")
        .map_err(|error| Error::new(Exit::Unavailable, format!("'{}': {error}", path.display())))
}

fn command_of(word: &AuditWord, client: &mut Client) -> Result<Command> {
    let noted = |client: &mut Client, code: &str, by: Option<&str>| -> Result<Noted> {
        let correct_by = by.map(|by| time(client, by)).transpose()?;
        Ok(Noted { code: code.to_owned(), correct_by })
    };
    let act = match word {
        AuditWord::Review(asked) => {
            let code = asked.finding.as_deref();
            let by = asked.correct_by.as_deref();
            SampleAct::Review {
                sample: id(&asked.id)?,
                on: asked.on.clone(),
                finding: code.map(|code| noted(client, code, by)).transpose()?,
                with: asked.with.clone(),
            }
        }
        AuditWord::Confirm { id: sample } => SampleAct::Confirm { sample: id(sample)? },
        AuditWord::Finding(FindingWord::Add { link, code, doc_no, correct_by }) => SampleAct::Add {
            link: link.clone(),
            noted: noted(client, code, correct_by.as_deref())?,
            doc_no: doc_no.clone(),
        },
        AuditWord::Finding(FindingWord::Correct { id: finding, action, doc_no, evidence, on }) => {
            SampleAct::Correct {
                finding: id(finding)?,
                action: action.clone(),
                doc_no: doc_no.clone(),
                evidence: evidence.iter().map(|file| digest_of(file)).collect::<Result<_>>()?,
                on: when(client, on.as_deref())?,
            }
        }
        AuditWord::Finding(FindingWord::Told { id: finding, office, letter, on }) => {
            SampleAct::Tell {
                finding: id(finding)?,
                office: office.clone(),
                letter: letter.clone(),
                on: when(client, on.as_deref())?,
            }
        }
        AuditWord::Finding(FindingWord::Close { id: finding }) => {
            SampleAct::Judge { finding: id(finding)?, back: None }
        }
        AuditWord::Finding(FindingWord::Return { id: finding, reason }) => {
            SampleAct::Judge { finding: id(finding)?, back: Some(reason.clone()) }
        }
        AuditWord::Sample(_)
        | AuditWord::Finding(FindingWord::List)
        | AuditWord::Office(_)
        | AuditWord::Verify { .. } => {
            return Err(Error::usage("this word takes no command"));
        }
    };
    Ok(Command::Sample { act: Box::new(act) })
}

fn list(client: &mut Client, json: bool) -> Result<()> {
    let rows: Vec<SampleLine> = client.ask(Query::Samples)?;
    let head = ["id", "link", "rule", "period", "counted", "drawn", "refused", "left", "remarks"];
    listing(json, &rows, &head, |row| {
        let terms = &row.terms;
        let mut remarks = Vec::new();
        if row.bound_late.is_some() {
            remarks.push(speech::say("bound after the period").into_owned());
        }
        remarks.extend(terms.unread.iter().map(|month| format!("-{month}")));
        vec![
            row.id.to_string(),
            terms.link.clone(),
            terms.class.to_string(),
            terms.period.clone(),
            terms.counted.to_string(),
            terms.size.to_string(),
            row.refused.len().to_string(),
            row.open.len().to_string(),
            remarks.join("; "),
        ]
    })
}

fn findings(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let rows: Vec<FindingLine> = client.ask(Query::Findings)?;
    let head = ["id", "state", "link", "sample", "finding", "correct by", "to be told"];
    listing(json, &rows, &head, |row| {
        let state = if row.overdue { "overdue" } else { row.state.as_str() };
        vec![
            row.id.to_string(),
            state.to_owned(),
            row.facts.link.clone(),
            row.sample.map(|sample| sample.to_string()).unwrap_or_default(),
            row.facts.code.clone(),
            calendar::end(row.facts.correct_by, zone),
            row.to_be_told.join(", "),
        ]
    })
}

/// `audit verify FILE`: no agent, no lock, no keys.
pub(super) fn verify(file: &Path, key: &str, access: Option<&Path>, json: bool) -> Result<()> {
    let key = verifier(Some(key))?.ok_or_else(|| Error::usage("--key is missing"))?;
    let bytes = files::read(file, SAMPLE_PROOF_BYTES_MAX)
        .map_err(|error| Error::new(Exit::Unavailable, format!("'{}': {error}", file.display())))?;
    let report = sample::verify(&bytes, &key, access);
    if json {
        print::json(&report)?;
    } else {
        told(&report)?;
    }
    if report.ok {
        return Ok(());
    }
    Err(Error::new(Exit::Data, format!("'{}' does not hold", file.display()))
        .hint("keep the file as it is, and ask who sent it for another one"))
}

fn told(report: &SampleReport) -> Result<()> {
    report.problems.iter().try_for_each(|problem| print::line(problem))?;
    if report.ok {
        let sample = report.sample.map(|id| id.to_string()).unwrap_or_default();
        print::line(&format!(
            "good: {sample} of {}, {} of {} drawn in {} of '{}'",
            report.origin.as_deref().unwrap_or_default(),
            report.size,
            report.counted,
            report.period.as_deref().unwrap_or_default(),
            report.link.as_deref().unwrap_or_default()
        ))?;
        let places: Vec<String> = report.drawn.iter().map(ToString::to_string).collect();
        if !places.is_empty() {
            print::raw(&format!("  {}", places.join(" ")))?;
        }
    }
    for note in &report.notes {
        print::note(note);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_named_from_either_calendar() {
        for (text, named) in [
            ("115-11", "2026-11"),
            ("115-H2", "2026-H2"),
            ("115", "2026"),
            ("2026-Q4", "2026-Q4"),
            ("x", "x"),
        ] {
            assert_eq!(period(text), named);
        }
    }
}
