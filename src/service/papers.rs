//! Closing papers: an order stays open, and becomes overdue, until they are entered and confirmed.

use super::{Actor, Reply, Result, Service, administration::second_person, not_permitted, stated};
use crate::{
    domain::{
        accounts::Act,
        entry::{Body, PaperFacts, PapersConfirmed, PapersRecorded},
        ids::OrderId,
        lifecycle::OrderState,
        on_paper::Subject,
        policy::PAPERS,
        view::Order,
    },
    engine::standing::missing_papers,
    error::Error,
};

impl Service {
    fn missing(&self, order: &Order) -> Vec<String> {
        missing_papers(&self.engine.view, &self.engine.rules, order)
    }

    pub(super) fn destroy_close(
        &mut self,
        actor: &Actor,
        id: OrderId,
        papers: Vec<PaperFacts>,
    ) -> Result<Reply> {
        let order = self.order(id)?;
        if order.state != OrderState::Certified {
            return Err(Error::usage(format!("'{id}' is {}", order.state))
                .hint("papers are entered once the certificate is issued"));
        }
        let missing = self.missing(&order);
        if missing.is_empty() {
            return Err(Error::usage(format!("no paper of '{id}' is missing")));
        }
        if papers.is_empty() {
            return Err(Error::usage(format!("missing: {}", missing.join(", "))));
        }
        for paper in &papers {
            if !PAPERS.contains(&paper.kind.as_str()) {
                return Err(Error::usage(format!("'{}' is no kind of paper", paper.kind)));
            }
            match (&paper.doc_no, paper.sha256) {
                (Some(doc_no), _) => stated("the document number", doc_no)?,
                (None, Some(_)) => {}
                (None, None) => return Err(Error::usage("a paper has neither number nor file")),
            }
            let zone = self.engine.rules.zone;
            if paper.date.date_in(zone) > self.now().date_in(zone) {
                return Err(Error::usage("a paper is dated in the future"));
            }
        }
        let signed = actor.signed.clone();
        self.record(actor, Body::PapersRecorded(PapersRecorded { order: id, papers, signed }))?;
        Ok(Reply::new(&id, format!("the papers of '{id}' are entered"))
            .next(format!("a supervisor runs 'batchward destroy confirm {id}'")))
    }

    pub(super) fn destroy_confirm(&mut self, actor: &Actor, id: OrderId) -> Result<Reply> {
        // An order has decisions on paper before it is carried out, closing papers after.
        if self.typed(Subject::Order(id)).is_some() {
            return self.decision_confirm(actor, Subject::Order(id));
        }
        if !Act::ConfirmPapers.allowed_to(&actor.facts.roles) {
            return Err(not_permitted(actor, "destroy confirm", Act::ConfirmPapers));
        }
        let order = self.order(id)?;
        let proposal = order
            .paper_proposal
            .as_ref()
            .ok_or_else(|| Error::usage(format!("no papers of '{id}' wait to be confirmed")))?;
        if proposal.by == actor.name() {
            return Err(second_person("confirm these papers"));
        }
        let proposal = proposal.mark.seq;
        let signed = actor.decision()?;
        let body = Body::PapersConfirmed(PapersConfirmed { order: id, proposal, signed });
        self.record(actor, body)?;
        let order = self.order(id)?;
        let missing = self.missing(&order);
        Ok(if missing.is_empty() {
            Reply::new(&id, format!("'{id}' is closed: its papers are complete"))
        } else {
            Reply::new(&id, format!("'{id}' stays open: missing {}", missing.join(", ")))
                .next(format!("a custodian runs 'batchward destroy close {id}'"))
        })
    }
}
