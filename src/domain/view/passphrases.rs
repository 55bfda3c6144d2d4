//! Folding passphrases that a provider uses for long: one in force for each link, and one that waits for a second person.

use serde::{Deserialize, Serialize};

use super::{FoldError, KeyState, Mark, Proposal, View};
use crate::domain::{
    entry::{Body, Entry, KeyFacts, STANDING_NUMBER},
    ids::{BatchId, KeyId},
    lifecycle::BatchState,
};

/// The passphrases of a link.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Passphrases {
    /// The one in force.
    pub in_force: Option<KeyId>,
    /// One that waits for a second person.
    pub waits: Option<Proposal<KeyId>>,
}

impl Passphrases {
    /// It is not kept any more.
    fn forget(&mut self, key: KeyId) {
        self.in_force = self.in_force.filter(|of| *of != key);
        self.waits = self.waits.take().filter(|of| of.what != key);
    }

    fn has(&self, key: KeyId) -> bool {
        self.in_force == Some(key) || self.waits.as_ref().is_some_and(|one| one.what == key)
    }
}

/// What is sure of a batch that was opened with this key. What the verdict before said is of the key that the link
/// named then; another one may have opened it.
pub(super) fn opened_strength(before: &str, standing: Option<bool>) -> &str {
    match (before, standing) {
        ("signed" | "signed-standing-passphrase", Some(true)) => "signed-standing-passphrase",
        ("signed" | "signed-standing-passphrase" | "signed-standing-key", Some(false)) => "signed",
        _ => before,
    }
}

impl View {
    /// The passphrase that is in force for a link, while it is kept.
    #[must_use]
    pub fn standing_passphrase(&self, link: &str) -> Option<KeyId> {
        let key = self.links.get(link)?.passphrases.in_force?;
        self.keys.get(&key).is_some_and(|row| row.state == KeyState::Live).then_some(key)
    }

    /// Every passphrase of every link that is kept, in force or not yet.
    pub fn standing_keys(&self) -> impl Iterator<Item = (KeyId, &str)> {
        self.links.iter().flat_map(move |(link, ledger)| {
            let waits = ledger.passphrases.waits.as_ref().map(|one| one.what);
            let all = ledger.passphrases.in_force.into_iter().chain(waits);
            let live =
                |key: &KeyId| self.keys.get(key).is_some_and(|row| row.state == KeyState::Live);
            all.filter(live).map(|key| (key, link.as_str()))
        })
    }

    /// Whether a key is a passphrase for more than one batch.
    #[must_use]
    pub fn is_standing(&self, key: KeyId) -> bool {
        self.keys.get(&key).is_some_and(|row| *row.number == *STANDING_NUMBER)
    }

    /// Whether a standing passphrase is neither in force nor waiting any more.
    pub(super) fn is_left(&self, key: KeyId, link: &str) -> bool {
        !self.links.get(link).is_some_and(|ledger| ledger.passphrases.has(key))
    }

    /// Batches of a link that a passphrase could open now.
    #[must_use]
    pub fn verified_of(&self, link: &str) -> Vec<BatchId> {
        let open = self.batches.loose();
        open.filter(|(_, row)| row.link == link && row.state == BatchState::Verified)
            .map(|(id, _)| id)
            .collect()
    }

    pub(super) fn key_state(
        &mut self,
        mark: Mark,
        key: KeyId,
        state: KeyState,
    ) -> Result<(), FoldError> {
        let row = self.keys.get_mut(&key).ok_or(FoldError::Unknown(mark.seq))?;
        row.state = state;
        if state == KeyState::Gone {
            let link = row.link.to_string();
            self.index.key_gone(key);
            if let Some(ledger) = self.links.get_mut(&link) {
                ledger.passphrases.forget(key);
            }
        }
        Ok(())
    }

    /// A key opened nothing of a batch. One that is for more than this batch stays, and is not tried on it again.
    pub(super) fn key_was_wrong(
        &mut self,
        mark: Mark,
        batch: BatchId,
        key: KeyId,
    ) -> Result<(), FoldError> {
        if !self.is_standing(key) {
            return self.key_state(mark, key, KeyState::Wrong);
        }
        self.batch(mark, batch)?.standing_wrong = Some(key);
        Ok(())
    }

    /// A key came and is kept. One that is for more than one batch waits for a second person.
    pub(super) fn took(
        &mut self,
        mark: Mark,
        key: KeyId,
        facts: &KeyFacts,
    ) -> Result<(), FoldError> {
        let row = self.keys.get_mut(&key).ok_or(FoldError::Unknown(mark.seq))?;
        row.state = KeyState::Live;
        row.form = facts.form;
        row.fingerprint = facts.fingerprint;
        if *row.number == *STANDING_NUMBER {
            let (link, by) = (row.link.to_string(), row.by.to_string());
            let passphrases = &mut self.links.entry(link).or_default().passphrases;
            passphrases.waits = Some(Proposal { mark, by, what: key });
        }
        Ok(())
    }

    pub(super) fn passphrase(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        let unknown = || FoldError::Unknown(mark.seq);
        match &entry.body {
            Body::PassphraseConfirmed(confirmed) => {
                let ledger = self.links.get_mut(&confirmed.link).ok_or_else(unknown)?;
                let waits = ledger.passphrases.waits.take().ok_or_else(unknown)?;
                // The fold itself refuses who decides on what is his own.
                if waits.what != confirmed.key || waits.by == entry.by {
                    return Err(FoldError::Transition(mark.seq));
                }
                ledger.passphrases.in_force = Some(waits.what);
                Ok(())
            }
            Body::PassphraseEnded(ended) => {
                let ledger = self.links.get_mut(&ended.link).ok_or_else(unknown)?;
                ledger.passphrases = Passphrases::default();
                Ok(())
            }
            _ => Err(FoldError::Transition(mark.seq)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::opened_strength;

    #[test]
    fn a_batch_is_as_sure_as_the_key_that_opened_it() {
        const LASTING: &str = "signed-standing-passphrase";
        for (before, standing, after) in [
            ("signed", Some(true), LASTING),
            (LASTING, Some(true), LASTING),
            (LASTING, Some(false), "signed"),
            ("signed-standing-key", Some(false), "signed"),
            ("signed-standing-key", None, "signed-standing-key"),
            ("by-letter", Some(true), "by-letter"),
            ("unsigned", Some(false), "unsigned"),
            ("by-hand", None, "by-hand"),
        ] {
            assert_eq!(opened_strength(before, standing), after, "{before} {standing:?}");
        }
    }
}
