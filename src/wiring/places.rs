//! Which folders the agent works in: one list, from which the unit's drop-in and the process's own confinement are
//! both made, so that neither allows what the other forgets.

use std::{collections::BTreeSet, path::PathBuf};

use crate::{
    adapters::landlock::Right,
    config::{Config, recipients},
    domain::handover::{Recipient, Sealing},
};

/// Where packages of a recipient and their keys are left.
fn handed(recipient: &Recipient) -> Vec<PathBuf> {
    let keys = match &recipient.sealing {
        Sealing::Separate(keys) => Some(keys.clone()),
        Sealing::Recipient(_) => None,
    };
    [recipient.outbox.clone()].into_iter().chain(keys).collect()
}

/// Every folder outside of the program itself that the running agent touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// Configuration and the root key: read, never written.
    pub(super) read: BTreeSet<PathBuf>,
    /// What providers and people drop, and the agent takes over and removes.
    pub(super) drops: BTreeSet<PathBuf>,
    /// The agent's own: the state, and the folder of its file of metrics.
    pub(super) own: BTreeSet<PathBuf>,
    /// Where its sockets lie.
    pub(super) sockets: BTreeSet<PathBuf>,
}

impl Places {
    /// The places that a configuration names.
    pub(super) fn of(config: &Config) -> Self {
        let agent = &config.agent;
        let above = |path: &PathBuf| path.parent().map(PathBuf::from);
        // The folder of each file, not the file: one that is replaced is another file under the same name.
        let read = [&agent.links, &agent.layouts, &agent.policies].map(Clone::clone);
        Self {
            read: read
                .into_iter()
                .chain(above(&agent.file))
                .chain(agent.root_key.paths())
                .chain(recipients::folder(agent))
                .chain(super::sources::folders(config))
                .chain(super::database::folders(config))
                .chain(super::notices::folders(config))
                .collect(),
            drops: config
                .links
                .values()
                .flat_map(|link| {
                    let receipts = link.receipts.clone();
                    [link.inbox.clone(), link.keybox.clone()].into_iter().chain(receipts)
                })
                .collect(),
            own: agent
                .metrics_file
                .iter()
                .filter_map(above)
                .chain([agent.state.clone()])
                .chain(config.recipients.values().flat_map(handed))
                .collect(),
            sockets: [&agent.socket].into_iter().chain(&agent.api).filter_map(above).collect(),
        }
    }

    /// Everything that is written.
    pub(super) fn written(&self) -> impl Iterator<Item = &PathBuf> {
        self.own.iter().chain(&self.drops).chain(&self.sockets)
    }

    /// Each folder with what the agent does in it.
    pub(super) fn rights(&self) -> Vec<(PathBuf, Right)> {
        let read = self.read.iter().map(|path| (path, Right::Read));
        let drops = self.drops.iter().map(|path| (path, Right::Take));
        let own = self.own.iter().map(|path| (path, Right::Own));
        let sockets = self.sockets.iter().map(|path| (path, Right::Socket));
        let all = read.chain(drops).chain(own).chain(sockets);
        all.map(|(path, right)| (path.clone(), right)).collect()
    }
}
