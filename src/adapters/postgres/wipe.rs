//! Ending a table: whoever reads it is cut off, it is detached and dropped, and what that does not reach is told.
//!
//! A drop deletes. It overwrites nothing, and neither the write-ahead log nor replicas nor backups know of it: the facts
//! say what there is of these. What was found before stands in the row of `batchward.vault`, written by the transaction
//! that drops, so that a repeat after a stop tells the same.

use serde::{Deserialize, Serialize};

use super::{DatabaseError, Place, Result, Session, number, quoted, table};
use crate::{adapters::fault, domain::ids::CopyId};

/// What a drop found and did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Bytes of the table with its indexes, before.
    pub bytes: u64,
    /// Sessions that were ended because they had it open.
    pub ended: u64,
    /// Replicas and replication slots that there were.
    pub replicas: i64,
    /// Whether the write-ahead log is archived.
    pub archived: bool,
    /// The server's version.
    pub version: String,
    /// Whether its rows were under the key of their batch.
    #[serde(default)]
    pub sealed: bool,
    /// Its files, below the server's own folder.
    files: Vec<String>,
    /// Whether every one of them is gone, or has no bytes any more; nothing where that cannot be seen.
    #[serde(skip)]
    pub gone: Option<bool>,
}

/// Drops the table of a copy. Nothing where there was none.
///
/// # Errors
/// [`DatabaseError`]; it is there whole, or gone.
pub(super) fn drop_table(place: &Place, copy: CopyId) -> Result<Option<Dropped>> {
    let session = place.open()?;
    let ask = "SELECT dropped FROM batchward.vault WHERE copy = $1";
    let found =
        session.wait("look for the table", session.client.query_opt(ask, &[&number(copy)]))?;
    let Some(row) = found else { return Ok(None) };
    let before: Option<String> = row.get(0);
    let mut dropped = match before {
        // It was given up before it was ever told of as a vault: there is nothing to destroy.
        Some(note) if note == GIVEN_UP => return Ok(None),
        Some(note) => serde_json::from_str(&note).map_err(|_| DatabaseError::Differs {
            what: format!("what was noted of the end of {copy} cannot be read"),
        })?,
        None => session.end_table(copy)?,
    };
    session.verify_gone(copy, &mut dropped)?;
    Ok(Some(dropped))
}

/// What stands in the place of a drop's note where the load was given up.
const GIVEN_UP: &str = "given up";

/// A row under the copy's number that says it was given up. Where another transaction has written that number and has not
/// ended, this waits for its end: a commit whose answer was lost may still be on its way to the disk.
fn tombstone(copy: CopyId) -> String {
    format!(
        "INSERT INTO batchward.vault (copy, columns, records, bytes, digest, dropped_at, dropped) \
         VALUES ({}, '{{}}', 0, 0, '{}', clock_timestamp(), '{GIVEN_UP}') ON CONFLICT (copy) DO NOTHING",
        number(copy),
        "0".repeat(64)
    )
}

/// Waits until no transaction is under way that could still make this load be there. What is seen after it stays so.
///
/// # Errors
/// [`DatabaseError::Busy`] where it has not ended in time.
pub(super) fn still(session: &Session, copy: CopyId) -> Result<()> {
    let sql = format!("BEGIN; {}; ROLLBACK", tombstone(copy));
    session.run("wait for the load of before", &sql)
}

/// Takes away what a load that was given up had committed, and keeps it from being committed later: the row that says it
/// was given up stays, and a second one of its number there cannot be.
///
/// # Errors
/// [`DatabaseError`]; whether anything of it is there, or will be, is not known.
pub(super) fn abandon(place: &Place, copy: CopyId) -> Result<()> {
    let session = place.open()?;
    let write = fault::Write::begin("database-abandon");
    session.run("give the load up", &format!("BEGIN; {}", tombstone(copy)))?;
    let sql = format!(
        "{} UPDATE batchward.vault SET dropped_at = clock_timestamp(), dropped = '{GIVEN_UP}' \
         WHERE copy = {} AND dropped IS NULL",
        session.removal(copy)?,
        number(copy)
    );
    session.run("take back the load", &sql)?;
    write.middle();
    session.run("commit what was taken back", "COMMIT")?;
    write.end();
    Ok(())
}

/// Takes away a load of the same copy with other columns, for the one that takes its place.
pub(super) fn make_way(session: &Session, copy: CopyId) -> Result<()> {
    let sql = format!(
        "BEGIN; {} DELETE FROM batchward.vault WHERE copy = {} AND dropped IS NULL; COMMIT",
        session.removal(copy)?,
        number(copy)
    );
    session.run("take back the load", &sql)
}

