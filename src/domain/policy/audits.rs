//! Rules of audits and reports.

use super::Rule;
use crate::domain::{audits::DocPull, time::Period};

/// Rules of audits and reports; what a policy does not ask for is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditRule {
    /// Of which periods a report of use is owed.
    pub report: Option<Rule<Period>>,
    /// To whom it goes.
    pub report_to: Option<Rule<Vec<String>>>,
    /// In which periods an internal audit is owed.
    pub internal: Option<Rule<Period>>,
    /// In which periods an external audit is owed.
    pub external: Option<Rule<Period>>,
    /// In which periods an audit of vendors is owed.
    pub vendor: Option<Rule<Period>>,
    /// In which periods an audit without notice is owed.
    pub unannounced: Option<Rule<Period>>,
    /// When files are pulled.
    pub docpull: Option<Rule<DocPull>>,
    /// Of which periods queries are held against cases.
    pub reconciliation: Option<Rule<Period>>,
    /// The offices that an audit needs somebody of.
    pub team: Option<Rule<Vec<String>>>,
    /// How long records of audits are kept; the register keeps them longer.
    pub retention: Option<Rule<Period>>,
    /// How long statistics of use are kept; the register keeps them longer.
    pub statistics_retention: Option<Rule<Period>>,
}
