//! Words that change something: to a command, and its reply to the screen.

use std::{
    io::{Read, stdin},
    path::Path,
};

use super::{
    access,
    args::{
        AccessWord, AccountAdd, AccountWord, AuditWord, BatchWord, Cli, ClockWord, CloseArgs,
        ConfigWord, DestroyWord, GrantWord, HoldWord, KeyWord, LinkWord, StandingWord, WitnessWord,
        Word,
    },
    audits,
    client::Client,
    dates, handover,
    identity::Identity,
    incidents, inventory, notified, on_paper, people, print, uses,
    words::{id, public_key},
};
use crate::{
    domain::{
        accounts::Role,
        digest::Digest,
        entry::{AccountFacts, HoldScope, KeyForm, PaperFacts, UnixUser},
        limits,
        on_paper::{Ruling, Subject},
        secret::Secret,
        time::Timestamp,
    },
    error::{Error, Exit},
    service::{
        Command, Reply, Result, command::ForService, passphrases::PassphraseAct, people::PeopleAct,
    },
    wiring,
};

pub(super) fn act(cli: &Cli, client: &mut Client, identity: &Identity) -> Result<()> {
    let command = command_of(&cli.word, client)?;
    done(cli, client, identity, command)
}

/// Has a command done, and shows the reply.
pub(super) fn done(
    cli: &Cli,
    client: &mut Client,
    identity: &Identity,
    command: Command,
) -> Result<()> {
    let (reply, notes) = client.act(identity, command)?;
    for note in &notes {
        print::note(note);
    }
    shown(cli, &reply)
}

/// Shows a reply.
pub(super) fn shown(cli: &Cli, reply: &Reply) -> Result<()> {
    if cli.json {
        print::json(reply)
    } else {
        print::line(&format!("{}  {}", reply.id, reply.message))?;
        match &reply.next {
            Some(next) => print::line(&format!("next: {next}")),
            None => Ok(()),
        }
    }
}

pub(super) fn time(client: &mut Client, text: &str) -> Result<Timestamp> {
    let zone = client.zone()?;
    dates::end(text, zone)
}

fn command_of(word: &Word, client: &mut Client) -> Result<Command> {
    Ok(match word {
        Word::Account(AccountWord::Add(add)) => Command::AccountAdd { facts: account(add)? },
        Word::Account(AccountWord::Confirm { name }) => {
            Command::AccountConfirm { name: name.clone() }
        }
        Word::Account(AccountWord::Disable { name }) => {
            Command::AccountDisable { name: name.clone() }
        }
        Word::Account(AccountWord::Edit { name, display, title, unit }) => Command::People {
            act: Box::new(PeopleAct::Edit {
                name: name.clone(),
                display: display.clone(),
                title: title.clone(),
                unit: unit.clone(),
            }),
        },
        Word::Account(AccountWord::Acknowledge { uid, reason, .. }) => {
            people::acknowledged(*uid, reason.as_deref())
        }
        Word::Account(AccountWord::Review(asked)) => people::review_of(asked)?,
        Word::Appointment(word) => people::command_of(word, client)?,
        Word::Witness(WitnessWord::Add { name, key }) => {
            Command::WitnessAdd { name: name.clone(), vkey: key.clone() }
        }
        Word::Witness(WitnessWord::Confirm { name }) => {
            Command::WitnessConfirm { name: name.clone() }
        }
        Word::Witness(WitnessWord::Take { file }) => {
            Command::WitnessTake { note: super::register::handed(file)? }
        }
        Word::Witness(WitnessWord::Timestamp { file }) => {
            Command::TimestampTake { answer: super::witness::answer(file)? }
        }
        Word::Witness(WitnessWord::Acknowledge { reason: Some(reason), .. }) => {
            Command::OverdueAcknowledge { reason: reason.clone() }
        }
        Word::Witness(WitnessWord::Acknowledge { .. }) => Command::OverdueConfirm,
        Word::Configuration(ConfigWord::Propose) => Command::ConfigPropose,
        Word::Configuration(ConfigWord::Confirm) => Command::ConfigConfirm,
        Word::Clock(ClockWord::Confirm) => Command::ClockConfirm,
        Word::Batch(BatchWord::Retry { id }) => {
            Command::BatchRetry { batch: client.batch_named(id)? }
        }
        Word::Batch(BatchWord::Release { id, reason }) => {
            Command::BatchRelease { batch: client.batch_named(id)?, reason: reason.clone() }
        }
        Word::Batch(BatchWord::Reject { id, reason }) => {
            Command::BatchReject { batch: client.batch_named(id)?, reason: reason.clone() }
        }
        Word::Batch(
            word @ (BatchWord::Provide { .. }
            | BatchWord::Confirm { .. }
            | BatchWord::Compare { .. }
            | BatchWord::Accept { .. }),
        ) => return uses::command_of_batch(word, client),
        Word::Batch(word) => notified::command_of(word, client)?,
        Word::Link(LinkWord::Baseline { link, number }) => {
            Command::Baseline { link: link.clone(), sequence: *number }
        }
        Word::Link(LinkWord::Settle { id, reason }) => {
            Command::LinkSettle { remote: *id, reason: reason.clone() }
        }
        Word::Link(LinkWord::Life(_)) => super::links::command_of(word)?,
        Word::Link(LinkWord::Confirm { link }) => Command::BaselineConfirm { link: link.clone() },
        Word::Key(word) => command_of_key(word, client)?,
        _ => return command_of_use(word, client),
    })
}

