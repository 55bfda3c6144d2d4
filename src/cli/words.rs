//! Each word of the command line: to a command or query, and its reply to the screen.

use std::{
    io::{Read, stdin},
    path::Path,
};

use super::{
    args::{
        AccountAdd, AccountWord, BatchWord, CertificateWord, Cli, ClockWord, ConfigWord,
        DestroyWord, GrantWord, HoldWord, KeyWord, LinkWord, PolicyWord, RegisterWord, UseWord,
        Word,
    },
    identity::Identity,
    print, rows, status, verify,
};
use crate::{
    demo,
    domain::{
        accounts::Role,
        entry::{AccountFacts, HoldScope, KeyForm, UnixUser},
        limits,
        secret::Secret,
        sshsig,
        time::Timestamp,
    },
    error::{Error, Exit},
    service::{Command, Result, Service},
    wiring::{self, Hooks},
};

/// Runs one word.
pub(super) fn run(cli: &Cli) -> Result<()> {
    let hooks = hooks(cli)?;
    match &cli.word {
        Word::Demo { dir, records } => {
            demo::run(dir.as_deref(), *records, &mut |text| print::line(text))
        }
        Word::Init { dir, site, founder } => init(dir, site, founder, &hooks),
        Word::Check => check(cli),
        Word::Run { once } => run_agent(cli, *once, &hooks),
        Word::Register(RegisterWord::Verify { dir, key }) => {
            verify::register(&cli.config, dir.as_deref(), key.as_deref(), cli.json)
        }
        Word::Certificate(CertificateWord::Verify { file, key }) => {
            verify::certificate(file, key.as_deref())
        }
        Word::Policy(word) => policy(cli, word),
        _ => with_site(cli, &hooks),
    }
}

#[cfg(not(feature = "test-hooks"))]
#[expect(clippy::unnecessary_wraps, reason = "the test build's twin can fail")]
const fn hooks(_cli: &Cli) -> Result<Hooks> {
    Ok(Hooks { clock: None })
}

#[cfg(feature = "test-hooks")]
fn hooks(cli: &Cli) -> Result<Hooks> {
    let clock = match &cli.test_clock {
        Some(text) => Some(
            Timestamp::parse(text).ok_or_else(|| Error::usage("--test-clock takes RFC 3339"))?,
        ),
        None => None,
    };
    Ok(Hooks { clock })
}

fn init(dir: &Path, site: &str, founders: &[String], hooks: &Hooks) -> Result<()> {
    let mut keys = Vec::new();
    for founder in founders {
        let (name, path) = founder.split_once('=').ok_or_else(|| {
            Error::usage(format!("--founder takes NAME=KEY.pub, not '{founder}'"))
        })?;
        keys.push((name.to_owned(), public_key(Path::new(path))?));
    }
    for made in wiring::init(dir, site, &keys, hooks)? {
        print::line(&made)?;
    }
    Ok(())
}

fn check(cli: &Cli) -> Result<()> {
    let findings = wiring::check(&cli.config)?;
    if findings.is_empty() {
        return print::line("no problem found");
    }
    for finding in &findings {
        print::line(finding)?;
    }
    Err(Error::new(Exit::Config, format!("{} problems found", findings.len())))
}

fn run_agent(cli: &Cli, once: bool, hooks: &Hooks) -> Result<()> {
    if !once {
        return Err(Error::usage("this version runs from a timer, not as a resident service")
            .hint("run 'batchward run --once'"));
    }
    let mut service = wiring::open(&cli.config, hooks, true)?;
    let done = service.engine.cycle();
    service.engine.ports.journal.publish()?;
    done?;
    for row in service.batches()? {
        let id = row.id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let reason = row.reason.map_or(String::new(), |reason| format!("  {reason}"));
        let number = row.number.unwrap_or_default();
        print::line(&format!("{id}  {}  {}{reason}  {number}", row.link, row.state))?;
    }
    // Whoever collects metrics is told of the rest by them; this run did its work all the same.
    if let Err(error) = service.put_metrics() {
        print::note(&error.what);
    }
    notes(&service);
    // What could be done is done and published; the rest waits for room.
    service.room()
}

fn notes(service: &Service) {
    for note in &service.engine.notes {
        print::note(note);
    }
    if service.engine.view.time_doubted {
        print::note(
            "the clock is in doubt: nothing irreversible runs until 'batchward clock confirm'",
        );
    }
}

