//! Samples of the access log: drawn by an auditor, looked through by others than those who asked, and what was found
//! followed to its end (NTP-9.2, 9.3, 10.1; TPE-10.2, 10.3; TY-5.1b, 5.2; TYA2-4.4, 4.6, 6.1-6.4; NT-5.1, 5.2, 5.5; TPH-5.9,
//! 5.11).
//!
//! What is drawn follows from the register and the access log alone (docs/sampling.md): nobody chooses it, and whoever has
//! the proof draws it again.

mod act;
mod findings;
mod lines;
mod population;
mod proof;
mod review;

use std::collections::BTreeMap;

pub use act::{Noted, SampleAct};
pub use lines::{FindingLine, ReviewLine, SampleLine};
pub use proof::SampleProofText;

use population::Population;

use super::{Actor, Reply, Result, Service, no_link};
use crate::{
    domain::{
        digest::Digest,
        duty::CalendarPeriod,
        entry::{self, Body, SampleDrawn, SampleListed, SampleTerms, Signed},
        ids::SampleId,
        link::Link,
        policy::sampling::SampleRule,
        sampling::{self, ByAccount},
        time::Timestamp,
        view::{Sample, SampleKey},
    },
    engine::ports::Log,
    error::{Error, Exit},
};

/// Places that one entry lists: each of another account, with the longest names there are, they stay below 65,535 bytes.
const PART_PLACES: usize = 1_000;

/// A sample that is to be drawn.
struct Wanted {
    key: SampleKey,
    rule: SampleRule,
    policy: String,
    period: CalendarPeriod,
}

impl Service {
    pub(super) fn sample(&mut self, actor: &Actor, act: SampleAct) -> Result<Reply> {
        match act {
            SampleAct::Draw { period, link, size } => {
                self.sample_draw(actor, &period, link.as_deref(), size)
            }
            SampleAct::Review { sample, on, finding, with } => {
                self.sample_review(actor, sample, &on, (finding, with))
            }
            SampleAct::Confirm { sample } => self.sample_confirm(actor, sample),
            SampleAct::Add { link, noted, doc_no } => self.finding_add(actor, link, &noted, doc_no),
            SampleAct::Correct { finding, action, doc_no, evidence, on } => {
                self.finding_correct(actor, finding, (action, doc_no), (evidence, on))
            }
            SampleAct::Tell { finding, office, letter, on } => {
                self.finding_told(actor, finding, office, (letter, on))
            }
            SampleAct::Judge { finding, back } => self.finding_judge(actor, finding, back),
        }
    }

    pub(super) fn sample_row(&self, id: SampleId) -> Result<&Sample> {
        self.engine.view.samples.rows.get(&id).ok_or_else(|| {
            Error::usage(format!("there is no sample '{id}'"))
                .hint("'batchward audit sample list' shows the samples")
        })
    }

    fn sample_draw(
        &mut self,
        actor: &Actor,
        period: &str,
        link: Option<&str>,
        size: Option<u64>,
    ) -> Result<Reply> {
        let asked = CalendarPeriod::parse(period).ok_or_else(|| {
            Error::usage("this is no period of the calendar")
                .hint("2026-11 for a month, 2026-H2 for half a year, 2026-Q4, 2026")
        })?;
        let wanted = self.wanted(&asked, link)?;
        let end = asked.end(self.engine.rules.zone);
        if self.now() <= end {
            return Err(Error::refused(format!("'{period}' is not over: it ends {}", asked.last))
                .hint("a sample is drawn from the whole of its period"));
        }
        let (drawn, left): (Vec<Wanted>, Vec<Wanted>) =
            wanted.into_iter().partition(|one| self.engine.view.samples.of(&one.key).is_some());
        if left.is_empty() {
            let known = drawn.first().and_then(|one| self.engine.view.samples.of(&one.key));
            let id = known.map(|(id, _)| id.to_string()).unwrap_or_default();
            return Err(Error::refused(format!("'{period}' was drawn already: '{id}'"))
                .hint("a sample is drawn once; 'batchward audit sample list' shows it"));
        }
        let mut made = Vec::with_capacity(left.len());
        let mut signed = actor.signed.clone();
        for one in left {
            made.push(self.draw_one(actor, &one, size, signed.take())?);
        }
        self.engine.drive()?;
        Ok(self.drawn_reply(&made))
    }

