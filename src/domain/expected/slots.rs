//! What became of each expected delivery: a pure function of the rules, the calendars, what the register says and the time.
//!
//! Each slot is one point in time of one rule and is met by at most one batch; each batch meets at most one slot. A batch
//! meets the earliest slot that still waited for one when it came; only where none waited, the earliest that was missed. So
//! a delivery that is left out for good does not shift all that follow. A batch that is quarantined or turned down meets
//! nothing and leaves its slot as it was; it is shown with it.
//!
//! What the register has recorded stays: a slot that was missed was missed, whatever comes after.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Expectation;
use crate::domain::{
    calendar::{MissingYear, WorkingDays},
    ids::BatchId,
    manifest::Kind,
    time::Timestamp,
    words::words,
};

words! {
    /// Where an expected delivery stands.
    SlotState {
        /// Its time has not come.
        Upcoming = "upcoming",
        /// Its time has come.
        Due = "due",
        /// It is late.
        Late = "late",
        /// It is missing.
        Missing = "missing",
        /// It came before its time.
        Early = "early",
        /// It came in time.
        OnTime = "on-time",
        /// It came after all, late or after it was missing.
        CameLate = "came-late",
    }
}

impl SlotState {
    /// Whether a delivery came.
    #[must_use]
    pub const fn is_met(self) -> bool {
        matches!(self, Self::Early | Self::OnTime | Self::CameLate)
    }
}

/// What the register has recorded of a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// When it was recorded as missing.
    pub missed: Option<Timestamp>,
    /// The batch that it was met by, and when that came.
    pub came: Option<(BatchId, Timestamp)>,
}

/// A rule, and since when it counts.
#[derive(Clone, Copy, Debug)]
pub struct Expecting<'a> {
    /// The rule.
    pub rule: &'a Expectation,
    /// Since when: nothing is looked at that was expected at this time or before, but what is recorded as missed and has
    /// not come.
    pub since: Timestamp,
    /// Until when, at most.
    pub until: Timestamp,
    /// What is recorded, by the slot's time.
    pub decided: &'a BTreeMap<Timestamp, Decided>,
}

/// How a batch stands, as far as it counts here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is verified, and waits to be loaded: it may yet be turned away.
    Verified,
    /// It was loaded: nothing takes that back.
    Loaded,
    /// It is quarantined, or was turned down.
    TurnedAway,
}

/// A batch that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// When it was claimed.
    pub at: Timestamp,
    /// The batch.
    pub batch: BatchId,
    /// Full or delta, where that is known.
    pub kind: Option<Kind>,
    /// How it stands.
    pub standing: Standing,
}

/// One expected delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its time.
    pub due: Timestamp,
    /// The rule, by its place in the list.
    pub rule: usize,
    /// Where it stands.
    pub state: SlotState,
    /// The batch that met it, when that came, and how it stands.
    pub met: Option<(BatchId, Timestamp, Standing)>,
    /// Batches that would have met it and were turned away.
    pub turned_away: Vec<BatchId>,
    /// From when a delivery counts as this one.
    pub from: Timestamp,
    /// Late after this.
    pub late: Timestamp,
    /// Missing after this.
    pub missing: Timestamp,
    /// What is recorded.
    pub decided: Decided,
}

/// The slots of a link, by time and rule, and the first year whose calendar is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// The slots.
    pub list: Vec<Slot>,
    /// The year; slots that need it are not there.
    pub missing: Option<MissingYear>,
}

/// What there is to know besides: the time, the site's zone and its working days.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// Now.
    pub now: Timestamp,
    /// The zone of times of day.
    pub zone: Tz,
    /// Working days.
    pub calendar: &'a WorkingDays,
}

