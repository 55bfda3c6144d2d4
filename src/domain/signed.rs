//! What a person signs (DESIGN 5): a canonical text that names origin, command, object and its digest, and the time
//! for which it counts.
//!
//! A [`Verified`] exists only where the text is in its one form, says exactly what was asked, is still in its time,
//! and carries a signature of the given key for the given namespace. That a nonce counts once, and that the key is
//! the account's, is for the service: this module has no memory.

use serde::{Deserialize, Serialize};

use super::{
    digest::Digest,
    limits::{SIGNED_SECONDS_MAX, TEXT_CHARS_MAX},
    sshsig::{self, KeyFault, PublicKeyInfo, SigFault, SigningKey},
    time::Timestamp,
};

/// Namespace of decisions: approve, deny, confirm, hold, lift, release, reject, revoke, provide, complete, no-need.
pub const DECISION_NAMESPACE: &str = "batchward-decision";
/// Namespace of all other commands.
pub const COMMAND_NAMESPACE: &str = "batchward-command";
/// The version of the form.
const VERSION: u8 = 1;
/// Hexadecimal digits of a nonce: 16 bytes.
const NONCE_DIGITS: usize = 32;
/// Bytes of a whole signed text.
const SIGNED_BYTES_MAX: usize = 16 << 10;
/// Seconds that the signer's clock may be ahead of ours.
const AHEAD_SECONDS_MAX: i64 = 300;

/// The signed text. Its fields stand in the order of the canonical form, which is sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedText {
    /// When it was signed, by the signer's clock.
    pub at: Timestamp,
    /// 1.
    pub batchward: u8,
    /// The command, as it is typed: `grant approve`.
    pub command: String,
    /// From then on it counts for nothing.
    pub expires: Timestamp,
    /// 32 lower-case hex digits, new for each text.
    pub nonce: String,
    /// The id that is decided on; empty for a command without one.
    pub object: String,
    /// The hash of the register entry that is decided on; none for a command without one.
    pub object_digest: Option<Digest>,
    /// The origin of the register that it is for: `batchward/<site>`.
    pub origin: String,
    /// What the person said: the reason, or the command's own arguments.
    pub text: String,
}

/// Why a text is not in its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormFault {
    /// Longer than any signed text.
    #[error("the signed text is longer than {SIGNED_BYTES_MAX} bytes")]
    TooLong,
    /// Not JSON with exactly these fields.
    #[error("the signed text is not JSON of the expected fields")]
    Malformed,
    /// JSON, but not byte for byte the canonical form.
    #[error("the signed text is not in canonical form")]
    NotCanonical,
    /// Another version.
    #[error("the signed text is of another version")]
    Version,
    /// The nonce is not 32 lower-case hex digits.
    #[error("the nonce is not {NONCE_DIGITS} hex digits")]
    Nonce,
    /// What the person said is over [`TEXT_CHARS_MAX`] characters.
    #[error("the text is longer than {TEXT_CHARS_MAX} characters")]
    Text,
    /// It counts for no time, or for longer than [`SIGNED_SECONDS_MAX`].
    #[error("a signed text must expire within {SIGNED_SECONDS_MAX} seconds")]
    Span,
}

impl SignedText {
    /// A text from its parts; `nonce` is 16 random bytes.
    ///
    /// # Errors
    /// [`FormFault::Text`], [`FormFault::Span`], [`FormFault::TooLong`].
    pub fn new(
        asked: &Asked<'_>,
        text: &str,
        nonce: [u8; 16],
        at: Timestamp,
        expires: Timestamp,
    ) -> Result<Self, FormFault> {
        let signed = Self {
            at,
            batchward: VERSION,
            command: asked.command.to_owned(),
            expires,
            nonce: data_encoding::HEXLOWER.encode(&nonce),
            object: asked.object.to_owned(),
            object_digest: asked.object_digest,
            origin: asked.origin.to_owned(),
            text: text.to_owned(),
        };
        signed.check()?;
        if signed.canonical().len() > SIGNED_BYTES_MAX {
            return Err(FormFault::TooLong);
        }
        Ok(signed)
    }

