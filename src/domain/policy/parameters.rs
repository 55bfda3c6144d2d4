//! The parameters that a policy may set: one row each, with what it takes and which way is stricter.
//!
//! There is no parameter for what holds under every policy: that nobody decides alone, that every step is in the
//! register before it counts, that a hold beats an approval. A policy file has no word by which it could weaken them. What
//! Batchward does with each value stands in `policies/does.tsv`, held to the code by tests.

use super::{
    length::{Length, Unit},
    value::{Kind, Stricter, Value},
};
use crate::domain::time::Period;

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Group and name, with a full stop between.
    pub key: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Which way is stricter.
    pub stricter: Stricter,
    /// Whether a policy must have it, itself or from a layer beneath.
    pub required: bool,
}

impl Parameter {
    /// The group.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.key.split_once('.').map_or(self.key, |(group, _)| group)
    }

    /// The name in its group.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.key.split_once('.').map_or("", |(_, name)| name)
    }

    /// The parameter of a key.
    #[must_use]
    pub fn of(key: &str) -> Option<&'static Self> {
        PARAMETERS.iter().find(|one| one.key == key)
    }
}

/// What no rule of a parameter means, where that is the strictest there is: without rules for handing on nobody gets
/// anything, and without one for paper nothing is decided on it; so a layer that brings one is judged against this.
#[must_use]
pub fn absent(key: &str) -> Option<Value> {
    match key {
        "decisions.paper" | "handover.recipients" => Some(Value::Words(Vec::new())),
        "handover.provider_doc" | "handover.key_apart" => Some(Value::Yes(true)),
        "handover.vendor_export" => Some(Value::Yes(false)),
        "handover.off_premises" => Some(Value::Word("forbidden".to_owned())),
        "handover.retention" => Some(Value::Length(Length::Calendar(Period::ZERO))),
        _ => None,
    }
}

/// The groups, in the order of the table.
#[must_use]
pub fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&'static str> = Vec::new();
    for parameter in PARAMETERS {
        if groups.last() != Some(&parameter.group()) {
            groups.push(parameter.group());
        }
    }
    groups
}

const DAYS: Kind = Kind::Length { units: &[Unit::Calendar], zero: true, never: false };
const SOME_DAYS: Kind = Kind::Length { units: &[Unit::Calendar], zero: false, never: false };
const DAYS_OR_NEVER: Kind = Kind::Length { units: &[Unit::Calendar], zero: true, never: true };
const WORKING: Kind = Kind::Length { units: &[Unit::WorkingDays], zero: false, never: false };
const ANY_DAYS: Kind =
    Kind::Length { units: &[Unit::Calendar, Unit::WorkingDays], zero: true, never: false };
const HOURS: Kind =
    Kind::Length { units: &[Unit::Clock, Unit::Calendar], zero: false, never: false };
const MINUTES: Kind = Kind::Length { units: &[Unit::Clock], zero: false, never: false };
const ROLES: Kind =
    Kind::Words(&["custodian", "handler", "supervisor", "auditor", "admin", "vendor"]);
const PAPERS: Kind = Kind::Words(super::PAPERS);
const PERCENT: Kind = Kind::Number(0, 100);
/// The offices that are told of something.
pub const OFFICES: &[&str] = &[
    "agency",
    "provider",
    "it-office",
    "ethics-office",
    "ethics-department",
    "research-commission",
    "head",
];
const STARTS: &[&str] = &[
    "link-terminated",
    "use-period-ended",
    "superseded",
    "use-ended",
    "printed-and-filed",
    "import-committed",
    "letter-received",
];

const fn must(key: &'static str, kind: Kind, stricter: Stricter) -> Parameter {
    Parameter { key, kind, stricter, required: true }
}

const fn may(key: &'static str, kind: Kind, stricter: Stricter) -> Parameter {
    Parameter { key, kind, stricter, required: false }
}

