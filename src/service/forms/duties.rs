//! The facts of the list that is handed over when a custodian changes (移交清冊): what is open, which keys are held, and
//! what waits for whom.

use serde::{Deserialize, Serialize};

use super::Source;
use crate::{
    domain::{
        digest::Digest,
        entry::{self, HoldScope, KeyForm},
        ids::{BatchId, HoldId, KeyId, OrderId},
        lifecycle::{BatchState, CopyState, OrderState},
        reason::Reason,
        time::Timestamp,
        view::KeyState,
    },
    error::{Error, Exit},
    service::{Result, Service, copies::InventoryLine, status::Task},
};

/// The list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DutyList {
    /// Where it comes from.
    pub source: Source,
    /// Batches that are not closed.
    pub batches: Vec<OpenBatch>,
    /// Keys of providers that the key store holds.
    pub keys: Vec<HeldKey>,
    /// Months of access logs whose keys are held, by link.
    pub access_keys: Vec<AccessKey>,
    /// Copies that people keep, or may make.
    pub copies: Vec<InventoryLine>,
    /// Orders that are not finished.
    pub orders: Vec<OpenOrder>,
    /// Holds that stand.
    pub holds: Vec<OpenHold>,
    /// What waits for whom, the most urgent first.
    pub duties: Vec<Task>,
    /// How many duties there are, also where the list is cut.
    pub duties_total: u64,
    /// SHA-256 of batches, keys, access_keys, copies, orders and holds as canonical JSON: what stands in the register when
    /// custody is handed over.
    pub digest: Digest,
}

/// A batch that is not closed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OpenBatch {
    /// Id.
    pub batch: BatchId,
    /// Provider's number.
    pub number: Option<String>,
    /// Link.
    pub link: String,
    /// Title of the link.
    pub title: String,
    /// State.
    pub state: BatchState,
    /// Why it is there.
    pub reason: Option<Reason>,
    /// When it was received.
    pub received_at: Option<Timestamp>,
    /// Records in the vault.
    pub records: Option<u64>,
    /// Copies that exist.
    pub copies: u64,
    /// End of its approved use.
    pub use_until: Option<Timestamp>,
    /// When it must be destroyed.
    pub deadline: Option<Timestamp>,
    /// The hold that stands.
    pub hold: Option<HoldId>,
}

/// The key of a link's access log in one month.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AccessKey {
    /// Link.
    pub link: String,
    /// `2026-11`.
    pub month: String,
}

/// A key that is held. The key itself is nowhere but in the key store.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HeldKey {
    /// Id.
    pub key: KeyId,
    /// Link.
    pub link: String,
    /// The number that it was sent for.
    pub number: String,
    /// Form.
    pub form: KeyForm,
    /// How it came.
    pub channel: String,
    /// Who entered it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// An order that is not finished.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OpenOrder {
    /// Id.
    pub order: OrderId,
    /// State.
    pub state: OrderState,
    /// Who requested it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Void after this.
    pub expires: Timestamp,
}

/// A hold that stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OpenHold {
    /// Id.
    pub hold: HoldId,
    /// What it covers.
    pub scope: HoldScope,
    /// By whose authority.
    pub authority: String,
    /// Document number.
    pub doc_no: String,
    /// When it is to be reviewed.
    pub review: Timestamp,
}

impl DutyList {
    /// The digest of what is handed over: not of when the list was made, and not of what waits for whom.
    fn handed(&self) -> Result<Digest> {
        let handed = serde_json::json!({
            "access_keys": self.access_keys,
            "batches": self.batches,
            "copies": self.copies,
            "holds": self.holds,
            "keys": self.keys,
            "orders": self.orders,
        });
        let bytes =
            entry::canonical(&handed).map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
        Ok(Digest::of(&bytes))
    }
}

impl Service {
    /// The list that is handed over.
    ///
    /// # Errors
    /// A store cannot be read.
    pub fn duty_list(&mut self) -> Result<DutyList> {
        let source = self.source()?;
        let duties = self.status()?.tasks;
        let copies = self.held_inventory();
        let view = &self.engine.view;
        let open =
            |state: OrderState| matches!(state, OrderState::Requested | OrderState::Approved);
        let live = view.keys.loose().filter(|(_, key)| key.state == KeyState::Live);
        let orders = view.orders.loose().filter(|(_, order)| open(order.state));
        let holds = view.holds.iter().filter(|(_, hold)| !hold.lifted);
        let held = view.access_keys.iter().filter(|(_, key)| key.destroyed.is_none());
        let access_keys =
            held.map(|((link, month), _)| AccessKey { link: link.clone(), month: month.clone() });
        let mut list = DutyList {
            source,
            batches: self.open_batches(),
            keys: live
                .map(|(id, key)| HeldKey {
                    key: id,
                    link: key.link.to_string(),
                    number: key.number.to_string(),
                    form: key.form,
                    channel: key.channel.to_string(),
                    by: key.by.to_string(),
                    at: key.at,
                })
                .collect(),
            access_keys: access_keys.collect(),
            copies,
            orders: orders
                .map(|(id, order)| OpenOrder {
                    order: id,
                    state: order.state,
                    by: order.by.clone(),
                    reason: order.reason.clone(),
                    expires: order.expires,
                })
                .collect(),
            holds: holds
                .map(|(id, hold)| OpenHold {
                    hold: *id,
                    scope: hold.scope.clone(),
                    authority: hold.authority.clone(),
                    doc_no: hold.doc_no.clone(),
                    review: hold.review,
                })
                .collect(),
            duties_total: duties.total,
            duties: duties.rows,
            digest: Digest::of(b""),
        };
        list.digest = list.handed()?;
        Ok(list)
    }

    fn open_batches(&self) -> Vec<OpenBatch> {
        let view = &self.engine.view;
        let row = view.open_batches().map(|(id, row)| OpenBatch {
            batch: id,
            number: row.number.clone(),
            link: row.link.clone(),
            title: row.facts.title.clone(),
            state: row.state,
            reason: self.engine.reason(&row),
            received_at: row.times.get("claimed").copied(),
            records: row.counts.committed,
            copies: view
                .copies_of(id)
                .filter(|(_, copy)| copy.state != CopyState::Destroyed)
                .count() as u64,
            use_until: row.times.get("use-until").copied(),
            deadline: row.due.map(|(deadline, _)| deadline),
            hold: view.hold_on(id),
        });
        row.collect()
    }
}
