//! Sampling of the access log (抽查): how much is drawn, and what (docs/sampling.md has it for people).
//!
//! Sizes are counted in whole numbers, never in fractions. What is drawn follows from three things alone: a seed to which
//! the agent bound itself in the register before the period had its first entry, the root of the access log at the end of
//! the period, and the place of what is counted. Whoever has the three draws the same again. Whoever chose the seed did not
//! know the root, and whoever made the root, by asking, did not know the seed.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use super::{digest::Digest, words::words};

words! {
    /// What a sample is counted in (REGULATIONS 1.8).
    Counted {
        /// Cases (件): all queries for one case number in the period are one.
        Cases = "cases",
        /// Queries (筆, 件數).
        Queries = "queries",
        /// Records (筆) that were shown; a query that showed none counts as one.
        Records = "records",
    }
    /// By which rule of a policy it is drawn.
    SampleClass {
        /// That of every link.
        Ordinary = "ordinary",
        /// That of links with data of kinship (親等關聯).
        Kinship = "kinship",
    }
    /// Whether reviewers take turns.
    Rotation {
        /// They need not.
        None = "none",
        /// Another one reviews next, where there is another one (TYA2-6.4).
        Rotate = "rotate",
        /// The same account is never reviewed by the same reviewer twice running (NT-5.2).
        NeverTwiceRunning = "never-twice-running",
    }
    /// An office that takes part in reviews.
    Office {
        /// 資訊室.
        It = "it-office",
        /// 政風室.
        Ethics = "ethics-office",
        /// 政風處.
        EthicsDepartment = "ethics-department",
    }
}

impl Office {
    /// The office of an account, by the name of its unit: the word itself, or a unit whose name has 政風 or 資訊 in it.
    #[must_use]
    pub fn of_unit(unit: &str) -> Option<Self> {
        let named = Self::parse(unit);
        let ethics = || unit.contains("政風").then_some(Self::Ethics);
        named.or_else(ethics).or_else(|| unit.contains("資訊").then_some(Self::It))
    }

    /// Whether an account of that office speaks for this one: an ethics department is an ethics office, of another level.
    #[must_use]
    pub fn is_met_by(self, other: Self) -> bool {
        let ethics = |one| matches!(one, Self::Ethics | Self::EthicsDepartment);
        self == other || (ethics(self) && ethics(other))
    }
}

/// How much is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SampleSize {
    /// Percent, at least.
    pub rate: u64,
    /// At least so many, as far as there are so many.
    pub floor: u64,
    /// Where fewer than so many are counted, all of them.
    pub all_below: u64,
}

impl SampleSize {
    /// How many of `counted` are drawn.
    #[must_use]
    pub fn of(self, counted: u64) -> u64 {
        if counted < self.all_below {
            return counted;
        }
        // 128 bits: no count is too large for its percentage.
        let share = (u128::from(counted) * u128::from(self.rate)).div_ceil(100);
        u64::try_from(share).unwrap_or(u64::MAX).max(self.floor).min(counted)
    }
}

/// An asking that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its place in the access log.
    pub entry: u64,
    /// The first asking of its case in the period, where cases are counted; itself otherwise.
    pub unit: u64,
    /// Records that it counts as, where records are counted; 1 otherwise.
    pub records: u64,
}

/// How many there are.
#[must_use]
pub fn count(counted: Counted, items: &[Item]) -> u64 {
    match counted {
        Counted::Cases => items.iter().map(|item| item.unit).collect::<BTreeSet<_>>().len() as u64,
        Counted::Queries => items.len() as u64,
        Counted::Records => items.iter().map(|item| item.records).sum(),
    }
}

/// The askings that are drawn, in their order: those of the `size` things counted whose number comes first. The number of a
/// case or query is `SHA-256(seed ‖ root ‖ place)`, that of a record `SHA-256(seed ‖ root ‖ place ‖ which)`, places and counts
/// as 8 bytes, the highest first.
#[must_use]
pub fn draw(counted: Counted, items: &[Item], seed: Digest, root: Digest, size: u64) -> Vec<u64> {
    let places = |drawn: BTreeSet<u64>| drawn.into_iter().collect::<Vec<_>>();
    match counted {
        Counted::Queries => {
            let all = items.iter().map(|item| (number(seed, root, &[item.entry]), item.entry));
            places(lowest(all, size))
        }
        Counted::Cases => {
            let units: BTreeSet<u64> = items.iter().map(|item| item.unit).collect();
            let all = units.into_iter().map(|unit| (number(seed, root, &[unit]), unit));
            let drawn = lowest(all, size);
            let of_drawn = items.iter().filter(|item| drawn.contains(&item.unit));
            places(of_drawn.map(|item| item.entry).collect())
        }
        Counted::Records => {
            let all = items.iter().flat_map(|item| {
                let which = 0..item.records;
                which.map(|which| (number(seed, root, &[item.entry, which]), item.entry))
            });
            places(lowest(all, size))
        }
    }
}

