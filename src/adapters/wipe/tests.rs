//! The wipe primitive on every kind of file, and against those who change the folder meanwhile.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    ffi::OsStr,
    fs,
    os::{fd::AsFd, unix::fs::PermissionsExt, unix::fs::symlink},
    path::{Path, PathBuf},
};

use super::{pass::PIECE, *};
use crate::adapters::files;
use crate::domain::certificate::Assurance;

const TEXT: &[u8] = b"synthetic record 0001 of nobody\n";

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("drop");
    fs::create_dir(&path).unwrap();
    (dir, path)
}

fn wipe(dir: &Path, name: &str, expect: Expect) -> Result<Wiped, WipeError> {
    let handle = files::open_dir(dir).unwrap();
    wipe_file(handle.as_fd(), OsStr::new(name), expect)
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).unwrap().next().is_none()
}

/// What others wrote is unlinked where it cannot be overwritten.
const OTHERS: Expect = Expect { origin: Origin::Others, len: None, identity: None, resume: false };

#[test]
fn the_blocks_hold_other_bytes_before_the_file_is_cut_and_gone() {
    for len in [1, 31, 4096, PIECE - 1, PIECE, 2 * PIECE + 777, 5 * PIECE, 6 * PIECE + 4097] {
        let (_tmp, dir) = folder();
        let old: Vec<u8> = TEXT.iter().copied().cycle().take(len).collect();
        fs::write(dir.join("f"), &old).unwrap();
        let mut seen = Vec::new();
        let handle = files::open_dir(&dir).unwrap();
        let expect = Expect { len: Some(len as u64), ..Expect::default() };
        // What a reader of the blocks would find when the proof is handed over.
        let report = wipe_proven(handle.as_fd(), OsStr::new("f"), expect, &mut |_| {
            seen = fs::read(dir.join("f"))?;
            Ok(())
        });
        let report = report.unwrap();
        assert_eq!(seen.len(), len);
        let same = seen.chunks(16).zip(old.chunks(16)).filter(|(n, o)| o.len() == 16 && n == o);
        assert_eq!(same.count(), 0, "{len}");
        assert_eq!((report.outcome, report.bytes), (Outcome::Overwritten, len as u64));
        assert_eq!((report.report.passes, report.report.retries, report.note), (1, 0, None));
        assert!(report.report.limits.contains(&Limit::NoKeyDestroyed));
        assert!(is_empty(&dir));
    }
}

#[test]
fn a_proof_that_cannot_be_kept_leaves_the_file() {
    let (_tmp, dir) = folder();
    fs::write(dir.join("f"), TEXT).unwrap();
    let handle = files::open_dir(&dir).unwrap();
    let refused = wipe_proven(handle.as_fd(), OsStr::new("f"), Expect::default(), &mut |_| {
        Err("no place for it".into())
    });
    assert!(matches!(refused, Err(WipeError::Unproven(_))));
    let left = fs::read(dir.join("f")).unwrap();
    assert!(left.len() == TEXT.len() && left != TEXT);
}

#[test]
fn who_else_has_it_open_and_who_wrote_it_is_told_and_lowers_the_level() {
    let (_tmp, dir) = folder();
    for (open, origin) in [(false, Origin::Own), (true, Origin::Own), (false, Origin::Others)] {
        fs::write(dir.join("f"), TEXT).unwrap();
        let kept = open.then(|| File::open(dir.join("f")).unwrap());
        let wiped = wipe(&dir, "f", Expect { origin, ..Expect::default() }).unwrap();
        let limits = &wiped.report.limits;
        assert_eq!(limits.contains(&Limit::OpenElsewhere), open, "{limits:?}");
        assert!(!limits.contains(&Limit::OpenUnknown));
        assert_eq!(limits.contains(&Limit::WrittenByOthers), origin == Origin::Others);
        if open || origin == Origin::Others {
            assert_eq!(wiped.assurance(), Assurance::L1);
        }
        // Nothing is left to read through a descriptor that was kept.
        assert!(kept.is_none_or(|kept| kept.metadata().unwrap().len() == 0));
    }
}

#[test]
fn another_file_of_the_name_is_not_touched() {
    let (_tmp, dir) = folder();
    fs::write(dir.join("f"), TEXT).unwrap();
    let expect = Expect { identity: Some((0, 0)), ..Expect::default() };
    assert!(matches!(wipe(&dir, "f", expect), Err(WipeError::Swapped)));
    assert_eq!(fs::read(dir.join("f")).unwrap(), TEXT);
}

