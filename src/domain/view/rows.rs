//! The rows of the view: facts as the register told them.
//!
//! It is over 500 lines because the rows of batches, copies and keys stand beside each other.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Held, Judged, OpenedRow, Receipted};
use crate::domain::{
    certificate::Assurance,
    digest::Digest,
    entry::{
        AccountFacts, ConfigChange, CopyFacts, Counts, Failure, KeyForm, LinkFacts, LoadFacts,
        ManifestFacts,
    },
    findings::Findings,
    ids::{BatchId, CopyId, DeliveryId, KeyId, OrderId},
    intake::Gate,
    inventory::HeldKind,
    lifecycle::{BatchState, CopyState},
    limits,
    person::Persona,
    reason::Reason,
    time::Timestamp,
};

/// An entry that can be decided on: where it stands, and its hash, which the decision names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its place.
    pub seq: u64,
    /// Its leaf hash.
    pub digest: Digest,
    /// Its time.
    pub at: Timestamp,
}

/// The site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Site {
    /// Name.
    pub name: String,
    /// Verifier key of the register.
    pub vkey: String,
    /// Register key in OpenSSH form.
    pub ssh_key: String,
    /// Standing age recipient.
    pub recipient: String,
}

/// Something an account proposed and a second person has not confirmed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proposal<T> {
    /// Its entry.
    pub mark: Mark,
    /// Who proposed.
    pub by: String,
    /// What.
    pub what: T,
}

/// The proposed configuration.
pub type ConfigProposal = Proposal<(Digest, Vec<ConfigChange>)>;

/// An account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Account {
    /// What is in force; nothing before the first confirmation.
    pub facts: Option<AccountFacts>,
    /// Whether it was disabled.
    pub disabled: bool,
    /// What waits for a second person.
    pub proposal: Option<Proposal<AccountFacts>>,
    /// Another name, title or unit that waits for one; never beside a proposal.
    pub edit: Option<Proposal<Persona>>,
}

impl Account {
    /// Of somebody who founds the site: in force without a second person.
    pub(super) const fn founder(facts: AccountFacts) -> Self {
        Self { facts: Some(facts), disabled: false, proposal: None, edit: None }
    }

    /// Nothing waits for a second person any more.
    pub(super) fn settle(&mut self) {
        self.proposal = None;
        self.edit = None;
    }

    /// Where what waits for a second person stands, and who asked for it.
    #[must_use]
    pub fn waits(&self) -> Option<(&str, Mark)> {
        let asked = self.proposal.as_ref().map(|asked| (asked.by.as_str(), asked.mark));
        asked.or_else(|| self.edit.as_ref().map(|asked| (asked.by.as_str(), asked.mark)))
    }

    /// The facts, if the account may act.
    #[must_use]
    pub fn active(&self) -> Option<&AccountFacts> {
        self.facts.as_ref().filter(|_| !self.disabled)
    }
}

/// A witness.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Witness {
    /// Its verifier key; nothing before the first confirmation.
    pub vkey: Option<String>,
    /// What waits for a second person.
    pub proposal: Option<Proposal<String>>,
    /// The last cosignature that came.
    pub last: Option<Cosigned>,
}

/// A cosignature.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cosigned {
    /// Entries that it covers.
    pub size: u64,
    /// When it was made, by the witness's clock; never later than when it came.
    pub at: Timestamp,
    /// The line of the note.
    pub line: String,
}

/// A delivery that was seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// The link.
    pub link: String,
    /// HMAC of its name.
    pub name_mac: Digest,
    /// Since when.
    pub since: Timestamp,
}

/// The last step of a batch that did not succeed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trouble {
    /// What to do about it.
    pub failure: Failure,
    /// The code.
    pub code: String,
    /// How often in a row.
    pub times: u32,
    /// When last.
    pub at: Timestamp,
}

impl Trouble {
    /// A first failure.
    pub(super) fn first(failure: Failure, code: &str, at: Timestamp) -> Self {
        Self { failure, code: code.to_owned(), times: 1, at }
    }

    /// Whether only a person goes on. A full disk is told each time, and needs nothing but room: no person has to
    /// retry what it stopped.
    #[must_use]
    pub fn is_for_a_person(&self) -> bool {
        self.failure == Failure::Stuck
            || (self.times >= limits::RETRIES_MAX && self.code != limits::DISK_FULL)
    }
}

/// A clock that ran out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameDue {
    /// The clock.
    pub clock: String,
    /// The policy's clause.
    pub clause: String,
    /// When destruction must have happened.
    pub deadline: Timestamp,
    /// Whether the whole batch is due, or its transfer files only.
    pub whole: bool,
}