    fn drawn_reply(&self, made: &[SampleId]) -> Reply {
        let rows = made.iter().filter_map(|id| self.engine.view.samples.rows.get(id));
        let (mut counted, mut size, mut refused) = (0, 0, 0);
        for row in rows {
            counted += row.terms.counted;
            size += row.terms.size;
            refused += row.refused.values().map(Vec::len).sum::<usize>();
        }
        let ids: Vec<String> = made.iter().map(ToString::to_string).collect();
        let message = format!(
            "{size} of {counted} are drawn, and {refused} that were refused are in it beside them"
        );
        Reply::new(&ids.join(" "), message)
            .next("look through it: 'batchward audit sample show', then 'batchward audit review'")
    }

    /// The samples that a period is owed of a link, or of every one.
    fn wanted(&self, asked: &CalendarPeriod, link: Option<&str>) -> Result<Vec<Wanted>> {
        let links = &self.engine.rules.links;
        let named: Vec<&Link> = match link {
            Some(name) => vec![links.get(name).ok_or_else(|| no_link(name))?],
            None => links.values().collect(),
        };
        let end = asked.end(self.engine.rules.zone);
        let mut wanted = Vec::new();
        let mut periods: Vec<String> = Vec::new();
        for one in named {
            let Some(policy) = self.engine.rules.policy_of(one) else { continue };
            if self.engine.view.link_since(&one.name).is_some_and(|since| since > end) {
                continue;
            }
            for rule in policy.further.sampling.of_link(one.kinship) {
                let of = CalendarPeriod::of(asked.first, rule.period);
                match of.filter(|of| of == asked) {
                    Some(period) => wanted.push(Wanted {
                        key: (one.name.clone(), rule.class, period.name.clone()),
                        rule: rule.clone(),
                        policy: policy.name.clone(),
                        period,
                    }),
                    None => periods.extend(
                        CalendarPeriod::of(asked.first, rule.period).map(|period| period.name),
                    ),
                }
            }
        }
        if wanted.is_empty() {
            periods.dedup();
            let error = Error::refused(format!("no policy asks for a sample of '{}'", asked.name));
            return Err(if periods.is_empty() {
                error
            } else {
                error.hint(format!("it is drawn by: {}", periods.join(", ")))
            });
        }
        Ok(wanted)
    }

    fn draw_one(
        &mut self,
        actor: &Actor,
        wanted: &Wanted,
        size: Option<u64>,
        signed: Option<Signed>,
    ) -> Result<SampleId> {
        let (rule, key) = (&wanted.rule, &wanted.key);
        let zone = self.engine.rules.zone;
        let from = Timestamp::start_of_day(wanted.period.first, zone);
        let until = wanted.period.end(zone);
        let population = self.population(&key.0, (from, until), rule.counted)?;
        let counted = sampling::count(rule.counted, &population.items);
        let least = rule.size.of(counted);
        if let Some(asked) = size.filter(|asked| *asked < least) {
            return Err(Error::refused(format!(
                "{asked} of {counted} are fewer than the policy '{}' asks for: {least} ({})",
                wanted.policy, rule.clause
            )));
        }
        let size = size.unwrap_or(least).min(counted);
        // Where no entry of the period bound the agent to a seed, it is bound now, and the sample says so.
        self.engine.seal_seed(key)?;
        let seed = self.engine.seed(key)?;
        let sealed = self.engine.view.samples.sealed.get(key).map(|(mark, _)| mark.seq);
        let root = self.engine.ports.journal.root_at(Log::Access, population.tree_size)?;
        let drawn = sampling::draw(rule.counted, &population.items, seed, root, size);
        let terms = SampleTerms {
            link: key.0.clone(),
            class: key.1,
            period: key.2.clone(),
            from,
            until,
            policy: wanted.policy.clone(),
            clause: rule.clause.clone(),
            unit: rule.counted,
            rule: rule.size,
            counted,
            size,
            population: population_digest(&population)?,
            tree_size: population.tree_size,
            root,
            seed,
            sealed: sealed.unwrap_or_default(),
            unread: population.unread.clone(),
        };
        let sample = self.engine.view.samples.next();
        let parts = listed(sample, &population, &drawn);
        let head = SampleDrawn { sample, terms, parts: parts.len() as u64, signed };
        let mut bodies = vec![Body::SampleDrawn(head)];
        bodies.extend(parts.into_iter().map(Body::SampleListed));
        // One commit: a stop leaves the whole sample or nothing of it.
        self.engine.record_all(actor.name(), bodies)?;
        // A stop here leaves a seed in the key store that the register tells everybody.
        self.engine.drop_seed(key, &sample.to_string())?;
        Ok(sample)
    }

