//! Who is asking, and may they.

use crate::{
    domain::{
        digest::Digest,
        entry::{self, Body, Signed},
        on_paper::Subject,
        signed::{self, Asked, SignedText},
        sshsig::PublicKeyInfo,
        time::Timestamp,
        view::View,
    },
    error::{Error, Exit},
};

use super::{
    Actor, Command, Reply, Result, Service,
    deputies::links_of,
    intake::{self, IntakeAct},
    permitted,
    query::DraftFacts,
    reasons,
    sampling::SampleAct,
    uses,
};

/// Namespace of decisions (DESIGN 5).
pub(super) const DECISION: &str = "batchward-decision";
/// Namespace of everything else that is signed.
pub(super) const COMMAND: &str = "batchward-command";

/// Who asks.
#[derive(Debug)]
pub enum Caller {
    /// A unix user, by the peer's number.
    User {
        /// Number.
        uid: u32,
    },
    /// An account, by its signature.
    Signer {
        /// Name.
        name: String,
        /// What it signed.
        signed: Signed,
        /// Number of the system user that brought it, where one did.
        uid: Option<u32>,
    },
}

impl Caller {
    /// Number of the system user that asks.
    #[must_use]
    pub const fn uid(&self) -> Option<u32> {
        match self {
            Self::User { uid } => Some(*uid),
            Self::Signer { uid, .. } => *uid,
        }
    }
}

/// What has to be signed for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// SSHSIG namespace.
    pub namespace: &'static str,
    /// Origin of the register.
    pub origin: String,
    /// The command's words.
    pub command: String,
    /// What it is about.
    pub object: String,
    /// Hash of the register entry that is decided on, or of the command's own parameters.
    pub object_digest: Digest,
    /// What was typed.
    pub text: String,
}

impl Service {
    /// What a person has to sign for a command.
    ///
    /// # Errors
    /// It is about something that is not there.
    pub fn draft(&self, command: &Command) -> Result<Draft> {
        let facts =
            DraftFacts { origin: self.origin()?, object_digest: self.object_digest(command)? };
        Ok(Draft::of_command(command, facts))
    }

    fn object_digest(&self, command: &Command) -> Result<Digest> {
        let view = &self.engine.view;
        if let Some(digest) = decided_entry(view, command, self.now()) {
            return Ok(digest);
        }
        let begins = match command {
            Command::People { act } => act.begins(),
            // What is confirmed before it is loaded has no decision before it.
            Command::Intake { act } => matches!(**act, IntakeAct::Confirm { .. }),
            Command::HoldPlace { .. } | Command::OverdueAcknowledge { .. } => true,
            _ => false,
        };
        if command.decides() && !begins {
            return Err(Error::usage(format!("there is nothing to decide on '{}'", command.object()))
                .hint("look at it first: 'batchward batch list', 'grant list', 'destroy list', 'copy list', 'account list', 'audit list'"));
        }
        let bytes =
            entry::canonical(command).map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
        Ok(Digest::of(&bytes))
    }

    pub(super) fn authorise(&self, caller: &Caller, command: &Command) -> Result<Actor> {
        let actor = self.proven(caller, command)?;
        self.is_there(&actor.facts.name)?;
        let links = links_of(&self.engine.view, command);
        let wanted = self.roles_for(command, &actor.facts.name);
        Ok(self.standing_in(actor, command.act(), &wanted, &links))
    }

    /// Rights end with the last day, whether or not that could be recorded yet.
    pub(super) fn is_there(&self, name: &str) -> Result<()> {
        if self.engine.view.has_left(name, self.now()) {
            return Err(Error::refused(format!("there is no active account '{name}'")));
        }
        Ok(())
    }

