//! `query` and `match`: what is asked comes from standard input or files, what is found goes to the screen or a pipe.

use std::{
    collections::BTreeMap,
    io::{Read, stdin},
    path::Path,
};

use super::{
    args::{MatchArgs, QueryArgs, RowFormat},
    client::Client,
    identity::Identity,
    print,
    words::{bounded, id},
};
use crate::{
    domain::{ids::GrantId, limits},
    error::{Error, Exit},
    service::{
        Query, Result,
        reading::{Reading, Wanted},
    },
};

pub(super) fn query_of(client: &mut Client, args: &QueryArgs) -> Result<Reading> {
    let grant = id(&args.grant)?;
    let mut conditions = BTreeMap::new();
    for condition in &args.conditions {
        let (field, value) = condition.split_once('=').ok_or_else(|| {
            Error::usage(format!("--where takes FIELD=- or FIELD=@FILE, not '{condition}'"))
        })?;
        let value = if value == "-" || value.starts_with('@') {
            self::value(value)?
        } else {
            harmless(client, grant, field, value)?
        };
        conditions.insert(field.to_owned(), value);
    }
    Ok(Reading {
        grant,
        case_no: args.case.clone(),
        reason: args.reason.clone(),
        batch: args.batch.as_deref().map(|text| client.batch_named(text)).transpose()?,
        wanted: Wanted::Where(conditions),
        to: print::destination().to_owned(),
    })
}

/// A value that stands elsewhere: `-` reads it from standard input, `@FILE` from a file.
pub(super) fn value(text: &str) -> Result<String> {
    if let Some(path) = text.strip_prefix('@') {
        return Ok(first_line(&String::from_utf8(bounded(Path::new(path))?).unwrap_or_default()));
    }
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stdin().lock().take(limits::KEY_BYTES_MAX), &mut line)
        .map_err(|error| Error::new(Exit::Unavailable, format!("standard input: {error}")))?;
    Ok(first_line(&line))
}

fn harmless(client: &mut Client, grant: GrantId, field: &str, value: &str) -> Result<String> {
    if client.ask(Query::Harmless { grant, field: field.to_owned() })? {
        return Ok(value.to_owned());
    }
    Err(Error::usage(format!("the value of '{field}' must not stand in the command line"))
        .hint(format!("--where {field}=- reads it from standard input, {field}=@FILE from a file")))
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
    client: &mut Client,
    identity: &Identity,
    reading: &Reading,
    format: RowFormat,
) -> Result<()> {
    let mut rows = print::Printed::new(format);
    let served = client.read(identity, reading, &mut rows);
    rows.end()?;
    if served?.ended == Some("row-cap") {
        print::note("the row cap of the grant is reached: there may be more rows");
    }
    Ok(())
}
