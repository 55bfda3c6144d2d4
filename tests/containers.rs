//! A link's container, from drop to load through the real program: archives under a passphrase that came separately,
//! and a disc in plain that was handed over in person.
//!
//! All people, keys, passphrases and records are synthetic.
//!
//! It is over 500 lines because each container is played from drop to load with the same few words.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "containers/letter.rs"]
mod letter;
mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use batchward::{
    adapters::keystore::SlotState,
    domain::{digest::Digest, manifest::MANIFEST_NAMESPACE, secret::Secret, sshsig::SigningKey},
};
use serde_json::Value;
use support::{People, Site, done, picture::key_store};

const LINK: &str = "packed";
const PASS: &str = "Synthetic-2026-passphrase";
const HEAD: &str = "national_id,name,birth_date,indigenous\r\n";

/// Records of people who do not exist.
fn people(names: &[&str]) -> Vec<u8> {
    let ids = ["A123456789", "B234567893", "C123456785", "D234567881"];
    let line = |(n, name): (usize, &&str)| format!("{},{name},0800101,0\r\n", ids[n % 4]);
    let lines: String = names.iter().enumerate().map(line).collect();
    format!("{HEAD}{lines}").into_bytes()
}

fn key() -> SigningKey {
    SigningKey::from_seed(&Secret::new(vec![9; 32])).unwrap()
}

/// A founded site with a link of this container.
fn site<'p>(people: &'p People, container: &str, more: &str) -> Site<'p> {
    let site = Site::in_memory(people);
    let signers = format!(
        "provider@synthetic namespaces=\"{MANIFEST_NAMESPACE}\" {}\n",
        key().public().text()
    );
    fs::write(site.dir.join("links/packed.allowed_signers"), signers).unwrap();
    let link = fs::read_to_string(site.dir.join("links/nantou-verify.yaml")).unwrap();
    let link = link
        .replace("link: nantou-verify", "link: packed")
        .replace("nantou.allowed_signers", "packed.allowed_signers")
        .replace("drop/nantou-verify", "drop/packed")
        .replace("keys/nantou-verify", "keys/packed");
    // The regulation of the sample forbids a key for more than one batch.
    let lasting = "policy: lasting\ntitle: 合成規範\nregister_title: 合成登記簿\nextends: common\n\
                   key:\n  standing: { value: true, clause: own }\n";
    fs::write(site.dir.join("policies/lasting.yaml"), lasting).unwrap();
    let link = match more {
        "" => link,
        _ => link.replace("policy: nantou-verification", "policy: lasting"),
    };
    let text = format!("{link}\ncontainer: {container}\n{more}");
    fs::write(site.dir.join("links/packed.yaml"), text).unwrap();
    for folder in ["drop/packed", "keys/packed", "staging"] {
        fs::create_dir_all(site.dir.join(folder)).unwrap();
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(site.dir.join(folder), mode).unwrap();
    }
    site.init();
    site.accounts("資訊科");
    site
}

/// A signed delivery of these files in the staging folder.
fn deliver(site: &Site<'_>, number: &str, files: &[(&str, Vec<u8>, u64)]) -> PathBuf {
    let folder = site.dir.join("staging").join(number.to_lowercase());
    fs::create_dir_all(&folder).unwrap();
    let records: u64 = files.iter().map(|(_, _, records)| records).sum();
    let mut manifest = format!(
        "batchward: 1\nbatch: {number}\nlink: {LINK}\ntable_no: NT-VERIFY-04\nkind: full\nsequence: 1\n\
         notified_at: 2026-11-21T09:00:00+08:00\nbasis_doc_no: 府民戶字第1150004321號\n\
         purpose: 驗證機制平臺身分驗證\nrecords: {records}\nfiles:\n"
    );
    for (name, bytes, records) in files {
        fs::write(folder.join(name), bytes).unwrap();
        manifest.push_str(&format!(
            "  - name: {name}\n    bytes: {}\n    sha256: {}\n    records: {records}\n",
            bytes.len(),
            Digest::of(bytes)
        ));
    }
    let signature = key().sign(MANIFEST_NAMESPACE, manifest.as_bytes()).unwrap();
    fs::write(folder.join("manifest.yaml"), manifest).unwrap();
    fs::write(folder.join("manifest.yaml.sig"), signature).unwrap();
    folder
}

