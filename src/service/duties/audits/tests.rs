//! Duties of reports and audits.

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
    let entry = Entry { v: 1, at: on, by: by.to_owned(), deputy: None, uid: None, body };
    view.apply(view.size, &entry, Digest::of(&view.size.to_be_bytes())).unwrap();
}

fn signed(view: &View) -> Signed {
    let asked =
        Asked { origin: "batchward/x", command: "audit sign", object: "v", object_digest: None };
    let (from, to) = (at("2027-01-01"), at("2027-01-01").plus_seconds(60));
    let text = SignedText::new(&asked, "", u128::from(view.size).to_be_bytes(), from, to);
    let text = text.unwrap().canonical();
    Signed { key: "SHA256:x".to_owned(), text, signature: String::new() }
}

/// An audit that took place on a day, and was signed on it.
fn audited(view: &mut View, kind: AuditKind, period: &str, on: &str) {
    audited_of(view, "all", (kind, period, on));
}

fn audited_of(view: &mut View, of: &str, (kind, period, on): (AuditKind, &str, &str)) {
    let audit = view.audits.next_audit();
    let terms = AuditTerms { kind, period: period.to_owned(), of: of.to_owned(), by: Vec::new() };
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
    owed_by(view, rule, [("a", since, None), ("b", since, None)], now)
}

fn owed_by(
    view: &View,
    rule: &AuditRule,
    links: [(&str, &str, Option<&str>); 2],
    now: &str,
) -> Vec<Duty> {
    let known = Known::of(view, BTreeSet::from(["a", "b", "c"]), Taipei, (at(now), at(now)));
    let span = |(link, since, until): (_, _, Option<&str>)| (link, at(since), until.map(at));
    let links = links.map(span).map(|(link, since, until)| Span { link, since, until });
    let since = links.iter().map(|span| span.since).min().unwrap();
    let under = Under { name: "taoyuan-dwcd", rule, links: links.into(), since };
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
fn an_audit_of_a_link_of_another_policy_fulfils_nothing() {
    let rule = AuditRule {
        internal: rule(HALF_YEAR),
        docpull: rule(DocPull::HalfYearly),
        ..AuditRule::default()
    };
    for (of, counts) in [("c", false), ("b", true), ("all", true), ("甲科", true)] {
        let mut view = View::default();
        for kind in [AuditKind::Internal, AuditKind::Files] {
            audited_of(&mut view, of, (kind, "2027-H1", "2027-05-03"));
        }
        let found = owed(&view, &rule, "2027-01-01", "2027-06-01");
        let done: Vec<bool> = found.iter().map(|duty| duty.done.is_some()).collect();
        assert_eq!(done, [counts, counts], "{of}");
    }
}

#[test]
fn what_began_before_a_link_was_terminated_is_owed_and_nothing_that_began_after_it() {
    let rule = AuditRule { internal: rule(HALF_YEAR), ..AuditRule::default() };
    let links = [("a", "2026-11-21", Some("2027-02-03")), ("b", "2028-02-01", None)];
    let found = owed_by(&View::default(), &rule, links, "2028-03-01");
    let rows: Vec<_> = found.iter().map(|duty| duty.object.as_str()).collect();
    assert_eq!(rows, ["2026-H2", "2027-H1", "2028-H1"]);
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
        let known = Known::of(&view, BTreeSet::new(), Taipei, (now, now));
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
