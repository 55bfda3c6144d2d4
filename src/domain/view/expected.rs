//! Expected deliveries in the view: since when each rule counts, and what was recorded of its slots.
//!
//! Which slots there are is no fact: rules, calendars and the time make them (`domain/expected/slots.rs`). What is recorded
//! stays, whatever becomes of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Batch, FoldError, Mark, View};
use crate::domain::{
    entry::{DeliveryCame, DeliveryMissed, ExpectationBegun, ExpectationEnded, ExpectedTerms},
    expected::slots::{Arrived, Decided, Standing},
    ids::BatchId,
    lifecycle::BatchState,
    limits,
    time::Timestamp,
};

/// A rule that deliveries were or are expected by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedRule {
    /// The link.
    pub link: String,
    /// The rule.
    pub terms: ExpectedTerms,
    /// Since when.
    pub since: Timestamp,
    /// Until when, where it has ended.
    pub ended: Option<Timestamp>,
    /// What was recorded of its slots, by their time.
    pub decided: BTreeMap<Timestamp, Decided>,
}

/// What is expected.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Expected {
    /// Rules by the entry that began each.
    pub rules: BTreeMap<u64, ExpectedRule>,
    /// The rules of each link that have not ended.
    standing: BTreeMap<String, Vec<u64>>,
    /// Batches of links on which something is or was expected that no slot was recorded as met by, with when they came.
    unmatched: BTreeMap<String, BTreeMap<BatchId, Timestamp>>,
}

impl Expected {
    /// The rules of a link that have not ended, by the entry that began each.
    pub fn standing_of<'a>(
        &'a self,
        link: &str,
    ) -> impl Iterator<Item = (u64, &'a ExpectedRule)> + 'a {
        let ids = self.standing.get(link).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| Some((*id, self.rules.get(id)?)))
    }

    /// The links that have such rules.
    pub fn links(&self) -> impl Iterator<Item = &String> {
        self.standing.iter().filter(|(_, rules)| !rules.is_empty()).map(|(link, _)| link)
    }

    /// A batch came. One that came very long ago is not what is expected now.
    pub(super) fn came(&mut self, link: &str, batch: BatchId, at: Timestamp) {
        if let Some(unmatched) = self.unmatched.get_mut(link) {
            let oldest = at.plus_seconds(-limits::EXPECT_UNMATCHED_SECONDS_MAX);
            unmatched.retain(|_, came| *came >= oldest);
            unmatched.insert(batch, at);
        }
    }

    fn is_met_by(&self, link: &str, batch: BatchId) -> bool {
        let of_link = self.rules.values().filter(|rule| rule.link == link);
        let mut decided = of_link.flat_map(|rule| rule.decided.values());
        decided.any(|slot| slot.came.is_some_and(|(known, _)| known == batch))
    }
}

impl View {
    /// The batches of a link that no slot was recorded as met by, as far as they count: not those that are still being
    /// judged, and no correction of what was loaded before.
    #[must_use]
    pub fn unmatched_of(&self, link: &str) -> Vec<Arrived> {
        let unmatched = self.expected.unmatched.get(link).into_iter().flatten();
        let arrived = unmatched.filter_map(|(id, at)| {
            let row = self.batches.get(id)?;
            let standing = standing(&row)?;
            let corrects = self.replaced(*id, &row).is_some_and(|(_, old)| old.ever_loaded());
            let kind = row.manifest.as_ref().map(|manifest| manifest.kind);
            (!corrects).then_some(Arrived { at: *at, batch: *id, kind, standing })
        });
        arrived.collect()
    }

    /// When the first batch of a link came that is still being judged.
    #[must_use]
    pub fn judged_since(&self, link: &str) -> Option<Timestamp> {
        let unmatched = self.expected.unmatched.get(link)?;
        let judged = unmatched
            .iter()
            .filter(|(id, _)| self.batches.get(id).is_some_and(|row| standing(&row).is_none()));
        judged.map(|(_, at)| *at).min()
    }

    pub(super) fn expectation_begun(&mut self, mark: Mark, begun: &ExpectationBegun) {
        let link = begun.link.clone();
        // What came shortly before may be the first one that is expected.
        let last = self
            .last_of(&link)
            .map(|(id, row)| (id, row.times.get("claimed").copied().unwrap_or(mark.at)));
        let expected = &mut self.expected;
        let last = last.filter(|(id, _)| !expected.is_met_by(&link, *id));
        expected.unmatched.entry(link.clone()).or_default().extend(last);
        expected.standing.entry(link.clone()).or_default().push(mark.seq);
        let rule = ExpectedRule {
            link,
            terms: begun.terms.clone(),
            since: mark.at,
            ended: None,
            decided: BTreeMap::new(),
        };
        expected.rules.insert(mark.seq, rule);
    }

    pub(super) fn expectation_ended(
        &mut self,
        mark: Mark,
        ended: &ExpectationEnded,
    ) -> Result<(), FoldError> {
        let expected = &mut self.expected;
        let rule =
            expected.rules.get_mut(&ended.expectation).ok_or(FoldError::Unknown(mark.seq))?;
        if rule.ended.is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        rule.ended = Some(mark.at);
        if let Some(standing) = expected.standing.get_mut(&rule.link) {
            standing.retain(|id| *id != ended.expectation);
        }
        Ok(())
    }

