//! Synthetic manifests.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

const SUM: &str = "546b58a4ac5ce136a16097cbd181ff325175f4e7570510b69dc085016ee28d28";

fn good() -> String {
    format!(
        "batchward: 1\nbatch: MOCA-1\nlink: moca-full\ntable_no: HR-1\nkind: full\nsequence: 7\n\
         notified_at: 2026-11-21T09:00:00+08:00\nbasis_doc_no: 府民戶字第1號\npurpose: 審查\n\
         applied: 12\nas_of: 2026-11-20\nreplaces: MOCA-0\nrecords: 10\nfiles:\n  - name: a.age\n    \
         bytes: 5\n    sha256: {SUM}\n    records: 10\n    plaintext_sha256: {SUM}\n"
    )
}

fn fault(from: &str, to: &str) -> Option<ManifestFault> {
    let text = good();
    assert!(text.contains(from), "{from}");
    Manifest::parse(text.replacen(from, to, 1).as_bytes()).err()
}

#[test]
fn a_full_manifest_is_read_field_by_field() {
    let manifest = Manifest::parse(good().as_bytes()).unwrap();
    assert_eq!(manifest.batch, "MOCA-1");
    assert_eq!((manifest.kind, manifest.sequence, manifest.records), (Kind::Full, 7, 10));
    assert_eq!((manifest.applied, manifest.replaces.as_deref()), (Some(12), Some("MOCA-0")));
    assert_eq!(manifest.file(b"a.age").unwrap().bytes, 5);
    let zone = chrono_tz::Asia::Taipei;
    assert_eq!(manifest.stands_for(zone).to_string(), "2026-11-20T15:59:59.999Z");
    let moment = good().replace("as_of: 2026-11-20", "as_of: 2026-11-20T08:00:00Z");
    let manifest = Manifest::parse(moment.as_bytes()).unwrap();
    assert_eq!(manifest.stands_for(zone).to_string(), "2026-11-20T08:00:00.000Z");
}

#[test]
fn json_with_escapes_is_read_as_json() {
    let text = format!(
        r#"{{"batchward": 1, "batch": "M-1", "link": "l", "table_no": "t", "kind": "delta",
        "sequence": 1, "notified_at": "2026-11-21T09:00:00+08:00", "basis_doc_no": "\u5e9c",
        "purpose": "\ud840\udc0b\/", "records": 0,
        "files": [{{"name": "a.age", "bytes": 1, "sha256": "{SUM}", "records": 0}}]}}"#
    );
    let manifest = Manifest::parse(text.as_bytes()).unwrap();
    assert_eq!(manifest.purpose, "\u{2000B}/");
    assert!(manifest.is_empty_delta());
    let doubled = text.replace(r#""records": 0,"#, r#""records": 0, "records": 0,"#);
    let fault = Manifest::parse(doubled.as_bytes()).unwrap_err();
    assert_eq!(fault, TreeFault::DoubledKey.into());
}

