//! `--copy-to`: rows in a file of one's own. The file is a copy in the inventory before its first byte, and made known with its
//! length and digest when it is there, whole or not; it is nobody's but its owner's to read.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{
    acts,
    args::{Cli, RowFileArgs},
    client::Client,
    dates,
    identity::Identity,
    print,
    words::id,
};
use crate::{
    adapters::files,
    domain::{
        entry::HeldFacts,
        ids::CopyId,
        inventory::{HeldKind, Medium},
        lifecycle::CopyState,
        time::Timestamp,
    },
    error::{Error, Exit},
    paper::rows::{self, Sheet},
    service::{
        Command, Query, Reply, Result,
        command::Declared,
        copies::InventoryLine,
        reading::{Reading, Rows, Wanted},
    },
};

/// The form of a file, by its ending.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Ods,
    Csv,
    Json,
}

/// A file that was asked for.
pub(super) struct RowFile<'a> {
    path: &'a Path,
    holder: &'a str,
    delete_by: &'a str,
    copies: &'a [String],
}

impl<'a> RowFile<'a> {
    pub(super) fn of(args: &'a RowFileArgs) -> Option<Self> {
        Some(Self {
            path: args.copy_to.as_deref()?,
            holder: args.holder.as_deref()?,
            delete_by: args.delete_by.as_deref()?,
            copies: &args.copy,
        })
    }

    /// Reads into the file.
    pub(super) fn written(
        &self,
        cli: &Cli,
        client: &mut Client,
        identity: &Identity,
        mut reading: Reading,
    ) -> Result<()> {
        let form = self.form()?;
        let place = self.place()?;
        let delete_by = dates::end(self.delete_by, client.zone()?)?;
        let (reply, _) = client.act(
            identity,
            Command::CopyOut {
                grant: reading.grant,
                batch: reading.batch,
                copies: self.copies.iter().map(|copy| id(copy)).collect::<Result<_>>()?,
                holder: self.holder.to_owned(),
                place: place.clone(),
                delete_by,
                reason: reading.reason.clone(),
            },
        )?;
        let copies: Vec<CopyId> = reply.id.split(',').map(id).collect::<Result<_>>()?;
        let known: Vec<InventoryLine> = client.ask(Query::Copies { batch: None, all: false })?;
        let planned = |copy: &CopyId| {
            known.iter().any(|line| line.id == *copy && line.state == CopyState::Planned)
        };
        if !copies.iter().all(planned) {
            let error = Error::new(Exit::Later, reply.message);
            return Err(match reply.next {
                Some(next) => error.hint(next),
                None => error,
            });
        }
        "file".clone_into(&mut reading.to);
        reading.copies.clone_from(&copies);
        let mut taken = Taken::new(self.path, form, &reading, client.now().to_string());
        let served = client.read(identity, &reading, &mut taken);
        let reach = match &served {
            Err(_) => Reach::Cut,
            Ok(served) if served.ended.is_some() => Reach::Capped,
            Ok(_) => Reach::Whole,
        };
        // Where it ended before its end, nobody knows of the rest whether it would have been found.
        let missing = taken.missing().filter(|_| reach == Reach::Whole);
        match (taken.finish(reach), &served) {
            // Nothing was written; that it was not is for another person to say too.
            (Ok(false), Err(_)) => print::note(&format!(
                "nothing was written: another person takes '{}' back with 'batchward copy withdraw'",
                reply.id
            )),
            (finished, _) => {
                // First of all: whatever fails next, what is there is there.
                self.told(reach);
                self.declared(client, identity, &copies, &place, delete_by)?;
                finished?;
            }
        }
        let capped = served?.ended == Some("row-cap");
        if capped {
            print::note("the row cap of the grant is reached: there may be more rows");
        }
        if let Some((missing, asked)) = missing.filter(|(missing, _)| *missing > 0) {
            print::note(&format!("{missing} of {asked} values were not found"));
        }
        let id = reply.id;
        let message =
            format!("the rows are in '{}', which is a copy in the inventory", self.path.display());
        let next = Some(format!(
            "before that day 'batchward destroy request' asks for its end, with '--copy' and '{id}'"
        ));
        acts::shown(cli, &Reply { id, message, next })
    }

    /// Where a part of an answer is.
    fn told(&self, reach: Reach) {
        if reach == Reach::Cut {
            let part = part_of(self.path);
            print::note(&format!("what came before the end is in '{}'", part.display()));
        }
    }

    fn form(&self) -> Result<Form> {
        match self.path.extension().and_then(|ending| ending.to_str()) {
            Some("ods") => Ok(Form::Ods),
            Some("csv") => Ok(Form::Csv),
            Some("json") => Ok(Form::Json),
            _ => Err(Error::usage(format!(
                "the ending of '{}' does not say its form",
                self.path.display()
            ))
            .hint("one of: .ods, .csv, .json")),
        }
    }

