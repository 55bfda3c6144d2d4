//! Building a vault: rows go to a thread of its own, which does nothing but insert them.
//!
//! Whoever decodes the next rows does not wait while SQLCipher encrypts the last ones. Rows travel in batches through
//! a channel of bounded length, in buffers that are used again and overwritten in the end. The first error of the
//! thread is the builder's error; nothing is in its place then. Every write that the crash tests can stop is made by
//! the caller's thread, in a fixed order.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::{Builder, JoinHandle},
};

use rusqlite::{Connection, OpenFlags, Statement};
use zeroize::Zeroizing;

use super::{
    super::{
        fault,
        files::{self, FileError},
        wipe,
    },
    Column, Vault, VaultError, Window, column_name, error, key_table,
    keys::{Block, Keys},
    path_of, quoted, unlock,
};
use crate::domain::{ids::CopyId, secret::Secret};

/// Batches that wait for the thread at most.
const AHEAD: usize = 4;
/// Bytes of text in a batch; a longer row is a batch of its own.
const TEXT_BYTES: usize = 1 << 16;
/// Rows of a batch.
const ROWS: usize = 1 << 10;
/// A vault that is being built.
pub struct VaultBuilder {
    path: PathBuf,
    part: PathBuf,
    columns: usize,
    keys: Vec<KeyColumn>,
    batch: Batch,
    filler: Filler,
    rows: u64,
}

/// A column that look-ups go by.
struct KeyColumn {
    /// Its place among the values.
    place: usize,
    name: String,
    keys: Keys,
    /// How often its keys have been taken out.
    part: u32,
}