fn with_site(cli: &Cli, hooks: &Hooks) -> Result<()> {
    let identity = Identity::read(cli.as_name.as_deref(), cli.sign_with.as_deref())?;
    let mut service = wiring::open(&cli.config, hooks, false)?;
    match &cli.word {
        Word::Status { metrics } => status::show(&service.status()?, cli.json, *metrics),
        Word::Account(AccountWord::List) => accounts(&service, cli.json),
        Word::Configuration(ConfigWord::Show) => {
            let rows = service.pending();
            listing(cli.json, rows, &["file", "change"], |c| vec![c.file.clone(), c.code.clone()])
        }
        Word::Batch(BatchWord::List) => batches(&mut service, cli.json),
        Word::Batch(BatchWord::Show { id }) => {
            print::json(&service.batch(service.batch_named(id)?)?)
        }
        Word::Grant(GrantWord::List) => grants(&service, cli.json),
        Word::Destroy(DestroyWord::List) => orders(&service, cli.json),
        Word::Hold(HoldWord::List) => holds(&service, cli.json),
        Word::Register(RegisterWord::Show) => register(&service, cli.json),
        Word::Certificate(CertificateWord::Show { order }) => {
            print::bytes(&service.certificate(id(order)?)?)
        }
        Word::Query(query) => {
            let reading = rows::query_of(&service, query)?;
            rows::read(&mut service, &identity, &reading, query.format)
        }
        Word::Match(list) => {
            let reading = rows::match_of(list)?;
            rows::read(&mut service, &identity, &reading, list.format)
        }
        _ => act(cli, &mut service, &identity),
    }
}

fn accounts(service: &Service, json: bool) -> Result<()> {
    listing(json, &service.accounts(), &["name", "state", "roles", "unit"], |a| {
        let waits = if a.waits { " (waits for a second person)" } else { "" };
        let unit = a.unit.clone().unwrap_or_default();
        vec![a.name.clone(), format!("{}{waits}", a.state), a.roles.join(","), unit]
    })
}

fn batches(service: &mut Service, json: bool) -> Result<()> {
    let rows = service.batches()?;
    listing(json, &rows, &["id", "number", "link", "state", "reason", "delivery"], |b| {
        vec![
            b.id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            b.number.clone().unwrap_or_default(),
            b.link.clone(),
            b.state.to_owned(),
            b.reason.map(|r| r.to_string()).unwrap_or_default(),
            b.delivery.clone().unwrap_or_default(),
        ]
    })
}

fn grants(service: &Service, json: bool) -> Result<()> {
    listing(json, &service.grants(), &["id", "state", "link", "holder", "until"], |g| {
        let until = g.terms.until.to_string();
        vec![
            g.id.to_string(),
            g.state.to_owned(),
            g.terms.link.clone(),
            g.terms.holder.clone(),
            until,
        ]
    })
}

fn orders(service: &Service, json: bool) -> Result<()> {
    listing(
        json,
        &service.orders(),
        &["id", "state", "batches", "requested by", "approved by"],
        |o| {
            let batches: Vec<String> = o.batches.iter().map(ToString::to_string).collect();
            let approved = o.approved_by.clone().unwrap_or_default();
            vec![
                o.id.to_string(),
                o.state.to_string(),
                batches.join(","),
                o.requested_by.clone(),
                approved,
            ]
        },
    )
}

fn holds(service: &Service, json: bool) -> Result<()> {
    listing(json, &service.holds(), &["id", "standing", "by", "document", "review"], |h| {
        let standing = if h.standing { "yes" } else { "lifted" };
        let review = h.review.to_string();
        vec![h.id.to_string(), standing.to_owned(), h.by.clone(), h.doc_no.clone(), review]
    })
}

fn act(cli: &Cli, service: &mut Service, identity: &Identity) -> Result<()> {
    let command = command_of(&cli.word, service)?;
    let caller = identity.caller(&service.draft(&command)?, service.engine.ports.clock.now())?;
    let reply = service.handle(&caller, command)?;
    notes(service);
    if cli.json {
        print::json(&reply)
    } else {
        print::line(&format!("{}  {}", reply.id, reply.message))
    }
}

fn listing<T: serde::Serialize>(
    json: bool,
    rows: &[T],
    head: &[&str],
    cells: impl Fn(&T) -> Vec<String>,
) -> Result<()> {
    if json {
        return print::json(&rows);
    }
    print::table(head, &rows.iter().map(cells).collect::<Vec<_>>())
}

fn register(service: &Service, json: bool) -> Result<()> {
    let rows = service.entries(0)?;
    if json {
        return print::json(&rows);
    }
    for line in crate::service::register_page::lines(&rows) {
        print::line(&line)?;
    }
    Ok(())
}

fn policy(cli: &Cli, word: &PolicyWord) -> Result<()> {
    let lines = match word {
        PolicyWord::List => wiring::policies(&cli.config)?,
        PolicyWord::Explain { name } => wiring::explain(&cli.config, name)?,
        PolicyWord::Check { file } => {
            let faults = wiring::check_policy(file)?;
            if !faults.is_empty() {
                for fault in &faults {
                    print::line(fault)?;
                }
                return Err(Error::new(Exit::Config, format!("{} problems found", faults.len())));
            }
            vec!["no problem found".to_owned()]
        }
    };
    lines.iter().try_for_each(|line| print::line(line))
}

pub(super) fn id<K: crate::domain::ids::Kind>(text: &str) -> Result<crate::domain::ids::Id<K>> {
    text.parse()
        .map_err(|error: crate::domain::ids::NoId| Error::usage(format!("'{text}': {error}")))
}

fn time(service: &Service, text: &str) -> Result<Timestamp> {
    Timestamp::parse_end(text, service.engine.rules.zone).ok_or_else(|| {
        Error::usage(format!("'{text}' is no date or time"))
            .hint("2027-12-31 (to the end of that day), or 2027-12-31T17:00:00+08:00")
    })
}