    /// Where the file will be, whole; a file that is there is never written over.
    fn place(&self) -> Result<String> {
        let unread = |error: io::Error| {
            Error::new(Exit::Unavailable, format!("'{}': {error}", self.path.display()))
        };
        if self.path.symlink_metadata().is_ok() {
            return Err(Error::usage(format!("'{}' is there already", self.path.display()))
                .hint("a copy goes to a new file"));
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().map_err(unread)?;
        let part = part_of(self.path);
        if part.symlink_metadata().is_ok() {
            return Err(Error::usage(format!("'{}' is there already", part.display())).hint(
                "an answer that was cut or stopped left it: it is a copy. One that is planned still is made known with 'batchward copy declare', and '--place' with this name",
            ));
        }
        let whole = folder.join(self.path.file_name().unwrap_or_default());
        whole
            .to_str()
            .map(str::to_owned)
            .ok_or_else(|| Error::usage(format!("'{}' is not UTF-8", self.path.display())))
    }

    fn declared(
        &self,
        client: &mut Client,
        identity: &Identity,
        copies: &[CopyId],
        place: &str,
        delete_by: Timestamp,
    ) -> Result<()> {
        // It lies where it came to: under its name only where it is whole.
        let part = part_of(self.path);
        let (at, place) = if part.symlink_metadata().is_ok() {
            (part.as_path(), format!("{place}{PART}"))
        } else {
            (self.path, place.to_owned())
        };
        let sha256 = acts::digest_of(at)?;
        let bytes = std::fs::metadata(at).map(|about| about.len()).map_err(|error| {
            Error::new(Exit::Unavailable, format!("'{}': {error}", at.display()))
        })?;
        for copy in copies {
            let facts = HeldFacts {
                kind: HeldKind::Export,
                medium: Medium::File,
                holder: self.holder.to_owned(),
                place: place.clone(),
                lock: None,
                serial: None,
                model: None,
                property_no: None,
                pieces: None,
                delete_by: Some(delete_by),
                sha256: Some(sha256),
                bytes: Some(bytes),
            };
            client.act(identity, Command::CopyDeclare { of: Declared::Copy(*copy), facts })?;
        }
        Ok(())
    }
}

/// What stands behind the name of a file while it is written, and for good where it was cut.
const PART: &str = ".part";

/// Where a file is written before it is whole.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(PART);
    path.with_file_name(name)
}

/// How far a reading came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Whole,
    /// To the cap of rows.
    Capped,
    /// To an error, as the end of the grant is one.
    Cut,
}

/// Rows on their way to the file.
struct Taken {
    path: PathBuf,
    form: Form,
    file: Option<BufWriter<File>>,
    begun: bool,
    fields: Vec<String>,
    /// Rows of a spreadsheet, which is made whole.
    rows: Vec<Vec<String>>,
    count: u64,
    /// The field of a list, its values, where it stands in a row, and which of them were found.
    on: Option<String>,
    asked: Vec<String>,
    at: Option<usize>,
    found: BTreeSet<String>,
    made_at: String,
}

impl Taken {
    fn new(path: &Path, form: Form, reading: &Reading, made_at: String) -> Self {
        let (on, asked) = match &reading.wanted {
            Wanted::List { on, values } => (Some(on.clone()), values.clone()),
            Wanted::Where(_) | Wanted::Is(_) => (None, Vec::new()),
        };
        Self {
            path: path.to_owned(),
            form,
            file: None,
            begun: false,
            fields: Vec::new(),
            rows: Vec::new(),
            count: 0,
            on,
            asked,
            at: None,
            found: BTreeSet::new(),
            made_at,
        }
    }

    /// Opens the file, which is new, and has another name until it is whole.
    fn open(&mut self) -> io::Result<&mut BufWriter<File>> {
        let part = part_of(&self.path);
        let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
        Ok(self.file.insert(BufWriter::new(new)))
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(text.as_bytes()),
            None => Err(io::Error::other("the file is not open")),
        }
    }

    /// How many values of a list were not found, and how many there are; nothing where the rows do not show which were.
    fn missing(&self) -> Option<(usize, usize)> {
        self.at?;
        Some((self.asked.len().saturating_sub(self.found.len()), self.asked.len()))
    }

    /// Ends the file and has it on the disk; false where nothing was ever written. What was cut does not look like the
    /// whole: it keeps the name of a part, JSON stays open, and of a spreadsheet, which is made at its end, there is none.
    fn finish(mut self, reach: Reach) -> Result<bool> {
        let end = self.end(reach);
        let Some(file) = self.file.take() else {
            return end.map(|()| false).map_err(|e| unwritten(&self.path, &e));
        };
        let synced = end
            .and_then(|()| file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all());
        synced.map_err(|error| unwritten(&self.path, &error))?;
        let part = part_of(&self.path);
        let unsettled = |error: files::FileError| Error::new(Exit::Unavailable, error.to_string());
        if reach == Reach::Cut {
            let folder = part.parent().filter(|folder| !folder.as_os_str().is_empty());
            files::sync_dir(folder.unwrap_or(Path::new("."))).map_err(unsettled)?;
        } else {
            files::settle(&part, &self.path, "rows").map_err(unsettled)?;
        }
        Ok(true)
    }

    fn end(&mut self, reach: Reach) -> io::Result<()> {
        if !self.begun || reach == Reach::Cut {
            return Ok(());
        }
        match self.form {
            Form::Csv => Ok(()),
            Form::Json => self.write(if self.count == 0 { "]\n" } else { "\n]\n" }),
            Form::Ods => {
                let mut sheets = vec![Sheet {
                    name: "查詢結果".to_owned(),
                    head: self.fields.clone(),
                    rows: std::mem::take(&mut self.rows),
                }];
                // Who was not found stands in it only where the whole list was looked for, and the rows show it.
                let told = reach == Reach::Whole && self.at.is_some();
                if let Some(on) = self.on.as_ref().filter(|_| told) {
                    let lost = self.asked.iter().filter(|value| !self.found.contains(*value));
                    sheets.push(Sheet {
                        name: "查無資料".to_owned(),
                        head: vec![on.clone()],
                        rows: lost.map(|value| vec![value.clone()]).collect(),
                    });
                }
                let bytes = rows::ods(&sheets, &self.made_at).map_err(io::Error::other)?;
                self.open()?.write_all(&bytes)
            }
        }
    }
}

