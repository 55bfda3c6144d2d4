//! 7z archives with AES-256, as 7-Zip writes them: solid or not, with or without their header encrypted.
//!
//! The format has no test of a passphrase and no code over what is encrypted, only a sum over what each file holds: it
//! finds every accident, and nothing that somebody with the passphrase did on purpose. Whether a passphrase is wrong or
//! the archive damaged is told by what is known to have come out right before: an encrypted header, a file, or the
//! zeros that fill up the last block. Where nothing had, it is called a wrong passphrase, which may be tried again.

mod coders;
mod header;

use std::io::{self, Read, Seek, SeekFrom};

use zeroize::Zeroizing;

use self::{
    coders::{Aes, Key, Lent},
    header::{Folder, Header, Item, Streams},
};
use super::{
    ArchiveError, Beginning, Result, bytes::Fields, bytes::piece, check_name, check_ratio, fault,
    settle,
};
use crate::{
    domain::{
        limits::{ARCHIVE_HEADER_BYTES_MAX, DELIVERY_BYTES_MAX},
        secret::Secret,
    },
    engine::ports::{Delivered, OpenFault, Plain, Rounds},
};

const SIGNATURE: [u8; 6] = *b"7z\xBC\xAF\x27\x1C";
/// Bytes of the first header, after which the packed streams begin.
const FIRST_BYTES: u64 = 32;
/// Of them, those after the signature.
const FIRST_BYTES_REST: usize = 26;
/// Bytes of a block of the cipher.
const BLOCK_BYTES: usize = 16;

/// What was seen that only the right passphrase gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    Right,
}

impl Seen {
    /// A fault of decoding, by whose fault it is.
    const fn blame(self, found: OpenFault) -> OpenFault {
        match (self, found) {
            (Self::Nothing, OpenFault::Damaged) => OpenFault::WrongKey,
            (_, found) => found,
        }
    }

    fn judge<T>(self, result: Result<T>) -> Result<T> {
        result.map_err(|error| match error {
            ArchiveError::Fault(found) => ArchiveError::Fault(self.blame(found)),
            io @ ArchiveError::Io(_) => io,
        })
    }
}

/// An open archive.
pub(super) struct Archive {
    passphrase: Secret,
    /// What is left to the batch.
    rounds: Rounds,
    /// The last key that was derived: files of one archive mostly have the same.
    key: Option<Key>,
    seen: Seen,
    folders: std::vec::IntoIter<Folder>,
    items: std::vec::IntoIter<Item>,
    reading: Reading,
    /// Of the file that is read: bytes that are left, and its sum.
    left: u64,
    sum: (crc32fast::Hasher, u32),
    beginning: Beginning,
    ended: bool,
}

/// The file that was lent, and what was read of it.
type Returned = (Box<dyn Delivered>, Zeroizing<Vec<u8>>);

/// Where the file is: lent to a folder's decoders, with the files that are left in it, or free.
enum Reading {
    Folder(Box<Lent>, usize),
    Between(Box<dyn Delivered>),
    Lost,
}

/// Opens a 7z file.
pub(super) fn open(
    mut file: Box<dyn Delivered>,
    passphrase: &Secret,
    rounds: &Rounds,
) -> Result<Archive> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut archive = Archive {
        passphrase: passphrase.duplicate(),
        rounds: rounds.clone(),
        key: None,
        seen: Seen::Nothing,
        folders: Vec::new().into_iter(),
        items: Vec::new().into_iter(),
        reading: Reading::Lost,
        left: 0,
        sum: (crc32fast::Hasher::new(), 0),
        beginning: Beginning::default(),
        ended: true,
    };
    let header = first(&mut *file, length)?;
    let (file, header) = archive.header(file, &header)?;
    let Header { folders, items } = header;
    check(&folders, &items, length)?;
    archive.folders = folders.into_iter();
    archive.items = items.into_iter();
    archive.reading = Reading::Between(file);
    archive.next_item()?;
    Ok(archive)
}

