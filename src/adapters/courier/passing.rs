//! Handing one open socket over a socket: a connection's end to its process, or a connection to the agent.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::{
    super::postgres,
    wire::{self, Answer},
};
use crate::domain::source::SourceCode;

/// Connects for an agent that speaks to the server itself, gives it the connection and has no further part in it.
pub(super) fn hand_over(agent: &mut UnixStream, host: &str, port: u16) {
    let failed = |error: &io::Error| Answer::Failed {
        code: SourceCode::Unreachable,
        detail: error.to_string(),
    };
    match postgres::dial(host, port) {
        Ok(stream) => {
            if wire::send(agent, &Answer::Done {}, &[]).is_ok() {
                let _ = send(agent.as_fd(), stream.as_fd());
            }
        }
        Err(error) => drop(wire::send(agent, &failed(&error), &[])),
    }
}

pub(super) fn send(over: BorrowedFd<'_>, socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = [socket];
    if !control.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    sendmsg(over, &[IoSlice::new(&[1])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The next socket; nothing at the end, and where none came with the byte.
pub(super) fn receive(over: BorrowedFd<'_>) -> io::Result<Option<OwnedFd>> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut byte)];
    let got = recvmsg(over, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let sockets = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    let socket = sockets.flatten().next();
    Ok(socket.filter(|_| got.bytes > 0))
}
