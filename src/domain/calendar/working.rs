//! Working days (工作日) by the government's own calendars: make-up Saturdays are worked, days off are not.
//!
//! A year without a calendar is an error that names the year. Nothing is ever guessed from weekdays.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use super::{EPOCH, office::OfficeYear};

/// The years whose working days are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkingDays {
    years: BTreeMap<i32, Vec<bool>>,
}

/// There is no calendar of this year of the common era.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no calendar of the working days of {0} (ROC {roc})", roc = self.roc())]
pub struct MissingYear(pub i32);

impl MissingYear {
    /// The year of the ROC, by which the government names its files.
    #[must_use]
    pub const fn roc(self) -> i32 {
        self.0 - EPOCH
    }

    /// The file to put there, in the folder of policies.
    #[must_use]
    pub fn file(self) -> String {
        format!("calendars/{}.csv", self.roc())
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> String {
        format!(
            "put the government's calendar (政府行政機關辦公日曆表, data.gov.tw/dataset/14718) at '{}' in the folder of policies",
            self.file()
        )
    }
}

impl WorkingDays {
    /// By these years; of two calendars of a year the later one counts.
    #[must_use]
    pub fn of(years: impl IntoIterator<Item = OfficeYear>) -> Self {
        Self { years: years.into_iter().map(|one| (one.year, one.worked)).collect() }
    }

    /// Whether a year is known.
    #[must_use]
    pub fn knows(&self, year: i32) -> bool {
        self.years.contains_key(&year)
    }

    /// Whether a day is worked.
    ///
    /// # Errors
    /// Its year is not known.
    pub fn is_working(&self, day: NaiveDate) -> Result<bool, MissingYear> {
        let missing = MissingYear(day.year());
        let year = self.years.get(&day.year()).ok_or(missing)?;
        year.get(day.ordinal0() as usize).copied().ok_or(missing)
    }

    /// The `n`-th working day after `start`, or before it where `n` is below 0. `start` itself is not counted, whether it
    /// is worked or not (行政程序法 48 II); 0 is `start`.
    ///
    /// # Errors
    /// A year on the way is not known.
    pub fn add(&self, start: NaiveDate, n: i32) -> Result<NaiveDate, MissingYear> {
        let mut day = start;
        let mut left = n.unsigned_abs();
        while left > 0 {
            day = if n > 0 { after(day)? } else { before(day)? };
            left -= u32::from(self.is_working(day)?);
        }
        Ok(day)
    }

    /// `day` where it is worked, else the next working day (行政程序法 48 IV, 民法 122).
    ///
    /// # Errors
    /// A year on the way is not known.
    pub fn roll_forward(&self, mut day: NaiveDate) -> Result<NaiveDate, MissingYear> {
        while !self.is_working(day)? {
            day = after(day)?;
        }
        Ok(day)
    }

    /// `day` where it is worked, else the last working day before it.
    ///
    /// # Errors
    /// A year on the way is not known.
    pub fn roll_back(&self, mut day: NaiveDate) -> Result<NaiveDate, MissingYear> {
        while !self.is_working(day)? {
            day = before(day)?;
        }
        Ok(day)
    }

    /// The first working day of the month that `day` lies in.
    ///
    /// # Errors
    /// The year is not known.
    pub fn first_of_month(&self, day: NaiveDate) -> Result<NaiveDate, MissingYear> {
        self.roll_forward(day.with_day(1).unwrap_or(day))
    }

