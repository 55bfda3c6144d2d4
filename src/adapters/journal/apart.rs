//! The journal read by a thread of its own, for a start: whatever is done with the entries costs no time beside it.

use std::{sync::mpsc, thread};

use super::{Journal, JournalError, Log, Nodes};
use crate::domain::merkle::{self, Frontier, Hash};

/// Pieces of entries that are read before somebody takes them.
const PIECES_AHEAD: usize = 16;

impl Journal {
    /// As [`Journal::for_each`], but read, checked and given to `parse` by a thread of its own, so that whatever
    /// `each` does costs no time beside it.
    ///
    /// # Errors
    /// As [`Journal::for_each`].
    pub fn for_each_apart<T: Send, E: From<JournalError>>(
        &self,
        log: Log,
        from: u64,
        parse: &(dyn Fn(&[u8]) -> T + Sync),
        each: &mut dyn FnMut(u64, Hash, T) -> Result<(), E>,
    ) -> Result<(), E> {
        let (size, reader) = (self.size(log)?, self.reader()?);
        let mut edge = Frontier::read(from, &Nodes(self, log))?;
        thread::scope(|scope| {
            let (send, pieces) = mpsc::sync_channel(PIECES_AHEAD);
            let ahead = move || -> Result<Frontier, JournalError> {
                let mut next = from;
                while next < size {
                    let mut piece = Vec::new();
                    let found = reader.each_of_piece(log, next, size, &mut |bytes, leaf| {
                        edge.append(leaf);
                        piece.push((leaf, parse(bytes)));
                    })?;
                    // Whoever takes no more has an error of his own.
                    if found == 0 || send.send(piece).is_err() {
                        break;
                    }
                    next += found;
                }
                Ok(edge)
            };
            let reading =
                thread::Builder::new().name("replay".to_owned()).spawn_scoped(scope, ahead);
            let Ok(reading) = reading else {
                // No thread is to be had: then one after the other.
                drop(pieces);
                return self.for_each(log, from, &mut |seq, bytes| {
                    each(seq, merkle::leaf_hash(bytes), parse(bytes))
                });
            };
            let mut seq = from;
            for (leaf, parsed) in pieces.into_iter().flatten() {
                each(seq, leaf, parsed)?;
                seq += 1;
            }
            let edge = reading.join().map_err(|_| self.damaged(seq))??;
            let whole = edge.root() == self.root_at(log, size)?;
            if seq == size && whole {
                Ok(())
            } else {
                Err(self.damaged(if whole { seq } else { 0 }).into())
            }
        })
    }
}
