//! What only the agent that stays asks of the service: turns, jobs that came back, hints, and how things stand.

use std::collections::BTreeMap;

use super::{Result, Service};
use crate::{
    domain::{lifecycle::BatchState, time::Timestamp},
    engine::{Hint, Observer, Turn, jobs::Done},
};

/// How things stand, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Batches by state, states without any left out.
    pub batches: BTreeMap<&'static str, usize>,
    /// Long steps that run.
    pub running: usize,
}

/// Where deliveries and keys of a link arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrivals {
    /// The link.
    pub link: String,
    /// Its inbox.
    pub inbox: std::path::PathBuf,
    /// Its keybox.
    pub keybox: std::path::PathBuf,
}

impl Service {
    /// Does one bounded unit of work.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn turn(&mut self) -> Result<Turn> {
        Ok(self.engine.turn()?)
    }

    /// Reads again a piece of what the start took from the cache of the fold; where nothing of it is left, keeps the
    /// fold if it is time for that. True while there is more to read.
    ///
    /// # Errors
    /// An entry is not what was committed, or the register cannot be read.
    pub fn look_back(&mut self) -> Result<bool> {
        let more = self.engine.read_past()?;
        if !more {
            self.engine.keep_fold(false)?;
        }
        Ok(more)
    }

    /// Keeps the fold for the next start.
    ///
    /// # Errors
    /// The register cannot be read.
    pub fn keep_fold(&mut self) -> Result<()> {
        Ok(self.engine.keep_fold(true)?)
    }

    /// Takes back a job that has run.
    ///
    /// # Errors
    /// The register cannot be written; a later turn begins the step again.
    pub fn conclude(&mut self, done: Done) -> Result<()> {
        self.engine.conclude(done)?;
        Ok(())
    }

    /// Takes into account what may have changed outside.
    pub fn hint(&mut self, hint: &Hint) {
        self.engine.hint(hint);
    }

    /// When time itself brings something about next.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.engine.next_wake()
    }

    /// Milliseconds since boot.
    #[must_use]
    pub fn boot_millis(&self) -> i64 {
        self.engine.ports.clock.boot_millis()
    }

    /// Publishes what was recorded since.
    ///
    /// # Errors
    /// A file cannot be written; the next time repeats it.
    pub fn publish(&mut self) -> Result<()> {
        Ok(self.engine.ports.journal.publish()?)
    }

    /// Has every new entry told to somebody.
    pub fn observe(&mut self, observer: Observer) {
        self.engine.observers.push(observer);
    }

    /// Entries in the register.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.engine.view.size
    }

    /// How things stand.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let counts =
            BatchState::ALL.iter().map(|state| (state.word(), self.engine.view.count_in(*state)));
        Tally {
            batches: counts.filter(|(_, count)| *count > 0).collect(),
            running: self.engine.progress().len(),
        }
    }

    /// Where something may arrive.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrivals> {
        let links = self.engine.rules.links.values();
        let arrivals = links.map(|link| Arrivals {
            link: link.name.clone(),
            inbox: link.inbox.clone(),
            keybox: link.keybox.clone(),
        });
        arrivals.collect()
    }

    /// Links whose inbox or keybox could not be read at the last look.
    #[must_use]
    pub fn unread(&self) -> Vec<String> {
        self.engine.unread().keys().cloned().collect()
    }
}
