//! Expected deliveries: since when each rule of a link counts, and which deliveries are missing or came after all.
//!
//! Only what is certain is recorded: a slot is met once its batch is loaded and none that came before is still judged, and
//! missing once everything that lies there was looked at, in looks that began after it was missing. An inbox that cannot be
//! read, a server that was not looked into since, or a delivery that is being claimed or judged leaves it open. Nothing here changes a batch.

use std::collections::BTreeMap;

use super::{Engine, EngineError, rules::Rules};
use crate::domain::{
    digest::Digest,
    entry::{AGENT, Body, DeliveryCame, DeliveryMissed, ExpectationBegun, ExpectationEnded},
    expected::{
        ExpectationEnd,
        slots::{At, Decided, Expecting, Slot, SlotState, Slots, Standing, over, slots},
    },
    link::{Link, LinkStatus},
    time::Timestamp,
    view::{ExpectedRule, View},
};

/// How far ahead slots are looked at.
const AHEAD_SECONDS: i64 = 2 * 86_400;
/// What is recorded of a rule that the register does not know yet.
static NOTHING: BTreeMap<Timestamp, Decided> = BTreeMap::new();

/// What is expected on a link.
pub struct Looked {
    /// Its slots; their `rule` is a place in the link's list.
    pub slots: Slots,
    /// The entry that began each rule of the list, where there is one.
    pub begun: Vec<Option<u64>>,
}

/// What is expected on a link until `until` at least, and what became of it; nothing on one that takes no deliveries. A rule
/// that the register does not know yet begins now.
#[must_use]
pub fn look(view: &View, rules: &Rules, link: &Link, now: Timestamp, until: Timestamp) -> Looked {
    from_floor(view, rules, link, (now, until), &|_, _| None)
}

/// As [`look`], without what is over for good: of each rule, what came before the last one that came, and no batch can be
/// taken for any more. A link of many years is looked at as fast as a new one.
#[must_use]
pub fn look_at_open(
    view: &View,
    rules: &Rules,
    link: &Link,
    now: Timestamp,
    until: Timestamp,
) -> Looked {
    let arrived = view.unmatched_of(&link.name);
    let floor = |_: u64, row: &ExpectedRule| over(&link.expect, &row.decided, &arrived);
    from_floor(view, rules, link, (now, until), &floor)
}

fn from_floor(
    view: &View,
    rules: &Rules,
    link: &Link,
    (now, until): (Timestamp, Timestamp),
    floor: &dyn Fn(u64, &ExpectedRule) -> Option<Timestamp>,
) -> Looked {
    if link.standing(now).is_some() || link.expect.is_empty() {
        return Looked { slots: Slots::default(), begun: vec![None; link.expect.len()] };
    }
    let mut begun = Vec::with_capacity(link.expect.len());
    let mut expecting = Vec::with_capacity(link.expect.len());
    for rule in &link.expect {
        let terms = rule.terms();
        let row = view.expected.standing_of(&link.name).find(|(_, row)| row.terms == terms);
        begun.push(row.map(|(id, _)| id));
        let floor = row.and_then(|(id, row)| floor(id, row));
        expecting.push(Expecting {
            rule,
            since: row.map_or(now, |(_, row)| floor.map_or(row.since, |at| at.max(row.since))),
            until: link.approved_until,
            decided: row.map_or(&NOTHING, |(_, row)| &row.decided),
        });
    }
    // What came early is the next one's, also where that is not asked for.
    let early = link.expect.iter().map(|rule| rule.early.seconds_in_all()).max();
    let until = until.max(now.plus_seconds(early.unwrap_or(0)));
    let at = At { now, zone: rules.zone, calendar: &rules.working };
    Looked { slots: slots(&expecting, &view.unmatched_of(&link.name), until, at), begun }
}

/// What is remembered of the last look.
#[derive(Default)]
pub(super) struct Expectations {
    /// Something may have changed.
    wanted: bool,
    /// Entries and configuration at the last look that found nothing to record.
    seen: Option<(u64, Digest)>,
    /// When time itself brings something about.
    next: Option<Timestamp>,
    /// Everything up to here is recorded, by the entry of the rule.
    floors: BTreeMap<u64, Timestamp>,
}

