//! Duties: what a regulation asks of people by a day, each with its clause, its cause and the command that fulfils it.
//!
//! A duty is never stored: it follows from the register and the rules in force, so that none can be lost. Two forms come
//! again: by periods of the calendar, each of which is owed by itself ([`periods`]: a month's sample does not stand for the
//! month before), and by what was done last (a review is owed a period after the last one).

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use super::{
    accounts::{Act, Role},
    policy::layers::OWN,
    time::{Period, Timestamp},
    words::words,
};

words! {
    /// What is owed.
    DutyCode {
        /// A post is to be filled.
        FillPost = "fill-post",
        /// A deputy is to be named.
        NameDeputy = "name-deputy",
        /// A change of post is to be told of.
        TellOfChange = "tell-of-change",
        /// The custodian's rights are to go over to another one.
        SwitchCustodian = "switch-custodian",
        /// An application for an account is to be dealt with.
        AnswerAccount = "answer-account",
        /// The accounts are to be reviewed.
        ReviewAccounts = "review-accounts",
        /// Hours of training are missing.
        Train = "train",
        /// A confidentiality agreement is to be renewed or entered.
        SignAgreement = "sign-agreement",
        /// A sample of the access log is to be drawn.
        DrawSample = "draw-sample",
        /// A sample is to be looked through.
        ReviewSample = "review-sample",
        /// A finding is to be corrected.
        CorrectFinding = "correct-finding",
        /// The end of a link is to be proposed, for its findings were not corrected.
        ProposeTermination = "propose-termination",
        /// An incident is to be reported.
        ReportIncident = "report-incident",
        /// An incident is to be brought to its end.
        EndIncident = "end-incident",
        /// An application of a link is to be decided on.
        DecideApplication = "decide-application",
        /// A link is to be tested.
        TestLink = "test-link",
        /// A link is to be reviewed.
        ReviewLink = "review-link",
        /// A link's approval ends.
        RenewLink = "renew-link",
        /// Papers are to be attached.
        AttachPaper = "attach-paper",
        /// What backups hold is to be reviewed.
        ReviewBackup = "review-backup",
        /// An internal audit is owed.
        AuditInternal = "audit-internal",
        /// An external audit is owed.
        AuditExternal = "audit-external",
        /// An audit of a vendor is owed.
        AuditVendor = "audit-vendor",
        /// An audit by pulled files is owed.
        AuditFiles = "audit-files",
        /// An audit without notice is owed.
        AuditUnannounced = "audit-unannounced",
        /// Evidence that was asked for is to be handed in.
        AnswerRequest = "answer-request",
        /// The report of use is to be made.
        ReportUse = "report-use",
        /// A report is to be signed off.
        SignReport = "sign-report",
        /// Queries are to be held against cases.
        Reconcile = "reconcile",
        /// A batch is to be provided.
        ProvideBatch = "provide-batch",
        /// A batch is to be confirmed as whole.
        ConfirmBatch = "confirm-batch",
        /// What was applied for is to be compared with what came.
        CompareBatch = "compare-batch",
        /// Whether there is need to keep a batch is to be stated.
        StateNeed = "state-need",
        /// What is due is to be destroyed.
        Destroy = "destroy",
        /// Closing papers are to be entered.
        ClosePapers = "close-papers",
        /// A copy that somebody keeps is to be destroyed.
        DestroyCopy = "destroy-copy",
        /// A standing approval ends.
        RenewStanding = "renew-standing",
        /// A grant ends.
        EndGrant = "end-grant",
        /// A hold is to be reviewed.
        ReviewHold = "review-hold",
        /// The register is to be anchored with a witness.
        Anchor = "anchor",
        /// An exception of a policy ends.
        EndException = "end-exception",
        /// A month of the access log need not be kept any longer.
        EndAccessLog = "end-access-log",
    }
    /// Where a duty stands.
    DutyState {
        /// It is due later.
        Open = "open",
        /// Its last day is past.
        Overdue = "overdue",
        /// It was fulfilled in time.
        Done = "done",
        /// It was fulfilled, and late.
        DoneLate = "done-late",
    }
}

