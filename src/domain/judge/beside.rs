//! What was announced of a delivery beside what came, file by file: for the person who has to write to the provider.
//!
//! Announced is only what somebody stands behind: a manifest or a control file whose signature holds today, a letter that two
//! people entered, or the inbox itself where the link says so. What nobody stands behind is not read. Digests are compared and
//! never told: of a file that came in plain, one would tell what it holds.

use super::{Document, EntryKind, Facts, Known, Question, outside, signer_of};
use crate::domain::{
    control::{self, Stated, StatedFile},
    entry::AnnouncedFacts,
    manifest::Manifest,
    notified,
    words::words,
};

words! {
    /// What a delivery was announced by.
    AnnouncedBy {
        /// `manifest.yaml`.
        Manifest = "manifest",
        /// A control file, a list of digests, or a bag's own list.
        ControlFile = "control-file",
        /// A letter that two people entered.
        Letter = "letter",
    }
    /// How a file is found beside what was announced of it.
    FileFinding {
        /// As it was announced, as far as it was.
        AsAnnounced = "as-announced",
        /// Announced, and not there.
        Missing = "missing",
        /// There, and not announced.
        NotListed = "not-listed",
        /// Of another length.
        SizeDiffers = "size-differs",
        /// Of the same length, with another digest.
        DigestDiffers = "digest-differs",
        /// There, and not compared: it is no file, or what was announced counts for nothing.
        NotCompared = "not-compared",
    }
}

/// What was announced beside what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// By what.
    pub by: AnnouncedBy,
    /// Whether somebody stands behind it. Nothing of it is told otherwise.
    pub vouched: bool,
    /// Records over all files, where that was announced.
    pub records: Option<u64>,
    /// The announced files in their order, then those that nobody announced.
    pub files: Vec<FileBeside>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileBeside {
    /// Its name; none of a file of which a letter has a digest alone.
    pub name: Option<Vec<u8>>,
    /// Bytes that were announced.
    pub announced_bytes: Option<u64>,
    /// Records that were announced.
    pub announced_records: Option<u64>,
    /// Bytes that came.
    pub bytes: Option<u64>,
    /// Whether the digest is the announced one; nothing where none was, or none was taken.
    pub digest_agrees: Option<bool>,
    /// What that comes to.
    pub finding: FileFinding,
}

/// What was announced of a delivery beside what came; nothing where nothing was announced.
#[must_use]
pub fn beside(question: &Question<'_>) -> Option<Beside> {
    let facts = question.facts;
    if outside::is_meant(question) {
        return of_outside(question);
    }
    if facts.manifest == Document::Missing {
        return None;
    }
    let signed = Known::default().check_signature(question);
    let vouched = signed.is_ok();
    let manifest = signed.ok().and_then(|bytes| Manifest::parse(bytes).ok());
    let (records, files) = match manifest {
        Some(manifest) => (Some(manifest.records), listed(&stated(&manifest), facts)),
        None => (None, uncompared(facts)),
    };
    Some(Beside { by: AnnouncedBy::Manifest, vouched, records, files })
}

/// The same of a delivery without a manifest of ours.
fn of_outside(question: &Question<'_>) -> Option<Beside> {
    let (facts, letter) = (question.facts, question.announced);
    let read = control::read(&question.link.profile, &facts.control);
    let Ok(read) = read else {
        let files = uncompared(facts);
        return Some(Beside { by: AnnouncedBy::ControlFile, vouched: false, records: None, files });
    };
    let by = if read.is_some() { AnnouncedBy::ControlFile } else { AnnouncedBy::Letter };
    // A signature that is there must hold, whoever else stands behind the delivery: the list would be a stranger's.
    let vouched = match &read {
        Some(read) => stands(question, read) || (letter.is_some() && !is_signed(read)),
        None => letter.is_some(),
    };
    if read.is_none() && letter.is_none() {
        return None;
    }
    let read = read.filter(|_| vouched).unwrap_or_default();
    let records = read.records.or(letter.map(|letter| letter.records));
    let files = match letter {
        _ if !vouched => uncompared(facts),
        Some(letter) if read.files.is_empty() => meant(letter, facts),
        _ => listed(&read.files, facts),
    };
    Some(Beside { by, vouched, records: records.filter(|_| vouched), files })
}

/// Whether a control file counts by itself: by its signature, or because the link's file takes it without one.
fn stands(question: &Question<'_>, read: &Stated) -> bool {
    match &read.signed {
        Some((bytes, Some(Document::Bytes(signature)))) => {
            signer_of(question, bytes, signature).is_ok()
        }
        Some((_, Some(Document::TooLong))) => false,
        Some((_, Some(Document::Missing) | None)) | None => question.link.profile.unsigned,
    }
}