/// A batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Batch {
    /// The link.
    pub link: String,
    /// The delivery that it was.
    pub delivery: DeliveryId,
    /// What the link said.
    pub facts: Arc<LinkFacts>,
    /// State.
    pub state: BatchState,
    /// Why it is where it is.
    pub reason: Option<Reason>,
    /// Why it was claimed although it was not complete, or refused before it was copied.
    pub claimed_because: Option<Reason>,
    /// Provider's number.
    pub number: Option<String>,
    /// What the verified manifest said.
    pub manifest: Option<ManifestFacts>,
    /// How sure its origin is.
    pub strength: Option<Arc<str>>,
    /// Principal of its signer.
    pub signer: Option<Arc<str>>,
    /// Its files.
    pub files: Vec<CopyFacts>,
    /// Counts so far.
    pub counts: Counts,
    /// What its load came to.
    pub load: Option<Box<Loaded>>,
    /// Whether everything of the delivery that holds data was copied.
    pub whole: bool,
    /// Whether its originals are gone from the inbox.
    pub cleared: bool,
    /// Keys that opened nothing.
    pub wrong_keys: u32,
    /// The standing passphrase that opened nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_wrong: Option<KeyId>,
    /// Whether a person rejected it.
    pub rejected: bool,
    /// Whether no need to keep was stated.
    pub no_need: Option<Timestamp>,
    /// When what was needed of it was printed and filed with its case.
    pub filed: Option<Timestamp>,
    /// Deadline and clock, once its transfer files or the whole are due.
    pub due: Option<(Timestamp, bool)>,
    /// What came due, and why.
    pub came_due: Vec<CameDue>,
    /// Clocks that have run.
    pub clocks: Vec<String>,
    /// The order that condemned it.
    pub order: Option<OrderId>,
    /// The entry that quarantined it, loaded it.
    pub decide: Option<Mark>,
    /// The last failure of a step.
    pub trouble: Option<Trouble>,
    /// What came of its judgement last, for whoever sent it.
    pub judged: Option<Judged>,
    /// The last receipt.
    pub receipt: Option<Receipted>,
    /// The last failure to make or leave one.
    pub receipt_trouble: Option<Trouble>,
    /// When each state was reached, and other times, by name.
    pub times: Times,
    /// Its rows in the printed register, one for each unit that uses it.
    pub rows: Vec<OpenedRow>,
    /// The newest key that came for its number, once it is closed; until then the index has it.
    pub(super) key: Option<KeyId>,
    /// The key that opened it, where the entry said which: one that came later and was refused is not it.
    #[serde(default)]
    pub(super) opened_by: Option<KeyId>,
    /// Its copies, oldest first.
    pub(super) copies: Vec<CopyId>,
    /// The orders that were ever requested over any of them, oldest first.
    pub(super) orders: Vec<OrderId>,
}

/// What a load came to, beside its counts and the end of its use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loaded {
    /// HMAC of the whole plaintext under the link's key.
    pub content: Digest,
    /// Columns stored.
    pub items: Arc<Vec<String>>,
    /// Units that may apply.
    pub units: Arc<Vec<String>>,
    /// What was counted and reported, as JSON.
    pub(super) findings: Arc<str>,
    /// What has to be done before anybody reads it.
    pub gate: Option<Box<Gate>>,
}

impl Loaded {
    /// What was counted and reported.
    #[must_use]
    pub fn findings(&self) -> Findings {
        // The text was made of findings, by this program.
        serde_json::from_str(&self.findings).unwrap_or_default()
    }
}

/// Points in time by name: few of them, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times(Vec<(&'static str, Timestamp)>);

impl Times {
    /// The time of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Timestamp> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, at)| at)
    }

    /// Sets the time of this name.
    pub fn insert(&mut self, name: &'static str, at: Timestamp) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = at,
            None => {
                self.0.reserve_exact(1);
                self.0.push((name, at));
            }
        }
    }

    /// All of them, by name.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<String, Timestamp> {
        self.0.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect()
    }
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let other = ["claimed", "use-until"];
        let states = BatchState::ALL.iter().map(|state| state.word());
        let names: Vec<&'static str> = states.chain(other).collect();
        let known = |(name, at): (String, Timestamp)| {
            let name = names.iter().find(|known| **known == name)?;
            Some((*name, at))
        };
        let times: Vec<(String, Timestamp)> = Deserialize::deserialize(deserializer)?;
        let times: Option<Vec<_>> = times.into_iter().map(known).collect();
        times.map(Self).ok_or_else(|| serde::de::Error::custom("expected the name of a time"))
    }
}

