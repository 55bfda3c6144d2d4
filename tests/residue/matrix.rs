//! What is left on a medium after a file was destroyed, on every kind of filesystem: by the wipe primitive, and beside it
//! by `rm` and by `shred` as controls. What the primitive states is true in each, and the highest that can be true.

use std::{
    ffi::OsStr,
    fs::{self, File},
    os::fd::AsFd,
    path::Path,
    process::Command,
};

use batchward::{
    adapters::{
        files,
        machine::Machine,
        wipe::{self, Expect, Note, Origin, WipeError},
    },
    domain::{certificate::Assurance, wipe::Limit},
};

use super::{
    image::{self, Image, RECORDS, count, inside, put},
    support::done,
};

/// How a row is set up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Twist {
    None,
    /// A second file shares its extents.
    Reflink,
    /// A snapshot of its subvolume.
    Snapshot,
    /// A second name.
    HardLink,
    /// Somebody has it open for reading.
    Open,
    /// Somebody wrote a copy and removed it before.
    EarlierCopy,
}

/// One row: filesystem, what is odd, what may be stated, and whether records are left by us, by `rm` and by `shred`.
struct Row {
    name: &'static str,
    make: &'static [&'static str],
    options: &'static str,
    mib: u64,
    twist: Twist,
    level: Assurance,
    left: [bool; 3],
}

const EXT4: &[&str] = &["mkfs.ext4", "-q", "-F"];
const XFS: &[&str] = &["mkfs.xfs", "-q", "-f", "-m", "reflink=1"];
const BTRFS: &[&str] = &["mkfs.btrfs", "-q", "-f"];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { name: "ext4 ordered", make: EXT4, options: "loop", mib: 48, twist: Twist::None, level: Assurance::L2, left: [false, true, false] },
    Row { name: "ext4 data=journal", make: EXT4, options: "loop,data=journal", mib: 96, twist: Twist::None, level: Assurance::L1, left: [true, true, true] },
    Row { name: "xfs", make: XFS, options: "loop", mib: 320, twist: Twist::None, level: Assurance::L2, left: [false, true, false] },
    Row { name: "xfs with a reflink copy", make: XFS, options: "loop", mib: 320, twist: Twist::Reflink, level: Assurance::L0, left: [true, true, true] },
    Row { name: "btrfs", make: BTRFS, options: "loop", mib: 160, twist: Twist::None, level: Assurance::L1, left: [true, true, true] },
    Row { name: "btrfs nodatacow", make: BTRFS, options: "loop,nodatacow", mib: 160, twist: Twist::None, level: Assurance::L2, left: [false, true, false] },
    Row { name: "btrfs with a snapshot", make: BTRFS, options: "loop,nodatacow", mib: 160, twist: Twist::Snapshot, level: Assurance::L0, left: [true, true, true] },
    Row { name: "a hard link", make: EXT4, options: "loop", mib: 48, twist: Twist::HardLink, level: Assurance::L0, left: [true, true, false] },
    Row { name: "open elsewhere", make: EXT4, options: "loop", mib: 48, twist: Twist::Open, level: Assurance::L1, left: [false, true, false] },
    Row { name: "an earlier copy", make: EXT4, options: "loop", mib: 48, twist: Twist::EarlierCopy, level: Assurance::L1, left: [true, true, true] },
];

#[derive(Clone, Copy, Debug)]
enum By {
    Us,
    Rm,
    Shred,
}

#[test]
fn what_is_stated_is_true_on_every_filesystem_and_the_highest_that_can_be() {
    if !inside("matrix::what_is_stated_is_true_on_every_filesystem_and_the_highest_that_can_be") {
        return;
    }
    println!("{:<26}{:>10}{:>10}{:>10}  stated", "of 20,000 records", "batchward", "rm", "shred");
    for row in ROWS {
        let [(ours, stated), (rm, _), (shred, _)] =
            [By::Us, By::Rm, By::Shred].map(|by| destroyed(row, by));
        let stated = stated.unwrap();
        println!("{:<26}{ours:>10}{rm:>10}{shred:>10}  {stated}", row.name);
        assert!(ours == 0 || stated < Assurance::L2, "{}: {stated} with {ours} left", row.name);
        assert_eq!(stated, row.level, "{}", row.name);
        let left = [ours, rm, shred].map(|count| count > RECORDS / 100);
        assert_eq!(left, row.left, "{}: {ours}, {rm}, {shred}", row.name);
        assert!(row.left[0] || ours == 0, "{}: {ours}", row.name);
    }
}