    /// The one form that is signed: JSON without white space, keys sorted, times in UTC with milliseconds.
    #[must_use]
    pub fn canonical(&self) -> String {
        // Strings and numbers only: there is nothing in it that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a canonical text.
    ///
    /// # Errors
    /// [`FormFault`].
    pub fn parse(text: &str) -> Result<Self, FormFault> {
        if text.len() > SIGNED_BYTES_MAX {
            return Err(FormFault::TooLong);
        }
        let signed: Self = serde_json::from_str(text).map_err(|_| FormFault::Malformed)?;
        signed.check()?;
        if signed.canonical() == text { Ok(signed) } else { Err(FormFault::NotCanonical) }
    }

    fn check(&self) -> Result<(), FormFault> {
        if self.batchward != VERSION {
            return Err(FormFault::Version);
        }
        let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if self.nonce.len() != NONCE_DIGITS || !self.nonce.bytes().all(digit) {
            return Err(FormFault::Nonce);
        }
        if self.text.chars().count() > TEXT_CHARS_MAX {
            return Err(FormFault::Text);
        }
        if self.expires <= self.at || self.expires > self.at.plus_seconds(SIGNED_SECONDS_MAX) {
            return Err(FormFault::Span);
        }
        Ok(())
    }
}

/// A signed text with its signature: what the register keeps, and `ssh-keygen -Y verify` reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Fingerprint of the key, `SHA256:…`.
    pub key: String,
    /// The armored SSHSIG.
    pub signature: String,
    /// The canonical text.
    pub text: String,
}

/// What the text must say: the act that is asked for here and now.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The origin of this register.
    pub origin: &'a str,
    /// The command.
    pub command: &'a str,
    /// The object's id, or nothing.
    pub object: &'a str,
    /// The hash of the entry that is decided on.
    pub object_digest: Option<Digest>,
}

/// Why a signature does not carry an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedFault {
    /// The text is not in its form.
    #[error(transparent)]
    Form(#[from] FormFault),
    /// The signature is not over this text, for this namespace.
    #[error("the signature does not hold")]
    Signature(#[source] SigFault),
    /// Another key signed.
    #[error("another key signed")]
    OtherKey,
    /// It is for another register.
    #[error("the signed text is for another site")]
    Origin,
    /// It is for another command.
    #[error("the signed text is for another command")]
    Command,
    /// It is for another object.
    #[error("the signed text is for another object")]
    Object,
    /// The object has changed since it was shown to the signer.
    #[error("the signed text is over another version of the object")]
    Digest,
    /// Signed later than now.
    #[error("the signed text is of a later time")]
    Early,
    /// No longer in its time.
    #[error("the signed text has expired")]
    Expired,
}

/// A text that was checked. Only [`check`] makes one.
#[derive(Clone, Debug)]
#[must_use]
pub struct Verified {
    text: SignedText,
    record: Signature,
}

impl Verified {
    /// What was signed.
    #[must_use]
    pub const fn text(&self) -> &SignedText {
        &self.text
    }

    /// What the register keeps.
    #[must_use]
    pub const fn record(&self) -> &Signature {
        &self.record
    }

    /// What counts once: the key with the nonce.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.text.nonce
    }
}

/// Checks a text and its signature: the signature first, over the bytes as they came, and only then what they say.
///
/// # Errors
/// [`SignedFault`].
pub fn check(
    text: &str,
    signature: &str,
    key: &PublicKeyInfo,
    namespace: &str,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Result<Verified, SignedFault> {
    let signed = holds(text, signature, key, namespace)?;
    let matches = [
        (signed.origin == asked.origin, SignedFault::Origin),
        (signed.command == asked.command, SignedFault::Command),
        (signed.object == asked.object, SignedFault::Object),
        (signed.object_digest == asked.object_digest, SignedFault::Digest),
        (signed.at <= now.plus_seconds(AHEAD_SECONDS_MAX), SignedFault::Early),
        (now < signed.expires, SignedFault::Expired),
    ];
    if let Some((_, fault)) = matches.into_iter().find(|(holds, _)| !holds) {
        return Err(fault);
    }
    let record = Signature {
        key: key.fingerprint(),
        signature: signature.to_owned(),
        text: text.to_owned(),
    };
    Ok(Verified { text: signed, record })
}

/// Whether a kept record still holds, whatever the time: for the verifier of a register.
///
/// # Errors
/// [`SignedFault`] of form and signature.
pub fn holds(
    text: &str,
    signature: &str,
    key: &PublicKeyInfo,
    namespace: &str,
) -> Result<SignedText, SignedFault> {
    if text.len() > SIGNED_BYTES_MAX {
        return Err(FormFault::TooLong.into());
    }
    let found = sshsig::verify(signature.as_bytes(), text.as_bytes(), namespace)
        .map_err(SignedFault::Signature)?;
    if found != *key {
        return Err(SignedFault::OtherKey);
    }
    Ok(SignedText::parse(text)?)
}

/// Signs a text.
///
/// # Errors
/// [`KeyFault::CannotSign`].
pub fn sign(text: &SignedText, namespace: &str, key: &SigningKey) -> Result<Signature, KeyFault> {
    let text = text.canonical();
    let signature = key.sign(namespace, text.as_bytes())?;
    Ok(Signature { key: key.public().fingerprint(), signature, text })
}

#[cfg(test)]
mod tests;
