//! Verify: judge the claimed copies. A pure verdict over what the claim recorded, the link, and the register.

use crate::{
    domain::{
        digest::Digest,
        entry::{AGENT, AnnouncedFacts, Counts, ManifestFacts, Verdict},
        ids::{BatchId, NoticeId},
        judge::{self, Accepted, Document, Ledger, Look, Place, Question, Refusal, Stage},
        lifecycle::{self, BatchStep},
        link::{Container, KeyMode, Link},
        manifest::Manifest,
        reason::Reason,
        step::{Outcome, Plan},
        view::{Batch, View},
    },
    engine::{Engine, EngineError, Ran, StepError, case::CaseManifest},
};

/// What the register knows of a link's other batches.
pub struct LinkLedger<'a> {
    /// The fold.
    pub view: &'a View,
    /// The link.
    pub link: &'a str,
    /// The batch that is judged.
    pub except: Option<BatchId>,
}

impl Ledger for LinkLedger<'_> {
    fn is_spent(&self, number: &str) -> bool {
        self.view.number_is_spent(self.link, number, self.except)
    }

    fn is_loaded(&self, file: &Digest) -> bool {
        self.view.digest_is_loaded(self.link, *file, self.except)
    }

    fn place(&self, sequence: u64) -> Place {
        if self.view.sequence_is_spent(self.link, sequence, self.except) {
            Place::Taken
        } else if sequence == self.view.next_sequence(self.link) {
            Place::Next
        } else {
            Place::Ahead
        }
    }
}

impl Engine {
    /// Why a batch stands where it stands: what it was refused for, or what it waits for.
    #[must_use]
    pub fn reason(&self, row: &Batch) -> Option<Reason> {
        if lifecycle::work(row.state) != Some(BatchStep::Load) {
            return row.reason;
        }
        if !self.turn_has_come(row) {
            return Some(Reason::SequenceGap);
        }
        let link = self.rules.links.get(&row.link);
        let key = link.map_or_else(|| self.view.key_for(row), |link| self.key_of(row, link));
        if key.is_some() {
            return None;
        }
        Some(row.reason.unwrap_or(Reason::AwaitingKey))
    }

    pub(in crate::engine) fn verify(&mut self, batch: BatchId) -> Result<Ran, EngineError> {
        self.run(AGENT, Plan::Verify { batch })
    }

    pub(in crate::engine) fn apply_verify(&mut self, batch: BatchId) -> Result<Outcome, StepError> {
        let row = self.view.batches.get(&batch).ok_or(StepError::Stuck("no-batch"))?;
        let link = self.rules.links.get(&row.link).ok_or(StepError::Stuck("no-link"))?;
        let received_at = row.times.get("claimed").copied().ok_or(StepError::Stuck("no-time"))?;
        let waited = row.claimed_because;
        let mut record = self.case(batch)?.ok_or(StepError::Stuck("no-case"))?;
        let facts = record.facts();
        let ledger = LinkLedger { view: &self.view, link: &link.name, except: Some(batch) };
        let verdict = judge::judge(&Question {
            facts: &facts,
            link,
            ledger: &ledger,
            stage: Stage::Claimed,
            received_at,
            now: self.ports.clock.now(),
            announced: self.letter_of(batch),
        });
        let made = match &verdict {
            Look::Complete(accepted) if facts.manifest == Document::Missing => {
                CaseManifest::of(accepted.manifest())
            }
            Look::Complete(_) | Look::Refuse(_) | Look::Wait(_) => None,
        };
        let outcome = match verdict {
            // What is in plain counts only where the register knows who brought it (TPH-5.6).
            Look::Complete(accepted)
                if link.container == Container::PlainByHand && !self.view.was_carried(batch) =>
            {
                let manifest = Some(Box::new(accepted.manifest().clone()));
                let reason = Reason::NotByHand;
                refused(&Refusal { reason, fault: None, manifest, signer: None }, reason)
            }
            Look::Complete(accepted) => {
                let notice = self.notice_named(batch, &link.basis_doc_no, accepted.manifest());
                self.accepted(&accepted, strength(&accepted, link), notice)
            }
            Look::Refuse(refusal) => refused(&refusal, refusal.reason),
            // A claimed delivery never waits; what it would wait for is why it was claimed.
            Look::Wait(reason) => {
                let refusal = Refusal { reason, fault: None, manifest: None, signer: None };
                refused(&refusal, waited.unwrap_or(Reason::Incomplete))
            }
        };
        // What a link or the agent's file says later makes no other manifest of it.
        if made.is_some() {
            record.made = made;
            self.put_case(batch, &record)?;
        }
        Ok(outcome)
    }

    /// The letter that a batch rests on, where two people stand by it.
    pub(in crate::engine) fn letter_of(&self, batch: BatchId) -> Option<&AnnouncedFacts> {
        self.view.notices.of(batch)?.1.standing()
    }

    /// The row of notices that a batch becomes part of, because its manifest rests on the same document. What a letter
    /// announces is a delivery of its own, and the document that the link itself rests on names none.
    fn notice_named(&self, batch: BatchId, basis: &str, manifest: &Manifest) -> Option<NoticeId> {
        let named = &manifest.basis_doc_no;
        if named == basis || self.view.notices.of(batch).is_some() {
            return None;
        }
        let id = self.view.notices.by_document(&manifest.link, named)?;
        self.view.notices.rows.get(&id).filter(|row| !row.is_announced()).map(|_| id)
    }

    fn accepted(&self, accepted: &Accepted, strength: &str, notice: Option<NoticeId>) -> Outcome {
        let manifest = accepted.manifest();
        Outcome::Verified {
            manifest: ManifestFacts {
                number: manifest.batch.clone(),
                kind: manifest.kind,
                sequence: manifest.sequence,
                notified_at: manifest.notified_at,
                as_of: manifest.stands_for(self.rules.zone),
                basis_differs: accepted.basis_differs(),
                purpose_differs: accepted.purpose_differs(),
                applied: manifest.applied,
                replaces: manifest.replaces.clone(),
                records: manifest.records,
            },
            strength: strength.to_owned(),
            signer: accepted.signer().map(|s| s.fingerprint.clone()).unwrap_or_default(),
            notice,
        }
    }
}

/// How sure it is that a delivery is the provider's and was nobody else's, by the weakest link of its chain.
fn strength(accepted: &Accepted, link: &Link) -> &'static str {
    match (accepted.signer(), link.key) {
        _ if link.container == Container::PlainByHand => "by-hand",
        (None, _) if accepted.is_announced() => "by-letter",
        (None, _) => "unsigned",
        (Some(_), KeyMode::Separate) => "signed",
        (Some(_), KeyMode::Standing) => "signed-standing-key",
        (Some(_), KeyMode::StandingPassphrase) => "signed-standing-passphrase",
    }
}

fn refused(refusal: &Refusal, reason: Reason) -> Outcome {
    let manifest = refusal.manifest.as_ref();
    let counts = Counts { declared: manifest.map(|m| m.records), ..Counts::default() };
    Outcome::Refused {
        verdict: Verdict { reason, counts, number: manifest.map(|m| m.batch.clone()) },
    }
}
