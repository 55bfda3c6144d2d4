//! Machines laid out as files below a root.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::symlink;

use super::*;

/// A root with these files.
fn laid_out(files: &[(&str, &str)]) -> (tempfile::TempDir, Machine) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let machine = Machine::below(dir.path());
    (dir, machine)
}

const HEAD: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

#[test]
fn a_swap_is_encrypted_where_dm_crypt_is_anywhere_below_it() {
    let swaps = format!(
        "{HEAD}/dev/dm-1  partition 1 0 -2\n/dev/sda2 partition 1 0 -3\n/dev/zram0 partition 1 0 5\n\
         /dev/zram1 partition 1 0 6\n"
    );
    let (dir, machine) = laid_out(&[
        ("proc/swaps", &swaps),
        ("sys/devices/dm-0/dm/uuid", "CRYPT-LUKS2-0123-root\n"),
        ("sys/devices/dm-1/dm/uuid", "LVM-0123\n"),
        ("sys/devices/sda2/partition", "2\n"),
        ("sys/block/zram0/backing_dev", "none\n"),
        ("sys/block/zram1/backing_dev", "/dev/sda3\n"),
    ]);
    let class = dir.path().join("sys/class/block");
    let slaves = dir.path().join("sys/devices/dm-1/slaves");
    for folder in [&class, &slaves] {
        fs::create_dir_all(folder).unwrap();
    }
    symlink("../../dm-0", slaves.join("dm-0")).unwrap();
    symlink("../../devices/dm-1", class.join("dm-1")).unwrap();
    symlink("../../devices/sda2", class.join("sda2")).unwrap();
    let found: Vec<(bool, bool)> =
        machine.swaps().iter().map(|swap| (swap.encrypted, swap.in_memory)).collect();
    assert_eq!(found, [(true, false), (false, false), (false, true), (false, false)]);
    assert_eq!(laid_out(&[("proc/swaps", HEAD)]).1.swaps(), []);
}

#[test]
fn a_folder_belongs_to_the_mount_with_the_longest_part_of_its_path() {
    let mounts = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw,errors=remount-ro\n\
         23 22 0:40 / /srv rw - nfs4 nas:/srv rw,vers=4.2\n\
         24 23 8:2 / /srv/batch\\040ward rw,noatime - ext4 /dev/sda2 rw,data=journal\n\
         broken line\n";
    let (dir, machine) = laid_out(&[
        ("proc/self/mountinfo", mounts),
        ("sys/devices/sda/queue/rotational", "1\n"),
        ("sys/devices/sda/sda1/partition", "1\n"),
        ("proc/fs/ext4/sda1/options", "rw\ndata=ordered\n"),
    ]);
    fs::create_dir_all(dir.path().join("sys/dev/block")).unwrap();
    symlink("../../devices/sda/sda1", dir.path().join("sys/dev/block/8:1")).unwrap();
    let of = |path: &str| machine.filesystem(Path::new(path)).unwrap();
    let root = of("/no/such/folder");
    assert_eq!((root.kind.as_str(), root.source.as_str()), ("ext4", "/dev/sda1"));
    assert_eq!(
        (root.rotational, root.encrypted, root.journals_data),
        (Some(true), Some(false), false)
    );
    assert_eq!(of("/srvother").kind, "ext4");
    let remote = of("/srv/x");
    assert_eq!((remote.kind.as_str(), remote.encrypted), ("nfs4", None));
    let journal = of("/srv/batch ward/state");
    assert!(journal.journals_data && journal.options.iter().any(|o| o == "noatime"));
}

#[test]
fn the_default_of_a_filesystem_is_read_where_the_mount_does_not_show_it() {
    let (dir, machine) = laid_out(&[
        ("proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"),
        ("sys/devices/sda1/partition", "1\n"),
        ("proc/fs/ext4/sda1/options", "rw\ndata=journal\n"),
    ]);
    fs::create_dir_all(dir.path().join("sys/dev/block")).unwrap();
    symlink("../../devices/sda1", dir.path().join("sys/dev/block/8:1")).unwrap();
    assert!(machine.filesystem(Path::new("/none")).unwrap().journals_data);
}

