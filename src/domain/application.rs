//! Applications of links (申請連結作業): which offices sign one, in which order, and how far a link goes that has one.
//!
//! The link's file is configuration, which two people put in force; the application is the offices' decision about it. Where
//! a policy asks for a route, the file counts only as far as it was applied for: [`narrowed`] is the one place that says
//! how far that is. The stricter of file and register counts, always.

use serde::{Deserialize, Serialize};

use super::{
    accounts::Role,
    digest::Digest,
    link::{Link, LinkStatus},
    policy::Policy,
    time::Timestamp,
    view::LinkHistory,
    words::words,
};

words! {
    /// An office that signs applications.
    Office {
        /// 資訊單位.
        ItOffice = "it-office",
        /// 政風單位.
        EthicsOffice = "ethics-office",
        /// 資料庫管理機關.
        Owner = "owner",
        /// 機關管理人, whom the owner lets approve in its place.
        Manager = "manager",
        /// 權責主管.
        Supervisor = "supervisor",
        /// 機關首長, after everybody else.
        Head = "head",
    }
    /// Where an application stands.
    ApplicationState {
        /// Signatures are missing.
        Waiting = "waiting",
        /// Every office has signed.
        Approved = "approved",
        /// An office refused.
        Refused = "refused",
        /// Another application of the same link came before it was complete.
        Replaced = "replaced",
    }
    /// What a yearly review of a link came to.
    ReviewResult {
        /// The link is needed.
        Needed = "needed",
        /// It is not: its end is to be asked for (TY-4.4).
        NoNeed = "no-need",
    }
    /// What keeps a link from loading, or bounds it, beside its file.
    LinkBound {
        /// No application for it is complete.
        NotApplied = "not-applied",
        /// Its application was for another policy.
        OtherPolicy = "other-policy",
        /// It was not tested yet (TPH-4).
        NotTested = "not-tested",
        /// A person suspended it.
        Suspended = "suspended",
        /// A person terminated it.
        Terminated = "terminated",
        /// Its file has more than was applied for: what is beyond does not count.
        ScopeBeyond = "scope-beyond",
        /// Its approval ends sooner than its file says.
        EndsSooner = "ends-sooner",
    }
}

impl Office {
    /// The roles whose accounts may sign for it; one of them is enough. The head signs by a supervisor's account, the owner
    /// by whoever enters its letter.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Self::ItOffice => &[Role::Custodian, Role::Admin],
            Self::EthicsOffice => &[Role::Auditor],
            Self::Manager => &[Role::Admin, Role::Supervisor],
            Self::Owner | Self::Supervisor | Self::Head => &[Role::Supervisor],
        }
    }

    /// Whether a signature for this office stands where `asked` is asked for: who lets the manager approve may do it itself
    /// (NTP-5.2b).
    #[must_use]
    pub fn stands_for(self, asked: Self) -> bool {
        self == asked || (self == Self::Owner && asked == Self::Manager)
    }
}

/// How far a link goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkScope {
    /// Approved columns.
    pub items: Vec<String>,
    /// The units that use it.
    pub units: Vec<String>,
    /// The policy that it is under.
    pub policy: String,
    /// 使用目的.
    pub purpose: String,
    /// 依據公文文號.
    pub basis: String,
    /// Until when.
    pub approved_until: Timestamp,
    /// Digest of the configuration that the link's file was found in.
    pub config: Digest,
}

impl LinkScope {
    /// What a link's file says.
    #[must_use]
    pub fn of(link: &Link, config: Digest) -> Self {
        Self {
            items: link.items.clone(),
            units: link.units.clone(),
            policy: link.policy.clone(),
            purpose: link.purpose.clone(),
            basis: link.basis_doc_no.clone(),
            approved_until: link.approved_until,
            config,
        }
    }

    /// Whether this one lets through all that a link's file says.
    #[must_use]
    pub fn covers(&self, link: &Link) -> bool {
        self.policy == link.policy
            && self.purpose == link.purpose
            && self.approved_until >= link.approved_until
            && link.items.iter().all(|item| self.items.contains(item))
            && link.units.iter().all(|unit| self.units.contains(unit))
    }
}

