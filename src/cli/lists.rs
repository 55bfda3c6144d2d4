//! Words that look something up: as a table for people, or as JSON.

use super::{client::Client, print, speech, today::decided_by};
use crate::{
    domain::{
        calendar,
        entry::{AGENT, ConfigChange},
        on_paper::OnPaper,
        person::{self, DEPUTY},
    },
    service::{
        Query, Result,
        plan::PlanLine,
        query::WitnessLine,
        register_page::{self, Line, Wanted},
        show::{AccountLine, BatchPage, GrantLine, HoldLine, OrderLine, StandingLine},
    },
};

pub(super) fn accounts(client: &mut Client, json: bool) -> Result<()> {
    listing(
        json,
        &client.ask::<Vec<AccountLine>>(Query::Accounts)?,
        &["name", "person", "state", "roles", "unit"],
        |a| {
            let waits = if a.waits { " (waits for a second person)" } else { "" };
            let unit = a.unit.clone().unwrap_or_default();
            let deputy = !a.stands_for.is_empty();
            let shown = a.display.as_deref().map(|name| person::named(Some(name), &a.name, deputy));
            let shown = shown.or_else(|| deputy.then(|| DEPUTY.to_owned()));
            let who: Vec<String> = shown.into_iter().chain(a.title.clone()).collect();
            let state = format!("{}{waits}", a.state);
            vec![a.name.clone(), who.join(" "), state, a.roles.join(","), unit]
        },
    )
}

pub(super) fn batches(client: &mut Client, json: bool) -> Result<()> {
    let rows = client.batches()?;
    listing(json, &rows, &["id", "number", "link", "state", "reason", "delivery"], |b| {
        vec![
            b.id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            b.number.clone().unwrap_or_default(),
            b.link.clone(),
            super::batch::standing(b).to_owned(),
            b.reason.map(|r| r.to_string()).unwrap_or_default(),
            b.delivery.clone().unwrap_or_default(),
        ]
    })
}

pub(super) fn grants(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    listing(
        json,
        &client.ask::<Vec<GrantLine>>(Query::Grants)?,
        &["id", "state", "link", "holder", "until", "remarks"],
        |g| {
            let until = calendar::end(g.terms.until, zone);
            let remarks = g.on_paper.as_ref().map(from_paper).unwrap_or_default();
            vec![
                g.id.to_string(),
                g.state.clone(),
                g.terms.link.clone(),
                g.holder_name.clone(),
                until,
                remarks,
            ]
        },
    )
}

pub(super) fn orders(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    listing(
        json,
        &client.ask::<Vec<OrderLine>>(Query::Orders)?,
        &["id", "state", "requested by", "approved by", "expires", "gone", "batches", "remarks"],
        |o| {
            let batches: Vec<String> = o.batches.iter().map(ToString::to_string).collect();
            let approved = o.approved_name.clone().unwrap_or_default();
            vec![
                o.id.to_string(),
                o.state.to_string(),
                o.requested_name.clone(),
                approved,
                calendar::end(o.expires, zone),
                format!("{} of {}", o.wiped, o.copies),
                batches.join(","),
                remarks(o),
            ]
        },
    )
}

/// A decision that was recorded from a signed document.
pub(super) fn from_paper(paper: &OnPaper) -> String {
    format!("recorded from a signed document: {}", paper.doc_no)
}

/// What there is to know of an order beside its state.
fn remarks(order: &OrderLine) -> String {
    let mut remarks = Vec::new();
    if let Some(code) = &order.voided {
        remarks.push(format!("void: {code}"));
    }
    if let Some(standing) = order.standing {
        remarks.push(standing.to_string());
    }
    remarks.extend(order.on_paper.iter().map(from_paper));
    if !order.excepted.is_empty() {
        remarks.push(format!("left out: {}", order.excepted.len()));
    }
    if !order.papers_missing.is_empty() {
        remarks.push(format!("missing: {}", order.papers_missing.join(", ")));
    }
    remarks.join("; ")
}