    fn proven(&self, caller: &Caller, command: &Command) -> Result<Actor> {
        match caller {
            Caller::User { uid } => {
                let facts = self.engine.view.account_of_uid(*uid).cloned().ok_or_else(|| {
                    Error::refused(format!("the user with number {uid} has no account here"))
                        .hint("sign the command: --as NAME --sign-with KEYFILE")
                })?;
                if command.decides() {
                    return Err(Error::refused("a decision must be signed")
                        .hint("sign the command: --as NAME --sign-with KEYFILE"));
                }
                Ok(Actor { facts, signed: None, deputy: None })
            }
            Caller::Signer { name, signed, .. } => self.signer(name, signed, command),
        }
    }

    fn signer(&self, name: &str, signed: &Signed, command: &Command) -> Result<Actor> {
        let unknown = || Error::refused(format!("there is no active account '{name}'"));
        let facts = self.engine.view.account(name).cloned().ok_or_else(unknown)?;
        let key = facts
            .key
            .clone()
            .ok_or_else(|| Error::refused(format!("the account '{name}' has no signing key")))?;
        let draft = self.draft(command)?;
        let verified = self.checked(name, signed, &key, &draft)?;
        if self.engine.view.nonces.contains(verified.nonce()) {
            return Err(Error::refused("this signature has counted already")
                .hint("a signature counts once: sign the command again"));
        }
        Ok(Actor { facts, signed: Some(signed.clone()), deputy: None })
    }
}

impl Service {
    /// Does it, and records where it was refused.
    pub(super) fn acted(
        &mut self,
        actor: &Actor,
        command: Command,
        (word, object): (&str, &str),
    ) -> Result<Reply> {
        self.engine.acting = actor.deputy.map(|id| (actor.facts.name.clone(), id));
        let done = self.done_by(actor, command);
        // What goes by its signature alone, or is told of others, is nobody's act for somebody else.
        self.engine.acting = None;
        self.spend(actor)?;
        if let Err(error) = &done
            && error.exit == Exit::Refused
        {
            self.refuse(actor.name(), word, object, error, None)?;
        }
        done
    }

    fn done_by(&mut self, actor: &Actor, mut command: Command) -> Result<Reply> {
        reasons::coded(&mut command, self.engine.rules.reasons_by_code)?;
        self.not_by_a_vendor(actor, &command)?;
        self.under_agreement(actor)?;
        permitted(actor, &command)?;
        self.not_for_a_party(actor, &command)?;
        self.act(actor, command)
    }

    /// A signature counts once, also where its act came to nothing: whoever kept it must not be able to play it when
    /// the reason of the refusal has gone.
    fn spend(&mut self, actor: &Actor) -> Result<()> {
        let Some(signed) = &actor.signed else { return Ok(()) };
        let Ok(text) = SignedText::parse(&signed.text) else { return Ok(()) };
        if !self.engine.view.nonces.contains(&text.nonce) {
            self.engine.record(actor.name(), Body::NonceSpent { nonce: text.nonce })?;
        }
        Ok(())
    }
}

impl Service {
    /// Checks a signature against what should have been signed.
    pub(super) fn checked(
        &self,
        name: &str,
        signed: &Signed,
        key: &str,
        draft: &Draft,
    ) -> Result<signed::Verified> {
        let asked = Asked {
            origin: &draft.origin,
            command: &draft.command,
            object: &draft.object,
            object_digest: Some(draft.object_digest),
        };
        let refused = |why: String| {
            Error::refused(format!("the signature of '{name}' does not count: {why}"))
                .hint("sign the command again with the key that is registered for this account")
        };
        let key = PublicKeyInfo::parse(key).map_err(|fault| refused(fault.to_string()))?;
        let now = self.engine.ports.clock.now();
        let verified =
            signed::check(&signed.text, &signed.signature, &key, draft.namespace, &asked, now)
                .map_err(|fault| refused(fault.to_string()))?;
        if verified.text().text != draft.text {
            return Err(refused("the signed text is for other words".to_owned()));
        }
        Ok(verified)
    }
}

