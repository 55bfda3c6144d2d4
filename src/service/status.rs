//! `status`: the page that a custodian looks at each morning.
//!
//! Its facts are pure functions of the view, the rules in force, the time and what a monitor found of the machine;
//! the erasable store is not read, so that a page over a hundred thousand batches costs one walk over them. Lists
//! are cut at a maximum and say how many there are. It decides nothing and changes nothing.

mod alarms;
mod expected;
mod handovers;
mod held;
mod intake;
mod metrics;
mod notices;
mod on_paper;
mod people;
mod rows;
mod sources;
mod tasks;
#[cfg(test)]
mod tests;
mod today;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use alarms::{Alarm, AlarmCode, Level, is_low};
pub use expected::ExpectedDue;
pub use tasks::{Task, TaskCode};
pub use today::TodayPage;

use super::{Result, Service};
use crate::{
    domain::{
        entry::{ConfigChange, HoldScope},
        ids::{BatchId, HoldId, OrderId},
        lifecycle::{BatchState, OrderState},
        limits,
        notice::Unsent,
        reason::Reason,
        source::SourceCode,
        time::Timestamp,
        view::{Batch, View},
    },
    engine::{Stray, Waiting, health::Health, rules::Rules, sources::SourceStanding},
};

/// `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StatusPage {
    /// Site.
    pub site: String,
    /// When it was made.
    pub at: Timestamp,
    /// Time zone of the site.
    pub timezone: String,
    /// Version of the program.
    pub version: String,
    /// Whether a resident agent made it.
    pub agent_running: bool,
    /// What stands wrong, the loudest first.
    pub alarms: Vec<Alarm>,
    /// What waits for whom.
    pub tasks: Listed<Task>,
    /// How many of each kind wait.
    pub task_counts: BTreeMap<TaskCode, u64>,
    /// Links.
    pub links: Vec<LinkLine>,
    /// Servers that links are fetched from.
    pub sources: Vec<SourceLine>,
    /// Deliveries that were expected by now and have not come, the oldest first.
    pub expected: Listed<ExpectedDue>,
    /// Batches by state, deliveries that wait included.
    pub batches: BTreeMap<String, u64>,
    /// Deliveries that are not batches yet.
    pub waiting: Listed<WaitingLine>,
    /// What must be destroyed, the earliest deadline first.
    pub due: Listed<DueLine>,
    /// How many of them are past their deadline.
    pub overdue: u64,
    /// Grants, links and periods of use that end soon.
    pub ending: Listed<EndingLine>,
    /// Orders that are not over.
    pub orders: Listed<OpenOrder>,
    /// Holds that stand.
    pub holds: Listed<StandingHold>,
    /// What runs now.
    pub work: Vec<WorkLine>,
    /// The register.
    pub register: RegisterLine,
    /// Files of configuration that differ from what is in force and wait for a second person.
    pub pending: Vec<ConfigChange>,
    /// Whether the clock is in doubt.
    pub clock_doubted: bool,
    /// The machine.
    pub health: Health,
}

/// A list that is cut at [`limits::STATUS_ROWS_MAX`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Listed<T> {
    /// How many there are.
    pub total: u64,
    /// The first of them.
    pub rows: Vec<T>,
}

impl<T> Listed<T> {
    fn cut(mut rows: Vec<T>) -> Self {
        let total = rows.len() as u64;
        rows.truncate(limits::STATUS_ROWS_MAX);
        Self { total, rows }
    }
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LinkLine {
    /// Name.
    pub link: String,
    /// Title.
    pub title: String,
    /// `active`, `suspended`, `terminated`, or `expired` where it is active and its end has passed.
    pub state: String,
    /// Its last batch.
    pub last: Option<LastBatch>,
    /// Deliveries that are not batches yet.
    pub waiting: u64,
    /// Batches that are not closed.
    pub open: u64,
    /// Its end.
    pub approved_until: Timestamp,
    /// Calendar days to it; below 0 once it has passed.
    pub days: i64,
}

/// The last batch of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LastBatch {
    /// Id.
    pub id: BatchId,
    /// Provider's number.
    pub number: Option<String>,
    /// When it was claimed.
    pub at: Timestamp,
    /// State.
    pub state: BatchState,
    /// Why it is there.
    pub reason: Option<Reason>,
}

/// A delivery that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WaitingLine {
    /// Link.
    pub link: String,
    /// Name of its folder.
    pub delivery: String,
    /// Why; nothing where it is complete and will be claimed.
    pub reason: Option<Reason>,
    /// Since when it was seen.
    pub since: Option<Timestamp>,
    /// Whether that is longer than a delivery may take.
    pub late: bool,
}