#[test]
fn a_volume_with_a_snapshot_names_it() {
    let (dir, machine) = laid_out(&[
        ("proc/self/mountinfo", "22 1 253:0 / / rw - ext4 /dev/mapper/vg-srv rw\n"),
        ("sys/devices/dm-0/dm/uuid", "LVM-1\n"),
        ("sys/devices/dm-3/dm/name", "vg-srv-real\n"),
    ]);
    for folder in ["sys/dev/block", "sys/devices/dm-0/slaves"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    symlink("../../devices/dm-0", dir.path().join("sys/dev/block/253:0")).unwrap();
    symlink("../../dm-3", dir.path().join("sys/devices/dm-0/slaves/dm-3")).unwrap();
    let found = machine.filesystem(Path::new("/none")).unwrap();
    assert_eq!(found.snapshots, ["LVM snapshot of vg-srv"]);
}

#[test]
fn a_stick_is_one_medium_whatever_its_parts_and_layers() {
    let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
         23 22 8:17 / /media/a rw - vfat /dev/sdb1 rw\n\
         24 22 253:5 / /media/b rw - ext4 /dev/mapper/luks rw\n\
         25 22 8:33 / /media/case rw - ext4 /dev/sdc1 rw\n";
    let (dir, machine) = laid_out(&[
        ("proc/self/mountinfo", mounts),
        ("sys/devices/ata1/sda/removable", "0\n"),
        ("sys/devices/ata1/sda/sda1/partition", "1\n"),
        ("sys/devices/port/sdb/removable", "1\n"),
        ("sys/devices/port/sdb/sdb1/partition", "1\n"),
        ("sys/devices/port/sdb/sdb2/partition", "2\n"),
        ("sys/devices/dm-5/dm/uuid", "CRYPT-LUKS2-1\n"),
        ("sys/devices/usb2/sdc/removable", "0\n"),
        ("sys/devices/usb2/sdc/sdc1/partition", "1\n"),
    ]);
    for folder in ["sys/dev/block", "sys/devices/dm-5/slaves"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    for (number, device) in [
        ("8:1", "ata1/sda/sda1"),
        ("8:17", "port/sdb/sdb1"),
        ("253:5", "dm-5"),
        ("8:33", "usb2/sdc/sdc1"),
    ] {
        let place = dir.path().join("sys/dev/block").join(number);
        symlink(format!("../../devices/{device}"), place).unwrap();
    }
    symlink("../../port/sdb/sdb2", dir.path().join("sys/devices/dm-5/slaves/sdb2")).unwrap();
    let of = |path: &str| machine.removable_disk(Path::new(path));
    assert_eq!(of("/srv"), None);
    assert!(of("/media/a").unwrap().ends_with("port/sdb"));
    assert_eq!(of("/media/a/x"), of("/media/b"));
    assert!(of("/media/case").unwrap().ends_with("usb2/sdc"));
}

#[test]
fn zone_fonts_tools_and_groups_are_found_by_their_files() {
    let (dir, machine) = laid_out(&[
        ("etc/group", "root:x:0:\nbatchward:x:990:alice\n"),
        ("etc/borgmatic/config.yaml", "synthetic"),
        ("usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "synthetic"),
        ("usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "synthetic"),
        ("usr/share/fonts/README-notosanscjk.txt", "synthetic"),
    ]);
    assert_eq!(machine.zone(), None);
    symlink("/usr/share/zoneinfo/Asia/Taipei", dir.path().join("etc/localtime")).unwrap();
    assert_eq!(machine.zone().as_deref(), Some("Asia/Taipei"));
    assert_eq!(machine.fonts().len(), 1);
    assert_eq!(machine.backup_tools().len(), 1);
    assert!(machine.has_group("batchward") && !machine.has_group("batch"));
    let (_dir, bare) = laid_out(&[("etc/timezone", "Asia/Tokyo\n")]);
    assert_eq!((bare.zone().as_deref(), bare.fonts().len()), (Some("Asia/Tokyo"), 0));
}
