//! The key store against stops, damage, forgery, wrong keys and a full disk.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{fs, path::Path};

mod rotation;

use super::cell::CELL;
use super::*;

const NAME: &str = "case:b-00000001";
const ORDER: &str = "o-00000001";
const FILES: [&str; 2] = ["slots.a", "slots.b"];

fn root() -> Secret {
    Secret::new(vec![9; KEY_BYTES])
}

fn secret(byte: u8) -> Secret {
    Secret::new(vec![byte; 32])
}

fn fresh() -> (tempfile::TempDir, KeyStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::create(dir.path(), &root(), &Kernel).unwrap();
    (dir, store)
}

fn open(dir: &Path) -> KeyStore {
    KeyStore::open(dir, &root()).unwrap()
}

fn load(dir: &Path) -> [Vec<u8>; 2] {
    FILES.map(|name| fs::read(dir.join(name)).unwrap())
}

fn save(dir: &Path, files: &[Vec<u8>; 2]) {
    for (name, bytes) in FILES.iter().zip(files) {
        fs::write(dir.join(name), bytes).unwrap();
    }
}

fn range(index: usize) -> std::ops::Range<usize> {
    index * CELL..(index + 1) * CELL
}

/// What the slot is, in one word that can be compared: absent, the secret's first byte, or the order.
fn seen(store: &KeyStore, name: &str) -> String {
    match store.state(name) {
        Ok(SlotState::Absent) => "absent".to_owned(),
        Ok(SlotState::Live) => match store.get(name) {
            Ok(secret) => format!("live {}", secret.unwrap().expose()[0]),
            Err(error) => error.to_string(),
        },
        Ok(SlotState::Destroyed { order }) => format!("destroyed {order}"),
        Err(error) => error.to_string(),
    }
}

fn resummed(cell: &mut [u8]) {
    let sum = crate::domain::digest::Digest::of(&cell[..CELL - 32]);
    cell[CELL - 32..].copy_from_slice(sum.as_bytes());
}

#[test]
fn secrets_come_back_after_reopening_and_destroyed_ones_do_not() {
    let (dir, mut store) = fresh();
    for len in [1, 32, SECRET_BYTES_MAX] {
        store.put(&format!("key:k-{len:08}"), &Secret::new(vec![3; len])).unwrap();
    }
    store.ensure_random("standing", 32).unwrap();
    let random = store.get("standing").unwrap().unwrap();
    store.ensure_random("standing", 32).unwrap();
    assert_eq!(store.destroy("key:k-00000032", ORDER).unwrap(), Destruction::Done);
    let order = ORDER.to_owned();
    let again = store.destroy("key:k-00000032", "o-00000002").unwrap();
    assert_eq!(again, Destruction::Already { order });
    assert_eq!(store.destroy("key:k-99999999", ORDER).unwrap(), Destruction::Absent);
    for store in [store, open(dir.path())] {
        assert_eq!(store.get("standing").unwrap().unwrap().expose(), random.expose());
        assert_eq!(store.get("key:k-00000512").unwrap().unwrap().expose(), [3; 512]);
        assert!(store.get("key:k-00000032").unwrap().is_none());
        assert_eq!(seen(&store, "key:k-00000032"), "destroyed o-00000001");
        assert_eq!(seen(&store, "key:k-99999999"), "absent");
        assert_eq!(store.names().count(), 4);
        assert_eq!(store.damaged().count(), 0);
    }
}

