//! `copy` and `media`: words to commands, and the inventory to the screen.

use std::path::Path;

use serde::Serialize;

use super::{
    acts::{digest_of, time},
    args::{CopyWord, DeclareArgs, MediaWord, RecordArgs},
    client::Client,
    lists::listing,
    on_paper, reasons, speech,
    words::id,
};
use crate::{
    domain::{
        calendar,
        entry::{EndFacts, HeldFacts},
        ids::CopyId,
        inventory::{self, HeldKind, Medium, Method, Sanitization},
        on_paper::{Ruling, Subject},
        time::Timestamp,
    },
    error::{Error, Exit},
    service::{Command, Query, Result, command::Declared, copies::InventoryLine},
};

pub(super) fn command_of_copy(word: &CopyWord, client: &mut Client) -> Result<Command> {
    Ok(match word {
        CopyWord::Request { id: batch, kind, medium, reason, delete_by } => {
            let kind = kind_of(kind)?;
            Command::CopyRequest {
                batch: client.batch_named(batch)?,
                kind,
                medium: medium_of(kind, medium.as_deref())?,
                reason: reason.clone(),
                delete_by: delete_by.as_deref().map(|date| time(client, date)).transpose()?,
            }
        }
        CopyWord::Approve { copy, doc_no, slip } => {
            let copy = id(copy)?;
            if slip.paper {
                let decided = (Subject::Copy(copy), Ruling::Approved);
                return on_paper::typed(client, decided, (doc_no, slip), None);
            }
            Command::CopyApprove { copy, doc_no: doc_no.clone() }
        }
        CopyWord::Deny { copy, reason, paper } => {
            let copy = id(copy)?;
            let decided = (Subject::Copy(copy), Ruling::Denied);
            let entered = on_paper::entered(client, decided, paper, Some(reason))?;
            entered.unwrap_or(Command::CopyDeny { copy, reason: reason.clone() })
        }
        CopyWord::Confirm { copy } => on_paper::confirmed(Subject::Copy(id(copy)?)),
        CopyWord::Withdraw { copy, reason } => {
            Command::CopyWithdraw { copy: id(copy)?, reason: reason.clone() }
        }
        CopyWord::Declare(declare) => declared(declare, client)?,
        CopyWord::Move { copy, place, holder, lock } => Command::CopyMove {
            copy: id(copy)?,
            holder: holder.clone(),
            place: place.clone(),
            lock: lock.clone(),
        },
        CopyWord::List { .. } | CopyWord::Slip { .. } => {
            return Err(Error::usage("this word takes no command"));
        }
    })
}

pub(super) fn command_of_media(word: &MediaWord, client: &mut Client) -> Result<Command> {
    Ok(match word {
        MediaWord::Record(record) => {
            Command::MediaRecord { copy: id(&record.copy)?, end: end(record, client)? }
        }
        MediaWord::Confirm { copy } => Command::MediaConfirm { copy: id(copy)? },
        MediaWord::Methods { .. } | MediaWord::Import(_) | MediaWord::Export(_) => {
            return Err(Error::usage("this word takes no command"));
        }
    })
}

fn declared(declare: &DeclareArgs, client: &mut Client) -> Result<Command> {
    let copy: Option<CopyId> = declare.id.parse().ok();
    let (of, kind, medium) = match copy {
        Some(copy) => {
            let rows: Vec<InventoryLine> = client.ask(Query::Copies { batch: None, all: true })?;
            let row = rows.iter().find(|row| row.id == copy).ok_or_else(|| {
                Error::usage(format!("there is no copy '{copy}'"))
                    .hint("'batchward copy list' shows the copies")
            })?;
            if row.medium.is_none() {
                return Err(Error::usage(format!("'{copy}' is kept by the agent"))
                    .hint("what people keep is declared: 'batchward copy declare --help'"));
            }
            let kind = match &declare.kind {
                Some(kind) => kind_of(kind)?,
                None => kind_of(&row.kind)?,
            };
            let medium = declare.medium.as_deref().or(row.medium.map(Medium::word));
            (Declared::Copy(copy), kind, medium_of(kind, medium)?)
        }
        None => {
            let kind = declare.kind.as_deref().ok_or_else(|| {
                Error::usage("--kind is missing: what is it that is there")
                    .hint(format!("--kind takes one of: {}", words(HeldKind::ALL, HeldKind::word)))
            })?;
            let kind = kind_of(kind)?;
            let batch = client.batch_named(&declare.id)?;
            (Declared::Batch(batch), kind, medium_of(kind, declare.medium.as_deref())?)
        }
    };
    let file = declare.file.as_deref();
    Ok(Command::CopyDeclare {
        of,
        facts: HeldFacts {
            kind,
            medium,
            holder: declare.holder.clone(),
            place: declare.place.clone(),
            lock: declare.lock.clone(),
            serial: declare.serial.clone(),
            model: declare.model.clone(),
            property_no: declare.property_no.clone(),
            pieces: declare.pieces,
            delete_by: declare.delete_by.as_deref().map(|date| time(client, date)).transpose()?,
            sha256: file.map(digest_of).transpose()?,
            bytes: file.map(length_of).transpose()?,
        },
    })
}

fn length_of(path: &Path) -> Result<u64> {
    let failed = |error| Error::new(Exit::Unavailable, format!("'{}': {error}", path.display()));
    std::fs::metadata(path).map(|facts| facts.len()).map_err(failed)
}

