//! `layouts/*.yaml`: how the bytes of a delivery's files become fields.
//!
//! A layout that passes here is one that the decoder takes: its fields fill the record, its columns and codes can be
//! told apart. Whether a real file has this layout shows when it comes.

use std::collections::BTreeMap;

use super::{
    agent::{NAME, is_name},
    node::{Faults, Node, Place, Value},
    reader::{Form, Placed, Reader, form, shown},
};
use crate::domain::{
    layout::{ChangeCodes, Encoding, Eudc, Field, FieldKind, Format, Header, Layout, Terminator},
    limits,
};

const FORMAT: Form<'_> = form("fixed-width or delimited", "fixed-width");
const ENCODING: Form<'_> = form("cp950 or utf-8", "cp950");
const EUDC: Form<'_> =
    form("ms-pua or refuse; mapping files of a site come with a later version", "ms-pua");
const TERMINATOR: Form<'_> = form("crlf, lf or none", "crlf");
const BEFORE_ROC: Form<'_> = form("one character that is no digit", "'-'");
const RECORD: Form<'_> = form("a number of bytes, at most 1048576", "425");
const DELIMITER: Form<'_> = form("one ASCII character, no line end", "','");
const QUOTE: Form<'_> = form("one ASCII character, no line end", "'\"'");
const HEADER: Form<'_> = form("names, titles or none", "names");
const FIELDS: Form<'_> = form(
    "a list of fields, at least one",
    "[{ name: national_id, title: 統一編號, bytes: 10, type: national-id, key: true }]",
);
const FIELD: Form<'_> = form("at most 48 of a-z, 0-9 and '_'", "national_id");
const ALIASES: Form<'_> = form("a list of titles", "[身分證字號, 身分證號]");
const TITLE: Form<'_> = form("a title", "統一編號");
const BYTES: Form<'_> = form("a number of bytes, at least 1", "10");
const TYPE: Form<'_> = form("text, national-id, roc-date, integer, code or change", "text");
const YES: Form<'_> = form("true or false", "true");
const CODES: Form<'_> = form("a list of codes", "[\"01\"]");

/// Parses one layout; its name must be the file's.
pub(super) fn parse(name: &str, node: &Node, faults: &Faults) -> Option<Layout> {
    let mut reader = Reader::new(node, faults)?;
    named(&mut reader, "layout", name);
    let format = reader.parsed("format", FORMAT, |t| match t {
        "fixed-width" => Some(true),
        "delimited" => Some(false),
        _ => None,
    });
    let fixed = format.as_ref().map(|fixed| fixed.value);
    let encoding = encoding(&mut reader);
    let terminator = reader.maybe("terminator", TERMINATOR, |t| match t {
        "crlf" => Some(Terminator::CrLf),
        "lf" => Some(Terminator::Lf),
        "none" => Some(Terminator::None),
        _ => None,
    });
    let before_roc = reader.maybe("before_roc", BEFORE_ROC, |t| {
        let mut chars = t.chars();
        chars.next().filter(|c| !c.is_ascii_digit() && chars.next().is_none())
    });
    let fields = fields(&mut reader, fixed);
    let format = match fixed? {
        true => fixed_width(&mut reader, fields.as_deref()),
        false => delimited(&mut reader, terminator.as_ref(), fields.as_deref()),
    };
    reader.finish();
    Some(Layout {
        name: name.to_owned(),
        format: format?,
        encoding: encoding?,
        terminator: terminator.map_or(Terminator::CrLf, |t| t.value),
        before_roc: before_roc.map_or('-', |c| c.value),
        fields: fields?.into_iter().map(|f| f.value).collect(),
    })
}

/// The field that repeats the file's name.
pub(super) fn named(reader: &mut Reader, field: &'static str, name: &str) {
    let Some(text) = reader.text(field, form(NAME.expected, name)) else { return };
    if !is_name(name) {
        let what = format!("the file is named '{}.yaml': expected {}", shown(name), NAME.expected);
        reader.faults().add(text.at, what, Some("rename the file, and name it so here too"));
    } else if text.value != name {
        let what = format!("'{field}' is '{}' in the file of '{name}'", shown(&text.value));
        let hint = format!("write '{field}: {name}', or rename the file");
        reader.faults().add(text.at, what, Some(&hint));
    }
}

