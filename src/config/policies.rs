//! `policies/*.yaml`: every value stands beside its clause.

use super::{
    layouts::named,
    node::{Faults, Node, Reader, Value},
};
use crate::domain::{
    policy::{Approval, ClockStart, Destroy, GrantRule, Policy, RawFile, Rule, UseRule},
    time::Period,
};

const PERIOD: &str = "a period such as 'P0D' or 'P3Y'";

/// Parses one policy; its name must be the file's.
pub(super) fn parse(name: &str, node: &Node, faults: &Faults) -> Option<Policy> {
    let mut reader = Reader::new(node, faults);
    named(&mut reader, "policy", name);
    let title = reader.text("title").map(|(text, _)| text);
    let register_title = reader.text("register_title").map(|(text, _)| text);
    let raw_file = group(&mut reader, "raw_file", |r| {
        let start = rule(r, "start_event", "import-committed or use-ended", ClockStart::parse);
        let retention = rule(r, "retention", PERIOD, Period::parse);
        Some(RawFile { start: start?, retention: retention? })
    });
    let use_rule = group(&mut reader, "use", |r| {
        Some(UseRule { retention: rule(r, "retention", PERIOD, Period::parse)? })
    });
    let destroy = group(&mut reader, "destroy", |r| {
        let approval = rule(r, "approval", "per-order or standing", |t| match t {
            "per-order" => Some(Approval::PerOrder),
            "standing" => Some(Approval::Standing),
            _ => None,
        });
        let papers = papers(r);
        Some(Destroy { approval: approval?, papers: papers? })
    });
    let grant = group(&mut reader, "grant", |r| {
        let row_cap =
            rule(r, "row_cap", "a number of rows", |t| t.parse::<u64>().ok().filter(|n| *n > 0));
        Some(GrantRule { row_cap: row_cap? })
    });
    let standing_key = group(&mut reader, "key", |r| {
        rule(r, "standing", "true or false", |t| match t {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    });
    let retention = |r: &mut Reader| rule(r, "retention", PERIOD, Period::parse);
    let access_log = group(&mut reader, "access_log", retention);
    let register = group(&mut reader, "register", retention);
    reader.finish();
    Some(Policy {
        name: name.to_owned(),
        title: title?,
        register_title: register_title?,
        raw_file: raw_file?,
        use_rule: use_rule?,
        destroy: destroy?,
        grant: grant?,
        standing_key: standing_key?,
        access_log: access_log?,
        register: register?,
    })
}

fn group<T>(
    reader: &mut Reader,
    name: &'static str,
    read: impl FnOnce(&mut Reader) -> Option<T>,
) -> Option<T> {
    let node = reader.required(name)?;
    let mut inner = Reader::new(&node, reader.faults());
    let value = read(&mut inner);
    inner.finish();
    value
}

/// `{ value: …, clause: … }`.
fn rule<T>(
    reader: &mut Reader,
    name: &'static str,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<Rule<T>> {
    let node = reader.required(name)?;
    let mut inner = Reader::new(&node, reader.faults());
    let value = inner.parsed("value", expected, parse);
    let clause = clause(&mut inner);
    inner.finish();
    Some(Rule { value: value?, clause: clause? })
}

fn papers(reader: &mut Reader) -> Option<Rule<Vec<String>>> {
    let node = reader.required("papers")?;
    let mut inner = Reader::new(&node, reader.faults());
    let list = match inner.required("value") {
        Some(Node { value: Value::List(nodes), .. }) => {
            Some(nodes.iter().filter_map(|n| n.text().map(str::to_owned)).collect())
        }
        Some(other) => {
            inner.faults().add(
                other.at,
                "'value' must be a list",
                Some("[] where no paper is asked for"),
            );
            None
        }
        None => None,
    };
    let clause = clause(&mut inner);
    inner.finish();
    Some(Rule { value: list?, clause: clause? })
}

/// A clause: the regulation's letters and numbers, or `own`.
fn clause(reader: &mut Reader) -> Option<String> {
    reader.parsed("clause", "a clause such as 'TY-4.3.2', or 'own'", |t| {
        let (law, rest) = t.split_once('-').unwrap_or((t, ""));
        let named = matches!(law, "NTP" | "TPE" | "TY" | "TYA2" | "NT" | "TPH") && !rest.is_empty();
        (named || t == "own").then(|| t.to_owned())
    })
}
