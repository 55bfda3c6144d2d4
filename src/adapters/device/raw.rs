//! What the helper finds on a device: whether it holds what was written, and whether it forgot what was freed.
//!
//! A file is mapped (FIEMAP) and the device below its filesystem is read at those places with `O_DIRECT`: neither the
//! filesystem's memory of the file nor the kernel's memory of the device answers. That holds where the numbers that the
//! filesystem tells are places on that device, which is so on ext4 and xfs; btrfs tells places of its own, that it maps
//! to devices. What is not certain is [`Why`], never an answer.
//!
//! A trim is stated to have covered a file only when it is seen. The filesystem is synced first, because ext4 and xfs
//! give no block back whose freeing is not committed to their journal. Which blocks a trim passes over cannot be known
//! (pieces smaller than the device's unit are left out, and a device may ignore what it is told), so the file's places
//! are read again: they must all be zeroes, which neither the noise nor another file's contents are. A device that
//! forgets without reading as zeroes is not stated. On a loop device, a thin or an encrypted volume zeroes say at most
//! that this layer gave the blocks up, not that the medium below was told, and so nothing is stated there.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::FileExt,
    },
    path::{Path, PathBuf},
};

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, major, minor, open, syncfs};

use crate::adapters::{
    entropy::Noise,
    wipe::beneath::{Buffer, PIECE, filesystem_of, flags, is_realtime, places, trim},
};

/// Bytes of a file that is looked at, at most.
const BYTES_MAX: u64 = 1 << 44;
/// Extents of a file that is looked at, at most.
const PLACES_MAX: usize = 1 << 18;
/// What is given back around a file's places: a device takes whole units of its own.
const AROUND: u64 = 1 << 30;

/// Why it cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// No regular file, or no folder.
    Kind,
    /// Another length than was said, or too long.
    Length,
    /// A filesystem whose numbers are not places on its device.
    Filesystem,
    /// There is no one block device below.
    NoDevice,
    /// The contents lie in places that are shared, encoded, not told or too many.
    Places,
    /// The device cannot be read.
    Unreadable,
    /// The filesystem or its device knows no trim.
    NoTrim,
}

impl Why {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Length => "length",
            Self::Filesystem => "filesystem",
            Self::NoDevice => "no-device",
            Self::Places => "places",
            Self::Unreadable => "unreadable",
            Self::NoTrim => "no-trim",
        }
    }
}

/// One run of a file on its device, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) logical: u64,
    pub(super) physical: u64,
    pub(super) length: u64,
}

/// A file on its device.
pub(super) struct OnDevice {
    /// Device number of its filesystem.
    number: u64,
    device: File,
    pub(super) places: Vec<Place>,
    len: u64,
}

/// Finds a file of `len` bytes on its device.
pub(super) fn find(file: &File, len: u64) -> Result<OnDevice, Why> {
    let found = fstat(file).map_err(|_| Why::Kind)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(Why::Kind);
    }
    if u64::try_from(found.st_size) != Ok(len) || !(1..=BYTES_MAX).contains(&len) {
        return Err(Why::Length);
    }
    let kind = filesystem_of(file.as_fd()).map_err(|_| Why::Filesystem)?;
    if !matches!(kind, "ext4" | "xfs") || kind == "xfs" && is_realtime(file) {
        return Err(Why::Filesystem);
    }
    let device = device(found.st_dev).ok_or(Why::NoDevice)?;
    let places = mapped(file, len)?;
    Ok(OnDevice { number: found.st_dev, device, places, len })
}

/// Where a file lies, without a gap up to its end.
fn mapped(file: &File, len: u64) -> Result<Vec<Place>, Why> {
    const ODD: u32 = flags::UNKNOWN
        | flags::DELALLOC
        | flags::ENCODED
        | flags::NOT_ALIGNED
        | flags::INLINE
        | flags::TAIL
        | flags::UNWRITTEN
        | flags::SHARED;
    let (mut list, mut end, mut odd) = (Vec::new(), 0, false);
    places(file, true, |extent| {
        if extent.logical >= len {
            return; // room beyond the end
        }
        odd |= extent.flags & ODD != 0 || extent.logical != end || list.len() >= PLACES_MAX;
        end = extent.logical.saturating_add(extent.length);
        if !odd {
            let (logical, physical, length) = (extent.logical, extent.physical, extent.length);
            list.push(Place { logical, physical, length });
        }
    })
    .map_err(|_| Why::Places)?;
    if odd || end < len { Err(Why::Places) } else { Ok(list) }
}

