//! Lists over vaults of synthetic people: the same rows in the same order as one value after the other.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::{
    adapters::vault::{Column, VaultBuilder, Window},
    domain::{ids::CopyId, secret::Secret},
};

/// Whether it removes, key, village.
type Record = (bool, String, String);

fn vault(dir: &std::path::Path, n: u64, keyed: bool, records: &[Record]) -> Vault {
    let key = Secret::new(vec![7; 32]);
    let column = |name: &str, key| Column { name: name.to_owned(), key };
    let columns = [column("id", keyed), column("village", false)];
    let mut builder = VaultBuilder::create(dir, CopyId::new(n), &key, &columns).unwrap();
    for (number, (removed, id, village)) in (1..).zip(records) {
        builder.insert(number, *removed, &[id.clone(), village.clone()]).unwrap();
    }
    builder.seal(&key).unwrap().place().unwrap();
    Vault::open(dir, CopyId::new(n), &key, Window::OWN).unwrap()
}

fn compared(vaults: &[Vault], key: Option<&str>, single: bool, on: &str, values: &[String]) {
    let columns = ["village".to_owned(), "id".to_owned()];
    let sets: Vec<Vec<(String, String)>> =
        values.iter().map(|value| vec![(on.to_owned(), value.clone())]).collect();
    let (mut one_by_one, mut listed) = (Vec::new(), Vec::new());
    for conditions in &sets {
        View { vaults, key, columns: &columns, conditions, single }
            .read(&mut |row| {
                one_by_one.push(row.to_vec());
                true
            })
            .unwrap();
    }
    let all = Sets { vaults, key, columns: &columns, sets: &sets, single };
    all.read(&mut |row| {
        listed.push(row.to_vec());
        true
    })
    .unwrap();
    assert_eq!(listed, one_by_one, "{on} {single} {key:?}");
    // Who stops gets no row more.
    let (most, mut some) = (listed.len() / 2, Vec::new());
    all.read(&mut |row| {
        some.push(row.to_vec());
        some.len() < most
    })
    .unwrap();
    assert_eq!(some, listed[..some.len()]);
    assert!(some.len() <= most.max(1));
}

fn record() -> impl Strategy<Value = Record> {
    (prop::bool::weighted(0.2), "[AB]{0,3}|\u{3000}", "[xy]")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_list_tells_what_its_values_tell_one_after_the_other(
        files in prop::collection::vec(prop::collection::vec(record(), 0..60), 1..4),
        values in prop::collection::vec("[AB]{0,3}|\u{3000}|z", 2..20),
        keyed in prop::bool::ANY,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let vaults: Vec<Vault> =
            (1..).zip(&files).map(|(n, records)| vault(dir.path(), n, keyed, records)).collect();
        for (key, single) in [(Some("id"), false), (None, false), (Some("id"), true)] {
            compared(&vaults, key, single, "id", &values);
        }
        let villages = ["y".to_owned(), "x".to_owned(), "q".to_owned()];
        compared(&vaults, Some("id"), false, "village", &villages);
    }
}

#[test]
fn a_long_list_goes_over_many_blocks_and_pieces() {
    let dir = tempfile::tempdir().unwrap();
    let id = |n: u64| format!("A{:09}", n * 7_919 % 4_001);
    let people = |from: u64, to: u64| -> Vec<Record> {
        (from..to).map(|n| (n % 97 == 0, id(n), format!("里{}", n % 3))).collect()
    };
    let vaults = [
        vault(dir.path(), 1, true, &people(0, 9_000)),
        vault(dir.path(), 2, true, &people(2_000, 3_000)),
    ];
    let every_third: Vec<String> = (0..4_100).rev().step_by(3).map(id).collect();
    compared(&vaults, Some("id"), false, "id", &every_third);
    compared(&vaults, Some("id"), true, "id", &[id(5), "none".to_owned(), id(4_000), id(5)]);
}

#[test]
fn a_list_that_most_records_meet_is_told_to_its_bound_and_then_says_that_there_are_more() {
    let dir = tempfile::tempdir().unwrap();
    let people: Vec<Record> =
        (0..100).map(|n| (false, format!("A{n:03}"), "xy"[n % 2..=n % 2].to_owned())).collect();
    let vaults = [vault(dir.path(), 1, false, &people)];
    let columns = ["id".to_owned()];
    let sets: Vec<Vec<(String, String)>> =
        ["y", "x"].map(|value| vec![("village".to_owned(), value.to_owned())]).to_vec();
    let all = Sets { vaults: &vaults, key: None, columns: &columns, sets: &sets, single: false };
    let told = |most: usize, wanted: usize| {
        let mut rows = Vec::new();
        let read = list::List::new(&all, "village", most).read(&mut |row| {
            rows.push(row[0].clone());
            rows.len() < wanted
        });
        (rows, read)
    };
    let (whole, read) = told(50, usize::MAX);
    assert!(read.is_ok() && whole.len() == 100);
    for most in [1, 7, 20, 49] {
        let (rows, read) = told(most, usize::MAX);
        assert!(matches!(read, Err(VaultError::TooMany)), "{most}");
        assert_eq!(rows, whole[..most], "{most}");
        // Who wants no more than that misses nothing.
        let (rows, read) = told(most, most);
        assert!(read.is_ok() && rows == whole[..most], "{most}");
    }
}
