//! Vaults: the loaded data of one batch in one SQLCipher file under a random 256-bit key of its own.
//!
//! A vault is built under a temporary name, without side files, and takes its place by a rename after it was synced
//! and counted again. Nothing of it is ever in plain on the medium: not pages, not a journal, not a temporary
//! table. Reading opens it read-only with everything but reading denied.

use std::path::{Path, PathBuf};

use rusqlite::{
    Connection, OpenFlags,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
    params_from_iter,
    types::Value,
};

use super::{
    fault,
    files::{self, FileError},
};
use crate::domain::{ids::CopyId, secret::Secret};

/// Why a vault cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No room.
    #[error("'{path}': no space left on the filesystem")]
    Full {
        /// The vault.
        path: PathBuf,
    },
    /// The database.
    #[error("'{path}': {source}")]
    Sqlite {
        /// The vault.
        path: PathBuf,
        /// What SQLCipher said.
        source: rusqlite::Error,
    },
    /// The rows that were committed are not those that were inserted.
    #[error("'{path}': {found} rows were committed of {inserted}")]
    Count {
        /// The vault.
        path: PathBuf,
        /// Rows inserted.
        inserted: u64,
        /// Rows found.
        found: u64,
    },
    /// A column's name cannot be one.
    #[error("'{path}': a column has no usable name")]
    Column {
        /// The vault.
        path: PathBuf,
    },
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
}

fn error(path: &Path, source: rusqlite::Error) -> VaultError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => VaultError::Full { path },
        // A file that cannot be made or grown for want of room is no more than an I/O error to SQLite.
        Some(rusqlite::ErrorCode::SystemIoFailure | rusqlite::ErrorCode::CannotOpen)
            if path.parent().is_some_and(files::is_full) =>
        {
            VaultError::Full { path }
        }
        _ => VaultError::Sqlite { path, source },
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Whether look-ups go by it: it gets an index.
    pub key: bool,
}

/// The file of a vault.
#[must_use]
pub fn path_of(dir: &Path, copy: CopyId) -> PathBuf {
    dir.join(format!("{copy}.db"))
}

/// Column names come from checked configuration; quoting them keeps that from being the only defence.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn unlock(connection: &Connection, key: &Secret) -> rusqlite::Result<()> {
    // The raw-key form: the 32 bytes are the page key, no passphrase is stretched. The statement is the only place
    // where the key is text; it is overwritten at once.
    let hex = zeroize::Zeroizing::new(data_encoding::HEXLOWER.encode(key.expose()));
    let statement = zeroize::Zeroizing::new(format!("PRAGMA key = \"x'{}'\";", *hex));
    connection.execute_batch(&statement)?;
    connection.execute_batch(
        "PRAGMA cipher_memory_security = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
    )
}

/// A vault that is being built.
pub struct VaultBuilder {
    connection: Connection,
    path: PathBuf,
    part: PathBuf,
    insert: String,
    index: Vec<String>,
    columns: usize,
    rows: u64,
}

