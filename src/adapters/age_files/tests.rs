//! Synthetic data under throw-away keys.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{self, Read, Write};

use age::{
    armor::{ArmoredWriter, Format},
    scrypt,
    secrecy::SecretString,
};

use super::*;

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn identity() -> (Secret, String) {
    let identity = new_identity();
    let recipient = recipient_of(&identity).unwrap();
    (identity, recipient)
}

fn armored(sealed: &[u8]) -> Vec<u8> {
    let mut writer = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).unwrap();
    writer.write_all(sealed).unwrap();
    writer.finish().unwrap()
}

fn with_passphrase(passphrase: &str, work: u8, bytes: &[u8]) -> Vec<u8> {
    let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase));
    recipient.set_work_factor(work);
    age::encrypt(&recipient, bytes).unwrap()
}

fn read(bytes: &[u8], key: &DeliveryKey) -> Result<Vec<u8>, OpenError> {
    let mut plain = Vec::new();
    match open_delivery(bytes, key)?.read_to_end(&mut plain) {
        Ok(_) => Ok(plain),
        Err(error) if is_damage(&error) => Err(OpenError::Damaged),
        Err(error) => Err(OpenError::Io(error)),
    }
}

#[test]
fn both_forms_open_with_their_identity_and_no_other() {
    let (mine, recipient) = identity();
    let key = DeliveryKey::parse_identity(&mine).unwrap();
    let other = DeliveryKey::parse_identity(&new_identity()).unwrap();
    let word = DeliveryKey::parse_passphrase(&secret("word")).unwrap();
    for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 300_000] {
        let plain = vec![7; length];
        let sealed = seal(&recipient, &plain).unwrap();
        for bytes in [sealed.clone(), armored(&sealed)] {
            assert!(looks_like_age(&bytes));
            assert_eq!(read(&bytes, &key).unwrap(), plain);
            for wrong in [&other, &word] {
                assert!(matches!(read(&bytes, wrong), Err(OpenError::WrongKey)));
            }
        }
    }
}

#[test]
fn a_passphrase_opens_and_another_is_a_wrong_key() {
    let sealed = with_passphrase("correct horse", 4, b"data");
    let key = |word: &str| DeliveryKey::parse_passphrase(&secret(word)).unwrap();
    assert_eq!(read(&sealed, &key("correct horse\r\n")).unwrap(), b"data");
    assert_eq!(read(&armored(&sealed), &key("correct horse\n")).unwrap(), b"data");
    for word in ["correct horse\n\n", " correct horse", "x"] {
        assert!(matches!(read(&sealed, &key(word)), Err(OpenError::WrongKey)), "{word:?}");
    }
    let identity = DeliveryKey::parse_identity(&new_identity()).unwrap();
    assert!(matches!(read(&sealed, &identity), Err(OpenError::WrongKey)));
}

#[test]
fn too_much_scrypt_work_is_refused_from_the_header_whatever_the_key() {
    let sealed = with_passphrase("word", 2, b"data");
    let text = String::from_utf8_lossy(&sealed[..80]).into_owned();
    let salt = text.split(' ').nth(2).unwrap().to_owned();
    let keys = [
        DeliveryKey::parse_passphrase(&secret("word")).unwrap(),
        DeliveryKey::parse_identity(&new_identity()).unwrap(),
    ];
    for asked in ["21", "30", "63", "64", "255", "256", "99999999999999999999999"] {
        let mut hostile = sealed.clone();
        let at = text.find(&salt).unwrap() + salt.len() + 1;
        hostile.splice(at..=at, asked.bytes());
        for key in &keys {
            for bytes in [hostile.clone(), armored(&hostile)] {
                let refused = read(&bytes, key);
                assert!(matches!(refused, Err(OpenError::TooMuchWork { .. })), "{asked}");
            }
        }
    }
}

#[test]
fn a_cut_anywhere_is_never_a_whole_file() {
    let (mine, recipient) = identity();
    let key = DeliveryKey::parse_identity(&mine).unwrap();
    let plain = vec![9; 70_000];
    let sealed = seal(&recipient, &plain).unwrap();
    let cuts =
        (0..400).chain((400..sealed.len()).step_by(997)).chain(sealed.len() - 40..sealed.len());
    for cut in cuts {
        let found = read(&sealed[..cut], &key);
        match found {
            Err(OpenError::NotAge) => assert!(cut < 19, "{cut}"),
            Err(OpenError::Damaged) => {}
            other => panic!("{cut}: {other:?}"),
        }
    }
    let armor = armored(&sealed);
    for cut in (40..armor.len() - 1).step_by(611) {
        assert!(matches!(read(&armor[..cut], &key), Err(OpenError::Damaged)), "{cut}");
    }
}

#[test]
fn a_changed_byte_is_damage_or_a_wrong_key_and_never_plaintext() {
    let (mine, recipient) = identity();
    let key = DeliveryKey::parse_identity(&mine).unwrap();
    let sealed = seal(&recipient, &vec![1; 66_000]).unwrap();
    for at in (0..300).chain((300..sealed.len()).step_by(1_009)) {
        let mut bytes = sealed.clone();
        bytes[at] ^= 1;
        assert!(read(&bytes, &key).is_err(), "{at}");
    }
    let mut longer = sealed;
    longer.push(0);
    assert!(matches!(read(&longer, &key), Err(OpenError::Damaged)));
}

