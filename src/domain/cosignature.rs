//! Witnesses: timestamped cosignatures of checkpoints (C2SP tlog-cosignature, Ed25519), and what a witness may cosign.
//!
//! A cosignature says that, at its time, the witness had seen no larger tree of this log than the one that it signs, and
//! that every tree which it had seen is a beginning of it. [`may_cosign`] is that promise; whoever calls it keeps the
//! checkpoint durably before the cosignature leaves. The key of a witness signs nothing else.

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::{
    checkpoint::{Checkpoint, NoteError, Signed, is_key_name},
    digest::Digest,
    merkle,
    proof::Growth,
    secret::Secret,
};

/// Algorithm byte of a timestamped Ed25519 cosignature.
const COSIGNATURE: u8 = 4;
/// The largest time that the format holds.
const SECONDS_MAX: u64 = i64::MAX.cast_unsigned();

/// The public half of a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignerKey {
    name: String,
    key: VerifyingKey,
}

impl CosignerKey {
    /// Reads `name+hash+key`.
    ///
    /// # Errors
    /// [`NoteError::Key`]; also for the key of a log, which is no witness's.
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        let vkey = vkey.trim_end_matches('\n');
        let (name, rest) = vkey.split_once('+').ok_or(NoteError::Key)?;
        let (hash, key) = rest.split_once('+').ok_or(NoteError::Key)?;
        let key = BASE64.decode(key.as_bytes()).map_err(|_| NoteError::Key)?;
        let Some((&COSIGNATURE, key)) = key.split_first() else { return Err(NoteError::Key) };
        let key = VerifyingKey::from_bytes(key.try_into().map_err(|_| NoteError::Key)?)
            .map_err(|_| NoteError::Key)?;
        let parsed = Self { name: name.to_owned(), key };
        let good = is_key_name(name) && HEXLOWER.encode(&parsed.hash()) == hash;
        if good { Ok(parsed) } else { Err(NoteError::Key) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The 32 bytes of the key: one key is one witness, whatever it calls itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    fn hash(&self) -> [u8; 4] {
        let mut bytes = self.name.as_bytes().to_vec();
        bytes.extend_from_slice(&[b'\n', COSIGNATURE]);
        bytes.extend_from_slice(self.key.as_bytes());
        let [a, b, c, d, ..] = *Digest::of(&bytes).as_bytes();
        [a, b, c, d]
    }

    /// This witness's cosignature under a note: when it was made, in seconds since 1970, and its line. The newest
    /// counts; one that does not hold spoils the note.
    ///
    /// # Errors
    /// Not a note, no line of this witness, or one that does not hold.
    pub fn find(&self, note: &str) -> Result<(u64, String), NoteError> {
        let signed = Signed::parse(note)?;
        let mut newest: Option<(u64, String)> = None;
        for (name, blob) in &signed.lines {
            let Some(stamped) = blob.strip_prefix(&self.hash()).filter(|_| *name == self.name)
            else {
                continue;
            };
            let seconds = self.check(signed.text, stamped).ok_or(NoteError::Signature)?;
            if newest.as_ref().is_none_or(|(known, _)| *known < seconds) {
                newest = Some((seconds, line(name, blob)));
            }
        }
        newest.ok_or(NoteError::Signature)
    }

    /// The time of a cosignature of this text.
    fn check(&self, text: &str, stamped: &[u8]) -> Option<u64> {
        let (seconds, signature) = stamped.split_first_chunk::<8>()?;
        let seconds = u64::from_be_bytes(*seconds);
        let signature = Signature::from_bytes(signature.try_into().ok()?);
        let message = message(text, seconds);
        let good = self.key.verify_strict(message.as_bytes(), &signature).is_ok();
        (good && seconds <= SECONDS_MAX).then_some(seconds)
    }
}

impl std::fmt::Display for CosignerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![COSIGNATURE];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.hash()), BASE64.encode(&key))
    }
}

