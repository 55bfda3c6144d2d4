//! Decisions of people who do not exist, signed with throw-away keys.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::domain::sshsig::tests::key_of;

const ORIGIN: &str = "batchward/a-site";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn now() -> Timestamp {
    at("2026-11-21T10:00:00+08:00")
}

fn asked() -> Asked<'static> {
    Asked {
        origin: ORIGIN,
        command: "grant approve",
        object: "g-00000001",
        object_digest: Some(Digest::from_bytes([7; 32])),
    }
}

fn text() -> SignedText {
    SignedText::new(&asked(), "核准", [1; 16], now(), now().plus_seconds(600)).unwrap()
}

fn signed() -> Signature {
    sign(&text(), DECISION_NAMESPACE, &key_of(1)).unwrap()
}

fn check_with(
    record: &Signature,
    namespace: &str,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Result<Verified, SignedFault> {
    check(&record.text, &record.signature, &key_of(1).public(), namespace, asked, now)
}

#[test]
fn the_canonical_text_has_one_form() {
    assert_eq!(
        text().canonical(),
        "{\"at\":\"2026-11-21T02:00:00.000Z\",\"batchward\":1,\"command\":\"grant approve\",\
         \"expires\":\"2026-11-21T02:10:00.000Z\",\"nonce\":\"01010101010101010101010101010101\",\
         \"object\":\"g-00000001\",\"object_digest\":\"\
         0707070707070707070707070707070707070707070707070707070707070707\",\
         \"origin\":\"batchward/a-site\",\"text\":\"核准\"}"
    );
    let value: serde_json::Value = serde_json::from_str(&text().canonical()).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), text().canonical(), "keys are sorted");
    assert_eq!(SignedText::parse(&text().canonical()), Ok(text()));
}

#[test]
fn texts_in_another_form_are_refused() {
    let good = text().canonical();
    let rows = [
        (good.replace(",\"b", ", \"b"), FormFault::NotCanonical),
        (good.replace("02:00:00.000Z", "02:00:00Z"), FormFault::NotCanonical),
        (good.replace("核", "\\u6838"), FormFault::NotCanonical),
        (good.replace("d\":1", "d\":2"), FormFault::Version),
        (good.replace("0101", "01G1"), FormFault::Nonce),
        (good.replace("02:10:00", "02:00:00"), FormFault::Span),
        (good.replace("02:10:00", "04:10:00"), FormFault::Span),
        (good.replace("核准", &"核".repeat(TEXT_CHARS_MAX + 1)), FormFault::Text),
        (good.replace("{\"at", "{\"a\":1,\"at"), FormFault::Malformed),
        (good.replace("\"origin\":\"batchward/a-site\",", ""), FormFault::Malformed),
        (format!("{good}{good}"), FormFault::Malformed),
        (" ".repeat(SIGNED_BYTES_MAX + 1), FormFault::TooLong),
    ];
    for (text, fault) in rows {
        assert_eq!(SignedText::parse(&text), Err(fault), "{text:.80}");
    }
}

#[test]
fn a_decision_holds_for_what_was_asked_and_for_nothing_else() {
    let record = signed();
    let verified = check_with(&record, DECISION_NAMESPACE, &asked(), now()).unwrap();
    assert_eq!((verified.text(), verified.record()), (&text(), &record));
    let fault =
        |namespace, asked: Asked<'_>, now| check_with(&record, namespace, &asked, now).unwrap_err();
    let ns = DECISION_NAMESPACE;
    assert_eq!(
        fault(COMMAND_NAMESPACE, asked(), now()),
        SignedFault::Signature(SigFault::Namespace)
    );
    assert_eq!(fault(ns, Asked { origin: "batchward/b", ..asked() }, now()), SignedFault::Origin);
    assert_eq!(fault(ns, Asked { command: "grant deny", ..asked() }, now()), SignedFault::Command);
    assert_eq!(fault(ns, Asked { object: "g-00000002", ..asked() }, now()), SignedFault::Object);
    assert_eq!(fault(ns, Asked { object_digest: None, ..asked() }, now()), SignedFault::Digest);
    assert_eq!(fault(ns, asked(), now().plus_seconds(600)), SignedFault::Expired);
    assert_eq!(fault(ns, asked(), now().plus_seconds(-301)), SignedFault::Early);
    assert!(check_with(&record, ns, &asked(), now().plus_seconds(-300)).is_ok());
    assert!(check_with(&record, ns, &asked(), now().plus_seconds(599)).is_ok());
}

#[test]
fn another_key_or_text_does_not_hold() {
    let record = signed();
    let other = key_of(2).public();
    let fault = holds(&record.text, &record.signature, &other, DECISION_NAMESPACE).unwrap_err();
    assert_eq!(fault, SignedFault::OtherKey);
    let text = record.text.replace("00000001", "00000002");
    let fault = holds(&text, &record.signature, &key_of(1).public(), DECISION_NAMESPACE);
    assert_eq!(fault.unwrap_err(), SignedFault::Signature(SigFault::OtherBytes));
}

#[test]
fn a_record_goes_through_json_unchanged() {
    let json = serde_json::to_string(&signed()).unwrap();
    assert_eq!(serde_json::from_str::<Signature>(&json).unwrap(), signed());
}
