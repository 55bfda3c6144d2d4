//! Rows in PostgreSQL's binary copy format (COPY, "Binary Format"): a head, rows of length and bytes, an end.
//!
//! Nothing of a row is kept but in a buffer of bounded length on its way out. A code of what is sent is made under the key
//! of the batch, so that a load that is done again can be held against the one that was committed; without that key, which
//! goes with the batch, it confirms no guess of what the rows were.
//!
//! Rows are sent in plain, where the site accepted that, or sealed ([`super::sealed`]). The code is of what they hold, the
//! same in both forms.

use bytes::{BufMut, Bytes, BytesMut};

use super::{DatabaseError, sealed::Cipher};
use crate::domain::{
    digest::{Digest, KeyedHasher},
    secret::Secret,
};

const HEAD: &[u8] = b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";
/// Bytes that are sent at once.
const PIECE_BYTES: usize = 64 << 10;

/// How rows lie.
pub(super) enum Form {
    /// Each value in a column of its own.
    Plain,
    /// A mark of the key, and all values in one column.
    Sealed {
        /// What seals them.
        cipher: Box<Cipher>,
        /// Which value is the key, where one is.
        key: Option<usize>,
    },
}

/// Encodes the rows of one table: the number of its copy, the record's number, whether it removes, its values.
pub(super) struct Encoder {
    copy: i64,
    /// With the three before the values.
    columns: i16,
    form: Form,
    /// A row that is to be sealed, as it would be sent in plain.
    clear: BytesMut,
    buffer: BytesMut,
    hasher: KeyedHasher,
    rows: u64,
}

impl Encoder {
    pub(super) fn new(
        copy: i64,
        columns: usize,
        key: &Secret,
        form: Form,
    ) -> Result<Self, DatabaseError> {
        let columns = i16::try_from(columns + 3).map_err(|_| DatabaseError::Value {
            what: "a table has no room for so many columns",
        })?;
        let mut buffer = BytesMut::with_capacity(2 * PIECE_BYTES);
        buffer.put_slice(HEAD);
        let (clear, hasher) = (BytesMut::new(), KeyedHasher::new(key.expose()));
        Ok(Self { copy, columns, form, clear, buffer, hasher, rows: 0 })
    }

    /// One row; a piece to be sent where there is one.
    pub(super) fn row(
        &mut self,
        number: u64,
        removed: bool,
        values: &[String],
    ) -> Result<Option<Bytes>, DatabaseError> {
        if values.len() + 3 != usize::from(self.columns.unsigned_abs()) {
            return Err(DatabaseError::Value { what: "a row has not the columns of its table" });
        }
        match &self.form {
            Form::Plain => {
                // PostgreSQL's text ends there; what follows would be lost.
                if values.iter().any(|value| value.contains('\0')) {
                    return Err(DatabaseError::Value {
                        what: "a value holds U+0000, which no text of PostgreSQL can",
                    });
                }
                let start = self.buffer.len();
                head(&mut self.buffer, self.columns, self.copy, number, removed);
                cells(&mut self.buffer, values.iter().map(String::as_bytes))?;
                self.hasher.update(&self.buffer[start..]);
            }
            Form::Sealed { cipher, key } => {
                self.clear.clear();
                head(&mut self.clear, self.columns, self.copy, number, removed);
                cells(&mut self.clear, values.iter().map(String::as_bytes))?;
                self.hasher.update(&self.clear);
                let of = key.and_then(|at| values.get(at));
                let mark = of.map_or_else(Vec::new, |value| cipher.mark(value));
                let sealed = cipher.seal(number, removed, values)?;
                head(&mut self.buffer, SEALED_COLUMNS, self.copy, number, removed);
                cells(&mut self.buffer, [mark.as_slice(), &sealed].into_iter())?;
            }
        }
        self.rows += 1;
        Ok((self.buffer.len() >= PIECE_BYTES).then(|| self.take()))
    }

    /// The last piece, the code of all rows, and how many there were.
    pub(super) fn end(mut self) -> (Bytes, Digest, u64) {
        self.buffer.put_i16(-1);
        (self.take(), self.hasher.finish(), self.rows)
    }

    fn take(&mut self) -> Bytes {
        let piece = self.buffer.split().freeze();
        self.buffer.reserve(2 * PIECE_BYTES);
        piece
    }
}

/// The columns of a row whose values are sealed: copy, number, whether it removes, mark, values.
const SEALED_COLUMNS: i16 = 5;

fn head(buffer: &mut BytesMut, columns: i16, copy: i64, number: u64, removed: bool) {
    buffer.put_i16(columns);
    buffer.put_i32(8);
    buffer.put_i64(copy);
    buffer.put_i32(8);
    buffer.put_i64(number.cast_signed());
    buffer.put_i32(1);
    buffer.put_u8(removed.into());
}

fn cells<'a>(
    buffer: &mut BytesMut,
    cells: impl Iterator<Item = &'a [u8]>,
) -> Result<(), DatabaseError> {
    for cell in cells {
        let length = i32::try_from(cell.len())
            .map_err(|_| DatabaseError::Value { what: "a value is too long for a column" })?;
        buffer.put_i32(length);
        buffer.put_slice(cell);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn key() -> Secret {
        Secret::new(vec![7; 32])
    }

    #[test]
    fn a_row_is_written_as_the_format_says() {
        let mut encoder = Encoder::new(2, 1, &key(), Form::Plain).unwrap();
        assert!(encoder.row(7, true, &["陳".to_owned()]).unwrap().is_none());
        let (bytes, _, rows) = encoder.end();
        let mut expected = b"PGCOPY\n\xFF\r\n\0".to_vec();
        expected.extend([0; 8]);
        expected.extend([0, 4, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 2]);
        expected.extend([0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 1]);
        expected.extend([0, 0, 0, 3, 0xE9, 0x99, 0xB3, 0xFF, 0xFF]);
        assert_eq!((&bytes[..], rows), (&expected[..], 1));
    }

    #[test]
    fn what_a_text_of_the_database_cannot_hold_is_refused_and_never_shortened() {
        let mut encoder = Encoder::new(1, 1, &key(), Form::Plain).unwrap();
        assert!(encoder.row(1, false, &["a\0b".to_owned()]).is_err());
        assert!(encoder.row(1, false, &[]).is_err());
    }

    #[test]
    fn pieces_are_of_bounded_length_and_the_same_rows_have_the_same_code_under_one_key() {
        let code = |key: &Secret| {
            let mut encoder = Encoder::new(1, 2, key, Form::Plain).unwrap();
            for n in 0..10_000 {
                let piece = encoder.row(n, false, &[n.to_string(), "王".repeat(20)]).unwrap();
                assert!(piece.is_none_or(|piece| piece.len() < 2 * PIECE_BYTES));
            }
            encoder.end().1
        };
        assert_eq!(code(&key()), code(&key()));
        assert_ne!(code(&key()), code(&Secret::new(vec![9; 32])));
    }
}
