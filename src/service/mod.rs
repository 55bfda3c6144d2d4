//! The only way to change anything: authorise, record, drive.
//!
//! Every surface translates to a [`Command`] and shows the [`Reply`]; every rule about who may do what, and who
//! must be somebody else, is here. A refusal is recorded before it is shown.

pub mod access_keys;
mod access_lines;
mod administration;
pub mod amending;
pub mod applications;
mod asking;
pub mod auditing;
mod authority;
pub mod command;
pub mod copies;
mod copying;
pub mod corrections;
mod deliveries;
mod deputies;
mod destruction;
pub mod duties;
pub mod expected;
pub mod forms;
mod grants;
pub mod handing;
pub mod handovers;
mod holds;
pub mod incidents;
pub mod inspecting;
pub mod intake;
mod inventory;
pub mod kept_papers;
mod links;
pub mod notices;
pub mod notifying;
pub mod on_paper;
pub mod onlooker;
mod papers;
pub mod passphrases;
pub mod people;
pub mod plan;
pub mod query;
pub mod reading;
mod reasons;
pub mod receipts;
mod refusals;
pub mod register_page;
mod reply;
pub mod resident;
pub mod sampling;
mod separation;
pub mod serving;
pub mod show;
mod standing;
pub mod status;
mod texts;
mod timestamps;
pub mod uses;
pub mod verifying;
mod witnesses;

pub use authority::{Caller, Draft};
pub use command::Command;
pub use query::{Answer, Query};
pub use reply::Reply;

use crate::{
    domain::{
        accounts::Act,
        digest::Digest,
        entry::{AGENT, AccountFacts, Body, ConfigChange, KeptAt, Signed},
        grounds,
        ids::{AppointmentId, BatchId},
        limits, national_id,
        time::Timestamp,
        view::Mark,
    },
    engine::{DISK_FULL, Engine, Hint, ports::PortError, rules::Rules},
    error::{Error, Exit},
};

/// Shorthand for what the service says.
pub type Result<T> = std::result::Result<T, Error>;

/// The configuration that was found, beside the one in force.
#[derive(Clone, Debug)]
pub struct Found {
    /// Digest of what was found.
    pub digest: Digest,
    /// What differs from what is in force, tightening left out (it is in force already).
    pub pending: Vec<ConfigChange>,
    /// The rules as found.
    pub rules: Rules,
}

/// The files that people write, and the copy of them that is in force.
pub trait Configuration {
    /// Reads the files anew. What tightens is put in force in the engine, and recorded; the rest waits.
    ///
    /// # Errors
    /// They have faults, or differ in what only a start can change: what was in force stays.
    fn find(&mut self, engine: &mut Engine) -> Result<Found>;
    /// Makes the found configuration the one in force on disk; called after the confirmation is recorded, and again
    /// at a start that finds it undone.
    ///
    /// # Errors
    /// It cannot be written.
    fn adopt(&mut self) -> Result<()>;
}

/// The service.
pub struct Service {
    /// The engine.
    pub engine: Engine,
    found: Found,
    configuration: Box<dyn Configuration>,
    /// The page of `status` that was told last, and when, in milliseconds since boot.
    last_status: Option<(i64, status::StatusPage)>,
    /// What was refused lately to whoever has no account.
    refusals: refusals::Refusals,
    /// What services asked in this process.
    meters: verifying::Meters,
}

/// Somebody who may do what is asked.
pub struct Actor {
    /// The account.
    pub facts: AccountFacts,
    /// The signature, where one was given.
    pub signed: Option<Signed>,
    /// The appointment by which it is done for somebody else.
    pub deputy: Option<AppointmentId>,
}

impl Actor {
    fn name(&self) -> &str {
        &self.facts.name
    }

    /// The signature of a decision. [`Service::authorise`] lets no decision through without one.
    fn decision(&self) -> Result<Signed> {
        self.signed.clone().ok_or_else(|| Error::refused("a decision must be signed"))
    }
}

impl Service {
    /// Whether every step had room on its disk since this was last asked.
    ///
    /// # Errors
    /// Exit 75: what could be done is done, the rest waits for room.
    pub fn room(&mut self) -> Result<()> {
        match self.engine.full.take() {
            Some(message) => Err(PortError::Later { code: DISK_FULL, message }.into()),
            None => Ok(()),
        }
    }

