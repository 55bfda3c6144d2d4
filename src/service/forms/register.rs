//! The rows of 附件一: one for each batch, with the ten columns of the Taipei regulation (TPH-5.5) and ours.

use serde::{Deserialize, Serialize};

use super::{EndByPeople, Seal, Source, held::approved_doc_no};
use crate::{
    domain::{
        certificate::Assurance,
        digest::Digest,
        entry::{AGENT, Counts, PaperFacts},
        ids::{BatchId, HoldId, OrderId},
        lifecycle::{BatchState, CopyState, OrderState},
        limits,
        reason::Reason,
        time::Timestamp,
        view::{Batch, Order},
    },
    service::{Result, Service, no_link},
};

/// Which batches a sheet has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterFilter {
    /// Received at this time or later.
    pub from: Option<Timestamp>,
    /// Received at this time or before.
    pub to: Option<Timestamp>,
    /// Of this link.
    pub link: Option<String>,
    /// This one alone.
    pub batch: Option<BatchId>,
}

/// The register by batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sheet {
    /// The official title, where the policies of all its rows give the same.
    pub title: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// Which batches were asked for.
    pub filter: RegisterFilter,
    /// The batches, oldest first.
    pub rows: Vec<RegisterRow>,
}

impl Sheet {
    /// The sheet of these rows.
    #[must_use]
    pub fn new(source: Source, filter: RegisterFilter, rows: Vec<RegisterRow>) -> Self {
        Self { title: common_title(&rows), source, filter, rows }
    }
}

/// A part of a [`Sheet`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterPart {
    /// Its rows, and where they come from.
    pub sheet: Sheet,
    /// What the next part comes after; none where this is the last.
    pub next: Option<BatchId>,
}

/// A row.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RegisterRow {
    /// Our id.
    pub batch: BatchId,
    /// Provider's number.
    pub number: Option<String>,
    /// Link.
    pub link: String,
    /// Official title of the register, by the link's policy.
    pub register_title: Option<String>,
    /// Name of the delivery, while the erasable store has it.
    pub delivery: Option<String>,
    /// State.
    pub state: BatchState,
    /// Why it is there.
    pub reason: Option<Reason>,
    /// When it was received.
    pub received_at: Timestamp,
    /// 提供機關通知時間.
    pub notified_at: Option<Timestamp>,
    /// 資料筆數, and what they were compared with.
    pub counts: Counts,
    /// 申請筆數.
    pub applied: Option<u64>,
    /// 使用目的.
    pub purpose: String,
    /// Whether the provider stated another purpose.
    pub purpose_differs: bool,
    /// 依據公文文號.
    pub basis_doc_no: String,
    /// Whether the provider stated another number.
    pub basis_differs: bool,
    /// 業務單位承辦人: who applied for its use.
    pub handlers: Vec<Seal>,
    /// 取得資料方式: how sure the origin is (`signed`, `by-letter`, …).
    pub strength: Option<String>,
    /// 資訊室承辦人: who entered the key or decided on it.
    pub it_handlers: Vec<Seal>,
    /// How the key came.
    pub key_channel: Option<String>,
    /// 業務單位主管: who approved its use.
    pub supervisors: Vec<Seal>,
    /// 銷毀日期.
    pub destroyed_at: Option<Timestamp>,
    /// 提供機關.
    pub provider: String,
    /// 資料表號.
    pub table_no: String,
    /// Title of the link.
    pub title: String,
    /// Units that may use it.
    pub units: Vec<String>,
    /// `full` or `delta`.
    pub kind: Option<String>,
    /// Number of a delta.
    pub sequence: Option<u64>,
    /// 匯入時間.
    pub loaded_at: Option<Timestamp>,
    /// 核准使用期限.
    pub use_until: Option<Timestamp>,
    /// 銷毀期限.
    pub deadline: Option<Timestamp>,
    /// The order of its destruction.
    pub order: Option<OrderId>,
    /// 簽報.
    pub requested: Option<Seal>,
    /// 核定.
    pub approved: Option<Seal>,
    /// Every copy, and what became of it.
    pub copies: Vec<CopyEnd>,
    /// SHA-256 of the certificate.
    pub certificate: Option<Digest>,
    /// 函報文號 and 佐證附件: the papers that closed the order.
    pub papers: Vec<PaperFacts>,
    /// The hold that stands (暫緩銷毀).
    pub hold: Option<HoldId>,
}

