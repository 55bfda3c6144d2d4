//! `query` and `match`: declare, then read. Only granted fields, only while the grant is open, up to its row cap;
//! the asking is committed before the first row, also when it is refused.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Actor, Caller, Result, Service, grants::is_open, stated};
use crate::{
    domain::{
        access::{Operation, Payload, Subject},
        accounts::Act,
        current_view,
        digest::Digest,
        entry::{self, AGENT, Body, Entry},
        ids::{BatchId, GrantId},
        lifecycle::{BatchState, CopyState},
        limits,
        manifest::Kind,
        time::Timestamp,
        view::{CopyKind, Grant},
    },
    engine::{
        access::list_parts,
        ports::{Flow, Log, VaultKey, VaultRead},
        slots,
    },
    error::{Error, Exit},
};

use super::Draft;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The grant.
    pub grant: GrantId,
    /// 查詢案號.
    pub case_no: String,
    /// 查詢事由.
    pub reason: String,
    /// One batch instead of the link's current view.
    pub batch: Option<BatchId>,
    /// What is looked for.
    pub wanted: Wanted,
    /// Where the rows go: `screen` or `pipe`.
    pub to: String,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wanted {
    /// Records for which all conditions hold.
    Where(BTreeMap<String, String>),
    /// Records of a list.
    List {
        /// Field.
        on: String,
        /// Values.
        values: Vec<String>,
    },
}

/// What was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Rows.
    pub rows: u64,
    /// Why it ended before its end.
    pub ended: Option<&'static str>,
}

/// Where rows go: the field names once, then each row.
pub trait Rows {
    /// The granted fields, in order; called once, after the asking is committed.
    ///
    /// # Errors
    /// The output is closed.
    fn begin(&mut self, fields: &[String]) -> std::io::Result<()>;
    /// One row.
    ///
    /// # Errors
    /// The output is closed.
    fn row(&mut self, values: &[String]) -> std::io::Result<()>;
}

impl Reading {
    const fn operation(&self) -> Operation {
        match self.wanted {
            Wanted::Where(_) => Operation::Query,
            Wanted::List { .. } => Operation::Match,
        }
    }

    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.operation() {
            Operation::Query => "query",
            Operation::Match => "match",
        }
    }

    /// Digest of all of it, which its signature names. A plain digest of conditions would let a reader of the register
    /// guess them: the signed text is checked and then dropped, it never enters a log.
    pub(super) fn digest(&self) -> Result<Digest> {
        let bytes = entry::canonical(self).map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
        Ok(Digest::of(&bytes))
    }

    fn fields(&self) -> Vec<&String> {
        match &self.wanted {
            Wanted::Where(conditions) => conditions.keys().collect(),
            Wanted::List { on, .. } => vec![on],
        }
    }

    fn subject(&self) -> Subject {
        match &self.wanted {
            Wanted::Where(conditions) => Subject::Where(conditions.clone()),
            Wanted::List { on, values } => Subject::List {
                on: on.clone(),
                list: digest_of(values),
                count: values.len() as u64,
            },
        }
    }
}

fn digest_of(values: &[String]) -> Digest {
    Digest::of(values.join("\n").as_bytes())
}

impl Service {
    /// What a person has to sign for a reading.
    ///
    /// # Errors
    /// There is no site.
    pub fn draft_reading(&self, reading: &Reading) -> Result<Draft> {
        Draft::of_reading(reading, self.origin()?)
    }

    fn reader(&mut self, caller: &Caller, reading: &Reading) -> Result<Actor> {
        let facts = match caller {
            Caller::User { uid } => {
                self.engine.view.account_of_uid(*uid).cloned().ok_or_else(|| {
                    Error::refused(format!("the user with number {uid} has no account here"))
                        .hint("sign the command: --as NAME --sign-with KEYFILE")
                })?
            }
            Caller::Signer { name, signed } => {
                let refused = |why: &str| {
                    Error::refused(format!("the signature of '{name}' does not count: {why}"))
                };
                let facts = self.engine.view.account(name).cloned().ok_or_else(|| {
                    Error::refused(format!("there is no active account '{name}'"))
                })?;
                let key =
                    facts.key.clone().ok_or_else(|| refused("the account has no signing key"))?;
                let draft = self.draft_reading(reading)?;
                let verified = self.checked(name, signed, &key, &draft)?;
                if self.engine.view.nonces.contains(verified.nonce()) {
                    return Err(refused("it has counted already"));
                }
                // The signed text holds a digest of the conditions, which could be guessed: only its nonce is kept.
                let nonce = verified.nonce().to_owned();
                self.engine.record(name, Body::NonceSpent { nonce })?;
                facts
            }
        };
        Ok(Actor { facts, signed: None })
    }

