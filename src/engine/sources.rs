//! Sources: what is fetched from servers, what is owed to them afterwards, and the port that reaches them.
//!
//! Fetching runs beside the engine, on threads of the port, and ends in a folder of our own beneath the inbox. What counts
//! is said here: a delivery is taken by an entry, put into the inbox after that, and from then on is a local drop like any
//! other. When its batch is verified, what the link says is done with the remote one is an obligation: an intent that is
//! tried again until the server itself shows that it is done, or a person settles it.

mod none;
mod push;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub use none::{NoSources, no_courier};

use super::{
    Engine, EngineError, StepError,
    jobs::{Begun, Effect},
    ports::{CopySize, PackagePlace, Result},
    slots,
    turn::retry_at,
};
use crate::domain::{
    digest::Digest,
    entry::{AGENT, Body, PackageFacts, RemoteForgotten, RemoteTaken},
    ids::{BatchId, HandoverId, RemoteId},
    link::{Link, LinkStatus},
    secret::Secret,
    source::{Destination, RemoteEnd, SourceCode},
    step::{Outcome, Plan},
    time::Timestamp,
};

/// One look at a link's source.
pub struct Look {
    /// The link; it has a source.
    pub link: Link,
    /// The key under which names stand in the register.
    pub key: Secret,
    /// What was taken and may lie there still: HMAC of the name, and what the server listed of it each time.
    pub known: Vec<(Digest, Digest)>,
    /// Names that are not fetched now: what was taken under them is not claimed yet.
    pub waits: Vec<Digest>,
}

/// What a look tells, as it goes.
pub enum Told {
    /// A delivery is whole and durable beneath the inbox.
    Fetched(Fetched),
    /// The look is over; how it went, [`Sources::standing`] says.
    Ended(String),
}

/// A delivery that was fetched.
pub struct Fetched {
    /// The link.
    pub link: String,
    /// HMAC of its name.
    pub name_mac: Digest,
    /// HMAC of what the server listed of it.
    pub listing: Digest,
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Where a fetched delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It was put into the inbox now.
    Now,
    /// It lies there.
    There,
    /// Something else has its name there: it waits.
    Waits,
    /// It is nowhere.
    Gone,
}

/// What is to be released.
pub struct ToRelease {
    /// Its id, which makes a name unique where the wanted one is taken.
    pub remote: RemoteId,
    /// HMAC of its name.
    pub name_mac: Digest,
    /// HMAC of what the server listed of it.
    pub listing: Digest,
}

/// A file for the other side.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The batch that it is about.
    pub batch: BatchId,
    /// Its name, one of ours.
    pub name: String,
    /// What it is.
    pub size: CopySize,
}

/// How it stands with a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SourceStanding {
    /// When a look last went well.
    pub answered: Option<Timestamp>,
    /// When a look last ended, well or not.
    pub looked: Option<Timestamp>,
    /// What keeps it from being fetched from.
    pub trouble: Option<SourceTrouble>,
    /// Deliveries there that are not complete.
    pub waiting: u64,
    /// Since when one of them is there.
    pub waiting_since: Option<Timestamp>,
    /// Things there whose names are refused, or that are no folder.
    pub refused: u64,
    /// More lies there than is listed.
    pub cut: bool,
    /// Deliveries there that could not be got: they change, or break the line.
    #[serde(default)]
    pub spoiled: u64,
}

/// What keeps a source from being fetched from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SourceTrouble {
    /// What.
    pub code: SourceCode,
    /// Since when.
    pub since: Timestamp,
    /// How often in a row.
    pub times: u32,
    /// Fingerprint of the host key that the server showed, where that is the trouble.
    pub shown: Option<String>,
    /// Fingerprints of those that the file of known hosts has for it.
    pub known: Vec<String>,
}

