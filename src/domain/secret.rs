//! Secrets: key material, passphrases, root keys.
//!
//! A `Secret` is overwritten when dropped and prints nothing. Locking memory and forbidding core dumps is the
//! process's affair (`adapters/process.rs`).

use std::fmt;

use secrecy::{ExposeSecret, SecretSlice};

/// Bytes that must not be seen. Not `Clone` by accident: use [`Secret::duplicate`]. The default is empty: no secret.
#[derive(Default)]
pub struct Secret(SecretSlice<u8>);

impl Secret {
    /// Takes bytes over; the vector that held them becomes the secret itself.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(SecretSlice::from(bytes))
    }

    /// The bytes, for the call that needs them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// A second secret of the same bytes.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::new(self.expose().to_vec())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
