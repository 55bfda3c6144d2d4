//! Timestamps of an authority (RFC 3161) over checkpoints: the query that the office sends by its own means, and what an
//! answer says.
//!
//! An answer is read as far as it must fit the query: granted, over this imprint, with this nonce. Whose it is and whether
//! the authority is to be believed, this program does not judge: `openssl ts -verify` does, with the authority's own
//! certificate. Answers come from outside and are taken for hostile.

use der::{Decode, Reader, SliceReader, Tag, Tagged, asn1::AnyRef};

use super::{checkpoint::Checkpoint, digest::Digest, time::Timestamp};

/// Bytes of an answer, with the certificates in it.
pub const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// Bits of a nonce below those that say the size.
const NONCE_BITS: u32 = 24;
/// The greatest size that a nonce can say.
pub const SIZE_MAX: u64 = (1 << (63 - NONCE_BITS)) - 1;

/// 2.16.840.1.101.3.4.2.1.
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// 1.2.840.113549.1.7.2.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4.
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];

/// What an authority answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// SHA-256 that it is over.
    pub imprint: Digest,
    /// The nonce of the query, big-endian and positive.
    pub nonce: u64,
    /// When, by the authority's clock; whole seconds.
    pub at: Timestamp,
}

/// Why an answer is none to a query of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// Not DER of this form.
    #[error("this is no answer of a timestamp authority (RFC 3161, DER)")]
    Form,
    /// The authority did not grant it.
    #[error("the authority did not grant a timestamp (status {0})")]
    NotGranted(u64),
    /// Over another digest than SHA-256, or without a nonce.
    #[error("the timestamp is not over a query of this register")]
    Foreign,
}

/// SHA-256 of a checkpoint's three lines: what is stamped.
#[must_use]
pub fn imprint(checkpoint: &Checkpoint) -> Digest {
    Digest::of(checkpoint.body().as_bytes())
}

/// The nonce of a query: the size, by which an answer is found again without a memory of what was asked, and three bytes
/// of the root. It need not be secret: an imprint is stamped for no one else.
#[must_use]
pub fn nonce(checkpoint: &Checkpoint) -> u64 {
    let [a, b, c, ..] = *checkpoint.root.as_bytes();
    let tail = u64::from(u32::from_be_bytes([0, a, b, c]));
    (checkpoint.size.min(SIZE_MAX) << NONCE_BITS) | tail
}

/// The size that a nonce says.
#[must_use]
pub const fn size_of(nonce: u64) -> u64 {
    nonce >> NONCE_BITS
}

/// A query over a checkpoint (RFC 3161, 2.4.1): version 1, SHA-256, our nonce, and the authority's certificate is wanted.
#[must_use]
pub fn query(checkpoint: &Checkpoint) -> Vec<u8> {
    let algorithm = seq(&[tlv(0x06, SHA256), tlv(0x05, &[])].concat());
    let hashed = tlv(0x04, imprint(checkpoint).as_bytes());
    let bytes = nonce(checkpoint).to_be_bytes();
    // The shortest form that is positive.
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
    let lead = usize::from(bytes[first] & 0x80 != 0);
    let number = [&[0_u8][..lead], &bytes[first..]].concat();
    let parts = [
        tlv(0x02, &[1]),
        seq(&[algorithm, hashed].concat()),
        tlv(0x02, &number),
        tlv(0x01, &[0xff]),
    ];
    seq(&parts.concat())
}

/// A value of fewer than 128 bytes: none in a query is longer.
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap_or(0);
    [&[tag, length], value].concat()
}

fn seq(value: &[u8]) -> Vec<u8> {
    tlv(0x30, value)
}

impl Answer {
    /// Reads the file that an authority sent.
    ///
    /// # Errors
    /// [`AnswerFault`].
    pub fn parse(file: &[u8]) -> Result<Self, AnswerFault> {
        let all = AnyRef::from_der(file).map_err(|_| AnswerFault::Form)?;
        let mut answer = inside(all, Tag::Sequence)?;
        let mut status = inside(next(&mut answer)?, Tag::Sequence)?;
        let status = number(next(&mut status)?)?;
        // 0 granted, 1 granted with modifications.
        if status > 1 {
            return Err(AnswerFault::NotGranted(status));
        }
        let mut content = inside(next(&mut answer)?, Tag::Sequence)?;
        let info = token(&mut content)?;
        Self::of_info(AnyRef::from_der(info).map_err(|_| AnswerFault::Form)?)
    }

    /// TSTInfo (RFC 3161, 2.4.2).
    fn of_info(info: AnyRef<'_>) -> Result<Self, AnswerFault> {
        let mut info = inside(info, Tag::Sequence)?;
        let _version = number(next(&mut info)?)?;
        let _policy = value(next(&mut info)?, Tag::ObjectIdentifier)?;
        let mut imprint = inside(next(&mut info)?, Tag::Sequence)?;
        let mut algorithm = inside(next(&mut imprint)?, Tag::Sequence)?;
        let is_sha256 = value(next(&mut algorithm)?, Tag::ObjectIdentifier)? == SHA256;
        let hashed = value(next(&mut imprint)?, Tag::OctetString)?;
        let _serial = value(next(&mut info)?, Tag::Integer)?;
        let at = time(value(next(&mut info)?, Tag::GeneralizedTime)?).ok_or(AnswerFault::Form)?;
        let mut nonce = None;
        while !info.is_finished() {
            // Accuracy, ordering, name and extensions are the authority's business; the one INTEGER is the nonce.
            let any = next(&mut info)?;
            if any.tag() == Tag::Integer {
                nonce = Some(number(any)?);
            }
        }
        let hashed = <[u8; 32]>::try_from(hashed).ok().filter(|_| is_sha256);
        match (hashed, nonce) {
            (Some(hashed), Some(nonce)) => {
                Ok(Self { imprint: Digest::from_bytes(hashed), nonce, at })
            }
            _ => Err(AnswerFault::Foreign),
        }
    }

