//! One pass over a file, and reading back what it wrote past the memory of the machine.
//!
//! Large files are written past that memory too (`O_DIRECT`), by two threads, and read back by a third while the rest is
//! written: the disk works all the time, and nothing else is pushed out of memory. Small ones are written through it,
//! synced by the caller, many at once, and then read back.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use rustix::io::Errno;

use super::WipeError;
use crate::{
    adapters::{entropy::Noise, fault},
    domain::wipe::ReadBack,
};

/// Bytes that are written at once.
pub(in crate::adapters) const PIECE: usize = 1 << 20;
/// What `O_DIRECT` asks of addresses, offsets and lengths at most.
const BLOCK: usize = 4096;
/// From this length on a file is written past memory.
const LARGE: u64 = 4 << 20;
/// Pieces that are written before they are read back.
const AHEAD: usize = 16;

/// A file that is to be overwritten.
pub(super) struct Target<'a> {
    pub(super) file: &'a File,
    /// The same file past the memory of the machine, where the filesystem allows that.
    pub(super) direct: Option<&'a File>,
    pub(super) len: u64,
}

/// What a pass came to.
pub(super) enum Passed {
    /// Written; to be synced and then read back with the noise.
    Written(Noise),
    /// Written and read back already, but for the tail.
    Compared(Noise, bool),
    /// The filesystem had no room.
    NoSpace,
}

/// Memory that `O_DIRECT` can use.
pub(in crate::adapters) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

impl Buffer {
    pub(in crate::adapters) fn new() -> Self {
        let bytes = vec![0; PIECE + BLOCK];
        let start = bytes.as_ptr().align_offset(BLOCK).min(BLOCK);
        Self { bytes, start }
    }

    /// All of it.
    pub(in crate::adapters) fn whole(&mut self) -> &mut [u8] {
        self.get(PIECE)
    }

    fn get(&mut self, len: usize) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + len]
    }
}

/// Writes noise over all of it. It is random so that neither compression nor deduplication below can leave the old
/// blocks where they are.
pub(super) fn overwrite(target: &Target<'_>, buffer: &mut Buffer) -> Result<Passed, WipeError> {
    let noise = Noise::new().map_err(refused)?;
    let write = fault::Write::begin("wipe overwrite");
    let written = match target.direct {
        Some(direct) if target.len >= LARGE => large(target, direct, &noise, buffer, &write),
        _ => small(target, &noise, buffer, 0, Some(&write)).map(|()| None),
    };
    match written {
        Ok(compared) => {
            write.end();
            Ok(match compared {
                None => Passed::Written(noise),
                Some(same) => Passed::Compared(noise, same),
            })
        }
        Err(source) => match Errno::from_io_error(&source) {
            Some(Errno::NOSPC | Errno::DQUOT) => Ok(Passed::NoSpace),
            _ => Err(WipeError::Io { doing: "overwrite", source }),
        },
    }
}

fn refused(error: crate::adapters::entropy::EntropyError) -> WipeError {
    WipeError::Io { doing: "overwrite", source: io::Error::other(error) }
}

/// From `from` on, through memory.
fn small(
    target: &Target<'_>,
    noise: &Noise,
    buffer: &mut Buffer,
    from: u64,
    write: Option<&fault::Write>,
) -> io::Result<()> {
    let mut at = from;
    while at < target.len {
        let len = usize::try_from(target.len - at).unwrap_or(PIECE).min(PIECE);
        let bytes = buffer.get(len);
        noise.fill(at / PIECE as u64, bytes).map_err(io::Error::other)?;
        // A tail may begin within a piece, and never ends beyond it.
        target.file.write_all_at(bytes, at)?;
        if let Some(write) = write.filter(|_| at == 0) {
            write.middle();
        }
        at += len as u64;
    }
    Ok(())
}

