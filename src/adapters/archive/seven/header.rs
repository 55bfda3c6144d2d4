//! The header of a 7z archive (7-Zip's 7zFormat.txt): where the packed streams are, what they went through, and which
//! files they hold. It is in memory whole and of a bounded length; no count in it is believed beyond that length.

use super::coders::Aes;
use crate::{
    adapters::archive::{Result, bytes::Fields, fault},
    domain::limits::{ARCHIVE_DICTIONARY_BYTES_MAX, ARCHIVE_ENTRIES_MAX},
    engine::ports::OpenFault,
};

pub(super) const HEADER: u8 = 0x01;
pub(super) const ENCODED: u8 = 0x17;
const END: u8 = 0x00;
const MAIN_STREAMS: u8 = 0x04;
const FILES: u8 = 0x05;
const PACK: u8 = 0x06;
const UNPACK: u8 = 0x07;
const SUBSTREAMS: u8 = 0x08;
const SIZE: u8 = 0x09;
const SUMS: u8 = 0x0A;
const FOLDER: u8 = 0x0B;
const SIZES: u8 = 0x0C;
const COUNTS: u8 = 0x0D;
const EMPTY_STREAM: u8 = 0x0E;
const EMPTY_FILE: u8 = 0x0F;
const ANTI: u8 = 0x10;
const NAMES: u8 = 0x11;
/// Coders of one folder: encryption, a decompressor, and room for a filter that we refuse by its own name.
const CODERS_MAX: u64 = 4;

/// What a stream went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Coder {
    Copy,
    Lzma { properties: u8, dictionary: u32 },
    Lzma2 { dictionary: u32 },
    Deflate,
    Aes(Aes),
}

/// A packed stream with the files in it.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// In the order of decoding, each with the bytes that come out of it.
    pub(super) coders: Vec<(Coder, u64)>,
    /// Where it begins in the file.
    pub(super) at: u64,
    /// Its bytes there.
    pub(super) packed: u64,
    /// The sum of all that it holds.
    pub(super) sum: Option<u32>,
    /// How many files it holds.
    pub(super) files: usize,
}

impl Folder {
    /// Bytes of all that it holds.
    pub(super) fn plain(&self) -> u64 {
        self.coders.last().map_or(0, |(_, bytes)| *bytes)
    }

    /// Bytes that are encrypted, without what fills up the last block.
    pub(super) fn sealed(&self) -> u64 {
        self.coders.first().map_or(0, |(_, bytes)| *bytes)
    }

    /// The encryption, which is undone first.
    pub(super) fn aes(&self) -> Option<Aes> {
        match self.coders.first() {
            Some((Coder::Aes(aes), _)) => Some(aes.clone()),
            _ => None,
        }
    }

    /// Encrypted once, on the outside.
    pub(super) fn is_encrypted(&self) -> bool {
        let times = self.coders.iter().filter(|(coder, _)| matches!(coder, Coder::Aes(_))).count();
        times == 1 && self.aes().is_some()
    }
}

/// A file of the archive.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sum: u32,
}

/// Bytes and sum of a file.
type Content = (u64, Option<u32>);

/// The packed streams, and bytes and sum of each file in them.
pub(super) struct Streams {
    pub(super) folders: Vec<Folder>,
    contents: Vec<Content>,
}

/// The whole header.
pub(super) struct Header {
    pub(super) folders: Vec<Folder>,
    pub(super) items: Vec<Item>,
}

impl Header {
    /// Reads what follows its mark.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let mut streams = Streams { folders: Vec::new(), contents: Vec::new() };
        let mut items: Vec<Item> = Vec::new();
        loop {
            match fields.u8()? {
                END => break,
                MAIN_STREAMS => streams = Streams::read(fields)?,
                FILES => items = files(fields, &streams.contents)?,
                // Properties of the archive and streams beside the main ones: nobody writes them.
                _ => return fault(OpenFault::Foreign),
            }
        }
        let held = items.iter().filter(|item| item.bytes > 0).count();
        let stated = streams.contents.iter().filter(|(bytes, _)| *bytes > 0).count();
        if held != stated {
            return fault(OpenFault::Damaged);
        }
        Ok(Self { folders: streams.folders, items })
    }
}

