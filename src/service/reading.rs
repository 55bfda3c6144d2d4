//! `query` and `match`: declare, then read. Only granted fields, only while the grant is open, up to its row cap;
//! the asking is committed before the first row, also when it is refused.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Actor, Caller, Result, Service, grants::is_open, not_permitted, stated};
use crate::{
    domain::{
        current_view::{self, Broken, Standing, Standing::Readable},
        entry::{Body, Entry},
        ids::BatchId,
        lifecycle::{BatchState, CopyState},
        manifest::Kind,
        time::Timestamp,
        view::{Appointment, Batch, CopyKind, Grant, Row},
    },
    engine::{
        ports::{Log, VaultKey},
        slots,
    },
    error::{Error, Exit},
};

use super::Draft;
use super::serving::{Asking, Deadline, Declared, Shown, Source, Terms, VaultSource};
pub use super::{
    asking::{Reading, Wanted},
    serving::{Rows, Served},
};

impl Service {
    /// What a person has to sign for a reading.
    ///
    /// # Errors
    /// There is no site.
    pub fn draft_reading(&self, reading: &Reading) -> Result<Draft> {
        Draft::of_reading(reading, self.origin()?)
    }

    /// Who reads. The signature under a reading is checked, and of its text only the nonce is kept.
    pub(super) fn reader(&mut self, caller: &Caller, draft: &Draft) -> Result<Actor> {
        if let Caller::Signer { name, .. } = caller {
            self.is_there(name)?;
        }
        let facts = match caller {
            Caller::User { uid } => {
                let facts = self.engine.view.account_of_uid(*uid).cloned().ok_or_else(|| {
                    Error::refused(format!("the user with number {uid} has no account here"))
                        .hint("sign the command: --as NAME --sign-with KEYFILE")
                })?;
                self.is_there(&facts.name)?;
                facts
            }
            Caller::Signer { name, signed, uid } => {
                let refused = |why: &str| {
                    Error::refused(format!("the signature of '{name}' does not count: {why}"))
                };
                let facts = self.engine.view.account(name).cloned().ok_or_else(|| {
                    Error::refused(format!("there is no active account '{name}'"))
                })?;
                let key =
                    facts.key.clone().ok_or_else(|| refused("the account has no signing key"))?;
                let verified = self.checked(name, signed, &key, draft)?;
                if self.engine.view.nonces.contains(verified.nonce()) {
                    return Err(refused("it has counted already"));
                }
                // The signed text holds a digest of the conditions, which could be guessed: only its nonce is kept.
                let nonce = verified.nonce().to_owned();
                self.engine.seat = uid.map(|uid| (name.clone(), uid));
                let spent = self.engine.record(name, Body::NonceSpent { nonce });
                self.engine.seat = None;
                spent?;
                facts
            }
        };
        Ok(Actor { facts, signed: None, deputy: None })
    }

    /// Reads, row by row, on this thread. Another process may take the state's lock meanwhile, to revoke or to hold.
    ///
    /// # Errors
    /// Refused (which is logged too), or the log cannot be written: then no row was shown.
    pub fn read(
        &mut self,
        caller: &Caller,
        reading: &Reading,
        rows: &mut dyn Rows,
    ) -> Result<Served> {
        let declared = self.declare(caller, reading)?;
        self.run_declared(declared, rows)
    }

    pub(super) fn run_declared(
        &mut self,
        declared: Declared,
        rows: &mut dyn Rows,
    ) -> Result<Served> {
        self.engine.ports.lease.pause();
        let shown = declared.run(rows, &mut |taken_back| self.taken_back(taken_back));
        self.engine.ports.lease.resume()?;
        self.engine.refresh()?;
        self.shown(shown)
    }

    /// Commits the asking of a reading. What comes back needs nothing of the register and may run on any thread; it
    /// ends with [`Service::shown`].
    ///
    /// # Errors
    /// Refused (which is logged too), or the log cannot be written.
    pub fn declare(&mut self, caller: &Caller, reading: &Reading) -> Result<Declared> {
        let done = self.declared(caller, reading);
        self.engine.ports.journal.publish()?;
        done
    }

