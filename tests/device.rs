//! The device helper as root runs it: the agent's wipes are read back from the raw device, whoever else asks is not
//! answered, and without it everything is as it was. All data are synthetic.
//!
//! An image needs the right to mount; without it these tests say so and pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::{
    fs::{self, File},
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use serde_json::Value;
use support::{People, Site, done, myself};

const UNIT: &str = "幼兒托育科";
const DELIVERY: &str = "moca-1151102-0006";

/// A running helper, ended when dropped.
struct Helper(Child);

impl Helper {
    fn start(socket: &Path, user: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_batchward"))
            .arg("device-helper")
            .arg("--socket")
            .arg(socket)
            .args(["--for-user", user])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let helper = Self(child);
        for _ in 0..200 {
            let found = fs::symlink_metadata(socket);
            // Everybody may knock once it listens.
            let open = |about: fs::Metadata| {
                about.file_type().is_socket() && about.permissions().mode() & 0o777 == 0o666
            };
            if found.is_ok_and(open) && helper.status("Seccomp").is_some() {
                sleep(Duration::from_millis(100));
                return helper;
            }
            sleep(Duration::from_millis(20));
        }
        panic!("no helper at '{}'", socket.display());
    }

    /// A line of what the kernel says of the process.
    fn status(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0.id())).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.trim().to_owned())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The state of a site on an image; unmounted when dropped.
struct Medium(PathBuf);

impl Medium {
    fn mount(site: &Site<'_>, make: &[&str], mib: u64) -> Self {
        let (at, image) = (site.dir.join("state"), site.dir.join("image"));
        fs::create_dir(&at).unwrap();
        File::create(&image).unwrap().set_len(mib << 20).unwrap();
        done(Command::new(make[0]).args(&make[1..]).arg(&image));
        let mut mount = Command::new("mount");
        done(mount.args(["-o", "loop"]).arg(&image).arg(&at));
        let _ = fs::remove_dir(at.join("lost+found"));
        fs::set_permissions(&at, fs::Permissions::from_mode(0o700)).unwrap();
        Self(at)
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The whole life of a small delivery; what the register says of each wipe of its order, and the certificate.
fn destroyed(site: &Site<'_>) -> (Vec<Value>, String) {
    site.once();
    let batch = site.row(DELIVERY)["id"].as_str().unwrap().to_owned();
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    let words = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("alice", &words).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    assert_eq!(site.show(&batch)["state"], "closed");
    let certificate = site.run(&["certificate", "show", &order]).ok().text().to_owned();
    site.verify();
    let rows = site.run(&["register", "show", "--json"]).ok().json();
    let wiped = rows.as_array().unwrap().iter().map(|row| row["body"]["outcome"].clone());
    let wiped = wiped.filter(|outcome| outcome["result"] == "copy-wiped");
    (wiped.map(|outcome| outcome["wiped"]["report"].clone()).collect(), certificate)
}

/// A site with its state on an image, that names a helper.
fn site<'p>(people: &'p People, make: &[&str], mib: u64) -> (Site<'p>, Medium, PathBuf) {
    let site = Site::laid_out(people, &["small-20"]);
    let medium = Medium::mount(&site, make, mib);
    let socket = site.dir.join("device.sock");
    let path = site.dir.join("agent.yaml");
    let agent = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{agent}device_helper: {}\n", socket.display())).unwrap();
    site.init();
    site.accounts(UNIT);
    (site, medium, socket)
}

const EXT4: &[&str] = &["mkfs.ext4", "-q", "-F"];
const XFS: &[&str] = &["mkfs.xfs", "-q", "-f"];
const BTRFS: &[&str] = &["mkfs.btrfs", "-q", "-f"];

#[test]
fn with_a_helper_every_wipe_is_read_back_from_the_raw_device() {
    let people = People::new();
    for (make, mib) in [(EXT4, 64), (XFS, 320)] {
        let (site, _medium, socket) = site(&people, make, mib);
        let _helper = Helper::start(&socket, &myself());
        let told = site.run(&["check"]).ok();
        assert!(told.text().contains("the device helper answers"), "{}", told.text());
        let (wiped, certificate) = destroyed(&site);
        assert_eq!(wiped.len(), 3);
        for report in wiped {
            assert_eq!(report["read_back"], "device", "{make:?}: {report:#}");
            // A loop device gives up what it is told; the medium below it need not.
            let limits = report["limits"].as_array().unwrap();
            assert!(limits.contains(&Value::from("not-trimmed")), "{report:#}");
        }
        assert!(certificate.contains("raw device"), "{certificate}");
    }
}

#[test]
fn where_the_helper_cannot_tell_or_there_is_none_a_wipe_states_what_it_did_without() {
    let people = People::new();
    for (make, mib, running) in [(BTRFS, 160, true), (EXT4, 64, false)] {
        let (site, _medium, socket) = site(&people, make, mib);
        let _helper = running.then(|| Helper::start(&socket, &myself()));
        let (wiped, certificate) = destroyed(&site);
        for report in wiped {
            assert_eq!(report["read_back"], "direct", "{make:?}: {report:#}");
        }
        assert!(!certificate.contains("raw device"));
        if !running {
            let told = site.run(&["check"]).ok();
            assert!(told.text().contains("no device helper answers"), "{}", told.text());
        }
    }
}

#[test]
fn whoever_is_not_the_agent_is_not_answered() {
    let people = People::new();
    let (site, _medium, socket) = site(&people, EXT4, 64);
    let _helper = Helper::start(&socket, "nobody");
    let told = site.run(&["check"]).ok();
    assert!(told.text().contains("no device helper answers"), "{}", told.text());
    let (wiped, _) = destroyed(&site);
    assert!(wiped.iter().all(|report| report["read_back"] == "direct"), "{wiped:#?}");
}

#[test]
fn the_helper_keeps_one_right_and_takes_nothing_but_a_socket_away() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("device.sock");
    let helper = Helper::start(&socket, &myself());
    // CAP_SYS_ADMIN is the 21st; a user without it has none.
    let own = u64::from_str_radix(&helper.status("CapEff").unwrap(), 16).unwrap();
    assert_eq!(own & !(1 << 21), 0, "{own:x}");
    assert_eq!(helper.status("CapPrm"), helper.status("CapEff"));
    assert_eq!(helper.status("CapInh").unwrap().trim_start_matches('0'), "");
    if own != 0 {
        let bounds = u64::from_str_radix(&helper.status("CapBnd").unwrap(), 16).unwrap();
        assert_eq!(bounds, 1 << 21, "{bounds:x}");
    }
    assert_eq!(helper.status("NoNewPrivs").unwrap(), "1");
    drop(helper);
    // A socket that a dead one left is taken over; anything else is not.
    drop(Helper::start(&socket, &myself()));
    fs::remove_file(&socket).unwrap();
    fs::write(&socket, b"of somebody else").unwrap();
    let run = |user: &str| {
        Command::new(env!("CARGO_BIN_EXE_batchward"))
            .args(["device-helper", "--socket", socket.to_str().unwrap(), "--for-user", user])
            .output()
            .unwrap()
    };
    assert_eq!(run(&myself()).status.code(), Some(69));
    assert_eq!(fs::read(&socket).unwrap(), b"of somebody else");
    assert_eq!(run("no-such-user").status.code(), Some(78));
}
