//! Spreadsheets are archives: which one it is, and the parts of it that are read, each within its limits.

use std::io::{Cursor, Read};

use zip::{ZipArchive, result::ZipError};

use super::{SheetFault, xml};
use crate::domain::{brought::Cell, limits};

/// Bytes that a part may have whatever it was packed to.
const SMALL_PART_BYTES: u64 = 16 << 20;

type Archive<'b> = ZipArchive<Cursor<&'b [u8]>>;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Vec<Cell>>, SheetFault> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|_| SheetFault::Broken("its archive is damaged"))?;
    if archive.len() > limits::LIST_PARTS_MAX {
        return Err(SheetFault::TooMuch("it has more parts than a spreadsheet has"));
    }
    if archive.index_for_name("xl/workbook.xml").is_some() {
        return excel(&mut archive);
    }
    let locked = part(&mut archive, "META-INF/manifest.xml")?
        .is_some_and(|manifest| manifest.windows(15).any(|part| part == b"encryption-data"));
    if locked {
        return Err(SheetFault::Workbook);
    }
    match part(&mut archive, "content.xml")? {
        Some(content) => xml::open_document(&content),
        None => Err(SheetFault::Broken("it is neither ODS nor XLSX")),
    }
}

/// The first sheet of a workbook, and the texts that its cells point to.
fn excel(archive: &mut Archive<'_>) -> Result<Vec<Vec<Cell>>, SheetFault> {
    let missing = SheetFault::Broken("it has no sheet");
    let workbook = part(archive, "xl/workbook.xml")?.unwrap_or_default();
    let relations = part(archive, "xl/_rels/workbook.xml.rels")?.unwrap_or_default();
    let path = xml::first_sheet(&workbook, &relations)?.ok_or(missing)?;
    let shared = match part(archive, "xl/sharedStrings.xml")? {
        Some(strings) => xml::shared_strings(&strings)?,
        None => Vec::new(),
    };
    let sheet = part(archive, &path)?.ok_or(SheetFault::Broken("it has no sheet"))?;
    xml::excel_sheet(&sheet, &shared)
}

/// One part, unpacked; none where it is not there. What is promised in the archive's heads is not believed.
fn part(archive: &mut Archive<'_>, name: &str) -> Result<Option<Vec<u8>>, SheetFault> {
    let file = match archive.by_name(name) {
        Ok(file) => file,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(_) => return Err(SheetFault::Broken("a part of it is packed in an unknown way")),
    };
    let most = file
        .compressed_size()
        .saturating_mul(limits::LIST_RATIO_MAX)
        .clamp(SMALL_PART_BYTES, limits::LIST_PART_BYTES_MAX);
    let mut bytes = Vec::new();
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| SheetFault::Broken("a part of it is damaged"))?;
    if bytes.len() as u64 > most {
        return Err(SheetFault::TooMuch("it is far larger when it is unpacked"));
    }
    Ok(Some(bytes))
}