    /// A slot is missed once, and not when it was met.
    pub(super) fn delivery_missed(
        &mut self,
        mark: Mark,
        missed: &DeliveryMissed,
    ) -> Result<(), FoldError> {
        let rule = self.expected.rules.get_mut(&missed.expectation);
        let rule = rule.filter(|rule| rule.link == missed.link);
        let rule = rule.ok_or(FoldError::Unknown(mark.seq))?;
        if rule.decided.contains_key(&missed.due) || rule.ended.is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        rule.decided.insert(missed.due, Decided { missed: Some(mark.at), came: None });
        Ok(())
    }

    /// A slot is met once, and by a batch that met none.
    pub(super) fn delivery_came(
        &mut self,
        mark: Mark,
        came: &DeliveryCame,
    ) -> Result<(), FoldError> {
        let expected = &mut self.expected;
        let unmatched = expected.unmatched.get_mut(&came.link);
        let at = unmatched.and_then(|unmatched| unmatched.remove(&came.batch));
        let at = at.ok_or(FoldError::Unknown(mark.seq))?;
        let rule = expected.rules.get_mut(&came.expectation);
        let rule = rule.filter(|rule| rule.link == came.link);
        let slot = rule.ok_or(FoldError::Unknown(mark.seq))?.decided.entry(came.due).or_default();
        if slot.came.replace((came.batch, at)).is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        Ok(())
    }
}

/// How a batch counts for a slot; nothing while it is being judged.
fn standing(row: &Batch) -> Option<Standing> {
    match row.state {
        _ if row.rejected => Some(Standing::TurnedAway),
        BatchState::Received => None,
        BatchState::Quarantined => Some(Standing::TurnedAway),
        BatchState::Verified => Some(Standing::Verified),
        _ if row.ever_loaded() => Some(Standing::Loaded),
        _ => Some(Standing::TurnedAway),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::domain::{
        digest::Digest,
        entry::{Body, Entry},
        expected::{ExpectationEnd, WhenOff},
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn record(view: &mut View, body: Body) -> Result<(), FoldError> {
        let entry =
            Entry { v: 1, at: at(1_000), by: "agent".to_owned(), deputy: None, uid: None, body };
        view.apply(view.size, &entry, Digest::of(b"synthetic"))
    }

    /// A link with a rule, and two batches that came on it.
    fn begun() -> View {
        let mut view = View::default();
        let terms = ExpectedTerms {
            every: "day 09:00".to_owned(),
            when_off: WhenOff::Stays,
            kind: None,
            from: None,
            early: "P1D".to_owned(),
            late_after: "PT4H".to_owned(),
            missing_after: "P1D".to_owned(),
        };
        let begun = ExpectationBegun { link: "a".to_owned(), terms };
        record(&mut view, Body::ExpectationBegun(begun)).unwrap();
        view.expected.came("a", BatchId::new(1), at(5));
        view.expected.came("a", BatchId::new(2), at(6));
        view.expected.came("b", BatchId::new(3), at(6));
        view
    }

    fn missed(due: i64) -> Body {
        Body::DeliveryMissed(DeliveryMissed { link: "a".to_owned(), expectation: 0, due: at(due) })
    }

    fn came(due: i64, batch: u64) -> Body {
        Body::DeliveryCame(DeliveryCame {
            link: "a".to_owned(),
            expectation: 0,
            due: at(due),
            batch: BatchId::new(batch),
        })
    }

    fn ended() -> Body {
        let why = ExpectationEnd::Changed;
        Body::ExpectationEnded(ExpectationEnded { expectation: 0, why })
    }

    #[test]
    fn a_slot_is_missed_once_and_met_once_by_a_batch_that_met_none() {
        type Row = (Vec<Body>, Body, bool);
        let rows: Vec<Row> = vec![
            (vec![], missed(1), true),
            (vec![missed(1)], missed(1), false),
            (vec![missed(1)], missed(2), true),
            (vec![missed(1)], came(1, 1), true),
            (vec![missed(1), came(1, 1)], came(1, 2), false),
            (vec![came(1, 1)], missed(1), false),
            (vec![came(1, 1)], came(2, 1), false),
            (vec![came(1, 1)], came(2, 2), true),
            (vec![], came(1, 3), false),
            (vec![ended()], missed(1), false),
            (vec![ended()], ended(), false),
            (vec![ended()], came(1, 1), true),
        ];
        for (n, (before, body, fits)) in rows.into_iter().enumerate() {
            let mut view = begun();
            for body in before {
                record(&mut view, body).unwrap();
            }
            assert_eq!(record(&mut view, body).is_ok(), fits, "row {n}");
        }
        assert_eq!(begun().expected.standing_of("a").count(), 1);
        let mut over = begun();
        record(&mut over, ended()).unwrap();
        assert_eq!(over.expected.standing_of("a").count(), 0);
    }

    #[test]
    fn what_came_very_long_ago_is_not_looked_at_any_more() {
        let mut view = begun();
        let later = 7 + limits::EXPECT_UNMATCHED_SECONDS_MAX;
        view.expected.came("a", BatchId::new(4), at(later));
        let left: Vec<u64> = view.expected.unmatched["a"].keys().map(|id| id.number()).collect();
        assert_eq!(left, [4]);
    }
}
