//! Anchoring: how long ago enough witnesses vouched for the register, and whether that is too long.
//!
//! What only a witness shows (an older state put back, a cut, a rewrite with the agent's own key) is shown as far back as
//! the last cosignature. So its age is watched. An alarm ends by a fresh cosignature, or by an acknowledgement of two
//! people, which is an entry like any other and is good for one more period.

use super::{
    time::{Period, Timestamp},
    view::View,
};

/// `anchoring:` of agent.yaml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchoring {
    /// Names of the witnesses that count.
    pub witnesses: Vec<String>,
    /// How many of them must have cosigned.
    pub at_least: usize,
    /// How old that may be.
    pub overdue_after: Period,
    /// Whether nothing new is claimed while it is overdue.
    pub stop_intake: bool,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When enough witnesses had last vouched, or two people last acknowledged that they have not; else when the first
    /// entry was made.
    pub since: Timestamp,
    /// Whether that is longer ago than it may be.
    pub overdue: bool,
}

impl Anchoring {
    /// How it stands at `now`.
    #[must_use]
    pub fn standing(&self, view: &View, now: Timestamp, zone: chrono_tz::Tz) -> Standing {
        let last = |name: &String| view.witnesses.get(name)?.last.as_ref().map(|last| last.at);
        let mut times: Vec<Timestamp> = self.witnesses.iter().filter_map(last).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        let enough = self.at_least.checked_sub(1).and_then(|n| times.get(n)).copied();
        let since = enough.max(view.acknowledged).or(view.first_at).unwrap_or(now);
        Standing { since, overdue: self.overdue_after.after(since, zone) < now }
    }

    /// Whether nothing new may be claimed at `now`.
    #[must_use]
    pub fn stops_intake(&self, view: &View, now: Timestamp, zone: chrono_tz::Tz) -> bool {
        self.stop_intake && self.standing(view, now, zone).overdue
    }
}