impl Streams {
    /// Reads what follows its mark, up to its end.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let (mut at, mut packed, mut folders) = (0, Vec::new(), Vec::new());
        let mut contents = None;
        loop {
            match fields.u8()? {
                END => break,
                PACK => (at, packed) = packs(fields)?,
                UNPACK => folders = unpacks(fields)?,
                SUBSTREAMS => contents = Some(substreams(fields, &mut folders)?),
                _ => return fault(OpenFault::Damaged),
            }
        }
        if packed.len() != folders.len() {
            return fault(OpenFault::Foreign);
        }
        let mut begins = super::FIRST_BYTES.checked_add(at);
        for (folder, bytes) in folders.iter_mut().zip(packed) {
            let Some(here) = begins else { return fault(OpenFault::Damaged) };
            (folder.at, folder.packed) = (here, bytes);
            begins = here.checked_add(bytes);
            let filled = bytes.checked_sub(folder.sealed());
            let fits = bytes % 16 == 0 && filled.is_some_and(|filled| filled < 16);
            if folder.aes().is_some() && !fits {
                return fault(OpenFault::Damaged);
            }
        }
        let whole = || folders.iter().map(|folder| (folder.plain(), folder.sum)).collect();
        let contents = contents.unwrap_or_else(whole);
        Ok(Self { folders, contents })
    }
}

/// A number of one to nine bytes: the ones at the top of the first say how many follow.
fn number(fields: &mut Fields<'_>) -> Result<u64> {
    let first = fields.u8()?;
    let (mut mask, mut value) = (0x80_u8, 0_u64);
    for n in 0..8 {
        if first & mask == 0 {
            let high = u64::from(first & (mask - 1));
            return Ok(value | high << (8 * n));
        }
        value |= u64::from(fields.u8()?) << (8 * n);
        mask >>= 1;
    }
    Ok(value)
}