#[test]
fn other_files_do_not_begin_as_age_files_and_endless_headers_end() {
    let key = DeliveryKey::parse_identity(&new_identity()).unwrap();
    for bytes in [&b""[..], b"age", b"PK\x03\x04", b"id,name\r\n1,2\r\n"] {
        assert!(matches!(read(bytes, &key), Err(OpenError::NotAge)));
    }
    let newer = b"age-encryption.org/v2\n-> X25519 a\nb\n--- c\n";
    assert!(matches!(read(newer, &key), Err(OpenError::Damaged)));
    let endless = b"age-encryption.org/v1\n".chain(io::repeat(b'a'));
    assert!(matches!(open_delivery(endless, &key), Err(OpenError::Damaged)));
}

#[test]
fn trouble_with_reading_is_not_damage() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(5))
        }
    }
    let (mine, recipient) = identity();
    let key = DeliveryKey::parse_identity(&mine).unwrap();
    let sealed = seal(&recipient, &vec![1; 200_000]).unwrap();
    for at in [0, 100, 5_000, 100_000] {
        let error = match open_delivery(sealed[..at].chain(Broken), &key) {
            Ok(mut reader) => {
                let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
                assert!(!is_damage(&error), "{at}");
                // After an error nothing more is read.
                assert!(reader.read(&mut [0; 8]).is_err());
                continue;
            }
            Err(error) => error,
        };
        assert!(matches!(error, OpenError::Io(_)), "{at}: {error:?}");
    }
}

#[test]
fn key_files_are_read_as_age_keygen_writes_them() {
    let (mine, recipient) = identity();
    let line = String::from_utf8(mine.expose().to_vec()).unwrap();
    let file = format!("# created: 2026-11-21\r\n# public key: {recipient}\r\n\r\n{line}\r\n");
    let key = DeliveryKey::parse_identity(&secret(&file)).unwrap();
    assert_eq!(key.fingerprint(), Some(crate::domain::digest::Digest::of(recipient.as_bytes())));
    let rows = [
        (String::new(), KeyFault::Empty),
        ("# only a comment\n".to_owned(), KeyFault::Empty),
        (recipient, KeyFault::NotIdentity),
        (line.to_lowercase().replace('1', "2"), KeyFault::NotIdentity),
        (format!("{line}\n{line}\n"), KeyFault::Several),
        (format!("{line}\nx\n"), KeyFault::NotIdentity),
        ("a".repeat(5_000), KeyFault::TooLong),
    ];
    for (text, fault) in rows {
        assert_eq!(DeliveryKey::parse_identity(&secret(&text)).unwrap_err(), fault);
    }
    for (bytes, fault) in [
        (b"".to_vec(), KeyFault::Empty),
        (b"\r\n".to_vec(), KeyFault::Empty),
        (b"\xFF".to_vec(), KeyFault::NotUtf8),
    ] {
        assert_eq!(DeliveryKey::parse_passphrase(&Secret::new(bytes)).unwrap_err(), fault);
    }
    let word = DeliveryKey::parse_passphrase(&secret("word")).unwrap();
    assert_eq!(word.fingerprint(), None);
    assert!(!format!("{word:?}{key:?}").contains("word"));
    assert!(!format!("{key:?}").contains(&line));
}

#[test]
fn a_spool_file_appears_whole_and_holds_ciphertext() {
    let dir = tempfile::tempdir().unwrap();
    let (mine, recipient) = identity();
    let mut writer = SpoolWriter::create(dir.path(), "c-1.age", &recipient).unwrap();
    for _ in 0..300 {
        writer.write(b"plaintext of a person ").unwrap();
    }
    assert!(!dir.path().join("c-1.age").exists());
    let path = writer.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(9).any(|window| window == b"plaintext"));
    let mut plain = Vec::new();
    open_spool(&path, &mine).unwrap().read_to_end(&mut plain).unwrap();
    assert_eq!(plain, b"plaintext of a person ".repeat(300));
    assert!(matches!(open_spool(&path, &new_identity()), Err(SpoolError::Seal { .. })));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_stopped_spool_write_is_begun_again_from_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mine, recipient) = identity();
    let mut stopped = SpoolWriter::create(dir.path(), "c-1.age", &recipient).unwrap();
    stopped.write(&[1; 200_000]).unwrap();
    drop(stopped);
    let mut again = SpoolWriter::create(dir.path(), "c-1.age", &recipient).unwrap();
    again.write(b"short").unwrap();
    let path = again.finish().unwrap();
    let mut plain = Vec::new();
    open_spool(&path, &mine).unwrap().read_to_end(&mut plain).unwrap();
    assert_eq!(plain, b"short");
    let abandoned = SpoolWriter::create(dir.path(), "c-2.age", &recipient).unwrap();
    abandoned.abandon().unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn damage_of_the_spool_is_not_damage_of_the_delivery() {
    let dir = tempfile::tempdir().unwrap();
    let (mine, recipient) = identity();
    let (theirs, their_recipient) = identity();
    let delivered = seal(&their_recipient, &vec![3; 200_000]).unwrap();
    let mut writer = SpoolWriter::create(dir.path(), "c-1.age", &recipient).unwrap();
    writer.write(&delivered).unwrap();
    let path = writer.finish().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() - 10_000;
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let key = DeliveryKey::parse_identity(&theirs).unwrap();
    let mut reader = open_delivery(open_spool(&path, &mine).unwrap(), &key).unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(!is_damage(&error));
}

#[test]
fn sealed_bytes_open_for_their_identity_only() {
    let (mine, recipient) = identity();
    let sealed = seal(&recipient, b"payload").unwrap();
    assert_eq!(unseal(&mine, &sealed).unwrap().as_slice(), b"payload");
    assert_eq!(unseal(&new_identity(), &sealed).unwrap_err(), SealError::Sealed);
    assert_eq!(seal("age1x", b"").unwrap_err(), SealError::Recipient);
    assert_eq!(recipient_of(&secret("x")).unwrap_err(), SealError::Identity);
}
