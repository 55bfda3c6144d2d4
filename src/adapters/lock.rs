//! One agent on a state folder at a time.
//!
//! The lock is `flock` on `state/lock`: the kernel drops it when the process ends, however it ends, so a crash
//! leaves nothing to clean up. It is advice among agents, no defence against others who may write the folder.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;

/// The name of the lock file in a state folder.
pub const LOCK_NAME: &str = "lock";

/// The right to be the agent of a state folder, held until dropped.
#[derive(Debug)]
#[must_use]
pub struct Lock(File);

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it: try later, or talk to that agent.
    #[error("another agent holds '{}'", path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The socket at which it says that it answers, where it is one that stays.
        resident: Option<PathBuf>,
    },
    /// The lock file cannot be made or opened.
    #[error("cannot lock '{}'", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Whether somebody takes connections at the socket that the holder of a lock named. It says nothing about who.
#[must_use]
pub fn is_answered(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

impl Lock {
    /// Takes the lock of the folder `state`, or says at once that another agent holds it.
    ///
    /// # Errors
    /// [`LockError`]; nothing is waited for.
    pub fn acquire(state: &Path) -> Result<Self, LockError> {
        let path = state.join(LOCK_NAME);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let taken = open(&path, flags, Mode::from_raw_mode(0o600))
            .and_then(|fd| flock(&fd, FlockOperation::NonBlockingLockExclusive).map(|()| fd));
        let io = |source, path| Err(LockError::Io { path, source });
        match taken {
            Ok(fd) => {
                let file = File::from(fd);
                // What a holder before this one said of itself.
                match file.set_len(0) {
                    Ok(()) => Ok(Self(file)),
                    Err(source) => io(source, path),
                }
            }
            Err(Errno::WOULDBLOCK) => {
                let said = std::fs::read(&path).unwrap_or_default();
                let resident = (!said.is_empty()).then(|| PathBuf::from(OsString::from_vec(said)));
                Err(LockError::Held { path, resident })
            }
            Err(errno) => io(errno.into(), path),
        }
    }

    /// Says in the lock file at which socket this agent answers, for whoever finds the lock held.
    ///
    /// # Errors
    /// The file cannot be written; the lock holds all the same.
    pub fn say(&self, socket: &Path) -> io::Result<()> {
        (&self.0).write_all(socket.as_os_str().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_second_agent_is_refused_until_the_first_is_gone() {
        let state = tempfile::tempdir().unwrap();
        let first = Lock::acquire(state.path()).unwrap();
        let refused = Lock::acquire(state.path()).unwrap_err();
        assert!(matches!(refused, LockError::Held { .. }));
        assert!(refused.to_string().starts_with("another agent holds '"));
        drop(first);
        let _again = Lock::acquire(state.path()).unwrap();
    }

    #[test]
    fn a_resident_agent_says_where_it_answers_and_the_next_holder_is_not_taken_for_it() {
        let socket = |error| match error {
            LockError::Held { resident, .. } => resident,
            LockError::Io { .. } => None,
        };
        let state = tempfile::tempdir().unwrap();
        let first = Lock::acquire(state.path()).unwrap();
        first.say(Path::new("/run/agent/control.sock")).unwrap();
        let refused = Lock::acquire(state.path()).unwrap_err();
        assert_eq!(socket(refused).unwrap(), Path::new("/run/agent/control.sock"));
        drop(first);
        let _again = Lock::acquire(state.path()).unwrap();
        assert_eq!(socket(Lock::acquire(state.path()).unwrap_err()), None);
    }

    #[test]
    fn a_missing_folder_and_a_link_in_place_of_the_lock_are_errors() {
        let state = tempfile::tempdir().unwrap();
        let gone = Lock::acquire(&state.path().join("none")).unwrap_err();
        assert!(matches!(gone, LockError::Io { .. }));
        std::os::unix::fs::symlink("elsewhere", state.path().join(LOCK_NAME)).unwrap();
        assert!(matches!(Lock::acquire(state.path()), Err(LockError::Io { .. })));
        assert!(!state.path().join("elsewhere").exists());
    }
}
