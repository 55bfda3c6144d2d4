//! Which entries of the register are about a batch: those that name it, its copies, keys and orders, what came of them,
//! the grants of its link and the holds over it, and the accounts whose signatures are among them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::service::forms::DestructionRecord;

/// What the entries of a batch name; it grows with them.
pub(super) struct Chosen {
    places: BTreeSet<u64>,
    ids: BTreeSet<String>,
    link: String,
    number: Option<String>,
    /// Standing approvals, whose entries come before those of the orders that rest on them.
    standings: BTreeMap<String, Vec<u64>>,
    wanted: BTreeSet<String>,
}

impl Chosen {
    pub(super) fn of(record: &DestructionRecord) -> Self {
        let row = &record.row;
        let mut ids: BTreeSet<String> = row.batch.iter().map(ToString::to_string).collect();
        ids.extend(record.copies.iter().map(|copy| copy.copy.to_string()));
        ids.extend(record.orders.iter().map(|order| order.order.to_string()));
        Self {
            places: BTreeSet::new(),
            ids,
            link: row.link.clone(),
            number: row.number.clone(),
            standings: BTreeMap::new(),
            wanted: BTreeSet::new(),
        }
    }

    /// Takes the next entry, or passes over it.
    pub(super) fn look(&mut self, seq: u64, entry: &Value) {
        let (body, plan) = (&entry["body"], &entry["body"]["plan"]);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let kind = body["type"].as_str().unwrap_or_default();
        if kind.starts_with("standing-") {
            let of = self.standings.entry(text(&body["standing"]).unwrap_or_default());
            of.or_default().push(seq);
            return;
        }
        if !self.takes(kind, body) {
            return;
        }
        self.places.insert(seq);
        let named = [&body["grant"], &body["hold"], &plan["key"], &plan["delivery"]];
        self.ids.extend(named.into_iter().filter_map(text));
        self.wanted.extend(text(&body["standing"]));
    }

    fn takes(&self, kind: &str, body: &Value) -> bool {
        let plan = &body["plan"];
        let is = |value: &Value| value.as_str().is_some_and(|id| self.ids.contains(id));
        match kind {
            "site-created" | "account-proposed" | "account-confirmed" | "account-disabled" => true,
            "grant-applied" => body["terms"]["link"] == self.link.as_str(),
            "hold-placed" => {
                let scope = &body["scope"];
                scope == "all" || scope["link"] == self.link.as_str() || is(&scope["batch"])
            }
            "intent" if plan["step"] == "take-key" => {
                let number = plan["number"].as_str();
                plan["link"] == self.link.as_str()
                    && number.is_some_and(|number| self.number.as_deref() == Some(number))
            }
            // An order may cover other batches too: what became of their copies is theirs.
            "intent" if plan["step"] == "wipe-copy" => is(&plan["copy"]),
            "intent" => ["batch", "order", "key"].iter().any(|field| is(&plan[*field])),
            "outcome" | "failed" => {
                body["intent"].as_u64().is_some_and(|intent| self.places.contains(&intent))
            }
            "copy-excepted" => is(&body["copy"]),
            "fact-amended" => is(&body["object"]),
            "amendment-confirmed" => {
                body["amendment"].as_u64().is_some_and(|seq| self.places.contains(&seq))
            }
            "note-added" => body["entry"].as_u64().is_some_and(|seq| self.places.contains(&seq)),
            "decision-entered" | "decision-confirmed" => {
                ["order", "grant", "copy"].iter().any(|field| is(&body["subject"][*field]))
            }
            _ => ["batch", "order", "grant", "hold"].iter().any(|field| is(&body[*field])),
        }
    }

    /// The places of what was taken.
    pub(super) fn places(mut self) -> Vec<u64> {
        for standing in &self.wanted {
            self.places.extend(self.standings.get(standing).into_iter().flatten());
        }
        self.places.into_iter().collect()
    }
}
