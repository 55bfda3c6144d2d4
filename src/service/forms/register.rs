//! The rows of 附件一: one for each batch and unit that uses it, with the ten columns of the Taipei regulation (TPH-5.5) and
//! ours, under the serial numbers that they have for ever.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{EndByPeople, Seal, Source, early::is_wanted, held::approved_doc_no};
use crate::{
    domain::{
        certificate::Assurance,
        digest::Digest,
        entry::{Counts, PaperFacts},
        forms::{self, RegisterForm},
        ids::{BatchId, HoldId, OrderId},
        intake::Compared,
        lifecycle::{BatchState, CopyState, OrderState},
        limits,
        notified::EarlyState,
        reason::Reason,
        serial::{self, Serial},
        time::Timestamp,
        view::{Batch, OpenedRow, Order},
    },
    error::{Error, Exit},
    service::{Result, Service, amending::AmendedFact, no_link},
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
    /// Those that got their number in this ROC year, and those that were open when it began.
    #[serde(default)]
    pub year: Option<u16>,
    /// Of this register: the name of its policy.
    #[serde(default)]
    pub register: Option<String>,
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
    /// What it looks like on paper.
    pub form: RegisterForm,
    /// The rows, by register and serial number.
    pub rows: Vec<RegisterRow>,
}

impl Sheet {
    /// The sheet of these rows.
    #[must_use]
    pub fn new(
        source: Source,
        filter: RegisterFilter,
        form: RegisterForm,
        mut rows: Vec<RegisterRow>,
    ) -> Self {
        rows.sort_by(|a, b| (&a.register, a.serial).cmp(&(&b.register, b.serial)));
        Self { title: common_title(&rows), source, filter, form, rows }
    }

    /// The registers that its rows stand in.
    #[must_use]
    pub fn registers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.rows.iter().map(|row| row.register.as_str()).collect();
        names.dedup();
        names
    }
}

/// A part of a [`Sheet`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterPart {
    /// Its rows, and where they come from.
    pub sheet: Sheet,
    /// What the next part comes after; none where this is the last.
    pub next: Option<After>,
}

/// How far a list came: batches come first, then the rows that no batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// After this batch.
    Batch(BatchId),
    /// After all batches, and after those rows that were opened by earlier entries than this one.
    Early(u64),
}

impl After {
    /// Whether a list that was at `before` came further.
    #[must_use]
    pub fn is_further(self, before: Option<Self>) -> bool {
        match (before, self) {
            (None, _) | (Some(Self::Batch(_)), Self::Early(_)) => true,
            (Some(Self::Batch(before)), Self::Batch(now)) => now > before,
            (Some(Self::Early(before)), Self::Early(now)) => now > before,
            (Some(Self::Early(_)), Self::Batch(_)) => false,
        }
    }
}

/// A row.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RegisterRow {
    /// 序號.
    pub serial: Serial,
    /// The register that it stands in: the name of its policy.
    pub register: String,
    /// 使用單位.
    pub unit: Option<String>,
    /// Our id; none while nothing is claimed.
    pub batch: Option<BatchId>,
    /// Provider's number.
    pub number: Option<String>,
    /// Link.
    pub link: String,
    /// Official title of the register, by the link's policy.
    pub register_title: Option<String>,
    /// Name of the delivery, while the erasable store has it.
    pub delivery: Option<String>,
    /// State.
    pub state: RowState,
    /// Why it is there.
    pub reason: Option<Reason>,
    /// Why a person turned it down, or took its announcement back.
    pub said: Option<String>,
    /// The row that goes on with this one's delivery, where it is another.
    pub joined: Option<Serial>,
    /// When the row was opened, while no batch has it.
    pub opened_at: Option<Timestamp>,
    /// When it was received.
    pub received_at: Option<Timestamp>,
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
    /// 業務單位承辦人: who filled in that it is provided, and who applied for its use.
    pub handlers: Vec<Seal>,
    /// 取得資料方式: how sure the origin is (`signed`, `by-letter`, …).
    pub strength: Option<String>,
    /// 資訊室承辦人: who entered the key, found it whole, and sealed that it is provided.
    pub it_handlers: Vec<Seal>,
    /// 比對狀況: what the handler compared.
    pub compared: Option<ComparedRow>,
    /// How the key came.
    pub key_channel: Option<String>,
    /// 業務單位主管: who provided it, and who approved its use.
    pub supervisors: Vec<Seal>,
    /// 銷毀日期.
    pub destroyed_at: Option<Timestamp>,
    /// 結案.
    pub closed_at: Option<Timestamp>,
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
    /// What was amended of its entries, the oldest first.
    pub amendments: Vec<AmendedFact>,
}

/// Where a row stands: its batch, or what there is of it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum RowState {
    /// Its batch.
    Batch(BatchState),
    /// No batch has it.
    Early(EarlyState),
}

