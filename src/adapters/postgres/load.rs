//! One load: a table of its own, filled, keyed, counted, made a partition and told of in one transaction.
//!
//! A stop anywhere before the commit leaves nothing, for the server rolls back; one after it leaves the whole table with
//! its row in `batchward.vault`. A load that is done again finds that row, copies nothing, and holds what it would have
//! copied against the digest of what is there. No statistics of values are kept: they would outlive the table.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::CopyInSink;

use super::{
    DatabaseError, Place, Result, SCHEMA, Session, column,
    encode::{Encoder, Form},
    number, quoted,
    sealed::{self, Cipher},
    table, table_name,
};
use crate::{
    adapters::fault,
    domain::{
        digest::Digest,
        ids::CopyId,
        limits::{DATABASE_BUILD_SECONDS, DATABASE_COPY_SECONDS},
        secret::Secret,
    },
};

/// Bytes of an item's name that make a column's name of the length that PostgreSQL keeps.
const ITEM_BYTES_MAX: usize = 61;

/// A load that is under way.
pub struct Loader {
    place: Place,
    session: Session,
    copy: CopyId,
    shape: Shape,
    encoder: Encoder,
    to: To,
}

/// What a table has.
struct Shape {
    /// Items in order, and whether look-ups go by them.
    items: Vec<(String, bool)>,
    /// The salt of a load whose rows are sealed.
    salt: Option<Vec<u8>>,
}

enum To {
    Table(Pin<Box<CopyInSink<Bytes>>>),
    /// It was committed before.
    There(Marker),
}

struct Marker {
    records: u64,
    bytes: u64,
    digest: String,
    salt: Option<Vec<u8>>,
}

/// A load that is whole, and not committed.
pub struct Loaded {
    place: Place,
    /// None where it was committed before.
    session: Option<Session>,
    copy: CopyId,
    /// Rows, as the database counts them.
    pub rows: u64,
    /// Bytes of the table with its indexes.
    pub bytes: u64,
    marker: String,
}

impl Loader {
    /// Begins a load; `key` is the batch's own. Rows are sealed under it, or lie in plain where that was accepted.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing was changed.
    pub fn begin(
        place: &Place,
        copy: CopyId,
        key: &Secret,
        items: &[(String, bool)],
        plain: bool,
    ) -> Result<Self> {
        if items.is_empty() || items.iter().any(|(item, _)| item.len() > ITEM_BYTES_MAX) {
            return Err(DatabaseError::Value {
                what: "an item has no name that a column can have",
            });
        }
        let session = place.open()?;
        super::wipe::still(&session, copy)?;
        let before = there(&session, copy, items)?.filter(|m| m.salt.is_none() == plain);
        let salt = match &before {
            Some(marker) => marker.salt.clone(),
            None if plain => None,
            None => Some(sealed::salt()?),
        };
        let form = match &salt {
            None => Form::Plain,
            Some(salt) => Form::Sealed {
                cipher: Box::new(Cipher::new(number(copy), key, salt)?),
                key: items.iter().position(|(_, key)| *key),
            },
        };
        let shape = Shape { items: items.to_vec(), salt };
        let encoder = Encoder::new(number(copy), items.len(), key, form)?;
        let to = match before {
            Some(marker) => To::There(marker),
            None => {
                super::wipe::make_way(&session, copy)?;
                To::Table(create(&session, copy, &shape)?)
            }
        };
        Ok(Self { place: place.clone(), session, copy, shape, encoder, to })
    }

    /// One record.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing will be there.
    pub fn insert(&mut self, number: u64, removed: bool, values: &[String]) -> Result<()> {
        match (self.encoder.row(number, removed, values)?, &mut self.to) {
            (Some(piece), To::Table(sink)) => {
                self.session.wait_long("copy rows", DATABASE_COPY_SECONDS, sink.feed(piece))
            }
            _ => Ok(()),
        }
    }

