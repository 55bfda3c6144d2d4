//! Grants: applied for by one person, decided by another.

use super::{
    Actor, Reply, Result, Service, administration::second_person, command::ForService, no_link,
    stated, verifying::without_key,
};
use crate::{
    domain::{
        accounts::Role,
        calendar,
        entry::{Body, GrantTerms, ServiceTerms},
        ids::GrantId,
        layout::Layout,
        lifecycle::{GRANT, GrantEvent, GrantState, next},
        limits,
        link::Link,
        time::Timestamp,
        view::{Grant, Row},
    },
    error::Error,
};

/// What is applied for.
pub(super) struct Application {
    pub(super) link: String,
    pub(super) until: Timestamp,
    pub(super) purpose: String,
    pub(super) basis: String,
    pub(super) fields: Vec<String>,
    pub(super) unit: Option<String>,
    pub(super) service: Option<ForService>,
}

impl Service {
    pub(super) fn grant(&self, grant: GrantId) -> Result<Row<'_, Grant>> {
        self.engine.view.grants.get(&grant).ok_or_else(|| {
            Error::usage(format!("there is no grant '{grant}'"))
                .hint("'batchward grant list' shows the grants")
        })
    }

    pub(super) fn link(&self, name: &str) -> Result<&Link> {
        self.engine.rules.links.get(name).ok_or_else(|| no_link(name))
    }

    pub(super) fn grant_apply(&mut self, actor: &Actor, asked: Application) -> Result<Reply> {
        stated("the purpose", &asked.purpose)?;
        stated("the basis", &asked.basis)?;
        let link = self.link(&asked.link)?.clone();
        let now = self.engine.ports.clock.now();
        if asked.until <= now {
            return Err(Error::usage("the end of the grant has passed"));
        }
        if asked.until > link.approved_until {
            return Err(Error::refused(format!(
                "the link's approved use ends {}",
                calendar::end(link.approved_until, self.engine.rules.zone)
            )));
        }
        let (holder, service) = match asked.service {
            Some(service) => self.for_service(service)?,
            None => (actor.name().to_owned(), None),
        };
        let unit = asked.unit.or_else(|| actor.facts.unit.clone());
        if let Some(unit) = unit.as_ref().filter(|unit| !link.units.contains(unit)) {
            return Err(Error::refused(format!("the unit '{unit}' is not among the link's units"))
                .hint(format!("the link's units: {}", link.units.join(", "))));
        }
        let fields = fields_of(&link, &asked.fields)?;
        if service.is_some() {
            let layout = self.engine.rules.layout_of(&link);
            let key = layout.and_then(Layout::key).ok_or_else(without_key)?;
            if fields.len() < 2 || !fields.contains(&key.name) {
                return Err(Error::usage(format!(
                    "a person is asked for by '{}' and at least one field more",
                    key.name
                )));
            }
        }
        let policy = self.engine.rules.policy_of(&link);
        let row_cap = policy.map_or(0, |policy| policy.grant.row_cap.value);
        let grant = self.engine.view.next_grant();
        let terms = GrantTerms {
            link: asked.link,
            holder,
            unit,
            fields,
            purpose: asked.purpose,
            basis: asked.basis,
            until: asked.until,
            row_cap,
            service,
        };
        self.record(actor, Body::GrantApplied { grant, terms, signed: actor.signed.clone() })?;
        let end = calendar::end(asked.until, self.engine.rules.zone);
        Ok(Reply::new(&grant, format!("waits for a second person; access would end {end}"))
            .next(format!("a supervisor runs 'batchward grant approve {grant}'")))
    }

    /// Whether the table lets this happen to a grant, and somebody else than its applicant asks.
    pub(super) fn decidable(
        &self,
        actor: &Actor,
        id: GrantId,
        on: GrantEvent,
        own: bool,
    ) -> Result<()> {
        let grant = self.grant(id)?;
        if !own && (grant.by == actor.name() || grant.terms.holder == actor.name()) {
            return Err(second_person("decide on this grant"));
        }
        if next(GRANT, grant.state, on).is_none() {
            return Err(
                Error::usage(format!("'{id}' is {}", grant.state)).hint(next_move(id, grant.state))
            );
        }
        Ok(())
    }

    /// Whether somebody may approve a grant now, by a signature or on paper.
    pub(super) fn grantable(&self, actor: &Actor, grant: GrantId) -> Result<()> {
        self.decidable(actor, grant, GrantEvent::Approved, false)?;
        if self.grant(grant)?.terms.until <= self.engine.ports.clock.now() {
            return Err(Error::refused("the end of the grant has passed"));
        }
        self.managed(&self.grant(grant)?.terms.link, true)
    }

    pub(super) fn grant_approve(&mut self, actor: &Actor, grant: GrantId) -> Result<Reply> {
        self.grantable(actor, grant)?;
        self.record(actor, Body::GrantApproved { grant, signed: actor.decision()? })?;
        self.grant_opened(grant)
    }

    /// Whom a service's grant is for: an account of that kind and no other.
    fn for_service(&self, asked: ForService) -> Result<(String, Option<ServiceTerms>)> {
        let ForService { name, rate, budget } = asked;
        let facts = self.engine.view.account(&name).ok_or_else(|| {
            Error::usage(format!("there is no active account '{name}'"))
                .hint("a service has an account too: 'batchward account add'")
        })?;
        if facts.roles != [Role::Service] {
            return Err(Error::usage(format!("'{name}' is not the account of a service"))
                .hint("people apply for themselves"));
        }
        if !(1..=limits::SERVICE_RATE_MAX).contains(&rate) || budget == 0 {
            return Err(Error::usage(format!(
                "a service asks from 1 to {} questions a minute, and has a budget of at least one",
                limits::SERVICE_RATE_MAX
            )));
        }
        Ok((name, Some(ServiceTerms { rate, budget })))
    }

    pub(super) fn grant_opened(&self, grant: GrantId) -> Result<Reply> {
        let row = self.grant(grant)?;
        let holder = &row.terms.holder;
        if row.terms.service.is_some() {
            return Ok(Reply::new(&grant, format!("'{grant}' is open")).next(format!(
                "'{holder}' asks at the socket for services, and '{}' runs 'batchward use complete {grant}' when the use is over",
                row.by
            )));
        }
        Ok(Reply::new(&grant, format!("'{grant}' is open")).next(format!(
            "'{holder}' runs 'batchward query --grant {grant} --case NO --reason TEXT', and 'batchward use complete {grant}' when the use is over"
        )))
    }

    pub(super) fn grant_deny(
        &mut self,
        actor: &Actor,
        grant: GrantId,
        reason: String,
    ) -> Result<Reply> {
        self.decidable(actor, grant, GrantEvent::Denied, false)?;
        stated("the reason", &reason)?;
        self.record(actor, Body::GrantDenied { grant, reason, signed: actor.decision()? })?;
        Ok(Reply::new(&grant, format!("'{grant}' is denied")))
    }

    pub(super) fn grant_revoke(&mut self, actor: &Actor, grant: GrantId) -> Result<Reply> {
        // Taking back tightens: the person who applied may do it too, if they have the office.
        self.decidable(actor, grant, GrantEvent::Revoked, true)?;
        self.record(actor, Body::GrantRevoked { grant, signed: actor.decision()? })?;
        Ok(Reply::new(&grant, format!("'{grant}' is revoked")))
    }

    pub(super) fn use_complete(&mut self, actor: &Actor, grant: GrantId) -> Result<Reply> {
        self.decidable(actor, grant, GrantEvent::Completed, true)?;
        let row = self.grant(grant)?;
        // Where who answered for a service has gone, another handler says that it is over.
        let gone = row.terms.service.is_some() && self.engine.view.account(&row.by).is_none();
        if row.answerable() != actor.name() && !gone {
            return Err(Error::refused(format!("'{grant}' is not yours to complete"))
                .hint("its holder completes it; 'batchward grant list' names the holders"));
        }
        self.record(actor, Body::UseCompleted { grant, signed: actor.decision()? })?;
        let reply = Reply::new(&grant, format!("the use under '{grant}' is completed"));
        Ok(reply.next(
            "a handler runs 'batchward use no-need BATCH' for each batch that need not be kept",
        ))
    }
}

