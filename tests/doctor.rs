//! `check` against real things: filesystems on loop devices, a swap file, an agent that holds its state. It needs root
//! to mount, as the gate has; without it these tests fail.
#![cfg(feature = "test-hooks")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use batchward::{
    adapters::machine::{Machine, has_access_list},
    doctor::allows,
    domain::certificate::Assurance,
};
use serde_json::Value;
use support::{People, Site, done};

/// A filesystem in a file, mounted until dropped.
struct Disk {
    dir: tempfile::TempDir,
    below: Vec<PathBuf>,
}

impl Disk {
    /// Made by `make` (a command that takes the file), mounted with these options.
    fn of(make: &[&str], options: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        File::create(&image).unwrap().set_len(400 << 20).unwrap();
        done(Command::new(make[0]).args(&make[1..]).arg(&image));
        let disk = Self { dir, below: Vec::new() };
        fs::create_dir(disk.path()).unwrap();
        done(Command::new("mount").args(["-o", options]).arg(image).arg(disk.path()));
        disk
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("mounted")
    }

    /// Mounts something below it.
    fn mount(&mut self, words: &[&str], at: &str) -> PathBuf {
        let path = self.path().join(at);
        fs::create_dir_all(&path).unwrap();
        done(Command::new("mount").args(words).arg(&path));
        self.below.push(path.clone());
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        for path in self.below.iter().rev().chain([&self.path()]) {
            let _ = Command::new("umount").arg("-l").arg(path).output();
        }
    }
}

const EXT4: [&str; 3] = ["mkfs.ext4", "-q", "-F"];

fn level(path: &Path) -> Assurance {
    allows(&Machine::default().filesystem(path).unwrap()).0
}

#[test]
fn ext4_is_told_by_how_it_journals() {
    let machine = Machine::default();
    let ordered = Disk::of(&EXT4, "loop");
    let found = machine.filesystem(&ordered.path()).unwrap();
    assert_eq!((found.kind.as_str(), found.journals_data), ("ext4", false));
    assert_eq!(level(&ordered.path()), Assurance::L2);
    assert!(found.rotational.is_some() && found.encrypted == Some(false), "{found:?}");
    let journal = Disk::of(&EXT4, "loop,data=journal");
    assert!(machine.filesystem(&journal.path()).unwrap().journals_data);
    assert_eq!(level(&journal.path()), Assurance::L1);
    // A default in the filesystem itself, which the mount's options do not show.
    let image = journal.dir.path().join("default");
    File::create(&image).unwrap().set_len(64 << 20).unwrap();
    done(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image));
    done(Command::new("tune2fs").args(["-o", "journal_data"]).arg(&image));
    let mut outer = ordered;
    let inner = outer.mount(&["-o", "loop", image.to_str().unwrap()], "default");
    assert!(machine.filesystem(&inner).unwrap().journals_data);
    assert!(!machine.filesystem(&outer.path()).unwrap().journals_data);
}

#[test]
fn xfs_is_told_by_whether_files_share_extents_and_nothing_is_left_of_trying() {
    let machine = Machine::default();
    let sharing = Disk::of(&["mkfs.xfs", "-q", "-f", "-m", "reflink=1"], "loop");
    assert_eq!(machine.filesystem(&sharing.path()).unwrap().reflinks, Some(true));
    assert_eq!(level(&sharing.path()), Assurance::L2);
    assert_eq!(fs::read_dir(sharing.path()).unwrap().count(), 0);
    let plain = Disk::of(&["mkfs.xfs", "-q", "-f", "-m", "reflink=0"], "loop");
    assert_eq!(machine.filesystem(&plain.path()).unwrap().reflinks, Some(false));
}

#[test]
fn btrfs_copies_on_write_and_its_snapshots_are_found() {
    let disk = Disk::of(&["mkfs.btrfs", "-q", "-f"], "loop");
    let machine = Machine::default();
    let found = machine.filesystem(&disk.path()).unwrap();
    assert_eq!((found.kind.as_str(), found.snapshots.len()), ("btrfs", 0));
    assert_eq!(level(&disk.path()), Assurance::L1);
    let state = disk.path().join("state");
    done(Command::new("btrfs").args(["-q", "subvolume", "create"]).arg(&state));
    assert_eq!(machine.filesystem(&state).unwrap().snapshots.len(), 0, "a subvolume is a folder");
    let snapshot = disk.path().join("kept");
    let words = ["-q", "subvolume", "snapshot", "-r"];
    done(Command::new("btrfs").args(words).arg(&state).arg(&snapshot));
    let found = machine.filesystem(&state).unwrap();
    assert_eq!(found.snapshots, [snapshot.to_str().unwrap()]);
    assert_eq!(level(&state), Assurance::L0);
}

