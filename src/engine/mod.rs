//! Orders effects: plan, record the intent, apply, record the outcome. Recovery is the ordinary start.
//!
//! The engine knows ports, no adapter; it is synchronous; and it is the only writer of the register. What it holds
//! in memory is the fold of the register and can be thrown away at any time.

pub mod access;
mod audits;
pub mod case;
pub mod due;
pub mod expected;
mod fold;
mod group;
pub mod health;
mod inboxes;
pub mod intake;
pub mod jobs;
mod links;
mod meter;
pub mod notices;
mod people;
pub mod ports;
pub mod rules;
mod run;
mod samples;
pub mod sources;
pub mod standing;
pub mod steps;
mod turn;

use std::collections::BTreeMap;

use fold::Past;
use inboxes::Inboxes;
pub use inboxes::{Stray, Waiting};
use jobs::{Hands, Inline, Running};
use ports::{PortError, Ports};
use rules::Rules;
use turn::Todo;
pub use turn::{Hint, Turn};

use crate::domain::{
    entry::{AGENT, Body, Entry, EntryError, Failure},
    ids::{AppointmentId, KeyId},
    limits,
    secret::Secret,
    step::Outcome,
    time::Timestamp,
    view::{FoldError, Mark, View},
};

/// The code of what only room on a disk mends.
pub const DISK_FULL: &str = limits::DISK_FULL;

/// Why the engine stopped. Nothing that a batch did wrong is here: that is a verdict.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The clock went back further than is waited out.
    #[error("the clock is {behind} s behind the last entry of the register ({last})")]
    ClockBack {
        /// Seconds.
        behind: i64,
        /// Time of the last entry.
        last: Timestamp,
    },
    /// The register is not one that this program wrote.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// An entry cannot be written or read.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The outside.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// How a step ended that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The outside failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// It cannot work by itself.
    #[error("{0}")]
    Stuck(&'static str),
    /// It may work later.
    #[error("{0}")]
    Later(&'static str),
}

impl StepError {
    const fn failure(&self) -> Failure {
        match self {
            Self::Port(PortError::Later { .. }) | Self::Later(_) => Failure::Later,
            Self::Port(PortError::Stuck { .. }) | Self::Stuck(_) => Failure::Stuck,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Port(port) => port.code(),
            Self::Stuck(code) | Self::Later(code) => code,
        }
    }
}

/// A step that ran to its end.
#[derive(Clone, Debug)]
pub enum Ran {
    /// With this outcome.
    Done(Outcome),
    /// Without; the failure is recorded.
    Failed(Failure, String),
    /// Its long part runs on another thread; [`Engine::conclude`] ends it.
    Running,
}

/// Told of every entry that is appended; one that answers `false` is asked no more.
pub type Observer = Box<dyn FnMut(u64, &Entry) -> bool>;

/// The engine.
pub struct Engine {
    /// The fold of the register.
    pub view: View,
    /// What the configuration in force says.
    pub rules: Rules,
    /// Everything outside.
    pub ports: Ports,
    /// Secrets that a person has just submitted, until their step has taken them.
    submitted: BTreeMap<KeyId, Secret>,
    /// Wall and boot clock when the engine was opened, or the time confirmed, to see jumps.
    opened: (Timestamp, i64),
    /// Messages for the person at the screen, about steps that failed.
    pub notes: Vec<String>,
    /// The first thing that only room on a disk mends, since it was last taken.
    pub full: Option<String>,
    /// Who is told of each new entry.
    pub observers: Vec<Observer>,
    /// Where long parts of steps run.
    hands: Box<dyn Hands>,
    /// Whether this is the resident agent: it looks again by itself, so that what failed can wait its time.
    resident: bool,
    /// The jobs that run, by the entry of their intent.
    running: BTreeMap<u64, Running>,
    /// What may be possible now.
    todo: Todo,
    /// What is known of the inboxes.
    inboxes: Inboxes,
    /// Entries that the start took from the cache and that nobody has read again yet.
    past: Option<Past>,
    /// Entries that the fold covered which was kept last.
    kept: u64,
    /// What is to be done with servers.
    fetching: sources::Fetching,
    /// What is known of expected deliveries.
    expecting: expected::Expectations,
    /// Who acts for somebody else now, and by which appointment: what he records says so.
    pub acting: Option<(String, AppointmentId)>,
    /// The account that asks, and the number of the system user it asks from.
    pub seat: Option<(String, u32)>,
}

impl Engine {
    /// Folds the register. Nothing is written; [`Engine::recover`] follows before anything else does.
    ///
    /// # Errors
    /// The register cannot be read, or is not one that this program wrote.
    pub fn open(ports: Ports, rules: Rules) -> Result<Self, EngineError> {
        let opened = (ports.clock.now(), ports.clock.boot_millis());
        let mut engine = Self {
            view: View::default(),
            past: None,
            rules,
            ports,
            submitted: BTreeMap::new(),
            opened,
            notes: Vec::new(),
            full: None,
            observers: Vec::new(),
            acting: None,
            seat: None,
            hands: Box::new(Inline),
            resident: false,
            running: BTreeMap::new(),
            todo: Todo::default(),
            inboxes: Inboxes::default(),
            kept: 0,
            fetching: sources::Fetching::default(),
            expecting: expected::Expectations::default(),
        };
        engine.view = engine.remembered()?;
        engine.past = engine.taken_on_trust()?;
        engine.refresh()?;
        Ok(engine)
    }

    /// Has long steps run by `hands` from now on.
    pub fn employ(&mut self, hands: Box<dyn Hands>) {
        self.hands = hands;
    }

    /// Makes this the resident agent, whose long steps run elsewhere. Before [`Engine::recover`].
    pub fn reside(&mut self, hands: Box<dyn Hands>) {
        self.hands = hands;
        self.resident = true;
    }

    /// Whether this is the resident agent.
    #[must_use]
    pub const fn is_resident(&self) -> bool {
        self.resident
    }

    /// Takes entries that another process appended since.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn refresh(&mut self) -> Result<(), EngineError> {
        let view = &mut self.view;
        let from = view.size;
        self.ports.journal.fold(from, &mut |seq, entry, leaf| Ok(view.apply(seq, entry, leaf)?))
    }

    /// Records one entry. After this line it counts.
    ///
    /// # Errors
    /// The clock went back, the disk is full: nothing was written.
    pub fn record(&mut self, by: &str, body: Body) -> Result<Mark, EngineError> {
        let at = self.entry_time()?;
        self.doubt_time(at)?;
        self.append(at, by, body)
    }

    fn append(&mut self, at: Timestamp, by: &str, body: Body) -> Result<Mark, EngineError> {
        let (seq, digest) = self.append_all(at, by, vec![body])?;
        Ok(Mark { seq, digest, at })
    }

    /// Entry times never go back: a step back of under 2 s is waited out, a larger one refuses to write.
    fn entry_time(&self) -> Result<Timestamp, EngineError> {
        self.time_after(self.view.last_at)
    }

    /// The time of an entry that follows one of this time.
    fn time_after(&self, last: Option<Timestamp>) -> Result<Timestamp, EngineError> {
        let now = self.ports.clock.now();
        let Some(last) = last else { return Ok(now) };
        let behind = last.millis() - now.millis();
        if behind <= 0 {
            return Ok(now);
        }
        if behind > limits::CLOCK_BACK_MS_MAX {
            return Err(EngineError::ClockBack { behind: (behind + 999) / 1000, last });
        }
        self.ports.clock.wait_millis(behind);
        Ok(self.ports.clock.now().max(last))
    }

    /// Wall and boot clock must move together, and the wall clock must not have leapt since the last entry.
    fn doubt_time(&mut self, now: Timestamp) -> Result<(), EngineError> {
        if self.view.time_doubted {
            return Ok(());
        }
        let wall = now.millis() - self.opened.0.millis();
        let boot = self.ports.clock.boot_millis() - self.opened.1;
        let drift = (wall - boot) / 1000;
        let gap = self.view.last_at.map_or(0, |last| (now.millis() - last.millis()) / 1000);
        let seconds = if drift.abs() > self.rules.clock_jump_max_seconds {
            drift
        } else if gap > self.rules.start_gap_max_seconds {
            gap
        } else {
            return Ok(());
        };
        self.append(now, AGENT, Body::TimeDoubted { seconds })?;
        Ok(())
    }

    /// Keeps a secret for the step that will take it.
    pub fn hand_over(&mut self, key: KeyId, secret: Secret) {
        self.submitted.insert(key, secret);
    }
}

