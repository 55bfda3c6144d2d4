//! Drop directories and keyboxes as the engine's port.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use super::{described, store::spool_name};
use crate::{
    adapters::{
        age_files::{SpoolError, SpoolWriter},
        files::FileError,
        inbox::{self, ClaimError, ClaimedFolder, Inbox, InboxError},
        keybox::{self, Keybox, KeyboxError},
    },
    domain::{
        control::DeliveryShape,
        entry::{KeyForm, WipeFacts},
        ids::CopyId,
        judge::{EntryKind, Facts},
        link::Link,
        secret::Secret,
    },
    engine::ports::{Claimed, CopySize, Intake, KeyFile, Meter, PortError, Result, Scan},
};

/// Inboxes and keyboxes; claims go to the spool folder.
pub(super) struct Drops {
    spool: PathBuf,
    /// Of each flat inbox, what the last scan listed: the looks that follow it go by that.
    listed: Mutex<BTreeMap<PathBuf, Names>>,
}

/// The names of flat deliveries.
type Names = BTreeMap<OsString, Vec<OsString>>;

impl Drops {
    pub(super) fn new(spool: PathBuf) -> Self {
        Self { spool, listed: Mutex::default() }
    }

    /// The names of a flat delivery, where the last scan has seen it.
    fn listed(&self, link: &Link, delivery: &OsStr) -> Option<Vec<OsString>> {
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        listed.get(&link.inbox)?.get(delivery).cloned()
    }
}

fn inbox_error(error: &InboxError) -> PortError {
    let message = described(error);
    match error {
        InboxError::Held { .. } => PortError::Later { code: "media-held", message },
        _ => PortError::Later { code: "inbox", message },
    }
}

fn keybox_error(error: &KeyboxError) -> PortError {
    PortError::Later { code: "keybox", message: described(error) }
}

fn claim_error(error: &ClaimError) -> PortError {
    let message = described(error);
    match error {
        ClaimError::Changed => PortError::Later { code: "delivery-changed", message },
        ClaimError::NoSpace { .. }
        | ClaimError::Spool(SpoolError::File(FileError::Full { .. })) => {
            PortError::Later { code: "disk-full", message }
        }
        ClaimError::Inbox(inner) => inbox_error(inner),
        ClaimError::Spool(_) => PortError::Stuck { code: "spool", message },
    }
}

fn open(link: &Link) -> Result<Inbox> {
    let inbox = Inbox::open(&link.inbox).map_err(|e| inbox_error(&e))?;
    Ok(inbox.of_form(&link.profile))
}

fn keys(link: &Link) -> Result<Keybox> {
    Keybox::open(&link.keybox).map_err(|e| keybox_error(&e))
}

const fn form(form: keybox::KeyForm) -> KeyForm {
    match form {
        keybox::KeyForm::Identity => KeyForm::Identity,
        keybox::KeyForm::Passphrase => KeyForm::Passphrase,
    }
}

impl Intake for Drops {
    fn scan(&self, link: &Link) -> Result<Scan> {
        let mut scan = open(link)?.scan().map_err(|e| inbox_error(&e))?;
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        // A list that may lack a name of a delivery is none to go by.
        match scan.cut || scan.names.is_empty() {
            true => listed.remove(&link.inbox),
            false => listed.insert(link.inbox.clone(), std::mem::take(&mut scan.names)),
        };
        drop(listed);
        Ok(Scan {
            folders: scan.folders.into_iter().map(|name| name.as_bytes().to_vec()).collect(),
            strays: scan
                .strays
                .into_iter()
                .map(|stray| (stray.name.as_bytes().to_vec(), stray.key))
                .collect(),
            carried: scan
                .carried
                .into_iter()
                .filter_map(|folder| {
                    let name = inbox::carried_name(&folder)?;
                    Some((folder.as_bytes().to_vec(), name.as_bytes().to_vec()))
                })
                .collect(),
            cut: scan.cut,
        })
    }

    fn look(&self, link: &Link, folder: &[u8]) -> Result<Option<Facts>> {
        let (inbox, name) = (open(link)?, OsStr::from_bytes(folder));
        let flat = link.profile.shape == DeliveryShape::Flat;
        let listed = flat.then(|| self.listed(link, name)).flatten();
        let looked = match listed {
            Some(names) => inbox.look_among(&names),
            None => inbox.look(name),
        };
        match looked {
            Err(error) if error.is_gone() => Ok(None),
            other => other.map(Some).map_err(|e| inbox_error(&e)),
        }
    }

