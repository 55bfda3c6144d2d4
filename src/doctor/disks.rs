//! Filesystems: which assurance of a destruction they allow (DESIGN 9), and how much room they have.

use std::{collections::BTreeMap, path::Path};

use super::{
    Finding,
    facts::{Facts, Filesystem, Place, Role},
    remark, warning,
};
use crate::domain::{certificate::Assurance, limits};

/// What a filesystem allows at most for a file that is overwritten in it, and why no more.
#[must_use]
pub fn allows(fs: &Filesystem) -> (Assurance, &'static str) {
    const SNAPSHOT: &str = "a snapshot keeps what a file held when it was made";
    if !fs.snapshots.is_empty() {
        return (Assurance::L0, SNAPSHOT);
    }
    match fs.kind.as_str() {
        "ext2" | "ext3" | "ext4" if fs.journals_data => (
            Assurance::L1,
            "contents pass through the journal, which keeps them until it is used again",
        ),
        "ext2" | "ext3" | "ext4" | "jfs" => {
            (Assurance::L2, "a file is overwritten in its own extents")
        }
        "xfs" if fs.reflinks == Some(false) => {
            (Assurance::L2, "a file is overwritten in its own extents")
        }
        "xfs" => (
            Assurance::L2,
            "a file is overwritten in its own extents, unless somebody made it share them (reflink)",
        ),
        "btrfs" | "zfs" | "bcachefs" | "nilfs2" => {
            (Assurance::L1, "an overwrite goes to another place (copy on write)")
        }
        "f2fs" | "ubifs" | "jffs2" => {
            (Assurance::L1, "an overwrite goes to another place (a log of writes)")
        }
        "tmpfs" | "ramfs" => (Assurance::L2, "a file is overwritten in memory"),
        "overlay" | "aufs" => {
            (Assurance::L1, "which of the folders below it holds a file is not told")
        }
        kind if is_remote(kind) => (
            Assurance::L1,
            "what becomes of an overwrite is the affair of another machine or program",
        ),
        "vfat" | "msdos" | "exfat" | "ntfs" | "ntfs3" => {
            (Assurance::L1, "it has neither a journal nor owners and modes that hold")
        }
        _ => (Assurance::L1, "what becomes of an overwrite on it is not known"),
    }
}

/// Whether a filesystem is served by another machine, or by a program.
fn is_remote(kind: &str) -> bool {
    const REMOTE: [&str; 13] = [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "virtiofs",
        "ceph",
        "glusterfs",
        "afs",
        "ocfs2",
        "gfs2",
        "lustre",
    ];
    REMOTE.contains(&kind) || kind.starts_with("fuse")
}

/// Findings about every folder.
pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        facts.places.iter().flat_map(|place| about(place, facts)).collect();
    found.extend(inboxes(facts));
    found
}

/// Inboxes by what they lie on: links are many, their filesystems few.
fn inboxes(facts: &Facts) -> Vec<Finding> {
    let mut by_filesystem: BTreeMap<(&Path, &str), (&Filesystem, Vec<&str>)> = BTreeMap::new();
    for place in &facts.places {
        if let (Role::Inbox(link), Some(fs)) = (&place.role, &place.filesystem) {
            let of = by_filesystem.entry((&fs.mount, &fs.source));
            of.or_insert_with(|| (fs, Vec::new())).1.push(link);
        }
    }
    let finding = |(fs, links): (&Filesystem, Vec<&str>)| {
        // The sender may hold the key of what it sent: its ciphertext is as good as plain.
        let (level, why) = allows(fs);
        let what = format!(
            "the inboxes of {} lie on {} ({}): originals there reach {level} at most",
            links.join(", "),
            fs.kind,
            fs.source
        );
        remark("inbox-assurance", what, why)
    };
    by_filesystem.into_values().map(finding).collect()
}

fn about(place: &Place, facts: &Facts) -> Vec<Finding> {
    let mut found = room(place);
    let Some(fs) = &place.filesystem else {
        let what = format!("what {} lies on is not known", named(place));
        let why = "which assurance a destruction there can have is then not known either";
        let fix = format!("findmnt -T '{}' shows it", place.path.display());
        found.push(warning("filesystem-unknown", what, why).fix(fix));
        return found;
    };
    if place.role == Role::State {
        found.push(level(place, fs, facts));
        found.extend(medium(fs));
    }
    found.extend(kind(place, fs));
    found
}

/// The folder, in words.
fn named(place: &Place) -> String {
    match &place.role {
        Role::State => format!("the state folder '{}'", place.path.display()),
        Role::Inbox(link) => format!("the inbox '{}' of '{link}'", place.path.display()),
    }
}

