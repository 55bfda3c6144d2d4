//! `layouts/*.yaml`.

use std::collections::BTreeSet;

use super::{
    agent::is_name,
    node::{Faults, Node, Reader, Value},
};
use crate::domain::{
    layout::{ChangeCodes, Encoding, Eudc, Field, FieldKind, Format, Header, Layout, Terminator},
    limits,
};

/// Parses one layout; its name must be the file's.
pub(super) fn parse(name: &str, node: &Node, faults: &Faults) -> Option<Layout> {
    let mut reader = Reader::new(node, faults);
    named(&mut reader, "layout", name);
    let (format, _) = reader.text_or("format", "");
    let encoding = encoding(&mut reader);
    let terminator =
        reader.parsed_or("terminator", Terminator::CrLf, "crlf, lf or none", |t| match t {
            "crlf" => Some(Terminator::CrLf),
            "lf" => Some(Terminator::Lf),
            "none" => Some(Terminator::None),
            _ => None,
        });
    let before_roc = reader.parsed_or("before_roc", '-', "one character that is no digit", |t| {
        let mut chars = t.chars();
        chars.next().filter(|c| !c.is_ascii_digit() && chars.next().is_none())
    });
    let fixed = format == "fixed-width";
    let fields = fields(&mut reader, fixed);
    let format = match format.as_str() {
        "fixed-width" => {
            let bytes = reader.parsed("record_bytes", "a number of bytes", |t| {
                t.parse::<usize>().ok().filter(|n| (1..=limits::RECORD_BYTES_MAX).contains(n))
            });
            sum(&reader, bytes, fields.as_deref());
            bytes.map(|record_bytes| Format::FixedWidth { record_bytes })
        }
        "delimited" => delimited(&mut reader),
        other => {
            let what = format!("'format' is '{other}': expected 'fixed-width' or 'delimited'");
            faults.add(reader.place(), what, None);
            None
        }
    };
    reader.finish();
    Some(Layout {
        name: name.to_owned(),
        format: format?,
        encoding: encoding?,
        terminator,
        before_roc,
        fields: fields?,
    })
}

/// The field that repeats the file's name.
pub(super) fn named(reader: &mut Reader, field: &'static str, name: &str) {
    if let Some((text, at)) = reader.text(field)
        && (text != name || !is_name(name))
    {
        let hint = format!(
            "'{field}: {name}', or rename the file to '{text}.yaml'; a-z, 0-9, '-', '_', '.'"
        );
        reader.faults().add(
            at,
            format!("'{field}' is '{text}' in the file of '{name}'"),
            Some(&hint),
        );
    }
}

fn encoding(reader: &mut Reader) -> Option<Encoding> {
    let eudc = reader.parsed_or("eudc", Eudc::MsPua, "ms-pua or refuse", |t| match t {
        "ms-pua" => Some(Eudc::MsPua),
        "refuse" => Some(Eudc::Refuse),
        _ => None,
    });
    reader.parsed("encoding", "cp950 or utf-8", |t| match t {
        "cp950" => Some(Encoding::Cp950(eudc)),
        "utf-8" => Some(Encoding::Utf8),
        _ => None,
    })
}

fn delimited(reader: &mut Reader) -> Option<Format> {
    let byte = |t: &str| match t.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n') => Some(*byte),
        _ => None,
    };
    let delimiter = reader.parsed_or("delimiter", b',', "one ASCII character", byte);
    let quote = reader.parsed_or("quote", b'"', "one ASCII character", byte);
    if delimiter == quote {
        reader.faults().add(reader.place(), "'delimiter' and 'quote' are the same", None);
    }
    let header = reader.parsed_or("header", Header::Names, "names, titles or none", |t| match t {
        "names" => Some(Header::Names),
        "titles" => Some(Header::Titles),
        "none" => Some(Header::None),
        _ => None,
    });
    Some(Format::Delimited { delimiter, quote, header })
}

fn sum(reader: &Reader, record: Option<usize>, fields: Option<&[Field]>) {
    if let (Some(record), Some(fields)) = (record, fields) {
        let sum: usize = fields.iter().map(|f| f.bytes).sum();
        if sum != record {
            let what = format!("the fields have {sum} bytes, 'record_bytes' is {record}");
            reader.faults().add(
                reader.place(),
                what,
                Some("the terminator is not part of the record"),
            );
        }
    }
}

fn fields(reader: &mut Reader, fixed: bool) -> Option<Vec<Field>> {
    let node = reader.required("fields")?;
    let faults = reader.faults().clone();
    let Value::List(nodes) = &node.value else {
        faults.add(node.at, "'fields' must be a list", None);
        return None;
    };
    let mut names = BTreeSet::new();
    let mut fields = Vec::with_capacity(nodes.len());
    for node in nodes {
        if let Some(field) = field(node, fixed, &faults) {
            if !names.insert(field.name.clone()) {
                faults.add(node.at, format!("the field '{}' stands twice", field.name), None);
            }
            fields.push(field);
        }
    }
    if fields.iter().filter(|f| f.key).count() > 1 {
        faults.add(node.at, "two fields are 'key: true'", Some("one field is that of look-ups"));
    }
    if fields.iter().filter(|f| matches!(f.kind, FieldKind::Change(_))).count() > 1 {
        faults.add(node.at, "two fields are of the type 'change'", None);
    }
    (fields.len() == nodes.len() && !fields.is_empty()).then_some(fields)
}

fn field(node: &Node, fixed: bool, faults: &Faults) -> Option<Field> {
    let mut reader = Reader::new(node, faults);
    let name = reader.parsed("name", "a name of a-z, 0-9 and '_'", |t| {
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        (t.len() <= 48 && t.bytes().all(good)).then(|| t.to_owned())
    });
    let title = reader.text("title").map(|(text, _)| text);
    let bytes = if fixed {
        reader.parsed("bytes", "a number of bytes", |t| t.parse::<usize>().ok().filter(|n| *n > 0))
    } else {
        Some(0)
    };
    let yes = |t: &str| match t {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    let key = reader.parsed_or("key", false, "true or false", yes);
    let required = reader.parsed_or("required", false, "true or false", yes);
    let kind =
        reader.parsed(
            "type",
            "text, national-id, roc-date, integer, code or change",
            |t| match t {
                "text" => Some(FieldKind::Text),
                "national-id" => Some(FieldKind::NationalId),
                "roc-date" => Some(FieldKind::RocDate),
                "integer" => Some(FieldKind::Integer),
                "code" => Some(FieldKind::Code),
                "change" => Some(FieldKind::Change(ChangeCodes::default())),
                _ => None,
            },
        );
    let kind = match kind {
        Some(FieldKind::Change(_)) => {
            let codes = |reader: &mut Reader, name| {
                reader.texts_or_empty(name).into_iter().map(|(text, _)| text).collect()
            };
            Some(FieldKind::Change(ChangeCodes {
                add: codes(&mut reader, "add"),
                change: codes(&mut reader, "change"),
                remove: codes(&mut reader, "remove"),
            }))
        }
        other => other,
    };
    reader.finish();
    Some(Field { name: name?, title: title?, bytes: bytes?, kind: kind?, key, required })
}
