//! SHA-256 digests as values, and the one place that computes them.

use std::{
    fmt,
    io::{self, Read},
};

use aws_lc_rs::{digest, hmac};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 16;

/// A SHA-256 digest (FIPS 180-4), 32 bytes; printed and stored as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The digest of what a reader gives, to its end.
    ///
    /// # Errors
    /// What the reader says.
    pub fn of_reader(mut from: impl Read) -> io::Result<Self> {
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match from.read(&mut buffer)? {
                0 => return Ok(hasher.finish()),
                read => hasher.update(buffer.get(..read).unwrap_or_default()),
            }
        }
    }

    /// HMAC-SHA-256 (RFC 2104) of `bytes` under `key`: how names and plaintext are compared without being told.
    #[must_use]
    pub fn keyed(key: &[u8], bytes: &[u8]) -> Self {
        let mut hasher = KeyedHasher::new(key);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Takes 32 bytes as a digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 hex digits, lower case only (the one form that is written).
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text)
            .ok_or_else(|| serde::de::Error::custom("expected 64 lower-case hex digits"))
    }
}

/// HMAC-SHA-1 as files of known hosts hide names with it (OpenSSH); nothing is believed by it.
#[must_use]
pub fn keyed_sha1(salt: &[u8], name: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
    hmac::sign(&key, name).as_ref().to_vec()
}

/// SHA-256 over a stream.
#[derive(Clone)]
pub struct Hasher(digest::Context);

impl Hasher {
    /// An empty stream.
    #[must_use]
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything added.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(to_array(self.0.finish().as_ref()))
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

/// HMAC-SHA-256 over a stream.
pub struct KeyedHasher(hmac::Context);

impl KeyedHasher {
    /// An empty stream under `key`.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The code of everything added.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(to_array(self.0.sign().as_ref()))
    }
}

fn to_array(bytes: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.copy_from_slice(bytes); // both algorithms yield exactly 32 bytes
    array
}
