//! `appointment`, `account review` and `account roster`: words to commands, and people to the screen.

use std::{collections::BTreeMap, path::Path};

use super::{
    acts::{act, time},
    args::{
        AccountWord, AgreementArgs, AppointArgs, AppointmentWord, Cli, FormFile, FormFormat,
        ReviewArgs, Word,
    },
    client::Client,
    dates, forms,
    identity::Identity,
    letters,
    lists::{self, listing},
    print, speech,
    words::{bounded, id},
};
use crate::{
    domain::{
        calendar,
        people::{AccountFault, AccountVerdict, Leaving, Post},
        person::DEPUTY,
        time::Timestamp,
    },
    error::{Error, Exit},
    paper,
    service::{
        Command, Query, Result,
        people::{
            Appointing, AppointmentLine, Leaver, Party, PeopleAct, PeoplePage, ReviewPage, Roster,
        },
    },
};

/// Runs one word.
pub(super) fn run(cli: &Cli, client: &mut Client, identity: &Identity) -> Result<()> {
    match &cli.word {
        Word::Appointment(AppointmentWord::List) => list(client, cli.json),
        Word::Appointment(AppointmentWord::Letter { id, file }) => {
            letters::appointment(client, id, file)
        }
        Word::Account(AccountWord::List) => lists::accounts(client, cli.json),
        Word::Account(AccountWord::Roster(file)) => roster(client, file),
        Word::Account(AccountWord::Review(asked)) if !decides(asked) => {
            review(client, asked, cli.json)
        }
        _ => act(cli, client, identity),
    }
}

/// Whether a review decides on something, and is not looked at alone.
fn decides(asked: &ReviewArgs) -> bool {
    let lists = [&asked.keep, &asked.suspend, &asked.revoke];
    asked.confirm || asked.decisions.is_some() || lists.iter().any(|list| !list.is_empty())
}

/// The first moment of a day.
fn begin(text: &str, client: &mut Client) -> Result<Timestamp> {
    let zone = client.zone()?;
    dates::begin(text, zone)
}

fn one_of<T>(what: &str, text: &str, found: Option<T>, all: &[&str]) -> Result<T> {
    found.ok_or_else(|| {
        Error::usage(format!("there is no {what} '{text}'"))
            .hint(format!("one of: {}", all.join(", ")))
    })
}

fn leaver(text: &str) -> Leaver {
    text.parse().map_or_else(|_| Leaver::Account(text.to_owned()), Leaver::Appointment)
}

pub(super) fn command_of(word: &AppointmentWord, client: &mut Client) -> Result<Command> {
    let act = match word {
        AppointmentWord::Add(asked) => PeopleAct::Appoint { asked: appointing(asked, client)? },
        AppointmentWord::Confirm { id: of } => PeopleAct::Confirm { appointment: id(of)? },
        AppointmentWord::End { id: of, on, reason } => {
            let words: Vec<&str> = Leaving::ALL.iter().map(|one| one.word()).collect();
            let reason = one_of("reason", reason, Leaving::parse(reason), &words)?;
            PeopleAct::Leave { of: leaver(of), on: time(client, on)?, reason }
        }
        AppointmentWord::HandOver { link, to, on } => {
            let on = on.as_deref().map(|on| time(client, on)).transpose()?;
            PeopleAct::HandOver { link: link.clone(), to: to.clone(), on }
        }
        AppointmentWord::Told { id: of, office, letter, on } => {
            let on = on.as_deref().map(|on| begin(on, client)).transpose()?;
            PeopleAct::Told {
                of: leaver(of),
                office: office.clone(),
                letter: letter.clone(),
                on: on.unwrap_or_else(|| client.now()),
            }
        }
        AppointmentWord::Training { name, hours, on, subject, doc_no } => PeopleAct::Train {
            name: name.clone(),
            minutes: minutes(hours)?,
            on: begin(on, client)?,
            subject: subject.clone(),
            doc_no: doc_no.clone(),
        },
        AppointmentWord::Agreement(asked) => agreeing(asked, client)?,
        AppointmentWord::List | AppointmentWord::Letter { .. } => {
            return Err(Error::usage("this word takes no command"));
        }
    };
    Ok(Command::People { act: Box::new(act) })
}

