//! Accounts, configuration and the clock: what an admin proposes and a second person confirms.

use super::{Actor, Reply, Result, Service, clean};
use crate::{
    domain::{
        accounts::Role,
        calendar,
        entry::{AGENT, AccountEditConfirmed, AccountEditProposed, AccountFacts, Body},
        lifecycle::CopyState,
        person::Persona,
        view::{Account, CopyKind, CopyRow},
    },
    error::{Error, Exit},
};

impl Service {
    pub(super) fn account_add(&mut self, actor: &Actor, facts: AccountFacts) -> Result<Reply> {
        let name = facts.name.clone();
        let shaped = !name.is_empty()
            && name.len() <= 32
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
        if !shaped || name == AGENT {
            return Err(Error::usage(format!("'{name}' is no name for an account"))
                .hint("up to 32 of a-z, 0-9, '.', '_', '-'; not 'agent'"));
        }
        clean(&name)?;
        for text in [&facts.display, &facts.title, &facts.unit].into_iter().flatten() {
            clean(text)?;
        }
        if facts.roles.is_empty() {
            return Err(Error::usage("an account needs a role"));
        }
        if facts.roles.contains(&Role::Service) {
            let bare = facts.roles == [Role::Service] && facts.key.is_none();
            if !bare || facts.unix.is_none() {
                return Err(Error::usage(
                    "the account of a service has that role alone, a unix user, and no key",
                )
                .hint("--role service --unix-user NAME: what runs as that user is the service"));
            }
        }
        // Who decides on paper alone needs neither: such an account can do nothing here.
        let on_paper = facts.roles == [Role::Supervisor];
        if facts.key.is_none() && facts.unix.is_none() && !on_paper {
            return Err(Error::usage("an account needs a signing key or a unix user")
                .hint("--sign-key FILE.pub, --unix-user NAME"));
        }
        self.own_identity(&facts)?;
        self.apart(&facts)?;
        let body = Body::AccountProposed { account: facts, signed: actor.signed.clone() };
        self.record(actor, body)?;
        Ok(waits_for_a_second(&name))
    }

    /// Another name, title or unit of somebody who stays who he is: what forms showed before they show on, for acts of before.
    /// Nothing else is in the entry, so that it gives back no role that ends before it is confirmed.
    pub(super) fn account_edit(
        &mut self,
        actor: &Actor,
        name: &str,
        asked: Persona,
    ) -> Result<Reply> {
        let view = &self.engine.view;
        let facts = view.account(name).ok_or_else(|| {
            Error::usage(format!("there is no active account '{name}'"))
                .hint("'batchward account list' shows the accounts")
        })?;
        if view.accounts.get(name).is_some_and(|row| row.proposal.is_some()) {
            return Err(Error::refused(format!("facts of '{name}' wait for a second person"))
                .hint(format!("'batchward account confirm {name}' first")));
        }
        let other =
            |new: Option<String>, old: &Option<String>| new.filter(|new| old.as_ref() != Some(new));
        let display = other(asked.display, &facts.display);
        let title = other(asked.title, &facts.title);
        let unit = other(asked.unit, &facts.unit);
        if display.is_none() && title.is_none() && unit.is_none() {
            return Err(Error::usage(format!("nothing about '{name}' would change"))
                .hint("--display NAME, --title TITLE, --unit UNIT"));
        }
        for text in [&display, &title, &unit].into_iter().flatten() {
            clean(text)?;
        }
        let (name, signed) = (name.to_owned(), actor.signed.clone());
        let body = AccountEditProposed { name: name.clone(), display, title, unit, signed };
        self.record(actor, Body::AccountEditProposed(body))?;
        Ok(waits_for_a_second(&name))
    }

    /// Roles that no account may have together under the policy of any link (NTP-6.3a).
    fn apart(&self, facts: &AccountFacts) -> Result<()> {
        let rules = &self.engine.rules;
        for policy in rules.links.values().filter_map(|link| rules.policy_of(link)) {
            let Some(rule) = &policy.further.exclusive else { continue };
            let both =
                |(one, two): &&(Role, Role)| facts.roles.contains(one) && facts.roles.contains(two);
            if let Some((one, two)) = rule.value.iter().find(both) {
                let (one, two) = (one.word(), two.word());
                return Err(Error::refused(format!(
                    "one account cannot be '{one}' and '{two}' under the policy '{}' ({})",
                    policy.name, rule.clause
                ))
                .hint("another person takes one of the roles"));
            }
        }
        Ok(())
    }

    /// One key and one user id belong to one account (DESIGN 5), disabled ones and proposals included.
    fn own_identity(&self, facts: &AccountFacts) -> Result<()> {
        let others = self.engine.view.accounts.iter().filter(|(name, _)| **name != facts.name);
        for (name, account) in others {
            for other in account.facts.iter().chain(account.proposal.as_ref().map(|p| &p.what)) {
                if facts.key.is_some() && facts.key == other.key {
                    return Err(Error::refused(format!(
                        "this key is that of the account '{name}'"
                    )));
                }
                let uid = |f: &AccountFacts| f.unix.as_ref().map(|u| u.uid);
                if uid(facts).is_some() && uid(facts) == uid(other) {
                    return Err(Error::refused(format!(
                        "this unix user is that of the account '{name}'"
                    )));
                }
            }
        }
        Ok(())
    }