    /// Reads, row by row.
    ///
    /// # Errors
    /// Refused (which is logged too), or the log cannot be written: then no row was shown.
    pub fn read(
        &mut self,
        caller: &Caller,
        reading: &Reading,
        rows: &mut dyn Rows,
    ) -> Result<Served> {
        let done = self.read_rows(caller, reading, rows);
        self.engine.ports.journal.publish()?;
        done
    }

    fn read_rows(
        &mut self,
        caller: &Caller,
        reading: &Reading,
        rows: &mut dyn Rows,
    ) -> Result<Served> {
        let actor = match self.reader(caller, reading) {
            Err(error) if error.exit == Exit::Refused => {
                // Who it was is not proven: the register names nobody, and the conditions are not kept.
                self.refuse(AGENT, reading.word(), &reading.grant.to_string(), &error)?;
                return Err(error);
            }
            actor => actor?,
        };
        let link = self.grant(reading.grant)?.terms.link.clone();
        if let Err(error) = self.may_read(&actor, reading) {
            if error.exit == Exit::Refused {
                self.declare(&actor, &link, reading, Some(&error.what))?;
            }
            return Err(error);
        }
        let asked = self.declare(&actor, &link, reading, None)?;
        self.engine.ports.lease.pause();
        let served = self.serve(&actor, reading, &link, rows);
        self.engine.ports.lease.resume()?;
        self.engine.refresh()?;
        let (done, outcome) = match served {
            Ok(served) => (served.clone(), Ok(served)),
            Err((served, error)) => (served, Err(error)),
        };
        let ended = done.ended.map(str::to_owned);
        self.engine.log_access(&link, &[Payload::Served { asked, rows: done.rows, ended }])?;
        outcome
    }

    fn may_read(&self, actor: &Actor, reading: &Reading) -> Result<()> {
        stated("the case number", &reading.case_no)?;
        stated("the reason", &reading.reason)?;
        let grant = self.grant(reading.grant)?;
        if !Act::Use.allowed_to(&actor.facts.roles) {
            return Err(Error::refused(format!("'{}' may not '{}'", actor.name(), reading.word())));
        }
        if grant.terms.holder != actor.name() {
            return Err(Error::refused(format!("'{}' is not your grant", reading.grant)));
        }
        let now = self.engine.ports.clock.now();
        if !is_open(grant, actor.name(), now) {
            let state = if now > grant.terms.until {
                "expired".to_owned()
            } else {
                grant.state.to_string()
            };
            return Err(Error::refused(format!("'{}' is {state}", reading.grant))
                .hint("apply for a new grant: 'batchward grant apply'"));
        }
        let granted = self.still_granted(grant, now)?;
        if let Some(other) = reading.fields().into_iter().find(|f| !granted.contains(f)) {
            return Err(Error::refused(format!("the field '{other}' is not granted"))
                .hint(format!("granted: {}", granted.join(", "))));
        }
        if let Some(batch) = reading.batch {
            let row = self.row(batch)?;
            if row.link != grant.terms.link || row.state != BatchState::Loaded {
                return Err(Error::refused(format!(
                    "'{batch}' is not loaded under this grant's link"
                )));
            }
        }
        Ok(())
    }

