//! From arrival to use: the seals by which a batch is provided (TPH-6.2), the confirmation that it is whole (TY-4.2.1), and
//! the comparison of what was applied for with what came (TPH-6.3), without which nothing is handed on (TPH-6.4).

mod act;

pub use act::IntakeAct;

use serde::{Deserialize, Serialize};

use super::{Actor, Reply, Result, Service, administration::second_person, not_permitted, stated};
use crate::{
    domain::{
        accounts::Act,
        digest::Digest,
        entry::{BatchCompared, BatchConfirmed, BatchSealed, Body, MismatchAccepted},
        ids::BatchId,
        intake::{Compared, Seal},
        lifecycle::BatchState,
        time::Timestamp,
        view::{Batch, Comparison, Sealed, Shut, View},
    },
    error::Error,
};

/// How a batch stands between its arrival and its use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IntakePage {
    /// 申請筆數, as the provider stated it.
    pub applied: Option<u64>,
    /// When it was provided (提供); with its load, where nobody has to do anything.
    pub provided: Option<Timestamp>,
    /// Whose seals it needs.
    pub needs: Vec<Seal>,
    /// The seals that it has.
    pub seals: Vec<SealLine>,
    /// Whether a custodian has to confirm that it is whole.
    pub to_be_confirmed: bool,
    /// Who confirmed it.
    pub confirmed_by: Option<String>,
    /// When.
    pub confirmed: Option<Timestamp>,
    /// The last comparison of its counts.
    pub comparison: Option<ComparisonLine>,
    /// Until when it is kept at least, where its policy asks for that.
    pub kept_at_least: Option<Timestamp>,
    /// What units said of the end of their use.
    pub uses: Vec<super::uses::UseLine>,
}

/// A seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SealLine {
    /// Whose.
    pub seal: Seal,
    /// The account.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Number of the document by which the batch was asked for.
    pub doc_no: Option<String>,
}

/// A comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparisonLine {
    /// 申請筆數.
    pub applied: u64,
    /// 實收筆數.
    pub received: u64,
    /// 匯入筆數.
    pub loaded: u64,
    /// 剔退筆數.
    pub rejected: u64,
    /// What it came to.
    pub result: Compared,
    /// What was said about it.
    pub note: Option<String>,
    /// Who made it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The supervisor who lets the batch be handed on all the same.
    pub accepted_by: Option<String>,
}

impl ComparisonLine {
    fn of(one: &Comparison) -> Self {
        Self {
            applied: one.applied,
            received: one.received,
            loaded: one.loaded,
            rejected: one.rejected,
            result: one.result,
            note: one.note.clone(),
            by: one.by.clone(),
            at: one.mark.at,
            accepted_by: one.accepted.as_ref().map(|(by, ..)| by.clone()),
        }
    }
}

/// The entry that an act about a batch before its use decides on.
pub(super) fn decided(view: &View, act: &IntakeAct) -> Option<Digest> {
    match act {
        IntakeAct::Provide { batch, .. } | IntakeAct::Confirm { batch } => {
            Some(view.batches.get(batch)?.decide?.digest)
        }
        IntakeAct::Accept { batch, .. } => {
            Some(view.intake_of(*batch)?.compared.as_ref()?.mark.digest)
        }
        IntakeAct::Compare { .. } => None,
    }
}

impl Service {
    pub(super) fn intake(&mut self, actor: &Actor, act: IntakeAct) -> Result<Reply> {
        match act {
            IntakeAct::Provide { batch, doc_no } => self.batch_provide(actor, batch, doc_no),
            IntakeAct::Confirm { batch } => self.batch_confirm(actor, batch),
            IntakeAct::Compare { batch, applied, result, note } => {
                self.batch_compare(actor, batch, applied, (result, note))
            }
            IntakeAct::Accept { batch, reason } => self.batch_accept(actor, batch, reason),
        }
    }

    /// How a batch stands between its arrival and its use.
    pub(super) fn intake_page(&self, id: BatchId, row: &Batch) -> IntakePage {
        let view = &self.engine.view;
        let gate = row.load.as_ref().and_then(|load| load.gate.as_deref());
        let done = view.intake_of(id);
        let seal = |one: &Sealed| SealLine {
            seal: one.seal,
            by: one.by.clone(),
            at: one.mark.at,
            doc_no: one.doc_no.clone(),
        };
        let confirmed = done.and_then(|done| done.confirmed.as_ref());
        let before = self.engine.awaits_confirmation(id, row);
        IntakePage {
            applied: row.manifest.as_ref().and_then(|manifest| manifest.applied),
            provided: view.provided(id, row),
            needs: gate.map(|gate| gate.provide.clone()).unwrap_or_default(),
            seals: done.iter().flat_map(|done| &done.seals).map(seal).collect(),
            to_be_confirmed: before || view.shut(id, row) == Some(Shut::Confirmation),
            confirmed_by: confirmed.map(|(by, _)| by.clone()),
            confirmed: confirmed.map(|(_, at)| *at),
            comparison: done.and_then(|done| done.compared.as_ref()).map(ComparisonLine::of),
            kept_at_least: self.engine.kept_at_least(row).map(|(until, _)| until),
            uses: self.use_lines(id, row),
        }
    }

