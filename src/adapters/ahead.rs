//! Work ahead, on a thread of its own: reading (with the decryption that is a part of it), and hashing.
//!
//! Both pass buffers of a bounded number back and forth, which are overwritten when dropped. What is small stays on
//! the caller's thread. The end of a stream is said and never guessed: a thread that is gone without a word is an
//! error, not an end.

use std::{
    io::{self, Read},
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::{Builder, JoinHandle},
};

use zeroize::Zeroizing;

use crate::domain::digest::{Digest, Hasher};

/// Bytes that go over at once; what is no longer than that needs no thread.
const PIECE: usize = 256 << 10;
/// Pieces that wait at most.
const AHEAD: usize = 3;

/// A buffer and how much of it counts.
pub struct Piece {
    bytes: Zeroizing<Vec<u8>>,
    length: usize,
}

impl Piece {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { bytes: Zeroizing::new(vec![0; PIECE]), length: 0 }
    }

    /// What counts.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Reads until it is full or there is nothing more. What was read before an error counts.
    ///
    /// # Errors
    /// The reader's.
    pub fn fill(&mut self, from: &mut dyn Read) -> io::Result<()> {
        self.length = 0;
        while self.length < PIECE {
            match from.read(&mut self.bytes[self.length..]) {
                Ok(0) => break,
                Ok(count) => self.length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether more may follow it.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.length == PIECE
    }
}

impl Default for Piece {
    fn default() -> Self {
        Self::new()
    }
}

/// What the reading thread says.
enum Said {
    Piece(Piece),
    End,
    Failed(io::Error),
}

enum Source {
    /// Nothing was read yet.
    Here(Box<dyn Read + Send>),
    There {
        said: Receiver<Said>,
        spent: Sender<Piece>,
        thread: JoinHandle<()>,
    },
    Ended,
}

/// A reader whose source is read by another thread, from the second piece on. After an error it is at its end.
pub struct Ahead {
    source: Source,
    piece: Piece,
    taken: usize,
    failed: Option<io::Error>,
}

impl Ahead {
    /// Reads `source` ahead. No thread is started before the first read.
    #[must_use]
    pub fn new(source: Box<dyn Read + Send>) -> Self {
        let piece = Piece { bytes: Zeroizing::default(), length: 0 };
        Self { source: Source::Here(source), piece, taken: 0, failed: None }
    }

    fn next_piece(&mut self) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.taken = 0;
        match std::mem::replace(&mut self.source, Source::Ended) {
            Source::Ended => self.piece.length = 0,
            Source::Here(mut source) => {
                self.piece = Piece::new();
                match self.piece.fill(&mut *source) {
                    Ok(()) if self.piece.is_full() => self.source = start(source)?,
                    Ok(()) => {}
                    Err(error) => self.failed = Some(error),
                }
            }
            Source::There { said, spent, thread } => {
                let next = said.recv();
                if let Ok(Said::Piece(piece)) = next {
                    // A thread that is done with reading wants none back.
                    let _ = spent.send(std::mem::replace(&mut self.piece, piece));
                    self.source = Source::There { said, spent, thread };
                    return Ok(());
                }
                self.piece.length = 0;
                drop(said);
                let ended = thread.join();
                return match (next, ended) {
                    (Ok(Said::Failed(error)), Ok(())) => Err(error),
                    (Ok(Said::End), Ok(())) => Ok(()),
                    _ => Err(io::Error::other("the reading thread has gone")),
                };
            }
        }
        if self.piece.length == 0 { self.failed.take().map_or(Ok(()), Err) } else { Ok(()) }
    }
}

impl Read for Ahead {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.piece.length && !to.is_empty() {
            self.next_piece()?;
        }
        let rest = &self.piece.bytes()[self.taken..];
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        if let Source::There { said, thread, .. } =
            std::mem::replace(&mut self.source, Source::Ended)
        {
            // Nobody listens: the thread ends with the piece that it is at.
            drop(said);
            let _ = thread.join();
        }
    }
}

fn start(mut source: Box<dyn Read + Send>) -> io::Result<Source> {
    let (say, said) = sync_channel(AHEAD);
    let (spent, empty) = channel::<Piece>();
    let thread = Builder::new().name("ahead".to_owned()).spawn(move || {
        loop {
            let mut piece = empty.try_recv().unwrap_or_default();
            let filled = piece.fill(&mut *source);
            let more = piece.is_full();
            if piece.length > 0 && say.send(Said::Piece(piece)).is_err() {
                return;
            }
            let last = match filled {
                Ok(()) if more => continue,
                Ok(()) => Said::End,
                Err(error) => Said::Failed(error),
            };
            let _ = say.send(last);
            return;
        }
    })?;
    Ok(Source::There { said, spent, thread })
}