    /// The fields of a grant that its link still allows. What tightened a link since the approval is in force at
    /// once: its status, its date, its units, its items.
    fn still_granted(&self, grant: &Grant, now: Timestamp) -> Result<Vec<String>> {
        let terms = &grant.terms;
        let link = self.link(&terms.link)?;
        if let Some(reason) = link.standing(now) {
            return Err(Error::refused(format!("nothing is read under '{}': {reason}", link.name)));
        }
        if let Some(unit) = terms.unit.as_ref().filter(|unit| !link.units.contains(unit)) {
            return Err(Error::refused(format!("'{unit}' is no longer among the link's units")));
        }
        let allowed = |field: &&String| link.items.contains(field);
        let fields: Vec<String> = terms.fields.iter().filter(allowed).cloned().collect();
        if fields.is_empty() {
            return Err(Error::refused("no granted field is left among the link's items"));
        }
        Ok(fields)
    }

    fn declare(
        &mut self,
        actor: &Actor,
        link: &str,
        reading: &Reading,
        refused: Option<&str>,
    ) -> Result<u64> {
        let mut payloads = Vec::new();
        if let Wanted::List { values, .. } = &reading.wanted {
            let list = digest_of(values);
            for (part, values) in (0..).zip(list_parts(values)) {
                payloads.push(Payload::List { list, part, values });
            }
        }
        let cut = |text: &str| text.chars().take(limits::TEXT_CHARS_MAX).collect();
        payloads.push(Payload::Asked {
            who: actor.name().to_owned(),
            at: self.engine.ports.clock.now(),
            operation: reading.operation(),
            subject: reading.subject(),
            case_no: cut(&reading.case_no),
            reason: cut(&reading.reason),
            grant: reading.grant,
            to: reading.to.clone(),
            refused: refused.map(str::to_owned),
        });
        Ok(self.engine.log_access(link, &payloads)?)
    }

    fn serve(
        &self,
        actor: &Actor,
        reading: &Reading,
        link: &str,
        rows: &mut dyn Rows,
    ) -> std::result::Result<Served, (Served, Error)> {
        let mut served = Served::default();
        let run = || -> Result<Prepared> {
            let grant = self.grant(reading.grant)?;
            let vaults = self.vaults(link, reading.batch)?;
            let link_row = self.link(link)?;
            let layout = self.engine.rules.layout_of(link_row);
            // A key that is not among the items is not stored, and then no record can replace another.
            let key = layout
                .and_then(|layout| layout.key())
                .map(|field| field.name.clone())
                .filter(|name| link_row.items.contains(name));
            Ok(Prepared {
                vaults,
                fields: self.still_granted(grant, self.engine.ports.clock.now())?,
                row_cap: grant.terms.row_cap,
                key,
            })
        };
        let Prepared { vaults, fields, row_cap, key } =
            run().map_err(|error| (served.clone(), error))?;
        let mut broken = rows.begin(&fields).err();
        let sets = sets_of(&reading.wanted);
        let read = VaultRead {
            vaults: &vaults,
            key: key.as_deref(),
            columns: &fields,
            sets: &sets,
            single: reading.batch.is_some(),
        };
        if broken.is_none() {
            let outcome = self.engine.ports.vaults.read(&read, &mut |values| {
                served.ended = self.stopped(actor, reading.grant, served.rows, row_cap);
                if served.ended.is_some() {
                    return Flow::Stop;
                }
                broken = rows.row(values).err();
                if broken.is_some() {
                    return Flow::Stop;
                }
                served.rows += 1;
                Flow::On
            });
            if let Err(error) = outcome {
                return Err((served, error.into()));
            }
        }
        match (broken, served.ended) {
            (Some(_), _) => Err((served, Error::new(Exit::Failed, "the output was closed"))),
            (None, Some("expired" | "revoked")) => {
                let error = Error::refused(format!("'{}' ended while it was read", reading.grant));
                Err((served, error))
            }
            (None, _) => Ok(served),
        }
    }

