//! Opening a provider's age file with the key that came separately.
//!
//! What is wrong with the delivery, with the key and with reading are three kinds of error and never mixed: they lead
//! to quarantine, to another key, and to another try.

use std::{
    io::{self, BufReader, Chain, Cursor, Read},
    sync::{Mutex, PoisonError},
};

use age::{DecryptError, armor::ArmoredReader, scrypt, secrecy::SecretString, x25519};

use super::{
    SealError, identity_of, looks_like_age,
    payload::{self, PayloadReader, read_header},
};
use crate::domain::{
    digest::Digest,
    limits::{KEY_BYTES_MAX, SCRYPT_LOG_N_MAX},
    secret::Secret,
};

/// Bytes by which a file is known as an age file.
const PEEK_BYTES: u64 = 1 << 10;
/// Bytes that the header is read by; a chunk of the payload is longer and goes past this buffer.
const BUFFER: usize = 16 << 10;

/// One attempt at a passphrase at a time: at 2^20 each takes 1 GiB.
static ONE_ATTEMPT: Mutex<()> = Mutex::new(());

/// The key of a batch.
#[derive(Debug)]
pub enum DeliveryKey {
    /// An X25519 identity, its text alone.
    Identity(Secret),
    /// A passphrase.
    Passphrase(Secret),
}

/// Why the bytes of a key file are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Longer than a key file may be.
    #[error("the key is longer than {KEY_BYTES_MAX} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("the key is not UTF-8")]
    NotUtf8,
    /// Nothing in it.
    #[error("there is no key in it")]
    Empty,
    /// A line that is neither a comment nor an identity of the X25519 kind.
    #[error("expected an age identity, AGE-SECRET-KEY-1…")]
    NotIdentity,
    /// Two identities: one batch has one key.
    #[error("expected one age identity, found several")]
    Several,
}

impl DeliveryKey {
    /// Reads an identity file as `age-keygen` writes it: comments, blank lines, one identity.
    ///
    /// # Errors
    /// [`KeyFault`].
    pub fn parse_identity(bytes: &Secret) -> Result<Self, KeyFault> {
        let text = text_of(bytes)?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let mut lines =
            text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        let line = lines.next().ok_or(KeyFault::Empty)?;
        line.parse::<x25519::Identity>().map_err(|_| KeyFault::NotIdentity)?;
        match lines.next() {
            None => Ok(Self::Identity(Secret::new(line.as_bytes().to_vec()))),
            Some(next) if next.parse::<x25519::Identity>().is_ok() => Err(KeyFault::Several),
            Some(_) => Err(KeyFault::NotIdentity),
        }
    }

    /// Reads a passphrase file: one last line feed, with or without carriage return, is no part of it.
    ///
    /// # Errors
    /// [`KeyFault`].
    pub fn parse_passphrase(bytes: &Secret) -> Result<Self, KeyFault> {
        let text = text_of(bytes)?;
        let text = text.strip_suffix('\n').map_or(text, |t| t.strip_suffix('\r').unwrap_or(t));
        if text.is_empty() {
            return Err(KeyFault::Empty);
        }
        Ok(Self::Passphrase(Secret::new(text.as_bytes().to_vec())))
    }

    /// What the register says of the key: SHA-256 of an identity's recipient. Of a passphrase nothing, since a hash of
    /// it could be guessed at.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Digest> {
        match self {
            Self::Identity(text) => {
                let recipient = identity_of(text).ok()?.to_public().to_string();
                Some(Digest::of(recipient.as_bytes()))
            }
            Self::Passphrase(_) => None,
        }
    }
}

fn text_of(bytes: &Secret) -> Result<&str, KeyFault> {
    if bytes.expose().len() as u64 > KEY_BYTES_MAX {
        return Err(KeyFault::TooLong);
    }
    std::str::from_utf8(bytes.expose()).map_err(|_| KeyFault::NotUtf8)
}

/// Why a delivered file does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It does not begin as an age file.
    #[error("the file does not begin as an age file")]
    NotAge,
    /// The key opens nothing in it.
    #[error("the key does not open the file")]
    WrongKey,
    /// Damaged or cut short within age's own format.
    #[error("the file is damaged")]
    Damaged,
    /// It asks for more scrypt work than allowed; none was done.
    #[error("the file asks for scrypt work of 2^{asked}, allowed is 2^{SCRYPT_LOG_N_MAX}")]
    TooMuchWork {
        /// The binary logarithm that it asks for.
        asked: u64,
    },
    /// The key itself is none.
    #[error("the key cannot be used")]
    Key(#[source] SealError),
    /// Reading failed, which says nothing about the delivery.
    #[error("cannot read the delivered file")]
    Io(#[source] io::Error),
}

/// The mark of damage in an I/O error.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the file is damaged or cut short")]
struct Damage;

/// Whether an error of a [`DeliveryReader`] is damage of the delivery, not trouble with reading it.
#[must_use]
pub fn is_damage(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Damage>())
}