/// SHA-256 of pieces that somebody else works on at the same time.
pub struct Hashing {
    state: Hash,
}

enum Hash {
    Here(Hasher),
    There { pieces: SyncSender<Piece>, spent: Receiver<Piece>, thread: JoinHandle<Digest> },
}

impl Hashing {
    /// For about `bytes` bytes.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn new(bytes: u64) -> io::Result<Self> {
        if bytes <= PIECE as u64 {
            return Ok(Self { state: Hash::Here(Hasher::new()) });
        }
        let (pieces, todo) = sync_channel::<Piece>(AHEAD);
        let (give_back, spent) = channel();
        let thread = Builder::new().name("hash".to_owned()).spawn(move || {
            let mut hasher = Hasher::new();
            for piece in todo {
                hasher.update(piece.bytes());
                // Nobody waits for the last ones.
                let _ = give_back.send(piece);
            }
            hasher.finish()
        })?;
        Ok(Self { state: Hash::There { pieces, spent, thread } })
    }

    /// Takes the next piece, in order; gives one back that can be filled again.
    pub fn take(&mut self, piece: Piece) -> Piece {
        match &mut self.state {
            Hash::Here(hasher) => {
                hasher.update(piece.bytes());
                piece
            }
            Hash::There { pieces, spent, .. } => {
                // A thread that has gone is found out at the end.
                let _ = pieces.send(piece);
                spent.try_recv().unwrap_or_default()
            }
        }
    }

    /// The digest of all pieces.
    ///
    /// # Errors
    /// The thread has gone.
    pub fn finish(self) -> io::Result<Digest> {
        match self.state {
            Hash::Here(hasher) => Ok(hasher.finish()),
            Hash::There { pieces, thread, .. } => {
                drop(pieces);
                thread.join().map_err(|_| io::Error::other("the hashing thread has gone"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    const LENGTHS: [usize; 7] = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 9 * PIECE + 5];

    fn bytes(length: usize) -> Vec<u8> {
        (0..=250).cycle().take(length).collect()
    }

    /// Ends with an error instead of an end; reads a little at a time.
    struct Broken(Vec<u8>);

    impl Read for Broken {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
            let count = self.0.len().min(to.len()).min(10_007);
            to[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }
    }

    struct Panicking(usize);

    impl Read for Panicking {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            assert!(self.0 > 0, "the source breaks down");
            let count = self.0.min(to.len());
            self.0 -= count;
            Ok(count)
        }
    }

    #[test]
    fn what_is_read_ahead_is_what_is_there() {
        for length in LENGTHS {
            let mut read = Vec::new();
            let mut ahead = Ahead::new(Box::new(io::Cursor::new(bytes(length))));
            ahead.read_to_end(&mut read).unwrap();
            assert!(read == bytes(length), "{length}");
            assert_eq!(ahead.read(&mut [0; 9]).unwrap(), 0);
        }
    }

    #[test]
    fn an_error_comes_after_the_bytes_before_it_and_as_it_was() {
        for length in LENGTHS {
            let mut read = Vec::new();
            let error = Ahead::new(Box::new(Broken(bytes(length)))).read_to_end(&mut read);
            assert_eq!(error.unwrap_err().kind(), io::ErrorKind::InvalidData, "{length}");
            assert!(read == bytes(length), "{length}");
        }
    }

    #[test]
    fn a_thread_that_breaks_down_is_an_error_and_no_end() {
        let mut read = Vec::new();
        let ended = Ahead::new(Box::new(Panicking(3 * PIECE))).read_to_end(&mut read);
        assert!(ended.is_err());
    }

    #[test]
    fn a_reader_that_is_given_up_leaves_no_thread() {
        let source = std::sync::Arc::new(());
        struct Endless(#[expect(dead_code, reason = "counted")] std::sync::Arc<()>);
        impl Read for Endless {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                Ok(to.len())
            }
        }
        let mut ahead = Ahead::new(Box::new(Endless(source.clone())));
        ahead.read_exact(&mut vec![0; 2 * PIECE]).unwrap();
        drop(ahead);
        assert_eq!(std::sync::Arc::strong_count(&source), 1);
    }

    #[test]
    fn pieces_are_hashed_in_their_order() {
        for length in LENGTHS {
            let all = bytes(length);
            let mut hashing = Hashing::new(length as u64).unwrap();
            let (mut from, mut piece) = (all.as_slice(), Piece::new());
            loop {
                piece.fill(&mut from).unwrap();
                if piece.bytes().is_empty() {
                    break;
                }
                piece = hashing.take(piece);
            }
            assert_eq!(hashing.finish().unwrap(), Digest::of(&all), "{length}");
        }
    }
}
