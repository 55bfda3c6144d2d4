//! Packages that are put to the server of their recipient: owed from when they are made until they are proven to lie
//! there whole, or somebody has confirmed that they came another way. Then nothing of them stays in the outbox.

use std::sync::Arc;

use super::Outgoing;
use crate::{
    domain::{
        digest::Digest,
        ids::{HandoverId, OrderId},
        lifecycle::CopyState,
        link::Link,
        step::Plan,
        time::Timestamp,
        view::{Handover, Trouble},
    },
    engine::{
        Engine, EngineError, StepError,
        jobs::{Begun, Effect},
        ports::CopySize,
        turn::retry_at,
    },
};

impl Engine {
    /// Packages that are to be put to a server now.
    pub(super) fn owed_packages(&self, rests: &dyn Fn(Option<&Trouble>) -> bool) -> Vec<Plan> {
        let pushes = |row: &Handover| {
            let recipient = self.rules.recipients.get(&row.terms.recipient);
            recipient.is_some_and(|recipient| recipient.push.is_some())
        };
        // A package is in the inventory before it leaves.
        let declared = |row: &Handover| {
            let mut copies = row.copies.iter().filter_map(|copy| self.view.copies.get(copy));
            copies.all(|copy| copy.state != CopyState::Planned)
        };
        let planned = |id: HandoverId| {
            let of =
                |plan: &Plan| matches!(plan, Plan::PushPackage { handover, .. } if *handover == id);
            self.view.open_plan(of).is_some()
        };
        let owed = self.view.handovers.iter().filter(|(id, row)| {
            row.is_on_its_way()
                && pushes(row)
                && declared(row)
                && !rests(row.push_trouble.as_ref())
                && !planned(**id)
        });
        owed.map(|(id, row)| Plan::PushPackage {
            handover: *id,
            recipient: row.terms.recipient.clone(),
        })
        .collect()
    }

    /// Certificates of a link's orders that its server has not, with the batch that each is about.
    pub(super) fn owed_reports(&self, link: &Link) -> Vec<Outgoing> {
        let wanted = link.source.as_ref().is_some_and(|source| source.reports.is_some());
        let waits = self.view.remotes.unreported.get(&link.name).filter(|_| wanted);
        let file = |order: OrderId| {
            let batch = self.view.orders.get(&order)?.copies.first()?.batch;
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
        troubles.map(|trouble| retry_at(trouble.times, trouble.at)).min()
    }

    pub(in crate::engine) fn begin_push(
        &mut self,
        id: HandoverId,
        recipient: &str,
    ) -> Result<Begun, StepError> {
        let place = self.package_place(id)?;
        let to = self.rules.recipients.get(recipient).and_then(|one| one.push.clone());
        let to = to.ok_or(StepError::Later("no-server"))?;
        let facts = self.view.handovers.get(&id).and_then(|row| row.package.clone());
        let facts = facts.ok_or(StepError::Stuck("package"))?;
        let sources = Arc::clone(&self.ports.sources);
        Ok(Begun::long(facts.bytes, move |_| Effect::Put(sources.push(&to, &place, &facts))))
    }

    /// A package that lies at the server is no longer ours: it goes from the outbox. Said again at each start, since a
    /// stop may have come before.
    pub(in crate::engine) fn take_from_outbox(
        &mut self,
        id: HandoverId,
    ) -> Result<(), EngineError> {
        match self.package_place(id) {
            Ok(place) => Ok(self.ports.packages.taken(&place)?),
            // Nobody says any more where it lay.
            Err(_) => Ok(()),
        }
    }

    pub(super) fn clear_outboxes(&mut self) -> Result<(), EngineError> {
        let pushed = self.view.handovers.iter().filter(|(_, row)| row.pushed.is_some());
        let ids: Vec<HandoverId> = pushed.map(|(id, _)| *id).collect();
        for id in ids {
            self.take_from_outbox(id)?;
        }
        Ok(())
    }
}
