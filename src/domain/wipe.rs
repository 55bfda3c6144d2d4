//! What a wipe found, did and proved, and the level of assurance that follows (DESIGN 9).
//!
//! The level is not chosen by anybody: it follows from the limits that were met, each of which says why it is not
//! higher. Wire forms: they stand in the register for ever, and only ever grow.

use serde::{Deserialize, Serialize};

use super::certificate::Assurance;

/// Why a wipe is not stated as more than it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Nothing was overwritten, only a name removed.
    NotOverwritten,
    /// Another file or a snapshot holds the same extents.
    Shared,
    /// The filesystem has snapshots.
    Snapshot,
    /// It grew while it was overwritten.
    Grew,
    /// Others wrote it: what they copied before is not known.
    WrittenByOthers,
    /// Somebody else has it open.
    OpenElsewhere,
    /// Whether somebody else has it open cannot be known here.
    OpenUnknown,
    /// Contents pass through the filesystem's journal.
    DataJournal,
    /// The overwrite went to other extents.
    Moved,
    /// The contents lie among the filesystem's own records.
    Inline,
    /// The extents are compressed or otherwise encoded.
    Encoded,
    /// The filesystem does not tell where the contents lie, or not reliably.
    PlaceUnknown,
    /// The contents can only be read back from memory.
    NotReadBack,
    /// It lay in memory that may have been written to an unencrypted swap area.
    Swap,
    /// The key is not destroyed, or there was none.
    NoKeyDestroyed,
    /// The sender may hold the key of what it sent.
    SenderHoldsKey,
    /// The key store itself does not reach L2.
    KeyStore,
    /// The root key is a file, which can be copied.
    RootKeyFile,
    /// That no backup holds a key is not stated.
    BackupsUnstated,
    /// Backups hold the key store.
    Backups,
    /// The blocks were not given back to the device (trim).
    NotTrimmed,
    /// An older key of keys is still there: a damaged slot of the key store could not be carried over to the new one.
    OldKeyKept,
    /// It lay in plain in a database, by an exception that the site signed.
    DatabasePlain,
    /// The database's write-ahead log has it too.
    DatabaseLog,
    /// That log is archived.
    DatabaseArchive,
    /// Replicas of the database, or what follows its log.
    DatabaseReplicas,
    /// What backups of the database hold is not known.
    DatabaseBackups,
    /// That the database's files are gone was not seen.
    DatabaseFiles,
}

/// What a limit keeps from being stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forbids {
    /// That the overwrite hit the same place: this at most.
    Place(Assurance),
    /// That the key is gone.
    Key,
    /// That the device forgot the blocks.
    Trim,
    /// That it was ever ciphertext: neither key nor overwrite says more than this.
    Cipher,
}

impl Limit {
    /// All of them, as the register may have them.
    pub const ALL: [Self; 28] = [
        Self::NotOverwritten,
        Self::Shared,
        Self::Snapshot,
        Self::Grew,
        Self::WrittenByOthers,
        Self::OpenElsewhere,
        Self::OpenUnknown,
        Self::DataJournal,
        Self::Moved,
        Self::Inline,
        Self::Encoded,
        Self::PlaceUnknown,
        Self::NotReadBack,
        Self::Swap,
        Self::NoKeyDestroyed,
        Self::SenderHoldsKey,
        Self::KeyStore,
        Self::RootKeyFile,
        Self::BackupsUnstated,
        Self::Backups,
        Self::NotTrimmed,
        Self::OldKeyKept,
        Self::DatabasePlain,
        Self::DatabaseLog,
        Self::DatabaseArchive,
        Self::DatabaseReplicas,
        Self::DatabaseBackups,
        Self::DatabaseFiles,
    ];

    /// What is true of every table that a database drops, where its rows lay in plain.
    pub const OF_DATABASE: [Self; 4] =
        [Self::NotOverwritten, Self::DatabasePlain, Self::DatabaseLog, Self::DatabaseBackups];

    /// The same where they lay under a key.
    pub const OF_SEALED_IN_DATABASE: [Self; 3] =
        [Self::NotOverwritten, Self::DatabaseLog, Self::DatabaseBackups];

    const fn forbids(self) -> Forbids {
        match self {
            Self::NotOverwritten
            | Self::Shared
            | Self::Snapshot
            | Self::Grew
            | Self::DatabaseLog
            | Self::DatabaseArchive
            | Self::DatabaseReplicas
            | Self::DatabaseBackups
            | Self::DatabaseFiles => Forbids::Place(Assurance::L0),
            Self::DatabasePlain => Forbids::Cipher,
            Self::WrittenByOthers
            | Self::OpenElsewhere
            | Self::OpenUnknown
            | Self::DataJournal
            | Self::Moved
            | Self::Inline
            | Self::Encoded
            | Self::PlaceUnknown
            | Self::NotReadBack
            | Self::Swap => Forbids::Place(Assurance::L1),
            Self::NoKeyDestroyed
            | Self::SenderHoldsKey
            | Self::KeyStore
            | Self::RootKeyFile
            | Self::BackupsUnstated
            | Self::Backups
            | Self::OldKeyKept => Forbids::Key,
            Self::NotTrimmed => Forbids::Trim,
        }
    }