fn command_of(word: &Word, service: &Service) -> Result<Command> {
    Ok(match word {
        Word::Account(AccountWord::Add(add)) => Command::AccountAdd { facts: account(add)? },
        Word::Account(AccountWord::Confirm { name }) => {
            Command::AccountConfirm { name: name.clone() }
        }
        Word::Account(AccountWord::Disable { name }) => {
            Command::AccountDisable { name: name.clone() }
        }
        Word::Configuration(ConfigWord::Propose) => Command::ConfigPropose,
        Word::Configuration(ConfigWord::Confirm) => Command::ConfigConfirm,
        Word::Clock(ClockWord::Confirm) => Command::ClockConfirm,
        Word::Batch(BatchWord::Retry { id }) => {
            Command::BatchRetry { batch: service.batch_named(id)? }
        }
        Word::Batch(BatchWord::Release { id, reason }) => {
            Command::BatchRelease { batch: service.batch_named(id)?, reason: reason.clone() }
        }
        Word::Batch(BatchWord::Reject { id, reason }) => {
            Command::BatchReject { batch: service.batch_named(id)?, reason: reason.clone() }
        }
        Word::Link(LinkWord::Baseline { link, number }) => {
            Command::Baseline { link: link.clone(), sequence: *number }
        }
        Word::Link(LinkWord::Confirm { link }) => Command::BaselineConfirm { link: link.clone() },
        Word::Key(KeyWord::Submit { id, file, passphrase_stdin, channel }) => {
            let form = if *passphrase_stdin { KeyForm::Passphrase } else { KeyForm::Identity };
            let secret = secret(file.as_deref())?;
            Command::KeySubmit {
                batch: service.batch_named(id)?,
                form,
                channel: channel.clone(),
                secret,
            }
        }
        _ => return command_of_use(word, service),
    })
}

fn command_of_use(word: &Word, service: &Service) -> Result<Command> {
    Ok(match word {
        Word::Grant(GrantWord::Apply { link, until, purpose, basis, fields, unit }) => {
            Command::GrantApply {
                link: link.clone(),
                until: time(service, until)?,
                purpose: purpose.clone(),
                basis: basis.clone(),
                fields: fields.clone(),
                unit: unit.clone(),
            }
        }
        Word::Grant(GrantWord::Approve { id: grant }) => {
            Command::GrantApprove { grant: id(grant)? }
        }
        Word::Grant(GrantWord::Deny { id: grant, reason }) => {
            Command::GrantDeny { grant: id(grant)?, reason: reason.clone() }
        }
        Word::Grant(GrantWord::Revoke { id: grant }) => Command::GrantRevoke { grant: id(grant)? },
        Word::Use(UseWord::Complete { grant }) => Command::UseComplete { grant: id(grant)? },
        Word::Use(UseWord::NoNeed { batch }) => {
            Command::UseNoNeed { batch: service.batch_named(batch)? }
        }
        Word::Destroy(DestroyWord::Request { id, reason }) => {
            Command::DestroyRequest { batch: service.batch_named(id)?, reason: reason.clone() }
        }
        Word::Destroy(DestroyWord::Approve { order }) => {
            Command::DestroyApprove { order: id(order)? }
        }
        Word::Destroy(DestroyWord::Deny { order, reason }) => {
            Command::DestroyDeny { order: id(order)?, reason: reason.clone() }
        }
        Word::Hold(HoldWord::Place { id, link, all, authority, doc_no, review }) => {
            let scope = match (id, link, all) {
                (Some(batch), _, _) => HoldScope::Batch(service.batch_named(batch)?),
                (None, Some(link), _) => HoldScope::Link(link.clone()),
                (None, None, _) => HoldScope::All,
            };
            let (authority, doc_no) = (authority.clone(), doc_no.clone());
            Command::HoldPlace { scope, authority, doc_no, review: time(service, review)? }
        }
        Word::Hold(HoldWord::Lift { hold }) => Command::HoldLift { hold: id(hold)? },
        _ => return Err(Error::usage("this word takes no command")),
    })
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

fn public_key(path: &Path) -> Result<String> {
    let text = String::from_utf8(bounded(path)?).unwrap_or_default();
    sshsig::PublicKeyInfo::parse(&text).map(|key| key.text()).map_err(|_| {
        Error::new(Exit::Data, format!("'{}' is no public SSH key that can sign", path.display()))
            .hint("a file that ssh-keygen wrote, ending in .pub")
    })
}

pub(super) fn bounded(path: &Path) -> Result<Vec<u8>> {
    let failed = |error| Error::new(Exit::Unavailable, format!("'{}': {error}", path.display()));
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(limits::CONFIG_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
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
        Error::new(Exit::Unavailable, format!("the key cannot be read: {error}"))
    })?;
    if secret.expose().len() as u64 > limits::KEY_BYTES_MAX {
        return Err(Error::new(Exit::Data, "this is too long for a key"));
    }
    Ok(secret)
}
