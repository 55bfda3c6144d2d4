//! Publishing: the same files whatever the way there, and what a start refuses. All entries are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{collections::BTreeMap, fs};

use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::domain::{checkpoint::RegisterKey, merkle::Hash, secret::Secret};

const SITE: &str = "test";

fn key() -> RegisterKey {
    RegisterKey::from_secret(&Secret::new(vec![7; 32]), &Log::Register.origin(SITE)).unwrap()
}

fn verifier() -> VerifierKey {
    VerifierKey::parse(&key().vkey()).unwrap()
}

fn entry(n: u64) -> Vec<u8> {
    // Lengths that differ, the empty entry among them.
    vec![b'x'; usize::try_from(n * 7 % 50).unwrap()]
}

struct Site {
    dir: tempfile::TempDir,
    journal: Journal,
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::create(&dir.path().join("journal.db"), SITE).unwrap();
        Self { dir, journal }
    }

    fn grow(&mut self, entries: u64) {
        let size = self.journal.size(Log::Register).unwrap();
        let new: Vec<_> = (size..size + entries).map(|n| (Log::Register, entry(n))).collect();
        self.journal.append(&key(), &new).unwrap();
    }

    fn publish(&self, folder: &str, published: u64) -> u64 {
        publish(&self.dir.path().join(folder), &self.journal, Log::Register, &key(), published)
            .unwrap()
    }

    fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.dir.path().join(folder);
        walkdir::WalkDir::new(&root)
            .into_iter()
            .map(Result::unwrap)
            .filter(|found| found.file_type().is_file())
            .map(|found| {
                let name = found.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                (name, fs::read(found.path()).unwrap())
            })
            .collect()
    }
}

#[test]
fn the_files_are_those_of_the_format_and_no_others() {
    let mut site = Site::new();
    site.grow(255);
    site.grow(1);
    site.grow(44);
    site.publish("register", 0);
    let files = site.files("register");
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "allowed_signers",
            "checkpoint",
            "checkpoint.sig",
            "tile/0/000",
            "tile/0/001.p/44",
            "tile/1/000.p/1",
            "tile/entries/000",
            "tile/entries/001.p/44",
            "vkey",
        ]
    );
    assert_eq!(files["tile/0/000"].len(), 8192);
    let leaves: Vec<Hash> = (256..300).map(|n| merkle::leaf_hash(&entry(n))).collect();
    let bytes: Vec<u8> = leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect();
    assert_eq!(files["tile/0/001.p/44"], bytes);
    let bundle = &files["tile/entries/001.p/44"];
    let length = u16::from_be_bytes([bundle[0], bundle[1]]);
    assert_eq!(bundle[2..2 + usize::from(length)], entry(256));
    assert_eq!(files["vkey"], format!("{}\n", key().vkey()).into_bytes());
    assert_eq!(
        verifier().open(std::str::from_utf8(&files["checkpoint"]).unwrap()).unwrap().size,
        300
    );
}

