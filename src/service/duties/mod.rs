//! The one list of duties: what every part of the work owes by a day, from destruction to training.
//!
//! Each part says what follows from register and rules ([`Duty`]); here they come together, are put in their order, and are
//! kept from those who must not see them beforehand. Nothing is stored, so nothing can be lost or be forgotten.

mod acts;
pub(in crate::service) mod audits;
mod intake;
mod links;
mod people;
mod samples;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::{Service, onlooker::Onlooker};
use crate::{
    domain::{
        accounts::Role,
        duty::{Duty, DutyState},
        limits,
        person::Person,
        time::{Period, Timestamp},
        view::View,
    },
    engine::rules::Rules,
};

/// How far ahead duties are shown where nobody says until when: what can be prepared for.
const AHEAD: Period = Period { months: 2, days: 0, seconds: 0 };

/// What one part of the work says is owed: everything whose cause is past and that is open or was done, and what comes next
/// up to a time.
type Part = fn(&View, &Rules, Timestamp, Timestamp, &mut Vec<Duty>);

/// Every part.
const PARTS: &[Part] =
    &[acts::duties, intake::duties, people::duties, samples::duties, audits::duties, links::duties];

/// Which duties are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// Those that are not fulfilled.
    #[default]
    Open,
    /// Of these, what is due within [`limits::SOON_DAYS`] days.
    Due,
    /// Of these, what is late.
    Overdue,
    /// Those that were fulfilled too.
    All,
}

/// Which part of the list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DutiesWanted {
    /// Which.
    pub which: Which,
    /// As the list is at the end of this day; now, where nothing is said.
    pub on: Option<Timestamp>,
    /// Due until then; two months from that day, where nothing is said.
    pub until: Option<Timestamp>,
    /// What this account has to do, itself or with one of its roles.
    pub account: Option<String>,
    /// Of this link.
    pub link: Option<String>,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DutyLine {
    /// Where it stands.
    pub state: DutyState,
    /// Calendar days until it is due; below 0 once it is late.
    pub days: i64,
    /// The duty.
    #[serde(flatten)]
    pub duty: Duty,
    /// Whose it is by name: of the one account that has it, or of those who hold a post with one of its roles, for its link
    /// or for all; nobody where nobody is appointed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}

/// The list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DutyPage {
    /// The time that it is as of.
    pub on: Timestamp,
    /// The duties, what is due first at first.
    pub duties: Vec<DutyLine>,
    /// How many of those that are shown are late.
    pub overdue: u64,
}

/// Every duty that there is, in order: as of `now`, and until a time. Those that come without notice are among them.
#[must_use]
pub fn all(view: &View, rules: &Rules, now: Timestamp, until: Timestamp) -> Vec<Duty> {
    let mut found = Vec::new();
    for part in PARTS {
        part(view, rules, now, until, &mut found);
    }
    // Two layers of a policy may ask for the same with the same words; it is owed once by each policy.
    let order = |duty: &Duty| (duty.due, duty.code, duty.link.clone(), duty.object.clone());
    found.sort_by_cached_key(|duty| (order(duty), duty.policy.clone()));
    found
}

/// The duties as they are at `on`: of a past day, what was fulfilled since then is open.
pub(in crate::service) fn as_of(mut duties: Vec<Duty>, on: Timestamp) -> Vec<Duty> {
    duties.retain(|duty| duty.start <= on);
    for duty in &mut duties {
        duty.done = duty.done.filter(|done| *done <= on);
    }
    duties
}

impl Service {
    /// `duties`: who looks sees what is done without notice only as an auditor or a supervisor.
    #[must_use]
    pub fn duties(&self, wanted: &DutiesWanted, who: Option<&Onlooker>) -> DutyPage {
        let (view, rules) = (&self.engine.view, &self.engine.rules);
        let now = self.now();
        let on = wanted.on.unwrap_or(now);
        let until = wanted.until.unwrap_or_else(|| AHEAD.after(on, rules.zone));
        let (seer, own) = (self.roles_of(who), wanted.account.as_deref());
        let told = seer.contains(&Role::Auditor) || seer.contains(&Role::Supervisor);
        let facts = own.and_then(|name| view.account(name));
        let wants = |duty: &Duty| {
            // Who stands in for somebody owes what the office owes.
            let mine = || {
                let roles = facts.map(|facts| view.roles_at(facts, duty.link.as_slice(), now));
                roles.unwrap_or_default()
            };
            let by_role = || mine().iter().any(|role| duty.roles.contains(role));
            let owes = own.is_none_or(|name| match &duty.account {
                Some(account) => account == name,
                None => by_role(),
            });
            let there = wanted.link.is_none() || duty.link == wanted.link;
            owes && there && (told || !duty.unannounced)
        };
        let soon = on.plus_seconds(limits::SOON_DAYS * 86_400);
        let mut lines = Vec::new();
        for duty in as_of(all(view, rules, now, until.max(on)), on).into_iter().filter(wants) {
            let state = duty.state(on);
            let shown = match wanted.which {
                Which::Open => duty.done.is_none() && duty.due <= until,
                Which::Due => duty.done.is_none() && duty.due <= soon.min(until),
                Which::Overdue => state == DutyState::Overdue,
                Which::All => duty.due <= until,
            };
            if shown {
                let day = |at: Timestamp| at.date_in(rules.zone);
                let days = (day(duty.due) - day(on)).num_days();
                let (account, link) = (duty.account.as_deref(), duty.link.as_deref());
                let people = view.whose(account, &duty.roles, link, now);
                lines.push(DutyLine { state, days, duty, people });
            }
        }
        let late = lines.iter().filter(|line| line.state == DutyState::Overdue).count();
        DutyPage { on, duties: lines, overdue: late as u64 }
    }

    /// The roles of whoever looks. The owner of the state folder has those of the account that is his.
    fn roles_of(&self, who: Option<&Onlooker>) -> Vec<Role> {
        let view = &self.engine.view;
        let facts = match who {
            Some(Onlooker::User { uid }) => view.account_of_uid(*uid),
            Some(Onlooker::Account { name }) => view.account(name),
            Some(Onlooker::Owner) | None => None,
        };
        facts.map(|facts| view.roles_at(facts, &[], self.now())).unwrap_or_default()
    }
}
