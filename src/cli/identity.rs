//! Who is at the keyboard: a unix user, or an account that signs each command with its SSH key.

use std::path::Path;

use crate::{
    adapters::entropy,
    domain::{
        entry::Signed,
        secret::Secret,
        signed::{Asked, SignedText},
        sshsig,
        time::Timestamp,
    },
    error::{Error, Exit},
    service::{Caller, Draft, Result},
};

/// Seconds that a signature made at the command line is valid: it is used at once.
const VALID_SECONDS: i64 = 300;

/// An account's name and its private key.
pub(super) struct Identity {
    name: String,
    key: Option<sshsig::SigningKey>,
}

impl Identity {
    /// Reads `--as` and `--sign-with`.
    pub(super) fn read(name: Option<&str>, key: Option<&Path>) -> Result<Self> {
        let (name, path) = match (name, key) {
            (Some(name), Some(path)) => (name, path),
            (None, Some(_)) => {
                return Err(Error::usage(format!("this is missing: {}", "--as <NAME>"))
                    .hint("'--help' after the word shows what it takes"));
            }
            _ => return Ok(Self { name: String::new(), key: None }),
        };
        let text = std::fs::read(path).map_err(|error| {
            Error::new(Exit::Unavailable, format!("'{}': {error}", path.display()))
        })?;
        let key = sshsig::SigningKey::parse(&Secret::new(text), None).map_err(|fault| {
            Error::new(Exit::Data, format!("'{}' cannot sign: {fault}", path.display()))
                .hint("an OpenSSH private key without passphrase is needed here")
        })?;
        Ok(Self { name: name.to_owned(), key: Some(key) })
    }

    /// Whether commands are signed.
    pub(super) const fn signs(&self) -> bool {
        self.key.is_some()
    }

    /// The unix user at the keyboard.
    pub(super) fn user() -> Caller {
        Caller::User { uid: rustix::process::getuid().as_raw() }
    }

    /// The caller of a command: signs its draft, or names the user.
    pub(super) fn caller(&self, draft: &Draft, now: Timestamp) -> Result<Caller> {
        let Some(key) = &self.key else {
            return Ok(Self::user());
        };
        let mut nonce = [0; 16];
        entropy::fill(&mut nonce).map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
        let asked = Asked {
            origin: &draft.origin,
            command: &draft.command,
            object: &draft.object,
            object_digest: Some(draft.object_digest),
        };
        let failed = |why: String| {
            Error::new(Exit::Failed, format!("the command could not be signed: {why}"))
        };
        let text =
            SignedText::new(&asked, &draft.text, nonce, now, now.plus_seconds(VALID_SECONDS))
                .map_err(|fault| failed(fault.to_string()))?
                .canonical();
        let signature = key
            .sign(draft.namespace, text.as_bytes())
            .map_err(|fault| failed(fault.to_string()))?;
        Ok(Caller::Signer {
            name: self.name.clone(),
            signed: Signed { text, signature, key: key.public().fingerprint() },
            uid: Some(rustix::process::getuid().as_raw()),
        })
    }
}
