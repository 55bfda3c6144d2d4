//! Serial numbers of the register (序號): `115-0001`, the first row that was opened in ROC year 115.
//!
//! A number is given once, when its row is opened, and never again: whoever holds a printed sheet finds the same row under
//! it for ever. Years are those of Taiwan's calendar, whatever time zone a site shows: what was given must not change with
//! a setting.

use std::{fmt, str::FromStr};

use chrono::Datelike;
use chrono_tz::Asia::Taipei;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::time::Timestamp;

/// The year before ROC 1.
const EPOCH: i32 = 1911;

/// A serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial {
    /// ROC year.
    pub year: u16,
    /// Number in it, from 1.
    pub number: u32,
}

/// A text that is no serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a serial number such as '115-0001'")]
pub struct NoSerial;

/// The ROC year of a point in time in Taiwan; 0 before the ROC.
#[must_use]
pub fn roc_year(at: Timestamp) -> u16 {
    u16::try_from(at.date_in(Taipei).year() - EPOCH).unwrap_or(0)
}

/// The first and the last moment of a ROC year in Taiwan; nothing beyond the calendar.
#[must_use]
pub fn bounds(year: u16) -> Option<(Timestamp, Timestamp)> {
    let common = EPOCH + i32::from(year);
    let first = chrono::NaiveDate::from_ymd_opt(common, 1, 1)?;
    let last = chrono::NaiveDate::from_ymd_opt(common, 12, 31)?;
    Some((Timestamp::start_of_day(first, Taipei), Timestamp::end_of_day(last, Taipei)))
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:04}", self.year, self.number)
    }
}

impl FromStr for Serial {
    type Err = NoSerial;

    fn from_str(text: &str) -> Result<Self, NoSerial> {
        let (year, number) = text.split_once('-').ok_or(NoSerial)?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let serial = Self {
            year: year.parse().map_err(|_| NoSerial)?,
            number: number.parse().map_err(|_| NoSerial)?,
        };
        // One form alone: what is written otherwise is no number of ours.
        let same = digits(year) && digits(number) && serial.to_string() == text;
        same.then_some(serial).ok_or(NoSerial)
    }
}

impl Serialize for Serial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Serial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_serial_number_has_one_form() {
        let serial = Serial { year: 115, number: 1 };
        assert_eq!(serial.to_string(), "115-0001");
        assert_eq!("115-0001".parse(), Ok(serial));
        assert_eq!(Serial { year: 99, number: 12_345 }.to_string(), "99-12345");
        for text in ["", "115", "115-1", "115-00001", "0115-0001", "+115-0001", "115-000a", "-0001"]
        {
            assert_eq!(text.parse::<Serial>(), Err(NoSerial), "{text}");
        }
    }

    #[test]
    fn a_year_ends_at_midnight_in_taiwan() {
        let (first, last) = bounds(115).unwrap();
        assert_eq!(roc_year(first), 115);
        assert_eq!(roc_year(last), 115);
        assert_eq!(roc_year(last.plus_seconds(1)), 116);
        assert_eq!(roc_year(Timestamp::parse("2026-12-31T16:00:00Z").unwrap()), 116);
        assert_eq!(roc_year(Timestamp::parse("1900-01-01T00:00:00Z").unwrap()), 0);
    }
}
