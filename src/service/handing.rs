//! Handing data on: asked for by one person, approved by another, made by the agent, and closed by two when the
//! recipient's copy is gone (TPH-5.6, 6.4, 6.5; TY-3.1.3, 4.2.1, 4.2.4; NT-3.10, 4.1.1).
//!
//! Every refusal that a regulation demands names the clause that forbids it. Who is on no list gets nothing, and a
//! vendor's account takes nothing out.

mod act;
mod ends;
mod media;

pub use act::{Asked, Handed, HandoverAct};

use super::{
    Actor, Command, Reply, Result, Service, administration::second_person, grants, stated,
};
use crate::{
    domain::{
        accounts::Role,
        calendar,
        entry::{
            Body, HandoverApproved, HandoverDenied, HandoverRequested, HandoverTerms, PackagePart,
        },
        handover::{self, Forbidden, HandoverRule, Recipient, RecipientKind, Sealing},
        ids::{BatchId, HandoverId},
        inventory::HeldKind,
        lifecycle::{BatchState, HandoverState},
        link::Link,
        national_id,
        policy::Egress,
        step::Plan,
        time::Timestamp,
        view::Handover,
    },
    engine::Ran,
    error::{Error, Exit},
};

impl Service {
    pub(super) fn handover(&self, id: HandoverId) -> Result<&Handover> {
        self.engine.view.handovers.get(&id).ok_or_else(|| {
            Error::usage(format!("there is no hand-over '{id}'"))
                .hint("'batchward handover list' shows the hand-overs")
        })
    }

    pub(super) fn hand(&mut self, actor: &Actor, act: HandoverAct) -> Result<Reply> {
        match act {
            HandoverAct::Request { asked } => self.handover_request(actor, asked),
            HandoverAct::Approve { handover, doc_no, exception } => {
                self.handover_approve(actor, handover, doc_no, exception)
            }
            HandoverAct::Deny { handover, reason } => self.handover_deny(actor, handover, reason),
            HandoverAct::Make { handover } => self.handover_make(actor, handover),
            HandoverAct::Confirm { handover, doc_no, on } => {
                self.handover_confirm(actor, handover, doc_no, on)
            }
            HandoverAct::Export { handover, facts, custody } => {
                self.media_export(actor, handover, facts, custody)
            }
            HandoverAct::Import { link, folder, facts, custody } => {
                self.media_import(actor, (link, &folder), facts, custody)
            }
            HandoverAct::Returned { handover, letter, end, certificates } => {
                self.handover_returned(actor, handover, letter, (end, &certificates))
            }
        }
    }

    /// The rules of handing on what a link brought; a policy that has none lets nothing be handed on.
    fn handover_rule(&self, link: &str) -> Result<&HandoverRule> {
        let link = self.link(link)?;
        let policy = self.engine.rules.policy_of(link).ok_or_else(|| {
            Error::new(Exit::Config, format!("the policy '{}' is not there any more", link.policy))
        })?;
        policy.handover.as_ref().ok_or_else(|| {
            Error::refused(format!("the policy '{}' lets nothing be handed on", policy.name))
                .hint("a policy with rules for it has a group 'handover': docs/handover.md")
        })
    }

    /// A vendor's account takes nothing out, whatever other roles it has.
    pub(super) fn not_by_a_vendor(&self, actor: &Actor, command: &Command) -> Result<()> {
        if !actor.facts.roles.contains(&Role::Vendor) {
            return Ok(());
        }
        let link_of = |batch: &BatchId| Some(self.engine.view.batches.get(batch)?.link.clone());
        let link = match command {
            Command::Handover { act } => match &**act {
                HandoverAct::Request { asked } => match &asked.of {
                    Handed::Batch(batch) => link_of(batch),
                    Handed::Link(link) => Some(link.clone()),
                },
                HandoverAct::Make { handover } | HandoverAct::Export { handover, .. } => {
                    self.engine.view.handovers.get(handover).map(|row| row.terms.link.clone())
                }
                _ => None,
            },
            Command::CopyOut { grant, .. } => {
                self.engine.view.grants.get(grant).map(|row| row.terms.link.clone())
            }
            Command::CopyRequest { batch, kind, .. } if *kind != HeldKind::Paper => link_of(batch),
            _ => None,
        };
        let Some(link) = link else { return Ok(()) };
        let Ok(rule) = self.handover_rule(&link) else { return Ok(()) };
        Err(Error::refused(format!(
            "'{}' is a vendor's account: it takes nothing out ({})",
            actor.name(),
            rule.vendor_export
        ))
        .hint("an account of the agency asks for it"))
    }

