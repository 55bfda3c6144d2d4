//! Duties of reports and audits: each period is owed by itself, once for a policy that a link is under which is not
//! terminated, or was not when the period began.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};

use crate::{
    domain::{
        accounts::Role,
        audits::{AuditKind, DocPull, ReportKind, pulls_on},
        duty::{CalendarPeriod, Duty, DutyCode, periods},
        entry::AuditRecorded,
        link::{Link, LinkStatus},
        policy::{AuditRule, Rule},
        time::{Period, Timestamp},
        view::{Audit, Report, View},
    },
    engine::rules::Rules,
    service::auditing::ALL,
};

const YEAR: Period = Period { months: 12, days: 0, seconds: 0 };
const HALF_YEAR: Period = Period { months: 6, days: 0, seconds: 0 };

/// A policy, the links that are under it, and since when the first of them is.
struct Under<'a> {
    name: &'a str,
    rule: &'a AuditRule,
    links: Vec<Span<'a>>,
    since: Timestamp,
}

/// How long a link is under a policy.
struct Span<'a> {
    link: &'a str,
    since: Timestamp,
    /// When it was terminated.
    until: Option<Timestamp>,
}

impl<'a> Under<'a> {
    /// The links that owe something of a period: those that came under the policy before it was over, and were not
    /// terminated before it began.
    fn in_period(&self, one: &CalendarPeriod, zone: chrono_tz::Tz) -> Vec<&'a str> {
        let (first, end) = (Timestamp::start_of_day(one.first, zone), one.end(zone));
        let is = |span: &&Span<'_>| {
            span.since <= end && span.until.is_none_or(|until| until >= first.max(span.since))
        };
        self.links.iter().filter(is).map(|span| span.link).collect()
    }
}

/// What is looked for again and again, looked up once.
struct Known<'a> {
    zone: chrono_tz::Tz,
    now: Timestamp,
    until: Timestamp,
    /// Audits that two people signed, by kind and period.
    audits: BTreeMap<(AuditKind, &'a str), Vec<(&'a AuditRecorded, Timestamp)>>,
    /// Audits by pulled files, by the day on which they took place.
    pulled: Vec<(NaiveDate, &'a AuditRecorded, Timestamp)>,
    /// Names of every link there is: an audit of one of them is none of the others.
    links: BTreeSet<&'a str>,
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
    let links = rules.links.keys().map(String::as_str).collect();
    let known = Known::of(view, links, rules.zone, (now, until));
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

/// When a link was terminated; nothing where it is not. One that never was in force has no such time, and owes nothing.
fn ended(view: &View, link: &Link) -> Option<Option<Timestamp>> {
    if link.status != LinkStatus::Terminated {
        return Some(None);
    }
    let stop = view.links.get(&link.name)?.history.stopped.as_ref();
    stop.filter(|stop| stop.terminated).map(|stop| Some(stop.mark.at))
}

/// The policies that a link is or was under, each with its links. One that is suspended owes what it owed: its end is
/// what a second person confirms.
fn under<'a>(view: &View, rules: &'a Rules) -> Vec<Under<'a>> {
    let mut found: BTreeMap<&str, Under<'a>> = BTreeMap::new();
    for link in rules.links.values() {
        let Some(until) = ended(view, link) else { continue };
        let Some(policy) = rules.policy_of(link) else { continue };
        let Some(since) = view.link_under_since(&link.name) else { continue };
        let one = found.entry(&policy.name).or_insert_with(|| Under {
            name: &policy.name,
            rule: &policy.further.audits,
            links: Vec::new(),
            since,
        });
        one.links.push(Span { link: &link.name, since, until });
        one.since = one.since.min(since);
    }
    found.into_values().collect()
}

