//! A full disk, at every write of every step. Each run ends with 75, a message and a path; the batch is loaded or it
//! is not; the originals lie where they lay until the claim is whole; the register verifies; and with room again the
//! same command finishes.
//!
//! The state lies on a small filesystem in memory, so these tests mount, which takes root. Without that right they
//! say so and pass.

use super::*;

/// A filesystem of its own for a site's state; unmounted when the test ends, also when it fails.
struct Disk(PathBuf);

impl Disk {
    /// Mounts it as the state folder of a site that is laid out.
    #[track_caller]
    fn mount(site: &Site<'_>, options: &str) -> Self {
        let path = site.dir.join("state");
        fs::create_dir(&path).unwrap();
        let options = format!("{options},mode=700");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path).output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        assert!(mounted, "a full disk needs the right to mount a tmpfs: run the tests as root");
        Self(path)
    }

    /// Fills it but for `left` bytes.
    fn fill(&self, left: u64) -> Filler {
        let path = self.0.join("filler");
        let file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        let stat = rustix::fs::statvfs(&self.0).unwrap();
        let room = (stat.f_bavail * stat.f_frsize).saturating_sub(left);
        if room > 0 {
            rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, room).unwrap();
        }
        Filler(path)
    }

    /// Takes all its inodes but `left`: a filesystem that is full in its other way.
    fn crowd(&self, left: u64) -> Filler {
        let path = self.0.join("crowd");
        fs::create_dir(&path).unwrap();
        let free = rustix::fs::statvfs(&self.0).unwrap().f_ffree;
        for n in left..free {
            File::create(path.join(n.to_string())).unwrap();
        }
        Filler(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// What takes the room, until it is dropped.
struct Filler(PathBuf);

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// 0 or 75, and with 75 a message that says what is full and where.
#[track_caller]
fn told(ran: &support::Ran, state: &Path, left: &str) -> bool {
    assert!(matches!(ran.status, Some(0 | 75)), "{left}: {ran:?}");
    let full = ran.status == Some(75);
    if full {
        for part in ["space", state.to_str().unwrap(), "hint: free space"] {
            assert!(ran.stderr.contains(part), "{left}: '{part}' is not in {}", ran.stderr);
        }
    }
    full
}

const PAGE: u64 = 4096;

#[test]
fn a_full_disk_while_claiming_leaves_the_originals_where_they_lie() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    let disk = Disk::mount(&site, "size=64m");
    site.init();
    site.accounts(UNIT);
    site.install(&["--no-keys"], &["small-20"]);
    let mut full = 0;
    for left in [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 256, 4096].map(|n| n * PAGE) {
        let filler = disk.fill(left);
        let ran = site.run(&["run", "--once"]);
        full += usize::from(told(&ran, &disk.0, &format!("{left} bytes")));
        assert_eq!(site.files("drop").len(), 3, "{left} bytes left: the originals lie as they lay");
        assert!(site.files("state/spool").is_empty(), "{:?}", site.files("state/spool"));
        drop(filler);
        let rows = site.batches();
        assert!(rows.len() == 1 && rows[0]["id"].is_null(), "half a batch: {rows:#?}");
        site.verify();
    }
    assert_eq!(full, 15, "less than what must stay free is full");
    site.once();
    assert_eq!(site.row(DELIVERY)["reason"], "awaiting-key");
    assert!(site.files("drop").is_empty());
    site.verify();
}

#[test]
fn a_full_disk_while_loading_shows_nothing_half() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    let disk = Disk::mount(&site, "size=64m");
    site.init();
    site.accounts(UNIT);
    site.install(&["--no-keys"], &["small-20"]);
    site.once();
    let id = site.row(DELIVERY)["id"].as_str().unwrap().to_owned();
    let mut left = 0;
    let mut full = 0;
    site.install(&["--keys-only"], &["small-20"]);
    loop {
        let filler = disk.fill(left);
        let ran = site.run(&["run", "--once"]);
        let failed = told(&ran, &disk.0, &format!("{left} bytes"));
        drop(filler);
        let page = site.show(&id);
        site.verify();
        if page["state"] == "loaded" {
            assert_eq!(page["counts"]["committed"], 20);
            break;
        }
        // A run before this one had no room to record that it had given a load up: that is recorded now.
        let mended = page["trouble"] == "cut-off";
        assert!(failed || mended, "{left} bytes left: neither loaded nor told: {page:#} {ran:?}");
        assert_ne!(page["counts"]["committed"], 20, "half a batch: {page:#}");
        full += 1;
        left += PAGE;
    }
    assert!(full > 8, "it was full {full} times");
    site.once();
    let vaults = site.files("state/vault");
    assert_eq!(vaults.len(), 1, "nothing half is left: {vaults:?}");
    assert!(site.files("keys").is_empty());
    let grant = site.grant("moca-full");
    let rows = site.query(&grant, &["--format", "json"]).ok().json();
    assert_eq!(rows.as_array().unwrap().len(), 20);
    site.verify();
}

