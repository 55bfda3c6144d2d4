//! Looking into inboxes and keyboxes, one delivery at a time.
//!
//! What is remembered here is a cache of what was last seen; a full scan makes it anew. Whether something is a
//! delivery, waits or is refused is the judge's affair.
//!
//! It is over 500 lines because a look at a delivery is read from its listing to its claim.

mod walk;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
};

use super::{
    Engine, EngineError,
    case::shown,
    ports::{KeyFile, Scan},
    steps::{Arrival, LinkLedger},
    turn::Tried,
};
use crate::domain::{
    digest::Digest,
    entry::{AGENT, AnnouncedFacts, Body},
    ids::{BatchId, DeliveryId, NoticeId},
    judge::{self, Document, Entry, EntryKind, Facts, Look, Question, Stage},
    limits,
    link::Link,
    notified::is_meant,
    reason::Reason,
    time::Timestamp,
    view::View,
};
use walk::Walk;

/// A key file that was taken lies there still.
const KEY_LEFT: &str = "a key file cannot be removed from the keybox";

/// A delivery that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The link.
    pub link: String,
    /// The folder's name.
    pub delivery: String,
    /// Why, or nothing where it is complete and will be claimed.
    pub reason: Option<Reason>,
    /// Since when it was seen.
    pub since: Option<Timestamp>,
}

/// Something in an inbox that is no delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The link.
    pub link: String,
    /// Since when it was seen.
    pub since: Option<Timestamp>,
    /// Whether its name is that of a key.
    pub key: bool,
}

/// What is known of the inboxes.
#[derive(Default)]
pub(super) struct Inboxes {
    /// Links to be looked through.
    links: BTreeSet<String>,
    /// The link that was looked through last: the next one comes after it, so that one where something happens all
    /// the time keeps no other waiting.
    last: String,
    /// The inbox that is being looked through.
    walk: Option<Walk>,
    /// Ways through inboxes whose next delivery waits for a thread.
    parked: VecDeque<Walk>,
    /// Folders by delivery, as they were last seen.
    folders: BTreeMap<DeliveryId, Folder>,
    /// Folders of batches whose originals still lie there.
    clearing: BTreeMap<BatchId, Vec<u8>>,
    /// Links whose inbox or keybox could not be read at the last look, and why.
    unread: BTreeMap<String, String>,
    /// What else lay in each inbox at the last look.
    strays: BTreeMap<String, Vec<Stray>>,
    /// When the last look through each inbox that saw everything began.
    seen: BTreeMap<String, Timestamp>,
}

/// A folder as it was last seen.
struct Folder {
    name: Vec<u8>,
    bytes: u64,
    entries: usize,
    /// Since when it has had these sizes, as far as looks can tell.
    same_since: Timestamp,
    reason: Option<Reason>,
}

impl Inboxes {
    /// The name of a delivery's folder, where it was seen.
    pub(super) fn folder(&self, delivery: DeliveryId) -> Option<&[u8]> {
        self.folders.get(&delivery).map(|folder| folder.name.as_slice())
    }

    /// Bytes of a delivery, as it was last seen.
    pub(super) fn bytes_of(&self, delivery: DeliveryId) -> u64 {
        self.folders.get(&delivery).map_or(0, |folder| folder.bytes)
    }

    /// Whether a link's inbox could be read, and nothing lies there that is complete and not claimed yet.
    pub(super) fn is_done_with(&self, view: &View, link: &str) -> bool {
        let mut complete = self.folders.iter().filter(|(_, folder)| folder.reason.is_none());
        let of_link = |id: &DeliveryId| view.deliveries.get(id).is_some_and(|s| s.link == link);
        !self.unread.contains_key(link) && !complete.any(|(id, _)| of_link(id))
    }

    pub(super) fn look_at(&mut self, link: &str) {
        self.links.insert(link.to_owned());
    }

    fn next_link(&mut self) -> Option<String> {
        let after = (Bound::Excluded(self.last.as_str()), Bound::Unbounded);
        let next = self.links.range::<str, _>(after).next().or_else(|| self.links.first());
        let next = next.cloned()?;
        self.links.remove(&next);
        self.last.clone_from(&next);
        Some(next)
    }

    pub(super) fn claimed(&mut self, delivery: DeliveryId) {
        self.folders.remove(&delivery);
    }
}

impl Engine {
    /// Links whose inbox or keybox could not be read at the last look, and why.
    #[must_use]
    pub const fn unread(&self) -> &BTreeMap<String, String> {
        &self.inboxes.unread
    }

