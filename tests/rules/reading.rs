//! Reading: only what was granted, only while it is granted, declared first, and logged when it is refused.

use std::{
    io::Read,
    process::{Child, Stdio},
};

use super::*;
use batchward::adapters::journal::{Journal, Log};

/// Entries of the access log.
fn logged(site: &Site<'_>) -> u64 {
    let path = site.dir.join("state/journal.db");
    Journal::open(&path, "taoyuan-dwcd").unwrap().size(Log::Access).unwrap()
}

/// The command is refused without a row, and the access log says that it was asked for.
#[track_caller]
fn refused_and_logged(site: &Site<'_>, name: &str, words: &[&str], input: &[u8]) {
    let before = logged(site);
    let ran = site.run_as_with(name, words, input).exits(77);
    assert!(ran.stdout.is_empty(), "{words:?}");
    assert_eq!(logged(site), before + 1, "{words:?}");
}

fn rows(ran: &Ran) -> usize {
    ran.text().lines().count() - 1
}

#[test]
fn a_grant_is_its_holders_and_open_only_after_its_approval() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = apply(&site, "henry", "2027-06-30", &[]).ok().id('g');
    refused_and_logged(&site, "henry", &query(&grant, &[]), b"");
    site.run_as("sue", &["grant", "approve", &grant]).ok();
    let before = logged(&site);
    assert_eq!(rows(&site.query(&grant, &["--format", "csv"]).ok()), 20);
    assert_eq!(logged(&site), before + 2, "asked and served");
    for other in ["mallory", "sue", "alice"] {
        refused_and_logged(&site, other, &query(&grant, &[]), b"");
    }
    site.run_as("sue", &["grant", "revoke", &grant]).ok();
    refused_and_logged(&site, "henry", &query(&grant, &[]), b"");
    let denied = apply(&site, "henry", "2027-06-30", &[]).ok().id('g');
    site.run_as("sue", &["grant", "deny", &denied, "--reason", "no basis"]).ok();
    refused_and_logged(&site, "henry", &query(&denied, &[]), b"");
}

#[test]
fn fields_that_are_not_granted_are_neither_shown_nor_asked_for() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = apply(&site, "henry", "2027-06-30", &["--fields", "birth_date,national_id"]);
    let grant = grant.ok().id('g');
    site.run_as("sue", &["grant", "approve", &grant]).ok();
    let shown = site.query(&grant, &["--format", "csv"]).ok();
    assert_eq!(shown.text().lines().next(), Some("national_id,birth_date"));
    for field in ["name", "village_name", "father_name", "rowid", "no_such_field"] {
        let condition = format!("{field}=-");
        refused_and_logged(
            &site,
            "henry",
            &query(&grant, &["--where", &condition]),
            "王".as_bytes(),
        );
    }
    apply(&site, "henry", "2027-06-30", &["--fields", "father_name"]).exits(77);
    apply(&site, "henry", "2027-06-30", &["--unit", "資訊科"]).exits(77);
}

#[test]
fn no_more_rows_than_the_cap() {
    let people = People::new();
    let site = Site::laid_out(&people, &["small-20"]);
    edit(&site, "policies/taoyuan-dwcd.yaml", "value: 10000", "value: 3");
    site.init();
    site.accounts(UNIT);
    site.once();
    let grant = site.grant(LINK);
    let all = site.query(&grant, &["--format", "csv"]).ok();
    assert_eq!(rows(&all), 3);
    assert!(all.stderr.contains("cap"), "{}", all.stderr);
    // A list is one asking: the cap counts over the whole of it.
    let numbers: String = (1..=20).map(|n| format!("{n}\n")).collect();
    let ids = all.text().lines().skip(1).map(|line| line.split(',').next().unwrap());
    let list = ids.fold(numbers, |list, id| format!("{list}{id}\n{id}\n"));
    let words = ["match", "--grant", &grant, "--case", "115-001", "--reason", "資格審查"];
    let words =
        [words.as_slice(), &["--input", "-", "--on", "national_id", "--format", "csv"]].concat();
    assert!(rows(&site.run_as_with("henry", &words, list.as_bytes()).ok()) <= 3);
}

#[test]
fn a_query_states_case_number_and_reason() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = site.grant(LINK);
    let base = ["query", "--grant", &grant];
    for more in [
        &[][..],
        &["--case", "115-001"],
        &["--reason", "資格審查"],
        &["--case", "", "--reason", "資格審查"],
        &["--case", "115-001", "--reason", "  "],
    ] {
        let ran = site.run_as("henry", &[base.as_slice(), more].concat()).exits(64);
        assert!(ran.stdout.is_empty());
    }
}

