//! `SHA256SUMS` as coreutils write it, with or without `--tag`. It states names and digests, and nothing else: how many
//! records there are, a letter says.

use super::{ControlFault, Stated, StatedFile, digest, name, only, text};
use crate::domain::{judge::Document, limits::DELIVERY_FILES_MAX};

pub(super) fn read(documents: &[(Vec<u8>, Document)]) -> Result<Option<Stated>, ControlFault> {
    let is_sums =
        |name: &str| name.to_ascii_uppercase().split('.').next_back() == Some("SHA256SUMS");
    let Some((_, bytes, signature)) = only(documents, is_sums)? else { return Ok(None) };
    let mut files = Vec::new();
    for line in super::lines(&text(bytes)?) {
        if files.len() == DELIVERY_FILES_MAX {
            return Err(ControlFault::OutOfRange("file"));
        }
        files.push(one(line)?);
    }
    if files.is_empty() {
        return Err(ControlFault::Missing("file"));
    }
    let signed = Some((bytes.to_vec(), signature));
    Ok(Some(Stated { files, signed, ..Stated::default() }))
}

/// `HEX  NAME`, `HEX *NAME` or `SHA256 (NAME) = HEX`.
fn one(line: &str) -> Result<StatedFile, ControlFault> {
    // A backslash before the line says that the name in it is escaped, which no name of a delivery needs to be.
    if line.starts_with('\\') {
        return Err(ControlFault::UnsafeName);
    }
    let (hex, file) = match line.strip_prefix("SHA256 (") {
        Some(rest) => {
            let (file, hex) = rest.rsplit_once(") = ").ok_or(ControlFault::Line)?;
            (hex, file)
        }
        None => {
            let (hex, rest) = line.split_once(' ').ok_or(ControlFault::Line)?;
            (hex, rest.strip_prefix([' ', '*']).ok_or(ControlFault::Line)?)
        }
    };
    let file = file.strip_prefix("./").unwrap_or(file);
    Ok(StatedFile { name: name(file)?, sha256: Some(digest(hex)?), ..StatedFile::default() })
}
