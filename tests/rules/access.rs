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

/// Walks through the access log: each entry, what is sealed in it, and its length in bytes.
pub(crate) fn each_sealed(site: &Site<'_>, mut each: impl FnMut(&AccessEntry, &[u8], usize)) {
    let journal = Journal::open(&site.dir.join("state/journal.db"), "taoyuan-dwcd").unwrap();
    journal
        .for_each::<JournalError>(Log::Access, 0, &mut |_, bytes| {
            let entry: AccessEntry = serde_json::from_slice(bytes).unwrap();
            let sealed = data_encoding::BASE64.decode(entry.sealed.as_bytes()).unwrap();
            each(&entry, &sealed, bytes.len());
            Ok(())
        })
        .unwrap();
}

/// Every entry of the access log, opened with the keys of the site: what was sealed, with `bytes` of the entry.
pub(crate) fn opened(site: &Site<'_>) -> Vec<Value> {
    let store = key_store(&site.dir).expect("the site has its root key");
    let mut found = Vec::new();
    each_sealed(site, |entry, sealed, bytes| {
        let key = store.get(&format!("access:{}:{}", entry.link, entry.month)).unwrap();
        let plain = unseal(&key.expect("the key is there"), sealed).unwrap();
        let mut payload: Value = serde_json::from_slice(&plain).unwrap();
        payload["bytes"] = bytes.into();
        found.push(payload);
    });
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

/// `access show --json` of audrey, with these further words.
fn shown(site: &Site<'_>, more: &[&str], input: &str) -> Vec<Value> {
    let words = [&["access", "show", "--json"], more].concat();
    let ran = site.run_as_with("audrey", &words, input.as_bytes()).ok();
    ran.json().as_array().unwrap().clone()
}

/// A query that is shown, one that is refused, and a match.
fn some_use(site: &Site<'_>) -> String {
    let grant = site.grant(LINK);
    let base = ["--grant", &grant, "--case", "115-001", "--reason", "=資格審查"];
    let ask = [&["query"], &base[..], &["--where", "national_id=-"]].concat();
    site.run_as_with("henry", &ask, b"Z199999999\n").ok();
    site.run_as_with("sue", &ask, b"Z199999998\n").exits(77);
    let list: String = (0..500).map(|n| format!("Z2{n:08}\n")).collect();
    let list_words = [&["match"], &base[..], &["--input", "-", "--on", "national_id"]].concat();
    site.run_as_with("henry", &list_words, list.as_bytes()).ok();
    grant
}

#[test]
fn an_auditor_reads_the_access_log_by_link_time_account_grant_case_and_subject() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = some_use(&site);
    let all = shown(&site, &["--month", "2026-11", "--link", LINK], "");
    assert_eq!(all.len(), 5, "{all:#?}");
    let first = &all[0];
    for (field, value) in [
        ("account", "henry"),
        ("date", "2026-11-21"),
        ("operation", "query"),
        ("case_no", "115-001"),
        ("reason", "=資格審查"),
        ("state", "shown"),
        ("grant", &grant),
        ("link", LINK),
    ] {
        assert_eq!(first[field], value, "{first:#}");
    }
    assert_eq!(first["subject"]["where"]["national_id"], "Z199999999");
    assert_eq!(first["rows"], 0);
    assert!(first["time"].as_str().is_some_and(|time| time.len() == 8), "{first:#}");
    assert_eq!(all[1]["state"], "refused");
    assert_eq!(all[2]["subject"]["list"]["count"], 500);
    let listed = all[3..].iter().flat_map(|part| part["subject"]["values"]["values"].as_array());
    assert_eq!(listed.map(Vec::len).sum::<usize>(), 500);
    assert!(all[3..].iter().all(|part| part["case_no"] == "115-001" && part["account"] == "henry"));
    // What is looked for. The looks of before are there too: they are askings like others.
    let count = |more: &[&str], input: &str| {
        let mut lines = shown(&site, more, input);
        lines.retain(|line| line["account"] != "audrey");
        lines.len()
    };
    assert_eq!(count(&["--account", "sue"], ""), 1);
    assert_eq!(count(&["--grant", "g-00000099"], ""), 0);
    assert_eq!(count(&["--grant", &grant], ""), 5);
    assert_eq!(count(&["--case", "115-002"], ""), 0);
    assert_eq!(count(&["--subject", "-"], "Z199999999\n"), 1);
    assert_eq!(count(&["--subject", "-"], "Z200000499\n"), 3, "the list and its parts");
    assert_eq!(count(&["--from", "115/11/22"], ""), 0);
    assert_eq!(count(&["--to", "2026-11-20"], ""), 0);
    assert_eq!(count(&["--month", "115-11"], ""), 5);
    assert_eq!(count(&["--link", "nantou-verify"], ""), 0);
    let table = site.run_as("audrey", &["access", "show", "--account", "henry"]).ok();
    assert!(table.text().contains("national_id=Z199999999"), "{}", table.text());
    site.run_as("audrey", &["access", "show", "--subject", "Z199999999"]).exits(64);
    site.run_as("audrey", &["access", "show", "--link", "no-such-link"]).exits(64);
    site.verify();
}

