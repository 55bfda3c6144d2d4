//! Checkpoints: C2SP signed notes over a log's size and root, with Ed25519.
//!
//! Signing the same size twice gives the same bytes (RFC 8032 signatures are deterministic), so that a certificate
//! can be issued twice. One key signs both logs, each under its own origin as key name (C2SP tlog-checkpoint), so
//! that neither's checkpoint passes for the other's. Signatures by unknown keys are passed over, as the note format
//! wants. What a checkpoint is worth without a witness is not judged here.

use data_encoding::BASE64;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use super::{
    digest::Digest,
    merkle::Hash,
    secret::Secret,
    sshsig::{self, KeyFault, SigFault},
};

/// Namespace of the register key's SSHSIG under a checkpoint's text (DESIGN 5).
pub const NAMESPACE: &str = "batchward-checkpoint";
/// What else this key signs, for the list of signers that stands beside the checkpoint.
const NAMESPACES: &str = "batchward-checkpoint,batchward-receipt,batchward-certificate";

/// Algorithm byte of Ed25519 in a verifier key (C2SP signed-note).
const ED25519: u8 = 1;
/// Bytes of a note with all its signatures: room for far more than the 16 that every reader must take.
const NOTE_BYTES_MAX: usize = 1 << 16;

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
    /// Signed by this key, about another log than the one that the key is named by.
    #[error("the checkpoint is another log's")]
    Origin,
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
        let mut lines = body.strip_suffix('\n').ok_or(NoteError::Form)?.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(NoteError::Form);
        let origin = line()?.to_owned();
        let digits = line()?;
        let size: u64 = digits.parse().map_err(|_| NoteError::Form)?;
        let root = BASE64.decode(line()?.as_bytes()).map_err(|_| NoteError::Form)?;
        let root = Digest::from_bytes(root.try_into().map_err(|_| NoteError::Form)?);
        // One spelling of a number only, and no empty line among extensions.
        if size.to_string() != digits || lines.any(str::is_empty) {
            Err(NoteError::Form)
        } else {
            Ok(Self { origin, size, root })
        }
    }
}

