//! Vaults of synthetic people, with keys in several parts.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use super::*;

const RECORDS: u64 = 9_000;

fn key() -> Secret {
    Secret::new(vec![7; 32])
}

fn copy() -> CopyId {
    CopyId::new(1)
}

fn columns() -> Vec<Column> {
    let column = |name: &str, key| Column { name: name.to_owned(), key };
    vec![column("village", false), column("number", true)]
}

/// Every third key is blank; of the others each stands in three records, far from each other.
fn value(record: u64) -> String {
    match record % 3 {
        0 => String::new(),
        _ => format!("A{:09}", record * 7919 % 3_001),
    }
}

fn build(dir: &Path) -> SealedVault {
    let mut builder = VaultBuilder::create(dir, copy(), &key(), &columns()).unwrap();
    for record in 1..=RECORDS {
        let village = format!("文昌里{}", record % 2);
        builder.insert(record, record % 100 == 1, &[village, value(record)]).unwrap();
    }
    builder.seal(&key()).unwrap()
}

fn built() -> (tempfile::TempDir, Vault) {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path()).place().unwrap();
    let vault = Vault::open(dir.path(), copy(), &key(), Window::OWN).unwrap();
    (dir, vault)
}

fn numbers(vault: &Vault, conditions: &[(&str, &str)]) -> Vec<u64> {
    let conditions: Vec<(String, String)> =
        conditions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut found = Vec::new();
    vault
        .rows(&["number".to_owned()], &conditions, &mut |number, removed, values| {
            assert_eq!((removed, &values[0]), (number % 100 == 1, &value(number)));
            found.push(number);
            true
        })
        .unwrap();
    found
}

#[test]
fn every_key_is_found_in_record_order_whatever_part_it_went_to() {
    let (_dir, vault) = built();
    assert!(vault.keys.values().all(|parts| parts.len() > 1), "one part only");
    let mut by_key: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in 1..=RECORDS {
        by_key.entry(value(record)).or_default().push(record);
    }
    for (key, records) in by_key.iter().step_by(17).chain(by_key.first_key_value()) {
        assert_eq!(numbers(&vault, &[("number", key)]), *records, "{key}");
        assert!(vault.has("number", key).unwrap());
        let odd: Vec<u64> = records.iter().copied().filter(|r| r % 2 == 1).collect();
        assert_eq!(numbers(&vault, &[("village", "文昌里1"), ("number", key)]), odd, "{key}");
    }
    for absent in ["A", "A000000000x", "B", "\u{0}"] {
        assert!(numbers(&vault, &[("number", absent)]).is_empty());
        assert!(!vault.has("number", absent).unwrap());
    }
}

#[test]
fn records_come_whole_and_in_order_and_can_be_stopped() {
    let (_dir, vault) = built();
    assert_eq!(vault.count().unwrap(), RECORDS);
    assert_eq!(numbers(&vault, &[]), (1..=RECORDS).collect::<Vec<_>>());
    assert_eq!(numbers(&vault, &[("village", "文昌里0")]).len() as u64, RECORDS / 2);
    let mut seen = 0;
    let blank = ("number".to_owned(), String::new());
    vault
        .rows(&["number".to_owned()], &[blank], &mut |_, _, _| {
            seen += 1;
            seen < 5
        })
        .unwrap();
    assert_eq!(seen, 5);
}

#[test]
fn removals_are_told_with_their_keys() {
    let (_dir, vault) = built();
    let mut removed = Vec::new();
    vault.removed("number", &mut |number, key| removed.push((number, key.to_owned()))).unwrap();
    let expected: Vec<_> = (1..=RECORDS).filter(|n| n % 100 == 1).map(|n| (n, value(n))).collect();
    assert_eq!(removed, expected);
}

#[test]
fn a_vault_has_its_name_only_when_it_is_put_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let sealed = build(dir.path());
    assert_eq!(sealed.rows(), RECORDS);
    assert!(!path_of(dir.path(), copy()).exists());
    abandon(dir.path(), copy()).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    assert!(sealed.place().is_err());
}

#[test]
fn one_that_is_given_up_is_written_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut builder = VaultBuilder::create(dir.path(), copy(), &key(), &columns()).unwrap();
    for record in 1..=RECORDS {
        builder.insert(record, false, &["里".to_owned(), value(record)]).unwrap();
    }
    drop(builder);
    abandon(dir.path(), copy()).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_number_that_stands_twice_is_an_error_and_not_a_smaller_vault() {
    let dir = tempfile::tempdir().unwrap();
    let mut builder = VaultBuilder::create(dir.path(), copy(), &key(), &columns()).unwrap();
    let row = ["里".to_owned(), "A1".to_owned()];
    builder.insert(1, false, &row).unwrap();
    builder.insert(1, false, &row).unwrap();
    assert!(matches!(builder.seal(&key()), Err(VaultError::Sqlite { .. })));
}

