//! Rules as they are written, and the days that they name.
#![allow(clippy::unwrap_used, reason = "tests")]
use chrono_tz::Asia::Taipei;

use super::*;
use crate::domain::calendar::working::tests::shipped;

pub(super) fn rule(every: &str) -> Expectation {
    Expectation {
        every: Every::parse(every).unwrap(),
        when_off: WhenOff::Stays,
        kind: None,
        from: None,
        early: Period::parse("P1D").unwrap(),
        late_after: Period::parse("PT4H").unwrap(),
        missing_after: Period::parse("P1D").unwrap(),
    }
}

fn days(rule: &Expectation, after: &str, until: &str) -> (Vec<String>, Option<MissingYear>) {
    let at = |day: &str| Timestamp::end_of_day(day.parse().unwrap(), Taipei);
    let times = rule.times(at(after), at(until), Taipei, &shipped());
    let shown = |at: &Timestamp| {
        let clock = at.clock_in(Taipei);
        assert_eq!(
            clock,
            format!("{:02}:{:02} +08:00", rule.every.minutes / 60, rule.every.minutes % 60)
        );
        at.date_in(Taipei).to_string()
    };
    (times.at.iter().map(shown).collect(), times.missing)
}

#[test]
fn a_rule_is_read_and_written_alike() {
    for text in [
        "monday 09:00",
        "sunday 23:59",
        "day 00:00",
        "working day 09:00",
        "first working day of the month 12:00",
        "last working day of the month 17:30",
        "day 5 of the month 09:00",
        "day 31 of the month 09:00",
    ] {
        assert_eq!(Every::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn a_rule_comes_back_from_the_register_as_it_was() {
    let from = Some("2026-12-01".parse().unwrap());
    for rule in [
        rule("working day 09:00"),
        Expectation {
            kind: Some(Kind::Delta),
            from,
            when_off: WhenOff::Back,
            ..rule("day 5 of the month 23:59")
        },
    ] {
        assert_eq!(Expectation::of(&rule.terms()), Some(rule));
    }
}

#[test]
fn what_is_no_rule_is_none() {
    for text in [
        "",
        "monday",
        "09:00",
        "Monday 09:00",
        "mondays 09:00",
        "monday 9:00",
        "monday 24:00",
        "monday 09:60",
        "monday 09:00:00",
        "day 0 of the month 09:00",
        "day 32 of the month 09:00",
        "day +5 of the month 09:00",
        "day 5 09:00",
        "second working day of the month 09:00",
        "working day of the month 09:00",
    ] {
        assert_eq!(Every::parse(text), None, "{text}");
    }
}

#[test]
fn each_rhythm_names_its_days() {
    for (every, after, until, expected) in [
        ("day 09:00", "2026-11-20", "2026-11-22", vec!["2026-11-21", "2026-11-22"]),
        ("monday 09:00", "2026-11-20", "2026-12-01", vec!["2026-11-23", "2026-11-30"]),
        // Nine days off around the New Year.
        (
            "working day 09:00",
            "2026-02-12",
            "2026-02-24",
            vec!["2026-02-13", "2026-02-23", "2026-02-24"],
        ),
        (
            "first working day of the month 12:00",
            "2025-12-31",
            "2026-02-28",
            vec!["2026-01-02", "2026-02-02"],
        ),
        (
            "last working day of the month 12:00",
            "2026-01-15",
            "2026-02-28",
            vec!["2026-01-30", "2026-02-26"],
        ),
        (
            "day 31 of the month 09:00",
            "2026-01-01",
            "2026-04-30",
            vec!["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"],
        ),
    ] {
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(days(&rule(every), after, until), (expected, None), "{every}");
    }
}

#[test]
fn a_day_off_stays_or_rolls_and_two_on_one_day_are_one() {
    let of = |when_off, every: &str, after, until| {
        days(&Expectation { when_off, ..rule(every) }, after, until).0
    };
    for (when_off, expected) in [
        (WhenOff::Stays, "2026-02-15"),
        (WhenOff::Forward, "2026-02-23"),
        (WhenOff::Back, "2026-02-13"),
    ] {
        assert_eq!(
            of(when_off, "day 15 of the month 09:00", "2026-01-31", "2026-02-28"),
            [expected]
        );
    }
    // Monday the 16th is off, the next working day is Monday the 23rd.
    assert_eq!(of(WhenOff::Forward, "monday 09:00", "2026-02-09", "2026-03-01"), ["2026-02-23"]);
    // Whatever the limits are, a day is found where it ends up.
    assert_eq!(of(WhenOff::Forward, "monday 09:00", "2026-02-20", "2026-02-23"), ["2026-02-23"]);
    assert_eq!(of(WhenOff::Back, "monday 09:00", "2026-02-12", "2026-02-14"), ["2026-02-13"]);
}

#[test]
fn the_first_day_counts() {
    let from = Some("2026-11-30".parse().unwrap());
    let rule = Expectation { from, ..rule("monday 09:00") };
    assert_eq!(days(&rule, "2026-11-01", "2026-12-08").0, ["2026-11-30", "2026-12-07"]);
}

#[test]
fn a_missing_calendar_takes_away_only_what_depends_on_it() {
    let (found, missing) =
        days(&rule("first working day of the month 12:00"), "2027-11-30", "2028-01-31");
    assert_eq!((found, missing), (vec!["2027-12-01".to_owned()], Some(MissingYear(2028))));
    let rolled = Expectation { when_off: WhenOff::Back, ..rule("monday 09:00") };
    assert_eq!(days(&rolled, "2027-12-01", "2027-12-14").1, None);
    assert_eq!(days(&rolled, "2027-12-01", "2027-12-28").1, Some(MissingYear(2028)));
    assert_eq!(
        days(&rule("monday 09:00"), "2027-12-26", "2028-01-03"),
        (vec!["2027-12-27".into(), "2028-01-03".into()], None)
    );
}
