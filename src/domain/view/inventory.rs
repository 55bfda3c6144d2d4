//! Folding copies that people keep: from the wish to make one to the word of two people that it is gone.

use serde::{Deserialize, Serialize};

use super::{CopyKind, CopyRow, FoldError, Mark, Proposal, Row, View};
use crate::domain::{
    entry::{
        Body, CopyDeclared, CopyMoved, CopyRequested, Custody, EndConfirmed, EndFacts, EndRecorded,
        Entry, HeldFacts, KeptAt,
    },
    ids::{BatchId, CopyId},
    inventory::Medium,
    lifecycle::{CopyEvent, CopyState},
    on_paper::OnPaper,
    time::Timestamp,
};

/// What is known of a copy that people keep.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Held {
    /// Who asked for it, or made it known.
    pub by: String,
    /// The entry that asked for it, or made it known.
    pub mark: Mark,
    /// What it lies on, or will.
    pub medium: Medium,
    /// Why it was asked for.
    pub reason: Option<String>,
    /// By when it is to be destroyed, where that is before its batch is.
    pub delete_by: Option<Timestamp>,
    /// Who will keep it and where, of a file that the agent writes.
    pub will_be: Option<KeptAt>,
    /// The document of the office that agreed, who entered it, and when.
    pub approved: Option<(String, String, Mark)>,
    /// Whether the policy wanted it approved and it was not.
    pub unapproved: bool,
    /// What is known of it, once it is there.
    pub facts: Option<HeldFacts>,
    /// The entry that said so.
    pub declared: Option<u64>,
    /// The entry of its last move.
    pub moved: Option<u64>,
    /// Its end, as one person says; another one has to vouch for it.
    pub end: Option<Proposal<EndFacts>>,
    /// Who vouched for it.
    pub witness: Option<String>,
    /// The decision on it, where that was recorded from a signed document.
    pub on_paper: Option<OnPaper>,
    /// From whose hand it came, and by whose, of a medium: the oldest first.
    pub custody: Vec<Custody>,
    /// When it was destroyed, as was said under an order that lost its force before anybody vouched for it.
    pub said_gone: Option<Timestamp>,
}

impl Held {
    /// What is known at first.
    pub(super) const fn new(by: String, mark: Mark, medium: Medium) -> Self {
        Self {
            by,
            mark,
            medium,
            reason: None,
            delete_by: None,
            will_be: None,
            approved: None,
            unapproved: false,
            facts: None,
            declared: None,
            moved: None,
            end: None,
            witness: None,
            on_paper: None,
            custody: Vec::new(),
            said_gone: None,
        }
    }
}

impl View {
    /// A vault that a load is to make, and by what its rows may lie in plain from the first one on: what comes to nothing
    /// keeps that.
    pub(super) fn plan_vault(&mut self, vault: CopyId, batch: BatchId, plain: &Option<String>) {
        self.plan_copy(vault, batch, CopyKind::Vault);
        if let Some(row) = self.copies.get_mut(&vault) {
            row.plain = plain.as_deref().map(Into::into);
        }
    }

    /// The copies that people keep and that are not over, oldest first; some that are over may be among them.
    pub fn held(&self) -> impl Iterator<Item = (CopyId, Row<'_, CopyRow>)> {
        self.copies.loose().filter(|(_, row)| row.kind.is_held())
    }

