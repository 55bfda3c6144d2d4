//! Duties of reports and audits: each period is owed by itself, once for a policy that an active link is under.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::{
    domain::{
        accounts::Role,
        audits::{AuditKind, DocPull, ReportKind, pulls_on},
        duty::{CalendarPeriod, Duty, DutyCode, periods},
        entry::AuditRecorded,
        link::LinkStatus,
        policy::{AuditRule, Rule},
        time::{Period, Timestamp},
        view::{Audit, Report, View},
    },
    engine::rules::Rules,
};

const YEAR: Period = Period { months: 12, days: 0, seconds: 0 };
const HALF_YEAR: Period = Period { months: 6, days: 0, seconds: 0 };

/// A policy, the links that are under it, and since when the first of them is.
struct Under<'a> {
    name: &'a str,
    rule: &'a AuditRule,
    links: Vec<&'a str>,
    since: Timestamp,
}

/// What is looked for again and again, looked up once.
struct Known<'a> {
    zone: chrono_tz::Tz,
    now: Timestamp,
    until: Timestamp,
    /// Audits that two people signed, by kind and period.
    audits: BTreeMap<(AuditKind, &'a str), Vec<(&'a AuditRecorded, Timestamp)>>,
    /// Audits by pulled files, by the day on which they took place.
    pulled: Vec<(NaiveDate, Timestamp)>,
    /// Reports, by kind and period.
    reports: BTreeMap<(ReportKind, &'a str), Vec<&'a Report>>,
}

/// What is owed of reports and audits.
pub(in crate::service) fn duties(
    view: &View,
    rules: &Rules,
    now: Timestamp,
    until: Timestamp,
    into: &mut Vec<Duty>,
) {
    let known = Known::of(view, rules.zone, (now, until));
    for under in under(view, rules) {
        let rule = under.rule;
        for (asked, kind, code) in [
            (&rule.internal, AuditKind::Internal, DutyCode::AuditInternal),
            (&rule.external, AuditKind::External, DutyCode::AuditExternal),
            (&rule.vendor, AuditKind::Vendor, DutyCode::AuditVendor),
            (&rule.unannounced, AuditKind::Unannounced, DutyCode::AuditUnannounced),
        ] {
            if let Some(asked) = asked {
                known.audited(&under, asked, (kind, code), into);
            }
        }
        if let Some(asked) = &rule.docpull {
            known.pulled(&under, asked, into);
        }
        if let Some(asked) = &rule.report {
            known.reported(&under, asked, (ReportKind::Use, DutyCode::ReportUse), into);
        }
        if let Some(asked) = &rule.reconciliation {
            known.reported(&under, asked, (ReportKind::Cases, DutyCode::Reconcile), into);
        }
    }
    signatures(view, rules, into);
    answers(view, into);
}

/// The policies that an active link is under, each with its links.
fn under<'a>(view: &View, rules: &'a Rules) -> Vec<Under<'a>> {
    let mut found: BTreeMap<&str, Under<'a>> = BTreeMap::new();
    for link in rules.links.values().filter(|link| link.status == LinkStatus::Active) {
        let Some(policy) = rules.policy_of(link) else { continue };
        let Some(since) = view.link_under_since(&link.name) else { continue };
        let one = found.entry(&policy.name).or_insert_with(|| Under {
            name: &policy.name,
            rule: &policy.further.audits,
            links: Vec::new(),
            since,
        });
        one.links.push(&link.name);
        one.since = one.since.min(since);
    }
    found.into_values().collect()
}

impl<'a> Known<'a> {
    fn of(view: &'a View, zone: chrono_tz::Tz, (now, until): (Timestamp, Timestamp)) -> Self {
        let mut known = Self {
            zone,
            now,
            until,
            audits: BTreeMap::new(),
            pulled: Vec::new(),
            reports: BTreeMap::new(),
        };
        for row in view.audits.audits.values() {
            let Some((facts, signed)) = signed(row) else { continue };
            let of = (facts.terms.kind, facts.terms.period.as_str());
            known.audits.entry(of).or_default().push((facts, signed));
            if facts.terms.kind == AuditKind::Files {
                known.pulled.push((facts.on.date_in(zone), signed));
            }
        }
        for row in view.audits.reports.values() {
            known.reports.entry((row.kind, &row.period)).or_default().push(row);
        }
        known
    }