    /// Keys the table and counts its rows anew. It is committed by [`Loaded::commit`] only.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing will be there.
    pub fn seal(self) -> Result<Loaded> {
        let Self { place, session, copy, shape, encoder, to } = self;
        let (last, digest, rows) = encoder.end();
        let mut sink = match to {
            To::Table(sink) => sink,
            To::There(marker) => {
                if (marker.records, marker.digest) != (rows, digest.to_string()) {
                    let what = format!("{copy} was loaded before, with other rows");
                    return Err(DatabaseError::Differs { what });
                }
                let bytes = marker.bytes;
                return Ok(Loaded {
                    place,
                    session: None,
                    copy,
                    rows,
                    bytes,
                    marker: String::new(),
                });
            }
        };
        let copied = session.wait_long("copy rows", DATABASE_COPY_SECONDS, async {
            sink.as_mut().feed(last).await?;
            sink.as_mut().finish().await
        })?;
        session.run_long("key the table", DATABASE_BUILD_SECONDS, &keys(copy, &shape))?;
        let ask = format!("SELECT count(*), pg_total_relation_size('{}') FROM {0}", table(copy));
        let counted = session.wait_long(
            "count the rows",
            DATABASE_BUILD_SECONDS,
            session.client.query_one(&ask, &[]),
        )?;
        let found = counted.get::<_, i64>(0).cast_unsigned();
        let bytes = counted.get::<_, i64>(1).cast_unsigned();
        if (copied, found) != (rows, rows) {
            let what = format!("{rows} rows were sent, {copied} taken and {found} found");
            return Err(DatabaseError::Differs { what });
        }
        let marker = marker(copy, &shape, rows, bytes, digest);
        Ok(Loaded { place, session: Some(session), copy, rows, bytes, marker })
    }
}

impl Loaded {
    /// Makes the table a partition, and commits everything. Durable.
    ///
    /// # Errors
    /// [`DatabaseError`]; whether it is there is found out where the connection broke meanwhile, and where that cannot
    /// be found out now, the load that is done again does.
    pub fn commit(self) -> Result<()> {
        let Some(session) = self.session else { return Ok(()) };
        let write = fault::Write::begin("database-load");
        session.run("make the table a partition", &self.marker)?;
        write.middle();
        let done = session.wait_long(
            "commit the load",
            DATABASE_COPY_SECONDS,
            session.client.batch_execute("COMMIT"),
        );
        if let Err(error) = done {
            drop(session);
            // The answer is lost, not the commit: who asks again is told by the row, once its transaction has ended.
            let again = self.place.open()?;
            super::wipe::still(&again, self.copy)?;
            let ask =
                "SELECT EXISTS (SELECT FROM batchward.vault WHERE copy = $1 AND dropped IS NULL)";
            let copy = number(self.copy);
            let asked = again.wait("look for the load", again.client.query_one(ask, &[&copy]))?;
            if !asked.get::<_, bool>(0) {
                return Err(error);
            }
        }
        write.end();
        Ok(())
    }
}

/// What a load that was committed before says of itself, where it had the same columns.
fn there(session: &Session, copy: CopyId, items: &[(String, bool)]) -> Result<Option<Marker>> {
    let ask = "SELECT columns, records, bytes, digest, dropped IS NOT NULL, salt FROM batchward.vault WHERE copy = $1";
    let found =
        session.wait("look for the load", session.client.query_opt(ask, &[&number(copy)]))?;
    let Some(row) = found else { return Ok(None) };
    if row.get(4) {
        return Err(DatabaseError::Differs { what: format!("{copy} was destroyed there") });
    }
    let columns: Vec<String> = row.get(0);
    let same = columns.iter().eq(items.iter().map(|(item, _)| item));
    Ok(same.then(|| Marker {
        records: row.get::<_, i64>(1).cast_unsigned(),
        bytes: row.get::<_, i64>(2).cast_unsigned(),
        digest: row.get(3),
        salt: row.get(5),
    }))
}

impl Shape {
    /// The table that batches of this shape are partitions of.
    fn parent(&self) -> String {
        if self.salt.is_some() {
            return format!("{SCHEMA}.records_sealed");
        }
        let names: Vec<&str> = self.items.iter().map(|(item, _)| item.as_str()).collect();
        let digest = Digest::of(names.join("\n").as_bytes()).to_string();
        format!("{SCHEMA}.{}", quoted(&format!("records_{}", digest.get(..16).unwrap_or_default())))
    }

    /// The columns that hold values.
    fn held(&self) -> Vec<String> {
        match self.salt {
            Some(_) => ["mark", "sealed"].map(str::to_owned).to_vec(),
            None => self.items.iter().map(|(item, _)| column(item)).collect(),
        }
    }

