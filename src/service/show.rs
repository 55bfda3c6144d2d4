//! What can be looked at: plain data for `--json` and for tables. No personal data but delivery and file names of
//! batches whose record still exists.
//!
//! It is over 500 lines because what can be looked at is one closed list.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Result, Service,
    corrections::{Correction, replaced_by},
    deliveries::tries_left,
    forms::{AnnouncedPage, Seal},
    notifying::NoticeRow,
    query::EntryPart,
};
use crate::{
    domain::{
        digest::Digest,
        entry::{AGENT, Counts, GrantTerms, KeyForm},
        findings::Findings,
        ids::{BatchId, CopyId, GrantId, HoldId, KeyId, OrderId, StandingId},
        lifecycle::{BatchState, CopyState, OrderState},
        limits,
        manifest::Manifest,
        on_paper::OnPaper,
        person::StandsFor,
        plain::{self, Plain},
        reason::Reason,
        time::Timestamp,
        view::{Batch, Grant, Mark, Order, Row, Standing},
    },
    engine::{
        case::{CaseDocument, CaseRecord},
        ports::Log,
        standing::{missing_papers, papers_due},
    },
    error::Error,
};

/// A row of `batch list`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BatchRow {
    /// Our id; null while it is not a batch.
    pub id: Option<BatchId>,
    /// Name of the delivery, while it is known.
    pub delivery: Option<String>,
    /// Provider's number.
    pub number: Option<String>,
    /// Link.
    pub link: String,
    /// State, or `waiting`.
    pub state: String,
    /// Why it is there.
    pub reason: Option<Reason>,
    /// When it was provided (提供); null while it waits for a seal, or is not loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provided: Option<Timestamp>,
    /// Whether it was provided by seals that its policy asks for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
}

/// `batch show`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BatchPage {
    /// The list's fields.
    #[serde(flatten)]
    pub row: BatchRow,
    /// How sure its origin is.
    pub strength: Option<String>,
    /// The five counts.
    pub counts: Counts,
    /// What was counted and reported.
    pub findings: Option<Findings>,
    /// Its files.
    pub files: Vec<FileRow>,
    /// Its copies.
    pub copies: Vec<CopyLine>,
    /// The key that came.
    pub key: Option<KeyLine>,
    /// Keys that may still be tried, where one opened nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u32>,
    /// Times by name.
    pub times: BTreeMap<String, Timestamp>,
    /// What differs from the link: `purpose`, `basis`; `replaces` where it corrects a batch that the link does not have.
    pub differences: Vec<String>,
    /// The last failure of a step.
    pub trouble: Option<String>,
    /// What is wrong with a manifest that was refused; no contents.
    pub detail: Option<String>,
    /// The batch that it corrects.
    pub replaces: Option<Correction>,
    /// The loaded batch that corrects it.
    pub replaced_by: Option<BatchId>,
    /// How it stands before its use, and with the end of that.
    pub intake: super::intake::IntakePage,
    /// Who was told of it by whom, and what a letter announced.
    pub notice: Option<NoticeRow>,
    /// Of a quarantined one: what is wrong, what was expected, and who does what next, in both languages.
    pub plain: Option<Plain>,
    /// Of one that was refused or waits: what was announced of it, beside what came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<AnnouncedPage>,
    /// The commands by which it goes on, where it was refused or waits for a key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
}

/// A file of a batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FileRow {
    /// Name, while it is known.
    pub name: Option<String>,
    /// Bytes as delivered.
    pub bytes: u64,
    /// SHA-256 as delivered.
    pub sha256: Option<Digest>,
}

/// A copy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CopyLine {
    /// Id.
    pub id: CopyId,
    /// Kind.
    pub kind: String,
    /// State.
    pub state: CopyState,
    /// What its wipe proved.
    pub assurance: Option<crate::domain::certificate::Assurance>,
}

/// A key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeyLine {
    /// Id.
    pub id: KeyId,
    /// Form.
    pub form: KeyForm,
    /// Fingerprint of an identity.
    pub fingerprint: Option<Digest>,
    /// Channel.
    pub channel: String,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GrantLine {
    /// Id.
    pub id: GrantId,
    /// State.
    pub state: String,
    /// What for.
    #[serde(flatten)]
    pub terms: GrantTerms,
    /// Name of its holder; the account where it has none.
    #[serde(default)]
    pub holder_name: String,
    /// Questions that were taken out of the budget of a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<u64>,
    /// The decision, where it was recorded from a signed document.
    pub on_paper: Option<OnPaper>,
}

