//! Everything that happened to one batch, in order (批次履歷表). It is put together of the batch's rows in the register and of
//! the entries about it, as `register show --batch` finds them.

use serde::{Deserialize, Serialize};

use super::{RegisterRow, Seal, Source};
use crate::domain::time::Timestamp;

/// The history.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BatchHistory {
    /// Where it comes from.
    pub source: Source,
    /// Its rows in the register: one for each unit that uses it.
    pub rows: Vec<RegisterRow>,
    /// What happened, in order.
    pub events: Vec<HistoryLine>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HistoryLine {
    /// Its entry in the register.
    pub entry: u64,
    /// When.
    pub at: Timestamp,
    /// The account, or `agent`.
    pub by: String,
    /// Who that was then, where it was a person.
    pub person: Option<Seal>,
    /// Who decided, where it confirms a decision from a signed document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Seal>,
    /// What, in a sentence.
    pub what: String,
}