fn end(record: &RecordArgs, client: &mut Client) -> Result<EndFacts> {
    let method = method_of(&record.method)?;
    let now = client.now();
    let on = record.on.as_deref().map(|date| time(client, date)).transpose()?;
    let zone = client.zone()?;
    // A day that is given ends when it ends; of today there has only been a part.
    let today = |on: Timestamp| on.date_in(zone) == now.date_in(zone);
    Ok(EndFacts {
        method,
        at: on.filter(|on| !today(*on)).unwrap_or(now),
        place: record.place.clone(),
        performer: record.performer.clone(),
        tool: record.tool.clone(),
        evidence: record.evidence.iter().map(|file| digest_of(file)).collect::<Result<_>>()?,
        reuse_doc_no: record.reuse_doc_no.clone(),
    })
}

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> String {
    all.iter().map(|one| word(*one)).collect::<Vec<_>>().join(", ")
}

/// A method of destruction.
pub(super) fn method_of(text: &str) -> Result<Method> {
    Method::parse(text).ok_or_else(|| {
        Error::usage(format!("there is no method '{text}'")).hint(
            "'batchward media methods' shows which there are, and on which media they do something",
        )
    })
}

fn kind_of(text: &str) -> Result<HeldKind> {
    HeldKind::parse(text).ok_or_else(|| {
        Error::usage(format!("there is no kind of copy '{text}'"))
            .hint(format!("--kind takes one of: {}", words(HeldKind::ALL, HeldKind::word)))
    })
}

/// The medium that was named, or the only one that there is for this kind.
pub(super) fn medium_of(kind: HeldKind, text: Option<&str>) -> Result<Medium> {
    let choice = || format!("--medium takes one of: {}", words(kind.media(), Medium::word));
    match (text, kind.media()) {
        (Some(text), _) => Medium::parse(text)
            .ok_or_else(|| Error::usage(format!("there is no medium '{text}'")).hint(choice())),
        (None, [only]) => Ok(*only),
        (None, _) => {
            Err(Error::usage(format!("--medium is missing: what does this '{kind}' lie on"))
                .hint(choice()))
        }
    }
}

/// What a method does to a medium.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct MethodLine {
    /// What it lies on.
    medium: Medium,
    /// The method.
    method: Method,
    /// What that comes to (NIST SP 800-88).
    comes_to: Sanitization,
    /// Whether the medium stays in use, which takes a document that allows it.
    reuse: bool,
}

pub(super) fn methods(medium: Option<&str>, json: bool) -> Result<()> {
    let media = match medium {
        None => Medium::ALL.to_vec(),
        Some(text) => vec![Medium::parse(text).ok_or_else(|| {
            let all = words(Medium::ALL, Medium::word);
            Error::usage(format!("there is no medium '{text}'"))
                .hint(format!("--medium takes one of: {all}"))
        })?],
    };
    let line = |medium: Medium| {
        inventory::methods_for(medium).into_iter().map(move |(method, comes_to)| MethodLine {
            medium,
            method,
            comes_to,
            reuse: inventory::is_reuse(method, medium),
        })
    };
    let rows: Vec<MethodLine> = media.into_iter().flat_map(line).collect();
    listing(json, &rows, &["medium", "method", "comes to", "remarks"], |row| {
        let remark =
            if row.reuse { "the medium stays in use: a document must allow it" } else { "" };
        vec![
            row.medium.to_string(),
            row.method.to_string(),
            row.comes_to.to_string(),
            remark.to_owned(),
        ]
    })
}

pub(super) fn list(client: &mut Client, batch: Option<&str>, all: bool, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let batch = batch.map(|text| client.batch_named(text)).transpose()?;
    let rows: Vec<InventoryLine> = client.ask(Query::Copies { batch, all })?;
    let head =
        ["id", "batch", "kind", "state", "medium", "kept by", "place", "end", "until", "remarks"];
    listing(json, &rows, &head, |row| {
        let facts = row.facts.as_ref();
        let place = facts.map(|facts| match &facts.lock {
            Some(lock) => format!("{} ({lock})", facts.place),
            None => facts.place.clone(),
        });
        // What was proven or vouched for, or else what can be.
        let end = match (row.assurance, row.reachable, row.sanitization) {
            (Some(reached), ..) => reached.to_string(),
            (None, Some(reachable), _) => format!("≤ {reachable}"),
            (None, None, Some(most)) => format!("≤ {}", speech::word(most.word())),
            (None, None, None) => String::new(),
        };
        vec![
            row.id.to_string(),
            row.batch.to_string(),
            row.kind.clone(),
            if row.never_made { "never made".to_owned() } else { row.state.to_string() },
            row.medium.map(|medium| medium.to_string()).unwrap_or_default(),
            facts.map_or_else(String::new, |facts| facts.holder.clone()),
            place.unwrap_or_default(),
            end,
            row.delete_by.map(|at| calendar::end(at, zone)).unwrap_or_default(),
            remarks(row),
        ]
    })
}

fn remarks(row: &InventoryLine) -> String {
    let serial = row.facts.as_ref().and_then(|facts| facts.serial.clone());
    let mut remarks: Vec<String> = serial.into_iter().collect();
    remarks.extend(row.approved_doc_no.clone());
    if row.unapproved {
        remarks.push(speech::say("not approved").into_owned());
    }
    if let (Some(reason), Some(by), None) = (&row.reason, &row.by, &row.facts) {
        remarks.push(format!("{by}: {}", reasons::shown(reason)));
    }
    if let Some(end) = &row.end {
        let people = match &row.witness {
            Some(witness) => format!("{}, {witness}", end.performer),
            None => end.performer.clone(),
        };
        let method = speech::word(end.method.word());
        remarks.push(format!("{method}: {} ({people}), {}", end.place, end.evidence.len()));
    }
    remarks.extend(row.order.map(|order| order.to_string()));
    remarks.join("; ")
}