/// The bytes of the header that the first one points to; their sum is right.
fn first(file: &mut dyn Delivered, length: u64) -> Result<Zeroizing<Vec<u8>>> {
    let known = piece(file, 0, usize::try_from(length.min(6)).unwrap_or(0))?;
    if *known != SIGNATURE {
        return fault(OpenFault::Foreign);
    }
    let bytes = piece(file, 6, FIRST_BYTES_REST)?;
    let mut fields = Fields(&bytes);
    let (major, _minor) = (fields.u8()?, fields.u8()?);
    let sum = fields.u32()?;
    if crc32fast::hash(fields.0) != sum {
        return fault(OpenFault::Damaged);
    }
    if major != 0 {
        return fault(OpenFault::Foreign);
    }
    let (offset, bytes, sum) = (fields.u64()?, fields.u64()?, fields.u32()?);
    if bytes == 0 {
        return fault(OpenFault::Foreign);
    }
    if bytes > ARCHIVE_HEADER_BYTES_MAX {
        return fault(OpenFault::Limit);
    }
    let at = FIRST_BYTES.checked_add(offset);
    let Some(at) = at.filter(|at| at.checked_add(bytes) == Some(length)) else {
        return fault(OpenFault::Damaged);
    };
    let header = piece(file, at, usize::try_from(bytes).unwrap_or(usize::MAX))?;
    if crc32fast::hash(&header) != sum {
        return fault(OpenFault::Damaged);
    }
    Ok(header)
}

/// Everything that the header states, before anything is decoded for it.
fn check(folders: &[Folder], items: &[Item], length: u64) -> Result<()> {
    if items.is_empty() {
        return fault(OpenFault::Foreign);
    }
    let mut total = 0_u64;
    for folder in folders {
        // A file without encryption beside encrypted ones is not what was agreed to.
        if !folder.is_encrypted() {
            return fault(OpenFault::Foreign);
        }
        if folder.at.checked_add(folder.packed).is_none_or(|end| end > length) {
            return fault(OpenFault::Damaged);
        }
        check_ratio(folder.packed, folder.plain())?;
        total = total.saturating_add(folder.plain());
    }
    if total > DELIVERY_BYTES_MAX {
        return fault(OpenFault::Limit);
    }
    let mut names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
    for name in &names {
        check_name(name.as_bytes())?;
    }
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return fault(OpenFault::Name);
    }
    Ok(())
}

impl Archive {
    /// The header itself, decoded where it is packed. It may be packed once; encrypted, it tells whether the passphrase
    /// is right.
    fn header(
        &mut self,
        mut file: Box<dyn Delivered>,
        bytes: &[u8],
    ) -> Result<(Box<dyn Delivered>, Header)> {
        let mut fields = Fields(bytes);
        match fields.u8()? {
            header::HEADER => return Ok((file, Header::read(&mut fields)?)),
            header::ENCODED => {}
            _ => return fault(OpenFault::Damaged),
        }
        let Streams { folders, .. } = Streams::read(&mut fields)?;
        let [folder] = folders.as_slice() else { return fault(OpenFault::Damaged) };
        let length = file.seek(SeekFrom::End(0))?;
        if folder.at.checked_add(folder.packed).is_none_or(|end| end > length) {
            return fault(OpenFault::Damaged);
        }
        if folder.plain() > ARCHIVE_HEADER_BYTES_MAX {
            return fault(OpenFault::Limit);
        }
        let encrypted = folder.is_encrypted();
        let seen = if encrypted { self.padding(&mut *file, folder)? } else { Seen::Right };
        let decoded = self.decode_header(file, folder);
        let (file, plain) = seen.judge(decoded)?;
        if encrypted {
            self.seen = Seen::Right;
        }
        let mut fields = Fields(&plain);
        if fields.u8()? != header::HEADER {
            return fault(OpenFault::Damaged);
        }
        Ok((file, Header::read(&mut fields)?))
    }

    fn decode_header(&mut self, file: Box<dyn Delivered>, folder: &Folder) -> Result<Returned> {
        let mut lent = self.lend(file, folder)?;
        let bytes = usize::try_from(folder.plain()).unwrap_or(usize::MAX);
        let mut plain = Zeroizing::new(vec![0; bytes]);
        lent.read_exact(&mut plain).map_err(settle)?;
        let sum = folder.sum.ok_or(ArchiveError::Fault(OpenFault::Damaged))?;
        if crc32fast::hash(&plain) != sum {
            return fault(OpenFault::Damaged);
        }
        Ok((lent.into_file(), plain))
    }

