//! Mounts and the disks below them, from mountinfo and /sys.
//!
//! A folder belongs to the mount whose point is the longest part of its path; of several on one point the last one
//! counts. Device numbers are not compared: btrfs gives each subvolume one that no mount has.

use std::{
    fs,
    os::unix::{ffi::OsStringExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{IFlags, Mode, OFlags, ioctl_ficlone, ioctl_getflags, openat},
    io::Errno,
};

use super::LOOKED_AT_MAX;
use crate::doctor::facts::Filesystem;

/// The number of the folder that a btrfs subvolume or snapshot is.
const SUBVOLUME: u64 = 256;
/// Devices below one another that are looked through.
const LAYERS_MAX: usize = 8;
/// Snapshots that are named; more are as bad.
const SNAPSHOTS_SHOWN: usize = 5;

/// One line of mountinfo.
struct Mount {
    device: String,
    point: PathBuf,
    kind: String,
    source: String,
    options: Vec<String>,
}

pub(super) fn of(root: &Path, path: &Path) -> Option<Filesystem> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mount = mount_of(root, &path)?;
    let device = root.join("sys/dev/block").join(&mount.device);
    let snapshots = snapshots(root, &mount, &device);
    Some(Filesystem {
        journals_data: journals_data(root, &mount, &device, &path),
        reflinks: matches!(mount.kind.as_str(), "xfs").then(|| reflinks(&path)).flatten(),
        encrypted: encrypted(root, &device),
        rotational: rotational(&device),
        snapshots,
        kind: mount.kind,
        source: mount.source,
        mount: mount.point,
        options: mount.options,
    })
}

fn mount_of(root: &Path, path: &Path) -> Option<Mount> {
    let text = fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let mounts = text.lines().filter_map(line);
    mounts
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count())
}

/// The device that a folder lies on, by its place in /sys, below all that decrypts or maps it.
fn device_of(root: &Path, path: &Path) -> Option<PathBuf> {
    let mount = mount_of(root, path)?;
    let mut device = fs::canonicalize(root.join("sys/dev/block").join(mount.device)).ok()?;
    // An encrypted medium is mounted by way of the device that decrypts it.
    for _ in 0..LAYERS_MAX {
        let mut slaves = fs::read_dir(device.join("slaves")).into_iter().flatten();
        let Some(Ok(slave)) = slaves.next() else { break };
        device = fs::canonicalize(slave.path()).ok()?;
    }
    Some(device)
}

/// The stick, card or disc that a folder lies on, by its place in /sys; nothing where it is built in, or where that
/// cannot be told.
pub(super) fn removable_disk(root: &Path, path: &Path) -> Option<PathBuf> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let device = device_of(root, &path)?;
    let disk = if device.join("partition").exists() { device.parent()?.to_owned() } else { device };
    let says = fs::read_to_string(disk.join("removable")).unwrap_or_default().trim() == "1";
    // Disks in a case with a cable say that they are built in.
    let by_cable =
        disk.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"usb"));
    (says || by_cable).then_some(disk)
}

