//! Erasable store, spool, vaults and certificates as the engine's ports.

use std::path::{Path, PathBuf};

use super::{described, files::Wiper};
use crate::{
    adapters::{
        age_files,
        case_store::{CaseError, CaseStore},
        files::{self, FileError},
        fold_cache::{CacheError, FoldCache},
        vault::{self, Vault, VaultBuilder, VaultError, Window},
        vault_view::Sets,
        wipe,
    },
    domain::{
        digest::Digest,
        entry::WipeFacts,
        ids::{BatchId, CopyId, OrderId},
        limits,
        secret::Secret,
        view::View as Fold,
    },
    engine::ports::{
        Cases, Certificates, CopySize, Delivered, Flow, Folds, PortError, READING_OVER, Result,
        SealedVault, Spool, VaultBuild, VaultColumn, VaultRead, Vaults,
    },
};

/// The erasable store.
pub(super) struct CaseFiles {
    pub(super) store: CaseStore,
    pub(super) wiper: Wiper,
}

fn case_error(error: &CaseError) -> PortError {
    match error {
        CaseError::File(inner) => super::file(inner),
        _ => PortError::Stuck { code: "case", message: described(error) },
    }
}

impl Cases for CaseFiles {
    fn put(&mut self, batch: BatchId, record: &[u8], key: &Secret) -> Result<CopySize> {
        self.store.put(batch, record, key).map_err(|e| case_error(&e))?;
        Ok(CopySize { bytes: record.len() as u64, sha256: Digest::of(record) })
    }

    fn take(&self, batch: BatchId, key: &Secret) -> Result<Option<Vec<u8>>> {
        let record = self.store.get(batch, key).map_err(|e| case_error(&e))?;
        Ok(record.map(|bytes| bytes.to_vec()))
    }

    fn wipe(&mut self, batch: BatchId) -> Result<WipeFacts> {
        // A version that was being replaced when the process was stopped.
        wipe::discard(&self.store.aside(batch)).map_err(|e| super::file(&e))?;
        self.wiper.wipe(self.store.dir(), &CaseStore::name(batch))
    }
}

/// The spool.
pub(super) struct SpoolFiles {
    pub(super) dir: PathBuf,
    pub(super) wiper: Wiper,
}

/// The name of a claimed file.
pub(super) fn spool_name(copy: CopyId) -> String {
    format!("{copy}.age")
}

impl Spool for SpoolFiles {
    fn open(&self, copy: CopyId, identity: &Secret) -> Result<Box<dyn Delivered>> {
        let file = age_files::open_spool(&self.dir.join(spool_name(copy)), identity)
            .map_err(|e| PortError::Stuck { code: "spool", message: described(&e) })?;
        Ok(Box::new(file))
    }

    fn abandon(&self, copies: &[CopyId]) -> Result<()> {
        for copy in copies {
            let path = self.dir.join(spool_name(*copy));
            for path in [files::part_of(&path), path] {
                wipe::discard(&path).map_err(|e| super::file(&e))?;
            }
        }
        Ok(())
    }

    fn wipe(&self, copy: CopyId) -> Result<WipeFacts> {
        self.wiper.wipe(&self.dir, &spool_name(copy))
    }
}

/// The vaults.
#[derive(Clone)]
pub(super) struct VaultFiles {
    pub(super) dir: PathBuf,
    pub(super) wiper: Wiper,
}

impl VaultFiles {
    /// Whether the vault of a copy lies here, or its wipe here is noted and not recorded yet.
    pub(super) fn has(&self, copy: CopyId) -> bool {
        vault::path_of(&self.dir, copy).symlink_metadata().is_ok()
            || self.wiper.has_noted(&format!("{copy}.db"))
    }
}

fn vault_error(error: &VaultError) -> PortError {
    match error {
        VaultError::Full { .. } | VaultError::File(FileError::Full { .. }) => {
            PortError::Later { code: "disk-full", message: described(error) }
        }
        VaultError::Thread { .. } => {
            PortError::Later { code: "no-thread", message: described(error) }
        }
        VaultError::Over { .. } => {
            PortError::Stuck { code: READING_OVER, message: described(error) }
        }
        _ => PortError::Stuck { code: "vault", message: described(error) },
    }
}

