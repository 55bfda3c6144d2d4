//! Incidents: said at once by whoever sees one, looked into by two, told to the offices of the policy in time, remedied, and
//! closed by a second person (NTP-9.2, TPE-10.2, 15, TY-5.2, NT-5.2, TPH-5.10b). How many records, never whose.

mod act;

use std::collections::BTreeMap;

pub use act::IncidentAct;

use serde::{Deserialize, Serialize};

use super::{
    Actor, Reply, Result, Service, administration::second_person, no_batch, no_link, stated,
};
use crate::{
    domain::{
        accounts::Act,
        calendar,
        entry::{
            Body, IncidentClosed, IncidentFacts, IncidentInvestigated, IncidentRemedied,
            IncidentReported, IncidentTold, InvestigationConfirmed,
        },
        ids::IncidentId,
        incidents::IncidentState,
        policy::incidents::IncidentRule,
        sampling::Office,
        time::Timestamp,
        view::{Incident, View},
    },
    engine::rules::Rules,
    error::Error,
};

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IncidentLine {
    /// Id.
    pub id: IncidentId,
    /// State.
    pub state: IncidentState,
    /// What is known.
    pub facts: IncidentFacts,
    /// Who reported it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// By when the offices have to be told, where the policy sets that for what is known.
    pub report_by: Option<Timestamp>,
    /// Who looked into it.
    pub investigated_by: Vec<String>,
    /// Number of the record of that.
    pub record: Option<String>,
    /// The account whose word it waits for.
    pub waits_for: Option<String>,
    /// Letters, by the office that got each.
    pub told: BTreeMap<String, String>,
    /// Offices that are still to be told.
    pub to_be_told: Vec<String>,
    /// What was done about it.
    pub remedy: Option<String>,
    /// What is done against its coming again.
    pub prevention: Option<String>,
    /// Who closed it.
    pub closed_by: Option<String>,
}

/// What the policy of a link says of incidents.
pub(super) fn rule_of<'a>(rules: &'a Rules, link: &str) -> Option<&'a IncidentRule> {
    let link = rules.links.get(link)?;
    Some(&rules.policy_of(link)?.further.incidents)
}

/// By when the offices have to be told, where what is known has to be reported within a time.
pub(super) fn report_by(view: &View, rules: &Rules, row: &Incident) -> Option<(Timestamp, String)> {
    let rule = rule_of(rules, &row.facts.link)?;
    let within = rule.report_within.as_ref()?;
    let exempt = rule.encrypted_exempt.as_ref().is_some_and(|rule| rule.value);
    if exempt && row.facts.encrypted {
        return None;
    }
    let over = rule.records_over.as_ref().is_none_or(|rule| {
        // What is not known may be more.
        row.facts.records.is_none_or(|records| records > rule.value)
    });
    let holds = || {
        let held: u64 = view
            .currents_of(&row.facts.link)
            .filter_map(|(_, batch)| batch.counts.parsed)
            .fold(0, u64::saturating_add);
        rule.system_records.as_ref().is_some_and(|rule| held >= rule.value)
    };
    let by = within.value.after(row.facts.known, rules.zone);
    (over || holds()).then(|| (by, within.clause.clone()))
}

/// Offices that are to be told of an incident and were not.
pub(super) fn to_be_told(rules: &Rules, row: &Incident) -> Vec<String> {
    let route = rule_of(rules, &row.facts.link).and_then(|rule| rule.route.as_ref());
    let offices = route.map(|rule| rule.value.clone()).unwrap_or_default();
    offices.into_iter().filter(|office| !row.told.contains_key(office)).collect()
}

impl Service {
    /// `incident list`.
    pub(super) fn incident_lines(&self) -> Vec<IncidentLine> {
        let (view, rules) = (&self.engine.view, &self.engine.rules);
        let line = |(id, row): (&IncidentId, &Incident)| {
            let looked = row.investigation.as_ref();
            let agreed = looked.filter(|one| one.confirmed.is_some());
            let waits = looked.filter(|one| one.confirmed.is_none());
            IncidentLine {
                id: *id,
                state: row.state(),
                facts: row.facts.clone(),
                by: row.by.clone(),
                at: row.reported.at,
                report_by: report_by(view, rules, row).map(|(by, _)| by),
                investigated_by: agreed
                    .map(|one| vec![one.by.clone(), one.with.clone()])
                    .unwrap_or_default(),
                record: looked.map(|one| one.doc_no.clone()),
                waits_for: waits.map(|one| one.with.clone()),
                told: row.told.iter().map(|(o, (letter, _))| (o.clone(), letter.clone())).collect(),
                to_be_told: if row.closed.is_some() { Vec::new() } else { to_be_told(rules, row) },
                remedy: row.remedied.as_ref().map(|(_, _, remedy, ..)| remedy.clone()),
                prevention: row.remedied.as_ref().map(|(_, _, _, what, _)| what.clone()),
                closed_by: row.closed.as_ref().map(|(by, _)| by.clone()),
            }
        };
        view.incidents.iter().map(line).collect()
    }

