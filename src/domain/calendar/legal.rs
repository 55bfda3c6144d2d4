//! Ends of legal periods, by 民法 119 to 123 and 行政程序法 48: the first day is not counted, and a month ends the day before
//! the one that corresponds to its beginning.
//!
//! An event on 28 February begins a month on 1 March, which ends on 31 March; counted naively it ends on 28 March. What has
//! to be destroyed goes by the earlier of the two and is never put off by a day off, for early is always lawful. A notice may
//! take until the legal end, and until the next working day where that is a day off. Hours and shorter spans run from their
//! moment (民法 120 I) and are not counted here.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::{WorkingDays, end_of_month, working::MissingYear};
use crate::domain::time::Period;

/// The last day of a period that an event begins (民法 120 II, 121; 行政程序法 48 II, III), whatever day it is.
#[must_use]
pub fn last_day(event: NaiveDate, period: Period) -> NaiveDate {
    let months = if period.months == 0 { Some(event) } else { months(event, period.months) };
    let end = months.and_then(|day| day.checked_add_days(Days::new(u64::from(period.days))));
    end.unwrap_or(NaiveDate::MAX)
}

/// The last day on which something may be destroyed whose period an event began: the earlier of the naive and the legal one,
/// never rolled on to a working day (REGULATIONS 1.7). [`Period::after`] is this day at the event's own time.
#[must_use]
pub fn destruction_day(event: NaiveDate, period: Period) -> NaiveDate {
    period.day_after(event).min(last_day(event, period))
}

/// The end of a period for a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeEnd {
    /// Its last day, always a working day.
    pub day: NaiveDate,
    /// Whether the morning of that day ends it: the period itself ended on a Saturday.
    pub morning: bool,
}

/// Until when a notice may be given whose period an event began: where the legal end is a day off, the next working day
/// (行政程序法 48 IV, 民法 122); after a Saturday its morning only.
///
/// # Errors
/// The calendar of a year is missing.
pub fn notice_day(
    event: NaiveDate,
    period: Period,
    calendar: &WorkingDays,
) -> Result<NoticeEnd, MissingYear> {
    let end = last_day(event, period);
    let day = calendar.roll_forward(end)?;
    Ok(NoticeEnd { day, morning: day != end && end.weekday() == Weekday::Sat })
}

/// The day before the one that corresponds to the first counted day; the last of the month where there is none (民法 121 II).
fn months(event: NaiveDate, months: u32) -> Option<NaiveDate> {
    let first = event.succ_opt()?;
    // The month is reached from its first day, so that a short month cuts nothing.
    let reached = first.with_day(1)?.checked_add_months(Months::new(months))?;
    match reached.with_day(first.day()) {
        Some(day) => day.pred_opt(),
        None => Some(end_of_month(reached)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use chrono_tz::Asia::Taipei;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::domain::{
        calendar::working::tests::{date, shipped},
        time::Timestamp,
    };

    fn period(text: &str) -> Period {
        Period::parse(text).unwrap()
    }

    #[test]
    fn a_month_ends_before_its_corresponding_day() {
        for (event, text, legal, destroyed) in [
            ("2026-02-28", "P1M", "2026-03-31", "2026-03-28"), // REGULATIONS 1.7
            ("2026-01-31", "P1M", "2026-02-28", "2026-02-28"),
            ("2026-01-30", "P1M", "2026-02-28", "2026-02-28"),
            ("2026-03-31", "P1M", "2026-04-30", "2026-04-30"),
            ("2026-03-15", "P1M", "2026-04-15", "2026-04-15"),
            ("2026-12-31", "P2M", "2027-02-28", "2027-02-28"),
            ("2023-02-28", "P1Y", "2024-02-29", "2024-02-28"),
            ("2024-02-29", "P1Y", "2025-02-28", "2025-02-28"),
            ("2026-03-15", "P10D", "2026-03-25", "2026-03-25"),
            ("2026-02-28", "P1M10D", "2026-04-10", "2026-04-07"),
            ("2026-03-15", "P0D", "2026-03-15", "2026-03-15"),
        ] {
            let (event, period) = (date(event), period(text));
            assert_eq!(last_day(event, period), date(legal), "{event} {text}");
            assert_eq!(destruction_day(event, period), date(destroyed), "{event} {text}");
        }
    }

    #[test]
    fn a_notice_rolls_on_and_a_destruction_never_does() {
        let calendar = shipped();
        // 2026-02-14 is the first day of nine days off; a Saturday.
        let end = notice_day(date("2026-02-04"), period("P10D"), &calendar).unwrap();
        assert_eq!(end, NoticeEnd { day: date("2026-02-23"), morning: true });
        assert_eq!(destruction_day(date("2026-02-04"), period("P10D")), date("2026-02-14"));
        let end = notice_day(date("2026-02-05"), period("P10D"), &calendar).unwrap();
        assert_eq!(end, NoticeEnd { day: date("2026-02-23"), morning: false }, "a Sunday");
        // A make-up Saturday is a working day like others.
        let end = notice_day(date("2024-02-07"), period("P10D"), &calendar).unwrap();
        assert_eq!(end, NoticeEnd { day: date("2024-02-17"), morning: false });
        let missing = notice_day(date("2027-12-01"), period("P1M"), &calendar);
        assert_eq!(missing, Err(MissingYear(2028)));
    }

    proptest! {
        /// What destruction clocks count by: a deadline is never later than the law allows.
        #[test]
        fn the_naive_day_is_never_after_the_legal_one(
            n in 0..40_000_u64, months in 0..130_u32, days in 0..400_u32,
        ) {
            let event = date("2000-01-01").checked_add_days(Days::new(n)).unwrap();
            let period = Period { months, days, seconds: 0 };
            prop_assert_eq!(destruction_day(event, period), period.day_after(event));
            prop_assert!(last_day(event, period) >= event);
            let noon = Timestamp::at(event, 12 * 60, Taipei);
            prop_assert_eq!(period.after(noon, Taipei).date_in(Taipei), destruction_day(event, period));
        }

        #[test]
        fn a_later_event_never_ends_earlier(n in 0..40_000_u64, months in 0..130_u32, days in 0..400_u32) {
            let event = date("2000-01-01").checked_add_days(Days::new(n)).unwrap();
            let period = Period { months, days, seconds: 0 };
            prop_assert!(last_day(event.succ_opt().unwrap(), period) >= last_day(event, period));
        }
    }
}
