//! Findings: what has to be corrected by a day, what was done, who was told, and who agreed that it is over.

use super::{Actor, Noted, Reply, Result, Service};
use crate::{
    domain::{
        digest::Digest,
        entry::{Body, FindingAdded, FindingCorrected, FindingJudged, FindingTold},
        ids::FindingId,
        time::Timestamp,
        view::Finding,
    },
    error::Error,
    service::{administration::second_person, no_link, stated},
};

impl Service {
    fn open_finding(&self, id: FindingId) -> Result<&Finding> {
        let row = self.engine.view.samples.findings.get(&id).ok_or_else(|| {
            Error::usage(format!("there is no finding '{id}'"))
                .hint("'batchward audit finding list' shows the findings")
        })?;
        match &row.closed {
            None => Ok(row),
            Some(_) => Err(Error::usage(format!("'{id}' is closed"))),
        }
    }

    /// The offices that are told how a finding of this link ended, and the clause.
    pub(super) fn told_of(&self, link: &str) -> (Vec<String>, Option<String>) {
        let link = self.engine.rules.links.get(link);
        let policy = link.and_then(|link| self.engine.rules.policy_of(link));
        let route = policy.and_then(|policy| policy.further.incidents.route.as_ref());
        route.map_or((Vec::new(), None), |rule| (rule.value.clone(), Some(rule.clause.clone())))
    }

    pub(super) fn finding_add(
        &mut self,
        actor: &Actor,
        link: String,
        noted: &Noted,
        doc_no: String,
    ) -> Result<Reply> {
        stated("the document number", &doc_no)?;
        let known = self.engine.rules.links.get(&link).ok_or_else(|| no_link(&link))?;
        let policy = known.policy.clone();
        let within = &self.sampling_rule(&link, &policy)?.correct_within;
        let own = noted.correct_by.is_some();
        let clause = within.as_ref().filter(|_| !own).map(|rule| rule.clause.clone());
        let clause = clause.unwrap_or_else(|| doc_no.clone());
        let facts = self.finding_facts(link, &policy, noted, clause)?;
        let finding = facts.finding;
        let signed = actor.signed.clone();
        self.record(actor, Body::FindingAdded(FindingAdded { facts, doc_no, signed }))?;
        Ok(Reply::new(&finding, "it has to be corrected")
            .next(format!("'batchward audit finding correct {finding}'")))
    }

    pub(super) fn finding_correct(
        &mut self,
        actor: &Actor,
        finding: FindingId,
        (action, doc_no): (String, String),
        (evidence, on): (Vec<Digest>, Timestamp),
    ) -> Result<Reply> {
        let row = self.open_finding(finding)?;
        if row.corrected.is_some() {
            return Err(Error::usage(format!("'{finding}' is corrected, and waits for its end"))
                .hint(format!("a second person runs 'batchward audit finding close {finding}'")));
        }
        stated("what was done", &action)?;
        stated("the document number", &doc_no)?;
        if on < row.added.at.plus_seconds(-86_400) || on > self.now().plus_seconds(86_400) {
            return Err(Error::usage("the day lies before the finding or in the future"));
        }
        let lacking = self.lacking_letters(row);
        let signed = actor.signed.clone();
        let body = FindingCorrected { finding, action, doc_no, evidence, on, signed };
        self.record(actor, Body::FindingCorrected(body))?;
        let next = match lacking.first() {
            Some(office) => format!("'batchward audit finding told {finding} --office {office}'"),
            None => format!("a second person runs 'batchward audit finding close {finding}'"),
        };
        Ok(Reply::new(&finding, "what was done is recorded").next(next))
    }

    /// Offices that are to be told and were not.
    pub(super) fn lacking_letters(&self, row: &Finding) -> Vec<String> {
        let (offices, _) = self.told_of(&row.facts.link);
        offices.into_iter().filter(|office| !row.told.contains_key(office)).collect()
    }

    pub(super) fn finding_told(
        &mut self,
        actor: &Actor,
        finding: FindingId,
        office: String,
        (letter, on): (String, Timestamp),
    ) -> Result<Reply> {
        let row = self.open_finding(finding)?;
        // The letter tells how it ended: there is none before it was corrected.
        let Some(corrected) = row.corrected_on else {
            return Err(Error::usage(format!("nothing was done about '{finding}' yet"))
                .hint(format!("'batchward audit finding correct {finding}' comes first")));
        };
        stated("the number of the letter", &letter)?;
        let (offices, _) = self.told_of(&row.facts.link);
        if !offices.contains(&office) {
            return Err(Error::usage("the policy names no such office")
                .hint(format!("offices: {}", offices.join(", "))));
        }
        if on > self.now().plus_seconds(86_400) {
            return Err(Error::usage("the day of the letter lies in the future"));
        }
        let zone = self.engine.rules.zone;
        if on.date_in(zone) < corrected.date_in(zone) {
            return Err(Error::usage("the day of the letter lies before the correction"));
        }
        let signed = actor.signed.clone();
        self.record(actor, Body::FindingTold(FindingTold { finding, office, letter, on, signed }))?;
        Ok(Reply::new(&finding, "the letter is recorded"))
    }

    pub(super) fn finding_judge(
        &mut self,
        actor: &Actor,
        finding: FindingId,
        back: Option<String>,
    ) -> Result<Reply> {
        let row = self.open_finding(finding)?;
        let Some((by, ..)) = &row.corrected else {
            return Err(Error::usage(format!("nothing was done about '{finding}' yet"))
                .hint(format!("'batchward audit finding correct {finding}' comes first")));
        };
        if by == actor.name() {
            return Err(second_person("close this finding"));
        }
        let closed = back.is_none();
        back.as_deref().map_or(Ok(()), |reason| stated("the reason", reason))?;
        let lacking = self.lacking_letters(row);
        if closed && !lacking.is_empty() {
            let (_, clause) = self.told_of(&row.facts.link);
            return Err(Error::refused(format!(
                "these offices were not told how it ended: {} ({})",
                lacking.join(", "),
                clause.unwrap_or_default()
            ))
            .hint(format!(
                "'batchward audit finding told {finding} --office OFFICE --letter NO' for each"
            )));
        }
        let signed = actor.decision()?;
        let body = FindingJudged { finding, closed, reason: back, signed };
        self.record(actor, Body::FindingJudged(body))?;
        Ok(Reply::new(
            &finding,
            if closed { "it is closed" } else { "it has to be corrected again" },
        ))
    }
}
