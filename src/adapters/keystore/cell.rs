//! One cell of the key store: 1,024 bytes, as docs/keystore.md fixes them.
//!
//! Writing and reading are exact inverses; whatever is not exactly a cell reads as [`Cell::Torn`], all zeroes as
//! [`Cell::Empty`]. What a pair of cells means is not decided here (`pair.rs`).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::adapters::entropy::{EntropyError, Fill};
use crate::domain::{digest::Digest, limits::SECRET_BYTES_MAX, secret::Secret};

/// Bytes of a cell.
pub(super) const CELL: usize = 1024;
/// The form that this version writes and reads.
pub(super) const VERSION: u16 = 1;
/// Bytes of a slot name or an order id, at most.
pub(super) const NAME_BYTES_MAX: usize = 64;
/// Bytes of a key-encryption key and of the root key.
pub(super) const KEY_BYTES: usize = 32;

const MAGIC: &[u8; 8] = b"BWSLOT\r\n";
const NONCE_AT: usize = 40;
const NAME_AT: usize = 64;
/// Where the header (the associated data) ends and the body begins.
const BODY_AT: usize = 128;
const SUM_AT: usize = CELL - 32;
const TAG: usize = 16;

const LIVE: u8 = 1;
const TOMBSTONE: u8 = 2;
const FREE: u8 = 3;

/// The bytes of a cell.
pub(super) type Bytes = [u8; CELL];

/// What stands in a cell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Never written: only zeroes.
    Empty,
    /// Neither zeroes nor a whole cell.
    Torn,
    /// Whole, in a form that a later version made.
    Newer(u16),
    /// Whole.
    Written(Header),
}

/// The facts of a whole cell; what is sealed in it stays in its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) generation: u64,
    pub(super) name: String,
    pub(super) body: Body,
}

/// What a cell says of its slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// A secret, sealed under the key-encryption key of this generation (0: the root key).
    Live { key_generation: u64 },
    /// Destroyed under this order.
    Tombstone { order: String },
    /// Wiped: the other cell held this generation, durably, when this was written.
    Free,
}

/// Where a cell belongs and whose it is.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) slot: u64,
    pub(super) generation: u64,
    pub(super) name: &'a str,
}

/// A key that cells are sealed under.
pub(super) struct SealingKey {
    pub(super) generation: u64,
    key: LessSafeKey,
}

impl SealingKey {
    /// `None` where the bytes are not 32.
    pub(super) fn new(generation: u64, secret: &Secret) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, secret.expose()).ok()?;
        Some(Self { generation, key: LessSafeKey::new(key) })
    }
}

/// Why a cell was not made.
#[derive(Debug)]
pub(super) enum SealError {
    Entropy(EntropyError),
    Cipher,
}

/// A cell that holds `secret` (1 to 512 bytes, checked by the caller).
pub(super) fn live(
    place: Place<'_>,
    secret: &Secret,
    key: &SealingKey,
    fill: &dyn Fill,
) -> Result<Bytes, SealError> {
    let plain = secret.expose();
    let mut cell = header(place, LIVE, plain.len());
    cell[32..40].copy_from_slice(&key.generation.to_be_bytes());
    let mut nonce = [0; NONCE_LEN];
    fill.fill(&mut nonce).map_err(SealError::Entropy)?;
    cell[NONCE_AT..NONCE_AT + NONCE_LEN].copy_from_slice(&nonce);
    // Sealed in a buffer of its own: the plain bytes never stand in a cell.
    let mut sealed = Zeroizing::new(plain.to_vec());
    let tag = key
        .key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(&cell[..BODY_AT]),
            &mut sealed,
        )
        .map_err(|_| SealError::Cipher)?;
    cell[BODY_AT..BODY_AT + plain.len()].copy_from_slice(&sealed);
    cell[BODY_AT + plain.len()..BODY_AT + plain.len() + TAG].copy_from_slice(tag.as_ref());
    Ok(summed(cell))
}

/// A cell that says that the slot was destroyed under `order` (1 to 64 bytes, checked by the caller).
pub(super) fn tombstone(place: Place<'_>, order: &str) -> Bytes {
    let mut cell = header(place, TOMBSTONE, order.len());
    cell[BODY_AT..BODY_AT + order.len()].copy_from_slice(order.as_bytes());
    summed(cell)
}

/// A wiped cell; `place.generation` is that of the other cell.
pub(super) fn free(place: Place<'_>) -> Bytes {
    summed(header(place, FREE, 0))
}

/// Reads the cell at `slot`. A cell that belongs to another slot is torn.
pub(super) fn read(bytes: &Bytes, slot: u64) -> Cell {
    if bytes.iter().all(|byte| *byte == 0) {
        return Cell::Empty;
    }
    let whole =
        bytes.starts_with(MAGIC) && Digest::of(&bytes[..SUM_AT]).as_bytes()[..] == bytes[SUM_AT..];
    if !whole {
        return Cell::Torn;
    }
    match u16::from_be_bytes([bytes[8], bytes[9]]) {
        VERSION => parse(bytes, slot).map_or(Cell::Torn, Cell::Written),
        version => Cell::Newer(version),
    }
}

