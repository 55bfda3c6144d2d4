//! Load: decrypt, decode, check and store as one stream (invariant 2), all or nothing (invariant 3).
//!
//! Nothing of a batch can be seen before its outcome is recorded: the vault is built under a temporary name and
//! takes its place only when the last authenticated chunk, every digest and the counts have passed.
//!
//! The stream is a job: it holds the keys that it needs and nothing of the register. Whether the content was loaded
//! before, and whether the link still stands as it did, is asked when it has ended: other batches went on meanwhile.

mod table;

use std::sync::Arc;

use self::table::Table;

use super::LinkLedger;
use crate::{
    domain::{
        digest::{Digest, KeyedHasher},
        entry::{AGENT, CopyFacts, Counts, KeyForm, LoadFacts, Verdict},
        findings::{Findings, Position},
        ids::{BatchId, CopyId, KeyId},
        judge::{self, Question, Stage},
        layout::Layout,
        limits,
        link::{Container, KeyMode, Link},
        manifest::{Kind, Manifest},
        reason::Reason,
        secret::Secret,
        step::{Outcome, Plan},
        time::Timestamp,
        view::Batch,
    },
    engine::{
        Engine, EngineError, Ran, StepError,
        case::{CaseManifest, CaseRecord},
        jobs::{Begun, Effect},
        ports::{
            Lock, Meter, OpenFault, Opener, Plain, PortError, Rounds, SealedVault, Spool,
            VaultColumn, Vaults,
        },
        slots,
    },
};

/// Why a stream did not become a table.
pub(in crate::engine) enum Halt {
    /// The data's fault.
    Verdict(Reason),
    /// The key's.
    WrongKey,
    /// Ours.
    Step(StepError),
}

impl From<StepError> for Halt {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl From<OpenFault> for Halt {
    fn from(fault: OpenFault) -> Self {
        match fault {
            OpenFault::NotAge => Self::Verdict(Reason::NotAge),
            OpenFault::Foreign => Self::Verdict(Reason::WrongContainer),
            OpenFault::Name => Self::Verdict(Reason::UnsafeName),
            OpenFault::Limit => Self::Verdict(Reason::LimitExceeded),
            OpenFault::WrongKey => Self::WrongKey,
            OpenFault::Damaged => Self::Verdict(Reason::DecryptFailed),
            OpenFault::Unreadable => Self::Step(StepError::Later("spool-read")),
        }
    }
}

impl From<PortError> for Halt {
    fn from(error: PortError) -> Self {
        Self::Step(error.into())
    }
}

/// A stream that came to its end.
pub(in crate::engine) struct Streamed {
    counts: Counts,
    content: Digest,
    findings: Findings,
    positions: Vec<Position>,
    /// The vault, or why there is none.
    vault: Result<Box<dyn SealedVault>, Reason>,
    /// What the link said while it ran.
    link: Link,
    /// By what it lies in plain where it lies.
    plain: Option<String>,
    /// Where, if not in the agent's own state.
    place: Option<String>,
}

/// The key that opens a batch.
enum DeliveryKey {
    Key {
        form: KeyForm,
        secret: Secret,
    },
    /// It came in plain.
    None,
}

/// A file's stream and what was declared of it.
struct Source {
    plain: Box<dyn Plain>,
    /// Those of it, where they are stated.
    records: Option<u64>,
    plaintext_sha256: Option<Digest>,
}

impl Engine {
    /// Loads a batch, if what it waits for is there. Returns nothing where it goes on waiting.
    ///
    /// # Errors
    /// The register cannot be written.
    pub(in crate::engine) fn load(&mut self, batch: BatchId) -> Result<Option<Ran>, EngineError> {
        let Some(row) = self.view.batches.get(&batch) else { return Ok(None) };
        let Some(link) = self.rules.links.get(&row.link) else { return Ok(None) };
        if !self.turn_has_come(&row) {
            return Ok(None);
        }
        let now = self.ports.clock.now();
        let key = self.key_of(&row, link);
        if key.is_none() && !opens_without(link) {
            return Ok(None);
        }
        let by_period = link.use_period.map(|period| period.after(now, self.rules.zone));
        let plan = Plan::Load {
            batch,
            vault: self.view.next_copy(0),
            key,
            use_until: by_period.map_or(link.approved_until, |end| end.min(link.approved_until)),
            // Its correction is loaded already: the wrong one must not come after it.
            refuse: link
                .standing(now)
                .or_else(|| self.view.replaced_by(batch, &row).map(|_| Reason::PolicyRefused)),
            plain: self.may_lie_plain(),
        };
        self.run(AGENT, plan).map(Some)
    }