/// The hash of the entry that a command decides on.
fn decided_entry(view: &View, command: &Command, now: Timestamp) -> Option<Digest> {
    match command {
        Command::AccountConfirm { name } => Some(view.accounts.get(name)?.waits()?.1.digest),
        Command::ConfigConfirm => Some(view.config_proposal.as_ref()?.mark.digest),
        Command::WitnessConfirm { name } => {
            Some(view.witnesses.get(name)?.proposal.as_ref()?.mark.digest)
        }
        Command::OverdueConfirm => Some(view.acknowledgement.as_ref()?.mark.digest),
        Command::BaselineConfirm { link } => {
            Some(view.links.get(link)?.proposal.as_ref()?.mark.digest)
        }
        Command::Passphrase { act, .. } => act.decided(view),
        Command::LinkSettle { remote, .. } => Some(view.remotes.rows.get(remote)?.mark.digest),
        Command::BatchRelease { batch, .. }
        | Command::BatchReject { batch, .. }
        | Command::UseFiled { batch, .. } => Some(view.batches.get(batch)?.decide?.digest),
        Command::GrantApprove { grant } | Command::GrantDeny { grant, .. } => {
            Some(view.as_amended(view.grants.get(grant)?.applied))
        }
        Command::GrantRevoke { grant } | Command::UseComplete { grant } => {
            let row = view.grants.get(grant)?;
            Some(row.approved.unwrap_or(row.applied).digest)
        }
        Command::DestroyApprove { order } | Command::DestroyDeny { order, .. } => {
            Some(view.orders.get(order)?.requested.digest)
        }
        Command::AccessApprove { order } | Command::AccessDeny { order, .. } => {
            Some(view.access_orders.get(order)?.requested.digest)
        }
        Command::Register { act } => act.decided(view),
        Command::OnPaper { act } if act.decides() => {
            Some(view.typed_decision(act.subject())?.mark.digest)
        }
        Command::DestroyConfirm { order } => {
            if let Some(typed) = view.typed_decision(Subject::Order(*order)) {
                return Some(typed.mark.digest);
            }
            Some(view.orders.get(order)?.paper_proposal.as_ref()?.mark.digest)
        }
        Command::CopyApprove { copy, .. } | Command::CopyDeny { copy, .. } => {
            Some(view.as_amended(view.copies.get(copy)?.held.as_ref()?.mark))
        }
        Command::Audit { act } => act.decided(view),
        Command::Handover { act } if act.decides() => {
            Some(view.handovers.get(&act.handover()?)?.requested.digest)
        }
        Command::EndUse { act } => uses::decided(view, act),
        Command::Intake { act } => intake::decided(view, act),
        Command::Link { act } => act.decided(view),
        Command::People { act } => act.decided_entry(view, now),
        Command::Sample { act } => sampled_entry(view, act),
        Command::Notice { act } => act.decided(view),
        Command::Incident { act } if act.decides() => {
            let row = view.incidents.get(&act.incident()?)?;
            let remedied = row.remedied.as_ref().map(|(_, mark, ..)| *mark);
            let looked = row.investigation.as_ref().map(|made| made.mark);
            Some(view.as_amended(remedied.or(looked).unwrap_or(row.reported)))
        }
        Command::MediaConfirm { copy } => {
            Some(view.copies.get(copy)?.held.as_ref()?.end.as_ref()?.mark.digest)
        }
        Command::StandingConfirm { standing } => {
            Some(view.standings.get(standing)?.proposed.digest)
        }
        Command::HoldLift { hold } => Some(view.as_amended(view.holds.get(hold)?.placed)),
        _ => None,
    }
}

/// The same of what is decided about samples and findings.
fn sampled_entry(view: &View, act: &SampleAct) -> Option<Digest> {
    match act {
        SampleAct::Confirm { sample } => {
            Some(view.samples.rows.get(sample)?.waiting()?.mark.digest)
        }
        SampleAct::Judge { finding, .. } => {
            let row = view.samples.findings.get(finding)?;
            Some(row.corrected.as_ref().map_or(row.added, |(_, mark, ..)| *mark).digest)
        }
        _ => None,
    }
}
