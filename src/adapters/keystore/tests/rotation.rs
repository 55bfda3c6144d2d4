//! Replacing the key-encryption key: stopped anywhere, over altered secrets, and what it leaves behind.

use super::{super::cell::Bytes, *};

#[test]
fn a_rotation_that_stops_anywhere_is_finished_by_the_next_opening() {
    let (dir, mut store) = fresh();
    for number in 0..5 {
        store.put(&format!("key:k-{number:08}"), &secret(number)).unwrap();
    }
    let _ = store.destroy("key:k-00000003", ORDER).unwrap();
    let before = load(dir.path());
    assert_eq!(store.rotate().unwrap(), Rotation::Whole);
    drop(store);
    let after = load(dir.path());
    // The writes of a rotation: the new key beside the old one; the survivors' new cells; then their old ones and the old
    // key. Within each of these a stop may leave any of them, and one of them torn.
    let phases: [&[(usize, usize)]; 3] =
        [&[(1, 0)], &[(1, 1), (1, 2), (1, 3), (1, 5)], &[(0, 1), (0, 2), (0, 3), (0, 5), (0, 0)]];
    let copy = |files: &mut [Vec<u8>; 2], (side, index): (usize, usize)| {
        files[side][range(index)].copy_from_slice(&after[side][range(index)]);
    };
    let mut done = before;
    for phase in phases {
        for subset in 0..1_usize << phase.len() {
            let mut files = done.clone();
            let chosen = |n: &usize| subset & (1 << n) != 0;
            for n in (0..phase.len()).filter(chosen) {
                copy(&mut files, phase[n]);
            }
            for torn in [None, (0..phase.len()).find(|n| !chosen(n))] {
                let mut files = files.clone();
                if let Some((side, index)) = torn.map(|n| phase[n]) {
                    files[side][range(index)][..512]
                        .copy_from_slice(&after[side][range(index)][..512]);
                    files[side][range(index)][512..].fill(0x5A);
                }
                save(dir.path(), &files);
                let mut store = open(dir.path());
                assert_eq!(store.keys.len(), 1, "{phase:?} {subset:b} {torn:?}");
                for number in [0, 1, 2, 4] {
                    let name = format!("key:k-{number:08}");
                    assert_eq!(seen(&store, &name), format!("live {number}"), "{phase:?} {torn:?}");
                }
                assert_eq!(seen(&store, "key:k-00000003"), "destroyed o-00000001");
                assert_eq!(store.rotate().unwrap(), Rotation::Whole);
                assert_eq!(seen(&open(dir.path()), "key:k-00000004"), "live 4");
            }
        }
        for write in phase {
            copy(&mut done, *write);
        }
    }
}

#[test]
fn nothing_that_a_rotation_leaves_behind_opens_what_was_destroyed_before_it() {
    let (dir, mut store) = fresh();
    store.put(NAME, &secret(1)).unwrap();
    store.put("register", &secret(7)).unwrap();
    let sealed = load(dir.path());
    let _ = store.destroy(NAME, ORDER).unwrap();
    assert_eq!(store.rotate().unwrap(), Rotation::Whole);
    drop(store);
    // Even with the sealed cell put back, from a block that a medium kept, no key is left that opens it.
    let mut files = load(dir.path());
    let old = sealed[0][range(1)].to_vec();
    for side in [0, 1] {
        for offset in (0..files[side].len()).step_by(CELL) {
            let wrapping = SealingKey::new(0, &root()).unwrap();
            let cell: Bytes = files[side][offset..offset + CELL].try_into().unwrap();
            let Some(kek) = cell::unseal(&cell, &wrapping) else { continue };
            let old: Bytes = old.clone().try_into().unwrap();
            for generation in [0, 1, 2] {
                let key = SealingKey::new(generation, &kek).unwrap();
                assert!(cell::unseal(&old, &key).is_none());
            }
        }
    }
    files[0][range(1)].copy_from_slice(&old);
    save(dir.path(), &files);
    assert_eq!(seen(&open(dir.path()), NAME), "destroyed o-00000001");
    // The control: before the rotation the same cell opens under the key that stood then.
    let wrapping = SealingKey::new(0, &root()).unwrap();
    let kek: Bytes = sealed[0][range(0)].try_into().unwrap();
    let kek = cell::unseal(&kek, &wrapping).unwrap();
    let old: Bytes = old.try_into().unwrap();
    assert!(cell::unseal(&old, &SealingKey::new(1, &kek).unwrap()).is_some());
}

/// Flips a bit of what is sealed in slot `index`, under a checksum that is right.
fn alter(dir: &Path, index: usize) {
    let mut files = load(dir);
    files[0][index * CELL + 130] ^= 1;
    resummed(&mut files[0][range(index)]);
    save(dir, &files);
}

#[test]
fn a_secret_that_was_altered_is_left_out_of_a_rotation_and_keeps_both_keys() {
    let (dir, mut store) = fresh();
    store.put(NAME, &secret(1)).unwrap();
    store.put("register", &secret(7)).unwrap();
    store.put("spool:b-00000001", &secret(8)).unwrap();
    alter(dir.path(), 1);
    // A destruction ends, and says that it proved less.
    let _ = store.destroy("spool:b-00000001", ORDER).unwrap();
    assert_eq!(store.rotate().unwrap(), Rotation::Held);
    for mut store in [store, open(dir.path())] {
        assert_eq!((store.keys.len(), seen(&store, "register").as_str()), (2, "live 7"));
        assert_eq!(seen(&store, "spool:b-00000001"), "destroyed o-00000001");
        assert!(matches!(store.get(NAME), Err(KeyStoreError::Altered { .. })));
        assert_eq!(store.counts(), (1, 1, 1), "it is told as damaged");
        assert_eq!(store.rotate().unwrap(), Rotation::Held, "and holds every later one");
    }
}

#[test]
fn once_an_altered_secret_is_destroyed_the_rotation_ends_and_a_new_one_begins() {
    let (dir, mut store) = fresh();
    store.put(NAME, &secret(1)).unwrap();
    store.put("register", &secret(7)).unwrap();
    alter(dir.path(), 1);
    assert_eq!(store.rotate().unwrap(), Rotation::Held);
    let held = store.slots[0].generation;
    let _ = store.destroy(NAME, ORDER).unwrap();
    assert_eq!(store.rotate().unwrap(), Rotation::Whole);
    // What was put under the key that stood meanwhile is destroyed with it: that one is replaced too.
    assert!(store.slots[0].generation > held);
    let store = open(dir.path());
    assert_eq!((store.keys.len(), seen(&store, "register").as_str()), (1, "live 7"));
    assert_eq!(store.counts(), (1, 1, 0));
}
