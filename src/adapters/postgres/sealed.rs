//! Rows under the key of their batch: what the database, its log, replicas and backups hold of them is ciphertext.
//!
//! Two keys follow from the batch's own and the salt of one load (HMAC-SHA-256 as the pseudorandom function of NIST SP
//! 800-108, one block): one seals rows, one marks the values that look-ups go by. No load has the salt of another, so that
//! the number of a record may be its nonce. Without the batch's key neither a row nor a guess of a marked value can be
//! told; what stays to be seen is how many rows there are, about how long they are, which of them remove, and which
//! records of one batch have the same key.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use bytes::{BufMut, BytesMut};
use zeroize::Zeroize;

use super::{DatabaseError, Result};
use crate::{adapters::entropy, domain::secret::Secret};

/// Bytes of a load's salt.
pub(super) const SALT_BYTES: usize = 32;
/// Bytes of a mark: as many as keep 2^32 values of one batch apart.
const MARK_BYTES: usize = 16;
/// Lengths of rows are multiples of this: they tell less of what is in them.
const ROW_STEP_BYTES: usize = 32;

const ROW_LABEL: &[u8] = b"batchward/sealed-row/1\0";
const MARK_LABEL: &[u8] = b"batchward/key-mark/1\0";

/// What seals and opens the rows of one load.
pub(super) struct Cipher {
    copy: i64,
    rows: LessSafeKey,
    marks: hmac::Key,
}

/// A new salt.
///
/// # Errors
/// The kernel has no randomness.
pub(super) fn salt() -> Result<Vec<u8>> {
    let mut salt = vec![0; SALT_BYTES];
    entropy::fill(&mut salt).map_err(|error| DatabaseError::Own { what: error.to_string() })?;
    Ok(salt)
}

impl Cipher {
    /// The cipher of a load; `key` is the batch's own.
    ///
    /// # Errors
    /// The salt is none.
    pub(super) fn new(copy: i64, key: &Secret, salt: &[u8]) -> Result<Self> {
        if salt.len() != SALT_BYTES {
            let what = "a load is sealed without a salt of its own".to_owned();
            return Err(DatabaseError::Differs { what });
        }
        let from = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
        let derived = |label: &[u8]| {
            let mut context = hmac::Context::with_key(&from);
            [label, salt].into_iter().for_each(|part| context.update(part));
            context.sign()
        };
        let rows = UnboundKey::new(&AES_256_GCM, derived(ROW_LABEL).as_ref())
            .map_err(|_| DatabaseError::Own { what: "a key of rows has 32 bytes".to_owned() })?;
        let marks = hmac::Key::new(hmac::HMAC_SHA256, derived(MARK_LABEL).as_ref());
        Ok(Self { copy, rows: LessSafeKey::new(rows), marks })
    }

    /// What stands in the table for a value that look-ups go by.
    pub(super) fn mark(&self, value: &str) -> Vec<u8> {
        let mut mark = hmac::sign(&self.marks, value.as_bytes()).as_ref().to_vec();
        mark.truncate(MARK_BYTES);
        mark
    }

    /// A row, sealed: its values one after the other, each with its length before it, filled up to a multiple.
    ///
    /// # Errors
    /// A value is too long.
    pub(super) fn seal(&self, number: u64, removed: bool, values: &[String]) -> Result<BytesMut> {
        let length: usize = values.iter().map(|value| 4 + value.len()).sum();
        let mut row = BytesMut::with_capacity(
            length.next_multiple_of(ROW_STEP_BYTES) + AES_256_GCM.tag_len(),
        );
        for value in values {
            let length = u32::try_from(value.len())
                .map_err(|_| DatabaseError::Value { what: "a value is too long for a row" })?;
            row.put_u32(length);
            row.put_slice(value.as_bytes());
        }
        row.resize(length.next_multiple_of(ROW_STEP_BYTES), 0);
        let about = self.about(number, removed);
        let tag = self
            .rows
            .seal_in_place_separate_tag(nonce(number), Aad::from(about), &mut row)
            .map_err(|_| DatabaseError::Value { what: "a row is too long to be sealed" })?;
        row.put_slice(tag.as_ref());
        Ok(row)
    }

