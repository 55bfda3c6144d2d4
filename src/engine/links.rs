//! Links as they count: rules and register taken together, and links that were in force before an application was asked for.

use super::{Engine, EngineError};
use crate::domain::{
    application::LinkScope,
    entry::{AGENT, Body, LinkAsFound},
};

impl Engine {
    /// Takes the rules as they are now: by the day, and by what the register says of links.
    pub fn turn_to_now(&mut self) {
        self.rules.turn_to(self.ports.clock.now());
        self.rules.narrow(&self.view);
    }

    /// A link that was in force before its policy asked for an application goes on as it was: an entry says how far that is.
    /// One that two people added since, or put under another policy, does not: [`Body::ConfigConfirmed`] names it.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn adopt_links(&mut self) -> Result<(), EngineError> {
        let config = self.rules.digest;
        let found = self.rules.applied_for().filter(|link| {
            let history = self.view.history(&link.name);
            !history.is_some_and(|one| {
                one.must_apply || one.as_found.is_some() || one.approved.is_some()
            })
        });
        let found: Vec<Body> = found
            .map(|link| {
                let scope = LinkScope::of(link, config);
                Body::LinkAsFound(LinkAsFound { link: link.name.clone(), scope })
            })
            .collect();
        for body in found {
            self.record(AGENT, body)?;
        }
        Ok(())
    }
}
