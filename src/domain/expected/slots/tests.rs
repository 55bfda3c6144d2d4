//! Slots against the clock, by hand and at random.
#![allow(clippy::unwrap_used, reason = "tests")]
use std::collections::BTreeSet;

use chrono_tz::Asia::Taipei;
use proptest::{
    collection::vec,
    prelude::{Strategy, prop_assert, prop_assert_eq, proptest},
};

use super::*;
use crate::domain::{
    calendar::working::tests::shipped,
    expected::{Every, WhenOff},
    time::Period,
};

fn rule(every: &str) -> Expectation {
    Expectation {
        every: Every::parse(every).unwrap(),
        when_off: WhenOff::Stays,
        kind: None,
        from: None,
        early: Period::parse("P2D").unwrap(),
        late_after: Period::parse("PT4H").unwrap(),
        missing_after: Period::parse("P3D").unwrap(),
    }
}

/// A day and time of November and December 2026 in Taipei: `23T09:00`; December's days go on from 31.
fn at(text: &str) -> Timestamp {
    let (day, time) = text.split_once('T').unwrap();
    let (day, month) = match day.parse::<u32>().unwrap() {
        day @ 1..=30 => (day, 11),
        day => (day - 30, 12),
    };
    Timestamp::parse(&format!("2026-{month:02}-{day:02}T{time}:00+08:00")).unwrap()
}

fn came(id: u64, when: &str, standing: Standing) -> Arrived {
    Arrived { at: at(when), batch: BatchId::new(id), kind: None, standing }
}

type Known = BTreeMap<Timestamp, Decided>;

fn look(rules: &[Expectation], decided: &Known, arrived: &[Arrived], now: &str) -> Slots {
    let calendar = shipped();
    let expecting: Vec<Expecting<'_>> = rules
        .iter()
        .map(|rule| Expecting { rule, since: at("21T00:00"), until: at("60T00:00"), decided })
        .collect();
    let when = At { now: at(now), zone: Taipei, calendar: &calendar };
    slots(&expecting, arrived, at(now).plus_seconds(2 * 86_400), when)
}

/// Day, state, batch of each slot.
fn shown(slots: &Slots) -> Vec<(String, &'static str, Option<u64>)> {
    let row = |slot: &Slot| {
        let batch = slot.met.map(|(batch, ..)| batch.number());
        (slot.due.date_in(Taipei).to_string()[5..].to_owned(), slot.state.word(), batch)
    };
    slots.list.iter().map(row).collect()
}

