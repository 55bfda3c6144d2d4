//! Days as they are typed, in either calendar, and why one is none. Every word reads them here.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::{
    domain::{
        calendar::{self, NoDay},
        time::Timestamp,
    },
    error::Error,
    service::Result,
};

/// A day.
///
/// # Errors
/// It is none, and why.
pub(super) fn day(text: &str) -> Result<NaiveDate> {
    calendar::read_date(text)
        .map_err(|why| Error::usage(format!("'{text}' is no date")).hint(why.hint()))
}

/// The first moment of a day.
///
/// # Errors
/// It is none, and why.
pub(super) fn begin(text: &str, zone: Tz) -> Result<Timestamp> {
    Ok(Timestamp::start_of_day(day(text)?, zone))
}

/// The last moment of a day, or a time as it stands.
///
/// # Errors
/// It is neither, and why.
pub(super) fn end(text: &str, zone: Tz) -> Result<Timestamp> {
    calendar::parse_end(text, zone).ok_or_else(|| neither(text))
}

/// The first moment of a day, or a time as it stands.
///
/// # Errors
/// It is neither, and why.
pub(super) fn beginning(text: &str, zone: Tz) -> Result<Timestamp> {
    match calendar::parse_date(text) {
        Some(day) => Ok(Timestamp::start_of_day(day, zone)),
        None => end(text, zone),
    }
}

fn neither(text: &str) -> Error {
    let error = Error::usage(format!("'{text}' is no date or time"));
    error.hint(match calendar::read_date(text) {
        Err(NoDay::Form) | Ok(_) => {
            "2027-12-31 or 116/12/31 (to the end of that day), or 2027-12-31T17:00:00+08:00"
        }
        Err(why) => why.hint(),
    })
}
