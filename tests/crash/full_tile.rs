//! The entry that makes a tile full: the full tile and its bundle are written, the narrower ones of the same place go, and
//! the tile above begins.

use super::*;
use batchward::{
    adapters::{
        journal::{Journal, Log},
        keystore::KeyStore,
        root_key::RootKeySource,
    },
    domain::{
        checkpoint::RegisterKey,
        entry::{Body, Entry},
    },
};

const ACT: Act = act("a start that fills a tile", "", &["run", "--once"], Effect::Start);

fn size(site: &Site<'_>) -> u64 {
    Journal::open(&site.dir.join("state/journal.db"), "taoyuan-dwcd")
        .unwrap()
        .size(Log::Register)
        .unwrap()
}

/// Starts as this site has had one, up to so many entries.
fn starts(site: &Site<'_>, entries: u64) {
    let root = RootKeySource::File(site.dir.join("root.key")).read().unwrap();
    let keys = KeyStore::open(&site.dir.join("state/keys"), &root).unwrap();
    let seed = keys.get("register").unwrap().unwrap();
    let key = RegisterKey::from_secret(&seed, &Log::Register.origin("taoyuan-dwcd")).unwrap();
    let mut journal = Journal::open(&site.dir.join("state/journal.db"), "taoyuan-dwcd").unwrap();
    let size = journal.size(Log::Register).unwrap();
    let read = |seq| Entry::from_bytes(&journal.entry(Log::Register, seq).unwrap()).unwrap();
    let last = read(size - 1).at;
    let start = (0..size).rev().map(read).find(|e| matches!(e.body, Body::Started { .. }));
    let bytes = Entry { at: last, ..start.unwrap() }.to_bytes().unwrap();
    for _ in size..entries {
        journal.append(&key, &[(Log::Register, bytes.clone())]).unwrap();
    }
}

#[test]
fn a_stop_at_any_write_of_a_start_that_fills_a_tile() {
    let people = People::new();
    let site = Site::in_memory(&people);
    LIFE[0].run(&site, &[]).ok();
    site.once();
    starts(&site, 250);
    // The next start is the one that fills it.
    loop {
        let before = size(&site);
        site.once();
        let now = size(&site);
        assert!(now < 256, "{before} {now}");
        if now + (now - before) >= 256 {
            break;
        }
    }
    let tile = "state/register/tile/entries";
    let scene = Scene::at(&ACT, &people, support::memory(), &site, 0);
    let filled = scene.play("filled");
    assert!(filled.dir.join(tile).join("000.p").is_dir());
    ACT.run(&filled, &[]).ok();
    assert!(filled.dir.join(tile).join("000").is_file());
    assert!(!filled.dir.join(tile).join("000.p").exists());
    stop_scene(&scene);
}
