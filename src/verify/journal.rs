//! Verification of the journal beside the published files: entries in place, the kept tree made of them, each signed
//! checkpoint of the past still true of them. The first checkpoint that is not true names the first bad entry.
//!
//! The journal is read in short pieces, so that an agent that runs meanwhile is not kept from writing; it only ever
//! grows, so a size that was read once stays a bound. A damaged database is reported, as far as it can be read.
//! A piece is read and judged by itself, on any thread ([`Source`]); what needs the pieces before it is judged where they
//! are joined ([`Walk`]).

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction};

use super::{
    Report,
    files::Piece as Published,
    form::{Form, Times},
    tree::{self, FULL},
};
use crate::domain::{
    checkpoint::{Checkpoint, NoteError, VerifierKey},
    digest::Digest,
    merkle::{self, Frontier, HashReader, TILE_WIDTH},
};

/// The tree's nodes that the entries of a piece complete, and the checkpoints at them, read in a few queries: a query for
/// each node takes longer than everything else together.
#[derive(Default)]
struct Ahead {
    /// By level: the first place, and the nodes from there on.
    levels: Vec<(u64, Vec<Option<[u8; 32]>>)>,
    notes: BTreeMap<u64, String>,
}

impl Ahead {
    fn read(held: &Connection, log: Stored, from: u64, to: u64) -> rusqlite::Result<Self> {
        let mut nodes = held.prepare_cached(
            "SELECT idx, hash FROM node WHERE log = ?4 AND level = ?1 AND idx >= ?2 AND idx < ?3",
        )?;
        let mut levels = Vec::new();
        for level in 0..u64::BITS {
            let (first, end) = (from >> level, to >> level);
            if first == end {
                break;
            }
            let mut found = vec![None; usize::try_from(end - first).unwrap_or(0)];
            let places = [i64::from(level), first.cast_signed(), end.cast_signed(), log as i64];
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
            "SELECT size, note FROM checkpoint WHERE log = ?3 AND size > ?1 AND size <= ?2",
        )?;
        let notes = notes
            .query_map([from.cast_signed(), to.cast_signed(), log as i64], |row| {
                Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { levels, notes })
    }

    /// Adds what was read of the entries that come next.
    fn join(&mut self, next: Self) {
        for (level, (first, nodes)) in next.levels.into_iter().enumerate() {
            match self.levels.get_mut(level) {
                Some((_, known)) => known.extend(nodes),
                None => self.levels.push((first, nodes)),
            }
        }
        self.notes.extend(next.notes);
    }

    fn node(&self, level: usize, index: u64) -> Option<&[u8; 32]> {
        let (first, nodes) = self.levels.get(level)?;
        nodes.get(usize::try_from(index.checked_sub(*first)?).ok()?)?.as_ref()
    }
}

/// The journal of a live state, as any thread reads it.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) key: &'a VerifierKey,
    pub(super) log: Stored,
}

/// The number of a log in the tables.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stored {
    Register = 0,
    Access = 1,
}

/// Where a journal ends.
#[derive(Clone, Copy, Default)]
pub(super) struct Ends {
    /// Entries that its newest checkpoint says.
    told: u64,
    /// Entries.
    pub(super) size: u64,
}

/// What a piece of the journal holds.
#[derive(Default)]
pub(super) struct Piece {
    /// The nodes over its entries, by level, the leaves first.
    rows: Vec<Vec<Digest>>,
    /// Entries that the kept tree is not made of.
    broken: Vec<u64>,
    /// The kept nodes above the piece that it completes, from level 9 on.
    above: Vec<Option<[u8; 32]>>,
    /// Checkpoints, by size.
    notes: Vec<(u64, Result<Checkpoint, NoteError>)>,
    times: Times,
    /// Why it was not read to its end.
    fault: Option<rusqlite::Error>,
}