    /// The limit in words, for people: why the level is not higher.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NotOverwritten => "nothing was overwritten, only the name removed",
            Self::Shared => "another file or a snapshot holds the same extents",
            Self::Snapshot => "the filesystem has snapshots, which keep what they hold",
            Self::Grew => "it grew while it was overwritten",
            Self::WrittenByOthers => "others wrote it, and may have left copies unknown here",
            Self::OpenElsewhere => "another process had it open",
            Self::OpenUnknown => "whether another process had it open is not known",
            Self::DataJournal => "contents pass through the filesystem's journal",
            Self::Moved => "the overwrite went to another place (copy on write)",
            Self::Inline => "contents lie among the filesystem's own records",
            Self::Encoded => "extents are compressed or otherwise encoded",
            Self::PlaceUnknown => "the filesystem does not tell reliably where contents lie",
            Self::NotReadBack => "it could not be read back past the memory of the machine",
            Self::Swap => "memory may have been written to an unencrypted swap area",
            Self::NoKeyDestroyed => "no key was destroyed that alone opened it",
            Self::SenderHoldsKey => "the sender may hold a key that opens it",
            Self::KeyStore => "the key store itself does not reach L2",
            Self::RootKeyFile => "the root key is a file that can be copied",
            Self::BackupsUnstated => "that no backup holds a key is not stated",
            Self::Backups => "backups hold the key store",
            Self::NotTrimmed => "the blocks were not trimmed",
            Self::OldKeyKept => {
                "an older key of keys stays, held by a damaged slot of the key store"
            }
            Self::DatabasePlain => {
                "it lay in plain in a database, by an exception that the site signed"
            }
            Self::DatabaseLog => "the database's write-ahead log held it too",
            Self::DatabaseArchive => "the database archives its write-ahead log",
            Self::DatabaseReplicas => "replicas or followers of the database held it too",
            Self::DatabaseBackups => "what backups of the database hold is not known",
            Self::DatabaseFiles => "that the database's files are gone was not seen",
        }
    }
}

/// The highest level that these limits leave.
///
/// A destroyed key counts wherever its ciphertext went (L3); that the file was overwritten in its own place and
/// trimmed adds to it (L4), and without the key is all that counts (L2).
#[must_use]
pub fn assurance(limits: &[Limit]) -> Assurance {
    let mut place = Assurance::L2;
    let (mut key, mut trim) = (true, true);
    for limit in limits {
        match limit.forbids() {
            Forbids::Place(most) => place = place.min(most),
            Forbids::Key => key = false,
            Forbids::Trim => trim = false,
            Forbids::Cipher => {
                key = false;
                place = place.min(Assurance::L1);
            }
        }
    }
    match (key, place, trim) {
        (false, place, _) => place,
        (true, Assurance::L2, true) => Assurance::L4,
        (true, ..) => Assurance::L3,
    }
}

/// What kind of place a copy lay in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// Kind of filesystem: `ext4`, `xfs`, `nfs4`, …
    pub kind: String,
    /// Whether the disk below turns; nothing where that is not known.
    pub rotational: Option<bool>,
    /// Whether the disk below encrypts; nothing where that is not known.
    pub encrypted: Option<bool>,
    /// Whether the filesystem tells the device at once what it no longer needs (mount option `discard`).
    pub discards: bool,
    /// Maker and model of the disk below, where the system tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its serial number, where the system tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

/// The extents of all files of one wipe, before or after (FIEMAP).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Extents {
    /// How many, neighbours counted as one.
    pub count: u64,
    /// Bytes that they cover.
    pub bytes: u64,
    /// Those that are shared with another file or a snapshot.
    pub shared: u64,
}

/// How the overwrite was looked at afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReadBack {
    /// Not at all.
    None,
    /// Through the memory of the machine, which says nothing about a disk.
    Memory,
    /// Past that memory, from the device (`O_DIRECT`), every byte compared with what was written.
    Direct,
    /// And, past the filesystem too, from the raw device at the places that the filesystem tells (the device helper).
    Device,
}

/// What a wipe found, did and proved, over all files of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WipeReport {
    /// Where it lay.
    pub ground: Ground,
    /// Extents before; nothing where the filesystem does not tell them.
    pub before: Option<Extents>,
    /// Extents after the overwrite.
    pub after: Option<Extents>,
    /// Passes of overwriting: one, or none.
    pub passes: u32,
    /// The weakest reading back of any file.
    pub read_back: ReadBack,
    /// Errors that were met on the way.
    pub errors: u64,
    /// Files that were overwritten again because reading back found something else.
    pub retries: u64,
    /// Milliseconds that it took.
    pub millis: u64,
    /// Why the assurance is not higher, each once, in a fixed order.
    pub limits: Vec<Limit>,
}

