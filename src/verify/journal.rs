//! Verification of the journal beside the published files: entries in place, the kept tree made of them, each signed
//! checkpoint of the past still true of them. The first checkpoint that is not true names the first bad entry.
//!
//! The journal is read in short pieces, so that an agent that runs meanwhile is not kept from writing; it only ever
//! grows, so a size that was read once stays a bound. A damaged database is reported, as far as it can be read.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::{Report, form::Form};
use crate::domain::{
    checkpoint::{Checkpoint, VerifierKey},
    digest::Digest,
    merkle::{self, Frontier},
    time::Timestamp,
};

/// Entries that are read under one lock.
const CHUNK: u64 = 256;

/// The tree's nodes that the entries of a piece complete, and the checkpoints at them, read in a few queries: a query for
/// each node takes longer than everything else together.
struct Ahead {
    /// By level: the first place, and the nodes from there on.
    levels: Vec<(u64, Vec<Option<[u8; 32]>>)>,
    notes: BTreeMap<u64, String>,
}

impl Ahead {
    fn read(held: &Connection, from: u64, to: u64) -> rusqlite::Result<Self> {
        let mut nodes = held.prepare_cached(
            "SELECT idx, hash FROM node WHERE log = 0 AND level = ?1 AND idx >= ?2 AND idx < ?3",
        )?;
        let mut levels = Vec::new();
        for level in 0..u64::BITS {
            let (first, end) = (from >> level, to >> level);
            if first == end {
                break;
            }
            let mut found = vec![None; usize::try_from(end - first).unwrap_or(0)];
            let places = [i64::from(level), first.cast_signed(), end.cast_signed()];
            let mut rows = nodes.query(places)?;
            while let Some(row) = rows.next()? {
                let at = row.get::<_, i64>(0)?.cast_unsigned() - first;
                let hash = row.get_ref(1)?.as_blob()?.try_into().ok();
                if let Some(place) = usize::try_from(at).ok().and_then(|at| found.get_mut(at)) {
                    *place = hash;
                }
            }
            levels.push((first, found));
        }
        let mut notes = held.prepare_cached(
            "SELECT size, note FROM checkpoint WHERE log = 0 AND size > ?1 AND size <= ?2",
        )?;
        let notes = notes
            .query_map([from.cast_signed(), to.cast_signed()], |row| {
                Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { levels, notes })
    }

    fn node(&self, level: u8, index: u64) -> Option<&[u8; 32]> {
        let (first, nodes) = self.levels.get(usize::from(level))?;
        nodes.get(usize::try_from(index.checked_sub(*first)?).ok()?)?.as_ref()
    }
}

/// Checks the register in the journal; adds to the report.
pub(super) fn check(
    path: &Path,
    key: &VerifierKey,
    published: Option<&Checkpoint>,
    leaves: &[Option<Digest>],
    report: &mut Report,
) {
    let mut walk = Walk {
        path,
        key,
        published,
        leaves,
        report,
        frontier: Frontier::new(),
        signed: 0,
        torn: false,
        last: None,
    };
    if let Err(error) = walk.run() {
        let at = walk.frontier.size();
        let told = tell(path, &error);
        match error.sqlite_error_code() {
            // Nothing is wrong with any entry: it could not be read just now.
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::PermissionDenied,
            ) => walk.report.problem(told),
            _ => walk.report.bad(at, format!("{told}; it can be read up to entry {at}")),
        }
    }
}

fn tell(path: &Path, error: &rusqlite::Error) -> String {
    let path = path.display();
    if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) {
        return format!(
            "'{path}': a write was under way when the agent stopped; start it once, then verify again"
        );
    }
    format!("'{path}': {error}")
}

struct Walk<'a> {
    path: &'a Path,
    key: &'a VerifierKey,
    published: Option<&'a Checkpoint>,
    leaves: &'a [Option<Digest>],
    report: &'a mut Report,
    frontier: Frontier,
    /// Size of the newest checkpoint that held.
    signed: u64,
    /// A checkpoint did not hold: all later roots are wrong with it.
    torn: bool,
    last: Option<Timestamp>,
}