#[test]
fn nothing_is_put_over_a_tombstone_and_bad_names_and_lengths_are_refused() {
    let (_dir, mut store) = fresh();
    store.put(NAME, &secret(1)).unwrap();
    let _ = store.destroy(NAME, ORDER).unwrap();
    assert!(matches!(store.put(NAME, &secret(1)), Err(KeyStoreError::Destroyed { .. })));
    assert!(matches!(store.ensure_random(NAME, 32), Err(KeyStoreError::Destroyed { .. })));
    for name in ["", "kek", "a b", "a/b", "名", &"x".repeat(65)] {
        assert!(matches!(store.put(name, &secret(1)), Err(KeyStoreError::BadName)), "{name}");
    }
    assert!(matches!(store.destroy(NAME, ""), Err(KeyStoreError::BadName)));
    for len in [0, SECRET_BYTES_MAX + 1] {
        let refused = store.put("register", &Secret::new(vec![1; len]));
        assert!(matches!(refused, Err(KeyStoreError::Length { .. })));
    }
    store.put(&"x".repeat(64), &secret(1)).unwrap();
}

#[test]
fn a_put_of_the_same_secret_writes_nothing_and_another_replaces_it() {
    let (dir, mut store) = fresh();
    store.put(NAME, &secret(1)).unwrap();
    let before = load(dir.path());
    store.put(NAME, &secret(1)).unwrap();
    assert_eq!(load(dir.path()), before);
    store.put(NAME, &secret(2)).unwrap();
    assert_eq!(seen(&store, NAME), "live 2");
    assert_eq!(seen(&open(dir.path()), NAME), "live 2");
}

/// Every state that a stop can leave between the files before a change and those after it: the cell in `first` is
/// written, then the one in the other file.
fn stops(before: &[Vec<u8>; 2], after: &[Vec<u8>; 2], first: usize) -> Vec<([Vec<u8>; 2], bool)> {
    let mut states = Vec::new();
    for (side, done) in [(first, false), (1 - first, true)] {
        let mut base = before.clone();
        if done {
            base[first].clone_from(&after[first]);
        }
        let (old, new) = (&base[side][range(1)], &after[side][range(1)]);
        let mut mixes: Vec<Vec<u8>> = vec![old.to_vec()];
        for cut in (1..CELL).step_by(13).chain([16, 128, 512, CELL - 32, CELL - 1]) {
            mixes.push([&new[..cut], &old[cut..]].concat());
            mixes.push([&old[..cut], &new[cut..]].concat());
            mixes.push([&new[..cut], &vec![0; CELL - cut][..]].concat());
            mixes.push([&new[..cut], &vec![0xA5; CELL - cut][..]].concat());
        }
        mixes.push(vec![0xFF; CELL]);
        for mix in mixes {
            let whole = mix == new;
            let mut files = base.clone();
            files[side][range(1)].copy_from_slice(&mix);
            states.push((files, done || whole));
        }
    }
    states.push((after.clone(), true));
    states
}

/// Runs `change` on a store prepared by `prepare`, then reopens it from every state that a stop could leave.
fn check_stops(
    prepare: impl Fn(&mut KeyStore),
    change: impl Fn(&mut KeyStore),
    first: usize,
    old: &str,
    new: &str,
) {
    let (dir, mut store) = fresh();
    prepare(&mut store);
    let before = load(dir.path());
    change(&mut store);
    drop(store);
    let after = load(dir.path());
    for (number, (files, changed)) in stops(&before, &after, first).into_iter().enumerate() {
        save(dir.path(), &files);
        let mut store = open(dir.path());
        let expected = if changed { new } else { old };
        assert_eq!(seen(&store, NAME), expected, "stop {number}");
        assert_eq!(store.damaged().count(), 0, "stop {number}");
        if changed {
            assert_eq!(load(dir.path())[1 - first][range(1)], after[1 - first][range(1)]);
        }
        assert_eq!(seen(&open(dir.path()), NAME), expected, "stop {number}, opened again");
        change(&mut store);
        assert_eq!(seen(&store, NAME), new, "stop {number}, done again");
        assert_eq!(seen(&open(dir.path()), NAME), new, "stop {number}, done again, opened");
    }
}

#[test]
fn a_stop_anywhere_in_a_first_put_leaves_nothing_or_the_secret() {
    check_stops(|_| {}, |s| s.put(NAME, &secret(1)).unwrap(), 0, "absent", "live 1");
}

