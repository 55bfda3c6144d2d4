//! Making a site, opening it, and looking at its configuration.
//!
//! It is over 500 lines because making a site and opening one are the same steps in the same order, and are read side by side.

use std::{fs, os::unix::fs::MetadataExt, path::Path, sync::Arc};

use super::{
    configuration::{Files, in_force, rules},
    database, described,
    files::{Wiper, folder},
    intake::Drops,
    keys::{Age, Store},
    log::{Held, Logs, System},
    look::name_of,
    monitor::Watch,
    notices,
    outbox::Outboxes,
    papers::PaperFiles,
    refusal,
    sources::{Remote, Servers},
    store::{CaseFiles, CertificateFiles, Folded, SpoolFiles, folders},
    unit,
};
use crate::{
    adapters::{
        age_files,
        case_store::CaseStore,
        clock::SystemClock,
        entropy::Kernel,
        files,
        fold_cache::FoldCache,
        journal::{Journal, Log},
        keystore::{KeyStore, KeyStoreError},
        lock::{Lock, LockError, is_answered},
        process,
        receipts::Receipts,
        root_key::{self, RootKeySource},
    },
    config::{
        self, Agent, Config, inforce,
        node::{Fault, FaultKind},
        templates,
    },
    domain::{
        accounts::Role,
        checkpoint::{RegisterKey, VerifierKey},
        digest::Digest,
        entry::{AGENT, AccountFacts, Body, Entry, UnixUser},
        sshsig::SigningKey,
        time::Timestamp,
    },
    engine::{
        Engine, Observer,
        jobs::Hands,
        ports::{self, Clock, Journal as _, Keys, Ports},
        slots,
        sources::NoSources,
    },
    error::{Error, Exit},
    service::{Result, Service},
};

/// What only the test build sets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hooks {
    /// Where the clock starts.
    pub clock: Option<Timestamp>,
}

fn failed(error: &dyn std::error::Error) -> Error {
    Error::new(Exit::Failed, described(error))
}

/// All faults of a configuration as one error.
pub(super) fn faults(list: &[Fault]) -> Error {
    let lines: Vec<String> = list.iter().map(ToString::to_string).collect();
    let lines = lines.join("\n");
    let what = match list {
        [_] => format!("the configuration has a fault\n{lines}"),
        _ => format!("the configuration has {} faults\n{lines}", list.len()),
    };
    Error::new(Exit::Config, what).hint("mend them all, then run 'batchward check'")
}

pub(super) fn clock(hooks: &Hooks) -> Arc<dyn Clock> {
    #[cfg(feature = "test-hooks")]
    if let Some(start) = hooks.clock {
        return Arc::new(super::log::Fixed(crate::adapters::clock::FixedClock::new(start)));
    }
    let _ = hooks;
    Arc::new(System(SystemClock))
}

/// What [`init`] did.
#[derive(Debug)]
pub struct Made {
    /// What was made and what was found, a sentence each.
    pub lines: Vec<String>,
    /// Whether the register was begun: there was no site here before.
    pub is_new: bool,
}

