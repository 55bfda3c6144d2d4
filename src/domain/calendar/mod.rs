//! Dates as people write and read them, in both calendars: 2027-12-31 is ROC 116-12-31. Beside them the days that offices
//! work ([`working`], from the government's own files, [`office`]) and the ends of legal periods ([`legal`]).
//!
//! A year is never guessed: four digits are a year of the common era and must not be before 1912, three digits are a year
//! of the ROC, and two are refused where nothing says which it is. So `116-12-31` can be nothing but 2027, `26/12/31` may
//! be 1937 or 2026 and is not read, and `0116-12-31` is nothing at all.

pub mod legal;
pub mod office;
pub mod working;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

pub use working::{MissingYear, WorkingDays};

use super::time::Timestamp;

/// The year before ROC 1.
const EPOCH: i32 = 1911;

/// Why a text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDay {
    /// Two digits of a year may be of either calendar, and are never guessed.
    ShortYear,
    /// A year with four digits is of the common era, and there it is before the ROC.
    BeforeRoc,
    /// Its parts are there, and the calendar has no such day.
    NotInCalendar,
    /// It is written in no form that is read.
    Form,
}

impl NoDay {
    /// What to do about it.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::ShortYear => {
                "a year of two digits may be of either calendar: write 026/12/31, 民國26年12月31日 or 2026-12-31"
            }
            Self::BeforeRoc => {
                "a year of four digits is of the common era, and none before 1912 is taken: for the ROC write 116/12/31"
            }
            Self::NotInCalendar => "the calendar has no such day: look at the month and the day",
            Self::Form => {
                "write 2027-12-31, or in the ROC calendar 116/12/31, 116.12.31, 1161231 or 民國116年12月31日"
            }
        }
    }
}

/// Reads a day: `2027-12-31`, `116/12/31`, `116-12-31`, `116.12.31`, `1161231` or `民國116年12月31日`; of month and day a
/// zero in front may be left out where something parts them.
///
/// # Errors
/// Why it is none. A year of two digits is read after `民國` only: `26/12/31` may be 1937 or 2026.
pub fn read_date(text: &str) -> Result<NaiveDate, NoDay> {
    let text = text.trim();
    let named = text.strip_prefix("中華民國").or_else(|| text.strip_prefix("民國"));
    if let Some(rest) = named {
        let parts = rest.split_once('年').and_then(|(year, rest)| {
            let (month, day) = rest.split_once('月')?;
            Some((year.trim(), month.trim(), day.strip_suffix('日')?.trim()))
        });
        let (year, month, day) = parts.ok_or(NoDay::Form)?;
        return roc(year, month, day);
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.len() {
            7 => roc(&text[..3], &text[3..5], &text[5..]),
            6 => Err(NoDay::ShortYear),
            _ => Err(NoDay::Form),
        };
    }
    let separator = ['/', '.', '-'].into_iter().find(|sign| text.contains(*sign));
    let parts: Vec<&str> = separator.map(|sign| text.split(sign).collect()).unwrap_or_default();
    let &[year, month, day] = parts.as_slice() else { return Err(NoDay::Form) };
    if parts.iter().any(|part| part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit())) {
        return Err(NoDay::Form);
    }
    match year.len() {
        4 if year.starts_with('0') => Err(NoDay::Form),
        4 if number(year, 4).is_some_and(|year| i64::from(year) <= i64::from(EPOCH)) => {
            Err(NoDay::BeforeRoc)
        }
        4 if separator == Some('-') => {
            let year = number(year, 4).and_then(|year| i32::try_from(year).ok());
            in_calendar(year.ok_or(NoDay::Form)?, month, day)
        }
        3 => roc(year, month, day),
        1 | 2 => Err(NoDay::ShortYear),
        _ => Err(NoDay::Form),
    }
}

/// As [`read_date`], without the reason.
#[must_use]
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    read_date(text).ok()
}

/// Reads a day as its last millisecond in `zone`, or an RFC 3339 time as it stands.
#[must_use]
pub fn parse_end(text: &str, zone: Tz) -> Option<Timestamp> {
    match parse_date(text) {
        Some(date) => Some(Timestamp::end_of_day(date, zone)),
        None => Timestamp::parse(text).filter(|at| at.date_in(zone).year() > EPOCH),
    }
}

/// A day in both calendars: `2027-12-31 (ROC 116-12-31)`. Before the ROC there is one calendar only.
#[must_use]
pub fn date(date: NaiveDate) -> String {
    let year = date.year() - EPOCH;
    if year < 1 {
        return date.to_string();
    }
    format!("{date} (ROC {year}-{:02}-{:02})", date.month(), date.day())
}

