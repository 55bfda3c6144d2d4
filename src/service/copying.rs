//! Rows that go to a file are a copy of every batch that they come from: in the inventory before the first byte, with who keeps
//! it, where, and by when it is gone (DESIGN 8, invariant 4).
//!
//! A file of rows is an `export` that lies in a file. Whether one may be made, and who agrees to it, is the rule of all copies;
//! its end is recorded and confirmed as theirs, and no batch closes before.

use super::{Actor, Reply, Result, Service, inventory::Wish, reading::Reading, stated};
use crate::{
    domain::{
        calendar,
        entry::GrantTerms,
        ids::{BatchId, CopyId, GrantId},
        inventory::{HeldKind, Medium},
        lifecycle::CopyState,
        time::Timestamp,
        view::CopyKind,
    },
    error::Error,
};

/// A file that rows are to go to.
#[derive(Clone, Debug)]
pub(super) struct RowFile {
    pub(super) grant: GrantId,
    pub(super) batch: Option<BatchId>,
    /// Copies that were asked for before, where the policy has them approved.
    pub(super) copies: Vec<CopyId>,
    pub(super) delete_by: Timestamp,
    pub(super) reason: String,
}

impl Service {
    /// Puts a file that is to be made into the inventory: a copy of each batch that its rows come from.
    pub(super) fn copy_out(&mut self, actor: &Actor, file: RowFile) -> Result<Reply> {
        let RowFile { grant, batch, copies, delete_by, reason } = file;
        stated("the reason", &reason)?;
        let terms = self.grant(grant)?.terms.clone();
        let until = terms.until;
        if terms.holder != actor.name() {
            return Err(Error::refused(format!("'{grant}' is not your grant")));
        }
        let (batches, use_until) = self.batches_read(&terms, batch)?;
        let last = until.min(use_until.unwrap_or(until));
        if delete_by > last {
            let last = calendar::end(last, self.engine.rules.zone);
            return Err(Error::refused(format!(
                "the use ends {last}, and the file goes before it"
            ))
            .hint(format!("--delete-by takes a day up to {last}")));
        }
        if batches.is_empty() {
            return Err(Error::usage("no batch is loaded that rows could come from")
                .hint("'batchward batch list' shows the batches"));
        }
        let mut ids = Vec::new();
        let mut waits = false;
        for batch in batches {
            let known = copies.iter().copied().find(|copy| self.is_row_file(actor, *copy, batch));
            let copy = match known {
                Some(copy) => copy,
                None => {
                    let (kind, medium) = (HeldKind::Export, Medium::File);
                    let (reason, delete_by) = (reason.clone(), Some(delete_by));
                    let wish = Wish { batch, kind, medium, reason, delete_by };
                    let reply = self.copy_request(actor, wish)?;
                    reply.id.parse().map_err(|_| Error::usage("the copy has no id"))?
                }
            };
            let row = self.engine.view.copies.get(&copy);
            waits |= row.as_ref().is_none_or(|row| row.state != CopyState::Planned);
            let agreed = row.and_then(|row| row.held.as_ref().and_then(|held| held.delete_by));
            if let Some(agreed) = agreed.filter(|agreed| delete_by > *agreed) {
                let agreed = calendar::end(agreed, self.engine.rules.zone);
                return Err(Error::refused(format!("'{copy}' was agreed to until {agreed}")));
            }
            ids.push(copy.to_string());
        }
        let ids = ids.join(",");
        if !waits {
            return Ok(Reply::new(&ids, format!("'{ids}' may be written")));
        }
        Ok(Reply::new(&ids, format!("'{ids}' waits for the office's approval")).next(format!(
            "a supervisor runs 'batchward copy approve' for each; then the same words again, with '--copy {ids}'"
        )))
    }

    /// Whether a copy is a file of rows of this batch, asked for by this person and not refused.
    fn is_row_file(&self, actor: &Actor, copy: CopyId, batch: BatchId) -> bool {
        self.engine.view.copies.get(&copy).is_some_and(|row| {
            let own = row.held.as_ref().is_some_and(|held| held.by == actor.name());
            let asked = matches!(row.state, CopyState::Requested | CopyState::Planned);
            row.batch == batch && row.kind == CopyKind::Held(HeldKind::Export) && own && asked
        })
    }

    /// Rows go to a file only that the inventory has, of every batch that they come from.
    pub(super) fn is_in_inventory(
        &self,
        actor: &Actor,
        reading: &Reading,
        terms: &GrantTerms,
    ) -> Result<()> {
        if reading.to != "file" {
            return Ok(());
        }
        let (batches, _) = self.batches_read(terms, reading.batch)?;
        let planned = |copy: &&CopyId| {
            let row = self.engine.view.copies.get(copy);
            row.is_some_and(|row| row.state == CopyState::Planned)
        };
        for batch in batches {
            let mut copies = reading.copies.iter().filter(planned);
            if !copies.any(|copy| self.is_row_file(actor, *copy, batch)) {
                return Err(Error::refused(format!(
                    "a file with rows of '{batch}' is a copy, and the inventory has none that is to be made"
                ))
                .hint("--copy-to FILE --holder NAME --delete-by DATE puts it there first"));
            }
        }
        Ok(())
    }

    /// The batches that a reading sees, and when the use of the first of them ends.
    fn batches_read(
        &self,
        terms: &GrantTerms,
        batch: Option<BatchId>,
    ) -> Result<(Vec<BatchId>, Option<Timestamp>)> {
        let (vaults, until) = self.vaults(&terms.link, batch, terms.unit.as_deref())?;
        let copies = &self.engine.view.copies;
        let batches = vaults.iter().filter_map(|vault| Some(copies.get(&vault.copy)?.batch));
        Ok((batches.collect(), until))
    }
}
