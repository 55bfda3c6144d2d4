//! `access show` and `access export`: what is asked of the access log, and its lines on the screen, in a pipe or a file.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use chrono::NaiveDate;
use serde_json::Value;

use super::{
    args::{AccessFilter, ExportFormat, RowFormat},
    client::Client,
    dates,
    identity::Identity,
    print, rows, shapes,
    words::id,
};
use crate::{
    adapters::files,
    domain::{access::LogFilter, calendar, time::Timestamp},
    error::{Error, Exit},
    service::{
        Query, Result,
        access_keys::AccessKeyLine,
        inspecting::{AccessLine, Inspection},
        reading::Rows,
    },
};

/// Lines of a table that are lined up together.
const TABLE_LINES: usize = 200;
/// What spreadsheets take for the start of a formula, full-width forms included, or drop before one.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

fn asked(client: &mut Client, args: &AccessFilter, to: Option<&str>) -> Result<Inspection> {
    let zone = client.zone()?;
    let (from, until) = period(args, zone)?;
    let filter = LogFilter {
        link: args.link.clone(),
        from,
        until,
        account: args.account.clone(),
        grant: args.grant.as_deref().map(id).transpose()?,
        case_no: args.case.clone(),
        subject: args.subject.as_deref().map(subject).transpose()?,
        sample: args.sample.as_deref().map(id).transpose()?,
    };
    let to = to.unwrap_or_else(|| print::destination()).to_owned();
    let (case_no, reason) = (args.audit_no.clone().unwrap_or_default(), args.reason.clone());
    Ok(Inspection { filter, export: to == "file", case_no, reason, to })
}

fn subject(text: &str) -> Result<String> {
    match (text, text.strip_prefix('@')) {
        ("-", _) | (_, Some(_)) => rows::value(text),
        _ => Err(Error::usage("a person must not stand in the command line")
            .hint("--subject - reads the value from standard input, @FILE from a file")),
    }
}

/// The first day of a month, in either calendar.
fn first_of(month: &str) -> Option<NaiveDate> {
    let day = |day: &str| calendar::parse_date(&format!("{month}{day}"));
    day("-01").or_else(|| day("/1")).or_else(|| day("月1日"))
}

fn no_month(text: &str) -> Error {
    Error::usage(format!("'{text}' is no month")).hint("2026-11 or 115-11")
}

/// A month as the log names it: `2026-11`.
pub(super) fn month(text: &str) -> Result<String> {
    let day = first_of(text).ok_or_else(|| no_month(text))?;
    Ok(day.format("%Y-%m").to_string())
}

/// `access keys`.
pub(super) fn keys(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let head = ["link", "month", "state", "kept until", "clause", "order", "hold"];
    let rows: Vec<AccessKeyLine> = client.ask(Query::AccessKeys)?;
    super::lists::listing(json, &rows, &head, |key| {
        let told = |id: Option<String>| id.unwrap_or_default();
        vec![
            key.link.clone(),
            key.month.clone(),
            key.state.clone(),
            told(key.kept_until.map(|end| calendar::end(end, zone))),
            told(key.clause.clone()),
            told(key.order.map(|id| id.to_string())),
            told(key.hold.map(|id| id.to_string())),
        ]
    })
}

/// First and last moment.
fn period(
    args: &AccessFilter,
    zone: chrono_tz::Tz,
) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    if let Some(text) = &args.month {
        let first = first_of(text).ok_or_else(|| no_month(text))?;
        let last = Timestamp::end_of_month(first, zone).ok_or_else(|| no_month(text))?;
        return Ok((Some(Timestamp::start_of_day(first, zone)), Some(last)));
    }
    let from = args.from.as_deref().map(|text| dates::beginning(text, zone)).transpose()?;
    let to = args.to.as_deref().map(|text| dates::end(text, zone)).transpose()?;
    Ok((from, to))
}

/// `access show`.
pub(super) fn show(
    client: &mut Client,
    identity: &Identity,
    args: &AccessFilter,
    format: RowFormat,
) -> Result<()> {
    let inspection = asked(client, args, None)?;
    let mut lines = Lines::new(format, io::stdout(), print::csv_shown);
    let served = client.inspect(identity, &inspection, &mut lines);
    lines.end(served.is_err())?;
    served.map(|_| ())
}

/// `access export`.
pub(super) fn export(
    client: &mut Client,
    identity: &Identity,
    args: &AccessFilter,
    (path, format): (&Path, ExportFormat),
    json: bool,
) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(Exit::Unavailable, format!("'{}': {error}", path.display()))
    };
    if path.exists() {
        return Err(Error::usage(format!("'{}' is there already", path.display())));
    }
    let inspection = asked(client, args, Some("file"))?;
    let part = files::part_of(path);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .map_err(|error| failed(&error))?;
    let written = written(client, identity, &inspection, (file, format));
    match written {
        Ok(lines) => {
            files::rename(&part, path, "access-export").map_err(|error| failed(&error))?;
            let file = path.display().to_string();
            if json {
                return print::json(&shapes::Exported { file, lines });
            }
            print::line(&match lines {
                1 => format!("one line is in '{file}'"),
                _ => format!("{lines} lines are in '{file}'"),
            })
        }
        Err(error) => {
            // What was begun holds people: it goes.
            let _ = files::remove(&part, "access-export");
            Err(error)
        }
    }
}