/// The slots of a link's rules until `until` (not further than each rule's own end), and what became of them. `arrived` are
/// batches that no slot was recorded as met by.
#[must_use]
pub fn slots(rules: &[Expecting<'_>], arrived: &[Arrived], until: Timestamp, at: At<'_>) -> Slots {
    let mut slots = Slots::default();
    for (n, expecting) in rules.iter().enumerate() {
        let end = until.min(expecting.until);
        let times = expecting.rule.times(expecting.since, end, at.zone, at.calendar);
        slots.missing = slots.missing.or(times.missing);
        // What is recorded stands, also where a calendar that changed since would have another day.
        let recorded = expecting.decided.iter().filter(|(due, decided)| {
            **due <= until && (**due > expecting.since || decided.came.is_none())
        });
        let mut all = times.at;
        all.extend(recorded.map(|(due, _)| *due));
        slots.list.extend(all.into_iter().map(|due| open(n, expecting, due, at)));
    }
    slots.list.sort_by_key(|slot| (slot.due, slot.rule));
    let mut arrived = arrived.to_vec();
    arrived.sort_by_key(|one| (one.at, one.batch));
    for one in &arrived {
        let Some(slot) = place(&slots.list, rules, one).and_then(|n| slots.list.get_mut(n)) else {
            continue;
        };
        if one.standing == Standing::TurnedAway {
            slot.turned_away.push(one.batch);
        } else {
            slot.met = Some((one.batch, one.at, one.standing));
        }
    }
    for slot in &mut slots.list {
        slot.state = state(slot, at.now);
    }
    slots
}

/// Until when what was expected by a rule is over for good: something came that was expected later, and no batch that waits
/// can be taken for it. `rules` are all of the link, `arrived` as in [`slots`].
#[must_use]
pub fn over(
    rules: &[Expectation],
    decided: &BTreeMap<Timestamp, Decided>,
    arrived: &[Arrived],
) -> Option<Timestamp> {
    let met = decided.iter().rev().find(|(_, slot)| slot.came.is_some()).map(|(due, _)| *due)?;
    let last = arrived.iter().map(|one| one.at).min().map_or(met, |at| at.min(met));
    let longest = rules.iter().map(|rule| rule.missing_after.seconds_in_all()).max();
    Some(last.plus_seconds(-longest.unwrap_or(0) - 1))
}

fn open(rule: usize, expecting: &Expecting<'_>, due: Timestamp, at: At<'_>) -> Slot {
    let Expectation { late_after, missing_after, .. } = expecting.rule;
    let decided = expecting.decided.get(&due).copied().unwrap_or_default();
    Slot {
        due,
        rule,
        state: SlotState::Upcoming,
        met: decided.came.map(|(batch, at)| (batch, at, Standing::Loaded)),
        turned_away: Vec::new(),
        from: counts_from(expecting.rule, due, at),
        late: late_after.after(due, at.zone),
        missing: missing_after.after(due, at.zone),
        decided,
    }
}

/// From when a delivery counts as the one of this time: `early` before it, and never before the middle between it and the
/// one before of the same rule, so that a second delivery of one day is not taken for the next day's.
fn counts_from(rule: &Expectation, due: Timestamp, at: At<'_>) -> Timestamp {
    let early = rule.early.seconds_in_all();
    let from = due.plus_seconds(-early);
    let just_before = Timestamp::from_millis(due.millis() - 1);
    let near = rule.times(due.plus_seconds(-2 * early), just_before, at.zone, at.calendar);
    let middle = near.at.last().map(|last| i64::midpoint(last.millis(), due.millis()));
    middle.map_or(from, |middle| from.max(Timestamp::from_millis(middle)))
}

/// The slot that a batch meets: the earliest that waited for one when it came, else the earliest that was missed by then.
fn place(slots: &[Slot], rules: &[Expecting<'_>], one: &Arrived) -> Option<usize> {
    let takes = |slot: &Slot| {
        let rule = rules.get(slot.rule).map(|expecting| expecting.rule);
        slot.met.is_none() && slot.from <= one.at && rule.is_some_and(|rule| rule.takes(one.kind))
    };
    let open = || slots.iter().enumerate().filter(|(_, slot)| takes(slot));
    let waited = open().find(|(_, slot)| one.at <= slot.missing);
    waited.or_else(|| open().next()).map(|(n, _)| n)
}

fn state(slot: &Slot, now: Timestamp) -> SlotState {
    match slot.met {
        Some(_) if slot.decided.missed.is_some() => SlotState::CameLate,
        Some((_, at, _)) if at < slot.due => SlotState::Early,
        Some((_, at, _)) if at <= slot.late => SlotState::OnTime,
        Some(_) => SlotState::CameLate,
        None if slot.decided.missed.is_some() => SlotState::Missing,
        None if now < slot.due => SlotState::Upcoming,
        None if now <= slot.late => SlotState::Due,
        None if now <= slot.missing => SlotState::Late,
        None => SlotState::Missing,
    }
}

#[cfg(test)]
mod tests;
