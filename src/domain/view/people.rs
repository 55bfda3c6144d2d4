//! Folding people: appointments, changes of post, reviews of accounts, training and agreements.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Account, AccountLedger, Agreement, Appointment, Change, FoldError, Mark, Review, Training, View,
};
use crate::domain::{
    accounts::Role,
    entry::{AGENT, AccountsReviewed, Body, CustodyHandedOver, Entry, LeavingRecorded},
    ids::AppointmentId,
    people::{AccountFault, Leaving, Post},
    person::Persona,
    time::Timestamp,
};

/// What is known of people beyond their accounts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct People {
    /// Appointments.
    pub appointments: BTreeMap<AppointmentId, Appointment>,
    /// Changes of post by the entry that made them known first.
    pub changes: BTreeMap<u64, Change>,
    /// Reviews of accounts by their entry.
    pub reviews: BTreeMap<u64, Review>,
    /// Training, oldest entry first.
    pub training: Vec<Training>,
    /// Confidentiality agreements, oldest entry first.
    pub agreements: Vec<Agreement>,
    /// Dates of accounts.
    pub ledger: BTreeMap<String, AccountLedger>,
    /// Who each account was, from which entry on and since when; the oldest first.
    pub names: BTreeMap<String, Vec<(u64, Timestamp, Persona)>>,
    /// When two people agreed to an account last.
    pub confirmed: BTreeMap<String, Timestamp>,
    /// Entries that deputies made, and by which appointment.
    pub deputised: BTreeMap<u64, AppointmentId>,
}

impl People {
    /// The dates of an account.
    pub(super) fn of(&mut self, name: &str) -> &mut AccountLedger {
        self.ledger.entry(name.to_owned()).or_default()
    }

    /// An account did something.
    pub(super) fn seen(&mut self, by: &str, at: Timestamp) {
        if by != AGENT
            && let Some(row) = self.ledger.get_mut(by)
        {
            row.seen = Some(at);
        }
    }

    /// The appointments to a post that cover a link, or any where none is named; those of deputies or the others.
    pub fn to(
        &self,
        post: Post,
        deputy: bool,
        link: Option<&str>,
    ) -> impl Iterator<Item = (AppointmentId, &Appointment)> {
        self.appointments
            .iter()
            .filter(move |(_, row)| {
                row.terms.post == post
                    && row.terms.deputy_for.is_some() == deputy
                    && link.is_none_or(|link| row.covers(link))
            })
            .map(|(id, row)| (*id, row))
    }

    /// Whether a vendor's account has an agreement in force at a moment.
    #[must_use]
    pub fn agreed<'a>(
        &'a self,
        name: &'a str,
        unit: Option<&'a str>,
        at: Timestamp,
    ) -> Option<&'a Agreement> {
        self.agreements_of(name, unit)
            .filter(|one| one.from <= at && at <= one.until)
            .max_by_key(|one| one.until)
    }

    /// The agreements that cover an account.
    pub fn agreements_of<'a>(
        &'a self,
        name: &'a str,
        unit: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Agreement> {
        self.agreements.iter().filter(move |one| {
            one.name.as_deref() == Some(name) || (unit.is_some() && one.vendor.as_deref() == unit)
        })
    }

    /// The roles that are left to an account when an appointment ends: the post's goes, unless another appointment that is
    /// in force needs it.
    #[must_use]
    pub fn left(&self, roles: &[Role], id: AppointmentId, at: Timestamp) -> Vec<Role> {
        let Some(ended) = self.appointments.get(&id) else { return roles.to_vec() };
        let role = ended.terms.post.role();
        let still = self.appointments.iter().any(|(other, row)| {
            *other != id
                && row.terms.name == ended.terms.name
                && row.terms.post.role() == role
                && row.in_force(at)
        });
        roles.iter().copied().filter(|one| still || *one != role).collect()
    }
}

impl View {
    /// The number that the next appointment gets.
    #[must_use]
    pub fn next_appointment(&self) -> AppointmentId {
        let last = self.people.appointments.keys().next_back();
        AppointmentId::new(last.map_or(1, |id| id.number() + 1))
    }

    /// Whether the last day of whoever has this account is over, also where nothing could be recorded of it yet.
    #[must_use]
    pub fn has_left(&self, name: &str, at: Timestamp) -> bool {
        let over = |row: &Change| {
            row.name == name && row.carried.is_none() && row.reason.fault().is_some() && row.on < at
        };
        let admin = || self.account(name).is_some_and(|f| f.roles.contains(&Role::Admin));
        self.people.changes.values().any(over) && (self.admins() > 1 || !admin())
    }

