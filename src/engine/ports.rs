//! What the engine needs of the outside, as traits with their contracts. No adapter is named here.
//!
//! Every method that changes something may be called again after a stop anywhere within it, and then finishes the
//! work or finds it done. "Durable" means: synced, with its directory.
//!
//! The ports that long steps use are shared with the threads that run them; the others belong to the one thread that
//! writes the register.
//!
//! It is over 500 lines because the contracts are read side by side.

mod packages;

use std::{
    io::{Read, Seek},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::EngineError;
pub use super::meter::Meter;
pub use packages::{PackageEnd, PackageFile, PackagePlace, Packages};

use crate::domain::{
    digest::Digest,
    entry::{Entry, KeyForm, WipeFacts},
    ids::{BatchId, CopyId, OrderId},
    judge::Facts,
    limits::ARCHIVE_ROUNDS_BATCH_MAX,
    link::{Container, Link},
    merkle,
    secret::Secret,
    time::Timestamp,
    view::View,
    wipe::Limit,
};

/// Why a port could not do what it was asked, by what to do about it. The code is for the register and for
/// people; it never holds a name that came from outside.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// May work later: a full disk, a file still being written.
    #[error("{message}")]
    Later {
        /// Code such as `disk-full`.
        code: &'static str,
        /// For the person at the screen; may name paths of our own.
        message: String,
    },
    /// Will not work by itself.
    #[error("{message}")]
    Stuck {
        /// Code such as `key-store`.
        code: &'static str,
        /// For the person at the screen.
        message: String,
    },
}

impl PortError {
    /// The code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Later { code, .. } | Self::Stuck { code, .. } => code,
        }
    }
}

/// Shorthand for results of ports.
pub type Result<T> = std::result::Result<T, PortError>;

/// The clock. Wall time decides; the boot clock only shows jumps (DESIGN 5).
pub trait Clock: Send + Sync {
    /// Wall time.
    fn now(&self) -> Timestamp;
    /// Milliseconds since boot, sleep included.
    fn boot_millis(&self) -> i64;
    /// Waits out a small step back.
    fn wait_millis(&self, millis: i64);
}

/// The two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// The register.
    Register,
    /// The access log.
    Access,
}

