//! The judgement of a delivery, up to the point where its key is needed.
//!
//! A pure function from what was found in the folder, the link and the ledger to a verdict, in exactly the order in
//! which several defects count: links and special files; keys in the data channel; signature; manifest; names; link
//! and table; completeness and sizes; unlisted files; ledger (number, content, sequence); SHA-256; age header;
//! standing of the link. It runs twice: while looking (sizes only), and on the claimed copies (with digests), and the
//! second verdict counts. Nothing of the manifest is parsed before its signature held over the raw bytes.
//!
//! It is over 500 lines because the order of judgement is read in one piece.

mod beside;
mod keys;
mod outside;

use std::fmt;

use zeroize::Zeroizing;

pub use self::{
    beside::{AnnouncedBy, Beside, FileBeside, FileFinding, beside},
    keys::is_key_name,
};
use super::{
    digest::Digest,
    entry::AnnouncedFacts,
    limits::{DELIVERY_BYTES_MAX, DELIVERY_FILES_MAX, RECORDS_MAX},
    link::{Container, Link, LinkStatus},
    manifest::{Kind, MANIFEST_NAME, MANIFEST_NAMESPACE, Manifest, ManifestFault, SIGNATURE_NAME},
    reason::Reason,
    sshsig,
    time::Timestamp,
};

/// Bytes of a file's beginning that are looked at.
pub const HEAD_BYTES: usize = 4 << 10;

/// Whether a file begins as an age file does, binary or armored.
#[must_use]
pub fn looks_like_age(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    head.starts_with(b"age-encryption.org/")
        || text.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----")
}

/// What a thing in a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file with one link.
    File,
    /// A regular file that has a second link somewhere.
    Linked,
    /// A symbolic link.
    Link,
    /// A folder, a pipe, a socket, a device, or a mount.
    Other,
}

/// One thing in a delivery folder.
#[derive(Clone)]
pub struct Entry {
    /// Its name, as the filesystem has it.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Its length; of a claimed file, the bytes that were copied.
    pub bytes: u64,
    /// Its first bytes, [`HEAD_BYTES`] at most; empty where it was not opened.
    pub head: Zeroizing<Vec<u8>>,
    /// SHA-256 of the claimed copy; none while looking, and for what was not copied.
    pub sha256: Option<Digest>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?}, {} bytes, {:?})", self.kind, self.bytes, self.sha256)
    }
}

/// A manifest or a signature as it was found, read once.
#[derive(Clone, PartialEq, Eq)]
pub enum Document {
    /// Not there, or nothing that is opened.
    Missing,
    /// Over its limit, and not read.
    TooLong,
    /// The bytes.
    Bytes(Vec<u8>),
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("Missing"),
            Self::TooLong => f.write_str("TooLong"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
        }
    }
}

/// What was found in a delivery folder.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Everything in it but manifest and signature where these are plain files; sorted by name.
    pub entries: Vec<Entry>,
    /// There is more than [`DELIVERY_FILES_MAX`], and `entries` is cut.
    pub cut: bool,
    /// `manifest.yaml`.
    pub manifest: Document,
    /// `manifest.yaml.sig`.
    pub signature: Document,
    /// Documents of the form that the link names, by name; see [`super::control`].
    pub control: Vec<(Vec<u8>, Document)>,
}

impl Facts {
    /// Bytes over all regular files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.bytes))
    }

    /// Whether there is more than a delivery may have, so that it is neither read on nor copied.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        self.cut || self.bytes() > DELIVERY_BYTES_MAX
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name.as_bytes())
    }
}

/// Where a delta's number stands in its link's sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The next one.
    Next,
    /// A number before it is missing.
    Ahead,
    /// It was there already.
    Taken,
}

/// What the register knows of earlier batches of the link, without the batch that is judged.
pub trait Ledger {
    /// Whether the number is spent: verified under it, and not rejected by a person.
    fn is_spent(&self, number: &str) -> bool;
    /// Whether a file of these bytes, as delivered, was loaded.
    fn is_loaded(&self, file: &Digest) -> bool;
    /// Where a delta's number stands.
    fn place(&self, sequence: u64) -> Place;
}

/// What the judgement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The folder as it lies there. What is missing may still come.
    Looking,
    /// Our own copies. Nothing will come any more: what would wait is refused under the same reason.
    Claimed,
}

/// Everything that a judgement depends on.
pub struct Question<'a> {
    /// What was found.
    pub facts: &'a Facts,
    /// The link of the inbox.
    pub link: &'a Link,
    /// Earlier batches.
    pub ledger: &'a dyn Ledger,
    /// Looking, or claimed.
    pub stage: Stage,
    /// When the delivery was received, by our clock: the time at which the signer must be valid.
    pub received_at: Timestamp,
    /// Now, for the standing of the link.
    pub now: Timestamp,
    /// What two people entered from a letter, for a delivery that has no manifest of its own.
    pub announced: Option<&'a AnnouncedFacts>,
}

