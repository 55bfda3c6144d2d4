//! Folding what is handed on: from the request to the word of two people that the recipient's copy is gone.

use serde::{Deserialize, Serialize};

use super::{CopyKind, FoldError, Held, Mark, Trouble, View};
use crate::domain::{
    digest::Digest,
    entry::{
        Body, Custody, Entry, HandoverRequested, HandoverReturned, HandoverTerms, HeldFacts,
        MediaCarried, PackageFacts, PackagePart,
    },
    ids::{BatchId, CopyId, DeliveryId, HandoverId},
    inventory::{HeldKind, Medium},
    lifecycle::{self, CopyEvent, CopyState, HandoverEvent, HandoverState},
    time::Timestamp,
};

/// A medium whose delivery is on its way into an inbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Arrival {
    /// The link.
    pub link: String,
    /// HMAC of the folder's name.
    pub name_mac: Digest,
    /// What is known of the medium.
    pub facts: HeldFacts,
    /// Its way here.
    pub custody: Custody,
    /// When it was announced.
    pub since: Timestamp,
    /// The batch that it became.
    pub batch: Option<BatchId>,
    /// What kept what its copy left from being wiped.
    pub trouble: Option<Trouble>,
}

impl Arrival {
    /// Whether it is that of a folder of a link.
    #[must_use]
    pub fn is(&self, link: &str, name_mac: Digest) -> bool {
        self.link == link && self.name_mac == name_mac
    }
}

/// A hand-over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Handover {
    /// What, to whom and how.
    pub terms: HandoverTerms,
    /// State.
    pub state: HandoverState,
    /// Who asked for it.
    pub by: String,
    /// The request.
    pub requested: Mark,
    /// Who agreed, and when.
    pub approved: Option<(String, Mark)>,
    /// Number of the provider's document.
    pub doc_no: Option<String>,
    /// Number of the document that allows that data leave the premises.
    pub exception: Option<String>,
    /// The package, as a copy of each batch that it is made of.
    pub copies: Vec<CopyId>,
    /// What the package is.
    pub package: Option<PackageFacts>,
    /// When it was made.
    pub made: Option<Timestamp>,
    /// When it was proven to lie whole at the recipient's server.
    pub pushed: Option<Timestamp>,
    /// What kept it from being put there.
    pub push_trouble: Option<Trouble>,
    /// The recipient's confirmation: number of its document, and the day.
    pub received: Option<(String, Timestamp)>,
    /// The recipient's letter about the end: its number, and the evidence.
    pub returned: Option<(String, Vec<Digest>)>,
}

impl Handover {
    /// Whether it may have to be put to a server: it is made, nobody has confirmed it, and it is not proven to be there.
    #[must_use]
    pub fn is_on_its_way(&self) -> bool {
        self.state == HandoverState::Made && self.pushed.is_none()
    }
}