fn release(site: &Site<'_>, folder: &PathBuf) {
    fs::rename(folder, site.dir.join("drop/packed").join(folder.file_name().unwrap())).unwrap();
}

/// What 7z makes of these files.
fn packed(site: &Site<'_>, form: &[&str], files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let dir = site.dir.join("packing");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes).unwrap();
    }
    let names = files.iter().map(|(name, _)| name);
    done(
        Command::new("7z")
            .args(["a", "-bd", "-y"])
            .args(form)
            .arg("made.bin")
            .args(names)
            .current_dir(&dir),
    );
    let made = fs::read(dir.join("made.bin")).unwrap();
    fs::remove_dir_all(&dir).unwrap();
    made
}

fn form(kind: &str) -> Vec<&'static str> {
    match kind {
        "zip-aes" => vec!["-tzip", "-mem=AES256", "-pSynthetic-2026-passphrase"],
        _ => vec!["-t7z", "-mhe=on", "-pSynthetic-2026-passphrase"],
    }
}

fn only(site: &Site<'_>) -> (String, Value) {
    let id = site.batches()[0]["id"].as_str().unwrap().to_owned();
    let shown = site.show(&id);
    (id, shown)
}

fn submit(site: &Site<'_>, id: &str, passphrase: &str) -> support::Ran {
    let words = ["key", "submit", id, "--passphrase-stdin", "--channel", "telephone"];
    site.run_as_with("alice", &words, passphrase.as_bytes())
}

#[test]
fn an_archive_loads_with_the_passphrase_that_came_separately_and_counts_over_all_its_files() {
    for kind in ["zip-aes", "7z"] {
        let accounts = People::new();
        let site = site(&accounts, kind, "");
        let files = [("a.csv", people(&["甲", "乙"])), ("b.csv", people(&["丙", "丁", "戊"]))];
        let bytes = packed(&site, &form(kind), &files);
        release(&site, &deliver(&site, "PACKED-1", &[("people.bin", bytes, 5)]));
        site.once();
        let (id, shown) = only(&site);
        assert_eq!((&shown["state"], &shown["strength"]), (&"verified".into(), &"signed".into()));
        let wrong = submit(&site, &id, "synthetic-2026-passphrase").exits(65);
        assert!(wrong.stderr.contains("does not open"), "{}", wrong.stderr);
        assert_eq!(only(&site).1["state"], "verified");
        submit(&site, &id, PASS).ok();
        let (_, shown) = only(&site);
        assert_eq!(shown["state"], "loaded", "{kind}: {shown}");
        let counts = &shown["counts"];
        assert_eq!((&counts["declared"], &counts["committed"]), (&5.into(), &5.into()));
        site.verify();
    }
}

#[test]
fn nothing_is_loaded_of_an_archive_that_is_not_what_was_agreed_to() {
    let list = people(&["甲", "乙"]);
    let zip = ["-tzip", "-mem=AES256", "-pSynthetic-2026-passphrase"];
    let cases: [(&str, &[&str], Vec<u8>, &str); 4] = [
        (
            "zip-aes",
            &["-tzip", "-mem=ZipCrypto", "-pSynthetic-2026-passphrase"],
            list.clone(),
            "wrong-container",
        ),
        ("zip-aes", &["-tzip"], list.clone(), "wrong-container"),
        ("zip-aes", &zip, vec![b' '; 64 << 20], "limit-exceeded"),
        (
            "7z",
            &["-t7z", "-m0=PPMd", "-pSynthetic-2026-passphrase"],
            list.clone(),
            "wrong-container",
        ),
    ];
    for (kind, form, bytes, reason) in cases {
        let accounts = People::new();
        let site = site(&accounts, kind, "");
        let bytes = packed(&site, form, &[("a.csv", bytes)]);
        release(&site, &deliver(&site, "PACKED-1", &[("people.bin", bytes, 2)]));
        site.once();
        submit(&site, &only(&site).0, PASS);
        let (_, shown) = only(&site);
        assert_eq!((&shown["state"], &shown["reason"]), (&"quarantined".into(), &reason.into()));
        assert!(site.files("state/vault").is_empty());
    }
    // What does not even begin as the container needs no passphrase to be refused.
    let accounts = People::new();
    let site = site(&accounts, "7z", "");
    let bytes = packed(&site, &zip, &[("a.csv", list)]);
    release(&site, &deliver(&site, "PACKED-1", &[("people.bin", bytes, 2)]));
    site.once();
    assert_eq!(only(&site).1["reason"], "wrong-container");
}