#[test]
fn a_stop_anywhere_in_a_replacement_leaves_the_old_secret_or_the_new() {
    let one = |s: &mut KeyStore| s.put(NAME, &secret(1)).unwrap();
    let two = |s: &mut KeyStore| s.put(NAME, &secret(2)).unwrap();
    check_stops(one, two, 1, "live 1", "live 2");
}

#[test]
fn a_stop_anywhere_in_a_destruction_leaves_the_secret_or_the_tombstone() {
    let destroy = |s: &mut KeyStore| {
        let _ = s.destroy(NAME, ORDER).unwrap();
    };
    let one = |s: &mut KeyStore| s.put(NAME, &secret(1)).unwrap();
    check_stops(one, destroy, 1, "live 1", "destroyed o-00000001");
    let two = |s: &mut KeyStore| {
        s.put(NAME, &secret(1)).unwrap();
        s.put(NAME, &secret(2)).unwrap();
    };
    check_stops(two, destroy, 0, "live 2", "destroyed o-00000001");
}

#[test]
fn the_sealed_secret_is_in_neither_file_after_a_destruction() {
    let (dir, mut store) = fresh();
    store.put(NAME, &secret(1)).unwrap();
    let sealed = load(dir.path())[0][range(1)][128..128 + 48].to_vec();
    let _ = store.destroy(NAME, ORDER).unwrap();
    for file in load(dir.path()) {
        assert!(!file.windows(16).any(|window| sealed.chunks(16).any(|part| part == window)));
    }
}

#[test]
fn any_flipped_byte_of_the_cell_that_counts_is_damage_and_nothing_else() {
    for destroyed in [false, true] {
        let (dir, mut store) = fresh();
        store.put(NAME, &secret(1)).unwrap();
        store.put("register", &secret(7)).unwrap();
        if destroyed {
            let _ = store.destroy(NAME, ORDER).unwrap();
        }
        drop(store);
        let good = load(dir.path());
        let side = usize::from(destroyed);
        for at in range(1) {
            let mut files = good.clone();
            files[side][at] ^= 0x10;
            save(dir.path(), &files);
            let mut store = open(dir.path());
            assert_eq!(store.damaged().collect::<Vec<_>>(), [Some(NAME.to_owned())], "{at}");
            assert!(matches!(store.state(NAME), Err(KeyStoreError::Torn { .. })), "{at}");
            assert!(matches!(store.get(NAME), Err(KeyStoreError::Torn { .. })), "{at}");
            assert!(matches!(store.put(NAME, &secret(2)), Err(KeyStoreError::Torn { .. })));
            assert_eq!(seen(&store, "register"), "live 7");
            if at % 64 == 0 {
                store.put("standing", &secret(8)).unwrap();
                assert_eq!(store.destroy(NAME, "o-00000003").unwrap(), Destruction::Done);
                assert_eq!(seen(&open(dir.path()), NAME), "destroyed o-00000003");
            }
        }
        // The wiped cell only says that the other one counts: damage to it is mended.
        for at in range(1).step_by(7) {
            let mut files = good.clone();
            files[1 - side][at] ^= 0x10;
            save(dir.path(), &files);
            let expected = if destroyed { "destroyed o-00000001" } else { "live 1" };
            assert_eq!(seen(&open(dir.path()), NAME), expected);
            assert_eq!(load(dir.path()), good);
        }
    }
}