    /// The decoders of a folder, over the file from where it begins.
    fn lend(&mut self, mut file: Box<dyn Delivered>, folder: &Folder) -> Result<Lent> {
        file.seek(SeekFrom::Start(folder.at))?;
        if let Some(aes) = folder.aes() {
            self.derive(&aes)?;
        }
        Lent::new(file, folder, self.key.as_ref())
    }

    fn derive(&mut self, aes: &Aes) -> Result<()> {
        if self.key.as_ref().is_none_or(|key| !key.is_for(aes)) {
            if !self.rounds.take(aes.rounds()) {
                return fault(OpenFault::Limit);
            }
            self.key = Some(Key::derive(&self.passphrase, aes)?);
        }
        Ok(())
    }

    /// Looks at the last block of a folder, which is filled up with zeros: two of them or more are not there by chance.
    fn padding(&mut self, file: &mut dyn Delivered, folder: &Folder) -> Result<Seen> {
        const BLOCK: u64 = BLOCK_BYTES as u64;
        let Some(aes) = folder.aes() else { return Ok(Seen::Nothing) };
        let filled = folder.packed.saturating_sub(folder.sealed());
        if !(2..BLOCK).contains(&filled) || folder.packed < 2 * BLOCK {
            return Ok(Seen::Nothing);
        }
        let last = piece(file, folder.at + folder.packed - 2 * BLOCK, 2 * BLOCK_BYTES)?;
        self.derive(&aes)?;
        let Some(key) = &self.key else { return Ok(Seen::Nothing) };
        let (before, block) = last.split_at(BLOCK_BYTES);
        let plain = key.block(before, block)?;
        let zeros = plain.iter().rev().take_while(|byte| **byte == 0).count() as u64;
        Ok(if zeros >= filled { Seen::Right } else { Seen::Nothing })
    }

    /// Begins the next file; false where there is none.
    fn next_item(&mut self) -> Result<bool> {
        let Some(item) = self.items.next() else { return Ok(false) };
        self.left = item.bytes;
        self.sum = (crc32fast::Hasher::new(), item.sum);
        self.beginning = Beginning::default();
        self.ended = false;
        if item.bytes > 0 {
            self.begin_folder()?;
        }
        Ok(true)
    }

    /// Sees that a folder is open that has a file left.
    fn begin_folder(&mut self) -> Result<()> {
        let file = match std::mem::replace(&mut self.reading, Reading::Lost) {
            Reading::Folder(lent, left) if left > 0 => {
                self.reading = Reading::Folder(lent, left - 1);
                return Ok(());
            }
            Reading::Folder(lent, _) => lent.into_file(),
            Reading::Between(file) => file,
            Reading::Lost => return fault(OpenFault::Damaged),
        };
        let Some(folder) = self.folders.next() else { return fault(OpenFault::Damaged) };
        let mut file = file;
        if self.seen == Seen::Nothing {
            self.seen = self.padding(&mut *file, &folder)?;
        }
        let lent = self.lend(file, &folder);
        let lent = self.seen.judge(lent)?;
        self.reading = Reading::Folder(Box::new(lent), folder.files.saturating_sub(1));
        Ok(())
    }

    fn read_on(&mut self, to: &mut [u8]) -> Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(to.len());
        let count = match &mut self.reading {
            _ if room == 0 => 0,
            Reading::Folder(lent, _) => lent.read(&mut to[..room]).map_err(settle)?,
            Reading::Between(_) | Reading::Lost => 0,
        };
        if room > 0 && count == 0 {
            return fault(OpenFault::Damaged);
        }
        self.left -= count as u64;
        self.sum.0.update(&to[..count]);
        if self.left == 0 && !self.ended {
            self.ended = true;
            let made = std::mem::take(&mut self.sum.0).finalize();
            if made != self.sum.1 {
                return fault(OpenFault::Damaged);
            }
        }
        Ok(count)
    }
}

impl Read for Archive {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        let seen = self.seen;
        let count = match seen.judge(self.read_on(to)) {
            Ok(count) => count,
            Err(error) => {
                // Nothing more is read after an error.
                self.reading = Reading::Lost;
                self.items = Vec::new().into_iter();
                self.left = self.left.max(1);
                return Err(error.into());
            }
        };
        if self.ended && count > 0 {
            self.seen = Seen::Right;
        }
        self.beginning.check(&to[..count])?;
        Ok(count)
    }
}

impl Plain for Archive {
    fn next_file(&mut self) -> io::Result<bool> {
        Ok(self.next_item()?)
    }
}
