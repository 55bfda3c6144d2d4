//! Loads that were given up while their database could not be asked whether they are there.
//!
//! Each is a note of its own in the folder of the vaults. It names the database, is settled by that one alone, and goes only
//! when that one has answered; it is no copy of the inventory, for nobody knows whether there is anything.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicI64, Ordering},
};

use crate::{
    adapters::{
        clock::SystemClock,
        files::{self, FileError},
    },
    doctor::{Finding, Severity},
    domain::{
        database::Database,
        digest::Digest,
        ids::CopyId,
        limits::{CONFIG_BYTES_MAX, DATABASE_SETTLE_MS},
    },
};

/// What is owed to one database, beside what is owed to others.
pub(super) struct Owed {
    dir: PathBuf,
    /// The database.
    identity: String,
    /// When it was asked last, in milliseconds since boot; a server that is away is not asked at every turn.
    asked: AtomicI64,
}

impl Owed {
    pub(super) fn new(dir: &Path, database: &Database) -> Self {
        Self { dir: dir.to_owned(), identity: database.identity(), asked: AtomicI64::new(i64::MIN) }
    }

    /// The note of a copy: its own for each database.
    fn path(&self, copy: CopyId) -> PathBuf {
        let digest = Digest::of(self.identity.as_bytes()).to_string();
        self.dir.join(format!("{copy}.{}.owed", digest.get(..16).unwrap_or_default()))
    }

    /// Says that something of it may be there. Durable.
    pub(super) fn note(&self, copy: CopyId) -> Result<(), FileError> {
        files::replace(&self.path(copy), self.identity.as_bytes(), "owed")
    }

    /// The database has answered: nothing is there, nor will be.
    pub(super) fn paid(&self, copy: CopyId) -> Result<(), FileError> {
        files::remove(&self.path(copy), "owed")
    }

    /// What is owed to this database.
    pub(super) fn here(&self) -> Vec<CopyId> {
        let here = self.all().into_iter().filter(|(_, identity)| *identity == self.identity);
        here.map(|(copy, _)| copy).collect()
    }

    /// What is owed to any database.
    pub(super) fn all(&self) -> Vec<(CopyId, String)> {
        listed(&self.dir)
    }

    /// Whether it is time to ask again.
    pub(super) fn is_time(&self) -> bool {
        let (now, last) = (SystemClock.boot_millis(), self.asked.load(Ordering::SeqCst));
        let due = last == i64::MIN || now.saturating_sub(last) >= DATABASE_SETTLE_MS;
        if due {
            self.asked.store(now, Ordering::SeqCst);
        }
        due
    }
}

/// Every note of a folder, with its database.
fn listed(dir: &Path) -> Vec<(CopyId, String)> {
    let mut owed: Vec<(CopyId, String)> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let (copy, _) = name.to_str()?.strip_suffix(".owed")?.split_once('.')?;
            let bytes = files::read(&entry.path(), CONFIG_BYTES_MAX).ok()?;
            Some((copy.parse().ok()?, String::from_utf8_lossy(&bytes).into_owned()))
        })
        .collect();
    owed.sort_unstable();
    owed
}

/// What `check` says of them, whatever the configuration names now.
pub(super) fn findings(dir: &Path) -> Vec<Finding> {
    let told = |(copy, database): (CopyId, String)| {
        let what =
            format!("a load that was given up may lie in the database '{database}': '{copy}'");
        let why = "it would lie there in plain, and in no inventory";
        let fix = "let the agent reach that database: it takes away by itself what is there";
        Finding::new(Severity::Warning, "database-owed", what, why).fix(fix)
    };
    listed(dir).into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_owed_to_one_database_is_not_settled_by_another() {
        let dir = tempfile::tempdir().unwrap();
        let at = |url: &str| Owed::new(dir.path(), &Database::parse(url).unwrap());
        let one = at("postgres://a@/b?host=/run/one");
        let (same, other) =
            (at("postgres://c@/b?host=/run/one"), at("postgres://a@/b?host=/run/two"));
        let copy = CopyId::new(7);
        one.note(copy).unwrap();
        other.note(copy).unwrap();
        assert_eq!((same.here(), other.here(), other.all().len()), (vec![copy], vec![copy], 2));
        other.paid(copy).unwrap();
        assert_eq!((one.here(), other.here()), (vec![copy], vec![]));
        assert_eq!(findings(dir.path()).len(), 1);
        same.paid(copy).unwrap();
        assert!(findings(dir.path()).is_empty());
    }
}
