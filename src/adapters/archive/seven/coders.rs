//! What a stream of a 7z archive went through, undone: AES-256 in CBC mode under a key of many rounds of SHA-256, and
//! the decompressor beneath.

use std::io::{self, BufReader, Read};

use aes::Aes256;
use cbc::{
    Decryptor,
    cipher::{BlockDecryptMut, KeyIvInit, inout::InOutBuf},
};
use flate2::bufread::DeflateDecoder;
use lzma_rust2::{Lzma2Reader, LzmaReader};
use zeroize::Zeroizing;

use super::header::{Coder, Folder};
use crate::{
    adapters::archive::{ArchiveError, Result, below, fault, settle},
    domain::{digest::Hasher, limits::ARCHIVE_ROUNDS_LOG_MAX, secret::Secret},
    engine::ports::{Delivered, OpenFault},
};

/// Bytes that are decrypted at once.
const PIECE: usize = 64 << 10;
const BLOCK: usize = 16;

/// How a stream is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aes {
    /// The binary logarithm of the rounds.
    power: u8,
    salt: Vec<u8>,
    iv: [u8; BLOCK],
}

impl Aes {
    /// Reads the properties of the coder.
    pub(super) fn parse(properties: &[u8]) -> Result<Self> {
        let Some((first, rest)) = properties.split_first() else {
            return fault(OpenFault::Damaged);
        };
        let (second, rest) = rest.split_first().unwrap_or((&0, &[]));
        let salt = usize::from(first >> 7) + usize::from(second >> 4);
        let iv = usize::from(first >> 6 & 1) + usize::from(second & 0x0F);
        let power = first & 0x3F;
        // A key that is the passphrase itself, without any rounds, is no encryption that counts.
        if power == 0x3F {
            return fault(OpenFault::Foreign);
        }
        if power > ARCHIVE_ROUNDS_LOG_MAX {
            return fault(OpenFault::Limit);
        }
        let Some((salt, rest)) = rest.split_at_checked(salt) else {
            return fault(OpenFault::Damaged);
        };
        let mut whole = [0; BLOCK];
        match (whole.get_mut(..iv), rest.len() == iv) {
            (Some(begun), true) => begun.copy_from_slice(rest),
            _ => return fault(OpenFault::Damaged),
        }
        Ok(Self { power, salt: salt.to_vec(), iv: whole })
    }

    /// The rounds of its key.
    pub(super) const fn rounds(&self) -> u64 {
        1 << self.power
    }
}

/// A key that was derived, and of what.
pub(super) struct Key {
    power: u8,
    salt: Vec<u8>,
    key: Zeroizing<[u8; 32]>,
}

impl Key {
    /// SHA-256 over salt, passphrase and a counter, as often as the archive says.
    pub(super) fn derive(passphrase: &Secret, aes: &Aes) -> Result<Self> {
        let Ok(text) = std::str::from_utf8(passphrase.expose()) else {
            return fault(OpenFault::WrongKey);
        };
        let units: Zeroizing<Vec<u16>> = Zeroizing::new(text.encode_utf16().collect());
        let counter = aes.salt.len() + 2 * units.len();
        // Of its full length from the start: nothing is left behind by growing.
        let mut round = Zeroizing::new(Vec::with_capacity(counter + 8));
        round.extend_from_slice(&aes.salt);
        for unit in units.iter() {
            round.extend_from_slice(&unit.to_le_bytes());
        }
        round.extend_from_slice(&[0; 8]);
        let mut hasher = Hasher::new();
        for n in 0..aes.rounds() {
            round[counter..].copy_from_slice(&n.to_le_bytes());
            hasher.update(&round);
        }
        let key = Zeroizing::new(*hasher.finish().as_bytes());
        Ok(Self { power: aes.power, salt: aes.salt.clone(), key })
    }

    /// Whether it is the key of this encryption.
    pub(super) fn is_for(&self, aes: &Aes) -> bool {
        self.power == aes.power && self.salt == aes.salt
    }

    fn decryptor(&self, iv: &[u8]) -> Result<Decryptor<Aes256>> {
        Decryptor::new_from_slices(&*self.key, iv)
            .map_err(|_| ArchiveError::Fault(OpenFault::Damaged))
    }

    /// One block, after the one before it.
    pub(super) fn block(&self, before: &[u8], block: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let mut plain = Zeroizing::new(block.to_vec());
        decrypt(&mut self.decryptor(before)?, &mut plain);
        Ok(plain)
    }
}

