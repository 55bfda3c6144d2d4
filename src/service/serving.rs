//! Rows on their way out: the part of a reading that needs nothing of the register.
//!
//! It stops before its next row when its time is over by the clock, when its cap is reached, or when the engine's
//! thread has recorded what takes it back; whatever happens to the agent, no row comes after the absolute end.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    domain::{entry::Body, ids::GrantId, time::Timestamp},
    engine::ports::{Clock, Flow, VaultKey, VaultRead, Vaults},
    error::{Error, Exit},
};

/// What was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Rows.
    pub rows: u64,
    /// Why it ended before its end.
    pub ended: Option<&'static str>,
}

/// Where rows go: the field names once, then each row.
pub trait Rows {
    /// The granted fields, in order; called once, after the asking is committed.
    ///
    /// # Errors
    /// The output is closed.
    fn begin(&mut self, fields: &[String]) -> std::io::Result<()>;
    /// One row.
    ///
    /// # Errors
    /// The output is closed.
    fn row(&mut self, values: &[String]) -> std::io::Result<()>;
}

/// Under what a reading is served.
#[derive(Clone, Debug)]
pub struct Terms {
    pub(super) grant: GrantId,
    pub(super) holder: String,
    /// The link's file, as changes of the configuration name it.
    pub(super) link_file: String,
    /// The earliest end of the grant, its link, and the batches that are read.
    pub(super) until: Timestamp,
    pub(super) row_cap: u64,
}

impl Terms {
    /// Whether an entry of the register ends the reading: the end of the grant, a change of its holder's account, a
    /// link that became narrower.
    #[must_use]
    pub fn are_taken_back_by(&self, body: &Body) -> bool {
        match body {
            Body::GrantRevoked { grant, .. } | Body::UseCompleted { grant, .. } => {
                *grant == self.grant
            }
            Body::AccountDisabled { name, .. } | Body::AccountConfirmed { name, .. } => {
                *name == self.holder
            }
            Body::ConfigTightened { changes, .. } => {
                changes.iter().any(|change| change.file == self.link_file)
            }
            _ => false,
        }
    }
}

/// A reading whose asking is committed. It holds the keys of the vaults that it reads, and may run on any thread.
pub struct Declared {
    pub(super) asked: u64,
    pub(super) link: String,
    pub(super) terms: Terms,
    pub(super) taken_back: Arc<AtomicBool>,
    pub(super) vaults: Vec<VaultKey>,
    pub(super) fields: Vec<String>,
    pub(super) key: Option<String>,
    pub(super) sets: Vec<Vec<(String, String)>>,
    pub(super) single: bool,
    pub(super) port: Arc<dyn Vaults>,
    pub(super) clock: Arc<dyn Clock>,
}

/// What a reading came to, on its way back to [`super::Service::shown`].
#[derive(Debug)]
pub struct Shown {
    pub(super) asked: u64,
    pub(super) link: String,
    pub(super) served: Served,
    pub(super) error: Option<Error>,
}

/// Whether a reading's rows may still go out: asked again where they wait on their way.
pub struct Gate {
    until: Timestamp,
    taken_back: Arc<AtomicBool>,
    clock: Arc<dyn Clock>,
}

impl Gate {
    /// Whether the reading is over, by the clock or by what the register says.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.clock.now() > self.until || self.taken_back.load(Ordering::SeqCst)
    }
}

impl Declared {
    /// What rows that were read already must pass before they are sent.
    #[must_use]
    pub fn gate(&self) -> Gate {
        Gate {
            until: self.terms.until,
            taken_back: Arc::clone(&self.taken_back),
            clock: Arc::clone(&self.clock),
        }
    }

    /// What is said where the reading is over before its end.
    #[must_use]
    pub fn over(grant: GrantId) -> Error {
        Error::refused(format!("'{grant}' ended while it was read"))
    }

    /// Reads, row by row. `also` is asked before each row whether something else takes it back.
    pub fn run(self, rows: &mut dyn Rows, also: &mut dyn FnMut(&Terms) -> bool) -> Shown {
        let mut served = Served::default();
        let error = self.serve(rows, also, &mut served).err();
        Shown { asked: self.asked, link: self.link, served, error }
    }

    fn serve(
        &self,
        rows: &mut dyn Rows,
        also: &mut dyn FnMut(&Terms) -> bool,
        served: &mut Served,
    ) -> Result<(), Error> {
        let closed = |_| Error::new(Exit::Failed, "the output was closed");
        rows.begin(&self.fields).map_err(closed)?;
        let read = VaultRead {
            vaults: &self.vaults,
            key: self.key.as_deref(),
            columns: &self.fields,
            sets: &self.sets,
            single: self.single,
        };
        let mut broken = Ok(());
        self.port.read(&read, &mut |values| {
            served.ended = self.stopped(served.rows, also);
            if served.ended.is_some() {
                return Flow::Stop;
            }
            broken = rows.row(values).map_err(closed);
            if broken.is_err() {
                return Flow::Stop;
            }
            served.rows += 1;
            Flow::On
        })?;
        broken?;
        match served.ended {
            Some("expired" | "revoked") => Err(Self::over(self.terms.grant)),
            _ => Ok(()),
        }
    }

    /// Whether the reading must stop before its next row.
    fn stopped(&self, rows: u64, also: &mut dyn FnMut(&Terms) -> bool) -> Option<&'static str> {
        if rows >= self.terms.row_cap {
            return Some("row-cap");
        }
        if self.clock.now() > self.terms.until {
            return Some("expired");
        }
        let revoked = self.taken_back.load(Ordering::SeqCst) || also(&self.terms);
        revoked.then_some("revoked")
    }
}
