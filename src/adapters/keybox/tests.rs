//! Throw-away keys in hostile folders.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, os::unix::fs::symlink};

use rustix::fs::{CWD, Mode, mkfifoat};

use super::*;
use crate::adapters::{age_files::new_identity, wipe::Outcome};

fn keybox() -> (tempfile::TempDir, Keybox) {
    let dir = tempfile::tempdir().unwrap();
    let keybox = Keybox::open(dir.path()).unwrap();
    (dir, keybox)
}

fn key(number: &str, form: KeyForm) -> KeyFile {
    KeyFile { number: number.into(), form }
}

#[test]
fn complete_keys_are_listed_by_their_batch() {
    let (dir, keybox) = keybox();
    let names = [
        "B-2.pass",
        "B-2.key",
        "A.1.key",
        ".B-3.key",
        ".B-3.key.part",
        "note.txt",
        "b c.key",
        ".key",
    ];
    for name in names {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    let scan = keybox.scan().unwrap();
    let expected = [
        key("A.1", KeyForm::Identity),
        key("B-2", KeyForm::Identity),
        key("B-2", KeyForm::Passphrase),
    ];
    assert_eq!((scan.keys.as_slice(), scan.strays), (&expected[..], 2));
    assert_eq!(expected[2].name(), "B-2.pass");
}

#[test]
fn a_key_is_read_parsed_and_wiped() {
    let (dir, keybox) = keybox();
    let file = key("A-1", KeyForm::Identity);
    let path = dir.path().join("A-1.key");
    fs::write(&path, new_identity().expose()).unwrap();
    let read = keybox.read(&file).unwrap().unwrap();
    assert!(read.parse().is_ok());
    assert_eq!(format!("{read:?}"), "ReadKey(Identity)");
    let read = read.into_bytes();
    assert_eq!(keybox.wipe(&file, &read).unwrap().unwrap().outcome, Outcome::Overwritten);
    assert!(!path.exists());
    assert!(keybox.read(&file).unwrap().is_none());
    assert_eq!(keybox.wipe(&file, &read).unwrap().unwrap().outcome, Outcome::Missing);
}

#[test]
fn a_right_key_that_took_the_place_of_a_wrong_one_is_not_wiped() {
    let (dir, keybox) = keybox();
    let file = key("A-1", KeyForm::Identity);
    let path = dir.path().join("A-1.key");
    fs::write(&path, new_identity().expose()).unwrap();
    let wrong = keybox.read(&file).unwrap().unwrap().into_bytes();
    let right = new_identity();
    fs::write(dir.path().join(".right"), right.expose()).unwrap();
    fs::rename(dir.path().join(".right"), &path).unwrap();
    assert_eq!(keybox.wipe(&file, &wrong).unwrap(), None);
    assert_eq!(fs::read(&path).unwrap(), right.expose());
}

#[test]
fn what_is_no_key_is_read_and_said_to_be_none() {
    let (dir, keybox) = keybox();
    for (name, form, bytes, fault) in [
        ("A", KeyForm::Identity, b"typo".to_vec(), KeyFault::NotIdentity),
        ("B", KeyForm::Passphrase, b"\n".to_vec(), KeyFault::Empty),
        ("C", KeyForm::Passphrase, vec![b'a'; 4097], KeyFault::TooLong),
    ] {
        let file = key(name, form);
        fs::write(dir.path().join(file.name()), bytes).unwrap();
        assert_eq!(keybox.read(&file).unwrap().unwrap().parse().unwrap_err(), fault);
    }
}

#[test]
fn links_pipes_and_folders_are_never_opened() {
    let (dir, keybox) = keybox();
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, new_identity().expose()).unwrap();
    let path = |name: &str| dir.path().join(name);
    symlink(&victim, path("A.key")).unwrap();
    fs::hard_link(&victim, path("B.key")).unwrap();
    mkfifoat(CWD, path("C.key"), Mode::from_raw_mode(0o600)).unwrap();
    fs::create_dir(path("D.key")).unwrap();
    for number in ["A", "B", "C", "D"] {
        let found = keybox.read(&key(number, KeyForm::Identity));
        assert!(matches!(found, Err(KeyboxError::Unsafe { .. })), "{number}");
    }
    let before = fs::read(&victim).unwrap();
    for number in ["A", "B", "C"] {
        let wiped = keybox.wipe(&key(number, KeyForm::Identity), &new_identity()).unwrap();
        assert_eq!(wiped, None, "{number}");
        assert!(path(&format!("{number}.key")).symlink_metadata().is_ok());
    }
    assert_eq!(fs::read(&victim).unwrap(), before);
}