/// Writes the records, destroys their file, and counts what is left on the medium; with what is stated, if by us.
fn destroyed(row: &Row, by: By) -> (usize, Option<Assurance>) {
    let image = Image::of(row.make, row.options, row.mib);
    let folder = image.path().join("folder");
    if row.twist == Twist::Snapshot {
        done(Command::new("btrfs").args(["-q", "subvolume", "create"]).arg(&folder));
    } else {
        fs::create_dir(&folder).unwrap();
    }
    let file = folder.join("records.dat");
    if row.twist == Twist::EarlierCopy {
        put(&folder.join("records.tmp"));
        fs::copy(folder.join("records.tmp"), &file).unwrap();
        File::open(&file).unwrap().sync_all().unwrap();
        fs::remove_file(folder.join("records.tmp")).unwrap();
    } else {
        put(&file);
    }
    let other = image.path().join("other");
    let mut open = None;
    match row.twist {
        Twist::Reflink => {
            let words = ["--reflink=always"];
            done(Command::new("cp").args(words).arg(&file).arg(&other));
        }
        Twist::Snapshot => {
            let words = ["-q", "subvolume", "snapshot", "-r"];
            done(Command::new("btrfs").args(words).arg(&folder).arg(&other));
        }
        Twist::HardLink => fs::hard_link(&file, &other).unwrap(),
        Twist::Open => open = Some(File::open(&file).unwrap()),
        Twist::None | Twist::EarlierCopy => {}
    }
    done(Command::new("sync").arg("-f").arg(image.path()));
    let stated = match by {
        By::Us => Some(wiped(row, &folder)),
        By::Rm => {
            fs::remove_file(&file).unwrap();
            None
        }
        By::Shred => {
            done(Command::new("shred").args(["-n1", "-u"]).arg(&file));
            None
        }
    };
    assert!(!file.exists());
    drop(open);
    (count(&image.raw()), stated)
}

/// The level stated by the wipe itself: that of the place, since nothing here was encrypted.
fn wiped(row: &Row, folder: &Path) -> Assurance {
    let name = OsStr::new("records.dat");
    let dir = files::open_dir(folder).unwrap();
    let own = Expect::default();
    if row.twist == Twist::HardLink {
        // A copy of ours is not destroyed while another name has it.
        let refused = wipe::wipe_file(dir.as_fd(), name, own);
        assert!(matches!(refused, Err(WipeError::Refused(Note::Linked))));
    }
    // What others wrote may have been copied before, which nothing here shows.
    let others = matches!(row.twist, Twist::HardLink | Twist::EarlierCopy);
    let origin = if others { Origin::Others } else { Origin::Own };
    let wiped = wipe::wipe_file(dir.as_fd(), name, Expect { origin, ..own }).unwrap();
    let limits = &wiped.report.limits;
    assert!(limits.contains(&Limit::NoKeyDestroyed), "{limits:?}");
    // What was looked at before stands in the report, by name.
    let journals = row.options.contains("data=journal");
    assert_eq!(limits.contains(&Limit::DataJournal), journals, "{limits:?}");
    let shared = matches!(row.twist, Twist::Reflink | Twist::Snapshot);
    assert_eq!(limits.contains(&Limit::Shared), shared, "{limits:?}");
    assert_eq!(limits.contains(&Limit::OpenElsewhere), row.twist == Twist::Open, "{limits:?}");
    let ground = &wiped.report.ground;
    assert!(row.make[0].ends_with(&ground.kind), "{ground:?}");
    // Below btrfs there may be several disks.
    assert_eq!(ground.rotational.is_some(), ground.kind != "btrfs", "{ground:?}");
    wiped.assurance()
}