/// A point in time on the wall of `zone`, in both calendars: `2027-12-31 (ROC 116-12-31) 17:00 +08:00`.
#[must_use]
pub fn time(at: Timestamp, zone: Tz) -> String {
    format!("{} {}", date(at.date_in(zone)), at.clock_in(zone))
}

/// An end: the day alone where it lasts to the end of that day, the time otherwise.
#[must_use]
pub fn end(at: Timestamp, zone: Tz) -> String {
    let day = at.date_in(zone);
    if Timestamp::end_of_day(day, zone) == at { date(day) } else { time(at, zone) }
}

/// A day as it stands on paper: `116/12/31`. A day before the ROC has no such form, and stands as `1911-12-31`.
#[must_use]
pub fn roc_day(at: Timestamp, zone: Tz) -> String {
    let date = at.date_in(zone);
    let year = date.year() - EPOCH;
    if year < 1 {
        return date.to_string();
    }
    format!("{year}/{:02}/{:02}", date.month(), date.day())
}

/// A point in time as it stands on paper: `116/12/31 17:00`.
#[must_use]
pub fn roc_time(at: Timestamp, zone: Tz) -> String {
    let clock = at.clock_in(zone);
    format!("{} {}", roc_day(at, zone), clock.split(' ').next().unwrap_or_default())
}

/// A day in full: `中華民國116年12月31日`.
#[must_use]
pub fn roc_full(at: Timestamp, zone: Tz) -> String {
    let date = at.date_in(zone);
    let year = date.year() - EPOCH;
    if year < 1 {
        return format!("西元{}年{}月{}日", date.year(), date.month(), date.day());
    }
    format!("中華民國{year}年{}月{}日", date.month(), date.day())
}

/// The last day of the month that `day` lies in.
pub(crate) fn end_of_month(day: NaiveDate) -> NaiveDate {
    (28..=31).rev().find_map(|last| day.with_day(last)).unwrap_or(day)
}

/// A year of the ROC as it is written, without its century being guessed.
fn roc(year: &str, month: &str, day: &str) -> Result<NaiveDate, NoDay> {
    let digits = matches!(year.len(), 1..=3) && year.bytes().all(|b| b.is_ascii_digit());
    let year = year.parse::<i32>().ok().filter(|_| digits).ok_or(NoDay::Form)?;
    if year == 0 { Err(NoDay::NotInCalendar) } else { in_calendar(EPOCH + year, month, day) }
}

fn in_calendar(year: i32, month: &str, day: &str) -> Result<NaiveDate, NoDay> {
    let (month, day) = (short(month).ok_or(NoDay::Form)?, short(day).ok_or(NoDay::Form)?);
    NaiveDate::from_ymd_opt(year, month, day).ok_or(NoDay::NotInCalendar)
}

