//! `status` on the screen: what is wrong first, then who has to do what, then how everything stands.
//!
//! It only shows a page that the service made. It ends with 0 where nothing is alarming and with 1 where an alarm
//! stands, so that a monitor can ask by the exit code alone; `--metrics` leaves judging to who collects them.

use chrono_tz::Tz;

use super::{print, speech, table::Tone};
use crate::{
    domain::{
        calendar, entry::HoldScope, lifecycle::OrderState, person::Person, plain, time::Timestamp,
    },
    engine::health::{Folder, Place, Room},
    error::{Error, Exit},
    service::{
        Result,
        status::{Alarm, DueLine, Ending, Level, Listed, StatusPage, Task, is_low},
    },
};

/// Shows a page.
pub(super) fn show(page: &StatusPage, json: bool, metrics: bool) -> Result<()> {
    if metrics {
        return print::bytes(page.metrics().as_bytes());
    }
    if json {
        print::json(page)?;
    } else {
        Shown { page, zone: page.timezone.parse().unwrap_or(Tz::UTC) }.all()?;
    }
    match page.alarms.iter().filter(|alarm| alarm.level == Level::Alarm).count() {
        0 => Ok(()),
        1 => Err(Error::new(Exit::Failed, "an alarm stands")),
        many => Err(Error::new(Exit::Failed, format!("{many} alarms stand"))),
    }
}

/// A page on its way to the screen.
struct Shown<'a> {
    page: &'a StatusPage,
    zone: Tz,
}

