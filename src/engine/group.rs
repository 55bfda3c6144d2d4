//! Several entries in one commit: what is true together becomes durable together, with one signature and one sync.
//!
//! Only entries between which nothing is done outside: an intent is durable before its effect begins, and so is never in
//! one commit with its outcome.

use super::{
    Engine, EngineError,
    ports::{Log, PortError},
};
use crate::domain::{
    digest::Digest,
    entry::{Body, Entry},
    limits, merkle,
    time::Timestamp,
};

impl Engine {
    /// Records entries in their order, each commit with as many as it may have. After this line they count. Whether there
    /// were any.
    ///
    /// # Errors
    /// The clock went back, the disk is full, an entry is not allowed: of the commit that failed nothing was written.
    pub fn record_all(&mut self, by: &str, bodies: Vec<Body>) -> Result<bool, EngineError> {
        let any = !bodies.is_empty();
        let mut bodies = bodies.into_iter().peekable();
        while bodies.peek().is_some() {
            let at = self.entry_time()?;
            self.doubt_time(at)?;
            let group = bodies.by_ref().take(limits::COMMIT_ENTRIES_MAX).collect();
            self.append_all(at, by, group)?;
        }
        Ok(any)
    }

    /// Appends entries in one commit; gives place and digest of the last.
    pub(super) fn append_all(
        &mut self,
        at: Timestamp,
        by: &str,
        bodies: Vec<Body>,
    ) -> Result<(u64, Digest), EngineError> {
        let first = self.view.size;
        // A view that is not what the journal holds must not be gone on from: an earlier error could not be mended.
        if self.ports.journal.size(Log::Register)? != first {
            let message = "the register is not what was folded: it must be read again".to_owned();
            return Err(PortError::Stuck { code: "journal", message }.into());
        }
        let (mut entries, mut new) = (Vec::new(), Vec::new());
        let mut last = (first, merkle::empty_root());
        // The pair of account and system user is told once, with the first entry that it makes.
        let seat = self.seat.as_ref().filter(|(name, _)| name == by).map(|(_, uid)| *uid);
        let mut seat = seat.filter(|uid| !self.view.seats.knows(*uid, by));
        for (seq, body) in (first..).zip(bodies) {
            let acting = self.acting.as_ref().filter(|(name, _)| name == by);
            let deputy = acting.map(|(_, appointment)| *appointment);
            let entry = Entry { v: 1, at, by: by.to_owned(), deputy, uid: seat.take(), body };
            let bytes = entry.to_bytes()?;
            last = (seq, merkle::leaf_hash(&bytes));
            new.push((Log::Register, bytes));
            entries.push((last, entry));
        }
        // The fold comes first: an entry that the tables refuse must never reach the register. Where either the
        // fold or the journal says no, the view is made anew from what the journal holds.
        let view = &mut self.view;
        let mut folded = entries.iter().map(|((seq, leaf), entry)| view.apply(*seq, entry, *leaf));
        let appended = folded
            .try_for_each(|applied| applied)
            .map_err(EngineError::from)
            .and_then(|()| Ok(self.ports.journal.append(&new)?));
        if let Err(error) = appended {
            self.view = self.remembered().unwrap_or_default();
            self.refresh()?;
            return Err(error);
        }
        // What was just decided about links counts from here on, also for work that is under way.
        self.rules.narrow(&self.view);
        for ((seq, _), entry) in &entries {
            if matches!(entry.body, Body::TimeConfirmed { .. }) {
                // From here on both clocks are right: what they were apart until now is doubted no more.
                self.opened = (at, self.ports.clock.boot_millis());
            }
            self.observers.retain_mut(|observer| observer(*seq, entry));
        }
        Ok(last)
    }
}
