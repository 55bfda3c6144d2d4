//! The normal form of a register (DESIGN 4): what two lives must agree on when one of them was interrupted.
//!
//! Times keep their day only; nonces, signatures and start and retry entries go; ids, digests and other random
//! values are renamed in the order in which they first appear, so that what was equal stays equal.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Entries that say nothing about what happened: starts, reloads, retries, nonces that have counted.
const DROPPED_ENTRIES: &[&str] = &["started", "reloaded", "batch-retried", "nonce-spent"];
/// Fields that say nothing about what happened: signatures and nonces are random, sizes of the tree count start
/// entries too.
const DROPPED: &[&str] = &["at", "millis", "nonce", "seq", "signature", "tree_size"];
/// Fields that hold random values which are not 64 hex digits.
const RANDOM: &[&str] = &["client_key", "recipient", "ssh_key", "vkey"];
/// Fields that hold the number of another entry.
const ENTRY_NUMBERS: &[&str] = &["intent", "proposal", "verdict"];

/// New names of ids, digests and the like.
#[derive(Default)]
pub(crate) struct Names {
    given: BTreeMap<String, String>,
    counts: BTreeMap<String, usize>,
}

impl Names {
    fn name(&mut self, kind: &str, value: &str) -> String {
        if let Some(name) = self.given.get(value) {
            return name.clone();
        }
        let count = self.counts.entry(kind.to_owned()).or_default();
        *count += 1;
        let name = format!("{kind}{count}");
        self.given.insert(value.to_owned(), name.clone());
        name
    }

    /// A text with the ids in it renamed, as file names and slots hold them.
    pub(crate) fn rename(&mut self, text: &str) -> String {
        let mut renamed = String::new();
        for part in text.split_inclusive(['/', '.', ':', ' ']) {
            let word = part.trim_end_matches(['/', '.', ':', ' ']);
            renamed.push_str(&self.word(word));
            renamed.push_str(&part[word.len()..]);
        }
        renamed
    }

    fn word(&mut self, word: &str) -> String {
        let digits = word.get(2..).unwrap_or_default();
        let is_id = word.as_bytes().get(1) == Some(&b'-')
            && word.as_bytes()[0].is_ascii_lowercase()
            && digits.len() >= 8
            && digits.bytes().all(|b| b.is_ascii_digit());
        let is_digest =
            word.len() == 64 && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_id {
            self.name(&word[..2], word)
        } else if is_digest {
            self.name("digest-", word)
        } else {
            word.to_owned()
        }
    }
}

/// The normal form of `register show --json`.
pub(crate) fn register(entries: &[Value], names: &mut Names) -> Vec<Value> {
    let retried = retried(entries);
    let kept: Vec<&Value> = entries
        .iter()
        .filter(|entry| {
            !DROPPED_ENTRIES.contains(&entry["body"]["type"].as_str().unwrap_or_default())
        })
        .filter(|entry| !retried.contains(&number(&entry["seq"])))
        .filter(|entry| !retried.contains(&number(&entry["body"]["intent"])))
        .collect();
    let places: BTreeMap<u64, usize> =
        kept.iter().enumerate().map(|(place, entry)| (number(&entry["seq"]), place)).collect();
    kept.into_iter().map(|entry| walk("", entry, &places, names)).collect()
}

/// Intents that came to nothing and were planned anew: failed ones, and a key that a stop lost before it was kept.
fn retried(entries: &[Value]) -> BTreeSet<u64> {
    let lost = |entry: &&Value| {
        let body = &entry["body"];
        body["type"] == "failed" || body["outcome"]["code"] == "lost"
    };
    entries.iter().filter(lost).map(|entry| number(&entry["body"]["intent"])).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(u64::MAX)
}

fn walk(field: &str, value: &Value, places: &BTreeMap<u64, usize>, names: &mut Names) -> Value {
    match value {
        Value::Object(map) => {
            let mut normal = Map::new();
            // A reading that was stopped stands in the access log as asked, and once more when it is repeated.
            if map.get("type").is_some_and(|word| word == "access-checkpoint") {
                normal.insert("type".to_owned(), "access-checkpoint".into());
                return Value::Object(normal);
            }
            // An age file has a part of random length, and of a package that length is a fact.
            let package = map.contains_key("manifest") && map.contains_key("sha256")
                || map.get("kind").is_some_and(|word| word == "hand-over");
            for (name, inner) in map {
                if package && name == "bytes" {
                    continue;
                }
                if !DROPPED.contains(&name.as_str()) {
                    normal.insert(name.clone(), walk(name, inner, places, names));
                }
            }
            Value::Object(normal)
        }
        Value::Array(list) => list.iter().map(|inner| walk(field, inner, places, names)).collect(),
        Value::String(text) => string(field, text, places, names),
        Value::Number(_) if ENTRY_NUMBERS.contains(&field) => {
            places.get(&number(value)).copied().into()
        }
        _ => value.clone(),
    }
}

fn string(field: &str, text: &str, places: &BTreeMap<u64, usize>, names: &mut Names) -> Value {
    if RANDOM.contains(&field) {
        return names.name(field, text).into();
    }
    // A signed text is canonical JSON in a string.
    if let Ok(inner @ Value::Object(_)) = serde_json::from_str(text) {
        return walk(field, &inner, places, names);
    }
    if chrono::DateTime::parse_from_rfc3339(text).is_ok() {
        return text[..10].into();
    }
    names.rename(text).into()
}