    pub(super) fn incident(&mut self, actor: &Actor, act: IncidentAct) -> Result<Reply> {
        match act {
            IncidentAct::Report { facts } => self.incident_report(actor, facts),
            IncidentAct::Investigate { incident, doc_no, records, with } => {
                self.incident_investigate(actor, incident, (doc_no, records), with)
            }
            IncidentAct::Confirm { incident } => self.investigation_confirm(actor, incident),
            IncidentAct::Tell { incident, office, letter, on } => {
                self.incident_told(actor, incident, office, (letter, on))
            }
            IncidentAct::Remedy { incident, remedy, prevention, doc_no } => {
                self.incident_remedy(actor, incident, (remedy, prevention), doc_no)
            }
            IncidentAct::Close { incident } => self.incident_close(actor, incident),
        }
    }

    fn open_incident(&self, id: IncidentId) -> Result<&Incident> {
        let row = self.engine.view.incidents.get(&id).ok_or_else(|| {
            Error::usage(format!("there is no incident '{id}'"))
                .hint("'batchward incident list' shows the incidents")
        })?;
        match &row.closed {
            None => Ok(row),
            Some(_) => Err(Error::usage(format!("'{id}' is closed"))),
        }
    }

    fn incident_report(&mut self, actor: &Actor, facts: IncidentFacts) -> Result<Reply> {
        stated("the summary", &facts.summary)?;
        if facts.known > self.now() {
            return Err(Error::usage("an incident becomes known before it is reported"));
        }
        if !self.engine.rules.links.contains_key(&facts.link) {
            return Err(no_link(&facts.link));
        }
        if let Some(batch) = facts.batch {
            let row = self.engine.view.batches.get(&batch);
            if row.is_none_or(|row| *row.link != *facts.link) {
                return Err(no_batch(&batch.to_string()));
            }
        }
        let incident = self.engine.view.next_incident();
        let signed = actor.signed.clone();
        let body = IncidentReported { incident, facts, signed };
        self.record(actor, Body::IncidentReported(body))?;
        let row = self.open_incident(incident)?;
        let message = match report_by(&self.engine.view, &self.engine.rules, row) {
            Some((by, clause)) => {
                let by = calendar::time(by, self.engine.rules.zone);
                format!("the offices have to be told by {by} ({clause})")
            }
            None => "it is recorded".to_owned(),
        };
        Ok(Reply::new(&incident, message)
            .next(format!("'batchward incident investigate {incident} --with ACCOUNT'")))
    }

    fn incident_investigate(
        &mut self,
        actor: &Actor,
        incident: IncidentId,
        (doc_no, records): (String, Option<u64>),
        with: String,
    ) -> Result<Reply> {
        let row = self.open_incident(incident)?;
        if row.investigation.as_ref().is_some_and(|made| made.confirmed.is_some()) {
            return Err(Error::usage(format!("'{incident}' was looked into already")));
        }
        stated("the number of the record", &doc_no)?;
        if with == actor.name() {
            return Err(second_person("look into an incident"));
        }
        let other = self.engine.view.account(&with);
        let other = other.filter(|facts| Act::Judge.allowed_to(&facts.roles)).ok_or_else(|| {
            Error::usage(format!("'{with}' is no active account of a supervisor or an auditor"))
                .hint("'batchward account list' shows the accounts")
        })?;
        let link = self.engine.rules.links.get(&row.facts.link);
        let policy = link.and_then(|link| self.engine.rules.policy_of(link));
        let joint = policy.and_then(|policy| policy.further.sampling.joint.as_ref());
        let units = [actor.facts.unit.as_deref(), other.unit.as_deref()];
        let offices: Vec<Office> =
            units.into_iter().flatten().filter_map(Office::of_unit).collect();
        if let Some(rule) = joint
            && let Some(lacking) =
                rule.value.iter().find(|want| !offices.iter().any(|one| want.is_met_by(*one)))
        {
            return Err(Error::refused(format!(
                "neither '{}' nor '{with}' is of the office '{lacking}' ({})",
                actor.name(),
                rule.clause
            ))
            .hint("the unit of an account says which office it is of"));
        }
        let (signed, other) = (actor.signed.clone(), with.clone());
        let body = IncidentInvestigated { incident, doc_no, records, with, signed };
        self.record(actor, Body::IncidentInvestigated(body))?;
        Ok(Reply::new(&incident, "the investigation is recorded")
            .next(format!("'{other}' runs 'batchward incident confirm {incident}'")))
    }

