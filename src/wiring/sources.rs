//! Servers as the engine's port: threads that fetch, and what is known of how it stands with each source.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::{
    adapters::{
        courier::{self, Courier, CourierError},
        fetch::{self, Landed, Packed, Parcel, ReleaseTo, Report, Visit},
        files,
        root_key::credential_file,
    },
    config::{self, Config},
    domain::{
        database::Database,
        digest::Digest,
        entry::PackageFacts,
        handover::DATA_NAME,
        ids::BatchId,
        limits,
        link::Link,
        manifest::{MANIFEST_NAME, SIGNATURE_NAME},
        notice::Wanted,
        secret::Secret,
        source::{Destination, Login, RemoteEnd, SourceCode, certified},
        time::Timestamp,
    },
    engine::{
        ports::{Clock, CopySize, PackagePlace, PortError, Result},
        sources::{
            Fetched, Look, Outgoing, Placed, SourceStanding, SourceTrouble, Sources, ToRelease,
            Told, no_courier,
        },
    },
    error::{Error, Exit},
};

/// Below the state: how it stands with each source, and notes of fetches in a folder for each link.
const SOURCES: &str = "sources";
/// Below the state: what is for the other side.
const RECEIPTS: &str = "receipts";
/// Below the state: notes of packages.
const PACKAGES: &str = "packages";
/// Below the state: certificates of destruction.
const CERTIFICATES: &str = "certificates";

/// What reaches servers, and wakes whoever waits for what comes of it.
#[derive(Clone)]
pub struct Remote {
    courier: Arc<Courier>,
    /// None where nobody waits: then everything is done before a call returns.
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Remote {
    /// The courier.
    pub(super) fn courier(&self) -> Arc<Courier> {
        Arc::clone(&self.courier)
    }

    /// Whether this is an agent that stays: what takes long goes on by itself there.
    pub(super) const fn stays(&self) -> bool {
        self.wake.is_some()
    }

    /// The same, for an agent that stays.
    #[must_use]
    pub fn waking(self, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { wake: Some(wake), ..self }
    }
}

/// Starts the courier, where a link has a source, loaded data lie in a database elsewhere or people are told by mail or
/// webhook: before the process confines itself.
///
/// # Errors
/// It cannot be started.
pub fn courier(path: &Path) -> crate::service::Result<Option<Remote>> {
    let config = config::load(path).map_err(|list| super::site::faults(&list))?;
    let servers: Vec<_> = config.servers().map(|(_, server)| server).collect();
    let database = config.agent.vault.database.as_ref().and_then(Database::network_port);
    let others: Vec<u16> =
        database.into_iter().chain(config.agent.notices.iter().flat_map(Wanted::ports)).collect();
    if servers.is_empty() && others.is_empty() {
        return Ok(None);
    }
    let program = Path::new("/proc/self/exe");
    let started = Courier::start(program, servers.into_iter(), others);
    let courier = started.map_err(|error| {
        Error::new(Exit::Unavailable, format!("the courier cannot be started: {error}")).hint(
            "it talks to servers, and reaches a database elsewhere; without 'source:', 'push:', 'notices:' and 'vault: postgres://' none is needed",
        )
    })?;
    Ok(Some(Remote { courier: Arc::new(courier), wake: None }))
}

/// Serves as a courier, or as one of its connections.
///
/// # Errors
/// Nobody started it as the agent does.
pub fn serve_courier(session: bool) -> crate::service::Result<()> {
    let served = if session { courier::session() } else { courier::serve() };
    served.map_err(|error| {
        Error::new(Exit::Usage, format!("the courier is started by the agent alone: {error}"))
    })
}

/// Folders that files of our accounts at servers lie in, which the agent reads.
pub(super) fn folders(config: &Config) -> BTreeSet<PathBuf> {
    let servers = || config.servers().map(|(_, server)| server);
    let files = servers().flat_map(config::sources::files);
    let folders = files.filter_map(|file| file.parent().map(Path::to_owned));
    let credentials = servers().filter_map(|server| match &server.login {
        Login::PasswordCredential(name) => credential_file(name),
        _ => None,
    });
    folders.chain(credentials).collect()
}

/// The port.
pub(super) struct Servers {
    remote: Option<Remote>,
    state: PathBuf,
    clock: Arc<dyn Clock>,
    shared: Arc<Mutex<Shared>>,
}

/// What threads and engine share.
#[derive(Default)]
struct Shared {
    told: VecDeque<Told>,
    looking: BTreeSet<String>,
    standings: BTreeMap<String, SourceStanding>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn port_error(error: &CourierError) -> PortError {
    let message = error.to_string();
    PortError::Later { code: error.code.word(), message }
}

impl Servers {
    pub(super) fn new(state: &Path, clock: Arc<dyn Clock>, remote: Option<Remote>) -> Self {
        Self { remote, state: state.to_owned(), clock, shared: Arc::default() }
    }

