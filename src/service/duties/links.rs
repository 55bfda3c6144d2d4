//! What links ask for by a day: applications to be decided on, tests, reviews, renewals, papers, and looks at backups.
//!
//! What is owed by a policy is owed once, since the first of the links under it came under it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::{
    domain::{
        accounts::{Act, Role},
        application::{ApplicationState, LinkBound, ReviewResult},
        duty::{CalendarPeriod, Duty, DutyCode},
        link::LinkStatus,
        papers::PaperKind,
        policy::{Policy, layers::OWN, length::Length, periods::notice_by},
        time::{Period, Timestamp},
        view::{LinkHistory, Paper, View},
    },
    engine::rules::Rules,
};

/// What is asked within no time of its own, is asked within a month: a rule of ours.
const WITHIN: Period = Period { months: 1, days: 0, seconds: 0 };

/// Every duty of this part.
pub(in crate::service) fn duties(
    view: &View,
    rules: &Rules,
    now: Timestamp,
    until: Timestamp,
    into: &mut Vec<Duty>,
) {
    applications(view, rules, into);
    for name in rules.written.keys() {
        link(view, rules, name, into);
    }
    for (policy, since) in owing(view, rules) {
        papers(view, rules, (policy, since), now.max(until), into);
        backups(view, rules, (policy, since), into);
        exceptions(rules, (policy, since), now, into);
    }
}

/// The policies that a link is under which is not terminated, and since when.
fn owing<'r>(view: &View, rules: &'r Rules) -> Vec<(&'r Policy, Timestamp)> {
    let mut owing: BTreeMap<&str, (&Policy, Timestamp)> = BTreeMap::new();
    for link in rules.links.values().filter(|link| link.status != LinkStatus::Terminated) {
        let Some(policy) = rules.policies.get(&link.policy) else { continue };
        let Some(since) = view.link_under_since(&link.name) else { continue };
        let first = owing.entry(&link.policy).or_insert((policy, since));
        first.1 = first.1.min(since);
    }
    owing.into_values().collect()
}

/// The end of the day on which a period ends.
fn after(at: Timestamp, period: Period, zone: Tz) -> Timestamp {
    let end = period.after(at, zone);
    Timestamp::end_of_day(end.date_in(zone), zone)
}

/// By when a notice is owed, also where nothing says within which time.
fn within(at: Timestamp, length: Option<Length>, rules: &Rules) -> Timestamp {
    notice_by(at, length.unwrap_or(Length::Calendar(WITHIN)), rules.zone, &rules.working)
}

fn applications(view: &View, rules: &Rules, into: &mut Vec<Duty>) {
    for (id, row) in &view.applications {
        let link = &row.what.link;
        let policy = rules.policy_for(link, &row.what.scope.policy);
        let rule = policy.and_then(|policy| policy.further.links.answer_within.as_ref());
        let due = within(row.mark.at, rule.map(|rule| rule.value), rules);
        let missing = row.missing();
        let mut roles: Vec<Role> =
            missing.iter().flat_map(|office| office.roles()).copied().collect();
        roles.sort_unstable();
        roles.dedup();
        if row.state != ApplicationState::Waiting {
            roles = Act::DecideLink.roles().to_vec();
        }
        let office = missing.first().map_or("OFFICE", |office| office.word());
        let duty = Duty::of(DutyCode::DecideApplication, id.to_string(), row.mark.at, due)
            .by(rule.map_or(OWN, |rule| &rule.clause), Some(&row.what.scope.policy))
            .on(Some(link))
            .for_roles(&roles, format!("link countersign {link} --office {office}"))
            .done(row.decided.as_ref().map(|(at, _)| *at));
        into.push(duty);
    }
}

