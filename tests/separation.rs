//! Acts of two people, every one of the code's own list: who began does not go on, nor who stands in for who began. An act that
//! is new and has no row here fails the first test.
//!
//! Walt has every office at once; dora and amos, an admin, stand in for him as a supervisor, dina as a handler. All people,
//! letters and records are synthetic, the keys throw-away keys.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::{collections::BTreeSet, fs};

use batchward::domain::separation::SecondAct;
use support::{People, Ran, Site, root};

const LINK: &str = "moca-full";
const UNIT: &str = "幼兒托育科";
const DOC: &str = "府社人字第1150001234號";
const ROLES: &str = "custodian,handler,supervisor,auditor,admin";
/// What is said to an office that comes twice.
const PARTY: &str = "asked for or decided by 'walt'";

/// How an act is shown.
enum Shown {
    /// Walt begins it; these words go on. With the deputy who has the office for it by standing in alone, and another person.
    Here { begin: fn(&Stage<'_>) -> Vec<String>, deputy: &'static str, other: &'static str },
    /// The same, where the policy asks for seals of a form, for closing papers and for investigations of two offices.
    Strict { begin: fn(&Stage<'_>) -> Vec<String>, deputy: &'static str, other: &'static str },
    /// A test that has what it takes: a file below `tests`, and its name.
    There(&'static str, &'static str),
}

use Shown::{Here, Strict, There};

/// Every act, in an order in which one does not stand in another's way.
const TABLE: &[(SecondAct, Shown)] = &[
    (SecondAct::Account, Here { begin: account, deputy: "dora", other: "sue" }),
    (SecondAct::Appointment, Here { begin: appointment, deputy: "dora", other: "sue" }),
    (SecondAct::Configuration, Here { begin: configuration, deputy: "dora", other: "sue" }),
    (SecondAct::Witness, Here { begin: witness, deputy: "dora", other: "sue" }),
    (SecondAct::Review, Here { begin: review, deputy: "dora", other: "sue" }),
    (SecondAct::Baseline, Here { begin: baseline, deputy: "dora", other: "sue" }),
    (SecondAct::Resume, Here { begin: resume, deputy: "dora", other: "sue" }),
    (SecondAct::Announcement, Here { begin: announcement, deputy: "dina", other: "henry" }),
    (SecondAct::Standing, Here { begin: standing, deputy: "dora", other: "sue" }),
    (SecondAct::Hold, Here { begin: hold, deputy: "dora", other: "sue" }),
    (SecondAct::Amendment, Here { begin: amendment, deputy: "dora", other: "sue" }),
    (SecondAct::Mismatch, Here { begin: mismatch, deputy: "dora", other: "sue" }),
    (SecondAct::File, Here { begin: file, deputy: "dina", other: "alice" }),
    (SecondAct::Copy, Here { begin: copy, deputy: "dora", other: "sue" }),
    (SecondAct::Withdrawal, Here { begin: withdrawal, deputy: "dora", other: "sue" }),
    (SecondAct::Order, Here { begin: order, deputy: "dora", other: "sue" }),
    (SecondAct::Grant, Here { begin: grant, deputy: "dora", other: "sue" }),
    (SecondAct::Report, Here { begin: report, deputy: "dora", other: "sue" }),
    (SecondAct::Audit, Here { begin: audit, deputy: "dora", other: "sue" }),
    (SecondAct::Finding, Here { begin: finding, deputy: "dora", other: "sue" }),
    (SecondAct::Seal, Strict { begin: seal, deputy: "dora", other: "sue" }),
    (SecondAct::End, Strict { begin: end, deputy: "amos", other: "henry" }),
    (SecondAct::Investigation, Strict { begin: investigation, deputy: "dora", other: "audrey" }),
    (SecondAct::Incident, Strict { begin: incident, deputy: "dora", other: "sue" }),
    (SecondAct::Decision, Strict { begin: decision, deputy: "amos", other: "alice" }),
    (SecondAct::Papers, Strict { begin: papers, deputy: "dora", other: "sue" }),
    (
        SecondAct::SharedUser,
        There(
            "daemon/seats.rs",
            "one_system_user_with_two_peoples_keys_is_an_alarm_until_two_others_know",
        ),
    ),
    (
        SecondAct::Overdue,
        There(
            "witness.rs",
            "an_overdue_alarm_ends_by_a_cosignature_or_by_two_people_and_by_nothing_else",
        ),
    ),
    (
        SecondAct::Application,
        There(
            "regulations/links.rs",
            "taipei_health_asks_both_offices_in_either_order_then_the_head_then_a_test",
        ),
    ),
    (
        SecondAct::Passphrase,
        There(
            "containers.rs",
            "a_standing_passphrase_opens_batches_once_a_supervisor_has_confirmed_it_and_is_told_as_weaker",
        ),
    ),
    (
        SecondAct::Handover,
        There("handover/refusals.rs", "the_requester_does_not_approve_and_documents_are_asked_for"),
    ),
    (
        SecondAct::Exception,
        There(
            "rules/orders.rs",
            "a_copy_out_of_reach_is_left_out_and_the_batch_stays_open_until_it_is_gone",
        ),
    ),
    (
        SecondAct::AccessOrder,
        There("rules/access_keys.rs", "nobody_ends_the_access_log_early_alone_or_against_a_hold"),
    ),
    (SecondAct::Sample, There("regulations/samples.rs", "a_team_of_two_offices_reviews_together")),
];

/// Acts whose test elsewhere shows one person alone. That a deputy is refused as well, the one function that all of these acts go
/// through does for them too; every other test elsewhere shows both.
const ALONE: [SecondAct; 4] =
    [SecondAct::SharedUser, SecondAct::Application, SecondAct::AccessOrder, SecondAct::Sample];

/// The same acts on what else may wait for them.
const MORE: &[(SecondAct, Shown)] =
    &[(SecondAct::Account, Here { begin: edit, deputy: "dora", other: "sue" })];

/// The site, and its batch.
struct Stage<'p> {
    site: Site<'p>,
    batch: String,
}

impl Stage<'_> {
    #[track_caller]
    fn walt(&self, words: &[&str]) -> Ran {
        self.site.run_as("walt", words).ok()
    }

    /// The place of the last entry of a kind.
    fn last(&self, kind: &str) -> String {
        let rows = self.site.run(&["register", "show", "--json"]).ok().json();
        let rows = rows.as_array().unwrap().iter().rev();
        let mut rows = rows.filter(|row| row["body"]["type"] == kind);
        rows.next().unwrap()["seq"].to_string()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn account(stage: &Stage<'_>) -> Vec<String> {
    stage.site.people.new_key("tina");
    let key = stage.site.people.public("tina");
    let key = key.to_str().unwrap();
    stage.walt(&["account", "add", "tina", "--role", "handler", "--sign-key", key]);
    words(&["account", "confirm", "tina"])
}

fn edit(stage: &Stage<'_>) -> Vec<String> {
    stage.walt(&["account", "edit", "audrey", "--title", "專員"]);
    words(&["account", "confirm", "audrey"])
}

fn appointment(stage: &Stage<'_>) -> Vec<String> {
    let add = ["appointment", "add", "audrey", "--post", "auditor", "--from", "115/11/21"];
    let id = stage.walt(&[add.as_slice(), &["--doc-no", DOC]].concat()).id('p');
    words(&["appointment", "confirm", &id])
}

fn configuration(stage: &Stage<'_>) -> Vec<String> {
    let file = stage.site.dir.join("agent.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}abandon_after: 30d\n")).unwrap();
    stage.walt(&["config", "propose"]);
    words(&["config", "confirm"])
}

fn witness(stage: &Stage<'_>) -> Vec<String> {
    let dir = stage.site.temporary().join("witness");
    let said = stage.site.run(&["witness", "new", dir.to_str().unwrap(), "--name", "office"]).ok();
    let line = said.text().lines().last().unwrap();
    let key = line.split("--key ").nth(1).unwrap().trim_end_matches('\'');
    stage.walt(&["witness", "add", "office", "--key", key]);
    words(&["witness", "confirm", "office"])
}

fn review(stage: &Stage<'_>) -> Vec<String> {
    let all = "ada,ben,alice,henry,sue,audrey,walt,dora,dina,amos,tina";
    stage.walt(&["account", "review", "--keep", all]);
    words(&["account", "review", "--confirm"])
}

fn baseline(stage: &Stage<'_>) -> Vec<String> {
    stage.walt(&["link", "baseline", LINK, "3"]);
    words(&["link", "confirm", LINK])
}

fn resume(stage: &Stage<'_>) -> Vec<String> {
    stage.walt(&["link", "suspend", LINK, "--reason", "限期改善"]);
    stage.walt(&["link", "resume", LINK, "--reason", "已改善"]);
    words(&["link", "resume", LINK, "--confirm"])
}

fn announcement(stage: &Stage<'_>) -> Vec<String> {
    let announce = ["batch", "announce", "--link", LINK, "--doc-no", DOC, "--notified"];
    let more = ["115/11/20", "--records", "20", "--files", "HR*.age"];
    let id = stage.walt(&[announce.as_slice(), &more].concat()).id('t');
    words(&["batch", "announce-confirm", &id])
}

fn standing(stage: &Stage<'_>) -> Vec<String> {
    let add = ["standing", "add", "--policy", "nantou-verification", "--doc-no", DOC];
    let id = stage.walt(&[add.as_slice(), &["--until", "115/12/31"]].concat()).id('s');
    words(&["standing", "confirm", &id])
}

fn hold(stage: &Stage<'_>) -> Vec<String> {
    let place = ["hold", "place", "--link", LINK, "--authority", "地檢署", "--doc-no", DOC];
    let id = stage.walt(&[place.as_slice(), &["--review", "116/01/31"]].concat()).id('h');
    words(&["hold", "lift", &id])
}

fn amendment(stage: &Stage<'_>) -> Vec<String> {
    let entry = stage.last("hold-placed");
    let amend = ["register", "amend", &entry, "--field", "authority", "--to", "地方檢察署"];
    stage.walt(&[amend.as_slice(), &["--reason", "誤植"]].concat());
    words(&["register", "confirm", &stage.last("fact-amended")])
}

fn mismatch(stage: &Stage<'_>) -> Vec<String> {
    let compare = ["batch", "compare", &stage.batch, "--applied", "19", "--result", "mismatch"];
    stage.walt(&[compare.as_slice(), &["--note", "待查"]].concat());
    words(&["batch", "accept", &stage.batch, "--reason", "提供機關說明"])
}

fn file(stage: &Stage<'_>) -> Vec<String> {
    let apply = ["grant", "apply", "--link", LINK, "--until", "116/06/30", "--purpose", "審查"];
    let grant = stage.walt(&[apply.as_slice(), &["--basis", DOC]].concat()).id('g');
    stage.site.run_as("sue", &["grant", "approve", &grant]).ok();
    let folder = stage.site.temporary();
    let (list, file) = (folder.join("list.csv"), folder.join("found.ods"));
    fs::write(&list, "national_id\nZ299999999\n").unwrap();
    let look = ["match", "--grant", &grant, "--case", "115-001", "--reason", "資格審查"];
    let from = ["--input", list.to_str().unwrap(), "--on", "national_id"];
    let to = ["--copy-to", file.to_str().unwrap(), "--holder", "合成保管人"];
    let look = [look.as_slice(), &from, &to, &["--delete-by", "115/12/31"]].concat();
    stage.site.run_as("walt", &look).exits(75);
    let rows = stage.site.run(&["copy", "list", &stage.batch, "--json"]).ok().json();
    let mut rows = rows.as_array().unwrap().iter();
    let copy = rows.find(|row| row["kind"] == "export").unwrap()["id"].as_str().unwrap();
    // The office agrees; from then on rows may be in the file.
    stage.site.run_as("sue", &["copy", "approve", copy, "--doc-no", DOC]).ok();
    // What comes later asks whether every use is over.
    stage.walt(&["use", "complete", &grant]);
    words(&["copy", "withdraw", copy, "--reason", "未產製"])
}

fn copy(stage: &Stage<'_>) -> Vec<String> {
    let ask = ["copy", "request", &stage.batch, "--kind", "paper", "--reason", "開庭"];
    let id = stage.walt(&ask).id('c');
    words(&["copy", "deny", &id, "--reason", "改以查詢"])
}

fn withdrawal(stage: &Stage<'_>) -> Vec<String> {
    stage.walt(&["use", "no-need", &stage.batch]);
    stage.walt(&["destroy", "request", &stage.batch, "--reason", "使用完竣"]);
    stage.walt(&["use", "withdraw", &stage.batch, "--reason", "尚在申復"]);
    words(&["use", "confirm", &stage.batch, "--unit", UNIT])
}

fn order(stage: &Stage<'_>) -> Vec<String> {
    stage.walt(&["use", "no-need", &stage.batch]);
    let ask = ["destroy", "request", &stage.batch, "--reason", "使用完竣"];
    let id = stage.walt(&ask).id('o');
    words(&["destroy", "approve", &id])
}

fn grant(stage: &Stage<'_>) -> Vec<String> {
    let apply = ["grant", "apply", "--link", LINK, "--until", "116/06/30", "--purpose", "審查"];
    let id = stage.walt(&[apply.as_slice(), &["--basis", DOC]].concat()).id('g');
    words(&["grant", "approve", &id])
}

fn report(stage: &Stage<'_>) -> Vec<String> {
    let file = stage.site.temporary().join("report.json");
    let make = ["audit", "report", "--period", "2026-10", "--format", "json", "-o"];
    let id = stage.walt(&[make.as_slice(), &[file.to_str().unwrap()]].concat()).id('u');
    words(&["audit", "sign", &id, "--doc-no", DOC])
}

fn audit(stage: &Stage<'_>) -> Vec<String> {
    let record = ["audit", "record", "vendor", "--period", "115", "--of", "dingyue", "--by"];
    let more = ["audrey", "--result", "ok", "--doc-no", DOC];
    let id = stage.walt(&[record.as_slice(), &more].concat()).id('v');
    words(&["audit", "sign", &id])
}

fn finding(stage: &Stage<'_>) -> Vec<String> {
    let add = ["audit", "finding", "add", "--link", LINK, "--code", "名冊未更新", "--doc-no", DOC];
    let add = [add.as_slice(), &["--correct-by", "2026-12-01"]].concat();
    let id = stage.site.run_as("audrey", &add).ok().id('f');
    stage.walt(&["audit", "finding", "correct", &id, "--action", "更新名冊", "--doc-no", DOC]);
    for office in ["it-office", "ethics-office"] {
        let told = ["audit", "finding", "told", &id, "--office", office, "--letter", DOC];
        stage.site.run_as("audrey", &told).ok();
    }
    words(&["audit", "finding", "close", &id])
}

fn end(stage: &Stage<'_>) -> Vec<String> {
    let declare = ["copy", "declare", &stage.batch, "--medium", "flash", "--serial", "SN-42"];
    let more = ["--place", "cabinet 3", "--lock", "safe", "--holder", "henry", "--kind", "carrier"];
    let site = &stage.site;
    let copy = site.run_as("alice", &[declare.as_slice(), &more].concat()).ok().id('c');
    let ask = ["destroy", "request", &stage.batch, "--copy", &copy, "--reason", "使用完竣"];
    let order = site.run_as("alice", &ask).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    let record = ["media", "record", &copy, "--method", "shredded", "--place", "room"];
    stage.walt(&[record.as_slice(), &["--performer", "carol"]].concat());
    words(&["media", "confirm", &copy])
}

fn seal(stage: &Stage<'_>) -> Vec<String> {
    stage.walt(&["batch", "provide", &stage.batch, "--doc-no", DOC]);
    words(&["batch", "provide", &stage.batch])
}

fn investigation(stage: &Stage<'_>) -> Vec<String> {
    let report = ["incident", "report", "--kind", "loss", "--at", "2026-11-21T10:00:00+08:00"];
    let more = ["--batch", &stage.batch, "--records", "unknown", "--encrypted", "no"];
    let summary = ["--summary", "隨身碟遺失"];
    let report = [report.as_slice(), &more, &summary].concat();
    let id = stage.site.run_as("henry", &report).ok().id('i');
    let look = ["incident", "investigate", &id, "--doc-no", DOC, "--records", "20", "--with"];
    stage.walt(&[look.as_slice(), &["audrey"]].concat());
    words(&["incident", "confirm", &id])
}

fn incident(stage: &Stage<'_>) -> Vec<String> {
    let rows = stage.site.run(&["incident", "list", "--json"]).ok().json();
    let id = rows[0]["id"].as_str().unwrap();
    for office in ["it-office", "ethics-office"] {
        let told = ["incident", "notify", id, "--office", office, "--letter", DOC];
        stage.site.run_as("alice", &told).ok();
    }
    let remedy = ["incident", "remedy", id, "--remedy", "銷毀金鑰", "--prevention", "二人攜帶"];
    stage.walt(&[remedy.as_slice(), &["--doc-no", DOC]].concat());
    words(&["incident", "close", id])
}

fn decision(stage: &Stage<'_>) -> Vec<String> {
    let site = &stage.site;
    site.run_as("henry", &["use", "no-need", &stage.batch]).ok();
    let ask = ["destroy", "request", &stage.batch, "--reason", "使用完竣"];
    let order = site.run_as("henry", &ask).ok().id('o');
    let slip = site.run(&["destroy", "slip", &order, "--format", "json", "-o", "-"]).ok().json();
    let scan = site.temporary().join("scan.pdf");
    fs::write(&scan, "synthetic scan of a sealed slip").unwrap();
    let enter = ["destroy", "approve", &order, "--paper", "--doc-no", DOC, "--approver", "sue"];
    let code = slip["code"].as_str().unwrap();
    let more = ["--date", "115/11/21", "--code", code, "--scan", scan.to_str().unwrap()];
    stage.walt(&[enter.as_slice(), &more].concat());
    words(&["destroy", "confirm", &order])
}

fn papers(stage: &Stage<'_>) -> Vec<String> {
    stage.site.once();
    let rows = stage.site.run(&["destroy", "list", "--json"]).ok().json();
    let waits = |row: &&serde_json::Value| {
        row["papers_missing"].as_array().is_some_and(|all| !all.is_empty())
    };
    let order = rows.as_array().unwrap().iter().rev().find(waits).unwrap();
    let order = order["id"].as_str().unwrap();
    let close = ["destroy", "close", order, "--letter", DOC, "--letter-date", "115/11/21"];
    stage.walt(&close);
    words(&["destroy", "confirm", order])
}

/// The site with its people and a loaded batch, under rules that are changed so; walt is of that unit.
fn stage<'p>(people: &'p People, rules: &[(&str, &str, &str)], unit: &str) -> Stage<'p> {
    let site = Site::laid_out(people, &["small-20"]);
    for (file, from, to) in rules {
        let file = site.dir.join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(&file, text.replace(from, to)).unwrap();
    }
    site.init();
    site.accounts(UNIT);
    let add = |name: &str, roles: &str| {
        site.people.new_key(name);
        let key = site.people.public(name);
        let unit = if name == "walt" { unit } else { UNIT };
        let add = ["account", "add", name, "--role", roles, "--unit", unit];
        site.run_as("ada", &[&add[..], &["--sign-key", key.to_str().unwrap()]].concat()).ok();
        site.run_as("ben", &["account", "confirm", name]).ok();
    };
    add("walt", ROLES);
    add("dora", "handler");
    add("dina", "supervisor");
    add("amos", "admin");
    for (post, deputies) in [("supervisor", &["dora", "amos"][..]), ("handler", &["dina"][..])] {
        let appoint = |name: &str, more: &[&str]| {
            let add = ["appointment", "add", name, "--post", post, "--from", "115/11/21"];
            let add = [&add[..], &["--doc-no", DOC], more].concat();
            let id = site.run_as("ada", &add).ok().id('p');
            site.run_as("ben", &["appointment", "confirm", &id]).ok();
            id
        };
        let held = appoint("walt", &[]);
        for deputy in deputies {
            appoint(deputy, &["--until", "115/11/30", "--deputy-for", &held]);
        }
    }
    site.once();
    let batch = site.batches()[0]["id"].as_str().unwrap().to_owned();
    Stage { site, batch }
}

#[test]
fn every_act_of_two_people_has_its_row_and_each_row_its_test() {
    let rows: Vec<SecondAct> = TABLE.iter().map(|(act, _)| *act).collect();
    let all: BTreeSet<SecondAct> = SecondAct::ALL.iter().copied().collect();
    assert_eq!(
        rows.iter().copied().collect::<BTreeSet<_>>(),
        all,
        "an act without a row, or twice"
    );
    assert_eq!(rows.len(), all.len(), "each act has one row");
    for (act, shown) in TABLE {
        let There(file, name) = shown else { continue };
        let text = fs::read_to_string(root().join("tests").join(file)).unwrap();
        let test = text.split_once(&format!("fn {name}()")).map(|(_, rest)| rest);
        let test = test.unwrap_or_else(|| panic!("{act}: there is no test '{name}' in {file}"));
        let test = test.split("\n#[test]").next().unwrap();
        assert!(test.contains("refused(") || test.contains("77"), "{act}: '{name}' refuses nobody");
        let both = test.contains("neither_walt_nor_dora(");
        assert!(both || ALONE.contains(act), "{act}: '{name}' refuses no deputy");
    }
}

/// Plays rows: walt begins and does not go on, nor does who stands in for him, and another person does.
fn played<'r>(
    stage: &Stage<'_>,
    rows: impl Iterator<Item = (SecondAct, fn(&Stage<'_>) -> Vec<String>, &'r str, &'r str)>,
) {
    for (act, begin, deputy, other) in rows {
        let second = begin(stage);
        let second: Vec<&str> = second.iter().map(String::as_str).collect();
        let own = stage.site.run_as("walt", &second).exits(77);
        let alone = ["it is your own", "you asked for", "waits for 'audrey'", "sealed it already"];
        let said = alone.iter().any(|alone| own.stderr.contains(alone));
        assert!(said, "{act}: {}", own.stderr);
        let for_him = stage.site.run_as(deputy, &second).exits(77);
        assert!(for_him.stderr.contains(PARTY), "{act}: {}", for_him.stderr);
        stage.site.run_as(other, &second).ok();
    }
    stage.site.verify();
}

#[test]
fn who_began_does_not_go_on_nor_who_stands_in_for_him_and_another_person_does() {
    let people = People::new();
    let rows = TABLE.iter().chain(MORE).filter_map(|(act, shown)| match shown {
        Here { begin, deputy, other } => Some((*act, *begin, *deputy, *other)),
        Strict { .. } | There(..) => None,
    });
    played(&stage(&people, &[], UNIT), rows);
}

#[test]
fn nor_under_a_policy_of_seals_papers_and_offices() {
    let people = People::new();
    const POLICY: &str = "policies/taoyuan-dwcd.yaml";
    let own = "policy: taoyuan-dwcd\noverride:\n  intake:\n    provide: { value: [handler, supervisor], clause: own }";
    let closing = "papers: { value: [letter], clause: TY-3.1.3b }";
    let rules = [
        (POLICY, "papers: { value: [], clause: TY-4.3.2 }", closing),
        (POLICY, "papers_within: { value: P0D", "papers_within: { value: P10D"),
        ("links/moca-full.yaml", "policy: taoyuan-dwcd", own),
    ];
    let site = stage(&people, &rules, "資訊室");
    let rows = TABLE.iter().filter_map(|(act, shown)| match shown {
        Strict { begin, deputy, other } => Some((*act, *begin, *deputy, *other)),
        Here { .. } | There(..) => None,
    });
    played(&site, rows);
}

/// Dina stands in for walt as a handler, and is a supervisor herself.
#[test]
fn who_stands_in_for_who_began_does_not_go_on_by_a_role_of_his_own_either() {
    let people = People::new();
    let stage = stage(&people, &[], UNIT);
    for begin in [hold, order] {
        let second = begin(&stage);
        let second: Vec<&str> = second.iter().map(String::as_str).collect();
        let said = stage.site.run_as("dina", &second).exits(77).stderr;
        assert!(said.contains(PARTY), "{said}");
        stage.site.run_as("sue", &second).ok();
    }
}
