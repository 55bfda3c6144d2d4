//! `today` and `batch history`: one page of what is to be done, and one of what happened; on the screen, or as a form.

use super::{
    args::{FormFormat, OptionalForm, Today},
    client::Client,
    forms, print, speech, status,
};
use crate::{
    domain::{calendar, entry::AGENT, time::Timestamp},
    error::{Error, Exit},
    paper,
    service::{
        Query, Result,
        forms::{BatchHistory, HistoryLine, RegisterFilter, RegisterRow, Seal, TodayPage},
        register_page::{self, Wanted},
        show::GrantLine,
    },
};

/// `today`.
pub(super) fn today(
    client: &mut Client,
    asked: &Today,
    name: Option<&str>,
    json: bool,
) -> Result<()> {
    let account = asked.account.clone().or_else(|| name.map(str::to_owned));
    let mut page: Box<TodayPage> = client.ask_own(Query::Today { account })?;
    match asked.form.file() {
        Some(file) if file.format == FormFormat::Json => forms::put_json(&file.output, &page),
        Some(file) => {
            for alarm in &mut page.alarms {
                alarm.what = speech::chinese(&alarm.what);
                alarm.remedy = speech::chinese(&alarm.remedy);
            }
            forms::put(&file, &paper::today::form(&page))
        }
        None if json => print::json(&page),
        None => screen(client, &page),
    }
}

fn screen(client: &mut Client, page: &TodayPage) -> Result<()> {
    let zone = client.zone()?;
    let at = calendar::time(page.at, zone);
    match &page.account {
        Some(name) => print::line(&format!("to be done by '{name}', {at}"))?,
        None => print::line(&format!("to be done by everybody, {at}"))?,
    }
    status::alarms_of(&page.alarms, zone)?;
    status::tasks_of(&page.tasks, zone)?;
    print::line("\nDUE THIS WEEK")?;
    if page.duties.is_empty() {
        print::line("nothing is owed")?;
    } else {
        super::duties::table(&page.duties, zone)?;
    }
    super::expected::listed(&page.expected, zone)
}

/// The grants under which a batch was used, or may be.
fn grants_over(client: &mut Client, row: &RegisterRow) -> Result<Vec<String>> {
    let Some(loaded) = row.loaded_at else { return Ok(Vec::new()) };
    let grants: Vec<GrantLine> = client.ask(Query::Grants)?;
    let used = grants
        .into_iter()
        .filter(|grant| grant.terms.link == row.link && grant.terms.until >= loaded);
    Ok(used.map(|grant| grant.id.to_string()).collect())
}

/// What an entry says, with the names of who decided on paper, who entered it and who confirmed it.
pub(super) fn decided_by(what: String, decided: Option<&Seal>) -> String {
    let Some((seal, paper)) = decided.and_then(|seal| Some((seal, seal.on_paper.as_ref()?))) else {
        return what;
    };
    let (entered, confirmed) = (&paper.entered_name, &paper.confirmed_name);
    let name = seal.name();
    let who = seal.title.as_ref().map_or(name.clone(), |title| format!("{title} {name}"));
    format!(
        "{what}: decided by {who} on paper, document {}, entered by {entered}, confirmed by {confirmed}",
        paper.doc_no,
    )
}

/// `batch history`.
pub(super) fn history(
    client: &mut Client,
    text: &str,
    form: &OptionalForm,
    json: bool,
) -> Result<()> {
    let batch = client.batch_named(text)?;
    let filter = RegisterFilter { batch: Some(batch), ..RegisterFilter::default() };
    let sheet = client.register_sheet(&filter)?;
    let first = sheet.rows.first();
    let first = first.ok_or_else(|| Error::new(Exit::Failed, "the batch has no row"))?;
    let wanted = Wanted {
        batch: Some((batch.to_string(), first.link.clone(), first.number.clone())),
        account: None,
        grants: grants_over(client, first)?,
    };
    let (entries, mut people) = client.entries()?;
    let mut entries = wanted.of(entries);
    let zone = client.zone()?;
    let at = |entry: &serde_json::Value| entry["at"].as_str().and_then(Timestamp::parse);
    // What became of a grant after the batch was over is another batch's history.
    let over = first.closed_at;
    let id = batch.to_string();
    let since =
        |entry: &serde_json::Value| over.is_some_and(|end| at(entry).is_some_and(|at| at > end));
    entries.retain(|entry| !since(entry) || entry.to_string().contains(&id));
    let mut events = Vec::new();
    for line in register_page::lines(&entries, zone) {
        let entry: u64 = line.serial.parse().unwrap_or_default();
        let found = entries.iter().find(|one| one["seq"].as_u64() == Some(entry)).and_then(at);
        let Some(at) = found else { continue };
        let (person, decided) = (people.made.remove(&entry), people.decided.remove(&entry));
        let what = decided_by(line.what, decided.as_ref());
        events.push(HistoryLine { entry, at, by: line.by, person, decided, what });
    }
    let mut history = BatchHistory { source: sheet.source, rows: sheet.rows, events };
    match form.file() {
        Some(file) if file.format == FormFormat::Json => forms::put_json(&file.output, &history),
        Some(file) => {
            history.events.iter_mut().for_each(|line| line.what = speech::chinese(&line.what));
            let links: Vec<&str> = history.rows.iter().map(|row| row.link.as_str()).collect();
            let form = paper::history::form(&history, &client.staff(&links)?);
            let none = || Error::new(Exit::Failed, "the batch has no row");
            forms::put(&file, &form.ok_or_else(none)?)
        }
        None if json => print::json(&history),
        None => {
            let serials: Vec<String> =
                history.rows.iter().map(|row| row.serial.to_string()).collect();
            let number = history.rows.first().and_then(|row| row.number.clone());
            let names = [Some(batch.to_string()), number, Some(serials.join(" "))];
            print::raw(&names.into_iter().flatten().collect::<Vec<_>>().join("  "))?;
            let who = |line: &HistoryLine| match &line.person {
                Some(person) => person.name(),
                None if line.by == AGENT => speech::word(&line.by).into_owned(),
                None => line.by.clone(),
            };
            let rows = history.events.iter().map(|line| {
                let time = calendar::time(line.at, zone);
                vec![line.entry.to_string(), time, who(line), line.what.clone()]
            });
            print::whole_table(&["no", "time", "who", "what"], &rows.collect::<Vec<_>>())
        }
    }
}
