//! Trouble with what is to be destroyed: files that resist, disks that fail, things swapped under us. Each ends in a
//! code that says what to mend, nothing is recorded as destroyed that is not, and the same order goes on afterwards.

use std::io::Write;

use serde_json::Value;

use super::*;

/// A small batch that is due, and an order over all its copies that waits for its approval.
fn requested(site: &Site<'_>) -> (String, String) {
    site.once();
    let batch = site.row(DELIVERY)["id"].as_str().unwrap().to_owned();
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    let words = ["destroy", "request", &batch, "--reason", "使用完竣"];
    (batch.clone(), site.run_as("alice", &words).ok().id('o'))
}

/// The one file below a folder of the state.
#[track_caller]
fn only(site: &Site<'_>, folder: &str) -> PathBuf {
    let mut files = site.files(folder);
    assert_eq!(files.len(), 1, "{files:?}");
    site.dir.join(folder).join(files.remove(0))
}

/// The state of the copy of this kind.
#[track_caller]
fn copy(site: &Site<'_>, batch: &str, kind: &str) -> String {
    let page = site.show(batch);
    let copies = page["copies"].as_array().unwrap();
    let one = copies.iter().find(|copy| copy["kind"] == kind).unwrap();
    one["state"].as_str().unwrap().to_owned()
}

fn alarms(site: &Site<'_>) -> Vec<String> {
    let told = site.run(&["status", "--json"]).json();
    let codes = told["alarms"].as_array().unwrap().iter();
    codes.map(|alarm| alarm["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_proof_outlives_the_failure_that_follows_it() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let (batch, order) = requested(&site);
    let vault = only(&site, "state/vault");
    // The process dies when the file is gone, proven, and nothing is recorded of it.
    let key = site.people.key("sue");
    let mut write = 1;
    while vault.exists() {
        let crash = format!("{write}:after");
        let global = ["--as", "sue", "--sign-with", key.to_str().unwrap(), "--test-crash", &crash];
        let words = ["destroy", "approve", &order];
        let ran = site.run_with(&words, &global, b"");
        if ran.status.is_some() {
            // It was approved before it died: the agent goes on.
            let ran = site.run_with(&["run", "--once"], &["--test-crash", &crash], b"");
            assert!(ran.status.is_none(), "{}", ran.stderr);
        }
        write += 1;
        assert!(write < 200);
    }
    // The next try fails, and that is recorded.
    let (folder, aside) = (site.dir.join("state/vault"), site.dir.join("vault-aside"));
    fs::rename(&folder, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &folder).unwrap();
    for _ in 0..2 {
        site.run(&["run", "--once"]);
        assert_ne!(copy(&site, &batch, "vault"), "destroyed");
    }
    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    site.run_as("alice", &["batch", "retry", &batch]);
    site.once();
    assert_eq!(copy(&site, &batch, "vault"), "destroyed");
    assert_eq!(site.show(&batch)["state"], "closed");
    site.run(&["certificate", "show", &order]).ok();
    site.verify();
}

#[test]
fn what_a_wipe_left_in_a_keybox_is_ended_by_the_next_look_and_told_until_then() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    site.once();
    let left = site.dir.join("keys/moca-full/.wiped-0123456789abcdef");
    fs::write(&left, b"synthetic remains of a key").unwrap();
    support::done(Command::new("chattr").arg("+i").arg(&left));
    let ran = site.run(&["run", "--once"]);
    let told = alarms(&site);
    support::done(Command::new("chattr").arg("-i").arg(&left));
    assert!(told.contains(&"inbox-unreadable".to_owned()), "{told:?} {ran:?}");
    assert!(left.exists());
    site.once();
    assert!(!left.exists(), "the next look ends it");
    assert!(!alarms(&site).contains(&"inbox-unreadable".to_owned()));
}

/// A filesystem of its own, in a file in memory, over one folder of a site's state; unmounted when dropped.
struct Medium {
    at: PathBuf,
    image: PathBuf,
    memory: PathBuf,
}

impl Medium {
    /// It needs root to mount: without, the test fails and says so.
    fn mount(site: &Site<'_>, folder: &str, make: &[&str], mib: u64) -> Self {
        let (at, memory) = (site.dir.join(folder), site.dir.join("memory"));
        fs::create_dir_all(&at).unwrap();
        fs::create_dir(&memory).unwrap();
        let mut mount = Command::new("mount");
        let size = format!("size={}m", mib + 8);
        support::done(mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&memory));
        let image = memory.join("image");
        File::create(&image).unwrap().set_len(mib << 20).unwrap();
        support::done(Command::new(make[0]).args(&make[1..]).arg(&image));
        support::done(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&at));
        mode(&at, 0o700);
        let _ = fs::remove_dir(at.join("lost+found"));
        Self { at, image, memory }
    }

    fn remount(&self, how: &str) {
        support::done(Command::new("mount").args(["-o", how]).arg(&self.at));
    }

    /// Takes the room below the image and every block of `file` in it: what is written there finds none.
    fn fail_below(&self, file: &Path) -> Filler {
        support::done(Command::new("sync").arg("-f").arg(&self.at));
        let told = support::done(Command::new("filefrag").args(["-v", "-b4096"]).arg(file));
        let told = String::from_utf8(told).unwrap();
        let mut punched = 0;
        for line in
            told.lines().filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()))
        {
            let numbers: Vec<u64> = line
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|number| number.parse().ok())
                .collect();
            let (first, blocks) = (numbers[3], numbers[5]);
            let image = OpenOptions::new().write(true).open(&self.image).unwrap();
            let how =
                rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
            rustix::fs::fallocate(&image, how, first * 4096, blocks * 4096).unwrap();
            punched += blocks;
        }
        assert!(punched > 0, "{told}");
        let path = self.memory.join("filler");
        let filler = File::create(&path).unwrap();
        let stat = rustix::fs::statvfs(&self.memory).unwrap();
        let room = stat.f_bavail * stat.f_frsize;
        rustix::fs::fallocate(&filler, rustix::fs::FallocateFlags::empty(), 0, room).unwrap();
        Filler(path)
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        for path in [&self.at, &self.memory] {
            let _ = Command::new("umount").arg("-l").arg(path).status();
        }
    }
}

