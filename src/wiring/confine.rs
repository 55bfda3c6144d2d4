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

/// Takes from a command's own process what could show its secrets to others: keys and rows pass through it also where
/// the agent does the work.
pub fn harden() {
    let _ = process::harden();
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

    /// Whether the agent can take what lies in a folder: neither its own confinement nor its unit's is in the way. A folder
    /// that came `anew`, or on which something was mounted since, is not within reach before the agent starts again:
    /// rights that a process has given up never come back. To such a one applies only what was allowed for the folders
    /// above it, even where it has the old one's number.
    #[must_use]
    pub fn reaches(&self, path: &Path, anew: bool) -> bool {
        let allowed = if anew { path.parent().unwrap_or(path) } else { path };
        // Landlock by the folder's identity; what the service manager gave shows as mounted for reading only.
        let read_only =
            || accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS) == Err(Errno::ROFS);
        self.0.reaches(allowed) && !read_only()
    }

    /// Links whose inbox or keybox is out of reach.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub fn out_of_reach(&self, path: &Path) -> Result<Vec<String>> {
        let config = config::load(path).map_err(|list| faults(&list))?;
        let far = |path: &Path| !self.reaches(path, false);
        let links = config.links.values().filter(|link| far(&link.inbox) || far(&link.keybox));
        Ok(links.map(|link| link.name.clone()).collect())
    }
}
