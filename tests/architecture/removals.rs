//! Only the wipe primitive removes governed data: every other place that can remove, cut or replace a file is listed
//! here, with what it removes. A new one is a new row, and a reviewer who reads why.

use super::{none, sources};

/// Calls that take a name or bytes away from a file, or give a name to another one.
const CALLS: &[&str] = &[
    "unlink",
    "unlinkat",
    "rmdir",
    "rename",
    "renameat",
    "renameat_with",
    "ftruncate",
    "set_len",
    "fallocate",
    "copy_file_range",
    "remove_file",
    "remove_dir",
    "remove_dir_all",
    "fs::write",
    "fs::copy",
    "File::create",
    "persist",
    "files::remove",
    "files::remove_flat_folder",
    "files::rename",
    "files::replace",
    "files::exchange",
];

/// Flags of an opening that cut the file.
const FLAGS: &[&str] = &["truncate(true)", "OFlags::TRUNC", "O_TRUNC"];

/// Who else may, and what it is that goes there.
const ALLOWED: &[(&str, &[&str], &str)] = &[
    (
        "src/adapters/files.rs",
        &["unlink", "rmdir", "renameat_with", "rename", "OFlags::TRUNC"],
        "temporaries and caches of ours, that hold ciphertext or nothing governed",
    ),
    (
        "src/adapters/inbox.rs",
        &["renameat", "renameat_with", "rename"],
        "a delivery folder gets the name under which the wipe clears it, and its own name back; over nothing",
    ),
    (
        "src/adapters/carrier.rs",
        &["renameat_with"],
        "a folder that was copied from a medium gets its name in the inbox; over nothing",
    ),
    (
        "src/adapters/keystore/store.rs",
        &["set_len"],
        "zeroes behind the last slot, where the files could not grow",
    ),
    (
        "src/cli/audits.rs",
        &["files::remove"],
        "a report of use that could not be recorded, in the auditor's own place: counts, and nobody's data",
    ),
    (
        "src/wiring/notices.rs",
        &["files::remove", "files::replace"],
        "notices that are sent, and what was planned of them: codes, ids and days",
    ),
    (
        "src/wiring/owed.rs",
        &["files::remove", "files::replace"],
        "notes that a load which was given up is still to be taken away from a database: its name, and no data",
    ),
    (
        "src/adapters/courier/session.rs",
        &["rename", "unlink", "rmdir"],
        "at the server, by SFTP, where the agent says so: not of this machine",
    ),
    (
        "src/adapters/fetch/landing.rs",
        &["renameat_with"],
        "fetched files and their folder get their names; over nothing",
    ),
    (
        "src/adapters/fetch/notes.rs",
        &["files::replace"],
        "how far a fetch is, in our state: what it was before is worth nothing",
    ),
    (
        "src/adapters/fetch/push.rs",
        &["rename", "files::replace"],
        "at the server, by SFTP, over nothing: not of this machine; and an empty note in our state",
    ),
    (
        "src/adapters/fetch/release.rs",
        &["rename"],
        "at the server, by SFTP, over nothing: not of this machine",
    ),
    (
        "src/adapters/fetch/transfer.rs",
        &["set_len"],
        "what is fetched anew of a file that is not whole: ciphertext as delivered, which the server has still",
    ),
    ("src/wiring/sources.rs", &["files::replace"], "how it stands with a source: a cache"),
    ("src/adapters/lock.rs", &["set_len"], "what a holder before said of itself"),
    ("src/adapters/case_store.rs", &["files::exchange"], "the record before goes to the wipe"),
    (
        "src/adapters/outbox.rs",
        &["files::replace", "files::rename", "files::remove", "files::remove_flat_folder"],
        "a package that is given up, which is ciphertext, and its note, which holds digests; its key goes to the wipe",
    ),
    ("src/adapters/vault/build.rs", &["files::rename"], "a built vault gets its name"),
    (
        "src/adapters/age_files/spool.rs",
        &["files::rename", "OFlags::TRUNC"],
        "a claimed file gets its name; what a stopped claim had written of it is ciphertext, and its key goes with it",
    ),
    (
        "src/adapters/tiles.rs",
        &["files::replace", "files::remove_flat_folder"],
        "the published register, which can be made again",
    ),
    ("src/adapters/small_disk.rs", &["fs::write", "remove_file"], "a disk of the tests"),
    (
        "src/adapters/packing.rs",
        &["renameat_with", "rename", "files::rename", "files::remove_flat_folder"],
        "a package that gets its name, and the empty folder of one that does not: ciphertext",
    ),
    (
        "src/adapters/receipts.rs",
        &["files::replace", "unlinkat", "renameat"],
        "receipts, which tell digests of ciphertext, and can be made again of the register",
    ),
    ("src/wiring/files.rs", &["files::remove", "files::replace"], "notes of wipes: no data"),
    ("src/wiring/keys.rs", &["files::replace"], "notes of where the key store lay: no data"),
    ("src/wiring/unit.rs", &["files::replace"], "the unit's drop-in"),
    ("src/wiring/witness.rs", &["files::replace"], "a checkpoint that was seen"),
    ("src/daemon/control.rs", &["unlink"], "the socket"),
    ("src/adapters/device/helper.rs", &["unlink"], "the socket"),
    (
        "src/cli/access.rs",
        &["truncate(true)", "files::rename", "files::remove"],
        "an export that its reader asked for, until it has its name",
    ),
    ("src/cli/forms.rs", &["files::replace"], "a form that its reader asked for"),
    ("src/demo/provider.rs", &["rename"], "the demonstration's own delivery"),
    ("src/demo/mod.rs", &["truncate(true)"], "the demonstration's own folder"),
];