/// What became of a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CopyEnd {
    /// What it is: `transfer`, `vault`, `case`.
    pub kind: String,
    /// State.
    pub state: CopyState,
    /// Bytes.
    pub bytes: u64,
    /// What its wipe proved.
    pub assurance: Option<Assurance>,
    /// 複製核准文號, of a copy that an office allowed.
    pub approved_doc_no: Option<String>,
    /// How people destroyed it.
    pub by_people: Option<EndByPeople>,
}

impl Service {
    /// A part of the register by batch.
    ///
    /// # Errors
    /// A store cannot be read.
    pub fn register_part(
        &self,
        filter: RegisterFilter,
        after: Option<BatchId>,
    ) -> Result<RegisterPart> {
        let known = |link: &String| {
            self.engine.rules.links.contains_key(link) || self.engine.view.last_of(link).is_some()
        };
        if let Some(link) = filter.link.as_ref().filter(|link| !known(link)) {
            return Err(no_link(link));
        }
        let wanted = |id: BatchId, row: &Batch| {
            let at = received(row);
            filter.batch.is_none_or(|one| one == id)
                && filter.link.as_ref().is_none_or(|link| *link == row.link)
                && filter.from.is_none_or(|from| at >= from)
                && filter.to.is_none_or(|to| at <= to)
        };
        let view = &self.engine.view;
        let (mut rows, mut next) = (Vec::new(), None);
        let one = filter.batch.filter(|batch| view.batches.contains_key(batch));
        let all = filter.batch.is_none().then(|| view.batches.keys_after(after));
        for (looked, id) in one.into_iter().chain(all.into_iter().flatten()).enumerate() {
            // Whoever wants few of many gets parts with no rows: the others are not kept waiting.
            if rows.len() == limits::PART_BATCHES_MAX || looked == limits::PART_LOOKED_MAX {
                next = Some(BatchId::new(id.number() - 1));
                break;
            }
            if view.batches.get(&id).is_some_and(|row| wanted(id, &row)) {
                rows.push(self.register_row(id, self.last_order(id))?);
            }
        }
        Ok(RegisterPart { sheet: Sheet::new(self.source()?, filter, rows), next })
    }

    /// The last order that covers a batch and was not denied or voided.
    fn last_order(&self, batch: BatchId) -> Option<OrderId> {
        let stood = |order: &Order| !matches!(order.state, OrderState::Denied | OrderState::Voided);
        let mut orders = self.engine.view.orders_of(batch).rev();
        orders.find(|(_, order)| stood(order)).map(|(id, _)| id)
    }

