//! Throw-away keys; what stock `ssh-keygen` makes and reads is tried where it is installed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr, reason = "tests")]

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use ssh_key::private::{EcdsaKeypair, Ed25519Keypair, KeypairData};

use super::*;

/// A throw-away Ed25519 key from a fixed byte.
pub(crate) fn key_of(seed: u8) -> SigningKey {
    let pair = Ed25519Keypair::from_seed(&[seed; 32]);
    SigningKey(PrivateKey::new(KeypairData::Ed25519(pair), "").unwrap())
}

#[test]
fn a_signature_holds_for_its_bytes_key_and_namespace_only() {
    let key = key_of(1);
    let signature = key.sign("a", b"message").unwrap();
    assert_eq!(verify(signature.as_bytes(), b"message", "a"), Ok(key.public()));
    assert_eq!(verify(signature.as_bytes(), b"message", "b"), Err(SigFault::Namespace));
    assert_eq!(verify(signature.as_bytes(), b"messagf", "a"), Err(SigFault::OtherBytes));
    assert_ne!(key.public(), key_of(2).public());
}

#[test]
fn no_cut_and_no_changed_character_of_a_signature_is_taken() {
    let signature = key_of(1).sign("a", b"message").unwrap();
    for length in 0..signature.trim_end().len() {
        assert!(verify(&signature.as_bytes()[..length], b"message", "a").is_err(), "{length}");
    }
    let body = signature.find('\n').unwrap()..signature.find("\n-----END").unwrap();
    for at in body {
        let mut bytes = signature.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert!(verify(&bytes, b"message", "a").is_err(), "{at}");
    }
}

#[test]
fn other_line_lengths_are_read_and_other_armor_is_not() {
    let signature = key_of(1).sign("a", b"message").unwrap();
    let one_line =
        signature.replace('\n', "").replace("-----BEGIN SSH SIGNATURE-----", "").replace(END, "");
    let crlf = signature.replace('\n', "\r\n");
    let good = [crlf, format!("{BEGIN}\n{one_line}\n{END}"), format!("{signature}\n\n")];
    for text in good {
        assert!(verify(text.as_bytes(), b"message", "a").is_ok(), "{text}");
    }
    let bad = [
        format!(" {signature}"),
        format!("{signature}{signature}"),
        format!("{signature}x"),
        signature.replace("SSH SIGNATURE", "PGP SIGNATURE"),
        String::new(),
    ];
    for text in bad {
        assert_eq!(verify(text.as_bytes(), b"message", "a"), Err(SigFault::Malformed), "{text}");
    }
}

#[test]
fn a_key_prints_its_fingerprint_and_nothing_private() {
    let key = key_of(1);
    assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.public().fingerprint()));
    assert!(key.public().fingerprint().starts_with("SHA256:"));
    let again = PublicKeyInfo::parse(&format!("{} a comment", key.public().text())).unwrap();
    assert_eq!(again, key.public());
    for bad in ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-dss AAAA x"] {
        assert!(PublicKeyInfo::parse(bad).is_err(), "{bad}");
    }
}

fn keygen(arguments: &[&str], dir: &Path) -> bool {
    let run = Command::new("ssh-keygen").args(arguments).current_dir(dir).output();
    run.is_ok_and(|output| output.status.success())
}

#[test]
fn openssh_signs_what_we_verify_and_verifies_what_we_sign() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("m"), "text\n").unwrap();
    let kinds = [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "384"), ("rsa", "2048")];
    for (kind, bits) in kinds {
        let name = format!("{kind}{bits}");
        for (passphrase, name) in [("", name.clone()), ("secret", format!("{name}-locked"))] {
            assert!(keygen(
                &["-q", "-t", kind, "-b", bits, "-N", passphrase, "-f", &name],
                dir.path()
            ));
            let file = Secret::new(fs::read(path(&name)).unwrap());
            let word = Secret::new(passphrase.as_bytes().to_vec());
            let key = SigningKey::parse(&file, Some(&word)).unwrap();
            let public = fs::read_to_string(path(&format!("{name}.pub"))).unwrap();
            assert_eq!(PublicKeyInfo::parse(&public).unwrap(), key.public());
            if passphrase.is_empty() {
                assert!(keygen(&["-Y", "sign", "-q", "-n", "ns", "-f", &name, "m"], dir.path()));
                let theirs = fs::read(path("m.sig")).unwrap();
                assert_eq!(verify(&theirs, b"text\n", "ns"), Ok(key.public()), "{name}");
                fs::remove_file(path("m.sig")).unwrap();
            } else {
                assert_eq!(SigningKey::parse(&file, None).unwrap_err(), KeyFault::Locked);
            }
            let ours = key.sign("ns", b"text\n").unwrap();
            assert_eq!(verify(ours.as_bytes(), b"text\n", "ns"), Ok(key.public()));
            fs::write(path("ours"), ours).unwrap();
            fs::write(path("allowed"), format!("me {public}")).unwrap();
            let check = ["-Y", "verify", "-f", "allowed", "-I", "me", "-n", "ns", "-s", "ours"];
            let output = Command::new("ssh-keygen")
                .args(check)
                .current_dir(dir.path())
                .stdin(fs::File::open(path("m")).unwrap())
                .output()
                .unwrap();
            assert!(output.status.success(), "{name}");
        }
    }
    assert!(fs::metadata(path("ed25519256")).unwrap().permissions().mode() & 0o77 == 0);
}

#[test]
fn short_rsa_keys_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let made = keygen(&["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", "k"], dir.path());
    assert!(
        made,
        "ssh-keygen made no short key: install openssh-client 9.2 or one that still makes them"
    );
    let public = fs::read_to_string(dir.path().join("k.pub")).unwrap();
    assert_eq!(PublicKeyInfo::parse(&public), Err(KeyFault::Short));
}

#[test]
fn an_ecdsa_key_with_a_short_number_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut number = [7; 32];
    number[..2].fill(0);
    let secret = p256::SecretKey::from_slice(&number).unwrap();
    let pair =
        EcdsaKeypair::NistP256 { public: secret.public_key().into(), private: secret.into() };
    let key = PrivateKey::new(KeypairData::Ecdsa(pair), "a comment").unwrap();
    let public = SigningKey(key.clone()).public();
    let path = dir.path().join("key");
    for passphrase in ["", "secret"] {
        fs::write(&path, key.to_openssh(LineEnding::LF).unwrap()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        // OpenSSH writes it anew, in its own form.
        assert!(keygen(&["-q", "-p", "-P", "", "-N", passphrase, "-f", "key"], dir.path()));
        let file = Secret::new(fs::read(&path).unwrap());
        let word = Secret::new(passphrase.as_bytes().to_vec());
        let read = SigningKey::parse(&file, Some(&word)).unwrap();
        assert_eq!(read.public(), public);
        let ours = read.sign("ns", b"text\n").unwrap();
        assert_eq!(verify(ours.as_bytes(), b"text\n", "ns"), Ok(public.clone()));
        if !passphrase.is_empty() {
            let wrong = Secret::new(b"wrong".to_vec());
            assert_eq!(SigningKey::parse(&file, Some(&wrong)).unwrap_err(), KeyFault::Locked);
        }
    }
}