fn command_of_key(word: &KeyWord, client: &mut Client) -> Result<Command> {
    Ok(match word {
        KeyWord::Standing { link, channel } => {
            let (link, channel) = (link.clone(), channel.clone());
            let act = Box::new(PassphraseAct::Enter { link, channel });
            Command::Passphrase { act, secret: secret(None)? }
        }
        KeyWord::Confirm { link } => {
            let act = Box::new(PassphraseAct::Confirm { link: link.clone() });
            Command::Passphrase { act, secret: Secret::default() }
        }
        KeyWord::End { link, reason } => {
            let act = PassphraseAct::End { link: link.clone(), reason: reason.clone() };
            Command::Passphrase { act: Box::new(act), secret: Secret::default() }
        }
        KeyWord::Submit { id, file, passphrase_stdin, channel } => {
            let form = if *passphrase_stdin { KeyForm::Passphrase } else { KeyForm::Identity };
            let secret = secret(file.as_deref())?;
            Command::KeySubmit {
                batch: client.batch_named(id)?,
                form,
                channel: channel.clone(),
                secret,
            }
        }
    })
}

fn command_of_use(word: &Word, client: &mut Client) -> Result<Command> {
    Ok(match word {
        Word::Grant(GrantWord::Apply(asked)) => Command::GrantApply {
            link: asked.link.clone(),
            until: time(client, &asked.until)?,
            purpose: asked.purpose.clone(),
            basis: asked.basis.clone(),
            fields: asked.fields.clone(),
            unit: asked.unit.clone(),
            service: asked.service.as_ref().map(|name| ForService {
                name: name.clone(),
                rate: asked.rate.unwrap_or_default(),
                budget: asked.budget.unwrap_or_default(),
            }),
        },
        Word::Grant(GrantWord::Approve { id: grant, paper }) => {
            let grant = id(grant)?;
            let decided = (Subject::Grant(grant), Ruling::Approved);
            let entered = on_paper::entered(client, decided, paper, None)?;
            entered.unwrap_or(Command::GrantApprove { grant })
        }
        Word::Grant(GrantWord::Deny { id: grant, reason, paper }) => {
            let grant = id(grant)?;
            let decided = (Subject::Grant(grant), Ruling::Denied);
            let entered = on_paper::entered(client, decided, paper, Some(reason))?;
            entered.unwrap_or(Command::GrantDeny { grant, reason: reason.clone() })
        }
        Word::Grant(GrantWord::Confirm { id: grant }) => {
            on_paper::confirmed(Subject::Grant(id(grant)?))
        }
        Word::Grant(GrantWord::Revoke { id: grant }) => Command::GrantRevoke { grant: id(grant)? },
        Word::Use(word) => return uses::command_of(word, client),
        Word::Copy(word) => return inventory::command_of_copy(word, client),
        Word::Media(word) => return inventory::command_of_media(word, client),
        _ => return command_of_end(word, client),
    })
}

