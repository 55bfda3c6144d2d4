//! `batch notice`, `batch announce` and what goes with them: words to commands, and rows to the screen.

use super::{
    acts::{act, time},
    args::{AnnounceArgs, BatchWord, Cli, NoticeArgs, Word},
    client::Client,
    identity::Identity,
    lists::listing,
    print,
    words::id,
};
use crate::{
    domain::{
        calendar,
        digest::Digest,
        entry::{AnnouncedFacts, NoticeFacts},
        ids::NoticeId,
        manifest::Kind,
        notified::{NoticeChannel, NoticeStage},
        time::Timestamp,
    },
    error::Error,
    service::{
        Command, Query, Result,
        notifying::{NoticeAct, NoticeOf, NoticeRow, Typed},
    },
};

/// Runs one word.
pub(super) fn run(cli: &Cli, client: &mut Client, identity: &Identity) -> Result<()> {
    match &cli.word {
        Word::Batch(BatchWord::Notices) => list(client, cli.json),
        _ => act(cli, client, identity),
    }
}

pub(super) fn command_of(word: &BatchWord, client: &mut Client) -> Result<Command> {
    let act = match word {
        BatchWord::Notice(asked) => {
            NoticeAct::Give { of: about(asked, client)?, facts: given(asked, client)? }
        }
        BatchWord::Announce(asked) => {
            NoticeAct::Announce { typed: Box::new(typed(asked, client)?) }
        }
        BatchWord::AnnounceConfirm { row } => NoticeAct::Confirm { notice: id(row)? },
        BatchWord::AnnounceWithdraw { row, reason } => {
            NoticeAct::Withdraw { notice: id(row)?, reason: reason.clone() }
        }
        BatchWord::Join { row, batch } => {
            NoticeAct::Join { notice: id(row)?, batch: client.batch_named(batch)? }
        }
        _ => return Err(Error::usage("this word takes no command")),
    };
    Ok(Command::Notice { act: Box::new(act) })
}

fn about(asked: &NoticeArgs, client: &mut Client) -> Result<NoticeOf> {
    if let Some(link) = &asked.link {
        return Ok(NoticeOf::Link(link.clone()));
    }
    let text = asked.id.as_deref().unwrap_or_default();
    // A row's id is also the number of its batch, where the letter named none: the row is meant by both.
    match text.parse::<NoticeId>() {
        Ok(row) => Ok(NoticeOf::Row(row)),
        Err(_) => Ok(NoticeOf::Batch(client.batch_named(text)?)),
    }
}

fn given(asked: &NoticeArgs, client: &mut Client) -> Result<NoticeFacts> {
    let stage = NoticeStage::parse(&asked.stage).ok_or_else(|| {
        let words: Vec<&str> = NoticeStage::ALL.iter().map(|one| one.word()).collect();
        Error::usage("this is no stage of a notice").hint(format!("stages: {}", words.join(", ")))
    })?;
    let channel = NoticeChannel::parse(&asked.channel).ok_or_else(|| {
        let words: Vec<&str> = NoticeChannel::ALL.iter().map(|one| one.word()).collect();
        Error::usage("this is no channel of a notice")
            .hint(format!("channels: {}", words.join(", ")))
    })?;
    Ok(NoticeFacts { stage, channel, at: began(client, &asked.at)?, doc_no: asked.doc_no.clone() })
}

/// A day stands for its beginning: of today there has been that much at least.
fn began(client: &mut Client, text: &str) -> Result<Timestamp> {
    let zone = client.zone()?;
    match calendar::parse_date(text) {
        Some(day) => Ok(Timestamp::start_of_day(day, zone)),
        None => time(client, text),
    }
}

fn typed(asked: &AnnounceArgs, client: &mut Client) -> Result<Typed> {
    let row = asked.row.as_deref().map(id).transpose()?;
    let digest = |text: &String| {
        Digest::from_hex(&text.to_ascii_lowercase()).ok_or_else(|| {
            Error::usage("--sha256 takes 64 hexadecimal digits")
                .hint("what 'sha256sum FILE' prints before the name")
        })
    };
    let facts = AnnouncedFacts {
        doc_no: asked.doc_no.clone(),
        notified_at: began(client, &asked.notified)?,
        number: asked.number.clone().unwrap_or_default(),
        kind: if asked.kind == "delta" { Kind::Delta } else { Kind::Full },
        sequence: asked.sequence,
        records: asked.records,
        applied: asked.applied,
        as_of: asked.as_of.as_deref().map(|text| time(client, text)).transpose()?,
        replaces: asked.replaces.clone(),
        files: asked.files.clone(),
        sha256: asked.sha256.iter().map(digest).collect::<Result<_>>()?,
    };
    Ok(Typed { link: asked.link.clone(), row, numbered: asked.number.is_some(), facts })
}

fn list(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let rows: Vec<NoticeRow> = client.ask(Query::Notices)?;
    let head = ["id", "state", "link", "official notice", "document", "records", "batch"];
    listing(json, &rows, &head, |row| {
        let letter = row.announcement.as_ref();
        let document = letter.map(|one| one.doc_no.clone());
        let document =
            document.or_else(|| row.notices.iter().find_map(|one| one.facts.doc_no.clone()));
        vec![
            row.id.to_string(),
            row.state.to_string(),
            row.link.clone(),
            row.official_at.map(|at| calendar::time(at, zone)).unwrap_or_default(),
            document.unwrap_or_default(),
            letter.map(|one| one.records.to_string()).unwrap_or_default(),
            row.batch.map(|batch| batch.to_string()).unwrap_or_default(),
        ]
    })
}

/// The notices of a batch, and its letter, on its page.
pub(super) fn show(row: &NoticeRow, zone: chrono_tz::Tz) -> Result<()> {
    if let Some(one) = &row.announcement {
        let (doc_no, by) = (&one.doc_no, &one.by);
        let on = calendar::date(one.notified_at.date_in(zone));
        print::line(&match &one.confirmed_by {
            Some(second) => format!(
                "announced by the letter '{doc_no}' of {on}, entered by '{by}', confirmed by '{second}': compare the SHA-256 below with the provider"
            ),
            None => format!("announced by the letter '{doc_no}' of {on}, entered by '{by}'"),
        })?;
    }
    if row.notices.is_empty() {
        return Ok(());
    }
    print::line("\nNOTICES")?;
    let line = |one: &crate::service::notifying::NoticeLine| {
        vec![
            one.facts.stage.to_string(),
            one.facts.channel.to_string(),
            calendar::time(one.facts.at, zone),
            one.facts.doc_no.clone().unwrap_or_default(),
            one.by.clone(),
        ]
    };
    let rows: Vec<_> = row.notices.iter().map(line).collect();
    print::whole_table(&["who told whom", "how", "time", "document", "entered by"], &rows)
}
