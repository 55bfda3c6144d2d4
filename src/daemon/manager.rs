//! What the service manager is told. Without one, nothing is.
//!
//! A manager that is slow to read keeps nobody waiting: what does not fit into its socket is told later, and signs of
//! life are not heaped up.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sd_notify::NotifyState;

use crate::domain::limits;

/// The service manager.
pub(super) struct Manager {
    pulse: Arc<AtomicU64>,
    seen: u64,
    status: String,
    socket: Option<UnixDatagram>,
    /// What it has not taken yet.
    waiting: VecDeque<String>,
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
        let name = std::env::var_os("NOTIFY_SOCKET");
        let watchdog = sd_notify::watchdog_enabled();
        let socket = name.as_deref().and_then(|name| connected(name).ok());
        let (status, waiting) = (String::new(), VecDeque::new());
        Self { pulse, seen: 0, status, socket, waiting, there: name.is_some(), watchdog }
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
    pub(super) fn ready(&mut self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// The configuration is read again; [`Manager::ready`] follows.
    pub(super) fn reloading(&mut self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(_) => self.tell(&[NotifyState::Reloading]),
        }
    }

    /// The agent ends.
    pub(super) fn stopping(&mut self) {
        self.tell(&[NotifyState::Stopping]);
    }

    /// A line of status, where it is another one; the last one is told again once the manager listens.
    pub(super) fn status(&mut self, line: String) {
        if line != self.status && self.takes() {
            self.tell(&[NotifyState::Status(&line)]);
            self.status = line;
        }
    }

    /// A sign of life, where the engine's thread gave one since.
    pub(super) fn beat(&mut self) {
        let pulse = self.pulse.load(Ordering::SeqCst);
        if self.watchdog.is_some() && pulse != self.seen && self.takes() {
            self.tell(&[NotifyState::Watchdog]);
        }
        self.seen = pulse;
    }

    fn tell(&mut self, state: &[NotifyState<'_>]) {
        let lines: String = state.iter().map(|state| format!("{state}\n")).collect();
        if self.socket.is_some() && self.waiting.len() < limits::NOTICES_WAITING_MAX {
            self.waiting.push_back(lines);
        }
        let _ = self.takes();
    }

    /// Tells what waits; whether nothing is left. A manager that is gone is its own affair.
    fn takes(&mut self) -> bool {
        let Some(socket) = &self.socket else { return true };
        while let Some(lines) = self.waiting.front() {
            let sent = socket.send(lines.as_bytes());
            if sent.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {
                return false;
            }
            self.waiting.pop_front();
        }
        true
    }
}

/// A socket to the manager, whose writes never block.
fn connected(name: &OsStr) -> std::io::Result<UnixDatagram> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect_addr(&address)?;
    Ok(socket)
}