    fn notes(&self, link: &str) -> PathBuf {
        self.state.join(SOURCES).join(link)
    }

    fn courier(&self) -> Result<&Courier> {
        self.remote.as_ref().map(|remote| &*remote.courier).ok_or_else(no_courier)
    }
}

/// The file that says how it stands with a source.
fn standing_file(state: &Path, link: &str) -> PathBuf {
    state.join(SOURCES).join(format!("{link}.json"))
}

/// How it stood when that was last written. It is a cache: without it, nothing is known yet.
fn kept(state: &Path, link: &str) -> SourceStanding {
    files::read(&standing_file(state, link), limits::CONFIG_BYTES_MAX)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// One look, on whatever thread.
struct Looking {
    look: Look,
    courier: Arc<Courier>,
    notes: PathBuf,
    state: PathBuf,
    clock: Arc<dyn Clock>,
    shared: Arc<Mutex<Shared>>,
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Looking {
    fn run(&self) {
        let link = &self.look.link;
        let Some(source) = &link.source else { return };
        let visit = Visit {
            courier: &self.courier,
            link,
            source,
            key: self.look.key.expose(),
            notes: self.notes.clone(),
            known: &self.look.known,
            waits: &self.look.waits,
            now: self.clock.now(),
        };
        let ended = visit.run(&mut |whole| {
            self.tell(Told::Fetched(Fetched {
                link: link.name.clone(),
                name_mac: whole.name_mac,
                listing: whole.listing,
                files: whole.files,
                bytes: whole.bytes,
            }));
        });
        let now = self.clock.now();
        let before = standing(&self.shared, &self.state, &link.name);
        let after = match ended {
            Ok(report) => answered(&before, report, now),
            Err(error) => failed(&before, &error, now),
        };
        self.keep(&after);
        let mut shared = lock(&self.shared);
        shared.standings.insert(link.name.clone(), after);
        shared.looking.remove(&link.name);
        drop(shared);
        self.tell(Told::Ended(link.name.clone()));
    }

    fn tell(&self, told: Told) {
        lock(&self.shared).told.push_back(told);
        if let Some(wake) = &self.wake {
            wake();
        }
    }

    fn keep(&self, standing: &SourceStanding) {
        let folder = self.state.join(SOURCES);
        if !folder.is_dir() && files::create_dir(&folder).is_err() {
            return;
        }
        if let Ok(text) = serde_json::to_vec(standing) {
            let path = standing_file(&self.state, &self.look.link.name);
            let _ = files::replace(&path, &text, "source standing");
        }
    }
}

fn standing(shared: &Mutex<Shared>, state: &Path, link: &str) -> SourceStanding {
    let mut shared = lock(shared);
    if let Some(known) = shared.standings.get(link) {
        return known.clone();
    }
    let known = kept(state, link);
    shared.standings.insert(link.to_owned(), known.clone());
    known
}

fn answered(before: &SourceStanding, report: Report, now: Timestamp) -> SourceStanding {
    let waits = before.waiting_since.filter(|_| before.waiting > 0).unwrap_or(now);
    SourceStanding {
        answered: Some(now),
        looked: Some(now),
        trouble: None,
        waiting: report.waiting,
        waiting_since: (report.waiting > 0).then_some(waits),
        refused: report.refused,
        cut: report.cut,
        spoiled: report.spoiled,
    }
}

fn failed(before: &SourceStanding, error: &CourierError, now: Timestamp) -> SourceStanding {
    let (since, times) =
        before.trouble.as_ref().map_or((now, 0), |trouble| (trouble.since, trouble.times));
    SourceStanding {
        looked: Some(now),
        trouble: Some(SourceTrouble {
            code: error.code,
            since,
            times: times.saturating_add(1),
            shown: error.shown.clone(),
            known: error.known.clone(),
        }),
        ..before.clone()
    }
}

impl Sources for Servers {
    fn is_there(&self) -> bool {
        self.remote.is_some()
    }

    fn look(&self, look: Look) {
        let Some(remote) = &self.remote else { return };
        let name = look.link.name.clone();
        lock(&self.shared).looking.insert(name.clone());
        let looking = Looking {
            notes: self.notes(&name),
            look,
            courier: Arc::clone(&remote.courier),
            state: self.state.clone(),
            clock: Arc::clone(&self.clock),
            shared: Arc::clone(&self.shared),
            wake: remote.wake.clone(),
        };
        if remote.wake.is_none() {
            looking.run();
            return;
        }
        let started =
            thread::Builder::new().name("fetching".to_owned()).spawn(move || looking.run());
        if started.is_err() {
            lock(&self.shared).looking.remove(&name);
        }
    }

    fn is_looking(&self, link: &str) -> bool {
        lock(&self.shared).looking.contains(link)
    }

    fn told(&self) -> Option<Told> {
        lock(&self.shared).told.pop_front()
    }

    fn place(&self, link: &Link, name_mac: Digest) -> Result<Placed> {
        let landed = fetch::place(&link.inbox, &self.notes(&link.name), name_mac);
        Ok(match landed.map_err(|error| port_error(&error))? {
            Landed::Now => Placed::Now,
            Landed::There => Placed::There,
            Landed::Waits => Placed::Waits,
            Landed::Gone => Placed::Gone,
        })
    }

    fn forget(&self, link: &str, name_mac: Digest) {
        fetch::forget(&self.notes(link), name_mac);
    }

    fn release(&self, link: &Link, key: &Secret, what: &ToRelease) -> Result<RemoteEnd> {
        let source = link.source.as_ref().ok_or_else(no_courier)?;
        let to = ReleaseTo {
            id: what.remote.to_string(),
            key: key.expose(),
            name_mac: what.name_mac,
            listing: what.listing,
        };
        fetch::release(self.courier()?, source, &to).map_err(|error| port_error(&error))
    }

    fn outgoing(&self, put: &dyn Fn(BatchId, &str) -> Option<Timestamp>) -> Result<Vec<Outgoing>> {
        let folder = self.state.join(RECEIPTS);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(PortError::Later { code: "receipts", message: error.to_string() });
            }
        };
        let mut ready = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let plain = name.strip_suffix(".sig").unwrap_or(&name);
            let Some(batch) = plain.strip_suffix(".json").and_then(|id| id.parse().ok()) else {
                continue;
            };
            let Ok(facts) = entry.metadata() else { continue };
            let changed = facts.mtime().saturating_mul(1000) + facts.mtime_nsec() / 1_000_000;
            if put(batch, &name).is_some_and(|at| changed <= at.millis()) {
                continue;
            }
            let bytes =
                files::read(&entry.path(), limits::PUT_BYTES_MAX).map_err(|e| super::file(&e))?;
            let size = CopySize { bytes: bytes.len() as u64, sha256: Digest::of(&bytes) };
            ready.push(Outgoing { batch, name, size });
        }
        // The receipt before its signature.
        ready.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(ready)
    }