    /// Goes one delivery, one key or one stray further through the inboxes that are to be looked through.
    pub(super) fn look_on(&mut self) -> Result<Tried, EngineError> {
        let Some(walk) = &mut self.inboxes.walk else { return self.next_inbox() };
        let name = walk.link.clone();
        let Some(link) = self.rules.links.get(&name).cloned() else {
            self.inboxes.walk = None;
            return Ok(Tried::Done);
        };
        if let Some((stray, key)) = walk.strays.pop_front() {
            self.note_stray(&link, &stray, key)?;
        } else if let Some((folder, name)) = walk.carried.pop_front() {
            if !self.broken_off(&link, (&folder, &name))? {
                self.note_stray(&link, &folder, false)?;
            }
        } else if let Some(folder) = walk.folders.pop_front() {
            self.look_into(&link, folder)?;
        } else if let Some(key) = walk.keys.pop_front() {
            self.take_key_file(&link, key)?;
        } else if !walk.keybox {
            walk.keybox = true;
            self.open_keybox(&link);
        } else {
            self.end_walk(&link)?;
        }
        Ok(Tried::Done)
    }

    fn next_inbox(&mut self) -> Result<Tried, EngineError> {
        if self.hands.is_free()
            && let Some(walk) = self.inboxes.parked.pop_front()
        {
            self.inboxes.walk = Some(walk);
            return Ok(Tried::Done);
        }
        let Some(name) = self.inboxes.next_link() else { return Ok(Tried::Nothing) };
        self.inboxes.parked.retain(|walk| walk.link != name);
        let Some(link) = self.rules.links.get(&name).cloned() else { return Ok(Tried::Done) };
        let begun = self.ports.clock.now();
        let scan = match self.ports.intake.scan(&link) {
            Ok(scan) => scan,
            Err(error) => {
                self.unreadable(&link, &error.to_string());
                // The keybox is another folder: it is read all the same.
                self.inboxes.walk = Some(Walk::keys_only(&link, begun));
                return Ok(Tried::Done);
            }
        };
        self.inboxes.unread.remove(&name);
        if scan.cut {
            self.unreadable(&link, "more lies in the inbox than is listed");
        }
        if !scan.cut {
            self.taken_away(&link, &scan.carried)?;
        }
        self.inboxes.walk = Some(Walk {
            strays: scan.strays.into(),
            noted: Some(Vec::new()),
            carried: scan.carried.into(),
            folders: scan.folders.into(),
            scanned: !scan.cut,
            ..Walk::keys_only(&link, begun)
        });
        Ok(Tried::Done)
    }

    fn look_into(&mut self, link: &Link, folder: Vec<u8>) -> Result<(), EngineError> {
        let mac = self.name_mac(&link.name, &folder)?;
        if let Some(walk) = &mut self.inboxes.walk {
            walk.present.insert(mac);
        }
        let tried = self.consider(link, &folder, mac)?;
        if let (Tried::NoHands, Some(walk)) = (tried, &mut self.inboxes.walk) {
            // Keys, and other links, do not wait for a thread with it.
            walk.folders.push_front(folder);
            walk.waiting = std::mem::take(&mut walk.folders);
            walk.scanned = false;
        }
        Ok(())
    }

    pub(super) fn unreadable(&mut self, link: &Link, why: &str) {
        self.notes.push(format!("{}: {why}", link.name));
        self.inboxes.unread.insert(link.name.clone(), why.to_owned());
    }

    fn note_stray(&mut self, link: &Link, name: &[u8], key: bool) -> Result<(), EngineError> {
        let name_mac = self.name_mac(&link.name, name)?;
        let known = self.view.strays.get(&(link.name.clone(), name_mac)).copied();
        let since = match known {
            Some(since) => since,
            None => {
                let link = link.name.clone();
                self.record(AGENT, Body::StraySeen { link, name_mac, key })?.at
            }
        };
        if let Some(noted) = self.inboxes.walk.as_mut().and_then(|walk| walk.noted.as_mut()) {
            noted.push(Stray { link: link.name.clone(), since: Some(since), key });
        }
        Ok(())
    }