/// Who signed a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The principals of the line that lets the key sign.
    pub principals: String,
    /// The key's fingerprint, `SHA256:…`.
    pub fingerprint: String,
}

/// A delivery that passed everything before its key is needed. Only [`judge`] makes one.
#[derive(Clone, Debug)]
pub struct Accepted {
    manifest: Manifest,
    signer: Option<Signer>,
    announced: bool,
    sized: bool,
    ahead: bool,
    purpose_differs: bool,
    basis_differs: bool,
}

impl Accepted {
    /// The manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Who signed it; none for an announced one.
    #[must_use]
    pub const fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// Whether it rests on a letter that two people entered.
    #[must_use]
    pub const fn is_announced(&self) -> bool {
        self.announced
    }

    /// Whether the sizes of its files were stated: without that nobody knows while looking that a file is whole.
    #[must_use]
    pub const fn is_sized(&self) -> bool {
        self.sized
    }

    /// A delta before it is missing: it stays verified, and waits (`sequence-gap`).
    #[must_use]
    pub const fn waits_for_delta(&self) -> bool {
        self.ahead
    }

    /// The stated purpose is not the link's; shown, never a reason to refuse.
    #[must_use]
    pub const fn purpose_differs(&self) -> bool {
        self.purpose_differs
    }

    /// The stated document number is not the link's; shown, never a reason to refuse.
    #[must_use]
    pub const fn basis_differs(&self) -> bool {
        self.basis_differs
    }
}

/// A refusal, with what is known of the sender by then.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The reason code.
    pub reason: Reason,
    /// What was wrong with the manifest, where that is the reason.
    pub fault: Option<ManifestFault>,
    /// The manifest, where its signature held and it could be read.
    pub manifest: Option<Box<Manifest>>,
    /// Who signed it.
    pub signer: Option<Signer>,
}

/// The verdict.
#[derive(Clone, Debug)]
#[must_use]
pub enum Look {
    /// Not complete: no batch yet.
    Wait(Reason),
    /// To be claimed and quarantined.
    Refuse(Refusal),
    /// To be claimed; of claimed copies: verified.
    Complete(Box<Accepted>),
}

impl Look {
    /// The reason, where there is one.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Wait(reason) => Some(*reason),
            Self::Refuse(refusal) => Some(refusal.reason),
            Self::Complete(accepted) if accepted.ahead => Some(Reason::SequenceGap),
            Self::Complete(_) => None,
        }
    }
}

/// A defect, as the steps below pass it up.
enum Defect {
    Waits(Reason),
    Refused(Reason),
    Manifest(ManifestFault),
}

/// Judges a delivery.
pub fn judge(question: &Question<'_>) -> Look {
    let mut known = Known::default();
    match known.judge(question) {
        Ok(accepted) => Look::Complete(Box::new(accepted)),
        Err(Defect::Waits(reason)) if question.stage == Stage::Looking => Look::Wait(reason),
        Err(Defect::Waits(reason) | Defect::Refused(reason)) => {
            Look::Refuse(known.refusal(reason, None))
        }
        Err(Defect::Manifest(fault)) => Look::Refuse(known.refusal(fault.reason(), Some(fault))),
    }
}

/// What has been established so far.
#[derive(Default)]
struct Known {
    manifest: Option<Manifest>,
    signer: Option<Signer>,
}

impl Known {
    fn refusal(self, reason: Reason, fault: Option<ManifestFault>) -> Refusal {
        Refusal { reason, fault, manifest: self.manifest.map(Box::new), signer: self.signer }
    }

    /// The order of this function is the contract; each line is one place in it.
    fn judge(&mut self, question: &Question<'_>) -> Result<Accepted, Defect> {
        let Question { facts, link, ledger, .. } = question;
        check_things(facts)?;
        check_keys(facts)?;
        let mut sized = true;
        let read = if outside::is_meant(question) {
            let stated = outside::read(question, &mut self.signer)?;
            sized = stated.sized;
            stated.manifest
        } else {
            Manifest::parse(self.check_signature(question)?).map_err(Defect::Manifest)?
        };
        let manifest = self.manifest.insert(read);
        check_limits(manifest)?;
        check_link(manifest, link)?;
        check_sizes(manifest, facts)?;
        check_unlisted(manifest, facts)?;
        let ahead = check_ledger(manifest, facts, *ledger)?;
        check_content(manifest, facts, question.stage, link)?;
        check_standing(link, question.now)?;
        Ok(Accepted {
            purpose_differs: manifest.purpose != link.purpose,
            basis_differs: manifest.basis_doc_no != link.basis_doc_no,
            manifest: manifest.clone(),
            announced: question.announced.is_some() && outside::is_meant(question),
            signer: self.signer.clone(),
            sized,
            ahead,
        })
    }

