//! Decisions on paper on the command line: what was typed, to a command; and slips, to a file.

use data_encoding::BASE64;

use super::{
    acts::time,
    args::{FormFile, FormFormat, PaperArgs, SlipArgs},
    client::Client,
    forms,
};
use crate::{
    adapters::files,
    domain::{
        limits,
        on_paper::{Ruling, Subject},
    },
    error::{Error, Exit},
    paper,
    service::{
        Command, Query, Result,
        forms::Slip,
        on_paper::{DecisionAct, Typed},
    },
};

/// The command of a decision on paper; nothing where none was typed.
pub(super) fn entered(
    client: &mut Client,
    (subject, ruling): (Subject, Ruling),
    args: &PaperArgs,
    reason: Option<&str>,
) -> Result<Option<Command>> {
    if !args.slip.paper {
        return Ok(None);
    }
    let doc_no = args.doc_no.as_deref().ok_or_else(|| missing("--doc-no <NO>"))?;
    typed(client, (subject, ruling), (doc_no, &args.slip), reason).map(Some)
}

/// The same where the number of the document is asked for in any case.
pub(super) fn typed(
    client: &mut Client,
    (subject, ruling): (Subject, Ruling),
    (doc_no, args): (&str, &SlipArgs),
    reason: Option<&str>,
) -> Result<Command> {
    let said = |what: &Option<String>, name| what.clone().ok_or_else(|| missing(name));
    let scan = args.scan.as_deref().ok_or_else(|| missing("--scan <FILE>"))?;
    let scan = files::read(scan, limits::PAPER_BYTES_MAX)
        .map_err(|error| Error::new(Exit::Data, error.to_string()))?;
    let typed = Typed {
        subject,
        ruling,
        approver: said(&args.approver, "--approver <NAME>")?,
        doc_no: doc_no.to_owned(),
        on: time(client, &said(&args.date, "--date <DATE>")?)?,
        code: said(&args.code, "--code <CODE>")?,
        scan: BASE64.encode(&scan),
        reason: reason.map(str::to_owned),
    };
    Ok(Command::OnPaper { act: Box::new(DecisionAct::Enter { typed: Box::new(typed) }) })
}

fn missing(what: &str) -> Error {
    Error::usage(format!("this is missing: {what}"))
        .hint("'--help' after the word shows what it takes")
}

/// `grant confirm`, `copy confirm`.
pub(super) fn confirmed(subject: Subject) -> Command {
    Command::OnPaper { act: Box::new(DecisionAct::Confirm { subject }) }
}

/// `destroy slip`, `grant slip`, `copy slip`.
pub(super) fn slip(client: &mut Client, subject: Subject, file: &FormFile) -> Result<()> {
    let slip: Box<Slip> = client.ask(Query::Slip { subject })?;
    if file.format == FormFormat::Json {
        return forms::put_json(&file.output, &slip);
    }
    let links: Vec<&str> = slip.links.iter().map(String::as_str).collect();
    let staff = client.staff(&links)?;
    forms::put(file, &paper::slip::form(&slip, &staff))
}
