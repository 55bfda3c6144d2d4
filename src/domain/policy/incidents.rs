//! What a policy says of incidents.

use super::{Rule, build::Held};
use crate::domain::time::Period;

/// Incidents, as far as a policy says something of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentRule {
    /// The offices that are told, in their order.
    pub route: Option<Rule<Vec<String>>>,
    /// How long after it became known that may take.
    pub report_within: Option<Rule<Period>>,
    /// With more records than this it is reported within that time.
    pub records_over: Option<Rule<u64>>,
    /// So it is where the link holds at least so many records, however many it concerns.
    pub system_records: Option<Rule<u64>>,
    /// Whether encrypted data need not be reported.
    pub encrypted_exempt: Option<Rule<bool>>,
}

impl IncidentRule {
    pub(super) fn of(held: &Held) -> Self {
        Self {
            route: held.texts("incident.route"),
            report_within: held.period("incident.report_within"),
            records_over: held.number("incident.records_over"),
            system_records: held.number("incident.system_records"),
            encrypted_exempt: held.yes("incident.encrypted_exempt"),
        }
    }
}