    pub(super) fn keep_copy(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::CopyRequested(asked) => self.copy_requested(mark, &entry.by, asked),
            Body::CopyApproved(approved) => {
                let held = self.held_mut(mark, approved.copy)?;
                if held.by == entry.by {
                    return Err(FoldError::Transition(mark.seq));
                }
                held.approved = Some((approved.doc_no.clone(), entry.by.clone(), mark));
                self.move_copy(mark, approved.copy, CopyEvent::Approved)
            }
            Body::CopyDenied(denied) => self.never_made(mark, denied.copy),
            Body::CopyWithdrawn(withdrawn) => self.never_made(mark, withdrawn.copy),
            Body::CopyDeclared(declared) => self.copy_declared(mark, &entry.by, declared),
            Body::CopyMoved(moved) => self.copy_moved(mark, moved),
            Body::EndRecorded(EndRecorded { copy, end, .. }) => {
                let by = entry.by.clone();
                self.held_mut(mark, *copy)?.end = Some(Proposal { mark, by, what: end.clone() });
                Ok(())
            }
            Body::EndConfirmed(confirmed) => self.end_confirmed(mark, &entry.by, confirmed),
            _ => Err(FoldError::Transition(mark.seq)),
        }
    }

    pub(super) fn held_mut(&mut self, mark: Mark, copy: CopyId) -> Result<&mut Held, FoldError> {
        let row = self.copies.get_mut(&copy).and_then(|row| row.held.as_deref_mut());
        row.ok_or(FoldError::Unknown(mark.seq))
    }

    fn copy_requested(
        &mut self,
        mark: Mark,
        by: &str,
        asked: &CopyRequested,
    ) -> Result<(), FoldError> {
        self.batch(mark, asked.batch)?;
        self.fresh(mark, asked.copy)?;
        self.new_copy(asked.copy, asked.batch, CopyKind::Held(asked.kind), CopyState::Requested);
        let held = Held {
            reason: Some(asked.reason.clone()),
            delete_by: asked.delete_by,
            will_be: asked.kept.clone(),
            ..Held::new(by.to_owned(), mark, asked.medium)
        };
        if let Some(row) = self.copies.get_mut(&asked.copy) {
            row.held = Some(Box::new(held));
        }
        if asked.free { self.move_copy(mark, asked.copy, CopyEvent::Approved) } else { Ok(()) }
    }

    /// An id is given once.
    fn fresh(&self, mark: Mark, copy: CopyId) -> Result<(), FoldError> {
        if self.copies.contains_key(&copy) { Err(FoldError::Transition(mark.seq)) } else { Ok(()) }
    }

    fn never_made(&mut self, mark: Mark, copy: CopyId) -> Result<(), FoldError> {
        self.held_mut(mark, copy)?;
        self.move_copy(mark, copy, CopyEvent::Abandoned)
    }

    fn copy_declared(
        &mut self,
        mark: Mark,
        by: &str,
        declared: &CopyDeclared,
    ) -> Result<(), FoldError> {
        let CopyDeclared { copy, batch, facts, unapproved, .. } = declared;
        self.batch(mark, *batch)?;
        let kind = CopyKind::Held(facts.kind);
        match self.copies.get(copy) {
            Some(row) if row.kind != kind || row.batch != *batch => {
                return Err(FoldError::Transition(mark.seq));
            }
            Some(_) => {}
            None => self.new_copy(*copy, *batch, kind, CopyState::Planned),
        }
        self.move_copy(mark, *copy, CopyEvent::Made)?;
        let row = self.copies.get_mut(copy).ok_or(FoldError::Unknown(mark.seq))?;
        row.bytes = facts.bytes.unwrap_or(0);
        row.sha256 = facts.sha256;
        let held =
            row.held.get_or_insert_with(|| Box::new(Held::new(by.to_owned(), mark, facts.medium)));
        held.medium = facts.medium;
        held.delete_by = facts.delete_by.or(held.delete_by);
        held.unapproved = *unapproved;
        held.facts = Some(facts.clone());
        held.declared = Some(mark.seq);
        self.arrival_declared(*copy, *batch, facts);
        Ok(())
    }

    fn copy_moved(&mut self, mark: Mark, moved: &CopyMoved) -> Result<(), FoldError> {
        let facts = self.held_mut(mark, moved.copy)?.facts.as_mut();
        let facts = facts.ok_or(FoldError::Transition(mark.seq))?;
        facts.holder.clone_from(&moved.holder);
        facts.place.clone_from(&moved.place);
        facts.lock.clone_from(&moved.lock);
        self.held_mut(mark, moved.copy)?.moved = Some(mark.seq);
        Ok(())
    }

    /// Gone, by the word of two people. The fold itself refuses who vouches for what he said himself.
    fn end_confirmed(
        &mut self,
        mark: Mark,
        by: &str,
        confirmed: &EndConfirmed,
    ) -> Result<(), FoldError> {
        let EndConfirmed { order, copy, proposal, .. } = confirmed;
        let held = self.held_mut(mark, *copy)?;
        let end = held.end.as_ref().ok_or(FoldError::Transition(mark.seq))?;
        if end.by == by || end.what.performer == by || end.mark.seq != *proposal {
            return Err(FoldError::Transition(mark.seq));
        }
        let at = end.what.at;
        if !self.ordered(mark, *order)?.is_open_over(*copy) {
            return Err(FoldError::Transition(mark.seq));
        }
        self.move_copy(mark, *copy, CopyEvent::Wiped)?;
        self.held_mut(mark, *copy)?.witness = Some(by.to_owned());
        if let Some(row) = self.copies.get_mut(copy) {
            row.gone = Some(at.min(mark.at));
        }
        self.ordered(mark, *order)?.attested.push((*copy, *proposal, mark.seq));
        self.package_gone(mark, *copy)?;
        self.end_order(mark, *order)
    }
}
