//! Who can write what the agent believes: configuration, keys, folders. Each fault comes with the command that mends
//! it.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path};

use super::{agent::Agent, node::Fault};
use crate::{adapters::root_key::RootKeySource, domain::link::Link};

const GROUP_WRITE: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const OTHERS: u32 = 0o007;
const GROUP: u32 = 0o070;
const STICKY: u32 = 0o1000;

fn fault(path: &Path, what: &str, hint: &str) -> Fault {
    super::whole(path, what.to_owned(), Some(hint))
}

/// A file that is believed: nobody but its owner and root may write it, nor the folder that it lies in.
pub(super) fn file(path: &Path, faults: &mut Vec<Fault>) {
    believed(path, faults);
    if let Some(parent) = path.parent() {
        believed(parent, faults);
    }
}

fn believed(path: &Path, faults: &mut Vec<Fault>) {
    let Ok(facts) = fs::metadata(path) else { return };
    let shown = path.display();
    let by_others = facts.mode() & (GROUP_WRITE | OTHERS_WRITE);
    let shared_folder = facts.is_dir() && facts.mode() & STICKY != 0;
    if by_others != 0 && !shared_folder {
        let hint = format!("chmod go-w '{shown}'");
        faults.push(fault(
            path,
            "others can write it, and so change what the agent believes",
            &hint,
        ));
    }
    let own = rustix::process::geteuid().as_raw();
    if facts.uid() != 0 && facts.uid() != own {
        let hint = format!("chown root '{shown}'");
        faults.push(fault(
            path,
            "it belongs to another user, who can change what the agent believes",
            &hint,
        ));
    }
}

/// The agent's own folders and keys.
pub(super) fn check(agent: &Agent, faults: &mut Vec<Fault>) {
    for folder in [&agent.links, &agent.layouts, &agent.policies] {
        believed(folder, faults);
    }
    if let Ok(facts) = fs::metadata(&agent.state)
        && facts.mode() & (GROUP | OTHERS) != 0
    {
        let hint = format!("chmod 700 '{}'", agent.state.display());
        faults.push(fault(&agent.state, "others can reach the state folder", &hint));
    }
    if let RootKeySource::File(path) = &agent.root_key
        && let Ok(facts) = fs::metadata(path)
        && facts.mode() & (GROUP | OTHERS) != 0
    {
        let hint = format!("chmod 600 '{}'", path.display());
        faults.push(fault(path, "others can read the root key", &hint));
    }
}

/// Keyboxes and inboxes.
pub(super) fn check_links(links: &BTreeMap<String, Link>, faults: &mut Vec<Fault>) {
    for link in links.values() {
        for (path, what) in [(&link.inbox, "inbox"), (&link.keybox, "keybox")] {
            match fs::symlink_metadata(path) {
                Ok(facts) if facts.is_dir() => {}
                Ok(_) => {
                    faults.push(fault(path, &format!("the {what} is no folder"), "make it one"));
                }
                Err(error) => {
                    let hint = format!("mkdir -p '{}'", path.display());
                    faults.push(fault(
                        path,
                        &format!("the {what} of '{}': {error}", link.name),
                        &hint,
                    ));
                }
            }
        }
        if let Ok(facts) = fs::metadata(&link.inbox)
            && facts.mode() & OTHERS_WRITE != 0
            && facts.mode() & STICKY == 0
        {
            let hint = format!(
                "chmod o-w '{}' (the sender writes by owner or group)",
                link.inbox.display()
            );
            faults.push(fault(&link.inbox, "everybody can write the inbox", &hint));
        }
        if let Ok(facts) = fs::metadata(&link.keybox)
            && facts.mode() & (OTHERS | GROUP_WRITE) != 0
        {
            let hint = format!("chmod o-rwx,g-w '{}'", link.keybox.display());
            faults.push(fault(&link.keybox, "others can reach the keybox", &hint));
        }
    }
}
