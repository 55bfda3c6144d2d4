//! A BagIt bag (RFC 8493): the payload lies below `data/`, `manifest-sha256.txt` lists it, `bag-info.txt` may say the
//! rest. Payload files lie directly in `data/`; a bag whose parts are elsewhere (`fetch.txt`) is not taken.

use super::{
    ControlFault, ControlField, Profile, Stated, StatedFile, bytes, digest, kind, lines, name,
    number, once, pair, text,
};
use crate::domain::{
    digest::Digest, judge::Document, limits::DELIVERY_FILES_MAX, manifest::is_batch_number,
    time::Timestamp,
};

/// Where the payload lies.
pub(super) const PAYLOAD: &str = "data/";
const DECLARATION: &str = "bagit.txt";
const INFO: &str = "bag-info.txt";
const MANIFEST: &str = "manifest-sha256.txt";
const TAGS: &str = "tagmanifest-sha256.txt";
const FETCH: &str = "fetch.txt";
/// A signature over all of it is one over the list of the bag's own files.
const SIGNATURE: &str = "tagmanifest-sha256.txt.sig";

/// Whether a name is one of the bag's own files. Lists by other digests are there and are not read.
pub(super) fn is_tag(name: &str) -> bool {
    matches!(name, DECLARATION | INFO | FETCH | SIGNATURE)
        || ["manifest-", "tagmanifest-"].iter().any(|head| {
            name.strip_prefix(head).and_then(|rest| rest.strip_suffix(".txt")).is_some_and(|alg| {
                !alg.is_empty() && alg.bytes().all(|b| b.is_ascii_alphanumeric())
            })
        })
}

pub(super) fn read(
    profile: &Profile,
    documents: &[(Vec<u8>, Document)],
) -> Result<Option<Stated>, ControlFault> {
    let find = |name: &str| documents.iter().find(|(one, _)| one == name.as_bytes());
    let of = |name: &str| find(name).map_or(Ok(None), |(_, one)| bytes(one));
    let (Some(declaration), Some(manifest)) = (of(DECLARATION)?, of(MANIFEST)?) else {
        return Ok(None);
    };
    if find(FETCH).is_some() {
        return Err(ControlFault::Fetch);
    }
    declared(&text(declaration)?)?;
    let mut stated = Stated::default();
    for line in lines(&text(manifest)?) {
        if stated.files.len() == DELIVERY_FILES_MAX {
            return Err(ControlFault::OutOfRange("file"));
        }
        let (sha256, path) = listed(line)?;
        let file = path.strip_prefix(PAYLOAD).ok_or(ControlFault::UnsafeName)?;
        let name = format!("{PAYLOAD}{}", name(file)?);
        stated.files.push(StatedFile { name, sha256: Some(sha256), ..StatedFile::default() });
    }
    if let Some(info) = of(INFO)? {
        about(profile, &text(info)?, &mut stated)?;
    }
    let tags = of(TAGS)?;
    if let Some(tags) = tags {
        for line in lines(&text(tags)?) {
            let (sha256, path) = listed(line)?;
            // Own files that this form has no name for are in the way, and refused as such.
            let found = of(&path)?.ok_or(ControlFault::Tags)?;
            if Digest::of(found) != sha256 {
                return Err(ControlFault::Tags);
            }
        }
        let covers = |wanted: &str| {
            let text = text(tags).unwrap_or_default();
            lines(&text).any(|line| listed(line).is_ok_and(|(_, path)| path == wanted))
        };
        let whole = covers(MANIFEST) && (find(INFO).is_none() || covers(INFO));
        let signature = find(SIGNATURE).map(|(_, one)| one.clone()).filter(|_| whole);
        stated.signed = Some((tags.to_vec(), signature));
    }
    Ok(Some(stated))
}

fn declared(text: &str) -> Result<(), ControlFault> {
    let mut lines = lines(text);
    let version = lines.next().and_then(|line| line.trim().strip_prefix("BagIt-Version:"));
    let encoding =
        lines.next().and_then(|line| line.trim().strip_prefix("Tag-File-Character-Encoding:"));
    let known = version.is_some_and(|version| matches!(version.trim(), "1.0" | "0.97"));
    let utf8 = encoding.is_some_and(|encoding| encoding.trim().eq_ignore_ascii_case("UTF-8"));
    if known && utf8 && lines.next().is_none() { Ok(()) } else { Err(ControlFault::Line) }
}

/// `HEX  path`, the path with line ends and percent signs escaped.
fn listed(line: &str) -> Result<(Digest, String), ControlFault> {
    let (hex, path) = line.split_once([' ', '\t']).ok_or(ControlFault::Line)?;
    let path = path.trim_start_matches([' ', '\t', '*']);
    // An escaped line end is a control character, which no name has.
    if path.contains("%0A") || path.contains("%0D") || path.contains("%0a") || path.contains("%0d")
    {
        return Err(ControlFault::UnsafeName);
    }
    Ok((digest(hex)?, path.replace("%25", "%")))
}

/// `bag-info.txt`: labels, values, and lines that go on with the one before.
fn about(profile: &Profile, text: &str, stated: &mut Stated) -> Result<(), ControlFault> {
    for line in lines(text) {
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let (label, value) = pair(line)?;
        if label.eq_ignore_ascii_case("Payload-Oxum") {
            let fault = ControlFault::OutOfRange("Payload-Oxum");
            let (octets, streams) = value.split_once('.').ok_or(fault)?;
            let count = |text| number(ControlField::Bytes, text).map_err(|_| fault);
            let oxum = (count(octets)?, count(streams)?);
            if stated.oxum.replace(oxum).is_some() {
                return Err(ControlFault::Doubled("Payload-Oxum"));
            }
            continue;
        }
        let Some(field) = profile.field(label) else { continue };
        let out_of_range = ControlFault::OutOfRange(field.word());
        match field {
            ControlField::TableNo => once(&mut stated.table_no, field, value.to_owned())?,
            ControlField::MadeAt => {
                let day = crate::domain::calendar::parse_date(value);
                let at = day.map(|day| Timestamp::start_of_day(day, profile.zone));
                let at = at.or_else(|| Timestamp::parse(value)).ok_or(out_of_range)?;
                once(&mut stated.made_at, field, at)?;
            }
            ControlField::Records => once(&mut stated.records, field, number(field, value)?)?,
            ControlField::Sequence => once(&mut stated.sequence, field, number(field, value)?)?,
            // Whoever makes bags may number them otherwise: what is no number of a batch is none.
            ControlField::Number if is_batch_number(value) => {
                once(&mut stated.number, field, value.to_owned())?;
            }
            ControlField::Kind => once(&mut stated.kind, field, kind(value)?)?,
            ControlField::Number
            | ControlField::File
            | ControlField::Bytes
            | ControlField::Sha256 => {}
        }
    }
    Ok(())
}
