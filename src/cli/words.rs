//! Each word of the command line, to whoever does it: `acts` changes something, `lists` and `rows` look something up,
//! and the rest needs no site.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use super::{
    access, acts,
    args::{
        AccessWord, AuditWord, BatchWord, CertificateWord, Cli, ConfigWord, CopyWord, DestroyWord,
        Evidence, EvidenceWord, GrantWord, HandoverWord, HoldWord, Init, LinkWord, MediaWord,
        ReceiptWord, RegisterWord, RowFormat, StandingWord, WitnessWord, Word,
    },
    audit, audits, bars, batch,
    client::{self, Client},
    doctor, duties, evidence, forms, handover,
    identity::Identity,
    incidents, inventory, letters, links, lists, notices, notified, on_paper, pack, pages, papers,
    people, policies, print, reasons, receipt, register, row_files, rows, shapes, sources, speech,
    status, today, vault, verify, witness,
};
use crate::{
    daemon, demo,
    domain::{limits, on_paper::Subject, sshsig},
    error::{Error, Exit},
    service::{
        Query, Result,
        query::{CertificateText, RequestText},
        show::BatchPage,
        status::StatusPage,
    },
    wiring::{self, Hooks, Tried},
};

/// Runs one word.
pub(super) fn run(cli: &Cli) -> Result<()> {
    let hooks = hooks(cli)?;
    match &cli.word {
        Word::Demo { dir, records } => {
            demo::run(dir.as_deref(), *records, &mut |text| print::line(text))
        }
        Word::Init(new) => init(new, &hooks),
        Word::Check => doctor::show(&wiring::examine(&cli.config, &hooks), cli.json),
        Word::Run { once } => run_agent(cli, *once, &hooks),
        Word::Register(RegisterWord::Verify(asked)) => {
            register::verify(&cli.config, asked, cli.json)
        }
        Word::Register(RegisterWord::Prove { entry, dir, output }) => {
            made(cli, dir.as_ref(), output.as_ref()).entry(*entry)
        }
        Word::Register(RegisterWord::Consistency { since, dir, output }) => {
            made(cli, dir.as_ref(), output.as_ref()).growth(*since)
        }
        Word::Certificate(CertificateWord::Verify { file, key }) => {
            verify::certificate(file, key.as_deref(), cli.json)
        }
        Word::Receipt(ReceiptWord::Verify(asked)) => receipt::verify(asked, cli.json),
        Word::Evidence(Evidence { word: Some(EvidenceWord::Verify { file, key }), .. }) => {
            evidence::verify(file, key.as_deref(), cli.json)
        }
        Word::Audit(AuditWord::Verify { file, key, access }) => {
            audit::verify(file, key, access.as_deref(), cli.json)
        }
        Word::Witness(WitnessWord::New { dir, name }) => witness::new(dir, name),
        Word::Witness(WitnessWord::Cosign { request, dir, log, output }) => {
            let now = wiring::now(&hooks);
            let line = witness::cosign(request, dir, log.as_deref(), now)?;
            made(cli, None, output.as_ref()).hand(&line, "the checkpoint is cosigned")
        }
        Word::Media(MediaWord::Methods { medium }) => {
            inventory::methods(medium.as_deref(), cli.json)
        }
        Word::Pack(args) => {
            pack::pack(args, cli.sign_with.as_deref(), wiring::now(&hooks), cli.json)
        }
        Word::Policy(word) => policies::run(cli, word),
        Word::Reasons { act } => reasons::run(act, cli.json),
        Word::Completions { shell } => pages::completions(*shell),
        Word::DeviceHelper { socket, for_user } => wiring::help_device(socket, for_user),
        Word::Link(LinkWord::Test { link }) => {
            sources::test(&cli.config, Tried::Link(link), cli.json)
        }
        Word::Handover(HandoverWord::Test { recipient }) => {
            sources::test(&cli.config, Tried::Recipient(recipient), cli.json)
        }
        Word::Notices(word) => notices::run(&cli.config, word, cli.json),
        Word::Courier { session } => wiring::serve_courier(*session),
        Word::Vault(word) => vault::run(&cli.config, word),
        Word::Man { dir } => pages::man(dir),
        Word::Audit(AuditWord::Kept(word)) => audits::run(cli, &hooks, word),
        _ => with_site(cli, &hooks),
    }
}

