//! `shared_users:` of agent.yaml: system users of this machine that several people sign as, each with its reason.
//!
//! A terminal that a unit shares is no sign of two keys in one hand. Naming one waits for a second person; taking one away
//! does not.

use std::collections::BTreeMap;

use super::{
    node::{Node, Value},
    reader::{Form, Reader, form},
};
use crate::domain::{limits, national_id};

const FORM: Form<'_> = form(
    "a list of numbers of system users with the reason of each",
    "[{ uid: 1001, reason: 115-7 }]",
);
const UID: Form<'_> = form("the number of a system user", "1001");
const REASON: Form<'_> =
    form("why several people sign as it, or the document that says so", "府資字第1150001234號");

/// Reads the field, where it is there.
pub(super) fn read(reader: &mut Reader) -> BTreeMap<u32, String> {
    let Some(node) = reader.node("shared_users") else { return BTreeMap::new() };
    match &node.value {
        Value::List(nodes) => nodes.iter().filter_map(|node| user(node, reader)).collect(),
        Value::Alias => BTreeMap::new(),
        Value::Scalar { .. } | Value::Map(_) => {
            reader.wrong(node.at, "shared_users", "is no list", FORM);
            BTreeMap::new()
        }
    }
}

fn user(node: &Node, outer: &Reader) -> Option<(u32, String)> {
    let mut reader = outer.inner("shared_users", node)?;
    let uid = reader.parsed("uid", UID, |t| t.parse().ok());
    let reason = reader.parsed("reason", REASON, |t| {
        let good = (1..=limits::TEXT_CHARS_MAX).contains(&t.trim().chars().count())
            && !t.contains(char::is_control)
            && !national_id::found_in(t);
        good.then(|| t.trim().to_owned())
    });
    reader.finish();
    Some((uid?.value, reason?.value))
}

/// The line of them among what was agreed to.
pub(super) fn agreed(users: &BTreeMap<u32, String>) -> String {
    if users.is_empty() {
        return String::new();
    }
    let users: Vec<String> = users.iter().map(|(uid, reason)| format!("{uid} {reason}")).collect();
    format!("shared_users={}\n", users.join("\u{1f}"))
}

/// Reads that line's value.
pub(super) fn read_agreed(text: &str) -> BTreeMap<u32, String> {
    let user = |one: &str| {
        let (uid, reason) = one.split_once(' ')?;
        Some((uid.parse().ok()?, reason.to_owned()))
    };
    text.split('\u{1f}').filter_map(user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_agreed_to_reads_back() {
        let users = BTreeMap::from([
            (0, "one process plays everybody".to_owned()),
            (1001, "值班台共用, 府資字第1號".to_owned()),
        ]);
        let line = agreed(&users);
        assert_eq!(read_agreed(line.trim_end().trim_start_matches("shared_users=")), users);
        assert_eq!(agreed(&BTreeMap::new()), "");
    }
}