impl Walk<'_> {
    fn run(&mut self) -> rusqlite::Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.path, flags)?;
        connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
        // One statement: both as of the same moment.
        let ends = connection.query_row(
            "SELECT (SELECT MAX(size) FROM checkpoint WHERE log = 0),
                    (SELECT MAX(seq) + 1 FROM entry WHERE log = 0)",
            [],
            |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?)),
        )?;
        let [told, size] = [ends.0, ends.1].map(|n| n.unwrap_or(0).max(0).cast_unsigned());
        while self.frontier.size() < size {
            let from = self.frontier.size();
            if !self.piece(&connection, from, size.min(from + CHUNK))? {
                return Ok(());
            }
        }
        self.ends(told);
        Ok(())
    }

    /// The entries `from..to`. False where one is missing, after which places mean nothing.
    fn piece(&mut self, connection: &Connection, from: u64, to: u64) -> rusqlite::Result<bool> {
        let held = connection.unchecked_transaction()?;
        let range = [from.cast_signed(), to.cast_signed()];
        let mut entries = held.prepare_cached(
            "SELECT seq, bytes FROM entry WHERE log = 0 AND seq >= ?1 AND seq < ?2 ORDER BY seq",
        )?;
        // What cannot be read in one go is read piece by piece, so that it is known up to where.
        let ahead = Ahead::read(&held, from, to).ok();
        let mut note =
            held.prepare_cached("SELECT note FROM checkpoint WHERE log = 0 AND size = ?1")?;
        let mut rows = entries.query(range)?;
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)?.cast_unsigned();
            if seq != self.frontier.size() {
                break;
            }
            let bytes = row.get_ref(1)?.as_blob()?;
            self.entry(&held, ahead.as_ref(), seq, bytes)?;
            let size = self.frontier.size();
            let text = match &ahead {
                Some(ahead) => ahead.notes.get(&size).cloned(),
                None => note.query_row([size.cast_signed()], |row| row.get(0)).optional()?,
            };
            if let Some(text) = text {
                self.judge(size, &text);
            }
            let published = self.published.filter(|published| published.size == size);
            if published.is_some_and(|published| published.root != self.frontier.root())
                && !self.torn
            {
                self.report.problem(format!(
                    "the published checkpoint of {size} entries is not that of the journal"
                ));
            }
        }
        let missing = self.frontier.size();
        if missing < to {
            self.report.bad(missing, format!("entry {missing} is missing from the journal"));
        }
        Ok(missing == to)
    }

    fn entry(
        &mut self,
        held: &Connection,
        ahead: Option<&Ahead>,
        seq: u64,
        bytes: &[u8],
    ) -> rusqlite::Result<()> {
        let leaf = merkle::leaf_hash(bytes);
        let published =
            usize::try_from(seq).ok().and_then(|n| self.leaves.get(n)).copied().flatten();
        if published.is_some_and(|published| published != leaf) {
            self.report
                .bad(seq, format!("entry {seq} of the journal is not the one that was published"));
        }
        if published.is_none() {
            Form::of(self.key.name()).check(seq, bytes, &mut self.last, self.report);
        }
        let mut node =
            held.prepare_cached("SELECT hash FROM node WHERE log = 0 AND level = ?1 AND idx = ?2")?;
        let mut whole = true;
        for (level, index, hash) in self.frontier.append(leaf) {
            let place = [i64::from(level), index.cast_signed()];
            whole &= match ahead {
                Some(ahead) => ahead.node(level, index) == Some(hash.as_bytes()),
                None => {
                    let kept: Option<Vec<u8>> =
                        node.query_row(place, |row| row.get(0)).optional()?;
                    kept.as_deref() == Some(hash.as_bytes().as_slice())
                }
            };
        }
        if !whole && !self.torn {
            self.report.bad(seq, format!("the tree in the journal is not made of entry {seq}"));
        }
        Ok(())
    }

    /// A checkpoint that was signed when the log had this size.
    fn judge(&mut self, size: u64, text: &str) {
        let since = self.signed;
        match self.key.open(text) {
            Ok(checkpoint)
                if checkpoint.size == size && checkpoint.root == self.frontier.root() =>
            {
                self.signed = size;
            }
            // A genuine one of another size was put here: it says nothing of the entries.
            Ok(checkpoint) if checkpoint.size != size => self.report.problem(format!(
                "in place of the checkpoint of {size} entries stands that of {}",
                checkpoint.size
            )),
            Ok(_) => {
                self.signed = size;
                // Everything after the first is under a wrong root too; the first one names the entry.
                if !std::mem::replace(&mut self.torn, true) {
                    self.tear(since, size);
                }
            }
            Err(error) => {
                self.report.problem(format!("the checkpoint of {size} entries: {error}"));
            }
        }
    }

    /// The entries `since..size` hold a bad one, which need not be the first of them.
    fn tear(&mut self, since: u64, size: u64) {
        let range = if since + 1 == size {
            format!("entry {since} is")
        } else {
            format!("one of the entries {since} to {} is", size - 1)
        };
        self.report.suspect(since..size, format!("{range} not what was signed"));
    }

    /// Where journal, its checkpoints and the published files end.
    fn ends(&mut self, told: u64) {
        let size = self.frontier.size();
        let signed = self.signed;
        if signed < size {
            self.report.bad(
                signed,
                format!("the entries from {signed} on are under no signed checkpoint"),
            );
        }
        let published = self.published.map_or(0, |published| published.size);
        if told.max(published) > size {
            self.report
                .bad(size, format!("the journal ends at entry {size}, before what was signed"));
        }
        if published < size && self.published.is_some() {
            self.report.notes.push(format!(
                "the published files end at entry {published}, the journal at {size}: the agent publishes the \
                 rest when it starts"
            ));
        }
    }
}