#[test]
fn memory_and_layers_are_told_from_disks() {
    let mut disk = Disk::of(&EXT4, "loop");
    let tmpfs = disk.mount(&["-t", "tmpfs", "tmpfs"], "memory");
    assert_eq!(Machine::default().filesystem(&tmpfs).unwrap().kind, "tmpfs");
    for name in ["low", "up", "work"] {
        fs::create_dir(disk.path().join(name)).unwrap();
    }
    let below = |name: &str| disk.path().join(name).display().to_string();
    let options =
        format!("lowerdir={},upperdir={},workdir={}", below("low"), below("up"), below("work"));
    let layers = disk.mount(&["-t", "overlay", "-o", &options, "overlay"], "layers");
    let found = Machine::default().filesystem(&layers).unwrap();
    assert_eq!(found.kind, "overlay");
    assert_eq!(level(&layers), Assurance::L1);
}

/// Turned off again when dropped.
struct SwapOn(PathBuf);

impl Drop for SwapOn {
    fn drop(&mut self) {
        let _ = Command::new("swapoff").arg(&self.0).output();
    }
}

#[test]
fn a_swap_file_is_found_and_told_as_plain() {
    let disk = Disk::of(&EXT4, "loop");
    let path = disk.path().join("swap");
    fs::write(&path, vec![0; 16 << 20]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    done(Command::new("mkswap").arg("-q").arg(&path));
    done(Command::new("swapon").arg(&path));
    let on = SwapOn(path.clone());
    let found = Machine::default().swaps();
    let swap = found.iter().find(|swap| swap.path == path);
    let swap = swap.unwrap_or_else(|| panic!("{} is not in {found:?}", path.display()));
    assert!(!swap.encrypted && !swap.in_memory);
    drop(on);
    assert!(Machine::default().swaps().iter().all(|swap| swap.path != path));
}

#[test]
fn an_access_control_list_is_seen_besides_the_mode() {
    let disk = Disk::of(&EXT4, "loop");
    let path = disk.path().join("keys");
    fs::create_dir(&path).unwrap();
    assert!(!has_access_list(&path));
    // u::rwx u:65534:r-x g::--- m::r-x o::---, as setfacl writes it (acl(5), the xattr's own form).
    let entry = |tag: u16, perm: u16, id: u32| {
        [tag.to_le_bytes().to_vec(), perm.to_le_bytes().to_vec(), id.to_le_bytes().to_vec()]
            .concat()
    };
    let none = u32::MAX;
    let list = [
        2_u32.to_le_bytes().to_vec(),
        entry(0x01, 7, none),
        entry(0x02, 5, 65_534),
        entry(0x04, 0, none),
        entry(0x10, 5, none),
        entry(0x20, 0, none),
    ];
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(&path, "system.posix_acl_access", &list.concat(), flags).unwrap();
    assert!(has_access_list(&path));
}

/// `check --json`, with the exit code that it must have.
#[track_caller]
fn findings(site: &Site<'_>, exit: i32) -> Vec<Value> {
    let page = site.run(&["check", "--json"]).exits(exit).json();
    page["findings"].as_array().unwrap().clone()
}

#[track_caller]
fn of<'v>(findings: &'v [Value], code: &str) -> &'v Value {
    let found = findings.iter().find(|finding| finding["code"] == code);
    found.unwrap_or_else(|| panic!("no '{code}' in {findings:#?}"))
}

/// Adds a line to agent.yaml.
fn set(site: &Site<'_>, line: &str) {
    let path = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}{line}\n")).unwrap();
}

#[test]
fn a_clean_configuration_ends_with_0_and_each_finding_says_why_and_what_mends_it() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], "幼兒托育科");
    let found = findings(&site, 0);
    for finding in &found {
        assert_ne!(finding["severity"], "fault", "{finding}");
        assert!(finding["why"].as_str().is_some_and(|why| !why.is_empty()), "{finding}");
    }
    assert_eq!(of(&found, "backups-unstated")["severity"], "warning");
    assert_eq!(of(&found, "root-key-file")["severity"], "warning");
    assert_eq!(of(&found, "inbox-access")["severity"], "remark");
    assert!(of(&found, "agent")["what"].as_str().unwrap().starts_with("no agent runs"));
    let said = site.run(&["check"]).ok();
    assert!(said.text().contains("no fault found, but "), "{}", said.text());
    assert!(said.text().contains("    fix: 'backups: none' in agent.yaml"), "{}", said.text());
    // Looking wrote nothing and left nothing.
    assert_eq!(site.files("state").len(), {
        site.run(&["check"]).ok();
        site.files("state").len()
    });
}