#[test]
fn each_signed_size_has_its_tile_until_the_full_one_is_there() {
    let mut site = Site::new();
    for _ in 0..3 {
        site.grow(85);
        site.publish("register", 0);
    }
    let partials = |site: &Site| -> Vec<String> {
        site.files("register").into_keys().filter(|name| name.contains(".p/")).collect()
    };
    let kept = ["tile/0/000.p/170", "tile/0/000.p/255", "tile/0/000.p/85"];
    assert_eq!(partials(&site)[..3], kept);
    site.grow(1);
    site.publish("register", 255);
    assert_eq!(partials(&site), ["tile/1/000.p/1"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn published_step_by_step_or_all_at_once_the_files_are_the_same(
        steps in proptest::collection::vec((1_u64..200, any::<bool>(), any::<bool>()), 1..9),
    ) {
        let mut site = Site::new();
        let mut published = 0;
        for (entries, publish, again) in steps {
            site.grow(entries);
            if publish {
                published = site.publish("steps", published);
            }
            if again {
                // As after a lost memory of what was published: nothing but what is missing is written.
                published = site.publish("steps", 0);
            }
        }
        site.publish("steps", published);
        site.publish("once", 0);
        prop_assert!(site.files("steps") == site.files("once"));
        site.publish("once", site.journal.size(Log::Register).unwrap());
        prop_assert!(site.files("steps") == site.files("once"));
    }
}

/// A stop anywhere leaves some of the files, temporaries among them, and the old checkpoint.
#[test]
fn what_a_stop_left_is_finished_by_the_next_start() {
    let mut site = Site::new();
    site.grow(250);
    let old = site.publish("once", 0);
    let before = site.files("once");
    site.grow(20);
    site.publish("once", old);
    let whole = site.files("once");
    let new: Vec<_> = whole.iter().filter(|(name, _)| !before.contains_key(*name)).collect();
    for stop in 0..=new.len() {
        let folder = format!("stop-{stop}");
        let root = site.dir.path().join(&folder);
        let write = |name: &str, bytes: &[u8]| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        for (name, bytes) in before.iter().chain(new[..stop].iter().copied()) {
            write(name, bytes);
        }
        if let Some((name, bytes)) = new.get(stop) {
            let (place, file) = name.rsplit_once('/').unwrap();
            write(&format!("{place}/.{file}.part"), &bytes[..bytes.len() / 2]);
        }
        let published = reconcile(&root, &site.journal, Log::Register, &verifier()).unwrap();
        assert_eq!(published, 250);
        site.publish(&folder, published);
        assert!(site.files(&folder) == whole, "stop {stop}");
    }
}

#[test]
fn a_start_tells_equal_and_behind_from_ahead_and_forked() {
    let mut site = Site::new();
    let at = |site: &Site| {
        reconcile(&site.dir.path().join("register"), &site.journal, Log::Register, &verifier())
    };
    assert_eq!(at(&site).unwrap(), 0);
    site.grow(5);
    site.publish("register", 0);
    assert_eq!(at(&site).unwrap(), 5);
    site.grow(2);
    assert_eq!(at(&site).unwrap(), 5);
    site.publish("register", 5);

    // An older state folder behind newer files.
    let mut older = Site::new();
    older.grow(6);
    let dir = site.dir.path().join("register");
    let ahead = reconcile(&dir, &older.journal, Log::Register, &verifier());
    assert!(matches!(ahead, Err(TilesError::Fork { published: 7, journal: 6, .. })));
    // Another history of the same length.
    let mut other = Site::new();
    other.journal.append(&key(), &vec![(Log::Register, b"other".to_vec()); 9]).unwrap();
    let fork = reconcile(&dir, &other.journal, Log::Register, &verifier());
    assert!(matches!(fork, Err(TilesError::Fork { published: 7, journal: 9, .. })));
}

#[test]
fn a_checkpoint_that_is_not_ours_stops_the_start() {
    let mut site = Site::new();
    site.grow(5);
    site.publish("register", 0);
    let dir = site.dir.path().join("register");
    let good = fs::read(dir.join("checkpoint")).unwrap();
    site.journal.append(&key(), &[(Log::Access, entry(1))]).unwrap();
    let access = site.journal.checkpoint(Log::Access).unwrap().unwrap().into_bytes();
    let mut flipped = good.clone();
    flipped[20] ^= 1;
    for bad in [flipped, good[..good.len() / 2].to_vec(), Vec::new(), vec![0xff; 70_000], access] {
        fs::write(dir.join("checkpoint"), bad).unwrap();
        let found = reconcile(&dir, &site.journal, Log::Register, &verifier());
        assert!(matches!(found, Err(TilesError::Foreign { .. })), "{found:?}");
    }
}

#[test]
fn a_file_with_other_bytes_is_never_overwritten_and_the_checkpoint_stands() {
    let mut site = Site::new();
    site.grow(5);
    site.publish("register", 0);
    let dir = site.dir.path().join("register");
    let before = fs::read(dir.join("checkpoint")).unwrap();
    fs::write(dir.join("tile/0/000.p/9"), b"someone else's").unwrap();
    site.grow(4);
    let found = publish(&dir, &site.journal, Log::Register, &key(), 5);
    assert!(matches!(found, Err(TilesError::File(FileError::Differs { .. }))), "{found:?}");
    assert_eq!(fs::read(dir.join("checkpoint")).unwrap(), before);
}

#[test]
fn the_second_level_is_published_too() {
    let mut site = Site::new();
    for size in [65_000, 500, 100] {
        site.grow(size);
        let published =
            reconcile(&site.dir.path().join("register"), &site.journal, Log::Register, &verifier());
        site.publish("register", published.unwrap());
    }
    let names: Vec<_> = site
        .files("register")
        .into_keys()
        .filter(|name| !name.starts_with("tile/0/") && !name.starts_with("tile/entries/"))
        .collect();
    // 65,600 entries: 256 full tiles of level 0, which fill one of level 1, and no hash above it but one.
    let ours = ["allowed_signers", "checkpoint", "checkpoint.sig"];
    assert_eq!(names, [ours.as_slice(), &["tile/1/000", "tile/2/000.p/1", "vkey"]].concat());
    let nodes: i64 = Connection::open(site.dir.path().join("journal.db"))
        .unwrap()
        .query_row("SELECT COUNT(*) FROM node WHERE log = 0 AND level = 16", [], |row| row.get(0))
        .unwrap();
    assert_eq!(nodes, 1);
}
