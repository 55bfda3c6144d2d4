//! `root_key: passphrase`: a random root key in an age file under a passphrase, beside `agent.yaml`.
//!
//! The file is plain age, so stock tools open it and change its passphrase (`age -d`, `age -p`); a copy of it without
//! the passphrase opens nothing. The passphrase comes from a credential of this name where the service manager
//! passed one, else from the terminal; it is never kept.

use std::{io::Read, path::Path};

use super::{
    FILE_BYTES_MAX, ROOT_KEY_BYTES, RootKeyError, credential, from_hex, read_passed, to_hex,
};
use crate::{
    adapters::{
        age_files::{self, DeliveryKey, OpenError},
        entropy, files, terminal,
    },
    domain::{
        limits::{KEY_BYTES_MAX, PASSPHRASE_CHARS_MIN},
        secret::Secret,
    },
};
use zeroize::Zeroizing;

/// The file's name.
pub(super) const FILE: &str = "root.key.age";
/// The credential that holds the passphrase.
pub(super) const CREDENTIAL: &str = "batchward.passphrase";
/// An age file with a few dozen bytes in it, also an armored one.
const SEALED_BYTES_MAX: u64 = 4 << 10;
/// What a person at a terminal may mistype.
const ATTEMPTS_MAX: u32 = 3;

pub(super) fn read(path: &Path) -> Result<Secret, RootKeyError> {
    let sealed = files::read(path, SEALED_BYTES_MAX)?;
    if let Some(passphrase) = passed()? {
        return open(path, &sealed, &passphrase);
    }
    let mut attempt = 1;
    loop {
        match open(path, &sealed, &ask("passphrase of the root key: ")?) {
            Err(RootKeyError::WrongPassphrase { .. }) if attempt < ATTEMPTS_MAX => attempt += 1,
            other => return other,
        }
    }
}

pub(super) fn create(path: &Path) -> Result<Secret, RootKeyError> {
    let passphrase = match passed()? {
        Some(passphrase) => passphrase,
        None => {
            let first = ask("new passphrase of the root key: ")?;
            if first.expose() != ask("the same again: ")?.expose() {
                return Err(RootKeyError::NoPassphrase("the two passphrases differ"));
            }
            first
        }
    };
    let text = std::str::from_utf8(passphrase.expose())
        .map_err(|_| RootKeyError::NoPassphrase("the passphrase is not UTF-8"))?;
    if text.chars().count() < PASSPHRASE_CHARS_MIN {
        return Err(RootKeyError::NoPassphrase("a passphrase has at least 12 characters"));
    }
    let secret = entropy::random_secret(ROOT_KEY_BYTES)?;
    let sealed = age_files::seal_under(&passphrase, &to_hex(&secret))
        .map_err(|_| RootKeyError::NoPassphrase("the root key cannot be encrypted"))?;
    files::create_new(path, &sealed, "root key")?;
    Ok(secret)
}

/// The passphrase as a credential. One last line feed is no part of it.
fn passed() -> Result<Option<Secret>, RootKeyError> {
    let Some(path) = credential(CREDENTIAL).filter(|path| path.exists()) else { return Ok(None) };
    let bytes = read_passed(&path, KEY_BYTES_MAX)?;
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    Ok(Some(Secret::new(text.to_vec())))
}

fn ask(prompt: &str) -> Result<Secret, RootKeyError> {
    terminal::ask(prompt).map_err(RootKeyError::Ask)?.ok_or(RootKeyError::NoTerminal)
}

fn open(path: &Path, sealed: &[u8], passphrase: &Secret) -> Result<Secret, RootKeyError> {
    let wrong = || RootKeyError::WrongPassphrase { path: path.to_owned() };
    let malformed = || RootKeyError::Malformed { path: path.to_owned() };
    let key = DeliveryKey::parse_passphrase(passphrase).map_err(|_| wrong())?;
    let reader = age_files::open_delivery(sealed, &key).map_err(|error| match error {
        OpenError::WrongKey => wrong(),
        _ => malformed(),
    })?;
    let mut plain = Zeroizing::new(Vec::with_capacity(256));
    reader.take(FILE_BYTES_MAX + 1).read_to_end(&mut plain).map_err(|_| malformed())?;
    from_hex(&plain).ok_or_else(malformed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_sealed_root_key_opens_with_its_passphrase_and_no_other() {
        let key = entropy::random_secret(ROOT_KEY_BYTES).unwrap();
        let secret = |text: &str| Secret::new(text.as_bytes().to_vec());
        let sealed = age_files::seal_under(&secret("correct horse"), &to_hex(&key)).unwrap();
        let path = Path::new("root.key.age");
        assert_eq!(open(path, &sealed, &secret("correct horse")).unwrap().expose(), key.expose());
        for wrong in ["correct horsf", ""] {
            let refused = open(path, &sealed, &secret(wrong));
            assert!(matches!(refused, Err(RootKeyError::WrongPassphrase { .. })), "{wrong}");
        }
        let other = age_files::seal_under(&secret("correct horse"), b"no key").unwrap();
        for bytes in [&other[..], &sealed[..sealed.len() - 1], b"no age file"] {
            let refused = open(path, bytes, &secret("correct horse"));
            assert!(matches!(refused, Err(RootKeyError::Malformed { .. })));
        }
    }
}
