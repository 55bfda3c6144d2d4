//! The review of accounts (帳號清查): each account with what is wrong with it, and what two people make of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Service, roster::RosterRow};
use crate::{
    domain::{
        accounts::Role,
        calendar,
        entry::{AccountsReviewConfirmed, AccountsReviewed, Body},
        people::{AccountFault, AccountVerdict},
        time::{Period, Timestamp},
        view::AccountLedger,
    },
    error::Error,
    service::{Actor, Reply, Result, administration::second_person, forms::Source},
};

/// An account in a review.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReviewLine {
    /// The account, as the roster has it.
    pub account: RosterRow,
    /// What is wrong with it.
    pub faults: Vec<AccountFault>,
    /// The other accounts of the same person.
    pub alike: Vec<String>,
    /// What the last review came to.
    pub verdict: Option<AccountVerdict>,
    /// Why.
    pub reason: Option<AccountFault>,
}

/// The review of accounts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReviewPage {
    /// Where it comes from.
    pub source: Source,
    /// Who may make it, by policy: policy, clause, roles.
    pub reviewers: Vec<(String, String, Vec<Role>)>,
    /// After how long an account is idle, and the clause.
    pub idle: Option<(String, String)>,
    /// The accounts that are in force, and those that the last review ended.
    pub accounts: Vec<ReviewLine>,
    /// When the last review was made.
    pub made: Option<Timestamp>,
    /// By whom.
    pub made_by: Option<String>,
    /// When it was confirmed.
    pub confirmed: Option<Timestamp>,
    /// By whom.
    pub confirmed_by: Option<String>,
}

/// Since when an account has done nothing: its last act, or the beginning of its force.
pub(super) fn idle_since(ledger: &AccountLedger) -> Option<Timestamp> {
    ledger.seen.into_iter().chain(ledger.effective).max()
}

impl Service {
    /// The shortest time after which a policy in force calls an account idle, and its clause.
    fn idle_rule(&self) -> Option<(Period, String)> {
        let rules = self.policies_over(None).filter_map(|p| p.further.people.idle.as_ref());
        let now = self.now();
        let zone = self.engine.rules.zone;
        let shortest = rules.min_by_key(|rule| rule.value.after(now, zone));
        shortest.map(|rule| (rule.value, rule.clause.clone()))
    }

    /// What stands in the review.
    ///
    /// # Errors
    /// A store cannot be read.
    pub fn review_page(&self) -> Result<ReviewPage> {
        let view = &self.engine.view;
        let last = view.people.reviews.values().next_back();
        let idle = self.idle_rule();
        let period = idle.as_ref().map(|(period, _)| *period);
        let mut persons: BTreeMap<(String, Option<String>), Vec<String>> = BTreeMap::new();
        for (name, account) in &view.accounts {
            let Some(facts) = account.active() else { continue };
            if let Some(display) = &facts.display {
                let person = (display.clone(), facts.unit.clone());
                persons.entry(person).or_default().push(name.clone());
            }
        }
        let mut reviewers: Vec<(String, String, Vec<Role>)> = Vec::new();
        for policy in self.policies_over(None) {
            let Some(rule) = &policy.further.people.reviewers else { continue };
            let row = (policy.name.clone(), rule.clause.clone(), rule.value.clone());
            if !reviewers.contains(&row) {
                reviewers.push(row);
            }
        }
        let ended = |name: &String| {
            last.is_some_and(|r| r.suspend.contains_key(name) || r.revoke.contains_key(name))
        };
        let accounts = view
            .accounts
            .iter()
            .filter(|(name, account)| account.active().is_some() || ended(name));
        let accounts = accounts.map(|(name, account)| {
            let facts = account.facts.as_ref();
            let display = facts.and_then(|f| Some((f.display.clone()?, f.unit.clone())));
            let alike = display.and_then(|person| persons.get(&person)).into_iter().flatten();
            let alike: Vec<String> = alike.filter(|other| *other != name).cloned().collect();
            let (verdict, reason) = last.map_or((None, None), |review| {
                let rests = review.suspend.get(name).copied();
                let ends = review.revoke.get(name).copied();
                let stays = review.keep.contains(name).then_some(AccountVerdict::Keep);
                let verdict = rests.map(|_| AccountVerdict::Suspend);
                let verdict = verdict.or(ends.map(|_| AccountVerdict::Revoke)).or(stays);
                (verdict, rests.or(ends))
            });
            let mut faults = self.faults(name, period);
            if !alike.is_empty() {
                faults.insert(0, AccountFault::Duplicate);
            }
            ReviewLine { account: self.roster_row(name), faults, alike, verdict, reason }
        });
        Ok(ReviewPage {
            source: self.source()?,
            reviewers,
            idle: idle.map(|(period, clause)| (period.iso(), clause)),
            accounts: accounts.collect(),
            made: last.map(|review| review.mark.at),
            made_by: last.map(|review| review.by.clone()),
            confirmed: last.and_then(|review| Some(review.confirmed.as_ref()?.1.at)),
            confirmed_by: last.and_then(|review| Some(review.confirmed.as_ref()?.0.clone())),
        })
    }

