//! Keys and passphrases that came through the data channel, where they must never be.
//!
//! A file is known by its name, by the marks that key files carry, or by wording, in UTF-8, UTF-16 and CP950.
//! Ciphertext is not searched for words, only for marks; of a large file only the first line is, since records may
//! hold any word. A miss costs little, for such a file is unlisted or no age file and is refused all the same.

use super::{Entry, EntryKind, HEAD_BYTES};

/// A file up to this size may be a note, and is searched whole whether it is listed or not.
const NOTE_BYTES_MAX: u64 = HEAD_BYTES as u64;

/// Marks that only keys carry (age, PEM, OpenSSH, PuTTY), lower case.
const MARKS: &[&str] = &[
    "age-secret-key-1",
    "age-secret-key-pq-1",
    "age-plugin-",
    "private key-----",
    "private key block-----",
    "putty-user-key-file",
];

/// Words that give a password, lower case.
const WORDS: &[&str] = &[
    "密碼",
    "密码",
    "金鑰",
    "密鑰",
    "密钥",
    "通行碼",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret key",
    "secret_key",
];

/// 密碼, 金鑰, 密鑰 and 通行碼 in CP950.
const WORDS_CP950: &[&[u8]] = &[
    &[0xB1, 0x4B, 0xBD, 0x58],
    &[0xAA, 0xF7, 0xC6, 0x5F],
    &[0xB1, 0x4B, 0xC6, 0x5F],
    &[0xB3, 0x71, 0xA6, 0xE6, 0xBD, 0x58],
];

/// Endings of key files' names, lower case.
const ENDINGS: &[&str] = &[".key", ".pass", ".pem", ".ppk", ".p12", ".pfx", ".jks", ".kdbx"];

/// Names that ssh-keygen gives, lower case.
const STEMS: &[&str] = &["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];

/// Whether this thing in a delivery is a key or gives a password. Of what is known to be unlisted the whole head is
/// searched.
pub(super) fn is_key(entry: &Entry, unlisted: bool) -> bool {
    let head = lower(&entry.head);
    if holds_mark(&head) {
        return true;
    }
    if entry.kind != EntryKind::File || super::looks_like_age(&entry.head) {
        return false;
    }
    let searched = if unlisted || entry.bytes <= NOTE_BYTES_MAX {
        head.as_slice()
    } else {
        head.split(|b| *b == b'\n').next().unwrap_or_default()
    };
    is_key_name(&entry.name) || holds_word(searched)
}

/// Whether a name alone says that this is a key.
#[must_use]
pub fn is_key_name(name: &[u8]) -> bool {
    let name = lower(name);
    let stem = name.split(|b| *b == b'.').next().unwrap_or_default();
    ENDINGS.iter().any(|ending| name.ends_with(ending.as_bytes()))
        || STEMS.iter().any(|known| known.as_bytes() == stem)
        || holds_word(&name)
}

/// Whether bytes hold a mark that only keys carry.
pub(super) fn holds_mark(lower_bytes: &[u8]) -> bool {
    MARKS.iter().any(|mark| holds(lower_bytes, mark))
}

fn holds_word(bytes: &[u8]) -> bool {
    WORDS.iter().any(|word| holds(bytes, word))
        || WORDS_CP950.iter().any(|word| find(bytes, &lower(word)))
}

/// Whether `text` is there, in UTF-8 or in UTF-16 of either byte order.
fn holds(bytes: &[u8], text: &str) -> bool {
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    // The haystack is in lower case byte by byte, which hits the second bytes of wide characters too.
    [text.as_bytes(), &lower(&little), &lower(&big)].iter().any(|word| find(bytes, word))
}

fn find(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

pub(super) fn lower(bytes: &[u8]) -> Vec<u8> {
    bytes.to_ascii_lowercase()
}
