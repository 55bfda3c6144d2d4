//! What is known of a link beyond its file: where its numbers begin, and since when it and its policy are in force.

use serde::{Deserialize, Serialize};

use super::{LinkHistory, Mark, Proposal, View, passphrases::Passphrases};
use crate::domain::{entry::ConfigChange, time::Timestamp};

/// What is known of a link beyond its file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LinkLedger {
    /// The last change file before this agent took the link over.
    pub baseline: u64,
    /// A baseline that waits for a second person.
    pub proposal: Option<Proposal<u64>>,
    /// Passphrases that its provider uses for long.
    #[serde(default)]
    pub passphrases: Passphrases,
    /// What offices and people decided about it.
    #[serde(default)]
    pub history: LinkHistory,
    /// When it was put in force, where that was after the beginning of the site.
    pub since: Option<Timestamp>,
    /// When it came under the policy that it is under, where that was after it was put in force.
    pub under: Option<Timestamp>,
}

impl View {
    /// Since when a link is in force: what is asked of it is not owed before.
    #[must_use]
    pub fn link_since(&self, link: &str) -> Option<Timestamp> {
        self.links.get(link).and_then(|ledger| ledger.since).or(self.first_at)
    }

    /// Since when a link is under its policy.
    #[must_use]
    pub fn link_under_since(&self, link: &str) -> Option<Timestamp> {
        self.links.get(link).and_then(|ledger| ledger.under).or_else(|| self.link_since(link))
    }

    /// A second person confirmed these changes.
    pub(super) fn links_changed(&mut self, mark: Mark, changes: &[ConfigChange]) {
        for change in changes {
            let name = change.file.strip_prefix("links/").and_then(|n| n.strip_suffix(".yaml"));
            let Some(name) = name else { continue };
            match change.code.as_str() {
                "link-added" => {
                    let ledger = self.links.entry(name.to_owned()).or_default();
                    (ledger.since, ledger.under) = (Some(mark.at), None);
                }
                "policy" => {
                    self.links.entry(name.to_owned()).or_default().under = Some(mark.at);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::Digest;

    #[test]
    fn a_link_is_in_force_since_it_was_added_and_under_its_policy_since_that_changed() {
        let at = |seconds| Timestamp::from_millis(seconds * 1000);
        let mark = |seq| Mark {
            seq,
            at: at(i64::try_from(seq).unwrap_or(0)),
            digest: Digest::of(b"entry"),
        };
        let mut view = View { first_at: Some(at(1)), ..View::default() };
        let change = |code: &str| ConfigChange {
            file: "links/a.yaml".to_owned(),
            code: code.to_owned(),
            tightens: false,
        };
        assert_eq!(view.link_since("a"), Some(at(1)));
        view.links_changed(mark(5), &[change("link-added")]);
        assert_eq!((view.link_since("a"), view.link_under_since("a")), (Some(at(5)), Some(at(5))));
        view.links_changed(mark(7), &[change("title"), change("policy")]);
        assert_eq!((view.link_since("a"), view.link_under_since("a")), (Some(at(5)), Some(at(7))));
        assert_eq!(view.link_since("b"), Some(at(1)));
    }
}
