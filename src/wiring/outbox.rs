//! Outboxes as the engine's port.

use std::path::PathBuf;

use super::described;
use crate::{
    adapters::{
        age_files::{SpoolError, SpoolWriter},
        files::{self, FileError},
        outbox::{self, Outbox, OutboxError},
    },
    domain::{digest::Digest, handover::DATA_NAME},
    engine::ports::{CopySize, PackageEnd, PackageFile, PackagePlace, Packages, PortError, Result},
};

/// Outboxes; notes lie in a folder of the state.
pub(super) struct Outboxes {
    pub(super) notes: PathBuf,
}

fn error(error: &OutboxError) -> PortError {
    let message = described(error);
    match error {
        OutboxError::Exists { .. } => PortError::Stuck { code: "package-exists", message },
        OutboxError::Beside { .. } => PortError::Stuck { code: "key-beside-data", message },
        OutboxError::File(inner) | OutboxError::Seal(SpoolError::File(inner)) => super::file(inner),
        OutboxError::Seal(_) => PortError::Stuck { code: "package", message },
    }
}

impl Outboxes {
    fn of<'a>(&'a self, place: &'a PackagePlace) -> Outbox<'a> {
        Outbox {
            number: &place.number,
            outbox: &place.outbox,
            keys: place.keys.as_deref(),
            notes: &self.notes,
        }
    }
}

/// A data file on its way.
struct Data {
    writer: SpoolWriter,
    path: PathBuf,
}

impl PackageFile for Data {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer.write(bytes).map_err(|e| super::file(&e))
    }

    fn finish(self: Box<Self>) -> Result<CopySize> {
        let path = self.writer.finish().map_err(|e| super::file(&e))?;
        let read = files::open_regular(&path).and_then(|file| {
            let io = |source| FileError::Io { doing: "read", path: self.path.clone(), source };
            let bytes = file.metadata().map_err(io)?.len();
            let io = |source| FileError::Io { doing: "read", path: self.path.clone(), source };
            Ok(CopySize { bytes, sha256: Digest::of_reader(file).map_err(io)? })
        });
        read.map_err(|e| super::file(&e))
    }
}

impl Packages for Outboxes {
    fn begin(&self, place: &PackagePlace, recipient: &str) -> Result<Box<dyn PackageFile>> {
        let writer = self.of(place).begin(recipient).map_err(|e| error(&e))?;
        Ok(Box::new(Data { writer, path: place.outbox.join(DATA_NAME) }))
    }

    fn noted(&self, place: &PackagePlace) -> Result<Option<Vec<u8>>> {
        self.of(place).noted().map_err(|e| error(&e))
    }

    fn end(&self, place: &PackagePlace, end: &PackageEnd<'_>) -> Result<()> {
        let key = end.key.map(|key| key.expose());
        self.of(place).end(end.manifest, end.signature, key, end.note).map_err(|e| error(&e))
    }

    fn put(&self, place: &PackagePlace) -> Result<()> {
        self.of(place).put().map_err(|e| error(&e))
    }

    fn abandon(&self, place: &PackagePlace) -> Result<()> {
        self.of(place).abandon().map_err(|e| error(&e))
    }

    fn taken(&self, place: &PackagePlace) -> Result<()> {
        self.of(place).taken().map_err(|e| error(&e))
    }

    fn forget(&self, number: &str) -> Result<()> {
        outbox::forget(&self.notes, number).map_err(|e| error(&e))
    }
}
