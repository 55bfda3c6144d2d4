//! `query` and `match`: what is asked comes from standard input or files, what is found goes to the screen or a pipe.

use std::{
    collections::BTreeMap,
    io::{Read, stdin},
    path::Path,
};

use super::{
    args::{MatchArgs, QueryArgs, RowFormat},
    identity::Identity,
    print,
    words::{bounded, id},
};
use crate::{
    domain::{ids::GrantId, layout::FieldKind, limits},
    error::{Error, Exit},
    service::{
        Result, Service,
        reading::{Reading, Wanted},
    },
};

pub(super) fn query_of(service: &Service, args: &QueryArgs) -> Result<Reading> {
    let grant = id(&args.grant)?;
    let mut conditions = BTreeMap::new();
    for condition in &args.conditions {
        let (field, value) = condition.split_once('=').ok_or_else(|| {
            Error::usage(format!("--where takes FIELD=- or FIELD=@FILE, not '{condition}'"))
        })?;
        let value = match value.strip_prefix('@') {
            Some(path) => {
                first_line(&String::from_utf8(bounded(Path::new(path))?).unwrap_or_default())
            }
            None if value == "-" => {
                let mut text = String::new();
                std::io::BufRead::read_line(
                    &mut stdin().lock().take(limits::KEY_BYTES_MAX),
                    &mut text,
                )
                .map_err(|error| {
                    Error::new(Exit::Unavailable, format!("standard input: {error}"))
                })?;
                first_line(&text)
            }
            None => harmless(service, grant, field, value)?,
        };
        conditions.insert(field.to_owned(), value);
    }
    Ok(Reading {
        grant,
        case_no: args.case.clone(),
        reason: args.reason.clone(),
        batch: args.batch.as_deref().map(|text| service.batch_named(text)).transpose()?,
        wanted: Wanted::Where(conditions),
        to: print::destination().to_owned(),
    })
}

/// A value may stand in a command line only when its field says nothing about who a person is: other users of the
/// machine can read command lines.
fn harmless(service: &Service, grant: GrantId, field: &str, value: &str) -> Result<String> {
    let rules = &service.engine.rules;
    let link = service.engine.view.grants.get(&grant).and_then(|g| rules.links.get(&g.terms.link));
    let kind = link.and_then(|link| rules.layout_of(link)).and_then(|layout| layout.field(field));
    match kind {
        Some(field) if !field.key && matches!(field.kind, FieldKind::Code | FieldKind::Integer) => {
            Ok(value.to_owned())
        }
        _ => {
            Err(Error::usage(format!("the value of '{field}' must not stand in the command line"))
                .hint(format!(
                    "--where {field}=- reads it from standard input, {field}=@FILE from a file"
                )))
        }
    }
}

fn first_line(text: &str) -> String {
    text.split(['\r', '\n']).next().unwrap_or_default().to_owned()
}

pub(super) fn match_of(args: &MatchArgs) -> Result<Reading> {
    let text = if args.input.as_os_str() == "-" {
        let mut text = String::new();
        stdin()
            .lock()
            .read_to_string(&mut text)
            .map_err(|error| Error::new(Exit::Unavailable, format!("standard input: {error}")))?;
        text
    } else {
        std::fs::read_to_string(&args.input).map_err(|error| {
            Error::new(Exit::Unavailable, format!("'{}': {error}", args.input.display()))
        })?
    };
    let values = text
        .lines()
        .map(|l| l.trim_end_matches('\r').to_owned())
        .filter(|l| !l.is_empty())
        .collect();
    Ok(Reading {
        grant: id(&args.grant)?,
        case_no: args.case.clone(),
        reason: args.reason.clone(),
        batch: None,
        wanted: Wanted::List { on: args.on.clone(), values },
        to: print::destination().to_owned(),
    })
}

pub(super) fn read(
    service: &mut Service,
    identity: &Identity,
    reading: &Reading,
    format: RowFormat,
) -> Result<()> {
    let caller =
        identity.caller(&service.draft_reading(reading)?, service.engine.ports.clock.now())?;
    let mut rows = print::Printed::new(format);
    let served = service.read(&caller, reading, &mut rows);
    rows.end()?;
    if served?.ended == Some("row-cap") {
        print::note("the row cap of the grant is reached: there may be more rows");
    }
    Ok(())
}
