//! Drafts of letters: `destroy letter`, `appointment letter`, `batch letter`.

use std::path::Path;

use super::{
    args::{BatchLetter, DestroyLetter, LetterFile},
    client::Client,
    forms,
    words::id,
};
use crate::{
    domain::ids::OrderId,
    error::{Error, Exit},
    paper::{
        self,
        letter::{
            Letter,
            destruction::{self, Covered},
            intake, people,
        },
    },
    service::{
        Query, Result,
        forms::{DestructionRecord, PeoplePage, PlanLine, RegisterFilter, Roster},
        show::{BatchPage, OrderLine},
    },
};

/// Farther than any deadline.
const FAR: i64 = 100 * 366 * 86_400;

/// `destroy letter`.
pub(super) fn destroy(
    client: &mut Client,
    order: &str,
    kind: DestroyLetter,
    file: &LetterFile,
) -> Result<()> {
    let order: OrderId = id(order)?;
    let orders: Vec<OrderLine> = client.ask(Query::Orders)?;
    let line = orders.into_iter().find(|line| line.id == order);
    let line = line.ok_or_else(|| Error::usage(format!("there is no order '{order}'")))?;
    let on = client.now().plus_seconds(FAR);
    let plan: Vec<PlanLine> = client.ask(Query::Plan { on })?;
    let mut covered = Vec::new();
    for batch in line.batches {
        let record: Box<DestructionRecord> = client.ask(Query::DestructionRecord { batch })?;
        let filter = RegisterFilter { batch: Some(batch), ..RegisterFilter::default() };
        let rows = client.register_sheet(&filter)?.rows;
        let plan = plan.iter().filter(|line| line.batch == batch).cloned().collect();
        covered.push(Covered { record: *record, rows, plan });
    }
    let mut links: Vec<&str> = covered.iter().map(|one| one.record.row.link.as_str()).collect();
    links.dedup();
    let staff = client.staff(&links)?;
    let letter = match kind {
        DestroyLetter::Request => destruction::request(order, &covered, &staff),
        DestroyLetter::Report => destruction::report(order, &covered, file.to.clone(), &staff),
    };
    put(&file.output, letter)
}

/// `batch letter`.
pub(super) fn batch(
    client: &mut Client,
    text: &str,
    kind: BatchLetter,
    file: &LetterFile,
) -> Result<()> {
    let batch = client.batch_named(text)?;
    let filter = RegisterFilter { batch: Some(batch), ..RegisterFilter::default() };
    let sheet = client.register_sheet(&filter)?;
    let links: Vec<&str> = sheet.rows.iter().map(|row| row.link.as_str()).collect();
    let staff = client.staff(&links)?;
    let letter = match kind {
        BatchLetter::Return => {
            if sheet.rows.iter().all(|row| row.reason.is_none() || row.loaded_at.is_some()) {
                return Err(Error::new(Exit::Failed, format!("nothing is wrong with '{batch}'"))
                    .hint("'batch letter --kind receipt' drafts that it was received"));
            }
            let page: Box<BatchPage> = client.ask(Query::Batch { id: batch })?;
            let found = (page.plain.as_ref(), page.announced.as_ref());
            intake::returned(&sheet, found, file.to.clone(), &staff)
        }
        BatchLetter::Receipt => intake::received(&sheet, file.to.clone(), &staff),
    };
    put(&file.output, letter)
}

/// `appointment letter`.
pub(super) fn appointment(client: &mut Client, text: &str, file: &LetterFile) -> Result<()> {
    let page: PeoplePage = client.ask(Query::People)?;
    let roster: Box<Roster> = client.ask(Query::Roster)?;
    let appointment = page.appointments.iter().find(|line| line.id.to_string() == text);
    let leaver =
        page.changes.iter().rev().find(|line| line.name == text && line.appointment.is_none());
    let changed = match (appointment, leaver) {
        (Some(line), _) => people::Changed::Appointment(line),
        (None, Some(line)) => people::Changed::Leaver(line),
        (None, None) => {
            return Err(Error::usage(format!("there is no appointment or leaver '{text}'"))
                .hint("'batchward appointment list' shows both"));
        }
    };
    // Of a post of one link its own people write; nobody is named where it is one of all.
    let link = appointment.and_then(|line| line.terms.link.as_deref());
    let staff = client.staff(&link.into_iter().collect::<Vec<_>>())?;
    put(&file.output, Some(people::change(&roster, &page, &changed, file.to.clone(), &staff)))
}

fn put(output: &Path, letter: Option<Letter>) -> Result<()> {
    let nothing = || Error::new(Exit::Failed, "the register has nothing to write a letter of");
    let bytes = paper::odt::write(&letter.ok_or_else(nothing)?)
        .map_err(|error| Error::new(Exit::Failed, format!("the letter: {error}")))?;
    forms::put_bytes(output, &bytes)
}
