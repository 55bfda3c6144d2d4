//! `policies/*.yaml`: every value stands beside its clause.
//!
//! A rule that the file does not have is a fault, not a default: what a regulation leaves open is decided by a person
//! and marked `own`. Layers, overrides and the texts of clauses are not known here.

use super::{
    layouts::named,
    node::{Faults, Node},
    reader::{Form, Placed, Reader, form, shown},
};
use crate::domain::{
    accounts::Role,
    policy::{
        self, Approval, ClockStart, CopyApproval, CopyRule, Destroy, GrantRule, Policy, RawFile,
        Rule, UseRule,
    },
    time::Period,
};

const TITLE: Form<'_> =
    form("the regulation's title", "桃園市政府婦幼發展局使用戶役政資料管理規定");
const REGISTER: Form<'_> = form("the title of its register", "戶役政資料查調刪除紀錄表");
const PERIOD: Form<'_> = form("a period such as P0D, P1M or P3Y", "P3Y");
const START: Form<'_> = form("import-committed, use-ended or printed-and-filed", "use-ended");
const APPROVAL: Form<'_> = form("per-order or standing", "per-order");
const PAPERS: Form<'_> =
    form("a list of 'letter', 'evidence', 'cc-it', 'cc-ethics', [] where none is asked for", "[]");
const ROLES: Form<'_> = form("a list of roles", "[supervisor]");
const APPROVERS: Form<'_> = form("1 or 2 people", "1");
const SUPERSEDED: Form<'_> = form("a period such as P1M, or never", "never");
const COPYING: Form<'_> = form("none, office or forbidden", "office");
const CAP: Form<'_> = form("a number of rows, at least 1", "10000");
const YES: Form<'_> = form("true or false", "false");
const CLAUSE: Form<'_> =
    form("NTP, TPE, TY, TYA2, NT or TPH with its number, or 'own' for a rule of ours", "TY-4.3.2");
const GROUP: Form<'_> = form("rules", "{ … }");
const RULE: Form<'_> = form("a value and its clause", "{ value: …, clause: … }");

