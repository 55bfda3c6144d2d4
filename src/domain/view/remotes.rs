//! Deliveries that were fetched from servers, and files that were put there: what is still owed to the other side.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Batch, FoldError, Mark, Trouble, View, kept::pairs};
use crate::domain::{
    digest::Digest,
    entry::{Failure, RemoteForgotten, RemoteTaken},
    ids::{BatchId, OrderId, RemoteId},
    lifecycle::BatchState,
    source::{Release, RemoteEnd, Source, certified},
    step::{Outcome, Plan},
    time::Timestamp,
};

/// A delivery that was fetched.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remote {
    /// The link.
    pub link: String,
    /// HMAC of its name.
    pub name_mac: Digest,
    /// HMAC of what the server listed of it.
    pub listing: Digest,
    /// When it was fetched.
    pub at: Timestamp,
    /// The batch that it became.
    pub batch: Option<BatchId>,
    /// How it ended at the server: nothing while it lies there as far as is known.
    pub end: Option<End>,
    /// What kept it from being released.
    pub trouble: Option<Trouble>,
    /// The entry that a person decides on.
    pub mark: Mark,
}

/// How it ended at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// The agent saw to it.
    Released(RemoteEnd),
    /// A person did, and said so.
    Settled,
}

/// A file that could not be put.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unput {
    /// When that was tried first.
    pub since: Timestamp,
    /// How it went last.
    pub last: Trouble,
}

/// All of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Remotes {
    /// By id.
    pub rows: BTreeMap<RemoteId, Remote>,
    /// Files that were put, by batch and name: what they were, and when.
    #[serde(with = "pairs")]
    pub put: BTreeMap<(BatchId, String), (Digest, Timestamp)>,
    /// Files that could not be put.
    #[serde(with = "pairs")]
    pub unput: BTreeMap<(BatchId, String), Unput>,
    /// Certificates that were not put to the server of their link.
    pub unreported: BTreeMap<String, BTreeSet<OrderId>>,
    /// Those that are neither released nor settled, so that nobody looks through all that ever came.
    open: BTreeSet<RemoteId>,
    /// Those that a person settled: they may lie at the server still, and are not to be fetched again.
    settled: BTreeSet<RemoteId>,
}

impl Remotes {
    /// Those that are neither released nor settled.
    pub fn open(&self) -> impl Iterator<Item = (RemoteId, &Remote)> {
        self.open.iter().filter_map(|id| Some((*id, self.rows.get(id)?)))
    }

    /// Those of a link that lie at the server as far as is known.
    pub fn open_of<'a>(&'a self, link: &'a str) -> impl Iterator<Item = (RemoteId, &'a Remote)> {
        self.open().filter(move |(_, row)| row.link == link)
    }

    /// Those of a link that a person settled.
    pub fn settled_of<'a>(&'a self, link: &'a str) -> impl Iterator<Item = &'a Remote> {
        let rows = self.settled.iter().filter_map(|id| self.rows.get(id));
        rows.filter(move |row| row.link == link)
    }

    fn claimed(&mut self, link: &str, name_mac: Digest, batch: BatchId) {
        let waits = |row: &Remote| row.batch.is_none() && row.link == link;
        let ids = self.open.iter().copied();
        let mut found = ids.filter(|id| {
            self.rows.get(id).is_some_and(|row| waits(row) && row.name_mac == name_mac)
        });
        if let Some(row) = found.next().and_then(|id| self.rows.get_mut(&id)) {
            row.batch = Some(batch);
        }
    }
}

impl Remote {
    /// Whether the link wants something done with it at the server, now that its batch stands where it stands: never
    /// before the batch is verified, and not while it is quarantined.
    #[must_use]
    pub fn is_owed(&self, batch: Option<&Batch>, source: &Source) -> bool {
        let Some(batch) = batch else { return false };
        let decided = !matches!(batch.state, BatchState::Received | BatchState::Quarantined);
        self.end.is_none()
            && source.release != Release::Keep
            && decided
            && (!batch.rejected || source.release_rejected)
    }
}