    /// The active accounts that may administer.
    #[must_use]
    pub fn admins(&self) -> usize {
        let admin =
            |one: &&Account| one.active().is_some_and(|facts| facts.roles.contains(&Role::Admin));
        self.accounts.values().filter(admin).count()
    }

    pub(super) fn fold_people(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        let unknown = FoldError::Unknown(mark.seq);
        match &entry.body {
            Body::AppointmentProposed(asked) => {
                let row = Appointment {
                    terms: asked.terms.clone(),
                    succeeds: asked.succeeds,
                    by: entry.by.clone(),
                    proposed: mark,
                    confirmed: None,
                    taken: None,
                    ended: None,
                };
                if self.people.appointments.insert(asked.appointment, row).is_some() {
                    return Err(FoldError::Transition(mark.seq));
                }
                Ok(())
            }
            Body::AppointmentConfirmed(confirmed) => {
                let row = self.people.appointments.get_mut(&confirmed.appointment);
                let row = row.ok_or(unknown)?;
                // The fold itself refuses who decides on what is his own.
                if row.by == entry.by || row.terms.name == entry.by || row.confirmed.is_some() {
                    return Err(FoldError::Transition(mark.seq));
                }
                row.confirmed = Some((entry.by.clone(), mark));
                Ok(())
            }
            Body::LeavingRecorded(leaving) => self.leaving(mark, &entry.by, leaving),
            Body::RightsEnded(ended) => {
                let row = self.people.changes.get_mut(&ended.change).ok_or(unknown)?;
                row.carried = Some(mark);
                let fault = row.reason.fault();
                self.roles_left(mark, &ended.name, &ended.left, fault)
            }
            Body::TermEnded(over) => {
                let row = self.people.appointments.get(&over.appointment).ok_or(unknown)?;
                if row.terms.name != over.name || !row.is_over(mark.at) {
                    return Err(FoldError::Transition(mark.seq));
                }
                self.roles_left(mark, &over.name, &over.left, None)
            }
            Body::CustodyHandedOver(over) => self.custody_over(mark, &entry.by, over),
            Body::ChangeTold(told) => {
                let row = self.people.changes.get_mut(&told.change).ok_or(unknown)?;
                row.told.push((told.office.clone(), told.letter.clone(), told.on, mark));
                Ok(())
            }
            Body::AccountsReviewed(review) => self.reviewed(mark, &entry.by, review),
            Body::AccountsReviewConfirmed(confirmed) => {
                let roles = self.account(&entry.by).map(|facts| facts.roles.clone());
                let row = self.people.reviews.get_mut(&confirmed.review).ok_or(unknown)?;
                if row.by == entry.by || row.confirmed.is_some() {
                    return Err(FoldError::Transition(mark.seq));
                }
                row.confirmed = Some((entry.by.clone(), mark));
                row.roles.extend(roles.unwrap_or_default());
                Ok(())
            }
            _ => self.people_recorded(mark, entry),
        }
    }

