//! Rows that go to a file are a copy of every batch that they come from: in the inventory before the first byte, with who keeps
//! it, where, and by when it is gone (DESIGN 8, invariant 4).
//!
//! A file of rows is an `export` that lies in a file. Whether one may be made, and who agrees to it, is the rule of all copies;
//! its end is recorded and confirmed as theirs, and no batch closes before.

use super::{Actor, Reply, Result, Service, inventory::Wish, reading::Reading, stated};
use crate::{
    domain::{
        calendar,
        entry::{Body, CopyRequested, GrantTerms, KeptAt, Signed},
        ids::{BatchId, CopyId, GrantId},
        inventory::{HeldKind, Medium},
        lifecycle::CopyState,
        limits,
        time::Timestamp,
        view::{CopyKind, CopyRow},
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
    pub(super) kept: KeptAt,
    pub(super) delete_by: Timestamp,
    pub(super) reason: String,
}

impl Service {
    /// Puts a file that is to be made into the inventory: a copy of each batch that its rows come from, with who keeps it,
    /// where, and by when it is gone. All of them are judged before the first is recorded.
    pub(super) fn copy_out(&mut self, actor: &Actor, file: RowFile) -> Result<Reply> {
        let batches = self.may_go_out(actor, &file)?;
        let RowFile { copies, kept, delete_by, reason, .. } = file;
        let mut wanted = Vec::with_capacity(batches.len());
        for batch in batches {
            let known = copies.iter().copied().find(|copy| self.is_row_file(actor, *copy, batch));
            self.one_more(batch)?;
            wanted.push(match known {
                Some(copy) => {
                    self.was_agreed(copy, &kept, delete_by)?;
                    Err(copy)
                }
                None => {
                    let (kind, medium) = (HeldKind::Export, Medium::File);
                    let (reason, delete_by) = (reason.clone(), Some(delete_by));
                    let kept = Some(kept.clone());
                    let wish = Wish { batch, kind, medium, reason, delete_by, kept };
                    let free = self.copy_wanted(actor, &wish)?.is_none();
                    Ok((wish, free))
                }
            });
        }
        let mut ids = Vec::with_capacity(wanted.len());
        let mut waits = false;
        // A signature stands in one entry only.
        let mut signed = actor.signed.clone();
        for one in wanted {
            let copy = match one {
                Ok((wish, free)) => self.copy_asked(actor, wish, free, signed.take())?,
                Err(copy) => copy,
            };
            let row = self.engine.view.copies.get(&copy);
            waits |= row.as_ref().is_none_or(|row| row.state != CopyState::Planned);
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

    /// The batches that rows of a file come from, where this person may have one.
    fn may_go_out(&self, actor: &Actor, file: &RowFile) -> Result<Vec<BatchId>> {
        let grant = file.grant;
        stated("the reason", &file.reason)?;
        stated("the holder", &file.kept.holder)?;
        stated("the place", &file.kept.place)?;
        let terms = self.grant(grant)?.terms.clone();
        let until = terms.until;
        if terms.holder != actor.name() {
            return Err(Error::refused(format!("'{grant}' is not your grant")));
        }
        let (batches, use_until) = self.batches_read(&terms, file.batch)?;
        let last = until.min(use_until.unwrap_or(until));
        if file.delete_by > last {
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
        Ok(batches)
    }

    /// Whether a copy that was asked for before is this file: kept by whom, where, and until when it was agreed to.
    fn was_agreed(&self, copy: CopyId, kept: &KeptAt, delete_by: Timestamp) -> Result<()> {
        let (_, held) = self.held(copy)?;
        self.later(Some(delete_by))?;
        if let Some(agreed) = held.delete_by.filter(|agreed| delete_by > *agreed) {
            return Err(self.agreed_until(copy, agreed));
        }
        match held.will_be {
            Some(agreed) if agreed == *kept => Ok(()),
            Some(KeptAt { holder, place }) => Err(Error::refused(format!(
                "'{copy}' was agreed to at '{place}', kept by '{holder}'"
            ))),
            None => Err(Error::refused(format!("'{copy}' was agreed to without its file's place"))
                .hint("leave --copy out: the file is asked for with its holder and its place")),
        }
    }

    /// Records that a copy was asked for.
    pub(super) fn copy_asked(
        &mut self,
        actor: &Actor,
        wish: Wish,
        free: bool,
        signed: Option<Signed>,
    ) -> Result<CopyId> {
        let Wish { batch, kind, medium, reason, delete_by, kept } = wish;
        let copy = self.engine.view.next_copy(0);
        let asked =
            CopyRequested { copy, batch, kind, medium, reason, delete_by, kept, free, signed };
        self.record(actor, Body::CopyRequested(asked))?;
        Ok(copy)
    }

    /// Whether people may keep one more copy of a batch.
    pub(super) fn one_more(&self, batch: BatchId) -> Result<()> {
        let known = self.engine.view.copies_of(batch);
        let alive = |row: &CopyRow| row.kind.is_held() && row.state != CopyState::Destroyed;
        if known.filter(|(_, row)| alive(row)).count() > limits::HELD_COPIES_MAX {
            let most = limits::HELD_COPIES_MAX;
            return Err(Error::usage(format!("people keep more than {most} copies of '{batch}'"))
                .hint("sheets or pieces that are kept together are one copy: --pieces N"));
        }
        Ok(())
    }

    /// A copy that was agreed to is not kept longer than that.
    pub(super) fn agreed_until(&self, copy: CopyId, agreed: Timestamp) -> Error {
        let agreed = calendar::end(agreed, self.engine.rules.zone);
        Error::refused(format!("'{copy}' was agreed to until {agreed}"))
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
            row.is_some_and(|row| {
                let known = row.held.as_ref().is_some_and(|held| held.will_be.is_some());
                row.state == CopyState::Planned && known
            })
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
