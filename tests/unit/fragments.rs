//! The user and the folders that the installation makes.

use std::{fs, os::unix::fs::MetadataExt, process::Command};

use super::support::{done, root};

#[test]
fn the_user_and_the_folders_are_made_as_the_unit_needs_them() {
    let top = tempfile::tempdir().unwrap();
    fs::create_dir(top.path().join("etc")).unwrap();
    let at = format!("--root={}", top.path().display());
    done(Command::new("systemd-sysusers").arg(&at).arg(root().join("systemd/batchward.sysusers")));
    let read = |name: &str| fs::read_to_string(top.path().join("etc").join(name)).unwrap();
    let passwd = read("passwd");
    let user = passwd.lines().find(|line| line.starts_with("batchward:")).expect("a user");
    let parts: Vec<&str> = user.split(':').collect();
    assert_eq!(parts[5..], ["/var/lib/batchward", "/usr/sbin/nologin"], "{user}");
    let group = read("group");
    let line = group.lines().find(|line| line.starts_with("batchward:")).expect("a group");
    assert_eq!(line.split(':').nth(2), Some(parts[3]), "the group is the user's own");
}

#[test]
fn the_folders_are_closed_to_others() {
    let mut uids = rustix::process::geteuid().as_raw();
    let top = tempfile::tempdir().unwrap();
    fs::create_dir(top.path().join("etc")).unwrap();
    // The folders belong to whoever runs the test: a user of that name would need a privilege to give to.
    let fragment = fs::read_to_string(root().join("systemd/batchward.tmpfiles")).unwrap();
    let lines: Vec<&str> = fragment.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let own =
        |line: &&str| line.replace(" batchward batchward", " - -").replace(" root root", " - -");
    let copy = top.path().join("fragment.conf");
    fs::write(&copy, lines.iter().map(own).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let at = format!("--root={}", top.path().display());
    done(Command::new("systemd-tmpfiles").args(["--create", &at]).arg(&copy));
    for (path, mode) in
        [("etc/batchward", 0o750), ("var/lib/batchward", 0o700), ("etc/credstore.encrypted", 0o700)]
    {
        let facts = fs::metadata(top.path().join(path)).unwrap();
        assert_eq!(facts.mode() & 0o7777, mode, "{path}");
        uids = uids.max(facts.uid());
    }
    assert_eq!(uids, rustix::process::geteuid().as_raw());
}