    fn declared(&mut self, caller: &Caller, reading: &Reading) -> Result<Declared> {
        let draft = self.draft_reading(reading)?;
        self.engine.rights_due()?;
        let actor = match self.reader(caller, &draft) {
            Err(error) if error.exit == Exit::Refused => {
                // The conditions are not kept.
                self.refuse_unknown(caller, reading.word(), &reading.grant.to_string(), &error)?;
                return Err(error);
            }
            actor => actor?,
        };
        if let Err(error) = reading.is_bounded() {
            // It would not fit an entry of the access log: the register says that it was asked for, without it.
            self.refuse(actor.name(), reading.word(), &reading.grant.to_string(), &error, None)?;
            return Err(error);
        }
        let link = self.grant(reading.grant)?.terms.link.clone();
        let act = reading.act();
        let actor = self.standing_in(actor, act, act.roles(), std::slice::from_ref(&link));
        if let Err(error) = self.may_read(&actor, reading) {
            self.log_asking(&actor, &link, reading, Some(&error.what))?;
            return Err(error);
        }
        let asked = self.log_asking(&actor, &link, reading, None)?;
        self.was_used(&actor)?;
        match self.prepare(&actor, reading, &link, asked) {
            Ok(declared) => Ok(declared),
            Err(error) => {
                self.log_shown(&Asking::new(link, asked), &Served::default())?;
                Err(error)
            }
        }
    }

    /// Logs what was shown.
    ///
    /// # Errors
    /// The grant ended while it was read, the output was closed, or the log cannot be written.
    pub fn shown(&mut self, shown: Shown) -> Result<Served> {
        let Shown { asked, served, error, .. } = shown;
        for asking in &asked {
            self.log_shown(asking, &served)?;
        }
        self.engine.ports.journal.publish()?;
        error.map_or(Ok(served), Err)
    }