pub(super) fn made<'a>(
    cli: &'a Cli,
    dir: Option<&'a PathBuf>,
    output: Option<&'a PathBuf>,
) -> register::Made<'a> {
    register::Made { config: &cli.config, dir, output, json: cli.json }
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

fn init(new: &Init, hooks: &Hooks) -> Result<()> {
    let mut keys = Vec::new();
    for founder in &new.founder {
        let (name, path) = founder.split_once('=').ok_or_else(|| {
            Error::usage(format!("--founder takes NAME=KEY.pub, not '{founder}'"))
        })?;
        keys.push((name.to_owned(), public_key(Path::new(path))?));
    }
    let done = wiring::init(&new.dir, &new.site, &keys, hooks)?;
    done.lines.iter().try_for_each(|line| print::line(line))?;
    if !done.is_new || new.founder.is_empty() {
        return Ok(());
    }
    print::line(
        "next: a founder runs 'batchward account add NAME --role ROLE --sign-key FILE.pub', and the other one confirms it",
    )
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
    // Who talks to servers is started first: nothing can be started once this process has confined itself.
    let remote = wiring::courier(&cli.config)?;
    confine(cli)?;
    let done = client::once(&cli.config, hooks, !cli.json && bars::are_wanted(), remote)?;
    if cli.json {
        print::json(&shapes::RanOnce { rows: done.rows, notes: done.notes })?;
        return done.room;
    }
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

fn one_batch(client: &mut Client, text: &str, json: bool) -> Result<()> {
    let id = client.batch_named(text)?;
    let page: Box<BatchPage> = client.ask(Query::Batch { id })?;
    if json { print::json(&page) } else { batch::show(&page, client.zone()?) }
}

#[allow(clippy::too_many_lines, reason = "a table: each word beside what shows it")]
fn with_site(cli: &Cli, hooks: &Hooks) -> Result<()> {
    let identity = Identity::read(cli.as_name.as_deref(), cli.sign_with.as_deref())?;
    let mut client = Client::open(&cli.config, &identity, hooks)?;
    match &cli.word {
        Word::Status { metrics } => {
            let page: Box<StatusPage> = client.ask(Query::Status)?;
            status::show(&page, cli.json, *metrics)
        }
        Word::Appointment(_) | Word::Account(_) => people::run(cli, &mut client, &identity),
        Word::Configuration(ConfigWord::Show) => lists::pending(&mut client, cli.json),
        Word::Copy(CopyWord::List { id, all }) => {
            inventory::list(&mut client, id.as_deref(), *all, cli.json)
        }
        Word::Handover(_) | Word::Media(_) => handover::run(cli, &mut client, &identity),
        Word::Audit(AuditWord::Paper(word)) => papers::run(cli, &mut client, &identity, word),
        Word::Audit(word) => audit::run(cli, word, &mut client, &identity),
        Word::Incident(_) => incidents::run(cli, &mut client, &identity),
        Word::Batch(BatchWord::List) => lists::batches(&mut client, cli.json),
        Word::Batch(BatchWord::Compare { id, applied, result: None, .. }) => {
            super::uses::compare(&mut client, id, *applied, cli.json)
        }
        Word::Batch(BatchWord::Show { id }) => one_batch(&mut client, id, cli.json),
        Word::Batch(
            BatchWord::Notices
            | BatchWord::Notice(_)
            | BatchWord::Announce(_)
            | BatchWord::AnnounceConfirm { .. }
            | BatchWord::AnnounceWithdraw { .. }
            | BatchWord::Join { .. },
        ) => notified::run(cli, &mut client, &identity),
        Word::Batch(BatchWord::History { id, form }) => {
            today::history(&mut client, id, form, cli.json)
        }
        Word::Batch(BatchWord::Letter { id, kind, file }) => {
            letters::batch(&mut client, id, *kind, file)
        }
        Word::Today(asked) => today::today(&mut client, asked, cli.as_name.as_deref(), cli.json),
        Word::Destroy(DestroyWord::Letter { order, kind, file }) => {
            letters::destroy(&mut client, order, *kind, file)
        }
        Word::Link(word) => links::run(cli, &mut client, &identity, word),
        Word::Grant(GrantWord::List) => lists::grants(&mut client, cli.json),
        Word::Destroy(DestroyWord::List) => lists::orders(&mut client, cli.json),
        Word::Destroy(DestroyWord::Plan { on }) => lists::plan(&mut client, on, cli.json),
        Word::Standing(StandingWord::List) => lists::standings(&mut client, cli.json),
        Word::Hold(HoldWord::List) => lists::holds(&mut client, cli.json),
        Word::Register(RegisterWord::Export(asked)) => forms::register(&mut client, asked),
        Word::Register(RegisterWord::Show { batch, account }) => {
            lists::register(&mut client, batch.as_deref(), account.clone(), cli.json)
        }
        Word::Register(RegisterWord::Checkpoint { size, cosigned, output }) => {
            let wanted = Query::Checkpoint { size: *size, cosigned: *cosigned };
            register::checkpoint(&mut client, wanted, output.as_deref(), cli.json)
        }
        Word::Witness(WitnessWord::List) => lists::witnesses(&mut client, cli.json),
        Word::Witness(WitnessWord::Request { name, since, output }) => {
            let request = Query::WitnessRequest { name: name.clone(), since: *since };
            requested(cli, &client.ask::<RequestText>(request)?, output.as_ref())
        }
        Word::Witness(WitnessWord::TimestampRequest { output }) => {
            witness::timestamp_request(&mut client, output)
        }
        Word::Receipt(ReceiptWord::Show(asked)) => receipt::show(&mut client, asked, cli.json),
        Word::Certificate(CertificateWord::Show { order, format, output }) => {
            let file: CertificateText = client.ask(Query::Certificate { order: id(order)? })?;
            forms::certificate(&mut client, &file.text, *format, output.as_deref())
        }
        Word::Destroy(DestroyWord::Slip { order, file }) => {
            on_paper::slip(&mut client, Subject::Order(id(order)?), file)
        }
        Word::Grant(GrantWord::Slip { id: grant, file }) => {
            on_paper::slip(&mut client, Subject::Grant(id(grant)?), file)
        }
        Word::Copy(CopyWord::Slip { copy, file }) => {
            on_paper::slip(&mut client, Subject::Copy(id(copy)?), file)
        }
        Word::Destroy(DestroyWord::Record { id, file }) => {
            forms::destruction(&mut client, id, file)
        }
        Word::Evidence(Evidence { batch: Some(batch), output: Some(output), .. }) => {
            evidence::make(&mut client, batch, output)
        }
        Word::Duties(asked) => duties::show(&mut client, asked, cli.json),
        Word::Query(query) => {
            let reading = rows::query_of(&mut client, query)?;
            if let Some(file) = row_files::RowFile::of(&query.file) {
                return file.written(cli, &mut client, &identity, reading);
            }
            rows::read(&mut client, &identity, &reading, format(cli, query.format))
        }
        Word::Match(list) => {
            let reading = rows::match_of(&mut client, list)?;
            if let Some(file) = row_files::RowFile::of(&list.file) {
                return file.written(cli, &mut client, &identity, reading);
            }
            rows::read(&mut client, &identity, &reading, format(cli, list.format))
        }
        Word::Access(AccessWord::Keys) => access::keys(&mut client, cli.json),
        Word::Access(AccessWord::Show { filter, format: asked }) => {
            access::show(&mut client, &identity, filter, format(cli, *asked))
        }
        Word::Access(AccessWord::Export { filter, output, format }) => {
            access::export(&mut client, &identity, filter, (output, *format), cli.json)
        }
        _ => acts::act(cli, &mut client, &identity),
    }
}

/// Hands out what a witness is asked with.
fn requested(cli: &Cli, request: &RequestText, output: Option<&PathBuf>) -> Result<()> {
    let said = format!("from {} to {} entries", request.since, request.size);
    made(cli, None, output).hand(&request.text, &said)
}

/// `--json` is the same as `--format json`.
const fn format(cli: &Cli, asked: RowFormat) -> RowFormat {
    if cli.json { RowFormat::Json } else { asked }
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
