//! ZIP files with WinZip AES (AE-1 and AE-2), as 7-Zip and WinZip write them; APPNOTE 6.3.10 and WinZip's own notes.
//!
//! The directory at the end counts, and each file's own head must agree with it. Every file in it is under AES and
//! stored or deflated; ZipCrypto, files without encryption, folders, and whatever overlaps are refused. The format's
//! own test of a passphrase is two bytes long: one wrong passphrase in 65,536 passes it, and is found by the
//! authentication code at the end of the first file, where it cannot be told from damage.

mod entry;

use std::{
    collections::BTreeSet,
    io::{self, Read, Seek, SeekFrom},
};

use self::entry::{Keys, Opened};
use super::{
    Beginning, Result,
    bytes::{Fields, piece},
    check_name, check_ratio, fault, spellings,
};
use crate::{
    domain::{
        limits::{ARCHIVE_ENTRIES_MAX, ARCHIVE_HEADER_BYTES_MAX, DELIVERY_BYTES_MAX},
        secret::Secret,
    },
    engine::ports::{Delivered, OpenFault, Plain},
};

const LOCAL: u32 = 0x0403_4B50;
const CENTRAL: u32 = 0x0201_4B50;
const END: [u8; 4] = [0x50, 0x4B, 0x05, 0x06];
const END_BYTES: usize = 22;
const END64: u32 = 0x0606_4B50;
const LOCATOR64: u32 = 0x0706_4B50;
const LOCATOR64_BYTES: usize = 20;
/// Bytes of a file's own head, before its name.
const LOCAL_BYTES: usize = 30;
/// Bytes of a directory's entry, before its name.
const CENTRAL_BYTES: u64 = 46;
/// The method that stands for WinZip AES.
const AES: u16 = 99;
/// The extra field that says what is beneath it.
const AES_EXTRA: u16 = 0x9901;
const ZIP64_EXTRA: u16 = 0x0001;
const ENCRYPTED: u16 = 1;
/// Strong encryption of PKWARE, and a directory that is encrypted itself: neither is WinZip's.
const OTHER_ENCRYPTION: u16 = 1 << 6 | 1 << 13;

/// What is beneath the encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// One file of the archive, as the directory has it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where its own head begins, and after [`check_heads`] where its data begin.
    at: u64,
    /// Bytes of its data, salt and codes included.
    packed: u64,
    /// Bytes of what it holds.
    plain: u64,
    method: Method,
    /// Bytes of the AES key: 16, 24 or 32.
    key: usize,
    /// The sum of what it holds; AE-2 has none.
    crc: Option<u32>,
    flags: u16,
    name: Vec<u8>,
}

/// An open archive.
pub(super) struct Archive {
    entries: std::vec::IntoIter<Entry>,
    passphrase: Secret,
    reading: Reading,
    beginning: Beginning,
}

/// Where the file is: lent to the entry that is read, or free.
enum Reading {
    Entry(Box<Opened>),
    Between(Box<dyn Delivered>),
    Ended,
}

/// Opens a ZIP file.
pub(super) fn open(mut file: Box<dyn Delivered>, passphrase: &Secret) -> Result<Archive> {
    let length = file.seek(SeekFrom::End(0))?;
    let first = piece(&mut *file, 0, length.min(4) as usize)?;
    if *first != LOCAL.to_le_bytes() {
        return fault(OpenFault::Foreign);
    }
    let (mut entries, end) = directory(&mut *file, length)?;
    check_heads(&mut *file, &mut entries, end)?;
    let passphrase = fitting(&mut *file, &entries, passphrase)?;
    let mut archive = Archive {
        entries: entries.into_iter(),
        passphrase,
        reading: Reading::Between(file),
        beginning: Beginning::default(),
    };
    archive.begin_next()?;
    Ok(archive)
}

/// The spelling of the passphrase that passes the test of every file.
fn fitting(file: &mut dyn Delivered, entries: &[Entry], passphrase: &Secret) -> Result<Secret> {
    for spelling in spellings(passphrase) {
        let mut fits = true;
        for entry in entries {
            fits = fits && Keys::of(file, entry, &spelling)?.is_some();
        }
        if fits {
            return Ok(spelling);
        }
    }
    fault(OpenFault::WrongKey)
}

impl Archive {
    fn begin_next(&mut self) -> Result<bool> {
        let Reading::Between(mut file) = std::mem::replace(&mut self.reading, Reading::Ended)
        else {
            return Ok(false);
        };
        let Some(entry) = self.entries.next() else { return Ok(false) };
        let Some(keys) = Keys::of(&mut *file, &entry, &self.passphrase)? else {
            return fault(OpenFault::WrongKey);
        };
        self.beginning = Beginning::default();
        self.reading = Reading::Entry(Box::new(Opened::new(file, &entry, keys)?));
        Ok(true)
    }
}