/// The journal: the commit point of both logs.
pub trait Journal {
    /// Appends in one transaction together with the signed checkpoints; durable when it returns.
    ///
    /// # Errors
    /// Nothing was appended.
    fn append(&mut self, new: &[(Log, Vec<u8>)]) -> Result<Vec<u64>>;
    /// Publishes tiles, bundles and, last, the checkpoints of what was appended.
    ///
    /// # Errors
    /// A file cannot be written; a later start repeats it.
    fn publish(&mut self) -> Result<()>;
    /// Entries of a log.
    ///
    /// # Errors
    /// The database cannot be read.
    fn size(&self, log: Log) -> Result<u64>;
    /// One entry.
    ///
    /// # Errors
    /// It is not there.
    fn entry(&self, log: Log, seq: u64) -> Result<Vec<u8>>;
    /// Calls `each` for every entry from `from` on.
    ///
    /// # Errors
    /// The database cannot be read, or `each` said so.
    fn replay(
        &self,
        log: Log,
        from: u64,
        each: &mut dyn FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()>;
    /// Calls `each` for every entry of the register from `from` on, with its leaf hash; read and parsed elsewhere
    /// meanwhile. Each is checked against its leaf, and all together against the tree's root.
    ///
    /// # Errors
    /// The database cannot be read, an entry is none, or `each` said so.
    fn fold(
        &self,
        from: u64,
        each: &mut dyn FnMut(u64, &Entry, Digest) -> std::result::Result<(), EngineError>,
    ) -> std::result::Result<(), EngineError>;
    /// Root of a log at `size`.
    ///
    /// # Errors
    /// The log is shorter.
    fn root_at(&self, log: Log, size: u64) -> Result<Digest>;
    /// Inclusion proof of `seq` in the tree of `size`.
    ///
    /// # Errors
    /// The log is shorter.
    fn inclusion(&self, log: Log, seq: u64, size: u64) -> Result<Vec<merkle::Hash>>;
    /// Proof that the tree of `size` begins with that of `old`.
    ///
    /// # Errors
    /// The log is shorter.
    fn consistency(&self, log: Log, old: u64, size: u64) -> Result<Vec<merkle::Hash>>;
    /// The signed note for the tree of `size`; the same bytes each time.
    ///
    /// # Errors
    /// The log is shorter.
    fn note_at(&self, log: Log, size: u64) -> Result<String>;
    /// Keeps an authority's timestamp over the checkpoint of `size` beside the published register; durable when it
    /// returns.
    ///
    /// # Errors
    /// The log is shorter, or a file cannot be written.
    fn keep_timestamp(&mut self, size: u64, answer: &[u8]) -> Result<()>;
    /// A second look at the logs, which another thread may take.
    ///
    /// # Errors
    /// The database cannot be opened.
    fn reader(&self) -> Result<Box<dyn LogReader>>;
}

/// The fold as a cache, which may be lost at any time.
pub trait Folds {
    /// The fold that was kept under this key, and the root that the register had then; nothing where none can be
    /// believed.
    fn take(&self, key: &Secret) -> Option<(View, Digest)>;
    /// Keeps a fold of a register that has this root.
    ///
    /// # Errors
    /// It cannot be written; what was kept before stands.
    fn put(&mut self, view: &View, root: Digest, key: &Secret) -> Result<()>;
}

/// A look at the logs beside their writer.
pub trait LogReader: Send {
    /// Some entries from `from` on, in order and without a gap, none of them at or beyond `to`; none only where there
    /// is none. Each is checked against its leaf in the tree.
    ///
    /// # Errors
    /// The database cannot be read, or an entry is not what was committed.
    fn piece(&self, log: Log, from: u64, to: u64) -> Result<Vec<Vec<u8>>>;
}

/// The key store. Names look like `vault:c-00000002`.
pub trait Keys {
    /// Puts a secret; the same again is done. Durable.
    ///
    /// # Errors
    /// A tombstone or another secret is there.
    fn put(&mut self, name: &str, secret: &Secret) -> Result<()>;
    /// 32 random bytes under `name`, unless a secret is there already.
    ///
    /// # Errors
    /// A tombstone is there.
    fn ensure_random(&mut self, name: &str) -> Result<Secret>;
    /// An age identity under `name`, unless one is there already.
    ///
    /// # Errors
    /// A tombstone is there.
    fn ensure_identity(&mut self, name: &str) -> Result<Secret>;
    /// The secret, if it is live.
    ///
    /// # Errors
    /// The store cannot be read.
    fn live(&self, name: &str) -> Result<Option<Secret>>;
    /// Destroys it, leaving a tombstone that names `why` (an order's or key's id). Absent is done.
    ///
    /// # Errors
    /// The store cannot be written.
    fn destroy(&mut self, name: &str, why: &str) -> Result<()>;
    /// Destroys it for a destruction that is to be proven: also replaces the key that seals every secret, so that no copy
    /// of the sealed one opens any more. Gives what keeps this from being proven, in the words of the wipe's report.
    ///
    /// # Errors
    /// The store cannot be written.
    fn erase(&mut self, name: &str, why: &str) -> Result<Vec<Limit>>;
    /// What would keep the end of a key from being proven now, as far as that can be known before.
    fn foresee(&self) -> Vec<Limit>;
}

/// The copies that the agent keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Files as delivered, in the spool.
    Transfer,
    /// Loaded data.
    Vault,
    /// Records of batches.
    Case,
}

/// The erasable store: one record for each batch.
pub trait Cases {
    /// Replaces the record.
    ///
    /// # Errors
    /// Nothing was replaced.
    fn put(&mut self, batch: BatchId, record: &[u8], key: &Secret) -> Result<CopySize>;
    /// The record, if it is there.
    ///
    /// # Errors
    /// It is damaged, or the key is another's.
    fn take(&self, batch: BatchId, key: &Secret) -> Result<Option<Vec<u8>>>;
    /// Wipes it. Missing is done, with nothing counted.
    ///
    /// # Errors
    /// It could not be removed.
    fn wipe(&mut self, batch: BatchId) -> Result<WipeFacts>;
}