/// Servers that deliveries are fetched from.
///
/// Every method that changes something may be called again after a stop anywhere within it.
pub trait Sources: Send + Sync {
    /// Whether this process can reach servers at all: the agent can, a command without one cannot.
    fn is_there(&self) -> bool;
    /// Begins a look. In an agent that stays it goes on by itself, and the agent is woken when there is something to be
    /// told; else it is over when this returns.
    fn look(&self, look: Look);
    /// Whether a look at this link's source goes on.
    fn is_looking(&self, link: &str) -> bool;
    /// The next thing that a look has to tell.
    fn told(&self) -> Option<Told>;
    /// Puts a fetched delivery into the inbox, over nothing that is there. Durable.
    ///
    /// # Errors
    /// The inbox cannot be written.
    fn place(&self, link: &Link, name_mac: Digest) -> Result<Placed>;
    /// Forgets what was noted of a fetch: it is claimed.
    fn forget(&self, link: &str, name_mac: Digest);
    /// Does at the server what the link says is done with a delivery, and looks whether it is done. What is not what was
    /// fetched is left alone.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses.
    fn release(&self, link: &Link, key: &Secret, what: &ToRelease) -> Result<RemoteEnd>;
    /// Files that are ready for the other side, but those that were put and have not changed since.
    ///
    /// # Errors
    /// They cannot be read.
    fn outgoing(&self, put: &dyn Fn(BatchId, &str) -> Option<Timestamp>) -> Result<Vec<Outgoing>>;
    /// Puts such a file, or a certificate, into the server's folder for it: under a temporary name, read back, renamed.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses, or gives back something else.
    fn put(&self, link: &Link, name: &str, size: CopySize) -> Result<()>;
    /// Puts a package that lies in its outbox into the folder of its recipient's server: under a temporary name, each
    /// file read back, then renamed as a whole. One that lies there already, the same, is done.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses, or gives back something else; or something else has its name there.
    fn push(&self, to: &Destination, package: &PackagePlace, facts: &PackageFacts) -> Result<()>;
    /// How it stands with a source.
    fn standing(&self, link: &str) -> SourceStanding;
}

/// What may be possible now, and what was done in this process.
#[derive(Default)]
pub(super) struct Fetching {
    /// Fetched deliveries may have to be put into their inboxes.
    placing: bool,
    /// Something may be owed to a server.
    owing: bool,
    /// Packages of which nothing is in the outbox any more.
    cleared: BTreeSet<HandoverId>,
    /// When each source was last looked into by this process.
    looked: BTreeMap<String, Timestamp>,
    /// When the last look of each that went well and saw everything began.
    seen: BTreeMap<String, Timestamp>,
}

impl Fetching {
    /// When the last look into a source that went well began: what lay there by then was seen.
    pub(super) fn seen_at(&self, link: &str) -> Option<Timestamp> {
        self.seen.get(link).copied()
    }

    /// Something may be owed, or is to be cleared away.
    pub(super) const fn owe(&mut self) {
        self.owing = true;
    }

    /// Everything is looked through again.
    pub(super) const fn sweep(&mut self) {
        self.placing = true;
        self.owing = true;
    }
}

impl Engine {
    /// Goes one step further with servers. Nothing where this process reaches none.
    pub(super) fn fetch_on(&mut self) -> std::result::Result<bool, EngineError> {
        if !self.ports.sources.is_there() {
            return Ok(false);
        }
        if let Some(told) = self.ports.sources.told() {
            self.take_told(told)?;
            return Ok(true);
        }
        Ok(self.place_fetched()? || self.pay_owed()? || self.begin_looks()?)
    }

    fn take_told(&mut self, told: Told) -> std::result::Result<(), EngineError> {
        let fetched = match told {
            Told::Fetched(fetched) => fetched,
            Told::Ended(link) => {
                let standing = self.ports.sources.standing(&link);
                if let Some(trouble) = standing.trouble {
                    self.notes.push(format!("{link}: nothing can be fetched: {}", trouble.code));
                } else if let (false, Some(begun)) = (standing.cut, self.fetching.looked.get(&link))
                {
                    self.fetching.seen.insert(link, *begun);
                    self.expecting.sweep();
                }
                return Ok(());
            }
        };
        let row = RemoteTaken {
            remote: self.view.next_remote(),
            link: fetched.link,
            name_mac: fetched.name_mac,
            listing: fetched.listing,
            files: fetched.files,
            bytes: fetched.bytes,
        };
        // A stop before this line: the next look finds everything here, and tells it again.
        self.record(AGENT, Body::RemoteTaken(row))?;
        // A stop here: the next sweep puts it into the inbox.
        self.fetching.placing = true;
        Ok(())
    }

    /// Puts into the inboxes what was taken and is not claimed yet.
    fn place_fetched(&mut self) -> std::result::Result<bool, EngineError> {
        if !std::mem::take(&mut self.fetching.placing) {
            return Ok(false);
        }
        let waits: Vec<(RemoteId, String, Digest)> = self
            .view
            .remotes
            .open()
            .filter(|(_, row)| row.batch.is_none())
            .map(|(id, row)| (id, row.link.clone(), row.name_mac))
            .collect();
        let mut any = false;
        for (remote, link, name_mac) in waits {
            let Some(link) = self.rules.links.get(&link) else { continue };
            match self.ports.sources.place(link, name_mac) {
                Ok(Placed::Now) => {
                    self.inboxes.look_at(&link.name.clone());
                    any = true;
                }
                Ok(Placed::There | Placed::Waits) => {}
                Ok(Placed::Gone) if !self.is_on_its_way(&link.name, name_mac) => {
                    self.record(AGENT, Body::RemoteForgotten(RemoteForgotten { remote }))?;
                    any = true;
                }
                Ok(Placed::Gone) => {}
                Err(error) => self.notes.push(format!("{}: {error}", link.name)),
            }
        }
        Ok(any)
    }