/// Names of slots in the key store.
pub mod slots {
    use crate::domain::{
        digest::Digest,
        ids::{BatchId, CopyId, KeyId},
        view::SampleKey,
    };

    /// The register key.
    pub const REGISTER: &str = "register";
    /// What the code over the cache of the fold is made with.
    pub const FOLD: &str = "fold";
    /// What the days of audits without notice are drawn with.
    pub const AUDIT_DAYS: &str = "audit-days";
    /// The standing age identity.
    pub const STANDING: &str = "standing";
    /// The SSH client key, 32 secret bytes of Ed25519.
    pub const SSH_CLIENT: &str = "ssh-client";

    /// Key of a batch's record in the erasable store.
    #[must_use]
    pub fn case(batch: BatchId) -> String {
        format!("case:{batch}")
    }

    /// Identity that a batch's claimed files are sealed to.
    #[must_use]
    pub fn spool(batch: BatchId) -> String {
        format!("spool:{batch}")
    }

    /// Key of a vault.
    #[must_use]
    pub fn vault(copy: CopyId) -> String {
        format!("vault:{copy}")
    }

    /// The key of a package, by its first copy.
    #[must_use]
    pub fn package(copy: CopyId) -> String {
        format!("package:{copy}")
    }

    /// A key that came.
    #[must_use]
    pub fn key(key: KeyId) -> String {
        format!("key:{key}")
    }

    /// HMAC key of a link.
    #[must_use]
    pub fn link(link: &str) -> String {
        format!("link:{link}")
    }

    /// Identity that seals a link's access entries of a month.
    #[must_use]
    pub fn access(link: &str, month: &str) -> String {
        format!("access:{link}:{month}")
    }

    /// Seed of a sample of the access log. A slot's name has 64 bytes, and a link's has up to 48: the three are digested.
    #[must_use]
    pub fn sample((link, class, period): &SampleKey) -> String {
        let digest = Digest::of(format!("{link}\n{class}\n{period}").as_bytes());
        format!("seed:{:.32}", digest.to_string())
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::domain::sampling::SampleClass;

        #[test]
        fn the_slot_of_a_seed_is_short_enough_for_every_link_and_of_one_sample_alone() {
            let mut seen = std::collections::BTreeSet::new();
            for link in ["a".repeat(48), "a".repeat(47)] {
                for class in [SampleClass::Ordinary, SampleClass::Kinship] {
                    for period in ["2026-11", "2026-H2"] {
                        let slot = sample(&(link.clone(), class, period.to_owned()));
                        assert_eq!(slot.len(), 37);
                        assert!(slot.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':'));
                        assert!(seen.insert(slot));
                    }
                }
            }
        }
    }
}
