//! Dates as people write and read them, in both calendars: 2027-12-31 is ROC 116-12-31. Beside them the days that offices
//! work ([`working`], from the government's own files, [`office`]) and the ends of legal periods ([`legal`]).
//!
//! A year is never guessed: four digits are a year of the common era and must not be before 1912, two or three digits
//! are a year of the ROC. So `116-12-31` can be nothing but 2027, and `0116-12-31` is nothing at all.

pub mod legal;
pub mod office;
pub mod working;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

pub use working::{MissingYear, WorkingDays};

use super::time::Timestamp;

/// The year before ROC 1.
const EPOCH: i32 = 1911;

/// Reads a day: `2027-12-31`, `116/12/31`, `116-12-31`, `1161231` or `民國116年12月31日`.
#[must_use]
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let named = text.strip_prefix("中華民國").or_else(|| text.strip_prefix("民國"));
    if let Some(rest) = named {
        let (year, rest) = rest.split_once('年')?;
        let (month, rest) = rest.split_once('月')?;
        let day = rest.strip_suffix('日')?;
        return roc(year, short(month)?, short(day)?);
    }
    if let (7 | 6, true) = (text.len(), text.bytes().all(|b| b.is_ascii_digit())) {
        let (year, rest) = text.split_at(text.len() - 4);
        return roc(year, number(&rest[..2], 2)?, number(&rest[2..], 2)?);
    }
    let separator = if text.contains('/') { '/' } else { '-' };
    let parts: Vec<&str> = text.split(separator).collect();
    let &[year, month, day] = parts.as_slice() else { return None };
    if year.len() == 4 && separator == '-' {
        let year = i32::try_from(number(year, 4)?).ok().filter(|year| *year > EPOCH)?;
        return NaiveDate::from_ymd_opt(year, number(month, 2)?, number(day, 2)?);
    }
    roc(year, number(month, 2)?, number(day, 2)?)
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

fn roc(year: &str, month: u32, day: u32) -> Option<NaiveDate> {
    if !matches!(year.len(), 2 | 3) {
        return None;
    }
    let year = i32::try_from(number(year, year.len())?).ok().filter(|year| *year > 0)?;
    NaiveDate::from_ymd_opt(EPOCH + year, month, day)
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
        ] {
            assert_eq!(parse_date(text), day(2027, 12, 31), "{text}");
        }
        assert_eq!(parse_date("99/01/02"), day(2010, 1, 2));
        assert_eq!(parse_date("990102"), day(2010, 1, 2));
        assert_eq!(parse_date("民國99年1月2日"), day(2010, 1, 2));
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
            "116.12.31",
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
            for year in [format!("{year:03}"), format!("{year:02}")] {
                forms.push(format!("{year}/{month:02}/{day:02}"));
                forms.push(format!("{year}-{month:02}-{day:02}"));
                forms.push(format!("{year}{month:02}{day:02}"));
                forms.push(format!("民國{year}年{month}月{day}日"));
            }
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
            let padded = if roc.len() == 7 { format!("0{roc}") } else { roc.to_owned() };
            prop_assert_eq!(parse_date(&padded), Some(day));
        }

        #[test]
        fn no_text_is_a_day_before_the_roc(text in "[0-9民國年月日/:TZ+-]{0,20}") {
            if let Some(date) = parse_date(&text) {
                prop_assert!(date.year() > EPOCH);
            }
        }

        #[test]
        fn two_and_three_digits_are_years_of_the_roc(year in 1u32..=999, month in 1u32..=12, day in 1u32..=28) {
            let read = parse_date(&format!("{year:03}-{month:02}-{day:02}")).unwrap();
            prop_assert_eq!(u32::try_from(read.year()).unwrap(), year + 1911);
        }
    }
}