/// Something that must be destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DueLine {
    /// Batch.
    pub batch: BatchId,
    /// Provider's number.
    pub number: Option<String>,
    /// Link.
    pub link: String,
    /// Whether all of it is due, or its transfer files only.
    pub whole: bool,
    /// Deadline; a rejected batch has none.
    pub deadline: Option<Timestamp>,
    /// Calendar days to it; below 0 once it has passed.
    pub days: Option<i64>,
    /// Whether the day of the deadline has passed.
    pub overdue: bool,
    /// The clause that sets it.
    pub clause: Option<String>,
    /// The order that covers it.
    pub order: Option<OrderId>,
    /// The hold that forbids it.
    pub hold: Option<HoldId>,
}

/// What ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// A link.
    Link,
    /// A grant.
    Grant,
    /// The approved use of a batch.
    Use,
}

/// Something that ends soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EndingLine {
    /// What ends.
    pub what: Ending,
    /// Its id or name.
    pub object: String,
    /// Link.
    pub link: String,
    /// When.
    pub until: Timestamp,
    /// Calendar days to it.
    pub days: i64,
}

/// An order that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OpenOrder {
    /// Id.
    pub id: OrderId,
    /// State.
    pub state: OrderState,
    /// Who requested it.
    pub by: String,
    /// Copies that it covers.
    pub copies: u64,
    /// Copies that are wiped.
    pub wiped: u64,
    /// Void after this.
    pub expires: Timestamp,
    /// A hold on one of its batches.
    pub hold: Option<HoldId>,
}

/// A hold that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StandingHold {
    /// Id.
    pub id: HoldId,
    /// What it covers.
    pub scope: HoldScope,
    /// Who placed it.
    pub by: String,
    /// Document number.
    pub doc_no: String,
    /// Review date.
    pub review: Timestamp,
    /// Calendar days to it; below 0 once it has passed.
    pub days: i64,
}

/// A step that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WorkLine {
    /// The step's name.
    pub step: String,
    /// The batch, where it is one's.
    pub batch: Option<BatchId>,
    /// The order, where it is one's.
    pub order: Option<OrderId>,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all; 0 where that is not known.
    pub total: u64,
    /// Since when.
    pub since: Timestamp,
}

/// The register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RegisterLine {
    /// Entries.
    pub entries: u64,
    /// Time of the last one.
    pub last_at: Option<Timestamp>,
    /// Entries under the published checkpoint.
    pub published: Option<u64>,
}

/// A server that a link is fetched from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SourceLine {
    /// Link.
    pub link: String,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// When it was last looked into, and that went well.
    pub answered: Option<Timestamp>,
    /// What keeps it from being fetched from.
    pub trouble: Option<SourceCode>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The fingerprint that the server showed, where that is the trouble.
    pub shown: Option<String>,
    /// Those that it may have.
    pub known: Vec<String>,
    /// What an administrator runs after asking the provider by telephone, where that is the trouble.
    pub compare: Option<String>,
    /// Deliveries there that are not complete.
    pub waiting: u64,
    /// Things there that are refused, or cannot be got.
    pub refused: u64,
    /// Deliveries that were fetched and are not claimed yet.
    pub fetched: u64,
    /// What is still to be done there: releases, and receipts.
    pub owed: u64,
    /// Since when the oldest of that is owed.
    pub owed_since: Option<Timestamp>,
}

/// All that a page is made from.
struct Given<'a> {
    view: &'a View,
    rules: &'a Rules,
    now: Timestamp,
    waiting: &'a [Waiting],
    strays: &'a [Stray],
    /// Links whose inbox or keybox could not be read.
    unread: &'a [String],
    pending: &'a [ConfigChange],
    health: Health,
    work: Vec<WorkLine>,
    agent_running: bool,
    /// Notices that wait to be sent.
    unsent: &'a [Unsent],
    /// How it stands with a source.
    source: &'a dyn Fn(&str) -> SourceStanding,
    /// Why a batch stands where it stands.
    reason: &'a dyn Fn(&Batch) -> Option<Reason>,
}

impl Given<'_> {
    /// Whether something that was there at `since` has been there for longer than a delivery may take.
    fn is_late(&self, since: Timestamp) -> bool {
        self.rules.incomplete_after.after(since, self.rules.zone) <= self.now
    }

    /// Calendar days from now to `end`; below 0 once it has passed.
    fn days_to(&self, end: Timestamp) -> i64 {
        let day = |at: Timestamp| at.date_in(self.rules.zone);
        (day(end) - day(self.now)).num_days()
    }

    /// Whether `end` comes within the days in which people are told of it.
    fn is_soon(&self, end: Timestamp) -> bool {
        end >= self.now && self.days_to(end) <= limits::SOON_DAYS
    }
}