/// All of them; those of one group stand together.
#[rustfmt::skip]
pub const PARAMETERS: &[Parameter] = &[
    // What starts the clock of transfer files: of these, the later word comes no later in the life of a batch. What a letter
    // announced is received before it is loaded.
    must("raw_file.start_event", Kind::Word(STARTS), Stricter::Later),
    must("raw_file.retention", DAYS, Stricter::Shorter),
    must("use.retention", DAYS, Stricter::Shorter),
    must("use.superseded", DAYS_OR_NEVER, Stricter::Shorter),
    may("data.min_keep", DAYS, Stricter::Longer),
    may("intake.confirm", Kind::Word(&["none", "after-load", "before-load"]), Stricter::Later),
    may("intake.provide", Kind::Words(&["handler", "custodian", "supervisor"]), Stricter::Further),
    may("intake.compare_rule", Kind::Word(&["judged", "at-most", "equal"]), Stricter::Later),
    may("vendor.retention", DAYS, Stricter::Shorter),
    may("vendor.nda", Kind::Yes, Stricter::True),
    must("destroy.approval", Kind::Word(&["standing", "per-order"]), Stricter::Later),
    must("destroy.requesters", ROLES, Stricter::Fewer),
    must("destroy.approver_roles", ROLES, Stricter::Fewer),
    must("destroy.performers", ROLES, Stricter::Fewer),
    must("destroy.witnesses", ROLES, Stricter::Fewer),
    must("destroy.approvers", Kind::Number(1, 2), Stricter::More),
    must("destroy.cooling_off", DAYS, Stricter::Longer),
    must("destroy.papers", PAPERS, Stricter::Further),
    must("destroy.media_papers", PAPERS, Stricter::Further),
    must("destroy.papers_within", DAYS, Stricter::Shorter),
    may("destroy.notify", Kind::Words(&["agency", "it-office", "ethics-office"]), Stricter::Further),
    may("decisions.paper", Kind::Words(&["destroy", "grant", "copy"]), Stricter::Fewer),
    must("copy.approval", Kind::Word(&["none", "office", "forbidden"]), Stricter::Later),
    may("media.egress", Kind::Word(&["encrypted", "agency-only", "forbidden"]), Stricter::Later),
    must("grant.row_cap", Kind::Number(1, u64::MAX), Stricter::Less),
    must("key.standing", Kind::Yes, Stricter::False),
    may("transfer.containers", Kind::Words(&["age", "zip-aes", "7z", "plain-by-hand"]), Stricter::Fewer),
    must("access_log.retention", SOME_DAYS, Stricter::Longer),
    may("access_log.statistics_retention", SOME_DAYS, Stricter::Longer),
    must("register.retention", SOME_DAYS, Stricter::Longer),
    may("handover.recipients", Kind::Words(&["health-centre", "vendor", "agency"]), Stricter::Fewer),
    may("handover.provider_doc", Kind::Yes, Stricter::True),
    may("handover.off_premises", Kind::Word(&["exception", "forbidden"]), Stricter::Later),
    may("handover.vendor_export", Kind::Always(false), Stricter::False),
    may("handover.key_apart", Kind::Always(true), Stricter::True),
    may("handover.retention", DAYS, Stricter::Shorter),
    may("egress.abroad", Kind::Word(&["document", "forbidden"]), Stricter::Later),
    may("roles.exclusive", Kind::Words(&["auditor-handler", "auditor-admin", "auditor-custodian", "custodian-handler"]), Stricter::Further),
    may("sampling.period", SOME_DAYS, Stricter::Shorter),
    may("sampling.rate", PERCENT, Stricter::More),
    may("sampling.floor", Kind::Number(0, 1000), Stricter::More),
    may("sampling.all_below", Kind::Number(0, 1000), Stricter::More),
    may("sampling.counted", Kind::Word(&["cases", "queries", "records"]), Stricter::Same),
    may("sampling.by_source", Kind::Yes, Stricter::True),
    may("sampling.kinship_period", SOME_DAYS, Stricter::Shorter),
    may("sampling.kinship_rate", PERCENT, Stricter::More),
    may("sampling.retention", SOME_DAYS, Stricter::Longer),
    may("audit.report", SOME_DAYS, Stricter::Shorter),
    may("audit.report_to", Kind::Words(&["head", "ethics-office"]), Stricter::Further),
    may("audit.internal", SOME_DAYS, Stricter::Shorter),
    may("audit.external", SOME_DAYS, Stricter::Shorter),
    may("audit.vendor", SOME_DAYS, Stricter::Shorter),
    may("audit.unannounced", SOME_DAYS, Stricter::Shorter),
    may("audit.reconciliation", SOME_DAYS, Stricter::Shorter),
    may("audit.docpull", Kind::Word(&["march-or-september", "half-yearly"]), Stricter::Same),
    may("audit.retention", SOME_DAYS, Stricter::Longer),
    may("auditor.rotation", Kind::Word(&["none", "rotate", "never-twice-running"]), Stricter::Later),
    may("auditor.team", Kind::Words(&["it-office", "ethics-office"]), Stricter::Further),
    may("auditor.joint", Kind::Words(&["it-office", "ethics-office", "ethics-department"]), Stricter::Further),
    may("auditor.correct_within", SOME_DAYS, Stricter::Shorter),
    may("personnel.posts", Kind::Words(&["custodian", "handler", "supervisor", "manager", "manager-deputy", "auditor", "account-manager"]), Stricter::Further),
    may("personnel.gate", Kind::Yes, Stricter::True),
    may("personnel.before", WORKING, Stricter::Longer),
    may("personnel.after", ANY_DAYS, Stricter::Shorter),
    may("personnel.subjects", Kind::Words(&["user", "handler", "custodian", "supervisor"]), Stricter::Further),
    may("personnel.notify", Kind::Words(OFFICES), Stricter::Further),
    may("personnel.custodian_switch", DAYS, Stricter::Shorter),
    may("personnel.same_person", Kind::Yes, Stricter::False),
    may("training.hours", Kind::Number(0, 100), Stricter::More),
    may("training.posts", ROLES, Stricter::Further),
    may("account.request_sla", WORKING, Stricter::Shorter),
    may("account.self_registration", Kind::Always(false), Stricter::False),
    may("account.review", SOME_DAYS, Stricter::Shorter),
    may("account.reviewers", ROLES, Stricter::Fewer),
    may("account.idle", SOME_DAYS, Stricter::Shorter),
    may("account.idle_act", Kind::Word(&["review", "suspend"]), Stricter::Later),
    may("password.max_age", SOME_DAYS, Stricter::Shorter),
    may("password.min_age", DAYS, Stricter::Longer),
    may("password.history", Kind::Number(0, 100), Stricter::More),
    may("password.classes", Kind::Number(1, 4), Stricter::More),
    may("password.min_len", Kind::Number(1, 128), Stricter::More),
    may("session.idle_logout", MINUTES, Stricter::Shorter),
    may("session.addresses", Kind::Yes, Stricter::True),
    may("session.address_review", SOME_DAYS, Stricter::Shorter),
    may("application.route", Kind::Words(&["manager", "owner", "supervisor", "it-office", "ethics-office", "head"]), Stricter::Further),
    may("application.answer_within", ANY_DAYS, Stricter::Shorter),
    may("link.test", Kind::Yes, Stricter::True),
    may("link.review", SOME_DAYS, Stricter::Shorter),
    may("link.valid_for", SOME_DAYS, Stricter::Shorter),
    may("papers.within", ANY_DAYS, Stricter::Shorter),
    may("papers.agency_rules", Kind::Yes, Stricter::True),
    may("papers.account_procedure", Kind::Yes, Stricter::True),
    may("papers.audit_procedure", Kind::Yes, Stricter::True),
    may("papers.audit_plan", Kind::Yes, Stricter::True),
    may("papers.backup_plan", Kind::Yes, Stricter::True),
    may("incident.route", Kind::Words(OFFICES), Stricter::Further),
    may("incident.report_within", HOURS, Stricter::Shorter),
    may("incident.records_over", Kind::Number(0, 1_000_000), Stricter::Less),
    may("incident.system_records", Kind::Number(0, 1_000_000_000), Stricter::Less),
    may("incident.encrypted_exempt", Kind::Yes, Stricter::False),
    may("backup.review", SOME_DAYS, Stricter::Shorter),
    may("calendar.month_rule", Kind::Word(&["legal", "naive", "earlier"]), Stricter::Later),
    may("calendar.roll_forward", Kind::Words(&["notices"]), Stricter::Fewer),
    may("calendar.years", Kind::Years, Stricter::Further),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_stands_once_with_its_group_and_can_be_compared() {
        for (n, one) in PARAMETERS.iter().enumerate() {
            assert!(!one.group().is_empty() && !one.name().is_empty(), "{}", one.key);
            assert!(PARAMETERS.iter().take(n).all(|other| other.key != one.key), "{}", one.key);
            let compared = match one.stricter {
                Stricter::Shorter | Stricter::Longer => matches!(one.kind, Kind::Length { .. }),
                Stricter::Less | Stricter::More => matches!(one.kind, Kind::Number(..)),
                Stricter::Fewer | Stricter::Further => {
                    matches!(one.kind, Kind::Words(_) | Kind::Years)
                }
                Stricter::Later => matches!(one.kind, Kind::Word(_)),
                Stricter::True | Stricter::False => {
                    matches!(one.kind, Kind::Yes | Kind::Always(_))
                }
                Stricter::Same => true,
            };
            assert!(compared, "{}", one.key);
        }
        let groups = groups();
        for (n, group) in groups.iter().enumerate() {
            assert!(!groups.iter().take(n).any(|other| other == group), "{group} stands apart");
        }
    }

    #[test]
    fn a_letter_is_received_before_what_it_announced_is_loaded_so_that_start_is_the_stricter() {
        let one = Parameter::of("raw_file.start_event");
        let holds = |over: &str, beneath: &str| {
            one.is_some_and(|one| {
                let word = |word: &str| Value::Word(word.to_owned());
                word(over).holds(&word(beneath), one.stricter, one.kind)
            })
        };
        assert!(holds("letter-received", "import-committed"));
        assert!(!holds("import-committed", "letter-received"));
    }

    #[test]
    fn what_absence_means_is_the_strictest_value_of_every_rule_of_handing_on() {
        for one in PARAMETERS {
            let rule = one.group() == "handover" || one.key == "decisions.paper";
            assert_eq!(absent(one.key).is_some(), rule, "{}", one.key);
        }
    }

    #[test]
    fn no_parameter_touches_what_holds_under_every_policy() {
        // Second person, register first, holds: no word for them; and what has a field for its clause has one value.
        for one in PARAMETERS {
            for word in ["second", "hold", "register.off", "requester_approves", "plaintext"] {
                assert!(!one.key.contains(word), "{}", one.key);
            }
        }
        let always = ["handover.vendor_export", "handover.key_apart", "account.self_registration"];
        for key in always {
            assert!(matches!(Parameter::of(key).map(|p| p.kind), Some(Kind::Always(_))), "{key}");
        }
        assert_eq!(
            Parameter::of("destroy.approvers").map(|p| p.kind.parse("0").is_ok()),
            Some(false)
        );
    }
}
