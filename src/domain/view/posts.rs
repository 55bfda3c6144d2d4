//! Rows of people: appointments, changes of post, reviews of accounts, training, agreements and the dates of accounts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Mark;
use crate::domain::{
    accounts::Role,
    digest::Digest,
    entry::AppointmentTerms,
    ids::AppointmentId,
    people::{AccountFault, Leaving},
    time::Timestamp,
};

/// An appointment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Appointment {
    /// Who, to what.
    pub terms: AppointmentTerms,
    /// The custodian's appointment that it follows.
    pub succeeds: Option<AppointmentId>,
    /// Who proposed it.
    pub by: String,
    /// The proposal.
    pub proposed: Mark,
    /// Who confirmed it, and when.
    pub confirmed: Option<(String, Mark)>,
    /// When custody was taken over, and the digest of the list.
    pub taken: Option<(Mark, Digest)>,
    /// Its last moment, where somebody ended it.
    pub ended: Option<Timestamp>,
}

impl Appointment {
    /// Its first moment in force; none before a second person agreed, and custody was handed over where it follows another.
    #[must_use]
    pub fn begins(&self) -> Option<Timestamp> {
        let (_, confirmed) = self.confirmed.as_ref()?;
        match (self.succeeds, &self.taken) {
            (Some(_), None) => None,
            (Some(_), Some((taken, _))) => Some(taken.at),
            (None, _) => Some(self.terms.from.max(confirmed.at)),
        }
    }

    /// Its last moment, where one is known.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        self.terms.until.into_iter().chain(self.ended).min()
    }

    /// Whether it is in force at a moment.
    #[must_use]
    pub fn in_force(&self, at: Timestamp) -> bool {
        self.begins().is_some_and(|from| from <= at) && self.ends().is_none_or(|end| at <= end)
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self, at: Timestamp) -> bool {
        self.ends().is_some_and(|end| end < at)
    }

    /// Whether it covers a link.
    #[must_use]
    pub fn covers(&self, link: &str) -> bool {
        self.terms.link.as_deref().is_none_or(|own| own == link)
    }
}

/// A change of post.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    /// The account.
    pub name: String,
    /// The appointment; without one the person leaves altogether.
    pub appointment: Option<AppointmentId>,
    /// The last moment of the last day.
    pub on: Timestamp,
    /// Why.
    pub reason: Leaving,
    /// What the person was: the role of the post, or every one.
    pub roles: Vec<Role>,
    /// The link of the post, where it is one's.
    pub link: Option<String>,
    /// Who made it known, and when.
    pub known: (String, Mark),
    /// When the rights that went with it ended.
    pub carried: Option<Mark>,
    /// When custody went over to the next one.
    pub custody: Option<Mark>,
    /// Offices that were told: office, letter, its day, and when that was recorded.
    pub told: Vec<(String, String, Timestamp, Mark)>,
}

/// A review of the accounts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Review {
    /// Who made it.
    pub by: String,
    /// Roles of both who made it and who confirmed it.
    pub roles: Vec<Role>,
    /// The entry.
    pub mark: Mark,
    /// Who confirmed it, and when.
    pub confirmed: Option<(String, Mark)>,
    /// Accounts that stayed.
    pub keep: Vec<String>,
    /// Accounts that rest since then, and why.
    pub suspend: BTreeMap<String, AccountFault>,
    /// Accounts that ended with it, and why.
    pub revoke: BTreeMap<String, AccountFault>,
}

/// Somebody was trained.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Training {
    /// The account.
    pub name: String,
    /// How long, in minutes.
    pub minutes: u32,
    /// The day.
    pub on: Timestamp,
    /// What about.
    pub subject: String,
    /// Number of the document.
    pub doc_no: String,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// The entry.
    pub entry: u64,
}

/// A confidentiality agreement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Agreement {
    /// The account; without one the vendor.
    pub name: Option<String>,
    /// The vendor.
    pub vendor: Option<String>,
    /// Number of the document.
    pub doc_no: String,
    /// Its first moment.
    pub from: Timestamp,
    /// Its last moment.
    pub until: Timestamp,
    /// When it was recorded.
    pub recorded: Timestamp,
}

/// Dates of an account (TYA2-2.3).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AccountLedger {
    /// Applications: when each was made, and dealt with.
    pub requests: Vec<(Timestamp, Option<Timestamp>)>,
    /// Since when it is in force.
    pub effective: Option<Timestamp>,
    /// When it ended, and why; without a reason an admin ended it.
    pub ended: Option<(Timestamp, Option<AccountFault>)>,
    /// Whether it rests, and is not revoked.
    pub rests: bool,
    /// Its last act.
    pub seen: Option<Timestamp>,
}

impl AccountLedger {
    /// Something was asked for.
    pub(super) fn asked(&mut self, at: Timestamp) {
        self.requests.push((at, None));
    }

    /// It is in force.
    pub(super) fn begun(&mut self, at: Timestamp) {
        self.answered(at);
        // One that is confirmed anew without an end between is in force since its first day.
        if self.effective.is_none() || self.ended.is_some() {
            self.effective = Some(at);
        }
        (self.ended, self.rests) = (None, false);
    }

    /// It ended.
    pub(super) fn over(&mut self, at: Timestamp, why: Option<AccountFault>, rests: bool) {
        self.answered(at);
        (self.ended, self.rests) = (Some((at, why)), rests);
    }

    fn answered(&mut self, at: Timestamp) {
        for (_, answered) in self.requests.iter_mut().filter(|(_, answered)| answered.is_none()) {
            *answered = Some(at);
        }
    }
}