impl Shown<'_> {
    fn all(&self) -> Result<()> {
        let page = self.page;
        let agent = if page.agent_running { "the agent runs" } else { "no agent runs" };
        print::line(&format!("{}  {}  {agent}", page.site, self.time(page.at)))?;
        self.alarms()?;
        self.tasks()?;
        self.links()?;
        super::sources::section(&page.sources, &|at| self.maybe(at))?;
        super::expected::section(&page.expected, self.zone)?;
        self.batches()?;
        self.waiting()?;
        self.due()?;
        self.ending()?;
        self.orders()?;
        self.holds()?;
        self.work()?;
        self.machine()
    }

    fn time(&self, at: Timestamp) -> String {
        calendar::time(at, self.zone)
    }

    fn maybe(&self, at: Option<Timestamp>) -> String {
        at.map_or_else(|| "-".to_owned(), |at| self.time(at))
    }

    fn alarms(&self) -> Result<()> {
        alarms_of(&self.page.alarms, self.zone)
    }

    fn tasks(&self) -> Result<()> {
        tasks_of(&self.page.tasks.rows, self.zone)?;
        more(&self.page.tasks)
    }

    fn links(&self) -> Result<()> {
        print::line("\nLINKS")?;
        let rows: Vec<Vec<String>> = self
            .page
            .links
            .iter()
            .map(|line| {
                let last = line.last.as_ref();
                let verdict = last.map_or(String::new(), |last| match last.reason {
                    Some(reason) => format!("{} ({reason})", last.state),
                    None => last.state.to_string(),
                });
                vec![
                    line.link.clone(),
                    line.state.clone(),
                    self.maybe(last.map(|last| last.at)),
                    last.and_then(|last| last.number.clone()).unwrap_or_default(),
                    verdict,
                    line.waiting.to_string(),
                    format!("{} ({})", self.date(line.approved_until), days(line.days)),
                ]
            })
            .collect();
        print::table(
            &["link", "state", "last delivery", "number", "verdict", "waiting", "ends"],
            &rows,
        )
    }

    fn date(&self, at: Timestamp) -> String {
        calendar::date(at.date_in(self.zone))
    }

    fn batches(&self) -> Result<()> {
        print::line("\nBATCHES")?;
        let rows = self.page.batches.iter().map(|(state, n)| vec![state.clone(), n.to_string()]);
        print::table(&["state", "count"], &rows.collect::<Vec<_>>())
    }

    fn waiting(&self) -> Result<()> {
        let rows = |line: &crate::service::status::WaitingLine| {
            vec![
                line.link.clone(),
                line.delivery.clone(),
                line.reason.map_or_else(|| "complete".to_owned(), |reason| reason.to_string()),
                self.maybe(line.since),
                if line.late { "late".to_owned() } else { String::new() },
            ]
        };
        let head = ["link", "delivery", "reason", "since", ""];
        section("DELIVERIES THAT WAIT", &self.page.waiting, &head, rows)
    }

    fn due(&self) -> Result<()> {
        let rows = |line: &DueLine| {
            let left = match (line.deadline, line.days) {
                (Some(deadline), Some(left)) => {
                    format!("{} ({})", self.date(deadline), days(left))
                }
                _ => "-".to_owned(),
            };
            let hold = line.hold.map(|hold| format!("held by {hold}"));
            let order = line.order.map(|order| order.to_string());
            vec![
                line.batch.to_string(),
                line.number.clone().unwrap_or_default(),
                line.link.clone(),
                if line.whole { "all" } else { "transfer files" }.to_owned(),
                left,
                line.clause.clone().unwrap_or_default(),
                hold.or(order).unwrap_or_default(),
            ]
        };
        let head = ["batch", "number", "link", "what", "deadline", "clause", "order"];
        section("DUE FOR DESTRUCTION", &self.page.due, &head, rows)
    }

    fn ending(&self) -> Result<()> {
        let rows = |line: &crate::service::status::EndingLine| {
            let what = match line.what {
                Ending::Link => "link",
                Ending::Grant => "grant",
                Ending::Use => "approved use",
            };
            let until = format!("{} ({})", self.date(line.until), days(line.days));
            vec![what.to_owned(), line.object.clone(), line.link.clone(), until]
        };
        section("ENDING SOON", &self.page.ending, &["what", "id", "link", "ends"], rows)
    }

    fn orders(&self) -> Result<()> {
        let rows = |order: &crate::service::status::OpenOrder| {
            let void = match order.state {
                OrderState::Requested => self.time(order.expires),
                _ => "-".to_owned(),
            };
            vec![
                order.id.to_string(),
                order.state.to_string(),
                order.by.clone(),
                format!("{} of {}", order.wiped, order.copies),
                void,
                order.hold.map_or(String::new(), |hold| hold.to_string()),
            ]
        };
        let head = ["order", "state", "requested by", "wiped", "void after", "hold"];
        section("ORDERS", &self.page.orders, &head, rows)
    }

    fn holds(&self) -> Result<()> {
        let rows = |hold: &crate::service::status::StandingHold| {
            let scope = match &hold.scope {
                HoldScope::Batch(batch) => batch.to_string(),
                HoldScope::Link(link) => format!("link {link}"),
                HoldScope::All => "everything".to_owned(),
            };
            let review = format!("{} ({})", self.date(hold.review), days(hold.days));
            vec![hold.id.to_string(), scope, hold.by.clone(), hold.doc_no.clone(), review]
        };
        section("HOLDS", &self.page.holds, &["hold", "covers", "by", "document", "review"], rows)
    }

    fn work(&self) -> Result<()> {
        if self.page.work.is_empty() {
            return Ok(());
        }
        print::line("\nRUNNING NOW")?;
        let rows = self.page.work.iter().map(|work| {
            let batch = work.batch.map(|batch| batch.to_string());
            let of = batch.or(work.order.map(|order| order.to_string())).unwrap_or_default();
            let far = match work.total {
                0 => bytes(work.done),
                total => {
                    let share = work.done.saturating_mul(100) / total;
                    format!("{} of {} ({share} %)", bytes(work.done), bytes(total))
                }
            };
            vec![work.step.clone(), of, far, self.time(work.since)]
        });
        print::table(&["step", "of", "done", "since"], &rows.collect::<Vec<_>>())
    }

    fn machine(&self) -> Result<()> {
        let page = self.page;
        print::line("\nHEALTH")?;
        let register = match page.register.published {
            Some(size) if size == page.register.entries => "published".to_owned(),
            Some(size) => format!("published up to {size}"),
            None => "not published".to_owned(),
        };
        print::line(&format!(
            "register: {} entries, the last one {}, {register}",
            page.register.entries,
            self.maybe(page.register.last_at),
        ))?;
        let slots = &page.health.slots;
        print::line(&format!(
            "key store: {} keys, {} destroyed, {} damaged; root key: {}",
            slots.live,
            slots.destroyed,
            slots.damaged,
            page.health.root_key.word(),
        ))?;
        for place in &page.health.places {
            print::line(&disk(place))?;
        }
        let clock = if page.clock_doubted { "in doubt" } else { "believed" };
        print::line(&format!("clock: {clock}"))?;
        match page.pending.len() {
            0 => print::line("configuration: in force as the files say"),
            n => print::line(&format!("configuration: {n} changes wait for a second person")),
        }
    }
}

