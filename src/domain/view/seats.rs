//! From which system users of this machine accounts are used: two people's keys in one hand are seen.
//!
//! An entry names the system user only where its account was never seen from it before, so that each pair stands in the
//! register once. A number of a system user says nothing of a person that the account does not say.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{FoldError, Mark, Proposal, View};
use crate::domain::entry::{Body, Entry, SharedUserAcknowledged};

/// Every system user that an account was used from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Seats(BTreeMap<u32, Seat>);

/// A system user.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Seat {
    /// The accounts that were used from it, and since when each.
    pub accounts: BTreeMap<String, Mark>,
    /// Those of which two other people said that they know.
    pub acknowledged: BTreeSet<String>,
    /// An acknowledgement that waits for the second of them.
    pub proposal: Option<Proposal<SharedUserAcknowledged>>,
}

impl Seat {
    /// Since when more than one person's account was used from it, unless two people know of all of them.
    #[must_use]
    pub fn shared(&self) -> Option<Mark> {
        let known = self.accounts.keys().all(|name| self.acknowledged.contains(name));
        let mut marks: Vec<Mark> = self.accounts.values().copied().collect();
        marks.sort_unstable_by_key(|mark| mark.seq);
        marks.get(1).copied().filter(|_| !known)
    }
}

impl Seats {
    /// Whether an account was used from a system user before.
    #[must_use]
    pub fn knows(&self, uid: u32, account: &str) -> bool {
        self.0.get(&uid).is_some_and(|seat| seat.accounts.contains_key(account))
    }

    /// A system user.
    #[must_use]
    pub fn get(&self, uid: u32) -> Option<&Seat> {
        self.0.get(&uid)
    }

    /// Every system user, by its number.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Seat)> {
        self.0.iter().map(|(uid, seat)| (*uid, seat))
    }
}

impl View {
    /// A system user with all of its accounts: those that were used from it, and the one that is registered for it, which
    /// needs no key to be used from there.
    #[must_use]
    pub fn seat(&self, uid: u32) -> Option<Seat> {
        let mut seat = self.seats.get(uid)?.clone();
        let first = seat.accounts.values().min_by_key(|mark| mark.seq).copied();
        if let (Some(first), Some(facts)) = (first, self.account_of_uid(uid)) {
            seat.accounts.entry(facts.name.clone()).or_insert(first);
        }
        Some(seat)
    }

    /// Whether anybody else's account is at a system user.
    #[must_use]
    pub fn sits_with_others(&self, uid: u32, name: &str) -> bool {
        let registered = self.account_of_uid(uid).is_some_and(|facts| facts.name != name);
        let seat = self.seats.get(uid);
        registered || seat.is_some_and(|seat| seat.accounts.keys().any(|other| other != name))
    }

    /// Keeps from which system user an account was used.
    pub(super) fn seated(&mut self, mark: Mark, entry: &Entry) {
        if let Some(uid) = entry.uid {
            let seat = self.seats.0.entry(uid).or_default();
            seat.accounts.entry(entry.by.clone()).or_insert(mark);
        }
    }

    /// The fold itself refuses whose own account was used from there, and who agrees with himself.
    pub(super) fn fold_seats(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        let by = &entry.by;
        match &entry.body {
            Body::SharedUserAcknowledged(what) => {
                let seat = self.seats.0.get_mut(&what.uid).ok_or(FoldError::Unknown(mark.seq))?;
                if seat.accounts.contains_key(by) {
                    return Err(FoldError::Transition(mark.seq));
                }
                seat.proposal = Some(Proposal { mark, by: by.clone(), what: what.clone() });
            }
            Body::SharedUserConfirmed(what) => {
                let seat = self.seats.0.get_mut(&what.uid).ok_or(FoldError::Unknown(mark.seq))?;
                let waits = seat.proposal.take().ok_or(FoldError::Transition(mark.seq))?;
                if waits.by == *by || seat.accounts.contains_key(by) {
                    return Err(FoldError::Transition(mark.seq));
                }
                seat.acknowledged.extend(waits.what.accounts);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::domain::{
        digest::Digest,
        entry::{AccountFacts, UnixUser},
        time::Timestamp,
    };

    #[test]
    fn a_second_account_is_told_and_a_third_one_again() {
        let mark = |seq| Mark { seq, digest: Digest::of(b""), at: Timestamp::from_millis(0) };
        let mut seat = Seat::default();
        seat.accounts.insert("ben".to_owned(), mark(4));
        assert!(seat.shared().is_none());
        seat.accounts.insert("ada".to_owned(), mark(9));
        assert_eq!(seat.shared().unwrap().seq, 9);
        seat.acknowledged.extend(["ada".to_owned(), "ben".to_owned()]);
        assert!(seat.shared().is_none());
        seat.accounts.insert("eve".to_owned(), mark(12));
        assert!(seat.shared().is_some());
    }

    #[test]
    fn the_account_that_is_registered_for_a_system_user_is_one_of_its() {
        let mark = |seq| Mark { seq, digest: Digest::of(b""), at: Timestamp::from_millis(0) };
        let mut view = View::default();
        let facts = AccountFacts {
            name: "ada".to_owned(),
            display: None,
            title: None,
            unit: None,
            roles: Vec::new(),
            key: None,
            unix: Some(UnixUser { name: "desk".to_owned(), uid: 7 }),
        };
        view.accounts.entry("ada".to_owned()).or_default().facts = Some(facts);
        assert!(view.seat(7).is_none(), "nobody was there yet");
        let seat = view.seats.0.entry(7).or_default();
        seat.accounts.insert("ben".to_owned(), mark(4));
        assert!(view.seats.get(7).unwrap().shared().is_none());
        assert_eq!(view.seat(7).unwrap().shared().unwrap().seq, 4);
        assert!(view.sits_with_others(7, "ben") && view.sits_with_others(7, "ada"));
        assert!(!view.sits_with_others(8, "ben"));
        // Where it is the same account, nothing is shared.
        let mut alone = Seat::default();
        alone.accounts.insert("ada".to_owned(), mark(9));
        view.seats.0.insert(7, alone);
        assert!(view.seat(7).unwrap().shared().is_none());
        assert!(!view.sits_with_others(7, "ada"));
    }
}