struct Building {
    builder: VaultBuilder,
    key: Secret,
}

impl VaultBuild for Building {
    fn insert(&mut self, number: u64, removed: bool, values: &[String]) -> Result<()> {
        self.builder.insert(number, removed, values).map_err(|e| vault_error(&e))
    }

    fn seal(self: Box<Self>) -> Result<Box<dyn SealedVault>> {
        let sealed = self.builder.seal(&self.key).map_err(|e| vault_error(&e))?;
        Ok(Box::new(Sealed(sealed)))
    }
}

struct Sealed(vault::SealedVault);

impl SealedVault for Sealed {
    fn rows(&self) -> (u64, CopySize) {
        (self.0.rows(), CopySize { bytes: self.0.bytes(), sha256: Digest::of(&[]) })
    }

    fn place(self: Box<Self>) -> Result<()> {
        self.0.place().map_err(|e| vault_error(&e))
    }
}

impl Vaults for VaultFiles {
    fn build(
        &self,
        copy: CopyId,
        key: &Secret,
        columns: &[VaultColumn],
        _plain: bool,
    ) -> Result<Box<dyn VaultBuild>> {
        let columns: Vec<_> =
            columns.iter().map(|c| vault::Column { name: c.name.clone(), key: c.key }).collect();
        let builder =
            VaultBuilder::create(&self.dir, copy, key, &columns).map_err(|e| vault_error(&e))?;
        Ok(Box::new(Building { builder, key: key.duplicate() }))
    }

    fn abandon(&self, copy: CopyId) -> Result<()> {
        vault::abandon(&self.dir, copy).map_err(|e| vault_error(&e))
    }

    fn wipe(&self, copy: CopyId) -> Result<WipeFacts> {
        self.wiper.wipe(&self.dir, &format!("{copy}.db"))
    }

    fn may_be_plain(&self) -> bool {
        false
    }

    fn read(&self, read: &VaultRead<'_>, each: &mut dyn FnMut(&[String]) -> Flow) -> Result<()> {
        let window = Window::of(read.remaining);
        let opened: std::result::Result<Vec<Vault>, VaultError> =
            read.vaults.iter().map(|v| Vault::open(&self.dir, v.copy, &v.key, window)).collect();
        let vaults = opened.map_err(|e| vault_error(&e))?;
        let (key, columns, sets, single) = (read.key, read.columns, read.sets, read.single);
        let sets = Sets { vaults: &vaults, key, columns, sets, single };
        sets.read(&mut |values| each(values) == Flow::On).map_err(|e| vault_error(&e))
    }
}

/// Certificates.
pub(super) struct CertificateFiles(pub(super) PathBuf);

impl CertificateFiles {
    fn path(&self, order: OrderId) -> PathBuf {
        self.0.join(format!("{order}.json"))
    }
}

impl Certificates for CertificateFiles {
    fn put(&mut self, order: OrderId, bytes: &[u8]) -> Result<()> {
        files::create_idempotent(&self.path(order), bytes, "certificate")
            .map_err(|e| super::file(&e))
    }

    fn take(&self, order: OrderId) -> Result<Option<Vec<u8>>> {
        match files::read(&self.path(order), limits::DELIVERY_BYTES_MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(super::file(&error)),
        }
    }
}

/// The cache of the fold.
pub(super) struct Folded(pub(super) FoldCache);

impl Folds for Folded {
    fn take(&self, key: &Secret) -> Option<(Fold, Digest)> {
        self.0.take(key)
    }

    fn put(&mut self, view: &Fold, root: Digest, key: &Secret) -> Result<()> {
        self.0.put(view, root, key).map_err(|error| match &error {
            CacheError::File(inner) => super::file(inner),
            CacheError::Kept(_) => PortError::Stuck { code: "journal", message: described(&error) },
        })
    }
}

/// The folders of the state that ports write in.
pub(super) fn folders(state: &Path) -> Vec<PathBuf> {
    ["keys", "cases", "spool", "vault", "register", "access", "certificates", "config", "wipes"]
        .into_iter()
        .map(|name| state.join(name))
        .collect()
}
