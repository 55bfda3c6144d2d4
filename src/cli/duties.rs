//! Duties on the screen, and for calendar programs.

use chrono_tz::Tz;
use ics::{
    Event, ICalendar, escape_text,
    parameters::Value,
    properties::{Categories, Description, DtStart, Priority, Summary, Transp},
};

use super::{
    args::{Duties, DutiesWord, FormFile, FormFormat, WantedDuties},
    client::Client,
    forms, print, speech,
};
use crate::{
    domain::{
        accounts::Role,
        calendar,
        digest::Digest,
        duty::{Duty, DutyCode, DutyState},
        person::Person,
    },
    paper,
    service::{
        Query, Result,
        duties::{DutiesWanted, DutyLine, DutyPage, Which},
        forms::OwedList,
    },
};

/// `duties`, and the list that is handed over.
///
/// # Errors
/// A day is none, or the file cannot be written.
pub(super) fn show(client: &mut Client, asked: &Duties, json: bool) -> Result<()> {
    match &asked.word {
        Some(DutiesWord::List(file)) => return forms::duties(client, file),
        Some(DutiesWord::Report { wanted, file }) => return report(client, wanted, file),
        None => {}
    }
    let zone = client.zone()?;
    let wanted = wanted(client, &asked.wanted)?;
    let page: Box<DutyPage> = client.ask(Query::Owed { wanted })?;
    if let Some(file) = &asked.calendar {
        return forms::put_bytes(file, ics(&page, zone).as_bytes());
    }
    if json {
        return print::json(&page);
    }
    if page.duties.is_empty() {
        return print::line("nothing is owed");
    }
    table(&page.duties, zone)
}

/// Duties as a table.
pub(super) fn table(duties: &[DutyLine], zone: Tz) -> Result<()> {
    let head = ["state", "deadline", "days", "what", "clause", "about", "who", "command"];
    let rows: Vec<Vec<String>> = duties.iter().map(|line| cells(line, zone)).collect();
    print::table(&head, &rows)
}

/// Which duties are asked for.
fn wanted(client: &mut Client, asked: &WantedDuties) -> Result<DutiesWanted> {
    let time = |client: &mut Client, text: &Option<String>| {
        text.as_deref().map(|text| super::acts::time(client, text)).transpose()
    };
    let which = match (asked.due, asked.overdue, asked.all) {
        (true, ..) => Which::Due,
        (_, true, _) => Which::Overdue,
        (.., true) => Which::All,
        _ => Which::Open,
    };
    Ok(DutiesWanted {
        which,
        on: time(client, &asked.on)?,
        until: time(client, &asked.until)?,
        account: asked.account.clone(),
        link: asked.link.clone(),
    })
}

/// `duties report`.
fn report(client: &mut Client, asked: &WantedDuties, file: &FormFile) -> Result<()> {
    let wanted = wanted(client, asked)?;
    let list: Box<OwedList> = client.ask(Query::OwedList { wanted })?;
    if file.format == FormFormat::Json {
        return forms::put_json(&file.output, &list);
    }
    forms::put(file, &paper::owed::form(&list))
}

fn cells(line: &DutyLine, zone: Tz) -> Vec<String> {
    let duty = &line.duty;
    vec![
        state(line.state).to_owned(),
        calendar::end(duty.due, zone),
        line.days.to_string(),
        duty.code.what().to_owned(),
        duty.clause.clone(),
        about(duty),
        who(line),
        duty.command.clone(),
    ]
}

/// The word on the screen: "open" alone is a grant that may be used.
const fn state(state: DutyState) -> &'static str {
    match state {
        DutyState::Open => "not late",
        other => other.word(),
    }
}

fn about(duty: &Duty) -> String {
    let object = match (duty.code, duty.object.split_once(' ')) {
        // A post or a kind of paper is a word; everything else is a name.
        (DutyCode::FillPost | DutyCode::NameDeputy | DutyCode::AttachPaper, Some((word, rest))) => {
            format!("{} {rest}", speech::word(word))
        }
        (DutyCode::FillPost | DutyCode::NameDeputy | DutyCode::AttachPaper, None) => {
            speech::word(&duty.object).into_owned()
        }
        _ => duty.object.clone(),
    };
    match &duty.link {
        Some(link) if *link != duty.object => format!("{link} {object}"),
        _ => object,
    }
}

/// Whose a duty is: by name where it is known, or else which roles may fulfil it.
fn who(line: &DutyLine) -> String {
    let names: Vec<String> = line.people.iter().map(Person::in_full).collect();
    if !names.is_empty() {
        return names.join("; ");
    }
    let roles = line.duty.roles.iter().map(|role: &Role| speech::word(role.word()).into_owned());
    line.duty.account.clone().unwrap_or_else(|| roles.collect::<Vec<_>>().join(","))
}

/// A calendar (RFC 5545) with an event on the last day of each duty. The same duty has the same name in every file, so that a
/// program that reads the next one does not show it twice.
fn ics(page: &DutyPage, zone: Tz) -> String {
    let mut file = ICalendar::new("2.0", "-//batchward//duties//EN");
    // The form of RFC 5545: no separators, and Z for the common time.
    let stamp: String = page.on.to_string().chars().filter(|c| !"-:".contains(*c)).collect();
    let stamp = stamp.split_once('.').map_or(stamp.clone(), |(whole, _)| format!("{whole}Z"));
    for line in &page.duties {
        let duty = &line.duty;
        let day = duty.due.date_in(zone);
        let parts: [&str; 5] = [
            duty.code.word(),
            duty.policy.as_deref().unwrap_or_default(),
            duty.link.as_deref().unwrap_or_default(),
            &duty.object,
            &calendar::date(day),
        ];
        let name = Digest::of(parts.join("\n").as_bytes()).to_string();
        let what = speech::say(duty.code.what());
        let summary = format!("{what} ({})", about(duty));
        let description = format!("{}, {}\nbatchward {}", duty.clause, who(line), duty.command);
        let mut start = DtStart::new(day.format("%Y%m%d").to_string());
        start.add(Value::DATE);
        let mut event = Event::new(format!("{name}@batchward"), stamp.clone());
        event.push(start);
        event.push(Summary::new(escape_text(summary)));
        event.push(Description::new(escape_text(description)));
        event.push(Categories::new(duty.code.word()));
        // It keeps nobody from meeting others on that day.
        event.push(Transp::transparent());
        if line.state == DutyState::Overdue {
            event.push(Priority::new("1"));
        }
        file.add_event(event);
    }
    file.to_string()
}