impl Expectations {
    /// Something may have changed.
    pub(super) const fn sweep(&mut self) {
        self.wanted = true;
    }

    /// When time itself brings something about.
    pub(super) const fn next(&self) -> Option<Timestamp> {
        self.next
    }
}

impl Engine {
    /// Records what is certain of expected deliveries. Only where there is nothing else to do: what lies in inboxes and at
    /// servers has been looked at by then.
    pub(super) fn expect_on(&mut self) -> Result<bool, EngineError> {
        if !self.expecting.wanted || self.view.time_doubted || !self.hands.is_free() {
            return Ok(false);
        }
        self.expecting.wanted = false;
        let now = self.ports.clock.now();
        let state = (self.view.size, self.rules.digest);
        if self.expecting.seen == Some(state) && self.expecting.next.is_none_or(|at| now < at) {
            return Ok(false);
        }
        let mut bodies = Vec::new();
        let mut next: Option<Timestamp> = None;
        let (mut settled, mut scans) = (true, false);
        let links: Vec<Link> =
            self.rules.links.values().filter(|link| !link.expect.is_empty()).cloned().collect();
        for link in &links {
            let Some(told) = self.expect_of(link, now, &mut bodies) else { continue };
            next = next.into_iter().chain([told.next]).min();
            settled &= told.settled;
            if told.scan {
                self.inboxes.look_at(&link.name);
                scans = true;
            }
        }
        self.turn_rules(now, &mut bodies);
        self.expecting.next = next;
        let any = self.record_all(AGENT, bodies)?;
        // What was recorded is looked at once more, from the register.
        self.expecting.wanted = any;
        // One that is missing and not certain yet is looked at again at each sweep, which every look ends with.
        self.expecting.seen = (!any && settled).then_some(state);
        Ok(any || scans)
    }

    /// What there is to record of one link, and when to look again.
    fn expect_of(&mut self, link: &Link, now: Timestamp, bodies: &mut Vec<Body>) -> Option<ToldOf> {
        let until = now.plus_seconds(AHEAD_SECONDS);
        let looked = from_floor(&self.view, &self.rules, link, (now, until), &|id, _| {
            self.expecting.floors.get(&id).copied()
        });
        if link.standing(now).is_some() {
            return None;
        }
        let judged = self.view.judged_since(&link.name);
        let seen = self.seen_at(link).filter(|_| judged.is_none());
        let scanned = self.inboxes.seen_at(&link.name);
        let (mut settled, mut scan) = (true, false);
        let mut next = until.min(link.approved_until.plus_seconds(1));
        let mut floors: BTreeMap<u64, Timestamp> = BTreeMap::new();
        for slot in &looked.slots.list {
            let Some(rule) = looked.begun.get(slot.rule).copied().flatten() else { continue };
            bodies.extend(certain(&link.name, rule, slot, seen, judged));
            let open = slot.decided == Decided::default();
            if open {
                floors.entry(rule).or_insert(Timestamp::from_millis(slot.due.millis() - 1));
            }
            if !open || slot.met.is_some() {
                continue;
            }
            if slot.missing >= now {
                next = next.min(Timestamp::from_millis(slot.missing.millis() + 1));
            } else if !is_after(seen, slot.missing) {
                settled = false;
                // The server is looked into when its turn comes; the inbox is here, and is looked through now.
                scan |= !self.inboxes.is_unread(&link.name) && !is_after(scanned, slot.missing);
            }
        }
        if looked.slots.missing.is_none() {
            self.expecting.floors.extend(floors);
        }
        Some(ToldOf { next, settled, scan })
    }

