//! Expected deliveries: when a link's provider is to deliver, in a closed grammar, and which points in time that makes.
//!
//! A rule that counts working days needs the government's calendar of each year that it touches. Where one is missing, the
//! points that depend on it are left out and the year is told: none is guessed. What became of each point is [`slots`].

pub mod slots;

use std::{collections::BTreeSet, fmt};

use chrono::{Datelike, Days, NaiveDate, Weekday};
use chrono_tz::Tz;

use super::{
    calendar::{MissingYear, WorkingDays, end_of_month},
    entry::ExpectedTerms,
    manifest::Kind,
    time::{Period, Timestamp},
    words::words,
};

words! {
    /// What becomes of a day that is no working day.
    WhenOff {
        /// The day stays.
        Stays = "stays",
        /// The next working day.
        Forward = "forward",
        /// The working day before.
        Back = "back",
    }
    /// Why nothing is expected by a rule any more.
    ExpectationEnd {
        /// The rule is not in the link's file any more, or another stands there.
        Changed = "changed",
        /// The link is suspended, terminated or gone.
        LinkInactive = "link-inactive",
        /// The link's approval has ended.
        LinkExpired = "link-expired",
    }
}

/// Longer runs of days off there are not; a rolled day is looked for this far away.
const OFF_DAYS_MAX: u64 = 14;

/// Which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// Every day.
    Day,
    /// Every working day.
    WorkingDay,
    /// One day of each week.
    Week(Weekday),
    /// The first working day of each month.
    FirstWorkingDay,
    /// The last working day of each month.
    LastWorkingDay,
    /// One day of each month, from 1; the last one of a month that is shorter.
    MonthDay(u32),
}

/// Which days, and at what time of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every {
    /// Which days.
    pub rhythm: Rhythm,
    /// Minutes after midnight by the clock on the wall.
    pub minutes: u32,
}

/// One rule of a link's `expect:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// When.
    pub every: Every,
    /// What becomes of a day off; of working days there is none.
    pub when_off: WhenOff,
    /// Only deliveries of this kind count.
    pub kind: Option<Kind>,
    /// The first day on which one is expected.
    pub from: Option<NaiveDate>,
    /// How long before its time a delivery counts; without months.
    pub early: Period,
    /// How long after its time it is still due, and then late; without months.
    pub late_after: Period,
    /// How long after its time it is missing; without months, and not shorter than `late_after`.
    pub missing_after: Period,
}

/// The points in time of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// In order, none twice.
    pub at: BTreeSet<Timestamp>,
    /// The first year whose calendar is missing; points that need it are not there.
    pub missing: Option<MissingYear>,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

