//! Folding amendments: what an entry says is what it was last amended to, once a second person has confirmed that.

use serde::{Deserialize, Serialize};

use super::{FoldError, Mark, Training, View};
use crate::domain::{
    accounts::Act,
    amending::AmendField,
    entry::{Body, Entry, FactAmended},
    lifecycle::GrantState,
    time::Timestamp,
};

/// An amendment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Amendment {
    /// What it amends.
    pub what: FactAmended,
    /// Who proposed it.
    pub by: String,
    /// The entry that does.
    pub mark: Mark,
    /// Who confirmed it, and when.
    pub confirmed: Option<(String, Timestamp)>,
}

/// A note about an entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Noted {
    /// The entry.
    pub entry: u64,
    /// The note.
    pub text: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl View {
    /// An entry that amends or notes something; `false` where it is none.
    pub(super) fn amend(&mut self, mark: Mark, entry: &Entry) -> Result<bool, FoldError> {
        let by = entry.by.clone();
        match &entry.body {
            Body::FactAmended(what) => {
                // Only what is there already can be amended.
                if what.entry >= mark.seq {
                    return Err(FoldError::Unknown(mark.seq));
                }
                let amendment = Amendment { what: what.clone(), by, mark, confirmed: None };
                self.amendments.insert(mark.seq, amendment);
            }
            Body::AmendmentConfirmed(confirmed) => {
                let row = self.amendments.get(&confirmed.amendment);
                let decided = row.and_then(|row| self.decided_on(&row.what));
                let asked = decided.and_then(|(_, asked)| asked);
                let row = self.amendments.get_mut(&confirmed.amendment);
                let row = row.ok_or(FoldError::Unknown(mark.seq))?;
                // The fold itself refuses who confirms what is his own, or twice.
                let asked = asked.is_some_and(|(asked, _)| asked == by);
                if row.by == by || asked || row.confirmed.is_some() {
                    return Err(FoldError::Transition(mark.seq));
                }
                row.confirmed = Some((by, mark.at));
                let what = row.what.clone();
                self.amended(&what);
            }
            Body::NoteAdded(noted) => {
                if noted.entry >= mark.seq {
                    return Err(FoldError::Unknown(mark.seq));
                }
                let (entry, text) = (noted.entry, noted.text.clone());
                self.entry_notes.push(Noted { entry, text, by, at: mark.at });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What stands in a row is what counts now. Whatever keeps no such fact has its entries alone.
    fn amended(&mut self, what: &FactAmended) {
        let (object, to) = (what.object.as_str(), what.to.clone());
        match (what.kind.as_str(), what.field) {
            ("grant-applied", field) => {
                let row = object.parse().ok().and_then(|id| self.grants.get_mut(&id));
                let Some(row) = row else { return };
                match field {
                    AmendField::Purpose => row.terms.purpose = to,
                    AmendField::Basis => row.terms.basis = to,
                    _ => {}
                }
            }
            ("copy-requested" | "copy-approved", field) => {
                let row = object.parse().ok().and_then(|id| self.copies.get_mut(&id));
                let Some(held) = row.and_then(|row| row.held.as_deref_mut()) else { return };
                match (field, &mut held.approved) {
                    (AmendField::Reason, _) => held.reason = Some(to),
                    (AmendField::DocNo, Some(approved)) => approved.0 = to,
                    _ => {}
                }
            }
            ("hold-placed", field) => {
                let row = object.parse().ok().and_then(|id| self.holds.get_mut(&id));
                let Some(row) = row else { return };
                match field {
                    AmendField::Authority => row.authority = to,
                    AmendField::DocNo => row.doc_no = to,
                    _ => {}
                }
            }
            ("paper-kept", AmendField::DocNo) => {
                let row = object.parse().ok().and_then(|id| self.papers.get_mut(&id));
                if let Some(row) = row {
                    row.what.doc_no = to;
                }
            }
            ("papers-recorded", field) => {
                let row = object.parse().ok().and_then(|id| self.orders.get_mut(&id));
                let Some(row) = row else { return };
                let typed = row.paper_proposal.iter_mut().flat_map(|typed| &mut typed.what);
                let papers = row.papers.iter_mut().chain(typed);
                let same = papers.filter(|paper| paper.kind == field.word());
                let mut same = same.filter(|paper| paper.doc_no.as_ref() == Some(&what.from));
                if let Some(paper) = same.next() {
                    paper.doc_no = Some(to);
                }
            }
            ("batch-sealed" | "batch-compared" | "notice-given", _) => self.amended_intake(what),
            ("intent", AmendField::Channel) => {
                let row = object.parse().ok().and_then(|id| self.keys.get_mut(&id));
                if let Some(row) = row {
                    row.channel = to.as_str().into();
                }
            }
            _ => self.amended_papers(what),
        }
    }

    /// What was typed between the arrival of a batch and its use.
    fn amended_intake(&mut self, what: &FactAmended) {
        let (object, to) = (what.object.as_str(), what.to.clone());
        if let Some(row) = object.parse().ok().and_then(|id| self.intake.get_mut(&id)) {
            let seal = row.seals.iter_mut().find(|seal| seal.mark.seq == what.entry);
            match (what.field, seal, &mut row.compared) {
                (AmendField::DocNo, Some(seal), _) => seal.doc_no = Some(to),
                (AmendField::Note, _, Some(made)) if made.mark.seq == what.entry => {
                    made.note = Some(to);
                }
                _ => {}
            }
        } else if let Some(row) = object.parse().ok().and_then(|id| self.notices.rows.get_mut(&id))
            && let Some(given) = row.notices.iter_mut().find(|one| one.mark.seq == what.entry)
        {
            given.facts.doc_no = Some(to);
        }
    }

    /// Numbers of documents about people, hand-overs, incidents and reports.
    fn amended_papers(&mut self, what: &FactAmended) {
        let (object, to) = (what.object.as_str(), what.to.clone());
        match (what.kind.as_str(), what.field) {
            ("appointment-proposed", AmendField::DocNo) => {
                let row = object.parse().ok().and_then(|id| self.people.appointments.get_mut(&id));
                if let Some(row) = row {
                    row.terms.doc_no = to;
                }
            }
            ("training-recorded", field) => {
                let of = |one: &&mut Training| one.name == object && one.entry == what.entry;
                match (self.people.training.iter_mut().find(of), field) {
                    (Some(row), AmendField::DocNo) => row.doc_no = to,
                    (Some(row), AmendField::Subject) => row.subject = to,
                    _ => {}
                }
            }
            ("handover-received", AmendField::DocNo) => {
                let row = object.parse().ok().and_then(|id| self.handovers.get_mut(&id));
                if let Some((doc_no, _)) = row.and_then(|row| row.received.as_mut()) {
                    *doc_no = to;
                }
            }
            ("incident-remedied", AmendField::DocNo) => {
                let row = object.parse().ok().and_then(|id| self.incidents.get_mut(&id));
                if let Some((.., doc_no)) = row.and_then(|row| row.remedied.as_mut()) {
                    *doc_no = to;
                }
            }
            ("report-signed", AmendField::DocNo) => {
                let row = object.parse().ok().and_then(|id| self.audits.reports.get_mut(&id));
                if let Some((.., doc_no)) = row.and_then(|row| row.signed.as_mut()) {
                    *doc_no = to;
                }
            }
            _ => {}
        }
    }

    /// The decision that an amendment would change: the act that it was, and who had asked for it, in which entry. Nothing
    /// where nobody has decided on it yet: what is amended before is decided on as it stands then.
    #[must_use]
    pub fn decided_on(&self, what: &FactAmended) -> Option<(Act, Option<(String, Mark)>)> {
        let object = what.object.as_str();
        match what.kind.as_str() {
            "grant-applied" => {
                let row = self.grants.get(&object.parse().ok()?)?;
                let asked = (row.by.clone(), row.applied);
                (row.state != GrantState::Applied).then_some((Act::DecideUse, Some(asked)))
            }
            "copy-requested" | "copy-approved" => {
                let row = self.copies.get(&object.parse().ok()?)?;
                let held = row.held.as_deref()?;
                let asked = (held.by.clone(), held.mark);
                held.approved.is_some().then_some((Act::DecideCopy, Some(asked)))
            }
            // Nobody asks for a hold: who places it decides.
            "hold-placed" => Some((Act::Hold, None)),
            // So it is of a seal; whose turn it was, the seal says.
            "batch-sealed" => Some((Act::Provide, None)),
            "appointment-proposed" => {
                let row = self.people.appointments.get(&object.parse().ok()?)?;
                row.confirmed.as_ref()?;
                Some((Act::ConfirmAdministration, Some((row.by.clone(), row.proposed))))
            }
            "report-signed" => {
                let row = self.audits.reports.get(&object.parse().ok()?)?;
                Some((Act::SignReport, Some((row.by.clone(), row.made))))
            }
            "incident-remedied" => {
                let row = self.incidents.get(&object.parse().ok()?)?;
                row.closed.as_ref()?;
                Some((Act::Judge, row.remedied.as_ref().map(|(by, mark, ..)| (by.clone(), *mark))))
            }
            _ => None,
        }
    }

    /// The amendments of an entry that count, the oldest first.
    pub fn amendments_of(&self, entry: u64) -> impl Iterator<Item = &Amendment> {
        self.amendments
            .values()
            .filter(move |one| one.what.entry == entry && one.confirmed.is_some())
    }

    /// Digest of what is decided on: that of the entry that asks for it, or of its last amendment, which points to it.
    #[must_use]
    pub fn as_amended(&self, mark: Mark) -> crate::domain::digest::Digest {
        self.amendments_of(mark.seq).last().map_or(mark.digest, |one| one.mark.digest)
    }
}
