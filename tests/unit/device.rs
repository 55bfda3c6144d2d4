//! The device helper under the filter and with the one capability of its unit: it starts, answers, reads a raw device and
//! trims. It needs root, as the helper does.

use std::{
    fs::{self, File},
    os::{fd::AsFd, unix::fs::FileExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use batchward::adapters::{device::Device, entropy::Noise, wipe::RawDevice};

use super::{
    manager::{DEVICE, Units},
    sandbox::bpf,
    support::done,
};

/// A helper in its box, and a mounted image; both end with the test.
struct Boxed {
    dir: tempfile::TempDir,
    helper: Option<Child>,
}

impl Boxed {
    fn at(&self) -> PathBuf {
        self.dir.path().join("at")
    }
}

impl Drop for Boxed {
    fn drop(&mut self) {
        if let Some(helper) = &mut self.helper {
            let _ = helper.kill();
            let _ = helper.wait();
        }
        let _ = Command::new("umount").arg("-l").arg(self.at()).output();
    }
}

/// The helper as the unit's filter and capability leave it.
fn start(filter: &Path, socket: &Path) -> Child {
    let script = "filter=$1; shift; exec \"$@\" 9<\"$filter\"";
    Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(filter)
        .args(["bwrap", "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--unshare-net"])
        .args(["--die-with-parent", "--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"])
        .args(["--seccomp", "9", "--", env!("CARGO_BIN_EXE_batchward"), "device-helper"])
        .arg("--socket")
        .arg(socket)
        .args(["--for-user", "root"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn the_device_helper_works_with_what_its_unit_leaves_it() {
    let dir = tempfile::tempdir().unwrap();
    let (image, filter) = (dir.path().join("image"), dir.path().join("filter"));
    let mut boxed = Boxed { dir, helper: None };
    File::create(&image).unwrap().set_len(48 << 20).unwrap();
    done(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image));
    fs::create_dir(boxed.at()).unwrap();
    let mut mount = Command::new("mount");
    done(mount.args(["-o", "loop"]).arg(&image).arg(boxed.at()));
    let units = Units::shipped();
    fs::write(&filter, bpf(&units.read(DEVICE), DEVICE, &[])).unwrap();
    let socket = boxed.dir.path().join("device.sock");
    boxed.helper = Some(start(&filter, &socket));
    for _ in 0..500 {
        if Device::answers(&socket) {
            break;
        }
        sleep(Duration::from_millis(20));
    }
    let (noise, len) = (Noise::new().unwrap(), 100_000);
    let mut bytes = vec![0; len];
    noise.fill(0, &mut bytes).unwrap();
    let path = boxed.at().join("f");
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    file.write_all_at(&bytes, 0).unwrap();
    file.sync_all().unwrap();
    let session = Device::new(socket).session();
    assert_eq!(session.compare(&file, &Noise::new().unwrap(), len as u64), Some(false));
    assert_eq!(session.compare(&file, &noise, len as u64), Some(true));
    file.set_len(0).unwrap();
    fs::remove_file(&path).unwrap();
    let folder = File::open(boxed.at()).unwrap();
    let trimmed = session.trim(folder.as_fd()).unwrap();
    assert!(trimmed.bytes >= len as u64 && !trimmed.covered, "{trimmed:?}");
}
