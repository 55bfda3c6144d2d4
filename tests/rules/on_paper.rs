//! Decisions on paper: a slip is printed, sealed, typed by one person and confirmed by another. All documents are synthetic.

use std::{fs, path::PathBuf};

use super::*;
use batchward::domain::{certificate::Certificate, digest::Digest, ids::OrderId, on_paper};

const DOC: &str = "府社婦字第1150000101號";

/// A site whose policy lets everything be decided on paper, with a second custodian and small-20 loaded.
fn site(people: &People) -> Site<'_> {
    site_under(people, &[])
}

/// The same under a policy that was changed so.
fn site_under<'p>(people: &'p People, rules: &[(&str, &str)]) -> Site<'p> {
    let site = Site::laid_out(people, &["small-20"]);
    for (from, to) in rules {
        edit(&site, "policies/taoyuan-dwcd.yaml", from, to);
    }
    let (from, to) = ("paper: { value: [destroy]", "paper: { value: [destroy, grant, copy]");
    edit(&site, "policies/taoyuan-dwcd.yaml", from, to);
    site.init();
    site.accounts(UNIT);
    people.new_key("carl");
    let key = people.public("carl");
    let add = ["account", "add", "carl", "--role", "custodian", "--unit", "資訊室"];
    site.run_as("ada", &[add.as_slice(), &["--sign-key", key.to_str().unwrap()]].concat()).ok();
    site.run_as("ben", &["account", "confirm", "carl"]).ok();
    site.once();
    site
}

fn requested(site: &Site<'_>) -> (String, String) {
    let batch = no_need(site, SMALL);
    let words = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("alice", &words).ok().id('o');
    (batch, order)
}

/// The code on the slip.
fn code(site: &Site<'_>, word: &str, id: &str) -> String {
    let slip = site.run(&[word, "slip", id, "--format", "json", "-o", "-"]).ok().json();
    slip["code"].as_str().unwrap().to_owned()
}

fn scan(site: &Site<'_>, text: &str) -> PathBuf {
    let path = site.temporary().join("scan.pdf");
    fs::write(&path, text).unwrap();
    path
}

/// What a document says, as it is typed.
struct Typed<'t> {
    id: &'t str,
    word: [&'t str; 2],
    approver: &'t str,
    date: String,
    code: &'t str,
}

impl<'t> Typed<'t> {
    fn new(site: &Site<'_>, id: &'t str, code: &'t str) -> Self {
        let date = site.time().get(..10).unwrap().to_owned();
        Self { id, word: ["destroy", "approve"], approver: "sue", date, code }
    }

    fn by(&self, site: &Site<'_>, name: &str, more: &[&str]) -> Ran {
        self.with(site, name, "synthetic scan of a sealed slip", more)
    }

    fn with(&self, site: &Site<'_>, name: &str, sealed: &str, more: &[&str]) -> Ran {
        let scan = scan(site, sealed);
        let slip = ["--approver", self.approver, "--date", &self.date, "--code", self.code];
        let paper = ["--paper", "--doc-no", DOC, "--scan", scan.to_str().unwrap()];
        let words = [&self.word, &[self.id][..], &paper, &slip, more].concat();
        site.run_as(name, &words)
    }
}

fn day(site: &Site<'_>, more: i64) -> String {
    let today = site.time().get(..10).unwrap().to_owned();
    let day: chrono::NaiveDate = today.parse().unwrap();
    (day + chrono::Duration::days(more)).to_string()
}