fn link(view: &View, rules: &Rules, name: &str, into: &mut Vec<Duty>) {
    let Some(link) = rules.links.get(name) else { return };
    let (Some(policy), Some(since)) = (rules.policy_of(link), view.link_under_since(name)) else {
        return;
    };
    let rule = &policy.further.links;
    let history = view.history(name).cloned().unwrap_or_default();
    let over = link.status == LinkStatus::Terminated;
    let of = |duty: Duty, clause: &str| duty.by(clause, Some(&policy.name)).on(Some(name));
    let asked = rule.answer_within.as_ref().map(|rule| rule.value);
    // A link that was tested before a change of it was approved is not tested again.
    let tested = history.approved.as_ref().map(|allowed| allowed.at).filter(|_| !over);
    let tested = tested.filter(|at| history.tested.is_none_or(|tested| tested >= *at));
    if let (Some(at), Some(test)) = (tested, rule.test.as_ref().filter(|rule| rule.value)) {
        let duty = Duty::of(DutyCode::TestLink, name, at, within(at, asked, rules))
            .to(Act::ApplyForLink, format!("link tested {name} --doc-no NO"))
            .done(history.tested);
        into.push(of(duty, &test.clause));
    }
    if let Some(review) = &rule.review {
        let done = history.reviews.iter().map(|review| review.at);
        let every = (since, review.value);
        for duty in cycle(DutyCode::ReviewLink, every, done, over, rules.zone) {
            let command = format!("link review {name} --result needed --doc-no NO");
            into.push(of(duty.to(Act::KeepLink, command), &review.clause));
        }
        for (at, done) in unneeded(&history) {
            let day = at.date_in(rules.zone).to_string();
            let command = format!("link terminate {name} --reason TEXT --doc-no NO");
            let due = within(at, asked, rules);
            let duty = Duty::of(DutyCode::ProposeTermination, day, at, due).done(done);
            into.push(of(duty.to(Act::KeepLink, command), &review.clause));
        }
    }
    if !over {
        let sooner = rules.bounds.get(name).is_some_and(|b| b.contains(&LinkBound::EndsSooner));
        let clause = rule.valid_for.as_ref().filter(|_| sooner).map(|rule| &rule.clause);
        let given = history.approved.or(history.as_found).map_or(since, |allowed| allowed.at);
        let due = link.approved_until;
        let day = due.date_in(rules.zone).to_string();
        let duty = Duty::of(DutyCode::RenewLink, day, given, due)
            .to(Act::ApplyForLink, format!("link apply {name} --necessity TEXT"));
        into.push(of(duty, clause.map_or(OWN, String::as_str)));
    }
}

/// Each time that a review came to no need of the link, and when that was settled: by the link's end, by a review that needs
/// it again, or by an application that was approved since.
fn unneeded(history: &LinkHistory) -> Vec<(Timestamp, Option<Timestamp>)> {
    let ended = history.stopped.as_ref().filter(|stop| stop.terminated).map(|stop| stop.mark.at);
    let approved = history.approved.as_ref().map(|allowed| allowed.at);
    let reviews = &history.reviews;
    let mut found: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
    for (n, review) in reviews.iter().enumerate() {
        let open = |last: &(Timestamp, Option<Timestamp>)| last.1.is_none_or(|at| at > review.at);
        if review.result != ReviewResult::NoNeed || found.last().is_some_and(open) {
            continue;
        }
        let mut later = reviews.iter().skip(n + 1);
        let needed = later.find(|one| one.result == ReviewResult::Needed).map(|one| one.at);
        let ended = ended.map(|at| at.max(review.at));
        let approved = approved.filter(|at| *at > review.at);
        found.push((review.at, ended.into_iter().chain(needed).chain(approved).min()));
    }
    found
}

/// What is owed so long after it was done last, or after its cause: each time by itself; the last one is open, unless it is
/// not owed any more.
fn cycle(
    code: DutyCode,
    (since, period): (Timestamp, Period),
    done: impl Iterator<Item = Timestamp>,
    over: bool,
    zone: Tz,
) -> Vec<Duty> {
    let mut found = Vec::new();
    let mut start = since;
    // What was done before the cause of this duty is no fulfilment of it.
    for at in done.filter(|at| *at >= since) {
        let due = after(start, period, zone);
        let object = start.date_in(zone).to_string();
        found.push(Duty::of(code, object, start, due).done(Some(at)));
        start = at;
    }
    if !over {
        let object = start.date_in(zone).to_string();
        found.push(Duty::of(code, object, start, after(start, period, zone)));
    }
    found
}

fn papers(
    view: &View,
    rules: &Rules,
    (policy, since): (&Policy, Timestamp),
    until: Timestamp,
    into: &mut Vec<Duty>,
) {
    let rule = &policy.further.links;
    let allowed = rule.papers_within.as_ref().map(|rule| rule.value);
    for asked in &rule.papers {
        let kind = asked.value;
        let kept: Vec<&Paper> = view.papers.values().filter(|row| row.what.kind == kind).collect();
        let duties = match kind.every() {
            Some(_) => yearly(kind, &kept, since, until, rules.zone),
            None => lasting(kind, &kept, (since, within(since, allowed, rules)), rules.zone),
        };
        let command = format!("audit document add --kind {kind} --doc-no NO --file FILE");
        into.extend(duties.into_iter().map(|duty| {
            duty.by(&asked.clause, Some(&policy.name)).to(Act::KeepPapers, command.as_str())
        }));
    }
}