    /// Whether a delivery of this name is known to lie in the inbox, or is being claimed.
    fn is_on_its_way(&self, link: &str, name_mac: Digest) -> bool {
        self.view.delivery_named(link, name_mac).is_some()
    }

    /// Releases what is owed, and puts what is ready; each is tried once a sweep.
    fn pay_owed(&mut self) -> std::result::Result<bool, EngineError> {
        if !std::mem::take(&mut self.fetching.owing) {
            return Ok(false);
        }
        self.clear_outboxes();
        for (link, name_mac) in self.claimed_remotes() {
            self.ports.sources.forget(&link, name_mac);
        }
        let mut any = false;
        for plan in self.owed()? {
            if !self.hands.is_free() {
                self.fetching.owing = true;
                break;
            }
            self.run(AGENT, plan)?;
            any = true;
        }
        Ok(any)
    }

    fn claimed_remotes(&self) -> Vec<(String, Digest)> {
        let claimed = self.view.remotes.open().filter(|(_, row)| row.batch.is_some());
        claimed.map(|(_, row)| (row.link.clone(), row.name_mac)).collect()
    }

    /// What is owed to servers that answered when they were last looked into.
    fn owed(&self) -> std::result::Result<Vec<Plan>, EngineError> {
        let now = self.ports.clock.now();
        let mut plans = Vec::new();
        let answers = |link: &str| {
            let standing = self.ports.sources.standing(link);
            standing.answered.is_some() && standing.trouble.is_none()
        };
        let rests = |trouble: Option<&crate::domain::view::Trouble>| {
            let until = trouble.map(|trouble| retry_at(trouble.times, trouble.at));
            self.resident && until.is_some_and(|until| now < until)
        };
        for (remote, row) in self.view.remotes.open() {
            let Some(link) = self.rules.links.get(&row.link) else { continue };
            let Some(source) = &link.source else { continue };
            let batch = row.batch.and_then(|id| self.view.batches.get(&id));
            let planned = |plan: &Plan| matches!(plan, Plan::ReleaseRemote { remote: of, .. } if *of == remote);
            if row.is_owed(batch.as_deref(), source)
                && !rests(row.trouble.as_ref())
                && self.view.open_plan(planned).is_none()
                && answers(&link.name)
            {
                let act = source.release.word().to_owned();
                plans.push(Plan::ReleaseRemote { remote, link: link.name.clone(), act });
            }
        }
        plans.extend(self.owed_packages(&rests));
        let may_go = |link: &Link, batch: BatchId, name: &str| {
            let key = (batch, name.to_owned());
            let planned = |plan: &Plan| matches!(plan, Plan::PutRemote { batch, name, .. } if *batch == key.0 && *name == key.1);
            !rests(self.view.remotes.unput.get(&key).map(|unput| &unput.last))
                && self.view.open_plan(planned).is_none()
                && answers(&link.name)
        };
        let links = self.rules.links.values();
        let mut files: Vec<Outgoing> =
            links.flat_map(|link| self.owed_reports(link, &may_go)).collect();
        let wants =
            |link: &Link| link.source.as_ref().is_some_and(|source| source.receipts.is_some());
        let put = &self.view.remotes.put;
        let when =
            |batch: BatchId, name: &str| put.get(&(batch, name.to_owned())).map(|(_, at)| *at);
        if self.rules.links.values().any(wants) {
            files.extend(self.ports.sources.outgoing(&when)?);
        }
        for file in files {
            let key = (file.batch, file.name.clone());
            let Some(row) = self.view.batches.get(&file.batch) else { continue };
            let takes = |link: &&Link| {
                link.source.as_ref().is_some_and(|source| source.folder_of(&file.name).is_some())
            };
            let Some(link) = self.rules.links.get(&row.link).filter(takes) else { continue };
            let same = put.get(&key).is_some_and(|(sha256, _)| *sha256 == file.size.sha256);
            if !same && may_go(link, file.batch, &file.name) {
                plans.push(Plan::PutRemote {
                    batch: file.batch,
                    link: link.name.clone(),
                    name: file.name,
                    bytes: file.size.bytes,
                    sha256: file.size.sha256,
                });
            }
        }
        Ok(plans)
    }

