//! Ends of periods as a policy counts them: one reading for what is destroyed, one for what is told (REGULATIONS 1.7).

use super::{CalendarRule, MonthRule, length::Length};
use crate::domain::{
    calendar::{WorkingDays, legal},
    time::{Period, Timestamp},
};

impl CalendarRule {
    /// By when something has to be destroyed whose period began at `start`: never put off by a day off, for early is always
    /// lawful. The naive end is never later than the legal one, so that `earlier` is the naive one; a policy that counts
    /// months as the law does (民法 121) may take until that day.
    #[must_use]
    pub fn destroy_by(self, period: Period, start: Timestamp, zone: chrono_tz::Tz) -> Timestamp {
        let naive = period.after(start, zone);
        match self.month_rule {
            MonthRule::Naive | MonthRule::Earlier => naive,
            MonthRule::Legal => {
                let last = legal::last_day(start.date_in(zone), period);
                let days = (last - naive.date_in(zone)).num_days().max(0);
                naive.plus_seconds(days * 86_400)
            }
        }
    }

    /// By when a notice has to be given whose period an event began: [`notice_by`] where the policy lets notices roll on, and
    /// the end of the last day itself where it does not. Working days are working days either way.
    #[must_use]
    pub fn notice_by(
        self,
        event: Timestamp,
        length: Length,
        zone: chrono_tz::Tz,
        calendar: &WorkingDays,
    ) -> Timestamp {
        let rolls = self.notices_roll_forward || matches!(length, Length::WorkingDays(_));
        if rolls { notice_by(event, length, zone, calendar) } else { plain(event, length, zone) }
    }
}

/// By when a notice is given, or something done, that a period is set for which an event began: the end of the last day of
/// its legal period, on the next working day where that is a day off (行政程序法 48); a period in working days counts those
/// alone. Where the calendar of that year is missing nothing rolls on and every day counts, which is never later: a missing
/// calendar puts nothing off.
#[must_use]
pub fn notice_by(
    event: Timestamp,
    length: Length,
    zone: chrono_tz::Tz,
    calendar: &WorkingDays,
) -> Timestamp {
    let day = event.date_in(zone);
    let rolled = match length {
        Length::Calendar(period) if period.seconds > 0 => None,
        Length::Calendar(period) => {
            legal::notice_day(day, period, calendar).ok().map(|end| end.day)
        }
        Length::WorkingDays(days) => {
            calendar.add(day, i32::try_from(days).unwrap_or(i32::MAX)).ok()
        }
    };
    rolled.map_or_else(|| plain(event, length, zone), |day| Timestamp::end_of_day(day, zone))
}

/// The same with no day off in the year.
fn plain(event: Timestamp, length: Length, zone: chrono_tz::Tz) -> Timestamp {
    let day = event.date_in(zone);
    match length {
        // Hours run from their moment (民法 120 I).
        Length::Calendar(period) if period.seconds > 0 => period.after(event, zone),
        Length::Calendar(period) => Timestamp::end_of_day(legal::last_day(day, period), zone),
        // So many days in a row are never later than so many working days.
        Length::WorkingDays(days) => {
            let days = Period { days, ..Period::ZERO };
            Timestamp::end_of_day(days.day_after(day), zone)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use chrono_tz::Asia::Taipei;

    use super::*;
    use crate::domain::calendar::working::tests::{date, shipped};

    fn at(text: &str) -> Timestamp {
        Timestamp::at(date(text), 600, Taipei)
    }

    fn rule(month_rule: MonthRule, notices_roll_forward: bool) -> CalendarRule {
        CalendarRule { month_rule, notices_roll_forward }
    }

    #[test]
    fn a_policy_that_counts_as_the_law_does_has_until_that_day_and_no_policy_puts_off_for_a_day_off()
     {
        let month = Period::parse("P1M").unwrap();
        let end =
            |month_rule, start: &str| rule(month_rule, true).destroy_by(month, at(start), Taipei);
        // REGULATIONS 1.7; 2026-02-28 is a Saturday, and so is 2026-03-28.
        assert_eq!(end(MonthRule::Earlier, "2026-02-28"), at("2026-03-28"));
        assert_eq!(end(MonthRule::Naive, "2026-02-28"), at("2026-03-28"));
        assert_eq!(end(MonthRule::Legal, "2026-02-28"), at("2026-03-31"));
        assert_eq!(end(MonthRule::Legal, "2026-03-15"), at("2026-04-15"));
        let now = rule(MonthRule::Legal, true).destroy_by(Period::ZERO, at("2026-02-28"), Taipei);
        assert_eq!(now, at("2026-02-28"));
    }

    #[test]
    fn a_notice_rolls_on_where_the_policy_lets_it_and_the_calendar_is_there() {
        let week = Length::parse("P7D").unwrap();
        let by = |rolls, event: &str, calendar: &WorkingDays| {
            let end = rule(MonthRule::Earlier, rolls).notice_by(at(event), week, Taipei, calendar);
            end.date_in(Taipei)
        };
        // Its last day is a Sunday.
        assert_eq!(by(true, "2026-11-15", &shipped()), date("2026-11-23"));
        assert_eq!(by(false, "2026-11-15", &shipped()), date("2026-11-22"));
        assert_eq!(by(true, "2026-11-15", &WorkingDays::default()), date("2026-11-22"));
        let three = Length::parse("3 working days").unwrap();
        let rule = rule(MonthRule::Earlier, false);
        let day = |calendar: &WorkingDays| {
            rule.notice_by(at("2026-02-12"), three, Taipei, calendar).date_in(Taipei)
        };
        assert_eq!(day(&shipped()), date("2026-02-24"));
        assert_eq!(day(&WorkingDays::default()), date("2026-02-15"));
    }

    #[test]
    fn a_notice_rolls_to_a_working_day_and_working_days_are_counted_as_such() {
        let calendar = shipped();
        let day = |event: &str, length: &str| {
            let length = Length::parse(length).unwrap();
            notice_by(at(event), length, Taipei, &calendar).date_in(Taipei)
        };
        assert_eq!(day("2026-02-12", "3 working days"), date("2026-02-24")); // REGULATIONS 2e
        assert_eq!(day("2026-11-15", "P7D"), date("2026-11-23")); // a Sunday
        assert_eq!(day("2026-11-16", "P7D"), date("2026-11-23"));
    }
}