    /// The values of a row.
    ///
    /// # Errors
    /// It was changed, or is another's.
    pub(super) fn open(
        &self,
        number: u64,
        removed: bool,
        mut sealed: Vec<u8>,
        columns: usize,
    ) -> Result<Vec<String>> {
        let differs = || DatabaseError::Differs {
            what: format!("record {number} does not open under the key of its batch"),
        };
        let about = Aad::from(self.about(number, removed));
        let opened = self.rows.open_in_place(nonce(number), about, &mut sealed);
        let mut rest: &[u8] = opened.map_err(|_| differs())?;
        let mut values = Vec::with_capacity(columns);
        for _ in 0..columns {
            let (length, after) = rest.split_first_chunk::<4>().ok_or_else(differs)?;
            let length = u32::from_be_bytes(*length) as usize;
            let (value, after) = after.split_at_checked(length).ok_or_else(differs)?;
            values.push(std::str::from_utf8(value).map_err(|_| differs())?.to_owned());
            rest = after;
        }
        sealed.zeroize();
        Ok(values)
    }

    /// What a row is bound to: it opens as this record of this load, and as nothing else.
    fn about(&self, number: u64, removed: bool) -> [u8; 17] {
        let mut about = [0; 17];
        about[..8].copy_from_slice(&self.copy.to_be_bytes());
        about[8..16].copy_from_slice(&number.to_be_bytes());
        about[16] = removed.into();
        about
    }
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn cipher(key: u8, salt: u8) -> Cipher {
        Cipher::new(3, &Secret::new(vec![key; 32]), &[salt; SALT_BYTES]).unwrap()
    }

    #[test]
    fn a_row_opens_as_itself_and_as_nothing_else() {
        let values = ["A123456789".to_owned(), String::new(), "王\0小明".to_owned()];
        let own = cipher(1, 1);
        let sealed = own.seal(7, false, &values).unwrap().to_vec();
        assert_eq!(own.open(7, false, sealed.clone(), 3).unwrap(), values);
        for other in [
            own.open(8, false, sealed.clone(), 3),
            own.open(7, true, sealed.clone(), 3),
            own.open(7, false, sealed[1..].to_vec(), 3),
            own.open(7, false, Vec::new(), 3),
            cipher(2, 1).open(7, false, sealed.clone(), 3),
            cipher(1, 2).open(7, false, sealed.clone(), 3),
            Cipher::new(4, &Secret::new(vec![1; 32]), &[1; SALT_BYTES]).unwrap().open(
                7,
                false,
                sealed.clone(),
                3,
            ),
        ] {
            assert!(matches!(other, Err(DatabaseError::Differs { .. })));
        }
        let mut flipped = sealed;
        flipped[5] ^= 1;
        assert!(own.open(7, false, flipped, 3).is_err());
    }

    #[test]
    fn lengths_tell_steps_and_no_value_stands_in_what_is_stored() {
        let own = cipher(1, 1);
        let length = |value: &str| own.seal(1, false, &[value.to_owned()]).unwrap().len();
        assert_eq!(length(""), length("王小明"));
        assert_eq!((length("") - 16) % ROW_STEP_BYTES, 0);
        let sealed = own.seal(1, false, &["A123456789".to_owned()]).unwrap();
        assert!(!sealed.windows(10).any(|part| part == b"A123456789"));
    }

    #[test]
    fn a_mark_is_the_same_in_one_load_and_another_in_every_other() {
        let mark = |key, salt| cipher(key, salt).mark("A123456789");
        assert_eq!(mark(1, 1), mark(1, 1));
        assert!(mark(1, 1) != mark(1, 2) && mark(1, 1) != mark(2, 1));
        assert_ne!(cipher(1, 1).mark("A123456789"), cipher(1, 1).mark("A123456780"));
        assert_ne!(mark(1, 1).as_slice(), b"A123456789");
    }
}