#[test]
fn an_empty_file_and_a_missing_one() {
    let (_tmp, dir) = folder();
    fs::write(dir.join("f"), b"").unwrap();
    let report = wipe(&dir, "f", Expect::default()).unwrap();
    assert_eq!((report.outcome, report.bytes), (Outcome::Overwritten, 0));
    let report =
        wipe(&dir, "f", Expect { len: Some(5), resume: true, ..Expect::default() }).unwrap();
    assert_eq!((report.outcome, report.assurance()), (Outcome::Missing, Assurance::L0));
    assert!(is_empty(&dir));
}

#[test]
fn a_file_with_a_second_link_is_unlinked_and_never_overwritten() {
    let (tmp, dir) = folder();
    let other = tmp.path().join("other");
    fs::write(&other, TEXT).unwrap();
    fs::hard_link(&other, dir.join("f")).unwrap();
    // One of ours is not destroyed while another name has it.
    let refused = wipe(&dir, "f", Expect::default());
    assert!(matches!(refused, Err(WipeError::Refused(Note::Linked))));
    let report = wipe(&dir, "f", OTHERS).unwrap();
    assert_eq!((report.outcome, report.note), (Outcome::Unlinked, Some(Note::Linked)));
    assert_eq!((report.assurance(), report.bytes), (Assurance::L0, 0));
    assert_eq!(fs::read(&other).unwrap(), TEXT);
    assert!(is_empty(&dir));
}

#[test]
fn links_and_pipes_are_unlinked_and_not_followed() {
    let (tmp, dir) = folder();
    let other = tmp.path().join("other");
    fs::write(&other, TEXT).unwrap();
    symlink(&other, dir.join("link")).unwrap();
    symlink("nowhere", dir.join("dangling")).unwrap();
    let pipe = dir.join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::from_raw_mode(0o600)).unwrap();
    for name in ["link", "dangling", "pipe"] {
        let refused = wipe(&dir, name, Expect::default());
        assert!(matches!(refused, Err(WipeError::Refused(Note::NotRegular))));
        let report = wipe(&dir, name, OTHERS).unwrap();
        assert_eq!((report.outcome, report.note), (Outcome::Unlinked, Some(Note::NotRegular)));
    }
    assert_eq!(fs::read(&other).unwrap(), TEXT);
    assert!(is_empty(&dir));
}

#[test]
fn a_file_that_cannot_be_written_is_unlinked_only() {
    let (_tmp, dir) = folder();
    fs::write(dir.join("f"), TEXT).unwrap();
    fs::set_permissions(dir.join("f"), fs::Permissions::from_mode(0o400)).unwrap();
    let report = wipe(&dir, "f", OTHERS).unwrap();
    // Root may write whatever the mode says.
    let expected = if rustix::process::geteuid().is_root() {
        (Outcome::Overwritten, Assurance::L1, None)
    } else {
        (Outcome::Unlinked, Assurance::L0, Some(Note::NotWritable))
    };
    assert_eq!((report.outcome, report.assurance(), report.note), expected);
    // A program that runs cannot be written by anybody.
    fs::copy("/bin/sleep", dir.join("busy")).unwrap();
    let mut busy = std::process::Command::new(dir.join("busy")).arg("60").spawn().unwrap();
    let refused = wipe(&dir, "busy", Expect::default());
    assert!(matches!(refused, Err(WipeError::Refused(Note::NotWritable))));
    let report = wipe(&dir, "busy", OTHERS).unwrap();
    busy.kill().unwrap();
    busy.wait().unwrap();
    assert_eq!((report.outcome, report.note), (Outcome::Unlinked, Some(Note::NotWritable)));
    assert_eq!(report.assurance(), Assurance::L0);
    assert!(is_empty(&dir));
}

#[test]
fn a_file_of_another_length_is_not_touched() {
    let (_tmp, dir) = folder();
    fs::write(dir.join("f"), TEXT).unwrap();
    let refused = wipe(&dir, "f", Expect { len: Some(5), ..Expect::default() });
    assert!(matches!(refused, Err(WipeError::OtherLength { expected: 5, found: 32 })));
    assert_eq!(fs::read(dir.join("f")).unwrap(), TEXT);
}

