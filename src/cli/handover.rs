//! `handover`, and its media: words to commands, and what was handed on to the screen.

use super::{
    acts::{act, digest_of, time},
    args::{Cli, HandoverWord, MediaWord, RequestArgs, ReturnedArgs, Word},
    client::Client,
    identity::Identity,
    inventory::method_of,
    lists::listing,
    media, print, speech,
    words::{bounded, id},
};
use crate::{
    domain::{calendar, entry::EndFacts, time::Timestamp},
    error::{Error, Exit},
    service::{
        Command, Query, Result,
        handing::{Asked, Handed, HandoverAct},
        handovers::HandoverLine,
    },
};

/// Runs one word.
pub(super) fn run(cli: &Cli, client: &mut Client, identity: &Identity) -> Result<()> {
    match &cli.word {
        Word::Handover(HandoverWord::List) => list(client, cli.json),
        Word::Handover(HandoverWord::Show { id }) => show(client, id, cli.json),
        Word::Media(MediaWord::Import(asked)) => media::import(cli, client, identity, asked),
        Word::Media(MediaWord::Export(asked)) => media::export(cli, client, identity, asked),
        _ => act(cli, client, identity),
    }
}

pub(super) fn command_of(word: &HandoverWord, client: &mut Client) -> Result<Command> {
    let act = match word {
        HandoverWord::Request(asked) => HandoverAct::Request { asked: asked_for(asked, client)? },
        HandoverWord::Approve { id: handover, doc_no, exception } => HandoverAct::Approve {
            handover: id(handover)?,
            doc_no: doc_no.clone(),
            exception: exception.clone(),
        },
        HandoverWord::Deny { id: handover, reason } => {
            HandoverAct::Deny { handover: id(handover)?, reason: reason.clone() }
        }
        HandoverWord::Make { id: handover } => HandoverAct::Make { handover: id(handover)? },
        HandoverWord::Confirm { id: handover, doc_no, on } => {
            let on = on.as_deref().map(|on| time(client, on)).transpose()?;
            let (handover, doc_no) = (id(handover)?, doc_no.clone());
            HandoverAct::Confirm { handover, doc_no, on: on.unwrap_or_else(|| client.now()) }
        }
        HandoverWord::Returned(returned) => returned_by(returned, client)?,
        HandoverWord::List | HandoverWord::Show { .. } | HandoverWord::Test { .. } => {
            return Err(Error::usage("this word takes no command"));
        }
    };
    Ok(Command::Handover { act: Box::new(act) })
}

fn asked_for(asked: &RequestArgs, client: &mut Client) -> Result<Asked> {
    let of = match (&asked.id, &asked.link) {
        (Some(batch), _) => Handed::Batch(client.batch_named(batch)?),
        (None, link) => Handed::Link(link.clone().unwrap_or_default()),
    };
    Ok(Asked {
        of,
        recipient: asked.to.clone(),
        fields: asked.fields.clone(),
        purpose: asked.purpose.clone(),
        basis: asked.basis.clone(),
        channel: asked.channel.clone(),
        key_channel: asked.key_channel.clone(),
        until: time(client, &asked.until)?,
    })
}

fn returned_by(returned: &ReturnedArgs, client: &mut Client) -> Result<HandoverAct> {
    let handover = id(&returned.id)?;
    let line: Box<HandoverLine> = client.ask(Query::Handover { id: handover })?;
    let text = |path: &std::path::PathBuf| {
        String::from_utf8(bounded(path)?)
            .map_err(|_| Error::new(Exit::Data, format!("'{}' is no certificate", path.display())))
    };
    let certificates = returned.certificate.iter().map(text).collect::<Result<Vec<_>>>()?;
    let on = returned.on.as_deref().map(|on| time(client, on)).transpose()?;
    let (now, zone) = (client.now(), client.zone()?);
    // A day that is given ends when it ends; of today there has only been a part.
    let today = |on: &Timestamp| on.date_in(zone) == now.date_in(zone);
    let at = on.filter(|on| !today(on));
    let end = EndFacts {
        method: method_of(&returned.method)?,
        at: at.unwrap_or(now),
        place: returned.place.clone().unwrap_or_else(|| line.terms.title.clone()),
        performer: returned.performer.clone().unwrap_or_else(|| line.terms.recipient.clone()),
        tool: None,
        evidence: returned.evidence.iter().map(|file| digest_of(file)).collect::<Result<_>>()?,
        reuse_doc_no: None,
    };
    let letter = returned.letter.clone();
    Ok(HandoverAct::Returned { handover, letter, end, certificates })
}

