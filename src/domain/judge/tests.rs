//! Synthetic deliveries, signed with throw-away keys that are made from fixed bytes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;
use crate::domain::{
    limits::MANIFEST_BYTES_MAX,
    link::{Container, KeyMode},
    signers::AllowedSigners,
    sshsig::{SigningKey, tests::key_of},
};

const NOW: &str = "2026-11-21T10:00:00+08:00";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn link(key: &SigningKey) -> Link {
    let signers = format!(
        "p@example namespaces=\"batchward-manifest\",valid-before=\"20270101\" {}\n",
        key.public().text()
    );
    Link {
        name: "a-link".into(),
        title: "t".into(),
        provider: "p".into(),
        signers: AllowedSigners::parse(&signers, chrono_tz::Asia::Taipei).unwrap(),
        inbox: "/i".into(),
        keybox: "/k".into(),
        policy: "p".into(),
        layout: "l".into(),
        table_no: "T-1".into(),
        items: vec![],
        purpose: "purpose".into(),
        basis_doc_no: "doc 1".into(),
        approved_until: at("2027-12-31T00:00:00+08:00"),
        use_period: None,
        units: vec![],
        status: LinkStatus::Active,
        container: Container::Age,
        key: KeyMode::Separate,
        max_rejected: 0,
        kinship: false,
        source: None,
        receipts: None,
        overrides: std::collections::BTreeMap::new(),
        profile: Box::default(),
        abandon_after: None,
        expect: Vec::new(),
    }
}

#[derive(Default)]
struct Seen {
    numbers: Vec<&'static str>,
    files: Vec<Digest>,
    deltas: u64,
}

impl Ledger for Seen {
    fn is_spent(&self, number: &str) -> bool {
        self.numbers.contains(&number)
    }

    fn is_loaded(&self, file: &Digest) -> bool {
        self.files.contains(file)
    }

    fn place(&self, sequence: u64) -> Place {
        match sequence.cmp(&(self.deltas + 1)) {
            std::cmp::Ordering::Less => Place::Taken,
            std::cmp::Ordering::Equal => Place::Next,
            std::cmp::Ordering::Greater => Place::Ahead,
        }
    }
}

pub(super) const DATA: &[u8] = b"age-encryption.org/v1\n-> X25519 synthetic\n";

pub(super) fn file(name: &str, bytes: &[u8]) -> Entry {
    Entry {
        name: name.as_bytes().to_vec(),
        kind: EntryKind::File,
        bytes: bytes.len() as u64,
        head: Zeroizing::new(bytes[..bytes.len().min(HEAD_BYTES)].to_vec()),
        sha256: Some(Digest::of(bytes)),
    }
}

fn manifest(kind: &str, edit: impl Fn(String) -> String) -> String {
    edit(format!(
        "batchward: 1\nbatch: A-1\nlink: a-link\ntable_no: T-1\nkind: {kind}\nsequence: 2\n\
         notified_at: {NOW}\nbasis_doc_no: doc 1\npurpose: purpose\nrecords: 3\nfiles:\n  \
         - name: data.age\n    bytes: {}\n    sha256: {}\n    records: 3\n",
        DATA.len(),
        Digest::of(DATA)
    ))
}

pub(super) struct Case {
    key: SigningKey,
    pub(super) facts: Facts,
    link: Link,
    ledger: Seen,
    stage: Stage,
    received: &'static str,
}

type Change = fn(&mut Case);

impl Case {
    fn of(text: &str) -> Self {
        let key = key_of(1);
        let signature = key.sign(MANIFEST_NAMESPACE, text.as_bytes()).unwrap();
        let facts = Facts {
            entries: vec![file("data.age", DATA)],
            cut: false,
            manifest: Document::Bytes(text.as_bytes().to_vec()),
            signature: Document::Bytes(signature.into_bytes()),
            control: Vec::new(),
        };
        let link = link(&key);
        Self { key, facts, link, ledger: Seen::default(), stage: Stage::Claimed, received: NOW }
    }

    pub(super) fn good() -> Self {
        Self::of(&manifest("full", |text| text))
    }

    pub(super) fn question<'a>(&'a self, announced: Option<&'a AnnouncedFacts>) -> Question<'a> {
        Question {
            facts: &self.facts,
            link: &self.link,
            ledger: &self.ledger,
            stage: self.stage,
            received_at: at(self.received),
            now: at(self.received),
            announced,
        }
    }

    fn judge(&self) -> Look {
        judge(&self.question(None))
    }

