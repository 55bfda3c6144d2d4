//! Folding samples of the access log: seeds, what was drawn, who looked through it, and what was found.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{FoldError, Mark, View, kept};
use crate::domain::{
    digest::Digest,
    entry::{Body, Entry, FindingFacts, SampleDrawn, SampleReviewed, SampleTerms},
    ids::{FindingId, SampleId},
    sampling::{ByAccount, SampleClass},
    time::Timestamp,
};

/// What a sample is of: link, rule and period.
pub type SampleKey = (String, SampleClass, String);

/// Samples, findings, and who reviewed whom.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Samples {
    /// The seeds that the agent bound itself to: when, and the digest.
    #[serde(with = "kept::pairs")]
    pub sealed: BTreeMap<SampleKey, (Mark, Digest)>,
    /// Samples.
    pub rows: BTreeMap<SampleId, Sample>,
    /// Samples by what they are of.
    #[serde(with = "kept::pairs")]
    drawn: BTreeMap<SampleKey, SampleId>,
    /// Findings.
    pub findings: BTreeMap<FindingId, Finding>,
    last_finding: u64,
    /// The last two periods in which an account was reviewed, and by whom.
    rounds: BTreeMap<String, Vec<(String, BTreeSet<String>)>>,
}

/// A sample.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// Of what, and by which rule.
    pub terms: SampleTerms,
    /// Who drew it.
    pub by: String,
    /// The entry.
    pub drawn: Mark,
    /// The entry that ends it: the last of its parts.
    pub last: u64,
    /// Askings that were drawn, by the account that asked.
    pub chosen: ByAccount,
    /// Askings that were refused.
    pub refused: ByAccount,
    /// Places that nobody has looked at yet.
    pub open: BTreeSet<u64>,
    /// Who looked through what.
    pub reviews: Vec<SampleReview>,
    /// When nothing was left to look at.
    pub done: Option<Timestamp>,
}

/// A look through a sample.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SampleReview {
    /// Who.
    pub by: String,
    /// The entry.
    pub mark: Mark,
    /// Places in the access log.
    pub on: Vec<u64>,
    /// What was found, where something was.
    pub finding: Option<FindingFacts>,
    /// The account that has to agree.
    pub with: Option<String>,
    /// Whether it counts.
    pub counts: bool,
}

/// Something that was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub facts: FindingFacts,
    /// The sample, and the places in the access log.
    pub sample: Option<(SampleId, Vec<u64>)>,
    /// Number of the document that it stands in.
    pub doc_no: Option<String>,
    /// Who found it.
    pub by: String,
    /// The entry by which it counts.
    pub added: Mark,
    /// Who corrected it, the entry, what was done, the document, and the evidence.
    pub corrected: Option<(String, Mark, String, String, Vec<Digest>)>,
    /// The day on which it was corrected.
    pub corrected_on: Option<Timestamp>,
    /// Letters by the office that got each.
    pub told: BTreeMap<String, (String, Timestamp)>,
    /// Who closed it, and when.
    pub closed: Option<(String, Timestamp)>,
}

impl Sample {
    /// What it is of.
    #[must_use]
    pub fn key(&self) -> SampleKey {
        (self.terms.link.clone(), self.terms.class, self.terms.period.clone())
    }

    /// The account whose asking stands at a place.
    #[must_use]
    pub fn whose(&self, place: u64) -> Option<&str> {
        let all = self.chosen.iter().chain(&self.refused);
        all.into_iter().find(|(_, places)| places.contains(&place)).map(|(who, _)| who.as_str())
    }

    /// The review that waits for an account's word.
    #[must_use]
    pub fn waiting(&self) -> Option<&SampleReview> {
        self.reviews.iter().find(|review| !review.counts)
    }

    /// Every place.
    #[must_use]
    pub fn places(&self) -> BTreeSet<u64> {
        let all = self.chosen.values().chain(self.refused.values());
        all.flatten().copied().collect()
    }
}

impl Samples {
    /// The sample of this link, rule and period.
    #[must_use]
    pub fn of(&self, key: &SampleKey) -> Option<(SampleId, &Sample)> {
        let id = self.drawn.get(key)?;
        Some((*id, self.rows.get(id)?))
    }

