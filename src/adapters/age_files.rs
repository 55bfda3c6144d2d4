//! age v1 files: opening what providers encrypted, and sealing what we keep.
//!
//! A delivery's header is read under a limit and judged before any work is done for it, so that neither a long header
//! nor a high scrypt work factor costs anything. Plaintext leaves here only as a stream, chunk by authenticated chunk;
//! the end of the stream is reached only when the last chunk was authentic. Recipients are X25519 or a passphrase; no
//! plugins, no SSH keys.

mod delivery;
mod payload;
mod spool;
mod stream;

use age::{
    scrypt,
    secrecy::{ExposeSecret, SecretString},
    x25519,
};
use zeroize::Zeroizing;

pub use self::delivery::{
    DeliveryKey, DeliveryReader, KeyFault, OpenError, is_damage, open_delivery,
};
pub use self::spool::{SpoolError, SpoolReader, SpoolWriter, open_spool};
pub use self::stream::{Sealer, To};
pub use crate::domain::judge::looks_like_age;
use crate::domain::{limits::ROOT_KEY_SCRYPT_LOG_N, secret::Secret};

/// A text that is no recipient, or no identity, of the X25519 kind; or data that does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not `age1…`.
    #[error("expected an age recipient")]
    Recipient,
    /// Not `AGE-SECRET-KEY-1…`.
    #[error("expected an age identity")]
    Identity,
    /// The sealed bytes are for another identity, or damaged.
    #[error("the sealed bytes do not open")]
    Sealed,
    /// age refused to encrypt.
    #[error("the bytes cannot be sealed")]
    Encrypt,
}

/// A new X25519 identity, as the text that `age-keygen` writes.
#[must_use]
pub fn new_identity() -> Secret {
    let text = x25519::Identity::generate().to_string();
    Secret::new(text.expose_secret().as_bytes().to_vec())
}

/// The recipient of an identity: `age1…`.
///
/// # Errors
/// [`SealError::Identity`].
pub fn recipient_of(identity: &Secret) -> Result<String, SealError> {
    Ok(identity_of(identity)?.to_public().to_string())
}

/// Whether a text is a recipient.
#[must_use]
pub fn is_recipient(text: &str) -> bool {
    parse_recipient(text).is_ok()
}

/// Encrypts a few bytes to a recipient, binary form.
///
/// # Errors
/// [`SealError::Recipient`], [`SealError::Encrypt`].
pub fn seal(recipient: &str, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
    let recipient = parse_recipient(recipient)?;
    age::encrypt(&recipient, bytes).map_err(|_| SealError::Encrypt)
}

/// Encrypts a few bytes under a passphrase, binary form, as `age -p` does.
///
/// # Errors
/// [`SealError::Identity`], [`SealError::Encrypt`].
pub fn seal_under(passphrase: &Secret, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
    let text = std::str::from_utf8(passphrase.expose()).map_err(|_| SealError::Identity)?;
    let mut recipient = scrypt::Recipient::new(SecretString::from(text));
    recipient.set_work_factor(ROOT_KEY_SCRYPT_LOG_N);
    age::encrypt(&recipient, bytes).map_err(|_| SealError::Encrypt)
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`SealError::Identity`], [`SealError::Sealed`].
pub fn unseal(identity: &Secret, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let identity = identity_of(identity)?;
    age::decrypt(&identity, sealed).map(Zeroizing::new).map_err(|_| SealError::Sealed)
}

fn identity_of(identity: &Secret) -> Result<x25519::Identity, SealError> {
    std::str::from_utf8(identity.expose())
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(SealError::Identity)
}

fn parse_recipient(recipient: &str) -> Result<x25519::Recipient, SealError> {
    recipient.parse().map_err(|_| SealError::Recipient)
}

#[cfg(test)]
mod tests;