impl VaultBuilder {
    /// Begins a vault, from scratch: what an earlier attempt left under the temporary name is removed (it holds
    /// ciphertext only).
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(
        dir: &Path,
        copy: CopyId,
        key: &Secret,
        columns: &[Column],
    ) -> Result<Self, VaultError> {
        let path = path_of(dir, copy);
        let part = files::part_of(&path);
        files::remove(&part, "vault-part")?;
        let write = fault::Write::begin("vault-create");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |source| error(&part, source);
        let connection = Connection::open_with_flags(&part, flags).map_err(failed)?;
        unlock(&connection, key).map_err(failed)?;
        write.middle();
        // No journal and no syncs while it is built: a stop anywhere means to begin again from the spool.
        connection
            .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;")
            .map_err(failed)?;
        let names: Vec<String> =
            columns.iter().map(|c| format!("c_{}", c.name)).map(|n| quoted(&n)).collect();
        if names.is_empty() {
            return Err(VaultError::Column { path });
        }
        let typed: Vec<String> = names.iter().map(|n| format!("{n} TEXT NOT NULL")).collect();
        let table = format!(
            "CREATE TABLE record (number INTEGER PRIMARY KEY, removed INTEGER NOT NULL, {}); BEGIN;",
            typed.join(", ")
        );
        connection.execute_batch(&table).map_err(failed)?;
        write.end();
        let marks = vec!["?"; columns.len() + 2].join(", ");
        let index = columns
            .iter()
            .zip(&names)
            .enumerate()
            .filter(|(_, (column, _))| column.key)
            .map(|(n, (_, name))| format!("CREATE INDEX key_{n} ON record ({name});"))
            .collect();
        Ok(Self {
            connection,
            path,
            part,
            insert: format!("INSERT INTO record VALUES ({marks})"),
            index,
            columns: columns.len(),
            rows: 0,
        })
    }

    /// One record.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn insert(
        &mut self,
        number: u64,
        removed: bool,
        values: &[String],
    ) -> Result<(), VaultError> {
        let failed = |source| error(&self.part, source);
        if values.len() != self.columns {
            return Err(VaultError::Column { path: self.part.clone() });
        }
        let mut statement = self.connection.prepare_cached(&self.insert).map_err(failed)?;
        statement.raw_bind_parameter(1, number.cast_signed()).map_err(failed)?;
        statement.raw_bind_parameter(2, removed).map_err(failed)?;
        for (n, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(n + 3, value.as_str()).map_err(failed)?;
        }
        statement.raw_execute().map_err(failed)?;
        self.rows += 1;
        Ok(())
    }

    /// Indexes, syncs, counts again through a new connection. The file keeps its temporary name.
    ///
    /// # Errors
    /// It is not whole.
    pub fn seal(self, key: &Secret) -> Result<SealedVault, VaultError> {
        let Self { connection, path, part, index, rows, .. } = self;
        let write = fault::Write::begin("vault-commit");
        let failed = |source| error(&part, source);
        connection.execute_batch("COMMIT;").map_err(failed)?;
        connection.execute_batch(&index.concat()).map_err(failed)?;
        connection
            .execute_batch("CREATE INDEX removals ON record (number) WHERE removed <> 0;")
            .map_err(failed)?;
        write.middle();
        connection.close().map_err(|(_, source)| failed(source))?;
        let file = files::open_regular(&part)?;
        file.sync_all().map_err(|source| FileError::Io {
            doing: "sync",
            path: part.clone(),
            source,
        })?;
        write.end();
        let found = Vault::open_file(&part, key)?.count()?;
        if found != rows {
            return Err(VaultError::Count { path: part, inserted: rows, found });
        }
        let bytes = file.metadata().map_or(0, |m| m.len());
        Ok(SealedVault { path, part, rows, bytes })
    }
}

/// A vault that is whole and synced, under its temporary name.
#[derive(Debug)]
pub struct SealedVault {
    path: PathBuf,
    part: PathBuf,
    rows: u64,
    bytes: u64,
}

impl SealedVault {
    /// Rows, as counted anew.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of the file.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives it its own name. Durable.
    ///
    /// # Errors
    /// Nothing is in its place.
    pub fn place(self) -> Result<(), VaultError> {
        Ok(files::rename(&self.part, &self.path, "vault-rename")?)
    }
}

/// Removes what a load that was given up had begun: a file of ciphertext under its temporary name, and under its own
/// name where the stop came after the rename and before the outcome.
///
/// # Errors
/// It could not be removed.
pub fn abandon(dir: &Path, copy: CopyId) -> Result<(), VaultError> {
    let path = path_of(dir, copy);
    files::remove(&files::part_of(&path), "vault-part")?;
    Ok(files::remove(&path, "vault-abandon")?)
}

/// A vault that is read.
pub struct Vault {
    connection: Connection,
    path: PathBuf,
}

