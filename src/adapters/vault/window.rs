//! For how long a vault may be read: an absolute point of the clock since boot, which nobody sets.

use std::time::Duration;

use crate::adapters::clock::SystemClock;

/// A window. It only ever closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Milliseconds since boot, time asleep included, from which nothing is read; none where nobody's right ends.
    end: Option<i64>,
}

impl Window {
    /// Without an end: for the agent's own counting of what it has just written, where no row leaves.
    pub const OWN: Self = Self { end: None };

    /// From now on for this long.
    #[must_use]
    pub fn of(remaining: Duration) -> Self {
        let millis = i64::try_from(remaining.as_millis()).unwrap_or(i64::MAX);
        Self { end: Some(SystemClock.boot_millis().saturating_add(millis)) }
    }

    /// Whether it has closed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.end.is_some_and(|end| SystemClock.boot_millis() >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_closes_and_stays_closed() {
        let window = Window::of(Duration::from_millis(20));
        assert!(!window.is_over() && !Window::OWN.is_over());
        std::thread::sleep(Duration::from_millis(25));
        assert!(window.is_over());
        assert!(Window::of(Duration::ZERO).is_over());
        assert!(!Window::of(Duration::MAX).is_over(), "a far end is no end that has passed");
    }
}
