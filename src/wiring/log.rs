//! Journal, tiles, clock and lock as the engine's ports.

use std::path::{Path, PathBuf};

use super::described;
use crate::{
    adapters::{
        clock::SystemClock,
        journal::{self, JournalError},
        lock::Lock,
        tiles::{self, TilesError},
        timestamps,
    },
    domain::{
        checkpoint::{RegisterKey, VerifierKey},
        digest::Digest,
        entry::Entry,
        merkle::Hash,
        time::Timestamp,
    },
    engine::{
        EngineError,
        ports::{Clock, Journal, Lease, Log, LogReader, PortError, Result},
    },
    error::{Error, Exit},
};

pub(super) fn error(error: &JournalError) -> PortError {
    let message = described(error);
    match error {
        JournalError::Full { .. } => PortError::Later { code: "disk-full", message },
        JournalError::Busy { .. } => PortError::Later { code: "busy", message },
        _ => PortError::Stuck { code: "journal", message },
    }
}

const fn log(log: Log) -> journal::Log {
    match log {
        Log::Register => journal::Log::Register,
        Log::Access => journal::Log::Access,
    }
}

/// The journal with its published files.
pub(super) struct Logs {
    journal: journal::Journal,
    key: RegisterKey,
    dirs: [PathBuf; 2],
    published: [u64; 2],
}

impl Logs {
    /// Opens it, and compares what was published with it.
    pub(super) fn open(
        journal: journal::Journal,
        state: &Path,
        site: &str,
        seed: &crate::domain::secret::Secret,
    ) -> std::result::Result<Self, Error> {
        let broken = || Error::new(Exit::Failed, "the register key cannot be used");
        let key = RegisterKey::from_secret(seed, &journal::Log::Register.origin(site))
            .ok_or_else(broken)?;
        let verifier = VerifierKey::parse(&key.vkey()).map_err(|_| broken())?;
        let dirs = [state.join("register"), state.join("access")];
        let mut published = [0; 2];
        for ((dir, size), log) in dirs.iter().zip(&mut published).zip(journal::Log::ALL) {
            *size = tiles::reconcile(dir, &journal, log, &verifier).map_err(|e| match &e {
                TilesError::Fork { .. } | TilesError::Foreign { .. } => {
                    Error::new(Exit::Data, described(&e)).hint(
                        "an older state folder was put back, or the register was changed: do not go on with it; \
                         'batchward register verify' says more",
                    )
                }
                TilesError::File(inner) => super::refusal::file(inner),
                TilesError::Journal(inner) => super::refusal::journal(inner),
                TilesError::Unsigned { .. } => broken(),
            })?;
        }
        Ok(Self { journal, key, dirs, published })
    }
}

impl Journal for Logs {
    fn append(&mut self, new: &[(Log, Vec<u8>)]) -> Result<Vec<u64>> {
        let new: Vec<_> = new.iter().map(|(to, bytes)| (log(*to), bytes.clone())).collect();
        self.journal.append(&self.key, &new).map_err(|e| error(&e))
    }

    fn publish(&mut self) -> Result<()> {
        for ((n, log), dir) in (0..).zip(journal::Log::ALL).zip(&self.dirs) {
            let size = self.journal.size(log).map_err(|e| error(&e))?;
            if size == self.published[n] && size > 0 {
                continue;
            }
            self.published[n] =
                tiles::publish(dir, &self.journal, log, &self.key, self.published[n]).map_err(
                    |e| match &e {
                        TilesError::File(inner) => super::file(inner),
                        TilesError::Journal(inner) => error(inner),
                        _ => PortError::Stuck { code: "tiles", message: described(&e) },
                    },
                )?;
        }
        Ok(())
    }

    fn size(&self, of: Log) -> Result<u64> {
        self.journal.size(log(of)).map_err(|e| error(&e))
    }

    fn entry(&self, of: Log, seq: u64) -> Result<Vec<u8>> {
        self.journal.entry(log(of), seq).map_err(|e| error(&e))
    }

    fn replay(
        &self,
        of: Log,
        from: u64,
        each: &mut dyn FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        struct Stop(PortError);
        impl From<JournalError> for Stop {
            fn from(source: JournalError) -> Self {
                Self(error(&source))
            }
        }
        self.journal
            .for_each::<Stop>(log(of), from, &mut |seq, bytes| each(seq, bytes).map_err(Stop))
            .map_err(|stop| stop.0)
    }

