//! What the configuration in force says, in the form that the engine decides by.

use std::collections::BTreeMap;

use crate::domain::{
    anchoring::Anchoring, digest::Digest, entry::LinkFacts, layout::Layout, link::Link,
    policy::Policy, time::Period,
};

/// The configuration in force.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Links by name.
    pub links: BTreeMap<String, Link>,
    /// Layouts by name.
    pub layouts: BTreeMap<String, Layout>,
    /// Policies by name.
    pub policies: BTreeMap<String, Policy>,
    /// Digest of all of it.
    pub digest: Digest,
    /// Digest of the policies alone: an approval is given under them.
    pub policies_digest: Digest,
    /// The agency, as it stands on paper.
    pub agency: Option<String>,
    /// Time zone of dates.
    pub zone: chrono_tz::Tz,
    /// Who vouches for the register, and how often, where that is watched.
    pub anchoring: Option<Anchoring>,
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
        self.policies.get(&link.policy)
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
