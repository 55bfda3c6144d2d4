//! Folding incidents: from the first word of one to its end, which two people agree to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FoldError, Mark, View};
use crate::domain::{
    entry::{Body, Entry, IncidentFacts},
    ids::IncidentId,
    incidents::IncidentState,
    time::Timestamp,
};

/// An incident.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// What is known; how many records, as far as it is known now.
    pub facts: IncidentFacts,
    /// Who reported it.
    pub by: String,
    /// The entry.
    pub reported: Mark,
    /// Who looked into it.
    pub investigation: Option<Investigation>,
    /// Letters, by the office that got each.
    pub told: BTreeMap<String, (String, Timestamp)>,
    /// Who remedied it, the entry, what was done, what is done against its coming again, and the document.
    pub remedied: Option<(String, Mark, String, String, String)>,
    /// Who closed it, and when.
    pub closed: Option<(String, Timestamp)>,
}

/// Who looked into an incident.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Investigation {
    /// Who.
    pub by: String,
    /// With whom.
    pub with: String,
    /// The entry.
    pub mark: Mark,
    /// Number of its record.
    pub doc_no: String,
    /// Records that it concerns.
    pub records: Option<u64>,
    /// When the other one agreed.
    pub confirmed: Option<Timestamp>,
}

impl Incident {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> IncidentState {
        let looked_into = self.investigation.as_ref().is_some_and(|one| one.confirmed.is_some());
        match (&self.closed, &self.remedied) {
            (Some(_), _) => IncidentState::Closed,
            (None, Some(_)) => IncidentState::Remedied,
            (None, None) if looked_into => IncidentState::Investigated,
            (None, None) => IncidentState::Reported,
        }
    }
}

impl View {
    /// The number that the next incident gets.
    #[must_use]
    pub fn next_incident(&self) -> IncidentId {
        IncidentId::new(self.incidents.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    pub(super) fn happened(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        let by = entry.by.clone();
        let id = match &entry.body {
            Body::IncidentReported(reported) => {
                let row = Incident {
                    facts: reported.facts.clone(),
                    by,
                    reported: mark,
                    investigation: None,
                    told: BTreeMap::new(),
                    remedied: None,
                    closed: None,
                };
                return match self.incidents.insert(reported.incident, row) {
                    None => Ok(()),
                    Some(_) => Err(FoldError::Transition(mark.seq)),
                };
            }
            Body::IncidentInvestigated(made) => made.incident,
            Body::InvestigationConfirmed(confirmed) => confirmed.incident,
            Body::IncidentTold(told) => told.incident,
            Body::IncidentRemedied(remedied) => remedied.incident,
            Body::IncidentClosed(closed) => closed.incident,
            _ => return Err(FoldError::Transition(mark.seq)),
        };
        let row = self.incidents.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
        if row.closed.is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        row.goes_on(mark, by, &entry.body)
    }
}

impl Incident {
    fn goes_on(&mut self, mark: Mark, by: String, body: &Body) -> Result<(), FoldError> {
        match body {
            Body::IncidentInvestigated(made) => {
                self.investigation = Some(Investigation {
                    by,
                    with: made.with.clone(),
                    mark,
                    doc_no: made.doc_no.clone(),
                    records: made.records,
                    confirmed: None,
                });
            }
            Body::InvestigationConfirmed(confirmed) => {
                let made = self.investigation.as_mut();
                let made = made.filter(|made| made.mark.seq == confirmed.investigation);
                let made = made.ok_or(FoldError::Unknown(mark.seq))?;
                // The fold itself refuses who agrees with himself, or was not asked.
                if made.with != by || made.confirmed.is_some() {
                    return Err(FoldError::Transition(mark.seq));
                }
                made.confirmed = Some(mark.at);
                self.facts.records = made.records.or(self.facts.records);
            }
            Body::IncidentTold(told) => {
                self.told.insert(told.office.clone(), (told.letter.clone(), told.on));
            }
            Body::IncidentRemedied(made) => {
                let (remedy, prevention) = (made.remedy.clone(), made.prevention.clone());
                self.remedied = Some((by, mark, remedy, prevention, made.doc_no.clone()));
            }
            Body::IncidentClosed(_) => {
                if self.remedied.as_ref().is_none_or(|(remedied, ..)| *remedied == by) {
                    return Err(FoldError::Transition(mark.seq));
                }
                self.closed = Some((by, mark.at));
            }
            _ => return Err(FoldError::Transition(mark.seq)),
        }
        Ok(())
    }
}
