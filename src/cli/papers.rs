//! Papers kept for inspection on the screen: `audit document …`, `audit backup-review`.

use data_encoding::BASE64;

use super::{
    acts::{done, time},
    args::{AddPaper, AuditPaperWord, BackupWord, Cli, DocumentWord, PaperWord},
    client::Client,
    identity::Identity,
    lists::listing,
    print, speech,
};
use crate::{
    adapters::files,
    domain::{
        calendar,
        digest::Digest,
        entry::SentTo,
        ids::DocumentId,
        limits,
        papers::{BackupResult, PaperKind},
        time::Timestamp,
    },
    error::{Error, Exit},
    service::{
        Command, Query, Result,
        kept_papers::{PaperAct, PaperFile, PaperLine},
    },
};

/// Runs one word.
pub(super) fn run(
    cli: &Cli,
    client: &mut Client,
    identity: &Identity,
    word: &AuditPaperWord,
) -> Result<()> {
    let act = match word {
        AuditPaperWord::Document(DocumentWord::List) => return list(client, cli.json),
        AuditPaperWord::Document(DocumentWord::Show { id }) => return show(client, id, cli.json),
        AuditPaperWord::Document(DocumentWord::Export { id, output }) => {
            let file: Box<PaperFile> = client.ask(Query::Paper { id: id_of(id)? })?;
            let bytes = BASE64
                .decode(file.content.as_bytes())
                .map_err(|_| Error::new(Exit::Data, "the paper is not in base64"))?;
            // What comes out is what went in: held against the digest here too.
            if Digest::of(&bytes) != file.paper.sha256 {
                let what = format!("the file of '{id}' is not what the register says");
                return Err(Error::new(Exit::Data, what));
            }
            return super::forms::put_bytes(output, &bytes);
        }
        AuditPaperWord::Document(DocumentWord::Add(add)) => added(add, client)?,
        AuditPaperWord::BackupReview { result, doc_no } => PaperAct::BackupReview {
            result: match result {
                BackupWord::Ok => BackupResult::Ok,
                BackupWord::Faults => BackupResult::Faults,
            },
            doc_no: doc_no.clone(),
        },
    };
    done(cli, client, identity, Command::Paper { act: Box::new(act) })
}

fn added(add: &AddPaper, client: &mut Client) -> Result<PaperAct> {
    let content = files::read(&add.file, limits::PAPER_BYTES_MAX)
        .map_err(|error| Error::new(Exit::Data, error.to_string()))?;
    let sent = |text: &String| {
        let (office, letter) = text.split_once('=').ok_or_else(|| {
            Error::usage(format!("'{text}' is no office and letter")).hint("OFFICE=LETTER")
        })?;
        Ok(SentTo { office: office.to_owned(), letter: letter.to_owned() })
    };
    let today = Timestamp::end_of_day(client.now().date_in(client.zone()?), client.zone()?);
    let on = add.on.as_deref().map(|text| time(client, text)).transpose()?;
    Ok(PaperAct::Add {
        kind: kind_of(add.kind),
        doc_no: add.doc_no.clone(),
        on: on.unwrap_or(today),
        content: BASE64.encode(&content),
        sent_to: add.sent_to.iter().map(sent).collect::<Result<_>>()?,
        valid_until: add.valid_until.as_deref().map(|text| time(client, text)).transpose()?,
    })
}

const fn kind_of(word: PaperWord) -> PaperKind {
    match word {
        PaperWord::AgencyRules => PaperKind::AgencyRules,
        PaperWord::AccountProcedure => PaperKind::AccountProcedure,
        PaperWord::AuditProcedure => PaperKind::AuditProcedure,
        PaperWord::AuditPlan => PaperKind::AuditPlan,
        PaperWord::BackupPlan => PaperKind::BackupPlan,
        PaperWord::TransferProcedure => PaperKind::TransferProcedure,
        PaperWord::Decision => PaperKind::Decision,
        PaperWord::Other => PaperKind::Other,
    }
}

fn id_of(text: &str) -> Result<DocumentId> {
    text.parse().map_err(|_| {
        Error::usage(format!("there is no paper '{text}'"))
            .hint("'batchward audit document list' shows them")
    })
}

fn list(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let rows: Vec<PaperLine> = client.ask(Query::Papers)?;
    let head = ["id", "kind", "number", "day", "valid until", "sent to", "bytes"];
    listing(json, &rows, &head, |row| {
        vec![
            row.id.to_string(),
            speech::word(row.kind.word()).into_owned(),
            row.doc_no.clone(),
            calendar::end(row.on, zone),
            row.valid_until.map(|until| calendar::end(until, zone)).unwrap_or_default(),
            sent(row),
            row.bytes.to_string(),
        ]
    })
}

fn sent(row: &PaperLine) -> String {
    let sent = row.sent_to.iter().map(|sent| format!("{} {}", sent.office, sent.letter));
    sent.collect::<Vec<_>>().join(", ")
}

fn show(client: &mut Client, text: &str, json: bool) -> Result<()> {
    let id = id_of(text)?;
    let rows: Vec<PaperLine> = client.ask(Query::Papers)?;
    let row = rows.into_iter().find(|row| row.id == id).ok_or_else(|| {
        Error::usage(format!("there is no paper '{id}'"))
            .hint("'batchward audit document list' shows them")
    })?;
    if json {
        return print::json(&row);
    }
    let zone = client.zone()?;
    let mut cells = vec![
        ("kind", speech::word(row.kind.word()).into_owned()),
        ("number", row.doc_no.clone()),
        ("day", calendar::end(row.on, zone)),
        ("sha256", row.sha256.to_string()),
        ("bytes", row.bytes.to_string()),
        ("entered by", row.by.clone()),
        ("entered", calendar::time(row.at, zone)),
    ];
    let mut more = |what, text: Option<String>| cells.extend(text.map(|text| (what, text)));
    more("valid until", row.valid_until.map(|until| calendar::end(until, zone)));
    more("sent to", Some(sent(&row)).filter(|text| !text.is_empty()));
    let rows: Vec<Vec<String>> =
        cells.into_iter().map(|(what, text)| vec![what.to_owned(), text]).collect();
    print::line(&row.id.to_string())?;
    print::whole_table(&["what", "how"], &rows)
}
