//! `policies/*.yaml`: every value stands beside its clause, in layers.
//!
//! A file sets parameters of one closed table; which they are, what each takes and which way is stricter is the domain's
//! affair. Faults are told all at once: what one file alone shows while it is read, what layers show together by [`settle`].

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::{
    layouts::named,
    links,
    node::{Fault, FaultKind, Faults, Node, Place},
    reader::{Form, Placed, Reader, form, shown},
};
use crate::domain::calendar;
use crate::domain::policy::{
    Policy, clauses,
    layers::{Exception, Layer, LayerRule, LayerRules, OWN, Stack},
    length::{Length, Unit},
    parameters::{PARAMETERS, Parameter, groups},
    value::{Kind, NoValue, Value},
};

const TITLE: Form<'_> =
    form("the regulation's title", "桃園市政府婦幼發展局使用戶役政資料管理規定");
const REGISTER: Form<'_> = form("the title of its register", "戶役政資料查調刪除紀錄表");
const EXTENDS: Form<'_> = form("the name of the policy beneath this one", "common");
const CLAUSE: Form<'_> = form(
    "a regulation's letters with the number of its point, or 'own' for a rule of ours",
    "TY-4.3.2",
);
const GROUP: Form<'_> = form("rules", "{ … }");
const RULE: Form<'_> = form("a value and its clause", "{ value: …, clause: … }");
const QUOTE: Form<'_> = form("a clause and what it says", "KH-3.1: 應於一個月內銷毀");
const DOCUMENT: Form<'_> =
    form("the number of the document that allows it", "府民戶字第1150001234號");
const UNTIL: Form<'_> = form("the last day on which it counts", "2027-06-30");

/// What was read of one file.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    file: PathBuf,
    at: Place,
    title: Option<String>,
    register_title: Option<String>,
    extends: Option<Placed<String>>,
    /// Texts of clauses that this file brings along.
    clauses: BTreeMap<String, String>,
    rules: RulesDraft,
}

/// Rules as far as they could be read.
#[derive(Clone, Debug, Default)]
pub(super) struct RulesDraft {
    /// Each rule, where it and its clause stand.
    pub(super) rules: BTreeMap<&'static str, (LayerRule, Place, Place)>,
    /// Groups that are there, and where.
    groups: BTreeMap<&'static str, Place>,
    /// What is there and cannot be read: of these nothing is missing.
    broken: BTreeSet<&'static str>,
}

impl Draft {
    /// The name of the layer that it stands on.
    pub(super) fn beneath(&self) -> Option<&str> {
        self.extends.as_ref().map(|name| name.value.as_str())
    }
}

impl RulesDraft {
    /// The rules without their places.
    pub(super) fn rules(&self) -> LayerRules {
        self.rules.iter().map(|(key, (rule, ..))| (*key, rule.clone())).collect()
    }
}

/// Parses one policy; its name must be the file's.
pub(super) fn parse(name: &str, file: PathBuf, node: &Node, faults: &Faults) -> Option<Draft> {
    let mut reader = Reader::new(node, faults)?;
    let at = reader.place();
    named(&mut reader, "policy", name);
    let title = reader.text("title", TITLE);
    let extends = reader.has("extends");
    let register_title = if extends {
        reader.maybe("register_title", REGISTER, |text| Some(text.to_owned()))
    } else {
        reader.text("register_title", REGISTER)
    };
    let extends = reader
        .maybe("extends", EXTENDS, |text| super::agent::is_name(text).then(|| text.to_owned()));
    let clauses = own_clauses(&mut reader);
    let rules = rules(&mut reader);
    reader.finish();
    Some(Draft {
        file,
        at,
        title: title.map(|title| title.value),
        register_title: register_title.map(|title| title.value),
        extends,
        clauses,
        rules,
    })
}

/// The clauses whose texts a file brings along: a regulation that is none of the five.
fn own_clauses(reader: &mut Reader) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Some(node) = reader.node("clauses") else { return found };
    let super::node::Value::Map(pairs) = &node.value else {
        reader.wrong(node.at, "clauses", "has no fields", QUOTE);
        return found;
    };
    for (id, at, text) in pairs {
        match text.text() {
            Some(text) if clauses::is_clause(id) && clauses::of(id).is_empty() => {
                found.insert(id.clone(), text.to_owned());
            }
            _ => reader.wrong(*at, "clauses", &format!("has '{}'", shown(id)), QUOTE),
        }
    }
    found
}