impl Batch {
    /// A batch at its birth, the end of a claim.
    pub(super) fn born(
        mark: Mark,
        link: String,
        delivery: DeliveryId,
        facts: Arc<LinkFacts>,
        claimed_because: Option<Reason>,
        files: &[CopyFacts],
    ) -> Self {
        Self {
            link,
            delivery,
            facts,
            state: BatchState::Received,
            reason: None,
            claimed_because,
            number: None,
            manifest: None,
            strength: None,
            signer: None,
            files: files.to_vec(),
            counts: Counts::default(),
            load: None,
            whole: true,
            cleared: false,
            wrong_keys: 0,
            standing_wrong: None,
            rejected: false,
            no_need: None,
            filed: None,
            due: None,
            came_due: Vec::new(),
            clocks: Vec::new(),
            order: None,
            decide: None,
            trouble: None,
            judged: None,
            receipt: None,
            receipt_trouble: None,
            times: Times(vec![
                (BatchState::Received.word(), mark.at),
                // Stays when a release makes it received again: signers are judged by this time.
                ("claimed", mark.at),
            ]),
            rows: Vec::new(),
            key: None,
            opened_by: None,
            copies: Vec::new(),
            orders: Vec::new(),
        }
    }

    /// Whether its content was ever committed to a vault.
    #[must_use]
    pub const fn ever_loaded(&self) -> bool {
        self.load.is_some()
    }

    /// Whether what it is due for covers a copy: everything, or only what transferred it (transfer files; once it is
    /// filed on paper, the media that it came on or was written to as well, TPH-5.7).
    #[must_use]
    pub fn due_covers(&self, whole: bool, kind: CopyKind) -> bool {
        let media = matches!(kind, CopyKind::Held(HeldKind::Carrier | HeldKind::Media));
        whole || kind == CopyKind::Transfer || (media && self.filed.is_some())
    }

    /// Whether a key for it still has a use.
    #[must_use]
    pub const fn wants_key(&self) -> bool {
        !self.rejected
            && matches!(
                self.state,
                BatchState::Received | BatchState::Verified | BatchState::Quarantined
            )
    }
}

/// What a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CopyKind {
    /// A file as delivered, in the spool.
    Transfer,
    /// The loaded data.
    Vault,
    /// The batch's record in the erasable store.
    Case,
    /// A copy that people keep.
    Held(HeldKind),
}

impl CopyKind {
    /// The word as it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Vault => "vault",
            Self::Case => "case",
            Self::Held(kind) => kind.word(),
        }
    }

    /// Whether people keep it, and the agent can neither see nor wipe it.
    #[must_use]
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Held(_))
    }
}

/// A copy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CopyRow {
    /// Its batch.
    pub batch: BatchId,
    /// What it is.
    pub kind: CopyKind,
    /// State.
    pub state: CopyState,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, where known.
    pub sha256: Option<Digest>,
    /// What its wipe proved.
    pub assurance: Option<Assurance>,
    /// When it was gone.
    pub gone: Option<Timestamp>,
    /// Whether its wipe was ever begun.
    pub wipe_begun: bool,
    /// The last failure of its wipe.
    pub trouble: Option<Trouble>,
    /// How often its wipe failed.
    pub failures: u32,
    /// Who answers for it and by when, while nobody can reach it.
    pub exception: Option<(String, Timestamp)>,
    /// What is known of one that people keep.
    pub held: Option<Box<Held>>,
    /// The document by which it lies in plain in a database.
    pub plain: Option<Box<str>>,
    /// Whether it lies in a database.
    pub in_database: bool,
}

impl CopyRow {
    /// What a load says of the vault that it made.
    pub(super) fn lies(&mut self, facts: &LoadFacts) {
        (self.bytes, self.sha256) = (facts.vault.bytes, facts.vault.sha256);
        self.plain = facts.plain.as_deref().map(Into::into);
        self.in_database = facts.place.is_some();
    }

    /// Whether it was never made: somebody asked for it, and it was denied or withdrawn, or is not there yet.
    #[must_use]
    pub fn is_unmade(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.facts.is_none())
    }

    /// Where it stands, in a word for people.
    #[must_use]
    pub fn stands(&self) -> &'static str {
        let never = self.is_unmade() && self.state == CopyState::Destroyed;
        if never { "never made" } else { self.state.word() }
    }
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyState {
    /// Being taken.
    Planned,
    /// In its slot.
    Live,
    /// It opened nothing; its slot is to be destroyed.
    Wrong,
    /// Its slot is destroyed, or it was never kept.
    Gone,
}

/// A key that came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyRow {
    /// The link.
    pub link: Arc<str>,
    /// The number that it was sent for.
    pub number: Box<str>,
    /// State.
    pub state: KeyState,
    /// Form.
    pub form: KeyForm,
    /// Fingerprint of an identity.
    pub fingerprint: Option<Digest>,
    /// Channel.
    pub channel: Arc<str>,
    /// By whom.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
}

/// Numbers given so far.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Next {
    pub(super) batch: u64,
    pub(super) copy: u64,
    pub(super) delivery: u64,
    pub(super) key: u64,
}