#[test]
fn an_id_number_in_a_text_is_refused() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20", "unsigned"]);
    let grant = site.grant(LINK);
    let id = "王大明 A123456789";
    let batch = id_of(&site, SMALL);
    let before = register(&site).len();
    let apply = ["grant", "apply", "--link", LINK, "--until", "2027-06-30"];
    let hold = ["hold", "place", &batch, "--review", "2027-01-31"];
    let ask = ["query", "--grant", &grant];
    for (name, words, more) in [
        ("henry", &apply[..], ["--purpose", id, "--basis", "府1"]),
        ("henry", &apply[..], ["--purpose", "資格審查", "--basis", id]),
        ("sue", &hold[..], ["--authority", id, "--doc-no", "115-1"]),
        ("sue", &hold[..], ["--authority", "地檢署", "--doc-no", id]),
        ("henry", &ask[..], ["--case", id, "--reason", "資格審查"]),
        ("henry", &ask[..], ["--case", "115-001", "--reason", "ａ１２３４５６７８９"]),
    ] {
        let ran = site.run_as(name, &[words, &more].concat()).exits(65);
        assert!(ran.stdout.is_empty() && !ran.stderr.contains("A123456789"), "{}", ran.stderr);
    }
    let add = ["account", "add", "zoe", "--role", "auditor", "--unix-user", "nobody"];
    for more in [["--display", id], ["--title", id], ["--unit", id]] {
        site.run_as("ada", &[add.as_slice(), &more].concat()).exits(65);
    }
    let add = ["account", "add", "a123456789", "--role", "auditor", "--unix-user", "nobody"];
    site.run_as("ada", &add).exits(65);
    let text = serde_json::to_string(&register(&site)[before..]).unwrap();
    assert!(!text.to_lowercase().contains("123456789"), "{text}");
}

#[test]
fn personal_values_do_not_stand_in_a_command_line() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = site.grant(LINK);
    for condition in
        ["national_id=B209294977", "name=黃美鳳", "birth_date=1030903", "village_name=內海里"]
    {
        let ran = site.query(&grant, &["--where", condition]).exits(64);
        let value = condition.split('=').nth(1).unwrap();
        assert!(ran.stdout.is_empty() && !ran.stderr.contains(value), "{}", ran.stderr);
    }
    let file = site.temporary().join("value");
    std::fs::write(&file, "Z199999999\n").unwrap();
    let condition = format!("national_id=@{}", file.display());
    assert_eq!(rows(&site.query(&grant, &["--where", &condition, "--format", "csv"]).ok()), 0);
}

#[test]
fn whoever_has_no_account_is_refused() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    site.once();
    let grant = site.grant(LINK);
    // The user that runs the tests has no account on this site.
    let before = of_type(&site, "act-refused").len();
    assert!(site.run(&query(&grant, &[])).exits(77).stdout.is_empty());
    site.run(&["account", "disable", "sue"]).exits(77);
    site.run(&["grant", "approve", &grant]).exits(77);
    people.new_key("nobody-knows");
    assert!(site.run_as("nobody-knows", &query(&grant, &[])).exits(77).stdout.is_empty());
    site.run_as("nobody-knows", &["grant", "revoke", &grant]).exits(77);
    let entries = of_type(&site, "act-refused");
    assert_eq!(entries.len(), before + 5, "refusals of strangers are recorded: {entries:#?}");
    assert!(
        entries[before..].iter().all(|entry| entry["by"] == "agent"),
        "nobody is named: {entries:#?}"
    );
}

#[test]
fn a_disabled_account_is_refused_at_once() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = site.grant(LINK);
    site.query(&grant, &[]).ok();
    let other = apply(&site, "henry", "2027-06-30", &[]).ok().id('g');
    site.run_as("ada", &["account", "disable", "henry"]).ok();
    assert!(site.query(&grant, &[]).exits(77).stdout.is_empty());
    site.run_as("ada", &["account", "disable", "sue"]).ok();
    site.run_as("sue", &["grant", "approve", &other]).exits(77);
    site.run_as("ada", &["account", "disable", "mallory"]).ok();
    site.run_as("mallory", &["grant", "approve", &other]).exits(77);
    site.run(&["config", "propose"]).exits(77);
}

