//! Archives under a passphrase: WinZip AES and 7z, opened as streams into the same pipeline as age files.
//!
//! An archive is read in place, from the spool, and never unpacked: what it holds leaves here only as a stream, file
//! by file in the archive's own order, and the end of each file is reached only when its code or sum was right. Its
//! structure is judged whole before the first byte is decrypted: every count, length and offset against a named
//! maximum, every name as data. Names never become paths, and none leaves this module.
//!
//! The structures are parsed here and not by a library, because libraries read whole directories into memory before
//! anybody could say that they are too long, keep derived keys, or take an unencrypted file beside encrypted ones.
//! Ciphers, codes and decompressors are libraries'.

mod bytes;
mod seven;
mod zip;

use std::io;

use crate::{
    domain::{
        cp950,
        limits::{
            ARCHIVE_NAME_BYTES_MAX, ARCHIVE_RATIO_FROM, ARCHIVE_RATIO_MAX, DELIVERY_BYTES_MAX,
        },
        link::Container,
        secret::Secret,
    },
    engine::ports::{Delivered, OpenFault, Plain, Rounds},
};

/// What ends a reading: the delivery's fault, or trouble with reading it.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The delivery's, or the passphrase's.
    #[error("the archive cannot be read: {0:?}")]
    Fault(OpenFault),
    /// Reading failed, which says nothing about the delivery.
    #[error("cannot read the delivered file")]
    Io(#[from] io::Error),
}

type Result<T> = std::result::Result<T, ArchiveError>;

/// The fault in an error of a reader; none where the error came from below.
#[must_use]
pub fn fault_of(error: &io::Error) -> Option<OpenFault> {
    match error.get_ref()?.downcast_ref::<ArchiveError>() {
        Some(ArchiveError::Fault(fault)) => Some(*fault),
        _ => None,
    }
}

fn fault<T>(fault: OpenFault) -> Result<T> {
    Err(ArchiveError::Fault(fault))
}

impl From<ArchiveError> for io::Error {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Io(error) => error,
            fault @ ArchiveError::Fault(_) => Self::new(io::ErrorKind::InvalidData, fault),
        }
    }
}

/// An error of what lies beneath a decompressor, marked so that it is told from the decompressor's own.
fn below(error: io::Error) -> io::Error {
    io::Error::other(ArchiveError::Io(error))
}

/// What a decompressor says: damage, unless it came from beneath.
fn settle(error: io::Error) -> ArchiveError {
    match error.downcast::<ArchiveError>() {
        Ok(marked) => marked,
        Err(_) => ArchiveError::Fault(OpenFault::Damaged),
    }
}

/// Opens an archive: judges it whole, and tries the passphrase as far as the format lets one try it.
///
/// # Errors
/// [`ArchiveError`]. What is found only further on comes while reading: see [`fault_of`].
pub fn open(
    file: Box<dyn Delivered>,
    container: Container,
    passphrase: &Secret,
) -> Result<Box<dyn Plain>> {
    open_within(file, container, passphrase, &Rounds::default())
}

/// Opens one of several archives, which share what they may ask for in rounds.
///
/// # Errors
/// As [`open`].
pub fn open_within(
    file: Box<dyn Delivered>,
    container: Container,
    passphrase: &Secret,
    rounds: &Rounds,
) -> Result<Box<dyn Plain>> {
    match container {
        Container::ZipAes => Ok(Box::new(zip::open(file, passphrase)?)),
        Container::SevenZ => Ok(Box::new(seven::open(file, passphrase, rounds)?)),
        Container::Age | Container::PlainByHand => fault(OpenFault::Foreign),
    }
}

/// Marks by which an archive, or an encrypted file, is known at its beginning.
const MARKS: &[&[u8]] = &[
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"7z\xBC\xAF\x27\x1C",
    b"Rar!\x1A\x07",
    b"\x1F\x8B\x08",
    b"BZh",
    b"\xFD7zXZ\0",
    b"\x28\xB5\x2F\xFD",
    b"age-encryption.org/",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
];

/// Sees whether a file within begins as an archive does: there is one level.
#[derive(Default)]
struct Beginning {
    seen: Vec<u8>,
}