    /// Whether a reading must stop before its next row: its grant has ended, or its cap is reached.
    fn stopped(&self, actor: &Actor, grant: GrantId, rows: u64, cap: u64) -> Option<&'static str> {
        if rows >= cap {
            return Some("row-cap");
        }
        let now = self.engine.ports.clock.now();
        let row = self.engine.view.grants.get(&grant)?;
        let link = self.engine.rules.links.get(&row.terms.link);
        if now > row.terms.until || link.is_none_or(|link| link.standing(now).is_some()) {
            return Some("expired");
        }
        let revoked = !is_open(row, actor.name(), now)
            || self.taken_back(actor, grant, &format!("links/{}.yaml", row.terms.link));
        revoked.then_some("revoked")
    }

    /// Whether another process has meanwhile recorded the end of a grant, a change of its holder's account, or that
    /// its link became narrower: rows are read without the state's lock, so that taking back need not wait for them.
    fn taken_back(&self, actor: &Actor, id: GrantId, link: &str) -> bool {
        let known = self.engine.view.size;
        if self.engine.ports.journal.size(Log::Register).is_ok_and(|size| size == known) {
            return false;
        }
        let mut ended = false;
        let replayed = self.engine.ports.journal.replay(Log::Register, known, &mut |_, bytes| {
            ended |= match Entry::from_bytes(bytes).map(|entry| entry.body) {
                Ok(Body::GrantRevoked { grant, .. } | Body::UseCompleted { grant, .. }) => {
                    grant == id
                }
                Ok(Body::AccountDisabled { name, .. } | Body::AccountConfirmed { name, .. }) => {
                    name == actor.name()
                }
                Ok(Body::ConfigTightened { changes, .. }) => changes.iter().any(|c| c.file == link),
                Ok(_) => false,
                Err(_) => true,
            };
            Ok(())
        });
        ended || replayed.is_err()
    }

    /// The vaults that a reading sees, in the order of the current view.
    fn vaults(&self, link: &str, batch: Option<BatchId>) -> Result<Vec<VaultKey>> {
        let view = &self.engine.view;
        let now = self.engine.ports.clock.now();
        let usable = |id: BatchId| {
            view.batches.get(&id).is_some_and(|b| {
                b.state == BatchState::Loaded
                    && b.times.get("use-until").is_some_and(|end| now <= *end)
            })
        };
        let batches = match batch {
            Some(batch) => vec![batch],
            None => {
                let loaded: Vec<_> = view
                    .batches_of(link)
                    .filter(|(_, b)| b.ever_loaded())
                    .filter_map(|(id, b)| {
                        let manifest = b.manifest.as_ref()?;
                        Some(current_view::Candidate {
                            batch: id,
                            full: manifest.kind == Kind::Full,
                            as_of: manifest.as_of,
                            loaded_at: b.decide.map(|mark| mark.seq).unwrap_or_default(),
                            readable: usable(id),
                        })
                    })
                    .collect();
                current_view::order(&loaded).map_err(|gone| {
                    Error::refused(format!(
                        "the change file '{gone}' of this link can no longer be read"
                    ))
                    .hint("without it the current view would be wrong; ask one batch: --batch ID")
                })?
            }
        };
        let mut vaults = Vec::new();
        for batch in batches.into_iter().filter(|id| usable(*id)) {
            let copy = view
                .copies_of(batch)
                .find(|(_, c)| c.kind == CopyKind::Vault && c.state == CopyState::Kept)
                .map(|(id, _)| id);
            let Some(copy) = copy else { continue };
            if let Some(key) = self.engine.ports.keys.live(&slots::vault(copy))? {
                vaults.push(VaultKey { copy, key });
            }
        }
        Ok(vaults)
    }
}

/// What a reading needs before its first row.
struct Prepared {
    vaults: Vec<VaultKey>,
    fields: Vec<String>,
    row_cap: u64,
    key: Option<String>,
}

/// What the vaults are asked, one set of conditions after the other. A value that a list names twice is asked once:
/// it is one person.
fn sets_of(wanted: &Wanted) -> Vec<Vec<(String, String)>> {
    match wanted {
        Wanted::Where(map) => vec![map.iter().map(|(k, v)| (k.clone(), v.clone())).collect()],
        Wanted::List { on, values } => {
            let mut asked = BTreeSet::new();
            let once = values.iter().filter(|value| asked.insert(value.as_str()));
            once.map(|value| vec![(on.clone(), value.clone())]).collect()
        }
    }
}
