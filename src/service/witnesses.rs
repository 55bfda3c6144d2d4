//! Witnesses: who they are, what they are asked, what came from them, and the two people who acknowledge that nothing came.
//!
//! A witness is in force once a second person has confirmed its key, like an account. A cosignature speaks for itself:
//! it is checked against this register and the witness's key, and then it is an entry, whoever brought it.

use super::{
    Actor, Reply, Result, Service,
    administration::second_person,
    clean,
    query::{RequestText, WitnessLine},
    stated,
};
use crate::{
    domain::{
        calendar,
        checkpoint::{Checkpoint, VerifierKey},
        cosignature::CosignerKey,
        entry::Body,
        limits,
        proof::Growth,
        time::Timestamp,
    },
    engine::ports::Log,
    error::{Error, Exit},
};

impl Service {
    pub(super) fn witness_add(&mut self, actor: &Actor, name: &str, vkey: &str) -> Result<Reply> {
        clean(name)?;
        let key = CosignerKey::parse(vkey).map_err(|_| {
            Error::usage("this is no verifier key of a witness")
                .hint("'batchward witness new' prints it; it has the form name+hash+key")
        })?;
        if key.name() != name {
            return Err(Error::usage(format!("this is the key of '{}'", key.name()))
                .hint("a witness is called as its key is"));
        }
        self.own_key(&key)?;
        let vkey = key.to_string();
        let body =
            Body::WitnessProposed { name: name.to_owned(), vkey, signed: actor.signed.clone() };
        self.record(actor, body)?;
        Ok(Reply::new(&name, format!("'{name}' waits for a second person"))
            .next(format!("another admin or a supervisor runs 'batchward witness confirm {name}'")))
    }

    /// One key is one witness, and the register's own key is none: it would vouch for itself.
    fn own_key(&self, key: &CosignerKey) -> Result<()> {
        let view = &self.engine.view;
        let own = view.site.as_ref().and_then(|site| VerifierKey::parse(&site.vkey).ok());
        if own.is_some_and(|own| own.bytes() == key.bytes()) {
            return Err(Error::refused("this is the register's own key"));
        }
        for (name, row) in view.witnesses.iter().filter(|(name, _)| *name != key.name()) {
            let known = row.vkey.iter().chain(row.proposal.as_ref().map(|p| &p.what));
            let same =
                |vkey: &String| CosignerKey::parse(vkey).is_ok_and(|k| k.bytes() == key.bytes());
            if known.into_iter().any(same) {
                return Err(Error::refused(format!("this key is that of the witness '{name}'")));
            }
        }
        Ok(())
    }

    pub(super) fn witness_confirm(&mut self, actor: &Actor, name: &str) -> Result<Reply> {
        let row = self.engine.view.witnesses.get(name);
        let proposal = row.and_then(|row| row.proposal.clone()).ok_or_else(|| {
            Error::usage(format!("no witness '{name}' waits for a second person"))
                .hint("'batchward witness list' shows them")
        })?;
        if proposal.by == actor.name() {
            return Err(second_person("confirm this witness"));
        }
        let key = CosignerKey::parse(&proposal.what)
            .map_err(|fault| Error::new(Exit::Data, fault.to_string()))?;
        self.own_key(&key)?;
        let body = Body::WitnessConfirmed {
            name: name.to_owned(),
            proposal: proposal.mark.seq,
            signed: actor.decision()?,
        };
        self.record(actor, body)?;
        Ok(Reply::new(&name, format!("'{name}' is in force"))
            .next(format!("'batchward witness request {name}' makes what it is to cosign")))
    }

    pub(super) fn witness_take(&mut self, actor: &Actor, note: &str) -> Result<Reply> {
        let checkpoint = self.own_checkpoint(note)?;
        let now = self.engine.ports.clock.now();
        let mut taken = Vec::new();
        let known: Vec<(String, String)> = self
            .engine
            .view
            .witnesses
            .iter()
            .filter_map(|(name, row)| Some((name.clone(), row.vkey.clone()?)))
            .collect();
        for (name, vkey) in known {
            let Ok(key) = CosignerKey::parse(&vkey) else { continue };
            let Ok((seconds, line)) = key.find(note) else { continue };
            let cosigned_at = made_at(seconds, now)?;
            if !self.is_news(&name, checkpoint.size, cosigned_at)? {
                continue;
            }
            let body = Body::CheckpointCosigned {
                witness: name.clone(),
                size: checkpoint.size,
                root: checkpoint.root,
                cosigned_at,
                line,
                // A signature counts once: of several cosignatures the first carries it.
                signed: actor.signed.clone().filter(|_| taken.is_empty()),
            };
            self.record(actor, body)?;
            taken.push(name);
        }
        if taken.is_empty() {
            return Err(Error::new(
                Exit::Data,
                "the file holds no new cosignature of a witness in force",
            )
            .hint("'batchward witness list' shows the witnesses and what each cosigned last"));
        }
        let (size, names) = (checkpoint.size, taken.join(", "));
        Ok(Reply::new(&names, format!("{size} entries are cosigned by {names}")))
    }

