//! People: appointments to posts, changes of post, reviews of accounts, training and agreements (NTP-6.2 to 7.3, TPE-6 to 9,
//! TY-3.2 and 3.3, 附件二 1, 2 and 7, NT-3 and 4.3, TPH-5.4 and 5.8).
//!
//! One person proposes an appointment and another agrees; rights end on the last day by themselves; custody goes over in one
//! act of who takes it. Nothing here opens anything on the word of one.

mod act;
mod appoint;
mod leave;
pub mod lists;
mod records;
mod review;
pub mod roster;
mod seats;

pub use act::{Appointing, Leaver, Party, PeopleAct};
pub use lists::{AppointmentLine, ChangeLine, PeoplePage};
pub use review::{ReviewLine, ReviewPage};
pub use roster::{Roster, RosterRow};

use super::{Actor, Reply, Result, Service};
use crate::{
    domain::{
        accounts::Role,
        entry::Body,
        people::{NeededPost, Post},
        person::Persona,
        policy::{PeopleRule, Policy},
    },
    error::Error,
};

impl Service {
    pub(super) fn people_act(&mut self, actor: &Actor, act: PeopleAct) -> Result<Reply> {
        match act {
            PeopleAct::Appoint { asked } => self.appoint(actor, asked),
            PeopleAct::Confirm { appointment } => self.appointment_confirm(actor, appointment),
            PeopleAct::Leave { of, on, reason } => self.leave(actor, &of, on, reason),
            PeopleAct::HandOver { link, to, on } => self.hand_custody_over(actor, &link, &to, on),
            PeopleAct::Told { of, office, letter, on } => {
                self.change_told(actor, &of, &office, letter, on)
            }
            PeopleAct::Train { name, minutes, on, subject, doc_no } => {
                self.train(actor, records::Trained { name, minutes, on, subject, doc_no })
            }
            PeopleAct::Agree { party, doc_no, from, until } => {
                self.agree(actor, party, doc_no, (from, until))
            }
            PeopleAct::Review { keep, suspend, revoke } => {
                self.account_review(actor, keep, suspend, revoke)
            }
            PeopleAct::ReviewConfirm => self.accounts_review_confirm(actor),
            PeopleAct::Edit { name, display, title, unit } => {
                self.account_edit(actor, &name, Persona { display, title, unit })
            }
            PeopleAct::Acknowledge { uid, reason } => self.seat_acknowledge(actor, uid, reason),
            PeopleAct::AcknowledgeConfirm { uid } => self.seat_confirm(actor, uid),
        }
    }

    /// The policies of a link, or of every one where none is named.
    fn policies_over<'a>(&'a self, link: Option<&'a str>) -> impl Iterator<Item = &'a Policy> {
        let rules = &self.engine.rules;
        let of = move |name: &String| link.is_none_or(|link| link == name);
        let links = rules.links.iter().filter(move |(name, _)| of(name));
        links.filter_map(|(_, link)| rules.policy_of(link))
    }

    /// A vendor's account acts only while a confidentiality agreement binds it (TPH-5.8).
    pub(super) fn under_agreement(&self, actor: &Actor) -> Result<()> {
        if !actor.facts.roles.contains(&Role::Vendor) {
            return Ok(());
        }
        let asks = |policy: &&Policy| policy.further.people.nda.as_ref().is_some_and(|r| r.value);
        let Some(policy) = self.policies_over(None).find(asks) else { return Ok(()) };
        let (people, unit) = (&self.engine.view.people, actor.facts.unit.as_deref());
        if people.agreed(actor.name(), unit, self.now()).is_some() {
            return Ok(());
        }
        let clause = policy.further.people.nda.as_ref().map_or("own", |rule| &rule.clause);
        Err(Error::refused(format!(
            "'{}' is a vendor's account without a confidentiality agreement in force ({clause})",
            actor.name()
        ))
        .hint("'batchward appointment agreement' records one"))
    }

    /// Nothing is granted or read under a link while its policy misses its manager. Who grants needs every post of a manager
    /// that the policy names; who reads, that the manager or a deputy is there.
    pub(super) fn managed(&self, link: &str, granting: bool) -> Result<()> {
        let Some(rule) = self.link(link).ok().and_then(|link| self.engine.rules.policy_of(link))
        else {
            return Ok(());
        };
        let rule = &rule.further.people;
        let Some(gate) = rule.gate.as_ref().filter(|gate| gate.value) else { return Ok(()) };
        let missing = if granting {
            asked_posts(rule)
                .find(|needed| needed.post().0 == Post::Manager && !self.post_held(*needed, link))
        } else {
            let either = [NeededPost::Manager, NeededPost::ManagerDeputy];
            let any = either.into_iter().any(|needed| self.post_held(needed, link));
            (!any).then_some(NeededPost::Manager)
        };
        let Some(needed) = missing else { return Ok(()) };
        Err(Error::refused(format!(
            "nobody is '{needed}' of '{link}', and nothing flows before ({})",
            gate.clause
        ))
        .hint("'batchward appointment add', and a second person confirms it"))
    }

    /// An account that reads without a signature leaves nothing in the register: that it was used is put there once a day, for
    /// who is never seen is idle.
    pub(super) fn was_used(&mut self, actor: &Actor) -> Result<()> {
        let zone = self.engine.rules.zone;
        let seen = self.engine.view.people.ledger.get(actor.name()).and_then(|row| row.seen);
        let today = self.now().date_in(zone);
        if actor.signed.is_none() && seen.is_none_or(|seen| seen.date_in(zone) < today) {
            self.engine.record(actor.name(), Body::AccountUsed {})?;
        }
        Ok(())
    }

    /// Whether somebody holds a post now.
    fn post_held(&self, needed: NeededPost, link: &str) -> bool {
        let (post, deputy) = needed.post();
        let now = self.now();
        self.engine.view.people.to(post, deputy, Some(link)).any(|(_, row)| row.in_force(now))
    }
}

/// The posts that a policy asks for.
pub(in crate::service) fn asked_posts(rule: &PeopleRule) -> impl Iterator<Item = NeededPost> {
    rule.posts.iter().flat_map(|rule| rule.value.iter().copied())
}
