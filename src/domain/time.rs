//! Points in time and spans, without a clock.

use std::{fmt, time::Duration};

use chrono::{
    DateTime, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone,
    Utc,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z. Printed and stored as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point `millis` after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The time from here to the end of the millisecond `end`; none where that is over.
    #[must_use]
    pub fn left_until(self, end: Self) -> Duration {
        let millis = end.0.saturating_sub(self.0).saturating_add(1);
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }

    /// This point moved by `seconds`, saturating.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Reads RFC 3339 with any offset.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::<FixedOffset>::parse_from_rfc3339(text).ok().map(|t| Self(t.timestamp_millis()))
    }

    /// The first millisecond of `date` in `zone`.
    #[must_use]
    pub fn start_of_day(date: NaiveDate, zone: chrono_tz::Tz) -> Self {
        Self::of_wall(date.and_time(NaiveTime::MIN), zone)
    }

    /// The first point at which a clock on the wall in `zone` shows this.
    fn of_wall(wall: NaiveDateTime, zone: chrono_tz::Tz) -> Self {
        let at = zone.from_local_datetime(&wall).earliest();
        Self(at.map_or_else(|| wall.and_utc().timestamp_millis(), |at| at.timestamp_millis()))
    }

    /// `minutes` after midnight by the clock on the wall in `zone`, on that day.
    #[must_use]
    pub fn at(date: NaiveDate, minutes: u32, zone: chrono_tz::Tz) -> Self {
        let time = NaiveTime::from_num_seconds_from_midnight_opt(minutes.saturating_mul(60), 0);
        Self::of_wall(date.and_time(time.unwrap_or(NaiveTime::MIN)), zone)
    }

    /// The last millisecond of `date` in `zone`.
    #[must_use]
    pub fn end_of_day(date: NaiveDate, zone: chrono_tz::Tz) -> Self {
        Self(Self::start_of_day(date.succ_opt().unwrap_or(date), zone).0 - 1)
    }

    /// The last millisecond of the month that `first` is the first day of, in `zone`; nothing beyond the calendar.
    #[must_use]
    pub fn end_of_month(first: NaiveDate, zone: chrono_tz::Tz) -> Option<Self> {
        let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
        Some(Self::end_of_day(last, zone))
    }

    /// The calendar day of this point in `zone`.
    #[must_use]
    pub fn date_in(self, zone: chrono_tz::Tz) -> NaiveDate {
        self.utc().with_timezone(&zone).date_naive()
    }

    /// Hour and minute by the clock on the wall in `zone`, with its offset.
    #[must_use]
    pub fn clock_in(self, zone: chrono_tz::Tz) -> String {
        self.utc().with_timezone(&zone).format("%H:%M %:z").to_string()
    }

    /// Hour, minute and second by the clock on the wall in `zone`.
    #[must_use]
    pub fn time_in(self, zone: chrono_tz::Tz) -> String {
        self.utc().with_timezone(&zone).format("%H:%M:%S").to_string()
    }

    /// As the head of a mail has it (RFC 5322, 3.3): `Sun, 22 Nov 2026 00:00:00 +0000`.
    #[must_use]
    pub fn mail_date(self) -> String {
        self.utc().to_rfc2822()
    }

    fn utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or(DateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected an RFC 3339 time"))
    }
}

/// An ISO 8601 period of policy and link files: years, months, days, hours, minutes, seconds (`P1Y`, `P1M`, `P10D`, `P0D`,
/// `PT4H`), or a plain span of hours, minutes or seconds (`4h`, `30s`, `15m`, `2d`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Calendar months.
    pub months: u32,
    /// Days.
    pub days: u32,
    /// Seconds on top.
    pub seconds: u32,
}

impl Period {
    /// Nothing: at once.
    pub const ZERO: Self = Self { months: 0, days: 0, seconds: 0 };

