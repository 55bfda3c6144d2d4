//! The one thread that owns the service, and so the register: commands first, then one bounded unit of work, then
//! whatever comes next.
//!
//! Everything else talks to it by messages. It moves a counter each time that it comes round; who watches that it
//! lives looks at the counter and nothing else.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::Duration,
};

use tokio::sync::{oneshot, watch};

use super::{crew::Crew, hands::Threads, hints::Hints, log, watching::Told};
use crate::{
    domain::{
        ids::{BatchId, KeyId},
        limits,
        time::Timestamp,
    },
    engine::{Hint, Turn, jobs::Done},
    error::{Error, Exit},
    protocol::SignedBy,
    service::{
        Caller, Command, Query, Reply, Result, Service,
        inspecting::Inspection,
        onlooker::Onlooker,
        query::Answer,
        reading::Reading,
        resident::{Arrivals, Tally},
        serving::{Declared, Served, Shown},
        verifying::{Verification, Verified},
    },
    wiring::{self, Hooks, Remote, Settings},
};

/// Where an answer goes. Whoever asked may have gone; what was asked counts all the same.
pub(super) type Answering<T> = oneshot::Sender<Result<T>>;

/// What the engine's thread is told.
pub(super) enum Message {
    /// Somebody looks something up.
    Look(Onlooker, Box<Query>, Answering<Answer>),
    /// Whether somebody may look things up.
    Known(Onlooker, Answering<bool>),
    /// An account proves itself by signing a challenge.
    Identify(SignedBy, String, Answering<Onlooker>),
    /// Somebody does something.
    Act(Caller, Box<Command>, Answering<(Reply, Vec<String>)>),
    /// Somebody is about to read rows.
    Declare(Caller, Box<Reading>, Answering<Declared>),
    /// A service asks.
    Verify(Caller, Box<Verification>, Answering<Verified>),
    /// Somebody is about to read the access log.
    Inspect(Caller, Box<Inspection>, Answering<Declared>),
    /// Rows were read.
    Shown(Shown, Answering<Served>),
    /// A job has run.
    Done(Done),
    /// There are hints.
    Hinted,
    /// The files are to be read again.
    Reload(Answering<Settings>),
    /// The agent ends.
    Stop,
}

/// What the engine's thread starts with.
pub(super) struct Start {
    pub(super) config: PathBuf,
    pub(super) hooks: Hooks,
    pub(super) settings: Settings,
    pub(super) messages: Receiver<Message>,
    pub(super) back: Sender<Message>,
    pub(super) hints: Arc<Hints>,
    pub(super) pulse: Arc<AtomicU64>,
    pub(super) tally: watch::Sender<Tally>,
    pub(super) watching: Sender<Told>,
    /// A file of the test build: while it is there, the thread hangs.
    pub(super) hang: Option<PathBuf>,
    /// What reaches servers, where a link has one.
    pub(super) remote: Option<Remote>,
    /// Whom the process waits for at its end.
    pub(super) crew: Crew,
}

/// What is known once the site is open.
pub(super) struct Ready {
    /// Origin of the register.
    pub(super) origin: String,
}

/// Opens the site, says so, and stays until it is told to end.
///
/// # Errors
/// The site cannot be opened, or the register can no longer be written.
pub(super) fn run(start: Start, ready: oneshot::Sender<Ready>) -> Result<()> {
    let hands =
        Threads::start(start.settings.workers, &start.back, &start.crew).map_err(|error| {
            Error::new(Exit::Unavailable, format!("a thread cannot be started: {error}"))
        })?;
    let observer = log::observer();
    let back = start.back.clone();
    let wake = Arc::new(move || drop(back.send(Message::Hinted)));
    let remote = start.remote.clone().map(|remote| remote.waking(wake));
    let service = wiring::resident(&start.config, &start.hooks, Box::new(hands), observer, remote)?;
    let mut thread = Thread {
        next_scan: 0,
        wake: None,
        rests_until: 0,
        published: 0,
        told: (0, Tally::default()),
        arrivals: Vec::new(),
        metrics: false,
        unread: Vec::new(),
        stopping: None,
        trials: Vec::new(),
        service,
        start,
    };
    thread.tell_arrivals();
    let origin = thread.service.ask(Query::Site)?;
    let Answer::Site(site) = origin else { return Err(Error::new(Exit::Failed, "no site")) };
    let _ = ready.send(Ready { origin: site.origin });
    let done = thread.stay();
    let published = thread.service.publish();
    done.and(published).and_then(|()| thread.service.keep_fold())
}

struct Thread {
    service: Service,
    start: Start,
    /// When everything is scanned next, in milliseconds since boot.
    next_scan: i64,
    /// When time brings something about.
    wake: Option<Timestamp>,
    /// Until when no work is begun, after the register could not be written.
    rests_until: i64,
    /// When the register's files were published last.
    published: i64,
    /// Entries and tally that were last told.
    told: (u64, Tally),
    arrivals: Vec<Arrivals>,
    /// Whether metrics are to be put: once after each scan.
    metrics: bool,
    unread: Vec<String>,
    /// When it gives up what still runs.
    stopping: Option<i64>,
    /// Who submitted a key that is being tried.
    trials: Vec<Trial>,
}

