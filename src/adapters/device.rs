//! The device helper: what only root may ask of a disk, done by a small program of its own, so that the agent needs no
//! right. It reads back past every cache what an overwrite left on the device, and has the filesystem give freed blocks
//! back to it (FITRIM).
//!
//! The agent hands over an open file, or an open folder, and gets an answer of one word: no contents go either way, no
//! path, and nothing is written but by the filesystem's own trim. Without a helper, or where it cannot tell, everything
//! is as it is without one: an answer only ever adds to what is stated. What the helper does with a device: `raw.rs`.

mod helper;
mod raw;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    cell::RefCell,
    fs::File,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

pub use self::helper::{HelperError, serve};
use self::wire::{Answer, Ask};
use super::{entropy::Noise, wipe::RawDevice};

/// What a trim came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trimmed {
    /// Bytes that the filesystem gave back, whosever they were.
    pub bytes: u64,
    /// All places of the file that was read back before are among them, on a device that does what it is told: they
    /// read as zeroes now.
    pub covered: bool,
}

/// Where a helper listens.
#[derive(Clone, Debug)]
pub struct Device {
    socket: PathBuf,
}

impl Device {
    /// The helper at this socket.
    #[must_use]
    pub const fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Whether a helper answers this user there.
    #[must_use]
    pub fn answers(path: &Path) -> bool {
        let session = Self::new(path.to_owned()).session();
        matches!(session.ask(&Ask::Hello {}, None), Some(Answer::Here))
    }

    /// Begins with one file: what is trimmed later is looked at where that file was.
    #[must_use]
    pub fn session(&self) -> Session {
        Session { socket: self.socket.clone(), line: RefCell::new(Line::Unopened) }
    }
}

/// One file's wipe, as far as it concerns the helper.
pub struct Session {
    socket: PathBuf,
    line: RefCell<Line>,
}

enum Line {
    Unopened,
    Open(OwnedFd),
    /// It did not answer as it should: nothing more is asked of it for this file.
    Broken,
}

impl Session {
    /// Has the filesystem of a folder give its freed blocks back to the device, after the file is gone.
    #[must_use]
    pub fn trim(&self, folder: BorrowedFd<'_>) -> Option<Trimmed> {
        match self.ask(&Ask::Trim {}, Some(folder)) {
            Some(Answer::Trimmed { bytes, covered }) => Some(Trimmed { bytes, covered }),
            _ => None,
        }
    }

    /// Asks; nothing where nobody answers.
    fn ask(&self, ask: &Ask, with: Option<BorrowedFd<'_>>) -> Option<Answer> {
        let mut line = self.line.borrow_mut();
        if matches!(*line, Line::Unopened) {
            *line = wire::connect(&self.socket).map_or(Line::Broken, Line::Open);
        }
        let Line::Open(socket) = &*line else { return None };
        let answer = wire::wait_for(socket.as_fd(), ask)
            .and_then(|()| wire::send(socket.as_fd(), ask, with))
            .and_then(|()| wire::receive(socket.as_fd()));
        match answer {
            Ok(Some((answer, _))) => Some(answer),
            Ok(None) | Err(_) => {
                *line = Line::Broken;
                None
            }
        }
    }
}

impl RawDevice for Session {
    fn compare(&self, file: &File, noise: &Noise, len: u64) -> Option<bool> {
        let ask = Ask::Compare { len, seed: wire::hex(noise.seed()) };
        match self.ask(&ask, Some(file.as_fd())) {
            Some(Answer::Equal) => Some(true),
            Some(Answer::NotEqual) => Some(false),
            _ => None,
        }
    }
}