#[test]
fn a_look_at_the_access_log_is_logged_before_its_first_line_refused_ones_too() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    some_use(&site);
    shown(&site, &["--link", LINK, "--subject", "-", "--audit-no", "稽1"], "Z199999999\n");
    let log = opened(&site);
    let [.., asked, served] = log.as_slice() else { panic!("{log:#?}") };
    assert_eq!(asked["operation"], "access-show");
    assert_eq!(asked["who"], "audrey");
    assert_eq!(asked["case_no"], "稽1");
    assert_eq!(asked["subject"]["log"]["subject"], "Z199999999");
    assert_eq!(served["rows"], 1);
    for who in ["alice", "henry", "sue", "ada"] {
        let ran = site.run_as(who, &["access", "show", "--link", LINK]).exits(77);
        assert!(ran.stdout.is_empty());
        let asked = last_asked(&site);
        assert_eq!(asked["who"], who);
        assert!(asked["refused"].as_str().unwrap().contains("may not"), "{asked}");
    }
    // Who it is is not proven: the register says that somebody tried.
    people.new_key("stranger");
    let before = opened(&site).len();
    refused(&site, "stranger", &["access", "show"]);
    assert_eq!(opened(&site).len(), before);
}

#[test]
fn an_export_is_a_file_of_the_auditors_own_without_formulas_and_is_logged() {
    use std::os::unix::fs::PermissionsExt;
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    some_use(&site);
    let path = |name: &str| site.temporary().join(name).to_str().unwrap().to_owned();
    let (csv, lines) = (path("log.csv"), path("log.jsonl"));
    let words = ["access", "export", "--link", LINK, "-o"];
    site.run_as("audrey", &[&words[..], &[&csv, "--format", "csv"]].concat()).ok();
    let text = std::fs::read_to_string(&csv).unwrap();
    let text = text.strip_prefix('\u{feff}').expect("it has a byte-order mark");
    assert!(text.starts_with("entry,part,date,time,account,operation,subject,"), "{text}");
    assert_eq!(text.lines().count(), 6);
    assert!(text.contains(",'=資格審查,") && !text.contains(",=資格審查,"), "{text}");
    let mode = std::fs::metadata(&csv).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(last_asked(&site)["operation"], "access-export");
    assert_eq!(last_asked(&site)["to"], "file");
    let ran = site.run_as("audrey", &[&words[..], &[&lines, "--json"]].concat()).ok().json();
    assert_eq!(ran["lines"], 6, "the export of before is one of them");
    let text = std::fs::read_to_string(&lines).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[5]["operation"], "access-export");
    // Neither a file that is there, nor one of somebody who may not.
    site.run_as("audrey", &[&words[..], &[&lines]].concat()).exits(64);
    let other = path("other.csv");
    site.run_as("alice", &[&words[..], &[&other]].concat()).exits(77);
    assert!(!std::path::Path::new(&other).exists());
    assert_eq!(std::fs::read_dir(site.temporary()).unwrap().count(), 2, "nothing else is left");
}

#[test]
fn a_terminal_gets_no_csv_that_it_would_obey_and_a_pipe_gets_it_as_it_is() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = site.grant(LINK);
    let words = query(&grant, &["--where", "name=-"]);
    site.run_as_with("henry", &words, "\u{1b}[2J王\n".as_bytes()).ok();
    let show = ["access", "show", "--format", "csv"];
    let piped = site.run_as("audrey", &show).ok();
    assert!(piped.text().contains("\u{1b}[2J王"), "{}", piped.text());
    let line = format!(
        "{} --config {} --test-clock {} --as audrey --sign-with {} {}",
        env!("CARGO_BIN_EXE_batchward"),
        site.dir.join("agent.yaml").display(),
        site.time(),
        people.key("audrey").display(),
        show.join(" "),
    );
    let mut script = Command::new("script");
    let shown = done(script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm"));
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains('王') && !shown.contains('\u{1b}'), "{shown:?}");
}