impl Read for Archive {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let Reading::Entry(entry) = &mut self.reading else { return Ok(0) };
        if to.is_empty() {
            return Ok(0);
        }
        let count = entry.read(to)?;
        self.beginning.check(&to[..count])?;
        if count == 0 {
            let ended = std::mem::replace(&mut self.reading, Reading::Ended);
            if let Reading::Entry(entry) = ended {
                self.reading = Reading::Between(entry.finish()?);
            }
        }
        Ok(count)
    }
}

impl Plain for Archive {
    fn next_file(&mut self) -> io::Result<bool> {
        Ok(self.begin_next()?)
    }
}

/// The directory, read whole, and where it begins.
fn directory(file: &mut dyn Delivered, length: u64) -> Result<(Vec<Entry>, u64)> {
    let end = end_of(file, length)?;
    if end.count == 0 {
        return fault(OpenFault::Foreign);
    }
    let over = end.count > ARCHIVE_ENTRIES_MAX as u64 || end.bytes > ARCHIVE_HEADER_BYTES_MAX;
    if over {
        return fault(OpenFault::Limit);
    }
    if end.at.checked_add(end.bytes) != Some(end.next) || end.bytes < end.count * CENTRAL_BYTES {
        return fault(OpenFault::Damaged);
    }
    let bytes = piece(file, end.at, usize::try_from(end.bytes).unwrap_or(usize::MAX))?;
    let mut fields = Fields(&bytes);
    let (mut entries, mut names, mut total) = (Vec::new(), BTreeSet::new(), 0_u64);
    for _ in 0..end.count {
        let entry = central(&mut fields)?;
        total = total.saturating_add(entry.plain);
        if !names.insert(entry.name.clone()) {
            return fault(OpenFault::Name);
        }
        entries.push(entry);
    }
    if !fields.0.is_empty() {
        return fault(OpenFault::Damaged);
    }
    if total > DELIVERY_BYTES_MAX {
        return fault(OpenFault::Limit);
    }
    Ok((entries, end.at))
}

/// What the end of the archive says of the directory.
struct End {
    count: u64,
    bytes: u64,
    at: u64,
    /// Where what follows the directory begins.
    next: u64,
}

/// Finds the end record: its comment must end where the file does.
fn end_of(file: &mut dyn Delivered, length: u64) -> Result<End> {
    let window = length.min(END_BYTES as u64 + u64::from(u16::MAX));
    let from = length - window;
    let tail = piece(file, from, usize::try_from(window).unwrap_or(0))?;
    let found = tail.windows(END_BYTES).enumerate().rev().find(|(at, record)| {
        let comment = usize::from(u16::from_le_bytes([record[20], record[21]]));
        record.starts_with(&END) && at + END_BYTES + comment == tail.len()
    });
    let Some((at, record)) = found else { return fault(OpenFault::Damaged) };
    let at = from + at as u64;
    let mut fields = Fields(record);
    fields.take(4)?;
    let disks = (fields.u16()?, fields.u16()?);
    let (here, count) = (fields.u16()?, fields.u16()?);
    let (bytes, start) = (fields.u32()?, fields.u32()?);
    if count == u16::MAX || bytes == u32::MAX || start == u32::MAX {
        return end64(file, at);
    }
    if disks != (0, 0) || here != count {
        return fault(OpenFault::Foreign);
    }
    Ok(End { count: count.into(), bytes: bytes.into(), at: start.into(), next: at })
}

/// The same of an archive with more than the first form can tell.
fn end64(file: &mut dyn Delivered, end: u64) -> Result<End> {
    let Some(at) = end.checked_sub(LOCATOR64_BYTES as u64) else {
        return fault(OpenFault::Damaged);
    };
    let locator = piece(file, at, LOCATOR64_BYTES)?;
    let mut fields = Fields(&locator);
    if fields.u32()? != LOCATOR64 {
        return fault(OpenFault::Damaged);
    }
    let disk = fields.u32()?;
    let next = fields.u64()?;
    if disk != 0 || fields.u32()? > 1 {
        return fault(OpenFault::Foreign);
    }
    let record = piece(file, next, 56)?;
    let mut fields = Fields(&record);
    if fields.u32()? != END64 {
        return fault(OpenFault::Damaged);
    }
    fields.take(12)?;
    let disks = (fields.u32()?, fields.u32()?);
    let (here, count) = (fields.u64()?, fields.u64()?);
    let (bytes, start) = (fields.u64()?, fields.u64()?);
    if disks != (0, 0) || here != count {
        return fault(OpenFault::Foreign);
    }
    Ok(End { count, bytes, at: start, next })
}

