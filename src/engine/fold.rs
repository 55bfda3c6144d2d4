//! The fold and its cache: what a start takes from it, and what is read again behind it.
//!
//! A fold that was kept stands for the entries that it was made of only where the register still has the root that it
//! had then. Their bytes are nevertheless read again, a piece whenever there is nothing else to do, because a start
//! that reads every entry finds a damaged one, and one from the cache must not know less for long.

use super::{
    Engine, EngineError,
    ports::{Log, LogReader, PortError},
    slots,
};
use crate::domain::{
    digest::Digest,
    limits,
    merkle::{self, Frontier},
    view::View,
};

/// Entries of one piece of [`Engine::read_past`].
const PIECE: u64 = 4096;

/// What is read again of the entries that a start took from the cache.
pub(super) struct Past {
    reader: Box<dyn LogReader>,
    /// The tree over what was read so far.
    edge: Frontier,
    /// How far.
    to: u64,
    /// The root that must come out.
    root: Digest,
}

impl Engine {
    /// The fold that was kept, where the register still begins with what it was made of; else an empty one.
    pub(super) fn remembered(&mut self) -> Result<View, EngineError> {
        let Some(key) = self.ports.keys.live(slots::FOLD)? else { return Ok(View::default()) };
        let Some((view, root)) = self.ports.folds.take(&key) else { return Ok(View::default()) };
        let journal = &self.ports.journal;
        let there = view.size <= journal.size(Log::Register)?;
        if !there || journal.root_at(Log::Register, view.size)? != root {
            return Ok(View::default());
        }
        self.kept = view.size;
        Ok(view)
    }

    /// What is to be read again of the view that a start took from the cache.
    pub(super) fn taken_on_trust(&self) -> Result<Option<Past>, EngineError> {
        let to = self.view.size;
        if to == 0 {
            return Ok(None);
        }
        let root = self.ports.journal.root_at(Log::Register, to)?;
        let reader = self.ports.journal.reader()?;
        Ok(Some(Past { reader, edge: Frontier::new(), to, root }))
    }

    /// Reads a piece of what a start took from the cache. True while there is more.
    ///
    /// # Errors
    /// An entry is not what was committed.
    pub fn read_past(&mut self) -> Result<bool, EngineError> {
        let Some(past) = &mut self.past else { return Ok(false) };
        let end = past.to.min(past.edge.size() + PIECE);
        while past.edge.size() < end {
            let from = past.edge.size();
            let entries = past.reader.piece(Log::Register, from, end)?;
            if entries.is_empty() {
                return Err(damaged(from));
            }
            entries.iter().for_each(|bytes| drop(past.edge.append(merkle::leaf_hash(bytes))));
        }
        if past.edge.size() < past.to {
            return Ok(true);
        }
        if past.edge.root() != past.root {
            return Err(damaged(0));
        }
        self.past = None;
        Ok(false)
    }

    /// Keeps the fold for the next start, where enough entries have come since it was kept last: fewer are enough at
    /// the `end` of an agent. It is a cache: what keeps it from being written is only noted.
    ///
    /// # Errors
    /// The register cannot be read.
    pub fn keep_fold(&mut self, end: bool) -> Result<(), EngineError> {
        let size = self.view.size;
        let enough = if end {
            limits::FOLD_KEEP_AT_END
        } else {
            // A long one takes its time to write, during which nobody is answered.
            limits::FOLD_KEEP_ENTRIES.max(size / 20)
        };
        if size.saturating_sub(self.kept) < enough {
            return Ok(());
        }
        // Also where it fails: a full disk is not asked again at once.
        self.kept = size;
        let root = self.ports.journal.root_at(Log::Register, size)?;
        let key = self.ports.keys.ensure_random(slots::FOLD)?;
        if let Err(error) = self.ports.folds.put(&self.view, root, &key) {
            self.notes.push(format!("the fold of the register was not kept: {error}"));
        }
        Ok(())
    }
}

fn damaged(at: u64) -> EngineError {
    let message = format!("entry {at} of the register is not what was committed");
    PortError::Stuck { code: "journal", message }.into()
}
