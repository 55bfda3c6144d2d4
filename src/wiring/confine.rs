//! The agent takes from itself what its configuration does not need, before it opens anything of a delivery.

use std::path::Path;

use rustix::{
    fs::{Access, AtFlags, CWD, accessat},
    io::Errno,
};

use super::{described, places::Places, site::faults};
use crate::{
    adapters::{
        landlock::{self, Confinement},
        process,
    },
    config::{self, Config},
    error::{Error, Exit},
    service::Result,
};

/// What the agent can still reach.
#[derive(Clone, Debug)]
pub struct Confined(Confinement);

/// Confines this process to the folders that the configuration names. To be called before another thread runs, and
/// for the agent itself: a command of a person opens files that the person names.
///
/// # Errors
/// The configuration cannot be read, or the kernel refused.
pub fn confine(path: &Path) -> Result<Confined> {
    let _ = process::harden();
    let config = config::load(path).map_err(|list| faults(&list))?;
    let confinement = landlock::confine(&Places::of(&config).rights()).map_err(|error| {
        Error::new(Exit::Failed, described(&error))
            .hint("without its confinement the agent opens no delivery; 'dmesg' may say more")
    })?;
    Ok(Confined(confinement))
}

impl Confined {
    /// What is in force, in words.
    #[must_use]
    pub fn words(&self) -> String {
        self.0.words()
    }

    /// Whether the kernel confines at all.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        self.0.version > 0
    }

    /// Links whose inbox or keybox is out of reach until the agent starts again: new ones, and such on which something
    /// was mounted since. Rights that a process has given up never come back.
    #[must_use]
    pub fn out_of_reach(&self, config: &Config) -> Vec<String> {
        // Landlock by the folder's identity; what the service manager gave shows as mounted for reading only.
        let read_only = |path: &Path| {
            accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS) == Err(Errno::ROFS)
        };
        let far = |path: &Path| !self.0.reaches(path) || read_only(path);
        let links = config.links.values().filter(|link| far(&link.inbox) || far(&link.keybox));
        links.map(|link| link.name.clone()).collect()
    }
}
