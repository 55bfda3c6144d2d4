//! Names that a wipe takes and gives, and when two looks at a file saw the same.

use std::ffi::OsStr;

use rustix::fs::Stat;

use super::WipeError;
use crate::domain::digest::Digest;

/// How the names begin under which overwritten files wait for their unlink.
pub(in crate::adapters) const NEUTRAL: &str = ".wiped-";
/// Digits behind that.
const NEUTRAL_DIGITS: usize = 16;

/// The name under which an overwritten file waits for its unlink. It follows from the name alone, so that a repeat
/// finds it, and tells nothing.
pub(in crate::adapters) fn neutral_name(name: &OsStr) -> String {
    let digest = Digest::of(name.as_encoded_bytes()).to_string();
    format!("{NEUTRAL}{}", &digest[..NEUTRAL_DIGITS])
}

/// Whether a name is one under which an overwritten file waits for its unlink.
#[must_use]
pub fn is_neutral(name: &OsStr) -> bool {
    let digits = name.to_str().and_then(|name| name.strip_prefix(NEUTRAL));
    digits.is_some_and(|digits| {
        digits.len() == NEUTRAL_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

pub(super) fn check_name(name: &OsStr) -> Result<(), WipeError> {
    let bytes = name.as_encoded_bytes();
    let plain = !bytes.is_empty() && bytes != b"." && bytes != b"..";
    if plain && !bytes.iter().any(|b| matches!(b, b'/' | 0)) {
        Ok(())
    } else {
        Err(WipeError::BadName)
    }
}

pub(super) const fn same_file(one: &Stat, other: &Stat) -> bool {
    one.st_dev == other.st_dev && one.st_ino == other.st_ino
}

/// The same file, and nobody has written it or given it another name between two looks. A wipe's own rename makes
/// another change time: it is asked before that.
pub(super) const fn unchanged(one: &Stat, other: &Stat) -> bool {
    same_file(one, other)
        && one.st_size == other.st_size
        && one.st_ctime == other.st_ctime
        && one.st_ctime_nsec == other.st_ctime_nsec
}

pub(super) fn length(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}
