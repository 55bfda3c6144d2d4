//! The files of an evidence bundle, out of its ZIP file.
//!
//! A library for ZIP files passes over what it does not need: local heads, gaps, times, comments. Here each byte counts:
//! a bundle is stored files in the order of their names, each with the one head that it may have, and nothing else. What
//! another program unpacks from such a file is what was read here.

use std::collections::BTreeMap;

use crate::domain::digest::Digest;

/// Bytes of a bundle.
pub const BUNDLE_BYTES_MAX: u64 = 1 << 30;

/// Files by name.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Signature of a local head, and of a row of the list at the end.
const LOCAL: &[u8] = b"PK\x03\x04";
const ROW: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
/// Version 1.0, no flags, stored, midnight of 1 January 1980.
const KIND: &[u8] = b"\x0a\0\0\0\0\0\0\0\x21\0";

/// The files, each held to the list of sums.
pub(super) fn files(bundle: &[u8]) -> Result<Files, String> {
    let files = unpacked(bundle).map_err(|at| {
        format!("not a bundle, or changed between its files: byte {at} is not what stands there")
    })?;
    sums(&files)?;
    Ok(files)
}

/// The files, or the place from which on something else stands there than may.
fn unpacked(bundle: &[u8]) -> Result<Files, usize> {
    let (mut files, mut list, mut at) = (Files::new(), Vec::new(), 0);
    while let Some(file) = bundle.get(at..).filter(|rest| rest.starts_with(LOCAL)) {
        let (name, bytes) = stored(file).ok_or(at)?;
        let (head, start) = (head(name, bytes).ok_or(at)?, u32::try_from(at).map_err(|_| at)?);
        let later = files.last_key_value().is_none_or(|(last, _)| last.as_str() < name);
        if !later || !is_plain(name) || !file.starts_with(&[LOCAL, &head, name.as_bytes()].concat())
        {
            return Err(at);
        }
        list.extend_from_slice(&[ROW, b"\x0a\x03", &head].concat());
        // No comment, one volume, no attributes of old; a regular file that everyone may read.
        list.extend_from_slice(b"\0\0\0\0\0\0\0\0\xa4\x81");
        list.extend_from_slice(&start.to_le_bytes());
        list.extend_from_slice(name.as_bytes());
        at += LOCAL.len() + head.len() + name.len() + bytes.len();
        files.insert(name.to_owned(), bytes.to_vec());
    }
    let number = |n: usize| u32::try_from(n).map(u32::to_le_bytes).map_err(|_| at);
    let count = u16::try_from(files.len()).map_err(|_| at)?.to_le_bytes();
    let (length, start) = (number(list.len())?, number(at)?);
    list.extend_from_slice(&[END, b"\0\0\0\0", &count, &count, &length, &start, b"\0\0"].concat());
    let rest = bundle.get(at..).unwrap_or_default();
    let same = rest.iter().zip(&list).take_while(|(found, due)| found == due).count();
    if rest.len() == list.len() && same == list.len() { Ok(files) } else { Err(at + same) }
}

/// Name and bytes of the file that a local head begins.
fn stored(file: &[u8]) -> Option<(&str, &[u8])> {
    let number = |at: usize| {
        let bytes = file.get(at..at + 4)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    let (length, name) = (number(18)?, number(26)? & 0xffff);
    let (name, rest) = file.get(30..)?.split_at_checked(name)?;
    Some((std::str::from_utf8(name).ok()?, rest.get(..length)?))
}

/// What stands in both heads of a file, between signature and name.
fn head(name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let sum = crc32fast::hash(bytes).to_le_bytes();
    let length = u32::try_from(bytes.len()).ok()?.to_le_bytes();
    let name = u16::try_from(name.len()).ok()?.to_le_bytes();
    Some([KIND, &sum, &length, &length, &name, b"\0\0"].concat())
}

/// Letters, digits and a few marks, below the folder that it is unpacked to.
fn is_plain(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && !part.starts_with('.');
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b))
        && name.split('/').all(part)
}

/// Every file is in the list of sums, and the list has nothing else.
fn sums(files: &Files) -> Result<(), String> {
    let list = files.get("SHA256SUMS").ok_or("'SHA256SUMS' is missing")?;
    let own = files.iter().filter(|(name, _)| *name != "SHA256SUMS");
    let lines: Vec<(String, &String)> =
        own.map(|(name, bytes)| (format!("{}  {name}\n", Digest::of(bytes)), name)).collect();
    let mut rest = list.as_slice();
    for (line, name) in &lines {
        rest = rest
            .strip_prefix(line.as_bytes())
            .ok_or_else(|| format!("'{name}' is not what the list of sums says"))?;
    }
    if rest.is_empty() {
        return Ok(());
    }
    Err("the list of sums names a file that is not there".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::paper::bundle;

    fn some() -> Files {
        [("a.txt", "hello"), ("entries/1.json", "{}"), ("z", "")]
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .into()
    }

    #[test]
    fn a_bundle_is_read_as_it_was_written_and_each_byte_of_it_counts() {
        let written = bundle::write(some()).unwrap();
        let mut read = files(&written).unwrap();
        assert!(read.remove(bundle::SUMS).is_some());
        assert_eq!(read, some());
        for at in 0..written.len() {
            for bit in [1, 0x80] {
                let mut bent = written.clone();
                bent[at] ^= bit;
                assert!(files(&bent).is_err(), "bit {bit} of byte {at}");
            }
        }
        for cut in 0..written.len() {
            assert!(files(&written[..cut]).is_err(), "the first {cut} bytes");
        }
        assert!(files(&[written.as_slice(), b"\0"].concat()).is_err());
        assert!(files(&[b"\0", written.as_slice()].concat()).is_err());
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["../a", "/a", "a/../b", "a\\b", "a b", ".ssh/x", "a//b"] {
            let more = Files::from([(name.to_owned(), Vec::new())]);
            assert!(files(&bundle::write(more).unwrap()).is_err(), "{name}");
        }
    }
}
