//! The journal: one SQLite database that is the commit point of both logs.
//!
//! Entries and the signed checkpoint over them are one transaction with `synchronous=FULL`. A rollback journal is
//! used and not a write-ahead log: after a commit one file says the truth, and a copied state folder is whole with
//! it. The rollback journal is truncated and not deleted, because SQLite syncs the truncation, but the folder after
//! a deletion only at a level above FULL: a power cut could bring the deleted one back and undo a commit that was
//! already told. Every checkpoint that was ever signed is kept, so that a bad entry can be named later. Nothing is
//! ever updated or deleted here. After an error whose outcome is not known nothing more is written: the truth is
//! read from the disk again, by a new start.

mod apart;
mod reader;

use std::path::{Path, PathBuf};

pub use reader::Reader;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::fault;
use crate::domain::{
    checkpoint::{Checkpoint, RegisterKey},
    limits,
    merkle::{self, Frontier, Hash, HashReader},
};

/// The two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Log {
    /// The register.
    Register,
    /// The access log.
    Access,
}

impl Log {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Register, Self::Access];

    const fn number(self) -> i64 {
        match self {
            Self::Register => 0,
            Self::Access => 1,
        }
    }

    /// The origin of this log's checkpoints.
    #[must_use]
    pub fn origin(self, site: &str) -> String {
        match self {
            Self::Register => format!("batchward/{site}"),
            Self::Access => format!("batchward/{site}/access"),
        }
    }
}

/// Why the journal did not do what it was asked. Nothing half is left behind.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// No room.
    #[error("'{path}': no space left on the filesystem")]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// Another process holds it.
    #[error("'{path}': another process is writing")]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// An entry is too long.
    #[error("an entry of {0} bytes is over the limit of 65535")]
    TooLong(usize),
    /// The log has no such entry or size.
    #[error("'{path}': the log has no entry or size {at}")]
    Absent {
        /// The database.
        path: PathBuf,
        /// What was asked for.
        at: u64,
    },
    /// An entry is missing, or neither it nor the tree is what was committed.
    #[error("'{path}': entry {at} is not what was committed")]
    Damaged {
        /// The database.
        path: PathBuf,
        /// The entry, or the first that can no longer be vouched for.
        at: u64,
    },
    /// An earlier write failed in a way that leaves its outcome open.
    #[error("'{path}': an earlier write failed, and what is on the disk must be read again first")]
    Uncertain {
        /// The database.
        path: PathBuf,
    },
    /// The database.
    #[error("'{path}': {source}")]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// What is called for an entry, with its place.
pub type Each<'a, E> = dyn FnMut(u64, &[u8]) -> Result<(), E> + 'a;

/// The journal.
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    site: String,
    uncertain: bool,
}

/// Nodes of complete subtrees, kept beside the entries.
struct Nodes<'a>(&'a Journal, Log);

impl HashReader for Nodes<'_> {
    type Error = JournalError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, JournalError> {
        let Self(journal, log) = self;
        let row: Option<[u8; 32]> = journal
            .connection
            .prepare_cached("SELECT hash FROM node WHERE log = ?1 AND level = ?2 AND idx = ?3")
            .and_then(|mut s| {
                s.query_row(params![log.number(), level, signed(index)], |r| r.get(0)).optional()
            })
            .map_err(|source| journal.sqlite(source))?;
        row.map(Hash::from_bytes).ok_or_else(|| journal.absent(index))
    }
}