/// What stands wrong, each with what to do about it.
pub(super) fn alarms_of(alarms: &[Alarm], zone: Tz) -> Result<()> {
    if alarms.is_empty() {
        return print::line("\nno alarm stands");
    }
    print::line("\nALARMS")?;
    for alarm in alarms {
        let level = if alarm.level == Level::Alarm { "alarm" } else { "warning" };
        let mut text = alarm.what.clone();
        if let Some(about) = &alarm.about {
            text.push_str(&format!(" ({about})"));
        }
        if alarm.count > 1 {
            text.push_str(&format!(", {} times", alarm.count));
        }
        if let Some(first) = &alarm.first {
            text.push_str(&format!(", {first}"));
        }
        if let Some(since) = alarm.since {
            text.push_str(&format!(", since {}", calendar::time(since, zone)));
        }
        let tone = if alarm.level == Level::Alarm { Tone::Bad } else { Tone::Waiting };
        print::toned(tone, level, &text)?;
        print::line(&format!("  {}", alarm.remedy))?;
    }
    Ok(())
}

/// What waits, each with who may do it and the commands that do it.
pub(super) fn tasks_of(tasks: &[Task], zone: Tz) -> Result<()> {
    if tasks.is_empty() {
        return print::line("\nnothing waits for anybody");
    }
    print::line("\nWHAT WAITS FOR WHOM")?;
    for task in tasks {
        let number = task.number.as_ref().map_or(String::new(), |n| format!(" ({n})"));
        let since =
            task.since.map_or(String::new(), |at| format!(", since {}", calendar::time(at, zone)));
        print::line(&format!("{}: {}{number}{since}", whose(task), task.object))?;
        print::line(&format!("  {}", task.code.what()))?;
        if !task.people.is_empty() {
            let names: Vec<String> = task.people.iter().map(Person::in_full).collect();
            print::raw(&format!("  {}", names.join("; ")))?;
        }
        if let Some(reason) = task.reason {
            let plain = plain::of(reason);
            for told in [&plain.wrong, &plain.next] {
                let told = if speech::is_chinese() { &told.zh } else { &told.en };
                print::raw(&format!("  {told}"))?;
            }
        }
        for command in &task.commands {
            print::line(&format!("  {command}"))?;
        }
    }
    Ok(())
}

/// A list with its heading; nothing where it is empty.
fn section<T>(
    title: &str,
    list: &Listed<T>,
    head: &[&str],
    cells: impl Fn(&T) -> Vec<String>,
) -> Result<()> {
    if list.total == 0 {
        return Ok(());
    }
    print::line(&format!("\n{title}"))?;
    print::table(head, &list.rows.iter().map(cells).collect::<Vec<_>>())?;
    more(list)
}

fn more<T>(list: &Listed<T>) -> Result<()> {
    match list.total.saturating_sub(list.rows.len() as u64) {
        0 => Ok(()),
        rest => print::line(&format!("and {rest} more")),
    }
}

/// Who may do it.
fn whose(task: &Task) -> String {
    let roles: Vec<&str> = task.roles.iter().map(|role| role.word()).collect();
    match (&task.account, &task.except) {
        (Some(account), _) => account.clone(),
        (None, Some(except)) => format!("{}, not {except}", roles.join(" or ")),
        (None, None) => roles.join(" or "),
    }
}

fn days(days: i64) -> String {
    match days {
        0 => "today".to_owned(),
        1 => "1 day left".to_owned(),
        -1 => "1 day over".to_owned(),
        left if left > 0 => format!("{left} days left"),
        over => format!("{} days over", -over),
    }
}

fn disk(place: &Place) -> String {
    let what = match &place.folder {
        Folder::State => "disk of the state".to_owned(),
        Folder::Inbox(link) => format!("disk of the inbox of {link}"),
    };
    match &place.room {
        None => format!("{what}: out of reach"),
        Some(room) => format!("{what}: {}", free(room)),
    }
}

fn free(room: &Room) -> String {
    let inodes = room.free_inodes.map_or(String::new(), |free| format!(", {free} inodes"));
    let low = if is_low(room) { ", almost full" } else { "" };
    format!("{} of {} free{inodes}{low}", bytes(room.free_bytes), bytes(room.bytes))
}

/// Bytes in the largest unit that leaves a whole number, to one place.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut whole, mut rest, mut unit) = (bytes, 0, 0);
    while whole >= 1024 && unit + 1 < UNITS.len() {
        (rest, whole, unit) = (whole % 1024, whole / 1024, unit + 1);
    }
    match unit {
        0 => format!("{whole} B"),
        unit => format!("{whole}.{} {}", rest * 10 / 1024, UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_days_are_told_as_people_say_them() {
        for (number, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (5 << 30, "5.0 GiB"),
            (3 << 50, "3072.0 TiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
        for (number, text) in
            [(0, "today"), (1, "1 day left"), (-1, "1 day over"), (-9, "9 days over")]
        {
            assert_eq!(days(number), text);
        }
    }
}
