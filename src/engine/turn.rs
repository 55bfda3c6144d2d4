//! Turns: everything that can be done now, one bounded unit at a time.
//!
//! A resident agent answers commands between two turns; `run --once` takes turns until nothing can be done. What may
//! be possible is remembered as batches to try; a sweep makes that list anew from the view, so that forgetting
//! something here delays it to the next sweep and loses nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, EngineError};
use crate::domain::{
    ids::{BatchId, DeliveryId, OrderId},
    lifecycle::{self, BatchState, BatchStep, OrderState},
    limits,
    step::{Outcome, Plan},
    time::Timestamp,
};

/// What a turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Something was done: there may be more.
    Busy,
    /// Nothing can be done before a hint, the end of a job, or [`Engine::next_wake`].
    Idle,
}

/// What may have changed outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// The inbox or keybox of a link.
    Link(String),
    /// Anything: everything is looked through.
    All,
    /// The time of [`Engine::next_wake`] has come.
    Time,
}

/// What trying one thing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// It was done, or it is not to be done.
    Done,
    /// There is nothing.
    Nothing,
    /// It needs a thread, and none is free.
    NoHands,
}

/// What may be possible now.
#[derive(Default)]
pub(super) struct Todo {
    batches: BTreeSet<BatchId>,
    /// Batches whose next step is long, while no thread is free.
    no_hands: BTreeSet<BatchId>,
    /// Batches whose provider may be owed a receipt.
    receipts: BTreeSet<BatchId>,
    orders: bool,
    keys: bool,
    due: bool,
    due_batches: BTreeSet<BatchId>,
    /// Deliveries whose claim failed: how often, and when they are tried again.
    put_off: BTreeMap<DeliveryId, (u32, Timestamp)>,
    /// Key files that could not be removed, by link and number: likewise.
    left: BTreeMap<(String, String), (u32, Timestamp)>,
}

impl Todo {
    /// Whether a batch has something to be done that was not begun yet.
    pub(super) fn awaits(&self, batch: BatchId) -> bool {
        self.batches.contains(&batch) || self.no_hands.contains(&batch)
    }

    /// Whether a key file is left alone for now.
    pub(super) fn is_left(&self, link: &str, number: &str, now: Timestamp) -> bool {
        let key = (link.to_owned(), number.to_owned());
        self.left.get(&key).is_some_and(|(_, until)| now < *until)
    }

    /// A key file is gone, or could not be removed.
    pub(super) fn key_file(&mut self, link: &str, number: &str, failed: Option<Timestamp>) {
        let key = (link.to_owned(), number.to_owned());
        match failed {
            None => drop(self.left.remove(&key)),
            Some(failed) => {
                let times = self.left.get(&key).map_or(0, |(times, _)| *times) + 1;
                self.left.insert(key, (times, retry_at(times, failed)));
            }
        }
    }

    pub(super) fn hands_came_free(&mut self) {
        self.batches.append(&mut self.no_hands);
    }

    /// Orders may have something to do.
    pub(super) const fn orders(&mut self) {
        self.orders = true;
    }

    pub(super) fn is_put_off(&self, delivery: DeliveryId, now: Timestamp) -> bool {
        self.put_off.get(&delivery).is_some_and(|(_, until)| now < *until)
    }
}

/// When a step that failed for the `times`-th time in a row is tried again.
pub(super) fn retry_at(times: u32, failed: Timestamp) -> Timestamp {
    let seconds = 1_i64 << times.min(12);
    failed.plus_seconds(seconds.min(limits::RETRY_SECONDS_MAX))
}

impl Engine {
    /// Takes what may have changed outside into account.
    pub fn hint(&mut self, hint: &Hint) {
        match hint {
            Hint::Link(link) => self.inboxes.look_at(link),
            Hint::All => {
                for link in self.rules.links.keys() {
                    self.inboxes.look_at(link);
                }
                self.sweep();
            }
            Hint::Time => {
                let now = self.ports.clock.now();
                let over = self.todo.put_off.iter().filter(|(_, (_, until))| *until <= now);
                for seen in over.filter_map(|(id, _)| self.view.deliveries.get(id)) {
                    self.inboxes.look_at(&seen.link);
                }
                self.sweep();
            }
        }
    }

    /// Makes the list of what may be possible anew from the view.
    pub fn sweep(&mut self) {
        let open = [BatchState::Received, BatchState::Verified];
        let open = open.into_iter().flat_map(|state| self.view.batches_in(state));
        let ids = open.chain(self.view.uncleared()).map(|(id, _)| id);
        self.todo.batches.extend(ids);
        self.todo.no_hands.clear();
        self.todo.receipts.extend(self.view.owing().map(|(id, _)| id));
        self.todo.orders = true;
        self.todo.keys = true;
        self.todo.due = true;
        self.fetching.sweep();
        self.expecting.sweep();
        let owed = self.ports.vaults.settle();
        if !owed.is_empty() {
            let owed: Vec<String> = owed.iter().map(ToString::to_string).collect();
            self.notes.push(format!(
                "load: what was given up may lie in a database in plain: {}",
                owed.join(", ")
            ));
        }
    }