    /// Deltas are taken in order; a full file's number is free.
    #[must_use]
    pub fn turn_has_come(&self, row: &Batch) -> bool {
        row.manifest.as_ref().is_some_and(|manifest| {
            manifest.kind == Kind::Full || manifest.sequence == self.view.next_sequence(&row.link)
        })
    }

    /// Takes what the stream needs; what is refused by now is not opened.
    pub(in crate::engine) fn begin_load(
        &mut self,
        batch: BatchId,
        vault: CopyId,
        key: Option<KeyId>,
        refuse: Option<Reason>,
    ) -> Result<Begun, StepError> {
        let row = self.view.batches.get(&batch).ok_or(StepError::Stuck("no-batch"))?;
        let (number, declared) = (row.number.clone(), row.counts.declared);
        let total = row.files.iter().map(|f| f.bytes).sum();
        let link = self.rules.links.get(&row.link).cloned().ok_or(StepError::Stuck("no-link"))?;
        // What tightened a link since the intent is in force at once.
        if let Some(reason) = refuse.or_else(|| link.standing(self.ports.clock.now())) {
            self.abandon_vault(vault)?;
            let counts = Counts { declared, ..Counts::default() };
            return Ok(Begun::Done(Outcome::Refused {
                verdict: Verdict { reason, counts, number },
            }));
        }
        let plain = self.planned_plain(vault)?;
        let layout = self.rules.layout_of(&link).cloned().ok_or(StepError::Stuck("no-layout"))?;
        let record = self.case(batch)?.ok_or(StepError::Stuck("no-case"))?;
        let received_at = row.times.get("claimed").copied().ok_or(StepError::Stuck("no-time"))?;
        let again = || {
            judge::manifest_of(&Question {
                facts: &record.facts(),
                link: &link,
                ledger: &LinkLedger { view: &self.view, link: &link.name, except: Some(batch) },
                stage: Stage::Claimed,
                received_at,
                now: received_at,
                announced: self.letter_of(batch),
            })
        };
        // What was judged is what is loaded. A record of before that was kept is read again, by what link and letter say now:
        // it counts where it comes to what the verdict in the register says.
        let judged = |made: &Manifest| row.manifest.as_ref().is_some_and(|facts| facts.is_of(made));
        let manifest = record.made.as_ref().map(CaseManifest::manifest);
        let manifest = manifest.or_else(again).filter(judged);
        let manifest = manifest.ok_or(StepError::Stuck("case-manifest"))?;
        let spool_key =
            self.ports.keys.live(&slots::spool(batch))?.ok_or(StepError::Stuck("spool-key"))?;
        let stream = Stream {
            key: self.delivery_key(key, &link)?,
            spool_key,
            link_key: self.ports.keys.ensure_random(&slots::link(&link.name))?,
            // The vault's key is synced before the vault has a first byte: a vault without a key cannot come to be.
            vault_key: self.vault_key(vault)?,
            vault,
            declared,
            layout,
            link,
            record,
            manifest,
            spool: Arc::clone(&self.ports.spool),
            opener: Arc::clone(&self.ports.opener),
            vaults: Arc::clone(&self.ports.vaults),
            plain,
        };
        Ok(Begun::long(total, move |meter| Effect::Streamed(Box::new(stream.run(meter)))))
    }

