//! The clauses of the five regulations, and what Batchward does for each of them and for each parameter.
//!
//! Two tables of text, shipped with the program: `policies/clauses.tsv` (id, kind, quote) and `policies/does.tsv` (clause or
//! parameter, what is done, what it waits for, in words in both languages, and the tests that show it). Tests hold the second to the
//! first and to the code: what is said to be enforced names a test that exists.

use std::sync::LazyLock;

use crate::domain::words::words;

words! {
    /// What Batchward does for a rule.
    Does {
        /// Refuses what breaks it, or does it by itself.
        Enforces = "enforces",
        /// Records and exports the proof of it.
        Evidences = "evidences",
        /// Shows people what is due.
        Reminds = "reminds",
        /// Nothing yet.
        NotYet = "not-yet",
        /// Nothing, because no program can.
        NotSoftware = "not-software",
    }
    /// What a rule waits for that nothing does yet.
    Waits {
        /// Appointments, changes of post, training, account review (issue 8, part 4).
        People = "people",
        /// The list of duties and notices (issue 8, part 5).
        Duties = "duties",
        /// Drawing samples of the access log, findings (issue 8, part 6).
        Sampling = "sampling",
        /// Monthly reports, reconciliation (issue 8, part 7).
        Reports = "reports",
        /// 附件二 and the pack for an inspection (issue 8, part 8).
        Assessment = "assessment",
        /// Links applied for and countersigned (issue 8, part 9).
        Links = "links",
        /// Incidents (issue 8, part 10).
        Incidents = "incidents",
        /// Periods by working days and by law (issue 8, part 3).
        Periods = "periods",
        /// The web console, which has an issue of its own.
        Console = "console",
        /// Letters and paper decisions (issue 9).
        Letters = "letters",
    }
}

/// A clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Id, such as `TY-4.3.2a`.
    pub id: &'static str,
    /// Kinds: letters of E, V, R and N.
    pub kind: &'static str,
    /// What the text says.
    pub quote: &'static str,
}

/// What is done for a clause or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The clause's id, or the parameter's key.
    pub subject: &'static str,
    /// What is done.
    pub does: Does,
    /// What it waits for, where nothing is done yet.
    pub waits: Option<Waits>,
    /// In English.
    pub english: &'static str,
    /// In Chinese.
    pub chinese: &'static str,
    /// Names of tests.
    pub tests: Vec<&'static str>,
}

/// The regulations by the letters of their clauses.
pub const LAWS: &[(&str, &str)] = &[
    ("NTP", "新北市政府雲端證件資料庫使用管理作業要點"),
    ("TPE", "臺北市政府資料整合平臺作業程序"),
    ("TY", "桃園市政府婦幼發展局使用戶役政資料管理規定"),
    ("TYA2", "連結機關應用戶役政資訊連結作業稽核自我評審表（附件二）"),
    ("NT", "南投縣驗證機制平臺使用戶籍資料管理規定"),
    ("TPH", "臺北市政府衛生局暨所屬健康服務中心應用戶役政資訊連結作業要點"),
];

static CLAUSES: LazyLock<Vec<Clause>> = LazyLock::new(|| {
    let rows = rows(include_str!("../../../policies/clauses.tsv"));
    rows.filter_map(|row| match row.as_slice() {
        [id, kind, quote] => Some(Clause { id, kind, quote }),
        _ => None,
    })
    .collect()
});

static DONE: LazyLock<Vec<Done>> = LazyLock::new(|| {
    let rows = rows(include_str!("../../../policies/does.tsv"));
    rows.filter_map(|row| match row.as_slice() {
        [subject, does, waits, english, chinese, tests] => Some(Done {
            subject,
            does: Does::parse(does)?,
            waits: Waits::parse(waits),
            english,
            chinese,
            tests: tests.split(' ').filter(|test| !test.is_empty()).collect(),
        }),
        _ => None,
    })
    .collect()
});

/// The rows of a table below its head, without remarks.
fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.skip(1).map(|line| line.split('\t').collect())
}

/// Every clause, in the order of the texts.
#[must_use]
pub fn all() -> &'static [Clause] {
    &CLAUSES
}

