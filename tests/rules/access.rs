//! The access log: the seven fields of NT-4.2.5 in every asking, refused ones too; lists whole, in parts.

use super::*;
use batchward::{
    adapters::{
        age_files::unseal,
        journal::{Journal, JournalError, Log},
    },
    domain::{access::AccessEntry, limits},
};
use support::picture::key_store;

/// Every entry of the access log, opened with the keys of the site: what was sealed, with `bytes` of the entry.
pub(crate) fn opened(site: &Site<'_>) -> Vec<Value> {
    let store = key_store(&site.dir).expect("the site has its root key");
    let journal = Journal::open(&site.dir.join("state/journal.db"), "taoyuan-dwcd").unwrap();
    let mut found = Vec::new();
    journal
        .for_each::<JournalError>(Log::Access, 0, &mut |_, bytes| {
            let entry: AccessEntry = serde_json::from_slice(bytes).unwrap();
            let key = store.get(&format!("access:{}:{}", entry.link, entry.month)).unwrap();
            let sealed = data_encoding::BASE64.decode(entry.sealed.as_bytes()).unwrap();
            let plain = unseal(&key.expect("the key is there"), &sealed).unwrap();
            let mut payload: Value = serde_json::from_slice(&plain).unwrap();
            payload["bytes"] = bytes.len().into();
            found.push(payload);
            Ok(())
        })
        .unwrap();
    found
}

/// The last asking.
fn last_asked(site: &Site<'_>) -> Value {
    opened(site).into_iter().rfind(|payload| payload["type"] == "asked").unwrap()
}

#[test]
fn every_asking_has_the_seven_fields_refused_ones_too() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = site.grant(LINK);
    let batch = id_of(&site, SMALL);
    let ask = ["query", "--grant", &grant];
    let (case, reason) = (["--case", "115-001"], ["--reason", "資格審查"]);
    let by_id = ["--where", "national_id=-", "--batch", &batch];
    let words = [&ask[..], &case, &reason, &by_id].concat();
    site.run_as_with("henry", &words, "Z199999999\n".as_bytes()).ok();
    let asked = last_asked(&site);
    let expected = serde_json::json!({
        "type": "asked", "who": "henry", "operation": "query",
        "subject": {"where": {"national_id": "Z199999999"}},
        "case_no": "115-001", "reason": "資格審查", "grant": grant, "batch": batch,
        "to": "pipe", "refused": null, "at": asked["at"], "bytes": asked["bytes"],
    });
    assert_eq!(asked, expected);
    assert!(asked["at"].as_str().unwrap().starts_with("2026-11-21T"), "{asked}");
    // Whose grant it is not, who states no case, who puts a person into the reason: each is logged as refused.
    for (who, more, exit, why) in [
        ("sue", [case, reason].concat(), 77, "may not"),
        ("henry", [["--case", " "], reason].concat(), 64, "case number is empty"),
        ("henry", [case, ["--reason", "A123456789"]].concat(), 65, "shape of an ID number"),
    ] {
        let words = [&ask[..], &more, &["--where", "national_id=-"]].concat();
        let ran = site.run_as_with(who, &words, "Z199999999\n".as_bytes()).exits(exit);
        assert!(ran.stdout.is_empty());
        let asked = last_asked(&site);
        assert_eq!(asked["who"], who);
        assert_eq!(asked["subject"]["where"]["national_id"], "Z199999999");
        assert!(asked["refused"].as_str().unwrap().contains(why), "{asked}");
        assert!(!asked["reason"].as_str().unwrap().contains("A123456789"), "{asked}");
    }
}

#[test]
fn every_subject_of_a_list_is_logged_in_entries_of_bounded_length() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = site.grant(LINK);
    let base = ["match", "--grant", &grant, "--case", "115-001", "--reason", "資格審查"];
    let words = [&base[..], &["--input", "-", "--on", "national_id"]].concat();
    let numbers: Vec<String> = (0..1_000).map(|n| format!("Z1{n:08}")).collect();
    // Names as long as any, of characters that JSON writes as six bytes each.
    let odd: Vec<String> = (0..100).map(|n| format!("{n}{}", "\u{1}".repeat(1_000))).collect();
    for list in [numbers, odd] {
        let before = opened(&site).len();
        site.run_as_with("henry", &words, (list.join("\n") + "\n").as_bytes()).ok();
        let new = opened(&site).split_off(before);
        let (parts, rest) = new.split_at(new.len() - 2);
        assert!(parts.len() > 2 && parts.iter().all(|part| part["type"] == "list"));
        let values = parts.iter().flat_map(|part| part["values"].as_array().unwrap());
        let values: Vec<&str> = values.map(|value| value.as_str().unwrap()).collect();
        assert_eq!(values, list);
        assert_eq!(rest[0]["subject"]["list"]["count"], list.len());
        assert_eq!(rest[0]["operation"], "match");
        assert!(parts.iter().all(|part| part["list"] == rest[0]["subject"]["list"]["list"]));
        assert_eq!(rest[1]["type"], "served");
        let longest = new.iter().map(|entry| entry["bytes"].as_u64().unwrap()).max();
        assert!(longest < Some(limits::ENTRY_BYTES_MAX as u64), "{longest:?}");
    }
}

#[test]
fn what_no_entry_could_hold_is_refused_and_the_register_says_so() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = site.grant(LINK);
    let logged = opened(&site).len();
    let long = "x".repeat(2_000) + "\n";
    let base = ["--grant", &grant, "--case", "115-001", "--reason", "資格審查"];
    for words in [
        [&["match"], &base[..], &["--input", "-", "--on", "national_id"]].concat(),
        [&["query"], &base[..], &["--where", "national_id=-"]].concat(),
    ] {
        let before = of_type(&site, "act-refused").len();
        let ran = site.run_as_with("henry", &words, long.as_bytes()).exits(65);
        assert!(ran.stdout.is_empty());
        let refusals = of_type(&site, "act-refused");
        assert_eq!(refusals.len(), before + 1);
        assert_eq!(refusals[before]["by"], "henry");
    }
    assert_eq!(opened(&site).len(), logged);
}

/// An unsigned query leaves nothing in the register, whose last entry is then no bound for the time of the next.
#[test]
fn times_of_the_access_log_never_go_back() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = apply(&site, "mallory", "2027-06-30", &[]).ok().id('g');
    site.run_as("sue", &["grant", "approve", &grant]).ok();
    let early = site.time();
    site.wait_minutes(30);
    site.run(&query(&grant, &[])).ok();
    let back = site.run_at(&early, &query(&grant, &[]), &[], b"").exits(75);
    assert!(back.stdout.is_empty() && back.stderr.contains("clock"), "{}", back.stderr);
    let dir = site.dir.join("state/access");
    site.run(&["register", "verify", "--dir", dir.to_str().unwrap()]).ok();
    site.run(&query(&grant, &[])).ok();
}
