//! The sockets: made where nobody else answers, each for the owner and one group (DESIGN 5).
//!
//! A socket that a dead agent left is replaced, one that a living agent answers at never. Who holds the folder's
//! lock looks and binds, so that two agents that start at once do not remove each other's socket.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::{MetadataExt, PermissionsExt},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, FileType, FlockOperation, Gid, Mode, OFlags},
    process::{getegid, geteuid},
};
use tokio::net::UnixListener;

use crate::{
    error::{Error, Exit},
    service::Result,
};

const MODE: u32 = 0o660;
const FOLDER_MODE: u32 = 0o750;

/// Which socket it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Door<'a> {
    path: &'a Path,
    /// The field of `agent.yaml` that names it.
    field: &'static str,
    /// Who may connect besides the owner, where the machine has that group.
    group: &'static str,
}

impl<'a> Door<'a> {
    /// For commands.
    pub(super) const fn control(path: &'a Path) -> Self {
        Self { path, field: "socket", group: "batchward" }
    }

    /// For services, which have no business at the other one.
    pub(super) const fn services(path: &'a Path) -> Self {
        Self { path, field: "api", group: "batchward-api" }
    }

    fn failed(&self, why: &dyn std::fmt::Display) -> Error {
        let field = self.field;
        Error::new(Exit::Config, format!("the socket '{}': {why}", self.path.display())).hint(
            format!(
                "its folder must be the agent's own; '{field}' in agent.yaml names another path"
            ),
        )
    }

    fn homeless(&self, why: &dyn std::fmt::Display) -> Error {
        let (folder, field) = (self.path.parent().unwrap_or(Path::new("/")), self.field);
        let what = format!("the folder of the socket '{}': {why}", folder.display());
        Error::new(Exit::Config, what)
            .hint(format!("make it for the agent's user, or name another path in '{field}'"))
    }
}

/// The socket, removed when the agent ends.
pub(super) struct Control {
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// The file that is ours: another one in its place stays.
    file: (u64, u64),
}

/// Makes the folder of the socket, where it is missing. Before the process confines itself.
///
/// # Errors
/// It cannot be made.
pub(super) fn folder(door: Door<'_>) -> Result<()> {
    let Some(folder) = door.path.parent() else { return Ok(()) };
    if folder.exists() {
        return Ok(());
    }
    fs::create_dir(folder).map_err(|error| door.homeless(&error))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(FOLDER_MODE))
        .map_err(|error| door.homeless(&error))?;
    if let Some(group) = group(door.group) {
        // Without the right to give it away, the folder is the owner's alone.
        let _ = rustix::fs::chown(folder, None, Some(group));
    }
    Ok(())
}

impl Control {
    /// Binds the socket.
    ///
    /// # Errors
    /// Another agent answers there, others could put a socket of their own in its place, or it cannot be made.
    pub(super) fn bind(door: Door<'_>) -> Result<Self> {
        let path = door.path;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let failed = |error: &dyn std::fmt::Display| door.failed(error);
        owned(door, folder)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let lock =
            rustix::fs::open(folder, flags, Mode::empty()).map_err(|errno| failed(&errno))?;
        rustix::fs::flock(&lock, FlockOperation::LockExclusive).map_err(|errno| failed(&errno))?;
        replaceable(door)?;
        let bound = std::os::unix::net::UnixListener::bind(path).map_err(|error| failed(&error))?;
        bound.set_nonblocking(true).map_err(|error| failed(&error))?;
        if let Some(group) = group(door.group).filter(|group| *group != getegid()) {
            // Only a user with the right, or a member, can: else the socket is the owner's alone.
            if rustix::fs::chown(path, None, Some(group)).is_err() {
                let (field, group) = (door.field, door.group);
                tracing::warn!(field, group, "a socket could not be given to its group");
            }
        }
        fs::set_permissions(path, fs::Permissions::from_mode(MODE))
            .map_err(|error| failed(&error))?;
        let about = fs::symlink_metadata(path).map_err(|error| failed(&error))?;
        let listener = UnixListener::from_std(bound).map_err(|error| failed(&error))?;
        Ok(Self { listener, path: path.to_owned(), file: (about.dev(), about.ino()) })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path);
        if ours.is_ok_and(|about| (about.dev(), about.ino()) == self.file) {
            let _ = rustix::fs::unlink(&self.path);
        }
    }
}

/// A folder in which nobody but its owner, who is this user or root, can put a socket in place of ours.
fn owned(door: Door<'_>, folder: &Path) -> Result<()> {
    let about = fs::metadata(folder).map_err(|error| door.homeless(&error))?;
    let trusted = [geteuid().as_raw(), 0].contains(&about.uid());
    if trusted && about.mode() & 0o022 == 0 {
        return Ok(());
    }
    let what = format!("others can put a socket of their own into '{}'", folder.display());
    Err(Error::new(Exit::Config, what).hint(format!(
        "chmod go-w '{}', and chown it to the agent's user; or name another path in '{}'",
        folder.display(),
        door.field
    )))
}

/// Makes room where a dead agent left its socket.
fn replaceable(door: Door<'_>) -> Result<()> {
    let path = door.path;
    let taken = |what: &str| {
        Err(Error::new(Exit::Unavailable, format!("'{}' {what}", path.display()))
            .hint(format!("two sites have two sockets: name another path in '{}'", door.field)))
    };
    let Ok(about) = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) else {
        return Ok(());
    };
    if FileType::from_raw_mode(about.st_mode) != FileType::Socket {
        return taken("is something else than a socket");
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => rustix::fs::unlink(path)
            .map_err(|errno| {
                Error::new(Exit::Config, format!("the stale socket '{}': {errno}", path.display()))
            }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Ok(_) => taken("is the socket of another agent that runs"),
        Err(error) => taken(&format!("cannot be tried: {error}")),
    }
}

/// The number of a group, where this machine has it.
fn group(wanted: &str) -> Option<Gid> {
    let text = fs::read_to_string("/etc/group").ok()?;
    let mut lines = text.lines().map(|line| line.split(':'));
    lines.find_map(|mut parts| {
        let name = parts.next()?;
        let number = parts.nth(1)?.parse().ok()?;
        (name == wanted).then(|| Gid::from_raw(number))
    })
}