#[test]
fn memory_and_layers_are_stated_as_what_they_are() {
    if !inside("matrix::memory_and_layers_are_stated_as_what_they_are") {
        return;
    }
    let image = Image::of(EXT4, "loop", 64);
    let at = |name: &str| image.path().join(name);
    for name in ["low", "up", "work", "layers", "memory"] {
        fs::create_dir(at(name)).unwrap();
    }
    // A file of the layer below, which an overwrite first copies into the one above.
    put(&at("low").join("records.dat"));
    let words = |name: &str| at(name).display().to_string();
    let options =
        format!("lowerdir={},upperdir={},workdir={}", words("low"), words("up"), words("work"));
    done(
        Command::new("mount").args(["-t", "overlay", "-o", &options, "overlay"]).arg(at("layers")),
    );
    done(Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(at("memory")));
    put(&at("memory").join("records.dat"));
    let wipe = |name: &str| {
        let dir = files::open_dir(&at(name)).unwrap();
        wipe::wipe_file(dir.as_fd(), OsStr::new("records.dat"), Expect::default()).unwrap()
    };
    let layers = wipe("layers");
    assert_eq!(
        (layers.assurance(), layers.report.ground.kind.as_str()),
        (Assurance::L1, "overlay")
    );
    let memory = wipe("memory");
    let plain_swap = Machine::default().swaps().iter().any(|s| !s.in_memory && !s.encrypted);
    let expected = if plain_swap { Assurance::L1 } else { Assurance::L2 };
    assert_eq!((memory.assurance(), memory.report.ground.kind.as_str()), (expected, "tmpfs"));
    assert_eq!(memory.report.limits.contains(&Limit::Swap), plain_swap);
    for name in ["layers", "memory"] {
        done(Command::new("umount").arg(at(name)));
    }
    assert_eq!(count(&image.raw()), RECORDS, "the layer below keeps everything");
}

#[test]
fn another_program_finds_nothing_where_a_file_was_wiped_and_finds_it_where_it_was_removed() {
    if !inside(
        "matrix::another_program_finds_nothing_where_a_file_was_wiped_and_finds_it_where_it_was_removed",
    ) {
        return;
    }
    for wiped in [true, false] {
        let image = Image::of(EXT4, "loop", 48);
        let folder = image.path().join("folder");
        fs::create_dir(&folder).unwrap();
        // A form that the other program is told: its beginning, its end, and how long it is at most.
        let page = [&b"BWBEGIN\n"[..], &image::records(), b"BWEND\n"].concat();
        fs::write(folder.join("letter.rec"), &page).unwrap();
        done(Command::new("sync").arg("-f").arg(image.path()));
        if wiped {
            let dir = files::open_dir(&folder).unwrap();
            let _ =
                wipe::wipe_file(dir.as_fd(), OsStr::new("letter.rec"), Expect::default()).unwrap();
        } else {
            fs::remove_file(folder.join("letter.rec")).unwrap();
        }
        drop(image.raw());
        let out = tempfile::tempdir().unwrap();
        let forms = image.file().with_file_name("forms");
        fs::write(&forms, "rec y 4000000 BWBEGIN BWEND\n").unwrap();
        done(
            Command::new("foremost")
                .args(["-Q", "-c"])
                .arg(forms)
                .arg("-i")
                .arg(image.file())
                .arg("-o")
                .arg(out.path()),
        );
        let carved: Vec<_> = walkdir::WalkDir::new(out.path())
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "rec"))
            .collect();
        assert_eq!(carved.is_empty(), wiped, "{carved:?}");
        for entry in carved {
            let carved = count(&fs::read(entry.path()).unwrap());
            assert!(carved > RECORDS / 2, "only {carved} records were carved");
        }
    }
}
