//! Looking at configuration, policies and the machine's users, without opening a site.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{refusal, site::faults};
use crate::{
    adapters::device,
    config,
    error::{Error, Exit},
    service::Result,
};

/// The state folder of a site, for verifying it without opening it.
///
/// # Errors
/// The configuration cannot be read, or there is no register.
pub fn state_of(path: &Path) -> Result<PathBuf> {
    let config = config::load(path).map_err(|list| faults(&list))?;
    let register = config.agent.state.join("register");
    let missing = || {
        let what = format!("'{}' holds no register", config.agent.state.display());
        Error::new(Exit::Config, what)
            .hint("'batchward init' makes a site; --dir FOLDER verifies a copied register")
    };
    match fs::metadata(&register) {
        Ok(facts) if facts.is_dir() => Ok(config.agent.state),
        Ok(_) => Err(missing()),
        Err(error) => Err(refusal::absent(&register, &error, missing)),
    }
}

/// The number of a unix user of this machine.
#[must_use]
pub fn uid_of(name: &str) -> Option<u32> {
    users().into_iter().find(|(user, _)| user == name).map(|(_, uid)| uid)
}

/// Runs the device helper for a user of this machine, for good.
///
/// # Errors
/// There is no such user, or it cannot listen or confine itself.
pub fn help_device(socket: &Path, user: &str) -> Result<()> {
    let uid = uid_of(user).ok_or_else(|| {
        Error::new(Exit::Config, format!("this machine has no user '{user}'"))
            .hint("--for-user takes the user that the agent runs as")
    })?;
    let Err(error) = device::serve(socket, uid);
    Err(Error::new(Exit::Unavailable, super::described(&error)))
}

pub(super) fn name_of(uid: u32) -> Option<String> {
    users().into_iter().find(|(_, number)| *number == uid).map(|(user, _)| user)
}

/// The machine's own users. Directory services are not asked: an account that must hold when the network is gone
/// belongs to a user of this machine, or signs with a key.
fn users() -> Vec<(String, u32)> {
    let text = fs::read_to_string(PathBuf::from("/etc/passwd")).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut parts = line.split(':');
            Some((parts.next()?.to_owned(), parts.nth(1)?.parse().ok()?))
        })
        .collect()
}