    fn refused(&self) -> Reason {
        match self.judge() {
            Look::Refuse(refusal) => refusal.reason,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn with(mut self, change: impl Fn(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

#[test]
fn a_good_delivery_is_complete_in_both_stages() {
    for stage in [Stage::Looking, Stage::Claimed] {
        let Look::Complete(accepted) = Case::good().with(|case| case.stage = stage).judge() else {
            panic!();
        };
        assert_eq!(accepted.manifest().batch, "A-1");
        assert_eq!(accepted.signer().unwrap().principals, "p@example");
        assert!(!accepted.purpose_differs() && !accepted.basis_differs());
        assert!(!accepted.waits_for_delta());
    }
}

type Row = (&'static str, Case, Reason);

fn edited(from: &'static str, to: &'static str) -> Case {
    Case::of(&manifest("full", |text| text.replace(from, to)))
}

fn add(entry: &Entry) -> Case {
    Case::good().with(|case| case.facts.entries.push(entry.clone()))
}

fn kind(kind: EntryKind) -> Case {
    Case::good().with(|case| case.facts.entries[0].kind = kind)
}

fn check(rows: Vec<Row>) {
    for (about, case, reason) in rows {
        assert_eq!(case.refused(), reason, "{about}");
    }
}

#[test]
fn every_unsafe_thing_and_every_form_of_key_has_its_reason() {
    check(vec![
        ("link", kind(EntryKind::Link), Reason::UnsafeFile),
        ("second link", kind(EntryKind::Linked), Reason::UnsafeFile),
        ("pipe", kind(EntryKind::Other), Reason::UnsafeFile),
        ("cut", Case::good().with(|c| c.facts.cut = true), Reason::LimitExceeded),
        ("key by name", add(&file("A-1.KEY", b"x")), Reason::KeyWithData),
        ("key by mark", add(&file("x", b"a\nAGE-SECRET-KEY-1QQ")), Reason::KeyWithData),
        ("wording", add(&file("x.txt", "解密密碼：abc".as_bytes())), Reason::KeyWithData),
        ("cp950", add(&file("x.txt", b"\xB1\x4B\xBD\x58: abc")), Reason::KeyWithData),
        ("utf-16", add(&file("x.txt", b"\xFF\xFEP\0a\0s\0s\0w\0o\0r\0d\0")), Reason::KeyWithData),
        ("ssh key", add(&file("x", b"-----BEGIN OPENSSH PRIVATE KEY-----")), Reason::KeyWithData),
    ]);
}

#[test]
fn every_defect_of_signature_manifest_and_link_has_its_reason() {
    check(vec![
        (
            "other bytes",
            Case::good().with(|c| c.facts.manifest = Document::Bytes(b"batchward: 1".to_vec())),
            Reason::BadSignature,
        ),
        (
            "garbage",
            Case::good().with(|c| c.facts.signature = Document::Bytes(b"signed".to_vec())),
            Reason::BadSignature,
        ),
        (
            "long signature",
            Case::good().with(|c| c.facts.signature = Document::TooLong),
            Reason::BadSignature,
        ),
        (
            "stranger",
            Case::good().with(|c| c.link.signers = link(&key_of(2)).signers),
            Reason::UnknownSigner,
        ),
        (
            "signer too late",
            Case::good().with(|c| c.received = "2027-01-02T00:00:00+08:00"),
            Reason::UnknownSigner,
        ),
        (
            "long manifest",
            Case::good().with(|c| c.facts.manifest = Document::TooLong),
            Reason::ManifestInvalid,
        ),
        ("version", edited("batchward: 1", "batchward: 2"), Reason::ManifestInvalid),
        ("name", edited("data.age", "../data.age"), Reason::UnsafeName),
        ("link name", edited("link: a-link", "link: b-link"), Reason::WrongLink),
        ("table", edited("T-1", "T-2"), Reason::WrongTable),
    ]);
}

#[test]
fn every_defect_of_files_ledger_and_standing_has_its_reason() {
    check(vec![
        ("shorter", edited("bytes: 4", "bytes: 54"), Reason::Incomplete),
        ("longer", edited("bytes: 4", "bytes: "), Reason::SizeMismatch),
        ("unlisted", add(&file("notes.csv", b"a,b\n")), Reason::UnlistedFile),
        ("missing", Case::good().with(|c| c.facts.entries.clear()), Reason::Incomplete),
        ("number", Case::good().with(|c| c.ledger.numbers.push("A-1")), Reason::DuplicateBatch),
        (
            "content",
            Case::good().with(|c| c.ledger.files.push(Digest::of(DATA))),
            Reason::DuplicateContent,
        ),
        (
            "digest",
            Case::good().with(|c| c.facts.entries[0].sha256 = Some(Digest::of(b"x"))),
            Reason::ChecksumMismatch,
        ),
        (
            "not copied",
            Case::good().with(|c| c.facts.entries[0].sha256 = None),
            Reason::ChecksumMismatch,
        ),
        (
            "not age",
            Case::good().with(|c| c.facts.entries[0].head = Zeroizing::new(b"x".to_vec())),
            Reason::NotAge,
        ),
        (
            "suspended",
            Case::good().with(|c| c.link.status = LinkStatus::Suspended),
            Reason::LinkInactive,
        ),
        (
            "terminated",
            Case::good().with(|c| c.link.status = LinkStatus::Terminated),
            Reason::LinkInactive,
        ),
        (
            "expired",
            Case::good().with(|c| c.link.approved_until = at("2026-01-01T00:00:00Z")),
            Reason::UseExpired,
        ),
    ]);
}

/// Defects in the order in which they count; each is put on top of all that come after it.
#[test]
fn of_several_defects_the_first_in_the_order_counts() {
    let text = manifest("delta", |text| {
        text.replace("link: a-link", "link: b-link").replace("name: data", "name: ../data")
    });
    let mut case = Case::of(&text.replace("batchward: 1", "batchward: 2"));
    case.link.status = LinkStatus::Suspended;
    case.facts.entries.push(file("key.txt", b"password: x"));
    case.facts.entries.push(Entry { kind: EntryKind::Link, ..file("link", b"") });
    let good_signature = std::mem::replace(&mut case.facts.signature, Document::Bytes(vec![]));

    assert_eq!(case.refused(), Reason::UnsafeFile);
    case.facts.entries.pop();
    assert_eq!(case.refused(), Reason::KeyWithData);
    case.facts.entries.pop();
    case.facts.entries.push(file("unlisted", b""));
    assert_eq!(case.refused(), Reason::BadSignature);
    case.facts.signature = good_signature;
    let signers = std::mem::take(&mut case.link.signers);
    assert_eq!(case.refused(), Reason::UnknownSigner);
    case.link.signers = signers;
    assert_eq!(case.refused(), Reason::ManifestInvalid);

    let resign = |case: &mut Case, text: &str| {
        let signature = case.key.sign(MANIFEST_NAMESPACE, text.as_bytes()).unwrap();
        case.facts.manifest = Document::Bytes(text.as_bytes().to_vec());
        case.facts.signature = Document::Bytes(signature.into_bytes());
    };
    resign(&mut case, &text);
    assert_eq!(case.refused(), Reason::UnsafeName);
    let text = text.replace("../", "");
    resign(&mut case, &text);
    assert_eq!(case.refused(), Reason::WrongLink);
    let text = text.replace("b-link", "a-link");
    resign(&mut case, &text);
    case.facts.entries[0].bytes += 1;
    assert_eq!(case.refused(), Reason::SizeMismatch);
    case.facts.entries[0].bytes -= 1;
    assert_eq!(case.refused(), Reason::UnlistedFile);
    case.facts.entries.pop();
    case.facts.entries[0].sha256 = Some(Digest::of(b"other"));
    case.ledger = Seen { numbers: vec!["A-1"], files: vec![Digest::of(b"other")], deltas: 2 };
    assert_eq!(case.refused(), Reason::DuplicateBatch);
    case.ledger.numbers.clear();
    assert_eq!(case.refused(), Reason::DuplicateContent);
    case.ledger.files.clear();
    assert_eq!(case.refused(), Reason::SequenceGap);
    case.ledger.deltas = 0;
    assert_eq!(case.refused(), Reason::ChecksumMismatch);
    case.facts.entries[0].sha256 = Some(Digest::of(DATA));
    case.facts.entries[0].head = Zeroizing::default();
    assert_eq!(case.refused(), Reason::NotAge);
    case.facts.entries[0].head = Zeroizing::new(DATA.to_vec());
    assert_eq!(case.refused(), Reason::LinkInactive);
    case.link.status = LinkStatus::Active;
    let Look::Complete(accepted) = case.judge() else { panic!() };
    assert!(accepted.waits_for_delta());
}

#[test]
fn what_is_missing_waits_while_looking_and_is_refused_once_claimed() {
    let rows: [(Change, Reason); 5] = [
        (|case| case.facts.manifest = Document::Missing, Reason::Incomplete),
        (|case| case.facts.signature = Document::Missing, Reason::Unsigned),
        (
            |case| {
                case.facts.signature = Document::Missing;
                case.facts.entries.clear();
            },
            Reason::Incomplete,
        ),
        (|case| case.facts.entries.clear(), Reason::Incomplete),
        (|case| case.facts.entries[0].bytes -= 1, Reason::Incomplete),
    ];
    for (change, reason) in rows {
        let case = Case::good().with(|case| {
            change(case);
            case.stage = Stage::Looking;
        });
        assert!(matches!(case.judge(), Look::Wait(found) if found == reason), "{reason}");
        assert_eq!(case.with(|case| case.stage = Stage::Claimed).refused(), reason);
    }
}

#[test]
fn an_unsafe_thing_and_a_key_refuse_before_the_delivery_is_complete() {
    for (entry, reason) in [
        (Entry { kind: EntryKind::Link, ..file("a", b"") }, Reason::UnsafeFile),
        (file("pass.txt", b"Password = x"), Reason::KeyWithData),
    ] {
        let case = Case::good().with(|case| {
            case.facts.manifest = Document::Missing;
            case.facts.entries.push(entry.clone());
            case.stage = Stage::Looking;
        });
        assert_eq!(case.refused(), reason);
    }
}

#[test]
fn deltas_are_next_ahead_or_taken_and_full_files_are_none_of_it() {
    let case = |kind: &str, deltas| {
        Case::of(&manifest(kind, |text| text)).with(|case| case.ledger.deltas = deltas)
    };
    assert!(case("delta", 1).judge().reason().is_none());
    assert_eq!(case("delta", 0).judge().reason(), Some(Reason::SequenceGap));
    assert!(matches!(case("delta", 0).judge(), Look::Complete(_)));
    assert_eq!(case("delta", 2).refused(), Reason::SequenceGap);
    for deltas in 0..4 {
        assert!(case("full", deltas).judge().reason().is_none());
    }
}

#[test]
fn an_empty_delta_may_repeat_what_was_loaded() {
    let case = Case::of(&manifest("delta", |text| text.replace("records: 3", "records: 0"))).with(
        |case| {
            case.ledger = Seen { deltas: 1, files: vec![Digest::of(DATA)], ..Seen::default() };
        },
    );
    assert!(case.judge().reason().is_none());
}

#[test]
fn ciphertext_and_large_files_are_not_searched_for_words() {
    let mut armored = b"-----BEGIN AGE ENCRYPTED FILE-----\n".to_vec();
    armored.extend_from_slice(b"password");
    let mut large = b"id,name\n".to_vec();
    large.extend_from_slice(&b"password,x\n".repeat(1000));
    for (name, bytes, reason) in [
        ("password.age", DATA, Reason::UnlistedFile),
        ("x.age", &armored, Reason::UnlistedFile),
        // Unlisted, all of the head is searched; listed, the first line.
        ("x.csv", &large, Reason::KeyWithData),
    ] {
        let case = Case::good().with(|case| case.facts.entries.push(file(name, bytes)));
        assert_eq!(case.refused(), reason, "{name}");
    }
    let listed = Case::good().with(|case| {
        case.facts.entries = vec![Entry {
            bytes: DATA.len() as u64 + HEAD_BYTES as u64,
            ..file("data.age", &large)
        }];
    });
    assert_eq!(listed.refused(), Reason::SizeMismatch);
}

#[test]
fn a_letter_takes_the_place_of_manifest_and_signature() {
    let case = Case::good().with(|case| {
        case.facts.manifest = Document::Missing;
        case.facts.signature = Document::Missing;
    });
    let announced = AnnouncedFacts {
        doc_no: "doc 7".to_owned(),
        notified_at: at(NOW),
        number: "N-7".to_owned(),
        kind: Kind::Full,
        sequence: 0,
        records: 10,
        applied: None,
        as_of: None,
        replaces: None,
        files: "*.age".to_owned(),
        sha256: Vec::new(),
    };
    let look = judge(&Question {
        facts: &case.facts,
        link: &case.link,
        ledger: &case.ledger,
        stage: Stage::Claimed,
        received_at: at(NOW),
        now: at(NOW),
        announced: Some(&announced),
    });
    let Look::Complete(accepted) = look else { panic!() };
    assert!(accepted.signer().is_none() && accepted.is_announced() && !accepted.is_sized());
    assert_eq!(accepted.manifest().batch, "N-7");
}

#[test]
fn differences_from_the_link_are_shown_and_refuse_nothing() {
    let case = Case::of(&manifest("full", |text| {
        text.replace("purpose: purpose", "purpose: other").replace("doc 1", "doc 2")
    }));
    let Look::Complete(accepted) = case.judge() else { panic!() };
    assert!(accepted.purpose_differs() && accepted.basis_differs());
}

#[test]
fn a_manifest_over_its_size_is_refused_by_length_alone() {
    assert!(
        Manifest::parse(&vec![b' '; usize::try_from(MANIFEST_BYTES_MAX).unwrap() + 1]).is_err()
    );
}
