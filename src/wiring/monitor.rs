//! What is found of the machine under the agent, as the engine's port; and the file of metrics.

use std::path::{Path, PathBuf};

use super::{file, keys::Store};
use crate::{
    adapters::{disk, files, root_key::RootKeySource},
    config::Agent,
    domain::{limits, link::Link},
    engine::{
        health::{Folder, Health, Monitor, Place, Room, RootKey},
        ports::Result,
    },
};

/// Looks at disks, key store and published files.
pub(super) struct Watch {
    state: PathBuf,
    root_key: RootKey,
    metrics: Option<PathBuf>,
    keys: Store,
}

impl Watch {
    pub(super) fn new(agent: &Agent, keys: Store) -> Self {
        let root_key = match agent.root_key {
            RootKeySource::File(_) => RootKey::File,
            RootKeySource::Credential(_) => RootKey::Credential,
            RootKeySource::Passphrase(_) => RootKey::Passphrase,
        };
        Self { state: agent.state.clone(), root_key, metrics: agent.metrics_file.clone(), keys }
    }
}

impl Monitor for Watch {
    fn health(&self, links: &mut dyn Iterator<Item = &Link>) -> Health {
        let mut places = vec![place(Folder::State, &self.state)];
        places.extend(links.map(|link| {
            let inbox = place(Folder::Inbox(link.name.clone()), &link.inbox);
            // A keybox that is out of reach stops the link as well.
            let room = inbox.room.filter(|_| disk::room(&link.keybox).is_ok());
            Place { room, ..inbox }
        }));
        Health {
            published: published(&self.state),
            slots: self.keys.slots(),
            root_key: self.root_key,
            places,
        }
    }

    fn wants_metrics(&self) -> bool {
        self.metrics.is_some()
    }

    fn put_metrics(&self, text: &str) -> Result<()> {
        let Some(path) = &self.metrics else { return Ok(()) };
        files::replace_public(path, text.as_bytes(), "metrics").map_err(|e| file(&e))
    }
}

fn place(folder: Folder, path: &Path) -> Place {
    let room = disk::room(path).ok().map(|found| Room {
        bytes: found.bytes,
        free_bytes: found.free_bytes,
        free_inodes: found.free_inodes,
    });
    Place { folder, room }
}

/// Entries under the checkpoint that lies in `register/`, as its own first lines say: what it is worth is asked by
/// `register verify`.
fn published(state: &Path) -> Option<u64> {
    let bytes = files::read(&state.join("register").join("checkpoint"), limits::CONFIG_BYTES_MAX);
    let text = String::from_utf8(bytes.ok()?).ok()?;
    text.lines().nth(1)?.parse().ok()
}
