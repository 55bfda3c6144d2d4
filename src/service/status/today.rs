//! `today`: one page of what is to be done (今日待辦), for one account or for everybody. Nothing is computed here: alarms, tasks
//! and expected deliveries are those of `status`, duties those of `duties`.

use serde::{Deserialize, Serialize};

use super::{Alarm, ExpectedDue, Task, alarms, expected, tasks};
use crate::{
    domain::{accounts::Role, time::Timestamp},
    error::Error,
    service::{
        Result, Service,
        duties::{DutiesWanted, DutyLine},
        forms::{Seal, Source},
        onlooker::Onlooker,
    },
};

/// Duties stand on the page so many days before they are due, so that a week can be planned.
const AHEAD_DAYS: i64 = 7;

/// The page.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TodayPage {
    /// Where it comes from.
    pub source: Source,
    /// Whose it is; everybody's where none is named.
    pub account: Option<String>,
    /// Who that is.
    pub person: Option<Seal>,
    /// When it was made.
    pub at: Timestamp,
    /// What stands wrong, the loudest first.
    pub alarms: Vec<Alarm>,
    /// What waits for the account.
    pub tasks: Vec<Task>,
    /// What is late or due within a week.
    pub duties: Vec<DutyLine>,
    /// How many of those are late.
    pub overdue: u64,
    /// Deliveries that were expected by now and have not come.
    pub expected: Vec<ExpectedDue>,
}

impl Service {
    /// What is to be done today, by an account: the one that is named, or else whoever asks.
    ///
    /// # Errors
    /// There is no such account, or a store cannot be read.
    pub fn today(&mut self, account: Option<String>, who: Option<&Onlooker>) -> Result<TodayPage> {
        let view = &self.engine.view;
        let asking = match who {
            Some(Onlooker::Account { name }) => Some(name.clone()),
            Some(Onlooker::User { uid }) => view.account_of_uid(*uid).map(|one| one.name.clone()),
            Some(Onlooker::Owner) | None => None,
        };
        let account = account.or(asking);
        let unknown = |name: &String| {
            Error::usage(format!("there is no active account '{name}'"))
                .hint("'batchward account list' lists them")
        };
        let facts = match &account {
            Some(name) => Some(view.account(name).ok_or_else(|| unknown(name))?.clone()),
            None => None,
        };
        let now = self.now();
        let until = Timestamp::end_of_day(
            now.plus_seconds(AHEAD_DAYS * 86_400).date_in(self.engine.rules.zone),
            self.engine.rules.zone,
        );
        let wanted = DutiesWanted {
            until: Some(until),
            account: account.clone(),
            ..DutiesWanted::default()
        };
        let duties = self.duties(&wanted, who);
        let (alarms, mut tasks, expected) = self
            .given(|given| (alarms::judge(&given), tasks::of(&given), expected::lines(&given)))?;
        if let Some(facts) = &facts {
            // What waits for whom he stands in for waits for him.
            let view = &self.engine.view;
            tasks.retain(|task| {
                let link: Vec<String> = task.link.iter().cloned().collect();
                waits_for(task, &facts.name, &view.roles_at(facts, &link, now))
            });
        }
        Ok(TodayPage {
            source: self.source()?,
            person: account.as_ref().map(|name| self.sealed(name, now, None)),
            account,
            at: now,
            alarms,
            tasks,
            duties: duties.duties,
            overdue: duties.overdue,
            expected,
        })
    }
}

/// Whether an account may do what waits.
fn waits_for(task: &Task, name: &str, roles: &[Role]) -> bool {
    let by_role = task.roles.iter().any(|role| roles.contains(role));
    match &task.account {
        Some(account) => account == name,
        None => by_role && !task.is_not_for(name),
    }
}
