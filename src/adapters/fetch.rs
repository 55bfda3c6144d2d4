//! Fetching from a server: what lies there, which of it is complete, and getting it whole.
//!
//! A delivery is fetched into a folder of our own beneath the link's inbox, under names of our own, and gets the names that
//! the server gave it only when it is whole and durable (`landing.rs`). What had come before a stop is trusted as far as
//! its digest was noted (`notes.rs`). Nothing is believed here: the intake judges what was fetched as it judges a drop.

mod landing;
mod notes;
mod push;
mod release;
mod transfer;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use zeroize::Zeroizing;

use self::notes::Notes;
pub use self::{
    landing::{Landed, forget, place},
    push::{Packed, Parcel, push},
    release::{ReleaseTo, put, release},
};
use super::courier::{Courier, CourierError, Listing, Server, Thing, ThingKind};
use crate::domain::{
    digest::{Digest, KeyedHasher},
    judge::{self, Document, Entry, EntryKind, Facts, Ledger, Look, Place, Question, Stage},
    limits::{
        DELIVERY_BYTES_MAX, DELIVERY_FILES_MAX, MANIFEST_BYTES_MAX, REMOTE_CONNECTIONS_A_LOOK,
        REMOTE_FRUITLESS_MAX, SIGNATURE_BYTES_MAX,
    },
    link::Link,
    manifest::{MANIFEST_NAME, Manifest, SIGNATURE_NAME},
    source::{Release, Source, SourceCode, is_delivery_name, is_file_name},
    time::Timestamp,
};

type Result<T> = std::result::Result<T, CourierError>;

/// Connections that may end at one delivery before it is left out of the look.
const BLAMES_MAX: u32 = 2;
/// What our own names on a server begin with.
const OURS: &str = ".batchward-";

/// One look at a source.
pub struct Visit<'a> {
    /// Who talks to servers.
    pub courier: &'a Courier,
    /// The link.
    pub link: &'a Link,
    /// Its source.
    pub source: &'a Source,
    /// The key under which names stand in the register.
    pub key: &'a [u8],
    /// Where it is noted how far fetches are: a folder of the link's own.
    pub notes: PathBuf,
    /// What was taken: HMAC of the name, and of what was listed.
    pub known: &'a [(Digest, Digest)],
    /// Names that are not fetched now.
    pub waits: &'a [Digest],
    /// When it begins.
    pub now: Timestamp,
}

/// What a look came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Deliveries that are not complete.
    pub waiting: u64,
    /// Things that are refused by their names, kinds or number.
    pub refused: u64,
    /// More lies there than is listed.
    pub cut: bool,
    /// Deliveries that could not be got, although the server is there: they change, or break the line.
    pub spoiled: u64,
}

/// What is remembered from one connection of a look to the next.
#[derive(Default)]
struct Memory {
    /// Deliveries that were told already.
    told: BTreeSet<Digest>,
    /// The delivery that is being looked at.
    at: Option<Digest>,
    /// Those at which a connection ended that had brought nothing, and how often.
    blamed: BTreeMap<Digest, u32>,
}

/// A delivery that was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// HMAC of its name.
    pub name_mac: Digest,
    /// HMAC of what the server listed of it.
    pub listing: Digest,
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A delivery as the server lists it.
struct Found {
    name: Vec<u8>,
    mac: Digest,
    path: Vec<u8>,
    things: Vec<Thing>,
    listing: Digest,
}

/// What is to be done with a found delivery.
enum Wanted {
    Waits,
    /// It is fetched; what its manifest says, where it holds.
    Yes(Option<Box<Manifest>>),
}

