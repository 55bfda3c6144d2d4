//! The spool: delivered bytes in files of our own, always age-encrypted under the batch's spool identity.
//!
//! A spool file appears under its name whole and synced, or not at all; a repeat starts it again from nothing.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags, open};

use super::{
    SealError, identity_of, parse_recipient,
    payload::{self, PayloadReader, PayloadWriter, read_header},
};
use crate::{
    adapters::{
        fault,
        files::{self, FileError},
        wipe,
    },
    domain::secret::Secret,
    engine::ports::Meter,
};

/// Bytes that are written at once.
const BUFFER: usize = 256 << 10;
/// Bytes that the header is read by; a chunk of the payload is longer and goes past this buffer.
const HEADER_BUFFER: usize = 16 << 10;

/// A spool file was not written, or does not open.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The recipient or the identity is none, or the file is not for it.
    #[error("the spool file '{}' cannot be sealed or opened", path.display())]
    Seal {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: SealError,
    },
    /// The file itself.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A spool file that is being written. Dropped without [`SpoolWriter::finish`] it leaves its temporary, which the next
/// try overwrites; it holds ciphertext only.
pub struct SpoolWriter {
    path: PathBuf,
    part: PathBuf,
    stream: PayloadWriter<BufWriter<File>>,
    write: fault::Write,
    begun: bool,
    meter: Meter,
}

impl SpoolWriter {
    /// Begins `dir/name` under `.NAME.part`, from nothing.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn create(dir: &Path, name: &str, recipient: &str) -> Result<Self, SpoolError> {
        let path = dir.join(name);
        let part = files::part_of(&path);
        let seal = |source| SpoolError::Seal { path: path.clone(), source };
        let recipient = parse_recipient(recipient).map_err(seal)?;
        // What a stop left of an earlier try.
        wipe::discard(&part)?;
        let write = fault::Write::begin("spool");
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        let fd = open(&part, flags, mode).map_err(FileError::of("create", &part))?;
        let file = BufWriter::with_capacity(BUFFER, files::regular(fd, &part)?);
        let stream = payload::seal(&recipient, file)
            .map_err(FileError::of_io("write", &part))?
            .map_err(|_| seal(SealError::Encrypt))?;
        Ok(Self { path, part, stream, write, begun: false, meter: Meter::default() })
    }

    /// Tells the bytes to `meter` as they are written.
    #[must_use]
    pub fn counted(mut self, meter: &Meter) -> Self {
        self.meter = meter.clone();
        self
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`FileError::Full`] on a full disk, and what else the system says. The file is then to be abandoned.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.stream.write_all(bytes).map_err(FileError::of_io("write", &self.part))?;
        self.meter.add(bytes.len() as u64);
        if !self.begun {
            self.begun = true;
            self.write.middle();
        }
        Ok(())
    }

    /// Ends the age file, syncs it and gives it its name.
    ///
    /// # Errors
    /// [`FileError`]; nothing has the final name then.
    pub fn finish(self) -> Result<PathBuf, FileError> {
        let file = self
            .stream
            .finish()
            .and_then(|buffer| buffer.into_inner().map_err(io::IntoInnerError::into_error))
            .and_then(|file| file.sync_all().map(|()| file));
        if let Err(source) = file {
            // Gives its room back on a full disk.
            let _ = wipe::discard(&self.part);
            return Err(FileError::of_io("write", &self.part)(source));
        }
        self.write.end();
        files::rename(&self.part, &self.path, "spool")?;
        Ok(self.path)
    }

    /// Gives up: removes the temporary.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn abandon(self) -> Result<(), FileError> {
        let Self { part, stream, write, .. } = self;
        drop(stream);
        drop(write);
        wipe::discard(&part)
    }
}

/// The delivered bytes of a spool file. Damage here is ours, not the provider's: it never reads as damage of the
/// delivery.
pub struct SpoolReader(PayloadReader<BufReader<File>>);

impl Seek for SpoolReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Read for SpoolReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.raw_os_error() {
            Some(_) => error,
            None => io::Error::other(SealError::Sealed),
        })
    }
}

/// Opens a spool file.
///
/// # Errors
/// [`SpoolError`]; damage further on comes as an I/O error of kind `Other` while reading.
pub fn open_spool(path: &Path, identity: &Secret) -> Result<SpoolReader, SpoolError> {
    let seal = |source| SpoolError::Seal { path: path.to_owned(), source };
    let identity = identity_of(identity).map_err(seal)?;
    let mut file = BufReader::with_capacity(HEADER_BUFFER, files::open_regular(path)?);
    let header = read_header(&mut file).map_err(|source| match source.raw_os_error() {
        Some(_) => SpoolError::File(FileError::of_io("read", path)(source)),
        None => seal(SealError::Sealed),
    })?;
    let reader = payload::open(header, file, &identity).map_err(|error| match error {
        age::DecryptError::Io(source) if source.raw_os_error().is_some() => {
            SpoolError::File(FileError::of_io("read", path)(source))
        }
        _ => seal(SealError::Sealed),
    })?;
    Ok(SpoolReader(reader))
}
