//! Notices: whom to tell of what, found anew at each look. Sending is the port's; nothing here waits for it.

pub mod plan;

use self::plan::Seen;
use super::{Result, Service, status::Task};
use crate::domain::{
    entry::AccountFacts,
    notice::{Digest, Item, NoticeKind},
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
        let accounts: Vec<&AccountFacts> = self
            .engine
            .view
            .accounts
            .values()
            .filter_map(crate::domain::view::Account::active)
            .collect();
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

    /// What is owed, and what may be done.
    fn items(&mut self) -> Result<Vec<plan::Owed>> {
        let tasks = self.open_tasks()?;
        Ok(tasks.iter().map(|task| self.of_task(task)).collect())
    }

    fn of_task(&self, task: &Task) -> plan::Owed {
        let ends = |c: char| c == ';' || c == '\'';
        plan::Owed {
            except: task
                .except
                .iter()
                .flat_map(|names| names.split(", "))
                .map(|name| name.trim_matches(ends).to_owned())
                .collect(),
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

    /// The digest of one that only shows that the way is open.
    #[must_use]
    pub fn test_notice(site: &str, timezone: &str, at: crate::domain::time::Timestamp) -> Digest {
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