impl DutyCode {
    /// What it is, in a sentence.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::FillPost => "a post is to be filled",
            Self::NameDeputy => "a deputy is to be named",
            Self::TellOfChange => "a change of post is to be told of",
            Self::SwitchCustodian => "the custodian's rights are to go over to another one",
            Self::AnswerAccount => "an application for an account is to be dealt with",
            Self::ReviewAccounts => "the accounts are to be reviewed",
            Self::Train => "hours of training are missing",
            Self::SignAgreement => "a confidentiality agreement is to be renewed or entered",
            Self::DrawSample => "a sample of the access log is to be drawn",
            Self::ReviewSample => "a sample is to be looked through",
            Self::CorrectFinding => "a finding is to be corrected",
            Self::ProposeTermination => {
                "the end of a link is to be proposed, for its findings were not corrected"
            }
            Self::ReportIncident => "an incident is to be reported",
            Self::EndIncident => "an incident is to be brought to its end",
            Self::DecideApplication => "an application of a link is to be decided on",
            Self::TestLink => "a link is to be tested",
            Self::ReviewLink => "a link is to be reviewed",
            Self::RenewLink => "a link's approval ends",
            Self::AttachPaper => "papers are to be attached",
            Self::ReviewBackup => "what backups hold is to be reviewed",
            Self::AuditInternal => "an internal audit is owed",
            Self::AuditExternal => "an external audit is owed",
            Self::AuditVendor => "an audit of a vendor is owed",
            Self::AuditFiles => "an audit by pulled files is owed",
            Self::AuditUnannounced => "an audit without notice is owed",
            Self::AnswerRequest => "evidence that was asked for is to be handed in",
            Self::ReportUse => "the report of use is to be made",
            Self::SignReport => "a report is to be signed off",
            Self::Reconcile => "queries are to be held against cases",
            Self::ProvideBatch => "a batch is to be provided",
            Self::ConfirmBatch => "a batch is to be confirmed as whole",
            Self::CompareBatch => "what was applied for is to be compared with what came",
            Self::StateNeed => "whether there is need to keep a batch is to be stated",
            Self::Destroy => "what is due is to be destroyed",
            Self::ClosePapers => "closing papers are to be entered",
            Self::DestroyCopy => "a copy that somebody keeps is to be destroyed",
            Self::RenewStanding => "a standing approval ends",
            Self::EndGrant => "a grant ends",
            Self::ReviewHold => "a hold is to be reviewed",
            Self::Anchor => "the register is to be anchored with a witness",
            Self::EndException => "an exception of a policy ends",
            Self::EndAccessLog => "a month of the access log need not be kept any longer",
        }
    }
}

/// Something that somebody owes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Duty {
    /// What.
    pub code: DutyCode,
    /// The clause that asks for it, or `own`.
    pub clause: String,
    /// The policy that the clause is in force by, where one is.
    pub policy: Option<String>,
    /// The link, where it is one's.
    pub link: Option<String>,
    /// What it is about: an id, a name, a period such as `2026-11`. With code, policy and link it tells one duty from another.
    pub object: String,
    /// The roles that may fulfil it; one of them is enough.
    pub roles: Vec<Role>,
    /// The account that is to, where one is named.
    pub account: Option<String>,
    /// Its cause; it is not owed before.
    pub start: Timestamp,
    /// The last moment at which it is in time.
    pub due: Timestamp,
    /// When it was fulfilled.
    pub done: Option<Timestamp>,
    /// The command that fulfils it, without the program's name.
    pub command: String,
    /// Whether those whom it concerns must not know of it beforehand: auditors and supervisors alone are shown it.
    pub unannounced: bool,
}