impl Journal {
    /// Makes the database, or finishes making it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path, site: &str) -> Result<Self, JournalError> {
        let write = fault::Write::begin("journal-create");
        let journal = Self::connect(
            path,
            site,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        )?;
        write.middle();
        journal
            .connection
            .execute_batch(
                "BEGIN IMMEDIATE;
                 CREATE TABLE IF NOT EXISTS entry (log INTEGER NOT NULL, seq INTEGER NOT NULL, bytes BLOB NOT NULL,
                     PRIMARY KEY (log, seq)) WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS node (log INTEGER NOT NULL, level INTEGER NOT NULL, idx INTEGER NOT NULL,
                     hash BLOB NOT NULL, PRIMARY KEY (log, level, idx)) WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS checkpoint (log INTEGER NOT NULL, size INTEGER NOT NULL,
                     note TEXT NOT NULL, PRIMARY KEY (log, size)) WITHOUT ROWID;
                 COMMIT;",
            )
            .map_err(|source| journal.sqlite(source))?;
        write.end();
        Ok(journal)
    }

    /// Opens it.
    ///
    /// # Errors
    /// It is not there, no database, or its entries and checkpoints do not end together.
    pub fn open(path: &Path, site: &str) -> Result<Self, JournalError> {
        let journal = Self::connect(path, site, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        for log in Log::ALL {
            let size = journal.size(log)?;
            let signed = journal.signed_size(log)?;
            if size != signed {
                return Err(journal.damaged(size.min(signed)));
            }
        }
        Ok(journal)
    }

    fn connect(path: &Path, site: &str, flags: OpenFlags) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Sqlite { path: path.to_owned(), source };
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;
                 PRAGMA temp_store = MEMORY;",
            )
            .map_err(failed)?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(failed)?;
        Ok(Self { connection, path: path.to_owned(), site: site.to_owned(), uncertain: false })
    }

    /// Entries of a log.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn size(&self, log: Log) -> Result<u64, JournalError> {
        self.connection
            .prepare_cached("SELECT COALESCE(MAX(seq) + 1, 0) FROM entry WHERE log = ?1")
            .and_then(|mut s| s.query_row([log.number()], |row| row.get::<_, i64>(0)))
            .map(i64::cast_unsigned)
            .map_err(|source| self.sqlite(source))
    }

    /// Appends entries and signs the checkpoint of each log that grew, in one transaction. Returns their places.
    ///
    /// # Errors
    /// Nothing was appended. After any error but [`JournalError::Full`], [`JournalError::Busy`] and
    /// [`JournalError::TooLong`] this journal takes nothing more: an fsync that failed is not tried again.
    pub fn append(
        &mut self,
        key: &RegisterKey,
        new: &[(Log, Vec<u8>)],
    ) -> Result<Vec<u64>, JournalError> {
        if let Some((_, bytes)) = new.iter().find(|(_, b)| b.len() > limits::ENTRY_BYTES_MAX) {
            return Err(JournalError::TooLong(bytes.len()));
        }
        if self.uncertain {
            return Err(JournalError::Uncertain { path: self.path.clone() });
        }
        let mut edges = Vec::new();
        for log in Log::ALL {
            if new.iter().any(|(to, _)| *to == log) {
                edges.push((log, Frontier::read(self.size(log)?, &Nodes(self, log))?));
            }
        }
        let write = fault::Write::begin("journal");
        let places = self.commit(key, new, &mut edges, &write).map_err(|source| {
            let error = self.sqlite(source);
            let nothing = matches!(error, JournalError::Full { .. } | JournalError::Busy { .. });
            // Dropping the transaction has rolled it back; where even that failed, it is still open.
            self.uncertain = !nothing || !self.connection.is_autocommit();
            error
        })?;
        write.end();
        Ok(places)
    }

    fn commit(
        &mut self,
        key: &RegisterKey,
        new: &[(Log, Vec<u8>)],
        edges: &mut [(Log, Frontier)],
        write: &fault::Write,
    ) -> rusqlite::Result<Vec<u64>> {
        let site = self.site.clone();
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut places = Vec::with_capacity(new.len());
        {
            let mut entry = transaction.prepare_cached("INSERT INTO entry VALUES (?1, ?2, ?3)")?;
            let mut node =
                transaction.prepare_cached("INSERT INTO node VALUES (?1, ?2, ?3, ?4)")?;
            for (log, bytes) in new {
                let Some((_, edge)) = edges.iter_mut().find(|(to, _)| to == log) else { continue };
                let seq = edge.size();
                entry.execute(params![log.number(), signed(seq), bytes])?;
                for (level, index, hash) in edge.append(merkle::leaf_hash(bytes)) {
                    node.execute(params![log.number(), level, signed(index), hash.as_bytes()])?;
                }
                places.push(seq);
            }
            let mut note =
                transaction.prepare_cached("INSERT INTO checkpoint VALUES (?1, ?2, ?3)")?;
            for (log, edge) in edges.iter() {
                let checkpoint =
                    Checkpoint { origin: log.origin(&site), size: edge.size(), root: edge.root() };
                note.execute(params![log.number(), signed(edge.size()), key.sign(&checkpoint)])?;
            }
        }
        // A stop here: SQLite rolls the transaction back, nothing of it was ever there.
        write.middle();
        transaction.commit()?;
        Ok(places)
    }

    /// One entry.
    ///
    /// # Errors
    /// It is not there.
    pub fn entry(&self, log: Log, seq: u64) -> Result<Vec<u8>, JournalError> {
        self.connection
            .prepare_cached("SELECT bytes FROM entry WHERE log = ?1 AND seq = ?2")
            .and_then(|mut s| {
                s.query_row(params![log.number(), signed(seq)], |row| row.get(0)).optional()
            })
            .map_err(|source| self.sqlite(source))?
            .ok_or_else(|| self.absent(seq))
    }

    /// Calls `each` for the entries from `from` on, each checked against its leaf in the tree first, and all of them
    /// together against the tree's root at the end.
    ///
    /// # Errors
    /// The database cannot be read, an entry is not what was committed, or `each` said so.
    pub fn for_each<E: From<JournalError>>(
        &self,
        log: Log,
        from: u64,
        each: &mut Each<'_, E>,
    ) -> Result<(), E> {
        let failed = |source| E::from(self.sqlite(source));
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT e.seq, e.bytes, n.hash FROM entry e
                 LEFT JOIN node n ON n.log = e.log AND n.level = 0 AND n.idx = e.seq
                 WHERE e.log = ?1 AND e.seq >= ?2 ORDER BY e.seq",
            )
            .map_err(failed)?;
        let mut edge = Frontier::read(from, &Nodes(self, log))?;
        let mut next = from;
        let mut rows = statement.query(params![log.number(), signed(from)]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let seq = row.get::<_, i64>(0).map_err(failed)?.cast_unsigned();
            let bytes = row.get_ref(1).and_then(|value| Ok(value.as_blob()?)).map_err(failed)?;
            let leaf: Option<[u8; 32]> = row.get(2).map_err(failed)?;
            let found = merkle::leaf_hash(bytes);
            if seq != next || leaf.map(Hash::from_bytes) != Some(found) {
                return Err(self.damaged(next).into());
            }
            edge.append(found);
            each(seq, bytes)?;
            next += 1;
        }
        if edge.root() != self.root_at(log, edge.size())? {
            return Err(self.damaged(0).into());
        }
        Ok(())
    }

    /// Size of the newest signed checkpoint.
    fn signed_size(&self, log: Log) -> Result<u64, JournalError> {
        self.connection
            .prepare_cached("SELECT COALESCE(MAX(size), 0) FROM checkpoint WHERE log = ?1")
            .and_then(|mut s| s.query_row([log.number()], |row| row.get::<_, i64>(0)))
            .map(i64::cast_unsigned)
            .map_err(|source| self.sqlite(source))
    }

    /// The sizes above `from` up to `to` at which a checkpoint was signed, divided by `unit`: each once, the
    /// smallest first.
    pub(super) fn signed_sizes(
        &self,
        log: Log,
        from: u64,
        to: u64,
        unit: u64,
    ) -> Result<Vec<u64>, JournalError> {
        self.connection
            .prepare_cached(
                "SELECT DISTINCT size / ?4 FROM checkpoint WHERE log = ?1 AND size > ?2 AND size <= ?3
                 ORDER BY 1",
            )
            .and_then(|mut s| {
                s.query_map(params![log.number(), signed(from), signed(to), signed(unit)], |row| {
                    row.get::<_, i64>(0).map(i64::cast_unsigned)
                })?
                .collect()
            })
            .map_err(|source| self.sqlite(source))
    }

    /// Origin of a log of this site.
    #[must_use]
    pub fn origin(&self, log: Log) -> String {
        log.origin(&self.site)
    }

    /// The newest signed checkpoint.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn checkpoint(&self, log: Log) -> Result<Option<String>, JournalError> {
        self.connection
            .prepare_cached("SELECT note FROM checkpoint WHERE log = ?1 ORDER BY size DESC LIMIT 1")
            .and_then(|mut s| s.query_row([log.number()], |row| row.get(0)).optional())
            .map_err(|source| self.sqlite(source))
    }

    /// The note for the tree of `size`: the one that was signed when the log had that size, or signed now, which
    /// gives the same bytes.
    ///
    /// # Errors
    /// The log is shorter.
    pub fn note_at(&self, log: Log, size: u64, key: &RegisterKey) -> Result<String, JournalError> {
        let kept: Option<String> = self
            .connection
            .prepare_cached("SELECT note FROM checkpoint WHERE log = ?1 AND size = ?2")
            .and_then(|mut s| {
                s.query_row(params![log.number(), signed(size)], |row| row.get(0)).optional()
            })
            .map_err(|source| self.sqlite(source))?;
        match kept {
            Some(note) => Ok(note),
            None => {
                let root = self.root_at(log, size)?;
                Ok(key.sign(&Checkpoint { origin: log.origin(&self.site), size, root }))
            }
        }
    }

    /// Root of a log at `size`.
    ///
    /// # Errors
    /// The log is shorter.
    pub fn root_at(&self, log: Log, size: u64) -> Result<Hash, JournalError> {
        merkle::root_at(size, &Nodes(self, log))
    }

    /// Inclusion proof of `seq` in the tree of `size`.
    ///
    /// # Errors
    /// The log is shorter.
    pub fn inclusion(&self, log: Log, seq: u64, size: u64) -> Result<Vec<Hash>, JournalError> {
        if seq >= size || size > self.size(log)? {
            return Err(self.absent(size));
        }
        merkle::inclusion_proof(seq, size, &Nodes(self, log))
    }

    /// A second connection, which only reads.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn reader(&self) -> Result<Reader, JournalError> {
        Reader::open(&self.path)
    }

    /// Proof that the tree of `size` begins with that of `old`.
    ///
    /// # Errors
    /// The log is shorter.
    pub fn consistency(&self, log: Log, old: u64, size: u64) -> Result<Vec<Hash>, JournalError> {
        if old > size || size > self.size(log)? {
            return Err(self.absent(size));
        }
        merkle::consistency_proof(old, size, &Nodes(self, log))
    }

    /// A node of the tree, for the tiles.
    ///
    /// # Errors
    /// It is not complete yet.
    pub fn node(&self, log: Log, level: u8, index: u64) -> Result<Hash, JournalError> {
        Nodes(self, log).node(level, index)
    }

    fn damaged(&self, at: u64) -> JournalError {
        JournalError::Damaged { path: self.path.clone(), at }
    }

    fn absent(&self, at: u64) -> JournalError {
        JournalError::Absent { path: self.path.clone(), at }
    }

    fn sqlite(&self, source: rusqlite::Error) -> JournalError {
        let path = self.path.clone();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => JournalError::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                JournalError::Busy { path }
            }
            // Before its own first page can grow, SQLite meets a full disk as an I/O error of the rollback journal.
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)
                if path.parent().is_some_and(super::files::is_full) =>
            {
                JournalError::Full { path }
            }
            _ => JournalError::Sqlite { path, source },
        }
    }
}

/// SQLite's integers are signed; places in a log stay far below 2^63.
const fn signed(number: u64) -> i64 {
    number.cast_signed()
}

#[cfg(test)]
mod tests;
