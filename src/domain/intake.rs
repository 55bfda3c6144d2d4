//! From the load of a batch to its use: who seals that it is provided (TPH-6.2), who confirms it (TY-4.2.1), and what came
//! of the comparison of its counts (TPH-6.3).

use serde::{Deserialize, Serialize};

use super::{accounts::Role, words::words};

words! {
    /// Who puts his seal to the form before a batch is provided (提供).
    Seal {
        /// The handler, who fills it in (業務單位承辦人).
        Handler = "handler",
        /// The IT handler (資訊室承辦人), here the custodian.
        Custodian = "custodian",
        /// The responsible officer (權責人員), here the supervisor.
        Supervisor = "supervisor",
    }
    /// When a custodian confirms that a batch is whole.
    ConfirmAt {
        /// Nobody has to: the checks decide.
        None = "none",
        /// After its load; nobody reads it before.
        AfterLoad = "after-load",
        /// Before its load; nothing loads before.
        BeforeLoad = "before-load",
    }
    /// When counts may be called the same.
    CompareRule {
        /// The handler judges: a person may be in the data several times, or not at all.
        Judged = "judged",
        /// No more records came than were applied for.
        AtMost = "at-most",
        /// As many records came as were applied for.
        Equal = "equal",
    }
    /// What a comparison came to.
    Compared {
        /// They are the same, as far as they have to be.
        Match = "match",
        /// They are not.
        Mismatch = "mismatch",
    }
}

impl Seal {
    /// The role whose seal it is.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Handler => Role::Handler,
            Self::Custodian => Role::Custodian,
            Self::Supervisor => Role::Supervisor,
        }
    }
}

impl CompareRule {
    /// Whether counts may be called the same under this rule.
    #[must_use]
    pub const fn lets_match(self, applied: u64, received: u64) -> bool {
        match self {
            Self::Judged => true,
            Self::AtMost => received <= applied,
            Self::Equal => received == applied,
        }
    }
}

/// What has to be done with a batch before anybody reads it; fixed when it is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Whose seals it needs, in their order; provided at once where nobody's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provide: Vec<Seal>,
    /// Whether a custodian has to confirm it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirm: bool,
}

impl Gate {
    /// Whether it keeps nobody out.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.provide.is_empty() && !self.confirm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_called_the_same_as_far_as_the_rule_lets_them() {
        for (rule, fewer, same, more) in [
            (CompareRule::Judged, true, true, true),
            (CompareRule::AtMost, true, true, false),
            (CompareRule::Equal, false, true, false),
        ] {
            let lets = [19, 20, 21].map(|received| rule.lets_match(20, received));
            assert_eq!(lets, [fewer, same, more], "{rule}");
        }
    }
}
