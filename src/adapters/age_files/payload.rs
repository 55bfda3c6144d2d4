//! The payload of age files: 64 KiB chunks under ChaCha20-Poly1305 (C2SP age, "Payload"), by aws-lc.
//!
//! Headers, recipients and their authentication are the age library's; it lends the file key, from which the key of
//! the payload follows. Only the chunks are done here, because the library's own pass over them takes three to four
//! times as long, and every delivered byte goes through three of them. A chunk's nonce is its number and whether it
//! is the last: what is cut, swapped or added shows.

use std::{
    cell::Cell,
    io::{self, BufRead, Cursor, Read, Seek, SeekFrom, Write},
};

use age::{DecryptError, Decryptor, EncryptError, Encryptor, Identity, Recipient};
use age_core::{
    format::{FileKey, Stanza},
    secrecy::ExposeSecret,
};
use aws_lc_rs::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use zeroize::Zeroizing;

/// Bytes of a whole chunk.
const CHUNK: usize = 64 << 10;
const TAG: usize = 16;
/// Bytes of a header: several hundred recipients.
const HEADER_BYTES_MAX: usize = 64 << 10;
/// Bytes of the payload's nonce, which follows the header.
const SALT: usize = 16;
const FILE_KEY: usize = 16;

/// The key of a payload, with the number of the next chunk.
struct Stream {
    key: LessSafeKey,
    chunk: u64,
}

impl Stream {
    fn new(file_key: &[u8; FILE_KEY], salt: &[u8; SALT]) -> Option<Self> {
        let secret = Salt::new(HKDF_SHA256, salt).extract(file_key);
        let key = UnboundKey::from(secret.expand(&[b"payload"], &CHACHA20_POLY1305).ok()?);
        Some(Self { key: LessSafeKey::new(key), chunk: 0 })
    }

    /// Eleven bytes of counter, one that says whether it is the last.
    fn nonce(&mut self, last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[3..11].copy_from_slice(&self.chunk.to_be_bytes());
        nonce[11] = u8::from(last);
        self.chunk += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Lends the file key of what it opens or seals.
struct Lent<T> {
    of: T,
    key: Cell<Option<Zeroizing<[u8; FILE_KEY]>>>,
}

impl<T> Lent<T> {
    const fn new(of: T) -> Self {
        Self { of, key: Cell::new(None) }
    }

    fn keep(&self, key: &FileKey) {
        self.key.set(Some(Zeroizing::new(*key.expose_secret())));
    }
}

impl Identity for Lent<&dyn Identity> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        self.of.unwrap_stanza(stanza)
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, DecryptError>> {
        let key = self.of.unwrap_stanzas(stanzas)?;
        Some(key.inspect(|key| self.keep(key)))
    }
}

impl Recipient for Lent<&dyn Recipient> {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, std::collections::HashSet<String>), EncryptError> {
        self.keep(file_key);
        self.of.wrap_file_key(file_key)
    }
}

/// The plaintext of a payload. An error ends it: nothing more is read after one. Errors of kind `InvalidData` and
/// `UnexpectedEof` without a system error below are the format's; all others come from below.
pub(super) struct PayloadReader<R> {
    input: R,
    stream: Stream,
    /// A chunk, sealed or open, and one byte more: it shows that another chunk follows.
    buffer: Zeroizing<Vec<u8>>,
    /// Bytes of the next chunk that are in the buffer already.
    begun: usize,
    /// What is open and was not taken yet.
    open: std::ops::Range<usize>,
    ended: bool,
    /// Where the payload begins in what it is read from.
    begins: u64,
    /// Bytes of plaintext before the next that is read.
    at: u64,
}