#[test]
fn what_is_not_the_contract_is_a_fault() {
    use ManifestFault::{DoubledFile, Empty, Missing, OutOfRange, Sum, UnknownField, UnsafeName};
    let entry = format!("  - name: a.age\n    bytes: 5\n    sha256: {SUM}\n    records: 10\n");
    let other = entry.replace("a.age", "b.age");
    let rows = [
        ("batchward: 1", "batchward: 2", OutOfRange("batchward")),
        ("batchward: 1", "batchward: '1'", OutOfRange("batchward")),
        ("batchward: 1\n", "", Missing("batchward")),
        ("MOCA-1\n", "MOCA 1/2\n", OutOfRange("batch")),
        ("MOCA-1\n", "A123456789\n", OutOfRange("batch")),
        ("MOCA-1\n", "X-A123456789\n", OutOfRange("batch")),
        ("MOCA-1\n", ".hidden\n", OutOfRange("batch")),
        ("MOCA-1\n", "~\n", Missing("batch")),
        ("link: moca-full", "link: ''", OutOfRange("link")),
        ("link: moca-full", "link: [a]", OutOfRange("link")),
        ("kind: full", "kind: FULL", OutOfRange("kind")),
        ("sequence: 7", "sequence: -7", OutOfRange("sequence")),
        ("sequence: 7", "sequence: 07", OutOfRange("sequence")),
        ("sequence: 7", "sequence: 7.0", OutOfRange("sequence")),
        ("sequence: 7", "sequence: 0x7", OutOfRange("sequence")),
        ("sequence: 7", "sequence: 18446744073709551616", OutOfRange("sequence")),
        ("sequence: 7\n", "", Missing("sequence")),
        ("kind: full\nsequence: 7", "kind: delta\nsequence: 0", OutOfRange("sequence")),
        ("T09:00:00+08:00", "", OutOfRange("notified_at")),
        ("as_of: 2026-11-20", "as_of: 2026-02-30", OutOfRange("as_of")),
        ("replaces: MOCA-0", "replaces: MOCA-1", OutOfRange("replaces")),
        ("records: 10\nfiles", "records: 11\nfiles", Sum),
        ("bytes: 5", "bytes: five", OutOfRange("bytes")),
        (SUM, "abc", OutOfRange("sha256")),
        ("bytes: 5", "bytes: 5\n    mode: 1", UnknownField),
        ("kind: full", "kind: full\ncomment: x", UnknownField),
        ("kind: full", "kind: full\n'<<': x", UnknownField),
        ("a.age", "../a.age", UnsafeName),
        ("a.age", "/a.age", UnsafeName),
        ("a.age", "a\\b", UnsafeName),
        ("a.age", "..", UnsafeName),
        ("a.age", "Manifest.yaml", UnsafeName),
        ("a.age", "manifest.yaml.sig", UnsafeName),
        ("a.age", "\"a\\nb\"", UnsafeName),
        ("a.age", "\"a\\u202Eb\"", UnsafeName),
        ("a.age", "''", UnsafeName),
        ("files:\n", &format!("files:\n{entry}"), DoubledFile),
        ("files:\n", &format!("files:\n{other}"), DoubledFile),
    ];
    for (from, to, expected) in rows {
        assert_eq!(fault(from, to), Some(expected), "{to}");
    }
    let empty = good().replace("records: 10", "records: 0");
    assert_eq!(Manifest::parse(empty.as_bytes()), Err(Empty));
    assert_eq!(
        Manifest::parse(
            empty.replace("full\n", "delta\n").replace("link: moca-delta", "link: l").as_bytes()
        )
        .map(|manifest| manifest.is_empty_delta()),
        Ok(true)
    );
}

#[test]
fn yaml_that_grows_hides_or_divides_is_refused() {
    use TreeFault::{Anchor, Documents, DoubledKey, Syntax, Tag, TooDeep};
    let rows = [
        ("purpose: 審查", "purpose: &p 審查", Anchor),
        ("purpose: 審查", "purpose: *p", Syntax),
        ("purpose: 審查", "a: &p x\npurpose: *p", Anchor),
        ("records: 10\nfiles", "records: !!int 10\nfiles", Tag),
        ("records: 10\nfiles", "records: ! 10\nfiles", Tag),
        ("records: 10\nfiles", "records: 10\nrecords: 10\nfiles", DoubledKey),
        ("records: 10\nfiles", "records: 10\n\"records\": 10\nfiles", DoubledKey),
        ("batchward: 1", "--- \na: 1\n---\nbatchward: 1", Documents),
        ("applied: 12", "applied: [[[[[[[[[[[1]]]]]]]]]]]", TooDeep),
        ("applied: 12", "applied: [1", Syntax),
        ("applied: 12", "? [a, b]\n: 1", Syntax),
    ];
    for (from, to, expected) in rows {
        assert_eq!(fault(from, to), Some(ManifestFault::Tree(expected)), "{to}");
    }
    assert_eq!(Manifest::parse(b"").unwrap_err(), Documents.into());
    assert_eq!(Manifest::parse(b"- a\n").unwrap_err(), ManifestFault::NotMapping);
    assert_eq!(Manifest::parse(b"a: \xB1\x4B").unwrap_err(), ManifestFault::NotUtf8);
    let deep = "[".repeat(100_000);
    assert!(Manifest::parse(deep.as_bytes()).is_err());
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    assert!(Manifest::parse(deep.as_bytes()).is_err());
    let deep = "- ".repeat(100_000);
    assert!(Manifest::parse(deep.as_bytes()).is_err());
}

#[test]
fn a_mark_of_byte_order_and_crlf_are_no_fault() {
    let text = format!("\u{FEFF}{}", good().replace('\n', "\r\n"));
    assert!(Manifest::parse(text.as_bytes()).is_ok());
}

#[test]
fn a_fault_never_tells_what_a_field_held() {
    let text = good().replace("HR-1", "HR-1\nsecret-field: secret-value");
    let said = Manifest::parse(text.as_bytes()).unwrap_err().to_string();
    assert!(!said.contains("secret"), "{said}");
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Manifest::parse(&bytes);
    }

    #[test]
    fn no_cut_or_splice_of_a_manifest_makes_the_reader_panic(at in 0_usize..400, with in ".{0,8}") {
        let mut text = good();
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert_str(at, &with);
        let _ = Manifest::parse(text.as_bytes());
        text.truncate(at);
        let _ = Manifest::parse(text.as_bytes());
    }
}