fn encoding(reader: &mut Reader) -> Option<Encoding> {
    let encoding = reader.parsed("encoding", ENCODING, |t| match t {
        "cp950" => Some(Encoding::Cp950(Eudc::MsPua)),
        "utf-8" => Some(Encoding::Utf8),
        _ => None,
    });
    let eudc = reader.maybe("eudc", EUDC, |t| match t {
        "ms-pua" => Some(Eudc::MsPua),
        "refuse" => Some(Eudc::Refuse),
        _ => None,
    });
    match (encoding?.value, eudc) {
        (Encoding::Cp950(default), eudc) => {
            Some(Encoding::Cp950(eudc.map_or(default, |e| e.value)))
        }
        (Encoding::Utf8, None) => Some(Encoding::Utf8),
        (Encoding::Utf8, Some(eudc)) => {
            let what = "'eudc' says nothing about UTF-8, which has no user-defined cells";
            reader.faults().add(eudc.at, what, Some("leave it out, or 'encoding: cp950'"));
            None
        }
    }
}

fn fixed_width(reader: &mut Reader, fields: Option<&[Placed<Field>]>) -> Option<Format> {
    let record = reader.parsed("record_bytes", RECORD, bytes)?;
    if let Some(fields) = fields {
        let sum: usize = fields.iter().map(|f| f.value.bytes).sum(); // each is bounded by `bytes`
        if sum != record.value {
            let what = format!("the fields have {sum} bytes, 'record_bytes' is {}", record.value);
            let hint = "the terminator is not part of the record; change a field's bytes, or this";
            reader.faults().add(record.at, what, Some(hint));
            return None;
        }
    }
    Some(Format::FixedWidth { record_bytes: record.value })
}

fn bytes(text: &str) -> Option<usize> {
    let number = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())??;
    (1..=limits::RECORD_BYTES_MAX).contains(&number).then_some(number)
}

fn delimited(
    reader: &mut Reader,
    terminator: Option<&Placed<Terminator>>,
    fields: Option<&[Placed<Field>]>,
) -> Option<Format> {
    let byte = |t: &str| match t.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) => Some(*byte),
        _ => None,
    };
    let delimiter = reader.maybe("delimiter", DELIMITER, byte);
    let quote = reader.maybe("quote", QUOTE, byte);
    let header = reader.maybe("header", HEADER, |t| match t {
        "names" => Some(Header::Names),
        "titles" => Some(Header::Titles),
        "none" => Some(Header::None),
        _ => None,
    });
    let (mark, quoted) =
        (delimiter.as_ref().map_or(b',', |d| d.value), quote.as_ref().map_or(b'"', |q| q.value));
    let faults = reader.faults();
    if mark == quoted {
        let at = quote.or(delimiter).map_or(reader.place(), |one| one.at);
        let hint = "for most files 'delimiter: \",\"' and 'quote: '\"''";
        faults.add(at, "'delimiter' and 'quote' are the same character", Some(hint));
    }
    if let Some(terminator) = terminator.filter(|t| t.value == Terminator::None) {
        let what = "'terminator: none' leaves no way to tell where a line of a delimited file ends";
        faults.add(terminator.at, what, Some("write 'terminator: crlf' or 'terminator: lf'"));
    }
    let header = header.map_or(Header::Names, |h| h.value);
    if header == Header::Titles {
        doubled(faults, fields.unwrap_or_default(), "title", |field| &field.title);
    }
    Some(Format::Delimited { delimiter: mark, quote: quoted, header })
}

fn doubled(faults: &Faults, fields: &[Placed<Field>], what: &str, name: impl Fn(&Field) -> &str) {
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    for field in fields {
        if let Some(first) = seen.get(name(&field.value)) {
            let shown = shown(name(&field.value));
            let text = format!("the {what} '{shown}' stands twice, first in line {}", first.line);
            faults.add(field.at, text, Some("columns are told apart by it: change one of them"));
        } else {
            seen.insert(name(&field.value), field.at);
        }
    }
}

