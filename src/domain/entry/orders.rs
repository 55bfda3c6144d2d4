//! Entries about orders, standing approvals and closing papers. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{
    digest::Digest,
    ids::{CopyId, OrderId, StandingId},
    time::Timestamp,
};

/// A person stopped an order: who requested it took it back, or a supervisor thought again while there was time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderCancelled {
    /// The order.
    pub order: OrderId,
    /// Why.
    pub reason: String,
    /// Copies whose wipe had begun: they are there, and nobody can read them any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<CopyId>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A copy that an order cannot reach: it stays, with somebody who answers for it, and so its batch stays open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The order.
    pub order: OrderId,
    /// The copy.
    pub copy: CopyId,
    /// The account that brings it back.
    pub owner: String,
    /// By when.
    pub until: Timestamp,
    /// Why it cannot be reached.
    pub reason: String,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A standing approval (NT-4.4: 立即匯入系統後立即執行銷毀), as a custodian proposes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingProposed {
    /// Its id.
    pub standing: StandingId,
    /// The policy whose batches it is for.
    pub policy: String,
    /// The link, where it is for one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What it covers: `transfer-files`, as soon as their content is committed.
    pub scope: String,
    /// Document number; the regulation's own letter will do.
    pub doc_no: String,
    /// It counts for nothing after this.
    pub until: Timestamp,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A supervisor confirmed a standing approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingConfirmed {
    /// The standing approval.
    pub standing: StandingId,
    /// The signed decision.
    pub signed: Signed,
}

/// A standing approval ended before its time: at once, by one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingEnded {
    /// The standing approval.
    pub standing: StandingId,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A paper that closes an order. The paper itself stays in the office's files; its digest stands here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PaperFacts {
    /// `letter`, `evidence`, `cc-it` or `cc-ethics`.
    pub kind: String,
    /// Document number, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_no: Option<String>,
    /// Its date.
    pub date: Timestamp,
    /// SHA-256 of its file, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
}

/// Papers that close an order, as the custodian has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PapersRecorded {
    /// The order.
    pub order: OrderId,
    /// The papers.
    pub papers: Vec<PaperFacts>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A supervisor confirmed papers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PapersConfirmed {
    /// The order.
    pub order: OrderId,
    /// The entry of the papers.
    pub proposal: u64,
    /// The signed decision.
    pub signed: Signed,
}
