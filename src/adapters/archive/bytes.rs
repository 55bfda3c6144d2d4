//! Reading little-endian fields of a structure that is in memory whole, and pieces of a file.

use std::io::{self, SeekFrom};

use zeroize::Zeroizing;

use super::{ArchiveError, Result, fault};
use crate::engine::ports::{Delivered, OpenFault};

/// Fields that are taken one after another. What is not there is damage.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        match self.0.split_at_checked(count) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken)
            }
            None => fault(OpenFault::Damaged),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| ArchiveError::Fault(OpenFault::Damaged))
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// The next 16-bit number, as a count of bytes that follow.
    pub(super) fn short(&mut self) -> Result<usize> {
        Ok(usize::from(self.u16()?))
    }
}

/// Reads `count` bytes from `at`. An end before them is damage.
pub(super) fn piece(file: &mut dyn Delivered, at: u64, count: usize) -> Result<Zeroizing<Vec<u8>>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Zeroizing::new(vec![0; count]);
    exact(file, &mut bytes)?;
    Ok(bytes)
}

/// Reads as much as there is room for. An end before that is damage.
pub(super) fn exact(file: &mut dyn Delivered, to: &mut [u8]) -> Result<()> {
    match file.read_exact(to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => fault(OpenFault::Damaged),
        Err(error) => Err(error.into()),
    }
}
