//! Long steps as jobs: the part of a step that only touches files can run on any thread.
//!
//! The engine's thread begins a step (it reads the view and takes the keys that the step needs), a job does the long
//! part without the register, and the engine's thread ends it: it looks at the view again, puts what was made in its
//! place, and records the outcome. A stop while a job runs leaves an open intent, like a stop anywhere else.

use super::{
    ports::{Claimed, Meter, PortError},
    steps::{Halt, Packed, Streamed},
};
use crate::domain::{
    entry::WipeFacts,
    ids::{BatchId, DeliveryId, OrderId},
    source::RemoteEnd,
    step::{Outcome, Plan},
    time::Timestamp,
};

/// What a job came to.
pub(super) enum Effect {
    /// A claim's copies.
    Claimed(Result<Claimed, PortError>),
    /// A wipe.
    Wiped(Result<WipeFacts, PortError>),
    /// The data file of a package.
    Packed(Result<Packed, PortError>),
    /// A load, up to the vault that waits for its place.
    Streamed(Box<Result<Streamed, Halt>>),
    /// A remote delivery's release.
    Released(Result<RemoteEnd, PortError>),
    /// A file that was put on a server.
    Put(Result<(), PortError>),
}

/// The long part of a step.
pub(super) type Work = Box<dyn FnOnce() -> Effect + Send>;

/// What beginning a step came to.
pub(super) enum Begun {
    /// It was short.
    Done(Outcome),
    /// The rest is long.
    Long(Long),
}

impl Begun {
    /// A long part of `total` bytes, where that is known.
    pub(super) fn long(total: u64, work: impl FnOnce(&Meter) -> Effect + Send + 'static) -> Self {
        let meter = Meter::default();
        let counted = meter.clone();
        Self::Long(Long { total, meter, work: Box::new(move || work(&counted)) })
    }
}

/// A long part that has not started.
pub(super) struct Long {
    pub(super) total: u64,
    pub(super) meter: Meter,
    pub(super) work: Work,
}

/// What a job is about, and how far it is: for whoever watches it.
#[derive(Clone, Debug)]
pub struct About {
    /// The step's name, as the register has it.
    pub step: &'static str,
    /// The batch, where the step is one's.
    pub batch: Option<BatchId>,
    /// The order, where the step is one's.
    pub order: Option<OrderId>,
    /// Bytes in all; 0 where that is not known.
    pub total: u64,
    /// Bytes so far.
    pub meter: Meter,
}

/// The long part of one step, to be run once, on any thread.
pub struct Job {
    pub(super) intent: u64,
    pub(super) about: About,
    pub(super) work: Work,
}

impl Job {
    /// What it is about.
    #[must_use]
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// Runs it.
    #[must_use]
    pub fn run(self) -> Done {
        Done { intent: self.intent, effect: (self.work)() }
    }
}

/// A job that has run, on its way back to [`super::Engine::conclude`].
pub struct Done {
    pub(super) intent: u64,
    pub(super) effect: Effect,
}

/// Where jobs run.
pub trait Hands {
    /// Whether one more job can start now.
    fn is_free(&self) -> bool;
    /// Starts a job. One that ran at once comes back; any other is handed to [`super::Engine::conclude`] later.
    fn start(&mut self, job: Job) -> Option<Done>;
}

/// Jobs run at once, on the thread that asked: commands without an agent, `run --once`, and tests that count writes.
pub struct Inline;

impl Hands for Inline {
    fn is_free(&self) -> bool {
        true
    }

    fn start(&mut self, job: Job) -> Option<Done> {
        Some(job.run())
    }
}

/// A job that runs.
pub(super) struct Running {
    pub(super) step: &'static str,
    pub(super) of: Of,
    pub(super) total: u64,
    pub(super) meter: Meter,
    pub(super) since: Timestamp,
}

/// What a step is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Of {
    pub(super) batch: Option<BatchId>,
    pub(super) delivery: Option<DeliveryId>,
    pub(super) order: Option<OrderId>,
}

impl Of {
    pub(super) const fn plan(plan: &Plan) -> Self {
        let none = Self { batch: None, delivery: None, order: None };
        match plan {
            Plan::Claim { batch, delivery, .. } => {
                Self { batch: Some(*batch), delivery: Some(*delivery), ..none }
            }
            Plan::Clear { batch } | Plan::Verify { batch } | Plan::Load { batch, .. } => {
                Self { batch: Some(*batch), ..none }
            }
            Plan::WipeCopy { order, .. } | Plan::Certify { order, .. } => {
                Self { order: Some(*order), ..none }
            }
            Plan::ReleaseRemote { .. }
            | Plan::PutRemote { .. }
            | Plan::PushPackage { .. }
            | Plan::DiscardMedia { .. }
            | Plan::TakeKey { .. }
            | Plan::DropKey { .. }
            | Plan::MakePackage { .. }
            | Plan::MakeReceipt { .. }
            | Plan::LeaveReceipt { .. }
            | Plan::MakeAccessKey { .. }
            | Plan::DropAccessKey { .. } => none,
        }
    }
}

/// How far a running step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The step's name, as the register has it.
    pub step: &'static str,
    /// The batch, where the step is one's.
    pub batch: Option<BatchId>,
    /// The order, where the step is one's.
    pub order: Option<OrderId>,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all; 0 where that is not known.
    pub total: u64,
    /// Since when it runs.
    pub since: Timestamp,
}
