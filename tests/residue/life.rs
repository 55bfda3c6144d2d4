//! The whole life of deliveries on filesystems that keep what is overwritten: the raw image holds no value of their
//! plaintext at any time, and after the destruction what is left of a vault opens under no key that is left.

use std::{fs, path::PathBuf, process::Command};

use batchward::{
    adapters::{
        keystore::{KeyStore, SlotState},
        root_key::RootKeySource,
        vault::{Vault, Window},
    },
    domain::ids::CopyId,
};

use super::{
    destroy,
    image::{Image, inside},
    support::{People, Site, done, search::Values},
};

const CASES: &[&str] = &["full-1000"];

/// A vault as it lay on the medium, and the key store of the site.
struct Kept {
    dir: tempfile::TempDir,
    copy: CopyId,
    keys: PathBuf,
    root: PathBuf,
}

impl Kept {
    fn of(site: &Site<'_>) -> Self {
        let vaults = site.dir.join("state/vault");
        let name = fs::read_dir(&vaults).unwrap().next().unwrap().unwrap().file_name();
        let name = name.to_str().unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::copy(vaults.join(name), dir.path().join(name)).unwrap();
        let copy = name.trim_end_matches(".db").parse().unwrap();
        Self { dir, copy, keys: site.dir.join("state/keys"), root: site.dir.join("root.key") }
    }

    /// How many of the keys that are left open the vault.
    fn opened(&self) -> usize {
        let root = RootKeySource::File(self.root.clone()).read().unwrap();
        let store = KeyStore::open(&self.keys, &root).unwrap();
        let live = store.names().filter(|name| store.state(name).unwrap() == SlotState::Live);
        let secrets: Vec<_> = live.map(|name| store.get(&name).unwrap().unwrap()).collect();
        assert!(secrets.len() > 3, "the register's key and others are left");
        secrets
            .iter()
            .chain([&root])
            .filter(|key| key.expose().len() == 32)
            .filter(|key| Vault::open(self.dir.path(), self.copy, key, Window::OWN).is_ok())
            .count()
    }
}

fn lives_on(make: &[&str], options: &'static str, mib: u64) {
    let people = People::new();
    let values = Values::of(&people, CASES);
    let image = Image::of(make, options, mib);
    let site = Site::at(&people, image.path().join("on/site"), 0);
    let policies = super::support::root().join("policies");
    site.install(&["--policies", policies.to_str().unwrap()], CASES);
    site.init();
    site.accounts("幼兒托育科");
    site.once();
    assert_eq!(site.row("moca-1151102-0001")["state"], "loaded");
    let kept = Kept::of(&site);
    assert_eq!(kept.opened(), 1, "before, the vault's own key opens it");
    let grant = site.grant("moca-full");
    assert!(!values.search("query", &site.query(&grant, &[]).ok().stdout).is_empty());
    destroy(&site, &grant, 1);
    assert_eq!(kept.opened(), 0, "a key is left that opens the vault");
    let _ = site.verify();
    drop(site);
    let found = values.search("image", &image.raw());
    assert!(found.is_empty(), "{} values on {make:?}, the first: {:?}", found.len(), found.first());
}

#[test]
fn no_value_is_left_on_a_filesystem_that_journals_contents() {
    if inside("life::no_value_is_left_on_a_filesystem_that_journals_contents") {
        lives_on(&["mkfs.ext4", "-q", "-F"], "loop,data=journal", 192);
    }
}

#[test]
fn no_value_is_left_on_a_filesystem_that_copies_on_write() {
    if inside("life::no_value_is_left_on_a_filesystem_that_copies_on_write") {
        lives_on(&["mkfs.btrfs", "-q", "-f"], "loop", 256);
    }
}

#[test]
fn the_search_of_an_image_finds_what_was_there_once() {
    if !inside("life::the_search_of_an_image_finds_what_was_there_once") {
        return;
    }
    let people = People::new();
    let values = Values::of(&people, &["small-20"]);
    let image = Image::of(&["mkfs.ext4", "-q", "-F"], "loop", 48);
    let path = image.path().join("plain");
    fs::write(&path, b"xx\xb3\xaf\xabT\xb3\xc7C240180484 \x00\x01").unwrap();
    done(Command::new("sync").arg("-f").arg(image.path()));
    fs::remove_file(&path).unwrap();
    assert!(!values.search("image", &image.raw()).is_empty());
}