/// Makes what is missing of a site. Returns what was made.
///
/// # Errors
/// A file cannot be written, or what is there is another site's.
pub fn init(dir: &Path, site: &str, founders: &[(String, String)], hooks: &Hooks) -> Result<Made> {
    let _ = process::harden();
    let named = founders;
    let founders = founding(named)?;
    // Before anything is made: a file with a name that is none would have to be taken away by hand.
    if !config::agent::is_name(site) {
        return Err(Error::usage(format!("'{site}' is no name of a site")).hint(
            "lower-case letters, digits, '-', '_' and '.', at most 48 of them: --site taoyuan-dwcd",
        ));
    }
    let mut made = Vec::new();
    let config = configured(dir, site, &mut made)?;
    let state = config.agent.state.clone();
    if let Some(owner) = another_owner(&state) {
        return another_users(&state, owner, made);
    }
    folder(&state).map_err(|e| refusal::file(&e))?;
    refusal::reachable(&state)?;
    let _lock = match lock(&state) {
        Err(error) if error.exit == Exit::Unavailable && !made.is_empty() => {
            made.push("an agent runs: the state was not looked at".to_owned());
            return Ok(Made { lines: made, is_new: false });
        }
        other => other?,
    };
    refusal::nothing_lost(&state)?;
    let root = root(&config.agent, &state, &mut made)?;
    for path in folders(&state) {
        folder(&path).map_err(|e| refusal::file(&e))?;
    }
    let mut keys = Store::new(key_store(&config.agent, &root)?, &config.agent);
    let seed = keys.ensure_random(slots::REGISTER)?;
    let standing = keys.ensure_identity(slots::STANDING)?;
    let client = keys.ensure_random(slots::SSH_CLIENT)?;
    let journal =
        Journal::create(&state.join("journal.db"), site).map_err(|e| refusal::journal(&e))?;
    refusal::same_site(&journal, &config.agent)?;
    let key = RegisterKey::from_secret(&seed, &Log::Register.origin(site))
        .ok_or_else(|| Error::new(Exit::Failed, "the register key cannot be used"))?;
    let vkey = key.vkey();
    let shown = format!("the register's verifier key, to be kept elsewhere too: {vkey}");
    let there = journal.size(Log::Register).map_err(|e| refusal::journal(&e))? > 0;
    let mut logs = Logs::open(journal, &state, site, &seed)?;
    if there {
        // A first `init` that stopped after its commit is finished here.
        logs.publish()?;
        made.push(format!("'{}' is a site already", dir.display()));
        made.extend(other_founders(&logs, named)?);
        made.push(shown);
        return Ok(Made { lines: made, is_new: false });
    }
    let digest = inforce::keep(&state, &config.files).map_err(|e| refusal::file(&e))?;
    let verifier = VerifierKey::parse(&vkey).map_err(|e| failed(&e))?;
    let body = Body::SiteCreated {
        site: site.to_owned(),
        vkey: vkey.clone(),
        ssh_key: verifier.ssh_key(),
        recipient: age_files::recipient_of(&standing).map_err(|e| failed(&e))?,
        client_key: SigningKey::from_seed(&client).map_err(|e| failed(&e))?.public().text(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        founders,
        config: digest,
    };
    let ports = ports(&config.agent, keys, logs, clock(hooks), Held::new(&state, _lock));
    let mut engine = Engine::open(ports, rules(&config, digest))?;
    engine.record(AGENT, body)?;
    engine.ports.journal.publish()?;
    made.push(shown);
    Ok(Made { lines: made, is_new: true })
}

/// What is told to somebody who founds a site again with other people: its founders are those that its register
/// begins with.
fn other_founders(logs: &Logs, named: &[(String, String)]) -> Result<Option<String>> {
    let first = logs.entry(ports::Log::Register, 0)?;
    let first: Entry = serde_json::from_slice(&first).map_err(|error| failed(&error))?;
    let Body::SiteCreated { founders, .. } = first.body else { return Ok(None) };
    let same = |(name, key): &(String, String)| {
        founders.iter().any(|one| one.name == *name && one.key.as_ref() == Some(key))
    };
    if named.iter().all(same) {
        return Ok(None);
    }
    let names: Vec<&str> = founders.iter().map(|one| one.name.as_str()).collect();
    Ok(Some(format!(
        "its founders are those of its beginning ({}): the ones that were named now are left out; others are added by 'batchward account add'",
        names.join(", ")
    )))
}

/// The files of a site: what is missing of the examples, and the drop-in for the unit.
fn configured(dir: &Path, site: &str, made: &mut Vec<String>) -> Result<Config> {
    fs::create_dir_all(dir)
        .map_err(|e| Error::new(Exit::Failed, format!("'{}': {e}", dir.display())))?;
    let path = dir.join("agent.yaml");
    examples(dir, &path, site, made)?;
    super::calendars::shipped(dir, made)?;
    inboxes(&path);
    let config = config::load(&path).map_err(|list| faults(&list))?;
    if config.agent.site != site {
        return Err(Error::usage(format!(
            "'{}' is the site '{}'",
            path.display(),
            config.agent.site
        )));
    }
    unit::make(&config, made)?;
    Ok(config)
}

/// The owner of a state folder that is there and not this user's.
fn another_owner(state: &Path) -> Option<u32> {
    let owner = fs::metadata(state).ok()?.uid();
    (owner != rustix::process::geteuid().as_raw()).then_some(owner)
}

/// The drop-in is made by whoever may write beside `agent.yaml`, also root; the state is made by its user alone.
fn another_users(state: &Path, owner: u32, mut made: Vec<String>) -> Result<Made> {
    let name = name_of(owner).unwrap_or_else(|| format!("#{owner}"));
    if state.join("journal.db").exists() {
        made.push(format!("the state is the user '{name}'s: it was not looked at"));
        return Ok(Made { lines: made, is_new: false });
    }
    Err(Error::new(Exit::Config, format!("'{}' belongs to the user '{name}'", state.display()))
        .hint(format!("make the site as that user: 'runuser -u {name} -- batchward init …'")))
}

/// The accounts in force from the start.
fn founding(founders: &[(String, String)]) -> Result<Vec<AccountFacts>> {
    let facts = |name: &str, key: Option<String>, unix: Option<UnixUser>| AccountFacts {
        name: name.to_owned(),
        display: None,
        title: None,
        unit: None,
        roles: vec![Role::Admin],
        key,
        unix,
    };
    match founders {
        [] => {
            let uid = rustix::process::getuid().as_raw();
            let name = name_of(uid).unwrap_or_else(|| format!("uid-{uid}"));
            Ok(vec![facts(&name, None, Some(UnixUser { name: name.clone(), uid }))])
        }
        [(one, key), (other, second)] if one != other && key != second => {
            Ok(vec![facts(one, Some(key.clone()), None), facts(other, Some(second.clone()), None)])
        }
        [_, _] => Err(Error::usage("the two founders must be two people with two keys")),
        _ => Err(Error::usage("a site has two founders, or none")
            .hint("--founder NAME=KEY.pub --founder NAME=KEY.pub")),
    }
}

fn examples(dir: &Path, path: &Path, site: &str, made: &mut Vec<String>) -> Result<()> {
    let fresh = !path.exists();
    let mut put = |name: String, text: &str| -> Result<()> {
        let path = dir.join(&name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .map_err(|e| Error::new(Exit::Failed, format!("'{}': {e}", parent.display())))?;
        }
        if !path.exists() {
            files::create_new(&path, text.as_bytes(), "example").map_err(|e| refusal::file(&e))?;
            made.push(format!("made '{name}'"));
        }
        Ok(())
    };
    for (name, text) in templates::POLICIES {
        put(format!("policies/{name}.yaml"), text)?;
    }
    if fresh {
        for (name, text) in templates::LAYOUTS {
            put(format!("layouts/{name}.yaml"), text)?;
        }
        put("links/example.yaml".to_owned(), templates::LINK)?;
        put("links/example.allowed_signers".to_owned(), templates::SIGNERS)?;
        put("agent.yaml".to_owned(), &templates::agent(site))?;
    }
    Ok(())
}

/// Makes the inboxes and keyboxes that links name and that are not there; what cannot be made, `load` reports.
fn inboxes(path: &Path) {
    // A first load, only for the paths: its faults come again from the second one.
    let Err(list) = config::load(path) else { return };
    for fault in list.iter().filter(|fault| fault.kind == FaultKind::NoFolder) {
        let _ = fs::create_dir_all(&fault.file);
    }
}

fn root(
    agent: &Agent,
    state: &Path,
    made: &mut Vec<String>,
) -> Result<crate::domain::secret::Secret> {
    let fresh = !state.join("keys").join("slots.a").exists();
    let (key, what) = match &agent.root_key {
        RootKeySource::File(path) if fresh && !path.exists() => {
            (root_key::create_file(path), format!("the root key '{}'", path.display()))
        }
        RootKeySource::Passphrase(path) if fresh && !path.exists() => {
            let what = format!("the root key '{}', under the passphrase", path.display());
            (root_key::create_sealed(path), what)
        }
        _ => return read_root(agent),
    };
    let key = key.map_err(|e| refusal::root_key(&e))?;
    made.push(format!("made {what}: keep it apart from every copy of the state"));
    Ok(key)
}

fn read_root(agent: &Agent) -> Result<crate::domain::secret::Secret> {
    agent.root_key.read().map_err(|e| refusal::root_key(&e))
}

fn key_store(agent: &Agent, root: &crate::domain::secret::Secret) -> Result<KeyStore> {
    let dir = agent.state.join("keys");
    let opened = match KeyStore::open(&dir, root) {
        // `slots.a` is made last: where it is, the other one was lost.
        Err(KeyStoreError::Missing { .. }) if !dir.join("slots.a").exists() => {
            KeyStore::create(&dir, root, &Kernel)
        }
        other => other,
    };
    opened.map_err(|e| refusal::key_store(&e, agent))
}

fn lock(state: &Path) -> Result<Lock> {
    Lock::acquire(state).map_err(|error| match &error {
        LockError::Held { resident: Some(socket), .. } if is_answered(socket) => {
            let what = format!("an agent runs, and answers at its socket '{}'", socket.display());
            Error::new(Exit::Unavailable, what).hint(
                "it does by itself what can be done, and commands go to it: 'batchward status'; to run another in its place, stop it first",
            )
        }
        LockError::Held { resident: Some(socket), .. } => {
            let what = format!(
                "an agent runs (it {}), and it does not answer at its socket '{}'",
                described(&error).trim_start_matches("another agent "),
                socket.display()
            );
            Error::new(Exit::Unavailable, what).hint(
                "it may still be starting, or ending; 'systemctl status batchward' and 'journalctl -u batchward' say more",
            )
        }
        LockError::Held { resident: None, .. } => {
            Error::new(Exit::Unavailable, described(&error))
                .hint("wait until it has finished, then run the command again")
        }
        LockError::Io { source, path } => match rustix::io::Errno::from_io_error(source) {
            // The lock file is the first that an empty folder needs.
            Some(rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT) => {
                refusal::file(&files::FileError::Full { path: path.clone() })
            }
            _ => failed(&error),
        },
    })
}

fn ports(agent: &Agent, keys: Store, logs: Logs, clock: Arc<dyn Clock>, lease: Held) -> Ports {
    let state = agent.state.as_path();
    let wiper = Wiper::new(state, agent.device_helper.as_deref());
    let spool = state.join("spool");
    Ports {
        clock: Arc::clone(&clock),
        journal: Box::new(logs),
        keys: Box::new(keys.clone()),
        cases: Box::new(CaseFiles {
            store: CaseStore::new(state.join("cases")),
            wiper: wiper.clone(),
        }),
        intake: Arc::new(Drops::new(spool.clone())),
        spool: Arc::new(SpoolFiles { dir: spool, wiper: wiper.clone() }),
        opener: Arc::new(Age),
        vaults: Arc::new(database::in_files(agent)),
        certificates: Box::new(CertificateFiles(state.join("certificates"))),
        papers: Box::new(PaperFiles(state.join("papers"))),
        packages: Arc::new(Outboxes { notes: state.join("packages") }),
        receipts: Box::new(super::receipts::Told(Receipts::new(state.join("receipts")))),
        signer: Box::new(keys.clone()),
        lease: Box::new(lease),
        evidence: Box::new(wiper),
        folds: Box::new(Folded(FoldCache::new(state))),
        sources: Arc::new(NoSources),
        notices: notices::letters(agent, clock, None),
        monitor: Box::new(Watch::new(agent, keys)),
    }
}

/// Opens a site: lock, keys, journal, recovery, configuration in force. `start` where the agent itself runs, which
/// the register then says.
///
/// # Errors
/// It is no site, another process has it, it is not this user's, or something of it is damaged.
pub fn open(path: &Path, hooks: &Hooks, start: bool) -> Result<Service> {
    open_as(path, clock(hooks), start, None, None)
}

/// As [`open`], for an agent that does what can be done and ends; with what reaches servers.
///
/// # Errors
/// As [`open`].
pub fn once(path: &Path, hooks: &Hooks, remote: Option<Remote>) -> Result<Service> {
    open_as(path, clock(hooks), true, None, remote)
}

/// Opens a site; for an agent that stays, with what runs its long steps and is told of each entry.
pub(super) fn open_as(
    path: &Path,
    clock: Arc<dyn Clock>,
    start: bool,
    stays: Option<(Box<dyn Hands>, Observer)>,
    remote: Option<Remote>,
) -> Result<Service> {
    let _ = process::harden();
    if matches!(path.try_exists(), Ok(false)) {
        return Err(Error::new(Exit::Config, format!("there is no '{}'", path.display()))
            .hint("'batchward init DIR --site NAME' makes a site; --config names its agent.yaml"));
    }
    let config = config::load(path).map_err(|list| faults(&list))?;
    let state = config.agent.state.clone();
    owned(&state, path)?;
    let lock = lock(&state)?;
    let root = read_root(&config.agent)?;
    for path in folders(&state) {
        folder(&path).map_err(|e| refusal::file(&e))?;
    }
    let store = KeyStore::open(&state.join("keys"), &root)
        .map_err(|e| refusal::key_store(&e, &config.agent))?;
    if let Some(slot) = store.damaged().next() {
        let what =
            format!("the key store is damaged at the slot '{}'", slot.as_deref().unwrap_or("?"));
        return Err(
            Error::new(Exit::Data, what).hint("docs/keystore.md says what a damaged slot means")
        );
    }
    let keys = Store::new(store, &config.agent);
    let seed = keys
        .live(slots::REGISTER)?
        .ok_or_else(|| Error::new(Exit::Data, "the register key is not in the key store"))?;
    let journal = Journal::open(&state.join("journal.db"), &config.agent.site)
        .map_err(|e| refusal::journal(&e))?;
    refusal::same_site(&journal, &config.agent)?;
    let logs = Logs::open(journal, &state, &config.agent.site, &seed)?;
    let lease = match &stays {
        Some(_) => Held::resident(&state, lock, &config.agent.socket),
        None => Held::new(&state, lock),
    };
    let mut ports = ports(&config.agent, keys, logs, Arc::clone(&clock), lease);
    ports.sources = Arc::new(Servers::new(&state, Arc::clone(&clock), remote.clone()));
    ports.notices = notices::letters(&config.agent, clock, remote.clone());
    let mut engine = Engine::open(ports, rules(&config, Digest::of(&[])))?;
    let (found, agent) = in_force(&mut engine, &config)?;
    engine.ports.vaults = database::vaults(&agent, remote.as_ref());
    if let Some((hands, observer)) = stays {
        engine.reside(hands);
        engine.observers.push(observer);
    }
    let stays = engine.is_resident();
    engine.recover()?;
    if !stays {
        // The agent that stays reads it behind its start; one that is run now and then has no later.
        while start && engine.read_past()? {}
        engine.keep_fold(false)?;
    }
    if start {
        let now = engine.ports.clock.now();
        let gap = engine.view.last_at.map_or(0, |last| (now.millis() - last.millis()) / 1000);
        let body = Body::Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config: engine.rules.digest,
            gap_seconds: gap,
        };
        engine.record(AGENT, body)?;
    }
    engine.ports.journal.publish()?;
    Ok(Service::new(engine, found, Box::new(Files::new(path, config, (agent, remote)))))
}

/// A state folder that is there, and this user's.
fn owned(state: &Path, config: &Path) -> Result<()> {
    let dir = config.parent().unwrap_or(Path::new("."));
    let missing = || {
        Error::new(Exit::Config, format!("'{}' holds no site", state.display())).hint(format!(
            "'batchward init {} --site NAME' makes one; after a lost disk, restore it first",
            dir.display()
        ))
    };
    let facts = fs::metadata(state).map_err(|error| refusal::absent(state, &error, missing))?;
    let own = rustix::process::geteuid().as_raw();
    if facts.uid() != own {
        return Err(Error::new(Exit::Unavailable, format!("no agent runs, and '{}' is not yours", state.display()))
            .hint("the owner of the state folder runs the agent; sign what you decide with --as and --sign-with"));
    }
    refusal::reachable(state)?;
    refusal::nothing_lost(state)?;
    if state.join("journal.db").exists() { Ok(()) } else { Err(missing()) }
}
