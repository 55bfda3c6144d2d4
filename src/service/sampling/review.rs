//! Looking through a sample: who may, with whom, and what comes of it.

use std::collections::BTreeSet;

use super::{Actor, Noted, Reply, Result, Service};
use crate::{
    domain::{
        accounts::Role,
        entry::{AccountFacts, Body, FindingFacts, ReviewConfirmed, SampleReviewed},
        ids::SampleId,
        limits,
        policy::{Policy, sampling::SamplingRule},
        sampling::{Office, Rotation},
        view::Sample,
    },
    error::{Error, Exit},
    service::stated,
};

impl Service {
    pub(super) fn sample_review(
        &mut self,
        actor: &Actor,
        id: SampleId,
        on: &[u64],
        (finding, with): (Option<Noted>, Option<String>),
    ) -> Result<Reply> {
        let row = self.sample_row(id)?;
        // What waits for the other one's word counts for nothing, and is given up by this: nobody keeps others waiting.
        let free = row.open.clone();
        if let Some(place) = on.iter().find(|place| !row.places().contains(*place)) {
            return Err(Error::usage(format!("entry {place} is not in '{id}'"))
                .hint(format!("'batchward audit sample show {id}' shows what is")));
        }
        let places: BTreeSet<u64> =
            if on.is_empty() { free.clone() } else { on.iter().copied().collect() };
        if places.is_empty() || !places.is_subset(&free) {
            return Err(Error::usage(format!("this of '{id}' was looked through already")));
        }
        let rule = self.sampling_rule(&row.terms.link, &row.terms.policy)?;
        let with_facts = with.as_deref().map(|name| self.fellow(actor, name)).transpose()?;
        self.not_their_own(row, &places, (actor.name(), with.as_deref()))?;
        self.takes_turns(row, &places, rule, (actor.name(), with.as_deref()))?;
        together(rule, finding.is_some(), &actor.facts, with_facts)?;
        let finding = match finding {
            Some(noted) => {
                let (link, policy) = (row.terms.link.clone(), row.terms.policy.clone());
                Some(self.finding_facts(link, &policy, &noted, row.terms.clause.clone())?)
            }
            None => None,
        };
        let found = finding.as_ref().map(|facts| facts.finding);
        // What is looked through is named: what is left may be another thing when this is entered.
        let on: Vec<u64> = places.into_iter().collect();
        let count = on.len();
        let signed = actor.signed.clone();
        let mut body = SampleReviewed { sample: id, on, finding, with: with.clone(), signed };
        if !fits(&body) {
            if count != free.len() {
                return Err(Error::usage("this names more entries than one review takes")
                    .hint("--on names some of them; what is left is another review"));
            }
            // Without a name it is everything that is left, which the fold takes at this very entry.
            body.on.clear();
        }
        self.record(actor, Body::SampleReviewed(body))?;
        let left = self.sample_row(id)?.open.len();
        let reply = Reply::new(&id, format!("{count} are looked through, {left} are left"));
        Ok(match (with, found) {
            (Some(other), _) => {
                reply.next(format!("'{other}' runs 'batchward audit confirm {id}'"))
            }
            (None, Some(finding)) => {
                reply.next(format!("it is corrected: 'batchward audit finding correct {finding}'"))
            }
            (None, None) => reply,
        })
    }

    pub(super) fn sample_confirm(&mut self, actor: &Actor, id: SampleId) -> Result<Reply> {
        let row = self.sample_row(id)?;
        let waiting = row
            .waiting()
            .ok_or_else(|| Error::usage(format!("no review of '{id}' waits for anybody")))?;
        if waiting.with.as_deref() != Some(actor.name()) {
            let other = waiting.with.clone().unwrap_or_default();
            return Err(Error::refused(format!("this review waits for '{other}'")));
        }
        let (review, signed) = (waiting.mark.seq, actor.decision()?);
        let found = waiting.finding.as_ref().map(|facts| facts.finding);
        let confirmed = ReviewConfirmed { sample: id, review, signed };
        self.record(actor, Body::ReviewConfirmed(confirmed))?;
        let reply = Reply::new(&id, "the review counts");
        Ok(match found {
            Some(finding) => {
                reply.next(format!("it is corrected: 'batchward audit finding correct {finding}'"))
            }
            None => reply,
        })
    }

    pub(super) fn sampling_rule(&self, link: &str, policy: &str) -> Result<&SamplingRule> {
        let found: Option<&Policy> = self.engine.rules.policy_for(link, policy);
        found.map(|found| &found.further.sampling).ok_or_else(|| {
            Error::new(Exit::Config, format!("the policy '{policy}' is not there any more"))
        })
    }

    /// The other account: an auditor as well.
    fn fellow(&self, actor: &Actor, name: &str) -> Result<&AccountFacts> {
        let facts = self.engine.view.account(name);
        let facts = facts.filter(|facts| facts.roles.contains(&Role::Auditor));
        let facts = facts.ok_or_else(|| {
            Error::usage(format!("'{name}' is no active account of an auditor"))
                .hint("'batchward account list' shows the accounts")
        })?;
        if facts.name == actor.name() {
            return Err(Error::refused("a second person has to look through it as well"));
        }
        Ok(facts)
    }