fn unwritten(path: &Path, error: &io::Error) -> Error {
    Error::new(Exit::Unavailable, format!("'{}': {error}", path.display()))
}

impl Rows for Taken {
    fn begin(&mut self, fields: &[String]) -> io::Result<()> {
        self.fields = fields.to_vec();
        self.at = self.on.as_ref().and_then(|on| fields.iter().position(|field| field == on));
        self.begun = true;
        match self.form {
            Form::Csv => {
                self.open()?.write_all(format!("\u{feff}{}", print::csv(fields)).as_bytes())
            }
            Form::Json => self.open()?.write_all(b"["),
            Form::Ods => Ok(()),
        }
    }

    fn row(&mut self, values: &[String]) -> io::Result<()> {
        if let Some(value) = self.at.and_then(|at| values.get(at)) {
            self.found.insert(value.clone());
        }
        self.count += 1;
        match self.form {
            Form::Csv => self.write(&print::csv(values)),
            Form::Json => {
                let pairs = self.fields.iter().cloned().zip(values.iter().cloned().map(Into::into));
                let object: serde_json::Map<String, serde_json::Value> = pairs.collect();
                let comma = if self.count == 1 { "\n" } else { ",\n" };
                self.write(&format!("{comma}{}", serde_json::Value::Object(object)))
            }
            Form::Ods => {
                self.rows.push(values.to_vec());
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// A file of the rows of a list of 甲 and 乙, of whom 甲 is found.
    fn made(folder: &Path, form: Form, field: &str, reach: Reach) -> (PathBuf, bool) {
        let path = folder.join("found");
        let values = vec!["甲".to_owned(), "乙".to_owned()];
        let reading = Reading {
            grant: id("g-00000001").unwrap(),
            case_no: String::new(),
            reason: String::new(),
            batch: None,
            wanted: Wanted::List { on: "name".to_owned(), values },
            to: "file".to_owned(),
            copies: Vec::new(),
        };
        let mut taken = Taken::new(&path, form, &reading, "2026-11-22T00:00:00Z".to_owned());
        taken.begin(&[field.to_owned()]).unwrap();
        taken.row(&["甲".to_owned()]).unwrap();
        assert_eq!(taken.missing(), (field == "name").then_some((1, 2)));
        let there = taken.finish(reach).unwrap();
        let (path, other) = if reach == Reach::Cut {
            (part_of(&path), path)
        } else {
            (path.clone(), part_of(&path))
        };
        assert_eq!((there, false), (path.exists(), other.exists()));
        (path, there)
    }

    #[test]
    fn who_was_not_found_stands_in_the_file_only_where_all_were_looked_for_and_rows_show_it() {
        let (whole, capped) = (Reach::Whole, Reach::Capped);
        for (field, reach, there) in
            [("name", whole, true), ("name", capped, false), ("village", whole, false)]
        {
            let folder = tempfile::tempdir().unwrap();
            let (path, _) = made(folder.path(), Form::Ods, field, reach);
            let mut archive = zip::ZipArchive::new(File::open(&path).unwrap()).unwrap();
            let content = io::read_to_string(archive.by_name("content.xml").unwrap()).unwrap();
            assert_eq!(content.contains("查無資料") && content.contains('乙'), there);
        }
    }

    #[test]
    fn a_part_of_an_answer_does_not_look_like_the_whole() {
        for (reach, closed) in [(Reach::Whole, true), (Reach::Capped, true), (Reach::Cut, false)] {
            let folder = tempfile::tempdir().unwrap();
            let (path, there) = made(folder.path(), Form::Json, "name", reach);
            let text = std::fs::read(&path).unwrap();
            assert!(there && text.starts_with(b"["));
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&text).is_ok(), closed);
        }
        // Of CSV no byte could be missing at its end: its name says it.
        let folder = tempfile::tempdir().unwrap();
        let (path, there) = made(folder.path(), Form::Csv, "name", Reach::Cut);
        assert!(there && path.ends_with("found.part"));
        let folder = tempfile::tempdir().unwrap();
        assert!(!made(folder.path(), Form::Ods, "name", Reach::Cut).1);
    }
}
