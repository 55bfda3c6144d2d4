//! The key store and age as the engine's ports.

use std::io::Read;

use super::described;
use crate::{
    adapters::{
        age_files::{self, DeliveryKey, OpenError},
        ahead::Ahead,
        files::FileError,
        keystore::{KeyStore, KeyStoreError, SlotState},
    },
    domain::{certificate, digest::Digest, entry::KeyForm, secret::Secret},
    engine::{
        health::Slots,
        ports::{Keys, OpenFault, Opener, PortError, Result, Signer},
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
        _ => PortError::Stuck { code: "key-store", message },
    }
}

/// The key store; shared by the ports that need it.
#[derive(Clone)]
pub(super) struct Store(pub(super) std::rc::Rc<std::cell::RefCell<KeyStore>>);

impl Store {
    /// How the store does.
    pub(super) fn slots(&self) -> Slots {
        let (live, destroyed, damaged) = self.0.borrow().counts();
        Slots { live, destroyed, damaged }
    }

    fn get(&self, name: &str) -> Result<Option<Secret>> {
        match self.0.borrow().state(name).map_err(|e| error(&e))? {
            SlotState::Live => self.0.borrow().get(name).map_err(|e| error(&e)),
            SlotState::Absent | SlotState::Destroyed { .. } => Ok(None),
        }
    }

    fn ensure(&self, name: &str, make: impl FnOnce() -> Result<Secret>) -> Result<Secret> {
        if let Some(live) = self.get(name)? {
            return Ok(live);
        }
        let secret = make()?;
        self.0.borrow_mut().put(name, &secret).map_err(|e| error(&e))?;
        Ok(secret)
    }
}

impl Keys for Store {
    fn put(&mut self, name: &str, secret: &Secret) -> Result<()> {
        self.0.borrow_mut().put(name, secret).map_err(|e| error(&e))
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
        self.0.borrow_mut().destroy(name, why).map(|_| ()).map_err(|e| error(&e))
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

/// age.
pub(super) struct Age;

impl Opener for Age {
    fn open(
        &self,
        file: Box<dyn Read + Send>,
        form: KeyForm,
        key: &Secret,
    ) -> std::result::Result<Box<dyn Read + Send>, OpenFault> {
        let key = match form {
            KeyForm::Identity => DeliveryKey::Identity(key.duplicate()),
            KeyForm::Passphrase => DeliveryKey::Passphrase(key.duplicate()),
        };
        // Both layers, ours and the provider's, are opened while what came out of them is checked and loaded.
        match age_files::open_delivery(file, &key) {
            Ok(plain) => Ok(Box::new(Ahead::new(Box::new(plain)))),
            Err(OpenError::NotAge) => Err(OpenFault::NotAge),
            Err(OpenError::WrongKey | OpenError::Key(_)) => Err(OpenFault::WrongKey),
            Err(OpenError::Damaged | OpenError::TooMuchWork { .. }) => Err(OpenFault::Damaged),
            Err(OpenError::Io(_)) => Err(OpenFault::Unreadable),
        }
    }

    fn is_damage(&self, error: &std::io::Error) -> bool {
        age_files::is_damage(error)
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
}
