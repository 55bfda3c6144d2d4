//! `appointment list`: who holds which post, and which changes are known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Service;
use crate::domain::{
    accounts::Role,
    digest::Digest,
    entry::AppointmentTerms,
    ids::AppointmentId,
    people::Leaving,
    person::{Person, StandsFor},
    time::Timestamp,
};

/// Posts and changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PeoplePage {
    /// Appointments, oldest first.
    pub appointments: Vec<AppointmentLine>,
    /// Changes of post, oldest first.
    pub changes: Vec<ChangeLine>,
    /// The clauses by which an office is told of a change, by link.
    pub told_by: BTreeMap<String, String>,
}

/// An appointment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppointmentLine {
    /// Id.
    pub id: AppointmentId,
    /// `proposed`, `waits` for the hand-over of custody, `ahead`, `in-force` or `over`.
    pub state: String,
    /// Who, to what.
    pub terms: AppointmentTerms,
    /// Who that is: name, title and unit.
    pub person: String,
    /// For whom, where it is a deputy's.
    pub stands_for: Option<StandsFor>,
    /// The custodian's appointment that it follows.
    pub succeeds: Option<AppointmentId>,
    /// Who proposed it.
    pub by: String,
    /// Who confirmed it.
    pub confirmed_by: Option<String>,
    /// Its first moment in force.
    pub begins: Option<Timestamp>,
    /// Its last moment, where one is known.
    pub ends: Option<Timestamp>,
    /// Digest of the list that was handed over with custody.
    pub list: Option<Digest>,
}

/// A change of post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChangeLine {
    /// The account.
    pub name: String,
    /// The appointment; without one the person leaves altogether.
    pub appointment: Option<AppointmentId>,
    /// The last moment of the last day.
    pub on: Timestamp,
    /// Why.
    pub reason: Leaving,
    /// What the person was.
    pub roles: Vec<Role>,
    /// Who made it known.
    pub by: String,
    /// When.
    pub known: Timestamp,
    /// When the rights that went with it ended.
    pub ended: Option<Timestamp>,
    /// Whether custody went over.
    pub custody: Option<Timestamp>,
    /// Who was told.
    pub told: Vec<ToldLine>,
}

/// An office that was told of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ToldLine {
    /// The office.
    pub office: String,
    /// Number of the letter.
    pub letter: String,
}

impl Service {
    /// Posts and changes.
    #[must_use]
    pub fn people_page(&self) -> PeoplePage {
        let (people, now) = (&self.engine.view.people, self.now());
        let appointments = people.appointments.iter().map(|(id, row)| {
            let state = if row.is_over(now) {
                "over"
            } else if row.confirmed.is_none() {
                "proposed"
            } else if row.in_force(now) {
                "in-force"
            } else if row.begins().is_none() {
                "waits"
            } else {
                "ahead"
            };
            AppointmentLine {
                id: *id,
                state: state.to_owned(),
                terms: row.terms.clone(),
                person: Person {
                    deputy: self.engine.view.stands_for(*id),
                    ..self.engine.view.person_now(&row.terms.name)
                }
                .in_full(),
                stands_for: self.engine.view.stands_for(*id),
                succeeds: row.succeeds,
                by: row.by.clone(),
                confirmed_by: row.confirmed.as_ref().map(|(by, _)| by.clone()),
                begins: row.begins(),
                ends: row.ends(),
                list: row.taken.map(|(_, list)| list),
            }
        });
        let changes = people.changes.values().map(|row| ChangeLine {
            name: row.name.clone(),
            appointment: row.appointment,
            on: row.on,
            reason: row.reason,
            roles: row.roles.clone(),
            by: row.known.0.clone(),
            known: row.known.1.at,
            ended: row.carried.map(|mark| mark.at),
            custody: row.custody.map(|mark| mark.at),
            told: row
                .told
                .iter()
                .map(|(office, letter, ..)| ToldLine {
                    office: office.clone(),
                    letter: letter.clone(),
                })
                .collect(),
        });
        let (appointments, changes) = (appointments.collect(), changes.collect());
        PeoplePage { appointments, changes, told_by: self.told_by() }
    }

    fn told_by(&self) -> BTreeMap<String, String> {
        let rules = &self.engine.rules;
        let told = rules.links.values().filter_map(|link| {
            let policy = rules.policy_for(&link.name, &link.policy)?;
            let rule = policy.further.people.notify.as_ref()?;
            Some((link.name.clone(), rule.clause.clone()))
        });
        told.collect()
    }
}
