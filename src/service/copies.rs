//! `copy list`: every copy that there is, where it is, and what its end can be stated as.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Result, Service};
use crate::{
    domain::{
        certificate::Assurance,
        entry::{Custody, EndFacts, HeldFacts},
        ids::{BatchId, CopyId, OrderId},
        inventory::{self, Medium, Sanitization},
        lifecycle::{CopyState, OrderState},
        on_paper::OnPaper,
        time::Timestamp,
        view::{CopyKind, CopyRow, Row},
        wipe::{self, Limit},
    },
    engine::ports::Kept,
};

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InventoryLine {
    /// Id.
    pub id: CopyId,
    /// Its batch.
    pub batch: BatchId,
    /// Provider's number of that.
    pub number: Option<String>,
    /// Kind.
    pub kind: String,
    /// State.
    pub state: CopyState,
    /// What it lies on, of a copy that people keep.
    pub medium: Option<Medium>,
    /// What is known of it, of a copy that people keep and that is there.
    pub facts: Option<HeldFacts>,
    /// Number of the document that allowed it.
    pub approved_doc_no: Option<String>,
    /// Whether the policy wanted it approved and it was not.
    pub unapproved: bool,
    /// By when it is to be destroyed, where that is before its batch is.
    pub delete_by: Option<Timestamp>,
    /// The order that covers it, or covered it when it went.
    pub order: Option<OrderId>,
    /// What its wipe proved.
    pub assurance: Option<Assurance>,
    /// What a wipe could prove where it lies now, of a copy that the agent keeps.
    pub reachable: Option<Assurance>,
    /// Why that is not more, as codes.
    pub limits: Vec<Limit>,
    /// The most that people can do to it, of a copy that they keep.
    pub sanitization: Option<Sanitization>,
    /// Why it was asked for.
    pub reason: Option<String>,
    /// Who asked for it, or made it known.
    pub by: Option<String>,
    /// Whether it was never made: asked for and denied, or withdrawn.
    pub never_made: bool,
    /// How it was destroyed, as one person says or two of them said.
    pub end: Option<EndFacts>,
    /// Who recorded that.
    pub recorded_by: Option<String>,
    /// Who vouched for it.
    pub witness: Option<String>,
    /// The decision on it, where that was recorded from a signed document.
    pub on_paper: Option<OnPaper>,
    /// From whose hand it came, and by whose, of a medium: the oldest first.
    pub custody: Vec<Custody>,
    /// When it was gone.
    pub gone: Option<Timestamp>,
}

impl Service {
    /// The inventory, of one batch or of all; with what is gone where `all`.
    ///
    /// # Errors
    /// There is no such batch.
    pub fn inventory(&self, batch: Option<BatchId>, all: bool) -> Result<Vec<InventoryLine>> {
        let view = &self.engine.view;
        let wanted = |row: &CopyRow| all || row.state != CopyState::Destroyed;
        let (reach, orders) = (Reach::of(self), self.orders_over(batch, all));
        let line = |(id, row): (CopyId, Row<'_, CopyRow>)| {
            self.inventory_line(id, &row, orders.get(&id).copied(), &reach)
        };
        Ok(match batch {
            Some(batch) => {
                self.row(batch)?;
                view.copies_of(batch).filter(|(_, row)| wanted(row)).map(line).collect()
            }
            None if all => view.copies.iter().map(line).collect(),
            None => view.copies.loose().filter(|(_, row)| wanted(row)).map(line).collect(),
        })
    }

    /// The copies that people keep, and those that they may make.
    pub(super) fn held_inventory(&self) -> Vec<InventoryLine> {
        let (reach, orders) = (Reach::default(), self.orders_over(None, false));
        let held = self.engine.view.held().filter(|(_, row)| row.state != CopyState::Destroyed);
        held.map(|(id, row)| self.inventory_line(id, &row, orders.get(&id).copied(), &reach))
            .collect()
    }

