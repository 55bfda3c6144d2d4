//! `query` and `match`: what is asked comes from standard input or files, what is found goes to the screen or a pipe.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read, stdin},
    path::Path,
};

use super::{
    args::{ListEncoding, MatchArgs, QueryArgs, RowFormat},
    client::Client,
    identity::Identity,
    print,
    words::{bounded, id},
};
use crate::{
    domain::{
        brought::{self, Brought, NoColumn, Sought},
        ids::GrantId,
        limits,
    },
    error::{Error, Exit},
    service::{
        Query, Result,
        reading::{Reading, Rows, Wanted},
    },
    wiring::{self, TextCode},
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
        copies: Vec::new(),
    })
}

/// A value that stands elsewhere: `-` reads it from standard input, `@FILE` from a file.
pub(super) fn value(text: &str) -> Result<String> {
    if let Some(path) = text.strip_prefix('@') {
        return Ok(first_line(&String::from_utf8(bounded(Path::new(path))?).unwrap_or_default()));
    }
    let mut line = String::new();
    io::BufRead::read_line(&mut stdin().lock().take(limits::KEY_BYTES_MAX), &mut line)
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

pub(super) fn match_of(client: &mut Client, args: &MatchArgs) -> Result<Reading> {
    let grant = id(&args.grant)?;
    let sought: Sought = client.ask(Query::Sought { grant, field: args.on.clone() })?;
    let values = brought(args, &sought)?;
    Ok(Reading {
        grant,
        case_no: args.case.clone(),
        reason: args.reason.clone(),
        batch: None,
        wanted: Wanted::List { on: args.on.clone(), values },
        to: print::destination().to_owned(),
        copies: Vec::new(),
    })
}

/// The values of a list that somebody brings, and what there is to tell of them: counts, never a value.
fn brought(args: &MatchArgs, sought: &Sought) -> Result<Vec<String>> {
    let name = if args.input.as_os_str() == "-" {
        "standard input".to_owned()
    } else {
        format!("'{}'", args.input.display())
    };
    let bytes = list_bytes(&args.input, &name)?;
    let code = args.encoding.map(|code| match code {
        ListEncoding::Cp950 => TextCode::Cp950,
        ListEncoding::Utf8 => TextCode::Utf8,
    });
    let rows = wiring::read_list(&bytes, code, &|text| sought.is_meant_by(text))
        .map_err(|fault| Error::new(Exit::Data, format!("{name}: {fault}")).hint(fault.hint()))?;
    let brought = brought::taken(&rows, sought, args.column.as_deref())
        .map_err(|why| no_column(&name, &sought.name, &why))?;
    told(&brought);
    Ok(brought.values)
}

fn told(brought: &Brought) {
    let Brought { doubled, folded, numbers, shortened, formulas, blank, .. } = brought;
    let notes = [
        (
            doubled,
            format!("{doubled} values of the list are there more than once, and are asked once"),
        ),
        (folded, format!("{folded} values were at full width or in small letters, and are folded")),
        (numbers, format!("{numbers} cells of the list are numbers, which keep no zeros in front")),
        (
            shortened,
            format!(
                "{shortened} of these numbers are too short: make the column text, and type them again"
            ),
        ),
        (
            formulas,
            format!("{formulas} cells of the list are formulas: what they showed last is taken"),
        ),
        (blank, format!("{blank} rows of the list have no value")),
    ];
    for (count, note) in notes {
        if *count > 0 {
            print::note(&note);
        }
    }
}

fn list_bytes(path: &Path, name: &str) -> Result<Vec<u8>> {
    let unread = |error: io::Error| Error::new(Exit::Unavailable, format!("{name}: {error}"));
    let mut bytes = Vec::new();
    // One byte more than may be: it is over the limit then, and said to be.
    let most = limits::LIST_BYTES_MAX + 1;
    if path.as_os_str() == "-" {
        stdin().lock().take(most).read_to_end(&mut bytes).map_err(unread)?;
    } else {
        let file = std::fs::File::open(path).map_err(unread)?;
        file.take(most).read_to_end(&mut bytes).map_err(unread)?;
    }
    Ok(bytes)
}

fn no_column(name: &str, field: &str, why: &NoColumn) -> Error {
    let asked = "--column names it by its head, or by its number from 1";
    match why {
        NoColumn::Empty => Error::new(Exit::Data, format!("{name} has no value in it")),
        NoColumn::Unknown(columns) => Error::new(
            Exit::Data,
            format!("{name} has {columns} columns, and no head says which one is '{field}'"),
        )
        .hint(asked),
        NoColumn::Several(columns) => {
            Error::new(Exit::Data, format!("{columns} heads in {name} may be '{field}'"))
                .hint(asked)
        }
        NoColumn::Missing => Error::usage(format!("{name} has no such column")).hint(asked),
    }
}

pub(super) fn read(
    client: &mut Client,
    identity: &Identity,
    reading: &Reading,
    format: RowFormat,
) -> Result<()> {
    let mut rows = Counted::new(print::Printed::new(format), reading);
    let served = client.read(identity, reading, &mut rows);
    rows.shown.end(served.is_err())?;
    let ended = served?.ended;
    if ended == Some("row-cap") {
        print::note("the row cap of the grant is reached: there may be more rows");
    }
    // Where it ended before its end, nobody knows of the rest whether it would have been found.
    if let Some((missing, asked)) = rows.missing().filter(|_| ended.is_none()) {
        print::note(&format!("{missing} of {asked} values were not found"));
    }
    Ok(())
}

/// Rows on their way to the screen, and which values of a list were among them.
struct Counted<'r> {
    shown: print::Printed,
    /// The field of a list, and its values.
    list: Option<(&'r str, &'r [String])>,
    /// Where the field stands in a row.
    at: Option<usize>,
    found: BTreeSet<String>,
}

impl<'r> Counted<'r> {
    fn new(shown: print::Printed, reading: &'r Reading) -> Self {
        let list = match &reading.wanted {
            Wanted::List { on, values } => Some((on.as_str(), values.as_slice())),
            Wanted::Where(_) | Wanted::Is(_) => None,
        };
        Self { shown, list, at: None, found: BTreeSet::new() }
    }

    /// How many values of a list were not found, and how many there are; nothing where all were, or none can be told.
    fn missing(&self) -> Option<(usize, usize)> {
        let (_, values) = self.list.filter(|_| self.at.is_some())?;
        let missing = values.iter().filter(|value| !self.found.contains(*value)).count();
        (missing > 0).then_some((missing, values.len()))
    }
}

impl Rows for Counted<'_> {
    fn begin(&mut self, fields: &[String]) -> io::Result<()> {
        self.at = self.list.and_then(|(on, _)| fields.iter().position(|field| field == on));
        self.shown.begin(fields)
    }

    fn row(&mut self, values: &[String]) -> io::Result<()> {
        if let Some(value) = self.at.and_then(|at| values.get(at)) {
            self.found.insert(value.clone());
        }
        self.shown.row(values)
    }
}
