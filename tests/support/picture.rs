//! A picture of a site: everything that two lives must agree on when one of them was interrupted.
//!
//! The register in its normal form comes from the commands that people use; files, slots of the key store and rows
//! of vaults are read below everything that decides.

use std::{collections::BTreeMap, fs, io::Read, os::unix::fs::PermissionsExt, path::Path};

use batchward::{
    adapters::{
        age_files::open_spool,
        keystore::{KeyStore, SlotState},
        root_key::RootKeySource,
        vault::{Vault, Window},
    },
    domain::digest::Digest,
};
use serde_json::Value;

use super::{
    Site,
    normal::{self, Names},
};

/// What must be the same.
#[derive(Debug, PartialEq)]
pub(crate) struct Picture {
    /// In its normal form.
    pub(crate) register: Vec<Value>,
    /// Path, kind and mode of everything under the site but what depends on the number of entries.
    pub(crate) files: Vec<String>,
    pub(crate) slots: BTreeMap<String, String>,
    pub(crate) rows: BTreeMap<String, Vec<Vec<String>>>,
    /// SHA-256 of what every claimed file holds.
    pub(crate) claimed: BTreeMap<String, String>,
    pub(crate) batches: Value,
}

impl Picture {
    pub(crate) fn of(site: &Site<'_>) -> Self {
        let mut names = Names::default();
        let register = normal::register(&entries(site), &mut names);
        let mut batches = site.run(&["batch", "list", "--json"]).ok().json();
        for batch in batches.as_array_mut().unwrap() {
            let id = batch["id"].as_str().map(|id| names.rename(id));
            batch["id"] = id.into();
            // When it was provided is when its load ended, which a stop puts off: that it was is what must agree.
            batch["provided"] = batch["provided"].is_string().into();
        }
        site.verify();
        Self {
            register,
            files: files(&site.dir, &mut names),
            slots: slots(&site.dir, &mut names),
            rows: rows(&site.dir, &mut names),
            claimed: claimed(&site.dir, &mut names),
            batches,
        }
    }
}

pub(crate) fn entries(site: &Site<'_>) -> Vec<Value> {
    site.run(&["register", "show", "--json"]).ok().json().as_array().unwrap().clone()
}

fn files(dir: &Path, names: &mut Names) -> Vec<String> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(dir).sort_by_file_name() {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
        // Published tiles follow the number of entries, and SQLite keeps its own side files.
        if path.contains("/tile/") || path.starts_with("state/journal.db-") {
            continue;
        }
        let about = entry.path().symlink_metadata().unwrap();
        let kind = if about.is_dir() {
            'd'
        } else if about.is_file() {
            'f'
        } else {
            'l'
        };
        // An age file has a part of random length.
        let sized = path.starts_with("state/vault/");
        let size = if sized && about.is_file() { about.len().to_string() } else { String::new() };
        let mode = about.permissions().mode() & 0o7777;
        found.push(format!("{} {kind} {mode:o} {size}", names.rename(&path)));
    }
    found.sort();
    found
}

pub(crate) fn key_store(dir: &Path) -> Option<KeyStore> {
    let root = RootKeySource::File(dir.join("root.key")).read().ok()?;
    Some(KeyStore::open(&dir.join("state/keys"), &root).expect("the key store opens"))
}

fn slots(dir: &Path, names: &mut Names) -> BTreeMap<String, String> {
    let Some(store) = key_store(dir) else { return BTreeMap::new() };
    assert_eq!(store.damaged().count(), 0, "no slot is damaged");
    let all: Vec<String> = store.names().collect();
    all.iter()
        .map(|name| {
            let state = match store.state(name).unwrap() {
                SlotState::Absent => "absent".to_owned(),
                SlotState::Live => "live".to_owned(),
                SlotState::Destroyed { order } => {
                    format!("destroyed under {}", names.rename(&order))
                }
            };
            (names.rename(name), state)
        })
        .collect()
}

/// The rows of every vault, read below everything that decides.
fn rows(dir: &Path, names: &mut Names) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut found = BTreeMap::new();
    let Some(store) = key_store(dir) else { return found };
    let vaults = dir.join("state/vault");
    let columns = ["national_id", "name", "birth_date", "village_name"].map(str::to_owned);
    for entry in fs::read_dir(&vaults).into_iter().flatten() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let id = name.strip_suffix(".db").unwrap_or_else(|| panic!("'{name}' is no vault"));
        let key = store.get(&format!("vault:{id}")).unwrap().expect("a vault has its key");
        let vault = Vault::open(&vaults, id.parse().unwrap(), &key, Window::OWN).unwrap();
        let mut table = Vec::new();
        vault
            .rows(&columns, &[], &mut |_, _, values| {
                table.push(values.to_vec());
                true
            })
            .unwrap();
        found.insert(names.rename(id), table);
    }
    found
}

/// The claimed files, opened with the identities of the key store.
fn claimed(dir: &Path, names: &mut Names) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Some(store) = key_store(dir) else { return found };
    let slots = store.names().filter(|name| name.starts_with("spool:"));
    let identities: Vec<_> = slots.filter_map(|name| store.get(&name).unwrap()).collect();
    for entry in fs::read_dir(dir.join("state/spool")).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let digest = identities.iter().find_map(|identity| {
            let mut plain = Vec::new();
            open_spool(&path, identity).ok()?.read_to_end(&mut plain).ok()?;
            Some(Digest::of(&plain).to_string())
        });
        found.insert(names.rename(name), digest.unwrap_or_else(|| "cannot be opened".to_owned()));
    }
    found
}

/// Where two pictures differ, in words.
pub(crate) fn difference(expected: &Picture, found: &Picture) -> Option<String> {
    if expected == found {
        return None;
    }
    let lines = |picture: &Picture| {
        let mut lines: Vec<String> =
            picture.register.iter().map(|e| format!("entry {e}")).collect();
        lines.extend(picture.files.iter().map(|file| format!("file {file}")));
        lines.extend(picture.slots.iter().map(|(name, state)| format!("slot {name} {state}")));
        lines.extend(
            picture.rows.iter().map(|(name, rows)| format!("rows of {name}: {}", rows.len())),
        );
        lines.extend(
            picture.claimed.iter().map(|(name, digest)| format!("claimed {name} {digest}")),
        );
        lines.push(format!("batches {}", picture.batches));
        lines
    };
    let (expected, found) = (lines(expected), lines(found));
    let missing =
        expected.iter().filter(|line| !found.contains(line)).map(|line| format!("- {line}"));
    let added =
        found.iter().filter(|line| !expected.contains(line)).map(|line| format!("+ {line}"));
    let all: Vec<String> = missing.chain(added).collect();
    if !all.is_empty() {
        return Some(all.join("\n"));
    }
    let pair = expected.iter().zip(&found).find(|(one, other)| one != other);
    Some(pair.map_or_else(
        || format!("{} lines instead of {}", found.len(), expected.len()),
        |(one, other)| format!("in another order, first {other} instead of {one}"),
    ))
}