/// Reads every group of the table that is there.
pub(super) fn rules(reader: &mut Reader) -> RulesDraft {
    let mut draft = RulesDraft::default();
    for group in groups() {
        let Some(node) = reader.node(group) else { continue };
        draft.groups.insert(group, node.at);
        let parameters = PARAMETERS.iter().filter(|one| one.group() == group);
        let Some(mut inner) = reader.inner(group, &node) else {
            draft.broken.extend(parameters.map(|one| one.key));
            continue;
        };
        for parameter in parameters {
            let Some(node) = inner.node(parameter.name()) else { continue };
            match rule(&inner, parameter, &node) {
                Some((rule, at)) => {
                    draft.rules.insert(parameter.key, (rule, node.at, at));
                }
                None => {
                    draft.broken.insert(parameter.key);
                }
            }
        }
        inner.finish();
    }
    draft
}

/// `{ value: …, clause: …, exception: … }`.
fn rule(reader: &Reader, parameter: &Parameter, node: &Node) -> Option<(LayerRule, Place)> {
    let mut inner = reader.inner(parameter.name(), node)?;
    let value = value(&mut inner, parameter.kind);
    let clause = inner.parsed("clause", CLAUSE, |text| {
        (text == OWN || clauses::is_clause(text)).then(|| text.to_owned())
    });
    let excepted = inner.has("exception");
    let exception = inner.node("exception").and_then(|node| exception(&inner, &node));
    inner.finish();
    if excepted && exception.is_none() {
        return None;
    }
    let clause = clause?;
    Some((LayerRule { value: value?, clause: clause.value, exception }, clause.at))
}

fn exception(reader: &Reader, node: &Node) -> Option<Exception> {
    let mut inner = reader.inner("exception", node)?;
    let doc_no = links::words(&mut inner, "doc_no", DOCUMENT);
    let until = inner.parsed("until", UNTIL, calendar::parse_date);
    inner.finish();
    Some(Exception { doc_no: doc_no?, until: until?.value })
}

/// The value, as its parameter takes it.
fn value(reader: &mut Reader, kind: Kind) -> Option<Value> {
    let (expected, example) = expected(kind);
    let form = form(&expected, &example);
    if kind.takes("").is_some() {
        let list = reader.texts("value", form)?;
        let mut words: Vec<String> = Vec::new();
        let mut good = true;
        for word in list.value {
            let what = if kind.takes(&word.value) == Some(false) {
                format!("'{}' is unknown here", shown(&word.value))
            } else if words.contains(&word.value) {
                format!("'{}' stands twice", shown(&word.value))
            } else {
                words.push(word.value);
                continue;
            };
            good = false;
            reader.faults().add(word.at, what, Some(&expected));
        }
        return good.then_some(Value::Words(words));
    }
    let text = reader.text("value", form)?;
    match kind.parse(&text.value) {
        Ok(value) => Some(value),
        Err(wrong) => {
            let what = match wrong {
                NoValue::Unit(Unit::WorkingDays) => "is in working days",
                NoValue::Unit(Unit::Calendar) => "is in days, months or years",
                NoValue::Unit(Unit::Clock) => "is in hours, minutes or seconds",
                NoValue::Form => "",
            };
            if what.is_empty() {
                reader.wrong(text.at, "value", &format!("is '{}'", shown(&text.value)), form);
            } else {
                reader.wrong(text.at, "value", what, form);
            }
            None
        }
    }
}

/// What a parameter takes, in words and by example.
pub(super) fn expected(kind: Kind) -> (String, String) {
    let list = |words: &[&str]| words.join(", ");
    match kind {
        Kind::Length { units, never: true, .. } => {
            (format!("{}, or never", lengths(units).0), "never".to_owned())
        }
        Kind::Length { units, zero: false, .. } => {
            let (what, example) = lengths(units);
            (format!("{what}, not zero"), example.to_owned())
        }
        Kind::Length { units, .. } => {
            let (what, example) = lengths(units);
            (what.to_owned(), example.to_owned())
        }
        Kind::Word(words) => {
            (format!("one of: {}", list(words)), (*words.last().unwrap_or(&"")).to_owned())
        }
        Kind::Words(words) => {
            let first = words.first().unwrap_or(&"");
            (format!("a list of: {}; [] for none", list(words)), format!("[{first}]"))
        }
        Kind::Years => ("a list of years such as 2027".to_owned(), "[2026, 2027]".to_owned()),
        Kind::Number(least, u64::MAX) => {
            (format!("a number, at least {least}"), "10000".to_owned())
        }
        Kind::Number(least, most) => {
            (format!("a number from {least} to {most}"), least.to_string())
        }
        Kind::Yes => ("true or false".to_owned(), "true".to_owned()),
        Kind::Always(only) => (format!("{only}: it is so under every policy"), only.to_string()),
    }
}