/// More often than a step is tried again by itself: a disk that was full all night is no reason to wait for a person.
#[test]
fn a_disk_that_was_full_for_long_needs_nothing_but_room() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    let disk = Disk::mount(&site, "size=64m");
    site.init();
    site.accounts(UNIT);
    site.install(&[], &["small-20"]);
    site.run_as("alice", &["batch", "list"]).ok();
    let inbox = site.dir.join("keys/moca-full");
    let key = fs::read_dir(&inbox).unwrap().next().unwrap().unwrap().path();
    let aside = site.temporary().join("key");
    fs::rename(&key, &aside).unwrap();
    site.once();
    fs::rename(&aside, &key).unwrap();
    for _ in 0..25 {
        let filler = disk.fill(8 * PAGE);
        let ran = site.run(&["run", "--once"]).exits(75);
        assert!(told(&ran, &disk.0, "8 pages"));
        drop(filler);
    }
    site.once();
    assert_eq!(site.row(DELIVERY)["state"], "loaded");
    site.verify();
}

#[test]
fn a_full_disk_while_people_decide_records_whole_decisions_or_none() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    let disk = Disk::mount(&site, "size=64m");
    site.init();
    site.accounts(UNIT);
    let entries =
        || site.run(&["register", "show", "--json"]).ok().json().as_array().unwrap().len();
    let hold = ["hold", "place", "--all", "--authority", "地檢署", "--doc-no", "115-1"];
    let hold = [hold.as_slice(), &["--review", "2027-01-31"]].concat();
    let (mut left, mut full) = (0, 0);
    loop {
        let before = entries();
        let filler = disk.fill(left);
        let ran = site.run_as("sue", &hold);
        let failed = told(&ran, &disk.0, &format!("{left} bytes"));
        drop(filler);
        site.verify();
        if !failed {
            assert_eq!(entries(), before + 1);
            break;
        }
        assert!(entries() <= before + 1);
        full += 1;
        left += PAGE;
    }
    assert!(full > 0);
    site.run_as("sue", &hold).ok();
    site.verify();
}

#[test]
fn a_filesystem_without_inodes_is_a_full_disk() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    let disk = Disk::mount(&site, "size=64m,nr_inodes=400");
    site.init();
    site.accounts(UNIT);
    site.install(&[], &["small-20"]);
    let (mut left, mut full) = (0, 0);
    loop {
        let filler = disk.crowd(left);
        let ran = site.run(&["run", "--once"]);
        let failed = told(&ran, &disk.0, &format!("{left} inodes"));
        drop(filler);
        site.verify();
        let row = site.row(DELIVERY);
        if row["id"].is_null() {
            assert_eq!(site.files("drop").len(), 3, "{left} inodes left");
        }
        if row["state"] == "loaded" {
            break;
        }
        assert!(failed, "{left} inodes left: neither loaded nor told: {row:#} {ran:?}");
        full += 1;
        left += 1;
        assert!(left < 100);
    }
    assert!(full > 2, "it was full {full} times");
    site.once();
    assert_eq!(site.show(site.row(DELIVERY)["id"].as_str().unwrap())["counts"]["committed"], 20);
    site.verify();
}

#[test]
fn an_init_that_ran_out_of_space_is_finished_by_the_same_command() {
    let people = People::new();
    for pages in (0..24).map(|n| 1 + 2 * n) {
        let site = Site::laid_out(&people, &["small-20"]);
        let disk = Disk::mount(&site, "size=64m");
        let filler = disk.fill(pages * PAGE);
        let words = site.init_words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ran = site.run(&words);
        let failed = told(&ran, &disk.0, &format!("{pages} pages"));
        drop(filler);
        if failed {
            let again = site.run(&words).ok();
            assert!(again.text().contains("verifier key"), "{pages} pages: {}", again.text());
        }
        site.accounts(UNIT);
        site.once();
        assert_eq!(site.row(DELIVERY)["state"], "loaded", "{pages} pages");
        site.verify();
    }
}
