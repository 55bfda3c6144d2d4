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
    store.rotate().unwrap();
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
                store.rotate().unwrap();
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
    store.rotate().unwrap();
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

#[test]
fn a_secret_that_was_altered_keeps_both_keys_in_a_rotation() {
    let (dir, mut store) = fresh();
    store.put(NAME, &secret(1)).unwrap();
    store.put("register", &secret(7)).unwrap();
    let mut files = load(dir.path());
    files[0][CELL + 130] ^= 1;
    resummed(&mut files[0][range(1)]);
    save(dir.path(), &files);
    assert!(matches!(store.rotate(), Err(KeyStoreError::Altered { .. })));
    let store = open(dir.path());
    assert_eq!((store.keys.len(), seen(&store, "register").as_str()), (2, "live 7"));
    assert!(matches!(store.get(NAME), Err(KeyStoreError::Altered { .. })));
}