    /// The agent's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.engine.ports.clock.now()
    }

    /// A service over an engine that has recovered.
    #[must_use]
    pub fn new(engine: Engine, found: Found, configuration: Box<dyn Configuration>) -> Self {
        let refusals = refusals::Refusals::default();
        let meters = verifying::Meters::default();
        Self { engine, found, configuration, last_status: None, refusals, meters }
    }

    /// Reads the configuration anew; tells how much waits for a second person.
    ///
    /// # Errors
    /// The files have faults: what was in force stays.
    pub fn reload(&mut self) -> Result<usize> {
        self.found = self.configuration.find(&mut self.engine)?;
        let body = Body::Reloaded {
            config: self.engine.rules.digest,
            found: self.found.digest,
            pending: self.found.pending.len() as u64,
        };
        self.engine.record(AGENT, body)?;
        self.engine.hint(&Hint::All);
        self.engine.ports.journal.publish()?;
        Ok(self.found.pending.len())
    }

    /// The resident agent reads the files again before a person decides on them: they were edited while it ran.
    fn look_again(&mut self) -> Result<()> {
        if self.engine.is_resident() { self.reload().map(|_| ()) } else { Ok(()) }
    }

    /// Does everything that can be done now, and publishes it.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn once(&mut self) -> Result<()> {
        let done = self.engine.cycle();
        self.engine.ports.journal.publish()?;
        done?;
        // Who collects metrics is told of the rest by them; the work is done all the same.
        for put in [self.put_metrics(), self.put_notices()] {
            if let Err(error) = put {
                self.engine.notes.push(error.what);
            }
        }
        Ok(())
    }

    /// Has long steps run by `hands` from now on: a command that shows how far they are.
    pub fn employ(&mut self, hands: Box<dyn crate::engine::jobs::Hands>) {
        self.engine.employ(hands);
    }

    /// What there is to tell a person since this was last asked: steps that failed, and a clock in doubt.
    pub fn notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.engine.notes);
        if self.engine.view.time_doubted {
            let note =
                "the clock is in doubt: nothing irreversible runs until 'batchward clock confirm'";
            notes.push(note.to_owned());
        }
        notes
    }

    /// Does one thing.
    ///
    /// # Errors
    /// Refused (recorded), impossible, or the register cannot be written.
    pub fn handle(&mut self, caller: &Caller, command: Command) -> Result<Reply> {
        self.last_status = None;
        self.engine.turn_to_now();
        self.engine.rights_due()?;
        let done = self.handled(caller, command);
        // Published files lag behind the journal at most by one command; a start catches up.
        self.engine.ports.journal.publish()?;
        done
    }

    fn handled(&mut self, caller: &Caller, command: Command) -> Result<Reply> {
        texts::look_through(&command)?;
        let (word, object) = (command.word(), command.object());
        let actor = match self.authorise(caller, &command) {
            Ok(actor) => actor,
            Err(error) => {
                if error.exit == Exit::Refused {
                    self.refuse_unknown(caller, word, &object, &error)?;
                }
                return Err(error);
            }
        };
        self.engine.seat = caller.uid().map(|uid| (actor.facts.name.clone(), uid));
        let done = self.acted(&actor, command, (word, &object));
        self.engine.seat = None;
        done
    }

    #[allow(clippy::too_many_lines, reason = "a table: each command beside what does it")]
    fn act(&mut self, actor: &Actor, command: Command) -> Result<Reply> {
        match command {
            Command::AccountAdd { facts } => self.account_add(actor, facts),
            Command::AccountConfirm { name } => self.account_confirm(actor, &name),
            Command::AccountDisable { name } => self.account_disable(actor, &name),
            Command::ConfigPropose => self.config_propose(actor),
            Command::ConfigConfirm => self.config_confirm(actor),
            Command::ClockConfirm => self.clock_confirm(actor),
            Command::KeySubmit { batch, form, channel, secret } => {
                self.key_submit(actor, batch, form, &channel, secret)
            }
            Command::Passphrase { act, secret } => self.passphrase_do(actor, *act, secret),
            Command::BatchRetry { batch } => self.batch_retry(actor, batch),
            Command::BatchRelease { batch, reason } => self.batch_release(actor, batch, reason),
            Command::BatchReject { batch, reason } => self.batch_reject(actor, batch, reason),
            Command::LinkSettle { remote, reason } => self.link_settle(actor, remote, reason),
            Command::Baseline { link, sequence } => self.baseline(actor, &link, sequence),
            Command::BaselineConfirm { link } => self.baseline_confirm(actor, &link),
            Command::WitnessAdd { name, vkey } => self.witness_add(actor, &name, &vkey),
            Command::WitnessConfirm { name } => self.witness_confirm(actor, &name),
            Command::WitnessTake { note } => self.witness_take(actor, &note),
            Command::TimestampTake { answer } => self.timestamp_take(actor, &answer),
            Command::OverdueAcknowledge { reason } => self.overdue_acknowledge(actor, reason),
            Command::OverdueConfirm => self.overdue_confirm(actor),
            Command::GrantApply { link, until, purpose, basis, fields, unit, service } => self
                .grant_apply(
                    actor,
                    grants::Application { link, until, purpose, basis, fields, unit, service },
                ),
            Command::GrantApprove { grant } => self.grant_approve(actor, grant),
            Command::GrantDeny { grant, reason } => self.grant_deny(actor, grant, reason),
            Command::GrantRevoke { grant } => self.grant_revoke(actor, grant),
            Command::UseComplete { grant } => self.use_complete(actor, grant),
            Command::UseFiled { batch, doc_no } => self.use_filed(actor, batch, doc_no),
            Command::CopyRequest { batch, kind, medium, reason, delete_by } => self.copy_request(
                actor,
                inventory::Wish { batch, kind, medium, reason, delete_by, kept: None },
            ),
            Command::CopyOut { grant, batch, copies, holder, place, delete_by, reason } => {
                let kept = KeptAt { holder, place };
                let file = copying::RowFile { grant, batch, copies, kept, delete_by, reason };
                self.copy_out(actor, file)
            }
            Command::CopyApprove { copy, doc_no } => self.copy_approve(actor, copy, doc_no),
            Command::CopyDeny { copy, reason } => self.copy_deny(actor, copy, reason),
            Command::CopyWithdraw { copy, reason } => self.copy_withdraw(actor, copy, reason),
            Command::CopyDeclare { of, facts } => self.copy_declare(actor, &of, facts),
            Command::CopyMove { copy, holder, place, lock } => {
                self.copy_move(actor, copy, holder, place, lock)
            }
            Command::Audit { act } => self.audit(actor, *act),
            Command::Handover { act } => self.hand(actor, *act),
            Command::Link { act } => self.link_do(actor, *act),
            Command::Paper { act } => self.paper_do(actor, *act),
            Command::Register { act } => self.register_do(actor, *act),
            Command::OnPaper { act } => self.decide_on_paper(actor, *act),
            Command::People { act } => self.people_act(actor, *act),
            Command::Sample { act } => self.sample(actor, *act),
            Command::Incident { act } => self.incident(actor, *act),
            Command::Intake { act } => self.intake(actor, *act),
            Command::EndUse { act } => self.end_of_use(actor, *act),
            Command::Notice { act } => self.notice(actor, *act),
            Command::MediaRecord { copy, end } => self.media_record(actor, copy, end),
            Command::MediaConfirm { copy } => self.media_confirm(actor, copy),
            Command::DestroyRequest { batch, copies, reason } => {
                self.destroy_request(actor, batch, &copies, reason)
            }
            Command::DestroyApprove { order } => self.destroy_approve(actor, order),
            Command::DestroyDeny { order, reason } => self.destroy_deny(actor, order, reason),
            Command::AccessRequest { link, months, reason } => {
                self.access_request(actor, &link, months, reason)
            }
            Command::AccessApprove { order } => self.access_approve(actor, order),
            Command::AccessDeny { order, reason } => self.access_deny(actor, order, reason),
            Command::DestroyCancel { order, reason } => self.destroy_cancel(actor, order, reason),
            Command::DestroyExcept { order, copy, owner, until, reason } => {
                self.destroy_except(actor, order, destruction::Left { copy, owner, until, reason })
            }
            Command::DestroyClose { order, papers } => self.destroy_close(actor, order, papers),
            Command::DestroyConfirm { order } => self.destroy_confirm(actor, order),
            Command::StandingAdd { policy, link, doc_no, until } => {
                self.standing_add(actor, &policy, link, doc_no, until)
            }
            Command::StandingConfirm { standing } => self.standing_confirm(actor, standing),
            Command::StandingEnd { standing } => self.standing_end(actor, standing),
            Command::HoldPlace { scope, authority, doc_no, review } => {
                self.hold_place(actor, scope, authority, doc_no, review)
            }
            Command::HoldLift { hold } => self.hold_lift(actor, hold),
        }
    }

    /// Records, then does what follows by itself.
    fn record(&mut self, actor: &Actor, body: Body) -> Result<Mark> {
        let mark = self.engine.record(actor.name(), body)?;
        self.engine.drive()?;
        Ok(mark)
    }

    /// Records a refusal of somebody who is not proven to be anybody: the register names nobody.
    fn refuse_unknown(
        &mut self,
        caller: &Caller,
        command: &str,
        object: &str,
        error: &Error,
    ) -> Result<()> {
        let uid = match caller {
            Caller::User { uid } => Some(*uid),
            Caller::Signer { .. } => None,
        };
        let now = self.boot_millis();
        match self.refusals.admit(uid, (command, &error.what), now) {
            Some(0) => self.refuse(AGENT, command, object, error, None),
            Some(left_out) => self.refuse(AGENT, command, object, error, Some(left_out)),
            None => Ok(()),
        }
    }

    fn refuse(
        &mut self,
        by: &str,
        command: &str,
        object: &str,
        error: &Error,
        left_out: Option<u64>,
    ) -> Result<()> {
        let code: String = error.what.chars().filter(|c| c.is_ascii()).take(120).collect();
        let body = Body::ActRefused {
            command: command.to_owned(),
            object: if clean(object).is_ok() { object.to_owned() } else { "-".to_owned() },
            code: if clean(&code).is_ok() { code } else { "refused".to_owned() },
            left_out,
        };
        self.engine.record(by, body)?;
        Ok(())
    }

    /// A batch by our id, or by the provider's number where that is unique.
    ///
    /// # Errors
    /// None, or several.
    pub fn batch_named(&self, text: &str) -> Result<BatchId> {
        if let Ok(id) = text.parse::<BatchId>() {
            return if self.engine.view.batches.contains_key(&id) {
                Ok(id)
            } else {
                Err(no_batch(text))
            };
        }
        let mut named = self.engine.view.named(text);
        match (named.next(), named.next()) {
            (Some(id), None) => Ok(id),
            (Some(_), Some(_)) => {
                Err(Error::usage(format!("several batches have the number '{text}'"))
                    .hint("name it by its id; 'batchward batch list' shows the ids"))
            }
            (None, _) => Err(no_batch(text)),
        }
    }
}