#[test]
fn damage_within_an_archive_is_told_as_damage_and_five_wrong_passphrases_as_wrong_keys() {
    let accounts = People::new();
    let site = site(&accounts, "zip-aes", "");
    let mut bytes = packed(&site, &form("zip-aes"), &[("a.csv", people(&["甲", "乙"]))]);
    let whole = bytes.clone();
    bytes[90] ^= 1;
    release(&site, &deliver(&site, "PACKED-1", &[("people.bin", bytes, 2)]));
    site.once();
    let (id, _) = only(&site);
    submit(&site, &id, PASS);
    assert_eq!(only(&site).1["reason"], "decrypt-failed");
    site.run_as("alice", &["batch", "reject", &id, "--reason", "damaged"]).ok();
    release(&site, &deliver(&site, "PACKED-2", &[("people.bin", whole, 2)]));
    site.once();
    let id = site.row_numbered("PACKED-2");
    for n in 1..=5 {
        submit(&site, &id, &format!("wrong {n}"));
        let shown = site.show(&id);
        let state = if n < 5 { "verified" } else { "quarantined" };
        assert_eq!(
            (&shown["state"], &shown["reason"]),
            (&state.into(), &"wrong-key".into()),
            "{n}"
        );
    }
    site.verify();
}

/// The words of a medium that somebody brought.
fn way() -> [&'static str; 12] {
    [
        "--medium",
        "optical",
        "--serial",
        "CD-7",
        "--from",
        "民政局第二科",
        "--carrier",
        "alice",
        "--place",
        "safe 1",
        "--holder",
        "alice",
    ]
}

#[test]
fn a_hand_delivered_disc_without_encryption_is_kept_from_drop_to_destruction() {
    let accounts = People::new();
    let site = site(&accounts, "plain-by-hand", "");
    let list = people(&["王小明", "陳小美", "林大同"]);
    let disc = deliver(&site, "PLAIN-1", &[("people.csv", list.clone(), 3)]);
    let words = ["media", "import", disc.to_str().unwrap(), "--link", LINK];
    site.run_as("alice", &[words.as_slice(), &way()].concat()).ok();
    fs::remove_dir_all(&disc).unwrap();
    site.once();
    let (id, shown) = only(&site);
    assert_eq!((&shown["state"], &shown["strength"]), (&"loaded".into(), &"by-hand".into()));
    assert_eq!(shown["counts"]["committed"], 3);
    // The originals are gone, and no file of the state has a line of them.
    assert!(site.files("drop/packed").is_empty());
    // A few lines can be guessed from their digest: no entry of the register and no receipt has it.
    let digest = Digest::of(&list).to_string();
    for path in site.files("state") {
        let bytes = fs::read(site.dir.join("state").join(&path)).unwrap();
        for word in ["王小明".as_bytes(), b"A123456789", HEAD.as_bytes(), digest.as_bytes()] {
            assert!(!bytes.windows(word.len()).any(|found| found == word), "{path}");
        }
    }
    let form = site.run(&["register", "show"]).ok();
    assert!(!form.text().contains("王小明"));
    site.run_as("henry", &["use", "no-need", &id]).ok();
    let order = site.run_as("alice", &["destroy", "request", &id, "--reason", "over"]).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    let copies = site.run(&["copy", "list", "--all", "--json"]).ok().json();
    let carrier = copies.as_array().unwrap().iter().find(|row| row["kind"] == "carrier").unwrap();
    let carrier = carrier["id"].as_str().unwrap();
    let end = ["--method", "shredded", "--place", "basement", "--performer", "alice"];
    site.run_as("alice", &[["media", "record", carrier].as_slice(), &end].concat()).ok();
    site.run_as("audrey", &["media", "confirm", carrier]).ok();
    site.once();
    assert_eq!(site.show(&id)["state"], "closed");
    site.verify();
}

