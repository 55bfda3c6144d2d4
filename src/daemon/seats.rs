//! Seats at the control socket: so many in all, and of those so many for one user.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::domain::limits;

/// Who sits.
pub(super) struct Seats {
    /// The user who could take them all: the owner of the state folder.
    owner: u32,
    taken: Mutex<BTreeMap<u32, usize>>,
}

/// A seat, free again when it is dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    uid: u32,
}

impl Seats {
    /// Nobody sits yet.
    pub(super) fn new(owner: u32) -> Arc<Self> {
        Arc::new(Self { owner, taken: Mutex::default() })
    }

    /// A seat for a user; nothing where all are taken, or too many by this user.
    pub(super) fn take(self: &Arc<Self>, uid: u32) -> Option<Seat> {
        let mut taken = self.taken();
        let own = taken.get(&uid).copied().unwrap_or_default();
        let most =
            if uid == self.owner { limits::CONNECTIONS_MAX } else { limits::USER_CONNECTIONS_MAX };
        if own >= most || taken.values().sum::<usize>() >= limits::CONNECTIONS_MAX {
            return None;
        }
        taken.insert(uid, own + 1);
        Some(Seat { seats: Arc::clone(self), uid })
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<u32, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        let left = taken.get(&self.uid).map_or(0, |own| own - 1);
        if left == 0 {
            taken.remove(&self.uid);
        } else {
            taken.insert(self.uid, left);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn one_user_takes_not_every_seat_and_a_seat_that_is_left_is_free() {
        let seats = Seats::new(7);
        let greedy: Vec<Seat> = std::iter::from_fn(|| seats.take(1000)).collect();
        assert_eq!(greedy.len(), limits::USER_CONNECTIONS_MAX);
        let other = seats.take(1001).unwrap();
        let owner: Vec<Seat> = std::iter::from_fn(|| seats.take(7)).collect();
        assert_eq!(owner.len(), limits::CONNECTIONS_MAX - greedy.len() - 1);
        assert!(seats.take(1002).is_none());
        drop(other);
        assert!(seats.take(1002).is_some());
        drop((greedy, owner));
        assert!(seats.taken().is_empty());
    }
}
