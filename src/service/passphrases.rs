//! Passphrases that a provider uses for long: a custodian enters one, a supervisor confirms it, and the next takes its
//! place. Weaker than a key of each batch, which the strength of every batch says that is opened with one.

use serde::{Deserialize, Serialize};

use super::{Actor, Reply, Result, Service, administration::second_person, no_link, stated};
use crate::{
    domain::{
        accounts::Act,
        digest::Digest,
        entry::{Body, KeyForm, PassphraseConfirmed, PassphraseEnded, STANDING_NUMBER},
        link::KeyMode,
        secret::Secret,
        step::Outcome,
        view::View,
    },
    engine::{Ran, steps::Arrival},
    error::{Error, Exit},
};

/// What people do about a standing passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PassphraseAct {
    /// `key standing`.
    Enter {
        /// The link.
        link: String,
        /// How it came.
        channel: String,
    },
    /// `key confirm`.
    Confirm {
        /// The link.
        link: String,
    },
    /// `key end`.
    End {
        /// The link.
        link: String,
        /// Why.
        reason: String,
    },
}

impl PassphraseAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Enter { .. } => "key standing",
            Self::Confirm { .. } => "key confirm",
            Self::End { .. } => "key end",
        }
    }

    /// Whether it is a decision.
    #[must_use]
    pub const fn decides(&self) -> bool {
        matches!(self, Self::Confirm { .. })
    }

    /// Whether a secret goes with it.
    #[must_use]
    pub const fn has_secret(&self) -> bool {
        matches!(self, Self::Enter { .. })
    }

    /// Who may.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Enter { .. } | Self::End { .. } => Act::Keep,
            Self::Confirm { .. } => Act::ConfirmBaseline,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::Enter { link, .. } | Self::Confirm { link } | Self::End { link, .. } => {
                link.clone()
            }
        }
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Enter { channel, .. } => channel,
            Self::Confirm { .. } => "",
            Self::End { reason, .. } => reason,
        }
    }

    /// The hash of the entry that is decided on.
    #[must_use]
    pub fn decided(&self, view: &View) -> Option<Digest> {
        match self {
            Self::Confirm { link } => {
                Some(view.links.get(link)?.passphrases.waits.as_ref()?.mark.digest)
            }
            Self::Enter { .. } | Self::End { .. } => None,
        }
    }
}

impl Service {
    pub(super) fn passphrase_do(
        &mut self,
        actor: &Actor,
        act: PassphraseAct,
        secret: Secret,
    ) -> Result<Reply> {
        match act {
            PassphraseAct::Enter { link, channel } => {
                self.passphrase_enter(actor, &link, &channel, secret)
            }
            PassphraseAct::Confirm { link } => self.passphrase_confirm(actor, &link),
            PassphraseAct::End { link, reason } => self.passphrase_end(actor, &link, reason),
        }
    }

    fn passphrase_enter(
        &mut self,
        actor: &Actor,
        link: &str,
        channel: &str,
        secret: Secret,
    ) -> Result<Reply> {
        stated("the channel", channel)?;
        let rule = self.engine.rules.links.get(link).ok_or_else(|| no_link(link))?;
        if rule.key != KeyMode::StandingPassphrase {
            return Err(Error::usage(format!("'{link}' has 'key: {}'", rule.key))
                .hint("'batchward key submit' enters the key of one batch"));
        }
        let arrival = Arrival {
            link,
            number: STANDING_NUMBER,
            form: KeyForm::Passphrase,
            channel,
            keybox: false,
            signed: actor.signed.clone(),
        };
        match self.engine.take_key(actor.name(), &arrival, secret)? {
            Ran::Done(Outcome::KeyTaken { .. }) | Ran::Running => {}
            Ran::Done(_) => {
                return Err(Error::new(Exit::Data, "this is no passphrase")
                    .hint("one line of text on standard input"));
            }
            Ran::Failed(_, code) => {
                self.room()?;
                return Err(Error::new(
                    Exit::Failed,
                    format!("the passphrase could not be kept: {code}"),
                ));
            }
        }
        self.engine.drive()?;
        Ok(Reply::new(&link, "waits for a supervisor")
            .next(format!("a supervisor runs 'batchward key confirm {link}'")))
    }

    fn passphrase_confirm(&mut self, actor: &Actor, link: &str) -> Result<Reply> {
        let ledger = self.engine.view.links.get(link);
        let Some(waits) = ledger.and_then(|ledger| ledger.passphrases.waits.clone()) else {
            return Err(Error::usage(format!(
                "no passphrase of '{link}' waits for a second person"
            )));
        };
        if waits.by == actor.name() {
            return Err(second_person("confirm this passphrase"));
        }
        let body = PassphraseConfirmed {
            link: link.to_owned(),
            key: waits.what,
            signed: actor.decision()?,
        };
        self.record(actor, Body::PassphraseConfirmed(body))?;
        self.engine.passphrase_changed(link);
        self.engine.drive()?;
        Ok(Reply::new(&link, "the passphrase opens batches of this link from now on"))
    }

    fn passphrase_end(&mut self, actor: &Actor, link: &str, reason: String) -> Result<Reply> {
        stated("the reason", &reason)?;
        let ledger = self.engine.view.links.get(link);
        let has = ledger.is_some_and(|ledger| {
            ledger.passphrases.in_force.is_some() || ledger.passphrases.waits.is_some()
        });
        if !has {
            return Err(Error::usage(format!("'{link}' has no standing passphrase")));
        }
        let body = PassphraseEnded { link: link.to_owned(), reason, signed: actor.signed.clone() };
        self.record(actor, Body::PassphraseEnded(body))?;
        self.engine.passphrase_changed(link);
        self.engine.drive()?;
        Ok(Reply::new(&link, "the passphrase is over, and destroyed in the key store"))
    }
}