    /// The order that covers each copy, or covered it when it went; the first where there are several. Of one batch, or
    /// of all of them; then those of copies that went long ago only where `all`.
    fn orders_over(&self, batch: Option<BatchId>, all: bool) -> BTreeMap<CopyId, OrderId> {
        let open = |state| matches!(state, OrderState::Requested | OrderState::Approved);
        let mut over = BTreeMap::new();
        let view = &self.engine.view;
        let of_one = batch.map(|batch| view.orders_of(batch));
        let of_all = (batch.is_none() && all).then(|| view.orders.iter());
        let open_ones = (batch.is_none() && !all).then(|| view.orders.loose());
        let orders = of_one.into_iter().flatten().chain(of_all.into_iter().flatten());
        for (id, order) in orders.chain(open_ones.into_iter().flatten()) {
            let ended = order.attested.iter().map(|(copy, ..)| *copy);
            let ended = ended.chain(order.wiped.iter().map(|(copy, _)| *copy));
            let covered = order.copies.iter().map(|one| one.copy).filter(|_| open(order.state));
            for copy in ended.chain(covered.filter(|copy| order.is_open_over(*copy))) {
                over.entry(copy).or_insert(id);
            }
        }
        over
    }

    fn inventory_line(
        &self,
        id: CopyId,
        row: &CopyRow,
        order: Option<OrderId>,
        reach: &Reach,
    ) -> InventoryLine {
        let view = &self.engine.view;
        let held = row.held.as_deref();
        let gone = row.state == CopyState::Destroyed;
        let limits = if gone || row.kind.is_held() { &[] } else { reach.of_row(row) };
        let best = |medium| inventory::methods_for(medium).first().map(|row| row.1);
        InventoryLine {
            id,
            batch: row.batch,
            number: view.batches.get(&row.batch).and_then(|batch| batch.number.clone()),
            kind: row.kind.word().to_owned(),
            state: row.state,
            medium: held.map(|held| held.medium),
            facts: held.and_then(|held| held.facts.clone()),
            approved_doc_no: held
                .and_then(|held| held.approved.as_ref().map(|(doc_no, ..)| doc_no.clone())),
            unapproved: held.is_some_and(|held| held.unapproved),
            delete_by: held.and_then(|held| held.delete_by),
            order,
            assurance: row.assurance,
            reachable: (!gone && !row.kind.is_held()).then(|| wipe::assurance(limits)),
            limits: limits.to_vec(),
            sanitization: held.filter(|_| !gone).and_then(|held| best(held.medium)),
            reason: held.and_then(|held| held.reason.clone()),
            by: held.map(|held| held.by.clone()),
            never_made: gone && row.is_unmade(),
            end: held.and_then(|held| held.end.as_ref().map(|end| end.what.clone())),
            recorded_by: held.and_then(|held| held.end.as_ref().map(|end| end.by.clone())),
            witness: held.and_then(|held| held.witness.clone()),
            on_paper: held.and_then(|held| held.on_paper.clone()),
            custody: held.map(|held| held.custody.clone()).unwrap_or_default(),
            gone: row.gone,
        }
    }
}

/// What can be proven of the copies that the agent keeps, by kind.
#[derive(Default)]
struct Reach {
    transfer: Vec<Limit>,
    vault: Vec<Limit>,
    sealed: Vec<Limit>,
    case: Vec<Limit>,
}

impl Reach {
    fn of(service: &Service) -> Self {
        let ports = &service.engine.ports;
        let keys = ports.keys.foresee();
        let with = |kept: Kept, more: &[Limit]| {
            let mut limits = ports.evidence.foresee(kept);
            limits.extend_from_slice(&keys);
            limits.extend_from_slice(more);
            limits.sort_unstable();
            limits.dedup();
            limits
        };
        Self {
            // Whoever sent them may hold their key.
            transfer: with(Kept::Transfer, &[Limit::SenderHoldsKey]),
            vault: with(Kept::Vault, &[]),
            // What can be seen of a place on our own disk says nothing about a database.
            sealed: [keys.as_slice(), &Limit::OF_SEALED_IN_DATABASE].concat(),
            case: with(Kept::Case, &[]),
        }
    }

    fn of_row(&self, row: &CopyRow) -> &[Limit] {
        match (&row.plain, row.in_database) {
            (Some(_), _) => &Limit::OF_DATABASE,
            (None, true) => &self.sealed,
            (None, false) => self.of_kind(row.kind),
        }
    }

    fn of_kind(&self, kind: CopyKind) -> &[Limit] {
        match kind {
            CopyKind::Transfer => &self.transfer,
            CopyKind::Vault => &self.vault,
            CopyKind::Case => &self.case,
            CopyKind::Held(_) => &[],
        }
    }
}