fn fields(reader: &mut Reader, fixed: Option<bool>) -> Option<Vec<Placed<Field>>> {
    let node = reader.required("fields", FIELDS)?;
    let faults = reader.faults().clone();
    let nodes = match &node.value {
        Value::List(nodes) if !nodes.is_empty() => nodes,
        Value::Alias => return None,
        Value::List(_) | Value::Map(_) | Value::Scalar { .. } => {
            reader.wrong(node.at, "fields", "is no list of fields", FIELDS);
            return None;
        }
    };
    let fields: Vec<Placed<Field>> = nodes
        .iter()
        .filter_map(|node| Some(Placed { value: field(node, fixed, reader)?, at: node.at }))
        .collect();
    doubled(&faults, &fields, "field", |field| &field.name);
    for field in fields.iter().filter(|f| f.value.key).skip(1) {
        let hint = "one field is that of look-ups: leave 'key' out here";
        faults.add(field.at, "a second field is 'key: true'", Some(hint));
    }
    let change = |field: &&Placed<Field>| matches!(field.value.kind, FieldKind::Change(_));
    for field in fields.iter().filter(change) {
        if field.value.key {
            let hint = "a key is what tells persons apart: 'type: national-id', for example";
            faults.add(field.at, "a field of the type 'change' is no key", Some(hint));
        }
    }
    for field in fields.iter().filter(change).skip(1) {
        let hint = "one field says what a record of a change file does";
        faults.add(field.at, "a second field is of the type 'change'", Some(hint));
    }
    (fields.len() == nodes.len()).then_some(fields)
}

fn field(node: &Node, fixed: Option<bool>, outer: &Reader) -> Option<Field> {
    let mut reader = outer.inner("fields", node)?;
    let name = reader.parsed("name", FIELD, |t| {
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        (t.len() <= 48 && t.bytes().all(good)).then(|| t.to_owned())
    });
    let title = reader.text("title", TITLE);
    let aliases = reader.maybe_texts("aliases", ALIASES).map(|list| list.value).unwrap_or_default();
    let bytes = match fixed {
        Some(true) => reader.parsed("bytes", BYTES, bytes).map(|bytes| bytes.value),
        Some(false) => Some(0),
        // The format is a fault of its own: neither is asked for.
        None => reader.maybe("bytes", BYTES, bytes).map(|bytes| bytes.value),
    };
    let yes = |t: &str| match t {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    let key = reader.maybe("key", YES, yes).is_some_and(|key| key.value);
    let required = reader.maybe("required", YES, yes).is_some_and(|required| required.value);
    let kind = reader.parsed("type", TYPE, |t| match t {
        "text" => Some(FieldKind::Text),
        "national-id" => Some(FieldKind::NationalId),
        "roc-date" => Some(FieldKind::RocDate),
        "integer" => Some(FieldKind::Integer),
        "code" => Some(FieldKind::Code),
        "change" => Some(FieldKind::Change(ChangeCodes::default())),
        _ => None,
    });
    let kind = match kind {
        Some(Placed { value: FieldKind::Change(_), at }) => {
            Some(FieldKind::Change(codes(&mut reader, at, bytes.unwrap_or(0))))
        }
        other => other.map(|kind| kind.value),
    };
    reader.finish();
    Some(Field {
        name: name?.value,
        title: title?.value,
        aliases: aliases.into_iter().map(|alias| alias.value).collect(),
        bytes: bytes?,
        kind: kind?,
        key,
        required,
    })
}

/// The codes of a change field: at least one, each in one list, none longer than the field.
fn codes(reader: &mut Reader, at: Place, bytes: usize) -> ChangeCodes {
    let mut seen: Vec<String> = Vec::new();
    let mut read = |name| -> Vec<String> {
        let list = reader.maybe_texts(name, CODES).map(|list| list.value).unwrap_or_default();
        for code in &list {
            let shown = shown(&code.value);
            if seen.contains(&code.value) {
                let hint = "a code does one thing: keep it in one list";
                reader.faults().add(
                    code.at,
                    format!("the code '{shown}' stands twice"),
                    Some(hint),
                );
            }
            if bytes > 0 && code.value.len() > bytes {
                let what = format!("the code '{shown}' is longer than the field's {bytes} bytes");
                reader.faults().add(code.at, what, Some("no record could hold it"));
            }
            seen.push(code.value.clone());
        }
        list.into_iter().map(|code| code.value).collect()
    };
    let codes = ChangeCodes { add: read("add"), change: read("change"), remove: read("remove") };
    if seen.is_empty() {
        let hint =
            "add 'add: [\"01\"], change: [\"02\"], remove: [\"03\"]' with the provider's codes";
        reader.faults().add(at, "a field of the type 'change' names no codes", Some(hint));
    }
    codes
}
