//! Appointments: proposed by one person, in force when another has agreed.

use super::{Appointing, Service};
use crate::{
    domain::{
        accounts::Role,
        calendar,
        entry::{AppointmentConfirmed, AppointmentProposed, AppointmentTerms, Body},
        ids::AppointmentId,
        people::Post,
        time::Timestamp,
        view::Appointment,
    },
    error::Error,
    service::{Actor, Reply, Result, administration::second_person, no_link, stated},
};

impl Service {
    pub(super) fn appointment(&self, id: AppointmentId) -> Result<&Appointment> {
        self.engine.view.people.appointments.get(&id).ok_or_else(|| {
            Error::usage(format!("there is no appointment '{id}'"))
                .hint("'batchward appointment list' shows the appointments")
        })
    }

    pub(super) fn appoint(&mut self, actor: &Actor, asked: Appointing) -> Result<Reply> {
        stated("the document number", &asked.doc_no)?;
        if let Some(link) = asked.link.as_deref()
            && !self.engine.rules.links.contains_key(link)
        {
            return Err(no_link(link));
        }
        if asked.until.is_some_and(|until| until < asked.from || until < self.now()) {
            return Err(Error::usage("the appointment would end before it begins, or has ended"));
        }
        self.deputises(&asked)?;
        let succeeds = self.before(&asked)?;
        let Some(facts) = self.engine.view.account(&asked.name) else {
            return Err(Error::usage(format!("there is no active account '{}'", asked.name)));
        };
        if facts.roles.contains(&Role::Service) {
            return Err(Error::refused("the account of a service holds no post"));
        }
        let role = asked.post.role();
        // Custody brings its role with it, when it is handed over, and so does standing in for somebody, for its days.
        if succeeds.is_none() && asked.deputy_for.is_none() && !facts.roles.contains(&role) {
            return Err(Error::refused(format!(
                "'{}' has no role '{}', which this post needs",
                asked.name,
                role.word()
            ))
            .hint("'batchward account add' proposes it, and a second person confirms it"));
        }
        // What comes by standing in for somebody has a last day from the first: nobody has to remember to take it away.
        if asked.deputy_for.is_some() && asked.until.is_none() && !facts.roles.contains(&role) {
            return Err(Error::usage(format!(
                "'{}' has no role '{}': a deputy who has it by the appointment needs its last day",
                asked.name,
                role.word()
            ))
            .hint("--until DATE"));
        }
        if facts.roles.contains(&Role::Vendor) {
            return Err(Error::refused("a vendor's account holds no post of the agency"));
        }
        self.exclusive(&asked, &facts.roles)?;
        self.own_successor(actor, succeeds)?;
        let appointment = self.engine.view.next_appointment();
        let Appointing { post, link, name, from, until, doc_no, deputy_for } = asked;
        let terms = AppointmentTerms { post, link, name, from, until, doc_no, deputy_for };
        let signed = actor.signed.clone();
        let body = AppointmentProposed { appointment, terms, succeeds, signed };
        self.record(actor, Body::AppointmentProposed(body))?;
        Ok(Reply::new(&appointment, format!("'{appointment}' waits for a second person")).next(
            format!(
                "another admin or a supervisor runs 'batchward appointment confirm {appointment}'"
            ),
        ))
    }

    /// A deputy stands in for somebody else in the same post.
    fn deputises(&self, asked: &Appointing) -> Result<()> {
        let Some(id) = asked.deputy_for else { return Ok(()) };
        let row = self.appointment(id)?;
        let same = row.terms.post == asked.post
            && row.terms.link == asked.link
            && row.terms.deputy_for.is_none();
        if !same || row.is_over(self.now()) {
            return Err(Error::usage(format!("'{id}' is no such post that is held")));
        }
        if row.terms.name == asked.name {
            return Err(Error::refused("nobody is his own deputy"));
        }
        Ok(())
    }