/// Parses one policy; its name must be the file's.
pub(super) fn parse(name: &str, node: &Node, faults: &Faults) -> Option<Policy> {
    let mut reader = Reader::new(node, faults)?;
    named(&mut reader, "policy", name);
    let title = reader.text("title", TITLE);
    let register_title = reader.text("register_title", REGISTER);
    let raw_file = group(&mut reader, "raw_file", |r| {
        let start = rule(r, "start_event", START, ClockStart::parse);
        let retention = rule(r, "retention", PERIOD, calendar);
        Some(RawFile { start: start?, retention: retention? })
    });
    let use_rule = group(&mut reader, "use", |r| {
        let retention = rule(r, "retention", PERIOD, calendar);
        let superseded = rule(r, "superseded", SUPERSEDED, |t| match t {
            "never" => Some(None),
            _ => calendar(t).map(Some),
        });
        Some(UseRule { retention: retention?, superseded: superseded? })
    });
    let destroy = group(&mut reader, "destroy", destroy);
    let copy = group(&mut reader, "copy", |r| {
        Some(CopyRule { approval: rule(r, "approval", COPYING, CopyApproval::parse)? })
    });
    // One that says nothing about it lets nothing be handed on.
    let handover = optional(&mut reader, "handover", super::recipients::rule);
    let grant = group(&mut reader, "grant", |r| {
        let cap = |t: &str| {
            t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse().ok())?.filter(|n| *n > 0)
        };
        Some(GrantRule { row_cap: rule(r, "row_cap", CAP, cap)? })
    });
    let standing_key = group(&mut reader, "key", |r| {
        rule(r, "standing", YES, |t| match t {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    });
    let kept = |r: &mut Reader| {
        rule(r, "retention", form("a period, not zero", "P3Y"), |t| {
            calendar(t).filter(|p| *p != Period::ZERO)
        })
    };
    let access_log = group(&mut reader, "access_log", kept);
    let register = group(&mut reader, "register", kept);
    reader.finish();
    Some(Policy {
        name: name.to_owned(),
        title: title?.value,
        register_title: register_title?.value,
        raw_file: raw_file?,
        use_rule: use_rule?,
        destroy: destroy?,
        copy: copy?,
        handover: handover?,
        grant: grant?,
        standing_key: standing_key?,
        access_log: access_log?,
        register: register?,
    })
}

/// A period by the calendar: laws count days, months and years.
pub(super) fn calendar(text: &str) -> Option<Period> {
    const YEARS_MAX: u32 = 100;
    Period::parse(text).filter(|p| {
        text.starts_with('P') && p.months <= 12 * YEARS_MAX && p.days <= 366 * YEARS_MAX
    })
}

fn group<T>(
    reader: &mut Reader,
    name: &'static str,
    read: impl FnOnce(&mut Reader) -> Option<T>,
) -> Option<T> {
    let node = reader.required(name, GROUP)?;
    let mut inner = reader.inner(name, &node)?;
    let value = read(&mut inner);
    inner.finish();
    value
}

/// A group that may be missing; nothing where it has faults.
fn optional<T>(
    reader: &mut Reader,
    name: &'static str,
    read: impl FnOnce(&mut Reader) -> Option<T>,
) -> Option<Option<T>> {
    let Some(node) = reader.node(name) else { return Some(None) };
    let mut inner = reader.inner(name, &node)?;
    let value = read(&mut inner);
    inner.finish();
    value.map(Some)
}

/// `{ value: …, clause: … }`.
pub(super) fn rule<T>(
    reader: &mut Reader,
    name: &'static str,
    form: Form<'_>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<Rule<T>> {
    let node = reader.required(name, RULE)?;
    let mut inner = reader.inner(name, &node)?;
    let value = inner.parsed("value", form, parse);
    let clause = clause(&mut inner);
    inner.finish();
    Some(Rule { value: value?.value, clause: clause? })
}

fn destroy(r: &mut Reader) -> Option<Destroy> {
    let approval = rule(r, "approval", APPROVAL, |t| match t {
        "per-order" => Some(Approval::PerOrder),
        "standing" => Some(Approval::Standing),
        _ => None,
    });
    let requesters = roles(r, "requesters");
    let approver_roles = roles(r, "approver_roles");
    let performers = roles(r, "performers");
    let witnesses = roles(r, "witnesses");
    let approvers = rule(r, "approvers", APPROVERS, |t| match t {
        "1" => Some(1),
        "2" => Some(2),
        _ => None,
    });
    let cooling_off = rule(r, "cooling_off", PERIOD, calendar);
    let papers_ = papers(r, "papers");
    let media_papers = papers(r, "media_papers");
    let papers_within = rule(r, "papers_within", PERIOD, calendar);
    Some(Destroy {
        approval: approval?,
        requesters: requesters?,
        approver_roles: approver_roles?,
        performers: performers?,
        witnesses: witnesses?,
        approvers: approvers?,
        cooling_off: cooling_off?,
        papers: papers_?,
        media_papers: media_papers?,
        papers_within: papers_within?,
    })
}

/// A list of words that are known.
pub(super) fn words<T>(
    reader: &mut Reader,
    name: &'static str,
    form: Form<'_>,
    (what, hint): (&str, &str),
    parse: impl Fn(&str) -> Option<T>,
) -> Option<Rule<Vec<T>>> {
    let node = reader.required(name, RULE)?;
    let mut inner = reader.inner(name, &node)?;
    let list = inner.texts("value", form);
    let clause = clause(&mut inner);
    let faults = inner.faults().clone();
    inner.finish();
    let list: Vec<Placed<String>> = list?.value;
    for word in list.iter().filter(|word| parse(&word.value).is_none()) {
        faults.add(word.at, format!("the {what} '{}' is unknown", shown(&word.value)), Some(hint));
    }
    let value = list.iter().filter_map(|word| parse(&word.value)).collect();
    Some(Rule { value, clause: clause? })
}

/// Papers without which an order stays open.
fn papers(reader: &mut Reader, name: &'static str) -> Option<Rule<Vec<String>>> {
    let what = ("paper", "papers are 'letter', 'evidence', 'cc-it' and 'cc-ethics'");
    let known = |t: &str| policy::PAPERS.contains(&t).then(|| t.to_owned());
    words(reader, name, PAPERS, what, known)
}

/// Roles; with none, nobody may.
fn roles(reader: &mut Reader, name: &'static str) -> Option<Rule<Vec<Role>>> {
    let hint = "roles are 'custodian', 'handler', 'supervisor', 'auditor', 'admin' and 'vendor'";
    words(reader, name, ROLES, ("role", hint), Role::parse)
}

/// A clause: the regulation's letters and the numbers of its point, or `own`.
fn clause(reader: &mut Reader) -> Option<String> {
    let clause = reader.parsed("clause", CLAUSE, |t| is_clause(t).then(|| t.to_owned()))?;
    Some(clause.value)
}

fn is_clause(text: &str) -> bool {
    let Some((law, point)) = text.split_once('-') else { return text == "own" };
    let numbers = point.trim_end_matches(|c: char| c.is_ascii_lowercase());
    matches!(law, "NTP" | "TPE" | "TY" | "TYA2" | "NT" | "TPH")
        && point.len() - numbers.len() <= 1
        && numbers.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}
