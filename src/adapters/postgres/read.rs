//! Reading: the current view over the tables of batches, or one of them, as a stream of bounded pieces.
//!
//! The rules are those of `adapters/vault_view.rs`, said in SQL: for each key the newest records, a removed key not at
//! all. Rows come in the same order. The deadline holds three times over: each row is held against the database's own
//! clock, where an end raises an error and never shortens a result; each fetch has a time limit there; and whoever takes
//! the rows says when to stop. Sorting stays in memory: results are taken from indexes in their order, and lists are
//! asked for in parts.

use std::{
    fmt::Write as _,
    time::{Duration, Instant, SystemTime},
};

use tokio::runtime::Runtime;
use tokio_postgres::{Row, Transaction, types::ToSql};

use super::{DatabaseError, Place, Result, Session, column, merge::Merge, session::within, table};
use crate::domain::{
    ids::CopyId,
    limits::{
        DATABASE_FETCH_ROWS, DATABASE_LIST_VALUES, DATABASE_READ_SECONDS,
        DATABASE_STATEMENT_SECONDS,
    },
    secret::Secret,
};

/// The longest time that a reading can be given: longer ones end with the process anyway.
const REMAINING_SECONDS_MAX: u64 = 7 * 86_400;

/// A vault that is read.
#[derive(Clone, Copy)]
pub struct Lying<'a> {
    /// The copy.
    pub copy: CopyId,
    /// The key of its batch, which rows may be sealed under.
    pub key: &'a Secret,
}

/// A vault that takes part: its table, and the newer ones that its records may be replaced in.
struct Part<'a> {
    copy: CopyId,
    newer: &'a [Lying<'a>],
}

/// What every statement that reads rows holds them against: its first parameter is the deadline.
pub(super) const DEADLINE: &str =
    "CASE WHEN pg_catalog.clock_timestamp() < $1 THEN true ELSE batchward.expired() END";

/// What is read.
pub struct Asked<'a> {
    /// The vaults, oldest first.
    pub vaults: &'a [Lying<'a>],
    /// The key column; none where every record stands for itself.
    pub key: Option<&'a str>,
    /// Columns wanted.
    pub columns: &'a [String],
    /// Sets of conditions, one after the other; all conditions of a set hold.
    pub sets: &'a [Vec<(String, String)>],
    /// Whether removed records are shown too: one batch as it is.
    pub single: bool,
    /// How long rows may come from now on.
    pub remaining: Duration,
}

