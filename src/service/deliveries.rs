//! What a custodian does with deliveries and their keys.

use super::{Actor, Reply, Result, Service, administration::second_person, no_link, stated};
use crate::{
    domain::{
        entry::{Body, KeyForm},
        ids::{BatchId, KeyId},
        lifecycle::BatchState,
        limits,
        reason::Reason,
        secret::Secret,
        step::Outcome,
        view::{Batch, KeyRow, KeyState, Row},
    },
    engine::{Ran, steps::Arrival},
    error::{Error, Exit},
};

/// Keys that may still be tried on a batch before it is quarantined, where one opened nothing.
pub(super) fn tries_left(row: &Batch) -> Option<u32> {
    let left = match row.state {
        BatchState::Quarantined => 0,
        _ => limits::WRONG_KEYS_MAX.saturating_sub(row.wrong_keys),
    };
    (row.reason == Some(Reason::WrongKey)).then_some(left)
}

/// What to look at before a key is entered again. It is the same for every passphrase: nothing is said of the one that was
/// tried.
fn wrong_key_hint(form: Option<KeyForm>, left: u32) -> String {
    match (left, form) {
        (0, _) => "no try is left: ask the provider, then 'batchward batch release', and submit the right one"
            .to_owned(),
        (left, Some(KeyForm::Passphrase)) => format!(
            "{left} tries are left; compare what is easily confused: 0 and O; 1, l and I; capitals and small letters; full-width letters; a blank at the end"
        ),
        (left, _) => format!("{left} tries are left; ask the provider which key is meant"),
    }
}