    /// Reads `P…` of years, months, weeks, days and, after a `T`, hours, minutes and seconds; or a number with `s`, `m`, `h`
    /// or `d`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('P') {
            return Self::parse_iso(rest);
        }
        let unit = text.chars().last().filter(|_| !text.starts_with('+'))?;
        let number: u32 = text[..text.len() - unit.len_utf8()].parse().ok()?;
        let seconds = match unit {
            's' => number,
            'm' => number.checked_mul(60)?,
            'h' => number.checked_mul(3600)?,
            'd' => return Some(Self { days: number, ..Self::ZERO }),
            _ => return None,
        };
        Some(Self { seconds, ..Self::ZERO })
    }

    /// Seconds of its days and what is on top; months have no one length, and are left out.
    #[must_use]
    pub fn seconds_in_all(self) -> i64 {
        i64::from(self.days) * 86_400 + i64::from(self.seconds)
    }

    /// The span in words.
    #[must_use]
    pub fn words(self) -> String {
        match (self.months, self.days, self.seconds) {
            (0, 0, 0) => "at once".to_owned(),
            (0, days, 0) => format!("{days} days"),
            (months, 0, 0) => format!("{months} months"),
            (months, days, seconds) => format!("{months} months {days} days {seconds} seconds"),
        }
    }

    /// As [`Self::parse`] reads it, and ISO 8601 has it: `P0D`, `P1M10D`, `P1DT4H`.
    #[must_use]
    pub fn iso(self) -> String {
        let parts = |list: [(u32, char); 3]| -> String {
            let said = list.into_iter().filter(|(number, _)| *number > 0);
            said.map(|(number, unit)| format!("{number}{unit}")).collect()
        };
        let days = parts([(self.months, 'M'), (self.days, 'D'), (0, ' ')]);
        let (hours, minutes) = (self.seconds / 3600, self.seconds / 60 % 60);
        let time = parts([(hours, 'H'), (minutes, 'M'), (self.seconds % 60, 'S')]);
        match (days.as_str(), time.as_str()) {
            ("", "") => "P0D".to_owned(),
            (_, "") => format!("P{days}"),
            _ => format!("P{days}T{time}"),
        }
    }

    fn parse_iso(rest: &str) -> Option<Self> {
        let mut period = Self::ZERO;
        let (days, time) = rest.split_once('T').map_or((rest, None), |(days, t)| (days, Some(t)));
        if rest.is_empty() || time.is_some_and(str::is_empty) {
            return None;
        }
        each_part(days, |number, unit| match unit {
            b'Y' => add(&mut period.months, number.checked_mul(12)?),
            b'M' => add(&mut period.months, number),
            b'W' => add(&mut period.days, number.checked_mul(7)?),
            b'D' => add(&mut period.days, number),
            _ => None,
        })?;
        each_part(time.unwrap_or_default(), |number, unit| match unit {
            b'H' => add(&mut period.seconds, number.checked_mul(3600)?),
            b'M' => add(&mut period.seconds, number.checked_mul(60)?),
            b'S' => add(&mut period.seconds, number),
            _ => None,
        })?;
        Some(period)
    }

    /// The day so many months and days after an event: the naive corresponding day.
    #[must_use]
    pub fn day_after(self, event: NaiveDate) -> NaiveDate {
        event
            .checked_add_months(Months::new(self.months))
            .and_then(|d| d.checked_add_days(chrono::Days::new(u64::from(self.days))))
            .unwrap_or(NaiveDate::MAX)
    }

    /// The point one period after `start`, by the calendar of `zone`: the naive corresponding day, which is never
    /// later than the legal one (REGULATIONS 1.7: for destruction the earlier of the two, never rolled forward; see
    /// [`super::calendar::legal::destruction_day`]).
    #[must_use]
    pub fn after(self, start: Timestamp, zone: chrono_tz::Tz) -> Timestamp {
        let local = start.utc().with_timezone(&zone).naive_local();
        let moved = self.day_after(local.date()).and_time(local.time());
        Timestamp::of_wall(moved, zone).plus_seconds(i64::from(self.seconds))
    }
}

/// Each number of a period with the letter behind it.
fn each_part(mut rest: &str, mut take: impl FnMut(u32, u8) -> Option<()>) -> Option<()> {
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        take(rest[..digits].parse().ok()?, rest.as_bytes()[digits])?;
        rest = rest.get(digits + 1..)?;
    }
    Some(())
}

fn add(sum: &mut u32, more: u32) -> Option<()> {
    *sum = sum.checked_add(more)?;
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn periods_in_both_notations() {
        for (text, months, days, seconds) in [
            ("P1Y", 12, 0, 0),
            ("P1M10D", 1, 10, 0),
            ("P0D", 0, 0, 0),
            ("4h", 0, 0, 14_400),
            ("2d", 0, 2, 0),
            ("PT4H", 0, 0, 14_400),
            ("P1DT1H30M5S", 0, 1, 5405),
        ] {
            assert_eq!(Period::parse(text), Some(Period { months, days, seconds }), "{text}");
        }
        for text in [
            "", "P", "1", "P1X", "h", "-1d", "+1d", "P1", "P+1D", "PT", "P1DT", "PT1D", "P1H",
            "P1é",
        ] {
            assert_eq!(Period::parse(text), None, "{text}");
        }
        for text in ["P0D", "P1M10D", "PT4H", "P1DT1H30M5S", "P12M"] {
            assert_eq!(Period::parse(text).unwrap().iso(), text);
        }
    }

    #[test]
    fn a_month_after_the_last_of_january_is_the_last_of_february() {
        let start = Timestamp::parse("2027-01-31T10:00:00+08:00").unwrap();
        let end = Period::parse("P1M").unwrap().after(start, chrono_tz::Asia::Taipei);
        assert_eq!(end.to_string(), "2027-02-28T02:00:00.000Z");
    }
}
