//! Hostile folders. All content is synthetic.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod forms;

use std::{
    cell::RefCell,
    fs::{self, File},
    io::{Read, Write as _},
    os::unix::fs::{FileExt, symlink},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use rustix::fs::{CWD, mkfifoat};

use super::*;
use crate::adapters::{
    age_files::{self, SpoolError, SpoolWriter},
    files::FileError,
    small_disk::SmallDisk,
};
use crate::domain::{
    digest::Digest,
    judge::{Document, EntryKind},
    secret::Secret,
};

struct Site {
    root: tempfile::TempDir,
    identity: Secret,
    inbox: Inbox,
}

type Change = fn(&Site);

impl Site {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["inbox", "inbox/d", "spool", "outside"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        let inbox = Inbox::open(&root.path().join("inbox")).unwrap();
        let site = Self { root, identity: age_files::new_identity(), inbox };
        site.put("manifest.yaml", b"manifest");
        site.put("manifest.yaml.sig", b"signature");
        site.put("data.age", b"age-encryption.org/v1 synthetic");
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path("inbox/d").join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.file(name), bytes).unwrap();
    }

    fn spool(&self, name: &[u8]) -> PathBuf {
        self.path("spool").join(format!("{}.age", Digest::of(name)))
    }

    fn claim_with(&self, meanwhile: impl Fn()) -> Result<Claim, ClaimError> {
        let recipient = age_files::recipient_of(&self.identity).unwrap();
        let spool = self.path("spool");
        let mut make = |name: &[u8]| {
            meanwhile();
            let name = format!("{}.age", Digest::of(name));
            SpoolWriter::create(&spool, &name, &recipient).map(Some)
        };
        self.inbox.claim("d".as_ref(), &spool, &mut make)
    }

    fn claim(&self) -> Result<Claim, ClaimError> {
        self.claim_with(|| ())
    }

    fn copied(&self, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let path = self.spool(name.as_bytes());
        age_files::open_spool(&path, &self.identity).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }
}

fn kinds(facts: &crate::domain::judge::Facts) -> Vec<(String, EntryKind, u64)> {
    let name = |entry: &crate::domain::judge::Entry| String::from_utf8(entry.name.clone()).unwrap();
    facts.entries.iter().map(|entry| (name(entry), entry.kind, entry.bytes)).collect()
}

#[test]
fn folders_are_deliveries_and_everything_else_is_known_by_name_only() {
    let site = Site::new();
    let inbox = site.path("inbox");
    fs::write(inbox.join("notes.txt"), "x").unwrap();
    fs::write(inbox.join("A-1.key"), "x").unwrap();
    symlink(site.path("outside"), inbox.join("folder-link")).unwrap();
    mkfifoat(CWD, inbox.join("pipe"), Mode::from_raw_mode(0o600)).unwrap();
    fs::create_dir(inbox.join("b")).unwrap();
    fs::create_dir(inbox.join(format!("{CLEARED}1-2"))).unwrap();
    let scan = site.inbox.scan().unwrap();
    assert_eq!(scan.folders, ["b", "d"]);
    let strays: Vec<_> =
        scan.strays.iter().map(|stray| (stray.name.to_str().unwrap(), stray.key)).collect();
    let expected =
        [("A-1.key", true), ("folder-link", false), ("notes.txt", false), ("pipe", false)];
    assert_eq!(strays, expected);
    assert!(!format!("{scan:?}").contains("notes"));
}

#[test]
fn a_look_sees_sizes_and_both_documents() {
    let site = Site::new();
    let facts = site.inbox.look("d".as_ref()).unwrap();
    assert_eq!(facts.manifest, Document::Bytes(b"manifest".to_vec()));
    assert_eq!(facts.signature, Document::Bytes(b"signature".to_vec()));
    assert_eq!(kinds(&facts), [("data.age".to_owned(), EntryKind::File, 31)]);
    assert!(facts.entries[0].head.starts_with(b"age-"));
    assert_eq!(facts.entries[0].sha256, None);
    site.put("manifest.yaml", &vec![b'a'; (1 << 20) + 1]);
    site.put("manifest.yaml.sig", &vec![b'a'; (64 << 10) + 1]);
    let facts = site.inbox.look("d".as_ref()).unwrap();
    assert_eq!((facts.manifest, facts.signature), (Document::TooLong, Document::TooLong));
}

