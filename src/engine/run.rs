//! Running one step: intent, effect, outcome; and finishing what a stop left open.

use super::{
    DISK_FULL, Engine, EngineError, Ran, StepError,
    jobs::{About, Begun, Done, Effect, Job, Of, Progress, Running},
    ports::{CopySize, Noted},
    slots, steps,
};
use crate::domain::{
    entry::{AGENT, Body},
    lifecycle::CopyState,
    step::{Outcome, Plan},
    view::{CopyRow, FoldError},
};

impl Engine {
    /// Runs one step: intent, effect, outcome.
    ///
    /// # Errors
    /// The register cannot be written. What the step itself met is in [`Ran`].
    pub fn run(&mut self, by: &str, plan: Plan) -> Result<Ran, EngineError> {
        let intent = self.record(by, Body::Intent { plan })?;
        // A stop here: the intent stands alone, and the next start finishes it.
        self.start(intent.seq)
    }

    /// Starts the step of an open intent; a short one ends at once.
    pub(super) fn start(&mut self, intent: u64) -> Result<Ran, EngineError> {
        let plan = self.planned(intent)?;
        let long = match self.begin(&plan) {
            Ok(Begun::Long(long)) => long,
            Ok(Begun::Done(outcome)) => return self.close(intent, &plan, Ok(outcome)),
            Err(error) => return self.close(intent, &plan, Err(error)),
        };
        let of = Of::plan(&plan);
        let about = About {
            step: plan.name(),
            batch: of.batch,
            order: of.order,
            total: long.total,
            meter: long.meter.clone(),
        };
        let running = Running {
            step: about.step,
            of,
            total: about.total,
            meter: long.meter,
            since: self.ports.clock.now(),
        };
        self.running.insert(intent, running);
        match self.hands.start(Job { intent, about, work: long.work }) {
            Some(done) => self.conclude(done),
            None => Ok(Ran::Running),
        }
    }

    /// Ends the step whose job has run.
    ///
    /// # Errors
    /// The register cannot be written: the intent stays open, and a later turn begins the step again.
    pub fn conclude(&mut self, done: Done) -> Result<Ran, EngineError> {
        let Done { intent, effect } = done;
        self.running.remove(&intent);
        self.todo.hands_came_free();
        let plan = self.planned(intent)?;
        let ended = self.end(&plan, effect);
        self.close(intent, &plan, ended)
    }

    fn planned(&self, intent: u64) -> Result<Plan, EngineError> {
        Ok(self.view.open.get(&intent).cloned().ok_or(FoldError::Unknown(intent))?)
    }

    /// Records what came of a step.
    fn close(
        &mut self,
        intent: u64,
        plan: &Plan,
        ended: Result<Outcome, StepError>,
    ) -> Result<Ran, EngineError> {
        match ended {
            Ok(outcome) => {
                // A stop here: the effect is whole, and applying it once more finds it done.
                self.record(AGENT, Body::Outcome { intent, outcome: outcome.clone() })?;
                self.settle(plan)?;
                self.follow(plan, &outcome);
                Ok(Ran::Done(outcome))
            }
            Err(error) => {
                let (failure, code) = (error.failure(), error.code().to_owned());
                self.notes.push(format!("{}: {error}", plan.name()));
                if code == DISK_FULL {
                    self.full.get_or_insert_with(|| error.to_string());
                }
                self.give_up(plan)?;
                self.record(AGENT, Body::Failed { intent, failure, code: code.clone() })?;
                self.put_off(plan);
                Ok(Ran::Failed(failure, code))
            }
        }
    }

    fn begin(&mut self, plan: &Plan) -> Result<Begun, StepError> {
        Ok(Begun::Done(match plan {
            Plan::Claim { .. } => return self.begin_claim(plan),
            Plan::Clear { batch } => return self.begin_clear(*batch),
            Plan::DiscardMedia { link, name_mac, files, bytes } => {
                return self.begin_discard(link, *name_mac, (*files, *bytes));
            }
            Plan::Load { batch, vault, key, refuse, .. } => {
                return self.begin_load(*batch, *vault, *key, *refuse);
            }
            Plan::WipeCopy { order, copy, .. } => return self.begin_wipe(*order, *copy),
            Plan::MakePackage { handover, parts, .. } => {
                return self.begin_package(*handover, parts);
            }
            Plan::Verify { batch } => self.apply_verify(*batch)?,
            Plan::TakeKey { .. } => self.apply_take_key(plan)?,
            Plan::DropKey { key } => self.apply_drop_key(*key)?,
            Plan::Certify { order, tree_size, at, backups } => {
                self.apply_certify(*order, *tree_size, *at, backups.clone())?
            }
            Plan::MakeReceipt { batch, verdict, tree_size, at, .. } => {
                self.apply_make_receipt(*batch, *verdict, *tree_size, *at)?
            }
            Plan::LeaveReceipt { batch, receipt } => self.apply_leave_receipt(*batch, *receipt)?,
            Plan::MakeAccessKey { link, month } => self.apply_access_key(link, month)?,
            Plan::DropAccessKey { order, link, month } => {
                self.apply_drop_access_key(*order, link, month)?
            }
            Plan::ReleaseRemote { remote, link, .. } => return self.begin_release(*remote, link),
            Plan::PutRemote { link, name, bytes, sha256, .. } => {
                let size = CopySize { bytes: *bytes, sha256: *sha256 };
                return self.begin_put(link, name, size);
            }
            Plan::PushPackage { handover, recipient } => {
                return self.begin_push(*handover, recipient);
            }
        }))
    }