#[test]
fn a_vault_whose_window_is_over_gives_nothing_more_whatever_reads_it() {
    let (dir, vault) = built();
    let path = path_of(dir.path(), copy());
    drop(vault);
    let over = Vault::open(dir.path(), copy(), &key(), Window::of(std::time::Duration::ZERO));
    assert!(matches!(over, Err(VaultError::Over { .. })));
    let brief = || {
        let window = Window::of(std::time::Duration::from_millis(300));
        Vault::open(dir.path(), copy(), &key(), window).unwrap()
    };
    // Between the rows of a cursor, while who takes them is slow.
    let (vault, mut seen) = (brief(), 0);
    let read = vault.rows(&["number".to_owned()], &[], &mut |_, _, _| {
        seen += 1;
        if seen == 7 {
            std::thread::sleep(std::time::Duration::from_millis(350));
        }
        true
    });
    assert!(matches!(read, Err(VaultError::Over { path: of }) if of == path));
    assert_eq!(seen, 7, "no row comes after the end");
    // A statement that is already prepared, and one that is new.
    let vault = brief();
    assert!(!numbers(&vault, &[("number", &value(1))]).is_empty());
    std::thread::sleep(std::time::Duration::from_millis(350));
    let again = [("number".to_owned(), value(1))];
    let mut after = 0;
    let read = vault.rows(&["number".to_owned()], &again, &mut |_, _, _| {
        after += 1;
        true
    });
    assert!(matches!(read, Err(VaultError::Over { .. })) && after == 0);
    assert!(matches!(vault.has("number", &value(1)), Err(VaultError::Over { .. })));
    assert!(matches!(vault.removed("number", &mut |_, _| ()), Err(VaultError::Over { .. })));
}

#[test]
fn one_long_statement_is_interrupted_and_a_count_is_never_a_part_of_one() {
    let (dir, vault) = built();
    drop(vault);
    let window = Window::of(std::time::Duration::from_millis(200));
    let vault = Vault::open(dir.path(), copy(), &key(), window).unwrap();
    // 81 million pairs: minutes of steps, and not one row before the end.
    let long = "SELECT count(*) FROM record a, record b WHERE a.number + b.number < 0";
    let begun = crate::adapters::clock::SystemClock.boot_millis();
    assert!(matches!(vault.number(long), Err(VaultError::Over { .. })));
    assert!(crate::adapters::clock::SystemClock.boot_millis() - begun < 2_000);
}

#[test]
fn statements_may_do_nothing_but_read_the_tables_of_the_vault() {
    let (dir, vault) = built();
    let elsewhere = dir.path().join("elsewhere.db");
    let before = std::fs::read(path_of(dir.path(), copy())).unwrap();
    let attach = format!("ATTACH '{}' AS other", elsewhere.display());
    let vacuum = format!("VACUUM INTO '{}'", elsewhere.display());
    let export = "SELECT sqlcipher_export('main')";
    for statement in [
        attach.as_str(),
        vacuum.as_str(),
        "DETACH main",
        "CREATE TEMP TABLE kept AS SELECT * FROM record",
        "CREATE TABLE kept (x)",
        "CREATE VIRTUAL TABLE kept USING fts5(x)",
        "CREATE TEMP VIEW kept AS SELECT * FROM record",
        "CREATE TEMP TRIGGER kept AFTER INSERT ON record BEGIN SELECT 1; END",
        "INSERT INTO record SELECT * FROM record",
        "UPDATE record SET c_village = ''",
        "DELETE FROM record",
        "DROP TABLE record",
        "PRAGMA writable_schema = ON",
        "PRAGMA cipher_memory_security = OFF",
        "PRAGMA rekey = 'x'",
        "PRAGMA temp_store_directory = '/tmp'",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM sqlite_schema",
        "SELECT name FROM temp.sqlite_schema",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT writefile('/tmp/x', 'x')",
        "SELECT randomblob(10)",
        "SELECT hex(c_number) FROM record",
        "SELECT fts3_tokenizer('simple')",
        "SELECT * FROM json_each('[1]')",
        export,
        "BEGIN",
        "SAVEPOINT s",
        "ANALYZE",
        "REINDEX",
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n LIMIT 3",
    ] {
        assert!(vault.connection.execute_batch(statement).is_err(), "'{statement}' is allowed");
    }
    drop(vault);
    assert!(!elsewhere.exists());
    assert_eq!(std::fs::read(path_of(dir.path(), copy())).unwrap(), before);
}

#[test]
fn another_key_opens_nothing() {
    let (dir, _vault) = built();
    assert!(Vault::open(dir.path(), copy(), &Secret::new(vec![8; 32]), Window::OWN).is_err());
}
