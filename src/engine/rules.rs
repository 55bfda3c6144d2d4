//! What the configuration in force says, in the form that the engine decides by.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::domain::{
    anchoring::Anchoring,
    application::{self, LinkBound},
    calendar::WorkingDays,
    digest::Digest,
    entry::LinkFacts,
    forms::RegisterForm,
    handover::Recipient,
    layout::Layout,
    link::Link,
    policy::{Policy, layers},
    step::BackupFacts,
    time::{Period, Timestamp},
    view::View,
};

/// The configuration in force.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Links by name, as they count: as far as the register lets their files ([`Rules::narrow`]).
    pub links: BTreeMap<String, Link>,
    /// Links by name, as their files in force have them.
    pub written: BTreeMap<String, Link>,
    /// What of the register bounds links, by link.
    pub bounds: BTreeMap<String, Vec<LinkBound>>,
    /// At which change of the register, and with policies as on which day, the links were narrowed last.
    pub narrowed: Option<(u64, Option<NaiveDate>)>,
    /// Layouts by name.
    pub layouts: BTreeMap<String, Layout>,
    /// Policies by name, as they are on [`Rules::day`].
    pub policies: BTreeMap<String, Policy>,
    /// The policies of those links that have something over theirs, by link.
    pub overridden: BTreeMap<String, Policy>,
    /// The day by which exceptions count; before there is one, none does.
    pub day: Option<NaiveDate>,
    /// Digest of the files of policies alone.
    pub policies_base: Digest,
    /// Recipients by name.
    pub recipients: BTreeMap<String, Recipient>,
    /// Working days.
    pub working: WorkingDays,
    /// What the printed register looks like: by policy, and one for all.
    pub forms: BTreeMap<String, RegisterForm>,
    /// Digest of all of it.
    pub digest: Digest,
    /// Digest of the policies, of what links have over them, and of the exceptions that stand: an approval is given under
    /// them.
    pub policies_digest: Digest,
    /// The agency, as it stands on paper.
    pub agency: Option<String>,
    /// Time zone of dates.
    pub zone: chrono_tz::Tz,
    /// Who vouches for the register, and how often, where that is watched.
    pub anchoring: Option<Anchoring>,
    /// System users that several people sign as, with the reason of each.
    pub shared_users: BTreeMap<u32, String>,
    /// Whether a reason must begin with a code.
    pub reasons_by_code: bool,
    /// The document by which loaded data may lie in plain in a database.
    pub vault_plain: Option<String>,
    /// The database that loaded data lie in; none where it is the agent's own state.
    pub vault_place: Option<String>,
    /// Backups and snapshots that hold the state, as they are stated; nothing where nothing is.
    pub backups: Option<Vec<BackupFacts>>,
    /// When an incomplete delivery becomes an alarm, and an unsigned one is quarantined.
    pub incomplete_after: Period,
    /// When an incomplete delivery is claimed and quarantined, where set.
    pub abandon_after: Option<Period>,
    /// Seconds that wall and boot clock may differ by.
    pub clock_jump_max_seconds: i64,
    /// Seconds without an entry after which the time is doubted.
    pub start_gap_max_seconds: i64,
}

impl Rules {
    /// The policy of a link. A link whose policy is not there takes nothing: configuration refuses it earlier.
    #[must_use]
    pub fn policy_of(&self, link: &Link) -> Option<&Policy> {
        self.policy_for(&link.name, &link.policy)
    }

    /// The policy of this name as a link has it, also where the link has come under another one or is no longer there.
    #[must_use]
    pub fn policy_for(&self, link: &str, policy: &str) -> Option<&Policy> {
        let own = self.overridden.get(link).filter(|own| own.name == policy);
        own.or_else(|| self.policies.get(policy))
    }

    /// Takes the policies as they are on the day of `now`: after its end an exception no longer counts. Without exceptions
    /// there is one reading for all days.
    pub fn turn_to(&mut self, now: Timestamp) {
        let day = now.date_in(self.zone);
        if self.day == Some(day) {
            return;
        }
        let mut policies = self.policies.values().chain(self.overridden.values());
        if policies.any(|policy| policy.stack.has_exceptions()) {
            self.settle(Some(day));
        } else {
            self.day = Some(day);
        }
    }

