//! What the wipe asks of the kernel and no safe library of ours asks: where the contents of a file lie (FIEMAP), and
//! whether somebody else has it open (a lease that is tried and given back).
#![allow(unsafe_code, reason = "a named system module: two calls that only ask")]

use std::{fs::File, io, os::fd::AsRawFd};

/// Extents that are asked for at once.
const EXTENTS: usize = 128;
/// `FS_IOC_FIEMAP`, `_IOWR('f', 11, struct fiemap)` (linux/fs.h).
const FIEMAP: libc::Ioctl = 0xC020_660B_u32 as libc::Ioctl;
const FLAG_SYNC: u32 = 1;
/// `F_SETSIG` (linux/fcntl.h), which the library does not name.
const F_SETSIG: libc::c_int = 10;

/// Flags of an extent (linux/fiemap.h).
pub(super) mod flags {
    pub(crate) const LAST: u32 = 0x1;
    pub(crate) const UNKNOWN: u32 = 0x2;
    pub(crate) const DELALLOC: u32 = 0x4;
    pub(crate) const ENCODED: u32 = 0x8;
    pub(crate) const NOT_ALIGNED: u32 = 0x100;
    pub(crate) const INLINE: u32 = 0x200;
    pub(crate) const TAIL: u32 = 0x400;
    pub(crate) const SHARED: u32 = 0x2000;
}

/// One extent, all numbers in bytes (`struct fiemap_extent`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RawExtent {
    pub(super) logical: u64,
    pub(super) physical: u64,
    pub(super) length: u64,
    reserved: [u64; 2],
    pub(super) flags: u32,
    reserved_too: [u32; 3],
}

#[repr(C)]
struct Request {
    start: u64,
    length: u64,
    flags: u32,
    mapped: u32,
    count: u32,
    reserved: u32,
    extents: [RawExtent; EXTENTS],
}

/// Tells every extent of a file to `each`, in order; `sync` where contents not written yet are to be written first.
pub(super) fn extents(file: &File, sync: bool, mut each: impl FnMut(RawExtent)) -> io::Result<()> {
    let mut start = 0;
    loop {
        let mut request = Request {
            start,
            length: u64::MAX - start,
            flags: if sync { FLAG_SYNC } else { 0 },
            mapped: 0,
            count: u32::try_from(EXTENTS).unwrap_or(u32::MAX),
            reserved: 0,
            extents: [RawExtent::default(); EXTENTS],
        };
        // SAFETY: `request` is a `struct fiemap` with room for `count` extents, and lives through the call.
        let done = unsafe { libc::ioctl(file.as_raw_fd(), FIEMAP, &raw mut request) };
        if done != 0 {
            return Err(io::Error::last_os_error());
        }
        let mapped = (request.mapped as usize).min(EXTENTS);
        for extent in &request.extents[..mapped] {
            each(*extent);
            start = extent.logical.saturating_add(extent.length);
        }
        let last = request.extents[..mapped].last();
        if last.is_none_or(|extent| extent.flags & flags::LAST != 0 || extent.length == 0) {
            return Ok(());
        }
    }
}

/// Whether this file is open or mapped elsewhere, by a write lease, which the kernel gives only to a sole holder
/// (fcntl(2)); nothing where it gives none at all. It is given back at once.
pub(super) fn is_open_elsewhere(file: &File) -> Option<bool> {
    let fd = file.as_raw_fd();
    // SAFETY: numbers only. Who opens the file in this instant makes the kernel send a signal, which is one that is
    // ignored by default instead of SIGIO, which ends the process.
    if unsafe { libc::fcntl(fd, F_SETSIG, libc::SIGURG) } != 0 {
        return None;
    }
    // SAFETY: numbers only.
    let taken = unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_WRLCK) };
    let error = io::Error::last_os_error();
    // SAFETY: numbers only.
    unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_UNLCK) };
    match (taken, error.raw_os_error()) {
        (0, _) => Some(false),
        (_, Some(libc::EAGAIN)) => Some(true),
        _ => None,
    }
}