/// What takes the room, until it is dropped.
struct Filler(PathBuf);

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const EXT4: &[&str] = &["mkfs.ext4", "-q", "-F"];
const BTRFS: &[&str] = &["mkfs.btrfs", "-q", "-f"];

/// A site with its vaults on a medium of their own, a batch that is due, and an order over it.
fn on<'p>(people: &'p People, make: &[&str], mib: u64) -> (Site<'p>, Medium, String, String) {
    let site = Site::laid_out(people, &["small-20"]);
    fs::create_dir(site.dir.join("state")).unwrap();
    mode(&site.dir.join("state"), 0o700);
    let medium = Medium::mount(&site, "state/vault", make, mib);
    site.init();
    site.accounts(UNIT);
    let (batch, order) = requested(&site);
    (site, medium, batch, order)
}

/// The order is approved while the vault resists: the code, and that nothing says "destroyed" of it.
#[track_caller]
fn resists(site: &Site<'_>, batch: &str, order: &str, code: &str) {
    let approved = site.run_as("sue", &["destroy", "approve", order]);
    let page = site.show(batch);
    assert_eq!(page["trouble"], code, "{page:#} {approved:?}");
    assert_eq!(copy(site, batch, "vault"), "condemned");
    assert_eq!(copy(site, batch, "transfer"), "destroyed", "the other copies go on");
    assert_eq!(copy(site, batch, "case"), "condemned", "the record names what is left");
    assert_eq!(page["state"], "condemned");
    assert_ne!(site.run(&["certificate", "show", order]).status, Some(0));
    site.verify();
}

