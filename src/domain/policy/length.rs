//! Lengths of time as a policy writes them: ISO 8601 (`P1M`, `P0D`), or plain words in English or Chinese.
//!
//! The grammar is closed: what is not in it is a fault, never a guess. A working day is not a day: no calendar tells one
//! from the other beforehand, so the two are never compared and never turned into each other.

use crate::domain::time::Period;

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// By the calendar or the clock.
    Calendar(Period),
    /// In working days of the government's calendar (工作日).
    WorkingDays(u32),
}

/// Which unit a length is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Days, weeks, months or years.
    Calendar,
    /// Working days.
    WorkingDays,
    /// Hours, minutes or seconds.
    Clock,
}

/// Longer than this nobody keeps or waits.
const YEARS_MAX: u32 = 100;

impl Length {
    /// Reads a length. Nothing where the text is none of the grammar, or longer than a hundred years.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let length = match text {
            "at once" | "immediately" | "立即" => Self::Calendar(Period::ZERO),
            "half a year" | "半年" => Self::months(6),
            // As earlier versions wrote it into the configuration in force.
            "1 working days" => Self::WorkingDays(1),
            _ if text.starts_with('P') => Self::Calendar(Period::parse(text)?),
            _ => clock(text).or_else(|| english(text)).or_else(|| chinese(text))?,
        };
        let fits = match length {
            Self::Calendar(p) => p.months <= 12 * YEARS_MAX && p.days <= 366 * YEARS_MAX,
            Self::WorkingDays(days) => (1..=366).contains(&days),
        };
        fits.then_some(length)
    }

    const fn months(months: u32) -> Self {
        Self::Calendar(Period { months, days: 0, seconds: 0 })
    }

    /// The unit.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::WorkingDays(_) => Unit::WorkingDays,
            Self::Calendar(Period { seconds: 0, .. }) => Unit::Calendar,
            Self::Calendar(_) => Unit::Clock,
        }
    }

    /// The span in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Calendar(period) => period.words(),
            Self::WorkingDays(1) => "1 working day".to_owned(),
            Self::WorkingDays(days) => format!("{days} working days"),
        }
    }

    /// The text that reads as this.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::WorkingDays(1) => "1 working day".to_owned(),
            Self::WorkingDays(days) => format!("{days} working days"),
            Self::Calendar(Period { months: 0, days: 0, seconds }) if seconds > 0 => {
                format!("{seconds}s")
            }
            Self::Calendar(Period { months: 0, days, .. }) => format!("P{days}D"),
            Self::Calendar(Period { months, days: 0, .. }) => format!("P{months}M"),
            Self::Calendar(Period { months, days, .. }) => format!("P{months}M{days}D"),
        }
    }

    /// Whether this is at most as long as another, whatever calendar it falls in. Nothing where two units cannot be
    /// compared.
    #[must_use]
    pub fn at_most(self, other: Self) -> Option<bool> {
        match (self, other) {
            (Self::WorkingDays(one), Self::WorkingDays(two)) => Some(one <= two),
            (Self::Calendar(one), Self::Calendar(two)) => Some(at_most(one, two)),
            (Self::WorkingDays(_), Self::Calendar(_))
            | (Self::Calendar(_), Self::WorkingDays(_)) => None,
        }
    }
}

/// Part by part, or by the days that one can have at most against those that the other has at least.
fn at_most(one: Period, two: Period) -> bool {
    let most =
        u64::from(one.months) * 31 + u64::from(one.days) + u64::from(one.seconds).div_ceil(86_400);
    let least = u64::from(two.months / 12) * 365
        + u64::from(two.months % 12) * 28
        + u64::from(two.days)
        + u64::from(two.seconds) / 86_400;
    let parts = one.months <= two.months && one.days <= two.days && one.seconds <= two.seconds;
    parts || most <= least
}

/// A number with `s`, `m` or `h`.
fn clock(text: &str) -> Option<Length> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    let number = number(digits)?;
    Some(Length::Calendar(Period { seconds: number.checked_mul(seconds)?, ..Period::ZERO }))
}

fn of_unit(count: u32, unit: &str) -> Option<Length> {
    let period = |months: u32, days: u32, seconds: u32| {
        let times = |n: u32| n.checked_mul(count);
        Some(Length::Calendar(Period {
            months: times(months)?,
            days: times(days)?,
            seconds: times(seconds)?,
        }))
    };
    match unit {
        "day" | "日" | "天" => period(0, 1, 0),
        "week" | "週" => period(0, 7, 0),
        "month" | "月" => period(1, 0, 0),
        "year" | "年" => period(12, 0, 0),
        "hour" | "小時" => period(0, 0, 3600),
        "minute" | "分鐘" => period(0, 0, 60),
        "working day" | "工作日" => Some(Length::WorkingDays(count)),
        _ => None,
    }
}