impl Beginning {
    /// Takes the next bytes of the file.
    fn check(&mut self, bytes: &[u8]) -> Result<()> {
        const LONGEST: usize = 34;
        if self.seen.len() >= LONGEST {
            return Ok(());
        }
        let room = LONGEST - self.seen.len();
        self.seen.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if MARKS.iter().any(|mark| self.seen.starts_with(mark)) {
            return fault(OpenFault::Foreign);
        }
        Ok(())
    }
}

/// Whether what a file says of its length can be so: a file that grows by more than the named ratio is a bomb.
fn check_ratio(packed: u64, plain: u64) -> Result<()> {
    let over = plain > ARCHIVE_RATIO_FROM && plain / ARCHIVE_RATIO_MAX > packed;
    if over || plain > DELIVERY_BYTES_MAX { fault(OpenFault::Limit) } else { Ok(()) }
}

/// Whether the bytes of a name can be the name of one file beside others. They are read as what wrote them meant: UTF-8,
/// or else two-byte characters of Windows, whose second byte may look like a separator (功 ends in one).
fn check_name(bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() || bytes.len() > ARCHIVE_NAME_BYTES_MAX {
        return fault(OpenFault::Name);
    }
    let single: Vec<u8> = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.to_vec(),
        Err(_) => singles(bytes),
    };
    let odd = |b: &u8| b.is_ascii_control() || matches!(b, b'/' | b'\\' | b':');
    if single.iter().any(odd) || bytes == b"." || bytes == b".." {
        return fault(OpenFault::Name);
    }
    Ok(())
}

/// The bytes that stand for themselves in CP950.
fn singles(bytes: &[u8]) -> Vec<u8> {
    let (mut single, mut rest) = (Vec::new(), bytes.iter());
    while let Some(byte) = rest.next() {
        let pair = matches!(byte, 0x81..=0xFE);
        // A first half alone is followed by nothing that could be a second.
        let second = pair.then(|| rest.clone().next()).flatten();
        match second {
            Some(0x40..=0x7E | 0xA1..=0xFE) => drop(rest.next()),
            _ => single.push(*byte),
        }
    }
    single
}

/// The bytes that a passphrase may be in an archive of Windows or of others: UTF-8, and CP950 where that differs.
fn spellings(passphrase: &Secret) -> Vec<Secret> {
    let mut list = vec![passphrase.duplicate()];
    if !passphrase.expose().is_ascii()
        && let Some(other) = std::str::from_utf8(passphrase.expose()).ok().and_then(cp950::encode)
    {
        list.push(Secret::new(other));
    }
    list
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_name_is_one_component_in_either_encoding() {
        // 功 ends in a backslash, 表 and 許 do as well: they are letters, not separators.
        let good: [&[u8]; 5] = [
            b"residents.dat",
            "戶籍資料.txt".as_bytes(),
            &cp950::encode("成功許可表.txt").unwrap(),
            b"\xA5\x5C",
            b"...",
        ];
        for name in good {
            assert!(check_name(name).is_ok(), "{name:?}");
        }
        let long = vec![b'a'; ARCHIVE_NAME_BYTES_MAX + 1];
        let bad: [&[u8]; 11] = [
            b"",
            b".",
            b"..",
            b"../residents.dat",
            b"/etc/passwd",
            b"C:\\data.txt",
            b"a/b",
            b"a\\b",
            b"a\0b",
            b"\xA5\x5C\\b",
            &long,
        ];
        for name in bad {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn growth_is_bounded_and_a_short_file_of_blanks_is_no_bomb() {
        assert!(check_ratio(10, 5_000).is_ok());
        assert!(check_ratio(1 << 20, 250 << 20).is_ok());
        assert!(check_ratio(1 << 20, 252 << 20).is_err());
        assert!(check_ratio(u64::MAX, DELIVERY_BYTES_MAX + 1).is_err());
    }

    #[test]
    fn a_passphrase_of_chinese_letters_is_tried_as_windows_writes_it_too() {
        let of = |text: &str| spellings(&Secret::new(text.as_bytes().to_vec())).len();
        assert_eq!((of("abc"), of("密碼一二三"), of("鱻")), (1, 2, 1));
    }
}
