//! Rows under the key of their batch, and somebody who has the database and not the key.

use batchward::adapters::postgres::{Asked, DatabaseError, Lying};

use super::tables::{FIRST, HOUR, World, copy, key, load_as, read};

#[test]
fn a_row_that_somebody_moved_changed_or_took_the_mark_of_another_is_not_shown_as_it_is() {
    let world = World::new("");
    let place = world.place();
    let (key, columns) = (key(), ["national_id".to_owned(), "name".to_owned()]);
    let table = "batchward.vault_c_00000001";
    for change in [
        "UPDATE TABLE SET sealed = (SELECT sealed FROM TABLE WHERE number = 2) WHERE number = 1",
        "UPDATE TABLE SET number = 100 WHERE number = 1",
        "UPDATE TABLE SET removed = true WHERE number = 1",
        "UPDATE TABLE SET sealed = substr(sealed, 1, 20) WHERE number = 1",
    ] {
        load_as(&place, copy(1), FIRST, false).unwrap();
        world.server.sql("b", &change.replace("TABLE", table));
        let asked = Asked {
            vaults: &[Lying { copy: copy(1), key: &key }],
            key: Some("national_id"),
            columns: &columns,
            sets: &[vec![]],
            single: true,
            remaining: HOUR,
        };
        let shown = read(&place, &asked);
        assert!(matches!(shown, Err(DatabaseError::Differs { .. })), "{change}: {shown:?}");
        place.abandon(copy(1)).unwrap();
        world.server.sql("b", "DELETE FROM batchward.vault");
    }
    // A mark alone names nobody: what is found by it is shown only where it is what was asked for.
    load_as(&place, copy(1), FIRST, false).unwrap();
    let swap = format!(
        "UPDATE {table} SET mark = (SELECT mark FROM {table} WHERE number = 1) WHERE number = 2"
    );
    world.server.sql("b", &swap);
    let asked = Asked {
        vaults: &[Lying { copy: copy(1), key: &key }],
        key: Some("national_id"),
        columns: &columns,
        sets: &[vec![("national_id".to_owned(), "A123456789".to_owned())]],
        single: false,
        remaining: HOUR,
    };
    let shown = read(&place, &asked).unwrap();
    assert!(shown.iter().all(|row| row[0] == "A123456789"), "{shown:?}");
}

/// One batch under a list of values of an item that is no key, and what comes of it.
fn asked<'a>(
    vaults: &'a [Lying<'a>],
    key: &'a str,
    columns: &'a [String],
    sets: &'a [Vec<(String, String)>],
    single: bool,
) -> Asked<'a> {
    Asked { vaults, key: Some(key), columns, sets, single, remaining: HOUR }
}

#[test]
fn a_batch_that_was_loaded_under_another_key_is_found_or_plainly_refused_and_never_silently_empty()
{
    let world = World::new("");
    let (place, key) = (world.place(), key());
    load_as(&place, copy(1), FIRST, false).unwrap();
    let vaults = [Lying { copy: copy(1), key: &key }];
    let columns = ["national_id".to_owned()];
    let by_name = [vec![("name".to_owned(), "王二".to_owned())]];
    let list = ["王二", "王一"].map(|name| vec![("name".to_owned(), name.to_owned())]);
    // With what the table says, and with what it did not say before: its records tell it.
    for change in ["SELECT 1", "UPDATE batchward.vault SET marked = NULL"] {
        world.server.sql("b", change);
        let own = [vec![("national_id".to_owned(), "B123456780".to_owned())]];
        let found = read(&place, &asked(&vaults, "national_id", &columns, &own, false)).unwrap();
        assert_eq!(found, [["B123456780"]], "by its own key");
        // The rules go by names since: a view cannot be made of it, and says so.
        let view = read(&place, &asked(&vaults, "name", &columns, &by_name, false));
        assert!(matches!(view, Err(DatabaseError::OtherMark { .. })), "{view:?}");
        // The batch as it is can be read all the same.
        let one = read(&place, &asked(&vaults, "name", &columns, &by_name, true)).unwrap();
        assert_eq!(one, [["B123456780"]]);
        let two = read(&place, &asked(&vaults, "name", &columns, &list, true)).unwrap();
        assert_eq!(two, [["B123456780"], ["A123456789"]]);
    }
}