    /// The last working day of the month that `day` lies in.
    ///
    /// # Errors
    /// The year is not known.
    pub fn last_of_month(&self, day: NaiveDate) -> Result<NaiveDate, MissingYear> {
        self.roll_back(super::end_of_month(day))
    }
}

fn after(day: NaiveDate) -> Result<NaiveDate, MissingYear> {
    day.succ_opt().ok_or(MissingYear(day.year()))
}

fn before(day: NaiveDate) -> Result<NaiveDate, MissingYear> {
    day.pred_opt().ok_or(MissingYear(day.year()))
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

    use super::*;

    /// The calendars of 2024 to 2027, as they are shipped.
    pub(crate) fn shipped() -> WorkingDays {
        let files = [
            include_str!("../../../policies/calendars/113.csv"),
            include_str!("../../../policies/calendars/114.csv"),
            include_str!("../../../policies/calendars/115.csv"),
            include_str!("../../../policies/calendars/116.csv"),
        ];
        WorkingDays::of(files.map(|text| OfficeYear::parse(text).unwrap()))
    }

    pub(crate) fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// REGULATIONS 2e.
    #[test]
    fn the_vectors_of_the_regulations() {
        let days = shipped();
        for (start, n, end) in [
            ("2024-02-07", 3, "2024-02-17"),
            ("2025-01-24", 3, "2025-02-05"),
            ("2026-02-12", 3, "2026-02-24"),
            ("2025-02-14", -10, "2025-02-03"),
            ("2026-03-02", -10, "2026-02-06"),
        ] {
            assert_eq!(days.add(date(start), n), Ok(date(end)), "{start} {n}");
        }
        assert_eq!(days.is_working(date("2024-02-17")), Ok(true), "a make-up Saturday");
    }

    #[test]
    fn ends_of_months_are_working_days() {
        let days = shipped();
        for (day, first, last) in [
            ("2026-01-15", "2026-01-02", "2026-01-30"),
            ("2026-02-28", "2026-02-02", "2026-02-26"),
            ("2027-12-01", "2027-12-01", "2027-12-30"),
        ] {
            assert_eq!(days.first_of_month(date(day)), Ok(date(first)), "{day}");
            assert_eq!(days.last_of_month(date(day)), Ok(date(last)), "{day}");
        }
        assert_eq!(days.roll_forward(date("2026-02-14")), Ok(date("2026-02-23")));
        assert_eq!(days.roll_back(date("2026-02-22")), Ok(date("2026-02-13")));
        assert_eq!(days.roll_forward(date("2026-02-23")), Ok(date("2026-02-23")));
    }

    #[test]
    fn a_year_without_a_calendar_is_never_guessed() {
        let days = shipped();
        let missing = MissingYear(2028);
        assert_eq!(days.is_working(date("2028-01-03")), Err(missing));
        assert_eq!(days.add(date("2027-12-30"), 1), Err(missing));
        assert_eq!(days.roll_forward(date("2027-12-31")), Err(missing));
        assert_eq!(days.add(date("2024-01-02"), -1), Err(MissingYear(2023)));
        assert_eq!(missing.file(), "calendars/117.csv");
        assert_eq!(
            missing.to_string(),
            "there is no calendar of the working days of 2028 (ROC 117)"
        );
    }

    fn days() -> impl Strategy<Value = NaiveDate> {
        let first = date("2025-01-01");
        (0..730_u64).prop_map(move |n| first.checked_add_days(chrono::Days::new(n)).unwrap())
    }

    proptest! {
        #[test]
        fn so_many_working_days_on_and_back_is_the_same_working_day(day in days(), n in 0..200_i32) {
            let calendar = shipped();
            let worked = calendar.roll_forward(day).unwrap();
            let on = calendar.add(worked, n).unwrap();
            prop_assert!(calendar.is_working(on).unwrap());
            prop_assert_eq!(calendar.add(on, -n), Ok(worked));
        }

        #[test]
        fn later_days_and_more_days_never_end_earlier(day in days(), more in 0..40_u64, n in -150..150_i32) {
            let calendar = shipped();
            let end = calendar.add(day, n).unwrap();
            prop_assert!(calendar.add(day, n + 1).unwrap() >= end);
            let later = day.checked_add_days(chrono::Days::new(more)).unwrap();
            prop_assert!(calendar.add(later, n).unwrap() >= end || n == 0);
        }
    }
}
