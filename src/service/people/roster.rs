//! The roster (使用人名冊, NTP-6.3b, 附件二 1(5), NT-4.3a): everybody who has or had an account, with posts and dates.

use chrono::Datelike;
use serde::{Deserialize, Serialize};

use super::Service;
use crate::{
    domain::{
        accounts::Role,
        entry::AGENT,
        people::{AccountFault, Post},
        time::Timestamp,
    },
    service::{Result, forms::Source},
};

/// The roster.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Roster {
    /// Where it comes from.
    pub source: Source,
    /// The calendar year that training is counted in.
    pub year: i32,
    /// Everybody, by unit: people of the agency first, vendors after them.
    pub rows: Vec<RosterRow>,
}

/// Somebody who has or had an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RosterRow {
    /// The account.
    pub name: String,
    /// `active`, `proposed`, `suspended` or `ended`.
    pub state: String,
    /// 姓名.
    pub display: Option<String>,
    /// 職稱.
    pub title: Option<String>,
    /// 單位.
    pub unit: Option<String>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Posts that are held now.
    pub posts: Vec<HeldPost>,
    /// When it was applied for last.
    pub applied: Option<Timestamp>,
    /// Since when it is in force.
    pub effective: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why.
    pub ended_for: Option<AccountFault>,
    /// Its last act.
    pub last_act: Option<Timestamp>,
    /// The last day of who leaves, where that is known.
    pub leaves: Option<Timestamp>,
    /// Minutes of training in this calendar year.
    pub training_minutes: u32,
    /// Number of the confidentiality agreement in force.
    pub agreement: Option<String>,
    /// Its last moment.
    pub agreement_until: Option<Timestamp>,
}

/// A post that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HeldPost {
    /// The post.
    pub post: Post,
    /// The link; every one where none is named.
    pub link: Option<String>,
    /// Whether it is that of a deputy.
    pub deputy: bool,
}

impl Service {
    /// The roster.
    ///
    /// # Errors
    /// A store cannot be read.
    pub fn roster(&self) -> Result<Roster> {
        let names = self.engine.view.accounts.keys().filter(|name| *name != AGENT);
        let mut rows: Vec<RosterRow> = names.map(|name| self.roster_row(name)).collect();
        let vendor = |row: &RosterRow| row.roles.contains(&Role::Vendor);
        rows.sort_by(|a, b| (vendor(a), &a.unit, &a.name).cmp(&(vendor(b), &b.unit, &b.name)));
        let year = self.now().date_in(self.engine.rules.zone).year();
        Ok(Roster { source: self.source()?, year, rows })
    }

    /// An account as the roster has it.
    pub(super) fn roster_row(&self, name: &str) -> RosterRow {
        let view = &self.engine.view;
        let (now, people) = (self.now(), &view.people);
        let account = view.accounts.get(name);
        let facts = account.and_then(|row| {
            row.facts.as_ref().or(row.proposal.as_ref().map(|proposal| &proposal.what))
        });
        let ledger = people.ledger.get(name).cloned().unwrap_or_default();
        let state = match account {
            Some(row) if row.active().is_some() => "active",
            Some(row) if row.facts.is_none() && !row.disabled => "proposed",
            _ if ledger.rests => "suspended",
            _ => "ended",
        };
        let own = people.appointments.values();
        let own = own.filter(|row| row.terms.name == name && row.in_force(now));
        let posts = own.map(|row| HeldPost {
            post: row.terms.post,
            link: row.terms.link.clone(),
            deputy: row.terms.deputy_for.is_some(),
        });
        let open = |row: &&crate::domain::view::Change| row.name == name && row.on >= now;
        let unit = facts.and_then(|facts| facts.unit.clone());
        let agreement = people.agreed(name, unit.as_deref(), now);
        RosterRow {
            name: name.to_owned(),
            state: state.to_owned(),
            display: facts.and_then(|facts| facts.display.clone()),
            title: facts.and_then(|facts| facts.title.clone()),
            roles: facts.map(|facts| facts.roles.clone()).unwrap_or_default(),
            posts: posts.collect(),
            applied: ledger.requests.last().map(|(asked, _)| *asked),
            effective: ledger.effective,
            ended: ledger.ended.map(|(at, _)| at),
            ended_for: ledger.ended.and_then(|(_, why)| why),
            last_act: ledger.seen,
            leaves: people.changes.values().filter(open).map(|row| row.on).min(),
            training_minutes: self.trained(name, now.date_in(self.engine.rules.zone)),
            agreement: agreement.map(|one| one.doc_no.clone()),
            agreement_until: agreement.map(|one| one.until),
            unit,
        }
    }
}