#[test]
fn plain_files_that_nobody_handed_over_are_quarantined() {
    let accounts = People::new();
    let site = site(&accounts, "plain-by-hand", "");
    release(&site, &deliver(&site, "PLAIN-1", &[("people.csv", people(&["甲"]), 1)]));
    site.once();
    let (_, shown) = only(&site);
    assert_eq!((&shown["state"], &shown["reason"]), (&"quarantined".into(), &"not-by-hand".into()));
    assert!(site.files("drop/packed").is_empty());
}

#[test]
fn of_a_plain_file_that_came_by_mistake_the_register_and_the_receipt_have_no_digest() {
    let list = people(&["甲", "乙"]);
    for (kind, zipped) in [("age", false), ("zip-aes", false), ("zip-aes", true), ("7z", false)] {
        let accounts = People::new();
        let site = site(&accounts, kind, "");
        let bytes = match zipped {
            true => packed(&site, &["-tzip"], &[("a.csv", list.clone())]),
            false => list.clone(),
        };
        release(&site, &deliver(&site, "PACKED-1", &[("people.bin", bytes.clone(), 2)]));
        site.once();
        if zipped {
            // Only its key's turn tells that the archive has no passphrase.
            submit(&site, &only(&site).0, PASS);
        }
        let (id, shown) = only(&site);
        assert_eq!(shown["state"], "quarantined", "{kind}: {shown}");
        site.run_as("alice", &["batch", "reject", &id, "--reason", "not encrypted"]).ok();
        site.once();
        let digest = Digest::of(&bytes).to_string();
        for path in site.files("state") {
            let bytes = fs::read(site.dir.join("state").join(&path)).unwrap();
            let found = bytes.windows(digest.len()).any(|found| found == digest.as_bytes());
            assert!(!found, "{kind}: {path}");
        }
        site.verify();
    }
}

#[test]
fn a_container_that_the_policy_does_not_name_is_refused() {
    let accounts = People::new();
    let site = Site::in_memory(&accounts);
    let path = site.dir.join("links/nantou-verify.yaml");
    let link = fs::read_to_string(&path).unwrap();
    let rule = "override:\n  transfer:\n    containers: { value: [age, 7z], clause: own }\n";
    fs::write(&path, format!("{link}\ncontainer: 7z\n{rule}")).unwrap();
    site.run(&["check"]).ok();
    fs::write(&path, format!("{link}\ncontainer: zip-aes\n{rule}")).unwrap();
    let told = site.run(&["check"]).exits(78);
    assert!(told.text().contains("'container: zip-aes' is not allowed"), "{}", told.text());
}

#[test]
fn a_weaker_container_waits_for_a_second_person() {
    let accounts = People::new();
    let site = site(&accounts, "zip-aes", "");
    let path = site.dir.join("links/packed.yaml");
    let link = fs::read_to_string(&path).unwrap();
    fs::write(&path, link.replace("container: zip-aes", "container: plain-by-hand")).unwrap();
    let disc = deliver(&site, "PLAIN-1", &[("people.csv", people(&["甲"]), 1)]);
    let words = ["media", "import", disc.to_str().unwrap(), "--link", LINK];
    site.run_as("alice", &[words.as_slice(), &way()].concat()).ok();
    site.once();
    assert_eq!(only(&site).1["reason"], "wrong-container", "the container in force is the old one");
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    let (id, _) = only(&site);
    site.run_as("alice", &["batch", "release", &id, "--reason", "agreed"]).ok();
    site.once();
    assert_eq!(site.show(&id)["state"], "loaded");
}

fn standing(site: &Site<'_>, name: &str, passphrase: &str) -> support::Ran {
    let words = ["key", "standing", LINK, "--channel", "letter"];
    site.run_as_with(name, &words, passphrase.as_bytes())
}

