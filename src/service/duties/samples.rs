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
        duty::{CalendarPeriod, Duty, DutyCode, periods},
        ids::{FindingId, IncidentId, SampleId},
        link::{Link, LinkStatus},
        policy::{layers::OWN, length::Length, periods::notice_by},
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
    fn by(&self, start: Timestamp, period: Period) -> Timestamp {
        notice_by(start, Length::Calendar(period), self.rules.zone, &self.rules.working)
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
                    let object = format!("{} {}", span.name, rule.class);
                    let command =
                        format!("audit sample --period {} --link {}", span.name, link.name);
                    let duty = Duty::of(DutyCode::DrawSample, object, span.end, span.due)
                        .by(&rule.clause, Some(&policy.name))
                        .on(Some(&link.name))
                        .to(Act::Audit, command)
                        .done(drawn.map(|(_, row)| row.drawn.at));
                    into.push(duty);
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
        let due = month.map_or(least, |month| month.max(least));
        let command = match row.waiting() {
            Some(_) => format!("audit confirm {id}"),
            None => format!("audit review {id}"),
        };
        let duty = Duty::of(DutyCode::ReviewSample, id.to_string(), row.drawn.at, due)
            .by(&row.terms.clause, Some(&row.terms.policy))
            .on(Some(&row.terms.link))
            .to(Act::Audit, command)
            .named(row.waiting().and_then(|review| review.with.as_deref()))
            .done(row.done);
        Some(duty)
    }

    fn finding(&self, id: FindingId, row: &Finding, into: &mut Vec<Duty>) {
        let link = self.rules.links.get(&row.facts.link);
        let policy = link.and_then(|link| self.rules.policy_of(link)).map(|one| one.name.as_str());
        let corrected = row.corrected.as_ref().map(|(_, mark, ..)| mark.at);
        let due = row.facts.correct_by.max(row.added.at);
        let of = |code, object: String, (start, due)| {
            let duty = Duty::of(code, object, start, due);
            duty.by(&row.facts.clause, policy).on(Some(&row.facts.link))
        };
        let late = corrected.unwrap_or(self.now) > due;
        let over = link.is_none_or(|link| link.status == LinkStatus::Terminated);
        if late && (corrected.is_some() || !over) {
            let command = format!("link terminate {}", row.facts.link);
            let span = (due, self.by(due, MONTH));
            let duty = of(DutyCode::ProposeTermination, id.to_string(), span).done(corrected);
            into.push(duty.for_roles(&[Role::Supervisor, Role::Admin], command));
        }
        if let Some(at) = corrected {
            let span = (at, self.by(at, MONTH));
            let duty = of(DutyCode::CorrectFinding, format!("{id} closed"), span)
                .to(Act::Judge, format!("audit finding close {id}"))
                .done(row.closed.as_ref().map(|(_, at)| *at));
            into.push(duty);
        }
        let duty = of(DutyCode::CorrectFinding, id.to_string(), (row.added.at, due))
            .to(Act::Correct, format!("audit finding correct {id}"))
            .done(corrected);
        into.push(duty);
    }

    fn incident(&self, id: IncidentId, row: &Incident, into: &mut Vec<Duty>) {
        let rule = rule_of(self.rules, &row.facts.link);
        let route = rule.and_then(|rule| rule.route.as_ref());
        let link = self.rules.links.get(&row.facts.link);
        let policy = link.and_then(|link| self.rules.policy_of(link)).map(|one| one.name.as_str());
        let within = report_by(self.view, self.rules, row);
        let report = within.map(|(by, _)| by);
        // Hours are not rolled over days off.
        let due = report.unwrap_or_else(|| self.by(row.facts.known, MONTH));
        let of = |code, object: String, due| {
            let duty = Duty::of(code, object, row.facts.known, due);
            duty.by(route.map_or(OWN, |rule| &rule.clause), policy).on(Some(&row.facts.link))
        };
        for office in route.iter().flat_map(|rule| &rule.value) {
            let duty = of(DutyCode::ReportIncident, format!("{id} {office}"), due)
                .to(Act::Tell, format!("incident notify {id} --office {office}"))
                .done(row.told.get(office).map(|(_, on)| *on));
            into.push(duty);
        }
        let word = match (&row.investigation, &row.remedied) {
            (_, Some(_)) => "close",
            (Some(made), None) if made.confirmed.is_some() => "remedy",
            (Some(_), None) => "confirm",
            (None, None) => "investigate",
        };
        let due = self.by(row.facts.known, QUARTER);
        let duty = of(DutyCode::EndIncident, id.to_string(), due)
            .to(Act::Judge, format!("incident {word} {id}"))
            .done(row.closed.as_ref().map(|(_, at)| *at));
        into.push(duty);
    }
}