fn command_of_end(word: &Word, client: &mut Client) -> Result<Command> {
    Ok(match word {
        Word::Destroy(word) => return command_of_destroy(word, client),
        Word::Register(word) => super::amending::command_of(word)?,
        Word::Standing(StandingWord::Add { policy, link, doc_no, until }) => Command::StandingAdd {
            policy: policy.clone(),
            link: link.clone(),
            doc_no: doc_no.clone(),
            until: time(client, until)?,
        },
        Word::Standing(StandingWord::Confirm { id: standing }) => {
            Command::StandingConfirm { standing: id(standing)? }
        }
        Word::Standing(StandingWord::End { id: standing }) => {
            Command::StandingEnd { standing: id(standing)? }
        }
        Word::Access(AccessWord::Destroy { link, month, reason }) => {
            let months = month.iter().map(|text| access::month(text)).collect::<Result<_>>()?;
            Command::AccessRequest { link: link.clone(), months, reason: reason.clone() }
        }
        Word::Access(AccessWord::DestroyApprove { order }) => {
            Command::AccessApprove { order: id(order)? }
        }
        Word::Access(AccessWord::DestroyDeny { order, reason }) => {
            Command::AccessDeny { order: id(order)?, reason: reason.clone() }
        }
        Word::Hold(HoldWord::Place { id, link, all, authority, doc_no, review }) => {
            let scope = match (id, link, all) {
                (Some(batch), _, _) => HoldScope::Batch(client.batch_named(batch)?),
                (None, Some(link), _) => HoldScope::Link(link.clone()),
                (None, None, _) => HoldScope::All,
            };
            let (authority, doc_no) = (authority.clone(), doc_no.clone());
            Command::HoldPlace { scope, authority, doc_no, review: time(client, review)? }
        }
        Word::Audit(AuditWord::Kept(word)) => audits::command_of(word, client)?,
        Word::Handover(word) => handover::command_of(word, client)?,
        Word::Incident(word) => incidents::command_of(word, client)?,
        Word::Hold(HoldWord::Lift { hold }) => Command::HoldLift { hold: id(hold)? },
        _ => return Err(Error::usage("this word takes no command")),
    })
}

fn command_of_destroy(word: &DestroyWord, client: &mut Client) -> Result<Command> {
    Ok(match word {
        DestroyWord::Request { id: batch, copy, reason } => Command::DestroyRequest {
            batch: client.batch_named(batch)?,
            copies: copy.iter().map(|copy| id(copy)).collect::<Result<_>>()?,
            reason: reason.clone(),
        },
        DestroyWord::Approve { order, paper } => {
            let order = id(order)?;
            let decided = (Subject::Order(order), Ruling::Approved);
            let entered = on_paper::entered(client, decided, paper, None)?;
            entered.unwrap_or(Command::DestroyApprove { order })
        }
        DestroyWord::Deny { order, reason, paper } => {
            let order = id(order)?;
            let decided = (Subject::Order(order), Ruling::Denied);
            let entered = on_paper::entered(client, decided, paper, Some(reason))?;
            entered.unwrap_or(Command::DestroyDeny { order, reason: reason.clone() })
        }
        DestroyWord::Cancel { order, reason } => {
            Command::DestroyCancel { order: id(order)?, reason: reason.clone() }
        }
        DestroyWord::Except { order, copy, owner, until, reason } => Command::DestroyExcept {
            order: id(order)?,
            copy: id(copy)?,
            owner: owner.clone(),
            until: time(client, until)?,
            reason: reason.clone(),
        },
        DestroyWord::Close(close) => {
            Command::DestroyClose { order: id(&close.order)?, papers: papers(close, client)? }
        }
        DestroyWord::Confirm { order } => Command::DestroyConfirm { order: id(order)? },
        DestroyWord::Plan { .. }
        | DestroyWord::List
        | DestroyWord::Slip { .. }
        | DestroyWord::Record { .. }
        | DestroyWord::Letter { .. } => {
            return Err(Error::usage("this word takes no command"));
        }
    })
}