    /// The manifest's bytes, once their signature holds and the link lists its key.
    fn check_signature<'a>(&mut self, question: &Question<'a>) -> Result<&'a [u8], Defect> {
        let facts = question.facts;
        let manifest = match (&facts.manifest, &facts.signature) {
            (Document::Missing, _) => return Err(Defect::Waits(Reason::Incomplete)),
            (Document::Bytes(_), Document::Missing) => return Err(unsigned(facts)),
            (Document::TooLong, Document::Missing) => return Err(Defect::Waits(Reason::Unsigned)),
            (_, Document::TooLong) => return Err(Defect::Refused(Reason::BadSignature)),
            // What is not read cannot be verified either; its length alone refuses it.
            (Document::TooLong, Document::Bytes(_)) => {
                return Err(Defect::Manifest(ManifestFault::TooLong));
            }
            (Document::Bytes(manifest), Document::Bytes(signature)) => {
                self.signer = Some(signer_of(question, manifest, signature)?);
                manifest
            }
        };
        Ok(manifest)
    }
}

/// Who signed these bytes, where the link lists the key.
fn signer_of(question: &Question<'_>, signed: &[u8], signature: &[u8]) -> Result<Signer, Defect> {
    let key = sshsig::verify(signature, signed, MANIFEST_NAMESPACE)
        .map_err(|_| Defect::Refused(Reason::BadSignature))?;
    let principals = question
        .link
        .signers
        .judge(&key, MANIFEST_NAMESPACE, question.received_at)
        .ok_or(Defect::Refused(Reason::UnknownSigner))?
        .to_owned();
    Ok(Signer { principals, fingerprint: key.fingerprint() })
}

/// The manifest of claimed copies that were verified, made again of the same facts.
#[must_use]
pub fn manifest_of(question: &Question<'_>) -> Option<Manifest> {
    let mut known = Known::default();
    if outside::is_meant(question) {
        return outside::read(question, &mut known.signer).ok().map(|stated| stated.manifest);
    }
    match &question.facts.manifest {
        Document::Bytes(bytes) => Manifest::parse(bytes).ok(),
        Document::Missing | Document::TooLong => None,
    }
}

/// A delivery without signature is `unsigned` only where a manifest and something to go with it are there.
fn unsigned(facts: &Facts) -> Defect {
    let alone = facts.entries.is_empty();
    Defect::Waits(if alone { Reason::Incomplete } else { Reason::Unsigned })
}

fn check_things(facts: &Facts) -> Result<(), Defect> {
    if facts.entries.iter().any(|entry| entry.kind != EntryKind::File) {
        return Err(Defect::Refused(Reason::UnsafeFile));
    }
    if facts.is_over_limit() {
        return Err(Defect::Refused(Reason::LimitExceeded));
    }
    Ok(())
}

fn check_keys(facts: &Facts) -> Result<(), Defect> {
    let in_text = |document: &Document| match document {
        Document::Bytes(bytes) => keys::holds_mark(&keys::lower(bytes)),
        Document::Missing | Document::TooLong => false,
    };
    let in_documents = in_text(&facts.manifest)
        || in_text(&facts.signature)
        || facts.control.iter().any(|(_, document)| in_text(document));
    if in_documents || facts.entries.iter().any(|entry| keys::is_key(entry, false)) {
        return Err(Defect::Refused(Reason::KeyWithData));
    }
    Ok(())
}

fn check_limits(manifest: &Manifest) -> Result<(), Defect> {
    let bytes = manifest.files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
    let over = bytes > DELIVERY_BYTES_MAX
        || manifest.records > RECORDS_MAX
        || manifest.files.len() > DELIVERY_FILES_MAX;
    if over { Err(Defect::Refused(Reason::LimitExceeded)) } else { Ok(()) }
}

fn check_link(manifest: &Manifest, link: &Link) -> Result<(), Defect> {
    if manifest.link != link.name {
        return Err(Defect::Refused(Reason::WrongLink));
    }
    if manifest.table_no != link.table_no {
        return Err(Defect::Refused(Reason::WrongTable));
    }
    Ok(())
}

