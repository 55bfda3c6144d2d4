//! Reading where rows are under the keys of their batches: the database finds rows by marks, and the rules of the current
//! view are held here, after they are opened.
//!
//! The rules, the order and the deadline are those of [`super::read`]. Marks of one batch say nothing about another, so
//! each piece of rows asks the newer tables for its own keys, by their marks. A table in plain takes part as one whose
//! marks are the values themselves: a full file from before and sealed change files after it are one view.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Row, types::ToSql};

use super::{
    DatabaseError, Result, column, number,
    read::{Asked, DEADLINE, Reading},
    sealed::Cipher,
    table,
};
use crate::{
    adapters::firsts::Firsts,
    domain::limits::{
        DATABASE_FETCH_ROWS, DATABASE_LIST_VALUES, DATABASE_MARK_SAMPLE, LISTED_PLACES_MAX,
    },
};

/// How tables are read: rows by number or by mark, each from its index.
const PLAN: &str = "SET LOCAL enable_sort = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
    SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashagg = off; SET LOCAL enable_seqscan = off";

/// A table that takes part.
struct Shelf {
    table: String,
    items: Vec<String>,
    /// Which item is the key of the view.
    key: Option<usize>,
    /// None where it lies in plain.
    cipher: Option<Cipher>,
}

/// What a load says of itself: its items, the salt of one that is sealed, and what its rows are marked by.
type Told = (Vec<String>, Option<Vec<u8>>, Option<String>);

/// A record, opened.
struct Found {
    number: u64,
    removed: bool,
    values: Vec<String>,
}

/// Which records of a table.
enum Which<'a> {
    All,
    /// Those with these keys; each key once.
    Keys(&'a BTreeSet<&'a str>),
    /// Those of these numbers.
    Numbers(&'a [i64]),
}

/// A reading over such tables.
pub(super) struct Merge<'a> {
    reading: &'a Reading<'a>,
    asked: &'a Asked<'a>,
    /// Oldest first.
    shelves: Vec<Shelf>,
}

impl<'a> Merge<'a> {
    /// Takes the reading over where a table has its rows under a key; `None` where all lie in plain.
    ///
    /// # Errors
    /// A table is not there, or is not what was put there.
    pub(super) fn over(reading: &'a Reading<'a>, asked: &'a Asked<'a>) -> Result<Option<Self>> {
        let copies: Vec<i64> = asked.vaults.iter().map(|vault| number(vault.copy)).collect();
        let ask = "SELECT copy, columns, salt, marked FROM batchward.vault \
                   WHERE copy = ANY ($1) AND dropped IS NULL";
        let mut told: BTreeMap<i64, Told> = BTreeMap::new();
        for row in reading.ask(ask, &[&copies])? {
            told.insert(row.get(0), (row.get(1), row.get(2), row.get(3)));
        }
        if told.values().all(|(_, salt, _)| salt.is_none()) {
            return Ok(None);
        }
        let mut shelves = Vec::with_capacity(asked.vaults.len());
        for vault in asked.vaults {
            let copy = number(vault.copy);
            let (items, salt, marked) = told.remove(&copy).ok_or_else(|| {
                DatabaseError::Differs { what: format!("{} is not there", vault.copy) }
            })?;
            let cipher = salt.map(|salt| Cipher::new(copy, vault.key, &salt)).transpose()?;
            let key = asked.key.and_then(|key| items.iter().position(|item| item == key));
            let mut shelf = Shelf { table: table(vault.copy), items, key, cipher };
            if !shelf.is_marked_by_key(reading, marked.as_deref())? {
                // One batch as it is can be read through; what replaces what, only marks tell.
                if !asked.single {
                    let key = asked.key.unwrap_or_default().to_owned();
                    return Err(DatabaseError::OtherMark { copy: vault.copy, key });
                }
                shelf.key = None;
            }
            shelves.push(shelf);
        }
        Ok(Some(Self { reading, asked, shelves }))
    }