    /// The number that the next sample gets.
    #[must_use]
    pub fn next(&self) -> SampleId {
        SampleId::new(self.rows.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// The number that the next finding gets.
    #[must_use]
    pub const fn next_finding(&self) -> FindingId {
        FindingId::new(self.last_finding + 1)
    }

    /// Who reviewed an account when it was last reviewed for another period than this.
    #[must_use]
    pub fn last_reviewers(&self, account: &str, period: &str) -> Option<&BTreeSet<String>> {
        let rounds = self.rounds.get(account)?;
        rounds.iter().rev().find(|(of, _)| of != period).map(|(_, by)| by)
    }

    fn reviewed(&mut self, account: &str, period: &str, reviewers: &[&String]) {
        let rounds = self.rounds.entry(account.to_owned()).or_default();
        if rounds.last().is_none_or(|(of, _)| of != period) {
            rounds.push((period.to_owned(), BTreeSet::new()));
        }
        if let Some((_, by)) = rounds.last_mut() {
            by.extend(reviewers.iter().map(|one| (*one).clone()));
        }
        if rounds.len() > 2 {
            rounds.remove(0);
        }
    }
}

impl View {
    pub(super) fn sampled(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::SampleSealed(sealed) => {
                let key = (sealed.link.clone(), sealed.class, sealed.period.clone());
                match self.samples.sealed.insert(key, (mark, sealed.seed)) {
                    None => Ok(()),
                    Some(_) => Err(FoldError::Transition(mark.seq)),
                }
            }
            Body::SampleDrawn(drawn) => self.sample_drawn(mark, &entry.by, drawn),
            Body::SampleListed(part) => {
                let row = self.samples.rows.get_mut(&part.sample);
                let row = row.filter(|row| row.last >= mark.seq && row.reviews.is_empty());
                let row = row.ok_or(FoldError::Unknown(mark.seq))?;
                for (into, part) in
                    [(&mut row.chosen, &part.drawn), (&mut row.refused, &part.refused)]
                {
                    for (who, places) in part {
                        row.open.extend(places);
                        into.entry(who.clone()).or_default().extend(places);
                    }
                }
                row.done = None;
                Ok(())
            }
            Body::SampleReviewed(review) => self.sample_reviewed(mark, &entry.by, review),
            Body::ReviewConfirmed(confirmed) => {
                let row = self.samples.rows.get_mut(&confirmed.sample);
                let reviews = row.map(|row| row.reviews.iter_mut()).into_iter().flatten();
                let mut waiting = reviews.filter(|one| one.mark.seq == confirmed.review);
                let review = waiting.next().ok_or(FoldError::Unknown(mark.seq))?;
                // The fold itself refuses who agrees with himself, or was not asked.
                if review.counts || review.with.as_ref() != Some(&entry.by) {
                    return Err(FoldError::Transition(mark.seq));
                }
                review.counts = true;
                let review = review.clone();
                self.review_counts(mark, confirmed.sample, &review);
                Ok(())
            }
            _ => self.found(mark, entry),
        }
    }

    fn sample_drawn(&mut self, mark: Mark, by: &str, drawn: &SampleDrawn) -> Result<(), FoldError> {
        let row = Sample {
            terms: drawn.terms.clone(),
            by: by.to_owned(),
            drawn: mark,
            last: mark.seq + drawn.parts,
            chosen: ByAccount::new(),
            refused: ByAccount::new(),
            open: BTreeSet::new(),
            reviews: Vec::new(),
            done: Some(mark.at),
        };
        let known = self.samples.sealed.get(&row.key());
        // The seed is the one that the register has the digest of.
        let bound = known.is_some_and(|(sealed, digest)| {
            sealed.seq == drawn.terms.sealed && *digest == Digest::of(drawn.terms.seed.as_bytes())
        });
        let again = self.samples.drawn.insert(row.key(), drawn.sample).is_some();
        if !bound || again || self.samples.rows.insert(drawn.sample, row).is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        Ok(())
    }

    fn sample_reviewed(
        &mut self,
        mark: Mark,
        by: &str,
        review: &SampleReviewed,
    ) -> Result<(), FoldError> {
        let row = self.samples.rows.get_mut(&review.sample);
        let row = row.ok_or(FoldError::Unknown(mark.seq))?;
        let on = if review.on.is_empty() {
            row.open.iter().copied().collect()
        } else {
            review.on.clone()
        };
        let made = SampleReview {
            by: by.to_owned(),
            mark,
            on,
            finding: review.finding.clone(),
            with: review.with.clone(),
            counts: review.with.is_none(),
        };
        // One that still waits for the other one's word is given up: whoever agrees with it now is refused.
        row.reviews.retain(|one| one.counts);
        row.reviews.push(made.clone());
        if let Some(facts) = &review.finding {
            self.samples.last_finding = self.samples.last_finding.max(facts.finding.number());
        }
        if made.counts {
            self.review_counts(mark, review.sample, &made);
        }
        Ok(())
    }

    fn review_counts(&mut self, mark: Mark, id: SampleId, review: &SampleReview) {
        let Some(row) = self.samples.rows.get_mut(&id) else { return };
        for place in &review.on {
            row.open.remove(place);
        }
        if row.open.is_empty() {
            row.done = Some(mark.at);
        }
        let period = row.terms.period.clone();
        let reviewed: BTreeSet<String> =
            review.on.iter().filter_map(|place| row.whose(*place)).map(str::to_owned).collect();
        let reviewers: Vec<&String> = std::iter::once(&review.by).chain(&review.with).collect();
        for account in reviewed {
            self.samples.reviewed(&account, &period, &reviewers);
        }
        if let Some(facts) = &review.finding {
            let finding = Finding {
                facts: facts.clone(),
                sample: Some((id, review.on.clone())),
                doc_no: None,
                by: review.by.clone(),
                added: mark,
                corrected: None,
                corrected_on: None,
                told: BTreeMap::new(),
                closed: None,
            };
            self.samples.findings.insert(facts.finding, finding);
        }
    }

    fn found(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        if let Body::FindingAdded(added) = &entry.body {
            let finding = Finding {
                facts: added.facts.clone(),
                sample: None,
                doc_no: Some(added.doc_no.clone()),
                by: entry.by.clone(),
                added: mark,
                corrected: None,
                corrected_on: None,
                told: BTreeMap::new(),
                closed: None,
            };
            let id = added.facts.finding;
            self.samples.last_finding = self.samples.last_finding.max(id.number());
            return match self.samples.findings.insert(id, finding) {
                None => Ok(()),
                Some(_) => Err(FoldError::Transition(mark.seq)),
            };
        }
        let id = match &entry.body {
            Body::FindingCorrected(corrected) => corrected.finding,
            Body::FindingTold(told) => told.finding,
            Body::FindingJudged(judged) => judged.finding,
            _ => return Err(FoldError::Transition(mark.seq)),
        };
        let row = self.samples.findings.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
        if row.closed.is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        match &entry.body {
            Body::FindingCorrected(corrected) => {
                let (action, doc_no) = (corrected.action.clone(), corrected.doc_no.clone());
                let evidence = corrected.evidence.clone();
                row.corrected = Some((entry.by.clone(), mark, action, doc_no, evidence));
                row.corrected_on = Some(corrected.on);
            }
            Body::FindingTold(told) => {
                row.told.insert(told.office.clone(), (told.letter.clone(), told.on));
            }
            Body::FindingJudged(judged) => {
                // The fold itself refuses who judges his own correction.
                if row.corrected.as_ref().is_none_or(|(by, ..)| *by == entry.by) {
                    return Err(FoldError::Transition(mark.seq));
                }
                if judged.closed {
                    row.closed = Some((entry.by.clone(), mark.at));
                } else {
                    // It did not end: whoever was told how it ended is told again.
                    (row.corrected, row.corrected_on) = (None, None);
                    row.told.clear();
                }
            }
            _ => {}
        }
        Ok(())
    }
}
