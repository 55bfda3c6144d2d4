//! Faults at chosen writes, for the crash tests; nothing at all in a build without `test-hooks`.
//!
//! Every durable write of journal, key store, vault, spool, case store and tiles is bracketed by a [`Write`]. The
//! test build counts them and, at the n-th, stops the process before it, in the middle of it or after it, the way
//! a power cut would: no destructor runs. It can also have an overwrite wait half done, so that others act meanwhile.

/// One durable write that is under way.
#[must_use]
pub struct Write {
    number: u64,
    site: &'static str,
}

impl Write {
    /// The write is about to begin. `site` names what is written.
    pub fn begin(site: &'static str) -> Self {
        let write = Self { number: hooks::next(), site };
        hooks::reach(write.number, site, Moment::Before);
        write
    }

    /// Half of it has been done. A write that cannot be halved calls this between its two system calls.
    pub fn middle(&self) {
        hooks::reach(self.number, self.site, Moment::Middle);
    }

    /// It is durable.
    pub fn end(self) {
        hooks::reach(self.number, self.site, Moment::After);
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

    pub(super) const fn next() -> u64 {
        0
    }

    pub(super) const fn reach(_write: u64, _site: &'static str, _moment: Moment) {}
}

#[cfg(feature = "test-hooks")]
mod hooks {
    use std::{
        path::PathBuf,
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    use super::Moment;

    static WRITES: AtomicU64 = AtomicU64::new(0);
    static CRASH: OnceLock<(u64, Moment)> = OnceLock::new();
    static NAMED: OnceLock<(String, Moment)> = OnceLock::new();
    static WAIT: OnceLock<PathBuf> = OnceLock::new();
    static OVERWRITES: AtomicU64 = AtomicU64::new(0);

    pub(super) fn next() -> u64 {
        WRITES.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(super) fn reach(write: u64, site: &'static str, moment: Moment) {
        if CRASH.get() == Some(&(write, moment)) || is_named(site, moment) {
            std::process::abort();
        }
        if site == "wipe overwrite" && moment == Moment::Middle {
            wait();
        }
    }

    /// The n-th overwrite since the file `WAIT` is there waits for as long as `WAIT-n` is. A confined process can
    /// still ask whether a file exists, and write to the standard error that it has.
    #[expect(clippy::print_stderr, reason = "the test reads it")]
    fn wait() {
        let Some(path) = WAIT.get().filter(|path| path.exists()) else { return };
        let n = OVERWRITES.fetch_add(1, Ordering::SeqCst) + 1;
        let mut name = path.clone().into_os_string();
        name.push(format!("-{n}"));
        let name = PathBuf::from(name);
        if name.exists() {
            eprintln!("test: overwrite {n} waits");
        }
        while name.exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn hold_back(path: PathBuf) {
        let _ = WAIT.set(path);
    }

    fn is_named(site: &str, moment: Moment) -> bool {
        NAMED.get().is_some_and(|(name, at)| name == site && *at == moment)
    }

    pub(super) fn arm(write: u64, moment: Moment) {
        let _ = CRASH.set((write, moment));
    }

    pub(super) fn arm_named(site: &str, moment: Moment) {
        let _ = NAMED.set((site.to_owned(), moment));
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

/// Stops the process at the first write of this name.
#[cfg(feature = "test-hooks")]
pub fn arm_named(site: &str, moment: Moment) {
    hooks::arm_named(site, moment);
}

/// From when `path` is there, the n-th overwrite of a wipe waits half done for as long as `path-n` is there.
#[cfg(feature = "test-hooks")]
pub fn hold_back(path: std::path::PathBuf) {
    hooks::hold_back(path);
}

/// Writes so far.
#[cfg(feature = "test-hooks")]
#[must_use]
pub fn count() -> u64 {
    hooks::count()
}
