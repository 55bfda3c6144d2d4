//! Duties of samples, findings and incidents.
//!
//! Each period of a link is sampled by itself, from the one that it came under its policy in: nothing that was missed is made
//! up for by what comes after it. A finding that is not corrected in time is owed twice: still to be corrected, and the end of
//! its link to be proposed (NT-5.5, TPH-5.11).

use std::collections::BTreeMap;

use chrono::Months;

use crate::{
    domain::{
        accounts::{Act, Role},
        duty::{CalendarPeriod, Duty, DutyCode, by, periods},
        ids::{FindingId, IncidentId, SampleId},
        link::{Link, LinkStatus},
        policy::length::Length,
        time::{Period, Timestamp},
        view::{Finding, Incident, Sample, View},
    },
    engine::rules::Rules,
    service::incidents::{report_by, rule_of},
};

/// How long a look through a sample may take at least, once it is drawn.
const REVIEW: Period = Period { months: 0, days: 14, seconds: 0 };
/// How long the end of a link may take to be proposed, and an office to be told where no time is set.
const MONTH: Period = Period { months: 1, days: 0, seconds: 0 };
/// How long an incident may take to its end.
const QUARTER: Period = Period { months: 3, days: 0, seconds: 0 };

/// A period that is sampled: its name, its end, and by when.
struct Span {
    name: String,
    end: Timestamp,
    due: Timestamp,
}

/// What is owed of samples, findings and incidents: what is open, what was done, and what comes up to `until`.
pub(in crate::service) fn duties(
    view: &View,
    rules: &Rules,
    now: Timestamp,
    until: Timestamp,
    into: &mut Vec<Duty>,
) {
    let seen = Seen { view, rules, now, until };
    seen.draws(into);
    let samples = view.samples.rows.iter();
    into.extend(samples.filter_map(|(id, row)| seen.review(*id, row)));
    for (id, row) in &view.samples.findings {
        seen.finding(*id, row, into);
    }
    for (id, row) in &view.incidents {
        seen.incident(*id, row, into);
    }
}

/// What duties follow from.
struct Seen<'a> {
    view: &'a View,
    rules: &'a Rules,
    now: Timestamp,
    until: Timestamp,
}