#[test]
fn a_forged_header_never_yields_the_secret_nor_hides_it() {
    let (dir, mut store) = fresh();
    store.put(NAME, &secret(1)).unwrap();
    drop(store);
    let good = load(dir.path());
    for at in 0..128 + 48 {
        for bit in [1, 2, 4, 0x80] {
            let mut files = good.clone();
            files[0][CELL + at] ^= bit;
            resummed(&mut files[0][range(1)]);
            save(dir.path(), &files);
            match KeyStore::open(dir.path(), &root()) {
                Ok(mut store) => {
                    let refused = store.get(NAME).unwrap_err();
                    let expected = matches!(
                        refused,
                        KeyStoreError::Torn { .. } | KeyStoreError::Altered { .. }
                    );
                    assert!(expected, "{at}: {refused}");
                    assert!(store.put(NAME, &secret(2)).is_err());
                }
                Err(KeyStoreError::Newer { version }) => {
                    assert!((8..10).contains(&at) && version != 1);
                }
                Err(other) => panic!("{at}: {other}"),
            }
        }
    }
}

#[test]
fn a_cell_moved_to_another_slot_or_put_back_later_does_not_count() {
    let (dir, mut store) = fresh();
    store.put(NAME, &secret(1)).unwrap();
    store.put("register", &secret(7)).unwrap();
    let live = load(dir.path());
    let _ = store.destroy(NAME, ORDER).unwrap();
    let dead = load(dir.path());
    // The live cell of an older copy, beside the tombstone.
    save(dir.path(), &[live[0].clone(), dead[1].clone()]);
    assert_eq!(seen(&open(dir.path()), NAME), "destroyed o-00000001");
    // The cells of another slot.
    let mut moved = dead.clone();
    for (file, from) in moved.iter_mut().zip(&live) {
        file[range(1)].copy_from_slice(&from[range(2)]);
    }
    save(dir.path(), &moved);
    assert!(matches!(open(dir.path()).state(NAME), Err(KeyStoreError::Torn { .. })));
    // An older live cell beside a free cell that knows of a later generation.
    save(dir.path(), &live);
    let mut store = open(dir.path());
    store.put(NAME, &secret(2)).unwrap();
    store.put(NAME, &secret(3)).unwrap();
    let mut files = load(dir.path());
    files[0] = live[0].clone();
    save(dir.path(), &files);
    assert!(matches!(open(dir.path()).state(NAME), Err(KeyStoreError::Torn { .. })));
}

#[test]
fn a_slot_that_lost_its_name_blocks_new_names_and_nothing_else() {
    let (dir, mut store) = fresh();
    for (name, byte) in [(NAME, 1), ("register", 7)] {
        store.put(name, &secret(byte)).unwrap();
    }
    drop(store);
    let good = load(dir.path());
    for filling in [0x00, 0xEE] {
        let mut files = good.clone();
        for file in &mut files {
            file[range(1)].fill(filling);
        }
        save(dir.path(), &files);
        let mut store = open(dir.path());
        assert_eq!(store.damaged().collect::<Vec<_>>(), [None]);
        assert_eq!(seen(&store, "register"), "live 7");
        assert!(matches!(store.state(NAME), Err(KeyStoreError::Torn { .. })));
        assert!(matches!(store.put("standing", &secret(1)), Err(KeyStoreError::Torn { .. })));
        assert!(matches!(store.destroy(NAME, ORDER), Err(KeyStoreError::Torn { .. })));
        assert_eq!(store.destroy("register", ORDER).unwrap(), Destruction::Done);
    }
}

#[test]
fn wrong_root_keys_missing_files_and_a_damaged_first_slot_differ() {
    let (dir, mut store) = fresh();
    store.put(NAME, &secret(1)).unwrap();
    drop(store);
    let wrong = KeyStore::open(dir.path(), &secret(8)).unwrap_err();
    assert!(matches!(wrong, KeyStoreError::WrongRootKey));
    let short = KeyStore::open(dir.path(), &Secret::new(vec![9; 31])).unwrap_err();
    assert!(matches!(short, KeyStoreError::RootKeyLength));
    let again = KeyStore::create(dir.path(), &root(), &Kernel).unwrap_err();
    assert!(matches!(again, KeyStoreError::Exists { .. }));
    let good = load(dir.path());
    for at in range(0) {
        let mut files = good.clone();
        files[0][at] ^= 1;
        save(dir.path(), &files);
        let torn = KeyStore::open(dir.path(), &root()).unwrap_err();
        assert!(matches!(torn, KeyStoreError::Torn { .. }), "{at}");
    }
    for missing in FILES {
        save(dir.path(), &good);
        fs::remove_file(dir.path().join(missing)).unwrap();
        let gone = KeyStore::open(dir.path(), &root()).unwrap_err();
        assert!(matches!(gone, KeyStoreError::Missing { .. }));
        // Nor does making a store take a lost one for none.
        assert!(KeyStore::create(dir.path(), &root(), &Kernel).is_err());
    }
    save(dir.path(), &good);
    assert_eq!(seen(&open(dir.path()), NAME), "live 1");
}

