//! What the helper tells of devices: on images, as root; and what it refuses. A file that no one could look at counts as
//! one that was not looked at.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests"
)]

use std::{
    fs,
    os::unix::fs::{FileExt, symlink},
    process::Command,
};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::{helper::answer, raw::OnDevice, *};
use crate::adapters::wipe::beneath::PIECE;

/// A filesystem in a file; unmounted when dropped.
struct Image {
    dir: tempfile::TempDir,
}

fn ran(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

impl Image {
    /// It needs root to mount: without, the test fails and says so.
    fn of(make: &[&str], mib: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let image = Self { dir };
        File::create(image.file()).unwrap().set_len(mib << 20).unwrap();
        assert!(ran(Command::new(make[0]).args(&make[1..]).arg(image.file())), "{make:?}");
        fs::create_dir(image.at()).unwrap();
        let mut mount = Command::new("mount");
        let mounted = ran(mount.args(["-o", "loop"]).arg(image.file()).arg(image.at()));
        assert!(mounted, "an image needs the right to mount: run the tests as root");
        image
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("image")
    }

    fn at(&self) -> PathBuf {
        self.dir.path().join("at")
    }

    /// A file of noise, synced, as an overwrite leaves it.
    fn noisy(&self, len: usize) -> (File, Noise) {
        let noise = Noise::new().unwrap();
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(self.at().join("f"))
            .unwrap();
        for (piece, start) in (0..).zip((0..len).step_by(PIECE)) {
            let mut bytes = vec![0; PIECE.min(len - start)];
            noise.fill(piece, &mut bytes).unwrap();
            file.write_all_at(&bytes, start as u64).unwrap();
        }
        file.sync_all().unwrap();
        (file, noise)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.at()).output();
    }
}

const EXT4: &[&str] = &["mkfs.ext4", "-q", "-F"];
const XFS: &[&str] = &["mkfs.xfs", "-q", "-f"];
const BTRFS: &[&str] = &["mkfs.btrfs", "-q", "-f"];

fn compare(file: &File, noise: &Noise, len: usize, gone: &mut Option<OnDevice>) -> String {
    let ask = Ask::Compare { len: len as u64, seed: wire::hex(noise.seed()) };
    let handle = file.try_clone().unwrap().into();
    said(answer(&ask, Some(handle), gone))
}

fn said(answer: Result<Answer, raw::Why>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(why) => why.code().to_owned(),
    }
}

#[test]
fn the_raw_device_is_read_and_one_byte_on_it_tells() {
    for (make, mib) in [(EXT4, 48), (XFS, 320)] {
        for len in [1, 4096, PIECE + 5000, 5 * PIECE + 1] {
            let image = Image::of(make, mib);
            let (file, noise) = image.noisy(len);
            let mut gone = None;
            assert_eq!(compare(&file, &noise, len, &mut gone), "Equal", "{make:?} {len}");
            assert_eq!(compare(&file, &Noise::new().unwrap(), len, &mut gone), "NotEqual");
            assert_eq!(compare(&file, &noise, len + 1, &mut gone), "length");
            // Behind the back of the filesystem, in the last byte of the file on the medium itself.
            assert_eq!(compare(&file, &noise, len, &mut gone), "Equal");
            let last = gone.as_ref().unwrap().places.last().copied().unwrap();
            let at = last.physical + (len as u64 - 1 - last.logical);
            let medium = File::options().read(true).write(true).open(image.file()).unwrap();
            let mut byte = [0];
            medium.read_exact_at(&mut byte, at).unwrap();
            medium.write_all_at(&[byte[0] ^ 1], at).unwrap();
            medium.sync_all().unwrap();
            assert_eq!(compare(&file, &noise, len, &mut gone), "NotEqual", "{make:?} {len}");
            let mut through = vec![0; 1];
            file.read_exact_at(&mut through, len as u64 - 1).unwrap();
            assert_eq!(through, byte, "the filesystem's memory says what it said before");
        }
    }
}

#[test]
fn what_is_freed_is_given_back_and_seen_to_be_gone_but_a_loop_device_states_nothing() {
    for (make, mib) in [(EXT4, 48), (XFS, 320)] {
        let image = Image::of(make, mib);
        let len = 3 * PIECE;
        let (file, noise) = image.noisy(len);
        let mut gone = None;
        assert_eq!(compare(&file, &noise, len, &mut gone), "Equal");
        let places = gone.as_ref().unwrap().places.clone();
        file.set_len(0).unwrap();
        fs::remove_file(image.at().join("f")).unwrap();
        let folder: OwnedFd = File::open(image.at()).unwrap().into();
        let given = answer(&Ask::Trim {}, Some(folder), &mut gone).unwrap();
        let Answer::Trimmed { bytes, covered } = given else { panic!("{given:?}") };
        assert!(bytes >= len as u64, "{make:?}: {bytes}");
        assert!(!covered, "what a loop device gives up, the medium below may keep");
        let medium = File::open(image.file()).unwrap();
        for place in places {
            let mut bytes = vec![1; usize::try_from(place.length).unwrap()];
            medium.read_exact_at(&mut bytes, place.physical).unwrap();
            assert!(bytes.iter().all(|byte| *byte == 0), "{make:?}");
        }
    }
}