impl Source<'_> {
    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.path, flags)?;
        connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
        Ok(connection)
    }

    /// Where it ends.
    pub(super) fn ends(&self) -> rusqlite::Result<Ends> {
        // One statement: both as of the same moment.
        let ends = self.open()?.query_row(
            "SELECT (SELECT MAX(size) FROM checkpoint WHERE log = ?1),
                    (SELECT MAX(seq) + 1 FROM entry WHERE log = ?1)",
            [self.log as i64],
            |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?)),
        )?;
        let [told, size] = [ends.0, ends.1].map(|n| n.unwrap_or(0).max(0).cast_unsigned());
        Ok(Ends { told, size })
    }

    /// The root at `size` by the tree that is kept; nothing where it is shorter or cannot be read.
    pub(super) fn root_at(&self, size: u64) -> Option<Digest> {
        let connection = self.open().ok()?;
        merkle::root_at(size, &Kept { connection: &connection, log: self.log }).ok()
    }

    /// Reads and judges one piece, beside what was published of it. The connection is the thread's own.
    pub(super) fn piece(
        &self,
        connection: &mut Option<Connection>,
        (from, to): (u64, u64),
        published: Option<&Published>,
        report: &mut Report,
    ) -> Piece {
        let mut piece = Piece::default();
        let (mut leaves, mut ahead) = (Vec::new(), Ahead::default());
        let read = || {
            let held = match connection {
                Some(connection) => connection.unchecked_transaction()?,
                none => none.insert(self.open()?).unchecked_transaction()?,
            };
            // What cannot be read in one go is read one by one, so that it is known up to where.
            let whole = Ahead::read(&held, self.log, from, to).ok();
            let one_by_one = whole.is_none();
            ahead = whole.unwrap_or_default();
            let mut each = |seq: u64, bytes: &[u8]| {
                if one_by_one {
                    ahead.join(Ahead::read(&held, self.log, seq, seq + 1)?);
                }
                leaves.push(self.leaf(seq, bytes, published, &mut piece.times, report));
                Ok(())
            };
            entries(&held, self.log, (from, to), &mut each)
        };
        piece.fault = read().err();
        let end = from + leaves.len() as u64;
        piece.rows = tree::rows(leaves);
        piece.broken = broken(from, &piece.rows, &ahead);
        if end == from + TILE_WIDTH {
            let above = ahead.levels.iter().skip(usize::from(FULL) + 1);
            piece.above = above.map(|(_, nodes)| nodes.last().copied().flatten()).collect();
        }
        let notes = ahead.notes.iter().take_while(|(size, _)| **size <= end);
        piece.notes = notes.map(|(size, text)| (*size, self.key.open(text))).collect();
        piece
    }

    /// The leaf of an entry; what was published as the same bytes has been hashed and judged already.
    fn leaf(
        &self,
        seq: u64,
        bytes: &[u8],
        published: Option<&Published>,
        times: &mut Times,
        report: &mut Report,
    ) -> Digest {
        let known = published.and_then(|published| published.entry(seq % TILE_WIDTH));
        if let Some((_, leaf)) = known.filter(|(known, _)| *known == bytes) {
            return leaf;
        }
        if known.is_some() {
            report
                .bad(seq, format!("entry {seq} of the journal is not the one that was published"));
        } else {
            Form::of(self.key.name()).check(seq, bytes, times, report);
        }
        merkle::leaf_hash(bytes)
    }
}

/// The tree that the journal keeps.
struct Kept<'a> {
    connection: &'a Connection,
    log: Stored,
}

impl HashReader for Kept<'_> {
    type Error = rusqlite::Error;

    fn node(&self, level: u8, index: u64) -> rusqlite::Result<Digest> {
        let mut node = self
            .connection
            .prepare_cached("SELECT hash FROM node WHERE log = ?1 AND level = ?2 AND idx = ?3")?;
        let place = [self.log as i64, i64::from(level), index.cast_signed()];
        node.query_row(place, |row| row.get(0)).map(Digest::from_bytes)
    }
}

/// Gives the entries `from..to` in their order, as far as none is missing.
fn entries(
    held: &Transaction<'_>,
    log: Stored,
    (from, to): (u64, u64),
    each: &mut dyn FnMut(u64, &[u8]) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut entries = held.prepare_cached(
        "SELECT seq, bytes FROM entry WHERE log = ?3 AND seq >= ?1 AND seq < ?2 ORDER BY seq",
    )?;
    let mut rows = entries.query([from.cast_signed(), to.cast_signed(), log as i64])?;
    let mut next = from;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        if seq != next {
            break;
        }
        each(seq, row.get_ref(1)?.as_blob()?)?;
        next += 1;
    }
    Ok(())
}