    fn people_recorded(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::TrainingRecorded(one) => self.people.training.push(Training {
                name: one.name.clone(),
                minutes: one.minutes,
                on: one.on,
                subject: one.subject.clone(),
                doc_no: one.doc_no.clone(),
                recorded: mark.at,
                entry: mark.seq,
            }),
            Body::AgreementRecorded(one) => self.people.agreements.push(Agreement {
                name: one.name.clone(),
                vendor: one.vendor.clone(),
                doc_no: one.doc_no.clone(),
                from: one.from,
                until: one.until,
                recorded: mark.at,
            }),
            Body::AccountSuspended(one) => {
                return self.rests(mark, &one.name, AccountFault::Idle, true);
            }
            // That it was used is seen of every entry.
            Body::AccountUsed {} => {}
            _ => return Err(FoldError::Transition(mark.seq)),
        }
        Ok(())
    }

    /// Somebody leaves: what was made known of it before, and has not come, is changed.
    fn leaving(&mut self, mark: Mark, by: &str, one: &LeavingRecorded) -> Result<(), FoldError> {
        let account = self.accounts.get(&one.name).ok_or(FoldError::Unknown(mark.seq))?;
        let every = account.facts.as_ref().map(|facts| facts.roles.clone()).unwrap_or_default();
        let (mut roles, mut link) = (every, None);
        if let Some(id) = one.appointment {
            let row = self.people.appointments.get_mut(&id);
            let row = row.ok_or(FoldError::Unknown(mark.seq))?;
            // What never was in force is taken back, and nobody leaves anything.
            if row.begins().is_none() {
                row.ended = Some(mark.at);
                return Ok(());
            }
            row.ended = row.ended.into_iter().chain([one.on]).min();
            link.clone_from(&row.terms.link);
            roles = vec![row.terms.post.role()];
        }
        if one.reason.fault().is_some() {
            let own = |row: &&mut Appointment| row.terms.name == one.name;
            for row in self.people.appointments.values_mut().filter(own) {
                row.ended = row.ended.into_iter().chain([one.on]).min();
            }
        }
        let same = |row: &Change| {
            row.carried.is_none() && row.name == one.name && row.appointment == one.appointment
        };
        let before = self.people.changes.iter_mut().find(|(_, row)| same(row));
        if let Some((_, row)) = before {
            row.on = one.on;
            // Who leaves altogether does not come to leave a post only.
            if row.reason.fault().is_none() || one.reason.fault().is_some() {
                row.reason = one.reason;
            }
            return Ok(());
        }
        let row = Change {
            name: one.name.clone(),
            appointment: one.appointment,
            on: one.on,
            reason: one.reason,
            roles,
            link,
            known: (by.to_owned(), mark),
            carried: None,
            custody: None,
            told: Vec::new(),
        };
        self.people.changes.insert(mark.seq, row);
        Ok(())
    }

    /// Roles that an account has left; without one it has ended.
    fn roles_left(
        &mut self,
        mark: Mark,
        name: &str,
        left: &[Role],
        fault: Option<AccountFault>,
    ) -> Result<(), FoldError> {
        let row = self.accounts.get_mut(name).ok_or(FoldError::Unknown(mark.seq))?;
        if left.is_empty() {
            row.settle();
            if !row.disabled {
                row.disabled = true;
                self.people.of(name).over(mark.at, fault, false);
            }
        } else if let Some(facts) = &mut row.facts {
            facts.roles = left.to_vec();
        }
        Ok(())
    }

    /// Old rights end and new ones begin with one entry.
    fn custody_over(
        &mut self,
        mark: Mark,
        by: &str,
        over: &CustodyHandedOver,
    ) -> Result<(), FoldError> {
        let unknown = || FoldError::Unknown(mark.seq);
        let rows = &mut self.people.appointments;
        let row = rows.get_mut(&over.appointment).ok_or_else(unknown)?;
        let old = row.succeeds.ok_or(FoldError::Transition(mark.seq))?;
        if row.terms.name != by || row.confirmed.is_none() || row.taken.is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        row.taken = Some((mark, over.list));
        let (new, role) = (row.terms.name.clone(), row.terms.post.role());
        let ended = rows.get_mut(&old).ok_or_else(unknown)?;
        // What was over before stays so; what is in force ends with this entry.
        ended.ended = ended.ended.into_iter().chain([mark.at]).min();
        let (name, link) = (ended.terms.name.clone(), ended.terms.link.clone());
        let of_old = |row: &&mut Change| row.appointment == Some(old) && row.custody.is_none();
        let known = self.people.changes.values_mut().find(of_old);
        if let Some(change) = known {
            change.custody = Some(mark);
            if change.reason == Leaving::Replaced {
                change.carried = Some(mark);
            }
        } else {
            let change = Change {
                name: name.clone(),
                appointment: Some(old),
                on: over.on,
                reason: Leaving::Replaced,
                roles: vec![role],
                link,
                known: (by.to_owned(), mark),
                carried: Some(mark),
                custody: Some(mark),
                told: Vec::new(),
            };
            self.people.changes.insert(mark.seq, change);
        }
        if name != new {
            self.roles_left(mark, &name, &over.left, None)?;
        }
        let row = self.accounts.get_mut(&new).ok_or_else(unknown)?;
        if let Some(facts) = row.facts.as_mut().filter(|facts| !facts.roles.contains(&role)) {
            facts.roles.push(role);
        }
        Ok(())
    }

    fn reviewed(
        &mut self,
        mark: Mark,
        by: &str,
        review: &AccountsReviewed,
    ) -> Result<(), FoldError> {
        for (name, fault) in &review.suspend {
            self.rests(mark, name, *fault, true)?;
        }
        for (name, fault) in &review.revoke {
            self.rests(mark, name, *fault, false)?;
        }
        let row = Review {
            by: by.to_owned(),
            roles: self.account(by).map(|facts| facts.roles.clone()).unwrap_or_default(),
            mark,
            confirmed: None,
            keep: review.keep.clone(),
            suspend: review.suspend.clone(),
            revoke: review.revoke.clone(),
        };
        self.people.reviews.insert(mark.seq, row);
        Ok(())
    }

    fn rests(
        &mut self,
        mark: Mark,
        name: &str,
        fault: AccountFault,
        rests: bool,
    ) -> Result<(), FoldError> {
        let row = self.accounts.get_mut(name).ok_or(FoldError::Unknown(mark.seq))?;
        row.disabled = true;
        row.settle();
        self.people.of(name).over(mark.at, Some(fault), rests);
        Ok(())
    }
}