impl Service {
    pub(super) fn row(&self, batch: BatchId) -> Result<Row<'_, Batch>> {
        self.engine
            .view
            .batches
            .get(&batch)
            .ok_or_else(|| Error::usage(format!("there is no batch '{batch}'")))
    }

    fn quarantined(&self, batch: BatchId) -> Result<()> {
        let state = self.row(batch)?.state;
        if state == BatchState::Quarantined {
            return Ok(());
        }
        Err(Error::usage(format!("'{batch}' is {state}, not quarantined")))
    }

    pub(super) fn key_submit(
        &mut self,
        actor: &Actor,
        batch: BatchId,
        form: KeyForm,
        channel: &str,
        secret: Secret,
    ) -> Result<Reply> {
        stated("the channel", channel)?;
        let row = self.row(batch)?;
        let link = row.link.clone();
        let number = row.number.clone().ok_or_else(|| {
            Error::usage(format!("'{batch}' has no number that a key could be for"))
                .hint("its manifest did not pass; 'batchward batch show' says why")
        })?;
        let signed = actor.signed.clone();
        let arrival =
            Arrival { link: &link, number: &number, form, channel, keybox: false, signed };
        let ran = self.engine.take_key(actor.name(), &arrival, secret)?;
        match ran {
            Ran::Done(Outcome::KeyTaken { .. }) => {}
            Ran::Done(Outcome::KeyWiped { code }) if code == "spent" => {
                return Err(Error::refused(format!(
                    "'{batch}' needs no key any more; the key was not kept"
                ))
                .hint(format!("'batchward batch show {batch}' tells how it stands")));
            }
            Ran::Done(_) => {
                return Err(Error::new(Exit::Data, "this is no key: neither an age identity nor a passphrase")
                    .hint("an identity begins with 'AGE-SECRET-KEY-1'; for a passphrase use --passphrase-stdin"));
            }
            // The step that takes a key is short: it never runs elsewhere.
            Ran::Running => {}
            Ran::Failed(_, code) => {
                self.room()?;
                return Err(Error::new(Exit::Failed, format!("the key could not be kept: {code}")));
            }
        }
        self.engine.drive()?;
        let key = self.newest_key(batch).ok_or_else(|| {
            Error::new(Exit::Failed, format!("the register names no key of '{batch}'"))
        })?;
        self.key_verdict(batch, key)
    }

    /// The newest key of a batch, where one came.
    fn newest_key(&self, batch: BatchId) -> Option<KeyId> {
        let row = self.engine.view.batches.get(&batch)?;
        self.engine.view.newest_key(&row).map(|(id, _)| id)
    }

    /// The newest key of a batch, while a worker tries it or will: beside a resident agent that takes its time.
    #[must_use]
    pub fn key_on_trial(&self, batch: BatchId) -> Option<KeyId> {
        let key = self.newest_key(batch)?;
        let live = self.engine.view.keys.get(&key).is_some_and(|row| row.state == KeyState::Live);
        (live && self.engine.is_awaited(batch)).then_some(key)
    }

    /// What came of a key that was submitted, as far as that is known.
    ///
    /// # Errors
    /// It does not open the batch.
    pub fn key_verdict(&self, batch: BatchId, key: KeyId) -> Result<Reply> {
        let row = self.row(batch)?;
        if self.key_on_trial(batch) == Some(key) {
            let message = format!("the key is kept, and being tried on '{batch}'");
            return self.with_next(batch, Reply::new(&batch, message));
        }
        // A batch has the verdict on the key before until this one was tried: then it is live no more.
        let live = |row: &KeyRow| row.state == KeyState::Live;
        let judged = !self.engine.view.keys.get(&key).is_some_and(|row| live(&row));
        if judged && row.reason == Some(Reason::WrongKey) {
            let form = self.engine.view.keys.get(&key).map(|row| row.form);
            return Err(Error::new(
                Exit::Data,
                format!("the key does not open '{batch}'; it was wiped"),
            )
            .hint(wrong_key_hint(form, tries_left(&row).unwrap_or(0))));
        }
        let message = format!("'{batch}' is {}", row.state);
        self.with_next(batch, Reply::new(&batch, message))
    }

    pub(super) fn batch_retry(&mut self, actor: &Actor, batch: BatchId) -> Result<Reply> {
        let row = self.row(batch)?;
        if row.trouble.is_none() && row.receipt_trouble.is_none() {
            return Err(Error::usage(format!("nothing of '{batch}' has failed")));
        }
        self.record(actor, Body::BatchRetried { batch, signed: actor.signed.clone() })?;
        let state = self.row(batch)?.state;
        self.with_next(batch, Reply::new(&batch, format!("'{batch}' is {state}")))
    }

    /// What a batch in its state waits for, added to a reply.
    pub(super) fn with_next(&self, batch: BatchId, reply: Reply) -> Result<Reply> {
        let row = self.row(batch)?;
        if self.engine.is_awaited(batch) {
            return Ok(reply.next(format!(
                "'batchward batch show {batch}' tells how far it is, and what came of it"
            )));
        }
        if row.trouble.is_some() {
            return Ok(reply.next(format!(
                "a custodian mends the cause that 'batchward batch show {batch}' tells, and runs 'batchward batch retry {batch}'"
            )));
        }
        Ok(match row.state {
            BatchState::Verified => reply.next(format!(
                "when the key has come, a custodian runs 'batchward key submit {batch} --channel TEXT'"
            )),
            BatchState::Loaded => reply.next(format!(
                "a handler applies for access with 'batchward grant apply --link {} --until DATE --purpose TEXT --basis DOC'",
                row.link
            )),
            BatchState::Quarantined => reply.next(format!(
                "a custodian runs 'batchward batch release {batch} --reason TEXT' once the cause is mended, or 'batchward batch reject {batch} --reason TEXT'"
            )),
            BatchState::Due => reply.next(format!(
                "a custodian or handler runs 'batchward destroy request {batch} --reason TEXT'"
            )),
            _ => reply,
        })
    }

    pub(super) fn batch_release(
        &mut self,
        actor: &Actor,
        batch: BatchId,
        reason: String,
    ) -> Result<Reply> {
        self.quarantined(batch)?;
        stated("the reason", &reason)?;
        self.record(actor, Body::BatchReleased { batch, reason, signed: actor.decision()? })?;
        let row = self.row(batch)?;
        let why = row.reason.map_or(String::new(), |reason| format!(": {reason}"));
        let message = format!("'{batch}' was judged again and is {}{why}", row.state);
        self.with_next(batch, Reply::new(&batch, message))
    }

    pub(super) fn batch_reject(
        &mut self,
        actor: &Actor,
        batch: BatchId,
        reason: String,
    ) -> Result<Reply> {
        self.quarantined(batch)?;
        stated("the reason", &reason)?;
        self.record(actor, Body::BatchRejected { batch, reason, signed: actor.decision()? })?;
        self.with_next(batch, Reply::new(&batch, format!("'{batch}' is rejected and due")))
    }

    pub(super) fn baseline(&mut self, actor: &Actor, link: &str, sequence: u64) -> Result<Reply> {
        if !self.engine.rules.links.contains_key(link) {
            return Err(no_link(link));
        }
        let next = self.engine.view.next_sequence(link);
        if sequence + 1 < next {
            return Err(Error::usage(format!(
                "the link '{link}' has taken change files up to {} already",
                next - 1
            )));
        }
        let body = Body::BaselineProposed {
            link: link.to_owned(),
            sequence,
            signed: actor.signed.clone(),
        };
        self.record(actor, body)?;
        Ok(Reply::new(&link, "waits for a supervisor")
            .next(format!("a supervisor runs 'batchward link confirm {link}'")))
    }

    pub(super) fn baseline_confirm(&mut self, actor: &Actor, link: &str) -> Result<Reply> {
        let proposal = self
            .engine
            .view
            .links
            .get(link)
            .and_then(|ledger| ledger.proposal.clone())
            .ok_or_else(|| {
                Error::usage(format!("nothing about '{link}' waits for a second person"))
            })?;
        if proposal.by == actor.name() {
            return Err(second_person("confirm this baseline"));
        }
        let body = Body::BaselineConfirmed {
            link: link.to_owned(),
            proposal: proposal.mark.seq,
            signed: actor.decision()?,
        };
        self.record(actor, body)?;
        let message = format!("the link '{link}' takes change file {} next", proposal.what + 1);
        Ok(Reply::new(&link, message))
    }
}