/// Bytes and digest of something written.
#[derive(Clone, Copy, Debug)]
pub struct CopySize {
    /// Bytes.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: Digest,
}

/// What lies in an inbox, by name only.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Delivery folders; names as the filesystem has them.
    pub folders: Vec<Vec<u8>>,
    /// Anything else, and whether its name is that of a key.
    pub strays: Vec<(Vec<u8>, bool)>,
    /// Folders into which a delivery is copied from a medium, or was, each with the name that it gets once it is whole.
    pub carried: Vec<(Vec<u8>, Vec<u8>)>,
    /// There is more, and it was not listed.
    pub cut: bool,
}

/// A file in a keybox.
#[derive(Debug)]
pub struct KeyFile {
    /// The batch number that it is named after.
    pub number: String,
    /// By its ending.
    pub form: KeyForm,
    /// Its bytes.
    pub bytes: Secret,
}

/// A finished claim.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The folder's name, as the filesystem has it.
    pub name: Vec<u8>,
    /// What was found, digests included.
    pub facts: Facts,
    /// Name, bytes and SHA-256 of each file that was taken, one for each copy and in their order.
    pub files: Vec<(Vec<u8>, CopySize)>,
    /// Which folder it was, in the port's own words.
    pub folder: String,
    /// The delivery changed while it was claimed: it is looked at again.
    pub changed: bool,
}

/// Drop directories and keyboxes.
pub trait Intake: Send + Sync {
    /// Lists an inbox.
    ///
    /// # Errors
    /// It cannot be read.
    fn scan(&self, link: &Link) -> Result<Scan>;
    /// Looks at one delivery: names, kinds, sizes, manifest and signature bytes; no digests of data files. Nothing
    /// where it is gone.
    ///
    /// # Errors
    /// It cannot be read.
    fn look(&self, link: &Link, folder: &[u8]) -> Result<Option<Facts>>;
    /// Copies every regular file of one link into the spool, sealed to `recipient`, as `copies`, hashing on the
    /// way. Durable. Redone from the start when called again. `meter` is told the bytes as they are copied.
    ///
    /// # Errors
    /// What was begun is removed by [`Spool::abandon`].
    fn claim(
        &self,
        link: &Link,
        folder: &[u8],
        copies: &[CopyId],
        recipient: &str,
        meter: &Meter,
    ) -> Result<Claimed>;
    /// Wipes the originals of the folder `name` that the claim said was `folder`. One that is gone is done.
    ///
    /// # Errors
    /// Something could not be removed.
    fn clear(&self, link: &Link, name: &[u8], folder: &str) -> Result<WipeFacts>;
    /// Files and bytes of what a copy from a medium left in an inbox that broke off. None where it is under way.
    ///
    /// # Errors
    /// It cannot be read.
    fn broken_off(&self, link: &Link, folder: &[u8]) -> Result<Option<(u64, u64)>>;
    /// Wipes it. One that is gone is done.
    ///
    /// # Errors
    /// It is under way, or something could not be removed.
    fn discard(&self, link: &Link, folder: &[u8]) -> Result<WipeFacts>;
    /// Finished key files.
    ///
    /// # Errors
    /// The keybox cannot be read.
    fn keybox(&self, link: &Link) -> Result<Vec<KeyFile>>;
    /// How many key files a wipe has begun with and could not end. Changes nothing.
    ///
    /// # Errors
    /// The keybox cannot be read.
    fn left_in_keybox(&self, link: &Link) -> Result<usize>;
    /// Ends those wipes.
    ///
    /// # Errors
    /// The keybox cannot be read, or one of them cannot be ended; the others are.
    fn finish_keybox(&self, link: &Link) -> Result<()>;
    /// Wipes one key file, if it holds what was `read` of it. Missing is done, and one that holds something else by now
    /// is another key, which is left for the next look.
    ///
    /// # Errors
    /// It could not be removed.
    fn wipe_key_file(&self, link: &Link, number: &str, form: KeyForm, read: &Secret) -> Result<()>;
}

