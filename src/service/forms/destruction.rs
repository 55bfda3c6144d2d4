//! The facts of the destruction record of one batch (銷毀紀錄): who asked, who decided, and what became of every copy.

use serde::{Deserialize, Serialize};

use super::{EndByPeople, RegisterFilter, RegisterRow, Seal, Source};
use crate::{
    domain::{
        certificate::Assurance,
        digest::Digest,
        entry::Body,
        ids::{BatchId, CopyId, OrderId},
        lifecycle::{CopyState, OrderState},
        step::{Outcome, Plan},
        time::Timestamp,
    },
    error::{Error, Exit},
    service::{Result, Service},
};

/// The record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DestructionRecord {
    /// Where it comes from.
    pub source: Source,
    /// The batch, as 附件一 has it.
    pub row: RegisterRow,
    /// Every order over copies of it, oldest first; also those that came to nothing.
    pub orders: Vec<OrderRow>,
    /// Every copy that there ever was.
    pub copies: Vec<CopyRecord>,
}

/// An order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OrderRow {
    /// Id.
    pub order: OrderId,
    /// State.
    pub state: OrderState,
    /// Why.
    pub reason: String,
    /// 簽報.
    pub requested: Option<Seal>,
    /// 核定.
    pub approved: Option<Seal>,
    /// Void after this.
    pub expires: Timestamp,
    /// Copies that it covers.
    pub copies: u64,
    /// SHA-256 of its certificate.
    pub certificate: Option<Digest>,
}

/// A copy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CopyRecord {
    /// Id.
    pub copy: CopyId,
    /// What it is: `transfer`, `vault`, `case`, `media`, …
    pub kind: String,
    /// State.
    pub state: CopyState,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, where one is known.
    pub sha256: Option<Digest>,
    /// Filesystem that it lay on, as its wipe found it.
    pub medium: Option<String>,
    /// When it was wiped.
    pub wiped_at: Option<Timestamp>,
    /// What the wipe proved.
    pub assurance: Option<Assurance>,
    /// The order that it was wiped under.
    pub order: Option<OrderId>,
    /// Entry of the register that says so.
    pub entry: Option<u64>,
    /// How people destroyed it.
    pub by_people: Option<EndByPeople>,
}

impl Service {
    /// The destruction record of a batch, also of one that is not destroyed yet.
    ///
    /// # Errors
    /// There is no such batch, or the register cannot be read.
    pub fn destruction_record(&self, batch: BatchId) -> Result<DestructionRecord> {
        let filter = RegisterFilter { batch: Some(batch), ..RegisterFilter::default() };
        let sheet = self.register_part(filter, None)?.sheet;
        let row = sheet.rows.into_iter().next();
        let row = row.ok_or_else(|| Error::usage(format!("there is no batch '{batch}'")))?;
        let (mut orders, mut copies) = (Vec::new(), self.copy_records(batch));
        for (id, order) in self.engine.view.orders_of(batch) {
            let (requested, approved) = self.decided(&order)?;
            orders.push(OrderRow {
                order: id,
                state: order.state,
                reason: order.reason.clone(),
                requested,
                approved,
                expires: order.expires,
                copies: order.copies.iter().filter(|copy| copy.batch == batch).count() as u64,
                certificate: order.certificate.map(|(digest, _)| digest),
            });
            for (_, seq) in &order.wiped {
                self.wiped(*seq, id, &mut copies)?;
            }
            for (copy, _, entry) in &order.attested {
                let Some(record) = copies.iter_mut().find(|record| record.copy == *copy) else {
                    continue;
                };
                record.wiped_at = record.by_people.as_ref().map(|end| end.at);
                record.order = Some(id);
                record.entry = Some(*entry);
            }
        }
        Ok(DestructionRecord { source: sheet.source, row, orders, copies })
    }

    fn copy_records(&self, batch: BatchId) -> Vec<CopyRecord> {
        let copies = self.engine.view.copies_of(batch).filter(|(_, row)| !row.is_unmade());
        let record = copies.map(|(copy, row)| CopyRecord {
            copy,
            kind: row.kind.word().to_owned(),
            state: row.state,
            bytes: row.bytes,
            sha256: row.sha256,
            medium: None,
            wiped_at: None,
            assurance: row.assurance,
            order: None,
            entry: None,
            by_people: EndByPeople::of(&row),
        });
        record.collect()
    }

    /// Adds what the outcome of a wipe says to the copy that it is of.
    fn wiped(&self, seq: u64, order: OrderId, copies: &mut [CopyRecord]) -> Result<()> {
        let broken = || Error::new(Exit::Failed, format!("entry {seq} of the register is no wipe"));
        let entry = self.engine.entry(seq)?;
        let Body::Outcome { intent, outcome: Outcome::CopyWiped { wiped } } = entry.body else {
            return Err(broken());
        };
        let Body::Intent { plan: Plan::WipeCopy { copy, .. } } = self.engine.entry(intent)?.body
        else {
            return Err(broken());
        };
        if let Some(record) = copies.iter_mut().find(|record| record.copy == copy) {
            record.medium = Some(wiped.filesystem);
            record.wiped_at = Some(entry.at);
            record.assurance = Some(wiped.assurance);
            record.order = Some(order);
            record.entry = Some(seq);
        }
        Ok(())
    }
}