impl Every {
    /// Reads `monday 09:00`, `day 09:00`, `working day 09:00`, `first working day of the month 12:00`, `last working day of
    /// the month 12:00` or `day 5 of the month 09:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (days, time) = text.trim().rsplit_once(' ')?;
        let days = days.trim_end();
        let rhythm = match days {
            "day" => Rhythm::Day,
            "working day" => Rhythm::WorkingDay,
            "first working day of the month" => Rhythm::FirstWorkingDay,
            "last working day of the month" => Rhythm::LastWorkingDay,
            _ => match WEEKDAYS.iter().find(|(name, _)| *name == days) {
                Some((_, day)) => Rhythm::Week(*day),
                None => Rhythm::MonthDay(month_day(days)?),
            },
        };
        Some(Self { rhythm, minutes: minutes(time)? })
    }

    /// Whether its own days are working days.
    #[must_use]
    pub const fn is_of_working_days(self) -> bool {
        matches!(self.rhythm, Rhythm::WorkingDay | Rhythm::FirstWorkingDay | Rhythm::LastWorkingDay)
    }

    /// Whether it names a day, nothing where it does not; before a day off is rolled.
    fn names(
        self,
        day: NaiveDate,
        calendar: &WorkingDays,
    ) -> Result<Option<NaiveDate>, MissingYear> {
        let wanted = match self.rhythm {
            Rhythm::Day => Some(day),
            Rhythm::WorkingDay => calendar.is_working(day)?.then_some(day),
            Rhythm::Week(weekday) => (day.weekday() == weekday).then_some(day),
            Rhythm::MonthDay(n) => (day.day() == n.min(end_of_month(day).day())).then_some(day),
            Rhythm::FirstWorkingDay if day.day() == 1 => Some(calendar.first_of_month(day)?),
            Rhythm::LastWorkingDay if day.day() == 1 => Some(calendar.last_of_month(day)?),
            Rhythm::FirstWorkingDay | Rhythm::LastWorkingDay => None,
        };
        Ok(wanted)
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rhythm {
            Rhythm::Day => f.write_str("day")?,
            Rhythm::WorkingDay => f.write_str("working day")?,
            Rhythm::FirstWorkingDay => f.write_str("first working day of the month")?,
            Rhythm::LastWorkingDay => f.write_str("last working day of the month")?,
            Rhythm::MonthDay(n) => write!(f, "day {n} of the month")?,
            Rhythm::Week(day) => {
                let name = WEEKDAYS.iter().find(|(_, known)| *known == day).map(|(name, _)| *name);
                f.write_str(name.unwrap_or_default())?;
            }
        }
        write!(f, " {:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl Expectation {
    /// Whether it counts by the government's calendars.
    #[must_use]
    pub fn needs_calendar(&self) -> bool {
        self.every.is_of_working_days() || self.when_off != WhenOff::Stays
    }

    /// Whether a delivery of this kind counts; one whose kind nobody knows does.
    #[must_use]
    pub fn takes(&self, kind: Option<Kind>) -> bool {
        self.kind.is_none_or(|wanted| kind.is_none_or(|kind| kind == wanted))
    }

    /// Its points in time after `after`, until `until`.
    #[must_use]
    pub fn times(
        &self,
        after: Timestamp,
        until: Timestamp,
        zone: Tz,
        calendar: &WorkingDays,
    ) -> Times {
        let mut times = Times::default();
        let (first, last) = (after.date_in(zone), until.date_in(zone));
        let roll = self.when_off;
        let back = Days::new(if roll == WhenOff::Forward { OFF_DAYS_MAX } else { 0 });
        let ahead = Days::new(if roll == WhenOff::Back { OFF_DAYS_MAX } else { 0 });
        // A rule of months is asked on the first day of each.
        let first = first.checked_sub_days(back).unwrap_or(first);
        let mut day = if self.every.is_of_working_days() {
            first.with_day(1).unwrap_or(first)
        } else {
            first
        };
        let last = last.checked_add_days(ahead).unwrap_or(last);
        while day <= last {
            match self.on(day, calendar) {
                Ok(Some(day)) if self.from.is_none_or(|from| from <= day) => {
                    let at = Timestamp::at(day, self.every.minutes, zone);
                    if at > after && at <= until {
                        times.at.insert(at);
                    }
                }
                Ok(_) => {}
                Err(year) => times.missing = times.missing.or(Some(year)),
            }
            let Some(next) = day.succ_opt() else { break };
            day = next;
        }
        times
    }

    fn on(&self, day: NaiveDate, calendar: &WorkingDays) -> Result<Option<NaiveDate>, MissingYear> {
        let Some(day) = self.every.names(day, calendar)? else { return Ok(None) };
        Ok(Some(match self.when_off {
            WhenOff::Stays => day,
            WhenOff::Forward => calendar.roll_forward(day)?,
            WhenOff::Back => calendar.roll_back(day)?,
        }))
    }

    /// Reads what the register keeps; nothing where a later version wrote what this one does not know.
    #[must_use]
    pub fn of(terms: &ExpectedTerms) -> Option<Self> {
        let kind = |word: &String| Kind::ALL.into_iter().find(|kind| kind.word() == *word);
        Some(Self {
            every: Every::parse(&terms.every)?,
            when_off: terms.when_off,
            kind: terms.kind.as_ref().and_then(kind),
            from: terms.from.as_ref().and_then(|day| day.parse().ok()),
            early: Period::parse(&terms.early)?,
            late_after: Period::parse(&terms.late_after)?,
            missing_after: Period::parse(&terms.missing_after)?,
        })
    }

    /// As the register keeps it.
    #[must_use]
    pub fn terms(&self) -> ExpectedTerms {
        ExpectedTerms {
            every: self.every.to_string(),
            when_off: self.when_off,
            kind: self.kind.map(|kind| kind.word().to_owned()),
            from: self.from.map(|day| day.to_string()),
            early: self.early.iso(),
            late_after: self.late_after.iso(),
            missing_after: self.missing_after.iso(),
        }
    }
}

/// `day N of the month`.
fn month_day(text: &str) -> Option<u32> {
    let n = text.strip_prefix("day ")?.strip_suffix(" of the month")?;
    let plain = matches!(n.len(), 1 | 2) && n.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| n.parse().ok())?.filter(|n| (1..=31).contains(n))
}

/// `HH:MM`.
fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, below: u32| -> Option<u32> {
        let plain = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| text.parse().ok())?.filter(|n| *n < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

#[cfg(test)]
mod tests;