pub(super) fn plan(client: &mut Client, on: &str, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let on = super::acts::time(client, on)?;
    let rows: Vec<PlanLine> = client.ask(Query::Plan { on })?;
    let head = ["deadline", "batch", "link", "what", "why", "clause", "state", "happened", "order"];
    listing(json, &rows, &head, |line| {
        let what = if line.whole { "everything" } else { "transfer files" };
        let order = line.order.map_or(String::new(), |order| order.to_string());
        vec![
            calendar::end(line.deadline, zone),
            line.batch.to_string(),
            line.link.clone(),
            what.to_owned(),
            line.clock.clone(),
            line.clause.clone(),
            line.hold.map_or_else(|| line.state.clone(), |hold| format!("held by {hold}")),
            line.happened.map_or(String::new(), |at| calendar::time(at, zone)),
            order,
        ]
    })
}

pub(super) fn standings(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let rows: Vec<StandingLine> = client.ask(Query::Standings)?;
    listing(json, &rows, &["id", "state", "policy", "link", "document", "until"], |s| {
        vec![
            s.id.to_string(),
            s.state.clone(),
            s.policy.clone(),
            s.link.clone().unwrap_or_default(),
            s.doc_no.clone(),
            calendar::end(s.until, zone),
        ]
    })
}

pub(super) fn holds(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    listing(
        json,
        &client.ask::<Vec<HoldLine>>(Query::Holds)?,
        &["id", "standing", "by", "document", "review"],
        |h| {
            let standing = if h.standing { "yes" } else { "lifted" };
            let review = calendar::end(h.review, zone);
            vec![h.id.to_string(), standing.to_owned(), h.by.clone(), h.doc_no.clone(), review]
        },
    )
}

pub(super) fn witnesses(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    listing(
        json,
        &client.ask::<Vec<WitnessLine>>(Query::Witnesses)?,
        &["name", "state", "counts", "entries", "cosigned", "key"],
        |w| {
            let waits = if w.waits && w.state == "active" { ", another key waits" } else { "" };
            vec![
                w.name.clone(),
                format!("{}{waits}", w.state),
                if w.counts { "yes" } else { "no" }.to_owned(),
                w.size.map(|size| size.to_string()).unwrap_or_default(),
                w.cosigned_at.map(|at| calendar::time(at, zone)).unwrap_or_default(),
                w.vkey.clone(),
            ]
        },
    )
}

pub(super) fn pending(client: &mut Client, json: bool) -> Result<()> {
    let rows: Vec<ConfigChange> = client.ask(Query::Pending)?;
    listing(json, &rows, &["file", "change"], |c| vec![c.file.clone(), c.code.clone()])
}

pub(super) fn listing<T: serde::Serialize>(
    json: bool,
    rows: &[T],
    head: &[&str],
    cells: impl Fn(&T) -> Vec<String>,
) -> Result<()> {
    if json {
        return print::json(&rows);
    }
    print::table(head, &rows.iter().map(cells).collect::<Vec<_>>())
}

pub(super) fn register(
    client: &mut Client,
    batch: Option<&str>,
    account: Option<String>,
    json: bool,
) -> Result<()> {
    let mut wanted = Wanted { batch: None, account, grants: Vec::new() };
    if let Some(text) = batch {
        let id = client.batch_named(text)?;
        let row = client.ask::<Box<BatchPage>>(Query::Batch { id })?.row;
        wanted.batch = Some((id.to_string(), row.link, row.number));
    }
    let (entries, people) = client.entries()?;
    let rows = wanted.of(entries);
    if json {
        return print::json(&rows);
    }
    // An account's name is never a word of ours: nobody else is called that.
    let seq = |line: &Line| line.serial.parse::<u64>().ok();
    let who = |line: &Line| match seq(line).and_then(|seq| people.made.get(&seq)) {
        Some(seal) => seal.name(),
        None if line.by == AGENT => speech::word(&line.by).into_owned(),
        None => line.by.clone(),
    };
    let cells = |line: Line| {
        let (who, decided) = (who(&line), seq(&line).and_then(|seq| people.decided.get(&seq)));
        vec![line.serial, line.at, who, decided_by(line.what, decided)]
    };
    let lines = register_page::lines(&rows, client.zone()?);
    print::whole_table(
        &["no", "time", "who", "what"],
        &lines.into_iter().map(cells).collect::<Vec<_>>(),
    )
}