    fn strays_of(&mut self, link: &Link, scan: &Scan) -> Result<Vec<Stray>, EngineError> {
        let mut strays = Vec::with_capacity(scan.strays.len());
        for (name, key) in &scan.strays {
            let mac = self.name_mac(&link.name, name)?;
            let since = self.view.strays.get(&(link.name.clone(), mac)).copied();
            strays.push(Stray { link: link.name.clone(), since, key: *key });
        }
        Ok(strays)
    }

    /// Records what was seen before and is not there any more, one each time; then the way is at its end.
    fn end_walk(&mut self, link: &Link) -> Result<(), EngineError> {
        let Some(mut walk) = self.inboxes.walk.take() else { return Ok(()) };
        if walk.gone.is_none() {
            walk.gone = Some(self.gone(link, &walk));
        }
        if let Some(delivery) = walk.gone.as_mut().and_then(VecDeque::pop_front) {
            self.inboxes.walk = Some(walk);
            if self.view.deliveries.contains_key(&delivery) {
                self.inboxes.folders.remove(&delivery);
                self.record(AGENT, Body::DeliveryGone { delivery })?;
            }
            return Ok(());
        }
        let (known, view) = (&mut self.inboxes.folders, &self.view);
        known.retain(|id, _| view.deliveries.contains_key(id));
        self.inboxes.clearing.retain(|id, _| view.batches.get(id).is_some_and(|b| !b.cleared));
        if let Some(noted) = walk.noted.take() {
            self.inboxes.strays.insert(link.name.clone(), noted);
        }
        if !walk.waiting.is_empty() {
            walk.folders = std::mem::take(&mut walk.waiting);
            self.inboxes.parked.push_back(walk);
        } else if walk.scanned {
            self.inboxes.seen.insert(link.name.clone(), walk.begun);
            self.expecting.sweep();
        }
        Ok(())
    }

    /// Deliveries that were seen before and are not there any more, as far as this way could tell.
    fn gone(&self, link: &Link, walk: &Walk) -> VecDeque<DeliveryId> {
        if !walk.scanned {
            return VecDeque::new();
        }
        let claimed: BTreeSet<DeliveryId> =
            self.running.values().filter_map(|job| job.of.delivery).collect();
        let seen = self.view.deliveries.iter().filter(|(id, seen)| {
            seen.link == link.name
                && !walk.present.contains(&seen.name_mac)
                && !claimed.contains(id)
        });
        seen.map(|(id, _)| *id).collect()
    }

