//! The resident agent's side of a site: what it is set to, opening it for as long as the process lives, and reading
//! its files again.

use std::{
    num::NonZero,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    log::System,
    site::{Hooks, faults, open_as},
    sources::Remote,
};
use crate::{
    adapters::clock::SystemClock,
    config::{self, agent::LogLevel},
    domain::time::{Period, Timestamp},
    engine::{Observer, jobs::Hands, ports::Clock},
    service::{Result, Service},
};

/// Where the agent of a site answers, as far as whoever asks can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// The socket.
    pub socket: PathBuf,
    /// The user that the agent runs as.
    pub owner: Option<u32>,
    /// Origin of its register.
    pub origin: Option<String>,
}

impl Control {
    /// Whether this user could open the site without an agent.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.owner == Some(rustix::process::geteuid().as_raw())
    }
}

/// What an agent that stays is set to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its socket.
    pub socket: PathBuf,
    /// The socket at which services ask, where there is one.
    pub api: Option<PathBuf>,
    /// How often everything is scanned.
    pub scan_every: Duration,
    /// Threads for long steps.
    pub workers: usize,
    /// How much is logged.
    pub log: LogLevel,
}

/// Where the agent of a site answers. A configuration that cannot be read, or is broken, still has the socket that it
/// names, or the default: the agent goes on with what it had.
#[must_use]
pub fn control(path: &Path) -> Control {
    let found = config::places(path);
    let owner = found.state.and_then(|state| std::fs::metadata(state).ok());
    Control {
        socket: found.socket,
        owner: owner.map(|facts| facts.uid()),
        origin: found.site.map(|site| format!("batchward/{site}")),
    }
}

/// The time by which a command is signed.
#[must_use]
pub fn now(hooks: &Hooks) -> Timestamp {
    hooks.clock.unwrap_or_else(|| SystemClock.now())
}

/// What the agent is set to.
///
/// # Errors
/// The configuration cannot be read.
pub fn settings(path: &Path) -> Result<Settings> {
    let config = config::load(path).map_err(|list| faults(&list))?;
    Ok(settings_of(&config.agent))
}

fn settings_of(agent: &config::Agent) -> Settings {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    Settings {
        socket: agent.socket.clone(),
        api: agent.api.clone(),
        scan_every: duration(agent.scan_every),
        workers: agent.workers.unwrap_or(cores),
        log: agent.log,
    }
}

fn duration(period: Period) -> Duration {
    let days = u64::from(period.months) * 30 + u64::from(period.days);
    Duration::from_secs(days * 86_400 + u64::from(period.seconds))
}

/// Opens a site for an agent that stays; `hands` run its long steps, `observer` is told of each entry from now on.
///
/// # Errors
/// As [`super::open`].
pub fn resident(
    path: &Path,
    hooks: &Hooks,
    hands: Box<dyn Hands>,
    observer: Observer,
    remote: Option<Remote>,
) -> Result<Service> {
    open_as(path, clock(hooks), true, Some((hands, observer)), remote)
}

fn clock(hooks: &Hooks) -> Arc<dyn Clock> {
    #[cfg(feature = "test-hooks")]
    if let Some(start) = hooks.clock {
        return Arc::new(super::log::Running::new(start));
    }
    let _ = hooks;
    Arc::new(System(SystemClock))
}

#[cfg(test)]
mod tests;
