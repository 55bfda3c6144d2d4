//! Which folders the agent works in: one list, from which the unit's drop-in and the process's own confinement are
//! both made, so that neither allows what the other forgets.

use std::{collections::BTreeSet, path::PathBuf};

use crate::config::Config;

/// Every folder outside of the program itself that the running agent touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// Configuration: read, never written.
    pub(super) read: BTreeSet<PathBuf>,
    /// What providers and people drop, and the agent takes over and removes.
    pub(super) drops: BTreeSet<PathBuf>,
    /// The agent's own: the state, and the folders of its control socket and its file of metrics.
    pub(super) own: BTreeSet<PathBuf>,
}

impl Places {
    /// The places that a configuration names.
    pub(super) fn of(config: &Config) -> Self {
        let agent = &config.agent;
        let above = |path: &PathBuf| path.parent().map(PathBuf::from);
        // The folder of each file, not the file: one that is replaced is another file under the same name.
        let read = [&agent.links, &agent.layouts, &agent.policies].map(Clone::clone);
        Self {
            read: read.into_iter().chain(above(&agent.file)).collect(),
            drops: config
                .links
                .values()
                .flat_map(|link| [link.inbox.clone(), link.keybox.clone()])
                .collect(),
            own: [agent.state.clone()]
                .into_iter()
                .chain(above(&agent.socket))
                .chain(agent.metrics_file.as_ref().and_then(above))
                .collect(),
        }
    }

    /// Everything that is written.
    pub(super) fn written(&self) -> impl Iterator<Item = &PathBuf> {
        self.own.iter().chain(&self.drops)
    }
}
