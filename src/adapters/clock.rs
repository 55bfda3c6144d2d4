//! The clocks of the machine: wall time, and time since boot, which nobody sets.
//!
//! Both are only read here. What a step back or a jump means is decided by the engine (DESIGN 5).

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::domain::time::Timestamp;

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// Wall time now, to the millisecond. A clock before 1970 reads as a negative number of milliseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |m| -m),
        };
        Timestamp::from_millis(millis)
    }

    /// Milliseconds since boot, time asleep included (`CLOCK_BOOTTIME`); it never steps.
    #[must_use]
    pub fn boot_millis(&self) -> i64 {
        let time = clock_gettime(ClockId::Boottime);
        time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000)
    }
}

/// A clock that stands where it was set and moves one millisecond each time that it is asked; for tests.
#[cfg(feature = "test-hooks")]
#[derive(Debug)]
pub struct FixedClock {
    millis: std::sync::atomic::AtomicI64,
    started: i64,
}

#[cfg(feature = "test-hooks")]
impl FixedClock {
    /// A clock whose first answer is `start`.
    #[must_use]
    pub const fn new(start: Timestamp) -> Self {
        Self { millis: std::sync::atomic::AtomicI64::new(start.millis()), started: start.millis() }
    }

    /// The time, one millisecond later at each call.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
    }

    /// Milliseconds since this clock was made, as if that had been the boot. It does not move by being asked.
    #[must_use]
    pub fn boot_millis(&self) -> i64 {
        self.millis.load(std::sync::atomic::Ordering::SeqCst) - self.started
    }

    /// Moves both clocks by `millis`, as time passing would.
    pub fn advance(&self, millis: i64) {
        self.millis.fetch_add(millis, std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_is_in_this_century_and_boot_time_moves_forward() {
        let clock = SystemClock;
        assert!(clock.now() > Timestamp::from_millis(1_577_836_800_000)); // 2020
        let first = clock.boot_millis();
        assert!(first > 0 && clock.boot_millis() >= first);
    }

    #[cfg(feature = "test-hooks")]
    #[test]
    fn a_fixed_clock_moves_one_millisecond_a_call() {
        let clock = FixedClock::new(Timestamp::from_millis(1000));
        assert_eq!((clock.now().millis(), clock.now().millis()), (1000, 1001));
        assert_eq!((clock.boot_millis(), clock.boot_millis()), (2, 2));
        clock.advance(60_000);
        assert_eq!((clock.now().millis(), clock.boot_millis()), (61_002, 60_003));
    }
}
