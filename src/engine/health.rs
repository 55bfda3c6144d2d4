//! How the machine under the agent does: disks, key store, published files. Plain values that a port finds and
//! `status` judges.
//!
//! Nothing here decides anything of a batch. What cannot be found out is told as that, never as well.

use serde::{Deserialize, Serialize};

use super::ports::Result;
use crate::domain::link::Link;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Health {
    /// Entries under the checkpoint that lies in `register/`; nothing where there is none that can be read.
    pub published: Option<u64>,
    /// The key store.
    pub slots: Slots,
    /// Where the root key is.
    pub root_key: RootKey,
    /// Folders on disks: the state, then each link's inbox.
    pub places: Vec<Place>,
}

/// The slots of the key store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Slots {
    /// Slots with a secret.
    pub live: u64,
    /// Slots with a tombstone.
    pub destroyed: u64,
    /// Slots that cannot be read.
    pub damaged: u64,
}

/// Where the root key is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RootKey {
    /// A file: whoever copies it undoes a destruction of keys.
    #[default]
    File,
    /// A credential of the service manager.
    Credential,
    /// A file sealed under a passphrase.
    Passphrase,
}

impl RootKey {
    /// The word as it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Credential => "credential",
            Self::Passphrase => "passphrase",
        }
    }
}

/// What a folder is to the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Folder {
    /// The state folder.
    State,
    /// The inbox of a link.
    Inbox(String),
}

/// A folder, and the filesystem under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Place {
    /// What it is.
    pub folder: Folder,
    /// Its room, where it can be reached.
    pub room: Option<Room>,
}

/// Room on a filesystem, for the agent's user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Room {
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes free.
    pub free_bytes: u64,
    /// Inodes free; nothing where the filesystem makes them as it needs them.
    pub free_inodes: Option<u64>,
}

/// Whoever looks after the agent: what it is told by, and where it tells.
pub trait Monitor {
    /// Looks at the machine.
    fn health(&self, links: &mut dyn Iterator<Item = &Link>) -> Health;
    /// Whether metrics are wanted in a file.
    fn wants_metrics(&self) -> bool;
    /// Replaces that file.
    ///
    /// # Errors
    /// It cannot be written; the old one stands.
    fn put_metrics(&self, text: &str) -> Result<()>;
}
