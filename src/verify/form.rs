//! The form of entries: canonical JSON of the log that they stand in, times that never go back.
//!
//! It judges bytes that the tree has nothing against; a writer that signs malformed entries is found here only.
//! What entries say of each other (a fold that makes sense) is not judged.

use super::{Report, canonical::canonical};
use crate::domain::{
    access::AccessEntry,
    entry::{self, Body},
    limits,
    time::Timestamp,
};

/// Which form the entries of a log have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Register,
    Access,
}

/// Times of a run of entries: of the first that has one, with its place, and of the last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times(Option<((u64, Timestamp), Timestamp)>);

impl Times {
    /// The next entry.
    fn next(&mut self, seq: u64, at: Timestamp, report: &mut Report) {
        self.join(Self(Some(((seq, at), at))), report);
    }

    /// The run that comes after this one.
    pub(super) fn join(&mut self, later: Self, report: &mut Report) {
        let Some(((seq, at), end)) = later.0 else { return };
        if self.0.is_some_and(|(_, last)| at < last) {
            report.bad(seq, format!("entry {seq} is older than the entry before it"));
        }
        self.0 = Some((self.0.map_or((seq, at), |(first, _)| first), end));
    }
}

impl Form {
    /// From the origin of the log.
    pub(super) fn of(origin: &str) -> Self {
        if origin.ends_with("/access") { Self::Access } else { Self::Register }
    }

    /// When the entry was made, its canonical bytes, and what it says; nothing for what is no entry.
    fn read(self, bytes: &[u8]) -> Option<(Timestamp, Vec<u8>, Option<Body>)> {
        match self {
            Self::Register => {
                let short = bytes.len() <= limits::ENTRY_BYTES_MAX;
                let entry = entry::Entry::from_bytes(bytes).ok().filter(|_| short)?;
                Some((entry.at, canonical(&entry)?, Some(entry.body)))
            }
            Self::Access => {
                let entry: AccessEntry = serde_json::from_slice(bytes).ok()?;
                Some((entry.at, canonical(&entry)?, None))
            }
        }
    }

    /// Judges entry `seq`; `times` are those of the entries before it.
    pub(super) fn check(self, seq: u64, bytes: &[u8], times: &mut Times, report: &mut Report) {
        let Some((at, canonical, body)) = self.read(bytes) else {
            report.bad(seq, format!("entry {seq} has not the form of an entry of this log"));
            return;
        };
        if canonical != bytes {
            report.bad(seq, format!("entry {seq} is not in its canonical form"));
        }
        times.next(seq, at, report);
        match body {
            Some(Body::CheckpointCosigned { size, line, .. }) => report.cosigned.push((size, line)),
            Some(Body::AccessCheckpoint { size, root }) => report.access.push((seq, size, root)),
            Some(Body::TimestampKept(kept)) => {
                report.stamped.insert(kept.answer, (kept.size, kept.stamped_at));
            }
            _ => {}
        }
    }
}
