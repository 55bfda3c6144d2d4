//! Refusals of whoever has no account, each kind once a minute: who may knock at the socket must not be able to fill a
//! register that is kept for ever. What was left out is counted, and the next entry of its kind says how much it was.

use std::collections::BTreeMap;

use crate::domain::limits;

/// One kind of refusal: who was refused, where the system says it, what was asked, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    uid: Option<u32>,
    command: String,
    why: String,
}

/// When each kind was recorded last, in milliseconds since boot, and how many were left out since.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<Kind, (i64, u64)>);

impl Refusals {
    /// Whether a refusal is recorded now: then how many of its kind were left out before it.
    pub(super) fn admit(
        &mut self,
        uid: Option<u32>,
        (command, why): (&str, &str),
        now: i64,
    ) -> Option<u64> {
        let fresh = |at: i64| now - at < limits::REFUSAL_PAUSE_MS;
        let mut kind = Kind { uid, command: command.to_owned(), why: unquoted(why) };
        if self.is_full_for(&kind) {
            // What is over is forgotten, and what was left out of it counts for the rest.
            let over = self.0.extract_if(.., |_, (at, _)| !fresh(*at));
            let left_out: u64 = over.map(|(_, (_, left_out))| left_out).sum();
            if left_out > 0 {
                let rest = (now - limits::REFUSAL_PAUSE_MS, 0);
                self.0.entry(Kind::rest()).or_insert(rest).1 += left_out;
            }
        }
        if self.is_full_for(&kind) {
            kind = Kind::rest();
        }
        match self.0.get_mut(&kind) {
            Some((at, left_out)) if fresh(*at) => {
                *left_out += 1;
                None
            }
            Some((at, left_out)) => {
                *at = now;
                Some(std::mem::take(left_out))
            }
            None => {
                self.0.insert(kind, (now, 0));
                Some(0)
            }
        }
    }

    fn is_full_for(&self, kind: &Kind) -> bool {
        self.0.len() >= limits::REFUSAL_KINDS_MAX && !self.0.contains_key(kind)
    }
}

impl Kind {
    /// Whoever tries everything is one kind.
    const fn rest() -> Self {
        Self { uid: None, command: String::new(), why: String::new() }
    }
}

/// A reason without the names that it quotes: those are typed, and would make each refusal a kind of its own.
fn unquoted(why: &str) -> String {
    why.split('\'').step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHY: (&str, &str) = ("status", "there is no account 'x'");

    #[test]
    fn one_kind_is_recorded_once_a_minute_with_the_count_of_what_was_left_out() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.admit(Some(7), WHY, 0), Some(0));
        for now in 1..100 {
            assert_eq!(refusals.admit(Some(7), ("status", "there is no account 'y'"), now), None);
        }
        assert_eq!(refusals.admit(Some(8), WHY, 100), Some(0), "another user");
        assert_eq!(refusals.admit(Some(7), ("query", WHY.1), 100), Some(0), "another command");
        assert_eq!(refusals.admit(Some(7), WHY, limits::REFUSAL_PAUSE_MS), Some(99));
        assert_eq!(refusals.admit(Some(7), WHY, 2 * limits::REFUSAL_PAUSE_MS), Some(0));
    }

    #[test]
    fn whoever_tries_everything_is_recorded_no_more_often_and_fills_no_memory() {
        let mut refusals = Refusals::default();
        let uids = 0..10 * u32::try_from(limits::REFUSAL_KINDS_MAX).unwrap_or(u32::MAX);
        let recorded = uids.filter_map(|uid| refusals.admit(Some(uid), WHY, 0)).count();
        assert_eq!(recorded, limits::REFUSAL_KINDS_MAX + 1);
        assert_eq!(refusals.0.len(), limits::REFUSAL_KINDS_MAX + 1);
        // A minute later others are told apart again, and the next of the rest tells how many were left out.
        let later = limits::REFUSAL_PAUSE_MS;
        assert_eq!(refusals.admit(Some(u32::MAX), WHY, later), Some(0));
        let rest = refusals.0.get(&Kind::rest()).map(|(_, left_out)| *left_out);
        assert_eq!(rest, Some(9 * limits::REFUSAL_KINDS_MAX as u64 - 1));
    }
}