impl View {
    /// The number that the next hand-over gets.
    #[must_use]
    pub fn next_handover(&self) -> HandoverId {
        HandoverId::new(self.handovers.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// The hand-over that a copy is the package of.
    #[must_use]
    pub fn handover_of(&self, copy: CopyId) -> Option<HandoverId> {
        let held = self.copies.get(&copy)?.kind == CopyKind::Held(HeldKind::HandOver);
        let mut all = self.handovers.iter().filter(|_| held);
        all.find(|(_, row)| row.copies.contains(&copy)).map(|(id, _)| *id)
    }

    pub(super) fn hand_over(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::HandoverRequested(asked) => self.handover_requested(mark, &entry.by, asked),
            Body::HandoverApproved(approved) => {
                let row = self.handed(mark, approved.handover)?;
                // The fold itself refuses who decides on what is his own.
                if row.by == entry.by {
                    return Err(FoldError::Transition(mark.seq));
                }
                row.approved = Some((entry.by.clone(), mark));
                row.doc_no.clone_from(&approved.doc_no);
                row.exception.clone_from(&approved.exception);
                self.move_handover(mark, approved.handover, HandoverEvent::Approved)
            }
            Body::HandoverDenied(denied) => {
                self.move_handover(mark, denied.handover, HandoverEvent::Denied)
            }
            Body::HandoverReceived(received) => {
                let row = self.handed(mark, received.handover)?;
                row.received = Some((received.doc_no.clone(), received.on));
                self.move_handover(mark, received.handover, HandoverEvent::Received)
            }
            Body::HandoverReturned(HandoverReturned { handover, letter, evidence, .. }) => {
                let row = self.handed(mark, *handover)?;
                row.returned = Some((letter.clone(), evidence.clone()));
                Ok(())
            }
            Body::MediaArriving(arriving) => {
                // Said again for the same folder, the first was not copied.
                self.arrivals.retain(|one| !one.is(&arriving.link, arriving.name_mac));
                self.arrivals.push(Arrival {
                    link: arriving.link.clone(),
                    name_mac: arriving.name_mac,
                    facts: arriving.facts.clone(),
                    custody: arriving.custody.clone(),
                    since: mark.at,
                    batch: None,
                    trouble: None,
                });
                Ok(())
            }
            Body::MediaCarried(MediaCarried { handover, copies, custody }) => {
                self.handed(mark, *handover)?;
                for copy in copies {
                    self.held_mut(mark, *copy)?.custody.push(custody.clone());
                }
                Ok(())
            }
            _ => Err(FoldError::Transition(mark.seq)),
        }
    }

    /// Whether a batch came on a medium that somebody handed over, as the register says.
    #[must_use]
    pub fn was_carried(&self, batch: BatchId) -> bool {
        let carrier = CopyKind::Held(HeldKind::Carrier);
        self.arrivals.iter().any(|one| one.batch == Some(batch))
            || self.copies_of(batch).any(|(_, copy)| copy.kind == carrier)
    }

    /// What a copy from a medium left could not be wiped.
    pub(super) fn discard_failed(&mut self, link: &str, name_mac: Digest, first: &Trouble) {
        for one in self.arrivals.iter_mut().filter(|one| one.is(link, name_mac)) {
            let times = one.trouble.as_ref().map_or(0, |before| before.times) + 1;
            one.trouble = Some(Trouble { times, ..first.clone() });
        }
    }

    /// A delivery that came from a medium is a batch now.
    pub(super) fn arrived(&mut self, delivery: DeliveryId, batch: BatchId) {
        let Some(seen) = self.deliveries.get(&delivery) else { return };
        let name = (seen.link.clone(), seen.name_mac);
        for one in self.arrivals.iter_mut().filter(|one| one.batch.is_none()) {
            if (&one.link, one.name_mac) == (&name.0, name.1) {
                one.batch = Some(batch);
            }
        }
    }

    /// The medium of a batch is a copy of it now: it keeps its way here.
    pub(super) fn arrival_declared(&mut self, copy: CopyId, batch: BatchId, facts: &HeldFacts) {
        let of = |one: &Arrival| one.batch == Some(batch) && one.facts == *facts;
        let Some(at) = self.arrivals.iter().position(of) else { return };
        let arrival = self.arrivals.remove(at);
        let held = self.copies.get_mut(&copy).and_then(|row| row.held.as_deref_mut());
        if let Some(held) = held {
            held.custody.push(arrival.custody);
        }
    }

    fn handed(&mut self, mark: Mark, id: HandoverId) -> Result<&mut Handover, FoldError> {
        self.handovers.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))
    }

    fn handover_requested(
        &mut self,
        mark: Mark,
        by: &str,
        asked: &HandoverRequested,
    ) -> Result<(), FoldError> {
        if self.handovers.contains_key(&asked.handover) {
            return Err(FoldError::Transition(mark.seq));
        }
        let row = Handover {
            terms: asked.terms.clone(),
            state: HandoverState::Requested,
            by: by.to_owned(),
            requested: mark,
            approved: None,
            doc_no: None,
            exception: None,
            copies: Vec::new(),
            package: None,
            made: None,
            pushed: None,
            push_trouble: None,
            received: None,
            returned: None,
        };
        self.handovers.insert(asked.handover, row);
        Ok(())
    }

    /// A package is about to be made: it is known as a copy of each batch before it exists.
    pub(super) fn package_planned(
        &mut self,
        mark: Mark,
        id: HandoverId,
        parts: &[PackagePart],
    ) -> Result<(), FoldError> {
        let row = self.handed(mark, id)?;
        if row.state != HandoverState::Approved {
            return Err(FoldError::Transition(mark.seq));
        }
        row.copies = parts.iter().map(|part| part.copy).collect();
        let (by, until) = (row.by.clone(), row.terms.destroy_by);
        let agreed = row.approved.clone();
        let doc_no = row.doc_no.clone().unwrap_or_else(|| id.to_string());
        for part in parts {
            self.batch(mark, part.batch)?;
            if self.copies.contains_key(&part.copy) {
                return Err(FoldError::Transition(mark.seq));
            }
            let kind = CopyKind::Held(HeldKind::HandOver);
            self.new_copy(part.copy, part.batch, kind, CopyState::Planned);
            let approved = agreed.clone().map(|(by, mark)| (doc_no.clone(), by, mark));
            let held = Held {
                delete_by: Some(until),
                approved,
                ..Held::new(by.clone(), mark, Medium::File)
            };
            if let Some(row) = self.copies.get_mut(&part.copy) {
                row.held = Some(Box::new(held));
            }
        }
        Ok(())
    }

    pub(super) fn package_made(
        &mut self,
        mark: Mark,
        id: HandoverId,
        facts: &PackageFacts,
    ) -> Result<(), FoldError> {
        let row = self.handed(mark, id)?;
        row.package = Some(facts.clone());
        row.made = Some(mark.at);
        self.move_handover(mark, id, HandoverEvent::Made)
    }

    /// What there was of the package was removed: it can be made anew.
    pub(super) fn package_failed(
        &mut self,
        mark: Mark,
        id: HandoverId,
        parts: &[PackagePart],
    ) -> Result<(), FoldError> {
        for part in parts {
            self.move_copy(mark, part.copy, CopyEvent::Abandoned)?;
        }
        self.handed(mark, id)?.copies.clear();
        Ok(())
    }

    /// A copy that people kept is gone: with the last one of a package, its hand-over is closed.
    pub(super) fn package_gone(&mut self, mark: Mark, copy: CopyId) -> Result<(), FoldError> {
        let Some(id) = self.handover_of(copy) else { return Ok(()) };
        let gone = |copy: &CopyId| {
            self.copies.get(copy).is_none_or(|row| row.state == CopyState::Destroyed)
        };
        let all = self.handovers.get(&id).is_some_and(|row| row.copies.iter().all(gone));
        if all { self.move_handover(mark, id, HandoverEvent::Ended) } else { Ok(()) }
    }

    fn move_handover(
        &mut self,
        mark: Mark,
        id: HandoverId,
        on: HandoverEvent,
    ) -> Result<(), FoldError> {
        let row = self.handed(mark, id)?;
        let (to, _) = lifecycle::next(lifecycle::HANDOVER, row.state, on)
            .ok_or(FoldError::Transition(mark.seq))?;
        row.state = to;
        Ok(())
    }
}
