//! Who may look things up: every account (DESIGN 10), and nobody else.

use super::{
    Draft, Result, Service,
    query::{Answer, Query},
};
use crate::{
    domain::{
        accounts::Act,
        entry::{AccountFacts, Signed},
    },
    error::Error,
};

/// Who looks something up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onlooker {
    /// The owner of the state folder, who could read all of it without the agent.
    Owner,
    /// A unix user.
    User {
        /// Number.
        uid: u32,
    },
    /// An account that has proven itself on its connection.
    Account {
        /// Name.
        name: String,
    },
}

impl Service {
    /// Looks something up for somebody at the socket. Every account may look (DESIGN 10); nobody else may.
    ///
    /// # Errors
    /// Refused, or as [`Service::ask`].
    pub fn look(&mut self, who: &Onlooker, query: Query) -> Result<Answer> {
        if self.is_known(who) {
            return match query {
                Query::Owed { wanted } => Ok(Box::new(self.duties(&wanted, Some(who))).into()),
                Query::OwedList { wanted } => {
                    Ok(Box::new(self.owed_list(wanted, Some(who))?).into())
                }
                Query::Today { account } => Ok(Box::new(self.today(account, Some(who))?).into()),
                query => self.ask(query),
            };
        }
        Err(match who {
            Onlooker::User { uid } => {
                Error::refused(format!("the user with number {uid} has no account here"))
                    .hint("sign the command: --as NAME --sign-with KEYFILE")
            }
            Onlooker::Account { name } => {
                Error::refused(format!("there is no active account '{name}'"))
            }
            Onlooker::Owner => Error::refused("this is not the owner of the state folder"),
        })
    }

    /// Whether somebody may look things up.
    #[must_use]
    pub fn is_known(&self, who: &Onlooker) -> bool {
        match who {
            Onlooker::Owner => true,
            Onlooker::User { uid } => self.engine.view.account_of_uid(*uid).is_some_and(may_look),
            Onlooker::Account { name } => self.engine.view.account(name).is_some_and(may_look),
        }
    }

    /// Whether an account has signed the challenge of a connection.
    ///
    /// # Errors
    /// Refused.
    pub fn identify(&self, name: &str, signed: &Signed, challenge: &str) -> Result<Onlooker> {
        let account = self.engine.view.account(name);
        let account = account
            .ok_or_else(|| Error::refused(format!("there is no active account '{name}'")))?;
        let key = account
            .key
            .clone()
            .ok_or_else(|| Error::refused(format!("the account '{name}' has no signing key")))?;
        // The challenge is new for each connection, so the signature counts once without being remembered.
        let _verified =
            self.checked(name, signed, &key, &Draft::of_identity(&self.origin()?, challenge))?;
        Ok(Onlooker::Account { name: name.to_owned() })
    }
}

/// Services ask where they may, and look nothing else up.
fn may_look(facts: &AccountFacts) -> bool {
    Act::Look.allowed_to(&facts.roles)
}