    fn may_read(&self, actor: &Actor, reading: &Reading) -> Result<()> {
        stated("the case number", &reading.case_no)?;
        stated("the reason", &reading.reason)?;
        let grant = self.grant(reading.grant)?;
        let act = reading.act();
        if !act.allowed_to(&actor.facts.roles) {
            return Err(not_permitted(actor, reading.word(), act));
        }
        if grant.terms.holder != actor.name() {
            return Err(Error::refused(format!("'{}' is not your grant", reading.grant)));
        }
        let now = self.engine.ports.clock.now();
        if !is_open(&grant, actor.name(), now) {
            let state = if now > grant.terms.until {
                "expired".to_owned()
            } else {
                grant.state.to_string()
            };
            return Err(Error::refused(format!("'{}' is {state}", reading.grant))
                .hint("apply for a new grant: 'batchward grant apply'"));
        }
        match (&reading.wanted, grant.terms.service) {
            (Wanted::Is(_), Some(_)) => {
                self.is_paid(reading.grant)?;
                self.can_say_no(&grant)?;
            }
            (Wanted::Where(_) | Wanted::List { .. }, None) => {}
            // Also where an account became another kind than it was when the grant was applied for.
            _ => {
                return Err(Error::refused(
                    "a grant of a service is for yes or no, and no other is",
                ));
            }
        }
        self.under_agreement(actor)?;
        self.managed(&grant.terms.link, false)?;
        self.is_in_inventory(actor, reading, &grant.terms)?;
        let granted = self.still_granted(&grant, now)?;
        if let Some(other) = reading.fields().into_iter().find(|f| !granted.contains(f)) {
            return Err(Error::refused(format!("the field '{other}' is not granted"))
                .hint(format!("granted: {}", granted.join(", "))));
        }
        if reading.batch.is_none() {
            self.any_readable(&grant.terms.link)?;
        }
        if let Some(batch) = reading.batch {
            let row = self.row(batch)?;
            if row.link != grant.terms.link || row.state != BatchState::Loaded {
                return Err(Error::refused(format!(
                    "'{batch}' is not loaded under this grant's link"
                )));
            }
            self.is_readable(batch)?;
            if self.engine.view.is_over_for(batch, grant.terms.unit.as_deref()) {
                return Err(Error::refused(format!(
                    "your unit has completed its use of '{batch}'"
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

    fn prepare(
        &mut self,
        actor: &Actor,
        reading: &Reading,
        link: &str,
        asked: u64,
    ) -> Result<Declared> {
        let now = self.engine.ports.clock.now();
        let grant = self.grant(reading.grant)?;
        let (row_cap, until) = (grant.terms.row_cap, grant.terms.until);
        let mut fields = self.still_granted(&grant, now)?;
        let (mut row_cap, unit) = (row_cap, grant.terms.unit.clone());
        if matches!(reading.wanted, Wanted::Is(_)) {
            // One is enough for a yes, and of it nothing but what was asked leaves the store.
            fields.retain(|field| reading.fields().contains(&field));
            row_cap = 1;
        }
        let (vaults, batches_until) = self.vaults(link, reading.batch, unit.as_deref())?;
        let copies = &self.engine.view.copies;
        let read = vaults.iter().filter_map(|vault| Some(copies.get(&vault.copy)?.batch)).collect();
        let link_row = self.link(link)?;
        let layout = self.engine.rules.layout_of(link_row);
        // A key that is not among the items is not stored, and then no record can replace another.
        let key = layout
            .and_then(|layout| layout.key())
            .map(|field| field.name.clone())
            .filter(|name| link_row.items.contains(name));
        let until = until.min(link_row.approved_until).min(batches_until.unwrap_or(until));
        // Who reads for somebody else reads to the last moment of that.
        let stands = actor.deputy.and_then(|id| self.engine.view.people.appointments.get(&id));
        let until = until.min(stands.and_then(Appointment::ends).unwrap_or(until));
        let terms = Terms {
            grant: Some(reading.grant),
            holder: actor.name().to_owned(),
            link_file: Some(format!("links/{link}.yaml")),
            log_of: None,
            read_for: unit.map(|unit| (unit, read)),
            until,
            row_cap,
        };
        let source = Source::Vaults(VaultSource {
            vaults,
            fields,
            key,
            sets: sets_of(&reading.wanted),
            single: reading.batch.is_some(),
            port: Arc::clone(&self.engine.ports.vaults),
        });
        Ok(self.declared_as(vec![Asking::new(link.to_owned(), asked)], terms, source))
    }

    /// A reading whose asking is committed, watched for what takes it back.
    pub(super) fn declared_as(
        &mut self,
        asked: Vec<Asking>,
        terms: Terms,
        mut source: Source,
    ) -> Declared {
        let taken_back = Arc::new(AtomicBool::new(false));
        if let Source::Log(log) = &mut source {
            log.over = Arc::clone(&taken_back);
        }
        let (watched, of) = (Arc::downgrade(&taken_back), terms.clone());
        self.engine.observers.push(Box::new(move |_, entry| {
            let Some(flag) = watched.upgrade() else { return false };
            if of.are_taken_back_by(&entry.body) {
                flag.store(true, Ordering::SeqCst);
            }
            true
        }));
        let clock = Arc::clone(&self.engine.ports.clock);
        let deadline = Deadline::of(terms.until, &*clock);
        Declared { asked, terms, deadline, taken_back, clock, source }
    }

    /// Whether another process has meanwhile recorded what takes a reading back: rows are read without the state's
    /// lock, so that taking back need not wait for them.
    fn taken_back(&self, terms: &Terms) -> bool {
        let known = self.engine.view.size;
        if self.engine.ports.journal.size(Log::Register).is_ok_and(|size| size == known) {
            return false;
        }
        let mut ended = false;
        let replayed = self.engine.ports.journal.replay(Log::Register, known, &mut |_, bytes| {
            let entry = Entry::from_bytes(bytes);
            ended |= entry.map_or(true, |entry| terms.are_taken_back_by(&entry.body));
            Ok(())
        });
        ended || replayed.is_err()
    }

    /// The vaults that a reading sees, in the order of the current view, and when the use of the first of them ends.
    pub(super) fn vaults(
        &self,
        link: &str,
        batch: Option<BatchId>,
        unit: Option<&str>,
    ) -> Result<(Vec<VaultKey>, Option<Timestamp>)> {
        let view = &self.engine.view;
        let usable = |id: BatchId| {
            view.batches.get(&id).is_some_and(|row| self.standing_for(unit, id, &row) == Readable)
        };
        let batches = match batch {
            Some(batch) => vec![batch],
            None => self.current_view(link, unit)?,
        };
        let mut vaults = Vec::new();
        let mut until: Option<Timestamp> = None;
        for batch in batches.into_iter().filter(|id| usable(*id)) {
            let copy = view
                .copies_of(batch)
                .find(|(_, c)| c.kind == CopyKind::Vault && c.state == CopyState::Kept)
                .map(|(id, _)| id);
            let Some(copy) = copy else { continue };
            if let Some(key) = self.engine.ports.keys.live(&slots::vault(copy))? {
                vaults.push(VaultKey { copy, key });
                let row = view.batches.get(&batch);
                let end = row.and_then(|row| row.times.get("use-until").copied());
                until = [until, end].into_iter().flatten().min();
            }
        }
        Ok((vaults, until))
    }

    /// How a batch that was loaded stands for who reads for a unit.
    fn standing_for(&self, unit: Option<&str>, id: BatchId, row: &Batch) -> Standing {
        let view = &self.engine.view;
        let now = self.engine.ports.clock.now();
        let in_use = row.state == BatchState::Loaded
            && row.times.get("use-until").is_some_and(|end| now <= *end);
        if view.shut(id, row).is_some() {
            Standing::Shut
        } else if !in_use {
            Standing::Gone
        } else if view.is_over_for(id, unit) {
            Standing::Over
        } else {
            Readable
        }
    }

    /// The batches of the current view of a link, oldest first.
    pub(super) fn current_view(&self, link: &str, unit: Option<&str>) -> Result<Vec<BatchId>> {
        let candidate = |(id, row): (BatchId, Row<'_, Batch>)| {
            let manifest = row.manifest.as_ref()?;
            Some(current_view::Candidate {
                batch: id,
                full: manifest.kind == Kind::Full,
                as_of: manifest.as_of,
                loaded_at: row.decide.map(|mark| mark.seq).unwrap_or_default(),
                standing: self.standing_for(unit, id, &row),
            })
        };
        let loaded: Vec<_> = self.engine.view.candidates_of(link).filter_map(candidate).collect();
        current_view::order(&loaded).map_err(|broken| match broken {
            Broken::Gone(gone) => Error::refused(format!(
                "the change file '{gone}' of this link can no longer be read"
            ))
            .hint("without it the current view would be wrong; ask one batch: --batch ID"),
            Broken::Shut(shut) => match self.loaded_row(shut).and_then(|()| self.is_readable(shut))
            {
                Err(why) => Error { exit: Exit::Refused, ..why },
                Ok(()) => Error::refused(format!("'{shut}' is not provided yet")),
            },
            Broken::Over(over) => {
                Error::refused(format!("your unit has completed its use of '{over}'"))
                    .hint("without it the current view would be wrong; ask one batch: --batch ID")
            }
        })
    }
}

/// What the vaults are asked, one set of conditions after the other. A value that a list names twice is asked once:
/// it is one person.
fn sets_of(wanted: &Wanted) -> Vec<Vec<(String, String)>> {
    match wanted {
        Wanted::Where(map) | Wanted::Is(map) => {
            vec![map.iter().map(|(k, v)| (k.clone(), v.clone())).collect()]
        }
        Wanted::List { on, values } => {
            let mut asked = BTreeSet::new();
            let once = values.iter().filter(|value| asked.insert(value.as_str()));
            once.map(|value| vec![(on.clone(), value.clone())]).collect()
        }
    }
}
