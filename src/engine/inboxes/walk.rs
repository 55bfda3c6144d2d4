//! How far the look through one inbox and its keybox has come: what is left is done one thing a turn.

use std::collections::{BTreeSet, VecDeque};

use super::{Inboxes, Stray};
use crate::{
    domain::{digest::Digest, ids::DeliveryId, link::Link, time::Timestamp},
    engine::ports::KeyFile,
};

/// The way through one inbox.
pub(super) struct Walk {
    pub(super) link: String,
    /// When it began.
    pub(super) begun: Timestamp,
    pub(super) strays: VecDeque<(Vec<u8>, bool)>,
    /// Those that were noted; nothing where the inbox could not be listed, or they were told already.
    pub(super) noted: Option<Vec<Stray>>,
    /// Folders of copies from media, each with the name that its delivery was to have.
    pub(super) carried: VecDeque<(Vec<u8>, Vec<u8>)>,
    pub(super) folders: VecDeque<Vec<u8>>,
    /// Folders from the first on that waits for a thread.
    pub(super) waiting: VecDeque<Vec<u8>>,
    pub(super) present: BTreeSet<Digest>,
    /// Whether all of the inbox was listed and looked at.
    pub(super) scanned: bool,
    pub(super) keys: VecDeque<KeyFile>,
    /// Whether the keybox was opened.
    pub(super) keybox: bool,
    /// Deliveries that were seen before and are not there any more, once everything was looked at.
    pub(super) gone: Option<VecDeque<DeliveryId>>,
}

impl Walk {
    /// A way that looks into the keybox only.
    pub(super) fn keys_only(link: &Link, begun: Timestamp) -> Self {
        Self {
            link: link.name.clone(),
            begun,
            strays: VecDeque::new(),
            noted: None,
            carried: VecDeque::new(),
            folders: VecDeque::new(),
            waiting: VecDeque::new(),
            present: BTreeSet::new(),
            scanned: false,
            keys: VecDeque::new(),
            keybox: false,
            gone: None,
        }
    }
}

impl Inboxes {
    /// Whether a link's inbox could not be read, or not all of it, at the last look.
    pub(in crate::engine) fn is_unread(&self, link: &str) -> bool {
        self.unread.contains_key(link)
    }

    /// When the last look through an inbox that saw everything began.
    pub(in crate::engine) fn seen_at(&self, link: &str) -> Option<Timestamp> {
        self.seen.get(link).copied()
    }
}