/// What a handler compared (TPH-6.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparedRow {
    /// What it came to.
    pub result: Compared,
    /// 申請筆數.
    pub applied: u64,
    /// 實收筆數.
    pub received: u64,
    /// 匯入筆數.
    pub loaded: u64,
    /// 剔退筆數.
    pub rejected: u64,
    /// What was said about it.
    pub note: Option<String>,
    /// Who made it.
    pub by: Seal,
    /// Who let the batch be handed on all the same.
    pub accepted: Option<Seal>,
    /// Why.
    pub accepted_because: Option<String>,
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

/// Rows of a part, while it grows.
struct Rows {
    rows: Vec<RegisterRow>,
    next: Option<After>,
}

impl Rows {
    fn is_full(&self, looked: usize) -> bool {
        self.rows.len() >= limits::PART_BATCHES_MAX || looked == limits::PART_LOOKED_MAX
    }
}

impl Service {
    /// A part of the register by batch.
    ///
    /// # Errors
    /// A store cannot be read.
    pub fn register_part(
        &self,
        filter: RegisterFilter,
        after: Option<After>,
    ) -> Result<RegisterPart> {
        let known = |link: &String| {
            self.engine.rules.links.contains_key(link) || self.engine.view.last_of(link).is_some()
        };
        if let Some(link) = filter.link.as_ref().filter(|link| !known(link)) {
            return Err(no_link(link));
        }
        let began = filter.year.and_then(serial::bounds).map(|(first, _)| first);
        let wanted = |id: BatchId, row: &Batch| {
            let at = received(row);
            filter.batch.is_none_or(|one| one == id)
                && filter.link.as_ref().is_none_or(|link| *link == row.link)
                && filter.from.is_none_or(|from| at >= from)
                && filter.to.is_none_or(|to| at <= to)
                && filter.register.as_ref().is_none_or(|name| *name == row.facts.policy)
        };
        let in_year = |row: &RegisterRow| {
            filter.year.is_none_or(|year| {
                let open = || row.closed_at.is_none_or(|at| began.is_some_and(|first| at >= first));
                row.serial.year == year || (row.serial.year < year && open())
            })
        };
        let view = &self.engine.view;
        let mut part = Rows { rows: Vec::new(), next: None };
        let one = filter.batch.filter(|batch| view.batches.contains_key(batch));
        let (all, early) = match after {
            _ if filter.batch.is_some() => (None, None),
            None => (Some(view.batches.keys_after(None)), Some(0)),
            Some(After::Batch(after)) => (Some(view.batches.keys_after(Some(after))), Some(0)),
            Some(After::Early(seq)) => (None, Some(seq)),
        };
        for (looked, id) in one.into_iter().chain(all.into_iter().flatten()).enumerate() {
            // Whoever wants few of many gets parts with no rows: the others are not kept waiting.
            if part.is_full(looked) {
                part.next = Some(After::Batch(BatchId::new(id.number() - 1)));
                break;
            }
            if view.batches.get(&id).is_some_and(|row| wanted(id, &row)) {
                part.rows.extend(self.register_rows(id)?.into_iter().filter(&in_year));
            }
        }
        if let Some(from) = early.filter(|_| part.next.is_none()) {
            for (looked, (seq, row)) in view.early.from(from).enumerate() {
                if part.is_full(looked) {
                    part.next = Some(After::Early(seq));
                    break;
                }
                if is_wanted(&filter, row) {
                    part.rows.extend(self.early_rows(row).into_iter().filter(&in_year));
                }
            }
        }
        let form = self.register_form(&filter)?;
        let Rows { rows, next } = part;
        Ok(RegisterPart { sheet: Sheet::new(self.source()?, filter, form, rows), next })
    }

    /// What the register looks like: as the policy has it whose register is asked for, or the only one that there is.
    fn register_form(&self, filter: &RegisterFilter) -> Result<RegisterForm> {
        let view = &self.engine.view;
        let of_batch =
            filter.batch.and_then(|id| Some(view.batches.get(&id)?.facts.policy.clone()));
        let mut registers = view.serials.registers();
        let only = registers.next().filter(|_| registers.next().is_none()).map(str::to_owned);
        let name = filter.register.clone().or(of_batch).or(only);
        let known = &self.engine.rules.forms;
        let own = name.and_then(|name| known.get(&name)).or_else(|| known.get(forms::DEFAULT));
        own.cloned().ok_or_else(|| Error::new(Exit::Config, "there is no form of the register"))
    }

    /// The last order that covers a batch and was not denied or voided.
    fn last_order(&self, batch: BatchId) -> Option<OrderId> {
        let stood = |order: &Order| !matches!(order.state, OrderState::Denied | OrderState::Voided);
        let mut orders = self.engine.view.orders_of(batch).rev();
        orders.find(|(_, order)| stood(order)).map(|(id, _)| id)
    }

