//! ECDSA keys whose secret number is short.
//!
//! OpenSSH writes the number as an `mpint`, without leading zero bytes; one key in 256 has some. ssh-key 0.6 reads only
//! numbers of full length, and takes such a key for a damaged one. Here the number is written out to that length.
//! Format: OpenSSH's PROTOCOL.key.

use data_encoding::BASE64;
use ssh_key::PrivateKey;
use zeroize::Zeroizing;

const MAGIC: &[u8] = b"openssh-key-v1\0";
const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
/// The private section is padded to this many bytes where it is not encrypted.
const BLOCK: usize = 8;

/// The key of a file that is not encrypted; nothing where it is none of these.
pub(super) fn plain(file: &[u8]) -> Option<PrivateKey> {
    let text = std::str::from_utf8(file).ok()?;
    let body = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let body: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    let bytes = Zeroizing::new(BASE64.decode(body.as_bytes()).ok()?);
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let cipher = string(&mut rest)?;
    let _kdf = (string(&mut rest)?, string(&mut rest)?);
    let _count = rest.split_off(..4)?;
    let _public = string(&mut rest)?;
    let section = string(&mut rest)?;
    if cipher == b"none" { of_section(section) } else { None }
}

/// The key of a file that ssh-key has read and cannot decrypt; nothing where it is none of these.
pub(super) fn encrypted(key: &PrivateKey, passphrase: &[u8]) -> Option<PrivateKey> {
    let (secret, iv) = key.kdf().derive_key_and_iv(key.cipher(), passphrase).ok()?;
    let mut section = Zeroizing::new(key.key_data().encrypted()?.to_vec());
    key.cipher().decrypt(&secret, &iv, &mut section, None).ok()?;
    of_section(&section)
}

/// The key of a private section, with its number written out.
fn of_section(section: &[u8]) -> Option<PrivateKey> {
    let mut rest = section;
    // Twice the same number: else the passphrase was another one.
    let check = rest.split_off(..8)?;
    let (kind, curve, public) = (string(&mut rest)?, string(&mut rest)?, string(&mut rest)?);
    let (number, comment) = (string(&mut rest)?, string(&mut rest)?);
    let full = public.len().checked_sub(1)? / 2;
    let zeroes = full.checked_sub(number.len()).filter(|zeroes| *zeroes > 0)?;
    if check[..4] != check[4..] || !kind.starts_with(b"ecdsa-sha2-") {
        return None;
    }
    let mut written = Zeroizing::new(vec![0; zeroes]);
    written.extend_from_slice(number);

    let mut blob = Vec::new();
    for part in [kind, curve, public] {
        put(&mut blob, part)?;
    }
    let mut section = Zeroizing::new(Vec::with_capacity(1024));
    section.extend_from_slice(check);
    section.extend_from_slice(&blob);
    put(&mut section, &written)?;
    put(&mut section, comment)?;
    let padding = section.len().next_multiple_of(BLOCK) - section.len();
    section.extend((1_u8..).take(padding));

    let mut bytes = Zeroizing::new(Vec::with_capacity(2048));
    bytes.extend_from_slice(MAGIC);
    for part in [&b"none"[..], b"none", b""] {
        put(&mut bytes, part)?;
    }
    bytes.extend_from_slice(&1_u32.to_be_bytes());
    put(&mut bytes, &blob)?;
    put(&mut bytes, &section)?;
    PrivateKey::from_bytes(&bytes).ok()
}

/// The next string: four bytes of length, then its bytes.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u32::from_be_bytes(rest.split_off(..4)?.try_into().ok()?);
    rest.split_off(..usize::try_from(len).ok()?)
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) -> Option<()> {
    bytes.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(part);
    Some(())
}