fn appointing(asked: &AppointArgs, client: &mut Client) -> Result<Appointing> {
    let words: Vec<&str> = Post::ALL.iter().map(|one| one.word()).collect();
    Ok(Appointing {
        post: one_of("post", &asked.post, Post::parse(&asked.post), &words)?,
        link: asked.link.clone().filter(|link| link != "all"),
        name: asked.name.clone(),
        from: begin(&asked.from, client)?,
        until: asked.until.as_deref().map(|until| time(client, until)).transpose()?,
        doc_no: asked.doc_no.clone(),
        deputy_for: asked.deputy_for.as_deref().map(id).transpose()?,
    })
}

fn agreeing(asked: &AgreementArgs, client: &mut Client) -> Result<PeopleAct> {
    let party = match (&asked.name, &asked.vendor) {
        (Some(name), _) => Party::Account(name.clone()),
        (None, vendor) => Party::Vendor(vendor.clone().unwrap_or_default()),
    };
    Ok(PeopleAct::Agree {
        party,
        doc_no: asked.doc_no.clone(),
        from: begin(&asked.from, client)?,
        until: time(client, &asked.until)?,
    })
}

/// Hours as minutes: whole ones, or with one digit after the point.
fn minutes(text: &str) -> Result<u32> {
    let (whole, tenths) = text.split_once('.').unwrap_or((text, "0"));
    let number = |part: &str| part.parse::<u32>().ok().filter(|number| *number <= 1000);
    match (number(whole), number(tenths).filter(|_| tenths.len() == 1)) {
        (Some(whole), Some(tenths)) => Ok(whole * 60 + tenths * 6),
        _ => Err(Error::usage(format!("'{text}' is no number of hours")).hint("3, or 1.5")),
    }
}

/// That one system user signs with several people's keys: why, or that a second person knows it.
pub(super) fn acknowledged(uid: u32, reason: Option<&str>) -> Command {
    let act = match reason {
        Some(reason) => PeopleAct::Acknowledge { uid, reason: reason.to_owned() },
        None => PeopleAct::AcknowledgeConfirm { uid },
    };
    Command::People { act: Box::new(act) }
}

pub(super) fn review_of(asked: &ReviewArgs) -> Result<Command> {
    if asked.confirm {
        return Ok(Command::People { act: Box::new(PeopleAct::ReviewConfirm) });
    }
    let (mut keep, mut suspend, mut revoke) =
        (asked.keep.clone(), BTreeMap::new(), BTreeMap::new());
    for (list, into) in [(&asked.suspend, &mut suspend), (&asked.revoke, &mut revoke)] {
        for text in list {
            let (name, reason) = text.split_once('=').ok_or_else(|| {
                Error::usage(format!("'{text}' is no NAME=REASON")).hint("such as henry=idle")
            })?;
            decided(into, name, reason)?;
        }
    }
    if let Some(path) = &asked.decisions {
        for (name, verdict, reason) in decisions(path)? {
            match verdict {
                AccountVerdict::Keep => keep.push(name),
                AccountVerdict::Suspend => decided(&mut suspend, &name, &reason)?,
                AccountVerdict::Revoke => decided(&mut revoke, &name, &reason)?,
            }
        }
    }
    Ok(Command::People { act: Box::new(PeopleAct::Review { keep, suspend, revoke }) })
}

fn decided(into: &mut BTreeMap<String, AccountFault>, name: &str, reason: &str) -> Result<()> {
    let words: Vec<&str> = AccountFault::ALL.iter().map(|one| one.word()).collect();
    let fault = one_of("reason", reason, AccountFault::parse(reason), &words)?;
    if into.insert(name.to_owned(), fault).is_some() {
        return Err(Error::usage(format!("'{name}' is named twice")));
    }
    Ok(())
}