/// An order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OrderLine {
    /// Id.
    pub id: OrderId,
    /// State.
    pub state: OrderState,
    /// Its batches.
    pub batches: Vec<BatchId>,
    /// Copies.
    pub copies: usize,
    /// Who requested.
    pub requested_by: String,
    /// Who approved.
    pub approved_by: Option<String>,
    /// Name of who requested, with 代 where a deputy did; the account where it has none.
    #[serde(default)]
    pub requested_name: String,
    /// Name of who approved.
    pub approved_name: Option<String>,
    /// Void after this.
    pub expires: Timestamp,
    /// How many people must approve it.
    pub approvers: u32,
    /// Nothing is wiped before this.
    pub not_before: Option<Timestamp>,
    /// Copies that are gone.
    pub wiped: usize,
    /// Copies that it leaves out.
    pub excepted: Vec<CopyId>,
    /// Why it was voided or stopped.
    pub voided: Option<String>,
    /// The standing approval that it rests on.
    pub standing: Option<StandingId>,
    /// Papers that are still missing.
    pub papers_missing: Vec<String>,
    /// By when they must be there.
    pub papers_due: Option<Timestamp>,
    /// Decisions on it that were recorded from signed documents.
    pub on_paper: Vec<OnPaper>,
}

/// A standing approval.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StandingLine {
    /// Id.
    pub id: StandingId,
    /// `proposed`, `standing`, `expired` or `ended`.
    pub state: String,
    /// The policy whose batches it is for.
    pub policy: String,
    /// The link, where it is for one alone.
    pub link: Option<String>,
    /// Document number.
    pub doc_no: String,
    /// Its end.
    pub until: Timestamp,
    /// Who proposed it.
    pub by: String,
    /// Who confirmed it.
    pub confirmed_by: Option<String>,
}

/// A hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HoldLine {
    /// Id.
    pub id: HoldId,
    /// What it covers.
    pub scope: crate::domain::entry::HoldScope,
    /// Who placed it.
    pub by: String,
    /// Document number.
    pub doc_no: String,
    /// Review date.
    pub review: Timestamp,
    /// Whether it stands.
    pub standing: bool,
}

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AccountLine {
    /// Name.
    pub name: String,
    /// `active`, `disabled` or `proposed`.
    pub state: String,
    /// Roles.
    pub roles: Vec<String>,
    /// 姓名.
    pub display: Option<String>,
    /// 職稱.
    pub title: Option<String>,
    /// 單位.
    pub unit: Option<String>,
    /// For whom the person stands in today.
    #[serde(default)]
    pub stands_for: Vec<StandsFor>,
    /// Whether something about it waits for a second person.
    pub waits: bool,
}

impl Service {
    /// What differs from the configuration in force.
    #[must_use]
    pub fn pending(&self) -> &[crate::domain::entry::ConfigChange] {
        &self.found.pending
    }

