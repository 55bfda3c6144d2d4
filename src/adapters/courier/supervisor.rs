//! The courier itself: starts a process of its own for each connection, and does nothing else.
//!
//! It is started by the agent before that one takes the network and other programs from itself. It takes from itself every
//! path but the libraries of this program and what names are looked up by, and every port but those of the links. What it
//! starts inherits that, and takes more away before it says a word to a server.

use std::{
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{FdFlags, fcntl_setfd},
    process::{Resource, Rlimit, setrlimit},
};

use super::{passing, wire};
use crate::{
    adapters::{
        landlock::{self, Right},
        process,
    },
    domain::limits::{COURIER_MEMORY_BYTES_MAX, REMOTE_SESSIONS_MAX},
};

/// What a program is started with, and names of hosts are found by.
const PROGRAM: [&str; 6] =
    ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/etc/ld.so.cache"];
const NAMES: [&str; 7] = [
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/run/systemd/resolve",
];
/// Name servers that answer at length do so by TCP.
const NAME_SERVER_PORT: u16 = 53;

/// Where the agent's socket is in each of the processes.
fn line() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    stdin.as_fd().try_clone_to_owned()
}

/// Serves the agent until it is gone.
///
/// # Errors
/// Nobody who says what is wanted started it, or it cannot confine itself.
pub fn serve() -> io::Result<()> {
    let _ = process::harden();
    let mut control = UnixStream::from(line()?);
    let (setup, _) = wire::receive::<wire::Setup>(&mut control)?
        .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    let program = std::fs::read_link("/proc/self/exe")?;
    confine(&setup.ports, &program)?;
    let mut running: Vec<Child> = Vec::new();
    // From here on it can do what it says it can.
    wire::send(&mut control, &wire::Answer::Done {}, &[])?;
    while wait(&control, &mut running)? {
        let Some(socket) = passing::receive(control.as_fd())? else { break };
        running.retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_)) | Err(_)));
        // Whoever comes when all are busy finds nobody at the other end.
        if running.len() < REMOTE_SESSIONS_MAX {
            running.extend(session_process(socket));
        }
    }
    for child in &mut running {
        let _ = child.kill();
    }
    Ok(())
}

/// Waits for a message, and takes back who has ended meanwhile. False where the agent is gone.
fn wait(control: &UnixStream, running: &mut Vec<Child>) -> io::Result<bool> {
    loop {
        let mut polled = [PollFd::new(control, PollFlags::IN)];
        let second = rustix::time::Timespec { tv_sec: 1, tv_nsec: 0 };
        match poll(&mut polled, Some(&second)) {
            Ok(0) => running.retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_)) | Err(_))),
            Ok(_) => return Ok(polled[0].revents().contains(PollFlags::IN)),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn session_process(socket: OwnedFd) -> Option<Child> {
    Command::new("/proc/self/exe")
        .args(["courier", "--session"])
        .stdin(Stdio::from(socket))
        .spawn()
        .ok()
}

fn confine(ports: &[u16], program: &std::path::Path) -> io::Result<()> {
    let run = PROGRAM.iter().map(|path| (PathBuf::from(path), Right::Run));
    let names = NAMES.iter().map(|path| (PathBuf::from(path), Right::Read));
    let own = [(program.to_owned(), Right::Run)];
    let folders: Vec<(PathBuf, Right)> = run.chain(names).chain(own).collect();
    let ports: Vec<u16> = ports.iter().copied().chain([NAME_SERVER_PORT]).collect();
    landlock::confine_to(&folders, &ports).map_err(io::Error::other)?;
    Ok(())
}

/// One connection: confines itself further, and answers the agent until it is gone.
///
/// # Errors
/// Nobody started it as it should be.
pub fn session() -> io::Result<()> {
    let _ = process::harden();
    let socket = line()?;
    // Nothing that it could start would have the line.
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    let most = Some(COURIER_MEMORY_BYTES_MAX);
    // The shipped unit takes this call away; what the library asks for ahead is bounded in any case.
    let _ = setrlimit(Resource::Data, Rlimit { current: most, maximum: most });
    let names = NAMES.iter().map(|path| (PathBuf::from(path), Right::Read));
    // Modules of the name service are libraries.
    let libraries = PROGRAM.iter().map(|path| (PathBuf::from(path), Right::Read));
    let folders: Vec<(PathBuf, Right)> = names.chain(libraries).collect();
    landlock::confine_files(&folders).map_err(io::Error::other)?;
    super::session::answer_all(&mut UnixStream::from(socket));
    Ok(())
}

/// Starts the courier. To be called before the process takes other programs from itself.
///
/// # Errors
/// It cannot be started, or does not answer in time.
pub(super) fn start(
    program: &std::path::Path,
    ports: &[u16],
    agent: Option<&std::path::Path>,
) -> io::Result<(UnixStream, Child)> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut command = Command::new(program);
    command.arg("courier").env_clear().current_dir("/").stdout(Stdio::null());
    if let Some(socket) = agent {
        // libssh2 finds an ssh-agent by this name only.
        command.env("SSH_AUTH_SOCK", socket);
    }
    let child = command.stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
    wire::send(&mut ours, &wire::Setup { ports: ports.to_vec() }, &[])?;
    ours.set_read_timeout(Some(Duration::from_secs(10)))?;
    match wire::receive::<wire::Answer>(&mut ours)? {
        Some((wire::Answer::Done {}, _)) => Ok((ours, child)),
        _ => Err(io::Error::other("the courier did not confine itself")),
    }
}