impl Asked<'_> {
    /// Calls `each` with the rows; `each` returns whether to go on.
    ///
    /// # Errors
    /// [`DatabaseError`], [`DatabaseError::Over`] where the time ended meanwhile.
    pub fn read(&self, place: &Place, each: &mut dyn FnMut(&[String]) -> bool) -> Result<()> {
        // What connecting takes is not added to the time.
        let since = Instant::now();
        let mut session = place.open()?;
        session.read(self, since, each)
    }

    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let newer = |n: usize| self.vaults.get(n + 1..).unwrap_or_default();
        let of = move |(n, vault): (usize, &Lying<'_>)| Part { copy: vault.copy, newer: newer(n) };
        self.vaults.iter().enumerate().map(of)
    }

    /// The column that a list is about, where the sets are one: each the same column and one value.
    pub(super) fn listed(&self) -> Option<&str> {
        let ([(column, _)], [_, _, ..]) = (self.sets.first()?.as_slice(), self.sets) else {
            return None;
        };
        let same =
            |set: &Vec<(String, String)>| matches!(set.as_slice(), [(one, _)] if one == column);
        self.sets.iter().all(same).then_some(column)
    }

    fn wanted(&self) -> String {
        let columns: Vec<String> =
            self.columns.iter().map(|c| format!("r.{}", column(c))).collect();
        columns.join(", ")
    }

    /// What keeps a record from being shown beside the conditions, and the deadline.
    fn rules(&self, part: &Part<'_>) -> String {
        let mut sql = String::new();
        if !self.single {
            sql.push_str("NOT r.removed AND ");
        }
        if let Some(key) = self.key.filter(|_| !self.single) {
            let key = column(key);
            let own = table(part.copy);
            // Blank keys are no keys: U+0020 and U+3000 are what records are filled with.
            let _ = write!(
                sql,
                "(btrim(r.{key}, U&' \\3000') = '' OR NOT EXISTS (SELECT FROM {own} x WHERE x.{key} = r.{key} \
                 AND x.number >= r.number AND x.removed)"
            );
            for newer in part.newer {
                let newer = table(newer.copy);
                let _ =
                    write!(sql, " AND NOT EXISTS (SELECT FROM {newer} x WHERE x.{key} = r.{key})");
            }
            sql.push_str(") AND ");
        }
        sql.push_str(DEADLINE);
        sql
    }

    /// One vault under one set of conditions, in record order.
    fn one(&self, part: &Part<'_>, set: &[(String, String)]) -> String {
        let mut sql = format!("SELECT {} FROM {} r WHERE ", self.wanted(), table(part.copy));
        for (n, (name, _)) in set.iter().enumerate() {
            let _ = write!(sql, "r.{} = ${} AND ", column(name), n + 2);
        }
        let _ = write!(sql, "{} ORDER BY r.number", self.rules(part));
        sql
    }

    /// All vaults under a list of values, each once, in the order of the list. With an index each value is looked up;
    /// without one the table is read once, and its values are looked up in the list.
    fn list(&self, on: &str) -> String {
        let by_key = self.key == Some(on);
        let on = column(on);
        let of = |(n, part): (usize, Part<'_>)| {
            let (wanted, table, rules) = (self.wanted(), table(part.copy), self.rules(&part));
            let (place, list) = match by_key {
                true => (
                    "l.ord".to_owned(),
                    format!(
                        "unnest($2::text[]) WITH ORDINALITY AS l(value, ord) JOIN {table} r ON r.{on} = l.value WHERE"
                    ),
                ),
                false => (
                    format!("array_position($2::text[], r.{on})"),
                    format!("{table} r WHERE r.{on} = ANY ($2::text[]) AND"),
                ),
            };
            format!(
                "SELECT {wanted}, {place} AS list_place, {n} AS vault_place, r.number AS record_number \
                 FROM {list} {rules}"
            )
        };
        let parts: Vec<String> = self.parts().enumerate().map(of).collect();
        format!("{} ORDER BY list_place, vault_place, record_number", parts.join(" UNION ALL "))
    }
}

impl Session {
    fn read(
        &mut self,
        asked: &Asked<'_>,
        since: Instant,
        each: &mut dyn FnMut(&[String]) -> bool,
    ) -> Result<()> {
        let most = Duration::from_secs(REMAINING_SECONDS_MAX);
        let left = || match asked.remaining.saturating_sub(since.elapsed()).min(most) {
            Duration::ZERO => Err(DatabaseError::Over),
            left => Ok(left),
        };
        let remaining = left()?;
        let (client, runtime) = self.split();
        let begin = client.build_transaction().read_only(true).start();
        let transaction = runtime.block_on(short("begin to read", begin))?;
        let limit = remaining.as_millis().min(u128::from(DATABASE_READ_SECONDS) * 1000).max(1);
        let settings = format!(
            "SET LOCAL statement_timeout = {limit}; SET LOCAL work_mem = '64MB'; \
             SET LOCAL cursor_tuple_fraction = 0.01"
        );
        runtime.block_on(short("begin to read", transaction.batch_execute(&settings)))?;
        let ask = transaction.query_one("SELECT clock_timestamp()", &[]);
        let now: SystemTime = runtime.block_on(short("begin to read", ask))?.get(0);
        // Asked after the server's clock was read: the time of the way back is taken off too.
        let (until, columns) = (now + left()?, asked.columns.len());
        let reading = Reading { transaction: &transaction, runtime, until, columns };
        let read = match Merge::over(&reading, asked) {
            Ok(Some(merge)) => merge.all(each),
            Ok(None) => reading.all(asked, each),
            Err(error) => Err(error),
        };
        // The time limit of a statement is the end of the reading, where that is sooner.
        read.or_else(|error| left().and(Err(error)))?;
        // Nothing was changed: what the end says changes nothing.
        let _ = runtime.block_on(short("end the reading", transaction.rollback()));
        Ok(())
    }
}

