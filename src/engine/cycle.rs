//! One cycle: everything that can be done now, until nothing more can.

use std::collections::BTreeSet;

use super::{
    DISK_FULL, Engine, EngineError, Ran,
    case::shown,
    steps::{Arrival, LinkLedger},
};
use crate::domain::{
    digest::Digest,
    entry::{AGENT, Body, Failure},
    ids::{BatchId, DeliveryId, OrderId},
    judge::{self, EntryKind, Facts, Look, Question, Stage},
    lifecycle::{self, BatchStep, OrderState},
    limits,
    link::Link,
    reason::Reason,
    time::Timestamp,
    view::Batch,
};

/// A delivery that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The link.
    pub link: String,
    /// The folder's name.
    pub delivery: String,
    /// Why, or nothing where it is complete and will be claimed.
    pub reason: Option<Reason>,
    /// Since when it was seen.
    pub since: Option<Timestamp>,
}

impl Engine {
    /// Does everything that can be done now. Each batch is tried once: what says `later` is left for the next cycle.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn cycle(&mut self) -> Result<(), EngineError> {
        self.recover()?;
        self.resume_wipes()?;
        let mut tried = BTreeSet::new();
        let links: Vec<Link> = self.rules.links.values().cloned().collect();
        for link in &links {
            self.intake(link)?;
            self.keybox(link)?;
        }
        loop {
            let mut any = self.advance(&mut tried)?;
            any |= self.drop_keys()?;
            any |= self.come_due()?;
            if !any {
                return Ok(());
            }
        }
    }

    /// Does what commands start by themselves (a load after a key, a wipe after an approval), without a new scan.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn drive(&mut self) -> Result<(), EngineError> {
        let mut tried = BTreeSet::new();
        self.resume_wipes()?;
        while self.advance(&mut tried)? | self.drop_keys()? | self.come_due()? {}
        Ok(())
    }

    fn advance(&mut self, tried: &mut BTreeSet<BatchId>) -> Result<bool, EngineError> {
        let mut any = false;
        let batches: Vec<BatchId> = self.view.batches.keys().copied().collect();
        for id in batches {
            while !tried.contains(&id) {
                match self.step(id)? {
                    Some(Ran::Done(_)) => any = true,
                    Some(Ran::Failed(..)) => {
                        tried.insert(id);
                    }
                    None => break,
                }
            }
        }
        let orders: Vec<OrderId> = self
            .view
            .orders
            .iter()
            .filter(|(_, o)| matches!(o.state, OrderState::Approved | OrderState::Executed))
            .map(|(id, _)| *id)
            .collect();
        for order in orders {
            // Nothing irreversible while the time is doubted (DESIGN 5).
            if !self.view.time_doubted {
                any |= self.execute(order)?;
            }
        }
        Ok(any)
    }

    /// The next step of one batch, where there is one that can run now.
    fn step(&mut self, id: BatchId) -> Result<Option<Ran>, EngineError> {
        let Some(row) = self.view.batches.get(&id) else { return Ok(None) };
        // A full disk is told each time, and needs nothing but room: no person has to retry what it stopped.
        if row.trouble.as_ref().is_some_and(|t| {
            t.failure == Failure::Stuck || (t.times >= limits::RETRIES_MAX && t.code != DISK_FULL)
        }) {
            return Ok(None);
        }
        // What could not be copied whole has its originals only: they stay until an approved order covers the batch,
        // and no hold forbids it.
        let ordered = row.state == lifecycle::BatchState::Condemned && !self.view.time_doubted;
        let may_clear = row.whole || (ordered && self.view.hold_on(id).is_none());
        if !row.cleared && may_clear {
            return self.clear(id).map(Some);
        }
        match lifecycle::work(row.state) {
            Some(BatchStep::Verify) => self.verify(id).map(Some),
            Some(BatchStep::Load) => self.load(id),
            Some(BatchStep::Wipe | BatchStep::Close) | None => Ok(None),
        }
    }

    fn clear(&mut self, batch: BatchId) -> Result<Ran, EngineError> {
        self.run(AGENT, crate::domain::step::Plan::Clear { batch })
    }

    /// Scans one inbox and claims what is complete.
    fn intake(&mut self, link: &Link) -> Result<(), EngineError> {
        let scan = match self.ports.intake.scan(link) {
            Ok(scan) => scan,
            Err(error) => {
                self.notes.push(format!("{}: {error}", link.name));
                return Ok(());
            }
        };
        for (name, key) in &scan.strays {
            let name_mac = self.name_mac(&link.name, name)?;
            if !self.view.strays.contains_key(&(link.name.clone(), name_mac)) {
                self.record(
                    AGENT,
                    Body::StraySeen { link: link.name.clone(), name_mac, key: *key },
                )?;
            }
        }
        let mut present = BTreeSet::new();
        for folder in &scan.folders {
            let name_mac = self.name_mac(&link.name, folder)?;
            present.insert(name_mac);
            // A folder whose originals could not all be removed is one that was claimed already.
            if !self.is_being_cleared(link, folder)? {
                self.consider(link, folder, name_mac)?;
            }
        }
        let gone: Vec<DeliveryId> = self
            .view
            .deliveries
            .iter()
            .filter(|(_, seen)| seen.link == link.name && !present.contains(&seen.name_mac))
            .map(|(id, _)| *id)
            .collect();
        for delivery in gone {
            self.record(AGENT, Body::DeliveryGone { delivery })?;
        }
        Ok(())
    }

    fn is_being_cleared(&self, link: &Link, folder: &[u8]) -> Result<bool, EngineError> {
        let pending: Vec<BatchId> = self
            .view
            .batches_of(&link.name)
            .filter(|(_, b)| !b.cleared)
            .map(|(id, _)| id)
            .collect();
        for batch in pending {
            if self.case(batch)?.is_some_and(|case| case.delivery == folder) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn consider(
        &mut self,
        link: &Link,
        folder: &[u8],
        name_mac: Digest,
    ) -> Result<(), EngineError> {
        let known = self
            .view
            .deliveries
            .iter()
            .find(|(_, seen)| seen.link == link.name && seen.name_mac == name_mac)
            .map(|(id, seen)| (*id, seen.since));
        let facts = match self.ports.intake.look(link, folder) {
            Ok(facts) => facts,
            Err(error) => {
                self.notes.push(format!("{}: {error}", link.name));
                return Ok(());
            }
        };
        let now = self.ports.clock.now();
        let (delivery, since) = match known {
            Some(known) => known,
            None => {
                let delivery = self.view.next_delivery();
                let seen = Body::DeliverySeen { delivery, link: link.name.clone(), name_mac };
                (delivery, self.record(AGENT, seen)?.at)
            }
        };
        let reason = match self.judged(&facts, link, now) {
            Look::Complete(_) => None,
            Look::Refuse(refusal) => Some(refusal.reason),
            Look::Wait(reason) if self.waited_out(reason, since, now) => Some(reason),
            Look::Wait(_) => return Ok(()),
        };
        self.claim(link, delivery, claimable(&facts), reason)?;
        Ok(())
    }

    fn judged(&self, facts: &Facts, link: &Link, now: Timestamp) -> Look {
        let ledger = LinkLedger { view: &self.view, link: &link.name, except: None };
        judge::judge(&Question {
            facts,
            link,
            ledger: &ledger,
            stage: Stage::Looking,
            received_at: now,
            now,
            announced: None,
        })
    }

    /// Unsigned deliveries are claimed and quarantined after `incomplete_after`, others after `abandon_after`. Not
    /// while the time is doubted: a claim wipes the originals.
    fn waited_out(&self, reason: Reason, since: Timestamp, now: Timestamp) -> bool {
        let zone = self.rules.zone;
        let after = match reason {
            Reason::Unsigned => Some(self.rules.incomplete_after),
            _ => self.rules.abandon_after,
        };
        !self.view.time_doubted && after.is_some_and(|period| period.after(since, zone) <= now)
    }

    fn keybox(&mut self, link: &Link) -> Result<(), EngineError> {
        let files = match self.ports.intake.keybox(link) {
            Ok(files) => files,
            Err(error) => {
                self.notes.push(format!("{}: {error}", link.name));
                return Ok(());
            }
        };
        for file in files {
            let arrival = Arrival {
                link: &link.name,
                number: &file.number,
                form: file.form,
                channel: "keybox",
                keybox: true,
                signed: None,
            };
            self.take_key(AGENT, &arrival, file.bytes)?;
        }
        Ok(())
    }

    /// Deliveries that are not batches yet, from a fresh look that changes nothing.
    ///
    /// # Errors
    /// The key store.
    pub fn waiting(&mut self) -> Result<Vec<Waiting>, EngineError> {
        let links: Vec<Link> = self.rules.links.values().cloned().collect();
        let now = self.ports.clock.now();
        let mut rows = Vec::new();
        for link in &links {
            let Ok(scan) = self.ports.intake.scan(link) else { continue };
            for delivery in scan.folders {
                if self.is_being_cleared(link, &delivery)? {
                    continue;
                }
                let Ok(facts) = self.ports.intake.look(link, &delivery) else { continue };
                let reason = match self.judged(&facts, link, now) {
                    Look::Wait(reason) => Some(reason),
                    Look::Complete(_) | Look::Refuse(_) => None,
                };
                let mac = self.name_mac(&link.name, &delivery)?;
                let since = self.view.delivery_named(&link.name, mac).map(|(_, seen)| seen.since);
                let (link, delivery) = (link.name.clone(), shown(&delivery));
                rows.push(Waiting { link, delivery, reason, since });
            }
        }
        Ok(rows)
    }

    /// Why a batch stands where it stands: what it was refused for, or what it waits for.
    #[must_use]
    pub fn reason(&self, row: &Batch) -> Option<Reason> {
        if lifecycle::work(row.state) != Some(BatchStep::Load) {
            return row.reason;
        }
        if !self.turn_has_come(row) {
            return Some(Reason::SequenceGap);
        }
        if self.view.key_for(row).is_some() {
            return None;
        }
        Some(row.reason.unwrap_or(Reason::AwaitingKey))
    }
}

/// How many copies a claim will make.
fn claimable(facts: &Facts) -> u64 {
    if facts.is_over_limit() {
        return 0;
    }
    facts.entries.iter().filter(|entry| entry.kind == EntryKind::File).count() as u64
}