impl Visit<'_> {
    /// Looks, and fetches what is complete; each delivery is told as soon as it is whole.
    ///
    /// # Errors
    /// [`CourierError`]: what had come by then is noted, and goes on from there.
    pub fn run(&self, tell: &mut dyn FnMut(Whole)) -> Result<Report> {
        let (mut fruitless, mut connections) = (0, 0);
        let mut memory = Memory::default();
        let mut before = (0, notes::progress(&self.notes));
        loop {
            connections += 1;
            memory.at = None;
            let error = match self.once(&mut memory, tell) {
                Ok(report) => return Ok(report),
                Err(error) => error,
            };
            let progress = (memory.told.len(), notes::progress(&self.notes));
            let brought = progress != before;
            before = progress;
            // A line that breaks is taken up again at once as long as it brings something.
            fruitless = if brought { 0 } else { fruitless + 1 };
            let blamed = memory.at.filter(|_| !brought);
            if let Some(mac) = blamed {
                // Who makes us wait is not waited for twice.
                let waited = matches!(error.code, SourceCode::TimedOut | SourceCode::TooSlow);
                *memory.blamed.entry(mac).or_default() += if waited { BLAMES_MAX } else { 1 };
            }
            let waited = error.code == SourceCode::TimedOut && blamed.is_none() && !brought;
            let over =
                fruitless >= REMOTE_FRUITLESS_MAX || connections >= REMOTE_CONNECTIONS_A_LOOK;
            if over || waited || !error.is_of_the_line() {
                return Err(error);
            }
        }
    }

    fn once(&self, memory: &mut Memory, tell: &mut dyn FnMut(Whole)) -> Result<Report> {
        let mut server = self.courier.connect(&self.source.server)?;
        let listing = server.list(self.source.path.as_bytes())?;
        let mut report = Report { refused: listing.odd, cut: listing.cut, ..Report::default() };
        let mut more = Vec::new();
        let mut seen = BTreeSet::new();
        for thing in listing.things.iter().filter(|thing| !self.is_ours(&thing.name)) {
            let named = thing.kind == ThingKind::Folder && is_delivery_name(&thing.name);
            if !named || !seen.insert(&thing.name) {
                report.refused += 1;
                continue;
            }
            let mac = Digest::keyed(self.key, &thing.name);
            if self.waits.contains(&mac) || memory.told.contains(&mac) {
                continue;
            }
            if memory.blamed.get(&mac).is_some_and(|times| *times >= BLAMES_MAX) {
                report.spoiled += 1;
                continue;
            }
            memory.at = Some(mac);
            match self.one(&mut server, &mut more, thing, mac, &mut report) {
                Ok(Some(whole)) => {
                    memory.told.insert(mac);
                    tell(whole);
                }
                Ok(None) => {}
                // What is wrong with this one keeps no other from being fetched.
                Err(error) if error.is_of_a_delivery() => report.spoiled += 1,
                Err(error) => return Err(error),
            }
            memory.at = None;
        }
        if !listing.cut {
            self.tidy(listing.things.iter().map(|thing| Digest::keyed(self.key, &thing.name)));
        }
        Ok(report)
    }

    /// Removes what was begun of deliveries that are not there any more.
    fn tidy(&self, there: impl Iterator<Item = Digest>) {
        let there: BTreeSet<Digest> = there.collect();
        let claimed = |mac: &Digest| self.known.iter().any(|(known, _)| known == mac);
        let kept = |mac: &Digest| there.contains(mac) || self.waits.contains(mac) || claimed(mac);
        for mac in notes::all(&self.notes).into_iter().filter(|mac| !kept(mac)) {
            if landing::discard(&self.link.inbox, mac) {
                notes::forget(&self.notes, mac);
            }
        }
    }

    /// Looks at one delivery, and fetches it where it is complete.
    fn one(
        &self,
        server: &mut Server,
        more: &mut Vec<Server>,
        thing: &Thing,
        mac: Digest,
        report: &mut Report,
    ) -> Result<Option<Whole>> {
        let Some(found) = self.find(server, thing, mac, report)? else { return Ok(None) };
        match self.wanted(server, &found)? {
            Wanted::Waits => {
                report.waiting += 1;
                Ok(None)
            }
            Wanted::Yes(manifest) => {
                self.fetch(server, more, &found, manifest.as_deref()).map(Some)
            }
        }
    }

    /// Whether a name on the server is one of those that releasing and putting make, or where they go.
    fn is_ours(&self, name: &[u8]) -> bool {
        let released = match &self.source.release {
            Release::Rename(ending) => name.ends_with(ending.as_bytes()),
            Release::Move(to) => self.path_of(name) == to.as_bytes(),
            Release::Keep | Release::Delete => false,
        };
        let mut puts = [&self.source.receipts, &self.source.reports].into_iter().flatten();
        released
            || name.starts_with(OURS.as_bytes())
            || puts.any(|to| self.path_of(name) == to.as_bytes())
    }

    fn path_of(&self, name: &[u8]) -> Vec<u8> {
        join(self.source.path.as_bytes(), name)
    }

    /// What a delivery folder holds, unless it is one that is not looked at now.
    fn find(
        &self,
        server: &mut Server,
        thing: &Thing,
        mac: Digest,
        report: &mut Report,
    ) -> Result<Option<Found>> {
        let path = self.path_of(&thing.name);
        let inside = match server.list(&path) {
            // It went away since.
            Err(error) if error.code == SourceCode::NoFolder => return Ok(None),
            Err(error) if error.code == SourceCode::Denied => {
                report.refused += 1;
                return Ok(None);
            }
            other => other?,
        };
        let listing = listed(self.key, &inside);
        if self.known.contains(&(mac, listing)) {
            return Ok(None);
        }
        let things = inside.things;
        let plain = |thing: &Thing| thing.kind == ThingKind::File && is_file_name(&thing.name);
        let bytes = things.iter().fold(0_u64, |sum, thing| sum.saturating_add(thing.bytes));
        let much = things.len() > DELIVERY_FILES_MAX || bytes > DELIVERY_BYTES_MAX;
        if inside.cut || inside.odd > 0 || much || !things.iter().all(plain) || !distinct(&things) {
            report.refused += 1;
            return Ok(None);
        }
        Ok(Some(Found { name: thing.name.clone(), mac, path, things, listing }))
    }

    /// Whether a delivery is complete, by the judge of the intake: what would be claimed in a local inbox is fetched.
    fn wanted(&self, server: &mut Server, found: &Found) -> Result<Wanted> {
        if found.things.is_empty() {
            return Ok(Wanted::Waits);
        }
        let documents =
            [(MANIFEST_NAME, MANIFEST_BYTES_MAX), (SIGNATURE_NAME, SIGNATURE_BYTES_MAX)];
        let mut read = Vec::new();
        for (name, max) in documents {
            read.push(document(server, found, name, max)?);
        }
        let signature = read.pop().unwrap_or(Document::Missing);
        let manifest = read.pop().unwrap_or(Document::Missing);
        let entry = |thing: &Thing| Entry {
            name: thing.name.clone(),
            kind: EntryKind::File,
            bytes: thing.bytes,
            head: Zeroizing::default(),
            sha256: None,
        };
        let is_document = |thing: &&Thing| judge::is_document(&thing.name);
        let entries = found.things.iter().filter(|thing| !is_document(thing)).map(entry);
        let control = Vec::new();
        let facts = Facts { entries: entries.collect(), cut: false, manifest, signature, control };
        let verdict = judge::judge(&Question {
            facts: &facts,
            link: self.link,
            ledger: &NoLedger,
            stage: Stage::Looking,
            received_at: self.now,
            now: self.now,
            announced: None,
        });
        Ok(match verdict {
            Look::Wait(_) => Wanted::Waits,
            Look::Refuse(refusal) => Wanted::Yes(refusal.manifest),
            Look::Complete(accepted) => Wanted::Yes(Some(Box::new(accepted.manifest().clone()))),
        })
    }

    /// Fetches a delivery whole.
    fn fetch(
        &self,
        server: &mut Server,
        more: &mut Vec<Server>,
        found: &Found,
        manifest: Option<&Manifest>,
    ) -> Result<Whole> {
        let notes = Notes::open(&self.notes, found.mac, &found.name, &found.things)?;
        let landing = landing::Landing::open(&self.link.inbox, found.mac)?;
        let transfer = transfer::Transfer { visit: self, found, landing: &landing, manifest };
        transfer.run(server, more, notes)?;
        let after = listed(self.key, &server.list(&found.path)?);
        if after != found.listing {
            let what = "a delivery changed while it was fetched";
            return Err(CourierError::new(SourceCode::Changed, what));
        }
        landing.sync(found.things.len())?;
        Ok(Whole {
            name_mac: found.mac,
            listing: found.listing,
            files: found.things.len() as u64,
            bytes: found.things.iter().map(|thing| thing.bytes).sum(),
        })
    }
}

