//! Lines of allowed_signers with throw-away keys.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::domain::sshsig::tests::key_of;

const ZONE: chrono_tz::Tz = chrono_tz::Asia::Taipei;

fn key(seed: u8) -> PublicKeyInfo {
    key_of(seed).public()
}

fn parse(text: &str) -> AllowedSigners {
    AllowedSigners::parse(text, ZONE).unwrap()
}

fn line(options: &str) -> String {
    format!("p@example {options} {} comment\n", key(1).text())
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

const NOON: &str = "2026-11-21T12:00:00+08:00";

#[test]
fn a_key_signs_for_its_namespaces_and_in_its_time() {
    let rows = [
        ("", "ns", NOON, true),
        ("namespaces=\"ns\"", "ns", NOON, true),
        ("namespaces=\"other,n?\"", "ns", NOON, true),
        ("namespaces=\"n*\"", "ns", NOON, true),
        ("namespaces=\"*,!ns\"", "ns", NOON, false),
        ("namespaces=\"other\"", "ns", NOON, false),
        ("namespaces=\"ns\"", "ns2", NOON, false),
        ("NAMESPACES=\"ns\",valid-before=\"20261121\"", "ns", NOON, false),
        // The first second of the day here is the last one that counts.
        ("valid-before=\"20261121\"", "ns", "2026-11-21T00:00:00.999+08:00", true),
        ("valid-before=\"20261121\"", "ns", "2026-11-21T00:00:01+08:00", false),
        ("valid-before=\"20261121040000Z\"", "ns", NOON, true),
        ("valid-before=\"202611210359Z\"", "ns", NOON, false),
        ("valid-after=\"202611211200\"", "ns", NOON, true),
        ("valid-after=\"20261121120001\"", "ns", NOON, false),
    ];
    for (options, namespace, time, expected) in rows {
        let found = parse(&line(options));
        let principals = found.judge(&key(1), namespace, at(time));
        assert_eq!(principals.is_some(), expected, "{options} {namespace} {time}");
        assert_eq!(found.judge(&key(2), namespace, at(time)), None);
    }
}

#[test]
fn a_later_line_may_let_a_key_in_that_an_earlier_one_does_not() {
    let text = line("valid-before=\"20260101\"") + &line("").replace("p@", "q@");
    assert_eq!(parse(&text).judge(&key(1), "ns", at(NOON)), Some("q@example"));
}

#[test]
fn comments_quotes_and_blank_lines_are_read_as_openssh_does() {
    let text = format!("# c\n\n  \t\n  \"a b\"\tnamespaces=\"x,y\" {}\r\n", key(1).text());
    let found = parse(&text);
    assert_eq!(found.entries()[0].principals, "a b");
    assert_eq!(found.entries()[0].namespaces.as_deref(), Some("x,y"));
    assert_eq!(AllowedSigners::default(), parse(""));
}

#[test]
fn every_fault_is_told_with_its_place() {
    use SignersFaultKind::{
        Authority, DoubledOption, Empty, Key, Never, NoKey, OpenQuote, Time, UnknownOption,
    };
    let key = key(1).text();
    let rows = [
        ("p@example".to_owned(), 10, NoKey),
        (format!("p cert-authority {key}"), 3, Authority),
        (format!("p cert-authority,namespaces=\"a\" {key}"), 3, Authority),
        (format!("p touch {key}"), 3, UnknownOption),
        (format!("p x=\"1\" {key}"), 3, UnknownOption),
        (format!("p namespaces=a {key}"), 3, OpenQuote),
        (format!("p namespaces=\"a {key}"), 3, OpenQuote),
        (format!("p namespaces=\"\" {key}"), 3, Empty),
        (format!("p namespaces=\"a\",namespaces=\"b\" {key}"), 18, DoubledOption),
        (format!("戶 valid-after=\"2026\" {key}"), 3, Time),
        (format!("p valid-after=\"20261301\" {key}"), 3, Time),
        (format!("p valid-after=\"20260201\",valid-before=\"20260201\" {key}"), 3, Never),
        (format!("p namespaces=\"a\", {key}"), 17, UnknownOption),
        ("p ssh-ed25519 AAAA".to_owned(), 3, Key(KeyFault::Malformed)),
        ("p namespaces=\"a\"".to_owned(), 17, NoKey),
    ];
    let text: String = rows.iter().map(|(line, ..)| format!("{line}\n")).collect();
    let faults = AllowedSigners::parse(&text, ZONE).unwrap_err();
    assert_eq!(faults.len(), rows.len());
    for (number, (fault, (line, column, kind))) in faults.iter().zip(&rows).enumerate() {
        let found = (fault.line, fault.column, fault.kind);
        assert_eq!(found, (number + 1, *column, *kind), "{line}");
    }
}

#[test]
fn what_is_added_or_widened_is_told_from_what_is_taken_away() {
    let before =
        parse(&line("namespaces=\"a,b\",valid-after=\"20260101\",valid-before=\"20270101\""));
    let looser = [
        line(""),
        line("namespaces=\"a,b,c\",valid-after=\"20260101\",valid-before=\"20270101\""),
        line("namespaces=\"a\",valid-after=\"20251231\",valid-before=\"20270101\""),
        line("namespaces=\"a\",valid-after=\"20260101\",valid-before=\"20270102\""),
        line("namespaces=\"a\",valid-before=\"20270101\""),
        line("namespaces=\"*\",valid-after=\"20260101\",valid-before=\"20270101\""),
        line("namespaces=\"a,b\",valid-after=\"20260101\",valid-before=\"20270101\"")
            .replace("p@", "q@"),
        format!("p@example {}\n", key(2).text()),
    ];
    for text in looser {
        assert_eq!(parse(&text).loosened_since(&before).len(), 1, "{text}");
    }
    let tighter = [
        String::new(),
        line("namespaces=\"a\",valid-after=\"20260101\",valid-before=\"20270101\""),
        line("namespaces=\"b,a\",valid-after=\"20260102\",valid-before=\"20261231\""),
    ];
    for text in tighter {
        assert!(parse(&text).loosened_since(&before).is_empty(), "{text}");
    }
}

#[test]
fn patterns_match_as_in_openssh() {
    let rows = [
        ("*", "", true),
        ("", "", true),
        ("", "a", false),
        ("a*c", "abbc", true),
        ("a*c", "abbd", false),
        ("*a*a*", "banana", true),
        ("?", "", false),
        ("a?", "ab", true),
        ("**", "x", true),
    ];
    for (pattern, text, expected) in rows {
        assert_eq!(matches_pattern(pattern.as_bytes(), text.as_bytes()), expected, "{pattern}");
    }
    let long = "a".repeat(50_000);
    assert!(!matches_pattern("*a*a*a*a*a*b".as_bytes(), &long.as_bytes()[..2_000]));
}

#[test]
fn what_two_versions_have_in_common_is_never_more_than_either() {
    let parts = "namespaces=\"a,b\",valid-before=\"20270101Z\"";
    let other_key = format!("p@example {}\n", key(2).text());
    let before = parse(&(line(parts) + &other_key));
    let narrowed = line("namespaces=\"a\",valid-before=\"20260601Z\"");
    let widened = line("namespaces=\"a,b,c\",valid-before=\"20280101Z\"");
    let rows = [
        (line(parts) + &other_key, line(parts) + &other_key),
        (other_key.clone() + &line(parts), line(parts) + &other_key),
        (other_key.clone(), other_key.clone()),
        (String::new(), String::new()),
        (narrowed.clone() + &other_key, narrowed + &other_key),
        (widened + &other_key, line(parts) + &other_key),
        (format!("p@example {}\n", key(3).text()), String::new()),
        (line(parts).replace("p@", "q@"), String::new()),
    ];
    for (wanted, expected) in rows {
        let common = before.common_with(&parse(&wanted));
        assert_eq!(common, parse(&expected), "{wanted}");
        assert!(common.loosened_since(&before).is_empty());
    }
}

#[test]
fn a_line_reads_back_to_the_same_entry() {
    let rows = [
        line(""),
        line("namespaces=\"a,b*\",valid-after=\"20260101\",valid-before=\"20270101123456Z\""),
        line("").replace("p@example", "\"a b\""),
        line("").replace("p@example", "\"#x\""),
    ];
    for text in rows {
        let found = parse(&text);
        assert_eq!(parse(&format!("{}\n", found.entries()[0])), found, "{text}");
    }
    for principals in ["a\"b", "\"a\"b", "\"\""] {
        assert!(AllowedSigners::parse(&line("").replace("p@example", principals), ZONE).is_err());
    }
}