    /// A recipient that is on the list, may get this, and may still get it.
    fn recipient(&self, name: &str, rule: &HandoverRule) -> Result<&Recipient> {
        let recipient = self.engine.rules.recipients.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.engine.rules.recipients.keys().map(String::as_str).collect();
            let list = if known.is_empty() { "nobody".to_owned() } else { known.join(", ") };
            Error::refused(format!(
                "'{}' is on no list of recipients ({})",
                national_id::masked(name),
                rule.recipients.clause
            ))
            .hint(format!("on the list: {list}; a file 'recipients/NAME.yaml' that two people agreed to adds one"))
        })?;
        match rule.forbids(recipient) {
            None => {}
            Some(Forbidden::Kind(clause)) => {
                return Err(Error::refused(format!(
                    "nothing is handed on to a '{}' under this policy ({clause})",
                    recipient.kind
                )));
            }
            Some(Forbidden::Abroad(clause)) => {
                return Err(Error::refused(format!(
                    "nothing leaves the country under this policy ({clause})"
                )));
            }
            Some(Forbidden::Premises(clause)) => {
                return Err(Error::refused(format!(
                    "nothing leaves for a vendor's premises under this policy ({clause})"
                )));
            }
        }
        if recipient.until < self.now() {
            let end = calendar::end(recipient.until, self.engine.rules.zone);
            return Err(Error::refused(format!("nothing goes to '{name}' after {end}")));
        }
        Ok(recipient)
    }

    fn handover_request(&mut self, actor: &Actor, asked: Asked) -> Result<Reply> {
        let terms = self.terms_of(asked)?;
        let handover = self.engine.view.next_handover();
        let (recipient, by) = (terms.recipient.clone(), terms.destroy_by);
        let rule = self.handover_rule(&terms.link)?;
        let doc_no = if rule.provider_doc.value { " --doc-no NO" } else { "" };
        let exception = self.recipient(&recipient, rule)?;
        let exception = rule.exception_for(exception).map_or("", |_| " --exception NO");
        let words = format!("batchward handover approve {handover}{doc_no}{exception}");
        let signed = actor.signed.clone();
        self.record(actor, Body::HandoverRequested(HandoverRequested { handover, terms, signed }))?;
        let by = calendar::end(by, self.engine.rules.zone);
        let message =
            format!("waits for a second person; '{recipient}' would have to destroy it by {by}");
        Ok(Reply::new(&handover, message).next(format!("a supervisor runs '{words}'")))
    }

    /// What is asked for, held against link, batch, recipient and policy.
    fn terms_of(&self, asked: Asked) -> Result<HandoverTerms> {
        stated("the purpose", &asked.purpose)?;
        stated("the basis", &asked.basis)?;
        stated("the channel", &asked.channel)?;
        let (name, batch) = match asked.of {
            Handed::Batch(batch) => (self.row(batch)?.link.clone(), Some(batch)),
            Handed::Link(link) => (link, None),
        };
        let link = self.link(&name)?;
        let rule = self.handover_rule(&name)?;
        let recipient = self.recipient(&asked.recipient, rule)?;
        let key_channel = channels(&asked.channel, asked.key_channel, recipient, rule)?;
        if let Some(reason) = link.standing(self.now()) {
            return Err(Error::refused(format!("nothing is handed on under '{name}': {reason}")));
        }
        let fields = grants::fields_of(link, &asked.fields)?;
        self.stored(batch, &fields)?;
        self.use_ends(asked.until, (link, recipient, batch))?;
        let (destroy_by, clause) = self.destroy_by(asked.until, link, recipient, rule);
        Ok(HandoverTerms {
            batch,
            recipient: asked.recipient,
            title: recipient.title.clone(),
            kind: recipient.kind,
            premises: recipient.premises,
            fields,
            purpose: asked.purpose,
            basis: asked.basis,
            channel: asked.channel,
            key_channel,
            recipient_key: match &recipient.sealing {
                Sealing::Recipient(key) => Some(key.clone()),
                Sealing::Separate(_) => None,
            },
            until: asked.until,
            destroy_by,
            clause,
            link: name,
        })
    }

    /// By when the recipient must have destroyed it, and the clause: a vendor's own period counts where it is the earlier.
    fn destroy_by(
        &self,
        until: Timestamp,
        link: &Link,
        recipient: &Recipient,
        rule: &HandoverRule,
    ) -> (Timestamp, String) {
        let zone = self.engine.rules.zone;
        let policy = self.engine.rules.policy_of(link);
        let calendar = policy.map(|policy| policy.further.calendar).unwrap_or_default();
        let by = rule.destroy_by(until, recipient.destroy_within, calendar, zone);
        let vendor = policy.and_then(|policy| policy.further.vendor_retention.as_ref());
        let vendor = vendor.filter(|_| recipient.kind == RecipientKind::Vendor);
        let vendor =
            vendor.map(|rule| (calendar.destroy_by(rule.value, until, zone), rule.clause.clone()));
        match vendor.filter(|(end, _)| *end <= by) {
            Some(sooner) => sooner,
            None => (by, rule.retention.clause.clone()),
        }
    }

    /// Nothing leaves on media where the policy forbids it to all, or to whoever has a vendor's account.
    pub(super) fn may_leave(&self, actor: &Actor, link: &str) -> Result<()> {
        let link = self.link(link)?;
        let policy = self.engine.rules.policy_of(link);
        let Some(rule) = policy.and_then(|policy| policy.further.egress.as_ref()) else {
            return Ok(());
        };
        let vendor = actor.facts.roles.contains(&Role::Vendor);
        match rule.value {
            Egress::Encrypted => Ok(()),
            Egress::AgencyOnly if !vendor => Ok(()),
            Egress::AgencyOnly => Err(Error::refused(format!(
                "a vendor's account takes nothing out on media ({})",
                rule.clause
            ))),
            Egress::Forbidden => Err(Error::refused(format!(
                "nothing may leave on media under the policy '{}' ({})",
                link.policy, rule.clause
            ))),
        }
    }

    /// Whether a batch is in use and has these fields.
    fn stored(&self, batch: Option<BatchId>, fields: &[String]) -> Result<()> {
        let Some(batch) = batch else { return Ok(()) };
        let row = self.row(batch)?;
        let load = row.load.as_ref().filter(|_| row.state == BatchState::Loaded);
        let load = load.ok_or_else(|| {
            Error::usage(format!("'{batch}' is {}, not loaded", row.state))
                .hint("only data in use are handed on")
        })?;
        self.may_be_handed_on(batch)?;
        match fields.iter().find(|field| !load.items.contains(field)) {
            Some(other) => Err(Error::refused(format!("'{batch}' has no field '{other}'"))),
            None => Ok(()),
        }
    }

    /// The recipient's use ends in the future, and no later than what it rests on.
    fn use_ends(
        &self,
        until: Timestamp,
        (link, recipient, batch): (&Link, &Recipient, Option<BatchId>),
    ) -> Result<()> {
        if until <= self.now() {
            return Err(Error::usage("the end of the recipient's use has passed"));
        }
        let of_batch = match batch {
            Some(batch) => self.row(batch)?.times.get("use-until").copied(),
            None => None,
        };
        let ends = [Some(link.approved_until), Some(recipient.until), of_batch];
        let earliest = ends.into_iter().flatten().min().unwrap_or(until);
        if until > earliest {
            let end = calendar::end(earliest, self.engine.rules.zone);
            return Err(Error::refused(format!(
                "the recipient's use would outlive what it rests on, which ends {end}"
            )));
        }
        Ok(())
    }

    fn in_state(&self, id: HandoverId, wanted: &[HandoverState]) -> Result<&Handover> {
        let row = self.handover(id)?;
        if wanted.contains(&row.state) {
            return Ok(row);
        }
        let hint = match row.state {
            HandoverState::Requested => format!("'batchward handover approve {id}' or 'deny'"),
            HandoverState::Approved => format!("'batchward handover make {id}' comes next"),
            HandoverState::Made => format!("'batchward handover confirm {id}' comes next"),
            HandoverState::Received => format!("'batchward handover returned {id}' comes next"),
            HandoverState::Denied | HandoverState::Closed => {
                "nothing more is done with it".to_owned()
            }
        };
        Err(Error::usage(format!("'{id}' is {}", row.state)).hint(hint))
    }

    fn handover_approve(
        &mut self,
        actor: &Actor,
        handover: HandoverId,
        doc_no: Option<String>,
        exception: Option<String>,
    ) -> Result<Reply> {
        let row = self.in_state(handover, &[HandoverState::Requested])?;
        if row.by == actor.name() {
            return Err(second_person("decide on this hand-over"));
        }
        let terms = &row.terms;
        let rule = self.handover_rule(&terms.link)?;
        let recipient = self.recipient(&terms.recipient, rule)?;
        if rule.provider_doc.value && doc_no.is_none() {
            return Err(Error::refused(format!(
                "the provider's approval is missing ({})",
                rule.provider_doc.clause
            ))
            .hint("--doc-no NO names the provider's document"));
        }
        if let (Some(clause), None) = (rule.exception_for(recipient), &exception) {
            return Err(Error::refused(if recipient.is_abroad() {
                format!("data would leave the country, and no exception is recorded ({clause})")
            } else {
                format!(
                    "data would leave for a vendor's premises, and no exception is recorded ({clause})"
                )
            })
            .hint("--exception NO names the document that allows it"));
        }
        doc_no.as_deref().map_or(Ok(()), |text| stated("the document number", text))?;
        exception.as_deref().map_or(Ok(()), |text| stated("the exception", text))?;
        let signed = actor.decision()?;
        let approved = HandoverApproved { handover, doc_no, exception, signed };
        self.record(actor, Body::HandoverApproved(approved))?;
        Ok(Reply::new(&handover, format!("'{handover}' may be made"))
            .next(format!("'batchward handover make {handover}'")))
    }

    fn handover_deny(
        &mut self,
        actor: &Actor,
        handover: HandoverId,
        reason: String,
    ) -> Result<Reply> {
        let row = self.in_state(handover, &[HandoverState::Requested, HandoverState::Approved])?;
        if row.by == actor.name() && row.state == HandoverState::Requested {
            return Err(second_person("decide on this hand-over"));
        }
        if self.engine.is_packing(handover) {
            return Err(Error::new(Exit::Later, format!("'{handover}' is being made")));
        }
        stated("the reason", &reason)?;
        let signed = actor.decision()?;
        self.record(actor, Body::HandoverDenied(HandoverDenied { handover, reason, signed }))?;
        Ok(Reply::new(&handover, format!("'{handover}' is not made")))
    }

    fn handover_make(&mut self, actor: &Actor, handover: HandoverId) -> Result<Reply> {
        let row = self.in_state(handover, &[HandoverState::Approved])?;
        if self.engine.is_packing(handover) {
            return Err(Error::new(Exit::Later, format!("'{handover}' is being made"))
                .hint("'batchward handover show' tells when it is there"));
        }
        let terms = row.terms.clone();
        // What tightened since the approval is in force at once.
        let rule = self.handover_rule(&terms.link)?;
        let recipient = self.recipient(&terms.recipient, rule)?;
        if let Sealing::Separate(keys) = &recipient.sealing
            && handover::beside(&recipient.outbox, keys)
        {
            return Err(Error::refused(format!(
                "the key would lie beside the data ({})",
                rule.key_apart
            )));
        }
        if let Some(reason) = self.link(&terms.link)?.standing(self.now()) {
            let link = &terms.link;
            return Err(Error::refused(format!("nothing is handed on under '{link}': {reason}")));
        }
        if terms.until < self.now() {
            return Err(Error::refused("the end of the recipient's use has passed"));
        }
        self.stored(terms.batch, &terms.fields)?;
        let parts = self.parts(&terms)?;
        let plan = Plan::MakePackage { handover, parts, at: self.now() };
        let ran = self.engine.run(actor.name(), plan)?;
        self.engine.drive()?;
        match ran {
            Ran::Failed(_, code) => Err(Error::new(
                Exit::Later,
                format!("the package of '{handover}' could not be made: {code}"),
            )
            .hint("docs/operations.md says what to do about it; nothing of it was left")),
            Ran::Running => Ok(Reply::new(&handover, format!("'{handover}' is being made"))
                .next(format!("'batchward handover show {handover}' tells when it is there"))),
            Ran::Done(_) => {
                let channel = &terms.channel;
                let sent = match &terms.key_channel {
                    Some(key) => format!(
                        "the package goes by '{channel}', and its key by '{key}'; then 'batchward handover confirm {handover} --doc-no NO'"
                    ),
                    None => format!(
                        "the package goes by '{channel}'; then 'batchward handover confirm {handover} --doc-no NO'"
                    ),
                };
                Ok(Reply::new(
                    &handover,
                    format!("'{handover}' lies in the outbox of '{}'", terms.recipient),
                )
                .next(sent))
            }
        }
    }

    /// The batches that a package is made of, with the copies that it will be of them.
    fn parts(&self, terms: &HandoverTerms) -> Result<Vec<PackagePart>> {
        let (vaults, _) = self.vaults(&terms.link, terms.batch, None)?;
        let mut parts = Vec::with_capacity(vaults.len());
        for (n, vault) in (0_u64..).zip(&vaults) {
            let row = self.engine.view.copies.get(&vault.copy);
            let batch = row
                .map(|row| row.batch)
                .ok_or_else(|| Error::new(Exit::Data, "a vault of no batch is in the register"))?;
            self.may_be_handed_on(batch)?;
            let copy = self.engine.view.next_copy(n);
            parts.push(PackagePart { batch, vault: vault.copy, copy });
        }
        if parts.is_empty() {
            return Err(Error::usage(format!("nothing of '{}' is loaded", terms.link))
                .hint("only data in use are handed on"));
        }
        Ok(parts)
    }
}