#[test]
fn a_standing_passphrase_opens_batches_once_a_supervisor_has_confirmed_it_and_is_told_as_weaker() {
    let accounts = People::new();
    let site = site(&accounts, "7z", "key: standing-passphrase\n");
    let archive = |name: &str| packed(&site, &form("7z"), &[("a.csv", people(&[name]))]);
    release(&site, &deliver(&site, "PACKED-1", &[("people.bin", archive("甲"), 1)]));
    site.once();
    let (id, shown) = only(&site);
    assert_eq!((&shown["state"], &shown["reason"]), (&"verified".into(), &"awaiting-key".into()));
    assert_eq!(shown["strength"], "signed-standing-passphrase");
    standing(&site, "henry", PASS).exits(77);
    standing(&site, "alice", "").exits(65);
    site.walt_and_dora("資訊室");
    standing(&site, "walt", PASS).ok();
    site.once();
    assert_eq!(site.show(&id)["state"], "verified", "nobody decides alone");
    site.neither_walt_nor_dora(&["key", "confirm", LINK]);
    let tasks = site.run(&["status", "--json"]).json();
    assert!(tasks["tasks"].to_string().contains("confirm-passphrase"), "{tasks}");
    site.run_as("alice", &["key", "confirm", LINK]).exits(77);
    site.run_as("sue", &["key", "confirm", LINK]).ok();
    site.once();
    assert_eq!(site.show(&id)["state"], "loaded");
    // It stays for the next one.
    release(&site, &deliver(&site, "PACKED-2", &[("people.bin", archive("乙"), 1)]));
    site.once();
    assert_eq!(site.show(&site.row_numbered("PACKED-2"))["state"], "loaded");
    // One that the provider packed under another is told as a wrong key, once, and opens with its own.
    let other = packed(
        &site,
        &["-t7z", "-mhe=on", "-pSynthetic-2027-passphrase"],
        &[("a.csv", people(&["丙"]))],
    );
    release(&site, &deliver(&site, "PACKED-3", &[("people.bin", other, 1)]));
    site.once();
    let third = site.row_numbered("PACKED-3");
    let shown = site.show(&third);
    assert_eq!((&shown["state"], &shown["reason"]), (&"verified".into(), &"wrong-key".into()));
    assert_eq!(shown["tries_left"], 4);
    submit(&site, &third, "Synthetic-2027-passphrase").ok();
    let opened = site.show(&third);
    assert_eq!((&opened["state"], &opened["strength"]), (&"loaded".into(), &"signed".into()));
    site.wait_minutes(5 * 24 * 60);
    let alarms = site.run(&["status", "--json"]).json()["alarms"].to_string();
    assert!(!alarms.contains("key-without-batch"), "a passphrase is no batch's: {alarms}");
    // Ended, it opens nothing more.
    site.run_as("alice", &["key", "end", LINK, "--reason", "the provider changed it"]).ok();
    release(&site, &deliver(&site, "PACKED-4", &[("people.bin", archive("丁"), 1)]));
    site.once();
    assert_eq!(site.show(&site.row_numbered("PACKED-4"))["reason"], "awaiting-key");
    site.run_as("alice", &["key", "end", LINK, "--reason", "again"]).exits(64);
    site.verify();
}