impl StatusPage {
    /// Whether somebody has to act before anything gets worse.
    #[must_use]
    pub fn alarming(&self) -> bool {
        self.alarms.iter().any(|alarm| alarm.level == Level::Alarm)
    }
}

impl Service {
    /// `status`.
    ///
    /// # Errors
    /// The key store cannot be read.
    pub fn status(&mut self) -> Result<StatusPage> {
        let now = self.engine.ports.clock.boot_millis();
        let last = self.last_status.as_ref().filter(|_| self.engine.is_resident());
        // Many people at once are told the same page: it looks at every disk, slot and waiting delivery.
        if let Some((at, page)) = last
            && now - at < limits::STATUS_MS_MAX
        {
            return Ok(page.clone());
        }
        let page = self.fresh_status()?;
        self.last_status = Some((now, page.clone()));
        Ok(page)
    }

    fn fresh_status(&mut self) -> Result<StatusPage> {
        self.given(page)
    }

    /// Finds all that a page is made from.
    fn given<T>(&mut self, make: impl FnOnce(Given<'_>) -> T) -> Result<T> {
        let unsent = self.engine.ports.notices.unsent();
        let waiting = self.engine.waiting()?;
        let (strays, unread) = self.engine.strays()?;
        let engine = &self.engine;
        let links = engine.rules.links.values();
        let given = Given {
            view: &engine.view,
            rules: &engine.rules,
            now: engine.ports.clock.now(),
            waiting: &waiting,
            strays: &strays,
            unread: &unread,
            pending: &self.found.pending,
            health: engine.ports.monitor.health(&mut { links }),
            work: engine.progress().iter().map(WorkLine::of).collect(),
            agent_running: engine.is_resident(),
            unsent: &unsent,
            source: &|link| engine.ports.sources.standing(link),
            reason: &|row| engine.reason(row),
        };
        Ok(make(given))
    }

    /// Puts metrics where `metrics_file` of agent.yaml wants them. Without that, nothing is done.
    ///
    /// # Errors
    /// The file cannot be written; nothing else is wrong then.
    pub fn put_metrics(&mut self) -> Result<()> {
        if !self.engine.ports.monitor.wants_metrics() {
            return Ok(());
        }
        let text = self.status()?.metrics();
        Ok(self.engine.ports.monitor.put_metrics(&text)?)
    }
}

/// The page over what is given.
fn page(given: Given<'_>) -> StatusPage {
    let view = given.view;
    let due = rows::due(&given);
    let alarms = alarms::overdue(due.iter(), alarms::judge(&given));
    let late =
        |row: &Waiting| row.reason.is_some() && row.since.is_some_and(|since| given.is_late(since));
    let mut waiting: Vec<WaitingLine> = given
        .waiting
        .iter()
        .map(|row| WaitingLine {
            link: row.link.clone(),
            delivery: row.delivery.clone(),
            reason: row.reason,
            since: row.since,
            late: late(row),
        })
        .collect();
    waiting.sort_by(|a, b| (a.since, &a.link, &a.delivery).cmp(&(b.since, &b.link, &b.delivery)));
    let mut batches: BTreeMap<String, u64> = BTreeMap::new();
    for state in BatchState::ALL {
        let count = view.count_in(*state) as u64;
        if count > 0 {
            batches.insert(state.word().to_owned(), count);
        }
    }
    if !waiting.is_empty() {
        batches.insert("waiting".to_owned(), waiting.len() as u64);
    }
    let tasks = tasks::of(&given);
    let mut task_counts = BTreeMap::new();
    for task in &tasks {
        *task_counts.entry(task.code).or_default() += 1;
    }
    StatusPage {
        site: view.site.as_ref().map(|site| site.name.clone()).unwrap_or_default(),
        at: given.now,
        timezone: given.rules.zone.name().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        agent_running: given.agent_running,
        alarms,
        tasks: Listed::cut(tasks),
        task_counts,
        overdue: due.iter().filter(|line| line.overdue).count() as u64,
        links: rows::links(&given),
        sources: sources::lines(&given),
        expected: Listed::cut(expected::lines(&given)),
        batches,
        waiting: Listed::cut(waiting),
        due: Listed::cut(due),
        ending: Listed::cut(rows::ending(&given)),
        orders: Listed::cut(rows::orders(&given)),
        holds: Listed::cut(rows::holds(&given)),
        register: RegisterLine {
            entries: view.size,
            last_at: view.last_at,
            published: given.health.published,
        },
        pending: given.pending.to_vec(),
        clock_doubted: view.time_doubted,
        work: given.work,
        health: given.health,
    }
}