/// Decrypts whole blocks in place.
fn decrypt(cipher: &mut Decryptor<Aes256>, bytes: &mut [u8]) {
    let (blocks, _) = InOutBuf::from(bytes).into_chunks();
    cipher.decrypt_blocks_inout_mut(blocks);
}

/// The packed stream, decrypted where it is encrypted.
struct Body {
    file: Box<dyn Delivered>,
    /// Bytes of the file that are left.
    packed: u64,
    /// Bytes that are left to give, without what fills up the last block.
    left: u64,
    cipher: Option<Decryptor<Aes256>>,
    piece: Zeroizing<Vec<u8>>,
    ready: std::ops::Range<usize>,
}

impl Body {
    fn fill(&mut self) -> io::Result<()> {
        let room = usize::try_from(self.packed).unwrap_or(usize::MAX).min(PIECE);
        self.piece.resize(room, 0);
        match self.file.read_exact(&mut self.piece) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(io::Error::other(ArchiveError::Fault(OpenFault::Damaged)));
            }
            Err(error) => return Err(below(error)),
        }
        self.packed -= room as u64;
        if let Some(cipher) = &mut self.cipher {
            decrypt(cipher, &mut self.piece);
        }
        let given = usize::try_from(self.left).unwrap_or(usize::MAX).min(room);
        self.left -= given as u64;
        self.ready = 0..given;
        Ok(())
    }
}

impl Read for Body {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() && self.left > 0 && !to.is_empty() {
            self.fill()?;
        }
        let count = self.ready.len().min(to.len());
        to[..count].copy_from_slice(&self.piece[self.ready.start..self.ready.start + count]);
        self.ready.start += count;
        Ok(count)
    }
}

enum Decoder {
    Stored(Box<Body>),
    Lzma(Box<LzmaReader<Body>>),
    Lzma2(Box<Lzma2Reader<Body>>),
    Deflate(Box<DeflateDecoder<BufReader<Body>>>),
}

/// The decoders of a folder, to which the file is lent.
pub(super) struct Lent(Decoder);

impl Lent {
    /// Decoders for a folder at whose beginning the file stands.
    pub(super) fn new(
        file: Box<dyn Delivered>,
        folder: &Folder,
        key: Option<&Key>,
    ) -> Result<Self> {
        let (aes, rest) = match folder.coders.split_first() {
            Some(((Coder::Aes(aes), _), rest)) => (Some(aes), rest),
            _ => (None, folder.coders.as_slice()),
        };
        let cipher = match (aes, key) {
            (Some(aes), Some(key)) => Some(key.decryptor(&aes.iv)?),
            (Some(_), None) => return fault(OpenFault::WrongKey),
            (None, _) => None,
        };
        let body = Body {
            file,
            packed: folder.packed,
            left: if aes.is_some() { folder.sealed() } else { folder.packed },
            cipher,
            piece: Zeroizing::default(),
            ready: 0..0,
        };
        let decoder = match rest {
            [] | [(Coder::Copy, _)] => Decoder::Stored(Box::new(body)),
            [(Coder::Deflate, _)] => Decoder::Deflate(Box::new(DeflateDecoder::new(
                BufReader::with_capacity(PIECE, body),
            ))),
            [(Coder::Lzma2 { dictionary }, _)] => {
                Decoder::Lzma2(Box::new(Lzma2Reader::new(body, *dictionary, None)))
            }
            [(Coder::Lzma { properties, dictionary }, bytes)] => {
                let reader =
                    LzmaReader::new_with_props(body, *bytes, *properties, *dictionary, None);
                Decoder::Lzma(Box::new(reader.map_err(settle)?))
            }
            _ => return fault(OpenFault::Foreign),
        };
        Ok(Self(decoder))
    }

    /// Gives the file back.
    pub(super) fn into_file(self) -> Box<dyn Delivered> {
        match self.0 {
            Decoder::Stored(body) => body.file,
            Decoder::Lzma(reader) => reader.into_inner().file,
            Decoder::Lzma2(reader) => reader.into_inner().file,
            Decoder::Deflate(reader) => reader.into_inner().into_inner().file,
        }
    }
}

impl Read for Lent {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Decoder::Stored(body) => body.read(to),
            Decoder::Lzma(reader) => reader.read(to),
            Decoder::Lzma2(reader) => reader.read(to),
            Decoder::Deflate(reader) => reader.read(to),
        }
    }
}
