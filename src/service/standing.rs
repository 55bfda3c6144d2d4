//! Standing approvals (NT-4.4): proposed by a custodian, confirmed by a supervisor, ended by one of them at once.

use super::{Actor, Reply, Result, Service, administration::second_person, stated};
use crate::{
    domain::{
        calendar,
        entry::{Body, StandingConfirmed, StandingEnded, StandingProposed},
        ids::StandingId,
        policy::Approval,
        time::Timestamp,
        view::Standing,
    },
    error::Error,
};

impl Service {
    fn standing(&self, id: StandingId) -> Result<&Standing> {
        self.engine.view.standings.get(&id).ok_or_else(|| {
            Error::usage(format!("there is no standing approval '{id}'"))
                .hint("'batchward standing list' shows them")
        })
    }

    pub(super) fn standing_add(
        &mut self,
        actor: &Actor,
        policy: &str,
        link: Option<String>,
        doc_no: String,
        until: Timestamp,
    ) -> Result<Reply> {
        stated("the document number", &doc_no)?;
        let rules = self.engine.rules.policies.get(policy).ok_or_else(|| {
            Error::usage(format!("there is no policy '{policy}'"))
                .hint("'batchward policy list' shows the policies")
        })?;
        if rules.destroy.approval.value != Approval::Standing {
            let clause = &rules.destroy.approval.clause;
            return Err(Error::refused(format!(
                "the policy '{policy}' wants each order approved ({clause})"
            )));
        }
        if let Some(link) = &link
            && self.link(link)?.policy != policy
        {
            return Err(Error::usage(format!("'{link}' is not under the policy '{policy}'")));
        }
        if until <= self.now() {
            return Err(Error::usage("the date is past"));
        }
        let standing = self.engine.view.next_standing();
        let body = Body::StandingProposed(StandingProposed {
            standing,
            policy: policy.to_owned(),
            link,
            scope: "transfer-files".to_owned(),
            doc_no,
            until,
            signed: actor.signed.clone(),
        });
        self.record(actor, body)?;
        let end = calendar::end(until, self.engine.rules.zone);
        let message =
            format!("'{standing}' is for the transfer files under '{policy}', until {end}");
        Ok(Reply::new(&standing, message)
            .next(format!("a supervisor runs 'batchward standing confirm {standing}'")))
    }

    pub(super) fn standing_confirm(&mut self, actor: &Actor, id: StandingId) -> Result<Reply> {
        let standing = self.standing(id)?;
        if standing.by == actor.name() {
            return Err(second_person("confirm this standing approval"));
        }
        if standing.ended || standing.confirmed.is_some() {
            let is = if standing.ended { "ended" } else { "confirmed already" };
            return Err(Error::usage(format!("'{id}' is {is}"))
                .hint("'batchward standing list' shows them all"));
        }
        if standing.until <= self.now() {
            return Err(Error::refused(format!("'{id}' has ended by its date")));
        }
        let signed = actor.decision()?;
        self.record(actor, Body::StandingConfirmed(StandingConfirmed { standing: id, signed }))?;
        Ok(Reply::new(&id, format!("'{id}' stands: transfer files go as soon as they are loaded")))
    }

    pub(super) fn standing_end(&mut self, actor: &Actor, id: StandingId) -> Result<Reply> {
        if self.standing(id)?.ended {
            return Err(Error::usage(format!("'{id}' is ended already")));
        }
        let signed = actor.signed.clone();
        self.record(actor, Body::StandingEnded(StandingEnded { standing: id, signed }))?;
        Ok(Reply::new(&id, format!("'{id}' is ended: from now on each order needs its approval")))
    }
}
