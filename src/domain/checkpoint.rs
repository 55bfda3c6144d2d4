//! Checkpoints: C2SP signed notes over a log's size and root, with Ed25519.
//!
//! Signing the same size twice gives the same bytes (RFC 8032 signatures are deterministic), so that a certificate
//! can be issued twice. Signatures by unknown keys are passed over, as the note format wants.

use data_encoding::BASE64;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use super::{digest::Digest, merkle::Hash, secret::Secret};

/// Algorithm byte of Ed25519 in a verifier key (C2SP signed-note).
const ED25519: u8 = 1;

/// A log's size and root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log: `batchward/<site>` or `batchward/<site>/access`.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Root.
    pub root: Hash,
}

/// Why a note or key is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a verifier key.
    #[error("not a verifier key of the form name+hash+key")]
    Key,
    /// Not a signed note with a checkpoint in it.
    #[error("not a signed checkpoint")]
    Form,
    /// No line by this key, or one that does not verify.
    #[error("the checkpoint is not signed by this key")]
    Signature,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.as_bytes()))
    }

    /// Reads the text that was signed; further lines are extensions and passed over.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn parse(body: &str) -> Result<Self, NoteError> {
        let mut lines = body.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(NoteError::Form);
        let origin = line()?.to_owned();
        let digits = line()?;
        let size: u64 = digits.parse().map_err(|_| NoteError::Form)?;
        let root = BASE64.decode(line()?.as_bytes()).map_err(|_| NoteError::Form)?;
        let root = Digest::from_bytes(root.try_into().map_err(|_| NoteError::Form)?);
        // One spelling of a number only.
        if size.to_string() != digits {
            Err(NoteError::Form)
        } else {
            Ok(Self { origin, size, root })
        }
    }
}

/// The register key, with the name that its signatures bear.
pub struct RegisterKey {
    key: SigningKey,
    name: String,
}

impl RegisterKey {
    /// From 32 secret bytes. Nothing for another length.
    #[must_use]
    pub fn from_secret(secret: &Secret, name: &str) -> Option<Self> {
        let bytes: &[u8; 32] = secret.expose().try_into().ok()?;
        Some(Self { key: SigningKey::from_bytes(bytes), name: name.to_owned() })
    }

    /// The verifier key, `name+hash+key`.
    #[must_use]
    pub fn vkey(&self) -> String {
        let verifier = VerifierKey { name: self.name.clone(), key: self.key.verifying_key() };
        verifier.to_string()
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let body = checkpoint.body();
        let verifier = VerifierKey { name: self.name.clone(), key: self.key.verifying_key() };
        let mut line = verifier.hash().to_vec();
        line.extend_from_slice(&self.key.sign(body.as_bytes()).to_bytes());
        format!("{body}\n\u{2014} {} {}\n", self.name, BASE64.encode(&line))
    }
}

/// The public half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Reads `name+hash+key`.
    ///
    /// # Errors
    /// [`NoteError::Key`].
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        let (name, rest) = vkey.trim_end_matches('\n').split_once('+').ok_or(NoteError::Key)?;
        let (hash, key) = rest.split_once('+').ok_or(NoteError::Key)?;
        let key = BASE64.decode(key.as_bytes()).map_err(|_| NoteError::Key)?;
        let Some((&ED25519, key)) = key.split_first() else { return Err(NoteError::Key) };
        let key = VerifyingKey::from_bytes(key.try_into().map_err(|_| NoteError::Key)?)
            .map_err(|_| NoteError::Key)?;
        let parsed = Self { name: name.to_owned(), key };
        let named = !name.is_empty() && !name.contains(char::is_whitespace);
        let hash_is_right = data_encoding::HEXLOWER.encode(&parsed.hash()) == hash;
        if named && hash_is_right { Ok(parsed) } else { Err(NoteError::Key) }
    }

    /// The same key in OpenSSH form, without comment.
    #[must_use]
    pub fn ssh_key(&self) -> String {
        const NAME: &[u8] = b"ssh-ed25519";
        let mut blob = Vec::with_capacity(51);
        for part in [NAME, self.key.as_bytes()] {
            blob.extend_from_slice(&u32::try_from(part.len()).unwrap_or(0).to_be_bytes());
            blob.extend_from_slice(part);
        }
        format!("ssh-ed25519 {}", BASE64.encode(&blob))
    }

    /// The name that signatures by this key bear.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256(name || 0x0A || 0x01 || key) (C2SP signed-note).
    fn hash(&self) -> [u8; 4] {
        let mut bytes = self.name.as_bytes().to_vec();
        bytes.extend_from_slice(&[b'\n', ED25519]);
        bytes.extend_from_slice(self.key.as_bytes());
        let digest = Digest::of(&bytes);
        let [a, b, c, d, ..] = *digest.as_bytes();
        [a, b, c, d]
    }

    /// The checkpoint of a note that this key signed.
    ///
    /// # Errors
    /// Not a note, or not signed by this key.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let split = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (body, signatures) = (&note[..=split], &note[split + 2..]);
        for line in signatures.lines() {
            let line = line.strip_prefix("\u{2014} ").ok_or(NoteError::Form)?;
            let (name, blob) = line.split_once(' ').ok_or(NoteError::Form)?;
            let blob = BASE64.decode(blob.as_bytes()).map_err(|_| NoteError::Form)?;
            let Some(signature) = blob.strip_prefix(&self.hash()).filter(|_| name == self.name)
            else {
                continue;
            };
            let signature = signature.try_into().map_err(|_| NoteError::Form)?;
            self.key
                .verify_strict(body.as_bytes(), &signature)
                .map_err(|_| NoteError::Signature)?;
            return Checkpoint::parse(body);
        }
        Err(NoteError::Signature)
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        let hash = data_encoding::HEXLOWER.encode(&self.hash());
        write!(f, "{}+{hash}+{}", self.name, BASE64.encode(&key))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn key() -> RegisterKey {
        RegisterKey::from_secret(&Secret::new(vec![7; 32]), "batchward/test").unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "batchward/test".to_owned(), size: 12, root: Digest::of(b"root") }
    }

    #[test]
    fn a_note_opens_under_its_key_and_says_the_same_each_time() {
        let note = key().sign(&checkpoint());
        assert_eq!(note, key().sign(&checkpoint()));
        let verifier = VerifierKey::parse(&key().vkey()).unwrap();
        assert_eq!(verifier.open(&note), Ok(checkpoint()));
    }

    #[test]
    fn a_flipped_byte_anywhere_is_refused() {
        let note = key().sign(&checkpoint());
        let verifier = VerifierKey::parse(&key().vkey()).unwrap();
        for at in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert!(verifier.open(&text).is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_verifier_key_of_the_note_format_is_read() {
        // Published with Go's sumdb/note.
        let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let parsed = VerifierKey::parse(vkey).unwrap();
        assert_eq!((parsed.name(), parsed.to_string().as_str()), ("PeterNeumann", vkey));
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        // The signature is good; the text is no checkpoint.
        assert_eq!(parsed.open(note), Err(NoteError::Form));
        assert_eq!(parsed.open(&note.replace("answer", "Answer")), Err(NoteError::Signature));
    }
}
