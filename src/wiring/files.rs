//! Wiping of our own files, so that a repeat after a stop tells the same as the first run would have.
//!
//! Before the wipe primitive runs, the length of the file is noted under `state/wipes/`. When a repeat finds the
//! file gone and the note there, the overwrite was whole: the primitive unlinks only after it was synced, and nobody
//! else writes in the state folder. The notes hold nothing governed; they go when the outcome is recorded.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use super::described;
use crate::{
    adapters::{
        files::{self, FileError},
        wipe::{self, Expect, Note, Outcome, WipeError},
    },
    domain::{certificate::Assurance, entry::WipeFacts},
    engine::ports::{Evidence, PortError, Result},
};

/// Bytes of a note: a length in decimal digits.
const NOTE_BYTES_MAX: u64 = 32;

/// The wiper of our own files.
#[derive(Clone)]
pub(super) struct Wiper {
    notes: PathBuf,
}

impl Wiper {
    pub(super) fn new(state: &Path) -> Self {
        Self { notes: state.join("wipes") }
    }

    /// Wipes `dir/name`.
    pub(super) fn wipe(&self, dir: &Path, name: &str) -> Result<WipeFacts> {
        let note = self.notes.join(name);
        let noted = self.noted(&note)?;
        let length = std::fs::symlink_metadata(dir.join(name)).map(|m| m.len()).ok();
        let planned = match (noted, length) {
            (Some(noted), _) => Some(noted),
            (None, Some(length)) => {
                files::replace(&note, length.to_string().as_bytes(), "wipe-note")
                    .map_err(|e| super::file(&e))?;
                Some(length)
            }
            (None, None) => None,
        };
        let handle = files::open_dir(dir).map_err(|e| super::file(&e))?;
        let expect = Expect { len: None, resume: true };
        let report =
            wipe::wipe_file(handle.as_fd(), OsStr::new(name), expect).map_err(|e| failed(&e))?;
        let mut notes = BTreeMap::new();
        let (files, assurance) = match (report.outcome, planned) {
            (Outcome::Missing, Some(_)) => (1, Assurance::L1),
            (Outcome::Missing, None) => {
                notes.insert("missing".to_owned(), 1);
                (0, Assurance::L0)
            }
            (Outcome::Overwritten | Outcome::Unlinked, _) => (1, report.assurance),
        };
        if let Some(odd) = report.note.filter(|note| *note != Note::Resumed) {
            notes.insert(odd.meaning().to_owned(), 1);
        }
        Ok(WipeFacts {
            files,
            bytes: planned.unwrap_or(0),
            assurance,
            filesystem: report.filesystem.to_owned(),
            notes,
            report: None,
        })
    }

    fn noted(&self, note: &Path) -> Result<Option<u64>> {
        match files::read(note, NOTE_BYTES_MAX) {
            Ok(bytes) => Ok(std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok())),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(super::file(&error)),
        }
    }
}

impl Evidence for Wiper {
    fn sweep(&mut self) -> Result<()> {
        let Ok(listed) = std::fs::read_dir(&self.notes) else { return Ok(()) };
        for entry in listed.flatten() {
            files::remove(&entry.path(), "wipe-note").map_err(|e| super::file(&e))?;
        }
        Ok(())
    }
}

pub(super) fn failed(error: &WipeError) -> PortError {
    PortError::Later { code: "wipe", message: described(error) }
}

/// The error of a folder.
pub(super) fn folder(path: &Path) -> std::result::Result<(), FileError> {
    if path.is_dir() { Ok(()) } else { files::create_dir(path) }
}
