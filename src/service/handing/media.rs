//! Portable media: what arrives on one, and what is carried away on one. Each is in the register before it is used, with
//! who carried it, from whom and when (TY-4.2.3, 可攜式儲存媒體). One that is carried away is in the inventory by then; one that
//! arrives as soon as its delivery is a batch. Where the import breaks off there is none, and the register alone names it.

use crate::{
    domain::{
        entry::{Body, CopyDeclared, Custody, HeldFacts, MediaArriving, MediaCarried},
        ids::HandoverId,
        inventory::HeldKind,
        lifecycle::HandoverState,
    },
    error::{Error, Exit},
    service::{
        Actor, Reply, Result, Service,
        inventory::{lies_on, typed},
        stated,
    },
};

impl Service {
    /// A delivery is about to come from a medium: as soon as it is a batch, the medium is one of its copies.
    pub(super) fn media_import(
        &mut self,
        actor: &Actor,
        (link, folder): (String, &str),
        facts: HeldFacts,
        custody: Custody,
    ) -> Result<Reply> {
        self.link(&link)?;
        self.carried(&facts, HeldKind::Carrier, &custody)?;
        let name_mac = self.engine.name_mac(&link, folder.as_bytes())?;
        let signed = actor.signed.clone();
        let message = format!("a delivery on '{link}' comes from this medium");
        let arriving = MediaArriving { link, name_mac, facts, custody, signed };
        self.record(actor, Body::MediaArriving(arriving))?;
        Ok(Reply::new(&folder, message).next(
            "the agent takes it over like every delivery; 'batchward copy list' then shows the medium with its batch",
        ))
    }

    /// A package is about to be written to a medium: it is a copy of each of its batches from now on.
    pub(super) fn media_export(
        &mut self,
        actor: &Actor,
        handover: HandoverId,
        facts: HeldFacts,
        custody: Custody,
    ) -> Result<Reply> {
        let row = self.in_state(handover, &[HandoverState::Made])?;
        if row.push_trouble.is_none() && self.engine.destination(row).is_some() {
            return Err(Error::new(
                Exit::Later,
                format!("'{handover}' goes to the server of '{}' by itself", row.terms.recipient),
            )
            .hint("'handover show' says when it is there, or what keeps it from being put there"));
        }
        let (packages, destroy_by) = (row.copies.clone(), row.terms.destroy_by);
        self.may_leave(actor, &row.terms.link)?;
        self.carried(&facts, HeldKind::Media, &custody)?;
        let facts = HeldFacts { delete_by: Some(destroy_by), ..facts };
        let mut copies = Vec::with_capacity(packages.len());
        let mut signed = actor.signed.clone();
        for package in packages {
            let Some(batch) = self.engine.view.copies.get(&package).map(|row| row.batch) else {
                continue;
            };
            let copy = self.engine.view.next_copy(0);
            // A signature stands in one entry only.
            let signed = signed.take();
            let facts = facts.clone();
            let declared = CopyDeclared { copy, batch, facts, unapproved: false, signed };
            self.record(actor, Body::CopyDeclared(declared))?;
            copies.push(copy);
        }
        let first = copies.first().map(ToString::to_string).unwrap_or_default();
        self.record(actor, Body::MediaCarried(MediaCarried { handover, copies, custody }))?;
        Ok(Reply::new(&first, format!("the medium with '{handover}' is in the inventory")).next(
            format!("when the recipient gives it back: 'batchward destroy request BATCH --copy {first} --reason TEXT', then 'batchward media record {first}'"),
        ))
    }

    fn carried(&self, facts: &HeldFacts, kind: HeldKind, custody: &Custody) -> Result<()> {
        if facts.kind != kind {
            return Err(Error::usage(format!("a '{kind}' is what this is about")));
        }
        lies_on(kind, facts.medium)?;
        typed(facts)?;
        stated("who gave it", &custody.from)?;
        stated("who carried it", &custody.carrier)?;
        let zone = self.engine.rules.zone;
        if custody.on.date_in(zone) > self.now().date_in(zone) {
            return Err(Error::usage("the day lies in the future"));
        }
        Ok(())
    }
}