fn lengths(units: &[Unit]) -> (&'static str, &'static str) {
    match units {
        [Unit::WorkingDays] => {
            ("a number of working days such as 3 working days", "3 working days")
        }
        [Unit::Clock] => ("a time such as 15m or 1h", "15m"),
        [Unit::Clock, ..] => ("a time such as 72h or P3D", "72h"),
        [_, _, ..] => ("a period such as P7D or 10 working days", "P7D"),
        _ => ("a period such as P0D, P1M or P3Y", "P3Y"),
    }
}

/// What is told of a file.
struct Told<'a> {
    file: &'a PathBuf,
    faults: &'a mut Vec<Fault>,
}

impl Told<'_> {
    fn add(&mut self, at: Place, what: String, hint: &str) {
        let (file, hint) = (self.file.clone(), Some(hint.to_owned()));
        let (line, column, kind) = (at.line, at.column, FaultKind::Wrong);
        self.faults.push(Fault { file, line, column, what, hint, kind });
    }
}

/// All policies of a folder, out of what was read of each. With `agreed`, clauses are not looked up: two people agreed to
/// what is kept, whatever list of clauses there was then.
pub(super) fn settle(
    drafts: &BTreeMap<String, Draft>,
    names: &BTreeSet<String>,
    agreed: bool,
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, Policy> {
    let whole = drafts.iter().filter_map(|(name, draft)| {
        let mut told = Told { file: &draft.file, faults };
        let chain = chain(name, draft, drafts, names, &mut told)?;
        if !agreed {
            known_clauses(draft, &chain, &mut told);
        }
        let layers = chain
            .iter()
            .map(|(name, draft)| Layer { name: (*name).clone(), rules: draft.rules.rules() });
        let stack = Stack { layers: layers.collect() };
        weaker(&stack, &draft.rules, agreed, &mut told);
        missing(&stack, &chain, draft, &mut told);
        let years = draft.rules.rules.get("calendar.years").map(|(_, at, _)| *at);
        working_days(&stack, &draft.rules, years.unwrap_or(draft.at), &mut told);
        let register = chain.iter().rev().find_map(|(_, draft)| draft.register_title.as_deref());
        let policy = Policy::of((name, draft.title.as_deref()?, register?), &stack, None)?;
        Some((name.clone(), policy))
    });
    whole.collect()
}

/// The layers of a policy, the undermost first. Nothing where one of them cannot be found or read, or they go round.
fn chain<'a>(
    name: &'a String,
    draft: &'a Draft,
    drafts: &'a BTreeMap<String, Draft>,
    names: &BTreeSet<String>,
    told: &mut Told<'_>,
) -> Option<Vec<(&'a String, &'a Draft)>> {
    let mut chain = vec![(name, draft)];
    let mut top = draft;
    while let Some(beneath) = &top.extends {
        let at = draft.extends.as_ref().map_or(beneath.at, |own| own.at);
        if chain.iter().any(|(name, _)| **name == beneath.value) {
            let mut round: Vec<&str> = chain.iter().map(|(name, _)| name.as_str()).collect();
            round.push(&beneath.value);
            let what = format!("the layers go round: {}", round.join(" > "));
            told.add(at, what, "one of them must stand on nothing: take its 'extends' out");
            return None;
        }
        let Some((name, found)) = drafts.get_key_value(&beneath.value) else {
            if !names.contains(&beneath.value) {
                let what = format!("there is no policy '{}'", shown(&beneath.value));
                told.add(at, what, "the layer beneath lies in the same folder, as NAME.yaml");
            }
            return None;
        };
        chain.push((name, found));
        top = found;
    }
    chain.reverse();
    Some(chain)
}

/// Every clause is one of the list, or one whose text a layer brings along.
fn known_clauses(draft: &Draft, chain: &[(&String, &Draft)], told: &mut Told<'_>) {
    for (rule, _, at) in draft.rules.rules.values() {
        let own = chain.iter().any(|(_, draft)| draft.clauses.contains_key(&rule.clause));
        if rule.clause != OWN && !own && clauses::of(&rule.clause).is_empty() {
            told.add(*at, unknown_clause(&rule.clause), CLAUSE_HINT);
        }
    }
}

const CLAUSE_HINT: &str = "'batchward policy matrix' lists the clauses; of another regulation, give the text under 'clauses'";

const ABSENT_HINT: &str = "an exception with a document and an end may open it, or a policy file whose 'handover.recipients' names the clause that does";

fn unknown_clause(clause: &str) -> String {
    format!("the clause '{}' is in no list of clauses", shown(clause))
}

