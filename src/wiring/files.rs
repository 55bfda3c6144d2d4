//! Wiping of our own files, so that a repeat after a stop tells the same as the first run would have.
//!
//! What the wipe primitive proved is noted under `state/wipes/` before the file loses its name. When a repeat finds the
//! file gone and such a proof there, the proof tells; a file that is gone without one was not wiped by us. The notes
//! hold nothing governed; they go when the outcome is recorded.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use super::described;
use crate::{
    adapters::{
        device::{Device, Session},
        files::{self, FileError},
        wipe::{self, Expect, Note, Outcome, RawDevice, WipeError, Wiped},
    },
    domain::{
        certificate::Assurance,
        entry::WipeFacts,
        wipe::{Limit, ReadBack},
    },
    engine::ports::{Evidence, Kept, Noted, PortError, Result},
};

/// How the names of notes begin that say where the key store lay before a slot was destroyed.
pub(super) const KEYS_NOTE: &str = "keys.";

/// Bytes of a note.
const NOTE_BYTES_MAX: u64 = 64 << 10;

/// The wiper of our own files.
#[derive(Clone)]
pub(super) struct Wiper {
    notes: PathBuf,
    /// Who can look at the device below, where there is such a helper.
    device: Option<Device>,
}

impl Wiper {
    pub(super) fn new(state: &Path, device_helper: Option<&Path>) -> Self {
        let device = device_helper.map(|socket| Device::new(socket.to_owned()));
        Self { notes: state.join("wipes"), device }
    }

    /// Whether an earlier run has proved the wipe of a file of this name, and its outcome is not recorded.
    pub(super) fn has_noted(&self, name: &str) -> bool {
        self.notes.join(name).symlink_metadata().is_ok()
    }

    /// Wipes `dir/name`.
    pub(super) fn wipe(&self, dir: &Path, name: &str) -> Result<WipeFacts> {
        let note = self.notes.join(name);
        let mut proof = self.proof(&note)?;
        if proof.is_some() && dir.join(name).symlink_metadata().is_ok() {
            // A stop came between the proof and the rename, or the file came back: only a new overwrite counts.
            files::remove(&note, "wipe-note").map_err(|e| super::file(&e))?;
            proof = None;
        }
        let handle = files::open_dir(dir).map_err(|e| super::file(&e))?;
        let expect = Expect { resume: true, ..Expect::default() };
        let mut prove = |wiped: &Wiped| {
            // One that is cut off after its rename and wiped once more has its proof already.
            if proof.is_some() {
                return Ok(());
            }
            let bytes = serde_json::to_vec(&facts(wiped))?;
            Ok(files::replace(&note, &bytes, "wipe-note")?)
        };
        let session = self.device.as_ref().map(Device::session);
        let raw = session.as_ref().map(|session| session as &dyn RawDevice);
        let wiped = wipe::wipe_seen(handle.as_fd(), OsStr::new(name), expect, raw, &mut prove)
            .map_err(|e| failed(&e))?;
        if let Some(proof) = proof {
            return Ok(proof);
        }
        let mut facts = facts(&wiped);
        // Once the name is gone. A stop before the outcome is recorded leaves the note, which says "not trimmed".
        if wiped.report.read_back == ReadBack::Device {
            given_back(session.as_ref(), &handle, &mut facts);
        }
        Ok(facts)
    }

    /// What an earlier run has proved and not recorded.
    fn proof(&self, note: &Path) -> Result<Option<WipeFacts>> {
        match files::read(note, NOTE_BYTES_MAX) {
            // A note of another form proves nothing.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(super::file(&error)),
        }
    }
}

/// Has the blocks of a file that is gone given back to the device, and says so where that was seen.
fn given_back(session: Option<&Session>, folder: &OwnedFd, facts: &mut WipeFacts) {
    let Some(report) = &mut facts.report else { return };
    if !report.limits.contains(&Limit::NotTrimmed) {
        return;
    }
    let trimmed = session.and_then(|session| session.trim(folder.as_fd()));
    if trimmed.is_some_and(|trimmed| trimmed.covered) {
        report.trimmed();
        facts.assurance = report.assurance();
    }
}

fn facts(wiped: &Wiped) -> WipeFacts {
    let mut notes = BTreeMap::new();
    let missing = wiped.outcome == Outcome::Missing;
    if missing {
        notes.insert("missing".to_owned(), 1);
    }
    if let Some(odd) = wiped.note.filter(|note| *note != Note::Resumed) {
        notes.insert(odd.meaning().to_owned(), 1);
    }
    WipeFacts {
        files: u64::from(!missing),
        bytes: wiped.bytes,
        assurance: if missing { Assurance::L0 } else { wiped.assurance() },
        filesystem: wiped.report.ground.kind.clone(),
        notes,
        report: (!missing).then(|| Box::new(wiped.report.clone())),
    }
}

impl Evidence for Wiper {
    fn sweep(&mut self, pending: &dyn Fn(Noted) -> bool) -> Result<()> {
        let Ok(listed) = std::fs::read_dir(&self.notes) else { return Ok(()) };
        for entry in listed.flatten() {
            if !entry.file_name().to_str().and_then(noted).is_some_and(pending) {
                files::remove(&entry.path(), "wipe-note").map_err(|e| super::file(&e))?;
            }
        }
        Ok(())
    }

    fn foresee(&self, kept: Kept) -> Vec<Limit> {
        let folder = match kept {
            Kept::Transfer => "spool",
            Kept::Vault => "vault",
            Kept::Case => "cases",
        };
        wipe::foresee(&self.notes.with_file_name(folder))
    }
}

/// What a note is about, by its name: that of a file (`c-00000001.db`), or `keys.` and that of a slot
/// (`keys.vault:c-00000001`). Nothing for one of no copy's.
fn noted(name: &str) -> Option<Noted> {
    let slot = name.strip_prefix(KEYS_NOTE).and_then(|slot| slot.split_once(':'));
    let id = match slot {
        Some((_, id)) => id,
        None => name.split_once('.').map_or(name, |(id, _)| id),
    };
    id.parse().map(Noted::Copy).or_else(|_| id.parse().map(Noted::Batch)).ok()
}

pub(super) fn failed(error: &WipeError) -> PortError {
    let message = described(error);
    match error {
        // What a person has to mend first; nothing was touched.
        WipeError::Refused(Note::Linked | Note::NotRegular) => {
            PortError::Stuck { code: "copy-linked", message }
        }
        WipeError::Refused(Note::NotWritable) => {
            PortError::Stuck { code: "copy-read-only", message }
        }
        WipeError::Refused(Note::NoSpace) => PortError::Later { code: "disk-full", message },
        WipeError::Folder | WipeError::NotReadBack => {
            PortError::Stuck { code: "copy-unwipeable", message }
        }
        _ => PortError::Later { code: "wipe", message },
    }
}

/// The error of a folder.
pub(super) fn folder(path: &Path) -> std::result::Result<(), FileError> {
    if path.is_dir() { Ok(()) } else { files::create_dir(path) }
}