    pub(in crate::engine) fn end_load(
        &mut self,
        batch: BatchId,
        vault: CopyId,
        key: Option<KeyId>,
        use_until: Timestamp,
        streamed: Result<Streamed, Halt>,
    ) -> Result<Outcome, StepError> {
        let row = self.view.batches.get(&batch).ok_or(StepError::Stuck("no-batch"))?;
        let (number, declared, tries) = (row.number.clone(), row.counts.declared, row.wrong_keys);
        let mut counts = Counts { declared, ..Counts::default() };
        let halted = streamed.and_then(|streamed| {
            counts = streamed.counts;
            self.commit(batch, vault, use_until, streamed)
        });
        let verdict = match halted {
            Ok(facts) => return Ok(Outcome::Loaded { facts: Box::new(facts) }),
            Err(Halt::Step(error)) => return Err(error),
            Err(Halt::WrongKey) => match key {
                Some(key) if tries + 1 < limits::WRONG_KEYS_MAX => {
                    self.abandon_vault(vault)?;
                    return Ok(Outcome::KeyWrong { key });
                }
                _ => Reason::WrongKey,
            },
            Err(Halt::Verdict(reason)) => reason,
        };
        self.abandon_vault(vault)?;
        Ok(Outcome::Refused { verdict: Verdict { reason: verdict, counts, number } })
    }

    /// Puts a vault that is whole in its place, unless the register or the link says otherwise by now.
    fn commit(
        &mut self,
        batch: BatchId,
        vault: CopyId,
        use_until: Timestamp,
        streamed: Streamed,
    ) -> Result<LoadFacts, Halt> {
        let Streamed {
            mut counts,
            content,
            findings,
            positions,
            vault: sealed,
            link,
            plain,
            place,
        } = streamed;
        let empty = counts.parsed == Some(0);
        if !empty && self.view.content_is_loaded(&link.name, content, batch) {
            return Err(Halt::Verdict(Reason::DuplicateContent));
        }
        let sealed = sealed.map_err(Halt::Verdict)?;
        let now = self.rules.links.get(&link.name).ok_or(StepError::Stuck("no-link"))?;
        if let Some(reason) = now.standing(self.ports.clock.now()) {
            return Err(Halt::Verdict(reason));
        }
        // The stream ran by what the link said when it began: other columns or rules mean another stream.
        if now.items != link.items
            || now.layout != link.layout
            || now.max_rejected != link.max_rejected
        {
            return Err(StepError::Later("link-changed").into());
        }
        self.still_there(plain.as_ref(), place.as_ref())?;
        let (units, use_until) = (now.units.clone(), use_until.min(now.approved_until));
        let mut record = self.case(batch)?.ok_or(StepError::Stuck("no-case"))?;
        record.positions = positions;
        // A stop between the record and the vault's place: the whole load is done again, from the spool.
        self.put_case(batch, &record)?;
        let (committed, size) = sealed.rows();
        counts.committed = Some(committed);
        if Some(committed) != counts.accepted {
            return Err(StepError::Stuck("vault-count").into());
        }
        sealed.place()?;
        Ok(LoadFacts {
            counts,
            findings,
            content,
            vault: CopyFacts::new(vault, size.bytes),
            use_until,
            items: link.items,
            units,
            plain,
            place,
            gate: self.gate_of(batch),
        })
    }

    /// The key that a batch is to be opened with: its own, or the passphrase that its provider uses for long, unless that
    /// was tried on it.
    pub(in crate::engine) fn key_of(&self, row: &Batch, link: &Link) -> Option<KeyId> {
        let standing = || {
            let lasting = link.key == KeyMode::StandingPassphrase;
            let key = self.view.standing_passphrase(&link.name).filter(|_| lasting);
            key.filter(|key| row.standing_wrong != Some(*key))
        };
        self.view.key_for(row).or_else(standing)
    }