impl<'a> Known<'a> {
    fn of(
        view: &'a View,
        links: BTreeSet<&'a str>,
        zone: chrono_tz::Tz,
        (now, until): (Timestamp, Timestamp),
    ) -> Self {
        let mut known = Self {
            links,
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
                known.pulled.push((facts.on.date_in(zone), facts, signed));
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

    /// Whether an audit is one of these links: of everything, of what is no link (a unit, a vendor), or of one of them.
    fn is_of(&self, facts: &AuditRecorded, links: &[&str]) -> bool {
        let of = facts.terms.of.as_str();
        of == ALL || !self.links.contains(of) || links.contains(&of)
    }

    fn audited(
        &self,
        under: &Under<'_>,
        asked: &Rule<Period>,
        (kind, code): (AuditKind, DutyCode),
        into: &mut Vec<Duty>,
    ) {
        for (one, start) in self.periods(asked.value, under.since) {
            let links = under.in_period(&one, self.zone);
            if links.is_empty() {
                continue;
            }
            let rows = self.audits.get(&(kind, one.name.as_str())).into_iter().flatten();
            let rows = rows.filter(|(facts, _)| self.is_of(facts, &links));
            let done = rows.map(|(_, signed)| *signed).min();
            let command = format!(
                "audit record {kind} --period {} --of NAME --by ACCOUNT --result ok --doc-no NO",
                one.name
            );
            let of = (under, asked.clause.as_str(), code);
            let owed = duty(of, (&one, start, self.zone), done, command);
            into.push(Duty { unannounced: kind == AuditKind::Unannounced, ..owed });
        }
    }

    /// Audits by pulled files: in March or September of each year, or in each half of it.
    fn pulled(&self, under: &Under<'_>, asked: &Rule<DocPull>, into: &mut Vec<Duty>) {
        let length = match asked.value {
            DocPull::MarchOrSeptember => YEAR,
            DocPull::HalfYearly => HALF_YEAR,
        };
        for (one, start) in self.periods(length, under.since) {
            let links = under.in_period(&one, self.zone);
            if links.is_empty() {
                continue;
            }
            let done = self
                .pulled
                .iter()
                .filter(|(day, ..)| (one.first..=one.last).contains(day))
                .filter(|(day, ..)| pulls_on(asked.value, *day))
                .filter(|(_, facts, _)| self.is_of(facts, &links))
                .map(|(.., signed)| *signed)
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
            let links = under.in_period(&one, self.zone);
            if links.is_empty() {
                continue;
            }
            let rows = self.reports.get(&(kind, one.name.as_str()));
            let rows = || rows.into_iter().flatten().filter(|row| row.unit.is_none());
            let of_link = |link: &&str| {
                let covers = |row: &&&Report| row.link.as_deref().is_none_or(|of| of == *link);
                rows().filter(covers).map(|row| row.made.at).min()
            };
            let done = links.iter().map(of_link).collect::<Option<Vec<_>>>();
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
    Duty::of(code, one.name.as_str(), start, due(one, zone))
        .by(clause, Some(under.name))
        .for_roles(&[Role::Auditor], command)
        .done(done)
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
    let spans: Vec<(&Link, Option<Timestamp>)> =
        rules.links.values().filter_map(|link| Some((link, ended(view, link)?))).collect();
    for (id, row) in newest.into_values() {
        let made = row.made.at.date_in(zone);
        let next =
            made.with_day(1).and_then(|first| first.checked_add_months(chrono::Months::new(1)));
        let due =
            next.and_then(|first| Timestamp::end_of_month(first, zone)).unwrap_or(row.made.at);
        let sign = Duty::of(DutyCode::SignReport, id.to_string(), row.made.at, due)
            .by("NTP-9.1b", None)
            .on(row.link.as_deref())
            .for_roles(&[Role::Supervisor], format!("audit sign {id} --doc-no NO"))
            .done(row.signed.as_ref().map(|(_, mark, _)| mark.at));
        let Some((_, mark, _)) = row.signed.as_ref().filter(|_| row.kind == ReportKind::Use) else {
            into.push(sign);
            continue;
        };
        for (office, (policy, clause)) in &offices(rules, &spans, row.made.at) {
            let sent = row.sent.iter().find(|(to, _, _)| to == office).map(|(_, _, on)| *on);
            let command = format!("audit sent {id} --office {office} --letter NO");
            let send = Duty::of(DutyCode::SignReport, format!("{id}/{office}"), mark.at, due)
                .by(clause, Some(policy))
                .on(row.link.as_deref())
                .for_roles(&[Role::Auditor], command)
                // A letter of an earlier hour of the day on which it was signed off.
                .done(sent.map(|on| on.max(mark.at)));
            into.push(Duty { start: mark.at, ..send });
        }
        into.push(sign);
    }
}

/// The offices that a report goes to which was made at a time: by the policies of every link that had not ended then.
fn offices<'a>(
    rules: &'a Rules,
    spans: &[(&'a Link, Option<Timestamp>)],
    made: Timestamp,
) -> BTreeMap<&'a str, (&'a str, &'a str)> {
    spans
        .iter()
        .filter(|(_, until)| until.is_none_or(|until| until >= made))
        .filter_map(|(link, _)| rules.policy_of(link))
        .filter_map(|policy| Some((policy, policy.further.audits.report_to.as_ref()?)))
        .flat_map(|(policy, rule)| {
            let of = (policy.name.as_str(), rule.clause.as_str());
            rule.value.iter().map(move |office| (office.as_str(), of))
        })
        .collect()
}

/// Requests for evidence.
fn answers(view: &View, into: &mut Vec<Duty>) {
    for (id, row) in &view.audits.requests {
        let answered = row.answer.as_ref().map(|(_, mark)| mark.at);
        // Whoever has left answers no more.
        let ledger = view.people.ledger.get(&row.asked.account);
        let left = ledger.and_then(|ledger| ledger.ended.as_ref()).map(|(at, _)| *at);
        let left = left.filter(|left| *left >= row.mark.at);
        let command = format!("audit answer {id} --doc-no NO --evidence FILE");
        let duty = Duty::of(DutyCode::AnswerRequest, id.to_string(), row.mark.at, row.asked.due)
            .by("NTP-7.2", None)
            .for_roles(&[], command)
            .named(Some(&row.asked.account))
            .done(answered.or(left));
        into.push(duty);
    }
}

#[cfg(test)]
mod tests;
