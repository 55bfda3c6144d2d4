//! Who can write what the agent believes, and what the agent can reach: configuration, keys, folders. Each fault
//! comes with the path and the command that mends it.
//!
//! Modes and owners as they are now are judged; whoever could write before they were mended may have done so.
//! Access control lists beyond the mode's bits are not read.

use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
};

use rustix::{
    fs::{Access, AtFlags, CWD, accessat},
    io::Errno,
};

use super::{
    agent::Agent,
    links::Draft,
    node::{Fault, FaultKind, Place},
    reader::Placed,
};
use crate::{
    adapters::root_key::RootKeySource,
    domain::{database::Database, notice::Wanted},
};

const GROUP_WRITE: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const OTHERS: u32 = 0o007;
const GROUP: u32 = 0o070;
const STICKY: u32 = 0o1000;

fn fault(path: &Path, what: &str, hint: &str) -> Fault {
    super::whole(path, what.to_owned(), Some(hint))
}

/// A file that is believed: nobody but its owner and root may write it, nor the folder that it lies in.
pub(super) fn file(path: &Path, own: u32, faults: &mut Vec<Fault>) {
    believed(path, own, faults);
    if let Some(parent) = path.parent() {
        let here = Path::new(".");
        believed(if parent.as_os_str().is_empty() { here } else { parent }, own, faults);
    }
}

/// The user whose agent this is: the owner of the state folder. Another user's command reads the same configuration
/// and is then told that the state is not theirs.
pub(super) fn owner(agent: &Agent) -> u32 {
    fs::metadata(&agent.state).map_or_else(|_| here(), |facts| facts.uid())
}

/// The user of this process.
pub(super) fn here() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn believed(path: &Path, own: u32, faults: &mut Vec<Fault>) {
    let Ok(facts) = fs::metadata(path) else { return };
    let shown = path.display();
    let by_others = facts.mode() & (GROUP_WRITE | OTHERS_WRITE);
    let shared_folder = facts.is_dir() && facts.mode() & STICKY != 0;
    if by_others != 0 && !shared_folder {
        let hint = format!("chmod go-w '{shown}'");
        let what = "others can write it, and so change what the agent believes";
        faults.push(fault(path, what, &hint));
    }
    if facts.uid() != 0 && facts.uid() != own {
        let hint = format!("chown root '{shown}'");
        let what = "it belongs to another user, who can change what the agent believes";
        faults.push(fault(path, what, &hint));
    }
}

/// The agent's own folders and keys.
pub(super) fn check(agent: &Agent, own: u32, faults: &mut Vec<Fault>) {
    let recipients = super::recipients::folder(agent);
    for folder in [&agent.links, &agent.layouts, &agent.policies].into_iter().chain(&recipients) {
        believed(folder, own, faults);
    }
    let shown = agent.state.display();
    match fs::metadata(&agent.state) {
        Ok(facts) if !facts.is_dir() => {
            let hint = format!("move '{shown}' away, or name another folder in 'state'");
            faults.push(fault(&agent.state, "the state folder is no folder", &hint));
        }
        Ok(facts) if facts.mode() & (GROUP | OTHERS) != 0 => {
            let hint = format!("chmod 700 '{shown}'");
            faults.push(fault(&agent.state, "others can reach the state folder", &hint));
        }
        // Whether a site is there, and whose, is asked by who opens it: `init` makes what is missing.
        Ok(_) | Err(_) => {}
    }
    for roots in agent.notices.iter().flat_map(Wanted::roots) {
        file(roots, own, faults);
    }
    if let Some(roots) = agent.vault.database.as_ref().and_then(Database::roots) {
        file(roots, own, faults);
    }
    if let RootKeySource::File(path) = &agent.root_key
        && let Ok(facts) = fs::metadata(path)
    {
        if facts.mode() & (GROUP | OTHERS) != 0 {
            let hint = format!("chmod 600 '{}'", path.display());
            faults.push(fault(path, "others can read the root key", &hint));
        }
        if let Some(parent) = path.parent() {
            believed(parent, own, faults);
        }
    }
}

/// Inboxes and keyboxes. What lies in an inbox is never believed, so its owner may be anybody.
pub(super) fn check_links(drafts: &BTreeMap<String, Draft>, own: u32, faults: &mut Vec<Fault>) {
    for (name, draft) in drafts {
        if let Some(Placed { value: path, at }) = &draft.inbox
            && !told(draft, *at, faults)
            && let Some(facts) = reached((name, "inbox"), path, own, faults)
            && facts.mode() & OTHERS_WRITE != 0
            && facts.mode() & STICKY == 0
        {
            let hint =
                format!("chmod o-w '{}' (the sender writes by owner or group)", path.display());
            faults.push(fault(path, "everybody can write the inbox", &hint));
        }
        if let Some(Placed { value: path, at }) = &draft.keybox
            && !told(draft, *at, faults)
            && let Some(facts) = reached((name, "keybox"), path, own, faults)
            && facts.mode() & (OTHERS | GROUP_WRITE) != 0
        {
            let hint = format!("chmod o-rwx,g-w '{}'", path.display());
            faults.push(fault(path, "others can reach the keybox", &hint));
        }
    }
}

/// Whether a path is a fault where it is named: then it is not looked at where it lies.
fn told(draft: &Draft, at: Place, faults: &[Fault]) -> bool {
    faults.iter().any(|f| f.file == draft.file && (f.line, f.column) == (at.line, at.column))
}

/// A folder that the agent works in: there, no link, and open to the agent's user.
fn reached(
    (link, what): (&str, &str),
    path: &Path,
    own: u32,
    faults: &mut Vec<Fault>,
) -> Option<Metadata> {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Ok(facts) if facts.is_dir() => {
            // What is taken over is then removed, so the agent writes here too.
            let wanted = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
            // One that is mounted for reading only is out of reach for as long as it is, like one that a running
            // agent was not given: it stops its own link, and no file has a fault.
            if here() == own
                && let Err(error) = accessat(CWD, path, wanted, AtFlags::EACCESS)
                && error != Errno::ROFS
            {
                let hint = format!("give the agent's user access: chgrp, chmod g+rwx '{shown}'");
                let text =
                    format!("the agent cannot read and write the {what} of '{link}': {error}");
                faults.push(fault(path, &text, &hint));
            }
            Some(facts)
        }
        Ok(facts) => {
            let kind = if facts.is_symlink() { "a symbolic link" } else { "no folder" };
            let hint =
                format!("move it away, then mkdir '{shown}', or name another path in the link");
            faults.push(fault(path, &format!("the {what} is {kind}"), &hint));
            None
        }
        Err(error) => {
            let hint = format!("mkdir -p '{shown}'");
            let fault = fault(path, &format!("the {what} of '{link}': {error}"), &hint);
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            let kind = if missing { FaultKind::NoFolder } else { FaultKind::Wrong };
            faults.push(Fault { kind, ..fault });
            None
        }
    }
}