/// `one month`, `10 working days`.
fn english(text: &str) -> Option<Length> {
    const WORDS: [&str; 12] = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    let (count, unit) = text.split_once(' ')?;
    let word = WORDS.iter().zip(1..).find(|(word, _)| **word == count).map(|(_, n)| n);
    let count = word.or_else(|| number(count))?;
    // One month, and two months: never `1 months`.
    let unit = if count == 1 { unit } else { unit.strip_suffix('s')? };
    (!unit.ends_with('s')).then(|| of_unit(count, unit))?
}

/// `一個月`, `十個工作日`, `7日`.
fn chinese(text: &str) -> Option<Length> {
    const UNITS: [&str; 8] = ["工作日", "小時", "分鐘", "日", "天", "週", "月", "年"];
    let unit = UNITS.into_iter().find(|unit| text.ends_with(unit))?;
    let count = text.strip_suffix(unit)?;
    let count = count.strip_suffix('個').unwrap_or(count);
    of_unit(number(count).or_else(|| numeral(count))?, unit)
}

/// A number in digits alone.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// A Chinese number from one to 99.
fn numeral(text: &str) -> Option<u32> {
    let digit = |c: char| match c {
        '兩' => Some(2),
        _ => "一二三四五六七八九".chars().zip(1..).find(|(one, _)| *one == c).map(|(_, n)| n),
    };
    let one = |text: &str| {
        let mut chars = text.chars();
        let first = digit(chars.next()?)?;
        chars.next().is_none().then_some(first)
    };
    match text.split_once('十') {
        None => one(text),
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { one(tens)? };
            let ones = if ones.is_empty() { 0 } else { one(ones)? };
            Some(tens * 10 + ones)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_length_is_read_in_three_notations() {
        for (texts, wanted) in [
            (["P1M", "one month", "一個月"], "P1M"),
            (["P10D", "10 days", "十日"], "P10D"),
            (["3 working days", "three working days", "三個工作日"], "3 working days"),
            (["1 working day", "one working day", "一個工作日"], "1 working day"),
            (["P6M", "half a year", "半年"], "P6M"),
            (["P3Y", "3 years", "三年"], "P36M"),
            (["P0D", "at once", "立即"], "P0D"),
            (["72h", "72 hours", "七十二小時"], "259200s"),
            (["15m", "15 minutes", "十五分鐘"], "900s"),
            (["P7D", "one week", "兩週"], "P7D"),
        ] {
            for (n, text) in texts.into_iter().enumerate() {
                let read = Length::parse(text).map(Length::text);
                let wanted = if text == "兩週" { "P14D" } else { wanted };
                assert_eq!(read.as_deref(), Some(wanted), "{n}: {text}");
            }
        }
    }

    #[test]
    fn what_is_not_in_the_grammar_is_no_length() {
        for text in [
            "",
            "P",
            "month",
            "1 months",
            "2 month",
            "one  month",
            "a month",
            "一 個月",
            "十十日",
            "百日",
            "0 working days",
            "P101Y",
            "-1 days",
            "+1h",
            "1.5 days",
            "soon",
            "個月",
            "2d",
            "s",
        ] {
            assert_eq!(Length::parse(text), None, "{text}");
        }
    }

    #[test]
    fn one_working_day_as_earlier_versions_wrote_it_is_read() {
        assert_eq!(Length::parse("1 working days"), Some(Length::WorkingDays(1)));
    }

    proptest! {
        #[test]
        fn every_length_reads_back_from_its_own_text(
            working in 1_u32..=366,
            months in 0_u32..=1200,
            days in 0_u32..=36_600,
            seconds in any::<u32>(),
        ) {
            for length in [
                Length::WorkingDays(working),
                Length::WorkingDays(1),
                Length::Calendar(Period { months, days, seconds: 0 }),
                Length::Calendar(Period { months, ..Period::ZERO }),
                Length::Calendar(Period { days, ..Period::ZERO }),
                Length::Calendar(Period { seconds, ..Period::ZERO }),
            ] {
                prop_assert_eq!(Length::parse(&length.text()), Some(length), "{}", length.text());
            }
        }
    }

    #[test]
    fn lengths_are_compared_by_any_calendar_and_units_never_mix() {
        let at_most = |one: &str, two: &str| Length::parse(one)?.at_most(Length::parse(two)?);
        for (one, two, wanted) in [
            ("P10D", "P1M", Some(true)),
            ("P28D", "P1M", Some(true)),
            ("P30D", "P1M", Some(false)),
            ("P1M", "P30D", Some(false)),
            ("P1M", "P31D", Some(true)),
            ("P3M", "P1Y", Some(true)),
            ("24h", "P1D", Some(true)),
            ("3 working days", "10 working days", Some(true)),
            ("3 working days", "P3D", None),
            ("P3D", "10 working days", None),
        ] {
            assert_eq!(at_most(one, two), wanted, "{one} {two}");
        }
    }
}