    fn register_row(&self, id: BatchId, order: Option<OrderId>) -> Result<RegisterRow> {
        let row = self.row(id)?;
        let (handlers, supervisors) = self.users_of(&row)?;
        let ordered = order.and_then(|order| self.engine.view.orders.get(&order));
        let (requested, approved) = match &ordered {
            Some(order) => self.decided(order)?,
            None => (None, None),
        };
        let manifest = row.manifest.as_ref();
        let policy = self.engine.rules.policies.get(&row.facts.policy);
        let time = |name: &str| row.times.get(name).copied();
        let key = self.key_of(&row);
        let made = self.engine.view.copies_of(id).filter(|(_, copy)| !copy.is_unmade());
        let copies = made.map(|(_, copy)| CopyEnd {
            kind: copy.kind.word().to_owned(),
            state: copy.state,
            bytes: copy.bytes,
            assurance: copy.assurance,
            approved_doc_no: approved_doc_no(&copy),
            by_people: EndByPeople::of(&copy),
        });
        Ok(RegisterRow {
            batch: id,
            number: row.number.clone(),
            link: row.link.clone(),
            register_title: policy.map(|policy| policy.register_title.clone()),
            delivery: self.engine.case(id)?.map(|case| case.shown()),
            state: row.state,
            reason: self.engine.reason(&row),
            received_at: received(&row),
            notified_at: manifest.map(|m| m.notified_at),
            counts: row.counts,
            applied: manifest.and_then(|m| m.applied),
            purpose: row.facts.purpose.clone(),
            purpose_differs: manifest.is_some_and(|m| m.purpose_differs),
            basis_doc_no: row.facts.basis_doc_no.clone(),
            basis_differs: manifest.is_some_and(|m| m.basis_differs),
            handlers,
            strength: row.strength.as_deref().map(str::to_owned),
            it_handlers: key.iter().filter_map(|key| key.0.clone()).collect(),
            key_channel: key.map(|key| key.1),
            supervisors,
            destroyed_at: time(BatchState::Destroyed.word()),
            provider: row.facts.provider.clone(),
            table_no: row.facts.table_no.clone(),
            title: row.facts.title.clone(),
            units: row.facts.units.clone(),
            kind: manifest.map(|m| m.kind.word().to_owned()),
            sequence: manifest
                .filter(|m| m.kind == crate::domain::manifest::Kind::Delta)
                .map(|m| m.sequence),
            loaded_at: time(BatchState::Loaded.word()),
            use_until: time("use-until"),
            deadline: row.due.map(|(deadline, _)| deadline),
            order,
            requested,
            approved,
            copies: copies.collect(),
            certificate: ordered
                .as_ref()
                .and_then(|order| order.certificate.map(|(digest, _)| digest)),
            papers: ordered.map(|order| order.papers.clone()).unwrap_or_default(),
            hold: self.engine.view.hold_on(id),
        })
    }

    /// Who requested and who approved.
    pub(super) fn decided(&self, order: &Order) -> Result<(Option<Seal>, Option<Seal>)> {
        let approved = match &order.approved {
            Some((_, mark)) => Some(self.seal(*mark)?),
            None => None,
        };
        Ok((Some(self.seal(order.requested)?), approved))
    }

    /// Who applied for the use of a batch, and who approved it: everyone whose grant was open while it was loaded.
    fn users_of(&self, row: &Batch) -> Result<(Vec<Seal>, Vec<Seal>)> {
        let Some(from) = row.times.get(BatchState::Loaded.word()).copied() else {
            return Ok((Vec::new(), Vec::new()));
        };
        let to = [BatchState::Due, BatchState::Condemned, BatchState::Destroyed]
            .into_iter()
            .find_map(|state| row.times.get(state.word()).copied());
        let to = to.unwrap_or_else(|| self.now());
        let (mut handlers, mut supervisors) = (Vec::new(), Vec::new());
        let grants = self.engine.view.grants.iter();
        for (_, grant) in grants.filter(|(_, grant)| grant.terms.link == row.link) {
            let Some(approved) = grant.approved else { continue };
            if approved.at <= to && grant.terms.until >= from {
                once(&mut handlers, self.seal(grant.applied)?);
                once(&mut supervisors, self.seal(approved)?);
            }
        }
        Ok((handlers, supervisors))
    }

    /// Who brought the key that opened a batch, where a person did, and how it came.
    fn key_of(&self, row: &Batch) -> Option<(Option<Seal>, String)> {
        let (_, key) = self.engine.view.newest_key(row)?;
        let person = (*key.by != *AGENT).then(|| self.sealed(key.by.to_string(), key.at, None));
        Some((person, key.channel.to_string()))
    }
}

/// One seal for each account: the first time counts.
fn once(seals: &mut Vec<Seal>, seal: Seal) {
    if seals.iter().all(|one| one.account != seal.account) {
        seals.push(seal);
    }
}

fn received(row: &Batch) -> Timestamp {
    row.times.get("claimed").copied().unwrap_or(Timestamp::from_millis(0))
}

/// The title that all rows have.
fn common_title(rows: &[RegisterRow]) -> Option<String> {
    let first = rows.first()?.register_title.clone()?;
    rows.iter().all(|row| row.register_title.as_ref() == Some(&first)).then_some(first)
}