/// Claimed files.
pub trait Spool: Send + Sync {
    /// Reads a file as it was delivered.
    ///
    /// # Errors
    /// It is not there, or the key is another's.
    fn open(&self, copy: CopyId, identity: &Secret) -> Result<Box<dyn Delivered>>;
    /// Removes what a claim that was given up had begun.
    ///
    /// # Errors
    /// It could not be removed.
    fn abandon(&self, copies: &[CopyId]) -> Result<()>;
    /// Wipes a file. Missing is done, with nothing counted.
    ///
    /// # Errors
    /// It could not be removed.
    fn wipe(&self, copy: CopyId) -> Result<WipeFacts>;
}

/// A file as it was delivered, read from anywhere in it.
pub trait Delivered: Read + Seek + Send {}

impl<T: Read + Seek + Send> Delivered for T {}

/// The plaintext of a delivered file: one after another the files that it holds. The first is there from the start, and
/// each ends only after what proves it whole was right. What an error leaves is not read on.
pub trait Plain: Read + Send {
    /// Goes on to the next file, when the one before was read to its end; false where there is none.
    ///
    /// # Errors
    /// Those of reading.
    fn next_file(&mut self) -> std::io::Result<bool>;
}

/// Why a delivered file does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFault {
    /// Not an age file.
    NotAge,
    /// Not the container that was agreed to, or it holds what that may not hold.
    Foreign,
    /// It names a file as no file may be named.
    Name,
    /// Over a limit.
    Limit,
    /// Another key.
    WrongKey,
    /// Damaged, or it asks for too much work.
    Damaged,
    /// Our copy cannot be read, which says nothing about the delivery.
    Unreadable,
}

/// What archives of one batch may still ask for in rounds of a key's derivation.
#[derive(Clone, Debug)]
pub struct Rounds(Arc<AtomicU64>);

impl Rounds {
    /// This many rounds.
    #[must_use]
    pub fn new(rounds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(rounds)))
    }

    /// Takes as many of what is left; false where so many are not, and then takes none.
    #[must_use]
    pub fn take(&self, rounds: u64) -> bool {
        let less = |left: u64| left.checked_sub(rounds);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    }
}

impl Default for Rounds {
    /// What one batch has.
    fn default() -> Self {
        Self::new(ARCHIVE_ROUNDS_BATCH_MAX)
    }
}

/// What opens a delivered file.
pub enum Lock<'a> {
    /// An age file, and its key.
    Age(KeyForm, &'a Secret),
    /// An archive, its passphrase, and what the batch has left of rounds.
    Archive(Container, &'a Secret, &'a Rounds),
    /// There is none: it came in plain.
    None,
}

/// Delivered files and their keys.
pub trait Opener: Send + Sync {
    /// Opens a delivered file.
    ///
    /// # Errors
    /// See [`OpenFault`].
    fn open(
        &self,
        file: Box<dyn Delivered>,
        lock: &Lock<'_>,
    ) -> std::result::Result<Box<dyn Plain>, OpenFault>;
    /// What an error while reading says of the delivery; nothing where it is trouble with reading it.
    fn fault(&self, error: &std::io::Error) -> Option<OpenFault>;
    /// Reads a key file: the secret itself, and the fingerprint of an identity's recipient.
    fn parse_key(&self, form: KeyForm, bytes: &Secret) -> Option<(Secret, Option<Digest>)>;
    /// The recipient of an identity.
    fn recipient(&self, identity: &Secret) -> Option<String>;
    /// Seals bytes to a recipient.
    ///
    /// # Errors
    /// The recipient is none.
    fn seal(&self, recipient: &str, bytes: &[u8]) -> Result<Vec<u8>>;
    /// Opens what [`Opener::seal`] sealed; nothing where it was sealed to another identity, or is damaged.
    fn unseal(&self, identity: &Secret, sealed: &[u8]) -> Option<zeroize::Zeroizing<Vec<u8>>>;
}