/// The entries that complete a node of the piece which the kept tree does not have.
fn broken(from: u64, rows: &[Vec<Digest>], ahead: &Ahead) -> Vec<u64> {
    let mut broken = Vec::new();
    for (level, row) in rows.iter().enumerate() {
        let first = from >> level;
        for (index, hash) in (first..).zip(row) {
            if ahead.node(level, index) != Some(hash.as_bytes()) {
                broken.push(((index + 1) << level) - 1);
            }
        }
    }
    broken.sort_unstable();
    broken.dedup();
    broken
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

/// The pieces of a journal as they are joined.
pub(super) struct Walk<'a> {
    path: &'a Path,
    published: Option<&'a Checkpoint>,
    ends: Ends,
    report: Report,
    frontier: Frontier,
    /// Size of the newest checkpoint that held.
    signed: u64,
    /// A checkpoint did not hold: all later roots are wrong with it.
    torn: bool,
    times: Times,
    /// An entry is missing or cannot be read, after which places mean nothing.
    over: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(source: &Source<'a>, published: Option<&'a Checkpoint>) -> Self {
        let mut walk = Self {
            path: source.path,
            published,
            ends: Ends::default(),
            report: Report::new("given"),
            frontier: Frontier::new(),
            signed: 0,
            torn: false,
            times: Times::default(),
            over: false,
        };
        match source.ends() {
            Ok(ends) => walk.ends = ends,
            Err(error) => walk.fault(&error),
        }
        walk
    }

    /// Entries.
    pub(super) const fn size(&self) -> u64 {
        self.ends.size
    }

    /// Whether nothing more is taken.
    pub(super) const fn is_over(&self) -> bool {
        self.over || self.frontier.size() >= self.ends.size
    }

    /// The piece that comes next, and what was found in it.
    pub(super) fn join(&mut self, mut piece: Piece, found: Report) {
        if self.is_over() {
            return;
        }
        let from = self.frontier.size();
        self.report.absorb(found);
        self.times.join(piece.times, &mut self.report);
        let mut after = self.frontier.clone();
        if let Some(root) = piece.rows.get(usize::from(FULL)).and_then(|row| row.first()) {
            let nodes = after.graft(FULL, *root);
            let made = nodes.iter().skip(1).map(|(_, _, hash)| Some(*hash.as_bytes()));
            let last = from + TILE_WIDTH - 1;
            if !made.eq(piece.above.iter().copied()) && piece.broken.last() != Some(&last) {
                piece.broken.push(last);
            }
        }
        let leaves = piece.rows.first().map_or(&[][..], Vec::as_slice);
        let within = |size: u64| (from + 1..=from + TILE_WIDTH).contains(&size);
        let plain = piece.broken.is_empty()
            && piece.notes.is_empty()
            && !self.published.is_some_and(|published| within(published.size));
        // A whole piece of which the journal says nothing more is passed over at once.
        self.frontier = if plain && after.size() > from {
            after
        } else {
            self.each(leaves, &piece.broken, &piece.notes)
        };
        let next = self.frontier.size();
        if let Some(error) = piece.fault {
            self.fault(&error);
        } else if next < self.ends.size.min(from + TILE_WIDTH) {
            self.report.bad(next, format!("entry {next} is missing from the journal"));
            self.over = true;
        }
    }

    /// Each entry of a piece with what the journal keeps of it. Gives the edge after them.
    fn each(
        &mut self,
        leaves: &[Digest],
        broken: &[u64],
        notes: &[(u64, Result<Checkpoint, NoteError>)],
    ) -> Frontier {
        let mut edge = self.frontier.clone();
        let (mut broken, mut notes) = (broken.iter().peekable(), notes.iter().peekable());
        let published = self.published.filter(|published| published.size > edge.size());
        for leaf in leaves {
            let seq = edge.size();
            edge.append(*leaf);
            if broken.next_if(|broken| **broken == seq).is_some() && !self.torn {
                self.report.bad(seq, format!("the tree in the journal is not made of entry {seq}"));
            }
            if let Some((size, opened)) = notes.next_if(|(size, _)| *size == seq + 1) {
                self.judge(*size, opened, edge.root());
            }
            let published = published.filter(|published| published.size == seq + 1);
            if published.is_some_and(|published| published.root != edge.root()) && !self.torn {
                self.report.problem(format!(
                    "the published checkpoint of {} entries is not that of the journal",
                    seq + 1
                ));
            }
        }
        edge
    }

    fn fault(&mut self, error: &rusqlite::Error) {
        let (at, told) = (self.frontier.size(), tell(self.path, error));
        self.over = true;
        match error.sqlite_error_code() {
            // Nothing is wrong with any entry: it could not be read just now.
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::PermissionDenied,
            ) => self.report.problem(told),
            _ => self.report.bad(at, format!("{told}; it can be read up to entry {at}")),
        }
    }

    /// A checkpoint that was signed when the log had this size.
    fn judge(&mut self, size: u64, opened: &Result<Checkpoint, NoteError>, root: Digest) {
        let since = self.signed;
        match opened {
            Ok(checkpoint) if checkpoint.size == size && checkpoint.root == root => {
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

    /// What was found, with where journal, its checkpoints and the published files end.
    pub(super) fn end(mut self) -> Report {
        let size = self.frontier.size();
        if self.over {
            return self.report;
        }
        if self.signed < size {
            let signed = self.signed;
            self.report.bad(
                signed,
                format!("the entries from {signed} on are under no signed checkpoint"),
            );
        }
        let published = self.published.map_or(0, |published| published.size);
        if self.ends.told.max(published) > size {
            self.report
                .bad(size, format!("the journal ends at entry {size}, before what was signed"));
        }
        if published < size && self.published.is_some() {
            self.report.notes.push(format!(
                "the published files end at entry {published}, the journal at {size}: the agent publishes the \
                 rest when it starts"
            ));
        }
        self.report
    }
}
