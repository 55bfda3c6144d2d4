//! What `check` says of a configuration without a fault: nothing that must be mended, but what a person should know.
//!
//! Remarks never stop the agent. What an inbox's owner and modes allow is told here, since it decides how the
//! originals of a delivery can be removed (DESIGN 5).

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::Config;
use crate::{
    adapters::root_key::RootKeySource,
    doctor::{Finding, Severity},
    domain::{
        link::{Container, KeyMode, Link},
        signers::AllowedSigners,
    },
};

const STICKY: u32 = 0o1000;

/// Every remark and warning.
#[must_use]
pub fn remarks(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    if let RootKeySource::File(path) = &config.agent.root_key {
        let what = format!("the root key is the file '{}'", path.display());
        let why = "whoever copies it together with the state undoes a destruction of keys";
        let fix = "'root_key: credential:NAME' in agent.yaml: docs/service.md";
        found.push(Finding::new(Severity::Warning, "root-key-file", what, why).fix(fix));
    }
    for (of, server) in config.servers() {
        found.extend(super::source_files::findings(of, server));
    }
    found.extend(config.agent.notices.iter().flat_map(super::notices::findings));
    for link in config.links.values() {
        found.push(inbox(&link.name, &link.inbox));
        if link.signers == AllowedSigners::default() {
            let what = format!("the list of signers of '{}' is empty", link.name);
            let why = "every delivery on it is quarantined";
            let fix = "put the provider's signing key into the file that 'signers' names";
            found.push(Finding::new(Severity::Warning, "signers-empty", what, why).fix(fix));
        }
        found.extend(lasting_key(link));
        found.extend(in_plain(link));
    }
    found
}

/// A key that opens more than one batch.
fn lasting_key(link: &Link) -> Option<Finding> {
    let why = match link.key {
        KeyMode::Separate => return None,
        KeyMode::Standing => "one key of the agent opens every batch of it",
        KeyMode::StandingPassphrase => {
            "one passphrase opens every batch of it, also those that are destroyed here"
        }
    };
    let what = format!("'{}' has 'key: {}'", link.name, link.key);
    let fix = "'key: separate', where the provider can send a key for each batch";
    Some(Finding::new(Severity::Remark, "key-standing", what, why).fix(fix))
}

/// What arrives without encryption.
fn in_plain(link: &Link) -> Option<Finding> {
    if link.container != Container::PlainByHand {
        return None;
    }
    let what = format!("'{}' has 'container: plain-by-hand'", link.name);
    let why = "what is handed over lies in its inbox in plain until it has been taken over";
    let fix = "an inbox on a filesystem in memory (tmpfs), or a container that is encrypted";
    Some(Finding::new(Severity::Warning, "container-plain", what, why).fix(fix))
}

/// Files and folders of a site whose access is decided by their mode.
#[must_use]
pub fn guarded(config: &Config) -> Vec<PathBuf> {
    let agent = &config.agent;
    let mut paths = vec![
        agent.file.clone(),
        agent.links.clone(),
        agent.layouts.clone(),
        agent.policies.clone(),
        agent.state.clone(),
    ];
    if let RootKeySource::File(path) | RootKeySource::Passphrase(path) = &agent.root_key {
        paths.push(path.clone());
    }
    paths.extend(config.links.values().map(|link| link.keybox.clone()));
    paths
}

/// What the agent's user may do with what is dropped into a folder.
fn inbox(link: &str, path: &Path) -> Finding {
    let of = |severity, what, why| Finding::new(severity, "inbox-access", what, why);
    let shown = path.display();
    let Ok(facts) = fs::metadata(path) else {
        let what = format!("the inbox '{shown}' of '{link}' cannot be looked at");
        return of(Severity::Warning, what, "nothing that arrives there is seen");
    };
    let own = rustix::process::geteuid().as_raw();
    let (mode, sticky) = (facts.mode() & 0o7777, facts.mode() & STICKY != 0);
    let what = format!(
        "the inbox '{shown}' of '{link}' belongs to user {} and group {}, mode {mode:04o}",
        facts.uid(),
        facts.gid()
    );
    match (own, facts.uid()) {
        (0, _) => of(
            Severity::Remark,
            what,
            "the agent runs as root: it can read, overwrite and remove what is dropped",
        ),
        (own, owner) if sticky && own != owner => of(
            Severity::Warning,
            what,
            "the agent can copy what it may read there, and remove nothing of another user's",
        )
        .fix(format!("chmod -t '{shown}'")),
        _ => of(
            Severity::Remark,
            what,
            "the agent reads and overwrites what the sender's modes allow, and removes the rest without overwriting it",
        ),
    }
}