fn written(
    client: &mut Client,
    identity: &Identity,
    inspection: &Inspection,
    (file, format): (File, ExportFormat),
) -> Result<u64> {
    let mut out = io::BufWriter::new(file);
    let failed = |error: io::Error| Error::new(Exit::Unavailable, format!("the file: {error}"));
    let served = match format {
        ExportFormat::Csv => {
            out.write_all("\u{feff}".as_bytes()).map_err(failed)?;
            let mut lines = Lines::new(RowFormat::Csv, &mut out, print::csv);
            client.inspect(identity, inspection, &mut lines)?
        }
        ExportFormat::Jsonl => client.inspect(identity, inspection, &mut JsonLines(&mut out))?,
    };
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(served.rows)
}

/// Who asked: name, title and unit, as they were then.
fn person(line: &AccessLine) -> String {
    let (display, title, unit) = (&line.display, &line.title, &line.unit);
    let parts = [display, title, unit].map(|part| part.as_deref());
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn line_of(cells: &[String]) -> io::Result<AccessLine> {
    AccessLine::of_cells(cells).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// One object a line.
struct JsonLines<W>(W);

impl<W: Write> Rows for JsonLines<W> {
    fn begin(&mut self, _: &[String]) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, values: &[String]) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, &line_of(values)?)?;
        self.0.write_all(b"\n")
    }
}

/// Lines as a table, CSV or an array.
struct Lines<W> {
    format: RowFormat,
    out: W,
    /// How a row of CSV is written: a file has it as it is, a terminal without what it would obey.
    csv: fn(&[String]) -> String,
    waiting: Vec<Vec<String>>,
    lines: u64,
    begun: bool,
}

impl<W: Write> Lines<W> {
    const fn new(format: RowFormat, out: W, csv: fn(&[String]) -> String) -> Self {
        Self { format, out, csv, waiting: Vec::new(), lines: 0, begun: false }
    }

    /// Shows what was held back, and closes what [`Rows::begin`] opened unless the reading was cut.
    fn end(&mut self, cut: bool) -> Result<()> {
        match self.format {
            RowFormat::Json if self.begun && !cut => {
                print::line(if self.lines == 0 { "]" } else { "\n]" })
            }
            RowFormat::Table if self.begun => self.table(),
            _ => Ok(()),
        }
    }

    fn table(&mut self) -> Result<()> {
        let head = [
            "entry",
            "date",
            "time",
            "link",
            "account",
            "person",
            "operation",
            "subject",
            "case",
            "reason",
            "state",
            "rows",
        ];
        print::table(&head, &std::mem::take(&mut self.waiting))
    }
}

impl<W: Write> Rows for Lines<W> {
    fn begin(&mut self, fields: &[String]) -> io::Result<()> {
        self.begun = true;
        match self.format {
            RowFormat::Csv => self.out.write_all((self.csv)(fields).as_bytes()),
            RowFormat::Json => self.out.write_all(b"["),
            RowFormat::Table => Ok(()),
        }
    }

    fn row(&mut self, values: &[String]) -> io::Result<()> {
        let line = line_of(values)?;
        match self.format {
            RowFormat::Csv => {
                let mut cells = line.cells();
                if let Some(cell) = cells.get_mut(6) {
                    *cell = about(line.subject.as_ref());
                }
                let cells: Vec<String> = cells.into_iter().map(harmless).collect();
                self.out.write_all((self.csv)(&cells).as_bytes())?;
            }
            RowFormat::Json => {
                let comma = if self.lines == 0 { "\n" } else { ",\n" };
                let text = serde_json::to_string(&line)?;
                self.out.write_all(format!("{comma}{}", print::escaped(&text)).as_bytes())?;
            }
            RowFormat::Table => {
                let entry = line.part.map_or_else(
                    || line.entry.to_string(),
                    |part| format!("{}.{}", line.entry, part + 1),
                );
                let state = line.ended.as_ref().map_or_else(
                    || line.state.clone(),
                    |ended| format!("{} ({ended})", line.state),
                );
                let text = |value: &Option<String>| value.clone().unwrap_or_default();
                self.waiting.push(vec![
                    entry,
                    line.date.clone(),
                    line.time.clone(),
                    line.link.clone(),
                    text(&line.account),
                    person(&line),
                    text(&line.operation),
                    about(line.subject.as_ref()),
                    text(&line.case_no),
                    text(&line.reason),
                    state,
                    line.rows.map(|rows| rows.to_string()).unwrap_or_default(),
                ]);
                if self.waiting.len() == TABLE_LINES {
                    self.table().map_err(|error| io::Error::other(error.what))?;
                }
            }
        }
        self.lines += 1;
        Ok(())
    }
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: String) -> String {
    if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell }
}

/// Whom an asking was about, for a person.
fn about(subject: Option<&Value>) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = |value: &Value| {
        let pairs = value.as_object().into_iter().flatten();
        let pairs: Vec<String> =
            pairs.map(|(key, value)| format!("{key}={}", text(value))).collect();
        pairs.join(", ")
    };
    let Some((kind, value)) = subject.and_then(Value::as_object).and_then(|map| map.iter().next())
    else {
        return String::new();
    };
    match kind.as_str() {
        "where" if value.as_object().is_some_and(serde_json::Map::is_empty) => {
            "everyone".to_owned()
        }
        "list" => format!("{}: a list of {}", text(&value["on"]), value["count"]),
        "values" => {
            let values = value["values"].as_array().into_iter().flatten();
            let values: Vec<String> = values.map(text).collect();
            format!("{}: {}", text(&value["on"]), values.join(" "))
        }
        "log" if value.as_object().is_some_and(serde_json::Map::is_empty) => {
            "access log: everything".to_owned()
        }
        "log" => format!("access log: {}", pairs(value)),
        _ => pairs(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_other_cell_is_changed() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"] {
            assert_eq!(harmless(cell.to_owned()), format!("'{cell}"));
        }
        for cell in ["", "115-001", "資格審查", "a=b"] {
            assert_eq!(harmless(cell.to_owned()), cell);
        }
    }
}
