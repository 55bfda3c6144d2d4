//! Notes of how far a fetch is: of each file, how many bytes had come and their digest. A prefix that does not have its
//! digest is not trusted. They are the agent's own, in its state, and go when the delivery is claimed; without them a
//! fetch begins anew.

use std::{
    fs,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::{
    adapters::{
        courier::{CourierError, Thing},
        files, wipe,
    },
    domain::{digest::Digest, limits::CONFIG_BYTES_MAX, source::SourceCode},
};

/// Of one delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    v: u32,
    /// The delivery's name, in hex.
    name: String,
    files: Vec<Note>,
}

/// Of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    /// Its name, in hex.
    name: String,
    /// Its size and time, as the server listed them.
    bytes: u64,
    changed: u64,
    /// How much had come, and its digest.
    pub(super) done: u64,
    pub(super) sha256: Option<Digest>,
    /// Whether it came over more than one connection.
    pub(super) resumed: bool,
}

/// The notes of one delivery, and where they lie.
pub(super) struct Notes {
    path: PathBuf,
    page: Page,
}

impl Notes {
    /// The notes of a delivery as it is listed now. What was noted of a file that is listed otherwise is forgotten.
    pub(super) fn open(
        folder: &Path,
        mac: Digest,
        name: &[u8],
        things: &[Thing],
    ) -> Result<Self, CourierError> {
        for folder in folder.parent().into_iter().chain([folder]) {
            if !folder.is_dir() {
                files::create_dir(folder).map_err(|error| state(&error))?;
            }
        }
        let path = path(folder, mac);
        let before =
            read(&path).unwrap_or_else(|| Page { v: 1, name: String::new(), files: Vec::new() });
        let note = |(n, thing): (usize, &Thing)| {
            let fresh = Note {
                name: HEXLOWER.encode(&thing.name),
                bytes: thing.bytes,
                changed: thing.changed,
                done: 0,
                sha256: None,
                resumed: false,
            };
            // By its place too: the place is its name in the landing.
            let same = |old: &&Note| {
                (&old.name, old.bytes, old.changed) == (&fresh.name, fresh.bytes, fresh.changed)
            };
            before.files.get(n).filter(same).cloned().unwrap_or(fresh)
        };
        let files = things.iter().enumerate().map(note).collect();
        let notes = Self { path, page: Page { v: 1, name: HEXLOWER.encode(name), files } };
        notes.save()?;
        Ok(notes)
    }

    pub(super) fn note(&self, file: usize) -> Option<&Note> {
        self.page.files.get(file)
    }

    /// Notes that so much of a file has come.
    pub(super) fn came(&mut self, file: usize, done: u64, sha256: Digest) {
        if let Some(note) = self.page.files.get_mut(file) {
            note.done = done;
            note.sha256 = Some(sha256);
        }
    }

    /// The next connection goes on in the middle of a file, or begins it anew.
    pub(super) fn begins(&mut self, file: usize, from: u64) {
        if let Some(note) = self.page.files.get_mut(file) {
            note.resumed = from > 0;
            if from == 0 {
                (note.done, note.sha256) = (0, None);
            }
        }
    }

    /// Puts the notes where the next start finds them.
    pub(super) fn save(&self) -> Result<(), CourierError> {
        let text = serde_json::to_vec(&self.page)
            .map_err(|error| CourierError::new(SourceCode::Inbox, error.to_string()))?;
        files::replace(&self.path, &text, "source notes").map_err(|error| state(&error))
    }
}

/// The delivery's name and those of its files, in their order; nothing where nothing is noted.
pub(super) fn names(folder: &Path, mac: Digest) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let page = read(&path(folder, mac))?;
    let plain = |text: &String| HEXLOWER.decode(text.as_bytes()).ok();
    let files: Option<Vec<Vec<u8>>> = page.files.iter().map(|note| plain(&note.name)).collect();
    Some((plain(&page.name)?, files?))
}

/// Deliveries of which anything is noted.
pub(super) fn all(folder: &Path) -> Vec<Digest> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mac = |entry: fs::DirEntry| {
        Digest::from_hex(entry.file_name().to_string_lossy().strip_suffix(".json")?)
    };
    entries.filter_map(mac).collect()
}

/// Forgets a delivery.
pub(super) fn forget(folder: &Path, mac: Digest) {
    let path = path(folder, mac);
    if path.exists() {
        let _ = wipe::discard(&path);
    }
}

/// All that is noted of a link's fetches: another value after anything has come.
pub(super) fn progress(folder: &Path) -> Vec<(PathBuf, u64, usize)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<(PathBuf, u64, usize)> = entries
        .filter_map(|entry| {
            let page = read(&entry.path())?;
            let whole = page.files.iter().filter(|note| note.done == note.bytes).count();
            Some((entry.path(), page.files.iter().map(|note| note.done).sum(), whole))
        })
        .collect();
    all.sort();
    all
}

fn path(folder: &Path, mac: Digest) -> PathBuf {
    folder.join(format!("{mac}.json"))
}

fn read(path: &Path) -> Option<Page> {
    let bytes = files::read(path, CONFIG_BYTES_MAX).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|page: &Page| page.v == 1)
}

fn state(error: &files::FileError) -> CourierError {
    let full = matches!(error, files::FileError::Full { .. });
    let code = if full { SourceCode::DiskFull } else { SourceCode::Inbox };
    CourierError::new(code, error.to_string())
}
