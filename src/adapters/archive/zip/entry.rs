//! One file of a ZIP archive under WinZip AES: AES in counter mode, authenticated by HMAC-SHA1 cut to ten bytes, with
//! keys by PBKDF2 of a thousand rounds. The format fixes all of that.

use std::{
    io::{self, BufReader, Read, SeekFrom},
    num::NonZeroU32,
};

use aes::{Aes128, Aes192, Aes256};
use aws_lc_rs::{constant_time, hmac, pbkdf2};
use ctr::{
    Ctr128LE,
    cipher::{KeyIvInit, StreamCipher},
};
use flate2::bufread::DeflateDecoder;
use zeroize::Zeroizing;

use super::{Entry, Method};
use crate::{
    adapters::archive::{
        ArchiveError, Result, below,
        bytes::{exact, piece},
        fault, settle,
    },
    domain::secret::Secret,
    engine::ports::{Delivered, OpenFault},
};

/// Bytes of the test of a passphrase.
pub(super) const TEST: usize = 2;
/// Bytes of the authentication code.
pub(super) const CODE: usize = 10;
/// Rounds of PBKDF2, by the format.
const ROUNDS: NonZeroU32 = NonZeroU32::new(1_000).unwrap();
/// Bytes that are decrypted at once.
const BUFFER: usize = 64 << 10;

/// The keys of one file, which passed its test.
pub(super) struct Keys {
    cipher: Box<dyn StreamCipher + Send>,
    code: hmac::Key,
}

impl Keys {
    /// The keys that a passphrase makes of a file's salt; none where they do not pass the file's test.
    pub(super) fn of(
        file: &mut dyn Delivered,
        entry: &Entry,
        passphrase: &Secret,
    ) -> Result<Option<Self>> {
        let salt_bytes = entry.key / 2;
        let head = piece(file, entry.at, salt_bytes + TEST)?;
        let (salt, test) = head.split_at(salt_bytes);
        let mut made = Zeroizing::new(vec![0; 2 * entry.key + TEST]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, ROUNDS, salt, passphrase.expose(), &mut made);
        let (key, rest) = made.split_at(entry.key);
        let (code, made_test) = rest.split_at(entry.key);
        if constant_time::verify_slices_are_equal(test, made_test).is_err() {
            return Ok(None);
        }
        Ok(Some(Self {
            cipher: cipher(key)?,
            code: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, code),
        }))
    }
}

/// AES as a stream. Its counter begins at one, lowest byte first.
fn cipher(key: &[u8]) -> Result<Box<dyn StreamCipher + Send>> {
    let first = 1_u128.to_le_bytes();
    let wrong = |_| ArchiveError::Fault(OpenFault::Damaged);
    Ok(match key.len() {
        16 => Box::new(Ctr128LE::<Aes128>::new_from_slices(key, &first).map_err(wrong)?),
        24 => Box::new(Ctr128LE::<Aes192>::new_from_slices(key, &first).map_err(wrong)?),
        _ => Box::new(Ctr128LE::<Aes256>::new_from_slices(key, &first).map_err(wrong)?),
    })
}

/// The bytes beneath the encryption. They are authentic only once [`Body::finish`] has said so.
struct Body {
    file: Box<dyn Delivered>,
    left: u64,
    cipher: Box<dyn StreamCipher + Send>,
    code: hmac::Context,
}

impl Body {
    /// Checks the authentication code, when all was read; gives the file back.
    fn finish(mut self) -> Result<Box<dyn Delivered>> {
        if self.left > 0 {
            return fault(OpenFault::Damaged);
        }
        let mut code = [0; CODE];
        exact(&mut *self.file, &mut code)?;
        let made = self.code.sign();
        let made = made.as_ref().get(..CODE).unwrap_or_default();
        match constant_time::verify_slices_are_equal(made, &code) {
            Ok(()) => Ok(self.file),
            Err(_) => fault(OpenFault::Damaged),
        }
    }
}

impl Read for Body {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(to.len());
        if room == 0 {
            return Ok(0);
        }
        let count = self.file.read(&mut to[..room]).map_err(below)?;
        if count == 0 {
            return Err(ArchiveError::Fault(OpenFault::Damaged).into());
        }
        self.left -= count as u64;
        self.code.update(&to[..count]);
        self.cipher.apply_keystream(&mut to[..count]);
        Ok(count)
    }
}

enum Decoded {
    Stored(Box<Body>),
    Deflated(Box<DeflateDecoder<BufReader<Body>>>),
}

/// A file of the archive that is being read.
pub(super) struct Opened {
    decoded: Decoded,
    left: u64,
    crc: Option<(crc32fast::Hasher, u32)>,
}

impl Opened {
    pub(super) fn new(mut file: Box<dyn Delivered>, entry: &Entry, keys: Keys) -> Result<Self> {
        file.seek(SeekFrom::Start(entry.at + (entry.key / 2 + TEST) as u64))?;
        let body = Body {
            file,
            left: entry.packed.saturating_sub(entry.overhead()),
            cipher: keys.cipher,
            code: hmac::Context::with_key(&keys.code),
        };
        let decoded = match entry.method {
            Method::Stored => Decoded::Stored(Box::new(body)),
            Method::Deflated => Decoded::Deflated(Box::new(DeflateDecoder::new(
                BufReader::with_capacity(BUFFER, body),
            ))),
        };
        let crc = entry.crc.map(|crc| (crc32fast::Hasher::new(), crc));
        Ok(Self { decoded, left: entry.plain, crc })
    }

    /// Reads on. More than was stated is damage, and so is less.
    pub(super) fn read(&mut self, to: &mut [u8]) -> Result<usize> {
        let read = match &mut self.decoded {
            Decoded::Stored(body) => body.read(to),
            Decoded::Deflated(decoder) => decoder.read(to),
        };
        let count = read.map_err(settle)?;
        match self.left.checked_sub(count as u64) {
            Some(left) if count > 0 || left == 0 => self.left = left,
            _ => return fault(OpenFault::Damaged),
        }
        if let Some((crc, _)) = &mut self.crc {
            crc.update(&to[..count]);
        }
        Ok(count)
    }

    /// The end of the file: nothing is left beneath, and code and sum are right.
    pub(super) fn finish(self) -> Result<Box<dyn Delivered>> {
        let body = match self.decoded {
            Decoded::Stored(body) => *body,
            Decoded::Deflated(decoder) => {
                let buffered = decoder.into_inner();
                if !buffered.buffer().is_empty() {
                    return fault(OpenFault::Damaged);
                }
                buffered.into_inner()
            }
        };
        let file = body.finish()?;
        let differs = self.crc.is_some_and(|(made, stated)| made.finalize() != stated);
        if differs { fault(OpenFault::Damaged) } else { Ok(file) }
    }
}