/// What the register says of the vault's wipe.
#[track_caller]
fn outcome(site: &Site<'_>) -> Value {
    let rows = site.run(&["register", "show", "--json"]).ok().json();
    let rows = rows.as_array().unwrap();
    let intended = |row: &&Value| row["body"]["plan"]["step"] == "wipe-copy";
    let vaults: Vec<&Value> = rows
        .iter()
        .filter(|row| row["body"]["outcome"]["result"] == "copy-wiped")
        .filter(|row| {
            let intent = rows.iter().filter(intended).find(|i| i["seq"] == row["body"]["intent"]);
            intent.is_some_and(|i| i["body"]["plan"]["copy"] == vault_of(rows))
        })
        .collect();
    assert_eq!(vaults.len(), 1, "destroyed once");
    vaults[0]["body"]["outcome"]["wiped"].clone()
}

fn vault_of(rows: &[Value]) -> Value {
    let load = rows.iter().find(|row| row["body"]["plan"]["step"] == "load").unwrap();
    load["body"]["plan"]["vault"].clone()
}

/// Once it is mended, the same order comes to its end; what the register says of the vault's wipe.
#[track_caller]
fn ends(site: &Site<'_>, batch: &str, order: &str) -> Value {
    site.run_as("alice", &["batch", "retry", batch]);
    site.once();
    assert_eq!(site.show(batch)["state"], "closed", "{:#}", site.show(batch));
    assert_eq!(copy(site, batch, "vault"), "destroyed");
    assert!(site.files("state/vault").is_empty());
    site.run(&["certificate", "show", order]).ok();
    site.verify();
    outcome(site)
}

fn has(wiped: &Value, limit: &str) -> bool {
    wiped["report"]["limits"].as_array().unwrap().iter().any(|one| one == limit)
}

#[test]
fn an_immutable_vault_is_stuck_until_it_is_mended_and_then_the_same_order_ends() {
    let people = People::new();
    let (site, _medium, batch, order) = on(&people, EXT4, 24);
    let vault = only(&site, "state/vault");
    support::done(Command::new("chattr").arg("+i").arg(&vault));
    let before = fs::read(&vault).unwrap();
    resists(&site, &batch, &order, "copy-read-only");
    assert!(alarms(&site).contains(&"step-stuck".to_owned()));
    assert_eq!(fs::read(&vault).unwrap(), before, "not touched");
    // A stuck step is no end: nothing of it is tried again until a person says so.
    site.once();
    assert_eq!(copy(&site, &batch, "vault"), "condemned");
    support::done(Command::new("chattr").arg("-i").arg(&vault));
    let wiped = ends(&site, &batch, &order);
    assert!(!has(&wiped, "not-overwritten") && !has(&wiped, "moved"), "{wiped:#}");
    assert_eq!(wiped["report"]["read_back"], "direct");
}

#[test]
fn what_resists_can_be_excepted_and_goes_by_a_later_order() {
    let people = People::new();
    let (site, _medium, batch, order) = on(&people, EXT4, 24);
    let vault = only(&site, "state/vault");
    support::done(Command::new("chattr").arg("+i").arg(&vault));
    resists(&site, &batch, &order, "copy-read-only");
    let page = site.show(&batch);
    let mut copies = page["copies"].as_array().unwrap().iter();
    let id =
        copies.find(|copy| copy["kind"] == "vault").unwrap()["id"].as_str().unwrap().to_owned();
    let words = ["destroy", "except", &order, &id, "--owner", "alice", "--until", "2026-11-30"];
    site.run_as("sue", &[words.as_slice(), &["--reason", "disk away"]].concat()).ok();
    site.once();
    assert_ne!(copy(&site, &batch, "vault"), "destroyed");
    let paper = site.run(&["certificate", "show", &order]).ok().json();
    assert_eq!(paper["certificate"]["left_out"][0]["copy"], id.as_str());
    support::done(Command::new("chattr").arg("-i").arg(&vault));
    let words = ["destroy", "request", &batch, "--reason", "取回銷毀"];
    let rest = site.run_as("alice", &words).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &rest]).ok();
    let wiped = ends(&site, &batch, &rest);
    assert!(!has(&wiped, "not-overwritten"), "{wiped:#}");
}

