//! Expected deliveries as they are looked at: slots, where each stands, what met it or would have, and what keeps a link from
//! going on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Result, Service, corrections, no_link};
use crate::{
    domain::{
        expected::{
            Expectation,
            slots::{At, Expecting, Slot, SlotState, slots},
        },
        ids::BatchId,
        lifecycle::BatchState,
        limits,
        link::Link,
        manifest::Kind,
        reason::Reason,
        time::Timestamp,
        view::{Batch, View},
    },
    engine::{Waiting, expected},
};

/// Seconds that are shown where nobody says since when, and looked ahead where nobody says until when.
const BACK_SECONDS: i64 = 31 * 86_400;
const AHEAD_SECONDS: i64 = 62 * 86_400;
/// Slots to come of each rule, where nobody says until when.
const UPCOMING: usize = 2;

/// What is expected on a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExpectedPage {
    /// The link.
    pub link: String,
    /// Why nothing is expected on it now, where it takes no deliveries.
    pub stopped: Option<Reason>,
    /// Its slots by their time.
    pub slots: Vec<ExpectedLine>,
    /// Change files that are missing.
    pub gap: Option<SequenceGap>,
    /// The first year whose calendar is missing: slots that need it are not there.
    pub missing_calendar: Option<i32>,
}

/// An expected delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExpectedLine {
    /// Its time.
    pub due: Timestamp,
    /// The rule that expects it, as the link has it.
    pub every: String,
    /// The kind that counts, where only one does.
    pub kind: Option<String>,
    /// Where it stands.
    pub state: SlotState,
    /// Late after this.
    pub late_after: Timestamp,
    /// Missing after this.
    pub missing_after: Timestamp,
    /// When the register recorded that it is missing.
    pub missed: Option<Timestamp>,
    /// The batch that met it.
    pub batch: Option<ExpectedBatch>,
    /// Batches that would have met it, and are quarantined or were turned down.
    pub turned_away: Vec<ExpectedBatch>,
    /// Why a delivery that lies there is none yet.
    pub waits: Option<Reason>,
}

/// A batch beside a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExpectedBatch {
    /// Its id.
    pub id: BatchId,
    /// Provider's number.
    pub number: Option<String>,
    /// State.
    pub state: BatchState,
    /// Why it is there.
    pub reason: Option<Reason>,
    /// When it came.
    pub at: Timestamp,
    /// The batch that corrected it.
    pub replaced_by: Option<BatchId>,
}

/// Change files that did not come, while later ones wait for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SequenceGap {
    /// Their numbers; at most a hundred of them.
    pub missing: Vec<u64>,
    /// Since when the first that waits for them is there.
    pub since: Timestamp,
    /// What waits.
    pub waiting: Vec<BatchId>,
}