#[test]
fn the_slot_of_a_standing_passphrase_outlives_its_batches_and_goes_when_it_is_ended() {
    let accounts = People::new();
    let site = site(&accounts, "7z", "key: standing-passphrase\n");
    let archive = |name: &str| packed(&site, &form("7z"), &[("a.csv", people(&[name]))]);
    let live = |site: &Site<'_>| {
        let rows = site.run(&["register", "show", "--json"]).ok().json();
        let rows = rows.as_array().unwrap().clone();
        let taken = |row: &&Value| row["body"]["outcome"]["result"] == "key-taken";
        let dropped = |row: &&Value| row["body"]["outcome"]["result"] == "key-dropped";
        (rows.iter().filter(taken).count(), rows.iter().filter(dropped).count())
    };
    let slots = |site: &Site<'_>| {
        let store = key_store(&site.dir).unwrap();
        let names: Vec<String> = store.names().filter(|name| name.starts_with("key:")).collect();
        let live = |name: &&String| matches!(store.state(name), Ok(SlotState::Live));
        (names.iter().filter(live).count(), names.len())
    };
    standing(&site, "alice", PASS).ok();
    site.run_as("sue", &["key", "confirm", LINK]).ok();
    release(&site, &deliver(&site, "PACKED-1", &[("people.bin", archive("甲"), 1)]));
    site.once();
    let (id, shown) = only(&site);
    assert_eq!(shown["state"], "loaded");
    // The destruction of a batch takes its own keys, and not what opens those to come.
    site.run_as("henry", &["use", "no-need", &id]).ok();
    let order = site.run_as("alice", &["destroy", "request", &id, "--reason", "over"]).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    assert_eq!(site.show(&id)["state"], "closed");
    assert_eq!((live(&site), slots(&site)), ((1, 0), (1, 1)));
    release(&site, &deliver(&site, "PACKED-2", &[("people.bin", archive("乙"), 1)]));
    site.once();
    assert_eq!(site.show(&site.row_numbered("PACKED-2"))["state"], "loaded");
    // Another one in its place, and the end of that: nothing is kept of either.
    standing(&site, "alice", "Synthetic-2027-passphrase").ok();
    assert_eq!(slots(&site), (2, 2), "the old one opens until the new one is confirmed");
    site.run_as("sue", &["key", "confirm", LINK]).ok();
    site.once();
    assert_eq!((live(&site), slots(&site)), ((2, 1), (1, 2)));
    site.run_as("alice", &["key", "end", LINK, "--reason", "the provider changed it"]).ok();
    site.once();
    assert_eq!((live(&site), slots(&site)), ((2, 2), (0, 2)));
    site.verify();
}

#[test]
fn a_batch_that_is_released_is_confirmed_again_before_it_loads() {
    let accounts = People::new();
    let rule = "override:\n  intake:\n    confirm: { value: before-load, clause: own }\n";
    let site = site(&accounts, "zip-aes", rule);
    let bytes = packed(&site, &form("zip-aes"), &[("a.csv", people(&["甲"]))]);
    release(&site, &deliver(&site, "PACKED-1", &[("people.bin", bytes, 1)]));
    site.once();
    let (id, _) = only(&site);
    site.run_as("alice", &["batch", "confirm", &id]).ok();
    for n in 1..=5 {
        submit(&site, &id, &format!("wrong {n}"));
    }
    assert_eq!(only(&site).1["state"], "quarantined");
    site.run_as("alice", &["batch", "release", &id, "--reason", "the passphrase was misheard"])
        .ok();
    site.once();
    submit(&site, &id, PASS);
    site.once();
    let shown = only(&site).1;
    assert_eq!(shown["state"], "verified", "nobody has looked at it anew: {shown}");
    site.run_as("alice", &["batch", "confirm", &id]).ok();
    assert_eq!(only(&site).1["state"], "loaded");
    site.verify();
}

#[test]
fn a_passphrase_that_opens_nothing_is_answered_with_the_tries_left_and_the_same_hint_whatever_it_was()
 {
    let accounts = People::new();
    let site = site(&accounts, "zip-aes", "");
    let bytes = packed(&site, &form("zip-aes"), &[("a.csv", people(&["甲"]))]);
    release(&site, &deliver(&site, "PACKED-1", &[("people.bin", bytes, 1)]));
    site.once();
    let (id, _) = only(&site);
    for (left, wrong) in [(4, "0OIl1"), (3, "Ｓynthetic"), (2, "plain "), (1, "x")] {
        let ran = submit(&site, &id, wrong).exits(65);
        assert!(ran.stderr.contains(&format!("{left} tries are left")), "{}", ran.stderr);
        assert!(ran.stderr.contains("full-width letters; a blank at the end"), "{}", ran.stderr);
        assert!(!ran.stderr.contains(wrong.trim()) || wrong == "x", "{}", ran.stderr);
        assert_eq!(site.show(&id)["tries_left"], left);
    }
    let page = site.run(&["batch", "show", &id]).ok();
    assert!(page.text().contains("keys that may still be tried: 1"), "{}", page.text());
    let last = submit(&site, &id, "y").exits(65);
    assert!(last.stderr.contains("no try is left"), "{}", last.stderr);
}

