//! Each word of the command line, to whoever does it: `acts` changes something, `lists` and `rows` look something up,
//! and the rest needs no site.

use std::{io::Read, path::Path};

use super::{
    acts,
    args::{
        AccountWord, BatchWord, CertificateWord, Cli, ConfigWord, DestroyWord, GrantWord, HoldWord,
        PolicyWord, RegisterWord, Word,
    },
    client::{self, Client},
    doctor,
    identity::Identity,
    lists, print, rows, speech, status, verify,
};
use crate::{
    daemon, demo,
    domain::{limits, sshsig},
    error::{Error, Exit},
    service::{Query, Result, query::CertificateText, show::BatchPage, status::StatusPage},
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
        Word::Check => doctor::show(&wiring::examine(&cli.config, &hooks), cli.json),
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
    use crate::domain::time::Timestamp;
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

/// Takes from this process what the agent does not need, before it opens anything of a delivery.
fn confine(cli: &Cli) -> Result<()> {
    let confined = wiring::confine(&cli.config)?;
    if !confined.is_in_force() {
        print::note(&confined.words());
    }
    #[cfg(feature = "test-hooks")]
    for path in &cli.test_open {
        let came = std::fs::read(path).map(|bytes| bytes.len());
        print::note(&format!("test: '{}' {came:?}", path.display()));
    }
    Ok(())
}

#[cfg(not(feature = "test-hooks"))]
fn faults(_cli: &Cli) -> daemon::Faults {
    daemon::Faults::default()
}

#[cfg(feature = "test-hooks")]
fn faults(cli: &Cli) -> daemon::Faults {
    daemon::Faults { hang: cli.test_hang.clone(), without_events: cli.test_no_events }
}

fn run_agent(cli: &Cli, once: bool, hooks: &Hooks) -> Result<()> {
    if !once {
        return daemon::run(cli.config.clone(), *hooks, faults(cli));
    }
    confine(cli)?;
    let done = client::once(&cli.config, hooks)?;
    for row in done.rows {
        let id = row.id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let reason =
            row.reason.map_or(String::new(), |reason| format!("  {}", speech::word(reason.code())));
        let (number, state) = (row.number.unwrap_or_default(), speech::word(&row.state));
        print::raw(&format!("{id}  {}  {state}{reason}  {number}", row.link))?;
    }
    for note in &done.notes {
        print::note(note);
    }
    // What could be done is done and published; the rest waits for room.
    done.room
}

fn with_site(cli: &Cli, hooks: &Hooks) -> Result<()> {
    let identity = Identity::read(cli.as_name.as_deref(), cli.sign_with.as_deref())?;
    let mut client = Client::open(&cli.config, &identity, hooks)?;
    match &cli.word {
        Word::Status { metrics } => {
            let page: Box<StatusPage> = client.ask(Query::Status)?;
            status::show(&page, cli.json, *metrics)
        }
        Word::Account(AccountWord::List) => lists::accounts(&mut client, cli.json),
        Word::Configuration(ConfigWord::Show) => lists::pending(&mut client, cli.json),
        Word::Batch(BatchWord::List) => lists::batches(&mut client, cli.json),
        Word::Batch(BatchWord::Show { id }) => {
            let id = client.batch_named(id)?;
            let page: Box<BatchPage> = client.ask(Query::Batch { id })?;
            print::json(&page)
        }
        Word::Grant(GrantWord::List) => lists::grants(&mut client, cli.json),
        Word::Destroy(DestroyWord::List) => lists::orders(&mut client, cli.json),
        Word::Hold(HoldWord::List) => lists::holds(&mut client, cli.json),
        Word::Register(RegisterWord::Show) => lists::register(&mut client, cli.json),
        Word::Certificate(CertificateWord::Show { order }) => {
            let file: CertificateText = client.ask(Query::Certificate { order: id(order)? })?;
            print::bytes(file.text.as_bytes())
        }
        Word::Query(query) => {
            let reading = rows::query_of(&mut client, query)?;
            rows::read(&mut client, &identity, &reading, query.format)
        }
        Word::Match(list) => {
            let reading = rows::match_of(list)?;
            rows::read(&mut client, &identity, &reading, list.format)
        }
        _ => acts::act(cli, &mut client, &identity),
    }
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

pub(super) fn public_key(path: &Path) -> Result<String> {
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