fn is_signed(read: &Stated) -> bool {
    matches!(read.signed, Some((_, Some(Document::Bytes(_) | Document::TooLong))))
}

fn stated(manifest: &Manifest) -> Vec<StatedFile> {
    let file = manifest.files.iter().map(|file| StatedFile {
        name: file.name.clone(),
        bytes: Some(file.bytes),
        sha256: Some(file.sha256),
        records: Some(file.records),
    });
    file.collect()
}

/// Each listed file beside the one that came under its name; then what is on no list.
fn listed(stated: &[StatedFile], facts: &Facts) -> Vec<FileBeside> {
    let known = |name: &[u8]| stated.iter().any(|file| file.name.as_bytes() == name);
    let files = stated.iter().map(|file| {
        let there = facts.entry(&file.name);
        let entry = there.filter(|entry| entry.kind == EntryKind::File);
        let digest_agrees = entry.and_then(|entry| Some(entry.sha256? == file.sha256?));
        let bytes = entry.map(|entry| entry.bytes);
        let finding = match (bytes, file.bytes) {
            // What is no file was not read, and of more files than are looked at nobody knows.
            (None, _) if there.is_some() || facts.cut => FileFinding::NotCompared,
            (None, _) => FileFinding::Missing,
            (Some(came), Some(announced)) if came != announced => FileFinding::SizeDiffers,
            _ if digest_agrees == Some(false) => FileFinding::DigestDiffers,
            _ => FileFinding::AsAnnounced,
        };
        FileBeside {
            name: Some(file.name.clone().into_bytes()),
            announced_bytes: file.bytes,
            announced_records: file.records,
            bytes,
            digest_agrees,
            finding,
        }
    });
    let others = facts.entries.iter().filter(|entry| !known(&entry.name));
    let others = others.map(|entry| found(&entry.name, entry.bytes, FileFinding::NotListed));
    files.chain(others).collect()
}

/// The files that a letter means by their names, and its digests in any order.
fn meant(letter: &AnnouncedFacts, facts: &Facts) -> Vec<FileBeside> {
    let is_meant = |name: &[u8]| {
        std::str::from_utf8(name).is_ok_and(|name| notified::is_meant(&letter.files, name))
    };
    let (mut files, mut left) = (Vec::new(), letter.sha256.clone());
    for entry in &facts.entries {
        if !is_meant(&entry.name) {
            files.push(found(&entry.name, entry.bytes, FileFinding::NotListed));
            continue;
        }
        let digest_agrees = match (letter.sha256.is_empty(), entry.sha256) {
            (false, Some(sha256)) => Some(outside::taken_out(&mut left, sha256)),
            _ => None,
        };
        let finding = match digest_agrees {
            Some(false) => FileFinding::DigestDiffers,
            _ => FileFinding::AsAnnounced,
        };
        files.push(FileBeside { digest_agrees, ..found(&entry.name, entry.bytes, finding) });
    }
    let came = files.iter().filter(|file| file.finding != FileFinding::NotListed).count();
    // Each digest that no file has or should have is a file that did not come; without digests the letter means one at least.
    let odd = files.iter().filter(|file| file.finding == FileFinding::DigestDiffers).count();
    let missing = match letter.sha256.is_empty() {
        true => usize::from(came == 0),
        false => left.len().saturating_sub(odd),
    };
    let one = FileBeside { name: None, bytes: None, ..found(b"", 0, FileFinding::Missing) };
    files.extend(std::iter::repeat_n(one, missing));
    files
}

fn uncompared(facts: &Facts) -> Vec<FileBeside> {
    let entries = facts.entries.iter();
    entries.map(|entry| found(&entry.name, entry.bytes, FileFinding::NotCompared)).collect()
}

