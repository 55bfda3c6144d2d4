//! The control file that registries put beside an extract: `NAME.CTL` with 表號, 檔名, 產製日期時間, 筆數, 位元組數,
//! SHA-256, 序號, a field a line, in UTF-8 or CP950 (REGULATIONS 2a). Fields that nobody knows are left alone.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};

use super::{
    ControlFault, ControlField, Profile, Stated, StatedFile, digest, kind, lines, name, number,
    once, only, pair, text,
};
use crate::domain::{
    calendar, judge::Document, limits::DELIVERY_FILES_MAX, manifest::is_batch_number,
    time::Timestamp,
};

pub(super) fn read(
    profile: &Profile,
    documents: &[(Vec<u8>, Document)],
) -> Result<Option<Stated>, ControlFault> {
    let is_ctl = |name: &str| name.to_ascii_lowercase().ends_with(".ctl");
    let Some((file, bytes, signature)) = only(documents, is_ctl)? else { return Ok(None) };
    let mut stated = parse(profile, &text(bytes)?)?;
    if stated.number.is_none() {
        // The file's own name numbers the batch, where it is one.
        let stem = &file[..file.len() - ".ctl".len()];
        stated.number = is_batch_number(stem).then(|| stem.to_owned());
    }
    stated.signed = Some((bytes.to_vec(), signature));
    Ok(Some(stated))
}

/// Of several files each begins with its name, and what comes before the first is about all of them.
fn parse(profile: &Profile, text: &str) -> Result<Stated, ControlFault> {
    let mut stated = Stated::default();
    let mut head = StatedFile::default();
    for line in lines(text) {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (label, value) = pair(line)?;
        let Some(field) = profile.field(label) else { continue };
        let out_of_range = ControlFault::OutOfRange(field.word());
        match field {
            ControlField::TableNo => once(&mut stated.table_no, field, value.to_owned())?,
            ControlField::MadeAt => {
                once(&mut stated.made_at, field, made_at(profile, value).ok_or(out_of_range)?)?;
            }
            ControlField::Sequence => once(&mut stated.sequence, field, number(field, value)?)?,
            ControlField::Number => {
                if !is_batch_number(value) {
                    return Err(out_of_range);
                }
                once(&mut stated.number, field, value.to_owned())?;
            }
            ControlField::Kind => once(&mut stated.kind, field, kind(value)?)?,
            ControlField::File => {
                if stated.files.len() == DELIVERY_FILES_MAX {
                    return Err(out_of_range);
                }
                stated.files.push(StatedFile { name: name(value)?, ..StatedFile::default() });
            }
            ControlField::Records | ControlField::Bytes | ControlField::Sha256 => {
                let file = stated.files.last_mut().unwrap_or(&mut head);
                match field {
                    ControlField::Records => {
                        once(&mut file.records, field, number(field, value)?)?;
                    }
                    ControlField::Bytes => once(&mut file.bytes, field, number(field, value)?)?,
                    _ => once(&mut file.sha256, field, digest(value)?)?,
                }
            }
        }
    }
    complete(stated, &head)
}

/// What stands before the first name is that file's, where there is one file alone; else its count is the whole's.
fn complete(mut stated: Stated, head: &StatedFile) -> Result<Stated, ControlFault> {
    match stated.files.as_mut_slice() {
        [] => return Err(ControlFault::Missing("file")),
        [file] => {
            for (own, before, what) in [
                (&mut file.records, head.records, "records"),
                (&mut file.bytes, head.bytes, "bytes"),
            ] {
                if own.is_some() && before.is_some() {
                    return Err(ControlFault::Doubled(what));
                }
                *own = own.or(before);
            }
            if file.sha256.is_some() && head.sha256.is_some() {
                return Err(ControlFault::Doubled("sha256"));
            }
            file.sha256 = file.sha256.or(head.sha256);
        }
        _ if head.bytes.is_some() || head.sha256.is_some() => {
            return Err(ControlFault::Doubled("file"));
        }
        _ => stated.records = head.records,
    }
    for file in &stated.files {
        let lacking = match file {
            StatedFile { bytes: None, .. } => "bytes",
            StatedFile { sha256: None, .. } => "sha256",
            StatedFile { records: None, .. } => "records",
            _ => continue,
        };
        return Err(ControlFault::Missing(lacking));
    }
    let sum = stated.files.iter().try_fold(0_u64, |sum, one| sum.checked_add(one.records?));
    let sum = sum.ok_or(ControlFault::OutOfRange("records"))?;
    if stated.records.is_some_and(|all| all != sum) {
        return Err(ControlFault::OutOfRange("records"));
    }
    stated.records = Some(sum);
    Ok(stated)
}

/// A time with its offset, or a day of either calendar and a time of that day where the agent is.
fn made_at(profile: &Profile, text: &str) -> Option<Timestamp> {
    if let Some(at) = Timestamp::parse(text) {
        return Some(at);
    }
    let zone = profile.zone;
    if let Some(day) = calendar::parse_date(text) {
        return Some(Timestamp::start_of_day(day, zone));
    }
    let (day, time) = match text.split_once([' ', 'T', '\u{3000}']) {
        Some((day, time)) => (day, time.trim()),
        // Digits alone: a day, and six or four digits of a time.
        None if text.bytes().all(|b| b.is_ascii_digit()) => match text.len() {
            11 | 12 if text.len() == 11 => text.split_at(7),
            13 => text.split_at(7),
            12 | 14 => text.split_at(8),
            _ => return None,
        },
        None => return None,
    };
    let day = calendar::parse_date(day).or_else(|| common_era(day))?;
    let time = ["%H:%M:%S", "%H:%M", "%H%M%S", "%H%M"]
        .iter()
        .find_map(|form| NaiveTime::parse_from_str(time, form).ok())?;
    let local = zone.from_local_datetime(&NaiveDateTime::new(day, time)).earliest()?;
    Some(Timestamp::from_millis(local.timestamp_millis()))
}

/// `20261121`, which the calendar of this office does not take for a day of its own.
fn common_era(text: &str) -> Option<NaiveDate> {
    let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        return None;
    }
    let text = format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]);
    calendar::parse_date(&text)
}