#[test]
fn a_destruction_is_approved_on_paper_once_two_people_vouch_for_the_seal() {
    let people = People::new();
    let site = site(&people);
    let (batch, order) = requested(&site);
    let right = code(&site, "destroy", &order);
    for format in ["pdf", "ods", "csv", "html"] {
        let file = site.temporary().join(format!("slip.{format}"));
        let words = ["destroy", "slip", &order, "--format", format, "-o", file.to_str().unwrap()];
        site.run(&words).ok();
        let bytes = fs::read(&file).unwrap();
        let shown = String::from_utf8_lossy(&bytes);
        assert!(!matches!(format, "csv" | "html") || shown.contains(&right), "{shown}");
    }

    // A wrong code: of another slip, or mistyped. A wrong date: to come, or before anything was asked for.
    let digest = Digest::of(b"another request");
    let subject = on_paper::Subject::Order(OrderId::new(9));
    let other = on_paper::SlipCode::of(subject, digest).to_string();
    let typed = Typed::new(&site, &order, &right);
    let said = Typed { code: &other, ..Typed::new(&site, &order, "") }.by(&site, "henry", &[]);
    assert!(said.exits(77).stderr.contains("is not that of"));
    let mut mistyped = right.replace('-', "").into_bytes();
    mistyped[0] = if mistyped[0] == b'7' { b'8' } else { b'7' };
    let mistyped = String::from_utf8(mistyped).unwrap();
    Typed { code: &mistyped, ..Typed::new(&site, &order, "") }.by(&site, "henry", &[]).exits(64);
    for (date, exit) in [(day(&site, 1), 64), (day(&site, -1), 77)] {
        let wrong = Typed { date, ..Typed::new(&site, &order, &right) };
        wrong.by(&site, "henry", &[]).exits(exit);
    }
    // The approver is another one than asked, with the office; who types has one of theirs.
    for (approver, exit) in [("alice", 77), ("henry", 77), ("nobody", 64)] {
        let wrong = Typed { approver, ..Typed::new(&site, &order, &right) };
        wrong.by(&site, "carl", &[]).exits(exit);
    }
    // Nor does who asked for it enter it.
    let said = typed.by(&site, "alice", &[]).exits(77).stderr;
    assert!(said.contains("you asked for"), "{said}");
    typed.by(&site, "audrey", &[]).exits(77);
    assert!(of_type(&site, "decision-entered").is_empty());

    let half = ["destroy", "approve", &order, "--paper", "--doc-no", DOC];
    site.run_as("henry", &half).exits(64);
    typed.by(&site, "henry", &[]).ok();
    // It counts for nothing before another person, who did not ask either, has confirmed it.
    for name in ["henry", "alice", "audrey"] {
        refused(&site, name, &["destroy", "confirm", &order]);
    }
    let rows = site.run(&["status", "--json"]).json();
    let tasks = rows["tasks"]["rows"].as_array().unwrap();
    let task = tasks.iter().find(|task| task["code"] == "confirm-decision").unwrap();
    assert_eq!(task["except"], "henry, alice");
    assert_eq!(stands(&site, SMALL).0, "due");

    site.run_as("carl", &["destroy", "confirm", &order]).ok();
    site.once();
    assert_eq!(site.batches()[0]["state"], "closed");
    told_everywhere(&site, &batch, &order, &right);
}

/// It is shown as recorded from a signed document, and nowhere as a signature of hers.
fn told_everywhere(site: &Site<'_>, batch: &str, order: &str, code: &str) {
    let row = site.run(&["destroy", "list", "--json"]).ok().json()[0].clone();
    assert_eq!(row["approved_by"], "sue");
    let paper = &row["on_paper"][0];
    assert_eq!((&paper["doc_no"], &paper["code"]), (&DOC.into(), &code.into()));
    assert_eq!((&paper["entered_by"], &paper["confirmed_by"]), (&"henry".into(), &"carl".into()));
    let list = site.run(&["destroy", "list"]).ok();
    assert!(list.text().contains("recorded from a signed document"), "{}", list.text());
    let record = site.run(&["destroy", "record", batch, "--format", "json", "-o", "-"]).ok().json();
    let seal = &record["orders"][0]["approved"];
    assert_eq!((&seal["account"], &seal["key"]), (&"sue".into(), &Value::Null));
    assert_eq!(seal["on_paper"]["confirmed_by"], "carl");
    let form = site.run(&["register", "export", "--format", "csv", "-o", "-"]).ok();
    assert!(form.text().contains("依紙本核定"), "{}", form.text());

    let file = site.run(&["certificate", "show", order]).ok().stdout;
    let certificate = Certificate::verify(&file, None).unwrap();
    assert_eq!((&*certificate.approved_by, &*certificate.on_paper[0].doc_no), ("sue", DOC));
    let path = site.temporary().join("certificate.json");
    fs::write(&path, &file).unwrap();
    let verified = site.run(&["certificate", "verify", path.to_str().unwrap()]).ok();
    assert!(verified.text().contains("recorded from a signed document"), "{}", verified.text());
    // The document that is named is the one that was proven.
    let bent =
        String::from_utf8(file).unwrap().replace("\"doc_no\": \"府社婦", "\"doc_no\": \"府社福");
    fs::write(&path, bent).unwrap();
    site.run(&["certificate", "verify", path.to_str().unwrap()]).exits(65);

    let bundle = site.temporary().join("evidence.zip");
    site.run(&["evidence", batch, "-o", bundle.to_str().unwrap()]).ok();
    let report = site.run(&["evidence", "verify", bundle.to_str().unwrap(), "--json"]).ok().json();
    assert_eq!((&report["ok"], &report["from_paper"]), (&true.into(), &1.into()));
    site.verify();
}

