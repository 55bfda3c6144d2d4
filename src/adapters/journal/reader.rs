//! A look at the journal beside its writer. It reads in short pieces, each a transaction of its own: whoever takes them
//! slowly keeps nobody from writing.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::{JournalError, Log, signed};
use crate::domain::merkle::{self, Hash};

/// Entries of one piece.
const PIECE: u64 = 256;

/// A second connection.
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Sqlite { path: path.to_owned(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection
            .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")
            .map_err(failed)?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(failed)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// The next entries from `from` on, below `to`; none only where there is none.
    ///
    /// # Errors
    /// The database cannot be read, or an entry is not what was committed.
    pub fn piece(&self, log: Log, from: u64, to: u64) -> Result<Vec<Vec<u8>>, JournalError> {
        let mut found = Vec::new();
        self.each_of_piece(log, from, to, &mut |bytes, _| found.push(bytes.to_vec()))?;
        Ok(found)
    }

    /// Calls `each` for these entries, with their leaf hashes; gives how many there were.
    pub(super) fn each_of_piece(
        &self,
        log: Log,
        from: u64,
        to: u64,
        each: &mut dyn FnMut(&[u8], Hash),
    ) -> Result<u64, JournalError> {
        let failed = |source| JournalError::Sqlite { path: self.path.clone(), source };
        let to = to.min(from.saturating_add(PIECE));
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT e.seq, e.bytes, n.hash FROM entry e
                 LEFT JOIN node n ON n.log = e.log AND n.level = 0 AND n.idx = e.seq
                 WHERE e.log = ?1 AND e.seq >= ?2 AND e.seq < ?3 ORDER BY e.seq",
            )
            .map_err(failed)?;
        let mut rows =
            statement.query(params![log.number(), signed(from), signed(to)]).map_err(failed)?;
        let mut found = 0;
        while let Some(row) = rows.next().map_err(failed)? {
            let next = from + found;
            let seq = row.get::<_, i64>(0).map_err(failed)?.cast_unsigned();
            let bytes = row.get_ref(1).and_then(|value| Ok(value.as_blob()?)).map_err(failed)?;
            let kept: Option<[u8; 32]> = row.get(2).map_err(failed)?;
            let leaf = merkle::leaf_hash(bytes);
            if seq != next || kept != Some(*leaf.as_bytes()) {
                return Err(JournalError::Damaged { path: self.path.clone(), at: next });
            }
            each(bytes, leaf);
            found += 1;
        }
        Ok(found)
    }
}