#[test]
fn a_swapped_folder_changes_nothing() {
    let (tmp, dir) = folder();
    let handle = files::open_dir(&dir).unwrap();
    let victim = tmp.path().join("victim");
    fs::create_dir(&victim).unwrap();
    for path in [&dir, &victim] {
        fs::write(path.join("f"), TEXT).unwrap();
    }
    fs::rename(&dir, tmp.path().join("moved")).unwrap();
    symlink(&victim, &dir).unwrap();
    let report = wipe_file(handle.as_fd(), OsStr::new("f"), Expect::default()).unwrap();
    assert_eq!(report.outcome, Outcome::Overwritten);
    assert_eq!(fs::read(victim.join("f")).unwrap(), TEXT);
    assert!(is_empty(&tmp.path().join("moved")));
    assert!(files::open_dir(&dir).is_err());
}

#[test]
fn a_file_that_takes_the_name_meanwhile_is_left_in_its_place() {
    let (_tmp, dir) = folder();
    let handle = files::open_dir(&dir).unwrap();
    fs::write(dir.join("f"), TEXT).unwrap();
    let found = stat(handle.as_fd(), OsStr::new("f")).unwrap().unwrap();
    fs::rename(dir.join("f"), dir.join("away")).unwrap();
    fs::write(dir.join("f"), b"another").unwrap();
    let dir_of = handle.as_fd();
    let (below, origin) = (below(dir_of).unwrap(), Origin::Others);
    let place = Place { dir: dir_of, below, origin, raw: None };
    assert!(matches!(place.open(OsStr::new("f"), &found), Err(WipeError::Swapped)));
    let renamed = place.rename_to_neutral(OsStr::new("f"), ".wiped-0", &found);
    assert!(matches!(renamed, Err(WipeError::Swapped)));
    let unlinked = place.unlink_only(OsStr::new("f"), ".wiped-0", &found, Note::NotWritable);
    assert!(matches!(unlinked, Err(WipeError::Swapped)));
    assert_eq!(fs::read(dir.join("f")).unwrap(), b"another");
    assert!(!dir.join(".wiped-0").exists());
}

#[test]
fn a_file_that_takes_the_place_of_a_judged_one_stays_and_is_told() {
    // By another file of the same length, and by other bytes in the same file.
    for swap in [true, false] {
        let (_tmp, dir) = folder();
        fs::create_dir(dir.join("d")).unwrap();
        for name in ["1", "2"] {
            fs::write(dir.join("d").join(name), TEXT).unwrap();
        }
        let other = vec![b'x'; TEXT.len()];
        let handle = files::open_dir(&dir).unwrap();
        let judged = |_: BorrowedFd<'_>, path: &Path, _: &Stat| {
            if path == Path::new("1") {
                // A clock may tell two changes within one of its ticks apart no more.
                std::thread::sleep(std::time::Duration::from_millis(20));
                if swap {
                    fs::write(dir.join("new"), &other).unwrap();
                    fs::rename(dir.join("new"), dir.join("d/1")).unwrap();
                } else {
                    fs::write(dir.join("d/1"), &other).unwrap();
                }
            }
            true
        };
        let report = wipe_tree(handle.as_fd(), OsStr::new("d"), &judged).unwrap();
        assert_eq!((report.overwritten, report.unknown, report.left), (1, 1, 0), "{swap}");
        assert_eq!(fs::read(dir.join("d/1")).unwrap(), other);
        assert!(!dir.join("d/2").exists());
    }
}

#[test]
fn names_that_are_paths_and_folders_are_refused() {
    let (_tmp, dir) = folder();
    fs::create_dir(dir.join("sub")).unwrap();
    for name in ["", ".", "..", "a/b", "/etc/passwd"] {
        assert!(matches!(wipe(&dir, name, Expect::default()), Err(WipeError::BadName)), "{name}");
    }
    assert!(matches!(wipe(&dir, "sub", Expect::default()), Err(WipeError::Folder)));
}

#[test]
fn a_wipe_that_stopped_after_its_rename_is_finished() {
    for left in [TEXT, b""] {
        let (_tmp, dir) = folder();
        fs::write(dir.join(neutral_name(OsStr::new("f"))), left).unwrap();
        let expect = Expect { len: Some(TEXT.len() as u64), resume: true, ..Expect::default() };
        let report = wipe(&dir, "f", expect).unwrap();
        assert_eq!((report.outcome, report.bytes), (Outcome::Overwritten, left.len() as u64));
        assert_eq!(report.note, Some(Note::Resumed));
        assert!(is_empty(&dir));
    }
    // Where others can write, that name proves nothing.
    let (_tmp, dir) = folder();
    fs::write(dir.join(neutral_name(OsStr::new("f"))), b"").unwrap();
    assert_eq!(wipe(&dir, "f", Expect::default()).unwrap().outcome, Outcome::Missing);
}

