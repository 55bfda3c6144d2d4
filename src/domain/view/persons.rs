//! Who people were when they did something, and for whom deputies act.
//!
//! A deputy's entry names the appointment by which he acted; the fold refuses one that was not in force. A role that comes by
//! such an appointment is never part of an account: it is read here for a moment, and is gone with its last one.

use super::{Appointment, FoldError, Mark, View};
use crate::domain::{
    accounts::Role,
    entry::{AccountFacts, Entry},
    ids::AppointmentId,
    person::{Person, Persona, StandsFor},
    time::Timestamp,
};

impl View {
    /// Who an account was when the register had that entry, and for whom he made it.
    #[must_use]
    pub fn person(&self, account: &str, seq: u64) -> Person {
        let deputy = self.people.deputised.get(&seq).and_then(|id| self.stands_for(*id));
        Person { deputy, ..self.was(account, |from, _| from <= seq) }
    }

    /// Who an account was at a moment, where no entry is known that it made.
    #[must_use]
    pub fn person_at(&self, account: &str, at: Timestamp) -> Person {
        self.was(account, |_, since| since <= at)
    }

    fn was(&self, account: &str, then: impl Fn(u64, Timestamp) -> bool) -> Person {
        let known = self.people.names.get(account);
        let known = known.and_then(|all| all.iter().rev().find(|(seq, at, _)| then(*seq, *at)));
        Person {
            account: account.to_owned(),
            was: known.map(|(_, _, persona)| persona.clone()).unwrap_or_default(),
            deputy: None,
        }
    }

    /// Who an account is now.
    #[must_use]
    pub fn person_now(&self, account: &str) -> Person {
        // Nothing has this place yet, so that no deputy's act is found there.
        self.person(account, self.size)
    }

    /// For whom an appointment of a deputy stands in.
    #[must_use]
    pub fn stands_for(&self, id: AppointmentId) -> Option<StandsFor> {
        let terms = &self.people.appointments.get(&id)?.terms;
        let of = &self.people.appointments.get(&terms.deputy_for?)?.terms.name;
        let of = self.person_now(of).to_string();
        Some(StandsFor { post: terms.post, of, doc_no: terms.doc_no.clone() })
    }

    /// The appointments by which an account stands in for somebody at a moment. Where the holder has left, the deputy
    /// stays to his own last day: an office is not without anybody.
    pub fn deputyships<'v>(
        &'v self,
        account: &'v str,
        at: Timestamp,
    ) -> impl Iterator<Item = (AppointmentId, &'v Appointment)> {
        let all = self.people.appointments.iter().map(|(id, row)| (*id, row));
        all.filter(move |(_, row)| {
            row.terms.name == account && row.terms.deputy_for.is_some() && row.in_force(at)
        })
    }

    /// The roles that an account has at a moment in one of these links: its own, and those of whom it stands in for. A deputy
    /// for one link has the role there alone, and nowhere where it is not known which link it is.
    #[must_use]
    pub fn roles_at(&self, facts: &AccountFacts, links: &[String], at: Timestamp) -> Vec<Role> {
        let mut roles = facts.roles.clone();
        for (_, row) in self.deputyships(&facts.name, at) {
            let role = row.terms.post.role();
            if row.stands_in(links) && !roles.contains(&role) {
                roles.push(role);
            }
        }
        roles
    }

    /// Keeps by which appointment a deputy acted; one that was not his, or not in force, never did.
    pub(super) fn deputised(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        let Some(id) = entry.deputy else { return Ok(()) };
        let row = self.people.appointments.get(&id).ok_or(FoldError::Unknown(mark.seq))?;
        if row.terms.name != entry.by || row.terms.deputy_for.is_none() || !row.in_force(entry.at) {
            return Err(FoldError::Transition(mark.seq));
        }
        self.people.deputised.insert(mark.seq, id);
        Ok(())
    }

    /// Keeps who an account is from an entry on.
    pub(super) fn known_as(&mut self, mark: Mark, facts: &AccountFacts) {
        self.people.confirmed.insert(facts.name.clone(), mark.at);
        let AccountFacts { name, display, title, unit, .. } = facts;
        let (display, title, unit) = (display.clone(), title.clone(), unit.clone());
        let persona = Persona { display, title, unit };
        let was = self.people.names.entry(name.clone()).or_default();
        if was.last().is_none_or(|(_, _, last)| *last != persona) {
            was.push((mark.seq, mark.at, persona));
        }
    }
}

impl Appointment {
    /// Whether a deputy may act by it in what concerns these links.
    #[must_use]
    pub fn stands_in(&self, links: &[String]) -> bool {
        self.terms.link.is_none()
            || (!links.is_empty() && links.iter().all(|link| self.covers(link)))
    }
}
