//! Modes, owners and kinds of what the agent believes and works in: each fault names the path and mends it.

use std::{fs, os::unix::fs::symlink};

use super::Site;

const FOREIGN: u32 = 65_534; // nobody

#[test]
fn modes_that_let_others_in_are_told_with_the_command_that_mends_them() {
    let write = "others can write it, and so change what the agent believes";
    for (name, mode, what, mends) in [
        ("agent.yaml", 0o620, write, "chmod go-w"),
        ("agent.yaml", 0o602, write, "chmod go-w"),
        ("links/example.yaml", 0o666, write, "chmod go-w"),
        ("links/example.allowed_signers", 0o660, write, "chmod go-w"),
        ("layouts/nt-verify-04.yaml", 0o622, write, "chmod go-w"),
        ("policies/taoyuan-dwcd.yaml", 0o606, write, "chmod go-w"),
        ("links", 0o770, write, "chmod go-w"),
        ("policies", 0o777, write, "chmod go-w"),
        ("state", 0o750, "others can reach the state folder", "chmod 700"),
        ("state", 0o701, "others can reach the state folder", "chmod 700"),
        ("keys/example", 0o770, "others can reach the keybox", "chmod o-rwx,g-w"),
        ("keys/example", 0o705, "others can reach the keybox", "chmod o-rwx,g-w"),
        ("drop/example", 0o777, "everybody can write the inbox", "chmod o-w"),
        ("root.key", 0o640, "others can read the root key", "chmod 600"),
        ("root.key", 0o604, "others can read the root key", "chmod 600"),
    ] {
        let site = Site::new();
        site.write("root.key", "synthetic");
        site.mode(name, mode);
        let told = site.faults();
        let begins = format!("{name}: {what}\n    hint: {mends} '{name}'");
        assert!(told.len() == 1 && told[0].starts_with(&begins), "{name} {mode:o}: {told:#?}");
    }
}

#[test]
fn modes_that_are_safe_are_taken() {
    for (name, mode) in [
        ("agent.yaml", 0o644),
        ("links/example.yaml", 0o444),
        ("links", 0o755),
        ("drop/example", 0o770),
        ("drop/example", 0o1777), // others add what is theirs, and cannot touch the rest
        ("keys/example", 0o750),
    ] {
        let site = Site::new();
        site.mode(name, mode);
        assert_eq!(site.faults(), [""; 0], "{name} {mode:o}");
    }
}

#[test]
fn what_another_user_owns_is_not_believed() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let owner = Some(FOREIGN);
    for name in ["agent.yaml", "links/example.yaml", "links/example.allowed_signers", "layouts"] {
        let site = Site::new();
        std::os::unix::fs::chown(site.path(name), owner, None).unwrap();
        let told = site.faults();
        let begins = format!("{name}: it belongs to another user");
        assert!(told.len() == 1 && told[0].starts_with(&begins), "{name}: {told:#?}");
    }
    let site = Site::new();
    std::os::unix::fs::chown(site.path("drop/example"), owner, None).unwrap();
    assert_eq!(site.faults(), [""; 0], "an inbox is never believed");
}

#[test]
fn another_users_command_reads_the_configuration_of_the_states_owner() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let site = Site::new();
    for name in ["agent.yaml", "links", "links/example.yaml", "keys/example", "state"] {
        std::os::unix::fs::chown(site.path(name), Some(FOREIGN), None).unwrap();
    }
    assert_eq!(site.faults(), [""; 0]);
}

#[test]
fn folders_of_a_link_are_folders() {
    let site = Site::new();
    fs::remove_dir(site.path("drop/example")).unwrap();
    let told = site.faults();
    let missing = "drop/example: the inbox of 'example': No such file or directory (os error 2)\n    \
                   hint: mkdir -p 'drop/example'";
    assert_eq!(told, [missing]);

    site.write("drop/example", "a file");
    let told = site.faults().join("\n");
    assert!(told.starts_with("drop/example: the inbox is no folder"), "{told}");

    fs::remove_file(site.path("drop/example")).unwrap();
    fs::create_dir(site.path("elsewhere")).unwrap();
    symlink(site.path("elsewhere"), site.path("drop/example")).unwrap();
    let told = site.faults().join("\n");
    assert!(told.starts_with("drop/example: the inbox is a symbolic link"), "{told}");
}

#[test]
fn a_keybox_that_a_link_leads_into_the_inbox_is_refused() {
    let site = Site::new();
    fs::create_dir(site.path("drop/example/in")).unwrap();
    fs::remove_dir(site.path("keys/example")).unwrap();
    fs::remove_dir(site.path("keys")).unwrap();
    symlink("drop/example/in", site.path("keys")).unwrap();
    let told = site.faults();
    let begins =
        "links/example.yaml:9:9: the keybox lies inside, above or at the inbox of 'example'";
    assert!(told.len() == 1 && told[0].starts_with(begins), "{told:#?}");
}

#[test]
fn a_root_key_that_a_link_leads_into_the_state_is_refused() {
    let site = Site::new();
    symlink("state", site.path("outside")).unwrap();
    site.edit("agent.yaml", "root_key: file:root.key", "root_key: file:outside/root.key");
    let told = site.faults();
    let begins = "agent.yaml:13:11: the root key lies within the state folder";
    assert!(told.len() == 1 && told[0].starts_with(begins), "{told:#?}");
}

#[test]
fn a_file_that_is_a_link_a_folder_or_gone_is_not_read() {
    let hint = "it must be a regular file, no link, that the agent's user can read";
    let site = Site::new();
    fs::rename(site.path("layouts/nt-verify-04.yaml"), site.path("kept")).unwrap();
    symlink(site.path("kept"), site.path("layouts/nt-verify-04.yaml")).unwrap();
    let told = site.faults().join("\n");
    assert!(told.starts_with("layouts/nt-verify-04.yaml: the file cannot be read"), "{told}");
    assert!(told.ends_with(hint), "{told}");

    fs::remove_file(site.path("layouts/nt-verify-04.yaml")).unwrap();
    fs::create_dir(site.path("layouts/nt-verify-04.yaml")).unwrap();
    let told = site.faults().join("\n");
    assert!(told.contains("is no regular file") && told.ends_with(hint), "{told}");

    fs::remove_file(site.path("agent.yaml")).unwrap();
    let told = site.faults();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].ends_with("hint: no such file: restore it, or run 'batchward init'"));
}