impl VaultBuilder {
    /// Begins a vault, from scratch: what an earlier attempt left under the temporary name is wiped.
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
        if columns.is_empty() {
            return Err(VaultError::Column { path });
        }
        let part = files::part_of(&path);
        wipe::discard(&part)?;
        let write = fault::Write::begin("vault-create");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |source| error(&part, source);
        let connection = Connection::open_with_flags(&part, flags).map_err(failed)?;
        unlock(&connection, key).map_err(failed)?;
        write.middle();
        let keys: Vec<KeyColumn> = (0..)
            .zip(columns)
            .filter(|(_, column)| column.key)
            .map(|(place, column)| KeyColumn {
                place,
                name: column.name.clone(),
                keys: Keys::new(),
                part: 0,
            })
            .collect();
        connection.execute_batch(&schema(columns, &keys)).map_err(failed)?;
        write.end();
        let filler = Filler::start(connection, columns.len(), &keys)
            .map_err(|source| VaultError::Thread { path: path.clone(), source })?;
        let batch = Batch::new();
        Ok(Self { path, part, columns: columns.len(), keys, batch, filler, rows: 0 })
    }

    /// One record.
    ///
    /// # Errors
    /// It, or one before it, cannot be written.
    pub fn insert(
        &mut self,
        number: u64,
        removed: bool,
        values: &[String],
    ) -> Result<(), VaultError> {
        if values.len() != self.columns {
            return Err(VaultError::Column { path: self.part.clone() });
        }
        let bytes = values.iter().map(String::len).sum();
        if !self.batch.has_room(bytes) {
            self.send()?;
            self.batch.begin(bytes);
        }
        self.batch.add(number, removed, values);
        self.rows += 1;
        for at in 0..self.keys.len() {
            let Some(column) = self.keys.get_mut(at) else { continue };
            column.keys.push(values.get(column.place).map_or("", String::as_str), number);
            if column.keys.is_full() {
                self.put_keys(at)?;
            }
        }
        Ok(())
    }

    /// The keys of one column, in order.
    fn put_keys(&mut self, at: usize) -> Result<(), VaultError> {
        let Self { keys, filler, part, .. } = self;
        let Some(column) = keys.get_mut(at) else { return Ok(()) };
        let number = column.part;
        column.part += 1;
        let mut send = |block| filler.put(Work::Keys { column: at, part: number, block });
        column.keys.drain(&mut send).map_err(|source| error(part, source))
    }

    fn send(&mut self) -> Result<(), VaultError> {
        if self.batch.numbers.is_empty() {
            return Ok(());
        }
        let next = self.filler.empty();
        let full = std::mem::replace(&mut self.batch, next);
        self.filler.put(Work::Rows(full)).map_err(|source| error(&self.part, source))
    }

    /// Writes the keys, syncs, counts again through a new connection. The file keeps its temporary name.
    ///
    /// # Errors
    /// It is not whole.
    pub fn seal(mut self, key: &Secret) -> Result<SealedVault, VaultError> {
        self.send()?;
        for at in 0..self.keys.len() {
            self.put_keys(at)?;
        }
        let Self { path, part, keys, filler, rows, .. } = self;
        let write = fault::Write::begin("vault-commit");
        let failed = |source| error(&part, source);
        let connection = filler.finish().map_err(failed)?;
        connection.execute_batch("COMMIT;").map_err(failed)?;
        write.middle();
        connection.close().map_err(|(_, source)| failed(source))?;
        let file = files::open_regular(&part)?;
        // What counts reads the file while it is being synced; both must have gone well.
        let (synced, counted) = std::thread::scope(|scope| {
            let counts = scope.spawn(|| count(&part, key, &keys, rows));
            let synced = sync(&file, &part);
            (synced, counts.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        synced?;
        write.end();
        counted?;
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

fn sync(file: &File, part: &Path) -> Result<(), FileError> {
    file.sync_all().map_err(|source| FileError::Io { doing: "sync", path: part.to_owned(), source })
}

/// Every record and every key must be there, in what a reader opens.
fn count(part: &Path, key: &Secret, keys: &[KeyColumn], rows: u64) -> Result<(), VaultError> {
    let vault = Vault::open_file(part, key, Window::OWN)?;
    let mut counts = vec![vault.count()?];
    for column in keys {
        counts.push(vault.count_keys(&column.name)?);
    }
    match counts.into_iter().find(|found| *found != rows) {
        Some(found) => Err(VaultError::Count { path: part.to_owned(), inserted: rows, found }),
        None => Ok(()),
    }
}

fn schema(columns: &[Column], keys: &[KeyColumn]) -> String {
    let typed: Vec<String> =
        columns.iter().map(|c| format!("{} TEXT NOT NULL", column_name(&c.name))).collect();
    let keys: Vec<String> = keys
        .iter()
        .map(|k| {
            let (table, index) = (key_table(&k.name), quoted(&format!("last_{}", k.name)));
            format!(
                "CREATE TABLE {table} (part INTEGER NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, \
                 count INTEGER NOT NULL, packed BLOB NOT NULL); CREATE INDEX {index} ON {table} (part, last);"
            )
        })
        .collect();
    // No journal and no syncs while it is built: a stop anywhere means to begin again from the spool.
    format!(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; \
         CREATE TABLE record (number INTEGER PRIMARY KEY, {}); \
         CREATE TABLE removal (number INTEGER PRIMARY KEY); {} BEGIN;",
        typed.join(", "),
        keys.concat()
    )
}

/// What the thread inserts.
enum Work {
    Rows(Batch),
    Keys { column: usize, part: u32, block: Block },
}

/// Rows on their way to the thread.
struct Batch {
    numbers: Vec<u64>,
    removed: Vec<u64>,
    text: Zeroizing<String>,
    /// Ends of the values in `text`.
    ends: Vec<usize>,
}

impl Batch {
    fn new() -> Self {
        Self {
            numbers: Vec::with_capacity(ROWS),
            removed: Vec::new(),
            text: Zeroizing::new(String::with_capacity(TEXT_BYTES)),
            ends: Vec::new(),
        }
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.numbers.len() < ROWS && self.text.len() + bytes <= self.text.capacity()
    }

    /// Empties it. A text never grows beyond what it has: one that moves leaves what it held behind.
    fn begin(&mut self, bytes: usize) {
        self.numbers.clear();
        self.removed.clear();
        self.ends.clear();
        self.text.clear();
        if self.text.capacity() < bytes {
            self.text = Zeroizing::new(String::with_capacity(bytes));
        }
    }

    fn add(&mut self, number: u64, removed: bool, values: &[String]) {
        self.numbers.push(number);
        if removed {
            self.removed.push(number);
        }
        for value in values {
            self.text.push_str(value);
            self.ends.push(self.text.len());
        }
    }
}

/// The thread that inserts.
struct Filler {
    /// None once the last work was sent.
    work: Option<SyncSender<Work>>,
    spent: Receiver<Batch>,
    thread: Option<JoinHandle<rusqlite::Result<Connection>>>,
}

impl Filler {
    fn start(connection: Connection, columns: usize, keys: &[KeyColumn]) -> std::io::Result<Self> {
        let (work, todo) = sync_channel(AHEAD);
        let (give_back, spent) = channel();
        let marks = vec!["?"; columns + 1].join(", ");
        let record = format!("INSERT INTO record VALUES ({marks})");
        let block =
            |k: &KeyColumn| format!("INSERT INTO {} VALUES (?, ?, ?, ?, ?)", key_table(&k.name));
        let blocks: Vec<String> = keys.iter().map(block).collect();
        let thread = Builder::new()
            .name("vault".to_owned())
            .spawn(move || fill(connection, &record, &blocks, &todo, &give_back))?;
        Ok(Self { work: Some(work), spent, thread: Some(thread) })
    }

    /// A batch that can be filled.
    fn empty(&self) -> Batch {
        self.spent.try_recv().unwrap_or_else(|_| Batch::new())
    }

    fn put(&mut self, work: Work) -> rusqlite::Result<()> {
        if self.work.as_ref().is_some_and(|to| to.send(work).is_ok()) {
            return Ok(());
        }
        // The thread takes nothing more: it has ended, with an error.
        self.join()?;
        Err(rusqlite::Error::InvalidQuery)
    }

    /// Waits until everything is inserted.
    fn finish(mut self) -> rusqlite::Result<Connection> {
        self.join()?.ok_or(rusqlite::Error::InvalidQuery)
    }

    fn join(&mut self) -> rusqlite::Result<Option<Connection>> {
        self.work = None;
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(None),
            Some(Ok(ended)) => ended.map(Some),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        self.work = None;
        // Given up: the file is not touched any more once this returns.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn fill(
    connection: Connection,
    record: &str,
    blocks: &[String],
    todo: &Receiver<Work>,
    spent: &Sender<Batch>,
) -> rusqlite::Result<Connection> {
    {
        let mut record = connection.prepare(record)?;
        let mut removal = connection.prepare("INSERT INTO removal VALUES (?)")?;
        let mut blocks =
            blocks.iter().map(|b| connection.prepare(b)).collect::<rusqlite::Result<Vec<_>>>()?;
        for work in todo {
            match work {
                Work::Rows(batch) => {
                    insert(&batch, &mut record)?;
                    for number in &batch.removed {
                        removal.execute([number.cast_signed()])?;
                    }
                    // Nobody waits for it once the builder is at its end.
                    let _ = spent.send(batch);
                }
                Work::Keys { column, part, block } => {
                    let Some(statement) = blocks.get_mut(column) else { continue };
                    let Block { first, last, packed, count } = &block;
                    let count = count.cast_signed();
                    statement.execute((
                        part,
                        first.as_str(),
                        last.as_str(),
                        count,
                        packed.as_slice(),
                    ))?;
                }
            }
        }
    }
    Ok(connection)
}

fn insert(batch: &Batch, record: &mut Statement<'_>) -> rusqlite::Result<()> {
    let width = batch.ends.len() / batch.numbers.len().max(1);
    let (mut from, mut ends) = (0, batch.ends.iter());
    for number in &batch.numbers {
        record.raw_bind_parameter(1, number.cast_signed())?;
        for (n, to) in ends.by_ref().take(width).enumerate() {
            record.raw_bind_parameter(n + 2, batch.text.get(from..*to).unwrap_or_default())?;
            from = *to;
        }
        record.raw_execute()?;
    }
    Ok(())
}
