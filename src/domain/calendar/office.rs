//! The government's calendar of a year (政府行政機關辦公日曆表), as it is published: a line a day, with its weekday and
//! whether it is a day off.
//!
//! A file is one whole year or it is nothing: a day that is missing, stands twice or has another weekday than its date makes
//! the file one that nobody may count by. Remarks (備註) are not read.

use chrono::{Datelike, NaiveDate};

/// The head line.
const HEAD: &str = "西元日期,星期,是否放假,備註";
const WEEKDAYS: [&str; 7] = ["一", "二", "三", "四", "五", "六", "日"];

/// What a file is to look like, for whoever mends one.
const LINE: &str = "a line is 'yyyymmdd,weekday,0 or 2,remark', such as '20260101,四,2,開國紀念日'; download the file again from \
                    data.gov.tw/dataset/14718";

/// One whole year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeYear {
    pub(super) year: i32,
    /// Whether each day is worked, the first of January first.
    pub(super) worked: Vec<bool>,
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeFault {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// The fix.
    pub hint: &'static str,
}

impl OfficeYear {
    /// Its year, of the common era.
    #[must_use]
    pub const fn year(&self) -> i32 {
        self.year
    }

    /// Reads a file; a byte-order mark and either kind of line end are fine.
    ///
    /// # Errors
    /// Every fault of the file, in the order of its lines.
    pub fn parse(text: &str) -> Result<Self, Vec<OfficeFault>> {
        let mut sheet = Sheet::default();
        let text = text.trim_start_matches('\u{FEFF}');
        for (n, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if n == 0 {
                if line != HEAD {
                    sheet.fault(1, 1, format!("the first line is not '{HEAD}'"));
                }
            } else if !line.trim_matches([',', ' ']).is_empty() {
                sheet.row(n + 1, line);
            }
        }
        sheet.whole()
    }
}

/// A file that is being read.
#[derive(Default)]
struct Sheet {
    year: Option<i32>,
    /// By day of the year, from 0: its line, and whether it is worked.
    days: Vec<Option<(usize, bool)>>,
    faults: Vec<OfficeFault>,
}

impl Sheet {
    fn fault(&mut self, line: usize, column: usize, what: String) {
        self.faults.push(OfficeFault { line, column, what, hint: LINE });
    }

    fn row(&mut self, line: usize, text: &str) {
        let mut cells = text.splitn(4, ',');
        let mut cell = || cells.next().unwrap_or_default();
        let (date, weekday, flag) = (cell(), cell(), cell());
        let after = |cells: &[&str]| cells.iter().map(|one| one.chars().count() + 1).sum::<usize>();
        let Some(day) = day(date) else {
            return self.fault(line, 1, "expected a day as eight digits".to_owned());
        };
        let right = WEEKDAYS.get(day.weekday().num_days_from_monday() as usize);
        if right != Some(&weekday) {
            let what = format!("{day} is a '{}'", right.copied().unwrap_or_default());
            self.fault(line, 1 + after(&[date]), what);
        }
        let worked = match flag {
            "0" => Some(true),
            "2" => Some(false),
            _ => None,
        };
        if worked.is_none() {
            let what = "expected 0 (a working day) or 2 (a day off)".to_owned();
            self.fault(line, 1 + after(&[date, weekday]), what);
        }
        self.take(line, day, worked.unwrap_or(false));
    }

    fn take(&mut self, line: usize, day: NaiveDate, worked: bool) {
        let year = *self.year.get_or_insert(day.year());
        if day.year() != year {
            let what = format!("a day of {} in a calendar of {year}", day.year());
            return self.fault(line, 1, what);
        }
        self.days.resize(days_of(year), None);
        let slot = self.days.get_mut(day.ordinal0() as usize);
        match slot {
            Some(Some((first, _))) => {
                let what = format!("{day} stands on line {first} already");
                self.fault(line, 1, what);
            }
            Some(slot) => *slot = Some((line, worked)),
            None => {}
        }
    }

