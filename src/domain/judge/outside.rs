//! Deliveries without a manifest of ours: what a control file, a list of digests, a bag or a letter says becomes the same
//! facts, and is judged by the same rules.
//!
//! Nothing counts that nobody stands behind: a signature over the control file, a letter that two people entered, or, where
//! the link's file says so in as many words, the inbox itself.

use super::{Defect, Document, Entry, Question, Signer, Stage, signer_of, unsigned};
use crate::domain::{
    control::{self, ManifestForm, Stated},
    digest::Digest,
    entry::AnnouncedFacts,
    ids::NoticeId,
    limits::DELIVERY_FILES_MAX,
    manifest::{AsOf, FileEntry, Kind, Manifest, ManifestFault, is_safe_name},
    notified::is_meant as matches,
    reason::Reason,
};

/// A manifest that was made of what is there.
pub(super) struct Made {
    pub(super) manifest: Manifest,
    /// Whether the sizes of the files were stated.
    pub(super) sized: bool,
}

/// Whether a delivery is judged without a manifest of ours. One that is there always counts first.
pub(super) fn is_meant(question: &Question<'_>) -> bool {
    let facts = question.facts;
    let none = facts.manifest == Document::Missing && facts.signature == Document::Missing;
    none && (question.announced.is_some() || question.link.profile.form != ManifestForm::Ours)
}

/// Reads what is there; who signed it, where somebody did.
pub(super) fn read(question: &Question<'_>, signer: &mut Option<Signer>) -> Result<Made, Defect> {
    let (facts, profile) = (question.facts, &question.link.profile);
    let stated =
        control::read(profile, &facts.control).map_err(|fault| Defect::Manifest(fault.into()))?;
    let by_control =
        matches!(profile.form, ManifestForm::Ctl | ManifestForm::Sums | ManifestForm::Bag);
    let stated = match stated {
        Some(stated) => stated,
        None if by_control => return Err(Defect::Waits(Reason::Incomplete)),
        None => Stated::default(),
    };
    match &stated.signed {
        Some((bytes, Some(Document::Bytes(signature)))) => {
            *signer = Some(signer_of(question, bytes, signature)?);
        }
        Some((_, Some(Document::TooLong))) => return Err(Defect::Refused(Reason::BadSignature)),
        Some((_, Some(Document::Missing) | None)) | None => {}
    }
    let vouched =
        signer.is_some() || question.announced.is_some() || (by_control && profile.unsigned);
    if !vouched {
        return Err(unsigned(facts));
    }
    let listed = files(question, &stated)?;
    let sized = stated.oxum.is_some() || stated.files.iter().all(|file| file.bytes.is_some());
    let sized = sized && !stated.files.is_empty();
    Ok(Made { manifest: manifest(question, &stated, listed)?, sized })
}

/// The files: those that are listed, or those whose names a letter means.
fn files(question: &Question<'_>, stated: &Stated) -> Result<Vec<FileEntry>, Defect> {
    let (facts, letter) = (question.facts, question.announced);
    let mut files = Vec::new();
    if stated.files.is_empty() {
        let pattern = letter.map_or("", |letter| letter.files.as_str());
        for entry in &facts.entries {
            let Ok(name) = std::str::from_utf8(&entry.name) else { continue };
            if matches(pattern, name) {
                files.push(file(question, name, Some(entry), None));
            }
        }
        let named = letter.map_or(0, |letter| letter.sha256.len());
        if files.is_empty() || files.len() < named {
            return Err(Defect::Waits(Reason::Incomplete));
        }
        if named > 0 && files.len() > named {
            return Err(Defect::Refused(Reason::UnlistedFile));
        }
        agree(question, &mut files);
    }
    for one in &stated.files {
        let entry = facts.entry(&one.name);
        if entry.is_none() && one.bytes.is_none() {
            return Err(Defect::Waits(Reason::Incomplete));
        }
        // A letter that states digests states those of all files.
        if let (Some(letter), Some(sha256)) = (letter, one.sha256)
            && !letter.sha256.is_empty()
            && !letter.sha256.contains(&sha256)
        {
            return Err(Defect::Refused(Reason::ChecksumMismatch));
        }
        let mut file = file(question, &one.name, entry, one.sha256);
        file.bytes = one.bytes.unwrap_or(file.bytes);
        file.records = one.records.unwrap_or(0);
        files.push(file);
    }
    oxum(question, stated, &files)?;
    if files.len() > DELIVERY_FILES_MAX {
        return Err(Defect::Refused(Reason::LimitExceeded));
    }
    Ok(files)
}

fn file(
    question: &Question<'_>,
    name: &str,
    entry: Option<&Entry>,
    stated: Option<Digest>,
) -> FileEntry {
    let found = entry.and_then(|entry| entry.sha256);
    // While looking nothing is hashed: what stands in the digest's place is never compared with one then.
    let unknown = || Digest::of(name.as_bytes());
    let sha256 = stated.or(found.filter(|_| question.stage == Stage::Claimed));
    FileEntry {
        name: name.to_owned(),
        bytes: entry.map_or(0, |entry| entry.bytes),
        sha256: sha256.unwrap_or_else(unknown),
        records: 0,
        plaintext_sha256: None,
    }
}