    /// Looks into every source whose time has come.
    fn begin_looks(&mut self) -> std::result::Result<bool, EngineError> {
        let (now, zone) = (self.ports.clock.now(), self.rules.zone);
        let stopped = |anchoring: &crate::domain::anchoring::Anchoring| {
            anchoring.stops_intake(&self.view, now, zone)
        };
        if self.view.time_doubted || self.rules.anchoring.as_ref().is_some_and(stopped) {
            return Ok(false);
        }
        let due = |link: &&Link| self.look_at(link, now).is_some_and(|at| at <= now);
        let links: Vec<Link> = self.rules.links.values().filter(due).cloned().collect();
        let any = !links.is_empty();
        for link in links {
            let key = self.ports.keys.ensure_random(&slots::link(&link.name))?;
            let open = self.view.remotes.open_of(&link.name);
            let waits =
                |(_, row): &(RemoteId, &crate::domain::view::remotes::Remote)| row.batch.is_none();
            let (waits, known): (Vec<_>, Vec<_>) = open.partition(waits);
            let look = Look {
                key,
                known: known
                    .into_iter()
                    .map(|(_, row)| row)
                    .chain(self.view.remotes.settled_of(&link.name))
                    .map(|row| (row.name_mac, row.listing))
                    .collect(),
                waits: waits.iter().map(|(_, row)| row.name_mac).collect(),
                link,
            };
            self.fetching.looked.insert(look.link.name.clone(), now);
            self.ports.sources.look(look);
        }
        Ok(any)
    }

    /// When a link's source is looked into next; nothing for a link without one, one that takes nothing now, and while
    /// a look goes on. Who does not stay looks once.
    fn look_at(&self, link: &Link, now: Timestamp) -> Option<Timestamp> {
        let zone = self.rules.zone;
        let source = link.source.as_ref()?;
        let takes = link.status == LinkStatus::Active && link.standing(now).is_none();
        if !takes || self.ports.sources.is_looking(&link.name) {
            return None;
        }
        if !self.resident && self.fetching.looked.contains_key(&link.name) {
            return None;
        }
        let standing = self.ports.sources.standing(&link.name);
        let failures = standing.trouble.as_ref().map_or(0, |trouble| trouble.times);
        let due = match standing.looked {
            Some(last) if self.resident || failures == 0 => source.next_look(last, failures, zone),
            _ => now,
        };
        let due = due.max(now);
        // Outside its hours it is asked for again each minute, which costs nothing.
        Some(if source.is_open(due, zone) { due } else { due.plus_seconds(60) })
    }

    /// When a source is to be looked into next.
    pub(super) fn next_fetch(&self) -> Option<Timestamp> {
        if !self.ports.sources.is_there() {
            return None;
        }
        let now = self.ports.clock.now();
        let looks = self.rules.links.values().filter_map(|link| self.look_at(link, now));
        let owed = self.view.remotes.open().filter_map(|(_, row)| row.trouble.as_ref());
        let owed = owed.chain(self.view.remotes.unput.values().map(|unput| &unput.last));
        let owed = owed.map(|trouble| retry_at(trouble.times, trouble.at));
        looks.chain(owed).chain(self.next_push()).min()
    }

    pub(super) fn begin_release(
        &mut self,
        remote: RemoteId,
        link: &str,
    ) -> std::result::Result<Begun, StepError> {
        let link = self.sourced(link)?;
        let row = self.view.remotes.rows.get(&remote).ok_or(StepError::Stuck("no-remote"))?;
        let what = ToRelease { remote, name_mac: row.name_mac, listing: row.listing };
        let key = self.ports.keys.ensure_random(&slots::link(&link.name))?;
        let sources = Arc::clone(&self.ports.sources);
        Ok(Begun::long(0, move |_| Effect::Released(sources.release(&link, &key, &what))))
    }

    pub(super) fn begin_put(
        &mut self,
        link: &str,
        name: &str,
        size: CopySize,
    ) -> std::result::Result<Begun, StepError> {
        let link = self.sourced(link)?;
        let (sources, name) = (Arc::clone(&self.ports.sources), name.to_owned());
        Ok(Begun::long(size.bytes, move |_| Effect::Put(sources.put(&link, &name, size))))
    }

    fn sourced(&self, link: &str) -> std::result::Result<Link, StepError> {
        let link = self.rules.links.get(link).filter(|link| link.source.is_some());
        link.cloned().ok_or(StepError::Later("no-source"))
    }

    pub(super) fn end_remote(effect: Effect) -> std::result::Result<Outcome, StepError> {
        match effect {
            Effect::Released(end) => Ok(Outcome::RemoteReleased { end: end? }),
            Effect::Put(put) => put.map(|()| Outcome::RemotePut).map_err(StepError::from),
            _ => Err(StepError::Stuck("plan")),
        }
    }
}
