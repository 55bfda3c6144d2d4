//! The facts of the list of duties as a form: what is owed, or late, by whom and by which clause (NTP-12).

use serde::{Deserialize, Serialize};

use super::Source;
use crate::service::{
    Result, Service,
    duties::{DutiesWanted, DutyPage},
    onlooker::Onlooker,
};

/// The list, and where it comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OwedList {
    /// Where it comes from.
    pub source: Source,
    /// Which of them was asked for.
    pub wanted: DutiesWanted,
    /// The list.
    pub page: DutyPage,
}

impl Service {
    /// `duties report`.
    ///
    /// # Errors
    /// A store cannot be read.
    pub fn owed_list(&self, wanted: DutiesWanted, who: Option<&Onlooker>) -> Result<OwedList> {
        let page = self.duties(&wanted, who);
        Ok(OwedList { source: self.source()?, wanted, page })
    }
}
