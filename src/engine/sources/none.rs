//! A process that reaches no server: whatever is not the agent.

use super::{Look, Outgoing, Placed, SourceStanding, Sources, ToRelease, Told};
use crate::{
    domain::{
        digest::Digest,
        entry::PackageFacts,
        ids::BatchId,
        link::Link,
        secret::Secret,
        source::{Destination, RemoteEnd, SourceCode},
        time::Timestamp,
    },
    engine::ports::{CopySize, PackagePlace, PortError, Result},
};

/// A process that reaches no server.
pub struct NoSources;

impl Sources for NoSources {
    fn is_there(&self) -> bool {
        false
    }

    fn look(&self, _look: Look) {}

    fn is_looking(&self, _link: &str) -> bool {
        false
    }

    fn told(&self) -> Option<Told> {
        None
    }

    fn place(&self, _link: &Link, _name_mac: Digest) -> Result<Placed> {
        Ok(Placed::Waits)
    }

    fn forget(&self, _link: &str, _name_mac: Digest) {}

    fn release(&self, _link: &Link, _key: &Secret, _what: &ToRelease) -> Result<RemoteEnd> {
        Err(no_courier())
    }

    fn outgoing(&self, _put: &dyn Fn(BatchId, &str) -> Option<Timestamp>) -> Result<Vec<Outgoing>> {
        Ok(Vec::new())
    }

    fn put(&self, _link: &Link, _name: &str, _size: CopySize) -> Result<()> {
        Err(no_courier())
    }

    fn push(
        &self,
        _to: &Destination,
        _package: &PackagePlace,
        _facts: &PackageFacts,
    ) -> Result<()> {
        Err(no_courier())
    }

    fn standing(&self, _link: &str) -> SourceStanding {
        SourceStanding::default()
    }
}

/// What a process without a courier says.
#[must_use]
pub fn no_courier() -> PortError {
    let message = "this process reaches no server: the agent does".to_owned();
    PortError::Later { code: SourceCode::NoCourier.word(), message }
}