    /// The checkpoint of a note, if it is one of this register.
    fn own_checkpoint(&self, note: &str) -> Result<Checkpoint> {
        let site = self.engine.view.site.as_ref();
        let key = site.and_then(|site| VerifierKey::parse(&site.vkey).ok());
        let key = key.ok_or_else(|| Error::new(Exit::Data, "the register key cannot be read"))?;
        let checkpoint = key.open(note).map_err(|fault| {
            Error::new(Exit::Data, fault.to_string())
                .hint("the file is what 'batchward witness cosign' wrote, whole")
        })?;
        let ours = checkpoint.size <= self.engine.view.size
            && self.engine.ports.journal.root_at(Log::Register, checkpoint.size)?
                == checkpoint.root;
        if ours {
            return Ok(checkpoint);
        }
        Err(Error::new(
            Exit::Data,
            format!("the checkpoint of {} entries is not of this register, and its key signed it: there are two histories", checkpoint.size),
        )
        .hint("keep the file and the state as they are, and tell the auditor and the supervisor"))
    }

    /// Whether a cosignature goes beyond the last one of its witness.
    fn is_news(&self, name: &str, size: u64, at: Timestamp) -> Result<bool> {
        let row = self.engine.view.witnesses.get(name);
        let Some(last) = row.and_then(|row| row.last.as_ref()) else { return Ok(true) };
        if size < last.size {
            return Err(Error::usage(format!(
                "'{name}' has cosigned {} entries already, and this is of {size}",
                last.size
            )));
        }
        Ok(at > last.at)
    }

    pub(super) fn overdue_acknowledge(&mut self, actor: &Actor, reason: String) -> Result<Reply> {
        stated("the reason", &reason)?;
        self.overdue()?;
        let body = Body::OverdueAcknowledged { reason, signed: actor.decision()? };
        self.record(actor, body)?;
        Ok(Reply::new(&"checkpoint", "the acknowledgement waits for a second person")
            .next("a supervisor or auditor runs 'batchward witness acknowledge --confirm'"))
    }

    pub(super) fn overdue_confirm(&mut self, actor: &Actor) -> Result<Reply> {
        let waiting = self.engine.view.acknowledgement.clone();
        let proposal =
            waiting.ok_or_else(|| Error::usage("no acknowledgement waits for a second person"))?;
        if proposal.by == actor.name() {
            return Err(second_person("confirm this acknowledgement"));
        }
        let body =
            Body::OverdueConfirmed { proposal: proposal.mark.seq, signed: actor.decision()? };
        self.record(actor, body)?;
        Ok(Reply::new(&"checkpoint", "the alarm rests for one more period"))
    }

    fn overdue(&self) -> Result<()> {
        let engine = &self.engine;
        let (now, zone) = (engine.ports.clock.now(), engine.rules.zone);
        let standing = engine.rules.anchoring.as_ref().map(|a| a.standing(&engine.view, now, zone));
        match standing {
            Some(standing) if standing.overdue => Ok(()),
            Some(standing) => Err(Error::usage(format!(
                "nothing is overdue: enough witnesses vouched at {}",
                calendar::time(standing.since, zone)
            ))),
            None => Err(Error::usage("agent.yaml has no 'anchoring': nothing can be overdue")),
        }
    }

    /// What a witness is to cosign: the newest checkpoint, and the proof that it grew from what the witness saw last.
    pub(super) fn witness_request(&self, name: &str, since: Option<u64>) -> Result<RequestText> {
        let view = &self.engine.view;
        let row = view.witnesses.get(name).ok_or_else(|| {
            Error::usage(format!("there is no witness '{name}'"))
                .hint("'batchward witness list' shows them; 'witness add' makes one")
        })?;
        let size = view.size;
        let since = since.or(row.last.as_ref().map(|last| last.size)).unwrap_or(0);
        if since > size {
            return Err(Error::usage(format!("the register has {size} entries"))
                .hint("a witness that has seen more knows of another history: tell the auditor"));
        }
        let journal = &self.engine.ports.journal;
        let hashes = journal.consistency(Log::Register, since, size)?;
        let note = journal.note_at(Log::Register, size)?;
        let text = Growth { old: since, hashes, note }.to_text();
        Ok(RequestText { since, size, text })
    }

    /// `witness list`.
    pub(super) fn witnesses(&self) -> Vec<WitnessLine> {
        let anchoring = self.engine.rules.anchoring.as_ref();
        let rows = self.engine.view.witnesses.iter();
        rows.map(|(name, row)| WitnessLine {
            name: name.clone(),
            state: if row.vkey.is_some() { "active" } else { "proposed" }.to_owned(),
            vkey: row
                .vkey
                .clone()
                .or_else(|| row.proposal.as_ref().map(|p| p.what.clone()))
                .unwrap_or_default(),
            waits: row.proposal.is_some(),
            counts: anchoring.is_some_and(|a| a.witnesses.contains(name)),
            size: row.last.as_ref().map(|last| last.size),
            cosigned_at: row.last.as_ref().map(|last| last.at),
        })
        .collect()
    }
}

/// When a cosignature was made. One from the future would keep the alarm quiet for longer than it may.
fn made_at(seconds: u64, now: Timestamp) -> Result<Timestamp> {
    let millis = i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1000));
    let at = millis
        .map(Timestamp::from_millis)
        .ok_or_else(|| Error::new(Exit::Data, "the cosignature's time is out of range"))?;
    if at > now.plus_seconds(limits::COSIGNATURE_AHEAD_SECONDS_MAX) {
        return Err(Error::new(Exit::Data, "the cosignature is from the future").hint(
            "one of the two clocks is wrong: 'batchward status' says what it knows of this one",
        ));
    }
    Ok(at)
}