/// The lines of a file of decisions; a line of titles may stand first.
fn decisions(path: &Path) -> Result<Vec<(String, AccountVerdict, String)>> {
    let text = String::from_utf8(bounded(path)?)
        .map_err(|_| Error::new(Exit::Data, format!("'{}' is not UTF-8", path.display())))?;
    let mut rows = Vec::new();
    for (n, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let cells: Vec<&str> = line.split(',').map(|cell| cell.trim().trim_matches('"')).collect();
        let [name, verdict, rest @ ..] = cells.as_slice() else {
            if line.trim().is_empty() {
                continue;
            }
            return Err(fault_in(path, n, "account,verdict,reason"));
        };
        match AccountVerdict::parse(verdict) {
            Some(verdict) => {
                let reason = rest.first().copied().unwrap_or_default().to_owned();
                rows.push(((*name).to_owned(), verdict, reason));
            }
            None if n == 0 => {}
            None => return Err(fault_in(path, n, "keep, suspend or revoke")),
        }
    }
    Ok(rows)
}

fn fault_in(path: &Path, line: usize, wanted: &str) -> Error {
    Error::new(Exit::Data, format!("'{}', line {}: expected {wanted}", path.display(), line + 1))
}

fn list(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let page: PeoplePage = client.ask(Query::People)?;
    if json {
        return print::json(&page);
    }
    let head = ["id", "state", "post", "link", "account", "from", "until", "document"];
    let day = |at: Timestamp| calendar::date(at.date_in(zone));
    listing(false, &page.appointments, &head, |row: &AppointmentLine| {
        let post = speech::word(row.terms.post.word()).into_owned();
        vec![
            row.id.to_string(),
            speech::word(&row.state).into_owned(),
            match &row.stands_for {
                Some(one) => format!("{post} {DEPUTY} {}", one.of),
                None => post,
            },
            row.terms.link.clone().unwrap_or_else(|| speech::word("all").into_owned()),
            who(&row.terms.name, &row.person),
            day(row.begins.unwrap_or(row.terms.from)),
            row.ends.map(day).unwrap_or_default(),
            row.terms.doc_no.clone(),
        ]
    })?;
    if page.changes.is_empty() {
        return Ok(());
    }
    print::raw("")?;
    let head = ["account", "post", "last day", "reason", "ended", "told"];
    listing(false, &page.changes, &head, |row| {
        let told: Vec<String> =
            row.told.iter().map(|one| format!("{} {}", one.office, one.letter)).collect();
        vec![
            row.name.clone(),
            row.appointment.map_or_else(|| speech::word("all").into_owned(), |id| id.to_string()),
            day(row.on),
            speech::word(row.reason.word()).into_owned(),
            row.ended.or(row.custody).map(day).unwrap_or_default(),
            told.join(", "),
        ]
    })
}

/// The account, with the person behind it where that says more.
fn who(account: &str, person: &str) -> String {
    if account == person { account.to_owned() } else { format!("{account} ({person})") }
}

/// `account roster`.
fn roster(client: &mut Client, file: &FormFile) -> Result<()> {
    let roster: Box<Roster> = client.ask(Query::Roster)?;
    if file.format == FormFormat::Json {
        return forms::put_json(&file.output, &roster);
    }
    forms::put(file, &paper::people::roster(&roster))
}

/// `account review` without a decision.
fn review(client: &mut Client, asked: &ReviewArgs, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let page: Box<ReviewPage> = client.ask(Query::Review)?;
    if let (Some(format), Some(output)) = (asked.format, &asked.output) {
        if format == FormFormat::Json {
            return forms::put_json(output, &page);
        }
        let file = FormFile { format, output: output.clone() };
        return forms::put(&file, &paper::people::review(&page));
    }
    if json {
        return print::json(page.as_ref());
    }
    let head = ["account", "unit", "roles", "state", "last act", "faults", "verdict"];
    let day = |at: Timestamp| calendar::date(at.date_in(zone));
    listing(false, &page.accounts, &head, |row| {
        let faults: Vec<String> =
            row.faults.iter().map(|fault| speech::word(fault.word()).into_owned()).collect();
        let roles: Vec<&str> = row.account.roles.iter().map(|role| role.word()).collect();
        vec![
            row.account.name.clone(),
            row.account.unit.clone().unwrap_or_default(),
            roles.join(", "),
            speech::word(&row.account.state).into_owned(),
            row.account.last_act.map(day).unwrap_or_default(),
            faults.join(", "),
            row.verdict.map(|one| speech::word(one.word()).into_owned()).unwrap_or_default(),
        ]
    })
}