impl Session {
    /// The statements that detach and drop.
    fn removal(&self, copy: CopyId) -> Result<String> {
        let ask = "SELECT p.relname::text FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent \
            WHERE i.inhrelid = to_regclass($1)";
        let found = self.wait("look for the table", self.client.query_opt(ask, &[&table(copy)]))?;
        let detach = found.map_or_else(String::new, |row| {
            let parent = quoted(row.get(0));
            format!("ALTER TABLE batchward.{parent} DETACH PARTITION {};", table(copy))
        });
        Ok(format!("{detach} DROP TABLE IF EXISTS {};", table(copy)))
    }

    fn end_table(&self, copy: CopyId) -> Result<Dropped> {
        const ABOUT: &str = "SELECT coalesce(pg_total_relation_size(to_regclass($1)), 0), \
            (SELECT count(*) FROM pg_stat_replication) + (SELECT count(*) FROM pg_replication_slots), \
            current_setting('archive_mode') <> 'off', current_setting('server_version'), \
            coalesce((SELECT salt IS NOT NULL FROM batchward.vault WHERE copy = $2), false), \
            coalesce((SELECT array_agg(pg_relation_filepath(c.oid)) FROM pg_class c \
              WHERE c.oid = to_regclass($1) \
                 OR c.oid IN (SELECT reltoastrelid FROM pg_class WHERE oid = to_regclass($1)) \
                 OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = to_regclass($1))), '{}')";
        // Only sessions of this same role can be ended by it; who else reads keeps the drop waiting, and is told.
        const END: &str = "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a \
            WHERE a.usename = session_user AND a.pid <> pg_backend_pid() AND a.pid IN \
              (SELECT l.pid FROM pg_locks l WHERE l.relation = to_regclass($1))";
        let name = table(copy);
        let about =
            self.wait("look at the table", self.client.query_one(ABOUT, &[&name, &number(copy)]))?;
        let ended = self.wait("end who reads it", self.client.query_one(END, &[&name]))?;
        let dropped = Dropped {
            bytes: about.get::<_, i64>(0).cast_unsigned(),
            ended: ended.get::<_, i64>(0).cast_unsigned(),
            replicas: about.get(1),
            archived: about.get(2),
            version: about.get(3),
            sealed: about.get(4),
            files: about.get(5),
            gone: None,
        };
        let note = serde_json::to_string(&dropped)
            .map_err(|error| DatabaseError::Differs { what: error.to_string() })?;
        let write = fault::Write::begin("database-drop");
        self.run("drop the table", &format!("BEGIN; {}", self.removal(copy)?))?;
        let keep = "UPDATE batchward.vault SET dropped_at = clock_timestamp(), dropped = $2 WHERE copy = $1";
        self.wait("note the drop", self.client.execute(keep, &[&number(copy), &note]))?;
        write.middle();
        self.run("commit the drop", "COMMIT")?;
        write.end();
        Ok(dropped)
    }

    /// Looks once more, from outside of the transaction: the name must be gone, and the files.
    fn verify_gone(&self, copy: CopyId, dropped: &mut Dropped) -> Result<()> {
        let ask = "SELECT to_regclass($1) IS NULL";
        let row = self.wait("look for the table", self.client.query_one(ask, &[&table(copy)]))?;
        if !row.get::<_, bool>(0) {
            return Err(DatabaseError::Differs {
                what: format!("{copy} was dropped, and is there"),
            });
        }
        let ask = "SELECT coalesce(bool_and(coalesce((pg_stat_file(f, true)).size, 0) = 0), true) \
            FROM unnest($1::text[]) f";
        let seen = self.wait("look for the files", self.client.query_one(ask, &[&dropped.files]));
        dropped.gone = match seen {
            Ok(row) => Some(row.get(0)),
            // The right to look was not given, or taken.
            Err(DatabaseError::Refused { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(())
    }
}

impl Place {
    /// Drops the table of a copy. Nothing where there was none.
    ///
    /// # Errors
    /// [`DatabaseError`]; it is there whole, or gone.
    pub fn drop_table(&self, copy: CopyId) -> Result<Option<Dropped>> {
        drop_table(self, copy)
    }

    /// Takes away what a load that was given up had committed, and keeps it from being committed later.
    ///
    /// # Errors
    /// [`DatabaseError`]; whether anything of it is there, or will be, is not known.
    pub fn abandon(&self, copy: CopyId) -> Result<()> {
        abandon(self, copy)
    }
}