#[test]
fn links_and_special_things_are_seen_and_never_opened() {
    let site = Site::new();
    let victim = site.path("outside").join("victim");
    fs::write(&victim, "outside").unwrap();
    symlink(&victim, site.file("a-link")).unwrap();
    fs::hard_link(&victim, site.file("b-linked")).unwrap();
    mkfifoat(CWD, site.file("c-pipe"), Mode::from_raw_mode(0o600)).unwrap();
    fs::create_dir(site.file("e-folder")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(site.file("f-socket")).unwrap();
    let expected = [
        ("a-link".to_owned(), EntryKind::Link, 0),
        ("b-linked".to_owned(), EntryKind::Linked, 0),
        ("c-pipe".to_owned(), EntryKind::Other, 0),
        ("data.age".to_owned(), EntryKind::File, 31),
        ("e-folder".to_owned(), EntryKind::Other, 0),
        ("f-socket".to_owned(), EntryKind::Other, 0),
    ];
    let facts = site.inbox.look("d".as_ref()).unwrap();
    assert_eq!(kinds(&facts), expected);
    let claim = site.claim().unwrap();
    assert_eq!(kinds(&claim.facts), expected);
    assert_eq!(fs::read_dir(site.path("spool")).unwrap().count(), 1);
    let report = site.inbox.clear("d".as_ref(), &claim.folder).unwrap();
    assert_eq!(report.left, 0);
    assert_eq!(fs::read(&victim).unwrap(), b"outside");
}

#[test]
fn a_document_that_is_a_link_or_a_pipe_is_a_thing_and_not_read() {
    for make in [
        (|site: &Site| symlink(site.path("outside/m"), site.file("manifest.yaml")).unwrap())
            as Change,
        |site| fs::hard_link(site.path("outside/m"), site.file("manifest.yaml")).unwrap(),
        |site| {
            mkfifoat(CWD, site.file("manifest.yaml"), Mode::from_raw_mode(0o600)).unwrap();
        },
    ] {
        let site = Site::new();
        fs::write(site.path("outside/m"), "outside").unwrap();
        fs::remove_file(site.file("manifest.yaml")).unwrap();
        make(&site);
        let facts = site.inbox.look("d".as_ref()).unwrap();
        assert_eq!(facts.manifest, Document::Missing);
        assert_ne!(kinds(&facts)[1].1, EntryKind::File);
        assert_ne!(kinds(&site.claim().unwrap().facts)[1].1, EntryKind::File);
    }
}

#[test]
fn a_delivery_folder_that_is_a_link_is_not_followed() {
    let site = Site::new();
    symlink(site.path("outside"), site.path("inbox/l")).unwrap();
    for name in ["l", "..", "../outside", "/etc", "d/../../outside"] {
        assert!(site.inbox.look(name.as_ref()).is_err(), "{name}");
    }
}

#[test]
fn a_claim_copies_and_hashes_every_plain_file() {
    let site = Site::new();
    let large: Vec<u8> = (0..3_000_001_u32).map(|n| n.to_le_bytes()[1]).collect();
    site.put("large", &large);
    let claim = site.claim().unwrap();
    assert_eq!(claim.facts.entries[1].sha256, Some(Digest::of(&large)));
    assert_eq!(claim.facts.entries[1].bytes, large.len() as u64);
    assert_eq!(claim.facts.entries[1].head.as_slice(), &large[..4096]);
    assert_eq!(site.copied("large"), large);
    assert_eq!(site.copied("data.age"), fs::read(site.file("data.age")).unwrap());
    assert!(!site.spool(b"manifest.yaml").exists());
}

#[test]
fn a_repeated_claim_gives_the_same_facts() {
    let site = Site::new();
    let first = site.claim().unwrap();
    let second = site.claim().unwrap();
    assert_eq!(first.folder, second.folder);
    assert_eq!(first.facts.entries[0].sha256, second.facts.entries[0].sha256);
}

#[test]
fn what_the_factory_leaves_out_has_no_digest() {
    let site = Site::new();
    let mut none = |_: &[u8]| Ok(None);
    let claim = site.inbox.claim("d".as_ref(), &site.path("spool"), &mut none).unwrap();
    assert_eq!(claim.facts.entries[0].sha256, None);
    assert_eq!(kinds(&claim.facts)[0].2, 31);
}

#[test]
fn a_manifest_that_changes_during_the_claim_ends_it() {
    for name in ["manifest.yaml", "manifest.yaml.sig"] {
        let site = Site::new();
        let claim = site.claim_with(|| site.put(name, b"another"));
        assert!(matches!(claim, Err(ClaimError::Changed)), "{name}");
        assert!(site.claim().is_ok());
        let claim = site.claim_with(|| fs::remove_file(site.file(name)).unwrap());
        assert!(matches!(claim, Err(ClaimError::Changed)), "{name}");
    }
}

#[test]
fn a_file_that_becomes_something_else_during_the_claim_is_judged_as_that() {
    let swaps: [(Change, EntryKind); 3] = [
        (|site| symlink(site.path("outside/v"), site.file("z")).unwrap(), EntryKind::Link),
        (|site| fs::hard_link(site.path("outside/v"), site.file("z")).unwrap(), EntryKind::Linked),
        (
            |site| mkfifoat(CWD, site.file("z"), Mode::from_raw_mode(0o600)).unwrap(),
            EntryKind::Other,
        ),
    ];
    for (swap, kind) in swaps {
        let site = Site::new();
        fs::write(site.path("outside/v"), "outside").unwrap();
        site.put("z", b"inside");
        let done = RefCell::new(false);
        let claim = site.claim_with(|| {
            if !done.replace(true) {
                fs::remove_file(site.file("z")).unwrap();
                swap(&site);
            }
        });
        let facts = claim.unwrap().facts;
        assert_eq!((facts.entries[1].kind, facts.entries[1].sha256), (kind, None));
        assert!(!site.spool(b"z").exists());
    }
}

#[test]
fn a_file_that_grows_shrinks_or_goes_is_what_was_copied() {
    let rows: [(Change, u64); 3] = [
        (|site| site.put("z", b"inside and much more"), 7),
        (|site| site.put("z", b"in"), 2),
        (|site| fs::remove_file(site.file("z")).unwrap(), 0),
    ];
    for (change, bytes) in rows {
        let site = Site::new();
        site.put("z", b"inside");
        let facts = site.claim_with(|| change(&site)).map(|claim| claim.facts).unwrap();
        assert_eq!(facts.entries[1].bytes, bytes);
    }
}

#[test]
fn a_sender_with_open_descriptors_changes_nothing_after_the_claim() {
    let site = Site::new();
    let sender = File::options().read(true).write(true).open(site.file("data.age")).unwrap();
    let claim = site.claim().unwrap();
    let before = site.copied("data.age");
    sender.write_all_at(b"REWRITTEN", 0).unwrap();
    fs::hard_link(site.file("data.age"), site.path("outside/kept")).unwrap();
    site.put("added", b"after the claim");
    assert_eq!(site.copied("data.age"), before);
    assert_eq!(claim.facts.entries[0].sha256, Some(Digest::of(&before)));
    let report = site.inbox.clear("d".as_ref(), &claim.folder).unwrap();
    // What was rewritten or added since was never copied: it goes back to the inbox, and is not wiped unseen.
    assert_eq!((report.left, report.unlinked, report.overwritten), (0, 0, 2));
    assert_eq!(report.unknown, 2);
    assert_eq!(fs::read(site.file("added")).unwrap(), b"after the claim");
    assert!(fs::read(site.file("data.age")).unwrap().starts_with(b"REWRITTEN"));
    assert_eq!(site.inbox.scan().unwrap().folders, ["d"]);
    let again = site.inbox.clear("d".as_ref(), &claim.folder).unwrap();
    assert_eq!((again.overwritten, again.unknown), (0, 2));
    // Where the name is taken by then, it gets another one beside it.
    fs::create_dir(site.path("other")).unwrap();
    let neutral = format!("inbox/{CLEARED}{:x}-{:x}", claim.folder.id.inode, claim.folder.id.born);
    fs::rename(site.path("inbox/d"), site.path(&neutral)).unwrap();
    fs::create_dir(site.path("inbox/d")).unwrap();
    fs::write(site.path("inbox/d/next"), b"the next delivery").unwrap();
    let again = site.inbox.clear("d".as_ref(), &claim.folder).unwrap();
    assert_eq!(again.unknown, 2);
    assert_eq!(site.inbox.scan().unwrap().folders, ["d", "d.late"]);
}

#[test]
fn what_goes_back_to_the_inbox_finds_a_free_name_whatever_is_taken() {
    for name in ["d".to_owned(), "n".repeat(255)] {
        let site = Site::new();
        fs::rename(site.path("inbox/d"), site.path(&format!("inbox/{name}"))).unwrap();
        let seen =
            site.inbox.claim(name.as_ref(), &site.path("outside"), &mut |_| Ok(None)).unwrap();
        let id = seen.folder.id;
        let neutral = format!("inbox/{CLEARED}{:x}-{:x}", id.inode, id.born);
        fs::rename(site.path(&format!("inbox/{name}")), site.path(&neutral)).unwrap();
        fs::write(site.path(&neutral).join("added"), b"after the claim").unwrap();
        for taken in [name.clone(), format!("{name}.late"), format!("{name}.late-2")] {
            // The long name leaves no room for an ending.
            let _ = fs::create_dir(site.path(&format!("inbox/{taken}")));
        }
        let report = site.inbox.clear(name.as_ref(), &seen.folder).unwrap();
        assert_eq!(report.unknown, 1);
        let folders = site.inbox.scan().unwrap().folders;
        let back: Vec<_> = folders
            .iter()
            .filter(|folder| site.path("inbox").join(folder).join("added").exists())
            .collect();
        assert_eq!(back.len(), 1, "{folders:?}");
    }
}

#[test]
fn a_file_that_took_the_place_of_a_copied_one_is_left_unless_it_holds_the_same() {
    let site = Site::new();
    let claim = site.claim().unwrap();
    let old = fs::read(site.file("data.age")).unwrap();
    fs::remove_file(site.file("data.age")).unwrap();
    site.put("data.age", b"corrected by its sender");
    let report = site.inbox.clear("d".as_ref(), &claim.folder).unwrap();
    assert_eq!((report.unknown, report.overwritten), (1, 2));
    assert_eq!(fs::read(site.file("data.age")).unwrap(), b"corrected by its sender");
    site.put("data.age", &old);
    let report = site.inbox.clear("d".as_ref(), &claim.folder).unwrap();
    assert_eq!((report.unknown, report.overwritten), (0, 1));
    assert!(!site.path("inbox/d").exists());
}

#[test]
fn a_sender_that_never_stops_gets_a_consistent_copy() {
    let site = Site::new();
    site.put("z", &[0; 600_000]);
    let stop = Arc::new(AtomicBool::new(false));
    let (path, done) = (site.file("z"), Arc::clone(&stop));
    let sender = thread::spawn(move || {
        let mut file = File::options().write(true).open(path).unwrap();
        while !done.load(Ordering::Relaxed) {
            let _ = file.write_all(&[1; 4096]);
            let _ = file.set_len(500_000);
        }
    });
    for _ in 0..20 {
        let entry = site.claim().unwrap().facts.entries[1].clone();
        let copy = site.copied("z");
        assert_eq!((copy.len() as u64, Digest::of(&copy)), (entry.bytes, entry.sha256.unwrap()));
    }
    stop.store(true, Ordering::Relaxed);
    sender.join().unwrap();
}

#[test]
fn another_folder_of_the_same_name_is_left_alone() {
    let site = Site::new();
    let claim = site.claim().unwrap();
    fs::rename(site.path("inbox/d"), site.path("outside/moved")).unwrap();
    fs::create_dir(site.path("inbox/d")).unwrap();
    site.put("next", b"the next delivery");
    let refused = site.inbox.clear("d".as_ref(), &claim.folder);
    assert!(matches!(refused, Err(InboxError::OtherFolder { .. })));
    assert_eq!(fs::read(site.file("next")).unwrap(), b"the next delivery");
    assert!(site.path("outside/moved/data.age").exists());
    symlink(site.path("outside/moved"), site.path("inbox/e")).unwrap();
    let refused = site.inbox.clear("e".as_ref(), &claim.folder);
    assert!(matches!(refused, Err(InboxError::OtherFolder { .. })));
    assert!(site.path("outside/moved/data.age").exists());
}

#[test]
fn a_stopped_clearing_is_finished_even_where_the_name_is_taken_again() {
    let site = Site::new();
    let claim = site.claim().unwrap();
    let folder = claim.folder.clone();
    let neutral = format!("inbox/{CLEARED}{:x}-{:x}", folder.id.inode, folder.id.born);
    fs::rename(site.path("inbox/d"), site.path(&neutral)).unwrap();
    fs::create_dir(site.path("inbox/d")).unwrap();
    site.put("next", b"the next delivery");
    assert_eq!(site.inbox.scan().unwrap().folders, ["d"]);
    let report = site.inbox.clear("d".as_ref(), &folder).unwrap();
    assert_eq!((report.found, report.left, report.overwritten), (true, 0, 3));
    assert!(!site.path(&neutral).exists());
    assert!(site.file("next").exists());
}

#[test]
fn a_folder_that_is_gone_is_cleared() {
    let site = Site::new();
    let claim = site.claim().unwrap();
    for expected in [true, false] {
        let report = site.inbox.clear("d".as_ref(), &claim.folder).unwrap();
        assert_eq!((report.found, report.left), (expected, 0));
    }
    let json = serde_json::to_string(&claim.folder).unwrap();
    assert_eq!(serde_json::from_str::<ClaimedFolder>(&json).unwrap(), claim.folder);
}

#[test]
fn a_missing_inbox_is_told_with_its_path() {
    let site = Site::new();
    let error = Inbox::open(&site.path("none")).unwrap_err();
    assert!(error.to_string().contains("none"));
    let error = site.inbox.look("gone-delivery".as_ref()).unwrap_err();
    assert!(!error.to_string().contains("gone-delivery"));
}

#[test]
fn a_full_disk_ends_the_claim_before_and_during_it_and_nothing_is_lost() {
    let disk = SmallDisk::mount(48 << 10);
    let site = Site::new();
    let recipient = age_files::recipient_of(&site.identity).unwrap();
    let full = RefCell::new(false);
    let mut make = |name: &[u8]| {
        let writer =
            SpoolWriter::create(disk.path(), &format!("{}.age", Digest::of(name)), &recipient);
        if *full.borrow() {
            disk.fill();
        }
        writer.map(Some)
    };
    let before = fs::read(site.file("data.age")).unwrap();
    site.put("large", &vec![1; 20 << 20]);
    let claim = site.inbox.claim("d".as_ref(), disk.path(), &mut make);
    assert!(matches!(claim, Err(ClaimError::NoSpace { .. })), "{claim:?}");
    site.put("large", &vec![1; 8 << 20]);
    *full.borrow_mut() = true;
    let claim = site.inbox.claim("d".as_ref(), disk.path(), &mut make);
    let full_disk =
        matches!(claim, Err(ClaimError::Spool(SpoolError::File(FileError::Full { .. }))));
    assert!(full_disk, "{claim:?}");
    assert_eq!(fs::read(site.file("data.age")).unwrap(), before);
    disk.free();
    *full.borrow_mut() = false;
    assert!(site.inbox.claim("d".as_ref(), disk.path(), &mut make).is_ok());
    let names = fs::read_dir(disk.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_str().unwrap().starts_with('.')));
}

