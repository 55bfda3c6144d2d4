//! Tables of batches: what is loaded is there whole or not at all, is read by the rules of the embedded vault, and goes
//! where it can be seen to have gone.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use batchward::{
    adapters::{
        postgres::{self, Asked, DatabaseError, Loader, Lying, Place},
        vault::{Column, Vault, VaultBuilder, Window},
        vault_view::View,
    },
    domain::{
        database::{Database, PasswordSource, Profile},
        ids::CopyId,
        secret::Secret,
    },
};

use crate::support::postgres::{PASSWORD, Server};

const SITE: &str = "taoyuan-dwcd";
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// A server with an installed database, and a folder for what lies beside the configuration.
pub(crate) struct World {
    pub(crate) server: Server,
    dir: tempfile::TempDir,
}

impl World {
    pub(crate) fn new(settings: &str) -> Self {
        let server = Server::start(settings);
        let database = Database::parse(&server.url("b")).unwrap();
        server.database("b", &whole(&database));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        fs::write(&file, format!("{PASSWORD}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        Self { server, dir }
    }

    pub(crate) fn place(&self) -> Place {
        self.place_at(&self.server.url("b"))
    }

    pub(crate) fn place_at(&self, url: &str) -> Place {
        Place {
            database: Database::parse(url).unwrap(),
            password: Some(PasswordSource::File(self.dir.path().join("password"))),
            dial: Arc::new(postgres::dial),
            site: SITE.to_owned(),
        }
    }

    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.server.sql("b", sql).parse().unwrap()
    }
}

fn whole(database: &Database) -> String {
    format!("BEGIN;\n{}COMMIT;\n", postgres::script(database, SITE, Profile::AgentOnly, 0))
}

pub(crate) fn copy(n: u64) -> CopyId {
    CopyId::new(n)
}

/// The key of a batch.
pub(crate) fn key() -> Secret {
    Secret::new(vec![7; 32])
}

pub(crate) fn items() -> Vec<(String, bool)> {
    vec![("national_id".to_owned(), true), ("name".to_owned(), false)]
}

pub(crate) type Record<'a> = (u64, bool, &'a str, &'a str);

pub(crate) fn load(
    place: &Place,
    copy: CopyId,
    records: &[Record<'_>],
) -> Result<(), DatabaseError> {
    load_as(place, copy, records, true)
}

/// As [`load`], in plain or under the key of the batch.
pub(crate) fn load_as(
    place: &Place,
    copy: CopyId,
    records: &[Record<'_>],
    plain: bool,
) -> Result<(), DatabaseError> {
    let mut loader = Loader::begin(place, copy, &key(), &items(), plain)?;
    for (number, removed, id, name) in records {
        loader.insert(*number, *removed, &[(*id).to_owned(), (*name).to_owned()])?;
    }
    let loaded = loader.seal()?;
    assert_eq!(loaded.rows, records.len() as u64);
    assert!(loaded.bytes > 0);
    loaded.commit()
}

pub(crate) fn read(place: &Place, asked: &Asked<'_>) -> Result<Vec<Vec<String>>, DatabaseError> {
    let mut rows = Vec::new();
    asked.read(place, &mut |row| {
        rows.push(row.to_vec());
        true
    })?;
    Ok(rows)
}

/// Synthetic people: several records of a key, keys that are blank, removals before and after a record.
pub(crate) const FIRST: &[Record<'_>] = &[
    (1, false, "A123456789", "王一"),
    (2, false, "B123456780", "王二"),
    (3, false, "A123456789", "王一之二"),
    (4, false, "", "無名"),
    (5, false, "\u{3000} ", "無名二"),
    (6, true, "C100000000", ""),
    (7, false, "C100000000", "後來"),
    (8, false, "D100000000", "先來"),
    (9, true, "D100000000", ""),
];
const SECOND: &[Record<'_>] = &[
    (1, false, "B123456780", "王二新"),
    (2, true, "C100000000", ""),
    (3, false, "", "無名"),
    (4, false, "E'); DROP TABLE x; --", "O'Brien \\ \"q\""),
];
const THIRD: &[Record<'_>] = &[(1, false, "C100000000", "再來")];

/// The same records in vaults of their own.
fn embedded(dir: &Path) -> Vec<Vault> {
    let key = Secret::new(vec![7; 32]);
    let columns: Vec<Column> =
        items().into_iter().map(|(name, key)| Column { name, key }).collect();
    let made = |(n, records): (u64, &[Record<'_>])| {
        let mut builder = VaultBuilder::create(dir, copy(n), &key, &columns).unwrap();
        for (number, removed, id, name) in records {
            builder.insert(*number, *removed, &[(*id).to_owned(), (*name).to_owned()]).unwrap();
        }
        builder.seal(&key).unwrap().place().unwrap();
        Vault::open(dir, copy(n), &key, Window::OWN).unwrap()
    };
    [(1, FIRST), (2, SECOND), (3, THIRD)].into_iter().map(made).collect()
}

#[test]
fn both_stores_give_the_same_rows_in_the_same_order() {
    let world = World::new("");
    let place = world.place();
    let vaults = embedded(world.dir.path());
    let key = key();
    // In plain, under their keys, and both: what is sealed came after what was accepted in plain.
    for (from, forms) in
        [(1, [true; 3]), (4, [false; 3]), (7, [true, false, false]), (10, [false, true, false])]
    {
        let copies = [copy(from), copy(from + 1), copy(from + 2)];
        for ((copy, records), plain) in copies.into_iter().zip([FIRST, SECOND, THIRD]).zip(forms) {
            load_as(&place, copy, records, plain).unwrap();
        }
        let all = copies.map(|copy| Lying { copy, key: &key });
        the_same_rows(&place, &all, &vaults);
    }
}

fn the_same_rows(place: &Place, all: &[Lying<'_>], vaults: &[Vault]) {
    let columns = ["name".to_owned(), "national_id".to_owned()];
    let set = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let both = vec![
        ("national_id".to_owned(), "B123456780".to_owned()),
        ("name".to_owned(), "王二新".to_owned()),
    ];
    let list = |name: &str, values: &[&str]| values.iter().map(|v| set(name, v)).collect();
    let ids = ["C100000000", "A123456789", "nobody", "", "B123456780", "E'); DROP TABLE x; --"];
    let asked: Vec<Vec<Vec<(String, String)>>> = vec![
        vec![vec![]],
        vec![set("national_id", "A123456789")],
        vec![set("national_id", "B123456780")],
        vec![set("national_id", "")],
        vec![set("name", "無名")],
        vec![both],
        list("national_id", &ids),
        list("name", &["無名", "再來", "O'Brien \\ \"q\"", "無名二"]),
    ];
    for sets in &asked {
        for (from, key, single) in [
            (0, Some("national_id"), false),
            (1, Some("national_id"), false),
            (0, None, false),
            (2, Some("national_id"), true),
            (0, None, true),
        ] {
            let mut expected = Vec::new();
            for conditions in sets {
                let vaults = &vaults[from..];
                let view = View { vaults, key, columns: &columns, conditions, single };
                view.read(&mut |row| {
                    expected.push(row.to_vec());
                    true
                })
                .unwrap();
            }
            let vaults = &all[from..];
            let asked = Asked { vaults, key, columns: &columns, sets, single, remaining: HOUR };
            let rows = read(place, &asked).unwrap();
            assert_eq!(rows, expected, "{sets:?} from {from}, {key:?}, single {single}");
        }
    }
}

#[test]
fn a_load_that_is_done_again_copies_nothing_and_one_with_other_rows_is_refused() {
    let world = World::new("");
    let place = world.place();
    load(&place, copy(1), FIRST).unwrap();
    let oid = world.count("SELECT 'batchward.vault_c_00000001'::regclass::oid");
    load(&place, copy(1), FIRST).unwrap();
    assert_eq!(world.count("SELECT 'batchward.vault_c_00000001'::regclass::oid"), oid);
    let other = load(&place, copy(1), SECOND);
    assert!(matches!(other, Err(DatabaseError::Differs { .. })), "{other:?}");
    assert_eq!(world.count("SELECT count(*) FROM batchward.vault_c_00000001"), 9);
    // What was accepted in plain, and is not any more, is made anew under its key; and then it is the same again.
    load_as(&place, copy(1), FIRST, false).unwrap();
    let sealed = world.count("SELECT 'batchward.vault_c_00000001'::regclass::oid");
    assert_ne!(sealed, oid);
    load_as(&place, copy(1), FIRST, false).unwrap();
    assert_eq!(world.count("SELECT 'batchward.vault_c_00000001'::regclass::oid"), sealed);
    let other = load_as(&place, copy(1), SECOND, false);
    assert!(matches!(other, Err(DatabaseError::Differs { .. })), "{other:?}");
    assert_eq!(world.count("SELECT count(*) FROM batchward.vault_c_00000001 WHERE copy = 1"), 9);
}

#[test]
fn what_was_not_committed_is_not_there() {
    let world = World::new("");
    let place = world.place();
    let mut loader = Loader::begin(&place, copy(1), &key(), &items(), true).unwrap();
    for n in 0..20_000 {
        loader.insert(n, false, &[format!("A{n:09}"), "王".to_owned()]).unwrap();
    }
    drop(loader.seal().unwrap());
    let there = "SELECT count(*) FROM pg_class WHERE relname LIKE 'vault_c%'";
    for _ in 0..100 {
        if world.count(there) == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(world.count(there), 0);
    assert_eq!(world.count("SELECT count(*) FROM batchward.vault"), 0);
    load(&place, copy(1), FIRST).unwrap();
    place.abandon(copy(1)).unwrap();
    place.abandon(copy(1)).unwrap();
    assert_eq!(world.count(there), 0, "given up after its commit");
    assert_eq!(world.count("SELECT count(*) FROM batchward.vault WHERE dropped IS NULL"), 0);
    assert_eq!(place.drop_table(copy(1)).unwrap(), None, "it never was a vault");
}

/// What a load writes last, with a commit that is long on its way to the disk.
fn slow_commit(n: u64, seconds: u64) -> String {
    let table = format!("batchward.vault_{}", copy(n).to_string().replace('-', "_"));
    format!(
        "SET ROLE batchward_agent; BEGIN; CREATE TABLE {table} AS SELECT 'A123456789' AS national_id; \
         INSERT INTO batchward.vault (copy, columns, records, bytes, digest) \
         VALUES ({n}, '{{national_id}}', 1, 1, '{}'); SELECT pg_sleep({seconds}); COMMIT",
        "1".repeat(64)
    )
}

#[test]
fn a_commit_that_is_still_on_its_way_when_its_load_is_given_up_leaves_nothing() {
    let world = World::new("");
    let place = world.place();
    std::thread::scope(|scope| {
        let late = scope.spawn(|| world.server.sql("b", &slow_commit(1, 3)));
        std::thread::sleep(Duration::from_secs(1));
        place.abandon(copy(1)).unwrap();
        late.join().unwrap();
    });
    let there = "SELECT count(*) FROM pg_class WHERE relname LIKE 'vault_c%'";
    assert_eq!(world.count(there), 0);
    assert_eq!(world.count("SELECT count(*) FROM batchward.vault WHERE dropped IS NULL"), 0);
    // One that comes after all is refused by the row that stays.
    let again = load(&place, copy(1), FIRST);
    assert!(matches!(again, Err(DatabaseError::Differs { .. })), "{again:?}");
    // One that takes longer than anybody waits is not said to be gone.
    std::thread::scope(|scope| {
        let late = scope.spawn(|| world.server.sql("b", &slow_commit(2, 14)));
        std::thread::sleep(Duration::from_secs(1));
        let owed = place.abandon(copy(2));
        assert!(matches!(owed, Err(DatabaseError::Busy { .. })), "{owed:?}");
        late.join().unwrap();
    });
    assert_eq!(world.count(there), 1);
    place.abandon(copy(2)).unwrap();
    assert_eq!(world.count(there), 0);
}

#[test]
fn a_value_that_the_database_cannot_hold_is_refused_in_plain_and_kept_under_a_key() {
    let world = World::new("");
    load_as(&world.place(), copy(3), &[(1, false, "A\0", "王")], false).unwrap();
    let (secret, columns) = (key(), ["national_id".to_owned()]);
    let asked = Asked {
        vaults: &[Lying { copy: copy(3), key: &secret }],
        key: Some("national_id"),
        columns: &columns,
        sets: &[vec![("national_id".to_owned(), "A\0".to_owned())]],
        single: false,
        remaining: HOUR,
    };
    assert_eq!(read(&world.place(), &asked).unwrap(), [["A\0"]]);
    let mut loader = Loader::begin(&world.place(), copy(1), &key(), &items(), true).unwrap();
    let refused = loader.insert(1, false, &["A\0".to_owned(), String::new()]);
    assert!(matches!(refused, Err(DatabaseError::Value { .. })));
    let long = vec![("x".repeat(62), false)];
    assert!(matches!(
        Loader::begin(&world.place(), copy(2), &key(), &long, true),
        Err(DatabaseError::Value { .. })
    ));
}

#[test]
fn no_statistics_of_values_are_kept() {
    let world = World::new("");
    load(&world.place(), copy(1), FIRST).unwrap();
    world.server.sql("b", "ANALYZE");
    let kept =
        "SELECT count(*) FROM pg_stats WHERE tablename LIKE 'vault_c%' AND attname LIKE 'c\\_%'";
    assert_eq!(world.count(kept), 0);
}

#[test]
fn a_table_that_ends_is_gone_with_its_files_and_a_repeat_tells_the_same() {
    let world = World::new("");
    let place = world.place();
    load(&place, copy(1), FIRST).unwrap();
    load(&place, copy(2), SECOND).unwrap();
    let dropped = place.drop_table(copy(1)).unwrap().unwrap();
    assert!(dropped.bytes > 0);
    assert_eq!((dropped.gone, dropped.replicas, dropped.archived), (Some(true), 0, false));
    assert_eq!(place.drop_table(copy(1)).unwrap().unwrap(), dropped);
    assert_eq!(
        world.server.sql("b", "SELECT to_regclass('batchward.vault_c_00000001') IS NULL"),
        "t"
    );
    assert_eq!(world.count("SELECT count(*) FROM batchward.vault_c_00000002"), 4);
    assert_eq!(place.drop_table(copy(9)).unwrap(), None, "one that never was is not destroyed");
    let again = load(&place, copy(1), FIRST);
    assert!(matches!(again, Err(DatabaseError::Differs { .. })), "{again:?}");
}

#[test]
fn whoever_reads_a_table_that_ends_is_cut_off() {
    let world = World::new("");
    let place = world.place();
    let mut loader = Loader::begin(&place, copy(1), &key(), &items(), true).unwrap();
    for n in 0..5_000 {
        loader.insert(n, false, &[format!("A{n:09}"), "王".to_owned()]).unwrap();
    }
    loader.seal().unwrap().commit().unwrap();
    let columns = ["name".to_owned()];
    let asked = Asked {
        vaults: &[Lying { copy: copy(1), key: &key() }],
        key: Some("national_id"),
        columns: &columns,
        sets: &[vec![]],
        single: false,
        remaining: HOUR,
    };
    let mut rows = 0;
    let read = asked.read(&place, &mut |_| {
        rows += 1;
        if rows == 1 {
            let dropped = place.drop_table(copy(1)).unwrap().unwrap();
            assert_eq!(dropped.ended, 1);
        }
        true
    });
    assert!(read.is_err() && rows < 5_000, "{read:?} after {rows} rows");
}

#[test]
fn a_reading_ends_with_an_error_when_its_time_is_over_and_never_with_fewer_rows() {
    let world = World::new("");
    let place = world.place();
    let mut loader = Loader::begin(&place, copy(1), &key(), &items(), true).unwrap();
    for n in 0..50_000 {
        loader.insert(n, false, &[format!("A{n:09}"), "王".to_owned()]).unwrap();
    }
    loader.seal().unwrap().commit().unwrap();
    let columns = ["name".to_owned()];
    let second = Duration::from_secs(1);
    let key = key();
    let (vaults, all) = ([Lying { copy: copy(1), key: &key }], [vec![]]);
    let asked = |remaining| Asked {
        vaults: &vaults,
        key: Some("national_id"),
        columns: &columns,
        sets: &all,
        single: false,
        remaining,
    };
    // An open cursor: the first rows come, the rest is asked for after the end.
    let mut rows = 0;
    let cut = asked(second).read(&place, &mut |_| {
        rows += 1;
        if rows == 1 {
            std::thread::sleep(second);
        }
        true
    });
    assert!(matches!(cut, Err(DatabaseError::Over)), "{cut:?} after {rows} rows");
    assert!(rows < 5_000, "{rows}");
    let over = read(&place, &asked(Duration::ZERO));
    assert!(matches!(over, Err(DatabaseError::Over)));
}

#[test]
fn a_server_that_is_not_verified_gets_nothing_and_a_password_that_others_read_is_not_used() {
    let world = World::new("");
    let url = world.server.url("b");
    let other = url.replace("ca.crt", "other.crt");
    let refused = world.place_at(&other).open().err().unwrap();
    assert!(matches!(refused, DatabaseError::Unreachable { .. }), "{refused}");
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    let named = world.place_at(&url.replace("localhost", "127.0.0.1")).open().err().unwrap();
    assert!(named.to_string().contains("not valid for name"), "{named}");
    assert!(!world.server.log().contains("password authentication"), "nothing was said");
    assert!(world.place().open().is_ok());
    assert!(world.place_at(&world.server.socket_url("b")).open().is_ok());
    let file = world.dir.path().join("password");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let own = world.place().open().err().unwrap();
    assert!(matches!(&own, DatabaseError::Own { what } if what.contains("chmod 600")), "{own}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, "another").unwrap();
    assert!(matches!(world.place().open().err().unwrap(), DatabaseError::Denied { .. }));
}

#[test]
fn a_database_that_is_not_ours_or_not_as_it_should_be_is_not_used() {
    let world = World::new("");
    let said = |place: &Place| place.open().err().map(|error| error.to_string());
    assert_eq!(said(&world.place()), None);
    let other = Place { site: "another-site".to_owned(), ..world.place() };
    assert!(said(&other).unwrap().contains("'taoyuan-dwcd'"));
    for (change, back, word) in [
        (
            "ALTER ROLE batchward_agent BYPASSRLS",
            "ALTER ROLE batchward_agent NOBYPASSRLS",
            "bypasses",
        ),
        (
            "UPDATE batchward.migration SET digest = repeat('0', 64)",
            "DELETE FROM batchward.migration",
            "0001-vaults.sql",
        ),
        ("SELECT 1", "SELECT 1", "0 of 3 migrations"),
    ] {
        world.server.sql("b", change);
        assert!(said(&world.place()).unwrap().contains(word), "{change}");
        world.server.sql("b", back);
    }
    world.server.sql("postgres", "CREATE DATABASE empty");
    world.server.sql("postgres", "ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf()");
    std::thread::sleep(Duration::from_millis(300));
    assert!(said(&world.place()).unwrap().contains("fsync"));
}

#[test]
fn who_else_has_rights_is_told() {
    let world = World::new("");
    let seen = || world.place().open().unwrap().examine().unwrap();
    load(&world.place(), copy(1), FIRST).unwrap();
    let found = seen();
    assert_eq!(found.others, [""; 0]);
    assert_eq!(found.mighty, ["postgres"]);
    assert!(found.sealed && !found.archived && found.replicas == 0);
    world.server.sql(
        "b",
        "CREATE ROLE \"Odd-One\" LOGIN; GRANT SELECT ON batchward.vault_c_00000001 TO \"Odd-One\"",
    );
    world.server.sql("b", "CREATE ROLE member LOGIN IN ROLE batchward_agent");
    world.server.sql("b", "GRANT USAGE ON SCHEMA batchward TO PUBLIC");
    assert_eq!(seen().others, ["Odd-One", "PUBLIC", "member"]);
}