fn message(text: &str, seconds: u64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

fn line(name: &str, blob: &[u8]) -> String {
    format!("\u{2014} {name} {}\n", BASE64.encode(blob))
}

/// The key of a witness.
pub struct Cosigner {
    key: SigningKey,
    name: String,
}

impl Cosigner {
    /// From 32 secret bytes and a name. Nothing for another length, or a name that no note can hold.
    #[must_use]
    pub fn from_secret(secret: &Secret, name: &str) -> Option<Self> {
        let bytes: &[u8; 32] = secret.expose().try_into().ok()?;
        let good = is_key_name(name);
        good.then(|| Self { key: SigningKey::from_bytes(bytes), name: name.to_owned() })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> CosignerKey {
        CosignerKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The signature line under a checkpoint, to be appended to its note.
    #[must_use]
    pub fn cosign(&self, checkpoint: &Checkpoint, seconds: u64) -> String {
        let signature = self.key.sign(message(&checkpoint.body(), seconds).as_bytes());
        let mut blob = self.public().hash().to_vec();
        blob.extend_from_slice(&seconds.to_be_bytes());
        blob.extend_from_slice(&signature.to_bytes());
        line(&self.name, &blob)
    }
}

/// Why a witness does not cosign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WillNot {
    /// The request proves growth since another size than the one that was seen; nothing is wrong yet.
    #[error(
        "the request proves growth since {asked} entries, and the last checkpoint that was cosigned has {seen}"
    )]
    Since {
        /// The size in the request.
        asked: u64,
        /// The size that was seen.
        seen: u64,
    },
    /// The checkpoint is of fewer entries than one that was cosigned.
    #[error(
        "the checkpoint has {size} entries, and one of {seen} was cosigned before: an older state was put back, or the end cut off"
    )]
    Shorter {
        /// Entries now.
        size: u64,
        /// Entries then.
        seen: u64,
    },
    /// The log did not grow from what was seen.
    #[error(
        "the log did not grow from the checkpoint of {seen} entries that was cosigned before: two histories"
    )]
    Fork {
        /// Entries then.
        seen: u64,
    },
}