impl Seen<'_> {
    /// By then a notice is given, also where the calendar of its year is missing: then without a day off that it would roll
    /// over, which is earlier.
    fn by(&self, start: Timestamp, period: Period) -> Timestamp {
        let rolled = by(start, Length::Calendar(period), self.rules.zone, &self.rules.working);
        rolled.unwrap_or_else(|_| period.after(start, self.rules.zone))
    }

    fn draws(&self, into: &mut Vec<Duty>) {
        // The periods are the same for every link: each is worked out once.
        let mut spans: BTreeMap<u32, Vec<Span>> = BTreeMap::new();
        for link in self.rules.links.values() {
            let Some(policy) = self.rules.policy_of(link) else { continue };
            let Some(since) = self.view.link_under_since(&link.name) else { continue };
            for rule in policy.further.sampling.of_link(link.kinship) {
                let known =
                    spans.entry(rule.period.months).or_insert_with(|| self.spans(rule.period));
                for span in known.iter().filter(|span| span.end >= since) {
                    let key = (link.name.clone(), rule.class, span.name.clone());
                    let drawn = self.view.samples.of(&key);
                    if drawn.is_none() && self.is_over(link, span) {
                        continue;
                    }
                    into.push(Duty {
                        code: DutyCode::DrawSample,
                        clause: rule.clause.clone(),
                        policy: Some(policy.name.clone()),
                        link: Some(link.name.clone()),
                        object: format!("{} {}", span.name, rule.class),
                        roles: Act::Audit.roles().to_vec(),
                        account: None,
                        start: span.end,
                        due: span.due,
                        done: drawn.map(|(_, row)| row.drawn.at),
                        command: format!(
                            "audit sample --period {} --link {}",
                            span.name, link.name
                        ),
                        unannounced: false,
                    });
                }
            }
        }
    }

    /// A link that has ended is asked about no longer, once no key of its access log is left.
    fn is_over(&self, link: &Link, span: &Span) -> bool {
        let of_link = (link.name.clone(), String::new())..;
        let mut keys =
            self.view.access_keys.range(of_link).take_while(|((of, _), _)| *of == link.name);
        link.status == LinkStatus::Terminated
            && span.end > self.now
            && keys.all(|(_, key)| key.destroyed.is_some())
    }

    fn spans(&self, period: Period) -> Vec<Span> {
        let Some(first) = self.view.first_at else { return Vec::new() };
        let zone = self.rules.zone;
        let until = self.until.max(self.now);
        let all = periods(period, first, until, zone);
        let span = |one: CalendarPeriod| {
            let end = one.end(zone);
            // The last day of the month after the period.
            let due = one.last.succ_opt().and_then(|next| Timestamp::end_of_month(next, zone));
            let due = due.unwrap_or(end);
            (end <= self.now || due <= self.until).then_some(Span { name: one.name, end, due })
        };
        all.into_iter().filter_map(span).collect()
    }

    fn review(&self, id: SampleId, row: &Sample) -> Option<Duty> {
        if row.chosen.is_empty() && row.refused.is_empty() {
            return None;
        }
        let zone = self.rules.zone;
        let month = row.terms.until.date_in(zone).checked_add_months(Months::new(1));
        let month = month.and_then(|day| Timestamp::end_of_month(day, zone));
        let least = self.by(row.drawn.at, REVIEW);
        Some(Duty {
            code: DutyCode::ReviewSample,
            clause: row.terms.clause.clone(),
            policy: Some(row.terms.policy.clone()),
            link: Some(row.terms.link.clone()),
            object: id.to_string(),
            roles: Act::Audit.roles().to_vec(),
            account: row.waiting().and_then(|review| review.with.clone()),
            start: row.drawn.at,
            due: month.map_or(least, |month| month.max(least)),
            done: row.done,
            command: match row.waiting() {
                Some(_) => format!("audit confirm {id}"),
                None => format!("audit review {id}"),
            },
            unannounced: false,
        })
    }

    fn finding(&self, id: FindingId, row: &Finding, into: &mut Vec<Duty>) {
        let link = self.rules.links.get(&row.facts.link);
        let policy = link.and_then(|link| self.rules.policy_of(link)).map(|one| one.name.clone());
        let corrected = row.corrected.as_ref().map(|(_, mark, ..)| mark.at);
        let due = row.facts.correct_by.max(row.added.at);
        let duty = Duty {
            code: DutyCode::CorrectFinding,
            clause: row.facts.clause.clone(),
            policy,
            link: Some(row.facts.link.clone()),
            object: id.to_string(),
            roles: Act::Correct.roles().to_vec(),
            account: None,
            start: row.added.at,
            due,
            done: corrected,
            command: format!("audit finding correct {id}"),
            unannounced: false,
        };
        let late = corrected.unwrap_or(self.now) > due;
        let over = link.is_none_or(|link| link.status == LinkStatus::Terminated);
        if late && (corrected.is_some() || !over) {
            into.push(Duty {
                code: DutyCode::ProposeTermination,
                roles: vec![Role::Supervisor, Role::Admin],
                start: due,
                due: self.by(due, MONTH),
                command: format!("link terminate {}", row.facts.link),
                ..duty.clone()
            });
        }
        if let Some(at) = corrected {
            into.push(Duty {
                object: format!("{id} closed"),
                roles: Act::Judge.roles().to_vec(),
                start: at,
                due: self.by(at, MONTH),
                done: row.closed.as_ref().map(|(_, at)| *at),
                command: format!("audit finding close {id}"),
                ..duty.clone()
            });
        }
        into.push(duty);
    }

    fn incident(&self, id: IncidentId, row: &Incident, into: &mut Vec<Duty>) {
        let rule = rule_of(self.rules, &row.facts.link);
        let route = rule.and_then(|rule| rule.route.as_ref());
        let link = self.rules.links.get(&row.facts.link);
        let policy = link.and_then(|link| self.rules.policy_of(link)).map(|one| one.name.clone());
        let within = report_by(self.view, self.rules, row);
        let report = within.map(|(by, _)| by);
        // Hours are not rolled over days off.
        let due = report.unwrap_or_else(|| self.by(row.facts.known, MONTH));
        let duty = Duty {
            code: DutyCode::ReportIncident,
            clause: route.map_or_else(|| "own".to_owned(), |rule| rule.clause.clone()),
            policy,
            link: Some(row.facts.link.clone()),
            object: id.to_string(),
            roles: Act::Tell.roles().to_vec(),
            account: None,
            start: row.facts.known,
            due,
            done: None,
            command: String::new(),
            unannounced: false,
        };
        for office in route.iter().flat_map(|rule| &rule.value) {
            into.push(Duty {
                object: format!("{id} {office}"),
                done: row.told.get(office).map(|(_, on)| *on),
                command: format!("incident notify {id} --office {office}"),
                ..duty.clone()
            });
        }
        let word = match (&row.investigation, &row.remedied) {
            (_, Some(_)) => "close",
            (Some(made), None) if made.confirmed.is_some() => "remedy",
            (Some(_), None) => "confirm",
            (None, None) => "investigate",
        };
        into.push(Duty {
            code: DutyCode::EndIncident,
            roles: Act::Judge.roles().to_vec(),
            due: self.by(row.facts.known, QUARTER),
            done: row.closed.as_ref().map(|(_, at)| *at),
            command: format!("incident {word} {id}"),
            ..duty
        });
    }
}