fn room(place: &Place) -> Vec<Finding> {
    let mut found = Vec::new();
    let Some((bytes, inodes)) = place.room else { return found };
    if bytes < limits::DISK_BYTES_LOW {
        let what = format!("{} has {} MiB free", named(place), bytes >> 20);
        let why = "a delivery that does not fit waits";
        found.push(
            warning("disk-low", what, why).fix("free space on that filesystem, or enlarge it"),
        );
    }
    if let Some(inodes) = inodes.filter(|inodes| *inodes < limits::DISK_INODES_LOW) {
        let what = format!("{} has {inodes} inodes free", named(place));
        let why = "a delivery whose files cannot be made waits";
        let fix = "remove files on that filesystem, or make it again with more inodes";
        found.push(warning("inodes-low", what, why).fix(fix));
    }
    found
}

/// What a destruction in the state folder can be stated as.
fn level(place: &Place, fs: &Filesystem, facts: &Facts) -> Finding {
    let (level, why) = allows(fs);
    let says = |level: Assurance| {
        let (named, kind, source) = (named(place), &fs.kind, &fs.source);
        format!("{named} lies on {kind} ({source}): destruction there reaches {level} at most")
    };
    let stated = matches!(&facts.backups.stated, Some(list) if list.is_empty());
    if level < Assurance::L2 {
        let fix = "a filesystem of its own for the state: mkfs.ext4, mounted with data=ordered";
        return warning("assurance", says(level), why).fix(fix);
    }
    if facts.root_key_in_file {
        let why = "everything there is encrypted, but the root key is a file that can be copied";
        return remark("assurance", says(level), why)
            .fix("'root_key: credential:NAME' in agent.yaml");
    }
    if !stated {
        let why = "everything there is encrypted, but that no backup holds a key is not stated";
        let fix = "'backups: none' in agent.yaml, where that is true";
        return remark("assurance", says(level), why).fix(fix);
    }
    remark("assurance", says(Assurance::L3), why)
}

/// What else a kind of filesystem means.
fn kind(place: &Place, fs: &Filesystem) -> Vec<Finding> {
    let mut found = Vec::new();
    if !fs.snapshots.is_empty() {
        let what = format!(
            "{} is on a filesystem with snapshots: {}",
            named(place),
            fs.snapshots.join(", ")
        );
        let why = "what is destroyed stays in them";
        let fix = "remove them, and exclude the folder from whatever makes them";
        found.push(warning("snapshots", what, why).fix(fix));
    }
    let in_memory = matches!(fs.kind.as_str(), "tmpfs" | "ramfs");
    let remote = is_remote(&fs.kind);
    match &place.role {
        Role::State if in_memory => {
            let what = format!("{} lies in memory ({})", named(place), fs.kind);
            let why = "the register and every key are gone when the machine stops";
            found.push(warning("state-in-memory", what, why).fix("put it on a disk"));
        }
        Role::State if remote => {
            let what = format!("{} is served over {}", named(place), fs.kind);
            let why = "locks and syncs there may not hold, and the other side can copy it";
            found.push(warning("state-remote", what, why).fix("put it on a disk of this machine"));
        }
        Role::State if fs.kind == "overlay" => {
            let what = format!("{} lies in a container's own layers", named(place));
            let why = "it goes with the container, and the layers below keep what they hold";
            found.push(warning("state-in-layers", what, why).fix("mount a volume there"));
        }
        Role::Inbox(_) if remote => {
            let what = format!("{} is served over {}", named(place), fs.kind);
            let why =
                "what others write there is not told by the kernel, and is seen at the next scan";
            found.push(
                remark("inbox-remote", what, why).fix("a shorter 'scan_every' in agent.yaml"),
            );
        }
        Role::State | Role::Inbox(_) => {}
    }
    found
}

/// The disk below the state.
fn medium(fs: &Filesystem) -> Vec<Finding> {
    let mut found = Vec::new();
    if fs.encrypted == Some(false) {
        let what = format!("the disk below {} is not encrypted", fs.source);
        let why = "a disk that is taken out shows the register, and how much is kept";
        found.push(remark("disk-plain", what, why).fix("put the state on a LUKS volume"));
    }
    if fs.rotational == Some(false) && fs.encrypted != Some(true) {
        let what = format!("the disk below {} is a solid-state or a virtual one", fs.source);
        let why = "cells that were overwritten stay readable to its maker until it erases them";
        let fix = "rely on the destroyed keys (L3), or trim as root after a destruction: 'fstrim'";
        found.push(remark("disk-flash", what, why).fix(fix));
    }
    found
}