/// The digests of a letter are those of its files in any order, each of one file: the same file twice is not two. One that
/// none is left for is given one that nothing has, so that the judgement refuses it in its place.
fn agree(question: &Question<'_>, files: &mut [FileEntry]) {
    let Some(letter) = question.announced.filter(|letter| !letter.sha256.is_empty()) else {
        return;
    };
    if question.stage != Stage::Claimed {
        return;
    }
    let mut left: Vec<Digest> = letter.sha256.clone();
    let odd =
        files.iter_mut().filter(|file| !taken_out(&mut left, file.sha256)).collect::<Vec<_>>();
    for file in odd {
        // Its own would be found again in it, which is why it is not given one of those that are left.
        file.sha256 = Digest::of(file.name.as_bytes());
    }
}

/// Takes a digest out of those of a letter, once; whether it was there.
pub(super) fn taken_out(left: &mut Vec<Digest>, digest: Digest) -> bool {
    let at = left.iter().position(|one| *one == digest);
    at.map(|at| left.swap_remove(at)).is_some()
}

/// What a bag says of its payload as a whole.
fn oxum(question: &Question<'_>, stated: &Stated, files: &[FileEntry]) -> Result<(), Defect> {
    let Some((octets, streams)) = stated.oxum else { return Ok(()) };
    if streams != files.len() as u64 {
        let fault = control::ControlFault::OutOfRange("Payload-Oxum");
        return Err(Defect::Manifest(fault.into()));
    }
    let entries = files.iter().filter_map(|file| question.facts.entry(&file.name));
    let found = entries.fold(0_u64, |sum, entry| sum.saturating_add(entry.bytes));
    match found.cmp(&octets) {
        std::cmp::Ordering::Less => Err(Defect::Waits(Reason::Incomplete)),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(Defect::Refused(Reason::SizeMismatch)),
    }
}

/// What two say must be the same.
fn same<T: PartialEq>(
    field: &'static str,
    one: Option<T>,
    other: Option<T>,
) -> Result<Option<T>, Defect> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => {
            Err(Defect::Manifest(ManifestFault::OutOfRange(field)))
        }
        (one, other) => Ok(one.or(other)),
    }
}

fn manifest(
    question: &Question<'_>,
    stated: &Stated,
    mut files: Vec<FileEntry>,
) -> Result<Manifest, Defect> {
    let (link, letter) = (question.link, question.announced);
    let fault = |fault| Err(Defect::Manifest(fault));
    let records = match (stated.records, letter.map(|letter| letter.records)) {
        (Some(one), Some(other)) if one != other => {
            return Err(Defect::Refused(Reason::CountMismatch));
        }
        (one, other) => one.or(other),
    };
    // How many records there are, nobody has said yet: a letter may.
    let records = records.ok_or(Defect::Waits(Reason::Incomplete))?;
    let each = !stated.files.is_empty() && stated.files.iter().all(|file| file.records.is_some());
    if let ([file], false) = (files.as_mut_slice(), each) {
        file.records = records;
    }
    // The row's own id numbers a batch whose letter names none.
    let own = |letter: &&AnnouncedFacts| letter.number.parse::<NoticeId>().is_err();
    let typed = letter.filter(own).map(|letter| letter.number.clone());
    let number = same("batch", stated.number.clone(), typed)?;
    let number = number.or_else(|| letter.map(|letter| letter.number.clone()));
    let kind = same("kind", stated.kind, letter.map(|letter| letter.kind))?;
    let kind = kind.unwrap_or(link.profile.kind);
    let typed = letter.filter(|letter| letter.kind == Kind::Delta).map(|letter| letter.sequence);
    let sequence = same("sequence", stated.sequence, typed)?.unwrap_or(0);
    let Some(batch) = number else { return fault(ManifestFault::Missing("batch")) };
    let each = each || files.len() == 1;
    let manifest = Manifest {
        batch,
        link: link.name.clone(),
        table_no: stated.table_no.clone().unwrap_or_else(|| link.table_no.clone()),
        kind,
        sequence,
        notified_at: stated
            .made_at
            .or(letter.map(|letter| letter.notified_at))
            .unwrap_or(question.received_at),
        basis_doc_no: link.basis_doc_no.clone(),
        purpose: link.purpose.clone(),
        applied: letter.and_then(|letter| letter.applied),
        as_of: letter.and_then(|letter| letter.as_of).map(AsOf::Moment),
        replaces: letter.and_then(|letter| letter.replaces.clone()),
        records,
        files,
        each,
    };
    checked(&manifest).map_or(Ok(manifest), |found| Err(Defect::Manifest(found)))
}

/// What holds between the fields of every manifest.
fn checked(manifest: &Manifest) -> Option<ManifestFault> {
    let mut names: Vec<_> = manifest.files.iter().map(|file| &file.name).collect();
    names.sort_unstable();
    let part = |name: &str| is_safe_name(name.strip_prefix("data/").unwrap_or(name));
    if manifest.kind == Kind::Delta && manifest.sequence == 0 {
        return Some(ManifestFault::OutOfRange("sequence"));
    }
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Some(ManifestFault::DoubledFile);
    }
    if manifest.kind == Kind::Full && manifest.records == 0 {
        return Some(ManifestFault::Empty);
    }
    (!manifest.files.iter().all(|file| part(&file.name))).then_some(ManifestFault::UnsafeName)
}
