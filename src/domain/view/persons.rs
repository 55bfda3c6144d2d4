//! Who people were when they did something, and for whom deputies act.
//!
//! A deputy's entry names the appointment by which he acted; the fold refuses one that was not in force. A role that comes by
//! such an appointment is never part of an account: it is read here for a moment, and is gone with its last one.

use super::{Appointment, FoldError, Mark, Proposal, View};
use crate::domain::{
    accounts::Role,
    entry::{AccountEditConfirmed, AccountEditProposed, AccountFacts, Body, Entry},
    ids::{AppointmentId, BatchId},
    on_paper::Subject,
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

    /// Who holds posts at a moment: for a link, or, where none is named, for all of them.
    pub fn holders<'v>(
        &'v self,
        link: Option<&'v str>,
        at: Timestamp,
    ) -> impl Iterator<Item = (AppointmentId, &'v Appointment, Person)> {
        let covers = move |row: &Appointment| match link {
            Some(link) => row.covers(link),
            None => row.terms.link.is_none(),
        };
        let held = self.people.appointments.iter();
        held.filter(move |(_, row)| covers(row) && row.in_force(at)).map(|(id, row)| {
            let deputy = self.stands_for(*id);
            (*id, row, Person { deputy, ..self.person_now(&row.terms.name) })
        })
    }

    /// Whose something is that is to be done, by name: the one account's that has it, or theirs who hold a post with one of
    /// these roles, for its link or for all of them; nobody's where nobody is appointed.
    #[must_use]
    pub fn whose(
        &self,
        account: Option<&str>,
        roles: &[Role],
        link: Option<&str>,
        at: Timestamp,
    ) -> Vec<Person> {
        if let Some(account) = account {
            return vec![self.person_now(account)];
        }
        let mut people: Vec<Person> = Vec::new();
        for (_, row, person) in self.holders(link, at) {
            let once = people.iter().all(|one| one.account != person.account);
            if once && roles.contains(&row.terms.post.role()) {
                people.push(person);
            }
        }
        people
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
        // The fold itself refuses who decides for somebody that has a part in it.
        let of = self.principal(id);
        let decided = Decided::by(&entry.body);
        if decided.zip(of).is_some_and(|(decided, of)| self.party(decided, of)) {
            return Err(FoldError::Transition(mark.seq));
        }
        self.people.deputised.insert(mark.seq, id);
        Ok(())
    }

    /// The account that a deputy's appointment stands in for.
    #[must_use]
    pub fn principal(&self, id: AppointmentId) -> Option<&str> {
        let of = self.people.appointments.get(&id)?.terms.deputy_for?;
        Some(&self.people.appointments.get(&of)?.terms.name)
    }

    /// Whom somebody stood in for when the register had that entry.
    #[must_use]
    pub fn stood_for_in(&self, entry: u64) -> Option<&str> {
        self.people.deputised.get(&entry).and_then(|id| self.principal(*id))
    }

    /// Whether somebody asked for what is decided on, or has decided on it.
    #[must_use]
    pub fn party(&self, decided: Decided, name: &str) -> bool {
        match decided {
            Decided::On(Subject::Order(id)) => self.orders.get(&id).is_some_and(|row| {
                row.by == name || row.approvals.iter().any(|(by, _)| by == name)
            }),
            Decided::On(Subject::Grant(id)) => {
                self.grants.get(&id).is_some_and(|row| row.by == name)
            }
            Decided::On(Subject::Copy(id)) => self
                .copies
                .get(&id)
                .is_some_and(|row| row.held.as_ref().is_some_and(|held| held.by == name)),
            Decided::Seal(id) => {
                self.intake_of(id).is_some_and(|row| row.seals.iter().any(|one| one.by == name))
            }
        }
    }

    /// Whether a deputy has approved an order for somebody.
    #[must_use]
    pub fn stood_in_for(&self, decided: Decided, name: &str) -> bool {
        let Decided::On(Subject::Order(id)) = decided else { return false };
        let Some(row) = self.orders.get(&id) else { return false };
        row.approvals.iter().any(|(_, mark)| self.stood_for_in(mark.seq) == Some(name))
    }

    /// Another name, title or unit waits for a second person. Whole facts that wait are neither replaced by it nor mixed with it.
    pub(super) fn edit_proposed(
        &mut self,
        mark: Mark,
        by: String,
        asked: &AccountEditProposed,
    ) -> Result<(), FoldError> {
        let row = self.accounts.get_mut(&asked.name).ok_or(FoldError::Unknown(mark.seq))?;
        if row.active().is_none() || row.proposal.is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        let (display, title, unit) =
            (asked.display.clone(), asked.title.clone(), asked.unit.clone());
        row.edit = Some(Proposal { mark, by, what: Persona { display, title, unit } });
        Ok(())
    }

    /// A second person agreed: the facts of today with that name, title and unit. Roles, key and what two people last agreed to
    /// stay what they are.
    pub(super) fn edit_confirmed(
        &mut self,
        mark: Mark,
        by: &str,
        edit: &AccountEditConfirmed,
    ) -> Result<(), FoldError> {
        let row = self.accounts.get_mut(&edit.name).ok_or(FoldError::Unknown(mark.seq))?;
        let asked = row.edit.take().filter(|asked| asked.mark.seq == edit.proposal);
        let asked = asked.ok_or(FoldError::Transition(mark.seq))?;
        // The fold itself refuses who decides on what is his own.
        if asked.by == by || edit.name == by {
            return Err(FoldError::Transition(mark.seq));
        }
        let facts = row.facts.as_mut().ok_or(FoldError::Transition(mark.seq))?;
        let Persona { display, title, unit } = asked.what;
        facts.display = display.or_else(|| facts.display.take());
        facts.title = title.or_else(|| facts.title.take());
        facts.unit = unit.or_else(|| facts.unit.take());
        let facts = facts.clone();
        self.shown_as(mark, &facts);
        Ok(())
    }

    /// Keeps who an account is from an entry on, by which two people agreed to all of it.
    pub(super) fn known_as(&mut self, mark: Mark, facts: &AccountFacts) {
        self.people.confirmed.insert(facts.name.clone(), mark.at);
        self.shown_as(mark, facts);
    }

    fn shown_as(&mut self, mark: Mark, facts: &AccountFacts) {
        let AccountFacts { name, display, title, unit, .. } = facts;
        let (display, title, unit) = (display.clone(), title.clone(), unit.clone());
        let persona = Persona { display, title, unit };
        let was = self.people.names.entry(name.clone()).or_default();
        if was.last().is_none_or(|(_, _, last)| *last != persona) {
            was.push((mark.seq, mark.at, persona));
        }
    }
}

/// What is decided on, by one who has no part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// An order, a grant or a copy.
    On(Subject),
    /// That a batch is provided.
    Seal(BatchId),
}

impl Decided {
    fn by(body: &Body) -> Option<Self> {
        Some(Self::On(match body {
            Body::OrderApproved { order, .. } | Body::OrderDenied { order, .. } => {
                Subject::Order(*order)
            }
            Body::GrantApproved { grant, .. } | Body::GrantDenied { grant, .. } => {
                Subject::Grant(*grant)
            }
            Body::CopyApproved(what) => Subject::Copy(what.copy),
            Body::CopyDenied(what) => Subject::Copy(what.copy),
            Body::BatchSealed(what) => return Some(Self::Seal(what.batch)),
            _ => return None,
        }))
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