    fn end(&mut self, plan: &Plan, effect: Effect) -> Result<Outcome, StepError> {
        match (plan, effect) {
            (Plan::Claim { .. }, Effect::Claimed(claimed)) => self.end_claim(plan, claimed?),
            (Plan::Clear { batch }, Effect::Wiped(wiped)) => self.end_clear(*batch, wiped?),
            (Plan::DiscardMedia { files, bytes, .. }, Effect::Wiped(wiped)) => {
                Ok(steps::discarded((*files, *bytes), wiped?.filesystem))
            }
            (Plan::Load { batch, vault, key, use_until, .. }, Effect::Streamed(streamed)) => {
                self.end_load(*batch, *vault, *key, *use_until, *streamed)
            }
            (Plan::WipeCopy { .. }, Effect::Wiped(wiped)) => Self::end_wipe(wiped?),
            (Plan::MakePackage { handover, parts, at }, Effect::Packed(packed)) => {
                self.end_package(*handover, (parts, *at), packed)
            }
            (plan, effect) if plan.is_remote() => Self::end_remote(effect),
            _ => Err(StepError::Stuck("plan")),
        }
    }

    /// Removes what a step that is given up had begun, before its failure is recorded.
    fn give_up(&mut self, plan: &Plan) -> Result<(), EngineError> {
        match plan {
            Plan::Claim { files, batch, .. } => {
                self.ports.spool.abandon(files)?;
                self.ports.cases.wipe(*batch)?;
                for slot in [slots::case(*batch), slots::spool(*batch)] {
                    self.ports.keys.destroy(&slot, &batch.to_string())?;
                }
            }
            Plan::Load { vault, .. } => self.abandon_vault(*vault)?,
            Plan::MakePackage { handover, parts, .. } => self.abandon_package(*handover, parts)?,
            _ => {}
        }
        Ok(())
    }

    /// Start-up: finishes every open intent but wipes. Those are resumed where destruction is driven: whoever opens
    /// the state to place a hold must not thereby finish the wipe that it is to stop.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn recover(&mut self) -> Result<(), EngineError> {
        for intent in self.open_intents(false) {
            self.start(intent)?;
        }
        if self.view.open.is_empty() {
            self.sweep_evidence()?;
        }
        Ok(())
    }

    /// Forgets what wipes noted, but for copies whose wipe was begun and is not recorded as done: one that failed past
    /// its proof has nothing else left to prove it by.
    fn sweep_evidence(&mut self) -> Result<(), EngineError> {
        let view = &self.view;
        let begun = |row: &CopyRow| row.wipe_begun && row.state != CopyState::Destroyed;
        let pending = |noted| match noted {
            Noted::Copy(copy) => view.copies.get(&copy).is_some_and(|row| begun(&row)),
            Noted::Batch(batch) => view.copies_of(batch).any(|(_, row)| begun(&row)),
        };
        self.ports.evidence.sweep(&pending)?;
        Ok(())
    }

    /// Intents whose step neither runs nor has ended.
    pub(super) fn open_intents(&self, wipes: bool) -> Vec<u64> {
        let ends = |plan: &Plan| matches!(plan, Plan::WipeCopy { .. } | Plan::DropAccessKey { .. });
        let wanted = |plan: &Plan| ends(plan) == wipes;
        let idle = |seq: &u64| !self.running.contains_key(seq);
        // What a server is owed is left to the process that reaches servers.
        let reached = |plan: &Plan| self.ports.sources.is_there() || !plan.is_remote();
        let open = self.view.open.iter();
        let open = open.filter(|(seq, plan)| idle(seq) && wanted(plan) && reached(plan));
        open.map(|(seq, _)| *seq).collect()
    }

    /// What follows the record of an outcome.
    fn settle(&mut self, plan: &Plan) -> Result<(), EngineError> {
        if let Plan::PushPackage { .. } = plan {
            self.fetching.owe();
        }
        // A note belongs to a wipe or the end of a key whose outcome is not recorded yet: while another one is open, they stay.
        let wipe = |plan: &Plan| matches!(plan, Plan::WipeCopy { .. } | Plan::DropAccessKey { .. });
        if wipe(plan) && !self.view.open.values().any(wipe) {
            self.sweep_evidence()?;
        }
        Ok(())
    }

    /// How far the running steps are.
    #[must_use]
    pub fn progress(&self) -> Vec<Progress> {
        let row = |job: &Running| Progress {
            step: job.step,
            batch: job.of.batch,
            order: job.of.order,
            done: job.meter.bytes(),
            total: job.total,
            since: job.since,
        };
        self.running.values().map(row).collect()
    }

    /// Whether a step of this batch runs, or waits for a thread.
    #[must_use]
    pub fn is_awaited(&self, batch: crate::domain::ids::BatchId) -> bool {
        self.is_busy(batch) || self.todo.awaits(batch)
    }

    /// Whether the long part of a step of this batch runs.
    #[must_use]
    pub fn is_busy(&self, batch: crate::domain::ids::BatchId) -> bool {
        self.running.values().any(|job| job.of.batch == Some(batch))
    }
}
