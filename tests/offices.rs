//! People as offices have them: deputies who act for somebody else for some days, terms that end, names that change.
//!
//! All people, letters and records are synthetic, the keys throw-away keys.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use support::{People, Ran, Site};

const LINK: &str = "moca-full";
const UNIT: &str = "幼兒托育科";
const DOC: &str = "府社人字第1150001234號";

fn site(people: &People) -> Site<'_> {
    let site = Site::in_memory(people);
    site.init();
    site.accounts(UNIT);
    site
}

/// An account of its own, proposed by ada and confirmed by ben.
fn account(site: &Site<'_>, name: &str, role: &str, display: &str, title: &str) {
    site.people.new_key(name);
    let key = site.people.public(name);
    let add = ["account", "add", name, "--role", role, "--unit", UNIT, "--display", display];
    let more = ["--title", title, "--sign-key", key.to_str().unwrap()];
    site.run_as("ada", &[add.as_slice(), &more].concat()).ok();
    site.run_as("ben", &["account", "confirm", name]).ok();
}

/// Somebody is appointed, and ben agrees.
fn appointed(site: &Site<'_>, post: &str, name: &str, more: &[&str]) -> String {
    let add = ["appointment", "add", name, "--post", post, "--from", "115/11/21", "--doc-no", DOC];
    let id = site.run_as("ada", &[add.as_slice(), more].concat()).ok().id('p');
    site.run_as("ben", &["appointment", "confirm", &id]).ok();
    id
}

fn applied(site: &Site<'_>, by: &str, link: &str) -> String {
    let apply = ["grant", "apply", "--link", link, "--until", "116/06/30", "--purpose", "審查"];
    site.run_as(by, &[apply.as_slice(), &["--basis", DOC]].concat()).ok().id('g')
}

fn entries(site: &Site<'_>, kind: &str) -> Vec<Value> {
    let rows = site.run(&["register", "show", "--json"]).ok().json();
    rows.as_array().unwrap().iter().filter(|row| row["body"]["type"] == kind).cloned().collect()
}

#[track_caller]
fn refused(site: &Site<'_>, name: &str, words: &[&str], why: &str) -> Ran {
    let ran = site.run_as(name, words).exits(77);
    assert!(ran.stderr.contains(why), "{why}: {}", ran.stderr);
    ran
}