    fn whole(mut self) -> Result<OfficeYear, Vec<OfficeFault>> {
        let Some(year) = self.year else {
            if self.faults.is_empty() {
                self.fault(1, 1, "there is no day in it".to_owned());
            }
            return Err(self.faults);
        };
        let missing = self.days.iter().filter(|day| day.is_none()).count();
        if let Some(first) = self.days.iter().position(Option::is_none) {
            // The line on which it should stand: the one after the day before.
            let before = first.checked_sub(1).and_then(|day| self.days.get(day).copied().flatten());
            let line = before.map_or(2, |(line, _)| line + 1);
            let day = u32::try_from(first).ok().and_then(|n| NaiveDate::from_yo_opt(year, n + 1));
            let day = day.map(|day| day.to_string()).unwrap_or_default();
            let what = match missing {
                1 => format!("{day} is missing"),
                _ => format!("{missing} days of {year} are missing, the first is {day}"),
            };
            self.fault(line, 1, what);
        }
        if !self.faults.is_empty() {
            self.faults.sort_by_key(|fault| (fault.line, fault.column));
            return Err(self.faults);
        }
        let worked = self.days.into_iter().flatten().map(|(_, worked)| worked).collect();
        Ok(OfficeYear { year, worked })
    }
}

/// Eight digits.
fn day(text: &str) -> Option<NaiveDate> {
    let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok())?
}

fn days_of(year: i32) -> usize {
    if NaiveDate::from_ymd_opt(year, 2, 29).is_some() { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const SHIPPED: &str = include_str!("../../../policies/calendars/115.csv");

    fn told(text: &str) -> Vec<(usize, usize, String)> {
        let faults = OfficeYear::parse(text).unwrap_err();
        faults.into_iter().map(|fault| (fault.line, fault.column, fault.what)).collect()
    }

    #[test]
    fn a_year_is_read_with_or_without_its_mark_and_with_either_line_end() {
        let year = OfficeYear::parse(SHIPPED).unwrap();
        assert_eq!((year.year(), year.worked.len()), (2026, 365));
        assert_eq!(year.worked.iter().filter(|worked| **worked).count(), 245);
        let plain = SHIPPED.trim_start_matches('\u{FEFF}').replace("\r\n", "\n");
        assert_eq!(OfficeYear::parse(&plain), Ok(year.clone()));
        assert_eq!(OfficeYear::parse(plain.trim_end()), Ok(year.clone()));
        assert_eq!(OfficeYear::parse(&format!("{plain},,,\n\n")), Ok(year));
    }

    #[test]
    fn whatever_makes_a_year_uncertain_is_told_with_its_place() {
        let edits: [(&str, &str, (usize, usize, &str)); 7] = [
            ("20260305,四,0,\r\n", "", (65, 1, "2026-03-05 is missing")),
            ("20260305,四,0,", "20260304,三,0,", (65, 1, "2026-03-04 stands on line 64 already")),
            ("20260305,四", "20260305,五", (65, 10, "2026-03-05 is a '四'")),
            (
                "20260305,四,0",
                "20260305,四,1",
                (65, 12, "expected 0 (a working day) or 2 (a day off)"),
            ),
            ("20260305,四,0", "2026-03-05,四,0", (65, 1, "expected a day as eight digits")),
            ("20260305,四", "20270305,五", (65, 1, "a day of 2027 in a calendar of 2026")),
            ("西元日期", "日期", (1, 1, "the first line is not '西元日期,星期,是否放假,備註'")),
        ];
        for (from, to, (line, column, what)) in edits {
            let found = told(&SHIPPED.replacen(from, to, 1));
            assert!(found.contains(&(line, column, what.to_owned())), "{what}: {found:?}");
        }
    }

    #[test]
    fn no_year_and_half_a_year_are_none() {
        assert_eq!(
            told(""),
            [(1, 1, "the first line is not '西元日期,星期,是否放假,備註'".to_owned())]
        );
        assert_eq!(told(&format!("{HEAD}\r\n")), [(1, 1, "there is no day in it".to_owned())]);
        let half: String = SHIPPED.split_inclusive('\n').take(183).collect();
        assert_eq!(
            told(&half),
            [(184, 1, "183 days of 2026 are missing, the first is 2026-07-02".to_owned())]
        );
    }
}