#[test]
fn what_cannot_be_told_is_said_to_be_that() {
    let image = Image::of(BTRFS, 128);
    let len = PIECE;
    let (file, noise) = image.noisy(len);
    let mut gone = None;
    assert_eq!(compare(&file, &noise, len, &mut gone), "filesystem");
    let folder: OwnedFd = File::open(image.at()).unwrap().into();
    let given = answer(&Ask::Trim {}, Some(folder), &mut gone).unwrap();
    assert!(matches!(given, Answer::Trimmed { bytes, covered: false } if bytes > 0), "{given:?}");
    let image = Image::of(EXT4, 48);
    let (file, noise) = image.noisy(len);
    let folder = File::open(image.at()).unwrap();
    assert_eq!(compare(&folder, &noise, len, &mut gone), "kind");
    let null = File::open("/dev/null").unwrap();
    assert_eq!(compare(&null, &noise, len, &mut gone), "kind");
    assert_eq!(said(answer(&Ask::Trim {}, Some(file.into()), &mut gone)), "kind");
    assert_eq!(said(answer(&Ask::Trim {}, None, &mut gone)), "kind");
    // A hole was never overwritten.
    fs::write(image.at().join("sparse"), b"").unwrap();
    let sparse = File::options().read(true).write(true).open(image.at().join("sparse")).unwrap();
    sparse.set_len(PIECE as u64).unwrap();
    assert_eq!(compare(&sparse, &noise, len, &mut gone), "places");
    let memory = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
    memory.as_file().set_len(PIECE as u64).unwrap();
    assert_eq!(compare(memory.as_file(), &noise, len, &mut gone), "filesystem");
}

#[test]
fn only_devices_that_pass_on_what_they_are_told_are_stated() {
    let sys = tempfile::tempdir().unwrap();
    let device = |name: &str, discards: &str| {
        let path = sys.path().join(name);
        fs::create_dir_all(path.join("queue")).unwrap();
        fs::write(path.join("queue/discard_max_bytes"), discards).unwrap();
        path
    };
    let disk = device("pci/sda", "4294966784\n");
    let part = disk.join("sda1");
    fs::create_dir(&part).unwrap();
    let deaf = device("pci/sdb", "0\n");
    let layer = device("virtual/dm-0", "4294966784\n");
    let image = device("virtual/loop0", "4294966784\n");
    let link = sys.path().join("8:0");
    symlink(&disk, &link).unwrap();
    for (path, told) in [
        (&disk, true),
        (&part, true),
        (&link, true),
        (&deaf, false),
        (&layer, false),
        (&image, false),
        (&sys.path().join("none"), false),
    ] {
        assert_eq!(raw::is_told(path), told, "{}", path.display());
    }
}

#[test]
fn a_packet_that_is_no_question_ends_the_connection() {
    let pair = || {
        let kind = SocketType::SEQPACKET;
        socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap()
    };
    for bytes in [
        &b"{}"[..],
        b"null",
        b"{\"ask\":\"write\"}",
        b"{\"ask\":\"hello\",\"more\":1}",
        &[b' '; 600],
    ] {
        let (one, other) = pair();
        rustix::net::send(&one, bytes, rustix::net::SendFlags::empty()).unwrap();
        assert!(wire::receive::<Ask>(other.as_fd()).is_err(), "{bytes:?}");
    }
    let (one, other) = pair();
    wire::send(one.as_fd(), &Ask::Trim {}, Some(one.as_fd())).unwrap();
    let (ask, with) = wire::receive::<Ask>(other.as_fd()).unwrap().unwrap();
    assert_eq!((ask, with.is_some()), (Ask::Trim {}, true));
    drop(one);
    drop(with);
    assert!(wire::receive::<Ask>(other.as_fd()).unwrap().is_none());
}

#[test]
fn where_nobody_listens_nothing_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let device = Device::new(dir.path().join("none"));
    assert!(!Device::answers(&dir.path().join("none")));
    let session = device.session();
    let file = tempfile::tempfile().unwrap();
    assert_eq!(session.compare(&file, &Noise::new().unwrap(), 1), None);
    assert_eq!(session.trim(file.as_fd()), None);
}
