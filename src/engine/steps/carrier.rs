//! The medium that a delivery came on is in the inventory as soon as there is a batch that it can be a copy of.

use crate::{
    domain::entry::{AGENT, Body, CopyDeclared},
    engine::{Engine, EngineError},
};

impl Engine {
    /// Makes one such medium known. A stop before it is recorded: the next turn finds it again.
    pub(in crate::engine) fn declare_carrier(&mut self) -> Result<bool, EngineError> {
        let found = self.view.arrivals.iter().find_map(|one| Some((one.batch?, one.facts.clone())));
        let Some((batch, facts)) = found else { return Ok(false) };
        let copy = self.view.next_copy(0);
        let declared = CopyDeclared { copy, batch, facts, unapproved: false, signed: None };
        self.record(AGENT, Body::CopyDeclared(declared))?;
        Ok(true)
    }
}
