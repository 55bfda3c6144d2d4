//! Findings: what was odd in a batch and kept nobody out. Counted for the register, by position for the record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts by field and kind, and of oddities of whole files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Findings(BTreeMap<String, Count>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
enum Count {
    /// Of a file or batch.
    Whole(u64),
    /// Of a field, by kind.
    Field(BTreeMap<String, u64>),
}

impl Findings {
    /// Names a field and the kinds that are counted for it, all from zero.
    pub fn open(&mut self, field: &str, kinds: &[&str]) {
        let counts = kinds.iter().map(|kind| ((*kind).to_owned(), 0)).collect();
        self.0.insert(field.to_owned(), Count::Field(counts));
    }

    /// Counts for a field.
    pub fn count(&mut self, field: &str, kind: &str, times: u64) {
        let entry = self.0.entry(field.to_owned()).or_insert_with(|| Count::Field(BTreeMap::new()));
        if let Count::Field(counts) = entry {
            *counts.entry(kind.to_owned()).or_default() += times;
        }
    }

    /// What was counted at all: what, of which field where it is one's, and how often.
    #[must_use]
    pub fn told(&self) -> Vec<(String, u64)> {
        let mut told = Vec::new();
        for (name, count) in &self.0 {
            match count {
                Count::Whole(times) => told.push((name.clone(), *times)),
                Count::Field(kinds) => {
                    let kinds =
                        kinds.iter().map(|(kind, times)| (format!("{name}: {kind}"), *times));
                    told.extend(kinds);
                }
            }
        }
        told.retain(|(_, times)| *times > 0);
        told
    }

    /// Counts for the whole.
    pub fn count_whole(&mut self, kind: &str, times: u64) {
        if let Count::Whole(count) = self.0.entry(kind.to_owned()).or_insert(Count::Whole(0)) {
            *count += times;
        }
    }
}

/// Where something odd stands; what it says is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Record, from 1 over all files.
    pub record: u64,
    /// Field.
    pub field: String,
    /// Kind of finding.
    pub code: String,
}
