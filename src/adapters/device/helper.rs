//! The helper itself: listens, answers one user, and can do nothing else.
//!
//! It is the one part of this program that root runs, so it takes no path, no name and no contents from anybody: an open
//! regular file and a number, or an open folder. Who asks is who the kernel says it is. It gives up every right but the
//! one that FITRIM takes, and every path but those of devices, before it takes the first question.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::{FileTypeExt, PermissionsExt},
    },
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{SocketAddrUnix, SocketFlags, accept_with, bind, listen, sockopt},
    thread::{
        CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities,
    },
};

use super::{
    raw::{self, OnDevice, Why},
    wire::{self, Answer, Ask},
};
use crate::adapters::{
    entropy::Noise,
    landlock::{self, Right},
};

/// Questions that are answered at once.
const CONNECTIONS_MAX: usize = 8;
/// Connections that wait.
const BACKLOG: i32 = 16;
/// A connection that asks nothing for so long is closed: between its two questions a file is only unlinked.
const IDLE: Duration = Duration::from_secs(600);

/// Why the helper does not run.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// The socket cannot be made, or something else lies there.
    #[error("cannot listen at '{}'", path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It could not give up what it does not need.
    #[error("cannot give up what a device helper does not need")]
    Privileges(#[source] io::Error),
}

/// Answers the user `uid` at `socket`, for good.
///
/// # Errors
/// [`HelperError`].
pub fn serve(socket: &Path, uid: u32) -> Result<std::convert::Infallible, HelperError> {
    let failed = |source| HelperError::Socket { path: socket.to_owned(), source };
    let listener = listening(socket).map_err(failed)?;
    confine().map_err(HelperError::Privileges)?;
    let busy = Arc::new(());
    loop {
        let line = match accept_with(&listener, SocketFlags::CLOEXEC) {
            Ok(line) => line,
            Err(Errno::INTR | Errno::CONNABORTED) => continue,
            Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                thread::sleep(Duration::from_secs(1));
                continue;
            }
            Err(errno) => return Err(failed(errno.into())),
        };
        let peer = sockopt::socket_peercred(&line).map(|peer| peer.uid.as_raw());
        if peer != Ok(uid) {
            // Closed without a word.
            continue;
        }
        // Whoever comes when all are busy is not answered, and does without.
        if Arc::strong_count(&busy) <= CONNECTIONS_MAX {
            let busy = Arc::clone(&busy);
            let answering = thread::Builder::new().name("device".to_owned());
            let _ = answering.spawn(move || {
                let _busy = busy;
                answer_all(&line);
            });
        }
    }
}

fn listening(path: &Path) -> io::Result<OwnedFd> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => rustix::fs::unlink(path)?,
        Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = wire::socket()?;
    bind(&listener, &SocketAddrUnix::new(path)?)?;
    // Who may ask is judged by who asks; to give the file to one user would take one more right.
    fs::set_permissions(path, fs::Permissions::from_mode(0o666))?;
    listen(&listener, BACKLOG)?;
    Ok(listener)
}

/// Gives up every right but that of FITRIM, and every path but those of devices.
fn confine() -> io::Result<()> {
    const KEPT: CapabilitySet = CapabilitySet::SYS_ADMIN;
    let devices = [(PathBuf::from("/dev"), Right::Read)];
    landlock::confine(&devices).map_err(io::Error::other)?;
    for one in CapabilitySet::all().difference(KEPT).iter() {
        match remove_capability_from_bounding_set(one) {
            // Of a right that this kernel does not know; or the right to give rights up is gone already.
            Ok(()) | Err(Errno::INVAL | Errno::PERM) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    // It has no secret, and without the right to lock memory a lock on all of it would leave none for a thread.
    rustix::mm::munlockall()?;
    // Only what there is of it: an unprivileged helper reads no device, and says so for each file.
    let kept = rustix::thread::capabilities(None)?.permitted & KEPT;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: none })?;
    Ok(())
}

/// Answers one connection until its end, or until it says something that is no question.
fn answer_all(line: &OwnedFd) {
    let mut gone = None;
    let _ = sockopt::set_socket_timeout(line, sockopt::Timeout::Recv, Some(IDLE));
    let _ = sockopt::set_socket_timeout(line, sockopt::Timeout::Send, Some(IDLE));
    while let Ok(Some((ask, with))) = wire::receive::<Ask>(line.as_fd()) {
        let answer = answer(&ask, with, &mut gone)
            .unwrap_or_else(|why| Answer::Cannot { why: why.code().to_owned() });
        if wire::send(line.as_fd(), &answer, None).is_err() {
            return;
        }
    }
}

/// One answer. `gone` is the file that this connection compared last.
pub(super) fn answer(
    ask: &Ask,
    with: Option<OwnedFd>,
    gone: &mut Option<OnDevice>,
) -> Result<Answer, Why> {
    match ask {
        Ask::Hello {} => Ok(Answer::Here),
        Ask::Compare { len, seed } => {
            *gone = None;
            let file = File::from(with.ok_or(Why::Kind)?);
            let noise = wire::seed(seed).map(Noise::from_seed).ok_or(Why::Length)?;
            let found = raw::find(&file, *len)?;
            if !found.holds(&noise)? {
                return Ok(Answer::NotEqual);
            }
            *gone = Some(found);
            Ok(Answer::Equal)
        }
        Ask::Trim {} => {
            let folder = with.ok_or(Why::Kind)?;
            let (bytes, covered) = raw::give_back(folder.as_fd(), gone.take().as_ref())?;
            Ok(Answer::Trimmed { bytes, covered })
        }
    }
}