/// The header of an age file, up to and with the line of its code.
///
/// # Errors
/// Of a kind of the format where there is no end to it, else what came from below.
pub(super) fn read_header(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    loop {
        let line = header.len();
        let room = HEADER_BYTES_MAX.saturating_sub(line) as u64;
        let count = input.by_ref().take(room).read_until(b'\n', &mut header)?;
        if count == 0 || header.last() != Some(&b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if header[line..].starts_with(b"---") {
            return Ok(header);
        }
    }
}

/// Opens the file whose `header`, up to and with the line of its code, was read from `input`.
pub(super) fn open<R: Read>(
    mut header: Vec<u8>,
    mut input: R,
    identity: &dyn Identity,
) -> Result<PayloadReader<R>, DecryptError> {
    let head = header.len();
    input.by_ref().take(SALT as u64).read_to_end(&mut header)?;
    let lent = Lent::new(identity);
    let salt = header.get(head..).and_then(|salt| <[u8; SALT]>::try_from(salt).ok());
    // The library judges the header as a whole; of the payload it sees nothing.
    drop(
        Decryptor::new_buffered(Cursor::new(&header))?
            .decrypt(std::iter::once(&lent as &dyn Identity))?,
    );
    let key = lent.key.take().ok_or(DecryptError::DecryptionFailed)?;
    let salt = salt.ok_or(DecryptError::InvalidHeader)?;
    Ok(PayloadReader {
        input,
        stream: Stream::new(&key, &salt).ok_or(DecryptError::DecryptionFailed)?,
        buffer: Zeroizing::new(vec![0; CHUNK + TAG + 1]),
        begun: 0,
        open: 0..0,
        ended: false,
        begins: header.len() as u64,
        at: 0,
    })
}

impl<R: Read> PayloadReader<R> {
    fn next_chunk(&mut self) -> io::Result<()> {
        const WHOLE: usize = CHUNK + TAG;
        if self.begun == 1
            && let Some(extra) = self.buffer.get(WHOLE).copied()
        {
            self.buffer[0] = extra;
        }
        let mut filled = self.begun;
        while filled < self.buffer.len() {
            match self.input.read(&mut self.buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        let last = filled <= WHOLE;
        let first = self.stream.chunk == 0;
        let nonce = self.stream.nonce(last);
        let sealed = &mut self.buffer[..filled.min(WHOLE)];
        let length = self
            .stream
            .key
            .open_in_place(nonce, Aad::empty(), sealed)
            .map_or(None, |p| Some(p.len()));
        self.begun = usize::from(!last);
        self.ended = last;
        match length {
            // Only the payload of nothing ends with an empty chunk.
            Some(0) if !first => Err(damaged()),
            Some(length) => {
                self.open = 0..length;
                Ok(())
            }
            None => {
                self.ended = true;
                Err(if filled < TAG { io::ErrorKind::UnexpectedEof.into() } else { damaged() })
            }
        }
    }
}

impl<R: Read + Seek> PayloadReader<R> {
    /// Bytes of the plaintext, by the length of what holds it. A file that was cut has another length than it had, and
    /// its last chunk does not open.
    fn length(&mut self) -> io::Result<u64> {
        let sealed = self.input.seek(SeekFrom::End(0))?.saturating_sub(self.begins);
        let chunks = sealed.div_ceil((CHUNK + TAG) as u64);
        Ok(sealed.saturating_sub(chunks * TAG as u64))
    }
}

impl<R: Read + Seek> Seek for PayloadReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length()?.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let Some(to) = to else { return Err(io::ErrorKind::InvalidInput.into()) };
        // Nothing is at the end or behind it.
        let length = self.length()?;
        if to >= length {
            (self.begun, self.open, self.ended, self.at) = (0, 0..0, true, length);
            return Ok(length);
        }
        let chunk = to / CHUNK as u64;
        self.input.seek(SeekFrom::Start(self.begins + chunk * (CHUNK + TAG) as u64))?;
        self.stream.chunk = chunk;
        (self.begun, self.open, self.ended) = (0, 0..0, false);
        self.at = chunk * CHUNK as u64;
        let mut before = to - self.at;
        let mut skipped = Zeroizing::new([0; 4 << 10]);
        while before > 0 {
            let room = skipped.len().min(usize::try_from(before).unwrap_or(usize::MAX));
            match self.read(&mut skipped[..room])? {
                0 => return Err(damaged()),
                count => before -= count as u64,
            }
        }
        Ok(self.at)
    }
}

fn damaged() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

impl<R: Read> Read for PayloadReader<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.open.is_empty() && !self.ended && !to.is_empty() {
            self.next_chunk()?;
        }
        let count = self.open.len().min(to.len());
        to[..count].copy_from_slice(&self.buffer[self.open.start..self.open.start + count]);
        self.open.start += count;
        self.at += count as u64;
        Ok(count)
    }
}