#[test]
fn what_is_stated_about_backups_is_believed_or_refused_with_its_place() {
    let people = People::new();
    let site = Site::founded(&people, &[], "幼兒托育科");
    let path = site.dir.join("agent.yaml");
    let good = fs::read_to_string(&path).unwrap();
    set(&site, "backups: none");
    let found = findings(&site, 0);
    assert!(found.iter().all(|f| f["code"] != "backups-unstated"), "{found:#?}");
    fs::write(&path, &good).unwrap();
    set(&site, "backups:\n  - { name: nightly, place: nas2, keeps: P30D }");
    let what = of(&findings(&site, 0), "backup")["what"].as_str().unwrap().to_owned();
    assert_eq!(what, "the backup 'nightly' at 'nas2' keeps the state for 30 days");
    for (line, said) in [
        ("backups: some", "'backups' is neither"),
        ("backups: []", "'backups' is neither"),
        ("backups: [{ name: a, place: b }]", "'backups.keeps' is missing"),
        ("backups: [{ name: a, place: b, keeps: 4h }]", "'backups.keeps' is '4h'"),
        ("backups: [{ name: a, place: b, keeps: P1D, by: x }]", "'backups.by' is unknown"),
    ] {
        fs::write(&path, &good).unwrap();
        set(&site, line);
        let found = findings(&site, 78);
        let fault = of(&found, "configuration");
        assert!(fault["what"].as_str().unwrap().contains(said), "{line}: {fault}");
        assert!(fault["line"].as_u64().is_some_and(|n| n > 1), "{fault}");
    }
}

#[test]
fn the_filesystem_under_a_site_decides_what_its_destruction_is_told_to_reach() {
    let people = People::new();
    let site = Site::founded(&people, &[], "幼兒托育科");
    let disk = Disk::of(&EXT4, "loop,data=journal");
    let state = disk.path().join("state");
    done(Command::new("cp").arg("-a").arg(site.dir.join("state")).arg(&state));
    let path = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let moved = text.replace("state: state", &format!("state: {}", state.display()));
    assert_ne!(text, moved);
    fs::write(&path, moved).unwrap();
    site.init();
    let found = findings(&site, 0);
    let level = of(&found, "assurance");
    assert_eq!(level["severity"], "warning");
    assert!(level["what"].as_str().unwrap().ends_with("reaches L1 at most"), "{level}");
    assert_eq!(of(&found, "disk-low")["severity"], "warning");
}

#[test]
fn an_agent_that_holds_its_state_is_seen_and_not_disturbed() {
    let people = People::new();
    let site = Site::founded(&people, &[], "幼兒托育科");
    let lock = batchward::adapters::lock::Lock::acquire(&site.dir.join("state")).unwrap();
    let what = of(&findings(&site, 0), "agent")["what"].as_str().unwrap().to_owned();
    assert!(what.starts_with("a process holds the state folder"), "{what}");
    drop(lock);
    site.once();
}

#[test]
fn a_clock_behind_the_register_is_told_before_it_stops_anything() {
    let people = People::new();
    let site = Site::founded(&people, &[], "幼兒托育科");
    let early = site.run_at("2026-11-01T00:00:00+08:00", &["check", "--json"], &[], b"").ok();
    let early = early.json()["findings"].as_array().unwrap().clone();
    assert_eq!(of(&early, "clock-behind")["severity"], "warning");
    let late = site.run_at("2027-11-01T00:00:00+08:00", &["check", "--json"], &[], b"").ok();
    let late = late.json()["findings"].as_array().unwrap().clone();
    assert_eq!(of(&late, "clock-gap")["severity"], "warning");
}

#[test]
fn init_makes_the_folders_that_are_missing_and_no_others() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    let (inbox, keybox) = (site.dir.join("drop/moca-full"), site.dir.join("keys/moca-full"));
    fs::remove_dir_all(&inbox).unwrap();
    fs::remove_dir_all(&keybox).unwrap();
    site.run(&["check"]).exits(78);
    site.init();
    assert!(inbox.is_dir() && keybox.is_dir());
}
