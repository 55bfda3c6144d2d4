//! What time does to people's rights: they end after the last day of a post, and those of accounts that nobody uses rest.

use super::{Engine, EngineError};
use crate::domain::{
    accounts::Role,
    entry::{AGENT, AccountSuspended, Body, RightsEnded, TermEnded},
    ids::AppointmentId,
    people::IdleAct,
    time::{Period, Timestamp},
    view::Appointment,
};

impl Engine {
    /// Ends rights whose last day is over, before anybody uses them once more.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn rights_due(&mut self) -> Result<bool, EngineError> {
        if self.view.time_doubted {
            return Ok(false);
        }
        self.end_rights(self.ports.clock.now())
    }

    /// Records the rights that have ended. The last admin's never end by themselves: nobody could give any again. That they
    /// stand is an alarm.
    pub(super) fn end_rights(&mut self, now: Timestamp) -> Result<bool, EngineError> {
        let over = self.view.people.changes.iter().filter(|(_, row)| row.carried.is_none());
        let mut over: Vec<(u64, Timestamp)> =
            over.filter(|(_, row)| row.on < now).map(|(id, row)| (*id, row.on)).collect();
        over.sort_by_key(|(_, on)| *on);
        let mut any = false;
        for (change, _) in over {
            if let Some(body) = self.rights_ended(change, now) {
                self.record(AGENT, body)?;
                any = true;
            }
        }
        any |= self.end_terms(now)?;
        any |= self.rest_idle(now)?;
        Ok(any)
    }

    fn rights_ended(&self, change: u64, now: Timestamp) -> Option<Body> {
        let row = self.view.people.changes.get(&change)?;
        let account = self.view.accounts.get(&row.name)?;
        let roles = account.facts.as_ref().map(|facts| facts.roles.clone()).unwrap_or_default();
        let left = match (row.reason.fault(), row.appointment) {
            (None, Some(id)) => self.view.people.left(&roles, id, now),
            _ => Vec::new(),
        };
        let was = account.active().is_some_and(|facts| facts.roles.contains(&Role::Admin));
        if was && !left.contains(&Role::Admin) && self.view.admins() < 2 {
            return None;
        }
        Some(Body::RightsEnded(RightsEnded { name: row.name.clone(), change, left }))
    }

    /// Takes the role of a post whose appointment was given until a day that is over, unless another appointment needs it. A
    /// deputy's was never in the account. The last admin's stays, as with every end.
    fn end_terms(&mut self, now: Timestamp) -> Result<bool, EngineError> {
        let over = |row: &&Appointment| {
            let given = row.terms.until.is_some_and(|until| until < now);
            given && row.terms.deputy_for.is_none() && row.begins().is_some() && row.ended.is_none()
        };
        let all = self.view.people.appointments.iter().filter(|(_, row)| over(row));
        let all: Vec<AppointmentId> = all.map(|(id, _)| *id).collect();
        let mut any = false;
        for appointment in all {
            if let Some(body) = self.term_ended(appointment, now) {
                self.record(AGENT, body)?;
                any = true;
            }
        }
        Ok(any)
    }

    fn term_ended(&self, appointment: AppointmentId, now: Timestamp) -> Option<Body> {
        let terms = &self.view.people.appointments.get(&appointment)?.terms;
        let account = self.view.account(&terms.name)?;
        // What two people gave after that day is not what ended with it.
        let given = self.view.people.confirmed.get(&terms.name)?;
        let left = self.view.people.left(&account.roles, appointment, now);
        let admin = account.roles.contains(&Role::Admin) && !left.contains(&Role::Admin);
        if left == account.roles
            || terms.until.is_none_or(|until| *given > until)
            || (admin && self.view.admins() < 2)
        {
            return None;
        }
        Some(Body::TermEnded(TermEnded { name: terms.name.clone(), appointment, left }))
    }

    /// The shortest time after which a policy in force has idle accounts rest, and its clause.
    fn idle_rule(&self, now: Timestamp) -> Option<(Period, String)> {
        let rules = &self.rules;
        let policies = rules.links.values().filter_map(|link| rules.policy_of(link));
        let rests = policies.filter_map(|policy| {
            let people = &policy.further.people;
            let acts = people.idle_act.as_ref().is_some_and(|r| r.value == IdleAct::Suspend);
            people.idle.as_ref().filter(|_| acts)
        });
        let shortest = rests.min_by_key(|rule| rule.value.after(now, rules.zone));
        shortest.map(|rule| (rule.value, rule.clause.clone()))
    }

    /// Accounts that nobody used for longer than the policy says. Two admins stay in any case: it takes two people to take an
    /// account up again.
    fn rest_idle(&mut self, now: Timestamp) -> Result<bool, EngineError> {
        let Some((period, clause)) = self.idle_rule(now) else { return Ok(false) };
        let zone = self.rules.zone;
        let mut admins = self.view.admins();
        let mut bodies = Vec::new();
        for (name, account) in &self.view.accounts {
            let Some(facts) = account.active() else { continue };
            let ledger = self.view.people.ledger.get(name);
            let since = ledger.and_then(|row| row.seen.into_iter().chain(row.effective).max());
            let Some(since) = since.filter(|since| period.after(*since, zone) < now) else {
                continue;
            };
            if facts.roles.contains(&Role::Admin) {
                if admins <= 2 {
                    continue;
                }
                admins -= 1;
            }
            let (name, clause) = (name.clone(), clause.clone());
            bodies.push(Body::AccountSuspended(AccountSuspended { name, since, clause }));
        }
        self.record_all(AGENT, bodies)
    }

    /// When the next rights end.
    pub(super) fn next_leaving(&self) -> impl Iterator<Item = Timestamp> {
        let people = &self.view.people;
        let open = people.changes.values().filter(|row| row.carried.is_none());
        let terms = people.appointments.values().filter(|row| row.ended.is_none());
        let terms = terms.filter_map(|row| row.terms.until);
        // What is over and stays, such as the last admin's, is not waited for again.
        let terms = terms.filter(|until| self.view.last_at.is_none_or(|last| last <= *until));
        open.map(|row| row.on).chain(terms).map(|end| end.plus_seconds(1))
    }
}