/// Waits as long as a short statement may take.
async fn short<T>(
    doing: &'static str,
    asked: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
) -> Result<T> {
    let asked = async { asked.await.map_err(|error| DatabaseError::of(doing, &error)) };
    within(doing, DATABASE_STATEMENT_SECONDS, asked).await
}

/// How lists and views are read: without statistics of values the planner would guess. Nested loops over indexes need no
/// room, hashes of a list little.
const BY_KEY: &str = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off; \
    SET LOCAL enable_bitmapscan = off";
const BY_SCAN: &str = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_bitmapscan = off";
const IN_ORDER: &str = "SET LOCAL enable_sort = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
    SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashagg = off";

/// A transaction that reads. Who takes the rows is called outside of the runtime.
pub(super) struct Reading<'a> {
    transaction: &'a Transaction<'a>,
    runtime: &'a Runtime,
    until: SystemTime,
    columns: usize,
}

impl Reading<'_> {
    fn all(&self, asked: &Asked<'_>, each: &mut dyn FnMut(&[String]) -> bool) -> Result<()> {
        if let Some(listed) = asked.listed() {
            // Each value is looked up in the index where there is one, and the table is read once where there is none.
            let by_key = asked.key == Some(listed);
            self.plan(if by_key { BY_KEY } else { BY_SCAN })?;
            let sql = asked.list(listed);
            for part in asked.sets.chunks(DATABASE_LIST_VALUES) {
                let values: Vec<&str> = part.iter().flatten().map(|(_, v)| v.as_str()).collect();
                if !self.rows(&sql, &[&values], each)? {
                    break;
                }
            }
            return Ok(());
        }
        self.plan(IN_ORDER)?;
        for set in asked.sets {
            let values: Vec<&(dyn ToSql + Sync)> =
                set.iter().map(|(_, value)| value as &(dyn ToSql + Sync)).collect();
            for part in asked.parts() {
                if !self.rows(&asked.one(&part, set), &values, each)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    pub(super) fn plan(&self, settings: &str) -> Result<()> {
        self.runtime.block_on(short("begin to read", self.transaction.batch_execute(settings)))
    }

    /// What a short statement answers.
    pub(super) fn ask(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.runtime.block_on(short("look at the table", self.transaction.query(sql, values)))
    }

    /// The rows of one statement, whose first parameter is the deadline. Whether to go on.
    fn rows(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        each: &mut dyn FnMut(&[String]) -> bool,
    ) -> Result<bool> {
        let mut shown = vec![String::new(); self.columns];
        self.pieces(sql, values, &mut |rows| {
            for row in rows {
                fill(row, &mut shown)?;
                if !each(&shown) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// The same in pieces of bounded length. While one is taken, other statements may be asked.
    pub(super) fn pieces(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        take: &mut dyn FnMut(&[Row]) -> Result<bool>,
    ) -> Result<bool> {
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&self.until];
        parameters.extend(values);
        let open = self.transaction.bind(sql, &parameters);
        let portal = self.runtime.block_on(short("begin to read", open))?;
        loop {
            let fetch = async {
                let fetched = self.transaction.query_portal(&portal, DATABASE_FETCH_ROWS).await;
                fetched.map_err(|error| DatabaseError::of("read", &error))
            };
            let rows = self.runtime.block_on(within("read", DATABASE_READ_SECONDS, fetch))?;
            if !take(&rows)? {
                return Ok(false);
            }
            if rows.len() < DATABASE_FETCH_ROWS.unsigned_abs() as usize {
                return Ok(true);
            }
        }
    }
}

fn fill(row: &Row, shown: &mut [String]) -> Result<()> {
    for (n, value) in shown.iter_mut().enumerate() {
        value.clear();
        let cell: &str = row
            .try_get(n)
            .map_err(|_| DatabaseError::Differs { what: "a column is no text".to_owned() })?;
        value.push_str(cell);
    }
    Ok(())
}