type Whole<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

/// What is encrypted. A binary file is read as it is: the reader of armored ones would copy it once more.
enum Body<R: Read> {
    Binary(Whole<R>),
    Armored(Box<BufReader<ArmoredReader<BufReader<Whole<R>>>>>),
}

impl<R: Read> Body<R> {
    fn new(first: Vec<u8>, rest: R) -> Self {
        let armored = first.trim_ascii_start().starts_with(b"-----BEGIN");
        let whole = BufReader::with_capacity(BUFFER, Cursor::new(first).chain(rest));
        if armored {
            Self::Armored(Box::new(BufReader::new(ArmoredReader::new(whole))))
        } else {
            Self::Binary(whole)
        }
    }

    fn header(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Binary(body) => read_header(body),
            Self::Armored(body) => read_header(body),
        }
    }
}

impl<R: Read> Read for Body<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Binary(body) => body.read(buffer),
            Self::Armored(body) => body.read(buffer),
        }
    }
}

/// The plaintext of a delivered file. An error ends it: nothing more is read after one.
pub struct DeliveryReader<R: Read> {
    stream: PayloadReader<Body<R>>,
    failed: bool,
}

impl<R: Read> Read for DeliveryReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            return Err(damage());
        }
        self.stream.read(buffer).map_err(|error| {
            self.failed = true;
            if is_format(&error) { damage() } else { error }
        })
    }
}

fn damage() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Damage)
}

/// What is wrong with the format has these kinds and no system error below.
fn is_format(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];
    error.raw_os_error().is_none() && kinds.contains(&error.kind())
}

/// Opens a delivered file, binary or armored.
///
/// # Errors
/// [`OpenError`]. Damage behind the header comes while reading: see [`is_damage`].
pub fn open_delivery<R: Read>(
    reader: R,
    key: &DeliveryKey,
) -> Result<DeliveryReader<R>, OpenError> {
    let mut reader = reader;
    let mut first = Vec::new();
    reader.by_ref().take(PEEK_BYTES).read_to_end(&mut first).map_err(OpenError::Io)?;
    if !looks_like_age(&first) {
        return Err(OpenError::NotAge);
    }
    let mut body = Body::new(first, reader);
    let header = body.header().map_err(|error| {
        if is_format(&error) { OpenError::Damaged } else { OpenError::Io(error) }
    })?;
    if let Some(asked) = scrypt_work(&header).filter(|asked| *asked > u64::from(SCRYPT_LOG_N_MAX)) {
        return Err(OpenError::TooMuchWork { asked });
    }
    let stream = match key {
        DeliveryKey::Identity(text) => {
            let identity = identity_of(text).map_err(OpenError::Key)?;
            payload::open(header, body, &identity).map_err(of)?
        }
        DeliveryKey::Passphrase(passphrase) => {
            let text = std::str::from_utf8(passphrase.expose())
                .map_err(|_| OpenError::Key(SealError::Identity))?;
            let mut identity = scrypt::Identity::new(SecretString::from(text));
            identity.set_max_work_factor(SCRYPT_LOG_N_MAX);
            let _one = ONE_ATTEMPT.lock().unwrap_or_else(PoisonError::into_inner);
            payload::open(header, body, &identity).map_err(of)?
        }
    };
    Ok(DeliveryReader { stream, failed: false })
}

fn of(error: DecryptError) -> OpenError {
    match error {
        // A stanza that the key does not open cannot be told from one that was damaged; the header's code is checked
        // only with the right key, and then it tells.
        DecryptError::NoMatchingKeys
        | DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed => OpenError::WrongKey,
        DecryptError::ExcessiveWork { required, .. } => {
            OpenError::TooMuchWork { asked: u64::from(required) }
        }
        DecryptError::Io(source) if !is_format(&source) => OpenError::Io(source),
        _ => OpenError::Damaged,
    }
}

/// The work factor that a header asks for: the second argument of its scrypt stanza (age v1, "scrypt recipient").
fn scrypt_work(header: &[u8]) -> Option<u64> {
    header
        .split(|b| *b == b'\n')
        .filter_map(|line| line.strip_prefix(b"-> scrypt "))
        .filter_map(|arguments| arguments.split(|b| *b == b' ').nth(1))
        .filter(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
        .map(|digits| {
            let value = |sum: u64, digit: &u8| {
                sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
            };
            digits.iter().fold(0, value)
        })
        .max()
}