/// The serial number of the disk below a folder: the first that a device on the way up to the bus tells.
pub(super) fn serial(root: &Path, path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let device = device_of(root, &path)?;
    let devices = fs::canonicalize(root.join("sys/devices")).ok()?;
    let told = |folder: &Path| {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let text = read("serial").or_else(|| read("device/serial"))?;
        let plain: String = text.trim().chars().filter(|c| !c.is_control()).take(100).collect();
        (!plain.is_empty()).then_some(plain)
    };
    device.ancestors().take_while(|above| above.starts_with(&devices)).find_map(told)
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` (proc_pid_mountinfo(5)).
fn line(text: &str) -> Option<Mount> {
    let (own, under) = text.split_once(" - ")?;
    let own: Vec<&str> = own.split(' ').collect();
    let mut under = under.split(' ');
    let (kind, source) = (under.next()?.to_owned(), under.next()?);
    let options = own.get(5)?.split(',').chain(under.next().unwrap_or_default().split(','));
    Some(Mount {
        device: (*own.get(2)?).to_owned(),
        point: PathBuf::from(unescaped(own.get(4)?)),
        kind,
        source: unescaped(source).to_string_lossy().into_owned(),
        options: options.map(str::to_owned).collect(),
    })
}

/// Space, tab, line feed and backslash stand there as `\040` and the like.
pub(super) fn unescaped(text: &str) -> std::ffi::OsString {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, others)) = rest.split_first() {
        let octal = others.get(..3).filter(|_| *first == b'\\');
        let byte =
            octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &others[3..] } else { others };
    }
    std::ffi::OsString::from_vec(bytes)
}

/// Whether contents pass through the journal: by the mount, by the filesystem's own default, which the mount does not
/// show, or for this folder alone (`chattr +j`).
fn journals_data(root: &Path, mount: &Mount, device: &Path, path: &Path) -> bool {
    if !mount.kind.starts_with("ext") {
        return false;
    }
    let name = fs::canonicalize(device).ok();
    let name = name.as_deref().and_then(Path::file_name).unwrap_or_default();
    let shown = root.join("proc/fs").join(&mount.kind).join(name).join("options");
    let shown = fs::read_to_string(shown).unwrap_or_default();
    let journal = "data=journal";
    shown.lines().any(|line| line == journal)
        || mount.options.iter().any(|option| option == journal)
        || folder_flags(path).is_some_and(|flags| flags.contains(IFlags::JOURNALING))
}

fn folder_flags(path: &Path) -> Option<IFlags> {
    ioctl_getflags(fs::File::open(path).ok()?).ok()
}

/// Tries to share the extent of one nameless file with another; neither is ever seen. Unknown where that cannot be
/// tried.
fn reflinks(folder: &Path) -> Option<bool> {
    let dir = fs::File::open(folder).ok()?;
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let make = || openat(&dir, ".", flags, Mode::from_raw_mode(0o600)).ok();
    let (from, to) = (make()?, make()?);
    rustix::io::write(&from, &[0; 4096]).ok()?;
    match ioctl_ficlone(&to, &from) {
        Ok(()) => Some(true),
        Err(Errno::OPNOTSUPP | Errno::NOTTY | Errno::INVAL) => Some(false),
        Err(_) => None,
    }
}

/// Whether what is written to a disk is encrypted on its way, by dm-crypt anywhere below; unknown without a disk.
pub(super) fn encrypted(root: &Path, device: &Path) -> Option<bool> {
    let device = fs::canonicalize(device).ok()?;
    let uuid = fs::read_to_string(device.join("dm/uuid")).unwrap_or_default();
    if uuid.starts_with("CRYPT-") {
        return Some(true);
    }
    if let Ok(file) = fs::read_to_string(device.join("loop/backing_file")) {
        return of(root, Path::new(file.trim_end())).and_then(|fs| fs.encrypted);
    }
    let slaves = fs::read_dir(device.join("slaves")).into_iter().flatten().filter_map(Result::ok);
    let below: Vec<bool> = slaves.filter_map(|slave| encrypted(root, &slave.path())).collect();
    Some(!below.is_empty() && below.iter().all(|one| *one))
}

fn rotational(device: &Path) -> Option<bool> {
    let device = fs::canonicalize(device).ok()?;
    // A partition's queue is its disk's.
    let queues = [device.join("queue/rotational"), device.parent()?.join("queue/rotational")];
    let text = queues.iter().find_map(|path| fs::read_to_string(path).ok())?;
    Some(text.trim() == "1")
}

/// Snapshots: btrfs subvolumes near the mount, ZFS's own folder of them, and LVM's copy of what was overwritten.
fn snapshots(root: &Path, mount: &Mount, device: &Path) -> Vec<String> {
    let mut found = match mount.kind.as_str() {
        "btrfs" => subvolumes(&mount.point),
        "zfs" => names(&mount.point.join(".zfs/snapshot")),
        _ => Vec::new(),
    };
    let device = fs::canonicalize(device).unwrap_or_else(|_| root.join("none"));
    for slave in fs::read_dir(device.join("slaves")).into_iter().flatten().filter_map(Result::ok) {
        let name = fs::read_to_string(slave.path().join("dm/name")).unwrap_or_default();
        // `VOLUME-real` is there exactly while a snapshot of the volume is.
        if name.trim_end().ends_with("-real") {
            found.push(format!("LVM snapshot of {}", name.trim_end().trim_end_matches("-real")));
        }
    }
    found.sort();
    found.truncate(SNAPSHOTS_SHOWN);
    found
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.path().display().to_string()).collect()
}

/// Read-only subvolumes, or such as lie where snapshots are put. A writable one elsewhere is a folder like others.
fn subvolumes(point: &Path) -> Vec<String> {
    let walk = walkdir::WalkDir::new(point).min_depth(1).max_depth(4).same_file_system(false);
    let is_snapshot = |path: &Path| {
        let place = path.components().any(|part| {
            matches!(
                part.as_os_str().to_str(),
                Some(".snapshots" | "timeshift-btrfs" | "btrbk_snapshots" | "@snapshots")
            )
        });
        place
            || rustix::fs::statvfs(path)
                .is_ok_and(|about| about.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
            || is_read_only(path)
    };
    walk.into_iter()
        .take(LOOKED_AT_MAX)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_dir())
        .filter(|entry| entry.metadata().is_ok_and(|facts| facts.ino() == SUBVOLUME))
        .map(walkdir::DirEntry::into_path)
        .filter(|path| is_snapshot(path))
        .map(|path| path.display().to_string())
        .collect()
}

/// A read-only snapshot refuses writing also to who may do anything.
fn is_read_only(path: &Path) -> bool {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    accessat(CWD, path, Access::WRITE_OK, AtFlags::empty()) == Err(Errno::ROFS)
}