#[test]
fn a_making_that_was_cut_off_is_made_again() {
    let (dir, store) = fresh();
    drop(store);
    fs::remove_file(dir.path().join("slots.a")).unwrap();
    fs::write(dir.path().join(".slots.a.part"), b"half").unwrap();
    let mut store = KeyStore::create(dir.path(), &root(), &Kernel).unwrap();
    store.put(NAME, &secret(1)).unwrap();
    assert_eq!(seen(&open(dir.path()), NAME), "live 1");
}

#[test]
fn the_files_grow_and_a_cut_growth_is_harmless() {
    let (dir, mut store) = fresh();
    for number in 0..150 {
        store.put(&format!("key:k-{number:08}"), &secret(number)).unwrap();
    }
    let files = load(dir.path());
    assert_eq!([files[0].len(), files[1].len()], [192 * CELL; 2]);
    for (a, b) in [(151, 192), (192, 151), (151, 151), (152, 190)] {
        save(dir.path(), &[files[0][..a * CELL].to_vec(), files[1][..b * CELL].to_vec()]);
        let mut store = open(dir.path());
        assert_eq!(store.damaged().count(), 0);
        for number in 0..200 {
            store.put(&format!("key:k-{number:08}"), &secret(number)).unwrap();
        }
        assert_eq!(seen(&open(dir.path()), "key:k-00000199"), "live 199");
    }
}

#[test]
fn a_full_disk_refuses_a_new_slot_and_never_a_destruction() {
    let disk = crate::adapters::small_disk::SmallDisk::mount(256);
    let mut store = KeyStore::create(disk.path(), &root(), &Kernel).unwrap();
    for number in 0..63 {
        store.put(&format!("key:k-{number:08}"), &secret(number)).unwrap();
    }
    disk.fill();
    let full = store.put(NAME, &secret(1)).unwrap_err();
    assert!(matches!(full, KeyStoreError::Full { .. }), "{full}");
    store.put("key:k-00000002", &secret(99)).unwrap();
    assert_eq!(store.destroy("key:k-00000001", ORDER).unwrap(), Destruction::Done);
    assert_eq!(seen(&open(disk.path()), "key:k-00000001"), "destroyed o-00000001");
    assert_eq!(seen(&open(disk.path()), "key:k-00000002"), "live 99");
    assert_eq!(seen(&open(disk.path()), NAME), "absent");
    disk.free();
    store.put(NAME, &secret(1)).unwrap();
    assert_eq!(seen(&open(disk.path()), NAME), "live 1");
}

#[test]
fn after_a_failed_write_nothing_more_is_written() {
    let (dir, mut store) = fresh();
    store.put(NAME, &secret(1)).unwrap();
    // A descriptor that cannot be written stands for a disk that fails.
    store.store.break_writes(dir.path());
    assert!(matches!(store.put(NAME, &secret(2)), Err(KeyStoreError::File(_))));
    assert!(matches!(store.put(NAME, &secret(2)), Err(KeyStoreError::Unsure)));
    assert!(matches!(store.destroy(NAME, ORDER), Err(KeyStoreError::Unsure)));
    assert_eq!(seen(&open(dir.path()), NAME), "live 1");
}