    /// Takes the links as far as the register lets their files: what was not applied for, was stopped by a person, or is over
    /// does not count, whatever the file says. Nothing is done where neither register nor day changed.
    pub fn narrow(&mut self, view: &View) {
        let state = (view.links_changed_at, self.day);
        if self.narrowed == Some(state) {
            return;
        }
        self.bounds.clear();
        let mut links = BTreeMap::new();
        for (name, file) in &self.written {
            let given = (view.link_since(name), self.zone);
            let history = view.history(name);
            let (link, bounds) = application::narrowed(file, self.policy_of(file), history, given);
            links.insert(name.clone(), link);
            if !bounds.is_empty() {
                self.bounds.insert(name.clone(), bounds);
            }
        }
        (self.links, self.narrowed) = (links, Some(state));
    }

    /// The links of `written` whose policy asks for an application.
    pub fn applied_for(&self) -> impl Iterator<Item = &Link> {
        self.written.values().filter(|link| {
            let policy = self.policy_of(link);
            let route = policy.and_then(|policy| policy.further.links.route.as_ref());
            route.is_some_and(|rule| !rule.value.is_empty())
        })
    }

    /// Lays what links have over their policies, as it is on a day.
    pub fn settle(&mut self, day: Option<NaiveDate>) {
        self.day = day;
        for policy in self.policies.values_mut() {
            *policy = policy.on(day);
        }
        let over = |link: &&Link| !link.overrides.is_empty();
        let overridden = self.links.values().filter(over).filter_map(|link| {
            let policy = self.policies.get(&link.policy)?;
            Some((link.name.clone(), policy.over(&link.name, &link.overrides, day)))
        });
        self.overridden = overridden.collect();
        let mut beside: Vec<String> = Vec::new();
        for (link, policy) in &self.overridden {
            let rules = self.links.get(link).map(|link| layers::render(&link.overrides));
            beside.push(format!("{link}: {}", rules.unwrap_or_default()));
            beside.extend(day.map(|day| policy.stack.standing(day)).unwrap_or_default());
        }
        for policy in self.policies.values() {
            beside.extend(day.map(|day| policy.stack.standing(day)).unwrap_or_default());
        }
        self.policies_digest = if beside.is_empty() {
            self.policies_base
        } else {
            beside.insert(0, self.policies_base.to_string());
            Digest::of(beside.join("\n").as_bytes())
        };
    }

    /// Until when what the access log says of a link and month is kept at least, and the clause. A link that is no
    /// longer there is under the policy that keeps it longest.
    #[must_use]
    pub fn access_kept_until(&self, link: &str, month: &str) -> Option<(Timestamp, String)> {
        let first = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").ok()?;
        let end = Timestamp::end_of_month(first, self.zone)?;
        let policy = self.links.get(link).and_then(|link| self.policy_of(link));
        let policies = policy.map_or_else(|| self.policies.values().collect(), |one| vec![one]);
        let kept = policies.into_iter().map(|policy| {
            let rule = &policy.access_log;
            (rule.value.after(end, self.zone), rule.clause.clone())
        });
        kept.max()
    }

    /// The layout of a link.
    #[must_use]
    pub fn layout_of(&self, link: &Link) -> Option<&Layout> {
        self.layouts.get(&link.layout)
    }
}

impl Rules {
    /// What a link says, for the register.
    #[must_use]
    pub fn facts_of(&self, link: &Link) -> LinkFacts {
        LinkFacts {
            provider: link.provider.clone(),
            title: link.title.clone(),
            table_no: link.table_no.clone(),
            purpose: link.purpose.clone(),
            basis_doc_no: link.basis_doc_no.clone(),
            units: link.units.clone(),
            policy: link.policy.clone(),
            layout: link.layout.clone(),
        }
    }
}