    /// What is wrong with an account by itself: nobody uses it, or its person leaves.
    fn faults(&self, name: &str, idle: Option<Period>) -> Vec<AccountFault> {
        let people = &self.engine.view.people;
        let mut faults = Vec::new();
        let ledger = people.ledger.get(name);
        let since = ledger.and_then(idle_since);
        let (now, zone) = (self.now(), self.engine.rules.zone);
        if let (Some(since), Some(idle)) = (since, idle)
            && idle.after(since, zone) < now
        {
            faults.push(AccountFault::Idle);
        }
        let effective = ledger.and_then(|row| row.effective);
        // Who was taken up again since then has not left.
        let of = people.changes.values().filter(|row| {
            row.name == name && effective.is_none_or(|effective| effective <= row.known.1.at)
        });
        let left: BTreeSet<AccountFault> = of.filter_map(|row| row.reason.fault()).collect();
        faults.extend(left);
        faults
    }

    pub(super) fn account_review(
        &mut self,
        actor: &Actor,
        keep: Vec<String>,
        suspend: BTreeMap<String, AccountFault>,
        revoke: BTreeMap<String, AccountFault>,
    ) -> Result<Reply> {
        self.may_review(actor)?;
        let view = &self.engine.view;
        let all = keep.iter().chain(suspend.keys()).chain(revoke.keys());
        let mut named: BTreeSet<&String> = BTreeSet::new();
        for name in all {
            if view.account(name).is_none() {
                return Err(Error::usage(format!("there is no active account '{name}'")));
            }
            if !named.insert(name) {
                return Err(Error::usage(format!("'{name}' is named twice")));
            }
        }
        let active = view.accounts.iter().filter(|(_, account)| account.active().is_some());
        let missing: Vec<&str> = active
            .filter(|(name, _)| !named.contains(name))
            .map(|(name, _)| name.as_str())
            .take(10)
            .collect();
        if !missing.is_empty() {
            return Err(Error::usage(format!("not in the review: {}", missing.join(", ")))
                .hint("a review says of each account what becomes of it"));
        }
        let admin = |name: &&String| {
            view.account(name).is_some_and(|facts| facts.roles.contains(&Role::Admin))
        };
        if !keep.iter().any(|name| admin(&name)) {
            return Err(Error::refused("no admin would be left")
                .hint("another admin comes first: 'batchward account add', 'account confirm'"));
        }
        let ends = suspend.len() + revoke.len();
        let signed = actor.decision()?;
        let body = AccountsReviewed { keep, suspend, revoke, signed };
        self.record(actor, Body::AccountsReviewed(body))?;
        Ok(Reply::new(&"accounts", format!("the accounts are reviewed; {ends} have ended or rest"))
            .next("a second person runs 'batchward account review --confirm'"))
    }

    /// Who makes a review, or confirms it, has a role that some policy in force names for it.
    fn may_review(&self, actor: &Actor) -> Result<()> {
        let mut asked = Vec::new();
        let rules = self.policies_over(None).filter_map(|p| p.further.people.reviewers.as_ref());
        for rule in rules {
            if rule.value.iter().any(|role| actor.facts.roles.contains(role)) {
                return Ok(());
            }
            for role in &rule.value {
                let word = format!("{} ({})", role.word(), rule.clause);
                if !asked.contains(&word) {
                    asked.push(word);
                }
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        Err(Error::refused(format!("'{}' may not review the accounts", actor.name()))
            .hint(format!("this needs one of the roles: {}", asked.join(", "))))
    }

    pub(super) fn accounts_review_confirm(&mut self, actor: &Actor) -> Result<Reply> {
        let Some((review, row)) = self.engine.view.people.reviews.iter().next_back() else {
            return Err(Error::usage("no review waits for a second person"));
        };
        if row.confirmed.is_some() {
            return Err(Error::usage("no review waits for a second person"));
        }
        if row.by == actor.name() {
            return Err(second_person("confirm this review"));
        }
        let (review, made) = (*review, row.mark.at);
        let body = AccountsReviewConfirmed { review, signed: actor.decision()? };
        self.record(actor, Body::AccountsReviewConfirmed(body))?;
        let made = calendar::time(made, self.engine.rules.zone);
        Ok(Reply::new(&"accounts", format!("the review of {made} is confirmed")))
    }
}
