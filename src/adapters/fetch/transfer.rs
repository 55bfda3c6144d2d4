//! Getting the files of one delivery, several at once.

use std::{
    collections::VecDeque,
    fs::File,
    os::unix::fs::FileExt,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use super::{Found, Visit, join, landing::Landing, notes::Notes};
use crate::{
    adapters::courier::{CourierError, Server},
    domain::{
        digest::{Digest, Hasher},
        limits::{REMOTE_FILES_AT_ONCE, REMOTE_NOTE_BYTES},
        manifest::Manifest,
        source::SourceCode,
    },
};

/// Files from which more than one connection is worth its while, and bytes.
const FILES_FOR_MORE: usize = 8;
const BYTES_FOR_MORE: u64 = 64 << 20;

type Result<T> = std::result::Result<T, CourierError>;

/// One delivery's transfer.
pub(super) struct Transfer<'a, 'v> {
    pub(super) visit: &'a Visit<'v>,
    pub(super) found: &'a Found,
    pub(super) landing: &'a Landing,
    pub(super) manifest: Option<&'a Manifest>,
}

/// What its connections share.
struct Shared {
    notes: Notes,
    left: VecDeque<usize>,
    /// Bytes since the notes were saved, and after how many they are.
    unsaved: u64,
    every: u64,
}

impl Shared {
    fn came(&mut self, file: usize, done: u64, sha256: Digest) -> Result<()> {
        self.notes.came(file, done, sha256);
        if self.unsaved >= self.every {
            self.unsaved = 0;
            self.notes.save()?;
        }
        Ok(())
    }
}

impl Transfer<'_, '_> {
    /// Gets every file that is not whole yet.
    pub(super) fn run(
        &self,
        server: &mut Server,
        more: &mut Vec<Server>,
        notes: Notes,
    ) -> Result<()> {
        let things = &self.found.things;
        let total: u64 = things.iter().map(|thing| thing.bytes).sum();
        let done: u64 = (0..things.len()).filter_map(|n| notes.note(n)).map(|note| note.done).sum();
        Landing::has_room(&self.visit.link.inbox, total.saturating_sub(done))?;
        let mut order: Vec<usize> = (0..things.len()).collect();
        // The longest first, so that none is left for the end.
        order.sort_by_key(|n| std::cmp::Reverse(things[*n].bytes));
        let shared = Mutex::new(Shared {
            notes,
            left: order.into(),
            unsaved: 0,
            every: REMOTE_NOTE_BYTES.max(total / 32),
        });
        let wanted =
            if things.len() >= FILES_FOR_MORE || (things.len() > 3 && total >= BYTES_FOR_MORE) {
                REMOTE_FILES_AT_ONCE - 1
            } else {
                0
            };
        while more.len() < wanted {
            // A server may let fewer in: what there is does the work.
            let Ok(another) = self.visit.courier.connect(&self.visit.source.server) else { break };
            more.push(another);
        }
        let several = wanted > 0 && !more.is_empty();
        for server in more.iter_mut().chain([&mut *server]) {
            server.of_several(several);
        }
        let ended = thread::scope(|scope| {
            let others: Vec<_> = more
                .iter_mut()
                .take(wanted)
                .map(|server| scope.spawn(|| self.work(server, &shared)))
                .collect();
            let own = self.work(server, &shared);
            let others = others.into_iter().map(|other| {
                let broken = || Err(CourierError::new(SourceCode::Protocol, "a thread broke off"));
                other.join().unwrap_or_else(|_| broken())
            });
            others.fold(own, Result::and)
        });
        if ended.is_err() {
            // Those that failed are not used again.
            more.clear();
        }
        lock(&shared).notes.save().and(ended)
    }

    /// One connection's part: file after file, until none is left.
    fn work(&self, server: &mut Server, shared: &Mutex<Shared>) -> Result<()> {
        loop {
            let Some(n) = lock(shared).left.pop_front() else { return Ok(()) };
            let resumed = self.file(server, shared, n)?;
            // A part of before and a part of now may be of two contents: it is got once more in one piece, and what it
            // is then, the intake judges.
            if resumed && self.differs(shared, n) {
                lock(shared).notes.begins(n, 0);
                self.file(server, shared, n)?;
            }
        }
    }

    /// Gets one file, from where it was left on. Says whether it came in more than one piece.
    fn file(&self, server: &mut Server, shared: &Mutex<Shared>, n: usize) -> Result<bool> {
        let thing = &self.found.things[n];
        let file = self.landing.file(n)?;
        let noted = lock(shared).notes.note(n).cloned();
        let before = noted.as_ref().and_then(|note| Some((note.done, note.sha256?)));
        let mut hasher = Hasher::new();
        let mut done = 0;
        if let Some((length, sha256)) = before
            && let Some(prefix) = prefix(&file, length, sha256)
        {
            (done, hasher) = (length, prefix);
        }
        if done == thing.bytes && before.is_some() {
            return Ok(noted.is_some_and(|note| note.resumed));
        }
        lock(shared).notes.begins(n, done);
        let from = done;
        file.set_len(done).map_err(|error| ours(&error))?;
        let path = join(&self.found.path, &thing.name);
        let mut since = 0;
        let read = server.read(&path, done, thing.bytes - done, &mut |piece| {
            file.write_all_at(piece, done).map_err(|error| ours(&error))?;
            hasher.update(piece);
            done += piece.len() as u64;
            since += piece.len() as u64;
            if since >= REMOTE_NOTE_BYTES {
                let mut shared = lock(shared);
                shared.unsaved += since;
                since = 0;
                shared.came(n, done, hasher.clone().finish())?;
            }
            Ok(())
        });
        let mut shared = lock(shared);
        shared.unsaved += since;
        let noted = shared.came(n, done, hasher.finish());
        drop(shared);
        match read {
            Ok(_) if done < thing.bytes => {
                Err(CourierError::new(SourceCode::Changed, "a file is shorter than it was listed"))
            }
            other => other.and(noted).map(|()| from > 0),
        }
    }

    /// Whether a file has not the digest that the manifest states.
    fn differs(&self, shared: &Mutex<Shared>, n: usize) -> bool {
        let name = self.found.things[n].name.as_slice();
        let stated = self.manifest.and_then(|manifest| {
            manifest.files.iter().find(|file| file.name.as_bytes() == name).map(|file| file.sha256)
        });
        let came = lock(shared).notes.note(n).and_then(|note| note.sha256);
        // What the manifest does not state (itself, its signature) is small: it is got again.
        stated.is_none() || stated != came
    }
}

/// The hash of what had come, where it is still what was noted.
fn prefix(file: &File, length: u64, sha256: Digest) -> Option<Hasher> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    while at < length {
        let most = usize::try_from(length - at).unwrap_or(usize::MAX).min(buffer.len());
        let read = file.read_at(&mut buffer[..most], at).ok().filter(|read| *read > 0)?;
        hasher.update(&buffer[..read]);
        at += read as u64;
    }
    (hasher.clone().finish() == sha256).then_some(hasher)
}

fn ours(error: &std::io::Error) -> CourierError {
    let full =
        matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
    let code = if full { SourceCode::DiskFull } else { SourceCode::Inbox };
    CourierError::new(code, format!("cannot write a fetched file: {error}"))
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
