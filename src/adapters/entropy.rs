//! Randomness of keys and nonces, straight from the kernel.
//!
//! A failure is an error and never weaker bytes. What is decided in a plan takes its randomness through [`Fill`],
//! so that the plan itself stays a pure function; nothing here is seeded or kept.

use aws_lc_rs::{
    cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
};
use zeroize::Zeroizing;

use crate::domain::secret::Secret;

/// A source of unpredictable bytes.
pub trait Fill {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    /// Where the source has none to give; `bytes` must not be used then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The kernel's generator (getrandom(2)).
#[derive(Clone, Copy, Debug, Default)]
pub struct Kernel;

impl Fill for Kernel {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        fill(bytes)
    }
}

/// No randomness was to be had.
#[derive(Debug, thiserror::Error)]
pub enum EntropyError {
    /// The kernel gave none.
    #[error("the kernel gave no random bytes")]
    Kernel(#[source] getrandom::Error),
    /// The key stream that is seeded from it failed.
    #[error("the random generator failed")]
    Generator,
}

/// Fills all of `bytes` from the kernel.
///
/// # Errors
/// Where the kernel refuses.
pub fn fill(bytes: &mut [u8]) -> Result<(), EntropyError> {
    getrandom::fill(bytes).map_err(EntropyError::Kernel)
}

/// What an overwrite writes: a key stream under a key from the kernel that nobody else has, many times as fast as the
/// kernel itself, and the same again for who reads it back.
pub struct Noise(Zeroizing<[u8; 32]>);

impl Noise {
    /// A new one.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn new() -> Result<Self, EntropyError> {
        let mut key = Zeroizing::new([0; 32]);
        fill(&mut *key)?;
        Ok(Self(key))
    }

    /// The same again, from its seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// What it grows from: who has it can tell where the noise lies, and nothing about what lay there before.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.0
    }

    /// Fills `bytes` with the beginning of piece number `piece`; a piece has at most 2^64 blocks of 16 bytes.
    ///
    /// # Errors
    /// Where the cipher refuses.
    pub fn fill(&self, piece: u64, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(0);
        let stream = UnboundCipherKey::new(&AES_256, &*self.0)
            .and_then(EncryptingKey::ctr)
            .map_err(|_| EntropyError::Generator)?;
        let mut start = [0; 16];
        start[..8].copy_from_slice(&piece.to_be_bytes());
        let start = EncryptionContext::Iv128(FixedLength::from(start));
        stream.less_safe_encrypt(bytes, start).map(|_| ()).map_err(|_| EntropyError::Generator)
    }
}

/// A secret of `len` random bytes.
///
/// # Errors
/// Where the kernel refuses.
pub fn random_secret(len: usize) -> Result<Secret, EntropyError> {
    let mut bytes = Zeroizing::new(vec![0; len]);
    fill(&mut bytes)?;
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn two_secrets_have_their_length_and_differ() {
        let (one, two) = (random_secret(32).unwrap(), random_secret(32).unwrap());
        assert_eq!((one.expose().len(), two.expose().len()), (32, 32));
        assert_ne!(one.expose(), two.expose());
    }

    #[test]
    fn what_an_overwrite_writes_is_new_each_time_and_looks_like_nothing() {
        let (noise, other) = (Noise::new().unwrap(), Noise::new().unwrap());
        let [mut one, mut again, mut next, mut another] = [(); 4].map(|()| vec![7; 1 << 16]);
        noise.fill(3, &mut one).unwrap();
        noise.fill(3, &mut again).unwrap();
        noise.fill(4, &mut next).unwrap();
        other.fill(3, &mut another).unwrap();
        assert_eq!(one, again);
        assert!(one != next && one != another);
        for value in 0..=u8::MAX {
            let count = one.iter().filter(|b| **b == value).count();
            assert!((128..512).contains(&count), "{value} stands {count} times");
        }
    }
}
