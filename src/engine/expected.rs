//! Expected deliveries: since when each rule of a link counts, and which deliveries are missing or came after all.
//!
//! Only what is certain is recorded: a slot is met once its batch is loaded, and missing once everything that lies there was
//! looked at. An inbox that cannot be read, a server that was not looked into, or a delivery that is about to be claimed
//! leaves it open. Nothing here changes a batch.

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
        let links: Vec<Link> =
            self.rules.links.values().filter(|link| !link.expect.is_empty()).cloned().collect();
        for link in &links {
            let at = self.expect_of(link, now, &mut bodies);
            next = next.into_iter().chain(at).min();
        }
        self.turn_rules(now, &mut bodies);
        self.expecting.next = next;
        let any = self.record_all(AGENT, bodies)?;
        // What was recorded is looked at once more, from the register.
        self.expecting.wanted = any;
        self.expecting.seen = (!any).then_some(state);
        Ok(any)
    }

    /// What there is to record of one link, and when to look again.
    fn expect_of(
        &mut self,
        link: &Link,
        now: Timestamp,
        bodies: &mut Vec<Body>,
    ) -> Option<Timestamp> {
        let until = now.plus_seconds(AHEAD_SECONDS);
        let looked = from_floor(&self.view, &self.rules, link, (now, until), &|id, _| {
            self.expecting.floors.get(&id).copied()
        });
        if link.standing(now).is_some() {
            return None;
        }
        let sure = self.is_all_seen(link);
        let mut next = until.min(link.approved_until.plus_seconds(1));
        let mut floors: BTreeMap<u64, Timestamp> = BTreeMap::new();
        for slot in &looked.slots.list {
            let Some(rule) = looked.begun.get(slot.rule).copied().flatten() else { continue };
            bodies.extend(certain(link, rule, slot, sure));
            let open = slot.decided == Decided::default();
            if open {
                floors.entry(rule).or_insert(Timestamp::from_millis(slot.due.millis() - 1));
            }
            if open && slot.met.is_none() && (slot.missing >= now || !sure) {
                // One that is not certain yet is looked at again as soon as anything is.
                next = next.min(Timestamp::from_millis(slot.missing.millis() + 1));
            }
        }
        if looked.slots.missing.is_none() {
            self.expecting.floors.extend(floors);
        }
        Some(next)
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

    /// Whether everything of a link that has come was looked at and claimed.
    fn is_all_seen(&self, link: &Link) -> bool {
        let sources = &self.ports.sources;
        let fetched = link.source.is_none()
            || (self.fetching.has_looked(&link.name)
                && !sources.is_looking(&link.name)
                && sources.standing(&link.name).trouble.is_none());
        let claiming = self.running.values().any(|job| job.of.delivery.is_some());
        fetched && !claiming && self.inboxes.is_done_with(&self.view, &link.name)
    }
}

/// What is certain of a slot and not recorded.
fn certain(link: &Link, expectation: u64, slot: &Slot, sure: bool) -> Option<Body> {
    let (link, due) = (link.name.clone(), slot.due);
    match slot.met {
        Some((batch, _, Standing::Loaded)) if slot.decided.came.is_none() => {
            Some(Body::DeliveryCame(DeliveryCame { link, expectation, due, batch }))
        }
        None if sure && slot.state == SlotState::Missing && slot.decided.missed.is_none() => {
            Some(Body::DeliveryMissed(DeliveryMissed { link, expectation, due }))
        }
        _ => None,
    }
}