/// A number of things.
fn count(fields: &mut Fields<'_>) -> Result<usize> {
    let number = number(fields)?;
    if number > ARCHIVE_ENTRIES_MAX as u64 {
        return fault(OpenFault::Limit);
    }
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

/// One bit for each of `count` things.
fn bits(fields: &mut Fields<'_>, count: usize) -> Result<Vec<bool>> {
    let bytes = fields.take(count.div_ceil(8))?;
    Ok((0..count).map(|n| bytes[n / 8] & (0x80 >> (n % 8)) != 0).collect())
}

/// The sums of `count` things, some of which may have none.
fn sums(fields: &mut Fields<'_>, count: usize) -> Result<Vec<Option<u32>>> {
    let has = if fields.u8()? == 0 { bits(fields, count)? } else { vec![true; count] };
    has.into_iter().map(|has| if has { fields.u32().map(Some) } else { Ok(None) }).collect()
}

fn expect(fields: &mut Fields<'_>, mark: u8) -> Result<()> {
    if fields.u8()? == mark { Ok(()) } else { fault(OpenFault::Damaged) }
}

/// Where the packed streams begin, and the bytes of each.
fn packs(fields: &mut Fields<'_>) -> Result<(u64, Vec<u64>)> {
    let (at, count) = (number(fields)?, count(fields)?);
    let mut packed = Vec::new();
    loop {
        match fields.u8()? {
            END => return Ok((at, packed)),
            SIZE => packed = (0..count).map(|_| number(fields)).collect::<Result<_>>()?,
            // Sums of what is encrypted: some writers add them, and the digest of the file covers the same.
            SUMS => drop(sums(fields, count)?),
            _ => return fault(OpenFault::Damaged),
        }
    }
}

fn unpacks(fields: &mut Fields<'_>) -> Result<Vec<Folder>> {
    expect(fields, FOLDER)?;
    let count = count(fields)?;
    expect(fields, 0)?;
    let mut folders: Vec<Folder> = (0..count).map(|_| folder(fields)).collect::<Result<_>>()?;
    expect(fields, SIZES)?;
    for folder in &mut folders {
        // Sizes stand in the order of the coders' list; the coders of a folder stand in that of decoding by now.
        let sizes: Vec<u64> =
            (0..folder.coders.len()).map(|_| number(fields)).collect::<Result<_>>()?;
        for (_, bytes) in &mut folder.coders {
            let place = usize::try_from(*bytes).unwrap_or(usize::MAX);
            *bytes = sizes.get(place).copied().unwrap_or(0);
        }
    }
    loop {
        match fields.u8()? {
            END => return Ok(folders),
            SUMS => {
                for (folder, sum) in folders.iter_mut().zip(sums(fields, count)?) {
                    folder.sum = sum;
                }
            }
            _ => return fault(OpenFault::Damaged),
        }
    }
}

/// One folder: a chain of coders, each with one stream in and one out. In place of its bytes each has its place in the
/// list for now.
fn folder(fields: &mut Fields<'_>) -> Result<Folder> {
    let count = number(fields)?;
    if !(1..=CODERS_MAX).contains(&count) {
        return fault(OpenFault::Foreign);
    }
    let coders: Vec<Coder> = (0..count).map(|_| coder(fields)).collect::<Result<_>>()?;
    // Which coder's output is the input of which.
    let mut beneath: Vec<Option<usize>> = vec![None; coders.len()];
    for _ in 1..count {
        let (input, output) = (number(fields)?, number(fields)?);
        let input = usize::try_from(input).ok().and_then(|input| beneath.get_mut(input));
        match input {
            Some(place @ None) if output < count => *place = usize::try_from(output).ok(),
            _ => return fault(OpenFault::Damaged),
        }
    }
    let mut order = Vec::new();
    let mut next = beneath.iter().position(Option::is_none);
    while let Some(place) = next.filter(|place| !order.contains(place)) {
        order.push(place);
        next = beneath.iter().position(|under| *under == Some(place));
    }
    if order.len() != coders.len() {
        return fault(OpenFault::Damaged);
    }
    let mut listed: Vec<Option<Coder>> = coders.into_iter().map(Some).collect();
    let coders = order.into_iter().filter_map(|place| {
        let coder = listed.get_mut(place)?.take()?;
        Some((coder, place as u64))
    });
    Ok(Folder { coders: coders.collect(), at: 0, packed: 0, sum: None, files: 1 })
}

fn coder(fields: &mut Fields<'_>) -> Result<Coder> {
    const COMPLEX: u8 = 0x10;
    const PROPERTIES: u8 = 0x20;
    let flags = fields.u8()?;
    if flags & (COMPLEX | 0xC0) != 0 {
        return fault(OpenFault::Foreign);
    }
    let method = fields.take(usize::from(flags & 0x0F))?;
    let mut properties: &[u8] = &[];
    if flags & PROPERTIES != 0 {
        let bytes = usize::try_from(number(fields)?).unwrap_or(usize::MAX);
        properties = fields.take(bytes)?;
    }
    match (method, properties) {
        ([0x00], _) => Ok(Coder::Copy),
        ([0x04, 0x01, 0x08], _) => Ok(Coder::Deflate),
        ([0x21], [bits]) => Ok(Coder::Lzma2 { dictionary: dictionary(*bits)? }),
        ([0x03, 0x01, 0x01], [properties, size @ ..]) => {
            let Ok(size) = size.try_into().map(u32::from_le_bytes) else {
                return fault(OpenFault::Damaged);
            };
            bounded(u64::from(size))?;
            Ok(Coder::Lzma { properties: *properties, dictionary: size })
        }
        ([0x06, 0xF1, 0x07, 0x01], properties) => Ok(Coder::Aes(Aes::parse(properties)?)),
        _ => fault(OpenFault::Foreign),
    }
}

/// The bytes of a dictionary of LZMA2: two or three, times a power of two.
fn dictionary(bits: u8) -> Result<u32> {
    let bytes = match bits {
        0..=39 => (2 | u64::from(bits & 1)) << (u32::from(bits) / 2 + 11),
        40 => u64::from(u32::MAX),
        _ => return fault(OpenFault::Damaged),
    };
    bounded(bytes)?;
    Ok(u32::try_from(bytes).unwrap_or(u32::MAX))
}

fn bounded(bytes: u64) -> Result<()> {
    if bytes > ARCHIVE_DICTIONARY_BYTES_MAX { fault(OpenFault::Limit) } else { Ok(()) }
}

/// How many files each folder holds, and bytes and sum of each.
fn substreams(fields: &mut Fields<'_>, folders: &mut [Folder]) -> Result<Vec<Content>> {
    let mut mark = fields.u8()?;
    if mark == COUNTS {
        for folder in folders.iter_mut() {
            folder.files = count(fields)?;
        }
        mark = fields.u8()?;
    }
    if folders.iter().map(|folder| folder.files).sum::<usize>() > ARCHIVE_ENTRIES_MAX {
        return fault(OpenFault::Limit);
    }
    let mut contents = Vec::new();
    for folder in folders.iter() {
        let mut left = folder.plain();
        for _ in 1..folder.files {
            let bytes = if mark == SIZE { number(fields)? } else { 0 };
            let Some(rest) = left.checked_sub(bytes) else { return fault(OpenFault::Damaged) };
            left = rest;
            contents.push((bytes, None));
        }
        if folder.files > 0 {
            // Of a folder with one file the sum may stand with the folder.
            contents.push((left, folder.sum.filter(|_| folder.files == 1)));
        }
    }
    if mark == SIZE {
        mark = fields.u8()?;
    }
    if mark == SUMS {
        let open = contents.iter().enumerate().filter(|(_, (_, sum))| sum.is_none());
        let places: Vec<usize> = open.map(|(place, _)| place).collect();
        for (place, sum) in places.iter().zip(sums(fields, places.len())?) {
            contents[*place].1 = sum;
        }
        mark = fields.u8()?;
    }
    if mark == END { Ok(contents) } else { fault(OpenFault::Damaged) }
}

/// The files: their names, and which of them hold nothing.
fn files(fields: &mut Fields<'_>, contents: &[Content]) -> Result<Vec<Item>> {
    let count = count(fields)?;
    let (mut empty, mut names) = (vec![false; count], None);
    let mut plain_files = Vec::new();
    loop {
        let mark = fields.u8()?;
        if mark == END {
            break;
        }
        let bytes = usize::try_from(number(fields)?).unwrap_or(usize::MAX);
        let mut property = Fields(fields.take(bytes)?);
        match mark {
            EMPTY_STREAM => empty = bits(&mut property, count)?,
            EMPTY_FILE => {
                let count = empty.iter().filter(|empty| **empty).count();
                plain_files = bits(&mut property, count)?;
            }
            ANTI => return fault(OpenFault::Foreign),
            NAMES => {
                expect(&mut property, 0)?;
                names = Some(texts(property.0, count)?);
            }
            // Times, attributes, and what fills up.
            _ => {}
        }
    }
    let Some(names) = names else { return fault(OpenFault::Damaged) };
    // What is empty and is no file is a folder.
    let nothing = empty.iter().filter(|empty| **empty).count();
    if nothing != plain_files.iter().filter(|file| **file).count() {
        return fault(OpenFault::Foreign);
    }
    items(names, &empty, contents)
}

/// Each file with what it holds: in the order of the list.
fn items(names: Vec<String>, empty: &[bool], contents: &[Content]) -> Result<Vec<Item>> {
    let mut contents = contents.iter();
    let mut items = Vec::with_capacity(names.len());
    for (name, empty) in names.into_iter().zip(empty) {
        let (bytes, sum) = match if *empty { Some(&(0, Some(0))) } else { contents.next() } {
            Some((bytes, Some(sum))) => (*bytes, *sum),
            // Nothing would tell whether it is whole.
            Some((_, None)) => return fault(OpenFault::Foreign),
            None => return fault(OpenFault::Damaged),
        };
        items.push(Item { name, bytes, sum });
    }
    Ok(items)
}

/// Names in UTF-16, each with a zero at its end.
fn texts(bytes: &[u8], count: usize) -> Result<Vec<String>> {
    let units: Vec<u16> =
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let mut names: Vec<&[u16]> = units.split(|unit| *unit == 0).collect();
    if names.pop().is_none_or(|rest| !rest.is_empty()) || names.len() != count {
        return fault(OpenFault::Damaged);
    }
    let text = |units: &[u16]| String::from_utf16(units).ok();
    match names.into_iter().map(text).collect() {
        Some(names) => Ok(names),
        None => fault(OpenFault::Name),
    }
}