    fn investigation_confirm(&mut self, actor: &Actor, incident: IncidentId) -> Result<Reply> {
        let row = self.open_incident(incident)?;
        let made = row.investigation.as_ref().filter(|made| made.confirmed.is_none());
        let made = made.ok_or_else(|| {
            Error::usage(format!("no investigation of '{incident}' waits for anybody"))
        })?;
        if made.with != actor.name() {
            return Err(Error::refused(format!("this investigation waits for '{}'", made.with)));
        }
        let (investigation, signed) = (made.mark.seq, actor.decision()?);
        let body = InvestigationConfirmed { incident, investigation, signed };
        self.record(actor, Body::InvestigationConfirmed(body))?;
        Ok(Reply::new(&incident, "the investigation counts")
            .next(format!("'batchward incident remedy {incident}'")))
    }

    fn incident_told(
        &mut self,
        actor: &Actor,
        incident: IncidentId,
        office: String,
        (letter, on): (String, Timestamp),
    ) -> Result<Reply> {
        let row = self.open_incident(incident)?;
        stated("the number of the letter", &letter)?;
        let route = rule_of(&self.engine.rules, &row.facts.link).and_then(|r| r.route.as_ref());
        let offices = route.map(|rule| rule.value.clone()).unwrap_or_default();
        if !offices.contains(&office) {
            return Err(Error::usage("the policy names no such office")
                .hint(format!("offices: {}", offices.join(", "))));
        }
        if on < row.facts.known || on > self.now() {
            return Err(Error::usage("the letter lies before the incident or in the future"));
        }
        let signed = actor.signed.clone();
        let body = IncidentTold { incident, office, letter, on, signed };
        self.record(actor, Body::IncidentTold(body))?;
        Ok(Reply::new(&incident, "the letter is recorded"))
    }

    fn incident_remedy(
        &mut self,
        actor: &Actor,
        incident: IncidentId,
        (remedy, prevention): (String, String),
        doc_no: String,
    ) -> Result<Reply> {
        let row = self.open_incident(incident)?;
        if row.investigation.as_ref().is_none_or(|made| made.confirmed.is_none()) {
            return Err(Error::usage(format!("'{incident}' was not looked into yet"))
                .hint(format!("'batchward incident investigate {incident} --with ACCOUNT'")));
        }
        stated("the remedy", &remedy)?;
        stated("what is done against its coming again", &prevention)?;
        stated("the document number", &doc_no)?;
        let signed = actor.signed.clone();
        let body = IncidentRemedied { incident, remedy, prevention, doc_no, signed };
        self.record(actor, Body::IncidentRemedied(body))?;
        Ok(Reply::new(&incident, "the remedy is recorded")
            .next(format!("a second person runs 'batchward incident close {incident}'")))
    }

    fn incident_close(&mut self, actor: &Actor, incident: IncidentId) -> Result<Reply> {
        let row = self.open_incident(incident)?;
        let Some((by, ..)) = &row.remedied else {
            return Err(Error::usage(format!("'{incident}' is not remedied yet"))
                .hint(format!("'batchward incident remedy {incident}' comes first")));
        };
        if by == actor.name() {
            return Err(second_person("close this incident"));
        }
        let lacking = to_be_told(&self.engine.rules, row);
        if !lacking.is_empty() {
            let offices = lacking.join(", ");
            return Err(Error::refused(format!("these offices were not told of it: {offices}"))
                .hint(format!(
                    "'batchward incident notify {incident} --office OFFICE --letter NO' for each"
                )));
        }
        let signed = actor.decision()?;
        self.record(actor, Body::IncidentClosed(IncidentClosed { incident, signed }))?;
        Ok(Reply::new(&incident, "it is closed"))
    }
}
