//! What the service manager is told. Without one, nothing is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sd_notify::NotifyState;

/// The service manager.
pub(super) struct Manager {
    pulse: Arc<AtomicU64>,
    seen: u64,
    status: String,
    there: bool,
    watchdog: Option<Duration>,
}

impl Manager {
    /// A manager that is told of life while `pulse` moves.
    pub(super) fn new(pulse: Arc<AtomicU64>) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "whether there is a service manager is told in the environment only"
        )]
        let there = std::env::var_os("NOTIFY_SOCKET").is_some();
        let watchdog = sd_notify::watchdog_enabled();
        Self { pulse, seen: 0, status: String::new(), there, watchdog }
    }

    /// Whether there is one, who starts an agent again that ended.
    pub(super) const fn is_there(&self) -> bool {
        self.there
    }

    /// How often [`Manager::beat`] is to be called: often enough for the watchdog, and for the line of status.
    pub(super) fn every(&self) -> Duration {
        let second = Duration::from_secs(1);
        self.watchdog.map_or(second, |watchdog| (watchdog / 3).min(second))
    }

    /// Recovered, and the socket answers.
    pub(super) fn ready(&self) {
        tell(&[NotifyState::Ready]);
    }

    /// The configuration is read again; [`Manager::ready`] follows.
    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(_) => tell(&[NotifyState::Reloading]),
        }
    }

    /// The agent ends.
    pub(super) fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    /// A line of status, where it is another one.
    pub(super) fn status(&mut self, line: String) {
        if line != self.status {
            tell(&[NotifyState::Status(&line)]);
            self.status = line;
        }
    }

    /// A sign of life, where the engine's thread gave one since.
    pub(super) fn beat(&mut self) {
        let pulse = self.pulse.load(Ordering::SeqCst);
        if self.watchdog.is_some() && pulse != self.seen {
            tell(&[NotifyState::Watchdog]);
        }
        self.seen = pulse;
    }
}

/// A manager that does not hear is its own affair.
fn tell(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}