impl Vault {
    /// Opens the vault of a copy.
    ///
    /// # Errors
    /// It is not there, or the key is another's.
    pub fn open(dir: &Path, copy: CopyId, key: &Secret) -> Result<Self, VaultError> {
        Self::open_file(&path_of(dir, copy), key)
    }

    fn open_file(path: &Path, key: &Secret) -> Result<Self, VaultError> {
        let failed = |source| error(path, source);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        unlock(&connection, key).map_err(failed)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(failed)?;
        // From here on nothing but reading tables: no ATTACH, no PRAGMA, no writing, no functions but what
        // comparisons and counts need.
        connection
            .authorizer(Some(|context: AuthContext<'_>| match context.action {
                AuthAction::Select | AuthAction::Read { .. } => Authorization::Allow,
                AuthAction::Function { function_name: "count" } => Authorization::Allow,
                _ => Authorization::Deny,
            }))
            .map_err(failed)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    fn failed(&self, source: rusqlite::Error) -> VaultError {
        error(&self.path, source)
    }

    /// Rows.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn count(&self) -> Result<u64, VaultError> {
        self.connection
            .query_row("SELECT count(*) FROM record", [], |row| row.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .map_err(|source| self.failed(source))
    }

    /// Calls `each` with the records for which all conditions hold, in record order: number, whether it removes,
    /// values of `columns`. `each` returns whether to go on.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn rows(
        &self,
        columns: &[String],
        conditions: &[(String, String)],
        each: &mut dyn FnMut(u64, bool, &[String]) -> bool,
    ) -> Result<(), VaultError> {
        let failed = |source| self.failed(source);
        let column = |name: &String| quoted(&format!("c_{name}"));
        let wanted: Vec<String> = columns.iter().map(column).collect();
        let mut sql = format!("SELECT number, removed, {} FROM record", wanted.join(", "));
        if !conditions.is_empty() {
            let terms: Vec<String> =
                conditions.iter().map(|(name, _)| format!("{} = ?", column(name))).collect();
            sql.push_str(" WHERE ");
            sql.push_str(&terms.join(" AND "));
        }
        sql.push_str(" ORDER BY number");
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        let bound =
            params_from_iter(conditions.iter().map(|(_, value)| Value::from(value.clone())));
        let mut rows = statement.query(bound).map_err(failed)?;
        let mut values = vec![String::new(); columns.len()];
        while let Some(row) = rows.next().map_err(failed)? {
            for (n, value) in values.iter_mut().enumerate() {
                value.clear();
                let cell = row.get_ref(n + 2).and_then(|cell| Ok(cell.as_str()?));
                value.push_str(cell.map_err(failed)?);
            }
            let number: i64 = row.get(0).map_err(failed)?;
            if !each(number.cast_unsigned(), row.get(1).map_err(failed)?, &values) {
                break;
            }
        }
        Ok(())
    }

    /// Calls `each` with number and key of the records that remove.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn removed(&self, key: &str, each: &mut dyn FnMut(u64, &str)) -> Result<(), VaultError> {
        let failed = |source| self.failed(source);
        let sql = format!(
            "SELECT number, {} FROM record WHERE removed <> 0",
            quoted(&format!("c_{key}"))
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let number: i64 = row.get(0).map_err(failed)?;
            each(
                number.cast_unsigned(),
                row.get_ref(1).and_then(|v| Ok(v.as_str()?)).map_err(failed)?,
            );
        }
        Ok(())
    }

    /// Whether a record has this key.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn has(&self, key: &str, value: &str) -> Result<bool, VaultError> {
        let sql = format!("SELECT 1 FROM record WHERE {} = ? LIMIT 1", quoted(&format!("c_{key}")));
        let mut statement =
            self.connection.prepare_cached(&sql).map_err(|source| self.failed(source))?;
        statement.exists([value]).map_err(|source| self.failed(source))
    }
}