    /// Rules that begin and end.
    fn turn_rules(&self, now: Timestamp, bodies: &mut Vec<Body>) {
        let (view, rules) = (&self.view, &self.rules);
        for name in view.expected.links() {
            let link = rules.links.get(name);
            for (expectation, row) in view.expected.standing_of(name) {
                let why = match link {
                    Some(link) if link.status == LinkStatus::Active => {
                        if link.approved_until < now {
                            ExpectationEnd::LinkExpired
                        } else if link.expect.iter().any(|rule| rule.terms() == row.terms) {
                            continue;
                        } else {
                            ExpectationEnd::Changed
                        }
                    }
                    _ => ExpectationEnd::LinkInactive,
                };
                bodies.push(Body::ExpectationEnded(ExpectationEnded { expectation, why }));
            }
        }
        for link in rules.links.values().filter(|link| link.standing(now).is_none()) {
            let terms = link.expect.iter().map(|rule| rule.terms());
            let known =
                |terms: &_| view.expected.standing_of(&link.name).any(|row| row.1.terms == *terms);
            let new = terms.filter(|terms| !known(terms));
            bodies.extend(new.map(|terms| {
                Body::ExpectationBegun(ExpectationBegun { link: link.name.clone(), terms })
            }));
        }
    }

    /// When the looks began that everything of a link was seen and claimed in; nothing where something is not.
    fn seen_at(&self, link: &Link) -> Option<Timestamp> {
        let sources = &self.ports.sources;
        let mut seen = self.inboxes.seen_at(&link.name)?;
        if link.source.is_some() {
            if sources.is_looking(&link.name) || sources.standing(&link.name).trouble.is_some() {
                return None;
            }
            seen = seen.min(self.fetching.seen_at(&link.name)?);
        }
        let claiming = self.running.values().any(|job| job.of.delivery.is_some());
        let done = !claiming && self.inboxes.is_done_with(&self.view, &link.name);
        done.then_some(seen)
    }
}

/// What a look at one link has told.
struct ToldOf {
    /// When time itself brings something about.
    next: Timestamp,
    /// Nothing is missing that is not certain to be.
    settled: bool,
    /// Its inbox is to be looked through first.
    scan: bool,
}

/// Whether something was seen after this.
fn is_after(seen: Option<Timestamp>, at: Timestamp) -> bool {
    seen.is_some_and(|seen| seen > at)
}

/// What is certain of a slot and not recorded: `seen` is when the looks began that everything was seen in, `judged` when
/// the first batch came that is still being judged, and may be any slot's that a later one would have.
fn certain(
    link: &str,
    expectation: u64,
    slot: &Slot,
    seen: Option<Timestamp>,
    judged: Option<Timestamp>,
) -> Option<Body> {
    let (link, due) = (link.to_owned(), slot.due);
    match slot.met {
        Some((batch, at, Standing::Loaded)) if slot.decided.came.is_none() => {
            let first = judged.is_none_or(|judged| at < judged);
            first.then_some(Body::DeliveryCame(DeliveryCame { link, expectation, due, batch }))
        }
        None if slot.state == SlotState::Missing
            && slot.decided.missed.is_none()
            && is_after(seen, slot.missing) =>
        {
            Some(Body::DeliveryMissed(DeliveryMissed { link, expectation, due }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::BatchId;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    /// Due at 100, missing after 200.
    fn slot(state: SlotState, met: Option<(BatchId, Timestamp, Standing)>) -> Slot {
        Slot {
            due: at(100),
            rule: 0,
            state,
            met,
            turned_away: Vec::new(),
            from: at(50),
            late: at(150),
            missing: at(200),
            decided: Decided::default(),
        }
    }

    #[test]
    fn nothing_is_missing_before_a_look_that_began_after_it_was() {
        let missing = slot(SlotState::Missing, None);
        for (seen, recorded) in
            [(None, false), (Some(20), false), (Some(200), false), (Some(201), true)]
        {
            let found = certain("a", 1, &missing, seen.map(at), None);
            assert_eq!(found.is_some(), recorded, "{seen:?}");
        }
        assert!(certain("a", 1, &slot(SlotState::Late, None), Some(at(201)), None).is_none());
    }

    #[test]
    fn a_later_batch_takes_no_slot_for_good_while_an_earlier_one_is_judged() {
        let met = slot(SlotState::OnTime, Some((BatchId::new(2), at(120), Standing::Loaded)));
        for (judged, recorded) in [(None, true), (Some(110), false), (Some(130), true)] {
            let found = certain("a", 1, &met, None, judged.map(at));
            assert_eq!(found.is_some(), recorded, "{judged:?}");
        }
    }
}