/// The register key, with the origin of the register as its name.
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
        self.verifier(&self.name).to_string()
    }

    /// The verifier key of another log that this key signs: the log's origin is the name in it.
    #[must_use]
    pub fn vkey_of(&self, origin: &str) -> String {
        self.verifier(origin).to_string()
    }

    /// The signed note, under the checkpoint's origin as key name.
    #[must_use]
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        self.note(&checkpoint.origin, &checkpoint.body())
    }

    /// The same text as an armored SSHSIG, for `ssh-keygen -Y verify`; the same bytes each time.
    ///
    /// # Errors
    /// [`KeyFault`] where the key cannot be put in OpenSSH's form.
    pub fn sshsig(&self, checkpoint: &Checkpoint) -> Result<String, KeyFault> {
        let seed = Secret::new(self.key.to_bytes().to_vec());
        sshsig::SigningKey::from_seed(&seed)?.sign(NAMESPACE, checkpoint.body().as_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn verifier_of(&self, origin: &str) -> VerifierKey {
        self.verifier(origin)
    }

    fn note(&self, name: &str, body: &str) -> String {
        let mut line = self.verifier(name).hash().to_vec();
        line.extend_from_slice(&self.key.sign(body.as_bytes()).to_bytes());
        format!("{body}\n\u{2014} {name} {}\n", BASE64.encode(&line))
    }

    fn verifier(&self, name: &str) -> VerifierKey {
        VerifierKey { name: name.to_owned(), key: self.key.verifying_key() }
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
        let vkey = vkey.strip_suffix('\n').unwrap_or(vkey);
        let (name, rest) = vkey.split_once('+').ok_or(NoteError::Key)?;
        let (hash, key) = rest.split_once('+').ok_or(NoteError::Key)?;
        let key = BASE64.decode(key.as_bytes()).map_err(|_| NoteError::Key)?;
        let Some((&ED25519, key)) = key.split_first() else { return Err(NoteError::Key) };
        let key = VerifyingKey::from_bytes(key.try_into().map_err(|_| NoteError::Key)?)
            .map_err(|_| NoteError::Key)?;
        let parsed = Self { name: name.to_owned(), key };
        let named = is_key_name(name);
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

    /// A line of an `allowed_signers` file: who trusts this key takes it over, and verifies with `ssh-keygen`.
    #[must_use]
    pub fn allowed_signer(&self) -> String {
        format!("{} namespaces=\"{NAMESPACES}\" {}\n", self.name, self.ssh_key())
    }

    /// Whether this key made an armored SSHSIG of a checkpoint.
    ///
    /// # Errors
    /// [`SigFault`]; another key's is [`SigFault::OtherBytes`].
    pub fn check_sshsig(&self, armored: &[u8], checkpoint: &Checkpoint) -> Result<(), SigFault> {
        let by = sshsig::verify(armored, checkpoint.body().as_bytes(), NAMESPACE)?;
        if by.text() == self.ssh_key() { Ok(()) } else { Err(SigFault::OtherBytes) }
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The name that signatures by this key bear.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same key as the verifier of another log: its hash is another, for the name is in it.
    #[must_use]
    pub fn named(&self, origin: &str) -> Self {
        Self { name: origin.to_owned(), key: self.key }
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

    /// The checkpoint of a note that this key signed, of the log that the key is named by.
    ///
    /// # Errors
    /// Not a note, not signed by this key, or another log's.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let checkpoint = Checkpoint::parse(self.open_note(note)?)?;
        if checkpoint.origin == self.name { Ok(checkpoint) } else { Err(NoteError::Origin) }
    }

    /// The text of a note that this key signed. Every line by this key must hold, and there must be one.
    fn open_note<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let note = Signed::parse(note)?;
        let mut signed = false;
        for (name, blob) in &note.lines {
            let Some(signature) = blob.strip_prefix(&self.hash()).filter(|_| *name == self.name)
            else {
                continue;
            };
            let signature = signature.try_into().map_err(|_| NoteError::Form)?;
            self.key
                .verify_strict(note.text.as_bytes(), &signature)
                .map_err(|_| NoteError::Signature)?;
            signed = true;
        }
        if signed { Ok(note.text) } else { Err(NoteError::Signature) }
    }
}

/// A note, taken apart: its text, and who is said to have signed it. Nothing of it is verified.
pub(super) struct Signed<'n> {
    /// The text, up to its last line feed.
    pub(super) text: &'n str,
    /// Name, and key hash with signature.
    pub(super) lines: Vec<(&'n str, Vec<u8>)>,
}

impl<'n> Signed<'n> {
    pub(super) fn parse(note: &'n str) -> Result<Self, NoteError> {
        let control = |b: u8| b < 0x20 && b != b'\n';
        if note.len() > NOTE_BYTES_MAX || note.bytes().any(control) {
            return Err(NoteError::Form);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        let mut lines = Vec::new();
        for line in signatures.strip_suffix('\n').ok_or(NoteError::Form)?.split('\n') {
            let line = line.strip_prefix("\u{2014} ").ok_or(NoteError::Form)?;
            let (name, blob) = line.split_once(' ').ok_or(NoteError::Form)?;
            let blob = BASE64.decode(blob.as_bytes()).map_err(|_| NoteError::Form)?;
            if !is_key_name(name) || blob.len() < 5 {
                return Err(NoteError::Form);
            }
            lines.push((name, blob));
        }
        Ok(Self { text, lines })
    }
}

/// A key name has neither spaces nor a plus sign (C2SP signed-note).
pub(super) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
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

    /// The example of Go's sumdb/note, whose documentation prints the private key too.
    #[test]
    fn the_example_of_the_note_format_is_met_byte_for_byte() {
        let seed = BASE64.decode(b"gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM=").unwrap();
        let key = RegisterKey::from_secret(&Secret::new(seed), "PeterNeumann").unwrap();
        let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert_eq!(key.vkey(), vkey);
        let parsed = VerifierKey::parse(vkey).unwrap();
        assert_eq!((parsed.name(), parsed.to_string().as_str()), ("PeterNeumann", vkey));
        let text = "If you think cryptography is the answer to your problem,\n\
             then you don't know what your problem is.\n";
        let note = format!(
            "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgK\
             vqfqdngotpRZb6KE6RyyBwJnAM=\n"
        );
        assert_eq!(key.note("PeterNeumann", text), note);
        assert_eq!(parsed.open_note(&note), Ok(text));
        // The signature is good; the text is no checkpoint.
        assert_eq!(parsed.open(&note), Err(NoteError::Form));
        assert_eq!(parsed.open(&note.replace("answer", "Answer")), Err(NoteError::Signature));
    }

    #[test]
    fn the_key_hash_of_a_known_log_is_met() {
        let vkey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        assert_eq!(VerifierKey::parse(vkey).unwrap().to_string(), vkey);
    }

    #[test]
    fn a_note_that_is_cut_or_ends_its_lines_otherwise_is_refused() {
        let note = key().sign(&checkpoint());
        let verifier = VerifierKey::parse(&key().vkey()).unwrap();
        for cut in 0..note.len() {
            let Some(text) = note.get(..cut) else { continue };
            assert!(verifier.open(text).is_err(), "cut at {cut}");
        }
        for bent in [note.replace('\n', "\r\n"), format!("{note}\n"), format!("{note}x\n")] {
            assert!(verifier.open(&bent).is_err(), "{bent:?}");
        }
    }

    #[test]
    fn one_key_signs_two_logs_and_neither_passes_for_the_other() {
        let access = Checkpoint { origin: "batchward/test/access".to_owned(), ..checkpoint() };
        let note = key().sign(&access);
        let register = VerifierKey::parse(&key().vkey()).unwrap();
        assert_eq!(register.open(&note), Err(NoteError::Signature));
        assert_eq!(register.named(&access.origin).open(&note), Ok(access.clone()));
        assert_eq!(register.named(&access.origin).to_string(), key().vkey_of(&access.origin));
        // Under the register's name, but about the other log.
        let crossed = key().note("batchward/test", &access.body());
        assert_eq!(register.open(&crossed), Err(NoteError::Origin));
    }

    #[test]
    fn cosignatures_are_passed_over_and_do_not_stand_in() {
        let witness = RegisterKey::from_secret(&Secret::new(vec![9; 32]), "witness").unwrap();
        let cosigned = witness.note("witness", &checkpoint().body());
        let both =
            format!("{}{}", key().sign(&checkpoint()), cosigned.rsplit_once("\n\n").unwrap().1);
        let verifier = VerifierKey::parse(&key().vkey()).unwrap();
        assert_eq!(verifier.open(&both), Ok(checkpoint()));
        assert_eq!(verifier.open(&cosigned), Err(NoteError::Signature));
    }

    #[test]
    fn checkpoints_have_one_form() {
        let root = BASE64.encode(checkpoint().root.as_bytes());
        for (body, good) in [
            (format!("o\n0\n{root}\n"), true),
            (format!("o\n10\n{root}\nextension\n"), true),
            (format!("o\n010\n{root}\n"), false),
            (format!("o\n+1\n{root}\n"), false),
            (format!("o\n\n{root}\n"), false),
            (format!("o\n18446744073709551616\n{root}\n"), false),
            (format!("o\n1\n{root}\n\n"), false),
            ("o\n1\nAAAA\n".to_owned(), false),
            ("o\n1\n".to_owned(), false),
        ] {
            assert_eq!(Checkpoint::parse(&body).is_ok(), good, "{body:?}");
        }
    }

    #[test]
    fn bad_verifier_keys_are_refused() {
        for vkey in [
            "",
            "PeterNeumann",
            "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+ARpc",
            "PeterNeumann+c74f20a3+AhpcAA==",
        ] {
            assert_eq!(VerifierKey::parse(vkey), Err(NoteError::Key), "{vkey:?}");
        }
    }
}
