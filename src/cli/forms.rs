//! Forms on paper and in files.

use std::path::Path;

use super::{
    args::{FormFile, FormFormat, RegisterExport},
    client::Client,
    dates, print,
};
use crate::{
    adapters::files,
    domain::{certificate::Certificate, digest::Digest, time::Timestamp},
    error::{Error, Exit},
    paper::{self, Form, pdf::PdfFault},
    service::{
        Query, Result,
        forms::{DestructionRecord, DutyList, RegisterFilter},
    },
    wiring,
};

/// `register export`.
pub(super) fn register(client: &mut Client, asked: &RegisterExport) -> Result<()> {
    let zone = client.zone()?;
    let day = |text: &Option<String>| text.as_deref().map(dates::day).transpose();
    let (from, to) = (day(&asked.from)?, day(&asked.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(Error::usage("--from is after --to"));
    }
    let batch = match &asked.batch {
        Some(text) => Some(client.batch_named(text)?),
        None => None,
    };
    let filter = RegisterFilter {
        from: from.map(|day| Timestamp::start_of_day(day, zone)),
        to: to.map(|day| Timestamp::end_of_day(day, zone)),
        link: asked.link.clone(),
        batch,
        year: asked.year,
        register: asked.register.clone(),
    };
    let sheet = client.register_sheet(&filter)?;
    if let (Some(_), [first, _, ..]) = (filter.year, sheet.registers().as_slice()) {
        return Err(Error::usage("this site keeps several registers, and a volume is of one")
            .hint(format!("choose one, such as --register {first}")));
    }
    if asked.file.format == FormFormat::Json {
        return put_json(&asked.file.output, &sheet);
    }
    let mut links: Vec<&str> = sheet.rows.iter().map(|row| row.link.as_str()).collect();
    links.dedup();
    let staff = client.staff(&links)?;
    put(&asked.file, &paper::register::form(&sheet, &staff))
}

/// `destroy record`.
pub(super) fn destruction(client: &mut Client, id: &str, file: &FormFile) -> Result<()> {
    let batch = client.batch_named(id)?;
    let record: Box<DestructionRecord> = client.ask(Query::DestructionRecord { batch })?;
    if file.format == FormFormat::Json {
        return put_json(&file.output, &record);
    }
    let staff = client.staff(&[&record.row.link])?;
    put(file, &paper::destruction::form(&record, &staff))
}

/// `duties list`.
pub(super) fn duties(client: &mut Client, file: &FormFile) -> Result<()> {
    let list: Box<DutyList> = client.ask(Query::Duties)?;
    if file.format == FormFormat::Json {
        return put_json(&file.output, &list);
    }
    put(file, &paper::duties::form(&list))
}

/// `certificate show`. What is laid out has been verified first, under the certificate's own key.
pub(super) fn certificate(
    client: &mut Client,
    file: &str,
    format: Option<FormFormat>,
    output: Option<&Path>,
) -> Result<()> {
    let output = output.unwrap_or(Path::new("-"));
    let format = format.unwrap_or(FormFormat::Json);
    if format == FormFormat::Json {
        return put_bytes(output, file.as_bytes());
    }
    let certificate = Certificate::verify(file.as_bytes(), None)
        .map_err(|fault| Error::new(Exit::Data, format!("the certificate: {fault}")))?;
    let digest = Digest::of(file.as_bytes());
    let form = paper::certificate::form(&certificate, digest, client.zone()?);
    put(&FormFile { format, output: output.to_owned() }, &form)
}

/// Writes a form.
pub(super) fn put(file: &FormFile, form: &Form) -> Result<()> {
    put_bytes(&file.output, &bytes(file.format, form)?)
}

/// The bytes of a form's file.
pub(super) fn bytes(format: FormFormat, form: &Form) -> Result<Vec<u8>> {
    match format {
        FormFormat::Csv => Ok(paper::csv::write(form)),
        FormFormat::Html | FormFormat::Json => Ok(paper::html::write(form)),
        FormFormat::Ods => paper::ods::write(form)
            .map_err(|error| Error::new(Exit::Failed, format!("the spreadsheet: {error}"))),
        FormFormat::Pdf => pdf(form),
    }
}

/// A form as PDF, with the fonts of this machine.
pub(super) fn pdf(form: &Form) -> Result<Vec<u8>> {
    paper::pdf::write(form, &mut wiring::fonts()).map_err(|fault| match fault {
        PdfFault::NoFont => Error::new(Exit::Unavailable, fault.to_string())
            .hint("apt-get install fonts-cns11643-kai (rare characters too) or fonts-noto-cjk"),
        PdfFault::Writer(_) => Error::new(Exit::Failed, fault.to_string()),
    })
}

pub(super) fn put_json<T: serde::Serialize>(output: &Path, value: &T) -> Result<()> {
    put_bytes(output, &json(value)?)
}

/// The bytes of a file of facts.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Writes the file whole or not at all; only its owner may read it.
pub(super) fn put_bytes(output: &Path, bytes: &[u8]) -> Result<()> {
    if output == Path::new("-") {
        return print::bytes(bytes);
    }
    files::replace(output, bytes, "form")
        .map_err(|error| Error::new(Exit::Unavailable, format!("'{}': {error}", output.display())))
}