/// Somebody who waits for the verdict on a key.
struct Trial {
    batch: BatchId,
    key: KeyId,
    /// Until when, in milliseconds since boot.
    until: i64,
    notes: Vec<String>,
    answer: Answering<(Reply, Vec<String>)>,
}

impl Thread {
    fn stay(&mut self) -> Result<()> {
        loop {
            self.start.pulse.fetch_add(1, Ordering::SeqCst);
            self.hang();
            self.messages()?;
            self.verdicts();
            if self.has_ended() {
                return Ok(());
            }
            let now = self.service.boot_millis();
            let turn = if self.stopping.is_some() || now < self.rests_until {
                Turn::Idle
            } else {
                self.notice(now);
                self.worked()?
            };
            self.tell(now, turn)?;
            if turn == Turn::Idle && !self.looked_back(now)? {
                self.wait(now)?;
            }
        }
    }

    /// Whether there was something to read again of what the start took from a cache.
    fn looked_back(&mut self, now: i64) -> Result<bool> {
        if self.stopping.is_some() || now < self.rests_until {
            return Ok(false);
        }
        match self.service.look_back() {
            Ok(more) => Ok(more),
            Err(error) => self.survive(error).map(|()| false),
        }
    }

    /// Messages that have come, for as long as work can wait: who asks without end does not stop it.
    fn messages(&mut self) -> Result<()> {
        let until = self.service.boot_millis() + limits::MESSAGES_MS_MAX;
        for _ in 0..limits::MESSAGES_A_TURN {
            match self.start.messages.try_recv() {
                Ok(message) => self.take(message)?,
                Err(_) => break,
            }
            if self.service.boot_millis() > until {
                break;
            }
        }
        Ok(())
    }

    /// One unit of work.
    fn worked(&mut self) -> Result<Turn> {
        match self.service.turn() {
            Ok(turn) => Ok(turn),
            Err(error) => self.survive(error).map(|()| Turn::Idle),
        }
    }

    /// What may pass by itself (a full disk, a clock that went back) is waited out; everything else ends the agent.
    fn survive(&mut self, error: Error) -> Result<()> {
        if error.exit != Exit::Later {
            return Err(error);
        }
        log::cannot_write(&error);
        self.rests_until = self.service.boot_millis() + limits::REST_MS;
        self.next_scan = 0;
        Ok(())
    }

    /// Takes hints, the clock and the time of the next scan into account.
    fn notice(&mut self, now: i64) {
        for hint in self.start.hints.take() {
            self.service.hint(&hint);
        }
        if now >= self.next_scan {
            self.service.hint(&Hint::All);
            let every = i64::try_from(self.start.settings.scan_every.as_millis());
            self.next_scan = now.saturating_add(every.unwrap_or(i64::MAX));
            self.metrics = true;
        }
        if self.wake.is_some_and(|wake| wake <= self.service.now()) {
            self.wake = None;
            self.service.hint(&Hint::Time);
        }
    }

    /// Waits for the next message, or until something is due.
    fn wait(&mut self, now: i64) -> Result<()> {
        self.wake = self.service.next_wake();
        let pulse = i64::try_from(limits::PULSE_SECONDS * 1000).unwrap_or(i64::MAX);
        let mut millis = pulse;
        if now < self.rests_until || self.stopping.is_some() {
            millis = millis.min(limits::REST_MS / 10);
        } else {
            millis = millis.min(self.next_scan - now);
            if let Some(wake) = self.wake {
                millis = millis.min(wake.millis() - self.service.now().millis() + 1);
            }
            if let Some(until) = self.trials.iter().map(|trial| trial.until).min() {
                millis = millis.min(until - now);
            }
        }
        let wait = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        match self.start.messages.recv_timeout(wait) {
            Ok(message) => self.take(message),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
        }
    }