    /// The rows of a batch: one for each unit that uses it.
    fn register_rows(&self, id: BatchId) -> Result<Vec<RegisterRow>> {
        let (row, order) = (self.row(id)?, self.last_order(id));
        row.rows.iter().map(|opened| self.register_row(id, order, opened)).collect()
    }

    fn register_row(
        &self,
        id: BatchId,
        order: Option<OrderId>,
        opened: &OpenedRow,
    ) -> Result<RegisterRow> {
        let row = self.row(id)?;
        let people = self.people_of(id, &row, opened.unit.as_deref())?;
        let ordered = order.and_then(|order| self.engine.view.orders.get(&order));
        let (requested, approved) = match &ordered {
            Some(order) => self.decided(order)?,
            None => (None, None),
        };
        let manifest = row.manifest.as_ref();
        let policy = self.engine.rules.policies.get(&row.facts.policy);
        let time = |name: &str| row.times.get(name).copied();
        Ok(RegisterRow {
            serial: opened.serial,
            register: row.facts.policy.clone(),
            unit: opened.unit.as_deref().map(str::to_owned),
            batch: Some(id),
            number: row.number.clone(),
            link: row.link.clone(),
            register_title: policy.map(|policy| policy.register_title.clone()),
            delivery: self.engine.case(id)?.map(|case| case.shown()),
            state: RowState::Batch(row.state),
            reason: self.engine.reason(&row),
            said: self.engine.view.intake_of(id).and_then(|intake| intake.rejected.clone()),
            joined: None,
            opened_at: None,
            received_at: Some(received(&row)),
            // The official notice, where one was entered; else the provider's own statement.
            notified_at: (self.engine.view.notices.official(id))
                .or(manifest.map(|m| m.notified_at)),
            counts: row.counts,
            applied: manifest.and_then(|m| m.applied),
            purpose: row.facts.purpose.clone(),
            purpose_differs: manifest.is_some_and(|m| m.purpose_differs),
            basis_doc_no: row.facts.basis_doc_no.clone(),
            basis_differs: manifest.is_some_and(|m| m.basis_differs),
            handlers: people.handlers,
            strength: row.strength.as_deref().map(str::to_owned),
            it_handlers: people.it_handlers,
            compared: self.compared_row(id)?,
            key_channel: self.key_of(&row).map(|key| key.1),
            supervisors: people.supervisors,
            destroyed_at: time(BatchState::Destroyed.word()),
            closed_at: time(BatchState::Closed.word()),
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
            copies: self.copy_ends(id),
            certificate: ordered
                .as_ref()
                .and_then(|order| order.certificate.map(|(digest, _)| digest)),
            papers: ordered.map(|order| order.papers.clone()).unwrap_or_default(),
            hold: self.engine.view.hold_on(id),
            amendments: self.amendments_about(id, &row),
        })
    }

    /// Amendments of entries about a batch, its copies, orders and key, the grants of its link and the holds over it.
    fn amendments_about(&self, id: BatchId, row: &Batch) -> Vec<AmendedFact> {
        let view = &self.engine.view;
        if view.amendments.is_empty() {
            return Vec::new();
        }
        let mut ids = BTreeSet::from([id.to_string()]);
        ids.extend(view.copies_of(id).map(|(copy, _)| copy.to_string()));
        ids.extend(view.orders_of(id).map(|(order, _)| order.to_string()));
        ids.extend(view.newest_key(row).map(|(key, _)| key.to_string()));
        let grants = view.grants.iter().filter(|(_, grant)| grant.terms.link == row.link);
        ids.extend(grants.map(|(grant, _)| grant.to_string()));
        ids.extend(view.hold_on(id).map(|hold| hold.to_string()));
        self.amended_facts(|object| ids.contains(object))
    }

    /// Every copy that was made of a batch, and what became of it.
    fn copy_ends(&self, id: BatchId) -> Vec<CopyEnd> {
        let made = self.engine.view.copies_of(id).filter(|(_, copy)| !copy.is_unmade());
        let end = made.map(|(_, copy)| CopyEnd {
            kind: copy.kind.word().to_owned(),
            state: copy.state,
            bytes: copy.bytes,
            assurance: copy.assurance,
            approved_doc_no: approved_doc_no(&copy),
            by_people: EndByPeople::of(&copy),
        });
        end.collect()
    }

    /// Who requested and who approved.
    pub(super) fn decided(&self, order: &Order) -> Result<(Option<Seal>, Option<Seal>)> {
        let approved = match &order.approved {
            Some((_, mark)) => Some(self.seal(*mark)?),
            None => None,
        };
        Ok((Some(self.seal(order.requested)?), approved))
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