/// A column of a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultColumn {
    /// Name, an item of the link.
    pub name: String,
    /// Whether look-ups go by it.
    pub key: bool,
}

/// Loaded data.
pub trait Vaults: Send + Sync {
    /// Begins a vault under a temporary name. Its rows lie under `key`, or in plain where that was accepted and the place
    /// can have it so.
    ///
    /// # Errors
    /// It cannot be made.
    fn build(
        &self,
        copy: CopyId,
        key: &Secret,
        columns: &[VaultColumn],
        plain: bool,
    ) -> Result<Box<dyn VaultBuild>>;
    /// Removes what a load that was given up had begun.
    ///
    /// # Errors
    /// It could not be removed.
    fn abandon(&self, copy: CopyId) -> Result<()>;
    /// Wipes a vault. Missing is done, with nothing counted.
    ///
    /// # Errors
    /// It could not be removed.
    fn wipe(&self, copy: CopyId) -> Result<WipeFacts>;
    /// Reads the current view over `vaults` (in their order), or all of one batch.
    ///
    /// # Errors
    /// A vault cannot be opened.
    fn read(&self, read: &VaultRead<'_>, each: &mut dyn FnMut(&[String]) -> Flow) -> Result<()>;
    /// Whether what is built may lie there in plain, where the site has accepted that.
    fn may_be_plain(&self) -> bool;
    /// Where it lies, where that is not the agent's own state.
    fn place(&self) -> Option<String> {
        None
    }
    /// Takes away what loads that were given up may have left where nobody could be asked; gives those of which that is
    /// still not known, each time that it tried.
    fn settle(&self) -> Vec<CopyId> {
        Vec::new()
    }
}

/// The code of a reading whose time was over by the clock of the store itself.
pub const READING_OVER: &str = "reading-over";

/// Whether a reader goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The next row.
    On,
    /// No more rows.
    Stop,
}

/// A vault that takes part in a read.
pub struct VaultKey {
    /// The copy.
    pub copy: CopyId,
    /// Its key.
    pub key: Secret,
}

/// What is read.
pub struct VaultRead<'a> {
    /// The vaults: the base first, then newer ones.
    pub vaults: &'a [VaultKey],
    /// The key column, where the layout has one.
    pub key: Option<&'a str>,
    /// Columns wanted, in order.
    pub columns: &'a [String],
    /// Sets of conditions, one after the other; all conditions of a set hold.
    pub sets: &'a [Vec<(String, String)>],
    /// Whether the records stand for themselves (one batch), without the rules of the current view.
    pub single: bool,
    /// How long rows may come from now on: the store holds it by a clock that the agent's wall clock does not move, within
    /// a running statement too, and ends with [`READING_OVER`].
    pub remaining: Duration,
}

/// A vault that is being built.
pub trait VaultBuild: Send {
    /// One record.
    ///
    /// # Errors
    /// It cannot be written.
    fn insert(&mut self, number: u64, removed: bool, values: &[String]) -> Result<()>;
    /// Indexes it, makes it durable and counts its rows anew; it has its temporary name still.
    ///
    /// # Errors
    /// It is not whole.
    fn seal(self: Box<Self>) -> Result<Box<dyn SealedVault>>;
}

/// A vault that is whole and waits for its place.
pub trait SealedVault: Send {
    /// Its rows, and its size.
    fn rows(&self) -> (u64, CopySize);
    /// Puts it in its place. Durable.
    ///
    /// # Errors
    /// Nothing is in its place.
    fn place(self: Box<Self>) -> Result<()>;
}

/// Certificates.
pub trait Certificates {
    /// Stores the bytes; the same again is done, others are an error.
    ///
    /// # Errors
    /// Other bytes are there.
    fn put(&mut self, order: OrderId, bytes: &[u8]) -> Result<()>;
    /// The bytes, if they are there.
    ///
    /// # Errors
    /// They cannot be read.
    fn take(&self, order: OrderId) -> Result<Option<Vec<u8>>>;
}

