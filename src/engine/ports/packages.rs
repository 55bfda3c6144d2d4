//! Packages that are handed on: what the engine needs of outboxes.

use std::path::PathBuf;

use super::{CopySize, Result};
use crate::domain::secret::Secret;

/// Where a package goes.
#[derive(Clone, Debug)]
pub struct PackagePlace {
    /// Its number, which its folder and the file of its key are named after.
    pub number: String,
    /// The recipient's outbox.
    pub outbox: PathBuf,
    /// Where its key is left, of one that is sealed under a key of its own.
    pub keys: Option<PathBuf>,
}

/// A package whose data file is written.
pub struct PackageEnd<'a> {
    /// The manifest.
    pub manifest: &'a [u8],
    /// The signature over it.
    pub signature: &'a str,
    /// The key that opens it, where it goes by another channel.
    pub key: Option<&'a Secret>,
    /// What is to be known of it, should a stop come before that is recorded.
    pub note: &'a [u8],
}

/// Outboxes. What lies in them is ciphertext from the first byte.
pub trait Packages: Send + Sync {
    /// Begins a package, anew from nothing, under a temporary name.
    ///
    /// # Errors
    /// It cannot be written, one of that number lies there already, or its key would lie beside it.
    fn begin(&self, place: &PackagePlace, recipient: &str) -> Result<Box<dyn PackageFile>>;
    /// The note of a package that was ended, where there is one.
    ///
    /// # Errors
    /// It cannot be read.
    fn noted(&self, place: &PackagePlace) -> Result<Option<Vec<u8>>>;
    /// Writes manifest and signature beside the data, the key to its own place, and last the note. Durable.
    ///
    /// # Errors
    /// Something cannot be written.
    fn end(&self, place: &PackagePlace, end: &PackageEnd<'_>) -> Result<()>;
    /// Gives a package that was ended its name in the outbox. One that has it, or was taken away since, is done. Durable.
    ///
    /// # Errors
    /// It cannot be renamed.
    fn put(&self, place: &PackagePlace) -> Result<()>;
    /// Removes what there is of a package that is given up, its key and its note.
    ///
    /// # Errors
    /// It could not be removed.
    fn abandon(&self, place: &PackagePlace) -> Result<()>;
    /// Removes a package that lies at its recipient's server from the outbox; one that is not there is done.
    ///
    /// # Errors
    /// It could not be removed.
    fn taken(&self, place: &PackagePlace) -> Result<()>;
    /// Forgets the note of a package that is recorded.
    ///
    /// # Errors
    /// It could not be removed.
    fn forget(&self, number: &str) -> Result<()>;
}

/// A data file that is being written.
pub trait PackageFile: Send {
    /// Adds bytes.
    ///
    /// # Errors
    /// They cannot be written.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
    /// Ends it, makes it durable, and reads it back.
    ///
    /// # Errors
    /// It is not whole.
    fn finish(self: Box<Self>) -> Result<CopySize>;
}