/// Exactly so many ASCII digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// One or two digits, as they stand before 月 and 日.
fn short(text: &str) -> Option<u32> {
    number(text, text.len().clamp(1, 2))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use chrono_tz::Asia::Taipei;
    use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn day(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(year, month, day)
    }

    /// Every day from the first of the ROC to the end of 2910, which is the last that three digits can write.
    fn days() -> impl Strategy<Value = NaiveDate> {
        let (first, last) = (day(1912, 1, 1).unwrap(), day(2910, 12, 31).unwrap());
        (first.num_days_from_ce()..=last.num_days_from_ce())
            .prop_map(|n| NaiveDate::from_num_days_from_ce_opt(n).unwrap())
    }

    #[test]
    fn every_form_is_the_same_day() {
        for text in [
            "2027-12-31",
            "116/12/31",
            "116-12-31",
            "1161231",
            "民國116年12月31日",
            "中華民國116年12月31日",
            "116.12.31",
            " 116/12/31 ",
            "民國 116 年 12 月 31 日",
        ] {
            assert_eq!(parse_date(text), day(2027, 12, 31), "{text}");
        }
        for text in ["099/01/02", "0990102", "099/1/2", "民國99年1月2日", "2010-1-2", "099.1.2"]
        {
            assert_eq!(parse_date(text), day(2010, 1, 2), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_says_why() {
        for (text, why) in [
            ("26/12/31", NoDay::ShortYear),
            ("99-01-02", NoDay::ShortYear),
            ("261231", NoDay::ShortYear),
            ("12/31/2027", NoDay::ShortYear),
            ("1911-12-31", NoDay::BeforeRoc),
            ("1160-12-31", NoDay::BeforeRoc),
            ("0116-12-31", NoDay::Form),
            ("116/02/30", NoDay::NotInCalendar),
            ("1161331", NoDay::NotInCalendar),
            ("000/01/01", NoDay::NotInCalendar),
            ("民國0年1月1日", NoDay::NotInCalendar),
            ("2027/12/31", NoDay::Form),
            ("20271231", NoDay::Form),
            ("１１６/12/31", NoDay::Form),
            ("116/12", NoDay::Form),
            ("", NoDay::Form),
            ("soon", NoDay::Form),
        ] {
            assert_eq!(read_date(text), Err(why), "{text}");
        }
    }

    #[test]
    fn what_could_be_another_day_is_none() {
        for text in [
            "",
            "0116-12-31",
            "1911-12-31",
            "0099-01-02",
            "116-2-30",
            "116/02/30",
            "1160230",
            "9/1/2",
            "000/01/01",
            "0000101",
            "2027/12/31",
            "20271231",
            "12/31/2027",
            "116-12/31",
            "116.12/31",
            "990102",
            "99/01/02",
            "116-12-31-",
            "+16-12-31",
            "１１６/12/31",
            "民國116年12月",
            "民國2027年12月31日",
            "民國116年+1月31日",
            "0116-12-31T00:00:00+08:00",
            "1911-12-31T00:00:00+08:00",
            "民國年月日",
        ] {
            assert_eq!(parse_end(text, Taipei), None, "{text}");
        }
    }

    #[test]
    fn paper_has_the_roc_calendar() {
        let at = Timestamp::parse("2027-12-31T17:00:00+08:00").unwrap();
        assert_eq!(roc_day(at, Taipei), "116/12/31");
        assert_eq!(roc_time(at, Taipei), "116/12/31 17:00");
        assert_eq!(roc_full(at, Taipei), "中華民國116年12月31日");
        let before = Timestamp::parse("1911-12-31T12:00:00+08:00").unwrap();
        assert_eq!(roc_day(before, Taipei), "1911-12-31");
    }

    #[test]
    fn a_day_is_shown_in_both_calendars() {
        assert_eq!(date(day(2027, 12, 31).unwrap()), "2027-12-31 (ROC 116-12-31)");
        assert_eq!(date(day(1912, 1, 1).unwrap()), "1912-01-01 (ROC 1-01-01)");
        assert_eq!(date(day(1911, 12, 31).unwrap()), "1911-12-31");
        let at = Timestamp::parse("2027-12-31T17:00:00+08:00").unwrap();
        assert_eq!(time(at, Taipei), "2027-12-31 (ROC 116-12-31) 17:00 +08:00");
        assert_eq!(end(at, Taipei), time(at, Taipei));
        assert_eq!(
            end(parse_end("116/12/31", Taipei).unwrap(), Taipei),
            "2027-12-31 (ROC 116-12-31)"
        );
    }

    proptest! {
        #[test]
        fn a_day_is_the_same_in_whatever_form_it_is_written(date in days()) {
            let (year, month, day) = (date.year() - EPOCH, date.month(), date.day());
            let mut forms = vec![date.to_string()];
            forms.push(format!("{year:03}/{month:02}/{day:02}"));
            forms.push(format!("{year:03}-{month}-{day}"));
            forms.push(format!("{year:03}.{month:02}.{day:02}"));
            forms.push(format!("{year:03}{month:02}{day:02}"));
            forms.push(format!("民國{year}年{month}月{day}日"));
            for form in forms {
                prop_assert_eq!(parse_date(&form), Some(date), "{}", form);
            }
        }

        #[test]
        fn what_is_shown_is_read_as_what_it_was(day in days()) {
            let shown = date(day);
            let (common, roc) = shown.split_once(" (ROC ").unwrap();
            let roc = roc.trim_end_matches(')');
            prop_assert_eq!(parse_date(common), Some(day));
            let padded = format!("{roc:0>9}");
            prop_assert_eq!(parse_date(&padded), Some(day));
        }

        #[test]
        fn no_text_is_a_day_before_the_roc(text in "[0-9民國年月日/.:TZ+-]{0,20}") {
            if let Some(date) = parse_date(&text) {
                prop_assert!(date.year() > EPOCH);
            }
        }

        #[test]
        fn three_digits_are_years_of_the_roc(year in 1u32..=999, month in 1u32..=12, day in 1u32..=28) {
            let read = parse_date(&format!("{year:03}-{month:02}-{day:02}")).unwrap();
            prop_assert_eq!(u32::try_from(read.year()).unwrap(), year + 1911);
        }
    }
}