#[track_caller]
fn check(arrived: &[Arrived], now: &str, expected: &[(&str, &'static str, Option<u64>)]) {
    let found = look(&[rule("monday 09:00")], &Known::new(), arrived, now);
    let expected: Vec<_> =
        expected.iter().map(|(day, state, batch)| ((*day).to_owned(), *state, *batch)).collect();
    assert_eq!(shown(&found), expected, "{now}");
}

#[test]
fn a_slot_goes_from_upcoming_to_missing_by_the_clock_alone() {
    for (now, state) in [
        ("22T10:00", "upcoming"),
        ("23T08:59", "upcoming"),
        ("23T09:00", "due"),
        ("23T13:00", "due"),
        ("23T13:01", "late"),
        ("26T09:00", "late"),
        ("26T09:01", "missing"),
    ] {
        check(&[], now, &[("11-23", state, None)]);
    }
}

#[test]
fn a_delivery_is_early_in_time_or_came_after_all() {
    for (when, state) in [
        ("21T09:00", "early"),
        ("23T08:59", "early"),
        ("23T09:00", "on-time"),
        ("23T13:00", "on-time"),
        ("23T13:01", "came-late"),
        ("27T09:00", "came-late"),
    ] {
        check(&[came(1, when, Standing::Loaded)], "27T10:00", &[("11-23", state, Some(1))]);
        check(&[came(1, when, Standing::Verified)], "27T10:00", &[("11-23", state, Some(1))]);
    }
    // Before that it is nobody's.
    check(&[came(1, "21T08:59", Standing::Loaded)], "23T09:00", &[("11-23", "due", None)]);
}

#[test]
fn one_that_is_left_out_for_good_does_not_shift_all_that_follow() {
    let weekly = [came(1, "30T09:10", Standing::Loaded), came(2, "37T09:10", Standing::Loaded)];
    check(
        &weekly,
        "37T10:00",
        &[("11-23", "missing", None), ("11-30", "on-time", Some(1)), ("12-07", "on-time", Some(2))],
    );
    // A second one, where none waits, is the one that was missed.
    let both = [came(1, "30T09:10", Standing::Loaded), came(2, "30T09:20", Standing::Loaded)];
    check(&both, "31T10:00", &[("11-23", "came-late", Some(2)), ("11-30", "on-time", Some(1))]);
    // Between the two it is the missing one, until the next one's time is near.
    check(&[came(1, "27T09:00", Standing::Loaded)], "28T08:00", &[("11-23", "came-late", Some(1))]);
    check(
        &[came(1, "28T09:00", Standing::Loaded)],
        "28T10:00",
        &[("11-23", "missing", None), ("11-30", "early", Some(1))],
    );
}

#[test]
fn what_is_turned_away_leaves_its_slot_open_and_is_shown_with_it() {
    let arrived = [came(1, "23T09:10", Standing::TurnedAway)];
    let found = look(&[rule("monday 09:00")], &Known::new(), &arrived, "23T12:00");
    assert_eq!(shown(&found), [("11-23".to_owned(), "due", None)]);
    assert_eq!(found.list[0].turned_away, [BatchId::new(1)]);
    let again = [arrived[0], came(2, "23T12:30", Standing::Loaded)];
    check(&again, "23T14:00", &[("11-23", "on-time", Some(2))]);
}

#[test]
fn another_kind_is_none_of_it_and_two_rules_share_no_batch() {
    let full = Expectation { kind: Some(Kind::Full), ..rule("monday 09:00") };
    let delta = Expectation { kind: Some(Kind::Delta), ..rule("monday 10:00") };
    let of = |id, kind| Arrived { kind: Some(kind), ..came(id, "23T09:30", Standing::Loaded) };
    let rules = [full.clone(), delta];
    let found = look(&rules, &Known::new(), &[of(1, Kind::Delta)], "23T11:00");
    assert_eq!(
        shown(&found),
        [("11-23".to_owned(), "due", None), ("11-23".to_owned(), "early", Some(1))]
    );
    let found = look(&rules, &Known::new(), &[of(1, Kind::Full), of(2, Kind::Full)], "23T11:00");
    assert_eq!(shown(&found)[1], ("11-23".to_owned(), "due", None));
    let same = [full.clone(), full];
    let found = look(&same, &Known::new(), &[of(1, Kind::Full), of(2, Kind::Full)], "23T11:00");
    let batches: Vec<_> = shown(&found).into_iter().map(|row| row.2).collect();
    assert_eq!(batches, [Some(1), Some(2)]);
}

#[test]
fn what_is_recorded_stands() {
    let missed = Decided { missed: Some(at("26T10:00")), came: None };
    let known = Known::from([(at("23T09:00"), missed)]);
    // Claimed in time, and released from quarantine only after it was recorded as missing.
    let found =
        look(&[rule("monday 09:00")], &known, &[came(1, "23T09:10", Standing::Loaded)], "27T10:00");
    assert_eq!(shown(&found), [("11-23".to_owned(), "came-late", Some(1))]);
    let met = Decided { came: Some((BatchId::new(7), at("24T09:10"))), ..Decided::default() };
    // A day that a calendar has no more, with what was recorded of it.
    let known = Known::from([(at("24T09:00"), met)]);
    let found = look(&[rule("monday 09:00")], &known, &[], "25T09:00");
    assert_eq!(
        shown(&found),
        [("11-23".to_owned(), "late", None), ("11-24".to_owned(), "on-time", Some(7))]
    );
}

#[test]
fn nothing_is_expected_before_a_rule_begins_or_after_it_ends() {
    let calendar = shipped();
    let (rule, none) = (rule("day 09:00"), Known::new());
    let (since, until) = (at("23T09:00"), at("25T09:00"));
    let expecting = Expecting { rule: &rule, since, until, decided: &none };
    let when = At { now: at("60T00:00"), zone: Taipei, calendar: &calendar };
    let found = slots(&[expecting], &[], at("60T00:00"), when);
    let days: Vec<_> = shown(&found).into_iter().map(|row| row.0).collect();
    assert_eq!(days, ["11-24", "11-25"]);
}

#[test]
fn a_second_delivery_of_one_day_hides_no_day_on_which_nothing_comes() {
    let day = Period::parse("P1D").unwrap();
    let daily = Expectation { early: day, missing_after: day, ..rule("day 09:00") };
    let arrived = [
        came(2, "23T09:10", Standing::Loaded),
        came(3, "23T10:00", Standing::Loaded),
        came(4, "24T09:10", Standing::Loaded),
    ];
    let found = look(std::slice::from_ref(&daily), &Known::new(), &arrived, "24T10:00");
    let rows: Vec<_> = shown(&found).into_iter().map(|row| (row.0, row.2)).collect();
    let row = |text: &str, batch| (text.to_owned(), batch);
    assert_eq!(
        rows[2..],
        [row("11-23", Some(2)), row("11-24", Some(4)), row("11-25", None), row("11-26", None)]
    );
    let evening = [came(5, "23T21:00", Standing::Loaded)];
    let found = look(&[daily], &Known::new(), &evening, "24T10:00");
    let from = found.list.iter().find(|slot| slot.due == at("24T09:00")).unwrap().from;
    assert_eq!(from, at("23T21:00"), "half-way to the one before");
}

/// How far a slot has come: never back, but from late or missing to came late.
fn may_follow(before: SlotState, after: SlotState) -> bool {
    let order = [SlotState::Upcoming, SlotState::Due, SlotState::Late, SlotState::Missing];
    let rank = |state| order.iter().position(|one| *one == state);
    match (rank(before), rank(after)) {
        (Some(before), Some(after)) => before <= after,
        (Some(_), None) => true,
        (None, None) => before == after,
        (None, Some(_)) => false,
    }
}

/// What a person has to be told of: unmet, and not missing before one that came.
fn still_open(slots: &Slots) -> Vec<(Timestamp, SlotState)> {
    let last = slots.list.iter().filter(|slot| slot.met.is_some()).map(|slot| slot.due).max();
    let missed =
        |slot: &&Slot| slot.state != SlotState::Missing || last.is_none_or(|at| slot.due > at);
    let unmet = slots.list.iter().filter(|slot| slot.met.is_none()).filter(missed);
    unmet.map(|slot| (slot.due, slot.state)).collect()
}

/// Minutes until the next thing, whether a delivery comes then, whether it is turned away, and its kind.
fn happenings() -> impl Strategy<Value = Vec<(i64, u8, bool)>> {
    vec((1_i64..3_000, 0_u8..4, proptest::bool::ANY), 1..60)
}

proptest! {
    /// As the agent does it: at each moment what is certain is recorded, and the next look goes on from there.
    #[test]
    fn no_slot_is_lost_doubled_or_taken_back(
        happenings in happenings(), which in 0_usize..5, forgets in proptest::bool::ANY,
    ) {
        let texts = ["day 09:00", "working day 09:00", "monday 09:00", "day 5 of the month 09:00",
            "last working day of the month 12:00"];
        let mut rule = rule(texts[which]);
        if which == 2 {
            rule.kind = Some(Kind::Full);
        }
        let calendar = shipped();
        let since = at("1T00:00");
        let (mut now, mut decided, mut arrived) = (since, Known::new(), Vec::<Arrived>::new());
        let mut before: BTreeMap<Timestamp, (SlotState, Option<BatchId>)> = BTreeMap::new();
        for (id, (minutes, what, full)) in (1..).zip(happenings) {
            now = now.plus_seconds(minutes * 60);
            let kind = Some(if full { Kind::Full } else { Kind::Delta });
            let standing = match what {
                0 => None,
                1 => Some(Standing::TurnedAway),
                2 => Some(Standing::Verified),
                _ => Some(Standing::Loaded),
            };
            arrived.extend(standing.map(|standing| Arrived { at: now, batch: BatchId::new(id), kind, standing }));
            let until = now.plus_seconds(40 * 86_400);
            let expecting = Expecting { rule: &rule, since, until, decided: &decided };
            let found = slots(&[expecting], &arrived, until, At { now, zone: Taipei, calendar: &calendar });
            let dues: Vec<Timestamp> = found.list.iter().map(|slot| slot.due).collect();
            let all: Vec<Timestamp> = rule.times(since, until, Taipei, &calendar).at.into_iter().collect();
            prop_assert_eq!(&dues, &all, "each once, none lost");
            let met: Vec<BatchId> = found.list.iter().filter_map(|slot| slot.met.map(|met| met.0)).collect();
            prop_assert_eq!(met.len(), met.iter().collect::<BTreeSet<_>>().len(), "no batch twice");
            // What is open is the same without what is over for good.
            let rules = std::slice::from_ref(&rule);
            let floor = over(rules, &decided, &arrived).map_or(since, |at| at.max(since));
            let short = Expecting { rule: &rule, since: floor, until, decided: &decided };
            let short = slots(&[short], &arrived, until, At { now, zone: Taipei, calendar: &calendar });
            prop_assert_eq!(still_open(&short), still_open(&found));
            for slot in &found.list {
                let batch = slot.met.map(|met| met.0);
                if let Some((state, old)) = before.get(&slot.due) {
                    prop_assert!(may_follow(*state, slot.state), "{:?} after {state:?}", slot.state);
                    prop_assert!(old.is_none() || *old == batch, "another batch");
                }
                before.insert(slot.due, (slot.state, batch));
                // Between two starts nothing may be remembered but what is recorded.
                if slot.state == SlotState::Missing && slot.decided.missed.is_none() && !forgets {
                    decided.entry(slot.due).or_default().missed = Some(now);
                }
                if let Some((batch, when, Standing::Loaded)) = slot.met {
                    decided.entry(slot.due).or_default().came = Some((batch, when));
                    arrived.retain(|one| one.batch != batch);
                }
            }
            // A batch that waited for its key is loaded at some time.
            if what == 0 {
                for one in &mut arrived {
                    if one.standing == Standing::Verified { one.standing = Standing::Loaded; }
                }
            }
        }
    }
}