/// The fields asked for, in the link's order; all of them where none is named.
pub(super) fn fields_of(link: &Link, asked: &[String]) -> Result<Vec<String>> {
    if let Some(other) = asked.iter().find(|field| !link.items.contains(field)) {
        return Err(Error::refused(format!("the field '{other}' is not among the link's items"))
            .hint(format!("the link's items: {}", link.items.join(", "))));
    }
    let wanted = |item: &&String| asked.is_empty() || asked.contains(item);
    Ok(link.items.iter().filter(wanted).cloned().collect())
}

/// Whether a grant is open for somebody at a time.
pub(super) fn is_open(grant: &Grant, holder: &str, now: Timestamp) -> bool {
    grant.state == GrantState::Open && grant.terms.holder == holder && now <= grant.terms.until
}

/// What can be done with a grant in a state.
fn next_move(id: GrantId, state: GrantState) -> String {
    match state {
        GrantState::Applied => format!(
            "a supervisor runs 'batchward grant approve {id}' or 'batchward grant deny {id} --reason TEXT'"
        ),
        GrantState::Open | GrantState::Revoked | GrantState::Expired => {
            format!("when the use is over, its holder runs 'batchward use complete {id}'")
        }
        GrantState::Denied | GrantState::Completed => {
            "apply for a new grant: 'batchward grant apply'".to_owned()
        }
    }
}