/// A document of a delivery, where the server lists one.
fn document(server: &mut Server, found: &Found, name: &str, max: u64) -> Result<Document> {
    let Some(thing) = found.things.iter().find(|thing| thing.name == name.as_bytes()) else {
        return Ok(Document::Missing);
    };
    if thing.bytes > max {
        return Ok(Document::TooLong);
    }
    let mut bytes = Vec::new();
    server.read(&join(&found.path, name.as_bytes()), 0, thing.bytes, &mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(Document::Bytes(bytes))
}

/// HMAC of what a server lists of a delivery: names, kinds, sizes and times, in their order.
fn listed(key: &[u8], listing: &Listing) -> Digest {
    let mut hasher = KeyedHasher::new(key);
    for thing in &listing.things {
        hasher.update(&(thing.name.len() as u64).to_be_bytes());
        hasher.update(&thing.name);
        hasher.update(&[match thing.kind {
            ThingKind::File => 0,
            ThingKind::Folder => 1,
            ThingKind::Other => 2,
        }]);
        hasher.update(&thing.bytes.to_be_bytes());
        hasher.update(&thing.changed.to_be_bytes());
    }
    hasher.update(&[u8::from(listing.cut)]);
    hasher.finish()
}

/// Whether no name stands twice; they are sorted.
fn distinct(things: &[Thing]) -> bool {
    things.windows(2).all(|pair| pair[0].name != pair[1].name)
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    [folder, b"/", name].concat()
}

/// Whether it was there before is the intake's question, which knows the register.
struct NoLedger;

impl Ledger for NoLedger {
    fn is_spent(&self, _number: &str) -> bool {
        false
    }

    fn is_loaded(&self, _file: &Digest) -> bool {
        false
    }

    fn place(&self, _sequence: u64) -> Place {
        Place::Next
    }
}