fn list(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let rows: Vec<HandoverLine> = client.ask(Query::Handovers)?;
    let head = ["id", "state", "link", "recipient", "records", "destroy by", "remarks"];
    listing(json, &rows, &head, |row| {
        vec![
            row.id.to_string(),
            row.state.to_string(),
            row.terms.link.clone(),
            row.terms.recipient.clone(),
            row.package.as_ref().map(|package| package.records.to_string()).unwrap_or_default(),
            calendar::end(row.terms.destroy_by, zone),
            remarks(row),
        ]
    })
}

fn remarks(row: &HandoverLine) -> String {
    let mut remarks = Vec::new();
    if row.overdue {
        remarks.push(speech::say("overdue").into_owned());
    }
    if row.making {
        remarks.push(speech::say("being made").into_owned());
    }
    remarks.extend(row.doc_no.clone());
    remarks.extend(row.letter.clone());
    remarks.join("; ")
}

fn show(client: &mut Client, text: &str, json: bool) -> Result<()> {
    let row: Box<HandoverLine> = client.ask(Query::Handover { id: id(text)? })?;
    if json {
        return print::json(&row);
    }
    let zone = client.zone()?;
    let terms = &row.terms;
    let of = terms.batch.map_or_else(|| terms.link.clone(), |batch| batch.to_string());
    let mut cells = vec![
        ("state", speech::word(row.state.word()).into_owned()),
        ("data", of),
        ("recipient", format!("{}  {}", terms.recipient, terms.title)),
        ("premises", speech::word(terms.premises.word()).into_owned()),
        ("fields", terms.fields.join(", ")),
        ("purpose", terms.purpose.clone()),
        ("basis", terms.basis.clone()),
        ("channel of the data", terms.channel.clone()),
        ("use ends", calendar::end(terms.until, zone)),
        ("destroy by", format!("{}  ({})", calendar::end(terms.destroy_by, zone), terms.clause)),
        ("asked for by", row.by.clone()),
    ];
    let mut more = |what, text: Option<String>| cells.extend(text.map(|text| (what, text)));
    more("channel of the key", terms.key_channel.clone());
    more("approved by", row.approved_by.clone());
    more("provider's document", row.doc_no.clone());
    more("exception", row.exception.clone());
    more("made", row.made.map(|at| calendar::time(at, zone)));
    more("put to the server", row.pushed.map(|at| calendar::time(at, zone)));
    more("not put yet", row.push_trouble.clone());
    if let Some(package) = &row.package {
        more("records", Some(package.records.to_string()));
        more("sha256", Some(package.sha256.to_string()));
        more("key", package.key.map(|key| key.to_string()));
    }
    more("receipt", row.receipt.clone());
    more("letter", row.letter.clone());
    let copies: Vec<String> = row.copies.iter().map(ToString::to_string).collect();
    more("copies", Some(copies.join(", ")).filter(|copies| !copies.is_empty()));
    more("signer", Some(row.signer.clone()));
    let rows: Vec<Vec<String>> =
        cells.into_iter().map(|(what, text)| vec![what.to_owned(), text]).collect();
    print::line(&row.id.to_string())?;
    print::whole_table(&["what", "how"], &rows)
}
