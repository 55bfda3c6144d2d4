//! What `check` says of a configuration without a fault: nothing that must be mended, but what a person should know.
//!
//! Remarks never stop the agent. What an inbox's owner and modes allow is told here, since it decides how the
//! originals of a delivery can be removed (DESIGN 5).

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::Config;
use crate::{adapters::root_key::RootKeySource, domain::link::KeyMode};

/// Every remark, one a line.
#[must_use]
pub fn remarks(config: &Config) -> Vec<String> {
    let mut remarks = Vec::new();
    if let RootKeySource::File(path) = &config.agent.root_key {
        remarks.push(format!(
            "the root key is the file '{}': whoever copies it undoes a destruction of keys, which caps the \
             assurance; 'root_key: credential:NAME' keeps it from the disk",
            path.display()
        ));
    }
    for link in config.links.values() {
        remarks.push(format!("link '{}': {}", link.name, inbox(&link.inbox)));
        if link.signers.entries().is_empty() {
            remarks.push(format!(
                "link '{}': its list of signers is empty, so every delivery is quarantined",
                link.name
            ));
        }
        if link.key == KeyMode::Standing {
            remarks.push(format!(
                "link '{}': 'key: standing': one key of the agent opens every batch",
                link.name
            ));
        }
    }
    remarks
}

/// What the agent's user may do with what is dropped into a folder.
fn inbox(path: &Path) -> String {
    let Ok(facts) = fs::metadata(path) else {
        return format!("the inbox '{}' cannot be looked at", path.display());
    };
    let shown = format!(
        "the inbox '{}' belongs to user {} and group {}, mode {:04o}",
        path.display(),
        facts.uid(),
        facts.gid(),
        facts.mode() & 0o7777
    );
    let own = rustix::process::geteuid().as_raw();
    let sticky = facts.mode() & 0o1000 != 0;
    let may = match (own, facts.uid()) {
        (0, _) => "the agent can read, overwrite and remove what is dropped",
        (own, owner) if sticky && own != owner => {
            "the agent can copy what it may read, but not remove what is another user's: take the sticky bit away"
        }
        _ => {
            "the agent can read and overwrite what the sender's modes allow, and remove the rest without overwriting it"
        }
    };
    format!("{shown}: {may}")
}