    /// The periods that are owed since a time: those whose cause is past, and those that are due within the look ahead.
    fn periods(&self, length: Period, since: Timestamp) -> Vec<(CalendarPeriod, Timestamp)> {
        let far = self.until.max(self.now);
        // A period that runs is owed already; one beyond is shown where it is due within the look ahead.
        let end = CalendarPeriod::of(far.date_in(self.zone), length).map(|one| one.end(self.zone));
        let all = periods(length, since, end.unwrap_or(far), self.zone);
        let start = |one: &CalendarPeriod| Timestamp::start_of_day(one.first, self.zone).max(since);
        let all = all.into_iter().map(|one| (start(&one), one));
        all.filter(|(start, one)| *start <= self.now || due(one, self.zone) <= self.until)
            .map(|(start, one)| (one, start))
            .collect()
    }

    fn audited(
        &self,
        under: &Under<'_>,
        asked: &Rule<Period>,
        (kind, code): (AuditKind, DutyCode),
        into: &mut Vec<Duty>,
    ) {
        for (one, start) in self.periods(asked.value, under.since) {
            let rows = self.audits.get(&(kind, one.name.as_str()));
            let done = rows.into_iter().flatten().map(|(_, signed)| *signed).min();
            let command = format!(
                "audit record {kind} --period {} --of NAME --by ACCOUNT --result ok --doc-no NO",
                one.name
            );
            into.push(Duty {
                unannounced: kind == AuditKind::Unannounced,
                ..duty((under, &asked.clause, code), (&one, start, self.zone), done, command)
            });
        }
    }

    /// Audits by pulled files: in March or September of each year, or in each half of it.
    fn pulled(&self, under: &Under<'_>, asked: &Rule<DocPull>, into: &mut Vec<Duty>) {
        let length = match asked.value {
            DocPull::MarchOrSeptember => YEAR,
            DocPull::HalfYearly => HALF_YEAR,
        };
        for (one, start) in self.periods(length, under.since) {
            let done = self
                .pulled
                .iter()
                .filter(|(day, _)| (one.first..=one.last).contains(day))
                .filter(|(day, _)| pulls_on(asked.value, *day))
                .map(|(_, signed)| *signed)
                .min();
            let command = format!(
                "audit record files --period {} --of NAME --by ACCOUNT --result ok --doc-no NO",
                one.name
            );
            let mut owed = duty(
                (under, &asked.clause, DutyCode::AuditFiles),
                (&one, start, self.zone),
                done,
                command,
            );
            if asked.value == DocPull::MarchOrSeptember {
                let last = NaiveDate::from_ymd_opt(one.first.year(), 9, 30).unwrap_or(one.last);
                let due = Timestamp::end_of_day(last, self.zone);
                // Whoever comes under the rule when September is over owes it from the next year on.
                if due < under.since {
                    continue;
                }
                owed.due = due;
            }
            into.push(owed);
        }
    }

    /// Reports of a period: the time at which every link of the policy had one that counts.
    fn reported(
        &self,
        under: &Under<'_>,
        asked: &Rule<Period>,
        (kind, code): (ReportKind, DutyCode),
        into: &mut Vec<Duty>,
    ) {
        for (one, start) in self.periods(asked.value, under.since) {
            let rows = self.reports.get(&(kind, one.name.as_str()));
            let rows = || rows.into_iter().flatten().filter(|row| row.unit.is_none());
            let of_link = |link: &&str| {
                let covers = |row: &&&Report| row.link.as_deref().is_none_or(|of| of == *link);
                rows().filter(covers).map(|row| row.made.at).min()
            };
            let done = under.links.iter().map(of_link).collect::<Option<Vec<_>>>();
            let done = done.and_then(|times| times.into_iter().max());
            let command = match kind {
                ReportKind::Cases => {
                    format!(
                        "audit reconcile --period {} --cases FILE --format ods -o FILE",
                        one.name
                    )
                }
                _ => format!("audit report --period {} --format ods -o FILE", one.name),
            };
            into.push(duty((under, &asked.clause, code), (&one, start, self.zone), done, command));
        }
    }
}