/// The block device of this number, past its cache, for reading only.
fn device(number: u64) -> Option<File> {
    let about = sysfs(number).join("uevent");
    let text = fs::read_to_string(about).ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("DEVNAME="))?;
    let flags = OFlags::RDONLY | OFlags::DIRECT | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let device = open(Path::new("/dev").join(name), flags, Mode::empty()).map(File::from).ok()?;
    let found: Stat = fstat(&device).ok()?;
    let is_it =
        FileType::from_raw_mode(found.st_mode) == FileType::BlockDevice && found.st_rdev == number;
    is_it.then_some(device)
}

fn sysfs(number: u64) -> PathBuf {
    format!("/sys/dev/block/{}:{}", major(number), minor(number)).into()
}

impl OnDevice {
    /// Whether the device holds this noise in all places of the file.
    pub(super) fn holds(&self, noise: &Noise) -> Result<bool, Why> {
        let mut wanted = vec![0; PIECE];
        let mut filled = None;
        self.each_piece(|at, bytes| {
            let (piece, within) = (at / PIECE as u64, usize::try_from(at % PIECE as u64)?);
            if filled != Some(piece) {
                noise.fill(piece, &mut wanted).map_err(io::Error::other)?;
                filled = Some(piece);
            }
            // Behind the end of the file the last block holds what it likes.
            let count = usize::try_from(self.len - at).unwrap_or(usize::MAX).min(bytes.len());
            Ok(bytes[..count] == wanted[within..within + count])
        })
    }

    /// Whether the device reads as zeroes in all places of the file.
    fn is_zero(&self) -> Result<bool, Why> {
        self.each_piece(|_, bytes| Ok(bytes.iter().all(|byte| *byte == 0)))
    }

    /// Reads all places, in parts that lie within one piece of noise each, as long as `each` says yes.
    fn each_piece(
        &self,
        mut each: impl FnMut(u64, &[u8]) -> Result<bool, Box<dyn std::error::Error + Send + Sync>>,
    ) -> Result<bool, Why> {
        let mut buffer = Buffer::new();
        for place in &self.places {
            let mut done = 0;
            while done < place.length && place.logical + done < self.len {
                let at = place.logical + done;
                let left = PIECE as u64 - at % PIECE as u64;
                let count = usize::try_from((place.length - done).min(left)).unwrap_or(PIECE);
                let bytes = &mut buffer.whole()[..count];
                let read = self.device.read_exact_at(bytes, place.physical + done);
                read.map_err(|_| Why::Unreadable)?;
                if !each(at, bytes).map_err(|_| Why::Unreadable)? {
                    return Ok(false);
                }
                done += count as u64;
            }
        }
        Ok(true)
    }
}

/// Has the filesystem of a folder give back what it freed; of `gone`, a file that was there, only what lies around it.
/// How many bytes, and whether all of that file is among them.
pub(super) fn give_back(
    folder: BorrowedFd<'_>,
    gone: Option<&OnDevice>,
) -> Result<(u64, bool), Why> {
    let found = fstat(folder).map_err(|_| Why::Kind)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
        return Err(Why::Kind);
    }
    let gone = gone.filter(|gone| gone.number == found.st_dev);
    syncfs(folder).map_err(|_| Why::NoTrim)?;
    let (mut from, mut to) = (0, u64::MAX);
    if let Some(gone) = gone {
        from = gone.places.iter().map(|place| place.physical).min().unwrap_or(0);
        to = gone.places.iter().map(|place| place.physical + place.length).max().unwrap_or(0);
        (from, to) = (from.saturating_sub(AROUND), to.saturating_add(AROUND));
    }
    let bytes = trim(folder, from, to - from).map_err(|_| Why::NoTrim)?;
    let told = || is_told(&sysfs(found.st_dev));
    let covered = bytes > 0 && gone.is_some_and(|gone| told() && gone.is_zero() == Ok(true));
    Ok((bytes, covered))
}

/// Whether what this device, by its folder below `/sys`, is told reaches hardware: a disk, or a part of one. A machine in
/// a machine counts its disk as hardware, as everything in it does.
pub(super) fn is_told(device: &Path) -> bool {
    let Ok(device) = device.canonicalize() else { return false };
    let discards = |folder: &Path| {
        fs::read_to_string(folder.join("queue/discard_max_bytes"))
            .is_ok_and(|text| text.trim() != "0")
    };
    let layer = device.components().any(|part| part.as_os_str() == "virtual");
    !layer && (discards(&device) || device.parent().is_some_and(discards))
}
