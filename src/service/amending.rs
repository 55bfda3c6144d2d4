//! Amendments of the register: what somebody typed wrongly is amended by a new entry, and the old one stays.
//!
//! Every amendment is confirmed by a second person. Whether a row was printed before nobody can know (a screen is
//! photographed, a sheet is filed), so it is taken as printed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Actor, Reply, Result, Service, administration::second_person, not_permitted, stated};
use crate::{
    domain::{
        accounts::Act,
        amending::{self, AmendField, Stands},
        digest::Digest,
        entry::{AmendmentConfirmed, Body, FactAmended, NoteAdded},
        time::Timestamp,
        view::{Amendment, View},
    },
    error::{Error, Exit},
};

/// An act about what the register says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RegisterAct {
    /// `register amend`.
    Amend {
        /// The entry.
        entry: u64,
        /// What is amended.
        field: AmendField,
        /// What it should say.
        to: String,
        /// Why.
        reason: String,
    },
    /// `register confirm`.
    Confirm {
        /// The entry of the amendment.
        amendment: u64,
    },
    /// `register note`.
    Note {
        /// The entry.
        entry: u64,
        /// The note.
        text: String,
    },
}

impl RegisterAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Amend { .. } => "register amend",
            Self::Confirm { .. } => "register confirm",
            Self::Note { .. } => "register note",
        }
    }

    /// Whether it decides on something, and so is signed in any case.
    #[must_use]
    pub const fn decides(&self) -> bool {
        matches!(self, Self::Confirm { .. })
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Amend { .. } | Self::Note { .. } => Act::Amend,
            Self::Confirm { .. } => Act::ConfirmAmendment,
        }
    }

    /// What it is about: an entry.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::Amend { entry, .. } | Self::Note { entry, .. } => entry.to_string(),
            Self::Confirm { amendment } => amendment.to_string(),
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Amend { reason, .. } => reason,
            Self::Note { text, .. } => text,
            Self::Confirm { .. } => "",
        }
    }

    /// The hash of the entry that it decides on.
    pub(super) fn decided(&self, view: &View) -> Option<Digest> {
        match self {
            Self::Confirm { amendment } => Some(view.amendments.get(amendment)?.mark.digest),
            _ => None,
        }
    }
}

/// An amendment as it is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AmendedFact {
    /// The entry that is amended.
    pub entry: u64,
    /// The entry that amends it.
    pub amendment: u64,
    /// Id of what it is about.
    pub object: String,
    /// What was amended.
    pub field: AmendField,
    /// What it said.
    pub from: String,
    /// What it says.
    pub to: String,
    /// Why.
    pub reason: String,
    /// Who proposed it.
    pub by: String,
    /// Who confirmed it.
    pub confirmed_by: String,
    /// When.
    pub at: Timestamp,
}

impl AmendedFact {
    /// What counts of an amendment; nothing before it is confirmed.
    pub(super) fn of(amendment: &Amendment) -> Option<Self> {
        let (confirmed_by, at) = amendment.confirmed.clone()?;
        let what = amendment.what.clone();
        Some(Self {
            entry: what.entry,
            amendment: amendment.mark.seq,
            object: what.object,
            field: what.field,
            from: what.from,
            to: what.to,
            reason: what.reason,
            by: amendment.by.clone(),
            confirmed_by,
            at,
        })
    }
}

impl Service {
    pub(super) fn register_do(&mut self, actor: &Actor, act: RegisterAct) -> Result<Reply> {
        match act {
            RegisterAct::Amend { entry, field, to, reason } => {
                self.amend(actor, (entry, field), to, reason)
            }
            RegisterAct::Confirm { amendment } => self.amendment_confirm(actor, amendment),
            RegisterAct::Note { entry, text } => {
                self.body_of(entry)?;
                stated("the note", &text)?;
                let signed = actor.signed.clone();
                self.record(actor, Body::NoteAdded(NoteAdded { entry, text, signed }))?;
                Ok(Reply::new(&entry, format!("the note stands beside entry {entry}")))
            }
        }
    }

    /// The body of an entry of the register.
    fn body_of(&self, entry: u64) -> Result<Value> {
        if entry >= self.engine.view.size {
            let all = self.engine.view.size;
            return Err(Error::usage(format!("the register has {all} entries"))
                .hint("'batchward register show' has the number of each before its time"));
        }
        serde_json::to_value(self.engine.entry(entry)?.body)
            .map_err(|error| Error::new(Exit::Failed, error.to_string()))
    }