/// The site's next minute, and so many milliseconds.
fn at(site: &Site<'_>, millis: i64) -> String {
    let start = chrono::DateTime::parse_from_rfc3339(&site.time()).unwrap();
    (start + chrono::TimeDelta::milliseconds(millis)).to_rfc3339()
}

#[test]
fn a_grant_ends_in_the_middle_of_a_query() {
    let people = People::new();
    let site = with_mallory(&people, &["full-1000"]);
    let minute = site.minute();
    // The test build's clock moves a millisecond with each question: this end falls among the rows.
    site.wait_minutes(10);
    let until = at(&site, 500);
    site.wait_minutes(minute - site.minute());
    let grant = apply(&site, "henry", &until, &[]).ok().id('g');
    site.run_as("sue", &["grant", "approve", &grant]).ok();
    let all = site.query(&grant, &["--format", "csv"]).ok();
    assert_eq!(rows(&all), 1000);
    site.wait_minutes(minute + 10 - site.minute());
    let some = site.query(&grant, &["--format", "csv"]).exits(77);
    assert!((1..1000).contains(&rows(&some)), "{} rows", rows(&some));
    // From then on there is not one row.
    assert!(site.query(&grant, &["--format", "csv"]).exits(77).stdout.is_empty());
    site.verify();
}

/// A query of a thousand rows whose reader has taken only the first bytes.
fn slow_query(site: &Site<'_>, grant: &str) -> (Child, Vec<u8>) {
    slow(site, "henry", &query(grant, &["--format", "json"]))
}

/// A reading whose reader has taken only the first bytes.
pub(crate) fn slow(site: &Site<'_>, name: &str, words: &[&str]) -> (Child, Vec<u8>) {
    let key = site.people.key(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
    command.arg("--config").arg(site.dir.join("agent.yaml")).args(["--test-clock", &site.time()]);
    command.args(["--as", name, "--sign-with"]).arg(key).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = vec![0; 100];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    (child, first)
}

/// Another person does something a second after a query began, while its rows still stream.
pub(crate) fn meanwhile(site: &Site<'_>, name: &str, words: &[&str]) {
    let key = site.people.key(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
    command
        .arg("--config")
        .arg(site.dir.join("agent.yaml"))
        .args(["--test-clock", &at(site, 1000)]);
    command.args(["--as", name, "--sign-with"]).arg(key).args(words);
    done(&mut command);
}

/// Henry's query stops after this act of somebody else.
#[track_caller]
fn stops(act: impl Fn(&Site<'_>, &str)) {
    let people = People::new();
    let site = with_mallory(&people, &["full-1000"]);
    let grant = site.grant(LINK);
    let (mut child, mut shown) = slow_query(&site, &grant);
    act(&site, &grant);
    child.stdout.take().unwrap().read_to_end(&mut shown).unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(77), "{told}");
    let shown = String::from_utf8(shown).unwrap();
    let rows = shown.matches("national_id").count();
    assert!((1..1000).contains(&rows), "{rows} rows");
    site.wait_minutes(1);
    assert!(site.query(&grant, &[]).exits(77).stdout.is_empty());
    site.verify();
}

#[test]
fn a_grant_that_is_taken_back_stops_the_query_that_runs() {
    stops(|site, grant| meanwhile(site, "sue", &["grant", "revoke", grant]));
}

#[test]
fn a_disabled_account_stops_the_query_that_runs() {
    stops(|site, _| meanwhile(site, "ada", &["account", "disable", "henry"]));
}

#[test]
fn a_suspended_link_stops_the_query_that_runs() {
    stops(|site, _| {
        edit(site, "links/moca-full.yaml", "status: active", "status: suspended");
        let other = ["grant", "apply", "--link", "nantou-verify", "--until", "2027-06-30"];
        let more = ["--purpose", "身分驗證", "--basis", "府1", "--unit", "資訊科"];
        meanwhile(site, "mallory", &[other.as_slice(), &more].concat());
    });
}

#[test]
fn a_closed_pipe_ends_a_query_and_the_log_says_how_far_it_came() {
    let people = People::new();
    let site = with_mallory(&people, &["full-1000"]);
    let grant = site.grant(LINK);
    let before = logged(&site);
    let (mut child, _) = slow_query(&site, &grant);
    drop(child.stdout.take());
    assert_ne!(child.wait().unwrap().code(), Some(0));
    site.wait_minutes(1);
    assert_eq!(logged(&site), before + 2);
    site.query(&grant, &[]).ok();
}
