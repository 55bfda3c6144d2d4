//! The agent that stays: tokio at the edges, one thread that owns the service, threads for long steps.
//!
//! This thread runs sockets, signals and timers, and decides nothing: what comes in is a message to the engine's
//! thread, and what goes out is its answer. A stop anywhere is what a crash is, and the next start takes it up; an
//! orderly end only leaves less to take up.

mod api;
mod control;
mod crew;
mod doors;
mod guest;
mod hands;
mod hints;
mod log;
mod manager;
mod seats;
mod watching;
mod writer;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64, mpsc},
    thread,
    time::Duration,
};

use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
    sync::{Semaphore, oneshot, watch},
    time::{Instant, interval_at, timeout},
};

use crate::{
    domain::limits,
    error::{Error, Exit},
    service::{Result, resident::Tally},
    wiring::{self, Confined, Hooks, Remote, Settings},
};
use control::Door;
use crew::Crew;
use doors::Doors;
use guest::House;
use hints::Hints;
use manager::Manager;
use watching::Watching;
use writer::{Message, Ready};

/// What only the test build sets.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// The engine's thread hangs while this file is there.
    pub hang: Option<PathBuf>,
    /// Filesystems are taken for such without events.
    pub without_events: bool,
}

/// Stays until it is told to end.
///
/// # Errors
/// The site cannot be opened, another agent has it or its socket, or the register can no longer be written.
pub fn run(config: PathBuf, hooks: Hooks, faults: Faults) -> Result<()> {
    let settings = wiring::settings(&config)?;
    log::begin(settings.log)?;
    control::folder(Door::control(&settings.socket))?;
    if let Some(api) = &settings.api {
        control::folder(Door::services(api))?;
    }
    // Nothing can be started once this process has confined itself.
    let remote = wiring::courier(&config)?;
    // Before another thread runs: what a thread gives up, only those that it starts later have given up too.
    let confined = wiring::confine(&config)?;
    if !confined.is_in_force() {
        tracing::warn!(why = confined.words(), "the process could not confine itself");
    }
    let runtime =
        Builder::new_current_thread().enable_all().build().map_err(|error| cannot(&error))?;
    let crew = Crew::default();
    let done =
        runtime.block_on(Agent::stay(config, hooks, faults, settings, (confined, remote), &crew));
    // Whoever is still connected does not keep the process.
    runtime.shutdown_background();
    crew.wait();
    done
}

fn out_of_reach() -> Error {
    Error::new(Exit::Later, "a folder came or was mounted since the start, and is out of reach")
        .hint("the service manager starts the agent again, which then reaches it")
}

fn cannot(error: &std::io::Error) -> Error {
    Error::new(Exit::Unavailable, format!("the agent cannot start: {error}"))
}

struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
        })
    }

    /// Somebody wants the agent to end.
    async fn end(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

/// The edges.
struct Agent {
    engine: mpsc::Sender<Message>,
    ended: oneshot::Receiver<Result<()>>,
    manager: Manager,
    tally: watch::Receiver<Tally>,
    signals: Signals,
    settings: Settings,
    config: PathBuf,
    confined: Confined,
}

/// Why the agent stops serving.
enum End {
    /// It was told to.
    Told,
    /// A folder that came later is out of reach of a process that has confined itself.
    TooFar,
    /// The engine's thread is gone.
    Gone(Result<()>),
}

impl Agent {
    async fn stay(
        config: PathBuf,
        hooks: Hooks,
        faults: Faults,
        settings: Settings,
        (confined, remote): (Confined, Option<Remote>),
        crew: &Crew,
    ) -> Result<()> {
        let signals = Signals::new().map_err(|error| cannot(&error))?;
        let pulse = Arc::new(AtomicU64::new(0));
        let hints = Arc::new(Hints::default());
        let (engine, messages) = mpsc::channel();
        let (watching, told) = mpsc::channel();
        let (tally, tallied) = watch::channel(Tally::default());
        let (opened, ready) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let start = writer::Start {
            config: config.clone(),
            hooks,
            settings: settings.clone(),
            messages,
            back: engine.clone(),
            hints: Arc::clone(&hints),
            pulse: Arc::clone(&pulse),
            tally,
            watching: watching.clone(),
            hang: faults.hang,
            remote,
            crew: crew.clone(),
        };
        let run = move || {
            let _ = end.send(writer::run(start, opened));
        };
        crew.start("engine", run).map_err(|error| cannot(&error))?;
        let manager = Manager::new(pulse);
        let mut agent = Self {
            engine: engine.clone(),
            ended,
            manager,
            tally: tallied,
            signals,
            settings,
            config,
            confined: confined.clone(),
        };
        let Some(ready) = agent.opened(ready).await? else { return agent.end().await };
        let doors = match Doors::open(&agent.settings) {
            Ok(doors) => doors,
            Err(error) => {
                agent.end().await?;
                return Err(error);
            }
        };
        let (far, too_far) = watch::channel(false);
        let from =
            watching::From { events: watching, hints, engine, clock: clock(), confined, far };
        let watcher = Watching::new(from, faults.without_events);
        // Not of the crew: it has no vault to do with, and may wait for a filesystem for as long as that likes.
        let thread = thread::Builder::new().name("watching".to_owned());
        thread.spawn(move || watcher.stay(&told)).map_err(|error| cannot(&error))?;
        let (ending, endings) = watch::channel(false);
        let end = agent.serve(&doors, ready, endings, too_far, crew).await;
        // Nothing new is answered; what was asked before still is.
        drop(doors);
        let _ = ending.send(true);
        match end {
            End::Told => agent.end().await,
            End::TooFar => {
                agent.end().await?;
                Err(out_of_reach())
            }
            End::Gone(done) => done,
        }
    }

    /// Waits until the site is open; nothing where the agent is to end before that.
    async fn opened(&mut self, ready: oneshot::Receiver<Ready>) -> Result<Option<Ready>> {
        tokio::select! {
            ready = ready => match ready {
                Ok(ready) => Ok(Some(ready)),
                Err(_) => match (&mut self.ended).await {
                    Ok(Err(error)) => Err(error),
                    _ => Err(lost()),
                },
            },
            () = self.signals.end() => Ok(None),
        }
    }

    async fn serve(
        &mut self,
        doors: &Doors,
        ready: Ready,
        ending: watch::Receiver<bool>,
        mut too_far: watch::Receiver<bool>,
        crew: &Crew,
    ) -> End {
        let house = Arc::new(House {
            engine: self.engine.clone(),
            origin: ready.origin,
            owner: rustix::process::geteuid().as_raw(),
            long: Arc::new(Semaphore::new(limits::LONG_REQUESTS_MAX)),
            verifying: Arc::new(Semaphore::new(limits::VERIFYING_MAX)),
            ending,
            crew: crew.clone(),
        });
        let every = self.manager.every();
        let mut beat = interval_at(Instant::now() + every, every);
        self.manager.status(log::line(&self.tally.borrow()));
        self.manager.ready();
        tracing::info!("ready");
        let mut reload = None;
        loop {
            tokio::select! {
                knock = doors.knock() => match knock {
                    Ok(knock) => doors.let_in(knock, &house),
                    // The next one is tried, in a moment.
                    Err(_) => tokio::time::sleep(Duration::from_millis(limits::ACCEPT_MS)).await,
                },
                _ = self.signals.term.recv() => return End::Told,
                _ = self.signals.int.recv() => return End::Told,
                _ = self.signals.hup.recv() => {
                    self.manager.reloading();
                    let (answer, answered) = oneshot::channel();
                    let _ = self.engine.send(Message::Reload(answer));
                    reload = Some(answered);
                }
                done = answered(&mut reload), if reload.is_some() => {
                    reload = None;
                    self.reloaded(done);
                    self.manager.ready();
                }
                // Only whom somebody starts again may end for that; anybody else goes on with what is in reach.
                Ok(()) = too_far.changed(), if self.manager.is_there() => return End::TooFar,
                _ = beat.tick() => {
                    self.manager.beat();
                    let line = log::line(&self.tally.borrow());
                    self.manager.status(line);
                }
                done = &mut self.ended => return End::Gone(done.unwrap_or_else(|_| Err(lost()))),
            }
        }
    }

    fn reloaded(&mut self, done: Result<Settings>) {
        match done {
            Ok(now) => {
                // Also of links that wait for a second person: the restart can come before the confirmation.
                for link in self.confined.out_of_reach(&self.config).unwrap_or_default() {
                    tracing::warn!(
                        link,
                        "its folders are out of reach until the agent starts again"
                    );
                }
                let before = &self.settings;
                if (before.workers, before.log) != (now.workers, now.log) {
                    tracing::warn!(
                        "another number of workers or level of the log counts from the next start on"
                    );
                }
            }
            Err(error) => {
                for line in error.what.lines() {
                    tracing::error!(
                        line,
                        "the configuration could not be read: what was in force stays"
                    );
                }
            }
        }
    }

    /// Ends in order: what runs may finish within a bound; a second signal, or the bound, leaves it to the next start.
    async fn end(mut self) -> Result<()> {
        self.manager.stopping();
        tracing::info!("stopping");
        let _ = self.engine.send(Message::Stop);
        let bound = Duration::from_secs(limits::STOP_SECONDS_MAX + limits::PULSE_SECONDS);
        tokio::select! {
            done = timeout(bound, &mut self.ended) => match done {
                Ok(done) => done.unwrap_or_else(|_| Err(lost())),
                // It hangs, and what it holds is safe as after a crash.
                Err(_) => Err(Error::new(Exit::Failed, "the engine did not end in time")),
            },
            () = self.signals.end() => Err(Error::new(Exit::Failed, "told twice to end: left at once")),
        }
    }
}

async fn answered(reload: &mut Option<oneshot::Receiver<Result<Settings>>>) -> Result<Settings> {
    match reload {
        Some(answer) => answer.await.unwrap_or_else(|_| Err(lost())),
        None => std::future::pending().await,
    }
}

fn lost() -> Error {
    Error::new(Exit::Failed, "the engine's thread is gone")
        .hint("the lines logged before this say why")
}

/// Time since this was called, for a thread without a runtime.
fn clock() -> Box<dyn Fn() -> Duration + Send> {
    let start = Instant::now();
    Box::new(move || start.elapsed())
}
