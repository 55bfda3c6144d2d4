//! Packages of synthetic bytes, with throw-away keys.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, io::Read as _};

use super::*;
use crate::{
    adapters::age_files::{self, DeliveryKey, open_delivery},
    domain::{digest::Digest, manifest::Kind, secret::Secret, time::Timestamp},
};

fn announced() -> Announced {
    Announced {
        batch: "MOCA-7".to_owned(),
        link: "moca-full".to_owned(),
        table_no: "HR-PERSON-01".to_owned(),
        kind: Kind::Full,
        sequence: 1,
        notified_at: Timestamp::from_millis(1_795_000_000_000),
        basis_doc_no: "府民戶字第1150001234號".to_owned(),
        purpose: "育兒津貼資格審查".to_owned(),
        applied: None,
        as_of: None,
        replaces: None,
    }
}

fn signer() -> SigningKey {
    SigningKey::from_seed(&Secret::new(vec![7; 32])).unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn filled(target: &Path, to: &To) -> Package {
    let mut package = Package::begin(target).unwrap();
    let mut file = package.file("residents.dat.age", to, None).unwrap();
    file.write(b"synthetic ").unwrap();
    file.write(&[b'x'; 200_000]).unwrap();
    assert_eq!(file.finish_counted(2).unwrap(), 2);
    package
}

#[test]
fn a_package_is_signed_listed_as_it_is_and_opens_with_its_key_alone() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("MOCA-7");
    let identity = age_files::new_identity();
    let to = To::recipient(&age_files::recipient_of(&identity).unwrap()).unwrap();
    let manifest = filled(&target, &to).close(&announced(), &signer()).unwrap();
    assert_eq!(names(dir.path()), ["MOCA-7"]);
    assert_eq!(names(&target), ["manifest.yaml", "manifest.yaml.sig", "residents.dat.age"]);
    let text = fs::read(target.join(MANIFEST_NAME)).unwrap();
    assert_eq!(Manifest::parse(&text).unwrap(), manifest);
    let signature = fs::read(target.join(SIGNATURE_NAME)).unwrap();
    assert_eq!(sshsig::verify(&signature, &text, MANIFEST_NAMESPACE).unwrap(), signer().public());
    let sealed = fs::read(target.join("residents.dat.age")).unwrap();
    let listed = &manifest.files[0];
    assert_eq!((listed.bytes, listed.sha256), (sealed.len() as u64, Digest::of(&sealed)));
    let mut plain = Vec::new();
    let key = DeliveryKey::Identity(identity);
    open_delivery(sealed.as_slice(), &key).unwrap().read_to_end(&mut plain).unwrap();
    assert_eq!((plain.len(), listed.records), (200_010, 2));
    assert_eq!(listed.plaintext_sha256, Some(Digest::of(&plain)));
    assert!(!sealed.windows(9).any(|bytes| bytes == b"synthetic"));
}

#[test]
fn a_passphrase_opens_what_was_sealed_under_it() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("p");
    let phrase = Secret::new(b"seven synthetic words".to_vec());
    filled(&target, &To::passphrase(&phrase).unwrap()).close(&announced(), &signer()).unwrap();
    let sealed = fs::read(target.join("residents.dat.age")).unwrap();
    let mut plain = Vec::new();
    let key = DeliveryKey::Passphrase(phrase);
    open_delivery(sealed.as_slice(), &key).unwrap().read_to_end(&mut plain).unwrap();
    assert!(plain.starts_with(b"synthetic "));
    assert!(To::passphrase(&Secret::new(Vec::new())).is_err());
}

#[test]
fn nothing_is_there_before_it_is_whole_and_what_a_stop_left_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("MOCA-7");
    let to = To::recipient(&age_files::recipient_of(&age_files::new_identity()).unwrap()).unwrap();
    // A stop drops nothing: forgotten, not abandoned. The lock ends with the process.
    drop(filled(&target, &to));
    assert_eq!(names(dir.path()), [".MOCA-7.part"]);
    let whole = filled(&target, &to).seal(&announced(), &signer()).unwrap();
    assert!(!target.exists());
    // Who makes the same at the same time is told so.
    assert!(matches!(Package::begin(&target), Err(PackError::Busy { .. })));
    drop(whole);
    assert!(!discard(&target).unwrap());
    assert_eq!(names(dir.path()), [""; 0]);
    filled(&target, &to).close(&announced(), &signer()).unwrap();
    let again = Package::begin(&target);
    assert!(matches!(again, Err(PackError::File(FileError::Exists { .. }))));
    assert!(discard(&target).unwrap());
    assert_eq!(names(&target).len(), 3);
}

#[test]
fn a_package_without_its_signature_is_removed_and_never_a_strangers_folder() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("MOCA-7");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("theirs"), "synthetic").unwrap();
    assert!(discard(&target).unwrap());
    assert_eq!(names(&target), ["theirs"]);
    fs::write(signature_beside(&target), "synthetic").unwrap();
    assert!(discard(&target).unwrap());
    assert_eq!(names(&target), ["theirs"]);
    fs::remove_dir_all(&target).unwrap();
    // The gap between the two renames of publishing.
    let to = To::recipient(&age_files::recipient_of(&age_files::new_identity()).unwrap()).unwrap();
    let whole = filled(&target, &to).seal(&announced(), &signer()).unwrap();
    fs::rename(files::part_of(&target), &target).unwrap();
    drop(whole);
    assert_eq!(names(dir.path()), [".MOCA-7.sig.part", "MOCA-7"]);
    assert!(!discard(&target).unwrap());
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn what_no_intake_takes_gets_no_name() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("MOCA-7");
    let to = To::recipient(&age_files::recipient_of(&age_files::new_identity()).unwrap()).unwrap();
    let mut package = filled(&target, &to);
    for name in ["", "../x", ".x"] {
        assert!(matches!(
            package.file(name, &to, None).map(|_| ()),
            Err(PackError::Manifest(ManifestFault::UnsafeName))
        ));
    }
    let twice = package.file("residents.dat.age", &to, None).map(|_| ());
    assert!(matches!(twice, Err(PackError::Manifest(ManifestFault::DoubledFile))));
    let number = Announced { batch: "A123456789".to_owned(), ..announced() };
    let refused = package.close(&number, &signer());
    assert!(matches!(refused, Err(PackError::Manifest(ManifestFault::OutOfRange("batch")))));
    assert!(!target.exists());
}

#[test]
fn a_key_beside_the_data_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (drop, keys) = (dir.path().join("drop"), dir.path().join("keys"));
    for folder in [&drop, &keys, &drop.join("inner")] {
        fs::create_dir(folder).unwrap();
    }
    let to = |key: PathBuf| apart(&key, &drop);
    assert!(matches!(to(drop.join("k")), Err(Beside::Inside { .. })));
    assert!(matches!(to(drop.join("inner/k")), Err(Beside::Inside { .. })));
    assert!(matches!(to(keys.join("../drop/k")), Err(Beside::Inside { .. })));
    assert!(matches!(to(dir.path().join("k")), Err(Beside::Above { .. })));
    std::os::unix::fs::symlink(&drop, keys.join("elsewhere")).unwrap();
    assert!(matches!(to(keys.join("elsewhere/k")), Err(Beside::Inside { .. })));
    assert!(matches!(to(dir.path().join("none/k")), Err(Beside::File(_))));
    to(keys.join("k")).unwrap();
    put_key(&keys.join("k"), &Secret::new(b"synthetic".to_vec())).unwrap();
    let again = put_key(&keys.join("k"), &Secret::new(b"other".to_vec()));
    assert!(matches!(again, Err(FileError::Exists { .. })));
}