#[test]
fn a_nested_tree_goes_whole_and_what_it_points_to_stays() {
    let (tmp, dir) = folder();
    let other = tmp.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("kept"), TEXT).unwrap();
    let deep = dir.join("d").join("a").join("b");
    fs::create_dir_all(&deep).unwrap();
    for path in [dir.join("d").join("1"), deep.join("2"), deep.join(".hidden")] {
        fs::write(path, TEXT).unwrap();
    }
    symlink(&other, deep.join("link")).unwrap();
    let report = clear(&dir, "d");
    assert_eq!((report.found, report.overwritten, report.unlinked), (true, 3, 1));
    assert_eq!((report.bytes, report.left, report.assurance), (96, 0, Assurance::L1));
    fs::hard_link(other.join("kept"), dir.join("file")).unwrap();
    let report = clear(&dir, "file");
    assert_eq!((report.unlinked, report.assurance), (1, Assurance::L0));
    symlink(&other, dir.join("link")).unwrap();
    assert_eq!(clear(&dir, "link").unlinked, 1);
    assert!(!clear(&dir, "none").found);
    assert_eq!(fs::read(other.join("kept")).unwrap(), TEXT);
    assert!(is_empty(&dir));
}

#[test]
fn what_is_nested_too_deep_is_counted_and_left() {
    let (_tmp, dir) = folder();
    let mut path = dir.join("d");
    for _ in 0..crate::domain::limits::CLEAR_DEPTH_MAX {
        path.push("x");
    }
    fs::create_dir_all(&path).unwrap();
    fs::write(dir.join("d").join("f"), TEXT).unwrap();
    let report = clear(&dir, "d");
    assert_eq!((report.overwritten, report.left > 0), (1, true));
    assert_eq!(report.assurance, Assurance::L0);
    assert!(path.exists() && !dir.join("d").join("f").exists());
}

#[test]
fn a_mount_inside_is_not_entered() {
    let disk = crate::adapters::small_disk::SmallDisk::mount(64);
    fs::write(disk.path().join("kept"), TEXT).unwrap();
    let (parent, name) = (disk.path().parent().unwrap(), disk.path().file_name().unwrap());
    let report = clear(parent, name.to_str().unwrap());
    assert_eq!((report.overwritten, report.left > 0), (0, true));
    assert_eq!(fs::read(disk.path().join("kept")).unwrap(), TEXT);
}

#[test]
fn a_sparse_file_on_a_full_disk_is_unlinked_and_said_so() {
    let disk = crate::adapters::small_disk::SmallDisk::mount(256);
    let sparse = File::create(disk.path().join("f")).unwrap();
    sparse.set_len(4 << 20).unwrap();
    let refused = wipe(disk.path(), "f", Expect::default());
    assert!(matches!(refused, Err(WipeError::Refused(Note::NoSpace))));
    let report = wipe(disk.path(), "f", OTHERS).unwrap();
    assert_eq!((report.outcome, report.note), (Outcome::Unlinked, Some(Note::NoSpace)));
    let kind = report.report.ground.kind.as_str();
    assert_eq!((report.assurance(), kind), (Assurance::L0, "tmpfs"));
    assert!(is_empty(disk.path()));
}

#[test]
fn an_immutable_file_is_an_error_and_stays() {
    let (_tmp, dir) = folder();
    fs::write(dir.join("f"), TEXT).unwrap();
    let chattr = |flag: &str| {
        let done = std::process::Command::new("chattr").arg(flag).arg(dir.join("f")).output();
        done.is_ok_and(|output| output.status.success())
    };
    if chattr("+i") {
        let refused = wipe(&dir, "f", Expect::default());
        let tree = clear(dir.parent().unwrap(), "drop");
        assert!(chattr("-i"));
        assert!(matches!(refused, Err(WipeError::Refused(Note::NotWritable))));
        assert!(tree.left > 0 && fs::read(dir.join("f")).unwrap() == TEXT);
    }
}

fn clear(dir: &Path, name: &str) -> TreeReport {
    let handle = files::open_dir(dir).unwrap();
    wipe_tree(handle.as_fd(), OsStr::new(name), &|_, _, _| true).unwrap()
}