    fn take(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Done(done) => {
                if let Err(error) = self.service.conclude(done) {
                    self.survive(error)?;
                }
            }
            Message::Hinted => {}
            Message::Stop => {
                let bound = i64::try_from(limits::STOP_SECONDS_MAX * 1000).unwrap_or(i64::MAX);
                self.stopping = Some(self.service.boot_millis() + bound);
            }
            Message::Shown(shown, answer) => {
                let _ = answer.send(self.service.shown(shown));
            }
            asked => self.answer(asked),
        }
        Ok(())
    }

    /// Answers somebody; nobody new once the agent ends.
    fn answer(&mut self, message: Message) {
        let ends = self.stopping.is_some();
        match message {
            Message::Look(who, query, answer) => {
                let done = if ends { Err(ending()) } else { self.service.look(&who, *query) };
                let _ = answer.send(done);
            }
            Message::Known(who, answer) => {
                let _ = answer.send(Ok(self.service.is_known(&who)));
            }
            Message::Identify(by, challenge, answer) => {
                let _ = answer.send(self.service.identify(&by.name, &by.signed, &challenge));
            }
            Message::Act(caller, command, answer) => {
                if ends {
                    let _ = answer.send(Err(ending()));
                } else {
                    self.act(&caller, *command, answer);
                }
            }
            Message::Declare(caller, reading, answer) => {
                let done =
                    if ends { Err(ending()) } else { self.service.declare(&caller, &reading) };
                let _ = answer.send(done);
            }
            Message::Verify(caller, asked, answer) => {
                let done = if ends { Err(ending()) } else { self.service.verify(&caller, *asked) };
                let _ = answer.send(done);
            }
            Message::Inspect(caller, inspection, answer) => {
                let done = if ends {
                    Err(ending())
                } else {
                    self.service.declare_inspection(&caller, &inspection)
                };
                let _ = answer.send(done);
            }
            Message::Reload(answer) => {
                let done = if ends { Err(ending()) } else { self.reload() };
                let _ = answer.send(done);
            }
            Message::Shown(..) | Message::Done(_) | Message::Hinted | Message::Stop => {}
        }
    }

    /// Does one thing and answers; whoever submits a key waits a little for what comes of it.
    fn act(&mut self, caller: &Caller, command: Command, answer: Answering<(Reply, Vec<String>)>) {
        let submitted = match &command {
            Command::KeySubmit { batch, .. } => Some(*batch),
            _ => None,
        };
        // What steps of others left to tell is not for this caller.
        let _ = self.service.notes();
        let done = self.service.handle(caller, command);
        let notes = self.service.notes();
        if done.is_ok() {
            self.tell_arrivals();
        }
        if let (Ok(_), Some(batch)) = (&done, submitted)
            && let Some(key) = self.service.key_on_trial(batch)
        {
            let until = self.service.boot_millis() + limits::KEY_TRIAL_MS_MAX;
            self.trials.push(Trial { batch, key, until, notes, answer });
            return;
        }
        let _ = answer.send(done.map(|reply| (reply, notes)));
    }

    /// Answers those whose key has been tried, or who have waited long enough.
    fn verdicts(&mut self) {
        let (now, ends) = (self.service.boot_millis(), self.stopping.is_some());
        let service = &self.service;
        let over = |trial: &mut Trial| {
            ends || now >= trial.until || service.key_on_trial(trial.batch) != Some(trial.key)
        };
        for Trial { batch, key, notes, answer, .. } in self.trials.extract_if(.., over) {
            let _ = answer.send(service.key_verdict(batch, key).map(|reply| (reply, notes)));
        }
    }

    fn reload(&mut self) -> Result<Settings> {
        self.service.reload()?;
        let settings = wiring::settings(&self.start.config)?;
        // The socket, the threads and the level of the log are those of the start.
        self.start.settings.scan_every = settings.scan_every;
        self.next_scan = 0;
        self.tell_arrivals();
        Ok(settings)
    }

    fn has_ended(&self) -> bool {
        let Some(bound) = self.stopping else { return false };
        let running = self.service.tally().running;
        if running > 0 && self.service.boot_millis() < bound {
            return false;
        }
        log::stopped(running);
        true
    }

    fn tell_arrivals(&mut self) {
        let arrivals = self.service.arrivals();
        if arrivals != self.arrivals {
            let _ = self.start.watching.send(Told::Arrivals(arrivals.clone()));
            self.arrivals = arrivals;
        }
    }

    /// Publishes the register's files and says how things stand: when there is time for it, and in any case now and
    /// then.
    fn tell(&mut self, now: i64, turn: Turn) -> Result<()> {
        let size = self.service.size();
        if turn == Turn::Busy && now - self.published < limits::TELL_MS_MAX {
            return Ok(());
        }
        self.published = now;
        // Steps that failed are in the register, and logged from there; what else they said may name paths.
        let _ = self.service.notes();
        let unread = self.service.unread();
        if unread != self.unread {
            log::unread(&self.unread, &unread);
            self.unread = unread;
        }
        if turn == Turn::Idle && std::mem::take(&mut self.metrics) {
            log::metrics(self.service.put_metrics());
            log::notices(self.service.put_notices());
        }
        if let Err(error) = self.service.publish() {
            self.survive(error)?;
        }
        let tally = self.service.tally();
        if self.told != (size, tally.clone()) {
            self.start.tally.send_replace(tally.clone());
            self.told = (size, tally);
        }
        Ok(())
    }

    /// The test build hangs on demand, to show that nobody takes a hanging thread for a living one.
    fn hang(&self) {
        #[cfg(feature = "test-hooks")]
        while self.start.hang.as_ref().is_some_and(|file| file.exists()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        #[cfg(not(feature = "test-hooks"))]
        let _ = &self.start.hang;
    }
}

fn ending() -> Error {
    Error::new(Exit::Later, "the agent is ending").hint("run the command again when it has started")
}
