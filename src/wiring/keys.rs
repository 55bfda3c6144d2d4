//! The key store and age as the engine's ports.

use std::{cell::RefCell, io::Read, path::PathBuf, rc::Rc};

use super::{described, files::KEYS_NOTE};
use crate::{
    adapters::{
        age_files::{self, DeliveryKey, OpenError},
        ahead::Ahead,
        archive::{self, ArchiveError},
        files::{self, FileError},
        keystore::{Destruction, KeyStore, KeyStoreError, Rotation, SlotState},
        root_key::RootKeySource,
        wipe::{self, InPlace},
    },
    config::{Agent, backups::Backups},
    domain::{certificate, digest::Digest, entry::KeyForm, secret::Secret, wipe::Limit},
    engine::{
        health::Slots,
        ports::{Delivered, Keys, Lock, OpenFault, Opener, Plain, PortError, Result, Signer},
        slots,
    },
};

/// Bytes of a random key.
const KEY_BYTES: usize = 32;

pub(super) fn error(error: &KeyStoreError) -> PortError {
    let message = described(error);
    match error {
        KeyStoreError::Full { .. } | KeyStoreError::File(FileError::Full { .. }) => {
            PortError::Later { code: "disk-full", message }
        }
        KeyStoreError::Destroyed { .. } => PortError::Stuck { code: "key-destroyed", message },
        _ => PortError::Stuck { code: "key-store", message },
    }
}

/// The files of the key store.
const FILES: [&str; 2] = ["slots.a", "slots.b"];
/// Bytes of that note.
const NOTE_BYTES_MAX: u64 = 64 << 20;

/// The key store; shared by the ports that need it.
#[derive(Clone)]
pub(super) struct Store {
    store: Rc<RefCell<KeyStore>>,
    state: PathBuf,
    /// What is known beforehand against a destroyed key being gone for good.
    caps: Vec<Limit>,
}

impl Store {
    pub(super) fn new(store: KeyStore, agent: &Agent) -> Self {
        let root = matches!(agent.root_key, RootKeySource::File(_)).then_some(Limit::RootKeyFile);
        let backups = match &agent.backups {
            Backups::None => None,
            Backups::Unstated => Some(Limit::BackupsUnstated),
            Backups::Named(_) => Some(Limit::Backups),
        };
        Self {
            store: Rc::new(RefCell::new(store)),
            state: agent.state.clone(),
            caps: root.into_iter().chain(backups).collect(),
        }
    }

    /// Where the files lay before the slot `name` was destroyed, which is not recorded yet: a stop, or a failure, may
    /// lie between.
    fn lay(&self, name: &str) -> Result<InPlace> {
        let note = self.state.join("wipes").join(format!("{KEYS_NOTE}{name}"));
        let dir = self.state.join("keys");
        match files::read(&note, NOTE_BYTES_MAX) {
            Ok(bytes) => {
                if let Ok(noted) = serde_json::from_slice(&bytes) {
                    return Ok(noted);
                }
            }
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(super::file(&error)),
        }
        let now = InPlace::look(&dir, &FILES).map_err(|e| super::files::failed(&e))?;
        let bytes = serde_json::to_vec(&now)
            .map_err(|e| PortError::Stuck { code: "key-store", message: e.to_string() })?;
        files::replace(&note, &bytes, "wipe-note").map_err(|e| super::file(&e))?;
        Ok(now)
    }

    /// How the store does.
    pub(super) fn slots(&self) -> Slots {
        let (live, destroyed, damaged) = self.store.borrow().counts();
        Slots { live, destroyed, damaged }
    }

    fn get(&self, name: &str) -> Result<Option<Secret>> {
        match self.store.borrow().state(name).map_err(|e| error(&e))? {
            SlotState::Live => self.store.borrow().get(name).map_err(|e| error(&e)),
            SlotState::Absent | SlotState::Destroyed { .. } => Ok(None),
        }
    }

    fn ensure(&self, name: &str, make: impl FnOnce() -> Result<Secret>) -> Result<Secret> {
        if let Some(live) = self.get(name)? {
            return Ok(live);
        }
        let secret = make()?;
        self.store.borrow_mut().put(name, &secret).map_err(|e| error(&e))?;
        Ok(secret)
    }
}

impl Keys for Store {
    fn put(&mut self, name: &str, secret: &Secret) -> Result<()> {
        self.store.borrow_mut().put(name, secret).map_err(|e| error(&e))
    }

    fn ensure_random(&mut self, name: &str) -> Result<Secret> {
        self.ensure(name, || {
            crate::adapters::entropy::random_secret(KEY_BYTES)
                .map_err(|e| PortError::Stuck { code: "entropy", message: described(&e) })
        })
    }

    fn ensure_identity(&mut self, name: &str) -> Result<Secret> {
        self.ensure(name, || Ok(age_files::new_identity()))
    }

