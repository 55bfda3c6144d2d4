//! `expect:` of a link: when its deliveries are expected.
//!
//! Each rule is read whole: a rule with a fault is no link without it. What counts working days needs the government's
//! calendars; whether they are there is told by `check`, and by an alarm while the agent runs, for a link is not to stop
//! because a year begins.

use chrono::{Datelike, NaiveDate};

use super::{
    Config,
    node::{Node, Value},
    reader::{Form, Placed, Reader, form},
};
use crate::{
    doctor::{Finding, Severity},
    domain::{
        calendar::{self, MissingYear},
        expected::{Every, Expectation, WhenOff},
        limits,
        link::Link,
        manifest::Kind,
        time::{Period, Timestamp},
    },
};

const LIST: Form<'_> = form("a list of rules, at least one", "[{every: monday 09:00}]");
const RULE: Form<'_> = form("fields", "{every: monday 09:00}");
const EVERY: Form<'_> = form(
    "a weekday, 'day', 'working day', 'first working day of the month', 'last working day of the month' or 'day 5 of the \
     month', and a time of day",
    "monday 09:00",
);
const WHEN_OFF: Form<'_> = form("stays, forward or back", "forward");
const KIND: Form<'_> = form("full or delta", "full");
const FROM: Form<'_> = form("a day", "2026-12-01");
const SPAN: Form<'_> = form("a period without months and years, at most 92 days", "P2D");

/// What is meant where a rule does not say it.
const EARLY: Period = Period { months: 0, days: 1, seconds: 0 };
const LATE: Period = Period { months: 0, days: 0, seconds: 4 * 3600 };
const MISSING: Period = Period { months: 0, days: 1, seconds: 0 };

/// Reads `expect:`; empty where it is not there, nothing where it has a fault.
pub(super) fn parse(link: &mut Reader) -> Option<Vec<Expectation>> {
    let Some(node) = link.node("expect") else { return Some(Vec::new()) };
    let Value::List(nodes) = &node.value else {
        link.wrong(node.at, "expect", "is no list", LIST);
        return None;
    };
    if nodes.is_empty() {
        link.wrong(node.at, "expect", "is empty", LIST);
        return None;
    }
    if nodes.len() > limits::EXPECT_RULES_MAX {
        let what = format!("'expect' has {} rules", nodes.len());
        let hint = format!("at most {} rules", limits::EXPECT_RULES_MAX);
        link.faults().add(node.at, what, Some(&hint));
        return None;
    }
    let mut rules = Vec::new();
    let mut whole = true;
    for node in nodes {
        match rule(link, node) {
            Some(rule) if rules.contains(&rule) => {
                let what = "a rule of 'expect' stands twice";
                link.faults().add(node.at, what, Some("keep one of them"));
                whole = false;
            }
            Some(rule) => rules.push(rule),
            None => whole = false,
        }
    }
    whole.then_some(rules)
}

/// One rule. Whatever else is wrong with it is told, and keeps the whole file from being used.
fn rule(link: &Reader, node: &Node) -> Option<Expectation> {
    if !matches!(node.value, Value::Map(_)) {
        link.wrong(node.at, "expect", "holds something that is no rule", RULE);
        return None;
    }
    let mut reader = link.inner("expect", node)?;
    let at = reader.place();
    let every = reader.parsed("every", EVERY, Every::parse);
    let when_off = reader.maybe("when_off", WHEN_OFF, WhenOff::parse);
    let kind = reader.maybe("kind", KIND, kind);
    let from = reader.maybe("from", FROM, calendar::parse_date);
    let early = reader.maybe("early", SPAN, span);
    let late = reader.maybe("late_after", form(SPAN.expected, "PT4H"), span);
    let missing = reader.maybe("missing_after", form(SPAN.expected, "P3D"), span);
    reader.finish();
    let value = |span: &Option<Placed<Period>>, default| span.as_ref().map_or(default, |s| s.value);
    let late_after = value(&late, LATE);
    let mut missing_after = value(&missing, MISSING);
    if missing_after.seconds_in_all() < late_after.seconds_in_all() {
        if missing.is_some() {
            let what = "'expect.missing_after' is shorter than 'expect.late_after'";
            let hint = "a delivery is late first, and missing after that";
            link.faults().add(at, what, Some(hint));
        }
        missing_after = late_after;
    }
    let every = every?.value;
    if let Some(placed) = when_off.as_ref().filter(|_| every.is_of_working_days()) {
        let what = "'expect.when_off' stands beside working days, of which none is off";
        link.faults().add(placed.at, what, Some("leave it out"));
    }
    Some(Expectation {
        every,
        when_off: when_off.map_or(WhenOff::Stays, |roll| roll.value),
        kind: kind.map(|kind| kind.value),
        from: from.map(|day| day.value),
        early: value(&early, EARLY),
        late_after,
        missing_after,
    })
}

/// From this month on the next year's calendar is asked for; it is published about the middle of the year.
const NEXT_YEAR_FROM: u32 = 10;

/// What `check` says of calendars that are missing: a fault for this year, a warning for the next one towards its end.
pub(crate) fn findings(config: &Config, now: Timestamp) -> Vec<Finding> {
    let today = now.date_in(config.agent.timezone);
    let counting = config.links.values().filter(|link| link.standing(now).is_none());
    let counting: Vec<&Link> = counting.filter(|link| !link.expect.is_empty()).collect();
    let needs = |year: i32| counting.iter().any(|link| needs(link, year, config));
    let missing = |year: i32| !config.working.knows(year) && needs(year);
    let finding = |severity, year: MissingYear| {
        let why = "deliveries are expected by it, and no day is guessed";
        Finding::new(severity, "calendar-missing", year.to_string(), why).fix(year.hint())
    };
    let (this, next) = (MissingYear(today.year()), MissingYear(today.year() + 1));
    let mut found = Vec::new();
    if missing(this.0) {
        found.push(finding(Severity::Fault, this));
    }
    if today.month() >= NEXT_YEAR_FROM && missing(next.0) {
        found.push(finding(Severity::Warning, next));
    }
    found
}

/// Whether something is expected on a link in a year by its working days.
fn needs(link: &Link, year: i32, config: &Config) -> bool {
    let until = link.approved_until.date_in(config.agent.timezone);
    let begun = |from: Option<NaiveDate>| from.is_none_or(|from| from.year() <= year);
    until.year() >= year && link.expect.iter().any(|rule| rule.needs_calendar() && begun(rule.from))
}

fn kind(text: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.word() == text)
}

/// Months have no one length: how long a delivery may be late is said in days and hours.
fn span(text: &str) -> Option<Period> {
    let longest = i64::from(limits::EXPECT_DAYS_MAX) * 86_400;
    Period::parse(text).filter(|period| period.months == 0 && period.seconds_in_all() <= longest)
}

/// As it is written into the configuration in force.
pub(super) fn render(rules: &[Expectation]) -> String {
    let rule = |rule: &Expectation| {
        let mut fields = vec![format!("every: '{}'", rule.every)];
        if !rule.every.is_of_working_days() {
            fields.push(format!("when_off: {}", rule.when_off));
        }
        fields.extend(rule.kind.map(|kind| format!("kind: {}", kind.word())));
        fields.extend(rule.from.map(|day| format!("from: {day}")));
        let spans = [
            ("early", rule.early),
            ("late_after", rule.late_after),
            ("missing_after", rule.missing_after),
        ];
        fields.extend(spans.map(|(name, span)| format!("{name}: {}", span.iso())));
        format!("{{{}}}", fields.join(", "))
    };
    format!("[{}]", rules.iter().map(rule).collect::<Vec<_>>().join(", "))
}