    /// Nobody else may hold the post at that time; a custodian's appointment that is there is followed by handing over.
    fn before(&self, asked: &Appointing) -> Result<Option<AppointmentId>> {
        if asked.deputy_for.is_some() {
            return Ok(None);
        }
        let now = self.now();
        let of_link = |row: &Appointment| match (&row.terms.link, &asked.link) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        };
        let others = self.engine.view.people.to(asked.post, false, None);
        let others = others.filter(|(_, row)| of_link(row));
        let mut follows = None;
        for (id, row) in others {
            let custody = asked.post == Post::Custodian && row.begins().is_some();
            if custody && row.terms.link == asked.link {
                follows = Some(id);
                continue;
            }
            let apart = row.ends().is_some_and(|end| end < asked.from)
                || asked.until.is_some_and(|until| until < row.terms.from);
            if !apart && !row.is_over(now) {
                let what = format!(
                    "'{}' holds the post of '{}' already, or waits for it ({id})",
                    row.terms.name, asked.post
                );
                return Err(Error::refused(what).hint(format!(
                    "'batchward appointment end {id}' first; a deputy is named with --deputy-for {id}"
                )));
            }
        }
        if let Some(id) = follows
            && self.appointment(id)?.terms.name == asked.name
            && !self.appointment(id)?.is_over(now)
        {
            return Err(Error::usage(format!("'{}' has this post already ({id})", asked.name)));
        }
        Ok(follows)
    }

    /// Posts that no one person may hold together under the policies of the link (NTP-6.3a), and handler and custodian where
    /// they are to be two (NT-3.1).
    fn exclusive(&self, asked: &Appointing, roles: &[Role]) -> Result<()> {
        let now = self.now();
        let all = self.engine.view.people.appointments.values();
        let own: Vec<&Appointment> =
            all.filter(|row| row.terms.name == asked.name && !row.is_over(now)).collect();
        let mut held = roles.to_vec();
        held.extend(own.iter().map(|row| row.terms.post.role()));
        held.push(asked.post.role());
        for policy in self.policies_over(asked.link.as_deref()) {
            let rule = policy.further.exclusive.as_ref();
            let both = |(one, two): &&(Role, Role)| held.contains(one) && held.contains(two);
            if let Some((rule, (one, two))) =
                rule.and_then(|rule| Some((rule, rule.value.iter().find(both)?)))
            {
                return Err(Error::refused(format!(
                    "one person cannot be '{}' and '{}' under the policy '{}' ({})",
                    one.word(),
                    two.word(),
                    policy.name,
                    rule.clause
                ))
                .hint("another person takes one of the posts"));
            }
            let two = [Post::Custodian, Post::Handler];
            let other = |row: &&&Appointment| {
                two.contains(&row.terms.post)
                    && row.terms.post != asked.post
                    && (row.terms.link.is_none()
                        || asked.link.is_none()
                        || row.terms.link == asked.link)
            };
            let apart = policy.further.people.same_person.as_ref().filter(|rule| !rule.value);
            if let Some(rule) = apart.filter(|_| two.contains(&asked.post))
                && own.iter().any(|row| other(&row))
            {
                return Err(Error::refused(format!(
                    "handler and custodian of a link are two persons ({})",
                    rule.clause
                )));
            }
        }
        Ok(())
    }

    /// A custodian proposes who follows him, and nobody else.
    fn own_successor(&self, actor: &Actor, succeeds: Option<AppointmentId>) -> Result<()> {
        let more = [Role::Admin, Role::Supervisor];
        if actor.facts.roles.iter().any(|role| more.contains(role)) {
            return Ok(());
        }
        let own = succeeds.map(|id| self.appointment(id)).transpose()?;
        if own.is_some_and(|row| row.terms.name == actor.name()) {
            return Ok(());
        }
        Err(Error::refused("a custodian proposes nobody but who takes his own custody over")
            .hint("an admin or a supervisor proposes the appointment"))
    }

    pub(super) fn appointment_confirm(
        &mut self,
        actor: &Actor,
        appointment: AppointmentId,
    ) -> Result<Reply> {
        let row = self.appointment(appointment)?;
        if row.confirmed.is_some() || row.ends().is_some_and(|end| end < self.now()) {
            return Err(Error::usage(format!("'{appointment}' waits for nobody")));
        }
        if row.by == actor.name() || row.terms.name == actor.name() {
            return Err(second_person("confirm this appointment"));
        }
        let AppointmentTerms { name, link, from, .. } = row.terms.clone();
        let follows = row.succeeds.is_some();
        if self.engine.view.account(&name).is_none() {
            return Err(Error::refused(format!("the account '{name}' has ended")));
        }
        let signed = actor.decision()?;
        let body = Body::AppointmentConfirmed(AppointmentConfirmed { appointment, signed });
        self.record(actor, body)?;
        let link = link.unwrap_or_else(|| "all".to_owned());
        if follows {
            let words = format!("batchward appointment hand-over --link {link} --to {name}");
            return Ok(Reply::new(&appointment, "in force once custody is handed over")
                .next(format!("'{name}' runs '{words}'")));
        }
        Ok(Reply::new(&appointment, format!("in force from {}", self.day(from.max(self.now())))))
    }

    /// A day for people.
    pub(super) fn day(&self, at: Timestamp) -> String {
        calendar::date(at.date_in(self.engine.rules.zone))
    }
}