/// The files below a folder, each with its bytes.
fn below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| match path.is_dir() {
        true => below(&path),
        false => vec![(path.clone(), fs::read(&path).unwrap())],
    };
    paths.flat_map(of).collect()
}

#[test]
fn a_stop_anywhere_in_a_plain_import_leaves_nothing_in_the_inbox_that_the_next_start_does_not_wipe()
{
    let accounts = People::new();
    let base = site(&accounts, "plain-by-hand", "");
    let list = people(&["王小明", "陳小美", "林大同"]);
    deliver(&base, "PLAIN-1", &[("people.csv", list, 3)]);
    let work = support::memory();
    let play = |name: &str, stop: &[&str]| {
        let dir = work.path().join(name);
        done(Command::new("cp").arg("-a").arg(&base.dir).arg(&dir));
        let site = Site::at(&accounts, dir, base.minute());
        let disc = site.dir.join("staging/plain-1");
        let words = ["media", "import", disc.to_str().unwrap(), "--link", LINK];
        let words = [words.as_slice(), &way()].concat();
        let key = site.people.key("alice");
        let global = ["--as", "alice", "--sign-with", key.to_str().unwrap()];
        let ran = site.run_with(&words, &[&global, stop].concat(), b"");
        (site, ran)
    };
    let count = work.path().join("count");
    let (_counted, ran) = play("counted", &["--test-count-writes", count.to_str().unwrap()]);
    ran.ok();
    let writes: usize = fs::read_to_string(&count).unwrap().trim().parse().unwrap();
    let mut broken = 0;
    for stop in
        (1..=writes).flat_map(|at| ["before", "middle", "after"].map(|m| format!("{at}:{m}")))
    {
        let (site, ran) = play(&stop, &["--test-crash", &stop]);
        // Some writes have no middle.
        if ran.signal.is_none() {
            continue;
        }
        let inbox = site.dir.join("drop/packed");
        let partly = below(&inbox);
        site.once();
        assert_eq!(fs::read_dir(&inbox).unwrap().count(), 0, "{stop}");
        let rows = site.run(&["register", "show", "--json"]).ok().json();
        let outcomes = rows.as_array().unwrap().iter().map(|row| &row["body"]["outcome"]);
        let wiped: Vec<_> =
            outcomes.filter(|outcome| outcome["result"] == "media-discarded").cloned().collect();
        let loaded = site.batches().first().is_some_and(|batch| batch["state"] == "loaded");
        // What lay there is a delivery, or is wiped with its receipt; and where nothing lay, nothing is said.
        if !loaded && partly.iter().any(|(_, bytes)| !bytes.is_empty()) {
            let bytes: usize = partly.iter().map(|(_, bytes)| bytes.len()).sum();
            assert_eq!(wiped.len(), 1, "{stop}");
            assert_eq!(wiped[0]["wiped"]["bytes"], bytes, "{stop}");
            broken += 1;
        }
        assert!(!loaded || wiped.is_empty(), "{stop}");
        site.once();
        site.verify();
    }
    assert!(broken > 2, "{broken}");
}

#[test]
fn a_folder_that_is_only_called_like_a_broken_import_is_a_stray_and_nothing_of_it_is_wiped() {
    let accounts = People::new();
    let site = site(&accounts, "plain-by-hand", "");
    let alike = site.dir.join("drop/packed/.batchward-carrying-medium-1");
    fs::create_dir(&alike).unwrap();
    fs::write(alike.join("kept.txt"), "synthetic").unwrap();
    site.once();
    assert!(alike.join("kept.txt").exists());
    let rows = site.run(&["register", "show", "--json"]).ok().json();
    let strays = rows.as_array().unwrap().iter().filter(|row| row["body"]["type"] == "stray-seen");
    assert_eq!(strays.count(), 1);
}