    /// Whether a folder is one that was claimed already and whose originals could not all be removed yet.
    fn is_being_cleared(&mut self, link: &Link, folder: &[u8]) -> Result<bool, EngineError> {
        let view = &self.view;
        let pending: Vec<BatchId> =
            view.uncleared().filter(|(_, b)| b.link == link.name).map(|(id, _)| id).collect();
        for batch in pending {
            if !self.inboxes.clearing.contains_key(&batch) {
                let Some(case) = self.case(batch)? else { continue };
                self.inboxes.clearing.insert(batch, case.delivery);
            }
            if self.inboxes.clearing.get(&batch).is_some_and(|name| name == folder) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn consider(
        &mut self,
        link: &Link,
        folder: &[u8],
        name_mac: Digest,
    ) -> Result<Tried, EngineError> {
        if self.is_being_cleared(link, folder)? {
            return Ok(Tried::Done);
        }
        let known = self.view.delivery_named(&link.name, name_mac).map(|(id, s)| (id, s.since));
        if known.is_some_and(|(id, _)| self.is_claimed_or_put_off(id)) {
            return Ok(Tried::Done);
        }
        let facts = match self.ports.intake.look(link, folder) {
            Ok(Some(facts)) => facts,
            // It went away since the inbox was listed.
            Ok(None) => return Ok(Tried::Done),
            Err(error) => {
                self.notes.push(format!("{}: {error}", link.name));
                return Ok(Tried::Done);
            }
        };
        let now = self.ports.clock.now();
        let (delivery, since) = match known {
            Some(known) => known,
            None => {
                let delivery = self.view.next_delivery();
                let opens = self.view.opens_at_sight(&link.name, name_mac, now);
                let opens = opens.then(|| Box::new(self.rules.facts_of(link)));
                let seen =
                    Body::DeliverySeen { delivery, link: link.name.clone(), name_mac, opens };
                (delivery, self.record(AGENT, seen)?.at)
            }
        };
        let (notice, look) = self.judged(&facts, link, now);
        let same_since = self.same_since(delivery, &facts, now);
        let look = match look {
            Look::Complete(accepted) if !accepted.is_sized() && self.may_grow(same_since, now) => {
                Look::Wait(Reason::Incomplete)
            }
            // What a letter means may come one after the other: the rest is not judged before it is there.
            Look::Refuse(_) if notice.is_some() && self.may_grow(same_since, now) => {
                Look::Wait(Reason::Incomplete)
            }
            look => look,
        };
        let waits = match &look {
            Look::Wait(reason) => Some(*reason),
            Look::Complete(_) | Look::Refuse(_) => None,
        };
        let (bytes, entries) = (facts.bytes(), facts.entries.len());
        let seen = Folder { name: folder.to_vec(), bytes, entries, same_since, reason: waits };
        self.inboxes.folders.insert(delivery, seen);
        let reason = match look {
            Look::Complete(_) => None,
            Look::Refuse(refusal) => Some(refusal.reason),
            Look::Wait(reason) if self.waited_out(link, reason, since, now) => Some(reason),
            Look::Wait(_) => return Ok(Tried::Done),
        };
        let (anchoring, zone) = (self.rules.anchoring.as_ref(), self.rules.zone);
        if anchoring.is_some_and(|anchoring| anchoring.stops_intake(&self.view, now, zone)) {
            return Ok(Tried::Done);
        }
        if !self.hands.is_free() {
            return Ok(Tried::NoHands);
        }
        self.claim(link, delivery, claimable(&facts), (reason, notice))?;
        Ok(Tried::Done)
    }

    fn is_claimed_or_put_off(&self, delivery: DeliveryId) -> bool {
        self.running.values().any(|job| job.of.delivery == Some(delivery))
            || self.todo.is_put_off(delivery, self.ports.clock.now())
    }

    /// Since when a delivery has had the sizes that it has now, as far as looks can tell.
    fn same_since(&self, delivery: DeliveryId, facts: &Facts, now: Timestamp) -> Timestamp {
        let before = self.inboxes.folders.get(&delivery);
        let same = |before: &&Folder| {
            (before.bytes, before.entries) == (facts.bytes(), facts.entries.len())
        };
        before.filter(same).map_or(now, |before| before.same_since)
    }

    /// Whether a delivery whose sizes nobody stated may still be on its way. Who runs the agent once, by hand, knows
    /// that it is there.
    fn may_grow(&self, same_since: Timestamp, now: Timestamp) -> bool {
        self.resident && same_since.plus_seconds(limits::SETTLED_SECONDS) > now
    }

    /// The letter that means something in a delivery, and is awaited still.
    fn letter_for(&self, link: &Link, facts: &Facts) -> Option<(NoticeId, &AnnouncedFacts)> {
        let rows = self.view.notices.rows.iter().filter(|(_, row)| row.link == link.name);
        let mut meant = rows.filter_map(|(id, row)| {
            let letter = row.awaits(&self.view)?;
            let means = |entry: &Entry| {
                let name = std::str::from_utf8(&entry.name).unwrap_or_default();
                is_meant(&letter.files, name.strip_prefix("data/").unwrap_or(name))
            };
            facts.entries.iter().any(means).then_some((*id, letter))
        });
        // Of what was turned down already, the newest is meant; but a letter that nothing came of goes before it.
        let first = meant.next()?;
        let is_open =
            |id: &NoticeId| self.view.notices.rows.get(id).is_some_and(|row| row.batch.is_none());
        let mut chosen = first;
        for next in meant {
            match (is_open(&chosen.0), is_open(&next.0)) {
                (true, true) => return None,
                (true, false) => {}
                (false, _) => chosen = next,
            }
        }
        Some(chosen)
    }

    fn judged(&self, facts: &Facts, link: &Link, now: Timestamp) -> (Option<NoticeId>, Look) {
        let ledger = LinkLedger { view: &self.view, link: &link.name, except: None };
        let letter = self.letter_for(link, facts).filter(|_| facts.manifest == Document::Missing);
        let look = judge::judge(&Question {
            facts,
            link,
            ledger: &ledger,
            stage: Stage::Looking,
            received_at: now,
            now,
            announced: letter.map(|(_, letter)| letter),
        });
        (letter.map(|(id, _)| id), look)
    }

    /// Unsigned deliveries are claimed and quarantined after `incomplete_after`, others after `abandon_after`. Not
    /// while the time is doubted: a claim wipes the originals.
    fn waited_out(&self, link: &Link, reason: Reason, since: Timestamp, now: Timestamp) -> bool {
        let zone = self.rules.zone;
        let after = match reason {
            Reason::Unsigned => Some(self.rules.incomplete_after),
            _ => link.abandon_after.or(self.rules.abandon_after),
        };
        !self.view.time_doubted && after.is_some_and(|period| period.after(since, zone) <= now)
    }

    fn open_keybox(&mut self, link: &Link) {
        // The remains of a key keep no other key from being taken, and are told until they are gone.
        if let Err(error) = self.ports.intake.finish_keybox(link) {
            self.unreadable(link, &error.to_string());
        }
        match self.ports.intake.keybox(link) {
            Ok(files) => {
                if let Some(walk) = &mut self.inboxes.walk {
                    walk.keys = files.into();
                }
            }
            Err(error) => self.unreadable(link, &error.to_string()),
        }
    }

    fn take_key_file(&mut self, link: &Link, file: KeyFile) -> Result<(), EngineError> {
        if self.resident && self.todo.is_left(&link.name, &file.number, self.ports.clock.now()) {
            self.unreadable(link, KEY_LEFT);
            return Ok(());
        }
        let arrival = Arrival {
            link: &link.name,
            number: &file.number,
            form: file.form,
            channel: "keybox",
            keybox: true,
            signed: None,
        };
        self.take_key(AGENT, &arrival, file.bytes)?;
        Ok(())
    }

    /// Deliveries that are not batches yet: the resident agent tells what it saw last, anybody else takes a fresh
    /// look that changes nothing.
    ///
    /// # Errors
    /// The key store.
    pub fn waiting(&mut self) -> Result<Vec<Waiting>, EngineError> {
        if self.resident {
            return Ok(self.seen());
        }
        let links: Vec<Link> = self.rules.links.values().cloned().collect();
        let now = self.ports.clock.now();
        let mut rows = Vec::new();
        for link in &links {
            let Ok(scan) = self.ports.intake.scan(link) else { continue };
            for delivery in scan.folders {
                if self.is_being_cleared(link, &delivery)? {
                    continue;
                }
                let Ok(Some(facts)) = self.ports.intake.look(link, &delivery) else { continue };
                let reason = match self.judged(&facts, link, now).1 {
                    Look::Wait(reason) => Some(reason),
                    Look::Complete(_) | Look::Refuse(_) => None,
                };
                let mac = self.name_mac(&link.name, &delivery)?;
                let since = self.view.delivery_named(&link.name, mac).map(|(_, seen)| seen.since);
                let (link, delivery) = (link.name.clone(), shown(&delivery));
                rows.push(Waiting { link, delivery, reason, since });
            }
        }
        Ok(rows)
    }

    /// What lies in the inboxes and is no delivery, and the links whose inbox or keybox cannot be read; as with
    /// [`Self::waiting`], what the resident agent saw last, or a fresh look.
    ///
    /// # Errors
    /// The key store.
    pub fn strays(&mut self) -> Result<(Vec<Stray>, Vec<String>), EngineError> {
        let links: Vec<Link> = self.rules.links.values().cloned().collect();
        let (mut strays, mut unread) = (Vec::new(), Vec::new());
        for link in &links {
            if self.resident {
                strays.extend(self.inboxes.strays.get(&link.name).into_iter().flatten().cloned());
                unread.extend(self.inboxes.unread.get_key_value(&link.name).map(|u| u.0.clone()));
                continue;
            }
            match self.ports.intake.scan(link) {
                Ok(scan) => strays.extend(self.strays_of(link, &scan)?),
                Err(_) => unread.push(link.name.clone()),
            }
            let left = self.ports.intake.left_in_keybox(link);
            if !matches!(left, Ok(0) | Err(_)) && unread.last() != Some(&link.name) {
                unread.push(link.name.clone());
            }
        }
        Ok((strays, unread))
    }

    fn seen(&self) -> Vec<Waiting> {
        let row = |(id, folder): (&DeliveryId, &Folder)| {
            let seen = self.view.deliveries.get(id)?;
            Some(Waiting {
                link: seen.link.clone(),
                delivery: shown(&folder.name),
                reason: folder.reason,
                since: Some(seen.since),
            })
        };
        self.inboxes.folders.iter().filter_map(row).collect()
    }
}

/// How many copies a claim will make.
fn claimable(facts: &Facts) -> u64 {
    if facts.is_over_limit() {
        return 0;
    }
    facts.entries.iter().filter(|entry| entry.kind == EntryKind::File).count() as u64
}