/// What of [`CALLS`] and [`FLAGS`] stands in a line.
fn removals(line: &str) -> Vec<&'static str> {
    let within = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |at: usize| !line[..at].ends_with(within);
    let called = |call: &&&str| {
        line.match_indices(**call).any(|(at, _)| {
            let rest = &line[at + call.len()..];
            let declared = line[..at].trim_end().ends_with("fn");
            // Called, or handed on to be called.
            let used = rest.starts_with('(') || rest.starts_with(')');
            let path = call.contains("::") || !line[..at].ends_with("files::");
            whole(at) && used && path && !declared
        })
    };
    let flagged = |flag: &&&str| line.match_indices(**flag).any(|(at, _)| whole(at));
    CALLS.iter().filter(called).chain(FLAGS.iter().filter(flagged)).copied().collect()
}

#[test]
fn only_the_wipe_removes_governed_data() {
    let (mut bad, mut used) = (Vec::new(), Vec::new());
    for source in sources("src") {
        if source.path.starts_with("src/adapters/wipe") {
            continue;
        }
        let allowed = ALLOWED.iter().find(|row| row.0 == source.path).map_or(&[][..], |row| row.1);
        for (n, line) in source.program() {
            for call in removals(line) {
                used.push((source.path.clone(), call));
                if !allowed.contains(&call) {
                    bad.push(format!("{}:{n}: {call}", source.path));
                }
            }
        }
    }
    for (path, calls, _) in ALLOWED {
        let stale = calls.iter().filter(|call| !used.contains(&((*path).to_owned(), call)));
        bad.extend(stale.map(|call| format!("{path}: {call} is allowed and not there")));
    }
    none(
        "removed past adapters/wipe.rs; wipe it, or say in tests/architecture/removals.rs why not",
        &bad,
    );
}

#[test]
fn what_removes_is_seen_in_every_form() {
    for (line, call) in [
        ("    unlinkat(self.dir, name, AtFlags::empty())?;", "unlinkat"),
        ("    rustix::fs::unlink(&path)?;", "unlink"),
        ("    paths.iter().try_for_each(unlink)?;", "unlink"),
        ("    std::fs::remove_file(path)?;", "remove_file"),
        ("    fs::remove_dir_all(path)?;", "remove_dir_all"),
        ("    file.set_len(0)?;", "set_len"),
        ("    ftruncate(&file, 0)?;", "ftruncate"),
        ("    fs::rename(a, b)?;", "rename"),
        ("    renameat_with(a, b, c, d, flags)?;", "renameat_with"),
        ("    let file = File::create(path)?;", "File::create"),
        ("    std::fs::write(path, b\"\")?;", "fs::write"),
        ("    files::remove(&vault, \"vault\")?;", "files::remove"),
        ("    OpenOptions::new().write(true).truncate(true).open(path)?;", "truncate(true)"),
        ("    open(path, OFlags::WRONLY | OFlags::TRUNC, mode)?;", "OFlags::TRUNC"),
        ("    fallocate(&file, FallocateFlags::PUNCH_HOLE, 0, len)?;", "fallocate"),
    ] {
        assert_eq!(removals(line), [call], "{line}");
    }
    for line in [
        "    report.unlinked += 1;",
        "    pub fn remove(path: &Path) {",
        "    ids.truncate(5);",
        "    self.rename_checked(name)?;",
        "    map.remove(&key);",
    ] {
        assert_eq!(removals(line), [""; 0], "{line}");
    }
}
