//! Acts of two people, every one of the code's own list: who began does not go on, nor who stands in for who began. An act that
//! is new and has no row here fails the first test.
//!
//! Walt has every office at once; dora stands in for him as a supervisor, dina as a handler. All people, letters and records
//! are synthetic, the keys throw-away keys.
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
    /// A test that has what it takes: a file below `tests`, and its name.
    There(&'static str, &'static str),
}

use Shown::{Here, There};

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
    (SecondAct::Copy, Here { begin: copy, deputy: "dora", other: "sue" }),
    (SecondAct::Withdrawal, Here { begin: withdrawal, deputy: "dora", other: "sue" }),
    (SecondAct::Order, Here { begin: order, deputy: "dora", other: "sue" }),
    (SecondAct::Grant, Here { begin: grant, deputy: "dora", other: "sue" }),
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
    (SecondAct::Seal, There("regulations/intake.rs", "one_person_with_every_role_seals_once")),
    (
        SecondAct::File,
        There("lists.rs", "a_file_of_rows_is_a_copy_from_its_request_to_its_confirmed_deletion"),
    ),
    (
        SecondAct::End,
        There(
            "rules/inventory.rs",
            "who_did_it_does_not_vouch_for_it_and_a_record_that_is_replaced_is_told_as_that",
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
        SecondAct::Papers,
        There(
            "rules/orders.rs",
            "an_order_stays_open_and_becomes_overdue_until_its_papers_are_confirmed",
        ),
    ),
    (
        SecondAct::Decision,
        There(
            "rules/on_paper.rs",
            "a_destruction_is_approved_on_paper_once_two_people_vouch_for_the_seal",
        ),
    ),
    (
        SecondAct::AccessOrder,
        There("rules/access_keys.rs", "nobody_ends_the_access_log_early_alone_or_against_a_hold"),
    ),
    (
        SecondAct::Report,
        There(
            "regulations/audits.rs",
            "taoyuan_dwcd_has_its_monthly_report_signed_off_by_another_person_and_never_changed",
        ),
    ),
    (
        SecondAct::Audit,
        There(
            "regulations/audits.rs",
            "taipei_health_audits_without_notice_with_a_team_of_two_offices_on_a_day_that_no_auditee_sees",
        ),
    ),
    (SecondAct::Sample, There("regulations/samples.rs", "a_team_of_two_offices_reviews_together")),
    (
        SecondAct::Finding,
        There(
            "regulations/samples.rs",
            "taoyuan_draws_seventy_percent_of_kinship_queries_each_month",
        ),
    ),
    (
        SecondAct::Investigation,
        There(
            "regulations/samples.rs",
            "an_incident_is_looked_into_by_two_told_in_time_and_closed_by_a_second_person",
        ),
    ),
    (
        SecondAct::Incident,
        There(
            "regulations/samples.rs",
            "an_incident_is_looked_into_by_two_told_in_time_and_closed_by_a_second_person",
        ),
    ),
];

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
    let all = "ada,ben,alice,henry,sue,audrey,walt,dora,dina,tina";
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

/// The site with its people and a loaded batch.
fn stage(people: &People) -> Stage<'_> {
    let site = Site::founded(people, &["small-20"], UNIT);
    let add = |name: &str, roles: &str| {
        site.people.new_key(name);
        let key = site.people.public(name);
        let add = ["account", "add", name, "--role", roles, "--unit", UNIT];
        site.run_as("ada", &[&add[..], &["--sign-key", key.to_str().unwrap()]].concat()).ok();
        site.run_as("ben", &["account", "confirm", name]).ok();
    };
    add("walt", ROLES);
    add("dora", "handler");
    add("dina", "supervisor");
    for (post, deputy) in [("supervisor", "dora"), ("handler", "dina")] {
        let appoint = |name: &str, more: &[&str]| {
            let add = ["appointment", "add", name, "--post", post, "--from", "115/11/21"];
            let add = [&add[..], &["--doc-no", DOC], more].concat();
            let id = site.run_as("ada", &add).ok().id('p');
            site.run_as("ben", &["appointment", "confirm", &id]).ok();
            id
        };
        let held = appoint("walt", &[]);
        appoint(deputy, &["--until", "115/11/30", "--deputy-for", &held]);
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
    }
}

#[test]
fn who_began_does_not_go_on_nor_who_stands_in_for_him_and_another_person_does() {
    let people = People::new();
    let stage = stage(&people);
    for (act, shown) in TABLE.iter().chain(MORE) {
        let Here { begin, deputy, other } = shown else { continue };
        let second = begin(&stage);
        let second: Vec<&str> = second.iter().map(String::as_str).collect();
        let own = stage.site.run_as("walt", &second).exits(77);
        let alone = own.stderr.contains("it is your own") || own.stderr.contains("you asked for");
        assert!(alone, "{act}: {}", own.stderr);
        let for_him = stage.site.run_as(deputy, &second).exits(77);
        assert!(for_him.stderr.contains(PARTY), "{act}: {}", for_him.stderr);
        stage.site.run_as(other, &second).ok();
    }
    stage.site.verify();
}