/// The lists, the form, the screen and the history name the people and in whose place they act; gives the batch.
fn shown_with_their_people(site: &Site<'_>) -> String {
    let listed = site.run(&["appointment", "list"]).ok();
    assert!(
        listed.text().contains("(代)") && listed.text().contains("王科長"),
        "{}",
        listed.text()
    );
    let accounts = site.run(&["account", "list"]).ok();
    assert!(accounts.text().contains("林代理(代) 股長"), "{}", accounts.text());
    let form = ["register", "export", "--format", "html", "-o", "-"];
    let form = site.run(&form).ok();
    assert!(form.text().contains("股長 林代理(代)"), "{}", form.text());
    assert!(form.text().contains("代理單位主管 王科長"), "{}", form.text());
    // The screen and the history name the same people, and the link its staff.
    let shown = site.run(&["register", "show"]).ok();
    assert!(shown.text().contains("林代理(代)"), "{}", shown.text());
    let batch = site.batches()[0]["id"].as_str().unwrap().to_owned();
    let history = site.run(&["batch", "history", &batch]).ok();
    assert!(history.text().contains("林代理(代)"), "{}", history.text());
    let facts = site.run(&["batch", "history", &batch, "--json"]).ok().json();
    let approved = facts["events"].as_array().unwrap().iter().find(|one| one["by"] == "dora");
    assert_eq!(approved.unwrap()["person"]["title"], "股長");
    let page = site.run(&["link", "show", LINK, "--json"]).ok().json();
    let staff: Vec<_> = page["staff"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(staff, ["walt", "dora"]);
    assert_eq!(page["staff"][1]["stands_for"]["of"], "王科長");
    let screen = site.run(&["link", "show", LINK]).ok();
    assert!(
        screen.text().contains("王科長 科長") && screen.text().contains(DOC),
        "{}",
        screen.text()
    );
    batch
}

#[test]
fn a_deputy_acts_for_his_supervisor_with_his_own_key_and_for_his_days_only() {
    let people = People::new();
    let site = site(&people);
    site.install(&[], &["small-20"]);
    site.once();
    account(&site, "dora", "handler", "林代理", "股長");
    account(&site, "walt", "supervisor", "王科長", "科長");
    let grant = applied(&site, "henry", LINK);
    let approve = ["grant", "approve", &grant];
    refused(&site, "dora", &approve, "may not");
    let post = appointed(&site, "supervisor", "walt", &[]);
    // A role that comes by standing in for somebody has a last day from the first.
    let stand = ["appointment", "add", "dora", "--post", "supervisor", "--from", "115.11.21"];
    let stand = [stand.as_slice(), &["--doc-no", DOC, "--deputy-for", &post]].concat();
    let ran = site.run_as("ada", &stand).exits(64);
    assert!(ran.stderr.contains("last day"), "{}", ran.stderr);
    let dora =
        appointed(&site, "supervisor", "dora", &["--until", "1151130", "--deputy-for", &post]);
    site.run_as("dora", &approve).ok();
    // What she asked for herself she approves for nobody.
    let own = applied(&site, "dora", LINK);
    refused(&site, "dora", &["grant", "approve", &own], "your own");
    // The register says by which appointment it was done, and that the handler's act was her own.
    let approved = entries(&site, "grant-approved");
    assert_eq!(approved.len(), 1);
    assert_eq!(
        (&approved[0]["by"], &approved[0]["deputy"]),
        (&"dora".into(), &dora.as_str().into())
    );
    let asked = entries(&site, "grant-applied");
    assert!(asked.iter().all(|row| row["deputy"].is_null()), "{asked:?}");
    let batch = shown_with_their_people(&site);
    // What the one she stands in for asked for, she does not decide for him.
    let add = ["account", "add", "walt", "--role", "supervisor,handler", "--unit", UNIT];
    let key = site.people.public("walt");
    let more = ["--display", "王科長", "--title", "科長", "--sign-key", key.to_str().unwrap()];
    site.run_as("ada", &[add.as_slice(), &more].concat()).ok();
    site.run_as("ben", &["account", "confirm", "walt"]).ok();
    let his = applied(&site, "walt", LINK);
    refused(&site, "dora", &["grant", "approve", &his], "asked for or decided by 'walt'");
    // Cancelling another's request is a supervisor's, also where her own office would do for her own.
    site.run_as("henry", &["use", "complete", &grant]).ok();
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    site.wait_minutes(60 * 24);
    site.once();
    let ask = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("alice", &ask).ok().id('o');
    site.run_as("dora", &["destroy", "cancel", &order, "--reason", "次日再簽"]).ok();
    let cancelled = entries(&site, "order-cancelled");
    assert_eq!(cancelled[0]["deputy"], dora.as_str());
    // After the last day nothing has to take it away.
    site.wait_minutes(10 * 24 * 60);
    refused(&site, "dora", &["grant", "approve", &applied(&site, "henry", LINK)], "may not");
    // Her own office she keeps.
    applied(&site, "dora", LINK);
    site.verify();
}

#[test]
fn a_deputy_of_one_link_is_nobody_s_deputy_in_another() {
    let people = People::new();
    let site = site(&people);
    account(&site, "dora", "handler", "林代理", "股長");
    account(&site, "walt", "supervisor", "王科長", "科長");
    let post = appointed(&site, "supervisor", "walt", &["--link", LINK]);
    let until = ["--link", LINK, "--until", "2026-11-30", "--deputy-for", &post];
    appointed(&site, "supervisor", "dora", &until);
    let mine = applied(&site, "henry", LINK);
    site.run_as("dora", &["grant", "approve", &mine]).ok();
    // What is of every link, or of none that is known, is not hers.
    let hold = ["hold", "place", "--all", "--authority", "地檢署", "--doc-no", DOC, "--review"];
    refused(&site, "dora", &[hold.as_slice(), &["116/01/31"]].concat(), "may not");
    let hold = ["hold", "place", "--link", LINK, "--authority", "地檢署", "--doc-no", DOC];
    site.run_as("dora", &[hold.as_slice(), &["--review", "116/01/31"]].concat()).ok();
    refused(&site, "dora", &["account", "disable", "henry"], "may not");
    site.verify();
}

#[test]
fn an_office_is_one_person_whoever_acts_for_it_and_in_either_order() {
    const PARTY: &str = "asked for or decided by 'walt'";
    let people = People::new();
    let site = site(&people);
    account(&site, "dora", "handler", "林代理", "股長");
    account(&site, "dave", "handler", "趙代理", "股長");
    account(&site, "walt", "custodian,supervisor,admin", "王科長", "科長");
    let post = appointed(&site, "supervisor", "walt", &["--link", LINK]);
    let until = ["--link", LINK, "--until", "2026-11-30", "--deputy-for", &post];
    appointed(&site, "supervisor", "dora", &until);
    appointed(&site, "supervisor", "dave", &until);
    let hold = ["hold", "place", "--link", LINK, "--authority", "地檢署", "--doc-no", DOC];
    let hold = [hold.as_slice(), &["--review", "116/01/31"]].concat();
    // What the holder began, nobody ends for him; what was begun for him, neither he nor another who stands in for him does.
    let his = site.run_as("walt", &hold).ok().id('h');
    refused(&site, "walt", &["hold", "lift", &his], "your own");
    refused(&site, "dora", &["hold", "lift", &his], PARTY);
    let hers = site.run_as("dora", &hold).ok().id('h');
    refused(&site, "dora", &["hold", "lift", &hers], PARTY);
    refused(&site, "walt", &["hold", "lift", &hers], PARTY);
    refused(&site, "dave", &["hold", "lift", &hers], PARTY);
    for one in [&his, &hers] {
        site.run_as("sue", &["hold", "lift", one]).ok();
    }
    // So it is of papers that one person enters and another confirms, in the link that they are of.
    let baseline = |n: &'static str| ["link", "baseline", LINK, n];
    site.run_as("walt", &baseline("3")).ok();
    refused(&site, "dora", &["link", "confirm", LINK], PARTY);
    site.run_as("alice", &baseline("4")).ok();
    site.run_as("dora", &["link", "confirm", LINK]).ok();
    // What is of no one link is nobody's who stands in for one.
    people.new_key("tina");
    let key = people.public("tina");
    let add = ["account", "add", "tina", "--role", "handler", "--sign-key", key.to_str().unwrap()];
    site.run_as("walt", &add).ok();
    refused(&site, "dora", &["account", "confirm", "tina"], "may not");
    site.run_as("sue", &["account", "confirm", "tina"]).ok();
    site.verify();
}

#[test]
fn a_post_that_was_given_for_a_term_takes_its_role_with_it() {
    let people = People::new();
    let site = site(&people);
    account(&site, "walt", "handler,supervisor", "王科長", "科長");
    appointed(&site, "supervisor", "walt", &["--until", "116/01/31"]);
    let roles = |site: &Site<'_>| {
        let rows = site.run(&["account", "list", "--json"]).ok().json();
        let rows = rows.as_array().unwrap().clone();
        rows.iter().find(|row| row["name"] == "walt").unwrap()["roles"].clone()
    };
    site.once();
    assert_eq!(roles(&site), serde_json::json!(["handler", "supervisor"]));
    site.wait_minutes(80 * 24 * 60);
    site.run_as("alice", &["clock", "confirm"]);
    site.once();
    site.once();
    assert_eq!(roles(&site), serde_json::json!(["handler"]));
    assert_eq!(entries(&site, "term-ended").len(), 1);
    // Two people may give it again, and then it stays.
    let key = site.people.public("walt");
    let add = ["account", "add", "walt", "--role", "handler,supervisor", "--sign-key"];
    site.run_as("ada", &[add.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
    site.run_as("ben", &["account", "confirm", "walt"]).ok();
    site.once();
    assert_eq!(roles(&site), serde_json::json!(["handler", "supervisor"]));
    site.verify();
}

#[test]
fn a_form_shows_who_somebody_was_when_he_signed() {
    let people = People::new();
    let site = site(&people);
    site.install(&[], &["small-20"]);
    site.once();
    account(&site, "walt", "supervisor", "王大文", "股長");
    let grant = applied(&site, "henry", LINK);
    site.run_as("walt", &["grant", "approve", &grant]).ok();
    let edit = ["account", "edit", "walt", "--title", "科長"];
    site.run_as("henry", &edit).exits(77);
    site.run_as("ada", &["account", "edit", "nobody", "--title", "科長"]).exits(64);
    site.run_as("ada", &["account", "edit", "walt", "--title", "股長"]).exits(64);
    site.run_as("ada", &["account", "edit", "walt", "--title", "A123456789"]).exits(65);
    site.run_as("ada", &edit).ok();
    site.run_as("ada", &["account", "confirm", "walt"]).exits(77);
    site.run_as("ben", &["account", "confirm", "walt"]).ok();
    let row = site.run(&["account", "list"]).ok();
    assert!(row.text().contains("王大文 科長"), "{}", row.text());
    let form = site.run(&["register", "export", "--format", "html", "-o", "-"]).ok();
    assert!(form.text().contains("股長 王大文"), "{}", form.text());
    // His key and his roles are what they were.
    let other = applied(&site, "henry", LINK);
    site.run_as("walt", &["grant", "approve", &other]).ok();
    let form = site.run(&["register", "export", "--format", "html", "-o", "-"]).ok();
    assert!(form.text().contains("股長 王大文"), "the first seal stays: {}", form.text());
    site.verify();
}

#[test]
fn a_day_that_may_be_another_is_refused_with_what_to_type() {
    let people = People::new();
    let site = site(&people);
    let apply = |until: &str| {
        let words = ["grant", "apply", "--link", LINK, "--purpose", "審查", "--basis", DOC];
        site.run_as("henry", &[words.as_slice(), &["--until", until]].concat())
    };
    for until in ["116/06/30", "1160630", "116.6.30", "民國116年6月30日", "2027-06-30"] {
        let reply = apply(until).ok();
        assert!(reply.text().contains("2027-06-30 (ROC 116-06-30)"), "{}", reply.text());
    }
    for (until, hint) in [
        ("27/06/30", "either calendar"),
        ("270630", "either calendar"),
        ("1160-06-30", "common era"),
        ("116/06/31", "no such day"),
        ("2027/06/30", "116/12/31"),
    ] {
        let ran = apply(until).exits(64);
        assert!(ran.stderr.contains(hint), "{until}: {}", ran.stderr);
    }
}

#[test]
fn an_edit_gives_no_role_back_that_ended_and_takes_no_account_s_place() {
    let people = People::new();
    let site = site(&people);
    account(&site, "walt", "handler,supervisor", "王科長", "科長");
    appointed(&site, "supervisor", "walt", &["--until", "116/01/31"]);
    let line = |site: &Site<'_>| {
        let rows = site.run(&["account", "list", "--json"]).ok().json();
        let rows = rows.as_array().unwrap().clone();
        rows.into_iter().find(|row| row["name"] == "walt").unwrap()
    };
    // Proposed while he is in office, confirmed after it is over.
    site.run_as("ada", &["account", "edit", "walt", "--title", "專門委員"]).ok();
    assert_eq!(line(&site)["waits"], true);
    assert_eq!(line(&site)["title"], "科長");
    site.wait_minutes(80 * 24 * 60);
    site.run_as("alice", &["clock", "confirm"]);
    site.once();
    site.once();
    assert_eq!(line(&site)["roles"], serde_json::json!(["handler"]));
    refused(&site, "walt", &["account", "confirm", "walt"], "may not");
    refused(&site, "ada", &["account", "confirm", "walt"], "your own");
    site.run_as("ben", &["account", "confirm", "walt"]).ok();
    assert_eq!(line(&site)["title"], "專門委員");
    assert_eq!(line(&site)["display"], "王科長");
    assert_eq!(line(&site)["roles"], serde_json::json!(["handler"]));
    let edits = entries(&site, "account-edit-proposed");
    assert_eq!(edits.len(), 1);
    let mut fields: Vec<_> = edits[0]["body"].as_object().unwrap().keys().cloned().collect();
    fields.sort_unstable();
    assert_eq!(fields, ["name", "signed", "title", "type"]);
    // Whole facts that wait are not replaced by an edit, nor joined to it.
    let key = site.people.public("walt");
    let add = ["account", "add", "walt", "--role", "supervisor", "--unit", UNIT, "--sign-key"];
    let add = [add.as_slice(), &[key.to_str().unwrap()]].concat();
    site.run_as("ada", &add).ok();
    let edit = ["account", "edit", "walt", "--title", "科員"];
    refused(&site, "ada", &edit, "wait for a second person");
    site.run_as("ben", &["account", "confirm", "walt"]).ok();
    assert_eq!(line(&site)["roles"], serde_json::json!(["supervisor"]));
    // An edit that waits gives way to them, and ends with the account.
    site.run_as("ada", &["account", "edit", "walt", "--unit", "社會局"]).ok();
    site.run_as("ada", &add).ok();
    site.run_as("ben", &["account", "confirm", "walt"]).ok();
    assert_eq!(line(&site)["unit"], UNIT);
    site.run_as("ben", &["account", "confirm", "walt"]).exits(64);
    site.run_as("ada", &["account", "edit", "walt", "--unit", "社會局"]).ok();
    site.run_as("ada", &["account", "disable", "walt"]).ok();
    site.run_as("ben", &["account", "confirm", "walt"]).exits(64);
    site.verify();
}