impl Duty {
    /// What is owed of an object from its cause until it is due: a rule of ours, of nobody's and open, until more is said.
    /// Nothing is owed later than it is due.
    #[must_use]
    pub fn of(code: DutyCode, object: impl Into<String>, start: Timestamp, due: Timestamp) -> Self {
        Self {
            code,
            clause: OWN.to_owned(),
            policy: None,
            link: None,
            object: object.into(),
            roles: Vec::new(),
            account: None,
            start: start.min(due),
            due,
            done: None,
            command: String::new(),
            unannounced: false,
        }
    }

    /// Asked for by a clause, in force by a policy where one is.
    #[must_use]
    pub fn by(self, clause: &str, policy: Option<&str>) -> Self {
        Self { clause: clause.to_owned(), policy: policy.map(ToOwned::to_owned), ..self }
    }

    /// A link's, where it is one's.
    #[must_use]
    pub fn on(self, link: Option<&str>) -> Self {
        Self { link: link.map(ToOwned::to_owned), ..self }
    }

    /// Whoever may do this may fulfil it, with this command.
    #[must_use]
    pub fn to(self, act: Act, command: impl Into<String>) -> Self {
        self.for_roles(act.roles(), command)
    }

    /// These roles may fulfil it, with this command.
    #[must_use]
    pub fn for_roles(self, roles: &[Role], command: impl Into<String>) -> Self {
        Self { roles: roles.to_vec(), command: command.into(), ..self }
    }

    /// This account is to fulfil it.
    #[must_use]
    pub fn named(self, account: Option<&str>) -> Self {
        Self { account: account.map(ToOwned::to_owned), ..self }
    }

    /// When it was fulfilled, where it was.
    #[must_use]
    pub fn done(self, done: Option<Timestamp>) -> Self {
        Self { done, ..self }
    }

    /// Where it stands at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> DutyState {
        match self.done {
            Some(done) if done <= self.due => DutyState::Done,
            Some(_) => DutyState::DoneLate,
            None if now > self.due => DutyState::Overdue,
            None => DutyState::Open,
        }
    }
}

/// A period of the calendar; in registers and answers it is its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CalendarPeriod {
    /// Its first day.
    pub first: NaiveDate,
    /// Its last day.
    pub last: NaiveDate,
    /// As people write it: `2026-11`, `2026-Q4`, `2026-H2`, `2026`.
    pub name: String,
}

impl CalendarPeriod {
    /// The period of so many months that `day` is in; months that do not divide the year are counted as those that do and
    /// are fewer.
    #[must_use]
    pub fn of(day: NaiveDate, period: Period) -> Option<Self> {
        let months = match period.months {
            0 | 1 => 1,
            2 => 2,
            3 => 3,
            4 | 5 => 4,
            6..=11 => 6,
            _ => 12,
        };
        let nth = day.month0() / months;
        let first = NaiveDate::from_ymd_opt(day.year(), nth * months + 1, 1)?;
        let last = first.checked_add_months(Months::new(months))?.checked_sub_days(Days::new(1))?;
        let year = day.year();
        let name = match months {
            1 => format!("{year}-{:02}", nth + 1),
            2 => format!("{year}-B{}", nth + 1),
            3 => format!("{year}-Q{}", nth + 1),
            4 => format!("{year}-T{}", nth + 1),
            6 => format!("{year}-H{}", nth + 1),
            _ => format!("{year}"),
        };
        Some(Self { first, last, name })
    }

    /// The period that people write so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, part) = text.split_once('-').map_or((text, None), |(y, p)| (y, Some(p)));
        let year: i32 = (year.len() == 4).then(|| year.parse().ok())??;
        let (months, nth) = match part {
            None => (12, 1),
            Some(part) => match (part.as_bytes().first()?, part.get(1..)?) {
                (b'B', nth) => (2, nth.parse().ok()?),
                (b'Q', nth) => (3, nth.parse().ok()?),
                (b'T', nth) => (4, nth.parse().ok()?),
                (b'H', nth) => (6, nth.parse().ok()?),
                _ => (1, part.parse::<u32>().ok()?),
            },
        };
        let month = u32::checked_sub(nth, 1)? * months + 1;
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let found = Self::of(first, Period { months, days: 0, seconds: 0 })?;
        (found.name == text).then_some(found)
    }

    /// The next one of the same length.
    #[must_use]
    pub fn next(&self) -> Option<Self> {
        let first = self.last.succ_opt()?;
        let months = (first.year() - self.first.year()) * 12 + first.month0().cast_signed()
            - self.first.month0().cast_signed();
        let months = u32::try_from(months).ok()?;
        Self::of(first, Period { months, days: 0, seconds: 0 })
    }

    /// Its end.
    #[must_use]
    pub fn end(&self, zone: chrono_tz::Tz) -> Timestamp {
        Timestamp::end_of_day(self.last, zone)
    }
}