    fn put(&self, link: &Link, name: &str, size: CopySize) -> Result<()> {
        let source = link.source.as_ref().ok_or_else(no_courier)?;
        let folder = if certified(name).is_some() { CERTIFICATES } else { RECEIPTS };
        let path = self.state.join(folder).join(name);
        let bytes = files::read(&path, limits::PUT_BYTES_MAX).map_err(|e| super::file(&e))?;
        if Digest::of(&bytes) != size.sha256 {
            // Another one took its place: that is put next.
            let message = format!("'{name}' changed before it was put");
            return Err(PortError::Later { code: SourceCode::Changed.word(), message });
        }
        fetch::put(self.courier()?, source, name, &bytes).map_err(|error| port_error(&error))
    }

    fn push(&self, to: &Destination, package: &PackagePlace, facts: &PackageFacts) -> Result<()> {
        let parts = [
            Packed { name: DATA_NAME, sha256: Some(facts.sha256) },
            Packed { name: SIGNATURE_NAME, sha256: None },
            Packed { name: MANIFEST_NAME, sha256: Some(facts.manifest) },
        ];
        let folder = package.outbox.join(&package.number);
        let note = self.state.join(PACKAGES).join(format!("{}.sent", package.number));
        let parcel =
            Parcel { number: &package.number, folder: &folder, parts: &parts, note: &note };
        let pushed = fetch::push(self.courier()?, to, &parcel);
        pushed.map_err(|error| port_error(&error))
    }

    fn standing(&self, link: &str) -> SourceStanding {
        if self.remote.is_some() {
            return standing(&self.shared, &self.state, link);
        }
        // The agent that runs writes it.
        kept(&self.state, link)
    }
}
