//! Faults at chosen writes, for the crash tests; nothing at all in a build without `test-hooks`.
//!
//! Every durable write of journal, key store, vault, spool, case store and tiles is bracketed by a [`Write`]. The
//! test build counts them and, at the n-th, stops the process before it, in the middle of it or after it, the way
//! a power cut would: no destructor runs.

/// One durable write that is under way.
#[must_use]
pub struct Write(u64);

impl Write {
    /// The write is about to begin. `site` names what is written.
    pub fn begin(site: &'static str) -> Self {
        let write = Self(hooks::next(site));
        hooks::reach(write.0, Moment::Before);
        write
    }

    /// Half of it has been done. A write that cannot be halved calls this between its two system calls.
    pub fn middle(&self) {
        hooks::reach(self.0, Moment::Middle);
    }

    /// It is durable.
    pub fn end(self) {
        hooks::reach(self.0, Moment::After);
    }
}

/// Where in a write the process stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing of it has happened.
    Before,
    /// A part of it has.
    Middle,
    /// All of it has, and nobody was told.
    After,
}

#[cfg(not(feature = "test-hooks"))]
mod hooks {
    use super::Moment;

    pub(super) const fn next(_site: &'static str) -> u64 {
        0
    }

    pub(super) const fn reach(_write: u64, _moment: Moment) {}
}

#[cfg(feature = "test-hooks")]
mod hooks {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };

    use super::Moment;

    static WRITES: AtomicU64 = AtomicU64::new(0);
    static CRASH: OnceLock<(u64, Moment)> = OnceLock::new();

    pub(super) fn next(_site: &'static str) -> u64 {
        WRITES.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(super) fn reach(write: u64, moment: Moment) {
        if CRASH.get() == Some(&(write, moment)) {
            std::process::abort();
        }
    }

    pub(super) fn arm(write: u64, moment: Moment) {
        let _ = CRASH.set((write, moment));
    }

    pub(super) fn count() -> u64 {
        WRITES.load(Ordering::SeqCst)
    }
}

/// Stops the process at the `write`-th write from now on (1 is the first).
#[cfg(feature = "test-hooks")]
pub fn arm(write: u64, moment: Moment) {
    hooks::arm(write, moment);
}

/// Writes so far.
#[cfg(feature = "test-hooks")]
#[must_use]
pub fn count() -> u64 {
    hooks::count()
}
