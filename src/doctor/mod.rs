//! `check` as a doctor: what is wrong with a site or with the machine under it, why that matters, and what mends it.
//!
//! Facts come in as plain values ([`facts`]) and findings go out: nothing here looks at the machine, so that each
//! judgement is tried with facts of machines that no test could be run on. What cannot be found out is told as that,
//! never as well. Only what keeps the agent from starting is a fault; everything else is told and decides nothing.

mod copies;
mod disks;
pub mod facts;
mod machine;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use disks::allows;
use facts::Facts;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The agent does not start with it: `check` ends with 78.
    Fault,
    /// It weakens what the site promises.
    Warning,
    /// Good to know.
    Remark,
}

impl Severity {
    /// The word as it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Warning => "warning",
            Self::Remark => "remark",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Its kind, such as `swap-plain`.
    pub code: &'static str,
    /// What was found, and where.
    pub what: String,
    /// Why it matters, in one clause.
    pub why: &'static str,
    /// The command or the edit that mends it.
    pub fix: Option<String>,
}

impl Finding {
    /// A finding without a fix.
    #[must_use]
    pub fn new(
        severity: Severity,
        code: &'static str,
        what: impl Into<String>,
        why: &'static str,
    ) -> Self {
        Self { severity, code, what: what.into(), why, fix: None }
    }

    /// With its fix.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Every finding, the worst first.
#[must_use]
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut found = disks::judge(facts);
    found.extend(copies::judge(facts));
    found.extend(machine::judge(facts));
    found.sort_by_key(|finding| finding.severity);
    found
}

fn warning(code: &'static str, what: impl Into<String>, why: &'static str) -> Finding {
    Finding::new(Severity::Warning, code, what, why)
}

fn remark(code: &'static str, what: impl Into<String>, why: &'static str) -> Finding {
    Finding::new(Severity::Remark, code, what, why)
}
