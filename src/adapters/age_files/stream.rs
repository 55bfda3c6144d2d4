//! Sealing for others: a stream to somebody's recipient, or under a passphrase.

use std::io::{self, Write};

use age::{Recipient, scrypt, secrecy::SecretString, x25519};

use super::{
    SealError, parse_recipient,
    payload::{self, PayloadWriter},
};
use crate::domain::{limits::ROOT_KEY_SCRYPT_LOG_N, secret::Secret};

/// Who can open what is sealed.
pub enum To {
    /// The holder of an X25519 identity.
    Recipient(x25519::Recipient),
    /// Whoever has the passphrase. Each file costs them and us a second and 256 MiB.
    Passphrase(Secret),
}

impl To {
    /// The holder of `age1…`.
    ///
    /// # Errors
    /// [`SealError::Recipient`].
    pub fn recipient(text: &str) -> Result<Self, SealError> {
        parse_recipient(text).map(Self::Recipient)
    }

    /// Whoever has the passphrase.
    ///
    /// # Errors
    /// [`SealError::Encrypt`] where it is empty or not UTF-8.
    pub fn passphrase(secret: &Secret) -> Result<Self, SealError> {
        match std::str::from_utf8(secret.expose()) {
            Ok(text) if !text.is_empty() => Ok(Self::Passphrase(secret.duplicate())),
            _ => Err(SealError::Encrypt),
        }
    }

    /// Begins an age file in `output`, header first.
    ///
    /// # Errors
    /// What `output` says, or of kind `Other` where age refuses.
    pub fn seal<W: Write>(&self, output: W) -> io::Result<Sealer<W>> {
        let sealed = match self {
            Self::Recipient(recipient) => payload::seal(recipient, output)?,
            Self::Passphrase(secret) => {
                let text = std::str::from_utf8(secret.expose()).unwrap_or_default();
                let mut recipient = scrypt::Recipient::new(SecretString::from(text));
                recipient.set_work_factor(ROOT_KEY_SCRYPT_LOG_N);
                payload::seal(&recipient as &dyn Recipient, output)?
            }
        };
        sealed.map(Sealer).map_err(|_| io::Error::other(SealError::Encrypt))
    }
}

/// An age file that is being written. Without [`Sealer::finish`] it does not open.
pub struct Sealer<W>(PayloadWriter<W>);

impl<W: Write> Sealer<W> {
    /// Seals the last chunk.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
