//! Looking at configuration, policies and the machine's users, without opening a site.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

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

/// `policy list`.
///
/// # Errors
/// The configuration cannot be read.
pub fn policies(path: &Path) -> Result<Vec<PolicyLine>> {
    let config = config::load(path).map_err(|list| faults(&list))?;
    let line = |p: &crate::domain::policy::Policy| PolicyLine {
        name: p.name.clone(),
        title: p.title.clone(),
    };
    Ok(config.policies.values().map(line).collect())
}

/// A row of `policy list`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PolicyLine {
    /// Name, which links name it by.
    pub name: String,
    /// Title.
    pub title: String,
}

/// `policy explain`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PolicyPage {
    /// Name, which links name it by.
    pub name: String,
    /// Title.
    pub title: String,
    /// Its rules.
    pub rules: Vec<RuleLine>,
}

/// A rule of a policy.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleLine {
    /// The rule.
    pub rule: String,
    /// Its value.
    pub value: String,
    /// The clause that it rests on.
    pub clause: String,
}

/// `policy explain`.
///
/// # Errors
/// There is no such policy.
pub fn explain(path: &Path, name: &str) -> Result<PolicyPage> {
    let config = config::load(path).map_err(|list| faults(&list))?;
    let policy = config.policies.get(name).ok_or_else(|| {
        Error::usage(format!("there is no policy '{name}'"))
            .hint("'batchward policy list' shows the policies")
    })?;
    let rules = policy.rules().into_iter().map(|(rule, value, clause)| RuleLine {
        rule: rule.to_owned(),
        value,
        clause: clause.to_owned(),
    });
    Ok(PolicyPage {
        name: policy.name.clone(),
        title: policy.title.clone(),
        rules: rules.collect(),
    })
}

/// `policy check`.
///
/// # Errors
/// The file cannot be read.
pub fn check_policy(path: &Path) -> Result<Vec<String>> {
    let list = config::check_policy(path);
    Ok(list.iter().map(ToString::to_string).collect())
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