    /// Does one bounded unit of what can be done now.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn turn(&mut self) -> Result<Turn, EngineError> {
        let worked = self.work_on()? || self.look_on()? == Tried::Done || self.fetch_on()?;
        if worked || self.expect_on()? {
            return Ok(Turn::Busy);
        }
        Ok(Turn::Idle)
    }

    /// One unit without looking into inboxes.
    fn work_on(&mut self) -> Result<bool, EngineError> {
        // An exception ends by its date, whoever is there.
        self.turn_to_now();
        Ok(self.resume_one()?
            || self.step_one()?
            || self.receipt_one()?
            || self.order_one()?
            || self.drop_one_key()?
            || self.declare_package()?
            || self.declare_carrier()?
            || self.come_due_on()?)
    }

    /// Does what commands start by themselves (a load after a key, a wipe after an approval), without a new scan. The
    /// resident agent only goes so far that the command is answered in time; its turns do the rest.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn drive(&mut self) -> Result<(), EngineError> {
        self.sweep();
        let begun = self.ports.clock.boot_millis();
        while self.work_on()? {
            let spent = self.ports.clock.boot_millis() - begun;
            if self.resident && spent > limits::DRIVE_MS_MAX {
                break;
            }
        }
        Ok(())
    }

    /// When time itself brings something about next. What came about while there was other work, the next full scan
    /// finds.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let (view, now) = (&self.view, self.ports.clock.now());
        let grants = view.grants.loose().filter(|(_, g)| g.state == lifecycle::GrantState::Open);
        let orders = view.orders.loose().filter(|(_, o)| o.state == OrderState::Requested);
        let cooling = view.orders.loose().filter(|(_, o)| o.state == OrderState::Approved);
        let retries = view.troubled().filter_map(|(_, b)| b.trouble.clone());
        let untold = view.owing().filter_map(|(_, b)| b.receipt_trouble.clone());
        let retries = retries.chain(untold);
        grants
            .map(|(_, grant)| grant.terms.until)
            .chain(orders.map(|(_, order)| order.expires))
            .chain(cooling.filter_map(|(_, order)| order.not_before))
            .chain(retries.map(|trouble| retry_at(trouble.times, trouble.at)))
            .chain(self.todo.put_off.values().map(|(_, until)| *until))
            .chain(self.next_fetch())
            .chain(self.expecting.next())
            .chain(self.next_leaving())
            .filter(|at| *at > now)
            .min()
    }

    /// Begins again what a stop, or a register that could not be written, left open. A wipe reads hold, approval and
    /// policy again first, and none runs while the time is doubted (DESIGN 5).
    fn resume_one(&mut self) -> Result<bool, EngineError> {
        if self.view.open.len() == self.running.len() {
            return Ok(false);
        }
        let mut open = self.open_intents(false);
        if !self.view.time_doubted {
            open.extend(self.open_intents(true));
        }
        match open.first() {
            Some(intent) if self.hands.is_free() => self.start(*intent).map(|_| true),
            _ => Ok(false),
        }
    }

    fn step_one(&mut self) -> Result<bool, EngineError> {
        while let Some(id) = self.todo.batches.pop_first() {
            match self.step(id)? {
                Tried::Done => return Ok(true),
                Tried::Nothing => {}
                Tried::NoHands => {
                    self.todo.no_hands.insert(id);
                }
            }
        }
        Ok(false)
    }

    pub(super) fn next_receipt(&mut self) -> Option<BatchId> {
        self.todo.receipts.pop_first()
    }

    /// The next step of one batch, where there is one that can run now.
    fn step(&mut self, id: BatchId) -> Result<Tried, EngineError> {
        let Some(row) = self.view.batches.get(&id) else { return Ok(Tried::Nothing) };
        if self.is_busy(id) || row.trouble.as_ref().is_some_and(|trouble| self.rests(trouble)) {
            return Ok(Tried::Nothing);
        }
        // What could not be copied whole has its originals only: they stay until an approved order covers the batch,
        // and no hold forbids it.
        let ordered = row.state == BatchState::Condemned && !self.view.time_doubted;
        let may_clear = row.whole || (ordered && self.view.hold_on(id).is_none());
        let clears = !row.cleared && may_clear;
        let step = lifecycle::work(row.state);
        if (clears || step == Some(BatchStep::Load)) && !self.hands.is_free() {
            return Ok(Tried::NoHands);
        }
        let ran = if clears {
            Some(self.clear(id)?)
        } else {
            match step {
                Some(BatchStep::Verify) => Some(self.verify(id)?),
                Some(BatchStep::Load) if self.awaits_confirmation(id, &row) => None,
                Some(BatchStep::Load) => self.load(id)?,
                Some(BatchStep::Wipe | BatchStep::Close) | None => None,
            }
        };
        Ok(ran.map_or(Tried::Nothing, |_| Tried::Done))
    }

    /// The standing passphrase of a link is another one now: what waits for one is tried again.
    pub fn passphrase_changed(&mut self, link: &str) {
        let waiting = self.view.verified_of(link);
        self.todo.batches.extend(waiting);
        self.todo.keys = true;
    }

    /// What follows a step that ended well.
    pub(super) fn follow(&mut self, plan: &Plan, outcome: &Outcome) {
        match plan {
            Plan::Claim { batch, delivery, .. } => {
                self.todo.put_off.remove(delivery);
                self.inboxes.claimed(*delivery);
                self.todo.batches.insert(*batch);
            }
            Plan::Clear { batch } => {
                self.todo.batches.insert(*batch);
            }
            Plan::Verify { batch } => {
                self.fetching.sweep();
                self.expecting.sweep();
                self.todo.batches.insert(*batch);
                self.todo.receipts.insert(*batch);
                self.todo.keys = true;
            }
            Plan::TakeKey { link, number, .. } => {
                let named: Vec<BatchId> =
                    self.view.numbered(link, number).map(|(id, _)| id).collect();
                self.todo.batches.extend(named);
                self.todo.keys = true;
            }
            Plan::Load { batch, .. } => {
                self.expecting.sweep();
                self.todo.keys = true;
                self.todo.batches.insert(*batch);
                self.todo.receipts.insert(*batch);
                if matches!(outcome, Outcome::Loaded { .. }) {
                    self.todo.due_batches.insert(*batch);
                    let row = self.view.batches.get(batch);
                    let old = row.and_then(|row| Some(self.view.replaced(*batch, &row)?.0));
                    self.todo.due_batches.extend(old);
                    // The change file that waited for this one.
                    let link = self.view.batches.get(batch).map(|row| row.link.clone());
                    let turn: Vec<BatchId> =
                        link.iter().flat_map(|link| self.view.deltas_next(link)).collect();
                    self.todo.batches.extend(turn);
                }
            }
            Plan::WipeCopy { .. } => self.todo.orders = true,
            Plan::Certify { .. } => self.todo.due = true,
            Plan::MakeReceipt { batch, .. } => {
                self.todo.receipts.insert(*batch);
            }
            Plan::DropKey { .. }
            | Plan::LeaveReceipt { .. }
            | Plan::MakePackage { .. }
            | Plan::MakeAccessKey { .. }
            | Plan::DropAccessKey { .. }
            | Plan::ReleaseRemote { .. }
            | Plan::PutRemote { .. }
            | Plan::DiscardMedia { .. }
            | Plan::PushPackage { .. } => {}
        }
    }

    /// What follows a step that failed: the resident agent tries it again after a while, longer each time.
    pub(super) fn put_off(&mut self, plan: &Plan) {
        let Plan::Claim { delivery, .. } = plan else { return };
        if self.resident {
            let times = self.todo.put_off.get(delivery).map_or(0, |(times, _)| *times) + 1;
            let until = retry_at(times, self.ports.clock.now());
            self.todo.put_off.insert(*delivery, (times, until));
        }
        let deliveries = &self.view.deliveries;
        self.todo.put_off.retain(|id, _| deliveries.contains_key(id));
    }

    /// Whether what failed is left alone for now: until a person retries it, or until its time has come.
    pub(super) fn rests(&self, trouble: &crate::domain::view::Trouble) -> bool {
        trouble.is_for_a_person()
            || (self.resident && self.ports.clock.now() < retry_at(trouble.times, trouble.at))
    }

    fn order_one(&mut self) -> Result<bool, EngineError> {
        // Nothing irreversible while the time is doubted (DESIGN 5).
        if !self.todo.orders || self.view.time_doubted {
            return Ok(false);
        }
        let wiping: BTreeSet<OrderId> =
            self.running.values().filter_map(|job| job.of.order).collect();
        let orders: Vec<OrderId> = self
            .view
            .orders
            .loose()
            .filter(|(_, o)| {
                matches!(o.state, OrderState::Approved | OrderState::Executed | OrderState::Stopped)
            })
            .filter(|(id, _)| !wiping.contains(id))
            .map(|(id, _)| id)
            .collect();
        self.todo.orders = false;
        let mut any = false;
        for order in orders {
            if !self.hands.is_free() {
                self.todo.orders = true;
                break;
            }
            any |= self.execute(order)?;
        }
        any |= self.end_access_keys()?;
        // What was done has a sequel: an order that was stopped is certified next.
        self.todo.orders |= any;
        Ok(any)
    }

    fn drop_one_key(&mut self) -> Result<bool, EngineError> {
        if !std::mem::take(&mut self.todo.keys) {
            return Ok(false);
        }
        self.drop_keys()
    }

    fn come_due_on(&mut self) -> Result<bool, EngineError> {
        if std::mem::take(&mut self.todo.due) {
            self.todo.due_batches.clear();
            return self.come_due();
        }
        let batches = std::mem::take(&mut self.todo.due_batches);
        if batches.is_empty() {
            return Ok(false);
        }
        self.batches_due(&batches).map(|_| true)
    }

    /// Does everything that can be done now. Each batch is tried once: what says `later` is left for the next cycle.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn cycle(&mut self) -> Result<(), EngineError> {
        self.recover()?;
        self.hint(&Hint::All);
        while self.turn()? == Turn::Busy {}
        Ok(())
    }
}