    /// Calls `each` with the rows, as [`Asked::read`] says.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub(super) fn all(&self, each: &mut dyn FnMut(&[String]) -> bool) -> Result<()> {
        self.reading.plan(PLAN)?;
        if let Some(listed) = self.asked.listed() {
            for part in self.asked.sets.chunks(DATABASE_LIST_VALUES) {
                let values: Vec<&str> = part.iter().flatten().map(|(_, v)| v.as_str()).collect();
                let by_key = self.shelves.iter().all(|shelf| shelf.key.is_some());
                let on = match by_key && self.asked.key == Some(listed) {
                    true => self.list_of_keys(&values, each)?,
                    false => self.list(listed, &values, each)?,
                };
                if !on {
                    break;
                }
            }
            return Ok(());
        }
        for set in self.asked.sets {
            for at in 0..self.shelves.len() {
                if !self.one(at, set, each)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// One table under one set of conditions, in record order.
    fn one(
        &self,
        at: usize,
        set: &[(String, String)],
        each: &mut dyn FnMut(&[String]) -> bool,
    ) -> Result<bool> {
        let Some(shelf) = self.shelves.get(at) else { return Ok(true) };
        let by_key: BTreeSet<&str> = set
            .iter()
            .filter(|(name, _)| self.asked.key == Some(name.as_str()) && shelf.key.is_some())
            .map(|(_, value)| value.as_str())
            .collect();
        let which = if by_key.is_empty() { Which::All } else { Which::Keys(&by_key) };
        let wanted = shelf.columns(self.asked.columns)?;
        let conditions = shelf.conditions(set)?;
        let met = |one: &Found| conditions.iter().all(|(at, value)| one.values[*at] == *value);
        self.pieces(at, &which, &mut |mut found| {
            // Those of a key have come whole, and say themselves what became of it.
            if matches!(which, Which::Keys(_)) {
                found = self.current_of_keys(at, found)?;
                found.retain(met);
            } else {
                found.retain(met);
                found = self.current(at, found)?;
            }
            Ok(found.iter().all(|one| each(&one.shown(&wanted))))
        })
    }

    /// A list of keys, in the order of the list.
    fn list_of_keys(
        &self,
        values: &[&str],
        each: &mut dyn FnMut(&[String]) -> bool,
    ) -> Result<bool> {
        let keys: BTreeSet<&str> = values.iter().copied().collect();
        let mut met: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for (at, shelf) in self.shelves.iter().enumerate() {
            let (wanted, Some(key)) = (shelf.columns(self.asked.columns)?, shelf.key) else {
                continue;
            };
            self.pieces(at, &Which::Keys(&keys), &mut |found| {
                for one in self.current_of_keys(at, found)? {
                    let rows = met.entry(one.values[key].clone()).or_default();
                    rows.push(one.shown(&wanted));
                }
                Ok(true)
            })?;
        }
        let mut rows = values.iter().filter_map(|value| met.get(*value)).flatten();
        Ok(rows.all(|row| each(row)))
    }

    /// A list of values of another column: the tables are read once for their places, and the rows fetched by these.
    fn list(
        &self,
        on: &str,
        values: &[&str],
        each: &mut dyn FnMut(&[String]) -> bool,
    ) -> Result<bool> {
        let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, value) in values.iter().enumerate() {
            listed.entry(value).or_insert(place);
        }
        let mut places = Firsts::new(LISTED_PLACES_MAX);
        for (at, shelf) in self.shelves.iter().enumerate() {
            let column = shelf.place_of(on)?;
            self.pieces(at, &Which::All, &mut |found| {
                let met = |one: &Found| listed.contains_key(one.values[column].as_str());
                let found = found.into_iter().filter(met).collect();
                for one in self.current(at, found)? {
                    if let Some(place) = listed.get(one.values[column].as_str()) {
                        places.push((*place, at, one.number.cast_signed()));
                    }
                }
                Ok(true)
            })?;
        }
        let (places, cut) = places.in_order();
        for run in places.chunk_by(|one, next| (one.0, one.1) == (next.0, next.1)) {
            let Some((_, at, _)) = run.first() else { continue };
            let Some(shelf) = self.shelves.get(*at) else { continue };
            let wanted = shelf.columns(self.asked.columns)?;
            for piece in run.chunks(DATABASE_FETCH_ROWS.unsigned_abs() as usize) {
                let numbers: Vec<i64> = piece.iter().map(|(_, _, number)| *number).collect();
                let on = self.pieces(*at, &Which::Numbers(&numbers), &mut |found| {
                    Ok(found.iter().all(|one| each(&one.shown(&wanted))))
                })?;
                if !on {
                    return Ok(false);
                }
            }
        }
        // Who takes the rows wanted more than were kept: what is left out is never left out in silence.
        if cut { Err(DatabaseError::TooMany) } else { Ok(true) }
    }

    /// Calls `take` with the records of a table in pieces, each piece in record order; records by key in one piece.
    fn pieces(
        &self,
        at: usize,
        which: &Which<'_>,
        take: &mut dyn FnMut(Vec<Found>) -> Result<bool>,
    ) -> Result<bool> {
        let Some(shelf) = self.shelves.get(at) else { return Ok(true) };
        let held = shelf.held();
        let opened = |rows: &[Row]| rows.iter().map(|row| shelf.opened(row)).collect::<Result<_>>();
        let select =
            format!("SELECT r.number, r.removed, {held} FROM {} r WHERE {DEADLINE}", shelf.table);
        match which {
            Which::All => {
                let sql = format!("{select} ORDER BY r.number");
                self.reading.pieces(&sql, &[], &mut |rows| take(opened(rows)?))
            }
            Which::Numbers(numbers) => {
                let sql = format!("{select} AND r.number = ANY ($2) ORDER BY r.number");
                self.reading.pieces(&sql, &[numbers], &mut |rows| take(opened(rows)?))
            }
            Which::Keys(keys) => {
                let marks = shelf.marks(keys.iter().copied());
                let sql = format!("{select} AND r.{} = ANY ($2)", shelf.mark_column());
                let mut found: Vec<Found> = Vec::new();
                self.reading.pieces(&sql, &[&*marks], &mut |rows| {
                    found.append(&mut opened(rows)?);
                    Ok(true)
                })?;
                found.sort_by_key(|one| one.number);
                take(found)
            }
        }
    }

    /// Those of them that the current view has: not removed, not replaced by a newer table, and not taken away by a later
    /// record of their own. Blank keys never merge.
    fn current(&self, at: usize, found: Vec<Found>) -> Result<Vec<Found>> {
        self.remaining(at, found, None)
    }

    /// The same where all records of each key are there: what removes is among them, and is not asked for again.
    fn current_of_keys(&self, at: usize, found: Vec<Found>) -> Result<Vec<Found>> {
        let key = self.shelves.get(at).and_then(|shelf| shelf.key);
        let mut removed: BTreeMap<String, u64> = BTreeMap::new();
        for one in found.iter().filter(|one| one.removed) {
            let Some(value) = key.and_then(|key| one.values.get(key)) else { continue };
            let last = removed.entry(value.clone()).or_default();
            *last = one.number.max(*last);
        }
        self.remaining(at, found, Some(removed))
    }

    /// `removed` are the keys that a record of the table itself takes away, with the last such record, where they are known.
    fn remaining(
        &self,
        at: usize,
        mut found: Vec<Found>,
        removed: Option<BTreeMap<String, u64>>,
    ) -> Result<Vec<Found>> {
        if self.asked.single {
            return Ok(found);
        }
        found.retain(|one| !one.removed);
        let key = |shelf: &Shelf, one: &Found| Some(one.values.get(shelf.key?)?.clone());
        let Some((shelf, newer)) = self.shelves.get(at..).and_then(<[Shelf]>::split_first) else {
            return Ok(found);
        };
        if self.asked.key.is_none() || found.is_empty() {
            return Ok(found);
        }
        let keys: BTreeSet<String> =
            found.iter().filter_map(|one| key(shelf, one)).filter(|key| !is_blank(key)).collect();
        let mut gone = match removed {
            Some(mut removed) => {
                removed.retain(|key, _| !is_blank(key));
                removed
            }
            None => self.removed(shelf, &keys)?,
        };
        for shelf in newer {
            gone.extend(
                self.named(shelf, &keys, false)?.into_iter().map(|(key, _)| (key, u64::MAX)),
            );
        }
        found.retain(|one| {
            let by = key(shelf, one).and_then(|key| gone.get(&key).copied());
            by.is_none_or(|last| last < one.number)
        });
        Ok(found)
    }

    /// Which of these keys a table itself takes away, with the last record that does.
    fn removed(&self, shelf: &Shelf, keys: &BTreeSet<String>) -> Result<BTreeMap<String, u64>> {
        let mut removed: BTreeMap<String, u64> = BTreeMap::new();
        for (value, number) in self.named(shelf, keys, true)? {
            let last = removed.entry(value).or_default();
            *last = number.max(*last);
        }
        Ok(removed)
    }

    /// Which of these keys a table names, with the numbers of the records; of those that remove only, where asked.
    fn named(
        &self,
        shelf: &Shelf,
        keys: &BTreeSet<String>,
        removing: bool,
    ) -> Result<Vec<(String, u64)>> {
        if keys.is_empty() || shelf.key.is_none() {
            return Ok(Vec::new());
        }
        let by_mark: BTreeMap<Vec<u8>, &String> =
            keys.iter().map(|key| (shelf.mark(key), key)).collect();
        let marks = shelf.marks(keys.iter().map(String::as_str));
        let column = shelf.mark_column();
        let removed = if removing { " AND r.removed" } else { "" };
        let sql = format!(
            "SELECT r.number, {} FROM {} r WHERE {DEADLINE} AND r.{column} = ANY ($2){removed}",
            shelf.mark_bytes(),
            shelf.table
        );
        let mut named = Vec::new();
        self.reading.pieces(&sql, &[&*marks], &mut |rows| {
            for row in rows {
                let mark: Vec<u8> = row.get(1);
                if let Some(key) = by_mark.get(&mark) {
                    named.push(((*key).clone(), row.get::<_, i64>(0).cast_unsigned()));
                }
            }
            Ok(true)
        })?;
        Ok(named)
    }
}

impl Shelf {
    /// Whether rows are found by the key of the view: those in plain are by any item. A load of before tables said what their
    /// rows are marked by shows it in its first records.
    fn is_marked_by_key(&self, reading: &Reading<'_>, marked: Option<&str>) -> Result<bool> {
        let (Some(cipher), Some(key)) = (&self.cipher, self.key) else { return Ok(true) };
        if let Some(marked) = marked {
            return Ok(self.items.get(key).is_some_and(|item| item == marked));
        }
        let sql = format!(
            "SELECT r.number, r.removed, r.sealed, r.mark FROM {} r ORDER BY r.number LIMIT {DATABASE_MARK_SAMPLE}",
            self.table
        );
        for row in reading.ask(&sql, &[])? {
            let found = self.opened(&row)?;
            let mark: Vec<u8> = row.get(3);
            if found.values.get(key).is_none_or(|value| cipher.mark(value) != mark) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn place_of(&self, item: &str) -> Result<usize> {
        self.items
            .iter()
            .position(|one| one == item)
            .ok_or_else(|| DatabaseError::Differs { what: format!("a table has no '{item}'") })
    }

    fn columns(&self, items: &[String]) -> Result<Vec<usize>> {
        items.iter().map(|item| self.place_of(item)).collect()
    }

    fn conditions<'s>(&self, set: &'s [(String, String)]) -> Result<Vec<(usize, &'s str)>> {
        set.iter().map(|(name, value)| Ok((self.place_of(name)?, value.as_str()))).collect()
    }

    /// What is selected of a record.
    fn held(&self) -> String {
        match self.cipher {
            Some(_) => "r.sealed".to_owned(),
            None => {
                let columns: Vec<_> =
                    self.items.iter().map(|item| format!("r.{}", column(item))).collect();
                columns.join(", ")
            }
        }
    }

    fn opened(&self, row: &Row) -> Result<Found> {
        let differs = |_| DatabaseError::Differs { what: "a column is not what it was".to_owned() };
        let number: i64 = row.try_get(0).map_err(differs)?;
        let (number, removed) = (number.cast_unsigned(), row.try_get(1).map_err(differs)?);
        let values = match &self.cipher {
            Some(cipher) => {
                let sealed = row.try_get(2).map_err(differs)?;
                cipher.open(number, removed, sealed, self.items.len())?
            }
            None => {
                let cell = |at| row.try_get(at + 2).map_err(differs);
                (0..self.items.len()).map(cell).collect::<Result<_>>()?
            }
        };
        Ok(Found { number, removed, values })
    }

    /// The column that look-ups go by.
    fn mark_column(&self) -> String {
        let key = self.key.and_then(|key| self.items.get(key));
        match (&self.cipher, key) {
            (None, Some(key)) => column(key),
            _ => "mark".to_owned(),
        }
    }

    /// That column as bytes.
    fn mark_bytes(&self) -> String {
        match self.cipher {
            Some(_) => "r.mark".to_owned(),
            None => format!("pg_catalog.convert_to(r.{}, 'UTF8')", self.mark_column()),
        }
    }

    fn mark(&self, key: &str) -> Vec<u8> {
        self.cipher.as_ref().map_or_else(|| key.as_bytes().to_vec(), |cipher| cipher.mark(key))
    }

    /// Keys as a parameter that the column is compared with.
    fn marks<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Box<dyn ToSql + Sync> {
        match &self.cipher {
            Some(cipher) => Box::new(keys.map(|key| cipher.mark(key)).collect::<Vec<_>>()),
            None => Box::new(keys.map(str::to_owned).collect::<Vec<_>>()),
        }
    }
}

impl Found {
    fn shown(&self, wanted: &[usize]) -> Vec<String> {
        wanted.iter().filter_map(|at| self.values.get(*at)).cloned().collect()
    }
}

/// U+0020 and U+3000 are what records are filled with.
fn is_blank(key: &str) -> bool {
    key.trim_matches([' ', '\u{3000}']).is_empty()
}