/// Whether a witness that has seen `seen` may cosign `now`, which `growth` leads to.
///
/// # Errors
/// [`WillNot`].
pub fn may_cosign(
    seen: Option<&Checkpoint>,
    growth: &Growth,
    now: &Checkpoint,
) -> Result<(), WillNot> {
    let (seen, root) = seen.map_or((0, merkle::empty_root()), |seen| (seen.size, seen.root));
    if now.size < seen {
        return Err(WillNot::Shorter { size: now.size, seen });
    }
    // The very checkpoint that was cosigned before, whatever the request proves: the cosignature was lost on its way.
    if now.size == seen {
        return if now.root == root { Ok(()) } else { Err(WillNot::Fork { seen }) };
    }
    if growth.old != seen {
        return Err(WillNot::Since { asked: growth.old, seen });
    }
    if merkle::verify_consistency(seen, root, now.size, now.root, &growth.hashes) {
        Ok(())
    } else {
        Err(WillNot::Fork { seen })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::domain::checkpoint::RegisterKey;

    fn witness() -> Cosigner {
        Cosigner::from_secret(&Secret::new(vec![3; 32]), "witness.example/w1").unwrap()
    }

    fn checkpoint(size: u64) -> Checkpoint {
        let root = Digest::of(&size.to_be_bytes());
        Checkpoint { origin: "batchward/test".to_owned(), size, root }
    }

    fn cosigned() -> String {
        let key = RegisterKey::from_secret(&Secret::new(vec![7; 32]), "batchward/test").unwrap();
        key.sign(&checkpoint(9)) + &witness().cosign(&checkpoint(9), 1_679_315_147)
    }

    /// The example of C2SP tlog-cosignature: its witness line decodes to the time that its text shows.
    #[test]
    fn the_example_of_the_format_has_its_form() {
        let blob = BASE64
            .decode(b"jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==")
            .unwrap();
        assert_eq!(blob.len(), 4 + 8 + 64);
        assert_eq!(u64::from_be_bytes(blob[4..12].try_into().unwrap()), 1_679_315_147);
        let ours = witness().cosign(&checkpoint(9), 1_679_315_147);
        let ours = BASE64.decode(ours.trim_end().rsplit(' ').next().unwrap().as_bytes()).unwrap();
        assert_eq!(ours[4..12], blob[4..12]);
        assert_eq!(ours.len(), blob.len());
        assert_eq!(
            message("example.com/behind-the-sofa\n", 1_679_315_147),
            "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n"
        );
    }

    #[test]
    fn a_cosignature_is_found_with_its_time_and_a_bent_one_is_none() {
        let (key, note) = (witness().public(), cosigned());
        assert_eq!(CosignerKey::parse(&key.to_string()), Ok(key.clone()));
        let (seconds, line) = key.find(&note).unwrap();
        assert_eq!(seconds, 1_679_315_147);
        assert!(note.ends_with(&line));
        for at in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(bent) = String::from_utf8(bytes) else { continue };
            // The log's own line is the log's affair.
            let own = bent.lines().nth(4).is_some_and(|line| Some(line) != note.lines().nth(4));
            assert!(own || key.find(&bent).is_err(), "byte {at}");
        }
        let stranger = Cosigner::from_secret(&Secret::new(vec![4; 32]), "witness.example/w1");
        assert!(stranger.unwrap().public().find(&note).is_err());
    }

    #[test]
    fn the_newest_of_two_cosignatures_counts() {
        let note = cosigned() + &witness().cosign(&checkpoint(9), 1_700_000_000);
        assert_eq!(witness().public().find(&note).unwrap().0, 1_700_000_000);
    }

    #[test]
    fn keys_of_logs_and_bad_names_are_no_witness() {
        let log =
            RegisterKey::from_secret(&Secret::new(vec![3; 32]), "witness.example/w1").unwrap();
        assert_eq!(CosignerKey::parse(&log.vkey()), Err(NoteError::Key));
        assert!(Cosigner::from_secret(&Secret::new(vec![3; 32]), "a b").is_none());
        assert!(Cosigner::from_secret(&Secret::new(vec![3; 31]), "ab").is_none());
    }

    #[test]
    fn only_what_grew_from_what_was_seen_is_cosigned() {
        let leaves: Vec<_> = (0..9_u64).map(|n| merkle::leaf_hash(&n.to_be_bytes())).collect();
        let root = |size: usize| {
            let mut edge = merkle::Frontier::new();
            leaves[..size].iter().for_each(|leaf| drop(edge.append(*leaf)));
            Checkpoint { root: edge.root(), ..checkpoint(size as u64) }
        };
        let growth = |old| Growth { old, hashes: Vec::new(), note: String::new() };
        assert_eq!(may_cosign(None, &growth(0), &root(5)), Ok(()));
        assert_eq!(
            may_cosign(None, &growth(3), &root(5)),
            Err(WillNot::Since { asked: 3, seen: 0 })
        );
        let seen = root(1);
        let proof = Growth { hashes: vec![leaves[1]], ..growth(1) };
        assert_eq!(may_cosign(Some(&seen), &proof, &root(2)), Ok(()));
        assert_eq!(may_cosign(Some(&seen), &growth(1), &root(2)), Err(WillNot::Fork { seen: 1 }));
        assert_eq!(
            may_cosign(Some(&root(2)), &proof, &seen),
            Err(WillNot::Shorter { size: 1, seen: 2 })
        );
        assert_eq!(may_cosign(Some(&seen), &growth(0), &seen), Ok(()));
        assert_eq!(
            may_cosign(Some(&seen), &growth(1), &checkpoint(1)),
            Err(WillNot::Fork { seen: 1 })
        );
    }
}
