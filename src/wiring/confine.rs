//! The agent takes from itself what its configuration does not need, before it opens anything of a delivery.

use std::path::Path;

use super::{described, places::Places, site::faults};
use crate::{
    adapters::{
        landlock::{self, Confinement},
        process,
    },
    config,
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

    /// Whether a folder is within reach. One that came since, and one on which something was mounted since, is not
    /// before the agent starts again: rights that a process has given up never come back.
    #[must_use]
    pub fn reaches(&self, path: &Path) -> bool {
        self.0.reaches(path)
    }
}