/// What the `size` lowest numbers stand for; never more than that many are held.
fn lowest(all: impl Iterator<Item = (Digest, u64)>, size: u64) -> BTreeSet<u64> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut kept: BinaryHeap<(Digest, u64)> = BinaryHeap::new();
    for one in all {
        if kept.len() < size {
            kept.push(one);
        } else if kept.peek().is_some_and(|highest| one < *highest) {
            kept.pop();
            kept.push(one);
        }
    }
    kept.into_iter().map(|(_, of)| of).collect()
}

fn number(seed: Digest, root: Digest, places: &[u64]) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(seed.as_bytes());
    context.update(root.as_bytes());
    for place in places {
        context.update(&place.to_be_bytes());
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    Digest::from_bytes(bytes)
}

/// Askings by the account that asked.
pub type ByAccount = BTreeMap<String, Vec<u64>>;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    const fn size(rate: u64, floor: u64, all_below: u64) -> SampleSize {
        SampleSize { rate, floor, all_below }
    }

    #[test]
    fn the_sizes_are_those_of_the_regulations() {
        // REGULATIONS 1.7.
        let counted = [0, 1, 9, 10, 33, 34, 100, 101, 333, 334, 1000];
        for (rule, sizes) in [
            (size(3, 10, 10), [0, 1, 9, 10, 10, 10, 10, 10, 10, 11, 30]),
            (size(3, 0, 10), [0, 1, 9, 1, 1, 2, 3, 4, 10, 11, 30]),
            (size(5, 0, 0), [0, 1, 1, 1, 2, 2, 5, 6, 17, 17, 50]),
            (size(70, 0, 0), [0, 1, 7, 7, 24, 24, 70, 71, 234, 234, 700]),
        ] {
            assert_eq!(counted.map(|n| rule.of(n)), sizes, "{rule:?}");
        }
        assert_eq!(size(100, 0, 0).of(u64::MAX), u64::MAX);
    }

    #[test]
    fn all_askings_of_a_drawn_case_are_drawn_and_a_drawn_record_draws_its_asking() {
        let (seed, root) = (Digest::of(b"seed"), Digest::of(b"root"));
        let item = |entry, unit, records| Item { entry, unit, records };
        let cases = [item(2, 2, 1), item(5, 5, 1), item(7, 2, 1), item(9, 9, 1)];
        assert_eq!(count(Counted::Cases, &cases), 3);
        for size in 0..=3 {
            let drawn = draw(Counted::Cases, &cases, seed, root, size);
            assert_eq!(drawn.contains(&2), drawn.contains(&7));
            let units = cases.iter().filter(|one| drawn.contains(&one.entry)).map(|one| one.unit);
            assert_eq!(units.collect::<BTreeSet<_>>().len() as u64, size);
        }
        let records = [item(1, 1, 1), item(3, 3, 100_000)];
        assert_eq!(count(Counted::Records, &records), 100_001);
        assert_eq!(draw(Counted::Records, &records, seed, root, 3), [3]);
    }

    #[test]
    fn the_office_of_an_account_is_told_by_its_unit() {
        for (unit, office) in [
            ("資訊室", Some(Office::It)),
            ("政風處", Some(Office::Ethics)),
            ("ethics-department", Some(Office::EthicsDepartment)),
            ("幼兒托育科", None),
        ] {
            assert_eq!(Office::of_unit(unit), office, "{unit}");
        }
        assert!(Office::EthicsDepartment.is_met_by(Office::Ethics));
        assert!(!Office::It.is_met_by(Office::Ethics));
    }

    proptest! {
        #[test]
        fn never_more_than_there_are_and_never_fewer_than_asked(
            counted in 0_u64..100_000, rate in 0_u64..=100, floor in 0_u64..50, below in 0_u64..50,
        ) {
            let drawn = size(rate, floor, below).of(counted);
            prop_assert!(drawn <= counted);
            prop_assert!(drawn * 100 >= counted * rate);
            prop_assert!(drawn >= floor.min(counted));
            prop_assert!(counted >= below || drawn == counted);
        }

        #[test]
        fn what_is_drawn_is_as_much_as_asked_and_the_same_each_time(
            entries in proptest::collection::btree_set(0_u64..10_000, 0..60), rate in 0_u64..=100, seed: [u8; 32],
        ) {
            let items: Vec<Item> =
                entries.iter().map(|entry| Item { entry: *entry, unit: *entry, records: 1 }).collect();
            let (seed, root) = (Digest::from_bytes(seed), Digest::of(b"root"));
            let k = size(rate, 0, 0).of(items.len() as u64);
            let drawn = draw(Counted::Queries, &items, seed, root, k);
            prop_assert_eq!(drawn.len() as u64, k);
            prop_assert!(drawn.iter().all(|one| entries.contains(one)));
            // A larger sample holds the smaller one.
            let more = draw(Counted::Queries, &items, seed, root, k + 1);
            prop_assert!(drawn.iter().all(|one| more.contains(one)));
        }
    }
}
