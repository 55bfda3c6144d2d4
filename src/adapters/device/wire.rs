//! What agent and device helper say to each other: one packet each way (`SOCK_SEQPACKET`), JSON of a closed form, and
//! with a question at most one open file. It is no wire form that is kept: both ends are the same program.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{BorrowedFd, OwnedFd},
    path::Path,
    time::Duration,
};

use data_encoding::HEXLOWER;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
    connect as connect_to, recvmsg, sendmsg, socket_with, sockopt,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Bytes of a packet.
const PACKET: usize = 512;
/// Seconds that an answer may take, and one more for each so many bytes that are to be read.
const ANSWER_SECONDS: u64 = 120;
const BYTES_A_SECOND: u64 = 4 << 20;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Ask {
    /// Is anybody there?
    Hello {},
    /// Does the device hold, in all places of this file, the noise that grows from this seed?
    Compare {
        /// Bytes of the file.
        len: u64,
        /// The seed, in hex.
        seed: String,
    },
    /// Give what this folder's filesystem freed back to the device.
    Trim {},
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Answer {
    /// The helper is there.
    Here,
    /// The device holds what was asked for.
    Equal,
    /// It holds something else.
    NotEqual,
    /// It cannot be told.
    Cannot {
        /// Why, as a code.
        why: String,
    },
    /// The filesystem gave so many bytes back.
    Trimmed {
        /// Bytes.
        bytes: u64,
        /// As [`super::Trimmed::covered`].
        covered: bool,
    },
}

pub(super) fn hex(seed: &[u8]) -> String {
    HEXLOWER.encode(seed)
}

pub(super) fn seed(text: &str) -> Option<[u8; 32]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

pub(super) fn socket() -> io::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

pub(super) fn connect(path: &Path) -> io::Result<OwnedFd> {
    let socket = socket()?;
    // What is at the other end decides only what is added to a report, and it must be root for that.
    connect_to(&socket, &SocketAddrUnix::new(path)?)?;
    let peer = sockopt::socket_peercred(&socket)?;
    if peer.uid.is_root() { Ok(socket) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Gives an answer the time that the question may take.
pub(super) fn wait_for(socket: BorrowedFd<'_>, ask: &Ask) -> io::Result<()> {
    let bytes = if let Ask::Compare { len, .. } = ask { *len } else { 0 };
    let seconds = ANSWER_SECONDS + bytes / BYTES_A_SECOND;
    let seconds = if matches!(ask, Ask::Trim {}) { seconds * 30 } else { seconds };
    Ok(sockopt::set_socket_timeout(
        socket,
        sockopt::Timeout::Recv,
        Some(Duration::from_secs(seconds)),
    )?)
}

pub(super) fn send(
    socket: BorrowedFd<'_>,
    message: &impl Serialize,
    with: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files: Vec<BorrowedFd<'_>> = with.into_iter().collect();
    if !files.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    sendmsg(socket, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The next packet and the file that came with it; nothing at the end.
pub(super) fn receive<M: DeserializeOwned>(
    socket: BorrowedFd<'_>,
) -> io::Result<Option<(M, Option<OwnedFd>)>> {
    let mut bytes = [0; PACKET];
    // Room for one file: the kernel closes what does not fit, and says that it did.
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let got = recvmsg(socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let files = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    let file = files.flatten().next();
    if got.bytes == 0 {
        return Ok(None);
    }
    if got.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(Some((serde_json::from_slice(&bytes[..got.bytes])?, file)))
}