/// Whatever is weaker than it may be. What absence means was not judged by earlier versions: where two people agreed to what
/// is kept, it does not keep the agent from starting; the files themselves are judged.
fn weaker(stack: &Stack, rules: &RulesDraft, agreed: bool, told: &mut Told<'_>) {
    for found in stack.weaker() {
        let Some((rule, at, _)) = rules.rules.get(found.key) else { continue };
        if found.absent.is_some() {
            if !agreed {
                let what = format!(
                    "'{}' is '{}', and no layer beneath has such a rule: nobody gets anything",
                    found.key,
                    rule.value.words(),
                );
                told.add(*at, what, ABSENT_HINT);
            }
            continue;
        }
        let Some(than) = found.than else {
            let what = format!("'{}' is an exception from nothing", found.key);
            told.add(*at, what, "no layer beneath has such a rule: take the exception out");
            continue;
        };
        let stricter = Parameter::of(found.key).map_or("", |one| one.stricter.word());
        let what = format!(
            "'{}' is '{}', weaker than '{}' by {} in '{}': stricter is {stricter}",
            found.key,
            rule.value.words(),
            than.value.words(),
            than.clause,
            than.layer,
        );
        told.add(
            *at,
            what,
            "an exception needs a document and an end: exception: { doc_no: …, until: DATE }",
        );
    }
}

fn missing(stack: &Stack, chain: &[(&String, &Draft)], draft: &Draft, told: &mut Told<'_>) {
    let there = |key: &str| {
        let rules = |(_, draft): &(&String, &Draft)| {
            draft.rules.rules.contains_key(key) || draft.rules.broken.contains(key)
        };
        chain.iter().any(rules)
    };
    let held = stack.on(None);
    let whole = held.keys().any(|key| key.starts_with("handover."));
    let group_there = |group: &str| chain.iter().any(|(_, d)| d.rules.groups.contains_key(group));
    let mut told_of: BTreeSet<&str> = BTreeSet::new();
    for parameter in PARAMETERS {
        let handed = whole && parameter.group() == "handover";
        if !(parameter.required || handed) || there(parameter.key) {
            continue;
        }
        let (group, name) = (parameter.group(), parameter.name());
        if !group_there(group) {
            if told_of.insert(group) {
                let what = format!("the field '{group}' is missing: expected {}", GROUP.expected);
                let hint = format!("add  {group}: {}", GROUP.example);
                told.add(draft.at, what, &hint);
            }
            continue;
        }
        let at = draft.rules.groups.get(group).copied();
        let what = format!("the field '{group}.{name}' is missing: expected {}", RULE.expected);
        let hint = format!("add  {name}: {}", RULE.example);
        told.add(at.unwrap_or(draft.at), what, &hint);
    }
}

/// Who counts in working days says for which years the government's calendar is there, without a gap.
fn working_days(stack: &Stack, rules: &RulesDraft, at: Place, told: &mut Told<'_>) {
    let held = stack.on(None);
    let listed = held.get("calendar.years").and_then(|ruled| match &ruled.value {
        Value::Words(years) => Some(years.iter().filter_map(|y| y.parse::<u32>().ok()).collect()),
        _ => None,
    });
    let mut listed: Vec<u32> = listed.unwrap_or_default();
    listed.sort_unstable();
    let gap = listed.windows(2).find_map(|pair| match pair {
        [one, two] if two - one > 1 => Some(one + 1),
        _ => None,
    });
    if let Some(year) = gap {
        let what =
            format!("the calendar of the year {year} is missing between those that are named");
        told.add(at, what, "add the year, with its file in the folder 'calendars'");
    }
    if listed.is_empty() && !rules.broken.contains("calendar.years") {
        let counts = |rule: &LayerRule| matches!(rule.value, Value::Length(Length::WorkingDays(_)));
        let counted = rules.rules.iter().find(|(_, (rule, ..))| counts(rule));
        if let Some((key, (_, at, _))) = counted {
            let what = format!("'{key}' counts in working days, and no year has a calendar");
            told.add(*at, what, "add  calendar: { years: { value: [2026, 2027], clause: own } }");
        }
    }
}

/// Judges what one link has over its policy.
pub(super) fn judge_override(
    policy: &Policy,
    (link, file): (&str, &PathBuf),
    rules: &RulesDraft,
    agreed: bool,
    faults: &mut Vec<Fault>,
) {
    let mut told = Told { file, faults };
    for (rule, _, at) in rules.rules.values() {
        let known = |layer: &Layer| layer.rules.values().any(|one| one.clause == rule.clause);
        let named = policy.stack.layers.iter().any(known);
        if !agreed && !named && rule.clause != OWN && clauses::of(&rule.clause).is_empty() {
            told.add(*at, unknown_clause(&rule.clause), CLAUSE_HINT);
        }
    }
    let layer = Layer::of_link(link, rules.rules());
    let stack = policy.stack.with(layer);
    weaker(&stack, rules, agreed, &mut told);
    let at = rules.rules.get("calendar.years").map(|(_, at, _)| *at);
    working_days(&stack, rules, at.unwrap_or_default(), &mut told);
}