impl WipeReport {
    /// A report of nothing yet.
    #[must_use]
    pub const fn new(ground: Ground) -> Self {
        Self {
            ground,
            before: None,
            after: None,
            passes: 0,
            read_back: ReadBack::None,
            errors: 0,
            retries: 0,
            millis: 0,
            limits: Vec::new(),
        }
    }

    /// The level that follows.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        assurance(&self.limits)
    }

    /// Adds a limit, once.
    pub fn limit(&mut self, limit: Limit) {
        if let Err(at) = self.limits.binary_search(&limit) {
            self.limits.insert(at, limit);
        }
    }

    /// The blocks were given back to the device, and were seen to be.
    pub fn trimmed(&mut self) {
        self.limits.retain(|limit| *limit != Limit::NotTrimmed);
    }

    /// Takes limits away that were met for want of a key, and puts these in their place.
    pub fn keyed(&mut self, limits: &[Limit]) {
        // No key opened what lay in plain.
        if self.limits.contains(&Limit::DatabasePlain) {
            return;
        }
        self.limits.retain(|limit| limit.forbids() != Forbids::Key);
        for limit in limits {
            self.limit(*limit);
        }
    }

    /// Takes up another file's report: counts are added, and the weakest of all is what holds.
    pub fn join(&mut self, other: &Self) {
        let add = |one: Option<Extents>, other: Option<Extents>| match (one, other) {
            (Some(one), Some(other)) => Some(Extents {
                count: one.count + other.count,
                bytes: one.bytes + other.bytes,
                shared: one.shared + other.shared,
            }),
            (one, other) => one.or(other),
        };
        self.before = add(self.before, other.before);
        self.after = add(self.after, other.after);
        let first = self.passes == 0 && self.read_back == ReadBack::None && self.limits.is_empty();
        self.read_back = if first { other.read_back } else { self.read_back.min(other.read_back) };
        self.passes = self.passes.max(other.passes);
        self.errors += other.errors;
        self.retries += other.retries;
        self.millis += other.millis;
        for limit in &other.limits {
            self.limit(*limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_follows_from_the_limits() {
        use Assurance::{L0, L1, L2, L3, L4};
        use Limit::{DataJournal, KeyStore, Moved, NoKeyDestroyed, NotTrimmed, Shared};
        for (limits, level) in [
            (&[][..], L4),
            (&[NotTrimmed], L3),
            (&[Moved], L3),
            (&[Shared, NotTrimmed], L3),
            (&[NoKeyDestroyed], L2),
            (&[KeyStore, NotTrimmed], L2),
            (&[NoKeyDestroyed, DataJournal], L1),
            (&[Limit::DatabasePlain], L1),
            (&[Limit::DatabasePlain, Limit::DatabaseLog], L0),
            (&Limit::OF_DATABASE, L0),
            (&Limit::OF_SEALED_IN_DATABASE, L3),
            (&[Limit::NotOverwritten, Limit::DatabaseLog, KeyStore], L0),
            (&[NoKeyDestroyed, Moved, Shared], L0),
        ] {
            assert_eq!(assurance(limits), level, "{limits:?}");
        }
    }

    #[test]
    fn every_limit_lowers_what_is_stated_and_says_why_in_its_own_words() {
        for (n, limit) in Limit::ALL.into_iter().enumerate() {
            assert!(assurance(&[limit]) < Assurance::L4, "{limit:?}");
            let same = |other: &Limit| other.meaning() == limit.meaning();
            assert_eq!(Limit::ALL.iter().filter(|other| same(other)).count(), 1);
            assert!(Limit::ALL[n..].iter().all(|other| *other >= limit), "in their order");
        }
    }

    #[test]
    fn of_several_files_the_weakest_holds_and_counts_add_up() {
        let ground = Ground::default();
        let extents = |count| Some(Extents { count, bytes: 4096 * count, shared: 0 });
        let one = WipeReport {
            before: extents(2),
            after: extents(2),
            passes: 1,
            read_back: ReadBack::Direct,
            millis: 3,
            limits: vec![Limit::NoKeyDestroyed, Limit::NotTrimmed],
            ..WipeReport::new(ground.clone())
        };
        let mut other = one.clone();
        other.read_back = ReadBack::Memory;
        other.limit(Limit::DataJournal);
        other.limit(Limit::DataJournal);
        let mut sum = WipeReport::new(ground);
        sum.join(&one);
        assert_eq!((sum.assurance(), sum.read_back), (Assurance::L2, ReadBack::Direct));
        sum.join(&other);
        assert_eq!((sum.assurance(), sum.read_back), (Assurance::L1, ReadBack::Memory));
        assert_eq!((sum.before, sum.passes, sum.millis), (extents(4), 1, 6));
        sum.keyed(&[]);
        assert_eq!(sum.assurance(), Assurance::L3);
    }
}
