//! Asking a person for a secret: the typed letters are not shown, and nothing of them is kept elsewhere.
//!
//! While the answer is typed the terminal sends no signals, so that breaking it off never leaves a terminal that shows
//! nothing: control-C ends the question here.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, IsTerminal, Read, Write},
    os::fd::{AsFd, BorrowedFd},
};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use crate::domain::{limits::KEY_BYTES_MAX, secret::Secret};

const BREAK: u8 = 0x03;

/// Asks on the terminal of this process, or answers nothing where it has none.
///
/// # Errors
/// The terminal failed, the question was broken off, or the answer is longer than any passphrase.
pub fn ask(prompt: &str) -> io::Result<Option<Secret>> {
    // Standard input is open already, which counts where the process can open nothing further.
    let terminal = if io::stdin().is_terminal() {
        File::from(io::stdin().as_fd().try_clone_to_owned()?)
    } else {
        match OpenOptions::new().read(true).write(true).open("/dev/tty") {
            Ok(terminal) => terminal,
            Err(_) => return Ok(None),
        }
    };
    let silent = Silent::on(terminal.as_fd())?;
    (&terminal).write_all(prompt.as_bytes())?;
    let answer = line(&terminal);
    (&terminal).write_all(b"\n")?;
    drop(silent);
    answer.map(Some)
}

fn line(mut terminal: &File) -> io::Result<Secret> {
    let room = usize::try_from(KEY_BYTES_MAX).unwrap_or(0);
    let mut answer = Zeroizing::new(Vec::with_capacity(room));
    let mut letter = [0_u8];
    loop {
        let count = terminal.read(&mut letter)?;
        match letter[0] {
            _ if count == 0 => return Err(ErrorKind::UnexpectedEof.into()),
            BREAK => return Err(ErrorKind::Interrupted.into()),
            b'\n' | b'\r' => return Ok(Secret::new(answer.to_vec())),
            _ if answer.len() >= room => return Err(ErrorKind::InvalidInput.into()),
            other => answer.push(other),
        }
    }
}

/// A terminal that shows nothing, until dropped.
struct Silent<'t> {
    terminal: BorrowedFd<'t>,
    before: Termios,
}

impl<'t> Silent<'t> {
    fn on(terminal: BorrowedFd<'t>) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG);
        // Control-C ends the line, so that it is read at once.
        silent.special_codes[SpecialCodeIndex::VEOL] = BREAK;
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}
