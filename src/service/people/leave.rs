//! Changes of post: who leaves, custody that goes over, and who was told.

use super::{Leaver, Service, act::successor};
use crate::{
    domain::{
        accounts::{Act, Role},
        calendar::legal,
        entry::{Body, ChangeTold, CustodyHandedOver, LeavingRecorded},
        ids::AppointmentId,
        people::Leaving,
        policy::parameters,
        time::Timestamp,
    },
    error::Error,
    service::{Actor, Reply, Result, not_permitted, stated},
};

impl Service {
    pub(super) fn leave(
        &mut self,
        actor: &Actor,
        of: &Leaver,
        on: Timestamp,
        reason: Leaving,
    ) -> Result<Reply> {
        let (name, appointment) = match of {
            Leaver::Appointment(id) => {
                let row = self.appointment(*id)?;
                if row.is_over(self.now()) {
                    return Err(Error::usage(format!("'{id}' is over")));
                }
                (row.terms.name.clone(), Some(*id))
            }
            Leaver::Account(name) => (name.clone(), None),
        };
        // A custodian alone ends nobody's account but the own one.
        let account = appointment.is_none() || reason.fault().is_some();
        let needed = if account { Act::ConfirmAdministration } else { Act::Appoint };
        if name != actor.name() && !needed.allowed_to(&actor.facts.roles) {
            return Err(not_permitted(actor, "appointment end", needed));
        }
        let Some(facts) = self.engine.view.account(&name) else {
            return Err(Error::usage(format!("there is no active account '{name}'")));
        };
        if appointment.is_none() && reason == Leaving::Replaced {
            return Err(Error::usage("'replaced' is of a post: name the appointment")
                .hint("'batchward appointment list' shows the appointments"));
        }
        if reason.fault().is_some()
            && facts.roles.contains(&Role::Admin)
            && self.engine.view.admins() < 2
        {
            return Err(Error::refused(format!("'{name}' is the last admin"))
                .hint("another admin comes first: 'batchward account add', 'account confirm'"));
        }
        let mut known = self.engine.view.people.changes.values();
        if let Some(row) = known.find(|row| of.is(row) && row.carried.is_none())
            && (row.on < on || row.reason.fault().is_some() && reason.fault().is_none())
        {
            return Err(Error::refused(format!(
                "the last day is {} already: it can only come earlier",
                self.day(row.on)
            ))
            .hint("who stays is appointed anew by two people"));
        }
        let signed = actor.signed.clone();
        let waits = appointment
            .is_some_and(|id| self.appointment(id).is_ok_and(|row| row.begins().is_none()));
        let body = LeavingRecorded { name: name.clone(), appointment, on, reason, signed };
        self.record(actor, Body::LeavingRecorded(body))?;
        let id = appointment.map_or_else(|| name.clone(), |id| id.to_string());
        if waits {
            return Ok(Reply::new(&id, format!("'{id}' is taken back")));
        }
        let last = self.day(on);
        let message = match reason {
            Leaving::Replaced => format!("the rights of the post end after {last}"),
            _ => format!("the rights of '{name}' end after {last}"),
        };
        Ok(Reply::new(&id, message)
            .next("'batchward appointment told' records whom the change was told to"))
    }

    pub(super) fn hand_custody_over(
        &mut self,
        actor: &Actor,
        link: &str,
        to: &str,
        on: Option<Timestamp>,
    ) -> Result<Reply> {
        let Some((appointment, row)) = successor(&self.engine.view, link, to, self.now()) else {
            return Err(Error::usage(format!("'{to}' is not to take over the custody of '{link}'"))
                .hint("'batchward appointment add --post custodian' applies for it, and a second person confirms it"));
        };
        if actor.name() != to {
            return Err(Error::refused(format!("'{to}' takes custody over with an own signature"))
                .hint("nobody takes it over for another (NT-3.6)"));
        }
        let of_link = row.terms.link.clone();
        let old = row.succeeds.unwrap_or(appointment);
        let from = self.appointment(old)?.terms.name.clone();
        let last = on.unwrap_or_else(|| self.end_of_today());
        // By the appointment's own end it is over, whatever is typed.
        let last = self.appointment(old)?.ends().map_or(last, |end| end.min(last));
        let on = self.last_day(old, &from).unwrap_or(last);
        let late = self.is_late(of_link.as_deref(), on);
        let accounts = &self.engine.view.accounts;
        let roles = accounts.get(&from).and_then(|row| row.facts.as_ref());
        let roles = roles.map(|facts| facts.roles.clone()).unwrap_or_default();
        // Who follows himself goes on.
        let people = &self.engine.view.people;
        let left = if from == to { roles } else { people.left(&roles, old, self.now()) };
        let list = self.duty_list()?.digest;
        let signed = actor.decision()?;
        let body =
            CustodyHandedOver { appointment, from: from.clone(), on, late, list, left, signed };
        self.record(actor, Body::CustodyHandedOver(body))?;
        let message = if late {
            format!("custody of '{link}' is with '{to}', later than it should be")
        } else {
            format!("custody of '{link}' is with '{to}'")
        };
        Ok(Reply::new(&appointment, message)
            .next("'batchward duties list --format pdf -o FILE' prints the list, with this digest"))
    }

    /// The last day of who leaves a post, where it is known.
    fn last_day(&self, id: AppointmentId, name: &str) -> Option<Timestamp> {
        let of = [Leaver::Appointment(id), Leaver::Account(name.to_owned())];
        let changes = self.engine.view.people.changes.values().rev();
        changes.filter(|row| of.iter().any(|of| of.is(row))).map(|row| row.on).next()
    }

    fn end_of_today(&self) -> Timestamp {
        let zone = self.engine.rules.zone;
        Timestamp::end_of_day(self.now().date_in(zone), zone)
    }

    /// Whether custody goes over later than a policy allows.
    fn is_late(&self, link: Option<&str>, on: Timestamp) -> bool {
        let zone = self.engine.rules.zone;
        let (day, today) = (on.date_in(zone), self.now().date_in(zone));
        let rules = self.policies_over(link);
        let periods = rules.filter_map(|policy| policy.further.people.custodian_switch.as_ref());
        periods.map(|rule| legal::last_day(day, rule.value)).any(|last| last < today)
    }

    pub(super) fn change_told(
        &mut self,
        actor: &Actor,
        of: &Leaver,
        office: &str,
        letter: String,
        on: Timestamp,
    ) -> Result<Reply> {
        stated("the letter's number", &letter)?;
        if !parameters::OFFICES.contains(&office) {
            return Err(Error::usage(format!("there is no office '{office}'"))
                .hint(format!("offices: {}", parameters::OFFICES.join(", "))));
        }
        if on > self.end_of_today() {
            return Err(Error::usage("the letter's day has not come"));
        }
        let changes = self.engine.view.people.changes.iter().rev();
        let Some((change, row)) = changes.into_iter().find(|(_, row)| of.is(row)) else {
            return Err(Error::usage("no change of this post is known")
                .hint("'batchward appointment end' makes one known"));
        };
        let (change, name) = (*change, row.name.clone());
        let signed = actor.signed.clone();
        let body = ChangeTold { change, office: office.to_owned(), letter, on, signed };
        self.record(actor, Body::ChangeTold(body))?;
        Ok(Reply::new(&name, format!("'{office}' was told of the change of '{name}'")))
    }
}