/// Papers kept for inspection, by their digest.
pub trait Papers {
    /// Keeps the bytes; the same again is done. Durable.
    ///
    /// # Errors
    /// They cannot be written, or others are there.
    fn put(&mut self, sha256: Digest, bytes: &[u8]) -> Result<()>;
    /// The bytes, if they are there.
    ///
    /// # Errors
    /// They cannot be read.
    fn take(&self, sha256: Digest) -> Result<Option<Vec<u8>>>;
}

/// Receipts.
pub trait Receipts {
    /// Keeps the receipt of a batch, over the one before. Durable.
    ///
    /// # Errors
    /// It cannot be written.
    fn put(&mut self, batch: BatchId, receipt: &[u8], signature: &str) -> Result<()>;
    /// The receipt and its signature, if they are there.
    ///
    /// # Errors
    /// They cannot be read.
    fn take(&self, batch: BatchId) -> Result<Option<(Vec<u8>, String)>>;
    /// Leaves them in a folder that others may write. Durable.
    ///
    /// # Errors
    /// The folder cannot be written.
    fn leave(
        &mut self,
        folder: &Path,
        batch: BatchId,
        receipt: &[u8],
        signature: &str,
    ) -> Result<()>;
}

/// The register key's SSHSIG.
pub trait Signer {
    /// Signs; the same bytes each time.
    ///
    /// # Errors
    /// The key is not there.
    fn sign(&self, namespace: &str, message: &[u8]) -> Result<String>;
}

/// Notes that wipes leave while their outcome is not recorded.
pub trait Evidence {
    /// Forgets those of which every outcome is recorded: all but those of what is `pending`.
    ///
    /// # Errors
    /// One cannot be removed.
    fn sweep(&mut self, pending: &dyn Fn(Noted) -> bool) -> Result<()>;
    /// What would keep a wipe of such a copy from being stated as more, by where it lies. What an overwrite only shows by
    /// itself is not among it.
    fn foresee(&self, kept: Kept) -> Vec<Limit>;
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// The file or the key of one copy.
    Copy(CopyId),
    /// The record, or a key, of a batch.
    Batch(BatchId),
}

/// The lock on the state folder.
pub trait Lease {
    /// Lets another process in, while only rows are read.
    fn pause(&mut self);
    /// Takes the lock again; waits for who holds it.
    ///
    /// # Errors
    /// It cannot be had.
    fn resume(&mut self) -> Result<()>;
}

/// Everything outside, as one value that wiring fills.
pub struct Ports {
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Journal.
    pub journal: Box<dyn Journal>,
    /// Key store.
    pub keys: Box<dyn Keys>,
    /// Erasable store.
    pub cases: Box<dyn Cases>,
    /// Drop directories.
    pub intake: Arc<dyn Intake>,
    /// Claimed files.
    pub spool: Arc<dyn Spool>,
    /// age.
    pub opener: Arc<dyn Opener>,
    /// Vaults.
    pub vaults: Arc<dyn Vaults>,
    /// Certificates.
    pub certificates: Box<dyn Certificates>,
    /// Papers kept for inspection.
    pub papers: Box<dyn Papers>,
    /// Packages that are handed on.
    pub packages: Arc<dyn Packages>,
    /// Receipts.
    pub receipts: Box<dyn Receipts>,
    /// Signatures of the register key.
    pub signer: Box<dyn Signer>,
    /// The lock on the state folder.
    pub lease: Box<dyn Lease>,
    /// Notes of wipes.
    pub evidence: Box<dyn Evidence>,
    /// The fold as a cache.
    pub folds: Box<dyn Folds>,
    /// Servers that deliveries are fetched from.
    pub sources: Arc<dyn super::sources::Sources>,
    /// Notices by mail and webhook.
    pub notices: Arc<dyn super::notices::Notices>,
    /// Whoever looks after the agent.
    pub monitor: Box<dyn super::health::Monitor>,
}