#[test]
fn what_changed_since_the_slip_was_printed_is_not_what_was_decided() {
    let people = People::new();
    let site = site(&people);
    let (batch, order) = requested(&site);
    let right = code(&site, "destroy", &order);
    Typed::new(&site, &order, &right).by(&site, "henry", &[]).ok();
    // A hold beats paper as it beats a signature, also between the two people.
    let words = ["hold", "place", &batch, "--authority", "地檢署", "--doc-no", "115-1"];
    let hold = site.run_as("audrey", &[words.as_slice(), &["--review", "2027-01-31"]].concat());
    let hold = hold.ok().id('h');
    refused(&site, "carl", &["destroy", "confirm", &order]);
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    // A request that was taken back is another one when it is made again.
    site.run_as("alice", &["destroy", "cancel", &order, "--reason", "次日再簽"]).ok();
    site.run_as("carl", &["destroy", "confirm", &order]).exits(64);
    let words = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let again = site.run_as("alice", &words).ok().id('o');
    assert_ne!(code(&site, "destroy", &again), right);
    Typed::new(&site, &again, &right).by(&site, "henry", &[]).exits(77);
    // What was denied on paper is denied.
    let other = code(&site, "destroy", &again);
    let deny = Typed { word: ["destroy", "deny"], ..Typed::new(&site, &again, &other) };
    deny.by(&site, "henry", &["--reason", "尚有訴訟"]).ok();
    site.run_as("carl", &["destroy", "confirm", &again]).ok();
    assert_eq!(stands(&site, SMALL).0, "due");
    let rows = site.run(&["destroy", "list", "--json"]).ok().json();
    assert_eq!(rows[1]["state"], "denied");
    assert_eq!(rows[1]["on_paper"][0]["ruling"], "denied");
}

#[test]
fn a_grant_and_a_copy_are_decided_on_paper_where_the_policy_says_so() {
    let people = People::new();
    let site = site(&people);
    let grant = apply(&site, "henry", "2027-06-30", &[]).ok().id('g');
    let right = code(&site, "grant", &grant);
    let typed = Typed { word: ["grant", "approve"], ..Typed::new(&site, &grant, &right) };
    typed.by(&site, "alice", &[]).ok();
    for name in ["alice", "henry"] {
        refused(&site, name, &["grant", "confirm", &grant]);
    }
    site.run_as("henry", &query(&grant, &["--where", "national_id=-"])).exits(77);
    site.run_as("carl", &["grant", "confirm", &grant]).ok();
    let rows = site.run(&["grant", "list", "--json"]).ok().json();
    assert_eq!(
        (&rows[0]["state"], &rows[0]["on_paper"]["approver"]),
        (&"open".into(), &"sue".into())
    );

    let batch = id_of(&site, SMALL);
    let ask = ["copy", "request", &batch, "--kind", "paper", "--reason", "開庭"];
    let copy = site.run_as("henry", &ask).ok().id('c');
    let right = code(&site, "copy", &copy);
    let typed = Typed { word: ["copy", "approve"], ..Typed::new(&site, &copy, &right) };
    typed.by(&site, "alice", &[]).ok();
    site.run_as("carl", &["copy", "confirm", &copy]).ok();
    let rows = site.run(&["copy", "list", &batch, "--json"]).ok().json();
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == *copy).unwrap();
    assert_eq!((&row["state"], &row["approved_doc_no"]), (&"planned".into(), &DOC.into()));
    assert_eq!(row["on_paper"]["confirmed_by"], "carl");
}

