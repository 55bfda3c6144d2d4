//! Notices: whom to tell of what, found anew at each look. Sending is the port's; nothing here waits for it.

pub mod plan;

use std::collections::BTreeSet;

use self::plan::{Owed, Seen};
use super::{Result, Service, duties, status::Task};
use crate::domain::{
    duty::Duty,
    entry::AccountFacts,
    limits,
    notice::{Digest, Item, NoticeKind},
    time::Timestamp,
    view::Account,
};

impl Service {
    /// Plans what people outside are to be told, and has it sent. Where nobody is to be told, nothing is done.
    ///
    /// # Errors
    /// What was planned cannot be kept; nothing else is wrong then, and the next look plans it again.
    pub fn put_notices(&mut self) -> Result<()> {
        let Some(wanted) = self.engine.ports.notices.wanted() else { return Ok(()) };
        let before = self.engine.ports.notices.turn()?;
        let alarms = self.status()?.alarms;
        let now = self.now();
        let slot = {
            let rules = &self.engine.rules;
            plan::slot(&wanted, before.as_ref(), now, (rules.zone, &rules.working))
        };
        // Every act that is missing is a walk over what is open: once a digest, not at each look.
        let items = if slot.is_some() { self.items()? } else { Vec::new() };
        let accounts: Vec<&AccountFacts> =
            self.engine.view.accounts.values().filter_map(Account::active).collect();
        let seen = Seen {
            now,
            zone: self.engine.rules.zone,
            site: self.engine.view.site.as_ref().map_or("", |site| &site.name),
            accounts: &accounts,
            alarms: &alarms,
            items: &items,
        };
        let (turn, notices) = plan::plan(&wanted, before.as_ref(), slot, &seen);
        if before.as_ref() != Some(&turn) || !notices.is_empty() {
            self.engine.ports.notices.keep(&turn, &notices)?;
        }
        self.engine.ports.notices.send();
        Ok(())
    }

    /// What is owed by a day, and what waits for somebody.
    fn items(&mut self) -> Result<Vec<Owed>> {
        let tasks = self.open_tasks()?;
        let (now, rules) = (self.now(), &self.engine.rules);
        let until = now.plus_seconds(limits::NOTICE_AHEAD_DAYS * 86_400);
        let owed = duties::all(&self.engine.view, rules, now, until);
        let owed = owed
            .iter()
            .filter(|duty| duty.done.is_none() && duty.start <= now && duty.due <= until);
        let mut items: Vec<Owed> = owed.map(|duty| Owed::of_duty(duty, now, rules.zone)).collect();
        let known: BTreeSet<(String, Option<String>)> =
            items.iter().map(|owed| (owed.item.code.clone(), owed.item.object.clone())).collect();
        let tasks = tasks.iter().map(Owed::of_task);
        items.extend(
            tasks.filter(|owed| {
                !known.contains(&(owed.item.code.clone(), owed.item.object.clone()))
            }),
        );
        Ok(items)
    }

    /// The digest of one that only shows that the way is open.
    #[must_use]
    pub fn test_notice(site: &str, timezone: &str, at: Timestamp) -> Digest {
        Digest {
            site: site.to_owned(),
            timezone: timezone.to_owned(),
            at,
            kind: NoticeKind::Test,
            items: Vec::new(),
            items_total: 0,
            alarms: Vec::new(),
        }
    }
}

impl Owed {
    fn of_duty(duty: &Duty, now: Timestamp, zone: chrono_tz::Tz) -> Self {
        let days = (duty.due.date_in(zone) - now.date_in(zone)).num_days();
        Self {
            except: Vec::new(),
            unannounced: duty.unannounced,
            item: Item {
                code: duty.code.word().to_owned(),
                what: duty.code.what().to_owned(),
                clause: Some(duty.clause.clone()),
                link: duty.link.clone(),
                object: Some(duty.object.clone()),
                roles: duty.roles.clone(),
                account: duty.account.clone(),
                since: Some(duty.start),
                due: Some(duty.due),
                days: Some(days),
                command: Some(format!("batchward {}", duty.command)),
            },
        }
    }

    fn of_task(task: &Task) -> Self {
        let except = task.except.iter().flat_map(|names| names.split(", "));
        Self {
            except: except.map(str::to_owned).collect(),
            unannounced: false,
            item: Item {
                code: task.code.word().to_owned(),
                what: task.code.what().to_owned(),
                clause: None,
                link: task.link.clone(),
                object: Some(task.object.clone()),
                roles: task.roles.clone(),
                account: task.account.clone(),
                since: task.since,
                due: None,
                days: None,
                command: task.commands.first().cloned(),
            },
        }
    }
}