/// One paper for each year, by its day; the year in which the policy came into force is the first.
fn yearly(
    kind: PaperKind,
    kept: &[&Paper],
    since: Timestamp,
    until: Timestamp,
    zone: Tz,
) -> Vec<Duty> {
    let mut found = Vec::new();
    let Some(every) = kind.every() else { return found };
    let mut next = CalendarPeriod::of(since.date_in(zone), every);
    while let Some(period) = next.filter(|one| one.first <= until.date_in(zone)) {
        let start = Timestamp::start_of_day(period.first, zone).max(since);
        let is_in = |day: NaiveDate| (period.first..=period.last).contains(&day);
        let of = kept.iter().find(|row| is_in(row.what.on.date_in(zone)));
        let object = format!("{kind} {}", period.name);
        let done = of.map(|row| row.at.max(start));
        let due = period.end(zone);
        found.push(Duty::of(DutyCode::AttachPaper, object, start, due).done(done));
        next = period.next();
    }
    found
}

/// One paper that is in force; another one before it ends.
fn lasting(
    kind: PaperKind,
    kept: &[&Paper],
    (since, due): (Timestamp, Timestamp),
    zone: Tz,
) -> Vec<Duty> {
    let done = kept.first().map(|row| row.at.max(since));
    let first = Duty::of(DutyCode::AttachPaper, kind.to_string(), since, due).done(done);
    let mut found = vec![first];
    for (n, row) in kept.iter().enumerate() {
        let Some(end) = row.what.valid_until else { continue };
        let lasts = |next: &&&Paper| next.what.valid_until.is_none_or(|until| until > end);
        let next = kept.get(n + 1..).unwrap_or_default().iter().find(lasts);
        // Another one that was there already lasts longer: nothing is owed for this one.
        if kept.iter().take(n).any(|before| lasts(&before)) {
            continue;
        }
        let object = format!("{kind} {}", end.date_in(zone));
        let done = next.map(|row| row.at);
        found.push(Duty::of(DutyCode::AttachPaper, object, row.at, end).done(done));
    }
    found
}

fn backups(
    view: &View,
    rules: &Rules,
    (policy, since): (&Policy, Timestamp),
    into: &mut Vec<Duty>,
) {
    let Some(rule) = &policy.further.links.backup else { return };
    let done = view.backup_looks.iter().map(|look| look.at);
    let duties = cycle(DutyCode::ReviewBackup, (since, rule.value), done, false, rules.zone);
    let command = "audit backup-review --result ok --doc-no NO";
    into.extend(
        duties
            .into_iter()
            .map(|duty| duty.by(&rule.clause, Some(&policy.name)).to(Act::KeepPapers, command)),
    );
}

