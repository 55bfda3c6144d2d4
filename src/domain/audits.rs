//! Audits, reports and requests for evidence: what kinds there are, how each stands, and the day of an audit without
//! notice, which is drawn before its month begins and told afterwards.

use chrono::{Datelike, NaiveDate};

use super::{digest::Digest, duty::CalendarPeriod, words::words};

words! {
    /// A kind of audit.
    AuditKind {
        /// By the office itself (TY-5.3, TYA2-6.5, NT-5.3).
        Internal = "internal",
        /// Of those who hold or use the data elsewhere (TYA2-6.6).
        External = "external",
        /// Of a vendor (TY-5.4, NT-5.4).
        Vendor = "vendor",
        /// By pulled files (調卷, NTP-10.2, TPE-11.2).
        Files = "files",
        /// Without notice (TPH-5.10).
        Unannounced = "unannounced",
    }
    /// What an audit came to.
    AuditResult {
        /// Nothing was found.
        Ok = "ok",
        /// Something was: each finding is recorded by itself.
        Findings = "findings",
    }
    /// How an audit stands.
    AuditState {
        /// It is planned.
        Planned = "planned",
        /// It took place; a second person signs.
        Recorded = "recorded",
        /// A second person signed.
        Signed = "signed",
    }
    /// A kind of report.
    ReportKind {
        /// 每月使用報表: by unit and source (NTP-9.1, TPE-10.1, TY-5.1).
        Use = "use",
        /// 系統使用情形統計表: by source (TPH-5.10).
        Statistics = "statistics",
        /// Accounts held against a list of staff (NTP-11).
        Staff = "staff",
        /// Queries held against a list of cases (NTP-11, TPE-12.2, TPH-5.10).
        Cases = "cases",
        /// The pack for an inspection (TY-5.5, NT-5.5).
        Pack = "pack",
    }
    /// How a report stands.
    ReportState {
        /// It is made, and waits to be signed off (核閱).
        Made = "made",
        /// It is signed off, and does not change any more.
        Signed = "signed",
    }
    /// How a request for evidence stands.
    RequestState {
        /// It waits for an answer.
        Asked = "asked",
        /// It was answered.
        Answered = "answered",
    }
    /// How an item of a self-assessment is answered (附件二).
    Verdict {
        /// 符合.
        Conforms = "conforms",
        /// 不符合.
        Fails = "fails",
        /// 不適用.
        NotApplicable = "not-applicable",
    }
    /// When files are pulled.
    DocPull {
        /// Once a year, in March or September (NTP-10.2).
        MarchOrSeptember = "march-or-september",
        /// Once in each half of a year (TPE-11.2).
        HalfYearly = "half-yearly",
    }
}

impl ReportKind {
    /// Whether somebody signs it off: the others are handed out as they are.
    #[must_use]
    pub const fn is_signed_off(self) -> bool {
        !matches!(self, Self::Pack)
    }
}

/// The day on which nobody expects an audit, drawn for one month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnDay {
    /// The day.
    pub day: NaiveDate,
    /// What the seal is made with beside it: without it, the seal of each day could be tried.
    pub nonce: Digest,
}

impl DrawnDay {
    /// The day that `secret` draws for a month, among its days from `from` on that pass `suits`; all of those, where none
    /// does. Whoever has the secret before can tell the day, and nobody else; nothing that comes later changes it.
    #[must_use]
    pub fn of(
        secret: &[u8],
        month: &CalendarPeriod,
        from: NaiveDate,
        suits: &dyn Fn(NaiveDate) -> bool,
    ) -> Option<Self> {
        let first = month.first.max(from);
        let days = || first.iter_days().take_while(|day| *day <= month.last);
        let mut choice: Vec<NaiveDate> = days().filter(|day| suits(*day)).collect();
        if choice.is_empty() {
            choice = days().collect();
        }
        let drawn = Digest::keyed(secret, format!("day {}", month.name).as_bytes());
        let nonce = Digest::keyed(secret, format!("nonce {}", month.name).as_bytes());
        // Fifteen bytes over at most 31 days: no day is likelier than another by what could be seen.
        let number =
            drawn.as_bytes().iter().take(15).fold(0_u128, |n, b| (n << 8) | u128::from(*b));
        let at = usize::try_from(number % (choice.len() as u128).max(1)).unwrap_or_default();
        Some(Self { day: *choice.get(at)?, nonce })
    }

    /// The day whose seal the register holds; nothing where the secret is another one.
    #[must_use]
    pub fn sealed(secret: &[u8], month: &CalendarPeriod, seal: Digest) -> Option<Self> {
        let nonce = Digest::keyed(secret, format!("nonce {}", month.name).as_bytes());
        let mut days = month.first.iter_days().take_while(|day| *day <= month.last);
        let found = days.find(|day| Self { day: *day, nonce }.seal(&month.name) == seal)?;
        Some(Self { day: found, nonce })
    }

    /// What the register holds before the month: it says nothing of the day, and holds it.
    #[must_use]
    pub fn seal(&self, month: &str) -> Digest {
        let text = format!("batchward audit day {month} {} {}", self.day, self.nonce);
        Digest::of(text.as_bytes())
    }
}

/// Whether files that were pulled on a day are those of the schedule.
#[must_use]
pub fn pulls_on(schedule: DocPull, day: NaiveDate) -> bool {
    match schedule {
        DocPull::MarchOrSeptember => matches!(day.month(), 3 | 9),
        DocPull::HalfYearly => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_drawn_among_those_that_are_left_and_its_seal_holds_it() {
        let month = CalendarPeriod::parse("2026-12").unwrap();
        let weekday = |day: NaiveDate| day.weekday().number_from_monday() < 6;
        let mut seen = std::collections::BTreeSet::new();
        for n in 0_u32..500 {
            let drawn =
                DrawnDay::of(&n.to_be_bytes(), &month, day("2026-12-10"), &weekday).unwrap();
            assert!(drawn.day >= day("2026-12-10") && drawn.day <= month.last);
            assert!(weekday(drawn.day));
            let other = DrawnDay { day: drawn.day.succ_opt().unwrap(), ..drawn.clone() };
            assert_ne!(drawn.seal("2026-12"), other.seal("2026-12"));
            assert_ne!(drawn.seal("2026-12"), drawn.seal("2027-12"));
            let secret = n.to_be_bytes();
            assert_eq!(
                DrawnDay::sealed(&secret, &month, drawn.seal("2026-12")),
                Some(drawn.clone())
            );
            assert_eq!(DrawnDay::sealed(b"other", &month, drawn.seal("2026-12")), None);
            seen.insert(drawn.day);
        }
        assert_eq!(seen.len(), 16, "every working day that is left is drawn");
        // Where no day suits, a day all the same: an audit is owed.
        let drawn = DrawnDay::of(b"x", &month, day("2026-12-31"), &|_| false).unwrap();
        assert_eq!(drawn.day, day("2026-12-31"));
        assert_eq!(DrawnDay::of(b"x", &month, day("2027-01-01"), &weekday), None);
    }

    #[test]
    fn files_are_pulled_in_march_or_september_where_the_text_says_so() {
        assert!(pulls_on(DocPull::MarchOrSeptember, day("2027-03-31")));
        assert!(pulls_on(DocPull::MarchOrSeptember, day("2027-09-01")));
        assert!(!pulls_on(DocPull::MarchOrSeptember, day("2027-04-01")));
        assert!(pulls_on(DocPull::HalfYearly, day("2027-04-01")));
    }
}
