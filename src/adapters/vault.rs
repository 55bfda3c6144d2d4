//! Vaults: the loaded data of one batch in one SQLCipher file under a random 256-bit key of its own.
//!
//! A vault is built under a temporary name, without side files, and takes its place by a rename after it was synced
//! and counted again. Nothing of it is ever in plain on the medium: not pages, not a journal, not a temporary
//! table. Reading opens it read-only with everything but reading its own tables denied, and ends at its deadline by the
//! clock that nobody sets: within a running statement, and between the rows of one.

mod build;
mod keys;
mod list;
mod window;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, OpenFlags, Rows,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

pub use self::{
    build::{SealedVault, VaultBuilder},
    window::Window,
};
use super::{
    files::{self, FileError},
    wipe,
};
use crate::domain::{ids::CopyId, secret::Secret};

/// Instructions of SQLite's machine between two looks at the deadline: some tens of microseconds.
const STEPS_A_LOOK: i32 = 1_000;
/// Bytes of a page. Each is encrypted and authenticated by itself, which costs less for longer ones.
const PAGE_BYTES: u32 = 16 << 10;

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
    /// The system starts no further thread.
    #[error("'{path}': cannot start a thread: {source}")]
    Thread {
        /// The vault.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The time for which it was opened is over.
    #[error("'{path}': the time for which it was opened is over")]
    Over {
        /// The vault.
        path: PathBuf,
    },
    /// More records than can be put in the order of a list.
    #[error("more records have the values of the list than are put in its order at once")]
    TooMany,
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
        // Nothing else interrupts a statement here.
        Some(rusqlite::ErrorCode::OperationInterrupted) => VaultError::Over { path },
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
    /// Whether look-ups go by it: it gets a table of its keys, in order.
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

/// The column that holds an item.
fn column_name(item: &str) -> String {
    quoted(&format!("c_{item}"))
}

/// The table that holds the values of an item with the numbers of their records, in blocks in the order of the
/// values.
fn key_table(item: &str) -> String {
    quoted(&format!("key_{item}"))
}

fn unlock(connection: &Connection, key: &Secret) -> rusqlite::Result<()> {
    // The raw-key form: the 32 bytes are the page key, no passphrase is stretched. The statement is the only place
    // where the key is text; it is overwritten at once.
    let hex = zeroize::Zeroizing::new(data_encoding::HEXLOWER.encode(key.expose()));
    let statement = zeroize::Zeroizing::new(format!("PRAGMA key = \"x'{}'\";", *hex));
    connection.execute_batch(&statement)?;
    connection.execute_batch(&format!(
        "PRAGMA cipher_page_size = {PAGE_BYTES}; PRAGMA cipher_memory_security = ON; PRAGMA temp_store = MEMORY; \
         PRAGMA trusted_schema = OFF;"
    ))
}

/// Removes what a load that was given up had begun: a file of ciphertext under its temporary name, and under its own
/// name where the stop came after the rename and before the outcome.
///
/// # Errors
/// It could not be removed.
pub fn abandon(dir: &Path, copy: CopyId) -> Result<(), VaultError> {
    let path = path_of(dir, copy);
    wipe::discard(&files::part_of(&path))?;
    Ok(wipe::discard(&path)?)
}

/// A vault that is read. SQLCipher overwrites its key when this is dropped.
pub struct Vault {
    connection: Connection,
    path: PathBuf,
    window: Window,
    /// Tables of keys, with the parts that each has.
    keys: BTreeMap<String, Vec<i64>>,
}

impl Vault {
    /// Opens the vault of a copy, to be read within a window.
    ///
    /// # Errors
    /// It is not there, the key is another's, or the window is over.
    pub fn open(
        dir: &Path,
        copy: CopyId,
        key: &Secret,
        window: Window,
    ) -> Result<Self, VaultError> {
        Self::open_file(&path_of(dir, copy), key, window)
    }

    fn open_file(path: &Path, key: &Secret, window: Window) -> Result<Self, VaultError> {
        let failed = |source| error(path, source);
        if window.is_over() {
            return Err(VaultError::Over { path: path.to_owned() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection
            .progress_handler(STEPS_A_LOOK, Some(move || window.is_over()))
            .map_err(failed)?;
        unlock(&connection, key).map_err(failed)?;
        for (setting, on) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        ] {
            connection.set_db_config(setting, on).map_err(failed)?;
        }
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).map_err(failed)?;
        let keys = tables(&connection).map_err(failed)?;
        connection.authorizer(Some(|context: AuthContext<'_>| judged(&context))).map_err(failed)?;
        Ok(Self { connection, path: path.to_owned(), window, keys })
    }

    /// Between rows and blocks: whoever takes them may take long, and few steps of a statement lie between them.
    fn in_time(&self) -> Result<(), VaultError> {
        match self.window.is_over() {
            true => Err(VaultError::Over { path: self.path.clone() }),
            false => Ok(()),
        }
    }

    fn failed(&self, source: rusqlite::Error) -> VaultError {
        error(&self.path, source)
    }

    /// Rows.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn count(&self) -> Result<u64, VaultError> {
        self.number("SELECT count(*) FROM record")
    }

    /// Keys of an item that look-ups go by.
    fn count_keys(&self, item: &str) -> Result<u64, VaultError> {
        self.number(&format!("SELECT COALESCE(sum(count), 0) FROM {}", key_table(item)))
    }

    fn number(&self, sql: &str) -> Result<u64, VaultError> {
        self.connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .map_err(|source| self.failed(source))
    }

    /// Calls `each` with the number of every record that has this value of an item that look-ups go by.
    fn find(&self, item: &str, value: &str, each: &mut dyn FnMut(u64)) -> Result<(), VaultError> {
        let failed = |source| self.failed(source);
        let table = key_table(item);
        // In the order of their last keys: the first blocks that could hold the key, and no more.
        let sql = format!(
            "SELECT first, packed FROM {table} WHERE part = ? AND last >= ? ORDER BY part, last"
        );
        let mut blocks = self.connection.prepare_cached(&sql).map_err(failed)?;
        for part in self.keys.get(&table).into_iter().flatten() {
            let mut rows = blocks.query((part, value)).map_err(failed)?;
            while let Some(row) = rows.next().map_err(failed)? {
                self.in_time()?;
                let first = row.get_ref(0).and_then(|cell| Ok(cell.as_str()?)).map_err(failed)?;
                if first > value {
                    break;
                }
                let packed = row.get_ref(1).and_then(|cell| Ok(cell.as_blob()?));
                keys::find(packed.map_err(failed)?, value, each);
            }
        }
        Ok(())
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
        let mut terms: Vec<String> =
            conditions.iter().map(|(name, _)| format!("{} = ?", column_name(name))).collect();
        let found = self.found(conditions)?;
        if found.is_some() {
            terms.push("number = ?".to_owned());
        }
        let terms = if terms.is_empty() { vec!["TRUE".to_owned()] } else { terms };
        let records = Self::records(columns);
        let sql = format!("{records} WHERE {} ORDER BY number", terms.join(" AND "));
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        for (n, (_, value)) in conditions.iter().enumerate() {
            statement.raw_bind_parameter(n + 1, value.as_str()).map_err(failed)?;
        }
        let Some(found) = found else {
            self.each_row(statement.raw_query(), columns.len(), each)?;
            return Ok(());
        };
        for number in found {
            statement
                .raw_bind_parameter(conditions.len() + 1, number.cast_signed())
                .map_err(failed)?;
            if !self.each_row(statement.raw_query(), columns.len(), each)? {
                break;
            }
        }
        Ok(())
    }

    /// What is selected of records: number, whether it removes, values.
    fn records(columns: &[String]) -> String {
        let wanted: Vec<String> = columns.iter().map(|name| column_name(name)).collect();
        let wanted = wanted.join(", ");
        format!("SELECT number, number IN (SELECT number FROM removal), {wanted} FROM record")
    }

    /// The records, in order, that the first condition with a key leaves; none where no condition has one.
    fn found(&self, conditions: &[(String, String)]) -> Result<Option<Vec<u64>>, VaultError> {
        let Some((item, value)) =
            conditions.iter().find(|(item, _)| self.keys.contains_key(&key_table(item)))
        else {
            return Ok(None);
        };
        let mut found = Vec::new();
        self.find(item, value, &mut |number| found.push(number))?;
        found.sort_unstable();
        Ok(Some(found))
    }

    /// Whether to go on.
    fn each_row(
        &self,
        mut rows: Rows<'_>,
        columns: usize,
        each: &mut dyn FnMut(u64, bool, &[String]) -> bool,
    ) -> Result<bool, VaultError> {
        let failed = |source| self.failed(source);
        let mut values = vec![String::new(); columns];
        while let Some(row) = rows.next().map_err(failed)? {
            self.in_time()?;
            for (n, value) in values.iter_mut().enumerate() {
                value.clear();
                let cell = row.get_ref(n + 2).and_then(|cell| Ok(cell.as_str()?));
                value.push_str(cell.map_err(failed)?);
            }
            let number: i64 = row.get(0).map_err(failed)?;
            if !each(number.cast_unsigned(), row.get(1).map_err(failed)?, &values) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Calls `each` with number and key of the records that remove.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn removed(&self, key: &str, each: &mut dyn FnMut(u64, &str)) -> Result<(), VaultError> {
        let failed = |source| self.failed(source);
        let sql =
            format!("SELECT number, {} FROM removal JOIN record USING (number)", column_name(key));
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            self.in_time()?;
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
        if self.keys.contains_key(&key_table(key)) {
            let mut found = false;
            self.find(key, value, &mut |_| found = true)?;
            return Ok(found);
        }
        let sql = format!("SELECT 1 FROM record WHERE {} = ? LIMIT 1", column_name(key));
        let mut statement =
            self.connection.prepare_cached(&sql).map_err(|source| self.failed(source))?;
        statement.exists([value]).map_err(|source| self.failed(source))
    }
}

/// What statements may do once a vault is open: read its own tables. No ATTACH, no PRAGMA, no temporary table, no
/// trigger, no virtual table, no writing, no functions but what counts need.
fn judged(context: &AuthContext<'_>) -> Authorization {
    let own = |table: &str| table == "record" || table == "removal" || table.starts_with("key_");
    // A count reads no column, and then no database is named; nothing but the vault's own is there to be meant.
    let main = context.database_name.is_none_or(|name| name == "main");
    match context.action {
        AuthAction::Select => Authorization::Allow,
        AuthAction::Read { table_name, .. } if main && own(table_name) => Authorization::Allow,
        AuthAction::Function { function_name: "count" | "coalesce" | "sum" } => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

/// The tables of keys, as they stand in a statement, with their parts.
fn tables(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Vec<i64>>> {
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'key_*'")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut tables = BTreeMap::new();
    for name in names {
        let table = quoted(&name?);
        let mut parts = connection.prepare(&format!("SELECT DISTINCT part FROM {table}"))?;
        let parts: rusqlite::Result<Vec<i64>> = parts.query_map([], |row| row.get(0))?.collect();
        tables.insert(table, parts?);
    }
    Ok(tables)
}

#[cfg(test)]
mod tests;