#[test]
fn a_medium_that_becomes_read_only_in_the_middle_stops_the_agent_and_the_order_goes_on_later() {
    let people = People::new();
    let (site, medium, batch, order) = on(&people, EXT4, 24);
    let vault = only(&site, "state/vault");
    let before = fs::read(&vault).unwrap();
    // The process dies while the vault is overwritten, and the medium is read-only when it comes back.
    let key = site.people.key("sue");
    let (mut write, mut approved) = (1, false);
    while fs::read(&vault).unwrap() == before {
        let crash = format!("{write}:middle");
        let ran = if approved {
            site.run_with(&["run", "--once"], &["--test-crash", &crash], b"")
        } else {
            let as_sue = ["--as", "sue", "--sign-with", key.to_str().unwrap()];
            let global = [as_sue.as_slice(), &["--test-crash", &crash]].concat();
            site.run_with(&["destroy", "approve", &order], &global, b"")
        };
        // Once it is approved, the agent goes on from where it stopped.
        let again = !approved && ran.status.is_some();
        (approved, write) = (approved || again, if again { 1 } else { write + 1 });
        assert!(write < 200, "{}", ran.stderr);
    }
    medium.remount("remount,ro");
    let half = fs::read(&vault).unwrap();
    for words in [&["run", "--once"][..], &["status"]] {
        let ran = site.run(words).exits(69);
        let path = site.dir.join("state/vault");
        assert!(ran.stderr.contains("Read-only") && ran.stderr.contains(path.to_str().unwrap()));
    }
    assert_eq!(fs::read(&vault).unwrap(), half);
    medium.remount("remount,rw");
    assert_ne!(copy(&site, &batch, "vault"), "destroyed");
    let wiped = ends(&site, &batch, &order);
    assert_eq!(wiped["report"]["read_back"], "direct", "{wiped:#}");
}

#[test]
fn a_medium_that_turns_away_what_is_written_destroys_nothing() {
    let people = People::new();
    let (site, medium, batch, order) = on(&people, EXT4, 24);
    let vault = only(&site, "state/vault");
    let filler = medium.fail_below(&vault);
    resists(&site, &batch, &order, "wipe");
    assert!(!site.files("state/vault").is_empty());
    drop(filler);
    let wiped = ends(&site, &batch, &order);
    assert_eq!((&wiped["files"], &wiped["report"]["passes"]), (&1.into(), &1.into()));
}

#[test]
fn a_medium_that_fails_altogether_destroys_nothing() {
    let people = People::new();
    let (site, medium, batch, order) = on(&people, EXT4, 24);
    // The filesystem shuts down, as after errors of its own: every call is an I/O error from then on.
    let mut shutdown = Command::new("xfs_io");
    support::done(shutdown.args(["-x", "-c", "shutdown -f"]).arg(&medium.at));
    resists(&site, &batch, &order, "wipe");
    support::done(Command::new("umount").arg(&medium.at));
    let mut mount = Command::new("mount");
    support::done(mount.args(["-o", "loop"]).arg(&medium.image).arg(&medium.at));
    ends(&site, &batch, &order);
}

#[test]
fn a_full_filesystem_that_copies_on_write_destroys_nothing_until_there_is_room() {
    let people = People::new();
    let (site, medium, batch, order) = on(&people, BTRFS, 128);
    let filler = Filler(medium.at.join("filler"));
    let file = File::create(&filler.0).unwrap();
    // All of it, by pieces: what is left in the end is less than the smallest.
    for piece in [1 << 20, 1 << 16, 1 << 12] {
        let bytes = vec![0x5A; piece];
        while (&file).write_all(&bytes).and_then(|()| file.sync_data()).is_ok() {}
    }
    resists(&site, &batch, &order, "disk-full");
    assert!(alarms(&site).contains(&"disk-low".to_owned()));
    fs::remove_file(&filler.0).unwrap();
    drop(file);
    support::done(Command::new("sync").arg("-f").arg(&medium.at));
    let wiped = ends(&site, &batch, &order);
    assert!(has(&wiped, "moved"), "what is copied on write is told as that: {wiped:#}");
}

