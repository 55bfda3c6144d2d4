//! What a command came to.

use serde::{Deserialize, Serialize};

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reply {
    /// The id of what was made or decided.
    pub id: String,
    /// What happened, for people.
    pub message: String,
    /// Who does what next, with the command; nothing where nobody has to.
    #[serde(default)]
    pub next: Option<String>,
}

impl Reply {
    /// What happened to something.
    pub(super) fn new(id: &impl ToString, message: impl Into<String>) -> Self {
        Self { id: id.to_string(), message: message.into(), next: None }
    }

    /// With who does what next.
    pub(super) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}
