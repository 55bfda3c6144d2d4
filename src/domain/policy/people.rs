//! What a policy says of people: posts, changes of post, training and accounts.

use super::{Rule, length::Length};
use crate::domain::{
    accounts::Role,
    people::{IdleAct, NeededPost},
    time::Period,
};

/// Rules about people, as far as a policy has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleRule {
    /// Posts that must be filled.
    pub posts: Option<Rule<Vec<NeededPost>>>,
    /// Whether nothing is granted and read while nobody is manager (TPE-6).
    pub gate: Option<Rule<bool>>,
    /// How long before a change of post it is applied for (NTP-7.3).
    pub before: Option<Rule<Length>>,
    /// By when offices are told of it afterwards.
    pub after: Option<Rule<Length>>,
    /// Whose changes: `user`, `handler`, `custodian`, `supervisor`.
    pub subjects: Option<Rule<Vec<String>>>,
    /// Which offices are told.
    pub notify: Option<Rule<Vec<String>>>,
    /// By when custody has gone over to the next custodian, from the last day of the one before.
    pub custodian_switch: Option<Rule<Period>>,
    /// Whether one person may be handler and custodian of a link.
    pub same_person: Option<Rule<bool>>,
    /// Hours of training a year.
    pub training_hours: Option<Rule<u64>>,
    /// In which posts they are asked for.
    pub training_posts: Option<Rule<Vec<Role>>>,
    /// By when an application for an account is dealt with.
    pub request_sla: Option<Rule<Length>>,
    /// How often accounts are reviewed.
    pub review: Option<Rule<Period>>,
    /// By whom.
    pub reviewers: Option<Rule<Vec<Role>>>,
    /// After how long an account is idle.
    pub idle: Option<Rule<Period>>,
    /// What happens to it then.
    pub idle_act: Option<Rule<IdleAct>>,
    /// Whether a vendor's accounts need a confidentiality agreement.
    pub nda: Option<Rule<bool>>,
}

impl PeopleRule {
    /// Whether a change of post of somebody with these roles is one that the policy asks to be told of.
    #[must_use]
    pub fn concerns(&self, roles: &[Role]) -> bool {
        let of = |word: &String| word == "user" || roles.iter().any(|role| role.word() == word);
        self.subjects.as_ref().is_none_or(|rule| rule.value.iter().any(of))
    }
}