impl View {
    /// The number that the next fetched delivery gets.
    #[must_use]
    pub fn next_remote(&self) -> RemoteId {
        RemoteId::new(self.remotes.rows.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    pub(super) fn remote_taken(&mut self, mark: Mark, taken: &RemoteTaken) {
        let row = Remote {
            link: taken.link.clone(),
            name_mac: taken.name_mac,
            listing: taken.listing,
            at: mark.at,
            batch: None,
            end: None,
            trouble: None,
            mark,
        };
        self.remotes.rows.insert(taken.remote, row);
        self.remotes.open.insert(taken.remote);
    }

    /// It will be fetched again: only its number is spent.
    pub(super) fn remote_forgotten(
        &mut self,
        mark: Mark,
        gone: &RemoteForgotten,
    ) -> Result<(), FoldError> {
        let row = self.remotes.rows.get_mut(&gone.remote).ok_or(FoldError::Unknown(mark.seq))?;
        if row.batch.is_some() || row.end.is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        row.end = Some(End::Released(RemoteEnd::Gone));
        self.remotes.open.remove(&gone.remote);
        Ok(())
    }

    pub(super) fn remote_ends(
        &mut self,
        mark: Mark,
        remote: RemoteId,
        end: End,
    ) -> Result<(), FoldError> {
        let row = self.remotes.rows.get_mut(&remote).ok_or(FoldError::Unknown(mark.seq))?;
        if row.end.is_some() {
            return Err(FoldError::Transition(mark.seq));
        }
        row.end = Some(end);
        row.trouble = None;
        self.remotes.open.remove(&remote);
        if end == End::Settled {
            self.remotes.settled.insert(remote);
        }
        Ok(())
    }

    /// A claimed delivery is the oldest fetched one of its name that has no batch.
    pub(super) fn remote_claimed(&mut self, link: &str, name_mac: Digest, batch: BatchId) {
        self.remotes.claimed(link, name_mac, batch);
    }

    pub(super) fn remote_step(
        &mut self,
        mark: Mark,
        plan: &Plan,
        outcome: &Outcome,
    ) -> Result<(), FoldError> {
        match (plan, outcome) {
            (Plan::ReleaseRemote { remote, .. }, Outcome::RemoteReleased { end }) => {
                self.remote_ends(mark, *remote, End::Released(*end))
            }
            (Plan::PutRemote { batch, link, name, sha256, .. }, Outcome::RemotePut) => {
                let key = (*batch, name.clone());
                self.remotes.unput.remove(&key);
                let reported = certified(name);
                let waits = reported.and_then(|_| self.remotes.unreported.get_mut(link));
                if let (Some(order), Some(waits)) = (reported, waits) {
                    waits.remove(&order);
                }
                self.remotes.put.insert(key, (*sha256, mark.at));
                Ok(())
            }
            (Plan::PushPackage { handover, .. }, Outcome::RemotePut) => {
                let row = self.handovers.get_mut(handover).ok_or(FoldError::Unknown(mark.seq))?;
                row.pushed = Some(mark.at);
                row.push_trouble = None;
                Ok(())
            }
            _ => Err(FoldError::Transition(mark.seq)),
        }
    }

    pub(super) fn remote_failed(&mut self, mark: Mark, plan: &Plan, failure: Failure, code: &str) {
        let next = |before: Option<&Trouble>| Trouble {
            times: before.map_or(0, |trouble| trouble.times) + 1,
            ..Trouble::first(failure, code, mark.at)
        };
        match plan {
            Plan::ReleaseRemote { remote, .. } => {
                if let Some(row) = self.remotes.rows.get_mut(remote) {
                    row.trouble = Some(next(row.trouble.as_ref()));
                }
            }
            Plan::PutRemote { batch, name, .. } => {
                let key = (*batch, name.clone());
                let before = self.remotes.unput.get(&key);
                let since = before.map_or(mark.at, |before| before.since);
                let last = next(before.map(|before| &before.last));
                self.remotes.unput.insert(key, Unput { since, last });
            }
            Plan::PushPackage { handover, .. } => {
                if let Some(row) = self.handovers.get_mut(handover) {
                    row.push_trouble = Some(next(row.push_trouble.as_ref()));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_owed_since_it_could_not_be_put_first() {
        let mut view = View::default();
        let (batch, name) = (BatchId::new(1), "b-00000001.json".to_owned());
        let plan = Plan::PutRemote {
            batch,
            link: "moca".to_owned(),
            name: name.clone(),
            bytes: 1,
            sha256: Digest::of(b"synthetic"),
        };
        let first = Timestamp::from_millis(1_800_000_000_000);
        let later = first.plus_seconds(2 * 86_400);
        for at in [first, later] {
            let mark = Mark { seq: 1, digest: Digest::of(b"synthetic"), at };
            view.remote_failed(mark, &plan, Failure::Later, "denied");
        }
        let owed = view.remotes.unput.get(&(batch, name));
        let owed = owed.map(|unput| (unput.since, unput.last.at, unput.last.times));
        assert_eq!(owed, Some((first, later, 2)));
    }
}