    fn claim(
        &self,
        link: &Link,
        folder: &[u8],
        copies: &[CopyId],
        recipient: &str,
        meter: &Meter,
    ) -> Result<Claimed> {
        let mut next = copies.iter();
        let mut names = Vec::new();
        let mut more = false;
        let mut factory = |name: &[u8]| -> std::result::Result<Option<SpoolWriter>, SpoolError> {
            let Some(copy) = next.next() else {
                more = true;
                return Ok(None);
            };
            names.push(name.to_vec());
            SpoolWriter::create(&self.spool, &spool_name(*copy), recipient)
                .map(|writer| Some(writer.counted(meter)))
        };
        let claim = open(link)?
            .claim(OsStr::from_bytes(folder), &self.spool, &mut factory)
            .map_err(|e| claim_error(&e))?;
        let mut files = Vec::with_capacity(names.len());
        for name in names {
            let entry =
                claim.facts.entries.iter().find(|e| e.name == name && e.kind == EntryKind::File);
            if let Some((entry, sha256)) = entry.and_then(|e| Some((e, e.sha256?))) {
                files.push((name, CopySize { bytes: entry.bytes, sha256 }));
            }
        }
        let id = serde_json::to_string(&claim.folder)
            .map_err(|error| PortError::Stuck { code: "claim", message: error.to_string() })?;
        Ok(Claimed {
            name: folder.to_vec(),
            facts: claim.facts,
            changed: more || files.len() != copies.len(),
            files,
            folder: id,
        })
    }

    fn clear(&self, link: &Link, name: &[u8], folder: &str) -> Result<WipeFacts> {
        let claimed: ClaimedFolder = serde_json::from_str(folder)
            .map_err(|error| PortError::Stuck { code: "claim", message: error.to_string() })?;
        let inbox = open(link)?;
        let report = match inbox.clear(OsStr::from_bytes(name), &claimed) {
            // Another folder has the name now: ours is gone, and that one is a delivery of its own.
            Err(InboxError::OtherFolder { .. }) => None,
            other => Some(other.map_err(|e| inbox_error(&e))?),
        };
        let left = report.as_ref().map_or(0, |r| r.left);
        if left > 0 {
            let message =
                format!("{left} things in a claimed delivery of '{}' cannot be removed", link.name);
            return Err(PortError::Later { code: "inbox-left", message });
        }
        let late = report.as_ref().map(|r| r.unknown).filter(|count| *count > 0);
        Ok(WipeFacts {
            files: report.as_ref().map_or(0, |r| r.overwritten + r.unlinked),
            bytes: report.as_ref().map_or(0, |r| r.bytes),
            assurance: crate::domain::certificate::Assurance::L0,
            filesystem: report.map(|r| r.report.ground.kind).unwrap_or_default(),
            notes: late.map(|count| ("late".to_owned(), count)).into_iter().collect(),
            report: None,
        })
    }

    fn broken_off(&self, link: &Link, folder: &[u8]) -> Result<Option<(u64, u64)>> {
        open(link)?.broken_off(OsStr::from_bytes(folder)).map_err(|e| inbox_error(&e))
    }

    fn discard(&self, link: &Link, folder: &[u8]) -> Result<WipeFacts> {
        let report = open(link)?.discard(OsStr::from_bytes(folder)).map_err(|e| inbox_error(&e))?;
        let left = report.as_ref().map_or(0, |report| report.left);
        if left > 0 {
            let message = format!(
                "{} things that a copy from a medium left in the inbox of '{}' cannot be removed",
                left, link.name
            );
            return Err(PortError::Later { code: "inbox-left", message });
        }
        Ok(WipeFacts {
            files: report.as_ref().map_or(0, |r| r.overwritten + r.unlinked),
            bytes: report.as_ref().map_or(0, |r| r.bytes),
            assurance: crate::domain::certificate::Assurance::L0,
            filesystem: report.map(|r| r.report.ground.kind).unwrap_or_default(),
            notes: BTreeMap::new(),
            report: None,
        })
    }

    fn keybox(&self, link: &Link) -> Result<Vec<KeyFile>> {
        let keybox = keys(link)?;
        let scan = keybox.scan().map_err(|e| keybox_error(&e))?;
        let mut files = Vec::with_capacity(scan.keys.len());
        for key in scan.keys {
            // A link or a folder in the place of a key is not opened, and keeps no other key from being taken.
            let read = match keybox.read(&key) {
                Err(KeyboxError::Unsafe { .. }) => continue,
                other => other.map_err(|e| keybox_error(&e))?,
            };
            if let Some(read) = read {
                files.push(KeyFile {
                    number: key.number,
                    form: form(key.form),
                    bytes: read.into_bytes(),
                });
            }
        }
        Ok(files)
    }

    fn left_in_keybox(&self, link: &Link) -> Result<usize> {
        Ok(keys(link)?.scan().map_err(|e| keybox_error(&e))?.left.len())
    }

    fn finish_keybox(&self, link: &Link) -> Result<()> {
        let keybox = keys(link)?;
        let left = keybox.scan().map_err(|e| keybox_error(&e))?.left;
        let ended = left.iter().map(|name| keybox.finish(name).map_err(|e| keybox_error(&e)));
        // Each is tried, and the first that failed is told.
        ended.fold(Ok(()), Result::and)
    }

    fn wipe_key_file(&self, link: &Link, number: &str, form: KeyForm, read: &Secret) -> Result<()> {
        let form = match form {
            KeyForm::Identity => keybox::KeyForm::Identity,
            KeyForm::Passphrase => keybox::KeyForm::Passphrase,
        };
        let key = keybox::KeyFile { number: number.to_owned(), form };
        keys(link)?.wipe(&key, read).map(|_| ()).map_err(|e| keybox_error(&e))
    }
}