    fn delivery_key(&mut self, key: Option<KeyId>, link: &Link) -> Result<DeliveryKey, StepError> {
        if link.container == Container::PlainByHand {
            return Ok(DeliveryKey::None);
        }
        let (slot, form) = match key {
            Some(id) => {
                let row = self.view.keys.get(&id).ok_or(StepError::Stuck("no-key"))?;
                (slots::key(id), row.form)
            }
            None => (slots::STANDING.to_owned(), KeyForm::Identity),
        };
        let secret = self.ports.keys.live(&slot)?.ok_or(StepError::Stuck("no-key"))?;
        Ok(DeliveryKey::Key { form, secret })
    }
}

/// Whether the deliveries of a link open without a key that came.
fn opens_without(link: &Link) -> bool {
    link.container == Container::PlainByHand || link.key == KeyMode::Standing
}

/// A load's long part: everything that it needs, and nothing of the register.
struct Stream {
    key: DeliveryKey,
    spool_key: Secret,
    link_key: Secret,
    vault_key: Secret,
    vault: CopyId,
    declared: Option<u64>,
    layout: Layout,
    link: Link,
    record: CaseRecord,
    manifest: Manifest,
    spool: Arc<dyn Spool>,
    opener: Arc<dyn Opener>,
    vaults: Arc<dyn Vaults>,
    plain: Option<String>,
}

impl Stream {
    fn run(self, meter: &Meter) -> Result<Streamed, Halt> {
        let sources = self.sources()?;
        let columns = columns(&self.layout, &self.link);
        let build =
            self.vaults.build(self.vault, &self.vault_key, &columns, self.plain.is_some())?;
        let mut table = Table::new(&self.layout, &self.link, self.manifest.kind, build)?;
        let mut content = KeyedHasher::new(self.link_key.expose());
        for source in sources {
            table.take(source, &mut content, &*self.opener, meter)?;
        }
        let verdict = table.judge(self.manifest.records, self.link.max_rejected);
        let counts = Counts { declared: self.declared, ..table.counts() };
        let Table { decoder, build, .. } = table;
        Ok(Streamed {
            counts,
            content: content.finish(),
            findings: decoder.findings(),
            positions: decoder.positions().to_vec(),
            vault: match verdict {
                Ok(()) => Ok(build.seal()?),
                Err(reason) => Err(reason),
            },
            link: self.link,
            plain: self.plain,
            place: self.vaults.place(),
        })
    }

    /// Opens every file before the first is read: a key that does not fit one of them fits none.
    fn sources(&self) -> Result<Vec<Source>, Halt> {
        let mut sources = Vec::with_capacity(self.manifest.files.len());
        let rounds = Rounds::default();
        for listed in &self.manifest.files {
            let file = self
                .record
                .files
                .iter()
                .find(|f| f.name == listed.name.as_bytes())
                .ok_or(StepError::Stuck("spool-file"))?;
            let sealed = self.spool.open(file.copy, &self.spool_key)?;
            let lock = match (&self.key, self.link.container) {
                (DeliveryKey::None, _) => Lock::None,
                (DeliveryKey::Key { form, secret }, Container::Age) => Lock::Age(*form, secret),
                // An identity opens no archive.
                (DeliveryKey::Key { form: KeyForm::Identity, .. }, _) => {
                    return Err(Halt::WrongKey);
                }
                (DeliveryKey::Key { secret, .. }, container) => {
                    Lock::Archive(container, secret, &rounds)
                }
            };
            let plain = self.opener.open(sealed, &lock)?;
            sources.push(Source {
                plain,
                records: self.manifest.each.then_some(listed.records),
                plaintext_sha256: listed.plaintext_sha256,
            });
        }
        Ok(sources)
    }
}

fn columns(layout: &Layout, link: &Link) -> Vec<VaultColumn> {
    let key = layout.key().map(|field| field.name.as_str());
    link.items
        .iter()
        .map(|name| VaultColumn { name: name.clone(), key: key == Some(name.as_str()) })
        .collect()
}
