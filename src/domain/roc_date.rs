//! ROC dates of seven characters: `yyyMMdd`, or a sign and six digits before 1912 (REGULATIONS 2a).

use chrono::NaiveDate;

/// What a date field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RocDate {
    /// A day.
    Day {
        /// The day in the Gregorian calendar.
        date: NaiveDate,
        /// Whether it is before the ROC.
        before_roc: bool,
    },
    /// A month or day of zero: not known.
    Unknown,
    /// No date of the calendar, or no date at all.
    Impossible,
}

/// Reads a field that is not blank. `sign` stands before the six digits of a date before the ROC.
#[must_use]
pub fn parse(text: &str, sign: char) -> RocDate {
    let (digits, before_roc) = match text.strip_prefix(sign) {
        Some(rest) if rest.len() == 6 => (rest, true),
        Some(_) => return RocDate::Impossible,
        None => (text, false),
    };
    let length = if before_roc { 6 } else { 7 };
    if digits.len() != length || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return RocDate::Impossible;
    }
    let number = |range: std::ops::Range<usize>| {
        digits.get(range).and_then(|d| d.parse::<u32>().ok()).unwrap_or(0)
    };
    let (year, month, day) =
        (number(0..length - 4), number(length - 4..length - 2), number(length - 2..length));
    if month == 0 || day == 0 {
        return RocDate::Unknown;
    }
    let year = i32::try_from(year).unwrap_or(0);
    // 民國 1 is 1912; 民國前 1 is 1911. There is no year 0 in either count.
    let gregorian = if before_roc { 1912 - year } else { 1911 + year };
    match NaiveDate::from_ymd_opt(gregorian, month, day) {
        Some(date) if year > 0 => RocDate::Day { date, before_roc },
        _ => RocDate::Impossible,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_dates_are_told_apart() {
        let day = |y, m, d, before_roc| RocDate::Day {
            date: NaiveDate::from_ymd_opt(y, m, d).unwrap_or_default(),
            before_roc,
        };
        for (text, expected) in [
            ("0580315", day(1969, 3, 15, false)),
            ("0890229", day(2000, 2, 29, false)),
            ("0900229", RocDate::Impossible),
            ("-010315", day(1911, 3, 15, true)),
            ("0580000", RocDate::Unknown),
            ("0580300", RocDate::Unknown),
            ("0000101", RocDate::Impossible),
            ("58/03/15", RocDate::Impossible),
            ("058031", RocDate::Impossible),
            ("05８031", RocDate::Impossible),
        ] {
            assert_eq!(parse(text, '-'), expected, "{text}");
        }
    }
}