    fn amend(
        &mut self,
        actor: &Actor,
        (entry, field): (u64, AmendField),
        to: String,
        reason: String,
    ) -> Result<Reply> {
        stated("the reason", &reason)?;
        stated("what it should say", &to)?;
        let body = self.body_of(entry)?;
        let Some(Stands { kind, object, value }) = amending::stands(&body, field) else {
            let others: Vec<&str> =
                amending::fields(&body).into_iter().map(AmendField::word).collect();
            let error = Error::usage(format!("'{field}' of entry {entry} cannot be amended"));
            return Err(if others.is_empty() {
                error.hint(format!(
                    "what the agent found or did stays as it is: 'batchward register note {entry} --text TEXT' says something about it"
                ))
            } else {
                error.hint(format!("of this entry: {}", others.join(", ")))
            });
        };
        let waiting = self.engine.view.amendments.values().find(|one| {
            one.what.entry == entry && one.what.field == field && one.confirmed.is_none()
        });
        if let Some(waiting) = waiting.filter(|one| one.what.to == to) {
            let seq = waiting.mark.seq;
            return Err(Error::usage(format!("this amendment is proposed already: entry {seq}")));
        }
        let from = self.last_value(entry, field).unwrap_or(value);
        if from == to {
            return Err(Error::usage("it says so already"));
        }
        let signed = actor.signed.clone();
        let what = FactAmended { entry, kind, object, field, from, to, reason, signed };
        let mark = self.record(actor, Body::FactAmended(what))?;
        let seq = mark.seq;
        Ok(Reply::new(&seq, format!("the amendment of entry {entry} waits for a second person"))
            .next(format!("another person runs 'batchward register confirm {seq}'")))
    }

    /// What a fact says as it was last amended.
    fn last_value(&self, entry: u64, field: AmendField) -> Option<String> {
        let all = self.engine.view.amendments_of(entry);
        all.filter(|one| one.what.field == field).last().map(|one| one.what.to.clone())
    }

    fn amendment_confirm(&mut self, actor: &Actor, amendment: u64) -> Result<Reply> {
        let row = self.engine.view.amendments.get(&amendment).cloned().ok_or_else(|| {
            Error::usage(format!("entry {amendment} is no amendment"))
                .hint("'batchward register show' has the number of each entry before its time")
        })?;
        if row.by == actor.name() {
            return Err(second_person("confirm this amendment"));
        }
        if row.confirmed.is_some() {
            return Err(Error::usage(format!("the amendment {amendment} is confirmed already")));
        }
        self.may_change_a_decision(actor, &row.what)?;
        let (entry, field) = (row.what.entry, row.what.field);
        let body = self.body_of(entry)?;
        let stood = amending::stands(&body, field).map(|stands| stands.value);
        // Another one came between: what it would strike is no longer what stands.
        if self.last_value(entry, field).or(stood).as_ref() != Some(&row.what.from) {
            return Err(Error::refused(format!("entry {entry} was amended otherwise since"))
                .hint(format!("propose it again: 'batchward register amend {entry} --field {field} --to TEXT --reason TEXT'")));
        }
        let signed = actor.decision()?;
        self.record(actor, Body::AmendmentConfirmed(AmendmentConfirmed { amendment, signed }))?;
        Ok(Reply::new(&amendment, format!("entry {entry} is amended")))
    }

    /// What somebody decided on is changed by the office that decided, and not by who had asked for it.
    fn may_change_a_decision(&self, actor: &Actor, what: &FactAmended) -> Result<()> {
        let Some((act, asked)) = self.engine.view.decided_on(what) else { return Ok(()) };
        if asked.is_some_and(|(by, _)| by == actor.name()) {
            return Err(Error::refused(format!(
                "you asked for '{}' and cannot confirm what changes the decision on it",
                what.object
            ))
            .hint("another person of the office that decided confirms it"));
        }
        if !act.allowed_to(&actor.facts.roles) {
            return Err(not_permitted(actor, "register confirm", act));
        }
        Ok(())
    }

    /// The amendments about any of these ids that count, the oldest first.
    pub(super) fn amended_facts(&self, about: impl Fn(&str) -> bool) -> Vec<AmendedFact> {
        let all = self.engine.view.amendments.values();
        all.filter(|one| about(&one.what.object)).filter_map(AmendedFact::of).collect()
    }
}
