//! Nonces that counted. Each is kept for ever, so each is kept small.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Nonces that counted.
#[derive(Clone, Debug, Default)]
pub struct Nonces {
    /// Those of 32 lower-case hex digits, which are nearly all.
    short: BTreeSet<[u8; 16]>,
    other: BTreeSet<Box<str>>,
}

impl Nonces {
    /// Whether it counted.
    #[must_use]
    pub fn contains(&self, nonce: &str) -> bool {
        short(nonce).map_or_else(|| self.other.contains(nonce), |short| self.short.contains(&short))
    }

    /// Adds one; false where it counted before.
    pub(super) fn insert(&mut self, nonce: &str) -> bool {
        match short(nonce) {
            Some(short) => self.short.insert(short),
            None => self.other.insert(nonce.into()),
        }
    }
}

impl Serialize for Nonces {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let short = self.short.iter().map(|nonce| data_encoding::HEXLOWER.encode(nonce));
        serializer.collect_seq(short.chain(self.other.iter().map(ToString::to_string)))
    }
}

impl<'de> Deserialize<'de> for Nonces {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all: Vec<Box<str>> = Deserialize::deserialize(deserializer)?;
        let mut nonces = Self::default();
        for nonce in all {
            nonces.insert(&nonce);
        }
        Ok(nonces)
    }
}

fn short(nonce: &str) -> Option<[u8; 16]> {
    data_encoding::HEXLOWER.decode(nonce.as_bytes()).ok()?.try_into().ok()
}
