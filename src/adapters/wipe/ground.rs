//! What a folder lies on, and what that alone says against an overwrite in place.
//!
//! Only filesystems that are known to overwrite in place can reach L2, and of those only the extents prove it. What
//! cannot be read is a limit, never well.

use std::{
    fs,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    path::Path,
};

use rustix::fs::{Mode, OFlags, fstat, fstatfs, major, minor, open};

use super::WipeError;
use crate::{
    adapters::machine::Machine,
    domain::wipe::{Ground, Limit},
};

/// The ground under a folder.
#[derive(Clone, Debug)]
pub(super) struct Below {
    pub(super) ground: Ground,
    pub(super) limits: Vec<Limit>,
    /// Contents are in memory and nowhere else.
    pub(super) memory: bool,
    /// Of a family that can pass contents through its journal.
    pub(super) journals: bool,
}

pub(super) fn below(dir: BorrowedFd<'_>) -> Result<Below, WipeError> {
    let magic = filesystem_of(dir)?;
    let path = fs::read_link(format!("/proc/self/fd/{}", dir.as_raw_fd())).ok();
    let found = path.and_then(|path| Machine::default().filesystem(&path));
    // The mount is found by a path, which may be another's by now; the handle itself decides.
    let found = found.filter(|found| magic == "unknown" || same_family(&found.kind, magic));
    let mut limits = Vec::new();
    let Some(found) = found else {
        let ground = Ground { kind: magic.to_owned(), ..Ground::default() };
        let limits = vec![Limit::PlaceUnknown];
        return Ok(Below { ground, limits, memory: false, journals: false });
    };
    let memory = matches!(found.kind.as_str(), "tmpfs" | "ramfs");
    let journals = matches!(found.kind.as_str(), "ext2" | "ext3" | "ext4");
    let in_place = journals || memory || matches!(found.kind.as_str(), "xfs" | "btrfs");
    if !in_place {
        limits.push(Limit::PlaceUnknown);
    }
    if found.journals_data {
        limits.push(Limit::DataJournal);
    }
    // Snapshots of btrfs show in the extents of each file that they hold.
    if !found.snapshots.is_empty() && found.kind != "btrfs" {
        limits.push(Limit::Snapshot);
    }
    if memory && may_be_swapped() {
        limits.push(Limit::Swap);
    }
    let wants = |option: &String| option == "discard" || option.starts_with("discard=");
    let discards = found.options.iter().any(wants) && device_discards(dir);
    let [model, serial] = disk_below(dir);
    let ground = Ground {
        kind: found.kind,
        rotational: found.rotational,
        encrypted: found.encrypted,
        discards,
        model,
        serial,
    };
    Ok(Below { ground, limits, memory, journals })
}

/// What would keep a wipe of a file in this folder from being stated as more, as far as the folder tells.
#[must_use]
pub fn foresee(dir: &Path) -> Vec<Limit> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let below = open(dir, flags, Mode::empty()).ok().and_then(|dir| below(dir.as_fd()).ok());
    let Some(below) = below else { return vec![Limit::PlaceUnknown] };
    let mut limits = below.limits;
    if !below.ground.discards && !below.memory {
        limits.push(Limit::NotTrimmed);
    }
    limits
}

fn same_family(kind: &str, magic: &str) -> bool {
    kind.get(..3) == magic.get(..3)
}

/// Whether memory may have been written to a disk that others can read. Unknown counts as yes.
fn may_be_swapped() -> bool {
    fs::read_to_string("/proc/swaps").is_err()
        || Machine::default().swaps().iter().any(|swap| !swap.in_memory && !swap.encrypted)
}

/// Where the system tells of the device below.
fn device_of(dir: BorrowedFd<'_>) -> Option<String> {
    let stat = fstat(dir).ok()?;
    Some(format!("/sys/dev/block/{}:{}", major(stat.st_dev), minor(stat.st_dev)))
}

/// Model and serial number of the disk below, as its driver tells them (NIST SP 800-88 asks for both).
fn disk_below(dir: BorrowedFd<'_>) -> [Option<String>; 2] {
    const CHARS_MAX: usize = 80;
    let Some(device) = device_of(dir) else { return [None, None] };
    let read = |file: &str| {
        // A partition is told of by its disk.
        let text = ["", "../"].iter().find_map(|up| {
            let text = fs::read_to_string(format!("{device}/{up}{file}")).ok()?;
            let printable = text.trim().chars().filter(|c| !c.is_control());
            Some(printable.take(CHARS_MAX).collect::<String>()).filter(|text| !text.is_empty())
        })?;
        Some(text)
    };
    let maker = read("device/vendor").filter(|vendor| !vendor.starts_with("0x"));
    let model = read("device/model");
    let model = match (maker, model) {
        (Some(maker), Some(model)) => Some(format!("{maker} {model}")),
        (None, model) => model,
        (Some(_), None) => None,
    };
    [model, read("serial").or_else(|| read("device/serial"))]
}

/// Whether the device below takes discards at all.
fn device_discards(dir: BorrowedFd<'_>) -> bool {
    let Some(device) = device_of(dir) else { return false };
    // A partition's queue is its disk's.
    ["queue", "../queue"].iter().any(|queue| {
        fs::read_to_string(format!("{device}/{queue}/discard_max_bytes"))
            .is_ok_and(|text| text.trim() != "0")
    })
}

/// The filesystem of a handle, by its magic number (statfs(2)).
pub(in crate::adapters) fn filesystem_of(dir: BorrowedFd<'_>) -> Result<&'static str, WipeError> {
    let magic = fstatfs(dir).map_err(WipeError::of("inspect the filesystem of"))?.f_type;
    // Magic numbers are 32 bits wide, whatever width and sign the field has here.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "32-bit magics")]
    let magic = magic as u32;
    Ok(match magic {
        0xEF53 => "ext4", // ext2, ext3 and ext4 share it
        0x5846_5342 => "xfs",
        0x9123_683E => "btrfs",
        0x0102_1994 => "tmpfs",
        0x794C_7630 => "overlayfs",
        0x2FC1_2FC1 => "zfs",
        0x6969 => "nfs",
        0xFF53_4D42 | 0xFE53_4D42 => "cifs",
        0x6573_5546 => "fuse",
        0xF2F5_2010 => "f2fs",
        0xCA45_1A4E => "bcachefs",
        0x4D44 => "vfat",
        0x2011_BAB0 => "exfat",
        _ => "unknown",
    })
}