/// The papers that were named; the files are read here, and only their digests go on.
fn papers(close: &CloseArgs, client: &mut Client) -> Result<Vec<PaperFacts>> {
    let today = client.now();
    let mut papers = Vec::new();
    if let Some(number) = &close.letter {
        let date = close.letter_date.as_deref().map(|date| time(client, date)).transpose()?;
        papers.push(PaperFacts {
            kind: "letter".to_owned(),
            doc_no: Some(number.clone()),
            date: date.unwrap_or(today),
            sha256: close.letter_file.as_deref().map(digest_of).transpose()?,
        });
    }
    for file in &close.evidence {
        papers.push(PaperFacts {
            kind: "evidence".to_owned(),
            doc_no: None,
            date: today,
            sha256: Some(digest_of(file)?),
        });
    }
    for (kind, number) in [("cc-it", &close.cc_it), ("cc-ethics", &close.cc_ethics)] {
        if let Some(number) = number {
            let (kind, doc_no) = (kind.to_owned(), Some(number.clone()));
            papers.push(PaperFacts { kind, doc_no, date: today, sha256: None });
        }
    }
    Ok(papers)
}

/// SHA-256 of a file, read through once.
pub(super) fn digest_of(path: &Path) -> Result<Digest> {
    let failed = |error: std::io::Error| {
        Error::new(Exit::Unavailable, format!("'{}' cannot be read: {error}", path.display()))
    };
    std::fs::File::open(path).and_then(Digest::of_reader).map_err(failed)
}

fn account(add: &AccountAdd) -> Result<AccountFacts> {
    let role = |word: &String| {
        Role::parse(word).ok_or_else(|| {
            let words: Vec<_> = Role::ALL.iter().map(|role| role.word()).collect();
            Error::usage(format!("there is no role '{word}'"))
                .hint(format!("roles: {}", words.join(", ")))
        })
    };
    let unix = match &add.unix_user {
        Some(name) => {
            let uid = wiring::uid_of(name).ok_or_else(|| {
                Error::usage(format!("there is no unix user '{name}' on this machine"))
            })?;
            Some(UnixUser { name: name.clone(), uid })
        }
        None => None,
    };
    Ok(AccountFacts {
        name: add.name.clone(),
        display: add.display.clone(),
        title: add.title.clone(),
        unit: add.unit.clone(),
        roles: add.role.iter().map(role).collect::<Result<_>>()?,
        key: add.sign_key.as_deref().map(public_key).transpose()?,
        unix,
    })
}

/// A key, from a file or from standard input.
fn secret(path: Option<&Path>) -> Result<Secret> {
    let mut bytes =
        Vec::with_capacity(usize::try_from(limits::KEY_BYTES_MAX).unwrap_or_default() + 1);
    let read = match path {
        Some(path) => std::fs::File::open(path)
            .and_then(|file| file.take(limits::KEY_BYTES_MAX + 1).read_to_end(&mut bytes)),
        None => stdin().lock().take(limits::KEY_BYTES_MAX + 1).read_to_end(&mut bytes),
    };
    let secret = Secret::new(bytes);
    read.map_err(|error| {
        let what = match path {
            Some(path) => format!("'{}' cannot be read: {error}", path.display()),
            None => format!("standard input: {error}"),
        };
        Error::new(Exit::Unavailable, what).hint(
            "--file takes the file that holds the key; --passphrase-stdin reads a passphrase from standard input",
        )
    })?;
    if secret.expose().len() as u64 > limits::KEY_BYTES_MAX {
        return Err(Error::new(Exit::Data, "this is too long for a key"));
    }
    Ok(secret)
}
