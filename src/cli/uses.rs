//! `use`, and what is done with a batch before its use: words to commands.

use super::{
    acts::time,
    args::{BatchWord, ComparedWord, UseWord},
    client::Client,
    print, speech,
    words::id,
};
use crate::{
    domain::{entry::Statement, ids::GrantId, intake::Compared},
    error::Error,
    service::{Command, Query, Result, intake::IntakeAct, show::BatchPage, uses::UseAct},
};

pub(super) fn command_of(word: &UseWord, client: &mut Client) -> Result<Command> {
    let act = match word {
        UseWord::Complete { grant: Some(grant), .. } => {
            return Ok(Command::UseComplete { grant: id(grant)? });
        }
        UseWord::Complete { batch, unit, .. } => {
            let batch = batch.as_deref().unwrap_or_default();
            UseAct::Complete { batch: client.batch_named(batch)?, unit: unit.clone() }
        }
        UseWord::NoNeed { batch, unit } => {
            UseAct::NoNeed { batch: client.batch_named(batch)?, unit: unit.clone() }
        }
        UseWord::Keep { batch, unit, reason, until } => UseAct::Keep {
            batch: client.batch_named(batch)?,
            unit: unit.clone(),
            reason: reason.clone(),
            until: time(client, until)?,
        },
        UseWord::Withdraw { id, unit, reason } => {
            UseAct::Withdraw { of: statement(id, unit, client)?, reason: reason.clone() }
        }
        UseWord::Confirm { id, unit } => UseAct::Confirm { of: statement(id, unit, client)? },
        UseWord::Filed { batch, doc_no } => {
            let (batch, doc_no) = (client.batch_named(batch)?, doc_no.clone());
            return Ok(Command::UseFiled { batch, doc_no });
        }
    };
    Ok(Command::EndUse { act: Box::new(act) })
}

/// What was said: of a grant by its id, else of a batch.
fn statement(named: &str, unit: &Option<String>, client: &mut Client) -> Result<Statement> {
    match named.parse::<GrantId>() {
        Ok(grant) if unit.is_none() => Ok(Statement::Grant(grant)),
        Ok(_) => Err(Error::usage("a grant has one holder: --unit goes with a batch")),
        Err(_) => Ok(Statement::Batch { batch: client.batch_named(named)?, unit: unit.clone() }),
    }
}

pub(super) fn command_of_batch(word: &BatchWord, client: &mut Client) -> Result<Command> {
    let act = match word {
        BatchWord::Provide { id, doc_no } => {
            IntakeAct::Provide { batch: client.batch_named(id)?, doc_no: doc_no.clone() }
        }
        BatchWord::Confirm { id } => IntakeAct::Confirm { batch: client.batch_named(id)? },
        BatchWord::Compare { id, applied, result: Some(result), note } => IntakeAct::Compare {
            batch: client.batch_named(id)?,
            applied: *applied,
            result: match result {
                ComparedWord::Match => Compared::Match,
                ComparedWord::Mismatch => Compared::Mismatch,
            },
            note: note.clone(),
        },
        BatchWord::Accept { id, reason } => {
            IntakeAct::Accept { batch: client.batch_named(id)?, reason: reason.clone() }
        }
        _ => return Err(Error::usage("this word takes no command")),
    };
    Ok(Command::Intake { act: Box::new(act) })
}

/// `batch compare` without a result: the counts that it would record.
pub(super) fn compare(
    client: &mut Client,
    named: &str,
    applied: Option<u64>,
    json: bool,
) -> Result<()> {
    let batch = client.batch_named(named)?;
    let page: Box<BatchPage> = client.ask(Query::Batch { id: batch })?;
    if json {
        return print::json(&page.counts);
    }
    let counts = &page.counts;
    let rows = [
        ("applied for", applied.or(page.intake.applied)),
        ("declared by the provider", counts.declared),
        ("read from the files", counts.parsed),
        ("in the vault", counts.committed),
        ("rejected by the layout", counts.rejected),
    ];
    let row = |(what, count): (&str, Option<u64>)| {
        vec![what.to_owned(), count.map_or_else(|| "-".to_owned(), |count| count.to_string())]
    };
    print::whole_table(&["what", "count"], &rows.map(row))?;
    print::line(&format!(
        "nothing is recorded: 'batchward batch compare {batch} --applied N --result match' records it"
    ))
}

/// How a batch stands before its use and with the end of it, for a person.
pub(super) fn lines(page: &BatchPage, zone: chrono_tz::Tz) -> Result<()> {
    use crate::domain::calendar;
    let intake = &page.intake;
    for seal in &intake.seals {
        let (by, at) = (&seal.by, calendar::time(seal.at, zone));
        let what = speech::word(seal.seal.word());
        print::line(&format!("sealed by '{by}' as {what} on {at}"))?;
    }
    let next = intake.needs.iter().find(|seal| intake.seals.iter().all(|one| one.seal != **seal));
    if let Some(next) = next {
        let what = speech::word(next.word());
        print::line(&format!("it is not provided yet: the seal of the {what} comes next"))?;
    }
    if intake.to_be_confirmed {
        print::line("a custodian has to confirm that it is whole")?;
    }
    if let (Some(by), Some(at)) = (&intake.confirmed_by, intake.confirmed) {
        let at = calendar::time(at, zone);
        print::line(&format!("confirmed as whole by '{by}' on {at}"))?;
    }
    if let Some(one) = &intake.comparison {
        let (by, at, result) =
            (&one.by, calendar::time(one.at, zone), speech::word(one.result.word()));
        print::line(&format!(
            "compared by '{by}' on {at}: applied for {}, received {}, {result}",
            one.applied, one.received
        ))?;
    }
    if let Some(until) = intake.kept_at_least {
        let until = calendar::end(until, zone);
        print::line(&format!("kept until {until} at least"))?;
    }
    let day = |at: Option<crate::domain::time::Timestamp>| {
        at.map_or_else(|| "-".to_owned(), |at| calendar::time(at, zone))
    };
    let rows: Vec<Vec<String>> = intake
        .uses
        .iter()
        .map(|one| {
            let unit = one.unit.clone().unwrap_or_else(|| "-".to_owned());
            let keep = one.keep_until.map_or_else(|| "-".to_owned(), |at| calendar::end(at, zone));
            vec![unit, day(one.completed), day(one.no_need), keep]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    print::line("\nUSE")?;
    print::whole_table(&["unit", "completed", "no need", "keep until"], &rows)
}