    pub(super) fn account_confirm(&mut self, actor: &Actor, name: &str) -> Result<Reply> {
        let row = self.engine.view.accounts.get(name);
        let (by, mark) = row.and_then(Account::waits).ok_or_else(|| {
            Error::usage(format!("nothing about '{name}' waits for a second person"))
        })?;
        if by == actor.name() || name == actor.name() {
            return Err(second_person("confirm this account"));
        }
        let facts = row.and_then(|row| row.proposal.as_ref()).map(|asked| asked.what.clone());
        let (name, proposal, signed) = (name.to_owned(), mark.seq, actor.decision()?);
        let reply = Reply::new(&name, format!("'{name}' is in force"));
        let body = if let Some(facts) = facts {
            self.own_identity(&facts)?;
            Body::AccountConfirmed { name, proposal, signed }
        } else {
            Body::AccountEditConfirmed(AccountEditConfirmed { name, proposal, signed })
        };
        self.record(actor, body)?;
        Ok(reply)
    }

    pub(super) fn account_disable(&mut self, actor: &Actor, name: &str) -> Result<Reply> {
        if !self.engine.view.accounts.contains_key(name) {
            return Err(Error::usage(format!("there is no account '{name}'")));
        }
        let body = Body::AccountDisabled { name: name.to_owned(), signed: actor.signed.clone() };
        self.record(actor, body)?;
        Ok(Reply::new(&name, format!("'{name}' is disabled")))
    }

    pub(super) fn config_propose(&mut self, actor: &Actor) -> Result<Reply> {
        self.look_again()?;
        if self.found.pending.is_empty() {
            return Err(Error::usage("the configuration found is the one in force"));
        }
        self.still_reached()?;
        let body = Body::ConfigProposed {
            config: self.found.digest,
            changes: self.found.pending.clone(),
            signed: actor.signed.clone(),
        };
        self.record(actor, body)?;
        let changes: Vec<String> =
            self.found.pending.iter().map(|c| format!("{}: {}", c.file, c.code)).collect();
        let message = format!("waits for a second person: {}", changes.join(", "));
        Ok(Reply::new(&self.found.digest, message)
            .next("another admin or a supervisor runs 'batchward config confirm'"))
    }

    pub(super) fn config_confirm(&mut self, actor: &Actor) -> Result<Reply> {
        let proposal = self
            .engine
            .view
            .config_proposal
            .clone()
            .ok_or_else(|| Error::usage("no configuration waits for a second person"))?;
        if proposal.by == actor.name() {
            return Err(second_person("confirm this configuration"));
        }
        let (config, _) = proposal.what;
        self.look_again()?;
        if config != self.found.digest {
            return Err(Error::refused("the files changed since the configuration was proposed")
                .hint("propose it again: 'batchward config propose'"));
        }
        self.still_named()?;
        self.still_reached()?;
        let apply = self.to_apply_for();
        let body = Body::ConfigConfirmed {
            proposal: proposal.mark.seq,
            config,
            apply,
            signed: actor.decision()?,
        };
        self.engine.record(actor.name(), body)?;
        // A stop here: the register says that this configuration is in force; the next start adopts it.
        self.configuration.adopt()?;
        self.engine.rules = self.found.rules.clone();
        self.engine.turn_to_now();
        self.engine.adopt_links()?;
        self.found.pending.clear();
        self.engine.drive()?;
        Ok(Reply::new(&config, "the configuration is in force"))
    }

    /// Loaded data in a database can be read and destroyed there alone: it is left only when none are in it, and no load is
    /// under way.
    fn still_reached(&self) -> Result<()> {
        let (now, then) = (&self.found.rules.vault_place, &self.engine.rules.vault_place);
        let Some(place) = then.as_ref().filter(|_| now != then) else { return Ok(()) };
        let there = |row: &CopyRow| {
            row.kind == CopyKind::Vault && row.state != CopyState::Destroyed && row.in_database
        };
        match self.engine.view.copies.values().filter(|row| there(row)).count() {
            0 => Ok(()),
            many => {
                let what = format!(
                    "'vault' names another place, and '{place}' has {many} tables of batches"
                );
                Err(Error::refused(what).hint("put it back, and destroy those batches first"))
            }
        }
    }

    /// A batch that is not closed needs its link, its layout and its policy: they say when it must go.
    fn still_named(&self) -> Result<()> {
        let rules = &self.found.rules;
        let lost = self.engine.view.open_batches().map(|(_, row)| row).find(|row| {
            !rules.links.contains_key(&row.link)
                || !rules.policies.contains_key(&row.facts.policy)
                || !rules.layouts.contains_key(&row.facts.layout)
        });
        lost.map_or(Ok(()), |row| {
            let what = format!(
                "a batch of '{}' that is not closed needs its link, layout and policy",
                row.link
            );
            Err(Error::refused(what)
                .hint("put the files back; terminate the link instead: 'status: terminated'"))
        })
    }

    pub(super) fn clock_confirm(&mut self, actor: &Actor) -> Result<Reply> {
        if !self.engine.view.time_doubted {
            return Err(Error::usage("the clock is not in doubt"));
        }
        let now = self.engine.ports.clock.now();
        self.record(actor, Body::TimeConfirmed { signed: actor.signed.clone() })?;
        let now = calendar::time(now, self.engine.rules.zone);
        Ok(Reply::new(&"clock", format!("the time {now} is confirmed")))
    }
}

fn waits_for_a_second(name: &str) -> Reply {
    Reply::new(&name, format!("'{name}' waits for a second person"))
        .next(format!("another admin or a supervisor runs 'batchward account confirm {name}'"))
}

/// What everybody hears who would decide on their own.
pub(super) fn second_person(what: &str) -> Error {
    Error::new(Exit::Refused, format!("you cannot {what}: it is your own"))
        .hint("nobody decides alone; ask a second person to run this command with their own key")
}