/// Data and key go by two channels, both of them agreed to; who has a key of its own needs no second one.
fn channels(
    channel: &str,
    key_channel: Option<String>,
    recipient: &Recipient,
    rule: &HandoverRule,
) -> Result<Option<String>> {
    let listed = |channel: &str| {
        if recipient.channels.iter().any(|one| one == channel) {
            return Ok(());
        }
        Err(Error::refused(format!("'{}' is reached by no channel '{channel}'", recipient.name))
            .hint(format!("its channels: {}", recipient.channels.join(", "))))
    };
    let key_channel = match (&recipient.sealing, key_channel) {
        (Sealing::Recipient(_), None) => None,
        (Sealing::Recipient(_), Some(_)) => {
            return Err(Error::usage(format!(
                "'{}' has its own key: none is sent",
                recipient.name
            ))
            .hint("leave --key-channel out"));
        }
        (Sealing::Separate(_), None) => {
            return Err(Error::usage("the channel of the key is missing").hint(format!(
                "--key-channel TEXT, another one than the data's ({})",
                rule.key_apart
            )));
        }
        (Sealing::Separate(_), Some(key)) => Some(key),
    };
    if let Some(key) = &key_channel {
        stated("the channel of the key", key)?;
        if handover::same_channel(channel, key) {
            return Err(Error::refused(format!(
                "data and key would go by one channel, '{channel}' ({})",
                rule.key_apart
            ))
            .hint("--key-channel names another one"));
        }
        listed(key)?;
    }
    listed(channel)?;
    Ok(key_channel)
}