/// Seals a payload chunk by chunk.
pub(super) struct PayloadWriter<W> {
    output: W,
    stream: Stream,
    /// What is not sealed yet: a whole chunk waits until it is known whether it is the last.
    chunk: Zeroizing<Vec<u8>>,
}

/// Writes the header for `recipient` to `output`, and makes a writer of what follows it.
pub(super) fn seal<W: Write>(
    recipient: &dyn Recipient,
    mut output: W,
) -> io::Result<Result<PayloadWriter<W>, EncryptError>> {
    let lent = Lent::new(recipient);
    let encryptor = match Encryptor::with_recipients(std::iter::once(&lent as &dyn Recipient)) {
        Ok(encryptor) => encryptor,
        Err(error) => return Ok(Err(error)),
    };
    let mut header = Vec::new();
    drop(encryptor.wrap_output(&mut header)?);
    output.write_all(&header)?;
    let stream = lent
        .key
        .take()
        .zip(header.last_chunk::<SALT>())
        .and_then(|(key, salt)| Stream::new(&key, salt))
        .ok_or_else(damaged)?;
    let chunk = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
    Ok(Ok(PayloadWriter { output, stream, chunk }))
}

impl<W: Write> PayloadWriter<W> {
    fn put(&mut self, last: bool) -> io::Result<()> {
        let nonce = self.stream.nonce(last);
        let tag = self
            .stream
            .key
            .seal_in_place_separate_tag(nonce, Aad::empty(), &mut self.chunk)
            .map_err(|_| damaged())?;
        self.chunk.extend_from_slice(tag.as_ref());
        self.output.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }

    /// Seals the last chunk; what is written without it does not open.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.put(true)?;
        Ok(self.output)
    }
}