    /// `batch list`: batches, and deliveries that are not batches yet.
    ///
    /// # Errors
    /// The erasable store cannot be read.
    pub fn batches(&mut self) -> Result<Vec<BatchRow>> {
        let ids: Vec<BatchId> = self.engine.view.batches.keys().collect();
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            rows.push(self.batch_row(id)?);
        }
        rows.extend(self.waiting_rows()?);
        Ok(rows)
    }

    /// Deliveries that are not batches yet.
    pub(super) fn waiting_rows(&mut self) -> Result<Vec<BatchRow>> {
        let rows = self.engine.waiting()?.into_iter().map(|waiting| BatchRow {
            id: None,
            delivery: Some(waiting.delivery),
            number: None,
            link: waiting.link,
            state: "waiting".to_owned(),
            reason: waiting.reason,
            provided: None,
            sealed: false,
        });
        let mut rows: Vec<BatchRow> = rows.collect();
        rows.extend(self.announced_rows());
        Ok(rows)
    }

    pub(super) fn batch_row(&self, id: BatchId) -> Result<BatchRow> {
        let row = self.row(id)?;
        Ok(BatchRow {
            id: Some(id),
            delivery: self.engine.case(id)?.map(|case| case.shown()),
            number: row.number.clone(),
            link: row.link.clone(),
            state: row.state.word().to_owned(),
            reason: self.engine.reason(&row),
            provided: self.engine.view.provided(id, &row),
            sealed: self.engine.view.is_sealed(id, &row),
        })
    }

    /// `batch show`.
    ///
    /// # Errors
    /// There is no such batch.
    pub fn batch(&self, id: BatchId) -> Result<BatchPage> {
        let row = self.row(id)?;
        let case = self.engine.case(id)?;
        let name_of = |n: usize| {
            case.as_ref().and_then(|c| c.files.get(n)).map(|f| crate::engine::case::shown(&f.name))
        };
        let files = row.files.iter().enumerate();
        let manifest = row.manifest.as_ref();
        let differs = |yes: bool, what: &str| yes.then(|| what.to_owned());
        let replaces = self.correction(id, &row);
        Ok(BatchPage {
            row: self.batch_row(id)?,
            strength: row.strength.as_deref().map(str::to_owned),
            counts: Counts { committed: Some(row.counts.committed.unwrap_or(0)), ..row.counts },
            findings: row.load.as_ref().map(|load| load.findings()),
            files: files
                .map(|(n, f)| FileRow { name: name_of(n), bytes: f.bytes, sha256: f.sha256 })
                .collect(),
            copies: self
                .engine
                .view
                .copies_of(id)
                .filter(|(_, c)| !(c.is_unmade() && c.state == CopyState::Destroyed))
                .map(|(id, c)| CopyLine {
                    id,
                    kind: c.kind.word().to_owned(),
                    state: c.state,
                    assurance: c.assurance,
                })
                .collect(),
            key: self.key_line(&row),
            tries_left: tries_left(&row),
            times: row.times.by_name(),
            differences: [
                differs(manifest.is_some_and(|m| m.purpose_differs), "purpose"),
                differs(manifest.is_some_and(|m| m.basis_differs), "basis"),
                differs(replaces.as_ref().is_some_and(|one| one.batch.is_none()), "replaces"),
            ]
            .into_iter()
            .flatten()
            .collect(),
            trouble: row.trouble.as_ref().map(|t| t.code.clone()),
            detail: case.as_ref().and_then(|case| refused_manifest(&row, case)),
            replaces,
            replaced_by: replaced_by(&self.engine.view, id, &row),
            intake: self.intake_page(id, &row),
            notice: self.notice_of(id),
            plain: row.reason.filter(|_| row.state == BatchState::Quarantined).map(plain::of),
            announced: case.as_ref().and_then(|case| self.announced_page(id, &row, case)),
            next: self.ways_on(id, &row),
        })
    }

    fn key_line(&self, batch: &Batch) -> Option<KeyLine> {
        let (id, key) = self.engine.view.key_of(batch)?;
        Some(KeyLine {
            id,
            form: key.form,
            fingerprint: key.fingerprint,
            channel: key.channel.to_string(),
            by: key.by.to_string(),
            at: key.at,
        })
    }

    /// `grant list`.
    #[must_use]
    pub fn grants(&self) -> Vec<GrantLine> {
        let line = |(id, g): (GrantId, Row<'_, Grant>)| GrantLine {
            id,
            state: g.state.word().to_owned(),
            holder_name: self.engine.view.person_now(&g.terms.holder).to_string(),
            drawn: g.terms.service.map(|_| g.drawn),
            terms: g.terms.clone(),
            on_paper: g.on_paper.clone(),
        };
        self.engine.view.grants.iter().map(line).collect()
    }

    /// `destroy list`.
    #[must_use]
    pub fn orders(&self) -> Vec<OrderLine> {
        let line = |(id, o): (OrderId, Row<'_, Order>)| {
            let mut batches: Vec<BatchId> = o.copies.iter().map(|c| c.batch).collect();
            batches.dedup();
            OrderLine {
                id,
                state: o.state,
                batches,
                copies: o.copies.len(),
                requested_by: o.by.clone(),
                approved_by: o.approved.as_ref().map(|(by, _)| by.clone()),
                requested_name: self.engine.view.person(&o.by, o.requested.seq).to_string(),
                approved_name: o
                    .approved
                    .as_ref()
                    .map(|(by, mark)| self.engine.view.person(by, mark.seq).to_string()),
                expires: o.expires,
                approvers: o.approvers,
                not_before: o.not_before,
                wiped: o.gone(),
                excepted: o.excepted.iter().map(|(copy, _)| *copy).collect(),
                voided: o.voided.as_ref().map(|(code, _)| code.clone()),
                standing: o.standing,
                papers_missing: match o.state {
                    OrderState::Certified => {
                        missing_papers(&self.engine.view, &self.engine.rules, &o)
                    }
                    _ => Vec::new(),
                },
                on_paper: o.on_paper.clone(),
                papers_due: papers_due(&self.engine.view, &self.engine.rules, &o),
            }
        };
        self.engine.view.orders.iter().map(line).collect()
    }

    /// `standing list`.
    #[must_use]
    pub fn standings(&self) -> Vec<StandingLine> {
        let now = self.now();
        let line = |(id, s): (&StandingId, &Standing)| StandingLine {
            id: *id,
            state: match (s.ended, s.confirmed.is_some(), s.until < now) {
                (true, ..) => "ended",
                (false, false, _) => "proposed",
                (false, true, true) => "expired",
                (false, true, false) => "standing",
            }
            .to_owned(),
            policy: s.policy.clone(),
            link: s.link.clone(),
            doc_no: s.doc_no.clone(),
            until: s.until,
            by: s.by.clone(),
            confirmed_by: s.confirmed.as_ref().map(|(by, _)| by.clone()),
        };
        self.engine.view.standings.iter().map(line).collect()
    }

    /// `hold list`.
    #[must_use]
    pub fn holds(&self) -> Vec<HoldLine> {
        let line = |(id, h): (&HoldId, &crate::domain::view::Hold)| HoldLine {
            id: *id,
            scope: h.scope.clone(),
            by: h.by.clone(),
            doc_no: h.doc_no.clone(),
            review: h.review,
            standing: !h.lifted,
        };
        self.engine.view.holds.iter().map(line).collect()
    }

    /// `account list`.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountLine> {
        let (view, now) = (&self.engine.view, self.now());
        let line = |(name, account): (&String, &crate::domain::view::Account)| {
            let facts = account.facts.as_ref().or(account.proposal.as_ref().map(|p| &p.what));
            AccountLine {
                name: name.clone(),
                state: match (&account.facts, account.disabled) {
                    (_, true) => "disabled",
                    (Some(_), false) => "active",
                    (None, false) => "proposed",
                }
                .to_owned(),
                roles: facts
                    .map_or(Vec::new(), |f| f.roles.iter().map(|r| r.word().to_owned()).collect()),
                display: facts.and_then(|f| f.display.clone()),
                title: facts.and_then(|f| f.title.clone()),
                unit: facts.and_then(|f| f.unit.clone()),
                stands_for: view
                    .deputyships(name, now)
                    .filter_map(|(id, _)| view.stands_for(id))
                    .collect(),
                waits: account.waits().is_some(),
            }
        };
        self.engine.view.accounts.iter().map(line).collect()
    }

    /// Entries of the register from `from` on, as JSON values with their place.
    ///
    /// # Errors
    /// The register cannot be read.
    pub fn entry_part(&self, from: u64) -> Result<EntryPart> {
        let end = from.saturating_add(limits::PART_ENTRIES_MAX as u64).min(self.engine.view.size);
        let (mut rows, mut people, mut decided) = (Vec::new(), Vec::new(), Vec::new());
        for seq in from..end {
            let bytes = self.engine.ports.journal.entry(Log::Register, seq)?;
            if let Ok(serde_json::Value::Object(mut map)) = serde_json::from_slice(&bytes) {
                people.extend(self.made_by(seq, &map).map(|seal| (seq, seal)));
                decided.extend(self.decided_in(seq, &map)?.map(|seal| (seq, seal)));
                map.insert("seq".to_owned(), seq.into());
                rows.push(serde_json::Value::Object(map));
            }
        }
        let next = (end < self.engine.view.size).then_some(end);
        Ok(EntryPart { rows, people, decided, next })
    }

    /// Who decided what an entry confirms from a document.
    fn decided_in(
        &self,
        seq: u64,
        map: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Option<Seal>> {
        if map.get("body").is_none_or(|body| body["type"] != "decision-confirmed") {
            return Ok(None);
        }
        let entry = self.engine.entry(seq)?;
        let bytes = self.engine.ports.journal.entry(Log::Register, seq)?;
        let mark = Mark { seq, digest: Digest::of(&bytes), at: entry.at };
        self.seal(mark).map(Some)
    }

    /// Who made an entry, where a person did.
    fn made_by(
        &self,
        seq: u64,
        entry: &serde_json::Map<String, serde_json::Value>,
    ) -> Option<Seal> {
        let by = entry.get("by")?.as_str().filter(|by| *by != AGENT)?;
        let at = Timestamp::parse(entry.get("at")?.as_str()?)?;
        let seal = Seal::of(self.engine.view.person(by, seq), at, None);
        let known = seal.display.is_some() || seal.title.is_some() || seal.unit.is_some();
        (known || seal.deputy.is_some()).then_some(seal)
    }

    /// `certificate show`.
    ///
    /// # Errors
    /// There is none.
    pub fn certificate(&self, order: OrderId) -> Result<Vec<u8>> {
        self.engine.ports.certificates.take(order)?.ok_or_else(|| {
            Error::usage(format!("there is no certificate of '{order}'"))
                .hint("'batchward destroy list' shows how far the order is")
        })
    }
}

/// Why a manifest was refused, said again of its bytes: the register keeps the code alone. Its signature was good, or
/// the reason would be another one.
fn refused_manifest(row: &Batch, case: &CaseRecord) -> Option<String> {
    let CaseDocument::Bytes(bytes) = &case.manifest else { return None };
    if !matches!(row.reason, Some(Reason::ManifestInvalid | Reason::UnsafeName)) {
        return None;
    }
    let fault = Manifest::parse(bytes).err()?;
    let cause = std::error::Error::source(&fault).map(|cause| format!(": {cause}"));
    Some(format!("{fault}{}", cause.unwrap_or_default()))
}