    /// When a sample was bound only after what it is drawn from had begun.
    fn bound_late(&self, key: &SampleKey, terms: &SampleTerms) -> Option<Timestamp> {
        let (mark, _) = self.engine.view.samples.sealed.get(key)?;
        (mark.at > terms.until).then_some(mark.at)
    }

    /// The rule of a link's samples, of the class that a sample has.
    fn kept_until(&self, link: &str, policy: &str, since: Timestamp) -> Option<Timestamp> {
        let policy = self.engine.rules.policy_for(link, policy)?;
        let kept = policy.further.sampling.retention.as_ref();
        let period = kept.map_or(policy.register.value, |rule| rule.value);
        Some(period.after(since, self.engine.rules.zone))
    }
}

/// SHA-256 of what was counted, as a proof lists it.
fn population_digest(population: &Population) -> Result<Digest> {
    let bytes = entry::canonical(&population.items)
        .map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
    Ok(Digest::of(&bytes))
}

/// What was drawn, and what was refused, in entries of bounded length.
fn listed(sample: SampleId, population: &Population, drawn: &[u64]) -> Vec<SampleListed> {
    let chosen = drawn.iter().filter_map(|place| Some((population.who.get(place)?, *place, true)));
    let refused = population.refused.iter();
    let refused = refused.flat_map(|(who, places)| places.iter().map(move |at| (who, *at, false)));
    let all: Vec<(&String, u64, bool)> = chosen.chain(refused).collect();
    let part = |some: &[(&String, u64, bool)]| {
        let mut part = SampleListed { sample, drawn: BTreeMap::new(), refused: ByAccount::new() };
        for (who, place, is_drawn) in some {
            let into = if *is_drawn { &mut part.drawn } else { &mut part.refused };
            into.entry((*who).clone()).or_default().push(*place);
        }
        part
    };
    all.chunks(PART_PLACES).map(part).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::domain::entry::Entry;

    #[test]
    fn a_part_fits_into_an_entry_where_every_asking_is_of_another_account_with_the_longest_name() {
        let mut population = Population::default();
        let first = u64::MAX - 5_000;
        for place in first..u64::MAX {
            population.who.insert(place, format!("{place:a>32}"));
        }
        let drawn: Vec<u64> = population.who.keys().copied().collect();
        let parts = listed(SampleId::new(u64::MAX), &population, &drawn);
        assert_eq!(parts.iter().map(|part| part.drawn.len()).sum::<usize>(), 5_000);
        for part in parts {
            let by = "a".repeat(32);
            let at = Timestamp::from_millis(1_800_000_000_000);
            Entry { v: 1, at, by, deputy: None, uid: None, body: Body::SampleListed(part) }
                .to_bytes()
                .unwrap();
        }
    }
}