    pub(super) fn loaded_row(&self, batch: BatchId) -> Result<()> {
        let state = self.row(batch)?.state;
        if state == BatchState::Loaded {
            return Ok(());
        }
        Err(Error::usage(format!("'{batch}' is {state}, not loaded"))
            .hint(format!("'batchward batch show {batch}' tells how it stands")))
    }

    fn batch_provide(
        &mut self,
        actor: &Actor,
        batch: BatchId,
        doc_no: Option<String>,
    ) -> Result<Reply> {
        self.loaded_row(batch)?;
        let view = &self.engine.view;
        let row = self.row(batch)?;
        let Some(seal) = view.next_seal(batch, &row) else {
            return Err(Error::usage(format!("'{batch}' is provided already")));
        };
        if view.shut(batch, &row) == Some(Shut::Confirmation) {
            return Err(self.kept_shut(batch, &Shut::Confirmation));
        }
        let role = seal.role();
        if !actor.facts.roles.contains(&role) {
            return Err(not_permitted(actor, "batch provide", Act::Provide).hint(format!(
                "the seal that comes next is that of a {role}",
                role = role.word()
            )));
        }
        let seals = view.intake_of(batch).map(|done| done.seals.clone()).unwrap_or_default();
        if seals.iter().any(|one| one.by == actor.name()) {
            return Err(second_person("put the next seal"));
        }
        match &doc_no {
            Some(doc_no) => stated("the document number", doc_no)?,
            None if seals.is_empty() => {
                return Err(Error::usage("the number of the document is missing").hint(
                    "--doc-no NO names the document by which the batch is asked for; it stands on the form",
                ));
            }
            None => {}
        }
        let signed = actor.decision()?;
        self.record(actor, Body::BatchSealed(BatchSealed { batch, seal, doc_no, signed }))?;
        let row = self.row(batch)?;
        Ok(match self.engine.view.next_seal(batch, &row) {
            None => Reply::new(&batch, format!("'{batch}' is provided")),
            Some(next) => Reply::new(&batch, "sealed; it is not provided yet".to_owned())
                .next(next_seal(batch, next)),
        })
    }

    fn batch_confirm(&mut self, actor: &Actor, batch: BatchId) -> Result<Reply> {
        let row = self.row(batch)?;
        let view = &self.engine.view;
        let waits = self.engine.awaits_confirmation(batch, &row)
            || view.shut(batch, &row) == Some(Shut::Confirmation);
        if !waits {
            let error = Error::usage(format!("'{batch}' does not wait for a confirmation"));
            return Err(error.hint(
                "what 'intake.confirm' of its policy says: 'batchward policy explain' shows it",
            ));
        }
        let signed = actor.decision()?;
        self.record(actor, Body::BatchConfirmed(BatchConfirmed { batch, signed }))?;
        let reply = Reply::new(&batch, format!("'{batch}' is confirmed as whole"));
        Ok(match self.engine.view.next_seal(batch, &*self.row(batch)?) {
            Some(next) => reply.next(next_seal(batch, next)),
            None => reply,
        })
    }

    fn batch_compare(
        &mut self,
        actor: &Actor,
        batch: BatchId,
        applied: Option<u64>,
        (result, note): (Compared, Option<String>),
    ) -> Result<Reply> {
        self.loaded_row(batch)?;
        self.is_readable(batch)?;
        if let Some(note) = &note {
            stated("the note", note)?;
        }
        let row = self.row(batch)?;
        if actor.facts.unit.as_ref().is_some_and(|unit| !row.facts.units.contains(unit)) {
            return Err(Error::refused("your unit is not among those that use this batch"));
        }
        let stated = row.manifest.as_ref().and_then(|manifest| manifest.applied);
        let applied = applied.or(stated).ok_or_else(|| {
            Error::usage("the provider did not state how many records were applied for")
                .hint("--applied N says it")
        })?;
        if result == Compared::Match {
            is_as_stated(applied, stated)?;
        }
        let counts = row.counts;
        let received = counts.parsed.unwrap_or_default();
        let rule = self.engine.intake_rule(&row).and_then(|rule| rule.compare.as_ref());
        if let Some(rule) = rule.filter(|_| result == Compared::Match)
            && !rule.value.lets_match(applied, received)
        {
            return Err(Error::refused(format!(
                "{received} records came for {applied}: that is no match ({})",
                rule.clause
            ))
            .hint(
                "--result mismatch --note TEXT records it; a supervisor may run 'batch accept'",
            ));
        }
        // Counts that differ are explained, whatever they are called.
        if (applied != received || result == Compared::Mismatch) && note.is_none() {
            return Err(Error::usage(format!(
                "{received} records came for {applied}, and nothing is said about it"
            ))
            .hint("--note TEXT says what the difference is; no personal data"));
        }
        let (loaded, rejected) =
            (counts.committed.unwrap_or_default(), counts.rejected.unwrap_or_default());
        let signed = actor.signed.clone();
        self.record(
            actor,
            Body::BatchCompared(BatchCompared {
                batch,
                applied,
                received,
                loaded,
                rejected,
                result,
                note,
                signed,
            }),
        )?;
        let said = format!(
            "applied for {applied}, received {received}, loaded {loaded}, rejected {rejected}: {result}"
        );
        let reply = Reply::new(&batch, said);
        Ok(match result {
            Compared::Match => reply,
            Compared::Mismatch => reply.next(format!(
                "nothing of it is handed on until it is compared again, or a supervisor runs 'batchward batch accept {batch} --reason TEXT'"
            )),
        })
    }