fn check_sizes(manifest: &Manifest, facts: &Facts) -> Result<(), Defect> {
    let mut short = false;
    for file in &manifest.files {
        match facts.entry(&file.name) {
            // No wait makes a file shorter: this goes before whatever is missing.
            Some(entry) if entry.bytes > file.bytes => {
                return Err(Defect::Refused(Reason::SizeMismatch));
            }
            Some(entry) => short |= entry.bytes < file.bytes,
            None => short = true,
        }
    }
    if short { Err(Defect::Waits(Reason::Incomplete)) } else { Ok(()) }
}

fn check_unlisted(manifest: &Manifest, facts: &Facts) -> Result<(), Defect> {
    let unlisted = || facts.entries.iter().filter(|entry| manifest.file(&entry.name).is_none());
    if unlisted().any(|entry| keys::is_key(entry, true)) {
        return Err(Defect::Refused(Reason::KeyWithData));
    }
    if unlisted().next().is_some() {
        return Err(Defect::Refused(Reason::UnlistedFile));
    }
    Ok(())
}

/// Whether a delta is ahead of its sequence.
fn check_ledger(manifest: &Manifest, facts: &Facts, ledger: &dyn Ledger) -> Result<bool, Defect> {
    if ledger.is_spent(&manifest.batch) {
        return Err(Defect::Refused(Reason::DuplicateBatch));
    }
    let stated = manifest.files.iter().map(|file| file.sha256);
    let found = facts.entries.iter().filter_map(|entry| entry.sha256);
    if !manifest.is_empty_delta() && stated.chain(found).any(|digest| ledger.is_loaded(&digest)) {
        return Err(Defect::Refused(Reason::DuplicateContent));
    }
    match (manifest.kind, ledger.place(manifest.sequence)) {
        (Kind::Full, _) | (Kind::Delta, Place::Next) => Ok(false),
        (Kind::Delta, Place::Ahead) => Ok(true),
        (Kind::Delta, Place::Taken) => Err(Defect::Refused(Reason::SequenceGap)),
    }
}

/// Digests of the copies, then how they begin. While looking there are no digests; a listed file of a claim without
/// one was not copied, and is not what was stated either.
fn check_content(
    manifest: &Manifest,
    facts: &Facts,
    stage: Stage,
    link: &Link,
) -> Result<(), Defect> {
    let listed = || manifest.files.iter().filter_map(|f| facts.entry(&f.name).map(|e| (f, e)));
    let hashed = stage == Stage::Claimed;
    if hashed && listed().any(|(file, entry)| entry.sha256 != Some(file.sha256)) {
        return Err(Defect::Refused(Reason::ChecksumMismatch));
    }
    if listed().any(|(_, entry)| !is_contained(link.container, &entry.head)) {
        let age = link.container == Container::Age;
        return Err(Defect::Refused(if age { Reason::NotAge } else { Reason::WrongContainer }));
    }
    Ok(())
}

/// Whether a file begins as the container does. What is to come in plain may begin with anything but as a container.
fn is_contained(container: Container, head: &[u8]) -> bool {
    const ZIP: &[u8] = b"PK\x03\x04";
    const SEVEN: &[u8] = b"7z\xBC\xAF\x27\x1C";
    match container {
        Container::Age => looks_like_age(head),
        Container::ZipAes => head.starts_with(ZIP),
        Container::SevenZ => head.starts_with(SEVEN),
        Container::PlainByHand => {
            !looks_like_age(head) && !head.starts_with(ZIP) && !head.starts_with(SEVEN)
        }
    }
}

/// Whether a file that a link takes in this form is encrypted, as far as its beginning tells. What came in plain by mistake is
/// not, and neither is a ZIP archive without a passphrase. Of a 7z archive only its end tells, and that is behind its passphrase.
#[must_use]
pub fn is_encrypted(container: Container, head: &[u8]) -> bool {
    // Bit 0 of an entry's flags: it is encrypted.
    let flagged = || head.get(6).is_some_and(|flags| flags & 1 == 1);
    match container {
        Container::PlainByHand => false,
        Container::ZipAes => is_contained(container, head) && flagged(),
        Container::Age | Container::SevenZ => is_contained(container, head),
    }
}

fn check_standing(link: &Link, now: Timestamp) -> Result<(), Defect> {
    if link.status != LinkStatus::Active {
        return Err(Defect::Refused(Reason::LinkInactive));
    }
    if now > link.approved_until {
        return Err(Defect::Refused(Reason::UseExpired));
    }
    Ok(())
}

/// Whether a name in a delivery is one of the two documents, which are read into memory and not copied.
#[must_use]
pub fn is_document(name: &[u8]) -> bool {
    name == MANIFEST_NAME.as_bytes() || name == SIGNATURE_NAME.as_bytes()
}

#[cfg(test)]
mod tests;