    /// Nobody audits their own acts.
    fn not_their_own(
        &self,
        row: &Sample,
        places: &BTreeSet<u64>,
        (by, with): (&str, Option<&str>),
    ) -> Result<()> {
        let own = |place: &&u64| {
            let who = row.whose(**place);
            who.is_some() && (who == Some(by) || who == with)
        };
        let own: Vec<String> = places.iter().filter(own).map(ToString::to_string).collect();
        if own.is_empty() {
            return Ok(());
        }
        Err(Error::refused(format!(
            "nobody audits their own acts: {} of what is to be reviewed",
            own.len()
        ))
        .hint(format!("another auditor looks through {}: --on names places", own.join(", "))))
    }

    /// 受查人員不得連續由同一查核人員進行查核 (NT-5.2); 定期輪調 (TYA2-6.4).
    fn takes_turns(
        &self,
        row: &Sample,
        places: &BTreeSet<u64>,
        rule: &SamplingRule,
        (by, with): (&str, Option<&str>),
    ) -> Result<()> {
        let Some(turns) = &rule.rotation else { return Ok(()) };
        let reviewed: BTreeSet<&str> = places.iter().filter_map(|at| row.whose(*at)).collect();
        for account in reviewed {
            let before = self.engine.view.samples.last_reviewers(account, &row.terms.period);
            let again = [Some(by), with].into_iter().flatten();
            let mut again = again.filter(|one| before.is_some_and(|all| all.contains(*one)));
            let Some(reviewer) = again.next() else { continue };
            let free = match turns.value {
                Rotation::None => continue,
                Rotation::NeverTwiceRunning => true,
                // Where there is nobody else, the same one has to.
                Rotation::Rotate => self.another_auditor(account, before),
            };
            if free {
                return Err(Error::refused(format!(
                    "'{reviewer}' reviewed '{account}' the last time ({})",
                    turns.clause
                ))
                .hint("another auditor reviews it"));
            }
        }
        Ok(())
    }

    fn another_auditor(&self, account: &str, before: Option<&BTreeSet<String>>) -> bool {
        self.engine.view.accounts.keys().filter_map(|name| self.engine.view.account(name)).any(
            |facts| {
                facts.roles.contains(&Role::Auditor)
                    && facts.name != account
                    && before.is_none_or(|before| !before.contains(&facts.name))
            },
        )
    }

    /// What was found, with its number and the day by which it has to be corrected.
    pub(super) fn finding_facts(
        &self,
        link: String,
        policy: &str,
        noted: &Noted,
        clause: String,
    ) -> Result<FindingFacts> {
        stated("the finding", &noted.code)?;
        let (now, zone) = (self.now(), self.engine.rules.zone);
        let within = self.sampling_rule(&link, policy)?.correct_within.as_ref();
        let by_policy = within.map(|rule| rule.value.after(now, zone));
        let correct_by = noted.correct_by.or(by_policy).ok_or_else(|| {
            Error::usage("it is not said by when it has to be corrected").hint("--correct-by DATE")
        })?;
        if correct_by <= now {
            return Err(Error::usage("the day of the correction has passed"));
        }
        let finding = self.engine.view.samples.next_finding();
        Ok(FindingFacts { finding, link, code: noted.code.clone(), correct_by, clause })
    }
}

/// Whether an entry of the register takes it.
fn fits(body: &SampleReviewed) -> bool {
    let bytes = serde_json::to_vec(body).map_or(usize::MAX, |bytes| bytes.len());
    bytes <= limits::ENTRY_BYTES_MAX - 1_000
}

/// The offices that the policy wants at a review are there.
fn together(
    rule: &SamplingRule,
    found: bool,
    by: &AccountFacts,
    with: Option<&AccountFacts>,
) -> Result<()> {
    let team = rule.team.iter();
    let joint = rule.joint.iter().filter(|_| found);
    for wanted in team.chain(joint).filter(|wanted| !wanted.value.is_empty()) {
        let words: Vec<&str> = wanted.value.iter().map(|office| office.word()).collect();
        let Some(with) = with else {
            return Err(Error::refused(format!(
                "this is done together with: {} ({})",
                words.join(", "),
                wanted.clause
            ))
            .hint("--with ACCOUNT names the other one, who then runs 'batchward audit confirm'"));
        };
        let offices = [by, with].map(|facts| facts.unit.as_deref().and_then(Office::of_unit));
        let met = |office: &Office| offices.iter().flatten().any(|one| office.is_met_by(*one));
        if let Some(lacking) = wanted.value.iter().find(|office| !met(office)) {
            return Err(Error::refused(format!(
                "neither '{}' nor '{}' is of the office '{lacking}' ({})",
                by.name, with.name, wanted.clause
            ))
            .hint("the unit of an account says which office it is of"));
        }
    }
    Ok(())
}