impl Service {
    /// `link expected`: one link, or every one that expects something.
    pub(super) fn expected_deliveries(
        &mut self,
        link: Option<&str>,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<ExpectedPage>> {
        let waiting = self.engine.waiting()?;
        let rules = &self.engine.rules;
        let links: Vec<&Link> = match link {
            Some(name) => vec![rules.links.get(name).ok_or_else(|| no_link(name))?],
            None => rules.links.values().filter(|link| !link.expect.is_empty()).collect(),
        };
        Ok(links.into_iter().map(|link| self.expected_on(link, (from, until), &waiting)).collect())
    }

    fn expected_on(
        &self,
        link: &Link,
        (from, until): (Option<Timestamp>, Option<Timestamp>),
        waiting: &[Waiting],
    ) -> ExpectedPage {
        let (view, rules) = (&self.engine.view, &self.engine.rules);
        let now = self.engine.ports.clock.now();
        let furthest = now.plus_seconds(limits::EXPECT_AHEAD_SECONDS_MAX);
        let end = until.unwrap_or_else(|| now.plus_seconds(AHEAD_SECONDS)).min(furthest);
        let begin = from.unwrap_or_else(|| now.plus_seconds(-BACK_SECONDS));
        let looked = expected::look(view, rules, link, now, end);
        let mut slots: Vec<&Slot> =
            looked.slots.list.iter().filter(|slot| slot.due >= begin && slot.due <= end).collect();
        if until.is_none() {
            let mut seen = vec![0; link.expect.len()];
            slots.retain(|slot| {
                let Some(seen) = seen.get_mut(slot.rule) else { return false };
                *seen += usize::from(slot.state == SlotState::Upcoming);
                slot.state != SlotState::Upcoming || *seen <= UPCOMING
            });
        }
        // The latest are those that people ask for.
        let cut = slots.len().saturating_sub(limits::EXPECT_LINES_MAX);
        let mut lines: Vec<ExpectedLine> = slots
            .into_iter()
            .skip(cut)
            .map(|slot| self.line(link.expect.get(slot.rule), slot))
            .collect();
        let waits = waiting.iter().filter(|row| row.link == link.name);
        let waits = waits.filter_map(|row| row.reason).next();
        let next = lines.iter_mut().find(|line| !line.state.is_met() && line.missed.is_none());
        if let Some(line) = next {
            line.waits = waits;
        }
        lines.extend(self.former(&link.name, begin, end));
        lines.sort_by_key(|line| line.due);
        ExpectedPage {
            link: link.name.clone(),
            stopped: link.standing(now),
            slots: lines,
            gap: self.gap(&link.name),
            missing_calendar: looked.slots.missing.map(|year| year.0),
        }
    }

    /// What is recorded by rules that have ended.
    fn former(&self, link: &str, begin: Timestamp, end: Timestamp) -> Vec<ExpectedLine> {
        let (view, rules) = (&self.engine.view, &self.engine.rules);
        let at =
            At { now: self.engine.ports.clock.now(), zone: rules.zone, calendar: &rules.working };
        let of_link = view.expected.rules.values().filter(|row| row.link == link);
        let mut lines = Vec::new();
        for row in of_link.filter(|row| row.ended.is_some()) {
            let Some(rule) = Expectation::of(&row.terms) else { continue };
            // None but those: what was open when the rule ended is expected no more.
            let expecting = Expecting {
                rule: &rule,
                since: row.since,
                until: row.since,
                decided: &row.decided,
            };
            let found = slots(&[expecting], &[], end, at);
            let shown = found.list.iter().filter(|slot| slot.due >= begin);
            lines.extend(shown.map(|slot| self.line(Some(&rule), slot)));
        }
        lines.truncate(limits::EXPECT_LINES_MAX);
        lines
    }

    fn line(&self, rule: Option<&Expectation>, slot: &Slot) -> ExpectedLine {
        let turned = slot.turned_away.iter();
        ExpectedLine {
            due: slot.due,
            every: rule.map(|rule| rule.every.to_string()).unwrap_or_default(),
            kind: rule.and_then(|rule| rule.kind).map(|kind| kind.word().to_owned()),
            state: slot.state,
            late_after: slot.late,
            missing_after: slot.missing,
            missed: slot.decided.missed,
            batch: slot.met.and_then(|(batch, at, _)| self.beside(batch, Some(at))),
            turned_away: turned.filter_map(|batch| self.beside(*batch, None)).collect(),
            waits: None,
        }
    }

    fn beside(&self, id: BatchId, at: Option<Timestamp>) -> Option<ExpectedBatch> {
        let view = &self.engine.view;
        let row = view.batches.get(&id)?;
        Some(ExpectedBatch {
            id,
            number: row.number.clone(),
            state: row.state,
            reason: self.engine.reason(&row),
            at: at.or_else(|| row.times.get("claimed").copied())?,
            replaced_by: corrections::replaced_by(view, id, &row),
        })
    }

    fn gap(&self, link: &str) -> Option<SequenceGap> {
        gap(&self.engine.view, link, &|row| self.engine.reason(row))
    }
}

/// The change files of a link that are missing, where one waits for them.
fn gap(view: &View, link: &str, reason: &dyn Fn(&Batch) -> Option<Reason>) -> Option<SequenceGap> {
    let mut since: Option<Timestamp> = None;
    let (mut there, mut waiting) = (BTreeSet::new(), Vec::new());
    for (id, row) in view.batches_in(BatchState::Verified).filter(|(_, row)| row.link == link) {
        let delta = row.manifest.as_ref().filter(|manifest| manifest.kind == Kind::Delta);
        let Some(sequence) = delta.map(|manifest| manifest.sequence) else { continue };
        there.insert(sequence);
        if reason(&row) == Some(Reason::SequenceGap) {
            let at = row.times.get(BatchState::Verified.word()).copied();
            since = since.into_iter().chain(at).min();
            waiting.push(id);
        }
    }
    let last = there.last().copied()?;
    let missing = (view.next_sequence(link)..last).filter(|number| !there.contains(number));
    let missing: Vec<u64> = missing.take(limits::EXPECT_NUMBERS_MAX).collect();
    Some(SequenceGap { missing, since: since?, waiting })
}