#[test]
fn without_a_rule_for_paper_only_a_signature_decides() {
    let people = People::new();
    let site = Site::laid_out(&people, &["small-20"]);
    let rule = "  paper: { value: [destroy]";
    edit(&site, "policies/taoyuan-dwcd.yaml", rule, "  paper: { value: []");
    site.init();
    site.accounts(UNIT);
    site.once();
    let (_, order) = requested(&site);
    let slip = ["destroy", "slip", &order, "--format", "json", "-o", "-"];
    assert!(site.run(&slip).exits(77).stderr.contains("paper is not enough"));
    let typed = Typed::new(&site, &order, "0000-0000-0").by(&site, "henry", &[]);
    assert!(typed.exits(77).stderr.contains("paper is not enough"));
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    assert_eq!(site.batches()[0]["state"], "closed");
}

#[test]
fn one_scan_is_the_seal_of_one_approver_and_not_of_two() {
    let people = People::new();
    let site = site_under(&people, &[("approvers: { value: 1,", "approvers: { value: 2,")]);
    people.new_key("walt");
    let key = people.public("walt");
    let add = ["account", "add", "walt", "--role", "supervisor", "--unit", UNIT, "--sign-key"];
    site.run_as("ada", &[add.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
    site.run_as("ben", &["account", "confirm", "walt"]).ok();
    let (batch, order) = requested(&site);
    let right = code(&site, "destroy", &order);
    Typed::new(&site, &order, &right).by(&site, "henry", &[]).ok();
    site.run_as("carl", &["destroy", "confirm", &order]).ok();
    assert_eq!(site.show(&batch)["state"], "due", "two have to approve");
    // The same scan again, as if it were another person's seal.
    let other = Typed { approver: "walt", ..Typed::new(&site, &order, &right) };
    let said = other.by(&site, "henry", &[]).exits(77).stderr;
    assert!(said.contains("this scan is that of the decision of 'sue'"), "{said}");
    assert_eq!(of_type(&site, "decision-entered").len(), 1);
    other.with(&site, "henry", "synthetic scan of another slip", &[]).ok();
    site.run_as("carl", &["destroy", "confirm", &order]).ok();
    site.once();
    assert_eq!(site.show(&batch)["state"], "closed");
    site.verify();
}

#[test]
fn what_two_people_confirmed_wrongly_from_paper_is_taken_back_as_a_signed_decision_is() {
    let people = People::new();
    let site = site(&people);
    // A grant: its rows are read by nobody from then on.
    let grant = apply(&site, "henry", "2027-06-30", &[]).ok().id('g');
    let right = code(&site, "grant", &grant);
    let typed = Typed { word: ["grant", "approve"], ..Typed::new(&site, &grant, &right) };
    typed.by(&site, "alice", &[]).ok();
    site.run_as("carl", &["grant", "confirm", &grant]).ok();
    site.run_as("sue", &["grant", "revoke", &grant]).ok();
    site.run_as("henry", &query(&grant, &["--where", "national_id=-"])).exits(77);
    // A copy that was not made yet.
    let batch = id_of(&site, SMALL);
    let ask = ["copy", "request", &batch, "--kind", "paper", "--reason", "開庭"];
    let copy = site.run_as("henry", &ask).ok().id('c');
    let right = code(&site, "copy", &copy);
    let typed = Typed { word: ["copy", "approve"], ..Typed::new(&site, &copy, &right) };
    typed.by(&site, "alice", &[]).ok();
    site.run_as("carl", &["copy", "confirm", &copy]).ok();
    site.run_as("alice", &["copy", "withdraw", &copy, "--reason", "typed wrongly"]).ok();
    site.verify();
}

#[test]
fn an_order_that_was_confirmed_wrongly_from_paper_is_cancelled_before_anything_is_wiped() {
    let people = People::new();
    let site = site_under(&people, &[("cooling_off: { value: P0D", "cooling_off: { value: P1D")]);
    let (batch, order) = requested(&site);
    let right = code(&site, "destroy", &order);
    Typed::new(&site, &order, &right).by(&site, "henry", &[]).ok();
    site.run_as("carl", &["destroy", "confirm", &order]).ok();
    refused(&site, "henry", &["destroy", "cancel", &order, "--reason", "typed wrongly"]);
    site.run_as("sue", &["destroy", "cancel", &order, "--reason", "typed wrongly"]).ok();
    a_day_later(&site);
    assert_eq!(site.show(&batch)["state"], "due", "nothing was wiped");
    // What only waits is typed anew: the last one counts.
    let order = {
        let words = ["destroy", "request", &batch, "--reason", "使用完竣"];
        site.run_as("alice", &words).ok().id('o')
    };
    let right = code(&site, "destroy", &order);
    let denied = Typed { word: ["destroy", "deny"], ..Typed::new(&site, &order, &right) };
    denied.by(&site, "henry", &["--reason", "typed wrongly"]).ok();
    Typed::new(&site, &order, &right).by(&site, "henry", &[]).ok();
    site.run_as("carl", &["destroy", "confirm", &order]).ok();
    a_day_later(&site);
    assert_eq!(site.show(&batch)["state"], "closed");
    site.verify();
}

fn a_day_later(site: &Site<'_>) {
    for hours in [23, 2] {
        site.wait_minutes(hours * 60);
        site.once();
    }
}

#[test]
fn an_office_is_one_person_on_paper_too() {
    const PARTY: &str = "asked for or decided by 'walt'";
    let people = People::new();
    let site = site_under(&people, &[("approvers: { value: 1,", "approvers: { value: 2,")]);
    an_office(&site);
    let (batch, first) = requested(&site);
    // What his deputy approved for him he does not approve again on paper.
    site.run_as("dora", &["destroy", "approve", &first]).ok();
    let says = |by: &str, order: &str, approver: &'static str| {
        let right = code(&site, "destroy", order);
        Typed { approver, ..Typed::new(&site, order, &right) }.by(&site, by, &[])
    };
    let refused = |by: &str, order: &str, approver: &'static str| {
        let ran = says(by, order, approver).exits(77);
        assert!(ran.stderr.contains(PARTY), "{}", ran.stderr);
    };
    refused("henry", &first, "walt");
    let next = |before: &str, by: &str| {
        site.run_as("sue", &["destroy", "cancel", before, "--reason", "次日再簽"]).ok();
        let ask = ["destroy", "request", &batch, "--reason", "使用完竣"];
        site.run_as(by, &ask).ok().id('o')
    };
    // Nor what somebody asked for in his place, or who stands in for him asked for.
    let for_him = next(&first, "dave");
    refused("henry", &for_him, "walt");
    let hers = next(&for_him, "dora");
    refused("henry", &hers, "walt");
    // And who stands in for who asked does not enter it.
    let his = next(&hers, "walt");
    refused("dave", &his, "sue");
    // Nor by a role of her own: the office is one whichever role she acts by.
    refused("dora", &his, "sue");
    assert!(of_type(&site, "decision-entered").is_empty());
    says("henry", &his, "sue").ok();
    let confirm = ["destroy", "confirm", &his];
    let ran = site.run_as("dora", &confirm).exits(77);
    assert!(ran.stderr.contains(PARTY), "{}", ran.stderr);
    site.run_as("carl", &confirm).ok();
    // Who stands in for who typed it does not confirm it, nor the other way round.
    let last = next(&his, "alice");
    says("walt", &last, "sue").ok();
    let confirm = ["destroy", "confirm", &last];
    let ran = site.run_as("dora", &confirm).exits(77);
    assert!(ran.stderr.contains(PARTY), "{}", ran.stderr);
    site.run_as("carl", &confirm).ok();
    site.verify();
}
