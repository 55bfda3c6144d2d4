//! A log in pieces: several threads read them, and they are joined in order.
//!
//! Each thread takes every n-th piece and is at most a few ahead of whoever joins them, so that what is held does not
//! depend on the length of the log. What a piece says does not depend on the number of threads.

use std::{num::NonZero, sync::mpsc, thread};

/// Pieces that a thread may be ahead by.
const AHEAD: usize = 4;
/// Threads at most: beyond that the disk is what is waited for.
const THREADS_MAX: u64 = 16;

/// Reads the pieces `0..count`, each thread with something of its own that `opened` gives, and hands them to `join` in their
/// order, until it says that it wants no more.
pub(super) fn in_order<S, P: Send>(
    count: u64,
    opened: impl Fn() -> S + Sync,
    read: impl Fn(&mut S, u64) -> P + Sync,
    mut join: impl FnMut(P) -> bool,
) {
    let cores = thread::available_parallelism().map_or(1, NonZero::get) as u64;
    let threads = cores.min(THREADS_MAX).min(count);
    thread::scope(|scope| {
        let (opened, read) = (&opened, &read);
        let mut ends = Vec::new();
        for first in 0..threads {
            let (to, from) = mpsc::sync_channel(AHEAD);
            scope.spawn(move || {
                let mut own = opened();
                let mut index = first;
                // Whoever joins may want no more.
                while index < count && to.send(read(&mut own, index)).is_ok() {
                    index += threads;
                }
            });
            ends.push(from);
        }
        // A piece that does not come is that of a thread that panicked: the scope does so too.
        let mut turns = ends.iter().cycle();
        let mut left = count;
        while left > 0
            && let Some(Ok(piece)) = turns.next().map(mpsc::Receiver::recv)
            && join(piece)
        {
            left -= 1;
        }
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn pieces_are_joined_in_order_and_no_more_than_are_wanted() {
        for (count, wanted) in [(0, 0), (1, 1), (1000, 1000), (u64::MAX, 70)] {
            let mut joined = Vec::new();
            in_order(
                count,
                || (),
                |(), index| index,
                |index| {
                    joined.push(index);
                    index + 1 < wanted
                },
            );
            assert_eq!(joined, (0..wanted).collect::<Vec<_>>());
        }
    }
}
