//! Why the key store refuses: what is wrong, and whose move it is.
//!
//! Missing, torn, altered, destroyed and a wrong root key are told apart, because each asks for another act of a
//! person. No variant carries a secret; slot names are ids.

use std::path::PathBuf;

use super::cell::SealError;
use crate::adapters::{entropy::EntropyError, files::FileError};

/// Why the key store refuses.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// A generation file is not there. With state beside it that is a loss, not a new site.
    #[error("key store file '{}' is missing", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// There is a key store already.
    #[error("'{}' exists: a key store is never replaced", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The root key is not the one that this store was made with.
    #[error("the root key does not open the key store")]
    WrongRootKey,
    /// A root key that is not 32 bytes.
    #[error("a root key has 32 bytes")]
    RootKeyLength,
    /// What stood in the slot is lost to damage. It is not taken for absent or destroyed.
    #[error("slot '{name}' of the key store is damaged")]
    Torn {
        /// The slot. For a name that is not found, while a damaged slot has lost its own name: the name asked for.
        name: String,
    },
    /// A whole cell that its key does not open: somebody changed it.
    #[error("slot '{name}' of the key store does not open under its key: it was changed")]
    Altered {
        /// The slot.
        name: String,
    },
    /// Nothing is put where something was destroyed.
    #[error("slot '{name}' was destroyed under order '{order}'")]
    Destroyed {
        /// The slot.
        name: String,
        /// The order.
        order: String,
    },
    /// A slot name or order id that the form does not hold.
    #[error("a slot or order is named by 1 to 64 letters, digits, ':', '.', '_' or '-'")]
    BadName,
    /// A secret of no bytes, or of more than a cell holds.
    #[error("slot '{name}' holds 1 to 512 bytes, not {len}")]
    Length {
        /// The slot.
        name: String,
        /// The length refused, in bytes.
        len: usize,
    },
    /// A later version has written here.
    #[error("the key store has cells of form {version}, this version reads form 1")]
    Newer {
        /// The form found.
        version: u16,
    },
    /// An earlier write failed, so what the files hold is not known: open the store again.
    #[error("the key store had a write error: restart the agent")]
    Unsure,
    /// No room for another slot; nothing was changed.
    #[error("no space left to extend the key store '{}'", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The cipher refused.
    #[error("the cipher refused")]
    Cipher,
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<SealError> for KeyStoreError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Entropy(error) => Self::Entropy(error),
            SealError::Cipher => Self::Cipher,
        }
    }
}