impl<W: Write> Write for PayloadWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK && !bytes.is_empty() {
            self.put(false)?;
        }
        let count = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    //! Against the age library, which is tested with the vectors of the age project itself: what it writes is read
    //! here, what is written here it reads, and both refuse the same damage.
    #![allow(clippy::unwrap_used, reason = "tests")]

    use age::x25519;
    use proptest::prelude::*;

    use super::*;

    /// Around the ends of chunks.
    const LENGTHS: [usize; 10] =
        [0, 1, 15, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 3 * CHUNK];

    fn plain(length: usize) -> Vec<u8> {
        (0..=250).cycle().take(length).collect()
    }

    fn split(sealed: &[u8]) -> (Vec<u8>, &[u8]) {
        let at = sealed.windows(4).position(|w| w == b"\n---").unwrap() + 1;
        let end = at + sealed[at..].iter().position(|b| *b == b'\n').unwrap() + 1;
        (sealed[..end].to_vec(), &sealed[end..])
    }

    fn ours(sealed: &[u8], identity: &dyn Identity) -> Option<Vec<u8>> {
        let (header, rest) = split(sealed);
        let mut plain = Vec::new();
        open(header, rest, identity).ok()?.read_to_end(&mut plain).ok()?;
        Some(plain)
    }

    fn theirs(sealed: &[u8], identity: &dyn Identity) -> Option<Vec<u8>> {
        let mut plain = Vec::new();
        let decryptor = Decryptor::new_buffered(sealed).ok()?;
        decryptor.decrypt(std::iter::once(identity)).ok()?.read_to_end(&mut plain).ok()?;
        Some(plain)
    }

    fn sealed(identity: &x25519::Identity, bytes: &[u8], at_once: usize) -> Vec<u8> {
        let mut writer = seal(&identity.to_public(), Vec::new()).unwrap().unwrap();
        for piece in bytes.chunks(at_once) {
            writer.write_all(piece).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn what_the_library_seals_opens_here_and_the_other_way_round() {
        let identity = x25519::Identity::generate();
        for length in LENGTHS {
            let bytes = plain(length);
            let by_library = age::encrypt(&identity.to_public(), &bytes).unwrap();
            assert_eq!(ours(&by_library, &identity).as_ref(), Some(&bytes), "{length}");
            for at_once in [7_919, CHUNK, CHUNK + 1, 1 << 20] {
                let by_us = sealed(&identity, &bytes, at_once);
                assert_eq!(split(&by_us).1.len(), split(&by_library).1.len(), "{length}");
                assert_eq!(theirs(&by_us, &identity).as_ref(), Some(&bytes), "{length}");
            }
        }
    }

    #[test]
    fn a_file_that_is_cut_or_grown_anywhere_near_the_end_of_a_chunk_opens_for_neither() {
        let identity = x25519::Identity::generate();
        for length in LENGTHS {
            let whole = age::encrypt(&identity.to_public(), &plain(length)).unwrap();
            let head = split(&whole).0.len() + SALT;
            let ends = (0..4).map(|n| head + n * (CHUNK + TAG));
            let cuts = ends.flat_map(|end| end.saturating_sub(18)..end + 18);
            for cut in cuts.filter(|cut| (head..whole.len()).contains(cut)) {
                assert_eq!(theirs(&whole[..cut], &identity), None, "{length} cut at {cut}");
                assert_eq!(ours(&whole[..cut], &identity), None, "{length} cut at {cut}");
            }
            for more in [1, TAG, CHUNK, CHUNK + TAG] {
                let grown = [whole.as_slice(), &vec![0; more]].concat();
                assert_eq!(theirs(&grown, &identity), None, "{length} and {more}");
                assert_eq!(ours(&grown, &identity), None, "{length} and {more}");
            }
        }
    }

    #[test]
    fn an_empty_last_chunk_after_a_whole_one_is_damage() {
        let identity = x25519::Identity::generate();
        let mut writer = seal(&identity.to_public(), Vec::new()).unwrap().unwrap();
        writer.write_all(&plain(CHUNK)).unwrap();
        writer.put(false).unwrap();
        let odd = writer.finish().unwrap();
        assert_eq!(theirs(&odd, &identity), None);
        assert_eq!(ours(&odd, &identity), None);
    }

    #[test]
    fn chunks_in_another_order_do_not_open() {
        let identity = x25519::Identity::generate();
        let mut whole = age::encrypt(&identity.to_public(), &plain(3 * CHUNK)).unwrap();
        let head = split(&whole).0.len() + SALT;
        let (one, two) = whole[head..].split_at_mut(CHUNK + TAG);
        one.swap_with_slice(&mut two[..CHUNK + TAG]);
        assert_eq!(ours(&whole, &identity), None);
    }

    #[test]
    fn after_an_error_nothing_more_is_read() {
        let identity = x25519::Identity::generate();
        let mut whole = age::encrypt(&identity.to_public(), &plain(3 * CHUNK)).unwrap();
        let head = split(&whole).0.len() + SALT;
        whole[head + 5] ^= 1;
        let (header, rest) = split(&whole);
        let mut reader = open(header, rest, &identity).unwrap();
        let mut bytes = vec![0; CHUNK];
        assert_eq!(reader.read(&mut bytes).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(reader.read(&mut bytes).unwrap(), 0);
        assert!(bytes.iter().all(|b| *b == 0));
    }

    proptest! {
        #[test]
        fn one_flipped_bit_anywhere_is_damage_to_both(length in 0..2 * CHUNK + 9, at: prop::sample::Index, bit in 0..8_u32) {
            let identity = x25519::Identity::generate();
            let mut whole = age::encrypt(&identity.to_public(), &plain(length)).unwrap();
            let at = at.index(whole.len());
            let (header, _) = split(&whole);
            whole[at] ^= 1_u8 << bit;
            prop_assert_eq!(theirs(&whole, &identity), None);
            if at >= header.len() {
                prop_assert_eq!(ours(&whole, &identity), None);
            }
        }
    }
}
