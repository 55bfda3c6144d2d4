//! Files in one ZIP file, with the list of their sums: the same files give the same bytes.
//!
//! Nothing is packed: entries stand in the order of their names, stored, all of one time. So every byte of the file is
//! either one of a file of the list or has one value that it may have, and whoever verifies it can hold each to that.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write as _},
};

use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

use crate::domain::digest::Digest;

/// The list of sums, as `sha256sum -c` reads it.
pub const SUMS: &str = "SHA256SUMS";

/// The bundle of `files`, in the order of their names, and [`SUMS`].
///
/// # Errors
/// It is larger than a ZIP file may be.
pub fn write(mut files: BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, ZipError> {
    let sums: String =
        files.iter().map(|(name, bytes)| format!("{}  {name}\n", Digest::of(bytes))).collect();
    files.insert(SUMS.to_owned(), sums.into_bytes());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .unix_permissions(0o644);
    for (name, bytes) in &files {
        zip.start_file(name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}