    fn batch_accept(&mut self, actor: &Actor, batch: BatchId, reason: String) -> Result<Reply> {
        stated("the reason", &reason)?;
        self.row(batch)?;
        let made = self.engine.view.intake_of(batch).and_then(|done| done.compared.clone());
        let made = made.filter(|made| !made.passes()).ok_or_else(|| {
            Error::usage(format!("no comparison of '{batch}' stands in the way of anything"))
        })?;
        if made.by == actor.name() {
            return Err(second_person("accept what you compared"));
        }
        let signed = actor.decision()?;
        let comparison = made.mark.seq;
        let body = MismatchAccepted { batch, comparison, reason, signed };
        self.record(actor, Body::MismatchAccepted(body))?;
        Ok(Reply::new(&batch, format!("'{batch}' may be handed on although its counts differ")))
    }

    /// Why nobody reads a batch yet, and what comes next.
    fn kept_shut(&self, batch: BatchId, shut: &Shut) -> Error {
        match shut {
            Shut::Confirmation => {
                Error::refused(format!("'{batch}' is not confirmed as whole yet"))
                    .hint(format!("a custodian runs 'batchward batch confirm {batch}'"))
            }
            Shut::Seal(seal) => Error::refused(format!("'{batch}' is not provided yet"))
                .hint(next_seal(batch, *seal)),
        }
    }

    /// Whether anybody may read a batch yet.
    pub(super) fn is_readable(&self, batch: BatchId) -> Result<()> {
        let row = self.row(batch)?;
        match self.engine.view.shut(batch, &row) {
            Some(shut) => Err(self.kept_shut(batch, &shut)),
            None => Ok(()),
        }
    }

    /// Whether anything of a link can be read: not where all of its current view waits for somebody.
    pub(super) fn any_readable(&self, link: &str) -> Result<()> {
        let view = &self.engine.view;
        let current = view.currents_of(link).filter(|(_, row)| row.state == BatchState::Loaded);
        let mut first = None;
        for (id, row) in current {
            match view.shut(id, &row) {
                None => return Ok(()),
                Some(shut) => first = first.or(Some((id, shut))),
            }
        }
        first.map_or(Ok(()), |(id, shut)| Err(self.kept_shut(id, &shut)))
    }

    /// Whether a batch may be handed on: it is provided, and its counts were compared where the policy asks for it
    /// (TPH-6.4); what did not match goes nowhere under any policy.
    pub(super) fn may_be_handed_on(&self, batch: BatchId) -> Result<()> {
        self.is_readable(batch)?;
        let row = self.row(batch)?;
        let made = self.engine.view.intake_of(batch).and_then(|done| done.compared.as_ref());
        match made {
            Some(made) if made.passes() => Ok(()),
            Some(_) => Err(Error::refused(format!("the counts of '{batch}' did not match"))
                .hint(format!("compare it again, or a supervisor runs 'batchward batch accept {batch} --reason TEXT'"))),
            None => {
                let rule = self.engine.intake_rule(&row).and_then(|rule| rule.compare.as_ref());
                rule.map_or(Ok(()), |rule| {
                    Err(Error::refused(format!(
                        "the counts of '{batch}' were not compared ({})",
                        rule.clause
                    ))
                    .hint(format!("a handler runs 'batchward batch compare {batch}'")))
                })
            }
        }
    }
}

/// Another number than the provider's is no match, whatever came.
fn is_as_stated(applied: u64, stated: Option<u64>) -> Result<()> {
    match stated {
        Some(stated) if stated != applied => Err(Error::refused(format!(
            "the provider states {stated} applied for, not {applied}: that is no match"
        ))
        .hint("--result mismatch --note TEXT records it; a supervisor may run 'batch accept'")),
        _ => Ok(()),
    }
}

/// Who comes next, and by which command.
fn next_seal(batch: BatchId, seal: Seal) -> String {
    match seal {
        Seal::Handler => {
            format!("a handler runs 'batchward batch provide {batch} --doc-no NO'")
        }
        Seal::Custodian => format!("a custodian runs 'batchward batch provide {batch}'"),
        Seal::Supervisor => format!("a supervisor runs 'batchward batch provide {batch}'"),
    }
}