/// Whether one of the account's roles may do it.
fn permitted(actor: &Actor, command: &Command) -> Result<()> {
    if command.act().allowed_to(&actor.facts.roles) {
        return Ok(());
    }
    Err(not_permitted(actor, command.word(), command.act()))
}

/// None of the account's roles may do it.
fn not_permitted(actor: &Actor, word: &str, act: Act) -> Error {
    let words: Vec<_> = act.roles().iter().map(|role| role.word()).collect();
    Error::refused(format!("'{}' may not '{word}'", actor.facts.name))
        .hint(format!("this needs one of the roles: {}", words.join(", ")))
}

/// A link that nobody has configured, or that is no longer there.
fn no_link(name: &str) -> Error {
    Error::usage(format!("there is no link '{}'", national_id::masked(name)))
        .hint("'batchward status' lists the links")
}

fn no_batch(text: &str) -> Error {
    Error::usage(format!("there is no batch '{}'", national_id::masked(text)))
        .hint("'batchward batch list' shows the batches")
}

/// A typed text that may stand in the register: not too long, and nothing in the shape of an ID number.
fn clean(text: &str) -> Result<()> {
    if grounds::note(text).chars().count() > limits::TEXT_CHARS_MAX {
        return Err(Error::usage(format!("a text is over {} characters", limits::TEXT_CHARS_MAX)));
    }
    clean_of_numbers(text)
}

/// Nothing in the shape of an ID number.
fn clean_of_numbers(text: &str) -> Result<()> {
    if national_id::found_in(text) {
        return Err(Error::new(
            Exit::Data,
            "the text holds something in the shape of an ID number",
        )
        .hint("the register is kept for ever: write a case number instead"));
    }
    Ok(())
}

/// A typed text that must say something.
fn stated(what: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::usage(format!("{what} is empty")));
    }
    clean(text)
}
