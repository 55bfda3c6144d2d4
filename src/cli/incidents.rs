//! `incident`: words to commands, and incidents to the screen.

use super::{
    acts::{act, time},
    args::{Cli, IncidentWord, ReportArgs, Word},
    client::Client,
    dates,
    identity::Identity,
    lists::listing,
    speech,
    words::id,
};
use crate::{
    domain::{calendar, entry::IncidentFacts, incidents::IncidentKind, time::Timestamp},
    error::Error,
    service::{
        Command, Query, Result,
        incidents::{IncidentAct, IncidentLine},
        show::BatchPage,
    },
};

/// Runs one word.
pub(super) fn run(cli: &Cli, client: &mut Client, identity: &Identity) -> Result<()> {
    match &cli.word {
        Word::Incident(IncidentWord::List) => list(client, cli.json),
        _ => act(cli, client, identity),
    }
}

pub(super) fn command_of(word: &IncidentWord, client: &mut Client) -> Result<Command> {
    let act = match word {
        IncidentWord::Report(asked) => IncidentAct::Report { facts: facts(asked, client)? },
        IncidentWord::Investigate { id: incident, with, doc_no, records } => {
            IncidentAct::Investigate {
                incident: id(incident)?,
                doc_no: doc_no.clone(),
                records: *records,
                with: with.clone(),
            }
        }
        IncidentWord::Confirm { id: incident } => IncidentAct::Confirm { incident: id(incident)? },
        IncidentWord::Notify { id: incident, office, letter, at } => IncidentAct::Tell {
            incident: id(incident)?,
            office: office.clone(),
            letter: letter.clone(),
            on: when(client, at.as_deref())?,
        },
        IncidentWord::Remedy { id: incident, remedy, prevention, doc_no } => IncidentAct::Remedy {
            incident: id(incident)?,
            remedy: remedy.clone(),
            prevention: prevention.clone(),
            doc_no: doc_no.clone(),
        },
        IncidentWord::Close { id: incident } => IncidentAct::Close { incident: id(incident)? },
        IncidentWord::List => return Err(Error::usage("this word takes no command")),
    };
    Ok(Command::Incident { act: Box::new(act) })
}

/// When something became known: the time to report it counts from the beginning of a day that is given.
fn known(client: &mut Client, text: &str) -> Result<Timestamp> {
    let zone = client.zone()?;
    dates::beginning(text, zone)
}

/// A moment that has been; now, where none is said.
pub(super) fn when(client: &mut Client, text: Option<&str>) -> Result<Timestamp> {
    match text {
        Some(text) => past(client, text),
        None => Ok(client.now()),
    }
}

/// A moment that has been: a day ends when it ends, and of today there has only been a part.
fn past(client: &mut Client, text: &str) -> Result<Timestamp> {
    let at = time(client, text)?;
    let (now, zone) = (client.now(), client.zone()?);
    let today = at > now && at.date_in(zone) == now.date_in(zone);
    Ok(if today { now } else { at })
}

fn facts(asked: &ReportArgs, client: &mut Client) -> Result<IncidentFacts> {
    let kind = IncidentKind::parse(&asked.kind).ok_or_else(|| {
        let words: Vec<&str> = IncidentKind::ALL.iter().map(|kind| kind.word()).collect();
        Error::usage("this is no kind of incident").hint(format!("kinds: {}", words.join(", ")))
    })?;
    let records = match asked.records.as_str() {
        "unknown" => None,
        number => Some(
            number
                .parse()
                .map_err(|_| Error::usage("--records takes a number of records, or 'unknown'"))?,
        ),
    };
    let (link, batch) = match (&asked.link, &asked.batch) {
        (_, Some(batch)) => {
            let batch = client.batch_named(batch)?;
            let page: Box<BatchPage> = client.ask(Query::Batch { id: batch })?;
            (page.row.link.clone(), Some(batch))
        }
        (link, None) => (link.clone().unwrap_or_default(), None),
    };
    Ok(IncidentFacts {
        kind,
        known: known(client, &asked.at)?,
        link,
        batch,
        records,
        encrypted: asked.encrypted == "yes",
        summary: asked.summary.clone(),
    })
}

fn list(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let rows: Vec<IncidentLine> = client.ask(Query::Incidents)?;
    let head = ["id", "state", "kind", "link", "known", "records", "report by", "to be told"];
    listing(json, &rows, &head, |row| {
        vec![
            row.id.to_string(),
            row.state.to_string(),
            row.facts.kind.to_string(),
            row.facts.link.clone(),
            calendar::time(row.facts.known, zone),
            row.facts
                .records
                .map_or_else(|| speech::say("unknown").into_owned(), |records| records.to_string()),
            row.report_by.map(|by| calendar::time(by, zone)).unwrap_or_default(),
            row.to_be_told.join(", "),
        ]
    })
}
