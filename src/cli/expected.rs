//! Expected deliveries on the screen: `link expected`, and the rows of `status`.

use chrono_tz::Tz;

use super::{args::ExpectedArgs, client::Client, dates, print};
use crate::{
    domain::{calendar, expected::slots::SlotState},
    service::{
        Query, Result,
        expected::{ExpectedLine, ExpectedPage},
        status::{ExpectedDue, Listed},
    },
};

/// `link expected`.
///
/// # Errors
/// There is no such link, or a day is none.
pub(super) fn show(client: &mut Client, asked: &ExpectedArgs, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let ExpectedArgs { link, from, until } = asked;
    // The last day is one of those that are shown, and so is the first.
    let from = from.as_deref().map(|text| dates::beginning(text, zone)).transpose()?;
    let until = until.as_deref().map(|text| super::acts::time(client, text)).transpose()?;
    let link = link.clone();
    let pages: Vec<ExpectedPage> = client.ask(Query::Expected { link, from, until })?;
    if json {
        return print::json(&pages);
    }
    if pages.is_empty() {
        return print::line("no link says when its deliveries are expected");
    }
    pages.iter().try_for_each(|page| shown(page, zone))
}

fn shown(page: &ExpectedPage, zone: Tz) -> Result<()> {
    print::raw(&page.link)?;
    if let Some(reason) = page.stopped {
        print::line(&format!("nothing is expected on it now: {reason}"))?;
    }
    let head = ["expected at", "rule", "state", "batch", "came", "remarks"];
    let rows: Vec<Vec<String>> = page.slots.iter().map(|line| cells(line, zone)).collect();
    print::table(&head, &rows)?;
    if let Some(gap) = &page.gap {
        let numbers: Vec<String> = gap.missing.iter().map(ToString::to_string).collect();
        let waiting: Vec<String> = gap.waiting.iter().map(ToString::to_string).collect();
        print::line(&format!(
            "change files missing: {}; since {} these wait for them: {}",
            numbers.join(", "),
            calendar::time(gap.since, zone),
            waiting.join(", ")
        ))?;
    }
    match page.missing_calendar {
        Some(year) => print::line(&format!(
            "the calendar of working days of {year} is missing: what is expected by it is not shown"
        )),
        None => Ok(()),
    }
}

fn cells(line: &ExpectedLine, zone: Tz) -> Vec<String> {
    let batch = line.batch.as_ref();
    let rule = match &line.kind {
        Some(kind) => format!("{} ({kind})", line.every),
        None => line.every.clone(),
    };
    vec![
        calendar::time(line.due, zone),
        rule,
        state(line.state).to_owned(),
        batch.map(|batch| batch.id.to_string()).unwrap_or_default(),
        batch.map(|batch| calendar::time(batch.at, zone)).unwrap_or_default(),
        remarks(line, zone),
    ]
}

/// The word on the screen: "due" alone is a batch that must be destroyed.
const fn state(state: SlotState) -> &'static str {
    match state {
        SlotState::Due => "due now",
        other => other.word(),
    }
}

fn remarks(line: &ExpectedLine, zone: Tz) -> String {
    let mut remarks = Vec::new();
    if let Some(at) = line.missed {
        remarks.push(format!("recorded as missing {}", calendar::time(at, zone)));
    }
    for batch in &line.turned_away {
        remarks.push(match batch.reason {
            Some(reason) => format!("{} came, and is {} ({reason})", batch.id, batch.state),
            None => format!("{} came, and is {}", batch.id, batch.state),
        });
    }
    if let Some(reason) = line.waits {
        remarks.push(format!("a delivery lies there: {reason}"));
    }
    if let Some(newer) = line.batch.as_ref().and_then(|batch| batch.replaced_by) {
        remarks.push(format!("corrected by {newer}"));
    }
    remarks.join("; ")
}

/// The section of `status`.
pub(super) fn section(expected: &Listed<ExpectedDue>, zone: Tz) -> Result<()> {
    listed(&expected.rows, zone)
}

/// Expected deliveries that have not come; nothing where there is none.
pub(super) fn listed(expected: &[ExpectedDue], zone: Tz) -> Result<()> {
    if expected.is_empty() {
        return Ok(());
    }
    print::line("\nEXPECTED DELIVERIES")?;
    let row = |line: &ExpectedDue| {
        let due = calendar::time(line.due, zone);
        vec![line.link.clone(), due, line.every.clone(), state(line.state).to_owned()]
    };
    let rows: Vec<Vec<String>> = expected.iter().map(row).collect();
    print::table(&["link", "expected at", "rule", "state"], &rows)
}