#[test]
fn what_is_mounted_in_a_delivery_is_neither_read_nor_wiped() {
    let disk = SmallDisk::mount(64);
    fs::write(disk.path().join("victim"), "outside").unwrap();
    let site = Site::new();
    fs::create_dir(site.file("mount")).unwrap();
    site.put("bound", b"");
    let bind = |from: &Path, to: &str| {
        let mut mount = std::process::Command::new("mount");
        mount.arg("--bind").arg(from).arg(site.file(to)).status().unwrap().success()
    };
    assert!(bind(disk.path(), "mount") && bind(&disk.path().join("victim"), "bound"));
    let claim = site.claim().unwrap();
    let kinds: Vec<_> = claim.facts.entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Other, EntryKind::File, EntryKind::Other]);
    assert!(claim.facts.entries[0].head.is_empty());
    // A mount point cannot be renamed away with its folder by everyone, nor emptied by us: it is left, and told.
    let left = site.inbox.clear("d".as_ref(), &claim.folder).map(|report| report.left);
    let mounted = fs::read(disk.path().join("victim")).unwrap();
    let aside = site.inbox.scan().unwrap().folders;
    for entry in WalkDir::new(site.path("inbox")).contents_first(true) {
        let path = entry.unwrap().into_path();
        let _ = std::process::Command::new("umount").arg("-l").arg(path).output();
    }
    assert_eq!(mounted, b"outside");
    assert!(left.is_ok_and(|left| left > 0), "{aside:?}");
}

#[test]
fn what_is_added_during_the_claim_ends_it_and_is_not_lost() {
    let site = Site::new();
    let claim = site.claim_with(|| site.put("late.age", b"age-encryption.org/v1 late"));
    assert!(matches!(claim, Err(ClaimError::Changed)), "it was not copied");
    let claim = site.claim().unwrap();
    assert!(claim.facts.entries.iter().all(|entry| entry.sha256.is_some()));
    assert_eq!(site.copied("late.age"), b"age-encryption.org/v1 late");
}