    fn columns(&self) -> String {
        let of = if self.salt.is_some() { "bytea" } else { "text COLLATE pg_catalog.\"C\"" };
        let typed: Vec<String> =
            self.held().iter().map(|name| format!("{name} {of} NOT NULL")).collect();
        format!("number bigint NOT NULL, removed boolean NOT NULL, {}", typed.join(", "))
    }

    /// The item that sealed rows are marked by.
    fn marked(&self) -> Option<&str> {
        self.salt.as_ref()?;
        self.items.iter().find(|(_, key)| *key).map(|(item, _)| item.as_str())
    }

    /// The columns that look-ups go by.
    fn keys(&self) -> Vec<String> {
        let keys = self.items.iter().filter(|(_, key)| *key);
        match self.salt {
            Some(_) => keys.take(1).map(|_| "mark".to_owned()).collect(),
            None => keys.map(|(item, _)| column(item)).collect(),
        }
    }
}

fn create(session: &Session, copy: CopyId, shape: &Shape) -> Result<Pin<Box<CopyInSink<Bytes>>>> {
    let (parent, table, columns) = (shape.parent(), table(copy), shape.columns());
    let write = fault::Write::begin("database-table");
    // It holds no row ever, and two loads that begin at once want the same one.
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {parent} (copy bigint NOT NULL, {columns}) PARTITION BY LIST (copy)"
    );
    let make = || session.run("make the table of the columns", &sql);
    match make() {
        // The other one made it between our look and our making: now it is there.
        Err(DatabaseError::Refused { .. }) => make()?,
        other => other?,
    }
    write.middle();
    let mut begin = format!(
        "BEGIN; SET LOCAL statement_timeout = '{DATABASE_BUILD_SECONDS}s'; \
         CREATE TABLE {table} (copy bigint NOT NULL CHECK (copy = {}), {columns}) \
         WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off);",
        number(copy)
    );
    for held in shape.held() {
        begin.push_str(&format!("ALTER TABLE {table} ALTER COLUMN {held} SET STATISTICS 0;"));
        if shape.salt.is_some() {
            // Nothing makes ciphertext shorter.
            begin.push_str(&format!(
                "ALTER TABLE {table} ALTER COLUMN {held} SET STORAGE EXTERNAL;"
            ));
        }
    }
    session.run("make the table of the batch", &begin)?;
    let copying = format!("COPY {table} FROM STDIN (FORMAT binary, FREEZE)");
    let sink = session.wait("begin to copy", session.client.copy_in(&copying))?;
    write.end();
    Ok(Box::pin(sink))
}

/// Sorting in one process and in memory, as far as that goes: what does not fit goes through temporary files.
fn keys(copy: CopyId, shape: &Shape) -> String {
    let (table, name) = (table(copy), table_name(copy));
    let mut sql = format!(
        "SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL max_parallel_maintenance_workers = 0; \
         ALTER TABLE {table} ADD CONSTRAINT {} PRIMARY KEY (number);",
        quoted(&format!("{name}_number"))
    );
    for (n, key) in shape.keys().into_iter().enumerate() {
        let index = quoted(&format!("{name}_key_{n}"));
        sql.push_str(&format!("CREATE INDEX {index} ON {table} ({key}, number);"));
    }
    sql
}

/// The statements that make the load count.
fn marker(copy: CopyId, shape: &Shape, rows: u64, bytes: u64, digest: Digest) -> String {
    let (parent, table, copy) = (shape.parent(), table(copy), number(copy));
    let literal = |item: &str| format!("'{}'", item.replace('\'', "''"));
    let names: Vec<String> = shape.items.iter().map(|(item, _)| literal(item)).collect();
    let marked = shape.marked().map_or_else(|| "NULL".to_owned(), literal);
    let salt = shape.salt.as_ref().map_or_else(
        || "NULL".to_owned(),
        |salt| format!("'\\x{}'", data_encoding::HEXLOWER.encode(salt)),
    );
    format!(
        "ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES IN ({copy}); \
         INSERT INTO batchward.vault (copy, columns, records, bytes, digest, salt, marked) \
         VALUES ({copy}, ARRAY[{}], {rows}, {bytes}, '{digest}', {salt}, {marked});",
        names.join(", ")
    )
}