/// An exception ends by its day: what is to hold after it is decided before. After it the value beneath holds by itself.
fn exceptions(
    rules: &Rules,
    (policy, since): (&Policy, Timestamp),
    now: Timestamp,
    into: &mut Vec<Duty>,
) {
    let over = rules.overridden.values().filter(|own| own.name == policy.name);
    for (layer, key, exception) in
        std::iter::once(policy).chain(over).flat_map(|p| p.stack.exceptions())
    {
        let due = Timestamp::end_of_day(exception.until, rules.zone);
        let object = format!("{layer}: {key}");
        let known = |duty: &Duty| duty.code == DutyCode::EndException && duty.object == object;
        // A layer that several policies stand on has its exceptions once for each policy, not for each link over it.
        let same = |duty: &Duty| known(duty) && duty.policy.as_deref() == Some(&policy.name);
        if into.iter().any(same) {
            continue;
        }
        let duty = Duty::of(DutyCode::EndException, object.clone(), since, due)
            .by(OWN, Some(&policy.name))
            .to(Act::Administer, "config propose")
            .done(Some(due).filter(|due| *due < now));
        into.push(duty);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use chrono_tz::Asia::Taipei;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::domain::{
        application::LinkScope,
        digest::Digest,
        entry::PaperKept,
        ids::DocumentId,
        view::{Allowed, Reviewed},
    };

    const DAY: i64 = 86_400;
    const YEAR: Period = Period { months: 12, days: 0, seconds: 0 };

    fn at(day: i64) -> Timestamp {
        Timestamp::from_millis((20_000 + day) * DAY * 1000)
    }

    fn paper(day: i64, on: i64, valid_until: Option<i64>) -> Paper {
        let what = PaperKept {
            document: DocumentId::new(1),
            kind: PaperKind::AgencyRules,
            doc_no: "1".to_owned(),
            on: at(on),
            sha256: Digest::of(b"synthetic"),
            bytes: 9,
            sent_to: Vec::new(),
            valid_until: valid_until.map(at),
            signed: None,
        };
        Paper { what, by: "audrey".to_owned(), at: at(day) }
    }

    #[test]
    fn a_paper_that_ends_is_owed_again_and_one_that_lasts_longer_fulfils_it() {
        let kept = [paper(5, 5, Some(100)), paper(90, 90, Some(400)), paper(95, 95, Some(300))];
        let rows: Vec<&Paper> = kept.iter().collect();
        let found = lasting(PaperKind::AgencyRules, &rows, (at(0), at(30)), Taipei);
        let told: Vec<_> = found.iter().map(|duty| (duty.due, duty.done)).collect();
        // The third ends before the second: nothing is owed for it.
        assert_eq!(told, [(at(30), Some(at(5))), (at(100), Some(at(90))), (at(400), None)]);
        let none = lasting(PaperKind::AgencyRules, &[], (at(0), at(30)), Taipei);
        assert_eq!((none.len(), none[0].done), (1, None));
    }

    #[test]
    fn no_need_of_a_link_is_owed_until_it_ended_is_needed_or_was_applied_for_anew() {
        let review = |day: i64, result: ReviewResult| Reviewed {
            at: at(day),
            result,
            doc_no: "1".to_owned(),
            by: "alice".to_owned(),
        };
        use ReviewResult::{Needed, NoNeed};
        let of = |list: &[(i64, ReviewResult)]| LinkHistory {
            reviews: list.iter().map(|(day, result)| review(*day, *result)).collect(),
            ..LinkHistory::default()
        };
        assert_eq!(unneeded(&of(&[(1, Needed), (5, NoNeed), (6, NoNeed)])), [(at(5), None)]);
        let again = of(&[(5, NoNeed), (9, Needed), (20, NoNeed)]);
        assert_eq!(unneeded(&again), [(at(5), Some(at(9))), (at(20), None)]);
        let scope = LinkScope {
            items: Vec::new(),
            units: Vec::new(),
            policy: "synthetic".to_owned(),
            purpose: String::new(),
            basis: String::new(),
            approved_until: at(900),
            config: Digest::of(b"synthetic"),
        };
        let approved = |day| Some(Allowed { scope: scope.clone(), at: at(day), application: None });
        let anew = LinkHistory { approved: approved(30), ..again.clone() };
        assert_eq!(unneeded(&anew), [(at(5), Some(at(9))), (at(20), Some(at(30)))]);
        let before = LinkHistory { approved: approved(10), ..again };
        assert_eq!(unneeded(&before)[1], (at(20), None));
    }

    #[test]
    fn each_year_owes_a_plan_of_its_own() {
        // Day 20,000 is 2024-10-04: the policy came into force in that year.
        let kept = [paper(10, 10, None), paper(500, 500, None)];
        let rows: Vec<&Paper> = kept.iter().collect();
        let found = yearly(PaperKind::AuditPlan, &rows, at(0), at(800), Taipei);
        let told: Vec<_> = found.iter().map(|duty| (&*duty.object, duty.done.is_some())).collect();
        assert_eq!(
            told,
            [("audit-plan 2024", true), ("audit-plan 2025", false), ("audit-plan 2026", true)]
        );
    }

    proptest! {
        #[test]
        fn what_comes_again_is_never_lost_and_never_due_before_its_cause(
            mut done in proptest::collection::vec(-400_i64..4000, 0..20), over: bool,
        ) {
            done.sort_unstable();
            let given = done.iter().map(|day| at(*day));
            let found = cycle(DutyCode::ReviewLink, (at(0), YEAR), given, over, Taipei);
            let counted = done.iter().filter(|day| **day >= 0).count();
            prop_assert_eq!(found.len(), counted + usize::from(!over));
            prop_assert_eq!(found.iter().filter(|duty| duty.done.is_none()).count(), usize::from(!over));
            prop_assert!(found.iter().all(|duty| duty.start <= duty.due));
            for pair in found.windows(2) {
                prop_assert_eq!(pair[0].done, Some(pair[1].start));
            }
        }
    }
}
