//! What people do about the servers of links.

use super::{Actor, Reply, Result, Service, stated};
use crate::{
    domain::{
        entry::{Body, RemoteSettled},
        ids::RemoteId,
    },
    error::Error,
};

impl Service {
    /// A person has looked after a remote delivery that the agent cannot release: nothing is owed for it any more. Not
    /// while the agent is at it, and not before its batch is claimed.
    pub(super) fn link_settle(
        &mut self,
        actor: &Actor,
        remote: RemoteId,
        reason: String,
    ) -> Result<Reply> {
        stated("the reason", &reason)?;
        let Some(row) = self.engine.view.remotes.rows.get(&remote) else {
            return Err(Error::usage(format!("there is no remote delivery '{remote}'"))
                .hint("'batchward status' names those that could not be released"));
        };
        if row.end.is_some() {
            return Err(Error::usage(format!("'{remote}' is released or settled already")));
        }
        if row.batch.is_none() {
            return Err(Error::usage(format!("'{remote}' is not claimed yet")));
        }
        let releases = |plan: &crate::domain::step::Plan| matches!(plan, crate::domain::step::Plan::ReleaseRemote { remote: of, .. } if *of == remote);
        if self.engine.view.open_plan(releases).is_some() {
            return Err(Error::usage(format!("'{remote}' is being released now"))
                .hint("run the command again when that has ended"));
        }
        let body = RemoteSettled { remote, reason, signed: actor.decision()? };
        self.record(actor, Body::RemoteSettled(body))?;
        Ok(Reply::new(&remote, format!("'{remote}' is settled: nothing is owed for it any more")))
    }
}
