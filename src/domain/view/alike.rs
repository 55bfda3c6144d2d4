//! What the rows of one link say alike, kept once.
//!
//! Most batches of a link repeat what the one before them said: the facts of the link, columns, units, findings. The
//! last of each is remembered here and shared while it stays the same; words of a small vocabulary (strengths,
//! signers, channels, accounts) are shared for good. Nothing here is a fact: without it the rows say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::rows::{Batch, Loaded};
use crate::domain::{
    entry::{LinkFacts, LoadFacts},
    findings::Findings,
};

/// What was said last, by link, and words.
#[derive(Clone, Debug, Default)]
pub(super) struct Alike {
    words: BTreeSet<Arc<str>>,
    facts: BTreeMap<String, Arc<LinkFacts>>,
    loads: BTreeMap<String, Loaded>,
}

impl Alike {
    /// A word that few people and few settings choose.
    pub(super) fn word(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.words.get(word) {
            return Arc::clone(known);
        }
        let new: Arc<str> = word.into();
        self.words.insert(Arc::clone(&new));
        new
    }

    pub(super) fn facts(&mut self, link: &str, facts: LinkFacts) -> Arc<LinkFacts> {
        if let Some(known) = self.facts.get(link).filter(|known| ***known == facts) {
            return Arc::clone(known);
        }
        let new = Arc::new(facts);
        self.facts.insert(link.to_owned(), Arc::clone(&new));
        new
    }

    pub(super) fn load(&mut self, link: &str, facts: &LoadFacts) -> Loaded {
        let last = self.loads.get(link);
        let loaded = Loaded {
            content: facts.content,
            items: shared(last.map(|last| &last.items), &facts.items),
            units: shared(last.map(|last| &last.units), &facts.units),
            findings: shared_text(last.map(|last| &last.findings), &facts.findings),
            gate: facts.gate.clone().map(Box::new),
        };
        self.loads.insert(link.to_owned(), loaded.clone());
        loaded
    }
}

impl Alike {
    /// Shares what a row says alike again, after it was read back.
    pub(super) fn share(&mut self, row: &mut Batch) {
        row.facts = self.facts(&row.link, (*row.facts).clone());
        row.strength = row.strength.take().map(|word| self.word(&word));
        row.signer = row.signer.take().map(|word| self.word(&word));
        for opened in &mut row.rows {
            opened.unit = opened.unit.take().map(|unit| self.word(&unit));
        }
        if let Some(load) = &mut row.load {
            let last = self.loads.get(&row.link);
            load.items = shared(last.map(|last| &last.items), &load.items);
            load.units = shared(last.map(|last| &last.units), &load.units);
            if let Some(last) = last.filter(|last| last.findings == load.findings) {
                load.findings = Arc::clone(&last.findings);
            }
            self.loads.insert(row.link.clone(), (**load).clone());
        }
    }
}

/// Findings as text: a tree of counts for each batch takes ten times as much.
fn shared_text(last: Option<&Arc<str>>, new: &Findings) -> Arc<str> {
    let text = serde_json::to_string(new).unwrap_or_default();
    match last.filter(|last| ***last == text) {
        Some(last) => Arc::clone(last),
        None => text.into(),
    }
}

fn shared<T: Clone + PartialEq>(last: Option<&Arc<T>>, new: &T) -> Arc<T> {
    match last.filter(|last| ***last == *new) {
        Some(last) => Arc::clone(last),
        None => Arc::new(new.clone()),
    }
}