/// A duty of a period: due at the end of the month after it.
fn duty(
    (under, clause, code): (&Under<'_>, &str, DutyCode),
    (one, start, zone): (&CalendarPeriod, Timestamp, chrono_tz::Tz),
    done: Option<Timestamp>,
    command: String,
) -> Duty {
    Duty {
        code,
        clause: clause.to_owned(),
        policy: Some(under.name.to_owned()),
        link: None,
        object: one.name.clone(),
        roles: vec![Role::Auditor],
        account: None,
        start,
        due: due(one, zone),
        done,
        command,
        unannounced: false,
    }
}

fn due(one: &CalendarPeriod, zone: chrono_tz::Tz) -> Timestamp {
    let next = one.last.succ_opt().unwrap_or(one.last);
    Timestamp::end_of_month(next, zone).unwrap_or_else(|| one.end(zone))
}

/// The record of an audit that two people signed, and when the second one did.
fn signed(row: &Audit) -> Option<(&AuditRecorded, Timestamp)> {
    let (_, mark) = row.signed.as_ref()?;
    Some((&row.record.as_ref()?.facts, mark.at))
}

/// Reports that wait to be signed off or sent on, until the end of the month after that in which they were made.
fn signatures(view: &View, rules: &Rules, into: &mut Vec<Duty>) {
    let zone = rules.zone;
    let mut newest: BTreeMap<_, _> = BTreeMap::new();
    for (id, row) in view.audits.reports.iter().filter(|(_, row)| row.kind.is_signed_off()) {
        // What was made anew is signed off in its last form.
        newest.insert((row.kind, &row.period, &row.link, &row.unit), (*id, row));
    }
    let offices: BTreeMap<&str, (&str, &str)> = rules
        .links
        .values()
        .filter(|link| link.status == LinkStatus::Active)
        .filter_map(|link| rules.policy_of(link))
        .filter_map(|policy| Some((policy, policy.further.audits.report_to.as_ref()?)))
        .flat_map(|(policy, rule)| {
            let of = (policy.name.as_str(), rule.clause.as_str());
            rule.value.iter().map(move |office| (office.as_str(), of))
        })
        .collect();
    for (id, row) in newest.into_values() {
        let made = row.made.at.date_in(zone);
        let next =
            made.with_day(1).and_then(|first| first.checked_add_months(chrono::Months::new(1)));
        let due =
            next.and_then(|first| Timestamp::end_of_month(first, zone)).unwrap_or(row.made.at);
        let sign = Duty {
            code: DutyCode::SignReport,
            clause: "NTP-9.1b".to_owned(),
            policy: None,
            link: row.link.clone(),
            object: id.to_string(),
            roles: vec![Role::Supervisor],
            account: None,
            start: row.made.at,
            due,
            done: row.signed.as_ref().map(|(_, mark, _)| mark.at),
            command: format!("audit sign {id} --doc-no NO"),
            unannounced: false,
        };
        let Some((_, mark, _)) = row.signed.as_ref().filter(|_| row.kind == ReportKind::Use) else {
            into.push(sign);
            continue;
        };
        for (office, (policy, clause)) in &offices {
            let sent = row.sent.iter().find(|(to, _, _)| to == office).map(|(_, _, on)| *on);
            into.push(Duty {
                clause: (*clause).to_owned(),
                policy: Some((*policy).to_owned()),
                object: format!("{id}/{office}"),
                roles: vec![Role::Auditor],
                start: mark.at,
                // A letter of an earlier hour of the day on which it was signed off.
                done: sent.map(|on| on.max(mark.at)),
                command: format!("audit sent {id} --office {office} --letter NO"),
                ..sign.clone()
            });
        }
        into.push(sign);
    }
}

/// Requests for evidence.
fn answers(view: &View, into: &mut Vec<Duty>) {
    for (id, row) in &view.audits.requests {
        into.push(Duty {
            code: DutyCode::AnswerRequest,
            clause: "NTP-7.2".to_owned(),
            policy: None,
            link: None,
            object: id.to_string(),
            roles: Vec::new(),
            account: Some(row.asked.account.clone()),
            start: row.mark.at,
            due: row.asked.due,
            done: row.answer.as_ref().map(|(_, mark)| mark.at),
            command: format!("audit answer {id} --doc-no NO --evidence FILE"),
            unannounced: false,
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use chrono_tz::Asia::Taipei;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::domain::{
        audits::AuditResult,
        digest::Digest,
        entry::{AuditSigned, AuditTerms, Body, Entry, ReportMade, Signed},
        signed::{Asked, SignedText},
    };

    fn at(text: &str) -> Timestamp {
        Timestamp::start_of_day(text.parse().unwrap(), Taipei)
    }

    fn rule<T>(value: T) -> Option<Rule<T>> {
        Some(Rule { value, clause: "TY-5.3".to_owned() })
    }

    fn record(view: &mut View, on: Timestamp, by: &str, body: Body) {
        let entry = Entry { v: 1, at: on, by: by.to_owned(), body };
        view.apply(view.size, &entry, Digest::of(&view.size.to_be_bytes())).unwrap();
    }

    fn signed(view: &View) -> Signed {
        let asked = Asked {
            origin: "batchward/x",
            command: "audit sign",
            object: "v",
            object_digest: None,
        };
        let (from, to) = (at("2027-01-01"), at("2027-01-01").plus_seconds(60));
        let text = SignedText::new(&asked, "", u128::from(view.size).to_be_bytes(), from, to);
        let text = text.unwrap().canonical();
        Signed { key: "SHA256:x".to_owned(), text, signature: String::new() }
    }

    /// An audit that took place on a day, and was signed on it.
    fn audited(view: &mut View, kind: AuditKind, period: &str, on: &str) {
        let audit = view.audits.next_audit();
        let terms =
            AuditTerms { kind, period: period.to_owned(), of: "all".to_owned(), by: Vec::new() };
        let facts = AuditRecorded {
            audit,
            terms,
            on: at(on),
            result: AuditResult::Ok,
            doc_no: "1".to_owned(),
            evidence: Vec::new(),
            signed: None,
        };
        record(view, at(on), "one", Body::AuditRecorded(facts));
        let signed = signed(view);
        record(view, at(on), "two", Body::AuditSigned(AuditSigned { audit, signed }));
    }

    fn owed(view: &View, rule: &AuditRule, since: &str, now: &str) -> Vec<Duty> {
        let known = Known::of(view, Taipei, (at(now), at(now)));
        let under = Under { name: "taoyuan-dwcd", rule, links: vec!["a", "b"], since: at(since) };
        let mut into = Vec::new();
        if let Some(asked) = &rule.internal {
            known.audited(&under, asked, (AuditKind::Internal, DutyCode::AuditInternal), &mut into);
        }
        if let Some(asked) = &rule.docpull {
            known.pulled(&under, asked, &mut into);
        }
        if let Some(asked) = &rule.report {
            known.reported(&under, asked, (ReportKind::Use, DutyCode::ReportUse), &mut into);
        }
        into
    }

    #[test]
    fn each_period_is_owed_by_itself_and_none_before_its_cause() {
        let rule = AuditRule { internal: rule(HALF_YEAR), ..AuditRule::default() };
        let mut view = View::default();
        audited(&mut view, AuditKind::Internal, "2027-H1", "2027-05-03");
        let found = owed(&view, &rule, "2026-11-21", "2027-09-01");
        let rows: Vec<_> = found.iter().map(|duty| (duty.object.as_str(), duty.done)).collect();
        // The first half-year is the one that the cause lies in; what was done in one stands for no other.
        let done = Some(at("2027-05-03"));
        assert_eq!(rows, [("2026-H2", None), ("2027-H1", done), ("2027-H2", None)]);
        assert_eq!(found[0].start, at("2026-11-21"));
        assert_eq!(found[0].due, Timestamp::end_of_day("2027-01-31".parse().unwrap(), Taipei));
        assert_eq!(found[2].start, at("2027-07-01"));
    }

    #[test]
    fn files_that_are_pulled_in_another_month_do_not_count() {
        let rule = AuditRule { docpull: rule(DocPull::MarchOrSeptember), ..AuditRule::default() };
        let mut view = View::default();
        audited(&mut view, AuditKind::Files, "2027", "2027-04-01");
        audited(&mut view, AuditKind::Files, "2028", "2028-03-31");
        let found = owed(&view, &rule, "2026-11-21", "2028-12-01");
        // September of 2026 was over when the link came under the rule.
        let rows: Vec<_> = found.iter().map(|d| (d.object.as_str(), d.done.is_some())).collect();
        assert_eq!(rows, [("2027", false), ("2028", true)]);
        assert_eq!(found[0].due, Timestamp::end_of_day("2027-09-30".parse().unwrap(), Taipei));
        let half = AuditRule {
            docpull: Some(Rule { value: DocPull::HalfYearly, clause: "TPE-11.2".to_owned() }),
            ..AuditRule::default()
        };
        let found = owed(&view, &half, "2027-01-01", "2027-06-30");
        assert!(found[0].done.is_some(), "{found:?}");
    }

    #[test]
    fn a_report_counts_when_every_link_of_the_policy_is_in_one() {
        let month = Period { months: 1, days: 0, seconds: 0 };
        let rule = AuditRule { report: rule(month), ..AuditRule::default() };
        let mut view = View::default();
        let made = |view: &mut View, link: Option<&str>, unit: Option<&str>| {
            let made = ReportMade {
                report: view.audits.next_report(),
                kind: ReportKind::Use,
                period: "2026-11".to_owned(),
                link: link.map(str::to_owned),
                unit: unit.map(str::to_owned),
                form: Digest::of(b"x"),
                rows: Vec::new(),
                counts: BTreeMap::new(),
                signed: None,
            };
            record(view, at("2026-12-02"), "one", Body::ReportMade(made));
        };
        let done = |view: &View| owed(view, &rule, "2026-11-21", "2026-12-03")[0].done.is_some();
        made(&mut view, Some("a"), None);
        made(&mut view, None, Some("甲科"));
        assert!(!done(&view));
        made(&mut view, Some("b"), None);
        assert!(done(&view));
    }

    proptest! {
        #[test]
        fn no_period_is_lost_and_none_is_due_before_its_cause(
            since in 0_i64..3650, days in 0_i64..3650, months in 1_u32..13,
        ) {
            let since = at("2020-01-01").plus_seconds(since * 86_400);
            let now = since.plus_seconds(days * 86_400);
            let length = Period { months, days: 0, seconds: 0 };
            let view = View::default();
            let known = Known::of(&view, Taipei, (now, now));
            let found = known.periods(length, since);
            for pair in found.windows(2) {
                prop_assert_eq!(pair[0].0.last.succ_opt().unwrap(), pair[1].0.first);
            }
            prop_assert!(found[0].0.first <= since.date_in(Taipei));
            prop_assert!(found.iter().any(|(one, _)| one.last >= now.date_in(Taipei)));
            for (one, start) in &found {
                prop_assert!(*start >= since && *start <= now && due(one, Taipei) > *start);
            }
        }
    }
}
