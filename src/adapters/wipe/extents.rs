//! Where the contents of a file lie, and whether they lie there still after an overwrite.

use std::fs::File;

use serde::{Deserialize, Serialize};

use super::system::{self, flags};
use crate::domain::wipe::{Extents, Limit};

/// Extents of one file that are looked at; one with more is in pieces that prove nothing.
const RUNS_MAX: usize = 1 << 18;

/// A run of bytes that lie behind one another, in the file and below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    logical: u64,
    physical: u64,
    length: u64,
}

/// The map of one file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Map {
    runs: Vec<Run>,
    flags: u32,
    shared: u64,
    cut: bool,
}

impl Map {
    /// Asks for it; nothing where the filesystem does not tell. With `sync`, what is not written yet is written first.
    pub(super) fn of(file: &File, sync: bool) -> Option<Self> {
        let mut map = Self::default();
        system::extents(file, sync, |extent| {
            // What was never written below lies nowhere yet.
            if extent.flags & flags::DELALLOC != 0 {
                return;
            }
            map.flags |= extent.flags;
            map.shared += u64::from(extent.flags & flags::SHARED != 0);
            map.push(Run {
                logical: extent.logical,
                physical: extent.physical,
                length: extent.length,
            });
        })
        .ok()?;
        Some(map)
    }

    fn push(&mut self, run: Run) {
        if let Some(last) = self.runs.last_mut() {
            let follows = last.logical.checked_add(last.length) == Some(run.logical)
                && last.physical.checked_add(last.length) == Some(run.physical);
            if follows {
                last.length += run.length;
                return;
            }
        }
        if self.runs.len() < RUNS_MAX {
            self.runs.push(run);
        } else {
            self.cut = true;
        }
    }

    /// The counts, for the report.
    pub(super) fn facts(&self) -> Extents {
        Extents {
            count: self.runs.len() as u64,
            bytes: self.runs.iter().map(|run| run.length).sum(),
            shared: self.shared,
        }
    }

    /// What two looks at a file, before its overwrite and after, say against its having been overwritten where it lay.
    pub(super) fn compare(before: Option<&Self>, after: Option<&Self>, into: &mut Vec<Limit>) {
        let (Some(before), Some(after)) = (before, after) else {
            into.push(Limit::PlaceUnknown);
            return;
        };
        before.limits(into);
        after.limits(into);
        if !after.covers(before) {
            into.push(Limit::Moved);
        }
    }

    /// What the map itself says against an overwrite in place.
    fn limits(&self, into: &mut Vec<Limit>) {
        let has = |mask: u32| self.flags & mask != 0;
        if has(flags::SHARED) {
            into.push(Limit::Shared);
        }
        if has(flags::INLINE | flags::TAIL) {
            into.push(Limit::Inline);
        }
        if has(flags::ENCODED) {
            into.push(Limit::Encoded);
        }
        let odd = has(flags::UNKNOWN) || has(flags::NOT_ALIGNED) && !has(flags::INLINE);
        if odd || self.cut {
            into.push(Limit::PlaceUnknown);
        }
    }

    /// Whether everything that lay somewhere in `before` lies there in this map. What had no place before (a hole) may
    /// have got one.
    fn covers(&self, before: &Self) -> bool {
        let mut at = 0;
        before.runs.iter().all(|run| {
            while self.runs.get(at).is_some_and(|own| own.logical + own.length <= run.logical) {
                at += 1;
            }
            // A run may have been joined with what a hole became.
            self.runs.get(at).is_some_and(|own| {
                own.logical <= run.logical
                    && run.logical + run.length <= own.logical + own.length
                    && run.physical.checked_sub(own.physical) == Some(run.logical - own.logical)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(runs: &[(u64, u64, u64)]) -> Map {
        let mut map = Map::default();
        for (logical, physical, length) in runs {
            map.push(Run { logical: *logical, physical: *physical, length: *length });
        }
        map
    }

    #[test]
    fn neighbours_are_one_run_and_a_moved_byte_is_seen() {
        let before = map(&[(0, 100, 10), (10, 110, 10), (40, 500, 10)]);
        assert_eq!(before.facts().count, 2);
        assert!(before.covers(&before));
        assert!(map(&[(0, 100, 20), (20, 900, 20), (40, 500, 10)]).covers(&before));
        assert!(map(&[(0, 100, 30), (40, 500, 10)]).covers(&before));
        for moved in [
            &[(0, 101, 20), (40, 500, 10)][..],
            &[(0, 100, 19), (40, 500, 10)],
            &[(0, 100, 20), (40, 501, 10)],
            &[(0, 100, 20)],
            &[(0, 100, 15), (15, 200, 5), (40, 500, 10)],
            &[],
        ] {
            assert!(!map(moved).covers(&before), "{moved:?}");
        }
        assert!(map(&[]).covers(&map(&[])));
    }
}