    /// Whether this is the answer to our query over a checkpoint.
    #[must_use]
    pub fn is_over(&self, checkpoint: &Checkpoint) -> bool {
        self.imprint == imprint(checkpoint) && self.nonce == nonce(checkpoint)
    }
}

/// The bytes of the TSTInfo in a ContentInfo of SignedData (RFC 5652).
fn token<'a>(content: &mut SliceReader<'a>) -> Result<&'a [u8], AnswerFault> {
    if value(next(content)?, Tag::ObjectIdentifier)? != SIGNED_DATA {
        return Err(AnswerFault::Form);
    }
    let mut signed = inside(explicit(next(content)?)?, Tag::Sequence)?;
    let (_version, _algorithms) = (next(&mut signed)?, next(&mut signed)?);
    let mut inner = inside(next(&mut signed)?, Tag::Sequence)?;
    if value(next(&mut inner)?, Tag::ObjectIdentifier)? != TST_INFO {
        return Err(AnswerFault::Form);
    }
    value(explicit(next(&mut inner)?)?, Tag::OctetString)
}

fn next<'a>(reader: &mut SliceReader<'a>) -> Result<AnyRef<'a>, AnswerFault> {
    AnyRef::decode(reader).map_err(|_| AnswerFault::Form)
}

fn value<'a>(any: AnyRef<'a>, tag: Tag) -> Result<&'a [u8], AnswerFault> {
    if any.tag() == tag { Ok(any.value()) } else { Err(AnswerFault::Form) }
}

fn inside(any: AnyRef<'_>, tag: Tag) -> Result<SliceReader<'_>, AnswerFault> {
    SliceReader::new(value(any, tag)?).map_err(|_| AnswerFault::Form)
}

/// What a tag `[0]` around a value holds.
fn explicit(any: AnyRef<'_>) -> Result<AnyRef<'_>, AnswerFault> {
    if !any.tag().is_context_specific() {
        return Err(AnswerFault::Form);
    }
    AnyRef::from_der(any.value()).map_err(|_| AnswerFault::Form)
}

/// A positive INTEGER of 64 bits at most.
fn number(any: AnyRef<'_>) -> Result<u64, AnswerFault> {
    let bytes = value(any, Tag::Integer)?;
    let positive = bytes.first().is_some_and(|byte| byte & 0x80 == 0);
    let bytes = bytes.strip_prefix(&[0]).unwrap_or(bytes);
    if !positive || bytes.len() > 8 {
        return Err(AnswerFault::Foreign);
    }
    Ok(bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

/// `YYYYMMDDhhmmss[.f]Z`; parts of a second are left out.
fn time(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (text, part) = text.split_once('.').unwrap_or((text, "0"));
    if text.len() != 14 || !text.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let [date, hour, minute, second] = [&text[..8], &text[8..10], &text[10..12], &text[12..14]];
    let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
    Timestamp::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    fn checkpoint(size: u64) -> Checkpoint {
        Checkpoint { origin: "batchward/test".to_owned(), size, root: Digest::of(b"root") }
    }

    #[test]
    fn a_nonce_says_the_size_and_stays_positive() {
        for size in [1, 255, 1 << 20, SIZE_MAX] {
            let nonce = nonce(&checkpoint(size));
            assert_eq!(size_of(nonce), size);
            assert!(nonce < 1 << 63);
        }
    }

    #[test]
    fn a_query_is_the_shortest_der_of_its_values() {
        for size in [1, 127, 128, 40_000, SIZE_MAX] {
            let query = query(&checkpoint(size));
            let mut parts = inside(AnyRef::from_der(&query).unwrap(), Tag::Sequence).unwrap();
            assert_eq!(number(next(&mut parts).unwrap()), Ok(1));
            next(&mut parts).unwrap();
            let asked = next(&mut parts).unwrap();
            assert_eq!(number(asked), Ok(nonce(&checkpoint(size))));
            let bytes = asked.value();
            assert!(bytes.len() == 1 || bytes[0] != 0 || bytes[1] & 0x80 != 0, "{bytes:x?}");
            assert_eq!(value(next(&mut parts).unwrap(), Tag::Boolean), Ok(&[0xff][..]));
            assert!(parts.is_finished());
        }
    }

    #[test]
    fn times_are_read_to_the_second() {
        let at = Timestamp::parse("2026-11-21T01:02:03Z");
        assert_eq!(time(b"20261121010203Z"), at);
        assert_eq!(time(b"20261121010203.75Z"), at);
        for bad in ["20261121010203", "2026112101020Z", "20261321010203Z", "20261121010203.xZ", ""]
        {
            assert_eq!(time(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn bytes_that_are_no_answer_are_refused_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Answer::parse(&bytes).is_err());
            let _ = Answer::parse(&seq(&bytes[..bytes.len().min(100)]));
        }
    }
}