/// The periods of this length that end in `since..=until`, in their order: the first is the one that `since` is in.
#[must_use]
pub fn periods(
    period: Period,
    since: Timestamp,
    until: Timestamp,
    zone: chrono_tz::Tz,
) -> Vec<CalendarPeriod> {
    let mut found = Vec::new();
    let mut next = CalendarPeriod::of(since.date_in(zone), period);
    while let Some(one) = next.filter(|one| one.end(zone) <= until) {
        next = one.next();
        found.push(one);
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use chrono_tz::Asia::Taipei;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::domain::calendar::working::tests::date;

    fn period(text: &str) -> Period {
        Period::parse(text).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::start_of_day(date(text), Taipei)
    }

    #[test]
    fn periods_follow_the_calendar_and_are_written_as_people_write_them() {
        for (day, length, first, last, name) in [
            ("2026-11-22", "P1M", "2026-11-01", "2026-11-30", "2026-11"),
            ("2026-11-22", "P3M", "2026-10-01", "2026-12-31", "2026-Q4"),
            ("2026-06-30", "P6M", "2026-01-01", "2026-06-30", "2026-H1"),
            ("2024-02-29", "P1Y", "2024-01-01", "2024-12-31", "2024"),
            ("2024-02-29", "P2M", "2024-01-01", "2024-02-29", "2024-B1"),
        ] {
            let found = CalendarPeriod::of(date(day), period(length)).unwrap();
            assert_eq!((found.first, found.last), (date(first), date(last)), "{day} {length}");
            assert_eq!(found.name, name);
            assert_eq!(CalendarPeriod::parse(name), Some(found));
        }
        for no in ["", "2026-13", "2026-H3", "2026-1", "26-11", "2026-Q0", "2026-11-01", "2026-"] {
            assert_eq!(CalendarPeriod::parse(no), None, "{no}");
        }
    }

    #[test]
    fn a_duty_is_in_time_until_its_last_moment() {
        let duty = |done| {
            Duty::of(DutyCode::ReviewLink, "a", at("2026-01-01"), at("2026-02-01")).done(done)
        };
        let (due, after) = (at("2026-02-01"), at("2026-02-01").plus_seconds(1));
        assert_eq!(duty(None).state(due), DutyState::Open);
        assert_eq!(duty(None).state(after), DutyState::Overdue);
        assert_eq!(duty(Some(due)).state(after), DutyState::Done);
        assert_eq!(duty(Some(after)).state(after), DutyState::DoneLate);
    }

    proptest! {
        #[test]
        fn periods_follow_each_other_without_a_gap(
            start in 0_i64..3650, days in 0_i64..1500, months in 1_u32..13,
        ) {
            let length = Period { months, days: 0, seconds: 0 };
            let since = at("2020-01-01").plus_seconds(start * 86_400);
            let until = since.plus_seconds(days * 86_400);
            let found = periods(length, since, until, Taipei);
            for pair in found.windows(2) {
                prop_assert_eq!(pair[0].last.succ_opt().unwrap(), pair[1].first);
            }
            if let Some(first) = found.first() {
                prop_assert!(first.first <= since.date_in(Taipei));
                prop_assert!(first.last >= since.date_in(Taipei));
            }
            prop_assert!(found.iter().all(|one| one.end(Taipei) <= until));
        }
    }
}