fn found(name: &[u8], bytes: u64, finding: FileFinding) -> FileBeside {
    FileBeside {
        name: Some(name.to_vec()),
        announced_bytes: None,
        announced_records: None,
        bytes: Some(bytes),
        digest_agrees: None,
        finding,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{
        super::tests::{Case, DATA, file},
        *,
    };
    use crate::domain::{digest::Digest, judge::Entry, manifest::Kind, time::Timestamp};

    fn with(entries: &[Entry]) -> Case {
        Case::good().with(|case| case.facts.entries = entries.to_vec())
    }

    fn found(beside: &Beside) -> Vec<(&str, FileFinding, Option<bool>)> {
        let name = |file: &'_ FileBeside| file.name.clone().unwrap_or_default();
        let names: Vec<Vec<u8>> = beside.files.iter().map(name).collect();
        let known = ["data.age", "note.txt", "list.zip", "twin.zip", ""];
        let known = |name: &Vec<u8>| *known.iter().find(|one| one.as_bytes() == name).unwrap();
        let files = names.iter().zip(&beside.files);
        files.map(|(name, file)| (known(name), file.finding, file.digest_agrees)).collect()
    }

    #[test]
    fn each_announced_file_stands_beside_the_one_that_came() {
        use FileFinding::{AsAnnounced, DigestDiffers, Missing, NotListed, SizeDiffers};
        let mut other = DATA.to_vec();
        other[0] ^= 1;
        let rows = [
            (vec![file("data.age", DATA)], vec![("data.age", AsAnnounced, Some(true))]),
            (vec![file("data.age", b"short")], vec![("data.age", SizeDiffers, Some(false))]),
            (vec![file("data.age", &other)], vec![("data.age", DigestDiffers, Some(false))]),
            (
                vec![file("note.txt", b"x")],
                vec![("data.age", Missing, None), ("note.txt", NotListed, None)],
            ),
        ];
        for (entries, files) in rows {
            let case = with(&entries);
            let beside = beside(&case.question(None)).unwrap();
            assert_eq!(found(&beside), files);
            assert_eq!((beside.by, beside.vouched), (AnnouncedBy::Manifest, true));
            assert_eq!(beside.records, Some(3));
            assert_eq!(beside.files[0].announced_bytes, Some(DATA.len() as u64));
        }
    }

    #[test]
    fn of_what_nobody_stands_behind_nothing_is_told() {
        let changes: [fn(&mut Case); 3] = [
            |case| case.facts.signature = Document::Missing,
            |case| case.facts.signature = Document::Bytes(b"garbage".to_vec()),
            |case| {
                let Document::Bytes(text) = &mut case.facts.manifest else { return };
                text.extend_from_slice(b"# changed after it was signed\n");
            },
        ];
        for change in changes {
            let case = Case::good().with(change);
            let beside = beside(&case.question(None)).unwrap();
            assert!(!beside.vouched && beside.records.is_none());
            assert_eq!(found(&beside), [("data.age", FileFinding::NotCompared, None)]);
            assert!(beside.files.iter().all(|file| file.announced_bytes.is_none()));
        }
        let none = Case::good().with(|case| case.facts.manifest = Document::Missing);
        assert_eq!(beside(&none.question(None)), None, "a signature alone announces nothing");
    }

    #[test]
    fn a_letter_has_its_files_by_name_and_its_digests_in_any_order() {
        let letter = |sha256: Vec<Digest>| AnnouncedFacts {
            doc_no: "synthetic 1".to_owned(),
            notified_at: Timestamp::from_millis(0),
            number: "A-1".to_owned(),
            kind: Kind::Full,
            sequence: 0,
            records: 7,
            applied: None,
            as_of: None,
            replaces: None,
            files: "*.zip".to_owned(),
            sha256,
        };
        let case = |entries: &[Entry]| {
            Case::good().with(|case| {
                case.facts.manifest = Document::Missing;
                case.facts.signature = Document::Missing;
                case.facts.entries = entries.to_vec();
            })
        };
        let zip = || file("list.zip", b"zip");
        let (right, wrong) = (Digest::of(b"zip"), Digest::of(b"other"));
        use FileFinding::{AsAnnounced, DigestDiffers, Missing, NotListed};
        for (entries, sha256, files) in [
            (vec![zip()], vec![], vec![("list.zip", AsAnnounced, None)]),
            (vec![zip()], vec![right], vec![("list.zip", AsAnnounced, Some(true))]),
            (vec![zip()], vec![wrong], vec![("list.zip", DigestDiffers, Some(false))]),
            (
                vec![zip()],
                vec![right, wrong],
                vec![("list.zip", AsAnnounced, Some(true)), ("", Missing, None)],
            ),
            (
                vec![file("note.txt", b"x")],
                vec![],
                vec![("note.txt", NotListed, None), ("", Missing, None)],
            ),
            // The same file twice is not the two that were announced.
            (
                vec![zip(), file("twin.zip", b"zip")],
                vec![right, wrong],
                vec![
                    ("list.zip", AsAnnounced, Some(true)),
                    ("twin.zip", DigestDiffers, Some(false)),
                ],
            ),
        ] {
            let (case, letter) = (case(&entries), letter(sha256));
            let beside = beside(&case.question(Some(&letter))).unwrap();
            assert_eq!(found(&beside), files);
            assert_eq!((beside.by, beside.vouched), (AnnouncedBy::Letter, true));
            assert_eq!(beside.records, Some(7));
        }
    }
}