/// What is done, for every clause and every parameter.
#[must_use]
pub fn done() -> &'static [Done] {
    &DONE
}

/// What is done for a clause or a parameter.
#[must_use]
pub fn done_for(subject: &str) -> Option<&'static Done> {
    DONE.iter().find(|one| one.subject == subject)
}

/// The clauses that an id names: one, or all of a point.
#[must_use]
pub fn of(id: &str) -> Vec<&'static Clause> {
    let within = |clause: &&Clause| match clause.id.strip_prefix(id) {
        Some(rest) => rest.chars().next().is_none_or(|c| c == '.' || c.is_ascii_lowercase()),
        None => false,
    };
    CLAUSES.iter().filter(within).collect()
}

/// What the text of an id says.
#[must_use]
pub fn quote(id: &str) -> Option<String> {
    let quotes: Vec<&str> = of(id).iter().map(|clause| clause.quote).collect();
    (!quotes.is_empty()).then(|| quotes.join(" ／ "))
}

/// The title of the regulation that a clause is in.
#[must_use]
pub fn law(id: &str) -> Option<&'static str> {
    let (letters, _) = id.split_once('-')?;
    LAWS.iter().find(|(law, _)| *law == letters).map(|(_, title)| *title)
}

/// Whether a text has the form of a clause: letters of a regulation, and the numbers of its point.
#[must_use]
pub fn is_clause(text: &str) -> bool {
    let Some((law, point)) = text.split_once('-') else { return false };
    let numbers = point.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let letters = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    (2..=8).contains(&law.len())
        && law.bytes().all(letters)
        && point.len() - numbers.len() <= 1
        && numbers.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::policy::parameters::{PARAMETERS, Parameter};

    #[test]
    fn the_clauses_are_whole() {
        assert!(all().len() >= 170, "{}", all().len());
        let ids: BTreeSet<&str> = all().iter().map(|clause| clause.id).collect();
        assert_eq!(ids.len(), all().len(), "a clause stands twice");
        for clause in all() {
            assert!(is_clause(clause.id) && law(clause.id).is_some(), "{}", clause.id);
            assert!(clause.kind.chars().all(|c| "EVRN".contains(c)), "{}", clause.id);
            assert!(!clause.kind.is_empty() && !clause.quote.is_empty(), "{}", clause.id);
        }
        assert_eq!(of("TY-4.3.2").len(), 3);
        assert!(of("TY-4.3").len() > 3 && of("TY-4.3.9").is_empty());
        // A point is not the beginning of another one's number.
        assert!(of("NTP-1").is_empty() && of("TYA2-2.1").iter().all(|c| c.id == "TYA2-2.1"));
    }

    #[test]
    fn what_is_done_stands_for_every_clause_and_every_parameter_once() {
        let lines = include_str!("../../../policies/does.tsv").lines();
        let rows = lines.filter(|l| !l.starts_with('#') && !l.is_empty()).skip(1).count();
        assert_eq!(done().len(), rows, "a row of does.tsv cannot be read");
        let subjects: BTreeSet<&str> = done().iter().map(|one| one.subject).collect();
        assert_eq!(subjects.len(), rows, "a subject stands twice");
        let wanted: BTreeSet<&str> =
            all().iter().map(|c| c.id).chain(PARAMETERS.iter().map(|p| p.key)).collect();
        let missing: Vec<_> = wanted.difference(&subjects).collect();
        assert!(missing.is_empty(), "nothing is said of {missing:?}");
        let strange: Vec<_> = subjects.difference(&wanted).collect();
        assert!(strange.is_empty(), "{strange:?} is neither clause nor parameter");
        for one in done() {
            assert!(!one.english.is_empty() && !one.chinese.is_empty(), "{}", one.subject);
            assert_eq!(one.waits.is_some(), one.does == Does::NotYet, "{}", one.subject);
            let parameter = Parameter::of(one.subject).is_some();
            let clause = all().iter().find(|clause| clause.id == one.subject);
            assert!(parameter || clause.is_some(), "{}", one.subject);
        }
    }
}
