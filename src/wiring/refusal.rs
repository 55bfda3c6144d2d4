//! Why a site is not opened: what is wrong, with its path, and whose move it is.
//!
//! A full disk, something out of reach, something lost and something changed are told apart, because each asks for
//! another act of a person. Nothing here writes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, AtFlags, CWD, accessat},
    io::Errno,
};

use super::{described, store::folders};
use crate::{
    adapters::{
        files::FileError,
        journal::{Journal, JournalError, Log},
        keystore::KeyStoreError,
        root_key::{RootKeyError, RootKeySource},
    },
    config::Agent,
    domain::entry::{Body, Entry},
    error::{Error, Exit},
    service::Result,
};

const RESTORE: &str = "put the state folder back as it was, from where it was copied to; the folder as it is may \
                       still be needed: keep it too";

/// A file of ours.
pub(super) fn file(error: &FileError) -> Error {
    match error {
        FileError::Io { path, source, .. }
            if source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            Error::new(Exit::Config, described(error)).hint(mend(path))
        }
        _ => super::file(error).into(),
    }
}

fn mend(path: &Path) -> String {
    let bits = if path.is_dir() { "u+rwx" } else { "u+rw" };
    format!("chmod {bits} '{}', and of the folders above it, as the agent's user", path.display())
}

/// The root key.
pub(super) fn root_key(error: &RootKeyError) -> Error {
    match error {
        RootKeyError::File(inner) if inner.is_missing() => Error::new(
            Exit::Config,
            described(error),
        )
        .hint(
            "put the root key back from where it was kept; a new one opens nothing of this state",
        ),
        RootKeyError::File(inner) => file(inner),
        RootKeyError::NoCredential { name } => {
            let hint = format!("seal it with 'systemd-creds encrypt --name={name}', name it in the unit, and start the agent by systemd: docs/service.md");
            Error::new(Exit::Config, described(error)).hint(hint)
        }
        RootKeyError::NoTerminal => Error::new(Exit::Config, described(error)).hint(
            "run it from a terminal, or pass the passphrase as the credential 'batchward.passphrase': docs/service.md",
        ),
        RootKeyError::WrongPassphrase { .. } => Error::new(Exit::Refused, described(error))
            .hint("type the passphrase that the root key was made with; without it nothing of this state opens"),
        _ => Error::new(Exit::Config, described(error)),
    }
}

/// The key store of a site that is there.
pub(super) fn key_store(error: &KeyStoreError, agent: &Agent) -> Error {
    let dir = agent.state.join("keys");
    match error {
        KeyStoreError::WrongRootKey => {
            let from = match &agent.root_key {
                RootKeySource::File(path) => format!(" (the root key is '{}')", path.display()),
                _ => String::new(),
            };
            Error::new(Exit::Config, format!("'{}': {error}{from}", dir.display()))
                .hint("put the root key back that this state was made with, or the state of this root key")
        }
        KeyStoreError::File(inner) => file(inner),
        KeyStoreError::Full { .. } => super::keys::error(error).into(),
        KeyStoreError::Missing { .. } => Error::new(Exit::Data, described(error)).hint(RESTORE),
        _ => Error::new(Exit::Data, format!("'{}': {}", dir.display(), described(error)))
            .hint(RESTORE),
    }
}

/// The journal of a site that is there.
pub(super) fn journal(error: &JournalError) -> Error {
    match error {
        JournalError::Sqlite { .. } => Error::new(Exit::Data, described(error))
            .hint("'batchward register verify' says what of it is whole"),
        _ => super::log::error(error).into(),
    }
}

/// Everything of the state that is there can be read and written. A folder that cannot be entered looks like one
/// that is empty, so this is asked before anything is taken for missing.
pub(super) fn reachable(state: &Path) -> Result<()> {
    let files = ["journal.db", "lock", "keys/slots.a", "keys/slots.b"].map(|name| state.join(name));
    let folders = folders(state);
    let all = [state.to_owned()].into_iter().chain(folders).map(|path| (path, true));
    for (path, folder) in all.chain(files.map(|path| (path, false))) {
        let search = if folder { Access::EXEC_OK } else { Access::empty() };
        let wanted = Access::READ_OK | Access::WRITE_OK | search;
        match accessat(CWD, &path, wanted, AtFlags::EACCESS) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(unreachable(&path, errno)),
        }
    }
    Ok(())
}

/// Something is not seen: it is not there, or it cannot be reached.
pub(super) fn absent(path: &Path, error: &std::io::Error, missing: impl Fn() -> Error) -> Error {
    match Errno::from_io_error(error) {
        Some(errno) if errno != Errno::NOENT => unreachable(path, errno),
        _ => missing(),
    }
}

fn unreachable(path: &Path, errno: Errno) -> Error {
    let why = std::io::Error::from(errno);
    let what = format!("cannot read and write '{}': {why}", path.display());
    if errno == Errno::ROFS {
        let hint = "the filesystem is mounted for reading only: mount it for writing";
        return Error::new(Exit::Unavailable, what).hint(hint);
    }
    Error::new(Exit::Config, what).hint(mend(path))
}

/// The journal is that of the site that `agent.yaml` names.
pub(super) fn same_site(journal: &Journal, agent: &Agent) -> Result<()> {
    if journal.size(Log::Register).map_err(|e| self::journal(&e))? == 0 {
        return Ok(());
    }
    // A first entry that is no entry is told by whoever folds the register.
    let first = journal.entry(Log::Register, 0).ok();
    let body = first.and_then(|bytes| Entry::from_bytes(&bytes).ok()).map(|entry| entry.body);
    match body {
        Some(Body::SiteCreated { site, .. }) if site != agent.site => {
            let what = format!(
                "'{}' is the state of the site '{site}', and agent.yaml says '{}'",
                agent.state.display(),
                agent.site
            );
            Err(Error::new(Exit::Config, what)
                .hint("name this site's own folder in 'state', or the name of that site in 'site'"))
        }
        _ => Ok(()),
    }
}

/// What `init` finds of a register that was: a second one under the same name is never begun.
pub(super) fn nothing_lost(state: &Path) -> Result<()> {
    let there = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|facts| facts.len() > 0);
    let journal = state.join("journal.db");
    let lost = |gone: &Path, left: &Path| {
        let what = format!("'{}' is missing, and '{}' is there", gone.display(), left.display());
        Err(Error::new(Exit::Data, what).hint(RESTORE))
    };
    let published = ["register/checkpoint", "access/checkpoint"].map(|name| state.join(name));
    if let Some(left) = published.iter().find(|path| there(path))
        && !there(&journal)
    {
        return lost(&journal, left);
    }
    let slots = ["keys/slots.a", "keys/slots.b"].map(|name| state.join(name));
    match slots.iter().find(|path| !there(path)) {
        // Without an entry the journal is one that a stop left behind.
        Some(gone) if there(&journal) && entries(&journal) => lost(gone, &journal),
        _ => Ok(()),
    }
}

fn entries(path: &Path) -> bool {
    Journal::open(path, "").and_then(|journal| journal.size(Log::Register)).is_ok_and(|n| n > 0)
}