/// One entry of the directory.
fn central(fields: &mut Fields<'_>) -> Result<Entry> {
    if fields.u32()? != CENTRAL {
        return fault(OpenFault::Damaged);
    }
    fields.take(4)?;
    let (flags, method) = (fields.u16()?, fields.u16()?);
    fields.take(4)?;
    let crc = fields.u32()?;
    let (packed, plain) = (fields.u32()?, fields.u32()?);
    let (name, extra, comment) = (fields.short()?, fields.short()?, fields.short()?);
    let disk = fields.u16()?;
    fields.take(6)?;
    let at = fields.u32()?;
    let name = fields.take(name)?;
    let extra = fields.take(extra)?;
    fields.take(comment)?;
    // A folder's name ends in a separator, so that it is refused here as well.
    check_name(name)?;
    if flags & ENCRYPTED == 0 || flags & OTHER_ENCRYPTION != 0 || method != AES || disk != 0 {
        return fault(OpenFault::Foreign);
    }
    let mut sizes = [(plain, plain.into()), (packed, packed.into()), (at, u64::from(at))];
    let mut aes = None;
    let mut extras = Fields(extra);
    while extras.0.len() >= 4 {
        let (id, bytes) = (extras.u16()?, extras.short()?);
        let mut field = Fields(extras.take(bytes)?);
        match id {
            ZIP64_EXTRA => {
                for (short, long) in &mut sizes {
                    if *short == u32::MAX {
                        *long = field.u64()?;
                    }
                }
            }
            AES_EXTRA => aes = Some(encryption(&mut field)?),
            _ => {}
        }
    }
    let [(_, plain), (_, packed), (_, at)] = sizes;
    let Some((version, key, method)) = aes else { return fault(OpenFault::Foreign) };
    let entry = Entry {
        at,
        packed,
        plain,
        method,
        key,
        crc: (version == 1).then_some(crc),
        flags,
        name: name.to_vec(),
    };
    let Some(sealed) = packed.checked_sub(entry.overhead()) else {
        return fault(OpenFault::Damaged);
    };
    check_ratio(sealed, plain)?;
    if method == Method::Stored && sealed != plain {
        return fault(OpenFault::Damaged);
    }
    Ok(entry)
}

/// Version, bytes of the key, and method of WinZip's extra field.
fn encryption(field: &mut Fields<'_>) -> Result<(u16, usize, Method)> {
    let version = field.u16()?;
    let vendor = field.u16()?.to_le_bytes();
    let strength = field.u8()?;
    let method = match field.u16()? {
        0 => Method::Stored,
        8 => Method::Deflated,
        _ => return fault(OpenFault::Foreign),
    };
    if !(1..=2).contains(&version) || vendor != *b"AE" || !(1..=3).contains(&strength) {
        return fault(OpenFault::Foreign);
    }
    Ok((version, 8 + 8 * usize::from(strength), method))
}

/// Reads each file's own head: it must agree with the directory, and no two files may share a byte.
fn check_heads(file: &mut dyn Delivered, entries: &mut [Entry], directory: u64) -> Result<()> {
    let mut places = Vec::with_capacity(entries.len());
    for entry in entries.iter_mut() {
        let head = piece(file, entry.at, LOCAL_BYTES)?;
        let mut fields = Fields(&head);
        let same = fields.u32()? == LOCAL && {
            fields.take(2)?;
            fields.u16()? == entry.flags && fields.u16()? == AES
        };
        fields.take(16)?;
        let (name, extra) = (fields.short()?, fields.short()?);
        let at = entry.at + LOCAL_BYTES as u64;
        if !same || *piece(file, at, name)? != entry.name {
            return fault(OpenFault::Damaged);
        }
        let begins = entry.at;
        entry.at = at + name as u64 + extra as u64;
        match entry.at.checked_add(entry.packed) {
            Some(ends) if ends <= directory => places.push((begins, ends)),
            _ => return fault(OpenFault::Damaged),
        }
    }
    places.sort_unstable();
    if places.is_sorted_by(|before, after| before.1 <= after.0) {
        Ok(())
    } else {
        fault(OpenFault::Limit)
    }
}

impl Entry {
    /// Bytes of salt, test and authentication code.
    const fn overhead(&self) -> u64 {
        (self.key / 2 + entry::TEST + entry::CODE) as u64
    }
}