#[test]
fn links_in_the_place_of_a_copy_are_neither_followed_nor_called_destroyed() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let (batch, order) = requested(&site);
    let vault = only(&site, "state/vault");
    // A second name, then a symbolic link in its place.
    let (other, aside) = (site.dir.join("other-name"), site.dir.join("aside"));
    fs::hard_link(&vault, &other).unwrap();
    let before = fs::read(&vault).unwrap();
    resists(&site, &batch, &order, "copy-linked");
    fs::rename(&vault, &aside).unwrap();
    fs::remove_file(&other).unwrap();
    let victim = site.dir.join("victim");
    fs::write(&victim, b"of somebody else").unwrap();
    std::os::unix::fs::symlink(&victim, &vault).unwrap();
    site.run_as("alice", &["batch", "retry", &batch]);
    site.run(&["run", "--once"]);
    assert_eq!(site.show(&batch)["trouble"], "copy-linked");
    assert_eq!(copy(&site, &batch, "vault"), "condemned");
    assert_eq!(fs::read(&victim).unwrap(), b"of somebody else");
    assert_eq!(fs::read(&aside).unwrap(), before);
    // And taken away altogether: what is not there was not destroyed by us.
    fs::remove_file(&vault).unwrap();
    site.run_as("alice", &["batch", "retry", &batch]);
    site.run(&["run", "--once"]);
    assert_eq!(site.show(&batch)["trouble"], "copy-missing");
    assert_eq!(copy(&site, &batch, "vault"), "condemned");
    fs::rename(&aside, &vault).unwrap();
    ends(&site, &batch, &order);
}

#[test]
fn a_folder_that_is_swapped_for_a_link_is_not_entered() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let (batch, order) = requested(&site);
    let (folder, aside) = (site.dir.join("state/vault"), site.dir.join("vault-aside"));
    let victim = site.dir.join("victim");
    fs::create_dir(&victim).unwrap();
    let name = only(&site, "state/vault").file_name().unwrap().to_owned();
    fs::write(victim.join(&name), b"of somebody else").unwrap();
    fs::rename(&folder, &aside).unwrap();
    std::os::unix::fs::symlink(&victim, &folder).unwrap();
    site.run_as("sue", &["destroy", "approve", &order]);
    assert_eq!(copy(&site, &batch, "vault"), "condemned");
    assert!(site.show(&batch)["trouble"].is_string());
    assert_eq!(fs::read(victim.join(&name)).unwrap(), b"of somebody else");
    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    ends(&site, &batch, &order);
}

#[test]
fn a_slot_that_somebody_altered_stops_no_destruction_and_lowers_what_it_states() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let grant = site.grant("moca-full");
    site.once();
    site.query(&grant, &[]).ok();
    site.run_as("henry", &["use", "complete", &grant]).ok();
    let (batch, order) = requested(&site);
    alter_a_slot(&site.dir.join("state/keys"));
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    assert_eq!(site.show(&batch)["state"], "closed");
    let wiped = outcome(&site);
    assert!(has(&wiped, "old-key-kept"), "{wiped:#}");
    assert!(wiped["assurance"].as_str().unwrap() < "L3");
    assert!(alarms(&site).contains(&"slot-damaged".to_owned()));
    site.verify();
}

/// Flips a bit in what is sealed in a slot, that of a key of the access log, under a checksum that is right (docs/keystore.md).
fn alter_a_slot(keys: &Path) {
    for name in ["slots.a", "slots.b"] {
        let path = keys.join(name);
        let mut bytes = fs::read(&path).unwrap();
        for cell in bytes.chunks_exact_mut(1024) {
            if cell[10] == 1 && cell[64..].starts_with(b"access:") {
                cell[130] ^= 1;
                let sum = batchward::domain::digest::Digest::of(&cell[..992]);
                cell[992..].copy_from_slice(sum.as_bytes());
                fs::write(&path, bytes).unwrap();
                return;
            }
        }
    }
    panic!("no such slot");
}