/// Past memory, by two threads that take turns, so that one makes noise while the other's is written, and a third that
/// reads back; whether all was read back as it was written, but for the tail that is no whole piece. Nothing where the
/// filesystem refuses this way after all: then all was written the other.
fn large(
    target: &Target<'_>,
    direct: &File,
    noise: &Noise,
    buffer: &mut Buffer,
    write: &fault::Write,
) -> io::Result<Option<bool>> {
    let pieces = target.len / PIECE as u64;
    let (tell, told) = sync_channel(AHEAD);
    let written = thread::scope(|scope| {
        let thread = |name: &str| thread::Builder::new().name(name.to_owned());
        let reader = thread("wipe-read")
            .spawn_scoped(scope, move || compare_pieces(direct, noise, &told))?;
        let odd = tell.clone();
        let other = thread("wipe-write").spawn_scoped(scope, move || {
            write_pieces(direct, noise, (1..pieces).step_by(2), &mut Buffer::new(), &odd, None)
        })?;
        let even = (0..pieces).step_by(2);
        let own = write_pieces(direct, noise, even, buffer, &tell, Some(write));
        drop(tell);
        let other = other.join().map_err(|_| io::Error::other("a writing thread failed"))?;
        let read = reader.join().map_err(|_| io::Error::other("the reading thread failed"))?;
        // Each is asked for its error; the reader's is told last.
        let done = own? && other?;
        Ok::<_, io::Error>(done.then_some(read?))
    })?;
    let rest = if written.is_some() { pieces * PIECE as u64 } else { 0 };
    small(target, noise, buffer, rest, None)?;
    Ok(written)
}

/// Writes these pieces past memory and tells each; whether the filesystem lets them be written so.
fn write_pieces(
    direct: &File,
    noise: &Noise,
    pieces: impl Iterator<Item = u64>,
    buffer: &mut Buffer,
    tell: &SyncSender<u64>,
    write: Option<&fault::Write>,
) -> io::Result<bool> {
    let mut first = true;
    for piece in pieces {
        let bytes = buffer.get(PIECE);
        noise.fill(piece, bytes).map_err(io::Error::other)?;
        match direct.write_all_at(bytes, piece * PIECE as u64) {
            Ok(()) => {}
            // Some filesystems open a file this way and then do not write so.
            Err(e) if first && Errno::from_io_error(&e) == Some(Errno::INVAL) => return Ok(false),
            Err(e) => return Err(e),
        }
        if let Some(write) = write.filter(|_| first) {
            write.middle();
        }
        first = false;
        if tell.send(piece).is_err() {
            break; // the reader has met an error, which it gives back
        }
    }
    Ok(true)
}

/// Reads back what is told as written; whether it is what was written.
fn compare_pieces(direct: &File, noise: &Noise, told: &Receiver<u64>) -> io::Result<bool> {
    let (mut found, mut wanted) = (Buffer::new(), Buffer::new());
    let mut same = true;
    for piece in told {
        let found = found.get(PIECE);
        direct.read_exact_at(found, piece * PIECE as u64)?;
        let wanted = wanted.get(PIECE);
        noise.fill(piece, wanted).map_err(io::Error::other)?;
        same &= found == wanted;
    }
    Ok(same)
}

/// Reads back a file that is synced, from `from` on; whether it holds what was written, and how that was seen.
pub(super) fn compare(
    target: &Target<'_>,
    noise: &Noise,
    buffer: &mut Buffer,
    wanted: &mut Buffer,
    from: u64,
) -> io::Result<(bool, ReadBack)> {
    let way = if target.direct.is_some() { ReadBack::Direct } else { ReadBack::Memory };
    let file = target.direct.unwrap_or(target.file);
    let mut at = from;
    while at < target.len {
        let len = usize::try_from(target.len - at).unwrap_or(PIECE).min(PIECE);
        // Whole blocks are asked for, and the end of the file ends them.
        let blocks = len.next_multiple_of(BLOCK);
        let found = buffer.get(blocks);
        let mut got = 0;
        while got < len {
            match file.read_at(&mut found[got..], at + got as u64) {
                Ok(0) => return Ok((false, way)),
                Ok(count) => got += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let wanted = wanted.get(len);
        noise.fill(at / PIECE as u64, wanted).map_err(io::Error::other)?;
        if found[..len] != *wanted {
            return Ok((false, way));
        }
        at += len as u64;
    }
    Ok((true, way))
}

/// Where reading back after the sync begins: what [`Passed::Compared`] has seen lies before it.
pub(super) const fn seen(len: u64) -> u64 {
    len / PIECE as u64 * PIECE as u64
}