    fn fold(
        &self,
        from: u64,
        each: &mut dyn FnMut(u64, &Entry, Digest) -> std::result::Result<(), EngineError>,
    ) -> std::result::Result<(), EngineError> {
        struct Stop(EngineError);
        impl From<JournalError> for Stop {
            fn from(source: JournalError) -> Self {
                Self(error(&source).into())
            }
        }
        let parse = |bytes: &[u8]| Entry::from_bytes(bytes);
        self.journal
            .for_each_apart::<_, Stop>(
                journal::Log::Register,
                from,
                &parse,
                &mut |seq, leaf, entry| {
                    entry
                        .map_err(EngineError::from)
                        .and_then(|entry| each(seq, &entry, leaf))
                        .map_err(Stop)
                },
            )
            .map_err(|stop| stop.0)
    }

    fn root_at(&self, of: Log, size: u64) -> Result<Digest> {
        self.journal.root_at(log(of), size).map_err(|e| error(&e))
    }

    fn inclusion(&self, of: Log, seq: u64, size: u64) -> Result<Vec<Hash>> {
        self.journal.inclusion(log(of), seq, size).map_err(|e| error(&e))
    }

    fn consistency(&self, of: Log, old: u64, size: u64) -> Result<Vec<Hash>> {
        self.journal.consistency(log(of), old, size).map_err(|e| error(&e))
    }

    fn note_at(&self, of: Log, size: u64) -> Result<String> {
        self.journal.note_at(log(of), size, &self.key).map_err(|e| error(&e))
    }

    fn keep_timestamp(&mut self, size: u64, answer: &[u8]) -> Result<()> {
        let note = self.note_at(Log::Register, size)?;
        timestamps::keep(&self.dirs[0], size, &note, answer).map_err(|e| super::file(&e))
    }

    fn reader(&self) -> Result<Box<dyn LogReader>> {
        let reader = self.journal.reader().map_err(|e| error(&e))?;
        Ok(Box::new(Second(reader)))
    }
}

/// A look at the logs beside [`Logs`].
struct Second(journal::Reader);

impl LogReader for Second {
    fn piece(&self, of: Log, from: u64, to: u64) -> Result<Vec<Vec<u8>>> {
        self.0.piece(log(of), from, to).map_err(|e| error(&e))
    }
}

/// The system's clock.
pub(super) struct System(pub(super) SystemClock);

impl Clock for System {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn boot_millis(&self) -> i64 {
        self.0.boot_millis()
    }

    fn wait_millis(&self, millis: i64) {
        std::thread::sleep(std::time::Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
    }
}

/// The test build's clock for an agent that stays: it starts where it is told, and goes as fast as any other.
#[cfg(feature = "test-hooks")]
pub(super) struct Running {
    start: Timestamp,
    began: i64,
}

#[cfg(feature = "test-hooks")]
impl Running {
    pub(super) fn new(start: Timestamp) -> Self {
        Self { start, began: SystemClock.boot_millis() }
    }
}

#[cfg(feature = "test-hooks")]
impl Clock for Running {
    fn now(&self) -> Timestamp {
        let gone = SystemClock.boot_millis() - self.began;
        Timestamp::from_millis(self.start.millis() + gone)
    }

    fn boot_millis(&self) -> i64 {
        SystemClock.boot_millis()
    }

    fn wait_millis(&self, millis: i64) {
        System(SystemClock).wait_millis(millis);
    }
}

/// The test build's clock: it starts where it is told and steps by itself.
#[cfg(feature = "test-hooks")]
pub(super) struct Fixed(pub(super) crate::adapters::clock::FixedClock);

#[cfg(feature = "test-hooks")]
impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn boot_millis(&self) -> i64 {
        self.0.boot_millis()
    }

    fn wait_millis(&self, millis: i64) {
        self.0.advance(millis);
    }
}

/// The lock on the state folder.
pub(super) struct Held {
    state: PathBuf,
    lock: Option<Lock>,
    /// Whether this process answers at a socket: then nobody else has to be let in while rows are read.
    resident: bool,
}

impl Held {
    pub(super) fn new(state: &Path, lock: Lock) -> Self {
        Self { state: state.to_owned(), lock: Some(lock), resident: false }
    }

    /// The lock of an agent that stays.
    pub(super) fn resident(state: &Path, lock: Lock, socket: &Path) -> Self {
        // For people only: who finds the lock held is told where to ask.
        let _ = lock.say(socket);
        Self { state: state.to_owned(), lock: Some(lock), resident: true }
    }
}

impl Lease for Held {
    fn pause(&mut self) {
        if !self.resident {
            self.lock = None;
        }
    }

    fn resume(&mut self) -> Result<()> {
        if self.lock.is_some() {
            return Ok(());
        }
        // Whoever took it meanwhile has little to do: a revocation, a hold.
        for _ in 0..600 {
            if let Ok(lock) = Lock::acquire(&self.state) {
                self.lock = Some(lock);
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let message = format!(
            "'{}': another process does not let go of the state folder",
            self.state.display()
        );
        Err(PortError::Later { code: "busy", message })
    }
}