/// Opens the secret of a live cell, or `None` where it was not sealed under this key and this header.
pub(super) fn unseal(bytes: &Bytes, key: &SealingKey) -> Option<Secret> {
    let len = usize::from(u16::from_be_bytes([bytes[12], bytes[13]]));
    let nonce = Nonce::try_assume_unique_for_key(&bytes[NONCE_AT..NONCE_AT + NONCE_LEN]).ok()?;
    let sealed = bytes.get(BODY_AT..BODY_AT + len + TAG)?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    key.key.open_in_place(nonce, Aad::from(&bytes[..BODY_AT]), &mut plain).ok()?;
    plain.truncate(len);
    Some(Secret::new(std::mem::take(&mut *plain)))
}

fn header(place: Place<'_>, state: u8, body_len: usize) -> Bytes {
    let mut cell = [0; CELL];
    cell[..8].copy_from_slice(MAGIC);
    cell[8..10].copy_from_slice(&VERSION.to_be_bytes());
    cell[10] = state;
    // Both lengths were checked against maxima that fit.
    cell[11] = u8::try_from(place.name.len()).unwrap_or(u8::MAX);
    cell[12..14].copy_from_slice(&u16::try_from(body_len).unwrap_or(u16::MAX).to_be_bytes());
    cell[16..24].copy_from_slice(&place.slot.to_be_bytes());
    cell[24..32].copy_from_slice(&place.generation.to_be_bytes());
    cell[NAME_AT..NAME_AT + place.name.len()].copy_from_slice(place.name.as_bytes());
    cell
}

fn summed(mut cell: Bytes) -> Bytes {
    let sum = Digest::of(&cell[..SUM_AT]);
    cell[SUM_AT..].copy_from_slice(sum.as_bytes());
    cell
}

fn parse(bytes: &Bytes, slot: u64) -> Option<Header> {
    let number = |at: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&bytes[at..at + 8]);
        u64::from_be_bytes(eight)
    };
    let body_len = usize::from(u16::from_be_bytes([bytes[12], bytes[13]]));
    let (key_generation, generation) = (number(32), number(24));
    if number(16) != slot || generation == 0 {
        return None;
    }
    let name = text(&bytes[NAME_AT..BODY_AT], usize::from(bytes[11]))?;
    let body = match bytes[10] {
        LIVE if (1..=SECRET_BYTES_MAX).contains(&body_len) => Body::Live { key_generation },
        TOMBSTONE => {
            Body::Tombstone { order: text(&bytes[BODY_AT..BODY_AT + NAME_BYTES_MAX], body_len)? }
        }
        FREE if body_len == 0 => Body::Free,
        _ => return None,
    };
    let body_len = body_len + if bytes[10] == LIVE { TAG } else { 0 };
    let unused_is_zero = |range: &[u8]| range.iter().all(|byte| *byte == 0);
    let plain_header_is_zero = bytes[10] == LIVE || unused_is_zero(&bytes[32..52]);
    (plain_header_is_zero
        && unused_is_zero(&bytes[14..16])
        && unused_is_zero(&bytes[52..64])
        && unused_is_zero(&bytes[BODY_AT + body_len..SUM_AT]))
    .then_some(Header { generation, name, body })
}

/// A text of `len` (1 to 64) bytes that is padded with zeroes.
fn text(field: &[u8], len: usize) -> Option<String> {
    let (text, padding) = field.split_at_checked(len)?;
    let text = std::str::from_utf8(text).ok()?;
    (is_name(text) && padding.iter().all(|byte| *byte == 0)).then(|| text.to_owned())
}

/// Whether a text may be a slot name or an order id: 1 to 64 of the characters of ids and link names.
pub(super) fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b":._-".contains(&b))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Digests of three cells that a second implementation (Python's `cryptography`) made from docs/keystore.md alone.
    #[test]
    fn cells_are_byte_for_byte_those_of_the_document() {
        struct Counting;
        impl Fill for Counting {
            fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
                (0..).zip(bytes).for_each(|(number, byte)| *byte = number);
                Ok(())
            }
        }
        let key = SealingKey::new(3, &Secret::new(vec![9; KEY_BYTES])).unwrap();
        let place = |generation| Place { slot: 5, generation, name: "case:b-00000001" };
        let cells = [
            live(place(2), &Secret::new(vec![0x11; 32]), &key, &Counting).unwrap(),
            tombstone(place(3), "o-00000001"),
            free(place(3)),
        ];
        let expected = [
            "39b0cba24f7a9ca52e5a6ceb4f008dc74a2481a0a29dd1cbb721cbdff96ae38b",
            "0365d7b33f1e1e8e7ed918bc1ceb087b247c8c8855fa4fe2855227d227e3cb6c",
            "8f6e59d52d9e6cd90db4ec809eeb35f83deb313e638196463931d5b7edf2c7d7",
        ];
        for (cell, expected) in cells.iter().zip(expected) {
            assert_eq!(Digest::of(cell).to_string(), expected);
            assert!(matches!(read(cell, 5), Cell::Written(_)));
            assert!(matches!(read(cell, 6), Cell::Torn));
        }
        assert_eq!(unseal(&cells[0], &key).unwrap().expose(), [0x11; 32]);
    }
}
