//! From what the layers say to the rules that the engine reads.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{
    Approval, AuditRule, CalendarRule, ClockStart, CopyApproval, CopyRule, Destroy, Egress,
    Further, GrantRule, IntakeRule, MonthRule, PeopleRule, Policy, RawFile, Rule, UseRule,
    incidents::IncidentRule,
    layers::{Layer, LayerRules, OWN, Ruled, Stack},
    length::Length,
    links::LinksRule,
    sampling::SamplingRule,
    value::Value,
};
use crate::domain::{
    accounts::Role,
    application::Office,
    audits::DocPull,
    handover::{Abroad, HandoverRule, OffPremises, RecipientKind},
    link::Container,
    on_paper::PaperFor,
    papers::PaperKind,
    people::{IdleAct, NeededPost},
    time::Period,
};

/// What holds, by the key of its parameter.
pub(super) struct Held(BTreeMap<&'static str, Ruled>);

impl Held {
    pub(super) fn read<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<Rule<T>> {
        let ruled = self.0.get(key)?;
        Some(Rule { value: read(&ruled.value)?, clause: ruled.clause.clone() })
    }

    pub(super) fn period(&self, key: &str) -> Option<Rule<Period>> {
        self.read(key, |value| match value {
            Value::Length(Length::Calendar(period)) => Some(*period),
            _ => None,
        })
    }

    pub(super) fn length(&self, key: &str) -> Option<Rule<Length>> {
        self.read(key, |value| match value {
            Value::Length(length) => Some(*length),
            _ => None,
        })
    }

    pub(super) fn number(&self, key: &str) -> Option<Rule<u64>> {
        self.read(key, |value| match value {
            Value::Number(number) => Some(*number),
            _ => None,
        })
    }

    pub(super) fn yes(&self, key: &str) -> Option<Rule<bool>> {
        self.read(key, |value| match value {
            Value::Yes(yes) => Some(*yes),
            _ => None,
        })
    }

    pub(super) fn word<T>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Rule<T>> {
        self.read(key, |value| match value {
            Value::Word(word) => parse(word),
            _ => None,
        })
    }

    pub(super) fn words<T>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Rule<Vec<T>>> {
        self.read(key, |value| match value {
            Value::Words(words) => Some(words.iter().filter_map(|word| parse(word)).collect()),
            _ => None,
        })
    }

    pub(super) fn texts(&self, key: &str) -> Option<Rule<Vec<String>>> {
        self.words(key, |word| Some(word.to_owned()))
    }
}

impl Policy {
    /// The policy of these layers, as it is on a day; without one, as it is when every exception has ended. Nothing where a
    /// rule is missing that every policy must have.
    #[must_use]
    pub fn of(titles: (&str, &str, &str), stack: &Stack, day: Option<NaiveDate>) -> Option<Self> {
        let held = Held(stack.on(day));
        let (name, title, register_title) = titles;
        Some(Self {
            name: name.to_owned(),
            title: title.to_owned(),
            register_title: register_title.to_owned(),
            raw_file: RawFile {
                start: held.word("raw_file.start_event", ClockStart::parse)?,
                retention: held.period("raw_file.retention")?,
            },
            use_rule: UseRule {
                retention: held.period("use.retention")?,
                superseded: held.read("use.superseded", |value| match value {
                    Value::Never => Some(None),
                    Value::Length(Length::Calendar(period)) => Some(Some(*period)),
                    _ => None,
                })?,
            },
            destroy: destroy(&held)?,
            copy: CopyRule { approval: held.word("copy.approval", CopyApproval::parse)? },
            handover: handover(&held),
            grant: GrantRule { row_cap: held.number("grant.row_cap")? },
            standing_key: held.yes("key.standing")?,
            access_log: held.period("access_log.retention")?,
            register: held.period("register.retention")?,
            further: further(&held),
            stack: stack.clone(),
        })
    }

    /// The same policy on a day; without one, when every exception has ended.
    #[must_use]
    pub fn on(&self, day: Option<NaiveDate>) -> Self {
        let titles = (self.name.as_str(), self.title.as_str(), self.register_title.as_str());
        Self::of(titles, &self.stack, day).unwrap_or_else(|| self.clone())
    }

    /// The same policy as one link has it.
    #[must_use]
    pub fn over(&self, link: &str, rules: &LayerRules, day: Option<NaiveDate>) -> Self {
        let layer = Layer::of_link(link, rules.clone());
        let titles = (self.name.as_str(), self.title.as_str(), self.register_title.as_str());
        Self::of(titles, &self.stack.with(layer), day).unwrap_or_else(|| self.clone())
    }
}

fn destroy(held: &Held) -> Option<Destroy> {
    let roles = |key| held.words(key, Role::parse);
    let approvers = held.number("destroy.approvers")?;
    Some(Destroy {
        approval: held.word("destroy.approval", Approval::parse)?,
        requesters: roles("destroy.requesters")?,
        approver_roles: roles("destroy.approver_roles")?,
        performers: roles("destroy.performers")?,
        witnesses: roles("destroy.witnesses")?,
        approvers: Rule { value: u32::try_from(approvers.value).ok()?, clause: approvers.clause },
        cooling_off: held.period("destroy.cooling_off")?,
        papers: held.texts("destroy.papers")?,
        media_papers: held.texts("destroy.media_papers")?,
        papers_within: held.period("destroy.papers_within")?,
    })
}

/// Rules of handing on are there whole or not at all.
fn handover(held: &Held) -> Option<HandoverRule> {
    Some(HandoverRule {
        recipients: held.words("handover.recipients", RecipientKind::parse)?,
        provider_doc: held.yes("handover.provider_doc")?,
        off_premises: held.word("handover.off_premises", OffPremises::parse)?,
        // Where nothing is said, nothing leaves the country.
        abroad: held
            .word("egress.abroad", Abroad::parse)
            .unwrap_or_else(|| Rule { value: Abroad::Forbidden, clause: OWN.to_owned() }),
        vendor_export: held.yes("handover.vendor_export")?.clause,
        key_apart: held.yes("handover.key_apart")?.clause,
        retention: held.period("handover.retention")?,
    })
}

fn audits(held: &Held) -> AuditRule {
    AuditRule {
        report: held.period("audit.report"),
        report_to: held.texts("audit.report_to"),
        internal: held.period("audit.internal"),
        external: held.period("audit.external"),
        vendor: held.period("audit.vendor"),
        unannounced: held.period("audit.unannounced"),
        docpull: held.word("audit.docpull", DocPull::parse),
        reconciliation: held.period("audit.reconciliation"),
        team: held.texts("auditor.team"),
        retention: held.period("audit.retention"),
        statistics_retention: held.period("access_log.statistics_retention"),
    }
}

fn further(held: &Held) -> Further {
    let pair = |word: &str| {
        let (one, two) = word.split_once('-')?;
        Some((Role::parse(one)?, Role::parse(two)?))
    };
    let forward = held.texts("calendar.roll_forward");
    Further {
        vendor_retention: held.period("vendor.retention"),
        notify: held.texts("destroy.notify"),
        exclusive: held.words("roles.exclusive", pair),
        egress: held.word("media.egress", Egress::parse),
        containers: held.words("transfer.containers", Container::parse),
        links: links(held),
        people: people(held),
        sampling: SamplingRule::of(held),
        incidents: IncidentRule::of(held),
        audits: audits(held),
        on_paper: held.words("decisions.paper", PaperFor::parse),
        intake: IntakeRule::of(held),
        calendar: CalendarRule {
            month_rule: held
                .word("calendar.month_rule", MonthRule::parse)
                .map_or(MonthRule::Earlier, |rule| rule.value),
            notices_roll_forward: forward
                .is_none_or(|rule| rule.value.iter().any(|word| word == "notices")),
        },
    }
}

fn links(held: &Held) -> LinksRule {
    let asked = |kind: &PaperKind| {
        let rule = held.yes(kind.parameter()?).filter(|rule| rule.value)?;
        Some(Rule { value: *kind, clause: rule.clause })
    };
    let papers = PaperKind::ALL.iter().filter_map(asked);
    LinksRule {
        route: held.words("application.route", Office::parse),
        answer_within: held.length("application.answer_within"),
        test: held.yes("link.test"),
        review: held.period("link.review"),
        valid_for: held.period("link.valid_for"),
        papers: papers.collect(),
        papers_within: held.length("papers.within"),
        backup: held.period("backup.review"),
    }
}

fn people(held: &Held) -> PeopleRule {
    PeopleRule {
        posts: held.words("personnel.posts", NeededPost::parse),
        gate: held.yes("personnel.gate"),
        before: held.length("personnel.before"),
        after: held.length("personnel.after"),
        subjects: held.texts("personnel.subjects"),
        notify: held.texts("personnel.notify"),
        custodian_switch: held.period("personnel.custodian_switch"),
        same_person: held.yes("personnel.same_person"),
        training_hours: held.number("training.hours"),
        training_posts: held.words("training.posts", Role::parse),
        request_sla: held.length("account.request_sla"),
        review: held.period("account.review"),
        reviewers: held.words("account.reviewers", Role::parse),
        idle: held.period("account.idle"),
        idle_act: held.word("account.idle_act", IdleAct::parse),
        nda: held.yes("vendor.nda"),
    }
}