/// The offices that an application of this link needs: those of its policy, as it is found and as it is in force, for nobody
/// alone takes an office out; where neither names one, a supervisor, for nobody decides alone. The head is the last.
#[must_use]
pub fn route(found: Option<&Policy>, in_force: Option<&Policy>) -> Vec<Office> {
    let asked = found.into_iter().chain(in_force);
    let asked = asked.filter_map(|policy| policy.further.links.route.as_ref());
    let mut route: Vec<Office> = Vec::new();
    for office in asked.flat_map(|rule| &rule.value) {
        if !route.contains(office) {
            route.push(*office);
        }
    }
    route.sort_by_key(|office| *office == Office::Head);
    if route.is_empty() { vec![Office::Supervisor] } else { route }
}

/// A link as it counts: its file, as far as the register lets it; and what of the register bounds it. `since` is when it was
/// put in force.
#[must_use]
pub fn narrowed(
    file: &Link,
    policy: Option<&Policy>,
    history: Option<&LinkHistory>,
    (since, zone): (Option<Timestamp>, chrono_tz::Tz),
) -> (Link, Vec<LinkBound>) {
    let (mut link, mut bounds) = (file.clone(), Vec::new());
    let none = LinkHistory::default();
    let history = history.unwrap_or(&none);
    let rule = policy.map(|policy| &policy.further.links);
    let asks = rule.and_then(|rule| rule.route.as_ref()).is_some_and(|r| !r.value.is_empty());
    if asks {
        within(&mut link, file, history, &mut bounds);
        let tested = rule.and_then(|rule| rule.test.as_ref()).is_some_and(|rule| rule.value);
        if tested && history.approved.is_some() && history.tested.is_none() {
            rest(&mut link, LinkStatus::Suspended);
            bounds.push(LinkBound::NotTested);
        }
    }
    if let Some(stop) = &history.stopped {
        rest(
            &mut link,
            if stop.terminated { LinkStatus::Terminated } else { LinkStatus::Suspended },
        );
        bounds.push(if stop.terminated { LinkBound::Terminated } else { LinkBound::Suspended });
    }
    let given = history.approved.as_ref().or(history.as_found.as_ref()).map(|found| found.at);
    let valid_for = rule.and_then(|rule| rule.valid_for.as_ref());
    if let (Some(given), Some(valid_for)) = (given.or(since), valid_for) {
        let end = valid_for.value.after(given, zone);
        link.approved_until = link.approved_until.min(end);
    }
    if link.approved_until < file.approved_until {
        bounds.push(LinkBound::EndsSooner);
    }
    (link, bounds)
}

/// Takes from a link what was not applied for.
fn within(link: &mut Link, file: &Link, history: &LinkHistory, bounds: &mut Vec<LinkBound>) {
    let Some(scope) = history.scope() else {
        rest(link, LinkStatus::Suspended);
        bounds.push(LinkBound::NotApplied);
        return;
    };
    if scope.policy != file.policy {
        rest(link, LinkStatus::Suspended);
        bounds.push(LinkBound::OtherPolicy);
    }
    link.items.retain(|item| scope.items.contains(item));
    link.units.retain(|unit| scope.units.contains(unit));
    link.purpose.clone_from(&scope.purpose);
    link.approved_until = link.approved_until.min(scope.approved_until);
    if link.items.len() < file.items.len()
        || link.units.len() < file.units.len()
        || link.purpose != file.purpose
    {
        bounds.push(LinkBound::ScopeBeyond);
    }
    // Nothing of a list was applied for: there is nothing that may be stored, or nobody who may use it.
    if link.items.is_empty() || link.units.is_empty() {
        link.items.clone_from(&file.items);
        link.units.clone_from(&file.units);
        rest(link, LinkStatus::Suspended);
    }
}

/// Never wakes a link that rests already, or more.
fn rest(link: &mut Link, status: LinkStatus) {
    if link.status == LinkStatus::Active || status == LinkStatus::Terminated {
        link.status = status;
    }
}