    fn live(&self, name: &str) -> Result<Option<Secret>> {
        self.get(name)
    }

    fn destroy(&mut self, name: &str, why: &str) -> Result<()> {
        // Absent and destroyed before are both done: a repeat after a stop finds them so.
        self.store.borrow_mut().destroy(name, why).map(|_| ()).map_err(|e| error(&e))
    }

    fn erase(&mut self, name: &str, why: &str) -> Result<Vec<Limit>> {
        let before = self.lay(name)?;
        let mut store = self.store.borrow_mut();
        let absent = store.destroy(name, why).map_err(|e| error(&e))? == Destruction::Absent;
        let rotation = store.rotate().map_err(|e| error(&e))?;
        let mut limits = self.caps.clone();
        if rotation == Rotation::Held {
            limits.push(Limit::OldKeyKept);
        }
        if absent {
            limits.push(Limit::NoKeyDestroyed);
        }
        let dir = self.state.join("keys");
        let own = before.limits_since(&dir, &FILES).map_err(|e| super::files::failed(&e))?;
        if !own.is_empty() {
            limits.push(Limit::KeyStore);
        }
        Ok(limits)
    }

    fn foresee(&self) -> Vec<Limit> {
        let mut limits = self.caps.clone();
        let place = wipe::foresee(&self.state.join("keys"));
        // It is overwritten in place and never given back.
        if place.iter().any(|limit| *limit != Limit::NotTrimmed) {
            limits.push(Limit::KeyStore);
        }
        limits
    }
}

impl Signer for Store {
    fn sign(&self, namespace: &str, message: &[u8]) -> Result<String> {
        let stuck = |message: String| PortError::Stuck { code: "register-key", message };
        let seed = self
            .get(slots::REGISTER)?
            .ok_or_else(|| stuck("the register key is not in the key store".to_owned()))?;
        certificate::sign(&seed, namespace, message).map_err(|e| stuck(described(&e)))
    }
}

/// The plaintext of what holds one file.
struct One(Ahead);

impl Read for One {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(to)
    }
}

impl Plain for One {
    fn next_file(&mut self) -> std::io::Result<bool> {
        Ok(false)
    }
}

/// age, and archives.
pub(super) struct Age;

impl Opener for Age {
    fn open(
        &self,
        file: Box<dyn Delivered>,
        lock: &Lock<'_>,
    ) -> std::result::Result<Box<dyn Plain>, OpenFault> {
        let key = match lock {
            Lock::Age(KeyForm::Identity, key) => DeliveryKey::Identity(key.duplicate()),
            Lock::Age(KeyForm::Passphrase, key) => DeliveryKey::Passphrase(key.duplicate()),
            Lock::Archive(container, passphrase, rounds) => {
                return archive::open_within(file, *container, passphrase, rounds).map_err(
                    |error| match error {
                        ArchiveError::Fault(fault) => fault,
                        ArchiveError::Io(_) => OpenFault::Unreadable,
                    },
                );
            }
            Lock::None => return Ok(Box::new(One(Ahead::new(Box::new(file))))),
        };
        // Both layers, ours and the provider's, are opened while what came out of them is checked and loaded.
        match age_files::open_delivery(file, &key) {
            Ok(plain) => Ok(Box::new(One(Ahead::new(Box::new(plain))))),
            Err(OpenError::NotAge) => Err(OpenFault::NotAge),
            Err(OpenError::WrongKey | OpenError::Key(_)) => Err(OpenFault::WrongKey),
            Err(OpenError::Damaged | OpenError::TooMuchWork { .. }) => Err(OpenFault::Damaged),
            Err(OpenError::Io(_)) => Err(OpenFault::Unreadable),
        }
    }

    fn fault(&self, error: &std::io::Error) -> Option<OpenFault> {
        if age_files::is_damage(error) {
            return Some(OpenFault::Damaged);
        }
        archive::fault_of(error)
    }

    fn parse_key(&self, form: KeyForm, bytes: &Secret) -> Option<(Secret, Option<Digest>)> {
        let key = match form {
            KeyForm::Identity => DeliveryKey::parse_identity(bytes),
            KeyForm::Passphrase => DeliveryKey::parse_passphrase(bytes),
        }
        .ok()?;
        let fingerprint = key.fingerprint();
        match key {
            DeliveryKey::Identity(secret) | DeliveryKey::Passphrase(secret) => {
                (secret.expose().len() <= crate::domain::limits::SECRET_BYTES_MAX)
                    .then_some((secret, fingerprint))
            }
        }
    }

    fn recipient(&self, identity: &Secret) -> Option<String> {
        age_files::recipient_of(identity).ok()
    }

    fn seal(&self, recipient: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        age_files::seal(recipient, bytes)
            .map_err(|e| PortError::Stuck { code: "seal", message: described(&e) })
    }

    fn unseal(&self, identity: &Secret, sealed: &[u8]) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        age_files::unseal(identity, sealed).ok()
    }
}
