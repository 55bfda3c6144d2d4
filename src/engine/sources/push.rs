//! Packages that are put to the server of their recipient: owed from when they are made until they are proven to lie
//! there whole, or somebody has confirmed that they came another way. Then nothing of them stays in the outbox.

use std::sync::Arc;

use super::Outgoing;
use crate::{
    domain::{
        digest::Digest,
        entry::Failure,
        handover::same_channel,
        ids::{BatchId, HandoverId, OrderId},
        lifecycle::{CopyState, HandoverState},
        limits,
        link::Link,
        source::Destination,
        step::Plan,
        time::Timestamp,
        view::{Handover, Trouble},
    },
    engine::{
        Engine, StepError,
        jobs::{Begun, Effect},
        ports::CopySize,
        turn::retry_at,
    },
};

impl Engine {
    /// Packages that are to be put to a server now.
    pub(super) fn owed_packages(&self, rests: &dyn Fn(Option<&Trouble>) -> bool) -> Vec<Plan> {
        let planned = |id: HandoverId| {
            let of =
                |plan: &Plan| matches!(plan, Plan::PushPackage { handover, .. } if *handover == id);
            self.view.open_plan(of).is_some()
        };
        // What a person has to see to rests for its day also where nobody stays.
        let now = self.ports.clock.now();
        let stuck = |trouble: &&Trouble| trouble.failure == Failure::Stuck;
        let waits = |trouble: Option<&Trouble>| {
            rests(trouble) || trouble.filter(stuck).is_some_and(|t| now < push_again(t))
        };
        let owed = self.view.handovers.iter().filter(|(id, row)| {
            row.is_on_its_way()
                && self.destination(row).is_some()
                && self.all_kept(row).is_some()
                && !waits(row.push_trouble.as_ref())
                && !planned(**id)
        });
        owed.map(|(id, row)| Plan::PushPackage {
            handover: *id,
            recipient: row.terms.recipient.clone(),
        })
        .collect()
    }

    /// Certificates of a link's orders that its server has not, with the batch that each is about. Only those that may go
    /// now are read.
    pub(super) fn owed_reports(
        &self,
        link: &Link,
        may_go: &dyn Fn(&Link, BatchId, &str) -> bool,
    ) -> Vec<Outgoing> {
        let wanted = link.source.as_ref().is_some_and(|source| source.reports.is_some());
        let waits = self.view.remotes.unreported.get(&link.name).filter(|_| wanted);
        let file = |order: OrderId| {
            let batch = self.view.orders.get(&order)?.copies.first()?.batch;
            if !may_go(link, batch, &format!("{order}.json")) {
                return None;
            }
            let bytes = self.ports.certificates.take(order).ok()??;
            let size = CopySize { bytes: bytes.len() as u64, sha256: Digest::of(&bytes) };
            Some(Outgoing { batch, name: format!("{order}.json"), size })
        };
        waits.into_iter().flatten().filter_map(|order| file(*order)).collect()
    }

    /// When a package that could not be put is tried again.
    pub(super) fn next_push(&self) -> Option<Timestamp> {
        let rows = self.view.handovers.values().filter(|row| row.is_on_its_way());
        let troubles = rows.filter_map(|row| row.push_trouble.as_ref());
        troubles.map(push_again).min()
    }

    pub(in crate::engine) fn begin_push(
        &mut self,
        id: HandoverId,
        recipient: &str,
    ) -> Result<Begun, StepError> {
        let row = self.view.handovers.get(&id).ok_or(StepError::Stuck("package"))?;
        if !row.is_on_its_way() || row.terms.recipient != recipient {
            return Err(StepError::Stuck("package"));
        }
        let to = self.destination(row).cloned().ok_or(StepError::Later("no-server"))?;
        // What may not be used any more leaves no more: not after weeks in which the server was away.
        let now = self.ports.clock.now();
        let link = self.rules.links.get(&row.terms.link).ok_or(StepError::Stuck("no-link"))?;
        let over = now > row.terms.until.min(row.terms.destroy_by);
        if over || link.standing(now).is_some() || self.all_kept(row) != Some(true) {
            return Err(StepError::Stuck("use-ended"));
        }
        let facts = row.package.clone().ok_or(StepError::Stuck("package"))?;
        let place = self.package_place(id)?;
        let sources = Arc::clone(&self.ports.sources);
        Ok(Begun::long(facts.bytes, move |_| Effect::Put(sources.push(&to, &place, &facts))))
    }

    /// The server that a package goes to by itself: where its recipient has one, and what was approved names its channel.
    #[must_use]
    pub fn destination(&self, row: &Handover) -> Option<&Destination> {
        let to = self.rules.recipients.get(&row.terms.recipient)?.push.as_deref()?;
        same_channel(&to.channel, &row.terms.channel).then_some(to)
    }

    /// Whether every copy that a package is stands in the inventory as alive; nothing while one is still to be declared.
    fn all_kept(&self, row: &Handover) -> Option<bool> {
        let states = row.copies.iter().map(|copy| self.view.copies.get(copy).map(|row| row.state));
        let mut all = true;
        for state in states {
            match state {
                Some(CopyState::Planned) => return None,
                Some(CopyState::Kept) => {}
                _ => all = false,
            }
        }
        Some(all)
    }

    /// A package that lies at the server is no longer ours: it goes from the outbox, and so does one that is over in
    /// another way. Looked at once a process, since a stop may have come before; what cannot be removed is told, and
    /// tried again.
    pub(super) fn clear_outboxes(&mut self) {
        let over = |row: &Handover| row.pushed.is_some() || row.state != HandoverState::Made;
        let done = |row: &Handover| row.package.is_some() && over(row);
        let rows = self.view.handovers.iter().filter(|(id, row)| {
            done(row) && self.destination(row).is_some() && !self.fetching.cleared.contains(id)
        });
        let ids: Vec<HandoverId> = rows.map(|(id, _)| *id).collect();
        for id in ids {
            let Some(place) = self.outbox_of(id) else { continue };
            match self.ports.packages.taken(&place) {
                Ok(()) => _ = self.fetching.cleared.insert(id),
                Err(error) => self.notes.push(format!("{id} is still in its outbox: {error}")),
            }
        }
    }
}

/// When a package that could not be put is tried again: what a person has to see to, once a day.
fn push_again(trouble: &Trouble) -> Timestamp {
    match trouble.failure {
        Failure::Stuck => trouble.at.plus_seconds(limits::RELEASE_SECONDS_MAX),
        Failure::Later => retry_at(trouble.times, trouble.at),
    }
}
