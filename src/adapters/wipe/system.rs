//! What the wipe asks of the kernel and no safe library of ours asks: where the contents of a file lie (FIEMAP), whether
//! it lies on a device of its own (xfs), whether somebody else has it open (a lease that is tried and given back); and that
//! a filesystem gives freed blocks back to its device (FITRIM).
#![allow(unsafe_code, reason = "a named system module: calls that ask, and a trim of what is free")]

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

/// Extents that are asked for at once.
const EXTENTS: usize = 128;
/// `FS_IOC_FIEMAP`, `_IOWR('f', 11, struct fiemap)` (linux/fs.h).
const FIEMAP: libc::Ioctl = 0xC020_660B_u32 as libc::Ioctl;
const FLAG_SYNC: u32 = 1;
/// `F_SETSIG` (linux/fcntl.h), which the library does not name.
const F_SETSIG: libc::c_int = 10;

/// Flags of an extent (linux/fiemap.h).
pub(in crate::adapters) mod flags {
    pub(crate) const LAST: u32 = 0x1;
    pub(crate) const UNKNOWN: u32 = 0x2;
    pub(crate) const DELALLOC: u32 = 0x4;
    pub(crate) const ENCODED: u32 = 0x8;
    pub(crate) const NOT_ALIGNED: u32 = 0x100;
    pub(crate) const INLINE: u32 = 0x200;
    pub(crate) const TAIL: u32 = 0x400;
    pub(crate) const SHARED: u32 = 0x2000;
    pub(crate) const UNWRITTEN: u32 = 0x800;
}

/// One extent, all numbers in bytes (`struct fiemap_extent`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::adapters) struct RawExtent {
    pub(in crate::adapters) logical: u64,
    pub(in crate::adapters) physical: u64,
    pub(in crate::adapters) length: u64,
    reserved: [u64; 2],
    pub(in crate::adapters) flags: u32,
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
pub(in crate::adapters) fn extents(
    file: &File,
    sync: bool,
    mut each: impl FnMut(RawExtent),
) -> io::Result<()> {
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

/// `struct fsxattr` (linux/fs.h), of which one flag is read.
#[repr(C)]
struct Attributes {
    flags: u32,
    others: [u32; 6],
}

/// `FS_IOC_FSGETXATTR`, `_IOR('X', 31, struct fsxattr)`.
const GET_ATTRIBUTES: libc::Ioctl = 0x801C_581F_u32 as libc::Ioctl;
/// `FS_XFLAG_REALTIME`.
const REALTIME: u32 = 1;

/// Whether the contents lie on a second device of the filesystem; yes where it is not told.
pub(in crate::adapters) fn is_realtime(file: &File) -> bool {
    let mut told = Attributes { flags: 0, others: [0; 6] };
    // SAFETY: `told` is a `struct fsxattr` (28 bytes), and lives through the call.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), GET_ATTRIBUTES, &raw mut told) };
    done != 0 || told.flags & REALTIME != 0
}

/// `struct fstrim_range` (linux/fs.h), in bytes.
#[repr(C)]
struct Range {
    start: u64,
    length: u64,
    least: u64,
}

/// `FITRIM`, `_IOWR('X', 121, struct fstrim_range)`.
const FITRIM: libc::Ioctl = 0xC018_5879_u32 as libc::Ioctl;

/// Has the filesystem give back to its device what is free in this range; how many bytes it gave.
pub(in crate::adapters) fn trim(
    folder: BorrowedFd<'_>,
    start: u64,
    length: u64,
) -> io::Result<u64> {
    let mut range = Range { start, length, least: 0 };
    // SAFETY: `range` is a `struct fstrim_range`, and lives through the call.
    let done = unsafe { libc::ioctl(folder.as_raw_fd(), FITRIM, &raw mut range) };
    if done == 0 { Ok(range.length) } else { Err(io::Error::last_os_error()) }
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
